"""Everything that does I/O, as protocols, and the values that cross them.

A host plugs in storage and notification here. The docstrings are the contract: each numbered
promise is kept by every store that ships with the library, and can be asked of yours.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Literal, Protocol, TypedDict

import attrs

from itsm_core.business_time.instants import in_utc
from itsm_core.errors import InvalidValue
from itsm_core.events import Event, Phase
from itsm_core.oncall import Person
from itsm_core.records import Record
from itsm_core.sla import Timeline
from itsm_core.values import NO_FIELDS, Fields, as_fields, member, pairs

# --- what a store keeps -----------------------------------------------------------------------


FOLD = 6
"""The version of what `fold` and `trace` make of events; a change of either is a new one."""


@attrs.frozen(kw_only=True)
class Snapshot:
    """A record and the timeline of its clocks as of one version: a cache of its events.

    `fold` is the `FOLD` that made it; a store drops one made by another. `due` is when the first
    of its running clocks falls due, which work lists ask for.
    """

    record: Record
    timeline: Timeline
    fold: int
    due: dt.datetime | None = attrs.field(default=None, converter=attrs.converters.optional(in_utc))


@attrs.frozen(kw_only=True)
class Timer:
    """An instant at which a record wants to be looked at again.

    `id` is derived from what it is for: setting it to another instant moves it and ends any claim,
    setting it unchanged changes nothing, and `due` None cancels it. The kind "message" is taken.
    """

    id: str
    record: str
    kind: str
    due: dt.datetime | None = attrs.field(converter=attrs.converters.optional(in_utc))


def _pairs(value: Iterable[Iterable[str]]) -> tuple[tuple[str, str], ...]:
    """Whom to tell instead, each with a channel."""
    return pairs(value, "failover", 'give pairs of whom and how, such as [("ana", "sms"), ("bob", "voice")]')


@attrs.frozen(kw_only=True)
class Message:
    """Words on their way to somebody.

    `key` is unique: the outbox takes it once and the receiver may use it to drop repeats.
    `attempt` counts deliveries tried so far. From `expires_at` on it is not sent. `failover` are the
    (to, channel) pairs that are told in its place, one after the other, where it cannot be delivered.
    `run` and `generation` say which escalation it belongs to: once the record's is newer, it is not sent.
    """

    key: str
    record: str
    to: str
    channel: str
    subject: str
    body: str
    created_at: dt.datetime = attrs.field(converter=in_utc)
    audience: str = "internal"
    not_before: dt.datetime | None = attrs.field(default=None, converter=attrs.converters.optional(in_utc))
    facts: Fields = attrs.field(default=NO_FIELDS, converter=as_fields)
    attempt: int = 0
    expires_at: dt.datetime | None = attrs.field(default=None, converter=attrs.converters.optional(in_utc))
    failover: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    urgency: str = "normal"
    run: str | None = None
    generation: int | None = None

    def __repr__(self) -> str:
        return f"<message {self.key} by {self.channel}, attempt {self.attempt}>"


@attrs.frozen(kw_only=True)
class ChangeSet:
    """What one command changes, all of it or nothing.

    `expected` is the version of the record on which the decision was made (0: it does not exist);
    the events are numbered from there on without a gap, and the snapshot is at the last of them.
    Without events only timers and messages change, of a record that exists.
    """

    record: str
    expected: int
    events: tuple[Event, ...]
    snapshot: Snapshot
    timers: tuple[Timer, ...] = ()
    messages: tuple[Message, ...] = ()


@attrs.frozen(kw_only=True)
class Committed:
    """What a commit left: the version, and whether the events were there before."""

    record: str
    version: int
    repeated: bool = False


@attrs.frozen(kw_only=True)
class Claim:
    """A timer or a message that one worker holds until its lease ends."""

    token: str
    item: Timer | Message


Ending = Literal["done", "failed", "retry", "superseded", "expired"]
"""How a claim ends; only "retry" gives the item back."""


@attrs.frozen(kw_only=True)
class Settlement:
    """What became of a claim: done, failed for good, or wanted again at `retry_at` (None: at once).

    Two more are for good: "superseded", since something newer took its place, and "expired", since its
    time was over. A message that is wanted again counts one more attempt.
    """

    token: str
    outcome: Ending
    detail: str = ""
    retry_at: dt.datetime | None = attrs.field(default=None, converter=attrs.converters.optional(in_utc))


@attrs.frozen(kw_only=True)
class Position:
    """A place in the log of all events; opaque: only the store that gave it reads it."""

    token: str = ""


class Criteria(TypedDict, total=False):
    """The criteria of a `Query`, as keyword arguments."""

    number: str | None
    customer: str | None
    service: str | None
    process: str | None
    phase: Phase | str | None
    state: str | None
    assignee: str | None
    group: str | None
    requester: str | None
    tenant: str | None
    external_ref: str | None
    due_before: dt.datetime | None
    after: str | None
    limit: int


def _text(_: Any, field: Any, value: Any) -> None:
    if value is not None and not isinstance(value, str):
        page = field.name == "after"
        remedy = (
            "give the id of the last record of a page" if page else "records are found by texts: give one"
        )
        raise InvalidValue(field.name, value, "is no record id" if page else "is no text", remedy)


def _whole(_: Any, __: Any, value: Any) -> None:
    if type(value) is not int or value < 0:
        raise InvalidValue("limit", value, "is no number of records", "give a whole number, such as 100")


def _phase(value: Phase | str | None) -> Phase | None:
    return None if value is None else member(Phase, value, "phase")


@attrs.frozen(kw_only=True)
class Query:
    """Which records to find; None asks for all. `after` is the id of the last one seen.

    `due_before` asks for records with a running clock that falls due before that instant.
    """

    number: str | None = attrs.field(default=None, validator=_text)
    customer: str | None = attrs.field(default=None, validator=_text)
    service: str | None = attrs.field(default=None, validator=_text)
    process: str | None = attrs.field(default=None, validator=_text)
    phase: Phase | None = attrs.field(default=None, converter=_phase)
    state: str | None = attrs.field(default=None, validator=_text)
    assignee: str | None = attrs.field(default=None, validator=_text)
    group: str | None = attrs.field(default=None, validator=_text)
    requester: str | None = attrs.field(default=None, validator=_text)
    tenant: str | None = attrs.field(default=None, validator=_text)
    external_ref: str | None = attrs.field(default=None, validator=_text)
    due_before: dt.datetime | None = attrs.field(default=None, converter=attrs.converters.optional(in_utc))
    after: str | None = attrs.field(default=None, validator=_text)
    limit: int = attrs.field(default=100, validator=_whole)

    @classmethod
    def of(cls, criteria: Criteria) -> Query:
        """The query of these criteria; an unknown one is refused with the known ones."""
        unknown = sorted(criteria.keys() - Criteria.__annotations__.keys())
        if unknown:
            known = ", ".join(sorted(Criteria.__annotations__))
            raise InvalidValue("criterion", unknown, "is unknown", f"use {known}")
        return cls(**criteria)


class Store(Protocol):
    """Where records live.

    1. `commit` writes events, snapshot, timers and messages together or not at all.
    2. It raises `VersionConflict` when the record is not at `expected`, and writes nothing.
    3. The same event ids a second time give the first result, `repeated=True`, and write nothing,
       also where the second change set names another record.
    4. A message whose key was ever taken is not taken again; a timer id moves or cancels.
    5. `load` returns the newest snapshot and the events with a `seq` above `after`, in `seq` order.
    6. `read` returns every event once, in an order that later commits never get in front of.
    7. `claim` gives each due item to one worker until its lease (`[now, now + lease)`) ends or it is
       settled; a settlement counts as long as nobody else took the item, and is ignored afterwards.
    8. `find` answers from what commits wrote, ordered by record id, at most `limit`.
    9. Text comes back as it went in, or is refused whole; nothing in it is ever run as SQL.
    10. `links` gives the links of a record's events as they were written, or none at all: a store that
        chains keeps, with each event, the SHA-256 of the link before it and the event's digest.
    """

    def load(self, record: str, after: int | None = None) -> tuple[Snapshot | None, tuple[Event, ...]]:
        """The snapshot, and the events after `after` (None: after the snapshot; 0: all).

        The snapshot is a cache: where it is None, all events come with it. Raises `RecordNotFound`.
        """

    def commit(self, changes: ChangeSet) -> Committed:
        """Writes all of it or nothing. Raises `VersionConflict`."""

    def event(self, event_id: str) -> Event | None:
        """The event with this id, wherever it is; None if there is none."""

    def read(self, after: Position, limit: int) -> tuple[tuple[Event, ...], Position]:
        """The next events of all records, and the position behind them."""

    def claim(
        self, kind: str, now: dt.datetime, limit: int, lease: dt.timedelta, worker: str
    ) -> tuple[Claim, ...]:
        """Due timers of a kind, or due messages (kind "message"), in the order of falling due."""

    def settle(self, settlements: Sequence[Settlement], now: dt.datetime) -> None:
        """Ends claims: those of "retry" come back at `retry_at`, the others are gone."""

    def next_due(self, kind: str) -> dt.datetime | None:
        """The earliest instant at which `claim` of this kind may give something; None if never."""

    def find(self, query: Query) -> tuple[Record, ...]:
        """The records that match, ordered by id."""

    def links(self, record: str) -> tuple[str, ...]:
        """The link of each event of a record by `seq`; () of a store that keeps no chain.

        There are as many as the record's version says, "" for an event that is gone; the last is what
        the record itself keeps, so that a missing end shows. Raises `RecordNotFound`.
        """

    def close(self) -> None:
        """Lets go of whatever the store holds; closing twice is no error."""


class AsyncStore(Protocol):
    """Where records live, for hosts that await; the promises are those of `Store`."""

    async def load(self, record: str, after: int | None = None) -> tuple[Snapshot | None, tuple[Event, ...]]:
        """As `Store.load`."""

    async def commit(self, changes: ChangeSet) -> Committed:
        """As `Store.commit`."""

    async def event(self, event_id: str) -> Event | None:
        """As `Store.event`."""

    async def read(self, after: Position, limit: int) -> tuple[tuple[Event, ...], Position]:
        """As `Store.read`."""

    async def claim(
        self, kind: str, now: dt.datetime, limit: int, lease: dt.timedelta, worker: str
    ) -> tuple[Claim, ...]:
        """As `Store.claim`."""

    async def settle(self, settlements: Sequence[Settlement], now: dt.datetime) -> None:
        """As `Store.settle`."""

    async def next_due(self, kind: str) -> dt.datetime | None:
        """As `Store.next_due`."""

    async def find(self, query: Query) -> tuple[Record, ...]:
        """As `Store.find`."""

    async def links(self, record: str) -> tuple[str, ...]:
        """As `Store.links`."""

    async def close(self) -> None:
        """As `Store.close`."""


# --- what a generator of the road asks for ----------------------------------------------------


@attrs.frozen
class Ask:
    """A request to the store: one method and its arguments; the answer is what it returns.

    The method "look" is one to the directory: a name and an instant.
    """

    method: str
    arguments: tuple[Any, ...]


@attrs.frozen
class Send:
    """A request to the notifier of a message's channel; the answer is its outcome."""

    message: Message


