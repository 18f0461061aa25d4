"""Why a clock says what it says: segments that add up to wall time, in words, as a table, as data."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Iterable, Iterator
from enum import StrEnum
from fractions import Fraction
from typing import Any

import attrs

from itsm_core.business_time.instants import HOUR, MINUTE, SECOND, utc, zone_of
from itsm_core.errors import InvalidValue
from itsm_core.events import Phase, WaitsOn
from itsm_core.sla.spans import ClockState, Flag, Span, Verdict
from itsm_core.sla.timeline import Mark
from itsm_core.sla.words import WORDS, Words


class SegmentKind(StrEnum):
    """What a stretch of wall time meant for a clock."""

    RUNNING = "running"
    PAUSED = "paused"
    CLOSED = "closed"
    STOPPED = "stopped"


@attrs.frozen
class Segment:
    """A stretch of wall time, what it meant, why, and the event that began it.

    Take its length from `length`: Python subtracts two datetimes of one zone by the clock on the
    wall, which is an hour off across a change of the clocks.
    """

    start_us: int
    end_us: int
    kind: SegmentKind = attrs.field(kw_only=True)
    reason: str = attrs.field(kw_only=True)
    event: str = attrs.field(kw_only=True)
    zone: str = attrs.field(default="UTC", kw_only=True)

    @property
    def start(self) -> dt.datetime:
        """When it began, in the zone of the calendar."""
        return _local(self.start_us, self.zone)

    @property
    def end(self) -> dt.datetime:
        """When it ended, in the zone of the calendar."""
        return _local(self.end_us, self.zone)

    @property
    def length(self) -> dt.timedelta:
        """The wall time it took."""
        return dt.timedelta(microseconds=self.end_us - self.start_us)


def _local(us: int, zone: str) -> dt.datetime:
    return utc(us).astimezone(zone_of(zone))


# --- from spans to segments -------------------------------------------------------------------


def segments(spans: Iterable[Span], zone: str) -> tuple[Segment, ...]:
    """The segments of a clock's spans, told in a zone: running time is split where its calendar is closed."""
    return tuple(
        Segment(start, end, kind=kind, reason=reason, event=span.mark.event, zone=zone)
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


# --- the explanation --------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Explanation:
    """A clock told in full: what was promised, by which versions, and where the time went.

    `segments` cover the time from the start to the stop, or to the instant asked for, without gap
    or overlap. The lengths of the running ones add up to `elapsed_us`. `budget_us` is None where the
    calendar has no instant for the due rule.
    """

    target: str
    metric: str
    promised: str
    agreement: str | None
    calendar: str
    zone: str
    state: ClockState
    verdict: Verdict
    settled: bool
    at_us: int
    started_us: int | None
    stopped_us: int | None
    stop_reason: str | None
    due_us: int | None
    budget_us: int | None
    elapsed_us: int
    share: Fraction
    segments: tuple[Segment, ...]
    flags: tuple[Flag, ...] = ()

    def totals(self) -> dict[tuple[SegmentKind, str], dt.timedelta]:
        """Wall time by kind and reason, in the order in which they first came."""
        sums: dict[tuple[SegmentKind, str], dt.timedelta] = {}
        for segment in self.segments:
            key = (segment.kind, segment.reason)
            sums[key] = sums.get(key, dt.timedelta()) + segment.length
        return sums

    def text(self, lang: str = "en") -> str:
        """One paragraph in English ("en") or Chinese ("zh")."""
        words = WORDS.get(lang)
        if words is None:
            raise InvalidValue("language", lang, "is not spoken here", f"use one of {sorted(WORDS)}")
        return words.phrases["end"].join(_sentences(self, words)) + words.phrases["end"].rstrip()

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values; instants are ISO 8601 in the zone, durations microseconds."""
        held = attrs.asdict(self, recurse=False)
        for name in ("at", "started", "stopped", "due"):
            us = held.pop(f"{name}_us")
            held[name] = None if us is None else _local(us, self.zone).isoformat()
        held["state"], held["verdict"], held["share"] = self.state.value, self.verdict.value, str(self.share)
        held["flags"] = [
            {"code": one.code, "at": _local(one.us, self.zone).isoformat(), "event": one.event}
            for one in self.flags
        ]
        held["segments"] = [
            {
                "start": s.start.isoformat(),
                "end": s.end.isoformat(),
                "length_us": s.end_us - s.start_us,
                "kind": s.kind.value,
                "reason": s.reason,
                "event": s.event,
            }
            for s in self.segments
        ]
        return held

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        """The paragraph over a table of the segments, for notebooks."""
        rows = "".join(_row(segment) for segment in self.segments)
        head = "".join(f"<th>{name}</th>" for name in ("from", "to", "length", "kind", "reason", "event"))
        return f"<p>{html.escape(self.text())}</p><table><tr>{head}</tr>{rows}</table>"


def _row(segment: Segment) -> str:
    start, end = _minute(segment.start_us, segment.zone), _minute(segment.end_us, segment.zone)
    length = _length(segment.end_us - segment.start_us, WORDS["en"])
    cells = (start, end, length, segment.kind.value, segment.reason, segment.event)
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"


# --- words ------------------------------------------------------------------------------------


def _sentences(told: Explanation, words: Words) -> Iterator[str]:
    head = words.phrases["head"].format(
        target=told.target,
        metric=words.of(told.metric),
        promised=words.duration(told.promised),
        verdict=words.of(told.verdict),
    )
    if told.stopped_us is not None:
        head += words.phrases["settled" if told.settled else "provisional"]
    yield head
    if told.started_us is None:
        yield words.phrases["not_started"].format(when=_minute(told.at_us, told.zone), zone=told.zone)
    else:
        yield words.phrases["and"].join(_instants(told, words))
        yield _use(told, words)
        if told.segments:
            spent = words.phrases["and"].join(_spent(told, words))
            yield spent[0].upper() + spent[1:]
    for flag in told.flags:
        when = _minute(flag.us, told.zone)
        yield words.phrases["flagged"].format(what=words.of(flag.code.removesuffix("_late")), when=when)
    key = "judged" if told.agreement else "judged_by_calendar"
    yield words.phrases[key].format(agreement=told.agreement, calendar=told.calendar)


def _instants(told: Explanation, words: Words) -> Iterator[str]:
    instants = {"started": told.started_us, "due": told.due_us, "stopped": told.stopped_us}
    if told.stopped_us is None:
        instants["asked"] = told.at_us
    reason = words.of(told.stop_reason or "")
    for key, us in instants.items():
        if us is not None:
            yield words.phrases[key].format(when=_minute(us, told.zone), zone=told.zone, reason=reason)
        elif key == "due" and (told.budget_us is None or told.state is not ClockState.PAUSED):
            yield words.phrases["never_due"]


def _use(told: Explanation, words: Words) -> str:
    """What was used of what; shares are rounded down, so 99.995 % never reads as 100."""
    if told.budget_us is None:
        return words.phrases["used_unlimited"].format(elapsed=_length(told.elapsed_us, words))
    used = words.phrases["used"].format(
        elapsed=_length(told.elapsed_us, words),
        budget=_length(told.budget_us, words),
        percent=int(told.share * 100),
    )
    over = told.elapsed_us - told.budget_us
    return used + (words.phrases["over"].format(overrun=_length(over, words)) if over > 0 else "")


def _spent(told: Explanation, words: Words) -> Iterator[str]:
    for (kind, reason), length in told.totals().items():
        us = length // dt.timedelta(microseconds=1)
        yield words.phrases["spent"].format(
            kind=words.of(kind), length=_length(us, words), reason=words.of(reason)
        )


def _minute(us: int, zone: str) -> str:
    """A local time to the minute, or as fine as it is."""
    when = _local(us, zone)
    wall = when.replace(tzinfo=None).isoformat(" ", "minutes" if us % MINUTE == 0 else "auto")
    return wall + when.strftime(" %z")


def _length(us: int, words: Words) -> str:
    """A duration in hours, minutes and seconds, rounded down; never in days, which are ambiguous."""
    if us < SECOND:
        return words.phrases["under"] if us else words.phrases["none"]
    import pendulum  # noqa: PLC0415 - loaded only when words are wanted

    locale = pendulum.locale(words.lang)
    counts = (("hour", us // HOUR), ("minute", us % HOUR // MINUTE), ("second", us % MINUTE // SECOND))
    parts = [locale.translation(f"units.{unit}.{locale.plural(n)}").format(n) for unit, n in counts if n]
    return words.phrases["gap"].join(parts)
