"""Somebody is on it: acknowledging, snoozing, escalating at once, and what each does to the run of a policy."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from itsm_core import (
    Actor,
    Agreement,
    BusinessCalendar,
    EscalationPolicy,
    EscalationStep,
    InvalidValue,
    Metric,
    RecordNotFound,
    ServiceDesk,
    Target,
    TransitionRefused,
    hours,
    stores,
)
from itsm_core.escalation import Repeat, Trigger

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
ANA, BO = Actor.person("ana", "agent"), Actor.person("bo", "agent")
MONA = Actor.person("mona", "manager")
PROBE = Actor.monitoring("probe")
HIGH = {"impact": "high", "urgency": "high"}
DONE = {"resolution_outcome": "fixed_permanent", "resolution_notes": "restarted"}
AROUND = BusinessCalendar.always("UTC")
CHAIN = (
    EscalationStep("first", trigger=Trigger.unacknowledged("5m wall"), to="user:ana"),
    EscalationStep("second", after="10m wall", to="user:bo"),
    EscalationStep("third", after="10m wall", to="user:mona"),
)


def paging(version=1, steps=CHAIN, **more):
    """A policy that pages ana after five minutes, bo ten minutes later, then mona."""
    return EscalationPolicy("paging", version, steps=steps, **more)


def desk_on(store, policy=None, **more):
    """A desk that keeps what it sends."""
    sent = []
    desk = ServiceDesk(store, policy=policy or paging(), notifiers=sent.append, **more)
    desk.sent = sent
    return desk


def opened(desk, record_id="INC-1", at=T0, actor=PROBE):
    """An incident that monitoring saw."""
    return desk.open("Disk full", actor=actor, at=at, record_id=record_id, fields=HIGH)


def told(desk):
    """Whom the desk has told, and when."""
    return [(message.to, (message.created_at - T0) // MINUTE) for message in desk.sent]


def ticked(desk, until, since=0, step=1):
    """The desk after a tick each minute up to one."""
    for minute in range(since, until + 1, step):
        desk.tick(T0 + minute * MINUTE)
    return desk


def kinds(desk, record_id="INC-1"):
    """The kinds of the events of a record."""
    return [event.kind for event in desk.history(record_id)]


def test_who_is_told_hears_by_when_to_acknowledge_before_the_next_in_line_is(store):
    """The template `acknowledge` asks for it; after the last in line nobody follows."""
    desk = desk_on(store)
    opened(desk)
    ticked(desk, 40)
    asked = [(message.to, message.facts.get("acknowledge_by")) for message in desk.sent]
    assert asked == [
        ("ana", "2024-01-08T09:15:00.000000Z"),
        ("bo", "2024-01-08T09:25:00.000000Z"),
        ("mona", None),
    ]


@pytest.mark.parametrize(
    ("after", "asked"),
    [
        (EscalationStep("second", after="10m wall", to="user:bo", stops_on="resolved"), False),
        (EscalationStep("second", after="10m wall", group="second-line"), False),
        (EscalationStep("second", after="10m wall", repeat=Repeat(to="first", times=1)), True),
    ],
)
def test_nobody_is_asked_for_what_would_not_keep_the_next_from_being_told(store, after, asked):
    """Who is told whoever acknowledges, or is nobody; going back to the first tells them again."""
    desk = desk_on(store, paging(steps=[CHAIN[0], after]))
    opened(desk)
    ticked(desk, 6)
    (message,) = desk.sent
    assert ("acknowledge_by" in message.facts) is asked


def test_who_is_told_late_is_asked_from_then_on(store):
    """After an outage the next in line waits anew."""
    desk = desk_on(store)
    opened(desk)
    desk.tick(T0 + 90 * MINUTE)
    (message,) = desk.sent
    assert (message.to, message.facts["acknowledge_by"]) == ("ana", "2024-01-08T10:40:00.000000Z")


def test_who_is_told_together_with_the_next_is_asked_for_no_instant_that_has_passed(store):
    """Where the chain catches up at once, each of them is simply told."""
    at_once = EscalationStep("second", after="0m wall", to="user:bo")
    desk = desk_on(store, paging(steps=[CHAIN[0], at_once]))
    opened(desk)
    desk.tick(T0 + 5 * MINUTE)
    assert [(m.to, "acknowledge_by" in m.facts) for m in desk.sent] == [("ana", False), ("bo", False)]


# --- acknowledging ----------------------------------------------------------------------------


def test_nobody_acknowledges_so_each_is_told_in_turn(store):
    """Five minutes, ten more, ten more."""
    desk = desk_on(store)
    opened(desk)
    ticked(desk, 60)
    assert told(desk) == [("ana", 5), ("bo", 15), ("mona", 25)]


def test_an_acknowledgement_stops_the_chain(store):
    """Ana is on it: bo sleeps."""
    desk = desk_on(store)
    opened(desk)
    ticked(desk, 6)
    record = desk.acknowledge("INC-1", actor=ANA, at=T0 + 7 * MINUTE)
    ticked(desk, 600, 8, 7)
    assert told(desk) == [("ana", 5)]
    assert (record.escalation.acknowledged_by, record.escalation.generation) == (("ana",), 1)
    assert desk.next_due() is None


def test_an_acknowledgement_lapses_after_the_policys_time(store):
    """She said so and forgot: after half an hour it begins anew, five minutes from then."""
    desk = desk_on(store, paging(ack_timeout="30m wall"))
    opened(desk)
    ticked(desk, 6)
    desk.acknowledge("INC-1", actor=ANA, at=T0 + 7 * MINUTE)
    assert desk.next_due() == T0 + 37 * MINUTE
    ticked(desk, 60, 8)
    assert told(desk) == [("ana", 5), ("ana", 42), ("bo", 52)]
    resumed = next(event for event in desk.history("INC-1") if event.kind == "escalation_resumed")
    assert (resumed.fields["why"], resumed.fields["mode"]) == ("ack_timeout", "restart")
    assert desk.get("INC-1").escalation.acknowledged_by == ()


def test_a_lapsed_acknowledgement_may_go_on_where_it_was(store):
    """Resume: the ten minutes to bo count from then."""
    desk = desk_on(store, paging(ack_timeout="30m wall", on_ack_timeout="resume"))
    opened(desk)
    ticked(desk, 6)
    desk.acknowledge("INC-1", actor=ANA, at=T0 + 7 * MINUTE)
    ticked(desk, 60, 8)
    assert told(desk) == [("ana", 5), ("bo", 47), ("mona", 57)]


def test_all_must_acknowledge_where_the_policy_says_so(store):
    """Ana alone stops nobody else's pager; with bo it is complete."""
    both = EscalationStep(
        "both", trigger=Trigger.unacknowledged("5m wall"), to=("user:ana", "user:bo"), channel="sms"
    )
    desk = desk_on(store, paging(steps=[both, CHAIN[2]], ack_mode="all"))
    opened(desk)
    ticked(desk, 5)
    half = desk.acknowledge("INC-1", actor=ANA, at=T0 + 6 * MINUTE)
    assert (half.escalation.is_acknowledged, half.escalation.generation) == (False, 0)
    whole = desk.acknowledge("INC-1", actor=BO, at=T0 + 7 * MINUTE)
    assert (whole.escalation.is_acknowledged, whole.escalation.generation) == (True, 1)
    ticked(desk, 60, 8)
    assert told(desk) == [("ana", 5), ("bo", 5)]


