"""The problem lifecycle, edge by edge, against a table written by hand from the references."""

import datetime as dt

import attrs
import pytest

from golden_edges import golden, table, who_may
from itsm_core.actors import Actor
from itsm_core.business_time import calendar_days
from itsm_core.commands import Command
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle import check, decide, options
from itsm_core.lifecycle.fields import STANDARD
from itsm_core.lifecycle.staffing import dead_ends
from itsm_core.lifecycle.timers import TIME, next_timer
from itsm_core.processes import CHANGE, PROBLEM, PROCESSES, TASK, risk_review_due
from itsm_core.processes.conditions import OWNS_TASK
from itsm_core.processes.problem import GUARDS, RESOLUTIONS
from itsm_core.testing import edges_of
from walking import ACTORS, DAY, TICK, T, after

EDGES = golden("problem")
WHO = who_may("problem")
ANA, MONA = ACTORS["agent"], ACTORS["manager"]
GIVEN = {
    "category": "mail",
    "impact": "high",
    "urgency": "low",
    "rca_method": "five whys",
    "causes": ["a leak in the queue"],
    "preventive_actions": ["watch the memory"],
    "resolution_outcome": "fix_applied",
    "resolution_notes": "Closed the leak",
    "verification": "A week under double load",
    "risk_accepted_by": "cfo",
    "risk_review_at": "2024-08-01T00:00:00Z",
    "duplicate_of": "PRB-9",
    "hold_reason": "supplier",
    "message": "We wait for a patch",
    "look_again_at": "2024-12-01T00:00:00Z",
    "reason": "Because",
}
"""A good value for each field that a transition asks for."""


def problem(state="new", *, lifecycle=PROBLEM, held_in=None, **custom):
    """A problem in a state since T; one on hold was put there in `held_in`."""
    values = {name: custom.pop(name) for name in set(custom) & STANDARD.keys()}
    record = lifecycle.record("PRB-1", state, opened_at=T, custom=custom, **values)
    fired = {"assess": "assess", "root_cause_analysis": "analyse", "fix_in_progress": "fix"}.get(held_in)
    acted = (("open", "ana"), *([(fired, "ana"), ("hold", "ana")] if fired else []))
    outcome = lifecycle.by_id[state].outcome
    return attrs.evolve(record, entered_at=T, acted=acted, outcome=outcome)


def fire(record, trigger, actor=ANA, *, at=T, fields=None, lifecycle=PROBLEM, **known):
    """What a command comes to; the fields that it needs are there unless `fields` say otherwise."""
    if fields is None:
        needs = [n for row in lifecycle.rows(trigger, record.state) for n in row.requires]
        fields = {need.field: GIVEN[need.field] for need in needs}
    return decide(record, Command(trigger, actor, at=at, fields=fields), lifecycle, **known)


# --- the golden table --------------------------------------------------------------------------


@pytest.mark.parametrize("row", table("problem"), ids="{0[trigger]}-{0[from]}-{0[to]}".format)
def test_each_golden_edge_is_walked_by_those_who_may_and_by_nobody_else(row):
    """Through the one door, with the fields it needs and when it is time; and it has a source."""
    assert row["source"]
    more = {"risk_review_at": "2024-02-20T00:00:00Z"} if row["from"] == "risk_accepted" else {}
    record = problem(row["from"], held_in=row["to"] if row["trigger"] == "resume" else None, **more)
    for who, actor in ACTORS.items():
        at = T if row["trigger"] == "accept_risk" else T + 30 * DAY
        decision = fire(record, row["trigger"], actor, at=at)
        assert decision.accepted is (who in WHO[row["trigger"], row["from"]]), (who, decision)
        if decision.accepted:
            assert after(record, decision).state == row["to"]
        else:
            assert set(decision.codes) <= {"role", "timer"}


