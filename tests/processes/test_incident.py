"""The incident lifecycle, edge by edge, against a table written by hand from the references."""

import datetime as dt

import attrs
import pytest

from golden_edges import golden, table, who_may
from itsm_core.business_time import BusinessCalendar, business_days
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle import Lifecycle, check, options
from itsm_core.lifecycle.machine import destination
from itsm_core.lifecycle.soundness import sound
from itsm_core.lifecycle.timers import next_timer
from itsm_core.processes import INCIDENT, PROCESSES, TASK
from itsm_core.processes.conditions import CLOSING, CLOSING_ITSELF
from itsm_core.processes.incident import CLOSURES, METHODS, OUTCOMES
from itsm_core.testing import edges_of
from walking import ACTORS, DAY, GIVEN, HOUR, TICK, T, after, asked, fire, needed, opened

EDGES = golden("incident")
WHO = who_may("incident")
ANA, RITA, BOT, TIME = (ACTORS[who] for who in ("agent", "requester", "automation", "time"))
OFFICE = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")


def incident(state="new", **held):
    """An incident of rita in a state, a month old."""
    record = INCIDENT.record("INC-1", state, requester="rita", **held)
    return attrs.evolve(record, opened_at=T - 30 * DAY, entered_at=T - 30 * DAY)


# --- the golden table --------------------------------------------------------------------------


@pytest.mark.parametrize("row", table("incident"), ids="{0[trigger]}-{0[from]}-{0[to]}".format)
def test_each_golden_edge_is_walked_by_those_who_may_and_by_nobody_else(row):
    """Through the one door, with the fields it needs; and it has a source."""
    assert row["source"]
    for who, actor in ACTORS.items():
        decision = fire(incident(row["from"]), row["trigger"], INCIDENT, actor)
        allowed = who in WHO[row["trigger"], row["from"]]
        assert decision.accepted is allowed, (who, decision)
        if allowed:
            assert after(incident(row["from"]), decision).state == row["to"]
        else:
            assert set(decision.codes) <= {"role", "timer", "unknown_field"}


@pytest.mark.parametrize("trigger", sorted(INCIDENT.by_trigger))
def test_no_trigger_leads_out_of_any_other_state(trigger):
    """What the table does not list, nobody does."""
    for state in INCIDENT.by_id:
        if (trigger, state) not in {(name, start) for name, start, _ in EDGES}:
            for actor in ACTORS.values():
                decision = fire(incident(state), trigger, INCIDENT, actor, fields=asked(INCIDENT, trigger))
                assert "wrong_state" in decision.codes
            assert destination(INCIDENT, state, trigger) is None


# --- states ------------------------------------------------------------------------------------


def test_the_states_and_their_phases():
    """platforms.md 2.5 ServiceNow: New, In Progress, On Hold, Resolved, Closed, Canceled; section 4 C16."""
    assert [(s.id, s.phase.value, s.outcome) for s in INCIDENT.states] == [
        ("new", "new", None),
        ("in_progress", "active", None),
        ("on_hold", "waiting", None),
        ("resolved", "resolved", None),
        ("closed", "closed", "completed"),
        ("cancelled", "closed", "cancelled"),
        ("duplicate", "closed", "duplicate"),
        ("merged", "closed", "merged"),
        ("retyped", "closed", "retyped"),
    ]
    assert [state.waits_on for state in INCIDENT.states] == [None] * 9
    assert (INCIDENT.id, INCIDENT.version, INCIDENT.initial, INCIDENT.process) == (
        "incident", 1, "new", "incident",
    )  # fmt: skip
    assert INCIDENT.requester
    assert (INCIDENT.say(), INCIDENT.say("zh")) == ("Incident", "事件")


def test_it_is_sound_and_shipped():
    """`check` finds nothing, and the table of processes holds it."""
    assert check(INCIDENT) == ()
    assert sound(INCIDENT) is INCIDENT
    assert PROCESSES["incident"] is INCIDENT
    assert isinstance(INCIDENT, Lifecycle)


def test_nothing_leaves_a_closed_record():
    """platforms.md 2.5: Closed cannot reopen; a reply makes a new linked incident."""
    final = {s.id for s in INCIDENT.states if s.phase is Phase.CLOSED}
    assert not [edge for edge in edges_of(INCIDENT) if edge[1] in final]


