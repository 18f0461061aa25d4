"""Promises 1 to 4: what a commit writes, refuses and repeats; messages and timers."""

from __future__ import annotations

from typing import Any, ClassVar

import attrs
import pytest

from itsm_core.errors import InvalidValue, RecordNotFound, VersionConflict
from itsm_core.ports import ChangeSet, Committed, Ending, Snapshot, Store, Timer
from itsm_core.testing.contract.samples import ALL, FINAL, at, changes, message, timer
from itsm_core.testing.contract.subject import (
    Halting,
    Interrupted,
    Subject,
    claim,
    everything,
    names,
    need,
    settle,
)

STEPS = [("timers", 1), ("timers", 2), ("timers", 3), ("messages", 1), ("messages", 2)]
"""Where a commit may be halted: at the n-th reading of its timers or messages."""


class CommitChecks:
    """Checks of promises 1 to 4."""

    durable: ClassVar[bool] = True

    # --- 1: together or not at all ---

    def test_p1_a_commit_writes_events_snapshot_timers_and_messages(self, subject: Subject) -> None:
        """After a commit all four are there."""
        store = subject.store
        done = changes(timers=[timer("t", 5)], messages=[message("m")])
        assert store.commit(done) == Committed(record="R1", version=1)
        assert store.load("R1") == (done.snapshot, ())
        assert store.load("R1", 0) == (done.snapshot, done.events)
        assert store.next_due("clock") == at(5)
        assert [c.item for c in claim(store, 0, "message")] == list(done.messages)

    def test_p1_a_conflict_leaves_no_partial_commit(self, subject: Subject) -> None:
        """Events, snapshot, timers and messages of a refused change set: none of them is there."""
        store, first = subject.store, changes()
        store.commit(first)
        late = changes(
            ids=["late"], group="late", due=1, timers=[timer("t", 1)], messages=[message("m")], number="9"
        )
        with pytest.raises(VersionConflict):
            store.commit(late)
        _only(store, first)
        assert store.event("late") is None

    @pytest.mark.parametrize("spoil", ["expected", "gap", "record", "snapshot", "timers", "twice"])
    def test_p1_a_change_set_that_contradicts_itself_writes_nothing(
        self, subject: Subject, spoil: str
    ) -> None:
        """What cannot be written as a whole is refused as a whole."""
        store, first = subject.store, changes()
        store.commit(first)
        with pytest.raises(InvalidValue):
            store.commit(_spoiled(first, spoil))
        _only(store, first)

    @pytest.mark.parametrize(("part", "nth"), STEPS)
    def test_p1_an_interrupted_commit_leaves_no_part(self, subject: Subject, part: str, nth: int) -> None:
        """An error between two steps of a commit, then a restart: nothing of it is there."""
        need(self.durable, "durable = False: nothing outlives the process")
        store, first = subject.store, changes()
        store.commit(first)
        again = changes(
            history=first.events, new=2, due=1, group="late", timers=[timer("t", 1)], messages=[message("m")]
        )
        with pytest.raises(Interrupted):
            store.commit(_halted(again, part, nth))
            pytest.skip(f"the store reads {part} less than {nth} times")
        _only(store, first)
        if subject.can_reopen:
            _only(subject.restart(close=False), first)

    def test_p1_a_record_begins_with_an_event(self, subject: Subject) -> None:
        """A change set without events cannot make a record."""
        nothing = attrs.evolve(changes(), events=())
        with pytest.raises(InvalidValue):
            subject.store.commit(attrs.evolve(nothing, snapshot=_at_version_0(nothing.snapshot)))
        with pytest.raises(RecordNotFound):
            subject.store.load("R1")

    def test_p1_timers_and_messages_may_come_without_events(self, subject: Subject) -> None:
        """A change set without events leaves the version where it is."""
        store, first = subject.store, changes()
        store.commit(first)
        more = attrs.evolve(first, expected=1, events=(), timers=(timer("t", 5),), messages=(message("m"),))
        assert store.commit(more) == Committed(record="R1", version=1)
        assert store.next_due("clock") == at(5)
        assert names(claim(store, 0, "message")) == ["m"]
        with pytest.raises(VersionConflict):
            store.commit(attrs.evolve(more, expected=2, snapshot=changes(new=2).snapshot))

    # --- 2: conflicts ---

    def test_p2_the_version_is_checked(self, subject: Subject) -> None:
        """The second of two decisions on one version is a `VersionConflict` that names both versions."""
        store, first = subject.store, changes()
        store.commit(first)
        store.commit(changes(history=first.events, group="a"))
        with pytest.raises(VersionConflict) as refused:
            store.commit(changes(history=first.events, group="b", ids=["other"]))
        assert (refused.value.expected, refused.value.actual) == (1, 2)
        assert store.event("other") is None
        assert [r.group for r in store.find(ALL)] == ["a"]

    def test_p2_a_record_is_not_opened_twice_nor_skips_its_beginning(self, subject: Subject) -> None:
        """Version 0 means that the record does not exist."""
        store = subject.store
        store.commit(changes())
        with pytest.raises(VersionConflict):
            store.commit(changes(ids=["other"]))
        with pytest.raises(VersionConflict):
            store.commit(changes("R2", history=changes("R2").events))
        with pytest.raises(RecordNotFound):
            store.load("R2")

    # --- 3: repeats ---

    def test_p3_the_same_events_twice_give_the_first_result(self, subject: Subject) -> None:
        """A repeat says so, names the first version, and writes nothing."""
        store, first = subject.store, changes(new=2, messages=[message("m")])
        store.commit(first)
        store.commit(changes(history=first.events))
        changed = attrs.evolve(first, messages=(message("n"),), timers=(timer("t", 1),))
        assert store.commit(changed) == Committed(record="R1", version=2, repeated=True)
        assert len(everything(store)) == 3
        assert names(claim(store, 0, "message")) == ["m"]
        assert store.next_due("clock") is None

    def test_p3_the_same_event_of_another_record_names_the_first(self, subject: Subject) -> None:
        """The same event id is the same event, whatever record the caller now thinks of."""
        store = subject.store
        store.commit(changes("R1", ids=["command-1"]))
        again = store.commit(changes("R2", ids=["command-1"]))
        assert again == Committed(record="R1", version=1, repeated=True)
        with pytest.raises(RecordNotFound):
            store.load("R2")

    @pytest.mark.parametrize("ids", [["new", "R2/1"], ["R2/1", "new"]], ids=["the last", "the first"])
    def test_p3_an_id_that_is_taken_in_part_is_refused(self, subject: Subject, ids: list[str]) -> None:
        """New events beside an old id are no repeat and are not written, whichever of them is old."""
        store, first = subject.store, changes()
        store.commit(first)
        store.commit(changes("R2"))
        with pytest.raises(InvalidValue):
            store.commit(changes(history=first.events, new=2, ids=ids))
        assert store.event("new") is None
        assert store.load("R1") == (first.snapshot, ())

    # --- 4: messages and timers ---

    @pytest.mark.parametrize("outcome", FINAL)
    def test_p4_a_key_is_taken_once_and_for_ever(self, subject: Subject, outcome: Ending) -> None:
        """Neither a waiting nor a settled message is taken again."""
        store, first = subject.store, changes(messages=[message("m", body="one")])
        store.commit(first)
        second = changes(history=first.events, messages=[message("m", body="two")])
        store.commit(second)
        claims = claim(store, 0, "message")
        assert [c.item for c in claims] == list(first.messages)
        settle(store, 1, claims, outcome)
        store.commit(changes(history=first.events + second.events, messages=[message("m")]))
        assert claim(store, 99, "message") == ()
        assert store.next_due("message") is None

    def test_p4_a_timer_id_moves_and_cancels(self, subject: Subject) -> None:
        """A timer has one due instant and one kind, and none once it is cancelled."""
        store = subject.store
        first = changes(timers=[timer("t", 5)])
        store.commit(first)

        def set_to(*timers: Timer) -> None:
            store.commit(attrs.evolve(first, expected=1, events=(), timers=timers))

        set_to(timer("t", 9))
        assert claim(store, 5) == ()
        assert store.next_due("clock") == at(9)
        set_to(timer("t", 9, kind="other"), timer("never set", None))
        assert store.next_due("clock") is None
        assert store.next_due("other") == at(9)
        set_to(timer("t", None))
        assert store.next_due("other") is None

    def test_p4_a_timer_id_is_one_whatever_record_names_it(self, subject: Subject) -> None:
        """Another record moves it, or cancels it; of one change set the last word counts."""
        store = subject.store
        store.commit(changes(timers=[timer("t", 5), timer("u", 5)]))
        others = [timer("t", 9, record="R2"), timer("u", None, record="R2")]
        store.commit(
            changes("R2", timers=[*others, timer("v", None), timer("v", 7), timer("w", 1), timer("w", None)])
        )
        assert [c.item for c in claim(store, 99)] == [timer("v", 7), timer("t", 9, record="R2")]

    def test_p4_a_timer_set_many_times_is_one_timer(self, subject: Subject) -> None:
        """Moving a timer a thousand times leaves one timer."""
        store = subject.store
        store.commit(changes(timers=[timer("t", n) for n in range(1000)]))
        assert store.next_due("clock") == at(999)
        assert names(claim(store, 5000)) == ["t"]


