"""Calendars as tables: the keys of a calendar's dict, `zone` for `tz`, and members by their names.

[calendars.either]
zone = "Europe/London"
any_of = ["london", "shanghai"]      # other calendars of the file, or tables like this one

[calendars.office]
base = "london"                      # while all of `within` are open and none of `without`
without = ["maintenance"]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from itsm_core.business_time.algebra import DEEPEST
from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.holidays import holiday
from itsm_core.business_time.instants import zone_like
from itsm_core.business_time.windows import parse_day, parse_week, week_text
from itsm_core.config.reading import Place
from itsm_core.lifecycle.rewriting import near
from itsm_core.values import canonical

MOST_CALENDARS, MOST_COUNTRIES = 100, 100
"""The most calendars of a file, and the most lists of a country's holidays in them."""

_NAMES = ("name", "version")
WEEK_KEYS = ("hours", "weekly_breaks", "valid_from", "valid_to")
HOURS_KEYS = (
    "zone", *WEEK_KEYS, "weeks", "holidays", "shifts", "breaks", "cut_at_midnight", "known_until", "sources",
    "never_opens", *_NAMES,
)  # fmt: skip
BASE_KEYS = ("zone", "base", "within", "without", *_NAMES)
UNITED_KEYS = ("zone", "any_of", *_NAMES)
_ALWAYS_KEYS = ("zone", "hours", *_NAMES)
_NEVER_KEYS = ("zone", "never_opens", *_NAMES)
_ALWAYS = "always"


def read_calendars(place: Place, value: Any) -> dict[str, BusinessCalendar]:
    """The calendars of a table of tables, each by its name."""
    tables = place.table(value, "write [calendars.desk]")
    place.at_most(MOST_CALENDARS, tables, "files")
    book = _Book(place, tables)
    return {name: book.named(name, ()) for name in tables}


class _Book:
    """The tables of the calendars, and those that have been read: each is read once."""

    def __init__(self, place: Place, tables: Mapping[str, Any]) -> None:
        self._place, self._tables = place, tables
        self._done: dict[str, BusinessCalendar] = {}
        self._countries = 0

    def named(self, name: str, above: tuple[str, ...]) -> BusinessCalendar:
        """The calendar of this name, while those `above` wait for it."""
        if name not in self._done:
            place = self._place.at(name)
            if name in above:
                raise place.refusal(" -> ".join((*above, name)), "is made of itself", "leave one out")
            found = self._read(place, self._tables[name], (*above, name))
            self._done[name] = found if "name" in self._tables[name] else found.named(name, found.version)
        return self._done[name]

    def _read(self, place: Place, value: Any, above: tuple[str, ...]) -> BusinessCalendar:
        table = place.table(value)
        if len(above) > DEEPEST:
            raise place.refusal("...", f"is nested over {DEEPEST} deep", "combine fewer calendars")
        name = place.at("name").text(table.get("name", "")) or None
        version = place.at("version").version(table.get("version", 1))
        if "base" in table:
            found = self._restricted(place, table, above)
        elif "any_of" in table:
            found = self._united(place, table, above)
        else:
            found = self._hours(place, table)
        return place.made(lambda: found.named(name, version))

    # -- combinations ------------------------------------------------------------------------------

    def _restricted(self, place: Place, table: Mapping[str, Any], above: tuple[str, ...]) -> BusinessCalendar:
        place.only(table, BASE_KEYS, ", which has a base,")
        found = self._member(place.at("base"), table["base"], above)
        zone = place.at("zone").text(table.get("zone", found.zone.key))
        if zone != found.zone.key:
            reason = f"differs from that of the base, {found.zone.key}"
            raise place.at("zone").refusal(zone, reason, "leave it out: the base counts the days")
        for other in self._members(place, table, "within", above):
            found = place.made(lambda found=found, other=other: found & other)  # type: ignore[misc]
        for other in self._members(place, table, "without", above):
            found = place.made(lambda found=found, other=other: found - other)  # type: ignore[misc]
        return found

    def _united(self, place: Place, table: Mapping[str, Any], above: tuple[str, ...]) -> BusinessCalendar:
        place.only(table, UNITED_KEYS, ", which has any_of,")
        place.need(table, ("zone",))
        found = place.made(lambda: BusinessCalendar.never(_zone(place, table)))
        for other in self._members(place, table, "any_of", above):
            found = place.made(lambda found=found, other=other: found | other)  # type: ignore[misc]
        return found

    def _members(
        self, place: Place, table: Mapping[str, Any], key: str, above: tuple[str, ...]
    ) -> Iterable[BusinessCalendar]:
        where = place.at(key)
        members = enumerate(where.items(table.get(key, []), 'write ["desk"]'), start=1)
        return [self._member(where.row(number), value, above) for number, value in members]

    def _member(self, place: Place, value: Any, above: tuple[str, ...]) -> BusinessCalendar:
        """A calendar of the file by its name, or one that stands here as a table."""
        if not isinstance(value, str):
            return self._read(place, value, (*above, "..."))
        if value not in self._tables:
            raise place.refusal(value, "is not defined", _near(value, self._tables))
        return self.named(value, above)

    # -- rules -------------------------------------------------------------------------------------

    def _hours(self, place: Place, table: Mapping[str, Any]) -> BusinessCalendar:
        if table.get("hours") == _ALWAYS:
            place.only(table, _ALWAYS_KEYS, f', where hours = "{_ALWAYS}",')
            place.need(table, ("zone",))
            return place.made(lambda: BusinessCalendar.always(_zone(place, table)))
        never = table.get("never_opens") is True
        place.only(table, _NEVER_KEYS if never else HOURS_KEYS, ", which never opens," if never else "")
        place.need(table, ("zone",) if never else ("zone", "hours"))
        rules = {key: _rule(place.at(key), key, table[key]) for key in table if key not in ("zone", *_NAMES)}
        self._count_countries(place.at("holidays"), rules.get("holidays", []))
        try:
            return place.made(lambda: BusinessCalendar.from_dict({"tz": _zone(place, table), **rules}))
        except ImportError as lacking:
            raise place.at("holidays").refusal("country", "needs an extra", str(lacking)) from None

    def _count_countries(self, place: Place, holidays: list[Any]) -> None:
        self._countries += sum(isinstance(one, Mapping) and "country" in one for one in holidays)
        if self._countries > MOST_COUNTRIES:
            remedy = "write the dates themselves, or several files"
            raise place.refusal("country", f"stands over {MOST_COUNTRIES} times in the file", remedy)


