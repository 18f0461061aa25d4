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
from typing import Any

import attrs

from itsm_core.business_time.given import Dated, DatedWindows, check_keys, parse_date, parse_dated, plain_text
from itsm_core.business_time.holidays import (
    WHOLE,
    AnyHoliday,
    Holiday,
    HolidayList,
    HolidaysLike,
    YearlyHoliday,
    bounded,
    holiday_lists,
)
from itsm_core.business_time.instants import DAY
from itsm_core.business_time.intervals import Span, difference, union
from itsm_core.business_time.weeks import FIRST_DAY, LAST_DAY, Era, Week, checked, eras
from itsm_core.business_time.windows import WeekWindows, Windows
from itsm_core.errors import InvalidValue

EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
# A holiday that lasts beyond every table is a desk that closed for good.
FOR_GOOD = dt.date(2301, 1, 3).toordinal()


def _iso(ordinal: int) -> str:
    return dt.date.fromordinal(ordinal).isoformat()


def midnight(ordinal: int) -> int:
    """Local microseconds at which the date with this ordinal begins."""
    return (ordinal - EPOCH_DAY) * DAY


def _with_countries(value: HolidaysLike) -> HolidaysLike:
    """The holidays as given, with those of a country in the place of its name."""
    if not isinstance(value, (list, tuple)):
        return value
    # A plain dict: objects of the holidays package are mappings too, and parse what they are asked for.
    return [_national(item) if type(item) is dict and "country" in item else item for item in value]


def _national(value: Mapping[str, Any]) -> HolidayList:
    from itsm_core.business_time.national import national_holidays  # noqa: PLC0415 - needs the extra

    known = ("country", "years", "subdivision", "categories", "language", "half_days", "make_up_days")
    check_keys("holidays of a country", value, (*known, "known_until"))
    if "years" not in value:
        raise InvalidValue("holidays", dict(value), "lack the years", 'add "years": [2025, 2026]')
    return national_holidays(**value)


def _yes_or_no(value: bool) -> bool:
    if not isinstance(value, bool):
        raise InvalidValue("cut_at_midnight", value, "is neither True nor False", "write True or False")
    return value


