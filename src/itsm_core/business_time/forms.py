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

from itsm_core.business_time.algebra import Restricted, United, both, either, minus, never
from itsm_core.business_time.holidays import check_keys
from itsm_core.business_time.instants import zone_of
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
_DEEPEST = 20


def zone_like(zone: str | ZoneInfo) -> ZoneInfo:
    """The one shared `ZoneInfo` of an IANA name."""
    return zone_of(zone.key or "" if isinstance(zone, ZoneInfo) else zone)


# -- reading ---------------------------------------------------------------------------------------


def read(value: Mapping[str, Any], deep: int = 0) -> Source:
    """The source of a calendar from its dict; every unknown key is refused."""
    if deep > _DEEPEST:
        raise InvalidValue("calendar", "...", f"is nested over {_DEEPEST} deep", "combine fewer calendars")
    kind = value if isinstance(value, Mapping) else {}
    if "base" in kind:
        return _read_restricted(value, deep)
    if "any_of" in kind:
        return _read_united(value, deep)
    check_keys("calendar", value, _KEYS)
    schedule = Schedule() if value.get("never_opens") else _schedule(value)
    return LocalHours(_zone(value), schedule, name=value.get("name"))


def _read_restricted(value: Mapping[str, Any], deep: int) -> Source:
    check_keys("calendar", value, _RESTRICTED_KEYS)
    found = read(value["base"], deep + 1)
    for other in _calendars(value, "within"):
        found = both(found, read(other, deep + 1))
    for other in _calendars(value, "without"):
        found = minus(found, read(other, deep + 1))
    return found


def _read_united(value: Mapping[str, Any], deep: int) -> Source:
    check_keys("calendar", value, _UNITED_KEYS)
    found: Source = never(_zone(value))
    for other in _calendars(value, "any_of"):
        found = either(found, read(other, deep + 1))
    return found


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
    if isinstance(source, Restricted):
        found: dict[str, Any] = {"tz": source.zone.key, "base": written(source.base)}
        restricting = {"within": source.within, "without": source.without}
        return found | {key: [written(s) for s in parts] for key, parts in restricting.items() if parts}
    if isinstance(source, United):
        return {"tz": source.zone.key, "any_of": [written(part) for part in source.parts]}
    assert isinstance(source, LocalHours)  # noqa: S101 - there are three kinds
    return {
        "tz": source.zone.key,
        **_rules(source.schedule),
        **({"name": source.name} if source.name else {}),
    }


def _rules(schedule: Schedule) -> dict[str, Any]:
    weeks = [_week_dict(week) for week in schedule.weeks]
    found: dict[str, Any] = {
        "hours": {}, "weekly_breaks": {}, **(weeks[0] if weeks else {}),
        "shifts": {str(date): day_pairs(windows) for date, windows in schedule.shifts},
        "breaks": {str(date): day_pairs(windows) for date, windows in schedule.breaks},
        "holidays": [holiday.as_value() for holiday in schedule.holidays],
    }  # fmt: skip
    further = {
        "never_opens": schedule.before is False and schedule.after is False and not schedule.shifts
        and not any(any(era.week) for era in schedule.eras),
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
