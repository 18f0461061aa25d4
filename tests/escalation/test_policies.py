"""Escalation policies as data: what may stand in a step, and what is refused by name."""

from fractions import Fraction

import pytest

from itsm_core.business_time import BusinessCalendar
from itsm_core.errors import InvalidValue
from itsm_core.escalation import (
    Branch,
    Condition,
    EscalationPolicy,
    EscalationStep,
    Repeat,
    StepKind,
    Trigger,
    policy_for,
    wall,
)
from itsm_core.priority import Priority
from itsm_core.processes import INCIDENT
from itsm_core.sla import Metric, Target

AROUND = BusinessCalendar.always("UTC")
LEAD = EscalationStep("lead", "75 %", to="lead")


def step(**changed):
    """A hierarchic step, some of it changed."""
    return EscalationStep(**{"id": "lead", "at": "75 %", "to": "lead", **changed})


def policy(**changed):
    """A policy of one step, some of it changed."""
    return EscalationPolicy(**{"id": "line", "version": 1, "steps": [LEAD], **changed})


def test_a_step_is_read_as_it_is_written():
    """Texts for members, a share, one name for several."""
    assert (LEAD.at, LEAD.metric, LEAD.kind) == (Fraction(3, 4), Metric.RESOLUTION, StepKind.HIERARCHIC)
    assert (LEAD.to, LEAD.priorities, LEAD.percent) == (("lead",), frozenset(), "75 %")


