"""Public holidays of a country, from the `holidays` package (extra `holidays`).

The package knows dates, not hours: how long a desk is open on half-days and on make-up days
(China works on Sunday 2024-02-04) is said by the caller, or such days are refused or left out.
"""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

from itsm_core.business_time.given import parse_date, parse_years
from itsm_core.business_time.holidays import Holiday, HolidayList
from itsm_core.business_time.instants import DAY
from itsm_core.business_time.intervals import difference
from itsm_core.business_time.windows import DayText, Windows, parse_day
from itsm_core.errors import InvalidValue

if TYPE_CHECKING:
    from holidays import HolidayBase

INSTALL = "national_holidays needs its extra: pip install 'itsm-core[holidays]'"
HALF_DAY = "half_day"
# What a remedy shows of a long list, and what is compared of a long text.
_SHOWN, _COMPARED = 40, 60


def national_holidays(
    country: str, *, years: int | Iterable[int], subdivision: str | None = None,
    categories: str | Iterable[str] | None = None, language: str | None = None,
    half_days: DayText | None = None, make_up_days: DayText | None = None,
    known_until: dt.date | str | None = None,
) -> HolidayList:  # fmt: skip
    """The holidays of a country in the years asked, as the `holidays` package computes them.

    `country` is an ISO 3166 code ("US"), `subdivision` a code within it ("MA"). `categories` are the
    package's ("public", "bank", ...); by default its default one. Names are in the country's default
    language, whatever the machine's, unless `language` says otherwise ("en_US"). A holiday observed
    in a neighbouring year (1 January on the 31 December before) belongs to the year of its date.

    `half_days` are the hours in which a desk is still open on dates of the category half_day, which
    it asks for: "09:00-13:00"; "" closes all day. The desk is closed outside of them, and they open
    nothing on a weekend. A date that is a holiday in another category too is closed all day.

    `make_up_days` are the hours of weekend days that the country has declared working days; without
    them, these days are left out.

    `known_until` is the last date for which the source can be trusted, by default 31 December of
    the last year asked. Say an earlier one where a country announces its arrangements late: beyond
    the last announcement the package still computes China's dates, but knows no make-up days.

    >>> found = national_holidays("CN", years=2024, make_up_days="09:00-18:00", language="en_US")
    >>> date, windows = found.shifts[0]
    >>> print(date, found.known_until, found.source.partition(": ")[2])
    2024-02-04 2024-12-31 CN, 2024
    """
    asked = parse_years(years)
    entity = _entity(country)
    _check_years(entity, asked)
    kinds = _categories(entity, categories, half_days)
    place = {"subdiv": _subdivision(entity, subdivision), "language": _language(entity, language)}
    trusted, whole = known_until is not None, [kind for kind in kinds if kind != HALF_DAY]
    found = _computed(entity, asked, whole, place, trusted=trusted)
    halves = _computed(entity, asked, [HALF_DAY] if HALF_DAY in kinds else [], place, trusted=trusted)
    end = dt.date(asked[-1], 12, 31)
    days = [Holiday(day, day, name=name) for day, name in found.items()]
    days += _half_days({day: name for day, name in halves.items() if day not in found}, half_days)
    return HolidayList(
        tuple(sorted(days)),
        shifts=_make_up_days(entity, asked, place, make_up_days),
        known_until=end if known_until is None else parse_date(known_until, "known_until"),
        source=_source(entity, subdivision, asked),
    )  # fmt: skip


# -- what the package computes ---------------------------------------------------------------------


def _computed(
    entity: HolidayBase, years: tuple[int, ...], kinds: Sequence[str], place: dict[str, Any], *, trusted: bool
) -> dict[dt.date, str]:
    """The names by date of some categories; the package joins several names with a semicolon.

    What it warns of (India's dates are known from 2001 to 2035) is refused, unless the caller said
    how far the dates are to be trusted.
    """
    if not kinds:
        return {}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = type(entity)(years=years, categories=kinds, expand=False, **place)
    if told and not trusted:
        remedy = 'ask for fewer years, or say how far you trust them: known_until="2025-12-31"'
        raise InvalidValue("years", years[-1], f"are not all known: {told[0].message}", remedy)
    return {day: name for day, name in found.items() if day.year in years}


def _half_days(names: dict[dt.date, str], open_hours: DayText | None) -> list[Holiday]:
    closed: Windows = tuple(difference([(0, DAY)], parse_day(open_hours or "")))
    return [Holiday(day, day, name=name, closed=closed) for day, name in names.items() if closed]


def _make_up_days(
    entity: HolidayBase, years: tuple[int, ...], place: dict[str, Any], hours: DayText | None
) -> tuple[tuple[dt.date, Windows], ...]:
    """The hours by date; the package also holds make-up days of years that nobody asked for."""
    if hours is None:
        return ()
    windows = parse_day(hours)
    if not windows:
        raise InvalidValue("make_up_days", hours, "name no hours", 'write "09:00-18:00", or leave them out')
    worked = type(entity)(years=years, expand=False, **place).weekend_workdays
    return tuple((day, windows) for day in sorted(worked) if day.year in years)


