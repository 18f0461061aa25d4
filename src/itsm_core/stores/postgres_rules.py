"""What both PostgreSQL stores say and hear: text and numbers on the wire, and what an error means.

PostgreSQL keeps no zero character in text. It and its neighbour, which JSON escapes and people do
not write, travel as two characters each, in the same order, so that what is sorted stays sorted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8

from itsm_core.errors import InvalidValue, StoreBusy, StoreError, StoreUnreadable
from itsm_core.stores.dialects import VERSION

OLDEST_SERVER = 130000
"""PostgreSQL 13: the first with `xid8`."""

# --- statements, parameters, rows -------------------------------------------------------------


@lru_cache(maxsize=1024)
def numbered(sql: str) -> str:
    """The statement with $1, $2, ... in place of its question marks."""
    first, *others = sql.split("?")
    return first + "".join(f"${n}{text}" for n, text in enumerate(others, 1))


def told(parameters: Sequence[Any]) -> list[Any]:
    """The parameters as PostgreSQL takes them; a number of over 64 bits is an OverflowError."""
    return [_told(value) for value in parameters]


def _told(value: Any) -> Any:
    if isinstance(value, str):
        return _escaped(value) if "\0" in value or "\1" in value else value
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise OverflowError(f"{value} has over 64 bits")
        return Int8(value)  # one type for all, or each size is a statement to prepare
    return told(value) if isinstance(value, list) else value


def _escaped(text: str) -> str:
    return text.replace("\1", "\1\2").replace("\0", "\1\1")


def heard(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows as they were told."""
    return [tuple(map(_heard, row)) for row in rows]


def _heard(value: Any) -> Any:
    if type(value) is str and "\1" in value:
        return value.replace("\1\1", "\0").replace("\1\2", "\1")
    return value


# --- names ------------------------------------------------------------------------------------


def name(url: str) -> str:
    """What a connection string leads to, without its password; one that is none is refused."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise InvalidValue(  # its words may hold the password
            "store",
            "postgresql://...",
            "is no connection string of PostgreSQL",
            'write "postgresql://user:password@host:5432/database"',
        ) from None
    host, database = parts.get("host") or "the default host", parts.get("dbname") or "the default database"
    return f"PostgreSQL database {database} at {host}"


# --- errors -----------------------------------------------------------------------------------

_LOST = (
    StoreError,
    "the connection was lost; repeat the command with its command_id, which is not written twice",
)
_CONCURRENT = (StoreBusy, "others write the same at the same time; repeat the command in a new transaction")
_WAITED = (StoreBusy, "another session holds it and did not let go in time; repeat the command")
_FULL = (StoreError, "it has no room or memory left; nothing was written; make room and repeat the command")
_DAMAGED = (StoreUnreadable, "it is damaged; restore a backup")

_KINDS: dict[str, tuple[type[StoreError], str]] = {
    "": _LOST,
    "08": _LOST,
    "57": _LOST,
    "57014": _WAITED,
    "55P03": _WAITED,
    "40": _CONCURRENT,
    "23": _CONCURRENT,
    "42": (StoreUnreadable, "its tables are not as we left them; restore a backup or use another schema"),
    "42501": (StoreError, "this user may not do that; grant it the right to make and write our tables"),
    "3F": (StoreError, "there is no schema to make tables in; create it or set search_path"),
    "25P03": _LOST,
    "25P04": _LOST,
    "25006": (StoreError, "it only reads; name the server that takes writes"),
    "25P02": (StoreError, "an earlier statement of this transaction failed; roll back and repeat"),
    "53": _FULL,
    "53300": (StoreError, "it takes no more connections; close some or allow more"),
    "58": _FULL,
    "XX": (StoreError, "it failed inside; look into its log, then repeat the command"),
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turns errors of the database into ours, which name the store and the remedy."""
    try:
        yield
    except psycopg.Error as error:
        raise _ours(name, error) from error
    except (UnicodeEncodeError, OverflowError) as error:
        remedy = "use valid Unicode and 64-bit numbers"
        raise InvalidValue("parameter", str(error), "cannot be stored", remedy) from error


def _ours(name: str, error: psycopg.Error) -> Exception:
    state, words = error.sqlstate or "", error.diag.message_primary or str(error).partition("\n")[0]
    if state[:2] == "22":
        return InvalidValue("parameter", words, "cannot be stored", "use valid Unicode and 64-bit numbers")
    if state[:2] == "54":
        remedy = "ids and what a record is found by have at most 2,000 bytes"
        return InvalidValue("parameter", words, "is too long", remedy)
    kind, remedy = _KINDS.get(state) or _KINDS.get(state[:2]) or (StoreError, "it refused a statement")
    return kind(f"{name}: {remedy} (PostgreSQL says: {words})")


def unreachable(name: str, error: psycopg.Error) -> StoreError:
    """What to say when no connection can be made."""
    words = str(error).strip().replace("\n", "; ")
    return StoreError(f"{name}: cannot be reached; check that it runs and takes this user ({words})")


# --- what can be worked with ------------------------------------------------------------------


def fit(name: str, info: psycopg.ConnectionInfo) -> None:
    """Refuses a server that is too old, and one that does not keep or give text as UTF-8."""
    if info.server_version < OLDEST_SERVER:
        raise StoreError(f"{name}: is PostgreSQL {info.server_version // 10000}; use 13 or newer")
    for side in ("server_encoding", "client_encoding"):
        if (encoding := info.parameter_status(side)) != "UTF8":
            raise StoreError(f"{name}: its {side} is {encoding}, which loses text; use UTF8")


def judge(name: str, version: int) -> None:
    """Refuses tables of another version."""
    if version != VERSION:
        which = "a newer" if version > VERSION else "another"
        raise StoreUnreadable(
            f"{name}: was written by {which} version of itsm_core (tables of version {version}, known is "
            f"{VERSION}), and was left as it is; use that version of the library"
        )


def of_another_server(name: str) -> StoreUnreadable:
    """What to say of a log whose transactions this server has not come to: its readers would miss events."""
    return StoreUnreadable(
        f"{name}: its events carry the transactions of another server, as after pg_dump and pg_restore, so "
        f"that readers would miss them; where nothing writes, run once: {_NUMBER_ANEW} - and let every "
        "reader begin at Position()"
    )


_NUMBER_ANEW = "UPDATE itsm_events SET tx = '3'"
"""Below every transaction that a server gives, so that all is read; `position` keeps the order."""


def ahead(token: str) -> InvalidValue:
    """What to say of a position behind which this server has not come yet."""
    reason = "lies ahead of all that this server wrote: another gave it, or the database is an older copy"
    return InvalidValue("position", token, reason, "begin at Position()")


def refuse(connection: object, kind: str, where: str) -> InvalidValue:
    """What to say of a connection that is not psycopg's."""
    return InvalidValue("connection", connection, f"is no {kind}", f"pass the driver's own: {where}")
