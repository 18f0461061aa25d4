"""The service request lifecycle, edge by edge, against a table written by hand from the references."""

import itertools

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_edges import golden, table, who_may
from itsm_core.actors import Actor
from itsm_core.approvals import ApprovalRule, Panel
from itsm_core.business_time import BusinessCalendar
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle import check, options
from itsm_core.lifecycle.machine import destination
from itsm_core.lifecycle.timers import next_timer
from itsm_core.processes import PROCESSES, SERVICE_REQUEST, TASK, rolled_up
from itsm_core.testing import edges_of
from walking import ACTORS, DAY, HOUR, TICK, T, after, asked, fire, needed, opened

REQUEST = SERVICE_REQUEST
EDGES = golden("service_request")
WHO = who_may("service_request")
ANA, RITA, BOT, TIME = (ACTORS[who] for who in ("agent", "requester", "automation", "time"))
LENA, OTTO = Actor.person("lena"), Actor.person("otto")
RULE = ApprovalRule((Panel("line managers", ("lena", "otto"), needed=1),), material=("inputs",)).to_dict()
BOTH = ApprovalRule((Panel("line managers", ("lena", "otto"), needed="all"),)).to_dict()
EXPIRING = attrs.evolve(ApprovalRule.from_dict(RULE), due=T, on_expiry="reject").to_dict()
OFFICE = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")


def request(state="submitted", **held):
    """A request of rita in a state, a month old."""
    record = REQUEST.record("REQ-1", state, requester="rita", custom=held)
    return attrs.evolve(record, opened_at=T - 30 * DAY, entered_at=T - 30 * DAY)


def asked_for(record, rule=RULE, at=T):
    """The record after its approval was asked for."""
    return after(record, fire(record, "request_approval", REQUEST, at=at, fields={"rule": rule}))


def voted(record, who, choice, at=T):
    """The record after one more voice."""
    return after(record, fire(record, "vote", REQUEST, who, at=at, fields={"vote": choice}))


def ready(row):
    """A request in the state in which an edge of the golden table begins, with the votes it takes."""
    record = request(row["from"])
    if row["trigger"] == "expire":
        return asked_for(record, EXPIRING, at=T - DAY)
    votes = {("approve", "approval"): "approve", ("reject", "approval"): "reject"}
    choice = votes.get((row["trigger"], row["from"]))
    if choice is None:
        return record
    return voted(voted(asked_for(record), LENA, choice), OTTO, choice) if choice == "reject" else (
        voted(asked_for(record), LENA, choice)
    )  # fmt: skip


# --- the golden table --------------------------------------------------------------------------


@pytest.mark.parametrize("row", table("service_request"), ids="{0[trigger]}-{0[from]}-{0[to]}".format)
def test_each_golden_edge_is_walked_by_those_who_may_and_by_nobody_else(row):
    """Through the one door, with the fields and votes it needs; and it has a source."""
    assert row["source"]
    for who, actor in ACTORS.items():
        decision = fire(ready(row), row["trigger"], REQUEST, actor)
        assert decision.accepted is (who in WHO[row["trigger"], row["from"]]), (who, decision)
        if decision.accepted:
            assert after(ready(row), decision).state == row["to"]
        else:
            assert set(decision.codes) <= {"role", "timer", "unknown_field"}


@pytest.mark.parametrize("trigger", sorted(REQUEST.by_trigger))
def test_no_trigger_leads_out_of_any_other_state(trigger):
    """What the table does not list, nobody does."""
    for state in REQUEST.by_id:
        if (trigger, state) not in {(name, start) for name, start, _ in EDGES}:
            decision = fire(request(state), trigger, REQUEST, fields=asked(REQUEST, trigger))
            assert "wrong_state" in decision.codes
            assert destination(REQUEST, state, trigger) is None


# --- states and conditions ---------------------------------------------------------------------


def test_the_states_and_their_phases():
    """iso-20000.md 5.7: the stages; platforms.md 2.5 ServiceNow Request: three ways to close."""
    assert [(s.id, s.phase.value, s.outcome) for s in REQUEST.states] == [
        ("submitted", "new", None),
        ("approval", "waiting", None),
        ("fulfilment", "active", None),
        ("on_hold", "waiting", None),
        ("delivered", "resolved", None),
        ("closed", "closed", "completed"),
        ("incomplete", "closed", "incomplete"),
        ("skipped", "closed", "skipped"),
        ("rejected", "closed", "rejected"),
        ("cancelled", "closed", "cancelled"),
        ("duplicate", "closed", "duplicate"),
        ("merged", "closed", "merged"),
        ("retyped", "closed", "retyped"),
    ]
    waits = {s.id: s.waits_on for s in REQUEST.states if s.waits_on}
    assert waits == {"approval": WaitsOn.CUSTOMER_APPROVER}
    assert (REQUEST.id, REQUEST.version, REQUEST.initial, REQUEST.process) == (
        "service_request", 1, "submitted", "service_request",
    )  # fmt: skip
    assert REQUEST.requester
    assert (REQUEST.say(), REQUEST.say("zh")) == ("Service request", "服务请求")


