"""The layers of rules as values: what they come to for ever, and what their fingerprint is made of."""

import datetime as dt
import hashlib
import json

import pytest

from itsm_core.business_time import BusinessCalendar, HolidayList, Schedule, Week, always, hours
from itsm_core.business_time.given import parse_dated, parse_years
from itsm_core.business_time.windows import date_text
from itsm_core.errors import InvalidValue, InvalidWindow, NeverOpens

ROUND_THE_CLOCK = "daily 00:00-24:00"


def utc(year, month=1, day=1, hour=0):
    """An instant in UTC."""
    return dt.datetime(year, month, day, hour, tzinfo=dt.UTC)


def clock(**rules):
    """A desk around the clock in UTC, but for its rules."""
    return BusinessCalendar.weekly(ROUND_THE_CLOCK, zone="UTC", **rules)


# Rules far away, and how many whole days each takes out of 1900-2300.
FAR = [
    ("a holiday long ago", {"holidays": ["1950-06-01"]}, 1),
    ("a holiday to come", {"holidays": ["2090-06-01"]}, 1),
    ("a long one", {"holidays": ["2050-01-01..2059-12-31"]}, 3652),
    ("yearly until then", {"holidays": [{"date": "12-25", "until": 2089}]}, 190),
    ("yearly since then", {"holidays": [{"date": "12-25", "since": 1950}]}, 351),
    ("yearly for a while", {"holidays": [{"date": "12-25", "since": 1950, "until": 2089}]}, 140),
    (
        "over New Year until then",
        {"holidays": [{"from": "12-31", "to": "01-01", "since": 1900, "until": 2089}]},
        380,
    ),
    ("a shift", {"shifts": {"2090-06-01": ""}}, 1),
    ("a break long ago", {"breaks": {"1950-06-01": "00:00-24:00"}}, 1),
]


@pytest.mark.parametrize(("rules", "days"), [row[1:] for row in FAR], ids=[row[0] for row in FAR])
def test_rules_far_away_are_counted_from_either_side(rules, days):
    """Open for ever begins after the last rule and before the first, not sooner."""
    desk, first, last = clock(**rules), utc(1900), utc(2300, 12, 31)
    taken = dt.timedelta(days=days)
    assert clock(**rules).add(first, last - first - taken) == last
    assert clock(**rules).subtract(last, last - first - taken) == first
    assert desk.elapsed(first, last) == last - first - taken


@pytest.mark.parametrize("until", [None, 2020])
def test_open_for_ever_follows_the_end_of_a_yearly_rule(until):
    """While Christmas comes, the desk closes again; once it has ended, it does not."""
    desk = clock(holidays=[{"date": "12-25", "until": until}])
    christmas = utc(2026, 12, 25) if until is None else None
    assert desk.next_close(utc(2026, 3)) == christmas
    since = clock(holidays=[{"date": "12-25", "since": 2000}])
    assert (always("UTC") - since).previous_close(utc(1990)) is None
    assert (always("UTC") - since).next_open(utc(1990)) == utc(2000, 12, 25)


def test_a_year_ends_and_the_next_one_opens():
    """On the last evening of the year a table of that year knows no opening any more."""
    desk = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC", holidays=["12-25", "01-01"])
    assert desk.next_open(utc(2026, 12, 31, 20)) == utc(2027, 1, 4, 9)
    assert desk.previous_close(utc(2027, 1, 1, 1)) == utc(2026, 12, 31, 17)


def test_closed_for_good_is_closed_for_every_question():
    """Nothing opens again, and nothing can be added."""
    desk = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC", holidays=["2030-01-01..9999-12-31"])
    assert desk.next_open(utc(2030)) is None
    assert desk.next_close(utc(2030)) is None
    with pytest.raises(NeverOpens, match="never opens again"):
        desk.add(utc(2030), hours(1))
    assert desk.subtract(utc(2030), hours(8)) == utc(2029, 12, 31, 9)