def test_said_twice_it_fences_nothing(store):
    """The second one is noted; the generation stays, and the time runs from it."""
    desk = desk_on(store, paging(ack_timeout="30m wall"))
    opened(desk)
    desk.acknowledge("INC-1", actor=ANA, at=T0 + MINUTE)
    record = desk.acknowledge("INC-1", actor=BO, at=T0 + 2 * MINUTE)
    assert (record.escalation.acknowledged_by, record.escalation.generation) == (("ana", "bo"), 1)
    assert desk.next_due() == T0 + 32 * MINUTE


def test_an_acknowledgement_answers_where_monitoring_opened(store):
    """Nobody waits for words: the response clock stops at it, as before."""
    response = Target("response", Metric.RESPONSE, duration=hours(1), calendar=AROUND)
    desk = desk_on(store, agreement=Agreement("gold", 1, targets=[response]))
    opened(desk)
    desk.acknowledge("INC-1", actor=ANA, at=T0 + 7 * MINUTE)
    assert desk.clocks("INC-1", T0 + 2 * HOUR)["response"].verdict == "met"


def test_reopening_begins_anew(store):
    """What was acknowledged then is not now: all steps have their turn again, in a newer generation."""
    desk = desk_on(store)
    opened(desk)
    desk.acknowledge("INC-1", actor=ANA, at=T0 + MINUTE)
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + 2 * MINUTE, fields=DONE)
    ticked(desk, 60, 3, 3)
    assert told(desk) == []
    again = desk.fire("INC-1", "reopen", actor=ANA, at=T0 + 61 * MINUTE, fields={"reason": "full again"})
    assert (again.escalation.acknowledged_by, again.escalation.generation) == ((), 2)
    ticked(desk, 80, 62)
    assert told(desk) == [("ana", 66), ("bo", 76)]


