"""An SQLite connection of our own, or the host's: who begins, who commits, what an error means.

`OwnFile` opens a file, refuses what is not ours before touching it, and commits. `HostConnection`
joins the transaction of the host and leaves its end to the host. In both, the table `itsm_schema`
tells that our tables are there, and their version.
"""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from threading import Lock
from typing import TypeVar
from weakref import WeakSet

from itsm_core.errors import InvalidValue, StoreBusy, StoreError
from itsm_core.stores.dialects import SQLITE, VERSION
from itsm_core.stores.sqlite_errors import RAISED, meaning, of_an_earlier_version, translated, unreadable
from itsm_core.stores.statements import Steps
from itsm_core.stores.upgrades import FROM, upgrade

T = TypeVar("T")
_PAUSE = 0.01
_SMALLEST = 512
"""The bytes of the smallest database (https://www.sqlite.org/fileformat.html, 1.3.2)."""

# --- whose tables are there, and of which version ---------------------------------------------

_HAS_TABLES = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'itsm_schema'"
_VERSION = "SELECT version FROM itsm_schema"
_OTHERS = "SELECT count(*) FROM sqlite_master WHERE name NOT GLOB 'itsm_*' AND name NOT GLOB 'sqlite_*'"


def _version(cursor: sqlite3.Cursor) -> int | None:
    """The version of our tables: None where there are none, 0 where it is not said."""
    if cursor.execute(_HAS_TABLES).fetchone() is None:
        return None
    row = cursor.execute(_VERSION).fetchone()
    return row[0] if row else 0


def _contents(connection: sqlite3.Connection) -> tuple[int | None, int]:
    """The version of our tables, and how many tables and the like are not ours."""
    cursor = connection.cursor()
    return _version(cursor), cursor.execute(_OTHERS).fetchone()[0]


def _judge(name: str, version: int | None, others: int = 0) -> None:
    """Refuses tables of another version, and a database in which others are at home and we are not."""
    if version is None and others:
        raise unreadable(
            name,
            "belongs to another application",
            "name another file, or join its database: SqliteStore.on(connection)",
        )
    if version is not None and version != VERSION and version not in FROM:
        which = "a newer" if version > VERSION else "another"
        raise unreadable(
            name,
            f"was written by {which} version of itsm_core (tables of version {version}, known is {VERSION})",
            "use that version of the library",
        )


def _make(cursor: sqlite3.Cursor) -> None:
    """Makes our tables, unless another connection just did."""
    cursor.execute(SQLITE.tables[0])
    if cursor.execute(_VERSION).fetchone() is None:
        for statement in SQLITE.tables[1:]:
            cursor.execute(statement)


def _prepare(cursor: sqlite3.Cursor, version: int | None) -> None:
    """Makes our tables, or brings those of an earlier version up to date."""
    if version is None:
        _make(cursor)
    elif version in FROM:
        run(cursor, upgrade(version))


def run(cursor: sqlite3.Cursor, steps: Steps[T]) -> T:
    """What the operation returns, its statements run one after the other."""
    try:
        sql, parameters, wants_rows = next(steps)
        while True:
            cursor.execute(sql, parameters)
            sql, parameters, wants_rows = steps.send(cursor.fetchall() if wants_rows else ())
    except StopIteration as end:
        result: T = end.value
        return result


def _committed(connection: sqlite3.Connection, steps: Steps[T]) -> T:
    """What the operation returns, run in a transaction of its own."""
    cursor = connection.cursor()
    try:
        cursor.execute("BEGIN IMMEDIATE")  # who interrupts it while it waits is heard once it has begun
        result = run(cursor, steps)
        cursor.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it all by itself
            cursor.execute("ROLLBACK")
        raise
    return result


# --- a file of our own ------------------------------------------------------------------------


