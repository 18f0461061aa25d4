"""Why the desk is closed: names that a reader of an explanation understands."""

import datetime as dt

import pytest

from itsm_core.business_time import BusinessCalendar, always, never

OFFICE = "mon-fri 09:00-12:30 13:30-17:30"


def named(calendar, start, end):
    """The closures of a span of May 2024 as texts in local time."""

    def us(text):
        local = dt.datetime.fromisoformat(f"2024-05-{text}").replace(tzinfo=calendar.zone)
        return round(local.timestamp()) * 10**6

    def show(at):
        return dt.datetime.fromtimestamp(at // 10**6, calendar.zone).strftime("%dT%H:%M")

    return [f"{show(c.start)}-{show(c.end)} {c.name}" for c in calendar.closures_us(us(start), us(end))]


CASES = [
    (
        "a working day", OFFICE, {}, "01T00:00", "02T00:00",
        ["01T00:00-01T09:00 night", "01T12:30-01T13:30 break", "01T17:30-02T00:00 night"],
    ),
    (
        "a weekend", OFFICE, {}, "03T16:00", "06T10:00",
        ["03T17:30-04T00:00 night", "04T00:00-06T00:00 weekend", "06T00:00-06T09:00 night"],
    ),
    (
        "holidays with a name", OFFICE, {"holidays": [("2024-05-07", "2024-05-08", "Spring Festival")]}, "06T17:00", "09T10:00",
        ["06T17:30-07T00:00 night", "07T00:00-09T00:00 holiday: Spring Festival", "09T00:00-09T09:00 night"],
    ),
    ("a holiday without a name", OFFICE, {"holidays": ["2024-05-07"]}, "07T00:00", "08T00:00", ["07T00:00-08T00:00 holiday"]),
    (
        "two names on one date", OFFICE, {"holidays": [("2024-05-07", "A"), ("2024-05-07", "B")]}, "07T00:00", "08T00:00",
        ["07T00:00-08T00:00 holiday: A, B"],
    ),
    (
        "a dated break into the night", OFFICE, {"breaks": {"2024-05-01": "12:00-18:00"}}, "01T10:00", "02T00:00",
        ["01T12:00-01T17:30 break", "01T17:30-02T00:00 night"],
    ),
    (
        "a weekly break", "daily 00:00-24:00", {"weekly_breaks": "wed 12:00-13:00"}, "01T00:00", "02T00:00",
        ["01T12:00-01T13:00 break"],
    ),
    ("a shift without window", OFFICE, {"shifts": {"2024-05-01": []}}, "01T00:00", "02T00:00", ["01T00:00-02T00:00 closed by shift"]),
    (
        "a shift on a holiday", OFFICE, {"holidays": ["2024-05-01"], "shifts": {"2024-05-01": "10:00-12:00 13:00-14:00"}},
        "01T00:00", "02T00:00",
        ["01T00:00-01T10:00 night", "01T12:00-01T13:00 break", "01T14:00-02T00:00 night"],
    ),
    ("a weekday without hours", "mon,wed 09:00-17:00", {}, "02T00:00", "03T00:00", ["02T00:00-03T00:00 day off"]),
    ("Friday and Saturday", "sun-thu 09:00-17:00", {}, "03T00:00", "05T00:00", ["03T00:00-05T00:00 weekend"]),
    ("a desk by night", "daily 22:00-06:00", {}, "01T00:00", "02T00:00", ["01T06:00-01T22:00 outside hours"]),
    (
        "a break in last night's tail", "daily 22:00-06:00", {"weekly_breaks": "wed 02:00-03:00"}, "01T00:00", "01T12:00",
        ["01T02:00-01T03:00 break", "01T06:00-01T12:00 outside hours"],
    ),
    ("outside its validity", OFFICE, {"valid_to": "2024-05-01"}, "02T00:00", "03T00:00", ["02T00:00-03T00:00 no hours in force"]),
    ("from inside a night", OFFICE, {}, "01T02:00", "01T05:00", ["01T02:00-01T05:00 night"]),
    ("a short week", "mon-thu 09:00-17:00", {}, "03T00:00", "05T00:00", ["03T00:00-04T00:00 day off", "04T00:00-05T00:00 weekend"]),
    (
        "a night in part on holiday", "daily 22:00-06:00", {"holidays": [("2024-05-01 23:00-02:00", "Gala")]}, "01T22:00", "02T12:00",
        ["01T23:00-02T02:00 holiday: Gala", "02T06:00-02T12:00 outside hours"],
    ),
    (
        "a shift on a day in part on holiday", OFFICE, {"holidays": ["2024-05-01 13:00-24:00"], "shifts": {"2024-05-01": "10:00-12:00"}},
        "01T00:00", "02T00:00",
        ["01T00:00-01T10:00 night", "01T12:00-02T00:00 night"],
    ),
    (
        "a Saturday in part on holiday", "mon-fri 09:00-17:00; sat 10:00-12:00", {"holidays": ["2024-05-04 11:00-24:00"]},
        "04T00:00", "05T00:00",
        ["04T00:00-04T10:00 night", "04T11:00-04T12:00 holiday", "04T12:00-05T00:00 night"],
    ),
    ("nothing closed", OFFICE, {}, "01T10:00", "01T11:00", []),
    ("an empty span", OFFICE, {}, "02T03:00", "02T03:00", []),
    ("a reversed span", OFFICE, {}, "03T03:00", "02T03:00", []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("hours", "rules", "start", "end", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_closed_stretches_have_names(hours, rules, start, end, expected):
    """Split where the reason changes, joined where it goes on."""
    calendar = BusinessCalendar.weekly(hours, zone="Europe/London", **rules)
    assert named(calendar, start, end) == expected


def test_always_has_no_closure_and_never_has_one():
    """The whole span is open, or has no hours in force."""
    assert named(always("UTC"), "01T00:00", "05T00:00") == []
    assert named(never("UTC"), "01T00:00", "05T00:00") == ["01T00:00-05T00:00 no hours in force"]


def test_a_night_over_a_change_of_the_clocks_is_one_stretch():
    """A change of the offset cuts nothing in two."""
    calendar = BusinessCalendar.weekly("sat 09:00-17:00; sun 09:00-17:00", zone="Europe/London")
    start = dt.datetime(2024, 10, 26, 16, tzinfo=calendar.zone)
    end = dt.datetime(2024, 10, 27, 10, tzinfo=calendar.zone)
    (night,) = calendar.closures_us(*(round(at.timestamp()) * 10**6 for at in (start, end)))
    assert night.name == "night"
    assert night.end - night.start == 17 * 3_600_000_000


# Two calendars of one zone, both closed at an instant of 2024, and whose reason is given.
WEIGHTS = [
    ("a holiday before a closed shift", ("mon-fri 09:00-17:00", {"holidays": ["2024-05-08"]}), ("mon-fri 09:00-17:00", {"shifts": {"2024-05-08": ""}}), "08T10:00", "holiday"),
    ("a closed shift before a break", ("mon-fri 09:00-17:00", {"shifts": {"2024-05-08": ""}}), ("mon-fri 09:00-12:00 13:00-17:00", {}), "08T12:30", "closed by shift"),
    ("a break before a weekend", ("sat 09:00-12:00 13:00-17:00", {}), ("mon-fri 09:00-17:00", {}), "11T12:30", "break"),
    ("a break before a night", ("tue 09:00-12:00 13:00-17:00", {}), ("tue 06:00-08:00", {}), "07T12:30", "break"),
    ("a night before hours that are outside", ("tue 15:00-16:00", {}), ("daily 20:00-06:00", {}), "07T10:00", "night"),
    ("hours that are outside before a weekend", ("daily 20:00-06:00", {}), ("mon-fri 09:00-17:00", {}), "11T10:00", "outside hours"),
    ("a night before a weekend", ("sat 20:00-22:00", {}), ("mon-fri 09:00-17:00", {}), "11T10:00", "night"),
    ("a weekend before a day off", ("mon-thu 09:00-17:00", {}), ("sun-thu 09:00-17:00", {}), "10T10:00", "weekend"),
    ("a day off before no hours at all", ("mon,wed 09:00-17:00", {}), ("mon 09:00-17:00", {"valid_to": "2020-01-01"}), "07T10:00", "day off"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "at", "reason"), [row[1:] for row in WEIGHTS], ids=[row[0] for row in WEIGHTS]
)
def test_the_weightiest_reason_of_two_is_given(one, other, at, reason):
    """In either order, and wherever the calendars stand in the union."""
    first, second = (
        BusinessCalendar.weekly(hours, zone="Europe/London", **rules) for hours, rules in (one, other)
    )
    start = dt.datetime.fromisoformat(f"2024-05-{at}").replace(tzinfo=first.zone)
    for united in (first | second, second | first):
        found = [name for _, _, name in united.closures(start, start + dt.timedelta(minutes=1))]
        assert found == [reason]


def test_a_union_is_explained_by_the_zone_that_counts_its_days():
    """From Thursday evening to Monday morning: London's reasons, split where they change."""
    london = BusinessCalendar.weekly(
        "mon-fri 09:00-17:00", zone="Europe/London", holidays=[("2024-05-10", "May Day")]
    )
    late = BusinessCalendar.weekly("sat 20:00-22:00", zone="Europe/London")
    tokyo = BusinessCalendar.weekly(
        "mon 09:00-09:01", zone="Asia/Tokyo", holidays=[("2024-05-11", "elsewhere")]
    )
    assert named(london | late | tokyo, "09T17:00", "13T09:00") == [
        "09T17:00-10T00:00 night", "10T00:00-11T00:00 holiday: May Day", "11T00:00-11T20:00 night",
        "11T22:00-12T00:00 night", "12T00:00-13T00:00 weekend", "13T00:00-13T01:00 night", "13T01:01-13T09:00 night",
    ]  # fmt: skip


def test_a_restricted_calendar_gives_its_reasons_in_order():
    """Its own, the other's, its own again."""
    office = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/London")
    lunch = BusinessCalendar.weekly("mon-fri 10:00-12:00 13:00-16:00", zone="Europe/London", name="kitchen")
    assert named(office & lunch, "08T08:00", "08T18:00") == [
        "08T08:00-08T09:00 night", "08T09:00-08T10:00 kitchen: night", "08T12:00-08T13:00 kitchen: break",
        "08T16:00-08T17:00 kitchen: night", "08T17:00-08T18:00 night",
    ]  # fmt: skip
    assert list(office.closures_us(0, 0)) == []
