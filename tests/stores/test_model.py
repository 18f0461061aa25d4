"""Any sequence of calls leaves a store where a few dicts would be."""

import shutil
import sqlite3
import tempfile
from pathlib import Path

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from itsm_core.errors import RecordNotFound, VersionConflict
from itsm_core.ports import FOLD, Committed, Position, Query, Settlement
from itsm_core.stores.memory import MemoryStore
from itsm_core.stores.sqlite import SqliteStore

RECORDS = st.sampled_from(["R1", "R2", "é"])
TIMERS = st.lists(
    st.tuples(
        st.sampled_from("tuv"), st.one_of(st.none(), st.integers(0, 9)), st.sampled_from(["clock", "policy"])
    ),
    max_size=3,
)
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
KINDS = st.sampled_from(["clock", "policy", "message"])
DUE = st.one_of(st.none(), st.integers(0, 9))
FOLDS = st.sampled_from([FOLD, FOLD, FOLD, FOLD + 1])


class Model(RuleBasedStateMachine):
    """A store beside dicts; subclasses say which store. `write` builds change sets."""

    write = None

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="itsm-model-"))
        self.store = self.opened()
        self.now, self.ids = 0, 0
        self.log, self.commits, self.keys = [], [], set()
        self.histories, self.snapshots, self.timers = {}, {}, {}
        self.waiting = {}  # (kind, name) -> [ready, order, item, token, lease's end]
        self.tokens = []

    def opened(self):
        return MemoryStore()

    def teardown(self):
        self.store.close()
        shutil.rmtree(self.folder)

    # --- commits ---

    @rule(
        record=RECORDS, new=st.integers(1, 3), timers=TIMERS, keys=KEYS, fields=FIELDS, due=DUE, made_by=FOLDS
    )
    def commit(self, record, new, timers, keys, fields, due, made_by):
        """A sound change set is written."""
        history = self.histories.get(record, ())
        self.ids += 1
        done = self.write.changes(
            record,
            history,
            new=new,
            ids=[f"{self.ids}.{n}" for n in range(new)],
            timers=[self.write.timer(n, due, record=record, kind=kind) for n, due, kind in timers],
            messages=[self.write.message(key, record=record, ready=self.now) for key in keys],
            due=due,
            fold_version=made_by,
            **fields,
        )
        assert self.store.commit(done) == Committed(record=record, version=len(history) + new)
        self.commits.append(done)
        self.log += done.events
        self.histories[record] = (*history, *done.events)
        self.snapshots[record] = done.snapshot
        for timer in done.timers:
            self.set(timer)
        for message in done.messages:
            if message.key not in self.keys:
                self.keys.add(message.key)
                self.waiting["message", message.key] = [self.now, len(self.keys), message, None]

    def set(self, timer):
        if self.timers.get(timer.id) == timer:
            return
        before = self.timers.pop(timer.id, None)
        if before is not None:
            del self.waiting[before.kind, before.id]
        if timer.due is not None:
            self.timers[timer.id] = timer
            due = (timer.due - self.write.NOW) // self.write.MINUTE
            self.waiting[timer.kind, timer.id] = [due, timer.id, timer, None]

    @precondition(lambda self: self.commits)
    @rule(data=st.data())
    def repeat(self, data):
        """A change set that was written before changes nothing."""
        done = data.draw(st.sampled_from(self.commits))
        again = Committed(record=done.record, version=done.events[-1].seq, repeated=True)
        assert self.store.commit(done) == again

    @precondition(lambda self: self.commits)
    @rule(record=RECORDS, data=st.data())
    def conflict(self, record, data):
        """A decision on another version is refused, whole."""
        version = len(self.histories.get(record, ()))
        stale = data.draw(st.sampled_from([v for v in range(5) if v != version]))
        past = (
            *self.histories.get(record, ()),
            *(self.write.event(record, n) for n in range(version + 1, 6)),
        )
        self.ids += 1
        late = self.write.changes(
            record, past[:stale], ids=[f"late {self.ids}"], timers=[self.write.timer("t", 0)],
            messages=[self.write.message("never")],
        )  # fmt: skip
        with pytest.raises(VersionConflict):
            self.store.commit(late)

    # --- timers and messages ---

    @rule(minutes=st.integers(0, 4))
    def wait(self, minutes):
        """Time goes on."""
        self.now += minutes

    @rule(kind=KINDS, limit=st.integers(0, 4), lease=st.integers(1, 4))
    def claim(self, kind, limit, lease):
        """What is ready is given, earliest first, and then held."""
        ready = sorted(
            (w for (k, _), w in self.waiting.items() if k == kind and w[0] <= self.now), key=lambda w: w[:2]
        )
        claims = self.store.claim(kind, self.write.at(self.now), limit, lease * self.write.MINUTE, "w")
        assert [c.item for c in claims] == [w[2] for w in ready[:limit]]
        for waiting, claim in zip(ready, claims, strict=False):
            waiting[0], waiting[3] = self.now + lease, claim.token
            self.tokens.append(claim.token)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), outcome=st.sampled_from(["done", "failed", "retry"]), delay=st.integers(0, 3))
    def settle(self, data, outcome, delay):
        """Only the token that holds an item ends its claim."""
        token = data.draw(st.sampled_from(self.tokens))
        again = self.write.at(self.now + delay)
        self.store.settle([Settlement(token=token, outcome=outcome, retry_at=again)], self.write.at(self.now))
        for (kind, name), waiting in list(self.waiting.items()):
            if waiting[3] != token:
                continue
            if outcome != "retry":
                del self.waiting[kind, name]
                self.timers.pop(name, None) if kind != "message" else None
            else:
                waiting[0], waiting[3] = self.now + delay, None
                if kind == "message":
                    waiting[2] = attrs.evolve(waiting[2], attempt=waiting[2].attempt + 1)

    @rule(kind=KINDS)
    def next_due(self, kind):
        """The store knows when to ask again."""
        ready = [w[0] for (k, _), w in self.waiting.items() if k == kind]
        assert self.store.next_due(kind) == (self.write.at(min(ready)) if ready else None)

    # --- reading ---

    @rule(record=RECORDS, after=st.one_of(st.none(), st.integers(0, 6)))
    def load(self, record, after):
        """A record comes back as it was written."""
        if record not in self.histories:
            with pytest.raises(RecordNotFound):
                self.store.load(record, after)
            return
        snapshot = self.snapshots[record] if self.snapshots[record].fold == FOLD else None
        newest = 0 if snapshot is None else len(self.histories[record])
        since = newest if after is None else after
        assert self.store.load(record, after) == (snapshot, self.histories[record][since:])

    @rule(limit=st.integers(1, 5))
    def read(self, limit):
        """The log holds every event, in the order of the commits."""
        events, position = [], Position()
        while page := self.store.read(position, limit):
            if not page[0]:
                break
            events += page[0]
            position = page[1]
        assert events == self.log

    @rule(
        group=st.sampled_from([None, "first"]), assignee=st.sampled_from([None, "ana"]),
        ref=st.sampled_from([None, "x"]), due=DUE, number=st.sampled_from([None, "1"]),
        customer=st.sampled_from([None, "globex"]), service=st.sampled_from([None, "mail"]),
        after=st.one_of(st.none(), RECORDS), limit=st.integers(0, 4),
    )  # fmt: skip
    def find(self, group, assignee, ref, due, number, customer, service, after, limit):
        """What is found is what the newest snapshots say."""
        before = None if due is None else self.write.at(due)
        snapshots = [self.snapshots[name] for name in sorted(self.snapshots)]
        expected = [
            r for r, falls_due in ((s.record, s.due) for s in snapshots)
            if group in (None, r.group) and assignee in (None, r.assignee) and number in (None, r.number)
            and customer in (None, r.customer) and service in (None, r.service)
            and (ref is None or ref in r.external_refs) and (after is None or r.id > after)
            and (due is None or (falls_due is not None and falls_due < before))
        ]  # fmt: skip
        query = Query(
            group=group, assignee=assignee, number=number, customer=customer, service=service,
            external_ref=ref, due_before=before, after=after, limit=limit,
        )  # fmt: skip
        assert list(self.store.find(query)) == expected[:limit]

    @invariant()
    def nothing_refused_was_written(self):
        """No event and no message of a refused change set is there."""
        assert self.ids == 0 or self.store.event(f"late {self.ids}") is None


class InAFile(Model):
    """The same, in a file that is closed and opened again in between."""

    def opened(self):
        return SqliteStore(self.folder / "desk.db")

    @rule()
    def restart(self):
        """Another process takes over."""
        self.store.close()
        self.store = self.opened()


class OnAConnection(Model):
    """The same, on the host's connection, whose transaction is sometimes open."""

    def opened(self):
        self.connection = sqlite3.connect(":memory:")
        return SqliteStore.on(self.connection)

    @rule()
    def host_commits(self):
        """The host ends its transaction."""
        self.connection.commit()

    def teardown(self):
        self.connection.close()
        super().teardown()


@pytest.mark.parametrize("machine", [Model, InAFile, OnAConnection])
def test_a_store_behaves_as_a_few_dicts_would(machine, write):
    """Commits, repeats, conflicts, pages, claims and settlements, in any order."""
    told = type(machine.__name__, (machine,), {"write": write})
    run_state_machine_as_test(told, settings=settings(max_examples=60, stateful_step_count=30))
