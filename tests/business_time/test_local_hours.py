"""A schedule read in its zone, and what weeks come to for ever: worked by hand."""

import datetime as dt
import hashlib
import time
from zoneinfo import ZoneInfo

import pytest

from itsm_core.business_time import BusinessCalendar, Schedule, Week, always, business_days, hours, never
from itsm_core.business_time.instants import DAY, HOUR, micros
from itsm_core.business_time.local_hours import WEEK, LocalHours, Pattern, circular, for_ever, leaves
from itsm_core.business_time.offsets import year_start
from itsm_core.errors import NeverOpens

LONDON = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/London", name="London")
TOKYO = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Asia/Tokyo", name="Tokyo")
UTC = ZoneInfo("UTC")
KOLKATA = ZoneInfo("Asia/Kolkata")
NOW = year_start(2025)


def at(text, calendar=LONDON):
    """A local instant of the week of Monday 13 January 2025, when London keeps UTC."""
    return dt.datetime.fromisoformat(f"2025-01-{text}").replace(tzinfo=calendar.zone)


def hours_of(text, zone=UTC, **rules):
    """A schedule of one week, in its zone."""
    return LocalHours(zone, Schedule.of([Week.of(text)], **rules))


def ordinal(text):
    """The ordinal of a date."""
    return dt.date.fromisoformat(text).toordinal()


# -- a week that repeats ---------------------------------------------------------------------------


def test_a_week_is_laid_on_the_clock_of_utc():
    """Tuesday 09:00 in Kolkata is Tuesday 03:30 in UTC."""
    offset = 5 * HOUR + HOUR // 2
    span = (DAY + 9 * HOUR - offset, DAY + 17 * HOUR - offset)
    desk = hours_of("tue 09:00-17:00", KOLKATA)
    assert desk.pattern({KOLKATA: offset}, NOW, after=True) == Pattern([span], [span])


def test_what_begins_before_the_week_is_laid_at_its_end():
    """Monday 01:00 in Kolkata is still Sunday in UTC; a window over the seam lies on both sides."""
    offset = 5 * HOUR + HOUR // 2
    found = hours_of("mon 01:00-07:00", KOLKATA).pattern({KOLKATA: offset}, NOW, after=True)
    assert found.most == [(0, 7 * HOUR - offset), (WEEK + HOUR - offset, WEEK)]
    assert circular([(WEEK - HOUR, WEEK + HOUR)]) == [(0, HOUR), (WEEK - HOUR, WEEK)]
    assert circular([(-HOUR, WEEK - HOUR)]) == [(0, WEEK)]
    assert circular([(0, 3 * WEEK)]) == [(0, WEEK)]


def test_the_last_week_counts_after_all_rules_and_the_first_before():
    """Weeks that are valid one after another."""
    weeks = [
        Week.of("mon 09:00-10:00", valid_to="2024-12-31"),
        Week.of("tue 09:00-10:00", valid_from="2025-01-01"),
    ]
    desk = LocalHours(UTC, Schedule.of(weeks))
    monday, tuesday = [(9 * HOUR, 10 * HOUR)], [(DAY + 9 * HOUR, DAY + 10 * HOUR)]
    assert desk.pattern({UTC: 0}, year_start(2026), after=True) == Pattern(monday and tuesday, tuesday)
    assert desk.pattern({UTC: 0}, year_start(2024), after=False) == Pattern(monday, monday)


def test_near_dated_rules_a_week_may_be_anything():
    """Four days around the first and the last dated rule are not settled yet."""
    desk = hours_of("mon 09:00-10:00", holidays=["2025-01-10"])
    anything, day = Pattern([], [(0, WEEK)]), (ordinal("2025-01-10") - ordinal("1970-01-01")) * DAY
    for instant, after, settled in (
        (day - 4 * DAY, False, True), (day - 4 * DAY + 1, False, False),
        (day + 4 * DAY, True, True), (day + 4 * DAY - 1, True, False),
    ):  # fmt: skip
        found = desk.pattern({UTC: 0}, instant, after=after)
        assert (found != anything) is settled, (instant, after)


