"""Holidays as values: every form they are written in, when they come, and the lists they come in."""

import datetime as dt
from itertools import count

import holidays as package
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time.given import MOST_YEARS, check_keys, parse_date, parse_years
from itsm_core.business_time.holidays import (
    MOST_DAYS_IN_PART,
    MOST_HOLIDAYS,
    WHOLE,
    Holiday,
    HolidayList,
    YearlyHoliday,
    bounded,
    holiday,
    holiday_lists,
)
from itsm_core.business_time.instants import DAY, HOUR
from itsm_core.errors import InvalidValue, InvalidWindow

CHRISTMAS = dt.date(2024, 12, 25)
NEW_YEAR = dt.date(2025, 1, 1)
AFTERNOON = ((13 * HOUR, 2 * DAY),)  # what reaches midnight closes the night after as well


def dates(found):
    """The dates, or both ends, of several holidays as text."""
    return [day.dates for day in found]


# -- forms -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        CHRISTMAS,
        "2024-12-25",
        "2024-12-25..2024-12-25",
        {"date": "2024-12-25"},
        {"date": CHRISTMAS},
        {"from": "2024-12-25", "to": CHRISTMAS},
        (CHRISTMAS, CHRISTMAS),
        ("2024-12-25", ""),
        [CHRISTMAS, ""],
        {"from": "2024-12-25"},
        Holiday(CHRISTMAS, CHRISTMAS),
    ],
    ids=repr,
)
def test_one_date_has_many_forms(value):
    """A date, its text, a dict, a pair and the value itself are all the same holiday."""
    assert holiday(value) == Holiday(CHRISTMAS, CHRISTMAS)


@pytest.mark.parametrize(
    "value",
    [
        "2024-12-25..2025-01-01",
        {"from": "2024-12-25", "to": "2025-01-01"},
        (CHRISTMAS, NEW_YEAR),
        ("2024-12-25", "2025-01-01"),
    ],
    ids=repr,
)
def test_a_range_has_both_ends(value):
    """Both ends of a range are closed, in the ordinals up to the day after the last."""
    found = holiday(value)
    assert (found.first, found.last, found.dates) == (CHRISTMAS, NEW_YEAR, "2024-12-25..2025-01-01")
    assert found.span == (CHRISTMAS.toordinal(), NEW_YEAR.toordinal() + 1)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (("2024-12-25", "Noël"), "2024-12-25"),
        ((CHRISTMAS, "Noël"), "2024-12-25"),
        (("2024-12-25", "2025-01-01", "Noël"), "2024-12-25..2025-01-01"),
        ({"date": "2024-12-25", "name": "Noël"}, "2024-12-25"),
        (("12-25", "Noël"), "12-25"),
        (("12-25", "12-26", "Noël"), "12-25..12-26"),
        (({"date": "12-25"}, "Noël"), "12-25"),
        ((("2024-12-25", "2025-01-01"), "Noël"), "2024-12-25..2025-01-01"),
    ],
    ids=repr,
)
def test_a_name_goes_with_any_form(value, shown):
    """A pair, a triple or a key adds the name that explanations show."""
    found = holiday(value)
    assert (found.name, found.dates) == ("Noël", shown)


@pytest.mark.parametrize(
    "value",
    [
        "2024-12-24 13:00-24:00",
        {"date": "2024-12-24", "closed": "13:00-24:00"},
        {"date": "2024-12-24", "closed": [["13:00", "24:00"]]},
        {"date": "2024-12-24", "closed": (("13:00", dt.time(0)),)},
        {"date": "2024-12-24", "closed": AFTERNOON},
    ],
    ids=repr,
)
def test_a_part_of_a_day_closes_hours(value):
    """A part-day holiday says its closed hours; up to midnight they take the night after, too."""
    found = holiday(value)
    assert found.closed == found.hours == AFTERNOON


