"""A store on the host's PostgreSQL connection: psycopg's own, Django's and SQLAlchemy's."""

import subprocess
import sys
from contextlib import closing

import psycopg
import pytest
import sqlalchemy
from psycopg import ClientCursor
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from sqlalchemy.orm import Session

from itsm_core.errors import (
    InvalidValue,
    RecordNotFound,
    StoreBusy,
    StoreError,
    StoreUnreadable,
    VersionConflict,
)
from itsm_core.ports import Position, Query
from itsm_core.stores.postgres import PostgresStore


@pytest.fixture
def url(postgres):
    """A schema of its own, with a table of the host's."""
    made = postgres()
    with psycopg.connect(made) as connection:
        connection.execute("CREATE TABLE tickets (id TEXT)")
    return made


@pytest.fixture
def host(url):
    """A connection as psycopg makes it: it begins by itself, and the host ends."""
    with closing(psycopg.connect(url)) as connection:
        yield connection


@pytest.fixture
def other(url):
    """What somebody else sees."""
    with closing(PostgresStore(url)) as store:
        yield store


def tickets(connection):
    """How many rows the host has."""
    return connection.execute("SELECT count(*) FROM tickets").fetchone()[0]


def status(connection):
    """Whether a transaction is open."""
    return connection.info.transaction_status


# --- psycopg ---


def test_the_hosts_rollback_takes_our_rows_along(host, other, write):
    """Events, snapshot, timers and messages vanish with the host's row."""
    store = PostgresStore.on(host)
    host.execute("INSERT INTO tickets VALUES ('1')")
    store.commit(write.changes(timers=[write.timer("t", 1)], messages=[write.message("m")]))
    assert store.load("R1")[0] is not None
    host.rollback()
    assert tickets(host) == 0
    with pytest.raises(RecordNotFound):
        store.load("R1")
    assert store.next_due("clock") is store.next_due("message") is None
    assert other.read(Position(), 9)[0] == ()


def test_the_hosts_commit_keeps_both(host, other, write):
    """Nobody else sees anything before the host commits; then all of it."""
    store = PostgresStore.on(host)
    host.execute("INSERT INTO tickets VALUES ('1')")
    store.commit(write.changes())
    assert other.find(Query()) == other.read(Position(), 9)[0] == ()
    host.commit()
    assert tickets(host) == 1
    assert len(other.find(Query())) == len(other.read(Position(), 9)[0]) == 1


def test_a_block_of_psycopg_takes_our_rows_along(host, other, write):
    """`with connection.transaction()`, also one within another, in either mode of the connection."""
    for autocommit in (False, True):
        host.commit()
        host.autocommit = autocommit
        store = PostgresStore.on(host)
        with host.transaction():
            store.commit(write.changes(f"kept {autocommit}"))
            with host.transaction(force_rollback=True):
                store.commit(write.changes(f"undone {autocommit}"))
        host.commit()
    assert [record.id for record in other.find(Query())] == ["kept False", "kept True"]


def test_a_transaction_that_we_began_waits_for_the_host(host, other, write):
    """As with the host's own INSERT, psycopg's connection stays in a transaction until commit."""
    store = PostgresStore.on(host)
    store.commit(write.changes())
    assert status(host) == TransactionStatus.INTRANS
    host.rollback()
    assert other.find(Query()) == ()


def test_making_a_store_leaves_the_connection_as_it_was(host, url):
    """Where the tables are there already, no transaction is left open by looking for them."""
    PostgresStore(url).close()
    PostgresStore.on(host)
    assert status(host) == TransactionStatus.IDLE
    host.execute("INSERT INTO tickets VALUES ('1')")
    PostgresStore.on(host)
    assert status(host) == TransactionStatus.INTRANS
    assert tickets(host) == 1


def test_a_host_in_autocommit_has_each_commit_at_once(host, other, write):
    """Where the host wants no transactions, a command is one of its own."""
    host.autocommit = True
    store = PostgresStore.on(host)
    store.commit(write.changes())
    with pytest.raises(VersionConflict):
        store.commit(write.changes(ids=["other"]))
    assert status(host) == TransactionStatus.IDLE
    assert len(other.find(Query())) == 1


