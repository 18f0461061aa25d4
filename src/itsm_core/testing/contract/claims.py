"""Promise 7: due items go to one worker, until the lease ends or they are settled."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from itsm_core.errors import InvalidValue
from itsm_core.ports import Claim, Ending, Settlement, Store
from itsm_core.testing.contract.samples import FINAL, NOW, at, changes, message, timer
from itsm_core.testing.contract.subject import Subject, claim, names, settle


class ClaimChecks:
    """Checks of promise 7."""

    def test_p7_a_claim_takes_what_is_due_earliest_first(self, subject: Subject) -> None:
        """Due items of the kind, in order, at most as many as asked for."""
        store = subject.store
        timers = [timer("c", 3), timer("a", 1), timer("b", 1), timer("d", 9)]
        store.commit(changes(timers=[*timers, timer("o", 0, kind="other")]))
        assert claim(store, 0) == ()
        assert claim(store, 5, limit=0) == claim(store, 5, limit=-1) == ()
        assert names(claim(store, 5, limit=2)) == ["a", "b"]
        assert names(claim(store, 5)) == ["c"]
        assert claim(store, 5) == ()
        assert names(claim(store, 5, "other")) == ["o"]

    def test_p7_messages_wait_for_their_time_and_keep_their_order(self, subject: Subject) -> None:
        """`not_before` is respected; at one instant the first committed goes first."""
        store = subject.store
        sent = [message("z"), message("a"), message("later", not_before=at(7))]
        store.commit(changes(messages=sent))
        assert claim(store, 6, "message", limit=0) == ()
        assert names(claim(store, 6, "message")) == ["z", "a"]
        assert store.next_due("message") == at(7)
        assert names(claim(store, 7, "message", lease=1)) == ["later"]

    def test_p7_a_message_comes_as_it_went_in(self, subject: Subject) -> None:
        """Until when it counts, who is told instead, and which escalation it belongs to."""
        sent = message(
            "m", not_before=at(1), expires_at=at(90), failover=[("bob", "sms"), ("ünal", "voice")],
            urgency="high", run="R1:line.1", generation=3, facts={"step": "lead"}, audience="management",
        )  # fmt: skip
        subject.store.commit(changes(messages=[sent]))
        assert [c.item for c in claim(subject.store, 2, "message")] == [sent]

    def test_p7_a_lease_is_respected(self, subject: Subject) -> None:
        """Until it ends nobody else gets the item, and `next_due` says when that is."""
        store, old = subject.store, _two_held(subject.store)
        assert names(old) == ["t", "m"]
        assert claim(store, 4) == claim(store, 4, "message") == ()
        assert store.next_due("clock") == store.next_due("message") == at(5)

    def test_p7_a_lease_that_ended_gives_the_item_to_the_next(self, subject: Subject) -> None:
        """At its very end; once another took the item the old token is void."""
        store, old = subject.store, _two_held(subject.store)
        new = [*claim(store, 5), *claim(store, 5, "message")]
        assert names(new) == ["t", "m"]
        settle(store, 6, old, "failed")
        settle(store, 6, old, "retry", retry_at=at(6))
        assert store.next_due("clock") == store.next_due("message") == at(10)
        settle(store, 6, new)
        assert store.next_due("clock") is store.next_due("message") is None

    def test_p7_a_late_settlement_counts_while_nobody_else_took_the_item(self, subject: Subject) -> None:
        """A slow worker that did its work is believed, so it is not done a second time."""
        store, slow = subject.store, _two_held(subject.store)
        settle(store, 50, slow)
        assert store.next_due("clock") is store.next_due("message") is None
        assert claim(store, 60) == claim(store, 60, "message") == ()

    @pytest.mark.parametrize("outcome", FINAL)
    def test_p7_what_is_settled_for_good_does_not_come_back(self, subject: Subject, outcome: Ending) -> None:
        """A settled item is gone for good; what waits beside it is not."""
        store = subject.store
        timers, messages = [timer("t", 0), timer("u", 50)], [message("m"), message("n", ready=50)]
        first = changes(timers=timers, messages=messages)
        store.commit(first)
        claims = [*claim(store, 0), *claim(store, 0, "message")]
        settle(store, 1, claims, outcome, detail="550 no such user")
        settle(store, 1, claims, "retry")
        store.commit(changes(history=first.events, messages=messages))  # keys that were taken
        assert names([*claim(store, 99), *claim(store, 99, "message")]) == ["u", "n"]

    def test_p7_each_claim_is_settled_by_itself(self, subject: Subject) -> None:
        """What was claimed in one go does not end in one go."""
        store = subject.store
        timers, messages = [timer(name, 0) for name in "abc"], [message(name) for name in "abc"]
        store.commit(changes(timers=timers, messages=messages))
        for kind in ("clock", "message"):
            one, two, _ = claim(store, 0, kind)
            settle(store, 1, [one])
            settle(store, 1, [two], "retry", retry_at=at(3))
            assert names(claim(store, 4, kind)) == ["b"]
            assert names(claim(store, 5, kind)) == ["c"]

    def test_p7_a_clock_that_is_behind_takes_what_is_due_by_it(self, subject: Subject) -> None:
        """Clocks of workers differ: each is believed for its own claim, and no lease ends early by it."""
        store = subject.store
        timers, messages = [timer("t", 0), timer("u", 20)], [message("m"), message("n", ready=20)]
        store.commit(changes(timers=timers, messages=messages))
        for kind, due, later in (("clock", "t", "u"), ("message", "m", "n")):
            ahead = claim(store, 30, kind, limit=1)
            assert names(ahead) == [due]
            assert claim(store, 10, kind) == ()
            settle(store, 10, ahead, "retry")
            assert names(claim(store, 10, kind, lease=1)) == [due]
            assert names(claim(store, 30, kind)) == [due, later]
            assert claim(store, 20, kind) == ()

    def test_p7_a_retry_comes_back_when_asked_for(self, subject: Subject) -> None:
        """At `retry_at`, or at once; a message counts its attempts, a timer keeps its due."""
        store, done = subject.store, changes(timers=[timer("t", 0)], messages=[message("m")])
        store.commit(done)
        for kind, again in (
            ("clock", done.timers[0]),
            ("message", attrs.evolve(done.messages[0], attempt=1)),
        ):
            used = claim(store, 0, kind)
            settle(store, 1, used, "retry", retry_at=at(8))
            settle(store, 2, used)  # the token ended with the retry
            assert claim(store, 7, kind) == ()
            claims = claim(store, 8, kind)
            assert [c.item for c in claims] == [again]
            settle(store, 9, claims, "retry")
            assert names(claim(store, 9, kind)) == names(claims)

    def test_p7_a_timer_that_moved_while_claimed_survives_a_late_settlement(self, subject: Subject) -> None:
        """The claim ends when the timer moves; setting it unchanged does not end it."""
        store, first = subject.store, changes(timers=[timer("same", 0), timer("moved", 0)])
        store.commit(first)
        claims = claim(store, 0)
        store.commit(changes(history=first.events, timers=[timer("same", 0), timer("moved", 2)]))
        assert claim(store, 1) == ()
        settle(store, 1, claims)
        assert store.next_due("clock") == at(2)
        assert names(claim(store, 99)) == ["moved"]

    def test_p7_a_timer_cancelled_while_claimed_stays_cancelled(self, subject: Subject) -> None:
        """A retry cannot bring back what a commit took away."""
        store, first = subject.store, changes(timers=[timer("t", 0)])
        store.commit(first)
        claims = claim(store, 0)
        store.commit(changes(history=first.events, timers=[timer("t", None)]))
        settle(store, 1, claims, "retry")
        assert store.next_due("clock") is None

    def test_p7_a_timer_and_a_message_of_one_name_are_two(self, subject: Subject) -> None:
        """Settling or cancelling one leaves the other as it was."""
        store, first = subject.store, changes(timers=[timer("same", 0)], messages=[message("same")])
        store.commit(first)
        timers, messages = claim(store, 0), claim(store, 0, "message")
        settle(store, 1, messages)
        assert (store.next_due("message"), store.next_due("clock")) == (None, at(5))
        settle(store, 1, timers)
        assert store.next_due("clock") is None
        store.commit(
            changes("R2", timers=[timer("r2", 0, record="R2")], messages=[message("r2", record="R2")])
        )
        second = changes("R2", history=store.load("R2", 0)[1], timers=[timer("r2", None, record="R2")])
        store.commit(second)
        assert claim(store, 9) == ()
        assert names(claim(store, 9, "message")) == ["r2"]

    def test_p7_settlements_that_make_no_sense_are_refused_or_ignored(self, subject: Subject) -> None:
        """An unknown outcome is named, an unknown token settles nothing, no lease is no claim."""
        store = subject.store
        store.commit(changes(timers=[timer("t", 0)]))
        claims = claim(store, 0)
        with pytest.raises(InvalidValue):
            settle(store, 1, claims, "finished")  # type: ignore[arg-type]
        for token in ("", "t", "t.x", "t.x.t", "m.x.t", "t.x.' OR 1=1 --"):
            store.settle([Settlement(token=token, outcome="done")], at(1))
        store.settle([], at(1))
        assert store.next_due("clock") == at(5)
        with pytest.raises(InvalidValue, match="lease"):
            claim(store, 0, lease=0)

    def test_p7_a_lease_may_outlast_the_calendar(self, subject: Subject) -> None:
        """Where no date can say when it ends, nobody else ever gets the item."""
        store = subject.store
        store.commit(changes(timers=[timer("t", 0)]))
        (held,) = store.claim("clock", NOW, 1, dt.timedelta.max, "w")
        assert claim(store, 10**9) == ()
        settle(store, 1, [held])
        assert store.next_due("clock") is None


def _two_held(store: Store) -> list[Claim]:
    """A timer and a message, claimed at the beginning for five minutes."""
    store.commit(changes(timers=[timer("t", 0)], messages=[message("m")]))
    return [*claim(store, 0), *claim(store, 0, "message")]
