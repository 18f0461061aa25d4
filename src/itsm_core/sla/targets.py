"""What was promised: a metric, how long it may take, and on whose calendar that is counted."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from enum import StrEnum
from fractions import Fraction
from typing import Any, Literal

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
from itsm_core.errors import BeyondHorizon, InvalidValue, NeverOpens
from itsm_core.events import WaitsOn
from itsm_core.priority import Priority
from itsm_core.sla.timeline import DONE, Answered, Mark, Timeline
from itsm_core.values import member, named, only, texts

UNLIMITED = dt.timedelta.max // dt.timedelta(microseconds=1)
"""The budget, in microseconds, of a due rule for which a calendar has no instant: never used up."""


class Metric(StrEnum):
    """What a target measures, from the opening of the record."""

    RESPONSE = "response"
    RESOLUTION = "resolution"


@attrs.frozen
class Stop:
    """Why and when (microseconds UTC) a metric stopped; `voids` if the promise fell away."""

    us: int
    reason: str
    voids: bool = attrs.field(default=False, kw_only=True)


def stop_of(metric: Metric, timeline: Timeline) -> Stop | None:
    """What stopped this metric, or None while it goes on.

    A resolution stops while the record is resolved or closed. A response stops once: at the first
    answer, or else at the first resolution, `resolved_without_reply`. At one instant, void goes
    before stop; a stop that came before is not undone by voiding the record later.
    """
    ended = _end(timeline)
    if metric is Metric.RESOLUTION:
        return ended
    replied = _reply(timeline)
    if ended is not None and ended.voids and (replied is None or ended.us <= replied.us):
        return ended
    return replied


def _end(timeline: Timeline) -> Stop | None:
    """The stop in which the record now rests; None while work is owed."""
    since: Mark | None = None
    void: Mark | None = None
    for mark in reversed(timeline.marks):
        if mark.phase not in DONE:
            break
        since, void = mark, mark if mark.voids else void
    if since is None:
        return None
    if void is not None and void.us == since.us:
        return Stop(since.us, str(void.outcome), voids=True)
    return Stop(since.us, since.phase.value)


def _reply(timeline: Timeline) -> Stop | None:
    answer = timeline.answer
    for mark in timeline.marks:
        if mark.phase in DONE and not mark.voids:
            if answer is None or mark.us < answer.us:
                return Stop(mark.us, "resolved_without_reply")
            break
    return None if answer is None else Stop(answer.us, _REASONS[answer.how])


_REASONS = {
    Answered.MESSAGE: "answered",
    Answered.LIVE_CONTACT: "live_contact",
    Answered.ACKNOWLEDGEMENT: "acknowledged",
}

PAUSABLE = frozenset({WaitsOn.REQUESTER, WaitsOn.CUSTOMER_APPROVER, WaitsOn.SCHEDULE})
"""The waits an agreement with a customer may list as pauses: those on the customer's side.

A wait for a schedule is one the requester asked for; plain internal planning is `INTERNAL`.
"""


def metric_of(value: Metric | str) -> Metric:
    """The metric itself, or the one of this name."""
    return member(Metric, value, "metric")


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


@attrs.frozen(repr=False)
class Target:
    """A promise about one metric: so much open time, or a due rule, on one calendar.

    `pauses_on` lists the waits that stop the clock. Only waits on the customer's side may stand
    there: the agreement is with the customer, who is not concerned by whom we wait for. A hold
    without a reason pauses nothing. Empty `priorities` mean all. After a reopening the clock
    continues; the time between is not counted. `agreement` names the agreement and version it
    belongs to; the agreement fills it in.
    """

    id: str
    metric: Metric = attrs.field(converter=metric_of)
    duration: Duration = attrs.field(converter=_duration, validator=_lasting, kw_only=True)
    calendar: BusinessCalendar = attrs.field(validator=_opens, kw_only=True)
    pauses_on: frozenset[WaitsOn] = attrs.field(default=frozenset(), converter=_reasons, kw_only=True)
    priorities: frozenset[Priority] = attrs.field(default=frozenset(), converter=priorities_of, kw_only=True)
    reopen: Literal["continue"] = attrs.field(default="continue", kw_only=True)
    agreement: str | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        named(self.id, "target", 'name it, such as "p1-resolution"')
        if self.reopen != "continue":
            raise InvalidValue("reopen", self.reopen, "is no way to reopen", 'only "continue" is known')
        self._check_pauses()

    def _check_pauses(self) -> None:
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
        return f"<target {self.id}: {self.metric} within {self.duration}{meant}>"

    def applies_to(self, priority: Priority | None) -> bool:
        """Whether the target is meant for records of this priority."""
        return not self.priorities or priority in self.priorities

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


_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*%")


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
