"""The SQL of a store, written once: operations as generators that do no I/O.

Each yields `(sql, parameters, wants rows)`, is sent the rows, and returns its result; whoever
runs it owns the connection and the transaction. Values only ever travel as parameters. Instants
are integer microseconds UTC, events and snapshots canonical JSON.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Generator, Sequence
from typing import Any, TypeVar

from itsm_core.business_time.instants import micros, utc
from itsm_core.errors import RecordNotFound, StoreUnreadable
from itsm_core.events import Event
from itsm_core.ports import ChangeSet, Claim, Committed, Message, Position, Query, Settlement, Snapshot, Timer
from itsm_core.records import Record, fold
from itsm_core.stores import rules
from itsm_core.values import canonical, from_dict, to_dict

T = TypeVar("T")
Rows = Sequence[tuple[Any, ...]]
Step = tuple[str, tuple[Any, ...], bool]
Steps = Generator[Step, Rows, T]

VERSION = 1
"""The version of the tables below."""

TABLES = (
    "CREATE TABLE IF NOT EXISTS itsm_schema (version INTEGER NOT NULL)",
    f"INSERT INTO itsm_schema (version) VALUES ({VERSION})",  # noqa: S608 - a number of ours
    """CREATE TABLE itsm_events (
        position INTEGER PRIMARY KEY AUTOINCREMENT, record TEXT NOT NULL, seq INTEGER NOT NULL,
        id TEXT NOT NULL UNIQUE, json TEXT NOT NULL, UNIQUE (record, seq))""",
    """CREATE TABLE itsm_records (
        id TEXT PRIMARY KEY, version INTEGER NOT NULL, snapshot TEXT NOT NULL,
        number TEXT, customer TEXT, service TEXT,
        process TEXT NOT NULL, phase TEXT NOT NULL, state TEXT NOT NULL,
        assignee TEXT, grp TEXT, requester TEXT, tenant TEXT, refs TEXT, due INTEGER)""",
    "CREATE INDEX itsm_records_phase ON itsm_records (phase, id)",
    "CREATE INDEX itsm_records_state ON itsm_records (state, id)",
    *(
        f"CREATE INDEX itsm_records_{name} ON itsm_records ({name}, id) WHERE {name} IS NOT NULL"
        for name in ("number", "customer", "service", "assignee", "grp", "requester", "tenant", "due")
    ),
    """CREATE TABLE itsm_refs (
        record TEXT NOT NULL, ref TEXT NOT NULL, PRIMARY KEY (record, ref)) WITHOUT ROWID""",
    "CREATE INDEX itsm_refs_ref ON itsm_refs (ref, record)",
    """CREATE TABLE itsm_timers (
        id TEXT PRIMARY KEY, record TEXT NOT NULL, kind TEXT NOT NULL, due INTEGER NOT NULL,
        ready INTEGER NOT NULL, token TEXT, worker TEXT) WITHOUT ROWID""",
    "CREATE INDEX itsm_timers_ready ON itsm_timers (kind, ready, id)",
    """CREATE TABLE itsm_messages (
        position INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, record TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'waiting', ready INTEGER NOT NULL, attempt INTEGER NOT NULL,
        token TEXT, worker TEXT, detail TEXT, json TEXT NOT NULL)""",
    "CREATE INDEX itsm_messages_ready ON itsm_messages (ready, position) WHERE state = 'waiting'",
)
"""`due` of a record is that of its snapshot. `ready` is the instant from which on an item may be
claimed; a claim moves it to its lease's end. A settled message keeps its row without its words."""

# --- values as text ---------------------------------------------------------------------------

_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
_long_numbers = re.compile("[1-9][0-9]{15,}").findall
_LARGEST = str(2**53 - 1)


def written(value: Any) -> str:
    """The value as RFC 8785 JSON, the quick way where it cannot differ from `canonical`.

    It could only by a number beyond 2^53, half a surrogate pair, or a name beyond U+FFFF.
    """
    plain = to_dict(value)
    text = _encoded(plain)
    return text if _is_basic(text) else canonical(plain).decode()


