"""Calendars as users call them: what comes in decides what comes out. Never run."""

import datetime as dt
from collections.abc import Iterator

import pendulum

from itsm_core import BusinessCalendar, hours
from itsm_core.business_time import Explanation, Holiday

desk = BusinessCalendar.weekly("mon-fri 09:00-17:30", zone="Europe/London", holidays=["12-25"])


def a_datetime_gives_a_datetime(at: dt.datetime) -> dt.datetime | None:
    """A plain datetime in, a plain datetime out."""
    due: dt.datetime = desk.add(at, hours(4))
    before: dt.datetime = desk.subtract(due, dt.timedelta(hours=1))
    return desk.next_open(before)


def a_pendulum_gives_a_pendulum(at: pendulum.DateTime) -> pendulum.DateTime | None:
    """A pendulum DateTime in, one out, so that its methods may be called."""
    due: pendulum.DateTime = desk.add(at, hours(4))
    words: str = desk.subtract(due, hours(1)).diff_for_humans()
    periods: Iterator[tuple[pendulum.DateTime, pendulum.DateTime]] = desk.periods_after(due)
    assert words
    assert next(periods)
    return desk.next_close(due)


def what_else(at: dt.datetime) -> tuple[Holiday | None, Explanation, BusinessCalendar]:
    """Holidays, explanations and combinations keep their types."""
    night: BusinessCalendar = BusinessCalendar.always("Europe/London") - desk
    return desk.next_holiday(at), desk.explain(at, hours(4)), (night | desk) & desk
