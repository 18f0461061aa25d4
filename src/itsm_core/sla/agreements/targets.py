"""What was promised: a metric, how long it may take, and on whose calendar that is counted."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import Any, Literal, cast, get_args

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.durations import (
    Budget,
    BusinessDays,
    CalendarDays,
    Duration,
    EndOfBusinessDay,
    measured,
    parse,
)
from itsm_core.business_time.windows import printable
from itsm_core.errors import BeyondHorizon, InvalidValue, NeverOpens
from itsm_core.events import WaitsOn
from itsm_core.priority import Priority
from itsm_core.sla.agreements.measures import Condition, Measure, reply, resolution, response, stretch, update
from itsm_core.sla.timeline import ANSWERS, Said
from itsm_core.values import NO_FIELDS, as_fields, named, only, texts, word

UNLIMITED = dt.timedelta.max // dt.timedelta(microseconds=1)
"""The budget, in microseconds, of a due rule for which a calendar has no instant: never used up."""


class Metric(StrEnum):
    """What a target measures: the first answer, the work, speaking every so often, each answer.

    `UPDATE` asks for our next words every so often while the record is open, `REPLY` for an answer within
    so much of the requester's words. A target may measure something else, by conditions of its own.
    """

    RESPONSE = "response"
    RESOLUTION = "resolution"
    UPDATE = "update"
    REPLY = "reply"


PAUSABLE = frozenset({WaitsOn.REQUESTER, WaitsOn.CUSTOMER_APPROVER, WaitsOn.SCHEDULE})
"""The waits an agreement with a customer may list as pauses: those on the customer's side.

A wait for a schedule is one the requester asked for; plain internal planning is `INTERNAL`.
"""

Reopen = Literal["continue", "include_closed", "new_cycle", "none"]
OnRetarget = Literal["retroactive", "carry", "restart"]
OnPause = Literal["extend", "fixed"]
Kind = Literal["customer", "internal", "supplier"]
REOPENINGS: tuple[Reopen, ...] = get_args(Reopen)
RETARGETINGS: tuple[OnRetarget, ...] = get_args(OnRetarget)
ON_PAUSE: tuple[OnPause, ...] = get_args(OnPause)
KINDS: tuple[Kind, ...] = get_args(Kind)


def metric_of(value: Metric | str) -> Metric | str:
    """The metric of this name; any other word is the name of a metric of one's own."""
    known = next((one for one in Metric if one == value), None)
    return known or word(value, "metric", 'name it: "response", "resolution", or one of your own')


def one_of(known: tuple[str, ...]) -> Any:
    """A validator that refuses what is none of the words known."""

    def check(_: Any, field: Any, value: Any) -> None:
        if value not in known:
            raise InvalidValue(field.name, value, "is unknown", f"use one of {', '.join(known)}")

    return check


def _answers(value: Iterable[Said] | Said | str) -> frozenset[Said]:
    known = [said for said in Said if said is not Said.REQUEST]
    found = texts(value, "answered_by", f"use some of {', '.join(known)}")
    wrong = sorted(set(found) - set(known))
    if wrong or not found:
        raise InvalidValue("answered_by", wrong, "answers nobody", f"use some of {', '.join(known)}")
    return frozenset(Said(one) for one in found)


def predicates(value: Mapping[str, Any]) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """The values that fields must have, each among those named: as `when` of a target says it."""
    remedy = 'write {"service": "mail"} or {"category": ["network", "wifi"]}'
    value = dict(value) if isinstance(value, tuple) else value  # as a copy of a target brings it
    held = as_fields(only(cast("type[Mapping[str, Any]]", Mapping), value, "when", remedy))
    return tuple((name, one if isinstance(one, tuple) else (one,)) for name, one in sorted(held.items()))


def _duration(value: Any) -> Duration:
    """A duration as it is, a text parsed, a plain timedelta taken as measured open time."""
    if isinstance(value, str):
        return parse(value)
    if isinstance(value, dt.timedelta):
        return Budget(measured(value))
    if isinstance(value, (Budget, BusinessDays, CalendarDays, EndOfBusinessDay)):
        return value
    raise InvalidValue("duration", value, "is no duration", "use hours(4), minutes(15) or business_days(3)")