@pytest.mark.parametrize("closed", ["", "00:00-24:00", "00:00-00:00", "00:00-12:00 12:00-24:00"])
def test_hours_that_fill_a_day_are_all_day(closed):
    """No hours, or all of them, is a holiday that lasts all day."""
    found = holiday({"date": "2024-12-24", "closed": closed})
    assert (found.closed, found.hours) == ((), WHOLE)


def test_a_part_may_lie_inside_a_day():
    """Hours that end before midnight leave the evening open."""
    assert holiday("12-24 08:00-12:00 14:00-16:00").closed == ((8 * HOUR, 12 * HOUR), (14 * HOUR, 16 * HOUR))


# -- yearly ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "year", "wanted"),
    [
        ("12-25", 2024, ["2024-12-25"]),
        ("12-30..01-02", 2024, ["2023-12-30..2024-01-02", "2024-12-30..2025-01-02"]),
        ("12-30..01-02", 1, ["0001-12-30..0002-01-02"]),
        ("12-30..01-02", 9999, ["9998-12-30..9999-01-02", "9999-12-30..9999-12-31"]),
        ("02-29", 2024, ["2024-02-29"]),
        ("02-29", 2025, []),
        ("02-29", 2100, []),
        ("02-28..02-29", 2025, ["2025-02-28"]),
        ("02-29..03-02", 2025, ["2025-03-01..2025-03-02"]),
        ("02-29..03-02", 2024, ["2024-02-29..2024-03-02"]),
        ("12-31..02-29", 2023, ["2022-12-31..2023-02-28", "2023-12-31..2024-02-29"]),
        ("01-01..12-31", 2024, ["2024-01-01..2024-12-31"]),
    ],
)
def test_a_yearly_rule_comes_in_each_year(rule, year, wanted):
    """Over New Year it belongs to both years; 29 February is a date in leap years only."""
    assert dates(holiday(rule).occurrences(year)) == wanted


@pytest.mark.parametrize(
    ("since", "until", "wanted"),
    [
        (None, None, [2019, 2020, 2021, 2022]),
        (2020, None, [2020, 2021, 2022]),
        (None, 2020, [2019, 2020]),
        (2020, 2021, [2020, 2021]),
    ],
)
def test_a_yearly_rule_begins_and_ends(since, until, wanted):
    """`since` and `until` are years in which the holiday begins, both included."""
    rule = holiday({"date": "06-19", "since": since, "until": until})
    assert [y for y in range(2019, 2023) if rule.beginning_in(y)] == wanted


def test_an_end_counts_the_year_in_which_the_holiday_begins():
    """A holiday over New Year that began in its last year still ends in the year after."""
    rule = holiday({"from": "12-30", "to": "01-02", "until": 2023})
    assert dates(rule.occurrences(2024)) == ["2023-12-30..2024-01-02"]


def test_an_occurrence_keeps_name_and_hours():
    """What a rule closes in a year has its name and its hours."""
    (found,) = holiday({"date": "12-24", "name": "Eve", "closed": "13:00-24:00"}).occurrences(2024)
    assert found == Holiday("2024-12-24", "2024-12-24", name="Eve", closed=AFTERNOON)


def test_a_dated_holiday_occurs_in_the_years_of_its_dates():
    """A range over New Year is found from both of its years, and from no other."""
    found = holiday("2024-12-30..2025-01-02")
    assert [list(found.occurrences(y)) for y in (2023, 2024, 2025, 2026)] == [[], [found], [found], []]