@pytest.mark.parametrize("priorities", ["P1", 1, "1 - Critical", ["P1"], {Priority.P1}])
def test_a_step_names_priorities_as_a_target_does(priorities):
    """A text alone is one priority, never its letters."""
    target = Target("fix", "resolution", duration="4h", calendar=AROUND, priorities=priorities)
    assert step(priorities=priorities).priorities == target.priorities == {Priority.P1}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"metric": ""}, '^metric .*; name it: "response", "resolution", or one of your own$'),
        (
            {"kind": "loud"},
            "^kind of step 'loud': is no kind of step; use one of functional, hierarchic, change, major, branch, repeat$",
        ),
        ({"priorities": "P9"}, "^priority 'P9': is no priority; use one of P1"),
        ({"id": ""}, "^escalation step '': has no id; name it"),
        ({"id": 5}, "^escalation step 5: is no text"),
        ({"at": 0.75}, "floats round and are refused"),
        ({"to": ""}, "^to '': is no word; name who is told"),
        ({"to": 5}, "^to 5: is no word"),
        ({"channel": ""}, "^channel '': is no word"),
        ({"channel": "a/b"}, "^channel 'a/b': holds a / or #, which part the key"),
        ({"kind": "functional", "group": 5}, "^group 5: is no word"),
    ],
)
def test_a_step_that_cannot_be_is_refused_with_what_could(wrong, message):
    """The error names the thing, the reason and the remedy."""
    with pytest.raises(InvalidValue, match=message):
        step(**wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"version": "x"}, "^version 'x': is no version; count 1, 2, 3; a changed policy is a new version$"),
        ({"version": 0}, "^version 0: is no version"),
        ({"version": True}, "^version True: is no version"),
        ({"version": 2**53}, r"^version \d+: is no version"),
        ({"id": ""}, "^escalation policy '': has no id"),
        ({"steps": LEAD}, "is no list of EscalationStep; give a list"),
        ({"steps": None}, "^steps None: is no list of EscalationStep"),
        ({"steps": ["lead"]}, "^steps 'lead': is no EscalationStep"),
        ({"last_resort": ""}, "^last_resort '': is no word"),
        ({"last_resort": "on_call:managers"}, "^last_resort 'on_call:managers': may be nobody .*; name who"),
        ({"last_resort": "role:duty"}, "^last_resort 'role:duty': may be nobody when it is needed"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_with_what_could(wrong, message):
    """As an agreement is: ids, versions and what it is made of."""
    with pytest.raises(InvalidValue, match=message):
        policy(**wrong)


# --- steps that do other things, and chains ------------------------------------------------------------

PAGE = EscalationStep("page", trigger=Trigger.unacknowledged("5m wall"), to="user:ana")


def after(step_id="next", **fields):
    """A step that follows another."""
    return EscalationStep(step_id, after="5m wall", **({"to": "x"} | fields))


def test_what_a_step_does_follows_from_what_is_filled():
    """Each kind, without saying it."""
    fork = Branch(Condition(hours="outside"), "night")
    found = [
        EscalationStep("a", "50 %", to="x"), EscalationStep("b", "50 %", group="g"),
        EscalationStep("c", "50 %", sets={"priority": "P1"}), EscalationStep("d", "50 %", declares_major=True),
        EscalationStep("e", "50 %", branches=[fork]), EscalationStep("f", "50 %", repeat=Repeat("a", 2)),
    ]  # fmt: skip
    assert [one.kind for one in found] == [
        StepKind.HIERARCHIC, StepKind.FUNCTIONAL, StepKind.CHANGE, StepKind.MAJOR, StepKind.BRANCH, StepKind.REPEAT,
    ]  # fmt: skip


def test_what_stops_a_step_follows_from_when_it_begins():
    """Chains and those that wait for acknowledgement stop on it; thresholds do not."""
    assert [one.stops_on for one in (PAGE, after(), LEAD)] == ["acknowledged", "acknowledged", "resolved"]
    silent = EscalationStep("s", trigger=Trigger.silent("1h wall"), to="x")
    assert (silent.stops_on, silent.percent, silent.share) == ("resolved", "", None)
    assert (PAGE.wait, after().wait, LEAD.wait) == (wall("5m"), wall("5m"), None)


def test_a_share_may_be_a_trigger_too():
    """Both ways of saying it mean the same."""
    told = EscalationStep("s", trigger=Trigger.share_of("75 %", "response"), to="x")
    assert (told.begins, told.percent) == (Trigger.share_of("75 %", "response"), "75 %")
    assert EscalationStep("s", "75 %", metric="response", to="x").begins == told.begins
    assert told.metric is Metric.RESPONSE


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EscalationStep("s", to="x"), "says not when it begins; say at="),
        (lambda: EscalationStep("s", "50 %", declares_major="no"), "declares_major 'no': is no bool; say True or False"),
        (lambda: EscalationStep("s", "50 %", to="x", while_paused="no"), "while_paused 'no': is no bool"),
        (lambda: EscalationPolicy("p", 1, steps=[EscalationStep("s", "50 %", to="x")], updates_hold_ack=0),
         "updates_hold_ack 0: is no bool"),
        (lambda: EscalationStep("s", "50 %", after="5m wall", to="x"), "begins by at and after"),
        (lambda: EscalationStep("end", "50 %", to="x"), "is the word for where a chain ends"),
        (lambda: EscalationStep("s", "50 %", to="x", sets={"a": 1}, kind="hierarchic"), "does hierarchic and sets"),
        (lambda: EscalationStep("s", "50 %", kind="major"), "does major and declares major"),
        (lambda: EscalationStep("s", trigger=Trigger.share_of(50, "response"), metric="update", to="x"),
         "is about update, and its trigger is not; say the metric once"),
        (lambda: EscalationStep("s", "50 %", repeat=1), "repeat 1: is no Repeat"),
        (lambda: EscalationStep("s", "50 %", to="x", when="never"), "when 'never': is no Condition"),
        (lambda: EscalationStep("s", trigger="now", to="x"), "trigger 'now': is no Trigger"),
        (lambda: EscalationStep("s", "50 %", to="x", assignee="y"), "does hierarchic and gives work to an assignee"),
        (lambda: EscalationStep("s", "50 %", sets={"a": 1}, assignee="y"), "does change and gives work to an"),
        (lambda: EscalationStep("s", "50 %", to="x", group="y"), "does hierarchic and gives work to a group; make a step"),
        (lambda: EscalationStep("s", "50 %", sets={"priority": "P1"}, group="y"), "does change and gives work to a group"),
        (lambda: EscalationStep("s", "50 %", kind="functional", to="x", group="y"), "does functional and tells x; make a"),
        (lambda: EscalationStep("s", "50 %", kind="functional", to="x", assignee="y"), "does functional and tells x"),
        (lambda: EscalationStep("s", "50 %", sets={"priority": "P1"}, to="x"), "does change and tells x; make a step of"),
        (lambda: EscalationStep("s", "50 %", declares_major=True, to=("x", "y")), "does major and tells x, y; make a"),
        (lambda: EscalationStep("s", "50 %", repeat=Repeat("a"), to="x"), "does repeat and tells x"),
        (lambda: EscalationStep("s", "50 %", to="x", branches=[Branch(Condition(hours="inside"), "a")]),
         "does branch and tells x"),
        (lambda: EscalationStep("s", "50 %", assignee="callback:x"), "is nobody who works; name who gets"),
        (lambda: EscalationStep("s", "50 %", assignee=""), "assignee ''"),
        (lambda: EscalationStep("s", "50 %", sets={"priority": "P7"}),
         "step 's': sets what cannot be: priority is 'P7'; use one of P1"),
        (lambda: EscalationStep("s", "50 %", sets={"impact": "huge"}), "impact is 'huge'; use \"high\""),
        (lambda: EscalationStep("s", "50 %", sets={"major": "yes"}), "major is 'yes'; it takes True or False"),
        (lambda: EscalationStep("s", "50 %", sets={"group": "x"}), "sets group, which no step does; give the"),
        (lambda: EscalationStep("s", "50 %", sets={"assignee": "x"}), "give the work to them: assignee="),
        (lambda: EscalationStep("s", "50 %", sets={"priority": "P1", "priority_reason": "x"}), "the step is the"),
        (lambda: EscalationStep("s", "50 %", sets={"phase": "closed"}), "sets phase, which no step does; leave"),
        (lambda: EscalationStep("s", "50 %", sets={"resolution_notes": "x"}), "a command or transition of its own"),
        (lambda: EscalationStep("s", "50 %", sets={"reason": "x"}), "sets reason, which no step does"),
        (lambda: EscalationStep("s", "50 %", branches="night"), "is no list of Branch"),
        (lambda: EscalationStep("s", "50 %", to="x", fallback="y"), "has a fallback in one place alone"),
        (lambda: EscalationStep("s", "50 %", to="x", when_empty="fallback"), "a fallback in one place"),
        (lambda: EscalationStep("s", "50 %", to="x", when_empty="weep"), "use one of skip, wait, fallback"),
        (lambda: EscalationStep("s", "50 %", to="x", catch_up="expire"), "expires in one place alone"),
        (lambda: EscalationStep("s", "50 %", to="x", expires_after="5m"), "expires in one place alone; say"),
        (lambda: EscalationStep("s", "50 %", to="x", catch_up="expire", expires_after="0m"),
         "expires_after '0m': is no length of wall time"),
        (lambda: EscalationStep("s", "50 %", to="x", catch_up="expire", expires_after="1 business day"),
         "is no length of wall time"),
        (lambda: EscalationStep("s", "50 %", to="x", urgency="dire"), "use one of low, normal, high"),
        (lambda: EscalationStep("s", after="5m", to="x"), "does not say in which time it counts"),
        (Condition, "condition 'nothing': asks nothing"),
        (lambda: Condition(hours="late"), "hours 'late': is unknown; use one of inside, outside"),
        (lambda: Branch("night", "x"), "when 'night': is no Condition"),
        (lambda: Branch(Condition(hours="inside"), ""), "branch '': has no id"),
        (lambda: Repeat("", 1), "repeat '': has no id"),
        (lambda: Repeat("a", 0), "repeat 0: is no bounded number of times"),
        (lambda: Repeat("a", True), "repeat True: is no bounded number"),
        (lambda: Repeat("a", 21), "repeat 21: is no bounded number of times; say 1 to 20"),
    ],
)  # fmt: skip
def test_a_step_that_cannot_work_is_refused(make, message):
    """By name, with why and what to write."""
    with pytest.raises(InvalidValue, match=message):
        make()


