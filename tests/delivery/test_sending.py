"""Who sends a message, and what an answer of a notifier means."""

import datetime as dt

import pytest

from itsm_core import Actor, ServiceDesk
from itsm_core.business_time import seconds
from itsm_core.delivery import Retries, answered, by_channel, send
from itsm_core.errors import InvalidValue
from itsm_core.ports import Delivered, Message, Rejected, Retry, Unknown

NOW = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def message(channel="c"):
    """A message by a channel."""
    return Message(key="k", record="I", to="a", channel=channel, subject="s", body="b", created_at=NOW)


def test_what_else_a_notifier_returns_is_unknown_but_none_is_delivered():
    """A function without a return statement has delivered; a string has not said anything."""
    assert answered(None) == Delivered()
    assert answered(Retry()) == Retry()
    assert isinstance(answered("sent!"), Unknown)


class Wordless(Exception):
    """An error, or an answer, that has no words for itself."""

    def __str__(self):
        raise RuntimeError

    __repr__ = __str__


def raising(error):
    """A notifier that raises this."""

    def notifier(_):
        raise error

    return notifier


ODD = {
    "raises a surrogate": raising(OSError("no file \udcff")),
    "raises without words": raising(Wordless()),
    "rejects in a surrogate": lambda _: Rejected("\udcff"),
    "knows not, without words": lambda _: Unknown(Wordless()),
    "later, without words": lambda _: Retry(reason=Wordless()),
    "later by a number": lambda _: Retry(60),
    "delivered in a surrogate": lambda _: Delivered("\ud83d"),
    "delivered in bytes": lambda _: Delivered(b"receipt"),
    "answers without words": lambda _: Wordless(),
}


@pytest.mark.parametrize("notifier", ODD.values(), ids=ODD)
def test_whatever_a_notifier_says_the_message_is_settled(store, notifier):
    """What no store can keep is told in words that it can: else the message came again for ever, and with
    it the error that ends the loop.
    """
    desk = ServiceDesk(store, notifiers=notifier, retries=Retries([seconds(5)]))
    desk.open("Mail is down", actor=Actor.person("uma"), at=NOW, record_id="INC-1")
    desk.communicate("INC-1", "We know", actor=Actor.person("ana", "agent"), at=NOW)
    ticks = [desk.tick(NOW), desk.tick(NOW + dt.timedelta(seconds=5))]
    assert [one.stuck for one in ticks] == [(), ()]
    assert sum(one.delivered + len(one.failures) for one in ticks) == 1
    assert desk.next_due() is None


class Bounced(Rejected):
    """A host's own refusal, which is made of something else."""

    def __init__(self, code):
        super().__init__(f"bounced with {code}")


def test_a_kind_of_refusal_of_the_hosts_is_one():
    """However it is made."""
    assert answered(Bounced(550)) == Rejected("bounced with 550")


def test_a_wait_that_is_no_timedelta_is_told_and_left_to_the_schedule():
    """Sixty what?"""
    told = answered(Retry(60, "busy"))
    assert told == Retry(None, "busy: it asked to wait 60, which is no timedelta")


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
