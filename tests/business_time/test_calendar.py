"""BusinessCalendar as a value: making, refusing, comparing, writing and reading, searching."""

import copy
import datetime as dt
import json
import pickle
from zoneinfo import ZoneInfo

import pendulum
import pytest

from itsm_core.business_time import (
    BusinessCalendar,
    Holiday,
    Interval,
    Schedule,
    Week,
    always,
    business_days,
    hours,
    minutes,
    never,
)
from itsm_core.business_time.holidays import holiday
from itsm_core.business_time.windows import WEEKDAYS
from itsm_core.errors import (
    AmbiguousDuration,
    BeyondHorizon,
    InvalidValue,
    InvalidWindow,
    NaiveDatetime,
    NeverOpens,
    UnknownZone,
)

LONDON = ZoneInfo("Europe/London")
OFFICE = "mon-fri 09:00-12:30 13:30-17:30"
FRIDAY = dt.datetime(2024, 12, 20, 16, 30, tzinfo=LONDON)


def office(**more):
    """The office in London with its Christmas."""
    return BusinessCalendar.weekly(OFFICE, zone="Europe/London", holidays=["2024-12-25"], **more)


# -- adding and subtracting ----------------------------------------------------------------------


def test_a_duration_used_up_at_closing_time_ends_there():
    """Due Friday 17:30, not Monday 09:00; a microsecond more is Monday."""
    desk = office()
    assert desk.add(FRIDAY, hours(1)) == dt.datetime(2024, 12, 20, 17, 30, tzinfo=LONDON)
    more = desk.add(FRIDAY, dt.timedelta(hours=1, microseconds=1))
    assert more == dt.datetime(2024, 12, 23, 9, 0, 0, 1, tzinfo=LONDON)


def test_subtracting_a_whole_morning_leads_to_the_opening():
    """The mirror: one hour before Monday 10:00 is Monday 09:00, not Friday 17:30."""
    desk = office()
    monday = dt.datetime(2024, 12, 23, 10, tzinfo=LONDON)
    assert desk.subtract(monday, hours(1)) == monday - dt.timedelta(hours=1)
    assert desk.subtract(monday, minutes(61)) == dt.datetime(2024, 12, 20, 17, 29, tzinfo=LONDON)


@pytest.mark.parametrize("zero", [dt.timedelta(0), hours(0), business_days(0)])
def test_nothing_added_or_subtracted_is_the_same_instant(zero):
    """Zero of any unit is the identity, also outside hours."""
    sunday = dt.datetime(2024, 12, 22, 3, tzinfo=LONDON)
    assert office().add(sunday, zero) == office().subtract(sunday, zero) == sunday


def test_a_negative_timedelta_adds_backwards():
    """Adding minus an hour is subtracting an hour."""
    desk = office()
    assert desk.add(FRIDAY, dt.timedelta(hours=-1)) == desk.subtract(FRIDAY, hours(1))
    assert desk.subtract(FRIDAY, dt.timedelta(hours=-1)) == desk.add(FRIDAY, hours(1))


@pytest.mark.parametrize("value", [4, 4.0, "4h", None])
def test_what_is_no_duration_is_refused(value):
    """A bare number or text has no unit."""
    for method in (office().add, office().subtract):
        with pytest.raises(InvalidValue, match="is no duration"):
            method(FRIDAY, value)


def test_a_pendulum_day_is_refused_and_pendulum_hours_are_not():
    """A pendulum duration of a day or longer is ambiguous."""
    assert office().add(FRIDAY, pendulum.duration(minutes=60)) == office().add(FRIDAY, hours(1))
    with pytest.raises(AmbiguousDuration):
        office().add(FRIDAY, pendulum.duration(days=1))


# -- instants in and out ---------------------------------------------------------------------------


def test_naive_instants_are_refused_everywhere():
    """The message says how to make them aware, and which argument it was."""
    naive, desk = dt.datetime(2024, 12, 20, 10), office()
    searches = ["is_open", "next_open", "next_start", "next_close", "previous_close"]
    calls = [getattr(desk, name) for name in (*searches, "periods_after", "periods_before")]
    calls += [lambda at: desk.add(at, hours(1)), lambda at: desk.subtract(at, hours(1))]
    calls += [lambda at: desk.elapsed(at, FRIDAY), lambda at: desk.elapsed(FRIDAY, at)]
    calls += [lambda at: desk.periods(at, FRIDAY), lambda at: desk.periods(FRIDAY, at)]
    for call in calls:
        with pytest.raises(NaiveDatetime, match="make it aware"):
            call(naive)


