"""Instants: integer microseconds UTC inside, aware datetimes at the edges.

A `datetime` in gives a `datetime` in the same zone; a `pendulum.DateTime` gives a
`pendulum.DateTime`; any other subclass comes out as a plain `datetime`, and what a
`pandas.Timestamp` holds below a microsecond is cut.
"""

from __future__ import annotations

import datetime as dt
import sys
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from itsm_core.errors import BeyondHorizon, InvalidValue, NaiveDatetime, UnknownZone

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

UTC = dt.UTC
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
# Not the operator: a subclass may override it (pendulum's loses microseconds to a float far from 1970).
_minus = dt.datetime.__sub__
# A day less at either end than a datetime holds, so that an instant has a local time in every zone.
EARLIEST = dt.datetime(1, 1, 2, tzinfo=UTC)
LATEST = dt.datetime(9999, 12, 31, tzinfo=UTC)
_FIRST, _LAST = ((at - EPOCH) // dt.timedelta(microseconds=1) for at in (EARLIEST, LATEST))


def micros(at: dt.datetime, what: str = "at") -> int:
    """Microseconds since 1970-01-01 UTC of an aware datetime; naive ones are refused."""
    try:
        delta = _minus(at, EPOCH)
    except TypeError:
        raise refuse_instant(at, what) from None
    us = (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds
    if not _FIRST <= us <= _LAST:
        raise _at_the_end(what, at.replace(tzinfo=None).isoformat())
    return us


def refuse_instant(at: object, what: str) -> InvalidValue:
    """The error for something that is no instant, naive datetimes above all."""
    if _is_missing(at):
        return InvalidValue(what, at, "is a missing instant", "leave missing values out before counting")
    if isinstance(at, dt.datetime):
        return NaiveDatetime(
            what,
            at.isoformat(),
            "has no zone, so nobody can tell which instant it means",
            "make it aware: value.replace(tzinfo=ZoneInfo('Europe/Berlin')) or datetime.now(timezone.utc)",
        )
    return InvalidValue(what, at, "is no datetime", "pass an aware datetime")


def _is_missing(value: Any) -> bool:
    """Whether a value is NaN, pandas' NaT, which claims to be a datetime, or its NA, which is neither."""
    try:
        return bool(value != value)  # noqa: PLR0124
    except TypeError:
        return True


def _at_the_end(what: str, shown: str) -> BeyondHorizon:
    return BeyondHorizon(
        f"{what} {shown} lies at the end of what a datetime holds, where other zones cannot show it; "
        "check the year, and leave an unknown instant out instead of naming a far one"
    )


def utc(us: int) -> dt.datetime:
    """The UTC datetime of an instant in microseconds."""
    try:
        return EPOCH + dt.timedelta(0, 0, us)
    except OverflowError:
        raise _at_the_end("instant", f"{us // DAY} days from 1970") from None


def later(at: dt.datetime, by: dt.timedelta) -> dt.datetime:
    """The instant so much later, or the latest there is."""
    try:
        return min(at + by, LATEST)
    except OverflowError:
        return LATEST


def like(us: int, model: dt.datetime) -> dt.datetime:
    """The instant as a datetime of the model's zone and, for pendulum, of its type."""
    zone = model.tzinfo
    if type(model) is not dt.datetime:
        pendulum = sys.modules.get("pendulum")
        if pendulum is not None and isinstance(model, pendulum.DateTime):
            moment: dt.datetime = pendulum.instance(utc(us)).in_timezone(zone)
            return moment
    if zone is None or zone is UTC:
        return utc(us)
    return utc(us).astimezone(zone)


def in_utc(at: dt.datetime, what: str = "at") -> dt.datetime:
    """The same instant as a plain datetime in UTC; naive ones are refused."""
    if type(at) is dt.datetime and at.tzinfo is UTC and EARLIEST <= at <= LATEST:
        return at
    return utc(micros(at, what))


def text(us: int) -> str:
    """The canonical text of an instant: UTC, six digits, `Z`."""
    moment = utc(us)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond:06d}Z"


def parse_text(value: str, what: str = "instant") -> int:
    """The instant of an ISO 8601 text with an offset."""
    try:
        moment = dt.datetime.fromisoformat(value)
    except (ValueError, TypeError):
        raise InvalidValue(what, value, "is no ISO 8601 instant", "write 2024-02-04T10:30:00+08:00") from None
    return micros(moment, what)


def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name, or an `UnknownZone` that says how to name one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        fixed = isinstance(name, dt.tzinfo)
        raise UnknownZone(
            "zone",
            name,
            "has no IANA name" if fixed else "is not in the IANA time-zone database",
            'use a name such as "Europe/Berlin", "Asia/Shanghai" or "UTC" '
            "(pip install tzdata if the system has none)",
        ) from None


def zone_like(zone: str | ZoneInfo) -> ZoneInfo:
    """The one shared `ZoneInfo` of an IANA name, or of another object for it."""
    return zone_of(zone.key or "" if isinstance(zone, ZoneInfo) else zone)
