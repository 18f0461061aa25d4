"""What the rules of soundness walk on: moves from state to state, cycles, and names as messages show them."""

import pytest

from itsm_core.events import Phase
from itsm_core.lifecycle import Lifecycle, State, Transition
from itsm_core.lifecycle.graph import Graph, backwards, cycles, reach, told, told_all


def graph(*moves, states, initial="a"):
    """The graph of these moves between these states."""
    rows = [Transition(f"{source}{dest}", source, dest=dest, roles="agent") for source, dest in moves]
    return Graph(Lifecycle("tiny", 1, process="incident", initial=initial, states=states, transitions=rows))


A, B = State("a", "new"), State("b", "active")


def test_moves_that_name_an_undefined_state_are_left_out():
    """From an unknown source, to an unknown destination, or to what is no name at all."""
    found = graph(("a", "b"), ("x", "b"), ("a", "x"), ("a", None), states=(A, B))
    assert [(a.id, row.trigger, b.id) for a, row, b in found.edges] == [("a", "ab", "b")]
    assert found.ahead == {"a": ["b"], "b": []}
    assert found.behind == {"b": ["a"]}


@pytest.mark.parametrize(("initial", "met"), [("a", {"a", "b"}), ("b", {"b"}), ("x", set()), (["a"], set())])
def test_a_record_comes_into_what_its_initial_state_leads_to(initial, met):
    """Nothing, if that is not defined."""
    assert graph(("a", "b"), states=(A, B), initial=initial).met == met


def test_ends_are_the_closed_states():
    """In the order of definition."""
    ends = [State(name, Phase.CLOSED, outcome="completed") for name in ("y", "x")]
    assert graph(states=(A, *ends, B)).ends() == ["y", "x"]


def test_a_walk_reaches_its_seeds_and_all_that_follows():
    """Cycles end it no later."""
    ahead = {1: [2], 2: [3, 1], 4: [1]}
    assert reach([2], ahead) == {1, 2, 3}
    assert reach([], ahead) == set()
    assert backwards(ahead) == {2: [1], 3: [2], 1: [2, 4]}


@pytest.mark.parametrize(
    ("ahead", "found"),
    [
        ({1: [2], 2: [3]}, []),
        ({1: [1]}, [[1]]),
        ({1: [2], 2: [3], 3: [2]}, [[2, 3]]),
        ({1: [2, 3], 2: [4], 3: [4], 4: []}, []),
        ({1: [2], 2: [1], 3: [4], 4: [3]}, [[1, 2], [3, 4]]),
        ({1: [1, 2], 2: [2]}, [[1]]),
    ],
)
def test_a_cycle_is_named_from_where_it_begins(ahead, found):
    """What leads into it is left out, and what was walked before is not walked again."""
    assert list(cycles(ahead)) == found


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("new", "new"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 57 + "..."),
        ("two\nlines", "'two\\nlines'"),
        ("", ""),
        (None, "a NoneType"),
        (7, "a int"),
    ],
)
def test_a_name_is_shown_short_and_on_one_line(name, shown):
    """Sixty characters are the most."""
    assert told(name) == shown


def test_of_many_names_the_first_eight_are_shown():
    """And how many more there are."""
    assert told_all("abc") == "a, b, c"
    assert told_all("ab", " or ") == "a or b"
    assert told_all("abcdefgh") == "a, b, c, d, e, f, g, h"
    assert told_all("abcdefghi") == "a, b, c, d, e, f, g, h, 1 more"
    assert told_all("") == ""
