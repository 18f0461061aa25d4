"""Person: how somebody is reached, and when not."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from itsm_core.errors import InvalidValue
from itsm_core.oncall import DutyWindow, Person

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)
NIGHT = DutyWindow("22:00", "07:00", "daily", "Europe/Berlin")


def at(day, hour, minute=0, month=1):
    """An instant in UTC."""
    return dt.datetime(2024, month, day, hour, minute, tzinfo=dt.UTC)


def test_a_text_is_one_channel_and_a_window_alone_is_one():
    """Slips that are forgiven."""
    person = Person("ana", channels="sms", quiet=NIGHT)
    assert (person.channels, person.quiet) == (("sms",), (NIGHT,))


def test_a_zone_is_one_of_the_database():
    """By name or as it is; a slip is refused as everywhere."""
    assert Person("ana", zone=ZoneInfo("Asia/Shanghai")) == Person("ana", zone="Asia/Shanghai")
    with pytest.raises(InvalidValue, match=r"^zone 'Mars': is not in the IANA"):
        Person("ana", zone="Mars")


@pytest.mark.parametrize(
    ("instant", "until"),
    [
        (at(8, 9), None),
        (at(8, 20, 59), None),
        (at(8, 21), at(9, 6)),  # 22:00 in Berlin
        (at(9, 5, 59), at(9, 6)),
        (at(9, 6), None),
        (at(26, 21, month=10), at(27, 6, month=10)),  # the night of 25 hours: 7:00 is six UTC then
        (at(30, 21, month=3), at(31, 5, month=3)),  # and that of 23: five UTC
    ],
)
def test_quiet_hours_end_by_the_wall_clock_of_their_zone(instant, until):
    """Half-open; by hand."""
    assert Person("ana", quiet=NIGHT).quiet_until(instant) == until


def test_windows_that_touch_are_one_quiet_time():
    """The night and the Sunday after it."""
    sunday = DutyWindow("07:00", "12:00", "sun", "Europe/Berlin")
    assert Person("ana", quiet=[NIGHT, sunday]).quiet_until(at(13, 23)) == at(14, 11)


def test_who_is_always_quiet_is_never():
    """Nobody would ever be told: it is no quiet time."""
    assert Person("ana", quiet=DutyWindow("00:00", "24:00", "daily", "UTC")).quiet_until(T0) is None
    assert Person("ana").quiet_until(T0) is None


def test_quiet_hours_at_the_end_of_time_end_there():
    """The last of them is cut, and asking for it breaks nothing."""
    last = dt.datetime(9999, 12, 30, 23, tzinfo=dt.UTC)
    night = DutyWindow("22:00", "07:00", "daily", "UTC")
    assert Person("ana", quiet=night).quiet_until(last) == dt.datetime(9999, 12, 31, tzinfo=dt.UTC)


def test_absence_ends_at_its_instant():
    """Half-open as everything."""
    away = Person("bo", absent_until=T0)
    assert away.is_absent(T0 - dt.timedelta(microseconds=1))
    assert not away.is_absent(T0)
    assert not Person("bo").is_absent(T0)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"id": ""}, "has no id"),
        ({"id": 7}, "is no text"),
        ({"id": "ana", "channels": [7]}, "name them in order"),
        ({"id": "ana", "lang": ""}, "name a language"),
        ({"id": "ana", "manager": 7}, "is no text"),
        ({"id": "ana", "manager": ""}, "has no id"),
        ({"id": "ana", "manager": "ana"}, "is the person"),
        ({"id": "ana", "absent_until": dt.datetime(2024, 1, 8)}, "has no zone"),
        ({"id": "ana", "quiet": "at night"}, "DutyWindow"),
        ({"id": "ana", "quiet": ["at night"]}, "DutyWindow"),
    ],
)
def test_what_is_wrong_is_named(given, says):
    """With the remedy."""
    with pytest.raises(InvalidValue, match=says):
        Person(**given)