def test_it_is_sound_and_shipped():
    """`check` finds nothing, and nothing leaves an end."""
    assert check(REQUEST) == ()
    assert PROCESSES["service_request"] is REQUEST
    final = {s.id for s in REQUEST.states if s.phase is Phase.CLOSED}
    assert not [edge for edge in edges_of(REQUEST) if edge[1] in final]


def test_every_field_names_its_clause_and_every_word_is_there_in_both_languages():
    """English and Chinese, of states, transitions and fields."""
    needs = [*REQUEST.opening, *(need for t in REQUEST.transitions for need in t.requires)]
    assert all(need.clause.startswith("ISO/IEC 20000-1 8.6.2: ") for need in needs)
    for thing in (*REQUEST.states, *REQUEST.transitions, *needs):
        assert {"en", "zh"} == set(dict(thing.label))
        assert all(dict(thing.label).values())


def test_its_own_fields_are_declared():
    """What the requester says and what they got say something about a person."""
    assert [(f.name, f.type.value, f.personal) for f in REQUEST.fields] == [
        ("request_model", "text", False),
        ("request_model_version", "number", False),
        ("inputs", "any", True),
        ("delivered", "text", True),
        ("duplicate_of", "text", False),
        ("merged_into", "text", False),
        ("successor", "text", False),
    ]


def test_a_small_desk_walks_every_edge_with_fewer_fields():
    """Phases and rules stay; why, when to look again and the model need not be said."""
    lite = REQUEST.lite()
    assert lite.opening == ()
    for row in table("service_request"):
        record = attrs.evolve(ready(row), lifecycle=lite.id)
        actor = TIME if row["trigger"] in ("auto_close", "expire") else ANA
        assert after(record, fire(record, row["trigger"], lite, actor)).state == row["to"]
    dropped = [
        (big.trigger, need.field)
        for big, small in zip(REQUEST.transitions, lite.transitions, strict=True)
        for need in big.requires
        if need not in small.requires
    ]
    assert dropped == [("revise", "reason"), ("hold", "look_again_at"), ("reopen", "reason")]


# --- from asking to confirming -------------------------------------------------------------------


def test_a_request_says_what_is_asked_for():
    """REQ-01: recorded and classified."""
    assert opened(REQUEST).codes == ("missing_field",)
    record = after(
        None, opened(REQUEST, request_model="laptop", request_model_version=2, inputs={"size": "13"})
    )
    assert (record.state, record.values["inputs"]) == ("submitted", {"size": "13"})
    assert record.values["request_model_version"] == 2
    assert record.personal >= {"inputs"}


def test_a_request_that_takes_no_approval_is_fulfilled_at_once():
    """From submitted to confirmed by the requester."""
    record = after(None, opened(REQUEST, request_model="password", requester="rita"))
    for trigger, actor, state in [
        ("start", BOT, "fulfilment"), ("deliver", ANA, "delivered"), ("close", RITA, "closed"),
    ]:  # fmt: skip
        record = after(record, fire(record, trigger, REQUEST, actor))
        assert record.state == state
    assert (record.outcome, record.values["closure_code"]) == ("completed", "user_confirmed")


def test_with_an_approval_fulfilment_starts_when_it_is_given():
    """REQ-07; not before the votes, and by those who are asked."""
    record = after(request(), fire(request(), "seek_approval", REQUEST))
    assert (record.phase, record.waits_on) == (Phase.WAITING, WaitsOn.CUSTOMER_APPROVER)
    assert fire(record, "approve", REQUEST).codes == ("not_approved",)
    record = asked_for(record, BOTH)
    assert fire(record, "vote", REQUEST, RITA, fields={"vote": "approve"}).accepted is False
    record = voted(record, LENA, "approve")
    assert fire(record, "approve", REQUEST, at=T + HOUR).codes == ("not_approved",)
    record = voted(record, OTTO, "approve", at=T + HOUR)
    assert after(record, fire(record, "approve", REQUEST, BOT, at=T + HOUR)).state == "fulfilment"


def test_one_refusal_rejects_and_staff_cannot_reject_in_the_approvers_place():
    """What was put to the vote is decided by the vote."""
    record = asked_for(request("approval"), BOTH)
    assert fire(record, "reject", REQUEST).codes == ("not_rejected",)
    record = voted(record, LENA, "reject")
    rejected = after(record, fire(record, "reject", REQUEST, BOT))
    assert (rejected.state, rejected.outcome) == ("rejected", "rejected")


