"""Calendars as JSON values: everything is said, nothing is read past."""

import json

import pytest

from itsm_core.business_time import BusinessCalendar, Week, always, never
from itsm_core.errors import InvalidValue, NeverOpens, UnknownZone

FULL = {
    "tz": "Europe/London",
    "hours": {"mon": [["09:00", "12:30"], ["13:30", "17:30"]], "fri": [["22:00", "06:00"]]},
    "weekly_breaks": {"mon": [["10:00", "10:15"]]},
    "valid_from": "2024-01-01",
    "valid_to": "2026-12-31",
    "weeks": [{"hours": {"tue": [["09:00", "17:00"]]}, "weekly_breaks": {}, "valid_from": "2027-01-01"}],
    "shifts": {"2024-02-04": [["10:30", "16:30"]], "2024-02-05": []},
    "breaks": {"2024-02-06": [["12:00", "13:00"]]},
    "holidays": [
        {"date": "2024-05-06", "name": "May Day"},
        {"date": "2024-12-24", "name": "Christmas Eve", "closed": [["13:00", "24:00"]]},
        "2024-12-28..2025-01-02",
        "12-25",
        {"from": "12-30", "to": "01-02", "since": 2025, "until": 2026},
    ],
    "cut_at_midnight": True,
    "known_until": "2026-12-31",
    "sources": ["the gazette"],
    "name": "desk",
    "version": 3,
}


def test_the_dict_form_says_everything():
    """Every kind of rule goes out as it came in; a second time it is the same text."""
    calendar = BusinessCalendar.from_dict(FULL)
    assert calendar.to_dict() == FULL
    assert BusinessCalendar.from_json(calendar.to_json()).to_json() == calendar.to_json()


@pytest.mark.parametrize(
    "key", sorted(set(FULL) - {"tz", "hours", "name", "version", "known_until", "sources"})
)
def test_every_rule_counts(key):
    """A calendar without one of its rules is another calendar; provenance and names decide nothing."""
    without = {name: value for name, value in FULL.items() if name != key}
    calendar = BusinessCalendar.from_dict(FULL)
    assert BusinessCalendar.from_dict(without) != calendar
    for name in ("name", "version", "known_until", "sources"):
        assert BusinessCalendar.from_dict({k: v for k, v in FULL.items() if k != name}) == calendar


