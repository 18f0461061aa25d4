"""A run that goes over to another version of its policy: nothing fires twice, and at most one level at once."""

import datetime as dt

import attrs
import pytest

from escalated import T0, Desk, said, shown, stored
from itsm_core.errors import InvalidValue
from itsm_core.escalation import (
    Difference,
    EscalateNow,
    EscalationPolicy,
    EscalationStep,
    Run,
    Trigger,
    advance,
    difference,
    migrate,
)

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
PAGE = EscalationStep("page", trigger=Trigger.unacknowledged("5m wall"), to="net")


def then(step_id, wait, to=None, **fields):
    """A step of a chain."""
    return EscalationStep(step_id, after=wait, to=to or step_id, **fields)


def line(version, *steps, policy_id="line"):
    return EscalationPolicy(policy_id, version, steps=steps, last_resort="duty")


OLD = line(1, PAGE, then("lead", "1h wall"), then("boss", "1h wall"))
QUICK = line(2, PAGE, then("lead", "10m wall"), then("boss", "10m wall"))


def migrated(desk, policy, now, mode):
    """What is wanted of a desk that goes over, and what fires then; its events tell the same run."""
    move = migrate(desk.run, policy, now, desk.read(now), mode=mode)
    if mode == "switch":
        fields = {"policy": policy.id, "policy_version": policy.version, "mode": "switch"}
    else:
        fields = {"policy": policy.id, "policy_version": policy.version, "mode": mode}
    desk.events = said(desk.events, "policy_migrated", now, **fields)
    desk.events = stored(desk.events, move.effects, policy)
    desk.policy = policy
    assert (desk.run.escalation, desk.run.fired) == (move.run.escalation, move.run.fired)
    return move


def paged():
    """Paged at 09:05 under the slow version; the lead would be told at 10:05."""
    desk = Desk(OLD)
    assert [shown(effect) for effect in desk.tick(T0 + 5 * MINUTE)] == ["page:net"]
    return desk


def test_the_next_step_waits_by_the_new_version_and_nothing_overdue_fires():
    """At 09:10 the lead comes at 09:15; at 09:30 the lead is passed over, and the boss waits ten minutes."""
    desk = paged()
    assert migrated(desk, QUICK, T0 + 10 * MINUTE, "next_step").effects == ()
    assert desk.due(T0 + 10 * MINUTE) == T0 + 15 * MINUTE
    desk = paged()
    (passed,) = migrated(desk, QUICK, T0 + 30 * MINUTE, "next_step").effects
    assert (shown(passed), passed.lateness) == ("lead:superseded", 15 * MINUTE)
    assert desk.told(T0 + 30 * MINUTE) == []
    assert desk.due(T0 + 30 * MINUTE) == T0 + 40 * MINUTE


def test_a_retimed_step_fires_at_once_and_only_that_one():
    """At 09:30 the lead is fifteen minutes late and told; the boss waits ten minutes from then."""
    desk = paged()
    assert migrated(desk, QUICK, T0 + 30 * MINUTE, "retime_current").effects == ()
    assert desk.told(T0 + 30 * MINUTE) == ["lead:lead"]
    assert desk.due(T0 + 30 * MINUTE) == T0 + 40 * MINUTE


def test_of_several_overdue_steps_the_last_one_fires():
    """New thresholds at 10 and 20 %, both passed: at most one level escalates at a time."""
    new = line(2, PAGE, then("lead", "9h wall"),
               EscalationStep("ten", "10 %", to="a"), EscalationStep("twenty", "20 %", to="b"))  # fmt: skip
    desk = paged()
    move = migrated(desk, new, T0 + HOUR, "retime_current")
    assert [shown(effect) for effect in move.effects] == ["ten:superseded"]
    assert desk.told(T0 + HOUR) == ["twenty:b"]


def test_retiming_with_nothing_overdue_passes_over_nothing():
    """The new version simply waits."""
    desk = paged()
    assert migrated(desk, QUICK, T0 + 6 * MINUTE, "retime_current").effects == ()
    assert desk.told(T0 + 6 * MINUTE) == []


def test_a_restart_begins_anew_from_the_migration():
    """In a generation of its own, its first wait from then on."""
    desk = paged()
    migrated(desk, QUICK, T0 + 30 * MINUTE, "restart")
    assert desk.due(T0 + 30 * MINUTE) == T0 + 35 * MINUTE
    (page,) = desk.tick(T0 + 35 * MINUTE)
    assert page.key == "I-1:line.2/1/0/page/net/console"


def test_a_chain_whose_last_step_is_gone_goes_on_after_the_one_before():
    """Ids are stable and positions are not: without the lead, the boss follows the page."""
    desk = paged()
    desk.tick(T0 + 65 * MINUTE)
    new = line(2, PAGE, then("boss", "2h wall"))
    migrated(desk, new, T0 + 66 * MINUTE, "next_step")
    assert desk.due(T0 + 66 * MINUTE) == T0 + 125 * MINUTE


