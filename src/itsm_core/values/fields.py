"""JSON values that cannot be changed: floats and other types are refused by name."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NoReturn

from itsm_core.business_time.instants import micros, text
from itsm_core.errors import InvalidValue

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
        return exact(value, what)
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


def exact(value: int, what: str) -> int:
    """The whole number, unless other languages would lose its last digits."""
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
    if type(value) is not dict and not isinstance(value, Mapping):  # which costs as much as the rest
        raise InvalidValue("fields", value, "are no mapping", 'write {"name": value}')
    made = {}
    for name, item in value.items():
        if type(name) is not str or not name:
            raise InvalidValue("field name", name, "is no text", "name fields with words")
        plain = type(item) is str and item.isascii()  # most are, and need no look inside
        made[name] = item if plain else frozen_json(item, name, deep)
    return Fields(made)
