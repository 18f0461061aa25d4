"""From the outbox to the notifier: retries, giving up, and what a notifier may answer."""

import datetime as dt

import pytest

from itsm_core.delivery import LONGEST, RETRIES, Relayed, answered, by_channel, relay, send, settle
from itsm_core.errors import InvalidValue
from itsm_core.ports import Ask, Claim, Delivered, Message, Rejected, Retry, Send, Settlement, Unknown

NOW = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def message(channel="c", key="k", attempt=0):
    """A message that was tried `attempt` times."""
    return Message(
        key=key, record="I", to="a", channel=channel, subject="s", body="b", created_at=NOW, attempt=attempt
    )


def claim(attempt=0, key="k"):
    """A claimed message that was tried `attempt` times."""
    return Claim(token="t", item=message(key=key, attempt=attempt))


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


@pytest.mark.parametrize(
    ("after", "days"),
    [
        (dt.timedelta(days=7), 7),
        (dt.timedelta(days=7, microseconds=1), 7),
        (dt.timedelta.max, 7),
        (dt.timedelta(days=6), 6),
    ],
    ids=str,
)
def test_no_receiver_puts_a_message_off_for_longer_than_a_week(after, days):
    """Nor can it push the next try beyond what a datetime holds."""
    assert dt.timedelta(days=7) == LONGEST
    assert settle(claim(), Retry(after), NOW).retry_at == NOW + dt.timedelta(days=days)


def test_what_else_a_notifier_returns_is_unknown_but_none_is_delivered():
    """A function without a return statement has delivered; a string has not said anything."""
    assert answered(None) == Delivered()
    assert answered(Retry()) == Retry()
    assert isinstance(answered("sent!"), Unknown)


def test_each_message_is_settled_before_the_next_is_sent():
    """A process that dies between two messages repeats at most the one it was sending."""
    steps = relay(NOW, "w")
    assert isinstance(next(steps), Ask)
    first = steps.send((claim(), claim(1, "k2")))
    assert isinstance(first, Send)
    settled = steps.send(Delivered())
    assert (settled.method, settled.arguments[0][0].outcome) == ("settle", "done")
    assert isinstance(steps.send(None), Send)
    assert steps.send(Rejected("no")).arguments[0][0].outcome == "failed"
    assert steps.send(None).method == "claim"
    with pytest.raises(StopIteration) as done:
        steps.send(())
    assert done.value.value == Relayed(delivered=1, retried=0, failures=(("k2", "no"),))


def relayed(*answers):
    """What a relay says that hears these answers, one message each, in one batch."""
    steps, batch = relay(NOW, "w"), tuple(claim(4, f"k{n}") for n in range(len(answers)))
    next(steps)
    steps.send(batch)
    for answer in answers:
        steps.send(answer)
        wanted = steps.send(None)
    assert wanted.method == "claim"
    with pytest.raises(StopIteration) as done:
        steps.send(())
    return done.value.value


def test_a_relay_counts_what_arrived_and_names_what_failed():
    """By the key of the message and the reason, in the order of sending; four tries were made before."""
    assert relayed(Delivered(), Unknown("timeout"), Delivered(), Rejected("no such person")) == Relayed(
        2, 0, (("k1", "gave up: timeout"), ("k3", "no such person"))
    )
    assert Relayed() == Relayed(0, 0, ())


def test_a_message_put_off_is_no_failure():
    """It counts as tried again, and is claimed once more later."""
    steps = relay(NOW, "w")
    next(steps)
    steps.send((claim(0),))
    steps.send(Retry())
    steps.send(None)
    with pytest.raises(StopIteration) as done:
        steps.send(())
    assert done.value.value == Relayed(retried=1)


# --- who sends what ----------------------------------------------------------------------------


def email(_):
    """A notifier that keeps its receipt."""
    return Delivered("by email")


def pager(_):
    """A notifier that says nothing."""


def test_one_notifier_takes_every_channel():
    """A plain function, or any object that can be called."""
    assert by_channel(email) == {"*": email}
    assert by_channel(print) == {"*": print}


@pytest.mark.parametrize("nothing", [None, {}, ()], ids=repr)
def test_without_notifiers_there_is_no_channel(nothing):
    """The desk then leaves the outbox alone."""
    assert by_channel(nothing) == {}


def test_notifiers_stand_by_their_channel():
    """In a dict of its own: what the host changes later changes nothing here."""
    given = {"email": email, "*": pager}
    held = by_channel(given)
    given.clear()
    assert held == {"email": email, "*": pager}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("email", r"^notifiers 'email': cannot be called \(channel '\*'\); give a function of a Message"),
        (5, r"^notifiers 5: cannot be called \(channel '\*'\)"),
        ({"email": "x"}, r"^notifiers 'x': cannot be called \(channel 'email'\)"),
        ({"email": email, "pager": None}, r"^notifiers None: cannot be called \(channel 'pager'\)"),
    ],
    ids=["text", "number", "mapping of texts", "mapping of nothing"],
)
def test_what_cannot_be_called_is_refused_at_once(wrong, message):
    """Not at the first message, when nobody looks."""
    with pytest.raises(InvalidValue, match=message):
        by_channel(wrong)


def test_a_message_goes_to_the_notifier_of_its_channel():
    """Else to the one that takes every channel; nothing said is delivered."""
    notifiers = {"email": email, "*": pager}
    assert send(notifiers, message("email")) == Delivered("by email")
    assert send(notifiers, message("sms")) == Delivered()


def test_a_channel_without_a_notifier_is_rejected_with_those_that_have_one():
    """It has failed for good: no later try finds one."""
    assert send({"sms": pager, "email": email}, message("fax")) == Rejected(
        "no notifier for the channel 'fax', only for email, sms"
    )


def test_a_notifier_that_raises_leaves_the_outcome_unknown():
    """It may have sent the message before; the next one is sent all the same."""

    def broken(_):
        msg = "connection reset"
        raise OSError(msg)

    assert send({"*": broken}, message()) == Unknown("OSError: connection reset")
