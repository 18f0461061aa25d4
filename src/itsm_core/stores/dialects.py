"""Where the SQL of SQLite and PostgreSQL differs: a table of texts; the statements are the same.

On SQLite writers come one after the other, so the order of the log is that of a counter, and what
was selected is still there when it is updated. On PostgreSQL they come at the same time. An event
carries the transaction that wrote it, and the log is read only below the oldest transaction that
still runs: nothing can come in front of what was read. Rows are locked when they are selected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from itsm_core.ports import Position
from itsm_core.stores import rules

VERSION = 2
"""The version of the tables below."""

_FACETS = ("number", "customer", "service", "assignee", "grp", "requester", "tenant", "due")


def _tables(*, text: str, number: str, event: str, message: str, refs: str, timers: str) -> tuple[str, ...]:
    """The statements that make the tables; the first two say that they are there, and the version.

    `link` chains an event to the one before it, and `head` of a record is its newest link.
    `due` of a record is that of its snapshot. `ready` is the instant from which on an item may be
    claimed; a claim moves it to its lease's end. A settled message keeps its row without its words.
    """
    return (
        f"CREATE TABLE IF NOT EXISTS itsm_schema (version {number} NOT NULL)",
        f"INSERT INTO itsm_schema (version) VALUES ({VERSION})",  # noqa: S608 - a number of ours
        f"""CREATE TABLE itsm_events (
            {event}, record {text} NOT NULL, seq {number} NOT NULL,
            id {text} NOT NULL UNIQUE, json {text} NOT NULL, link {text} NOT NULL, UNIQUE (record, seq))""",
        f"""CREATE TABLE itsm_records (
            id {text} PRIMARY KEY, version {number} NOT NULL, snapshot {text} NOT NULL,
            head {text} NOT NULL,
            number {text}, customer {text}, service {text},
            process {text} NOT NULL, phase {text} NOT NULL, state {text} NOT NULL,
            assignee {text}, grp {text}, requester {text}, tenant {text}, refs {text}, due {number})""",
        "CREATE INDEX itsm_records_phase ON itsm_records (phase, id)",
        "CREATE INDEX itsm_records_state ON itsm_records (state, id)",
        *(
            f"CREATE INDEX itsm_records_{name} ON itsm_records ({name}, id) WHERE {name} IS NOT NULL"
            for name in _FACETS
        ),
        f"""CREATE TABLE itsm_refs (
            record {text} NOT NULL, ref {text} NOT NULL, PRIMARY KEY (record, ref)){refs}""",
        "CREATE INDEX itsm_refs_ref ON itsm_refs (ref, record)",
        f"""CREATE TABLE itsm_timers (
            id {text} PRIMARY KEY, record {text} NOT NULL, kind {text} NOT NULL, due {number} NOT NULL,
            ready {number} NOT NULL, token {text}, worker {text}){timers}""",
        # All that a claim reads lies in this index.
        "CREATE INDEX itsm_timers_ready ON itsm_timers (kind, ready, id, record, due)",
        f"""CREATE TABLE itsm_messages (
            {message}, key {text} NOT NULL UNIQUE, record {text} NOT NULL,
            state {text} NOT NULL DEFAULT 'waiting', ready {number} NOT NULL, attempt {number} NOT NULL,
            token {text}, worker {text}, detail {text}, json {text} NOT NULL)""",
        "CREATE INDEX itsm_messages_ready ON itsm_messages (ready, position) WHERE state = 'waiting'",
    )


@attrs.frozen(kw_only=True)
class Dialect:
    """What differs; everything else is in `statements`.

    `lock` and `skip_locked` end a selection whose rows are then written. `taken` tells the rows
    that a claim selected, by a column; `taken_values` are its parameters: the rows begin with
    `ready` and that column. `read` selects the log: the place of an event, of as many columns as
    `place` gives numbers, and the event.
    """

    tables: tuple[str, ...]
    lock: str
    skip_locked: str
    taken: str
    taken_values: Callable[[Sequence[tuple[Any, ...]]], tuple[Any, ...]]
    read: str
    place: Callable[[Position], tuple[int | str, ...]]


SQLITE = Dialect(
    tables=_tables(
        text="TEXT",
        number="INTEGER",
        event="position INTEGER PRIMARY KEY AUTOINCREMENT",
        message="position INTEGER PRIMARY KEY",
        refs=" WITHOUT ROWID",
        timers=" WITHOUT ROWID",
    ),
    lock="",
    skip_locked="",
    taken="(ready, {}) <= (?, ?)",
    taken_values=lambda rows: rows[-1][:2],
    read="SELECT position, json FROM itsm_events WHERE position > ? ORDER BY position LIMIT ?",
    place=lambda after: (rules.place(after),),
)

POSTGRES = Dialect(
    tables=_tables(
        text='TEXT COLLATE "C"',  # ordered as Python and SQLite do
        number="BIGINT",
        event="tx xid8 NOT NULL DEFAULT pg_current_xact_id(), "
        "position BIGINT GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (tx, position)",
        message="position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        refs="",
        timers="",
    ),
    lock=" FOR UPDATE",
    skip_locked=" FOR UPDATE SKIP LOCKED",
    taken="{} = ANY(?)",
    taken_values=lambda rows: ([row[1] for row in rows],),
    # ORDER BY tx would sort by the text that is selected.
    read="SELECT tx::text, position, json FROM itsm_events AS e "
    "WHERE (e.tx, e.position) > (?::xid8, ?) AND e.tx < pg_snapshot_xmin(pg_current_snapshot()) "
    "ORDER BY e.tx, e.position LIMIT ?",
    place=rules.place_among_transactions,
)