@pytest.mark.parametrize("word", ["major", "escalat", "breach", "approv"])
def test_what_stands_beside_the_state_is_no_state(word):
    """DESIGN rule 8: level of escalation, approval, major-incident role and breach."""
    assert not [state.id for state in INCIDENT.states if word in state.id]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_word_is_there_in_both_languages(lang):
    """States, transitions and fields have labels of their own in English and Chinese."""
    needs = [need for t in INCIDENT.transitions for need in t.requires]
    for thing in (*INCIDENT.states, *INCIDENT.transitions, *needs):
        assert dict(thing.label)[lang]
        assert thing.say(lang) == dict(thing.label)[lang]


# --- conditions --------------------------------------------------------------------------------
DONE = ["resolution_outcome", "resolution_notes", "resolution_method"]


def test_each_field_names_its_clause():
    """ISO/IEC 20000-1, 8.6.1; who may fire what, with which fields and guards, stands in the golden table."""
    needs = [need for row in INCIDENT.transitions for need in row.requires]
    assert all(need.clause.startswith("ISO/IEC 20000-1 8.6.1") for need in needs)


def test_closing_looks_at_silence_policy_the_requester_and_the_tasks():
    """iso-20000.md 5.3 and INC-15; lifecycles.md 3.2: closing needs all parts settled."""
    assert CLOSING == ("silence_is_shown", "policy_may_close", "requester_confirms", "no_open_tasks")
    assert CLOSING_ITSELF == ("closes_by_itself", "no_open_tasks")


def test_reopening_resumes_the_clocks():
    """Only reopening edges say what clocks do."""
    said = {t.trigger: t.reopens for t in INCIDENT.transitions if t.reopens}
    assert said == {"reopen": "resume", "reopen_to_queue": "resume"}


def test_only_the_timer_waits_for_time():
    """iso-20000.md 5.3: auto-close five business days after Resolved."""
    assert {t.trigger: t.after for t in INCIDENT.transitions if t.after} == {"auto_close": business_days(5)}


def test_the_choices_are_those_of_the_field():
    """iso-20000.md 5.3 (outcome, less `cancelled`, which is a state; method) and INC-15 (closure)."""
    assert OUTCOMES == (
        "fixed_permanent", "workaround", "by_problem", "by_change", "by_user", "monitoring_cleared",
        "not_reproducible", "not_fixable", "duplicate", "not_a_fault",
    )  # fmt: skip
    assert METHODS == ("remote", "on_site", "guidance", "self_service", "automation", "supplier")
    assert CLOSURES == ("user_confirmed", "no_response_after_attempts", "policy", "monitoring_verified")
    chosen = {need.field: need.one_of for t in INCIDENT.transitions for need in t.requires if need.one_of}
    assert chosen == {
        "hold_reason": tuple(WaitsOn),
        "resolution_outcome": OUTCOMES,
        "resolution_method": METHODS,
        "closure_code": CLOSURES,
    }


def test_a_smaller_desk_may_leave_out_what_no_clause_asks_for():
    """Method, the instant to look again, and why somebody sends work back or reopens it."""
    dropped = {(t.trigger, need.field) for t in INCIDENT.transitions for need in t.requires
               if not need.essential}  # fmt: skip
    assert dropped == {
        ("hold", "look_again_at"),
        ("requeue", "reason"),
        ("resolve", "resolution_method"),
        ("resolve_and_close", "resolution_method"),
        ("reopen", "reason"),
        ("reopen_to_queue", "reason"),
    }


def test_its_own_fields_are_declared():
    """The method, and the records in which it may go on; none says something about a person."""
    assert [(f.name, f.type.value, f.personal) for f in INCIDENT.fields] == [
        ("resolution_method", "text", False),
        ("duplicate_of", "text", False),
        ("merged_into", "text", False),
        ("successor", "text", False),
    ]