def test_a_yearly_holiday_may_take_all_of_a_week_and_leaves_the_most():
    """Christmas may be any day; one that ended takes nothing any more, one to come nothing yet."""
    span = [(9 * HOUR, 10 * HOUR)]
    for holiday, after, least in (
        ({"date": "12-25"}, True, []), ({"date": "12-25"}, False, []),
        ({"date": "12-25", "until": 2020}, True, span), ({"date": "12-25", "until": 2020}, False, []),
        ({"date": "12-25", "since": 2020}, True, []), ({"date": "12-25", "since": 2020}, False, span),
    ):  # fmt: skip
        desk = hours_of("mon 09:00-10:00", holidays=[holiday])
        when = year_start(2100 if after else 1950)
        assert desk.pattern({UTC: 0}, when, after=after) == Pattern(least, span), (holiday, after)


def test_hours_that_yearly_holidays_take_away_altogether_are_none():
    """Every day of the year a holiday."""
    desk = hours_of("mon 09:00-10:00", holidays=["01-01..12-31"])
    assert desk.pattern({UTC: 0}, NOW, after=True) == Pattern([], [])
    assert desk.pattern({UTC: 0}, NOW, after=False) == Pattern([], [])


# -- for ever --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rules", "after", "expected"),
    [
        ("mon 09:00-17:00", {}, True, None),
        ("daily 00:00-24:00", {}, True, True),
        ("daily 00:00-24:00", {}, False, True),
        ("daily 00:00-24:00", {"holidays": ["12-25"]}, True, None),
        ("", {"shifts": {"2024-02-05": "09:00-17:00"}}, True, False),
        ("", {"shifts": {"2024-02-05": "09:00-17:00"}}, False, None),  # it is still before NOW
        ("", {"shifts": {"2026-02-05": "09:00-17:00"}}, True, None),
        ("", {"shifts": {"2026-02-05": "09:00-17:00"}}, False, False),
    ],
)
def test_always_open_and_always_closed_are_told_from_the_rules(text, rules, after, expected):
    """As of New Year 2025."""
    assert for_ever(hours_of(text, **rules), NOW, after=after) is expected


def test_one_combination_of_offsets_that_lets_both_in_is_enough():
    """London 17:00 and Paris 18:00 are always one instant; London 17:00 and New York 12:00 mostly are."""
    evening = BusinessCalendar.weekly("mon 17:00-17:30", zone="Europe/London")
    paris = BusinessCalendar.weekly("mon 18:00-18:30", zone="Europe/Paris")
    five_hours = BusinessCalendar.weekly("mon 12:00-12:30", zone="America/New_York")
    four_hours = BusinessCalendar.weekly("mon 13:00-13:30", zone="America/New_York")
    six_hours = BusinessCalendar.weekly("mon 11:00-11:30", zone="America/New_York")
    assert for_ever((evening & paris).rules, NOW, after=True) is None
    assert for_ever((evening - paris).rules, NOW, after=True) is False
    assert for_ever((evening & five_hours).rules, NOW, after=True) is None
    assert for_ever((evening & four_hours).rules, NOW, after=True) is None  # in March and October
    assert for_ever((evening & six_hours).rules, NOW, after=True) is False
    whole = always("Europe/London") - evening | paris
    assert for_ever(whole.rules, NOW, after=True) is True
    assert for_ever((always("Europe/London") - evening | five_hours).rules, NOW, after=True) is None


def test_offsets_of_long_ago_count_for_what_came_before():
    """In 1947 London was two hours ahead of UTC; since then Tokyo never met its office hours."""
    assert for_ever((LONDON & TOKYO).rules, year_start(2000), after=False) is None
    assert for_ever((LONDON & TOKYO).rules, year_start(2000), after=True) is False
    assert for_ever((LONDON & TOKYO).rules, year_start(1930), after=False) is False
    assert for_ever((LONDON & TOKYO).rules, year_start(2299), after=True) is False


def test_the_schedules_of_a_source_are_its_leaves():
    """However deep; a schedule is its own."""
    found = [leaf.zone.key for leaf in leaves(((LONDON | TOKYO) - always("UTC") | LONDON)._source)]
    assert set(found) <= {"Europe/London", "Asia/Tokyo", "UTC"}
    assert [leaf.zone.key for leaf in leaves(hours_of("mon 09:00-10:00"))] == ["UTC"]
    assert sorted(leaf.zone.key for leaf in leaves((LONDON | TOKYO)._source)) == [
        "Asia/Tokyo",
        "Europe/London",
    ]


# -- business days told by the rules alone ---------------------------------------------------------

