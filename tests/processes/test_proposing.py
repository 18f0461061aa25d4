"""Proposals: every row walked through the real lifecycles, and what holds of all of them."""

from itertools import permutations

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import changing
from itsm_core.actors import Actor
from itsm_core.approvals import ApprovalRule, Panel
from itsm_core.commands import Command
from itsm_core.errors import InvalidValue
from itsm_core.lifecycle import decide
from itsm_core.processes import INCIDENT, PROBLEM, PROCESSES, PROPAGATIONS, Propagation, proposals
from itsm_core.processes.propagation import ANY, overridden
from itsm_core.records import apply
from walking import ACTORS, DAY, GIVEN, HOUR, TICK, T, after

ANA, TIME = ACTORS["agent"], ACTORS["time"]
RITA = Actor.person("rita", "agent")  # the requester works at the desk, too
LEAD = Actor.person("lead", "agent", "manager")
LOOK = "2024-12-01T00:00:00Z"
GOOD = {
    **GIVEN,
    "reason": "Because",
    "category": "mail",
    "service_change": "none",
    "impact": "high",
    "urgency": "low",
    "rca_method": "five whys",
    "causes": ["a leak in the queue"],
    "preventive_actions": ["watch the memory"],
    "verification": "A week under double load",
    "risk_accepted_by": "cfo",
    "risk_review_at": "2024-08-01T00:00:00Z",
    "look_again_at": LOOK,
    "workaround": "Restart the client",
    "published_to": ["users"],
}
LIFECYCLES = {**PROCESSES, "change": changing.OURS}
OUTCOMES = {"incident": "fixed_permanent", "problem": "fix_applied", "change": "successful"}
"""How records are resolved unless a test says otherwise."""


UNDECIDED = ApprovalRule([Panel("managers", ["lena"])], due=T + DAY, on_expiry="reject").to_dict()
"""A rule that rejects by time."""

# --- walking ---------------------------------------------------------------------------------


def opened(process, name, *, at=T, lifecycle=None, **fields):
    """A new record, by the one door."""
    held = {"record": name, "title": "Mail is down", "requester": "rita", **fields}
    if process == "task":
        held["part_of"] = "REQ-1"
    if process == "service_request":
        held["request_model"] = "laptop"
    return after(
        None, decide(None, Command("open", ANA, at=at, fields=held), lifecycle or PROCESSES[process])
    )


def does(record, trigger, actor=None, /, *, at=None, related=(), lifecycle=None, **fields):
    """The record after a command, and the last event that it made; what time does takes thirty days."""
    by_time = trigger in ("auto_close", "verify", "expire")
    actor, at = actor or (TIME if by_time else LEAD), at or (T + 30 * DAY if by_time else T)
    lifecycle = lifecycle or LIFECYCLES[record.process]
    needs = [need for row in lifecycle.rows(trigger, record.state) for need in row.requires if need.required]
    asked = {need.field for need in needs if not (need.kept and need.field in record.values)}
    outcome = {"resolution_outcome": OUTCOMES.get(record.process)}
    held = {name: {**GOOD, **outcome}[name] for name in asked - fields.keys()}
    command = Command(trigger, actor, at=at, fields={**held, **fields})
    decision = decide(record, command, lifecycle, related=related)
    assert decision.accepted, decision
    return after(record, decision), decision.events[-1]


def walked(record, *triggers, **fields):
    """The record after these triggers."""
    for trigger in triggers:
        asked = {name: value for name, value in fields.items() if trigger == "hold" or name == "at"}
        record, _ = does(record, trigger, **asked)
    return record


def linked(record, relation, other, **more):
    """The record with a link, made by the one door."""
    at = max(T, record.entered_at)
    return does(record, "link", at=at, relation=relation, other=getattr(other, "id", other), **more)[0]


_FIXING = ("assess", "analyse", "fix")
_DONE = ("start", "resolve")
# fmt: off
BEFORE_IT = {
    # how a record comes to where each trigger is fired, by process
    "incident": {
        "start": (), "resume": ("hold",), "hold": ("start",), "resolve": ("start",),
        "resolve_and_close": ("start",), "mark_duplicate": ("start",), "merge": ("start",),
        "retype": ("start",), "cancel": ("start",),
        "reopen": _DONE, "reopen_to_queue": _DONE, "close": _DONE, "auto_close": _DONE,
    },
    "problem": {
        "amend": ("assess",), "hold": ("assess", "analyse"),
        "resolve": _FIXING, "accept_risk": _FIXING, "mark_duplicate": _FIXING, "cancel": _FIXING,
        "close": (*_FIXING, "resolve"), "verify": (*_FIXING, "resolve"),
    },
    "change": {"hold": ("assess",), "resume": ("assess", "hold"), "cancel": ("assess",)},
    "service_request": {
        "mark_duplicate": ("start",), "merge": ("start",), "retype": ("start",), "cancel": ("start",),
        "reject": (), "expire": ("seek_approval",),
    },
}
# fmt: on
WAYS = {
    # how the other record comes to stand as a row wants it, by process and phase
    ("incident", "new"): [],
    ("incident", "active"): ["start"],
    ("incident", "waiting"): ["start", "hold"],
    ("incident", "resolved"): ["start", "resolve"],
    ("incident", "closed"): ["start", "resolve", "close"],
    ("problem", "new"): [],
    ("problem", "active"): ["assess"],
    ("problem", "fix_in_progress"): ["assess", "analyse", "fix"],
    ("problem", "waiting"): ["assess", "analyse", "fix", "hold"],
    ("problem", "resolved"): ["assess", "analyse", "fix", "resolve"],
    ("service_request", "fulfilment"): ["start"],
    ("service_request", "on_hold"): ["start", "hold"],
    ("task", "new"): [],
    ("task", "active"): ["start"],
    ("task", "waiting"): ["hold"],
}
BRINGS = {
    # what the event of a row is fired with, beside what it needs
    "children_wait": {"hold_reason": "supplier"},
    "a_workaround_is_told": {"workaround": "Restart the client", "published_to": ["users"]},
    "a_change_with_issues_ends_the_wait": {"resolution_outcome": "successful_with_issues"},
    "a_failed_change_is_noted_in_problems": {"resolution_outcome": "failed"},
    "a_failed_change_is_noted_in_incidents": {"resolution_outcome": "backed_out"},
}


