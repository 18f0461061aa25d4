"""Why the desk is closed: closed stretches with a reason that a reader understands.

Reasons: "holiday: <name>" or "holiday", "break" (between two windows, or a dated break), "night"
(before the first or after the last window of a date), "weekend", "day off" (a weekday without
hours), "closed by shift", "outside hours" (by day, for a desk that works at night) and "no hours in
force".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from zoneinfo import ZoneInfo

from itsm_core.business_time.compiled import Compiled
from itsm_core.business_time.instants import DAY
from itsm_core.business_time.intervals import Span, difference, intersection
from itsm_core.business_time.offsets import segments
from itsm_core.business_time.schedule import EPOCH_DAY, Schedule, midnight


class Closure(NamedTuple):
    """A closed stretch from `start` to `end` (microseconds) and the reason."""

    start: int
    end: int
    name: str


def closures(compiled: Compiled, schedule: Schedule, a: int, b: int) -> Iterator[Closure]:
    """The closed stretches in [a, b), in order, split where the reason changes."""
    last: Closure | None = None
    for start, end in difference([(a, b)], list(compiled.table.periods(a, b))) if a < b else ():
        for closure in _named(compiled.zone, schedule, start, end):
            if last and last.end == closure.start and last.name == closure.name:
                last = last._replace(end=closure.end)
                continue
            if last:
                yield last
            last = closure
    if last:
        yield last


def _named(zone: ZoneInfo, schedule: Schedule, start: int, end: int) -> Iterator[Closure]:
    """The pieces of one closed stretch, cut at local midnights and where the offset changes."""
    for low, high, offset in segments(zone, start, end):
        at = low
        while at < high:
            day = (at + offset) // DAY + EPOCH_DAY
            until = min(high, midnight(day + 1) - offset)
            for opened, closed, name in _reasons(schedule, day, (at + offset, until + offset)):
                yield Closure(opened - offset, closed - offset, name)
            at = until


def _reasons(schedule: Schedule, day: int, span: Span) -> list[Closure]:
    """The reasons for a closed local span within one date."""
    worked = schedule.before_breaks(day - 2, day)
    broken = intersection([span], worked)
    found = [Closure(*piece, "break") for piece in broken]
    found += [Closure(*piece, _reason(schedule, day, piece)) for piece in difference([span], broken)]
    return sorted(found)


def _reason(schedule: Schedule, day: int, piece: Span) -> str:
    shift = schedule.shift_on.get(day)
    if shift is None and schedule.is_holiday(day):
        return _holiday(schedule, day)
    if any(_within(schedule.before_breaks(d, d), piece) for d in (day, day - 1)):
        return "break"
    if shift is not None:
        return _part_of_day(schedule, day, piece) if shift else "closed by shift"
    week = schedule.week_on(day)
    if not any(week):
        return "no hours in force"
    weekday = (day - 1) % 7
    if week[weekday]:
        return _part_of_day(schedule, day, piece)
    friday_too = weekday == 4 and not week[5] and bool(week[6])
    return "weekend" if weekday > 4 or friday_too else "day off"


def _holiday(schedule: Schedule, day: int) -> str:
    names = [h.name for h in schedule.holidays if h.first.toordinal() <= day <= h.last.toordinal() and h.name]
    return f"holiday: {', '.join(names)}" if names else "holiday"


def _within(windows: list[Span], piece: Span) -> bool:
    """Whether a piece lies between the first and the last window of a date."""
    return bool(windows) and windows[0][0] <= piece[0] and piece[1] <= windows[-1][1]


def _part_of_day(schedule: Schedule, day: int, piece: Span) -> str:
    """Night, before the first or after the last open time of a date; or the day between nights."""
    worked = intersection(schedule.before_breaks(day - 2, day), [(midnight(day), midnight(day + 1))])
    between = bool(worked) and worked[0][0] < piece[0] and piece[1] < worked[-1][1]
    return "outside hours" if between else "night"
