"""One SQLite file with a million open records beside one with ten thousand.

    python benchmarks/stores_scale.py [--small N] [--large N] [--runs N]

Every record waits for its policy, so there are as many timers. A desk makes a few hundred records by
commands; the files hold copies of them, with ids, numbers, references and people of their own. A copy
keeps the links of its original, so a chain would not verify. Nothing else tells a copy apart.

Each operation runs on both files in turn, a few calls at a time, each on other records; medians. A question
has as many answers in both files. The files are read once beforehand: what a disk takes to find a page is
the disk's. A few minutes for a million, 5 GB where files go (TMPDIR), and as much memory to hold them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import json
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from itsm_core import Actor, EscalationPolicy, EscalationStep, ServiceDesk, default_agreement
from itsm_core.business_time import BusinessCalendar
from itsm_core.ports import Settlement
from itsm_core.stores.sqlite import SqliteStore

SMALL, LARGE, RUNS = 10_000, 1_000_000, 9
DUE, EACH = 1000, 10
"""Timers that fall due at one instant; calls of an operation before it is the other file's turn."""

AT = dt.datetime(2024, 1, 8, 10, tzinfo=dt.UTC)
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
USER, AGENT = Actor.person("uma"), Actor.person("ana", "agent")
AGREEMENT = default_agreement(BusinessCalendar.always("UTC"))
STEPS = [
    EscalationStep("move", "50 %", kind="functional", group="second-line"),
    EscalationStep("lead", "75 %", to="lead"),
]
POLICY = EscalationPolicy("standard", 1, steps=STEPS)
TIMER = "escalation/standard"
LATER = 100
"""Instants, after those of the runs, at which the other records were opened."""
LENGTHS = (1, 2, 3, 4)

TABLES = {"records": 16, "events": 6, "refs": 2, "timers": 7}
"""And how many columns each has."""
PERSON = "NOBODY"

Rows = dict[str, list[list[Any]]]


def desk_on(path: Path) -> ServiceDesk:
    """A desk with two targets and a policy."""
    return ServiceDesk(SqliteStore(path), agreement=AGREEMENT, policy=POLICY)


def incident(desk: ServiceDesk, at: dt.datetime, length: int) -> str:
    """An open incident of one to four events: opened, assigned, started, put on hold."""
    fields = {"impact": "high", "urgency": "high", "customer": "acme", "service": "mail"}
    ref = f"original-{at:%d-%H-%M}-{length}"
    name = desk.open("Mail is down", actor=USER, at=at, fields=fields, external_ref=ref).id
    if length > 1:
        desk.assign(name, actor=AGENT, at=at, group="mail", assignee=PERSON)
    if length > 2:
        desk.fire(name, "start", actor=AGENT, at=at)
    if length > 3:
        told = {"hold_reason": "supplier", "message": "We wait.", "look_again_at": at + DAY}
        desk.fire(name, "hold", actor=AGENT, at=at, fields=told)
    return name


# --- files --------------------------------------------------------------------------------------


def originals(path: Path, runs: int) -> tuple[list[Original], list[Original]]:
    """Records made by commands: some for each run to find due, and those due later."""
    waves = [AT + n * MINUTE for n in range(runs)]
    others = [AT + DAY + n * MINUTE for n in range(LATER)]
    with desk_on(path) as desk:
        due, later = ([incident(desk, at, n) for at in ats for n in LENGTHS] for ats in (waves, others))
    with closing(sqlite3.connect(path)) as connection:
        return [Original(connection, name) for name in due], [Original(connection, name) for name in later]