@pytest.mark.parametrize("trigger", sorted(PROBLEM.by_trigger))
def test_no_trigger_leads_out_of_any_other_state(trigger):
    """What the table does not list, nobody does."""
    fields = {need.field: GIVEN[need.field] for row in PROBLEM.by_trigger[trigger] for need in row.requires}
    for state in PROBLEM.by_id:
        if (trigger, state) not in {(name, start) for name, start, _ in EDGES}:
            decision = fire(problem(state), trigger, TIME, at=T + 30 * DAY, fields=fields)
            assert "wrong_state" in decision.codes


# --- states and conditions -----------------------------------------------------------------------


def test_the_states_and_their_phases():
    """platforms.md 2.5 ServiceNow Problem: six states; known error is none; each way to close its own."""
    assert [(s.id, s.phase.value, s.outcome) for s in PROBLEM.states] == [
        ("new", "new", None),
        ("assess", "active", None),
        ("root_cause_analysis", "active", None),
        ("fix_in_progress", "active", None),
        ("on_hold", "waiting", None),
        ("resolved", "resolved", None),
        ("closed", "closed", "completed"),
        ("risk_accepted", "closed", "risk_accepted"),
        ("duplicate", "closed", "duplicate"),
        ("cancelled", "closed", "cancelled"),
    ]
    assert (PROBLEM.id, PROBLEM.version, PROBLEM.initial, PROBLEM.process) == ("problem", 1, "new", "problem")
    assert (PROBLEM.say(), PROBLEM.say("zh")) == ("Problem", "问题")
    assert not PROBLEM.requester


def test_it_is_sound_and_shipped_and_one_person_can_work_it():
    """`check` finds nothing, and no duty of a problem is kept apart."""
    assert check(PROBLEM) == ()
    assert PROCESSES["problem"] is PROBLEM
    assert dead_ends(PROBLEM, {"ana": {"agent", "manager"}}) == ()


def test_each_field_names_its_clause_and_every_guard_is_used():
    """ISO/IEC 20000-1, 8.6.3; who may fire what, with which fields and guards, stands in the golden table."""
    needs = [need for row in PROBLEM.transitions for need in row.requires]
    assert all(need.clause.startswith("ISO/IEC 20000-1 8.6.3") for need in needs)
    assert {name for row in PROBLEM.transitions for name in row.guards} == set(GUARDS)


def test_what_clocks_do_where_a_problem_goes_back():
    """A recurrence was not fixed, so it resumes; what is analysed anew, or no longer accepted, restarts."""
    said = {(t.trigger, s): t.reopens for t in PROBLEM.transitions for s in t.sources if t.reopens}
    ended = ("resolved", "closed", "risk_accepted", "duplicate", "cancelled")
    assert said == {
        ("recur", "resolved"): "resume",
        ("lapse", "risk_accepted"): "restart",
        **{("reanalyse", state): "restart" for state in ended},
    }


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_word_is_there_in_both_languages(lang):
    """States, transitions and fields have labels of their own in English and Chinese."""
    needs = [need for t in PROBLEM.transitions for need in t.requires]
    assert all(dict(thing.label)[lang] for thing in (*PROBLEM.states, *PROBLEM.transitions, *needs))


def test_the_ways_to_resolve_are_those_of_the_field():
    """platforms.md 2.5: Fix applied; iso-20000.md PRB-09 by change, 5.8 FitSM when no longer relevant."""
    assert RESOLUTIONS == ("fix_applied", "by_change", "no_longer_relevant")


def test_only_lessons_about_people_are_personal():
    """What is published of a known error is technical; how somebody verified it is free text."""
    assert [field.name for field in PROBLEM.fields if field.personal] == ["verification"]


# --- on the way ------------------------------------------------------------------------------------


