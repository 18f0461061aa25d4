"""The one door: what is accepted, what is refused and why, and that buttons tell the truth."""

import copy
import datetime as dt
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from itsm_core.actors import Actor, ActorKind
from itsm_core.business_time import hours
from itsm_core.commands import Command
from itsm_core.events import Audience, Communication, Direction, Phase, WaitsOn
from itsm_core.lifecycle import (
    Accepted,
    CustomField,
    Lifecycle,
    Need,
    Refused,
    State,
    Transition,
    decide,
    options,
)
from itsm_core.lifecycle.beside import BESIDE, BY_THE_LIBRARY
from itsm_core.lifecycle.fields import OF_THE_STEP, STANDARD
from itsm_core.lifecycle.machine import destination
from itsm_core.lifecycle.majors import MAJOR_COMMANDS
from itsm_core.priority import matrix_3x3_p4
from itsm_core.records import apply, fold, follows
from plain_incident import INCIDENT

T = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
TICK = dt.timedelta(microseconds=1)
ANA = Actor.person("ana", "agent")
RITA = Actor.person("rita")
LATER = "2024-03-01T00:00:00Z"
GIVEN = {  # a good value for each field that some transition of the incident requires
    "hold_reason": "supplier",
    "message": "We wait for a part",
    "look_again_at": LATER,
    "resolution_outcome": "fixed_permanent",
    "resolution_notes": "Changed the fuse",
    "closure_code": "user_confirmed",
    "reason": "Works again",
}


def needed(trigger, lifecycle=INCIDENT):
    """All fields that a trigger requires."""
    return {need.field: GIVEN[need.field] for need in lifecycle.by_trigger[trigger][0].requires}


def command(trigger, actor=ANA, *, at=T, **more):
    """A command with the fields that it needs, and `fields` on top."""
    held = needed(trigger) if trigger in INCIDENT.by_trigger else {}
    return Command(trigger, actor, at=at, fields={**held, **more.pop("fields", {})}, **more)


def opening(actor=ANA, *, at=T, **more):
    """A command that opens INC-1."""
    fields = {"record": "INC-1", "title": "Mail is down", **more.pop("fields", {})}
    return Command("open", actor, at=at, fields=fields, **more)


def accepted(record, asked, lifecycle=INCIDENT, **more):
    """The events of a command that is accepted."""
    decision = decide(record, asked, lifecycle, **more)
    assert isinstance(decision, Accepted), decision.reasons
    assert decision.accepted is True
    return decision.events


def refused(record, asked, lifecycle=INCIDENT, **more):
    """The codes of a command that is refused."""
    decision = decide(record, asked, lifecycle, **more)
    assert isinstance(decision, Refused), decision.events
    assert decision.accepted is False
    assert decision.codes == tuple(reason.code for reason in decision.reasons)
    return set(decision.codes)


# --- buttons tell the truth --------------------------------------------------------------------

STATES = st.sampled_from(sorted(INCIDENT.by_id))
TRIGGERS = st.sampled_from(sorted(INCIDENT.by_trigger))
WHO = st.builds(
    Actor,
    st.sampled_from(["ana", "rita"]),
    st.sampled_from(ActorKind),
    roles=st.frozensets(st.sampled_from(["agent", "manager", "automation", "customer"])),
    model=st.just("m"),
    version=st.just("1"),
)
RECORDS = st.builds(
    INCIDENT.record,
    st.just("INC-1"),
    STATES,
    version=st.integers(0, 3),
    requester=st.sampled_from([None, "rita"]),
    assignee=st.sampled_from([None, "ana", "rita"]),
    hold_reason=st.sampled_from([None, "supplier"]),
)


@given(RECORDS, WHO)
def test_a_button_is_enabled_iff_the_command_is_accepted(record, actor):
    """Given all required fields, `options` and `decide` say the same, and lead to the same state."""
    for option in options(record, actor, INCIDENT):
        decision = decide(record, command(option.trigger, actor), INCIDENT)
        assert decision.accepted is option.enabled
        if isinstance(decision, Accepted):
            assert decision.reasons == ()
            assert str(decision).startswith("accepted: ")
            assert decision.events[-1].to_state == option.destination
            assert option.reasons == ()
        else:
            assert decision.events == ()
            assert option.reasons == decision.reasons
            assert str(decision) == "refused: " + "; ".join(reason.message for reason in option.reasons)


@given(RECORDS, WHO, TRIGGERS)
def test_a_command_is_accepted_iff_it_leads_out_and_the_actor_may(record, actor, trigger):
    """The definition alone says so: an edge from the state, and a role or a relation."""
    (row,) = INCIDENT.by_trigger[trigger]
    leads_out = record.state in row.sources
    may = row.roles & actor.roles or any(record.values.get(name) == actor.id for name in row.relation)
    decision = decide(record, command(trigger, actor), INCIDENT)
    assert decision.accepted is bool(leads_out and may)
    found = set(getattr(decision, "codes", ()))
    assert ("wrong_state" in found, "role" in found) == (not leads_out, not may)
    assert found <= {"wrong_state", "role"}


@given(RECORDS, WHO, TRIGGERS, st.sets(st.sampled_from(sorted(GIVEN))))
def test_a_decision_changes_nothing(record, actor, trigger, left_out):
    """Accepted or refused, record and command are as before, and asking again answers the same."""
    fields = {name: value for name, value in needed(trigger).items() if name not in left_out}
    asked = Command(trigger, actor, at=T, fields=fields)
    before = copy.deepcopy((record, asked))
    first = decide(record, asked, INCIDENT)
    assert decide(record, asked, INCIDENT) == first
    assert (record, asked) == before


