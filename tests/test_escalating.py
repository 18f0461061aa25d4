"""Escalation on the road: what the engine wants becomes events, commands and messages, once."""

import datetime as dt
import tempfile
from collections import Counter

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itsm_core import (
    Actor,
    Agreement,
    BusinessCalendar,
    CustomField,
    EscalationPolicy,
    EscalationStep,
    InvalidValue,
    Metric,
    ServiceDesk,
    Target,
    TransitionRefused,
    VersionConflict,
    fold,
    hours,
    stores,
)
from itsm_core.escalation import Branch, Condition, Repeat, Run, Trigger, advance
from itsm_core.oncall import Person
from itsm_core.ports import Ask, ChangeSet, Position, Timer
from itsm_core.road.consequences import read_of
from itsm_core.road.terms import Standing
from itsm_core.sla import trace

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
ANA, BO = Actor.person("ana", "agent"), Actor.person("bo", "agent")
MONA = Actor.person("mona", "manager")
PROBE = Actor.monitoring("probe")
HIGH = {"impact": "high", "urgency": "high"}
DONE = {"resolution_outcome": "fixed_permanent", "resolution_notes": "restarted"}
AROUND = BusinessCalendar.always("UTC")
GOLD = Agreement(
    "gold", 1, targets=[Target("resolution", Metric.RESOLUTION, duration=hours(4), calendar=AROUND)]
)
PAGE = EscalationStep("page", trigger=Trigger.unacknowledged("5m wall"), to="user:ana")
NEXT = EscalationStep("next", after="10m wall", to="user:bo")
LAST = EscalationStep("last", after="10m wall", to="user:mona")


def paging(version=1, steps=(PAGE, NEXT, LAST), **more):
    """A policy that pages ana after five minutes, bo ten minutes later, then mona."""
    return EscalationPolicy("paging", version, steps=steps, **more)


def desk_on(store, policy=None, **more):
    """A desk that keeps what it sends."""
    sent = more.pop("sent", [])
    desk = ServiceDesk(store, policy=policy or paging(), notifiers=sent.append, **more)
    desk.sent = sent
    return desk


def opened(desk, record_id="INC-1", at=T0, **fields):
    """An incident that monitoring saw."""
    given = {**HIGH, **fields}
    return desk.open("Disk full", actor=PROBE, at=at, record_id=record_id, fields=given)


