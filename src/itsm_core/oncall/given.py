"""What callers give to a rotation, read and checked: wall times, days, people, lengths, anchors."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, TypeAlias

import attrs

from itsm_core.business_time.durations import Budget, measured, parse
from itsm_core.business_time.instants import in_utc
from itsm_core.business_time.windows import parse_week
from itsm_core.errors import InvalidValue, InvalidWindow
from itsm_core.oncall.walls import HIGH, LOW, wall_us
from itsm_core.values import member, word

Group: TypeAlias = tuple[str, ...]
Length: TypeAlias = Budget | dt.timedelta | str
Wall: TypeAlias = dt.datetime | str

_START = "write the time on the wall, without a zone: dt.datetime(2026, 1, 5, 9); the zone is `zone`"
_PEOPLE = 'write participants=("ana", "ben"); several who are on call together are a tuple in it'
_DAYS = 'write days="mon-fri", days=("sat", "sun") or days=range(5), Monday first'
_LENGTH = "write duration=hours(12) or dt.timedelta(hours=12): hours on the wall clock"
_ANCHOR = "write anchor=(dt.datetime(2026, 3, 2, 9), 1): from then on the second participant"
_MOST = 10**9
_AROUND = re.compile(r"\s*([,-])\s*")
_HOURS = frozenset(":;")


class RotationKind(StrEnum):
    """What a rotation counts its turns in."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Blocks(StrEnum):
    """Where weeks and months begin: on the day of the start, or on Monday and on the first."""

    ANCHORED = "anchored"
    CALENDAR = "calendar"


def kind_of(value: RotationKind | str) -> RotationKind:
    """The kind of rotation that a value names."""
    return member(RotationKind, value, "kind of rotation")


def blocks_of(value: Blocks | str) -> Blocks:
    """The blocks that a value names."""
    return member(Blocks, value, "blocks")


def wall_of(value: Wall, what: str = "start") -> dt.datetime:
    """The time on a wall clock of a naive datetime or of a text without offset."""
    found = _read(value, what)
    if found.tzinfo is not None:
        raise InvalidValue(what, found.isoformat(), "has a zone, and is a time on a wall", _START)
    wall = dt.datetime(*found.timetuple()[:6], found.microsecond)  # noqa: DTZ001 - a plain one
    if not LOW <= wall_us(wall) <= HIGH:
        raise InvalidValue(what, wall.isoformat(), "lies at the end of what a datetime holds", _START)
    return wall


def _read(value: Wall, what: str) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise InvalidValue(what, value, "is no time on a wall", _START) from None
    if not isinstance(found, dt.datetime):
        raise InvalidValue(what, value, "is no datetime", _START)
    return found


def moment_of(value: Wall, what: str) -> dt.datetime:
    """A time on the wall, or in UTC the instant of what has a zone."""
    found = _read(value, what)
    return wall_of(found, what) if found.tzinfo is None else in_utc(found, what)


def from_of(value: Wall | None) -> dt.datetime | None:
    """The moment from which a rotation is valid, or None."""
    return None if value is None else moment_of(value, "valid_from")


def until_of(value: Wall | None) -> dt.datetime | None:
    """The moment until which a rotation is valid, or None."""
    return None if value is None else moment_of(value, "valid_until")


def count_of(value: Any, what: str) -> int:
    """A whole number from 1 on."""
    if type(value) is not int or not 1 <= value <= _MOST:
        raise InvalidValue(what, value, "is no count", f"write {what}=1, 2, 3 and so on")
    return value


def days_of(value: str | Iterable[str | int]) -> tuple[int, ...]:
    """Weekdays, 0 for Monday, from "mon-fri", from names or from numbers; sorted and once each."""
    if isinstance(value, str):
        return _named(value)
    if isinstance(value, Mapping) or not isinstance(value, Iterable):
        raise InvalidValue("days", value, "are no weekdays", _DAYS)
    found = {day for one in value for day in (_named(one) if isinstance(one, str) else (_numbered(one),))}
    return tuple(sorted(found))


def _numbered(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 6:
        raise InvalidValue("days", value, "is no weekday", _DAYS)
    return value


def _named(value: str) -> tuple[int, ...]:
    short = _AROUND.sub(r"\1", value.strip().lower())
    if short in _NAMES:
        return (_NAMES[short],)
    if _HOURS & set(short):  # which would be read, and left out in silence
        raise InvalidValue("days", value, "are more than weekdays", _DAYS)
    try:
        week = parse_week(f"{short} 00:00-24:00" if short else "")
    except InvalidWindow:
        raise InvalidValue("days", value, "are no weekdays", _DAYS) from None
    return tuple(day for day, windows in enumerate(week) if windows)


_FULL = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# In full, and as iCalendar has them; "mon" is read with spans such as "mon-fri".
_NAMES = {name: day for day, full in enumerate(_FULL) for name in (full, full[:2])}


def people_of(value: str | Iterable[str | Iterable[str]]) -> tuple[Group, ...]:
    """The participants in turn: names, or tuples of those who are on call together."""
    items = _items(value)
    if not items:
        raise InvalidValue("participants", value, "are empty, so nobody would ever be on call", _PEOPLE)
    return tuple(group_of(one) for one in items)


def group_of(value: str | Iterable[str]) -> Group:
    """Those who are on call together: one name or several."""
    items = _items(value)
    if not items:
        raise InvalidValue("participants", value, "hold an empty group", _PEOPLE)
    return tuple(dict.fromkeys(word(one, "participant", _PEOPLE) for one in items))


def _items(value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, Iterable) or isinstance(value, Mapping):
        raise InvalidValue("participants", value, "are no names", _PEOPLE)
    return tuple(value)


def duration_of(value: Length | None) -> Budget | None:
    """How long somebody is on call, to the microsecond of a wall clock."""
    if value is None:
        return None
    found: object = parse(value) if isinstance(value, str) else value
    if isinstance(found, dt.timedelta):
        found = Budget(max(0, measured(found)))
    if not isinstance(found, Budget) or not found.us:
        raise InvalidValue("duration", value, "is no length of time", _LENGTH)
    return found


def _anchored(value: Wall) -> dt.datetime:
    return moment_of(value, "anchor")


@attrs.frozen
class Anchor:
    """Who is on call at one time: the participant of this index, counted from 0.

    `at` is a time on the wall, or an instant with a zone.
    """

    at: dt.datetime = attrs.field(converter=_anchored)
    index: int


def anchor_of(value: Anchor | tuple[Wall, int] | None) -> Anchor | None:
    """The anchor itself, or that of a pair."""
    if value is None or isinstance(value, Anchor):
        return value
    try:
        return Anchor(*value)
    except TypeError:
        raise InvalidValue("anchor", value, "is no pair of a time and an index", _ANCHOR) from None


def index_of(value: Any, groups: int) -> int:
    """The index of a participant, if there is one of it."""
    if type(value) is not int or not 0 <= value < groups:
        reason = f"is no index of {groups} participants"
        raise InvalidValue("anchor", value, reason, f"write a whole number from 0 to {groups - 1}")
    return value
