"""The change lifecycle, edge by edge, against a table written by hand from the references."""

import datetime as dt
import itertools
import json

import attrs
import pytest

from changing import (
    ANA,
    ANSWERS,
    ASSESSED,
    BOT,
    CLASSIFIED,
    DAY,
    DONE,
    END,
    FOUND,
    HELD,
    HOUR,
    IVO,
    MONA,
    OURS,
    OUTCOME,
    RETROSPECT,
    REVIEWED,
    RISK,
    START,
    TEMPLATE,
    TESTED,
    TICK,
    TOLD,
    WHY,
    WINDOW,
    T,
    approved,
    ask,
    assessed,
    does,
    expedited,
    found,
    implementing,
    in_review,
    opened,
    requested,
    scheduled,
    standard,
    submitted,
    voted,
)
from golden_edges import table
from itsm_core.actors import Actor
from itsm_core.commands import Command
from itsm_core.errors import Reason
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle import Lifecycle, Situation, check, decide, options
from itsm_core.lifecycle.timers import TIME
from itsm_core.processes import CHANGE, PROCESSES, TASK, Blackout, ChangePolicy, governed
from itsm_core.processes.authority import CORE, MATERIAL
from itsm_core.processes.change import GUARDS
from itsm_core.processes.change_kinds import KINDS, OUTCOMES, SERVICE_CHANGES
from itsm_core.processes.conditions import OWNS_TASK
from itsm_core.records import fold

TABLE = table("change")
GOLDEN = [(row["trigger"], row["from"], row["to"], row["when"]) for row in TABLE]


def codes(record, trigger, actor=ANA, **more):
    """The codes of a command that is refused; none if it is accepted."""
    return getattr(ask(record, trigger, actor, **more), "codes", ())


def message(record, trigger, actor=ANA, **more):
    """The words of a refusal."""
    return str(ask(record, trigger, actor, **more))


# --- the golden table --------------------------------------------------------------------------


# fmt: off
WALKS = {
    # how each edge is walked: a change at its start, who does it, when, and with what fields
    ("assess", "new", "is_normal"):              (opened, ANA, T, CLASSIFIED),
    ("schedule", "new", "is_standard"):          (lambda: opened("standard"), BOT, T,
                                                  {**CLASSIFIED, "template": "reboot", "template_version": 2,
                                                   **WINDOW}),
    ("expedite", "new", "is_emergency"):         (lambda: opened("emergency"), ANA, T, {**WHY, **RISK, **WINDOW}),
    ("report_unauthorised", "new", ""):          (opened, BOT, T, FOUND),
    ("submit", "assess", ""):                    (assessed, ANA, T, ASSESSED),
    ("authorize", "authorize", ""):              (approved, MONA, T, {}),
    ("reject", "authorize", ""):                 (lambda: voted(requested(submitted()), "pia", "pol",
                                                                choice="reject"), MONA, T, WHY),
    ("expire", "authorize", ""):                 (lambda: requested(submitted(), due=T + HOUR, on_expiry="reject"),
                                                  TIME, T + HOUR, {}),
    ("revise", "assess", ""):                    (assessed, ANA, T, WHY),
    ("revise", "authorize", ""):                 (submitted, ANA, T, WHY),
    ("revise", "scheduled", ""):                 (scheduled, ANA, T, WHY),
    ("implement", "scheduled", "is_normal"):     (scheduled, IVO, START, {**TESTED, **TOLD}),
    ("implement", "scheduled", "is_standard"):   (standard, BOT, START, TOLD),
    ("implement", "scheduled", "is_emergency"):  (lambda: scheduled(expedited(), "mona", "dora"), IVO, START, {}),
    ("complete", "implement", ""):               (implementing, IVO, END, DONE),
    ("close", "review", "closes_as_unauthorised"):
        (lambda: voted(requested(found()), "mona"), MONA, T, {**CLASSIFIED, **OUTCOME, **REVIEWED}),
    ("close", "review", "closes_as_emergency"):
        (lambda: in_review(implementing(scheduled(expedited(), "mona", "dora"))), MONA, END, RETROSPECT),
    ("close", "review", "closes_with_review"):
        (lambda: in_review(resolution_outcome="failed"), ANA, END, REVIEWED),
    ("close", "review", "closes_without_review"): (in_review, ANA, END, {}),
    ("cancel", "new", ""):                       (opened, ANA, T, WHY),
    ("cancel", "assess", ""):                    (assessed, ANA, T, WHY),
    ("cancel", "authorize", ""):                 (submitted, ANA, T, WHY),
    ("cancel", "scheduled", ""):                 (scheduled, ANA, T, WHY),
    ("cancel", "on_hold", ""):                   (lambda: does(assessed(), "hold", fields=HELD), ANA, T, WHY),
    ("cancel", "implement", ""):                 (implementing, ANA, START, WHY),
    ("hold", "assess", ""):                      (assessed, ANA, T, HELD),
    ("hold", "authorize", ""):                   (submitted, ANA, T, HELD),
    ("hold", "scheduled", ""):                   (scheduled, ANA, T, HELD),
    ("hold", "implement", ""):                   (implementing, ANA, START, HELD),
    ("hold", "on_hold", ""):                     (lambda: does(assessed(), "hold", fields=HELD), ANA, T, HELD),
    ("resume", "on_hold", "held_in_implement"):
        (lambda: does(implementing(), "hold", at=START, fields=HELD), BOT, START, {}),
    ("resume", "on_hold", "held_in_scheduled"):  (lambda: does(scheduled(), "hold", fields=HELD), BOT, T, {}),
    ("resume", "on_hold", "held_in_authorize"):  (lambda: does(submitted(), "hold", fields=HELD), BOT, T, {}),
    ("resume", "on_hold", ""):                   (lambda: does(assessed(), "hold", fields=HELD), BOT, T, {}),
}
# fmt: on


