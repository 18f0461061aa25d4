"""`BusinessCalendar`: when a desk is open, and everything that is measured by it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from itsm_core.business_time.closures import Closure, closures
from itsm_core.business_time.compiled import Compiled, compiled
from itsm_core.business_time.durations import Budget, DueRule, measured
from itsm_core.business_time.instants import like, micros, zone_of
from itsm_core.business_time.intervals import Interval
from itsm_core.business_time.schedule import Dated, Holiday, HolidayLike, Schedule, Week
from itsm_core.business_time.table import HORIZON
from itsm_core.business_time.windows import WeekText, day_pairs, week_pairs, week_text
from itsm_core.errors import InvalidValue, NeverOpens

_KEYS = (
    "tz", "hours", "weekly_breaks", "shifts", "breaks", "holidays",
    "valid_from", "valid_to", "weeks", "cut_at_midnight", "never_opens", "name", "version",
)  # fmt: skip
_WEEK_KEYS = ("hours", "weekly_breaks", "valid_from", "valid_to")


def _zone(zone: str | ZoneInfo) -> ZoneInfo:
    """The one shared `ZoneInfo` of an IANA name."""
    return zone_of(zone.key or "" if isinstance(zone, ZoneInfo) else zone)


def _schedule(value: Schedule) -> Schedule:
    if not isinstance(value, Schedule):
        remedy = 'use BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/London")'
        raise InvalidValue("schedule", value, "is no Schedule", remedy)
    return value


def _name(value: str | None) -> str | None:
    if value is not None and not isinstance(value, str):
        raise InvalidValue("name", value, "is no text", 'name the calendar with words: name="desk"')
    return value


def _version(value: int) -> int:
    if type(value) is not int or value < 1:
        remedy = "count 1, 2, 3; a changed calendar is a new version"
        raise InvalidValue("version", value, "is no version", remedy)
    return value


def _canonical(zone: ZoneInfo, schedule: Schedule) -> str:
    rules = {"zone": zone.key, **schedule.rules()}
    return json.dumps(rules, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@attrs.frozen(eq=False, repr=False)
class BusinessCalendar:
    """When a desk is open, in one zone: an immutable value that measures open time.

    Instants are aware datetimes and come back in the zone (and, for pendulum, the type) they
    came in; the `_us` twins take and give integer microseconds since 1970 UTC. A plain
    `timedelta` is measured open time. Calendars are equal if their normalised rules are,
    whatever their names and versions.

    >>> christmas = ("2024-12-25", "Christmas")
    >>> desk = BusinessCalendar.weekly(
    ...     "mon-fri 09:00-17:30", zone="Europe/London", holidays=[christmas]
    ... )
    >>> eve = dt.datetime(2024, 12, 24, 17, tzinfo=desk.zone)
    >>> desk.add(eve, dt.timedelta(hours=1)).isoformat()
    '2024-12-26T09:30:00+00:00'
    """

    zone: ZoneInfo = attrs.field(converter=_zone)
    schedule: Schedule = attrs.field(converter=_schedule)
    name: str | None = attrs.field(default=None, converter=_name, kw_only=True)
    version: int = attrs.field(default=1, converter=_version, kw_only=True)
    _rules: str = attrs.field(init=False)
    _compiled: Compiled = attrs.field(init=False)

    @_rules.default
    def _normalise(self) -> str:
        return _canonical(self.zone, self.schedule)

    @_compiled.default
    def _compile(self) -> Compiled:
        return compiled(self._rules, self.zone, self.schedule)

    # -- making ------------------------------------------------------------------------------------

    @classmethod
    def weekly(
        cls, hours: WeekText, *, zone: str | ZoneInfo, holidays: Iterable[HolidayLike] = (),
        weekly_breaks: WeekText = "", shifts: Dated | None = None, breaks: Dated | None = None,
        valid_from: dt.date | str | None = None, valid_to: dt.date | str | None = None,
        weeks: Iterable[Week] = (), cut_at_midnight: bool = False,
        name: str | None = None, version: int = 1,
    ) -> BusinessCalendar:  # fmt: skip
        """A calendar of weekly hours: "mon-fri 09:00-12:30 13:30-17:30; sat 10:00-13:00".

        `shifts` and `breaks` give windows by local date; `weeks` adds further weeks with a
        validity of their own. Raises `InvalidWindow` for hours that cannot be read and `NeverOpens`
        for hours that never open.
        """
        first = Week.of(hours, weekly_breaks, valid_from=valid_from, valid_to=valid_to)
        further = weeks if isinstance(weeks, Iterable) else (weeks,)
        schedule = Schedule.of(
            (first, *further),
            holidays=holidays, shifts=shifts, breaks=breaks, cut_at_midnight=cut_at_midnight,
        )  # fmt: skip
        return _that_opens(cls(zone, schedule, name=name, version=version))

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> BusinessCalendar:
        """The calendar that `to_dict` wrote, or any dict of its shape; missing keys are empty.

        Keys: tz, hours, weekly_breaks, shifts, breaks, holidays; further valid_from, valid_to,
        weeks, cut_at_midnight, never_opens, name, version.
        """
        _check_keys("calendar", value, _KEYS)
        if "tz" not in value:
            raise InvalidValue("calendar", dict(value), 'lacks the key "tz"', "name an IANA zone")
        named = {"name": value.get("name"), "version": value.get("version", 1)}
        if value.get("never_opens"):
            return attrs.evolve(cls.never(value["tz"]), **named)
        first = _week_of({key: value[key] for key in _WEEK_KEYS if key in value})
        schedule = Schedule.of(
            (first, *map(_week_of, _week_list(value.get("weeks", ())))),
            holidays=value.get("holidays", ()),
            shifts=value.get("shifts"), breaks=value.get("breaks"),
            cut_at_midnight=value.get("cut_at_midnight", False),
        )  # fmt: skip
        return _that_opens(cls(value["tz"], schedule, **named))

    @classmethod
    def always(cls, zone: str | ZoneInfo, *, name: str | None = None, version: int = 1) -> BusinessCalendar:
        """The calendar that is open around the clock."""
        return cls(zone, Schedule((Week.of("daily 00:00-24:00"),)), name=name, version=version)

    @classmethod
    def never(cls, zone: str | ZoneInfo, *, name: str | None = None, version: int = 1) -> BusinessCalendar:
        """The empty calendar: nothing is ever open, and counting in it raises `NeverOpens`."""
        return cls(zone, Schedule(), name=name, version=version)

    def to_dict(self) -> dict[str, Any]:
        """The rules as plain JSON values that `from_dict` reads back to an equal calendar."""
        weeks = [_week_dict(week) for week in self.schedule.weeks]
        found: dict[str, Any] = {
            "tz": self.zone.key, "hours": {}, "weekly_breaks": {}, **(weeks[0] if weeks else {}),
            "shifts": {str(date): day_pairs(windows) for date, windows in self.schedule.shifts},
            "breaks": {str(date): day_pairs(windows) for date, windows in self.schedule.breaks},
            "holidays": [_holiday_value(holiday) for holiday in self.schedule.holidays],
        }  # fmt: skip
        further = {
            "never_opens": self == never(self.zone),
            "weeks": weeks[1:],
            "cut_at_midnight": self.schedule.cut_at_midnight,
            "name": self.name,
            "version": self.version if self.version != 1 else None,
        }
        return found | {key: value for key, value in further.items() if value}

    # -- what it is --------------------------------------------------------------------------------

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the normalised rules and the zone, without any names and version."""
        return hashlib.sha256(self._rules.encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return self._rules == other._rules if isinstance(other, BusinessCalendar) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._rules)

    def __repr__(self) -> str:
        hours = "; ".join(text for week in self.schedule.weeks if (text := week_text(week.hours)))
        label = f"{self.name!r} version {self.version}" if self.name else hours or "never open"
        return f"<BusinessCalendar {label} in {self.zone.key}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.zone.key, self.schedule, self.name, self.version)

    # -- measuring ---------------------------------------------------------------------------------

    def is_open(self, at: dt.datetime) -> bool:
        """Whether the desk is open at an instant: its local clock reads a time inside a window."""
        return self._compiled.table.is_open(micros(at))

    def elapsed(self, start: dt.datetime, end: dt.datetime) -> dt.timedelta:
        """The measured open time in [start, end); negative if the end lies before the start."""
        return dt.timedelta(0, 0, self._compiled.table.elapsed(micros(start, "start"), micros(end, "end")))

    def elapsed_us(self, a: int, b: int) -> int:
        """`elapsed` in integer microseconds."""
        return self._compiled.table.elapsed(a, b)

    def add(self, start: dt.datetime, duration: dt.timedelta | Budget | DueRule) -> dt.datetime:
        """When a duration counted from `start` is over; a timedelta is measured open time.

        A positive duration that is used up at closing time ends there, not at the next opening;
        zero of any unit is the start itself. Raises `NeverOpens` where too little open time
        follows, `BeyondHorizon` outside the years 1900 to 2300.
        """
        at = micros(start, "start")
        if isinstance(duration, dt.timedelta):
            return like(self._compiled.table.add(at, measured(duration)), start)
        return like(self._compiled.due(at, duration), start)

    def subtract(self, end: dt.datetime, duration: dt.timedelta | Budget | DueRule) -> dt.datetime:
        """The instant from which a duration leads to `end`; a timedelta is measured open time.

        The mirror of `add`: it is the latest such instant, so a whole day's hours before closing
        time lead to the opening. An end-of-day rule cannot be subtracted.
        """
        at = micros(end, "end")
        if isinstance(duration, dt.timedelta):
            return like(self._compiled.table.subtract(at, measured(duration)), end)
        return like(self._compiled.back(at, duration), end)

    def add_us(self, a: int, us: int) -> int:
        """`add` of `us` microseconds of open time, in integer microseconds."""
        return self._compiled.table.add(a, us)

    def subtract_us(self, b: int, us: int) -> int:
        """`subtract` of `us` microseconds of open time, in integer microseconds."""
        return self._compiled.table.subtract(b, us)

    def due_us(self, start_us: int, rule: Budget | DueRule) -> int:
        """`add` of a budget or a due rule, in integer microseconds."""
        return self._compiled.due(start_us, rule)

    # -- searching ---------------------------------------------------------------------------------

    def next_open(self, at: dt.datetime) -> dt.datetime | None:
        """The instant itself if the desk is open, else the next opening; None if there is none."""
        return _like(self._compiled.table.next_open(micros(at)), at)

    def next_start(self, at: dt.datetime) -> dt.datetime | None:
        """The first opening strictly after an instant; None if there is none."""
        return _like(self._compiled.table.next_start(micros(at)), at)

    def next_close(self, at: dt.datetime) -> dt.datetime | None:
        """The first closing after an instant; None if the desk does not close (again)."""
        return _like(self._compiled.table.next_close(micros(at)), at)

    def previous_close(self, at: dt.datetime) -> dt.datetime | None:
        """The latest instant up to `at` just before which the desk is open, or None."""
        return _like(self._compiled.table.previous_close(micros(at)), at)

    # -- periods -----------------------------------------------------------------------------------

    def periods(self, start: dt.datetime, end: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """The open periods (opening, closing) in [start, end), clipped to it, in order."""
        spans = self._compiled.table.periods(micros(start, "start"), micros(end, "end"))
        return ((like(opened, start), like(closed, start)) for opened, closed in spans)

    def periods_after(self, at: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """The open periods from an instant on, lazily; the first is clipped.

        Open time without end, and any other, ends with the year 2300.
        """
        spans = self._compiled.table.periods_after(micros(at))
        return ((like(opened, at), like(closed, at)) for opened, closed in spans)

    def periods_before(self, at: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """The open periods up to an instant, nearest first, lazily; the nearest is clipped."""
        spans = self._compiled.table.periods_before(micros(at))
        return ((like(opened, at), like(closed, at)) for opened, closed in spans)

    def periods_us(self, a: int, b: int) -> Iterator[Interval]:
        """`periods` in integer microseconds."""
        return (Interval(opened, closed) for opened, closed in self._compiled.table.periods(a, b))

    def closures(self, a_us: int, b_us: int) -> Iterator[Closure]:
        """The closed stretches (start, end, name) in [a_us, b_us), in integer microseconds.

        They are split where the reason changes. Names: "holiday: <name>", "holiday", "break",
        "night", "weekend", "day off", "closed by shift", "outside hours", "no hours in force".
        """
        return closures(self._compiled, self.schedule, a_us, b_us)


always = BusinessCalendar.always
never = BusinessCalendar.never


def _that_opens(calendar: BusinessCalendar) -> BusinessCalendar:
    """The calendar itself, unless its rules never open the desk."""
    table = calendar._compiled.table  # noqa: SLF001 - the same file
    source = table.source
    if source.before is not False or source.after is not False:
        return calendar  # it repeats, so it opens
    if table.next_start(max(source.settled[0], HORIZON[0])) is None:
        raise NeverOpens(
            f"the hours given for {calendar.zone.key} never open; give hours that are not taken "
            "away again, or say BusinessCalendar.never(zone)"
        )
    return calendar


def _like(us: int | None, model: dt.datetime) -> dt.datetime | None:
    return None if us is None else like(us, model)


def _restored(zone: str, schedule: Schedule, name: str | None, version: int) -> BusinessCalendar:
    return BusinessCalendar(zone, schedule, name=name, version=version)


def _check_keys(what: str, value: object, known: tuple[str, ...]) -> None:
    """Refuse keys that would be read past in silence."""
    if not isinstance(value, Mapping):
        raise InvalidValue(what, value, "is no mapping", f"use the keys {', '.join(known)}")
    if unknown := sorted(set(map(str, value)) - set(known)):
        reason = f"has the unknown key {unknown[0]!r}"
        raise InvalidValue(what, dict(value), reason, f"use the keys {', '.join(known)}")


def _week_list(value: Any) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise InvalidValue("weeks", value, "are no list", 'write [{"hours": ...}]')
    return value


def _week_of(value: Mapping[str, Any]) -> Week:
    _check_keys("week", value, _WEEK_KEYS)
    return Week.of(
        value.get("hours", ""), value.get("weekly_breaks", ""),
        valid_from=value.get("valid_from"), valid_to=value.get("valid_to"),
    )  # fmt: skip


def _week_dict(week: Week) -> dict[str, Any]:
    found: dict[str, Any] = {"hours": week_pairs(week.hours), "weekly_breaks": week_pairs(week.breaks)}
    if week.valid_from:
        found["valid_from"] = week.valid_from.isoformat()
    if week.valid_to:
        found["valid_to"] = week.valid_to.isoformat()
    return found


def _holiday_value(holiday: Holiday) -> str | dict[str, str]:
    """A bare date as text; a range or a name as a dict."""
    first, last = holiday.first.isoformat(), holiday.last.isoformat()
    if not holiday.name:
        return first if first == last else f"{first}..{last}"
    return (
        {"from": first, "to": last, "name": holiday.name}
        if first != last
        else {"date": first, "name": holiday.name}
    )
