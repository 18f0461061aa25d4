"""The shipped contract inside Django and SQLAlchemy: their connections, their blocks, their rollback."""

import asyncio
import contextlib
import uuid

import django.db
import pytest
import sqlalchemy
from django.apps import apps
from django.conf import UserSettingsHolder, global_settings, settings
from django.db import transaction
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from itsm_core.ports import Position, Query
from itsm_core.stores import open as open_store
from itsm_core.stores.postgres import PostgresStore
from itsm_core.stores.postgres_async import AsyncPostgresStore
from itsm_core.stores.sqlite import SqliteStore
from itsm_core.testing import AsyncStoreContract, StoreContract

PATIENCE = 10  # seconds that a writer waits for another on SQLite
LOOKS = ("load", "event", "read", "find", "links", "next_due")
WRITES = ("commit", "claim", "settle")


class Undone(Exception):
    """Why a block is left."""


# --- the hosts --------------------------------------------------------------------------------


def driver_of_django(kind, place):
    """What a project writes into DATABASES; on SQLite with the write lock at the BEGIN of a block."""
    if kind == "sqlite":
        pragmas = "PRAGMA journal_mode = wal; PRAGMA synchronous = off"
        options = {"timeout": PATIENCE, "transaction_mode": "IMMEDIATE", "init_command": pragmas}
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": place, "OPTIONS": options}
    parts = conninfo_to_dict(place)
    return {
        "ENGINE": "django.db.backends.postgresql", "NAME": parts["dbname"], "USER": parts.get("user"),
        "PASSWORD": parts.get("password"), "HOST": parts["host"], "PORT": parts.get("port", ""),
        "OPTIONS": {"options": parts["options"]},
    }  # fmt: skip


class Django:
    """One connection of a project, as a thread of its has it."""

    def __init__(self, kind, place):
        self._join = SqliteStore.on if kind == "sqlite" else PostgresStore.on
        handler = django.db.ConnectionHandler({"default": driver_of_django(kind, place)})
        self._connection, self._alias = handler.create_connection("default"), uuid.uuid4().hex
        self._connection.inc_thread_sharing()  # a check may hand its store to a thread

    @contextlib.contextmanager
    def block(self):
        """`atomic()`, and what is needed in it."""
        django.db.connections[self._alias] = self._connection  # this thread's
        self._connection.alias = self._alias
        try:
            with transaction.atomic(using=self._alias):
                yield self
        finally:
            del django.db.connections[self._alias]

    @contextlib.contextmanager
    def look(self):
        """No block: a view that only reads has none, and under IMMEDIATE would wait for writers."""
        self._connection.ensure_connection()
        yield self

    def store(self):
        """A store in the block."""
        return self._join(self._connection.connection)

    def execute(self, statement):
        """The rows of the host's own statement, if it has any."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def close(self):
        """Hangs up."""
        self._connection.close()


class SqlAlchemy:
    """One engine, and in a block the session."""

    def __init__(self, kind, place):
        self._join = SqliteStore.on if kind == "sqlite" else PostgresStore.on
        if kind == "sqlite":
            waits = {"timeout": PATIENCE}
            self._engine = sqlalchemy.create_engine(f"sqlite:///{place}", connect_args=waits)
            sqlalchemy.event.listen(self._engine, "connect", _quick)
        else:
            self._engine = sqlalchemy.create_engine(of_psycopg(place))

    @contextlib.contextmanager
    def block(self):
        """A session that commits in the end."""
        with Session(self._engine) as self._session, self._session.begin():
            yield self

    look = block

    def store(self):
        """A store in the session."""
        return self._join(self._session.connection().connection.driver_connection)

    def execute(self, statement):
        """The rows of the host's own statement, if it has any."""
        done = self._session.execute(sqlalchemy.text(statement))
        return [tuple(row) for row in done] if done.returns_rows else []

    def close(self):
        """Hangs up."""
        self._engine.dispose()


def of_psycopg(url):
    """The same for SQLAlchemy."""
    return url.replace("postgresql:", "postgresql+psycopg:")


def _quick(connection, _):
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("PRAGMA synchronous = off")


class Requests:
    """A store each call of which is a request: a block, a store that joins it, and the host's commit."""

    def __init__(self, host):
        self._host = host
        for name in LOOKS:
            setattr(self, name, self._request(host.look, name))
        for name in WRITES:
            setattr(self, name, self._request(host.block, name))

    def _request(self, block, name):
        def call(*given):
            with block():
                return getattr(self._host.store(), name)(*given)

        return call

    def close(self):
        """The host hangs up; its next block connects anew."""
        self._host.close()


class AwaitedRequests:
    """The same in an `AsyncSession`."""

    def __init__(self, url):
        self._engine = create_async_engine(of_psycopg(url))
        for name in (*LOOKS, *WRITES):
            setattr(self, name, self._request(name))

    def _request(self, name):
        async def call(*given):
            async with AsyncSession(self._engine) as session, session.begin():
                return await getattr(await joined(session), name)(*given)

        return call

    async def close(self):
        """Hangs up."""
        await self._engine.dispose()


async def joined(session):
    """A store in the session."""
    connection = await (await session.connection()).get_raw_connection()
    return await AsyncPostgresStore.on(connection.driver_connection)


# --- the contract -----------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def _settings_of_a_project():
    """Django's settings are one for the process: an example may have made its own, and gets them back."""
    before, ready = settings._wrapped, apps.ready
    settings._wrapped, apps.ready = UserSettingsHolder(global_settings), True
    yield
    settings._wrapped, apps.ready = before, ready


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, file):
    """`kind, place` after the migrations: our tables are there, and one of the host's."""
    if request.param == "sqlite":
        return "sqlite", migrated(f"sqlite:///{file}", file)
    place = request.getfixturevalue("postgres")()
    return "postgres", migrated(place, place)


