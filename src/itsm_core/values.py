"""Values into plain dicts and back, by one table; canonical JSON and digests of it.

`to_dict` and `from_dict` know every attrs class by its field types alone: no class writes its
own. A field at its default is left out, so a later version may add fields without changing the
digest of what is stored; for the same reason the default of a stored field never changes.

`canonical` is RFC 8785 (JSON Canonicalization Scheme) for values without floats.

What callers hand to constructors goes through `member`, `only`, `each`, `word`, `texts`,
`named` and `counted`: an error then names the thing, the reason and the remedy.
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import json
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any, NoReturn, TypeVar, cast

import attrs

from itsm_core.business_time.instants import UTC, micros, parse_text, text, utc
from itsm_core.errors import InvalidValue

T = TypeVar("T")
E = TypeVar("E", bound=enum.Enum)
Json = None | bool | int | str | tuple["Json", ...] | Mapping[str, "Json"]
_SAFE = 2**53 - 1  # RFC 8785 3.2.2.3: larger integers lose digits in other languages


class Fields(dict[str, Any]):
    """A dict of JSON values that cannot be changed; equal to any dict with the same content."""

    __slots__ = ()

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        msg = "Fields cannot be changed; build new ones: Fields({**old, 'name': value})"
        raise TypeError(msg)

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return Fields, (dict(self),)


NO_FIELDS = Fields()


def joined(first: Fields, second: Mapping[str, Any]) -> Fields:
    """The fields of both, the second's where both have one; the values are frozen already."""
    made = Fields(first)
    dict.update(made, second)
    return made


def frozen_json(value: Any, what: str = "field", deep: int = 0) -> Any:
    """The JSON value made immutable; floats and other types are refused by name."""
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is str:
        return value if value.isascii() else _whole(value, what)
    if kind is int:
        return _exact(value, what)
    if isinstance(value, enum.Enum):
        return frozen_json(value._value_, what)  # what `value` reads, at a third of its price
    if deep >= DEEPEST and isinstance(value, (Mapping, list, tuple, set, frozenset)):
        raise InvalidValue(what, kind.__name__, f"is nested more than {DEEPEST} deep", "store it flatter")
    if isinstance(value, Mapping):
        return as_fields(value, deep + 1)
    if isinstance(value, (list, tuple, set, frozenset)):
        items = tuple(frozen_json(item, what, deep + 1) for item in value)
        return _in_order(items, what) if isinstance(value, (set, frozenset)) else items
    if isinstance(value, dt.datetime):
        return text(micros(value, what))
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, (str, int)):
        return frozen_json(str(value) if isinstance(value, str) else int(value), what)
    raise InvalidValue(what, value, f"is of type {kind.__name__}, which cannot be stored", _stored_as(kind))


def _stored_as(kind: type) -> str:
    """What to give in place of a value of this type."""
    if callable(getattr(kind, "to_dict", None)):
        return "give its to_dict()"
    return "use text, whole numbers, true/false, null, lists or dicts; write shares as Fraction or text"


DEEPEST = 100
"""How deep lists and dicts may lie in one another: what is written can be read on any stack."""


