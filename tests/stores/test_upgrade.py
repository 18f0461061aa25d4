"""Files that an earlier version of the library wrote: brought up to date whole, or left as they are."""

import hashlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from itsm_core.errors import StoreError, StoreUnreadable
from itsm_core.ports import Position, Query
from itsm_core.stores import connections, upgrades
from itsm_core.stores.sqlite import SqliteStore
from itsm_core.values import to_dict, written

# The tables as release 0.1 made them, word for word.
RELEASED = """
CREATE TABLE itsm_schema (version INTEGER NOT NULL);
INSERT INTO itsm_schema (version) VALUES (1);
CREATE TABLE itsm_events (
    position INTEGER PRIMARY KEY AUTOINCREMENT, record TEXT NOT NULL, seq INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE, json TEXT NOT NULL, UNIQUE (record, seq));
CREATE TABLE itsm_records (
    id TEXT PRIMARY KEY, version INTEGER NOT NULL, snapshot TEXT NOT NULL,
    number TEXT, customer TEXT, service TEXT,
    process TEXT NOT NULL, phase TEXT NOT NULL, state TEXT NOT NULL,
    assignee TEXT, grp TEXT, requester TEXT, tenant TEXT, refs TEXT, due INTEGER);
CREATE INDEX itsm_records_phase ON itsm_records (phase, id);
CREATE INDEX itsm_records_state ON itsm_records (state, id);
CREATE INDEX itsm_records_number ON itsm_records (number, id) WHERE number IS NOT NULL;
CREATE INDEX itsm_records_customer ON itsm_records (customer, id) WHERE customer IS NOT NULL;
CREATE INDEX itsm_records_service ON itsm_records (service, id) WHERE service IS NOT NULL;
CREATE INDEX itsm_records_assignee ON itsm_records (assignee, id) WHERE assignee IS NOT NULL;
CREATE INDEX itsm_records_grp ON itsm_records (grp, id) WHERE grp IS NOT NULL;
CREATE INDEX itsm_records_requester ON itsm_records (requester, id) WHERE requester IS NOT NULL;
CREATE INDEX itsm_records_tenant ON itsm_records (tenant, id) WHERE tenant IS NOT NULL;
CREATE INDEX itsm_records_due ON itsm_records (due, id) WHERE due IS NOT NULL;
CREATE TABLE itsm_refs (
    record TEXT NOT NULL, ref TEXT NOT NULL, PRIMARY KEY (record, ref)) WITHOUT ROWID;
CREATE INDEX itsm_refs_ref ON itsm_refs (ref, record);
CREATE TABLE itsm_timers (
    id TEXT PRIMARY KEY, record TEXT NOT NULL, kind TEXT NOT NULL, due INTEGER NOT NULL,
    ready INTEGER NOT NULL, token TEXT, worker TEXT) WITHOUT ROWID;
CREATE INDEX itsm_timers_ready ON itsm_timers (kind, ready, id);
CREATE TABLE itsm_messages (
    position INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, record TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting', ready INTEGER NOT NULL, attempt INTEGER NOT NULL,
    token TEXT, worker TEXT, detail TEXT, json TEXT NOT NULL);
CREATE INDEX itsm_messages_ready ON itsm_messages (ready, position) WHERE state = 'waiting';
"""
APPEND = "INSERT INTO itsm_events (record, seq, id, json) VALUES (?, ?, ?, ?)"


@pytest.fixture
def histories(write):
    """Three records, in the order in which their events were written."""
    return [write.changes(name, new=new) for name, new in (("R2", 3), ("R1", 2), ("R3", 1))]


@pytest.fixture
def old(file, histories, write):
    """A file of release 0.1 with three records, a timer and a message."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(RELEASED)
        fill(connection, histories)
        waiting = write.message("m")
        connection.execute("INSERT INTO itsm_timers VALUES ('t', 'R1', 'clock', 5, 5, NULL, NULL)")
        connection.execute(
            "INSERT INTO itsm_messages (key, record, ready, attempt, json) VALUES ('m', 'R1', 5, 0, ?)",
            (written(to_dict(waiting)),),
        )
        connection.commit()
    return file


def fill(connection, histories):
    """Writes change sets as release 0.1 did; snapshots of its fold are of no use today."""
    for done in histories:
        record = done.snapshot.record
        for event in done.events:
            connection.execute(APPEND, (event.record, event.seq, event.id, written(to_dict(event))))
        row = (record.id, record.version, '{"fold": 4}', record.process, record.phase.value, record.state)
        columns = "id, version, snapshot, process, phase, state"
        connection.execute(f"INSERT INTO itsm_records ({columns}) VALUES (?, ?, ?, ?, ?, ?)", row)


def chain(events):
    """The links by hand: each is of the one before it and the event's digest."""
    links, link = [], ""
    for event in events:
        link = hashlib.sha256((link + event.digest).encode()).hexdigest()
        links.append(link)
    return tuple(links)


