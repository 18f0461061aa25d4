"""A store for async hosts over one that is not: whole operations, many tasks, cancelled ones."""

import asyncio
import contextvars
import inspect
import sqlite3
import threading
from concurrent import futures
from contextlib import closing

import pytest

from itsm_core import stores
from itsm_core.errors import InvalidValue, RecordNotFound, StoreBusy, StoreError, VersionConflict
from itsm_core.ports import AsyncStore, Position, Query, Settlement, Store
from itsm_core.stores import MemoryStore, SqliteStore, ThreadedStore
from itsm_core.stores.threaded import in_thread


def test_it_has_the_methods_of_the_port():
    """Each is awaited, and takes what the port says."""
    for port in (AsyncStore, Store):
        wanted = {name for name in vars(port) if not name.startswith("_")}
        for name in wanted:
            assert inspect.signature(getattr(ThreadedStore, name)) == inspect.signature(getattr(port, name))
    assert all(inspect.iscoroutinefunction(getattr(ThreadedStore, name)) for name in wanted)


@pytest.mark.parametrize("form", ["memory://", "sqlite:///{}", "{}"])
def test_every_operation_answers_what_the_store_under_it_does(form, tmp_path, write):
    """Committed, loaded, found, read, claimed and settled; refusals come through."""

    async def story():
        store = await stores.open_async(form.format(tmp_path / "desk.db"))
        assert (await store.commit(write.changes(timers=[write.timer("t", 5)], due=7))).version == 1
        assert (await store.commit(write.changes())).repeated
        with pytest.raises(VersionConflict):
            await store.commit(write.changes(ids=["other"]))
        with pytest.raises(RecordNotFound):
            await store.load("R2")
        snapshot, events = await store.load("R1", 0)
        assert (snapshot.record.version, len(events)) == (1, 1)
        assert await store.event("R1/1") == events[0]
        assert (await store.read(Position(), 9))[0] == events
        assert [record.id for record in await store.find(Query())] == ["R1"]
        assert len(await store.links("R1")) in (0, 1)
        assert await store.next_due("clock") == write.at(5)
        (claim,) = await store.claim("clock", write.at(6), 9, write.MINUTE, "w")
        await store.settle([Settlement(token=claim.token, outcome="done")], write.at(6))
        assert await store.next_due("clock") is None
        await store.close()
        await store.close()

    asyncio.run(story())


def test_it_is_used_from_one_loop_after_the_other(write):
    """It belongs to no loop: each test, or each command of a script, may run its own."""
    store = ThreadedStore(MemoryStore())
    for number in range(3):
        asyncio.run(store.commit(write.changes(f"R{number}")))
    assert len(asyncio.run(store.find(Query()))) == 3


def test_many_tasks_commit_at_once(file, write):
    """Two hundred records from two hundred tasks: each is there, once, in an order of its own."""

    async def crowd():
        store = await stores.open_async(file)
        await asyncio.gather(*(store.commit(write.changes(f"R{n}", new=2)) for n in range(200)))
        events, _ = await store.read(Position(), 1000)
        await store.close()
        return events

    events = asyncio.run(crowd())
    assert sorted({event.record for event in events}) == sorted(f"R{n}" for n in range(200))
    assert [event.seq for event in events] == [1, 2] * 200


def test_the_loop_goes_on_while_the_file_is_held_by_another(file, write):
    """A commit that waits for another process holds up no other task."""

    async def waiting():
        store = await stores.open_async(file)
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            commit = asyncio.create_task(store.commit(write.changes()))
            turns = 0
            while turns < 50:
                await asyncio.sleep(0.001)
                turns += 1
            assert not commit.done()
            other.execute("ROLLBACK")
            assert (await commit).version == 1
        await store.close()

    asyncio.run(waiting())


def test_a_cancelled_commit_has_ended_when_its_task_has(file, write):
    """Cancelled while it waits for the file: the task ends with the operation, and the file is free."""

    async def cancelled():
        store = await stores.open_async(file)
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            commit = asyncio.create_task(store.commit(write.changes()))
            await asyncio.sleep(0.05)
            for _ in range(3):
                commit.cancel()
                await asyncio.sleep(0.01)
            assert not commit.done()
            other.execute("ROLLBACK")
            with pytest.raises(asyncio.CancelledError):
                await commit
            other.execute("BEGIN IMMEDIATE")  # nobody holds it any more
            (rows,) = other.execute("SELECT count(*) FROM itsm_events").fetchone()
        await store.close()
        return rows

    assert asyncio.run(cancelled()) == 1


