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
from itsm_core.importers.times import wall_reader
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.state_map import StateMap
from itsm_core.priority import Priority
from itsm_core.values import only, texts

REQUIRED = ("case", "state", "at")
OPTIONAL = (
    "opened_at", "opened_by", "by", "requester", "channel", "service", "customer", "category",
    "group", "assignee", "impact", "urgency", "priority", "hold_reason", "reopen_count",
)  # fmt: skip

Columns = tuple[tuple[str, tuple[str, ...]], ...]


def _columns(value: Mapping[str, str | Iterable[str]]) -> Columns:
    remedy = 'name a column: {"case": "number"}, or some: {"state": ["state", "hold"]}'
    pairs = _items(value, "columns")
    return tuple((name, texts(theirs, f"column of {name}", remedy)) for name, theirs in pairs)


def _pairs(value: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (word, only(str, ours, f"meaning of {word!r}", 'write {"theirs": "ours"}'))
        for word, ours in _items(value, "words")
    )


def _items(value: Any, what: str) -> Iterable[tuple[str, Any]]:
    """The pairs of a mapping, or of a map that was made before."""
    if isinstance(value, Mapping):
        return value.items()
    if not isinstance(value, tuple):
        raise InvalidValue(what, value, "are no mapping", 'write {"ours": "theirs"} or {"theirs": "ours"}')
    return value


def _set(value: Iterable[str] | str) -> frozenset[str]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidValue("missing", value, "is no set of words", 'write {"", "?"}')
    return frozenset(value)


@attrs.frozen
class Map:
    """What a system calls its columns, states and priorities; `missing` are its words for nothing."""

    columns: Columns = attrs.field(default=(), converter=_columns)
    states: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    priority: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs, kw_only=True)
    zone: str | None = attrs.field(default=None, kw_only=True)
    time_format: str | None = attrs.field(default=None, kw_only=True)
    missing: frozenset[str] = attrs.field(default=frozenset({""}), converter=_set, kw_only=True)
    system: str = attrs.field(default="map", kw_only=True)
    revision: bool = attrs.field(default=False, kw_only=True)
    states_file: str = attrs.field(default="", kw_only=True, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        lacking = [name for name in REQUIRED if name not in dict(self.columns)]
        if lacking:
            raise InvalidValue(
                "columns", sorted(dict(self.columns)), f"lack {', '.join(lacking)}",
                f"name the column of each of {', '.join(REQUIRED)}",
            )  # fmt: skip
        strange = [name for name, _ in self.columns if name not in (*REQUIRED, *OPTIONAL)]
        if strange:
            known = ", ".join((*REQUIRED, *OPTIONAL))
            raise InvalidValue("columns", strange, "are none that we know", f"use {known}")
        for _, ours in self.priority:
            Priority.of(ours)
        if self.zone is not None:
            zone_of(self.zone)
        if self.time_format is not None:
            wall_reader(only(str, self.time_format, "time_format", 'write it as "%d/%m/%Y %H:%M"'))

    def state_map(self, lifecycle: Lifecycle) -> StateMap:
        """The states as a `StateMap`; without any, the words are those of the lifecycle itself.

        A state that the lifecycle does not have is refused, with those that it has.
        """
        try:
            made = StateMap(self.system, dict(self.states)) if self.states else StateMap.own(lifecycle)
            return made.checked(lifecycle)
        except InvalidValue as wrong:
            if not self.states_file:
                raise
            raise _refuse(
                Path(self.states_file), f"[states] {wrong.what}", wrong.value, wrong.reason, wrong.remedy
            ) from None


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
    if "states" in given:
        given["states_file"] = str(file)
    try:
        return Map(**{"system": file.stem, **base, **given})
    except InvalidValue as wrong:
        raise InvalidInput(wrong.what, wrong.value, wrong.reason, wrong.remedy, file=str(file)) from None


def _same_as(other: Map) -> dict[str, Any]:
    return {field.name: getattr(other, field.name) for field in attrs.fields(Map)}


# --- checks -----------------------------------------------------------------------------------


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except RecursionError:
        remedy = "write tables and lists a few levels deep, as in the example of the documentation"
        raise _refuse(file, "map", file.name, "is nested too deep", remedy) from None
    except ValueError as wrong:  # no TOML, no UTF-8, or a number of thousands of digits
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


def _check_time_format(value: Any, key: str, file: Path) -> None:
    _check_text(value, key, file)
    try:
        wall_reader(value)
    except InvalidValue as wrong:
        raise _refuse(file, key, value, wrong.reason, wrong.remedy) from None


_CHECKS = {
    "columns": _check_columns,
    "states": _words,
    "priority": _check_priority,
    "zone": _check_zone,
    "time_format": _check_time_format,
}
