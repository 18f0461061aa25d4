"""Claim, look, send, settle: the outbox is emptied, by hand and at a desk."""

import datetime as dt
import sqlite3

import pytest

from itsm_core import (
    Actor,
    BusinessCalendar,
    EscalationPolicy,
    EscalationStep,
    InvalidValue,
    ServiceDesk,
    default_agreement,
    stores,
)
from itsm_core.asking import Tick
from itsm_core.business_time.durations import minutes
from itsm_core.delivery import Relay, Relayed, Retries, relay
from itsm_core.errors import RecordNotFound, StoreBusy, VersionConflict
from itsm_core.escalation import Trigger
from itsm_core.ports import Ask, Claim, Delivered, Message, Rejected, Retry, Send, Unknown
from itsm_core.testing.contract.samples import changes

NOW = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
SECOND, MINUTE = dt.timedelta(seconds=1), dt.timedelta(minutes=1)
ANA = Actor.person("ana", "agent")


def claim(attempt=0, key="k", **more):
    """A claimed message that was tried `attempt` times."""
    given = {"to": "a", "channel": "c", "created_at": NOW, **more}
    return Claim(
        token=f"t.{key}", item=Message(key=key, record="I", subject="s", body="b", attempt=attempt, **given)
    )


def relayed(*answers):
    """What a relay says that hears these answers, one message each; four tries were made before."""
    steps = relay(NOW, "w")
    wanted = next(steps)
    for n, answer in enumerate(answers):
        assert (wanted.method, wanted.arguments[2]) == ("claim", 1)
        assert isinstance(steps.send((claim(4, f"k{n}"),)), Send)
        assert steps.send(answer).method == "settle"
        wanted = steps.send(None)
    with pytest.raises(StopIteration) as done:
        steps.send(())
    return done.value.value


# --- by hand ----------------------------------------------------------------------------------


def test_each_message_is_settled_before_the_next_is_claimed():
    """A process that dies between two messages repeats at most the one it was sending, and holds no other."""
    steps = relay(NOW, "w")
    assert next(steps) == Ask("claim", ("message", NOW, 1, MINUTE, "w"))
    assert isinstance(steps.send((claim(),)), Send)
    settled = steps.send(Delivered())
    assert (settled.method, settled.arguments[0][0].outcome) == ("settle", "done")
    assert steps.send(None).method == "claim"


def test_a_relay_counts_what_arrived_and_names_what_failed():
    """By the key of the message and the reason, in the order of sending."""
    assert relayed(Delivered(), Unknown("timeout"), Delivered(), Rejected("no such person")) == Relayed(
        2, 0, (("k1", "gave up after 5 tries: timeout"), ("k3", "no such person"))
    )
    assert Relayed() == relayed()


def test_without_a_place_for_it_nobody_is_told_instead():
    """A relay that cannot put messages in the outbox says that this one failed."""
    steps = relay(NOW, "w")
    next(steps)
    steps.send((claim(failover=(("bob", "sms"),)),))
    assert steps.send(Rejected("no")).arguments[0][0].detail == "no"


def clock_of(*seconds):
    """A clock that says these seconds after `NOW`, one after the other, and then the last again."""
    left = list(seconds)
    return lambda: NOW + (left.pop(0) if len(left) > 1 else left[0]) * SECOND


def test_a_lease_begins_when_the_message_is_claimed():
    """However long the ones before it took: nobody else gets it while it is sent."""
    steps = relay(NOW, "w", Relay(clock=clock_of(0, 0, 0, 3)))
    assert next(steps).arguments[3] == MINUTE
    steps.send((claim(),))
    steps.send(Delivered())
    assert steps.send(None).arguments == ("message", NOW, 1, MINUTE + 3 * SECOND, "w")


def test_a_relay_with_a_clock_ends_after_some_seconds():
    """Else timers would wait behind a flood of messages, and nobody could stop the worker."""
    steps = relay(NOW, "w", Relay(clock=clock_of(0, 0, 0, 5)))
    next(steps)
    steps.send((claim(),))
    steps.send(Delivered())
    with pytest.raises(StopIteration):
        steps.send(None)


def test_the_wait_for_the_next_try_begins_after_the_last():
    """A receiver that took two seconds to say no has five seconds from then on."""
    steps = relay(NOW, "w", Relay(clock=clock_of(0, 0, 2)))
    next(steps)
    steps.send((claim(),))
    assert steps.send(Retry()).arguments[0][0].retry_at == NOW + 7 * SECOND