def test_rules_with_and_without_bounds_can_be_sorted():
    """A bound that is left out sorts as the first or the last year."""
    rules = [holiday({"date": "12-25", "since": s, "until": u}) for s in (None, 5) for u in (None, 7)]
    assert sorted(rules) == [rules[1], rules[0], rules[3], rules[2]]


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", "is no date"),
        ("2024-13-01", "is no date"),
        ("2024-02-30", "is no date"),
        ("20241225", "is no date"),
        ("2024-W52-3", "is no date"),
        (dt.datetime(2024, 12, 25), "is no date"),
        ({"name": "Christmas"}, "has neither date alone nor from and to"),
        ({"date": "2024-12-25", "to": "12-26"}, "has neither date alone nor from and to"),
        ({"date": "2024-12-25", "from": "12-26"}, "has neither date alone nor from and to"),
        ({"from": "2024-12-25", "to": "12-26"}, "is no date"),
        ("13-01", '"13-01" is no month and day'),
        ("02-30", '"02-30" is no month and day'),
        ("12-25..2024-12-26", '"2024-12-26" is no month and day'),
        ({"from": "12-25", "to": None}, '"None" is no month and day'),
        ("2024-12-26..2024-12-25", "ends before it begins; give the first date first"),
        (
            {"date": "2024-12-25", "colour": "red"},
            "has the unknown key 'colour'; use the keys date, from, to",
        ),
        ({"date": "2024-12-25", 5: "red"}, "has a key that is no text"),
        ({"date": "2024-12-25", "since": 2020}, "has since, but one year only"),
        ({"date": "12-25", "since": "2020"}, "holiday year '2020': is no year"),
        ({"date": "12-25", "since": True}, "holiday year True: is no year"),
        ({"date": "12-25", "until": 10_000}, "holiday year 10000: is no year"),
        ({"date": "12-25", "since": 2021, "until": 2020}, "ends before it begins; swap since and until"),
        ((CHRISTMAS, 5), "holiday name 5: is no text"),
        (("12-25", None), "holiday name None: is no text"),
        (5, "is neither date, range nor (date, name)"),
        ([], "is neither date, range nor (date, name)"),
        (["2024-12-25", "a", "b", "c"], "is neither date, range nor (date, name)"),
        (b"2024-12-25", "is neither date, range nor (date, name)"),
    ],
    ids=repr,
)
def test_what_is_no_holiday_is_refused_with_its_remedy(value, said):
    """The error names the value, says what is wrong with it, and what to write instead."""
    with pytest.raises(InvalidValue) as refused:
        holiday(value)
    assert said in str(refused.value)
    assert refused.value.remedy


@pytest.mark.parametrize("closed", ["13:00", "25:00-26:00", 5, (5,), [[1, 2]], ((1, 2, 3),), ((True, 2),)])
def test_hours_that_are_none_are_refused(closed):
    """The hours of a part are read as those of a desk are."""
    with pytest.raises(InvalidWindow):
        holiday({"date": "12-24", "closed": closed})


def test_a_part_of_each_day_of_a_year_is_refused():
    """Closed hours over more than a year are opening hours of their own, and the error says so."""
    last = dt.date(2024, 1, 1) + dt.timedelta(days=MOST_DAYS_IN_PART - 1)
    assert Holiday("2024-01-01", last, closed="13:00-24:00").closed == AFTERNOON
    with pytest.raises(InvalidValue, match="over a year; give it as a Week with valid_from"):
        Holiday("2024-01-01", last + dt.timedelta(days=1), closed="13:00-24:00")


# -- round trips -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("2024-12-25", "2024-12-25"),
        ((CHRISTMAS, NEW_YEAR), "2024-12-25..2025-01-01"),
        ("12-30..01-02", "12-30..01-02"),
        ("12-25..12-25", "12-25"),
        (("2024-12-25", "Noël"), {"date": "2024-12-25", "name": "Noël"}),
        (("12-25", "12-26", "Noël"), {"from": "12-25", "to": "12-26", "name": "Noël"}),
        ("12-24 13:00-24:00", {"date": "12-24", "closed": [["13:00", "24:00"]]}),
        ({"date": "06-19", "since": 2021}, {"date": "06-19", "since": 2021}),
    ],
    ids=repr,
)
def test_the_shortest_form_is_written(value, written):
    """A bare date or range is written as text, anything more as a dict."""
    assert holiday(value).as_value() == written


