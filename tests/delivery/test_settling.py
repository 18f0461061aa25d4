"""What becomes of a message: sent or not, tried again or given up, and who is told instead."""

import datetime as dt

import attrs
import pytest

from itsm_core import INCIDENT, Actor, ServiceDesk, stores
from itsm_core.business_time.durations import seconds
from itsm_core.delivery import LONGEST, PAGES, Retries, delayed, forwarded, settle, withheld
from itsm_core.ports import Claim, Delivered, Message, Rejected, Retry, Settlement, Unknown

NOW = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
SECOND, MINUTE = dt.timedelta(seconds=1), dt.timedelta(minutes=1)
SMS = (("bob", "sms"),)


def message(attempt=0, **more):
    """A message that was tried `attempt` times."""
    given = {"key": "k", "to": "a", "channel": "c", "created_at": NOW, **more}
    return Message(record="I", subject="s", body="b", attempt=attempt, **given)


def claim(attempt=0, **more):
    """A claimed message that was tried `attempt` times."""
    return Claim(token="t", item=message(attempt, **more))


# --- outcomes ---------------------------------------------------------------------------------


def test_a_delivered_message_is_done():
    """Delivered ends it, with the receiver's reference kept."""
    assert settle(claim(), Delivered("250 ok"), NOW) == Settlement(token="t", outcome="done", detail="250 ok")


def test_a_rejected_message_has_failed():
    """Rejected is for good: no second try."""
    assert settle(claim(), Rejected("no such person"), NOW).outcome == "failed"


@pytest.mark.parametrize("outcome", [Retry(reason="busy"), Unknown("timeout")])
def test_the_waits_grow_and_then_it_has_failed(outcome):
    """5, 15, 30 and 60 seconds between the tries; after the fifth try it has failed."""
    for attempt, wait in enumerate([5, 15, 30, 60]):
        settled = settle(claim(attempt), outcome, NOW)
        assert (settled.outcome, settled.retry_at) == ("retry", NOW + wait * SECOND)
        assert settled.detail == outcome.reason
    assert settle(claim(4), outcome, NOW) == Settlement(
        token="t", outcome="failed", detail=f"gave up after 5 tries: {outcome.reason}"
    )


def test_one_try_is_one_try():
    """A table without waits is for what is said once or not at all."""
    assert settle(claim(), Retry(reason="busy"), NOW, Retries([])).detail == "gave up after 1 try: busy"


def test_a_receiver_may_say_when_to_try_again():
    """`Retry(after)` makes the wait longer, and never shorter than that of the table."""
    assert settle(claim(), Retry(7 * MINUTE), NOW).retry_at == NOW + 7 * MINUTE
    assert settle(claim(), Retry(dt.timedelta(0)), NOW).retry_at == NOW + 5 * SECOND
    assert settle(claim(), Retry(-MINUTE), NOW).retry_at == NOW + 5 * SECOND


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


def test_who_can_be_told_elsewhere_is_not_put_off_for_longer_than_the_table_waits():
    """A gateway that wants a pager to wait for an hour is left for the next channel."""
    put_off = settle(claim(failover=SMS), Retry(MINUTE + SECOND, "full"), NOW)
    assert (put_off.outcome, put_off.detail) == ("failed", "put off for 0:01:01 after 1 try: full")
    assert settle(claim(failover=SMS), Retry(MINUTE), NOW).retry_at == NOW + MINUTE


def test_what_may_have_arrived_is_held_if_asked_for():
    """Nobody gets it twice then; what certainly did not arrive is tried again all the same."""
    hold = Retries([seconds(5)], on_unknown="hold")
    held = settle(claim(), Unknown("timeout"), NOW, hold)
    assert (held.outcome, held.detail) == ("failed", "held, since it may have arrived: timeout")
    assert settle(claim(), Retry(), NOW, hold).outcome == "retry"


def test_no_try_is_planned_for_when_its_time_is_over():
    """It has expired then and there, or the next channel gets its chance in time."""
    late = {"expires_at": NOW + 5 * SECOND}
    over = settle(claim(**late), Retry(reason="busy"), NOW)
    assert (over.outcome, over.detail) == ("expired", "no time for another try after 1 try: busy")
    assert settle(claim(failover=SMS, **late), Retry(), NOW).outcome == "failed"
    assert settle(claim(expires_at=NOW + 6 * SECOND), Retry(), NOW).outcome == "retry"


