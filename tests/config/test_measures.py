"""Measures in files: conditions as tables, names only."""

import pytest
from hypothesis import given

from agreements import measures
from itsm_core.config.measures import MEASURE
from itsm_core.config.reading import Place
from itsm_core.errors import InvalidInput
from itsm_core.sla import Condition, Measure

PLACE = Place("agreement.toml", "measure")


def test_one_condition_may_stand_without_a_list():
    """Of several any will do."""
    one = MEASURE.read(PLACE, {"start": {"states": ["approval"]}})
    assert one == MEASURE.read(PLACE, {"start": [{"states": ["approval"]}]})
    assert one == Measure(start=Condition(states="approval"))


def test_a_condition_without_aspects_always_holds():
    """It stands for the opening."""
    assert MEASURE.read(PLACE, {"start": {}}) == Measure(start=Condition())


# fmt: off
BAD = {
    "start":      ({}, r"measure \[\]: lacks keys; add start"),
    "start-none": ({"start": []}, r"measure: start .*names no condition"),
    "key":        ({"start": {}, "stops": {}}, r"key of measure 'stops': is unknown; did you mean stop"),
    "key-far":    ({"start": {}, "xyz": {}}, "key of measure 'xyz': is unknown; use one of once, pause"),
    "text":       ({"start": "phase == 'new'"}, "measure.start \"phase == 'new'\": is no table; write { phases = "),
    "item":       ({"start": [{}, 1]}, r"measure.start\[2\] 1: is no table"),
    "aspect":     ({"start": [{"state": ["x"]}]}, r"key of measure.start\[1\] 'state': is unknown; did you mean states"),
    "states":     ({"start": {"states": "x"}}, "measure.start.states 'x': is no list"),
    "states-int": ({"start": {"states": [1]}}, "measure.start.states 1: is no text"),
    "empty-name": ({"start": {"states": [""]}}, "measure.start: condition '': is no word"),
    "phase":      ({"start": {"phases": ["actve"]}}, r"measure.start.phases 'actve': is unknown; did you mean active\?"),
    "wait":       ({"start": {"waits_on": ["godot"]}}, "measure.start.waits_on 'godot': is unknown; use one of requester"),
    "words":      ({"start": {"words": ["shout"]}}, "measure.start.words 'shout': is unknown; use one of message"),
    "unless":     ({"start": {"words": ["message"], "unless": True}}, "measure.start: condition 'unless': turns words round"),
    "flag":       ({"start": {}, "once": 1}, "measure.once 1: is neither true nor false"),
}
# fmt: on


@pytest.mark.parametrize(("value", "said"), BAD.values(), ids=BAD)
def test_a_bad_measure_is_refused_with_its_place(value, said):
    """The key, what is wrong with it, and what to write."""
    with pytest.raises(InvalidInput, match=said):
        MEASURE.read(PLACE, value)


@pytest.mark.law
@given(measures)
def test_a_measure_comes_back_from_its_table(measure):
    """Whatever its conditions are."""
    assert MEASURE.read(PLACE, MEASURE.write(measure)) == measure