def _zone(place: Place, table: Mapping[str, Any]) -> str:
    return place.made(lambda: zone_like(place.at("zone").text(table["zone"])).key)


def _rule(place: Place, key: str, value: Any) -> Any:
    """One rule of a calendar, its type checked; what it says is checked where that names the place."""
    if key in ("hours", "weekly_breaks"):
        hours = value if isinstance(value, Mapping) else place.text(value)
        place.made(lambda: parse_week(hours))
        return hours
    if key == "holidays":
        days = enumerate(place.items(value, 'write ["2024-12-25"]'), start=1)
        return [_holiday(place.row(number), day) for number, day in days]
    if key in ("shifts", "breaks"):
        table = place.table(value, 'write { "2024-02-04" = "09:00-18:00" }')
        for day, hours in table.items():
            place.at(day).made(lambda hours=hours: parse_day(hours))  # type: ignore[misc]
        return dict(table)
    if key in ("cut_at_midnight", "never_opens"):
        return place.flag(value)
    if key == "sources":
        return place.texts(value)
    if key == "weeks":
        weeks = enumerate(place.items(value, f"write [[{place.key}]]"), start=1)
        return [_week(place.row(number), week) for number, week in weeks]
    return place.date(value)  # valid_from, valid_to, known_until


def _holiday(place: Place, value: Any) -> Any:
    """A holiday; those of a country are looked up with the others of their calendar."""
    of_a_country = isinstance(value, Mapping) and "country" in value
    return value if of_a_country else place.made(lambda: holiday(value))


def _week(place: Place, value: Any) -> dict[str, Any]:
    table = place.table(value, 'write { hours = "mon-fri 09:00-17:00" }')
    place.only(table, WEEK_KEYS)
    place.need(table, ("hours",))
    return {key: _rule(place.at(key), key, item) for key, item in table.items()}


def calendar_of(
    place: Place, table: Mapping[str, Any], calendars: Mapping[str, BusinessCalendar]
) -> BusinessCalendar:
    """The calendar that a table names under `calendar`, or the only one."""
    if "calendar" not in table and len(calendars) == 1:
        return next(iter(calendars.values()))
    return calendar_named(place.at("calendar"), table.get("calendar", ""), calendars)


def calendar_named(place: Place, value: Any, calendars: Mapping[str, BusinessCalendar]) -> BusinessCalendar:
    """The calendar of this name."""
    named = place.text(value)
    if named not in calendars:
        raise place.refusal(named, "is not defined", _near(named, calendars))
    return calendars[named]


def _near(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    return near(name, names, f"defined are: {', '.join(names[:20]) or 'none'}" + ", ..." * (len(names) > 20))


# --- writing ----------------------------------------------------------------------------------


def named_calendars(calendars: Iterable[BusinessCalendar]) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """A name for each calendar in order, and the table of each name; equal ones share theirs."""
    tables: dict[str, dict[str, Any]] = {}
    names: dict[bytes, str] = {}
    order: list[str] = []
    for calendar in calendars:
        key = canonical(calendar.to_dict())
        if key not in names:
            names[key] = _free(calendar.name or "calendar", tables)
            tables[names[key]] = written(calendar.to_dict(), names[key])
        order.append(names[key])
    Place("", "calendars").at_most(MOST_CALENDARS, tables, "files")
    return order, tables


def _free(name: str, taken: Mapping[str, Any]) -> str:
    others = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return next(one for one in (name, *others) if one not in taken)


def written(plain: Mapping[str, Any], key: str | None = None) -> dict[str, Any]:
    """The table of a calendar's dict, under a name of the file or, as a member, without one."""
    name = plain.get("name", "")
    found = _filled({_KEYS.get(rule, rule): value for rule, value in plain.items() if rule != "name"})
    if plain.get("never_opens"):
        del found["hours"]
    if found.get("hours") == _ALL_WEEK and found.keys() <= set(_ALWAYS_KEYS):
        found["hours"] = _ALWAYS
    return found | ({"name": name} if name != (key or "") else {})


_KEYS = {"tz": "zone"}
_ALL_WEEK = week_text(parse_week("daily 00:00-24:00"))


def _filled(rules: Mapping[str, Any]) -> dict[str, Any]:
    """The rules in the words of the file, without empty ones; hours are said even then."""
    return {rule: _written(rule, value) for rule, value in rules.items() if value or rule == "hours"}


def _written(rule: str, value: Any) -> Any:
    if rule in ("hours", "weekly_breaks"):
        return week_text(parse_week(value))
    if rule in ("shifts", "breaks"):
        return {
            day: week_text((parse_day(hours), *[()] * 6)).removeprefix("mon ") for day, hours in value.items()
        }
    if rule == "weeks":
        return [_filled(week) for week in value]
    if rule == "base":
        return written(value)
    if rule in ("within", "without", "any_of"):
        return [written(member) for member in value]
    return value
