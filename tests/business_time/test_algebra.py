"""What is open in both, in either, in one but not the other: examples worked by hand."""

import datetime as dt
import pickle
from functools import reduce
from operator import or_

import pytest

from itsm_core.business_time import (
    BusinessCalendar,
    HolidayList,
    Schedule,
    always,
    business_days,
    end_of_business_day,
    hours,
    never,
)
from itsm_core.business_time.algebra import MOST_MEMBERS
from itsm_core.errors import InvalidValue

LONDON = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/London", name="London")
TOKYO = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Asia/Tokyo", name="Tokyo")
NEW_YORK = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="America/New_York", name="New York")
NIGHT = BusinessCalendar.weekly("mon-fri 22:00-06:00", zone="Europe/London", name="night")
SUN = LONDON | TOKYO | NEW_YORK


def at(text, calendar=LONDON):
    """A local instant of the week of Monday 13 January 2025, when London keeps UTC."""
    return dt.datetime.fromisoformat(f"2025-01-{text}").replace(tzinfo=calendar.zone)


def shown(calendar, start, end):
    """The open periods of a span as texts, on the calendar's own clock."""
    periods = calendar.periods(at(start, calendar), at(end, calendar))
    return [f"{a:%dT%H:%M}-{b:%dT%H:%M}" for a, b in periods]


# Tokyo 09-17 is 00-08 in London in winter, New York 09-17 is 14-22.
GOLDEN = [
    ("follow the sun", SUN, ["15T00:00-15T08:00", "15T09:00-15T22:00"]),
    ("both London and New York", LONDON & NEW_YORK, ["15T14:00-15T17:00"]),
    ("New York while London is closed", NEW_YORK - LONDON, ["15T12:00-15T17:00"]),
    ("London while New York is closed", LONDON - NEW_YORK, ["15T09:00-15T14:00"]),
    ("never both London and Tokyo", LONDON & TOKYO, []),
    ("the night of London", NIGHT, ["15T00:00-15T06:00", "15T22:00-16T00:00"]),
    ("around the clock but London", always("Europe/London") - LONDON, ["15T00:00-15T09:00", "15T17:00-16T00:00"]),
    ("a calendar and itself", LONDON & LONDON, ["15T09:00-15T17:00"]),
    ("a calendar but itself", LONDON - LONDON, []),
]  # fmt: skip


@pytest.mark.parametrize(("calendar", "periods"), [row[1:] for row in GOLDEN], ids=[row[0] for row in GOLDEN])
def test_combinations_are_open_as_their_parts_say(calendar, periods):
    """Wednesday 15 January 2025, on the clock of the left zone."""
    assert shown(calendar, "15T00:00", "16T00:00") == periods


def test_the_left_zone_counts_the_days():
    """Wednesday 23:00 in London is already Thursday in Tokyo, and late Wednesday in New York."""
    start = at("15T23:00")
    assert SUN.add(start, business_days(1)) == at("17T00:00")  # opens Thursday 00:00 as Tokyo does
    tokyo_first = TOKYO | LONDON | NEW_YORK
    assert tokyo_first.zone == TOKYO.zone
    assert tokyo_first.elapsed(at("13T00:00"), at("20T00:00")) == SUN.elapsed(at("13T00:00"), at("20T00:00"))
    # In Tokyo, New York's evening shift begins at 23:00 and belongs to the date on which it begins.
    assert tokyo_first.add(at("16T07:00", TOKYO), end_of_business_day()) == at("17T07:00", TOKYO)
    assert tokyo_first.add(at("16T06:59", TOKYO), end_of_business_day()) == at("16T07:00", TOKYO)


def test_a_restricted_night_keeps_its_date():
    """What is left of Friday's night on Saturday morning is still Friday's."""
    rest = NIGHT - BusinessCalendar.weekly("daily 21:00-02:00", zone="Europe/London")
    assert shown(rest, "18T00:00", "19T00:00") == ["18T02:00-18T06:00"]
    assert rest.add(at("18T03:00"), end_of_business_day()) == at("18T06:00")
    assert rest.add(at("18T03:00"), business_days(1)) == at("21T03:00")