@pytest.mark.parametrize(("trigger", "start", "end", "when"), GOLDEN, ids=str)
def test_each_golden_edge_is_walked(trigger, start, end, when):
    """Through the one door, from a change that came there the same way."""
    make, actor, at, fields = WALKS[trigger, start, when]
    record = make()
    assert record.state == start
    walked = does(record, trigger, actor, at=at, fields=fields)
    assert walked.state == end
    buttons = [o for o in options(record, actor, OURS, at=at) if o.trigger == trigger]
    assert [(o.enabled, o.destination) for o in buttons] == ([] if actor is TIME else [(True, end)])


STAGES = {start: make for (trigger, start, _), (make, *_) in WALKS.items() if trigger in ("cancel", "hold")}
STAGES |= {"review": in_review, "closed": lambda: does(in_review(), "close", at=END)}
STAGES |= {"cancelled": lambda: does(opened(), "cancel", fields=WHY)}


@pytest.mark.parametrize("trigger", sorted(CHANGE.by_trigger))
def test_no_trigger_leads_out_of_any_other_state(trigger):
    """What the table does not list, nobody does."""
    assert STAGES.keys() == CHANGE.by_id.keys()
    for state, make in STAGES.items():
        if (trigger, state) not in {(name, start) for name, start, *_ in GOLDEN}:
            decision = ask(make(), trigger, MONA, at=END, fields=RETROSPECT)
            assert "wrong_state" in decision.codes


# --- states and conditions -----------------------------------------------------------------------


def test_the_states_and_their_phases():
    """platforms.md 2.5 ServiceNow Change: seven states and cancelled; on hold, a flag there, is a wait here."""
    assert [(s.id, s.phase.value, s.outcome) for s in CHANGE.states] == [
        ("new", "new", None),
        ("assess", "active", None),
        ("authorize", "active", None),
        ("scheduled", "active", None),
        ("implement", "active", None),
        ("on_hold", "waiting", None),
        ("review", "resolved", None),
        ("closed", "closed", "completed"),
        ("cancelled", "closed", "cancelled"),
    ]
    assert (CHANGE.id, CHANGE.version, CHANGE.initial, CHANGE.process) == ("change", 1, "new", "change")
    assert (CHANGE.say(), CHANGE.say("zh")) == ("Change", "变更")
    assert not CHANGE.requester


def test_it_is_sound_and_shipped():
    """Nothing refuses it; that each way is guarded by its kind is a warning, and meant."""
    assert {(f.code, f.severity) for f in check(CHANGE)} == {("L014", "warning")}
    assert {f.where for f in check(CHANGE)} == {"implement", "close"}
    assert PROCESSES["change"] is CHANGE
    assert isinstance(CHANGE, Lifecycle)


def test_each_field_names_its_clause_and_every_guard_is_used():
    """ISO/IEC 20000-1, 8.5.1; who may fire what, with which fields and guards, stands in the golden table."""
    needs = [need for t in CHANGE.transitions for need in t.requires]
    assert all(need.clause.startswith("ISO/IEC 20000-1 8.5.1") and "CHG-" in need.clause for need in needs)
    used = {name for t in CHANGE.transitions for name in t.guards}
    assert used | {name for names in CHANGE.guards_beside.values() for name in names} == set(GUARDS) - {
        "is_decided"
    }


def test_commands_beside_the_state_are_guarded_too():
    """No path goes round: asking, voting, amending, reprioritising, correcting."""
    assert CHANGE.guards_beside == {
        "request_approval": ("rule_is_sound", "authority_fits", "is_not_on_hold"),
        "vote": ("may_vote", "is_not_on_hold"),
        "amend": ("kind_is_settled", "approved_stays"),
        "assign": ("kind_is_settled", "approved_stays", "work_stays_apart"),
        "reprioritise": ("kind_is_settled", "approved_stays", "work_stays_apart"),
        "correct": ("kind_is_settled", "record_is_true"),
    }


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_word_is_there_in_both_languages(lang):
    """States, transitions and fields have labels of their own in English and Chinese."""
    needs = [*CHANGE.opening, *(need for t in CHANGE.transitions for need in t.requires)]
    assert all(dict(thing.label)[lang] for thing in (*CHANGE.states, *CHANGE.transitions, *needs))


def test_the_choices_are_those_of_the_field():
    """iso-20000.md CHG-02 (kinds), CHG-05 (services), 5.5 (outcome codes; cancelled is a state)."""
    assert KINDS == ("standard", "normal", "emergency")
    assert SERVICE_CHANGES == ("none", "new", "removed", "transferred", "major")
    assert OUTCOMES == ("successful", "successful_with_issues", "partial", "backed_out", "failed")
    (kind,) = CHANGE.opening
    assert (kind.field, kind.one_of) == ("change_kind", KINDS)


def test_every_field_that_is_asked_for_is_declared_and_what_is_material_too():
    """A typing error in a name would ask for something else."""
    asked = {n for t in CHANGE.transitions for need in t.requires for n in (need.field, need.otherwise) if n}
    assert asked - {"message"} <= CHANGE.kinds.keys()
    assert set(CORE) < set(MATERIAL) <= CHANGE.kinds.keys()
    personal = {field.name for field in CHANGE.fields if field.personal}
    assert personal == {"evidence", "review_result", "no_actions_reason"}


