"""Who is on call from when to when, in the end: the segments of a schedule, its gaps among them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from operator import itemgetter

import attrs

from itsm_core.business_time.instants import like, micros, utc
from itsm_core.oncall.given import Group
from itsm_core.oncall.rotations import Rotation
from itsm_core.oncall.schedules import Assignment, Layer, Override, Roster, Schedule, TemporarySchedule
from itsm_core.values import only


@attrs.frozen
class Segment:
    """A time from `start` up to `end` in which the same people are on call, for the same reasons.

    `sources` says of each of `on_call` what put them there: the name of a layer, "override" or
    "temporary". In a gap both are empty.
    """

    start: dt.datetime
    end: dt.datetime
    on_call: Group = attrs.field(kw_only=True)
    sources: Group = attrs.field(kw_only=True)

    @property
    def gap(self) -> bool:
        """Whether nobody is on call."""
        return not self.on_call


def final(schedule: Schedule | Rotation, start: dt.datetime, end: dt.datetime) -> tuple[Segment, ...]:
    """The segments that together cover [start, end), in the zone of `start`; none where it is empty."""
    return tuple(segments(schedule, start, end))


def gaps(schedule: Schedule | Rotation, start: dt.datetime, end: dt.datetime) -> tuple[Segment, ...]:
    """The segments of [start, end) in which nobody is on call."""
    return tuple(segment for segment in segments(schedule, start, end) if segment.gap)


def segments(schedule: Schedule | Rotation, start: dt.datetime, end: dt.datetime) -> Iterator[Segment]:
    """The same as `final`, one after another."""
    whole = Schedule("rotation", schedule) if isinstance(schedule, Rotation) else schedule
    only(Schedule, whole, "schedule", "give a Schedule or a Rotation")
    low, high = micros(start, "start"), micros(end, "end")
    opened, roster = low, whole.roster(utc(low))
    for at in _changes(whole, low, high):
        after = whole.roster(utc(at))
        if after != roster:
            yield _segment(opened, at, roster, start)
            opened, roster = at, after
    if opened < high:
        yield _segment(opened, high, roster, start)


def _segment(opened: int, closed: int, roster: Roster, model: dt.datetime) -> Segment:
    people, sources = (tuple(duty[i] for duty in roster) for i in (0, 1))
    return Segment(like(opened, model), like(closed, model), on_call=people, sources=sources)


def _changes(schedule: Schedule, low: int, high: int) -> Iterator[int]:
    """The instants within (low, high) at which somebody may come on or go off, in order and once each."""
    edges: list[Iterator[int]] = [iter(sorted(_edges_of_exceptions(schedule)))]
    for layer in schedule.layers:
        edges += _edges_of(layer, low, high)
    return (at for at, _ in groupby(merge(*edges)) if low < at < high)


def _edges_of_exceptions(schedule: Schedule) -> Iterator[int]:
    assigned = (one for temporary in schedule.temporaries for one in temporary.assignments)
    spanned: tuple[Override | TemporarySchedule | Assignment, ...] = (
        *schedule.overrides, *schedule.temporaries, *assigned
    )  # fmt: skip
    for one in spanned:
        yield micros(one.start)
        yield micros(one.end)


def _edges_of(layer: Layer, low: int, high: int) -> Iterator[Iterator[int]]:
    if isinstance(layer.who, Rotation):
        yield (edge for shift in layer.who.shifts_us(low, high) for edge in shift[:2])
    for window in layer.windows:
        # Apart: in the night in which the clock is put back one may begin before the last has ended.
        yield map(itemgetter(0), window.spans(low, high))
        yield map(itemgetter(1), window.spans(low, high))
