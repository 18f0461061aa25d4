"""Recurrence rules of RFC 5545 (3.3.10) read on dates: yearly, monthly, weekly or daily.

Times of day are no part of it, so rules finer than a day are refused. Every day that is looked at
is paid for: a rule that never comes true ends in a refusal instead of in the year 9999.

Why not dateutil.rrule, which the tests hold this against: it cannot be bounded from outside (4 s for
one 40-byte rule over sixty years, and on to 9999 without a date to stop at), it loops for ever on
INTERVAL=0, and it miscounts the week that two years share (dateutil pull request 1537).
"""

from __future__ import annotations

import datetime as dt
import re
from calendar import isleap, monthrange
from collections.abc import Iterable, Iterator

import attrs

from itsm_core.errors import InvalidValue

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY = re.compile(f"([+-]?[0-9]{{1,2}})?({'|'.join(_DAYS)})")
_NUMBER = re.compile("[+-]?[0-9]{1,9}")
# The lists of numbers that a rule may hold, and the largest number in each; all but months count
# also from the end.
_LISTS = {"BYMONTH": 12, "BYWEEKNO": 53, "BYYEARDAY": 366, "BYMONTHDAY": 31, "BYSETPOS": 366}
_PARTS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *_LISTS)
_COARSE, _FINE = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY"), ("HOURLY", "MINUTELY", "SECONDLY")
_WITHIN_A_DAY = ("BYHOUR", "BYMINUTE", "BYSECOND")
_LAST_DAY = dt.date.max.toordinal()
_EXAMPLE = "write for example FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"


class Work:
    """How many days may still be looked at, over all rules of one source."""

    def __init__(self, days: int) -> None:
        self.allowed = self.left = days

    def spend(self, days: int, rule: object) -> None:
        """Take so many days off, or refuse the rule that asks for more than there are."""
        self.left -= days
        if self.left < 0:
            reason = f"asks, with the rules before it, for over {self.allowed} days to be looked at"
            raise InvalidValue("recurrence", rule, reason, "ask for fewer years, or end the rules by UNTIL")


def _year_length(year: int) -> int:
    return 366 if isleap(year) else 365


def _day_of_year(day: dt.date) -> int:
    return day.toordinal() - dt.date(day.year, 1, 1).toordinal() + 1


def _both_ways(place: int, length: int) -> tuple[int, int]:
    """A place from 1 on, counted from the front and from the back."""
    return place, place - length - 1


def _nth_week(place: int, length: int) -> tuple[int, int]:
    """Which one of its weekday a day is in a month or year, counted from the front and from the back."""
    return (place - 1) // 7 + 1, -((length - place) // 7 + 1)


