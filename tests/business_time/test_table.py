"""The compiled table: grown as asked, shared, safe under threads."""

import datetime as dt
import gc
import random
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from itsm_core.business_time import BusinessCalendar, always, business_days, calendar_days, compiled, hours
from itsm_core.business_time.instants import utc
from itsm_core.business_time.offsets import year_start
from itsm_core.business_time.table import HORIZON
from itsm_core.errors import BeyondHorizon, NeverOpens

HOURS = "mon-fri 09:00-12:30 13:30-17:30"
HOUR = 3_600_000_000


def fresh(zone="Europe/London", day=1):
    """A calendar whose table nobody has grown yet."""
    marker = dt.date(1901, 1, 1) + dt.timedelta(days=fresh.made * 7 + day)
    fresh.made += 1
    return BusinessCalendar.weekly(HOURS, zone=zone, breaks={marker: "03:00-04:00"})


fresh.made = 0


def years(calendar):
    """The years that a calendar's table holds, the last excluded."""
    return calendar._compiled.table._edges.years


def test_the_table_holds_only_the_years_asked_for():
    """It grows in both directions, without a hole."""
    desk = fresh()
    desk.elapsed_us(year_start(2024) + HOUR, year_start(2024) + 2 * HOUR)
    assert years(desk) == (2024, 2025)
    desk.elapsed_us(year_start(2026), year_start(2026) + HOUR)
    assert years(desk) == (2024, 2027)
    desk.elapsed_us(year_start(2020) + HOUR, year_start(2019) + HOUR)
    assert years(desk) == (2019, 2027)


@pytest.mark.parametrize(
    ("at", "held"), [(0, (2023, 2025)), (1, (2024, 2025)), (-1, (2023, 2024)), (-HOUR, (2023, 2024))]
)
def test_new_year_is_asked_of_both_years(at, held):
    """The first instant of 2024 lies at the end of 2023, too; a microsecond beside it is in one of them."""
    desk = fresh()
    desk.elapsed_us(year_start(2024) + at, year_start(2024) + at)
    assert years(desk) == held


def test_new_year_is_asked_of_both_years_by_a_table_that_knows_one():
    """The first instant of a year is not inside the table of that year, nor of the year before."""
    for known in (2024, 2023):
        desk = fresh()
        desk.is_open(utc(year_start(known) + 1000 * HOUR))
        desk.elapsed_us(year_start(2024), year_start(2024))
        assert years(desk) == (2023, 2025)


def test_all_open_time_there_is_can_be_subtracted():
    """The opening of the first period is reached; one microsecond more is refused."""
    desk = BusinessCalendar.weekly("mon 09:00-17:00", zone="UTC", valid_from="2024-01-01")
    first = year_start(2024) + 9 * HOUR  # 1 January 2024 is a Monday
    assert desk.subtract_us(first + 8 * HOUR, 8 * HOUR) == first
    with pytest.raises(NeverOpens, match=r"too little open time before .* 0:00:00\.000001 could not"):
        desk.subtract_us(first + 8 * HOUR, 8 * HOUR + 1)
    ended = BusinessCalendar.weekly("mon 09:00-17:00", zone="UTC", valid_to="2024-01-01")
    assert ended.add_us(first, 8 * HOUR) == first + 8 * HOUR
    with pytest.raises(NeverOpens, match=r"too little open time after .* 0:00:00\.000001 could not"):
        ended.add_us(first, 8 * HOUR + 1)


def test_around_the_clock_the_ends_of_the_horizon_are_reached_exactly():
    """By adding and by subtracting, without a table that long."""
    desk, now = always("UTC"), year_start(2024)
    assert desk.add_us(now, HORIZON[1] - now) == HORIZON[1]
    assert desk.subtract_us(now, now - HORIZON[0]) == HORIZON[0]
    for beyond in (
        lambda: desk.add_us(now, HORIZON[1] - now + 1),
        lambda: desk.subtract_us(now, now - HORIZON[0] + 1),
    ):
        with pytest.raises(BeyondHorizon):
            beyond()


def test_more_than_the_horizon_holds_is_refused_in_either_direction():
    """A desk that closes for Christmas only, for ever."""
    desk = BusinessCalendar.weekly("daily 00:00-24:00", zone="UTC", holidays=["12-25"])
    for beyond in (desk.add_us, desk.subtract_us):
        with pytest.raises(BeyondHorizon):
            beyond(year_start(2024), HORIZON[1] - HORIZON[0])


def test_growing_changes_no_answer():
    """Year by year in any order gives the table of one go."""
    once, piecemeal = fresh(), fresh()
    order = list(range(2000, 2030))
    random.Random(7).shuffle(order)
    for year in order:
        piecemeal.elapsed_us(year_start(year) + HOUR, year_start(year) + HOUR)
    once.elapsed_us(year_start(2000) + HOUR, year_start(2029) + HOUR)
    assert piecemeal._compiled.table._edges == once._compiled.table._edges


