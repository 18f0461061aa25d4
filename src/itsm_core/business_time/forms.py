"""Calendars as plain JSON values and back: the dict form, which says everything.

    {"tz": "Europe/London", "hours": {"mon": [["09:00", "17:30"]]}, "weekly_breaks": {},
     "shifts": {"2024-02-04": [["10:30", "16:30"]]}, "breaks": {}, "holidays": ["2024-12-25"]}

Further keys: valid_from, valid_to (of the hours), weeks (a list of hours with a validity of their
own), cut_at_midnight, known_until, sources, never_opens, name, version. A combination has
{"base", "within", "without"} or {"tz", "any_of"} instead, with calendars in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import attrs

from itsm_core.business_time.algebra import DEEPEST, Restricted, United, both, either, minus, never
from itsm_core.business_time.given import check_keys, plain_text
from itsm_core.business_time.instants import zone_like
from itsm_core.business_time.local_hours import LocalHours, Source
from itsm_core.business_time.schedule import Schedule
from itsm_core.business_time.weeks import Week
from itsm_core.business_time.windows import day_pairs, week_pairs
from itsm_core.errors import InvalidValue

Rules: TypeAlias = Schedule | Restricted | United

_NAMES = ("name", "version")
_WEEK_KEYS = ("hours", "weekly_breaks", "valid_from", "valid_to")
_KEYS = (
    "tz", *_WEEK_KEYS, "shifts", "breaks", "holidays", "weeks", "cut_at_midnight",
    "known_until", "sources", "never_opens", *_NAMES,
)  # fmt: skip
_RESTRICTED_KEYS = ("tz", "base", "within", "without", *_NAMES)
_UNITED_KEYS = ("tz", "any_of", *_NAMES)


# -- reading ---------------------------------------------------------------------------------------


def read(value: Mapping[str, Any], deep: int = 0) -> Source:
    """The source of a calendar from its dict; every unknown key is refused."""
    if deep > DEEPEST:
        raise InvalidValue("calendar", "...", f"is nested over {DEEPEST} deep", "combine fewer calendars")
    kind = value if isinstance(value, Mapping) else {}
    if "base" in kind:
        return _read_restricted(value, deep)
    if "any_of" in kind:
        return _read_united(value, deep)
    check_keys("calendar", value, _KEYS)
    schedule = Schedule() if _never_opens(value) else _schedule(value)
    return LocalHours(_zone(value), schedule, name=checked_name(value.get("name")))


def _never_opens(value: Mapping[str, Any]) -> bool:
    """Whether a dict says so; then it says nothing of hours."""
    said = value.get("never_opens", False)
    if not isinstance(said, bool):
        raise InvalidValue("never_opens", said, "is neither true nor false", "write true, or leave it out")
    hours = [key for key in _KEYS if value.get(key) and key not in ("tz", "never_opens", *_NAMES)]
    if said and hours:
        raise InvalidValue("calendar", dict(value), f"never opens and has {hours[0]}", "say one of them")
    return said


def checked_name(value: str | None) -> str | None:
    """The name of a calendar, if it is one."""
    return None if value is None else plain_text(value, "name")


def checked_version(value: int) -> int:
    """The version of a calendar, if it is one."""
    if type(value) is not int or value < 1:
        remedy = "count 1, 2, 3; a changed calendar is a new version"
        raise InvalidValue("version", value, "is no version", remedy)
    return value


def called(source: Source, name: str | None) -> Source:
    """The source under a name, or without one."""
    assert attrs.has(type(source))  # noqa: S101 - all three kinds are
    found: Source = attrs.evolve(source, name=name)  # type: ignore[misc]
    return found


def _read_restricted(value: Mapping[str, Any], deep: int) -> Source:
    check_keys("calendar", value, _RESTRICTED_KEYS)
    found = read(value["base"], deep + 1)
    if "tz" in value and _zone(value) != found.zone:
        reason = f"differs from that of the base, {found.zone.key}"
        raise InvalidValue("tz", value["tz"], reason, "leave it out: the base counts the days")
    for other in _calendars(value, "within"):
        found = both(found, read(other, deep + 1))
    for other in _calendars(value, "without"):
        found = minus(found, read(other, deep + 1))
    return _called_if(found, value)


def _read_united(value: Mapping[str, Any], deep: int) -> Source:
    check_keys("calendar", value, _UNITED_KEYS)
    found: Source = never(_zone(value))
    for other in _calendars(value, "any_of"):
        found = either(found, read(other, deep + 1))
    return _called_if(found, value)


def _called_if(source: Source, value: Mapping[str, Any]) -> Source:
    """A combination under its own name; what came to a single calendar keeps that one's."""
    checked_version(value.get("version", 1))
    name = checked_name(value.get("name"))
    return called(source, name) if name or source.members else source


