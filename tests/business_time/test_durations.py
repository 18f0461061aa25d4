"""Durations: three units that no text and no type mixes up."""

import datetime as dt
from fractions import Fraction

import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time.durations import (
    Budget,
    BusinessDays,
    CalendarDays,
    EndOfBusinessDay,
    business_days,
    calendar_days,
    end_of_business_day,
    format,  # noqa: A004 - the name under test
    hours,
    measured,
    minutes,
    parse,
    seconds,
)
from itsm_core.errors import AmbiguousDuration, InvalidValue

DURATIONS = st.one_of(
    st.builds(Budget, st.integers(0, 10**15)),
    st.builds(BusinessDays, st.integers(0, 5000)),
    st.builds(CalendarDays, st.integers(0, 5000)),
    st.builds(EndOfBusinessDay, st.integers(0, 5000)),
)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("4h", hours(4)),
        ("90m", minutes(90)),
        ("15 min", minutes(15)),
        ("30s", seconds(30)),
        ("1h 30m", minutes(90)),
        ("1h30m", minutes(90)),
        ("2 hours, 5 minutes", minutes(125)),
        ("1.5h", minutes(90)),
        ("0.000001s", Budget(1)),
        ("0s", Budget(0)),
        (" 4H ", hours(4)),
        ("24 hours", hours(24)),
        ("PT4H30M", minutes(270)),
        ("PT90S", seconds(90)),
        ("pt0.5h", minutes(30)),
        ("PT1,5H", minutes(90)),
        ("0" * 23 + "1h", hours(1)),
        ("3 business days", business_days(3)),
        ("1 business day", business_days(1)),
        ("3bd", business_days(3)),
        ("30 calendar days", calendar_days(30)),
        ("30cd", calendar_days(30)),
        ("end of business day", end_of_business_day()),
        ("end of business day +1", end_of_business_day(1)),
        ("End of  business day + 2", end_of_business_day(2)),
    ],
)
def test_a_text_names_one_duration(text, duration):
    """Each accepted text has one meaning, whatever its case and spaces."""
    assert parse(text) == duration


@pytest.mark.parametrize(
    ("unit", "names"),
    [
        (hours, "h hr hrs hour hours"),
        (minutes, "m min mins minute minutes"),
        (seconds, "s sec secs second seconds"),
    ],
)
def test_a_unit_has_five_names(unit, names):
    """The short ones, the long ones and their plurals."""
    for name in names.split():
        assert parse(f"2 {name}") == parse(f"2{name.upper()}") == unit(2)


AMBIGUOUS = [
    "1 day",
    "1 days",
    "2d",
    "P1D",
    "P1M",
    "P1Y",
    "P1W",
    "P1DT2H",
    "1 week",
    "3w",
    "1 month",
    "1h 1 day",
    "1 year",
    *(
        f"2 {name}"
        for name in ["day", "days", "d", "week", "weeks", "w", "wk", "wks", "month", "months", "mo"]
    ),
    *(f"2 {name}" for name in ["quarter", "quarters", "q", "year", "years", "y", "yr", "yrs"]),
]


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_days_without_saying_which_are_refused(text):
    """A text such as "1 day" is refused, and the alternatives are named."""
    with pytest.raises(AmbiguousDuration, match=r"24h.*business day.*calendar day") as caught:
        parse(text)
    assert caught.value.value == text


NO_DURATIONS = [
    "",
    "4",
    "h",
    "-4h",
    "four hours",
    "4 parsecs",
    "1,5h",
    "PT",
    "PT4",
    "P",
    "0.0000001s",
    "4h or so",
    "about 3 business days",
    "3 calendar days at most",
    "the end of business day",
    "xp1d",
    "0" * 24 + "1h",
    "9" * 5000 + " business days",
    "9" * 5000 + "h",
    "pt0." + "9" * 5000 + "s",
    "end of business day +" + "9" * 5000,
    "9999999999 calendar days",
    "9" * 20 + "h",
    7,
    None,
]


@pytest.mark.parametrize("text", NO_DURATIONS)
def test_what_names_no_duration_is_refused(text):
    """Any other text is an InvalidValue that shows what could be written."""
    with pytest.raises(InvalidValue) as caught:
        parse(text)
    assert not isinstance(caught.value, AmbiguousDuration)
    assert caught.value.remedy


@given(DURATIONS)
def test_str_and_format_round_trip_with_parse(duration):
    """The text of a duration reads back to it."""
    assert parse(str(duration)) == parse(format(duration)) == duration


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (hours(4), "4h"),
        (minutes(90), "1h 30m"),
        (minutes(15), "15m"),
        (seconds(Fraction(1, 2)), "0.5s"),
        (seconds(61), "1m 1s"),
        (hours(0), "0s"),
        (dt.timedelta(hours=4), "4h"),
        (business_days(1), "1 business day"),
        (calendar_days(30), "30 calendar days"),
        (end_of_business_day(0), "end of business day"),
        (end_of_business_day(+1), "end of business day +1"),
    ],
)
def test_texts_are_short_and_plain(duration, text):
    """What a reader sees; a plain timedelta is open time."""
    assert format(duration) == text


def test_open_time_counts_exactly():
    """Units and fractions meet in integer microseconds."""
    assert hours(4) == minutes(240) == seconds(14_400) == Budget(14_400_000_000)
    assert hours(Fraction(1, 3)) == minutes(20)
    assert hours(4).timedelta == dt.timedelta(hours=4)


