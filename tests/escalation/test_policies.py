"""Escalation policies as data: what may stand in a step, and what is refused by name."""

from fractions import Fraction

import pytest

from itsm_core.business_time import BusinessCalendar
from itsm_core.errors import InvalidValue
from itsm_core.escalation import EscalationPolicy, EscalationStep, StepKind
from itsm_core.priority import Priority
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
        ({"kind": "loud"}, "^kind of step 'loud': is no kind of step; use one of functional, hierarchic$"),
        ({"priorities": "P9"}, "^priority 'P9': is no priority; use one of P1"),
        ({"id": ""}, "^escalation step '': has no id; name it"),
        ({"id": 5}, "^escalation step 5: is no text"),
        ({"at": 0.75}, "floats round and are refused"),
        ({"to": ""}, "^to '': is no word; name who is told"),
        ({"to": 5}, "^to 5: is no word"),
        ({"channel": ""}, "^channel '': is no word"),
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
        ({"id": ""}, "^escalation policy '': has no id"),
        ({"steps": LEAD}, "is no list of EscalationStep; give a list"),
        ({"steps": None}, "^steps None: is no list of EscalationStep"),
        ({"steps": ["lead"]}, "^steps 'lead': is no EscalationStep"),
        ({"last_resort": ""}, "^last_resort '': is no word"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_with_what_could(wrong, message):
    """As an agreement is: ids, versions and what it is made of."""
    with pytest.raises(InvalidValue, match=message):
        policy(**wrong)
