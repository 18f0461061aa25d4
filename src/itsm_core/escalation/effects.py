"""What makes a run move, and what it then wants done, or says that it did not do and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.escalation.answering import Shifts
from itsm_core.escalation.policies import GoesOn
from itsm_core.escalation.steps import EscalationStep
from itsm_core.processes.major import major_report_due, major_review_due, update_due
from itsm_core.records import Record
from itsm_core.sla import Clock

TOLERANCE = dt.timedelta(minutes=1)
"""How far a clock may be set back without a word: less than this is two machines that disagree."""

Why = Literal[
    "empty", "skipped", "superseded", "expired", "coalesced", "condition", "clock_regressed", "unresolved"
]
"""Why a step did not fire, or did not tell somebody: nobody could say who is meant ("unresolved")."""


Ended = Literal["ack_timeout", "snooze_over", "handed_off"]
"""Why an acknowledgement ended by itself."""


@attrs.frozen(kw_only=True)
class ClocksRead:
    """What is known beside the record as of now: the event that makes a run move.

    `clocks` are those of the record by metric, `calendar` the desk's (None: around the clock),
    `update_due_at` when the next update of a major incident is due, `report_due_at` and `review_due_at` when
    these are. `shifts` says who is on call by a name from an instant on (None: nobody looks at changes of
    shift). A `now` that lies further back than `tolerance` fires nothing and is told.
    """

    clocks: Mapping[str, Clock] = attrs.field(factory=dict)
    calendar: BusinessCalendar | None = None
    update_due_at: dt.datetime | None = None
    report_due_at: dt.datetime | None = None
    review_due_at: dt.datetime | None = None
    shifts: Shifts | None = attrs.field(default=None, eq=False, repr=False)
    tolerance: dt.timedelta = TOLERANCE

    @classmethod
    def of(
        cls,
        record: Record,
        clocks: Mapping[str, Clock],
        calendar: BusinessCalendar | None,
        at: dt.datetime,
        shifts: Shifts | None = None,
    ) -> ClocksRead:
        """What is known of a record as of an instant: its clocks then, and what its major incident owes."""
        if record.major_incident is None:
            return cls(clocks=clocks, calendar=calendar, shifts=shifts)
        return cls(
            clocks=clocks,
            calendar=calendar,
            shifts=shifts,
            update_due_at=update_due(record, at),
            report_due_at=major_report_due(record, calendar),
            review_due_at=major_review_due(record, calendar),
        )


@attrs.frozen(kw_only=True)
class EscalateNow(ClocksRead):
    """Somebody asks for the next step at once, or for the one named, whatever it waits for."""

    step: str | None = None


@attrs.frozen(kw_only=True)
class Effect:
    """Something that a run wants: its key, its step, what it was scheduled for and when it fired.

    `clock` is that of the share which began it. `step` is None where none is concerned.
    """

    key: str
    clock: Clock | None
    scheduled_at: dt.datetime
    fired_at: dt.datetime
    generation: int
    loop: int
    step: EscalationStep | None

    @property
    def lateness(self) -> dt.timedelta:
        """How long after its instant the step fired; zero when on time."""
        return self.fired_at - self.scheduled_at


@attrs.frozen(kw_only=True)
class Inform(Effect):
    """Tell somebody (a hierarchic step): `name` is what the step calls them."""

    step: EscalationStep
    to: str
    name: str


@attrs.frozen(kw_only=True)
class NoResponder(Inform):
    """Tell the last resort: of all whom a chain names there was nobody."""


@attrs.frozen(kw_only=True)
class HandedOver(Inform):
    """Tell somebody who has come on duty what those before them were told: `name` is the shift's."""


@attrs.frozen(kw_only=True)
class Move(Effect):
    """Give the work to a group, to a person, or to a person of a group (a functional step)."""

    step: EscalationStep
    group: str | None
    assignee: str | None = None

    def given(self, record: Record) -> dict[str, Any]:
        """What it changes of a record: a group alone has the work in its queue; empty if it is so already."""
        said = {} if self.group is None else {"group": self.group}
        wanted = said if self.assignee is None else {**said, "assignee": self.assignee}
        if all(record.values.get(name) == value for name, value in wanted.items()):
            return {}
        return {**said, "assignee": self.assignee}


@attrs.frozen(kw_only=True)
class Change(Effect):
    """Set a field of the record."""

    step: EscalationStep
    field: str
    value: Any


@attrs.frozen(kw_only=True)
class DeclareMajor(Effect):
    """Declare the incident a major one."""

    step: EscalationStep


@attrs.frozen(kw_only=True)
class Steered(Effect):
    """The chain goes on at `went`: forward, where a branch's condition held, or back by a repetition."""

    step: EscalationStep
    went: str


@attrs.frozen(kw_only=True)
class Resume(Effect):
    """An acknowledgement or a snooze is over: the chains go on, or begin anew.

    It has lapsed ("ack_timeout"), its time is over ("snooze_over"), or whoever gave it has gone off
    duty ("handed_off").
    """

    why: Ended
    mode: GoesOn


@attrs.frozen(kw_only=True)
class NotFired(Effect):
    """A step that had its turn and did not fire, and why; `to` is who was not told, if it is about one."""

    why: Why
    to: str | None = None


@attrs.frozen(kw_only=True)
class Unanswered(NotFired):
    """A step whose names resolved to nobody; recorded, so that it is seen and not tried again."""


@attrs.frozen(kw_only=True)
class NotHandedOver(NotFired):
    """A change of shift at which nobody was told, and why; "superseded" is who came and went off again."""


@attrs.frozen(kw_only=True)
class ClockRegressed(NotFired):
    """`now` lies before what has been done already: nothing fires until it has caught up."""
