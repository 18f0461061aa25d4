"""The way of one kind of change: what its changes walk, and whether a small staff can."""

import pytest

from itsm_core.errors import InvalidValue
from itsm_core.lifecycle import check
from itsm_core.lifecycle.guards import OfWay
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


@pytest.mark.parametrize("kind", WAYS)
def test_the_search_through_the_whole_finds_what_that_of_a_kind_finds(kind):
    """Nobody has to take the ways apart first: guards say which kinds take which steps."""
    both = {"agent", "manager"}
    for staff in ({"ana": both}, {"ana": "agent", "bo": "agent"}, {"ana": both, "bo": "agent"}):
        whole = {(f.code, f.where, f.message, f.severity) for f in dead_ends(CHANGE, staff)}
        assert {
            (f.code, f.where, f.message, f.severity) for f in dead_ends(way_of(kind, CHANGE), staff)
        } <= whole


def test_a_staff_without_a_manager_is_told_so_for_the_whole():
    """Though a standard change would get by: L027, as for `way_of("normal", CHANGE)`."""
    found = dead_ends(CHANGE, {"ana": "agent", "bo": "agent"})
    assert ("L027", "authorize") in {(f.code, f.where) for f in found}
    assert any(
        f.message.startswith("authorize takes the role manager, and nobody here has it") for f in found
    )
    assert dead_ends(CHANGE, {"ana": "agent", "mona": "manager"}, openers=["ana"]) == ()


def test_the_guards_say_what_a_way_is():
    """Of each kind those rows that its own guards let pass, as far as a record of it comes."""
    for kind in WAYS:
        others = {
            name
            for name, guard in CHANGE.guards.items()
            if isinstance(guard, OfWay) and kind not in guard.ways
        }
        way = way_of(kind, CHANGE)
        rows = {
            (t.trigger, t.dest, t.guards)
            for t in CHANGE.transitions
            if others.isdisjoint(t.guards)
            and t.trigger not in ("hold", "resume")
            and way.by_id.keys() & set(t.sources)
        }
        assert rows == {(t.trigger, t.dest, t.guards) for t in way.transitions}
