"""The task lifecycle, edge by edge, against a table written by hand from the references."""

import attrs
import pytest

from golden_edges import golden, table, who_may
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle import check
from itsm_core.lifecycle.machine import destination
from itsm_core.processes import PROCESSES, TASK
from itsm_core.testing import edges_of
from walking import ACTORS, T, after, asked, fire, opened

EDGES = golden("task")
WHO = who_may("task")
ANA, ABE = ACTORS["agent"], ACTORS["assignee"]


def task(state="open"):
    """A task of abe in a state."""
    return attrs.evolve(TASK.record("T-1", state, assignee="abe"), entered_at=T)


@pytest.mark.parametrize("row", table("task"), ids="{0[trigger]}-{0[from]}-{0[to]}".format)
def test_each_golden_edge_is_walked_by_those_who_may_and_by_nobody_else(row):
    """Through the one door, with the fields it needs; and it has a source."""
    assert row["source"]
    for who, actor in ACTORS.items():
        decision = fire(task(row["from"]), row["trigger"], TASK, actor)
        assert decision.accepted is (who in WHO[row["trigger"], row["from"]]), (who, decision)
        if decision.accepted:
            assert after(task(row["from"]), decision).state == row["to"]
        else:
            assert set(decision.codes) == {"role"}


@pytest.mark.parametrize("trigger", sorted(TASK.by_trigger))
def test_no_trigger_leads_out_of_any_other_state(trigger):
    """What the table does not list, nobody does."""
    for state in TASK.by_id:
        if (trigger, state) not in {(name, start) for name, start, _ in EDGES}:
            decision = fire(task(state), trigger, TASK, fields=asked(TASK, trigger))
            assert decision.codes == ("wrong_state",)
            assert destination(TASK, state, trigger) is None


def test_the_states_and_their_phases():
    """platforms.md 2.5 ServiceNow Request: Open, Work in Progress, Pending, Closed Complete, Incomplete, Skipped."""
    assert [(s.id, s.phase.value, s.outcome) for s in TASK.states] == [
        ("open", "new", None),
        ("in_progress", "active", None),
        ("on_hold", "waiting", None),
        ("complete", "closed", "complete"),
        ("incomplete", "closed", "incomplete"),
        ("skipped", "closed", "skipped"),
    ]
    assert (TASK.id, TASK.version, TASK.initial, TASK.process) == ("task", 1, "open", "task")
    assert not TASK.requester
    assert (TASK.say(), TASK.say("zh")) == ("Task", "任务")


def test_it_is_sound_and_shipped():
    """`check` finds nothing, and nothing leaves an end."""
    assert check(TASK) == ()
    assert PROCESSES["task"] is TASK
    final = {s.id for s in TASK.states if s.phase is Phase.CLOSED}
    assert not [edge for edge in edges_of(TASK) if edge[1] in final]


def test_each_field_names_its_clause():
    """ISO/IEC 20000-1, 8.1; who may fire what, with which fields, stands in the golden table."""
    needs = [*TASK.opening, *(need for row in TASK.transitions for need in row.requires)]
    assert all(need.clause.startswith("ISO/IEC 20000-1 8.1") for need in needs)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_word_is_there_in_both_languages(lang):
    """States, transitions and fields have labels of their own in English and Chinese."""
    needs = [*TASK.opening, *(need for t in TASK.transitions for need in t.requires)]
    assert all(dict(thing.label)[lang] for thing in (*TASK.states, *TASK.transitions, *needs))


def test_a_task_says_what_it_is_part_of():
    """Any record may own it; a task of nothing would hold up nothing."""
    assert opened(TASK).codes == ("missing_field",)
    record = after(None, opened(TASK, part_of="CHG-1"))
    assert (record.process, record.state, record.values["part_of"]) == ("task", "open", "CHG-1")


@pytest.mark.parametrize("reason", WaitsOn)
def test_a_hold_waits_on_what_its_reason_says(reason):
    """As for every record; nobody is told, for a task has no requester."""
    fields = {"hold_reason": reason.value, "look_again_at": "2024-12-01T00:00:00Z"}
    decision = fire(task(), "hold", TASK, ABE, fields=fields)
    assert [event.kind for event in decision.events] == ["transitioned"]
    assert after(task(), decision).waits_on is reason


def test_a_small_desk_walks_every_edge_with_fewer_fields():
    """Why it was not done stays; what was done, and when to look again, need not be said."""
    lite = TASK.lite()
    for row in table("task"):
        record = attrs.evolve(task(row["from"]), lifecycle=lite.id)
        assert after(record, fire(record, row["trigger"], lite, ANA)).state == row["to"]
    assert {t.trigger: [n.field for n in t.requires] for t in lite.transitions if t.requires} == {
        "hold": ["hold_reason"],
        "leave_incomplete": ["reason"],
        "skip": ["reason"],
    }
    assert [need.field for need in lite.opening] == ["part_of"]