def test_a_button_says_what_it_is_called_where_it_leads_and_what_it_needs():
    """In the language asked for; disabled ones say why not."""
    found = {
        option.trigger: option
        for option in options(INCIDENT.record("X", "on_hold"), ANA, INCIDENT, lang="zh")
    }
    assert list(found) == list(INCIDENT.by_trigger)
    resolve = found["resolve"]
    assert (resolve.label, resolve.enabled, resolve.destination) == ("解决", True, "resolved")
    assert [need.field for need in resolve.needs] == ["resolution_outcome", "resolution_notes"]
    close = found["close"]
    assert (close.enabled, close.destination) == (False, None)
    assert [reason.code for reason in close.reasons] == ["wrong_state"]
    assert close.reasons[0].message == (
        "close does not lead out of on_hold; from there: hold, resume, requeue, resolve, cancel"
    )


def test_no_button_works_for_a_record_of_another_lifecycle_version():
    """Neither does the command: both say `wrong_lifecycle`."""
    record, newer = INCIDENT.record("X"), attrs.evolve(INCIDENT, version=2)
    assert refused(record, command("start"), newer) == {"wrong_lifecycle"}
    for option in options(record, ANA, newer):
        assert not option.enabled
        assert "wrong_lifecycle" in [reason.code for reason in option.reasons]


# --- all reasons at once -----------------------------------------------------------------------


def test_a_refusal_lists_every_reason_at_once():
    """One answer, and nobody has to try again and again."""
    record = attrs.evolve(INCIDENT.record("X", "closed", version=5), entered_at=T, opened_at=T)
    asked = Command(
        "hold", RITA, at=T - HOUR, recorded_at=T + HOUR, expected=3,
        fields={"hold_reason": "weather", "look_again_at": T - 2 * HOUR, "colour": "red", "phase": "new",
                "priority": "P9"},
    )  # fmt: skip
    decision = decide(record, asked, attrs.evolve(INCIDENT, version=2))
    assert sorted(decision.codes) == sorted(
        ["late", "stale_version", "wrong_lifecycle", "before_opening", "wrong_state", "role", "missing_field",
         "invalid_field", "invalid_field", "unknown_field", "unknown_field", "reserved_field", "out_of_order"]
    )  # fmt: skip
    fields = [dict(r.facts)["field"] for r in decision.reasons if "field" in dict(r.facts)]
    assert sorted(fields) == ["colour", "hold_reason", "look_again_at", "message", "phase", "priority"]


@pytest.mark.parametrize("trigger", ["open", "start", "assign", "reprioritise"])
def test_every_wrong_grade_is_named_once_with_its_choices(trigger):
    """All of them in one answer, and the matrix is asked only when it could answer."""
    wrong = {"impact": "huge", "urgency": "very", "priority": "P9"}
    asked = opening(fields=wrong) if trigger == "open" else command(trigger, fields={"group": "a", **wrong})
    decision = decide(None if trigger == "open" else INCIDENT.record("X"), asked, INCIDENT)
    assert [(reason.code, reason.message) for reason in decision.reasons] == [
        ("invalid_field", 'impact is \'huge\'; use "high", "medium" or "low"'),
        ("invalid_field", 'urgency is \'very\'; use "high", "medium" or "low"'),
        ("invalid_field", "priority is 'P9'; use one of P1, P2, P3, P4, P5"),
    ]


def test_a_refusal_does_not_quote_what_somebody_said():
    """It is logged and shown to others, also where a host's lifecycle gives choices for the words."""
    said = {"title": ["Rita lost it"], "requester": 7, "badge": "4711"}
    decision = decide(None, opening(fields=said), INCIDENT, custom=(BADGE,))
    assert [str(reason) for reason in decision.reasons] == [
        "title takes text",
        "requester takes text",
        "badge takes a whole number",
    ]
    need = Need("reason", "a rule of the host", one_of=("moved", "left"))
    rows = tuple(attrs.evolve(t, requires=(need,)) if t.trigger == "park" else t for t in OTHER.transitions)
    other = attrs.evolve(OTHER, transitions=rows)
    asked = Command("park", ANA, at=T, fields={"reason": "Rita is ill"})
    (reason,) = decide(other.record("X"), asked, other).reasons
    assert reason.message == "reason takes one of moved, left"
    assert dict(reason.facts) == {"field": "reason", "value": None, "allowed": ("moved", "left")}


@pytest.mark.parametrize("trigger", sorted(INCIDENT.by_trigger))
@pytest.mark.parametrize("empty", [None, ""], ids=["none", "empty"])
def test_every_required_field_that_is_missing_is_named(trigger, empty):
    """Left out, None or empty is missing; each gets a reason of its own."""
    row = INCIDENT.by_trigger[trigger][0]
    names = [need.field for need in row.requires]
    record = INCIDENT.record("X", row.sources[0])
    for fields in ({}, dict.fromkeys(names, empty)):
        decision = decide(record, Command(trigger, ANA, at=T, fields=fields), INCIDENT)
        reasons = getattr(decision, "reasons", ())
        missing = [reason for reason in reasons if reason.code == "missing_field"]
        assert [dict(reason.facts) for reason in missing] == [
            {"field": need.field, "allowed": need.one_of, "clause": need.clause} for need in row.requires
        ]


