"""A store in memory: for tests, simulations and notebooks. It is gone with the process."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush, heapreplace, nsmallest
from threading import Lock
from typing import Any, Generic, TypeVar

import attrs

from itsm_core.errors import RecordNotFound
from itsm_core.events import Event
from itsm_core.ports import ChangeSet, Claim, Committed, Message, Position, Query, Settlement, Snapshot, Timer
from itsm_core.records import Record, fold
from itsm_core.stores import rules

Item = TypeVar("Item", Timer, Message)
_Labels = tuple[tuple[str | None, ...], tuple[str, ...]]


class _Slot(Generic[Item]):
    """An item that waits: from when on it may be claimed, and by which batch it is held."""

    __slots__ = ("batch", "item", "order", "ready")

    def __init__(self, item: Item, ready: dt.datetime, order: Any) -> None:
        self.item: Item = item
        self.ready, self.order = ready, order
        self.batch: str | None = None


class _Queue(Generic[Item]):
    """Items by the instant from which on they may be claimed; entries of moved ones go stale."""

    def __init__(self) -> None:
        self._slots: dict[str, _Slot[Item]] = {}
        self._heap: list[tuple[dt.datetime, Any, str]] = []

    def put(self, name: str, item: Item, ready: dt.datetime, order: Any) -> None:
        self._slots[name] = _Slot(item, ready, order)
        self._push(name, ready, order)

    def drop(self, name: str) -> None:
        self._slots.pop(name, None)

    def delay(self, name: str, slot: _Slot[Item], ready: dt.datetime) -> None:
        """Lets the item be claimed from another instant on."""
        slot.ready = ready
        self._push(name, ready, slot.order)

    def _push(self, name: str, ready: dt.datetime, order: Any) -> None:
        if len(self._heap) > 64 + 2 * len(self._slots):
            self._heap = [(s.ready, s.order, n) for n, s in self._slots.items() if n != name]
            heapify(self._heap)
        heappush(self._heap, (ready, order, name))

    def next(self) -> dt.datetime | None:
        """The earliest instant at which something may be claimed."""
        while self._heap:
            instant, _, name = self._heap[0]
            slot = self._slots.get(name)
            if slot is not None and slot.ready == instant:
                return instant
            heappop(self._heap)
        return None

    def claim(self, now: dt.datetime, limit: int, until: dt.datetime, batch: str) -> list[tuple[str, Item]]:
        """Up to `limit` items that are ready, earliest first, held until `until`."""
        taken: list[tuple[str, Item]] = []
        while len(taken) < limit and (instant := self.next()) is not None and instant <= now:
            name = self._heap[0][2]
            slot = self._slots[name]
            slot.batch, slot.ready = batch, until
            heapreplace(self._heap, (until, slot.order, name))
            taken.append((name, slot.item))
        return taken

    def held(self, name: str, batch: str) -> _Slot[Item] | None:
        """The slot, if that batch still holds it."""
        slot = self._slots.get(name)
        return slot if slot is not None and slot.batch == batch else None


class MemoryStore:
    """Keeps everything in dicts under one lock; any number of threads may use it.

    It hands out the very values it was given: they are immutable.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._log: list[Event] = []
        self._events: dict[str, Event] = {}
        self._histories: dict[str, list[Event]] = {}
        self._snapshots: dict[str, Snapshot] = {}
        self._labels: dict[str, _Labels] = {}
        self._found_by: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._due: dict[str, dt.datetime] = {}
        self._timers: dict[str, Timer] = {}
        self._queues: dict[str, _Queue[Timer]] = defaultdict(_Queue)
        self._messages: dict[str, Settlement | None] = {}
        self._outbox: _Queue[Message] = _Queue()

    # --- records ---

    def commit(self, changes: ChangeSet) -> Committed:
        """As `ports.Store.commit` promises."""
        version = rules.check(changes)
        record = changes.snapshot.record
        labels = rules.facets(record), rules.references(record)
        with self._lock:
            history = self._histories.get(changes.record, ())
            stored = [e for event in changes.events if (e := self._events.get(event.id)) is not None]
            known = [(e.record, e.seq) for e in stored] if stored else ()
            repeat = rules.admit(changes, len(history), known)
            if repeat is None:
                self._write(changes, labels)
        return repeat or Committed(record=changes.record, version=version)

    def _write(self, changes: ChangeSet, labels: _Labels) -> None:
        record = changes.record
        self._histories.setdefault(record, []).extend(changes.events)
        self._log.extend(changes.events)
        for event in changes.events:
            self._events[event.id] = event
        self._index(record, labels, changes.snapshot.due)
        self._snapshots[record] = changes.snapshot
        for timer in changes.timers:
            self._set(timer)
        for message in changes.messages:
            if message.key not in self._messages:
                self._messages[message.key] = None
                self._outbox.put(message.key, message, rules.ready(message), len(self._messages))

    def load(self, record: str, after: int | None = None) -> tuple[Snapshot | None, tuple[Event, ...]]:
        """As `ports.Store.load` promises."""
        with self._lock:
            if record not in self._snapshots:
                raise RecordNotFound(record)
            snapshot = rules.usable(self._snapshots[record])
            since = (0 if snapshot is None else snapshot.record.version) if after is None else max(after, 0)
            return snapshot, tuple(self._histories[record][since:])

    def event(self, event_id: str) -> Event | None:
        """As `ports.Store.event` promises."""
        with self._lock:
            return self._events.get(event_id)

    def read(self, after: Position, limit: int) -> tuple[tuple[Event, ...], Position]:
        """As `ports.Store.read` promises."""
        since = rules.place(after)
        with self._lock:
            events = tuple(self._log[since : since + rules.at_most(limit)])
        return events, Position(token=str(since + len(events))) if events else after

    # --- finding ---

    def _index(self, record: str, new: _Labels, due: dt.datetime | None) -> None:
        if due is not None:
            self._due[record] = due
        else:
            self._due.pop(record, None)
        old = self._labels.get(record, _NO_LABELS)
        if new != old:
            found = self._found_by
            for name, was, now in zip(rules.FACETS, old[0], new[0], strict=True):
                if was != now:
                    if was is not None:
                        found[name, was].discard(record)
                    if now is not None:
                        found[name, now].add(record)
            if old[1] != new[1]:
                for reference in old[1]:
                    found["external_ref", reference].discard(record)
                for reference in new[1]:
                    found["external_ref", reference].add(record)
            self._labels[record] = new

    def find(self, query: Query) -> tuple[Record, ...]:
        """As `ports.Store.find` promises."""
        with self._lock:
            names: Iterable[str] = self._matching(query)
            if query.after is not None:
                names = (name for name in names if name > query.after)
            first = nsmallest(rules.at_most(query.limit), names)
            return tuple(self._record(name) for name in first)

    def links(self, record: str) -> tuple[str, ...]:
        """No chain is kept: what lies in memory nobody changes behind its back."""
        with self._lock:
            if record not in self._snapshots:
                raise RecordNotFound(record)
        return ()

    def _record(self, name: str) -> Record:
        snapshot = rules.usable(self._snapshots[name])
        return fold(self._histories[name]) if snapshot is None else snapshot.record

    def _matching(self, query: Query) -> Iterable[str]:
        wanted = [(f, getattr(query, f)) for f in (*rules.FACETS, "external_ref")]
        sets = [self._found_by.get((f, str(v)), set()) for f, v in wanted if v is not None]
        if query.due_before is not None:
            sets.append({record for record, due in self._due.items() if due < query.due_before})
        return set.intersection(*sorted(sets, key=len)) if sets else self._snapshots

    # --- timers and messages ---

    def _set(self, timer: Timer) -> None:
        before = self._timers.get(timer.id)
        if before is not None:
            if before == timer:
                return  # not moved: whoever holds it goes on holding it
            self._queues[before.kind].drop(timer.id)
            del self._timers[timer.id]
        if timer.due is not None:
            self._timers[timer.id] = timer
            self._queues[timer.kind].put(timer.id, timer, timer.due, timer.id)

    def claim(
        self,
        kind: str,
        now: dt.datetime,
        limit: int,
        lease: dt.timedelta,
        worker: str,  # noqa: ARG002
    ) -> tuple[Claim, ...]:
        """As `ports.Store.claim` promises."""
        until, batch = rules.lease_end(now, lease), rules.batch()
        with self._lock:
            taken = self._queue(kind).claim(now, limit, until, batch)
        return tuple(Claim(token=rules.token(kind, batch, name), item=item) for name, item in taken)

    def _queue(self, kind: str) -> _Queue[Any]:
        return self._outbox if kind == rules.MESSAGE else self._queues[kind]

    def settle(self, settlements: Sequence[Settlement], now: dt.datetime) -> None:
        """As `ports.Store.settle` promises."""
        held = [(rules.held(settlement), settlement) for settlement in settlements]
        with self._lock:
            for claim, settlement in held:
                self._settle(claim, settlement, now)

    def _settle(self, claim: rules.Held, settlement: Settlement, now: dt.datetime) -> None:
        timer = None if claim.message else self._timers.get(claim.id)
        queue = self._queue(rules.MESSAGE if timer is None else timer.kind)
        slot = queue.held(claim.id, claim.batch)
        if slot is None:
            return
        if settlement.outcome == "retry":
            slot.batch = None
            if timer is None:
                slot.item = attrs.evolve(slot.item, attempt=slot.item.attempt + 1)
            queue.delay(claim.id, slot, settlement.retry_at or now)
            return
        queue.drop(claim.id)
        if timer is None:
            self._messages[claim.id] = settlement
        else:
            del self._timers[claim.id]

    def next_due(self, kind: str) -> dt.datetime | None:
        """As `ports.Store.next_due` promises."""
        with self._lock:
            return self._queue(kind).next()

    def close(self) -> None:
        """Nothing to let go of: the store can be used on, and is freed with its last name."""


_NO_LABELS: _Labels = ((None,) * len(rules.FACETS), ())
