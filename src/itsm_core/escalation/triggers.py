"""What sets a step off, and how long a chain waits: values that say in which time they count."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from enum import StrEnum
from fractions import Fraction
from typing import Any

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.durations import (
    Budget,
    BusinessDays,
    CalendarDays,
    Duration,
    EndOfBusinessDay,
    parse,
)
from itsm_core.business_time.instants import in_utc, later
from itsm_core.errors import BeyondHorizon, InvalidValue, NeverOpens
from itsm_core.priority import Priority
from itsm_core.sla.agreements.targets import Metric, metric_of, priorities_of, share_of
from itsm_core.values import member, word

MOST_TIMES = 20
"""How far reopenings and reassignments are counted, and how often a chain may repeat."""

AROUND = BusinessCalendar.always("UTC")
"""What business time is counted on where neither policy nor desk has a calendar."""


class Unit(StrEnum):
    """In which time a wait is counted: that on the wall, or while the desk is open."""

    WALL = "wall"
    BUSINESS = "business"


_WAIT = 'say the time it counts in: "15m wall", "2h business", "1 business day"'


def _unit(value: Unit | str) -> Unit:
    return member(Unit, value, "unit of a wait")


def _passing(wait: Wait) -> dt.timedelta | None:
    """The wall time of a wait that counts it."""
    return wait.duration.timedelta if wait.unit is Unit.WALL and isinstance(wait.duration, Budget) else None


@attrs.frozen
class Wait:
    """A length of time and what it is counted in: "15m wall", "2h business", "1 business day".

    Wall time goes on day and night. Business time is that of the policy's calendar or else the desk's.
    """

    duration: Duration
    unit: Unit = attrs.field(converter=_unit)
    _passing: dt.timedelta | None = attrs.field(
        default=attrs.Factory(_passing, takes_self=True), init=False, repr=False, eq=False
    )

    is_long: bool = attrs.field(init=False, repr=False, eq=False)
    """Whether any time passes in it; until the end of a business day that may be none."""

    @is_long.default
    def _if_any_is_measured(self) -> bool:
        return isinstance(self.duration, Budget) and self.duration.us > 0

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.duration, Budget | BusinessDays | CalendarDays | EndOfBusinessDay):
            raise InvalidValue("wait", self.duration, "is no duration", "write wall(minutes(15))")
        if self.unit is Unit.WALL and not isinstance(self.duration, Budget):
            raise InvalidValue("wait", str(self), "counts days on the wall", "say business(business_days(1))")

    def after(self, start: dt.datetime, calendar: BusinessCalendar | None = None) -> dt.datetime | None:
        """The instant so long after `start`; None where the calendar does not open for so long."""
        if self._passing is not None:
            return later(start, self._passing)
        try:
            return in_utc((calendar or AROUND).add(start, self.duration))
        except (NeverOpens, BeyondHorizon):
            return None

    def __str__(self) -> str:
        plain = str(self.duration)
        return f"{plain} {self.unit}" if isinstance(self.duration, Budget) else plain


def _duration(value: Duration | str) -> Duration:
    return parse(value) if isinstance(value, str) else value


def wall(duration: Duration | str) -> Wait:
    """So much time on the wall, day and night: `wall(minutes(15))`, `wall("15m")`."""
    return Wait(_duration(duration), Unit.WALL)


def business(duration: Duration | str) -> Wait:
    """So much open time, or so many business days: `business(hours(2))`, `business("1 business day")`."""
    return Wait(_duration(duration), Unit.BUSINESS)


def wait_of(value: Wait | str) -> Wait:
    """The wait that a text names; one that does not say in which time it counts is refused."""
    if isinstance(value, Wait):
        return value
    if not isinstance(value, str):
        raise InvalidValue("wait", value, "does not say in which time it counts", _WAIT)
    text, _, unit = value.strip().rpartition(" ")
    if text and unit.lower() in list(Unit):
        return Wait(parse(text), Unit(unit.lower()))
    duration = parse(value)
    if isinstance(duration, Budget):
        raise InvalidValue("wait", value, "does not say in which time it counts", _WAIT)
    return Wait(duration, Unit.BUSINESS)


class TriggerKind(StrEnum):
    """What a step may wait for."""

    SHARE = "share"
    STATE = "state"
    UNACKNOWLEDGED = "unacknowledged"
    SILENT = "silent"
    REOPENED = "reopened"
    REASSIGNED = "reassigned"
    PRIORITY = "priority"
    UPDATE_OVERDUE = "update_overdue"
    REPORT_OVERDUE = "report_overdue"
    REVIEW_OVERDUE = "review_overdue"


def _trigger_kind(value: TriggerKind | str) -> TriggerKind:
    return member(TriggerKind, value, "kind of trigger")


def _count(value: int | None) -> int | None:
    if value is None or (type(value) is int and 1 <= value <= MOST_TIMES):
        return value
    raise InvalidValue("count", value, "is no number of times", f"count 1 to {MOST_TIMES}")


@attrs.frozen
class Trigger:
    """What sets a step off; made by the method that names it: `Trigger.unacknowledged("15m wall")`.

    A share is of a target's time. A state is of the lifecycle, and its time begins when it is entered.
    Silence begins with the desk's last words, or with the opening, and ends with its next ones.
    """

    kind: TriggerKind = attrs.field(converter=_trigger_kind)
    share: Fraction | None = attrs.field(
        default=None, converter=attrs.converters.optional(share_of), kw_only=True
    )
    metric: Metric | str = attrs.field(default=Metric.RESOLUTION, converter=metric_of, kw_only=True)
    wait: Wait | None = attrs.field(default=None, converter=attrs.converters.optional(wait_of), kw_only=True)
    state: str | None = attrs.field(default=None, kw_only=True)
    count: int | None = attrs.field(default=None, converter=_count, kw_only=True)
    to: frozenset[Priority] = attrs.field(default=frozenset(), converter=priorities_of, kw_only=True)

    def __attrs_post_init__(self) -> None:
        needed = _NEEDS[self.kind]
        for name in ("share", "wait", "state", "count"):
            if (getattr(self, name) is not None) is not (name in needed):
                fault = f"needs {name}" if name in needed else f"has no use for {name}"
                raise InvalidValue("trigger", str(self.kind), fault, _REMEDIES[self.kind])
        if self.state is not None:
            word(self.state, "state", 'name one of the lifecycle, such as "on_hold"')
        if self.share is not None and self.share <= 0:
            raise InvalidValue("trigger", str(self.share), "stands at or before the start", 'say "75 %"')

    @classmethod
    def share_of(cls, share: Fraction | int | str, metric: Metric | str = Metric.RESOLUTION) -> Trigger:
        """When this share of a target's time is used up."""
        return cls(TriggerKind.SHARE, share=share, metric=metric)

    @classmethod
    def in_state(cls, state: str, wait: Wait | str) -> Trigger:
        """When the record has been in a state for so long."""
        return cls(TriggerKind.STATE, state=state, wait=wait)

    @classmethod
    def unacknowledged(cls, wait: Wait | str) -> Trigger:
        """When nobody has acknowledged the record for so long."""
        return cls(TriggerKind.UNACKNOWLEDGED, wait=wait)

    @classmethod
    def silent(cls, wait: Wait | str) -> Trigger:
        """When the desk has said and noted nothing for so long."""
        return cls(TriggerKind.SILENT, wait=wait)

    @classmethod
    def reopened(cls, count: int) -> Trigger:
        """At each reopening from this one on."""
        return cls(TriggerKind.REOPENED, count=count)

    @classmethod
    def reassigned(cls, count: int) -> Trigger:
        """At this reassignment: once in the life of the record."""
        return cls(TriggerKind.REASSIGNED, count=count)

    @classmethod
    def priority_changed(cls, to: Iterable[Any] | str = ()) -> Trigger:
        """When the priority changes, to one of these if any are named."""
        return cls(TriggerKind.PRIORITY, to=to)

    @classmethod
    def update_overdue(cls, wait: Wait | str = "0m wall") -> Trigger:
        """When the update of a major incident is overdue by so long."""
        return cls(TriggerKind.UPDATE_OVERDUE, wait=wait)

    @classmethod
    def report_overdue(cls, wait: Wait | str = "0m wall") -> Trigger:
        """When the report of a major incident is overdue by so long; also while its record is resolved."""
        return cls(TriggerKind.REPORT_OVERDUE, wait=wait)

    @classmethod
    def review_overdue(cls, wait: Wait | str = "0m wall") -> Trigger:
        """When the review of a major incident is overdue by so long; also while its record is resolved."""
        return cls(TriggerKind.REVIEW_OVERDUE, wait=wait)