@pytest.mark.parametrize(
    ("steps", "fields", "message"),
    [
        ([after()], {}, "begins with 'next', which follows nothing"),
        ([PAGE, after(then="gone")], {}, "goes from 'next' to 'gone', which is no step of that chain; use one of"),
        ([PAGE, after(then="page")], {}, "goes back without a bound from 'next' to 'page'; branch forward"),
        ([PAGE, after(then="next")], {}, "goes back without a bound from 'next' to 'next'"),
        ([PAGE, after(to=(), branches=[Branch(Condition(hours="inside"), "page")])], {}, "goes back without a bound"),
        ([PAGE, after(to=(), branches=[Branch(Condition(hours="inside"), "lead")]), LEAD], {}, "no step of that chain"),
        ([PAGE, after(to=(), repeat=Repeat("last", 1)), after("last")], {}, "repeats from 'next' to 'last'"),
        ([PAGE, after(to=(), repeat=Repeat("end", 1))], {}, "to 'end', which is no step"),
        ([LEAD, after()], {}, "tells nobody if the names in the chain of 'lead' are all empty; say last_resort"),
        ([PAGE], {"catch_up": "expire"}, "expires without saying after how long"),
        ([PAGE], {"catch_up": "flood"}, "catch_up 'flood': is unknown"),
        ([PAGE], {"calendar": "desk"}, "calendar 'desk': is no BusinessCalendar"),
        ([PAGE], {"ack_mode": "some"}, "ack_mode 'some': is unknown; use one of first, all"),
        ([PAGE], {"ack_timeout": "30m"}, "does not say in which time it counts"),
        ([PAGE], {"on_ack_timeout": "stop"}, "use one of restart, resume"),
        ([PAGE], {"on_priority_change": "flee"}, "use one of keep, switch"),
    ],
)  # fmt: skip
def test_a_chain_that_cannot_end_or_goes_nowhere_is_refused(steps, fields, message):
    """Cycles without a bound, unknown steps, and silence where everybody may be absent."""
    with pytest.raises(InvalidValue, match=message):
        EscalationPolicy("line", 1, steps=steps, **fields)


