"""Laws of the engine, whatever happens to the record in between."""

import datetime as dt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalated import T0, Desk
from itsm_core import fold
from itsm_core.escalation import (
    Branch,
    ClockRegressed,
    Condition,
    EscalationPolicy,
    EscalationStep,
    NotFired,
    Repeat,
    Trigger,
    as_named,
)
from itsm_core.escalation.policies import ON_HANDOFF
from itsm_core.oncall import OnCall, Rotation

MINUTE = dt.timedelta(minutes=1)
DONE = {"resolution_outcome": "workaround", "resolution_notes": "x"}
HOLD = {"hold_reason": "requester", "message": "?", "look_again_at": T0 + dt.timedelta(days=9)}
POLICY = EscalationPolicy(
    "line",
    1,
    steps=[
        EscalationStep("page", trigger=Trigger.unacknowledged("5m wall"), to="on_call:a"),
        EscalationStep("fork", after="5m wall", branches=[Branch(Condition(priorities="P1"), "boss")]),
        EscalationStep("lead", after="0m wall", to="lead"),
        EscalationStep("boss", after="10m wall", to="boss", catch_up="coalesce"),
        EscalationStep("again", after="0m wall", repeat=Repeat("page", 2)),
        EscalationStep("half", "50 %", to="lead"),
        EscalationStep("then", after="20m wall", to="boss"),
        EscalationStep("most", "75 %", to="lead"),
        EscalationStep("held", trigger=Trigger.in_state("on_hold", "30m wall"), to="lead"),
        EscalationStep("quiet", trigger=Trigger.silent("1h wall"), to="lead"),
        EscalationStep("twice", trigger=Trigger.reopened(1), to="boss"),
        EscalationStep("moved", trigger=Trigger.reassigned(2), to="boss"),
        EscalationStep("urgent", trigger=Trigger.priority_changed(), group="network"),
    ],
    last_resort="duty",
    ack_timeout="45m wall",
)
SHIFTS = Rotation("hourly", T0.replace(tzinfo=None), zone="UTC", participants=("ana", ("bea", "cy"), "cy"))
"""Whoever acknowledges here is ana, who is on duty every third hour."""

_DEEDS = st.sampled_from(
    ["tick", "back", "ack", "snooze", "note", "hold", "resume", "resolve", "reopen", "assign", "low", "high"]
)


def do(desk, deed, now, nth):
    """Something that happens to the record, if it may."""
    state = fold(desk.events).state
    if deed == "ack":
        desk.heard("acknowledged", now)
    elif deed == "snooze":
        desk.heard("snoozed", now, until=now + 30 * MINUTE)
    elif deed == "note":
        desk.heard("noted", now, text="x")
    elif deed == "hold" and state == "new":
        desk.fire("hold", now, **HOLD)
    elif deed == "resume" and state == "on_hold":
        desk.fire("resume", now)
    elif deed == "resolve" and state in ("new", "in_progress", "on_hold"):
        desk.fire("resolve", now, **DONE)
    elif deed == "reopen" and state == "resolved":
        desk.fire("reopen", now, reason="x")
    elif deed == "assign" and state != "resolved":
        desk.fire("assign", now, group=f"g{nth}")
    elif deed in ("low", "high") and state != "resolved":
        desk.fire("reprioritise", now, impact=deed)


@pytest.mark.law
@given(
    st.lists(st.tuples(_DEEDS, st.integers(0, 90)), max_size=20), st.booleans(), st.sampled_from(ON_HANDOFF)
)
def test_whatever_happens_each_effect_comes_once_never_early_and_nothing_is_left_due(
    deeds, empty, on_handoff
):
    """And, as every tick of this desk checks: the record tells the same run, which wants nothing more."""
    resolver = OnCall({"a": SHIFTS}, otherwise=(lambda *_: ()) if empty else as_named)
    desk = Desk(attrs.evolve(POLICY, on_handoff=on_handoff), resolver)
    now, fired = T0, []
    for nth, (deed, minutes) in enumerate(deeds):
        now += minutes * MINUTE
        if deed == "back":
            last, before = desk.run.escalation.last_at, now - dt.timedelta(hours=9)
            found = desk.tick(before)
            is_behind = last is not None and before < last
            assert not is_behind or all(isinstance(effect, ClockRegressed) for effect in found)
        else:
            do(desk, deed, now, nth)
            found = desk.tick(now)
        fired += [effect.key for effect in found if not isinstance(effect, NotFired)]
        assert all(effect.lateness >= dt.timedelta() for effect in found)
        due = desk.due(now)
        assert due is None or due > now or deed == "back"
    assert len(fired) == len(set(fired))
