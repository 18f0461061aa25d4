"""Laws of measured time, checked against an oracle that knows nothing of tables."""

import datetime as dt
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time import BusinessCalendar
from itsm_core.business_time.instants import micros
from itsm_core.business_time.windows import WEEKDAYS
from itsm_core.errors import NeverOpens

STEP = dt.timedelta(minutes=5)
MIDNIGHT = dt.time(0)
# Weekends on which clocks change in different ways, and one where nothing does.
PLACES = [
    ("Europe/London", dt.date(2024, 3, 31)),
    ("Europe/London", dt.date(2024, 10, 27)),
    ("Australia/Lord_Howe", dt.date(2024, 4, 7)),
    ("America/Sao_Paulo", dt.date(2017, 10, 15)),
    ("America/Sao_Paulo", dt.date(2018, 2, 18)),
    ("Pacific/Apia", dt.date(2011, 12, 30)),
    ("Africa/Casablanca", dt.date(2024, 3, 10)),
    ("Asia/Kolkata", dt.date(2024, 12, 31)),
]


class Rules(NamedTuple):
    """The rules of a desk near a day on which something happens to the clocks."""

    zone: str
    middle: dt.date
    hours: Any
    weekly_breaks: Any
    holidays: Any
    shifts: Any
    breaks: Any
    cut: bool
    valid_from: Any


clocks = st.integers(0, 287).map(lambda i: f"{i // 12:02d}:{i % 12 * 5:02d}")
windows = st.lists(st.tuples(clocks, clocks).map(list), max_size=2)
weeks = st.dictionaries(st.sampled_from(WEEKDAYS), windows, max_size=7)


@st.composite
def rules(draw):
    """Any rules near a change of the clocks."""
    zone, middle = draw(st.sampled_from(PLACES))
    dates = st.integers(-2, 3).map(lambda i: str(middle + dt.timedelta(days=i)))
    dated = st.dictionaries(dates, windows, max_size=2)
    return Rules(
        zone, middle, draw(weeks), draw(weeks), draw(st.lists(dates, max_size=2)), draw(dated), draw(dated),
        draw(st.booleans()), draw(st.none() | dates),
    )  # fmt: skip


def calendar_of(rules):
    """The calendar of the rules, or the empty one where they never open."""
    try:
        return BusinessCalendar.weekly(
            rules.hours, zone=rules.zone, weekly_breaks=rules.weekly_breaks, holidays=rules.holidays,
            shifts=rules.shifts, breaks=rules.breaks, cut_at_midnight=rules.cut, valid_from=rules.valid_from,
        )  # fmt: skip
    except NeverOpens:
        return BusinessCalendar.never(rules.zone)


def _inside(windows, date, wall):
    """Whether a wall time lies in one of the windows that start on a date."""
    for start, end in windows:
        opened = dt.datetime.combine(date, dt.time.fromisoformat(start))
        closed = dt.datetime.combine(date, dt.time.fromisoformat(end))
        if closed <= opened:
            closed += dt.timedelta(days=1)
        if opened <= wall < closed:
            return True
    return False


def oracle(rules, at):
    """Whether the desk is open: the rules read aloud for the wall time of one instant."""
    wall = at.astimezone(ZoneInfo(rules.zone)).replace(tzinfo=None)
    today = wall.date()
    dates = (today, today - dt.timedelta(days=1))
    if any(_inside(rules.breaks.get(str(date), ()), date, wall) for date in dates):
        return False
    rested = any(_inside(rules.weekly_breaks.get(WEEKDAYS[date.weekday()], ()), date, wall) for date in dates)
    for date in dates:
        if str(date) in rules.shifts:
            if _inside(rules.shifts[str(date)], date, wall):
                return True
            continue
        off = str(date) in rules.holidays or (rules.cut and str(today) in rules.holidays)
        early = rules.valid_from is not None and str(date) < rules.valid_from
        weekly = rules.hours.get(WEEKDAYS[date.weekday()], ())
        if not (off or early or rested) and _inside(weekly, date, wall):
            return True
    return False


@given(rules())
def test_elapsed_is_the_measure_of_the_open_instants(rules):
    """elapsed, is_open, periods and closures agree with the rules read aloud, every five minutes."""
    calendar = calendar_of(rules)
    start = dt.datetime.combine(rules.middle, MIDNIGHT, dt.UTC) - dt.timedelta(days=2)
    grid = [start + i * STEP for i in range(5 * 288)]
    expected = [oracle(rules, at) for at in grid]
    assert [calendar.is_open(at) for at in grid] == expected
    end = grid[-1] + STEP
    assert calendar.elapsed(start, end) == sum(expected) * STEP
    spans = list(calendar.periods(start, end))
    assert [any(opened <= at < closed for opened, closed in spans) for at in grid] == expected
    assert all(a[1] < b[0] for a, b in pairwise(spans))
    low, high = (round(at.timestamp()) * 10**6 for at in (start, end))
    closed = list(calendar.closures(low, high))
    assert sum(c.end - c.start for c in closed) * dt.timedelta(microseconds=1) == expected.count(False) * STEP
    assert all(a.end <= b.start for a, b in pairwise(closed))


