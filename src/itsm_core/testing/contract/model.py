"""A state machine of Hypothesis: any sequence of calls leaves a store where a few dicts would be."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, ClassVar

import attrs
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from itsm_core.errors import RecordNotFound, VersionConflict
from itsm_core.events import Event
from itsm_core.ports import (
    FOLD,
    ChangeSet,
    Committed,
    Ending,
    Message,
    Query,
    Settlement,
    Snapshot,
    Store,
    Timer,
)
from itsm_core.testing.contract.samples import FINAL, MINUTE, NOW, at, changes, event, message, timer
from itsm_core.testing.contract.subject import Subject, end_of, everything

RECORDS = st.sampled_from(["R1", "R2", "é"])
KINDS = st.sampled_from(["clock", "policy", "message"])
DUE = st.one_of(st.none(), st.integers(0, 9))
TIMERS = st.lists(st.tuples(st.sampled_from("tuv"), DUE, st.sampled_from(["clock", "policy"])), max_size=3)
KEYS = st.lists(st.sampled_from("abcdef"), max_size=2)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "group": st.sampled_from(["first", "second", None]),
        "assignee": st.sampled_from(["ana", "ünal 🙂"]),
        "number": st.sampled_from(["1", "2"]),
        "customer": st.sampled_from(["globex", None]),
        "service": st.sampled_from(["mail", ["mail"]]),
        "external_refs": st.lists(st.sampled_from("xyz"), max_size=2),
    },
)
FOLDS = st.sampled_from([FOLD, FOLD, FOLD, FOLD + 1])
ASKED = st.fixed_dictionaries(
    {},
    optional={
        "group": st.just("first"),
        "assignee": st.just("ana"),
        "number": st.just("1"),
        "customer": st.just("globex"),
        "service": st.just("mail"),
        "external_ref": st.just("x"),
    },
)
_RUNS = itertools.count(1)


@attrs.define
class _Waiting:
    """An item of the model: from when on it may be claimed, and who holds it."""

    ready: int
    order: Any
    item: Timer | Message
    token: str | None = None


class StoreMachine(RuleBasedStateMachine):
    """A store beside dicts. Each run has names and a tenant of its own, so that runs share a store."""

    subject: ClassVar[Subject]
    durable: ClassVar[bool]

    def __init__(self) -> None:
        super().__init__()
        self.run = f"{next(_RUNS)}:"
        self.now, self.ids = 0, 0
        self.log, self.commits, self.keys = list[Event](), list[ChangeSet](), set[str]()
        self.histories, self.snapshots = dict[str, tuple[Event, ...]](), dict[str, Snapshot]()
        self.timers, self.waiting = dict[str, Timer](), dict[tuple[str, str], _Waiting]()
        self.tokens = list[str]()
        self.begin = end_of(self.store)

    @property
    def store(self) -> Store:
        """The store as it is now; a restart puts another in its place."""
        return self.subject.store

    def teardown(self) -> None:
        """Leaves no message that the next run would claim."""
        left = self.store.claim("message", at(10**6), 100, MINUTE, "w")
        if left:
            self.store.settle([Settlement(token=c.token, outcome="done") for c in left], at(10**6))

    def named(self, name: str) -> str:
        """The name as this run's own."""
        return self.run + name

    def kind(self, kind: str) -> str:
        """The kind as this run's own; there is one kind of messages."""
        return kind if kind == "message" else self.named(kind)

    # --- commits ---

    @rule(
        name=RECORDS, new=st.integers(1, 3), timers=TIMERS, keys=KEYS, fields=FIELDS, due=DUE, made_by=FOLDS
    )
    def commit(
        self,
        name: str,
        new: int,
        timers: Sequence[tuple[str, int | None, str]],
        keys: Sequence[str],
        fields: dict[str, Any],
        due: int | None,
        made_by: int,
    ) -> None:
        """A sound change set is written."""
        record = self.named(name)
        history = self.histories.get(record, ())
        self.ids += 1
        done = changes(
            record,
            history,
            new=new,
            ids=[f"{self.run}{self.ids}.{n}" for n in range(new)],
            timers=[timer(self.named(n), due, record=record, kind=self.kind(k)) for n, due, k in timers],
            messages=[message(self.named(key), record=record, ready=self.now) for key in keys],
            due=due,
            fold_version=made_by,
            tenant=self.run,
            **fields,
        )
        assert self.store.commit(done) == Committed(record=record, version=len(history) + new)
        self._committed(done, (*history, *done.events))

    def _committed(self, done: ChangeSet, history: tuple[Event, ...]) -> None:
        self.commits.append(done)
        self.log += done.events
        self.histories[done.record], self.snapshots[done.record] = history, done.snapshot
        for each in done.timers:
            self._set(each)
        for sent in done.messages:
            if sent.key not in self.keys:
                self.keys.add(sent.key)
                self.waiting["message", sent.key] = _Waiting(self.now, len(self.keys), sent)

    def _set(self, moved: Timer) -> None:
        before = self.timers.get(moved.id)
        if before == moved:
            return
        if before is not None:
            del self.waiting[before.kind, before.id], self.timers[before.id]
        if moved.due is not None:
            self.timers[moved.id] = moved
            self.waiting[moved.kind, moved.id] = _Waiting((moved.due - NOW) // MINUTE, moved.id, moved)

    @precondition(lambda self: self.commits)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """A change set that was written before changes nothing."""
        done = data.draw(st.sampled_from(self.commits))
        again = Committed(record=done.record, version=done.events[-1].seq, repeated=True)
        assert self.store.commit(done) == again

    @rule(name=RECORDS, stale=st.integers(0, 4))
    def conflict(self, name: str, stale: int) -> None:
        """A decision on another version is refused, whole."""
        record = self.named(name)
        known = self.histories.get(record, ())
        stale += stale == len(known)
        past = (*known, *(event(record, n) for n in range(len(known) + 1, 6)))
        late = changes(
            record, past[:stale], ids=[f"{self.run}late"], tenant=self.run,
            timers=[timer(self.named("t"), 0, record=record, kind=self.kind("clock"))],
            messages=[message(self.named("never"), record=record)],
        )  # fmt: skip
        with pytest.raises(VersionConflict):
            self.store.commit(late)

    # --- crash and resume ---

    @precondition(lambda self: self.subject.can_reopen)
    @rule(close=st.booleans())
    def crash(self, close: bool) -> None:
        """Another process takes over."""
        self.subject.restart(close=close and self.durable)

    # --- timers and messages ---

    @rule(minutes=st.integers(0, 4))
    def wait(self, minutes: int) -> None:
        """Time goes on."""
        self.now += minutes

    @rule(kind=KINDS, limit=st.integers(0, 4), lease=st.integers(1, 4))
    def claim(self, kind: str, limit: int, lease: int) -> None:
        """What is ready is given, earliest first, and then held."""
        ready = sorted(
            (w for (k, _), w in self.waiting.items() if k == self.kind(kind) and w.ready <= self.now),
            key=lambda w: (w.ready, w.order),
        )
        claims = self.store.claim(self.kind(kind), at(self.now), limit, lease * MINUTE, "w")
        assert [c.item for c in claims] == [w.item for w in ready[:limit]]
        for waiting, claim in zip(ready, claims, strict=False):
            waiting.ready, waiting.token = self.now + lease, claim.token
            self.tokens.append(claim.token)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), outcome=st.sampled_from([*FINAL, "retry"]), delay=st.integers(0, 3))
    def settle(self, data: st.DataObject, outcome: Ending, delay: int) -> None:
        """Only the token that holds an item ends its claim."""
        token = data.draw(st.sampled_from(self.tokens))
        ended = Settlement(token=token, outcome=outcome, retry_at=at(self.now + delay))
        self.store.settle([ended], at(self.now))
        for (kind, name), waiting in list(self.waiting.items()):
            if waiting.token != token:
                continue
            if outcome != "retry":
                del self.waiting[kind, name]
                self.timers.pop(name, None)
            else:
                waiting.ready, waiting.token = self.now + delay, None
                if isinstance(waiting.item, Message):
                    waiting.item = attrs.evolve(waiting.item, attempt=waiting.item.attempt + 1)

    @rule(kind=KINDS)
    def next_due(self, kind: str) -> None:
        """The store knows when to ask again."""
        ready = [w.ready for (k, _), w in self.waiting.items() if k == self.kind(kind)]
        assert self.store.next_due(self.kind(kind)) == (at(min(ready)) if ready else None)

    # --- reading ---

    @rule(name=RECORDS, after=st.one_of(st.none(), st.integers(0, 6)))
    def load(self, name: str, after: int | None) -> None:
        """A record comes back as it was written."""
        record = self.named(name)
        if record not in self.histories:
            with pytest.raises(RecordNotFound):
                self.store.load(record, after)
            return
        snapshot = self.snapshots[record] if self.snapshots[record].fold == FOLD else None
        newest = 0 if snapshot is None else len(self.histories[record])
        since = newest if after is None else after
        assert self.store.load(record, after) == (snapshot, self.histories[record][since:])

    @rule(limit=st.integers(1, 5))
    def read(self, limit: int) -> None:
        """The log holds every event, in the order of the commits."""
        assert everything(self.store, limit, self.begin) == self.log

    @rule(asked=ASKED, due=DUE, after=st.one_of(st.none(), RECORDS), limit=st.integers(0, 4))
    def find(self, asked: dict[str, str], due: int | None, after: str | None, limit: int) -> None:
        """What is found is what the newest snapshots say."""
        behind, before = after and self.named(after), None if due is None else at(due)
        query = Query(**asked, tenant=self.run, due_before=before, after=behind, limit=limit)
        found = [s.record for _, s in sorted(self.snapshots.items()) if _matches(s, asked, query)]
        assert list(self.store.find(query)) == found[:limit]

    @invariant()
    def nothing_refused_was_written(self) -> None:
        """No event of a refused change set is there."""
        assert self.store.event(f"{self.run}late") is None


def _matches(snapshot: Snapshot, asked: dict[str, str], query: Query) -> bool:
    record = snapshot.record
    return (
        all(record.values.get(name) == said for name, said in asked.items() if name != "external_ref")
        and (query.external_ref is None or query.external_ref in (record.values.get("external_refs") or ()))
        and (query.after is None or record.id > query.after)
        and (query.due_before is None or (snapshot.due is not None and snapshot.due < query.due_before))
    )
