"""What changes beside the state: who may, what it needs, and which event it makes."""

import datetime as dt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.actors import Actor, ActorKind
from itsm_core.commands import Command
from itsm_core.errors import InvalidValue
from itsm_core.events import UNCORRECTABLE, Communication, Phase
from itsm_core.lifecycle import Accepted, CustomField, Refused, decide
from itsm_core.lifecycle.beside import ANYBODY, BESIDE, BY_THE_LIBRARY, priority_fields
from itsm_core.lifecycle.fields import CHANGED_BY, MANAGED, OF_THE_STEP, STANDARD, TAKEN
from itsm_core.lifecycle.majors import MAJOR_COMMANDS
from itsm_core.priority import Level, Priority, matrix_3x3_p5
from itsm_core.records import Round, apply
from itsm_core.values import as_fields
from plain_incident import INCIDENT

T = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)
ROLES = ("agent", "manager", "automation", "customer", "itsm_core")
STAFF = {"agent", "manager", "automation"}
ANA = Actor.person("ana", "agent")
GIVEN = {
    "assign": {"group": "network"},
    "acknowledge": {},
    "reprioritise": {"impact": "high", "urgency": "high"},
    "communicate": {"text": "hello"},
    "receive": {"text": "hello", "message_id": "m1"},
    "note": {"text": "psst"},
    "link": {"relation": "duplicates", "other": "INC-2"},
    "correct": {"event": "e1", "field": "category", "was": "mail", "now": "web", "reason": "mistyped"},
    "restate": {"reason": "the log of the phone"},
    "claim_exception": {"exception": "maintenance", "reason": "CHG-7 was announced"},
    "justify_overrun": {"metric": "resolution", "reason": "She asked us to test it with her"},
    "amend": {"category": "web"},
    "waive": {
        "trigger": "close",
        "separate_from": "open",
        "reason": "Two of us",
        "until": "2024-03-01T00:00:00Z",
        "review": "in March",
    },
    "request_approval": {"rule": {"panels": []}},
    "vote": {"vote": "approve"},
    "snooze": {"until": "2024-02-05T12:00:00Z"},
    "escalate_now": {},
    "migrate_policy": {"escalation_policy": "night", "escalation_policy_version": 2, "reason": "it is night"},
    "escalate": {"key": "k1"},
    "pass_over": {"key": "k2", "why": "empty"},
    "resume_escalation": {"key": "k3", "why": "snooze_over"},
    "pin_policy": {"policy": "night", "policy_version": 1},
}
ASKING = attrs.evolve(
    INCIDENT, guards={"fine": lambda _: None}, beside={"request_approval": "fine", "vote": "fine"}
)
ROUND = Round(id="e2", opened_at=T, by="bo", rule={})

# fmt: off
TABLE = [
    # command,       event,           who may,       after closure, needs
    ("assign",       "assigned",      STAFF,         False, []),
    ("acknowledge",  "acknowledged",  STAFF,         False, []),
    ("reprioritise", "reprioritised", STAFF,         False, []),
    ("communicate",  "communicated",  STAFF,         True,  ["text"]),
    ("receive",      "communicated",  set(ROLES),    True,  ["message_id"]),
    ("note",         "noted",         STAFF,         True,  ["text"]),
    ("link",         "linked",        STAFF,         True,  ["relation", "other"]),
    ("correct",      "corrected",     STAFF,         True,  ["event", "field", "now", "reason"]),
    ("restate",      "restated",      {"manager"},   True,  ["reason"]),
    ("claim_exception", "exception_claimed", {"manager"}, True, ["exception", "reason"]),
    ("justify_overrun", "overrun_justified", {"manager"}, True, ["metric", "reason"]),
    ("amend",        "amended",      STAFF,         False, []),
    ("waive",        "waived",       {"manager"},   False,
     ["trigger", "separate_from", "reason", "until", "review"]),
    ("request_approval", "approval_requested", STAFF, False, ["rule"]),
    ("vote",         "voted",        set(ROLES),    False, ["vote"]),
    ("snooze",       "snoozed",       STAFF,         False, ["until"]),
    ("escalate_now", "escalation_requested", STAFF,  False, []),
    ("migrate_policy", "policy_migrated", {"manager", "automation"}, False,
     ["escalation_policy_version", "reason"]),
    ("escalate",     "escalated",     {"itsm_core"}, True,  ["key"]),
    ("pass_over",    "not_escalated", {"itsm_core"}, True,  ["key", "why"]),
    ("resume_escalation", "escalation_resumed", {"itsm_core"}, True, ["why"]),
    ("pin_policy",   "policy_pinned", {"itsm_core"}, True,  ["policy", "policy_version"]),
]
# fmt: on


MAY = dict.fromkeys(
    ("waive", "restate", "claim_exception", "justify_overrun", "migrate_policy"),
    Actor.person("ana", "manager"),
)


def row(state="new", **values):
    """A record for which an approval was requested."""
    record = INCIDENT.record("INC-1", state, version=3, requester="rita", **values)
    return attrs.evolve(record, rounds=(ROUND,))