def told(desk):
    """Whom the desk has told, and how many minutes after the opening."""
    return [(message.to, (message.created_at - T0) // MINUTE) for message in desk.sent]


def of_kind(desk, kind, record_id="INC-1"):
    """The events of a kind."""
    return [event for event in desk.history(record_id) if event.kind == kind]


# --- the policy that a record goes by ---------------------------------------------------------


def test_an_opening_pins_the_newest_version_that_covers_it(store):
    """It is written into the opening, as the agreement is; nothing is added to the record's fields."""
    for_p1 = attrs.evolve(paging(2), priorities={"P1"})
    desk = desk_on(store, [paging(1), for_p1])
    record = opened(desk)
    assert (record.escalation.policy, record.escalation.version) == ("paging", 2)
    assert desk.history("INC-1")[0].fields["watched_by"] == "paging@2"
    assert "watched_by" not in record.values


def test_nobody_pins_a_policy_by_hand(store):
    """The field is the library's own."""
    desk = desk_on(store)
    with pytest.raises(TransitionRefused) as refused:
        opened(desk, watched_by="paging@9")
    assert refused.value.codes == ("reserved_field",)


def test_a_priority_that_comes_later_brings_the_policy(store):
    """No policy covers a record without priority; the one that does from now on begins now."""
    desk = desk_on(store, attrs.evolve(paging(), priorities={"P1"}))
    desk.open("Disk full", actor=PROBE, at=T0, record_id="INC-1")
    assert desk.next_due() is None
    record = desk.reprioritise("INC-1", actor=ANA, at=T0 + HOUR, fields=HIGH)
    assert (record.escalation.policy, record.escalation.started_at) == ("paging", T0 + HOUR)
    desk.tick(T0 + 65 * MINUTE)
    assert told(desk) == [("ana", 65)]


def test_a_record_from_before_is_pinned_when_it_is_armed(store):
    """It was opened on a desk without a policy: nobody is paged for the days gone by."""
    opened(ServiceDesk(store))
    desk = desk_on(store)
    desk.rearm("INC-1", T0 + 3 * DAY)
    (event,) = of_kind(desk, "policy_pinned")
    assert (event.fields["policy"], event.fields["policy_version"]) == ("paging", 1)
    desk.rearm("INC-1", T0 + 3 * DAY)
    assert len(of_kind(desk, "policy_pinned")) == 1
    assert desk.next_due() == T0 + 3 * DAY + 5 * MINUTE


def test_a_version_that_the_desk_lacks_is_said_and_nothing_is_lost(store):
    """The record is stuck with the remedy named; a desk that has the version goes on."""
    opened(desk_on(store, paging(1)))
    newer = desk_on(store, paging(2))
    tick = newer.tick(T0 + 5 * MINUTE)
    ((record, why),) = tick.stuck
    assert (record, type(why), tick.escalated) == ("INC-1", InvalidValue, 0)
    assert "paging 1" in str(why)
    assert "every version that open records go by" in str(why)
    newer.note("INC-1", "nobody was told?", actor=ANA, at=T0 + 6 * MINUTE)
    both = desk_on(store, [paging(1), paging(2)])
    both.tick(T0 + 8 * MINUTE)
    assert told(both) == [("ana", 8)]


def test_a_version_takes_over_on_purpose_and_fires_at_most_one_step(store):
    """An hour went by; the new version has all its steps behind it: the last one fires, alone."""
    desk = desk_on(store, [paging(1, steps=[attrs.evolve(PAGE, trigger=Trigger.unacknowledged("9h wall"))])])
    opened(desk)
    quick = [
        EscalationStep(name, trigger=Trigger.unacknowledged(f"{minute}m wall"), to=f"user:{name}")
        for name, minute in (("one", 5), ("two", 15), ("three", 25))
    ]
    both = desk_on(store, [*desk.terms.policies, paging(2, steps=quick)])
    record = both.migrate_policy(
        "INC-1", version=2, mode="retime_current", reason="too slow", actor=MONA, at=T0 + HOUR
    )
    both.tick(T0 + HOUR)
    both.tick(T0 + 2 * HOUR)
    assert told(both) == [("three", 60)]
    assert (record.escalation.policy, record.escalation.version) == ("paging", 2)
    (moved,) = of_kind(both, "policy_migrated")
    assert (moved.fields["was"], moved.fields["mode"]) == ("paging@1", "retime_current")
    passed = [(event.fields["step"], event.fields["why"]) for event in of_kind(both, "not_escalated")]
    assert passed == [("one", "superseded"), ("two", "superseded")]


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"version": 9}, InvalidValue, "use one of these: paging@1"),
        ({"version": 1, "policy": "night"}, InvalidValue, "night@1"),
        ({"version": 1, "mode": "at once"}, TransitionRefused, "next_step, retime_current, restart"),
        ({"version": 1, "mode": "switch"}, TransitionRefused, "next_step, retime_current, restart"),
        ({"version": "1"}, TransitionRefused, "whole number"),
    ],
)
def test_a_migration_that_leads_nowhere_is_refused(store, given, error, says):
    """By name, with what there is; and nothing is written."""
    desk = desk_on(store)
    before = opened(desk)
    with pytest.raises(error, match=says):
        desk.migrate_policy("INC-1", **given, reason="x", actor=MONA, at=T0)
    assert desk.get("INC-1") == before


def test_a_higher_priority_may_let_another_policy_take_over(store):
    """The policy for P1 enters at most one level at once; down again it stays."""
    slow = EscalationPolicy(
        "slow", 1, steps=[attrs.evolve(PAGE, trigger=Trigger.unacknowledged("2h wall"))],
        priorities={"P3", "P4", "P5"}, on_priority_change="switch",
    )  # fmt: skip
    fast = attrs.evolve(paging(), priorities={"P1", "P2"}, on_priority_change="switch")
    desk = desk_on(store, [slow, fast])
    opened(desk, impact="low", urgency="low")
    record = desk.reprioritise("INC-1", actor=ANA, at=T0 + 30 * MINUTE, fields=HIGH)
    assert (record.escalation.policy, record.escalation.generation) == ("paging", 1)
    (moved,) = of_kind(desk, "policy_migrated")
    assert (moved.fields["was"], moved.fields["mode"]) == ("slow@1", "switch")
    desk.tick(T0 + 30 * MINUTE)
    assert told(desk) == [("ana", 30)]
    low = desk.reprioritise(
        "INC-1", actor=ANA, at=T0 + 31 * MINUTE, fields={"impact": "low", "urgency": "low"}
    )
    assert low.escalation.policy == "paging"


def test_a_priority_that_changes_under_one_policy_changes_no_policy(store):
    """Where it covers the new priority too, or was told to keep."""
    keeps = attrs.evolve(paging(), id="keeps", priorities={"P4", "P5"})
    other = attrs.evolve(paging(), id="other", on_priority_change="switch")
    for one in (other, keeps):
        desk = desk_on(stores.open("memory://"), [one, other])
        opened(desk, impact="low", urgency="low")
        record = desk.reprioritise("INC-1", actor=ANA, at=T0 + MINUTE, fields=HIGH)
        assert (record.escalation.policy, record.escalation.generation) == (one.id, 0)


