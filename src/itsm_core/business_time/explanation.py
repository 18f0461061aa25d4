"""Why something falls due when it does: windows used, closures skipped, as data, text and HTML."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import attrs

from itsm_core.business_time.closures import closures
from itsm_core.business_time.compiled import Compiled
from itsm_core.business_time.durations import (
    Budget,
    BusinessDays,
    CalendarDays,
    DueRule,
    EndOfBusinessDay,
    measured,
)
from itsm_core.business_time.instants import utc
from itsm_core.business_time.local_hours import LocalHours, Source, date_of
from itsm_core.business_time.offsets import local, segments
from itsm_core.business_time.windows import date_text, printable

_MOST_LINES, _MOST_DAYS = 60, 10


@attrs.frozen
class Line:
    """A stretch of wall time: open and counted, or closed, and why.

    Both ends are in the zone of the calendar; take the length from `length`, for Python subtracts
    two datetimes of one zone by the clock on the wall.
    """

    start: dt.datetime
    end: dt.datetime
    open: bool = attrs.field(kw_only=True)
    reason: str = attrs.field(kw_only=True)

    @property
    def length(self) -> dt.timedelta:
        """The wall time it took."""
        return self.end.astimezone(dt.UTC) - self.start.astimezone(dt.UTC)


@attrs.frozen
class Explanation:
    """How a duration was counted from `start` to `due`, both in the zone of the calendar.

    `days` are the business days counted, for a rule that counts some. `notes` say what a reader
    should know besides: clocks that change, holidays that nobody knows yet. All lines are data; text
    and HTML show the first and the last of many.
    """

    start: dt.datetime
    due: dt.datetime
    duration: str = attrs.field(kw_only=True)
    zone: str = attrs.field(kw_only=True)
    lines: tuple[Line, ...] = attrs.field(kw_only=True, repr=False)
    days: tuple[dt.date, ...] = attrs.field(default=(), kw_only=True)
    notes: tuple[str, ...] = attrs.field(default=(), kw_only=True)

    @property
    def counted(self) -> dt.timedelta:
        """The open time between both ends; for a budget, the budget."""
        return sum((line.length for line in self.lines if line.open), dt.timedelta(0))

    @property
    def headline(self) -> str:
        """What was counted from when, and where it led."""
        return f"{self.duration} from {_day(self.start)} leads to {_day(self.due)} ({self.zone})"

    def as_dict(self) -> dict[str, Any]:
        """The same as plain JSON values; instants are ISO 8601 texts with their offset."""
        return {
            "start": self.start.isoformat(), "due": self.due.isoformat(),
            "duration": self.duration, "zone": self.zone,
            "lines": [
                {"start": line.start.isoformat(), "end": line.end.isoformat(),
                 "open": line.open, "reason": line.reason, "seconds": _seconds(line.length)}
                for line in self.lines
            ],
            "days": [day.isoformat() for day in self.days], "notes": list(self.notes),
        }  # fmt: skip

    @property
    def remarks(self) -> tuple[str, ...]:
        """The business days counted, if any, and the notes."""
        counted = ", ".join(map(date_text, self.days[:_MOST_DAYS]))
        more = f" and {len(self.days) - _MOST_DAYS} more" if len(self.days) > _MOST_DAYS else ""
        return ((f"days: {counted}{more}",) if self.days else ()) + self.notes

    def __str__(self) -> str:
        rows = [
            f"  {_day(line.start)} - {_day(line.end)}  {_length(line):>10}  {printable(line.reason)}"
            for line in self._shown
        ]
        if left := len(self.lines) - len(self._shown):
            rows.insert(_MOST_LINES - 10, f"  ... {left} more lines ...")
        return "\n".join([self.headline, *rows, *(f"  {printable(remark)}" for remark in self.remarks)])

    @property
    def _shown(self) -> tuple[Line, ...]:
        """The lines that are printed: the first and the last of many."""
        few = len(self.lines) <= _MOST_LINES
        return self.lines if few else (*self.lines[: _MOST_LINES - 10], *self.lines[-10:])

    def _repr_html_(self) -> str:
        rows = [
            f"<tr><td>{_day(line.start)}</td><td>{_day(line.end)}</td><td>{_length(line)}</td>"
            f"<td>{html.escape(printable(line.reason))}</td></tr>"
            for line in self._shown
        ]
        if left := len(self.lines) - len(self._shown):
            rows.insert(_MOST_LINES - 10, f"<tr><td colspan='4'>{left} more lines</td></tr>")
        notes = "".join(f"<p>{html.escape(printable(remark))}</p>" for remark in self.remarks)
        head = "<tr><th>from</th><th>to</th><th>counted</th><th>why</th></tr>"
        return f"<table><caption>{html.escape(self.headline)}</caption>{head}{''.join(rows)}</table>{notes}"


def _day(at: dt.datetime) -> str:
    clock = at.strftime("%H:%M") if not (at.second or at.microsecond) else at.time().isoformat()
    return f"{date_text(at)} {clock}"


def _seconds(length: dt.timedelta) -> str:
    whole = length // dt.timedelta(seconds=1)
    return f"{whole}.{length.microseconds:06d}" if length.microseconds else str(whole)


def _length(line: Line) -> str:
    return str(Budget(measured(line.length))) if line.open else ""


# -- making ----------------------------------------------------------------------------------------


def explained(
    source: Source, compiled: Compiled, start: int, duration: dt.timedelta | Budget | DueRule
) -> Explanation:
    """The explanation of what `add` answers, from the same table."""
    if isinstance(duration, dt.timedelta):
        us = measured(duration)
        due = compiled.table.add(start, us)
        said = f"-{Budget(-us)}" if us < 0 else str(Budget(us))
    else:
        due, said = compiled.due(start, duration), str(duration)
    low, high = min(start, due), max(start, due)
    zone = source.zone
    return Explanation(
        utc(start).astimezone(zone), utc(due).astimezone(zone), duration=said, zone=zone.key,
        lines=tuple(_lines(source, compiled, low, high)),
        days=tuple(map(dt.date.fromordinal, _days(compiled, start, duration))),
        notes=tuple(_notes(source, compiled, start, due, duration)),
    )  # fmt: skip


def _lines(source: Source, compiled: Compiled, low: int, high: int) -> Iterator[Line]:
    spans = list(compiled.table.periods(low, high)) if low < high else []
    found = [(start, end, True, _opening(source, compiled, start)) for start, end in spans]
    found += [(c.start, c.end, False, c.name) for c in closures(source, spans, low, high)]
    for start, end, is_open, reason in sorted(found):
        zone = source.zone
        yield Line(utc(start).astimezone(zone), utc(end).astimezone(zone), open=is_open, reason=reason)


def _opening(source: Source, compiled: Compiled, at: int) -> str:
    """What opens the desk: the week, or a shift."""
    shifts = source.schedule.shift_on if isinstance(source, LocalHours) else {}
    return "open by shift" if shifts and compiled.owner(at) in shifts else "open"


def _days(compiled: Compiled, start: int, duration: object) -> list[int]:
    if isinstance(duration, BusinessDays | EndOfBusinessDay) and duration != BusinessDays(0):
        return compiled.days_counted(start, duration.n)
    return []


def _notes(source: Source, compiled: Compiled, start: int, due: int, duration: object) -> Iterator[str]:
    zone, low, high = source.zone, min(start, due), max(start, due)
    if isinstance(duration, CalendarDays):
        yield "calendar days are counted on the wall clock, open or not"
    if (
        isinstance(duration, BusinessDays | EndOfBusinessDay)
        and start != due
        and not compiled.table.is_open(start)
    ):
        opened = compiled.table.next_open(start)
        yield f"counted from the next opening, {_day(utc(opened or start).astimezone(zone))}"
    for before, after in pairwise(segments(zone, low, high + 1)):
        if before.offset != after.offset:
            was, now = utc(after.start + before.offset), utc(after.start).astimezone(zone)
            yield f"the clocks go from {was:%H:%M} to {now:%H:%M} on {date_text(now)}"
    yield from _unknown(source, date_of(local(zone, high)))


def _unknown(source: Source, day: int) -> Iterator[str]:
    """What nobody knows yet of the holidays up to a date."""
    if isinstance(source, LocalHours):
        known = source.schedule.known_until
        if known and known.toordinal() < day:
            told = f" ({', '.join(source.schedule.sources)})" if source.schedule.sources else ""
            yield f"holidays are known until {known}{told}; later ones are not in this calendar"
    for part in source.members:
        yield from _unknown(part, day)
