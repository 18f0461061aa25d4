"""Rules for policies: each finds what it is for, and nothing in a policy that works."""

import datetime as dt

import pytest

from escalated import T0, opened
from itsm_core import Agreement, BusinessCalendar, Metric, Target, default_agreement, fold, hours
from itsm_core.business_time import never
from itsm_core.escalation import (
    POLICY_RULES,
    Branch,
    Condition,
    EscalationPolicy,
    EscalationStep,
    Repeat,
    Trigger,
    business,
    lint,
    wall,
)
from itsm_core.escalation.answering import Unresolved
from itsm_core.lifecycle import CustomField
from itsm_core.processes import INCIDENT

DESK = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")
AROUND = BusinessCalendar.always("UTC")
LAST_DAY = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC", valid_to=T0.date())
AGREEMENT = default_agreement(AROUND)
PAGE = EscalationStep("page", trigger=Trigger.unacknowledged("5m wall"), to="on_call:network")
LEAD = EscalationStep("lead", after="30m wall", to="role:lead")
TEAM = {"on_call:network": tuple("abcdef"), "role:lead": "zoe"}


def line(*steps, **fields):
    return EscalationPolicy("line", 1, steps=steps, **{"last_resort": "duty", **fields})


def found(policy, **known):
    return [(one.code, one.where, one.severity) for one in lint(policy, **known)]


def resolver(name, *_):
    return TEAM.get(name, ())


ASKED = {"resolver": resolver, "record": fold(opened(T0)), "at": T0}


def test_a_policy_that_works_has_no_findings():
    """Everything known of the desk, and nothing to say."""
    policy = line(
        PAGE, LEAD, EscalationStep("sure", after="5m wall", to="user:bo"),
        EscalationStep("again", after="30m wall", repeat=Repeat("page", 1)),
        EscalationStep("half", "50 %", group="network"), ack_timeout="2h wall", calendar=DESK,
    )  # fmt: skip
    known = {"agreement": AGREEMENT, "lifecycle": INCIDENT, "known": {"on_call:network", "role:lead"}}
    assert lint(policy, **known, **ASKED, most=6, contacts={"role:lead": [wall("3m")]}) == ()
    assert lint(policy) == ()


@pytest.mark.parametrize(
    ("policy", "known", "code", "where"),
    [
        (line(PAGE, LEAD), {"known": {"on_call:network"}}, "E001", "lead"),
        (line(EscalationStep("s", "50 %", assignee="on_call:nobody")), {"known": {"role:lead"}}, "E001", "s"),
        (line(EscalationStep("s", "50 %", assignee="role:gone")), ASKED, "E004", "s"),
        (line(EscalationStep("s", trigger=Trigger.in_state("on_holt", "1h wall"), to="x")),
         {"lifecycle": INCIDENT}, "E002", "s"),
        (line(EscalationStep("s", "50 %", metric="repair", to="x")), {"agreement": AGREEMENT}, "E003", "s"),
        (line(EscalationStep("s", "50 %", to="role:gone")), ASKED, "E004", "s"),
        (line(PAGE, EscalationStep("fork", after="1m wall", branches=[Branch(Condition(priorities="P1"), "b")],
                                   then="b"), EscalationStep("a", after="1m wall", to="x"),
              EscalationStep("b", after="1m wall", to="x")), {}, "E005", "a"),
        (line(EscalationStep("s", "50 %", to="x", priorities="P3"), priorities=["P1", "P2"]), {}, "E006", "s"),
        (line(EscalationStep("s", "50 %", to="x", when=Condition(hours="inside"))),
         {"calendar": never("UTC"), "at": T0}, "E007", "s"),
        (line(EscalationStep("s", "50 %", to="x", when=Condition(hours="outside")), calendar=AROUND),
         {"at": T0}, "E007", "s"),
        (line(PAGE, EscalationStep("s", after="9h business", to="x")), {"calendar": LAST_DAY, "at": T0}, "E007", "s"),
        (line(PAGE, ack_timeout="1 business day"), {"calendar": LAST_DAY, "at": T0}, "E007", "line"),
        (line(PAGE), ASKED, "E008", "page"),
        (line(PAGE, LEAD, ack_timeout="10m wall"), {}, "E009", "lead"),
        (line(PAGE, LEAD), {"contacts": {"on_call:network": [wall("5m"), wall("30m")]}}, "E010", "page"),
        (line(EscalationStep("up", trigger=Trigger.priority_changed("P2"), sets={"priority": "P1"}),
              EscalationStep("down", trigger=Trigger.priority_changed("P1"), sets={"priority": "P2"})), {},
         "E011", "up"),
        (line(EscalationStep("s", "50 %", sets={"categroy": "disk"})), {"lifecycle": INCIDENT}, "E012", "s"),
        (line(EscalationStep("s", "50 %", sets={"room": 5})),
         {"lifecycle": INCIDENT, "custom_fields": [CustomField("room", "text")]}, "E012", "s"),
        (line(EscalationStep("s", "50 %", sets={"priority": "P5"})),
         {"agreement": Agreement("gold", 1, targets=[
             Target("fix", Metric.RESOLUTION, duration=hours(4), calendar=AROUND, priorities="P1")])},
         "E013", "s"),
    ],
)  # fmt: skip
def test_what_a_rule_is_for(policy, known, code, where):
    """One policy that breaks each rule, and only that one."""
    severity = POLICY_RULES[code].severity
    assert found(policy, **known) == [(code, where, severity)]
    (finding,) = lint(policy, **known)
    assert finding.remedy
    assert finding.message in str(finding)


