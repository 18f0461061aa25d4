"""Claim, look, send, settle: the outbox is emptied by a generator without I/O."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Mapping
from typing import Any

import attrs

from itsm_core.business_time.instants import in_utc, later
from itsm_core.delivery.retries import RETRIES, Retries, retries_of
from itsm_core.delivery.settling import delayed, forwarded, settle, withheld
from itsm_core.errors import RecordNotFound, StoreError
from itsm_core.ports import Ask, Claim, Message, Rejected, Send, Settlement
from itsm_core.records import Record

LEASE = dt.timedelta(minutes=1)
"""How long a message is held by whoever sends it; a send that takes longer may be repeated by another."""

TURN = dt.timedelta(seconds=5)
"""With a clock at hand, after so long the timers get their turn, however many messages wait."""

AGAIN = dt.timedelta(minutes=1)

_SPENT = Rejected("its tries are used up")

Look = Callable[[str], Generator[Ask, Any, Record | None]]
"""The record of an id as it is now; None if it is gone."""
Forward = Callable[[Message, dt.datetime], Generator[Ask, Any, object]]
"""Puts one more message in the outbox."""
Clock = Callable[[], dt.datetime]


@attrs.frozen
class Relayed:
    """How many messages arrived, will be tried again, and were not sent because something newer took
    their place or their time was over; which failed for good, and the records that are stuck, with why.
    """

    delivered: int = 0
    retried: int = 0
    failures: tuple[tuple[str, str], ...] = ()
    superseded: int = 0
    expired: int = 0
    stuck: tuple[tuple[str, Exception], ...] = ()


def unseen(_: str) -> Generator[Ask, Any, Record | None]:
    """Looks nothing up."""
    yield from ()
    return None


@attrs.frozen(kw_only=True)
class Relay:
    """By what a relay goes: how often it tries, how a record is looked up, where messages are put.

    Without `forward` nobody is told instead. With a `clock` the time it takes to send counts.
    """

    retries: Mapping[str, Retries] = RETRIES
    look: Look = unseen
    forward: Forward | None = None
    clock: Clock | None = None

    def read(self, now: dt.datetime) -> dt.datetime:
        """What time it is, never before `now`."""
        return now if self.clock is None else max(now, in_utc(self.clock(), "clock"))


def relay(now: dt.datetime, worker: str, by: Relay | None = None) -> Generator[Ask | Send, Any, Relayed]:
    """Sends what is due at `now`, one message after the other; returns when nothing is left to claim."""
    by, told = by or Relay(), _Told()
    begun = at = by.read(now)
    while at - begun < TURN and (claims := (yield _claim(now, at, worker))):
        for claim in claims:
            yield from _carried(claim, by, by.read(at), told)
        at = by.read(at)
    return told.relayed()


def _claim(now: dt.datetime, at: dt.datetime, worker: str) -> Ask:
    """One message that was due at `now`, held for a lease from `at` on.

    One at a time: a worker that is slow or dies keeps no other message from the other workers.
    """
    return Ask("claim", ("message", now, 1, later(at, LEASE) - now, worker))


def _carried(claim: Claim, by: Relay, at: dt.datetime, told: _Told) -> Generator[Ask | Send, Any, None]:
    """Sends one message, or not, and settles it; what could not even be looked at is left for later."""
    try:
        settlement = yield from _sent(claim, by, at)
    except StoreError:
        raise
    except Exception as error:
        told.stuck.append((claim.item.record, error))
        why = type(error).__name__
        settlement = Settlement(token=claim.token, outcome="retry", detail=why, retry_at=later(at, AGAIN))
    else:
        told.note(claim, settlement)
    yield Ask("settle", ((settlement,), at))


def _sent(claim: Claim, by: Relay, at: dt.datetime) -> Generator[Ask | Send, Any, Settlement]:
    message: Any = claim.item
    of_a_run = message.run is not None or message.generation is not None
    record = (yield from by.look(message.record)) if of_a_run else None
    if (why := withheld(message, record, at)) is not None:
        return Settlement(token=claim.token, outcome=why[0], detail=why[1])
    retries = retries_of(by.retries, message)
    # Where there is another way to go, only telling somebody else has failed so far, or looking.
    spent = bool(message.failover) and message.attempt > len(retries.waits)
    outcome = _SPENT if spent else (yield Send(delayed(message, at)))
    at = by.read(at)
    settlement = settle(claim, outcome, at, retries)
    other = forwarded(message)
    if settlement.outcome != "failed" or other is None or by.forward is None:
        return settlement
    # In the outbox before the other is settled: whoever dies in between leaves both, under their keys.
    told = f"{other.to} by {other.channel} is next"
    try:
        yield from by.forward(other, at)
    except RecordNotFound:
        told = f"{message.record} is gone, so nobody is next"
    return attrs.evolve(settlement, detail=f"{settlement.detail}; {told}")


class _Told:
    """What a relay has done so far."""

    def __init__(self) -> None:
        self.counted = {"done": 0, "retry": 0, "superseded": 0, "expired": 0}
        self.failures: list[tuple[str, str]] = []
        self.stuck: list[tuple[str, Exception]] = []

    def note(self, claim: Claim, settlement: Settlement) -> None:
        """Counts a message; of one that failed, its key and the reason are kept."""
        message: Any = claim.item
        if settlement.outcome == "failed":
            self.failures.append((message.key, settlement.detail))
        else:
            self.counted[settlement.outcome] += 1

    def relayed(self) -> Relayed:
        """All of it, as a value."""
        done, retried, superseded, expired = self.counted.values()
        return Relayed(done, retried, tuple(self.failures), superseded, expired, tuple(self.stuck))