@pytest.mark.parametrize("value", ["2024-12-20", None, 7, dt.date(2024, 12, 20)])
def test_what_is_no_instant_is_refused(value):
    """Dates, texts and numbers are no instants."""
    with pytest.raises(InvalidValue, match="is no datetime"):
        office().is_open(value)


def test_results_come_in_the_zone_and_type_of_the_question():
    """A datetime gives one in its zone, pendulum gives pendulum, another subclass a plain one."""
    tokyo = FRIDAY.astimezone(ZoneInfo("Asia/Tokyo"))
    due = office().add(tokyo, hours(1))
    assert due.tzinfo is tokyo.tzinfo
    assert type(due) is dt.datetime

    moment = pendulum.datetime(2024, 12, 20, 16, 30, tz="Europe/London")
    assert office().add(moment, hours(1)) == moment.add(hours=1)
    assert isinstance(office().add(moment, hours(1)), pendulum.DateTime)

    class Stamp(dt.datetime):
        pass

    stamp = Stamp(2024, 12, 20, 16, 30, tzinfo=LONDON)
    assert type(office().next_close(stamp)) is dt.datetime


def test_pendulum_instants_mean_what_they_say_also_before_1970():
    """An instant of pendulum counts like the same datetime, on either side of the epoch."""
    for year in (1925, 1969, 1970, 2024):
        ours = dt.datetime(year, 3, 4, 10, 11, 12, 13, tzinfo=dt.UTC)
        theirs = pendulum.instance(ours)
        later = theirs.add(days=40, microseconds=7)
        assert office().elapsed(theirs, later) == office().elapsed(
            ours, ours + dt.timedelta(days=40, microseconds=7)
        )


def test_the_microsecond_twins_say_the_same():
    """elapsed_us, add_us, subtract_us, due_us and periods_us take and give integers."""
    desk, start = office(), round(FRIDAY.timestamp()) * 10**6
    hour = hours(1).us
    due = desk.add_us(start, hour)
    assert due == start + hour == desk.due_us(start, hours(1))
    assert desk.subtract_us(due, hour) == start
    assert desk.elapsed_us(start, due) == hour
    assert list(desk.periods_us(start, due)) == [Interval(start, due)]
    assert (
        desk.due_us(start, business_days(1)) == round(desk.add(FRIDAY, business_days(1)).timestamp()) * 10**6
    )


def test_reversed_periods_are_none():
    """A span that ends before it starts holds no period."""
    assert list(office().periods(FRIDAY, FRIDAY - dt.timedelta(days=3))) == []


# -- refusing --------------------------------------------------------------------------------------


def test_zones_are_iana_names():
    """A zone that the database lacks is refused; a ZoneInfo will do."""
    assert BusinessCalendar.weekly(OFFICE, zone=LONDON) == BusinessCalendar.weekly(
        OFFICE, zone="Europe/London"
    )
    for wrong in ("Europe/Nowhere", "", None, "../etc/passwd"):
        with pytest.raises(UnknownZone, match="Europe/Berlin"):
            BusinessCalendar.weekly(OFFICE, zone=wrong)


@pytest.mark.parametrize(
    "rules",
    [
        {"hours": ""},
        {"hours": "mon 09:00-17:00", "weekly_breaks": "daily 00:00-24:00"},
        {"hours": "", "shifts": {"2024-02-04": []}},
        {"hours": "", "shifts": {"2024-02-04": "09:00-10:00"}, "breaks": {"2024-02-04": "09:00-10:00"}},
        {"hours": "sun 09:00-17:00", "valid_from": "2024-05-13", "valid_to": "2024-05-18"},
        {"hours": "sun 01:15-01:45", "valid_from": "2024-03-31", "valid_to": "2024-03-31"},
        {
            "hours": OFFICE,
            "valid_from": "2024-01-01",
            "valid_to": "2024-01-31",
            "holidays": ["2024-01-01..2024-01-31"],
        },
    ],
)
def test_hours_that_never_open_are_refused(rules):
    """An empty desk is a mistake, unless one says never."""
    with pytest.raises(NeverOpens, match=r"BusinessCalendar\.never"):
        BusinessCalendar.weekly(rules.pop("hours"), zone="Europe/London", **rules)


