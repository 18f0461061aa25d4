"""`walk`: a record walked along a path, with actors who may and fields that answer what is asked."""

import datetime as dt

import attrs
import pytest
from hypothesis import given

from changing import OURS, PEOPLE
from itsm_core import Actor, BusinessCalendar, Command, CustomField, InvalidValue, fold
from itsm_core.approvals import ApprovalRule, Panel
from itsm_core.lifecycle import State, Transition
from itsm_core.lifecycle.timers import TIME
from itsm_core.processes import INCIDENT, PROBLEM, SERVICE_REQUEST, TASK, authority
from itsm_core.testing import edges_of, paths, walk
from itsm_core.testing.walking import EVERY, START
from random_lifecycles import sound_lifecycles

ANA, MONA = Actor.person("ana", "agent"), Actor.person("mona", "manager")
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


def moved(events):
    """The edges that a record went along."""
    return tuple((e.fields["trigger"], e.from_state, e.to_state) for e in events if e.kind == "transitioned")


# --- the shipped lifecycles, every edge by the one door -----------------------------------------


@pytest.mark.parametrize("cover", ["states", "transitions", "pairs"])
@pytest.mark.parametrize("lifecycle", [INCIDENT, TASK], ids=lambda one: one.id)
def test_all_paths_of_a_lifecycle_without_approvals_are_walked_as_they_are(lifecycle, cover):
    """By the first who may, with a value for each field; timers when they are due."""
    for path in paths(lifecycle, cover):
        assert moved(walk(lifecycle, path)) == path


def asks_managers(record, trigger):
    """The request for approval and the votes that a service request in approval takes."""
    voters = {"approve": ("lena",), "reject": ("lena", "otto"), "expire": ()}
    if record.state == "approval" and trigger in voters:
        rule = ApprovalRule(
            [Panel("managers", ["lena", "otto"])], due=record.changed_at + DAY, on_expiry="reject"
        )
        yield Command("request_approval", ANA, at=record.changed_at, fields={"rule": rule.to_dict()})
        for voter in voters[trigger]:
            yield Command("vote", Actor.person(voter), at=record.changed_at, fields={"vote": trigger})


def test_all_edges_of_a_service_request_are_walked_with_its_votes():
    """`prepare` gives the commands that go before."""
    walked = {edge for path in paths(SERVICE_REQUEST)
              for edge in moved(walk(SERVICE_REQUEST, path, prepare=asks_managers))}  # fmt: skip
    assert walked == set(edges_of(SERVICE_REQUEST))


def where_it_was(before, edge):
    """A hold ends where it began."""
    return edge.trigger != "resume" or before.source == edge.dest


def accepted_for_an_hour(record, trigger):
    """A risk that is accepted until shortly before the next step."""
    if trigger != "accept_risk":
        return None
    return {"risk_review_at": record.changed_at + EVERY + EVERY / 2}


def test_all_edges_of_a_problem_are_walked_where_holds_end_where_they_began():
    """`follows` keeps edges apart, `fields` says more of a field than that it is an instant."""
    walked = set()
    for path in paths(PROBLEM, follows=where_it_was):
        walked |= set(moved(walk(PROBLEM, path, fields=accepted_for_an_hour)))
    assert walked == set(edges_of(PROBLEM))


KINDS = {"assess": "normal", "schedule": "standard", "expedite": "emergency"}


def of_a_change(record, trigger):
    """What guards of a change look at: its kind, a window that is open, times that are past."""
    if record is None:
        return {"change_kind": "normal", "category": "mail", "likelihood": "low", "impact": "low"}
    now = record.changed_at
    known = {
        "planned_start": now + 2 * DAY, "planned_end": now + 300 * DAY, "told_at": now,
        "actual_start": now, "actual_end": now + HOUR / 2, "template": "reboot", "template_version": 2,
        "resolution_outcome": "successful", "review_result": "fine", "review_actions": ["none"],
    }  # fmt: skip
    asked = {need.field for row in OURS.rows(trigger, record.state) for need in row.requires}
    missing = {name: value for name, value in known.items() if name in asked and name not in record.values}
    return {**missing, **({"change_kind": KINDS[trigger]} if trigger in KINDS else {})}


