"""A store on the host's connection: our rows come and go with the host's."""

import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from itsm_core.errors import (
    InvalidValue,
    RecordNotFound,
    StoreBusy,
    StoreError,
    StoreUnreadable,
    VersionConflict,
)
from itsm_core.ports import Position, Query
from itsm_core.stores.sqlite import SqliteStore


@pytest.fixture
def host(file):
    """A connection as Python makes it, with a table of the host's."""
    with closing(sqlite3.connect(file, timeout=0.1)) as connection:
        connection.execute("CREATE TABLE tickets (id TEXT)")
        yield connection


def tickets(connection):
    """How many rows the host has."""
    return connection.execute("SELECT count(*) FROM tickets").fetchone()[0]


def test_the_hosts_rollback_takes_our_rows_along(host, write):
    """Events, snapshot, timers and messages vanish with the host's row."""
    store = SqliteStore.on(host)
    host.execute("INSERT INTO tickets VALUES ('1')")
    store.commit(write.changes(timers=[write.timer("t", 1)], messages=[write.message("m")]))
    assert store.load("R1")[0] is not None
    host.rollback()
    assert tickets(host) == 0
    with pytest.raises(RecordNotFound):
        store.load("R1")
    assert store.next_due("clock") is store.next_due("message") is None
    assert store.read(Position(), 9)[0] == ()


def test_the_hosts_commit_keeps_both(host, file, write):
    """Nobody else sees anything before the host commits; then all of it."""
    store = SqliteStore.on(host)
    host.execute("INSERT INTO tickets VALUES ('1')")
    store.commit(write.changes())
    with closing(sqlite3.connect(file)) as other:
        assert SqliteStore.on(other).find(Query()) == ()
        host.commit()
        assert tickets(other) == 1
        assert len(SqliteStore.on(other).find(Query())) == 1


def test_a_transaction_that_we_began_waits_for_the_host(host, file, write):
    """As with the host's own INSERT, Python's connection stays in a transaction until commit."""
    store = SqliteStore.on(host)
    assert not host.in_transaction
    store.commit(write.changes())
    assert host.in_transaction
    host.rollback()
    assert store.find(Query()) == ()


def test_what_we_refuse_leaves_the_hosts_work_alone(host, write):
    """A conflict undoes our part only; the host may go on and commit its own."""
    store = SqliteStore.on(host)
    store.commit(write.changes())
    host.execute("INSERT INTO tickets VALUES ('1')")
    with pytest.raises(VersionConflict):
        store.commit(write.changes(ids=["other"]))
    assert host.in_transaction
    host.commit()
    assert tickets(host) == 1
    assert len(store.read(Position(), 9)[0]) == 1


def test_a_command_that_fails_half_way_is_undone_within_the_hosts_transaction(host, write):
    """Events that were already written when a timer could not be are not committed by the host."""
    store = SqliteStore.on(host)
    host.execute("INSERT INTO tickets VALUES ('1')")
    with pytest.raises(InvalidValue):
        store.commit(write.changes(timers=[write.timer("\ud800", 1)]))
    host.commit()
    assert tickets(host) == 1
    assert store.read(Position(), 9)[0] == store.find(Query()) == ()


def test_a_refused_command_leaves_no_transaction_behind(host, write):
    """What we began for nothing, we end: the host's next look sees what is new."""
    store = SqliteStore.on(host)
    store.commit(write.changes())
    host.commit()
    with pytest.raises(VersionConflict):
        store.commit(write.changes(ids=["other"]))
    assert not host.in_transaction


def test_a_host_in_autocommit_has_each_commit_at_once(file, write):
    """Where the host wants no transactions, a command is one of its own."""
    with (
        closing(sqlite3.connect(file, isolation_level=None)) as host,
        closing(sqlite3.connect(file)) as other,
    ):
        store = SqliteStore.on(host)
        store.commit(write.changes())
        assert not host.in_transaction
        assert len(SqliteStore.on(other).find(Query())) == 1


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sqlite3 knows `autocommit` from Python 3.12 on")
@pytest.mark.parametrize("autocommit", [True, False])
def test_a_host_with_the_autocommit_attribute_keeps_its_meaning(file, write, autocommit):
    """True commits each command at once; False waits for the host's commit."""
    with closing(sqlite3.connect(file, autocommit=autocommit)) as host:
        SqliteStore.on(host).commit(write.changes())
        assert host.in_transaction is not autocommit
    with closing(sqlite3.connect(file)) as other:
        assert len(SqliteStore.on(other).find(Query())) == int(autocommit)


def test_a_host_that_begins_by_itself_ends_by_itself(file, write):
    """BEGIN and savepoints of the host's own, as Django's atomic() does it."""
    with closing(sqlite3.connect(file, isolation_level=None)) as host:
        store = SqliteStore.on(host)
        host.execute("BEGIN")
        store.commit(write.changes("R1"))
        host.execute("SAVEPOINT theirs")
        store.commit(write.changes("R2"))
        host.execute("ROLLBACK TO theirs")
        host.execute("COMMIT")
        assert [r.id for r in store.find(Query())] == ["R1"]