month_days = st.dates(dt.date(2000, 1, 1), dt.date(2000, 12, 31)).map(lambda day: (day.month, day.day))
clocks = st.times().map(lambda time: time.isoformat())
closed_hours = st.lists(st.tuples(clocks, clocks), max_size=3)
years = st.none() | st.integers(1, 9999)


@st.composite
def holidays(draw):
    """Holidays of all kinds."""
    further = {"name": draw(st.text(max_size=5)), "closed": draw(closed_hours)}
    if draw(st.booleans()):
        since, until = sorted([draw(years), draw(years)], key=lambda year: year or 0)
        return YearlyHoliday(draw(month_days), draw(month_days), since=since, until=until, **further)
    first = draw(st.dates(max_value=dt.date(9990, 1, 1)))
    return Holiday(first, first + dt.timedelta(days=draw(st.integers(0, 300))), **further)


@given(holidays())
def test_every_holiday_survives_a_round_trip(value):
    """What `as_value` writes, `holiday` reads back to an equal value."""
    assert holiday(value.as_value()) == value


@given(holidays(), st.integers(1, 9999))
def test_every_occurrence_touches_the_year_asked_for(value, year):
    """Nothing comes up in a year in which it has no date."""
    assert all(day.first.year <= year <= day.last.year for day in value.occurrences(year))


# -- lists -----------------------------------------------------------------------------------------


def test_a_list_is_a_sequence_of_its_days():
    """It has a length and can be gone through, so that days can be left out."""
    found = HolidayList(tuple(map(holiday, ["12-25", "12-26"])))
    assert (len(found), dates(found)) == (2, ["12-25", "12-26"])


def test_what_is_said_comes_before_the_lists_of_sources():
    """Single holidays become one list, and lists of a source stay as they are."""
    source = HolidayList((holiday("2024-05-01"),), known_until=CHRISTMAS, source="feed")
    assert holiday_lists([source, "12-25"]) == [HolidayList((holiday("12-25"),)), source]
    assert holiday_lists(source) == [source]


def test_the_object_of_the_holidays_package_is_a_mapping_of_dates_to_names():
    """`holidays.US(years=2024)` can be handed over as it is."""
    (found,) = holiday_lists(package.US(years=2024, language="en_US"))
    assert holiday(("2024-07-04", "Independence Day")) in found.days
    assert len(found) == 11


def test_a_mapping_may_have_texts_as_dates():
    """A dict of dates to names is a list of holidays; an empty one has none."""
    assert holiday_lists({"2024-12-25": "Noël"}) == [HolidayList((holiday(("2024-12-25", "Noël")),))]
    assert holiday_lists({}) == [HolidayList(())]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (package.US(), "holidays 'US': holds no date; such an object holds only the years it was asked for"),
        ("2024-12-25", "are no list of dates"),
        (5, "are no list of dates"),
        (None, "are no list of dates"),
    ],
    ids=["package", "text", "number", "none"],
)
def test_what_is_no_list_is_refused(value, said):
    """A text is one date, not a list; an object without years would open the desk all year."""
    with pytest.raises(InvalidValue) as refused:
        holiday_lists(value)
    assert said in str(refused.value)


def test_holidays_are_kept_once_and_in_order():
    """Dated holidays come first and by date, then yearly rules; what is said twice counts once."""
    days = map(holiday, ["12-26", "2024-12-25", "12-25", "2024-05-01", "2024-12-25"])
    assert dates(bounded(days)) == ["2024-05-01", "2024-12-25", "12-25", "12-26"]


def test_more_holidays_than_any_desk_has_are_refused():
    """A hostile file ends at a bound, also by parts of many days, and says what to leave out."""
    first = dt.date(2000, 1, 1)
    many = [holiday(first + dt.timedelta(days=i)) for i in range(MOST_HOLIDAYS + 1)]
    assert len(bounded(many[1:])) == MOST_HOLIDAYS
    with pytest.raises(InvalidValue, match=r"holidays 10001: are more than 10000; keep those"):
        bounded(many)
    parts = [Holiday(f"{y}-01-01", f"{y}-12-31", closed="12:00-13:00") for y in range(2000, 2030)]
    with pytest.raises(InvalidValue, match=r"holidays 10958: are more than 10000"):
        bounded(parts)