def asks_the_authority(record, trigger):
    """The request for approval under the authority that a change takes, and enough votes."""
    found = record.actor_of("report_unauthorised") is not None
    if trigger not in ("authorize", "reject", "expire") and not (trigger == "close" and found):
        return
    at, rule = record.changed_at, authority(record, PEOPLE)
    if trigger == "expire":
        rule = attrs.evolve(rule, due=at + DAY, on_expiry="reject")
    choice = "reject" if trigger == "reject" else "approve"
    yield Command("request_approval", ANA, at=at, fields={"rule": rule.to_dict()})
    if trigger == "expire":
        return
    for voter in ("pia",) if record.values["change_kind"] == "normal" and not found else ("mona", "sam"):
        if voter in rule.panels[0].members:
            yield Command("vote", Actor.person(voter), at=at, fields={"vote": choice})


def test_all_edges_of_a_change_are_walked_with_windows_and_votes():
    """Under a policy that knows the template; its kind is chosen in New."""
    walked = set()
    for path in paths(OURS, follows=where_it_was):
        walked |= set(moved(walk(OURS, path, fields=of_a_change, prepare=asks_the_authority)))
    assert walked == set(edges_of(OURS))


# --- how it walks --------------------------------------------------------------------------------


def test_a_path_may_be_written_as_triggers():
    """An hour for each step, from nine o'clock on a Monday."""
    events = walk(INCIDENT, ("start", "resolve", "close"))
    assert [event.kind for event in events] == ["opened", "transitioned", "transitioned", "transitioned"]
    assert [event.occurred_at for event in events] == [START + n * HOUR for n in range(4)]
    assert fold(events).state == "closed"
    assert walk(INCIDENT, ()) == events[:1]
    assert walk(INCIDENT, iter(["start", "resolve", "close"])) == events


def test_a_message_that_is_asked_for_is_sent():
    """Holding tells the requester, so two events are made."""
    kinds = [event.kind for event in walk(INCIDENT, ("hold",))]
    assert kinds == ["opened", "communicated", "transitioned"]


def test_time_fires_what_is_due():
    """On the calendar that is given, else around the clock."""
    path = ("resolve", "auto_close")
    *_, last = walk(INCIDENT, path)
    assert (last.actor, last.occurred_at) == (TIME, START + HOUR + 5 * DAY)
    office = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")
    *_, last = walk(INCIDENT, path, calendar=office)
    assert last.occurred_at == START + HOUR + 7 * DAY


def test_a_timer_that_never_falls_due_is_told():
    """A calendar that never opens."""
    never = BusinessCalendar.never("UTC")
    with pytest.raises(AssertionError, match="falls due never"):
        walk(INCIDENT, ("resolve", "auto_close"), calendar=never)


