"""Who is on call in the end, from when to when."""

import datetime as dt
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.errors import InvalidValue
from itsm_core.oncall import (
    Assignment,
    DutyWindow,
    Layer,
    Override,
    Rotation,
    Schedule,
    Segment,
    TemporarySchedule,
    final,
    gaps,
    segments,
)

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = Rotation(
    "weekly", dt.datetime(2026, 1, 5, 9), zone=BERLIN, participants=("ana", "ben"), days="mon-fri"
)


def at(day, hour=0):
    """An instant of January 2026, as Berlin's clock shows it."""
    return dt.datetime(2026, 1, day, hour, tzinfo=BERLIN)


def rows(found):
    """Segments as (start day and hour, end day and hour, people, sources)."""
    return [((s.start.day, s.start.hour), (s.end.day, s.end.hour), s.on_call, s.sources) for s in found]


def test_final_says_who_from_when_to_when_and_why():
    """Layers, an override and a gap over ten days; each segment names its people and what put them there."""
    schedule = Schedule(
        "network",
        [Layer("weeks", WEEK), Layer("saturdays", "cy", windows=DutyWindow("09:00", "18:00", "sat", BERLIN))],
        overrides=[Override(at(13, 8), at(14, 8), add="dee", remove="ben")],
    )
    assert rows(final(schedule, at(9), at(15))) == [
        ((9, 0), (10, 9), ("ana",), ("weeks",)),
        ((10, 9), (10, 18), ("cy",), ("saturdays",)),
        ((10, 18), (12, 9), (), ()),
        ((12, 9), (13, 8), ("ben",), ("weeks",)),
        ((13, 8), (14, 8), ("dee",), ("override",)),
        ((14, 8), (15, 0), ("ben",), ("weeks",)),
    ]
    assert [(s.start, s.end, s.gap) for s in gaps(schedule, at(9), at(15))] == [(at(10, 18), at(12, 9), True)]


def test_neighbours_that_say_the_same_are_one():
    """A hand-off from Ana to Ana, or the end of an override that changed nothing, parts no segment."""
    alone = Rotation("daily", dt.datetime(2026, 1, 5, 9), zone=BERLIN, participants="ana")
    schedule = Schedule("network", alone, overrides=[Override(at(6), at(7), add="cy", remove="nobody")])
    assert rows(final(schedule, at(5), at(9))) == [((5, 0), (9, 0), ("ana",), ("rotation",))]


def test_a_temporary_schedule_shows_its_holes():
    """Where it has nobody there is a gap, before and after its assignments too."""
    temporary = TemporarySchedule(at(13), at(14), assignments=[Assignment("cy", at(13, 6), at(13, 12))])
    schedule = Schedule("network", WEEK, temporaries=[temporary])
    assert [s.on_call for s in final(schedule, at(12, 12), at(15))] == [("ben",), (), ("cy",), (), ("ben",)]


def test_a_rotation_alone_will_do():
    """A rotation without a schedule has segments of its own."""
    assert rows(final(WEEK, at(12, 9), at(17, 9))) == [((12, 9), (17, 9), ("ben",), ("rotation",))]


def test_an_empty_span_has_no_segments():
    """Also one that is turned round."""
    assert final(WEEK, at(12), at(12)) == final(WEEK, at(12), at(11)) == ()


@pytest.mark.parametrize("value", ["network", None, [WEEK]])
def test_what_is_no_schedule_is_refused(value):
    """A name, nothing, and a list are refused with what to give."""
    for ask in (final, gaps):
        with pytest.raises(InvalidValue, match="give a Schedule or a Rotation"):
            ask(value, at(5), at(6))


def test_a_segment_is_a_value():
    """Equal words make equal segments, and only its ends are told by their place."""
    (segment,) = final(WEEK, at(12, 9), at(13))
    assert segment == Segment(at(12, 9), at(13), on_call=("ben",), sources=("rotation",))
    with pytest.raises(TypeError):
        Segment(at(12, 9), at(13), ("ben",), ("rotation",))


def test_ends_are_in_the_zone_of_the_start():
    """Asked in UTC, it answers in UTC."""
    found = final(WEEK, at(5).astimezone(dt.UTC), at(9))
    assert {s.start.tzinfo for s in found} | {s.end.tzinfo for s in found} == {dt.UTC}


