"""The awaited store in PostgreSQL: what the contract does not ask of it."""

import asyncio
import subprocess
from contextlib import asynccontextmanager

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus

from itsm_core import stores
from itsm_core.errors import InvalidValue, StoreBusy, StoreError, StoreUnreadable, VersionConflict
from itsm_core.ports import Position, Query
from itsm_core.stores import postgres_async
from itsm_core.stores.postgres import PostgresStore
from itsm_core.stores.postgres_async import AsyncPostgresStore


@pytest.fixture
def url(postgres):
    """A schema of its own."""
    return postgres()


@asynccontextmanager
async def own(url, **more):
    """A store with a connection of its own, closed afterwards."""
    store = await AsyncPostgresStore.open(url, **more)
    try:
        yield store
    finally:
        await store.close()


def test_a_url_opens_a_store_that_is_awaited(url, write):
    """Its rows are those of the other store; closing twice is no error, and using it then is one."""

    async def story():
        store = await stores.open_async(url, busy_timeout=write.MINUTE)
        assert isinstance(store, stores.AsyncPostgresStore)
        await store.commit(write.changes())
        assert await store.event("R1/1") == write.changes().events[0]
        assert await store.claim("clock", write.NOW, 1, write.MINUTE, "w") == ()
        links = await store.links("R1")
        await store.close()
        await store.close()
        with pytest.raises(StoreError, match="the store is closed"):
            await store.find(Query())
        return links

    links = asyncio.run(story())
    store = PostgresStore(url)
    assert store.load("R1", 0)[1] == write.changes().events
    assert store.links("R1") == links
    store.close()


def test_tasks_that_share_a_store_take_turns(url, write):
    """Forty commits at once on one connection: each is whole, and in a transaction of its own."""

    async def story():
        async with own(url) as store:
            await asyncio.gather(*(store.commit(write.changes(f"R{n}", new=3)) for n in range(40)))
            return await store.read(Position(), 1000)

    assert len(asyncio.run(story())[0]) == 120


def test_a_cancelled_commit_leaves_nothing_and_the_store_in_order(url, write):
    """A task that is given up while it waits for a lock; the next commit is not swallowed."""

    async def story():
        async with own(url) as store, await psycopg.AsyncConnection.connect(url) as other:
            await store.commit(write.changes())
            await other.execute("SELECT * FROM itsm_records FOR UPDATE")
            more = write.changes(history=write.changes().events)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(store.commit(more), 0.2)
            await other.rollback()
            assert (await store.load("R1"))[0].record.version == 1
            assert (await store.commit(more)).version == 2

    asyncio.run(story())


def test_a_connection_lost_while_idle_is_made_anew(url, write):
    """As with the other store; one that another session holds is busy."""

    async def story():
        async with own(url, busy_timeout=write.MINUTE / 600) as store, own(url) as other:
            for use in (store.commit(write.changes()), store.load("R1")):
                lost = store._link._connection.info.backend_pid
                await other._link._connection.execute("SELECT pg_terminate_backend(%s, 1000)", [lost])
                await use
                assert store._link._connection.info.backend_pid != lost
            async with other._link._connection.transaction():
                await other._link._connection.execute("SELECT * FROM itsm_records FOR UPDATE")
                with pytest.raises(StoreBusy):
                    await store.commit(write.changes(history=write.changes().events))

    asyncio.run(story())


def test_a_statement_that_cannot_begin_says_why(url):
    """An error that is no lost connection is not tried again, nor one on the connection made anew."""

    async def story():
        async with own(url) as store:
            await store._link._connection.execute("DROP TABLE itsm_timers")
            with pytest.raises(StoreUnreadable, match="not as we left them"):
                await store.next_due("clock")
            lost = store._link._connection.info.backend_pid
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as other:
                await other.execute("SELECT pg_terminate_backend(%s, 1000)", [lost])
            with pytest.raises(StoreUnreadable, match="not as we left them"):
                await store.next_due("clock")

    asyncio.run(story())


def test_what_cannot_be_opened_is_said(url, postgres_server):
    """No server, and tables of another version; no connection is left behind."""

    async def story():
        with pytest.raises(StoreError, match="cannot be reached"):
            await AsyncPostgresStore.open(make_conninfo(postgres_server, dbname="no_such_database"))
        async with own(url) as store:
            await store._link._connection.execute("UPDATE itsm_schema SET version = 99")
            with pytest.raises(StoreUnreadable, match="a newer version"):
                await AsyncPostgresStore.open(url)

    asyncio.run(story())


@pytest.mark.parametrize("autocommit", [False, True])
def test_the_hosts_rollback_takes_our_rows_along(url, write, autocommit):
    """A transaction of the host's, rolled back, then committed, in either mode of its connection."""

    async def story():
        async with await psycopg.AsyncConnection.connect(url, autocommit=autocommit) as host:
            async with host.transaction(force_rollback=True):
                store = await AsyncPostgresStore.on(host)
                await store.commit(write.changes("undone"))
            async with host.transaction():
                await store.commit(write.changes("kept"))
                with pytest.raises(VersionConflict):
                    await store.commit(write.changes("kept", ids=["other"]))
            await store.commit(write.changes("alone"))
            await host.rollback()
            await store.close()
            found = await store.find(Query())
            await host.rollback()
            again = await AsyncPostgresStore.on(host)
            assert host.info.transaction_status == TransactionStatus.IDLE
            assert await again.find(Query()) == found
            return [record.id for record in found]

    assert asyncio.run(story()) == (["alone", "kept"] if autocommit else ["kept"])


def test_a_connection_that_the_host_has_closed_is_said(url):
    """An error of ours, however the store is made."""

    async def story():
        host = await psycopg.AsyncConnection.connect(url)
        await host.close()
        await AsyncPostgresStore.on(host)

    with pytest.raises(StoreError, match="the host's connection: the connection was lost"):
        asyncio.run(story())


def test_a_forked_process_opens_a_connection_of_its_own(url, python):
    """A store made before a fork can be used on both sides of it; the child reads no answer of the parent's."""
    done = subprocess.run([*python, "fork_awaited", url], stdout=subprocess.PIPE, check=True, timeout=120)
    assert done.stdout.strip() == b"0"

    async def story():
        async with own(url) as store:
            return len((await store.read(Position(), 100))[0])

    assert asyncio.run(story()) == 41


def test_after_a_fork_the_parents_connection_is_left_alone(url, write):
    """The child neither closes nor uses it, also where it closes a store that it never used."""

    async def story():
        async with own(url) as store, own(url) as unused:
            parents = [store._link._connection, unused._link._connection]
            postgres_async._after_fork()
            await store.commit(write.changes())
            await unused.close()
            assert store._link._connection not in parents
            assert not any(one.closed for one in parents)
            for one in parents:
                postgres_async._LEFT.remove(one)
                await one.close()

    asyncio.run(story())


def test_what_is_no_connection_that_awaits_is_refused(url):
    """Neither an object nor the connection that blocks."""
    with psycopg.connect(url) as blocking:
        for wrong in (object(), blocking):
            with pytest.raises(InvalidValue, match=r"is no psycopg\.AsyncConnection"):
                asyncio.run(AsyncPostgresStore.on(wrong))


def test_without_the_driver_the_error_says_what_to_install(monkeypatch):
    """Asking for the store without its extra."""
    monkeypatch.setitem(__import__("sys").modules, "itsm_core.stores.postgres_async", None)
    with pytest.raises(ImportError, match=r"pip install 'itsm-core\[postgres\]'"):
        asyncio.run(stores.open_async("postgresql://host/db"))