def test_it_is_opened_when_and_by_whom_is_said():
    """Each of the actors is tried in turn; fields by name replace those that are made up."""
    at = dt.datetime(2026, 3, 2, 12, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    first, second = walk(INCIDENT, ("cancel",), actors=[MONA], at=at, fields={"reason": "Spam", "room": "12"})
    assert (first.actor, first.occurred_at, first.fields["title"]) == (MONA, at, "A walk")
    assert (second.actor, second.fields["reason"]) == (MONA, "Spam")
    assert "room" not in second.fields


def test_duties_that_are_kept_apart_are_done_by_two():
    """Somebody else resolves than who closes."""
    rows = [attrs.evolve(t, separate_from=("resolve",)) if t.trigger == "close" else t
            for t in INCIDENT.transitions]  # fmt: skip
    apart = attrs.evolve(INCIDENT, transitions=rows)
    *_, resolved, closed = walk(apart, ("resolve", "close"))
    assert resolved.actor != closed.actor
    with pytest.raises(AssertionError, match=r"stops in resolved, at close: .*\n.*had a hand in resolve"):
        walk(apart, ("resolve", "close"), actors=[MONA])


def test_records_beside_and_fields_of_the_host_are_looked_at():
    """As `decide` does."""
    todo = TASK.record("R-2", "open")

    def links(record, trigger):
        if trigger == "close":
            fields = {"relation": "task", "other": "R-2", "room": "12"}
            yield Command("link", MONA, at=record.changed_at, fields=fields)

    room = CustomField("room", "text")
    for related, wrong in ((), "not at hand"), ([todo], "still to be done"):
        with pytest.raises(AssertionError, match=wrong):
            walk(INCIDENT, ("resolve", "close"), prepare=links, related=related, custom=[room])
    done = TASK.record("R-2", "skipped")
    assert walk(INCIDENT, ("resolve", "close"), prepare=links, related=[done], custom=[room])


# --- where it stops ------------------------------------------------------------------------------


def test_a_trigger_that_leads_nowhere_is_told():
    """With those that do lead on."""
    with pytest.raises(AssertionError) as stopped:
        walk(TASK, ("complete", "start"))
    assert str(stopped.value) == (
        "walk of task 1 stops in complete, at start: it does not lead out of there; these do: none"
    )
    with pytest.raises(AssertionError, match="at 7: it does not lead out of there; these do: start, hold"):
        walk(TASK, (7,))


def test_a_refusal_is_told_with_who_tried_what():
    """The one with the fewest reasons."""
    with pytest.raises(AssertionError) as stopped:
        walk(INCIDENT, ("merge",), fields={"merged_into": "R-1"})
    head, reason = str(stopped.value).splitlines()
    assert head == (
        "walk of incident 1 stops in new, at merge: merge on a record in new by the agent (agent) "
        "at 2024-02-05T10:00:00+00:00, fields {merged_into='R-1'}"
    )
    assert reason == "  refused: R-1 cannot take over from itself; name another record"


def test_an_opening_that_is_refused_is_told():
    """Before there is a record; and where nobody is there to open one."""
    with pytest.raises(AssertionError, match=r"stops before it is opened, at open: .*\n  refused: part_of"):
        walk(TASK, (), fields={"part_of": 7})
    with pytest.raises(AssertionError, match="stops before it is opened, at open: it does not lead out"):
        walk(TASK, (), actors=[])


def test_a_preparation_that_is_refused_is_told():
    """It is one of the test's own making."""
    wrong = Command("vote", ANA, at=START, fields={"vote": "approve"})
    with pytest.raises(AssertionError, match="at preparing start by vote: vote on a record in new by ana"):
        walk(INCIDENT, ("start",), prepare=lambda *_: [wrong])


def test_an_edge_has_to_lead_where_it_says():
    """A guard may choose another way of the same trigger."""
    forked = attrs.evolve(
        TASK, states=[*TASK.states, State("void", "closed", outcome="void")],
        transitions=[Transition("start", "open", dest="void", roles={"agent"}, guards=("is_x",)), *TASK.transitions],
        guards={"is_x": lambda s: None if s.get("category") == "x" else "no"},
    )  # fmt: skip
    by_edges = {edge for path in paths(forked) for edge in path if edge.source == "open"}
    (start,) = (edge for edge in by_edges if edge.trigger == "start" and edge.dest == "in_progress")
    (void,) = (edge for edge in by_edges if edge.dest == "void")
    assert fold(walk(forked, (start,))).state == "in_progress"
    assert fold(walk(forked, (void,), fields=lambda r, t: {"category": "x"})).state == "void"
    with pytest.raises(AssertionError, match="it led to in_progress; bring fields that fit the guards"):
        walk(forked, (void,))


@pytest.mark.law
@given(sound_lifecycles)
def test_any_path_is_walked_or_a_guard_says_why_not(lifecycle):
    """Nothing but a guard that always objects stops a walk, and every step keeps every law."""
    for path in paths(lifecycle):
        try:
            assert moved(walk(lifecycle, path)) == path
        except AssertionError as stopped:
            assert "not today" in str(stopped) or "it led to" in str(stopped), stopped  # noqa: PT017


# fmt: off
BAD = {
    "a text":           ({"path": "start"}, "no list of steps"),
    "no lifecycle":     ({"lifecycle": "incident"}, "lifecycle"),
    "no actors":        ({"actors": ["ana"]}, "actors"),
    "one actor":        ({"actors": ANA}, "actors"),
    "a naive instant":  ({"at": dt.datetime(2024, 2, 5)}, "zone|aware"),
    "fields as a list": ({"fields": ["reason"]}, "are no mapping"),
}
# fmt: on


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused(name):
    """With what to write instead."""
    given, reason = BAD[name]
    known = {"lifecycle": INCIDENT, "path": ("start",), **given}
    with pytest.raises(InvalidValue, match=reason):
        walk(known.pop("lifecycle"), known.pop("path"), **known)