def test_a_step_that_raises_the_priority_lets_the_other_policy_take_over(store):
    """In the same commit; what it enters with is told at once."""
    steps = [EscalationStep("raise", trigger=Trigger.unacknowledged("5m wall"), sets={"priority": "P1"})]
    slow = EscalationPolicy("slow", 1, steps=steps, priorities={"P5"}, on_priority_change="switch")
    fast = attrs.evolve(paging(), priorities={"P1"})
    desk = desk_on(store, [slow, fast])
    opened(desk, impact="low", urgency="low")
    desk.tick(T0 + 5 * MINUTE)
    assert [event.kind for event in desk.history("INC-1")[1:]] == [
        "escalated", "reprioritised", "policy_migrated", "escalated",
    ]  # fmt: skip
    assert told(desk) == [("ana", 5)]
    assert desk.get("INC-1").escalation.policy == "paging"


def test_a_record_that_its_policy_covers_no_more_is_left_alone(store):
    """Nothing watched it yet but by its priority; the timer that finds nobody ends."""
    opened(ServiceDesk(store))
    only_p1 = attrs.evolve(paging(), priorities={"P1"})
    desk = desk_on(store, only_p1)
    _timer_now(store, store.load("INC-1")[0], T0)
    ServiceDesk(store).reprioritise("INC-1", actor=ANA, at=T0, fields={"impact": "low", "urgency": "low"})
    assert desk.tick(T0 + HOUR).escalated == 0
    assert desk.next_due() is None


def test_another_desks_policy_is_looked_at_when_it_may_want_something_sooner(store):
    """A desk that has other policies says so at once; it closes, and no timer of either is left."""
    desk = desk_on(store)
    opened(desk)
    plain = ServiceDesk(store)
    plain.snooze("INC-1", actor=ANA, at=T0 + MINUTE, until=T0 + 2 * MINUTE)
    assert desk.next_due() == T0 + MINUTE  # nobody there knew when the snooze ends
    desk.tick(T0 + MINUTE)
    assert desk.next_due() == T0 + 2 * MINUTE
    plain.fire("INC-1", "cancel", actor=ANA, at=T0 + 2 * MINUTE, fields={"reason": "a test"})
    assert desk.next_due() is None


def test_a_late_note_says_why_and_so_does_the_pin(store):
    """The pin that follows from it is recorded as late for the same reason."""
    opened(ServiceDesk(store))
    desk = desk_on(store, clock=lambda: T0 + 9 * HOUR)
    why = {"text": "x", "late_reason": "power cut"}
    desk.fire("INC-1", "note", actor=ANA, at=T0 + HOUR, fields=why)
    (pin,) = of_kind(desk, "policy_pinned")
    assert (pin.occurred_at, pin.recorded_at) == (T0 + HOUR, T0 + 9 * HOUR)
    assert pin.fields["late_reason"] == "power cut"


def test_the_other_policys_timer_is_cancelled_when_one_takes_over(store):
    """Nothing of the one before wakes the record any more."""
    night = EscalationPolicy("night", 1, steps=[attrs.evolve(PAGE, to="user:nia")])
    desk = desk_on(store, [paging(), night])
    opened(desk)
    asked = {"reason": "it is night", "actor": MONA, "at": T0 + MINUTE}
    desk.migrate_policy("INC-1", policy="night", version=1, **asked)
    assert store.next_due("escalation/paging") is None
    assert store.next_due("escalation/night") == T0 + 5 * MINUTE
    desk.tick(T0 + HOUR)
    assert {to for to, _ in told(desk)} == {"nia"}


# --- what a step does -------------------------------------------------------------------------


def test_a_step_changes_the_record_by_a_command_of_the_automation(store):
    """The work moves, the priority rises, a field is set, a major incident is proposed."""
    steps = [
        EscalationStep("move", trigger=Trigger.unacknowledged("5m wall"), group="network"),
        EscalationStep("raise", after="1m wall", sets={"priority": "P1"}),
        EscalationStep("mark", after="1m wall", sets={"category": "disk"}),
        EscalationStep("major", after="1m wall", declares_major=True),
    ]
    desk = desk_on(store, paging(steps=steps, last_resort="duty"))
    opened(desk, impact="medium", urgency="medium")
    for minute in range(12):
        desk.tick(T0 + minute * MINUTE)
    record = desk.get("INC-1")
    assert (record.group, record.priority, record.category) == ("network", "P1", "disk")
    made = [event.kind for event in desk.history("INC-1")[1:] if event.kind != "escalated"]
    assert made[:4] == ["assigned", "reprioritised", "amended", "major_proposed"]
    assert {event.actor.id for event in desk.history("INC-1")[1:]} == {"itsm_core"}
    assert of_kind(desk, "reprioritised")[0].fields["priority_reason"] == "escalation step raise"