def test_a_chain_that_names_nobody_needs_no_last_resort():
    """It moves the work and changes the record: there is nobody who could be missing."""
    raised = after("raised", to=(), sets={"priority": "P1"})
    moved = EscalationStep("moved", trigger=Trigger.unacknowledged("5m wall"), group="second-line")
    assert EscalationPolicy("line", 1, steps=[moved, raised]).last_resort is None


def test_chains_are_read_off_the_steps():
    """Each trigger begins one; what is `after` follows it."""
    found = EscalationPolicy("line", 1, steps=[PAGE, after(), LEAD], last_resort="duty")
    assert [[step.id for step in chain.steps] for chain in found.chains] == [["page", "next"], ["lead"]]
    assert (found.label, found.step("next"), found.step("gone")) == ("line@1", after(), None)
    assert [found.catches_up(step) for step in found.steps] == ["serial", "serial", "coalesce"]


def test_a_condition_in_words():
    """For whoever reads a table."""
    told = Condition(priorities=["P2", "P1"], fields={"service": "mail"}, hours="outside")
    assert str(told) == "P1/P2, service = mail, outside hours"
    assert str(Condition(priorities="P1")) == "P1"


def test_the_newest_version_of_the_first_policy_that_covers_a_record():
    """One for P1, versions one and two; another for the rest; none for nobody."""
    urgent = [EscalationPolicy("urgent", n, steps=[PAGE], priorities="P1") for n in (1, 2)]
    rest = EscalationPolicy("rest", 1, steps=[PAGE])
    first, second = (INCIDENT.record("I", priority=one) for one in ("P1", "P2"))
    assert policy_for([*urgent, rest], first) is urgent[1]
    assert policy_for([*urgent, rest], second) is rest
    assert policy_for(urgent, second) is None