def test_what_we_refuse_leaves_the_hosts_work_alone(host, other, write):
    """A conflict, a text that cannot be stored: our part is undone, and the host goes on."""
    store = PostgresStore.on(host)
    store.commit(write.changes())
    host.execute("INSERT INTO tickets VALUES ('1')")
    with pytest.raises(VersionConflict):
        store.commit(write.changes(ids=["other"]))
    with pytest.raises(InvalidValue):
        store.commit(write.changes("R2", timers=[write.timer("\ud800", 1)]))
    with pytest.raises(InvalidValue, match="too long"):
        store.commit(write.changes("R3", messages=[write.message("".join(map(chr, range(33, 9000))))]))
    host.commit()
    assert tickets(host) == 1
    assert [event.id for event in other.read(Position(), 9)[0]] == ["R1/1"]
    assert [record.id for record in other.find(Query())] == ["R1"]


def test_a_refused_command_leaves_no_transaction_behind(host, write):
    """What we began for nothing, we end: the host's next look sees what is new."""
    store = PostgresStore.on(host)
    store.commit(write.changes())
    host.commit()
    with pytest.raises(VersionConflict):
        store.commit(write.changes(ids=["other"]))
    assert status(host) == TransactionStatus.IDLE


def test_tables_that_were_rolled_back_are_made_again(host, other, write):
    """Where the host's transaction made them, even the tables go, and come back when they are needed."""
    other._link._connection.execute("DROP TABLE itsm_schema, itsm_events, itsm_records, itsm_refs")
    other._link._connection.execute("DROP TABLE itsm_timers, itsm_messages")
    host.execute("INSERT INTO tickets VALUES ('1')")
    store = PostgresStore.on(host)
    store.commit(write.changes())
    host.rollback()
    assert store.find(Query()) == ()
    host.rollback()
    assert store.commit(write.changes()).version == 1
    host.commit()
    assert len(other.find(Query())) == 1


def test_the_hosts_ways_with_rows_and_statements_do_not_disturb_us(url, write):
    """Rows as dicts and statements put together by the client are the host's own affair."""
    with psycopg.connect(url, row_factory=dict_row, cursor_factory=ClientCursor) as host:
        store = PostgresStore.on(host)
        done = write.changes("it's %s ? $1")
        store.commit(done)
        assert store.load("it's %s ? $1", 0) == (done.snapshot, done.events)
        assert host.execute("SELECT 1 AS one").fetchone() == {"one": 1}


def test_what_is_no_connection_of_psycopg_is_refused(url):
    """The error says where Django and SQLAlchemy keep theirs; text in other encodings will not do."""
    with pytest.raises(InvalidValue, match="driver_connection in SQLAlchemy"):
        PostgresStore.on(object())
    with (
        psycopg.connect(url, client_encoding="latin1") as host,
        pytest.raises(StoreError, match="its client_encoding is LATIN1, which loses text; use UTF8"),
    ):
        PostgresStore.on(host)


def test_tables_of_another_version_are_refused(host):
    """A database that another version of ours has been at is left as it is."""
    PostgresStore.on(host)
    host.execute("UPDATE itsm_schema SET version = 99")
    with pytest.raises(StoreUnreadable, match="a newer version of itsm_core"):
        PostgresStore.on(host)


def test_a_snapshot_older_than_anothers_commit_is_busy(host, other, write):
    """A host that isolates its transactions must begin anew, and is told so."""
    other.commit(write.changes())
    host.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    store = PostgresStore.on(host)
    assert store.load("R1")[0].record.version == 1
    other.commit(write.changes(history=write.changes().events, ids=["theirs"]))
    other.commit(write.changes("R2"))
    with pytest.raises(StoreBusy, match="in a new transaction"):
        store.commit(write.changes(history=write.changes().events, ids=["ours"]))
    with pytest.raises(StoreBusy, match="in a new transaction"):
        store.commit(write.changes("R2", ids=["ours"]))
    host.rollback()
    with pytest.raises(VersionConflict):
        store.commit(write.changes(history=write.changes().events, ids=["ours"]))


