"""Holidays of countries: what the package knows, in the years asked, with the hours that were said."""

import datetime as dt
import os
import sys
from importlib.metadata import version

import holidays as package
import pytest

from itsm_core.business_time import BusinessCalendar
from itsm_core.business_time.holidays import Holiday
from itsm_core.business_time.instants import DAY, HOUR
from itsm_core.business_time.national import national_holidays
from itsm_core.errors import InvalidValue, InvalidWindow

# Legal holidays of Massachusetts as the Secretary of the Commonwealth lists them (M.G.L. c. 4, s. 7),
# those of Suffolk County alone left out. Of a Sunday the Monday is kept, of a Saturday nothing.
MASSACHUSETTS = {
    2015: """01-01 01-19 02-16 04-20 05-25 07-04 09-07 10-12 11-11 11-26 12-25""",
    2016: """01-01 01-18 02-15 04-18 05-30 07-04 09-05 10-10 11-11 11-24 12-25 12-26""",
}


def dates(found):
    """The dates of a list as text; each of its holidays has one."""
    assert all(day.first == day.last for day in found)
    return [day.first.isoformat() for day in found]


def refused(*args, **asked):
    """The message with which a question is refused."""
    with pytest.raises(InvalidValue) as error:
        national_holidays(*args, **{"years": 2024, **asked})
    assert error.value.remedy
    return str(error.value)


# -- dates -----------------------------------------------------------------------------------------


def test_a_subdivision_has_the_holidays_of_its_official_list():
    """Boston's years: the eleven legal holidays of Massachusetts, Patriots' Day among them."""
    wanted = [f"{year}-{day}" for year, days in MASSACHUSETTS.items() for day in days.split()]
    found = national_holidays("US", subdivision="MA", years=(2015, 2016))
    assert dates(found) == wanted
    assert Holiday("2015-04-20", "2015-04-20", name="Patriots' Day") in found.days
    assert found.shifts == ()


def test_the_subdivision_makes_the_difference():
    """Without it there are the country's holidays only."""
    assert "2015-04-20" not in dates(national_holidays("US", years=2015))


def test_a_list_says_where_it_comes_from_and_how_far_it_reaches():
    """The source names package, version, place and years; it is known until the last year's end."""
    found = national_holidays("US", subdivision="MA", years=[2018, 2016, 2015])
    assert found.source == f"holidays {version('holidays')}: US-MA, 2015-2016, 2018"
    assert found.known_until == dt.date(2018, 12, 31)
    assert national_holidays("USA", years=2024).source.endswith(": US, 2024")


@pytest.mark.parametrize("known_until", ["2024-10-12", dt.date(2024, 10, 12)], ids=["text", "date"])
def test_a_country_may_be_known_for_a_shorter_time(known_until):
    """A caller who knows how far the announcements reach says so."""
    assert national_holidays("CN", years=2024, known_until=known_until).known_until == dt.date(2024, 10, 12)


def test_a_day_observed_in_another_year_belongs_to_its_own_date():
    """New Year of 2022 was observed on 31 December 2021: it is a holiday of 2021 alone."""
    assert "2021-12-31" in dates(national_holidays("US", years=2021))
    assert "2021-12-31" not in dates(national_holidays("US", years=2022))
    assert "2021-12-31" in dates(national_holidays("US", years=(2021, 2022)))


def test_each_year_is_the_same_alone_and_among_others():
    """What a year holds does not depend on what else is asked."""
    asked = {"make_up_days": "09:00-18:00", "language": "en_US"}
    alone = [national_holidays("CN", years=year, **asked) for year in range(2020, 2026)]
    together = national_holidays("CN", years=range(2020, 2026), **asked)
    assert together.days == tuple(day for found in alone for day in found)
    assert together.shifts == tuple(shift for found in alone for shift in found.shifts)


def test_names_of_one_date_are_joined_in_a_fixed_order():
    """Two holidays on one date are one closed date with both names."""
    found = national_holidays("AU", subdivision="NSW", years=2011)
    (day,) = [day for day in found if day.dates == "2011-04-25"]
    assert day.name == "ANZAC Day; Easter Monday"


def test_names_do_not_follow_the_language_of_the_machine(monkeypatch):
    """They are in the country's default language, or in the one asked for."""
    monkeypatch.setitem(os.environ, "LANGUAGE", "en_US")
    assert national_holidays("CN", years=2024).days[0].name == "元旦"
    assert national_holidays("CN", years=2024, language="en_US").days[0].name == "New Year's Day"


def test_categories_may_be_one_or_several():
    """A text is one category; several are asked for together."""
    public = national_holidays("DE", subdivision="BY", years=2024, categories="public")
    both = national_holidays("DE", subdivision="BY", years=2024, categories=["public", "catholic"])
    assert set(dates(both)) - set(dates(public)) == {"2024-08-15"}  # Assumption Day


# -- make-up days ----------------------------------------------------------------------------------