def the_change_closes(link, **fields):
    """A change that fixes something, closed, and its last event."""
    failed = fields.get("resolution_outcome") in ("failed", "backed_out", "partial")
    record = changing.in_review(link(changing.implementing()), **fields)
    decision = changing.ask(record, "close", at=changing.END, fields=changing.REVIEWED if failed else {})
    return after(record, decision), decision.events[-1]


def fired(row, trigger, link, tasks=()):
    """The record of a row after its trigger, and the event; `link` links it first."""
    said, process = BRINGS.get(row.id, {}), row.process
    if (process, trigger) == ("change", "close"):
        return the_change_closes(link, **said)
    if process == "change":
        record = walked(link(changing.opened()), *BEFORE_IT[process][trigger], hold_reason="supplier")
        return does(record, trigger, **said)
    if trigger == "link":
        record = opened(process, "R-1", at=T + HOUR)
        return does(record, "link", at=T + HOUR, relation=row.relation, other="O-1")
    record = walked(opened(process, "R-1"), *BEFORE_IT[process][trigger], hold_reason="supplier")
    if trigger == "expire":
        record, _ = does(record, "request_approval", rule=UNDECIDED)
    if row.other == "task" and trigger in ("close", "auto_close", "verify", "resolve_and_close"):
        after_it, event = does(record, trigger)
        return link(after_it), event  # nothing closes over open tasks, so this one came later
    return does(link(record), trigger, related=tasks, **said)


def standings(row):
    """How the other record of a row may stand: by states if it names some, else by phases."""
    return row.states or tuple(phase.value for phase in row.phases)


def other_of(row, standing, name="O-1"):
    """A record that stands as a row wants it, waiting for what the row names."""
    waits = row.waits_on[0].value if row.waits_on else "supplier"
    return walked(opened(row.other, name), *WAYS[row.other, standing], hold_reason=waits, look_again_at=LOOK)


def take_up(proposal, record, at, related=(), actor=ANA):
    """What taking a proposal up comes to, and the record after it."""
    decision = decide(record, proposal.command(actor, at=at), PROCESSES[record.process], related=related)
    assert decision.accepted, (proposal, decision)
    return decision, after(record, decision)


ANYTHING = {ANY: ["amend", "hold", "cancel"]}
CASES = [
    (row, trigger, standing, way)
    for row in PROPAGATIONS
    for on in row.on
    for trigger in ANYTHING.get(on, [on])
    for standing in standings(row)
    for way in ("relation", "inverse")
    if not (row.rolls_up and way == "relation") and not (on == "link" and way == "inverse")
]


@pytest.mark.parametrize(
    ("row", "trigger", "standing", "way"), CASES, ids=lambda value: getattr(value, "id", value)
)
def test_every_row_is_walked_and_what_it_proposes_is_accepted(row, trigger, standing, way):
    """Real records, either way of the link, every trigger, every phase; carried out by an agent."""
    other, link, related = other_of(row, standing), lambda record: record, ()
    if way == "inverse" and not row.rolls_up:
        other = linked(other, row.inverse, "CHG-1" if row.process == "change" else "R-1")
    elif trigger != "link":
        link = lambda record: linked(record, row.relation, other)  # noqa: E731 - the one word for it
    if row.rolls_up:
        ends = (BEFORE[row.rolls_up, trigger], trigger)
        other, record, event, related = tasks_end(*ends, request=other)
    else:
        record, event = fired(row, trigger, link, [other])
    at_hand = [other, *related]
    (found,) = [one for one in proposals(record, event, at_hand) if one.row == row.id]
    assert (found.record, found.trigger, found.cause) == (other.id, row.asks, event.id)
    assert found.why == f"{record.number or record.id}: {trigger} ({row.source})"
    decision, taken = take_up(found, other, event.occurred_at + HOUR, related)
    assert {e.cause for e in decision.events} == {event.id}
    assert COMES_TO[row.id](taken, record), taken.values


COMES_TO = {
    # what the other record is after the proposal was carried out
    "children_start": lambda it, _: it.state == "in_progress",
    "children_wait": lambda it, _: (
        (it.state, it.waits_on, it.values["look_again_at"]) == ("on_hold", "supplier", LOOK)
    ),
    "children_resume": lambda it, _: it.state == "in_progress",
    "children_are_resolved": lambda it, by: (
        it.state == "resolved"
        and it.values["resolution_outcome"] == by.values["resolution_outcome"] == "fixed_permanent"
        and it.values["resolution_notes"] == "Changed the fuse"
    ),
    "children_are_reopened": lambda it, _: (it.state, it.reopened) == ("in_progress", 1),
    "children_go_back_to_the_queue": lambda it, _: (it.state, it.reopened) == ("new", 1),
    "a_fix_resolves_what_waits_for_it": lambda it, _: (
        (it.state, it.values["resolution_outcome"], it.values["resolution_notes"])
        == ("resolved", "by_problem", "Changed the fuse")
    ),
    "an_accepted_risk_is_noted": lambda it, _: it.phase.is_open,
    "a_workaround_is_told": lambda it, _: (
        it.phase.is_open and it.attempts[-1:] == (T + HOUR,)
    ),  # words to the requester
    "incidents_follow_the_original": lambda it, _: ("caused_by", "INC-9") in it.links,
    "a_recurrence_reopens_the_problem": lambda it, _: (it.state, it.reopened) == ("root_cause_analysis", 1),
    "a_change_ends_the_wait_of_problems": lambda it, _: it.state == "fix_in_progress",
    "a_change_resolves_its_problem": lambda it, by: (
        (it.state, it.values["resolution_outcome"], it.values["change_id"])
        == ("resolved", "by_change", by.id)
    ),
    "a_change_resolves_what_waits_for_it": lambda it, _: (
        (it.state, it.values["resolution_outcome"], it.values["resolution_notes"])
        == ("resolved", "by_change", "Replaced the queue")
    ),
    "a_change_with_issues_ends_the_wait": lambda it, _: it.state == "in_progress",
    **{
        f"a_{how}_change_is_noted_in_{what}s": lambda it, _: it.phase.is_open
        for how in ("failed", "cancelled")
        for what in ("problem", "incident")
    },
    **dict.fromkeys(
        ("tasks_of_an_incident_are_left", "items_of_a_request_are_left"),
        lambda it, _: it.outcome == "incomplete",
    ),
    **dict.fromkeys(
        (
            *(f"tasks_of_{owner}_are_skipped" for owner in ("an_incident", "a_problem", "a_change")),
            "items_of_a_request_are_skipped",
        ),
        lambda it, _: it.outcome == "skipped",
    ),
    "tasks_of_a_change_wait": lambda it, _: (it.state, it.waits_on) == ("on_hold", "change"),
    "tasks_of_a_change_resume": lambda it, _: it.state == "in_progress",
    "a_request_is_delivered": lambda it, _: it.state == "delivered",
    "a_request_ends_incomplete": lambda it, _: it.outcome == "incomplete",
    "a_request_is_skipped": lambda it, _: it.outcome == "skipped",
}


