"""Duty windows: hours of some weekdays."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.errors import InvalidValue
from itsm_core.oncall import DutyWindow
from rota import DAY, MINUTE, SECOND, shows

US = dt.timedelta(microseconds=1)
NIGHTS = DutyWindow("20:00", "08:00", "mon-fri", "Europe/Berlin")


def berlin(*args):
    """An instant as Berlin's clock shows it."""
    return dt.datetime(*args, tzinfo=ZoneInfo("Europe/Berlin"))


def test_a_night_belongs_to_the_day_on_which_it_begins():
    """Friday's night is active on Saturday morning, Sunday's is not on Monday."""
    assert NIGHTS.is_active(berlin(2026, 1, 10, 7, 59))
    assert not NIGHTS.is_active(berlin(2026, 1, 10, 8))
    assert not NIGHTS.is_active(berlin(2026, 1, 12, 7))
    assert NIGHTS.is_active(berlin(2026, 1, 12, 20))


def test_equal_ends_are_a_whole_day():
    """From 08:00 to 08:00 of the next day, and 00:00-24:00 is the day itself."""
    assert DutyWindow("08:00", "08:00", ["sat"], "UTC").is_active(
        dt.datetime(2026, 1, 11, 7, 59, tzinfo=dt.UTC)
    )
    whole = DutyWindow("00:00", "24:00", [5], "UTC")
    found = [whole.is_active(dt.datetime(2026, 1, 10, tzinfo=dt.UTC) + n * US) for n in (-1, 0)]
    assert found == [False, True]
    assert not whole.is_active(dt.datetime(2026, 1, 11, tzinfo=dt.UTC))


def test_windows_that_touch_leave_no_hole_where_the_clock_is_put_back():
    """One ends and one begins at 02:30: in the second hour both are active, until 02:30 comes again."""
    late = DutyWindow("18:00", "02:30", "daily", "Europe/Berlin")
    early = DutyWindow("02:30", "09:00", "daily", "Europe/Berlin")
    half = dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)  # 02:30, for the first time
    active = [
        (late.is_active(half + n * MINUTE), early.is_active(half + n * MINUTE)) for n in (-1, 0, 59, 60)
    ]
    assert active == [(True, False), (True, True), (True, True), (False, True)]


def test_periods_are_the_same_in_advance():
    """A week has five nights; the one the span begins in is cut."""
    found = list(NIGHTS.periods(berlin(2026, 1, 6, 0), berlin(2026, 1, 8, 0)))
    assert found == [
        (berlin(2026, 1, 6, 0), berlin(2026, 1, 6, 8)),
        (berlin(2026, 1, 6, 20), berlin(2026, 1, 7, 8)),
        (berlin(2026, 1, 7, 20), berlin(2026, 1, 8, 0)),
    ]
    assert found[0][0].tzinfo is ZoneInfo("Europe/Berlin")
    assert list(NIGHTS.periods(berlin(2026, 1, 8, 0), berlin(2026, 1, 8, 0))) == []


def test_a_window_within_a_gap_is_empty():
    """What begins and ends in an hour that is skipped is never active that day."""
    window = DutyWindow("02:10", "02:50", "daily", "Europe/Berlin")
    skipped = berlin(2026, 3, 29, 0), berlin(2026, 3, 30, 0)
    assert list(window.periods(*skipped)) == []
    assert not window.is_active(dt.datetime(2026, 3, 29, 1, tzinfo=dt.UTC))


def test_periods_end_with_the_datetimes():
    """At the end of time the search ends."""
    whole = DutyWindow("00:00", "24:00", "daily", "UTC")
    assert (
        len(
            list(
                whole.periods(
                    dt.datetime(9999, 12, 28, tzinfo=dt.UTC), dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
                )
            )
        )
        == 3
    )


@pytest.mark.parametrize(
    "words",
    [
        ("24:00", "08:00", "daily", "UTC"),
        ("08:00", "8 pm", "daily", "UTC"),
        ("08:00", "20:00", (), "UTC"),
        ("08:00", "20:00", "weekends", "UTC"),
        ("08:00", "20:00", "daily", "Mars"),
    ],
)
def test_windows_that_make_no_sense_are_refused(words):
    """A start at 24:00, what is no time, no day, no weekday and no zone are refused."""
    with pytest.raises(InvalidValue) as refused:
        DutyWindow(*words)
    assert refused.value.remedy


def test_a_window_is_a_value():
    """Times and texts make equal windows."""
    same = DutyWindow(dt.time(20), dt.time(8), range(5), ZoneInfo("Europe/Berlin"))
    assert same == NIGHTS
    assert hash(same) == hash(NIGHTS)


# Zones with an instant at which their clocks are put on or back.
CHANGES = [
    ("Europe/Berlin", dt.datetime(2024, 3, 31, 1)), ("Europe/Berlin", dt.datetime(2024, 10, 27, 1)),
    ("Australia/Lord_Howe", dt.datetime(2021, 4, 3, 15)), ("Antarctica/Troll", dt.datetime(2024, 10, 27, 1)),
    ("Pacific/Apia", dt.datetime(2011, 12, 30, 10)),
]  # fmt: skip
clocks = st.integers(0, 95).map(lambda n: n * 15)


def text(minutes):
    """Minutes after midnight as they are written."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def last_seen(zone, wall, change):
    """The first instant after which a clock shows a time or an earlier one no more, watched by the minute."""
    begin = change.replace(tzinfo=dt.UTC) - 4 * DAY
    watched = [begin + n * MINUTE for n in range(8 * 24 * 60)]
    return next((at for at in reversed(watched) if shows(zone, at) <= wall), begin)


@pytest.mark.law
@given(
    st.sampled_from(CHANGES), clocks, clocks, st.sets(st.integers(0, 6), min_size=1), st.integers(-1800, 1800)
)
def test_it_is_active_between_the_first_start_and_the_last_end(change, start, end, days, minute):
    """By the minute: its start has been shown that day, and its end is still to be shown, or was skipped."""
    zone, moment = change
    at = moment.replace(tzinfo=dt.UTC) + minute * MINUTE + 30 * SECOND
    begin = at - 3 * DAY
    shown = [shows(zone, begin + n * MINUTE) for n in range(int((at - begin) / MINUTE) + 1)]
    coming = [shows(zone, at + n * MINUTE + 30 * SECOND) for n in range(3 * 24 * 60)]
    wanted = False
    for n in range(-3, 2):
        day = dt.datetime.combine(shows(zone, at).date(), dt.time()) + n * DAY
        opens, closes = day + start * MINUTE, day + end * MINUTE + (DAY if end <= start else 0 * DAY)
        if day.weekday() in days and max(shown) >= opens and min(shows(zone, at), *coming) < closes:
            wanted = True
    window = DutyWindow(text(start), text(end), days, zone)
    assert window.is_active(at) == wanted
    spans = list(window.periods(at - DAY, at + DAY))
    assert any(opened <= at < closed for opened, closed in spans) == wanted
