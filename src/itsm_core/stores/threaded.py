"""A store for async hosts over one that is not: each operation whole, in one hop to a thread.

    store = ThreadedStore(SqliteStore("desk.db"))

One hop for an operation of many statements costs half of what one for each statement does, and no
other task can come between them.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, Self, TypeVar

from itsm_core.errors import StoreError
from itsm_core.events import Event
from itsm_core.ports import ChangeSet, Claim, Committed, Position, Query, Settlement, Snapshot, Store
from itsm_core.records import Record

P = ParamSpec("P")
T = TypeVar("T")


class ThreadedStore:
    """An `AsyncStore` over a `Store` that is safe in threads; any number of tasks may use it at once.

    A task that is cancelled waits for the operation it is in: when its end is seen, the operation has
    happened whole or not at all, and no thread works on behind it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @classmethod
    async def opened(cls, opening: Callable[[], Store]) -> Self:
        """A store on what `opening` gives, in a thread; closed again if the task was cancelled meanwhile."""
        made: list[Store] = []
        try:
            await in_thread(lambda: made.append(opening()))
        except asyncio.CancelledError:
            for store in made:
                await in_thread(store.close)
            raise
        return cls(made[0])

    async def load(self, record: str, after: int | None = None) -> tuple[Snapshot | None, tuple[Event, ...]]:
        """As `ports.Store.load` promises."""
        return await in_thread(self._store.load, record, after)

    async def commit(self, changes: ChangeSet) -> Committed:
        """As `ports.Store.commit` promises."""
        return await in_thread(self._store.commit, changes)

    async def event(self, event_id: str) -> Event | None:
        """As `ports.Store.event` promises."""
        return await in_thread(self._store.event, event_id)

    async def read(self, after: Position, limit: int) -> tuple[tuple[Event, ...], Position]:
        """As `ports.Store.read` promises."""
        return await in_thread(self._store.read, after, limit)

    async def claim(
        self, kind: str, now: dt.datetime, limit: int, lease: dt.timedelta, worker: str
    ) -> tuple[Claim, ...]:
        """As `ports.Store.claim` promises."""
        return await in_thread(self._store.claim, kind, now, limit, lease, worker)

    async def settle(self, settlements: Sequence[Settlement], now: dt.datetime) -> None:
        """As `ports.Store.settle` promises."""
        await in_thread(self._store.settle, settlements, now)

    async def next_due(self, kind: str) -> dt.datetime | None:
        """As `ports.Store.next_due` promises."""
        return await in_thread(self._store.next_due, kind)

    async def find(self, query: Query) -> tuple[Record, ...]:
        """As `ports.Store.find` promises."""
        return await in_thread(self._store.find, query)

    async def links(self, record: str) -> tuple[str, ...]:
        """As `ports.Store.links` promises."""
        return await in_thread(self._store.links, record)

    async def close(self) -> None:
        """As `ports.Store.close` promises."""
        await in_thread(self._store.close)


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a function returns that ran in a thread; a cancelled task is told so when it has ended.

    `asyncio.to_thread` would leave the thread at work, and the host would roll back, or close, the
    connection under it.
    """
    called = partial(copy_context().run, function, *args, **kwargs)
    try:
        work = asyncio.get_running_loop().run_in_executor(None, called)
    except RuntimeError as ended:
        raise StoreError(_NO_THREADS) from ended
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait((work,))
        except asyncio.CancelledError as told:
            cancelled = told
    if cancelled is not None:
        if not work.cancelled():
            work.exception()  # looked at, or asyncio would complain that nobody did
        raise cancelled
    if work.cancelled():
        raise StoreError(_NO_THREADS)
    return work.result()


_NO_THREADS = (
    "the threads of this event loop have ended, and nothing was done; finish work with the store before "
    "the loop's executor is shut down"
)
