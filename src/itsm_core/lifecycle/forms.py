"""Lifecycles as plain JSON values, JSON and TOML, and back; and what tells them apart.

    id = "acme.incident"
    version = 1
    process = "incident"
    initial = "new"

    [[states]]
    id = "new"
    phase = "new"
    label = { en = "New", zh = "新建" }

    [[transitions]]
    trigger = "resolve"
    sources = ["new"]                  # one may stand alone: sources = "new"
    dest = "resolved"
    roles = ["agent"]
    guards = ["no_open_tasks"]         # names; the functions are given by whoever reads it
    requires = [{ field = "resolution_notes", clause = "8.6.1" }]

Keys are the fields of `Lifecycle`, `State`, `Transition`, `Need` and `CustomField`; what is left out
is at its default. A timer edge says after = "5 business days", or after = "at risk_review_at", a field
that holds an instant. Everything is data: nothing is evaluated, unknown keys and names are refused, and
a hostile file is refused in bounded time.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.lifecycle.beside import GUARDED
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.fields import CustomField
from itsm_core.lifecycle.guards import Guards
from itsm_core.lifecycle.parts import Need, State, Transition, read_after, written_after
from itsm_core.lifecycle.rewriting import chosen
from itsm_core.lifecycle.soundness import sound
from itsm_core.values import digest, frozen_json

K = TypeVar("K", bound=Definition)

MOST_CHARACTERS = 1_000_000
"""The longest text that is read."""

INSTALL = "to_toml needs its extra: pip install 'itsm-core[toml]'"
_MOST_PARTS, _MOST_TEXT, _MOST_DOTS = 100_000, 20_000, 100
_BIGGEST = 2**53 - 1  # RFC 8785 3.2.2.3: larger integers lose digits in other languages


# --- out and in -------------------------------------------------------------------------------


def to_dict(definition: Definition) -> dict[str, Any]:
    """The definition as plain JSON values; guards as names."""
    for name in _guard_names(definition):
        _guard(name, "guard")
    plain: dict[str, Any] = _LIFECYCLE.write(definition)
    _bounded(plain)
    return plain


def to_json(definition: Definition) -> str:
    """The definition as JSON text that people can read."""
    return json.dumps(to_dict(definition), ensure_ascii=False, indent=2)


def to_toml(definition: Definition) -> str:
    """The definition as TOML text (extra `toml`)."""
    try:
        import tomli_w  # noqa: PLC0415 - an extra
    except ImportError as lacking:
        raise ImportError(INSTALL) from lacking
    return str(tomli_w.dumps(to_dict(definition)))


def from_dict(cls: type[K], plain: Mapping[str, Any], guards: Guards | None = None) -> K:
    """The lifecycle of plain values, with the guards that its names mean; refused if it is not sound."""
    _bounded(plain)
    given = _LIFECYCLE.given(plain, "lifecycle")
    found: K = _made("lifecycle", lambda: cls(**given, guards=guards or {}))
    for name in _guard_names(found):
        remedy = f"give its function: guards={{{name!r}: ...}}"
        chosen(name, found.guards, "guard", "is registered nowhere", remedy)
    return sound(found)


def from_json(cls: type[K], text: str | bytes, guards: Guards | None = None) -> K:
    """The lifecycle of a JSON text; see `from_dict`."""
    return from_dict(cls, _parsed(text, "JSON", _load_json), guards)


def from_toml(cls: type[K], text: str | bytes, guards: Guards | None = None) -> K:
    """The lifecycle of a TOML text; see `from_dict`."""
    return from_dict(cls, _parsed(text, "TOML", _load_toml), guards)


def fingerprint(definition: Definition) -> str:
    """The SHA-256 of the definition's canonical JSON without its words and its version.

    Labels and instructions may change under one fingerprint; whatever decides anything may not.
    """
    plain: dict[str, Any] = _LIFECYCLE.write(definition)
    del plain["version"]
    rows = plain["transitions"]
    needs = (*plain.get("opening", ()), *(need for row in rows for need in row.get("requires", ())))
    for part in (plain, *plain["states"], *rows, *needs):
        part.pop("label", None)
        part.pop("instructions", None)
    return digest(plain)


# --- texts ------------------------------------------------------------------------------------


def _parsed(text: str | bytes, kind: str, load: Callable[[str], Any]) -> Any:
    """What a text says; one that is too long, too deep or no text of its kind is refused."""
    if not isinstance(text, str | bytes):
        raise InvalidValue("lifecycle", _shown(text), "is no text", f"give the {kind} itself")
    if len(text) > MOST_CHARACTERS:
        said = f"{len(text)} characters"
        raise InvalidValue("lifecycle", said, "is too long", f"write at most {MOST_CHARACTERS}")
    try:
        plain = text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
        return load(plain)
    except RecursionError:
        remedy = "write tables and lists a few levels deep, as `to_dict` does"
        raise InvalidValue("lifecycle", f"{kind} text", "is nested too deep", remedy) from None
    except InvalidValue:
        raise
    except ValueError as wrong:  # no JSON or TOML, no UTF-8, or a number of thousands of digits
        raise InvalidValue("lifecycle", str(wrong), f"is no {kind}", "check the place it names") from None


def _load_json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs as a dict; of two values under one key, nobody can tell which is meant."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InvalidValue("key", name, "is there twice", "leave one out")
        found[name] = value
    return found


def _load_toml(text: str) -> Any:
    """The values of a TOML text; a name of thousands of dotted parts would take the parser hours."""
    if any(line.count(".") > _MOST_DOTS for line in re.split("[\r\n]", text)):
        raise InvalidValue("lifecycle", "a line", f"has over {_MOST_DOTS} dots", "write plain keys")
    return tomllib.loads(text)


# --- bounds -----------------------------------------------------------------------------------


def _bounded(plain: Any) -> None:
    """Refuses values that are too many, go in circles, or hold a text too long or not of Unicode."""
    todo, left = [plain], _MOST_PARTS
    while todo:
        part = todo.pop()
        if isinstance(part, str):
            if len(part) > _MOST_TEXT:
                said = f"{len(part)} characters"
                raise InvalidValue("text", said, "is too long", f"write at most {_MOST_TEXT}")
            frozen_json(part, "text")
        elif isinstance(part, Mapping | list | tuple):
            left -= len(part)
            if left < 0:
                reason = f"holds over {_MOST_PARTS} values, or goes in circles"
                raise InvalidValue("lifecycle", _shown(part), reason, "no process needs so many")
            todo += [*part, *part.values()] if isinstance(part, Mapping) else part


def _guard_names(definition: Definition) -> list[str]:
    rows = [name for row in definition.transitions for name in row.guards]
    return [*rows, *(name for _, names in definition.beside for name in names)]


# --- the table: a kind of value, how it is read and how it is written -------------------------


class _Form(NamedTuple):
    read: Callable[[Any, str], Any]
    write: Callable[[Any], Any]


def _shown(value: Any) -> Any:
    """What a refusal shows of a value: never a whole container, which may be huge."""
    if isinstance(value, Mapping | list | tuple):
        return f"{len(value)} values"
    return value if isinstance(value, str | int | float | None) else f"a {type(value).__name__}"


def _wrong(where: str, value: Any, reason: str, remedy: str) -> InvalidValue:
    return InvalidValue(where, _shown(value), reason, remedy)


def _made(where: str, make: Callable[[], Any]) -> Any:
    """What is made; a refusal names the place."""
    try:
        return make()
    except InvalidValue as wrong:
        raise InvalidValue(
            f"{where}: {wrong.what}", _shown(wrong.value), wrong.reason, wrong.remedy
        ) from None


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _wrong(where, value, "is no text", 'write it in quotes: "..."')
    return value


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(where, value, "is neither true nor false", "write true or false")
    return value


def _number(value: Any, where: str) -> int:
    if type(value) is not int or not 1 <= value <= _BIGGEST:
        raise _wrong(where, value, "is no version", "count versions 1, 2, 3")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise _wrong(where, value, "is no list", f"write {where.rpartition('.')[2]} = [...]")
    return list(value)


def _texts(value: Any, where: str) -> list[str]:
    """A list of texts; one text may stand alone."""
    return [_text(one, where) for one in ([value] if isinstance(value, str) else _list(value, where))]


def _guard(value: Any, where: str) -> str:
    if not _text(value, where).isidentifier():
        raise _wrong(where, value, "is no plain word", "name a registered guard; data holds no code")
    return str(value)


def _guards(value: Any, where: str) -> list[str]:
    return [_guard(name, where) for name in _texts(value, where)]


def _words(value: Any, where: str) -> dict[str, str]:
    """Texts by language; a text alone is English."""
    table = {"en": value} if isinstance(value, str) else _table(value, where)
    return {lang: _text(text, f"{where}.{lang}") for lang, text in table.items()}


def _after(value: Any, where: str) -> Any:
    return _made(where, lambda: read_after(_text(value, where)))


def _beside(value: Any, where: str) -> dict[str, list[str]]:
    table = _table(value, where)
    return {
        chosen(name, GUARDED, where, "is no command beside the state"): _guards(names, f"{where}.{name}")
        for name, names in table.items()
    }


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(where, value, "is no table", "write keys and values")
    for name in value:
        _text(name, f"key of {where}")
    return value


@attrs.frozen
class _Rows:
    """A class of parts, and the forms of its fields."""

    kind: type[Any]
    forms: Mapping[str, _Form]

    def given(self, value: Any, where: str) -> dict[str, Any]:
        """The arguments that a table gives to the class."""
        table = _table(value, where)
        for name in table:
            chosen(name, self.forms, f"key of {where}", "is unknown")
        lacking = [f.name for f in self._fields() if f.default is attrs.NOTHING and f.name not in table]
        if lacking:
            raise _wrong(where, value, f"lacks {', '.join(lacking)}", f"add {lacking[0]} = ...")
        return {name: self.forms[name].read(item, f"{where}.{name}") for name, item in table.items()}

    def read(self, value: Any, where: str) -> list[Any]:
        """A list of tables as a list of parts."""
        found = []
        for number, item in enumerate(_list(value, where), start=1):
            place = f"{where.removeprefix('lifecycle.')}[{number}]"
            given = self.given(item, place)
            found.append(_made(place, lambda given=given: self.kind(**given)))  # type: ignore[misc]
        return found

    def write(self, part: Any) -> dict[str, Any]:
        """A part as a table, without what is at its default."""
        held = ((field.name, getattr(part, field.name), field.default) for field in self._fields())
        return {name: self.forms[name].write(value) for name, value, usual in held if value != usual}

    def _fields(self) -> list[Any]:
        return [field for field in attrs.fields(self.kind) if field.name in self.forms]

    def form(self) -> _Form:
        """The form of a list of such parts."""
        return _Form(self.read, lambda parts: [self.write(part) for part in parts])


_TEXT, _FLAG, _NUMBER = _Form(_text, str), _Form(_flag, bool), _Form(_number, int)
_TEXTS, _SET = _Form(_texts, lambda held: [str(one) for one in held]), _Form(_texts, sorted)
_GUARDS, _WORDS = _Form(_guards, list), _Form(_words, dict)
_AFTER = _Form(_after, written_after)
_BESIDE = _Form(_beside, lambda pairs: {name: list(names) for name, names in pairs})

# fmt: off
_NEEDS = _Rows(Need, {
    "field": _TEXT, "clause": _TEXT, "one_of": _TEXTS, "otherwise": _TEXT,
    "kept": _FLAG, "required": _FLAG, "essential": _FLAG, "label": _WORDS,
}).form()
_STATES = _Rows(State, {
    "id": _TEXT, "phase": _TEXT, "label": _WORDS, "outcome": _TEXT, "waits_on": _TEXT,
}).form()
_TRANSITIONS = _Rows(Transition, {
    "trigger": _TEXT, "sources": _TEXTS, "dest": _TEXT, "roles": _SET, "relation": _SET,
    "requires": _NEEDS, "guards": _GUARDS, "separate_from": _TEXTS, "after": _AFTER,
    "reopens": _TEXT, "label": _WORDS, "instructions": _WORDS,
}).form()
_FIELDS = _Rows(CustomField, {"name": _TEXT, "type": _TEXT, "personal": _FLAG}).form()
_LIFECYCLE = _Rows(Definition, {
    "id": _TEXT, "version": _NUMBER, "process": _TEXT, "initial": _TEXT, "requester": _FLAG,
    "label": _WORDS, "roles": _TEXTS, "fields": _FIELDS, "opening": _NEEDS, "beside": _BESIDE,
    "states": _STATES, "transitions": _TRANSITIONS,
})
# fmt: on
