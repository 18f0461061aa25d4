"""Times on a wall clock and the instants they mean."""

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time.instants import micros, utc
from itsm_core.oncall import Rotation
from itsm_core.oncall.walls import HIGH, LOW, first, last, passed, reached, wall_us

# (zone, time on the wall, first, last): from the zones' rules in the time-zone database, by hand.
MEANT = [
    ("America/Chicago", "2020-03-08T01:59", "07:59", "07:59"),
    ("America/Chicago", "2020-03-08T02:30", "08:00", "08:00"),  # 02:00 becomes 03:00: the gap's end
    ("America/Chicago", "2020-03-08T03:00", "08:00", "08:00"),
    ("America/Chicago", "2020-11-01T00:59", "05:59", "05:59"),
    ("America/Chicago", "2020-11-01T01:00", "06:00", "07:00"),  # 02:00 becomes 01:00: twice
    ("America/Chicago", "2020-11-01T01:30", "06:30", "07:30"),
    ("America/Chicago", "2020-11-01T02:00", "08:00", "08:00"),
    ("Australia/Lord_Howe", "2020-10-04T02:15", "-1 15:30", "-1 15:30"),  # half an hour is skipped
    ("Australia/Lord_Howe", "2021-04-04T01:45", "-1 14:45", "-1 15:15"),  # half an hour comes twice
    ("Antarctica/Troll", "2024-03-31T02:30", "01:00", "01:00"),  # two hours are skipped
    ("Antarctica/Troll", "2024-10-27T01:30", "-1 23:30", "01:30"),  # two hours come twice
    ("Pacific/Apia", "2011-12-30T09:00", "10:00", "10:00"),  # the day is skipped
    ("Africa/Monrovia", "1972-01-07T00:30", "00:44:30", "00:44:30"),  # 44 minutes 30 are skipped
]


def at(date, text):
    """The instant of a row in microseconds: a UTC time of its date, or of the day before."""
    day, _, time = text.rpartition(" ")
    return micros(dt.datetime.fromisoformat(f"{date}T{time}+00:00") + dt.timedelta(days=int(day or 0)))


@pytest.mark.parametrize(("zone", "wall", "early", "late"), MEANT)
def test_a_wall_time_means_these_instants(zone, wall, early, late):
    """A skipped time is the end of its gap; one that comes twice has a first and a last instant."""
    us, date = wall_us(dt.datetime.fromisoformat(wall)), wall[:10]
    assert first(ZoneInfo(zone), us) == at(date, early)
    assert last(ZoneInfo(zone), us) == at(date, late)


# (zone, instant, what has been reached, what has passed): a microsecond from each end of a second hour.
SHOWN = [
    ("America/Chicago", "2020-11-01T05:59:59.999999", "00:59:59.999999", "00:59:59.999999"),
    ("America/Chicago", "2020-11-01T06:00:00.000000", "01:00:00.000000", "00:59:59.999999"),
    ("America/Chicago", "2020-11-01T06:59:59.999999", "01:59:59.999999", "00:59:59.999999"),
    ("America/Chicago", "2020-11-01T07:00:00.000000", "01:59:59.999999", "01:00:00.000000"),
    ("America/Chicago", "2020-11-01T07:59:59.999999", "01:59:59.999999", "01:59:59.999999"),
    ("America/Chicago", "2020-11-01T08:00:00.000000", "02:00:00.000000", "02:00:00.000000"),
    ("America/Chicago", "2020-03-08T07:59:59.999999", "01:59:59.999999", "01:59:59.999999"),
    ("America/Chicago", "2020-03-08T08:00:00.000000", "03:00:00.000000", "03:00:00.000000"),
]


@pytest.mark.parametrize(("zone", "text", "most", "least"), SHOWN)
def test_what_a_clock_has_shown_is_exact_to_the_microsecond(zone, text, most, least):
    """In the second hour the whole first has been shown; in the first, none of it has passed for good."""
    moment = micros(dt.datetime.fromisoformat(f"{text}+00:00"))
    wanted = (wall_us(dt.datetime.fromisoformat(f"{text[:10]}T{clock}")) for clock in (most, least))
    assert (reached(ZoneInfo(zone), moment), passed(ZoneInfo(zone), moment)) == tuple(wanted)


EDGES = [
    ("2020-03-08T01:59:59.999999", "07:59:59.999999", "07:59:59.999999"),
    ("2020-03-08T02:00:00.000000", "08:00:00.000000", "08:00:00.000000"),
    ("2020-03-08T02:59:59.999999", "08:00:00.000000", "08:00:00.000000"),
    ("2020-03-08T03:00:00.000001", "08:00:00.000001", "08:00:00.000001"),
    ("2020-11-01T00:59:59.999999", "05:59:59.999999", "05:59:59.999999"),
    ("2020-11-01T01:59:59.999999", "06:59:59.999999", "07:59:59.999999"),
]


