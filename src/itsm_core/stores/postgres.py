"""A store in PostgreSQL: a connection of its own, or the host's connection and transaction.

    store = PostgresStore("postgresql://user:password@host/database")   # commits by itself
    store = PostgresStore.on(connection)                                # commits when the host does

Any number of processes may use one database; each keeps a store, and so a connection, of its own.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakSet

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from itsm_core.errors import StoreError
from itsm_core.events import Event
from itsm_core.ports import ChangeSet, Claim, Committed, Position, Query, Settlement, Snapshot
from itsm_core.records import Record
from itsm_core.stores import postgres_rules, postgres_steps, rules, statements
from itsm_core.stores.caches import Recent
from itsm_core.stores.dialects import POSTGRES
from itsm_core.stores.postgres_rules import translated
from itsm_core.stores.postgres_steps import OWN, Operation, Unsent, transaction, unsent

T = TypeVar("T")
Connection = psycopg.Connection[Any]
_FIVE_SECONDS = dt.timedelta(seconds=5)


class PostgresStore:
    """Keeps records in a PostgreSQL database (13 or newer); safe in several threads and processes.

    The tables, named `itsm_...`, are made where `search_path` says when they are missing.
    `busy_timeout` is how long it waits for another session before it raises `StoreBusy`. A
    connection that was lost while idle is made anew; one that is lost in the middle of a commit
    raises `StoreError`, and the same events again give the result of the first time.
    """

    def __init__(self, url: str, *, busy_timeout: dt.timedelta = _FIVE_SECONDS) -> None:
        self._link: _Own | _Host = _Own(url, busy_timeout)
        self._recent = Recent()

    @classmethod
    def on(cls, connection: Connection) -> PostgresStore:
        """A store on the host's connection: its rows come and go with the host's transaction.

        It never commits what the host began, nor rolls it back. It is as safe in threads as the
        connection is, and makes its tables when they are missing. Where no transaction is open,
        psycopg begins one, which the host ends; in autocommit mode each command is one of its own.
        """
        store = cls.__new__(cls)
        store._link, store._recent = _Host(connection), Recent()  # noqa: SLF001 - its own
        return store

    def commit(self, changes: ChangeSet) -> Committed:
        """As `ports.Store.commit` promises."""
        return self._link.write(lambda: statements.commit(changes, POSTGRES, self._recent))

    def load(self, record: str, after: int | None = None) -> tuple[Snapshot | None, tuple[Event, ...]]:
        """As `ports.Store.load` promises."""
        return self._link.read(lambda: statements.load(record, after, self._recent))

    def event(self, event_id: str) -> Event | None:
        """As `ports.Store.event` promises."""
        return self._link.read(lambda: statements.event(event_id))

    def read(self, after: Position, limit: int) -> tuple[tuple[Event, ...], Position]:
        """As `ports.Store.read` promises: what was committed while nothing older still runs."""
        return self._link.read(lambda: postgres_steps.read(after, limit))

    def find(self, query: Query) -> tuple[Record, ...]:
        """As `ports.Store.find` promises."""
        return self._link.read(lambda: statements.find(query))

    def links(self, record: str) -> tuple[str, ...]:
        """As `ports.Store.links` promises."""
        return self._link.read(lambda: statements.links(record))

    def next_due(self, kind: str) -> dt.datetime | None:
        """As `ports.Store.next_due` promises."""
        return self._link.read(lambda: statements.next_due(kind))

    def claim(
        self, kind: str, now: dt.datetime, limit: int, lease: dt.timedelta, worker: str
    ) -> tuple[Claim, ...]:
        """As `ports.Store.claim` promises."""
        until = rules.lease_end(now, lease)
        earliest = self.next_due(kind)
        if earliest is None or earliest > now:
            return ()  # looking needs no transaction
        return self._link.write(lambda: statements.claim(kind, now, limit, until, worker, POSTGRES))

    def settle(self, settlements: Sequence[Settlement], now: dt.datetime) -> None:
        """As `ports.Store.settle` promises."""
        self._link.write(lambda: statements.settle(settlements, now))

    def close(self) -> None:
        """As `ports.Store.close` promises; the host's connection is left open."""
        self._link.close()


# --- running ----------------------------------------------------------------------------------


def _run(connection: Connection, steps: statements.Steps[T]) -> T:
    """What the operation returns, its statements run one after the other; it hears of their errors."""
    cursor = psycopg.RawCursor(connection, row_factory=tuple_row)
    try:
        step = next(steps)
        while True:
            sql, parameters, wants_rows = step
            try:
                cursor.execute(postgres_rules.numbered(sql), postgres_rules.told(parameters))
                rows = postgres_rules.heard(cursor.fetchall()) if wants_rows else ()
            except BaseException as error:
                step = steps.throw(error)
            else:
                step = steps.send(rows)
    except StopIteration as end:
        result: T = end.value
        return result


