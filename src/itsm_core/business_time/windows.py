"""Windows of hours as text and back: "mon-fri 09:00-12:30 13:30-17:30; sat 10:00-13:00".

A window is a pair of microseconds after the local midnight of the day it belongs to. An end at or
before the start lies on the next day; equal ends are 24 hours; windows that overlap are united.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias

from itsm_core.business_time.instants import DAY, HOUR, MINUTE, SECOND
from itsm_core.business_time.intervals import Span, union
from itsm_core.errors import InvalidWindow

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Not strftime: its names follow the host's setlocale.
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip

Windows: TypeAlias = tuple[Span, ...]
WeekWindows: TypeAlias = tuple[Windows, ...]
Clock: TypeAlias = str | dt.time
DayText: TypeAlias = str | Iterable[Sequence[Clock] | str]
WeekText: TypeAlias = str | Mapping[str, DayText]

NO_WINDOWS: WeekWindows = ((),) * 7
_EXAMPLE = 'write for example "mon-fri 09:00-12:30 13:30-17:30; sat 10:00-13:00"'
_DAY_EXAMPLE = 'write for example "09:00-12:30 13:30-17:30" or [["09:00", "17:30"]]'
_CLOCK = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?")


def parse_clock(value: object) -> int:
    """Microseconds after midnight of "HH:MM", "HH:MM:SS" or "HH:MM:SS.ffffff"; 24:00 is allowed."""
    text = value.isoformat() if isinstance(value, dt.time) else value
    match = _CLOCK.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise InvalidWindow("time", value, "is no HH:MM or HH:MM:SS of a day", _DAY_EXAMPLE)
    us = int(match[1]) * HOUR + int(match[2]) * MINUTE + int(match[3] or 0) * SECOND
    us += int((match[4] or "").ljust(6, "0"))
    if int(match[2]) > 59 or int(match[3] or 0) > 59 or us > DAY:
        raise InvalidWindow("time", value, "does not exist: a day runs from 00:00 to 24:00", _DAY_EXAMPLE)
    return us


def clock_text(us: int) -> str:
    """The shortest text of a local time that `parse_clock` reads back."""
    minute, rest = divmod(us, MINUTE)
    text = f"{minute // 60:02d}:{minute % 60:02d}"
    if rest:
        second, part = divmod(rest, SECOND)
        text += f":{second:02d}" + (f".{part:06d}".rstrip("0") if part else "")
    return text


# Controls move a terminal's cursor or forge a line, and bidirectional overrides turn text around.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def printable(text: object) -> str:
    """A name as it may be shown: what does more than show is replaced."""
    return _UNPRINTABLE.sub("\ufffd", str(text))


def date_text(date: dt.date) -> str:
    """A date as people write it: "Fri 3 Apr 2026"."""
    return f"{WEEKDAYS[date.weekday()].title()} {date.day} {MONTHS[date.month - 1][:3]} {date.year}"


def _window(start: Clock, end: Clock, shown: object) -> Span:
    opened, closed = parse_clock(start), parse_clock(end)
    if opened == DAY:
        raise InvalidWindow(
            "window", shown, "24:00 is an end, never a start", "begin at 00:00 of the next day"
        )
    return opened, closed if closed > opened else closed + DAY


def _window_of(item: Sequence[Clock] | str) -> Span:
    """One window from "09:00-17:00" or from a pair of times."""
    pair = item.split("-") if isinstance(item, str) else item
    try:
        start, end = pair
    except (TypeError, ValueError):
        raise InvalidWindow("window", item, "does not have two ends", _DAY_EXAMPLE) from None
    return _window(start, end, item)


def parse_day(value: object) -> Windows:
    """The windows of one day from "09:00-12:30 13:30-17:30" or pairs of times; "" is none."""
    items = value.split() if isinstance(value, str) else value
    if not isinstance(items, Iterable) or isinstance(items, Mapping):
        raise InvalidWindow("windows", value, "are no text and no list of pairs", _DAY_EXAMPLE)
    try:
        return tuple(union(_window_of(item) for item in items))
    except InvalidWindow as error:
        if error.value == value:
            raise
        raise InvalidWindow("windows", value, _said(error), _DAY_EXAMPLE) from None


def _said(error: InvalidWindow) -> str:
    """What an error says, without its remedy."""
    return str(error).removesuffix(f"; {error.remedy}")


def _weekday(name: str, text: object) -> int:
    if name not in WEEKDAYS:
        raise InvalidWindow(
            "hours",
            text,
            f'"{name}" is no weekday; use {", ".join(WEEKDAYS)} or daily, without spaces',
            _EXAMPLE,
        )
    return WEEKDAYS.index(name)


def _weekdays(names: str, text: object) -> list[int]:
    """The days that "daily", "mon", "mon-fri", "sat-mon" or "mon,wed" name."""
    if names == "daily":
        return list(range(7))
    days: list[int] = []
    for name in names.split(","):
        first, dash, last = name.partition("-")
        start = _weekday(first, text)
        end = _weekday(last, text) if dash else start
        days += [(start + i) % 7 for i in range((end - start) % 7 + 1)]
    return days


def parse_week(value: WeekText) -> WeekWindows:
    """The windows of a week, Monday first, from text or from {"mon": [["09:00", "17:00"]], ...}."""
    found: list[list[Span]] = [[] for _ in WEEKDAYS]
    if isinstance(value, Mapping):
        for name, day in value.items():
            found[_weekday(name.lower() if isinstance(name, str) else name, value)] += parse_day(day)
    elif isinstance(value, str):
        for clause in filter(None, map(str.strip, value.split(";"))):
            for weekday, windows in _clause(clause, value):
                found[weekday] += windows
    else:
        raise InvalidWindow("hours", value, "are no text and no mapping of weekdays", _EXAMPLE)
    return tuple(tuple(union(day)) for day in found)


def _clause(clause: str, text: str) -> list[tuple[int, Windows]]:
    names, *rest = clause.lower().split()
    days = _weekdays(names, text)
    if not rest:
        raise InvalidWindow("hours", text, f'"{clause}" names days without hours', _EXAMPLE)
    try:
        windows = parse_day(" ".join(rest))
    except InvalidWindow as error:
        raise InvalidWindow("hours", text, _said(error), _EXAMPLE) from None
    return [(day, windows) for day in days]


def day_pairs(windows: Windows) -> list[list[str]]:
    """The windows of a day as pairs of texts that `parse_day` reads back to the same windows."""
    pairs = []
    for start, end in windows:
        if end - start > DAY:  # united overnight windows: said as two that overlap
            pairs.append([clock_text(start), clock_text(start)])
            start = end - DAY  # noqa: PLW2901 - the rest of the same window
        pairs.append([clock_text(start), clock_text(end if end <= DAY else end - DAY)])
    return pairs


def week_text(week: WeekWindows) -> str:
    """The week as people write it: "mon-fri 09:00-17:30; sat 10:00-13:00"; days off are left out."""
    parts = []
    for windows, days in groupby(range(7), week.__getitem__):
        first, *rest = days
        name = f"{WEEKDAYS[first]}-{WEEKDAYS[rest[-1]]}" if rest else WEEKDAYS[first]
        name = "daily" if len(rest) == 6 else name
        if windows:
            parts.append(f"{name} " + " ".join(f"{start}-{end}" for start, end in day_pairs(windows)))
    return "; ".join(parts)


def week_pairs(week: WeekWindows) -> dict[str, list[list[str]]]:
    """The windows of a week as {"mon": [["09:00", "17:00"]], ...}, days without any left out."""
    return {name: day_pairs(day) for name, day in zip(WEEKDAYS, week, strict=True) if day}