def test_open_time_over_new_year_is_one_period():
    """A window that reaches over the edge of a block is not cut there, in whichever order it grew."""
    desk = BusinessCalendar.weekly("daily 22:00-06:00", zone="UTC", breaks={"1901-02-03": "12:00-13:00"})
    silvester = dt.datetime(2023, 12, 31, 23, tzinfo=dt.UTC)
    assert desk.is_open(silvester + dt.timedelta(hours=3))  # grows 2024 first
    assert desk.next_close(silvester) == dt.datetime(2024, 1, 1, 6, tzinfo=dt.UTC)
    assert len(list(desk.periods(silvester, silvester + dt.timedelta(hours=10)))) == 1
    opened, _ = next(desk.periods_before(silvester + dt.timedelta(hours=2)))
    assert opened == silvester - dt.timedelta(hours=1)


def test_threads_that_grow_one_table_agree():
    """Eight threads ask in different orders and all get the answers of one alone."""
    alone, shared = fresh(), fresh()
    spans = [
        (year_start(y) + HOUR * 300, year_start(y + k) + HOUR * 4000)
        for y in range(1990, 2030)
        for k in (0, 1, 3)
    ]
    expected = {span: alone.elapsed_us(*span) for span in spans}

    def work(seed):
        order = spans[:]
        random.Random(seed).shuffle(order)
        found = {span: shared.elapsed_us(*span) for span in order}
        due = [shared.due_us(a, business_days(30)) for a, _ in spans]
        return found, due, [shared.add_us(a, 500 * HOUR) for a, _ in spans]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(work, range(8)))
    due = [alone.due_us(a, business_days(30)) for a, _ in spans]
    added = [alone.add_us(a, 500 * HOUR) for a, _ in spans]
    assert all(answer == (expected, due, added) for answer in answers)


def test_threads_that_make_equal_calendars_share_one_table():
    """A table is compiled once for equal rules, also when made at the same time."""
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: BusinessCalendar.weekly(HOURS, zone="Asia/Manila"), range(40)))
    assert len({id(calendar._compiled) for calendar in made}) == 1


def test_the_shared_tables_are_bounded():
    """Tables of calendars that nobody holds are dropped, but for the latest few."""
    for i in range(200):
        BusinessCalendar.weekly(HOURS, zone="UTC", holidays=[dt.date(2024, 1, 1) + dt.timedelta(days=i)])
    gc.collect()
    assert len(compiled._recent) == 64
    dates = [dt.date(2024, 1, 1) + dt.timedelta(days=i) for i in (0, 199)]
    old, new = (BusinessCalendar.weekly(HOURS, zone="UTC", holidays=[day]) for day in dates)
    assert new._compiled in list(compiled._recent)[:-1]
    assert old._compiled is compiled._recent[-1]


def test_building_and_asking_stay_in_proportion():
    """Years cost what hours cost: a span of decades takes no more steps than one of hours."""
    import timeit

    desk, start = fresh(), year_start(2024) + 300 * HOUR
    desk.elapsed_us(year_start(1990), year_start(2024) + 500 * HOUR)

    def cost(span):
        return min(timeit.repeat(lambda: desk.elapsed_us(start - span, start), number=2000, repeat=9))

    assert cost(30 * 365 * 24 * HOUR) < 3 * cost(8 * HOUR)


@pytest.mark.parametrize("edge", [1900, 2301])
def test_the_edges_of_the_horizon_can_be_asked(edge):
    """The first and the last instant count like any other."""
    desk, at = fresh(), year_start(edge)
    assert desk.elapsed_us(at, at) == 0
    assert desk.is_open(dt.datetime(edge, 1, 1, tzinfo=dt.UTC)) is False


FIRST, LAST = year_start(1900), year_start(2301)  # 1 January 1900, and the end of 2300, in UTC


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (FIRST - 1, " in the year 1899"),
        (year_start(1600) + 4000 * HOUR, " in the year 1600"),
        (LAST + 4000 * HOUR, " in the year 2301"),
        (year_start(2400) + 4000 * HOUR, " in the year 2400"),
        (10**20, " in the year 3170843"),
        (10**6 * 146_097 * 24 * HOUR - 1, " in the year 400001969"),  # a million cycles of 400 years
        (10**6 * 146_097 * 24 * HOUR, ""),
        (5 * 10**22, ""),
    ],
)
def test_an_instant_beyond_the_horizon_is_told_by_its_year(at, told):
    """10**20 microseconds are 1,157,407,407 days, or 3,168,873 years; beyond 400 million it is not told."""
    desk = fresh()
    for span in ((at, FIRST), (LAST, at), (at, at)):
        with pytest.raises(BeyondHorizon, match=f"^an instant{told} lies outside the years 1900 to 2300"):
            desk.elapsed_us(*span)


