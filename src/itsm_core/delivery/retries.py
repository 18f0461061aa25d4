"""When a message is tried again: waits as data, by channel or urgency."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

import attrs

from itsm_core.business_time.durations import Budget, hours, minutes, seconds
from itsm_core.errors import InvalidValue
from itsm_core.ports import Message
from itsm_core.values import each, only, sha256

OnUnknown = Literal["resend", "hold"]
_WAITS = "list them by unit: Retries([seconds(5), minutes(5), hours(2)])"


def _waits(value: Iterable[Budget]) -> tuple[Budget, ...]:
    return each(Budget, value, "waits", _WAITS)


def _percent(_: object, __: object, value: object) -> None:
    if type(value) is not int or not 0 <= value <= 100:
        raise InvalidValue("jitter", value, "is no percentage", "give a whole number from 0 to 100")


def _answer(_: object, __: object, value: object) -> None:
    if value not in ("resend", "hold"):
        raise InvalidValue("on_unknown", value, "is no answer", "say resend or hold")


@attrs.frozen
class Retries:
    """How long, on the wall clock, to wait before the second, third, ... try of a message.

    After the last of the `waits` it is given up. `jitter` is by how many percent of itself a wait may grow,
    so that not all that failed together comes back together; how much it does follows from key and try.
    `on_unknown` says what to do where nobody knows whether a try arrived: send it again (receivers
    know it by its key), or hold it, so that at most one copy arrives.

    >>> Retries([seconds(5), minutes(1)]).wait("key", 0), Retries([seconds(5)]).wait("key", 1)
    (datetime.timedelta(seconds=5), None)
    """

    waits: tuple[Budget, ...] = attrs.field(converter=_waits)
    jitter: int = attrs.field(default=0, validator=_percent, kw_only=True)
    on_unknown: OnUnknown = attrs.field(default="resend", validator=_answer, kw_only=True)

    def wait(self, key: str, tried: int) -> dt.timedelta | None:
        """How long to wait after so many tries and one more; None if that was the last."""
        if tried >= len(self.waits):
            return None
        us = self.waits[tried].us
        luck = int(sha256(f"{tried}/{key}".encode("utf-8", "surrogatepass"))[:8], 16)
        return dt.timedelta(microseconds=us + us * self.jitter * luck // (100 * 16**8))

    @property
    def longest(self) -> dt.timedelta:
        """The longest of the waits, without its jitter."""
        return max((one.timedelta for one in self.waits), default=dt.timedelta(0))


PAGES = Retries([seconds(5), seconds(15), seconds(30), seconds(60)])
"""At once, and after 5, 15, 30 and 60 seconds: for what wakes somebody up."""

STANDARD_WEBHOOKS = Retries(
    [
        seconds(5), minutes(5), minutes(30), hours(2), hours(5), hours(10), hours(14), hours(20), hours(24),
    ],
    jitter=10,
)  # fmt: skip
"""At once, and over 75 hours 35 minutes 5 seconds: the schedule that the Standard Webhooks specification
gives as its example, with the jitter that it asks for."""

RETRIES: Mapping[str, Retries] = MappingProxyType({
    "failover": PAGES,
    "email": STANDARD_WEBHOOKS,
    "webhook": STANDARD_WEBHOOKS,
    "*": PAGES,
})  # fmt: skip
"""By channel; "failover" is for messages that have another way to go, whatever their channel."""


def merged(given: Mapping[str, Retries] | Retries | None) -> Mapping[str, Retries]:
    """The table with what the host gives: one for everything, or some by name."""
    if given is None:
        return RETRIES
    if isinstance(given, Retries):
        return {"*": given}
    remedy = 'give Retries([...]), or {"sms": Retries([...]), "urgency:low": Retries([...])}'
    if not isinstance(given, Mapping):
        raise InvalidValue("retries", given, "is no table of Retries", remedy)
    return {**RETRIES, **{name: only(Retries, one, "retries", remedy) for name, one in given.items()}}


def retries_of(table: Mapping[str, Retries], message: Message) -> Retries:
    """Those of a message: where it can go elsewhere, else by channel, by urgency, or of all others ("*")."""
    elsewhere = ("failover",) if message.failover else ()
    names = (*elsewhere, message.channel, f"urgency:{message.urgency}", "*")
    return next(table[name] for name in names if name in table)
