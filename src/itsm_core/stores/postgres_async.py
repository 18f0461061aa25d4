"""The store in PostgreSQL for hosts that await: the statements of `postgres`, another way to run them.

store = await AsyncPostgresStore.open("postgresql://user:password@host/database")
store = await AsyncPostgresStore.on(connection)       # joins the host's transaction
"""

from __future__ import annotations

import datetime as dt
import os
from asyncio import Lock
from collections.abc import Sequence
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
Connection = psycopg.AsyncConnection[Any]
_FIVE_SECONDS = dt.timedelta(seconds=5)


class AsyncPostgresStore:
    """Keeps records in a PostgreSQL database, as `PostgresStore`, and never holds up the loop.

    Tasks that share a store of its own connection take turns; open several to work side by side.
    """

    def __init__(self, link: _Own | _Host) -> None:
        self._link, self._recent = link, Recent()

    @classmethod
    async def open(cls, url: str, *, busy_timeout: dt.timedelta = _FIVE_SECONDS) -> AsyncPostgresStore:
        """A store with a connection of its own, which commits by itself."""
        link = _Own(url, busy_timeout)
        await link.start()
        return cls(link)

    @classmethod
    async def on(cls, connection: Connection) -> AsyncPostgresStore:
        """A store on the host's connection: its rows come and go with the host's transaction.

        As with `PostgresStore.on`; tasks that share the connection must take turns.
        """
        link = _Host(connection)
        await link.start()
        return cls(link)

    async def commit(self, changes: ChangeSet) -> Committed:
        """As `ports.Store.commit` promises."""
        return await self._link.write(lambda: statements.commit(changes, POSTGRES, self._recent))

    async def load(self, record: str, after: int | None = None) -> tuple[Snapshot | None, tuple[Event, ...]]:
        """As `ports.Store.load` promises."""
        return await self._link.read(lambda: statements.load(record, after, self._recent))

    async def event(self, event_id: str) -> Event | None:
        """As `ports.Store.event` promises."""
        return await self._link.read(lambda: statements.event(event_id))

    async def read(self, after: Position, limit: int) -> tuple[tuple[Event, ...], Position]:
        """As `ports.Store.read` promises: what was committed while nothing older still runs."""
        return await self._link.read(lambda: postgres_steps.read(after, limit))

    async def find(self, query: Query) -> tuple[Record, ...]:
        """As `ports.Store.find` promises."""
        return await self._link.read(lambda: statements.find(query))

    async def links(self, record: str) -> tuple[str, ...]:
        """As `ports.Store.links` promises."""
        return await self._link.read(lambda: statements.links(record))

    async def next_due(self, kind: str) -> dt.datetime | None:
        """As `ports.Store.next_due` promises."""
        return await self._link.read(lambda: statements.next_due(kind))

    async def claim(
        self, kind: str, now: dt.datetime, limit: int, lease: dt.timedelta, worker: str
    ) -> tuple[Claim, ...]:
        """As `ports.Store.claim` promises."""
        until = rules.lease_end(now, lease)
        earliest = await self.next_due(kind)
        if earliest is None or earliest > now:
            return ()  # looking needs no transaction
        return await self._link.write(lambda: statements.claim(kind, now, limit, until, worker, POSTGRES))

    async def settle(self, settlements: Sequence[Settlement], now: dt.datetime) -> None:
        """As `ports.Store.settle` promises."""
        await self._link.write(lambda: statements.settle(settlements, now))

    async def close(self) -> None:
        """As `ports.Store.close` promises; the host's connection is left open."""
        await self._link.close()


# --- running ----------------------------------------------------------------------------------


async def _run(connection: Connection, steps: statements.Steps[T]) -> T:
    """What the operation returns, its statements run one after the other; it hears of their errors."""
    cursor = psycopg.AsyncRawCursor(connection, row_factory=tuple_row)
    try:
        step = next(steps)
        while True:
            sql, parameters, wants_rows = step
            try:
                await cursor.execute(postgres_rules.numbered(sql), postgres_rules.told(parameters))
                rows = postgres_rules.heard(await cursor.fetchall()) if wants_rows else ()
            except BaseException as error:  # a cancelled task undoes its work too
                step = steps.throw(error)
            else:
                step = steps.send(rows)
    except StopIteration as end:
        result: T = end.value
        return result


async def _plainly(connection: Connection, operation: Operation[T]) -> T:
    """Runs it; what could not even begin raises what the driver said."""
    try:
        return await _run(connection, operation())
    except Unsent as failed:
        raise failed.error from None