def test_a_clock_behind_the_tick_does_not_count():
    """No time before `now` is believed."""
    steps = relay(NOW, "w", Relay(clock=clock_of(-60)))
    assert next(steps).arguments[3] == MINUTE
    with pytest.raises(InvalidValue, match="clock"):
        next(relay(NOW, "w", Relay(clock=lambda: dt.datetime(2024, 1, 1))))


def broken(_):
    """Looks up a record, in vain."""
    yield Ask("load", ("I",))
    raise InvalidValue("record", "I", "is broken", "mend it")


def test_a_record_that_cannot_be_looked_at_holds_up_nobody_else():
    """Its message comes again in a minute, and is named with the error."""
    steps = relay(NOW, "w", Relay(look=broken))
    next(steps)
    assert steps.send((claim(run="r"),)).method == "load"
    (settled,) = steps.send(None).arguments[0]
    assert (settled.outcome, settled.retry_at, settled.detail) == ("retry", NOW + MINUTE, "InvalidValue")
    steps.send(None)
    with pytest.raises(StopIteration) as done:
        steps.send(())
    ((record, error),) = done.value.value.stuck
    assert (record, type(error)) == ("I", InvalidValue)
    assert (done.value.value.delivered, done.value.value.retried) == (0, 0)


def test_a_relay_that_looks_nothing_up_sends_what_has_not_expired():
    """By itself it knows of no record."""
    steps = relay(NOW, "w")
    next(steps)
    assert isinstance(steps.send((claim(run="r", generation=0),)), Send)


def test_an_error_of_the_store_ends_the_relay():
    """Whoever runs it waits and comes again."""
    steps = relay(NOW, "w", Relay(look=broken))
    next(steps)
    steps.send((claim(generation=1),))
    with pytest.raises(StoreBusy):
        steps.throw(StoreBusy("busy"))


# --- at a desk --------------------------------------------------------------------------------


def desk_with(store, notifiers, *messages, **more):
    """A desk on a store that holds the record R1 and these messages about it."""
    store.commit(changes(messages=messages))
    return ServiceDesk(store, notifiers=notifiers, **more)


def message(key="k", **more):
    """A message about R1."""
    given = {"to": "ana", "channel": "page", "created_at": NOW, **more}
    return Message(key=key, record="R1", subject="s", body="b", **given)


