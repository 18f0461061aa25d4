"""The task lifecycle, edge by edge, against a table written by hand from the references."""

import attrs
import pytest

from golden_edges import also, edges, golden, is_golden, redirected, table, without
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle import check
from itsm_core.lifecycle.machine import destination
from itsm_core.processes import PROCESSES, TASK
from walking import ACTORS, T, after, asked, fire, opened

EDGES = golden("task")
STAFF = {"agent", "manager"}
ALL = STAFF | {"automation", "time"}  # time acts as automation
ANA, ABE = ACTORS["agent"], ACTORS["assignee"]


def task(state="open"):
    """A task of abe in a state."""
    return attrs.evolve(TASK.record("T-1", state, assignee="abe"), entered_at=T)


def test_the_edges_are_those_of_the_golden_table():
    """Both ways: nothing is missing and nothing was added."""
    assert is_golden(TASK, "task")


# fmt: off
CONDITIONS = [
    # roles, relation, fields: DESIGN (hold), iso-20000.md 8.1 OPC-03 and INC-06 (why it was not done)
    ("start",            ALL,   {"assignee"}, []),
    ("hold",             STAFF, {"assignee"}, ["hold_reason", "look_again_at"]),
    ("resume",           ALL,   {"assignee"}, []),
    ("complete",         ALL,   {"assignee"}, ["resolution_notes"]),
    ("leave_incomplete", ALL,   {"assignee"}, ["reason"]),
    ("skip",             ALL,   {"assignee"}, ["reason"]),
]
# fmt: on
WHO = {trigger: roles | relation for trigger, roles, relation, _ in CONDITIONS}


@pytest.mark.parametrize("row", table("task"), ids="{0[trigger]}-{0[from]}-{0[to]}".format)
def test_each_golden_edge_is_walked_by_those_who_may_and_by_nobody_else(row):
    """Through the one door, with the fields it needs; and it has a source."""
    assert row["source"]
    for who, actor in ACTORS.items():
        decision = fire(task(row["from"]), row["trigger"], TASK, actor)
        assert decision.accepted is (who in WHO[row["trigger"]]), (who, decision)
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


@pytest.mark.parametrize("edge", EDGES, ids="-".join)
def test_a_removed_or_redirected_edge_is_noticed(edge):
    """Mutation: each edge taken out, led to every other state, and from every other state."""
    assert is_golden(also(without(TASK, edge), edge, TASK), "task")
    assert not is_golden(without(TASK, edge), "task")
    assert not any(is_golden(mutant, "task") for mutant in redirected(TASK, edge))


def test_an_added_edge_is_noticed():
    """Mutation: every edge that is not there, and every edge twice."""
    for trigger in TASK.by_trigger:
        for start in TASK.by_id:
            for end in TASK.by_id:
                assert not is_golden(also(TASK, (trigger, start, end)), "task")


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
    assert not [edge for edge in edges(TASK) if edge[1] in final]


@pytest.mark.parametrize(("trigger", "roles", "relation", "requires"), CONDITIONS)
def test_who_may_fire_a_trigger_and_what_it_needs(trigger, roles, relation, requires):
    """Roles, relations and required fields of each transition; each field names its clause."""
    (row,) = TASK.by_trigger[trigger]
    assert (row.roles, row.relation, [need.field for need in row.requires]) == (
        roles - {"time"}, relation, requires,
    )  # fmt: skip
    assert (row.guards, row.separate_from, row.after, row.reopens) == ((), (), None, None)
    assert all(need.clause.startswith("ISO/IEC 20000-1 8.1") for need in (*row.requires, *TASK.opening))


def test_the_conditions_of_every_trigger_are_looked_at():
    """The table above has a row for each."""
    assert [trigger for trigger, *_ in CONDITIONS] == list(TASK.by_trigger)


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