@pytest.mark.parametrize(
    "rules",
    [
        {"holidays": ["2024-13-01"]},
        {"holidays": [dt.datetime(2024, 12, 25)]},
        {"holidays": [7]},
        {"holidays": [("2024-12-25", 7)]},
        {"holidays": [("2024-12-25", "2024-12-24")]},
        {"holidays": [("2024-12-25",)]},
        {"holidays": ["2024-12-26..2024-12-25"]},
        {"holidays": [{"date": "2024-12-25", "yearly": True}]},
        {"holidays": [{"name": "Christmas"}]},
        {"shifts": {"4 Feb": "10:30-16:30"}},
        {"shifts": [("2024-02-04", "10:30-16:30")]},
        {"breaks": ["2024-02-04"]},
        {"valid_from": "2024-02-04", "valid_to": "2024-02-03"},
        {"valid_from": 2024},
    ],
)
def test_rules_that_cannot_be_read_are_refused(rules):
    """Dates, ranges and mappings are checked when the calendar is made."""
    with pytest.raises(InvalidValue):
        BusinessCalendar.weekly(OFFICE, zone="Europe/London", **rules)


def test_bad_windows_on_a_date_are_refused():
    """Also dated windows are named with the reason."""
    with pytest.raises(InvalidWindow, match="25:00"):
        office(shifts={"2024-02-04": "25:00-26:00"})


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"hours": {}},
        {"tz": "UTC", "hours": {"mon": [["09:00", "17:00"]]}, "hollidays": []},
        {"tz": "UTC", "hours": "mon 09:00-17:00", "weeks": [{"hour": "mon 09:00-17:00"}]},
        {"tz": "UTC", "hours": "mon 09:00-17:00", "weeks": ["mon 09:00-17:00"]},
        {"tz": "UTC", "hours": "mon 09:00-17:00", 7: 7},
        ["UTC"],
        None,
    ],
)
def test_dicts_of_another_shape_are_refused(value):
    """A misspelt key is never read past in silence."""
    with pytest.raises(InvalidValue, match=r"key|no mapping"):
        BusinessCalendar.from_dict(value)


# -- comparing, writing and reading ----------------------------------------------------------------

RICH = {
    "weekly_breaks": "wed 10:00-10:15",
    "shifts": {dt.date(2024, 2, 4): "10:30-16:30", "2024-02-05": []},
    "breaks": {"2024-03-01": "12:00-15:00"},
    "valid_from": "2020-01-01",
    "valid_to": dt.date(2030, 12, 31),
    "weeks": [Week.of("sat 22:00-22:00 23:00-23:00", valid_from="2025-01-01")],
    "cut_at_midnight": True,
    "name": "London office",
    "version": 3,
}
HOLIDAYS = [
    "2024-05-06",
    ("2024-12-25", "Christmas"),
    ("2024-12-30", "2025-01-01", "New Year"),
    "2024-08-01..2024-08-03",
]


def rich():
    """A calendar that uses every kind of rule."""
    return BusinessCalendar.weekly(OFFICE, zone=LONDON, holidays=HOLIDAYS, **RICH)


CALENDARS = [office, rich, lambda: always("Asia/Tokyo", name="around"), lambda: never("UTC", version=2)]


@pytest.mark.parametrize("make", CALENDARS, ids=["office", "rich", "always", "never"])
def test_a_calendar_survives_a_dict_json_pickle_and_copy(make):
    """What comes back is equal, with name and version, and says the same of any instant."""
    calendar = make()
    read = BusinessCalendar.from_dict(json.loads(json.dumps(calendar.to_dict())))
    for again in (read, pickle.loads(pickle.dumps(calendar)), copy.deepcopy(calendar)):
        assert again == calendar
        assert (again.name, again.version, again.zone) == (calendar.name, calendar.version, calendar.zone)
        assert again.to_dict() == calendar.to_dict()
        assert again.rules == calendar.rules
        assert again.is_open(FRIDAY) == calendar.is_open(FRIDAY)


def test_the_dict_has_the_pinned_shape():
    """Six keys always, further ones only where they say something."""
    assert office().to_dict() == {
        "tz": "Europe/London",
        "hours": {day: [["09:00", "12:30"], ["13:30", "17:30"]] for day in WEEKDAYS[:5]},
        "weekly_breaks": {},
        "shifts": {},
        "breaks": {},
        "holidays": ["2024-12-25"],
    }
    assert rich().to_dict()["holidays"] == [
        "2024-05-06",
        "2024-08-01..2024-08-03",
        {"date": "2024-12-25", "name": "Christmas"},
        {"from": "2024-12-30", "to": "2025-01-01", "name": "New Year"},
    ]