def test_the_few_fields_of_a_small_desk():
    """lite() keeps risk and impact of the decision, the window, the way back, the test, and the outcome."""
    lite = CHANGE.lite()
    fields = {
        t.trigger: [need.field for need in t.requires] for t in lite.transitions if t.trigger != "close"
    }
    assert fields["assess"] == ["category"]
    assert fields["submit"] == [*RISK, "backout_plan", *WINDOW]
    assert fields["complete"] == ["resolution_outcome", "resolution_notes"]
    assert fields["hold"] == ["hold_reason"]
    assert [t.guards for t in lite.transitions] == [t.guards for t in CHANGE.transitions]


# --- kinds ---------------------------------------------------------------------------------------


def test_a_change_is_opened_with_its_kind():
    """CHG-02: one of three; other categories are data."""
    fields = {"record": "CHG-1", "title": "Replace the queue"}
    assert ask(None, "open", fields=fields).codes == ("missing_field",)
    assert ask(None, "open", fields={**fields, "change_kind": "big"}).codes == ("invalid_field",)
    record = opened(category="our own word")
    assert (record.values["change_kind"], record.category) == ("normal", "our own word")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("trigger", "own"), [("assess", "normal"), ("schedule", "standard"), ("expedite", "emergency")]
)
def test_each_kind_leaves_new_by_its_own_way(kind, trigger, own):
    """iso-20000.md 5.5: standard skips Assess and Authorize, emergency skips Assess."""
    held = {**CLASSIFIED, **RISK, **WINDOW, **WHY, "template": "reboot", "template_version": 2}
    decision = ask(opened(kind), trigger, fields=held)
    assert decision.accepted is (kind == own)
    if kind != own:
        assert decision.codes == ("change_kind",)
        assert f"its kind is {kind}" in str(decision)


def test_the_kind_changes_in_new_and_nowhere_else():
    """platforms.md 2.5: type may change only in New; not by amending, by a step, nor by a correction."""
    record = does(opened(), "amend", fields={"change_kind": "emergency"})
    assert record.values["change_kind"] == "emergency"
    assert (
        does(opened(), "expedite", fields={**WHY, **RISK, **WINDOW, "change_kind": "emergency"}).state
        == "authorize"
    )
    for make in (assessed, submitted, scheduled, standard, in_review):
        record = make()
        at = END if record.state == "review" else T
        for kind in ("emergency", None, ""):
            assert "kind_is_settled" in codes(record, "amend", at=at, fields={"change_kind": kind})
        mend = {"event": "CHG-1/1", "field": "change_kind", "now": "emergency", "reason": "a slip"}
        assert "kind_is_settled" in codes(record, "correct", at=at, fields=mend)
        assert codes(record, "amend", at=at, fields={"change_kind": record.values["change_kind"]}) == ()
    back = does(assessed(), "revise", fields=WHY)
    assert does(back, "amend", fields={"change_kind": "emergency"}).values["change_kind"] == "emergency"


def test_no_step_brings_another_kind():
    """Each step out of another state than New refuses it, whatever else it needs."""
    for (trigger, start, _), (make, actor, at, fields) in WALKS.items():
        if start != "new":
            record = make()
            other = "emergency" if record.values["change_kind"] != "emergency" else "standard"
            found = codes(record, trigger, actor, at=at, fields={**fields, "change_kind": other})
            assert "kind_is_settled" in found, (trigger, start)


@pytest.mark.parametrize(
    ("trigger", "fields"),
    [("amend", {}), ("assign", {"assignee": "ivo"}), ("reprioritise", {"urgency": "high"})],
)
def test_no_command_beside_the_state_brings_another_kind(trigger, fields):
    """Or what was asked for as normal would be done as an emergency."""
    for make, at in ((assessed, T), (submitted, T), (scheduled, T), (in_review, END)):
        found = codes(make(), trigger, at=at, fields={**fields, "change_kind": "emergency"})
        assert found[0] == "kind_is_settled"
    assert codes(opened(), trigger, fields={**fields, "change_kind": "emergency"}) == ()


@pytest.mark.parametrize("name", ["template", "template_version"])
def test_the_template_of_a_change_stays_once_its_work_has_begun(name):
    """Failures are counted by template; before the work it may name a newer one, which is looked at then."""
    other = {name: "restart" if name == "template" else 3}
    record = implementing(standard())
    for at, made in ((START, record), (END, in_review(record))):
        mend = {"event": "CHG-1/2", "field": name, "now": other[name], "reason": "a slip"}
        for trigger, fields in (("amend", other), ("assign", {"assignee": "x", **other}), ("correct", mend)):
            (reason,) = ask(made, trigger, at=at, fields=fields).reasons
            assert (reason.code, dict(reason.facts)["field"]) == ("kind_is_settled", name)
            assert "the template is settled once the work has begun" in reason.message
        assert codes(made, "amend", at=at, fields={name: made.values[name]}) == ()
    assert codes(record, "complete", IVO, at=END, fields={**DONE, **other}) == ("kind_is_settled",)
    assert codes(standard(), "amend", fields=other) == ()
    assert codes(standard(), "correct", fields=mend) == ()


# --- deciding ------------------------------------------------------------------------------------