def test_the_next_channel_takes_over_after_five_tries(store):
    """At 0, 5, 20, 50 and 110 s by pager; then at once by sms, and by voice, each by its own key."""
    said = []

    def notifier(given):
        said.append((given.key, given.to, given.channel, given.facts["delay_us"] // 10**6))
        return {"page": Retry(reason="busy"), "sms": Rejected("no such number")}.get(given.channel)

    page = message(failover=[("ana", "sms"), ("bob", "voice")])
    desk, told = desk_with(store, notifier, page), []
    while due := desk.next_due():
        told.append(desk.tick(due))
    assert said == [
        *(("k", "ana", "page", after) for after in (0, 5, 20, 50, 110)),
        ("k#then-sms", "ana", "sms", 110),
        ("k#then-sms#then-voice", "bob", "voice", 110),
    ]
    assert [one.retried for one in told] == [1, 1, 1, 1, 0]
    assert (told[-1].delivered, told[-1].failures) == (
        1,
        (
            ("k", "gave up after 5 tries: busy; ana by sms is next"),
            ("k#then-sms", "no such number; bob by voice is next"),
        ),
    )


def test_telling_somebody_else_changes_nothing_about_the_record(store):
    """Its version, its snapshot and its due instant stay as they were."""
    desk = desk_with(store, lambda _: Rejected("no"), message(failover=[("bob", "sms")]))
    before = store.load("R1", 0)
    desk.tick(NOW)
    assert store.load("R1", 0) == before


def test_a_race_for_the_record_loses_no_message(store, monkeypatch):
    """Somebody changes the record in the very moment: the message is put in the outbox on the newer one."""
    sent = []
    page = message(failover=[("bob", "sms")])
    desk = desk_with(store, {"page": lambda _: Rejected("no"), "sms": lambda m: sent.append(m.key)}, page)
    commit, raced = store.commit, []

    def racing(given):
        if not raced:
            raced.append(True)
            raise VersionConflict("R1", 1, 2)
        return commit(given)

    monkeypatch.setattr(store, "commit", racing)
    assert desk.tick(NOW).delivered == 1
    assert (sent, raced) == (["k#then-sms"], [True])


def test_a_race_that_is_always_lost_is_told_and_tried_again(store, monkeypatch):
    """The page is not settled before its successor is in the outbox, nor sent more often than is stated."""
    sent = []

    def notifier(given):
        sent.append(given.key)
        return Rejected("no")

    desk = desk_with(store, notifier, message(failover=[("bob", "sms")]))

    def conflict(_):
        raise VersionConflict("R1", 1, 2)

    with monkeypatch.context() as patch:
        patch.setattr(store, "commit", conflict)
        for n in range(9):
            told = desk.tick(NOW + n * MINUTE)
            assert [(record, type(error)) for record, error in told.stuck] == [("R1", VersionConflict)]
    assert sent == ["k"] * 5
    assert desk.next_due() == NOW + 9 * MINUTE
    failures = desk.tick(NOW + 9 * MINUTE).failures
    assert failures[0] == ("k", "its tries are used up; bob by sms is next")
    assert [key for key, _ in failures] == ["k", "k#then-sms"]


def test_of_a_record_that_is_gone_nobody_else_is_told():
    """No outbox takes a message about it: the page is given up, and not kept for ever."""

    def forward(given, _):
        yield from ()
        raise RecordNotFound(given.record)

    steps = relay(NOW, "w", Relay(forward=forward))
    next(steps)
    steps.send((claim(failover=[("b", "sms")]),))
    settled = steps.send(Rejected("no"))
    assert settled.method == "settle"
    ((one,), _) = settled.arguments
    assert (one.outcome, one.detail) == ("failed", "no; I is gone, so nobody is next")


def test_a_message_that_could_not_be_looked_up_is_still_sent(store, monkeypatch):
    """Its record could not be read nine times: no try was made, so none is used up."""
    sent = []
    desk = desk_with(store, sent.append, message(run="r"))

    def unreadable(*_):
        raise ValueError("no JSON")

    with monkeypatch.context() as patch:
        patch.setattr(store, "load", unreadable)
        for n in range(9):
            assert [record for record, _ in desk.tick(NOW + n * MINUTE).stuck] == ["R1"]
    assert desk.tick(NOW + 9 * MINUTE).delivered == 1
    assert [one.key for one in sent] == ["k"]


def test_what_has_expired_is_settled_and_told(store):
    """It is not sent, not even by another channel, and counted by itself."""
    sent = []
    old = message("old", expires_at=NOW + MINUTE, failover=[("bob", "sms")])
    desk = desk_with(store, sent.append, old, message("new", expires_at=NOW + 2 * MINUTE))
    told = desk.tick(NOW + MINUTE)
    assert (told.expired_messages, told.delivered, [m.key for m in sent]) == (1, 1, ["new"])
    assert desk.next_due() is None


def test_a_page_that_somebody_acknowledged_meanwhile_is_not_sent_again(store):
    """The pager was busy; before its next try ana is on it: nobody is woken up any more."""
    sent, busy = [], [True]

    def notifier(given):
        sent.append(given.key)
        return Retry() if busy else None

    desk = ServiceDesk(store, notifiers=notifier)
    desk.open("Mail is down", actor=ANA, at=NOW, record_id="R1")
    snapshot, _ = store.load("R1")
    page = message(run="R1:line.1", generation=0)
    store.commit(changes_of(snapshot, page))
    assert desk.tick(NOW).retried == 1
    busy.clear()
    desk.acknowledge("R1", actor=ANA, at=NOW + SECOND)
    told = desk.tick(NOW + 5 * SECOND)
    assert (told.superseded, told.delivered, sent) == (1, 0, ["k"])
    assert desk.next_due() is None


def changes_of(snapshot, *messages):
    """A change set that only puts messages in the outbox."""
    from itsm_core.ports import ChangeSet

    return ChangeSet(
        record=snapshot.record.id, expected=snapshot.record.version, events=(), snapshot=snapshot,
        messages=messages,
    )  # fmt: skip


def test_a_page_about_a_record_that_is_gone_is_sent():
    """A store that has lost it says so; better one page too many."""
    from itsm_core.errors import RecordNotFound

    class Forgetful(type(stores.open("memory://"))):
        def load(self, record, after=None):
            raise RecordNotFound(record)

    store, sent = Forgetful(), []
    desk = desk_with(store, sent.append, message(run="r", generation=0))
    assert desk.tick(NOW).delivered == 1
    assert [m.key for m in sent] == ["k"]


def test_how_often_is_tried_is_for_the_host_to_say(store):
    """By channel, as data."""
    desk = desk_with(store, lambda _: Retry(), message(), retries={"page": Retries([minutes(9)])})
    desk.tick(NOW)
    assert desk.next_due() == NOW + 9 * MINUTE
    desk.tick(NOW + 9 * MINUTE)
    assert desk.next_due() is None


def test_a_store_keeps_how_each_message_ended(tmp_path):
    """The evidence: its state and detail stand in the outbox, its words do not."""
    store = stores.open(tmp_path / "desk.db")
    answers = {"bad": Rejected("550 no such user"), "good": Delivered("250 ok")}
    rest = [message("late", expires_at=NOW), message("old", run="r", generation=-1)]
    desk = desk_with(store, lambda m: answers[m.key], message("bad"), message("good"), *rest)
    desk.tick(NOW)
    store.close()
    with sqlite3.connect(tmp_path / "desk.db") as connection:
        rows = connection.execute(
            "SELECT key, state, detail, json FROM itsm_messages ORDER BY key"
        ).fetchall()
    connection.close()
    assert rows == [
        ("bad", "failed", "550 no such user", ""),
        ("good", "done", "250 ok", ""),
        ("late", "expired", "its time was over at 2024-01-01T00:00:00+00:00", ""),
        ("old", "superseded", "of generation -1, and R1 is at 0", ""),
    ]


def test_the_lag_is_what_the_earliest_thing_has_waited(store):
    """Nothing due yet, or nothing at all, is no lag; a health check asks for it."""
    desk = desk_with(store, lambda _: None, message(), message("later", not_before=NOW + MINUTE))
    assert desk.lag(NOW - MINUTE) == desk.lag(NOW) == dt.timedelta(0)
    assert desk.lag(NOW + 3 * MINUTE) == 3 * MINUTE
    desk.tick(NOW)
    assert desk.lag(NOW + 3 * MINUTE) == 2 * MINUTE
    desk.tick(NOW + MINUTE)
    assert desk.lag(NOW + 3 * MINUTE) == dt.timedelta(0)
    with pytest.raises(InvalidValue, match="now"):
        desk.lag(None)


def test_a_page_of_a_policy_is_fenced_by_the_acknowledgement(store):
    """From the step to the pager: it is busy, ana acknowledges, and its next try never comes."""
    pages, busy = [], [True]

    def pager(given):
        pages.append((given.to, given.attempt, given.run, given.generation))
        return Retry() if busy else None

    policy = EscalationPolicy("line", 1, steps=[EscalationStep("lead", "50 %", to="lead", metric="response")])
    agreement = default_agreement(BusinessCalendar.always("UTC"))
    desk = ServiceDesk(store, agreement=agreement, policy=policy, notifiers=pager)
    urgent = {"impact": "high", "urgency": "high"}
    desk.open("Mail is down", actor=Actor.person("bob"), at=NOW, record_id="R1", fields=urgent)
    due = desk.next_due()
    assert desk.tick(due).retried == 1
    busy.clear()
    desk.acknowledge("R1", actor=ANA, at=due + SECOND)
    told = desk.tick(due + MINUTE)
    assert (told.superseded, told.delivered) == (1, 0)
    assert pages == [("lead", 0, "R1:line", 0)]


def test_a_page_of_a_record_that_was_resolved_before_it_as_is_said_late_is_not_sent_again(store):
    """The page waits for the pager; then ana says that it was resolved before anybody was told."""
    tried, page = [], EscalationStep("page", trigger=Trigger.unacknowledged("5m wall"), to="user:ana")

    def pager(given):
        tried.append(given.run)
        return Retry()

    desk = ServiceDesk(store, policy=EscalationPolicy("line", 1, steps=[page]), notifiers=pager)
    desk.open(
        "Mail is down",
        actor=Actor.person("bob"),
        at=NOW,
        record_id="R1",
        fields={"impact": "high", "urgency": "high"},
    )
    assert desk.tick(NOW + 5 * MINUTE).retried == 1
    done = {
        "resolution_outcome": "workaround",
        "resolution_notes": "Restarted",
        "resolution_method": "remote",
    }
    said = {**done, "late_reason": "was on the phone"}
    assert not desk.fire("R1", "resolve", actor=ANA, at=NOW + 4 * MINUTE, fields=said).phase.is_open
    assert desk.tick(NOW + 6 * MINUTE).superseded == 1
    assert tried == ["R1:line", None]


def test_a_tick_shows_what_it_did():
    """Zeros are left out."""
    assert repr(Tick()) == "Tick()"
    assert repr(Tick(delivered=2, failures=(("k", "no"),))) == "Tick(delivered=2, failures=(('k', 'no'),))"
