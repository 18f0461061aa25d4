"""`BusinessCalendar`: when a desk is open, and everything that is measured by it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from itsm_core.business_time.algebra import Restricted, both, either, minus
from itsm_core.business_time.closures import Closure, closures
from itsm_core.business_time.compiled import Compiled, compiled
from itsm_core.business_time.explanation import Explanation, explained
from itsm_core.business_time.forms import Rules, called, checked_name, checked_version, read, written
from itsm_core.business_time.given import Dated, parse_date
from itsm_core.business_time.holidays import AnyHoliday, Holiday, HolidaysLike
from itsm_core.business_time.instants import like, micros, zone_like
from itsm_core.business_time.local_hours import LocalHours, Source, date_of
from itsm_core.business_time.offsets import local
from itsm_core.business_time.open_time import Length, OpenTime
from itsm_core.business_time.picture import Drawing, calendar_html, month_of, strip_of
from itsm_core.business_time.schedule import Schedule, midnight
from itsm_core.business_time.table import HORIZON, Table, within
from itsm_core.business_time.weeks import Week
from itsm_core.business_time.windows import WeekText, week_text
from itsm_core.errors import InvalidValue, NeverOpens


def _rules(value: Rules) -> Rules:
    if not isinstance(value, Rules):
        remedy = 'use BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/London")'
        raise InvalidValue("rules", value, "are no Schedule", remedy)
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
    rules: Rules = attrs.field(converter=_rules)
    name: str | None = attrs.field(default=None, converter=checked_name, kw_only=True)
    version: int = attrs.field(default=1, converter=checked_version, kw_only=True)
    _source: Source = attrs.field(init=False)
    _compiled: Compiled = attrs.field(init=False)

    @_source.default
    def _read(self) -> Source:
        if isinstance(self.rules, Schedule):
            return _that_opens(LocalHours(self.zone, self.rules, name=self.name))
        if self.rules.zone != self.zone:
            reason = f"is not that of the combination, {self.rules.zone.key}"
            raise InvalidValue("zone", self.zone.key, reason, "combine with always(zone) on the left")
        return called(self.rules, self.name)

    @_compiled.default
    def _compile(self) -> Compiled:
        return compiled(self._source)

    # -- making ------------------------------------------------------------------------------------

    @classmethod
    def weekly(
        cls, hours: WeekText, *, zone: str | ZoneInfo, holidays: HolidaysLike = (),
        weekly_breaks: WeekText = "", shifts: Dated | None = None, breaks: Dated | None = None,
        valid_from: dt.date | str | None = None, valid_to: dt.date | str | None = None,
        weeks: Iterable[Week] = (), cut_at_midnight: bool = False,
        known_until: dt.date | str | None = None, name: str | None = None, version: int = 1,
    ) -> BusinessCalendar:  # fmt: skip
        """A calendar of weekly hours: "mon-fri 09:00-12:30 13:30-17:30; sat 10:00-13:00".

        `shifts` and `breaks` give windows by local date; `weeks` adds further weeks with a
        validity of their own; `known_until` is the last date for which the holidays are known, and
        explanations say so beyond it. Raises `InvalidWindow` for hours that cannot be read and
        `NeverOpens` for hours that never open.
        """
        first = Week.of(hours, weekly_breaks, valid_from=valid_from, valid_to=valid_to)
        further = weeks if isinstance(weeks, Iterable) else (weeks,)
        schedule = Schedule.of(
            (first, *further),
            holidays=holidays, shifts=shifts, breaks=breaks, cut_at_midnight=cut_at_midnight,
            known_until=known_until,
        )  # fmt: skip
        return _with_hours(cls(zone, schedule, name=name, version=version))

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> BusinessCalendar:
        """The calendar that `to_dict` wrote, or any dict of its shape; missing keys are empty.

        Keys: tz, hours, weekly_breaks, shifts, breaks, holidays; further valid_from, valid_to,
        weeks, cut_at_midnight, known_until, sources, never_opens, name, version; or base, within
        and without, or any_of, for a combination. Among the holidays may stand
        {"country": "US", "subdivision": "MA", "years": [2025, 2026]} (extra `holidays`).
        """
        found = cls._of(read(value), version=value.get("version", 1))
        may_be_empty = value.get("never_opens") or "base" in value or "any_of" in value
        return found if may_be_empty else _with_hours(found)

    @classmethod
    def from_json(cls, text: str | bytes) -> BusinessCalendar:
        """The calendar that `to_json` wrote; raises `InvalidValue` for what is no JSON object."""
        try:
            value = json.loads(text)
        except (TypeError, ValueError, RecursionError):
            raise InvalidValue("calendar", text, "is no JSON", "write what to_json() gives") from None
        return cls.from_dict(value)

    @classmethod
    def _of(cls, source: Source, *, version: int = 1) -> BusinessCalendar:
        rules = source.schedule if isinstance(source, LocalHours) else source
        return cls(source.zone, rules, name=source.name, version=version)  # type: ignore[arg-type]

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
        return {**written(self._source), **({"version": self.version} if self.version != 1 else {})}

    def to_json(self) -> str:
        """`to_dict` as JSON text, keys in their order."""
        return json.dumps(self.to_dict(), ensure_ascii=False)

    # -- what it is --------------------------------------------------------------------------------

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the normalised rules and the zone, without any names and version."""
        return self._source.key

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BusinessCalendar):
            return NotImplemented
        return self._source.key == other._source.key

    def __hash__(self) -> int:
        return hash(self._source.key)

    def __repr__(self) -> str:
        label = f"{self.name!r} version {self.version}" if self.name else _hours_text(self._source)
        return f"<BusinessCalendar {label} in {self.zone.key}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_dict, (self.to_dict(),)

    def named(self, name: str | None, version: int = 1) -> BusinessCalendar:
        """The same rules under a name and a version, which explanations and promises tell."""
        return attrs.evolve(self, name=name, version=version)

    @property
    def holidays(self) -> tuple[AnyHoliday, ...]:
        """The holidays among the rules, dated ones first; of a combination, those of its calendars."""
        return tuple(h for hours in _schedules(self._source) for h in hours.schedule.holidays)

    # -- combining ---------------------------------------------------------------------------------

    def __and__(self, other: BusinessCalendar) -> BusinessCalendar:
        """What is open in both; the left zone counts the days."""
        if not isinstance(other, BusinessCalendar):
            return NotImplemented
        return self._of(both(self._source, other._source))

    def __or__(self, other: BusinessCalendar) -> BusinessCalendar:
        """What is open in at least one; the left zone counts the days."""
        if not isinstance(other, BusinessCalendar):
            return NotImplemented
        return self._of(either(self._source, other._source))

    def __sub__(self, other: BusinessCalendar) -> BusinessCalendar:
        """What is open in the left one while the right one is closed."""
        if not isinstance(other, BusinessCalendar):
            return NotImplemented
        return self._of(minus(self._source, other._source))

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
        return explained(self._source, self._compiled, micros(start, "start"), duration)

    def closures(
        self, start: dt.datetime, end: dt.datetime
    ) -> Iterator[tuple[dt.datetime, dt.datetime, str]]:
        """The closed stretches (start, end, reason) in [start, end), in order.

        They are split where the reason changes: "holiday: <name>", "holiday", "break", "night",
        "weekend", "day off", "closed by shift", "outside hours", "no hours in force"; in a
        combination also those of the others, "Tokyo: weekend" or "taken by Tokyo".
        """
        found = self.closures_us(micros(start, "start"), micros(end, "end"))
        return ((like(c.start, start), like(c.end, start), c.name) for c in found)

    def closures_us(self, a: int, b: int) -> Iterator[Closure]:
        """`closures` in integer microseconds."""
        return closures(self._source, self._compiled.table.periods(a, b), a, b)

    def next_holiday(self, at: dt.datetime) -> Holiday | None:
        """The holiday on the local date of an instant, else the first one after it; or None.

        A yearly rule answers with its dates in that year; a combination with the first holiday of
        any calendar that it needs open.
        """
        us = within(micros(at))
        found = [
            hours.schedule.next_holiday(date_of(local(hours.zone, us))) for hours in _schedules(self._source)
        ]
        return min((h for h in found if h), key=lambda h: h.span, default=None)

    def holidays_on(self, date: dt.date | str) -> tuple[Holiday, ...]:
        """The holidays, whole and in part, that a local date belongs to; none on a day like any other."""
        day = parse_date(date).toordinal()
        return tuple(h for hours in _schedules(self._source) for h in hours.schedule.holidays_on(day))

    def month(self, year: int, month: int) -> Drawing:
        """A month as an HTML table: windows, holidays, shifts, breaks, changes of the clocks, totals."""
        return month_of(self._source, self._compiled, self.name, year, month)

    def draw(self, first: dt.date | str, days: int = 7) -> Drawing:
        """Some dates from the first on as SVG, to scale in real time: a night of 25 hours is longer."""
        return strip_of(self._source, self._compiled, self.name, first, days)

    def _repr_html_(self) -> str:
        return calendar_html(self._source, self._compiled, self.name, self.version)