# --- snoozing ---------------------------------------------------------------------------------


def test_a_snooze_ends_and_the_chain_goes_on(store):
    """Put off for two hours: bo is told ten minutes after that."""
    desk = desk_on(store)
    opened(desk)
    ticked(desk, 6)
    record = desk.snooze("INC-1", actor=ANA, at=T0 + 7 * MINUTE, until=T0 + 2 * HOUR)
    assert record.escalation.snoozed_until == desk.next_due() == T0 + 2 * HOUR
    ticked(desk, 140, 8)
    assert told(desk) == [("ana", 5), ("bo", 130), ("mona", 140)]
    resumed = next(event for event in desk.history("INC-1") if event.kind == "escalation_resumed")
    assert (resumed.fields["why"], resumed.fields["mode"]) == ("snooze_over", "resume")


def test_a_snooze_may_let_the_chain_begin_anew(store):
    """Restart: ana again, five minutes after its end."""
    desk = desk_on(store, paging(on_snooze_end="restart"))
    opened(desk)
    ticked(desk, 6)
    desk.snooze("INC-1", actor=ANA, at=T0 + 7 * MINUTE, until=T0 + 2 * HOUR)
    ticked(desk, 130, 8)
    assert told(desk) == [("ana", 5), ("ana", 125)]


def test_a_snooze_over_a_night_with_25_hours_ends_when_the_wall_says_so(store):
    """Berlin, 27 October 2024: from 18:00 until 8:00 the next morning are fifteen hours."""
    berlin = ZoneInfo("Europe/Berlin")
    evening, morning = (dt.datetime(2024, 10, day, hour, tzinfo=berlin) for day, hour in ((26, 18), (27, 8)))
    desk = desk_on(store)
    opened(desk, at=evening)
    desk.snooze("INC-1", actor=ANA, at=evening, until=morning)
    assert desk.next_due() == dt.datetime(2024, 10, 27, 7, tzinfo=dt.UTC)
    assert desk.next_due() - evening.astimezone(dt.UTC) == 15 * HOUR
    desk.tick(desk.next_due() - dt.timedelta(microseconds=1))
    assert desk.get("INC-1").escalation.is_acknowledged
    desk.tick(desk.next_due())
    assert not desk.get("INC-1").escalation.is_acknowledged


def test_giving_the_record_to_somebody_else_ends_the_snooze(store):
    """It was put off by those who had it, not by those who have it now."""
    desk = desk_on(store)
    opened(desk)
    desk.assign("INC-1", actor=ANA, at=T0, group="mail", assignee="ana")
    desk.snooze("INC-1", actor=ANA, at=T0 + 7 * MINUTE, until=T0 + 2 * HOUR)
    moved = desk.assign("INC-1", actor=ANA, at=T0 + 10 * MINUTE, group="network")
    assert (moved.escalation.snoozed_until, moved.escalation.is_acknowledged) == (None, False)
    assert moved.escalation.generation == 2
    ticked(desk, 20, 11)
    assert told(desk) == [("ana", 15)]


def test_an_acknowledgement_ends_a_snooze_for_good(store):
    """From then on there is no instant at which it wakes."""
    desk = desk_on(store)
    opened(desk)
    desk.snooze("INC-1", actor=ANA, at=T0 + MINUTE, until=T0 + HOUR)
    record = desk.acknowledge("INC-1", actor=BO, at=T0 + 2 * MINUTE)
    assert (record.escalation.snoozed_until, record.escalation.generation) == (None, 2)
    assert desk.next_due() is None


def test_closing_ends_a_snooze(store):
    """A closed record wakes nobody, and what was not sent is void."""
    desk = desk_on(store)
    opened(desk)
    desk.snooze("INC-1", actor=ANA, at=T0 + MINUTE, until=T0 + HOUR)
    closed = desk.fire("INC-1", "cancel", actor=ANA, at=T0 + 2 * MINUTE, fields={"reason": "a test"})
    assert (closed.phase, closed.escalation.snoozed_until) == ("closed", None)
    assert closed.escalation.generation == 2
    assert desk.next_due() is None


# --- who may, and when not --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("until", "says"),
    [
        (T0 - HOUR, "does not lie after"),
        (T0, "does not lie after"),
        (T0 + 7 * DAY + dt.timedelta(microseconds=1), "more than 7 days ahead"),
        ("tomorrow", "it takes an aware datetime"),
    ],
)
def test_a_snooze_needs_an_end_that_is_near(store, until, says):
    """Later than now, and at most a week; what is refused changes nothing."""
    desk = desk_on(store)
    before = opened(desk)
    with pytest.raises(TransitionRefused) as refused:
        desk.snooze("INC-1", actor=ANA, at=T0, until=until)
    assert refused.value.codes == ("invalid_field",)
    assert says in str(refused.value)
    assert desk.get("INC-1") == before