def ask(trigger, /, actor=None, record=None, custom=(), lifecycle=ASKING, behalf=None, also=(), **fields):
    """The decision on a command with the fields that it needs."""
    held = {n: value for n, value in {**GIVEN[trigger], **fields, **dict(also)}.items() if value != "-"}
    who = actor or MAY.get(trigger, ANA)
    asked = Command(trigger, who, at=T, fields=held, id="c1", on_behalf_of=behalf)
    return decide(record or row(), asked, lifecycle, custom=custom)


def made(trigger, /, actor=None, record=None, **fields):
    """The event of a command that is accepted."""
    decision = ask(trigger, actor, record, **fields)
    assert isinstance(decision, Accepted), decision.reasons
    (event,) = decision.events
    return event


def test_every_command_beside_the_state_is_looked_at():
    """A new one needs a row in the table above; those of major incidents have one in major_commands.csv."""
    assert {trigger for trigger, *_ in TABLE} == set(BESIDE) - set(MAJOR_COMMANDS)


@pytest.mark.parametrize(("trigger", "kind", "roles", "closed", "needs"), TABLE)
def test_a_command_makes_its_event_for_those_who_may(trigger, kind, roles, closed, needs):
    """By role alone, whoever acts; with nobody's role only what anybody may."""
    for role in ROLES:
        decision = ask(trigger, Actor.person("ana", role))
        assert decision.accepted is (role in roles)
        if isinstance(decision, Refused):
            (reason,) = decision.reasons
            assert reason.code == "role"
            assert dict(reason.facts) == {
                "actor": "ana",
                "has": (role,),
                "allowed": tuple(sorted(roles)),
                "relation": (),
            }
    assert ask(trigger, Actor.person("rita")).accepted is (BESIDE[trigger].roles is ANYBODY)
    event = made(trigger, Actor.person("ana", *roles))
    assert (event.kind, event.id, event.seq, event.record) == (kind, "c1", 4, "INC-1")
    assert (event.from_state, event.to_state, event.lifecycle) == (None, None, "incident")


@pytest.mark.parametrize(("trigger", "kind", "roles", "closed", "needs"), TABLE)
def test_after_closure_one_may_only_talk_link_mend_and_escalate(trigger, kind, roles, closed, needs):
    """DESIGN rule 8: timers and communications may follow closure; work may not."""
    actor = Actor.person("ana", *ROLES)
    for state in INCIDENT.states:
        decision = ask(trigger, actor, row(state.id))
        assert decision.accepted is (closed or state.phase is not Phase.CLOSED)
        if isinstance(decision, Refused):
            assert decision.codes == ("wrong_state",)


@pytest.mark.parametrize(("trigger", "kind", "roles", "closed", "needs"), TABLE)
def test_what_a_command_needs_is_asked_for_by_name(trigger, kind, roles, closed, needs):
    """All of it at once; None and empty are missing."""
    actor = Actor.person("ana", *ROLES)
    assert needs == list(BESIDE[trigger].requires)
    for empty in ("-", None, ""):
        decision = ask(trigger, actor, **dict.fromkeys(needs, empty))
        missing = [r for r in getattr(decision, "reasons", ()) if r.code == "missing_field"]
        assert [dict(r.facts)["field"] for r in missing] == needs


@pytest.mark.parametrize("trigger", sorted(set(BESIDE) - {"communicate", "receive", *MAJOR_COMMANDS}))
def test_the_state_stays_as_it_is(trigger):
    """Nothing beside the state moves it, or stops a wait."""
    record = row("on_hold", hold_reason="supplier")
    after = apply(record, made(trigger, Actor.person("a", *ROLES), record))
    assert (after.state, after.phase, after.waits_on) == (record.state, record.phase, record.waits_on)
    assert after.version == 4


WHY = {"reason", "late_reason"}
WORDS = {"text", "text_ref", "text_digest", "message_id", "direction", "audience", "automatic", "promise_due"}
TAKES = {
    "assign": set(STANDARD),
    "acknowledge": WHY,
    "reprioritise": set(STANDARD),
    "communicate": WORDS | WHY,
    "receive": WORDS | WHY,
    "note": {"text", "text_ref"} | WHY,
    "link": {"relation", "other"} | WHY,
    "correct": {"event", "field", "was", "now"} | WHY,
    "restate": WHY,
    "claim_exception": {"exception", "metric", "since", "until"} | WHY,
    "justify_overrun": {"metric", "confirmation"} | WHY,
    "amend": set(STANDARD) - MANAGED,
    "waive": {"separate_from", "until", "review"} | WHY,
    "request_approval": {"rule"} | WHY,
    "vote": {"vote"} | WHY,
    "snooze": {"until"} | WHY,
    "escalate_now": {"escalation_step"} | WHY,
    "migrate_policy": {"escalation_policy", "escalation_policy_version", "escalation_mode"} | WHY,
}