def test_a_required_field_that_is_missing_comes_with_its_choices_or_its_label():
    """A form can be made of the refusal."""
    waits = "requester, customer_approver, supplier, problem, change, internal, schedule"
    decision = decide(INCIDENT.record("X"), Command("hold", ANA, at=T), INCIDENT)
    assert [str(reason) for reason in decision.reasons] == [
        f"hold needs the field 'hold_reason': one of {waits}",
        "hold needs the field 'message' (words to the requester)",
        "hold needs the field 'look_again_at'",
    ]
    assert dict(decision.reasons[1].facts) == {
        "field": "message",
        "allowed": (),
        "clause": "ISO/IEC 20000-1 8.6.1: the requester is kept informed",
    }


@pytest.mark.parametrize("name", ["hold_reason", "resolution_outcome", "closure_code"])
def test_a_value_that_is_none_of_the_choices_is_refused_with_the_choices(name):
    """The facts hold what would have been allowed."""
    trigger, state = {
        "hold_reason": ("hold", "new"),
        "resolution_outcome": ("resolve", "new"),
        "closure_code": ("close", "resolved"),
    }[name]
    decision = decide(INCIDENT.record("X", state), command(trigger, fields={name: "weather"}), INCIDENT)
    (reason,) = decision.reasons
    (need,) = [need for need in INCIDENT.by_trigger[trigger][0].requires if need.field == name]
    assert reason.code == "invalid_field"
    assert dict(reason.facts) == {"field": name, "value": "weather", "allowed": need.one_of}
    assert reason.message == f"{name} is 'weather'; use one of {', '.join(need.one_of)}"


def test_an_unknown_trigger_is_refused_with_the_known_ones():
    """Those of the lifecycle and those beside it, but none that only the library may use."""
    (reason,) = decide(INCIDENT.record("X"), command("fix"), INCIDENT).reasons
    assert reason.code == "unknown_trigger"
    said, _, known = reason.message.partition("; use one of ")
    assert said == "'fix' is no trigger"
    assert known.split(", ") == [
        *INCIDENT.by_trigger,
        *(name for name in BESIDE if name not in BY_THE_LIBRARY),
    ]


def test_a_wrong_role_says_who_may():
    """Roles and relations that would have done."""
    (reason,) = decide(INCIDENT.record("X"), command("cancel", RITA), INCIDENT).reasons
    assert reason.code == "role"
    assert dict(reason.facts) == {
        "actor": "rita",
        "has": (),
        "allowed": ("agent", "manager"),
        "relation": ("requester",),
    }
    assert reason.message == (
        "rita may not cancel: that takes the role agent or manager, or being the record's requester"
    )


@pytest.mark.parametrize(
    ("roles", "relation", "ways"),
    [
        ({"agent"}, (), "the role agent"),
        ((), {"requester"}, "being the record's requester"),
        (
            {"agent", "lead"},
            {"requester", "owner"},
            "the role agent or lead, or being the record's owner, or being the record's requester",
        ),
    ],
)
def test_roles_and_relations_are_told_apart(roles, relation, ways):
    """Somebody can be given a role; the requester of a record is who it is."""
    row = Transition("go", "new", dest="closed", roles=roles, relation=relation)
    lifecycle = attrs.evolve(INCIDENT, transitions=(row,))
    actor = Actor.person("gus", "guest", "customer")
    (reason,) = decide(lifecycle.record("X", requester="rita"), Command("go", actor, at=T), lifecycle).reasons
    assert reason.message == f"gus may not go: that takes {ways}"
    assert dict(reason.facts) == {
        "actor": "gus",
        "has": ("customer", "guest"),
        "allowed": tuple(sorted(roles)),
        "relation": tuple(sorted(relation)),
    }


# --- who may only because of what they are to the record ---------------------------------------

BY_RELATION = [t.trigger for t in INCIDENT.transitions if t.relation]


@pytest.mark.parametrize("trigger", BY_RELATION)
def test_a_requester_says_what_is_asked_and_no_more(trigger):
    """The fields that the step needs, and why (late); not priorities, groups or a host's own fields."""
    source = INCIDENT.by_trigger[trigger][0].sources[0]
    record = INCIDENT.record("X", source, requester="rita", impact="low", urgency="low")
    why = {"reason": "It works", "late_reason": "I was away"}
    (event,) = accepted(record, command(trigger, RITA, fields=why, recorded_at=T + 2 * HOUR))
    assert event.fields.items() >= why.items()
    size = CustomField("size", "text")
    more = {
        name: "rita"
        for name in (*STANDARD, "size")
        if name not in {*needed(trigger), "reason", "late_reason"}
    }
    decision = decide(record, command(trigger, RITA, fields=more), INCIDENT, custom=(size,))
    unknown = [dict(reason.facts)["field"] for reason in decision.reasons if reason.code == "unknown_field"]
    assert sorted(unknown) == sorted(more)


@pytest.mark.parametrize("trigger", BY_RELATION)
def test_a_requester_who_works_at_the_desk_is_one_of_the_desk(trigger):
    """The role counts, whoever asked for the record."""
    source = INCIDENT.by_trigger[trigger][0].sources[0]
    record = INCIDENT.record("X", source, requester="ana")
    events = accepted(record, command(trigger, ANA, fields={"group": "mail", "message": "Bye", "size": "L"}),
                      custom=(CustomField("size", "text"),))  # fmt: skip
    assert [event.kind for event in events] == ["communicated", "transitioned"]
    assert (events[-1].fields["group"], events[-1].fields["size"]) == ("mail", "L")