def _source(entity: HolidayBase, subdivision: str | None, years: tuple[int, ...]) -> str:
    """The package and what it was asked, such as "holidays 0.109: US-MA, 2015-2016"."""
    from holidays.version import __version__  # noqa: PLC0415 - an extra

    starts = [year for year in years if year - 1 not in years]
    ends = [year for year in years if year + 1 not in years]
    spans = [f"{a}-{b}" if a < b else f"{a}" for a, b in zip(starts, ends, strict=True)]
    place = "-".join(filter(None, (entity.country, subdivision)))
    return f"holidays {__version__}: {place}, {', '.join(spans)}"


# -- what may be asked -----------------------------------------------------------------------------


def _near(said: object, names: Mapping[str, str]) -> str:
    """A question for what comes near to what was said; `names` are small letters to names."""
    words = said[:_COMPARED].lower().replace("_", " ") if isinstance(said, str) else ""
    found = get_close_matches(words, names, cutoff=0.8)
    near = dict.fromkeys(names[word] for word in found)
    return f"did you mean {' or '.join(near)}?" if near else ""


def _refuse(what: str, value: object, reason: str, known: Iterable[str]) -> NoReturn:
    """Refuse with what comes near it, else with what there is."""
    names = sorted(known)
    more = ", ..." if len(names) > _SHOWN else ""
    near = _near(value, {name.lower().replace("_", " "): name for name in names})
    raise InvalidValue(what, value, reason, near or f"use {', '.join(names[:_SHOWN])}{more}")


def _entity(country: str) -> HolidayBase:
    """The package's object of a country, without any year in it."""
    try:
        import holidays  # noqa: PLC0415 - an extra
        from holidays.registry import COUNTRIES  # noqa: PLC0415
    except ImportError:
        raise ImportError(INSTALL) from None

    codes = {code for names in COUNTRIES.values() for code in names[1:] if 2 <= len(code) <= 3}
    if isinstance(country, str) and country in codes:
        return holidays.country_holidays(country)
    words = {
        word.lower().replace("_", " "): names[1]
        for module, names in COUNTRIES.items()
        for word in (module, *names)
    }
    remedy = _near(country, words) or 'write an ISO 3166 code such as "US" or "CN"'
    raise InvalidValue("country", country, "is none that the holidays package knows", remedy)


def _check_years(entity: HolidayBase, years: tuple[int, ...]) -> None:
    """Outside its years the package says nothing, and a desk would be open on every holiday."""
    # Earlier versions of the package know no such bounds; the dates are then its word alone.
    first, last = getattr(entity, "start_year", 1), getattr(entity, "end_year", dt.MAXYEAR)
    if wrong := [year for year in years if not first <= year <= last]:
        reason = f"is beyond what the holidays package computes for {entity.country}"
        raise InvalidValue("years", wrong[0], reason, f"ask for years from {first} to {last}")


def _subdivision(entity: HolidayBase, value: str | None) -> str | None:
    parent = getattr(entity, "parent_entity", None)  # of a territory, say Puerto Rico
    known = {*entity.subdivisions, *entity.subdivisions_aliases, *(parent.subdivisions if parent else ())}
    if value is None or (isinstance(value, str) and value in known):
        return value
    if known:
        _refuse("subdivision", value, f"is none of {entity.country}", known)
    raise InvalidValue("subdivision", value, f"is none of {entity.country}", "leave it out: it has none")


def _language(entity: HolidayBase, value: str | None) -> str | None:
    """The language asked for or the default one; the package would look at the environment."""
    known = entity.supported_languages
    if value is None or value in known:
        return value or entity.default_language
    if known:
        _refuse("language", value, f"is not one of the names of {entity.country}", known)
    reason = f"is no choice: the names of {entity.country} come in one language"
    raise InvalidValue("language", value, reason, "leave it out")


def _categories(
    entity: HolidayBase, value: str | Iterable[str] | None, half_days: DayText | None
) -> tuple[str, ...]:
    """The categories asked for, with that of half-days if their hours are said."""
    asked = (value,) if isinstance(value, str) else (entity.default_category,) if value is None else value
    if not isinstance(asked, Iterable):
        raise InvalidValue("categories", value, "are no list of names", 'write ("public", "bank")')
    kinds = (*asked, *(() if half_days is None else (HALF_DAY,)))
    if not kinds:
        raise InvalidValue("categories", value, "name no category", "leave them out for the default one")
    for kind in kinds:
        if kind not in entity.supported_categories:
            reason = f"is no category of {entity.country}"
            _refuse("category", kind, reason, entity.supported_categories)
    if HALF_DAY in kinds and half_days is None:
        remedy = 'say the hours in which the desk is still open: half_days="09:00-13:00"'
        raise InvalidValue("category", HALF_DAY, "closes a part of the day, and nobody said which", remedy)
    return kinds
