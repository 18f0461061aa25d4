"""Hours as text: what is read, what is refused, and what is written back."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time.instants import DAY, HOUR, MINUTE
from itsm_core.business_time.windows import (
    MONTHS,
    NO_WINDOWS,
    clock_text,
    day_pairs,
    parse_clock,
    parse_day,
    parse_week,
    week_pairs,
)
from itsm_core.errors import InvalidWindow


def at(hour, minute=0):
    """Microseconds after midnight."""
    return hour * HOUR + minute * MINUTE


def week(**days):
    """A week with windows on the days named."""
    return tuple(days.get(name, ()) for name in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))


NINE_TO_FIVE = ((at(9), at(17)),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", NO_WINDOWS),
        ("mon 09:00-17:00", week(mon=NINE_TO_FIVE)),
        ("mon,wed 09:00-17:00", week(mon=NINE_TO_FIVE, wed=NINE_TO_FIVE)),
        ("sat-mon 09:00-17:00", week(sat=NINE_TO_FIVE, sun=NINE_TO_FIVE, mon=NINE_TO_FIVE)),
        ("mon-tue,sat 09:00-17:00", week(mon=NINE_TO_FIVE, tue=NINE_TO_FIVE, sat=NINE_TO_FIVE)),
        ("daily 09:00-17:00", (NINE_TO_FIVE,) * 7),
        ("MON 09:00-17:00 ; ", week(mon=NINE_TO_FIVE)),
        ("mon 09:00-12:30 13:30-17:30", week(mon=((at(9), at(12, 30)), (at(13, 30), at(17, 30))))),
        ("mon 09:00-12:00; mon 13:00-17:00", week(mon=((at(9), at(12)), (at(13), at(17))))),
        ("mon 09:00-13:00 11:00-15:00", week(mon=((at(9), at(15)),))),
        ("mon 09:00-12:00 12:00-17:00", week(mon=NINE_TO_FIVE)),
        ("mon 22:00-06:00", week(mon=((at(22), at(30)),))),
        ("mon 08:00-08:00", week(mon=((at(8), at(32)),))),
        ("mon 00:00-24:00", week(mon=((0, DAY),))),
        ("mon 00:00-00:00", week(mon=((0, DAY),))),
        ("mon 09:00:30-09:01:30.5", week(mon=((at(9) + 30_000_000, at(9, 1) + 30_500_000),))),
        ({"mon": [["09:00", "17:00"]]}, week(mon=NINE_TO_FIVE)),
        ({"mon": "09:00-17:00", "tue": []}, week(mon=NINE_TO_FIVE)),
        ({"mon": [(dt.time(9), dt.time(17))]}, week(mon=NINE_TO_FIVE)),
        ({"mon": ["09:00-17:00"]}, week(mon=NINE_TO_FIVE)),
    ],
)
def test_the_grammar_of_weekly_hours(text, expected):
    """Days, then windows; clauses apart by semicolons; a dict says the same."""
    assert parse_week(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("mon 25:00-26:00", "does not exist"),
        ("mon 09:60-10:00", "does not exist"),
        ("mon 09:00:60-10:00", "does not exist"),
        ("mon 23:00-24:01", "does not exist"),
        ("mon 9-5pm", "is no HH:MM"),
        ("mon 9:00-17:00", "is no HH:MM"),
        ("mon 09:00-", "is no HH:MM"),
        ("mon 09:00", "does not have two ends"),
        ("mon 09:00-12:00-13:00", "does not have two ends"),
        ("mon 24:00-06:00", "24:00 is an end, never a start"),
        ("mon 09:00:00.1234567-10:00", "is no HH:MM"),
        ("mon", "names days without hours"),
        ("09:00-17:00", "is no weekday"),
        ("monday 09:00-17:00", "is no weekday"),
        ("mon- 09:00-17:00", "is no weekday"),
        ("mon-xyz 09:00-17:00", "is no weekday"),
        ({"mo": [["09:00", "17:00"]]}, "is no weekday"),
        ({"mon": [["09:00"]]}, "does not have two ends"),
        ({"mon": [9]}, "does not have two ends"),
        ({"mon": [[9, 17]]}, "is no HH:MM"),
        ({"mon": [[dt.time(9, tzinfo=dt.UTC), dt.time(17)]]}, "is no HH:MM"),
        ({"mon": 9}, "are no text and no list"),
        ({"mon": {"09:00": "17:00"}}, "are no text and no list"),
        (9, "are no text and no mapping"),
    ],
)
def test_bad_hours_are_named_explained_and_an_example_shown(text, why):
    """The message holds the offending text, the reason, and how to write it."""
    with pytest.raises(InvalidWindow, match=why) as caught:
        parse_week(text)
    assert "write for example" in str(caught.value)
    if isinstance(text, str):
        assert caught.value.value == text


CLOCKS = st.integers(0, DAY - 1)


@given(CLOCKS)
def test_clock_texts_read_back(us):
    """Every local time to the microsecond has one text."""
    assert parse_clock(clock_text(us)) == us


@given(st.lists(st.tuples(CLOCKS, CLOCKS), max_size=5))
def test_pairs_of_a_day_read_back_to_the_same_windows(pairs):
    """Written windows mean what was read, also united nights of more than 24 hours."""
    windows = parse_day([(clock_text(start), clock_text(end)) for start, end in pairs])
    assert parse_day(day_pairs(windows)) == windows
    assert parse_week(week_pairs((windows,) * 7)) == (windows,) * 7


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "00:00"),
        (at(9, 5), "09:05"),
        (at(9) + 30_000_000, "09:00:30"),
        (at(9) + 1, "09:00:00.000001"),
        (at(9) + 30_500_000, "09:00:30.5"),
        (DAY, "24:00"),
    ],
)
def test_a_clock_text_is_as_short_as_can_be(us, text):
    """Seconds and their fraction are told where there are any, without trailing zeros."""
    assert clock_text(us) == text


def test_the_error_of_a_day_shows_the_day_and_its_first_fault():
    """One window alone is shown once; of several the faulty part is told after the whole."""
    with pytest.raises(InvalidWindow, match=r"^window '09:00': does not have two ends; write for example"):
        parse_day("09:00")
    told = r"^windows '09:00-10:00 11:00': window '11:00': does not have two ends; write for example"
    with pytest.raises(InvalidWindow, match=told):
        parse_day("09:00-10:00 11:00")


def test_months_have_their_english_names():
    """As the standard library names them where no other language is set."""
    assert list(MONTHS) == [dt.date(2024, month, 1).strftime("%B") for month in range(1, 13)]


def test_overlapping_nights_may_last_longer_than_a_day():
    """22:00 to 22:00 united with 23:00 to 23:00 is 25 hours, said as two windows."""
    windows = parse_day("22:00-22:00 23:00-23:00")
    assert windows == ((at(22), at(47)),)
    assert parse_day(day_pairs(windows)) == windows


def test_weekdays_of_a_mapping_are_read_in_capitals_too():
    """As those of a text are; what is no text is no weekday."""
    capitals = parse_week({"Mon": [["09:00", "17:00"]], "TUE": [["09:00", "12:00"]]})
    assert capitals == parse_week("mon 09:00-17:00; tue 09:00-12:00")
    with pytest.raises(InvalidWindow, match='"7" is no weekday'):
        parse_week({7: [["09:00", "17:00"]]})
