"""What holds when several stores look at the same records, one crashes, or a commit comes late."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import attrs
import pytest

from itsm_core.errors import RecordNotFound, VersionConflict
from itsm_core.events import Event
from itsm_core.ports import Position, Store
from itsm_core.testing.contract.commits import STEPS
from itsm_core.testing.contract.samples import ALL, at, changes, message, timer
from itsm_core.testing.contract.subject import (
    PATIENCE,
    Halting,
    Subject,
    Thread,
    claim,
    end_of,
    everything,
    in_threads,
    names,
    need,
    pages,
    settle,
)

ALONE = "concurrent = False: one store at a time"
A_WHILE = 0.4
"""Seconds after which a writer is taken to wait for another to finish."""

Transaction = Callable[[], AbstractContextManager[Store]]
"""A block of the host's transaction with a store in it: an exception rolls it back."""


class TogetherChecks:
    """Checks by two stores and more, by threads, and by stores that are abandoned."""

    durable: ClassVar[bool] = True
    concurrent: ClassVar[bool] = True

    # --- two stores, one thread ---

    def test_p1_another_store_sees_the_whole_commit(self, subject: Subject) -> None:
        """What one commits the other loads, reads, finds and claims."""
        other, done = subject.another(), changes(timers=[timer("t", 5)], messages=[message("m")], group="a")
        subject.store.commit(done)
        assert other.load("R1", 0) == (done.snapshot, done.events)
        assert everything(other) == list(done.events)
        assert other.find(ALL) == (done.snapshot.record,)
        assert names([*claim(other, 5), *claim(other, 5, "message")]) == ["t", "m"]
        assert claim(subject.store, 6) == claim(subject.store, 6, "message") == ()

    def test_p2_another_store_cannot_commit_on_an_old_version(self, subject: Subject) -> None:
        """What it loaded before is no base for a commit after; a repeat it does recognise."""
        store, other, first = subject.store, subject.another(), changes()
        store.commit(first)
        told = other.load("R1", 0)[1]
        second = changes(history=first.events)
        store.commit(second)
        with pytest.raises(VersionConflict):
            other.commit(changes(history=told, ids=["other"]))
        assert other.commit(second).repeated

    def test_p5_what_another_store_writes_is_seen_by_one_that_read_before(self, subject: Subject) -> None:
        """Events, what a record is found by, a due instant that moved without an event: nothing is stale."""
        store, other, first = subject.store, subject.another(), changes(due=5)
        store.commit(first)
        assert other.load("R1") == other.load("R1", 1) == (first.snapshot, ())
        moved = attrs.evolve(first.snapshot, due=at(9))
        store.commit(attrs.evolve(first, expected=1, events=(), snapshot=moved))
        assert other.load("R1") == (moved, ())
        second = changes(history=first.events, group="a")
        store.commit(second)
        assert other.load("R1") == (second.snapshot, ())
        assert other.load("R1", 1) == (second.snapshot, second.events)
        assert other.find(ALL) == (second.snapshot.record,)
        assert other.event(second.events[0].id) == second.events[0]

    def test_p7_what_one_store_claimed_another_settles(self, subject: Subject) -> None:
        """A token is all that is needed, whichever process has it."""
        store, other = subject.store, subject.another()
        store.commit(changes(timers=[timer("t", 0)], messages=[message("m")]))
        settle(other, 1, [*claim(store, 0), *claim(store, 0, "message")])
        assert store.next_due("clock") is store.next_due("message") is None

    # --- crash and resume ---

    @pytest.mark.parametrize("close", [True, False], ids=["closed", "abandoned"])
    def test_p1_a_commit_outlives_the_store(self, subject: Subject, close: bool) -> None:
        """Closed or abandoned after each step and opened again, nothing is lost and nothing comes twice."""
        need(self.durable, "durable = False: nothing outlives the process")
        first = changes(new=2, timers=[timer("t", 5)], messages=[message("m"), message("n")])
        subject.store.commit(first)
        store = subject.restart(close=close)
        position = end_of(store)
        second = changes(history=first.events, group="a")
        store.commit(second)
        store = subject.restart(close=close)
        assert store.load("R1", 0) == (second.snapshot, first.events + second.events)
        assert store.read(position, 10)[0] == second.events
        assert store.commit(first).repeated
        held = claim(store, 5, "message", limit=1)
        store = subject.restart(close=close)
        assert names(claim(store, 6, "message")) == ["n"]
        settle(store, 7, held)
        store = subject.restart(close=close)
        assert names([*claim(store, 99, "message"), *claim(store, 99)]) == ["n", "t"]

    # --- many threads ---

    def test_p2_of_many_writers_one_wins_each_version(self, subject: Subject) -> None:
        """Stores that race for one record lose no event and double none."""
        need(self.concurrent, ALONE)
        subject.store.commit(changes())
        wins, losses = list[str](), list[str]()

        def race(worker: int, store: Store) -> None:
            for turn in range(10):
                told = store.load("R1", 0)[1]
                name = f"{worker}.{turn}"
                try:
                    store.commit(changes(history=told, ids=[name]))
                    wins.append(name)
                except VersionConflict:
                    losses.append(name)

        in_threads(race, [(n, subject.another()) for n in range(4)])
        assert len(wins) + len(losses) == 40
        assert sorted(e.id for e in everything(subject.store)) == sorted(["R1/1", *wins])

    def test_p5_the_snapshot_is_not_newer_than_the_events_while_others_commit(self, subject: Subject) -> None:
        """Whoever loads in the midst of commits gets a record that its events tell."""
        need(self.concurrent, ALONE)
        store, reader = subject.store, subject.another()
        begun, done = threading.Event(), threading.Event()
        first = changes()
        store.commit(first)

        def write() -> None:
            told: tuple[Event, ...] = first.events
            for _ in range(300):
                more = changes(history=told)
                store.commit(more)
                told += more.events
                begun.set()
                if done.is_set():
                    return

        writer = Thread(write)
        try:
            begun.wait(PATIENCE)  # else the reader may be done before the first commit
            for _ in range(30):
                _tells(reader)
        finally:
            done.set()
            writer.finish()

    def test_p6_a_reader_that_follows_misses_no_late_commit(self, subject: Subject) -> None:
        """While four stores commit, a reader sees each event once."""
        need(self.concurrent, ALONE)
        seen, done = list[str](), threading.Event()

        def commit(worker: int, store: Store) -> None:
            for turn in range(15):
                store.commit(changes(f"R{worker}.{turn}"))

        def follow(store: Store) -> None:
            position, last = Position(), False
            while not last:
                last = done.is_set()
                for page, behind in pages(store, 7, position):
                    seen.extend(e.id for e in page)
                    position = behind

        reader = Thread(follow, subject.another())
        try:
            in_threads(commit, [(n, subject.another()) for n in range(4)])
        finally:
            done.set()
        reader.finish()
        assert sorted(seen) == sorted(f"R{n}.{t}/1" for n in range(4) for t in range(15))

    @pytest.mark.parametrize(("part", "nth"), STEPS)
    def test_p6_no_late_commit_is_lost(self, subject: Subject, part: str, nth: int) -> None:
        """The writer that began first commits last: a reader that went on in between still sees it."""
        need(self.concurrent, ALONE)
        first, second, reader = subject.another(), subject.another(), subject.another()
        halted, go_on = threading.Event(), threading.Event()

        def halt() -> None:
            halted.set()
            go_on.wait(PATIENCE)

        slow = Thread(first.commit, _slow(part, nth, halt))
        while slow.is_alive() and not halted.wait(0.01):
            pass
        seen, place = list[Event](), [Position()]

        def overtake() -> None:
            second.commit(changes("R2"))
            page, place[0] = reader.read(place[0], 100)
            seen.extend(page)

        quick = Thread(overtake)
        quick.join(A_WHILE)  # where writers take turns, it waits for the first
        go_on.set()
        slow.finish()
        quick.finish()
        seen += everything(reader, after=place[0])
        assert sorted(e.id for e in seen) == ["R1/1", "R1/2", "R2/1"]

    def test_p7_workers_share_the_work_without_overlap(self, subject: Subject) -> None:
        """Of 100 timers and 100 messages each goes to exactly one of four workers."""
        need(self.concurrent, ALONE)
        timers, messages = [timer(f"t{n}", 0) for n in range(100)], [message(f"m{n}") for n in range(100)]
        subject.store.commit(changes(timers=timers, messages=messages))
        got = list[str]()

        def work(kind: str, store: Store) -> None:
            while (claims := claim(store, 1, kind, limit=7)) and len(got) < 1000:
                got.extend(names(claims))
                settle(store, 2, claims)

        in_threads(work, [(kind, subject.another()) for kind in ("clock", "message") * 2])
        assert sorted(got) == sorted([t.id for t in timers] + [m.key for m in messages])

    # --- the host's transaction ---

    def test_p1_the_rollback_of_the_host_takes_everything_along(
        self, subject: Subject, transaction_of_host: Transaction
    ) -> None:
        """After it there is nothing, and the same change set can be committed again."""
        done = changes(timers=[timer("t", 0)], messages=[message("m")])
        with pytest.raises(_RolledBack), transaction_of_host() as store:
            store.commit(done)
            assert store.load("R1", 0) == (done.snapshot, done.events)
            raise _RolledBack
        with pytest.raises(RecordNotFound):
            subject.store.load("R1")
        assert everything(subject.store) == []
        assert subject.store.find(ALL) == ()
        assert subject.store.next_due("clock") is subject.store.next_due("message") is None
        with transaction_of_host() as store:
            assert not store.commit(done).repeated
        assert subject.store.load("R1", 0) == (done.snapshot, done.events)
        assert subject.store.next_due("clock") == at(0)

    def test_p6_no_late_commit_of_a_host_is_lost(
        self, subject: Subject, transaction_of_host: Transaction
    ) -> None:
        """A host keeps its transaction open while others commit and a reader goes on."""
        need(self.concurrent, ALONE)
        reader, second, seen = subject.another(), subject.another(), list[Event]()
        with transaction_of_host() as store:
            store.commit(changes(new=2))
            quick = Thread(second.commit, changes("R2"))
            quick.join(A_WHILE)  # where writers take turns, it waits for the host
            page, position = reader.read(Position(), 100)
            seen += page
        quick.finish()
        seen += everything(reader, after=position)
        assert sorted(e.id for e in seen) == ["R1/1", "R1/2", "R2/1"]


class _RolledBack(Exception):
    """Why a host gives up."""


def _slow(part: str, nth: int, halt: Callable[[], None]) -> Any:
    given = changes(new=2, timers=[timer("t", 0)], messages=[message("m")])
    halting: Any = Halting.of(getattr(given, part), nth, halt)
    return attrs.evolve(given, **{part: halting})


def _tells(store: Store) -> None:
    snapshot, events = store.load("R1", 0)
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    assert snapshot is not None
    assert snapshot.record.version <= len(events)
    later, after = store.load("R1")
    assert later is not None
    assert [e.seq for e in after] == [later.record.version + n for n in range(1, len(after) + 1)]
