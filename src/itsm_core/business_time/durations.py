"""Durations whose unit says what is counted: open time, business days or calendar days.

"One day" in a contract may mean eight hours of open time, the next working day at the same hour,
or the same hour tomorrow. Here these are different types, so nobody can mix them up:

>>> str(parse("90m")), str(parse("3bd")), str(parse("30 calendar days"))
('1h 30m', '3 business days', '30 calendar days')
>>> parse("1 day")
Traceback (most recent call last):
itsm_core.errors.AmbiguousDuration: duration '1 day': "day" has more than one meaning ...
"""

from __future__ import annotations

import datetime as dt
import re
import sys
from fractions import Fraction
from typing import TypeAlias

import attrs

from itsm_core.business_time.instants import DAY, HOUR, MINUTE, SECOND
from itsm_core.errors import AmbiguousDuration, InvalidValue

_EXAMPLES = 'write for example "4h", "90m", "3 business days", "30 calendar days" or "end of business day +1"'
_ALTERNATIVES = (
    'say which: "24h" (measured open time), "1 business day", "1 calendar day" or "end of business day +1"'
)


# What `timedelta` holds; a calendar counts four hundred years and says so beyond them.
_MOST_DAYS = dt.timedelta.max.days
_MOST_US = _MOST_DAYS * DAY
_MOST_DIGITS = 24
_SHORTER = "no calendar counts so far; check the number and its unit"


