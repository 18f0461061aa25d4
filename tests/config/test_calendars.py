"""Calendars in files: hours as text, members by name, and every key of a calendar's dict."""

import sys

import pytest
from hypothesis import given

from calendars import desks
from itsm_core.business_time import BusinessCalendar
from itsm_core.business_time.holidays import YearlyHoliday
from itsm_core.config import load_calendars
from itsm_core.config.calendars import named_calendars, read_calendars
from itsm_core.config.reading import Place, bounded
from itsm_core.errors import InvalidInput

TOKYO = '[calendars.tokyo]\nzone = "Asia/Tokyo"\nhours = "mon-fri 09:00-18:00"\n'
LONDON = '[calendars.london]\nzone = "Europe/London"\nhours = "mon-fri 09:00-17:00"\n'


@pytest.fixture
def calendars(write):
    """`calendars(text)`: those of a file with this text."""
    return lambda text: load_calendars(write(text))


def london():
    return BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/London")


def tokyo():
    return BusinessCalendar.weekly("mon-fri 09:00-18:00", zone="Asia/Tokyo")


# --- members by their names -------------------------------------------------------------------


def test_a_combination_names_its_members(calendars):
    """Wherever in the file they stand; the operators of calendars say the same."""
    found = calendars(
        '[calendars.both]\nbase = "london"\nwithin = ["tokyo"]\n'
        '[calendars.rest]\nbase = "london"\nwithout = ["tokyo"]\n'
        '[calendars.either]\nzone = "Asia/Tokyo"\nany_of = ["london", "tokyo"]\n' + TOKYO + LONDON
    )
    assert found["both"] == london() & tokyo()
    assert found["rest"] == london() - tokyo()
    assert found["either"] == tokyo() | london()
    assert [found[name].name for name in found] == list(found)


def test_a_member_may_stand_where_it_is_used(calendars):
    """A table in the place of a name."""
    found = calendars(
        LONDON + '[calendars.rest]\nbase = "london"\nwithout = [{ zone = "UTC", hours = "always" }]\n'
    )
    assert found["rest"] == BusinessCalendar.never("Europe/London")


def test_a_calendar_has_the_name_of_its_table_or_its_own(calendars):
    """An empty one is none."""
    found = calendars(
        LONDON + TOKYO + 'name = "Tokyo desk"\nversion = 2\n[calendars.x]\nbase = "london"\nname = ""\n'
    )
    assert [one.name for one in found.values()] == ["london", "Tokyo desk", None]
    assert [one.version for one in found.values()] == [1, 2, 1]


# --- every rule of the dict form ----------------------------------------------------------------


def test_each_rule_says_what_it_says_in_python(every_key):
    """The calendar with every key is the one that Python makes of the same rules."""
    found = load_calendars(every_key)["shanghai"]
    rules = found.to_dict()
    assert (found.name, found.version, rules["tz"]) == ("Shanghai desk", 2, "Asia/Shanghai")
    assert rules["hours"]["tue"] == [["09:00", "12:00"], ["13:00", "18:00"]]
    assert rules["weekly_breaks"] == {"fri": [["15:00", "15:30"]]}
    assert (rules["valid_from"], rules["valid_to"]) == ("2024-01-01", "2026-12-31")
    assert [(week["valid_from"], week["valid_to"]) for week in rules["weeks"]] == [
        ("2027-01-01", "2027-12-31")
    ]
    assert (rules["cut_at_midnight"], rules["known_until"]) == (True, "2026-12-31")
    assert rules["sources"][0] == "the ministry"
    assert rules["sources"][1].endswith("US-MA, 2026")
    assert rules["breaks"] == {"2024-03-08": [["14:00", "18:00"]]}
    named = {holiday.name: holiday.dates for holiday in found.holidays}
    assert named["Qingming"] == "2024-04-04"
    assert named["Patriots' Day"] == "2026-04-20"  # the third Monday of April, in Massachusetts
    assert YearlyHoliday("10-01", "10-07", since=2024, until=2030) in found.holidays


def test_a_calendar_of_shifts_alone_says_that_it_has_no_weekly_hours(calendars):
    """So that hours which somebody forgot are not taken for none."""
    found = calendars(
        '[calendars.fair]\nzone = "UTC"\nhours = ""\nshifts = { "2026-05-01" = "09:00-18:00" }\n'
    )
    assert found["fair"].to_dict()["shifts"] == {"2026-05-01": [["09:00", "18:00"]]}
    with pytest.raises(InvalidInput, match=r"calendars.fair .*lacks keys; add hours"):
        calendars('[calendars.fair]\nzone = "UTC"\nshifts = { "2026-05-01" = "09:00-18:00" }\n')


