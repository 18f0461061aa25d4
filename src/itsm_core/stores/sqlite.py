"""A store in SQLite: a file of its own, or the host's connection and transaction.

    store = SqliteStore("desk.db")              # commits by itself
    store = SqliteStore.on(connection)          # commits when the host does

In a file of its own, a commit that returned survives the end of the process; with `durable=True`
it also survives a power cut, at about a tenth of the speed on common disks.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from itsm_core.errors import InvalidValue
from itsm_core.events import Event
from itsm_core.ports import ChangeSet, Claim, Committed, Position, Query, Settlement, Snapshot
from itsm_core.records import Record
from itsm_core.stores import rules, statements
from itsm_core.stores.caches import Recent
from itsm_core.stores.connections import HostConnection, OwnFile
from itsm_core.stores.dialects import SQLITE

_FIVE_SECONDS = dt.timedelta(seconds=5)


class SqliteStore:
    """Keeps records in an SQLite database; safe in several threads and several processes.

    `busy_timeout` is how long it waits for another process before it raises `StoreBusy`. A file
    that is damaged, belongs to another application or was written by a newer version raises
    `StoreUnreadable` and is left as it is; an empty one is taken as new, and one of an earlier version
    is brought up to date in one transaction.
    """

    def __init__(
        self, path: str | Path, *, durable: bool = False, busy_timeout: dt.timedelta = _FIVE_SECONDS
    ) -> None:
        if str(path) in {"", ":memory:"}:
            raise InvalidValue(
                "path", str(path), "names no file", 'for a store in memory use stores.open("memory://")'
            )
        self._link: OwnFile | HostConnection = OwnFile(Path(path), durable=durable, busy_timeout=busy_timeout)
        self._recent = Recent()

    @classmethod
    def on(cls, connection: sqlite3.Connection) -> SqliteStore:
        """A store on the host's connection: its rows come and go with the host's transaction.

        It never commits what the host began, nor rolls it back. It is as safe in threads as the
        connection is, and makes its tables (named `itsm_...`) when they are missing. A position
        read inside a transaction that the host rolls back is void: read again from the one before.
        """
        store = cls.__new__(cls)
        store._link, store._recent = HostConnection(connection), Recent()  # noqa: SLF001 - its own
        return store

    def commit(self, changes: ChangeSet) -> Committed:
        """As `ports.Store.commit` promises."""
        return self._link.write(statements.commit(changes, SQLITE, self._recent))

    def load(self, record: str, after: int | None = None) -> tuple[Snapshot | None, tuple[Event, ...]]:
        """As `ports.Store.load` promises."""
        return self._link.read(statements.load(record, after, self._recent))

    def event(self, event_id: str) -> Event | None:
        """As `ports.Store.event` promises."""
        return self._link.read(statements.event(event_id))

    def read(self, after: Position, limit: int) -> tuple[tuple[Event, ...], Position]:
        """As `ports.Store.read` promises."""
        return self._link.read(statements.read(after, limit, SQLITE))

    def find(self, query: Query) -> tuple[Record, ...]:
        """As `ports.Store.find` promises."""
        return self._link.read(statements.find(query))

    def links(self, record: str) -> tuple[str, ...]:
        """As `ports.Store.links` promises."""
        return self._link.read(statements.links(record))

    def next_due(self, kind: str) -> dt.datetime | None:
        """As `ports.Store.next_due` promises."""
        return self._link.read(statements.next_due(kind))

    def claim(
        self, kind: str, now: dt.datetime, limit: int, lease: dt.timedelta, worker: str
    ) -> tuple[Claim, ...]:
        """As `ports.Store.claim` promises."""
        until = rules.lease_end(now, lease)
        earliest = self.next_due(kind)
        if earliest is None or earliest > now:
            return ()  # looking takes no lock
        return self._link.write(statements.claim(kind, now, limit, until, worker, SQLITE))

    def settle(self, settlements: Sequence[Settlement], now: dt.datetime) -> None:
        """As `ports.Store.settle` promises."""
        self._link.write(statements.settle(settlements, now))

    def close(self) -> None:
        """As `ports.Store.close` promises."""
        self._link.close()
