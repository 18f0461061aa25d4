"""Where a hold began: the last trigger that led somewhere says so."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.lifecycle import Situation, Transition
from itsm_core.processes import PROBLEM
from itsm_core.processes.holding import held_in, leads, was_in
from walking import ACTORS, T

STEPS = (
    Transition("start", "new", dest="work", roles="agent"),
    Transition("test", "work", dest="testing", roles="agent"),
    Transition("hold", ("work", "testing"), dest="on_hold", roles="agent"),
    Transition("resume", "on_hold", dest="work", roles="agent"),
)
LEADS = leads(STEPS)


def record(*fired):
    """A record on hold for which these triggers were fired, in order."""
    acted = tuple((trigger, "ana") for trigger in fired)
    return attrs.evolve(PROBLEM.record("PRB-1", "on_hold"), acted=acted)


def test_triggers_lead_somewhere_but_holds_do_not():
    """Where a hold leads back to is the question."""
    assert LEADS == {"start": "work", "test": "testing"}


@pytest.mark.parametrize(
    ("fired", "state"),
    [
        (["open", "start", "hold"], "work"),
        (["open", "start", "test", "hold"], "testing"),
        (["open", "test", "start", "hold"], "work"),
        (["open", "start", "test", "resume", "hold"], "testing"),
        (["open", "start", "rename", "hold"], "work"),  # a trigger that the table does not know
        (["open", "hold"], None),
        ([], None),
    ],
)
def test_a_record_was_where_its_last_step_led(fired, state):
    """Whatever was fired in between that leads nowhere else."""
    held = record(*fired)
    assert held_in(held, LEADS) == state
    for other in ("work", "testing"):
        situation = Situation(record=held, actor=ACTORS["agent"], trigger="resume")
        found = was_in(other, LEADS)(situation)
        assert (found is None) is (other == state)
        if found is not None:
            assert (found.code, found.message) == ("held_elsewhere", f"it was not put on hold in {other}")


@pytest.mark.law
@given(st.lists(st.sampled_from(["start", "test", "hold", "resume", "open", "x"]), max_size=12))
def test_exactly_one_way_back_is_open_or_none(fired):
    """However long the story: the guards of two states never let pass both."""
    situation = Situation(record=record(*fired), actor=ACTORS["agent"], trigger="resume", at=T)
    passing = [state for state in ("work", "testing") if was_in(state, LEADS)(situation) is None]
    assert len(passing) == (1 if {"start", "test"} & set(fired) else 0)
