"""When clocks change, checked against a slow reading of the zone itself."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from itsm_core.business_time import offsets
from itsm_core.business_time.instants import DAY, HOUR, SECOND, micros, utc

ZONES = [
    "UTC",
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Santiago",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Africa/Monrovia",
    "Asia/Kolkata",
    "Asia/Gaza",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Pacific/Chatham",
]


def slow_changes(zone, year):
    """Every instant of a year at which an hourly reading of the offset differs, to the second."""

    def offset(at):
        return utc(at).astimezone(zone).utcoffset()

    changes, at = [], offsets.year_start(year)
    while at < offsets.year_start(year + 1):
        if offset(at) != offset(at - HOUR):
            changes.append(
                next(s for s in range(at - HOUR + SECOND, at + 1, SECOND) if offset(s) == offset(at))
            )
        at += HOUR
    return changes


@pytest.mark.parametrize("name", ZONES)
def test_segments_change_exactly_where_the_zone_does(name):
    """Each stretch keeps one offset and ends at the second of the change; none is missed."""
    zone = ZoneInfo(name)
    for year in (1972, 1995, 2011, 2018, 2024, 2037, 2150):
        start, end = offsets.year_start(year), offsets.year_start(year + 1)
        found = offsets.segments(zone, start, end)
        assert (found[0].start, found[-1].end) == (start, end)
        assert [s.start for s in found[1:]] == [c for c in slow_changes(zone, year) if c > start]
        for low, high, offset in found:
            for at in (low, (low + high) // 2, high - 1):
                assert offset == utc(at).astimezone(zone).utcoffset() / dt.timedelta(microseconds=1)


class TwoChangesADay(dt.tzinfo):
    """A zone that goes forward at 06:00 UTC of 1 June and back at 18:00 of the same day."""

    def utcoffset(self, at):
        """An hour between 07:00 and 19:00 local time, else nothing."""
        naive = at.replace(tzinfo=None)
        summer = dt.datetime(2024, 6, 1, 7) <= naive < dt.datetime(2024, 6, 1, 19)
        return dt.timedelta(hours=1 if summer and not (naive.hour == 18 and at.fold) else 0)

    def fromutc(self, at):
        """The local time of an instant."""
        naive = at.replace(tzinfo=None)
        if dt.datetime(2024, 6, 1, 6) <= naive < dt.datetime(2024, 6, 1, 18):
            return at + dt.timedelta(hours=1)
        return at.replace(fold=int(naive.date() == dt.date(2024, 6, 1) and naive.hour == 18))

    def dst(self, at):
        """Not told."""


def test_two_changes_on_one_day_are_both_seen():
    """A zone that changes and changes back within a day has both changes."""
    found = offsets.segments(TwoChangesADay(), offsets.year_start(2024), offsets.year_start(2025))
    expected = [dt.datetime(2024, 6, 1, 6, tzinfo=dt.UTC), dt.datetime(2024, 6, 1, 18, tzinfo=dt.UTC)]
    assert [utc(s.start) for s in found[1:]] == expected
    assert [s.offset for s in found] == [0, HOUR, 0]


@pytest.mark.parametrize(
    ("name", "wall", "expected"),
    [
        ("Europe/London", "2024-03-31T01:30", "2024-03-31T01:00+00:00"),  # skipped: the gap's end
        ("Europe/London", "2024-10-27T01:30", "2024-10-27T00:30+00:00"),  # twice: the first
        ("Europe/London", "2024-10-27T02:00", "2024-10-27T02:00+00:00"),
        ("Europe/London", "2024-07-01T09:00", "2024-07-01T08:00+00:00"),
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00+00:00"),  # a missing date
        ("America/Sao_Paulo", "2017-10-15T00:00", "2017-10-15T03:00+00:00"),
    ],
)
def test_a_local_time_means_one_instant(name, wall, expected):
    """A gap leads to its end, an ambiguous time to its first occurrence."""
    local = micros(dt.datetime.fromisoformat(wall + "+00:00"))
    found = offsets.instant(ZoneInfo(name), local)
    assert utc(found) == dt.datetime.fromisoformat(expected)


def test_local_reads_the_clock():
    """The local microseconds of an instant are what its clock shows."""
    noon = micros(dt.datetime(2024, 7, 1, 11, tzinfo=dt.UTC))
    assert offsets.local(ZoneInfo("Europe/London"), noon) % DAY == 12 * HOUR