def test_make_up_days_are_left_out_unless_their_hours_are_said():
    """Nobody guesses how long a Chinese desk works on a working Sunday."""
    assert national_holidays("CN", years=2024).shifts == ()


def test_make_up_days_are_shifts_in_the_years_asked():
    """In 2024 China worked on eight weekend days; those of other years are not taken along."""
    found = national_holidays("CN", years=2024, make_up_days="09:00-12:00 13:00-18:00")
    assert [day.strftime("%m-%d") for day, _ in found.shifts] == [
        "02-04", "02-18", "04-07", "04-28", "05-11", "09-14", "09-29", "10-12",
    ]  # fmt: skip
    assert {day.year for day, _ in found.shifts} == {2024}
    assert {windows for _, windows in found.shifts} == {((9 * HOUR, 12 * HOUR), (13 * HOUR, 18 * HOUR))}


def test_a_calendar_opens_on_a_make_up_day():
    """Sunday 2024-02-04 is open from nine to six, the Sunday after is not."""
    made_up = national_holidays("CN", years=2024, make_up_days="09:00-18:00")
    desk = BusinessCalendar.weekly("mon-fri 10:30-16:30", zone="Asia/Shanghai", holidays=made_up)
    sundays = [dt.datetime(2024, 2, day, 9, 30, tzinfo=desk.zone) for day in (4, 11)]
    assert list(map(desk.is_open, sundays)) == [True, False]
    assert desk.elapsed(sundays[0], sundays[1]) == dt.timedelta(hours=8.5 + 5 * 6)  # eve: Friday is off


def test_a_country_without_make_up_days_has_none():
    """To say their hours for Germany is no error: there are none."""
    assert national_holidays("DE", years=2024, make_up_days="09:00-18:00").shifts == ()


def test_make_up_days_without_hours_are_refused():
    """An empty text would close the very days that are worked."""
    assert "make_up_days '': name no hours" in refused("CN", make_up_days="")


# -- half-days -------------------------------------------------------------------------------------


def test_half_days_close_outside_the_hours_said():
    """Turkey's Republic Day begins at 13:00 the day before: until then the desk is open."""
    found = national_holidays("TR", years=2024, half_days="09:00-13:00", language="en_US")
    (eve,) = [day for day in found if day.dates == "2024-10-28"]
    assert eve.name == "Republic Day (from 1pm)"
    assert eve.closed == ((0, 9 * HOUR), (13 * HOUR, 2 * DAY))
    desk = BusinessCalendar.weekly("mon-fri 08:00-18:00", zone="Europe/Istanbul", holidays=found)
    monday = dt.datetime(2024, 10, 28, tzinfo=desk.zone)
    assert desk.elapsed(monday, monday + dt.timedelta(days=1)) == dt.timedelta(hours=4)


def test_half_days_open_nothing():
    """On a weekend a half-day stays as closed as the week says."""
    found = national_holidays("GR", years=2022, half_days="09:00-13:00")  # 24 December: a Saturday
    desk = BusinessCalendar.weekly("mon-fri 08:00-18:00", zone="Europe/Athens", holidays=found)
    assert not desk.is_open(dt.datetime(2022, 12, 24, 10, tzinfo=desk.zone))


def test_a_date_of_both_kinds_is_closed_all_day():
    """Where the eve of a feast falls on a public holiday, the half-day gives way."""
    halves = set(package.TR(years=range(2000, 2031), categories="half_day"))
    both = sorted(halves & set(package.TR(years=range(2000, 2031))))
    assert both, "the package knows no such date any more: find another country"
    found = national_holidays("TR", years=[day.year for day in both], half_days="09:00-13:00")
    assert [day.closed for day in found if day.first in both] == [()] * len(both)


def test_half_days_can_be_asked_for_alone():
    """A category of its own: only the eves, no public holiday."""
    found = national_holidays("GR", years=2024, categories="half_day", half_days="09:00-13:00")
    assert dates(found) == ["2024-12-24", "2024-12-31"]


def test_half_days_may_be_closed_all_day_or_not_at_all():
    """No hours close them all day; a whole day of hours leaves them as they are."""
    closed = national_holidays("GR", years=2024, categories="half_day", half_days="")
    assert [day.closed for day in closed] == [(), ()]
    assert len(national_holidays("GR", years=2024, categories="half_day", half_days="00:00-24:00")) == 0


def test_half_days_without_hours_are_refused():
    """The category alone does not tell how long a desk is open."""
    said = refused("TR", categories=("public", "half_day"))
    assert 'nobody said which; say the hours in which the desk is still open: half_days="09:00-13:00"' in said


def test_half_days_of_a_country_without_any_are_refused():
    """Hours for days that Germany does not have are a mistake."""
    said = refused("DE", half_days="09:00-13:00")
    assert "category 'half_day': is no category of DE; use catholic, public, school" in said


