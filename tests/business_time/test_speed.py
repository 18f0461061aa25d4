"""How fast open time is counted: the bars of the design, each beside a peer measured in the same run.

A bar is a ratio, the median of nine rounds in which both sides take turns on the same arguments.
Noise only ever slows, so a missed bar is measured anew, three times at most; the bound stays.
`benchmarks/business_time.py` prints the same for more peers and spans.
"""

import datetime as dt
import importlib
import os
import random
import statistics
import sys
import time
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest

from itsm_core.business_time import BusinessCalendar, offsets

IN_CI = os.environ.get("CI", "").lower() == "true"
ROUNDS, TRIES = 9, 3
LONDON = ZoneInfo("Europe/London")
FIRST, YEARS = dt.datetime(2015, 1, 1, tzinfo=dt.UTC), 16
HOUR, SECOND = 60, 1_000_000
WINDOWS = ((dt.time(9), dt.time(12, 30)), (dt.time(13, 30), dt.time(17, 30)))
# CPU time, which other processes do not lengthen; Windows counts it in steps of 16 ms.
CLOCK = time.perf_counter if sys.platform == "win32" else time.process_time
# (hours from the first to the last minute of a span, open hours of a budget, calls a round)
SPANS = {"hours": ((0.5, 12), (1, 12), 400), "years": ((8760, 70_080), (1800, 9000), 60)}


pytestmark = pytest.mark.usefixtures("untraced")


@pytest.fixture(scope="module")
def workclock():
    """The peer: the fastest general library when this was written, with a core in Rust."""
    try:
        return importlib.import_module("workclock")
    except ImportError:
        give_up = pytest.fail if IN_CI else pytest.skip
        give_up("workclock, the peer of the bars, is not installed: pip install workclock")


@pytest.fixture(scope="module")
def bank_holidays():
    """England's bank holidays of all years that are measured."""
    holidays = pytest.importorskip("holidays", reason="no bank holidays: pip install holidays")
    return sorted(holidays.country_holidays("GB", subdiv="ENG", years=range(2015, 2031)))


def _desk(bank_holidays, minute=30):
    """The desk of the measurements; another closing minute makes a table that is not yet built."""
    return BusinessCalendar.weekly(
        f"mon-fri 09:00-12:30 13:30-17:{minute}", zone=LONDON, holidays=bank_holidays
    )


@pytest.fixture(scope="module")
def desk(bank_holidays):
    """A desk whose table is built: what that costs is a bar of its own."""
    desk = _desk(bank_holidays)
    desk.elapsed(FIRST, FIRST.replace(year=FIRST.year + YEARS))
    return desk


@pytest.fixture(scope="module")
def peer(workclock, bank_holidays):
    """The same hours as a schedule of the peer."""
    rules = [
        workclock.WorkDay(dt.time(9), dt.time(17, 30)),
        workclock.Break(dt.time(12, 30), dt.time(13, 30)),
        workclock.Holidays(bank_holidays),
    ]
    return workclock.Schedule(rules, time_zone=LONDON)


def _arguments(operation, span):
    """Seeded pairs on whole minutes: (start, end) or (start, budget), aware, in London."""
    rng = random.Random(f"{operation} {span}")
    reach, budgets, count = SPANS[span]
    drawn = []
    for _ in range(count):
        low, high = reach if operation == "elapsed" else budgets
        length = dt.timedelta(minutes=rng.randrange(int(low * HOUR), int(high * HOUR) + 1))
        start = FIRST + dt.timedelta(minutes=rng.randrange(8 * 365 * 24 * HOUR))
        end = (start + length).astimezone(LONDON)
        drawn.append((start.astimezone(LONDON), end if operation == "elapsed" else length))
    return drawn


def _seconds(call, arguments):
    """Seconds of one call, the mean of one round."""
    start = CLOCK()
    for first, second in arguments:
        call(first, second)
    return (CLOCK() - start) / len(arguments)