@pytest.mark.parametrize(
    ("expected", "accepted_"), [(None, True), (5, True), (4, True), (3, True), (2, False), (6, False)]
)
def test_an_actor_who_saw_an_older_version_is_told(expected, accepted_):
    """Older than the newest change that is not the machinery's own, or a version that never was."""
    record = attrs.evolve(INCIDENT.record("X", version=5), touched=3)
    decision = decide(record, command("start", expected=expected), INCIDENT)
    assert decision.accepted is accepted_
    if not accepted_:
        (reason,) = decision.reasons
        assert reason.code == "stale_version"
        assert dict(reason.facts) == {"expected": expected, "actual": 5}


# --- instants ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delay", "fields", "codes"),
    [
        (HOUR, {}, set()),
        (HOUR + TICK, {}, {"late"}),
        (HOUR + TICK, {"late_reason": "The network was down"}, set()),
        (HOUR + TICK, {"late_reason": ""}, {"late"}),
        (-TICK, {}, {"in_the_future"}),
        (0 * HOUR, {}, set()),
    ],
    ids=["tolerated", "late", "late with a reason", "late with an empty one", "future", "at once"],
)
def test_recording_late_needs_a_reason_and_the_future_waits(delay, fields, codes):
    """ISO/IEC 20000-1 7.5, INC-19: above a tolerance say why; nothing is recorded before it happens."""
    record = INCIDENT.record("X")
    for asked in (
        command("start", recorded_at=T + delay, fields=fields),
        opening(recorded_at=T + delay, fields=fields),
    ):
        decision = decide(None if asked.trigger == "open" else record, asked, INCIDENT)
        assert set(getattr(decision, "codes", ())) == codes


def test_the_tolerance_is_the_hosts():
    """A desk of paper forms may allow a day."""
    late = command("start", recorded_at=T + 20 * HOUR)
    assert refused(INCIDENT.record("X"), late) == {"late"}
    (event,) = accepted(INCIDENT.record("X"), late, tolerance=24 * HOUR)
    assert (event.occurred_at, event.recorded_at) == (T, T + 20 * HOUR)


def test_a_host_that_does_not_say_when_it_learnt_of_it_records_at_once():
    """`recorded_at` is then `at`."""
    (event,) = accepted(INCIDENT.record("X"), command("start"))
    assert event.recorded_at == event.occurred_at == T


def test_a_transition_before_the_last_one_is_out_of_order():
    """At the same instant it is in order."""
    record = attrs.evolve(INCIDENT.record("X"), entered_at=T)
    assert refused(record, command("start", at=T - TICK)) == {"out_of_order"}
    assert accepted(record, command("start", at=T))


@pytest.mark.parametrize("trigger", ["start", "note"])
def test_nothing_happens_before_the_opening(trigger):
    """Neither a move nor a word beside it; at the instant of the opening both may."""
    record = INCIDENT.record("X", opened_at=T)
    fields = {"text": "x"} if trigger == "note" else {}
    assert refused(record, command(trigger, at=T - TICK, fields=fields)) == {"before_opening"}
    assert accepted(record, command(trigger, at=T, fields=fields))


# --- opening -----------------------------------------------------------------------------------


def test_an_opening_makes_the_first_event():
    """Envelope and fields, all of them."""
    asked = opening(
        id="c1", channel="phone", on_behalf_of="rita", cause="call-7", recorded_at=T + HOUR,
        fields={"requester": "rita", "impact": "high", "urgency": "2 - Medium", "tenant": "acme",
                "service": None},
    )  # fmt: skip
    (event,) = accepted(None, asked)
    assert (event.id, event.record, event.seq, event.kind) == ("c1", "INC-1", 1, "opened")
    assert (event.occurred_at, event.recorded_at) == (T, T + HOUR)
    assert (event.actor, event.on_behalf_of, event.channel, event.cause) == (ANA, "rita", "phone", "call-7")
    assert (event.lifecycle, event.lifecycle_version) == ("incident", 1)
    assert (event.from_state, event.to_state, event.tenant) == (None, "new", "acme")
    assert event.fields == {
        "title": "Mail is down",
        "requester": "rita",
        "impact": "high",
        "urgency": "medium",
        "priority": "P2",
        "tenant": "acme",
        "process": "incident",
        "phase": "new",
    }
    assert event.personal == {"title": "", "requester": ""}
    assert fold([event]).state == "new"


def test_an_event_without_a_command_id_is_named_by_its_place():
    """Record and seq."""
    (event,) = accepted(None, opening())
    assert event.id == "INC-1/1"


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ({"record": None}, {"missing_field"}),
        ({"title": ""}, {"missing_field"}),
        ({"impact": "huge"}, {"invalid_field"}),
        ({"impact": "high", "urgency": "high", "priority": "P4"}, {"invalid_field"}),
        ({"priority": "P9"}, {"invalid_field"}),
        ({"colour": "red"}, {"unknown_field"}),
        ({"titel": "x", "impact": "huge", "record": ""}, {"unknown_field", "invalid_field", "missing_field"}),
        *(({name: "x"}, {"reserved_field"}) for name in sorted(OF_THE_STEP - {"record"})),
    ],
    ids=lambda value: "-".join(sorted(value)) if isinstance(value, dict) else "",
)
def test_an_opening_that_says_what_it_may_not_is_refused(fields, codes):
    """Missing, unknown, invalid, or written by the library alone."""
    assert refused(None, opening(fields=fields)) == codes


def test_only_open_opens():
    """Any other trigger needs a record."""
    asked = attrs.evolve(opening(), trigger="start")
    assert refused(None, asked) == {"not_open"}