@pytest.mark.parametrize("left_out", ["category", "service_change"])
def test_a_change_is_recorded_and_classified_before_it_is_assessed(left_out):
    """CHG-04: also to add, remove or transfer a service; what the record knows is enough."""
    fields = {name: value for name, value in CLASSIFIED.items() if name != left_out}
    assert codes(opened(), "assess", fields=fields) == ("missing_field",)
    assert codes(opened(**{left_out: CLASSIFIED[left_out]}), "assess", fields=fields) == ()


@pytest.mark.parametrize("left_out", [*RISK, *ANSWERS, "urgency", "backout_plan", *WINDOW])
def test_every_question_of_the_decision_is_answered(left_out):
    """CHG-06, CHG-07: each answered; "none" is an answer, nothing is none."""
    fields = {name: value for name, value in ASSESSED.items() if name != left_out}
    assert codes(assessed(), "submit", fields=fields) == ("missing_field",)
    if left_out.startswith("impact_on"):
        assert codes(assessed(), "submit", fields={**fields, left_out: ""}) == ("missing_field",)
        assert codes(assessed(), "submit", fields={**fields, left_out: "none"}) == ()


@pytest.mark.parametrize(
    ("field", "instead"), [("backout_plan", "no_backout_reason"), ("urgency", "priority")]
)
def test_what_is_not_there_is_explained(field, instead):
    """CHG-11: a way back, or why there is none; CHG-08: urgency, or the priority itself."""
    value = "P3" if instead == "priority" else "It cannot be undone"
    fields = {**{n: v for n, v in ASSESSED.items() if n != field}, instead: value}
    if instead == "priority":
        fields["priority_reason"] = "as agreed"
    assert codes(assessed(), "submit", fields=fields) == ()


@pytest.mark.parametrize(
    ("field", "instead"), [("test_result", "untested_reason"), ("backout_test", "backout_untested_reason")]
)
def test_a_normal_change_is_tested_or_says_why_not(field, instead):
    """CHG-09, CHG-11: before it is implemented."""
    fields = {**TESTED, **TOLD}
    less = {name: value for name, value in fields.items() if name != field}
    assert codes(scheduled(), "implement", IVO, at=START, fields=less) == ("missing_field",)
    assert codes(scheduled(), "implement", IVO, at=START, fields={**less, instead: "No second one"}) == ()


@pytest.mark.parametrize("service", SERVICE_CHANGES)
def test_a_change_of_a_service_as_a_whole_goes_through_its_design(service):
    """CHG-05: new, removed, transferred, or in a major way; "none" does not."""
    record = does(opened(), "assess", fields={**CLASSIFIED, "service_change": service})
    plain = codes(record, "submit", fields=ASSESSED)
    assert plain == (() if service == "none" else ("missing_field",))
    assert codes(record, "submit", fields={**ASSESSED, "design_ref": "plan 7"}) == ()
    if plain:
        assert "give design_ref" in message(record, "submit", fields=ASSESSED)


def test_only_a_manager_who_did_not_ask_authorises():
    """CHG-15: the step itself is kept apart from opening, beside the votes."""
    record = approved(submitted())
    assert codes(record, "authorize", IVO) == ("role",)
    assert set(codes(record, "authorize", Actor.person("ana", "manager"))) == {"separation"}
    assert codes(record, "authorize", MONA) == ()


def test_a_rejected_change_goes_back_to_new_and_is_decided_anew():
    """iso-20000.md 5.5: rejection returns to New; the votes of before do not count."""
    refused = voted(requested(submitted()), "pia", "pol", choice="reject")
    record = does(refused, "reject", MONA, fields=WHY)
    again = does(does(record, "assess"), "submit")
    assert (again.state, again.round) == ("authorize", None)
    assert codes(again, "authorize", MONA) == ("not_approved",)
    assert does(voted(requested(again), "pia"), "authorize", MONA).state == "scheduled"


@pytest.mark.parametrize("field", MATERIAL)
def test_an_edit_of_what_was_decided_on_voids_the_approval(field):
    """Issue 4: invalidated by a material edit; it takes a new round before it is implemented."""
    record = scheduled()
    if field == "change_kind":
        return  # which does not change any more
    kind = CHANGE.kinds[field].value
    value = {"instant": START + HOUR, "list": ["mail-2"]}.get(kind, "something else")
    if field == "impact":
        record = does(record, "reprioritise", fields={"impact": "medium"})
    elif field == "planned_end":
        record = does(record, "amend", fields={field: END + HOUR})
    else:
        record = does(record, "amend", fields={field: value})
    assert record.rounds[-1].ended == "edited"
    assert "not_approved" in codes(record, "implement", IVO, at=START + HOUR, fields={**TESTED, **TOLD})


def test_what_is_not_decided_on_may_be_edited():
    """A title, a group, a note, the test."""
    record = scheduled()
    for trigger, fields in (
        ("amend", {"title": "Replace the mail queue"}),
        ("amend", {"test_result": "passed twice"}),
        ("assign", {"assignee": "ivo"}),
        ("note", {"text": "ordered"}),
        ("reprioritise", {"urgency": "high"}),
    ):
        record = does(record, trigger, fields=fields)
    assert record.rounds[-1].ended is None


# --- implementing -----------------------------------------------------------------------------------


def test_interested_parties_are_told_before_a_change_is_implemented():
    """CHG-10: an instant that is not past tells nobody; an emergency tells them afterwards."""
    record = scheduled()
    for fields in (TESTED, {**TESTED, "told_at": None}):
        assert codes(record, "implement", IVO, at=START, fields=fields) == ("missing_field",)
    for told, allowed in ((START, ()), (START + TICK, ("invalid_field",))):
        assert codes(record, "implement", IVO, at=START, fields={**TESTED, "told_at": told}) == allowed
    emergency = scheduled(expedited(), "mona", "dora")
    assert codes(emergency, "implement", IVO, at=START) == ()
    assert codes(standard(), "implement", IVO, at=START) == ("missing_field",)


