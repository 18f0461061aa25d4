"""Each coded rule of soundness has a smallest broken lifecycle that breaks it and no other."""

import itertools

import attrs
import pytest

from itsm_core.errors import UnsoundLifecycle
from itsm_core.events import Phase
from itsm_core.lifecycle import Lifecycle, State, Transition, check
from itsm_core.lifecycle.soundness import _RULES, PHASE_MOVES, sound

NEW = State("new", Phase.NEW)
WORK = State("work", Phase.ACTIVE)
WAIT = State("wait", Phase.WAITING)
FIXED = State("fixed", Phase.RESOLVED)
DONE = State("done", Phase.CLOSED, outcome="completed")
GONE = State("gone", Phase.CLOSED, outcome="cancelled")


def move(trigger, sources, dest, **more):
    """A transition that an agent may fire."""
    return Transition(trigger, sources, dest=dest, **{"roles": {"agent"}, **more})


def lifecycle(*transitions, states=(NEW, DONE), initial="new"):
    """A lifecycle of these states and transitions."""
    return Lifecycle("tiny", 1, process="incident", initial=initial, states=states, transitions=transitions)


FINISH = move("finish", "new", "done")
TINY = lifecycle(FINISH)
WHOLE = lifecycle(
    move("start", "new", "work"),
    move("wait", ("work", "wait"), "wait"),
    move("fix", ("work", "wait"), "fixed"),
    move("finish", "fixed", "done"),
    move("reopen", "fixed", "work", reopens="resume"),
    move("undo", "done", "new", reopens="restart"),
    states=(NEW, WORK, WAIT, FIXED, DONE),
)

# fmt: off
BROKEN = [
    # rule, where, the definition
    ("L001", "done",   lifecycle(FINISH, states=(NEW, DONE, DONE))),
    ("L001", "done",   lifecycle(FINISH, states=(NEW, DONE, GONE, attrs.evolve(GONE, id="done")))),
    ("L002", "start",  lifecycle(FINISH, initial="start")),
    ("L002", "work",   lifecycle(move("finish", "work", "done"), states=(WORK, DONE), initial="work")),
    ("L003", "finish", lifecycle(move("finish", "new", "nowhere"), states=(NEW, DONE))),
    ("L003", "finish", lifecycle(move("finish", ("new", "nowhere"), "done"))),
    ("L006", "undo",   lifecycle(FINISH, move("undo", "done", "new"))),
    ("L006", "undo",   lifecycle(FINISH, move("undo", "done", "gone"), states=(NEW, DONE, GONE))),
    ("L006", "undo",   lifecycle(FINISH, move("undo", "done", "gone", reopens="resume"),
                                 states=(NEW, DONE, GONE))),
    ("L006", "undo",   lifecycle(FINISH, move("undo", "done", "new", reopens="perhaps"))),
    ("L006", "pause",  lifecycle(move("fix", "new", "fixed"), move("pause", "fixed", "wait"),
                                 move("end", ("fixed", "wait"), "done"), states=(NEW, WAIT, FIXED, DONE))),
    ("L006", "reopen", lifecycle(move("fix", "new", "fixed"), move("reopen", "fixed", "new"),
                                 move("end", "fixed", "done"), states=(NEW, FIXED, DONE))),
    ("L006", "reopen", lifecycle(move("fix", "new", "fixed"), move("reopen", "fixed", "new", reopens="again"),
                                 move("end", "fixed", "done"), states=(NEW, FIXED, DONE))),
    ("L006", "finish", lifecycle(move("finish", "new", "done", reopens="resume"))),
    ("L007", "tiny",   lifecycle(move("start", "new", "work"), states=(NEW, WORK))),
    ("L008", "work",   lifecycle(FINISH, move("end", "work", "done"), states=(NEW, WORK, DONE))),
    ("L008", "work",   lifecycle(FINISH, move("stay", "work", "work"), move("end", "work", "done"),
                                 states=(NEW, WORK, DONE))),
    ("L009", "work",   lifecycle(FINISH, move("start", "new", "work"), states=(NEW, WORK, DONE))),
    ("L009", "work",   lifecycle(FINISH, move("start", ("new", "work"), "work"), states=(NEW, WORK, DONE))),
    ("L010", "done",   lifecycle(FINISH, states=(NEW, attrs.evolve(DONE, outcome=None)))),
    ("L010", "done",   lifecycle(FINISH, states=(NEW, attrs.evolve(DONE, outcome="")))),
    ("L013", "finish", lifecycle(FINISH, move("finish", "new", "gone"), move("leave", "new", "gone"),
                                 states=(NEW, DONE, GONE))),
    ("L013", "finish", lifecycle(move("finish", ("new", "new"), "done"))),
    ("L016", "finish", lifecycle(Transition("finish", "new", dest="done"))),
    ("L029", "note", lifecycle(move("finish", "new", "done"), move("note", "new", "done"))),
]
# fmt: on