def _lasting(_: Any, __: Any, value: Duration) -> None:
    if value in (Budget(0), BusinessDays(0), CalendarDays(0)):
        raise InvalidValue(
            "duration",
            str(value),
            "leaves no time, so every record would breach it",
            "promise at least minutes(1), or leave the target out",
        )


def a_calendar(value: Any) -> BusinessCalendar:
    """The calendar itself; anything else is refused with the way to make one."""
    remedy = 'make one: BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/London")'
    return only(BusinessCalendar, value, "calendar", remedy)


def _opens(_: Any, __: Any, value: BusinessCalendar) -> None:
    if a_calendar(value) == BusinessCalendar.never(value.zone):
        raise InvalidValue("calendar", value, "never opens, so nothing would ever fall due", "give it hours")


def priorities_of(value: Iterable[Any] | str) -> frozenset[Priority]:
    """The priorities named; a text or number alone is one of them."""
    one = isinstance(value, str) or not isinstance(value, Iterable)
    return frozenset(Priority.of(p) for p in ((value,) if one else value))


def _reasons(value: Iterable[str] | str) -> frozenset[WaitsOn]:
    known = ", ".join(WaitsOn)
    words = texts(value, "pauses_on", f"use some of {known}")
    unknown = sorted(set(words) - set(WaitsOn))
    if unknown:
        raise InvalidValue("pauses_on", unknown, "names no hold reason", f"use some of {known}")
    return frozenset(WaitsOn(word) for word in words)


_MEASURES: dict[str, Callable[[frozenset[Said]], Measure]] = {
    Metric.RESPONSE: response,
    Metric.RESOLUTION: resolution,
    Metric.UPDATE: update,
    Metric.REPLY: reply,
}


