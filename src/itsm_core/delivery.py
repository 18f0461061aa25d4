"""From the outbox to the notifier: claim, send, settle, as a generator without I/O.

A message is settled right after it is sent, so a process that dies in between repeats at most
the one message it was sending, with the same key.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Mapping
from typing import Any, TypeVar

import attrs

from itsm_core.business_time.instants import later
from itsm_core.errors import InvalidValue
from itsm_core.ports import (
    Ask,
    Claim,
    Delivered,
    Message,
    Notifier,
    Outcome,
    Rejected,
    Retry,
    Send,
    Settlement,
    Unknown,
)

RETRIES = tuple(dt.timedelta(seconds=n) for n in (5, 15, 30, 60))
"""Waits before the second, third, ... try; after the last the message has failed."""

LONGEST = dt.timedelta(days=7)
"""No receiver can put a message off for longer."""

LEASE = dt.timedelta(minutes=1)


@attrs.frozen
class Relayed:
    """How many messages arrived and will be tried again, and which failed for good, with the reason."""

    delivered: int = 0
    retried: int = 0
    failures: tuple[tuple[str, str], ...] = ()


def relay(now: dt.datetime, worker: str, limit: int = 20) -> Generator[Ask | Send, Any, Relayed]:
    """Sends every due message once; returns when none is left to claim."""
    counted = {"done": 0, "retry": 0}
    failures: list[tuple[str, str]] = []
    while claims := (yield Ask("claim", ("message", now, limit, LEASE, worker))):
        for claim in claims:
            outcome = yield Send(claim.item)
            settlement = settle(claim, outcome, now)
            yield Ask("settle", ((settlement,), now))
            if settlement.outcome == "failed":
                failures.append((claim.item.key, settlement.detail))
            else:
                counted[settlement.outcome] += 1
    return Relayed(counted["done"], counted["retry"], tuple(failures))


def settle(claim: Claim, outcome: Outcome, now: dt.datetime) -> Settlement:
    """What becomes of a message that the notifier answered with `outcome`."""
    if isinstance(outcome, Delivered):
        return Settlement(token=claim.token, outcome="done", detail=outcome.reference)
    if isinstance(outcome, Rejected):
        return Settlement(token=claim.token, outcome="failed", detail=outcome.reason)
    tried = claim.item.attempt if isinstance(claim.item, Message) else 0
    if tried >= len(RETRIES):
        return Settlement(token=claim.token, outcome="failed", detail=f"gave up: {outcome.reason}")
    wait = RETRIES[tried]
    if isinstance(outcome, Retry) and outcome.after is not None:
        wait = min(outcome.after, LONGEST)
    return Settlement(token=claim.token, outcome="retry", detail=outcome.reason, retry_at=later(now, wait))


def answered(answer: Any) -> Outcome:
    """The outcome a notifier gave; anything else it returned is `Unknown`, None is delivered."""
    if answer is None:
        return Delivered()
    if isinstance(answer, (Delivered, Retry, Rejected, Unknown)):
        return answer
    return Unknown(
        f"the notifier answered {answer!r}; it should answer Delivered, Retry, Rejected or Unknown"
    )


N = TypeVar("N")


def by_channel(notifiers: Mapping[str, N] | N | None) -> dict[str, N]:
    """The notifiers by channel; a single one takes every channel ("*")."""
    held: dict[str, Any]
    try:
        held = {"*": notifiers} if callable(notifiers) else dict(notifiers or {})  # type: ignore[arg-type]
    except (TypeError, ValueError):
        held = {"*": notifiers}
    for channel, notifier in held.items():
        if not callable(notifier):
            raise InvalidValue(
                "notifiers",
                notifier,
                f"cannot be called (channel {channel!r})",
                'give a function of a Message, or {"email": function, "*": function}',
            )
    return held


def chosen(notifiers: Mapping[str, N], message: Message) -> N | Rejected:
    """The notifier of the message's channel, or else that of "*"; a rejection where there is none."""
    notifier = notifiers.get(message.channel) or notifiers.get("*")
    if notifier is None:
        known = ", ".join(sorted(notifiers))
        return Rejected(f"no notifier for the channel {message.channel!r}, only for {known}")
    return notifier


def failed(error: Exception) -> Unknown:
    """What is known of a message whose notifier raised."""
    return Unknown(f"{type(error).__name__}: {error}")


def send(notifiers: Mapping[str, Notifier], message: Message) -> Outcome:
    """What the notifier of the message's channel, or else that of "*", makes of it."""
    notifier = chosen(notifiers, message)
    if isinstance(notifier, Rejected):
        return notifier
    try:
        return answered(notifier(message))
    except Exception as error:
        return failed(error)
