"""`paths`: a few short paths that reach every state, every edge, or every pair of edges."""

import itertools

import attrs
import pytest
from hypothesis import given

from itsm_core import InvalidValue
from itsm_core.lifecycle import Lifecycle, State, Transition
from itsm_core.processes import PROBLEM, SHIPPED, TASK
from itsm_core.testing import edges_of, paths
from itsm_core.testing.paths import LONG
from random_lifecycles import sound_lifecycles

COVERS = ("states", "transitions", "pairs")


def reached(lifecycle):
    """The states that edges lead to from the initial one, by a search of its own."""
    found, edges = {lifecycle.initial}, edges_of(lifecycle)
    for _ in lifecycle.states:
        found |= {edge.dest for edge in edges if edge.source in found}
    return found


def goals(lifecycle, cover, follows=None):
    """What is to be met, worked out from the definition without any path."""
    known = reached(lifecycle)
    edges = {edge for edge in edges_of(lifecycle) if edge.source in known}
    if cover == "states":
        return {edge.dest for edge in edges} - {lifecycle.initial}
    if cover == "transitions":
        return edges
    pairs = {
        (a, b) for a in edges for b in edges if a.dest == b.source and (follows is None or follows(a, b))
    }
    return pairs | {(None, edge) for edge in edges if edge.source == lifecycle.initial}


def met(found, cover):
    """What paths meet."""
    if cover == "pairs":
        return {pair for path in found for pair in itertools.pairwise((None, *path))}
    return {edge.dest if cover == "states" else edge for path in found for edge in path}


def all_met(found, lifecycle, cover):
    """What paths meet, the state in which all begin left out."""
    return met(found, cover) - {lifecycle.initial}


def is_walkable(path, lifecycle):
    """Whether a path begins at the initial state and each edge begins where the one before it ended."""
    ends = [lifecycle.initial, *(edge.dest for edge in path)]
    return all(edge.source == end for edge, end in zip(path, ends, strict=False))


@pytest.mark.parametrize("cover", COVERS)
@pytest.mark.parametrize("lifecycle", SHIPPED, ids=lambda one: one.id)
def test_paths_of_a_shipped_lifecycle_meet_everything(lifecycle, cover):
    """From the initial state on, in few steps, the same each time."""
    found = paths(lifecycle, cover)
    assert all_met(found, lifecycle, cover) == goals(lifecycle, cover)
    assert all(is_walkable(path, lifecycle) for path in found)
    assert max(map(len, found)) <= LONG
    assert len(found) <= len(goals(lifecycle, cover))
    assert paths(attrs.evolve(lifecycle), cover) == found


def test_by_hand_the_paths_of_a_task():
    """Short ones first; a path goes on where what is left lies as near as from the start."""
    told = [" ".join(edge.trigger for edge in path) for path in paths(TASK, "states")]
    assert told == ["start hold complete", "leave_incomplete", "skip"]
    told = [" ".join(edge.trigger for edge in path) for path in paths(TASK)]
    assert told[:2] == ["start hold hold resume complete", "hold complete"]


@pytest.mark.law
@given(sound_lifecycles)
def test_paths_of_any_lifecycle_meet_everything(lifecycle):
    """Whatever is reachable, and nothing that is not an edge."""
    for cover in COVERS:
        found = paths(lifecycle, cover)
        assert all_met(found, lifecycle, cover) == goals(lifecycle, cover)
        assert all(is_walkable(path, lifecycle) for path in found)
        assert all(found)


def where_it_was(before, edge):
    """Whether a hold ends where it began."""
    return edge.trigger != "resume" or before.source == edge.dest


def test_edges_that_a_guard_keeps_apart_do_not_follow_each_other():
    """A problem resumes where it was put on hold."""
    found = paths(PROBLEM, "pairs", follows=where_it_was)
    assert met(found, "pairs") == goals(PROBLEM, "pairs", where_it_was)
    assert met(paths(PROBLEM, follows=where_it_was), "transitions") == goals(PROBLEM, "transitions")
    assert not met(paths(PROBLEM, follows=where_it_was), "pairs") - goals(PROBLEM, "pairs", where_it_was)


def test_what_cannot_be_reached_is_left_out():
    """A definition that is no lifecycle yet has paths all the same."""
    island = Lifecycle(
        "island", 1, process="x", initial="a", states=[State(name, "new") for name in "abc"],
        transitions=[Transition("go", "a", dest="b"), Transition("swim", "c", dest="a")],
    )  # fmt: skip
    assert paths(island) == ((("go", "a", "b"),),)
    assert paths(attrs.evolve(island, transitions=[])) == ()
    assert paths(attrs.evolve(island, initial="nowhere")) == ()
    assert paths(island, follows=lambda *_: False) == paths(island)


def test_a_long_way_is_one_path():
    """A path to something that is farther away than a path should be long is as long as it has to be."""
    names = [f"s{n}" for n in range(2 * LONG)]
    chain = Lifecycle(
        "chain", 1, process="x", initial="s0", states=[State(name, "new") for name in names],
        transitions=[Transition(f"to_{b}", a, dest=b) for a, b in itertools.pairwise(names)],
    )  # fmt: skip
    assert max(map(len, paths(chain))) == len(names) - 1
    assert met(paths(chain), "transitions") == goals(chain, "transitions")


def test_too_much_to_cover_is_refused():
    """Six thousand pairs of edges; its states and edges are few."""
    names = [f"s{n}" for n in range(20)]
    mesh = Lifecycle(
        "mesh", 1, process="x", initial="s0", states=[State(name, "new") for name in names],
        transitions=[Transition("go", names, dest=name) for name in names],
    )  # fmt: skip
    with pytest.raises(InvalidValue, match="more than 5000 things to cover"):
        paths(mesh, "pairs")
    assert len(met(paths(mesh), "transitions")) == 400


def test_bad_input_is_refused():
    """With what to say instead."""
    with pytest.raises(InvalidValue, match="use one of states, transitions, pairs"):
        paths(TASK, "edges")
    with pytest.raises(InvalidValue, match="lifecycle"):
        paths("task")
