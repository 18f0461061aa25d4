"""When the clocks of a zone change, and which instants a local time means.

Local times are integer microseconds since 1970-01-01 00:00 on the wall clock, so that a local time
and an instant differ by the zone's offset alone. Only the standard `zoneinfo` is asked.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from operator import ne
from typing import NamedTuple
from zoneinfo import ZoneInfo

from itsm_core.business_time.instants import DAY, EPOCH, SECOND, UTC, utc
from itsm_core.business_time.intervals import Span

# The closest two changes of offset in the database of 2026 lie four days apart (Freetown, 1939).
_STEP = dt.timedelta(hours=3)
_STEP_SECONDS = 3 * 3600
_GRID = [dt.timedelta(days=-2) + i * _STEP for i in range(370 * 8)]


class Segment(NamedTuple):
    """A stretch of instants from `start` to `end` in which the zone keeps one `offset`, in µs."""

    start: int
    end: int
    offset: int


def year_start(year: int) -> int:
    """The instant at which a year begins in UTC, in microseconds."""
    return (dt.date(year, 1, 1).toordinal() - 719_163) * DAY


def _seconds(offset: dt.timedelta | None) -> int:
    assert offset is not None  # noqa: S101 - no zone of the database lacks one
    return offset.days * 86_400 + offset.seconds


def _offset(zone: ZoneInfo, second: int) -> int:
    moment = EPOCH + dt.timedelta(seconds=second)
    return _seconds(moment.astimezone(zone).utcoffset())


def _first_change(zone: ZoneInfo, low: int, high: int) -> int:
    """The first second in (low, high] whose offset is not that of `low`."""
    before = _offset(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _changes(zone: ZoneInfo, year: int) -> list[int]:
    """The seconds around a year at which the offset changes.

    Local times are asked every three hours. A local time that was skipped or comes twice still
    shows the offset before the change, hence the larger of both offsets leads back to the instant.
    """
    first = dt.datetime(year, 1, 1)  # noqa: DTZ001 - a local time
    grid = [first + step for step in _GRID]
    offsets = list(map(zone.utcoffset, grid))
    found = []
    for i, changed in enumerate(map(ne, offsets, offsets[1:])):
        if changed:
            larger = max(_seconds(offsets[i]), _seconds(offsets[i + 1]))
            low = _seconds(grid[i].replace(tzinfo=UTC) - EPOCH) - larger
            found.append(_first_change(zone, low, low + _STEP_SECONDS))
    return found


@lru_cache(maxsize=4096)
def _segments_of(zone: ZoneInfo, year: int) -> tuple[Segment, ...]:
    start, end = year_start(year), year_start(year + 1)
    cuts = [start, *(c * SECOND for c in _changes(zone, year) if start < c * SECOND < end), end]
    return tuple(Segment(low, high, _offset(zone, low // SECOND) * SECOND) for low, high in pairwise(cuts))


def segments(zone: ZoneInfo, start: int, end: int) -> list[Segment]:
    """The stretches of one offset that together cover [start, end), clipped to it."""
    out = []
    for year in range(utc(start).year, utc(end - 1).year + 1):
        for low, high, offset in _segments_of(zone, year):
            if low < end and start < high:
                out.append(Segment(max(low, start), min(high, end), offset))
    return out


def local(zone: ZoneInfo, at: int) -> int:
    """What the zone's clock reads at an instant, in local microseconds."""
    return at + segments(zone, at, at + 1)[0].offset


def instant(zone: ZoneInfo, wall: int) -> int:
    """The instant at which the zone's clock reads a local time.

    A skipped local time is the end of the gap; one that comes twice is its first occurrence.
    """
    return next(
        max(start, wall - offset)
        for start, end, offset in segments(zone, wall - DAY, wall + DAY)  # no offset is as long as a day
        if wall < end + offset
    )


def preimage(zone: ZoneInfo, spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """The instants in [start, end) at which the zone's clock reads a time inside the local spans.

    This is the whole rule for daylight saving: windows are taken back to instants stretch by
    stretch, cut where the offset changes. A skipped local time has no instant; one that comes
    twice has two. A period may go on in the next stretch: then two spans touch.
    """
    opens, closes = [span[0] for span in spans], [span[1] for span in spans]
    out: list[Span] = []
    for low, high, offset in segments(zone, start, end):
        i, j = bisect_right(closes, low + offset), bisect_left(opens, high + offset)
        part = [(opened - offset, closed - offset) for opened, closed in spans[i:j]]
        if not part:
            continue
        part[0] = (max(part[0][0], low), part[0][1])
        part[-1] = (part[-1][0], min(part[-1][1], high))
        out += part
    return out
