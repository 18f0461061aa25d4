"""The rules of a calendar on the wall clock, in layers: week, holidays, shifts, breaks.

    dated breaks      remove open time on that local date, whoever's window it is
    dated shifts      replace the windows starting on that date: hours, weekly breaks and holiday
    holidays          remove the windows starting on that date, but last night's tail only with
                      cut_at_midnight, and then only that of weekly hours
    weekly hours      less the weekly breaks of the same week, while that week is valid

A date owns the windows that start on it, also what they reach into the next day.
"""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import attrs

from itsm_core.business_time.instants import DAY
from itsm_core.business_time.intervals import Span, difference, union
from itsm_core.business_time.windows import (
    NO_WINDOWS,
    DayText,
    WeekText,
    WeekWindows,
    Windows,
    parse_day,
    parse_week,
)
from itsm_core.errors import InvalidValue

EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
_ISO_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
FIRST_DAY, LAST_DAY = dt.date.min.toordinal(), dt.date.max.toordinal()
# A holiday that lasts beyond every table is a desk that closed for good.
FOR_GOOD = dt.date(2300, 1, 1).toordinal()

Dated: TypeAlias = Mapping[dt.date | str, DayText]
DatedWindows: TypeAlias = tuple[tuple[dt.date, Windows], ...]