def _whole(value: str, what: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        said = f"{len(value)} characters"  # the words stay out of logs
        raise InvalidValue(what, said, "hold half a surrogate pair", "store valid Unicode") from None
    return value


def _exact(value: int, what: str) -> int:
    if -_SAFE <= value <= _SAFE:
        return value
    raise InvalidValue(what, value, "is beyond 2^53-1 (RFC 8785)", "store it as text")


def _in_order(items: tuple[Any, ...], what: str) -> tuple[Any, ...]:
    """The frozen items of a set, sorted; frozen first, because sets among them have no order."""
    try:
        return tuple(sorted(items))
    except TypeError:
        raise InvalidValue(what, items, "is a set of mixed kinds and has no order", "use a list") from None


def as_fields(value: Mapping[str, Any] | None, deep: int = 0) -> Fields:
    """The mapping as immutable `Fields` of JSON values."""
    if value is None or not value:
        return NO_FIELDS
    if type(value) is Fields:
        return value
    if not isinstance(value, Mapping):
        raise InvalidValue("fields", value, "are no mapping", 'write {"name": value}')
    made = {}
    for name, item in value.items():
        if type(name) is not str or not name:
            raise InvalidValue("field name", name, "is no text", "name fields with words")
        plain = type(item) is str and item.isascii()  # most are, and need no look inside
        made[name] = item if plain else frozen_json(item, name, deep)
    return Fields(made)


def _ordered(value: Any) -> Any:
    if value is None or value is True or value is False or type(value) is str:
        return value
    if type(value) is int:
        return _exact(value, "number")
    if isinstance(value, Mapping):
        names = sorted(value, key=_utf16)
        return {name: _ordered(value[name]) for name in names}
    if isinstance(value, (list, tuple)):
        return [_ordered(item) for item in value]
    return _ordered(frozen_json(value))


def _utf16(name: Any) -> bytes:
    """The key that orders names: by UTF-16 code units (RFC 8785 3.2.3)."""
    if not isinstance(name, str):
        raise InvalidValue("name", name, "is no text", "JSON names are texts")
    return name.encode("utf-16-be", "surrogatepass")


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of a JSON value without floats."""
    written = json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"))
    try:
        return written.encode()
    except UnicodeEncodeError:
        raise InvalidValue("text", value, "holds half a surrogate pair", "store valid Unicode") from None


_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
_odd_number = re.compile(r"[:,\[]-?(?:[0-9]{16}|[0-9]+[.eE](?![0-9]{6}Z)|NaN|Infinity)").search  # Z: a text


def written(value: Any) -> str:
    """The text of `canonical` for a dict or list whose names are texts, made quickly where it is the same.

    It could differ by a number that is no integer or near 2^53, half a surrogate pair, or a name
    beyond U+FFFF.
    """
    quick = _encoded(value)
    return quick if _odd_number(quick) is None and _is_basic(quick) else canonical(value).decode()


def _is_basic(quick: str) -> bool:
    """Whether every character is whole and below U+FFFF."""
    try:
        return quick.isascii() or len(quick.encode("utf-16-le")) == 2 * len(quick)
    except UnicodeEncodeError:
        return False


def digest_of(*texts: Any) -> str:
    """The `digest` of a list, made quickly where all of it is text."""
    try:
        return sha256(f"[{','.join(map(_quoted, texts))}]".encode())
    except (TypeError, UnicodeEncodeError):
        return sha256(written(texts).encode())


_quoted: Callable[[Any], str] = json.encoder.encode_basestring


def sha256(written: bytes) -> str:
    """The SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(written).hexdigest()


def digest(value: Any) -> str:
    """The SHA-256 of the canonical JSON, in hexadecimal."""
    return sha256(canonical(value))


# --- the table: a type, and the two functions that take it out and in -------------------------

Pair = tuple[Callable[[Any], Any], Callable[[Any], Any]]


def _same(value: Any) -> Any:
    return value


def _instant(at: dt.datetime) -> str:
    if type(at) is dt.datetime and at.tzinfo is UTC:  # the quick way of the same text
        return at.isoformat(timespec="microseconds")[:-6] + "Z"
    return text(micros(at))


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


# --- values made of what is known to be right ---------------------------------------------------


def trusted(cls: type[T]) -> Callable[..., T]:
    """A constructor of a slotted attrs class from all its fields in order: nothing is converted or checked.

    For the paths where each value comes from another of our values.
    """
    names = [field.name for field in attrs.fields(cast("Any", cls))]
    return _written(cls, f"made({', '.join(names)})", {name: name for name in names})


def evolver(cls: type[T], *changed: str) -> Callable[..., T]:
    """A function that copies a value of a slotted attrs class with other values of these fields, in order."""
    names = [field.name for field in attrs.fields(cast("Any", cls))]
    sources = {name: name if name in changed else f"was.{name}" for name in names}
    return _written(cls, f"made(was, {', '.join(changed)})", sources)


def _written(cls: type[T], head: str, sources: Mapping[str, str]) -> Callable[..., T]:
    """A function written as source, as attrs writes its own: a loop over the fields costs what it saves."""
    known: dict[str, Any] = {f"_{name}": getattr(cls, name).__set__ for name in sources}
    known |= {"_new": object.__new__, "_cls": cls}
    lines = [f"def {head}:", "    it = _new(_cls)", *(f"    _{n}(it, {s})" for n, s in sources.items())]
    exec("\n".join([*lines, "    return it"]), known)  # noqa: S102 - field names of our own classes
    made: Callable[..., T] = known["made"]
    return made


# --- what callers hand over, checked at the door ----------------------------------------------


def member(kind: type[E], value: Any, what: str) -> E:
    """The member of an enum that a value names; anything else is refused with the choices."""
    try:
        return kind(value)
    except ValueError:
        choices = ", ".join(str(one.value) for one in kind)
        reason = f"is no {what.replace('_', ' ')}"
        raise InvalidValue(what, value, reason, f"use one of {choices}") from None


def only(kind: type[T], value: Any, what: str, remedy: str) -> T:
    """The value itself, if it is of this kind."""
    if not isinstance(value, kind):
        raise InvalidValue(what, value, f"is no {_PLAIN.get(kind, kind.__name__)}", remedy)
    return value


_PLAIN: dict[type, str] = {str: "text", int: "whole number"}


def each(kind: type[T], value: Any, what: str, remedy: str) -> tuple[T, ...]:
    """The items of an iterable, if all are of this kind; one of the kind alone is no list."""
    plain = type(value) is tuple or type(value) is list  # most are, and abstract classes take their time
    if not plain and (isinstance(value, (str, Mapping, kind)) or not isinstance(value, Iterable)):
        raise InvalidValue(what, value, f"is no list of {kind.__name__}", remedy)
    items = tuple(value)
    if set(map(type, items)) <= {kind}:
        return items
    return tuple(only(kind, item, what, remedy) for item in items)


def texts(value: Any, what: str, remedy: str) -> tuple[str, ...]:
    """The words of an iterable; a text alone is one word, never its letters."""
    found = (value,) if isinstance(value, str) or not isinstance(value, Iterable) else tuple(value)
    return tuple(word(one, what, remedy) for one in found)


def word(value: Any, what: str, remedy: str) -> str:
    """The text itself, if it is one and not empty."""
    if not isinstance(value, str) or not value:
        raise InvalidValue(what, value, "is no word", remedy)
    return value


def named(value: Any, what: str, remedy: str) -> str:
    """The id itself, if it is a text and not empty."""
    if value is None or value == "":
        raise InvalidValue(what, value, "has no id", remedy)
    return only(str, value, what, f"an id is a text; {remedy}")


def counted(value: Any, what: str) -> int:
    """The version of a thing: a whole number from 1 on."""
    if type(value) is not int or value < 1:
        remedy = f"count 1, 2, 3; a changed {what} is a new version"
        raise InvalidValue("version", value, "is no version", remedy)
    return value