def test_what_is_planned_anew_is_told_anew():
    """CHG-10: who heard of a window that was voted down, or has moved since, did not hear of this one."""
    record = does(scheduled(), "amend", fields=TOLD)
    moved = does(record, "amend", at=T + 2 * DAY, fields={"planned_end": END + HOUR})
    again = voted(requested(moved, at=T + 2 * DAY), "pia", at=T + 2 * DAY)
    assert codes(again, "implement", IVO, at=START, fields=TESTED) == ("told_before",)
    for told, allowed in ((T + 2 * DAY - TICK, ("told_before",)), (T + 2 * DAY, ())):
        assert codes(again, "implement", IVO, at=START, fields={**TESTED, "told_at": told}) == allowed


def test_an_approval_ends_with_its_window():
    """CHG-08, not expired: what was approved for a time is not done after it, nor authorised after it."""
    record = scheduled()
    fields = {**TESTED, **TOLD}
    assert codes(record, "implement", IVO, at=END - TICK, fields=fields) == ()
    assert codes(record, "implement", IVO, at=END, fields=fields) == ("window",)
    assert codes(approved(), "authorize", MONA, at=END) == ("window",)
    assert codes(approved(), "authorize", MONA, at=END - TICK) == ()


def test_a_standard_change_needs_no_vote_and_holds_to_its_template_to_the_end():
    """CHG-20: valid at the time of the work, too, and within its limits."""
    record = standard()
    assert codes(record, "implement", BOT, at=START, fields=TOLD) == ()
    wider = does(record, "amend", fields={"category": "network"})
    assert codes(wider, "implement", BOT, at=START, fields=TOLD) == ("template",)
    lost = does(record, "amend", fields={"template": None})
    assert codes(lost, "implement", BOT, at=START, fields=TOLD) == ("missing_field",)
    assert codes(record, "implement", BOT, at=START, fields=TOLD, lifecycle=CHANGE) == ("template",)


@pytest.mark.parametrize("name", ["template", "template_version", *WINDOW])
def test_nothing_is_left_out_by_saying_nothing(name):
    """Empty, it would be forgotten, and no guard would look at it: so it is missing."""
    late = attrs.evolve(TEMPLATE, suspended_at=T + DAY)
    closed = Blackout("year end", start=START - DAY, end=END + DAY)
    ours = governed(CHANGE, ChangePolicy(templates=[late], blackouts=[closed]))
    for fields in (TOLD, {**TOLD, name: None}):
        found = codes(standard(), "implement", BOT, at=START, fields=fields, lifecycle=ours)
        assert found
        assert ("missing_field" in found) is (name in fields)


def test_a_refusal_is_told_by_the_rules_of_its_own_kind():
    """However much is wrong, a normal change is never told that it is no emergency."""
    record = submitted()
    bare = attrs.evolve(does(record, "hold", fields=HELD), state="scheduled", phase=Phase.ACTIVE)
    found = codes(bare, "implement", IVO, at=END)
    assert (set(found), found.count("missing_field")) == ({"missing_field", "not_approved", "window"}, 3)
    assert "change_kind" not in found
    wrong = attrs.evolve(
        in_review(implementing(scheduled(expedited(), "mona", "dora"))), links=((OWNS_TASK, "T"),)
    )
    assert "other_way" not in codes(wrong, "close", MONA, at=END, fields={**RETROSPECT, "planned_start": T})


# --- holds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", WaitsOn)
@pytest.mark.parametrize("make", [assessed, submitted, scheduled, implementing])
def test_a_hold_waits_on_what_its_reason_says_and_ends_where_it_began(make, reason):
    """One button resumes; also after the reason of the hold has changed in between."""
    record = make()
    at = max(record.entered_at, T)
    held = does(record, "hold", at=at, fields={**HELD, "hold_reason": reason.value})
    assert held.waits_on is reason
    again = does(held, "hold", at=at, fields=HELD)
    assert does(again, "resume", BOT, at=at).state == record.state


def test_nobody_asks_or_votes_while_a_change_is_on_hold():
    """platforms.md 2.5: approvals are no longer required, and reinstated on release."""
    held = does(requested(submitted()), "hold", fields=HELD)
    assert codes(held, "vote", Actor.person("pia"), fields={"vote": "approve"}) == ("on_hold",)
    assert "on_hold" in codes(held, "request_approval", fields={"rule": dict(held.round.rule)})
    back = does(held, "resume", BOT)
    assert does(voted(back, "pia"), "authorize", MONA).state == "scheduled"


def test_a_row_on_hold_without_a_history_resumes_to_its_assessment():
    """Nobody knows where it was, so it is decided on again."""
    row = CHANGE.record("CHG-1", "on_hold", hold_reason="change", custom={"change_kind": "normal"})
    assert does(row, "resume", BOT, lifecycle=CHANGE).state == "assess"


def test_the_requester_may_cancel_until_the_work_begins():
    """platforms.md 2.5: cancel up to Implement; what is being done only staff call off."""
    rita = Actor.person("rita")
    for make in (opened, assessed, submitted):
        assert codes(make(requester="rita"), "cancel", rita, fields=WHY) == ()
    running = attrs.evolve(implementing(), acted=())
    running = attrs.evolve(running, values={**running.values, "requester": "rita"})
    assert codes(running, "cancel", rita, at=START, fields=WHY) == ("role",)
    assert codes(in_review(), "cancel", MONA, at=END, fields=WHY) == ("wrong_state",)