def test_a_problem_is_classified_and_prioritised_before_its_analysis():
    """PRB-03, PRB-04: what the record knows is enough, and the matrix makes the priority."""
    assert fire(problem("assess"), "analyse", fields={}).codes == ("missing_field",) * 3
    known = problem("assess", category="mail")
    decision = fire(known, "analyse", fields={"impact": "high", "urgency": "high"})
    assert after(known, decision).priority == "P1"
    given = PROBLEM.record("PRB-1", "assess", category="mail", priority="P2")
    assert fire(given, "analyse", fields={}).accepted


@pytest.mark.parametrize("field", ["rca_method", "causes", "preventive_actions"])
@pytest.mark.parametrize("nothing", [None, "", []])
def test_nothing_is_fixed_before_its_cause_is_known(field, nothing):
    """PRB-02: method, causes and preventive actions stand before a fix; an empty list names no cause."""
    held = {"rca_method": "five whys", "causes": ["a leak"], "preventive_actions": ["watch it"]}
    assert fire(problem("root_cause_analysis", **held), "fix", fields={}).accepted
    less = {**held, field: nothing}
    decision = fire(problem("root_cause_analysis", **less), "fix", fields={})
    assert decision.codes == ("missing_field",)
    assert dict(decision.reasons[0].facts)["field"] == field


@pytest.mark.parametrize("field", ["rca_method", "causes"])
def test_nothing_is_resolved_without_a_cause_either(field):
    """PRB-02: also where the cause was taken back while the fix went on."""
    held = {"rca_method": "five whys", "causes": ["a leak"], field: None}
    fields = {"resolution_outcome": "fix_applied", "resolution_notes": "Closed the leak"}
    assert fire(problem("fix_in_progress", **held), "resolve", fields=fields).codes == ("missing_field",)


def test_a_problem_resolved_by_a_change_names_it():
    """PRB-09: with the command or on the record; any other resolution needs none."""
    held = {"rca_method": "five whys", "causes": ["a leak"]}
    fields = {"resolution_outcome": "by_change", "resolution_notes": "Replaced the queue"}
    record = problem("fix_in_progress", **held)
    decision = fire(record, "resolve", fields=fields)
    assert decision.codes == ("missing_field",)
    assert dict(decision.reasons[0].facts)["field"] == "change_id"
    assert fire(record, "resolve", fields={**fields, "change_id": "CHG-1"}).accepted
    assert fire(problem("fix_in_progress", **held, change_id="CHG-1"), "resolve", fields=fields).accepted
    assert fire(record, "resolve", fields={**fields, "resolution_outcome": "fix_applied"}).accepted


def change(state, **values):
    """The change that resolves a problem, in a state."""
    held = CHANGE.record("CHG-1", state, **values)
    return attrs.evolve(held, outcome=CHANGE.by_id[state].outcome)


@pytest.mark.parametrize(
    ("related", "closes"),
    [
        ([], True),  # not at hand: a report finds it
        ([change("review")], False),
        ([change("cancelled")], False),
        ([change("closed", resolution_outcome="failed")], False),
        ([change("closed", resolution_outcome="successful")], True),
        ([change("closed", resolution_outcome="successful_with_issues")], True),
        ([attrs.evolve(change("review"), id="CHG-2")], True),
    ],
)
def test_a_problem_closes_when_its_change_is_done(related, closes):
    """PRB-09: resolution by change, state Closed; by hand as by time."""
    record = problem("resolved", change_id="CHG-1", resolution_outcome="by_change")
    related = tuple(related)
    assert fire(record, "close", MONA, related=related).accepted is closes
    assert fire(record, "verify", TIME, at=T + 30 * DAY, related=related).accepted is closes
    assert (next_timer(record, PROBLEM, related=related) is not None) is closes
    fixed = problem("resolved", change_id="CHG-1", resolution_outcome="fix_applied")
    assert fire(fixed, "close", MONA, related=related).accepted