@pytest.mark.parametrize("trigger", sorted(TAKES))
def test_a_command_takes_its_own_fields_and_no_others(trigger):
    """A field of another command is a mistake here, and says so."""
    for name in TAKEN - OF_THE_STEP:
        reasons = getattr(ask(trigger, Actor.person("a", *ROLES), **{name: None}), "reasons", ())
        unknown = [reason for reason in reasons if reason.code == "unknown_field"]
        remedy = f"{CHANGED_BY[name]} changes it" if name in CHANGED_BY else "leave it out"
        assert [reason.message for reason in unknown] == (
            [] if name in TAKES[trigger] else [f"{name} is not asked for here; {remedy}"]
        )


@pytest.mark.parametrize("trigger", sorted(TAKES))
def test_a_field_of_the_hosts_own_must_be_declared(trigger):
    """Nothing is stored that nobody declared; what is declared is kept, of its type, and marked."""
    assert ask(trigger, colour="red").codes == ("unknown_field",)
    colour = CustomField("colour", "text", personal=True)
    (event,) = ask(trigger, colour="red", custom=(colour,)).events
    assert event.fields["colour"] == "red"
    assert "colour" in event.personal
    assert ask(trigger, colour=5, custom=(colour,)).codes == ("invalid_field",)


@pytest.mark.parametrize("name", sorted(OF_THE_STEP))
@pytest.mark.parametrize("trigger", sorted(TAKES))
def test_what_a_step_does_cannot_be_said_beside_it(trigger, name):
    """Phase, wait, outcome and the like are written by the library."""
    expected = "invalid_field" if (trigger, name) == ("waive", "trigger") else "reserved_field"
    assert ask(trigger, also={name: "x"}).codes == (expected,)


def test_an_escalation_is_the_librarys_own():
    """No automation of the host may write one; its fields are those that the library gives."""
    for actor in (ANA, Actor.automation("bot", "automation"), Actor.person("m", "manager")):
        assert ask("escalate", actor).codes == ("role",)
    event = made("escalate", Actor.automation("itsm_core", "itsm_core"), step="s1", share="1/2")
    assert event.fields == {"key": "k1", "step": "s1", "share": "1/2"}


def test_a_record_is_not_linked_to_itself():
    """As its own task it could never close."""
    record = INCIDENT.record("INC-1")
    decision = decide(
        record, Command("link", ANA, at=T, fields={"relation": "task", "other": "INC-1"}), INCIDENT
    )
    assert decision.codes == ("invalid_field",)
    assert "is the record itself; name another record" in str(decision)


# --- assignment --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["group", "assignee", "owner"])
def test_an_assignment_names_a_group_a_person_or_an_owner(name):
    """One of the three is enough."""
    event = made("assign", **{"group": "-", name: "x"})
    assert event.fields == {name: "x"}
    assert getattr(apply(INCIDENT.record("X"), event), name) == "x"


def test_an_assignment_to_nobody_is_refused():
    """It would say nothing."""
    decision = ask("assign", group="-", category="mail")
    assert decision.codes == ("invalid_field",)
    assert "give a group, an assignee or an owner" in str(decision.reasons[0])


# fmt: off
MOVES = [
    # the record has,                        the command says,                       who has it then
    ({"group": "mail", "assignee": "ana"}, {"group": "network"},                     None),
    ({"assignee": "ana"},                  {"group": "network"},                     None),
    ({"group": "mail", "assignee": "ana"}, {"group": "network", "assignee": "bo"},   "bo"),
    ({"group": "mail", "assignee": "ana"}, {"group": "mail"},                        "ana"),
    ({"group": "mail", "assignee": "ana"}, {"group": None},                          "ana"),
    ({"group": "mail", "assignee": "ana"}, {"owner": "mia"},                         "ana"),
    ({"group": "mail"},                    {"group": "network"},                     None),
]
# fmt: on


@pytest.mark.parametrize(("held", "given", "assignee"), MOVES)
def test_another_group_takes_the_work_from_the_person(held, given, assignee):
    """It lies in the queue of the new group, unless somebody there is named; the owner stays."""
    record = INCIDENT.record("X", owner="olga", **held)
    event = made("assign", record=record, **{"group": "-", **given})
    taken = held.get("assignee") is not None and assignee is None
    assert event.fields == {**given, **({"assignee": None} if taken else {})}
    after = apply(record, event)
    assert (after.assignee, after.owner) == (assignee, given.get("owner", "olga"))


# --- priority ----------------------------------------------------------------------------------

LEVELS = st.sampled_from(Level)


@given(LEVELS, LEVELS)
def test_the_matrix_decides(impact, urgency):
    """Impact and urgency give the priority."""
    event = made("reprioritise", impact=impact, urgency=urgency)
    assert event.fields["priority"] == matrix_3x3_p5.priority(impact, urgency)


@given(LEVELS, LEVELS, LEVELS)
def test_what_is_not_said_is_as_it_was(impact, urgency, new):
    """A new urgency is judged with the impact that is known."""
    record = INCIDENT.record("X", impact=impact, urgency=urgency)
    event = made("reprioritise", record=record, impact="-", urgency=new)
    assert event.fields["priority"] == matrix_3x3_p5.priority(impact, new)
    assert event.fields["impact"] == impact