# -- dates and years -------------------------------------------------------------------------------


def test_a_date_is_a_date_or_its_text():
    """Only the form 2024-02-04 is read, and never an instant."""
    assert parse_date("2024-12-25") == parse_date(CHRISTMAS) == CHRISTMAS
    for value in (dt.datetime(2024, 12, 25), "2024-12-25T00:00", "20241225", None, 5):
        with pytest.raises(InvalidValue, match=r"known_until .* is no date; write"):
            parse_date(value, "known_until")


def test_years_are_one_or_several_in_order():
    """A number, a range or any list of years is the same tuple, each year once."""
    assert parse_years(2024) == (2024,)
    assert parse_years([2025, 2024, 2025]) == parse_years(range(2024, 2026)) == (2024, 2025)
    assert len(parse_years(range(1, MOST_YEARS + 1))) == MOST_YEARS


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, "years True: is no year from 1 to 9999"),
        (0, "years 0: is no year from 1 to 9999"),
        (10_000, "years 10000: is no year"),
        pytest.param(10**5000, "years a int too long to show: is no year", id="long"),
        ([2024, 2024.0], "years 2024.0: is no year"),
        ([2024, "2025"], "years '2025': is no year"),
        (2024.0, "years 2024.0: are no years"),
        ("2024", "years '2024': are no years"),
        ({2024: 1}, "are no years"),
        (None, "years None: are no years"),
        ([], "years []: name no year"),
        (range(1, MOST_YEARS + 2), "are more than 400"),
        (count(2024), "are more than 400"),
    ],
    ids=repr,
)
def test_what_is_no_year_is_refused(value, said):
    """Bools, floats, texts, nothing and more years than anybody plans are refused with a remedy."""
    with pytest.raises(InvalidValue) as refused:
        parse_years(value)
    assert said in str(refused.value)
    assert refused.value.remedy


def test_keys_are_those_of_a_mapping():
    """What is no mapping is refused by the same words as a key that nobody reads."""
    check_keys("week", {"hours": "mon"}, ("hours", "breaks"))
    for value, said in ((5, "week 5: is no mapping"), ({"hour": 1}, "has the unknown key 'hour'")):
        with pytest.raises(InvalidValue) as refused:
            check_keys("week", value, ("hours", "breaks"))
        assert said in str(refused.value)
        assert refused.value.remedy == "use the keys hours, breaks"


def test_names_and_hours_are_given_by_keyword():
    """Positions are for dates alone."""
    for make in (
        lambda: Holiday("2024-12-25", "2024-12-25", "Christmas"),
        lambda: YearlyHoliday("12-25", "12-25", "Christmas"),
        lambda: HolidayList([], {}),
    ):
        with pytest.raises(TypeError):
            make()


def test_a_yearly_holiday_is_made_of_texts_or_pairs():
    """Both ends are read alike."""
    assert YearlyHoliday("12-24", "12-26") == YearlyHoliday((12, 24), (12, 26))
    for first, last in (("12-24", "13-01"), ((12, 24), (2, 30)), ("2024-12-24", "12-26")):
        with pytest.raises(InvalidValue, match="is no month and day"):
            YearlyHoliday(first, last)


def test_a_list_reads_all_that_it_is_given():
    """Days, shifts, an end, a source: each is told by its name when it is wrong."""
    listed = HolidayList(
        ["2024-12-25", "12-26"], shifts={"2024-12-28": "09:00-10:00"}, known_until="2024-12-31", source="x"
    )
    assert listed.known_until == dt.date(2024, 12, 31)
    assert [str(day) for day, _ in listed.shifts] == ["2024-12-28"]
    assert [day.dates for day in listed.only(lambda day: day.dates == "12-26")] == ["12-26"]
    assert listed.only(lambda day: True) == listed
    for wrong, words in (
        ({"shifts": {"2024-02-30": ""}}, "^shifts '2024-02-30'"), ({"shifts": {"2024-02-03": "9-5"}}, "HH:MM"),
        ({"known_until": "soon"}, "^known_until 'soon'"), ({"source": 5}, "is no text"),
    ):  # fmt: skip
        with pytest.raises(InvalidValue, match=words):
            HolidayList([], **wrong)


