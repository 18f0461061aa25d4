"""What becomes of a message: sent or not, tried again or given up, and who is told instead."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs

from itsm_core.business_time.instants import later
from itsm_core.delivery.retries import PAGES, Retries
from itsm_core.ports import Claim, Delivered, Ending, Message, Outcome, Rejected, Retry, Settlement, Unknown
from itsm_core.records import Record

LONGEST = dt.timedelta(days=7)
"""No receiver can put a message off for longer."""


def withheld(message: Message, record: Record | None, now: dt.datetime) -> tuple[Ending, str] | None:
    """Why a message is not sent any more: it has expired or was superseded; None if it is.

    `record` is the one it is about, as it is now; without one, only its own time counts.
    """
    if message.expires_at is not None and message.expires_at <= now:
        return "expired", f"its time was over at {message.expires_at.isoformat()}"
    if record is None:
        return None
    generation = record.escalation.generation
    if message.generation is not None and message.generation < generation:
        return "superseded", f"of generation {message.generation}, and {record.id} is at {generation}"
    if message.run is not None and _ended_since(record, message):
        return "superseded", f"{record.id} has been {record.state} since {_text(record.entered_at)}"
    return None


def _ended_since(record: Record, message: Message) -> bool:
    """Whether the record has left the open phases since its step fired; who says it late may date it back."""
    if record.phase.is_open:
        return False
    later = record.entered_at is not None and record.entered_at > message.created_at
    return later or message.facts.get("while_open") is True


def _text(at: dt.datetime | None) -> str:
    return "" if at is None else at.isoformat()


def settle(claim: Claim, outcome: Outcome, now: dt.datetime, retries: Retries = PAGES) -> Settlement:
    """What becomes of a message that the notifier answered with `outcome`."""
    if isinstance(outcome, Delivered):
        return Settlement(token=claim.token, outcome="done", detail=outcome.reference)
    if isinstance(outcome, Rejected):
        return Settlement(token=claim.token, outcome="failed", detail=outcome.reason)
    if isinstance(outcome, Unknown) and retries.on_unknown == "hold":
        told = f"held, since it may have arrived: {outcome.reason}"
        return Settlement(token=claim.token, outcome="failed", detail=told)
    return _again(claim, outcome, now, retries)


def _again(claim: Claim, outcome: Retry | Unknown, now: dt.datetime, retries: Retries) -> Settlement:
    """Tried again, unless no try or no time is left for it."""
    message: Any = claim.item
    wait = retries.wait(message.key, message.attempt)
    asked = outcome.after if isinstance(outcome, Retry) and outcome.after is not None else dt.timedelta(0)
    expires, told = message.expires_at, f"after {_counted(message.attempt + 1)}: {outcome.reason}"
    if wait is None:
        return Settlement(token=claim.token, outcome="failed", detail=f"gave up {told}")
    if message.failover and asked > retries.longest:
        return Settlement(token=claim.token, outcome="failed", detail=f"put off for {asked} {told}")
    at = later(now, max(wait, min(asked, LONGEST)))
    if expires is not None and expires <= at:
        ending: Ending = "failed" if message.failover else "expired"
        return Settlement(token=claim.token, outcome=ending, detail=f"no time for another try {told}")
    return Settlement(token=claim.token, outcome="retry", detail=outcome.reason, retry_at=at)


def _counted(tries: int) -> str:
    return f"{tries} {'try' if tries == 1 else 'tries'}"


def forwarded(message: Message) -> Message | None:
    """The message to whom is told instead, by a key of its own; None if there is nobody left."""
    if not message.failover:
        return None
    (to, channel), *others = message.failover
    return attrs.evolve(
        message,
        key=f"{message.key}#then-{channel}",
        to=to,
        channel=channel,
        failover=tuple(others),
        not_before=_ready(message),
        attempt=0,
        facts={**message.facts, "instead_of": message.key},
    )


def delayed(message: Message, now: dt.datetime) -> Message:
    """The message as it is sent: among its facts, how long it has waited since it could first be sent."""
    waited = max(now - _ready(message), dt.timedelta(0)) // dt.timedelta(microseconds=1)
    return attrs.evolve(message, facts={**message.facts, "delay_us": waited})


def _ready(message: Message) -> dt.datetime:
    return message.created_at if message.not_before is None else message.not_before