@given(LEVELS, LEVELS, st.sampled_from(Priority), st.booleans())
def test_another_priority_needs_a_reason(impact, urgency, priority, reasoned):
    """Whoever overrides the matrix says why; agreeing with it needs none."""
    reason = {"priority_reason": "VIP"} if reasoned else {}
    decision = ask("reprioritise", impact=impact, urgency=urgency, priority=priority, **reason)
    agrees = priority is matrix_3x3_p5.priority(impact, urgency)
    assert decision.accepted is (agrees or reasoned)
    if isinstance(decision, Refused):
        assert decision.codes == ("invalid_field",)
        assert "say why in priority_reason" in str(decision.reasons[0])


@pytest.mark.parametrize("fields", [{"priority": "P3"}, {"priority": "-"}], ids=["given", "ruled"])
def test_the_reason_of_an_override_ends_with_it(fields):
    """Who goes back to the matrix leaves no stale reason behind."""
    record = INCIDENT.record("X", impact="medium", urgency="medium", priority="P1", priority_reason="VIP")
    after = apply(record, made("reprioritise", record=record, impact="medium", urgency="-", **fields))
    assert (after.priority, after.priority_reason) == (Priority.P3, None)


@pytest.mark.parametrize(("one", "other"), [("impact", "urgency"), ("urgency", "impact")])
def test_a_level_alone_is_read_and_checked_too(one, other):
    """One of the two gives no priority, and is still a level."""
    event = made("reprioritise", **{one: "1 - High", other: "-"})
    assert event.fields == {one: "high"}
    assert ask("reprioritise", **{one: "huge", other: "-"}).codes == ("invalid_field",)


def test_a_priority_alone_needs_no_levels():
    """Where nobody said impact or urgency there is nothing to differ from."""
    event = made("reprioritise", impact="-", urgency="-", priority="2 - High")
    assert event.fields["priority"] == "P2"


def test_reprioritising_nothing_is_refused():
    """It would say nothing."""
    decision = ask("reprioritise", impact="-", urgency="-", priority_reason="VIP")
    assert decision.codes == ("invalid_field",)
    assert "give impact, urgency or priority" in str(decision.reasons[0])


def test_fields_without_a_grade_stay_as_they_are():
    """Nothing is added to a command that says nothing of priority."""
    record = INCIDENT.record("X", impact="low", urgency="low", priority="P1", priority_reason="VIP")
    assert priority_fields({"group": "a"}, matrix_3x3_p5, record) == {"group": "a"}
    with pytest.raises(InvalidValue, match="is no level"):
        priority_fields({"impact": "x"}, matrix_3x3_p5)


# --- words -------------------------------------------------------------------------------------


def test_words_go_out_to_the_requester_unless_said_otherwise():
    """The common case needs one field."""
    said = Communication.of(made("communicate"))
    assert (said.direction, said.audience, said.text, said.automatic) == (
        "outbound",
        "requester",
        "hello",
        False,
    )
    assert said.answers
    # printf '"hello"' | sha256sum
    assert said.text_digest == "5aa762ae383fbb727af3c7a36d4940a5b8c40a989452d2304fc958ff3f354e7a"


@pytest.mark.parametrize("audience", ["requester", "internal", "management", "public"])
@pytest.mark.parametrize("direction", ["inbound", "outbound"])
def test_words_may_be_for_anybody(direction, audience):
    """As given."""
    said = Communication.of(made("communicate", direction=direction, audience=audience))
    assert (said.direction, said.audience) == (direction, audience)


@pytest.mark.parametrize("trigger", ["communicate", "receive"])
def test_words_for_nobody_we_know_are_refused(trigger):
    """Refused with reasons, not raised: nothing is stored that clocks could not read."""
    decision = ask(trigger, direction="up", audience="everybody", promise_due="soon")
    assert decision.codes == ("invalid_field",) * 3
    assert [str(reason) for reason in decision.reasons] == [
        "direction is 'up'; use one of inbound, outbound",
        "audience is 'everybody'; use one of requester, internal, management, public",
        "promise_due is 'soon'; it takes an aware datetime",
    ]


def test_an_unknown_direction_is_the_usual_one():
    """None says nothing, here as elsewhere."""
    assert made("communicate", direction=None, audience=None) == made("communicate")


@pytest.mark.parametrize("audience", ["-", None, "requester", "internal", "management", "public"])
def test_words_to_a_requester_need_one(audience):
    """Or nobody would hear the answer that stops the clock."""
    decision = ask("communicate", record=INCIDENT.record("X"), audience=audience)
    to_nobody = audience in ("-", None, "requester")
    assert decision.accepted is not to_nobody
    if to_nobody:
        assert decision.codes == ("invalid_field",)
        assert decision.reasons[0].message.endswith('the record names no requester; say audience="public"')
    assert ask("receive", record=INCIDENT.record("X"), audience=audience).accepted


@pytest.mark.parametrize(("ahead", "fine"), [(-60, False), (0, False), (60, True)])
@pytest.mark.parametrize("trigger", ["communicate", "receive"])
def test_a_promise_lies_ahead(trigger, ahead, fine):
    """Nobody promises what was due already; nor for this very instant."""
    due = T + dt.timedelta(seconds=ahead)
    decision = ask(trigger, promise_due=due)
    assert decision.accepted is fine
    if not fine:
        (reason,) = decision.reasons
        assert (reason.code, dict(reason.facts)) == ("invalid_field", {"field": "promise_due"})
        assert reason.message.endswith("which does not lie after 2024-02-05T09:00:00+00:00")