# --- closing -------------------------------------------------------------------------------------------


def emergency():
    """An emergency that was implemented."""
    return in_review(implementing(scheduled(expedited(), "mona", "dora")))


@pytest.mark.parametrize("left_out", sorted(RETROSPECT.keys() - RISK.keys() - TESTED.keys() - TOLD.keys()))
def test_an_emergency_is_completed_in_retrospect_before_it_closes(left_out):
    """CHG-16: every assessment, the test, the way back and the review; its approval stands meanwhile."""
    record = emergency()
    fields = {name: value for name, value in RETROSPECT.items() if name != left_out}
    owed = ("review_owed",) if left_out in REVIEWED else ()
    assert codes(record, "close", MONA, at=END, fields=fields) == ("missing_field", *owed)
    filled = does(record, "amend", at=END, fields={n: v for n, v in fields.items() if n not in RISK})
    assert filled.rounds[-1].ended is None
    assert codes(record, "close", ANA, at=END, fields=RETROSPECT) == ("role",)


def test_an_emergency_without_tests_says_why():
    """CHG-09, CHG-11: where nobody had the time."""
    record = scheduled(expedited(), "mona", "dora")
    record = in_review(does(record, "implement", IVO, at=START))
    fields = {n: v for n, v in RETROSPECT.items() if n not in (*TESTED, "backout_plan", "review_actions")}
    assert codes(record, "close", MONA, at=END, fields=fields) == (*("missing_field",) * 4, "review_owed")
    why = ("untested_reason", "backout_untested_reason", "no_backout_reason", "no_actions_reason")
    assert codes(record, "close", MONA, at=END, fields={**fields, **dict.fromkeys(why, "no time")}) == ()


def test_a_finding_takes_a_decision_in_retrospect():
    """DESIGN: enters at Review; nobody closes it before somebody decided, and the finder does not decide."""
    record = found()
    fields = {**CLASSIFIED, **OUTCOME, **REVIEWED}
    assert codes(record, "close", MONA, fields=fields) == ("not_decided",)
    asked = requested(record, people={"change_manager": ["mona", "ana"]})
    assert codes(asked, "close", MONA, fields=fields) == ("not_decided",)
    assert codes(asked, "vote", ANA, fields={"vote": "approve"}) == ("separation",)
    assert codes(voted(asked, "mona"), "close", MONA, fields=fields) == ()
    assert codes(voted(asked, "mona"), "close", MONA, fields={**CLASSIFIED, **REVIEWED}) == ("missing_field",)


def test_what_somebody_asked_for_is_no_finding():
    """Or the vote of a peer on a small change would be the decision on what nobody asked for."""
    record = voted(requested(opened(**RISK)), "pia")
    (reason,) = ask(record, "report_unauthorised", BOT, fields=FOUND).reasons
    assert (reason.code, dict(reason.facts)) == ("approval_was_asked", {"round": record.round.id})
    assert reason.message == (
        "ana asked to approve it, so it goes its way; what nobody asked for is a finding"
    )
    back = does(does(record, "assess", fields=CLASSIFIED), "revise", fields=WHY)
    late = does(back, "report_unauthorised", BOT, fields=FOUND)
    assert codes(late, "close", MONA, fields={**CLASSIFIED, **OUTCOME, **REVIEWED}) == ("not_decided",)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_finding_that_was_refused_was_undone(outcome):
    """It cannot be called a success."""
    record = voted(requested(found()), "mona", choice="reject")
    fields = {**CLASSIFIED, **REVIEWED, "resolution_outcome": outcome}
    undone = outcome in ("partial", "backed_out", "failed")
    assert codes(record, "close", MONA, fields=fields) == (() if undone else ("refused_in_retrospect",))


def test_nobody_becomes_a_finding_by_a_field():
    """Or a change of high risk would be decided by one; the history says what it is."""
    record = does(assessed(), "submit", fields={**ASSESSED, "likelihood": "high", "impact": "high"})
    dressed = does(record, "amend", fields={"found_by": "me"})
    one = {"panels": [{"name": "change_manager", "members": ["mona"]}], "material": list(MATERIAL)}
    assert codes(dressed, "request_approval", fields={"rule": one}) == ("weak_authority",)
    row = CHANGE.record("CHG-1", "review", custom={"change_kind": "normal", "found_by": "audit"})
    assert "not_decided" in codes(row, "close", MONA, lifecycle=CHANGE)


def test_what_was_decided_on_is_not_rewritten_afterwards():
    """A note says what was different; an empty field may still be filled in."""
    record = in_review()
    assert codes(record, "amend", at=END, fields={"likelihood": "medium"}) == ("approved_stays",)
    assert codes(record, "amend", at=END, fields={"likelihood": None}) == ("approved_stays",)
    assert codes(record, "amend", at=END, fields={"likelihood": "low"}) == ()
    assert codes(record, "reprioritise", at=END, fields={"impact": "medium"}) == ("approved_stays",)
    moved = {"assignee": "ivo", "planned_end": END + DAY}
    assert codes(record, "assign", at=END, fields=moved) == ("approved_stays",)
    assert codes(record, "assign", at=END, fields={"assignee": "ivo"}) == ()
    assert codes(record, "close", at=END, fields={"backout_plan": "none"}) == ("approved_stays",)
    assert codes(record, "amend", at=END, fields={"implementation_plan": "as done"}) == ()
    assert codes(emergency(), "amend", at=END, fields={"benefit": "mail runs"}) == ()
    assert codes(emergency(), "amend", at=END, fields={"planned_end": END + DAY}) == ("approved_stays",)