def test_a_priority_beside_the_matrix_needs_a_reason():
    """And is judged by the matrix that the host chose."""
    low = {"impact": "low", "urgency": "low"}
    assert refused(None, opening(fields={**low, "priority": "P1"})) == {"invalid_field"}
    (event,) = accepted(None, opening(fields={**low, "priority": "P1", "priority_reason": "VIP"}))
    assert (event.fields["priority"], event.fields["priority_reason"]) == ("P1", "VIP")
    (event,) = accepted(None, opening(fields=low), matrix=matrix_3x3_p4)
    assert event.fields["priority"] == "P4"


# --- transitions -------------------------------------------------------------------------------


@given(RECORDS, TRIGGERS)
def test_every_event_names_lifecycle_version_and_both_states(record, trigger):
    """So that replaying needs no definition; the record that follows is in that state."""
    assume(destination(INCIDENT, record.state, trigger) is not None)
    events = accepted(record, command(trigger, id="c1", channel="chat"))
    assert {(e.lifecycle, e.lifecycle_version, e.actor, e.channel) for e in events} == {
        ("incident", 1, ANA, "chat")
    }
    assert [e.seq for e in events] == list(range(record.version + 1, record.version + 1 + len(events)))
    moved = events[-1]
    assert (moved.kind, moved.id, moved.from_state) == ("transitioned", "c1", record.state)
    assert moved.to_state == destination(INCIDENT, record.state, trigger)
    after = record
    for event in events:
        after = apply(after, event)
    state = INCIDENT.state(moved.to_state)
    assert (after.state, after.phase, after.outcome) == (state.id, state.phase, state.outcome)
    assert after.version == record.version + len(events)


def test_words_of_a_hold_are_said_before_it():
    """The requester is told by an event of its own, at the same instant, one place earlier."""
    record = INCIDENT.record("X", "in_progress", version=4, requester="rita")
    told, moved = accepted(record, command("hold", id="c1", channel="email"))
    assert (told.kind, told.id, told.seq, told.from_state, told.to_state) == (
        "communicated",
        "c1#2",
        5,
        None,
        None,
    )
    assert (moved.kind, moved.id, moved.seq) == ("transitioned", "c1", 6)
    assert told.order < moved.order
    assert told.occurred_at == moved.occurred_at == T
    said = Communication.of(told)
    assert (said.text, said.direction, said.audience) == (
        "We wait for a part",
        Direction.OUTBOUND,
        Audience.REQUESTER,
    )
    assert said.answers
    assert told.personal == {"text": "", "text_digest": ""}
    assert moved.fields == {
        "trigger": "hold",
        "phase": "waiting",
        "waits_on": "supplier",
        "hold_reason": "supplier",
        "look_again_at": LATER,
    }


@pytest.mark.parametrize(
    ("actor", "automatic"),
    [
        (Actor.person("a", "agent"), False),
        (Actor.supplier("a", "agent"), False),
        (Actor.ai_agent("a", "agent", model="m", version="1"), False),
        (Actor.automation("a", "agent"), True),
        (Actor.monitoring("a", "agent"), True),
    ],
    ids=lambda value: value.kind if isinstance(value, Actor) else "",
)
def test_words_of_a_machine_are_automatic_and_only_a_persons_words_answer(actor, automatic):
    """The same rule for words that go with a transition and for words of their own."""
    record = INCIDENT.record("X", requester="rita")
    with_it = Communication.of(accepted(record, command("hold", actor))[0])
    assert with_it.automatic is automatic
    assert with_it.answers is actor.is_person
    if actor.kind is not ActorKind.MONITORING:
        (alone,) = accepted(record, command("communicate", actor, fields={"text": "hello"}))
        assert Communication.of(alone).automatic is automatic


@pytest.mark.parametrize("trigger", ["start", "resolve", "cancel"])
def test_any_transition_may_bring_words(trigger):
    """Not only a hold."""
    told, moved = accepted(INCIDENT.record("X"), command(trigger, fields={"message": "hello"}))
    assert (told.kind, told.fields["text"]) == ("communicated", "hello")
    assert "message" not in moved.fields


@pytest.mark.parametrize("reason", WaitsOn)
def test_a_hold_waits_for_what_its_reason_says(reason):
    """The reason of the hold is whom the record waits for."""
    (_, moved) = accepted(INCIDENT.record("X"), command("hold", fields={"hold_reason": reason}))
    assert moved.fields["waits_on"] == moved.fields["hold_reason"] == reason.value


@pytest.mark.parametrize(
    ("trigger", "state", "reopens"), [("reopen", "resolved", "resume"), ("start", "new", None)]
)
def test_a_reopening_says_what_clocks_do(trigger, state, reopens):
    """And no other transition does."""
    (moved,) = accepted(INCIDENT.record("X", state), command(trigger))
    assert moved.fields.get("reopens") == reopens


@pytest.mark.parametrize("name", sorted(OF_THE_STEP))
def test_what_clocks_believe_cannot_be_given(name):
    """Phase, wait, outcome and the like follow from the lifecycle: one door."""
    assert refused(INCIDENT.record("X"), command("start", fields={name: "x"})) == {"reserved_field"}
    assert refused(INCIDENT.record("X"), command("assign", fields={"group": "a", name: "x"})) == {
        "reserved_field"
    }


@pytest.mark.parametrize("trigger", ["start", "assign"])
def test_a_priority_cannot_slip_in_by_another_command(trigger):
    """A transition or an assignment that brings one is judged by the matrix too."""
    record = INCIDENT.record("X", impact="low", urgency="low", priority="P5")
    held = {"group": "a"}
    assert refused(record, command(trigger, fields={**held, "priority": "P1"})) == {"invalid_field"}
    assert refused(record, command(trigger, fields={**held, "priority": "P9"})) == {"invalid_field"}
    (event,) = accepted(record, command(trigger, fields={**held, "impact": "1 - High"}))
    assert (event.fields["impact"], event.fields["urgency"], event.fields["priority"]) == (
        "high",
        "low",
        "P3",
    )
    (event,) = accepted(record, command(trigger, fields=held))
    assert "priority" not in event.fields