@pytest.mark.parametrize("unit", [seconds, minutes, hours])
@pytest.mark.parametrize("value", [1.5, "4", True, None, Fraction(1, 7_000_000_000_001), -1])
def test_numbers_that_round_or_run_backwards_are_refused(unit, value):
    """No floats, no text, no negative open time, nothing finer than a microsecond."""
    with pytest.raises(InvalidValue):
        unit(value)


@pytest.mark.parametrize("rule", [business_days, calendar_days, end_of_business_day])
@pytest.mark.parametrize("value", [1.5, "4", True, None, Fraction(3), -1])
def test_days_come_whole_and_forward(rule, value):
    """A count of days is a whole number from 0."""
    with pytest.raises(InvalidValue):
        rule(value)


@pytest.mark.parametrize("value", [1.0, True, -1])
def test_a_budget_is_whole_microseconds(value):
    """Also the class itself refuses what its makers refuse."""
    with pytest.raises(InvalidValue):
        Budget(value)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (hours, "hours"),
        (minutes, "minutes"),
        (seconds, "seconds"),
        (Budget, "budget"),
        (business_days, "business days"),
        (calendar_days, "calendar days"),
        (end_of_business_day, "end of business day"),
    ],
)
def test_a_refused_number_is_named_with_its_unit(make, name):
    """Whoever reads the error knows which of several durations is meant."""
    with pytest.raises(InvalidValue, match=f"^{name} 1.5: "):
        make(1.5)


def test_the_longest_duration_is_that_of_a_timedelta():
    """999,999,999 days can be said, a day or a microsecond more cannot."""
    most = dt.timedelta.max.days
    assert business_days(most).n == calendar_days(most).n == end_of_business_day(most).n == most
    assert Budget(most * 86_400_000_000).timedelta == dt.timedelta(days=most)
    for make in (business_days, calendar_days, end_of_business_day):
        with pytest.raises(InvalidValue, match="more than can be counted"):
            make(most + 1)
    with pytest.raises(InvalidValue, match="more than can be counted"):
        Budget(most * 86_400_000_000 + 1)


def test_more_than_a_timedelta_holds_is_no_duration():
    """No calendar counts so far, and nothing overflows on the way to saying so."""
    for make in (hours, minutes, seconds, business_days, calendar_days, end_of_business_day):
        with pytest.raises(InvalidValue, match="more than can be counted"):
            make(10**5000)
    assert hours(10**9).timedelta == dt.timedelta(hours=10**9)


def test_durations_compare_inside_one_type_only():
    """Three business days are neither more nor less than 30 calendar days."""
    assert hours(1) < hours(2)
    assert business_days(1) < business_days(2)
    assert calendar_days(1) < calendar_days(2)
    assert end_of_business_day() < end_of_business_day(1)
    assert EndOfBusinessDay() == EndOfBusinessDay(0)
    assert business_days(3) != calendar_days(3) != end_of_business_day(3)
    with pytest.raises(TypeError):
        business_days(3) < calendar_days(30)  # noqa: B015
    assert len({hours(1), minutes(60), business_days(1), calendar_days(1)}) == 3


def test_durations_do_not_change():
    """They are values: frozen."""
    with pytest.raises(AttributeError):
        hours(4).us = 5


def test_a_timedelta_is_open_time_and_pendulum_days_are_refused():
    """A plain timedelta of a day means 24 open hours; a pendulum duration of a day is ambiguous."""
    assert measured(dt.timedelta(days=1)) == 86_400_000_000
    assert measured(dt.timedelta(microseconds=-1)) == -1
    assert measured(pendulum.duration(hours=4, minutes=30)) == hours(4).us + minutes(30).us
    for ambiguous in (pendulum.duration(days=1), pendulum.duration(months=1), pendulum.duration(weeks=-1)):
        with pytest.raises(AmbiguousDuration, match="pendulum"):
            measured(ambiguous)


def test_another_kind_of_timedelta_is_open_time_too(monkeypatch):
    """A subclass from elsewhere counts as the timedelta that it is, with or without pendulum."""

    class Span(dt.timedelta):
        pass

    assert measured(Span(days=2)) == hours(48).us
    monkeypatch.delitem(__import__("sys").modules, "pendulum")
    assert measured(Span(days=2)) == hours(48).us


@given(
    st.integers(0, 999),
    st.integers(0, 999),
    st.integers(0, 999),
    st.integers(0, 999_999),
    st.sampled_from(".,"),
)
def test_iso_8601_texts_mean_what_pendulum_reads(h, m, s, us, mark):
    """Below its bounds: beyond them pendulum's numbers wrap, and it loses what a float cannot hold."""
    text = f"PT{h}H{m}M{s}{mark}{us:06d}S"
    assert parse(text).timedelta == dt.timedelta(hours=h, minutes=m, seconds=s, microseconds=us)
    assert abs(parse(text).timedelta - pendulum.parse(text).as_timedelta()) <= dt.timedelta(microseconds=1)


def test_hours_beyond_what_pendulum_can_hold_are_exact():
    """Why it does not read them: of ten digits of hours it makes another number."""
    text = "PT9999999H"
    assert parse(text) == hours(9_999_999)
    assert pendulum.parse("PT9999999999H").total_seconds() != 9_999_999_999 * 3600