def test_open_tasks_hold_up_the_end():
    """platforms.md 2.5: closing has to do something about open tasks; here somebody does them first."""
    record = attrs.evolve(problem("resolved"), links=((OWNS_TASK, "T-1"),))
    doing, done = TASK.record("T-1", "in_progress"), TASK.record("T-1", "complete")
    assert fire(record, "close", MONA, related=(doing,)).codes == ("open_tasks",)
    assert fire(record, "verify", TIME, at=T + 30 * DAY, related=(doing,)).codes == ("open_tasks",)
    assert fire(record, "close", MONA, related=(attrs.evolve(done, outcome="complete"),)).accepted


# --- the verification window -----------------------------------------------------------------------


def test_a_resolved_problem_closes_by_itself_after_thirty_days():
    """iso-20000.md 5.8: the window is thirty calendar days, to the microsecond; nobody fires it."""
    (verify,) = PROBLEM.by_trigger["verify"]
    assert verify.after == calendar_days(30)
    record = problem("resolved")
    assert next_timer(record, PROBLEM) == (T + 30 * DAY, "verify")
    assert fire(record, "verify", TIME, at=T + 30 * DAY - TICK).codes == ("too_soon",)
    assert after(record, fire(record, "verify", TIME, at=T + 30 * DAY)).state == "closed"
    assert fire(record, "verify", MONA, at=T + 30 * DAY).codes == ("timer",)


def test_a_recurrence_within_the_window_reopens_it_and_the_window_starts_anew():
    """PRB-07: it went back to its analysis, so nothing closes it until it is resolved again."""
    record = after(problem("resolved"), fire(problem("resolved"), "recur", at=T + 29 * DAY))
    assert (record.state, record.phase, record.reopened) == ("root_cause_analysis", Phase.ACTIVE, 1)
    assert next_timer(record, PROBLEM) is None
    again = attrs.evolve(problem("resolved"), entered_at=T + 40 * DAY)
    assert next_timer(again, PROBLEM) == (T + 70 * DAY, "verify")


def test_who_verifies_earlier_says_how():
    """PRB-07: the manager may close before the window ends, with the evidence."""
    assert fire(problem("resolved"), "close", MONA, fields={}).codes == ("missing_field",)
    assert fire(problem("resolved"), "close", MONA).accepted


# --- accepted risks --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("until", "accepted"),
    [("2024-02-05T09:00:00.000001Z", True), ("2024-02-05T09:00:00Z", False), ("2023-01-01T00:00:00Z", False)],
)
def test_a_risk_is_accepted_until_an_instant_that_lies_ahead(until, accepted):
    """PRB-06: acceptor and review date; a date that is past accepts nothing."""
    fields = {"risk_accepted_by": "cfo", "reason": "Too costly", "risk_review_at": until}
    decision = fire(problem("root_cause_analysis"), "accept_risk", MONA, fields=fields)
    assert decision.accepted is accepted
    if not accepted:
        assert decision.codes == ("invalid_field",)


@pytest.mark.parametrize("hostile", ["soon", "", 5, "9999-99-99T00:00:00Z", ["2024-08-01T00:00:00Z"]])
def test_a_review_date_that_is_none_is_refused_and_breaks_nothing(hostile):
    """The guard is asked although the type is wrong, and leaves that to those who say so."""
    fields = {"risk_accepted_by": "cfo", "reason": "Too costly", "risk_review_at": hostile}
    decision = fire(problem("root_cause_analysis"), "accept_risk", MONA, fields=fields)
    assert set(decision.codes) <= {"invalid_field", "missing_field"}
    assert decision.codes


@pytest.mark.parametrize("left_out", ["risk_accepted_by", "reason", "risk_review_at"])
def test_a_risk_is_accepted_by_somebody_for_a_reason_until_a_date(left_out):
    """PRB-06: and by a manager; what was accepted before does not count again."""
    fields = {name: GIVEN[name] for name in ("risk_accepted_by", "reason", "risk_review_at")}
    held = {"risk_accepted_by": "cfo", "risk_review_at": "2024-08-01T00:00:00Z"}
    record = problem("fix_in_progress", **held)
    decision = fire(record, "accept_risk", MONA, fields={**fields, left_out: None})
    assert decision.codes == ("missing_field",)