def test_the_tenant_is_that_of_the_record():
    """Every event of a tenant's record is the tenant's."""
    record = attrs.evolve(INCIDENT.record("X"), tenant="acme")
    for trigger in ("start", "hold", "note"):
        fields = {"text": "x"} if trigger == "note" else {}
        assert {e.tenant for e in accepted(record, command(trigger, fields=fields))} == {"acme"}


def test_instants_of_fields_are_written_in_utc():
    """An aware datetime in, canonical text out."""
    at = dt.datetime(2024, 3, 1, 8, tzinfo=ZoneInfo("Asia/Shanghai"))
    (_, moved) = accepted(INCIDENT.record("X"), command("hold", fields={"look_again_at": at}))
    assert moved.fields["look_again_at"] == "2024-03-01T00:00:00.000000Z"


@pytest.mark.parametrize("value", ["tomorrow", "2024-03-01T00:00:00", 5])
def test_an_instant_to_look_again_is_an_instant(value):
    """Text that is none, or has no zone, is refused."""
    assert refused(INCIDENT.record("X"), command("hold", fields={"look_again_at": value})) == {
        "invalid_field"
    }


@pytest.mark.parametrize(("ahead", "fine"), [(-HOUR, False), (0 * HOUR, False), (TICK, True)])
def test_one_looks_again_later(ahead, fine):
    """Not at once, and not before the hold began; at any later instant."""
    for trigger, fields in (("hold", {}), ("start", {}), ("assign", {"group": "a"})):
        asked = command(trigger, fields={**fields, "look_again_at": T + ahead})
        decision = decide(INCIDENT.record("X"), asked, INCIDENT)
        assert decision.accepted is fine
        if not fine:
            (reason,) = decision.reasons
            assert (reason.code, dict(reason.facts)) == ("invalid_field", {"field": "look_again_at"})
            assert reason.message.startswith("look_again_at is 2024-02-05T0")
            assert reason.message.endswith(", which does not lie after 2024-02-05T09:00:00+00:00")


# --- lifecycles of others ----------------------------------------------------------------------

OWN = Need("ticket_no", "a rule of the host")
OTHER = Lifecycle(  # decided on though it is not sound: a host may adopt what it finds
    "other", 3, process="chore", initial="todo",
    states=(
        State("todo", Phase.NEW),
        State("vendor", Phase.WAITING, waits_on=WaitsOn.SUPPLIER),
        State("parked", Phase.WAITING),
        State("done", Phase.CLOSED, outcome="completed"),
    ),
    transitions=(
        Transition("send", "todo", dest="vendor", roles="agent"),
        Transition("park", ("todo", "vendor", "parked"), dest="parked", roles="agent", requires=(OWN,)),
        Transition("finish", "todo", dest="done", roles="agent"),
        Transition("finish", ("vendor", "parked"), dest="done", roles="manager"),
    ),
)  # fmt: skip


def test_a_state_that_names_whom_it_waits_on_needs_no_reason():
    """The state says it; a reason beside it changes nothing."""
    for fields in ({}, {"hold_reason": "change"}):
        (moved,) = accepted(OTHER.record("X"), Command("send", ANA, at=T, fields=fields), OTHER)
        assert moved.fields["waits_on"] == "supplier"
        assert (moved.lifecycle, moved.lifecycle_version) == ("other", 3)


def test_a_wait_without_a_reason_waits_for_nobody_in_particular():
    """It pauses nothing; a reason that is none is refused, not raised."""
    held = {"ticket_no": "4711"}
    (moved,) = accepted(OTHER.record("X"), Command("park", ANA, at=T, fields=held), OTHER)
    assert "waits_on" not in moved.fields
    assert moved.fields["ticket_no"] == "4711"
    wrong = Command("park", ANA, at=T, fields={**held, "hold_reason": "weather"})
    assert refused(OTHER.record("X"), wrong, OTHER) == {"invalid_field"}


@pytest.mark.parametrize(
    ("state", "held", "fields", "waits"),
    [
        ("parked", "change", {}, "change"),  # the reason of the hold is kept from wait to wait
        ("parked", "change", {"hold_reason": "supplier"}, "supplier"),
        ("parked", "change", {"hold_reason": None}, None),  # not known any more
        ("parked", None, {}, None),
        ("vendor", None, {}, None),  # the supplier was the wait of that state
        ("vendor", "change", {}, None),
        ("todo", None, {}, None),
    ],
)
def test_from_wait_to_wait_the_reason_of_the_hold_stays(state, held, fields, waits):
    """Unless the command gives another; what a state itself waited on ends with the state."""
    record = OTHER.record("X", state, hold_reason=held)
    asked = Command("park", ANA, at=T, fields={"ticket_no": "1", **fields})
    (moved,) = accepted(record, asked, OTHER)
    assert moved.fields.get("waits_on") == waits
    after = apply(record, moved)
    assert after.waits_on == waits
    if state != "vendor":
        assert after.hold_reason == waits


