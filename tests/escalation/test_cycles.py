"""What a policy sets off by its own changes: at once, and never for ever."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itsm_core import Actor, EscalationPolicy, EscalationStep, ServiceDesk, stores
from itsm_core.escalation import Condition, Trigger, lint

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
ANA, PROBE = Actor.person("ana", "agent"), Actor.monitoring("probe")


def when(step, priority, /, **deed):
    """A chain that a change of priority to this one sets off."""
    return EscalationStep(step, trigger=Trigger.priority_changed(to=priority), **deed)


def line(*steps, **more):
    return EscalationPolicy("line", 1, steps=steps, **{"last_resort": "duty", **more})


UP, DOWN = when("up", "P2", sets={"priority": "P1"}), when("down", "P1", sets={"priority": "P2"})
EACH_OTHER = line(UP, DOWN)


def on(store, policy, priority="P3", **more):
    """A desk with one incident of a priority."""
    desk = ServiceDesk(store, policy=policy, **more)
    fields = {"priority": priority, "priority_reason": "agreed"}
    desk.open("Disk full", actor=PROBE, at=T0, record_id="INC-1", fields=fields)
    return desk


def changed(desk, at, priority):
    desk.reprioritise("INC-1", actor=ANA, at=at, fields={"priority": priority, "priority_reason": "agreed"})


def fired(desk):
    """Which steps fired, and how many minutes after the opening."""
    return [
        (event.fields["step"], (event.occurred_at - T0) // MINUTE)
        for event in desk.history("INC-1")
        if event.kind == "escalated"
    ]


def ticked(desk, minutes, since=0):
    for minute in range(since, since + minutes):
        desk.tick(T0 + minute * MINUTE)


# --- never for ever -------------------------------------------------------------------------------


def test_two_chains_that_set_each_others_priority_come_to_an_end(store):
    """Each is set off once by what somebody did: a change that a chain led to does not set it off."""
    desk = on(store, EACH_OTHER)
    changed(desk, T0 + 5 * MINUTE, "P2")
    ticked(desk, 60)
    assert fired(desk) == [("up", 5), ("down", 5)]
    assert desk.next_due() is None


def test_they_begin_again_when_somebody_changes_the_priority(store):
    """From the other end, too."""
    desk = on(store, EACH_OTHER)
    changed(desk, T0 + 5 * MINUTE, "P2")
    ticked(desk, 10)
    changed(desk, T0 + 10 * MINUTE, "P1")
    ticked(desk, 60, since=10)
    assert fired(desk) == [("up", 5), ("down", 5), ("down", 10), ("up", 10)]


def test_a_chain_that_sets_two_priorities_one_after_the_other_does_not_set_itself_off(store):
    """Its second step is not the beginning of its first."""
    desk = on(store, line(when("first", (), sets={"priority": "P1"}),
                          EscalationStep("then", after="5m wall", sets={"priority": "P2"})))  # fmt: skip
    changed(desk, T0 + MINUTE, "P4")
    ticked(desk, 60)
    assert fired(desk) == [("first", 1), ("then", 6)]


def test_a_cycle_of_three_with_waits_comes_to_an_end(store):
    """However far round the change comes from, and however late."""
    waits = {"after": "7m wall"}
    desk = on(store, line(
        when("a", "P1", to="user:bo"), EscalationStep("a2", **waits, sets={"priority": "P2"}),
        when("b", "P2", to="user:bo"), EscalationStep("b2", **waits, sets={"priority": "P3"}),
        when("c", "P3", to="user:bo"), EscalationStep("c2", **waits, sets={"priority": "P1"}),
    ))  # fmt: skip
    changed(desk, T0 + MINUTE, "P1")
    ticked(desk, 120)
    assert [step for step, _ in fired(desk)] == ["a", "a2", "b", "b2", "c", "c2"]


def test_what_a_step_did_not_change_it_did_not_lead_to(store):
    """A step passed over at the very instant at which somebody else changed the priority."""
    lower = EscalationStep("lower", after="5m wall", sets={"priority": "P4"}, when=Condition(priorities="P5"))
    desk = on(store, line(when("tell", (), to="user:bo"), lower))
    changed(desk, T0 + MINUTE, "P2")
    ticked(desk, 7)
    changed(desk, T0 + 6 * MINUTE, "P1")
    ticked(desk, 60, since=6)
    assert fired(desk) == [("tell", 1), ("tell", 6)]


def test_impact_and_urgency_make_a_priority_too(store):
    """The matrix answers what a step sets."""
    desk = on(store, line(when("up", "P2", sets={"impact": "high"}), when("down", "P1", sets={"impact": "low"}),
                          when("mid", "P3", sets={"impact": "medium"})))  # fmt: skip
    desk.reprioritise("INC-1", actor=ANA, at=T0 + MINUTE, fields={"impact": "medium", "urgency": "high"})
    ticked(desk, 60)
    assert fired(desk) == [("up", 1), ("down", 1), ("mid", 1)]


def test_two_policies_do_not_pass_a_record_on_for_ever(store):
    """Steps alone hand it back to none that had it; a person does."""
    low = line(when("raise", (), sets={"priority": "P1"}), priorities=["P2"], on_priority_change="switch")
    high = EscalationPolicy("high", 1, priorities=["P1"], on_priority_change="switch", steps=[
        when("lower", (), sets={"priority": "P3"}),
        EscalationStep("back", after="1m wall", sets={"priority": "P2"}),
    ])  # fmt: skip
    desk = on(store, [low, high], "P2")
    changed(desk, T0 + MINUTE, "P4")
    ticked(desk, 120)
    assert len(fired(desk)) < 10
    assert desk.next_due() is None
    assert desk.get("INC-1").escalation.policy == "high"


_PRIORITY = st.sampled_from(["P1", "P2", "P3"])
_CHAIN = st.tuples(
    st.sets(_PRIORITY, max_size=2),  # what sets it off
    st.lists(st.tuples(_PRIORITY | st.none(), st.integers(0, 2)), min_size=1, max_size=3),  # sets, or tells
)


def drawn(number, to, deeds):
    """A chain of steps that set a priority or tell somebody, each some minutes after the one before."""
    for place, (priority, minutes) in enumerate(deeds):
        deed = {"to": "user:bo"} if priority is None else {"sets": {"priority": priority}}
        begins = {"after": f"{minutes}m wall"} if place else {"trigger": Trigger.priority_changed(to=to)}
        yield EscalationStep(f"c{number}-{place}", **begins, **deed)


@settings(max_examples=150, deadline=None)
@given(st.lists(_CHAIN, min_size=1, max_size=4), st.lists(_PRIORITY, min_size=1, max_size=3))
def test_whatever_chains_answer_each_other_they_come_to_an_end(chains, changes):
    """Law: after each change that somebody makes nothing is left due before long, and no tick comes back."""
    steps = [step for n, (to, deeds) in enumerate(chains) for step in drawn(n, to, deeds)]
    desk, now = on(stores.open("memory://"), line(*steps)), T0
    for priority in changes:
        now += HOUR
        changed(desk, now, priority)
        for _ in range(200):
            due = desk.next_due()
            if due is None:
                break
            now = max(now, due)
            desk.tick(now)
        assert desk.next_due() is None


# --- told beforehand ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "where"),
    [
        ((UP, DOWN), ["up"]),
        ((DOWN, UP), ["down"]),
        ((when("any", (), sets={"priority": "P1"}), DOWN), ["any"]),
        ((when("a", "P1", sets={"priority": "P2"}), when("b", "P2", sets={"priority": "P3"}),
          when("c", "P3", sets={"priority": "P1"})), ["a"]),
        ((when("twice", (), sets={"priority": "P1"}),
          EscalationStep("then", after="5m wall", sets={"priority": "P2"})), ["twice"]),
        ((when("a", "P3", sets={"impact": "high"}), when("b", "P1", sets={"urgency": "low"})), ["a"]),
        ((UP, DOWN, when("c", "P4", sets={"priority": "P5"}), when("d", "P5", sets={"priority": "P4"})),
         ["up", "c"]),
        ((UP,), []),
        ((when("always", (), sets={"priority": "P1"}),), []),
        ((when("a", "P1", sets={"priority": "P2"}), when("b", "P2", sets={"priority": "P3"})), []),
        ((UP, when("down", "P1", sets={"priority": "P2"}, priorities="P3")), []),
        ((UP, EscalationStep("down", "50 %", sets={"priority": "P2"})), []),
        ((UP, when("tell", "P1", to="user:bo")), []),
        ((when("a", (), sets={"priority": "P1"}), when("b", (), sets={"priority": "P1"})), []),
    ],
)  # fmt: skip
def test_lint_finds_what_would_go_round(steps, where):
    """Each round once; what ends by itself is none."""
    assert [(one.code, one.where) for one in lint(line(*steps))] == [("E011", step) for step in where]


def test_the_finding_says_the_way_round():
    """And what to do."""
    (finding,) = lint(EACH_OTHER)
    assert "'up' to 'down' to 'up'" in str(finding)
    assert "to=..." in finding.remedy


# --- at once --------------------------------------------------------------------------------------


def test_what_a_step_sets_off_fires_with_it(store):
    """In one commit, not a minute late."""
    sent = []
    desk = on(store, line(
        EscalationStep("raise", trigger=Trigger.unacknowledged("5m wall"), sets={"priority": "P1"}),
        when("tell", "P1", to="user:bo"),
    ), notifiers=sent.append)  # fmt: skip
    assert desk.tick(T0 + 5 * MINUTE).escalated == 2
    assert fired(desk) == [("raise", 5), ("tell", 5)]
    assert [(one.to, one.facts["lateness_us"]) for one in sent] == [("bo", 0)]
    assert desk.next_due() is None


def test_a_word_told_at_once_stays_valid_when_what_it_sets_off_moves_a_snoozed_record(store):
    """Moving it begins a generation; nobody has heard anything else since."""
    sent = []
    desk = on(store, line(
        EscalationStep("tell", trigger=Trigger.in_state("new", "5m wall"), to="user:bo"),
        EscalationStep("raise", trigger=Trigger.in_state("new", "5m wall"), sets={"priority": "P1"}),
        when("move", "P1", group="network"),
    ), notifiers=sent.append)  # fmt: skip
    desk.assign("INC-1", actor=ANA, at=T0, group="desk")
    desk.snooze("INC-1", actor=ANA, at=T0, until=T0 + 2 * HOUR)
    ticked(desk, 6)
    assert [step for step, _ in fired(desk)] == ["tell", "raise", "move"]
    assert [one.to for one in sent] == ["bo"]