# --- what a notifier answers ------------------------------------------------------------------


@attrs.frozen
class Delivered:
    """The receiver has it."""

    reference: str = ""


@attrs.frozen
class Retry:
    """Not now; try again, no sooner than `after` from now if the receiver said so."""

    after: dt.timedelta | None = None
    reason: str = ""


@attrs.frozen
class Rejected:
    """Never: the receiver will not take it."""

    reason: str


@attrs.frozen
class Unknown:
    """Nobody knows whether it arrived; it is sent again with the same key."""

    reason: str


Outcome = Delivered | Retry | Rejected | Unknown
Notifier = Callable[[Message], Outcome | None]
"""Sends one message. It is called at least once per message; an exception counts as `Unknown`.

1. It answers with one of the four outcomes, or None for delivered.
2. What it says is delivered has arrived.
3. A message may come again, with the same `key`; it is answered as before.
4. A receiver that is down does not have it.
5. Whatever the words are, they are answered and do not make it raise.
6. Several threads may send.
"""
AsyncNotifier = Callable[[Message], Awaitable[Outcome | None]]
"""A `Notifier` that is awaited."""


# --- what a directory answers -----------------------------------------------------------------

Known = Person | tuple[str, ...] | None
Directory = Callable[[str, dt.datetime], Known]
"""Knows people, and who they are at an instant: it is asked when a step falls due, never before.

1. "user:ana" gives the `Person`, or None where nobody is called so. So "manager_of:assignee" is asked for: it
   is the `manager` of the person whose id stands in that field of the record.
2. Any other name, such as "group:network" or "role:manager", gives the ids of people, first to be told
   first ("user:ana" among them is ana); () where it knows none. The library itself asks for
   "role:management".
3. It may do I/O. What it raises holds up nobody else: the others of the step are told, and it is asked
   again every minute, until it answers or somebody is on it. A person whom it cannot tell about is told
   by the channel of the step. `Tick.stuck` names the record and what was raised.
"""
AsyncDirectory = Callable[[str, dt.datetime], Awaitable[Known]]
"""A `Directory` that is awaited."""