def test_calendar_days_reach_from_end_to_end_of_the_horizon():
    """Its first and last instant count like any other."""
    desk, day = always("UTC"), 24 * HOUR
    assert desk.due_us(FIRST, calendar_days(1)) == FIRST + day
    assert desk.due_us(LAST - day, calendar_days(1)) == LAST
    for at in (FIRST - 1, LAST - day + 1):
        with pytest.raises(BeyondHorizon):
            desk.due_us(at, calendar_days(1))


@pytest.mark.parametrize(
    ("length", "lacking"), [(hours(8), "2:00:00"), (hours(24 * 10**7), "3649635 days, 0:00:00")]
)
def test_how_much_open_time_is_lacking_is_told(length, lacking):
    """Six hours on two Mondays are all there is; beyond 9,999 years of 365 days it is not told how much."""
    desk = BusinessCalendar.weekly(
        "mon 09:00-12:00", zone="UTC", valid_from="2024-01-01", valid_to="2024-01-08"
    )
    morning, noon = (dt.datetime(2024, 1, *at, tzinfo=dt.UTC) for at in ((1, 9), (8, 12)))
    for lead, at, words in ((desk.add, morning, "after"), (desk.subtract, noon, "before")):
        told = f"too little open time {words} {at.isoformat()}: {lacking} could not be counted"
        with pytest.raises(NeverOpens, match=re.escape(told)):
            lead(at, length)


def test_the_whole_horizon_can_be_counted_and_not_a_microsecond_more():
    """401 years around the clock: 146,097 days, then a year more."""
    desk = always("UTC")
    assert desk.elapsed_us(FIRST, LAST) == LAST - FIRST == (146_097 + 365) * 24 * HOUR
    assert desk.elapsed_us(LAST, FIRST) == FIRST - LAST
    assert desk.add_us(FIRST, LAST - FIRST) == LAST
    assert desk.subtract_us(LAST, LAST - FIRST) == FIRST
    for beyond in (
        lambda: desk.add_us(LAST - HOUR, HOUR + 1),
        lambda: desk.subtract_us(FIRST + HOUR, HOUR + 1),
    ):
        with pytest.raises(BeyondHorizon, match=r"^the result lies outside"):
            beyond()


def test_periods_of_a_span_are_clipped_and_an_empty_span_has_none():
    """Half-open: a span that ends with an opening, or begins with a closing, does not hold the period."""
    desk, monday = fresh("UTC"), year_start(2024)  # 1 January 2024 is a Monday
    nine, half_past_twelve = monday + 9 * HOUR, monday + 12 * HOUR + HOUR // 2

    def spans(a, b):
        return [tuple(span) for span in desk.periods_us(a, b)]

    assert spans(monday, nine) == []
    assert spans(half_past_twelve, half_past_twelve + HOUR) == []
    assert spans(nine + 1, half_past_twelve - 1) == [(nine + 1, half_past_twelve - 1)]
    assert spans(monday, half_past_twelve + 1) == [(nine, half_past_twelve)]
    assert spans(nine + HOUR, nine + HOUR) == []
    assert spans(nine + HOUR, nine) == []


def around_the_clock(**validity):
    """A desk that never closes while it is valid, with a table that nobody has grown yet."""
    marker = dt.date(1901, 1, 1) + dt.timedelta(days=fresh.made * 7)
    fresh.made += 1
    breaks = {marker: "03:00-04:00"}
    return BusinessCalendar.weekly("daily 00:00-24:00", zone="UTC", breaks=breaks, **validity)


def test_what_a_table_knows_already_changes_no_answer():
    """Grown for 2024 alone it answers for New Year on both sides, and for spans that reach beyond."""
    summer, new_year, next_year = year_start(2024) + 4000 * HOUR, year_start(2024), year_start(2025)

    def known():
        desk = around_the_clock()
        desk.elapsed_us(summer, summer)
        assert years(desk) == (2024, 2025)
        return desk

    assert known().is_open(dt.datetime(2025, 1, 1, tzinfo=dt.UTC))
    assert known().previous_close(dt.datetime(2024, 1, 1, tzinfo=dt.UTC)) == dt.datetime(
        2024, 1, 1, tzinfo=dt.UTC
    )
    for a, b in ((summer, next_year + 5 * HOUR), (new_year - 5 * HOUR, summer), (new_year, next_year)):
        assert known().elapsed_us(a, b) == b - a
        assert known().elapsed_us(b, a) == a - b
        assert [tuple(span) for span in known().periods_us(a, b)] == [(a, b)]