# fmt: off
BAD = {
    "itself":        ('[calendars.a]\nbase = "a"\n', "calendars.a 'a -> a': is made of itself; leave one out"),
    "circle":        ('[calendars.a]\nbase = "b"\n[calendars.b]\nzone = "UTC"\nany_of = ["a"]\n', "calendars.a 'a -> b -> a': is made of itself"),
    "circle-inside": ('[calendars.a]\nbase = { base = "a" }\n', "calendars.a 'a -> ... -> a': is made of itself"),
    "unknown":       (LONDON + '[calendars.a]\nbase = "londn"\n', r"calendars.a.base 'londn': is not defined; did you mean london\?"),
    "unknown-far":   (LONDON + '[calendars.a]\nbase = "london"\nwithin = ["x"]\n', r"calendars.a.within\[1\] 'x': is not defined; defined are: a, london"),
    "base-zone":     (LONDON + '[calendars.a]\nbase = "london"\nzone = "UTC"\n', "calendars.a.zone 'UTC': differs from that of the base, Europe/London"),
    "base-number":   ("[calendars.a]\nbase = 1\n", "calendars.a.base 1: is no table"),
    "base-hours":    (LONDON + '[calendars.a]\nbase = "london"\nhours = ""\n', "key of calendars.a, which has a base, 'hours': is unknown"),
    "base-version":  (LONDON + '[calendars.a]\nbase = "london"\nversion = 0\n', "calendars.a.version 0: is no version"),
    "within-text":   (LONDON + '[calendars.a]\nbase = "london"\nwithin = "london"\n', "calendars.a.within 'london': is no list; write"),
    "any-of-zone":   ("[calendars.a]\nany_of = []\n", "calendars.a .*lacks keys; add zone"),
    "any-of-mars":   ('[calendars.a]\nany_of = []\nzone = "Mars"\n', "calendars.a: zone 'Mars': is not in the IANA"),
    "never":         ('[calendars.a]\nzone = "UTC"\nnever_opens = true\nholidays = []\n', "key of calendars.a, which never opens, 'holidays': is unknown"),
    "never-not":     ('[calendars.a]\nzone = "UTC"\nnever_opens = false\n', "calendars.a .*lacks keys; add hours"),
    "never-text":    ('[calendars.a]\nzone = "UTC"\nnever_opens = "yes"\nhours = ""\n', "calendars.a.never_opens 'yes': is neither true nor false"),
    "no-hours":      ('[calendars.a]\nzone = "UTC"\nhours = ""\n', "calendars.a .*never opens; give it hours"),
    "name-number":   ("[calendars.a]\nname = 1\n", "calendars.a.name 1: is no text"),
    "week-key":      (LONDON + 'weeks = [{ hours = "", valid_form = 2026-01-01 }]\n', r"key of calendars.london.weeks\[1\] 'valid_form': is unknown; did you mean valid_from"),
    "week-text":     (LONDON + 'weeks = ["mon 09:00-10:00"]\n', r"calendars.london.weeks\[1\] .*is no table"),
    "week-hours":    (LONDON + 'weeks = [{ hours = "xyz" }]\n', r"calendars.london.weeks\[1\].hours 'xyz': "),
    "weeks-many":    (LONDON + "weeks = [" + '{ hours = "mon 09:00-10:00" },' * 501 + "]\n", "calendars.london: weeks 502: are more than 500"),
    "dates-swapped": (LONDON + "valid_from = 2026-01-02\nvalid_to = 2026-01-01\n", "calendars.london: valid_to '2026-01-01': lies before valid_from"),
    "shift-date":    (LONDON + 'shifts = { soon = "" }\n', "calendars.london: shifts 'soon': is no date"),
    "shift-hours":   (LONDON + 'shifts = { "2026-01-01" = "9-17" }\n', "calendars.london.shifts.2026-01-01: windows '9-17'"),
    "sources":       (LONDON + "sources = [1]\n", "calendars.london.sources 1: is no text"),
    "known-until":   (LONDON + "known_until = 2026-01-01T00:00:00\n", "calendars.london.known_until .*is no date"),
    "holiday":       (LONDON + 'holidays = ["12-25", "13-01"]\n', r"calendars.london.holidays\[2\]: holiday '13-01'"),
    "country":       (LONDON + 'holidays = [{ country = "ZZ", years = 2026 }]\n', "calendars.london: country 'ZZ'"),
    "country-key":   (LONDON + 'holidays = [{ country = "US", years = 2026, state = "MA" }]\n', "calendars.london: .*unknown key 'state'"),
    "countries":     (LONDON + "holidays = [" + '{ country = "US", years = 2026 },' * 101 + "]\n", "calendars.london.holidays 'country': stands over 100 times"),
    "many":          ("".join(LONDON.replace("london", f"c{n}") for n in range(101)), "calendars 101: are more than 100"),
    "names-listed":  ("".join(LONDON.replace("london", f"c{n:02}") for n in range(30)) + '[calendars.a]\nbase = "?"\n', "defined are: a, c00, c01, .*c18, ..."),
}
# fmt: on


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_a_bad_calendar_is_refused_with_file_key_and_remedy(calendars, text, said):
    """Also one that another one names."""
    with pytest.raises(InvalidInput, match=said) as caught:
        calendars(text)
    assert caught.value.file.endswith("agreement.toml")


