"""From the outbox to the notifier: claim, send, settle, as a generator without I/O.

A message is settled right after it is sent, so a process that dies in between repeats at most
the one message it was sending, with the same key.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator
from typing import Any

import attrs

from itsm_core.ports import (
    Ask,
    Claim,
    Delivered,
    Message,
    Outcome,
    Rejected,
    Retry,
    Send,
    Settlement,
    Unknown,
)

RETRIES = tuple(dt.timedelta(seconds=n) for n in (5, 15, 30, 60))
"""Waits before the second, third, ... try; after the last the message has failed."""

LEASE = dt.timedelta(minutes=1)


@attrs.frozen
class Relayed:
    """How many messages arrived, will be tried again, and failed for good."""

    delivered: int = 0
    retried: int = 0
    failed: int = 0

    def __add__(self, other: Relayed) -> Relayed:
        return Relayed(
            self.delivered + other.delivered, self.retried + other.retried, self.failed + other.failed
        )


def relay(now: dt.datetime, worker: str, limit: int = 20) -> Generator[Ask | Send, Any, Relayed]:
    """Sends every due message once; returns when none is left to claim."""
    total = Relayed()
    while claims := (yield Ask("claim", ("message", now, limit, LEASE, worker))):
        for claim in claims:
            outcome = yield Send(claim.item)
            settlement = settle(claim, outcome, now)
            yield Ask("settle", ((settlement,), now))
            total += _COUNTS[settlement.outcome]
    return total


_COUNTS = {"done": Relayed(1), "retry": Relayed(0, 1), "failed": Relayed(0, 0, 1)}


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
        wait = outcome.after
    return Settlement(token=claim.token, outcome="retry", detail=outcome.reason, retry_at=now + wait)


def answered(answer: Any) -> Outcome:
    """The outcome a notifier gave; anything else it returned is `Unknown`, None is delivered."""
    if answer is None:
        return Delivered()
    if isinstance(answer, (Delivered, Retry, Rejected, Unknown)):
        return answer
    return Unknown(
        f"the notifier answered {answer!r}; it should answer Delivered, Retry, Rejected or Unknown"
    )
