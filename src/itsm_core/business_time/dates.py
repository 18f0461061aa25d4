"""Local dates in real time: how long each is, what its clock reads, when the desk is open on it.

A local date is the instants at which the zone's clock reads it. So it may have 23, 24.5 or 25
hours, or none (Samoa's 30 December 2011). Where clocks go back over midnight the earlier date comes
in two stretches, and the later one as well (St John's, 7 November 2010: one minute, then the 6th
once more): they are put one after the other, and every instant belongs to one date.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

import attrs

from itsm_core.business_time.algebra import Restricted
from itsm_core.business_time.closures import label_of
from itsm_core.business_time.compiled import Compiled
from itsm_core.business_time.durations import Budget
from itsm_core.business_time.instants import DAY, HOUR
from itsm_core.business_time.intervals import Span, union
from itsm_core.business_time.local_hours import LocalHours, Source
from itsm_core.business_time.offsets import Segment, local, segments
from itsm_core.business_time.schedule import midnight
from itsm_core.business_time.windows import clock_text


class Tick(NamedTuple):
    """What the clock reads (µs after midnight) at a place of a date."""

    place: int
    clock: int


class Turn(NamedTuple):
    """A change of the clocks `by` so many µs, at a place of a date whose length it alters."""

    place: int
    by: int


@attrs.frozen
class DayPicture:
    """One local date: how long it is, what its clock reads, and when the desk is open.

    Places and lengths are microseconds of the date's own time, counted from its start, gaps between
    its `stretches` (instants) left out. `open` holds places, split where the stretches are;
    `windows` what the clock reads at each opening and closing.
    """

    date: dt.date
    stretches: tuple[Span, ...]
    open: tuple[Span, ...] = attrs.field(kw_only=True)
    windows: tuple[str, ...] = attrs.field(kw_only=True)
    ticks: tuple[Tick, ...] = attrs.field(kw_only=True)
    turns: tuple[Turn, ...] = attrs.field(kw_only=True)
    labels: tuple[str, ...] = attrs.field(kw_only=True)
    business_day: bool = attrs.field(kw_only=True)

    @property
    def length(self) -> int:
        """How long the date is: usually, but not always, 24 hours."""
        return sum(end - start for start, end in self.stretches)

    @property
    def open_time(self) -> int:
        """How long the desk is open on it."""
        return sum(end - start for start, end in self.open)


def days(source: Source, compiled: Compiled, first: dt.date, count: int) -> list[DayPicture]:
    """The pictures of `count` dates of a source's zone, from the first on."""
    return [_day(source, compiled, day) for day in range(first.toordinal(), first.toordinal() + count)]


def _day(source: Source, compiled: Compiled, day: int) -> DayPicture:
    zone, low, high = source.zone, midnight(day), midnight(day + 1)
    near = _steady(segments(zone, low - 2 * DAY, high + 2 * DAY))
    pieces = [Segment(max(s.start, low - s.offset), min(s.end, high - s.offset), s.offset) for s in near]
    pieces = [piece for piece in pieces if piece.start < piece.end]
    stretches = union((piece.start, piece.end) for piece in pieces)
    # Not from the table: a picture of another century must not make it grow.
    spans = [span for start, end in stretches for span in union(source.spans(start, end))]
    turns = tuple(_turns(near, pieces, low, high))
    return DayPicture(
        dt.date.fromordinal(day), tuple(stretches),
        open=tuple((_place(pieces, start), _place(pieces, end)) for start, end in spans),
        windows=tuple(
            f"{clock_text(local(zone, start) - low)}-{clock_text(local(zone, end - 1) + 1 - low)}"
            for start, end in spans
        ),
        ticks=tuple(_ticks(pieces, low)), turns=turns,
        labels=tuple(dict.fromkeys((*_labels(source, day), *_of_clocks(turns, bool(stretches))))),
        business_day=bool(compiled.owned(day)),
    )  # fmt: skip


def _steady(found: Iterable[Segment]) -> list[Segment]:
    """Segments between real changes of the offset; the year's end is none."""
    groups = (list(group) for _, group in groupby(found, key=lambda segment: segment.offset))
    return [Segment(group[0].start, group[-1].end, group[0].offset) for group in groups]


def _place(pieces: Iterable[Segment], at: int) -> int:
    return sum(min(at, piece.end) - piece.start for piece in pieces if piece.start < at)


def _turns(near: Sequence[Segment], pieces: Sequence[Segment], low: int, high: int) -> Iterator[Turn]:
    """The changes that skip or repeat local times of the date."""
    for before, after in pairwise(near):
        walls = sorted((after.start + before.offset, after.start + after.offset))
        if walls[0] < high and low < walls[1]:
            yield Turn(_place(pieces, after.start), after.offset - before.offset)


def _ticks(pieces: Sequence[Segment], low: int) -> Iterator[Tick]:
    """Each full hour that the clock reads, what it reads first after a change, and 24:00."""
    for piece in pieces:
        place, clock = _place(pieces, piece.start), piece.start + piece.offset - low
        after = piece.end + piece.offset - low + (piece is pieces[-1])
        if clock % HOUR:
            yield Tick(place, clock)
        for hour in range(-(-clock // HOUR) * HOUR, after, HOUR):
            yield Tick(place + hour - clock, hour)


def _of_clocks(turns: Iterable[Turn], exists: bool) -> Iterator[str]:
    if not exists:
        yield "no such date"
    yield from (f"clocks {'+' if turn.by > 0 else '-'}{Budget(abs(turn.by))}" for turn in turns)


def _labels(source: Source, day: int) -> Iterator[str]:
    """What the dated rules say of a date; in a combination with the name of the calendar."""
    if isinstance(source, LocalHours):
        schedule = source.schedule
        yield from (holiday.name or "holiday" for holiday in schedule.holidays_on(day))
        if day in schedule.shift_on:
            yield "shift" if schedule.shift_on[day] else "closed by shift"
        if schedule.break_on.get(day):
            yield "break"
    elif isinstance(source, Restricted):
        yield from _labels(source.base, day)
        yield from (f"{label_of(part)}: {label}" for part in source.within for label in _labels(part, day))
    else:
        yield from (f"{label_of(part)}: {label}" for part in source.members for label in _labels(part, day))