def test_a_desk_refuses_a_policy_that_sets_what_no_record_holds(store):
    """When it is made, not at night; one of its lifecycles or custom fields is enough."""
    raising = paging(steps=[attrs.evolve(PAGE, to=(), kind="change", sets={"room": "5"})])
    with pytest.raises(
        InvalidValue, match=r"sets \['room'\]: would be refused of step 'page': 'room' is no field"
    ):
        ServiceDesk(store, policy=raising)
    desk = desk_on(store, raising, custom_fields=[CustomField("room", "text")])
    opened(desk)
    desk.tick(T0 + 5 * MINUTE)
    assert desk.get("INC-1").values["room"] == "5"
    with pytest.raises(InvalidValue, match="room takes a whole number"):
        ServiceDesk(store, policy=raising, custom_fields=[CustomField("room", "number")])


@pytest.mark.parametrize("policy", ["line.toml", ["line.toml"]], ids=["alone", "in a list"])
def test_the_name_of_a_file_is_no_policy_and_how_to_read_it_is_said(store, policy):
    """As for agreements: nothing is read behind anybody's back."""
    with pytest.raises(InvalidValue, match=r'read one: config\.load_policy\("line\.toml"\)'):
        ServiceDesk(store, policy=policy)


WORK = [
    # step                                            assignee  group
    ({"assignee": "user:bo"},                         "bo",     "desk"),     # the group stays
    ({"assignee": "on_call:net"},                     "zoe",    "desk"),     # the first who is on call
    ({"assignee": "on_call:net", "group": "net"},     "zoe",    "net"),
    ({"assignee": "role:none", "group": "net"},       None,     "net"),      # nobody: the group's queue
    ({"assignee": "role:none", "group": "desk"},      "ana",    "desk"),     # which has it already
    ({"assignee": "role:none", "when_empty": "fallback", "fallback": "user:mona"}, "mona", "desk"),
    ({"assignee": "role:none"},                       "ana",    "desk"),     # as it was
    ({"assignee": "user:ana"},                        "ana",    "desk"),     # as it was
]  # fmt: skip


@pytest.mark.parametrize(("deed", "assignee", "group"), WORK)
def test_a_step_gives_the_work_to_who_answers(store, deed, assignee, group):
    """By the command of the automation; a person, who is on call, or else the queue of a group."""
    people = {"on_call:net": ("zoe", "bo")}
    step = EscalationStep("take", trigger=Trigger.unacknowledged("5m wall"), **deed)
    desk = desk_on(store, paging(steps=[step]), resolver=lambda name, *_: people.get(name, ()))
    opened(desk, group="desk", assignee="ana")
    desk.tick(T0 + 5 * MINUTE)
    record = desk.get("INC-1")
    assert (record.assignee, record.group) == (assignee, group)
    assert len(of_kind(desk, "assigned")) == ((assignee, group) != ("ana", "desk"))
    assert (desk.sent, record.escalation.told()) == ([], frozenset())
    empty = [event.fields["why"] for event in of_kind(desk, "not_escalated")]
    assert empty == (["empty"] if deed == {"assignee": "role:none"} else [])


def test_work_for_nobody_is_told_to_the_last_resort(store):
    """As where nobody is to be told."""
    step = EscalationStep("take", trigger=Trigger.unacknowledged("5m wall"), assignee="on_call:net")
    desk = desk_on(store, paging(steps=[step], last_resort="user:mona"), resolver=lambda *_: ())
    opened(desk)
    desk.tick(T0 + 5 * MINUTE)
    assert told(desk) == [("mona", 5)]


def test_work_is_not_given_to_who_is_absent(store):
    """The directory is asked for the assignee of a step as for those who are told."""
    away = Person("bo", absent_until=T0 + HOUR)
    known = {"role:lead": ("bo", "mona"), "user:bo": away, "user:mona": Person("mona")}
    step = EscalationStep("take", trigger=Trigger.unacknowledged("5m wall"), assignee="role:lead")
    desk = desk_on(store, paging(steps=[step]), directory=lambda name, _: known.get(name))
    opened(desk)
    desk.tick(T0 + 5 * MINUTE)
    assert desk.get("INC-1").assignee == "mona"


def test_a_refusal_is_recorded_and_the_next_step_goes_on(store):
    """No problem is a major incident: that is noted, and bo is told all the same."""
    steps = [
        EscalationStep("major", trigger=Trigger.unacknowledged("5m wall"), declares_major=True),
        EscalationStep("next", after="1m wall", to="user:bo"),
    ]
    desk = desk_on(store, paging(steps=steps))
    desk.open("Leak", actor=PROBE, at=T0, record_id="PRB-1", process="problem", fields=HIGH)
    desk.tick(T0 + 5 * MINUTE)
    desk.tick(T0 + 6 * MINUTE)
    (refused,) = of_kind(desk, "refused", "PRB-1")
    assert refused.fields["trigger"] == "declare_major"
    assert told(desk) == [("bo", 6)]


