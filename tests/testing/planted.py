"""Stores that break one promise each, and the contracts that have to notice."""

import datetime as dt
import itertools
import time
from types import SimpleNamespace

import attrs
import pytest

from itsm_core.errors import InvalidValue, VersionConflict
from itsm_core.ports import Committed, Position
from itsm_core.stores import rules
from itsm_core.stores.memory import MemoryStore
from itsm_core.testing import AsyncStoreContract, StoreContract


class Planted(StoreContract):
    """What a third party writes; `made` is the store with the bug."""

    durable = False
    made = MemoryStore

    @pytest.fixture
    def store(self):
        return self.made()

    @pytest.fixture
    def another(self, store):
        return lambda: store


class ChecksNoVersion(MemoryStore):
    """The last writer wins."""

    def commit(self, changes):
        try:
            return super().commit(changes)
        except VersionConflict as late:
            there = late.actual
            events = tuple(attrs.evolve(e, seq=there + n) for n, e in enumerate(changes.events, 1))
            record = attrs.evolve(changes.snapshot.record, version=there + len(events))
            snapshot = attrs.evolve(changes.snapshot, record=record)
            return super().commit(attrs.evolve(changes, expected=there, events=events, snapshot=snapshot))


class CommitsInPart(MemoryStore):
    """The outbox is written first, in a transaction of its own."""

    def commit(self, changes):
        try:
            return super().commit(changes)
        except VersionConflict:
            for message in changes.messages:
                self._outbox.put(message.key, message, rules.ready(message), 0)
            raise


class GivesWrongOrder(MemoryStore):
    """Events are ordered by a text."""

    def load(self, record, after=None):
        snapshot, events = super().load(record, after)
        return snapshot, tuple(sorted(events, key=lambda e: str(e.seq)))


class CountsPositionIn(MemoryStore):
    """`>=` where `>` was meant."""

    def read(self, after, limit):
        since = rules.place(after)
        return super().read(Position(token=str(since - 1)) if since else after, limit)


class BeginsWithAfter(MemoryStore):
    """The record that a page begins after is found again."""

    def find(self, query):
        everyone = super().find(attrs.evolve(query, after=None, limit=1000))
        return (*(r for r in everyone if r.id == query.after), *super().find(query))


class IgnoresLeases(MemoryStore):
    """A claim marks nothing."""

    def claim(self, kind, now, limit, lease, worker):
        return super().claim(kind, now, limit, min(lease, dt.timedelta(microseconds=1)), worker)


class KeepsOneTableOfNames(MemoryStore):
    """Whoever settles a message settles the timer of that name instead."""

    timed = frozenset[str]()

    def commit(self, changes):
        self.timed |= {timer.id for timer in changes.timers}
        return super().commit(changes)

    def settle(self, settlements, now):
        held = [(rules.held(one), one) for one in settlements]
        super().settle([one for claim, one in held if not claim.message or claim.id not in self.timed], now)


class LosesLateCommits(MemoryStore):
    """Positions are given when a commit begins, as an identity column does."""

    def __init__(self):
        super().__init__()
        self._numbers, self._visible = itertools.count(1), {}

    def commit(self, changes):
        number = next(self._numbers)
        whole = attrs.evolve(changes, timers=(*changes.timers,))
        done = super().commit(whole)
        if not done.repeated:
            self._visible |= {number * 1000 + n: e for n, e in enumerate(changes.events)}
        return done

    def read(self, after, limit):
        since = rules.place(after)
        page = [p for p in sorted(dict(self._visible)) if p > since][: max(limit, 0)]
        events = tuple(self._visible[p] for p in page)
        return events, Position(token=str(page[-1])) if page else after


class KeepsSnapshotOfTheRefused(MemoryStore):
    """The cache is written before the version is checked."""

    def commit(self, changes):
        try:
            return super().commit(changes)
        except VersionConflict:
            if changes.record in self._snapshots:
                self._snapshots[changes.record] = changes.snapshot
            raise


class ReadsSnapshotAfterEvents(MemoryStore):
    """Two statements, and no transaction around them."""

    def load(self, record, after=None):
        _, events = super().load(record, 0)
        time.sleep(0.001)
        snapshot, _ = super().load(record, 0)
        since = (0 if snapshot is None else snapshot.record.version) if after is None else after
        return snapshot, events[max(since, 0) :]


class TakesTheFirstForAll(MemoryStore):
    """Whether a change set is a repeat is asked of its first event alone."""

    def commit(self, changes):
        first = self.event(changes.events[0].id) if changes.events else None
        if first is None:
            return super().commit(changes)
        last = self.event(changes.events[-1].id) or first
        return Committed(record=last.record, version=last.seq, repeated=True)


class FoldsKeys(MemoryStore):
    """Keys are compared as some databases compare text: without case and blanks at the end."""

    def commit(self, changes):
        known = {key.casefold().rstrip() for key in self._messages}
        new = [m for m in changes.messages if m.key.casefold().rstrip() not in known]
        return super().commit(attrs.evolve(changes, messages=tuple(new)))


class RemembersTheLatestNow(MemoryStore):
    """It believes that time never goes back, although each worker has a clock of its own."""

    def claim(self, kind, now, limit, lease, worker):
        self._latest = max(now, getattr(self, "_latest", now))
        return super().claim(kind, self._latest, limit, lease, worker)