URGENT = line(
    1,
    EscalationStep("call", trigger=Trigger.unacknowledged("0m wall"), to="a"),
    then("second", "5m wall"),
    then("third", "5m wall"),
    then("fourth", "5m wall"),
    policy_id="urgent",
)


@pytest.mark.parametrize(
    ("minute", "passed", "entered"),
    [
        (2, [], "call"),  # nothing has fired, so the first level
        (6, ["call"], "second"),  # one level has fired, and five minutes have passed
        (30, ["call"], "second"),  # thirty minutes would be the fourth level, but one at a time
    ],
)
def test_a_switch_enters_at_the_time_passed_but_one_level_beyond_what_has_fired(minute, passed, entered):
    """The page fires at 09:05 under the old policy; then the priority rises."""
    desk = Desk(OLD)
    desk.tick(T0 + min(minute, 5) * MINUTE)
    now = T0 + minute * MINUTE
    move = migrated(desk, URGENT, now, "switch")
    assert [effect.step.id for effect in move.effects] == passed
    assert {effect.why for effect in move.effects} <= {"superseded"}
    assert move.enter == entered
    _, (effect,) = advance(move.run, now, desk.read(now, EscalateNow, step=move.enter), desk.resolver)
    assert (effect.step.id, effect.generation) == (entered, 1)


def test_a_switch_goes_no_further_than_the_time_that_has_passed_or_the_chain():
    """Two levels have fired: after seven minutes the second, after an hour the third, and not beyond the end."""
    quick = line(1, PAGE, then("x", "1m wall"), then("y", "30m wall"), then("z", "1m wall"))
    for minute, entered in ((7, "second"), (60, "fourth")):
        desk = Desk(quick)
        for at in (5, 6, 36, 37)[: 2 if minute == 7 else 4]:
            desk.tick(T0 + at * MINUTE)
        assert migrated(desk, URGENT, T0 + minute * MINUTE, "switch").enter == entered


def test_a_switch_to_a_policy_with_nothing_due_enters_nowhere():
    """Its chains set off when they will."""
    desk = paged()
    calm = line(
        1, EscalationStep("calm", trigger=Trigger.unacknowledged("9h wall"), to="x"), policy_id="calm"
    )
    move = migrated(desk, calm, T0 + HOUR, "switch")
    assert (move.effects, move.enter) == ((), None)


def test_a_way_to_migrate_that_is_none_is_refused():
    """With those there are."""
    with pytest.raises(InvalidValue, match="use one of next_step, retime_current, restart, switch"):
        migrate(Run.of(Desk(OLD).run.record, OLD), QUICK, T0, Desk(OLD).read(T0), mode="jump")


def test_the_difference_is_told_by_steps_and_fields():
    """Added, removed, moved, changed; a version alone is no difference."""
    new = EscalationPolicy(
        "line",
        2,
        steps=[
            PAGE,
            then("boss", "1h wall"),
            then("lead", "30m wall"),
            EscalationStep("half", "50 %", to="x"),
        ],
        last_resort="night",
    )
    old = line(1, PAGE, then("lead", "1h wall"), then("boss", "1h wall"), then("gone", "1h wall"))
    found = difference(old, new)
    assert [(one.what, one.where, one.field) for one in found] == [
        ("changed", "line", "last_resort"), ("removed", "gone", None), ("added", "half", None),
        ("moved", "boss", None), ("moved", "lead", None), ("changed", "lead", "after"),
    ]  # fmt: skip
    assert str(found[0]) == "line: last_resort was duty, is night"
    assert str(found[1]) == "gone: removed"
    assert str(found[-1]) == "lead: after was 1h wall, is 30m wall"
    assert isinstance(found[0], Difference)
    assert difference(old, attrs.evolve(old, version=2)) == ()


def test_another_assignee_is_a_difference():
    """As every field of a step is."""
    old = EscalationPolicy("line", 1, steps=[EscalationStep("take", "50 %", assignee="user:ana")])
    new = EscalationPolicy(
        "line", 2, steps=[EscalationStep("take", "50 %", assignee="on_call:net", group="net")]
    )
    assert [str(one) for one in difference(old, new)] == [
        "take: group was None, is net", "take: assignee was user:ana, is on_call:net",
    ]  # fmt: skip


def test_a_migration_names_both_versions():
    """For the event and for whoever looks at it."""
    move = migrate(paged().run, QUICK, T0 + 10 * MINUTE, Desk(OLD).read(T0))
    assert (move.was, move.now, move.mode) == ("line@1", "line@2", "next_step")
    assert [one.where for one in move.difference] == ["lead", "boss"]
