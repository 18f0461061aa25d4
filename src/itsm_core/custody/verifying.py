"""What a store's events prove: chains recomputed, and where they break."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import attrs

from itsm_core.errors import RecordNotFound, StoreError, StoreUnreadable
from itsm_core.events import Event
from itsm_core.ports import Position, Query, Snapshot, Store
from itsm_core.records import Record, apply, fold, follows
from itsm_core.stores.rules import link
from itsm_core.values import digest_of

Told = Callable[[int], object]
"""Is told from time to time how many events are done."""

PAGE = 500
"""How many events, or records, are read at a time."""

LONG = 5_000
"""A record of more events than this is read through the log, a page of which is in memory."""

REMEMBERED = 50_000
"""How many names of records are remembered while looking for strays."""

SHOWN = 100
"""Of how many records a report names the break; the others are counted."""


@attrs.frozen
class Break:
    """Where the chain of a record first breaks, at which event (None: it is not there), and how.

    `kind` is "changed", "missing", "out of order", "cut off" (the end is gone), "added" (behind the
    end), "unreadable", "snapshot" (the record as shown is not what its events say) or "stray" (an
    event of no record).
    """

    record: str
    seq: int
    event: str | None
    kind: str

    def __str__(self) -> str:
        named = "" if self.event is None else f" ({self.event})"
        return f"record {self.record}, event #{self.seq}{named}: {self.kind}"


@attrs.frozen(kw_only=True)
class Report:
    """What `verify` looked at, and where chains break: the first break of each record, by record.

    `chained` counts the events that the store keeps a link of; the others were only looked at for
    gaps and order. `seal` is one digest of all chains: kept somewhere else, it shows later that
    nobody wrote whole chains anew. Stores with the same records and events have the same seal.
    """

    records: int
    events: int
    chained: int
    seal: str
    broken: int
    breaks: tuple[Break, ...]

    @property
    def first(self) -> Break | None:
        """The first break, if there is one."""
        return self.breaks[0] if self.breaks else None

    def __str__(self) -> str:
        looked = f"{self.records:,} records, {self.events:,} events, {self.chained:,} of them chained"
        if self.first is None:
            return f"whole: {looked}; seal {self.seal}"
        return f"broken in {self.broken:,} places: {looked}\n" + "\n".join(map(str, self.breaks))


@attrs.define
class _Count:
    """What has been looked at so far."""

    told: Told | None
    records: int = 0
    events: int = 0
    chained: int = 0
    seal: str = ""
    broken: int = 0
    breaks: list[Break] = attrs.Factory(list)

    def add(self, record: str, events: int, chained: int, head: str) -> None:
        self.records += 1
        self.events += events
        self.chained += chained
        self.seal = link(self.seal, digest_of(record, str(events), head))
        if self.told is not None:
            self.told(self.events)

    def fault(self, found: Break | None) -> None:
        if found is not None:
            self.broken += 1
            self.breaks += [found] if self.broken <= SHOWN else []

    def report(self) -> Report:
        return Report(
            records=self.records, events=self.events, chained=self.chained, seal=self.seal,
            broken=self.broken, breaks=tuple(self.breaks),
        )  # fmt: skip


def verify(store: Store, record: str | None = None, *, progress: Told | None = None) -> Report:
    """Recomputes the chain of every record, or of one, and says where it breaks.

    Holds the events of one record at a time, and of a long one in a chain only a page, unless something
    about it is odd: a break, a correction, a commit meanwhile. It may run while desks work. What it
    cannot show is that a whole record with all its events was taken out, or that a chain was written
    anew from its first event on: compare the `seal` with one that was kept elsewhere.
    """
    count = _Count(progress)
    for name, version in _versions(store) if record is None else ((record, len(store.links(record))),):
        if version <= LONG or not _paged(store, name, count):
            _look_at(store, name, count)
    if record is None and not count.broken:
        _look_for_strays(store, count)
    return count.report()


def names(store: Store) -> Iterator[str]:
    """The ids of all records, in order."""
    return (name for name, _ in _versions(store))


def _versions(store: Store) -> Iterator[tuple[str, int]]:
    after: str | None = None
    limit = PAGE
    while True:
        try:
            found = store.find(Query(after=after, limit=limit))
        except StoreUnreadable as error:
            if error.record is None:
                raise
            if limit == 1:
                yield error.record, 0
                after = error.record
            limit = PAGE if limit == 1 else 1  # the others of its page come one by one
            continue
        if not found:
            return
        yield from ((record.id, record.version) for record in found)
        after = found[-1].id


def _paged(store: Store, record: str, count: _Count) -> bool:
    """Whether the log alone proves the record whole; if not, what is odd is looked at with all its events."""
    links = store.links(record)
    try:
        shown, head = _told(store, record, links)
    except StoreUnreadable:
        return False
    snapshot, after = store.load(record, len(links))
    if shown is None or after or (snapshot is not None and snapshot.record != shown):
        return False
    count.add(record, len(links), len(links), head)
    return True


def _told(store: Store, record: str, links: tuple[str, ...]) -> tuple[Record | None, str]:
    """The record as its events in the log tell it one by one; None where one of them does not fit."""
    shown, head, seq = None, "", 0
    for event in log(store) if links else ():
        if event.record != record:
            continue
        head = link(head, _digest(event))
        if event.seq != seq + 1 or head != links[seq] or (shown is not None and not follows(shown, event)):
            break
        shown, seq = fold([event]) if shown is None else apply(shown, event), seq + 1
        if seq == len(links):
            return shown, head
    return None, head


def _look_at(store: Store, record: str, count: _Count) -> None:
    try:
        links, snapshot, events = _as_it_lies(store, record)
    except StoreUnreadable:
        count.add(record, 0, 0, "")
        count.fault(Break(record, *_unreadable(store, record), "unreadable"))
        return
    heads = _heads(events)
    count.add(record, len(events), min(len(links), len(events)), heads[-1] if heads else "")
    count.fault(_break(record, events, heads, links) or _shown_otherwise(record, events, snapshot))


def _as_it_lies(store: Store, record: str) -> tuple[tuple[str, ...], Snapshot | None, tuple[Event, ...]]:
    """Snapshot, events, and the links of as many events, also while somebody commits."""
    links = store.links(record)
    snapshot, events = store.load(record, 0)
    if links and len(links) < len(events):  # committed meanwhile, or behind the end: the record says which
        links = store.links(record)[: len(events)]
    return links, snapshot, events


def _unreadable(store: Store, record: str) -> tuple[int, None]:
    """Where an event lies that cannot be read: the last of them."""
    low, high = 0, len(store.links(record))
    while low < high:  # all events after `high` can be read
        middle = (low + high) // 2
        try:
            store.load(record, middle)
            high = middle
        except StoreUnreadable:
            low = middle + 1
    return max(low, 1), None


def _heads(events: Iterable[Event]) -> list[str]:
    """The chain as the events themselves make it."""
    heads, head = [], ""
    for event in events:
        head = link(head, _digest(event))
        heads.append(head)
    return heads


def _digest(event: Event) -> str:
    """Its digest; "" where somebody put a number or a list in the place of a text: it has none then."""
    try:
        return event.digest
    except (ValueError, TypeError, AttributeError):
        return ""


def _break(record: str, events: tuple[Event, ...], heads: list[str], links: tuple[str, ...]) -> Break | None:
    """The first place at which events and links are not what they were."""
    for place, event in enumerate(events, 1):
        if event.seq != place:
            if any(one.seq == place for one in events):
                return Break(record, place, event.id, "out of order")
            return Break(record, place, None, "missing")
        if links and place > len(links):
            return Break(record, place, event.id, "added")
        if event.record != record or (links and heads[place - 1] != links[place - 1]):
            return Break(record, place, event.id, "changed")
    if len(events) < len(links):
        return Break(record, len(events) + 1, None, "cut off")
    return None


def _shown_otherwise(record: str, events: tuple[Event, ...], snapshot: Snapshot | None) -> Break | None:
    """Whether the record that is shown is another than its events tell; a snapshot may lag behind."""
    if snapshot is None:
        return None
    version = snapshot.record.version
    if version > len(events):
        return Break(record, len(events) + 1, None, "cut off")
    if snapshot.record == fold(events[:version]):
        return None
    return Break(record, version, events[version - 1].id, "snapshot")


def _look_for_strays(store: Store, count: _Count) -> None:
    """Reads the log too, for events whose record is gone."""
    known: set[str] = set()
    for event in log(store):
        if event.record in known:
            continue
        try:
            store.links(event.record)
        except RecordNotFound:
            count.fault(Break(event.record, event.seq, event.id, "stray"))
        if len(known) >= REMEMBERED:
            known.clear()
        known.add(event.record)


def log(store: Store) -> Iterator[Event]:
    """All events in the order of the log, a page of them in memory."""
    events, place = store.read(Position(), PAGE)
    while events:
        yield from events
        events, place = store.read(place, PAGE)


def told_all(told: int, there: int) -> None:
    """Raises a `StoreError` where the log told fewer events than its records hold."""
    if told < there:
        msg = (
            f"the log tells {told:,} of {there:,} events: a transaction that is still open holds others back"
        )
        raise StoreError(f"{msg}; try again when it has ended, such as that of a backup or of a long query")


def check(report: Report, what: str) -> None:
    """Raises a `StoreError` that names the first break, if there is one."""
    if report.first is not None:
        msg = f"{what} is not as it was written: {report.first} ({report.broken:,} places in all)"
        raise StoreError(f"{msg}; find out who changed it, or restore a backup")