def test_an_object_of_several_years_is_known_until_the_last():
    """As the holidays package tells."""
    holidays = pytest.importorskip("holidays")
    (listed,) = holiday_lists(holidays.country_holidays("DE", years=[2025, 2027, 2026]))
    assert listed.known_until == dt.date(2027, 12, 31)


def test_the_bounds_are_exact():
    """A part of each day of a leap year, ten thousand holidays; not one more."""
    assert Holiday("2024-01-01", "2024-12-31", closed="13:00-24:00").length == 366
    with pytest.raises(InvalidValue, match="over a year"):
        Holiday("2024-01-01", "2025-01-01", closed="13:00-24:00")
    day = dt.date(2024, 1, 1)
    days = [Holiday(day + dt.timedelta(days=k), day + dt.timedelta(days=k)) for k in range(10_001)]
    assert len(bounded(days[:10_000])) == 10_000
    assert len(bounded([Holiday("1900-01-01", "2300-01-01")])) == 1
    parts = [Holiday(d.first, d.last, closed="13:00-24:00") for d in days[:9_999]]
    assert len(bounded([*parts, YearlyHoliday("12-25", "12-25")])) == 10_000
    for many in (days, [*parts, YearlyHoliday("12-24", "12-25")]):
        with pytest.raises(InvalidValue, match="are more than 10000"):
            bounded(many)


def test_hours_that_are_no_span_of_a_day_are_refused():
    """Measured ones as well as those in words."""
    day = 86_400 * 10**6
    for wrong in ((day, day + 1), (0, 2 * day + 1), (5, 5), (-1, 5)):
        with pytest.raises(InvalidWindow):
            Holiday("2024-12-24", "2024-12-24", closed=(wrong, (0, 5)))
    assert Holiday("2024-12-24", "2024-12-24", closed=((day - 1, 2 * day),)).closed == ((day - 1, 2 * day),)


def test_years_are_for_yearly_holidays():
    """Each of the two words is told."""
    for word in ("since", "until"):
        with pytest.raises(InvalidValue, match=f"has {word}, but one year only"):
            holiday({"date": "2024-12-25", word: 2024})
    with pytest.raises(InvalidValue, match=r"^holiday .* unknown key 'colour'"):
        holiday({"date": "2024-12-25", "colour": "red", "size": 4})
    with pytest.raises(InvalidValue, match=r"^holiday '2024-02-30': is no date"):
        Holiday("2024-02-30", "2024-03-01")


month_days = st.dates(dt.date(2000, 1, 1), dt.date(2000, 12, 31)).map(lambda date: (date.month, date.day))


@given(month_days, month_days, st.none() | st.integers(1990, 2010), st.none() | st.integers(2011, 2030))
def test_a_yearly_rule_by_single_dates_falls_on_the_dates_of_the_rule(first, last, since, until):
    """Also over New Year, and on 29 February only where that lies in the range."""
    rule = YearlyHoliday(first, last, since=since, until=until)
    rows = list(rule.by_date())
    assert len(rows) == len({row[0] for row in rows}) == rule.length
    for year in (2000, 2008, 2012, 2028):  # leap years, so that no date of a rule is missing
        told = {
            dt.date(year, *month_day)
            for month_day, begins, ends in rows
            if (begins or 1) <= year <= (ends or 9999)
        }
        spans = [(held.first, held.last) for held in rule.occurrences(year)]
        days = (dt.date(year, 1, 1) + dt.timedelta(days=n) for n in range(366))
        assert told == {day for day in days if any(start <= day <= end for start, end in spans)}