def test_calendars_nest_as_deep_as_calendars_do(calendars):
    """By names or in one another: twenty, and one more is refused."""

    def chain(count):
        names = "".join(f'[calendars.c{n}]\nbase = "c{n + 1}"\n' for n in range(count))
        return names + LONDON.replace("london", f"c{count}")

    def nest(count):
        return (
            LONDON + "[calendars.deep]\nbase = " + "{ base = " * (count - 2) + '"london"' + " }" * (count - 2)
        )

    assert calendars(chain(19))["c0"] == london()
    assert calendars(nest(19))["deep"] == london()
    for text in (chain(20), nest(22)):
        with pytest.raises(InvalidInput, match="is nested over 20 deep"):
            calendars(text)


def test_a_calendar_named_many_times_is_read_once(calendars):
    """Forty levels, each of which names the one below five times, are no 5 to the power of 40."""
    laugh = "".join(
        f'[calendars.c{n}]\nzone = "Europe/London"\nany_of = ["c{n - 1}", "c{n - 1}", "c{n - 1}", "c{n - 1}", "c{n - 1}"]\n'
        for n in range(1, 41)
    )
    assert calendars(LONDON.replace("london", "c0") + laugh)["c40"] == london()


def test_holidays_of_a_country_without_their_extra_are_refused(calendars, monkeypatch):
    """With the way to install it."""
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(
        InvalidInput, match=r"calendars.london.holidays .*pip install 'itsm-core\[holidays\]'"
    ):
        calendars(LONDON + 'holidays = [{ country = "US", years = 2026 }]\n')


# --- writing ----------------------------------------------------------------------------------


@pytest.mark.law
@given(desks)
def test_a_calendar_comes_back_from_its_table(desk):
    """Whatever its rules are: alone, combined, or without any hours."""
    order, tables = named_calendars([desk.calendar])
    found = read_calendars(Place(""), bounded(Place(""), tables))
    assert found[order[0]].to_dict() == desk.calendar.to_dict()


def test_equal_calendars_share_a_table_and_others_never_a_name():
    """A calendar of the same rules under another version is another one; one without a name gets one."""
    first, again, other = london().named("desk"), london().named("desk"), london().named("desk", 2)
    order, tables = named_calendars([first, again, other, tokyo(), tokyo(), BusinessCalendar.always("UTC")])
    assert order == ["desk", "desk", "desk-2", "calendar", "calendar", "calendar-2"]
    assert tables == {
        "desk": {"zone": "Europe/London", "hours": "mon-fri 09:00-17:00"},
        "desk-2": {"zone": "Europe/London", "hours": "mon-fri 09:00-17:00", "version": 2, "name": "desk"},
        "calendar": {"zone": "Asia/Tokyo", "hours": "mon-fri 09:00-18:00", "name": ""},
        "calendar-2": {"zone": "UTC", "hours": "always", "name": ""},
    }


def test_a_calendar_that_is_always_open_but_for_a_break_is_not_always_open():
    """The short word stands for the whole of it only."""
    calendar = BusinessCalendar.weekly("daily 00:00-24:00", zone="UTC", breaks={"2026-01-01": "09:00-10:00"})
    _, tables = named_calendars([calendar.named("c")])
    assert tables["c"] == {
        "zone": "UTC",
        "hours": "daily 00:00-24:00",
        "breaks": {"2026-01-01": "09:00-10:00"},
    }


def test_a_calendar_that_never_opens_says_so_and_has_no_hours():
    """It comes back as the same one."""
    never = BusinessCalendar.never("UTC").named("shut")
    order, tables = named_calendars([never])
    assert tables == {"shut": {"zone": "UTC", "never_opens": True}}
    assert read_calendars(Place(""), tables)[order[0]] == never
