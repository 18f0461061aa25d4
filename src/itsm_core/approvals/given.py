"""What callers give to a rule, read and checked: names, numbers of votes, instants, plain lists."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import islice
from typing import Any

from itsm_core.business_time.instants import in_utc, parse_text, utc
from itsm_core.errors import BeyondHorizon, InvalidValue
from itsm_core.values import frozen_json, word

MOST = 10_000
"""How many names any list of a rule may hold."""

_FINEST = 10**12  # a share of more digits than this is a mistake, or meant to do harm
_RATIO = re.compile(r"([0-9]{1,13})\s*/\s*([0-9]{1,13})")
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?)\s*%")
_HOW_MANY = 'say 2 for two votes, "2/3" or "50 %" for a share, "all" for everybody; floats round'


def names(value: Any, what: str) -> tuple[str, ...]:
    """The names of a list, in its order (those of a set sorted); a text alone is one name."""
    remedy = 'give a list of ids: ["ana", "bob"]'
    if isinstance(value, str):
        value = (value,)
    if isinstance(value, Mapping) or not isinstance(value, Iterable):
        raise InvalidValue(what, value, "is no list of names", remedy)
    found = tuple(islice(value, MOST + 1))
    if len(found) > MOST:
        raise InvalidValue(what, found[0], f"is the first of more than {MOST:,} names", "ask fewer")
    read = (frozen_json(word(name, what, remedy), what) for name in found)
    return tuple(sorted(read)) if isinstance(value, (set, frozenset)) else tuple(read)


def folded(value: Any, what: str) -> tuple[str, ...]:
    """The names of a list, each once."""
    return tuple(dict.fromkeys(names(value, what)))


def named_once(value: Any, what: str) -> tuple[str, ...]:
    """The names of a list; one that comes twice is refused, since nobody has two voices."""
    found = names(value, what)
    double = first_double(found)
    if double is not None:
        raise InvalidValue(what, double, "is named twice", "name each person once")
    return found


def first_double(found: Iterable[str]) -> str | None:
    """The first name that was there before; None if all differ."""
    seen: set[str] = set()
    for name in found:
        if name in seen:
            return name
        seen.add(name)
    return None


def how_many(value: Any) -> int | Fraction:
    """A number of votes, or an exact share of them; "all" is the whole."""
    if type(value) is int:
        return value
    share = value if isinstance(value, Fraction) else _share(value) if isinstance(value, str) else None
    if share is None:
        raise InvalidValue("needed", value, "is no number and no exact share", _HOW_MANY)
    if not 0 < share <= 1 or share.denominator > _FINEST:
        raise InvalidValue("needed", value, "is no share above nothing and up to all", _HOW_MANY)
    return share


def _share(said: str) -> Fraction | None:
    if said == "all":
        return Fraction(1)
    if found := _PERCENT.fullmatch(said.strip()):
        return Fraction(found[1]) / 100
    found = _RATIO.fullmatch(said.strip())
    return Fraction(int(found[1]), int(found[2])) if found and int(found[2]) else None


def share_text(needed: int | Fraction) -> int | str:
    """How a number or share is written in plain data."""
    if type(needed) is int:
        return needed
    return "all" if needed == 1 else str(needed)


def instant(value: Any, what: str) -> dt.datetime | None:
    """The instant in UTC; None stays None."""
    try:
        return None if value is None else in_utc(value, what)
    except BeyondHorizon as far:
        raise _too_far(value, what, far) from None


def instant_of_text(value: Any, what: str) -> dt.datetime | None:
    """The instant of an ISO 8601 text, in UTC; None stays None."""
    try:
        return None if value is None else utc(parse_text(value, what))
    except BeyondHorizon as far:
        raise _too_far(value, what, far) from None


def _too_far(value: Any, what: str, far: BeyondHorizon) -> InvalidValue:
    return InvalidValue(what, value, str(far), "leave it out if there is none")


def listed(value: Any, what: str) -> list[Any] | tuple[Any, ...]:
    """The list of plain data, not longer than a rule may hold."""
    if not isinstance(value, (list, tuple)):
        raise InvalidValue(what, value, "is no list", "write [...], also around one name")
    if len(value) > MOST:
        raise InvalidValue(what, len(value), f"are more than {MOST:,}", "ask fewer")
    return value
