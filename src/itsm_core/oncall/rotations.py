"""Rotations: who is on call when, one after another, on the wall clock of one zone.

Turn k is computed from the start and taken to its instant on its own, so nothing drifts: a time that is
skipped becomes the end of the gap, one that comes twice its first occurrence.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import attrs

from itsm_core.business_time.durations import Budget
from itsm_core.business_time.instants import DAY, HOUR, SECOND, in_utc, like, micros, utc, zone_like
from itsm_core.errors import InvalidValue
from itsm_core.oncall.given import (
    Anchor,
    Blocks,
    Group,
    RotationKind,
    anchor_of,
    blocks_of,
    count_of,
    days_of,
    duration_of,
    from_of,
    index_of,
    kind_of,
    people_of,
    until_of,
    wall_of,
)
from itsm_core.oncall.lattices import Days, Lattice, Months, Pieces, Steps, Turns, Weekdays
from itsm_core.oncall.shortcuts import Shortcut, shortcut
from itsm_core.oncall.walls import HIGH, LOW, WALL_EPOCH, first, instant_of, reached, wall_us

_STEPS = {RotationKind.HOURLY: HOUR, RotationKind.DAILY: DAY, RotationKind.WEEKLY: 7 * DAY}
_SHORTEST = {**_STEPS, RotationKind.MONTHLY: 28 * DAY}
_MONDAY = 4 * DAY  # 1970 began on a Thursday


@attrs.frozen
class Shift:
    """Who is on call from `start` up to `end`; `turn` counts from the start of the rotation, 0 first."""

    start: dt.datetime
    end: dt.datetime
    participants: Group = attrs.field(kw_only=True)
    turn: int = attrs.field(kw_only=True)


@attrs.frozen
class Rotation:
    """People who are on call in turn: `Rotation("weekly", start, zone=..., participants=("ana", "ben"))`.

    `start` is the time on the wall at which the first participant comes on; before it the others were, back
    for ever, unless `valid_from` says otherwise. `valid_from` and `valid_until` (no longer) are wall times
    too, or instants if they have a zone.

    `shift_length` is the length of a turn: hours, days, weeks or months, as `kind` says. `every` is how
    often a turn begins, with nobody on call in between; without it, turns follow one another.
    With `days`, people are on call from those weekdays' `start` time on: then a daily turn has so many
    active days, and a weekly or monthly one the active days of a block. `blocks="calendar"` begins weeks
    on Monday and months on the first; else they begin on the day of `start`.

    `duration` is how long somebody is on call in each turn, or on each active day: `hours(12)`, or a
    `timedelta`. It is read on the wall clock: from 20:00, twelve hours end at 08:00 in every night.

    A participant is a name, or several who are on call together. `anchor=(at, index)` says whose turn it
    is at a time, when people have joined or left.

    >>> weekly = Rotation(
    ...     "weekly", dt.datetime(2026, 1, 5, 9), zone="Europe/Berlin", participants=("ana", "ben")
    ... )
    >>> weekly.on_call(dt.datetime(2026, 1, 14, 12, tzinfo=dt.timezone.utc))
    ('ben',)
    """

    kind: RotationKind = attrs.field(converter=kind_of)
    start: dt.datetime = attrs.field(converter=wall_of)
    shift_length: int = attrs.field(default=1, kw_only=True)
    every: int | None = attrs.field(default=None, kw_only=True)
    duration: Budget | None = attrs.field(default=None, converter=duration_of, kw_only=True)
    days: tuple[int, ...] = attrs.field(default=(), converter=days_of, kw_only=True)
    zone: ZoneInfo = attrs.field(converter=zone_like, kw_only=True)
    participants: tuple[Group, ...] = attrs.field(converter=people_of, kw_only=True)
    anchor: Anchor | None = attrs.field(default=None, converter=anchor_of, kw_only=True)
    valid_from: dt.datetime | None = attrs.field(default=None, converter=from_of, kw_only=True)
    valid_until: dt.datetime | None = attrs.field(default=None, converter=until_of, kw_only=True)
    blocks: Blocks = attrs.field(default=Blocks.ANCHORED, converter=blocks_of, kw_only=True)
    _pieces: Pieces = attrs.field(init=False, eq=False, repr=False)
    _valid: tuple[int, int] | None = attrs.field(init=False, eq=False, repr=False)
    _people: tuple[Group, ...] = attrs.field(init=False, eq=False, repr=False)
    # What the clock shows at the bounds, if they are told from other times by that.
    _shown: tuple[dt.datetime, dt.datetime] = attrs.field(init=False, eq=False, repr=False)
    _short: Shortcut | None = attrs.field(init=False, eq=False, repr=False)
    _epoch: dt.datetime = attrs.field(init=False, eq=False, repr=False)

    @_pieces.default
    def _cut(self) -> Pieces:
        count_of(self.shift_length, "shift_length")
        pitch = self.shift_length if self.every is None else count_of(self.every, "every")
        _check(self, pitch)
        lattice = _lattice(self)
        duration = None if self.duration is None else self.duration.us
        whole_week = len(self.days) == 7 and duration in (None, DAY)
        if not self.days or whole_week:
            return Turns(lattice, pitch, self.shift_length, None if whole_week else duration)
        start = wall_us(self.start)
        return Days(
            Weekdays(self.days),
            time=start % DAY,
            duration=None if duration == DAY else duration,
            length=self.shift_length,
            pitch=pitch,
            blocks=None if self.kind is RotationKind.DAILY else lattice,
            origin=start // DAY,
        )

    @_valid.default
    def _bound(self) -> tuple[int, int] | None:
        if self.valid_from is None and self.valid_until is None:
            return None
        low = LOW if self.valid_from is None else instant_of(self.zone, self.valid_from)
        high = HIGH + 1 if self.valid_until is None else instant_of(self.zone, self.valid_until)
        if low >= high:
            reason = "is not after valid_from"
            raise InvalidValue("valid_until", str(self.valid_until), reason, "say when it no longer holds")
        return low, high

    @_people.default
    def _seated(self) -> tuple[Group, ...]:
        if self.anchor is None:
            return self.participants
        at, index = self.anchor.at, index_of(self.anchor.index, len(self.participants))
        wall = reached(self.zone, instant_of(self.zone, at))
        turned = (index - self._pieces.turn(self._pieces.before(wall))) % len(self.participants)
        return self.participants[turned:] + self.participants[:turned]

    @_shown.default
    def _bounds(self) -> tuple[dt.datetime, dt.datetime]:
        ends = dt.datetime.min.replace(tzinfo=self.zone), dt.datetime.max.replace(tzinfo=self.zone)
        if self._valid is None:
            return ends
        low, high = self._valid
        return (
            ends[0] if self.valid_from is None else utc(low).astimezone(self.zone),
            ends[1] if self.valid_until is None else utc(high).astimezone(self.zone),
        )

    @_short.default
    def _shortened(self) -> Shortcut | None:
        low, high = self._shown
        return None if low.fold or high.fold else shortcut(self._pieces, self.zone)

    @_epoch.default
    def _begin(self) -> dt.datetime:
        return WALL_EPOCH.replace(tzinfo=self.zone)

    # -- asking ------------------------------------------------------------------------------------

    def on_call(self, at: dt.datetime) -> Group:
        """Who is on call at an instant; nobody is an empty tuple."""
        if type(at) is not dt.datetime or at.utcoffset() is None:
            at = in_utc(at)
        try:
            shown = at.astimezone(self.zone)
        except OverflowError:
            shown = in_utc(at).astimezone(self.zone)  # says that it lies at the end of what there is
        people = self._people
        if self._short is not None and not shown.fold:
            if self._valid is not None and not self._shown[0] <= shown < self._shown[1]:
                return ()
            turn = self._short.turn(shown)
            return () if turn is None else people[turn % len(people)]
        since = shown - self._epoch  # of one zone: the difference on the wall clock
        wall = (since.days * 86_400 + since.seconds) * SECOND + since.microseconds
        if shown.fold:
            wall = reached(self.zone, micros(at))
        turn = self._pieces.turn_at(wall) if self._valid is None or self._is_valid(micros(at)) else None
        return () if turn is None else people[turn % len(people)]

    def shift_at(self, at: dt.datetime) -> Shift | None:
        """The shift that an instant lies in, or None; its ends are in the zone of the instant."""
        wall = reached(self.zone, us := micros(at))
        if not self._is_valid(us) or self._pieces.turn_at(wall) is None:
            return None
        start, end, turn, _ = self._shift(self._pieces.before(wall))
        return self._made(start, end, turn, at)

    def shifts(self, start: dt.datetime, end: dt.datetime) -> Iterator[Shift]:
        """The shifts of which some part lies in [start, end), whole, one after another."""
        span = micros(start, "start"), micros(end, "end")
        return (self._made(*found, start) for found in self.shifts_us(*span))

    def handoffs(self, start: dt.datetime, end: dt.datetime) -> list[dt.datetime]:
        """The instants in [start, end) at which a shift begins, in the zone of `start`."""
        low, high = micros(start, "start"), micros(end, "end")
        return [like(begin, start) for begin, _, _ in self.shifts_us(low, high) if low <= begin]

    # -- shifts in microseconds --------------------------------------------------------------------

    def _is_valid(self, us: int) -> bool:
        return self._valid is None or self._valid[0] <= us < self._valid[1]

    def _of(self, turn: int) -> Group:
        return self._people[turn % len(self._people)]

    def _made(self, start: int, end: int, turn: int, model: dt.datetime) -> Shift:
        people = self._of(turn)
        return Shift(like(start, model), like(end, model), participants=people, turn=turn)

    def _shift(self, piece: int) -> tuple[int, int, int, int]:
        """Start, end, turn and last piece of the shift to which a piece belongs, within what is valid."""
        begin, finish = self._pieces.run(piece)
        low, high = self._valid or (LOW, HIGH)
        start = max(first(self.zone, self._pieces.ends(begin)[0]), low)
        end = min(first(self.zone, self._pieces.ends(finish)[1]), high)
        return start, end, self._pieces.turn(piece), finish

    def shifts_us(self, low: int, high: int) -> Iterator[tuple[int, int, int]]:
        """Start, end and turn of each shift of which some part lies in [low, high)."""
        begin, finish = self._valid or (LOW, HIGH)
        low, high = max(low, begin), min(high, finish)
        piece = self._pieces.before(reached(self.zone, low))
        while low < high:
            start, end, turn, finish = self._shift(piece)
            if start >= high:
                return
            if low < end and start < end:
                yield start, end, turn
            piece = self._pieces.after(finish)


def _lattice(rotation: Rotation) -> Lattice:
    """The units of a rotation, from its start or from the beginning of the week or month that holds it."""
    start, calendar = wall_us(rotation.start), rotation.blocks is Blocks.CALENDAR
    if rotation.kind is RotationKind.MONTHLY:
        return Months.of(start, day=1 if calendar else None)
    if rotation.kind is RotationKind.WEEKLY and calendar:
        start = (start - _MONDAY) // (7 * DAY) * 7 * DAY + _MONDAY + start % DAY
    return Steps(start, _STEPS[rotation.kind])


def _check(rotation: Rotation, pitch: int) -> None:
    """Refuses turns that would overlap, and days of what has none."""
    if pitch < rotation.shift_length:
        raise InvalidValue(
            "every",
            pitch,
            f"is less than shift_length {rotation.shift_length}",
            "turns would overlap: say a larger one",
        )
    if rotation.days and rotation.kind is RotationKind.HOURLY:
        raise InvalidValue(
            "days", rotation.days, "do not go with hours", 'say kind="daily" with duration=hours(n)'
        )
    if rotation.days and rotation.kind is RotationKind.DAILY and rotation.every is not None:
        raise InvalidValue(
            "every", rotation.every, "does not go with days", "leave it out: shift_length counts active days"
        )
    most = DAY if rotation.days else pitch * _SHORTEST[rotation.kind]
    if rotation.duration is not None and rotation.duration.us > most:
        raise InvalidValue("duration", str(rotation.duration), "is longer than a turn", "say at most that")