@pytest.mark.parametrize("definition", [TINY, WHOLE], ids=["tiny", "whole"])
def test_a_sound_lifecycle_has_no_findings(definition):
    """The smallest, and one with every phase, a wait and two ways to reopen."""
    assert check(definition) == ()
    assert sound(definition) is definition


@pytest.mark.parametrize(("code", "where", "definition"), BROKEN)
def test_a_broken_lifecycle_breaks_exactly_its_rule(code, where, definition):
    """One fault, one rule, and the place where to look."""
    findings = check(definition)
    assert {finding.code for finding in findings} == {code}
    assert {finding.where for finding in findings} == {where}
    with pytest.raises(UnsoundLifecycle) as caught:
        sound(definition)
    assert set(caught.value.codes) == {code}
    assert str(findings[0]) in str(caught.value)
    assert str(findings[0]).startswith(f"{code} {where}: ")


def test_every_coded_rule_has_a_broken_lifecycle():
    """A new rule needs a row above."""
    assert {code for code, *_ in BROKEN} == set(_RULES)


def test_all_findings_are_listed_at_once():
    """Faults that do not hide each other come together."""
    definition = lifecycle(
        Transition("finish", "new", dest="done"), states=(NEW, WORK, attrs.evolve(DONE, outcome=None))
    )
    assert {f.code for f in check(definition)} == {"L008", "L009", "L010", "L016"}


def test_references_are_looked_at_first():
    """Without them the other rules have nothing to stand on."""
    definition = lifecycle(Transition("finish", "new", dest="nowhere"), initial="start")
    assert {f.code for f in check(definition)} == {"L002", "L003"}


def test_whoever_stands_in_a_relation_is_somebody():
    """A transition for the requester alone needs no role."""
    assert check(lifecycle(Transition("finish", "new", dest="done", relation="requester"))) == ()


# --- the phase moves, move by move -------------------------------------------------------------

N, A, W, R, C = Phase
# DESIGN, lifecycles: NEW, ACTIVE and WAITING to any phase; RESOLVED to NEW, ACTIVE, RESOLVED,
# CLOSED; CLOSED to nothing, except by a transition marked as reopening.
FREE = {*itertools.product((N, A, W), Phase), (R, N), (R, A), (R, R), (R, C)}
REOPENING = {(R, N), (R, A)}
MARKED = REOPENING | {(C, N), (C, A), (C, W)}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(Phase, repeat=2)))
@pytest.mark.parametrize("reopens", [None, "resume", "restart"])
def test_a_move_between_phases_is_allowed_or_not(before, after, reopens):
    """Every pair of phases, unmarked and marked, against the sentence of the design."""
    start, end = State("start", before, outcome="x"), State("end", after, outcome="x")
    definition = lifecycle(
        move("begin", "new", "start"),
        move("finish", ("new", "start", "end") if C not in (before, after) else "new", "done"),
        move("try", "start", "end", reopens=reopens),
        states=(NEW, start, end, DONE),
    )
    found = [f for f in check(definition) if f.code == "L006" and f.where == "try"]
    if reopens is None:
        assert bool(found) is ((before, after) not in FREE - REOPENING)
    else:
        assert bool(found) is ((before, after) not in MARKED)


def test_the_table_of_moves_has_a_row_for_each_phase():
    """Nothing is allowed by being forgotten."""
    assert set(PHASE_MOVES) == set(Phase)
    assert {(a, b) for a, row in PHASE_MOVES.items() for b in row} == FREE