def _zone(value: Mapping[str, Any]) -> ZoneInfo:
    if "tz" not in value:
        raise InvalidValue("calendar", dict(value), 'lacks the key "tz"', "name an IANA zone")
    return zone_like(value["tz"])


def _calendars(value: Mapping[str, Any], key: str) -> Iterable[Mapping[str, Any]]:
    return _list(key, value.get(key, ()), "[{...}] with calendars")


def _schedule(value: Mapping[str, Any]) -> Schedule:
    first = _week({key: value[key] for key in _WEEK_KEYS if key in value})
    return Schedule.of(
        (first, *map(_week, _list("weeks", value.get("weeks", ()), '[{"hours": ...}]'))),
        holidays=value.get("holidays", ()),
        shifts=value.get("shifts"), breaks=value.get("breaks"),
        cut_at_midnight=value.get("cut_at_midnight", False),
        known_until=value.get("known_until"),
        sources=_list("sources", value.get("sources", ()), '["holidays 0.109: US-MA"]'),
    )  # fmt: skip


def _list(what: str, value: Any, example: str) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise InvalidValue(what, value, "are no list", f"write {example}")
    return value


def _week(value: Mapping[str, Any]) -> Week:
    check_keys("week", value, _WEEK_KEYS)
    return Week.of(
        value.get("hours", ""), value.get("weekly_breaks", ""),
        valid_from=value.get("valid_from"), valid_to=value.get("valid_to"),
    )  # fmt: skip


# -- writing ---------------------------------------------------------------------------------------


def written(source: Source) -> dict[str, Any]:
    """The dict that `read` reads back to an equal source."""
    found: dict[str, Any] = {"tz": source.zone.key, **_written(source)}
    return found | ({"name": source.name} if source.name else {})


def _written(source: Source) -> dict[str, Any]:
    if isinstance(source, Restricted):
        restricting = {"within": source.within, "without": source.without}
        lists = {key: [written(s) for s in members] for key, members in restricting.items() if members}
        return {"base": written(source.base), **lists}
    if isinstance(source, United):
        return {"any_of": [written(member) for member in source.members]}
    assert isinstance(source, LocalHours)  # noqa: S101 - there are three kinds
    return _rules(source.schedule)


def _rules(schedule: Schedule) -> dict[str, Any]:
    if schedule.is_empty:
        return {key: {} for key in ("hours", "weekly_breaks", "shifts", "breaks")} | {
            "holidays": [],
            "never_opens": True,
        }
    weeks = [_week_dict(week) for week in schedule.weeks]
    found: dict[str, Any] = {
        "hours": {}, "weekly_breaks": {}, **(weeks[0] if weeks else {}),
        "shifts": {str(date): day_pairs(windows) for date, windows in schedule.shifts},
        "breaks": {str(date): day_pairs(windows) for date, windows in schedule.breaks},
        "holidays": [holiday.as_value() for holiday in schedule.holidays],
    }  # fmt: skip
    further = {
        "weeks": weeks[1:],
        "cut_at_midnight": schedule.cut_at_midnight,
        "known_until": schedule.known_until and schedule.known_until.isoformat(),
        "sources": list(schedule.sources),
    }  # fmt: skip
    return found | {key: value for key, value in further.items() if value}


def _week_dict(week: Week) -> dict[str, Any]:
    found: dict[str, Any] = {"hours": week_pairs(week.hours), "weekly_breaks": week_pairs(week.breaks)}
    if week.valid_from:
        found["valid_from"] = week.valid_from.isoformat()
    if week.valid_to:
        found["valid_to"] = week.valid_to.isoformat()
    return found
