"""Why the desk is closed: closed stretches with a reason that a reader understands.

Reasons: "holiday: <name>" or "holiday", "break" (between two windows, or a dated break), "night"
(before the first or after the last window of a date), "weekend", "day off" (a weekday without
hours), "closed by shift", "outside hours" (by day, for a desk that works at night) and "no hours in
force". A restricted calendar gives its own reasons, then those of what restricts it: "Tokyo:
weekend", or "taken by Tokyo" where a calendar was subtracted. United ones give the weightiest
reason of those in the zone that counts the days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from itsm_core.business_time.algebra import Restricted, United
from itsm_core.business_time.intervals import Span, difference, intersection, union
from itsm_core.business_time.local_hours import LocalHours, Source, date_of
from itsm_core.business_time.offsets import segments
from itsm_core.business_time.schedule import Schedule, midnight

# Of calendars united: who works on a date says more of it than who does not.
_WEIGHTS = ("holiday", "closed by shift", "break", "night", "outside hours", "weekend", "day off")


class Closure(NamedTuple):
    """A closed stretch from `start` to `end` (microseconds) and the reason."""

    start: int
    end: int
    name: str


def closures(source: Source, open_periods: Iterable[Span], a: int, b: int) -> Iterator[Closure]:
    """The closed stretches in [a, b), in order, split where the reason changes."""
    last: Closure | None = None
    for start, end in difference([(a, b)], list(open_periods)) if a < b else ():
        for closure in _named(source, start, end):
            if last and last.end == closure.start and last.name == closure.name:
                last = last._replace(end=closure.end)
                continue
            if last:
                yield last
            last = closure
    if last:
        yield last


def _named(source: Source, start: int, end: int) -> Iterable[Closure]:
    """The pieces of one stretch in which a source is closed, in order."""
    if isinstance(source, United):
        return _weightiest(source, start, end)
    if isinstance(source, Restricted):
        return sorted(_restricted(source, start, end))
    assert isinstance(source, LocalHours)  # noqa: S101 - there are three kinds
    return _of_schedule(source.zone, source.schedule, start, end)


def _restricted(source: Restricted, start: int, end: int) -> Iterator[Closure]:
    """The reasons of the base while it is closed, else those of the first that restricts it."""
    rest = [(start, end)]
    for part in (source.base, *source.within):
        shut = difference(rest, part.spans(start, end))
        prefix = "" if part is source.base else f"{label_of(part)}: "
        for low, high in shut:
            yield from (c._replace(name=prefix + c.name) for c in _named(part, low, high))
        rest = difference(rest, shut)
    for part in source.without:
        taken = intersection(rest, part.spans(start, end))
        yield from (Closure(low, high, f"taken by {label_of(part)}") for low, high in taken)
        rest = difference(rest, taken)


def _weightiest(source: United, start: int, end: int) -> Iterator[Closure]:
    """The reasons of the calendars in the zone that counts the days, the weightiest at each instant.

    All are closed. A holiday says more than a night; for reasons of one weight any order would do,
    and which calendar stood on the left is not kept where the zone is the same.
    """
    own = [member for member in source.members if member.zone == source.zone] or source.members[:1]
    found = [closure for member in own for closure in _named(member, start, end)]
    cuts = sorted({start, end, *(c.start for c in found), *(c.end for c in found)})
    for low, high in pairwise(cuts):
        names = sorted(c.name for c in found if c.start <= low < c.end)
        yield Closure(low, high, min(names, key=_weight))


def _weight(name: str) -> int:
    return next((i for i, start in enumerate(_WEIGHTS) if name.startswith(start)), len(_WEIGHTS))


def label_of(source: Source) -> str:
    """What explanations call a member of a combination: its name, or its zone."""
    return source.name or source.zone.key


# -- a schedule in its zone ------------------------------------------------------------------------


def _of_schedule(zone: ZoneInfo, schedule: Schedule, start: int, end: int) -> Iterator[Closure]:
    """The pieces of one closed stretch, cut at local midnights and where the offset changes."""
    for low, high, offset in segments(zone, start, end):
        at = low
        while at < high:
            day = date_of(at + offset)
            until = min(high, midnight(day + 1) - offset)
            for opened, closed, name in _reasons(schedule, day, (at + offset, until + offset)):
                yield Closure(opened - offset, closed - offset, name)
            at = until


def _reasons(schedule: Schedule, day: int, span: Span) -> list[Closure]:
    """The reasons for a closed local span within one date."""
    broken = intersection([span], schedule.before_breaks(day - 2, day))
    found = [Closure(*piece, "break") for piece in broken]
    rest = difference([span], broken)
    for started in (day - 1, day):
        taken = intersection(rest, _taken(schedule, started))
        found += [Closure(*piece, _holiday(schedule, started)) for piece in taken]
        rest = difference(rest, taken)
    found += [Closure(*piece, _reason(schedule, day, piece)) for piece in rest]
    return sorted(found)


def _taken(schedule: Schedule, day: int) -> list[Span]:
    """What holidays for a part of the day take of the weekly windows that start on a date."""
    if day in schedule.shift_on or schedule.is_holiday(day):
        return []
    taken = intersection(schedule.week_on(day)[(day - 1) % 7], schedule.closed_on(day))
    return [(midnight(day) + start, midnight(day) + end) for start, end in taken]


def _reason(schedule: Schedule, day: int, piece: Span) -> str:
    shift = schedule.shift_on.get(day)
    if shift is None and schedule.is_holiday(day):
        return _holiday(schedule, day)
    if any(_within(_usual(schedule, d), piece) for d in (day, day - 1)):
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
    names = [holiday.name for holiday in schedule.holidays_on(day) if holiday.name]
    return f"holiday: {', '.join(names)}" if names else "holiday"


def _usual(schedule: Schedule, day: int) -> list[Span]:
    """The windows that start on a date, with what holidays for a part of the day take of them."""
    return union((*schedule.before_breaks(day, day), *_taken(schedule, day)))


def _within(windows: list[Span], piece: Span) -> bool:
    """Whether a piece lies between the first and the last window of a date."""
    return bool(windows) and windows[0][0] <= piece[0] and piece[1] <= windows[-1][1]


def _part_of_day(schedule: Schedule, day: int, piece: Span) -> str:
    """Night, before the first or after the last open time of a date; or the day between nights."""
    worked = intersection(schedule.before_breaks(day - 2, day), [(midnight(day), midnight(day + 1))])
    between = bool(worked) and worked[0][0] < piece[0] and piece[1] < worked[-1][1]
    return "outside hours" if between else "night"