EQUAL = [
    ("both are their own", LONDON & LONDON, LONDON),
    ("either is its own", LONDON | LONDON, LONDON),
    ("always restricts nothing", LONDON & always("UTC"), LONDON),
    ("never adds nothing", LONDON | never("UTC"), LONDON),
    ("never takes nothing", LONDON - never("UTC"), LONDON),
    ("itself takes all", LONDON - LONDON, never("Europe/London")),
    ("a combination takes all of itself", (LONDON | TOKYO) - (LONDON | TOKYO), never("Europe/London")),
    ("always takes all", LONDON - always("UTC"), never("Europe/London")),
    ("never restricts all", LONDON & never("UTC"), never("Europe/London")),
    ("never in both", never("Europe/London") & LONDON, never("Europe/London")),
    ("never in either", never("Europe/London") | never("UTC"), never("Europe/London")),
    ("what is in both is not in one only", (LONDON & TOKYO) - TOKYO, never("Europe/London")),
    ("grouping to the right", LONDON & (TOKYO & NEW_YORK), LONDON & TOKYO & NEW_YORK),
    ("the order on the right", LONDON & TOKYO & NEW_YORK, LONDON & NEW_YORK & TOKYO),
    ("the order of what is taken", LONDON - TOKYO - NIGHT, LONDON - NIGHT - TOKYO),
    ("taken together", LONDON - TOKYO - NIGHT, LONDON - (TOKYO | NIGHT)),
    ("restricted by a rest", LONDON & (TOKYO - NIGHT), (LONDON & TOKYO) - NIGHT),
    ("united in any order of one zone", LONDON | NIGHT | TOKYO, NIGHT | TOKYO | LONDON),
    ("united to the right", LONDON | (NIGHT | TOKYO), LONDON | NIGHT | TOKYO),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), [row[1:] for row in EQUAL], ids=[row[0] for row in EQUAL])
def test_combinations_have_a_normal_form(one, other):
    """Equal by rules: equal, equally hashed, one fingerprint and one table."""
    assert one == other
    assert hash(one) == hash(other)
    assert one.fingerprint == other.fingerprint
    assert one._compiled is other._compiled


def test_around_the_clock_but_for_a_holiday_is_not_always():
    """It restricts, and it leaves something when taken away."""
    for rules in (
        {"holidays": ["2025-01-15"]},
        {"shifts": {"2025-01-15": ""}},
        {"breaks": {"2025-01-15": "00:00-24:00"}},
    ):
        nearly = BusinessCalendar.weekly("daily 00:00-24:00", zone="Europe/London", **rules)
        assert LONDON & nearly != LONDON
        assert shown(LONDON - nearly, "13T00:00", "18T00:00") == ["15T09:00-15T17:00"]
    half = BusinessCalendar.weekly("daily 00:00-24:00", zone="UTC", valid_from="2025-01-15")
    assert shown(LONDON & half, "14T00:00", "16T00:00") == ["15T09:00-15T17:00"]


def test_a_night_with_a_break_is_one_business_day_also_in_a_union():
    """What follows the break after midnight is still Friday's, in the zone of the night itself."""
    night = BusinessCalendar.weekly("fri 22:00-06:00", weekly_breaks="fri 23:30-00:30", zone="Europe/London")
    united = night | BusinessCalendar.weekly("sun 10:00-12:00", zone="Europe/London")
    assert united.add(at("17T22:30"), business_days(1)) == at("19T12:00")
    assert united.add(at("18T03:00"), end_of_business_day()) == at("18T06:00")


def test_zone_and_side_make_a_difference():
    """Neither side nor zone is forgotten where days are counted by them."""
    assert LONDON & NEW_YORK != NEW_YORK & LONDON
    assert LONDON | TOKYO != TOKYO | LONDON
    moved = never("Asia/Tokyo") | LONDON
    assert moved != LONDON
    assert moved.zone.key == "Asia/Tokyo"
    assert moved.elapsed(at("13T00:00"), at("20T00:00")) == hours(40).timedelta


def test_a_combination_may_have_a_name():
    """Which says what promises were judged by; inside another one it names its part."""
    service = SUN.named("service", 2)
    assert (service.name, service.version, service) == ("service", 2, SUN)
    assert repr(service) == "<BusinessCalendar 'service' version 2 in Europe/London>"
    assert BusinessCalendar.from_dict(service.to_dict()).to_dict() == service.to_dict()
    within = always("Europe/London") & service
    assert [name for _, _, name in within.closures(at("15T22:00"), at("15T23:00"))] == ["service: night"]
    assert service.named(None).name is None