def test_a_cancelled_commit_that_failed_is_cancelled_all_the_same(file, write):
    """Nobody is told of the failure twice, nor is it said that nobody looked."""

    async def cancelled():
        store = await stores.open_async(file, busy_timeout=write.MINUTE / 600)
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreBusy):
                await store.commit(write.changes())
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await store.commit(write.changes())
        await store.close()

    asyncio.run(cancelled())


class Slowly(sqlite3.Connection):
    """A connection that stops before the snapshot of a commit is written, until it may go on."""

    half, go_on = threading.Event(), threading.Event()

    def cursor(self, factory=None):
        class Cursor(sqlite3.Cursor):
            def execute(self, sql, *parameters):
                if "INTO itsm_records" in sql:
                    Slowly.half.set()
                    Slowly.go_on.wait(10)
                return super().execute(sql, *parameters)

        return super().cursor(Cursor)


def test_a_cancelled_task_leaves_the_hosts_transaction_whole(file, write):
    """A host that rolls back when it is cancelled does so after our last statement, not between two."""

    async def handler(connection):
        connection.execute("BEGIN")
        try:
            connection.execute("INSERT INTO tickets VALUES (1)")
            await ThreadedStore(SqliteStore.on(connection)).commit(write.changes())
        except asyncio.CancelledError:
            connection.execute("ROLLBACK")
            raise

    async def served(connection):
        task = asyncio.create_task(handler(connection))
        await asyncio.to_thread(Slowly.half.wait, 10)
        task.cancel()
        await asyncio.sleep(0.01)
        Slowly.go_on.set()
        await asyncio.wait([task])
        return task.cancelled()

    opened = sqlite3.connect(file, isolation_level=None, check_same_thread=False, factory=Slowly)
    with closing(opened) as connection:
        connection.execute("CREATE TABLE tickets (id)")
        SqliteStore.on(connection)
        assert asyncio.run(served(connection))
        assert not connection.in_transaction
        for table in ("tickets", "itsm_events", "itsm_records"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table


def test_an_opening_that_is_cancelled_leaves_no_store_open(file):
    """What was opened for nobody is closed again."""
    begun, let_go, made = threading.Event(), threading.Event(), []

    def slowly():
        begun.set()
        let_go.wait(10)
        made.append(SqliteStore(file))
        return made[0]

    async def cancelled():
        task = asyncio.create_task(ThreadedStore.opened(slowly))
        await asyncio.to_thread(begun.wait, 10)
        task.cancel()
        await asyncio.sleep(0)
        let_go.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    with pytest.raises(StoreError, match="closed"):
        made[0].find(Query())


def test_an_opening_that_failed_says_why(tmp_path):
    """As `stores.open` does, whether it was cancelled or not."""
    with pytest.raises(InvalidValue, match="names no store that is built in"):
        asyncio.run(stores.open_async("desk.txt"))
    with pytest.raises(StoreError, match="check that the folder exists"):
        asyncio.run(stores.open_async(tmp_path / "nowhere" / "desk.db"))

    async def cancelled():
        task = asyncio.create_task(stores.open_async("desk.txt"))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())


def test_without_threads_it_says_that_nothing_was_done(write):
    """Where the executor has ended, and where it ended before it came to what was asked."""

    async def ended():
        begun, go_on = threading.Event(), threading.Event()
        executor = futures.ThreadPoolExecutor(1)
        asyncio.get_running_loop().set_default_executor(executor)
        store = ThreadedStore(MemoryStore())
        executor.submit(lambda: (begun.set(), go_on.wait(9)))
        begun.wait(9)
        waiting = asyncio.create_task(store.commit(write.changes()))
        await asyncio.sleep(0)
        executor.shutdown(wait=False, cancel_futures=True)
        go_on.set()
        for asked in (waiting, store.next_due("clock"), store.close()):
            with pytest.raises(StoreError, match="have ended, and nothing was done"):
                await asyncio.wait_for(asked, 9)

    asyncio.run(ended())


def test_the_thread_sees_the_context_of_its_task():
    """What a host keeps in context variables (a trace, a tenant) is there."""
    tenant = contextvars.ContextVar("tenant")

    async def asked():
        tenant.set("acme")
        return await in_thread(tenant.get)

    assert asyncio.run(asked()) == "acme"
