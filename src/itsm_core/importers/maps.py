"""Maps: what another system's table calls its columns, states and priorities.

    zone = "Europe/Lisbon"               # of wall times without an offset
    time_format = "%d/%m/%Y %H:%M"       # absent: ISO 8601

    [columns]                            # ours = theirs; a list of columns is joined with "/"
    case = "number"
    state = ["state", "hold"]
    at = "updated"
    opened_at = "opened"                 # this and all further ones may be left out

    [states]                             # theirs = ours, a hold with its reason
    "New" = "new"
    "On Hold/Vendor" = "on_hold/supplier"

    [priority]                           # theirs = P1 to P5; absent: "1", "P1", "1 - Critical"
    "Critical" = "P1"

A hold without reason pauses nothing and is counted. A word that the map lacks is reported, never
guessed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from itsm_core.business_time.instants import zone_of
from itsm_core.errors import InvalidInput, InvalidValue
from itsm_core.lifecycle.definition import Lifecycle
from itsm_core.lifecycle.state_map import StateMap
from itsm_core.priority import Priority

REQUIRED = ("case", "state", "at")
OPTIONAL = (
    "opened_at", "opened_by", "by", "requester", "channel", "service", "customer", "category",
    "group", "assignee", "impact", "urgency", "priority", "hold_reason", "reopen_count",
)  # fmt: skip

Columns = tuple[tuple[str, tuple[str, ...]], ...]


def _columns(value: Mapping[str, str | Iterable[str]]) -> Columns:
    return tuple(
        (name, (theirs,) if isinstance(theirs, str) else tuple(theirs))
        for name, theirs in (value.items() if isinstance(value, Mapping) else value)
    )


def _pairs(value: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(value.items()) if isinstance(value, Mapping) else tuple(value)


def _set(value: Iterable[str]) -> frozenset[str]:
    return frozenset(value)


@attrs.frozen
class Map:
    """What a system calls its columns, states and priorities; `missing` are its words for nothing."""

    columns: Columns = attrs.field(default=(), converter=_columns)
    states: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    priority: tuple[tuple[str, str], ...] = attrs.field(
        default=(), converter=_pairs, kw_only=True
    )
    zone: str | None = attrs.field(default=None, kw_only=True)
    time_format: str | None = attrs.field(default=None, kw_only=True)
    missing: frozenset[str] = attrs.field(
        default=frozenset({""}), converter=_set, kw_only=True
    )
    system: str = attrs.field(default="map", kw_only=True)
    revision: bool = attrs.field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        lacking = [name for name in REQUIRED if name not in dict(self.columns)]
        if lacking:
            raise InvalidValue(
                "columns", sorted(dict(self.columns)), f"lack {', '.join(lacking)}",
                f"name the column of each of {', '.join(REQUIRED)}",
            )  # fmt: skip

    def state_map(self, lifecycle: Lifecycle) -> StateMap:
        """The states as a `StateMap`; without any, the words are those of the lifecycle itself."""
        return StateMap(self.system, dict(self.states)) if self.states else StateMap.own(lifecycle)


def load_map(path: str | Path, otherwise: Map | None = None) -> Map:
    """The map of a TOML file; what the file leaves out is as in `otherwise`, if that is given."""
    file = Path(path)
    held = _toml(file)
    _only(held, {"columns", "states", "priority", "zone", "time_format"}, "", file)
    given = {name: value for name, value in held.items() if value not in ({}, None)}
    for name, check in _CHECKS.items():
        if name in given:
            check(given[name], name, file)
    if otherwise is None and "columns" not in given:
        remedy = "add case, state and at under [columns], or name the format whose columns it takes"
        raise _refuse(file, "map", sorted(given), "has no [columns]", remedy)
    base = {} if otherwise is None else _same_as(otherwise)
    try:
        return Map(**{"system": file.stem, **base, **given})
    except InvalidValue as wrong:
        raise InvalidInput(
            wrong.what, wrong.value, wrong.reason, wrong.remedy, file=str(file)
        ) from None


def _same_as(other: Map) -> dict[str, Any]:
    return {field.name: getattr(other, field.name) for field in attrs.fields(Map)}


# --- checks -----------------------------------------------------------------------------------


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        line = re.search(r"line (\d+)", str(wrong))
        raise InvalidInput(
            "map", str(wrong), "is no TOML", 'write keys as name = "value"',
            file=str(file), line=int(line[1]) if line else 1,
        ) from None  # fmt: skip


def _refuse(file: Path, key: str, value: object, reason: str, remedy: str) -> InvalidInput:
    return InvalidInput(key, value, reason, remedy, file=str(file))


def _only(held: Mapping[str, Any], known: Iterable[str], key: str, file: Path) -> None:
    for name in held:
        if name not in known:
            where = f"key [{key}]" if key else "key"
            raise _refuse(file, where, name, "is unknown", f"use {', '.join(sorted(known))}")


def _words(value: Any, key: str, file: Path) -> None:
    if not isinstance(value, dict) or not all(isinstance(word, str) for word in value.values()):
        raise _refuse(file, f"[{key}]", value, "is no table of texts", 'write "theirs" = "ours"')


def _check_columns(value: Any, key: str, file: Path) -> None:
    if not isinstance(value, dict):
        raise _refuse(file, f"[{key}]", value, "is no table", 'write case = "number"')
    _only(value, (*REQUIRED, *OPTIONAL), key, file)
    for name, theirs in value.items():
        words = theirs if isinstance(theirs, list) else [theirs]
        if not words or not all(isinstance(word, str) and word for word in words):
            remedy = f'write {name} = "column", or {name} = ["one", "two"]'
            raise _refuse(file, f"columns.{name}", theirs, "names no column", remedy)


def _check_priority(value: Any, key: str, file: Path) -> None:
    _words(value, key, file)
    for word, ours in value.items():
        try:
            Priority.of(ours)
        except InvalidValue as wrong:
            raise _refuse(file, f'{key}."{word}"', ours, wrong.reason, wrong.remedy) from None


def _check_text(value: Any, key: str, file: Path) -> None:
    if not isinstance(value, str):
        raise _refuse(file, key, value, "is no text", f'write {key} = "..."')


def _check_zone(value: Any, key: str, file: Path) -> None:
    _check_text(value, key, file)
    try:
        zone_of(value)
    except InvalidValue as wrong:
        raise _refuse(file, key, value, wrong.reason, wrong.remedy) from None


_CHECKS = {
    "columns": _check_columns,
    "states": _words,
    "priority": _check_priority,
    "zone": _check_zone,
    "time_format": _check_text,
}
