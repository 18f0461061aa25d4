"""Due rules: business days, calendar days and the end of a business day, all worked out by hand."""

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time import (
    BusinessCalendar,
    Week,
    always,
    business_days,
    calendar_days,
    end_of_business_day,
)
from itsm_core.errors import BeyondHorizon, InvalidValue, NeverOpens

OFFICE = "mon-fri 09:00-12:30 13:30-17:30; sat 10:00-13:00"
LONDON = BusinessCalendar.weekly(
    OFFICE, zone="Europe/London", holidays=["2024-05-06"], shifts={"2024-05-12": "11:00-15:00"},
    breaks={"2024-05-15": "00:00-24:00", "2024-05-16": "15:00-24:00"},
)  # fmt: skip
NIGHTS = BusinessCalendar.weekly("mon-fri 22:00-06:00", zone="Europe/London")


def at(text, calendar=LONDON):
    """An instant of May 2024 (or of a full date) in the calendar's zone."""
    full = text if len(text) > 9 else f"2024-05-{text}"
    return dt.datetime.fromisoformat(full).replace(tzinfo=calendar.zone)


BUSINESS_DAYS = [
    # The 3rd of May 2024 is a Friday; the 6th is a holiday; Sunday the 12th is worked.
    ("01T10:00", 1, "02T10:00"),
    ("01T10:00", 3, "04T10:00"),
    ("03T10:00", 2, "07T10:00"),  # Saturday, then over Sunday and the holiday
    ("03T17:30", 1, "07T10:00"),  # closing time is outside: Saturday 10:00, then Tuesday 10:00
    ("03T20:00", 1, "07T10:00"),
    ("05T12:00", 1, "08T09:00"),  # Sunday: Tuesday 09:00 counts
    ("03T16:00", 1, "04T13:00"),  # Saturday is shut at 16:00: its closing before that
    ("03T09:15", 1, "04T10:00"),  # Saturday has not opened at 09:15: its first opening
    ("01T13:00", 1, "02T13:30"),  # the lunch break moves to 13:30 first
    ("10T12:45", 2, "12T13:30"),  # that 13:30 is inside Sunday's shift
    ("10T10:00", 2, "12T11:00"),
    ("10T16:00", 2, "12T15:00"),
    ("13T10:00", 2, "16T10:00"),  # the 15th has a break all day: no business day
    ("14T16:00", 1, "16T15:00"),
    # 261 days Mon-Sat: two of them off, one Sunday more; 43 weeks and Thursday, Friday, Saturday.
    ("01T10:00", 260, "2025-03-01T10:00"),
]


@pytest.mark.parametrize(("start", "n", "due"), BUSINESS_DAYS)
def test_business_days_keep_the_local_time(start, n, due):
    """n open dates later at the same local time; if shut then, the closing before or the first opening."""
    assert LONDON.add(at(start), business_days(n)) == at(due)