def test_combinations_survive_a_round_trip():
    """As dict, as JSON and pickled, names of the parts included."""
    for calendar in (SUN, LONDON & NEW_YORK, (SUN - NIGHT) & LONDON, NIGHT | (TOKYO - NEW_YORK)):
        for again in (
            BusinessCalendar.from_dict(calendar.to_dict()),
            BusinessCalendar.from_json(calendar.to_json()),
            pickle.loads(pickle.dumps(calendar)),
        ):
            assert again == calendar
            assert again.to_dict() == calendar.to_dict()
    assert "Tokyo" in SUN.to_json()
    assert repr(SUN) == "<BusinessCalendar of 3 calendars in Europe/London>"


def test_only_calendars_combine():
    """Anything else is no calendar, and Python says so."""
    for operate in (lambda: LONDON & "Tokyo", lambda: LONDON | None, lambda: LONDON - 8):
        with pytest.raises(TypeError, match="unsupported operand"):
            operate()


def test_too_many_parts_are_refused():
    """A hundred calendars at once is no roster."""
    others = [BusinessCalendar.weekly(f"mon 09:00-17:00:00.{i:03d}", zone="UTC") for i in range(100)]
    many = reduce(or_, others)
    assert len(many.to_dict()["any_of"]) == MOST_MEMBERS == 100
    with pytest.raises(InvalidValue, match="more than 100"):
        many | LONDON


def test_a_combination_knows_the_next_holiday_of_any_part():
    """Of London's Christmas and Tokyo's New Year the nearer one."""
    london = BusinessCalendar.weekly(
        "mon-fri 09:00-17:00", zone="Europe/London", holidays=[("12-25", "Christmas")]
    )
    tokyo = BusinessCalendar.weekly(
        "mon-fri 09:00-17:00", zone="Asia/Tokyo", holidays=[("01-01", "Ganjitsu")]
    )
    assert (london | tokyo).next_holiday(at("15T00:00")).name == "Christmas"
    assert (london & tokyo).next_holiday(dt.datetime(2025, 12, 26, tzinfo=dt.UTC)).name == "Ganjitsu"
    assert SUN.next_holiday(at("15T00:00")) is None


def test_reasons_name_the_calendar_they_come_from():
    """The left calendar speaks first; the others with their names, or zones where they have none."""
    nameless = BusinessCalendar.from_dict({**NEW_YORK.to_dict(), "name": None})

    def reasons(calendar):
        return [line.reason for line in calendar.explain(at("15T08:00"), hours(1)).lines]

    assert reasons(LONDON & NEW_YORK) == ["night", "New York: night", "open"]
    assert reasons(LONDON & nameless) == ["night", "America/New_York: night", "open"]
    morning = BusinessCalendar.weekly("mon-fri 08:00-12:00", zone="Europe/London", name="morning")
    assert reasons(LONDON - morning) == ["night", "taken by morning", "open"]
    assert reasons(SUN) == ["night", "open"]
    assert reasons(never("Europe/London") | NEW_YORK) == ["night", "open"]
    both_gone = LONDON - morning - BusinessCalendar.weekly("mon-fri 08:00-14:00", zone="UTC", name="UTC desk")
    assert {reason for reason in reasons(both_gone) if "taken" in reason} >= {"taken by UTC desk"}


def test_what_nobody_knows_yet_is_said_of_every_part():
    """Each part with holidays of its own tells until when they are known."""
    known = HolidayList((), known_until=dt.date(2025, 1, 10), source="the gazette")
    listed = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC", holidays=known)
    assert (LONDON | listed).explain(at("15T08:00"), hours(2)).notes == (
        "holidays are known until 2025-01-10 (the gazette); later ones are not in this calendar",
    )
    assert (LONDON | TOKYO).explain(at("15T08:00"), hours(2)).notes == ()


def test_an_empty_schedule_is_never_open():
    """Before and after all rules, and whatever it is combined with."""
    empty = BusinessCalendar("UTC", Schedule())
    assert empty == never("UTC")
    assert (LONDON & empty).next_open(at("15T00:00")) is None
