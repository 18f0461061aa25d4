"""Events of an iCalendar feed (RFC 5545): when one begins, on which clock, and when it comes again.

Made from components that the `icalendar` package has parsed and `ical` has let through.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

import attrs

from itsm_core.business_time.holidays import Holiday
from itsm_core.business_time.instants import UTC, zone_of
from itsm_core.business_time.recurrence import Recurrence, Work, parse_rule
from itsm_core.errors import InvalidValue, UnknownZone

# A timed event is a part of a day or of a few; what lasts longer is meant as whole days.
LONGEST_TIMED = dt.timedelta(days=366)
LONGEST_NAME = 200
_DAY, _MICROSECOND = dt.timedelta(days=1), dt.timedelta(microseconds=1)

# What an occurrence is found by: its date, its local time, or its instant in UTC.
Key: TypeAlias = dt.date | dt.datetime


def refuse(reason: str, value: object = "feed", remedy: str = "export the calendar anew") -> InvalidValue:
    """The error for what a feed holds; `value` shows the place, not the text."""
    return InvalidValue("iCalendar", value, reason, remedy)


def plain(text: object, longest: int) -> str:
    """One line of text without control characters (joiners of scripts stay), cut where it is too long."""
    shown = "".join(c if c.isprintable() or c in "\u200c\u200d" else " " for c in str(text)[: 10 * longest])
    line = " ".join(shown.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


class Moment(NamedTuple):
    """A date (its midnight) or a time as a feed says it; without a zone it is any desk's local time."""

    wall: dt.datetime
    zone: ZoneInfo | None
    dated: bool

    def on(self, zone: ZoneInfo | None) -> dt.datetime:
        """What another clock reads at this moment; a dated or floating one reads the same on all."""
        if self.zone is None or zone is None or zone is self.zone:
            return self.wall
        return _read(self.wall, self.zone, zone)

    @property
    def key(self) -> Key:
        """Its date, its local time, or its instant."""
        if self.dated:
            return self.wall.date()
        return self.wall.replace(tzinfo=self.zone).astimezone(UTC) if self.zone else self.wall


