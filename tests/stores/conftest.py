"""Change sets to commit, and the stores that every promise is asked of."""

import datetime as dt
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from itsm_core.actors import Actor
from itsm_core.events import Event
from itsm_core.ports import FOLD, ChangeSet, Message, Query, Snapshot, Timer
from itsm_core.records import fold
from itsm_core.sla.tracing import trace
from itsm_core.stores.memory import MemoryStore
from itsm_core.stores.sqlite import SqliteStore

NOW = dt.datetime(2024, 5, 6, 8, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
ALL = Query(limit=1000)


def at(minutes):
    """So many minutes after the beginning."""
    return NOW + minutes * MINUTE


def event(record, seq, event_id=None, **fields):
    """The event `seq` of a record: it is opened, then assigned, again and again."""
    kind = "opened" if seq == 1 else "assigned"
    known = {"process": "incident", "phase": "new", "title": "Mail is down"} if seq == 1 else {}
    tenant = fields.pop("tenant", None)
    return Event(
        id=event_id or f"{record}/{seq}",
        record=record,
        seq=seq,
        kind=kind,
        occurred_at=at(seq),
        recorded_at=at(seq),
        actor=Actor.person("ana", "agent"),
        to_state="new" if seq == 1 else None,
        fields={**known, **fields},
        personal=[name for name in {**known, **fields} if name in {"title", "requester"}],
        tenant=tenant,
    )


def timer(name, due, *, record="R1", kind="clock"):
    """A timer due so many minutes after the beginning; None cancels it."""
    return Timer(id=name, record=record, kind=kind, due=None if due is None else at(due))


def message(key, *, record="R1", ready=0, **more):
    """A message that may be sent so many minutes after the beginning."""
    text = {"to": "ana", "channel": "email", "subject": "Changed", "body": "Your ticket changed."}
    return Message(key=key, record=record, created_at=at(ready), **{**text, **more})


def changes(record="R1", history=(), *, new=1, timers=(), messages=(), due=None, fold_version=FOLD, **fields):
    """A change set of `new` more events after a history; `fields` are those of the events."""
    first = len(history) + 1
    ids = fields.pop("ids", None) or [None] * new
    events = tuple(event(record, first + i, ids[i], **fields) for i in range(new))
    told = (*history, *events)
    return ChangeSet(
        record=record,
        expected=len(history),
        events=events,
        snapshot=Snapshot(
            record=fold(told), timeline=trace(told), fold=fold_version, due=None if due is None else at(due)
        ),
        timers=tuple(timers),
        messages=tuple(messages),
    )


WRITE = SimpleNamespace(
    NOW=NOW, MINUTE=MINUTE, ALL=ALL, at=at, event=event, timer=timer, message=message, changes=changes
)


@pytest.fixture(scope="session")
def write():
    """The functions above, for test files that cannot import this one."""
    return WRITE


class Shelf:
    """One place where records live, and any number of stores that look at it."""

    def __init__(self, kind, folder):
        self.kind, self._folder, self._opened = kind, folder, []
        self.file = folder / "desk.db"
        self.store = MemoryStore() if kind == "memory" else self.another()

    def another(self):
        """A further store on the same records, with a connection of its own."""
        if self.kind == "memory":
            return self.store
        if self.kind == "sqlite":
            store = SqliteStore(self.file)
            self._opened.append(store)
            return store
        connection = sqlite3.connect(self.file, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        self._opened.append(connection)
        return SqliteStore.on(connection)

    def stored(self):
        """All that tables hold, as one text; in memory, what a store names."""
        if self.kind == "memory":
            return repr([slot.item.body for slot in self.store._outbox._slots.values()])
        with closing(sqlite3.connect(self.file)) as connection:
            return "\n".join(connection.iterdump())

    def close(self):
        for opened in self._opened:
            opened.close()


@pytest.fixture(params=["memory", "sqlite", "host"])
def shelf(request, tmp_path):
    """Every kind of store: in memory, in a file of its own, on the host's connection."""
    shelf = Shelf(request.param, tmp_path)
    yield shelf
    shelf.close()


@pytest.fixture
def store(shelf):
    """One store of the kind in question."""
    return shelf.store


@pytest.fixture
def file(tmp_path):
    """Where a file of a store may be made."""
    return tmp_path / "desk.db"


@pytest.fixture
def python():
    """The command that runs `worker.py` in a process of its own."""
    return [sys.executable, str(Path(__file__).with_name("worker.py"))]