@pytest.mark.parametrize("lite", [INCIDENT.lite()], ids=["lite"])
def test_a_small_desk_walks_every_edge_with_fewer_fields(lite):
    """Phases and rules stay, fields go."""
    for row in table("incident"):
        record = attrs.evolve(incident(row["from"]), lifecycle=lite.id)
        actor = TIME if row["trigger"] == "auto_close" else ANA
        decision = fire(record, row["trigger"], lite, actor)
        assert after(record, decision).state == row["to"]
    assert [(s.id, s.phase) for s in lite.states] == [(s.id, s.phase) for s in INCIDENT.states]
    assert [t.guards for t in lite.transitions] == [t.guards for t in INCIDENT.transitions]


# --- holding -------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", WaitsOn)
def test_a_hold_waits_on_what_its_reason_says(reason):
    """iso-20000.md 5.3: awaiting requester, supplier, problem, change; what clocks do follows from it."""
    asked_for = {**needed(INCIDENT, "hold", "in_progress"), "hold_reason": reason.value}
    held = after(incident("in_progress"), fire(incident("in_progress"), "hold", INCIDENT, fields=asked_for))
    assert (held.phase, held.waits_on, held.hold_reason) == (Phase.WAITING, reason, reason.value)
    back = after(held, fire(held, "resume", INCIDENT, at=T + HOUR))
    assert (back.waits_on, back.hold_reason) == (None, None)


# --- resolving -----------------------------------------------------------------------------------


def test_the_method_may_be_given_by_code_or_in_the_notes():
    """Two axes: what came of it is asked for, how it was done is offered with its choices."""
    fields = {name: GIVEN[name] for name in ("resolution_outcome", "resolution_notes")}
    assert fire(incident(), "resolve", INCIDENT, fields=fields).accepted
    coded = fire(incident(), "resolve", INCIDENT, fields={**fields, "resolution_method": "remote"})
    assert after(incident(), coded).values["resolution_method"] == "remote"
    wrong = fire(incident(), "resolve", INCIDENT, fields={**fields, "resolution_method": "magic"})
    assert wrong.codes == ("invalid_field",)
    (button,) = [o for o in options(incident(), ANA, INCIDENT) if o.trigger == "resolve"]
    assert [need.field for need in button.needs] == DONE


# --- closing -------------------------------------------------------------------------------------


def said_to(record, at, **more):
    """The record after words to its requester."""
    fields = {"text": "Does it work?", **more}
    return after(record, fire(record, "communicate", INCIDENT, at=at, fields=fields))


def test_silence_closes_after_three_contacts_a_business_day_apart():
    """From the first word to the close, on the desk's calendar."""
    silent = {"closure_code": "no_response_after_attempts"}
    record = incident("resolved")
    for day in (0, 3, 4):  # Monday, Thursday, Friday
        refused = fire(record, "close", INCIDENT, at=T + day * DAY, fields=silent, calendar=OFFICE)
        assert refused.codes == ("too_few_contacts",)
        record = said_to(record, T + day * DAY)
    assert fire(record, "close", INCIDENT, at=T + 4 * DAY, fields=silent, calendar=OFFICE).accepted
    reply = {"text": "Not yet", "message_id": "m1"}
    heard = after(record, fire(record, "receive", INCIDENT, RITA, at=T + 5 * DAY, fields=reply))
    again = fire(heard, "close", INCIDENT, at=T + 6 * DAY, fields=silent, calendar=OFFICE)
    assert again.codes == ("too_few_contacts",)


def test_only_words_that_a_person_sends_to_the_requester_seek_them():
    """Not automatic ones, nor those for others."""
    record = incident("resolved")
    for day in range(3):
        at = T + day * DAY
        record = said_to(record, at, automatic=True)
        record = said_to(record, at, audience="management")
        sent = fire(record, "communicate", INCIDENT, BOT, at=at, fields={"text": "Does it work?"})
        record = after(record, sent)
    silent = {"closure_code": "no_response_after_attempts"}
    (reason,) = fire(record, "close", INCIDENT, at=T + 4 * DAY, fields=silent).reasons
    assert dict(reason.facts)["contacts"] == 0


