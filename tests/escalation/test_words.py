"""What an escalation says, for each kind of trigger, in English and Chinese."""

import datetime as dt

import pytest

from escalated import T0, Desk
from itsm_core import BusinessCalendar, fold
from itsm_core.escalation import EscalationPolicy, EscalationStep, Inform, Trigger, wording
from itsm_core.escalation.words import because

MINUTE = dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    ("trigger", "en", "zh"),
    [
        (Trigger.share_of("75 %", "update"), "75 % of the time for the next update is used up", "进展更新时限已用 75 %"),
        (Trigger.share_of("50 %", "repair"), "50 % of the time for repair is used up", "repair时限已用 50 %"),
        (Trigger.in_state("on_hold", "4h business"), "in on_hold for 4h of open time", "处于 on_hold 状态已达 4h（营业时间）"),
        (Trigger.unacknowledged("15m wall"), "not acknowledged for 15m", "15m内无人确认"),
        (Trigger.unacknowledged("0m wall"), "not acknowledged yet", "尚无人确认"),
        (Trigger.silent("1h wall"), "no word from the desk for 1h", "1h内服务台未作任何说明"),
        (Trigger.reopened(2), "reopened 2 times or more", "重新打开已达 2 次"),
        (Trigger.reassigned(3), "reassigned 3 times", "转派已达 3 次"),
        (Trigger.priority_changed(), "the priority changed", "优先级已变更"),
        (Trigger.update_overdue(), "the update of the major incident is overdue", "重大事件的进展更新已逾期"),
        (Trigger.report_overdue(), "the report of the major incident is overdue", "重大事件的报告已逾期"),
        (Trigger.review_overdue(), "the review of the major incident is overdue", "重大事件的评审已逾期"),
    ],
)  # fmt: skip
def test_each_trigger_in_words(trigger, en, zh):
    """Both languages, nothing left unsaid."""
    assert (because(trigger), because(trigger, "zh")) == (en, zh)


def told(policy, at, resolver=lambda name, *_: (name,)):
    desk = Desk(policy, resolver)
    now = T0
    while (now := desk.due(now)) and now < at:
        desk.tick(now)
    effects = [effect for effect in desk.tick(at) if isinstance(effect, Inform)]
    return effects[-1], fold(desk.events)


PAGE = EscalationStep("page", trigger=Trigger.unacknowledged("5m wall"), to="net")


def test_a_step_without_a_clock_names_no_due_instant():
    """Nothing was promised, so nothing is due."""
    effect, record = told(EscalationPolicy("p", 1, steps=[PAGE]), T0 + 5 * MINUTE)
    assert wording(effect, record) == (
        "I-1 P1: not acknowledged for 5m",
        "Mail is down. Open since 2024-01-08 09:00 UTC, with nobody yet.",
    )
    assert wording(effect, record, "zh") == (
        "I-1 P1：5m内无人确认",
        "Mail is down。2024-01-08 09:00 UTC 开单，现由 尚未分派的队列 处理。",
    )


def test_a_step_of_a_chain_says_how_long_after_the_one_before():
    """Unacknowledged, where acknowledgement would have stopped it."""
    for stops, said in (
        ("acknowledged", "not acknowledged; 10m since the step before"),
        ("resolved", "10m since the step before"),
    ):
        lead = EscalationStep("lead", after="10m wall", to="user:zoe", stops_on=stops)
        effect, record = told(EscalationPolicy("p", 1, steps=[PAGE, lead]), T0 + 15 * MINUTE)
        assert wording(effect, record)[0] == f"I-1 P1: {said}"


def test_a_step_that_comes_at_once_says_so():
    """Zero seconds are no wait to tell of."""
    lead = EscalationStep("lead", after="0m wall", to="user:zoe")
    effect, record = told(EscalationPolicy("p", 1, steps=[PAGE, lead]), T0 + 5 * MINUTE)
    assert wording(effect, record)[0] == "I-1 P1: together with the step before"
    assert wording(effect, record, "zh")[0] == "I-1 P1：紧接上一步"


def test_the_last_resort_learns_who_did_not_answer():
    """The names of the step, or who should have had its work, or its id where it names none."""
    policy = EscalationPolicy("p", 1, steps=[PAGE], last_resort="duty")
    effect, record = told(policy, T0 + 5 * MINUTE, lambda *_: ())
    assert wording(effect, record)[0] == "I-1 P1: nobody answers to net; not acknowledged for 5m"
    move = EscalationStep("move", after="0m wall", group="network")
    policy = EscalationPolicy("p", 1, steps=[PAGE, move], last_resort="duty")
    effect, record = told(policy, T0 + 5 * MINUTE, lambda *_: ())
    assert "nobody answers to move" in wording(effect, record)[0]
    give = EscalationStep("give", trigger=PAGE.trigger, assignee="role:lead")
    effect, record = told(
        EscalationPolicy("p", 1, steps=[give], last_resort="duty"), T0 + 5 * MINUTE, lambda *_: ()
    )
    assert "nobody answers to role:lead;" in wording(effect, record)[0]


def test_hostile_text_of_a_record_stays_text():
    """Braces in a title are no places to fill in."""
    desk = Desk(EscalationPolicy("p", 1, steps=[EscalationStep("s", trigger=PAGE.trigger, to="{number}")]))
    (effect,) = desk.tick(T0 + 5 * MINUTE)
    import attrs

    record = fold(desk.events)
    record = attrs.evolve(
        record, values=type(record.values)({**record.values, "title": "{0.__class__} {group}"})
    )
    assert wording(effect, record)[1].startswith("{0.__class__} {group}. Open since")


def test_the_hours_of_a_calendar_do_not_matter_to_words():
    """A policy with a calendar says the same."""
    policy = EscalationPolicy("p", 1, steps=[PAGE], calendar=BusinessCalendar.always("UTC"))
    effect, record = told(policy, T0 + 5 * MINUTE)
    assert wording(effect, record)[0] == "I-1 P1: not acknowledged for 5m"
