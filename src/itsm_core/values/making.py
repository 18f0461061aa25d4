"""attrs values made of parts that are known to be right: without converters and validators, quickly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import attrs

T = TypeVar("T")


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
