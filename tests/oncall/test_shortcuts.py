"""The turn of a rotation in few steps."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from itsm_core.business_time import hours
from itsm_core.business_time.instants import DAY, HOUR, MINUTE
from itsm_core.oncall import Rotation
from itsm_core.oncall.lattices import Days, Months, Steps, Turns, Weekdays
from itsm_core.oncall.shortcuts import (
    ActiveDays,
    ActiveWeeks,
    EqualTurns,
    MonthlyTurns,
    SpacedTurns,
    shortcut,
)
from itsm_core.oncall.walls import wall_us

BERLIN = ZoneInfo("Europe/Berlin")
START = dt.datetime(2026, 1, 5, 9)
US = dt.timedelta(microseconds=1)
walls = st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30))
near = st.integers(-40 * 24 * 60, 40 * 24 * 60).map(lambda n: START + n * dt.timedelta(minutes=1))
times = st.one_of(walls, near, near.map(lambda at: at - US))
starts = st.one_of(st.just(START), walls, st.just(START + 3 * US)).map(wall_us)
counts = st.tuples(st.integers(1, 4), st.integers(0, 3))
lengths = st.one_of(st.none(), st.integers(1, 60).map(lambda n: n * MINUTE))
turns = st.builds(
    lambda start, step, count, duration: Turns(Steps(start, step), sum(count), count[0], duration),
    starts, st.sampled_from([HOUR, DAY, 7 * DAY]), counts, lengths,
)  # fmt: skip
months = st.builds(
    lambda start, pitch: Turns(Months.of(start), pitch, pitch, None), starts, st.integers(1, 14)
)


def _days(start, days, count, duration, weekly):
    blocks = Steps(start, 7 * DAY) if weekly else None
    weekdays = Weekdays(tuple(sorted(days)))
    time, origin = start % DAY, start // DAY
    return Days(weekdays, time, duration, count[0], sum(count) if weekly else count[0], blocks, origin)


days = st.builds(_days, starts, st.sets(st.integers(0, 6), min_size=1), counts, lengths, st.booleans())


@pytest.mark.law
@given(st.one_of(turns, months, days), times)
@example(Turns(Months.of(wall_us(START)), 1, 1, None), START)
@example(Turns(Months.of(wall_us(START)), 1, 1, None), START - US)
@example(Turns(Months.of(wall_us(START)), 1, 1, None), START + dt.timedelta(days=1, hours=-3))
@example(Turns(Steps(wall_us(START), DAY), 2, 1, None), START + dt.timedelta(days=3) - US)
@example(Turns(Steps(wall_us(START), DAY), 2, 1, None), START + dt.timedelta(days=399))
@example(Turns(Steps(wall_us(START), DAY), 2, 1, None), START + dt.timedelta(days=400))
def test_a_shortcut_leads_to_the_same_turn(pieces, shown):
    """Whatever the clock shows, in any century, the short way and the long one name the same turn."""
    short = shortcut(pieces, BERLIN)
    if short is not None:
        assert short.turn(shown.replace(tzinfo=BERLIN)) == pieces.turn_at(wall_us(shown))


def pieces_of(kind, start=START, **words):
    """The pieces of a rotation."""
    return Rotation(kind, start, zone=BERLIN, participants=("ana", "ben"), **words)._pieces


SHORT = [
    (pieces_of("hourly"), EqualTurns),
    (pieces_of("weekly", days="daily"), EqualTurns),
    (pieces_of("weekly", every=2), SpacedTurns),
    (pieces_of("daily", duration=hours(12)), SpacedTurns),
    (pieces_of("monthly", shift_length=2), MonthlyTurns),
    (pieces_of("monthly", dt.datetime(2026, 1, 28)), MonthlyTurns),
    (pieces_of("daily", days="mon-fri"), ActiveDays),
    (pieces_of("weekly", days="mon-fri", blocks="calendar"), ActiveWeeks),
    (pieces_of("monthly", dt.datetime(2026, 1, 29)), type(None)),
    (pieces_of("monthly", every=2), type(None)),
    (pieces_of("monthly", days="mon"), type(None)),
    (pieces_of("daily", duration=dt.timedelta(microseconds=1)), type(None)),
    (pieces_of("daily", days="mon", duration=dt.timedelta(microseconds=1)), type(None)),
]


@pytest.mark.parametrize(("pieces", "kind"), SHORT, ids=range(len(SHORT)))
def test_turns_that_recur_evenly_have_a_shortcut(pieces, kind):
    """A 31st, weekdays of months and parts of a second have none."""
    assert type(shortcut(pieces, BERLIN)) is kind


def test_bounds_in_the_second_of_two_hours_take_the_long_way():
    """There what the clock shows does not tell before from after; in the first hour, and on a wall, it does."""
    second = dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC)
    words = {"zone": BERLIN, "participants": "ana"}
    for bound, short in ((second, False), (second - dt.timedelta(hours=1), True), (START, True)):
        assert (Rotation("daily", START, valid_from=bound, **words)._short is not None) == short
        assert (Rotation("daily", START, valid_until=bound, **words)._short is not None) == short


def test_instants_beyond_what_is_valid_for_ever_are_answered_too():
    """Bounded at one end, a rotation goes on to the last instant at the other."""
    first, last = dt.datetime(1, 1, 2, tzinfo=dt.UTC), dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
    words = {"zone": "UTC", "participants": "ana"}
    assert Rotation("daily", START, valid_from=START, **words).on_call(last) == ("ana",)
    assert Rotation("daily", START, valid_until=START, **words).on_call(first) == ("ana",)
    assert Rotation("daily", START, valid_from=START, **words).on_call(first) == ()
    assert Rotation("daily", START, valid_until=START, **words).on_call(last) == ()
