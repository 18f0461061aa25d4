"""Texts of instants in a table: read by a format or as ISO 8601, put into a zone."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from zoneinfo import ZoneInfo

from itsm_core.business_time.instants import UTC, in_utc
from itsm_core.errors import InvalidValue

_PARTS = {"d": "day", "m": "month", "Y": "year", "H": "hour", "M": "minute", "S": "second"}
_ABSENT = (("year", 1900), ("month", 1), ("day", 1), ("hour", 0), ("minute", 0), ("second", 0))


def wall_reader(time_format: str | None) -> Callable[[str], dt.datetime]:
    """What reads one text: `strptime` of the format, three times as fast for plain ones, or ISO.

    A format that `strptime` cannot read back is refused here, before any row is blamed for it.
    """
    if time_format is None:
        return dt.datetime.fromisoformat
    _readable(time_format)
    named = {f"%{letter}": f"(?P<{name}>[0-9]+)" for letter, name in _PARTS.items()}
    pieces = re.split("(%.)", time_format)
    parts = pieces[1::2]
    plain = all(part in named for part in parts) and "%" not in "".join(pieces[::2])
    if parts and plain and len(set(parts)) == len(parts):
        return _plain(re.compile("".join(named.get(p) or re.escape(p) for p in pieces)))
    return lambda text: dt.datetime.strptime(text, time_format)  # noqa: DTZ007 - zone follows


def _readable(time_format: str) -> None:
    """Refuses a format that does not read back what it writes."""
    sample = dt.datetime(2024, 2, 4, 10, 30, 15, tzinfo=UTC)
    try:
        if re.search("%[YyGcxDF]", time_format) is None:
            raise ValueError("it names no year")  # noqa: TRY301
        dt.datetime.strptime(sample.strftime(time_format), time_format)  # noqa: DTZ007
    except (ValueError, LookupError, re.error) as wrong:
        raise InvalidValue(
            "time_format", time_format, f"cannot be read ({wrong})",
            'name each part once, as in "%d/%m/%Y %H:%M", or leave it out for ISO 8601',
        ) from None  # fmt: skip


def _plain(pattern: re.Pattern[str]) -> Callable[[str], dt.datetime]:
    def read(text: str) -> dt.datetime:
        found = pattern.fullmatch(text)
        if found is None:
            raise ValueError(text)
        told = found.groupdict()
        year, month, day, hour, minute, second = (int(told.get(name, n)) for name, n in _ABSENT)
        return dt.datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - zone follows

    return read


def placed(wall: dt.datetime, zone: ZoneInfo, after: dt.datetime | None = None) -> dt.datetime:
    """The instant in UTC of a wall time; an aware one keeps its own offset.

    Where the clock goes back an hour a wall time means two instants: the first, unless that lies
    before `after`, the row before it, and the second does not.
    """
    if wall.tzinfo is not None:
        return in_utc(wall)
    first = in_utc(wall.replace(tzinfo=zone))
    if after is not None and first < after:
        second = in_utc(wall.replace(tzinfo=zone, fold=1))
        if second >= after and _same_wall(second, zone, wall):
            return second
    return first


def _same_wall(moment: dt.datetime, zone: ZoneInfo, wall: dt.datetime) -> bool:
    """Whether the clock of the zone really showed this wall time: not so in a gap."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0) == wall.replace(fold=0)
