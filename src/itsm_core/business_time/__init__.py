"""When the desk is open: intervals, durations, schedule, calendar.

Each file imports only files above it:

    instants.py     integer microseconds UTC inside, aware datetimes at the edges
    durations.py    open time, business days, calendar days: different types
    intervals.py    half-open spans and set operations on sorted lists of them
    offsets.py      when a zone's clock changes; local times and the instants they mean
    windows.py      hours as text and back
    schedule.py     the layers: week, holidays, shifts, breaks, all on the wall clock
    table.py        open time as UTC edges with prefix sums
    compiled.py     schedule and zone compiled, business days, due rules
    closures.py     why the desk is closed
    calendar.py     BusinessCalendar

Order: instants, durations, intervals, offsets, windows, schedule, table, compiled, closures,
calendar.
"""

from __future__ import annotations

from itsm_core.business_time.calendar import BusinessCalendar, always, never
from itsm_core.business_time.closures import Closure
from itsm_core.business_time.durations import (
    Budget,
    BusinessDays,
    CalendarDays,
    DueRule,
    Duration,
    EndOfBusinessDay,
    business_days,
    calendar_days,
    end_of_business_day,
    hours,
    minutes,
    seconds,
)
from itsm_core.business_time.durations import format as format_duration
from itsm_core.business_time.durations import parse as parse_duration
from itsm_core.business_time.intervals import Interval
from itsm_core.business_time.schedule import Holiday, Schedule, Week

__all__ = [
    "Budget",
    "BusinessCalendar",
    "BusinessDays",
    "CalendarDays",
    "Closure",
    "DueRule",
    "Duration",
    "EndOfBusinessDay",
    "Holiday",
    "Interval",
    "Schedule",
    "Week",
    "always",
    "business_days",
    "calendar_days",
    "end_of_business_day",
    "format_duration",
    "hours",
    "minutes",
    "never",
    "parse_duration",
    "seconds",
]