def _is_basic(text: str) -> bool:
    """Whether no run of digits is too large, and every character whole and below U+FFFF."""
    if any(len(digits) > 16 or digits > _LARGEST for digits in _long_numbers(text)):
        return False
    try:
        return text.isascii() or len(text.encode("utf-16-le")) == 2 * len(text)
    except UnicodeEncodeError:
        return False


def _event(stored: str, where: object) -> Event:
    try:
        return from_dict(Event, json.loads(stored))
    except _MISREAD as error:
        raise StoreUnreadable(
            f"event {where} cannot be read ({error}); the store is damaged or was written by a newer "
            "version of itsm_core: restore a backup or update the library"
        ) from error


def _snapshot(stored: str) -> Snapshot | None:
    """The snapshot, or None if its shape or fold is not of today: it is a cache, to be built anew."""
    try:
        return rules.usable(from_dict(Snapshot, json.loads(stored)))
    except _MISREAD:
        return None


_MISREAD = (ValueError, TypeError, LookupError, AttributeError)

# --- commit -----------------------------------------------------------------------------------

_LABELS = (*("grp" if name == "group" else name for name in rules.FACETS), "refs", "due")
_WHERE_IT_IS = f"SELECT version, {', '.join(_LABELS)} FROM itsm_records WHERE id = ?"  # noqa: S608 - names of ours
_KNOWN = "SELECT record, seq FROM itsm_events WHERE id = ?"
_APPEND = "INSERT INTO itsm_events (record, seq, id, json) VALUES (?, ?, ?, ?)"
_ENTER = (
    f"INSERT INTO itsm_records (version, snapshot, {', '.join(_LABELS)}, id) "  # noqa: S608 - as above
    f"VALUES (?, ?, {', '.join('?' for _ in _LABELS)}, ?)"
)
_ADVANCE = "UPDATE itsm_records SET version = ?, snapshot = ?{} WHERE id = ?"
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


def commit(changes: ChangeSet) -> Steps[Committed]:
    """Writes a change set; what can be refused without looking is refused before it begins."""
    version = rules.check(changes)
    kept = changes.snapshot.record
    refs = rules.references(kept)
    snapshot = _encoded(to_dict(changes.snapshot))  # a cache: nobody takes its digest
    due = None if changes.snapshot.due is None else micros(changes.snapshot.due)
    row = (version, snapshot, *rules.facets(kept), _encoded(refs) if refs else None, due)
    events = [(e.record, e.seq, e.id, written(e)) for e in changes.events]
    messages = [(m.key, m.record, micros(rules.ready(m)), m.attempt, written(m)) for m in changes.messages]
    return _commit(changes, row, refs, events, messages)


def _commit(
    changes: ChangeSet,
    row: tuple[Any, ...],
    refs: tuple[str, ...],
    events: Sequence[tuple[Any, ...]],
    messages: Sequence[tuple[Any, ...]],
) -> Steps[Committed]:
    before = yield _WHERE_IT_IS, (changes.record,), True
    known: list[tuple[Any, ...]] = []
    for _, _, name, _ in events:
        known.extend((yield _KNOWN, (name,), True))
    repeat = rules.admit(changes, before[0][0] if before else 0, [(r, s) for r, s in known])
    if repeat is not None:
        return repeat
    for event in events:
        yield _APPEND, event, False
    yield from _keep(changes.record, row, refs, before[0] if before else None)
    for timer in changes.timers:
        yield _timer(timer)
    for message in messages:
        yield _SEND, message, False
    return Committed(record=changes.record, version=row[0])


