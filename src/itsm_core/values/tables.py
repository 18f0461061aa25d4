"""attrs values into plain dicts, into text, and back, by one table of types.

A field at its default is left out, so a later version may add fields without changing the digest of
what is stored; for the same reason the default of a stored field never changes.
"""

from __future__ import annotations

import datetime as dt
import enum
import types
import typing
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeVar, cast

import attrs

from itsm_core.business_time.instants import UTC, micros, parse_text, text, utc
from itsm_core.errors import InvalidValue
from itsm_core.values.canonical import as_object, quoted, written
from itsm_core.values.fields import Fields, as_fields, exact, frozen_json

T = TypeVar("T")


Pair = tuple[Callable[[Any], Any], Callable[[Any], Any]]


def _same(value: Any) -> Any:
    return value


def _instant(at: dt.datetime) -> str:
    return _in_utc(at) if type(at) is dt.datetime and at.tzinfo is UTC else text(micros(at))


@lru_cache(maxsize=1024)
def _in_utc(at: dt.datetime) -> str:
    """The text of `business_time`, quickly; a command says the same instant again and again."""
    return at.isoformat(timespec="microseconds")[:-6] + "Z"


_SCALARS: dict[Any, Pair] = {
    str: (_same, _same),
    int: (_same, _same),
    bool: (_same, _same),
    Any: (frozen_json, _same),
    Fields: (_same, as_fields),
    Fraction: (str, Fraction),
    dt.datetime: (_instant, lambda at: utc(parse_text(at))),
    dt.date: (dt.date.isoformat, dt.date.fromisoformat),
}


def _pair(kind: Any) -> Pair:
    """The way out and in of a type; unions may only add None."""
    if kind in _SCALARS:
        return _SCALARS[kind]
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        kinds = [a for a in arguments if a is not types.NoneType]
        if len(kinds) == 1:
            out, into = _pair(kinds[0])
            return (lambda v: None if v is None else out(v)), (lambda v: None if v is None else into(v))
    if origin is tuple and arguments[1:] == (...,):
        out, into = _pair(arguments[0])
        return (lambda v: [out(x) for x in v]), (lambda v: tuple(into(x) for x in v))
    if origin is tuple:
        pairs = [_pair(a) for a in arguments]
        return (
            lambda v: [p[0](x) for p, x in zip(pairs, v, strict=True)],
            lambda v: tuple(p[1](x) for p, x in zip(pairs, v, strict=True)),
        )
    if origin is frozenset:
        out, into = _pair(arguments[0])
        return (lambda v: sorted(out(x) for x in v)), (lambda v: frozenset(into(x) for x in v))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return (lambda v: v.value), kind
    if attrs.has(kind):
        return to_dict, lambda v: from_dict(kind, v)
    msg = f"no way to store a {kind!r}: add it to the table in values.py"
    raise TypeError(msg)


@lru_cache(maxsize=1024)
def _shape(cls: Any) -> tuple[tuple[str, Any, bool, Pair], ...]:
    hints = typing.get_type_hints(cls)
    rows = []
    for field in attrs.fields(cls):
        default = field.default
        if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
            default = cast("Any", default).factory()
        rows.append((field.name, default, default is attrs.NOTHING, _pair(hints[field.name])))
    return tuple(rows)


def to_dict(value: Any) -> dict[str, Any]:
    """The attrs value as a plain dict of JSON values; fields at their default are left out."""
    plain = {}
    for name, default, required, (out, _) in _shape(cast("Any", type(value))):
        item = getattr(value, name)
        if required or item != default:
            plain[name] = out(item)
    return plain


def from_dict(cls: type[T], plain: Mapping[str, Any]) -> T:
    """The attrs value of a plain dict; an unknown or missing key is named."""
    shape = _shape(cast("Any", cls))
    unknown = plain.keys() - {name for name, *_ in shape}
    missing = {name for name, _, required, _ in shape if required} - plain.keys()
    if unknown or missing:
        raise InvalidValue(
            cls.__name__,
            sorted(plain),
            f"unknown keys {sorted(unknown)}, missing keys {sorted(missing)}",
            "it was written by another version or is no " + cls.__name__,
        )
    return cls(**{name: into(plain[name]) for name, _, _, (_, into) in shape if name in plain})


# --- the same, straight into text ---------------------------------------------------------------

Spell = Callable[[Any], str]


def spelt(value: Any) -> dict[str, str]:
    """Each field of `to_dict(value)` as canonical JSON, in the order of canonical JSON."""
    get, rows = _spelling(cast("Any", type(value)))
    made = {}
    for (name, required, default, spell), item in zip(rows, get(value), strict=True):
        if required or (item is not default and item != default):
            made[name] = spell(item)
    return made


@lru_cache(maxsize=1024)
def _spelling(cls: Any) -> tuple[Callable[[Any], Any], tuple[tuple[str, bool, Any, Spell], ...]]:
    """What reads the fields of a class in order of their names, and how each is spelt."""
    hints, shape = typing.get_type_hints(cls), sorted(_shape(cls))
    rows = tuple(
        (name, required, default, _spell(hints[name], out)) for name, default, required, (out, _) in shape
    )
    names = [name for name, *_ in shape]
    get = attrgetter(*names) if len(names) > 1 else lambda v: tuple(getattr(v, name) for name in names)
    return get, rows


def _spell(kind: Any, out: Callable[[Any], Any]) -> Spell:
    """How a type is spelt; what is not in the table goes through a plain value."""
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        inner = _spell(next(a for a in arguments if a is not types.NoneType), out)
        return lambda v: "null" if v is None else inner(v)
    if isinstance(kind, type) and issubclass(kind, enum.StrEnum):
        return lambda v: quoted(v._value_)
    if isinstance(kind, type) and attrs.has(kind):
        again = "_attrs_cached_hash" in getattr(kind, "__slots__", ())  # it is used as a key, often
        return lru_cache(maxsize=1024)(_as_text) if again else _as_text
    return _SPELT.get(kind, lambda v: written([out(v)])[1:-1])


def _as_text(value: Any) -> str:
    return as_object(spelt(value))


_SPELT: dict[Any, Spell] = {
    str: quoted,
    int: lambda v: repr(exact(v, "number")),
    bool: lambda v: "true" if v else "false",
    Fields: written,
    dt.datetime: lambda v: f'"{_instant(v)}"',
}