def test_a_promise_is_kept_as_an_instant():
    """Text or datetime in, canonical text out."""
    for due in ("2024-02-05T18:00:00+08:00", T.replace(hour=10)):
        event = made("communicate", promise_due=due)
        assert event.fields["promise_due"] == "2024-02-05T10:00:00.000000Z"
        assert Communication.of(event).promise_due == T.replace(hour=10)


def test_a_digest_that_the_host_took_is_kept():
    """The host may hash its own way, and may keep the words to itself when receiving."""
    assert made("communicate", text_digest="abc").fields["text_digest"] == "abc"
    assert "text_digest" not in made("receive", text="-").fields


@pytest.mark.parametrize("kind", ActorKind)
def test_machines_speak_automatically(kind):
    """A reply of an automation or of monitoring answers nobody, whatever it claims."""
    actor = Actor("x", kind, roles=ROLES, model="m", version="1")
    assert Communication.of(made("communicate", actor)).automatic is (kind in ("automation", "monitoring"))
    assert Communication.of(made("communicate", actor, automatic=True)).automatic
    assert Communication.of(made("communicate", actor, automatic=False)).automatic is (
        kind in ("automation", "monitoring")
    )


@pytest.mark.parametrize("claimed", ["-", "outbound", "inbound"])
def test_what_is_received_came_in_whatever_it_claims(claimed):
    """Anybody may receive, so nobody can stop the response clock by it."""
    said = Communication.of(made("receive", Actor.person("rita"), direction=claimed))
    assert said.direction == "inbound"
    assert not said.answers
    assert said.message_id == "m1"


def test_words_are_personal():
    """Text and digest are marked, so that both can be sealed and erased."""
    for trigger in ("communicate", "receive", "note"):
        assert "text" in made(trigger).personal
    assert "text_digest" in made("communicate").personal


# --- corrections -------------------------------------------------------------------------------


@pytest.mark.parametrize("field", sorted(UNCORRECTABLE))
def test_what_a_step_did_is_not_corrected(field):
    """Undo it by a command; nor may a correction be pointed at it afterwards."""
    assert ask("correct", field=field).codes == ("invalid_field",)
    assert ask("correct", field="field", now=field).codes == ("invalid_field",)


@pytest.mark.parametrize(
    "field", ["impact", "urgency", "priority", "hold_reason", "look_again_at", "agreement"]
)
def test_what_clocks_run_by_is_not_corrected(field):
    """Values of their type, and refused all the same: the agreement in words, the rest by commands."""
    now = {"priority": "P1", "look_again_at": "2024-03-01T00:00:00Z", "hold_reason": "supplier"}
    decision = ask("correct", field=field, now=now.get(field, "high"))
    (reason,) = decision.reasons
    assert "undo a step by a command, a priority by reprioritise" in reason.message


# fmt: off
MENDS = [
    # the field,            what fits it,               what does not
    ("title",               "Mail is down",             5),
    ("configuration_items", ["mx1"],                    "mx1"),
    ("restricted",          True,                       "yes"),
    ("affected",            40,                         None),
    ("direction",           "inbound",                  "sideways"),
    ("audience",            "public",                   "everybody"),
    ("promise_due",         "2024-02-05T18:00:00Z",     "soon"),
    ("text_digest",         "abc",                      7),
    ("automatic",           True,                       "no"),
    ("relation",            "duplicates",               ["duplicates"]),
    ("badge",               4711,                       "4711"),
    ("step",                "anything",                 None),
]
# fmt: on


@pytest.mark.parametrize(("field", "fitting", "wrong"), MENDS)
def test_a_correction_is_judged_as_the_field_that_it_mends(field, fitting, wrong):
    """Otherwise a history could be corrected into what no command may say."""
    custom = (CustomField("badge", "number", personal=True),)
    assert ask("correct", field=field, now=fitting, custom=custom).accepted
    if wrong is not None:
        decision = ask("correct", field=field, now=wrong, custom=custom)
        assert decision.codes == ("invalid_field",)
        assert dict(decision.reasons[0].facts)["field"] == field


def test_what_a_correction_is_about_is_named_in_words():
    """A field without a name is refused, not raised."""
    assert ask("correct", field=["title"]).codes == ("invalid_field",)


@pytest.mark.parametrize(
    ("now", "fine"),
    [("2024-02-05T08:00:00Z", True), ("yesterday", False), (5, False), ("9999-12-31T23:59:59Z", False)],
)
def test_a_corrected_instant_is_an_instant(now, fine):
    """Or the history could not be read any more."""
    assert ask("correct", field="occurred_at", now=now).accepted is fine