def _ratio(ours, theirs):
    """The median of nine ratios; each side is a callable that gives seconds, and they take turns."""
    return statistics.median(ours() / theirs() for _ in range(ROUNDS))


def _best(measure, bar, what):
    """The first measurement within the bar, else the best of all tries."""
    found = []
    for _ in range(TRIES):
        found.append(measure())
        print(f"{what}: {found[-1]:.3f} (bar {bar:g})")
        if found[-1] <= bar:
            break
    return min(found)


@pytest.mark.parametrize("operation", ["elapsed", "add"])
@pytest.mark.parametrize(("span", "bar"), [("hours", 0.9), ("years", 0.1)])
def test_a_call_takes_at_most_this_share_of_workclocks(desk, peer, operation, span, bar):
    """On aware datetimes: at spans of hours 0.9 of workclock's time, at years a tenth."""
    arguments = _arguments(operation, span)
    ours = getattr(desk, operation)
    theirs = {"elapsed": peer.between, "add": peer.add}[operation]
    assert [ours(*pair) for pair in arguments] == [theirs(*pair) for pair in arguments]

    def measure():
        return _ratio(lambda: _seconds(ours, arguments), lambda: _seconds(theirs, arguments))

    assert _best(measure, bar, f"{operation} over {span}, of workclock") <= bar


@pytest.mark.parametrize("operation", ["elapsed", "add"])
def test_a_span_of_years_costs_hardly_more_than_one_of_hours(desk, operation):
    """At most one and a half times: the cost does not grow with the span."""
    years, hours = _arguments(operation, "years") * 6, _arguments(operation, "hours")
    ours = getattr(desk, operation)

    def measure():
        return _ratio(lambda: _seconds(ours, years), lambda: _seconds(ours, hours))

    assert _best(measure, 1.5, f"{operation}, years of hours") <= 1.5


def _plain_table(bank_holidays):
    """The least that a table is: the edges of 16 years, each asked of `zoneinfo`, and their sums."""
    day, opens, closes = FIRST.date(), [], []
    while day.year < FIRST.year + YEARS:
        if day.weekday() < 5 and day not in bank_holidays:
            for opened, closed in WINDOWS:
                opens.append(int(dt.datetime.combine(day, opened, LONDON).timestamp()) * SECOND)
                closes.append(int(dt.datetime.combine(day, closed, LONDON).timestamp()) * SECOND)
        day += dt.timedelta(days=1)
    return opens, closes, list(accumulate(map(int.__sub__, closes, opens), initial=0))


def test_the_table_costs_at_most_a_millisecond_and_a_half_a_year(bank_holidays):
    """The table of one schedule and year, clock changes included, takes 1.5 times a plain one.

    Milliseconds of an unknown machine prove nothing. The bar of 1.5 ms was set where the plain
    table of these hours (a loop over the dates, nothing general) took 1.0 ms a year, so the plain
    table is the yardstick: it is built in the same run, of the same hours, by the same interpreter.
    """
    first, after = (int(FIRST.replace(year=FIRST.year + k).timestamp()) * SECOND for k in (0, YEARS))
    minutes = iter(range(31, 60))  # of closing: each is a desk whose table was not yet built
    closed = frozenset(bank_holidays)
    built = []

    def table():
        offsets._segments_of.cache_clear()  # so that the changes of the clocks are found anew
        desk = _desk(bank_holidays, next(minutes))
        built.append(_seconds(desk.elapsed_us, [(first + 1, after - 1)]) / YEARS)
        return built[-1] * YEARS

    def yardstick():
        return _seconds(lambda dates, _: _plain_table(dates), [(closed, None)])

    assert _desk(bank_holidays).elapsed_us(first + 1, after - 1) == _plain_table(closed)[2][-1]
    best = _best(lambda: _ratio(table, yardstick), 1.5, "a table, of a plain one")
    print(f"{statistics.median(built) * 1e3:.2f} ms a schedule-year on this machine")
    assert best <= 1.5
