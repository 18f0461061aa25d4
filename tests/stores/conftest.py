"""Change sets to commit, and the stores that every promise is asked of."""

import sqlite3
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from itsm_core.stores.memory import MemoryStore
from itsm_core.stores.postgres import PostgresStore
from itsm_core.stores.postgres_async import AsyncPostgresStore
from itsm_core.stores.sqlite import SqliteStore
from itsm_core.testing.contract.awaited import Awaited
from itsm_core.testing.contract.samples import ALL, MINUTE, NOW, at, changes, event, message, timer

TABLES = ("events", "records", "refs", "timers", "messages")


WRITE = SimpleNamespace(
    NOW=NOW, MINUTE=MINUTE, ALL=ALL, at=at, event=event, timer=timer, message=message, changes=changes
)


@pytest.fixture(scope="session")
def write():
    """The functions above, for test files that cannot import this one."""
    return WRITE


class Shelf:
    """One place where records live, and any number of stores that look at it."""

    def __init__(self, kind, folder, url=None):
        self.kind, self._folder, self._opened = kind, folder, []
        self.url = url  # of a PostgreSQL schema
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
        if self.kind == "postgres":
            store = PostgresStore(self.url)
            self._opened.append(store)
            return store
        if self.kind == "postgres-async":
            store = Awaited(AsyncPostgresStore.open(self.url))
            self._opened.append(SimpleNamespace(close=store.end))
            return store
        if self.kind == "postgres-host":
            connection = psycopg.connect(self.url, autocommit=True)
            self._opened.append(connection)
            return PostgresStore.on(connection)
        connection = sqlite3.connect(self.file, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        self._opened.append(connection)
        return SqliteStore.on(connection)

    def stored(self):
        """All that tables hold, as one text; in memory, what a store names."""
        if self.kind == "memory":
            return repr([slot.item.body for slot in self.store._outbox._slots.values()])
        if self.url:
            with psycopg.connect(self.url) as connection:
                asked = [f"SELECT t::text FROM itsm_{name} t" for name in TABLES]
                return "\n".join(row for sql in asked for (row,) in connection.execute(sql))
        with closing(sqlite3.connect(self.file)) as connection:
            return "\n".join(connection.iterdump())

    @contextmanager
    def transaction(self):
        """A transaction of the host on a connection of its own, with a store in it."""
        if self.url:
            with psycopg.connect(self.url) as connection:
                yield PostgresStore.on(connection)
            return
        with closing(sqlite3.connect(self.file)) as connection, connection:
            yield SqliteStore.on(connection)

    def close(self):
        for opened in self._opened:
            opened.close()


@pytest.fixture(params=["memory", "sqlite", "host", "postgres", "postgres-host", "postgres-async"])
def shelf(request, new_shelf):
    """Every kind of store: in memory, in a file or schema of its own, on the host's connection."""
    return new_shelf(request.param)


@pytest.fixture
def new_shelf(request, tmp_path):
    """`new_shelf(kind)`: a place of that kind, which is closed after the test."""
    made = []

    def make(kind):
        url = request.getfixturevalue("postgres")() if kind.startswith("postgres") else None
        made.append(Shelf(kind, tmp_path, url))
        return made[-1]

    yield make
    for shelf in made:
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