def test_every_row_and_trigger_is_walked():
    """The cases above leave none out."""
    assert {row.id for row, *_ in CASES} == {row.id for row in PROPAGATIONS} == set(COMES_TO)


# --- tasks roll up -----------------------------------------------------------------------------


def tasks_end(*triggers, request=None):
    """A request whose tasks ended so, the last of them, its event, and all tasks."""
    request = request or walked(opened("service_request", "REQ-1"), "start")
    tasks = []
    for number, trigger in enumerate(triggers):
        task = opened("task", f"TSK-{number}")
        request = linked(request, "task", task)
        tasks.append((task, None) if trigger is None else does(task, trigger))
    (task, event), records = tasks[-1], tuple(task for task, _ in tasks)
    return request, task, event, records


BEFORE = {
    # how another task ended before the last one, by what they come to together and how the last one ends
    ("complete", "complete"): "skip",
    ("complete", "skip"): "complete",
    ("incomplete", "complete"): "leave_incomplete",
    ("incomplete", "leave_incomplete"): "complete",
    ("incomplete", "skip"): "leave_incomplete",
    ("skipped", "skip"): "skip",
}


@pytest.mark.parametrize(
    ("triggers", "row"),
    [
        # platforms.md 2.5: all complete -> complete; any incomplete -> incomplete; all skipped -> skipped
        (["complete"], "a_request_is_delivered"),
        (["complete", "complete", "skip"], "a_request_is_delivered"),
        (["complete", "leave_incomplete"], "a_request_ends_incomplete"),
        (["leave_incomplete", "complete"], "a_request_ends_incomplete"),
        (["skip", "skip"], "a_request_is_skipped"),
        ([None, "complete"], None),
    ],
)
def test_a_request_comes_to_what_its_tasks_come_to(triggers, row):
    """By the last of them; while one is open it comes to nothing."""
    request, task, event, tasks = tasks_end(*triggers)
    found = proposals(task, event, [request, *tasks])
    assert [(one.row, one.record) for one in found] == ([] if row is None else [(row, "REQ-1")])
    if found:
        take_up(found[0], request, T + HOUR, tasks)


def test_a_task_that_is_not_at_hand_leaves_it_open():
    """Nothing is proposed of what is not known; the task itself is at hand, as it is after the event."""
    request, task, event, (first, last) = tasks_end("complete", "complete")
    assert proposals(task, event, [request]) == ()
    assert proposals(task, event, [request, last]) == ()
    assert len(proposals(task, event, [request, first])) == 1
    stale = opened("task", last.id)
    assert len(proposals(task, event, [request, first, stale])) == 1


def test_what_was_delivered_in_part_ends_incomplete_and_not_skipped():
    """The lifecycle says so, too: nothing that was delivered was skipped."""
    request = walked(opened("service_request", "REQ-1"), "start", "deliver_part")
    request, task, event, tasks = tasks_end("skip", request=request)
    (found,) = proposals(task, event, [request, *tasks])
    assert found.row == "a_request_ends_incomplete"
    take_up(found, request, T + HOUR, tasks)


@pytest.mark.parametrize("way", [[], ["seek_approval"], ["start", "cancel"]])
def test_a_request_that_is_not_being_fulfilled_is_not_asked_to_end(way):
    """Before fulfilment nothing was begun, and after its end nothing is left."""
    request = walked(opened("service_request", "REQ-1"), *way)
    request, task, event, tasks = tasks_end("complete", request=request)
    assert proposals(task, event, [request, *tasks]) == ()


# --- what proposes nothing ---------------------------------------------------------------------


def family(*ways, child=(), relation="parent_of"):
    """A parent after its last trigger, the event, and its child."""
    born = walked(opened("incident", "INC-2"), *child)
    parent = linked(opened("incident", "INC-1"), relation, born)
    for trigger in ways[:-1]:
        parent = walked(parent, trigger)
    return (*does(parent, ways[-1]), born)


@pytest.mark.parametrize("child", [(), ("start",), ("hold",), ("start", "resolve")], ids=str)
@pytest.mark.parametrize(
    "ways",
    [
        ("start", "resolve", "close"),
        ("start", "resolve", "auto_close"),
        ("cancel",),
        ("mark_duplicate",),
        ("merge",),
        ("retype",),
        ("start", "requeue"),
    ],
    ids=str,
)
def test_what_closes_or_cancels_a_parent_asks_nothing_of_its_children(ways, child):
    """platforms.md 2.5: Closed -> child not closed; Canceled -> nothing."""
    parent, event, born = family(*ways, child=child)
    assert proposals(parent, event, [born]) == ()