def _only(store: Store, first: ChangeSet) -> None:
    """There is nothing but what the first change set wrote."""
    assert everything(store) == list(first.events)
    assert store.load("R1") == (first.snapshot, ())
    assert store.load("R1", 0) == (first.snapshot, first.events)
    assert store.find(ALL) == (first.snapshot.record,)
    assert store.next_due("clock") is None
    assert store.next_due("message") is None


def _spoiled(first: ChangeSet, spoil: str) -> ChangeSet:
    """A change set after the first that is wrong in one place."""
    good = changes(history=first.events, new=2, timers=[timer("t", 5)], messages=[message("m")])
    one, two = good.events
    wrong: dict[str, dict[str, Any]] = {
        "expected": {"expected": 3},
        "gap": {"events": (one, attrs.evolve(two, seq=4))},
        "record": {"record": "R2"},
        "snapshot": {"snapshot": first.snapshot},
        "timers": {"timers": (timer("t", 5), timer("u", 5, kind="message"))},
        "twice": {"events": (one, attrs.evolve(two, id=one.id))},
    }
    return attrs.evolve(good, **wrong[spoil])


def _halted(given: ChangeSet, part: str, nth: int) -> ChangeSet:
    def fail() -> None:
        raise Interrupted

    halting: Any = Halting.of(getattr(given, part), nth, fail)
    return attrs.evolve(given, **{part: halting})


def _at_version_0(snapshot: Snapshot) -> Snapshot:
    return attrs.evolve(snapshot, record=attrs.evolve(snapshot.record, version=0))