@attrs.frozen
class Schedule:
    """All rules of a calendar but its zone: weeks, holidays, dated shifts and dated breaks.

    `known_until` and `sources` tell where the holidays come from; they decide nothing.
    """

    weeks: tuple[Week, ...] = ()
    holidays: tuple[AnyHoliday, ...] = ()
    shifts: DatedWindows = attrs.field(default=(), kw_only=True)
    breaks: DatedWindows = attrs.field(default=(), kw_only=True)
    cut_at_midnight: bool = attrs.field(default=False, kw_only=True, converter=_yes_or_no)
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
        told = (found.source for found in lists if found.source)
        if known_until is not None:
            known.append(parse_date(known_until, "known_until"))
        return cls(
            checked(weeks), bounded(day for found in lists for day in found.days),
            shifts=tuple(sorted({**made_up, **dict(parse_dated(shifts or {}, "shifts"))}.items())),
            breaks=parse_dated(breaks or {}, "breaks"), cut_at_midnight=cut_at_midnight,
            known_until=min(known, default=None),
            sources=tuple(dict.fromkeys((*(plain_text(s, "source") for s in sources), *told))),
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
        return {day: union(parts) for day, parts in found.items()}

    @cached_property
    def _reach(self) -> tuple[list[int], list[int]]:
        """The first ordinals of the dated holidays, and how far those up to each of them reach."""
        spans = [h.span for h in self.dated]
        return [first for first, _ in spans], list(accumulate((after for _, after in spans), max))

    @cached_property
    def _by_year(self) -> dict[int, dict[int, list[Span]]]:
        """What the yearly rules close in each year asked for so far."""
        return {}

    @cached_property
    def _yearly_rules(self) -> frozenset[YearlyHoliday]:
        """The yearly rules without their names, each once."""
        return frozenset(attrs.evolve(h, name="") for h in self.yearly)

    def _yearly_in(self, year: int) -> dict[int, list[Span]]:
        found = self._by_year.get(year)
        if found is None:
            parts: dict[int, list[Span]] = defaultdict(list)
            for h in (h for rule in self._yearly_rules for h in rule.occurrences(year)):
                for day in range(*h.span):
                    parts[day] += h.hours
            found = self._by_year[year] = {day: union(spans) for day, spans in parts.items()}
        return found

    # -- what holds on a date ----------------------------------------------------------------------

    def closed_on(self, day: int) -> Sequence[Span]:
        """What holidays take of the windows starting on a date (ordinal), in µs after midnight."""
        if self._whole(day):
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
        year = dt.date.fromordinal(day).year
        # 29 February comes again within eight years.
        yearly = (h for rule in self.yearly for y in range(year, year + 9) for h in rule.occurrences(y))
        return min((h for h in (*self.dated, *yearly) if h.span[1] > day), default=None)

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

    @cached_property
    def is_empty(self) -> bool:
        """Whether no rule gives any hours: the schedule of `never`."""
        return not any(any(era.week) for era in self.eras) and not any(hours for _, hours in self.shifts)

    # -- what never changes again ------------------------------------------------------------------

    @cached_property
    def settled(self) -> Span:
        """Ordinals before and after which weeks and yearly rules only repeat: any, without dated rules."""
        dates = [d for week in self.weeks for d in (week.valid_from, week.valid_to) if d]
        dates += [h.first for h in self.dated]
        dates += [h.last for h in self.dated if h.last.toordinal() < FOR_GOOD]
        dates += [date for date, _ in (*self.shifts, *self.breaks)]
        dates += [dt.date(h.since, 1, 1) for h in self.yearly if h.since]
        dates += [dt.date(min(h.until + 1, dt.MAXYEAR), 12, 31) for h in self.yearly if h.until]
        if not dates:
            return LAST_DAY, FIRST_DAY
        ordinals = [date.toordinal() for date in dates]
        return max(FIRST_DAY, min(ordinals) - 4), min(LAST_DAY, max(ordinals) + 4)

    @cached_property
    def closed_before(self) -> bool:
        """Whether there are no hours at all before the dated rules."""
        return self._without_hours(self.eras[0].week, 401)

    @cached_property
    def closed_after(self) -> bool:
        """Whether there are no hours at all after the dated rules."""
        for_good = any(h.last.toordinal() >= FOR_GOOD and not h.closed for h in self.dated)
        return for_good or self._without_hours(self.eras[-1].week, 2401)

    def _without_hours(self, week: WeekWindows, cycle: int) -> bool:
        """Whether yearly holidays leave nothing of a week.

        In 28 years of which none leaves out a leap year, such as those from 401 and 2401 on, each
        date falls on each weekday that it has.
        """
        first = dt.date(cycle, 1, 1).toordinal()
        return not any(week) or not any(map(self.windows_on, range(first, first + 28 * 366)))

    def rules(self) -> dict[str, Any]:
        """What decides about open time, normalised and without names.

        Kinds of rules that a calendar does not have are left out: those that came later to this
        library must not change the fingerprints of calendars without them.
        """
        whole = union((*self.closed_dates, *((d, d + 1) for d in self.closed_parts if self._whole(d))))
        found = {
            "weeks": [(_iso(first), _iso(last), week) for first, last, week in self.eras if any(week)],
            "holidays": [(_iso(start), _iso(after - 1)) for start, after in whole],
            "shifts": {date.isoformat(): windows for date, windows in self.shifts},
            "breaks": {date.isoformat(): windows for date, windows in self.breaks if windows},
            "cut_at_midnight": self.cut_at_midnight,
        }
        parts = {_iso(d): parts for d, parts in self.closed_parts.items() if not self._whole(d)}
        further = {"parts": parts, "yearly": sorted(_yearly_rules(self.yearly), key=repr)}
        return found | {key: value for key, value in further.items() if value}

    def _whole(self, day: int) -> bool:
        """Whether dated holidays close a date all day, on their own or together."""
        i = bisect_right(self.closed_dates, (day, LAST_DAY + 2)) - 1
        within = i >= 0 and day < self.closed_dates[i][1]
        return within or tuple(self.closed_parts.get(day, ())) == WHOLE


def _yearly_rules(holidays: Iterable[YearlyHoliday]) -> set[tuple[Any, ...]]:
    """Yearly rules by single dates, whether they were said as ranges or not."""
    found: dict[tuple[Any, ...], list[Span]] = defaultdict(list)
    for holiday in holidays:
        for row in holiday.by_date():
            found[row] += holiday.closed or WHOLE
    return {(*row, tuple(union(hours))) for row, hours in found.items()}