def test_missing_keys_are_empty():
    """A zone and hours are enough."""
    calendar = BusinessCalendar.from_dict({"tz": "Europe/London", "hours": {"mon": [["09:00", "17:00"]]}})
    assert calendar == BusinessCalendar.weekly("mon 09:00-17:00", zone="Europe/London")


EQUAL = [
    ("mon 09:00-12:00 12:00-17:00", {}),
    ("mon 09:00-13:00 11:00-17:00", {}),
    ("mon 09:00-17:00; tue 09:00-10:00", {"weekly_breaks": "tue 09:00-10:00"}),
    ("mon 09:00-17:00", {"name": "another", "version": 9}),
    ("mon 09:00-17:00", {"breaks": {"2024-01-01": []}}),
    (
        "mon 09:00-17:00",
        {"valid_to": "2024-01-01", "weeks": [Week.of("mon 09:00-17:00", valid_from="2024-01-02")]},
    ),
]


@pytest.mark.parametrize(("hours_", "more"), EQUAL)
def test_calendars_are_equal_if_their_rules_are(hours_, more):
    """Spelling, names and versions do not matter; equal calendars hash alike and share one table."""
    plain = BusinessCalendar.weekly("mon 09:00-17:00", zone="UTC")
    other = BusinessCalendar.weekly(hours_, zone="UTC", **more)
    assert other == plain
    assert len({other, plain}) == 1
    assert other.fingerprint == plain.fingerprint
    assert other._compiled is plain._compiled


def test_calendars_differ_by_zone_hours_and_every_layer():
    """Each rule counts in the fingerprint, names of holidays do not."""
    base = BusinessCalendar.weekly(OFFICE, zone="UTC")
    others = [
        BusinessCalendar.weekly(OFFICE, zone="Etc/UTC"),
        BusinessCalendar.weekly("mon 09:00-17:00", zone="UTC"),
        BusinessCalendar.weekly(OFFICE, zone="UTC", holidays=["2024-12-25"]),
        BusinessCalendar.weekly(OFFICE, zone="UTC", shifts={"2024-12-25": []}),
        BusinessCalendar.weekly(OFFICE, zone="UTC", breaks={"2024-12-25": "10:00-11:00"}),
        BusinessCalendar.weekly(OFFICE, zone="UTC", cut_at_midnight=True),
        BusinessCalendar.weekly(OFFICE, zone="UTC", valid_from="2024-12-25"),
        never("UTC"),
        always("UTC"),
    ]
    assert len({base, *others}) == len({c.fingerprint for c in (base, *others)}) == 10
    assert base != OFFICE
    named = BusinessCalendar.weekly(OFFICE, zone="UTC", holidays=[("2024-12-25", "Christmas")])
    assert named == others[2]


def test_a_fingerprint_is_stable():
    """It is the SHA-256 of canonical JSON, pinned here: a change would orphan stored agreements."""
    assert BusinessCalendar.weekly("mon 09:00-17:00", zone="UTC").fingerprint == (
        "501df3370c5e8ba1f6e1bf831c62d36a360214159a73544680c1b5f066264c87"
    )


def test_a_calendar_does_not_change():
    """It is a value: frozen."""
    with pytest.raises(AttributeError):
        office().zone = "UTC"


def test_the_repr_names_the_calendar():
    """By name and version, or by its hours as people write them."""
    assert repr(office(name="London", version=2)) == "<BusinessCalendar 'London' version 2 in Europe/London>"
    split = BusinessCalendar.weekly("mon-fri 09:00-12:30 13:30-17:30; sat 10:00-13:00", zone="UTC")
    assert repr(split) == "<BusinessCalendar mon-fri 09:00-12:30 13:30-17:30; sat 10:00-13:00 in UTC>"
    assert repr(always("UTC")) == "<BusinessCalendar daily 00:00-24:00 in UTC>"
    assert repr(never("UTC")) == "<BusinessCalendar never open in UTC>"


def test_holidays_are_said_in_many_ways():
    """A date, a text, a range, a name: one value."""
    first, last = dt.date(2024, 2, 10), dt.date(2024, 2, 17)
    assert holiday(first) == holiday("2024-02-10") == Holiday(first, first)
    assert holiday(("2024-02-10", "Spring")) == Holiday(first, first, name="Spring")
    ranges = [
        "2024-02-10..2024-02-17",
        (first, last),
        ("2024-02-10", "2024-02-17"),
        {"from": first, "to": last},
    ]
    assert {holiday(value) for value in ranges} == {Holiday(first, last)}
    named = [
        (first, last, "Spring"),
        ("2024-02-10..2024-02-17", "Spring"),
        Holiday(first, last, name="Spring"),
    ]
    assert {holiday(value) for value in named} == {Holiday(first, last, name="Spring")}