class Original:
    """The rows of a record, and copies of them: what tells records apart is replaced in every text."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        keys = {table: "id" if table == "records" else "record" for table in TABLES}
        rows = {
            table: connection.execute(f"SELECT * FROM itsm_{table} WHERE {key} = ?", (name,)).fetchall()  # noqa: S608 - ours
            for table, key in keys.items()
        }
        events = rows["events"]
        self.length, self._name, self._ref = len(events), name, rows["refs"][0][1]
        self._ids = [event[3] for event in events]
        rows["events"] = [(None, *event[1:]) for event in events]  # a copy gets a position of its own
        self._rows = json.dumps(rows)

    def copy(self, rng: random.Random, number: int) -> tuple[str, Rows]:
        """The name and the rows of a further record."""
        name = f"INC-{rng.getrandbits(48):012x}"
        text = self._rows.replace(self._name, name).replace(PERSON, person(number // 50))
        text = text.replace(self._ref, reference(number))
        for old in self._ids:
            text = text.replace(old, f"{rng.getrandbits(128):032x}")
        return name, json.loads(text)


def person(number: int) -> str:
    """One of those who work."""
    return f"person-{number:06}"


def reference(number: int) -> str:
    """What another system calls a record."""
    return f"ref-{number}"


def fill(path: Path, originals: tuple[list[Original], list[Original]], count: int) -> list[str]:
    """Writes a file of so many records; the names of those of the runs that may be started."""
    due, later = originals
    rng, names, early = random.Random(7), [], set(due)  # noqa: S311 - no secrets
    chosen = due * (DUE // len(LENGTHS))
    chosen += [later[n % len(later)] for n in range(count - len(chosen))]
    rng.shuffle(chosen)
    SqliteStore(path).close()
    inserts = {t: f"INSERT INTO itsm_{t} VALUES ({', '.join('?' * n)})" for t, n in TABLES.items()}  # noqa: S608 - ours
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("synchronous = OFF", "journal_mode = OFF", "cache_size = -1000000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        for number, original in enumerate(chosen):
            name, rows = original.copy(rng, number)
            for table, sql in inserts.items():
                connection.executemany(sql, rows[table])
            if original.length == 2 and original in early:
                names.append(name)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    return names


# --- operations ---------------------------------------------------------------------------------


class Measured:
    """A desk on a filled file, and its operations: each answers how many milliseconds a call takes."""

    def __init__(self, path: Path, names: list[str], count: int) -> None:
        self.desk, self.count = desk_on(path), count
        self.names, self.seen = iter(names), itertools.count()
        self.rng = random.Random(11)  # noqa: S311 - no secrets
        self.first, self.waves = self.desk.next_due() or AT, itertools.count()
        self.held: list[Settlement] = []

    def open(self) -> float:
        """Records opened."""
        fields = {"impact": "high", "urgency": "high"}
        at = AT + 2 * DAY
        refs = [f"new-{next(self.seen)}" for _ in range(EACH)]
        return _each(
            lambda ref: self.desk.open("Mail", actor=USER, at=at, fields=fields, external_ref=ref), refs
        )

    def fire(self) -> float:
        """A trigger pulled of records anywhere in the file."""
        names, at = list(itertools.islice(self.names, EACH)), AT + 30 * MINUTE
        return _each(lambda name: self.desk.fire(name, "start", actor=AGENT, at=at), names)

    def work_list(self) -> float:
        """`find` by assignee and phase: what waits for a person."""
        people = [person(self.rng.randrange(self.count // 50)) for _ in range(EACH)]
        found: list[int] = []
        taken = _each(lambda one: found.append(len(self.desk.find(assignee=one, phase="new"))), people)
        _expect(min(found) > 0, found)
        return taken

    def by_reference(self) -> float:
        """`find` by what another system calls the record."""
        refs = [reference(self.rng.randrange(self.count)) for _ in range(EACH)]
        found: list[int] = []
        taken = _each(lambda ref: found.append(len(self.desk.find(external_ref=ref))), refs)
        _expect(found == [1] * EACH, found)
        return taken

    def overdue(self) -> float:
        """`find` of those due by an instant: a page of all that are."""
        before = AT + 15 * MINUTE + MINUTE / 2
        found: list[int] = []
        taken = _each(lambda _: found.append(len(self.desk.find(due_before=before))), range(2))
        _expect(found == [100] * 2, found)
        return taken

    def paged(self) -> float:
        """`find` page after page of a list that grows with the file, from anywhere on."""
        page = self.desk.find(phase="new", process="incident", after=f"INC-{self.rng.randrange(0x8):x}")
        start = time.perf_counter()
        for _ in range(2):
            page = self.desk.find(phase="new", process="incident", after=page[-1].id)
            _expect(len(page) == 100, len(page))
        return 1000 * (time.perf_counter() - start) / 2

    def claim(self) -> float:
        """The store's `claim` of DUE timers."""
        now, store = self.first + next(self.waves) * MINUTE, self.desk.store
        start = time.perf_counter()
        claims = store.claim(TIMER, now, DUE, DAY, "worker")
        taken = 1000 * (time.perf_counter() - start)
        self.held.extend(Settlement(token=one.token, outcome="retry", retry_at=now) for one in claims)
        _expect(len(claims) == DUE, len(claims))
        return taken

    def tick(self) -> float:
        """`tick` with DUE timers due."""
        if self.held:  # what `claim` took
            self.desk.store.settle(self.held, self.first)
            self.held, self.waves = [], itertools.count()
        now = self.first + next(self.waves) * MINUTE
        start = time.perf_counter()
        done = self.desk.tick(now)
        taken = 1000 * (time.perf_counter() - start)
        _expect(done.escalated == DUE, done)
        return taken