def test_nothing_starts_beside_an_approval_that_was_asked_for():
    """Neither while it runs nor when it was taken back: then it is sought again."""
    record = asked_for(request())
    (reason,) = fire(record, "start", REQUEST).reasons
    assert (reason.code, dict(reason.facts)) == ("approval_was_asked", {"round": record.round.id})
    assert str(reason) == "an approval was asked for, and fulfilment starts when it is given"
    record = after(record, fire(record, "seek_approval", REQUEST))
    back = after(record, fire(record, "revise", REQUEST, RITA, at=T + HOUR))
    assert (back.state, back.round) == ("submitted", None)
    assert fire(back, "start", REQUEST, at=T + HOUR).codes == ("approval_was_asked",)


def test_changing_the_inputs_ends_the_approval():
    """What was approved is not what is asked for now."""
    record = voted(asked_for(request("approval", inputs={"size": "13"})), LENA, "approve")
    changed = after(record, fire(record, "amend", REQUEST, at=T + HOUR, fields={"inputs": {"size": "16"}}))
    assert fire(changed, "approve", REQUEST, at=T + HOUR).codes == ("not_approved",)


@pytest.mark.parametrize("state", ["submitted", "approval", "fulfilment", "on_hold"])
def test_the_requester_cancels_until_fulfilment_starts_and_staff_later_with_a_reason(state):
    """iso-20000.md 5.7."""
    why = {"reason": "changed my mind"}
    begun = state in ("fulfilment", "on_hold")
    theirs = fire(request(state), "cancel", REQUEST, RITA, fields=why)
    assert theirs.accepted is not begun
    assert fire(request(state), "cancel", REQUEST, ANA, fields={}).codes[0] == "missing_field"
    told = {**why, "message": "We stop"} if begun else why
    assert (
        after(request(state), fire(request(state), "cancel", REQUEST, ANA, fields=told)).outcome
        == "cancelled"
    )


@pytest.mark.parametrize("reason", WaitsOn)
def test_a_hold_waits_on_what_its_reason_says(reason):
    """As for incidents."""
    record = request("fulfilment")
    fields = {**needed(REQUEST, "hold", "fulfilment"), "hold_reason": reason.value}
    held = after(record, fire(record, "hold", REQUEST, fields=fields))
    assert (held.waits_on, held.hold_reason) == (reason, reason.value)
    assert after(held, fire(held, "resume", REQUEST, BOT)).waits_on is None


def test_parts_are_delivered_before_the_rest():
    """What was delivered is recorded each time, the requester is told, and the work goes on."""
    record = request("fulfilment")
    part = fire(
        record, "deliver_part", REQUEST, fields={"delivered": "The laptop", "message": "Dock follows"}
    )
    assert [event.kind for event in part.events] == ["communicated", "transitioned"]
    record = after(record, part)
    assert (record.state, record.values["delivered"]) == ("fulfilment", "The laptop")
    assert "delivered" in record.personal
    (reason,) = fire(record, "skip", REQUEST).reasons
    assert reason.code == "partly_delivered"
    assert str(reason) == "something was delivered, so it ends incomplete; use close_incomplete"
    whole = after(record, fire(record, "deliver", REQUEST, fields={"delivered": "The dock"}))
    assert (whole.state, whole.values["delivered"]) == ("delivered", "The dock")


def test_what_is_not_what_was_asked_for_goes_back_to_work():
    """The requester says so until it is closed."""
    record = after(request("delivered"), fire(request("delivered"), "reopen", REQUEST, RITA))
    assert (record.state, record.reopened) == ("fulfilment", 1)
    assert not fire(request("closed"), "reopen", REQUEST, RITA).accepted


def test_delivered_closes_by_itself_after_five_business_days():
    """REQ-04 as INC-15; counted from the delivery, never what is a complaint."""
    record = request("fulfilment")
    record = after(record, fire(record, "deliver", REQUEST, at=T))
    assert next_timer(record, REQUEST, calendar=OFFICE) == (T + 7 * DAY, "auto_close")
    assert fire(record, "auto_close", REQUEST, TIME, at=T + 5 * DAY - TICK).codes == ("too_soon",)
    assert after(record, fire(record, "auto_close", REQUEST, TIME, at=T + 5 * DAY)).state == "closed"
    complaint = REQUEST.record("REQ-1", "delivered", complaint=True)
    assert next_timer(attrs.evolve(complaint, entered_at=T), REQUEST) is None


