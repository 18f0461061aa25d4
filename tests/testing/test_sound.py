"""`assert_sound`: whether a lifecycle can work, and given people can run it, as one assertion."""

import attrs
import pytest

from itsm_core import InvalidValue
from itsm_core.lifecycle import Lifecycle, State, Transition
from itsm_core.processes import CHANGE, INCIDENT, SHIPPED
from itsm_core.processes.change_ways import way_of
from itsm_core.testing import assert_sound

BROKEN = attrs.evolve(INCIDENT, transitions=[attrs.evolve(t, dest="nowhere") for t in INCIDENT.transitions])
ALONE = {"ana": {"agent", "manager", "automation"}}
TWO = {**ALONE, "bob": {"agent", "manager"}}
NORMAL = way_of("normal", CHANGE)

UNDECIDED = Lifecycle(
    "undecided", 1, process="x", initial="a",
    states=[State("a", "new"), State("b", "closed", outcome="completed")],
    transitions=[Transition("end", "a", dest="b", roles={"agent"}, guards=("calm",)),
                 Transition("end", "a", dest="b", roles={"agent"}, guards=("brave",))],
    requester=False, guards={"calm": lambda _: None, "brave": lambda _: None},
)  # fmt: skip
"""Sound, with a warning: each way has a guard, and none is the default (L014)."""


@pytest.mark.parametrize("lifecycle", SHIPPED, ids=lambda one: one.id)
def test_a_shipped_lifecycle_is_sound(lifecycle):
    """Whoever works with it."""
    assert_sound(lifecycle)


def test_every_finding_is_told_with_its_rule():
    """What is wrong, where, and what the rule asks."""
    with pytest.raises(AssertionError) as wrong:
        assert_sound(BROKEN)
    head, *lines = str(wrong.value).splitlines()
    assert head == "incident 1 is not sound:"
    assert "  L004 start: " in lines[0]
    assert lines[1] == "      rule: The destination of each transition exists."
    assert sum("L004" in line for line in lines) == len(BROKEN.transitions)


def test_the_staff_is_looked_at():
    """One person who holds every role cannot approve their own change; two can, or a waiver."""
    with pytest.raises(AssertionError, match=r"change.normal 1 is not sound:\n  L026 authorize: .*ana"):
        assert_sound(NORMAL, ALONE)
    assert_sound(NORMAL, TWO)
    assert_sound(NORMAL, ALONE, waived=[("authorize", "open")])
    assert_sound(NORMAL, {**ALONE, "rita": ()}, openers=["rita"])


def test_a_role_that_nobody_holds_is_told():
    """The record would be stuck."""
    with pytest.raises(
        AssertionError, match=r"L027 .*\n      rule: Somebody of the staff may take each step"
    ):
        assert_sound(NORMAL, {"ana": {"agent"}, "bob": {"agent"}})


def test_a_warning_fails_only_if_it_is_asked_for():
    """The library refuses nothing for it either."""
    assert_sound(UNDECIDED)
    with pytest.raises(AssertionError, match=r"L014 \(warning\)"):
        assert_sound(UNDECIDED, strict=True)


def test_people_are_not_looked_at_where_the_definition_is_unsound():
    """There is nothing to search."""
    with pytest.raises(AssertionError, match="L004"):
        assert_sound(BROKEN, ALONE)


def test_bad_input_is_refused_as_the_library_refuses_it():
    """It is no lifecycle, or nobody."""
    with pytest.raises(InvalidValue, match="lifecycle"):
        assert_sound("incident")
    with pytest.raises(InvalidValue, match="staff"):
        assert_sound(INCIDENT, {})
