"""The SQL of a store, written once: operations as generators that do no I/O.

Each yields `(sql, parameters, wants rows)`, is sent the rows, and returns its result; whoever
runs it owns the connection and the transaction. Values only ever travel as parameters. Instants
are integer microseconds UTC, events and snapshots canonical JSON.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Generator, Sequence
from typing import Any, TypeVar

from itsm_core.business_time.instants import micros, utc
from itsm_core.errors import RecordNotFound, StoreUnreadable
from itsm_core.events import Event
from itsm_core.ports import ChangeSet, Claim, Committed, Message, Position, Query, Settlement, Snapshot, Timer
from itsm_core.records import Record, fold
from itsm_core.stores import caches, rules
from itsm_core.stores.caches import Recent
from itsm_core.stores.dialects import Dialect
from itsm_core.values import as_object, from_dict, spelt, written

T = TypeVar("T")
Rows = Sequence[tuple[Any, ...]]
Step = tuple[str, tuple[Any, ...], bool]
Steps = Generator[Step, Rows, T]

# --- values as text ---------------------------------------------------------------------------


def read_event(stored: str, where: object) -> Event:
    """The event of a text; `where` names it in the error."""
    try:
        return from_dict(Event, json.loads(stored))
    except _MISREAD as error:
        raise StoreUnreadable(
            f"event {where} cannot be read ({error}); the store is damaged or was written by a newer "
            "version of itsm_core: restore a backup or update the library"
        ) from error


_MISREAD = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)

# --- commit -----------------------------------------------------------------------------------

_LABELS = (*("grp" if name == "group" else name for name in rules.FACETS), "refs", "due")
_WHERE_IT_IS = f"SELECT version, head, {', '.join(_LABELS)} FROM itsm_records WHERE id = ?"  # noqa: S608 - names of ours
_KNOWN = "SELECT record, seq FROM itsm_events WHERE id IN ({}) ORDER BY seq"
_AT_ONCE = 500
_APPEND = "INSERT INTO itsm_events (record, seq, id, json, link) VALUES (?, ?, ?, ?, ?)"
_ENTER = (
    f"INSERT INTO itsm_records (version, snapshot, {', '.join(_LABELS)}, head, id) "  # noqa: S608 - as above
    f"VALUES (?, ?, {', '.join('?' for _ in _LABELS)}, ?, ?)"
)
_ADVANCE = "UPDATE itsm_records SET version = ?, snapshot = ?, head = ?{} WHERE id = ?"
_NO_REFERENCES = "DELETE FROM itsm_refs WHERE record = ?"
_REFERENCE = "INSERT INTO itsm_refs (record, ref) VALUES (?, ?)"
_CANCEL = "DELETE FROM itsm_timers WHERE id = ?"
_SET = (
    "INSERT INTO itsm_timers AS held (id, record, kind, due, ready) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (id) DO UPDATE SET record = excluded.record, kind = excluded.kind, due = excluded.due, "
    "ready = excluded.ready, token = NULL, worker = NULL "
    "WHERE held.due <> excluded.due OR held.kind <> excluded.kind OR held.record <> excluded.record"
)
_SEND = (
    "INSERT INTO itsm_messages (key, record, ready, attempt, json) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (key) DO NOTHING"
)


def commit(changes: ChangeSet, dialect: Dialect, recent: Recent) -> Steps[Committed]:
    """Writes a change set; what can be refused without looking is refused before it begins."""
    version = rules.check(changes)
    kept = changes.snapshot.record
    refs = rules.references(kept)
    snapshot = caches.written(changes.snapshot)
    due = None if changes.snapshot.due is None else micros(changes.snapshot.due)
    row = (version, snapshot, *rules.facets(kept), written(refs) if refs else None, due)
    events = [(e.record, e.seq, e.id, *e.proven()) for e in changes.events]
    messages = [_waiting(m) for m in changes.messages]
    return _commit(changes, dialect, recent, row, refs, events, messages)


def _waiting(message: Message) -> tuple[Any, ...]:
    words = as_object(spelt(message))
    return message.key, message.record, micros(rules.ready(message)), message.attempt, words


def _commit(
    changes: ChangeSet,
    dialect: Dialect,
    recent: Recent,
    row: tuple[Any, ...],
    refs: tuple[str, ...],
    events: Sequence[tuple[Any, ...]],
    messages: Sequence[tuple[Any, ...]],
) -> Steps[Committed]:
    before = yield _WHERE_IT_IS + dialect.lock, (changes.record,), True
    known: list[tuple[Any, ...]] = []
    for first in range(0, len(events), _AT_ONCE):  # at one instant: another writer adds all or none
        ids = tuple(event[2] for event in events[first : first + _AT_ONCE])
        known.extend((yield _KNOWN.format(", ".join("?" * len(ids))), ids, True))
    repeat = rules.admit(changes, before[0][0] if before else 0, [(r, s) for r, s in known])
    if repeat is not None:
        return repeat
    head = before[0][1] if before else ""
    for *event, digest in events:
        head = rules.link(head, digest)
        yield _APPEND, (*event, head), False
    yield from _keep(changes.record, head, row, refs, before[0] if before else None)
    recent.put(changes.record, row[1], changes.snapshot)
    for timer in changes.timers:
        yield _timer(timer)
    for message in messages:
        yield _SEND, message, False
    return Committed(record=changes.record, version=row[0])


def _keep(
    record: str, head: str, row: tuple[Any, ...], refs: tuple[str, ...], before: tuple[Any, ...] | None
) -> Steps[None]:
    """Writes the snapshot, and of what the record is found by only what changed: indexes are dear."""
    new = row[2:]
    old = before[2:] if before is not None else (None,) * len(new)
    moved = [i for i, (was, now) in enumerate(zip(old, new, strict=True)) if was != now]
    if before is None:
        yield _ENTER, (*row, head, record), False
    else:
        columns = "".join(f", {_LABELS[i]} = ?" for i in moved)
        yield _ADVANCE.format(columns), (*row[:2], head, *(new[i] for i in moved), record), False
    if _REFS in moved:
        yield _NO_REFERENCES, (record,), False
        for ref in refs:
            yield _REFERENCE, (record, ref), False


_REFS = _LABELS.index("refs")


def _timer(timer: Timer) -> Step:
    if timer.due is None:
        return _CANCEL, (timer.id,), False
    due = micros(timer.due)
    return _SET, (timer.id, timer.record, timer.kind, due, due), False


# --- reading ----------------------------------------------------------------------------------

_LOAD = "SELECT version, snapshot FROM itsm_records WHERE id = ?"
_HISTORY = "SELECT seq, json FROM itsm_events WHERE record = ? AND seq > ? ORDER BY seq"
_EVENT = "SELECT json FROM itsm_events WHERE id = ?"


def load(record: str, after: int | None, recent: Recent) -> Steps[tuple[Snapshot | None, tuple[Event, ...]]]:
    """The snapshot and the events after it; all of them if the snapshot cannot be read."""
    rows = yield _LOAD, (record,), True
    if not rows:
        raise RecordNotFound(record)
    version, stored = rows[0]
    snapshot = recent.read(record, stored, version)
    if after is None and snapshot is not None:
        return snapshot, ()  # it is as new as its record: they were written together
    return snapshot, (yield from _history(record, after or 0))


def _history(record: str, since: int) -> Steps[tuple[Event, ...]]:
    rows = yield _HISTORY, (record, since), True
    return tuple(read_event(stored, f"#{seq} of {record!r}") for seq, stored in rows)


_HEAD = "SELECT version, head FROM itsm_records WHERE id = ?"
_LINKS = "SELECT seq, link FROM itsm_events WHERE record = ? AND seq BETWEEN 1 AND ?"


def links(record: str) -> Steps[tuple[str, ...]]:
    """The links of a record up to its version: "" where an event is gone; the last is the record's own."""
    rows = yield _HEAD, (record,), True
    if not rows:
        raise RecordNotFound(record)
    version, head = rows[0]
    rows = yield _LINKS, (record, version), True
    kept: dict[int, str] = dict(rows)
    return (*(kept.get(seq, "") for seq in range(1, version)), head)


