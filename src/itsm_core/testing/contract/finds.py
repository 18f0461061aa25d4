"""Promises 8 and 9: what is found, and that text stays text."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

import attrs
import pytest

from itsm_core.errors import InvalidValue, RecordNotFound
from itsm_core.events import Event, Phase
from itsm_core.ports import Criteria, Message, Query
from itsm_core.testing.contract.samples import ALL, HOSTILE, at, changes, message, timer
from itsm_core.testing.contract.subject import Subject, claim, everything, names, settle


class FindChecks:
    """Checks of promises 8 and 9."""

    # --- 8: find ---

    def test_p8_find_answers_by_every_name_of_the_query(self, subject: Subject) -> None:
        """Each condition alone, all together, and none at all."""
        store = subject.store
        store.commit(
            changes(
                "R1", assignee="ana", group="first", requester="u1", tenant="acme", number="INC-1",
                customer="globex", service="mail", external_refs=["snow:1", "jira:9", "snow:1"], due=5,
            )
        )  # fmt: skip
        store.commit(changes("R2", assignee="bo", external_refs="snow:2", customer="mail", due=9))
        assert {*ONE, "after", "limit"} == set(Criteria.__annotations__)
        for name, value in ONE.items():
            expected = ["R1", "R2"] if name in {"process", "phase", "state"} else ["R1"]
            assert [r.id for r in store.find(Query.of(cast(Criteria, {name: value})))] == expected, name
        assert [r.id for r in store.find(Query(**ONE))] == ["R1"]
        assert [r.id for r in store.find(Query(external_ref="snow:2"))] == ["R2"]
        assert store.find(Query(assignee="ana", external_ref="snow:2")) == ()
        assert store.find(Query(customer="INC-1")) == store.find(Query(number="mail")) == ()
        assert len(store.find(Query())) == 2

    def test_p8_find_follows_what_changes(self, subject: Subject) -> None:
        """The newest commit says what a record is found by."""
        store, told = subject.store, tuple[Event, ...]()
        steps: list[dict[str, Any]] = [
            {"group": "a", "external_refs": ["x"], "number": "1", "customer": "globex"}, {"group": "b"},
            {"external_refs": ["y", "z"], "number": "2"}, {"customer": None, "service": "mail"},
        ]  # fmt: skip
        for fields in steps:
            done = changes(history=told, **fields)
            store.commit(done)
            told += done.events
        past: list[Criteria] = [
            {"group": "a"},
            {"external_ref": "x"},
            {"number": "1"},
            {"customer": "globex"},
        ]
        for criteria in past:
            assert store.find(Query(**criteria)) == (), criteria
        now = Query(group="b", external_ref="z", number="2", service="mail")
        assert store.find(now) == (done.snapshot.record,)

    def test_p8_find_is_ordered_by_id_and_paged(self, subject: Subject) -> None:
        """`after` and `limit` walk through all records in the order of their ids, by code point."""
        store, ids = subject.store, ["R10", "R2", "r1", "Ä", "é", "🙂", "\uffff", "R1"]
        for record in ids:
            store.commit(changes(record))
        pages, after = list[list[str]](), None
        while len(pages) < 9 and (page := store.find(Query(after=after, limit=3))):  # a store may never end
            pages.append([r.id for r in page])
            after = page[-1].id
        assert [len(found) for found in pages] == [3, 3, 2]
        assert [name for found in pages for name in found] == sorted(ids)
        assert store.find(Query(limit=0)) == ()

    def test_p8_find_gives_as_many_as_asked_for(self, subject: Subject) -> None:
        """A page is short only at the end: who asks for 1,000 gets more than a hundred."""
        store, ids = subject.store, [f"R{n:03}" for n in range(120)]
        for record in ids:
            store.commit(changes(record))
        assert [r.id for r in store.find(ALL)] == ids
        assert len(store.find(Query(limit=110))) == 110

    def test_p8_find_by_due_follows_the_newest_snapshot(self, subject: Subject) -> None:
        """The due instant moves, clears and comes back; `due_before` itself is not before."""
        store, told = subject.store, tuple[Event, ...]()
        for due, before_7 in ((7, False), (6, True), (20, False), (None, False), (5, True)):
            # The timers of a record have no say in it.
            done = changes(history=told, due=due, timers=[timer("t", 0)])
            store.commit(done)
            told += done.events
            for minutes, found in ((5, False), (7, before_7), (99, due is not None)):
                late = store.find(Query(due_before=at(minutes)))
                assert late == ((done.snapshot.record,) if found else ()), (due, minutes)

    def test_p8_due_moves_without_an_event(self, subject: Subject) -> None:
        """A change set of no events may bring a new due instant too."""
        store, first = subject.store, changes(due=5)
        store.commit(first)
        for due in (at(9), None):
            moved = attrs.evolve(first.snapshot, due=due)
            store.commit(attrs.evolve(first, expected=1, events=(), snapshot=moved))
            assert store.load("R1") == (moved, ())
            assert store.find(Query(due_before=at(9))) == ()
            assert len(store.find(Query(due_before=at(10)))) == (due is not None)

    @pytest.mark.parametrize(
        ("odd", "said"), [(7, "7"), (["a", "b"], '["a","b"]'), ({"id": "u1"}, '{"id":"u1"}'), (True, "true")]
    )
    def test_p8_a_value_that_is_no_text_is_found_by_its_json(
        self, subject: Subject, odd: Any, said: str
    ) -> None:
        """Hosts may put any JSON where we expect an id."""
        store = subject.store
        done = changes(assignee=odd, external_refs=[odd], number=odd, customer=odd, service=odd)
        store.commit(done)
        asked = Query(assignee=said, external_ref=said, number=said, customer=said, service=said)
        assert store.find(asked) == (done.snapshot.record,)

    # --- 9: text ---

    @pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
    def test_p9_text_comes_back_as_it_went_in_or_is_refused_whole(self, subject: Subject, text: str) -> None:
        """In every place that holds text, whatever the text."""
        store, odd = subject.store, cast(dict[str, Any], {f"name {text}": text})
        done = changes(
            text, ids=[f"id {text}"], assignee=text, group=text, requester=text, tenant=text, title=text,
            number=text, customer=text, service=text, external_refs=[text], **odd,
            timers=[timer(text, 0, record=text, kind=text)],
            messages=[message(text, record=text, body=text, facts={text: text})],
        )  # fmt: skip
        try:
            store.commit(done)
        except InvalidValue:
            assert everything(store) == []
            assert store.find(ALL) == ()
            assert store.next_due("message") is None
            return
        assert store.load(text, 0) == (done.snapshot, done.events)
        assert store.event(f"id {text}") == done.events[0]
        asked = Query(
            assignee=text, group=text, requester=text, tenant=text, external_ref=text,
            number=text, customer=text, service=text,
        )  # fmt: skip
        assert store.find(asked) == (done.snapshot.record,)
        assert store.find(Query(after=text)) == ()
        claims = [*claim(store, 0, text), *claim(store, 0, "message")]
        assert [c.item for c in claims] == [done.timers[0], done.messages[0]]
        settle(store, 1, claims, "failed", detail=text)
        assert claim(store, 99, text) == claim(store, 99, "message") == ()
        assert everything(store) == list(done.events)

    def test_p9_half_a_character_is_kept_or_refused_whole(self, subject: Subject) -> None:
        """A lone surrogate has no UTF-8: where it cannot be written nothing of its commit is."""
        store, half = subject.store, "\ud800"
        done = changes(timers=[timer("t", 0)], messages=[message("a"), message("b", body=half)])
        try:
            store.commit(done)
        except ValueError:  # an InvalidValue, or what encoding raised
            with pytest.raises(RecordNotFound):
                store.load("R1")
            assert everything(store) == []
            assert store.find(ALL) == ()
            assert store.next_due("clock") is store.next_due("message") is None
            return
        assert [c.item for c in claim(store, 0, "message")] == list(done.messages)

    def test_p9_texts_that_look_alike_are_not_the_same(self, subject: Subject) -> None:
        """Neither case nor accents nor blanks are folded, and wildcards match themselves."""
        store = subject.store
        for n, group in enumerate(alike := ["a", "A", "á", "a\u0301", "a ", "%", "_", ""]):
            store.commit(changes(f"R{n}", group=group))
        for n, group in enumerate(alike):
            assert [r.id for r in store.find(Query(group=group))] == [f"R{n}"], group

    def test_p9_ids_that_look_alike_are_not_the_same(self, subject: Subject) -> None:
        """Records, events, keys, timers and kinds: what a database folds, somebody is never told."""
        store, alike = subject.store, ["a", "A", "á", "a\u0301", "a "]
        for name in alike:
            done = changes(
                name, ids=[f"e{name}"], timers=[timer(name, 0, record=name, kind=f"k{name}")],
                messages=[message(name, record=name)],
            )  # fmt: skip
            assert not store.commit(done).repeated, name
        assert [c.item.key for c in claim(store, 0, "message") if isinstance(c.item, Message)] == alike
        for name in alike:
            assert [e.id for e in store.load(name, 0)[1]] == [f"e{name}"]
            assert names(claim(store, 0, f"k{name}")) == [name]

    def test_p9_numbers_and_instants_come_back_exactly(self, subject: Subject) -> None:
        """Whole numbers up to 2^53-1 and instants to the microsecond."""
        store, exact = subject.store, dt.datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=dt.UTC)
        done = changes(
            count=2**53 - 1, less=-(2**53 - 1), digits="9" * 30, nothing=None, yes=True,
            timers=[attrs.evolve(timer("t", 0), due=exact)],
        )  # fmt: skip
        store.commit(done)
        assert store.load("R1", 0)[1] == done.events
        assert store.next_due("clock") == exact

    def test_p9_long_text_is_kept_whole(self, subject: Subject) -> None:
        """A megabyte in an event and in a message."""
        store, long = subject.store, "línea 二 " * 130_000
        done = changes(description=long, messages=[message("m", body=long)])
        store.commit(done)
        assert store.load("R1", 0) == (done.snapshot, done.events)
        assert [c.item for c in claim(store, 0, "message")] == list(done.messages)


ONE: Criteria = {
    "process": "incident", "phase": Phase.NEW, "state": "new", "assignee": "ana", "group": "first",
    "requester": "u1", "tenant": "acme", "external_ref": "jira:9", "due_before": at(6),
    "number": "INC-1", "customer": "globex", "service": "mail",
}  # fmt: skip
"""What finds the first of two records."""