@pytest.mark.parametrize("reason", ["requester", "customer_approver", "internal", "schedule"])
def test_a_parent_that_waits_for_its_own_sake_leaves_its_children_at_work(reason):
    """platforms.md 2.5: On Hold Awaiting Caller -> child not updated; section 5, 19."""
    born = opened("incident", "INC-2")
    parent, event = does(linked(opened("incident", "INC-1"), "parent_of", born), "hold", hold_reason=reason)
    assert proposals(parent, event, [born]) == ()


@pytest.mark.parametrize("reason", ["requester", "internal"])
def test_a_child_that_waits_for_its_own_sake_waits_on(reason):
    """A parent that goes on ends only the waits that it may have handed on."""
    born = walked(opened("incident", "INC-2"), "hold", hold_reason=reason)
    parent = walked(linked(opened("incident", "INC-1"), "parent_of", born), "hold")
    assert proposals(*does(parent, "resume"), [born]) == ()


def test_a_child_that_waits_already_keeps_its_hold():
    """The parent's reason does not go over its own."""
    parent, event, born = family("hold", child=("hold",))
    assert proposals(parent, event, [born]) == ()


@pytest.mark.parametrize(
    ("actor", "more", "found"),
    [
        (ANA, {}, 1),
        (LEAD, {}, 1),
        (Actor.person("rita"), {}, 0),  # who asked, by the relation
        (RITA, {}, 0),  # who asked, though of the staff
        (Actor.automation("bot", "automation"), {}, 0),
        (TIME, {"on_behalf_of": "rita"}, 0),  # a reply of hers
        (ANA, {"on_behalf_of": "rita"}, 0),
        (ANA, {"on_behalf_of": "otto"}, 1),
    ],
)
@pytest.mark.parametrize("trigger", ["reopen", "reopen_to_queue"])
def test_only_staff_who_reopen_a_parent_ask_it_of_its_children(trigger, actor, more, found):
    """platforms.md 2.5: agent reopening the parent reopens children, a caller does not."""
    parent, _, born = family("start", "resolve", child=("start", "resolve"))
    command = Command(trigger, actor, at=T, fields={"reason": "Again"}, **more)
    decision = decide(parent, command, INCIDENT)
    reopened = after(parent, decision)
    assert [one.trigger for one in proposals(reopened, decision.events[-1], [born])] == [trigger] * found


def test_a_parent_that_nobody_asked_for_is_reopened_by_staff_all_the_same():
    """Monitoring opened it, so there is no requester that could be mistaken for one."""
    born = walked(opened("incident", "INC-2"), "resolve")
    parent = linked(opened("incident", "INC-1", requester=None), "parent_of", born)
    reopened, event = does(walked(parent, "resolve"), "reopen")
    assert len(proposals(reopened, event, [born])) == 1


def test_records_that_are_not_linked_so_are_left_out():
    """No link, another relation, a link the wrong way round, another process."""
    born = opened("incident", "INC-2")
    plain = opened("incident", "INC-1")
    for parent, other in (
        (plain, born),
        (linked(plain, "duplicates", born), born),
        (linked(plain, "child_of", born), born),
        (plain, linked(born, "parent_of", plain)),
        (linked(plain, "parent_of", "TSK-1"), opened("task", "TSK-1")),
        (linked(plain, "parent_of", "INC-3"), born),
    ):
        assert proposals(*does(parent, "start"), [other]) == ()


def test_an_event_after_which_the_record_has_moved_on_proposes_nothing():
    """A parent that was reopened since asks nobody to resolve."""
    parent, event, born = family("start", "resolve")
    assert len(proposals(parent, event, [born])) == 1
    reopened, _ = does(parent, "reopen")
    assert proposals(reopened, event, [born]) == ()


@pytest.mark.parametrize(
    "trigger", ["note", "communicate", "receive", "assign", "acknowledge", "reprioritise", "waive"]
)
def test_other_events_propose_nothing(trigger):
    """Words, assignments, grades; nor does a waiver or a refusal that names a trigger."""
    said = {
        "note": {"text": "Words"},
        "communicate": {"text": "Words"},
        "receive": {"text": "Words", "message_id": "m-1"},
        "assign": {"assignee": "bo"},
        "reprioritise": {"impact": "high", "urgency": "high"},
        "waive": {
            "trigger": "start",
            "separate_from": "open",
            "reason": "Two of us",
            "until": LOOK,
            "review": "mona",
        },
    }.get(trigger, {})
    born = opened("incident", "INC-2")
    parent, event = does(linked(opened("incident", "INC-1"), "parent_of", born), trigger, **said)
    assert proposals(parent, event, [born]) == ()
    refused = attrs.evolve(event, kind="refused", fields={"trigger": "start", "codes": ["role"]})
    assert proposals(parent, refused, [born]) == ()


# --- problem, change and incidents ---------------------------------------------------------------


def cause(*ways, incidents, relation="causes", **fields):
    """A problem after its last trigger and the event."""
    problem = opened("problem", "PRB-1")
    for incident in incidents:
        problem = linked(problem, relation, incident)
    problem = walked(problem, *ways[:-1])
    return does(problem, ways[-1], **fields)


FIX = ("assess", "analyse", "fix", "resolve")


def test_a_fix_resolves_only_what_waits_for_the_problem():
    """platforms.md 2.5: incidents that are On Hold / Awaiting Problem."""
    waiting = walked(opened("incident", "INC-1"), "hold", hold_reason="problem")
    others = [
        opened("incident", "INC-2"),
        walked(opened("incident", "INC-3"), "start"),
        walked(opened("incident", "INC-4"), "hold", hold_reason="supplier"),
        walked(opened("incident", "INC-5"), "hold", hold_reason="change"),
        walked(opened("incident", "INC-6"), "resolve"),
    ]
    found = proposals(*cause(*FIX, incidents=[waiting, *others]), [waiting, *others])
    assert [(one.record, one.trigger) for one in found] == [("INC-1", "resolve")]


