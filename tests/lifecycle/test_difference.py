"""What changed between two lifecycles: every difference is found, graded, and said in a sentence."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time import business_days, hours
from itsm_core.lifecycle import CustomField, Lifecycle, Need, State, Transition
from itsm_core.lifecycle.difference import Difference, Grade, diff
from itsm_core.processes import SHIPPED
from random_lifecycles import (
    GUARDS,
    ROLES,
    allowed,
    content,
    lifecycles,
    named_alike,
    objecting,
    sound_lifecycles,
)

NOTES = Need("resolution_notes", "8.6.1", label={"en": "notes"})
CODE = Need("closure_code", "8.6.1", one_of=("confirmed", "policy"), otherwise="reason", kept=True)
OLD = Lifecycle(
    "desk",
    1,
    process="incident",
    initial="new",
    requester=False,
    roles=("agent", "manager", "automation"),
    label="Ticket",
    fields=[CustomField("room", "text"), CustomField("cost", "number")],
    opening=[Need("category", "our rule")],
    beside={"vote": ["content"]},
    states=[
        State("new", "new"),
        State("work", "active", label="Work"),
        State("wait", "waiting", waits_on="requester"),
        State("fixed", "resolved"),
        State("done", "closed", outcome="completed"),
    ],
    transitions=[
        Transition("start", ("new", "fixed"), dest="work", roles="agent", reopens=None),
        Transition("hold", "work", dest="wait", roles={"agent", "manager"}, relation="assignee"),
        Transition("resume", "wait", dest="work", roles={"agent", "automation"}),
        Transition("fix", ("work", "wait"), dest="fixed", roles="agent", requires=[NOTES, CODE]),
        Transition("finish", "fixed", dest="done", roles="agent", guards="content", separate_from="fix"),
        Transition("finish", "fixed", dest="done", roles="agent"),
        Transition("expire", "wait", dest="done", after=business_days(5)),
        Transition("undo", "done", dest="new", roles="agent", reopens="resume"),
        Transition("call", "new", dest="work", roles="agent", guards="content"),
        Transition("call", "new", dest="done", roles="agent"),
    ],
    guards=GUARDS,
)
STATES = {state.id: state for state in OLD.states}
ROWS = {row.trigger: row for row in reversed(OLD.transitions)}  # the first of each trigger
C, R, N, B = Grade


def whole(**changes):
    """The definition with some of its own values changed."""
    return attrs.evolve(OLD, **changes)


def state(id, **changes):
    """The definition with one state changed; None takes it away."""
    return whole(states=[attrs.evolve(one, **changes) if one.id == id else one for one in OLD.states])


def row(trigger, number=0, **changes):
    """The definition with a transition changed: the first of its trigger, or a later one."""
    rows = [one for one in OLD.transitions if one.trigger == trigger]
    changed = attrs.evolve(rows[number], **changes)
    return whole(transitions=[changed if one is rows[number] else one for one in OLD.transitions])


def without(trigger):
    """The definition less a trigger."""
    return whole(transitions=[one for one in OLD.transitions if one.trigger != trigger])


def more(*rows):
    """The definition with more transitions."""
    return whole(transitions=[*OLD.transitions, *rows])


def need(**changes):
    """The definition in which one need is another."""
    return row("fix", requires=[NOTES, attrs.evolve(CODE, **changes)])


def turned(trigger):
    """The definition with the transitions of a trigger in another order, where they stand."""
    rows = [one for one in OLD.transitions if one.trigger == trigger][::-1]
    return whole(transitions=[rows.pop(0) if one.trigger == trigger else one for one in OLD.transitions])


EXTRA = State("extra", "active")
# fmt: off
ONE_CHANGE = [
    # name, the new definition, and the only change: grade, kind, sentence
    ("id",            whole(id="other"),               C, "lifecycle_renamed", "other has id other, was desk"),
    ("version",       whole(version=2),                C, "version", "desk has version 2, was 1"),
    ("process",       whole(process="problem"),        B, "process", "desk has process problem, was incident"),
    ("initial",       whole(initial="work"),           R, "initial", "desk has initial work, was new"),
    ("requester",     whole(requester=True),           R, "requester", "desk has requester True, was False"),
    ("label",         whole(label="Case"),             C, "words", "desk has other words"),
    ("more roles",    whole(roles=(*OLD.roles, "x")),  C, "role_known_added", "desk gains role_known x"),
    ("fewer roles",   whole(roles=OLD.roles[:2]),      R, "role_known_removed", "desk loses role_known automation"),
    ("any role",      whole(roles=()),                 C, "roles_known", "desk knows every role now"),
    ("more opening",  whole(opening=[*OLD.opening, Need("title", "x")]), R, "need_added", "open gains need title"),
    ("less opening",  whole(opening=()),               R, "need_removed", "open loses need category"),
    ("more fields",   whole(fields=[*OLD.fields, CustomField("x", "text")]), C, "field_added", "desk gains field x"),
    ("fewer fields",  whole(fields=OLD.fields[1:]),    R, "field_removed", "desk loses field room"),
    ("field type",    whole(fields=[CustomField("room", "list"), OLD.fields[1]]), R, "field_type",
                      "field room has type list, was text"),
    ("field privacy", whole(fields=[CustomField("room", "text", personal=True), OLD.fields[1]]), R, "field_privacy",
                      "field room has personal True, was False"),
    ("beside more",   whole(beside={"vote": ["content"], "note": ["content"]}), R, "guard_added",
                      "note gains guard content"),
    ("beside less",   whole(beside={}),                R, "guard_removed", "vote loses guard content"),
    ("guard known",   whole(guards={**GUARDS, "x": content}), C, "guard_known_added", "desk gains guard_known x"),
    ("guard lost",    whole(guards={"content": content}), C, "guard_known_removed",
                      "desk loses guard_known objecting"),
    ("guard code",    whole(guards={**GUARDS, "content": objecting}), R, "guard_function",
                      "guard content is another function"),

    ("state added",   whole(states=[*OLD.states, EXTRA]), C, "state_added", "state extra is new"),
    ("state removed", whole(states=OLD.states[:-1]),   N, "state_removed", "state done is gone; say where its records go"),
    ("phase",         state("work", phase="waiting"),  B, "phase", "state work has phase waiting, was active"),
    ("waits on",      state("wait", waits_on="supplier"), B, "waits_on", "state wait has waits_on supplier, was requester"),
    ("waits on any",  state("wait", waits_on=None),    B, "waits_on", "state wait has waits_on none, was requester"),
    ("outcome",       state("done", outcome="merged"), B, "outcome", "state done has outcome merged, was completed"),
    ("state label",   state("work", label="Busy"),     C, "words", "state work has other words"),
    ("state order",   whole(states=OLD.states[::-1]),  C, "order", "desk is written in another order or other rows"),

    ("edge added",    more(Transition("skip", ("new", "work"), dest="fixed", roles="agent")), C, "edge_added",
                      "skip from new, work leads to fixed"),
    ("edge removed",  without("undo"),                 R, "edge_removed", "undo from done does not lead to new any more"),
    ("source less",   row("fix", sources="work"),      R, "edge_removed", "fix from wait does not lead to fixed any more"),
    ("source more",   row("fix", sources=("work", "wait", "new")), C, "edge_added", "fix from new leads to fixed"),
    ("by itself",     more(Transition("rot", "work", dest="done", after=hours(4))), R, "edge_added",
                      "rot from work leads to done by itself after 4h"),
    ("another way",   more(Transition("undo", "done", dest="work", roles="agent", reopens="resume")), R, "edge_added",
                      "undo from done leads to work"),
    ("ways turned",   turned("call"),                  R, "edge_order", "call from new tries its ways in another order"),
    ("more people",   row("hold", roles={"agent", "manager", "automation"}), C, "role_added",
                      "hold from work gains role automation"),
    ("fewer people",  row("fix", roles=()),            R, "role_removed", "fix from work, wait loses role agent"),
    ("relation more", row("start", relation="requester"), C, "relation_added",
                      "start from new, fixed gains relation requester"),
    ("relation less", row("hold", relation=()),        R, "relation_removed", "hold from work loses relation assignee"),
    ("guard more",    row("fix", guards="objecting"),  R, "guard_added", "fix from work, wait gains guard objecting"),
    ("guard less",    row("finish", guards=()),        R, "guard_removed", "finish from fixed loses guard content"),
    ("duty more",     row("hold", separate_from="start"), R, "separation_added", "hold from work gains separation start"),
    ("duty less",     row("finish", separate_from=()), R, "separation_removed", "finish from fixed loses separation fix"),
    ("timer",         row("expire", after=hours(9)),   R, "timer", "expire from wait has after 9h, was 5 business days"),
    ("reopens",       row("undo", reopens="restart"),  B, "reopens", "undo from done has reopens restart, was resume"),
    ("words",         row("fix", label="Mend"),        C, "words", "fix from work, wait has other words"),
    ("instructions",  row("fix", instructions="Go."),  C, "words", "fix from work, wait has other words"),
    ("one row split", whole(transitions=[one for t in OLD.transitions for one in (
                          [attrs.evolve(t, sources=s) for s in t.sources] if t.trigger == "fix" else [t])]),
                      C, "order", "desk is written in another order or other rows"),

    ("need more",     row("hold", requires=[NOTES]),   R, "need_added", "hold from work gains need resolution_notes"),
    ("need less",     row("fix", requires=[NOTES]),    R, "need_removed", "fix from work, wait loses need closure_code"),
    ("choices more",  need(one_of=("confirmed", "policy", "x")), C, "need_changed",
                      "fix from work, wait asks otherwise for closure_code: one_of"),
    ("choices less",  need(one_of=("confirmed",)),     R, "need_changed",
                      "fix from work, wait asks otherwise for closure_code: one_of"),
    ("any choice",    need(one_of=()),                 C, "need_changed",
                      "fix from work, wait asks otherwise for closure_code: one_of"),
    ("otherwise",     need(otherwise=None),            R, "need_changed",
                      "fix from work, wait asks otherwise for closure_code: otherwise"),
    ("not kept",      need(kept=False),                R, "need_changed",
                      "fix from work, wait asks otherwise for closure_code: kept"),
    ("not required",  need(required=False),            C, "need_changed",
                      "fix from work, wait asks otherwise for closure_code: required"),
    ("clause",        need(clause="x", essential=False), C, "need_changed",
                      "fix from work, wait asks otherwise for closure_code: clause, essential"),
    ("need words",    need(label="How"),               C, "words", "fix from work, wait has other words for closure_code"),
]
# fmt: on


@pytest.mark.parametrize(
    ("new", "grade", "kind", "said"), [case[1:] for case in ONE_CHANGE], ids=[case[0] for case in ONE_CHANGE]
)
def test_one_change_is_one_line(new, grade, kind, said):
    """Found, graded and told; and nothing else is told."""
    (change,) = diff(OLD, new)
    assert (change.grade, change.kind) == (grade, kind)
    assert str(change) == f"{grade}: {said}"


@pytest.mark.parametrize(
    ("old", "grade", "kind"),
    [
        (whole(roles=()), R, "roles_known"),
        (need(one_of=()), R, "need_changed"),
        (need(one_of=("x",)), R, "need_changed"),
        (need(otherwise=None), C, "need_changed"),
        (need(kept=False), C, "need_changed"),
        (need(required=False), R, "need_changed"),
        (row("start", reopens="resume"), B, "reopens"),
    ],
)
def test_the_way_back_has_its_own_grade(old, grade, kind):
    """What is wider one way is narrower the other."""
    (change,) = diff(old, OLD)
    assert (change.grade, change.kind) == (grade, kind)


def test_equal_lifecycles_do_not_differ():
    """Nor do two that were written twice."""
    for lifecycle in (OLD, *SHIPPED):
        assert diff(lifecycle, lifecycle) == ()
        assert diff(lifecycle, attrs.evolve(lifecycle)) == ()


def test_the_gravest_comes_first():
    """So the first line says what the whole asks for."""
    new = whole(
        version=2, states=[attrs.evolve(STATES["new"], label="x"), *OLD.states[2:], EXTRA], process="problem"
    )
    grades = [change.grade for change in diff(OLD, new)]
    assert grades == [B, N, C, C, C]
    assert diff(OLD, new)[1] == Difference(
        N, "state_removed", "state work", "is gone; say where its records go"
    )


def test_what_edges_share_is_said_once():
    """A trigger whose sources all lost a role; one source alone that asks for more."""
    rows = [
        attrs.evolve(ROWS["fix"], sources="work"),
        attrs.evolve(ROWS["fix"], sources="wait", guards="content"),
    ]
    new = whole(transitions=[*(t for t in OLD.transitions if t.trigger != "fix"), *rows])
    assert [str(change) for change in diff(OLD, new)] == ["review: fix from wait gains guard content"]


def test_a_redirected_edge_is_one_less_and_one_more():
    """Another destination under an old trigger is to be looked at, not merely new."""
    found = [str(change) for change in diff(OLD, row("resume", dest="new"))]
    assert found == [
        "review: resume from wait does not lead to work any more",
        "review: resume from wait leads to new",
    ]


def test_what_a_derivation_did_is_what_differs():
    """Each step of it has its line."""
    new = OLD.derive("desk", 2).remove("undo").restrict("hold", roles="manager", relation="assignee")
    found = {(change.grade, change.kind) for change in diff(OLD, new.require("hold", NOTES)._draft)}
    assert found == {(C, "version"), (R, "edge_removed"), (R, "role_removed"), (R, "need_added")}


def test_every_field_of_every_part_is_compared():
    """A new field of a part needs a row in the table above."""
    compared = {name for name, *_ in ONE_CHANGE}
    assert len(compared) == len(ONE_CHANGE)
    for part in (OLD, OLD.states[0], OLD.transitions[0], CODE, OLD.fields[0]):
        for field in attrs.fields(type(part)):
            assert field.name in KNOWN[type(part)], f"{type(part).__name__}.{field.name} is not compared"


KNOWN = {
    Lifecycle: {
        *("id", "version", "process", "initial", "states", "transitions", "opening", "fields", "beside"),
        *("roles", "requester", "label", "guards"),
    },
    State: {"id", "phase", "label", "outcome", "waits_on"},
    Transition: {
        *("trigger", "sources", "dest", "roles", "relation", "requires", "guards", "separate_from", "after"),
        *("reopens", "label", "instructions"),
    },
    Need: {"field", "clause", "one_of", "otherwise", "kept", "required", "essential", "label"},
    CustomField: {"name", "type", "personal"},
}


def test_grades_are_words_that_stay():
    """Hosts store and compare them; the least comes first."""
    assert [str(grade) for grade in Grade] == ["compatible", "review", "needs_map", "breaking"]


def test_several_names_stand_in_order():
    """The same sentence every time, whatever order the names were given in."""
    many = row("fix", roles={"manager", "automation", "agent"})
    assert [str(change) for change in diff(OLD, many)] == [
        "compatible: fix from work, wait gains role automation, manager"
    ]
    assert [change.message for change in diff(many, OLD)] == ["loses role automation, manager"]
    assert [change.message for change in diff(whole(roles=()), OLD)] == [
        "knows agent, manager, automation now"
    ]


# --- laws ----------------------------------------------------------------------------------------


@pytest.mark.law
@given(lifecycles(), lifecycles())
def test_two_that_differ_have_a_difference(one, other):
    """Either way round, under one name or two."""
    assert bool(diff(one, other)) is (one != other)
    twin = named_alike(other, one)
    assert bool(diff(one, twin)) is bool(diff(twin, one)) is (one != twin)


@pytest.mark.law
@given(sound_lifecycles, st.data())
def test_one_small_step_is_seen(lifecycle, data):
    """A part taken away, doubled or moved, wherever it stands."""
    name = data.draw(st.sampled_from(["states", "transitions", "fields", "opening", "beside", "roles"]))
    parts = list(getattr(lifecycle, name))
    if not parts:
        return
    here = data.draw(st.integers(0, len(parts) - 1))
    parts.insert(data.draw(st.integers(0, len(parts) - 1)), parts.pop(here))
    if data.draw(st.booleans()):
        parts.pop()
    changed = attrs.evolve(lifecycle, **{name: parts})
    assert bool(diff(lifecycle, changed)) is (changed != lifecycle)


@pytest.mark.law
@given(sound_lifecycles, st.data())
def test_what_is_compatible_takes_nothing_from_anybody(old, data):
    """If nothing but compatible changes are told, whoever might do a thing may do it still, to the same end."""
    rows = list(old.transitions)
    here = data.draw(st.integers(0, len(rows) - 1))
    rows[here] = attrs.evolve(rows[here], **data.draw(st.fixed_dictionaries({}, optional=PARTS)))
    rows.insert(data.draw(st.integers(0, len(rows))), rows[data.draw(st.integers(0, len(rows) - 1))])
    if data.draw(st.booleans()):
        rows = data.draw(st.permutations(rows))
    new = attrs.evolve(old, transitions=rows)
    if all(change.grade is Grade.COMPATIBLE for change in diff(old, new)):
        assert allowed(old) <= allowed(new)


PARTS = {
    "roles": st.sets(st.sampled_from(ROLES)),
    "relation": st.sampled_from([(), "requester"]),
    "guards": st.lists(st.sampled_from(sorted(GUARDS)), max_size=2, unique=True),
    "separate_from": st.sampled_from([(), "open"]),
    "dest": st.sampled_from(["new", "done"]),
    "trigger": st.sampled_from(["other", "finish"]),
}