def test_an_acceptance_lapses_by_itself_when_its_date_has_come_and_not_before():
    """iso-20000.md 5.8: risk acceptance with expiry; DESIGN: timer edges, which nobody fires."""
    until = dt.datetime(2024, 8, 1, tzinfo=dt.UTC)
    record = problem("risk_accepted", risk_review_at="2024-08-01T00:00:00Z")
    assert risk_review_due(record) == until
    assert next_timer(record, PROBLEM) == (until, "lapse")
    assert fire(record, "lapse", TIME, at=until - TICK).codes == ("too_soon",)
    lapsed = after(record, fire(record, "lapse", TIME, at=until))
    assert (lapsed.state, lapsed.phase, lapsed.reopened) == ("root_cause_analysis", Phase.ACTIVE, 1)
    assert (risk_review_due(lapsed), next_timer(lapsed, PROBLEM)) == (None, None)
    assert fire(record, "lapse", MONA, at=until).codes == ("timer",)
    assert [o for o in options(record, MONA, PROBLEM, at=until) if o.trigger == "lapse"] == []


def test_an_acceptance_from_elsewhere_that_names_no_date_never_lapses():
    """Nothing says until when; a manager takes it up."""
    assert risk_review_due(problem("risk_accepted")) is None
    assert next_timer(problem("risk_accepted"), PROBLEM) is None
    assert fire(problem("risk_accepted"), "lapse", TIME).codes == ("too_soon",)
    assert fire(problem("risk_accepted"), "reanalyse", MONA).accepted
    assert risk_review_due(problem("new", risk_review_at="2024-08-01T00:00:00Z")) is None


# fmt: off
TOLD_WHY = [
    (lambda: fire(problem("fix_in_progress", rca_method="x", causes=["y"]), "resolve",
                  fields={"resolution_outcome": "by_change", "resolution_notes": "Done"}), "missing_field",
     "a problem resolved by a change names it; give change_id",
     {"field": "change_id", "clause": "ISO/IEC 20000-1 8.6.3, PRB-09"}),
    (lambda: fire(problem("resolved", change_id="CHG-1", resolution_outcome="by_change"), "close", MONA,
                  related=(change("review"),)), "change_not_done",
     "CHG-1 is not closed with success; close it first, or analyse the problem again", {"change": "CHG-1"}),
    (lambda: fire(problem("new"), "mark_duplicate", fields={"duplicate_of": "PRB-1"}), "invalid_field",
     "a problem is no duplicate of itself; name the other one in duplicate_of", {"field": "duplicate_of"}),
    (lambda: fire(problem("on_hold"), "accept_risk", MONA, at=T + 200 * DAY), "invalid_field",
     "risk_review_at is 2024-08-01T00:00:00+00:00, which does not lie after 2024-08-23T09:00:00+00:00",
     {"field": "risk_review_at"}),
]
# fmt: on


@pytest.mark.parametrize(("refuse", "code", "words", "facts"), TOLD_WHY, ids=range(len(TOLD_WHY)))
def test_every_refusal_says_what_it_is_about(refuse, code, words, facts):
    """One reason, with a stable code, a sentence, and the facts behind it."""
    (reason,) = refuse().reasons
    assert (reason.code, reason.message, dict(reason.facts)) == (code, words, facts)


# --- duplicates, holds, and small desks -------------------------------------------------------------


def test_a_problem_is_no_duplicate_of_itself():
    """Its incidents would be handed to nobody."""
    assert fire(problem("new"), "mark_duplicate", fields={"duplicate_of": "PRB-1"}).codes == (
        "invalid_field",
    )
    assert fire(problem("new"), "mark_duplicate", fields={"duplicate_of": "PRB-2"}).accepted