def test_segments_come_one_after_another():
    """Eight thousand years of hours can be begun and left."""
    hourly = Rotation("hourly", dt.datetime(2026, 1, 5), zone="UTC", participants=("ana", "ben"))
    start = dt.datetime(1000, 1, 1, tzinfo=dt.UTC)
    found = list(islice(segments(hourly, start, start.replace(year=9000)), 3))
    assert [s.end - s.start for s in found] == [dt.timedelta(hours=1)] * 3


NAMES = ("ana", "ben", "cy")
DAY = dt.timedelta(days=1)
AUTUMN = dt.datetime(2026, 10, 25, 1, tzinfo=dt.UTC)  # Berlin's clock is put back
hours = st.integers(-60, 60).map(lambda n: AUTUMN + dt.timedelta(minutes=30 * n))
spans = st.tuples(hours, hours).filter(lambda pair: pair[0] != pair[1]).map(sorted)
clocks = st.integers(0, 47).map(lambda n: f"{n // 2:02d}:{n % 2 * 30:02d}")
windows = st.builds(
    DutyWindow, clocks, clocks, st.sets(st.integers(0, 6), min_size=1), st.just("Europe/Berlin")
)
rotations = st.builds(
    lambda kind, hour, length, days, people: Rotation(
        kind, dt.datetime(2026, 10, 23, hour, 30), zone="Europe/Berlin", shift_length=length, participants=people,
        days=() if kind == "hourly" else days,
    ),
    st.sampled_from(["hourly", "daily", "weekly"]), st.integers(0, 23), st.integers(1, 8),
    st.sets(st.integers(0, 6)), st.lists(st.sampled_from(NAMES), min_size=1, max_size=3),
)  # fmt: skip
overrides = st.one_of(
    st.builds(lambda span, name: Override(*span, add=name), spans, st.sampled_from(NAMES)),
    st.builds(lambda span, name: Override(*span, remove=name), spans, st.sampled_from(NAMES)),
    st.builds(
        lambda span, names: Override(*span, add=names[0], remove=names[1]), spans, st.permutations(NAMES)
    ),
)
temporaries = st.builds(
    lambda span, name: TemporarySchedule(*span, assignments=[Assignment(name, span[0], span[0] + (span[1] - span[0]) / 2)]),
    spans, st.sampled_from(NAMES),
)  # fmt: skip


@st.composite
def schedules(draw):
    """Up to three layers with windows, overrides and temporary schedules, over three days in autumn."""
    layers = [
        Layer(f"layer {n}", who, level=draw(st.integers(0, 1)), windows=draw(st.lists(windows, max_size=1)))
        for n, who in enumerate(
            draw(st.lists(st.one_of(rotations, st.sampled_from(NAMES)), min_size=1, max_size=3))
        )
    ]
    return Schedule(
        "network", layers,
        overrides=draw(st.lists(overrides, max_size=3)), temporaries=draw(st.lists(temporaries, max_size=2)),
        mode=draw(st.sampled_from(["highest", "union", "single"])),
    )  # fmt: skip


@pytest.mark.law
@given(schedules(), spans)
def test_segments_tile_the_span_and_say_what_the_schedule_says(schedule, span):
    """Segments cover [start, end) without gap or overlap, differ from their neighbours, and agree at each half hour."""
    start, end = span
    found = final(schedule, start, end)
    assert found[0].start == start
    assert found[-1].end == end
    assert all(one.end == other.start for one, other in pairwise(found))
    assert all((one.on_call, one.sources) != (other.on_call, other.sources) for one, other in pairwise(found))
    assert all(len(s.on_call) == len(s.sources) and s.start < s.end for s in found)
    us = dt.timedelta(microseconds=1)
    for segment in found:
        moment = segment.start
        while moment < segment.end:
            assert schedule.on_call(moment) == segment.on_call
            moment += dt.timedelta(minutes=30)
        assert schedule.on_call(segment.end - us) == segment.on_call
    assert gaps(schedule, start, end) == tuple(s for s in found if s.gap)
