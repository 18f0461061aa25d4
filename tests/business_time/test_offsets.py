"""When clocks change, checked against a slow reading of the zone itself."""

import datetime as dt
from itertools import pairwise
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


class OneChange(dt.tzinfo):
    """A zone that goes forward by an hour at one instant of UTC, from five hours behind it."""

    def __init__(self, at, before=-5):
        self.at, self.before = at.replace(tzinfo=None), dt.timedelta(hours=before)

    def utcoffset(self, at):
        """A local time that is skipped still shows the offset before."""
        gap_ends = self.at + self.before + dt.timedelta(hours=1)
        return self.before + dt.timedelta(hours=int(at.replace(tzinfo=None) >= gap_ends))

    def fromutc(self, at):
        """The local time of an instant."""
        return at + self.before + dt.timedelta(hours=int(at.replace(tzinfo=None) >= self.at))

    def dst(self, at):
        """Not told."""


def change(text):
    """An instant of UTC."""
    return dt.datetime.fromisoformat(text + "+00:00")


@pytest.mark.parametrize("before", [-5, 13])
@pytest.mark.parametrize(
    "at",
    [
        *(f"2024-06-15T12:00:{second:02d}" for second in range(4)),
        *("2024-01-01T00:00:00", "2024-01-01T00:00:01", "2024-01-01T01:00:00", "2024-01-02T05:00:00"),
        *("2023-12-30T12:00:00", "2023-12-31T12:00:00", "2023-12-31T23:59:59", "2024-12-31T23:59:59"),
        "2024-01-04T00:00:00",  # in the last three hours that are read for 2023
    ],
)
def test_a_change_is_found_to_the_second_also_around_new_year(at, before):
    """The stretches of three years follow each other, none is empty, and the offset changes once."""
    start, end, turn = offsets.year_start(2023), offsets.year_start(2026), micros(change(at))
    found = offsets.segments(OneChange(change(at), before), start, end)
    assert found[0].start == start
    assert found[-1].end == end
    assert all(a.end == b.start for a, b in pairwise(found))
    assert all(s.start < s.end for s in found)
    assert [s.offset // HOUR for s in found] == [before + (s.start >= turn) for s in found]
    assert turn in [s.start for s in found]


def test_a_stretch_ends_where_the_span_asked_for_does():
    """Nothing empty is told where a change or a year begins, nor is the last microsecond missed."""
    london, new_year = ZoneInfo("Europe/London"), offsets.year_start(2024)
    turn = micros(change("2024-03-31T01:00"))
    assert offsets.segments(london, turn - HOUR, turn) == [(turn - HOUR, turn, 0)]
    assert offsets.segments(london, turn, turn + HOUR) == [(turn, turn + HOUR, HOUR)]
    assert offsets.segments(london, new_year - 1, new_year) == [(new_year - 1, new_year, 0)]
    assert offsets.segments(london, new_year - 1, new_year + 1)[-1] == (new_year, new_year + 1, 0)
    assert offsets.local(london, new_year) == new_year


@pytest.mark.parametrize(
    ("window", "expected"),
    # On 27 October 2024 London's clock reads 01:00 to 02:00 twice: from 00:00 and from 01:00 UTC.
    [
        (("00:30", "01:00"), [("23:30", "00:00")]),
        (("02:00", "03:00"), [("02:00", "03:00")]),
        (("01:00", "02:00"), [("00:00", "01:00"), ("01:00", "02:00")]),
        (("00:30", "01:30"), [("23:30", "00:30"), ("01:00", "01:30")]),
    ],
)
def test_the_instants_of_a_window_on_the_long_day(window, expected):
    """No span is empty, also where a window begins or ends with the repeated hour."""
    start, end = (micros(change(f"2024-10-27T{text}")) for text in window)
    asked = micros(change("2024-10-26T12:00")), micros(change("2024-10-28T12:00"))
    spans = offsets.preimage(ZoneInfo("Europe/London"), [(start, end)], *asked)
    assert [(f"{utc(a):%H:%M}", f"{utc(b):%H:%M}") for a, b in spans] == expected


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
