"""A rota read aloud: who is on call, found by walking day by day and minute by minute.

Shares nothing with the library: wall times are naive datetimes, turns are counted one after another
from the start, and the instant of a wall time is found by watching the clock.
"""

import datetime as dt
from calendar import monthrange
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

MINUTE, SECOND, DAY = dt.timedelta(minutes=1), dt.timedelta(seconds=1), dt.timedelta(days=1)
WATCHED = 3 * DAY


@lru_cache(maxsize=64)
def watched(zone, day):
    """The latest time that a clock has shown by each minute of the days around a UTC date."""
    begin = dt.datetime.combine(day, dt.time(), dt.UTC) - WATCHED
    instants = [begin + i * MINUTE for i in range(int(2 * WATCHED / MINUTE))]
    return instants, list(accumulate((shows(zone, at) for at in instants), max))


def shows(zone, at):
    """What a clock shows at an instant."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


def has_shown(zone, wall, at):
    """Whether a clock has shown a time by an instant, as those see who watch it for three days."""
    instants, latest = watched(zone, at.astimezone(dt.UTC).date())
    minute = int((at - instants[0]) / MINUTE)
    begin = instants[minute]
    seconds = [begin + i * SECOND for i in range(60)]
    return wall <= max(latest[minute], *(shows(zone, s) for s in seconds if s <= at), shows(zone, at))


def later(start, kind, units):
    """The start of a unit so many units after a wall time; a month has its last day where it lacks one."""
    if kind != "monthly":
        return start + units * {"hourly": dt.timedelta(hours=1), "daily": DAY, "weekly": 7 * DAY}[kind]
    month = start.year * 12 + start.month - 1 + units
    year, month = divmod(month, 12)
    return start.replace(year=year, month=month + 1, day=min(start.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class Rota:
    """The words of a rotation, as a person would say them."""

    kind: str
    start: dt.datetime
    zone: str
    people: tuple
    shift_length: int = 1
    every: int | None = None
    duration: dt.timedelta | None = None
    days: tuple = ()
    blocks: str = "anchored"
    valid_from: dt.datetime | None = field(default=None)
    valid_until: dt.datetime | None = field(default=None)

    def on_call(self, at):
        """Who is on call at an instant."""
        if self.valid_from is not None and not has_shown(self.zone, self.valid_from, at):
            return ()
        if self.valid_until is not None and has_shown(self.zone, self.valid_until, at):
            return ()
        for begin, end, turn in self.pieces(shows(self.zone, at)):
            if has_shown(self.zone, begin, at) and not has_shown(self.zone, end, at):
                return (self.people[turn % len(self.people)],)
        return ()

    def pieces(self, near):
        """Begin, end and turn of the pieces within some days of a time, one after another."""
        far = 2 * DAY + self._longest()
        walk = self._active_days if self.days else self._turns
        for forward in (True, False):
            for begin, end, turn in walk(forward):
                if begin > near + far if forward else end < near - far:
                    break
                if near - far <= end and begin <= near + far:
                    yield begin, end, turn

    def _longest(self):
        if self.days:
            return 2 * DAY
        unit = {"hourly": dt.timedelta(hours=1), "daily": DAY, "weekly": 7 * DAY, "monthly": 31 * DAY}[
            self.kind
        ]
        return unit * (self.every or self.shift_length)

    def _base(self):
        if self.blocks == "calendar" and self.kind == "weekly":
            return self.start - self.start.weekday() * DAY
        if self.blocks == "calendar" and self.kind == "monthly":
            return self.start.replace(day=1)
        return self.start

    def _turns(self, forward):
        turn, step = (0, 1) if forward else (-1, -1)
        while True:
            units = turn * (self.every or self.shift_length)
            begin = later(self._base(), self.kind, units)
            end = later(self._base(), self.kind, units + self.shift_length)
            yield begin, begin + self.duration if self.duration else end, turn
            turn += step

    def _active_days(self, forward):
        length = self.duration or DAY
        day = self.start if forward else self.start - DAY
        count = 0 if forward else -1
        while True:
            if day.weekday() in self.days:
                turn = count // self.shift_length if self.kind == "daily" else self._block(day)
                if turn is not None:
                    yield day, day + length, turn
                count += 1 if forward else -1
            day += DAY if forward else -DAY

    def _block(self, day):
        """The turn of the block of weeks or months in which a day lies, or None where it has no turn."""
        unit = 0
        while later(self._base(), self.kind, unit) > day:
            unit -= 1
        while later(self._base(), self.kind, unit + 1) <= day:
            unit += 1
        turn, within = divmod(unit, self.every or self.shift_length)
        return turn if within < self.shift_length else None
