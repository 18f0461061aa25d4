"""Segments: the wall time of a clock cut into stretches that leave no gap, with what each meant and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from enum import StrEnum

import attrs

from itsm_core.business_time.instants import utc, zone_of
from itsm_core.events import Phase, WaitsOn
from itsm_core.sla.spans import ClockState, Span
from itsm_core.sla.timeline import Mark


class SegmentKind(StrEnum):
    """What a stretch of wall time meant for a clock."""

    RUNNING = "running"
    PAUSED = "paused"
    CLOSED = "closed"
    STOPPED = "stopped"


@attrs.frozen
class Segment:
    """A stretch of wall time, what it meant, why, and the event that began it.

    `mark` is the state the record was in, and who had it.

    Take its length from `length`: Python subtracts two datetimes of one zone by the clock on the
    wall, which is an hour off across a change of the clocks.
    """

    start_us: int
    end_us: int
    kind: SegmentKind = attrs.field(kw_only=True)
    reason: str = attrs.field(kw_only=True)
    event: str = attrs.field(kw_only=True)
    mark: Mark = attrs.field(kw_only=True, repr=False)
    zone: str = attrs.field(default="UTC", kw_only=True)

    @property
    def start(self) -> dt.datetime:
        """When it began, in the zone of the calendar."""
        return local(self.start_us, self.zone)

    @property
    def end(self) -> dt.datetime:
        """When it ended, in the zone of the calendar."""
        return local(self.end_us, self.zone)

    @property
    def length(self) -> dt.timedelta:
        """The wall time it took."""
        return dt.timedelta(microseconds=self.end_us - self.start_us)


def local(us: int, zone: str) -> dt.datetime:
    """An instant in a zone."""
    return utc(us).astimezone(zone_of(zone))


# --- from spans to segments -------------------------------------------------------------------


def segments(spans: Iterable[Span], zone: str) -> tuple[Segment, ...]:
    """The segments of a clock's spans, told in a zone: running time is split where its calendar is closed."""
    return tuple(
        Segment(start, end, kind=kind, reason=reason, event=span.mark.event, mark=span.mark, zone=zone)
        for span in spans
        for start, end, kind, reason in _pieces(span)
    )


def _pieces(span: Span) -> Iterator[tuple[int, int, SegmentKind, str]]:
    at, reason = span.start_us, _reason(span.mark)
    if span.state is not ClockState.RUNNING:
        kind = SegmentKind.PAUSED if span.state is ClockState.PAUSED else SegmentKind.STOPPED
        yield at, span.end_us, kind, reason
        return
    for start, end, name in span.calendar.closures_us(span.start_us, span.end_us):
        if start > at:
            yield at, start, SegmentKind.RUNNING, reason
        yield start, end, SegmentKind.CLOSED, name
        at = end
    if span.end_us > at:
        yield at, span.end_us, SegmentKind.RUNNING, reason


def _reason(mark: Mark) -> str:
    if mark.phase is Phase.WAITING:
        return _WAITS[mark.waits_on]
    return mark.outcome if mark.voids and mark.outcome else _PHASES[mark.phase]


_WAITS: dict[WaitsOn | None, str] = {
    None: "on hold without a reason",
    WaitsOn.REQUESTER: "waiting for requester",
    WaitsOn.CUSTOMER_APPROVER: "waiting for customer's approval",
    WaitsOn.SUPPLIER: "waiting for supplier",
    WaitsOn.PROBLEM: "waiting for a problem",
    WaitsOn.CHANGE: "waiting for a change",
    WaitsOn.INTERNAL: "waiting for internal work",
    WaitsOn.SCHEDULE: "waiting for the agreed date",
}
_PHASES = {
    Phase.NEW: "new", Phase.ACTIVE: "in progress", Phase.RESOLVED: "resolved", Phase.CLOSED: "closed",
}  # fmt: skip