@pytest.mark.parametrize(
    ("outcome", "count"), [("fix_applied", 1), ("by_change", 1), ("no_longer_relevant", 0)]
)
def test_a_problem_that_was_not_fixed_resolves_nothing(outcome, count):
    """What is no longer relevant was not mended."""
    waiting = walked(opened("incident", "INC-1"), "hold", hold_reason="problem")
    done = cause(*FIX, incidents=[waiting], resolution_outcome=outcome, change_id="CHG-1")
    assert len(proposals(*done, [waiting])) == count


@pytest.mark.parametrize(
    ("first", "then", "told"),
    [
        ({"workaround": "Restart"}, {"published_to": ["users"]}, True),
        ({"published_to": ["users"]}, {"workaround": "Restart"}, True),
        ({"workaround": "Restart", "published_to": ["users"]}, {"workaround": "Wait"}, True),
        ({"workaround": "Restart"}, {"workaround": "Wait"}, False),  # known to the desk alone
        ({"published_to": ["users"]}, {"workaround": ""}, False),
        ({"workaround": "Restart", "published_to": ["users"]}, {"workaround": None}, False),
        ({"workaround": "Restart", "published_to": ["users"]}, {"published_to": []}, False),
        ({"workaround": "Restart", "published_to": ["users"]}, {"category": "mail"}, False),
    ],
    ids=str,
)
def test_a_workaround_is_told_once_it_is_published(first, then, told):
    """Whichever of the two comes last; another edit tells nothing again."""
    incident = opened("incident", "INC-1")
    problem = linked(opened("problem", "PRB-1"), "causes", incident)
    problem, _ = does(problem, "amend", **first)
    problem, event = does(problem, "amend", **then)
    found = proposals(problem, event, [incident])
    assert [one.fields for one in found] == ([{"text": problem.values["workaround"]}] if told else [])


def test_nobody_is_told_where_nobody_asked():
    """Words to the requester would be refused, so they are not proposed."""
    incident = opened("incident", "INC-1", requester=None)
    problem = linked(opened("problem", "PRB-1"), "causes", incident)
    problem, event = does(problem, "amend", workaround="Restart", published_to=["users"])
    assert proposals(problem, event, [incident]) == ()
    row = next(row for row in PROPAGATIONS if row.id == "a_workaround_is_told")
    public = overridden(PROPAGATIONS, attrs.evolve(row, says={"audience": "public"}))
    (found,) = proposals(problem, event, [incident], public)
    take_up(found, incident, T)


def test_an_incident_that_names_the_original_already_is_not_linked_again():
    """Nor is one that would be its own cause."""
    incident = linked(opened("incident", "INC-1"), "caused_by", "PRB-9")
    done = cause("mark_duplicate", incidents=[incident], duplicate_of="PRB-9")
    assert proposals(*done, [incident]) == ()
    done = cause("mark_duplicate", incidents=["INC-1"], duplicate_of="INC-1")
    assert proposals(*done, [opened("incident", "INC-1")]) == ()


@pytest.mark.parametrize(("late", "count"), [(TICK, 1), (0 * TICK, 0), (-HOUR, 0)])
def test_only_an_incident_that_was_opened_after_the_fix_is_a_recurrence(late, count):
    """iso-20000.md PRB-07; linking an old one says nothing against the fix."""
    problem = walked(opened("problem", "PRB-1"), *FIX, at=T + HOUR)
    incident = opened("incident", "INC-1", at=T + HOUR + late)
    linked_so = does(incident, "link", at=T + 2 * HOUR, relation="caused_by", other="PRB-1")
    assert len(proposals(*linked_so, [problem])) == count
    for unknown in (attrs.evolve(problem, entered_at=None), problem):
        bare = attrs.evolve(linked_so[0], opened_at=None) if unknown is problem else linked_so[0]
        assert proposals(bare, linked_so[1], [unknown]) == ()


def test_a_link_concerns_the_record_that_it_names_and_no_other():
    """An incident with two causes: the link to one says nothing of the other."""
    fixed = [walked(opened("problem", name), *FIX) for name in ("PRB-1", "PRB-2")]
    incident = linked(opened("incident", "INC-1", at=T + HOUR), "caused_by", "PRB-1")
    incident, event = does(incident, "link", at=T + HOUR, relation="caused_by", other="PRB-2")
    assert [one.record for one in proposals(incident, event, fixed)] == ["PRB-2"]
    incident, event = does(incident, "link", at=T + HOUR, relation="duplicates", other="PRB-2")
    assert proposals(incident, event, fixed) == ()


@pytest.mark.parametrize(
    ("outcome", "problem", "incident"),
    [
        ("successful", ["resume"], ["resolve"]),
        ("successful_with_issues", ["resume"], ["resume"]),
        ("partial", ["note"], ["note"]),
        ("backed_out", ["note"], ["note"]),
        ("failed", ["note"], ["note"]),
    ],
)
def test_what_a_change_comes_to_decides_what_it_proposes(outcome, problem, incident):
    """Of those that wait for it: success resolves, issues are looked at, and what failed is noted."""
    waiting = [walked(other_of(row, "waiting", name)) for row, name in ((_ROWS["a_change_ends_the_wait_of_problems"], "PRB-1"), (_ROWS["a_change_resolves_what_waits_for_it"], "INC-1"))]  # fmt: skip
    both = lambda record: linked(linked(record, "fixes", waiting[0]), "fixes", waiting[1])  # noqa: E731
    found = proposals(*the_change_closes(both, resolution_outcome=outcome), waiting)
    assert [one.trigger for one in found if one.record == "PRB-1"] == problem
    assert [one.trigger for one in found if one.record == "INC-1"] == incident


_ROWS = {row.id: row for row in PROPAGATIONS}


