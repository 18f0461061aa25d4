"""Tables of an earlier version of the library made into those of today, as steps without I/O.

Whoever runs them does so in one transaction: a process that ends in between leaves the tables as
they were, and the next one begins anew. Memory stays that of a page, however many events there are.
"""

from __future__ import annotations

from collections.abc import Callable

from itsm_core.stores import rules, statements
from itsm_core.stores.dialects import SQLITE, VERSION
from itsm_core.stores.statements import Steps
from itsm_core.values import sha256

PAGE = 1000
"""How many events are held at a time."""


def upgrade(version: int) -> Steps[None]:
    """From the tables of `version`, one of `FROM`, to those of today."""
    for step in range(version, VERSION):
        yield from FROM[step]()
    yield "UPDATE itsm_schema SET version = ?", (VERSION,), False


# --- from 1 to 2: events are chained, and timers claimed from their index alone ------------------

_NEW_EVENTS = next(sql for sql in SQLITE.tables if "TABLE itsm_events " in sql)
_NEW_INDEX = next(sql for sql in SQLITE.tables if "INDEX itsm_timers_ready " in sql)
_PAGE = (
    "SELECT record, seq, position, id, json FROM itsm_events_1 WHERE (record, seq) > (?, ?) "
    "ORDER BY record, seq LIMIT ?"
)
_MOVE = "INSERT INTO itsm_events (position, record, seq, id, json, link) VALUES (?, ?, ?, ?, ?, ?)"
_HEAD = "UPDATE itsm_records SET head = ? WHERE id = ?"


def _chained() -> Steps[None]:
    """Gives every event its link, and every record its head.

    The table of the events is made anew: a process that still runs the earlier version can then
    add none without a link.
    """
    yield "ALTER TABLE itsm_records ADD COLUMN head TEXT NOT NULL DEFAULT ''", (), False
    yield "ALTER TABLE itsm_events RENAME TO itsm_events_1", (), False
    yield _NEW_EVENTS, (), False
    record, seq, head = "", 0, ""
    while rows := (yield _PAGE, (record, seq, PAGE), True):
        for name, seq, position, event_id, stored in rows:
            if name != record:
                yield _HEAD, (head, record), False
                record, head = name, ""
            head = rules.link(head, _digest(stored, event_id))
            yield _MOVE, (position, record, seq, event_id, stored, head), False
    yield _HEAD, (head, record), False
    yield "DROP TABLE itsm_events_1", (), False
    yield "DROP INDEX itsm_timers_ready", (), False
    yield _NEW_INDEX, (), False


def _digest(stored: str, event_id: str) -> str:
    return sha256(statements.read_event(stored, event_id).canonical())


FROM: dict[int, Callable[[], Steps[None]]] = {1: _chained}
"""What leads from a version to the next."""