def test_nothing_is_changed_that_is_so_already(store):
    """The work lies with the group, the priority stands: the step fired, and that is all."""
    steps = [
        EscalationStep("move", trigger=Trigger.unacknowledged("5m wall"), group="network"),
        EscalationStep("raise", after="1m wall", sets={"priority": "P1"}),
    ]
    desk = desk_on(store, paging(steps=steps, last_resort="duty"))
    opened(desk, group="network")
    desk.tick(T0 + 5 * MINUTE)
    desk.tick(T0 + 6 * MINUTE)
    assert [event.kind for event in desk.history("INC-1")] == ["opened", "escalated", "escalated"]


def test_a_branch_and_a_repetition_are_written_with_where_they_went(store):
    """So that the history tells the chain."""
    steps = [
        PAGE,
        EscalationStep("fork", after="1m wall", branches=[Branch(Condition(priorities=["P1"]), "boss")]),
        EscalationStep("lead", after="1m wall", to="user:lea"),
        EscalationStep("boss", after="1m wall", to="user:mona"),
        EscalationStep("again", after="1m wall", repeat=Repeat("page", 1)),
    ]
    desk = desk_on(store, paging(steps=steps))
    opened(desk)
    for minute in range(60):
        desk.tick(T0 + minute * MINUTE)
    assert [to for to, _ in told(desk)] == ["ana", "mona", "ana", "mona"]
    went = [(e.fields["step"], e.fields["went"]) for e in of_kind(desk, "escalated") if "went" in e.fields]
    assert went == [("fork", "boss"), ("again", "page"), ("fork", "boss")]
    assert [message.key.split("/")[2] for message in desk.sent] == ["0", "0", "1", "1"]


def test_a_message_carries_run_generation_urgency_and_lateness(store):
    """What its relay needs to know whether it is still wanted, and how long."""
    step = attrs.evolve(PAGE, urgency="high", catch_up="expire", expires_after="30m", channel="sms")
    desk = desk_on(store, paging(steps=[step]))
    opened(desk)
    desk.tick(T0 + 8 * MINUTE)
    (message,) = desk.sent
    assert (message.channel, message.urgency, message.generation) == ("sms", "high", 0)
    assert message.run == "INC-1:paging"
    assert message.expires_at == T0 + 35 * MINUTE
    assert message.facts["lateness_us"] == 3 * 60 * 1_000_000
    (event,) = of_kind(desk, "escalated")
    assert (event.fields["scheduled_at"], event.fields["lateness_us"]) == (
        "2024-01-08T09:05:00.000000Z",
        180_000_000,
    )
    assert event.occurred_at == T0 + 8 * MINUTE


def test_a_callback_is_a_notifier_of_its_own(store):
    """It is called by the name that it was registered under, through the outbox as everything else."""
    called, sent = [], []
    step = attrs.evolve(PAGE, to="callback:siren")
    notifiers = {"callback:siren": called.append, "*": sent.append}
    desk = ServiceDesk(store, policy=paging(steps=[step]), notifiers=notifiers)
    opened(desk)
    desk.tick(T0 + 5 * MINUTE)
    assert [(message.to, message.record) for message in called] == [("callback:siren", "INC-1")]
    assert sent == []


@pytest.mark.parametrize(
    "policy",
    [
        paging(steps=[attrs.evolve(PAGE, to=("user:ana", "callback:siren"))]),
        paging(steps=[attrs.evolve(PAGE, to="lead", when_empty="fallback", fallback="callback:siren")]),
        paging(last_resort="callback:siren"),
    ],
    ids=["to", "fallback", "last resort"],
)
@pytest.mark.parametrize("notifiers", [print, {"*": print}, {"email": print, "callback:bell": print}])
def test_a_callback_that_nobody_registered_is_refused_by_the_desk(store, policy, notifiers):
    """When it is made, not at night; a desk that sends nothing cannot know."""
    with pytest.raises(
        InvalidValue, match=r"'callback:siren': is called by paging@1.*register it: notifiers="
    ):
        ServiceDesk(store, policy=policy, notifiers=notifiers)
    assert ServiceDesk(store, policy=policy).terms.policies == (policy,)


