"""Where records live: in memory, in an SQLite file, in PostgreSQL, or on the host's own connection.

    with closing(stores.open("sqlite:///desk.db")) as store: ...

Every store keeps the numbered promises of `itsm_core.ports.Store`. Importing this package loads
none of them: a store is loaded when it is asked for.

Order: rules, caches, memory, threaded, dialects, statements, upgrades, sqlite_errors, connections, sqlite,
postgres_rules, postgres_steps, postgres, postgres_async.
"""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from itsm_core.errors import InvalidValue
from itsm_core.ports import AsyncStore, Store
from itsm_core.values import only

if TYPE_CHECKING:
    from itsm_core.stores.memory import MemoryStore
    from itsm_core.stores.postgres import PostgresStore
    from itsm_core.stores.postgres_async import AsyncPostgresStore
    from itsm_core.stores.sqlite import SqliteStore
    from itsm_core.stores.threaded import ThreadedStore

__all__ = [
    "AsyncPostgresStore",
    "MemoryStore",
    "PostgresStore",
    "SqliteStore",
    "ThreadedStore",
    "open",
    "open_async",
]

INSTALL = "a store on PostgreSQL needs its extra: pip install 'itsm-core[postgres]'"

_NAMES = {
    "AsyncPostgresStore": "itsm_core.stores.postgres_async",
    "MemoryStore": "itsm_core.stores.memory",
    "PostgresStore": "itsm_core.stores.postgres",
    "SqliteStore": "itsm_core.stores.sqlite",
    "ThreadedStore": "itsm_core.stores.threaded",
}
_POSTGRES = ("postgresql://", "postgres://")
_SUFFIXES = (".db", ".sqlite", ".sqlite3")
_REMEDY = (
    'write "memory://", "sqlite:///folder/desk.db" (relative), "sqlite:////folder/desk.db" '
    '(absolute), "postgresql://user:password@host/database", or a path that ends in .db, .sqlite '
    "or .sqlite3"
)


def open(  # noqa: A001 - stores.open(...) is the word
    url: str | Path, *, busy_timeout: dt.timedelta = dt.timedelta(seconds=5)
) -> Store:
    """The store that a URL or a path names; a file that does not exist is made.

    `busy_timeout` is how long a commit waits for another process before it raises `StoreBusy`.
    PostgreSQL needs the extra `postgres`; its tables are made where they are missing.

    >>> from itsm_core.ports import Query
    >>> open("memory://").find(Query(state="new"))
    ()
    """
    named, busy_timeout = str(url), _wait(busy_timeout)
    if named == "memory://":
        memory: Store = __getattr__("MemoryStore")()
        return memory
    if named.startswith(_POSTGRES):
        database: Store = __getattr__("PostgresStore")(named, busy_timeout=busy_timeout)
        return database
    path = named.removeprefix("sqlite:///")
    is_file = path != named or isinstance(url, Path) or named.lower().endswith(_SUFFIXES)
    if not path or not is_file or "://" in path:
        raise InvalidValue("store", named, "names no store that is built in", _REMEDY)
    file: Store = __getattr__("SqliteStore")(path, busy_timeout=busy_timeout)
    return file


async def open_async(url: str | Path, *, busy_timeout: dt.timedelta = dt.timedelta(seconds=5)) -> AsyncStore:
    """The store for async hosts that a URL or a path names, as `open`.

    Memory and SQLite run each whole operation in a thread, and never hold up the loop.
    """
    if str(url).startswith(_POSTGRES):
        database: AsyncStore = await __getattr__("AsyncPostgresStore").open(
            str(url), busy_timeout=_wait(busy_timeout)
        )
        return database
    opened: AsyncStore = await __getattr__("ThreadedStore").opened(
        lambda: open(url, busy_timeout=busy_timeout)
    )
    return opened


def _wait(busy_timeout: dt.timedelta) -> dt.timedelta:
    return only(dt.timedelta, busy_timeout, "busy_timeout", "give a timedelta, such as timedelta(seconds=5)")


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    try:
        return getattr(import_module(_NAMES[name]), name)
    except ImportError as error:
        if "postgres" not in _NAMES[name]:
            raise
        raise ImportError(INSTALL) from error