def test_silence_and_policy_close_as_they_close_an_incident():
    """Three contacts; never by policy what is a complaint; the requester confirms."""
    record = request("delivered")
    silent = {"closure_code": "no_response_after_attempts"}
    assert fire(record, "close", REQUEST, fields=silent).codes == ("too_few_contacts",)
    sought = attrs.evolve(record, attempts=(T - 2 * DAY, T - DAY, T))
    assert fire(sought, "close", REQUEST, fields=silent).accepted
    policy = {"closure_code": "policy"}
    assert fire(record, "close", REQUEST, fields=policy).accepted
    assert fire(record, "close", REQUEST, RITA, fields=policy).codes == ("desk_only",)


# --- items ---------------------------------------------------------------------------------------


def items(*states):
    """Tasks in these states."""
    return tuple(TASK.record(f"T-{n}", state) for n, state in enumerate(states))


# fmt: off
ROLLED = [
    # platforms.md 2.5 ServiceNow Request: all complete, any incomplete, all skipped
    ((),                                    None),
    (("complete",),                         "complete"),
    (("complete", "complete"),              "complete"),
    (("complete", "incomplete"),            "incomplete"),
    (("incomplete",),                       "incomplete"),
    (("skipped", "incomplete"),             "incomplete"),
    (("complete", "skipped", "incomplete"), "incomplete"),
    (("skipped",),                          "skipped"),
    (("skipped", "skipped"),                "skipped"),
    (("complete", "skipped"),               "complete"),   # ours: what was not needed is not lacking
    (("complete", "open"),                  None),
    (("incomplete", "in_progress"),         None),
    (("skipped", "on_hold"),                None),
]
# fmt: on


@pytest.mark.parametrize(("states", "outcome"), ROLLED)
def test_what_becomes_of_items_becomes_of_the_request(states, outcome):
    """In whatever order they are."""
    for order in itertools.permutations(items(*states)):
        assert rolled_up(order) == outcome


def test_an_item_of_another_process_is_complete_only_if_it_says_so():
    """A change that failed is no completed item."""
    failed = attrs.evolve(TASK.record("T-9", "complete"), outcome="failed")
    assert rolled_up((*items("complete"), failed)) == "incomplete"


@given(st.lists(st.sampled_from(["complete", "incomplete", "skipped"]), min_size=1))
def test_the_roll_up_is_what_the_rules_say(states):
    """One more skipped item changes nothing, one more incomplete one makes it incomplete."""
    outcome = rolled_up(items(*states))
    assert rolled_up(items(*states, "skipped")) == outcome
    assert rolled_up(items(*states, "incomplete")) == "incomplete"
    assert rolled_up(items(*states, "open")) is None


ENDS = {"deliver": "complete", "skip": "skipped"}


@pytest.mark.parametrize("trigger", ["deliver", "skip", "close_incomplete"])
@pytest.mark.parametrize(("states", "outcome"), [row for row in ROLLED if row[0]])
def test_a_request_ends_as_its_items_do(trigger, states, outcome):
    """Delivered if they are complete, skipped if they were; incomplete whatever they are; never while one is open."""
    tasks = items(*states)
    record = attrs.evolve(request("fulfilment"), links=tuple(("task", task.id) for task in tasks))
    decision = fire(record, trigger, REQUEST, related=tasks)
    if outcome is None:
        assert "open_tasks" in decision.codes
    elif ENDS.get(trigger, outcome) == outcome:
        assert decision.accepted
    else:
        assert decision.codes == ("items_differ",)
        assert dict(decision.reasons[0].facts) == {"items": outcome, "wanted": ENDS[trigger]}
        assert str(decision.reasons[0]) == f"its items come to {outcome}, not {ENDS[trigger]}"
    unseen = fire(record, trigger, REQUEST)
    assert unseen.codes == ("tasks_not_at_hand",)


def test_without_items_the_desk_says_how_it_ends():
    """Delivered, incomplete or skipped."""
    for trigger, state in [("deliver", "delivered"), ("skip", "skipped"), ("close_incomplete", "incomplete")]:
        assert after(request("on_hold"), fire(request("on_hold"), trigger, REQUEST)).state == state


def test_a_part_may_be_delivered_while_items_are_open():
    """That is what parts are for."""
    record = attrs.evolve(request("fulfilment"), links=(("task", "T-0"), ("task", "T-1")))
    assert fire(record, "deliver_part", REQUEST, related=items("complete", "open")).accepted


def test_buttons_say_what_is_in_the_way():
    """The tasks that are open, for each way to end."""
    record = attrs.evolve(request("fulfilment"), links=(("task", "T-0"),))
    shown = {o.trigger: o for o in options(record, ANA, REQUEST, related=items("open"))}
    assert [reason.code for reason in shown["deliver"].reasons] == ["open_tasks"]
    assert shown["deliver_part"].enabled
