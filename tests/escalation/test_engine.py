"""The escalation engine: what fires, when, to whom, and that it fires once."""

import datetime as dt
from fractions import Fraction

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core import Actor, Command, decide, fold
from itsm_core.business_time import BusinessCalendar, hours
from itsm_core.errors import InvalidValue
from itsm_core.escalation import (
    ClocksRead,
    EscalationPolicy,
    EscalationStep,
    Inform,
    Move,
    Run,
    Unanswered,
    advance,
    as_named,
    next_due,
    wording,
)
from itsm_core.processes import INCIDENT
from itsm_core.sla import ClockState, Metric, Target, conclude, trace

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
ANA = Actor.person("ana", "agent")
TARGET = Target(
    "resolution",
    Metric.RESOLUTION,
    duration=hours(4),
    calendar=BusinessCalendar.always("UTC"),
    pauses_on={"requester"},
)

WARN = EscalationStep("warn", "75 %", to=("lead", "deputy"))
MOVE = EscalationStep("second-line", "50 %", kind="functional", group="network")
LATE = EscalationStep("late", 100, to="manager", channel="sms")
POLICY = EscalationPolicy("standard", 3, steps=[WARN, MOVE, LATE])


def opened(**fields):
    """The events of a fresh incident."""
    known = {"record": "I-1", "title": "Mail is down", "impact": "high", "urgency": "high", **fields}
    return list(decide(None, Command("open", Actor.person("u"), at=T0, fields=known), INCIDENT).events)


def fired(events, trigger, at, **fields):
    """The events after one more command."""
    record = fold(events)
    return [*events, *decide(record, Command(trigger, ANA, at=at, fields=fields), INCIDENT).events]


def read(events, now):
    """The clock of the target as the engine reads it."""
    return ClocksRead(clocks={Metric.RESOLUTION: conclude(trace(events), TARGET, now)})


def go(events, now, run=None, policy=POLICY, resolver=as_named):
    """What the policy wants at `now`."""
    return advance(run or Run.of(fold(events), policy), now, read(events, now), resolver)


def test_steps_fire_at_their_share_in_the_order_of_time():
    """A 4 h target: half at 11:00 moves the work, three quarters at 12:00 informs, all of it at 13:00."""
    events = opened()
    assert next_due(Run.of(fold(events), POLICY), read(events, T0)) == T0 + 2 * HOUR
    run, effects = go(events, T0 + 2 * HOUR - dt.timedelta(microseconds=1))
    assert effects == ()
    run, effects = go(events, T0 + 2 * HOUR, run)
    assert [(type(e), e.group) for e in effects] == [(Move, "network")]
    run, effects = go(events, T0 + 3 * HOUR, run)
    assert [(type(e), e.to) for e in effects] == [(Inform, "lead"), (Inform, "deputy")]
    run, effects = go(events, T0 + 4 * HOUR, run)
    assert [e.to for e in effects] == ["manager"]
    assert next_due(run, read(events, T0 + 4 * HOUR)) is None


def test_the_key_names_run_generation_loop_step_target_and_channel():
    """One formula for outbox and webhook."""
    _, effects = go(opened(), T0 + 4 * HOUR)
    assert [e.key for e in effects] == [
        "I-1:standard.3/0/0/second-line/network/work",
        "I-1:standard.3/0/0/warn/lead/console",
        "I-1:standard.3/0/0/warn/deputy/console",
        "I-1:standard.3/0/0/late/manager/sms",
    ]


def test_overdue_steps_fire_late_and_say_how_late():
    """After an outage every missed step fires once, in order, with its lateness."""
    _, effects = go(opened(), T0 + 10 * HOUR)
    assert [e.scheduled_at for e in effects] == [T0 + n * HOUR for n in (2, 3, 3, 4)]
    assert [e.lateness for e in effects] == [n * HOUR for n in (8, 7, 7, 6)]


def test_scenario_17_after_three_days_without_a_scheduler_every_missed_step_comes_once_in_order():
    """Due at 11:00, 12:00 and 13:00 on Monday, fired on Thursday at nine: each says both, and none comes again."""
    events, thursday = opened(), T0 + dt.timedelta(days=3)
    run, effects = go(events, thursday)
    assert [(e.scheduled_at, e.scheduled_at + e.lateness) for e in effects] == [
        (T0 + n * HOUR, thursday) for n in (2, 3, 3, 4)
    ]
    assert [type(e) for e in effects] == [Move, Inform, Inform, Inform]
    assert len({e.key for e in effects}) == 4
    for later in (thursday, thursday + dt.timedelta(days=30)):
        assert go(events, later, run) == (run, ())
    assert next_due(run, read(events, thursday)) is None