def _whole(value: object, unit: str) -> None:
    """Refuse what is no count of days: days come whole and forward."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidValue(unit, value, "is no whole number", "pass an int; for parts of a day use hours(n)")
    if value < 0:
        raise InvalidValue(unit, value, "is negative", "count backwards with calendar.subtract(...)")
    if value > _MOST_DAYS:
        raise InvalidValue(unit, f"over {_MOST_DAYS}", "is more than can be counted", _SHORTER)


@attrs.frozen(order=True)
class Budget:
    """Measured open time in integer microseconds: the clock runs only while the desk is open."""

    us: int = attrs.field()

    @us.validator
    def _check(self, _attribute: object, value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise InvalidValue(
                "budget", value, "is no whole number of microseconds", "use hours(4) or minutes(15)"
            )
        if value < 0:
            raise InvalidValue("budget", value, "is negative", "count backwards with calendar.subtract(...)")
        if value > _MOST_US:
            raise InvalidValue("budget", f"over {_MOST_DAYS} days", "is more than can be counted", _SHORTER)

    @property
    def timedelta(self) -> dt.timedelta:
        """The same open time as a plain `timedelta`."""
        return dt.timedelta(microseconds=self.us)

    def __str__(self) -> str:
        hours_, rest = divmod(self.us, HOUR)
        minutes_, rest = divmod(rest, MINUTE)
        parts = [f"{hours_}h"] * bool(hours_) + [f"{minutes_}m"] * bool(minutes_)
        if rest or not parts:
            whole, part = divmod(rest, SECOND)
            parts.append(f"{whole}" + f".{part:06d}".rstrip("0").rstrip(".") + "s")
        return " ".join(parts)


def _counted(n: int, unit: str) -> str:
    return f"{n} {unit}" + ("" if n == 1 else "s")


@attrs.frozen(order=True)
class BusinessDays:
    """The same local time, n business days later."""

    n: int = attrs.field()

    @n.validator
    def _check(self, _attribute: object, value: object) -> None:
        _whole(value, "business days")

    def __str__(self) -> str:
        return _counted(self.n, "business day")


@attrs.frozen(order=True)
class CalendarDays:
    """The same local time, n days later on the calendar, open or not."""

    n: int = attrs.field()

    @n.validator
    def _check(self, _attribute: object, value: object) -> None:
        _whole(value, "calendar days")

    def __str__(self) -> str:
        return _counted(self.n, "calendar day")


@attrs.frozen(order=True)
class EndOfBusinessDay:
    """The last closing of the n-th business day after the present one (0: of the present one)."""

    n: int = attrs.field(default=0)

    @n.validator
    def _check(self, _attribute: object, value: object) -> None:
        _whole(value, "end of business day")

    def __str__(self) -> str:
        return "end of business day" + (f" +{self.n}" if self.n else "")


DueRule: TypeAlias = BusinessDays | CalendarDays | EndOfBusinessDay
Duration: TypeAlias = Budget | DueRule


def _budget(n: object, unit: int, name: str) -> Budget:
    if not isinstance(n, int | Fraction) or isinstance(n, bool):
        raise InvalidValue(
            name, n, "is neither int nor Fraction", "floats round; write Fraction(3, 2) or a smaller unit"
        )
    us = n * unit
    if us != int(us):
        raise InvalidValue(name, str(n), "is no whole number of microseconds", "round it first")
    return Budget(int(us))


def seconds(n: int | Fraction) -> Budget:
    """n seconds of measured open time."""
    return _budget(n, SECOND, "seconds")


def minutes(n: int | Fraction) -> Budget:
    """n minutes of measured open time."""
    return _budget(n, MINUTE, "minutes")


def hours(n: int | Fraction) -> Budget:
    """n hours of measured open time.

    >>> str(hours(4)), hours(Fraction(1, 2)) == minutes(30)
    ('4h', True)
    """
    return _budget(n, HOUR, "hours")


def business_days(n: int) -> BusinessDays:
    """The rule "same local time, n business days later"."""
    return BusinessDays(n)


def calendar_days(n: int) -> CalendarDays:
    """The rule "same local time, n calendar days later", across any change of the clocks."""
    return CalendarDays(n)


def end_of_business_day(n: int = 0) -> EndOfBusinessDay:
    """The rule "when the n-th business day after the present one closes" (0: the present one)."""
    return EndOfBusinessDay(n)


_UNITS = {
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), HOUR),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), MINUTE),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), SECOND),
}
_LONG_UNITS = frozenset({
    "d", "day", "days", "w", "wk", "wks", "week", "weeks", "mo", "month", "months",
    "q", "quarter", "quarters", "y", "yr", "yrs", "year", "years",
})  # fmt: skip
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_ISO_NUMBER = r"[0-9]+(?:[.,][0-9]+)?"  # ISO 8601 allows either sign
_PART = re.compile(rf"({_NUMBER})\s*([a-z]+)")
_PARTS = re.compile(rf"{_NUMBER}\s*[a-z]+(?:[\s,]*{_NUMBER}\s*[a-z]+)*")
_BUSINESS_DAYS = re.compile(r"([0-9]+)\s*(?:bd|business\s+days?)")
_CALENDAR_DAYS = re.compile(r"([0-9]+)\s*(?:cd|calendar\s+days?)")
_END_OF_DAY = re.compile(r"end\s+of\s+business\s+day(?:\s*\+\s*([0-9]+))?")
_ISO_TIME = re.compile(rf"pt(?=[0-9])(?:({_ISO_NUMBER})h)?(?:({_ISO_NUMBER})m)?(?:({_ISO_NUMBER})s)?")
_TOO_MANY = re.compile(rf"[0-9]{{{_MOST_DIGITS + 1}}}")
_ISO_LONG = re.compile(rf"p(?:{_ISO_NUMBER}[ymwd])+(?:t.*)?")


def parse(text: str) -> Duration:
    """The duration that a text names: "4h", "PT4H30M", "3 business days", "end of business day +1".

    A text whose unit is a day or longer without saying which day is refused with
    `AmbiguousDuration`; any other text that names no duration with `InvalidValue`.
    """
    plain = str(text).strip().lower()
    if _TOO_MANY.search(plain):
        raise InvalidValue("duration", text, f"has a number of over {_MOST_DIGITS} digits", _SHORTER)
    if match := _BUSINESS_DAYS.fullmatch(plain):
        return BusinessDays(int(match[1]))
    if match := _CALENDAR_DAYS.fullmatch(plain):
        return CalendarDays(int(match[1]))
    if match := _END_OF_DAY.fullmatch(plain):
        return EndOfBusinessDay(int(match[1] or 0))
    return Budget(_open_time(text, plain))


def _open_time(text: str, plain: str) -> int:
    """Microseconds of open time that a text in hours, minutes and seconds names."""
    if _ISO_LONG.fullmatch(plain):
        raise _ambiguous(text, "a period of days or longer")
    if match := _ISO_TIME.fullmatch(plain):
        found = [number and number.replace(",", ".") for number in match.groups()]
        parts = list(zip(found, "hms", strict=True))
    elif _PARTS.fullmatch(plain):
        parts = _PART.findall(plain)
    else:
        raise InvalidValue("duration", text, "names no duration", _EXAMPLES)
    total = sum((_part(text, number, unit) for number, unit in parts if number), Fraction(0))
    if total.denominator != 1:
        raise InvalidValue("duration", text, "is finer than a microsecond", "round it first")
    return int(total)


def _part(text: str, number: str, unit: str) -> Fraction:
    if unit in _LONG_UNITS:
        raise _ambiguous(text, f'"{unit}"')
    if unit not in _UNITS:
        raise InvalidValue("duration", text, f'has the unknown unit "{unit}"', _EXAMPLES)
    return Fraction(number) * _UNITS[unit]


def _ambiguous(value: object, unit: str) -> AmbiguousDuration:
    return AmbiguousDuration(
        "duration", value, f"{unit} has more than one meaning in a contract", _ALTERNATIVES
    )


def format(duration: Duration | dt.timedelta) -> str:  # noqa: A001 - the counterpart of parse
    """The text of a duration that `parse` reads back: "4h", "3 business days".

    A plain timedelta is measured open time.
    """
    if isinstance(duration, dt.timedelta):
        return str(Budget(measured(duration)))
    return str(duration)


def measured(value: dt.timedelta) -> int:
    """Microseconds of open time that a `timedelta` means; may be negative.

    A plain timedelta always means measured open time. A `pendulum.Duration` of a day or longer is
    refused with `AmbiguousDuration`: pendulum itself tells days from 24 hours no longer.
    """
    us = (value.days * 86_400 + value.seconds) * SECOND + value.microseconds
    if type(value) is not dt.timedelta and abs(us) >= DAY:
        pendulum = sys.modules.get("pendulum")
        if pendulum is not None and isinstance(value, pendulum.Duration):
            raise _ambiguous(value, "a pendulum duration of a day or longer")
    return us
