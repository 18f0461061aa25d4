"""Promises 5, 6 and 10: a record comes back whole, the log in order, the chain as it was written."""

from __future__ import annotations

from hashlib import sha256
from typing import ClassVar

import attrs
import pytest

from itsm_core.errors import InvalidValue, RecordNotFound, VersionConflict
from itsm_core.ports import FOLD, Committed, Position, Query, Store
from itsm_core.testing.contract.samples import changes
from itsm_core.testing.contract.subject import Subject, end_of, everything


class ReadChecks:
    """Checks of promises 5, 6 and 10."""

    chained: ClassVar[bool] = False

    # --- 5: load ---

    def test_p5_load_gives_the_snapshot_and_what_came_after(self, subject: Subject) -> None:
        """By default the events after the snapshot, otherwise those asked for."""
        store, first = subject.store, changes(new=3)
        store.commit(first)
        assert store.load("R1") == (first.snapshot, ())
        assert [e.seq for e in store.load("R1", 0)[1]] == [1, 2, 3]
        assert [e.seq for e in store.load("R1", 2)[1]] == [3]
        assert [e.seq for e in store.load("R1", -1)[1]] == [1, 2, 3]
        assert store.load("R1", 9)[1] == ()

    def test_p5_events_come_in_the_order_of_seq(self, subject: Subject) -> None:
        """The tenth comes after the second, and ids have no say in it."""
        store, ids = subject.store, [f"{n:02}" for n in range(25, 0, -1)]
        first = changes(new=12, ids=ids[:12])
        store.commit(first)
        second = changes(history=first.events, new=13, ids=ids[12:])
        store.commit(second)
        assert [e.seq for e in store.load("R1", 0)[1]] == list(range(1, 26))
        assert store.load("R1", 9)[1] == (first.events + second.events)[9:]

    def test_p5_a_long_history_comes_back_whole(self, subject: Subject) -> None:
        """No page of the storage underneath cuts it off."""
        store, first = subject.store, changes(new=1100)
        store.commit(first)
        assert store.load("R1", 0) == (first.snapshot, first.events)
        assert [e.seq for e in store.load("R1", 50)[1]] == list(range(51, 1101))
        assert everything(store) == list(first.events)

    def test_p5_the_snapshot_is_not_newer_than_the_events(self, subject: Subject) -> None:
        """Neither after a commit, nor after a conflict, nor after a repeat."""
        store, first = subject.store, changes()
        store.commit(first)
        second = changes(history=first.events)
        store.commit(second)
        _not_newer(store)
        with pytest.raises(VersionConflict):
            store.commit(changes(history=first.events, new=3, ids=["x", "y", "z"]))
        _not_newer(store)
        assert store.commit(first).repeated
        _not_newer(store)
        assert store.load("R1") == (second.snapshot, ())

    @pytest.mark.parametrize("other", [FOLD - 1, FOLD + 1])
    def test_p5_a_snapshot_that_another_fold_made_is_dropped(self, subject: Subject, other: int) -> None:
        """`load` gives all events in its place, `find` folds them, the next commit mends it."""
        store, first = subject.store, changes(new=3, group="first", fold_version=other)
        miscounted = attrs.evolve(first.snapshot.record, reopened=7)
        mistaken = attrs.evolve(first, snapshot=attrs.evolve(first.snapshot, record=miscounted))
        assert store.commit(mistaken) == Committed(record="R1", version=3)
        assert store.load("R1") == store.load("R1", 0) == (None, first.events)
        assert store.load("R1", 2) == (None, first.events[2:])
        assert store.find(Query(group="first")) == (first.snapshot.record,)
        second = changes(history=first.events)
        store.commit(second)
        assert store.load("R1") == (second.snapshot, ())

    def test_p5_what_is_not_there_is_said(self, subject: Subject) -> None:
        """An unknown record raises, an unknown event is None, a known one is found."""
        store, first = subject.store, changes(new=2)
        store.commit(first)
        with pytest.raises(RecordNotFound, match="'R9'"):
            store.load("R9")
        assert store.event("nobody") is None
        assert store.event(first.events[1].id) == first.events[1]

    # --- 6: read ---

    def test_p6_read_gives_every_event_once_whatever_the_page(self, subject: Subject) -> None:
        """Pages of any size hold all events in one order, and then nothing."""
        store = subject.store
        for record in ("R2", "R1", "R3"):
            store.commit(changes(record, new=2))
        whole = everything(store)
        assert [e.id for e in whole] == ["R2/1", "R2/2", "R1/1", "R1/2", "R3/1", "R3/2"]
        assert everything(store, 1) == everything(store, 4) == whole

    def test_p6_a_position_lies_behind_what_was_read(self, subject: Subject) -> None:
        """It is exclusive: what was read does not come again, and what is new comes next."""
        store, first = subject.store, changes(new=2)
        store.commit(first)
        page, position = store.read(Position(), 1)
        assert page == first.events[:1]
        page, position = store.read(position, 1)
        assert page == first.events[1:]
        assert store.read(position, 10)[0] == ()
        store.commit(changes("R2"))
        assert [e.id for e in store.read(position, 10)[0]] == ["R2/1"]
        assert [e.id for e in store.read(position, 10)[0]] == ["R2/1"]

    def test_p6_a_page_of_nothing_stays_where_it_is(self, subject: Subject) -> None:
        """At the end, and where no event is asked for, the position behind is the position before."""
        store = subject.store
        assert store.read(Position(), 10) == ((), Position())
        store.commit(changes(new=2))
        end = end_of(store)
        assert store.read(end, 10) == ((), end)
        assert store.read(Position(), 0) == ((), Position())
        assert store.read(Position(), -1) == ((), Position())

    def test_p6_a_position_that_the_store_never_gave_is_refused(self, subject: Subject) -> None:
        """It is no place in its log."""
        with pytest.raises(InvalidValue):
            subject.store.read(Position(token="no place 二; DROP TABLE itsm_events"), 1)

    # --- 10: links ---

    def test_p10_links_chain_the_events_or_there_are_none(self, subject: Subject) -> None:
        """Each link is the SHA-256 of the link before it and the event's digest; () without a chain."""
        store, first = subject.store, changes(new=2)
        store.commit(first)
        second = changes(history=first.events)
        store.commit(second)
        chain = [""]
        for event in first.events + second.events:
            chain.append(sha256((chain[-1] + event.digest).encode()).hexdigest())
        assert store.links("R1") == (tuple(chain[1:]) if self.chained else ())

    def test_p10_the_links_of_an_unknown_record_are_not_found(self, subject: Subject) -> None:
        """It raises, as `load` does."""
        with pytest.raises(RecordNotFound):
            subject.store.links("R9")


def _not_newer(store: Store) -> None:
    snapshot, events = store.load("R1", 0)
    assert snapshot is not None
    assert snapshot.record.version <= events[-1].seq
    assert [e.seq for e in store.load("R1")[1]] == []