# --- what is not sent any more ----------------------------------------------------------------


def record(*moves):
    """An incident opened at `NOW`, after commands a minute apart."""
    ana = Actor.person("ana", "agent")
    desk = ServiceDesk(stores.open("memory://"), lifecycles=INCIDENT)
    desk.open("x", actor=ana, at=NOW, record_id="I")
    for n, (trigger, fields) in enumerate(moves, 1):
        desk.fire("I", trigger, actor=ana, at=NOW + n * MINUTE, fields=fields)
    return desk.get("I")


RESOLVE = ("resolve", {"resolution_outcome": "fixed_permanent", "resolution_notes": "x"})


def at_generation(generation):
    """An open record whose escalation began anew so many times."""
    known = record()
    return attrs.evolve(known, escalation=attrs.evolve(known.escalation, generation=generation))


def test_a_message_expires_at_its_instant():
    """Until then it is sent, from then on it is not; a record that is gone changes nothing."""
    short = message(expires_at=NOW + MINUTE)
    assert withheld(short, None, NOW + MINUTE - SECOND) is None
    assert withheld(short, None, NOW + MINUTE) == (
        "expired", "its time was over at 2024-01-01T00:01:00+00:00"
    )  # fmt: skip
    assert withheld(message(), None, NOW + 1000 * MINUTE) is None


@pytest.mark.parametrize(
    ("generation", "ending"), [(None, None), (3, None), (4, None), (2, "superseded"), (0, "superseded")]
)
def test_a_message_of_an_older_generation_is_superseded(generation, ending):
    """The record is at generation 3: somebody acknowledged, say, since the message was written."""
    found = withheld(message(run="r", generation=generation), at_generation(3), NOW)
    assert (found and found[0]) == ending
    assert found is None or found[1] == f"of generation {generation}, and I is at 3"


def test_a_page_about_what_was_resolved_meanwhile_is_superseded():
    """Only pages of an escalation: what was said to the requester is sent all the same."""
    resolved = record(RESOLVE)
    assert withheld(message(run="r"), resolved, NOW + 5 * MINUTE) == (
        "superseded", "I has been resolved since 2024-01-01T00:01:00+00:00"
    )  # fmt: skip
    assert withheld(message(), resolved, NOW + 5 * MINUTE) is None
    assert withheld(message(run="r"), record(), NOW + 5 * MINUTE) is None


def test_a_page_about_what_follows_an_end_is_sent():
    """It was written after the record was resolved: somebody wants to know just that."""
    assert withheld(message(run="r", created_at=NOW + MINUTE), record(RESOLVE), NOW + 5 * MINUTE) is None


# --- who is told instead ----------------------------------------------------------------------


def test_who_is_told_instead_gets_a_message_of_its_own():
    """Its key follows from the first one's, it is due at once, and counts its own tries."""
    first = message(4, failover=(("bob", "sms"), ("bob", "voice")), facts={"step": "lead"}, urgency="high")
    second = forwarded(first)
    assert second == attrs.evolve(
        first, key="k#then-sms", to="bob", channel="sms", failover=(("bob", "voice"),), not_before=NOW,
        attempt=0, facts={"step": "lead", "instead_of": "k"},
    )  # fmt: skip
    third = forwarded(second)
    assert (third.key, third.to, third.channel) == ("k#then-sms#then-voice", "bob", "voice")
    assert third.failover == ()
    assert forwarded(third) is None


def test_the_same_channel_twice_is_two_messages():
    """Each has its own key, so the outbox takes both."""
    first = forwarded(message(failover=SMS * 2))
    assert len({"k", first.key, forwarded(first).key}) == 3


def test_a_message_says_how_long_it_has_waited():
    """Since it could first be sent, in microseconds; over all channels, and never less than nothing."""
    assert delayed(message(facts={"step": "x"}), NOW + MINUTE).facts == {"step": "x", "delay_us": 60_000_000}
    assert delayed(message(not_before=NOW + MINUTE), NOW + 3 * MINUTE).facts["delay_us"] == 120_000_000
    assert delayed(message(), NOW - MINUTE).facts["delay_us"] == 0
    assert delayed(forwarded(message(failover=SMS)), NOW + MINUTE).facts["delay_us"] == 60_000_000


def test_the_shipped_table_is_that_of_pages():
    """`settle` without a table tries as often as a page is tried."""
    assert settle(claim(3), Retry(), NOW) == settle(claim(3), Retry(), NOW, PAGES)