class _Own:
    """A connection of our own, for one thread at a time; made anew if it was lost while idle."""

    def __init__(self, url: str, busy_timeout: dt.timedelta) -> None:
        self.name = postgres_rules.name(url)
        self._url, self._wait = url, busy_timeout
        self._lock, self._closed = Lock(), False
        with translated(self.name):
            self._connection: Connection | None = self._open()
        _OPEN.add(self)

    def _open(self) -> Connection:
        try:
            connection = psycopg.connect(self._url, autocommit=True, client_encoding="UTF8")
        except psycopg.Error as error:
            raise postgres_rules.unreachable(self.name, error) from error
        try:
            self._set_up(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _set_up(self, connection: Connection) -> None:
        postgres_rules.fit(self.name, connection.info)
        _run(connection, postgres_steps.wait(self._wait))
        if not _run(connection, postgres_steps.present())[0]:
            _run(connection, transaction(postgres_steps.make, OWN))
        _run(connection, postgres_steps.judged(self.name))

    def read(self, operation: Operation[T]) -> T:
        """What the operation reads; every statement sees what is committed."""
        return self._repeated(lambda: unsent(operation))

    def write(self, operation: Operation[T]) -> T:
        """What the operation returns, once it is committed."""
        return self._repeated(lambda: transaction(operation, OWN))

    def _repeated(self, operation: Operation[T]) -> T:
        """Runs it, a second time if the connection proves lost before anything was written."""
        with self._lock, translated(self.name):
            if self._closed:
                raise StoreError(f"{self.name}: the store is closed; open it again")
            connection = self._usable()
            try:
                return _run(connection, operation())
            except Unsent as failed:
                if not connection.closed:
                    raise failed.error from None
            return _plainly(self._usable(), operation)

    def _usable(self) -> Connection:
        """The connection, or a new one where it is lost or was left within a transaction."""
        if self._connection is not None:
            if self._connection.info.transaction_status == TransactionStatus.IDLE:
                return self._connection
            self._connection.close()
        self._connection = self._open()
        return self._connection

    def close(self) -> None:
        """Closes the connection; closing twice is no error."""
        with self._lock:
            self._closed = True
            if self._connection is not None:
                self._connection.close()

    def forked(self) -> None:
        """Leaves the connection, unclosed, to the process that this one was forked from."""
        _LEFT.append(self._connection)
        self._connection, self._lock = None, Lock()


def _plainly(connection: Connection, operation: Operation[T]) -> T:
    """Runs it; what could not even begin raises what the driver said."""
    try:
        return _run(connection, operation())
    except Unsent as failed:
        raise failed.error from None


_OPEN: WeakSet[_Own] = WeakSet()
_LEFT: list[Connection | None] = []


def _after_fork() -> None:
    for own in list(_OPEN):
        own.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class _Host:
    """The host's connection: our work is part of its transaction, and ends with it."""

    def __init__(self, connection: Connection) -> None:
        self.name = "the host's connection"
        if not isinstance(connection, psycopg.Connection):
            raise postgres_rules.refuse(
                connection,
                "psycopg.Connection",
                "connection.connection in Django, session.connection().connection.driver_connection "
                "in SQLAlchemy",
            )
        self._connection, self._sure = connection, False
        with translated(self.name):
            postgres_rules.fit(self.name, connection.info)
            bounds = self._bounds()
            made = self._ensure()
            _run(connection, postgres_steps.judged(self.name))
            if bounds is postgres_steps.FIRST and not made:
                connection.rollback()  # we only looked

    def read(self, operation: Operation[T]) -> T:
        """What the operation reads; it sees what the host's transaction sees."""
        with translated(self.name):
            self._ensure()
            return _run(self._connection, operation())

    def write(self, operation: Operation[T]) -> T:
        """What the operation returns; an error undoes our part and nothing of the host's."""
        with translated(self.name):
            bounds = self._bounds()
            self._ensure()
            return _plainly(self._connection, lambda: transaction(operation, bounds))

    def close(self) -> None:
        """Leaves the connection open: it is the host's."""

    def _bounds(self) -> postgres_steps.Bounds:
        connection = self._connection
        return postgres_steps.bounds(connection.info.transaction_status, autocommit=connection.autocommit)

    def _ensure(self) -> bool:
        """Makes our tables where they are missing; True if it did."""
        if self._sure:
            return False
        here, self._sure = _run(self._connection, postgres_steps.present())
        if not here:
            _run(self._connection, transaction(postgres_steps.make, self._bounds()))
        return not here