@attrs.frozen(repr=False)
class Target:
    """A promise about one metric: so much open time, or a due rule, on one calendar.

    `pauses_on` lists the waits that stop the clock. In an agreement with a customer only waits on the
    customer's side may stand there: it is no concern of theirs whom we wait for. A hold without a reason
    pauses nothing. With `on_pause="fixed"` no wait moves the due instant.

    Empty `priorities` mean all; `when` names values that the record's fields must have. `reopen` says what
    a reopening does: "continue" (the time between is not counted), "include_closed" (it is), "new_cycle",
    or "none" (the first stop is for good). `on_retarget` says what happens when this target takes the place
    of another: "retroactive" (measured again from the start), "carry" (time counted stays), "restart".

    `answered_by` is what counts as an answer. `measure` are the conditions of a metric of your own, and
    `conditions` those of any. The clock starts no earlier than the metric `after` has stopped. `kind` and
    `party` say with whom it is agreed; the target of an internal or a supplier's `party` counts the
    stretches in which that group has the record. `agreement` names the agreement and version it belongs
    to; the agreement fills it in.
    """

    id: str
    metric: Metric | str = attrs.field(converter=metric_of)
    duration: Duration = attrs.field(converter=_duration, validator=_lasting, kw_only=True)
    calendar: BusinessCalendar = attrs.field(validator=_opens, kw_only=True)
    pauses_on: frozenset[WaitsOn] = attrs.field(default=frozenset(), converter=_reasons, kw_only=True)
    priorities: frozenset[Priority] = attrs.field(default=frozenset(), converter=priorities_of, kw_only=True)
    when: tuple[tuple[str, tuple[Any, ...]], ...] = attrs.field(
        factory=dict, converter=predicates, kw_only=True
    )
    reopen: Reopen = attrs.field(default="continue", validator=one_of(REOPENINGS), kw_only=True)
    on_retarget: OnRetarget = attrs.field(default="retroactive", validator=one_of(RETARGETINGS), kw_only=True)
    on_pause: OnPause = attrs.field(default="extend", validator=one_of(ON_PAUSE), kw_only=True)
    answered_by: frozenset[Said] = attrs.field(default=ANSWERS, converter=_answers, kw_only=True)
    measure: Measure | None = attrs.field(default=None, kw_only=True)
    after: str | None = attrs.field(default=None, kw_only=True)
    kind: Kind = attrs.field(default="customer", validator=one_of(KINDS), kw_only=True)
    party: str | None = attrs.field(default=None, kw_only=True)
    agreement: str | None = attrs.field(default=None, kw_only=True)
    conditions: Measure = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        named(self.id, "target", 'name it, such as "p1-resolution"')
        object.__setattr__(self, "conditions", self._measured())
        if self.after == self.metric:
            raise InvalidValue("after", self.after, "is the metric itself", "name another metric")
        self._check_pauses()

    def _measured(self) -> Measure:
        """The conditions of the metric; those of a party's stretch are as long as the party has it."""
        if self.measure is not None:
            return only(Measure, self.measure, "measure", "make one: Measure(start=..., stop=...)")
        if self.kind != "customer" and self.party is not None and self.metric is Metric.RESOLUTION:
            return stretch(Condition(groups=self.party))
        if self.kind == "supplier" and self.metric is Metric.RESOLUTION:
            return stretch(Condition(waits_on=WaitsOn.SUPPLIER))
        made = _MEASURES.get(self.metric)
        if made is None:
            raise InvalidValue(
                "metric", self.metric, "is none of the known ones and comes without a measure",
                f"use one of {', '.join(Metric)}, or give its measure: Measure(start=..., stop=...)",
            )  # fmt: skip
        return made(self.answered_by)

    def _check_pauses(self) -> None:
        if self.kind != "customer":
            return
        if self.metric is Metric.RESPONSE and self.pauses_on:
            raise InvalidValue(
                "pauses_on",
                [wait.value for wait in sorted(self.pauses_on)],
                f"stands in the response target {self.id!r}",
                "leave it out: to wait for a requester is to have answered",
            )
        wrong = sorted(self.pauses_on - PAUSABLE)
        if wrong:
            raise InvalidValue(
                "pauses_on",
                [wait.value for wait in wrong],
                f"is no wait on the customer's side, and target {self.id!r} is agreed with the customer",
                f"list only {sorted(wait.value for wait in PAUSABLE)}; other waits belong in agreements "
                "with suppliers or teams",
            )

    def __repr__(self) -> str:
        meant = f" for {', '.join(sorted(self.priorities))}" if self.priorities else ""
        return printable(f"<target {self.id}: {self.metric} within {self.duration}{meant}>")

    def applies_to(self, priority: Priority | None, values: Mapping[str, Any] = NO_FIELDS) -> bool:
        """Whether the target is meant for records of this priority, with these fields."""
        if self.priorities and priority not in self.priorities:
            return False
        return all(values.get(name) in among for name, among in self.when)

    def bounds(self, started_us: int) -> tuple[int, int | None]:
        """The budget in microseconds of open time and, for a due rule, the instant it names.

        Where the calendar has no such instant, as after its hours ended for good, the budget is
        `UNLIMITED`: nobody can be late for a day that does not come.
        """
        if isinstance(self.duration, Budget):
            return self.duration.us, None
        try:
            due = self.calendar.due_us(started_us, self.duration)
            return self.calendar.elapsed_us(started_us, due), due
        except (NeverOpens, BeyondHorizon):
            return UNLIMITED, None


Plan = Sequence[tuple[int, Target | None]]
"""Which target held from when on, oldest first, the first one also before its instant; None: none held."""


_PERCENT = re.compile(r"([0-9]{1,99}(?:\.[0-9]{1,99})?)\s*%")


def share_of(value: Fraction | int | str) -> Fraction:
    """The exact share that a Fraction, a whole number of percent or a text such as "75 %" means.

    >>> share_of(75) == share_of("75 %") == share_of(Fraction(3, 4))
    True
    """
    share: Fraction | None = None
    if isinstance(value, Fraction):
        share = value
    elif isinstance(value, int) and not isinstance(value, bool):
        share = Fraction(value, 100)
    elif isinstance(value, str) and (match := _PERCENT.fullmatch(value.strip())):
        share = Fraction(match[1]) / 100
    if share is None or share < 0:
        raise InvalidValue(
            "share",
            value,
            "is no share of a target",
            'use Fraction(3, 4), the whole percent 75 or "75 %"; floats round and are refused',
        )
    return share
