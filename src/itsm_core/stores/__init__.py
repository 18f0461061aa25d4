"""Where records live: in memory, in an SQLite file, or on the host's own connection.

    with closing(stores.open("sqlite:///desk.db")) as store: ...

Every store keeps the numbered promises of `itsm_core.ports.Store`. Importing this package loads
none of them: a store is loaded when it is asked for.

Order: rules, memory, statements, connections, sqlite.
"""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from itsm_core.errors import InvalidValue
from itsm_core.ports import Store

if TYPE_CHECKING:
    from itsm_core.stores.memory import MemoryStore
    from itsm_core.stores.sqlite import SqliteStore

__all__ = ["MemoryStore", "SqliteStore", "open"]

_NAMES = {"MemoryStore": "itsm_core.stores.memory", "SqliteStore": "itsm_core.stores.sqlite"}
_SUFFIXES = (".db", ".sqlite", ".sqlite3")
_REMEDY = (
    'write "memory://", "sqlite:///folder/desk.db" (relative), "sqlite:////folder/desk.db" '
    "(absolute), or a path that ends in .db, .sqlite or .sqlite3"
)


def open(  # noqa: A001 - stores.open(...) is the word
    url: str | Path, *, busy_timeout: dt.timedelta = dt.timedelta(seconds=5)
) -> Store:
    """The store that a URL or a path names; a file that does not exist is made.

    `busy_timeout` is how long a commit waits for another process before it raises `StoreBusy`.

    >>> from itsm_core.ports import Query
    >>> open("memory://").find(Query(state="new"))
    ()
    """
    named = str(url)
    if named == "memory://":
        memory: Store = __getattr__("MemoryStore")()
        return memory
    path = named.removeprefix("sqlite:///")
    is_file = path != named or isinstance(url, Path) or named.lower().endswith(_SUFFIXES)
    if not path or not is_file or "://" in path:
        raise InvalidValue("store", named, "names no store that is built in", _REMEDY)
    file: Store = __getattr__("SqliteStore")(path, busy_timeout=busy_timeout)
    return file


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_NAMES[name]), name)