def event(event_id: str) -> Steps[Event | None]:
    """The event with this id."""
    rows = yield _EVENT, (event_id,), True
    return read_event(rows[0][0], event_id) if rows else None


def read(after: Position, limit: int, dialect: Dialect) -> Steps[tuple[tuple[Event, ...], Position]]:
    """The next events of all records."""
    rows = yield dialect.read, (*dialect.place(after), rules.at_most(limit)), True
    events = tuple(read_event(stored, f"at position {place}") for *place, stored in rows)
    return events, Position(token=".".join(map(str, rows[-1][:-1]))) if rows else after


# --- finding ----------------------------------------------------------------------------------

_CONDITIONS = {
    **{name: f"{name} = ?" for name in rules.FACETS},
    "group": "grp = ?",
    "external_ref": "id IN (SELECT record FROM itsm_refs WHERE ref = ?)",
    "due_before": "id IN (SELECT id FROM itsm_records WHERE due < ?)",  # else all records are read
    "after": "id > ?",
}


def find(query: Query) -> Steps[tuple[Record, ...]]:
    """The records that match, by id."""
    asked = [(name, value) for name in _CONDITIONS if (value := getattr(query, name)) is not None]
    where = " AND ".join(["1 = 1", *(_CONDITIONS[name] for name, _ in asked)])
    values = (micros(v) if isinstance(v, dt.datetime) else str(v) for _, v in asked)
    rows = yield (
        f"SELECT id, version, snapshot FROM itsm_records WHERE {where} ORDER BY id LIMIT ?",  # noqa: S608 - literals only
        (*values, rules.at_most(query.limit)),
        True,
    )
    found = []
    for record, version, stored in rows:
        snapshot = caches.read(stored, version)
        whole = snapshot is not None and snapshot.record.id == record
        found.append(snapshot.record if snapshot and whole else (yield from _folded(record)))
    return tuple(found)


