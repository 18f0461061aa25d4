"""Appending beside the package `eventsourcing`, on SQLite and on PostgreSQL.

    python benchmarks/stores_appending.py [--postgres URL] [--count N] [--runs N]

Two questions. An append: one event a transaction, everything made beforehand. A command: all that an
application does, which is to load, to decide, and to save events and a snapshot.

Both sides write to the same kind of file with the same journal (WAL) and sync (NORMAL), or to the same
server with its own settings, each run to a new file or schema, in turn; medians. `eventsourcing` as
shipped saves no snapshots, so that every command reads all events, and syncs SQLite with FULL.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import itertools
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

import psycopg
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import ApplicationRecorder, InfrastructureFactory, StoredEvent
from eventsourcing.utils import Environment

from itsm_core import Actor, ServiceDesk, stores
from itsm_core.ports import ChangeSet, Committed, Store
from itsm_core.stores.memory import MemoryStore
from itsm_core.values import to_dict, written

COUNT, RUNS = 200, 9
AT = dt.datetime(2024, 1, 8, 10, tzinfo=dt.UTC)
AGENT, USER = Actor.person("ana", "agent"), Actor.person("uma")
DONE = {"resolution_outcome": "workaround", "resolution_notes": "restarted"}

# --- the same four commands on both sides -------------------------------------------------------


def opened(desk: ServiceDesk) -> str:
    """A new incident."""
    return desk.open("Mail is down", actor=USER, at=AT, fields={"impact": "high", "urgency": "high"}).id


def our_incident(desk: ServiceDesk) -> None:
    """Opened, assigned, resolved, closed."""
    name = opened(desk)
    desk.assign(name, actor=AGENT, at=AT, group="mail", assignee="ana")
    desk.fire(name, "resolve", actor=AGENT, at=AT, fields=DONE)
    desk.fire(name, "close", actor=AGENT, at=AT, fields={"closure_code": "user_confirmed"})


class Incident(Aggregate):
    """The fields that our record has after these commands; the rules are an `if` each."""

    @event("Opened")
    def __init__(self, number: str, title: str, requester: str, impact: str, urgency: str, by: str) -> None:
        self.number, self.title, self.requester = number, title, requester
        self.impact, self.urgency, self.priority = impact, urgency, "P1"
        self.process, self.lifecycle, self.state, self.phase = "incident", "incident@1", "new", "new"
        self.group = self.assignee = self.resolution_outcome = self.resolution_notes = ""
        self.closure_code = ""
        self.acted = [["open", by]]
        self.opened_at = self.changed_at = self.entered_at = AT

    @event("Assigned")
    def assign(self, group: str, assignee: str, by: str, at: dt.datetime) -> None:
        """Gives the work to somebody."""
        self.group, self.assignee, self.changed_at = group, assignee, at
        self.acted.append(["assign", by])

    @event("Resolved")
    def resolve(self, outcome: str, notes: str, by: str, at: dt.datetime) -> None:
        """Ends the work."""
        if self.phase == "closed":
            raise ValueError(self.phase)
        self.resolution_outcome, self.resolution_notes = outcome, notes
        self.state = self.phase = "resolved"
        self.changed_at = self.entered_at = at
        self.acted.append(["resolve", by])

    @event("Closed")
    def close(self, code: str, by: str, at: dt.datetime) -> None:
        """Ends it all."""
        if self.phase != "resolved":
            raise ValueError(self.phase)
        self.closure_code = code
        self.state = self.phase = "closed"
        self.changed_at = self.entered_at = at
        self.acted.append(["close", by])


class Desk(Application[Any]):
    """As shipped."""

    def incident(self) -> None:
        """The four commands, each of which loads and saves."""
        made = Incident(f"INC-{uuid4().hex[:12]}", "Mail is down", "uma", "high", "high", "uma")
        self.save(made)
        for name, given in _LATER:
            found: Incident = self.repository.get(made.id)
            getattr(found, name)(*given, "ana", AT)
            self.save(found)


_LATER = (
    ("assign", ("mail", "ana")),
    ("resolve", ("workaround", "restarted")),
    ("close", ("user_confirmed",)),
)


class SnapshottingDesk(Desk):
    """With a snapshot at each save, as our store writes one at each commit."""

    snapshotting_intervals = {Incident: 1}  # noqa: RUF012 - read as it stands by its base


# --- places: a new one for every work -----------------------------------------------------------


class SqlitePlace:
    """A file, for both sides; `normal` sets the sync of the other side to ours."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def store(self) -> Store:
        """Ours."""
        return stores.open(f"sqlite:///{self.path}")

    def environment(self) -> dict[str, str]:
        """What leads theirs here."""
        return {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(self.path)}

    @contextlib.contextmanager
    def alike(self) -> Iterator[None]:
        """Their connections with our sync."""
        connect = sqlite3.connect

        def normal(*given: Any, **more: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*given, **more)
            connection.execute("PRAGMA synchronous = NORMAL")
            return connection

        with mock.patch.object(sqlite3, "connect", normal):
            yield

    def clear(self) -> None:
        """Leaves the file to its folder, which goes."""


