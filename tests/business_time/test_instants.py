"""Instants: aware datetimes to integer microseconds and back."""

import datetime as dt
from zoneinfo import ZoneInfo

import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time.instants import (
    EARLIEST,
    LATEST,
    in_utc,
    later,
    like,
    micros,
    parse_text,
    text,
    utc,
    zone_of,
)
from itsm_core.errors import BeyondHorizon, InvalidValue, NaiveDatetime, UnknownZone

ZONES = st.sampled_from(
    [dt.UTC, ZoneInfo("Europe/London"), ZoneInfo("Pacific/Apia"), dt.timezone(dt.timedelta(hours=-3))]
)
MOMENTS = st.datetimes(
    dt.datetime(1900, 1, 2), dt.datetime(2300, 1, 1), timezones=ZONES, allow_imaginary=False
)


@given(MOMENTS)
def test_microseconds_keep_every_instant(at):
    """There and back is the same instant, as datetime, as text and as pendulum."""
    us = micros(at)
    back = like(us, at)
    assert back.tzinfo is at.tzinfo
    assert (back.replace(tzinfo=None), back.utcoffset()) == (at.replace(tzinfo=None), at.utcoffset())
    assert utc(us) == at.astimezone(dt.UTC)
    assert parse_text(text(us)) == us
    assert micros(pendulum.instance(at.astimezone(dt.UTC))) == us


def test_utc_is_handed_through():
    """What is plain UTC already stays the same object; other zones and types are turned into it."""
    at = dt.datetime(2024, 5, 1, 10, tzinfo=dt.UTC)
    assert in_utc(at) is at
    assert in_utc(at.astimezone(ZoneInfo("Asia/Tokyo"))) == at
    assert type(in_utc(pendulum.instance(at))) is dt.datetime


@pytest.mark.parametrize(
    "at",
    [
        dt.datetime.max.replace(tzinfo=dt.UTC),
        dt.datetime.min.replace(tzinfo=dt.UTC),
        dt.datetime.fromisoformat("0001-01-01T00:00+08:00"),
        dt.datetime.fromisoformat("9999-12-31T23:59-08:00"),
    ],
)
def test_instants_at_the_ends_of_time_are_refused_by_name(at):
    """They have no local time in other zones, and nothing can be added to them."""
    for take in (micros, in_utc):
        with pytest.raises(BeyondHorizon, match="end of what a datetime holds"):
            take(at)
    with pytest.raises(BeyondHorizon):
        parse_text(at.isoformat())
    with pytest.raises(BeyondHorizon):
        utc(10**20 if at.year > 1 else -(10**20))


TICK = dt.timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "days"),
    # 1970 begins 719,162 days after 1 January of the year 1, the year 10000 begins 2,932,897 days later.
    [("0001-01-02T00:00:00Z", -719_161), ("9999-12-31T00:00:00Z", 2_932_896)],
)
def test_the_first_and_the_last_instant_count(text, days):
    """They lie a day from the ends of what a datetime holds; a microsecond beyond them is refused."""
    at = dt.datetime.fromisoformat(text)
    assert micros(at) == days * 86_400_000_000
    assert in_utc(at) is at
    assert in_utc(at.astimezone(ZoneInfo("Asia/Kolkata"))) == at
    beyond = at - TICK if days < 0 else at + TICK
    shown = beyond.replace(tzinfo=None).isoformat()
    for take in (micros, in_utc):
        with pytest.raises(BeyondHorizon, match=f"^at {shown} lies at the end"):
            take(beyond)


def test_an_instant_too_far_for_a_year_is_told_in_days():
    """No datetime can show it: 10**20 microseconds are 1,157,407,407 days and some hours."""
    with pytest.raises(BeyondHorizon, match=r"^instant 1157407407 days from 1970 lies"):
        utc(10**20)


def test_later_ends_with_the_latest_instant():
    """What would lie beyond the end of time is the end of time."""
    at = dt.datetime(2024, 5, 1, 10, tzinfo=dt.UTC)
    assert later(at, dt.timedelta(hours=2)) == dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
    assert later(LATEST - dt.timedelta(hours=1), dt.timedelta(hours=2)) == LATEST
    assert later(at, dt.timedelta.max) == LATEST
    assert later(EARLIEST, TICK) == EARLIEST + TICK


def test_a_model_without_zone_gives_utc():
    """No zone of this machine comes in through a naive datetime."""
    assert like(0, dt.datetime(2024, 5, 1)).tzinfo is dt.UTC


def test_naive_datetimes_and_other_things_are_no_instants():
    """The errors say what to do."""
    for take in (micros, in_utc):
        with pytest.raises(NaiveDatetime, match=r"^at '2024-05-01T10:00:00'"):
            take(dt.datetime(2024, 5, 1, 10))
    with pytest.raises(NaiveDatetime, match=r"start '2024-05-01T10:00:00'.*make it aware"):
        micros(dt.datetime(2024, 5, 1, 10), "start")
    with pytest.raises(InvalidValue, match="is no datetime"):
        in_utc("2024-05-01")
    for value in ("yesterday", 7):
        with pytest.raises(InvalidValue, match=f"^instant {value!r}: is no ISO 8601 instant"):
            parse_text(value)
    with pytest.raises(NaiveDatetime):
        parse_text("2024-05-01T10:00:00")


def test_a_subclass_stays_plain_without_pendulum(monkeypatch):
    """pendulum is asked for only where it is loaded."""

    class Stamp(dt.datetime):
        pass

    monkeypatch.delitem(__import__("sys").modules, "pendulum")
    at = Stamp(2024, 5, 1, 10, tzinfo=dt.UTC)
    assert type(like(micros(at), at)) is dt.datetime


def test_zones_are_found_by_name():
    """An unknown zone names an example."""
    assert zone_of("Europe/Berlin") is ZoneInfo("Europe/Berlin")
    for name in ("Mars/Olympus", "Europe", "", "../zones", 7):  # "Europe" is a folder of zones
        with pytest.raises(UnknownZone, match="Asia/Shanghai"):
            zone_of(name)