# -- searching: every search ends -------------------------------------------------------------------


def test_always_is_open_without_end():
    """It never closes, and its one period is clipped to the years that a calendar counts."""
    around, at = always("Europe/London"), FRIDAY
    assert around.is_open(at)
    assert around.next_open(at) == around.previous_close(at) == at
    assert around.next_start(at) is around.next_close(at) is None
    assert around.add(at, hours(100)) - at == at - around.subtract(at, hours(100)) == dt.timedelta(hours=100)
    assert around.elapsed(at, at + dt.timedelta(days=9)) == dt.timedelta(days=9)
    at, long = at.astimezone(dt.UTC), dt.timedelta(days=3000)
    assert (around.add(at, long), around.subtract(at, long)) == (at + long, at - long)
    (after,), (before,) = around.periods_after(at), around.periods_before(at)
    assert (after[0], before[1]) == (at, at)
    assert (after[1].astimezone(dt.UTC).year, before[0].astimezone(dt.UTC).year) == (2301, 1900)
    assert around == BusinessCalendar.weekly("daily 00:00-00:00", zone="Europe/London")
    assert around.next_close(at) is BusinessCalendar.weekly(
        "mon 00:00-24:00; tue-sun 00:00-00:00", zone=LONDON
    ).next_close(at)


def test_never_is_closed_without_end():
    """Counting in it raises, searching in it finds nothing, and the span costs nothing."""
    shut, at = never("Europe/London"), FRIDAY
    assert not shut.is_open(at)
    assert shut.next_open(at) is shut.next_start(at) is shut.next_close(at) is shut.previous_close(at) is None
    assert list(shut.periods_after(at)) == list(shut.periods_before(at)) == []
    assert shut.elapsed(at, at + dt.timedelta(days=9)) == dt.timedelta(0)
    for call in (shut.add, shut.subtract):
        with pytest.raises(NeverOpens, match="too little open time"):
            call(at, hours(1))
        with pytest.raises(NeverOpens):
            call(at, business_days(1))


def test_a_desk_that_closed_for_good_is_known_from_its_rules():
    """After valid_to nothing opens and nothing is scanned; before valid_from nothing was open."""
    desk = BusinessCalendar.weekly(OFFICE, zone=LONDON, valid_from="2024-01-01", valid_to="2024-01-31")
    end = dt.datetime(2024, 1, 31, 17, 30, tzinfo=LONDON)
    assert desk.next_open(end) is desk.next_start(end) is desk.next_close(end) is None
    assert desk.previous_close(dt.datetime(2200, 1, 1, tzinfo=LONDON)) == end
    assert desk.next_open(dt.datetime(1950, 1, 1, tzinfo=LONDON)) == dt.datetime(2024, 1, 1, 9, tzinfo=LONDON)
    assert desk.previous_close(dt.datetime(2024, 1, 1, 9, tzinfo=LONDON)) is None
    assert len(list(desk.periods_after(dt.datetime(2024, 1, 1, tzinfo=LONDON)))) == 46
    assert len(list(desk.periods_before(end))) == 46
    with pytest.raises(NeverOpens):
        desk.add(end, dt.timedelta(microseconds=1))
    with pytest.raises(NeverOpens):
        desk.subtract(dt.datetime(2024, 1, 1, 9, tzinfo=LONDON), dt.timedelta(microseconds=1))


def test_an_endless_holiday_closes_for_good():
    """A range to the end of the calendar is a desk that closed."""
    desk = BusinessCalendar.weekly(
        OFFICE, zone=LONDON, holidays=[("2025-01-01", "9999-12-31", "closed down")]
    )
    assert desk.next_open(FRIDAY) == FRIDAY
    assert desk.next_open(dt.datetime(2025, 1, 1, tzinfo=LONDON)) is None


def test_rules_beyond_the_years_end_a_walk_and_refuse_a_search():
    """Whether a desk opens in 2500 is not counted, so a search says so and a walk ends."""
    desk = BusinessCalendar.weekly(
        "", zone="UTC", shifts={"2024-12-20": "09:00-17:00", "2500-01-01": "09:00-17:00"}
    )
    assert len(list(desk.periods_after(FRIDAY))) == 1
    with pytest.raises(BeyondHorizon):
        desk.next_start(FRIDAY)


