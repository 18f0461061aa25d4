"""The turn of a rotation in few steps, for those whose turns recur evenly on the wall clock.

Each reads what a clock shows at an instant, for the first time: the second of two equal times, and what
recurs unevenly (a 31st of the month, weekdays of months), go through the pieces themselves.
"""

from __future__ import annotations

import datetime as dt
from typing import Protocol
from zoneinfo import ZoneInfo

import attrs

from itsm_core.business_time.instants import DAY, SECOND
from itsm_core.oncall.lattices import Days, Months, Pieces, Steps, Turns
from itsm_core.oncall.walls import WALL_EPOCH


class Shortcut(Protocol):
    """The turn of whom is on call at a time that a clock shows, or None."""

    def turn(self, shown: dt.datetime) -> int | None:
        """The turn, or None where nobody is on call."""


@attrs.frozen
class EqualTurns:
    """Turns of equally many seconds, one after another from `origin` on."""

    origin: dt.datetime
    seconds: int

    def turn(self, shown: dt.datetime) -> int:
        """The turn of a time."""
        since = shown - self.origin  # of one zone: the difference on the wall clock
        return (since.days * 86_400 + since.seconds) // self.seconds


@attrs.frozen
class SpacedTurns:
    """The same with nobody on call for the rest of each turn."""

    origin: dt.datetime
    seconds: int
    length: int

    def turn(self, shown: dt.datetime) -> int | None:
        """The turn of a time, or None."""
        since = shown - self.origin
        turn, rest = divmod(since.days * 86_400 + since.seconds, self.seconds)
        return turn if rest < self.length else None


@attrs.frozen
class MonthlyTurns:
    """Turns of months from a day and time on that every month has."""

    month: int
    day: int
    time: dt.time
    pitch: int

    def turn(self, shown: dt.datetime) -> int:
        """The turn of a time."""
        month = shown.year * 12 + shown.month - self.month
        if shown.day < self.day or (shown.day == self.day and shown.time() < self.time):
            month -= 1
        return month // self.pitch


@attrs.frozen
class ActiveDays:
    """Turns of `length` active days; `places` are those of each day of a week among its active days."""

    origin: dt.datetime
    places: tuple[int | None, ...]
    seconds: int
    length: int
    active: int

    def turn(self, shown: dt.datetime) -> int | None:
        """The turn of a time, or None."""
        since = shown - self.origin
        week, day = divmod(since.days, 7)
        place = self.places[day]
        if place is None or since.seconds >= self.seconds:
            return None
        return (week * self.active + place) // self.length


@attrs.frozen
class ActiveWeeks:
    """The active days of `length` weeks in every `pitch`."""

    origin: dt.datetime
    places: tuple[int | None, ...]
    seconds: int
    length: int
    pitch: int

    def turn(self, shown: dt.datetime) -> int | None:
        """The turn of a time, or None."""
        since = shown - self.origin
        week, day = divmod(since.days, 7)
        if self.places[day] is None or since.seconds >= self.seconds:
            return None
        turn, within = divmod(week, self.pitch)
        return turn if within < self.length else None


def shortcut(pieces: Pieces, zone: ZoneInfo) -> Shortcut | None:
    """The short way to the turns of these pieces on the clock of a zone, or None where there is none."""
    if isinstance(pieces, Turns):
        return _of_turns(pieces, zone)
    return _of_days(pieces, zone) if isinstance(pieces, Days) else None


def _of_turns(turns: Turns, zone: ZoneInfo) -> Shortcut | None:
    lattice = turns.lattice
    if isinstance(lattice, Steps):
        origin, seconds = _at(lattice.start, zone), turns.pitch * lattice.step // SECOND
        if turns.tiles:
            return EqualTurns(origin, seconds)
        length = turns.length * lattice.step if turns.duration is None else turns.duration
        return SpacedTurns(origin, seconds, length // SECOND) if length % SECOND == 0 else None
    if not isinstance(lattice, Months) or lattice.day > 28 or not turns.tiles:
        return None
    return MonthlyTurns(lattice.month + 1, lattice.day, _at(lattice.time, zone).time(), turns.pitch)


def _of_days(days: Days, zone: ZoneInfo) -> Shortcut | None:
    length = DAY if days.duration is None else days.duration
    if length % SECOND:
        return None
    weekdays = days.weekdays
    if days.blocks is None:
        origin = _at(days.origin * DAY + days.time, zone)
        places = _places(days, days.origin)
        return ActiveDays(origin, places, length // SECOND, days.length, len(weekdays.days))
    if not isinstance(days.blocks, Steps):
        return None
    start = days.blocks.start
    return ActiveWeeks(
        _at(start, zone), _places(days, start // DAY), length // SECOND, days.length, days.pitch
    )


def _places(days: Days, first: int) -> tuple[int | None, ...]:
    """How many active days lie between a first day and each of the week from it on that is active."""
    rank = days.weekdays.rank
    week = range(first, first + 7)
    return tuple(rank(day) - rank(first) if rank(day + 1) > rank(day) else None for day in week)


def _at(wall: int, zone: ZoneInfo) -> dt.datetime:
    return (WALL_EPOCH + dt.timedelta(0, 0, wall)).replace(tzinfo=zone)