def _keep(
    record: str, row: tuple[Any, ...], refs: tuple[str, ...], before: tuple[Any, ...] | None
) -> Steps[None]:
    """Writes the snapshot, and of what the record is found by only what changed: indexes are dear."""
    new = row[2:]
    old = before[1:] if before is not None else (None,) * len(new)
    moved = [i for i, (was, now) in enumerate(zip(old, new, strict=True)) if was != now]
    if before is None:
        yield _ENTER, (*row, record), False
    else:
        columns = "".join(f", {_LABELS[i]} = ?" for i in moved)
        yield _ADVANCE.format(columns), (*row[:2], *(new[i] for i in moved), record), False
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
_READ = "SELECT position, json FROM itsm_events WHERE position > ? ORDER BY position LIMIT ?"


def load(record: str, after: int | None) -> Steps[tuple[Snapshot | None, tuple[Event, ...]]]:
    """The snapshot and the events after it; all of them if the snapshot cannot be read."""
    rows = yield _LOAD, (record,), True
    if not rows:
        raise RecordNotFound(record)
    version, stored = rows[0]
    snapshot = _snapshot(stored)
    since = (version if snapshot is not None else 0) if after is None else after
    return snapshot, (yield from _history(record, since))


def _history(record: str, since: int) -> Steps[tuple[Event, ...]]:
    rows = yield _HISTORY, (record, since), True
    return tuple(_event(stored, f"#{seq} of {record!r}") for seq, stored in rows)


def event(event_id: str) -> Steps[Event | None]:
    """The event with this id."""
    rows = yield _EVENT, (event_id,), True
    return _event(rows[0][0], event_id) if rows else None


def read(after: Position, limit: int) -> Steps[tuple[tuple[Event, ...], Position]]:
    """The next events of all records; for stores whose writers commit one after the other."""
    rows = yield _READ, (rules.place(after), rules.at_most(limit)), True
    events = tuple(_event(stored, f"at position {place}") for place, stored in rows)
    return events, Position(token=str(rows[-1][0])) if rows else after


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
        f"SELECT id, snapshot FROM itsm_records WHERE {where} ORDER BY id LIMIT ?",  # noqa: S608 - literals only
        (*values, rules.at_most(query.limit)),
        True,
    )
    found = []
    for record, stored in rows:
        snapshot = _snapshot(stored)
        found.append(snapshot.record if snapshot else fold((yield from _history(record, 0))))
    return tuple(found)


# --- timers and messages ----------------------------------------------------------------------

_DUE_TIMERS = (
    "SELECT ready, id, record, kind, due FROM itsm_timers WHERE kind = ? AND ready <= ? "
    "ORDER BY ready, id LIMIT ?"
)
_HOLD_TIMERS = (
    "UPDATE itsm_timers SET ready = ?, token = ?, worker = ? WHERE kind = ? AND (ready, id) <= (?, ?)"
)
_DUE_MESSAGES = (
    "SELECT ready, position, attempt, json FROM itsm_messages WHERE state = 'waiting' AND ready <= ? "
    "ORDER BY ready, position LIMIT ?"
)
_HOLD_MESSAGES = (
    "UPDATE itsm_messages SET ready = ?, token = ?, worker = ? "
    "WHERE state = 'waiting' AND (ready, position) <= (?, ?)"
)


def claim(
    kind: str, now: dt.datetime, limit: int, until: dt.datetime, worker: str
) -> Steps[tuple[Claim, ...]]:
    """Items that are ready, earliest first, held until `until`.

    For stores whose writers come one after the other: what was selected is still what lies
    below the last of it.
    """
    batch, held = rules.batch(), (micros(until),)
    if kind == rules.MESSAGE:
        rows = yield _DUE_MESSAGES, (micros(now), rules.at_most(limit)), True
        if rows:
            yield _HOLD_MESSAGES, (*held, batch, worker, *rows[-1][:2]), False
        messages = [_message(attempt, stored) for _, _, attempt, stored in rows]
        return tuple(Claim(token=rules.token(kind, batch, m.key), item=m) for m in messages)
    rows = yield _DUE_TIMERS, (kind, micros(now), rules.at_most(limit)), True
    if rows:
        yield _HOLD_TIMERS, (*held, batch, worker, kind, *rows[-1][:2]), False
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
