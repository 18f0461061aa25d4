"""Times on a wall clock and the instants at which it shows them, in integer microseconds.

`first(zone, wall)` is the instant from which on the clock has shown a time: a time that is skipped is
the end of the gap, one that comes twice its first occurrence. `last(zone, wall)` is the same, but for
one that comes twice: its second occurrence.

`reached` and `passed` look the other way: the latest time that the clock has shown by an instant, and
the latest that it will not show again. They differ from what it shows only where it is put back.
So `first(wall) <= at` iff `wall <= reached(at)`, `last(wall) <= at` iff `wall <= passed(at)`, and nothing is
searched.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from itsm_core.business_time.instants import DAY, EARLIEST, LATEST, SECOND, micros, utc

WALL_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - a time on a wall
LOW, HIGH = micros(EARLIEST), micros(LATEST)
_FIRST, _LAST = LOW - DAY, HIGH + DAY - 1  # what a clock may show at these instants
_US = dt.timedelta(microseconds=1)


def wall_us(at: dt.datetime) -> int:
    """What a naive datetime shows, in microseconds since 1970-01-01 00:00 on the wall."""
    return (at - WALL_EPOCH) // _US


def instant_of(zone: ZoneInfo, moment: dt.datetime) -> int:
    """The instant of a datetime: its own, or for a naive one the first at which the clock has shown it."""
    return first(zone, wall_us(moment)) if moment.tzinfo is None else micros(moment)


def first(zone: ZoneInfo, wall: int) -> int:
    """The instant from which on the clock has shown a time, or the nearest that there is."""
    if not _FIRST <= wall <= _LAST:
        return LOW if wall < _FIRST else HIGH
    early, late = _offsets((WALL_EPOCH + dt.timedelta(0, 0, wall)).replace(tzinfo=zone))
    if early < late:
        return _change(zone, wall, early, late)
    return min(max(wall - early, LOW), HIGH)


def last(zone: ZoneInfo, wall: int) -> int:
    """The instant at which the clock shows a time for the last time; of a skipped one, the gap's end."""
    if not _FIRST <= wall <= _LAST:
        return LOW if wall < _FIRST else HIGH
    early, late = _offsets((WALL_EPOCH + dt.timedelta(0, 0, wall)).replace(tzinfo=zone))
    return first(zone, wall) if early <= late else min(max(wall - late, LOW), HIGH)


def reached(zone: ZoneInfo, at: int) -> int:
    """The latest time that the clock has shown by an instant."""
    shown = utc(at).astimezone(zone)
    if not shown.fold:
        return at + _offset(shown)
    early, late = _offsets(shown)
    return _change(zone, at + late, early, late) + early - 1


def passed(zone: ZoneInfo, at: int) -> int:
    """The latest time that the clock has shown by an instant and does not show again."""
    shown = utc(at).astimezone(zone)
    early, late = _offsets(shown)
    if shown.fold or early == late:
        return at + late
    return _change(zone, at + early, early, late) + late - 1


def _offset(shown: dt.datetime) -> int:
    offset = shown.utcoffset()
    assert offset is not None  # noqa: S101 - no zone of the database lacks one
    return offset // _US


def _offsets(shown: dt.datetime) -> tuple[int, int]:
    """The offsets before and after the change that a time falls into; equal where it falls into none."""
    return _offset(shown.replace(fold=0)), _offset(shown.replace(fold=1))


def _change(zone: ZoneInfo, wall: int, early: int, late: int) -> int:
    """The instant of the change that a skipped or repeated time falls into."""
    low, high = (wall - max(early, late)) // SECOND, -((min(early, late) - wall) // SECOND)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(utc(middle * SECOND).astimezone(zone)) == early:
            low = middle
        else:
            high = middle
    return high * SECOND