class PostgresPlace:
    """A schema, for both sides."""

    def __init__(self, url: str) -> None:
        self.url, self.schema = url, f"itsm_{uuid4().hex}"
        self._run(f"CREATE SCHEMA {self.schema}")

    def store(self) -> Store:
        """Ours."""
        sign = "&" if "?" in self.url else "?"
        return stores.open(f"{self.url}{sign}options=-csearch_path%3D{self.schema}")

    def environment(self) -> dict[str, str]:
        """What leads theirs here."""
        found = psycopg.conninfo.conninfo_to_dict(self.url)
        names = {"dbname": "postgres", "host": "", "port": "5432", "user": "postgres", "password": "-"}
        told = {f"POSTGRES_{name.upper()}": str(found.get(name, other)) for name, other in names.items()}
        return {"PERSISTENCE_MODULE": "eventsourcing.postgres", "POSTGRES_SCHEMA": self.schema, **told}

    def alike(self) -> contextlib.AbstractContextManager[None]:
        """The server's settings are those of both."""
        return contextlib.nullcontext()

    def clear(self) -> None:
        """Drops the schema."""
        self._run(f"DROP SCHEMA {self.schema} CASCADE")

    def _run(self, sql: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql)


Place = SqlitePlace | PostgresPlace

# --- appends ------------------------------------------------------------------------------------


def change_sets(count: int) -> list[ChangeSet]:
    """The change sets of so many incidents, each of one event and the snapshot after it."""
    found: list[ChangeSet] = []
    desk = ServiceDesk(MemoryStore())
    commit = desk.store.commit

    def noted(one: ChangeSet) -> Committed:
        found.append(one)
        return commit(one)

    with mock.patch.object(desk.store, "commit", noted):
        for _ in range(count):
            name = opened(desk)
            desk.assign(name, actor=AGENT, at=AT, group="mail", assignee="ana")
            for text in ("looked at it", "looked again"):
                desk.note(name, text, actor=AGENT, at=AT)
    return found


def our_commits(place: Place, changes: list[ChangeSet]) -> float:
    """An event with its link in the chain, the snapshot, and what the record is found by."""
    with closing(place.store()) as store:
        each = iter(changes)
        return per_second(lambda: store.commit(next(each)), len(changes))


def their_inserts(place: Place, changes: list[ChangeSet]) -> float:
    """The same event as one row, by the recorder that an application has."""
    names = {one.record: uuid4() for one in changes}
    rows = [
        [StoredEvent(names[e.record], e.seq, e.kind, written(to_dict(e)).encode()) for e in one.events]
        for one in changes
    ]
    with place.alike():
        factory = InfrastructureFactory.construct(Environment("Desk", place.environment()))
        with factory:
            recorder: ApplicationRecorder = factory.application_recorder()
            each = iter(rows)
            return per_second(lambda: recorder.insert_events(next(each)), len(rows))


# --- commands -----------------------------------------------------------------------------------


def our_commands(place: Place, count: int) -> float:
    """Load, decide by the shipped lifecycle, commit with a snapshot."""
    with ServiceDesk(place.store()) as desk:
        return per_second(lambda: our_incident(desk), count, 4)


def their_commands(place: Place, count: int, kind: type[Desk]) -> float:
    """Load by the repository, change the aggregate, save."""
    sync = place.alike() if kind is SnapshottingDesk else contextlib.nullcontext()
    with sync, kind(place.environment()) as desk:
        return per_second(desk.incident, count, 4)


def per_second(work: Callable[[], object], count: int, steps: int = 1) -> float:
    """So many in a second, if each call of the work is so many steps."""
    start = time.perf_counter()
    for _ in range(count):
        work()
    return count * steps / (time.perf_counter() - start)


# --- the table ----------------------------------------------------------------------------------

WORKS = (
    "append: eventsourcing, insert_events (one row: the event)",
    "append: our commit (event, chain, snapshot, index)",
    "command: eventsourcing, repository and save, a snapshot each time",
    "command: our desk, load, decide, commit",
    "remark: eventsourcing as shipped (no snapshots; SQLite: sync FULL)",
)


def rates(place: Callable[[], Place], count: int, runs: int) -> dict[str, float]:
    """How many of each work in a second: the medians."""
    changes = change_sets(count)
    works: tuple[Callable[[Place], float], ...] = (
        lambda at: their_inserts(at, changes),
        lambda at: our_commits(at, changes),
        lambda at: their_commands(at, count, SnapshottingDesk),
        lambda at: our_commands(at, count),
        lambda at: their_commands(at, count, Desk),
    )
    found: dict[str, list[float]] = {what: [] for what in WORKS}
    for _ in range(runs):
        for what, work in zip(WORKS, works, strict=True):
            at = place()
            try:
                found[what].append(work(at))
            finally:
                at.clear()
    return {what: statistics.median(each) for what, each in found.items()}


def table(title: str, found: dict[str, float]) -> str:
    """The figures as Markdown: appends beside their append, commands beside their command."""
    lines = [f"| {title} | in a second | of theirs |", "| --- | ---: | ---: |"]
    for what, rate in found.items():
        theirs = found[WORKS[0] if what.startswith("append") else WORKS[2]]
        lines.append(f"| {what} | {rate:,.0f} | {rate / theirs:.2f} |")
    return "\n".join(lines)


def settings(url: str) -> str:
    """What the server promises of a commit."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit') ORDER BY 1"
        )
        return ", ".join(f"{name} = {value}" for name, value in rows)


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--postgres", metavar="URL", help="a server, in which schemas are made and dropped")
    parser.add_argument("--count", type=int, default=COUNT, help="incidents in a run (200)")
    parser.add_argument("--runs", type=int, default=RUNS, help="how many runs the median is of (9)")
    given = parser.parse_args()
    numbers = itertools.count()
    with tempfile.TemporaryDirectory() as name:
        found = rates(lambda: SqlitePlace(Path(name) / f"{next(numbers)}.db"), given.count, given.runs)
        print(table("on SQLite, WAL, synchronous = NORMAL", found))
    if given.postgres:
        found = rates(lambda: PostgresPlace(given.postgres), given.count, given.runs)
        print()
        print(table(f"on PostgreSQL, {settings(given.postgres)}", found))


if __name__ == "__main__":
    main()