def test_a_channel_without_a_notifier_is_refused_by_the_desk(store):
    """When it is made, not at night; a desk that sends nothing cannot know, nor one whose people have channels."""
    policy = paging(steps=[attrs.evolve(PAGE, channel="sms"), NEXT])
    known = {"email": print, "console": print}
    with pytest.raises(
        InvalidValue,
        match=r"^notifiers 'sms': is the channel of step 'page' of paging@1, and has no notifier; "
        r'register it: notifiers=\{"sms": function, ...\}, or say one of console, email$',
    ):
        ServiceDesk(store, policy=policy, notifiers=known)
    for more in ({"sms": print}, {"*": print}):
        assert ServiceDesk(store, policy=policy, notifiers={**known, **more}).terms.policies == (policy,)
    assert ServiceDesk(store, policy=policy).terms.policies == (policy,)
    assert ServiceDesk(store, policy=policy, notifiers=known, directory=lambda *_: None).terms.policies == (
        policy,
    )


def test_a_channel_by_which_nobody_is_told_needs_no_notifier(store):
    """Neither of a step that moves work, nor of one that calls machines only."""
    steps = [EscalationStep("move", "50 %", group="network"), attrs.evolve(PAGE, to="callback:siren")]
    policy = paging(steps=steps)
    desk = ServiceDesk(store, policy=policy, notifiers={"callback:siren": print, "email": print})
    assert desk.terms.policies == (policy,)


def test_a_callback_that_only_a_resolver_knew_fails_and_is_told_to_nobody_else(store):
    """What was meant for a machine is no message to anybody: it fails, with the reason."""
    sent = []
    step = attrs.evolve(PAGE, to="role:alarm")
    desk = desk_on(store, paging(steps=[step]), sent=sent, resolver=lambda *_: ("callback:siren",))
    opened(desk)
    tick = desk.tick(T0 + 5 * MINUTE)
    assert sent == []
    ((key, why),) = tick.failures
    assert "/callback:siren/" in key
    assert "no notifier for the channel 'callback:siren', only for *" in why


@pytest.mark.parametrize(
    ("late", "ends"),
    [
        (HOUR - dt.timedelta(microseconds=1), ["ana"]),
        (HOUR, ["expired"]),
        (HOUR + dt.timedelta(microseconds=1), ["expired"]),
    ],
)
def test_a_step_and_its_message_expire_at_the_same_instant(store, late, ends):
    """What fires is still sent: up to `expires_after` late, and no more from there on."""
    step = attrs.evolve(PAGE, catch_up="expire", expires_after="1h")
    desk = desk_on(store, paging(steps=[step]))
    opened(desk)
    tick = desk.tick(T0 + 5 * MINUTE + late)
    fired = [event.fields["to"] for event in of_kind(desk, "escalated")]
    assert fired + [event.fields["why"] for event in of_kind(desk, "not_escalated")] == ends
    assert [message.to for message in desk.sent] == fired
    assert tick.expired_messages == 0


def test_what_did_not_fire_is_told_once_with_why(store):
    """Nobody on call, and a condition that does not hold: an event each, and no more however often asked."""
    steps = [
        EscalationStep("page", trigger=Trigger.unacknowledged("5m wall"), to="on_call:none"),
        EscalationStep("low", after="1m wall", to="user:bo", when=Condition(priorities=["P5"])),
        EscalationStep("boss", after="1m wall", to="user:mona"),
    ]
    desk = desk_on(store, paging(steps=steps), resolver=lambda *_: ())
    opened(desk)
    for minute in range(30):
        desk.tick(T0 + minute * MINUTE)
    passed = [(event.fields["step"], event.fields["why"]) for event in of_kind(desk, "not_escalated")]
    assert passed == [("page", "empty"), ("low", "condition")]
    assert [to for to, _ in told(desk)] == ["mona"]


# --- what was not sent ------------------------------------------------------------------------


def test_what_was_not_sent_is_void_once_somebody_acknowledges(store):
    """The pager was down when ana took it up: bo's page, still in the outbox, is never sent."""
    sent, down = [], [True]

    def pager(message):
        if down[0]:
            raise ConnectionError
        sent.append(message)

    desk = ServiceDesk(store, policy=paging(), notifiers=pager)
    opened(desk)
    desk.tick(T0 + 5 * MINUTE)
    desk.acknowledge("INC-1", actor=ANA, at=T0 + 5 * MINUTE)
    down[0] = False
    for minute in range(6, 30):
        desk.tick(T0 + minute * MINUTE)
    assert sent == []


def test_an_acknowledgement_between_claim_and_send_is_in_time(store):
    """The worker holds the message when she says that she is on it: it is not sent."""
    desk = desk_on(store)
    opened(desk)
    ServiceDesk(store, policy=paging()).tick(T0 + 5 * MINUTE)  # fires, and sends nothing
    ticking, answer = desk._tick(T0 + 5 * MINUTE, None), None
    try:
        while True:
            wanted = ticking.send(answer)
            answer = desk._answer(wanted)
            if (
                isinstance(wanted, Ask)
                and wanted.method == "claim"
                and wanted.arguments[0] == "message"
                and answer
            ):
                desk.acknowledge("INC-1", actor=ANA, at=T0 + 5 * MINUTE)
    except StopIteration:
        pass
    assert desk.sent == []