always = BusinessCalendar.always
never = BusinessCalendar.never


def _never_opens(zone: ZoneInfo) -> NeverOpens:
    return NeverOpens(
        f"the hours given for {zone.key} never open; give hours that are not taken "
        "away again, or say BusinessCalendar.never(zone)"
    )


def _that_opens(hours: LocalHours) -> LocalHours:
    """The hours themselves, unless their rules take them all away again."""
    schedule = hours.schedule
    if schedule.is_empty or not (schedule.closed_before and schedule.closed_after):
        return hours  # the rules of `never`, or a week that repeats
    first, last = schedule.settled
    if first > last or Table(hours).next_start(max(midnight(first), HORIZON[0])) is None:
        raise _never_opens(hours.zone)
    return hours


def _with_hours(calendar: BusinessCalendar) -> BusinessCalendar:
    """The calendar itself, unless no hours were given at all."""
    if isinstance(calendar.rules, Schedule) and calendar.rules.is_empty:
        raise _never_opens(calendar.zone)
    return calendar


def _schedules(source: Source) -> Iterator[LocalHours]:
    """The schedules that a source needs open; those that are subtracted say nothing of it."""
    if isinstance(source, LocalHours):
        yield source
    members = (source.base, *source.within) if isinstance(source, Restricted) else source.members
    for member in members:
        yield from _schedules(member)


def _hours_text(source: Source) -> str:
    if not isinstance(source, LocalHours):
        return f"of {len(source.members)} calendars"
    hours = "; ".join(text for week in source.schedule.weeks if (text := week_text(week.hours)))
    return hours or "never open"