@pytest.mark.parametrize("field", ["occurred_at", "backout_plan", "planned_start"])
def test_no_correction_changes_what_was_voted_on(field):
    """Also not the order of events, by which an edit could come before the vote."""
    now = "2024-02-01T00:00:00Z" if field != "backout_plan" else "none"
    mend = {"event": "CHG-1/3", "field": field, "now": now, "reason": "a slip"}
    assert codes(approved(), "correct", fields=mend) == ("decided_on",)
    assert codes(submitted(), "correct", fields=mend) == ()
    assert codes(standard(), "correct", fields=mend) == ()


def test_no_correction_changes_what_a_change_without_votes_was_done_by():
    """As no amendment does: its window is what it was, in the review and afterwards."""
    mend = {"event": "CHG-1/2", "field": "planned_end", "now": END + DAY, "reason": "a slip"}
    record = in_review(implementing(standard()))
    assert codes(record, "correct", at=END, fields=mend) == ("decided_on",)
    assert codes(does(record, "close", at=END), "correct", at=END, fields=mend) == ("decided_on",)
    assert codes(record, "correct", at=END, fields={**mend, "field": "title", "now": "x"}) == ()


def test_no_correction_calls_a_failure_a_success_before_its_review():
    """Or no review would be owed."""
    mend = {"event": "CHG-1/8", "field": "resolution_outcome", "now": "successful", "reason": "a slip"}
    record = in_review(implementing(standard()), resolution_outcome="failed")
    assert codes(record, "correct", at=END, fields=mend) == ("decided_on",)
    closed = does(record, "close", at=END, fields=REVIEWED)
    assert codes(closed, "correct", at=END, fields=mend) == ()


def test_a_change_closes_when_its_tasks_are_done():
    """platforms.md 2.5: close needs all tasks closed."""
    record = attrs.evolve(in_review(), links=((OWNS_TASK, "T-1"),))
    assert codes(record, "close", at=END, related=(TASK.record("T-1"),)) == ("open_tasks",)
    assert codes(record, "close", at=END) == ("tasks_not_at_hand",)
    done = attrs.evolve(TASK.record("T-1", "skipped"), outcome="skipped")
    assert codes(record, "close", at=END, related=(done,)) == ()


def test_the_whole_story_is_in_the_events():
    """Folded at once it is the record that was made step by step; and it survives JSON."""
    events, record = [], None
    for trigger, actor, at, fields in (
        ("open", ANA, T, {"record": "CHG-1", "title": "Replace the queue", "change_kind": "normal"}),
        ("assess", ANA, T, CLASSIFIED),
        ("submit", ANA, T, ASSESSED),
        ("amend", ANA, T, {"configuration_items": ["mail-1"]}),
    ):
        decision = ask(record, trigger, actor, at=at, fields=fields)
        events += decision.events
        record = fold(events)
    assert json.loads(json.dumps(dict(events[2].fields)))["planned_start"] == "2024-02-20T09:00:00.000000Z"
    assert (record.state, record.values["configuration_items"]) == ("authorize", ("mail-1",))


# fmt: off
TOLD_WHY = [
    # how it is refused, the code, the words, the facts: what displays and integrations read
    (lambda: ask(opened("emergency"), "assess", fields=CLASSIFIED), "change_kind",
     "this is the way of a change of kind normal, and its kind is emergency",
     {"kind": "emergency", "allowed": "normal"}),
    (lambda: ask(assessed(), "amend", fields={"change_kind": "standard"}), "kind_is_settled",
     "the kind is settled once the change has left New; take it back to New first",
     {"field": "change_kind", "state": "assess"}),
    (lambda: ask(does(opened(), "assess", fields={**CLASSIFIED, "service_change": "new"}), "submit", fields=ASSESSED),
     "missing_field", "a change by which a service is new goes through design and transition; give design_ref",
     {"field": "design_ref", "clause": "ISO/IEC 20000-1 8.5.2, CHG-05"}),
    (lambda: ask(in_review(), "amend", at=END, fields={"likelihood": "high", "cost": "more"}), "approved_stays",
     "likelihood, cost stays as it was; write down in a note what was different",
     {"fields": ("likelihood", "cost")}),
    (lambda: ask(approved(), "correct",
                 fields={"event": "CHG-1/3", "field": "cost", "now": "more", "reason": "a slip"}), "decided_on",
     "cost is part of what is decided on; amend it and ask again, or write a note", {"field": "cost"}),
    (lambda: ask(does(requested(submitted()), "hold", fields=HELD), "vote", Actor.person("pia"),
                 fields={"vote": "approve"}), "on_hold",
     "the change is on hold; resume it first", {"state": "on_hold"}),
    (lambda: ask(voted(requested(found()), "mona", choice="reject"), "close", MONA,
                 fields={**CLASSIFIED, **OUTCOME, **REVIEWED}), "refused_in_retrospect",
     "it was refused in retrospect, so it was undone: backed_out, failed, partial",
     {"field": "resolution_outcome"}),
    (lambda: ask(assessed(), "submit", fields={**ASSESSED, "planned_end": START}), "window",
     "planned_end, 2024-02-20T09:00:00+00:00, does not lie after planned_start, 2024-02-20T09:00:00+00:00",
     {"field": "planned_end"}),
    (lambda: ask(assessed(), "submit", at=T + HOUR, fields={**ASSESSED, "planned_start": T}), "window",
     "planned_start, 2024-02-05T09:00:00+00:00, is past; plan a window that lies ahead", {"field": "planned_start"}),
    (lambda: ask(approved(), "authorize", MONA, at=END), "window",
     "the planned window, 2024-02-20T09:00:00+00:00 to 2024-02-20T11:00:00+00:00, is over; plan another",
     {"field": "planned_end"}),
    (lambda: ask(scheduled(), "implement", IVO, at=START, fields={**TESTED, "told_at": END}), "invalid_field",
     "told_at, 2024-02-20T11:00:00+00:00, lies ahead; tell them first", {"field": "told_at"}),
    (lambda: ask(scheduled(), "implement", IVO, at=START, fields={**TESTED, "told_at": T - DAY}), "told_before",
     "told_at, 2024-02-04T09:00:00+00:00, lies before this was put to the vote; tell them what is planned now",
     {"field": "told_at", "asked_at": "2024-02-05T09:00:00+00:00"}),
    (lambda: ask(implementing(), "complete", IVO, at=END, fields={**DONE, "actual_end": START}), "invalid_field",
     "actual_end, 2024-02-20T09:00:00+00:00, does not lie after actual_start, 2024-02-20T09:00:00+00:00",
     {"field": "actual_end"}),
    (lambda: ask(implementing(), "complete", IVO, at=END - HOUR, fields=DONE), "invalid_field",
     "actual_end, 2024-02-20T11:00:00+00:00, lies ahead; complete it when it is done", {"field": "actual_end"}),
    (lambda: ask(standard(), "implement", at=START, fields=TOLD, lifecycle=CHANGE), "template",
     "no template reboot 2 is known; name one of the change policy", {"template": "reboot", "version": 2}),
]
# fmt: on


