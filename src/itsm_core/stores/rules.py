"""What all our stores decide alike, without touching any storage.

Which change sets are sound; whether one is new, a repeat or a conflict; what a record is found
by; what the token of a claim says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple, get_args
from uuid import uuid4

from itsm_core.business_time.instants import in_utc, later
from itsm_core.errors import InvalidValue, VersionConflict
from itsm_core.ports import FOLD, ChangeSet, Committed, Ending, Message, Position, Settlement, Snapshot
from itsm_core.records import Record
from itsm_core.values import canonical, sha256

MESSAGE = "message"
FACETS = (
    "number", "customer", "service", "process", "phase", "state", "assignee", "group", "requester", "tenant",
)  # fmt: skip
"""What `Query` compares for equality, in the order of `facets`."""

# --- change sets ------------------------------------------------------------------------------


def check(changes: ChangeSet) -> int:
    """The version that the change set leads to; one that contradicts itself is refused."""
    record, version = changes.record, changes.expected
    for event in changes.events:
        version += 1
        if event.record != record or event.seq != version:
            raise InvalidValue(
                "event",
                event.id,
                f"is #{event.seq} of {event.record!r}, not #{version} of {record!r}",
                "number the events of a change set expected + 1, expected + 2, ...",
            )
    if len(changes.events) > 1 and len({event.id for event in changes.events}) < len(changes.events):
        ids = [event.id for event in changes.events]
        raise InvalidValue("event ids", ids, "some are given twice", "give every event its own id")
    kept = changes.snapshot.record
    if version < 1 or kept.id != record or kept.version != version:
        raise InvalidValue(
            "snapshot",
            f"{kept.id} version {kept.version}",
            f"is not {record!r} at version {version}",
            "give the record as its newest event leaves it; a record begins with an `opened` event",
        )
    for timer in changes.timers:
        if timer.kind == MESSAGE:
            raise InvalidValue("timer", timer.id, f"has the kind {MESSAGE!r}", "messages have no timers")
    return version


def admit(changes: ChangeSet, version: int, known: Sequence[tuple[str, int]]) -> Committed | None:
    """None if the change set may be written, or what its first writing left.

    `version` is where the record is now, `known` the record and seq of those of its events that
    are already stored. Raises `VersionConflict`.
    """
    if known and len(known) == len(changes.events):
        record, seq = known[-1]
        return Committed(record=record, version=seq, repeated=True)
    if version != changes.expected:
        raise VersionConflict(changes.record, changes.expected, version)
    if known:
        taken = "; ".join(f"#{seq} of {record}" for record, seq in known)
        ids = [event.id for event in changes.events]
        raise InvalidValue("event ids", ids, f"some are taken ({taken})", "give every event its own id")
    return None


def link(before: str, digest: str) -> str:
    """The link of an event in the chain of its record: of the link before it and its digest."""
    return sha256((before + digest).encode())


def usable(snapshot: Snapshot) -> Snapshot | None:
    """The snapshot, or None if another fold made it: its events then tell what it would say."""
    return snapshot if snapshot.fold == FOLD else None


# --- what a record is found by ----------------------------------------------------------------


def facets(record: Record) -> tuple[str | None, ...]:
    """What the record is found by, as texts, in the order of `FACETS`."""
    values = record.values.get
    return (
        as_text(values("number")),
        as_text(values("customer")),
        as_text(values("service")),
        record.process,
        record.phase._value_,
        record.state,
        as_text(values("assignee")),
        as_text(values("group")),
        as_text(values("requester")),
        record.tenant,
    )


def references(record: Record) -> tuple[str, ...]:
    """What other systems call the record, each once."""
    held = record.values.get("external_refs")
    if not held:
        return ()
    held = (held,) if isinstance(held, str) else held
    return tuple({str(as_text(ref)): None for ref in held})


def as_text(value: Any) -> str | None:
    """The value as a text to compare: itself, or its JSON if it is no text."""
    if value is None or type(value) is str:
        return value
    return canonical(value).decode()


# --- claims -----------------------------------------------------------------------------------

OUTCOMES: tuple[str, ...] = get_args(Ending)


class Held(NamedTuple):
    """What a token says: a timer or a message, by its id, as taken in one batch."""

    message: bool
    batch: str
    id: str


def batch() -> str:
    """A name for one claiming that nobody else has."""
    return uuid4().hex


def token(kind: str, batch: str, item: str) -> str:
    """The token of a claimed item; `held` reads it."""
    return f"{'m' if kind == MESSAGE else 't'}.{batch}.{item}"


def held(settlement: Settlement) -> Held:
    """What the settlement is about; an outcome that nobody knows is refused."""
    if settlement.outcome not in OUTCOMES:
        raise InvalidValue(
            "outcome", settlement.outcome, "ends no claim", f"say one of {', '.join(OUTCOMES)}"
        )
    what, _, rest = settlement.token.partition(".")
    name, _, item = rest.partition(".")
    return Held(what == "m", name, item)


def lease_end(now: dt.datetime, lease: dt.timedelta) -> dt.datetime:
    """The instant from which on others may claim again."""
    if lease <= dt.timedelta(0):
        raise InvalidValue("lease", lease, "is over before it begins", "give the worker some time, say 60 s")
    now = in_utc(now, "now")
    if (until := later(now, lease)) <= now:
        raise InvalidValue("now", now, "is the last instant there is; no lease follows it", "name another")
    return until


def ready(message: Message) -> dt.datetime:
    """The instant from which on the message may be sent."""
    return message.created_at if message.not_before is None else message.not_before


# --- reading ----------------------------------------------------------------------------------


def place(position: Position) -> int:
    """How many events, or which of them, lie before the position."""
    return _number(position, position.token) if position.token else 0


def place_among_transactions(position: Position) -> tuple[str, int]:
    """The transaction, and which of its events, that lie before the position."""
    if not position.token:
        return "0", 0
    transaction, _, event = position.token.partition(".")
    return str(_number(position, transaction)), _number(position, event)


def _number(position: Position, digits: str) -> int:
    """The number that these digits are, which no counter of a store exceeds."""
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise InvalidValue("position", position.token, "was not given by this store", "begin at Position()")
    return int(digits)


def at_most(limit: int) -> int:
    """The limit as a count: a negative one asks for nothing."""
    return max(limit, 0)