def test_the_next_holiday_is_the_one_at_hand_or_the_first_to_come():
    """Dated or yearly, ended or under way."""
    desk = clock(
        holidays=[
            ("2026-01-01", "past"),
            ("2026-12-20..2026-12-31", "break"),
            ("12-25", "Christmas"),
            ("02-29", "leap"),
        ]
    )
    asked = {
        (2026, 1, 1): "past", (2026, 1, 2): "break", (2026, 12, 31): "break", (2027, 1, 1): "Christmas",
        (2027, 12, 25): "Christmas", (2027, 12, 26): "leap", (2096, 2, 29): "leap", (2096, 12, 26): "Christmas",
    }  # fmt: skip
    assert {date: desk.next_holiday(utc(*date)).name for date in asked} == asked
    rare = clock(holidays=[("02-29", "leap")])
    assert rare.next_holiday(utc(2096, 3)).first == dt.date(2104, 2, 29)
    assert clock(holidays=["2026-01-01"]).next_holiday(utc(2026, 1, 2)) is None


def test_the_fingerprint_is_made_of_these_rules_and_no_others():
    """SHA-256 of canonical JSON, written out by hand; rules that are not there are left out."""
    midnight, day = 0, 86_400_000_000
    desk = BusinessCalendar.weekly(
        "mon 09:00-17:00", zone="Europe/London", valid_from="2024-01-01", valid_to="2024-12-31",
        holidays=["2024-05-06..2024-05-07", "2024-05-08 00:00-12:00", "2024-05-08 12:00-24:00", ("2024-05-09 13:00-24:00", "x"),
                  "12-25", {"from": "12-31", "to": "01-01", "since": 2020, "until": 2021, "closed": "13:00-15:00"}],
        shifts={"2024-02-04": "10:30-16:30", "2024-02-05": ""}, breaks={"2024-02-06": "12:00-13:00", "2024-02-07": ""},
        cut_at_midnight=True, name="never part of it", version=7, known_until="2024-12-31",
    )  # fmt: skip
    hour = day // 24
    by_hand = {
        "zone": "Europe/London",
        "weeks": [["2024-01-01", "2024-12-31", [[[9 * hour, 17 * hour]], [], [], [], [], [], []]]],
        "holidays": [["2024-05-06", "2024-05-08"]],
        "parts": {"2024-05-09": [[13 * hour, 2 * day]]},
        "yearly": [
            [[1, 1], 2021, 2022, [[13 * hour, 15 * hour]]],
            [[12, 25], None, None, [[midnight, 2 * day]]],
            [[12, 31], 2020, 2021, [[13 * hour, 15 * hour]]],
        ],
        "shifts": {"2024-02-04": [[10 * hour + hour // 2, 16 * hour + hour // 2]], "2024-02-05": []},
        "breaks": {"2024-02-06": [[12 * hour, 13 * hour]]},
        "cut_at_midnight": True,
    }  # fmt: skip
    text = json.dumps(by_hand, sort_keys=True, separators=(",", ":"))
    assert desk.fingerprint == hashlib.sha256(text.encode()).hexdigest()


def test_what_lists_bring_along_gives_way_to_what_is_said():
    """Shifts of two lists and of the calendar, in the order of their dates; the nearest end counts."""
    lists = [
        HolidayList(
            [], shifts={"2026-03-07": "09:00-10:00", "2026-01-10": "09:00-10:00"}, known_until="2027-12-31"
        ),
        HolidayList([], shifts={"2026-02-07": "09:00-10:00"}, known_until="2026-12-31"),
    ]
    schedule = Schedule.of([Week.of("mon 09:00-17:00")], holidays=lists, shifts={"2026-02-07": "11:00-12:00"})
    assert [str(day) for day, _ in schedule.shifts] == ["2026-01-10", "2026-02-07", "2026-03-07"]
    assert dict(schedule.shifts)[dt.date(2026, 2, 7)] == ((11 * 3600 * 10**6, 12 * 3600 * 10**6),)
    assert schedule.known_until == dt.date(2026, 12, 31)
    assert schedule.cut_at_midnight is False
    assert [str(day) for day, _ in parse_dated({"2026-03-07": "", "2026-01-10": ""}, "shifts")] == [
        "2026-01-10",
        "2026-03-07",
    ]


def test_rules_are_told_by_their_names():
    """Which of the dated rules is wrong is said, and rules are given by keyword."""
    for name in ("shifts", "breaks"):
        with pytest.raises(InvalidValue, match=f"^{name} '2024-02-30': is no date"):
            Schedule.of([], **{name: {"2024-02-30": ""}})
        with pytest.raises(InvalidWindow):
            Schedule.of([], **{name: {"2024-02-03": "9-5"}})
    with pytest.raises(TypeError):
        Schedule((), (), ())


def test_the_holidays_of_a_country_take_all_that_the_function_takes():
    """The keys of the entry are its arguments."""
    pytest.importorskip("holidays")
    named = {
        "country": "TR", "years": [2024], "subdivision": None, "categories": ["public"], "language": "en_US",
        "half_days": "09:00-13:00", "make_up_days": "09:00-18:00", "known_until": "2024-06-30",
    }  # fmt: skip
    desk = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/Istanbul", holidays=[named])
    assert desk.to_dict()["known_until"] == "2024-06-30"
    assert {holiday.name for holiday in desk.holidays if holiday.closed} >= {"Republic Day (from 1pm)"}
    with pytest.raises(
        InvalidValue, match=r"^holidays of a country .* unknown key 'colour'; use the keys country, years"
    ):
        BusinessCalendar.weekly(
            "mon 09:00-17:00", zone="UTC", holidays=[{**named, "colour": "red", "size": 4}]
        )


def test_years_have_bounds():
    """The first and the last that a date can have, and at most four hundred."""
    assert parse_years([9999, 1]) == (1, 9999)
    assert len(parse_years(range(1600, 2000))) == 400
    for wrong in (0, 10_000, [1, 0]):
        with pytest.raises(InvalidValue, match="is no year from 1 to 9999"):
            parse_years(wrong)
    with pytest.raises(InvalidValue, match="are more than 400"):
        parse_years(range(1600, 2001))


def test_dates_are_worded_in_english_whatever_the_host_speaks():
    """Twelve months and seven weekdays, not those of setlocale."""
    first = dt.date(2024, 1, 1)
    assert [date_text(first.replace(month=month)).split()[2] for month in range(1, 13)] == (
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    )
    assert [date_text(first + dt.timedelta(days=k)).split()[0] for k in range(7)] == (
        ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    )


# -- the layers themselves -------------------------------------------------------------------------


def ordinal(text):
    """The ordinal of a date."""
    return dt.date.fromisoformat(text).toordinal()


SETTLED = [
    # what, its rules, the first and the last date that some rule names (None: no rule names one)
    ("no dated rule", {}, None, None),
    ("a yearly rule without bounds", {"holidays": ["12-25"]}, None, None),
    ("a date", {"holidays": ["2025-01-10"]}, "2025-01-10", "2025-01-10"),
    ("a range", {"holidays": ["2025-01-10..2025-02-20"]}, "2025-01-10", "2025-02-20"),
    ("a range for good", {"holidays": ["2025-01-10..9999-12-31"]}, "2025-01-10", "2025-01-10"),
    ("a shift and a break", {"shifts": {"2025-03-01": ""}, "breaks": {"2024-03-01": ""}}, "2024-03-01", "2025-03-01"),
    ("yearly since", {"holidays": [{"date": "12-25", "since": 2020}]}, "2020-01-01", "2020-01-01"),
    # what begins in the last year may reach into the one after it
    ("yearly until", {"holidays": [{"date": "12-25", "until": 2020}]}, "2021-12-31", "2021-12-31"),
    ("yearly until the end", {"holidays": [{"date": "12-25", "until": 9999}]}, "2300-12-31", "2300-12-31"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "first", "last"), [row[1:] for row in SETTLED], ids=[row[0] for row in SETTLED]
)
def test_weeks_only_repeat_four_days_from_the_dates_that_rules_name(rules, first, last):
    """A window reaches two days from its date, and a local date is a day off at most."""
    schedule = Schedule.of([Week.of("mon 09:00-17:00")], **rules)
    if first is None:
        before, after = schedule.settled
        assert before > ordinal("2300-12-31")
        assert after < ordinal("1900-01-01")
    elif last == "2300-12-31":
        assert schedule.settled[1] >= ordinal(last)
    else:
        assert schedule.settled == (ordinal(first) - 4, ordinal(last) + 4)


def test_the_dates_of_weeks_are_named_by_rules_too():
    """From and to."""
    weeks = [Week.of("mon 09:00-17:00", valid_from="2024-05-01", valid_to="2024-06-30")]
    assert Schedule.of(weeks).settled == (ordinal("2024-04-27"), ordinal("2024-07-04"))


YEAR = "01-01..12-31"
CLOSED = [
    ("a week", "mon 09:00-17:00", {}, False, False),
    ("no week", "", {"shifts": {"2024-02-05": "09:00-17:00"}}, True, True),
    ("no Mondays", "mon 09:00-17:00", {"holidays": [YEAR]}, True, True),
    ("some Mondays", "mon 09:00-17:00", {"holidays": ["02-01..12-31"]}, False, False),
    ("leap days that are Mondays", "mon 09:00-17:00", {"holidays": ["01-01..02-28", "03-01..12-31"]}, False, False),
    ("no Mondays since", "mon 09:00-17:00", {"holidays": [{"from": "01-01", "to": "12-31", "since": 2020}]}, False, True),
    ("no Mondays until", "mon 09:00-17:00", {"holidays": [{"from": "01-01", "to": "12-31", "until": 2020}]}, True, False),
    ("closed for good", "mon 09:00-17:00", {"holidays": ["2030-01-01..9999-12-31"]}, False, True),
    ("an afternoon beyond what counts", "mon 09:00-17:00", {"holidays": ["2301-02-05 12:00-24:00"]}, False, False),
    ("closed until the end of what counts", "mon 09:00-17:00", {"holidays": ["2030-01-01..2301-01-02"]}, False, False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("week", "rules", "before", "after"), [row[1:] for row in CLOSED], ids=[row[0] for row in CLOSED]
)
def test_closed_for_ever_is_told_by_the_rules(week, rules, before, after):
    """Before all dated rules, and after them."""
    schedule = Schedule.of([Week.of(week)] if week else [], **rules)
    assert (schedule.closed_before, schedule.closed_after) == (before, after)


@pytest.mark.parametrize(("cut", "end"), [(False, 30), (True, 24)])
def test_a_holiday_cuts_the_night_before_only_if_told_to(cut, end):
    """The tail after midnight of the 4th, a holiday; the night after it is gone altogether."""
    hour = 3_600_000_000
    schedule = Schedule.of([Week.of("daily 22:00-06:00")], holidays=["2024-03-04"], cut_at_midnight=cut)
    assert schedule.windows_on(ordinal("2024-03-03")) == ((22 * hour, end * hour),)
    assert schedule.windows_on(ordinal("2024-03-04")) == ()
    assert schedule.windows_on(ordinal("2024-03-05")) == ((22 * hour, 30 * hour),)
    days = Schedule.of([Week.of("daily 00:00-24:00")], holidays=["2024-03-04"], cut_at_midnight=cut)
    assert days.windows_on(ordinal("2024-03-03")) == ((0, 24 * hour),)


def test_breaks_of_the_dates_around_take_open_time_of_a_date():
    """Of the same date, of the next one, and none of the date before."""
    hour, day = 3_600_000_000, 86_400_000_000
    breaks = {"2024-03-03": "00:00-24:00", "2024-03-04": "23:00-23:30", "2024-03-05": "01:00-02:00"}
    schedule = Schedule.of([Week.of("daily 22:00-06:00")], breaks=breaks)
    base = (ordinal("2024-03-04") - ordinal("1970-01-01")) * day
    expected = [(22, 23), (23.5, 25), (26, 30)]
    found = schedule.open_time(ordinal("2024-03-04"), ordinal("2024-03-04"))
    assert found == [(base + int(a * hour), base + int(b * hour)) for a, b in expected]


def test_yearly_rules_are_told_apart_by_what_they_close():
    """Their names decide nothing; the order of rules with and without bounds is the same in every run."""
    named = Schedule.of([], holidays=[("12-25", "Christmas"), {"date": "12-25", "since": 2020}, "12-26"])
    plain = Schedule.of([], holidays=["12-26", {"date": "12-25", "since": 2020}, ("12-25", "Noel")])
    assert named.rules() == plain.rules()
    assert len(named.rules()["yearly"]) == 3


def test_what_a_schedule_does_not_have_is_not_told():
    """No sources, no parts, no yearly rules: fingerprints of calendars without them stay what they are."""
    plain = Schedule.of([Week.of("mon 09:00-17:00")], holidays=[HolidayList(["2024-05-06"])])
    assert plain.sources == ()
    assert set(plain.rules()) == {"weeks", "holidays", "shifts", "breaks", "cut_at_midnight"}