NIGHTS = "mon 22:00-06:00; tue 04:00-05:00; wed 04:00-06:00; thu 09:00-10:00"


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2025-01-13", True),  # Monday
        ("2025-01-14", False),  # Tuesday lies inside Monday's night
        ("2025-01-15", True),
        ("2025-01-16", True),
        ("2025-01-17", False),
    ],
)
def test_a_date_whose_windows_reach_beyond_the_night_before_is_a_business_day(date, expected):
    """Without looking at instants."""
    assert hours_of(NIGHTS).plain_day(ordinal(date)) is expected


def test_a_window_that_ends_with_the_night_before_adds_no_day():
    """Its last minute is the night's."""
    desk = hours_of("mon 22:00-06:00; tue 04:00-06:00")
    assert desk.plain_day(ordinal("2025-01-14")) is False


def test_two_days_around_a_break_are_looked_at():
    """A break may take all of a window that began two days before, or leave nothing of a date."""
    desk = hours_of("daily 09:00-17:00", breaks={"2025-01-15": "09:00-17:00"})
    told = {day: desk.plain_day(ordinal(f"2025-01-{day}")) for day in range(12, 19)}
    assert told == {12: True, 13: None, 14: None, 15: None, 16: None, 17: None, 18: True}


def test_two_days_around_a_change_of_the_clocks_are_looked_at():
    """London goes on to summer time on 30 March 2025; New Year is no change."""
    desk = hours_of("daily 09:00-17:00", ZoneInfo("Europe/London"))
    march = {day: desk.plain_day(ordinal(f"2025-03-{day}")) for day in range(26, 32)}
    assert march == {26: True, 27: True, 28: None, 29: None, 30: None, 31: None}
    april = {day: desk.plain_day(ordinal(f"2025-04-0{day}")) for day in (1, 2, 3)}
    assert april == {1: None, 2: True, 3: True}
    assert [desk.plain_day(ordinal(f"2025-01-0{day}")) for day in (1, 2)] == [True, True]


def test_a_change_at_new_year_is_seen_from_the_year_beside():
    """Samoa left out 30 December 2011; Singapore's clocks went from 23:30 to midnight as 1981 ended."""
    samoa = hours_of("daily 09:00-17:00", ZoneInfo("Pacific/Apia"))
    assert samoa.plain_day(ordinal("2012-01-01")) is None
    assert samoa.plain_day(ordinal("2012-01-02")) is True
    singapore = hours_of("daily 09:00-17:00", ZoneInfo("Asia/Singapore"))
    assert singapore.plain_day(ordinal("1982-01-02")) is None
    assert singapore.plain_day(ordinal("1982-01-03")) is True


def test_periods_of_a_span_and_of_a_date_are_exact():
    """A night that began before the span reaches into it; a date has its own windows only."""
    desk = hours_of("mon 22:00-22:00; wed 09:00-10:00")  # 24 hours
    tuesday = micros(dt.datetime(2025, 1, 14, tzinfo=dt.UTC))
    assert desk.spans(tuesday, tuesday + DAY) == [(tuesday, tuesday + 22 * HOUR)]
    assert desk.pieces(ordinal("2025-01-13")) == [(tuesday - 2 * HOUR, tuesday + 22 * HOUR)]
    assert desk.pieces(ordinal("2025-01-14")) == []


def test_the_key_of_a_schedule_is_made_of_its_zone_and_its_rules():
    """SHA-256 of JSON with sorted names and no blanks; its name is no part of it."""
    nine, five = 9 * HOUR, 17 * HOUR
    text = (
        '{"breaks":{},"cut_at_midnight":false,"holidays":[["2024-05-06","2024-05-06"]],"shifts":{},'
        f'"weeks":[["0001-01-01","9999-12-31",[[[{nine},{five}]],[],[],[],[],[],[]]]],"zone":"Asia/Kolkata"}}'
    )
    desk = hours_of("mon 09:00-17:00", KOLKATA, holidays=["2024-05-06"])
    assert desk.key == hashlib.sha256(text.encode()).hexdigest()
    assert LocalHours(KOLKATA, desk.schedule, name="ours").key == desk.key


# -- what calendars answer then --------------------------------------------------------------------