def test_a_problem_that_is_being_fixed_is_resolved_by_its_change_and_no_other():
    """One that is still analysed is not: its cause is not known yet."""
    row = _ROWS["a_change_resolves_its_problem"]
    fixing, analysed = other_of(row, "fix_in_progress"), walked(opened("problem", "O-2"), "assess", "analyse")
    both = lambda record: linked(linked(record, "fixes", fixing), "fixes", analysed)  # noqa: E731
    (found,) = proposals(*the_change_closes(both), [fixing, analysed])
    assert (found.record, found.fields["change_id"]) == ("O-1", "CHG-1")


def test_tasks_that_were_held_by_hand_keep_their_hold():
    """platforms.md 2.5, Change: manually held tasks keep theirs."""
    by_hand = walked(opened("task", "TSK-1"), "hold", hold_reason="supplier")
    busy = walked(opened("task", "TSK-2"), "start")
    change = linked(linked(changing.assessed(), "task", by_hand), "task", busy)
    held, event = does(change, "hold", hold_reason="internal")
    (found,) = proposals(held, event, [by_hand, busy])
    _, waiting = take_up(found, busy, T)
    assert (found.record, waiting.waits_on) == ("TSK-2", "change")
    (found,) = proposals(*does(held, "resume"), [by_hand, waiting])
    assert (found.record, found.trigger) == ("TSK-2", "resume")


# --- the command -------------------------------------------------------------------------------


def test_a_proposal_taken_up_is_a_command_of_whoever_takes_it_up():
    """With its fields, an id that does not depend on who or when, and what it follows from."""
    parent, event, born = family("start", "resolve")
    (found,) = proposals(parent, event, [born])
    first, again = found.command(ANA, at=T), found.command(LEAD, at=T + DAY)
    assert first.id == again.id == found.id
    assert (first.trigger, first.actor, first.at, first.cause) == ("resolve", ANA, T, event.id)
    assert (
        first.fields
        == found.fields
        == {"resolution_outcome": "fixed_permanent", "resolution_notes": "Changed the fuse"}
    )


def test_fields_add_to_a_proposal_or_mend_it():
    """An instant to look again that has come by then is refused by the one door, and may be given anew."""
    parent, event, born = family("hold")
    (found,) = proposals(parent, event, [born])
    late = T + 400 * DAY
    refused = decide(born, found.command(ANA, at=late), INCIDENT)
    assert refused.codes == ("invalid_field",)
    mended = found.command(ANA, at=late, fields={"look_again_at": late + DAY, "category": "mail"})
    taken = after(born, decide(born, mended, INCIDENT))
    assert (taken.waits_on, taken.category) == ("supplier", "mail")
    assert found.fields["look_again_at"] == LOOK


def test_a_proposal_shows_no_words():
    """What is told of people stays out of logs; names of fields do not."""
    parent, event, born = family("start", "resolve")
    (found,) = proposals(parent, event, [born])
    assert "fuse" not in repr(found)
    assert "resolution_notes" in repr(found)


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", "The incident behind this was reopened."),
        ("zh", "相关的父事件已重新打开。"),
        ("fr", "The incident behind this was reopened."),
    ],
)
def test_words_are_said_in_the_language_asked_for(lang, words):
    """English where there is no other."""
    parent, event, born = family("start", "resolve", "reopen", child=("start", "resolve"))
    (found,) = proposals(parent, event, [born], lang=lang)
    assert found.fields == {"reason": words}


def test_words_in_one_language_alone_are_said_in_it():
    """Better than none."""
    row = attrs.evolve(_ROWS["children_are_reopened"], words={"reason": {"de": "Wieder offen"}})
    parent, event, born = family("start", "resolve", "reopen", child=("start", "resolve"))
    (found,) = proposals(parent, event, [born], [row], lang="zh")
    assert found.fields == {"reason": "Wieder offen"}


# --- words that stay where they are ------------------------------------------------------------------


@pytest.mark.parametrize("more", [{"security": True}, {"restricted": True}, {"tenant": "acme"}], ids=str)
def test_words_of_a_restricted_record_or_another_tenant_are_not_copied(more):
    """Codes and instants are; the row's own words stand in for the others."""
    born = opened("incident", "INC-2")
    parent = linked(opened("incident", "INC-1", **more), "parent_of", born)
    parent, event = does(parent, "resolve")
    (found,) = proposals(parent, event, [born])
    assert found.fields == {
        "resolution_outcome": "fixed_permanent",
        "resolution_notes": "The incident behind this was resolved.",
    }
    take_up(found, born, T)


def test_words_go_to_the_same_tenant_and_from_a_record_without_one():
    """A provider's own record concerns all of its tenants."""
    for ours, theirs in (("acme", "acme"), (None, "acme"), (None, None)):
        born = opened("incident", "INC-2", tenant=theirs)
        parent = linked(opened("incident", "INC-1", tenant=ours), "parent_of", born)
        (found,) = proposals(*does(parent, "resolve"), [born])
        assert found.fields["resolution_notes"] == "Changed the fuse"


def test_a_workaround_of_a_restricted_problem_is_not_told():
    """There are no other words for it."""
    incident = opened("incident", "INC-1")
    problem = linked(opened("problem", "PRB-1", security=True), "causes", incident)
    problem, event = does(problem, "amend", workaround="Restart", published_to=["users"])
    assert proposals(problem, event, [incident]) == ()


def test_a_personal_field_of_the_host_is_not_copied_either():
    """What the record marks as personal, under whatever name it lands."""
    row = attrs.evolve(_ROWS["children_start"], copies={"category": "room", "service": "service"})
    born = opened("incident", "INC-2")
    parent = linked(opened("incident", "INC-1", service="mail", restricted=True), "parent_of", born)
    parent = attrs.evolve(parent, values={**parent.values, "room": "12"}, personal=parent.personal | {"room"})
    (found,) = proposals(*does(parent, "start"), [born], [row])
    assert found.fields == {"service": "mail"}