@pytest.mark.parametrize("mark", ["major", "security", "complaint"])
@pytest.mark.parametrize(("trigger", "state"), [("close", "resolved"), ("resolve_and_close", "in_progress")])
def test_policy_closes_nothing_delicate(mark, trigger, state):
    """iso-20000.md 5.3; anybody's word does."""
    fields = {**needed(INCIDENT, trigger, state), "closure_code": "policy"}
    assert fire(incident(state), trigger, INCIDENT, fields=fields).accepted
    assert fire(incident(state, **{mark: True}), trigger, INCIDENT, fields=fields).codes == ("takes_a_word",)
    fields["closure_code"] = "user_confirmed"
    assert fire(incident(state, **{mark: True}), trigger, INCIDENT, fields=fields).accepted


@pytest.mark.parametrize(
    ("trigger", "state", "actor"),
    [("close", "resolved", ANA), ("resolve_and_close", "new", ANA), ("auto_close", "resolved", TIME)],
)
def test_it_closes_when_its_tasks_are_done(trigger, state, actor):
    """However it closes; resolving does not wait for them, for then the service is back."""
    owner = attrs.evolve(incident(state), links=(("task", "T-1"),))
    todo, done = TASK.record("T-1", "in_progress"), TASK.record("T-1", "incomplete")
    assert fire(owner, trigger, INCIDENT, actor).codes == ("tasks_not_at_hand",)
    assert fire(owner, trigger, INCIDENT, actor, related=(todo,)).codes == ("open_tasks",)
    assert fire(owner, trigger, INCIDENT, actor, related=(done,)).accepted
    work = attrs.evolve(incident("in_progress"), links=(("task", "T-1"),))
    assert fire(work, "resolve", INCIDENT, related=(todo,)).accepted


def test_a_parent_resolves_and_closes_while_children_are_open():
    """platforms.md 2.5 ServiceNow: parent Closed, child not closed; scenario 19. Nothing is enforced."""
    parent = attrs.evolve(incident("in_progress"), links=(("parent_of", "INC-2"),))
    child = INCIDENT.record("INC-2", "in_progress")
    resolved = after(parent, fire(parent, "resolve", INCIDENT, related=(child,)))
    assert fire(resolved, "close", INCIDENT, related=(child,)).accepted


@pytest.mark.parametrize(
    ("state", "trigger", "allowed"),
    [
        ("resolved", "close", True),
        ("resolved", "reopen", True),
        ("new", "cancel", True),
        ("new", "start", False),
        ("new", "merge", False),
    ],
)
def test_the_requester_may_close_reopen_and_cancel_and_nothing_else(state, trigger, allowed):
    """By relation to the record, without any role."""
    assert fire(incident(state), trigger, INCIDENT, RITA).accepted is allowed


def test_the_requester_closes_by_confirming():
    """The other ways are the desk's to answer for."""
    fields = {"closure_code": "monitoring_verified"}
    assert fire(incident("resolved"), "close", INCIDENT, RITA, fields=fields).codes == ("desk_only",)
    assert fire(incident("resolved"), "close", INCIDENT, ANA, fields=fields).accepted


# --- closing by itself ---------------------------------------------------------------------------


def resolved_at(at):
    """An incident of rita resolved at an instant."""
    record = after(None, opened(INCIDENT, at=T, requester="rita"))
    return after(record, fire(record, "resolve", INCIDENT, at=at))


def test_it_closes_by_itself_five_business_days_after_it_was_resolved():
    """Not a moment sooner, on the desk's calendar; Monday 10:00 becomes Monday 10:00."""
    record = resolved_at(T + HOUR)
    due = T + HOUR + 7 * DAY
    assert next_timer(record, INCIDENT, calendar=OFFICE) == (due, "auto_close")
    soon = fire(record, "auto_close", INCIDENT, TIME, at=due - TICK, calendar=OFFICE)
    assert soon.codes == ("too_soon",)
    closed = after(record, fire(record, "auto_close", INCIDENT, TIME, at=due, calendar=OFFICE))
    assert (closed.state, closed.outcome) == ("closed", "completed")
    assert next_timer(closed, INCIDENT, calendar=OFFICE) is None