def test_hours_are_read_as_those_of_a_desk():
    """Hours that are none are refused with an example."""
    with pytest.raises(InvalidWindow, match=r"write for example"):
        national_holidays("TR", years=2024, half_days="9-13")


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("country", "remedy"),
    [
        ("de", "did you mean DE?"),
        ("Germany", "did you mean DE?"),
        ("Untied States", "did you mean US?"),
        ("Korea", "did you mean KR?"),
        ("South Georgia and the South Sandwich Islands" + "!" * 1000, "did you mean GS?"),
        ("XX", 'write an ISO 3166 code such as "US" or "CN"'),
        ("", 'write an ISO 3166 code such as "US" or "CN"'),
        (None, 'write an ISO 3166 code such as "US" or "CN"'),
        (["US"], 'write an ISO 3166 code such as "US" or "CN"'),
        ("utils", 'write an ISO 3166 code such as "US" or "CN"'),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_an_unknown_country_is_refused(country, remedy):
    """By its name, with the code that comes near; no attribute of the package is taken for one."""
    assert refused(country).endswith(f"is none that the holidays package knows; {remedy}")


@pytest.mark.parametrize(
    ("country", "asked", "said"),
    [
        ("US", {"subdivision": "ma"}, "subdivision 'ma': is none of US; did you mean MA"),
        ("US", {"subdivision": "Masachusets"}, "did you mean Massachusetts?"),
        ("US", {"subdivision": "Nort Carolina"}, "did you mean North Carolina or South Carolina?"),
        ("US", {"subdivision": "??"}, "is none of US; use AK, AL, AR"),
        ("US", {"subdivision": 25}, "is none of US; use AK"),
        ("VA", {"subdivision": "X"}, "is none of VA; leave it out: it has none"),
        ("US", {"categories": "pubic"}, "category 'pubic': is no category of US; did you mean public?"),
        ("US", {"categories": [[]]}, "category []: is no category of US; use government"),
        ("US", {"categories": []}, "categories []: name no category; leave them out"),
        ("US", {"categories": 5}, "categories 5: are no list of names"),
        ("CN", {"language": "en_GB"}, "language 'en_GB': is not one of the names of CN; use en_US, th"),
        ("CN", {"language": "zh_cn"}, "did you mean zh_CN?"),
        ("CN", {"language": "n_us"}, "did you mean en_US?"),
        ("US", {"years": 2101}, "years 2101: is beyond what the holidays package computes for US"),
        ("US", {"years": (1500, 2024)}, "ask for years from 1777 to 2100"),
        ("US", {"years": True}, "years True: is no year"),
        ("US", {"known_until": "soon"}, "known_until 'soon': is no date"),
        ("US", {"known_until": ""}, "known_until '': is no date"),
    ],
    ids=repr,
)
def test_what_the_package_does_not_know_is_refused(country, asked, said):
    """Each error names the thing and what would have been known."""
    assert said in refused(country, **asked)


def test_a_long_list_is_shown_by_its_first_forty_names():
    """Of the states of the USA, by code and by name, the rest are dots; a shorter list is shown whole."""
    names = refused("US", subdivision="??").partition("; use ")[2].split(", ")
    assert (len(names), names[0], names[-1]) == (41, "AK", "...")
    assert refused("BT", subdivision="??").endswith("Zhemgang")  # twenty districts, by code and by name
    assert refused("CN", language="??").endswith("zh_TW")


def test_the_first_and_the_last_year_of_a_country_can_be_asked_for():
    """The package computes the United States from 1777 to 2100."""
    assert dates(national_holidays("US", years=1777)) == ["1777-12-18"]  # the first Thanksgiving
    assert "2100-07-04" in dates(national_holidays("US", years=2100))


def test_years_of_which_the_package_warns_are_refused_unless_they_are_trusted():
    """India's moving feasts are known until 2035: beyond, a caller says how far the dates go."""
    said = refused("IN", years=(2030, 2036, 2040))
    assert said.startswith("years 2040: are not all known: ")
    assert said.endswith('; ask for fewer years, or say how far you trust them: known_until="2025-12-31"')
    assert "2040-01-26" in dates(national_holidays("IN", years=2040, known_until="2040-01-31"))


def test_a_country_of_one_language_has_no_choice():
    """Where names come in one language, asking for another is refused."""
    codes = package.list_supported_countries(include_aliases=False)
    code = next(code for code in codes if not package.country_holidays(code).supported_languages)
    said = refused(code, years=2020, language="en_US")
    assert f"is no choice: the names of {code} come in one language; leave it out" in said


def test_a_territory_knows_the_subdivisions_of_its_country():
    """Puerto Rico takes those of the United States, as the package does."""
    assert len(national_holidays("PR", subdivision="MA", years=2024))


def test_a_package_that_is_missing_is_named(monkeypatch):
    """The error says which extra to install."""
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(ImportError) as error:
        national_holidays("US", years=2024)
    assert str(error.value) == "national_holidays needs its extra: pip install 'itsm-core[holidays]'"