class OwnFile:
    """A file that only stores of ours write, in any number of threads and processes."""

    def __init__(self, path: Path, *, durable: bool, busy_timeout: dt.timedelta) -> None:
        self.name = str(path)
        self._path, self._durable, self._wait = path, durable, busy_timeout.total_seconds()
        self._lock, self._closed = Lock(), False
        self._connection: sqlite3.Connection | None = self._open()
        _OPEN.add(self)

    def _open(self) -> sqlite3.Connection:
        """A connection; waits for others that are just making the same file."""
        deadline = time.monotonic() + self._wait
        while True:
            try:
                with translated(self.name):
                    return self._connect()
            except StoreBusy:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_PAUSE)

    def _connect(self) -> sqlite3.Connection:
        old = inspect(self._path, self._wait) in FROM
        connection = sqlite3.connect(
            self._path, timeout=self._wait, isolation_level=None, check_same_thread=False
        )
        try:
            with of_an_earlier_version(self.name) if old else nullcontext():
                self._set_up(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _set_up(self, connection: sqlite3.Connection) -> None:
        version, others = _contents(connection)
        _judge(self.name, version, others)
        # Where others live too, the journal is theirs to choose.
        mode = connection.execute(f"PRAGMA journal_mode{'' if others else ' = WAL'}").fetchone()[0]
        # Without WAL (some network drives) only FULL keeps the file whole in a power cut.
        safe = "NORMAL" if mode == "wal" and not self._durable else "FULL"
        connection.execute(f"PRAGMA synchronous = {safe}")
        if version != VERSION:
            _found(connection, self.name)

    def _held(self) -> sqlite3.Connection:
        """The connection, for whoever holds the lock; opened again after a fork."""
        if self._closed:
            raise StoreError(f"{self.name}: the store is closed; open it again")
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def read(self, steps: Steps[T]) -> T:
        """What the operation reads; every statement sees what is committed."""
        with self._lock:
            cursor = self._held().cursor()
            try:
                return run(cursor, steps)
            except RAISED as error:
                raise meaning(self.name, error) from error
            finally:
                cursor.close()  # left half read, it would hold the connection at what it saw

    def write(self, steps: Steps[T]) -> T:
        """What the operation returns, once it is committed; any error undoes it."""
        with self._lock:
            connection = self._held()
            try:
                return _committed(connection, steps)
            except RAISED as error:
                raise meaning(self.name, error) from error

    def close(self) -> None:
        """Closes the connection; the file can be opened again, and closing twice is no error."""
        with self._lock:
            self._let_go()
            self._closed = True

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def before_fork(self) -> None:
        """Closes the connection and holds the store until the process has forked.

        SQLite forbids to carry a connection across a fork: what it believes of the locks is wrong
        on the other side, and even closing it there can destroy the file
        (https://www.sqlite.org/howtocorrupt.html, 2.6). Both sides open their own when they need it.
        """
        self._lock.acquire()
        self._let_go()

    def after_fork(self) -> None:
        """Lets the store be used again, in the parent and in the child."""
        self._lock.release()


_OPEN: WeakSet[OwnFile] = WeakSet()
_forking: list[OwnFile] = []
_turn = Lock()
"""Held by the thread that forks: two that each hold a store the other waits for would wait for ever."""


def _before_fork() -> None:
    _turn.acquire()
    for file in list(_OPEN):
        file.before_fork()
        _forking.append(file)


def _after_fork() -> None:
    while _forking:
        _forking.pop().after_fork()
    _turn.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


def inspect(path: Path, wait: float) -> int | None:
    """The version of a file of ours, reading only; no file and an empty one are new. Refuses others.

    Only SQLite may open the file: were it opened and closed beside SQLite, this process would lose
    its locks on it (https://www.sqlite.org/howtocorrupt.html, 2.2).
    """
    name = str(path)
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        msg = f"{name}: cannot be read ({error.strerror}); name a file that this user may write"
        raise StoreError(msg) from error
    if not stat.S_ISREG(found.st_mode):
        raise StoreError(f"{name}: is no file; name one that this user may write")
    if 0 < found.st_size < _SMALLEST:
        remedy = "name another file, or restore a backup if it was one"
        raise unreadable(name, "is no SQLite database", remedy)
    if found.st_size and not _is_left(path, "-journal"):  # a crash left it: opening mends the file
        with closing(_to_look_at(path, wait)) as connection:
            version, others = _contents(connection)
            _judge(name, version, others)
            return version
    return None


def _to_look_at(path: Path, wait: float) -> sqlite3.Connection:
    """A connection that sees what is committed, the write-ahead log included, and leaves no trace."""
    alone = "" if _is_left(path, "-wal") else "&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{alone}", uri=True, timeout=wait)


