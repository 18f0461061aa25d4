"""The mutation run over all edges: every lifecycle that differs in one place is noticed."""

import csv
import importlib.util
import itertools
from pathlib import Path

import attrs
import pytest

from itsm_core.processes import CHANGE, INCIDENT, PROCESSES, TASK
from itsm_core.testing import assert_edges, condition_mutants, differences, edge_mutants, edges_of, survivors
from itsm_core.testing.edges import CONDITIONS

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"


def script():
    """scripts/edges.py as a module."""
    spec = importlib.util.spec_from_file_location("edges", ROOT / "scripts" / "edges.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("process", PROCESSES)
def test_every_mutant_of_the_edges_is_noticed(process):
    """Each edge removed, doubled, led to and from each other state, and each that is not there added."""
    assert survivors(edge_mutants(PROCESSES[process]), GOLDEN / f"{process}_edges.csv") == ()


@pytest.mark.parametrize("process", PROCESSES)
def test_every_mutant_of_the_conditions_is_noticed(process):
    """Guards, roles, relations, fields and choices, duties kept apart, timers, reopening, order.

    Those of the opening and of the commands beside the state, too.
    """
    assert survivors(condition_mutants(PROCESSES[process]), GOLDEN / f"{process}_conditions.csv") == ()


@pytest.mark.parametrize("process", PROCESSES)
def test_the_mutants_of_the_edges_are_all_there_are(process):
    """Counted by the definition alone, and each is another one."""
    lifecycle = PROCESSES[process]
    edges, states = edges_of(lifecycle), len(lifecycle.states)
    added = len(lifecycle.by_trigger) * states**2 - len(set(edges))
    found = [tuple(edges_of(mutant.lifecycle)) for mutant in edge_mutants(lifecycle)]
    assert len(found) == len(edges) * (2 + 2 * (states - 1)) + added
    assert edges not in found


def test_a_redirected_edge_is_each_edge_led_to_each_other_state():
    """And from each other state; by hand, of the smallest lifecycle."""
    known = set(edges_of(TASK))

    def led(way):
        mutants = [mutant for mutant in edge_mutants(TASK) if f" led {way} " in mutant.what]
        return {edge for mutant in mutants for edge in set(edges_of(mutant.lifecycle)) - known}

    pairs = list(itertools.product(known, TASK.by_id))
    assert led("to") == {(t, s, other) for (t, s, _), other in pairs} - known
    assert led("from") == {(t, other, d) for (t, _, d), other in pairs} - known


def test_a_mutant_says_what_was_changed():
    """So that a survivor can be looked for."""
    first, *_ = edge_mutants(INCIDENT)
    assert str(first) == "incident, start: new -> in_progress removed"
    assert ("start", "new", "in_progress") not in edges_of(first.lifecycle)
    some = {mutant.what for mutant in condition_mutants(INCIDENT)}
    assert {
        "start: new -> in_progress, roles without agent",
        "close: resolved -> closed, guards without no_open_tasks",
        "auto_close: resolved -> closed, after None",
        "reopen: resolved -> in_progress, reopens restart",
        "cancel: new|in_progress|on_hold -> cancelled, requires without reason",
        "cancel: new|in_progress|on_hold -> cancelled, reason kept",
        "hold: new|in_progress|on_hold -> on_hold, hold_reason not supplier",
        "close: resolved -> closed, closure_code without choices",
        "open: -> resolved",
        "open, requires with reason",
        "open, guards with no_open_tasks",
        "vote, guards with no_open_tasks",
    } <= some
    assert {
        "open, requires without change_kind",
        "open, change_kind not emergency",
        "vote, guards without may_vote",
        "request_approval, guards without authority_fits",
        "no guards beside the state",
    } <= {mutant.what for mutant in condition_mutants(CHANGE)}


def test_approval_guards_cannot_be_lost_unnoticed():
    """All that stands beside the state dropped, or all that a change is opened with."""
    path = GOLDEN / "change_conditions.csv"
    lost = differences(attrs.evolve(CHANGE, beside={}), path)
    assert {line.split(";")[0] for line in lost if line.startswith("-")} == {
        "- request_approval", "- vote", "- amend", "- assign", "- reprioritise", "- correct",
    }  # fmt: skip
    assert "- open: -> new; requires change_kind" in "".join(
        differences(attrs.evolve(CHANGE, opening=()), path)
    )


def test_a_table_with_a_hole_lets_mutants_live():
    """The run above could fail: without a column, its mutants survive; without a row, the lifecycle fails."""
    path = GOLDEN / "incident_conditions.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    mutants = list(condition_mutants(INCIDENT))
    for column in CONDITIONS.keys() - {"asks"}:  # what it holds stands in `requires` or `optional`, too
        less = [{name: cell for name, cell in row.items() if name != column} for row in rows]
        assert survivors(mutants, less), column
    with pytest.raises(AssertionError):
        assert_edges(INCIDENT, rows[:-1])
    assert survivors(edge_mutants(TASK), edges_of(TASK)) == ()
    assert survivors([attrs.evolve(next(edge_mutants(TASK)), lifecycle=TASK)], edges_of(TASK))


def test_the_script_prints_the_count(capsys):
    """`python scripts/edges.py` is the command that the documentation names."""
    assert script().main() == 0
    said = capsys.readouterr().out.splitlines()
    mutants = sum(len(list(edge_mutants(one))) for one in PROCESSES.values())
    assert mutants > 5000
    assert said[-1].startswith(f"{mutants} mutants of {len(PROCESSES)} lifecycles, all noticed")
    assert [line.split(":")[0] for line in said[:-1]] == list(PROCESSES)


def test_the_script_names_survivors(capsys, monkeypatch):
    """And ends with status 1."""
    edges = script()
    monkeypatch.setattr(edges, "survivors", lambda mutants, _: tuple(mutants)[:1])
    assert edges.main() == 1
    said = capsys.readouterr().out
    assert "survived: task, start: open -> in_progress removed" in said
    assert "all noticed" not in said


def test_the_script_fails_if_a_table_is_wrong(capsys, monkeypatch):
    """A lifecycle that its table does not describe has no mutants worth counting."""
    edges = script()
    less = attrs.evolve(TASK, transitions=TASK.transitions[:-1])
    monkeypatch.setattr(edges, "PROCESSES", {"task": less})
    assert edges.main() == 1
    assert "- skip: open -> skipped" in capsys.readouterr().out