@pytest.mark.parametrize(
    ("start", "n", "due"),
    [
        ("01T23:00", 1, "02T23:00"),
        ("02T02:00", 1, "03T02:00"),  # 02:00 on Thursday belongs to Wednesday's night
        ("04T02:00", 1, "07T02:00"),  # Friday's night on Saturday, then Monday's on Tuesday
        ("04T06:00", 1, "07T22:00"),  # shut: Monday 22:00 first, then Tuesday 22:00
        ("03T12:00", 1, "06T22:00"),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_starts(start, n, due):
    """The business day of an instant after midnight is the one before."""
    assert NIGHTS.add(at(start, NIGHTS), business_days(n)) == at(due, NIGHTS)


@pytest.mark.parametrize(
    ("start", "n", "due"),
    [
        ("11T09:00", 1, "18T09:00"),  # Friday's night, and nothing of Saturday is left after it
        ("11T07:30", 1, "18T07:30"),  # inside both windows: still Friday's night
        ("11T10:00", 1, "24T20:00"),  # the night is over: next Friday evening first, then the one after
    ],
)
def test_a_window_inside_last_nights_is_no_business_day_of_its_own(start, n, due):
    """What the night before still covers belongs to it, so nothing falls due before its start."""
    desk = BusinessCalendar.weekly("fri 20:00-10:00; sat 07:00-08:00", zone="UTC")
    assert desk.add(at(start, desk), business_days(n)) == at(due, desk)


@pytest.mark.parametrize(
    ("end", "n", "start"),
    [
        ("02T10:00", 1, "01T10:00"),
        ("04T10:00", 3, "01T10:00"),
        ("07T10:00", 2, "03T10:00"),
        ("05T12:00", 1, "03T12:30"),  # Sunday moves back to Saturday 13:00, which on Friday is lunch
        ("03T20:00", 1, "02T17:30"),
        ("03T09:00", 1, "02T09:00"),  # an opening is open
        ("07T09:30", 1, "04T10:00"),
    ],
)
def test_business_days_are_subtracted_by_the_mirror(end, n, start):
    """An instant outside hours first moves to the closing before it."""
    assert LONDON.subtract(at(end), business_days(n)) == at(start)


@pytest.mark.parametrize(
    ("start", "n", "due"),
    [
        ("01T10:00", 0, "01T17:30"),
        ("01T10:00", 1, "02T17:30"),
        ("01T12:45", 0, "01T17:30"),
        ("01T17:30", 0, "02T17:30"),  # closed: the next business day is the present one
        ("03T10:00", 1, "04T13:00"),
        ("03T20:00", 0, "04T13:00"),
        ("03T10:00", 2, "07T17:30"),
        ("13T10:00", 2, "16T15:00"),
    ],
)
def test_the_end_of_a_business_day_is_its_last_closing(start, n, due):
    """0 is the present business day; outside hours the next one is."""
    assert LONDON.add(at(start), end_of_business_day(n)) == at(due)


def test_breaks_of_the_dates_around_shorten_a_business_day():
    """A break on the morning after ends the night early; one from the evening before opens late."""
    breaks = {"2024-05-03": "23:00-04:00", "2024-05-05": "01:00-02:00"}
    desk = BusinessCalendar.weekly("daily 03:00-05:00 22:00-02:00", zone="Europe/London", breaks=breaks)
    assert desk.add(at("04T22:30", desk), end_of_business_day()) == at("05T01:00", desk)
    assert desk.add(at("02T03:30", desk), business_days(2)) == at("04T04:00", desk)


def test_the_end_of_a_night_lies_in_the_morning():
    """The last window of a day is its end, wherever it ends."""
    assert NIGHTS.add(at("03T23:00", NIGHTS), end_of_business_day(0)) == at("04T06:00", NIGHTS)
    assert NIGHTS.add(at("03T02:00", NIGHTS), end_of_business_day(0)) == at("03T06:00", NIGHTS)


@pytest.mark.parametrize(
    ("zone", "start", "n", "due"),
    [
        ("Europe/London", "2024-03-20T16:00+00:00", 30, "2024-04-19T16:00+01:00"),  # not 720 hours
        ("Europe/London", "2024-03-30T01:30+00:00", 1, "2024-03-31T02:00+01:00"),  # the gap's end
        ("Europe/London", "2024-10-26T01:30+01:00", 1, "2024-10-27T01:30+01:00"),  # the first of two
        ("Europe/London", "2024-10-27T01:30+00:00", 1, "2024-10-28T01:30+00:00"),
        ("Europe/London", "2024-12-25T03:00+00:00", 0, "2024-12-25T03:00+00:00"),
        ("Pacific/Apia", "2011-12-29T12:00-10:00", 1, "2011-12-31T00:00+14:00"),  # the missing date
        ("Australia/Lord_Howe", "2024-10-05T02:15+10:30", 1, "2024-10-06T02:30+11:00"),
    ],
)
def test_calendar_days_keep_the_wall_clock(zone, start, n, due):
    """Open or not; into a gap to its end, into an ambiguous time to its first."""
    calendar = BusinessCalendar.weekly("mon 09:00-10:00", zone=zone)
    found = calendar.add(dt.datetime.fromisoformat(start), calendar_days(n))
    assert found == dt.datetime.fromisoformat(due)


def test_calendar_days_are_subtracted_on_the_wall_clock_too():
    """Thirty days back is the same local time."""
    end = dt.datetime.fromisoformat("2024-04-19T16:00+01:00")
    assert LONDON.subtract(end, calendar_days(30)) == dt.datetime.fromisoformat("2024-03-20T16:00+00:00")


def test_the_clock_of_the_calendar_decides_not_that_of_the_instant():
    """The local time kept is that of the calendar's zone; the result is in the zone of the question."""
    start = dt.datetime.fromisoformat("2024-03-29T10:00+00:00")
    tokyo = BusinessCalendar.weekly("mon-fri 09:00-20:00", zone="Asia/Tokyo")
    assert tokyo.add(start, business_days(1)).isoformat() == "2024-04-01T10:00:00+00:00"


def test_an_end_of_day_cannot_be_subtracted():
    """It has no inverse."""
    with pytest.raises(InvalidValue, match="cannot be subtracted"):
        LONDON.subtract(at("01T10:00"), end_of_business_day(1))


def test_a_missing_date_is_no_business_day():
    """Samoa had no 30 December 2011, so the business day after the 29th is the 31st."""
    apia = BusinessCalendar.weekly("daily 09:00-17:00", zone="Pacific/Apia")
    start = dt.datetime(2011, 12, 29, 10, tzinfo=apia.zone)
    assert apia.add(start, business_days(1)) == dt.datetime(2011, 12, 31, 10, tzinfo=apia.zone)


def test_a_business_day_into_a_gap_goes_to_its_end():
    """01:30 does not exist on the day the clocks go forward; the desk is open at 02:00."""
    around = always("Europe/London")
    start = dt.datetime(2024, 3, 30, 1, 30, tzinfo=around.zone)
    assert around.add(start, business_days(1)).isoformat() == "2024-03-31T02:00:00+01:00"


def test_a_window_inside_a_gap_makes_no_business_day():
    """A Sunday whose only window is skipped is left out of the count."""
    sundays = BusinessCalendar.weekly("sun 01:15-01:45", zone="Europe/London")
    start = dt.datetime(2024, 3, 24, 1, 15, tzinfo=sundays.zone)
    assert sundays.add(start, business_days(1)) == dt.datetime(2024, 4, 7, 1, 15, tzinfo=sundays.zone)


def test_business_days_end_with_the_calendar():
    """Where no business day is left, counting one raises."""
    short = BusinessCalendar.weekly(
        "mon-fri 09:00-17:00", zone="UTC", valid_from="2024-05-01", valid_to="2024-05-31"
    )
    middle = dt.datetime(2024, 5, 15, 10, tzinfo=dt.UTC)
    assert short.add(middle, business_days(12)) == dt.datetime(2024, 5, 31, 10, tzinfo=dt.UTC)
    assert short.subtract(middle, business_days(10)) == dt.datetime(2024, 5, 1, 10, tzinfo=dt.UTC)
    for call, n in ((short.add, 13), (short.subtract, 11)):
        with pytest.raises(NeverOpens, match="no business day"):
            call(middle, business_days(n))
    with pytest.raises(NeverOpens, match="does not open"):
        short.add(dt.datetime(2024, 6, 1, tzinfo=dt.UTC), end_of_business_day())
    with pytest.raises(NeverOpens, match="never open before"):
        short.subtract(dt.datetime(2024, 4, 1, tzinfo=dt.UTC), business_days(1))


def test_business_days_end_with_the_years_a_calendar_counts():
    """A hundred thousand business days lead out of them."""
    for call in (LONDON.add, LONDON.subtract):
        with pytest.raises(BeyondHorizon, match="number of business days"):
            call(at("01T10:00"), business_days(200_000))


def test_days_beyond_the_years_a_calendar_counts_are_refused_by_name():
    """However many days, and wherever the start: never an error of Python's own."""
    for many in (10**6, 10**8, dt.timedelta.max.days):
        for rule in (calendar_days(many), business_days(many), end_of_business_day(many)):
            with pytest.raises(BeyondHorizon):
                LONDON.add(at("01T10:00"), rule)
        with pytest.raises(BeyondHorizon):
            LONDON.subtract(at("01T10:00"), calendar_days(many))
    for rule in (calendar_days(1), business_days(1), end_of_business_day()):
        with pytest.raises(BeyondHorizon):
            LONDON.add(dt.datetime(9999, 12, 30, tzinfo=dt.UTC), rule)


clocks = st.integers(0, 47).map(lambda i: f"{i // 2:02d}:{i % 2 * 30:02d}")
windows = st.lists(st.tuples(clocks, clocks).map(list), max_size=2)
NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
weeks = st.dictionaries(st.sampled_from(NAMES), windows, min_size=1, max_size=7)
dated = st.dictionaries(st.integers(1, 14).map(lambda day: f"2024-05-{day:02d}"), windows, max_size=3)
starts = st.integers(0, 14 * 48).map(lambda i: dt.datetime(2024, 5, 1, tzinfo=dt.UTC) + i * HALF)
HALF = dt.timedelta(minutes=30)


@given(weeks, weeks, dated, dated, starts, starts, st.integers(0, 5))
def test_business_days_never_lead_back_and_keep_the_order(hours, weekly_breaks, shifts, breaks, a, b, n):
    """Due is never before the start, and neither more days nor a later start bring it forward."""
    try:
        desk = BusinessCalendar.weekly(
            hours, zone="UTC", weekly_breaks=weekly_breaks, shifts=shifts, breaks=breaks
        )
        first, second = sorted((a, b))
        due = [desk.add(first, business_days(k)) for k in range(n + 1)]
        back = [desk.subtract(second, business_days(k)) for k in range(n + 1)]
        assert [first, *due] == sorted([first, *due])
        assert [*reversed(back), second] == sorted([*back, second])
        assert due[n] <= desk.add(second, business_days(n))
        assert desk.subtract(first, business_days(n)) <= back[n]
        assert first <= desk.add(first, end_of_business_day(n)) <= desk.add(second, end_of_business_day(n))
    except NeverOpens:
        pass  # shifts alone opened it, and they are over


@given(
    st.datetimes(dt.datetime(2023, 1, 1), dt.datetime(2026, 1, 1), timezones=st.just(dt.UTC)),
    st.integers(1, 40),
)
def test_business_days_count_the_open_dates_and_are_monotone(start, n):
    """n dates with open time lie between the effective start and the due instant, and n + 1 is later."""
    due = LONDON.add(start, business_days(n))
    opened = LONDON.next_open(start)
    dates = {
        span[0].astimezone(LONDON.zone).date() for span in LONDON.periods(opened, due + dt.timedelta(days=1))
    }
    between = [
        d for d in dates if opened.astimezone(LONDON.zone).date() < d <= due.astimezone(LONDON.zone).date()
    ]
    assert len(between) == n
    later = [LONDON.add(start, business_days(k)) for k in range(n, n + 3)]
    assert all(a < b for a, b in pairwise(later))


def test_business_days_cross_the_first_and_the_last_new_year_that_count():
    """1900 and 2300 are years like any other."""
    desk = BusinessCalendar.weekly("daily 09:00-17:00", zone="UTC")
    first, last = (dt.datetime(year, 1, 1, 10, tzinfo=dt.UTC) for year in (1901, 2300))
    day = dt.timedelta(days=1)
    assert desk.subtract(first, business_days(1)) == first - day
    assert desk.add(last - day, business_days(1)) == last


def test_outside_hours_business_days_are_subtracted_from_the_closing_to_the_microsecond():
    """Tuesday 20:00 moves to Tuesday's closing at 17:00; on Monday the desk is still open then."""
    desk = BusinessCalendar.weekly("mon 09:00-18:00; tue 09:00-17:00", zone="Europe/London")
    assert desk.subtract(at("14T20:00"), business_days(1)) == at("13T17:00")


def test_the_closing_of_a_night_belongs_to_its_evening():
    """Tuesday noon moves to the end of Monday's night; the one before ended on Saturday morning."""
    assert NIGHTS.subtract(at("14T12:00", NIGHTS), business_days(1)) == at("11T06:00", NIGHTS)


def test_an_opening_at_the_closing_of_the_night_before_belongs_to_its_own_day():
    """Saturday 10:00 is Saturday's: a business day later is the next Friday evening."""
    desk = BusinessCalendar.weekly("fri 20:00-10:00; sat 10:00-18:00", zone="UTC")
    assert desk.add(at("11T10:00", desk), business_days(1)) == at("17T20:00", desk)
    assert desk.add(at("11T09:59", desk), business_days(1)) == at("11T18:00", desk)


def test_business_days_go_on_over_several_years():
    """Six hundred of them are a hundred and twenty weeks; a hundred thousand, as many dates."""
    office = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")
    monday = dt.datetime(2024, 1, 8, 10, tzinfo=dt.UTC)
    assert office.add(monday, business_days(600)) == monday + dt.timedelta(weeks=120)
    assert office.subtract(monday, business_days(600)) == monday - dt.timedelta(weeks=120)
    first = dt.datetime(1900, 1, 1, 10, tzinfo=dt.UTC)
    assert BusinessCalendar.always("UTC").add(first, business_days(100_000)) == first + dt.timedelta(
        days=100_000
    )


def test_what_a_break_takes_of_a_night_gives_the_rest_to_the_morning():
    """Friday's night has a break from midnight to one, and a dated one takes what would follow.

    So Friday ends at midnight, and the hour that another week opens on Saturday is Saturday's.
    """
    desk = BusinessCalendar.weekly(
        "fri 02:00-02:00", weekly_breaks="sat 00:00-01:00", weeks=[Week.of("sat 00:00-24:00")],
        breaks={"2024-05-11": "01:00-24:00"}, zone="UTC",
    )  # fmt: skip
    friday, saturday = (dt.datetime(2024, 5, day, tzinfo=dt.UTC) for day in (10, 11))
    assert desk.add(friday.replace(hour=10), end_of_business_day()) == saturday
    assert desk.add(friday.replace(hour=10), end_of_business_day(1)) == saturday.replace(hour=1)


def test_what_a_night_leaves_belongs_to_its_own_date_days_later_too():
    """A result before the first opening is that opening, not one of a night two days before."""
    desk = BusinessCalendar.weekly("mon 08:00-09:00 22:00-06:00; wed 10:00-12:00", zone="UTC")
    due = desk.add(at("2024-05-06T08:30", desk), business_days(1))
    assert due == at("2024-05-08T10:00", desk)
    long = BusinessCalendar.weekly("mon 08:00-09:00 22:00-06:00; thu 10:00-12:00", zone="UTC")
    assert long.add(at("2024-05-06T08:30", long), business_days(1)) == at("2024-05-09T10:00", long)


def test_as_many_business_days_as_there_are_days_are_counted():
    """From the first day to the last that a calendar counts; one more is refused."""
    clock = always("UTC")
    first, last = dt.datetime(1900, 1, 1, tzinfo=dt.UTC), dt.datetime(2300, 12, 31, tzinfo=dt.UTC)
    assert clock.add(first, business_days((last - first).days)) == last
    with pytest.raises(BeyondHorizon):
        clock.add(first, business_days((last - first).days + 1))


def test_a_closing_is_no_open_instant_of_a_business_day():
    """The result at closing time is that closing; the window after it, at the same local time, is open."""
    desk = BusinessCalendar.weekly("mon 09:00-18:00; tue 09:00-17:00 17:30-18:00", zone="UTC")
    assert desk.add(at("2024-05-06T17:00", desk), business_days(1)) == at("2024-05-07T17:00", desk)
    assert desk.add(at("2024-05-06T17:15", desk), business_days(1)) == at("2024-05-07T17:00", desk)
    assert desk.add(at("2024-05-06T17:30", desk), business_days(1)) == at("2024-05-07T17:30", desk)


def test_nothing_before_the_first_or_after_the_last_business_day_is_found():
    """A calendar of one year says so from either end, at once."""
    desk = BusinessCalendar.weekly(
        "mon 09:00-17:00", zone="UTC", valid_from="2024-01-08", valid_to="2024-12-23"
    )
    with pytest.raises(NeverOpens, match="no business day in 2025 or beyond, and 1 are still to be counted"):
        desk.add(at("2024-12-23T10:00", desk), business_days(1))
    with pytest.raises(NeverOpens, match="no business day in 2023 or beyond, and 1 are still to be counted"):
        desk.subtract(at("2024-01-08T10:00", desk), business_days(1))