class EndsTheWholeBatch(MemoryStore):
    """What was claimed together is settled together."""

    def settle(self, settlements, now):
        for ended in settlements:
            held = rules.held(ended)
            queue = self._outbox if held.message else self._queues["clock"]
            for name in [n for n, slot in queue._slots.items() if slot.batch == held.batch]:
                token = rules.token("message" if held.message else "clock", held.batch, name)
                super().settle([attrs.evolve(ended, token=token)], now)


class CutsLongHistories(MemoryStore):
    """The storage underneath gives a thousand rows at a time, and nobody asks for the next."""

    def load(self, record, after=None):
        snapshot, events = super().load(record, after)
        return snapshot, events[:1000]


class RemembersWhatItRead:
    """A cache of each process, told of its own commits only."""

    def __init__(self, shared=None):
        self.shared, self._read = shared or MemoryStore(), {}

    def load(self, record, after=None):
        if (record, after) not in self._read:
            self._read[record, after] = self.shared.load(record, after)
        return self._read[record, after]

    def commit(self, changes):
        self._read.clear()
        return self.shared.commit(changes)

    def __getattr__(self, name):
        return getattr(self.shared, name)


class Careful(MemoryStore):
    """Reads everything before it writes anything, and takes no text that C would end."""

    def commit(self, changes):
        if "\0" in changes.record:
            raise InvalidValue("record", changes.record, "holds a NUL", "leave it out")
        whole = {"timers": (*changes.timers,), "messages": (*changes.messages,)}
        return super().commit(attrs.evolve(changes, **whole))


def broken(store, **flags):
    """The contract of a store with a bug."""
    return type(store.__name__, (Planted,), {"made": store, **flags})


no_version_check = broken(ChecksNoVersion)
partial_commit = broken(CommitsInPart)
interrupted = broken(MemoryStore, durable=True)
wrong_order = broken(GivesWrongOrder)
inclusive_position = broken(CountsPositionIn)
inclusive_page = broken(BeginsWithAfter)
lease_ignored = broken(IgnoresLeases)
one_name_for_two = broken(KeepsOneTableOfNames)
lost_late_commit = broken(LosesLateCommits)
snapshot_newer = broken(KeepsSnapshotOfTheRefused)
snapshot_newer_by_turns = broken(ReadsSnapshotAfterEvents)
first_for_all = broken(TakesTheFirstForAll)
keys_folded = broken(FoldsKeys)
latest_now = broken(RemembersTheLatestNow)
whole_batch = broken(EndsTheWholeBatch)
history_cut = broken(CutsLongHistories)
sound = broken(MemoryStore)


class Stale(Planted):
    """Each process has a cache of its own."""

    made = RemembersWhatItRead

    @pytest.fixture
    def another(self, store):
        return lambda: RemembersWhatItRead(store.shared)


# --- contracts that are cut down --------------------------------------------------------------


class Overridden(Planted):
    """A check that passes because it checks nothing."""

    def test_p2_the_version_is_checked(self):
        pass


class Deleted(Planted):
    """A check that is gone."""

    test_p2_the_version_is_checked = None


class Owned(Planted):
    """A check that is known not to hold, and says so."""

    made = ChecksNoVersion

    @pytest.mark.xfail(reason="the last writer wins, by design")
    def test_p2_the_version_is_checked(self, subject):
        super().test_p2_the_version_is_checked(subject)


class Unexplained(Planted):
    """The same without a reason."""

    @pytest.mark.xfail
    def test_p2_the_version_is_checked(self, subject):
        super().test_p2_the_version_is_checked(subject)


class GuardGone(Planted):
    """Whoever takes the guard away, too."""

    test_p2_the_version_is_checked = None
    test_suite_no_check_is_overridden_or_deleted = None


class WithInit(Planted):
    """A class that pytest does not collect."""

    def __init__(self):
        pass


# --- contracts that are unusual ---------------------------------------------------------------


class Alone(StoreContract):
    """What is durable, and cannot be opened again."""

    @pytest.fixture
    def store(self):
        return Careful()


class Lacking(Alone):
    """The fixture `another` asks for one that nobody defined."""

    @pytest.fixture
    def another(self, no_such_fixture):
        return no_such_fixture


class Shared(AsyncStoreContract):
    """One store, awaited by everybody."""

    durable = False

    @pytest.fixture
    def store(self):
        return Awaitable()

    @pytest.fixture
    def another(self, store):
        return lambda: store


# --- what a command line names ----------------------------------------------------------------

number = 7


def new_store():
    """A store, as a factory makes it."""
    return MemoryStore()


def falls():
    """A factory that cannot."""
    msg = "no such server"
    raise ConnectionError(msg)


def leaves():
    """A factory that ends the process, and says that all is well."""
    raise SystemExit(0)


def skips():
    """A factory of somebody's tests, where no server is."""
    pytest.skip("no database")


class SkipsAll(StoreContract):
    """A contract whose store needs what is not there."""

    @pytest.fixture
    def store(self):
        pytest.skip("no database")


def wants_more(url):
    """A factory that needs to be told where."""
    return url


def settles_only():
    """What has two of the ten methods."""
    return SimpleNamespace(settle=print, close=print)


class Awaitable:
    """A store in memory that is awaited."""

    def __init__(self):
        self._store = MemoryStore()

    def __getattr__(self, name):
        method = getattr(self._store, name)

        async def awaited(*given):
            return method(*given)

        return awaited

    async def close(self):
        self._store.close()


async def open_store():
    """A coroutine that opens a store."""
    return Awaitable()


def opening():
    """A function that gives such a coroutine."""
    return open_store()