@pytest.mark.parametrize(
    ("field", "hidden"), [("title", True), ("badge", True), ("reason", True), ("category", False)]
)
def test_a_correction_is_as_personal_as_what_it_corrects(field, hidden):
    """What was and what is now are hidden, sealed and erased like the field itself."""
    fields = {**GIVEN["correct"], "field": field, "was": "Rita's mail", "now": "Rita's web"}
    record = INCIDENT.record("X")
    asked = Command("correct", ANA, at=T, fields=fields)
    decision = decide(record, asked, INCIDENT, custom=(CustomField("badge", "text", personal=True),))
    (event,) = decision.events
    assert ({"was", "now"} <= event.personal.keys()) is hidden
    assert ("Rita" in repr(event)) is not hidden
    if hidden:
        sealed = event.sealed(lambda: "s4lt")
        assert sealed.erase("was", "now").digest == sealed.digest


def test_the_record_of_a_row_is_judged_as_it_is():
    """A record that a host made of its own row needs no history."""
    record = attrs.evolve(INCIDENT.record("X", "resolved"), opened_at=None)
    assert ask("note", record=record).accepted


@pytest.mark.parametrize(
    ("trigger", "fields"),
    [
        ("note", {"text": 5}),
        ("acknowledge", {"reason": 5}),
        ("communicate", {"text": "x", "automatic": "no"}),
        ("link", {"relation": ["a"], "other": "B"}),
        ("receive", {"message_id": 7}),
        ("correct", {"event": "e", "field": "text", "now": "x", "reason": 1}),
        ("amend", {"category": 5}),
        ("amend", {"security": "yes"}),
        ("waive", {"review": 5}),
        ("waive", {"reason": ["x"]}),
        ("claim_exception", {"exception": 5}),
        ("claim_exception", {"since": "noon"}),
        ("claim_exception", {"until": "2024-02-05"}),
        ("justify_overrun", {"confirmation": ["m1"]}),
        ("vote", {"reason": 5}),
        ("request_approval", {"late_reason": True}),
    ],
)
def test_what_is_said_is_of_its_type(trigger, fields):
    """A number is no text and "no" is no flag."""
    assert ask(trigger, **fields).codes == ("invalid_field",)


# --- amendments --------------------------------------------------------------------------------

MANAGED_ELSEWHERE = {
    *("impact", "urgency", "priority", "priority_reason"),  # reprioritise
    *("owner", "group", "assignee"),  # assign
    *("hold_reason", "look_again_at", "resolution_outcome", "resolution_notes", "closure_code"),  # a step
    *("message", "messages", "channel", "tenant", "number"),  # said once, at the beginning
}


def test_what_other_commands_change_is_not_amended():
    """One way for each fact, so that nothing slips past the rules of the other."""
    assert MANAGED == MANAGED_ELSEWHERE
    for name in MANAGED_ELSEWHERE:
        assert ask("amend", **{name: None}).codes == ("unknown_field",)


def test_an_amendment_changes_what_it_names():
    """And nothing else; what it sets to None is not known any more."""
    record = row(category="mail", service="mail", description="slow")
    after = apply(record, made("amend", record=record, category="web", service=None))
    assert (after.category, after.service, after.values["description"]) == ("web", None, "slow")


@pytest.mark.parametrize("fields", [{}, {"reason": "tidying"}, {"late_reason": "I was away"}])
def test_an_amendment_of_nothing_is_refused(fields):
    """It would say nothing; why alone is nothing."""
    decision = ask("amend", category="-", **fields)
    assert decision.codes == ("invalid_field",)
    assert "give the fields to change" in str(decision.reasons[0])


def test_an_amendment_takes_fields_that_the_lifecycle_declares():
    """Of their type, and personal where they were declared so."""
    fields = (CustomField("risk", "text"), CustomField("phone", "text", personal=True))
    own = attrs.evolve(ASKING, fields=fields)
    event = made("amend", lifecycle=own, risk="high", phone="4711")
    assert (event.fields["risk"], dict(event.personal)) == ("high", {"phone": ""})
    assert ask("amend", lifecycle=own, risk=5).codes == ("invalid_field",)
    assert ask("amend", risk="high").codes == ("unknown_field",)


# fmt: off
SECURITY = [
    # the command says,                          the event says of `restricted`
    ({"security": True},                         True),
    ({"security": True, "restricted": None},     True),   # an empty box of a form
    ({"security": True, "restricted": False},    False),
    ({"security": True, "restricted": True},     True),
    ({"security": False},                        "-"),
    ({"security": None},                         "-"),
    ({"category": "web"},                        "-"),
    ({"restricted": True},                       True),
]
# fmt: on


@pytest.mark.parametrize(("fields", "restricted"), SECURITY)
def test_what_is_about_security_becomes_restricted_unless_they_say_otherwise(fields, restricted):
    """Amended, opened or moved: the event itself says so."""
    assert made("amend", **{"category": "-", **fields}).fields.get("restricted", "-") == restricted
    opening = Command("open", ANA, at=T, fields={"record": "X", "title": "x", **fields})
    step = Command("start", ANA, at=T, fields=fields)
    for record, asked in ((None, opening), (row(), step)):
        (event,) = decide(record, asked, INCIDENT).events
        assert event.fields.get("restricted", "-") == restricted