def test_outside_the_years_a_calendar_counts_is_an_error():
    """1900 to 2300; a duration that leads outside says so as well."""
    desk, late = office(), dt.datetime(2300, 12, 30, tzinfo=LONDON)
    with pytest.raises(BeyondHorizon, match=r"year \d{8} lies outside"):
        desk.add_us(10**21, 1)
    for year in (1899, 2302):
        with pytest.raises(BeyondHorizon, match="1900 to 2300"):
            desk.is_open(dt.datetime(year, 1, 1, tzinfo=LONDON))
    for call in (lambda: desk.add(late, hours(10**6)), lambda: always("UTC").add(late, hours(10**6))):
        with pytest.raises(BeyondHorizon, match="the result lies outside"):
            call()
    with pytest.raises(BeyondHorizon):
        desk.subtract(dt.datetime(1900, 1, 2, tzinfo=LONDON), hours(10**6))
    weeks = list(desk.periods_after(dt.datetime(2300, 12, 28, tzinfo=LONDON)))
    assert weeks[-1][1] <= dt.datetime(2301, 1, 1, tzinfo=dt.UTC)
    days = list(desk.periods_before(dt.datetime(1900, 1, 3, tzinfo=LONDON)))
    assert days[-1][0] >= dt.datetime(1900, 1, 1, tzinfo=dt.UTC)


def test_a_schedule_may_be_given_whole():
    """The constructor takes a schedule, for hosts that build their rules as values."""
    schedule = Schedule.of([], shifts={"2024-02-04": "10:30-16:30"})
    calendar = BusinessCalendar("Asia/Shanghai", schedule)
    assert calendar == BusinessCalendar.from_dict(calendar.to_dict())
    assert (
        calendar.next_open(dt.datetime(2024, 1, 1, tzinfo=dt.UTC)).isoformat() == "2024-02-04T02:30:00+00:00"
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"holidays": 5}, "^holidays 5: are no list of dates"),
        ({"holidays": "2024-12-25"}, "^holidays '2024-12-25': are no list of dates"),
        ({"holidays": None}, "^holidays None: are no list of dates"),
        ({"weeks": ["mon-fri 09:00-17:00"]}, r"is no Week; write \[Week.of\("),
        ({"weeks": 5}, "^week 5: is no Week"),
        ({"version": "2"}, "^version '2': is no version; count 1, 2, 3"),
        ({"version": 0}, "^version 0: is no version"),
        ({"name": 5}, "^name 5: is no text"),
    ],
)
def test_a_part_of_another_type_is_refused_by_name(wrong, message):
    """The error names the thing, the reason and the remedy."""
    with pytest.raises(InvalidValue, match=message):
        BusinessCalendar.weekly(**{"hours": OFFICE, "zone": "Europe/London", **wrong})


def test_a_calendar_is_made_of_a_schedule():
    """Texts go through `weekly`, and a message says so."""
    with pytest.raises(InvalidValue, match=r"are no Schedule; use BusinessCalendar.weekly\("):
        BusinessCalendar("UTC", "mon-fri 09:00-17:00")
    with pytest.raises(InvalidValue, match=r"^weeks 5: are no list"):
        BusinessCalendar.from_dict({"tz": "UTC", "hours": {"mon": [["09:00", "17:00"]]}, "weeks": 5})


def test_names_and_versions_are_those_given_else_none_and_one():
    """Whichever way a calendar is made; both are said by name."""
    for make in (always, never):
        assert (make("UTC").name, make("UTC").version) == (None, 1)
        named = make("UTC", name="hotline", version=3)
        assert (named.name, named.version) == ("hotline", 3)
    desk = office()
    bare = BusinessCalendar(desk.zone, desk.rules)
    assert (bare.name, bare.version, (desk & always("UTC")).version) == (None, 1, 1)
    with pytest.raises(TypeError):
        BusinessCalendar(desk.zone, desk.rules, "hotline")


def test_json_keeps_letters_as_they_are():
    """A person can read it."""
    assert '"name": "Büro"' in office(name="Büro").to_json()


def test_the_hours_of_several_weeks_are_told_apart():
    """Without a name a calendar shows the hours of each of its weeks."""
    more = Week.of("tue 10:00-12:00", valid_from="2025-01-01")
    desk = BusinessCalendar.weekly("mon 09:00-17:00", zone="UTC", weeks=[more])
    assert repr(desk) == "<BusinessCalendar mon 09:00-17:00; tue 10:00-12:00 in UTC>"