REFUSED = [
    ("no mapping", ["tz"], "is no mapping"),
    ("no zone", {"hours": {}}, 'lacks the key "tz"'),
    ("a misspelt key", {"tz": "UTC", "hour": {}}, "unknown key 'hour'"),
    ("a key of hours in a combination", {"tz": "UTC", "any_of": [], "hours": {}}, "unknown key 'hours'"),
    ("a key of hours in a restriction", {"base": FULL, "hours": {}}, "unknown key 'hours'"),
    ("no list of calendars", {"base": FULL, "within": FULL}, "are no list"),
    ("no calendar in the list", {"tz": "UTC", "any_of": ["UTC"]}, "is no mapping"),
    ("a union without a zone", {"any_of": [FULL]}, 'lacks the key "tz"'),
    ("no list of weeks", {"tz": "UTC", "weeks": {}}, "weeks .* are no list"),
    ("no week in the list", {"tz": "UTC", "weeks": ["mon"]}, "week 'mon': is no mapping"),
    ("a misspelt key of a week", {"tz": "UTC", "weeks": [{"hour": 1}]}, "unknown key 'hour'"),
    ("no list of sources", {**FULL, "sources": "gazette"}, "sources .* are no list"),
    ("a country without years", {**FULL, "holidays": [{"country": "US"}]}, "lack the years"),
    ("a country with a misspelt key", {**FULL, "holidays": [{"country": "US", "year": 2025}]}, "unknown key 'year'"),
    ("a year without end", {**FULL, "known_until": "soon"}, "known_until 'soon': is no date"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_is_wrong_is_named(value, words):
    """The thing, the reason, the remedy; nothing is read past."""
    with pytest.raises(InvalidValue, match=words):
        BusinessCalendar.from_dict(value)


def test_zones_and_hours_that_do_not_exist_are_refused_in_parts_too():
    """Deep in a combination as well as at its top."""
    with pytest.raises(UnknownZone):
        BusinessCalendar.from_dict({"base": FULL, "within": [{"tz": "Mars/Olympus", "hours": {}}]})
    with pytest.raises(NeverOpens):
        BusinessCalendar.from_dict({"tz": "UTC", "hours": {}})


def test_json_that_is_none_is_refused():
    """Broken, cut off, nested without end, or no object."""
    for text in ("", "{", '{"tz": "UTC"', "\x00", b"\xff\xfe\xfd", '{"tz":' * 100_000):
        with pytest.raises(InvalidValue, match="is no JSON"):
            BusinessCalendar.from_json(text)
    for text in ("[]", "3", "null"):
        with pytest.raises(InvalidValue, match="is no mapping"):
            BusinessCalendar.from_json(text)


def test_a_combination_nested_without_end_is_refused():
    """Twenty floors of calendars are more than anybody builds."""
    value = FULL
    for _ in range(30):
        value = {"base": value, "within": [{"tz": "UTC", "hours": "mon 09:00-17:00"}]}
    with pytest.raises(InvalidValue, match="nested over 20 deep"):
        BusinessCalendar.from_dict(value)


def test_the_empty_and_the_full_calendar_say_so():
    """`never` is a rule of its own in the dict; `always` is a week."""
    assert never("UTC").to_dict()["never_opens"] is True
    assert BusinessCalendar.from_dict(never("UTC").to_dict()) == never("UTC")
    assert BusinessCalendar.from_dict({"tz": "UTC", "any_of": []}) == never("UTC")
    assert "never_opens" not in always("UTC").to_dict()
    assert BusinessCalendar.from_dict(always("UTC").to_dict()) == always("UTC")


def test_the_holidays_of_a_country_may_be_named_in_data():
    """They become dates: what is written needs no package to be read again."""
    pytest.importorskip("holidays")
    named = {"country": "US", "subdivision": "MA", "years": [2025]}
    hours = {"mon": [["09:00", "17:00"]]}
    calendar = BusinessCalendar.from_dict(
        {"tz": "America/New_York", "hours": hours, "holidays": [named, "12-24"]}
    )
    written = calendar.to_dict()
    assert {"date": "2025-04-21", "name": "Patriots' Day"} in written["holidays"]
    assert written["known_until"] == "2025-12-31"
    assert BusinessCalendar.from_dict(json.loads(json.dumps(written))) == calendar
    again = BusinessCalendar.weekly(hours, zone="America/New_York", holidays=(named, "12-24"))
    assert again == calendar


def test_too_many_weeks_are_refused():
    """No desk changed its hours five hundred times."""
    weeks = [Week.of("mon 09:00-17:00", valid_from=f"{year}-01-01") for year in range(1400, 1902)]
    with pytest.raises(InvalidValue, match="more than 500"):
        BusinessCalendar.weekly("mon 09:00-17:00", zone="UTC", weeks=weeks)


@pytest.mark.parametrize(
    ("value", "start", "remedy"),
    [
        ({"tz": "UTC", "hour": 1}, "calendar ", ""),
        ({"base": FULL, "hour": 1}, "calendar ", ""),
        ({"tz": "UTC", "any_of": [], "hour": 1}, "calendar ", ""),
        ({"tz": "UTC", "weeks": [{"hour": 1}]}, "week ", ""),
        ({"base": FULL, "within": 1}, "within 1", "write [{...}] with calendars"),
        ({"tz": "UTC", "weeks": 1}, "weeks 1", 'write [{"hours": ...}]'),
        ({**FULL, "sources": 1}, "sources 1", 'write ["holidays 0.109: US-MA"]'),
    ],
)
def test_the_error_begins_with_the_thing_and_ends_with_its_form(value, start, remedy):
    """What is wrong comes first, an example of what is right last."""
    with pytest.raises(InvalidValue) as caught:
        BusinessCalendar.from_dict(value)
    assert str(caught.value).startswith(start)
    assert str(caught.value).endswith(remedy)


DESK = {"tz": "UTC", "hours": "mon-fri 09:00-17:00"}
NESTED = {
    "base": lambda inner: {"base": inner, "within": [{"tz": "UTC", "hours": "mon 09:00-17:00"}]},
    "within": lambda inner: {"base": DESK, "within": [inner]},
    "without": lambda inner: {"base": DESK, "without": [inner]},
    "any_of": lambda inner: {"tz": "UTC", "any_of": [inner]},
}


@pytest.mark.parametrize("kind", NESTED)
def test_calendars_may_stand_twenty_deep(kind):
    """The innermost of twenty combinations is read, that of twenty-one is not."""
    value = {"tz": "UTC", "hours": "mon 10:00-12:00"}
    for _ in range(20):
        value = NESTED[kind](value)
    assert BusinessCalendar.from_dict(value).zone.key == "UTC"
    with pytest.raises(InvalidValue, match="nested over 20 deep"):
        BusinessCalendar.from_dict(NESTED[kind](value))


def test_a_combination_writes_only_what_it_has():
    """What restricts it stands in lists; an empty list is left out, and the zone may be said."""
    desk = BusinessCalendar.from_dict(DESK)
    noon = BusinessCalendar.weekly("daily 12:00-13:00", zone="UTC")
    within, without = desk & noon, desk - noon
    assert set(within.to_dict()) == {"tz", "base", "within"}
    assert set(without.to_dict()) == {"tz", "base", "without"}
    for calendar in (within, without):
        assert BusinessCalendar.from_dict(calendar.to_dict()) == calendar