moments = st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2027, 1, 1), timezones=st.just(dt.UTC))
lengths = st.timedeltas(dt.timedelta(microseconds=1), dt.timedelta(days=60))
DESKS = [
    BusinessCalendar.weekly(
        "mon-fri 09:00-12:30 13:30-17:30; sat 10:00-13:00", zone="Europe/London", holidays=["2024-12-25"]
    ),
    BusinessCalendar.weekly(
        "daily 22:00-06:00", zone="America/New_York", holidays=["2024-12-25"], cut_at_midnight=True
    ),
    BusinessCalendar.weekly("sun 01:15-02:45", zone="Europe/London"),
    BusinessCalendar.weekly("mon-fri 08:00-08:00", zone="Australia/Lord_Howe"),
    BusinessCalendar.weekly("mon 09:00:00.000001-09:00:01", zone="Africa/Casablanca"),
    BusinessCalendar.always("Pacific/Apia"),
]
desks = st.sampled_from(DESKS)


@given(desks, moments, lengths)
def test_add_then_elapsed_gives_the_duration(desk, at, length):
    """The due instant lies exactly the duration away, and the desk is open just before it."""
    length = min(length, dt.timedelta(minutes=90)) if desk is DESKS[4] else length
    if desk is DESKS[4]:
        length = dt.timedelta(microseconds=length // dt.timedelta(minutes=1) * 1000 + 1)
    due = desk.add(at, length)
    assert desk.elapsed(at, due) == length
    assert desk.previous_close(due) == due
    assert desk.elapsed(at, due - dt.timedelta(microseconds=1)) < length


@given(desks, moments, moments, moments)
def test_elapsed_is_additive_and_changes_sign(desk, a, b, c):
    """Elapsed from a to c is that from a to b and from b to c, in any order of the three."""
    assert desk.elapsed(a, c) == desk.elapsed(a, b) + desk.elapsed(b, c)
    assert desk.elapsed(a, b) == -desk.elapsed(b, a)


@given(desks, moments, lengths)
def test_subtract_undoes_add_on_open_instants(desk, at, length):
    """From an open instant there and back leads to it; from a closing, back and there."""
    length = dt.timedelta(microseconds=length // dt.timedelta(minutes=5) + 1)
    opened = desk.next_open(at)
    assert desk.subtract(desk.add(opened, length), length) == opened
    closed = desk.previous_close(at)
    assert desk.add(desk.subtract(closed, length), length) == closed
    assert desk.subtract(opened, -length) == desk.add(opened, length)


@given(desks, moments, moments, lengths)
def test_add_is_monotone(desk, a, b, length):
    """Who starts later is never due earlier."""
    length = dt.timedelta(microseconds=length // dt.timedelta(minutes=5) + 1)
    first, second = sorted((a, b))
    assert desk.add(first, length) <= desk.add(second, length)
    assert desk.subtract(first, length) <= desk.subtract(second, length)


@given(desks, moments)
def test_searches_agree_with_is_open(desk, at):
    """next_open, next_start, next_close and previous_close stand where the desk opens and closes."""
    tick = dt.timedelta(microseconds=1)
    opened, closed = desk.next_start(at), desk.next_close(at)
    assert desk.next_open(at) == (at if desk.is_open(at) else opened)
    if opened is not None:
        assert desk.is_open(opened)
        assert not desk.is_open(opened - tick)
        assert opened > at
    if closed is not None:
        assert not desk.is_open(closed)
        assert desk.is_open(closed - tick)
        assert closed > at
    before = desk.previous_close(at)
    assert desk.is_open(before - tick)
    assert desk.elapsed(before, at) == dt.timedelta(0)


@given(desks, moments, lengths)
def test_periods_after_and_before_are_the_periods(desk, at, length):
    """The lazy walks give the same periods as the span, clipped, nearest first."""
    later, earlier = at + length, at - length
    after = [p for p, _ in zip(desk.periods_after(at), range(5), strict=False) if p[0] < later]
    assert [(a, min(b, later)) for a, b in after] == list(desk.periods(at, later))[:5]
    before = [p for p, _ in zip(desk.periods_before(at), range(5), strict=False) if p[1] > earlier]
    assert [(max(a, earlier), b) for a, b in before] == list(desk.periods(earlier, at))[::-1][:5]


@given(desks, moments, lengths, st.sampled_from(["Asia/Tokyo", "Europe/London", "America/St_Johns"]))
def test_the_zone_of_the_instants_changes_nothing(desk, at, length, name):
    """The same instants in another zone give the same answers, in that zone."""
    there = at.astimezone(ZoneInfo(name))
    assert desk.is_open(there) == desk.is_open(at)
    assert desk.elapsed(there, at + length) == desk.elapsed(at, at + length)
    opened = desk.next_open(there)
    # Not `==`: between zones Python calls every ambiguous time unequal (PEP 495).
    assert micros(opened) == micros(desk.next_open(at))
    assert opened.tzinfo is there.tzinfo