def migrated(url, place):
    """The place, with empty tables."""
    with contextlib.closing(open_store(url)) as own:
        own._link._connection.execute("CREATE TABLE tickets (id TEXT)")
    return place


@pytest.fixture
def new_host(database):
    """`new_host(Django)`: a host on the database, which hangs up after the test."""
    with contextlib.ExitStack() as stack:

        def make(framework):
            host = framework(*database)
            stack.callback(host.close)
            return host

        yield make


class InRequests(StoreContract):
    """Every call in a block of its own, any number of blocks at once."""

    chained = True
    runs = 10  # as many as tell that calls are joined; the stores themselves are tried elsewhere

    @pytest.fixture
    def store(self, another):
        """The first."""
        return another()

    @pytest.fixture
    def another(self, new_host):
        """Another on a connection of its own."""
        return lambda: Requests(new_host(self.framework))

    @pytest.fixture
    def transaction(self, new_host):
        """A block of the host that the check leaves well or by an exception."""

        @contextlib.contextmanager
        def block():
            with new_host(self.framework).block() as host:
                yield host.store()

        return block

    def test_the_rows_of_the_host_and_ours_share_a_fate(self, new_host, write):
        """A block that is left by an exception keeps neither, one that ends well keeps both."""
        host = new_host(self.framework)
        for record, fails in (("R1", True), ("R2", False)):
            with contextlib.suppress(Undone), host.block():
                host.execute(f"INSERT INTO tickets VALUES ('{record}')")
                host.store().commit(write.changes(record, timers=[write.timer("t", 1)]))
                if fails:
                    raise Undone
        with host.block():
            assert host.execute("SELECT id FROM tickets") == [("R2",)]
            assert [record.id for record in host.store().find(Query())] == ["R2"]

    def test_in_its_block_the_host_sees_what_is_not_in_the_log_yet(self, new_host, database, write):
        """Loaded and found at once; read, on PostgreSQL, when the block has ended and others see it too."""
        host, done = new_host(self.framework), write.changes()
        with host.block():
            store = host.store()
            store.commit(done)
            assert store.load("R1", 0) == (done.snapshot, done.events)
            assert store.find(Query()) == (done.snapshot.record,)
            early = store.read(Position(), 9)[0]
        assert early == (() if database[0] == "postgres" else done.events)
        with host.block():
            assert host.store().read(Position(), 9)[0] == done.events


class InOneBlock(StoreContract):
    """All of a check within one block, which the host rolls back in the end.

    On SQLite: on PostgreSQL the log shows a block when it has ended, so that no check could read its own.
    """

    chained = True
    runs = 10
    concurrent = False  # a connection has one transaction, and this is it

    @pytest.fixture
    def database(self, file):
        """A file."""
        return "sqlite", migrated(f"sqlite:///{file}", file)

    @pytest.fixture
    def host(self, new_host):
        """In its block; afterwards nothing is there."""
        host = new_host(self.framework)
        with contextlib.suppress(Undone), host.block():
            host.execute("INSERT INTO tickets VALUES ('1')")
            yield host
            assert host.execute("SELECT id FROM tickets") == [("1",)]  # still the same transaction
            raise Undone
        with host.block():
            assert host.execute("SELECT id FROM tickets") == []
            for table in ("events", "records", "refs", "timers", "messages"):
                assert host.execute(f"SELECT count(*) FROM itsm_{table}") == [(0,)]

    @pytest.fixture
    def store(self, host):
        """The first that joins."""
        return host.store()

    @pytest.fixture
    def another(self, host):
        """Another that joins the same block."""
        return host.store


class TestRequestsInDjango(InRequests):
    """`transaction.atomic()`."""

    framework = Django


class TestOneBlockInDjango(InOneBlock):
    """`transaction.atomic()`."""

    framework = Django


class TestRequestsInSqlAlchemy(InRequests):
    """`session.begin()`."""

    framework = SqlAlchemy


class TestOneBlockInSqlAlchemy(InOneBlock):
    """`session.begin()`."""

    framework = SqlAlchemy


class TestRequestsInAwaitedSqlAlchemy(AsyncStoreContract):
    """`session.begin()` of an `AsyncSession`, on PostgreSQL."""

    chained = True
    runs = 10

    @pytest.fixture
    def url(self, postgres):
        """A schema after the migrations."""
        url = postgres()
        return migrated(url, url)

    @pytest.fixture
    def store(self, another):
        """The first."""
        return another()

    @pytest.fixture
    def another(self, url):
        """Another with an engine of its own."""
        return lambda: AwaitedRequests(url)

    def test_the_rows_of_the_host_and_ours_share_a_fate(self, url, write):
        """A block that is left by an exception keeps neither, one that ends well keeps both."""

        async def ordered(session, record):
            await session.execute(sqlalchemy.text(f"INSERT INTO tickets VALUES ('{record}')"))
            await (await joined(session)).commit(write.changes(record))

        async def kept():
            engine = create_async_engine(of_psycopg(url), poolclass=NullPool)
            for record, fails in (("R1", True), ("R2", False)):
                with contextlib.suppress(Undone):
                    async with AsyncSession(engine) as session, session.begin():
                        await ordered(session, record)
                        if fails:
                            raise Undone
            async with AsyncSession(engine) as session:
                rows = (await session.scalars(sqlalchemy.text("SELECT id FROM tickets"))).all()
                return rows, [record.id for record in await (await joined(session)).find(Query())]

        assert asyncio.run(kept()) == (["R2"], ["R2"])
