"""Holidays as values: a date, a range, a yearly rule, a part of a day; and lists of them.

    "2024-12-25"                     one date
    "2024-12-30..2025-01-02"         a range, both ends included
    "12-25", "12-30..01-02"          every year, also over New Year; 02-29 in leap years
    "12-24 13:00-24:00"              a part of the day: closed in these hours

A dict says the same and more: {"date": "12-25"} or {"from": ..., "to": ...}, with "name", "closed"
(hours) and, for a yearly rule, "since" and "until" (years). A pair adds a name to any of them:
("2024-12-25", "Christmas"). `national` and `ical` read such lists from elsewhere.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from itsm_core.business_time.given import (
    ISO_DATE,
    YEARS,
    Dated,
    DatedWindows,
    check_keys,
    parse_date,
    parse_dated,
    plain_text,
)
from itsm_core.business_time.instants import DAY
from itsm_core.business_time.intervals import Span, union
from itsm_core.business_time.windows import DayText, Windows, day_pairs, parse_day
from itsm_core.errors import InvalidValue

# All day: a window starts before midnight and lasts at most a day, so it ends before a second midnight.
WHOLE: Windows = ((0, 2 * DAY),)
# Bounds on what a calendar takes: a hostile file must cost neither minutes nor memory.
MOST_HOLIDAYS, MOST_DAYS_IN_PART = 10_000, 366
_MONTH_DAY = re.compile("([0-9]{2})-([0-9]{2})")
_EXAMPLE = 'write ("2024-12-25", "Christmas"), "12-25" for every year, or "12-24 13:00-24:00" for a part'
_DATES, _EXTRA = ("date", "from", "to"), ("name", "closed", "since", "until")

MonthDay: TypeAlias = tuple[int, int]


def _parse_month_day(text: str, value: object) -> MonthDay:
    match = _MONTH_DAY.fullmatch(text)
    try:
        day = dt.date(2000, int(match[1]), int(match[2])) if match else None  # 2000: a leap year
    except ValueError:
        day = None
    if day is None:
        raise InvalidValue("holiday", value, f'"{text}" is no month and day', _EXAMPLE)
    return day.month, day.day


def _date(value: dt.date | str) -> dt.date:
    return parse_date(value, "holiday")


def _text(value: str | None) -> str:
    return plain_text(value, "holiday name")


def _hours(value: Windows | DayText) -> Windows:
    """The hours that a part-day holiday closes; none for all day.

    Hours until 24:00 close also what the windows of that date hold of the night after; hours that
    end on the next day end there.
    """
    ready = isinstance(value, tuple) and all(map(_is_span, value))
    windows: Windows = tuple(union(value)) if ready else parse_day(value)  # type: ignore[arg-type]
    cut = tuple((start, 2 * DAY if end == DAY else end) for start, end in windows)
    return () if cut == WHOLE else cut


def _is_span(value: object) -> bool:
    whole = isinstance(value, tuple) and len(value) == 2 and all(type(edge) is int for edge in value)
    return whole and 0 <= value[0] < min(value[1], DAY) and value[1] <= 2 * DAY  # type: ignore[index]


def _month_day(value: MonthDay | str) -> MonthDay:
    text = value if isinstance(value, str) else "-".join(f"{part:02}" for part in value)
    return _parse_month_day(text, value)


def _year(value: int | None) -> int | None:
    if value is not None and (type(value) is not int or value not in YEARS):
        raise InvalidValue("holiday year", value, "is no year", "write since=2021 or until=2030")
    return value


@attrs.frozen(order=True)
class Holiday:
    """One closed date or a range of them (both ends included), with a name for explanations.

    `closed` holds the closed hours of a holiday that takes a part of the day; none is all day.
    """

    first: dt.date = attrs.field(converter=_date)
    last: dt.date = attrs.field(converter=_date)
    name: str = attrs.field(default="", kw_only=True, converter=_text)
    closed: Windows = attrs.field(default=(), kw_only=True, converter=_hours)

    def __attrs_post_init__(self) -> None:
        if self.last < self.first:
            raise InvalidValue("holiday", self.dates, "ends before it begins", "give the first date first")
        if self.closed and (self.last - self.first).days >= MOST_DAYS_IN_PART:
            remedy = "give it as a Week with valid_from and valid_to"
            raise InvalidValue("holiday", self.dates, "closes a part of the day for over a year", remedy)

    @property
    def dates(self) -> str:
        """The date, or both ends, as `holiday` reads them."""
        first, last = self.first.isoformat(), self.last.isoformat()
        return first if first == last else f"{first}..{last}"

    @property
    def length(self) -> int:
        """On how many dates it falls."""
        return (self.last - self.first).days + 1

    @property
    def span(self) -> Span:
        """The ordinals from the first date up to, but not including, the day after the last."""
        return self.first.toordinal(), self.last.toordinal() + 1

    @property
    def hours(self) -> Windows:
        """The closed hours of each of its dates, in microseconds after midnight; WHOLE for all day."""
        return self.closed or WHOLE

    def occurrences(self, year: int) -> Iterator[Holiday]:
        """The holiday itself, if any of its dates lies in the year."""
        if self.first.year <= year <= self.last.year:
            yield self

    def as_value(self) -> str | dict[str, Any]:
        """The text or dict from which `holiday` reads it back."""
        return _as_value(self, {})


@attrs.frozen(order=True)
class YearlyHoliday:
    """The same dates every year, also over New Year; from a year on, or until one, if said.

    29 February is a date in leap years only. The years are those in which the holiday begins.
    """

    first: MonthDay = attrs.field(converter=_month_day)
    last: MonthDay = attrs.field(converter=_month_day)
    name: str = attrs.field(default="", kw_only=True, converter=_text)
    closed: Windows = attrs.field(default=(), kw_only=True, converter=_hours)
    since: int | None = attrs.field(default=None, kw_only=True, converter=_year, order=lambda y: y or 0)
    until: int | None = attrs.field(default=None, kw_only=True, converter=_year, order=lambda y: y or 9999)

    def __attrs_post_init__(self) -> None:
        if self.since and self.until and self.until < self.since:
            raise InvalidValue("holiday", self.dates, "ends before it begins", "swap since and until")

    @property
    def dates(self) -> str:
        """The month and day, or both ends, as `holiday` reads them."""
        first, last = (f"{month:02d}-{day:02d}" for month, day in (self.first, self.last))
        return first if first == last else f"{first}..{last}"

    def beginning_in(self, year: int) -> Holiday | None:
        """The holiday of one year, or None where it has no date in it."""
        if not (self.since or 1) <= year <= (self.until or YEARS[-1]):
            return None
        ends = year + (self.last < self.first)
        # A range that begins or ends on a 29 February that is missing holds the days beside it.
        first = _date_in(year, self.first, +1)
        last = _date_in(min(ends, YEARS[-1]), self.last if ends in YEARS else (12, 31), -1)
        return Holiday(first, last, name=self.name, closed=self.closed) if first <= last else None

    @property
    def length(self) -> int:
        """On how many dates of a leap year it falls."""
        first, last = (dt.date(2000, *month_day).toordinal() for month_day in (self.first, self.last))
        return last - first + 1 + (366 if last < first else 0)

    def by_date(self) -> Iterator[tuple[MonthDay, int | None, int | None]]:
        """Each month and day of the rule, and the first and last year in which it is one, if said."""
        first, last = (dt.date(2000, *month_day).toordinal() for month_day in (self.first, self.last))
        new_year = dt.date(2000, 1, 1).toordinal()  # of a leap year, so that 29 February has its place
        turn = [] if first <= last else [(new_year, last, 1)]
        for start, end, late in [(first, last if first <= last else new_year + 365, 0), *turn]:
            since, until = (year and year + late for year in (self.since, self.until))
            for date in map(dt.date.fromordinal, range(start, end + 1)):
                yield (date.month, date.day), since, until

    def occurrences(self, year: int) -> Iterator[Holiday]:
        """The holidays of this rule with a date in the year, in order."""
        begun = (self.beginning_in(y) for y in (year - 1, year) if y in YEARS)
        return (holiday for holiday in begun if holiday and holiday.last.year >= year)

    def as_value(self) -> str | dict[str, Any]:
        """The text or dict from which `holiday` reads it back."""
        return _as_value(self, {"since": self.since, "until": self.until})


AnyHoliday: TypeAlias = Holiday | YearlyHoliday
HolidayLike: TypeAlias = AnyHoliday | dt.date | str | Mapping[str, Any] | Sequence[Any]


def _date_in(year: int, month_day: MonthDay, step: int) -> dt.date:
    """The date in a year; where there is no 29 February, the day after (+1) or before (-1)."""
    if month_day == (2, 29) and dt.date(year, 3, 1).toordinal() - dt.date(year, 2, 28).toordinal() == 1:
        return dt.date(year, 3, 1) if step > 0 else dt.date(year, 2, 28)
    return dt.date(year, *month_day)


def _as_value(holiday: AnyHoliday, years: Mapping[str, int | None]) -> str | dict[str, Any]:
    """A bare date or range as text, anything more as a dict."""
    first, _, last = holiday.dates.partition("..")
    further = {
        "name": holiday.name,
        "closed": day_pairs(tuple((start, DAY if end == 2 * DAY else end) for start, end in holiday.closed)),
        **years,
    }
    if not any(further.values()):
        return holiday.dates
    dates = {"from": first, "to": last} if last else {"date": first}
    return {**dates, **{key: value for key, value in further.items() if value}}


# -- reading ---------------------------------------------------------------------------------------


def holiday(value: HolidayLike) -> AnyHoliday:
    """A holiday from a date, a text, a dict, (dates, name) or (first, last, name)."""
    if isinstance(value, (Holiday, YearlyHoliday)):
        return value
    if isinstance(value, dt.date):
        return Holiday(value, value)
    if isinstance(value, str):
        dates, _, hours = value.partition(" ")
        first, _, last = dates.partition("..")
        return _between(value, first, last or first, closed=hours)
    if isinstance(value, Mapping):
        return _from_mapping(value)
    return _from_sequence(value)


def _from_mapping(value: Mapping[str, Any]) -> AnyHoliday:
    check_keys("holiday", value, (*_DATES, *_EXTRA))
    if ("date" in value) is ("from" in value) or ("to" in value and "from" not in value):
        raise InvalidValue("holiday", dict(value), "has neither date alone nor from and to", _EXAMPLE)
    first = value.get("date", value.get("from"))
    further = {key: value[key] for key in _EXTRA if key in value}
    return _between(value, first, value.get("to", first), **further)


def _from_sequence(value: Sequence[object]) -> AnyHoliday:
    match value:
        case [first, last, name]:
            return _between(value, first, last, name=name)
        case [first, last] if _is_date(last):
            return _between(value, first, last)
        case [dates, name] if not isinstance(dates, (list, tuple)) or all(map(_is_date, dates)):
            return attrs.evolve(holiday(dates), name=name)  # type: ignore[arg-type]
    raise InvalidValue("holiday", value, "is neither date, range nor (date, name)", _EXAMPLE)


def _is_date(value: object) -> bool:
    if isinstance(value, str):
        return bool(ISO_DATE.fullmatch(value) or _MONTH_DAY.fullmatch(value))
    return isinstance(value, dt.date)


def _between(value: object, first: Any, last: Any, **further: Any) -> AnyHoliday:
    """A holiday of two dates, or of two months and days if the first is one."""
    if isinstance(first, str) and _MONTH_DAY.fullmatch(first):
        start, end = _parse_month_day(first, value), _parse_month_day(str(last), value)
        return YearlyHoliday(start, end, **further)
    if years := {"since", "until"} & set(further):
        raise InvalidValue("holiday", value, f"has {min(years)}, but one year only", 'write "12-25"')
    return Holiday(first, last, **further)


# -- lists -----------------------------------------------------------------------------------------


def _days(value: Iterable[HolidayLike]) -> tuple[AnyHoliday, ...]:
    if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
        remedy = 'give a list, [("2024-12-25", "Christmas")], or national_holidays("US", years=2025)'
        raise InvalidValue("holidays", value, "are no list of dates", remedy)
    return tuple(map(holiday, value))


def _shifts(value: Dated | DatedWindows) -> DatedWindows:
    return value if isinstance(value, tuple) else parse_dated(value, "shifts")


def _known_until(value: dt.date | str | None) -> dt.date | None:
    return None if value is None else parse_date(value, "known_until")


@attrs.frozen
class HolidayList:
    """Holidays of one source, the shifts that make up for them, and until when they are known.

    `days` and `shifts` are what a calendar takes as such. `known_until` is the last date for which
    the source can be trusted, and `source` names it; both go with the calendar, and its
    explanations say so beyond that date.
    """

    days: tuple[AnyHoliday, ...] = attrs.field(converter=_days)
    shifts: DatedWindows = attrs.field(default=(), kw_only=True, converter=_shifts)
    known_until: dt.date | None = attrs.field(default=None, kw_only=True, converter=_known_until)
    source: str = attrs.field(default="", kw_only=True, converter=_text)

    def only(self, keep: Callable[[AnyHoliday], bool]) -> HolidayList:
        """The list with some of its holidays, and with all that it says besides."""
        return attrs.evolve(self, days=tuple(day for day in self.days if keep(day)))

    def __iter__(self) -> Iterator[AnyHoliday]:
        return iter(self.days)

    def __len__(self) -> int:
        return len(self.days)


HolidaysLike: TypeAlias = HolidayList | Mapping[dt.date, str] | Iterable[HolidayLike | HolidayList]


def holiday_lists(value: HolidaysLike) -> list[HolidayList]:
    """What a calendar was given as holidays, as lists: those of a source, and one of the others.

    A mapping of dates to names is one as well, such as `holidays.US(years=2024)`.
    """
    if isinstance(value, (HolidayList, Mapping)):
        return [_listed(value)]
    if isinstance(value, str) or not isinstance(value, Iterable):
        return [HolidayList(value)]
    lists: list[HolidayList] = []
    days: list[HolidayLike] = []
    for item in value:
        # A plain dict says a single holiday; any other mapping is a list of dates and names.
        if isinstance(item, HolidayList) or (isinstance(item, Mapping) and type(item) is not dict):
            lists.append(_listed(item))
        else:
            days.append(item)
    return [HolidayList(days), *lists]


def _listed(value: HolidayList | Mapping[Any, Any]) -> HolidayList:
    if isinstance(value, HolidayList):
        return value
    if not value and type(value) is not dict:
        remedy = "such an object holds only the years it was asked for: pass years=range(2024, 2030)"
        raise InvalidValue("holidays", type(value).__name__, "holds no date", remedy)
    years = getattr(value, "years", None)  # of an object of the holidays package
    known = dt.date(max(years), 12, 31) if years else None
    return HolidayList(tuple(value.items()), known_until=known)


def bounded(days: Iterable[AnyHoliday]) -> tuple[AnyHoliday, ...]:
    """The holidays once each and in order, or a refusal where no desk has so many."""
    found = set(days)
    # What is laid out date by date; whole days of one year or range are kept as they are.
    laid = sum(h.length for h in found if h.closed or isinstance(h, YearlyHoliday))
    if len(found) > MOST_HOLIDAYS or laid > MOST_HOLIDAYS:
        reason = f"are more than {MOST_HOLIDAYS}"
        raise InvalidValue("holidays", max(len(found), laid), reason, "keep those of the years you count")
    return tuple(sorted(found, key=lambda h: (isinstance(h, YearlyHoliday), h)))