@pytest.mark.parametrize(("refuse", "code", "words", "facts"), TOLD_WHY, ids=range(len(TOLD_WHY)))
def test_every_refusal_says_what_it_is_about(refuse, code, words, facts):
    """One reason, with a stable code, a sentence with a remedy, and the facts behind it."""
    (reason,) = refuse().reasons
    assert (reason.code, reason.message, dict(reason.facts)) == (code, words, facts)


def test_what_is_not_the_way_of_a_change_is_named():
    """For those who look at each transition by itself."""
    for name, own in (
        ("closes_as_unauthorised", "unauthorised"),
        ("closes_as_emergency", "emergency"),
        ("closes_with_review", "reviewed"),
    ):
        reason = GUARDS[name](Situation(record=in_review(), actor=MONA, trigger="close"))
        assert (reason.code, dict(reason.facts)) == ("other_way", {"way": "unreviewed"})
        assert reason.message == f"it closes as unreviewed, not as {own}"


# --- whatever is asked, a guard answers ------------------------------------------------------------------

HOSTILE = [None, "", "x", 5, True, [], ["x"], {"a": 1}, "9999-99-99", "2024-02-30T00:00:00Z", "\u202eevil"]


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
def test_no_value_breaks_a_guard(value):
    """Every field of every record and command may hold anything that can be stored."""
    names = [field.name for field in CHANGE.fields]
    for state, name in itertools.product(CHANGE.by_id, sorted(GUARDS)):
        custom = dict.fromkeys(names, value)
        record = CHANGE.record("CHG-1", state, custom=custom, impact="high")
        for fields in ({}, custom):
            situation = Situation(
                record=record,
                actor=ANA,
                trigger="close",
                at=T,
                fields=Command("x", ANA, at=T, fields=fields).fields,
            )
            assert isinstance(GUARDS[name](situation), Reason | None)


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
@pytest.mark.parametrize("trigger", sorted(CHANGE.by_trigger))
def test_no_value_breaks_a_decision(trigger, value):
    """It is accepted or refused with reasons, in every state."""
    fields = dict.fromkeys([*(field.name for field in CHANGE.fields), "reason"], value)
    for state in CHANGE.by_id:
        record = CHANGE.record("CHG-1", state, custom={"change_kind": "standard"})
        decision = decide(record, Command(trigger, MONA, at=T, fields=fields), CHANGE)
        assert decision.accepted or decision.codes


@pytest.mark.parametrize(
    ("make", "trigger", "actor"),
    [
        (approved, "authorize", MONA),
        (scheduled, "implement", IVO),
        (in_review, "close", ANA),
        (lambda: attrs.evolve(in_review(), changed_at=None), "close", ANA),
        (lambda: opened("emergency"), "expedite", ANA),
        (assessed, "submit", ANA),
    ],
)
def test_buttons_need_no_instant(make, trigger, actor):
    """Where nobody says when it is, nothing that depends on it objects, nor for want of fields."""
    buttons = {o.trigger: o for o in options(make(), actor, OURS)}
    assert buttons[trigger].enabled
    assert not buttons["reject"].enabled


def test_a_new_change_has_no_time_to_run_in_yet():
    """A window of no length, one that is past, one upside down: refused where it is planned."""
    for start, end in ((START, START), (END, START), (T - TICK, END)):
        fields = {**ASSESSED, "planned_start": start, "planned_end": end}
        assert codes(assessed(), "submit", fields=fields) == ("window",)
    assert codes(assessed(), "submit", fields={**ASSESSED, "planned_start": T}) == ()
    late = {**WHY, **RISK, "planned_start": T - dt.timedelta(hours=2), "planned_end": T + HOUR}
    assert codes(opened("emergency"), "expedite", fields=late) == ()  # it was begun at once
