"""What surrounds an operation on PostgreSQL, as generators: transactions, savepoints, tables.

Whoever runs them raises an error of the driver at the `yield` of the statement that failed, so
that undoing and repeating are written here, once, for the store that blocks and the one that awaits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, TypeVar

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus

from itsm_core.events import Event
from itsm_core.ports import Position
from itsm_core.stores import postgres_rules, rules, statements
from itsm_core.stores.dialects import POSTGRES
from itsm_core.stores.statements import Steps

T = TypeVar("T")
Operation = Callable[[], Steps[T]]

_TURNS = 3


class Unsent(Exception):
    """Nothing was written yet when the statement failed: it may be repeated on a new connection."""

    def __init__(self, error: psycopg.Error) -> None:
        super().__init__(str(error))
        self.error = error


class Bounds(NamedTuple):
    """How an operation begins, ends and is undone, and after which errors it is tried again."""

    begin: str
    end: str
    undo: tuple[str, ...]
    again: tuple[type[psycopg.Error], ...]


_ENDED = (errors.UniqueViolation, errors.SerializationFailure, errors.DeadlockDetected)
# Rows are locked before they are decided on: a stricter default of the database would only refuse more.
OWN = Bounds("BEGIN ISOLATION LEVEL READ COMMITTED", "COMMIT", ("ROLLBACK",), _ENDED)
# psycopg itself begins before the savepoint; there is nothing in the transaction but our own.
FIRST = Bounds("SAVEPOINT itsm_core", "RELEASE itsm_core", ("ROLLBACK",), _ENDED)
WITHIN = Bounds(
    "SAVEPOINT itsm_core",
    "RELEASE itsm_core",
    ("ROLLBACK TO itsm_core", "RELEASE itsm_core"),
    (errors.UniqueViolation,),
)


def bounds(status: TransactionStatus, *, autocommit: bool) -> Bounds:
    """How to join the host, whose connection is in this state: in its transaction, or as its first."""
    if status != TransactionStatus.IDLE:
        return WITHIN
    return OWN if autocommit else FIRST


def transaction(operation: Operation[T], bounds: Bounds) -> Steps[T]:
    """The operation, all of it or nothing.

    Where another writer was there first with the same key, it is undone and decided again: then the
    other's rows can be seen, and say whether this is a repeat or a conflict.
    """
    for _ in range(_TURNS - 1):
        with suppress(*bounds.again):
            return (yield from _once(operation, bounds))
    return (yield from _once(operation, bounds))


def _once(operation: Operation[T], bounds: Bounds) -> Steps[T]:
    yield from unsent(lambda: _said(bounds.begin))
    try:
        result = yield from operation()
        yield bounds.end, (), False
    except BaseException:
        with suppress(psycopg.Error):  # a lost connection has undone it
            for statement in bounds.undo:
                yield statement, (), False
        raise
    return result


def _said(statement: str) -> Steps[None]:
    yield statement, (), False


def unsent(operation: Operation[T]) -> Steps[T]:
    """The operation, of which nothing is left behind if it fails: reading, or beginning."""
    try:
        return (yield from operation())
    except psycopg.Error as error:
        raise Unsent(error) from error


def wait(longest: dt.timedelta) -> Steps[None]:
    """Has this session wait so long for another's lock."""
    milliseconds = max(1, longest // dt.timedelta(milliseconds=1))  # 0 is for ever
    yield "SELECT set_config('lock_timeout', ?, false)", (str(milliseconds),), False


# --- tables -----------------------------------------------------------------------------------

_LOCK = int.from_bytes(b"itsm_cor", "big")


def present() -> Steps[tuple[bool, bool]]:
    """Whether our tables are there, and whether they are sure to stay: nobody's to roll back."""
    rows = yield (
        "SELECT to_regclass('itsm_schema') IS NOT NULL, pg_current_xact_id_if_assigned() IS NULL",
        (),
        True,
    )
    return rows[0][0], rows[0][0] and rows[0][1]


def make() -> Steps[None]:
    """Makes our tables, unless another session just did; two cannot do it at once."""
    yield "SELECT pg_advisory_xact_lock(?)", (_LOCK,), True
    yield POSTGRES.tables[0], (), False
    rows = yield _VERSION, (), True
    for statement in () if rows else POSTGRES.tables[1:]:
        yield statement, (), False


def judged(name: str) -> Steps[None]:
    """Refuses tables of another version, and a log that this server's transactions did not write."""
    rows = yield _VERSION, (), True
    postgres_rules.judge(name, rows[0][0] if rows else 0)
    rows = yield _NEWEST, (), True
    if rows and rows[0][0]:
        raise postgres_rules.of_another_server(name)


_VERSION = "SELECT version FROM itsm_schema"
_NEWEST = (  # what the host's own transaction wrote may lie above all that have ended
    "SELECT e.tx >= pg_snapshot_xmax(pg_current_snapshot()) "
    "AND e.tx IS DISTINCT FROM pg_current_xact_id_if_assigned() "
    "FROM itsm_events AS e ORDER BY e.tx DESC, e.position DESC LIMIT 1"
)

# --- reading the log --------------------------------------------------------------------------


def read(after: Position, limit: int) -> Steps[tuple[tuple[Event, ...], Position]]:
    """The next events; where there are none, whether the position can be one of this server's."""
    page = yield from statements.read(after, limit, POSTGRES)
    if not page[0] and after.token:
        rows = yield _AHEAD, rules.place_among_transactions(after)[:1], True
        if rows[0][0]:
            raise postgres_rules.ahead(after.token)
    return page


_AHEAD = "SELECT ?::xid8 >= pg_snapshot_xmax(pg_current_snapshot())"
