"""The terms a desk is run by, and where a record stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Sequence
from typing import Any

import attrs

from itsm_core.actors import Actor
from itsm_core.escalation import EscalationPolicy, Inform, Resolver, as_named, wording
from itsm_core.events import Event
from itsm_core.lifecycle import TOLERANCE, CustomField, Lifecycle
from itsm_core.ports import Ask
from itsm_core.priority import PriorityMatrix, matrix_3x3_p5
from itsm_core.records import Record, apply, fold, follows
from itsm_core.sla import Agreement, Clock, Timeline, clocks_at, extend, trace
from itsm_core.values import only


def escalation(policy: EscalationPolicy) -> str:
    """The kind of the timers that wake a policy's escalations: each policy has its own."""
    return f"escalation/{policy.id}"


MACHINE = Actor.automation("itsm_core", "automation", "itsm_core")
"""Who acts when the library itself carries out a consequence."""

ATTEMPTS = 20
"""How often a command is decided anew after losing a race before the conflict is raised."""

OnItsWay = Generator[Ask, Any, Record]
Wording = Callable[[Inform, Record, str], tuple[str, str]]


def _is(kind: type, remedy: str) -> Any:
    """A validator that names what is wrong when somebody passes a text for a thing."""

    def check(_: Any, field: Any, value: Any) -> None:
        only(kind, value, field.name, remedy)

    return check


def _each(kind: type, remedy: str) -> Any:
    one = _is(kind, remedy)

    def check(terms: Any, field: Any, values: Any) -> None:
        for value in values:
            one(terms, field, value)

    return check


_AGREEMENT = "make one: default_agreement(calendar) or Agreement(...)"
_POLICY = "make one: EscalationPolicy(id, version, steps=[...])"
_FIELD = 'declare it: CustomField("room", "text")'


@attrs.frozen(kw_only=True)
class Terms:
    """What a desk is run by: lifecycle, matrix, agreements, policy, and who answers to a name.

    The first agreement that covers a new record is written into its opening and judges it from
    then on, as long as it stands among `agreements`; so keep old versions there.
    """

    salt: Callable[[], str]
    lifecycle: Lifecycle = attrs.field(validator=_is(Lifecycle, "take INCIDENT, or make one: Lifecycle(...)"))
    agreements: tuple[Agreement, ...] = attrs.field(default=(), validator=_each(Agreement, _AGREEMENT))
    policy: EscalationPolicy | None = attrs.field(
        default=None, validator=attrs.validators.optional(_is(EscalationPolicy, _POLICY))
    )
    matrix: PriorityMatrix = attrs.field(
        default=matrix_3x3_p5, validator=_is(PriorityMatrix, "take matrix_3x3_p5 or matrix_3x3_p4")
    )
    resolver: Resolver = as_named
    tolerance: dt.timedelta = TOLERANCE
    custom: tuple[CustomField, ...] = attrs.field(default=(), validator=_each(CustomField, _FIELD))
    wording: Wording = wording
    lang: str = "en"
    reply_channel: str = "email"

    def agreement_for(self, record: Record) -> Agreement | None:
        """The agreement a record was opened under, else the first that covers it."""
        covering = None
        for agreement in self.agreements:
            if agreement.label == record.agreement:
                return agreement
            if covering is None and agreement.covers(record):
                covering = agreement
        return covering


@attrs.frozen
class Standing:
    """A record and the timeline of its clocks, at one version.

    `watched` says that `due` is known from the last commit; folded anew from events it is not.
    """

    record: Record
    timeline: Timeline
    due: dt.datetime | None = None
    watched: bool = False

    def clocks(self, terms: Terms, at: dt.datetime) -> dict[str, Clock]:
        """The clocks of the record at an instant, by metric ("response", "resolution")."""
        agreement = terms.agreement_for(self.record)
        if agreement is None:
            return {}
        return clocks_at(self.record, self.timeline, agreement, at)


def standing(record_id: str) -> Generator[Ask, Any, Standing]:
    """The newest standing of a record: its snapshot and what came after, or all events anew."""
    snapshot, events = yield Ask("load", (record_id,))
    if snapshot is None:
        return refold(events)
    known: Standing | None = Standing(snapshot.record, snapshot.timeline, snapshot.due, watched=True)
    for event in events:
        known = known and onward(known, event)
    return known or (yield from anew(record_id))


def history(record_id: str) -> Generator[Ask, Any, tuple[Event, ...]]:
    """All events of a record by `seq`."""
    _, events = yield Ask("load", (record_id, 0))
    return tuple(events)


def anew(record_id: str, more: Sequence[Event] = ()) -> Generator[Ask, Any, Standing]:
    """The standing from all stored events and `more`, whatever their order."""
    events = yield from history(record_id)
    return refold((*events, *more))


def refold(events: Sequence[Event]) -> Standing:
    """The standing that these events tell."""
    return Standing(fold(events), trace(events))


def onward(known: Standing, event: Event) -> Standing | None:
    """The standing after one more event; None when it is late or a correction."""
    if not follows(known.record, event):
        return None
    record, timeline = apply(known.record, event), extend(known.timeline, event)
    return Standing(record, timeline, known.due, known.watched)