def test_an_opening_is_not_the_next_one_after_itself():
    """Searches for a start look strictly after the instant; those for an open instant do not."""
    desk = fresh("UTC")
    nine, half_past_one = (dt.datetime(2024, 1, 1, *at, tzinfo=dt.UTC) for at in ((9, 0), (13, 30)))
    assert desk.next_start(nine) == half_past_one
    assert desk.next_open(nine) == nine


def test_an_end_years_away_is_found():
    """The search goes on by ever more years, in both directions."""
    desk = around_the_clock(valid_from="2001-01-01", valid_to="2040-12-31")
    now, end = dt.datetime(2024, 6, 1, tzinfo=dt.UTC), dt.datetime(2041, 1, 1, tzinfo=dt.UTC)
    assert desk.next_close(now) == end
    assert desk.previous_close(dt.datetime(2090, 1, 1, tzinfo=dt.UTC)) == end
    (opened, closed), *more = around_the_clock(valid_from="2001-01-01", valid_to="2040-12-31").periods_before(
        end
    )
    assert (opened, closed, more) == (dt.datetime(2001, 1, 1, tzinfo=dt.UTC), end, [])
    before = dt.datetime(1950, 1, 1, tzinfo=dt.UTC)
    assert around_the_clock(valid_from="2001-01-01").next_start(before) == opened


SUMMER = year_start(2024) + 4000 * HOUR
GROWN = {
    "add": (fresh, lambda desk: desk.add_us(SUMMER, 4000 * HOUR), (2024, 2028)),
    "subtract": (fresh, lambda desk: desk.subtract_us(SUMMER, 4000 * HOUR), (2021, 2025)),
    "next start": (
        lambda: around_the_clock(valid_from="2026-07-01"),
        lambda desk: desk.next_start(utc(SUMMER)),
        (2024, 2028),
    ),
    "next close": (
        lambda: around_the_clock(valid_to="2026-06-30"),
        lambda desk: desk.next_close(utc(SUMMER)),
        (2024, 2028),
    ),
    "previous close": (
        lambda: around_the_clock(valid_to="2022-06-30"),
        lambda desk: desk.previous_close(utc(SUMMER)),
        (2021, 2025),
    ),
    "previous start": (
        lambda: around_the_clock(valid_from="2022-07-01"),
        lambda desk: next(desk.periods_before(utc(SUMMER))),
        (2021, 2025),
    ),
}


@pytest.mark.parametrize(("make", "ask", "held"), GROWN.values(), ids=GROWN)
def test_a_table_grows_by_one_year_then_by_two(make, ask, held):
    """What lies two years off, or 4,000 hours of some 1,900 a year, takes one year and two more."""
    desk = make()
    desk.elapsed_us(SUMMER, SUMMER)
    assert years(desk) == (2024, 2025)
    ask(desk)
    assert years(desk) == held


def test_after_the_last_break_all_time_is_open():
    """A century around the clock takes as much longer as was closed on the way, in both directions."""
    desk = BusinessCalendar.weekly(
        "daily 00:00-24:00", zone="UTC", breaks={"2024-03-05": "03:00-04:00", "2024-09-05": "03:00-05:00"}
    )
    century = 36_525 * 24 * HOUR
    assert desk.add_us(year_start(2024), century) == year_start(2024) + century + 3 * HOUR
    assert desk.add_us(SUMMER, century) == SUMMER + century + 2 * HOUR
    assert desk.subtract_us(SUMMER, century) == SUMMER - century - HOUR


def test_the_first_period_of_all_has_an_opening():
    """Nothing was open before it, so it is the last that a search backwards finds."""
    desk = BusinessCalendar.weekly(
        "mon 09:00-17:00", zone="UTC", valid_from="2024-05-13", valid_to="2024-05-14"
    )
    opening, closing = (dt.datetime(2024, 5, 13, hour, tzinfo=dt.UTC) for hour in (9, 17))
    assert list(desk.periods_before(dt.datetime(2024, 6, 1, tzinfo=dt.UTC))) == [(opening, closing)]
    assert list(desk.periods_after(dt.datetime(2024, 5, 1, tzinfo=dt.UTC))) == [(opening, closing)]


def test_an_opening_is_not_the_one_before_itself():
    """The table looks for openings strictly before an instant, too."""
    table, monday = fresh("UTC")._compiled.table, year_start(2024)
    nine, half_past_one = monday + 9 * HOUR, monday + 13 * HOUR + HOUR // 2
    assert table.previous_start(half_past_one) == nine
    assert table.previous_start(half_past_one + 1) == half_past_one