def test_tables_that_were_rolled_back_are_made_again(host, write):
    """Where the host began before us, even the tables go, and come back when they are needed."""
    host.execute("BEGIN")
    store = SqliteStore.on(host)
    host.rollback()
    assert store.find(Query()) == ()
    host.execute("DROP TABLE itsm_schema")
    host.execute("BEGIN")
    for name in ("events", "records", "refs", "timers", "messages"):
        host.execute(f"DROP TABLE itsm_{name}")
    assert store.commit(write.changes()).version == 1


def test_two_connections_may_make_the_tables_at_once(file, write):
    """Both find them missing; one makes them and the other uses them."""
    connections = [sqlite3.connect(file, check_same_thread=False) for _ in range(4)]
    barrier, made = threading.Barrier(4), []

    def make(connection):
        barrier.wait()
        made.append(SqliteStore.on(connection))

    threads = [threading.Thread(target=make, args=(connection,)) for connection in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    for connection in connections:
        connection.close()


def test_tables_made_meanwhile_are_not_made_again(host, monkeypatch):
    """Between looking and locking another connection may have made them."""
    from itsm_core.stores import connections

    SqliteStore.on(host)
    monkeypatch.setattr(connections, "_HAS_TABLES", "SELECT 1 WHERE 0")
    assert SqliteStore.on(host).find(Query()) == ()


def test_the_hosts_way_of_reading_rows_does_not_disturb_us(host, write):
    """A row factory of the host's is its own affair."""
    host.row_factory = lambda cursor, row: {"row": row}
    store = SqliteStore.on(host)
    done = write.changes()
    store.commit(done)
    assert store.load("R1", 0) == (done.snapshot, done.events)


def test_what_is_no_connection_of_sqlite_is_refused(host):
    """The error says where Django and SQLAlchemy keep theirs; bytes for text will not do."""
    with pytest.raises(InvalidValue, match="dbapi_connection in SQLAlchemy"):
        SqliteStore.on(object())
    host.text_factory = bytes
    with pytest.raises(InvalidValue, match="reads text as str"):
        SqliteStore.on(host)


@pytest.mark.parametrize(("version", "word"), [(99, "a newer"), (0, "another")])
def test_tables_of_another_version_are_refused(host, version, word):
    """A database that another version of ours has been at is left as it is."""
    SqliteStore.on(host)
    host.execute("UPDATE itsm_schema SET version = ?", (version,))
    with pytest.raises(StoreUnreadable, match=f"{word} version of itsm_core"):
        SqliteStore.on(host)


def test_a_transaction_older_than_anothers_commit_is_busy(host, file, write):
    """The host must roll back and look again, and is told so instead of losing an update."""
    host.execute("PRAGMA journal_mode = WAL")
    store = SqliteStore.on(host)
    host.execute("BEGIN")
    assert store.find(Query()) == ()
    with closing(sqlite3.connect(file)) as other:
        SqliteStore.on(other).commit(write.changes())
        other.commit()
    with pytest.raises(StoreBusy):
        store.commit(write.changes())
    host.rollback()
    with pytest.raises(VersionConflict):
        store.commit(write.changes(ids=["other"]))


def test_a_full_disk_that_ends_the_transaction_is_said(host, write):
    """Some errors of the disk end everything; the host hears of it."""
    store = SqliteStore.on(host)
    pages = host.execute("PRAGMA page_count").fetchone()[0]
    host.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="the disk is full"):
        store.commit(write.changes(new=3, note="x" * 50000))
    host.rollback()
    host.execute("PRAGMA max_page_count = 100000")
    assert store.commit(write.changes()).version == 1


def test_a_transaction_that_ended_under_us_is_not_ended_again(host, write):
    """If the database has rolled back by itself there is no savepoint left to go back to."""
    store = SqliteStore.on(host)

    def end_it_all():
        host.execute("ROLLBACK")
        raise KeyError
        yield

    with pytest.raises(KeyError):
        store._link.write(end_it_all())
    assert not host.in_transaction


def test_a_connection_that_is_closed_or_of_another_thread_is_said(file):
    """With what to do: the driver's own words name no remedy."""
    closed = sqlite3.connect(file)
    closed.close()
    with pytest.raises(StoreError, match="its connection is closed; make a store of one that is open"):
        SqliteStore.on(closed)
    with closing(sqlite3.connect(file)) as ours, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(SqliteStore.on(ours).find, Query())
        with pytest.raises(StoreError, match="of another thread; connect with check_same_thread=False, or"):
            asked.result()


def test_closing_leaves_the_hosts_connection_open(host):
    """It is the host's; and a connection the host has closed is an error of ours."""
    store = SqliteStore.on(host)
    store.close()
    assert tickets(host) == 0
    host.close()
    with pytest.raises(StoreError, match="the host's connection"):
        store.find(Query())