def _folded(record: str) -> Steps[Record]:
    """The record as its events tell it."""
    try:
        return fold((yield from _history(record, 0)))
    except StoreUnreadable as error:
        raise StoreUnreadable(str(error), record) from error
    except _MISREAD as error:
        told = f"record {record!r} cannot be told by its events ({error})"
        raise StoreUnreadable(f"{told}; the store is damaged: restore a backup", record) from error


# --- timers and messages ----------------------------------------------------------------------

_DUE_TIMERS = (
    "SELECT ready, id, record, kind, due FROM itsm_timers WHERE kind = ? AND ready <= ? "
    "ORDER BY ready, id LIMIT ?"
)
_HOLD_TIMERS = "UPDATE itsm_timers SET ready = ?, token = ?, worker = ? WHERE kind = ? AND "
_DUE_MESSAGES = (
    "SELECT ready, position, attempt, json FROM itsm_messages WHERE state = 'waiting' AND ready <= ? "
    "ORDER BY ready, position LIMIT ?"
)
_HOLD_MESSAGES = "UPDATE itsm_messages SET ready = ?, token = ?, worker = ? WHERE state = 'waiting' AND "


def claim(
    kind: str, now: dt.datetime, limit: int, until: dt.datetime, worker: str, dialect: Dialect
) -> Steps[tuple[Claim, ...]]:
    """Items that are ready, earliest first, held until `until`."""
    batch, skip, most = rules.batch(), dialect.skip_locked, rules.at_most(limit)
    held = (micros(until), batch, worker)
    if kind == rules.MESSAGE:
        rows = yield _DUE_MESSAGES + skip, (micros(now), most), True
        if rows:
            taken = dialect.taken.format("position")
            yield _HOLD_MESSAGES + taken, (*held, *dialect.taken_values(rows)), False
        messages = [_message(attempt, stored) for _, _, attempt, stored in rows]
        return tuple(Claim(token=rules.token(kind, batch, m.key), item=m) for m in messages)
    rows = yield _DUE_TIMERS + skip, (kind, micros(now), most), True
    if rows:
        taken = dialect.taken.format("id")
        yield _HOLD_TIMERS + taken, (*held, kind, *dialect.taken_values(rows)), False
    timers = [Timer(id=i, record=r, kind=k, due=utc(due)) for _, i, r, k, due in rows]
    return tuple(Claim(token=rules.token(kind, batch, t.id), item=t) for t in timers)


def _message(attempt: int, stored: str) -> Message:
    try:
        return from_dict(Message, {**json.loads(stored), "attempt": attempt})
    except _MISREAD as error:
        raise StoreUnreadable(f"a message in the outbox cannot be read ({error})") from error


_END_TIMER = "DELETE FROM itsm_timers WHERE id = ? AND token = ?"
_RETRY_TIMER = "UPDATE itsm_timers SET ready = ?, token = NULL, worker = NULL WHERE id = ? AND token = ?"
_END_MESSAGE = (
    "UPDATE itsm_messages SET state = ?, detail = ?, json = '', token = NULL WHERE key = ? AND token = ?"
)
_RETRY_MESSAGE = (
    "UPDATE itsm_messages SET ready = ?, detail = ?, attempt = attempt + 1, token = NULL, worker = NULL "
    "WHERE key = ? AND token = ?"
)


def settle(settlements: Sequence[Settlement], now: dt.datetime) -> Steps[None]:
    """Ends those claims that their tokens still hold; the others are left alone."""
    for settlement in settlements:
        sql, parameters = _ending(settlement, now)
        yield sql, parameters, False


def _ending(settlement: Settlement, now: dt.datetime) -> tuple[str, tuple[Any, ...]]:
    claim = rules.held(settlement)
    held = (claim.id, claim.batch)
    again = settlement.outcome == "retry"
    ready = micros(settlement.retry_at or now)
    if claim.message and again:
        return _RETRY_MESSAGE, (ready, settlement.detail, *held)
    if claim.message:
        return _END_MESSAGE, (settlement.outcome, settlement.detail, *held)
    return (_RETRY_TIMER, (ready, *held)) if again else (_END_TIMER, held)


_NEXT_TIMER = "SELECT min(ready) FROM itsm_timers WHERE kind = ?"
_NEXT_MESSAGE = "SELECT min(ready) FROM itsm_messages WHERE state = 'waiting'"


def next_due(kind: str) -> Steps[dt.datetime | None]:
    """The earliest instant at which something of this kind may be claimed."""
    rows = yield (_NEXT_MESSAGE, (), True) if kind == rules.MESSAGE else (_NEXT_TIMER, (kind,), True)
    return None if rows[0][0] is None else utc(rows[0][0])
