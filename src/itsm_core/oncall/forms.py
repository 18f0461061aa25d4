"""Rotations and schedules as plain JSON values and back.

    {"name": "network",
     "layers": [
       {"name": "weeks",
        "rotation": {"kind": "weekly", "start": "2026-01-05T09:00:00", "zone": "Europe/Berlin",
                     "participants": ["ana", "ben"]}},
       {"name": "nights", "level": 1, "people": ["cy"],
        "windows": [{"start": "20:00", "end": "08:00", "days": "mon-fri", "zone": "Europe/Berlin"}]}],
     "overrides": [
       {"start": "2026-02-02T08:00:00Z", "end": "2026-02-03T08:00:00Z", "add": "dee", "remove": "ana"}],
     "temporaries": [
       {"start": ..., "end": ..., "assignments": [{"who": ["ana"], "start": ..., "end": ...}]}]}

Keys are the fields of the classes; what is at its default may be left out. A `start` or a bound of a
rotation is a time on the wall and has no offset; those of overrides are instants and have one. A
datetime may stand in place of a text, as TOML reads it. Unknown keys are refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import attrs

from itsm_core.business_time.given import check_keys
from itsm_core.business_time.instants import micros, parse_text, text, utc
from itsm_core.business_time.windows import WEEKDAYS
from itsm_core.errors import InvalidValue
from itsm_core.oncall.given import Anchor, Group
from itsm_core.oncall.rotations import Rotation
from itsm_core.oncall.schedules import Assignment, Layer, Override, Schedule, TemporarySchedule
from itsm_core.oncall.windows import DutyWindow

T = TypeVar("T")
Row = Mapping[str, Any]

_ROTATION = tuple(field.name for field in attrs.fields(Rotation) if field.init)
_SCHEDULE = tuple(field.name for field in attrs.fields(Schedule))
_LAYER = ("name", "rotation", "people", "level", "windows")
_WINDOW = ("start", "end", "days", "zone")
MOST_ROWS = 10_000
"""The most layers, overrides or temporary schedules that are read from one dict."""


# -- out -------------------------------------------------------------------------------------------


def rotation_to_dict(rotation: Rotation) -> dict[str, Any]:
    """The rotation as a dict of JSON values; what is at its default is left out."""
    made: dict[str, Any] = {}
    for field in attrs.fields(Rotation):
        if field.init and (value := getattr(rotation, field.name)) != field.default:
            made[field.name] = _WRITTEN.get(field.name, _as_is)(value)
    return made


def schedule_to_dict(schedule: Schedule) -> dict[str, Any]:
    """The schedule as a dict of JSON values; what is at its default is left out."""
    made: dict[str, Any] = {"name": schedule.name, "layers": [_layer(one) for one in schedule.layers]}
    if schedule.overrides:
        made["overrides"] = [_spanned(one) for one in schedule.overrides]
    if schedule.temporaries:
        made["temporaries"] = [_spanned(one) for one in schedule.temporaries]
    if schedule.mode != attrs.fields(Schedule).mode.default:
        made["mode"] = schedule.mode.value
    return made


def _as_is(value: Any) -> Any:
    return value


def _group(value: Group) -> str | list[str]:
    return value[0] if len(value) == 1 else list(value)


def _days(value: tuple[int, ...]) -> list[str]:
    return [WEEKDAYS[day] for day in value]


def _moment(value: dt.datetime) -> str:
    """A time on the wall, or an instant that says its zone."""
    return value.isoformat() if value.tzinfo is None else text(micros(value))


def _anchor(value: Anchor) -> dict[str, Any]:
    return {"at": _moment(value.at), "index": value.index}


_WRITTEN: dict[str, Callable[[Any], Any]] = {
    "kind": lambda kind: kind.value,
    "start": dt.datetime.isoformat,
    "duration": str,
    "days": _days,
    "zone": lambda zone: zone.key,
    "participants": lambda groups: [_group(group) for group in groups],
    "anchor": _anchor,
    "valid_from": _moment,
    "valid_until": _moment,
    "blocks": lambda blocks: blocks.value,
}


def _layer(layer: Layer) -> dict[str, Any]:
    made: dict[str, Any] = {"name": layer.name}
    if isinstance(layer.who, Rotation):
        made["rotation"] = rotation_to_dict(layer.who)
    else:
        made["people"] = list(layer.who)
    if layer.level:
        made["level"] = layer.level
    if layer.windows:
        made["windows"] = [_window(window) for window in layer.windows]
    return made


def _window(window: DutyWindow) -> dict[str, Any]:
    return {"start": window.start, "end": window.end, "days": _days(window.days), "zone": window.zone.key}


def _spanned(value: Override | TemporarySchedule | Assignment) -> dict[str, Any]:
    made = {"start": text(micros(value.start)), "end": text(micros(value.end))}
    if isinstance(value, Assignment):
        return {"who": list(value.who), **made}
    if isinstance(value, TemporarySchedule):
        return {**made, "assignments": [_spanned(one) for one in value.assignments]}
    said = {"add": value.add, "remove": value.remove}
    return made | {key: name for key, name in said.items() if name is not None}


# -- in --------------------------------------------------------------------------------------------


def rotation_from_dict(value: Row) -> Rotation:
    """The rotation that `rotation_to_dict` wrote, or any dict of its shape."""
    row = _checked("rotation", value, _ROTATION, ("kind", "start", "zone", "participants"))
    return Rotation(**{**row, "anchor": _read_anchor(row.get("anchor"))})


def schedule_from_dict(value: Row) -> Schedule:
    """The schedule that `schedule_to_dict` wrote, or any dict of its shape."""
    row = _checked("schedule", value, _SCHEDULE, ("name", "layers"))
    return Schedule(
        row["name"],
        _rows(row, "layers", _read_layer),
        overrides=_rows(row, "overrides", _read_override),
        temporaries=_rows(row, "temporaries", _read_temporary),
        **{key: row[key] for key in ("mode",) if key in row},
    )


def _checked(what: str, value: Any, known: tuple[str, ...], needed: tuple[str, ...]) -> Row:
    check_keys(what, value, known)
    if lacking := [key for key in needed if key not in value]:
        raise InvalidValue(what, sorted(value), "lacks keys", f"add {', '.join(lacking)}")
    row: Row = value
    return row


def _rows(row: Row, key: str, read: Callable[[Any], T]) -> list[T]:
    """The items of a list, each refused with its place in it."""
    items = row.get(key, [])
    if not isinstance(items, list | tuple):
        raise InvalidValue(key, items, "are no list", "write them in [ ]")
    if len(items) > MOST_ROWS:
        raise InvalidValue(key, len(items), f"are more than {MOST_ROWS}", "leave out what is long past")
    return [_placed(f"{key}[{number}]", read, item) for number, item in enumerate(items, start=1)]


def _placed(place: str, read: Callable[[Any], T], item: Any) -> T:
    try:
        return read(item)
    except InvalidValue as wrong:
        raise InvalidValue(f"{place}: {wrong.what}", wrong.value, wrong.reason, wrong.remedy) from None


def _instant(value: Any, what: str) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return utc(micros(value, what))
    return utc(parse_text(value, what))


def _read_anchor(value: Any) -> Anchor | None:
    if value is None:
        return None
    row = _checked("anchor", value, ("at", "index"), ("at", "index"))
    return Anchor(row["at"], row["index"])


def _read_layer(value: Any) -> Layer:
    row = _checked("layer", value, _LAYER, ("name",))
    if ("rotation" in row) == ("people" in row):
        raise InvalidValue("layer", row["name"], "has not one of rotation and people", "say one of them")
    who = row["people"] if "people" in row else rotation_from_dict(row["rotation"])
    return Layer(row["name"], who, level=row.get("level", 0), windows=_rows(row, "windows", _read_window))


def _read_window(value: Any) -> DutyWindow:
    row = _checked("window", value, _WINDOW, _WINDOW)
    return DutyWindow(*(row[key] for key in _WINDOW))


def _read_override(value: Any) -> Override:
    row = _checked("override", value, ("start", "end", "add", "remove"), ("start", "end"))
    start, end = _instant(row["start"], "start"), _instant(row["end"], "end")
    return Override(start, end, add=row.get("add"), remove=row.get("remove"))


def _read_temporary(value: Any) -> TemporarySchedule:
    row = _checked("temporary schedule", value, ("start", "end", "assignments"), ("start", "end"))
    start, end = _instant(row["start"], "start"), _instant(row["end"], "end")
    return TemporarySchedule(start, end, assignments=_rows(row, "assignments", _read_assignment))


def _read_assignment(value: Any) -> Assignment:
    row = _checked("assignment", value, ("who", "start", "end"), ("who", "start", "end"))
    return Assignment(row["who"], _instant(row["start"], "start"), _instant(row["end"], "end"))
