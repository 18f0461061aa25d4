"""One sentence decides daylight saving: open iff the local clock reads a time inside a window."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from itsm_core.business_time import BusinessCalendar, hours

# Worked out by hand; the first eleven are the column "wall" of reference/business-time.md section 3.
GOLDEN = [
    # zone, local date, window, open minutes
    ("Europe/London", "2024-03-31", "00:30-01:30", 30),
    ("Europe/London", "2024-03-31", "01:30-03:00", 60),
    ("Europe/London", "2024-03-31", "01:15-01:45", 0),
    ("Europe/London", "2024-03-31", "01:30-02:15", 15),
    ("Europe/London", "2024-10-27", "00:30-01:30", 90),
    ("Europe/London", "2024-10-27", "01:30-02:30", 90),
    ("Europe/London", "2024-10-27", "01:15-01:45", 60),
    ("Europe/London", "2024-10-27", "00:00-24:00", 1500),
    ("America/Sao_Paulo", "2017-10-15", "00:00-24:00", 1380),
    ("Australia/Lord_Howe", "2024-04-07", "01:00-03:00", 150),
    ("Pacific/Apia", "2011-12-30", "09:00-17:00", 0),
    ("Europe/London", "2024-03-31", "00:00-24:00", 1380),
    ("Europe/London", "2024-03-30", "22:00-06:00", 420),
    ("Europe/London", "2024-10-26", "22:00-06:00", 540),
    ("Europe/London", "2024-10-26", "08:00-08:00", 1500),
    ("America/Sao_Paulo", "2017-10-14", "23:00-01:00", 60),
    ("America/Sao_Paulo", "2018-02-17", "23:00-24:00", 120),
    ("Australia/Lord_Howe", "2024-10-06", "01:00-03:00", 90),
    ("Pacific/Apia", "2011-12-29", "22:00-06:00", 120),
    ("Pacific/Apia", "2011-12-30", "22:00-06:00", 360),
    ("Africa/Casablanca", "2024-03-10", "02:00-03:00", 120),
    ("Europe/Dublin", "2024-10-27", "00:30-01:30", 90),
    ("Asia/Kolkata", "2024-03-31", "00:00-24:00", 1440),
]


@pytest.mark.parametrize(("zone", "date", "window", "minutes"), GOLDEN)
def test_the_golden_table_of_clock_changes(zone, date, window, minutes):
    """Elapsed time, periods and a minute-by-minute reading count the same, as written by hand."""
    calendar = BusinessCalendar.weekly("", zone=zone, shifts={date: window, "2030-01-01": "09:00-17:00"})
    noon = dt.datetime.fromisoformat(date + "T12:00+00:00")
    start, end = noon - dt.timedelta(days=2), noon + dt.timedelta(days=3)
    assert calendar.elapsed(start, end) == dt.timedelta(minutes=minutes)
    spans = list(calendar.periods(start, end))
    assert sum((closed - opened for opened, closed in spans), dt.timedelta(0)) == dt.timedelta(
        minutes=minutes
    )
    grid = (start + dt.timedelta(minutes=i) for i in range(5 * 1440))
    assert sum(map(calendar.is_open, grid)) == minutes


def test_a_window_cut_in_two_by_the_clock_is_two_periods():
    """In autumn 00:30-01:30 is open, shut for the repeated half hour, and open again."""
    calendar = BusinessCalendar.weekly("sun 00:30-01:30", zone="Europe/London")
    day = dt.datetime(2024, 10, 26, 12, tzinfo=dt.UTC)
    spans = list(calendar.periods(day, day + dt.timedelta(days=1)))
    texts = [(opened.strftime("%H:%M"), closed.strftime("%H:%M")) for opened, closed in spans]
    assert texts == [("23:30", "00:30"), ("01:00", "01:30")]


def test_a_night_of_25_hours_counts_25():
    """Real time counts, so 24 open hours from midnight end at 23:00 on the long day."""
    london = ZoneInfo("Europe/London")
    calendar = BusinessCalendar.always(london)
    start = dt.datetime(2024, 10, 27, tzinfo=london)
    assert calendar.add(start, hours(24)) == dt.datetime(2024, 10, 27, 23, tzinfo=london)
    assert calendar.elapsed(start, dt.datetime(2024, 10, 28, tzinfo=london)) == dt.timedelta(hours=25)
