"""From the outbox to the notifier: retries, giving up, and what a notifier may answer."""

import datetime as dt

import pytest

from itsm_core.delivery import RETRIES, answered, relay, settle
from itsm_core.ports import Ask, Claim, Delivered, Message, Rejected, Retry, Send, Settlement, Unknown

NOW = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def claim(attempt=0):
    """A claimed message that was tried `attempt` times."""
    return Claim(
        token="t",
        item=Message(
            key="k", record="I", to="a", channel="c", subject="s", body="b", created_at=NOW, attempt=attempt
        ),
    )


def test_a_delivered_message_is_done():
    """Delivered ends it, with the receiver's reference kept."""
    assert settle(claim(), Delivered("250 ok"), NOW) == Settlement(token="t", outcome="done", detail="250 ok")


def test_a_rejected_message_has_failed():
    """Rejected is for good: no second try."""
    assert settle(claim(), Rejected("no such person"), NOW).outcome == "failed"


@pytest.mark.parametrize("outcome", [Retry(reason="busy"), Unknown("timeout")])
def test_the_waits_grow_and_then_it_has_failed(outcome):
    """5, 15, 30 and 60 seconds between the tries; after the fifth try it has failed."""
    seconds = [5, 15, 30, 60]
    assert [wait.total_seconds() for wait in RETRIES] == seconds
    for attempt, wait in enumerate(seconds):
        settled = settle(claim(attempt), outcome, NOW)
        assert (settled.outcome, settled.retry_at) == ("retry", NOW + dt.timedelta(seconds=wait))
    assert settle(claim(4), outcome, NOW).outcome == "failed"
    assert outcome.reason in settle(claim(4), outcome, NOW).detail


def test_a_receiver_may_say_when_to_try_again():
    """`Retry(after)` replaces the wait of the table."""
    settled = settle(claim(), Retry(dt.timedelta(minutes=7)), NOW)
    assert settled.retry_at == NOW + dt.timedelta(minutes=7)


def test_what_else_a_notifier_returns_is_unknown_but_none_is_delivered():
    """A function without a return statement has delivered; a string has not said anything."""
    assert answered(None) == Delivered()
    assert answered(Retry()) == Retry()
    assert isinstance(answered("sent!"), Unknown)


def test_each_message_is_settled_before_the_next_is_sent():
    """A process that dies between two messages repeats at most the one it was sending."""
    steps = relay(NOW, "w")
    assert isinstance(next(steps), Ask)
    first = steps.send((claim(), claim(1)))
    assert isinstance(first, Send)
    settled = steps.send(Delivered())
    assert (settled.method, settled.arguments[0][0].outcome) == ("settle", "done")
    assert isinstance(steps.send(None), Send)
    assert steps.send(Rejected("no")).arguments[0][0].outcome == "failed"
    assert steps.send(None).method == "claim"
    with pytest.raises(StopIteration) as done:
        steps.send(())
    total = done.value.value
    assert (total.delivered, total.retried, total.failed) == (1, 0, 1)
