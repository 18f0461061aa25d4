"""Half-open intervals of integer microseconds, and set operations on sorted lists of them.

They stand on their own: what two rosters cover together, or what a list of outages leaves of a
week, needs no calendar.

>>> open_hours, outages = [(9, 12), (13, 17)], union([(11, 14), (13, 15)])
>>> difference(open_hours, outages), intersection(open_hours, outages)
([(9, 11), (15, 17)], [(11, 12), (13, 15)])

`Interval` is a named tuple, not an attrs class, so that the compiled tables can hold plain pairs
and still be read as intervals: a table of ten years has five thousand of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

from itsm_core.business_time.instants import micros, utc

Span: TypeAlias = tuple[int, int]


class Interval(NamedTuple):
    """The instants from `start` up to, but not including, `end`, in microseconds.

    >>> Interval(0, 10) & Interval(5, 20)
    Interval(start=5, end=10)
    >>> 10 in Interval(0, 10)
    False
    """

    start: int
    end: int

    @classmethod
    def of(cls, start: dt.datetime, end: dt.datetime) -> Interval:
        """The interval between two aware datetimes."""
        return cls(micros(start, "start"), micros(end, "end"))

    def datetimes(self, zone: dt.tzinfo = dt.UTC) -> tuple[dt.datetime, dt.datetime]:
        """Both ends as datetimes in a zone."""
        return utc(self.start).astimezone(zone), utc(self.end).astimezone(zone)

    @property
    def length(self) -> int:
        """How long the interval lasts, in microseconds; never negative."""
        return max(0, self.end - self.start)

    def __contains__(self, at: object) -> bool:
        return isinstance(at, int) and self.start <= at < self.end

    def __and__(self, other: Span) -> Interval | None:
        start, end = max(self.start, other[0]), min(self.end, other[1])
        return Interval(start, end) if start < end else None


def union(spans: Iterable[Span]) -> list[Span]:
    """The same instants as sorted, disjoint, non-touching spans; empty ones vanish."""
    merged: list[Span] = []
    last_start, last_end = 0, None
    for start, end in sorted(spans):
        if start >= end:
            continue
        if last_end is None or start > last_end:
            merged.append((start, end))
            last_start, last_end = start, end
        elif end > last_end:
            last_end = end
            merged[-1] = (last_start, end)
    return merged


def intersection(left: Sequence[Span], right: Sequence[Span]) -> list[Span]:
    """The instants in both of two sorted, disjoint lists."""
    common: list[Span] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            common.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return common


def difference(left: Sequence[Span], right: Sequence[Span]) -> list[Span]:
    """The instants in the left but not in the right of two sorted, disjoint lists."""
    rest: list[Span] = []
    j = 0
    for start, end in left:
        while j < len(right) and right[j][1] <= start:
            j += 1
        k, at = j, start
        while k < len(right) and right[k][0] < end:
            if at < right[k][0]:
                rest.append((at, right[k][0]))
            at = max(at, right[k][1])
            k += 1
        if at < end:
            rest.append((at, end))
    return rest