def test_nothing_fires_twice():
    """The run that advance returns wants nothing more at the same instant."""
    events = opened()
    run, effects = go(events, T0 + 4 * HOUR)
    assert effects
    assert go(events, T0 + 4 * HOUR, run) == (run, ())


def test_steps_stand_still_while_the_clock_is_paused():
    """A hold for the requester moves the remaining steps by its length."""
    events = fired(
        opened(), "hold", T0 + HOUR, hold_reason="requester", message="?", look_again_at=T0 + 9 * HOUR
    )
    assert go(events, T0 + 8 * HOUR)[1] == ()
    assert next_due(Run.of(fold(events), POLICY), read(events, T0 + 8 * HOUR)) is None
    events = fired(events, "resume", T0 + 8 * HOUR)
    assert next_due(Run.of(fold(events), POLICY), read(events, T0 + 8 * HOUR)) == T0 + 9 * HOUR


def test_a_stopped_clock_triggers_nothing():
    """A resolved incident is not escalated, however late the tick comes."""
    events = fired(opened(), "resolve", T0 + HOUR, resolution_outcome="workaround", resolution_notes="x")
    assert read(events, T0 + 9 * HOUR).clocks["resolution"].state is ClockState.STOPPED
    assert go(events, T0 + 9 * HOUR)[1] == ()


def test_a_reopening_begins_a_new_generation():
    """After a reopening the steps may fire again, under keys of their own."""
    events = fired(opened(), "resolve", T0 + HOUR, resolution_outcome="workaround", resolution_notes="x")
    events = fired(events, "reopen", T0 + 2 * HOUR, reason="not fixed")
    _, effects = go(events, T0 + 3 * HOUR)
    assert [e.key for e in effects] == ["I-1:standard.3/1/0/second-line/network/work"]


def test_a_step_for_some_priorities_leaves_the_others_alone():
    """A step that names P2 never fires on a P1."""
    policy = EscalationPolicy("p2", 1, steps=[EscalationStep("warn", "75 %", to="lead", priorities=["P2"])])
    assert go(opened(), T0 + 9 * HOUR, policy=policy)[1] == ()
    assert go(opened(impact="medium"), T0 + 9 * HOUR, policy=policy)[1] != ()


def test_nobody_to_tell_falls_to_the_last_resort_or_is_recorded():
    """An empty answer is never silence: the last resort is told, or the step says it met nobody."""
    policy = EscalationPolicy("p", 1, steps=[WARN], last_resort="duty-manager")
    _, effects = go(opened(), T0 + 3 * HOUR, policy=policy, resolver=lambda *_: ())
    assert [e.to for e in effects] == ["duty-manager"]
    policy = EscalationPolicy("p", 1, steps=[WARN])
    run, effects = go(opened(), T0 + 3 * HOUR, policy=policy, resolver=lambda *_: ())
    assert [type(e) for e in effects] == [Unanswered]
    assert next_due(run, read(opened(), T0 + 3 * HOUR)) is None


@pytest.mark.parametrize(("answer", "told"), [("boss", ["boss"]), ((None, "", "zoe"), ["zoe"]), (None, [])])
def test_a_slip_of_the_resolver_tells_nobody_else(answer, told):
    """A text is one person, not its letters; nothing is nobody."""
    policy = EscalationPolicy("p", 1, steps=[LATE])
    _, effects = go(opened(), T0 + 4 * HOUR, policy=policy, resolver=lambda *_: answer)
    assert [e.to for e in effects if isinstance(e, Inform)] == told


def test_a_person_named_twice_is_told_once():
    """Two roles that one person fills make one message."""
    _, effects = go(
        opened(), T0 + 3 * HOUR, policy=EscalationPolicy("p", 1, steps=[WARN]), resolver=lambda *_: ("zoe",)
    )
    assert [e.to for e in effects] == ["zoe"]


def test_the_resolver_is_asked_when_the_step_fires():
    """Who is on call is a question of the firing instant, not of the scheduled one."""
    asked = []

    def resolver(name, record, now):
        asked.append((name, record.id, now))
        return (name,)

    go(opened(), T0 + 9 * HOUR, policy=EscalationPolicy("p", 1, steps=[LATE]), resolver=resolver)
    assert asked == [("manager", "I-1", T0 + 9 * HOUR)]