def test_holidays_and_the_change_of_the_clocks_are_counted_as_the_calendar_says():
    """Resolved on Maundy Thursday 2026 at 10:00 in Berlin: the fifth day after Easter is Monday the 13th."""
    easter = BusinessCalendar.weekly(
        "mon-fri 09:00-17:00", zone="Europe/Berlin", holidays=[dt.date(2026, 4, 3), dt.date(2026, 4, 6)]
    )
    thursday = dt.datetime(2026, 4, 2, 8, tzinfo=dt.UTC)
    record = attrs.evolve(incident("resolved"), entered_at=thursday)
    due = dt.datetime(2026, 4, 13, 8, tzinfo=dt.UTC)
    assert next_timer(record, INCIDENT, calendar=easter) == (due, "auto_close")
    autumn = dt.datetime(2026, 10, 22, 8, tzinfo=dt.UTC)  # Thursday 10:00, the clock goes back on Sunday
    record = attrs.evolve(incident("resolved"), entered_at=autumn)
    due = dt.datetime(2026, 10, 29, 9, tzinfo=dt.UTC)
    assert next_timer(record, INCIDENT, calendar=easter) == (due, "auto_close")


def test_without_a_calendar_it_waits_five_days():
    """Around the clock, in UTC."""
    assert next_timer(resolved_at(T), INCIDENT) == (T + 5 * DAY, "auto_close")


def test_what_happens_after_the_resolution_does_not_start_the_days_anew():
    """platforms.md 2.5, the documented trap: counted from *updated*, any monitor that touches it restarts."""
    record = resolved_at(T)
    later = said_to(record, T + 2 * DAY)
    for trigger, fields in [("note", {"text": "x"}), ("assign", {"group": "b"}), ("amend", {"category": "c"}),
                            ("link", {"relation": "child_of", "other": "INC-2"})]:  # fmt: skip
        later = after(later, fire(later, trigger, INCIDENT, at=T + 3 * DAY, fields=fields))
    assert later.version > record.version
    assert next_timer(later, INCIDENT) == next_timer(record, INCIDENT) == (T + 5 * DAY, "auto_close")


def test_resolving_again_starts_them_anew():
    """The promise to look is made once more."""
    record = resolved_at(T)
    open_again = after(record, fire(record, "reopen", INCIDENT, RITA, at=T + DAY))
    assert next_timer(open_again, INCIDENT) is None
    again = after(open_again, fire(open_again, "resolve", INCIDENT, at=T + 2 * DAY))
    assert next_timer(again, INCIDENT) == (T + 7 * DAY, "auto_close")


@pytest.mark.parametrize("mark", ["major", "security", "complaint"])
def test_nothing_delicate_closes_by_itself(mark):
    """iso-20000.md 5.3: never majors, complaints, security."""
    record = incident("resolved", **{mark: True})
    assert next_timer(record, INCIDENT) is None
    assert fire(record, "auto_close", INCIDENT, TIME).codes == ("takes_a_word",)


def test_people_do_not_fire_the_timer_and_see_no_button_for_it():
    """It is time's alone."""
    assert fire(incident("resolved"), "auto_close", INCIDENT, ANA).codes == ("timer",)
    assert "auto_close" not in {o.trigger for o in options(incident("resolved"), ANA, INCIDENT)}


# --- going on elsewhere, security ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("trigger", "field", "outcome"),
    [
        ("mark_duplicate", "duplicate_of", "duplicate"),
        ("merge", "merged_into", "merged"),
        ("retype", "successor", "retyped"),
    ],
)
def test_what_goes_on_elsewhere_names_the_other_record(trigger, field, outcome):
    """Another one, that is not closed; the outcome says which way it went."""
    fields = {**needed(INCIDENT, trigger, "new"), field: "X-2"}
    gone = after(incident(), fire(incident(), trigger, INCIDENT, fields=fields))
    assert (gone.phase, gone.outcome, gone.values[field]) == (Phase.CLOSED, outcome, "X-2")
    other = INCIDENT.record("X-2", "closed")
    assert fire(incident(), trigger, INCIDENT, fields=fields, related=(other,)).codes == ("successor_closed",)
    assert fire(incident(), trigger, INCIDENT, fields={**fields, field: "INC-1"}).codes == ("names_itself",)


def test_a_security_incident_is_restricted_and_walks_the_same_states():
    """iso-20000.md SEC-03, SEC-06."""
    record = after(None, opened(INCIDENT, security=True))
    assert record.restricted
    resolved = after(record, fire(record, "resolve", INCIDENT))
    assert after(resolved, fire(resolved, "close", INCIDENT)).state == "closed"
