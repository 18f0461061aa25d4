"""Laws of rotations, held on generated ones against an oracle that walks (`tests/oracles/rota.py`)."""

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from itsm_core.oncall import Rotation
from rota import Rota

pytestmark = pytest.mark.law

# Zones with an instant at which their clocks change: by an hour, half an hour, two hours, 44 minutes 30,
# and by a day; two have none there.
TURNS = [
    ("America/Chicago", "2020-03-08T08:00:00"),
    ("America/Chicago", "2020-11-01T07:00:00"),
    ("Europe/Berlin", "2024-03-31T01:00:00"),
    ("Europe/Berlin", "2024-10-27T01:00:00"),
    ("Australia/Lord_Howe", "2020-10-03T15:30:00"),
    ("Australia/Lord_Howe", "2021-04-03T15:00:00"),
    ("Antarctica/Troll", "2024-03-31T01:00:00"),
    ("Antarctica/Troll", "2024-10-27T01:00:00"),
    ("Africa/Monrovia", "1972-01-07T00:44:30"),
    ("Asia/Beirut", "2026-03-28T22:00:00"),
    ("Africa/Cairo", "2024-04-25T22:00:00"),
    ("Pacific/Apia", "2011-12-30T10:00:00"),
    ("America/Juneau", "1867-10-18T08:57:41"),
    ("Asia/Shanghai", "2024-02-29T00:00:00"),
    ("UTC", "2024-12-31T00:00:00"),
]
PEOPLE = ("ana", "ben", "cy", "dee")
KINDS = ("hourly", "daily", "weekly", "monthly")
REACH = {"hourly": 3, "daily": 40, "weekly": 100, "monthly": 400}
LONGEST = {"hourly": 60, "daily": 24 * 60, "weekly": 7 * 24 * 60, "monthly": 28 * 24 * 60}  # minutes
DAY, US = dt.timedelta(days=1), dt.timedelta(microseconds=1)
MINUTE = dt.timedelta(minutes=1)
# Most of what is tried lies near the change; the day of Apia and Juneau is reached by the rest.
minutes = st.one_of(
    st.integers(-180, 180), st.sampled_from([0, 60, 90, 30, 45, -60]), st.integers(-1500, 1500)
)


