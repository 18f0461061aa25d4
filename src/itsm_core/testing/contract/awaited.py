"""`AsyncStoreContract`: the same checks on a store that is awaited."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from typing import Any, cast

from itsm_core.ports import Store
from itsm_core.testing.contract.store import StoreContract
from itsm_core.testing.contract.subject import Subject

METHODS = ("load", "commit", "event", "read", "claim", "settle", "next_due", "find", "links")


class Awaited:
    """An `AsyncStore` for those who cannot await: each call runs on an event loop of its own.

    It takes the store, or what gives it once it is awaited, such as `MyStore.open(url)`.
    """

    def __init__(self, store: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.store = self._run(store) if inspect.isawaitable(store) else store
        for name in METHODS:
            setattr(self, name, self._sync(name))

    def _sync(self, name: str) -> Callable[..., Any]:
        method = getattr(self.store, name)
        return lambda *given: self._run(method(*given))

    def _run(self, awaitable: Any) -> Any:
        async def outcome() -> Any:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(outcome(), self._loop).result()

    def close(self) -> None:
        """Closes the store."""
        self._run(self.store.close())

    def end(self) -> None:
        """Closes the store and ends the loop."""
        self.close()
        self.end_loop()

    def end_loop(self) -> None:
        """Ends the loop; the store is not asked any more."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


class AsyncStoreContract(StoreContract):
    """The promises of `ports.AsyncStore`: those of `Store`, each call awaited.

    `store` gives the store or a coroutine that opens it, `another` is a function that gives the same, and
    neither fixture needs to be async. Every store has an event loop of its own, in which the suite opens
    and closes it. `transaction` is asked of stores that are not awaited only.
    """

    def subject_of(self, store: Any, opener: Callable[[], Any] | None) -> Subject:
        """The store behind calls that are awaited elsewhere."""
        return _AwaitedSubject(store, opener)


class _AwaitedSubject(Subject):
    def __init__(self, store: Any, opener: Callable[[], Any] | None) -> None:
        self._awaited: dict[int, Awaited] = {}
        super().__init__(self._of(store), opener and (lambda: self._of(opener())))

    def _of(self, store: Any) -> Store:
        """One `Awaited` for each store, however often it is given."""
        made = Awaited(store)
        kept = self._awaited.setdefault(id(made.store), made)
        if kept is not made:
            made.end_loop()
        return cast(Store, kept)

    def close(self) -> None:
        for awaited in self._awaited.values():
            awaited.end()