@pytest.mark.parametrize("state", ["assess", "root_cause_analysis", "fix_in_progress"])
@pytest.mark.parametrize("reason", WaitsOn)
def test_a_hold_waits_on_what_its_reason_says_and_ends_where_it_began(state, reason):
    """One button resumes; also after the reason of the hold has changed in between."""
    fields = {"hold_reason": reason.value, "message": "We wait", "look_again_at": "2024-12-01T00:00:00Z"}
    fired = {"assess": "assess", "root_cause_analysis": "analyse", "fix_in_progress": "fix"}[state]
    record = attrs.evolve(problem(state), acted=(("open", "ana"), (fired, "ana")))
    held = after(record, fire(record, "hold", fields=fields))
    assert (held.state, held.waits_on) == ("on_hold", reason)
    again = after(held, fire(held, "hold", fields={**fields, "hold_reason": "change"}))
    (resume,) = [o for o in options(again, ANA, PROBLEM) if o.trigger == "resume"]
    assert (resume.enabled, resume.destination) == (True, state)
    assert after(again, fire(again, "resume")).state == state


def test_a_row_on_hold_without_a_history_resumes_to_its_assessment():
    """Nobody knows where it was, so somebody looks at it again."""
    row = PROBLEM.record("PRB-1", "on_hold", hold_reason="change")
    assert after(row, fire(row, "resume")).state == "assess"


def test_a_two_person_firm_walks_a_problem_with_the_fewest_fields():
    """Opened, analysed, fixed, resolved, watched, closed; the other ways out need a word each."""
    lite, bo = PROBLEM.lite(), Actor.person("bo", "agent", "manager")
    opening = Command("open", ANA, at=T, fields={"record": "PRB-1", "title": "Mail stops each Monday"})
    record = after(None, decide(None, opening, lite))
    walked = [
        ("assess", ANA, {}),
        ("analyse", ANA, {"category": "mail", "priority": "P2"}),
        ("hold", ANA, {"hold_reason": "supplier"}),
        ("resume", ANA, {}),
        ("fix", ANA, {"causes": ["a leak"]}),
        ("resolve", ANA, {"resolution_outcome": "fix_applied", "resolution_notes": "Closed the leak"}),
        ("recur", bo, {"reason": "Again on Monday"}),
        (
            "accept_risk",
            bo,
            {"risk_accepted_by": "bo", "reason": "Rare", "risk_review_at": "2025-01-01T00:00Z"},
        ),
        ("lapse", TIME, {}),
        ("fix", ANA, {}),
        (
            "resolve",
            ANA,
            {"resolution_outcome": "by_change", "resolution_notes": "New queue", "change_id": "C"},
        ),
        ("verify", TIME, {}),
        ("reanalyse", bo, {"reason": "An audit asked"}),
        ("mark_duplicate", ANA, {"duplicate_of": "PRB-2"}),
    ]
    states = []
    for days, (trigger, actor, fields) in enumerate(walked):
        at = T + (days if trigger != "verify" and days < 8 else 400 + 40 * days) * DAY
        record = after(record, fire(record, trigger, actor, at=at, fields=fields, lifecycle=lite))
        states.append(record.state)
    assert states == [
        "assess", "root_cause_analysis", "on_hold", "root_cause_analysis", "fix_in_progress", "resolved",
        "root_cause_analysis", "risk_accepted", "root_cause_analysis", "fix_in_progress", "resolved", "closed",
        "root_cause_analysis", "duplicate",
    ]  # fmt: skip


def test_a_desk_can_say_who_may_analyse_again_what_was_closed_in_which_way():
    """platforms.md 2.5: the allowed role is a property per way it was closed."""
    ours = PROBLEM.derive("acme.problem").role("board").build()
    strict = ours.derive("acme.problem", 2).remove("reanalyse", source="cancelled").build()
    assert [edge for edge in edges_of(ours) if edge not in edges_of(strict)] == [
        ("reanalyse", "cancelled", "root_cause_analysis")
    ]