# --- waivers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["trigger", "separate_from"])
def test_a_waiver_names_triggers_that_are_there(name):
    """A misspelt one would set nothing aside, and everybody would think it did."""
    decision = ask("waive", **{name: "clsoe"})
    (reason,) = decision.reasons
    assert reason.code == "invalid_field"
    assert reason.message == f"{name} is 'clsoe', which is no trigger; did you mean close?"
    facts = dict(reason.facts)
    assert (facts["field"], facts["value"]) == (name, "clsoe")
    known = {*INCIDENT.by_trigger, *BESIDE} - BY_THE_LIBRARY
    assert set(facts["allowed"]) == (known if name == "trigger" else {*known, "open"})
    (reason,) = ask("waive", **{name: "zzz"}).reasons
    assert f"{name} is 'zzz', which is no trigger; use one of " in reason.message
    assert ask("waive", **{name: "vote"}).accepted
    assert ask("waive", **{name: 5}).codes == ("invalid_field",)


def test_nobody_is_kept_apart_from_an_opening_that_was():
    """The opening comes first; there is nothing to waive for it."""
    assert ask("waive", trigger="open", separate_from="close").codes == ("invalid_field",)


def test_a_trigger_is_not_kept_apart_from_itself():
    """Two names are needed."""
    decision = ask("waive", trigger="close", separate_from="close")
    assert decision.codes == ("invalid_field",)
    assert "name two triggers" in str(decision.reasons[0])


@pytest.mark.parametrize(("ahead", "fine"), [(-60, False), (0, False), (60, True)])
def test_a_waiver_ends_later(ahead, fine):
    """One that has ended waives nothing."""
    decision = ask("waive", until=T + dt.timedelta(seconds=ahead))
    assert decision.accepted is fine
    if not fine:
        assert dict(decision.reasons[0].facts) == {"field": "until"}


@pytest.mark.parametrize("until", ["soon", "2024-03-01T00:00:00", "9999-12-31T23:00:00Z", 5])
def test_the_end_of_a_waiver_is_an_instant(until):
    """Or the record could not be read any more."""
    assert ask("waive", until=until).codes == ("invalid_field",)


def test_a_waiver_is_on_the_record():
    """By whom, why, until when, and what makes up for it; why is personal, as free texts are."""
    record = row()
    event = made("waive", Actor.person("mia", "manager"), record)
    (waiver,) = apply(record, event).waivers
    assert (waiver.by, waiver.at, waiver.until) == ("mia", T, T.replace(month=3, day=1, hour=0))
    assert (waiver.reason, waiver.review) == ("Two of us", "in March")
    assert event.personal == {"reason": ""}


# --- approvals ---------------------------------------------------------------------------------


def test_a_lifecycle_without_guards_for_approvals_takes_none():
    """Nobody would look at the rule or at the votes; the refusal says what to do."""
    for trigger in ("request_approval", "vote"):
        (reason,) = ask(trigger, lifecycle=INCIDENT).reasons
        assert (reason.code, dict(reason.facts)) == ("no_approvals", {"lifecycle": "incident"})
        assert reason.message == (
            "incident 1 asks for no approval; name guards for it: "
            'beside={"request_approval": ..., "vote": ...}'
        )


@pytest.mark.parametrize(
    "rule", ["two of three", 5, ["a"], {"material": "impact"}, {"material": [5]}, {"material": {"a": 1}}]
)
def test_a_rule_is_plain_data_that_the_fold_can_read(rule):
    """Whether it is a good one is for the guard to say."""
    assert ask("request_approval", rule=rule).codes == ("invalid_field",)


@pytest.mark.parametrize("rule", [{}, {"material": None}, {"material": []}, {"material": ["impact"]}])
def test_a_rule_may_name_material_fields(rule):
    """Or none."""
    record = row()
    after = apply(record, made("request_approval", record=record, rule=rule))
    assert after.round.rule == as_fields(rule)
    assert after.rounds[0].ended == "replaced"


@pytest.mark.parametrize("choice", ["approve", "reject", "abstain"])
def test_a_vote_goes_to_the_round_that_is_open(choice):
    """Whoever casts it for somebody says so; the round is not theirs to choose."""
    record = row()
    after = apply(record, made("vote", record=record, vote=choice, behalf="carl"))
    (vote,) = after.round.votes
    assert (vote.voter, vote.choice, vote.at, vote.on_behalf_of) == ("ana", choice, T, "carl")
    assert ask("vote", round="e9").codes == ("reserved_field",)


@pytest.mark.parametrize("choice", ["yes", "Approve", "approve ", ("approve",)])
def test_a_vote_is_one_of_three(choice):
    """The refusal names them."""
    (reason,) = ask("vote", vote=choice).reasons
    assert reason.code == "invalid_field"
    if isinstance(choice, str):
        assert reason.message.endswith("use one of approve, reject, abstain")


@pytest.mark.parametrize("ended", [None, "edited", "revised"])
def test_without_an_open_round_nobody_votes(ended):
    """Whether nobody asked, or something ended what was asked."""
    record = row()
    rounds = () if ended is None else (attrs.evolve(record.round, ended=ended, ended_at=T),)
    (reason,) = ask("vote", record=attrs.evolve(record, rounds=rounds)).reasons
    assert reason.code == "no_round"
    assert reason.message == "there is no round to vote in; request an approval first"