def test_what_the_record_does_not_know_is_not_copied():
    """A parent on the least fields says no instant to look again, and its child needs none."""
    lite = INCIDENT.lite()
    born = opened("incident", "INC-2", lifecycle=lite)
    parent = linked(opened("incident", "INC-1", lifecycle=lite), "parent_of", born, lifecycle=lite)
    parent, event = does(parent, "hold", lifecycle=lite)
    (found,) = proposals(parent, event, [born])
    assert found.fields.keys() == {"hold_reason", "message"}
    assert decide(born, found.command(ANA, at=T), lite).accepted


# --- bad input ---------------------------------------------------------------------------------


def test_what_is_no_record_event_or_list_is_refused():
    """By name, with what to give."""
    parent, event, born = family("start")
    for wrong, message in (
        (("INC-1", event, [born]), "record 'INC-1': is no Record; give the record after the event"),
        ((parent, "start", [born]), "event 'start': is no Event; give an event of the record"),
        ((parent, event, born), "linked .*: is no list of Record"),
        ((parent, event, None), "linked None: is no list of Record"),
        ((parent, event, ["INC-2"]), "linked 'INC-2': is no Record"),
        ((born, event, [parent]), "is of INC-1, not of INC-2; give an event of the record"),
        ((parent, event, [born], "table"), "table 'table': is no list of Propagation"),
        ((parent, event, [born], PROPAGATIONS * 2), "is the id of two rows"),
    ):
        with pytest.raises(InvalidValue, match=message):
            proposals(*wrong)


@pytest.mark.parametrize("name", ["R/1", "", "'; drop table", "\N{WORD JOINER}", "x" * 5000])
def test_odd_ids_are_ids_too(name):
    """Two proposals are never one command, however the ids are written."""
    parent, event, born = family("start")
    born = attrs.evolve(born, id=name)
    parent = attrs.evolve(parent, links=(("parent_of", name),))
    (found,) = proposals(parent, event, [born])
    assert (found.record, len(found.id)) == (name, len("proposal/") + 64)


def test_ids_do_not_run_into_each_other():
    """a/b of c is another command than b of c/a."""
    parent, event, born = family("start")
    (found,) = proposals(parent, event, [born])
    assert attrs.evolve(found, cause="a/b", row="c").id != attrs.evolve(found, cause="a", row="b/c").id


# --- the table is the user's ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"configuration_items": ["mx1"]}, 1),
        ({"configuration_items": ["mx3", "mx2"]}, 1),
        ({"configuration_items": ["mx3"]}, 0),
        ({"configuration_items": ()}, 1),
        ({"category": ()}, 0),
        ({"service": "mail", "configuration_items": ()}, 1),
        ({"service": "mail", "category": "queue"}, 0),
    ],
    ids=str,
)
def test_where_asks_for_one_of_the_values_or_any_at_all(where, found):
    """Of a list that the record holds, one is enough; all names have to be met."""
    row = attrs.evolve(_ROWS["children_start"], where=where)
    born = opened("incident", "INC-2")
    parent = opened("incident", "INC-1", service="mail", configuration_items=["mx1", "mx2"])
    assert len(proposals(*does(linked(parent, "parent_of", born), "start"), [born], [row])) == found


def test_a_row_of_ones_own_may_be_set_off_by_any_command():
    """A parent's priority, its opening, or a reply that came in."""
    said = {"process": "incident", "relation": "parent_of", "inverse": "child_of", "other": "incident"}
    rows = [
        Propagation("graded", "our rule", on="reprioritise", asks="reprioritise",
                    copies={"impact": "impact", "urgency": "urgency"}, **said),
        Propagation("opened", "our rule", on="open", asks="note", words={"text": "It has a parent"}, **said),
        Propagation("replied", "our rule", on="receive", asks="note", words={"text": "They wrote"}, **said),
        Propagation("told", "our rule", on="communicate", asks="note", words={"text": "We wrote"}, **said),
    ]  # fmt: skip
    born = linked(opened("incident", "INC-2"), "child_of", "INC-1")
    parent = opened("incident", "INC-1")
    opening = Command("open", ANA, at=T, fields={"record": "INC-1", "title": "Mail is down"})
    (first,) = decide(None, opening, INCIDENT).events
    found = [proposals(apply(None, first), first, [born], rows)]
    for trigger, fields in (
        ("reprioritise", {"impact": "high", "urgency": "high"}),
        ("receive", {"text": "Hello", "message_id": "m-1"}),
        ("communicate", {"text": "Hello"}),
    ):
        found.append(proposals(*does(parent, trigger, **fields), [born], rows))
    assert [[one.row for one in each] for each in found] == [["opened"], ["graded"], ["replied"], ["told"]]
    assert take_up(found[1][0], born, T)[1].priority == "P1"


# --- laws ----------------------------------------------------------------------------------------

PLAIN = sorted(INCIDENT.by_trigger.keys() - {"auto_close"})
HOLDS = ("change", "problem", "supplier", "requester", "internal")


def tried(record, trigger, actor, at, **fields):
    """The record after a command and its event; None where it is refused."""
    lifecycle = PROCESSES[record.process]
    needs = [need.field for row in lifecycle.rows(trigger, record.state) for need in row.requires]
    outcome = {"resolution_outcome": OUTCOMES.get(record.process)}
    held = {name: {**GOOD, **outcome, **fields}[name] for name in needs}
    decision = decide(record, Command(trigger, actor, at=at, fields=held), lifecycle)
    return (after(record, decision), decision.events[-1]) if decision.accepted else None


steps = st.lists(
    st.tuples(st.sampled_from(("one", "other")), st.sampled_from(PLAIN), st.sampled_from(HOLDS)), max_size=8
)


@pytest.mark.law
@given(steps=steps)
def test_whatever_parent_and_child_went_through_a_proposal_is_accepted(steps):
    """A random walk of both: no proposal of the shipped table is refused at the instant it is made."""
    pair = {
        "one": linked(opened("incident", "INC-1"), "parent_of", "INC-2"),
        "other": opened("incident", "INC-2"),
    }
    for who, trigger, reason in steps:
        moved = tried(pair[who], trigger, LEAD, T, hold_reason=reason)
        if moved is None:
            continue
        pair[who], event = moved
        found = proposals(pair[who], event, [pair["other" if who == "one" else "one"]])
        assert who == "one" or found == ()
        for one in found:
            take_up(one, pair["other"], T)