def test_a_transaction_in_which_the_host_failed_is_said(host, write):
    """Until it is rolled back the server refuses everything, and the error says so."""
    store = PostgresStore.on(host)
    host.commit()
    with pytest.raises(psycopg.Error):
        host.execute("SELECT nonsense")
    for use in (lambda: store.find(Query()), lambda: store.commit(write.changes())):
        with pytest.raises(StoreError, match="an earlier statement of this transaction failed; roll back"):
            use()
    host.rollback()
    assert store.commit(write.changes()).version == 1


def test_closing_leaves_the_hosts_connection_open(host):
    """It is the host's; and a connection the host has closed is an error of ours."""
    store = PostgresStore.on(host)
    store.close()
    assert tickets(host) == 0
    host.close()
    with pytest.raises(StoreError, match="the host's connection: the connection was lost"):
        store.find(Query())
    with pytest.raises(StoreError, match="the host's connection: the connection was lost"):
        PostgresStore.on(host)


# --- SQLAlchemy ---


@pytest.fixture
def engine(url):
    """An engine on the same schema."""
    engine = sqlalchemy.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    yield engine
    engine.dispose()


def test_a_session_of_sqlalchemy_takes_our_rows_along(engine, other, write):
    """A session that is rolled back, one that is committed, and a savepoint within one."""

    def store(session):
        return PostgresStore.on(session.connection().connection.driver_connection)

    with Session(engine) as session:
        session.execute(sqlalchemy.text("INSERT INTO tickets VALUES ('1')"))
        store(session).commit(write.changes())
        session.rollback()
    assert other.find(Query()) == ()
    with Session(engine) as session, session.begin():
        session.execute(sqlalchemy.text("INSERT INTO tickets VALUES ('2')"))
        store(session).commit(write.changes())
        with session.begin_nested() as nested:
            store(session).commit(write.changes("R2"))
            nested.rollback()
        with pytest.raises(VersionConflict):
            store(session).commit(write.changes(ids=["other"]))
    with Session(engine) as session:
        assert session.execute(sqlalchemy.text("SELECT id FROM tickets")).all() == [("2",)]
    assert [record.id for record in other.find(Query())] == ["R1"]


# --- Django ---

# A process of its own, as Django is configured once and for all.
_DJANGO = """
import sys
from conftest import changes
import django
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict

parts = conninfo_to_dict(sys.argv[1])
settings.configure(DATABASES={"default": {
    "ENGINE": "django.db.backends.postgresql", "NAME": parts["dbname"], "USER": parts.get("user"),
    "PASSWORD": parts.get("password"), "HOST": parts["host"], "PORT": parts.get("port", ""),
    "OPTIONS": {"options": parts["options"]},
}}, USE_TZ=True)
django.setup()
from django.db import connection, transaction
from itsm_core.errors import VersionConflict
from itsm_core.stores.postgres import PostgresStore

def work(record, name, fail):
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO tickets VALUES (%s)", [name])
            PostgresStore.on(connection.connection).commit(changes(record))
            if fail:
                raise KeyError
    except KeyError:
        pass

connection.ensure_connection()
work("R1", "undone", True)
work("R2", "kept", False)
with transaction.atomic():
    work("R3", "undone within", True)
    store = PostgresStore.on(connection.connection)
    store.commit(changes("R4"))
    try:
        store.commit(changes("R4", ids=["other"]))
    except VersionConflict:
        work("R5", "after a conflict", False)
PostgresStore.on(connection.connection).commit(changes("R6"))
connection.close()
"""


def test_atomic_of_django_takes_our_rows_along(url, other):
    """Blocks that fail, that succeed and that lie within others; and a command outside of any."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"import sys; sys.path.insert(0, {__file__.rpartition('/')[0]!r})" + _DJANGO, url],
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [record.id for record in other.find(Query())] == ["R2", "R4", "R5", "R6"]
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT id FROM tickets ORDER BY 1").fetchall()
    assert rows == [("after a conflict",), ("kept",)]