def test_closed_for_ever_is_known_from_the_rules():
    """What never coincides answers None at once, also across zones; add refuses."""
    start = time.perf_counter()
    weekend = BusinessCalendar.weekly("sat-sun 09:00-17:00", zone="Europe/London")
    for calendar in (LONDON & weekend, LONDON & TOKYO):
        assert calendar.next_open(at("15T00:00")) is None
        assert list(calendar.periods_after(at("15T00:00"))) == []
        with pytest.raises(NeverOpens, match="never opens again"):
            calendar.add(at("15T00:00"), hours(1))
        with pytest.raises(NeverOpens, match="does not open"):
            calendar.add(at("15T00:00"), business_days(1))
    assert (LONDON & weekend).previous_close(at("15T00:00")) is None
    assert time.perf_counter() - start < 2


def test_what_once_coincided_is_found():
    """In the summer of 1947 London was two hours ahead of UTC, and 09:00 there 16:00 in Tokyo."""
    last = dt.datetime(1947, 8, 8, 8, tzinfo=dt.UTC)  # double summer time ended on Sunday 10 August
    assert (LONDON & TOKYO).previous_close(at("15T00:00")) == last


def test_open_for_ever_is_known_from_the_rules():
    """Two halves of the day leave nothing closed: it does not close again, and counts without end."""
    day = BusinessCalendar.weekly("daily 06:00-18:00", zone="Asia/Kolkata")
    whole = day | BusinessCalendar.weekly("daily 18:00-06:00", zone="Asia/Kolkata")
    assert whole.next_close(at("15T00:00")) is None
    assert whole.add(at("15T00:00"), hours(24 * 365 * 100)).year == 2124
    assert (always("UTC") - whole).next_open(at("15T00:00")) is None
    assert (always("UTC") - never("UTC") - LONDON | LONDON).next_close(at("15T00:00")) is None


def test_dated_rules_end_a_combination():
    """A part that closed for good ends what needs it, and not what does not."""
    old = BusinessCalendar.weekly("mon-fri 12:00-20:00", zone="Europe/London", valid_to="2025-01-15")
    assert (LONDON & old).next_open(at("16T00:00")) is None
    assert (LONDON & old).next_close(at("14T00:00")) == at("14T17:00")
    assert (LONDON | old).next_open(at("15T19:00")) == at("15T19:00")
    assert (LONDON | old).next_open(at("16T19:00")) == at("17T09:00")
    assert (LONDON - old).next_close(at("16T09:00")) == at("16T17:00")
    assert (old - LONDON).next_open(at("16T00:00")) is None
    assert (old - LONDON).previous_close(at("20T00:00")) == at("15T20:00")


def test_yearly_holidays_leave_open_what_they_might():
    """Christmas on a Monday lets the others in: nothing is called closed for ever too soon."""
    monday = BusinessCalendar.weekly("mon 09:00-10:00", zone="UTC")
    with_christmas = BusinessCalendar.weekly("mon 09:00-10:00", zone="UTC", holidays=["12-25"])
    assert (monday - with_christmas).next_open(at("15T00:00")) == dt.datetime(2028, 12, 25, 9, tzinfo=dt.UTC)
    assert (monday & with_christmas).next_close(at("15T00:00")) == dt.datetime(2025, 1, 20, 10, tzinfo=dt.UTC)


def test_offsets_that_never_meet_are_not_combined():
    """Since 2007 London is never on summer time while New York is not: 18:00 there is never 12:00 here."""
    evening = BusinessCalendar.weekly("mon 18:00-24:00", zone="Europe/London")
    morning = BusinessCalendar.weekly("mon 00:00-13:00", zone="America/New_York")
    assert (evening & morning).next_open(at("15T00:00")) is None
    # In 2006 New York went back on 29 October, as London did; in 1990 London went on 25 March, New York on 1 April.
    last = (evening & morning).previous_close(at("15T00:00"))
    assert last == dt.datetime(2006, 3, 27, 18, tzinfo=dt.UTC)


def test_many_zones_that_never_share_an_hour_are_known():
    """Seven zones with seven sets of rules: whatever they come to, a search answers at once."""
    zones = ("Europe/London", "America/New_York", "Australia/Sydney", "America/Santiago",
             "Africa/Casablanca", "Asia/Jerusalem", "Pacific/Auckland")  # fmt: skip
    nowhere = LONDON
    for zone in zones:
        nowhere &= BusinessCalendar.weekly("sun 03:00-03:01", zone=zone)
    start = time.perf_counter()
    assert nowhere.next_open(dt.datetime(2025, 1, 1, tzinfo=dt.UTC)) is None
    assert time.perf_counter() - start < 3