@given(
    st.lists(st.integers(1, 200), min_size=1, max_size=6, unique=True),
    st.lists(st.integers(0, 10 * 3600), max_size=8),
)
def test_ticks_in_between_change_nothing(shares, ticks):
    """However often the host ticks on the way, the same keys fire as in one late tick."""
    policy = EscalationPolicy("p", 1, steps=[EscalationStep(f"s{n}", n, to="x") for n in shares])
    events, run, seen = opened(), Run.of(fold(opened()), policy), []
    for second in [*sorted(ticks), 10 * 3600]:
        run, effects = go(events, T0 + dt.timedelta(seconds=second), run)
        seen += [(e.key, e.scheduled_at) for e in effects]
    _, once = go(events, T0 + 10 * HOUR, policy=policy)
    assert sorted(seen) == sorted((e.key, e.scheduled_at) for e in once)
    assert len({key for key, _ in seen}) == len(seen)


@given(st.integers(1, 300))
def test_a_step_fires_at_the_exact_microsecond_of_its_share(percent):
    """At the instant of the share it fires; one microsecond before, it does not."""
    policy = EscalationPolicy("p", 1, steps=[EscalationStep("s", percent, to="x")])
    used = Fraction(percent, 100) * 4 * 3600 * 1_000_000
    due = T0 + dt.timedelta(microseconds=-(-used.numerator // used.denominator))
    assert next_due(Run.of(fold(opened()), policy), read(opened(), T0)) == due
    assert go(opened(), due - dt.timedelta(microseconds=1), policy=policy)[1] == ()
    assert len(go(opened(), due, policy=policy)[1]) == 1


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: EscalationStep("s", "50 %", kind="functional"), "names no group"),
        (lambda: EscalationStep("s", "50 %"), "names nobody"),
        (lambda: EscalationStep("s", 0, to="x"), "before the start"),
        (lambda: EscalationStep("s", 0.5, to="x"), "0.5"),
        (lambda: EscalationPolicy("p", 1, steps=[]), "no steps"),
        (lambda: EscalationStep("a/b", "50 %", to="x"), "holds a / or #"),
        (lambda: EscalationPolicy("p#1", 1, steps=[WARN]), "policy 'p#1': holds"),
        (lambda: EscalationPolicy("p", 1, steps=[WARN, WARN]), "same id"),
    ],
)
def test_a_policy_that_cannot_work_is_refused_by_name(make, says):
    """The error names the step or policy, why, and what to write."""
    with pytest.raises(InvalidValue, match=says):
        make()


@pytest.mark.parametrize(("at", "shown"), [("75 %", "75 %"), (Fraction(1, 3), "33.3333 %"), (150, "150 %")])
def test_a_share_is_shown_in_percent(at, shown):
    """Exact inside, rounded only to be shown."""
    assert EscalationStep("s", at, to="x").percent == shown


def test_what_is_said_names_record_share_and_due_instant_in_two_languages():
    """English and Chinese; an unknown language falls back to English."""
    events = fired(opened(number="INC-7"), "assign", T0, group="network")
    _, (effect,) = go(events, T0 + 4 * HOUR, policy=EscalationPolicy("p", 1, steps=[LATE]))
    record = fold(events)
    assert wording(effect, record) == (
        "INC-7 P1: 100 % of the time for the resolution is used up",
        "Mail is down. Due 2024-01-08 13:00 UTC; open since 2024-01-08 09:00 UTC, with network.",
    )
    assert wording(effect, record, "zh") == (
        "INC-7 P1：解决时限已用 100 %",
        "Mail is down。截止时间 2024-01-08 13:00 UTC；2024-01-08 09:00 UTC 开单，现由 network 处理。",
    )
    assert wording(effect, record, "xx") == wording(effect, record, "en")
    assert "nobody yet" in wording(effect, fold(opened()))[1]


def test_policies_whose_ids_look_alike_are_told_apart():
    """What "a.1" fired is nothing that "a" has fired, although one id begins with the other."""
    one = EscalationPolicy("a.1", 1, steps=[LATE])
    run, effects = go(opened(), T0 + 4 * HOUR, policy=one)
    assert effects
    other = attrs.evolve(Run.of(fold(opened()), EscalationPolicy("a", 1, steps=[LATE])), fired=run.fired)
    assert len(go(opened(), T0 + 4 * HOUR, other)[1]) == 1
