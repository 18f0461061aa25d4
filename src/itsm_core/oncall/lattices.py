"""Turns of a rotation on the wall clock, in closed form: which began last, and when each begins.

A lattice counts hours, days, weeks or months from a start. `Turns` takes every so many of them as one turn;
`Days` takes only some weekdays of each. Pieces are whole numbers in the order of time, before the
start too; `before(wall)` is the last that began at or before a time.
"""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from typing import Protocol

import attrs

from itsm_core.business_time.instants import DAY

_EPOCH = dt.date(1970, 1, 1).toordinal()
_CYCLE_YEARS, _CYCLE_DAYS = 400, 146_097  # after which the Gregorian calendar repeats


class Lattice(Protocol):
    """Points on the wall clock, one for each unit."""

    def point(self, unit: int) -> int:
        """The time at which a unit begins."""

    def unit(self, wall: int) -> int:
        """The unit in which a time lies."""


@attrs.frozen
class Steps:
    """Hours, days or weeks: points that are equally far apart."""

    start: int
    step: int

    def point(self, unit: int) -> int:
        """The time at which a unit begins."""
        return self.start + unit * self.step

    def unit(self, wall: int) -> int:
        """The unit in which a time lies."""
        return (wall - self.start) // self.step


@attrs.frozen
class Months:
    """Months: the same day and time in each; where there is no such day, the last of the month."""

    month: int
    day: int
    time: int

    @classmethod
    def of(cls, start: int, day: int | None = None) -> Months:
        """The months from a time on, on the day of that time or on another."""
        month, found = month_of(start // DAY)
        return cls(month, found if day is None else day, start % DAY)

    def point(self, unit: int) -> int:
        """The time at which a unit begins."""
        cycle, month = divmod(self.month + unit, _CYCLE_YEARS * 12)
        year, month = divmod(month, 12)
        day = min(self.day, monthrange(_CYCLE_YEARS + year, month + 1)[1])
        ordinal = dt.date(_CYCLE_YEARS + year, month + 1, day).toordinal()
        return (ordinal + (cycle - 1) * _CYCLE_DAYS - _EPOCH) * DAY + self.time

    def unit(self, wall: int) -> int:
        """The unit in which a time lies."""
        unit = month_of(wall // DAY)[0] - self.month
        return unit if self.point(unit) <= wall else unit - 1


def month_of(day: int) -> tuple[int, int]:
    """The month, counted from year 0, and the day in it of a day counted from 1970; any year will do."""
    cycle, rest = divmod(day + _EPOCH - 1, _CYCLE_DAYS)
    date = dt.date.fromordinal(rest + 1)
    return (date.year + cycle * _CYCLE_YEARS) * 12 + date.month - 1, date.day


class Pieces(Protocol):
    """The pieces of which shifts are made; each belongs to one turn."""

    def before(self, wall: int) -> int:
        """The last piece that began at or before a time."""

    def after(self, piece: int) -> int:
        """The piece that follows."""

    def turn(self, piece: int) -> int:
        """The turn to which a piece belongs."""

    def turn_at(self, wall: int) -> int | None:
        """The turn of whom is on call at a time, or None."""

    def ends(self, piece: int) -> tuple[int, int]:
        """When a piece begins and ends, on the wall clock."""

    def run(self, piece: int) -> tuple[int, int]:
        """The first and the last piece of the shift to which a piece belongs."""


@attrs.frozen
class Turns:
    """Each turn is one piece: `length` units from every `pitch`-th on, or `duration` in their place."""

    lattice: Lattice
    pitch: int
    length: int
    duration: int | None

    def before(self, wall: int) -> int:
        """The last turn that began at or before a time."""
        return self.lattice.unit(wall) // self.pitch

    def after(self, piece: int) -> int:
        """The turn that follows."""
        return piece + 1

    @property
    def tiles(self) -> bool:
        """Whether each turn lasts until the next begins."""
        return self.duration is None and self.pitch == self.length

    def turn(self, piece: int) -> int:
        """The turn itself."""
        return piece

    def turn_at(self, wall: int) -> int | None:
        """The turn of whom is on call at a time, or None."""
        turn = self.lattice.unit(wall) // self.pitch
        return turn if self.tiles or wall < self.ends(turn)[1] else None

    def ends(self, piece: int) -> tuple[int, int]:
        """When a turn begins and ends, on the wall clock."""
        start = self.lattice.point(piece * self.pitch)
        if self.duration is not None:
            return start, start + self.duration
        return start, self.lattice.point(piece * self.pitch + self.length)

    def run(self, piece: int) -> tuple[int, int]:
        """The turn itself, twice: it is a shift."""
        return piece, piece


@attrs.frozen
class Weekdays:
    """Some weekdays, counted: days are counted from 1970, and active ones from a Monday long before."""

    days: tuple[int, ...]
    _before: tuple[int, ...] = attrs.field(init=False, eq=False, repr=False)

    @_before.default
    def _counted(self) -> tuple[int, ...]:
        return tuple(sum(1 for active in self.days if active < weekday) for weekday in range(7))

    def rank(self, day: int) -> int:
        """How many active days lie before a day."""
        weeks, weekday = divmod(day + 3, 7)  # 1970 began on a Thursday
        return weeks * len(self.days) + self._before[weekday]

    def day(self, rank: int) -> int:
        """The active day before which so many lie."""
        weeks, place = divmod(rank, len(self.days))
        return weeks * 7 + self.days[place] - 3


@attrs.frozen
class Days:
    """Each active day is a piece, counted by its rank among the active days.

    Without `blocks` a turn is `length` active days, counted from the day `origin`; with them it is what
    is active in `length` weeks or months of every `pitch`.
    """

    weekdays: Weekdays
    time: int
    duration: int | None
    length: int
    pitch: int
    blocks: Lattice | None
    origin: int

    def before(self, wall: int) -> int:
        """The last active day, of those whose block has its turn, that began at or before a time."""
        day = (wall - self.time) // DAY
        piece = self.weekdays.rank(day + 1) - 1
        if self.blocks is None or self._has_turn(self.blocks, self.weekdays.day(piece)):
            return piece
        turn = self.blocks.unit(self._begins(self.weekdays.day(piece))) // self.pitch
        return self.weekdays.rank(self.blocks.point(turn * self.pitch + self.length) // DAY) - 1

    def after(self, piece: int) -> int:
        """The next active day whose block has its turn."""
        day = self.weekdays.day(piece + 1)
        if self.blocks is None or self._has_turn(self.blocks, day):
            return piece + 1
        turn = self.blocks.unit(self._begins(day)) // self.pitch + 1
        return self.weekdays.rank(self.blocks.point(turn * self.pitch) // DAY)

    def turn(self, piece: int) -> int:
        """The turn to which an active day belongs."""
        if self.blocks is None:
            return (piece - self.weekdays.rank(self.origin)) // self.length
        return self.blocks.unit(self._begins(self.weekdays.day(piece))) // self.pitch

    def turn_at(self, wall: int) -> int | None:
        """The turn of whom is on call at a time, or None."""
        piece = self.before(wall)
        return self.turn(piece) if wall < self.ends(piece)[1] else None

    def ends(self, piece: int) -> tuple[int, int]:
        """When an active day begins and ends, on the wall clock."""
        start = self._begins(self.weekdays.day(piece))
        return start, start + (DAY if self.duration is None else self.duration)

    def run(self, piece: int) -> tuple[int, int]:
        """The first and last of the days that follow one another in a turn; with a duration, each alone."""
        if self.duration is not None:
            return piece, piece
        start = end = piece
        while self._joins(start - 1):
            start -= 1
        while self._joins(end):
            end += 1
        return start, end

    def _joins(self, piece: int) -> bool:
        """Whether the next active day is tomorrow and in the same turn."""
        today, next_day = self.weekdays.day(piece), self.weekdays.day(piece + 1)
        return (
            today + 1 == next_day
            and self.after(piece) == piece + 1
            and self.turn(piece) == self.turn(piece + 1)
        )

    def _begins(self, day: int) -> int:
        return day * DAY + self.time

    def _has_turn(self, blocks: Lattice, day: int) -> bool:
        return blocks.unit(self._begins(day)) % self.pitch < self.length
