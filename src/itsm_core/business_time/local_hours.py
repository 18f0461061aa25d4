"""`Source`, what the table and the business days are made from; and a schedule read in its zone.

A source tells in instants when a desk is open, and to which local date its windows belong. There
are three: a schedule in its zone, here, and the two kinds of combination in `algebra`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

import attrs

from itsm_core.business_time.instants import DAY
from itsm_core.business_time.intervals import Span, union
from itsm_core.business_time.offsets import preimage, segments, year_start
from itsm_core.business_time.schedule import EPOCH_DAY, Schedule, midnight

WEEK = 7 * DAY


class Pattern(NamedTuple):
    """The open time of a week that repeats, in µs after a Monday 00:00 UTC: at least and at most."""

    least: list[Span]
    most: list[Span]


class Source(Protocol):
    """When a desk is open. Dates are ordinals in `zone`, instants and lengths microseconds.

    Sources with one `key` are open at the same instants and have the same business days.
    """

    @property
    def zone(self) -> ZoneInfo:
        """The zone whose dates count as business days."""

    @property
    def name(self) -> str | None:
        """What explanations call it; it decides nothing."""

    @property
    def key(self) -> str:
        """SHA-256 (hex) of the normalised rules, without any names."""

    @property
    def members(self) -> tuple[Source, ...]:
        """The sources that it combines; none for a schedule."""

    @property
    def depth(self) -> int:
        """How deep combinations are nested in it; 0 for a schedule."""

    def spans(self, start: int, end: int) -> list[Span]:
        """The open periods between two instants, sorted and disjoint; two of them may touch."""

    def pieces(self, day: int) -> list[Span]:
        """The open periods of the windows that start on a date."""

    def plain_day(self, day: int) -> bool | None:
        """Whether a date is a business day, where the rules alone tell; else None."""

    def pattern(self, offsets: Mapping[ZoneInfo, int], at: int, *, after: bool) -> Pattern:
        """The week that repeats from an instant on (or up to it), under offsets from UTC."""


def date_of(wall: int) -> int:
    """The ordinal of the date on which a local time lies."""
    return wall // DAY + EPOCH_DAY


@lru_cache(maxsize=4096)
def _doubtful(zone: ZoneInfo, year: int) -> frozenset[int]:
    """The dates near the changes of a zone's clocks in a year and those beside it."""
    around = segments(zone, year_start(year - 1), year_start(year + 2))
    marks = [date_of(b.start + a.offset) for a, b in pairwise(around) if a.offset != b.offset]
    return frozenset(mark + k for mark in marks for k in range(-2, 3))


@attrs.frozen(eq=False)
class LocalHours:
    """A schedule read on the clock of a zone; `name` is for explanations only."""

    zone: ZoneInfo
    schedule: Schedule
    name: str | None = attrs.field(default=None, kw_only=True)

    @cached_property
    def key(self) -> str:
        """SHA-256 (hex) of the normalised rules and the zone, as JSON."""
        schedule = Schedule() if self.schedule.is_empty else self.schedule
        rules = {"zone": self.zone.key, **schedule.rules()}
        text = json.dumps(rules, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def members(self) -> tuple[Source, ...]:
        """None: it combines nothing."""
        return ()

    @property
    def depth(self) -> int:
        """It nests nothing."""
        return 0

    def _settled(self, at: int, *, after: bool) -> bool:
        first, last = self.schedule.settled
        return at >= midnight(last) if after else at <= midnight(first)

    def spans(self, start: int, end: int) -> list[Span]:
        """The open periods in [start, end): what windows of the dates around reach into it."""
        # A window reaches at most two days from its date, and a local date is a day off at most.
        windows = self.schedule.open_time(date_of(start) - 3, date_of(end) + 1)
        return preimage(self.zone, windows, start, end)

    def pieces(self, day: int) -> list[Span]:
        """The open periods of the windows that start on a date."""
        windows = self.schedule.open_time(day, day)
        # United, for a window that the change of a clock cuts in two is one window still.
        return union(preimage(self.zone, windows, midnight(day - 1), midnight(day + 4))) if windows else []

    def plain_day(self, day: int) -> bool | None:
        """Whether windows start on a date and reach beyond those of the date before.

        None near breaks and changes of the clocks, where windows may hold no open instant.
        """
        if not self.schedule.break_on.keys().isdisjoint(range(day - 2, day + 3)):
            return None
        if day in _doubtful(self.zone, dt.date.fromordinal(day).year):
            return None
        windows, before = self.schedule.windows_on(day), self.schedule.windows_on(day - 1)
        return bool(windows) and (not before or windows[-1][1] > before[-1][1] - DAY)

    def pattern(self, offsets: Mapping[ZoneInfo, int], at: int, *, after: bool) -> Pattern:
        """The week in force; yearly holidays may take all of it, dated rules may say anything."""
        if not self._settled(at, after=after):
            return Pattern([], [(0, WEEK)])
        if self.schedule.closed_after if after else self.schedule.closed_before:
            return Pattern([], [])
        week = self.schedule.eras[-1 if after else 0].week
        spans = [
            (start + day * DAY - offsets[self.zone], end + day * DAY - offsets[self.zone])
            for day in range(7)
            for start, end in week[day]
        ]
        most = circular(spans)
        kept = not any((h.until if after else h.since) is None for h in self.schedule.yearly)
        return Pattern(most if kept else [], most)


def circular(spans: list[Span]) -> list[Span]:
    """Spans of a line laid on one week that repeats."""
    laid = []
    for start, end in spans:
        low = start % WEEK
        laid += [(low, min(low + end - start, WEEK)), (0, min(low + end - start - WEEK, WEEK))]
    return union(laid)


def leaves(source: Source) -> Iterator[LocalHours]:
    """The schedules that a source is made of."""
    if isinstance(source, LocalHours):
        yield source
    for member in source.members:
        yield from leaves(member)


def for_ever(source: Source, at: int, *, after: bool) -> bool | None:
    """Whether it is always open (True) or always closed (False) from an instant on, or up to it.

    None where it is neither, or where dated rules are still to come. Pointwise, what weeks come to
    depends on the offsets of their zones alone.
    """
    combinations = _together({leaf.zone for leaf in leaves(source)}, at, after=after)
    patterns = [source.pattern(offsets, at, after=after) for offsets in combinations]
    if not any(pattern.most for pattern in patterns):
        return False
    return True if all(pattern.least == [(0, WEEK)] for pattern in patterns) else None


def _together(zones: set[ZoneInfo], at: int, *, after: bool) -> list[dict[ZoneInfo, int]]:
    """The offsets that the zones have at one time, each combination once.

    Looked at is the time between an instant and the year 2100 (or 1900): rules for the clocks
    repeat, and in 28 years the calendar shows all its years. One zone alone is always in step.
    """
    if len(zones) == 1:
        return [dict.fromkeys(zones, 0)]
    first, last, margin = year_start(1900), year_start(2300), 29 * 366 * DAY
    at = min(max(at, first + margin), last - margin)
    low, high = (at, max(at + margin, year_start(2100))) if after else (first, at)
    ordered = tuple(zones)
    columns = [segments(zone, low, high) for zone in ordered]
    rows = {
        tuple(column[bisect_right(column, cut, key=lambda s: s.start) - 1].offset for column in columns)
        for cut in {segment.start for column in columns for segment in column}
    }
    return [dict(zip(ordered, row, strict=True)) for row in rows]
