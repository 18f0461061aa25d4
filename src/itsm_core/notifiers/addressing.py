"""Where a receiver is reached: what a host says about `Message.to`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from itsm_core.errors import InvalidValue
from itsm_core.ports import Message

Addressing: TypeAlias = Callable[[Message], str | None]
"""Says where a message goes: a mail address, an Apprise URL; None if its receiver has none."""


def addressing(given: Addressing | Mapping[str, str] | str) -> Addressing:
    """The function that a host gave, or that of its mapping from `Message.to`, or of one place for all."""
    if isinstance(given, str):
        place = given
        return lambda _: place
    if isinstance(given, Mapping):
        places = dict(given)
        return lambda message: places.get(message.to)
    if callable(given):
        return given
    raise InvalidValue(
        "address",
        type(given).__name__,
        "is neither a text, a mapping nor a function",
        'give {"ana": "ana@example.org"}, or a function of a Message',
    )