CHANGERS = ("request_approval", "vote", "amend", "assign", "reprioritise", "correct")


@pytest.mark.parametrize("trigger", CHANGERS)
def test_nobody_votes_before_it_was_asked_or_changes_what_is_voted_on(trigger):
    """Folded in its place in time a vote would find no round, and a change would seem to be approved."""
    record = row()
    early = attrs.evolve(record.round, opened_at=T + dt.timedelta(microseconds=1))
    (reason,) = ask(trigger, record=attrs.evolve(record, rounds=(early,))).reasons
    assert reason.code == "out_of_order"
    assert reason.message == (
        "2024-02-05T09:00:00+00:00 lies before approval was requested "
        f"(2024-02-05T09:00:00.000001+00:00); {trigger} comes after that"
    )
    ended = attrs.evolve(early, ended="edited", ended_at=T)
    assert "out_of_order" in ask(trigger, record=attrs.evolve(record, rounds=(ended,))).codes
    now = attrs.evolve(record.round, opened_at=T)
    assert ask(trigger, record=attrs.evolve(record, rounds=(now,))).accepted


@pytest.mark.parametrize("trigger", sorted(set(GIVEN) - {*CHANGERS, *BY_THE_LIBRARY}))
def test_words_may_be_about_the_time_before_approval_was_requested(trigger):
    """They change nothing that is voted on."""
    record = row()
    early = attrs.evolve(record.round, opened_at=T + dt.timedelta(hours=1))
    assert ask(trigger, record=attrs.evolve(record, rounds=(early,))).accepted


# --- guards beside the state -------------------------------------------------------------------


def test_a_command_beside_the_state_may_have_guards():
    """They look at the same situation as those of transitions, and all speak at once."""
    seen = []

    def look(situation):
        seen.append(situation)
        return "not on a Monday"

    own = attrs.evolve(INCIDENT, guards={"look": look, "no": lambda _: "not for them"},
                       beside={"note": ("look", "no")})  # fmt: skip
    record, friend = row(), INCIDENT.record("CHG-1")
    asked = Command("note", ANA, at=T, fields={"text": "psst"})
    decision = decide(record, asked, own, related=(friend,))
    assert [(reason.code, reason.message) for reason in decision.reasons] == [
        ("guard", "not on a Monday"),
        ("guard", "not for them"),
    ]
    (situation,) = seen
    assert (situation.record, situation.actor, situation.trigger, situation.at) == (record, ANA, "note", T)
    assert (situation.fields, situation.related, situation.calendar) == ({"text": "psst"}, (friend,), None)
    assert ask("acknowledge", lifecycle=own).accepted


@pytest.mark.parametrize("trigger", sorted(set(BESIDE) - {"escalate"}))
def test_a_guard_speaks_beside_the_other_reasons(trigger):
    """With role, missing fields and the closed record, in one answer."""
    own = attrs.evolve(INCIDENT, guards={"no": lambda _: "no"}, beside={trigger: "no"})
    closed = INCIDENT.record("X", "closed")
    decision = decide(closed, Command(trigger, Actor.person("eve"), at=T), own)
    row = BESIDE[trigger]
    assert ("role" in decision.codes) is (row.roles is not ANYBODY)
    assert ("wrong_state" in decision.codes) is not row.when_closed
    needs = bool(row.requires) or trigger == "assess_major"  # which needs one of two fields
    assert ("missing_field" in decision.codes) is needs
    assert decision.codes.count("guard") == 1


# --- claims and justifications -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "until", "fine"), [(-60, 60, True), (-60, -30, True), (0, 0, False), (60, 0, False)]
)
def test_the_stretch_of_a_claim_has_a_beginning_before_its_end(since, until, fine):
    """It may lie in the past, as what is claimed mostly does."""
    ends = {"since": T + dt.timedelta(minutes=since), "until": T + dt.timedelta(minutes=until)}
    decision = ask("claim_exception", **ends)
    assert decision.accepted is fine
    if not fine:
        assert "does not lie after since" in str(decision.reasons[0])
    assert ask("claim_exception", since=ends["since"]).accepted
    assert ask("claim_exception", until=ends["until"]).accepted


def test_the_empty_boxes_of_a_form_claim_and_confirm_nothing():
    """They are left out, so that no reader takes them for a name."""
    assert made("claim_exception", metric="", since=None).fields == GIVEN["claim_exception"]
    assert made("justify_overrun", confirmation="").fields == GIVEN["justify_overrun"]


@pytest.mark.parametrize("trigger", ["claim_exception", "justify_overrun"])
def test_why_an_overrun_is_excused_is_personal(trigger):
    """As every free text is."""
    assert made(trigger).personal == {"reason": ""}


@pytest.mark.parametrize("field", ["exception", "metric", "since", "until", "confirmation"])
def test_what_a_manager_claimed_is_corrected_by_nobody(field):
    """Any agent may correct, and only a manager may claim: who was wrong claims once more."""
    assert ask("correct", field=field, now="2024-02-05T08:00:00Z").codes == ("invalid_field",)