def test_a_lifecycle_may_narrow_the_reasons_of_a_hold():
    """The refusal then names the narrower choice, once."""
    need = Need("hold_reason", "a rule of the host", one_of=("supplier",))
    rows = tuple(attrs.evolve(t, requires=(need,)) if t.trigger == "park" else t for t in OTHER.transitions)
    narrow = attrs.evolve(OTHER, transitions=rows)
    for reason in ("weather", "change"):
        asked = Command("park", ANA, at=T, fields={"hold_reason": reason})
        (found,) = decide(narrow.record("X"), asked, narrow).reasons
        assert dict(found.facts)["allowed"] == ("supplier",)


def test_a_reason_of_a_hold_says_nothing_where_nobody_waits():
    """Only a state that waits has somebody to wait for."""
    (moved,) = accepted(INCIDENT.record("X"), command("start", fields={"hold_reason": "requester"}))
    assert "waits_on" not in moved.fields
    assert apply(INCIDENT.record("X"), moved).waits_on is None


def test_the_row_of_a_trigger_is_the_one_of_the_state():
    """One trigger, other people for other states; the wrong state is judged by the first row."""
    manager = Actor.person("mia", "manager")
    finish = Command("finish", manager, at=T)
    assert refused(OTHER.record("X"), finish, OTHER) == {"role"}
    assert accepted(OTHER.record("X", "parked"), finish, OTHER)
    for state, enabled in (("todo", False), ("parked", True)):
        buttons = {option.trigger: option for option in options(OTHER.record("X", state), manager, OTHER)}
        assert buttons["finish"].enabled is enabled
    assert refused(OTHER.record("X", "done"), finish, OTHER) == {"wrong_state", "role"}
    (reason,) = decide(OTHER.record("X", "done"), attrs.evolve(finish, actor=ANA), OTHER).reasons
    assert reason.message.endswith("from there: nothing")


def test_a_record_opens_in_the_initial_state_of_its_lifecycle():
    """With its process."""
    (event,) = accepted(None, opening(), OTHER)
    assert (event.to_state, event.fields["process"], event.fields["phase"]) == ("todo", "chore", "new")


# --- fields of the host's own ------------------------------------------------------------------

BADGE = CustomField("badge", "number", personal=True)


@pytest.mark.parametrize("trigger", ["open", "start", "assign"])
def test_a_declared_field_is_kept_and_marked(trigger):
    """Declared with type and privacy; otherwise unknown."""
    fields = {"badge": 4711, **({"group": "a"} if trigger == "assign" else {})}
    record = None if trigger == "open" else INCIDENT.record("X")
    asked = opening(fields=fields) if trigger == "open" else command(trigger, fields=fields)
    assert refused(record, asked) == {"unknown_field"}
    (event,) = accepted(record, asked, custom=(BADGE,))
    assert event.fields["badge"] == 4711
    assert "badge" in event.personal
    wrong = attrs.evolve(asked, fields={**asked.fields, "badge": "4711"})
    assert refused(record, wrong, custom=(BADGE,)) == {"invalid_field"}


# --- guards of an opening ------------------------------------------------------------------------


def test_an_opening_may_have_guards_that_look_at_its_fields():
    """There is no record yet: they see an empty one in the initial state."""
    seen = []

    def look(situation):
        seen.append(situation)
        return None if situation.get("service") else "say for which service"

    made = attrs.evolve(INCIDENT, guards={"look": look}, beside={"open": "look"})
    assert refused(None, opening(), made) == {"guard"}
    assert accepted(None, opening(fields={"service": "mail"}), made)
    assert (seen[0].record.state, seen[0].record.values, seen[0].trigger) == ("new", {}, "open")
    assert refused(None, attrs.evolve(opening(), trigger="start"), made) == {"not_open"}
    assert len(seen) == 2


# --- laws ----------------------------------------------------------------------------------------


def approved(situation):
    """Whether somebody said yes in the round that is open."""
    live = situation.record.round
    votes = [vote.choice for vote in live.votes] if live else []
    return None if "approve" in votes else "nobody approved it"


CHANGE = Lifecycle(
    "small.change", 1, process="change", initial="new",
    states=(
        State("new", "new"), State("assess", "active"), State("wait", "waiting"), State("build", "active"),
        State("done", "resolved"), State("closed", "closed", outcome="completed"),
    ),
    transitions=(
        Transition("assess", ("new", "build"), dest="assess", roles="agent"),
        Transition("revise", ("assess", "build", "wait"), dest="new", roles="agent"),
        Transition("authorize", "assess", dest="build", roles={"agent", "manager"}, guards="approved",
                   separate_from=("open", "assess")),
        Transition("hold", ("assess", "build"), dest="wait", roles="agent", relation="requester",
                   requires=(Need("hold_reason", "a rule", one_of=("change", "supplier"), kept=True),)),
        Transition("finish", "build", dest="done", roles="agent", guards="major",
                   requires=(Need("reason", "a rule", otherwise="category"),)),
        Transition("finish", ("build", "wait"), dest="closed", roles="agent"),
        Transition("close", "done", dest="closed", after=hours(2)),
        Transition("reopen", "done", dest="assess", roles="agent", relation="requester", reopens="resume"),
    ),
    guards={"approved": approved, "major": lambda s: None if s.get("major") else "is minor",
            "fine": lambda _: None},
    beside={"request_approval": "fine", "vote": "fine"},
    fields=(CustomField("risk", "text", personal=True),),
)  # fmt: skip

