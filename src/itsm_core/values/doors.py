"""What callers hand over, checked at the door: an error names the thing, the reason and the remedy."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from itsm_core.errors import InvalidValue

T = TypeVar("T")
E = TypeVar("E", bound=enum.Enum)


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


def flag(_: Any, field: Any, value: object) -> None:
    """A validator of attrs for what is true or false: "no" is neither, and would count as true."""
    only(bool, value, field.name, "say True or False")


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


def called(value: T, what: str, remedy: str) -> T:
    """The function itself, if it is one."""
    if not callable(value):
        raise InvalidValue(what, value, "cannot be called", remedy)
    return value


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


def is_awaited(plugged: object) -> bool:
    """Whether what a host plugs in is async: a function, or an object that is called like one."""
    called = getattr(plugged, "__call__", plugged)  # noqa: B004 - an object may have an async one
    return inspect.iscoroutinefunction(plugged) or inspect.iscoroutinefunction(called)


def pairs(value: Any, what: str, remedy: str) -> tuple[tuple[str, str], ...]:
    """The pairs of ids of an iterable; a text is none, whatever its length."""
    found = []
    for pair in value if isinstance(value, Iterable) else (value,):
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise InvalidValue(what, pair, "is no pair", remedy)
        found.append((named(pair[0], what, remedy), named(pair[1], what, remedy)))
    return tuple(found)


def counted(value: Any, what: str) -> int:
    """The version of a thing: a whole number from 1 on."""
    if type(value) is not int or not 1 <= value < 2**53:  # RFC 8785: larger ones cannot be stored
        remedy = f"count 1, 2, 3; a changed {what} is a new version"
        raise InvalidValue("version", value, "is no version", remedy)
    return value
