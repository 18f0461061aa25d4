"""Where due instants turn: the starts between which every due instant moves steadily or stands still.

From one turning point to the next a due instant follows its start step by step, or does not move at
all. So the difference of two is greatest beside a turning point, and comparing there compares all starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.durations import Budget, Duration, EndOfBusinessDay
from itsm_core.business_time.instants import DAY, MINUTE, micros, utc
from itsm_core.business_time.offsets import segments
from itsm_core.errors import BeyondHorizon, InvalidValue, NeverOpens

Step: TypeAlias = tuple[BusinessCalendar, Duration]
"""A promise: so long, on a calendar."""

MOST_POINTS = 500_000

_TODAY = EndOfBusinessDay(0)


def due(steps: Sequence[Step], start: int) -> int | None:
    """When the last of some promises falls due, each beginning when the one before it does; None: never."""
    at = start
    try:
        for calendar, duration in steps:
            at = calendar.due_us(at, duration)
    except (NeverOpens, BeyondHorizon):
        return None
    return at


def starts(chains: Sequence[Sequence[Step]], a: int, b: int) -> list[int]:
    """The starts in `[a, b)` at which alone the due instants of some chains have to be compared.

    Whole minutes beside them stand among them, as people ask at whole minutes.
    """
    points = {point for steps in chains for point in _points(steps, a, b)}
    near = {point + step for point in points for step in (-1, 0, 1)}
    near |= {minute for point in points for minute in (point - point % MINUTE, point + -point % MINUTE)}
    return sorted(at for at in near | {a, b - 1} if a <= at < b)


def _points(steps: Sequence[Step], a: int, b: int) -> set[int]:
    """The turning points of a chain: its first promise's own, and those that lead to one further on."""
    first, rest = steps[0], steps[1:]
    found = _own(first, a, b)
    reach = _reach(first, a, b)
    if reach is not None:
        last, low, high = reach
        later = _own(first, low, high) | (_points(rest, low, high) if rest else set())
        found |= {last, *(back for at in later for back in _backs(first, at))}
    shifts = _shifts(first[0], a, b)
    twice = {
        at + way * shift for at in found for when, shift in shifts if abs(at - when) < DAY for way in (-1, 1)
    }
    found |= twice
    if len(found) > MOST_POINTS:
        remedy = "look at a shorter span: until=..."
        raise InvalidValue("span", len(found), "has too many turns of calendars to look at each", remedy)
    return found


def _own(step: Step, a: int, b: int) -> set[int]:
    """Where a calendar opens and closes, where its days end, and where the clocks of its zone change."""
    calendar, duration = step
    found = {edge for period in calendar.periods_us(a, b) for edge in period}
    found |= {when for when, _ in _shifts(calendar, a, b)}
    return found if isinstance(duration, Budget) else found | set(_days(calendar, a, b))


def _shifts(calendar: BusinessCalendar, start: int, end: int) -> list[tuple[int, int]]:
    """When the clocks of a zone change, and by how much."""
    rows = segments(calendar.zone, start, end)
    return [(b.start, b.offset - a.offset) for a, b in pairwise(rows) if a.offset != b.offset]


def _days(calendar: BusinessCalendar, a: int, b: int) -> Iterator[int]:
    """The ends of business days, those too at which the desk stays open."""
    at = due([(calendar, _TODAY)], a)
    while at is not None and at < b:
        yield at
        at = due([(calendar, _TODAY)], at)


def _reach(step: Step, a: int, b: int) -> tuple[int, int, int] | None:
    """The last start in `[a, b)` that ever falls due, and from when to when its due instants lie."""
    low = due([step], a)
    if low is None:
        return None
    last = _last(lambda at: due([step], at) is not None, a, b - 1)
    high = due([step], last)
    assert high is not None  # noqa: S101 - the search asked for it
    return last, low - DAY, max(high, low) + DAY


def _last(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The last instant of which something holds that holds first, and then no more."""
    if holds(high):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _backs(step: Step, at: int) -> Iterator[int]:
    """The starts from which a promise falls due at an instant, or beside it."""
    calendar, duration = step
    if isinstance(duration, EndOfBusinessDay):
        return  # between the ends of days it does not move
    for near in (at - 1, at, at + 1):
        try:
            if isinstance(duration, Budget):
                yield calendar.subtract_us(near, duration.us)
            else:
                yield micros(calendar.subtract(utc(near), duration))
        except (NeverOpens, BeyondHorizon):
            continue
