"""The rules of a calendar on the wall clock, in layers: week, holidays, shifts, breaks.

    dated breaks      remove open time on that local date, whoever's window it is
    dated shifts      replace the windows starting on that date: hours, weekly breaks and holiday
    holidays          remove the windows starting on that date, or a part of them; last night's
                      tail only with cut_at_midnight, and then only that of weekly hours
    weekly hours      less the weekly breaks of the same week, while that week is valid

A date owns the windows that start on it, also what they reach into the next day.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any, TypeAlias

import attrs

from itsm_core.business_time.holidays import (
    WHOLE,
    AnyHoliday,
    Holiday,
    HolidayList,
    HolidaysLike,
    YearlyHoliday,
    bounded,
    check_keys,
    holiday_lists,
    parse_date,
)
from itsm_core.business_time.instants import DAY
from itsm_core.business_time.intervals import Span, difference, union
from itsm_core.business_time.weeks import FIRST_DAY, LAST_DAY, Era, Week, checked, eras, full
from itsm_core.business_time.windows import DayText, WeekWindows, Windows, parse_day
from itsm_core.errors import InvalidValue

EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
# A holiday that lasts beyond every table is a desk that closed for good.
FOR_GOOD = dt.date(2300, 1, 1).toordinal()

Dated: TypeAlias = Mapping[dt.date | str, DayText]
DatedWindows: TypeAlias = tuple[tuple[dt.date, Windows], ...]


def _iso(ordinal: int) -> str:
    return dt.date.fromordinal(ordinal).isoformat()


def midnight(ordinal: int) -> int:
    """Local microseconds at which the date with this ordinal begins."""
    return (ordinal - EPOCH_DAY) * DAY


def parse_dated(value: Dated, what: str) -> DatedWindows:
    """Windows by date, sorted, from {date: "10:30-16:30"}; an empty text means no window."""
    if not isinstance(value, Mapping):
        raise InvalidValue(what, value, "is no mapping of dates", 'write {"2024-02-04": "10:30-16:30"}')
    found: dict[dt.date, Windows] = {}
    for day, windows in value.items():
        date = parse_date(day, what)
        found[date] = tuple(union((*found.get(date, ()), *parse_day(windows))))
    return tuple(sorted(found.items()))


def _with_countries(value: HolidaysLike) -> HolidaysLike:
    """The holidays as given, with those of a country in the place of its name."""
    if not isinstance(value, (list, tuple)):
        return value
    return [_national(item) if isinstance(item, Mapping) and "country" in item else item for item in value]


def _national(value: Mapping[str, Any]) -> HolidayList:
    from itsm_core.business_time.national import national_holidays  # noqa: PLC0415 - needs the extra

    known = ("country", "years", "subdivision", "categories", "language", "half_days", "make_up_days")
    check_keys("holidays of a country", value, (*known, "known_until"))
    if "years" not in value:
        raise InvalidValue("holidays", dict(value), "lack the years", 'add "years": [2025, 2026]')
    return national_holidays(**value)


@attrs.frozen
class Schedule:
    """All rules of a calendar but its zone: weeks, holidays, dated shifts and dated breaks.

    `known_until` and `sources` tell where the holidays come from; they decide nothing.
    """

    weeks: tuple[Week, ...] = ()
    holidays: tuple[AnyHoliday, ...] = ()
    shifts: DatedWindows = attrs.field(default=(), kw_only=True)
    breaks: DatedWindows = attrs.field(default=(), kw_only=True)
    cut_at_midnight: bool = attrs.field(default=False, kw_only=True)
    known_until: dt.date | None = attrs.field(default=None, kw_only=True)
    sources: tuple[str, ...] = attrs.field(default=(), kw_only=True)

    @classmethod
    def of(
        cls, weeks: Iterable[Week], *, holidays: HolidaysLike = (),
        shifts: Dated | None = None, breaks: Dated | None = None, cut_at_midnight: bool = False,
        known_until: dt.date | str | None = None, sources: Iterable[str] = (),
    ) -> Schedule:  # fmt: skip
        """The schedule of weeks and of what stands in for them on single dates.

        Shifts that come with a list of holidays give way to those said here for the same date.
        """
        lists = holiday_lists(_with_countries(holidays))
        made_up = {day: windows for found in lists for day, windows in found.shifts}
        known = [found.known_until for found in lists if found.known_until]
        if known_until is not None:
            known.append(parse_date(known_until, "known_until"))
        return cls(
            checked(weeks), bounded(day for found in lists for day in found.days),
            shifts=tuple(sorted({**made_up, **dict(parse_dated(shifts or {}, "shifts"))}.items())),
            breaks=parse_dated(breaks or {}, "breaks"), cut_at_midnight=cut_at_midnight,
            known_until=min(known, default=None),
            sources=tuple(dict.fromkeys((*sources, *(found.source for found in lists if found.source)))),
        )  # fmt: skip

    # -- look-ups, compiled once -------------------------------------------------------------------

    @cached_property
    def eras(self) -> tuple[Era, ...]:
        """The stretches of dates in which the same weeks are valid, in order, without gaps."""
        return eras(self.weeks)

    @cached_property
    def era_starts(self) -> list[int]:
        """The first ordinal of each era."""
        return [era.first for era in self.eras]

    @cached_property
    def shift_on(self) -> dict[int, Windows]:
        """The windows of each shifted date, by ordinal."""
        return {date.toordinal(): windows for date, windows in self.shifts}

    @cached_property
    def break_on(self) -> dict[int, Windows]:
        """The breaks of each date, by ordinal."""
        return {date.toordinal(): windows for date, windows in self.breaks}

    @cached_property
    def yearly(self) -> tuple[YearlyHoliday, ...]:
        """The holidays that come every year."""
        return tuple(h for h in self.holidays if isinstance(h, YearlyHoliday))

    @cached_property
    def dated(self) -> tuple[Holiday, ...]:
        """The holidays of one date or range, in order."""
        return tuple(h for h in self.holidays if isinstance(h, Holiday))

    @cached_property
    def closed_dates(self) -> list[Span]:
        """The dated holidays that last all day, as half-open, disjoint spans of ordinals."""
        return union(h.span for h in self.dated if not h.closed)

    @cached_property
    def closed_parts(self) -> dict[int, list[Span]]:
        """The closed hours of each date with a dated holiday for a part of the day."""
        found: dict[int, list[Span]] = defaultdict(list)
        for h in self.dated:
            for day in range(*h.span) if h.closed else ():
                found[day] += h.closed
        return {day: union(parts) for day, parts in sorted(found.items())}

    @cached_property
    def _reach(self) -> tuple[list[int], list[int]]:
        """The first ordinals of the dated holidays, and how far those up to each of them reach."""
        spans = [h.span for h in self.dated]
        return [first for first, _ in spans], list(accumulate((after for _, after in spans), max))

    @cached_property
    def _by_year(self) -> dict[int, dict[int, list[Span]]]:
        """What the yearly rules close in each year asked for so far."""
        return {}

    def _yearly_in(self, year: int) -> dict[int, list[Span]]:
        found = self._by_year.get(year)
        if found is None:
            parts: dict[int, list[Span]] = defaultdict(list)
            for h in (h for rule in self.yearly for h in rule.occurrences(year)):
                for day in range(*h.span):
                    parts[day] += h.parts
            found = self._by_year[year] = {day: union(spans) for day, spans in parts.items()}
        return found

    # -- what holds on a date ----------------------------------------------------------------------

    def closed_on(self, day: int) -> Sequence[Span]:
        """What holidays take of the windows starting on a date (ordinal), in µs after midnight."""
        i = bisect_right(self.closed_dates, (day, LAST_DAY + 2)) - 1
        if i >= 0 and day < self.closed_dates[i][1]:
            return WHOLE
        parts = self.closed_parts.get(day, [])
        if self.yearly:
            yearly = self._yearly_in(dt.date.fromordinal(day).year).get(day)
            return union((*parts, *yearly)) if yearly else parts
        return parts

    def is_holiday(self, day: int) -> bool:
        """Whether a date (ordinal) is a holiday all day, shifted or not."""
        closed = self.closed_on(day)
        return bool(closed) and tuple(closed) == WHOLE

    def holidays_on(self, day: int) -> Iterator[Holiday]:
        """The holidays, whole and in part, that a date (ordinal) belongs to."""
        firsts, reach = self._reach
        i = bisect_right(firsts, day) - 1
        first = i
        while first >= 0 and reach[first] > day:
            first -= 1
        year = dt.date.fromordinal(day).year
        yearly = (h for rule in self.yearly for h in rule.occurrences(year))
        return (h for h in (*self.dated[first + 1 : i + 1], *yearly) if h.span[0] <= day < h.span[1])

    def next_holiday(self, day: int) -> Holiday | None:
        """The holiday of a date (ordinal), else the first one after it, with its dates; or None."""
        first = min((h for h in self.dated if h.span[1] > day), key=lambda h: h.span, default=None)
        year = dt.date.fromordinal(day).year
        # 29 February comes again within eight years.
        years = range(year, min(year + 9, dt.MAXYEAR + 1))
        coming = [h for rule in self.yearly for y in years for h in rule.occurrences(y) if h.span[1] > day]
        found = [first, *coming] if first else coming
        return min(found, key=lambda h: (max(h.span[0], day), h), default=None)

    def week_on(self, day: int) -> WeekWindows:
        """The weekly windows in force on a date (ordinal)."""
        return self.eras[bisect_right(self.era_starts, day) - 1].week

    # -- open time on the wall clock -----------------------------------------------------------

    def windows_on(self, day: int) -> Windows:
        """The windows that start on a date (ordinal), before dated breaks: the precedence itself."""
        shift = self.shift_on.get(day)
        if shift is not None:
            return shift
        windows = self.week_on(day)[(day - 1) % 7]
        closed = self.closed_on(day) if windows else ()
        if self.cut_at_midnight and windows and windows[-1][1] > DAY:
            tomorrow = self.closed_on(day + 1)
            closed = union((*closed, *((start + DAY, end + DAY) for start, end in tomorrow)))
        return tuple(difference(windows, closed)) if closed else windows

    def before_breaks(self, first: int, last: int) -> list[Span]:
        """Open local time of the windows starting on the dates first..last, before dated breaks."""
        spans = []
        for day in range(first, last + 1):
            base = (day - EPOCH_DAY) * DAY
            spans += [(base + start, base + end) for start, end in self.windows_on(day)]
        return union(spans)

    def open_time(self, first: int, last: int) -> list[Span]:
        """Open local time of the windows starting on the dates first..last (ordinals, inclusive)."""
        spans = self.before_breaks(first, last)
        breaks = [
            (midnight(day) + start, midnight(day) + end)
            for day in range(first - 1, last + 2)
            if day in self.break_on
            for start, end in self.break_on[day]
        ]
        return difference(spans, union(breaks)) if breaks else spans

    # -- what never changes again ------------------------------------------------------------------

    @cached_property
    def settled(self) -> Span:
        """Ordinals before and after which weeks and yearly rules only repeat."""
        dates = [d for week in self.weeks for d in (week.valid_from, week.valid_to) if d]
        dates += [h.first for h in self.dated]
        dates += [h.last for h in self.dated if h.last.toordinal() < FOR_GOOD]
        dates += [date for date, _ in (*self.shifts, *self.breaks)]
        dates += [dt.date(h.since, 1, 1) for h in self.yearly if h.since]
        dates += [dt.date(min(h.until + 1, dt.MAXYEAR), 12, 31) for h in self.yearly if h.until]
        ordinals = [date.toordinal() for date in dates] or [EPOCH_DAY]
        return max(FIRST_DAY, min(ordinals) - 4), min(LAST_DAY, max(ordinals) + 4)

    @cached_property
    def before(self) -> bool | None:
        """Open (True), closed (False) or alternating (None) before all dated rules."""
        return self._repeating(self.eras[0].week, 1, [h for h in self.yearly if not h.since])

    @cached_property
    def after(self) -> bool | None:
        """Open (True), closed (False) or alternating (None) after all dated rules."""
        if any(h.last.toordinal() >= FOR_GOOD for h in self.dated):
            return False
        cycle = dt.date.fromordinal(self.settled[1]).year // 400 * 400 + 401
        return self._repeating(self.eras[-1].week, cycle, [h for h in self.yearly if not h.until])

    def _repeating(self, week: WeekWindows, cycle: int, yearly: list[YearlyHoliday]) -> bool | None:
        """What a week less yearly holidays comes to.

        28 years in which no leap year is left out show each date on each weekday that it has.
        """
        if not any(week):
            return False
        if not yearly:
            return True if full(week) else None
        first = dt.date(min(cycle, dt.MAXYEAR - 30), 1, 1).toordinal()
        return None if any(map(self.windows_on, range(first, first + 28 * 366))) else False

    def rules(self) -> dict[str, Any]:
        """What decides about open time, normalised and without names.

        Kinds of rules that a calendar does not have are left out: those that came later to this
        library must not change the fingerprints of calendars without them.
        """
        found = {
            "weeks": [(_iso(first), _iso(last), week) for first, last, week in self.eras if any(week)],
            "holidays": [(_iso(start), _iso(after - 1)) for start, after in self.closed_dates],
            "shifts": {date.isoformat(): windows for date, windows in self.shifts},
            "breaks": {date.isoformat(): windows for date, windows in self.breaks if windows},
            "cut_at_midnight": self.cut_at_midnight,
        }
        further = {
            "parts": {_iso(d): self.closed_on(d) for d in self.closed_parts if not self.is_holiday(d)},
            "yearly": sorted({_yearly_rule(h) for h in self.yearly}, key=repr),
        }
        return found | {key: value for key, value in further.items() if value}


def _yearly_rule(holiday: YearlyHoliday) -> tuple[Any, ...]:
    return holiday.dates, holiday.closed, holiday.since, holiday.until