_NEEDS: dict[TriggerKind, frozenset[str]] = {
    TriggerKind.SHARE: frozenset({"share"}),
    TriggerKind.STATE: frozenset({"state", "wait"}),
    TriggerKind.UNACKNOWLEDGED: frozenset({"wait"}),
    TriggerKind.SILENT: frozenset({"wait"}),
    TriggerKind.REOPENED: frozenset({"count"}),
    TriggerKind.REASSIGNED: frozenset({"count"}),
    TriggerKind.PRIORITY: frozenset(),
    TriggerKind.UPDATE_OVERDUE: frozenset({"wait"}),
    TriggerKind.REPORT_OVERDUE: frozenset({"wait"}),
    TriggerKind.REVIEW_OVERDUE: frozenset({"wait"}),
}

_REMEDIES: dict[TriggerKind, str] = {
    TriggerKind.SHARE: 'write Trigger.share_of("75 %")',
    TriggerKind.STATE: 'write Trigger.in_state("on_hold", "4h business")',
    TriggerKind.UNACKNOWLEDGED: 'write Trigger.unacknowledged("15m wall")',
    TriggerKind.SILENT: 'write Trigger.silent("1h business")',
    TriggerKind.REOPENED: "write Trigger.reopened(2)",
    TriggerKind.REASSIGNED: "write Trigger.reassigned(3)",
    TriggerKind.PRIORITY: 'write Trigger.priority_changed(to="P1")',
    TriggerKind.UPDATE_OVERDUE: 'write Trigger.update_overdue("5m wall")',
    TriggerKind.REPORT_OVERDUE: 'write Trigger.report_overdue("4h business")',
    TriggerKind.REVIEW_OVERDUE: 'write Trigger.review_overdue("4h business")',
}