def _expect(true: bool, found: object) -> None:
    """What is timed has to be done."""
    if not true:
        msg = f"the copies do not answer as records do: {found}"
        raise RuntimeError(msg)


def _each(work: Callable[[Any], object], asked: Any) -> float:
    start = time.perf_counter()
    for one in asked:
        work(one)
    return 1000 * (time.perf_counter() - start) / len(asked)


FINDS = ("work_list", "by_reference", "overdue", "paged")
TURNS = {**dict.fromkeys((*FINDS, "open", "fire"), 10), "claim": 1, "tick": 1}
"""The operations, and how many turns each has in a run."""


def measured(small: int, large: int, runs: int, folder: Path) -> Iterator[tuple[str, float, float, float]]:
    """Of each operation: milliseconds in a small and in a large file, and the median ratio of a run."""
    made = originals(folder / "originals.db", runs)
    files = []
    for count in (small, large):
        path = folder / f"{count}.db"
        files.append(Measured(path, fill(path, made, count), count))
        warm(path)
    for name, turns in TURNS.items():
        found = [_run(files, name, turns) for _ in range(runs)]
        ours, theirs = (statistics.median(each) for each in zip(*found, strict=True))
        yield name, ours, theirs, statistics.median(after / before for before, after in found)
    for one in files:
        one.desk.store.close()


def _run(files: list[Measured], name: str, turns: int) -> list[float]:
    spent = [0.0] * len(files)
    for _ in range(turns):
        for place, one in enumerate(files):
            spent[place] += getattr(one, name)() / turns
    return spent


def warm(path: Path) -> None:
    """Reads the file once, so that the machine holds it in memory."""
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass


def main() -> None:
    """Prints the figures as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--small", type=int, default=SMALL, help="records of the small file (10,000)")
    parser.add_argument("--large", type=int, default=LARGE, help="records of the large one (1,000,000)")
    parser.add_argument("--runs", type=int, default=RUNS, help="how many runs the median is of (9)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        rows = measured(given.small, given.large, given.runs, Path(name))
        print(f"| ms | {given.small:,} records | {given.large:,} records | times |")
        print("| --- | ---: | ---: | ---: |")
        for what, small, large, times in rows:
            print(f"| {what} | {small:.3f} | {large:.3f} | {times:.2f} |")


if __name__ == "__main__":
    main()