def test_a_week_to_the_microsecond_is_allowed(store):
    """The bound itself is not beyond it."""
    desk = desk_on(store)
    opened(desk)
    assert desk.snooze("INC-1", actor=ANA, at=T0, until=T0 + 7 * DAY).escalation.snoozed_until == T0 + 7 * DAY


def test_a_naive_end_is_refused_with_what_to_do(store):
    """Whose midnight would it be?"""
    desk = desk_on(store)
    opened(desk)
    with pytest.raises(InvalidValue, match="has no zone"):
        desk.snooze("INC-1", actor=ANA, at=T0, until=dt.datetime(2024, 1, 8, 12))


GIVEN = {
    "acknowledge": {},
    "snooze": {"until": T0 + 2 * HOUR},
    "escalate_now": {},
    "migrate_policy": {"version": 1, "reason": "new"},
}


@pytest.mark.parametrize("command", GIVEN)
def test_a_closed_record_takes_none_of_them(store, command):
    """There is nothing to be on any more."""
    desk = desk_on(store)
    opened(desk)
    desk.fire("INC-1", "cancel", actor=ANA, at=T0, fields={"reason": "a test"})
    with pytest.raises(TransitionRefused) as refused:
        getattr(desk, command)("INC-1", actor=MONA, at=T0 + HOUR, **GIVEN[command])
    assert "wrong_state" in refused.value.codes


@pytest.mark.parametrize("command", GIVEN)
def test_who_asks_for_service_does_none_of_them(store, command):
    """They are the desk's; the refusal says who may."""
    desk = desk_on(store)
    opened(desk)
    with pytest.raises(TransitionRefused, match="that takes the role") as refused:
        getattr(desk, command)("INC-1", actor=Actor.person("uma"), at=T0 + HOUR, **GIVEN[command])
    assert refused.value.codes == ("role",)


@pytest.mark.parametrize("command", GIVEN)
def test_a_command_twice_gives_the_first_answer(store, command):
    """By its id; and an unknown record is one."""
    desk = desk_on(store)
    opened(desk)
    asked = {"actor": MONA, "at": T0 + HOUR, "command_id": "c1", **GIVEN[command]}
    first = getattr(desk, command)("INC-1", **asked)
    desk.note("INC-1", "x", actor=ANA, at=T0 + HOUR)
    assert getattr(desk, command)("INC-1", **asked) == first
    with pytest.raises(RecordNotFound):
        getattr(desk, command)("INC-7", **{**asked, "command_id": "c2"})


# --- at once ----------------------------------------------------------------------------------


def test_the_next_step_fires_at_once_when_somebody_asks(store):
    """Each time the next one; all is in one commit, named by who asked."""
    desk = desk_on(store)
    opened(desk)
    desk.escalate_now("INC-1", actor=BO, at=T0 + MINUTE, command_id="now")
    desk.escalate_now("INC-1", actor=BO, at=T0 + 2 * MINUTE)
    desk.tick(T0 + 2 * MINUTE)
    assert told(desk) == [("ana", 1), ("bo", 2)]
    requested, fired = desk.history("INC-1")[1:3]
    assert (requested.kind, requested.id, requested.actor.id) == ("escalation_requested", "now", "bo")
    assert (fired.kind, fired.actor.id, fired.fields["step"]) == ("escalated", "itsm_core", "first")


def test_a_step_by_its_name_fires_at_once(store):
    """Straight to mona."""
    desk = desk_on(store)
    opened(desk)
    desk.escalate_now("INC-1", actor=BO, at=T0 + MINUTE, step="third")
    desk.tick(T0 + 2 * MINUTE)
    assert told(desk) == [("mona", 1)]


def test_a_step_that_is_not_there_is_refused_with_those_that_are(store):
    """And nothing is written."""
    desk = desk_on(store)
    before = opened(desk)
    with pytest.raises(InvalidValue, match="use one of first, second, third"):
        desk.escalate_now("INC-1", actor=BO, at=T0 + MINUTE, step="fourth")
    assert desk.get("INC-1") == before


def test_without_a_policy_there_is_no_step():
    """The desk says what to give it."""
    desk = ServiceDesk(stores.open("memory://"))
    opened(desk)
    with pytest.raises(InvalidValue, match="policy=EscalationPolicy"):
        desk.escalate_now("INC-1", actor=BO, at=T0 + MINUTE)
    assert kinds(desk) == ["opened"]
