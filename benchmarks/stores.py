"""Commits and commands on SQLite, beside their bare statements and SQLAlchemy Core.

    python benchmarks/stores.py [--count N] [--runs N]

All write into files of their own with the same journal (WAL) and the same sync (NORMAL), in turn in every
run; medians. The bare statements are those that our own store executes, replayed with their parameters made
beforehand: what is left is SQLite. SQLAlchemy appends the same texts as one row each; it is left out where
it is not installed. `stores_appending.py` compares with `eventsourcing`, `stores_scale.py` a full file with
a small one.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, cast
from unittest import mock

from itsm_core import Actor, ServiceDesk, default_agreement
from itsm_core.business_time import BusinessCalendar
from itsm_core.ports import ChangeSet, Committed
from itsm_core.stores.sqlite import SqliteStore
from itsm_core.values import to_dict, written

COUNT, RUNS, COMMANDS = 300, 9, 4
AT = dt.datetime(2024, 1, 8, 10, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
AGENT, USER = Actor.person("ana", "agent"), Actor.person("uma")
AROUND = BusinessCalendar.always("UTC")
DONE = {"resolution_outcome": "workaround", "resolution_notes": "restarted"}

Operation = tuple[str, Any, bool]
Place = Callable[[], Path]


def incident(desk: ServiceDesk) -> None:
    """Four commands: opened, assigned, resolved, closed."""
    number = desk.open("Mail is down", actor=USER, at=AT, fields={"impact": "high", "urgency": "high"}).id
    desk.assign(number, actor=AGENT, at=AT, group="mail", assignee="ana")
    desk.fire(number, "resolve", actor=AGENT, at=AT, fields=DONE)
    desk.fire(number, "close", actor=AGENT, at=AT, fields={"closure_code": "user_confirmed"})


def incidents(desk: ServiceDesk, count: int) -> None:
    """So many, one after the other."""
    for _ in range(count):
        incident(desk)


def per_second(work: Callable[[], object], count: int) -> float:
    """So many in a second."""
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


# --- a command and its statements ---------------------------------------------------------------


def commands(path: Path, count: int) -> float:
    """Commands of a desk on a file, in a second."""
    with ServiceDesk(SqliteStore(path)) as desk:
        return per_second(lambda: incidents(desk, count), COMMANDS * count)


class _Noted(sqlite3.Cursor):
    """A cursor that notes what it is asked."""

    found: list[Operation]

    def execute(self, sql: str, parameters: Any = (), /) -> _Noted:
        self.found.append((sql, parameters, False))
        super().execute(sql, parameters)
        return self

    def fetchone(self) -> Any:
        return self._fetched(super().fetchone())

    def fetchall(self) -> list[Any]:
        return cast("list[Any]", self._fetched(super().fetchall()))

    def _fetched(self, rows: Any) -> Any:
        if self.found:
            self.found[-1] = (*self.found[-1][:2], True)
        return rows


def recorded(path: Path, count: int) -> list[Operation]:
    """Every statement that these commands execute, with its parameters, and whether rows are fetched."""
    found: list[Operation] = []
    cursors = type("Cursors", (_Noted,), {"found": found})

    class Connection(sqlite3.Connection):
        """One whose cursors tell."""

        def cursor(self, _: Any = None) -> Any:
            return super().cursor(cursors)

    with (
        mock.patch.object(sqlite3, "connect", partial(sqlite3.connect, factory=Connection)),
        ServiceDesk(SqliteStore(path)) as desk,
    ):
        found.clear()  # of how the file was made
        incidents(desk, count)
        return [*found]


def replayed(path: Path, operations: list[Operation], count: int) -> float:
    """The same commands in a second, were there nothing but their statements."""
    SqliteStore(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        cursor = connection.cursor()

        def work() -> None:
            for sql, parameters, fetches in operations:
                cursor.execute(sql, parameters)
                if fetches:
                    cursor.fetchall()

        return per_second(work, COMMANDS * count)


# --- appending ----------------------------------------------------------------------------------


def change_sets(folder: Place, count: int) -> list[Any]:
    """The change sets that a desk commits for so many incidents."""
    found: list[Any] = []
    with ServiceDesk(SqliteStore(folder())) as desk:
        commit = desk.store.commit

        def noted(one: ChangeSet) -> Committed:
            found.append(one)
            return commit(one)

        with mock.patch.object(desk.store, "commit", noted):
            incidents(desk, count)
    return found


def committed(path: Path, changes: list[Any]) -> float:
    """Our commits in a second: events, snapshot, chain, what records are found by, timers."""
    with closing(SqliteStore(path)) as store:
        return per_second(lambda: [store.commit(one) for one in changes], len(changes))


def by_core(path: Path, changes: list[Any]) -> float:
    """Transactions of SQLAlchemy Core in a second, each with the events of one change set, a row each."""
    import sqlalchemy as sa  # noqa: PLC0415 - measured where it is installed

    engine = sa.create_engine(f"sqlite:///{path}")
    columns = (sa.Column("seq", sa.Integer), sa.Column("id", sa.String), sa.Column("json", sa.String))
    table = sa.Table("events", sa.MetaData(), sa.Column("record", sa.String), *columns)
    table.metadata.create_all(engine)
    rows = [
        [{"record": e.record, "seq": e.seq, "id": e.id, "json": written(to_dict(e))} for e in one.events]
        for one in changes
    ]
    with engine.connect() as connection:
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL"):
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        connection.commit()

        def work() -> None:
            for each in rows:
                with connection.begin():
                    connection.execute(table.insert(), each)

        return per_second(work, len(rows))


# --- opening ------------------------------------------------------------------------------------


def long_record(desk: ServiceDesk) -> tuple[str, dt.datetime]:
    """The name of a record of 10,000 events, and an instant after them."""
    name, at = desk.open("Mail", actor=USER, at=AT, fields={"impact": "high", "urgency": "high"}).id, AT
    for turn in itertools.count():
        at += MINUTE
        if turn % 37 == 0:  # two moves and a message to thirty-seven notes
            told = {"hold_reason": "requester", "message": "Which?", "look_again_at": at + 60 * MINUTE}
            desk.fire(name, "hold", actor=AGENT, at=at, fields=told)
            record = desk.fire(name, "resume", actor=AGENT, at=at + MINUTE / 2)
            if record.version >= 10_000:
                break
        desk.note(name, f"looked again, {turn}", actor=AGENT, at=at + MINUTE / 2)
    return name, at + MINUTE


def opened(path: Path) -> float:
    """Milliseconds, the least of thirty: a record of 10,000 events opened with its clocks, by a new desk."""
    agreement = default_agreement(AROUND)
    with ServiceDesk(SqliteStore(path), agreement=agreement) as desk:
        name, at = long_record(desk)

    def once() -> float:
        with ServiceDesk(SqliteStore(path), agreement=agreement) as desk:
            return 1000 / per_second(lambda: desk.clocks(name, at), 1)

    return min(once() for _ in range(30))


def table(count: int, runs: int) -> str:
    """The figures as Markdown."""
    with tempfile.TemporaryDirectory() as name:
        numbers = itertools.count()

        def folder() -> Path:
            return Path(name) / f"{next(numbers)}.db"

        operations, changes = recorded(folder(), count), change_sets(folder, count)
        works: dict[str, Callable[[], float]] = {
            "the bare statements of a command": lambda: replayed(folder(), operations, count),
            "a command through the desk": lambda: commands(folder(), count),
            "our commit": lambda: committed(folder(), changes),
            "SQLAlchemy Core, the events alone": lambda: by_core(folder(), changes),
        }
        rates: dict[str, list[float]] = {what: [] for what in works}
        for _ in range(runs):
            for what, work in works.items():
                try:
                    rates[what].append(work())
                except ImportError as missing:
                    print(f"{what}: left out, {missing.name} is not installed", file=sys.stderr)
        found = {what: statistics.median(each) for what, each in rates.items() if each}
        floor = next(iter(found.values()))
        lines = ["| on SQLite, WAL, synchronous = NORMAL | in a second | of bare |", "| --- | ---: | ---: |"]
        lines += [f"| {what} | {rate:,.0f} | {rate / floor:.2f} |" for what, rate in found.items()]
        lines.append(f"\nA record of 10,000 events opens with its clocks in {opened(folder()):.2f} ms.")
        return "\n".join(lines)


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=COUNT, help="incidents in a run (300)")
    parser.add_argument("--runs", type=int, default=RUNS, help="how many runs the median is of (9)")
    given = parser.parse_args()
    print(table(given.count, given.runs))


if __name__ == "__main__":
    main()