@pytest.mark.parametrize(("wall", "early", "late"), EDGES)
def test_instants_are_exact_to_the_microsecond(wall, early, late):
    """A microsecond inside or outside a gap or a second hour decides."""
    us = wall_us(dt.datetime.fromisoformat(wall))
    assert first(ZoneInfo("America/Chicago"), us) == at(wall[:10], early)
    assert last(ZoneInfo("America/Chicago"), us) == at(wall[:10], late)


def test_wall_times_are_counted_from_1970():
    """In microseconds, before it below zero."""
    assert wall_us(dt.datetime(1970, 1, 2, 0, 0, 1, 7)) == 86_401_000_007
    assert wall_us(dt.datetime(1969, 12, 31, 23, 59, 59, 999_999)) == -1


def test_the_default_of_pendulum_for_ambiguous_times_never_leaks_in():
    """pendulum takes the second of two; a rotation takes the first, also for whom asks with pendulum's types."""
    chicago = "America/Chicago"
    theirs = pendulum.datetime(2020, 11, 1, 1, 30, tz=chicago)
    assert theirs.utcoffset() == dt.timedelta(hours=-6)  # the trap: the second 01:30
    daily = Rotation(
        "daily", dt.datetime(2020, 10, 30, 1, 30), zone=chicago, participants=("ana", "ben", "cy")
    )
    started = pendulum.naive(2020, 10, 30, 1, 30)
    also = Rotation("daily", started, zone=pendulum.timezone(chicago), participants=("ana", "ben", "cy"))
    assert type(also.start) is dt.datetime
    assert also == daily
    for begin in (dt.datetime(2020, 11, 1, tzinfo=dt.UTC), pendulum.datetime(2020, 11, 1)):
        (handoff,) = daily.handoffs(begin, begin + dt.timedelta(days=1))
        assert handoff.astimezone(dt.UTC) == dt.datetime(2020, 11, 1, 6, 30, tzinfo=dt.UTC)
        assert type(handoff) is type(begin)
    between = theirs.subtract(minutes=1)  # 01:29, for the second time: the hand-off is an hour past
    assert daily.on_call(between) == daily.on_call(dt.datetime(2020, 11, 1, 7, 29, tzinfo=dt.UTC)) == ("cy",)


def test_a_pendulum_zone_is_the_shared_zone():
    """An object of pendulum for a zone is exchanged for the one of `zoneinfo`, whose rules count."""
    rotation = Rotation(
        "daily", dt.datetime(2024, 1, 1), zone=pendulum.timezone("Europe/Berlin"), participants="ana"
    )
    assert rotation.zone is ZoneInfo("Europe/Berlin")


zones = st.sampled_from(
    [*sorted({zone for zone, *_ in MEANT}), "America/Juneau", "Europe/Dublin", "UTC"]
).map(ZoneInfo)
instants = st.one_of(
    st.integers(LOW, HIGH),
    st.integers(micros(utc(0).replace(year=1860)), micros(utc(0).replace(year=2040))),
    st.sampled_from(MEANT).flatmap(
        lambda row: st.integers(-120, 120).map(lambda m: at(row[1][:10], row[2]) + m * 60_000_000)
    ),
)


@pytest.mark.law
@given(zones, instants)
def test_what_has_been_reached_is_what_came_first(zone, moment):
    """`first(wall) <= at` exactly for the times up to `reached(at)`, and `last` likewise for `passed`."""
    for meant, edge in ((first, reached(zone, moment)), (last, passed(zone, moment))):
        assert meant(zone, edge) <= moment or moment == LOW
        assert moment < meant(zone, edge + 1) or moment == HIGH


@pytest.mark.law
@given(zones, instants, st.lists(st.integers(0, 4 * 86_400_000_000), min_size=2))
def test_later_times_never_mean_earlier_instants(zone, wall, steps):
    """Both readings are monotone, so turns never change places; the first is never after the last."""
    walls = sorted(wall + step for step in steps)
    for one, other in pairwise(walls):
        assert first(zone, one) <= first(zone, other)
        assert last(zone, one) <= last(zone, other)
    assert all(first(zone, one) <= last(zone, one) for one in walls)


def test_beyond_all_datetimes_lies_the_nearest():
    """A time no clock shows at an instant there is means the first or the last instant; others are exact."""
    tokyo, chicago, day = ZoneInfo("Asia/Tokyo"), ZoneInfo("America/Chicago"), 86_400_000_000
    nine = 9 * day // 24
    for meant in (first, last):
        for far in (1, day + 1, 10**18):
            assert meant(tokyo, LOW - far) == LOW
            assert meant(chicago, HIGH + far) == HIGH
        assert meant(tokyo, LOW - day) == meant(chicago, LOW - day) == LOW
        assert meant(tokyo, HIGH + day - 1) == meant(tokyo, HIGH + nine) == HIGH
        assert meant(tokyo, HIGH + nine - 1) == HIGH - 1
        assert meant(chicago, LOW - 1) == LOW + 21_036_000_000 - 1  # its mean time: 5:50:36 behind
