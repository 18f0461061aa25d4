"""What an error of SQLite means: which error of ours, and what to do about it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from itsm_core.errors import InvalidValue, StoreBusy, StoreError, StoreUnreadable

_KINDS: dict[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_ERROR: (StoreUnreadable, "its tables are not as we left them; restore a backup"),
    sqlite3.SQLITE_BUSY: (
        StoreBusy,
        "another process holds it and did not let go in time; repeat the command or allow a longer wait",
    ),
    sqlite3.SQLITE_LOCKED: (StoreBusy, "another connection of this process holds it; repeat the command"),
    sqlite3.SQLITE_CORRUPT: (StoreUnreadable, "the file is damaged; restore a backup"),
    sqlite3.SQLITE_NOTADB: (
        StoreUnreadable,
        "the file is damaged or no SQLite database; restore a backup or name another file",
    ),
    sqlite3.SQLITE_READONLY: (StoreError, "file or folder cannot be written; check their permissions"),
    sqlite3.SQLITE_CANTOPEN: (
        StoreError,
        "it cannot be opened; check that the folder exists and can be written",
    ),
    sqlite3.SQLITE_FULL: (
        StoreError,
        "the disk is full; nothing of the command was written; make room and repeat it",
    ),
    sqlite3.SQLITE_INTERRUPT: (
        StoreError,
        "somebody interrupted the connection; nothing of the command was written; repeat it",
    ),
    sqlite3.SQLITE_TOOBIG: (
        StoreError,
        (
            "the event, message or snapshot is larger than SQLite stores in one row (1 GB unless told "
            "otherwise); nothing of the command was written; keep large texts elsewhere and store a reference"
        ),
    ),
    sqlite3.SQLITE_IOERR: (
        StoreError,
        (
            "the disk failed, is full, or the file cannot grow; nothing of the command was written; "
            "make room or check the disk, then repeat it"
        ),
    ),
}


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turns errors of the database into ours, which name the store and the remedy."""
    try:
        yield
    except RAISED as error:
        raise meaning(name, error) from error


RAISED = (sqlite3.Error, UnicodeEncodeError, OverflowError)
"""What the driver raises."""


def meaning(name: str, error: Exception) -> Exception:
    """The error of ours that an error of the driver is, for the store of this name."""
    if not isinstance(error, sqlite3.Error):
        return InvalidValue(
            "parameter", str(error), "cannot be stored", "use valid Unicode and 64-bit numbers"
        )
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    kind, remedy = _KINDS.get(code, (StoreError, _misused(str(error))))
    return kind(f"{name}: {remedy} (SQLite says: {error})")


def _misused(said: str) -> str:
    """What to do about an error that has no code: the driver's own, of a connection of the host."""
    if "closed database" in said:
        return "its connection is closed; make a store of one that is open"
    if "that same thread" in said:
        return "it is of another thread; connect with check_same_thread=False, or make a store in each thread"
    return "it refused a statement"


def unreadable(name: str, reason: str, remedy: str) -> StoreUnreadable:
    """The error for a file that is not ours to use."""
    return StoreUnreadable(f"{name}: {reason}, and was left as it is; {remedy}")


_CANNOT_WRITE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}


@contextmanager
def of_an_earlier_version(name: str) -> Iterator[None]:
    """Says of tables that are to be upgraded, and cannot be written, that this is why."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in _CANNOT_WRITE:
            raise
        msg = (
            f"{name}: was written by an earlier version of itsm_core and must be brought up to date, but "
            f"cannot be written; allow this user to write file and folder, or open a copy of the file once "
            f"where it can be written (SQLite says: {error})"
        )
        raise StoreError(msg) from error