def shown(zone, at):
    """What a zone's clock shows at an instant, to the minute."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0, second=0, microsecond=0)


@st.composite
def starts(draw, kind):
    """A zone, a change of its clocks, and a start from which a rotation of a kind comes near it."""
    zone, text = draw(st.sampled_from(TURNS))
    change = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
    days = draw(st.one_of(st.just(0), st.integers(-REACH[kind], REACH[kind])))
    return zone, change, shown(zone, change - US) + draw(minutes) * MINUTE - days * DAY


@st.composite
def plain(draw):
    """A rotation whose turns follow one another, a rota that says the same, and the instant of a change."""
    kind = draw(st.sampled_from(KINDS))
    zone, change, start = draw(starts(kind))
    words = {"shift_length": draw(st.integers(1, 5))}
    if draw(st.booleans()):
        words["blocks"] = "calendar"
    return (*made(kind, start, zone, draw(st.integers(1, 4)), words), change)


@st.composite
def any_kind(draw):
    """Likewise, with days, recurrences, durations and bounds."""
    kind = draw(st.sampled_from(KINDS))
    zone, change, start = draw(starts(kind))
    words = {
        "shift_length": draw(st.integers(1, 3)),
        "blocks": draw(st.sampled_from(["anchored", "calendar"])),
    }
    masked = kind != "hourly" and draw(st.booleans())
    if masked:
        words["days"] = tuple(sorted(draw(st.sets(st.integers(0, 6), min_size=1))))
    if draw(st.booleans()) and not (masked and kind == "daily"):
        words["every"] = words["shift_length"] + draw(st.integers(0, 2))
    if draw(st.booleans()):
        words["duration"] = draw(st.integers(1, 24 * 60 if masked else LONGEST[kind])) * MINUTE
    if draw(st.booleans()):
        words["valid_from"] = shown(zone, change) - DAY + draw(minutes) * MINUTE
    if draw(st.booleans()):
        words["valid_until"] = shown(zone, change) + 2 * DAY + draw(minutes) * MINUTE
    return (*made(kind, start, zone, draw(st.integers(1, 4)), words), change)


def made(kind, start, zone, n, words):
    """The rotation and the rota of the same words."""
    people = PEOPLE[:n]
    return Rotation(kind, start, zone=zone, participants=people, **words), Rota(
        kind, start, zone, people, **words
    )


@st.composite
def moments(draw, change):
    """An instant near a change of the clocks, on a minute, a second or a microsecond beside them."""
    beside = draw(st.sampled_from([-1, 0, 0, 1])) * US
    second = draw(st.sampled_from([0, 0, 0, 29, 30])) * dt.timedelta(seconds=1)
    return change + draw(minutes) * MINUTE + second + beside


@given(any_kind(), st.data())
def test_who_is_on_call_is_whom_a_walk_finds(drawn, data):
    """At any instant the closed form names those whom an oracle finds that walks and watches the clock."""
    rotation, rota, change = drawn
    at = data.draw(moments(change))
    assert rotation.on_call(at) == rota.on_call(at)


@given(any_kind(), st.data())
def test_a_shift_holds_the_instant_and_the_people_at_it(drawn, data):
    """There is a shift iff somebody is on call, and it names them from its first microsecond to its last."""
    rotation, _, change = drawn
    at = data.draw(moments(change))
    shift = rotation.shift_at(at)
    assert (shift is None) == (rotation.on_call(at) == ())
    if shift is not None:
        assert shift.start <= at < shift.end
        assert {rotation.on_call(t) for t in (shift.start, at, shift.end - US)} == {shift.participants}


@given(any_kind(), st.data())
def test_handoffs_strictly_increase_and_begin_shifts(drawn, data):
    """Hand-offs come in order, none twice, all within [start, end), and at each of them a shift begins."""
    rotation, _, change = drawn
    start, end = sorted((data.draw(moments(change)), data.draw(moments(change))))
    handoffs = rotation.handoffs(start, end)
    assert all(one < other for one, other in pairwise(handoffs))
    assert all(start <= at < end for at in handoffs)
    assert all(rotation.shift_at(at).start == at for at in handoffs)


@given(any_kind(), st.data())
def test_shifts_are_those_that_each_of_their_instants_names(drawn, data):
    """The shifts of a span come in order, apart, and between them nobody is on call."""
    rotation, _, change = drawn
    start, end = sorted((data.draw(moments(change)), data.draw(moments(change))))
    shifts = list(rotation.shifts(start, end))
    assert all(shift.start < end and start < shift.end for shift in shifts)
    assert all(one.end <= other.start for one, other in pairwise(shifts))
    assert all(rotation.shift_at(shift.start) == shift for shift in shifts)
    at = data.draw(moments(change))
    assume(start <= at < end)
    assert [s.participants for s in shifts if s.start <= at < s.end] == [
        p for p in [rotation.on_call(at)] if p
    ]


@given(plain(), st.data())
def test_shifts_tile_the_line(drawn, data):
    """Turns that follow one another leave no gap and no overlap, and each hand-off ends the shift before it."""
    rotation, _, change = drawn
    start, end = sorted((data.draw(moments(change)), data.draw(moments(change))))
    assume(start < end)
    shifts = list(rotation.shifts(start, end))
    assert shifts[0].start <= start
    assert shifts[-1].end >= end
    assert all(one.end == other.start for one, other in pairwise(shifts))
    assert rotation.handoffs(start, end) == [s.start for s in shifts if s.start >= start]


@given(plain(), st.data())
def test_a_handoff_is_at_the_configured_time_except_in_a_gap(drawn, data):
    """The clock shows the time of `start` (hourly: its minute), or the end of a gap that swallowed it."""
    rotation, rota, change = drawn
    zone = ZoneInfo(rota.zone)
    for at in rotation.handoffs(data.draw(moments(change)), data.draw(moments(change))):
        now, before = (t.astimezone(zone).replace(tzinfo=None, fold=0) for t in (at, at - US))
        wanted = rota.start.minute if rota.kind == "hourly" else rota.start.time()
        assert (now.minute if rota.kind == "hourly" else now.time()) == wanted or now - before > US


@given(plain(), st.integers(0, 3), st.data())
def test_an_anchor_says_who_and_moves_no_handoff(drawn, index, data):
    """The participant of the anchor is on call at it, and hand-offs are as they were."""
    rotation, rota, change = drawn
    at = data.draw(moments(change))
    index %= len(rota.people)
    words = {"shift_length": rota.shift_length, "blocks": rota.blocks}
    turned = Rotation(
        rota.kind, rota.start, zone=rota.zone, participants=rota.people, anchor=(at, index), **words
    )
    assert turned.on_call(at) == (rota.people[index],)
    assert turned.handoffs(at - DAY, at + DAY) == rotation.handoffs(at - DAY, at + DAY)


years = st.integers(1, 9998)


@given(plain(), years, years)
def test_thousands_of_years_away_there_is_an_answer(drawn, year, other):
    """Every instant that a datetime holds has a shift, and asking for it does not walk there."""
    rotation = drawn[0]
    for at in (dt.datetime(year, 6, 1, 12, tzinfo=dt.UTC), dt.datetime(other, 12, 30, tzinfo=dt.UTC)):
        shift = rotation.shift_at(at)
        assert shift.start <= at < shift.end
        assert shift.participants == rotation.on_call(at)