class _Own:
    """A connection of our own, for one task at a time; made anew if it was lost while idle."""

    _connection: Connection | None = None

    def __init__(self, url: str, busy_timeout: dt.timedelta) -> None:
        self.name = postgres_rules.name(url)
        self._url, self._wait = url, busy_timeout
        self._lock, self._closed = Lock(), False

    async def start(self) -> None:
        """Makes the connection, and the tables where they are missing."""
        with translated(self.name):
            self._connection = await self._open()
        _OPEN.add(self)

    async def _open(self) -> Connection:
        try:
            connection = await psycopg.AsyncConnection.connect(
                self._url, autocommit=True, client_encoding="UTF8"
            )
        except psycopg.Error as error:
            raise postgres_rules.unreachable(self.name, error) from error
        try:
            await self._set_up(connection)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _set_up(self, connection: Connection) -> None:
        postgres_rules.fit(self.name, connection.info)
        await _run(connection, postgres_steps.wait(self._wait))
        if not (await _run(connection, postgres_steps.present()))[0]:
            await _plainly(connection, lambda: transaction(postgres_steps.make, OWN))
        await _run(connection, postgres_steps.judged(self.name))

    async def read(self, operation: Operation[T]) -> T:
        """What the operation reads; every statement sees what is committed."""
        return await self._repeated(lambda: unsent(operation))

    async def write(self, operation: Operation[T]) -> T:
        """What the operation returns, once it is committed."""
        return await self._repeated(lambda: transaction(operation, OWN))

    async def _repeated(self, operation: Operation[T]) -> T:
        """Runs it, a second time if the connection proves lost before anything was written."""
        async with self._lock:
            with translated(self.name):
                if self._closed:
                    raise StoreError(f"{self.name}: the store is closed; open it again")
                connection = await self._usable()
                try:
                    return await _run(connection, operation())
                except Unsent as failed:
                    if not connection.closed:
                        raise failed.error from None
                return await _plainly(await self._usable(), operation)

    async def _usable(self) -> Connection:
        """The connection, or a new one where it is lost or was left within a transaction."""
        if self._connection is not None:
            if self._connection.info.transaction_status == TransactionStatus.IDLE:
                return self._connection
            await self._connection.close()
        self._connection = await self._open()
        return self._connection

    async def close(self) -> None:
        """Closes the connection; closing twice is no error."""
        async with self._lock:
            self._closed = True
            if self._connection is not None:
                await self._connection.close()

    def forked(self) -> None:
        """Leaves the connection, unclosed, to the process that this one was forked from."""
        _LEFT.append(self._connection)
        self._connection, self._lock = None, Lock()


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
        if not isinstance(connection, psycopg.AsyncConnection):
            raise postgres_rules.refuse(
                connection,
                "psycopg.AsyncConnection",
                "(await (await session.connection()).get_raw_connection()).driver_connection in SQLAlchemy",
            )
        self._connection, self._sure = connection, False

    async def start(self) -> None:
        """Makes our tables where they are missing, and refuses those of another version."""
        with translated(self.name):
            postgres_rules.fit(self.name, self._connection.info)
            bounds = self._bounds()
            made = await self._ensure()
            await _run(self._connection, postgres_steps.judged(self.name))
            if bounds is postgres_steps.FIRST and not made:
                await self._connection.rollback()  # we only looked

    async def read(self, operation: Operation[T]) -> T:
        """What the operation reads; it sees what the host's transaction sees."""
        with translated(self.name):
            await self._ensure()
            return await _run(self._connection, operation())

    async def write(self, operation: Operation[T]) -> T:
        """What the operation returns; an error undoes our part and nothing of the host's."""
        with translated(self.name):
            bounds = self._bounds()
            await self._ensure()
            return await _plainly(self._connection, lambda: transaction(operation, bounds))

    async def close(self) -> None:
        """Leaves the connection open: it is the host's."""

    def _bounds(self) -> postgres_steps.Bounds:
        connection = self._connection
        return postgres_steps.bounds(connection.info.transaction_status, autocommit=connection.autocommit)

    async def _ensure(self) -> bool:
        """Makes our tables where they are missing; True if it did."""
        if self._sure:
            return False
        here, self._sure = await _run(self._connection, postgres_steps.present())
        if not here:
            await _plainly(self._connection, lambda: transaction(postgres_steps.make, self._bounds()))
        return not here
