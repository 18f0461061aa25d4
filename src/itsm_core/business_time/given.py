"""What callers give, read and checked: dates, years, hours by date, keys, texts."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TypeAlias

from itsm_core.business_time.intervals import union
from itsm_core.business_time.windows import DayText, Windows, parse_day
from itsm_core.errors import InvalidValue

MOST_YEARS = 400  # after which the Gregorian calendar repeats
YEARS = range(1, 10_000)
ISO_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")

# A variable of type dict[str, str] is no Mapping[date | str, str]: keys are invariant.
Dated: TypeAlias = Mapping[dt.date, DayText] | Mapping[str, DayText] | Mapping[dt.date | str, DayText]
DatedWindows: TypeAlias = tuple[tuple[dt.date, Windows], ...]


def parse_date(value: object, what: str = "date") -> dt.date:
    """The date of a `date` or of an ISO 8601 text; instants and anything else are refused."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return dt.date(value.year, value.month, value.day)
    if isinstance(value, str) and ISO_DATE.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass
    raise InvalidValue(what, value, "is no date", "write dt.date(2024, 2, 4) or 2024-02-04")


def parse_years(value: int | Iterable[int]) -> tuple[int, ...]:
    """The years of one number or of several, in order and once each."""
    remedy = "write years=2024, years=(2024, 2025) or years=range(2024, 2030)"
    asked = (value,) if isinstance(value, int) else value
    if isinstance(asked, (str, bytes, Mapping)) or not isinstance(asked, Iterable):
        raise InvalidValue("years", value, "are no years", remedy)
    years = tuple(islice(asked, MOST_YEARS + 1))
    if len(years) > MOST_YEARS:
        raise InvalidValue("years", value, f"are more than {MOST_YEARS}", "ask for those you count in")
    if wrong := [year for year in years if type(year) is not int or year not in YEARS]:
        raise InvalidValue("years", wrong[0], "is no year from 1 to 9999", remedy)
    if not years:
        raise InvalidValue("years", value, "name no year", remedy)
    return tuple(sorted(set(years)))


def check_keys(what: str, value: object, known: tuple[str, ...]) -> None:
    """Refuse keys that would be read past in silence."""
    if not isinstance(value, Mapping):
        raise InvalidValue(what, value, "is no mapping", f"use the keys {', '.join(known)}")
    unknown = [key for key in value if key not in known]
    if unknown:
        texts = [key for key in unknown if isinstance(key, str)]
        reason = f"has the unknown key {min(texts)!r}" if texts else "has a key that is no text"
        raise InvalidValue(what, dict(value), reason, f"use the keys {', '.join(known)}")


def plain_text(value: object, what: str) -> str:
    """The text itself, if it is one that can be written."""
    if not isinstance(value, str):
        raise InvalidValue(what, value, "is no text", "write it in quotes")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidValue(what, value, "holds half a surrogate pair", "decode it properly") from None
    return value


def parse_dated(value: Dated, what: str) -> DatedWindows:
    """Windows by date, sorted, from {date: "10:30-16:30"}; an empty text means no window."""
    if not isinstance(value, Mapping):
        raise InvalidValue(what, value, "is no mapping of dates", 'write {"2024-02-04": "10:30-16:30"}')
    found: dict[dt.date, Windows] = {}
    for day, windows in value.items():
        date = parse_date(day, what)
        found[date] = tuple(union((*found.get(date, ()), *parse_day(windows))))
    return tuple(sorted(found.items()))