def test_fields_of_the_process_and_the_hosts_own_may_be_set():
    """And grades, which the priority is made of."""
    sets = {"category": "disk", "major": True, "room": "5", "impact": "high", "priority": 1}
    known = {"lifecycle": INCIDENT, "custom_fields": [CustomField("room", "text")], "agreement": AGREEMENT}
    assert found(line(EscalationStep("s", "50 %", sets=sets)), **known) == []
    assert EscalationStep("s", "50 %", sets=sets).sets["priority"] == "P1"


def test_work_that_goes_to_a_queue_or_to_one_of_a_team_is_no_finding():
    """If nobody answers the group has it, and of several it is the first's."""
    queue = EscalationStep("s", "50 %", assignee="role:gone", group="network")
    one = EscalationStep("t", "60 %", assignee="on_call:network")
    assert found(line(queue, one), **ASKED) == []


def test_who_is_named_outright_and_answers_to_a_role_is_one_person():
    """As the engine tells each once."""
    policy = line(EscalationStep("s", "50 %", to=("user:zoe", "role:lead")))
    assert found(policy, **ASKED, most=1) == []


def test_what_cannot_be_told_is_no_finding():
    """Business waits beside wall ones, a branch to the end, hours without a calendar, a plain fork."""
    policy = line(
        PAGE,
        EscalationStep("fork", after="1h business", branches=[Branch(Condition(hours="inside"), "end")]),
        EscalationStep("lead", after="1 business day", to="role:lead"),
        ack_timeout="10m wall",
    )
    assert found(policy, contacts={"on_call:network": [wall("5m")], "role:lead": [wall("1m")]}) == []
    assert found(line(PAGE, ack_timeout="1h business")) == []
    assert found(line(PAGE, LEAD), calendar=DESK, at=T0) == []
    late = {"calendar": DESK, "at": T0 + dt.timedelta(hours=12)}
    assert found(line(EscalationStep("s", "50 %", to="x", when=Condition(hours="outside"))), **late) == []


def test_who_cannot_be_asked_just_now_is_no_finding():
    """The directory behind the resolver is down: that tells nothing about the policy."""

    def down(name, record, at):
        raise Unresolved(name)

    assert found(line(PAGE, LEAD), resolver=down, record=fold(opened(T0)), at=T0) == []


def test_a_business_contact_is_not_compared_with_wall_time():
    """What depends on the calendar is left to the preview."""
    assert found(line(PAGE, LEAD), contacts={"on_call:network": [business("1h")]}) == []


def test_a_name_that_is_nearly_known_is_suggested():
    """As everywhere in this library."""
    (finding,) = lint(line(PAGE), known={"on_call:netwrok"})
    assert "on_call:netwrok" in finding.remedy


def test_every_rule_has_a_code_and_a_title():
    """In order, each once."""
    assert list(POLICY_RULES) == [f"E{n:03}" for n in range(1, len(POLICY_RULES) + 1)]
    assert all(rule.title for rule in POLICY_RULES.values())
