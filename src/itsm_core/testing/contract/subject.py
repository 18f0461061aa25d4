"""The store in question, further ones on the same records, and what checks do to them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from itsm_core.events import Event
from itsm_core.ports import Claim, Ending, Message, Position, Settlement, Store
from itsm_core.testing.contract.samples import MINUTE, at

NO_ANOTHER = "no fixture `another`: a function that opens a further store on the same records"
MOST = 50
"""Stores that one check may open."""
PATIENCE = 60
"""Seconds after which a thread of a check is taken to hang."""


class Subject:
    """The store of one check; `another` opens further ones on the same records."""

    def __init__(self, store: Store, opener: Callable[[], Store] | None) -> None:
        self.first = self.store = store
        self._opener, self._made, self._abandoned = opener, list[Store](), list[Store]()

    @property
    def can_reopen(self) -> bool:
        """Whether there is a fixture `another`."""
        return self._opener is not None

    def another(self) -> Store:
        """A further store; where none can be opened, the check is left out."""
        if self._opener is None:
            pytest.skip(NO_ANOTHER)
        made = self._opener()
        self._made.append(made)
        return made

    def restart(self, *, close: bool) -> Store:
        """The store is closed, or abandoned as by a crash, and one opened in its place.

        Of a host, a closed store leaves a connection behind: after `MOST` openings an abandoned store takes
        over instead.
        """
        if len(self._made) >= MOST:
            self._abandoned.append(self.store)
            self.store = self._abandoned.pop(0)
            return self.store
        if close:
            self.store.close()
        else:
            self._abandoned.append(self.store)
        self.store = self.another()
        if len(self._abandoned) > 4 and self._abandoned[0] is not self.store:
            self._abandoned.pop(0).close()  # as an operating system does for a dead process
        return self.store

    def close(self) -> None:
        """Lets go of the stores that checks opened."""
        for made in self._made:
            if made is not self.first:
                made.close()


def need(flag: bool, reason: str) -> None:
    """Leaves the check out unless the flag is set."""
    if not flag:
        pytest.skip(reason)


def pages(store: Store, limit: int, after: Position) -> Iterator[tuple[tuple[Event, ...], Position]]:
    """The pages behind a position, each with the position behind it, up to the end of the log."""
    page, position = store.read(after, limit)
    while page:
        assert position != after, "a page that is not empty leaves the position where it was"
        yield page, position
        after = position
        page, position = store.read(after, limit)


def everything(store: Store, limit: int = 1000, after: Position | None = None) -> list[Event]:
    """All events behind a position (None: the beginning), read page by page."""
    return [event for page, _ in pages(store, limit, after or Position()) for event in page]


def end_of(store: Store) -> Position:
    """The position behind every event."""
    position = Position()
    for _, behind in pages(store, 1000, position):
        position = behind
    return position


def claim(
    store: Store, minutes: int, kind: str = "clock", *, limit: int = 10, lease: int = 5
) -> tuple[Claim, ...]:
    """What a worker gets so many minutes after the beginning."""
    return store.claim(kind, at(minutes), limit, lease * MINUTE, "w")


def settle(
    store: Store, minutes: int, claims: Iterable[Claim], outcome: Ending = "done", **more: Any
) -> None:
    """Ends claims so many minutes after the beginning."""
    store.settle([Settlement(token=c.token, outcome=outcome, **more) for c in claims], at(minutes))


def names(claims: Iterable[Claim]) -> list[str]:
    """The ids or keys of what was claimed."""
    return [c.item.key if isinstance(c.item, Message) else c.item.id for c in claims]


# --- threads ----------------------------------------------------------------------------------


class Thread(threading.Thread):
    """A thread whose end is waited for, and whose error is that of the check."""

    def __init__(self, work: Callable[..., object], *arguments: Any) -> None:
        super().__init__(daemon=True)
        self._work, self._arguments, self._error = work, arguments, list[BaseException]()
        self.start()

    def run(self) -> None:
        """Does the work."""
        try:
            self._work(*self._arguments)
        except BaseException as error:
            self._error.append(error)

    def finish(self) -> None:
        """Waits for the end and raises what the work raised."""
        self.join(PATIENCE)
        assert not self.is_alive(), f"still at work after {PATIENCE} s: the store hangs"
        for error in self._error:
            raise error


def in_threads(work: Callable[..., object], arguments: Iterable[tuple[Any, ...]]) -> None:
    """Runs `work` once for each arguments, all at the same time; raises what any of them raised."""
    threads = [Thread(work, *given) for given in arguments]
    for thread in threads:
        thread.finish()


class Interrupted(Exception):
    """What happens in the middle of a commit."""


class Halting(tuple[Any, ...]):  # noqa: SLOT001 - a tuple with slots may have none of its own
    """Timers or messages whose n-th reading is interrupted: by an error, or by a wait."""

    at_pass: int
    halt: Callable[[], object]
    passes: int

    @classmethod
    def of(cls, items: Iterable[Any], at_pass: int, halt: Callable[[], object]) -> Halting:
        """These items; reading them the n-th time calls `halt` after the first."""
        made = cls(items)
        made.at_pass, made.halt, made.passes = at_pass, halt, 0
        return made

    def __iter__(self) -> Iterator[Any]:
        self.passes += 1
        halting = self.passes == self.at_pass
        for item in super().__iter__():
            yield item
            if halting:
                self.halt()