GOOD = {  # what each command brings if nothing goes wrong
    "hold": {"hold_reason": "supplier"},
    "finish": {"reason": "works"},
    "reopen": {},
    "amend": {"category": "web"},
    "assign": {"group": "a"},
    "reprioritise": {"impact": "high", "urgency": "high"},
    "communicate": {"text": "hello"},
    "receive": {"text": "hello", "message_id": "m1"},
    "note": {"text": "psst"},
    "link": {"relation": "follows", "other": "X"},
    "correct": {"event": "INC-1/1", "field": "category", "now": "web", "reason": "mistyped"},
    "restate": {"reason": "the log"},
    "claim_exception": {"exception": "maintenance", "reason": "announced"},
    "justify_overrun": {"metric": "resolution", "reason": "tested with her"},
    "waive": {"trigger": "authorize", "separate_from": "open", "reason": "x", "until": LATER, "review": "y"},
    "request_approval": {"rule": {"material": ["category", "impact"]}},
    "vote": {"vote": "approve"},
    "escalate": {"key": "k"},
}
TWISTS = [
    *(("category", value) for value in ("mail", None, 5)),
    *(("risk", value) for value in ("low", 5)),
    *(("major", value) for value in (True, False, "yes")),
    *(("requester", value) for value in ("ana", "rita", None)),
    *(("hold_reason", value) for value in ("change", "weather", None)),
    *(("impact", "low"), ("urgency", "low"), ("priority", "P1"), ("message", "hello"), ("reason", "")),
    *(("direction", "inbound"), ("automatic", True), ("text", None), ("security", True)),
    *(("vote", "reject"), ("vote", "maybe"), ("rule", {}), ("rule", 5), ("until", "soon")),
    *(("separate_from", "assess"), ("trigger", "start"), ("phase", "closed"), ("round", "e9")),
]
TEAM = st.builds(
    Actor, st.sampled_from(["ana", "bo", "rita"]), roles=st.just(("agent", "manager", "itsm_core"))
)
APART = {*MAJOR_COMMANDS, *BY_THE_LIBRARY, "snooze", "escalate_now", "migrate_policy"}  # laws of their own
OF_CHANGES = [trigger for trigger in BESIDE if trigger not in APART]
STEP = st.tuples(
    st.sampled_from([*CHANGE.by_trigger, *OF_CHANGES, *("assess", "request_approval", "vote", "bogus")]),
    TEAM,
    st.integers(0, 3),
    st.lists(st.sampled_from(TWISTS), max_size=2),
    st.sampled_from([None, None, "rita"]),
)
STEPS = st.lists(STEP, max_size=15)


def walk(steps):
    """Every decision of a walk, with the record that it was made on; accepted ones are applied."""
    first = opening(fields={"requester": "rita", "category": "mail"})
    (told,) = accepted(None, first, CHANGE)
    record, events, at = fold([told]), [told], T
    for trigger, actor, later, twists, behalf in steps:
        at += later * HOUR
        held = {**GOOD.get(trigger, {}), **dict(twists)}
        asked = Command(trigger, actor, at=at, fields=held, on_behalf_of=behalf)
        decision = decide(record, asked, CHANGE)
        yield record, asked, decision, events
        for event in decision.events:
            events = [*events, event]
            assert follows(record, event) is (event.kind != "corrected")
            record = fold(events) if event.kind == "corrected" else apply(record, event)
    yield record, None, None, events


@pytest.mark.law
@given(STEPS)
def test_the_record_of_a_walk_is_the_fold_of_its_events(steps):
    """Whatever was decided on the way: events one by one, all at once, or in any order."""
    *_, (record, _, _, events) = walk(steps)
    assert fold(events) == record
    assert fold(reversed(events)) == record
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert record.version == len(events)


@pytest.mark.law
@given(STEPS)
def test_a_refusal_changes_nothing_and_says_why(steps):
    """Nothing is raised whatever is asked, no event is made, and asking again answers the same."""
    for record, asked, decision, _ in walk(steps):
        if asked is None:
            continue
        before = copy.deepcopy((record, asked))
        assert decide(record, asked, CHANGE) == decision
        assert (record, asked) == before
        if isinstance(decision, Refused):
            assert decision.events == ()
            assert decision.reasons
            assert all(reason.code and reason.message for reason in decision.reasons)
        else:
            assert decision.events


@pytest.mark.law
@given(STEPS)
def test_every_event_of_a_walk_is_as_the_definition_says(steps):
    """Moves follow rows; nothing else moves; who fired what is known; personal fields are marked."""
    for record, asked, decision, _ in walk(steps):
        for event in getattr(decision, "events", ()):
            assert ("risk" in event.personal) is ("risk" in event.fields)
            after = apply(record, event)
            if event.kind == "transitioned":
                rows = CHANGE.rows(event.fields["trigger"], record.state)
                assert after.state in [row.dest for row in rows]
                assert after.actor_of(asked.trigger) == asked.actor.id
                assert after.entered_at == asked.at
            else:
                assert (after.state, after.phase, after.entered_at) == (
                    record.state, record.phase, record.entered_at,
                )  # fmt: skip


def test_the_walks_above_go_somewhere():
    """The laws would prove nothing if everything were refused, or nothing of the new ever happened."""
    kinds, ended, codes = set(), set(), set()

    @settings(derandomize=True, max_examples=400)
    @given(STEPS)
    def look(steps):
        for record, _, decision, events in walk(steps):
            codes.update(getattr(decision, "codes", ()))
            kinds.update(event.kind for event in events)
            ended.update(one.ended for one in record.rounds)

    look()
    assert kinds >= {"transitioned", "amended", "waived", "approval_requested", "voted", "communicated"}
    assert ended >= {None, "replaced", "edited"}
    assert codes >= {"wrong_state", "missing_field", "invalid_field", "unknown_trigger", "guard"}
