"""Turns on the wall clock, in closed form."""

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time.instants import DAY, HOUR
from itsm_core.oncall.lattices import Days, Months, Steps, Turns, Weekdays, month_of
from itsm_core.oncall.walls import wall_us

FAR = 10**7  # days: some 27,000 years
walls = st.integers(-FAR * DAY, FAR * DAY)
lattices = st.one_of(
    st.builds(Steps, walls, st.sampled_from([HOUR, DAY, 7 * DAY])),
    st.builds(Months.of, walls),
    st.builds(Months.of, walls, st.just(1)),
)


def day(text):
    """A day as it is counted, from 1970."""
    return (dt.date.fromisoformat(text) - dt.date(1970, 1, 1)).days


@pytest.mark.law
@given(lattices, walls)
def test_a_time_lies_in_the_unit_that_began_last(lattice, wall):
    """The point of its unit is not after it, and that of the next one is, in any millennium."""
    unit = lattice.unit(wall)
    assert lattice.point(unit) <= wall < lattice.point(unit + 1)


@pytest.mark.law
@given(st.dates())
def test_months_are_those_of_the_calendar(date):
    """The month and the day are what `datetime` says, and four centuries later the same."""
    counted = day(date.isoformat())
    assert month_of(counted) == (date.year * 12 + date.month - 1, date.day)
    assert month_of(counted + 146_097) == ((date.year + 400) * 12 + date.month - 1, date.day)


def test_the_31st_is_clamped_and_comes_back():
    """31 January, 29 February, 31 March, 30 April."""
    months = Months.of(wall_us(dt.datetime(2024, 1, 31, 9)))
    points = [dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=months.point(n)) for n in range(4)]
    assert [(at.month, at.day, at.hour) for at in points] == [(1, 31, 9), (2, 29, 9), (3, 31, 9), (4, 30, 9)]


@pytest.mark.law
@given(st.sets(st.integers(0, 6), min_size=1), st.integers(-FAR, FAR))
def test_active_days_are_counted_without_walking(days, n):
    """The day of a rank is active, and as many active days lie before it."""
    weekdays = Weekdays(tuple(sorted(days)))
    found = weekdays.day(n)
    assert (found + 3) % 7 in days
    assert weekdays.rank(found) == n
    assert weekdays.rank(found + 1) == n + 1


PIECES = st.one_of(
    st.builds(lambda n, more, lattice: Turns(lattice, n + more, n, None), st.integers(1, 5), st.integers(0, 5), lattices),
    st.builds(
        lambda days, n, more, time, origin, monthly: Days(
            Weekdays(tuple(sorted(days))), time=time, duration=None, length=n, pitch=n + more, origin=origin,
            blocks=(Months.of(origin * DAY + time) if monthly else Steps(origin * DAY + time, 7 * DAY)),
        ),
        st.sets(st.integers(0, 6), min_size=1, max_size=6), st.integers(1, 3), st.integers(0, 3),
        st.integers(0, DAY - 1), st.integers(-FAR, FAR), st.booleans(),
    ),
)  # fmt: skip


@pytest.mark.law
@given(PIECES, walls)
def test_the_piece_before_a_time_is_the_last_that_began(pieces, wall):
    """It began at or before the time, the one after it begins later, and until then it is the last."""
    piece = pieces.before(wall)
    start, following = pieces.ends(piece)[0], pieces.ends(pieces.after(piece))[0]
    assert start <= wall < following
    assert pieces.before(start) == pieces.before(following - 1) == piece
    assert pieces.before(following) == pieces.after(piece)


@pytest.mark.law
@given(PIECES, walls)
def test_a_shift_is_a_run_of_pieces_that_touch(pieces, wall):
    """The pieces of a run belong to one turn and touch; those beside it do not."""
    first, last = pieces.run(pieces.before(wall))
    inside = range(first, last + 1)
    assert {pieces.turn(piece) for piece in inside} == {pieces.turn(first)}
    assert all(pieces.ends(a)[1] == pieces.ends(b)[0] for a, b in pairwise(inside))
    after = pieces.after(last)
    assert pieces.ends(last)[1] < pieces.ends(after)[0] or pieces.turn(after) != pieces.turn(last)


def test_a_break_in_the_turn_parts_a_run():
    """Where Sunday ends a block that is followed by one without a turn, Monday is not of the same shift."""
    blocks = Steps(day("2024-08-05") * DAY, 7 * DAY)
    pieces = Days(Weekdays((0, 6)), time=0, duration=None, length=1, pitch=2, blocks=blocks, origin=0)
    sunday = pieces.before(day("2024-08-11") * DAY)
    assert pieces.ends(sunday)[0] == day("2024-08-11") * DAY
    assert pieces.run(sunday) == (sunday, sunday)
    assert pieces.ends(pieces.after(sunday))[0] == day("2024-08-19") * DAY