def parse_date(value: object, what: str = "date") -> dt.date:
    """The date of a `date` or of an ISO 8601 text; instants and anything else are refused."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return dt.date(value.year, value.month, value.day)
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass
    raise InvalidValue(what, value, "is no date", "write dt.date(2024, 2, 4) or 2024-02-04")


def _iso(ordinal: int) -> str:
    return dt.date.fromordinal(ordinal).isoformat()


def midnight(ordinal: int) -> int:
    """Local microseconds at which the date with this ordinal begins."""
    return (ordinal - EPOCH_DAY) * DAY


@attrs.frozen(order=True)
class Holiday:
    """One closed date or a range of them (both ends included), with a name for explanations."""

    first: dt.date
    last: dt.date
    name: str = attrs.field(default="", kw_only=True)

    @classmethod
    def of(cls, value: HolidayLike) -> Holiday:
        """A holiday from a date, a text "2024-02-10..2024-02-17", (date, name) or (first, last, name).

        Dates may be `date` or ISO 8601 text; a dict has "date" or "from" and "to", and "name".
        """
        if isinstance(value, Holiday):
            return value
        if isinstance(value, str | dt.date):
            first, _, last = value.partition("..") if isinstance(value, str) else (value, "", "")
            return cls._between(value, first, last or first)
        if isinstance(value, Mapping):
            first = value.get("date", value.get("from"))
            if unknown := set(value) - {"date", "from", "to", "name"}:
                raise InvalidValue(
                    "holiday",
                    value,
                    f"has the unknown key {min(unknown)!r}",
                    "use date or from, to, and name",
                )
            return cls._between(value, first, value.get("to", first), value.get("name", ""))
        return cls._of_sequence(value)

    @classmethod
    def _of_sequence(cls, value: Sequence[object]) -> Holiday:
        match value:
            case [first, last, name]:
                return cls._between(value, first, last, name)
            case [first, last] if isinstance(last, dt.date) or _ISO_DATE.fullmatch(str(last)):
                return cls._between(value, first, last)
            case [first, name]:
                return attrs.evolve(cls.of(first), name=_name(name, value))  # type: ignore[arg-type]
        raise InvalidValue(
            "holiday", value, "is neither date, range nor (date, name)", 'write ("2024-12-25", "Christmas")'
        )

    @classmethod
    def _between(cls, value: object, first: object, last: object, name: object = "") -> Holiday:
        start, end = parse_date(first, "holiday"), parse_date(last, "holiday")
        if end < start:
            raise InvalidValue("holiday", value, "ends before it begins", "give the first date first")
        return cls(start, end, name=_name(name, value))


HolidayLike: TypeAlias = Holiday | dt.date | str | Mapping[str, Any] | Sequence[Any]


def _name(name: object, value: object) -> str:
    if not isinstance(name, str):
        raise InvalidValue(
            "holiday", value, "has a name that is no text", 'write ("2024-12-25", "Christmas")'
        )
    return name


def _less(hours: WeekWindows, breaks: WeekWindows) -> WeekWindows:
    """The windows of each day less the breaks in them, also those of the days around."""

    def around(day: int) -> list[Span]:
        shifted = [
            (start + k * DAY, end + k * DAY) for k in (-1, 0, 1) for start, end in breaks[(day + k) % 7]
        ]
        return union(shifted)

    return tuple(tuple(difference(hours[day], around(day))) for day in range(7))


@attrs.frozen
class Week:
    """Weekly hours less weekly breaks, valid from a date to a date (both included), or always."""

    hours: WeekWindows
    breaks: WeekWindows = NO_WINDOWS
    valid_from: dt.date | None = attrs.field(default=None, kw_only=True)
    valid_to: dt.date | None = attrs.field(default=None, kw_only=True)

    @classmethod
    def of(
        cls, hours: WeekText, breaks: WeekText = "", *,
        valid_from: dt.date | str | None = None, valid_to: dt.date | str | None = None,
    ) -> Week:  # fmt: skip
        """A week from texts: `Week.of("mon-fri 09:00-17:00", "daily 12:00-13:00")`."""
        first = None if valid_from is None else parse_date(valid_from, "valid_from")
        last = None if valid_to is None else parse_date(valid_to, "valid_to")
        if first and last and last < first:
            raise InvalidValue(
                "valid_to", last.isoformat(), f"lies before valid_from {first}", "swap the dates"
            )
        return cls(parse_week(hours), parse_week(breaks), valid_from=first, valid_to=last)

    @property
    def span(self) -> Span:
        """The ordinals of the first and last date on which the week is valid."""
        first = self.valid_from.toordinal() if self.valid_from else FIRST_DAY
        return first, self.valid_to.toordinal() if self.valid_to else LAST_DAY

    @property
    def windows(self) -> WeekWindows:
        """The hours less the breaks, each piece with the day that owns it."""
        return _less(self.hours, self.breaks)


def parse_dated(value: Dated, what: str) -> DatedWindows:
    """Windows by date, sorted, from {date: "10:30-16:30"}; an empty text means no window."""
    if not isinstance(value, Mapping):
        raise InvalidValue(what, value, "is no mapping of dates", 'write {"2024-02-04": "10:30-16:30"}')
    found: dict[dt.date, Windows] = {}
    for day, windows in value.items():
        date = parse_date(day, what)
        found[date] = tuple(union((*found.get(date, ()), *parse_day(windows))))
    return tuple(sorted(found.items()))


def _listed(value: Iterable[HolidayLike]) -> Iterable[HolidayLike]:
    if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
        remedy = 'write [("2024-12-25", "Christmas")], or leave it out'
        raise InvalidValue("holidays", value, "are no list of dates", remedy)
    return value


def _weeks(value: Iterable[Week]) -> tuple[Week, ...]:
    weeks = tuple(value) if isinstance(value, Iterable) else (value,)
    for week in weeks:
        if not isinstance(week, Week):
            raise InvalidValue("week", week, "is no Week", 'write [Week.of("mon-fri 09:00-17:00")]')
    return weeks


class Era(NamedTuple):
    """The first and the last ordinal of a stretch of dates, and its windows by weekday."""

    first: int
    last: int
    week: WeekWindows


def _full(week: WeekWindows) -> bool:
    """Whether the windows of a repeating week leave no instant closed."""
    line = [
        (start + (d + k) * DAY, end + (d + k) * DAY)
        for k in (-7, 0)
        for d in range(7)
        for start, end in week[d]
    ]
    return any(start <= 0 and end >= 7 * DAY for start, end in union(line))


@attrs.frozen
class Schedule:
    """All rules of a calendar but its zone: weeks, holidays, dated shifts and dated breaks."""

    weeks: tuple[Week, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    shifts: DatedWindows = attrs.field(default=(), kw_only=True)
    breaks: DatedWindows = attrs.field(default=(), kw_only=True)
    cut_at_midnight: bool = attrs.field(default=False, kw_only=True)

    @classmethod
    def of(
        cls, weeks: Iterable[Week], *, holidays: Iterable[HolidayLike] = (),
        shifts: Dated | None = None, breaks: Dated | None = None, cut_at_midnight: bool = False,
    ) -> Schedule:  # fmt: skip
        """The schedule of weeks and of what stands in for them on single dates."""
        return cls(
            _weeks(weeks), tuple(sorted({Holiday.of(h) for h in _listed(holidays)})),
            shifts=parse_dated(shifts or {}, "shifts"), breaks=parse_dated(breaks or {}, "breaks"),
            cut_at_midnight=cut_at_midnight,
        )  # fmt: skip

    # -- look-ups, compiled once -------------------------------------------------------------------

    @cached_property
    def eras(self) -> tuple[Era, ...]:
        """The stretches of dates in which the same weeks are valid, in order, without gaps."""
        spans = [(*week.span, week.windows) for week in self.weeks]
        cuts = sorted({FIRST_DAY, LAST_DAY + 1, *(s for s, _, _ in spans), *(e + 1 for _, e, _ in spans)})
        eras: list[Era] = []
        for first, after in pairwise(cuts):
            valid = [windows for start, end, windows in spans if start <= first <= end]
            week = tuple(tuple(union(s for w in valid for s in w[d])) for d in range(7))
            if eras and eras[-1].week == week:
                first = eras.pop().first  # noqa: PLW2901 - the same rules go on
            eras.append(Era(first, after - 1, week))
        return tuple(eras)

    @cached_property
    def shift_on(self) -> dict[int, Windows]:
        """The windows of each shifted date, by ordinal."""
        return {date.toordinal(): windows for date, windows in self.shifts}

    @cached_property
    def break_on(self) -> dict[int, Windows]:
        """The breaks of each date, by ordinal."""
        return {date.toordinal(): windows for date, windows in self.breaks}

    @cached_property
    def closed_dates(self) -> list[Span]:
        """The holidays as half-open, disjoint spans of ordinals."""
        return union((h.first.toordinal(), h.last.toordinal() + 1) for h in self.holidays)

    @cached_property
    def era_starts(self) -> list[int]:
        """The first ordinal of each era."""
        return [era.first for era in self.eras]

    def is_holiday(self, day: int) -> bool:
        """Whether a date (ordinal) is a holiday, shifted or not."""
        i = bisect_right(self.closed_dates, (day, LAST_DAY + 2)) - 1
        return i >= 0 and day < self.closed_dates[i][1]

    def week_on(self, day: int) -> WeekWindows:
        """The weekly windows in force on a date (ordinal)."""
        return self.eras[bisect_right(self.era_starts, day) - 1].week

    # -- open time on the wall clock -----------------------------------------------------------

    def windows_on(self, day: int) -> Windows:
        """The windows that start on a date (ordinal), before dated breaks: the precedence itself."""
        shift = self.shift_on.get(day)
        if shift is not None:
            return shift
        if self.is_holiday(day):
            return ()
        windows = self.week_on(day)[(day - 1) % 7]
        if self.cut_at_midnight and self.is_holiday(day + 1):
            return tuple(difference(windows, [(DAY, 2 * DAY)]))
        return windows

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
        """Ordinals before and after which the rules only repeat a week."""
        dates = [d for week in self.weeks for d in (week.valid_from, week.valid_to) if d]
        dates += [h.first for h in self.holidays]
        dates += [h.last for h in self.holidays if h.last.toordinal() < FOR_GOOD]
        dates += [date for date, _ in (*self.shifts, *self.breaks)]
        ordinals = [date.toordinal() for date in dates] or [EPOCH_DAY]
        return max(FIRST_DAY, min(ordinals) - 4), min(LAST_DAY, max(ordinals) + 4)

    @property
    def before(self) -> bool | None:
        """Open (True), closed (False) or alternating (None) before all dated rules."""
        return self._repeating(self.eras[0].week)

    @property
    def after(self) -> bool | None:
        """Open (True), closed (False) or alternating (None) after all dated rules."""
        if any(h.last.toordinal() >= FOR_GOOD for h in self.holidays):
            return False
        return self._repeating(self.eras[-1].week)

    @staticmethod
    def _repeating(week: WeekWindows) -> bool | None:
        if not any(week):
            return False
        return True if _full(week) else None

    def rules(self) -> dict[str, Any]:
        """What decides about open time, normalised and without names."""
        return {
            "weeks": [(_iso(first), _iso(last), week) for first, last, week in self.eras if any(week)],
            "holidays": [(_iso(start), _iso(after - 1)) for start, after in self.closed_dates],
            "shifts": {date.isoformat(): windows for date, windows in self.shifts},
            "breaks": {date.isoformat(): windows for date, windows in self.breaks if windows},
            "cut_at_midnight": self.cut_at_midnight,
        }