# --- outages and clocks -----------------------------------------------------------------------


def test_an_outage_of_three_hours_wakes_one_after_the_other(store):
    """A chain is serial: the overdue step fires once, late and said so; the next waits anew from then."""
    desk = desk_on(store)
    opened(desk)
    for minute in range(185, 240):  # the desk was down from 9:00 until 12:05
        desk.tick(T0 + minute * MINUTE)
    assert told(desk) == [("ana", 185), ("bo", 195), ("mona", 205)]
    late = [event.fields["lateness_us"] // 60_000_000 for event in of_kind(desk, "escalated")]
    assert late == [180, 0, 0]


def test_thresholds_that_an_outage_skipped_are_told_as_coalesced(store):
    """Of 50, 75 and 90 % that passed meanwhile the manager hears of the last alone."""
    steps = [EscalationStep(f"at-{share}", share, to="manager") for share in (50, 75, 90)]
    desk = desk_on(store, EscalationPolicy("shares", 1, steps=steps), agreement=GOLD)
    opened(desk)
    desk.tick(T0 + 3 * HOUR + 50 * MINUTE)
    desk.tick(T0 + 3 * HOUR + 51 * MINUTE)
    assert [message.facts["step"] for message in desk.sent] == ["at-90"]
    passed = [(event.fields["step"], event.fields["why"]) for event in of_kind(desk, "not_escalated")]
    assert passed == [("at-50", "coalesced"), ("at-75", "coalesced")]


def test_a_clock_set_back_ten_minutes_fires_nothing_twice_and_is_told_once(store):
    """Nothing happens until it has caught up; then all goes on in its time."""
    desk = desk_on(store)
    opened(desk)
    desk.tick(T0 + 15 * MINUTE)
    for minute in (5, 6, 5, 10):  # set back, at 9:15, to 9:05
        tick = desk.tick(T0 + minute * MINUTE)
        assert (tick.escalated, tick.stuck) == (0, ())
    for minute in range(10, 60):
        desk.tick(T0 + minute * MINUTE)
    assert told(desk) == [("ana", 15), ("bo", 25), ("mona", 35)]


def test_a_step_that_is_due_while_the_clock_is_set_back_says_so(store):
    """Somebody moved the timer of the record: the worker with the wrong clock looks, and fires nothing."""
    desk = desk_on(store)
    opened(desk)
    desk.tick(T0 + 15 * MINUTE)
    desk.note("INC-1", "x", actor=ANA, at=T0 + 15 * MINUTE)
    snapshot, _ = store.load("INC-1")
    _timer_now(store, snapshot, T0 + 5 * MINUTE)
    assert desk.tick(T0 + 5 * MINUTE).stuck == ()
    (passed,) = of_kind(desk, "not_escalated")
    assert passed.fields["why"] == "clock_regressed"
    _timer_now(store, store.load("INC-1")[0], T0 + 5 * MINUTE)
    desk.tick(T0 + 6 * MINUTE)
    assert len(of_kind(desk, "not_escalated")) == 1
    assert told(desk) == [("ana", 15)]


def _timer_now(store, snapshot, at):
    """Moves the timer of the record to an instant."""
    kind = "escalation/paging"
    timer = Timer(id=f"INC-1/{kind}", record="INC-1", kind=kind, due=at)
    version = snapshot.record.version
    store.commit(ChangeSet(record="INC-1", expected=version, events=(), snapshot=snapshot, timers=(timer,)))


# --- laws -------------------------------------------------------------------------------------


def keys_of(store):
    """The keys of all that was done or passed over, counted.

    A worker that stalled for minutes has an old clock; that it says so is no effect of the policy.
    """
    events, _ = store.read(Position(), 10_000)
    kinds = ("escalated", "not_escalated", "escalation_resumed")
    told = [event.fields for event in events if event.kind in kinds]
    return Counter(fields["key"] for fields in told if fields.get("why") != "clock_regressed")


MANY = EscalationPolicy(
    "many",
    1,
    steps=[
        EscalationStep("page", trigger=Trigger.unacknowledged("5m wall"), to=("user:ana", "user:bo")),
        EscalationStep("move", after="5m wall", group="network"),
        EscalationStep("gone", after="5m wall", to="nobody"),
        EscalationStep("boss", after="5m wall", to="user:mona"),
        EscalationStep("again", after="5m wall", repeat=Repeat("page", 2)),
        EscalationStep("half", 50, to="user:lea"),
        EscalationStep("most", 75, to="user:lea"),
    ],
    last_resort="duty",
    ack_timeout="20m wall",
)
AT = [T0 + 7 * n * MINUTE for n in range(12)]
FREED = 2 * MINUTE
HOURLY = attrs.evolve(GOLD, targets=[attrs.evolve(GOLD.targets[0], duration=hours(1))])


def nobody(name, _, __):
    """A resolver that knows nobody."""
    return ()


def prepared(url="memory://"):
    """A store with two records, one of which is acknowledged and will lapse."""
    store = stores.open(url)
    desk = ServiceDesk(store, policy=MANY, agreement=HOURLY, resolver=nobody)
    opened(desk, "A")
    opened(desk, "B")
    desk.acknowledge("B", actor=ANA, at=T0 + 2 * MINUTE)
    return store


def alone():
    """The keys that a single worker leaves, tick by tick."""
    store, sent = prepared(), []
    desk = ServiceDesk(store, policy=MANY, agreement=HOURLY, resolver=nobody, notifiers=sent.append)
    for at in AT:
        desk.tick(at)
        desk.tick(at + FREED)
    return keys_of(store), {message.key for message in sent}


class Worker:
    """One process that ticks: a generator driven by hand, which may die between any two steps."""

    def __init__(self, store, name, sent):
        self.desk = ServiceDesk(
            store, policy=MANY, agreement=HOURLY, resolver=nobody, notifiers=sent.append, worker=name
        )
        self.running = None

    def start(self, at):
        """Begins a tick; one that runs is dropped, as a crash drops it."""
        self.running, self.answer, self.throw = self.desk._tick(at, None), None, None

    def step(self):
        """One step: what it asks for is done, or it learns that it lost a race."""
        if self.running is None:
            return
        try:
            if self.throw is not None:
                error, self.throw = self.throw, None
                wanted = self.running.throw(error)
            else:
                wanted = self.running.send(self.answer)
        except StopIteration:
            self.running = None
            return
        try:
            self.answer = self.desk._answer(wanted)
        except VersionConflict as conflict:
            self.throw = conflict

    def finish(self, at):
        """Ticks to the end, after whoever was dropped has lost its lease."""
        self.start(at)
        while self.running is not None:
            self.step()


def interleaved(data, url, places):
    """Workers on a store, driven step by step in any order, which die or stall between any two steps."""
    store, sent = prepared(url), []
    workers = [Worker(place(store), f"w{n}", sent) for n, place in enumerate(places)]
    for at in AT:
        stalled = data.draw(st.sets(st.sampled_from(range(len(workers)))), "stalled")
        for n, worker in enumerate(workers):
            if worker.running is None or n not in stalled:  # who stalls goes on later, when its lease is over
                worker.start(at)
        for which in data.draw(st.lists(st.integers(0, 2 * len(workers) - 1), max_size=60), "steps"):
            if which < len(workers):
                workers[which].step()
            else:
                workers[which - len(workers)].start(at)  # it died, and begins again
        Worker(store, "last", sent).finish(at + FREED)  # whoever died holds its claims no more
    return store, {message.key for message in sent}


@pytest.mark.law
@given(st.data())
def test_any_interleaving_of_workers_with_crashes_leaves_what_one_leaves(data):
    """Two to four workers, crashes between any two steps: exactly the keys of a single worker, each once."""
    keys, sent_alone = alone()
    assert len(keys) > 20
    many = data.draw(st.integers(2, 4), "workers")
    store, sent = interleaved(data, "memory://", [lambda store: store] * many)
    assert (keys_of(store), sent) == (keys, sent_alone)


@pytest.mark.law
@settings(max_examples=8)
@given(st.data())
def test_any_interleaving_of_processes_on_one_file_leaves_what_one_leaves(data):
    """The same where each has a connection of its own to one SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/desk.db"
        apart = [stores.open(url) for _ in range(2)]
        store, sent = interleaved(data, url, [lambda _, own=own: own for own in apart])
        assert (keys_of(store), sent) == alone()
        for one in (store, *apart):
            one.close()


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_what_the_events_tell_is_what_the_engine_returned(gaps):
    """The run of the record folded anew equals the run that `advance` gave, tick by tick."""
    store = stores.open("memory://")
    desk = ServiceDesk(store, policy=MANY, agreement=HOURLY, resolver=nobody)
    opened(desk, "A")
    now = T0
    for gap in gaps:
        now += gap * MINUTE
        events = desk.history("A")
        known = Standing(fold(events), trace(events))
        run, _ = advance(Run.of(known.record, MANY), now, read_of(desk.terms, known, now), nobody)
        desk.tick(now)
        record = desk.get("A")
        assert (record.fired, record.escalation) == (run.fired, run.escalation)
        assert record == fold(desk.history("A"))