def _is_left(path: Path, ending: str) -> bool:
    """Whether there is something in a file beside it."""
    try:
        return path.with_name(path.name + ending).stat().st_size > 0
    except FileNotFoundError:
        return False


def _found(connection: sqlite3.Connection, name: str) -> None:
    """Makes or upgrades the tables of a file, unless another process just did."""
    cursor = connection.cursor()
    cursor.execute("BEGIN IMMEDIATE")
    try:
        version, others = _contents(connection)
        _judge(name, version, others)
        _prepare(cursor, version)
        cursor.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            cursor.execute("ROLLBACK")
        raise


# --- the host's connection --------------------------------------------------------------------

_TAKE_WRITE_LOCK = "DELETE FROM itsm_schema WHERE 0"


class HostConnection:
    """The host's connection: our work is part of its transaction, and ends with it.

    Our tables are made there when they are missing, also after the host rolled them back. Where
    no transaction is open, one is begun as the connection itself would: it stays open until the
    host commits, unless the connection is in autocommit mode.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.name = "the host's connection"
        self._connection = connection
        if not isinstance(connection, sqlite3.Connection) or connection.text_factory is not str:
            raise InvalidValue(
                "connection",
                connection,
                "is no sqlite3.Connection that reads text as str",
                "pass the driver's own: connection.connection in Django, "
                "connection.connection.dbapi_connection in SQLAlchemy",
            )
        with translated(self.name):
            self._ensure()
            _judge(self.name, _version(self._cursor()))

    def read(self, steps: Steps[T]) -> T:
        """What the operation reads; it sees what the host's transaction sees."""
        with translated(self.name):
            self._ensure()
            with closing(self._cursor()) as cursor:
                return run(cursor, steps)

    def write(self, steps: Steps[T]) -> T:
        """What the operation returns; an error undoes our part and nothing of the host's."""
        with translated(self.name):
            self._ensure()
            idle = not self._connection.in_transaction
            try:
                self._begin()
                with self._savepoint() as cursor:
                    cursor.execute(_TAKE_WRITE_LOCK)
                    return run(cursor, steps)
            except BaseException:
                if idle and self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")  # nothing but our own is in it
                raise

    def close(self) -> None:
        """Leaves the connection open: it is the host's."""

    def _cursor(self) -> sqlite3.Cursor:
        cursor = self._connection.cursor()
        cursor.row_factory = None  # the host may want rows of another kind; we want tuples
        return cursor

    def _begin(self) -> None:
        """Begins where Python itself would before an INSERT."""
        connection = self._connection
        by_itself = getattr(connection, "autocommit", -1) == -1 and connection.isolation_level is not None
        if by_itself and not connection.in_transaction:
            self._cursor().execute("BEGIN IMMEDIATE")

    @contextmanager
    def _savepoint(self) -> Iterator[sqlite3.Cursor]:
        cursor = self._cursor()
        cursor.execute("SAVEPOINT itsm_core")
        try:
            yield cursor
            cursor.execute("RELEASE itsm_core")
        except BaseException:
            if self._connection.in_transaction:  # a full disk has ended it all by itself
                cursor.execute("ROLLBACK TO itsm_core")
                cursor.execute("RELEASE itsm_core")
            raise

    def _ensure(self) -> None:
        """Makes or upgrades our tables, unless they are as of today or another process just does it."""
        version = _version(self._cursor())
        if version is None or version in FROM:
            with of_an_earlier_version(self.name), self._savepoint() as cursor:
                # Writing before looking: of two that look first, SQLite lets none write.
                if version is None:
                    _make(cursor)
                else:
                    cursor.execute(_TAKE_WRITE_LOCK)
                _prepare(cursor, _version(cursor))
