"""`BusinessCalendar`: when a desk is open, and everything that is measured by it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from itsm_core.business_time.algebra import both, either, minus
from itsm_core.business_time.closures import Closure, closures
from itsm_core.business_time.compiled import Compiled, compiled
from itsm_core.business_time.explanation import Explanation, explained
from itsm_core.business_time.forms import Rules, read, written, zone_like
from itsm_core.business_time.holidays import Holiday, HolidaysLike
from itsm_core.business_time.instants import micros
from itsm_core.business_time.local_hours import LocalHours, Source, date_of
from itsm_core.business_time.offsets import local
from itsm_core.business_time.open_time import Length, OpenTime
from itsm_core.business_time.picture import Drawing, calendar_html, month_of, strip_of
from itsm_core.business_time.schedule import Dated, Schedule
from itsm_core.business_time.table import HORIZON
from itsm_core.business_time.weeks import Week
from itsm_core.business_time.windows import WeekText, week_text
from itsm_core.errors import InvalidValue, NeverOpens


def _rules(value: Rules) -> Rules:
    if not isinstance(value, Rules):
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


@attrs.frozen(eq=False, repr=False)
class BusinessCalendar(OpenTime):
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

    zone: ZoneInfo = attrs.field(converter=zone_like)
    schedule: Rules = attrs.field(converter=_rules)
    name: str | None = attrs.field(default=None, converter=_name, kw_only=True)
    version: int = attrs.field(default=1, converter=_version, kw_only=True)
    source: Source = attrs.field(init=False)
    _compiled: Compiled = attrs.field(init=False)

    @source.default
    def _read(self) -> Source:
        rules = self.schedule
        return LocalHours(self.zone, rules, name=self.name) if isinstance(rules, Schedule) else rules

    @_compiled.default
    def _compile(self) -> Compiled:
        return compiled(self.source)

    # -- making ------------------------------------------------------------------------------------

    @classmethod
    def weekly(
        cls, hours: WeekText, *, zone: str | ZoneInfo, holidays: HolidaysLike = (),
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
        weeks, cut_at_midnight, known_until, sources, never_opens, name, version; or base, within
        and without, or any_of, for a combination. Among the holidays may stand
        {"country": "US", "subdivision": "MA", "years": [2025, 2026]} (extra `holidays`).
        """
        source = read(value)
        found = cls._of(source, name=value.get("name"), version=value.get("version", 1))
        may_be_empty = value.get("never_opens") or "base" in value or "any_of" in value
        return found if may_be_empty else _that_opens(found)

    @classmethod
    def from_json(cls, text: str | bytes) -> BusinessCalendar:
        """The calendar that `to_json` wrote; raises `InvalidValue` for what is no JSON object."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise InvalidValue("calendar", text, "is no JSON", "write what to_json() gives") from None
        return cls.from_dict(value)

    @classmethod
    def _of(cls, source: Source, *, name: str | None = None, version: int = 1) -> BusinessCalendar:
        rules = source.schedule if isinstance(source, LocalHours) else source
        return cls(source.zone, rules, name=name, version=version)  # type: ignore[arg-type]

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
        version = {"version": self.version} if self.version != 1 else {}
        return {**written(self.source), **({"name": self.name} if self.name else {}), **version}

    def to_json(self) -> str:
        """`to_dict` as JSON text, keys in their order."""
        return json.dumps(self.to_dict(), ensure_ascii=False)

    # -- what it is --------------------------------------------------------------------------------

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the normalised rules and the zone, without any names and version."""
        return self.source.key

    def __eq__(self, other: object) -> bool:
        return self.source.key == other.source.key if isinstance(other, BusinessCalendar) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.source.key)

    def __repr__(self) -> str:
        label = f"{self.name!r} version {self.version}" if self.name else _hours_text(self.source)
        return f"<BusinessCalendar {label} in {self.zone.key}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return BusinessCalendar.from_dict, (self.to_dict(),)

    # -- combining ---------------------------------------------------------------------------------

    def __and__(self, other: BusinessCalendar) -> BusinessCalendar:
        """What is open in both; the left zone counts the days."""
        return self._combined(both, other)  # type: ignore[no-any-return]

    def __or__(self, other: BusinessCalendar) -> BusinessCalendar:
        """What is open in at least one; the left zone counts the days."""
        return self._combined(either, other)  # type: ignore[no-any-return]

    def __sub__(self, other: BusinessCalendar) -> BusinessCalendar:
        """What is open in the left one while the right one is closed."""
        return self._combined(minus, other)  # type: ignore[no-any-return]

    def _combined(self, combine: Callable[[Source, Source], Source], other: object) -> Any:
        if not isinstance(other, BusinessCalendar):
            return NotImplemented
        return self._of(combine(self.source, other.source))

    # -- explaining --------------------------------------------------------------------------------

    def explain(self, start: dt.datetime, duration: Length) -> Explanation:
        """How `add(start, duration)` is counted: windows used, closures skipped, each with its name.

        >>> desk = BusinessCalendar.weekly("mon-fri 09:00-17:30", zone="Europe/London")
        >>> print(desk.explain(dt.datetime(2024, 5, 3, 17, tzinfo=desk.zone), dt.timedelta(hours=1)))
        1h from Fri 3 May 2024 17:00 leads to Mon 6 May 2024 09:30 (Europe/London)
          Fri 3 May 2024 17:00 - Fri 3 May 2024 17:30         30m  open
          Fri 3 May 2024 17:30 - Sat 4 May 2024 00:00              night
          Sat 4 May 2024 00:00 - Mon 6 May 2024 00:00              weekend
          Mon 6 May 2024 00:00 - Mon 6 May 2024 09:00              night
          Mon 6 May 2024 09:00 - Mon 6 May 2024 09:30         30m  open
        """
        return explained(self.source, self._compiled, micros(start, "start"), duration)

    def closures(self, a_us: int, b_us: int) -> Iterator[Closure]:
        """The closed stretches (start, end, name) in [a_us, b_us), in integer microseconds.

        They are split where the reason changes. Names: "holiday: <name>", "holiday", "break",
        "night", "weekend", "day off", "closed by shift", "outside hours", "no hours in force"; in a
        combination also those of the others, "Tokyo: weekend" or "taken by Tokyo".
        """
        return closures(self.source, self._compiled.table.periods(a_us, b_us), a_us, b_us)

    def next_holiday(self, at: dt.datetime) -> Holiday | None:
        """The holiday on the local date of an instant, else the first one after it; or None.

        A yearly rule answers with its dates in that year; a combination with the first holiday of
        any of its calendars.
        """
        return _next_holiday(self.source, micros(at))

    def month(self, year: int, month: int) -> Drawing:
        """A month as an HTML table: windows, holidays, shifts, breaks, changes of the clocks, totals."""
        return month_of(self.source, self._compiled, self.name, year, month)

    def draw(self, first: dt.date | str, days: int = 7) -> Drawing:
        """Some dates from the first on as SVG, to scale in real time: a night of 25 hours is longer."""
        return strip_of(self.source, self._compiled, self.name, first, days)

    def _repr_html_(self) -> str:
        return calendar_html(self.source, self._compiled, self.name, self.version)


always = BusinessCalendar.always
never = BusinessCalendar.never


def _that_opens(calendar: BusinessCalendar) -> BusinessCalendar:
    """The calendar itself, unless its rules never open the desk."""
    source, table = calendar.source, calendar._compiled.table  # noqa: SLF001 - the same file
    if source.before is not False or source.after is not False:
        return calendar  # it repeats, so it opens
    if table.next_start(max(source.settled[0], HORIZON[0])) is None:
        raise NeverOpens(
            f"the hours given for {calendar.zone.key} never open; give hours that are not taken "
            "away again, or say BusinessCalendar.never(zone)"
        )
    return calendar


def _next_holiday(source: Source, at: int) -> Holiday | None:
    if isinstance(source, LocalHours):
        return source.schedule.next_holiday(date_of(local(source.zone, at)))
    found = [_next_holiday(part, at) for part in source.parts]
    return min((h for h in found if h), key=lambda h: h.span, default=None)


def _hours_text(source: Source) -> str:
    if not isinstance(source, LocalHours):
        return f"of {len(source.parts)} calendars"
    hours = "; ".join(text for week in source.schedule.weeks if (text := week_text(week.hours)))
    return hours or "never open"
