"""When the desk is open: intervals, durations, schedule, holidays, calendar.

Each file imports only files above it:

    instants.py     integer microseconds UTC inside, aware datetimes at the edges
    durations.py    open time, business days, calendar days: different types
    intervals.py    half-open spans and set operations on sorted lists of them
    offsets.py      when a zone's clock changes; local times and the instants they mean
    windows.py      hours as text and back
    given.py        dates, years, keys and texts as callers give them, checked
    holidays.py     dates, ranges, yearly rules and parts of a day on which it is closed
    national.py     holidays of a country (extra holidays)
    recurrence.py   recurring events of a feed, within bounds
    ical_events.py  one event of a feed
    ical.py         holidays from an iCalendar feed (extra ical)
    weeks.py        weekly hours and how long they are valid
    schedule.py     the layers: week, holidays, shifts, breaks, all on the wall clock
    local_hours.py  a schedule read in its zone: a source of open time
    algebra.py      sources combined: both, either, one without the other
    table.py        open time as UTC edges with prefix sums
    arrays.py       a million questions to one table (extra arrays)
    compiled.py     a source compiled: its table, business days, due rules
    closures.py     why the desk is closed
    explanation.py  why something falls due when it does
    dates.py        local dates in real time: how long, what the clock reads, when open
    picture.py      dates, months and calendars as SVG and HTML
    forms.py        calendars as JSON values and back
    open_time.py    what is measured, with datetimes in and out
    calendar.py     BusinessCalendar

Order: instants, durations, intervals, offsets, windows, given, holidays, national, recurrence, ical_events,
ical, weeks, schedule, local_hours, algebra, table, arrays, compiled, closures, explanation, dates,
picture, forms, open_time, calendar.
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
from itsm_core.business_time.explanation import Explanation
from itsm_core.business_time.holidays import Holiday, HolidayList, YearlyHoliday
from itsm_core.business_time.ical import ical_holidays
from itsm_core.business_time.intervals import Interval, difference, intersection, union
from itsm_core.business_time.national import national_holidays
from itsm_core.business_time.picture import Drawing
from itsm_core.business_time.schedule import Schedule
from itsm_core.business_time.weeks import Week

__all__ = [
    "Budget",
    "BusinessCalendar",
    "BusinessDays",
    "CalendarDays",
    "Closure",
    "Drawing",
    "DueRule",
    "Duration",
    "EndOfBusinessDay",
    "Explanation",
    "Holiday",
    "HolidayList",
    "Interval",
    "Schedule",
    "Week",
    "YearlyHoliday",
    "always",
    "business_days",
    "calendar_days",
    "difference",
    "end_of_business_day",
    "format_duration",
    "hours",
    "ical_holidays",
    "intersection",
    "minutes",
    "national_holidays",
    "never",
    "parse_duration",
    "seconds",
    "union",
]