problem_steps = st.lists(
    st.one_of(
        st.tuples(st.just("problem"), st.sampled_from(sorted(PROBLEM.by_trigger.keys() - {"verify"}))),
        st.tuples(st.just("incident"), st.sampled_from(PLAIN)),
    ),
    max_size=12,
)


@pytest.mark.law
@given(
    steps=problem_steps,
    outcome=st.sampled_from(("fix_applied", "no_longer_relevant")),
    reason=st.sampled_from(HOLDS),
)
def test_whatever_problem_and_incident_went_through_a_proposal_is_accepted(steps, outcome, reason):
    """A random walk of both, as above."""
    pair = {
        "problem": opened("problem", "PRB-1"),
        "incident": linked(opened("incident", "INC-1"), "caused_by", "PRB-1"),
    }
    for who, trigger in steps:
        more = {"resolution_outcome": outcome} if who == "problem" else {"hold_reason": reason}
        if (moved := tried(pair[who], trigger, LEAD, T, **more)) is None:
            continue
        pair[who], event = moved
        for one in proposals(pair[who], event, list(pair.values())):
            take_up(one, pair[next(name for name, it in pair.items() if it.id == one.record)], T)


names = st.sampled_from(["INC-1", "INC-2", "INC-3", "PRB-1"])
links = st.lists(
    st.tuples(st.sampled_from(["parent_of", "child_of", "caused_by", "causes", "follows"]), names), max_size=5
)


@st.composite
def worlds(draw):
    """Three incidents and a problem in any state with any links, and an event of one of them."""
    ways = {"INC": st.sampled_from([[], ["start"], ["hold"], ["start", "resolve"], ["cancel"]]),
            "PRB": st.sampled_from([[], ["assess"], [*FIX[:3]], [*FIX]])}  # fmt: skip
    world = {}
    for name in ("INC-1", "INC-2", "INC-3", "PRB-1"):
        record = opened("problem" if name == "PRB-1" else "incident", name)
        record = walked(record, *draw(ways[name[:3]]), hold_reason=draw(st.sampled_from(HOLDS)))
        world[name] = attrs.evolve(record, links=tuple(draw(links)))
    triggers = sorted({*INCIDENT.by_trigger, *PROBLEM.by_trigger} - {"auto_close", "verify"})
    moved = None
    while moved is None:
        record = world[draw(names)]
        lifecycle = PROCESSES[record.process]
        allowed = [name for name in lifecycle.triggers_from(record.state) if name in triggers]
        trigger = draw(st.sampled_from(allowed)) if allowed else "note"
        moved = tried(record, trigger, LEAD, T) if allowed else does(record, "note", text="Words")
    return {**world, moved[0].id: moved[0]}, *moved


@pytest.mark.law
@given(world=worlds(), data=st.data())
def test_proposals_are_the_same_in_whatever_order_the_records_come(world, data):
    """Deterministic; given twice, given as they were before, or with the record itself among them."""
    records, record, event = world
    found = proposals(record, event, records.values())
    others = [one for one in records.values() if one.id != record.id]
    mixed = data.draw(st.permutations([*records.values(), *others]))
    older = [attrs.evolve(one, version=0, state="new", links=()) for one in others]
    assert proposals(record, event, iter(mixed)) == found
    assert proposals(record, event, others) == found
    assert proposals(record, event, [*others, *older]) == found


@pytest.mark.law
@given(world=worlds())
def test_proposals_change_nothing_and_name_linked_records_alone(world):
    """Each is a command of its own, the order that of the table and then of the ids."""
    records, record, event = world
    before = repr([attrs.asdict(one) for one in (*records.values(), event)])
    found = proposals(record, event, records.values())
    assert repr([attrs.asdict(one) for one in (*records.values(), event)]) == before
    named = {other for _, other in record.links} | {
        one.id for one in records.values() if record.id in dict(map(reversed, one.links))
    }
    assert {one.record for one in found} <= named - {record.id}
    assert len({one.id for one in found}) == len(found)
    order = [row.id for row in PROPAGATIONS]
    assert [(order.index(one.row), one.record) for one in found] == sorted(
        (order.index(one.row), one.record) for one in found
    )


@pytest.mark.law
@settings(max_examples=60)
@given(world=worlds())
def test_a_desk_that_takes_everything_up_comes_to_rest(world):
    """Links may go in circles; no row sets off another for ever."""
    records, record, event = world
    waiting, taken = [(record, event)], 0
    while waiting:
        moved, because = waiting.pop(0)
        for one in proposals(moved, because, records.values()):
            decision = decide(
                records[one.record], one.command(LEAD, at=T), PROCESSES[records[one.record].process]
            )
            if decision.accepted:
                for made in decision.events:
                    records[one.record] = apply(records[one.record], made)
                    waiting.append((records[one.record], made))
                taken += 1
    assert taken < 30


def test_the_same_event_proposes_the_same_commands_for_ever():
    """Ids follow from the cause, the row and the record alone: in any order, at any time."""
    parent, event, _ = family("start", "resolve")
    parent = attrs.evolve(parent, links=(("parent_of", "INC-2"), ("parent_of", "INC-3")))
    born = [opened("incident", name) for name in ("INC-3", "INC-2")]
    ids = {tuple(one.id for one in proposals(parent, event, mixed)) for mixed in permutations(born)}
    ((first, second),) = ids
    assert first != second


def test_hundreds_of_children_are_proposed_for_at_once():
    """A major incident with its children is no load."""
    born = [
        attrs.evolve(opened("incident", "INC-2"), id=f"C-{n}", links=(("child_of", "INC-1"),))
        for n in range(2000)
    ]
    parent, event = does(opened("incident", "INC-1"), "resolve")
    assert len(proposals(parent, event, born)) == 2000
