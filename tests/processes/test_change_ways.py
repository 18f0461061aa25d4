"""The way of one kind of change: what its changes walk, and whether a small staff can."""

import pytest

from itsm_core.errors import InvalidValue
from itsm_core.lifecycle import check
from itsm_core.lifecycle.staffing import dead_ends
from itsm_core.processes import CHANGE, WAYS, way_of

# fmt: off
WALKED = [
    # platforms.md 2.5: normal, standard skips Assess and Authorize, emergency skips Assess; DESIGN: a
    # finding enters at Review
    ("normal",       "new assess authorize scheduled implement review closed cancelled"),
    ("standard",     "new scheduled implement review closed cancelled"),
    ("emergency",    "new authorize scheduled implement review closed cancelled"),
    ("unauthorised", "new review closed cancelled"),
]
# fmt: on


@pytest.mark.parametrize(("kind", "states"), WALKED)
def test_each_kind_walks_its_own_states(kind, states):
    """And is sound by itself: every state reachable, every one with an end."""
    way = way_of(kind, CHANGE)
    assert [state.id for state in way.states] == states.split()
    assert (way.id, way.version) == (f"change.{kind}", CHANGE.version)
    assert not [finding for finding in check(way) if finding.severity == "error"]


def test_every_way_is_looked_at():
    """The table above has a row for each."""
    assert {kind for kind, _ in WALKED} == set(WAYS)


def test_the_ways_together_are_the_whole_but_for_holds():
    """No transition is lost, and none is made up."""
    walked = {
        (row.trigger, source, row.dest, row.guards)
        for kind in WAYS
        for row in way_of(kind, CHANGE).transitions
        for source in row.sources
    }
    whole = {(t.trigger, source, t.dest, t.guards) for t in CHANGE.transitions for source in t.sources}
    held = {edge for edge in whole if "on_hold" in (edge[1], edge[2])}
    assert walked == whole - held


@pytest.mark.parametrize("kind", ["", "registration", None])
def test_a_kind_that_there_is_not_has_no_way(kind):
    """With the choices."""
    with pytest.raises(InvalidValue, match="use one of standard, normal, emergency, unauthorised"):
        way_of(kind, CHANGE)


@pytest.mark.parametrize("kind", ["normal", "emergency"])
def test_the_search_names_where_one_person_gets_stuck(kind):
    """Issue 4: at the authorisation; a second manager, or a waiver, and nobody is."""
    way, both = way_of(kind, CHANGE), {"agent", "manager"}
    (found,) = dead_ends(way, {"ana": both})
    assert (found.code, found.where, found.severity) == ("L026", "authorize", "error")
    assert "waive it on the record" in found.message
    assert dead_ends(way, {"ana": both}, waived=[("authorize", "open")]) == ()
    assert dead_ends(way, {"ana": both, "bo": both}) == ()


@pytest.mark.parametrize("kind", ["standard", "unauthorised"])
def test_one_person_can_walk_what_was_authorised_otherwise(kind):
    """By a template beforehand; a finding is decided by votes, which no search sees."""
    assert dead_ends(way_of(kind, CHANGE), {"ana": {"agent", "manager"}}) == ()