def _read(wall: dt.datetime, zone: ZoneInfo, clock: ZoneInfo) -> dt.datetime:
    """What a clock reads when another one reads `wall`; RFC 5545 (3.3.5) takes the first of two."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(clock).replace(tzinfo=None)


@attrs.frozen
class Event:
    """An event on its own clock: where it begins, how long it lasts, and when it comes again."""

    name: str
    uid: str
    start: Moment
    # On its own clock, as people mean it: a daily event of 09:00 to 17:00 ends at 17:00 every day.
    length: dt.timedelta
    rules: tuple[Recurrence, ...]
    added: tuple[Moment, ...]
    left_out: frozenset[Key]
    replaces: Moment | None
    cancelled: bool

    def walls(
        self, first: dt.date, last: dt.date, left_out: AbstractSet[Key], work: Work
    ) -> Iterator[dt.datetime]:
        """The local times at which it begins; those of its rules between two dates."""
        seen = set()
        for wall in self._all_walls(first, last, work):
            keys = {wall.date(), wall, self.start._replace(wall=wall, dated=False).key}
            if wall not in seen and left_out.isdisjoint(keys) and self.left_out.isdisjoint(keys):
                seen.add(wall)
                yield wall

    def _all_walls(self, first: dt.date, last: dt.date, work: Work) -> Iterator[dt.datetime]:
        start = self.start.wall
        yield start
        for moment in self.added:
            wall = moment.on(self.start.zone)
            yield dt.datetime.combine(wall, start.time()) if moment.dated or self.start.dated else wall
        for rule in self.rules:
            end = min(last, self._last(rule.until)) if rule.until else last
            for day in rule.dates(start.date(), first, end, work):
                yield dt.datetime.combine(day, start.time())

    def _last(self, until: dt.date) -> dt.date:
        """The last date on which it may begin under a rule that ends at a date or an instant."""
        if not isinstance(until, dt.datetime):
            return until
        if until.tzinfo and self.start.zone:
            until = until.astimezone(self.start.zone)
        early = not self.start.dated and until.time() < self.start.wall.time()
        return until.date() - _DAY if early else until.date()

    def holidays(self, wall: dt.datetime, clock: ZoneInfo | None) -> Iterator[Holiday]:
        """The holidays of one occurrence, on the clock of the calendar."""
        if self.start.dated:
            yield Holiday(wall.date(), wall.date() + (self.length - _DAY), name=self.name)
            return
        if not self.length:
            return
        end, zone = wall + self.length, self.start.zone
        if zone and clock and zone is not clock:
            wall, end = _read(wall, zone, clock), _read(end, zone, clock)
            if end <= wall:  # the clock was set back meanwhile
                end = wall + self.length
        yield from _split(wall, end, self.name)


def _micros(wall: dt.datetime, day: dt.date) -> int:
    return (wall - dt.datetime.combine(day, dt.time())) // _MICROSECOND


def _split(start: dt.datetime, end: dt.datetime, name: str) -> Iterator[Holiday]:
    """A stretch of local time by dates: a part at either end, whole dates between.

    The first part goes on over midnight, for the windows that start on its date.
    """
    first, last = start.date(), (end - _MICROSECOND).date()
    day = _DAY // _MICROSECOND
    begin, finish = _micros(start, first), _micros(end, last)
    if first == last and (begin or finish < day):
        yield Holiday(first, first, name=name, closed=((begin, finish),))
        return
    if begin:
        yield Holiday(first, first, name=name, closed=((begin, min(_micros(end, first), 2 * day)),))
        first += _DAY
    if finish < day:
        yield Holiday(last, last, name=name, closed=((0, finish),))
        last -= _DAY
    if first <= last:
        yield Holiday(first, last, name=name)


# -- reading events --------------------------------------------------------------------------------


def event_of(component: Any) -> Event:
    """The event of a component; whatever is wrong with it is told with its UID."""
    uid = str(component.get("UID", ""))[:LONGEST_NAME]
    try:
        return _read_event(component, uid)
    except InvalidValue:
        raise
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise refuse(f"holds an event that cannot be read ({type(error).__name__})", uid) from error


def _read_event(component: Any, uid: str) -> Event:
    if component.errors:
        raise refuse(f"holds an event with a broken {component.errors[0][0]}", uid)
    for name, reason in (("EXRULE", "uses EXRULE, which RFC 5545 has dropped"), ("DTSTART", "")):
        if (name in component) is bool(reason):
            raise refuse(f"holds an event that {reason or 'does not say when it begins'}", uid)
    start = _moment(component["DTSTART"].dt, component["DTSTART"].params, uid)
    replaces = component.get("RECURRENCE-ID")
    if replaces is not None and "RANGE" in replaces.params:
        raise refuse("changes all that follow an occurrence (RANGE)", uid, "end one rule and begin another")
    return Event(
        plain(component.get("SUMMARY", ""), LONGEST_NAME), uid, start, _length(component, start, uid),
        tuple(parse_rule(rule.to_ical().decode()) for rule in _each(component, "RRULE")),
        tuple(_moments(component, "RDATE", uid)),
        frozenset(moment.key for moment in _moments(component, "EXDATE", uid)),
        None if replaces is None else _moment(replaces.dt, replaces.params, uid),
        str(component.get("STATUS", "")).upper() == "CANCELLED",
    )  # fmt: skip


def _each(component: Any, name: str) -> list[Any]:
    found = component.get(name, [])
    return found if isinstance(found, list) else [found]


def _moments(component: Any, name: str, uid: str) -> Iterator[Moment]:
    for listed in _each(component, name):
        for item in listed.dts:
            yield _moment(item.dt, listed.params, uid)


def _moment(value: object, params: Any, uid: str) -> Moment:
    if isinstance(value, dt.datetime):
        name = params.get("X-TZID")
        zone = _zone("UTC") if value.tzinfo else _zone(str(name)) if name else None
        return Moment(value.replace(tzinfo=None), zone, dated=False)
    if isinstance(value, dt.date):
        return Moment(dt.datetime.combine(value, dt.time()), None, dated=True)
    raise refuse(f"has a {type(value).__name__} where a date belongs", uid)


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    """The zone of a TZID: an IANA name, one after a vendor's path (RFC 5545, 3.2.19), or a Windows name."""
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON  # noqa: PLC0415 - an extra

    pieces = name[:100].split("/")
    tails = ["/".join(pieces[i:]) for i in range(1, len(pieces))] if name.startswith("/") else [name]
    for known in (*tails, WINDOWS_TO_OLSON.get(name, "")):
        try:
            return zone_of(known)
        except UnknownZone:
            continue
    remedy = "write an IANA name such as TZID=Europe/Berlin into the feed"
    raise UnknownZone("zone", name, "of an event is not in the IANA time-zone database", remedy)


def _length(component: Any, start: Moment, uid: str) -> dt.timedelta:
    """How long an event lasts on its own clock; RFC 5545 (3.6.1) says what goes without saying."""
    length = _DAY if start.dated else dt.timedelta(0)
    if "DTEND" in component:
        end = _moment(component["DTEND"].dt, component["DTEND"].params, uid)
        if end.dated is not start.dated:
            raise refuse("holds an event that mixes a date and a time", uid)
        length = end.on(start.zone) - start.wall
    elif "DURATION" in component:
        length = _lasting(start, component["DURATION"].dt)
    if length < dt.timedelta(0) or (start.dated and length % _DAY):
        raise refuse("holds an event that ends before it begins, or within a date", uid)
    if not start.dated and length > LONGEST_TIMED:
        raise refuse("holds a timed event of over a year", uid, "make it an all-day event")
    return max(length, _DAY) if start.dated else length  # some write the same date as begin and end


def _lasting(start: Moment, duration: dt.timedelta) -> dt.timedelta:
    """Days are dates on the wall, hours are exact (RFC 5545, 3.3.6)."""
    if start.zone is None:
        return duration
    days = duration // _DAY * _DAY
    begun = (start.wall + days).replace(tzinfo=start.zone).astimezone(UTC)
    end = (begun + (duration - days)).astimezone(start.zone).replace(tzinfo=None)
    # In the hour that comes twice the wall may show no time at all; then the hours are taken as said.
    return max(end - start.wall, dt.timedelta(0)) or duration