def tables(file):
    """What each of our tables says of itself, and the rows that say the version."""
    with closing(sqlite3.connect(file)) as connection:
        columns = {
            name: connection.execute(f"SELECT name, type, pk FROM pragma_table_info('{name}')").fetchall()
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        named = connection.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite%'").fetchall()
        return (
            {n: set(c) for n, c in columns.items()},
            sorted(named),
            connection.execute("SELECT version FROM itsm_schema").fetchall(),
        )


def untouched(folder):
    """The bytes of every file in a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("page", [1, 2, 1000])
def test_old_events_are_chained(old, histories, monkeypatch, page):
    """Opening brings the file up to date: nothing is lost, and every event has its link."""
    monkeypatch.setattr(upgrades, "PAGE", page)
    with closing(SqliteStore(old)) as store:
        for done in histories:
            assert store.load(done.record, 0)[1] == done.events
            assert store.links(done.record) == chain(done.events)
        log, _ = store.read(Position(), 99)
        assert log == tuple(event for done in histories for event in done.events)
        assert len(store.find(Query())) == 3
        assert store.next_due("clock") == store.next_due("message")


def test_an_upgraded_file_is_as_a_new_one(old, file, tmp_path):
    """The same tables, columns and indexes, so that the next upgrade finds what it expects."""
    SqliteStore(old).close()
    SqliteStore(tmp_path / "new.db").close()
    assert tables(old) == tables(tmp_path / "new.db")


def test_the_chain_goes_on_after_an_upgrade(old, histories, write):
    """The next event is linked to the last one of before, and positions go on counting."""
    with closing(SqliteStore(old)) as store:
        before = store.read(Position(), 99)[1]
        more = write.changes("R2", histories[0].events)
        store.commit(more)
        assert store.links("R2") == chain((*histories[0].events, *more.events))
        assert store.read(before, 99)[0] == more.events


def test_an_empty_old_file_is_upgraded(file):
    """Tables without rows are tables of the earlier version too."""
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(RELEASED)
    with closing(SqliteStore(file)) as store:
        assert store.find(Query()) == ()
    assert tables(file)[2] == [(2,)]


def test_a_process_of_the_earlier_version_adds_nothing_unlinked(old):
    """One that had the file open before is refused by the database itself."""
    with closing(sqlite3.connect(old)) as earlier:
        SqliteStore(old).close()
        with pytest.raises(sqlite3.IntegrityError, match=r"itsm_events\.link"):
            earlier.execute(APPEND, ("R9", 1, "x", "{}"))


# --- whole or not at all ---


def test_an_upgrade_that_is_broken_off_is_begun_anew(old, histories, monkeypatch):
    """Whatever happens in between, the file is of version 1 and whole; the next opening completes it."""
    before, digest = tables(old), upgrades._digest
    for after in range(6):
        done = iter(range(after))

        def broken(stored, event_id, done=done):
            if next(done, None) is None:
                raise KeyboardInterrupt
            return digest(stored, event_id)

        monkeypatch.setattr(upgrades, "_digest", broken)
        with pytest.raises(KeyboardInterrupt):
            SqliteStore(old)
        assert tables(old) == before
    monkeypatch.undo()
    with closing(SqliteStore(old)) as store:
        assert store.links("R2") == chain(histories[0].events)


def test_killed_in_the_middle_of_an_upgrade_the_file_is_whole(old, histories):
    """SIGKILL after the second of six events: the log of SQLite is dropped, and the next try completes."""
    script = (
        "import os, sys; from itsm_core.stores import upgrades; from itsm_core.stores.sqlite import SqliteStore\n"
        "digest, left = upgrades._digest, iter([1, 2])\n"
        "def dying(*event):\n"
        "    if next(left, None) is None: os.kill(os.getpid(), 9)\n"
        "    return digest(*event)\n"
        "upgrades._digest = dying; SqliteStore(sys.argv[1])"
    )
    assert subprocess.run([sys.executable, "-c", script, str(old)], check=False).returncode == -9
    assert tables(old)[2] == [(1,)]
    with closing(SqliteStore(old)) as store:
        assert [store.links(done.record) for done in histories] == [chain(d.events) for d in histories]


def test_two_processes_that_open_one_old_file_upgrade_it_once(old, histories):
    """The second waits, looks again, and finds it done."""
    script = "import sys; from itsm_core.stores.sqlite import SqliteStore; print(len(SqliteStore(sys.argv[1]).links('R2')))"
    both = [
        subprocess.Popen([sys.executable, "-c", script, str(old)], stdout=subprocess.PIPE) for _ in range(2)
    ]
    assert [process.communicate()[0].strip() for process in both] == [b"3", b"3"]
    with closing(SqliteStore(old)) as store:
        assert store.links("R2") == chain(histories[0].events)


def test_a_file_that_another_upgraded_meanwhile_is_not_upgraded_again(old, monkeypatch):
    """Between looking and locking another process may have brought it up to date."""
    SqliteStore(old).close()
    contents = connections._contents
    seen = iter([(1, 0), (1, 0)])
    monkeypatch.setattr(connections, "_contents", lambda c: next(seen, None) or contents(c))
    with closing(SqliteStore(old)) as store:
        assert len(store.links("R2")) == 3


def test_an_old_event_that_cannot_be_read_stops_the_upgrade(old):
    """Without its words its link cannot be known: the event is named, and the file left as it is."""
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        connection.execute("UPDATE itsm_events SET json = '{}' WHERE id = 'R1/2'")
    before = tables(old)
    with pytest.raises(StoreUnreadable, match="event R1/2 cannot be read"):
        SqliteStore(old)
    assert tables(old) == before


@pytest.mark.parametrize("version", [0, 3, 99])
def test_tables_of_an_unknown_version_are_refused(old, version):
    """A newer version, or one that never was: not one byte changes."""
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        connection.execute("UPDATE itsm_schema SET version = ?", (version,))
    before = untouched(old.parent)
    with pytest.raises(StoreUnreadable, match=f"tables of version {version}, known is 2"):
        SqliteStore(old)
    assert untouched(old.parent) == before


# --- where it cannot be written, and on the host's connection ---


def test_an_old_file_that_cannot_be_written_says_what_to_do(old):
    """The error names the file, why it is written to at all, and both ways out."""
    script = (
        "import os, sys; from itsm_core.errors import StoreError\n"
        "from itsm_core.stores.sqlite import SqliteStore\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "try: SqliteStore(sys.argv[1])\n"
        "except StoreError as wrong: print(wrong)"
    )
    with tempfile.TemporaryDirectory() as folder:  # the tests' own folder is closed to other users
        file = shutil.copy(old, folder)
        Path(file).chmod(0o444)
        Path(folder).chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", script, file], capture_output=True, text=True, check=True
        )
        Path(folder).chmod(0o700)
    assert done.stdout.startswith(f"{file}: was written by an earlier version of itsm_core")
    assert "allow this user to write file and folder, or open a copy" in done.stdout


def test_on_a_read_only_connection_the_remedy_is_the_same(old):
    """The host may have opened the database for reading only."""
    with (
        closing(sqlite3.connect(f"{old.as_uri()}?mode=ro", uri=True)) as host,
        pytest.raises(StoreError, match="earlier version of itsm_core and must be brought up to date"),
    ):
        SqliteStore.on(host)


def test_another_error_on_the_way_is_said_as_it_is(old):
    """A lock that is held has nothing to do with the age of the file."""
    with closing(sqlite3.connect(old, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with closing(sqlite3.connect(old, timeout=0)) as host, pytest.raises(StoreError, match="holds it"):
            SqliteStore.on(host)


def test_on_the_hosts_connection_the_upgrade_ends_with_the_hosts_transaction(old, histories):
    """Rolled back with it, it is done anew at the next use; committed with it, it stays."""
    with closing(sqlite3.connect(old)) as host:
        host.execute("CREATE TABLE theirs (x)")
        host.execute("INSERT INTO theirs VALUES (1)")
        assert host.in_transaction
        store = SqliteStore.on(host)
        assert store.links("R2") == chain(histories[0].events)
        host.rollback()
        assert host.execute("SELECT version FROM itsm_schema").fetchone() == (1,)
        assert store.links("R1") == chain(histories[1].events)
        host.commit()
    assert tables(old)[2] == [(2,)]