@attrs.frozen(kw_only=True)
class Recurrence:
    """A rule, as it is written; `dates` reads it from a start. Empty sets leave their part open."""

    text: str
    frequency: str
    interval: int
    count: int | None
    until: dt.date | None
    week_start: int
    weekdays: frozenset[tuple[int, int]]
    months: frozenset[int]
    weeks: frozenset[int]
    year_days: frozenset[int]
    month_days: frozenset[int]
    positions: frozenset[int]

    @property
    def ends(self) -> bool:
        """Whether the rule has an end of its own."""
        return self.count is not None or self.until is not None

    def dates(self, start: dt.date, first: dt.date, last: dt.date, work: Work) -> Iterator[dt.date]:
        """The dates of the rule from `start` on that lie between two dates (both included), in order.

        `until` is for the caller to apply: it may be an instant, which has a date in a zone only.
        """
        rule, left = self._filled(start), self.count
        for days in rule.periods(start, start if left is not None else first, last):
            work.spend(sum(map(len, days)) + 1, self.text)
            for day in rule.chosen(date for span in days for date in map(dt.date.fromordinal, span)):
                if day < start:
                    continue
                if left is not None:
                    if not left:
                        return
                    left -= 1
                if first <= day <= last:
                    yield day

    def _filled(self, start: dt.date) -> Recurrence:
        """The rule with what it leaves to its start: "FREQ=YEARLY" is on the start's day and month."""
        if self.weekdays or self.month_days or self.year_days or self.frequency == "DAILY":
            return self
        if self.weeks or self.frequency == "WEEKLY":
            return attrs.evolve(self, weekdays=frozenset({(0, start.weekday())}))
        months = frozenset({start.month}) if self.frequency == "YEARLY" else self.months
        return attrs.evolve(self, months=self.months or months, month_days=frozenset({start.day}))

    def periods(self, start: dt.date, first: dt.date, last: dt.date) -> Iterator[list[range]]:
        """The days of each period of the rule that can matter, as ranges of ordinals.

        Periods before `first` are passed over at once: nothing in one depends on another.
        """
        if self.frequency in ("YEARLY", "MONTHLY"):
            length = 12 if self.frequency == "YEARLY" else 1
            begin, reach = start.year * 12, first.year * 12 + first.month - 1
            begin += 0 if length == 12 else start.month - 1
            step, end, span = length * self.interval, last.year * 12 + last.month, self._months_from
        else:
            length = 7 if self.frequency == "WEEKLY" else 1
            begin, reach = start.toordinal(), first.toordinal()
            begin -= 0 if length == 1 else (start.weekday() - self.week_start) % 7
            step, end, span = length * self.interval, last.toordinal() + 1, _days_from
        begin += max(0, (reach - begin) // step) * step
        return (span(period, length) for period in range(begin, end, step))

    def _months_from(self, begin: int, length: int) -> list[range]:
        months = range(begin, begin + length)
        return [_month(m) for m in months if not self.months or m % 12 + 1 in self.months]

    def chosen(self, days: Iterable[dt.date]) -> list[dt.date]:
        """The days of one period that fit the rule; of these, those at its positions."""
        found = list(filter(self._matches, days))
        if not self.positions:
            return found
        length = len(found)
        return [day for i, day in enumerate(found, 1) if self.positions & {*_both_ways(i, length)}]

    def _matches(self, day: dt.date) -> bool:
        if self.months and day.month not in self.months:
            return False
        if self.month_days:
            length = monthrange(day.year, day.month)[1]
            if not self.month_days & {*_both_ways(day.day, length)}:
                return False
        if self.year_days and not self.year_days & {*_both_ways(_day_of_year(day), _year_length(day.year))}:
            return False
        if self.weeks and not self.weeks & {*self._week(day)}:
            return False
        return not self.weekdays or self._weekday_matches(day)

    def _weekday_matches(self, day: dt.date) -> bool:
        """Whether it is one of the weekdays, or the n-th one of its month (or year, without months)."""
        weekday = day.weekday()
        if (0, weekday) in self.weekdays:
            return True
        if self.frequency == "MONTHLY" or self.months:
            place, length = day.day, monthrange(day.year, day.month)[1]
        else:
            place, length = _day_of_year(day), _year_length(day.year)
        return any((n, weekday) in self.weekdays for n in _nth_week(place, length))

    def _week(self, day: dt.date) -> tuple[int, int]:
        """The number of its week from the front and from the back; a week is its fourth day's year's."""
        year, place = day.year, _day_of_year(day) - (day.weekday() - self.week_start) % 7 + 3
        if place < 1:
            year, place = year - 1, place + _year_length(year - 1)
        elif place > _year_length(year):
            year, place = year + 1, place - _year_length(year)
        return _nth_week(place, _year_length(year))


def _days_from(begin: int, length: int) -> list[range]:
    return [range(max(1, begin), min(begin + length, _LAST_DAY + 1))]


def _month(index: int) -> range:
    """The ordinals of a month counted from January of the year 0."""
    first = dt.date(index // 12, index % 12 + 1, 1)
    return range(first.toordinal(), first.toordinal() + monthrange(first.year, first.month)[1])


# -- reading ---------------------------------------------------------------------------------------


def parse_rule(text: str) -> Recurrence:
    """The rule of a text such as "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"."""
    parts = dict(_parts(text))
    frequency = parts.get("FREQ", "")
    if frequency in _FINE or not parts.keys().isdisjoint(_WITHIN_A_DAY):
        remedy = "a holiday comes at most once a day; write hours as weekly breaks"
        raise InvalidValue("recurrence", text, "recurs within a day", remedy)
    if frequency not in _COARSE:
        raise InvalidValue("recurrence", text, f"has no FREQ of {', '.join(_COARSE)}", _EXAMPLE)
    interval, count = (_number(parts.get(name, "1"), text) for name in ("INTERVAL", "COUNT"))
    sets = {name: _numbers(parts[name], name, text) if name in parts else frozenset() for name in _LISTS}
    return Recurrence(
        text=text, frequency=frequency, interval=interval, count=count if "COUNT" in parts else None,
        until=_until(parts["UNTIL"], text) if "UNTIL" in parts else None,
        week_start=_DAYS.index(_one_of(_DAYS, parts.get("WKST", "MO"), text)),
        weekdays=_weekdays(parts["BYDAY"], frequency, text) if "BYDAY" in parts else frozenset(),
        months=sets["BYMONTH"], weeks=sets["BYWEEKNO"], year_days=sets["BYYEARDAY"],
        month_days=sets["BYMONTHDAY"], positions=sets["BYSETPOS"],
    )  # fmt: skip


def _parts(text: str) -> Iterator[tuple[str, str]]:
    for part in filter(None, text.upper().split(";")):
        name, _, value = part.partition("=")
        yield _one_of((*_PARTS, *_WITHIN_A_DAY), name, text), value


def _one_of(known: tuple[str, ...], value: str, text: str) -> str:
    if value not in known:
        raise InvalidValue("recurrence", text, f'has the unknown "{value[:40]}"', f"use {', '.join(known)}")
    return value


def _number(value: str, text: str, low: int = 1, high: int = 10**9) -> int:
    number = int(value) if _NUMBER.fullmatch(value) else 0
    if not number or not low <= number <= high:
        raise InvalidValue("recurrence", text, f'"{value[:40]}" is no number that fits', _EXAMPLE)
    return number


def _numbers(value: str, name: str, text: str) -> frozenset[int]:
    high = _LISTS[name]
    low = 1 if name == "BYMONTH" else -high
    return frozenset(_number(item, text, low, high) for item in value.split(","))


def _weekdays(value: str, frequency: str, text: str) -> frozenset[tuple[int, int]]:
    """Pairs of which one (0: each) and weekday from "MO,-1FR"."""
    found = set()
    for item in value.split(","):
        match = _DAY.fullmatch(item)
        if not match or (match[1] and frequency not in ("YEARLY", "MONTHLY")):
            raise InvalidValue("recurrence", text, f'"{item[:40]}" is no weekday that fits', _EXAMPLE)
        found.add((_number(match[1], text, -53, 53) if match[1] else 0, _DAYS.index(match[2])))
    return frozenset(found)


def _until(value: str, text: str) -> dt.date:
    """A date, a local time or, with a Z, an instant."""
    for form in ("%Y%m%d", "%Y%m%dT%H%M%S", "%Y%m%dT%H%M%S%z"):
        try:
            moment = dt.datetime.strptime(value, form)  # noqa: DTZ007 - a form may have no zone
        except ValueError:
            continue
        return moment.date() if "T" not in form else moment
    raise InvalidValue("recurrence", text, f'"{value[:40]}" is no date to end on', "write UNTIL=20301231")
