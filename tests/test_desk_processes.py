"""The desk runs all processes: time closes, records follow one another, approvals are counted, versions move."""

import contextlib
import datetime as dt
import signal
import subprocess
import sys
import threading

import attrs
import pytest

from itsm_core import (
    INCIDENT,
    Actor,
    BusinessCalendar,
    InvalidValue,
    RecordNotFound,
    ServiceDesk,
    TransitionRefused,
    VersionConflict,
    business_days,
    default_agreement,
    road,
    stores,
)
from itsm_core.approvals import ApprovalRule, Panel, tally
from itsm_core.business_time import hours
from itsm_core.commands import Command
from itsm_core.events import Phase
from itsm_core.lifecycle import Need, State, Transition, decide
from itsm_core.lifecycle.migration import MigrationPlan
from itsm_core.ports import FOLD, ChangeSet, Snapshot
from itsm_core.processes import (
    APPROVING,
    CHANGE,
    PROCESSES,
    SHIPPED,
    ChangePolicy,
    ChangeTemplate,
    Recurring,
    RequestModel,
    authority,
    governed,
)
from itsm_core.records import apply, fold
from itsm_core.sla import evaluate, trace

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)  # a Monday
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
ANA, BO = Actor.person("ana", "agent"), Actor.person("bo", "agent", "manager")
UMA = Actor.person("uma")
HIGH = {"impact": "high", "urgency": "high"}
DONE = {"resolution_outcome": "fixed_permanent", "resolution_notes": "restarted"}
REBOOT = ChangeTemplate("reboot", 1, valid_from=T0 - DAY, valid_until=T0 + 30 * DAY)
OFFICE = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/Berlin", holidays=["2024-01-10"])


@pytest.fixture
def sent():
    """What the notifier was given."""
    return []


@pytest.fixture
def desk(store, sent):
    """A desk with all processes, office hours, an agreement, and a notifier that keeps what it gets."""
    return ServiceDesk(
        store, agreement=default_agreement(OFFICE), calendar=OFFICE, notifiers=sent.append, worker="w1"
    )


def opened(desk, number="INC-1", **extra):
    """A P1 incident of uma's, opened at T0."""
    given = {"actor": UMA, "at": T0, "fields": HIGH, "record_id": number, "channel": "portal", **extra}
    return desk.open("Mail is down", **given)


def kinds(desk, number="INC-1"):
    """The kinds of a record's events."""
    return [event.kind for event in desk.history(number)]


# --- time closes ----------------------------------------------------------------------------------


def test_a_resolved_incident_closes_by_itself_and_says_so_beforehand(desk, sent):
    """Five business days after it was resolved, in office hours that know the holiday on Wednesday."""
    opened(desk)
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)  # Monday, 11:00 in Berlin
    desk.tick(T0 + HOUR)
    assert [m.to for m in sent] == ["uma"]
    assert "2024-01-16 11:00 CET" in sent[0].body
    due = desk.next_due()
    assert due == dt.datetime(2024, 1, 16, 10, tzinfo=dt.UTC)
    assert desk.tick(due - MINUTE).expired == 0
    assert desk.get("INC-1").state == "resolved"
    assert desk.tick(due).expired == 1
    closed = desk.get("INC-1")
    assert (closed.state, closed.outcome, closed.changed_at) == ("closed", "completed", due)
    assert desk.next_due() is None
    assert kinds(desk) == ["opened", "transitioned", "communicated", "transitioned"]
    assert fold(desk.history("INC-1")) == closed


def test_work_on_a_resolved_incident_does_not_start_its_time_anew(desk):
    """Counted from when it was resolved, not from when somebody last touched it."""
    opened(desk)
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    desk.tick(T0 + HOUR)
    due = desk.next_due()
    desk.note("INC-1", "looked again", actor=ANA, at=T0 + 3 * DAY)
    assert desk.next_due() == due


def test_a_reply_keeps_it_open_and_the_next_resolution_counts_anew(desk):
    """The timer goes with the state."""
    opened(desk)
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    desk.receive("INC-1", "still down", actor=UMA, at=T0 + DAY, message_id="1")
    desk.tick(T0 + DAY)
    assert desk.get("INC-1").state == "in_progress"
    assert desk.next_due() is None
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + 2 * DAY, fields=DONE)
    desk.tick(T0 + 2 * DAY)
    assert desk.next_due() == dt.datetime(
        2024, 1, 18, 8, tzinfo=dt.UTC
    )  # from Thursday 09:00, after the holiday


@pytest.mark.parametrize("what", ["major", "security", "complaint"])
def test_what_needs_a_person_never_closes_by_itself(desk, sent, what):
    """Also where somebody finds out after it was resolved."""
    opened(desk, fields={**HIGH, what: True})
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    desk.tick(T0 + HOUR)
    assert desk.next_due() is None
    assert sent == []
    opened(desk, "INC-2")
    desk.fire("INC-2", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    desk.tick(T0 + HOUR)
    desk.fire("INC-2", "amend", actor=ANA, at=T0 + DAY, fields={what: True})
    assert desk.next_due() is None
    assert desk.tick(T0 + 30 * DAY).expired == 0
    assert desk.get("INC-2").state == "resolved"


def test_two_workers_close_a_record_once(tmp_path):
    """Each with its own connection; the second finds nothing left to do."""
    desks = [
        ServiceDesk(stores.open(f"sqlite:///{tmp_path / 'desk.db'}"), worker=worker)
        for worker in ("w1", "w2")
    ]
    opened(desks[0])
    desks[0].fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    done = [desk.tick(T0 + 30 * DAY).expired for desk in desks]
    assert done == [1, 0]
    assert kinds(desks[1]).count("transitioned") == 2
    for desk in desks:
        desk.store.close()


def test_a_timer_edge_that_is_refused_is_noted_and_does_not_come_again(store):
    """Its own lifecycle asks time for a field that time does not bring."""
    rows = [
        attrs.evolve(t, requires=INCIDENT.by_trigger["close"][0].requires) if t.after else t
        for t in INCIDENT.transitions
    ]
    desk = ServiceDesk(store, lifecycles=attrs.evolve(INCIDENT, transitions=rows))
    opened(desk)
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    assert desk.tick(T0 + 30 * DAY).expired == 0
    assert kinds(desk)[-1] == "refused"
    assert desk.tick(T0 + 31 * DAY).expired == 0
    assert kinds(desk).count("refused") == 1


# --- one record after another ---------------------------------------------------------------------


def test_an_incident_becomes_a_request_and_keeps_the_start_of_its_promise(desk):
    """Linked both ways; who asked and what about go on, how it was treated does not."""
    opened(desk, fields={**HIGH, "service": "mail"})
    desk.fire("INC-1", "start", actor=ANA, at=T0 + MINUTE)
    request = desk.retype(
        "INC-1",
        "service_request",
        actor=ANA,
        at=T0 + 2 * HOUR,
        fields={"reason": "asks", "request_model": "mailbox"},
    )
    assert (request.process, request.state, request.requester) == ("service_request", "submitted", "uma")
    assert request.values["promised_since"].startswith("2024-01-08T09:00")
    assert request.links == (("retyped_from", "INC-1"),)
    before = desk.get("INC-1")
    assert (before.state, before.outcome) == ("retyped", "retyped")
    assert before.values["successor"] == request.id
    assert ("retyped_to", request.id) in before.links
    clock = desk.clocks(request.id, T0 + 3 * HOUR)["resolution"]
    assert clock.started_at == T0
    assert clock.elapsed == 3 * HOUR


def test_retyping_again_with_the_same_id_is_done_once(desk):
    """Also where the first time broke off after the successor was opened."""
    opened(desk)
    asked = {"actor": ANA, "at": T0 + HOUR, "command_id": "c-1",
             "fields": {"reason": "asks", "request_model": "mailbox"}}  # fmt: skip
    opening = Command("retype", ANA, at=T0 + HOUR, fields=asked["fields"], id="c-1")
    half = road.retype(desk.terms, "INC-1", "service_request", opening, lambda process: f"{process}-1")
    answer = None
    while (
        wanted := half.send(answer)
    ).method != "commit":  # up to the opening of the successor, and no further
        answer = getattr(desk.store, wanted.method)(*wanted.arguments)
    desk.store.commit(*wanted.arguments)
    assert desk.get("INC-1").state == "new"
    first = desk.retype("INC-1", "service_request", **asked)
    again = desk.retype("INC-1", "service_request", **asked)
    assert first.id == again.id == "service_request-1"
    assert [r.id for r in desk.find(process="service_request")] == ["service_request-1"]
    assert kinds(desk).count("transitioned") == 1


def test_a_retyping_that_is_refused_opens_nothing(desk):
    """By who may not, by a process nobody knows, by what the other process asks for."""
    opened(desk)
    with pytest.raises(TransitionRefused, match="may not retype"):
        desk.retype(
            "INC-1", "service_request", actor=UMA, at=T0, fields={"reason": "x", "request_model": "m"}
        )
    with pytest.raises(InvalidValue, match="process 'wish': is none of this desk; use one of incident"):
        desk.retype("INC-1", "wish", actor=ANA, at=T0, fields={"reason": "x"})
    with pytest.raises(TransitionRefused, match="request_model"):
        desk.retype("INC-1", "service_request", actor=ANA, at=T0, fields={"reason": "x"})
    assert [r.id for r in desk.find()] == ["INC-1"]
    assert kinds(desk) == ["opened"]


def test_a_successor_takes_over_what_it_is_about_and_not_how_it_was_treated(desk):
    """Nothing is told, delivered, tried or decided on of it yet; nor does it go on in another one."""
    fields = {"change_kind": "standard", "template": "reboot", "told_at": T0, "blackout_exception": "ECAB-7",
              "found_by": "x", "evidence": "y", "actual_start": T0, "review_result": "fine"}  # fmt: skip
    desk.open("Reboot", process="change", actor=ANA, at=T0, record_id="CHG-1", fields=fields)
    its_own = {"title", "requester", "number", "external_refs", "promised_since", "agreement"}
    twin = desk.split("CHG-1", "And its twin", actor=ANA, at=T0)
    assert twin.values.keys() == its_own | {"change_kind", "template"}
    fields = {"request_model": "mailbox", "delivered": "a part", "inputs": {"size": "1"}}
    desk.open("A mailbox", process="service_request", actor=UMA, at=T0, record_id="REQ-1", fields=fields)
    part = desk.split("REQ-1", "And another", actor=ANA, at=T0)
    assert part.values.keys() == its_own | {"request_model", "inputs"}
    opened(desk)
    desk.merge("INC-1", part.id, actor=ANA, at=T0 + HOUR)
    desk.fire(part.id, "cancel", actor=ANA, at=T0 + HOUR, fields={"reason": "x"})
    later = desk.receive("INC-1", "still down", actor=UMA, at=T0 + DAY, message_id="1")
    assert "merged_into" not in later.values


def test_a_merged_record_goes_on_in_the_other_one(desk):
    """What its requester says from then on is said there."""
    opened(desk)
    opened(desk, "INC-2", actor=Actor.person("vic"))
    left = desk.merge("INC-2", "INC-1", actor=ANA, at=T0 + HOUR)
    assert left.id == "INC-1"
    merged = desk.get("INC-2")
    assert (merged.outcome, merged.values["merged_into"]) == ("merged", "INC-1")
    assert ("merged_from", "INC-2") in desk.get("INC-1").links
    assert ("merged_into", "INC-1") in merged.links
    said = desk.receive("INC-2", "any news?", actor=Actor.person("vic"), at=T0 + 2 * HOUR, message_id="9")
    assert said.id == "INC-1"
    assert kinds(desk)[-1] == "communicated"
    assert "void" in str(desk.clocks("INC-2", T0 + DAY)["resolution"].state)


@pytest.mark.parametrize(("into", "why"), [("INC-1", "is the record itself"), ("INC-2", "is closed")])
def test_a_record_is_merged_into_another_open_one(desk, into, why):
    """Not into itself, and not into one that is over."""
    opened(desk)
    opened(desk, "INC-2")
    desk.fire("INC-2", "cancel", actor=ANA, at=T0 + MINUTE, fields={"reason": "test"})
    with pytest.raises(InvalidValue, match=why):
        desk.merge("INC-1", into, actor=ANA, at=T0 + HOUR)
    assert desk.get("INC-1").state == "new"


def test_a_part_becomes_a_record_of_its_own(desk):
    """With the same requester and the same start of the promise."""
    opened(desk, fields={**HIGH, "service": "mail"})
    part = desk.split("INC-1", "And the printer", actor=ANA, at=T0 + HOUR, fields={"service": "print"})
    assert (part.title, part.requester, part.service) == ("And the printer", "uma", "print")
    assert part.links == (("split_from", "INC-1"),)
    assert ("split_into", part.id) in desk.get("INC-1").links
    assert desk.clocks(part.id, T0 + 2 * HOUR)["resolution"].started_at == T0
    grandchild = desk.split(part.id, "And its paper", actor=ANA, at=T0 + 2 * HOUR)
    assert desk.clocks(grandchild.id, T0 + 2 * HOUR)["resolution"].started_at == T0


def test_a_split_is_the_desks_to_make_and_of_what_is_open(desk):
    """Nobody else copies a record, and what is over is followed up; refused before anything is opened."""
    opened(desk, at=T0 + HOUR)
    with pytest.raises(TransitionRefused, match="uma may not split") as refused:
        desk.split("INC-1", "x", actor=UMA, at=T0, expected=7)
    assert refused.value.codes == ("role", "before_opening", "stale_version")
    asked = {"actor": ANA, "at": T0 + HOUR, "command_id": "s-1"}
    part = desk.split("INC-1", "And the printer", **asked)
    desk.fire("INC-1", "cancel", actor=ANA, at=T0 + 2 * HOUR, fields={"reason": "test"})
    with pytest.raises(TransitionRefused, match="split does not lead out of cancelled"):
        desk.split("INC-1", "And its paper", actor=ANA, at=T0 + 2 * HOUR)
    assert desk.split("INC-1", "And the printer", **asked).id == part.id  # done before, so it is done
    assert [r.id for r in desk.find()] == sorted(["INC-1", part.id])


@pytest.mark.parametrize("trigger", ["merge", "mark_duplicate", "retype"])
def test_a_record_goes_on_in_one_that_is_there_and_open(desk, trigger):
    """Or what is said about it would be said to nobody, whichever way the step is taken."""
    name = {"merge": "merged_into", "mark_duplicate": "duplicate_of", "retype": "successor"}[trigger]
    opened(desk)
    opened(desk, "INC-2")
    desk.fire("INC-2", "cancel", actor=ANA, at=T0 + MINUTE, fields={"reason": "test"})
    more = {"reason": "x"} if trigger == "retype" else {}
    with pytest.raises(RecordNotFound, match="INC-9"):
        desk.fire("INC-1", trigger, actor=ANA, at=T0 + HOUR, fields={name: "INC-9", **more})
    with pytest.raises(TransitionRefused, match="INC-2 is closed and keeps no promise"):
        desk.fire("INC-1", trigger, actor=ANA, at=T0 + HOUR, fields={name: "INC-2", **more})
    assert desk.get("INC-1").state == "new"
    opened(desk, "INC-3")
    done = desk.fire("INC-1", trigger, actor=ANA, at=T0 + HOUR, fields={name: "INC-3", **more})
    assert desk.receive("INC-1", "news?", actor=UMA, at=T0 + DAY, message_id="1").id == "INC-3"
    assert done.phase is Phase.CLOSED


def test_a_field_of_the_same_name_may_mean_what_a_host_says(store):
    """Only a step by which a record goes on elsewhere names one that has to be there."""
    told = attrs.evolve(INCIDENT.by_trigger["start"][0], requires=INCIDENT.by_trigger["retype"][0].requires)
    rows = [told if row.trigger == "start" else row for row in INCIDENT.transitions]
    desk = ServiceDesk(store, lifecycles=attrs.evolve(INCIDENT, id="acme.incident", transitions=rows))
    opened(desk)
    fields = {"successor": "the night shift", "reason": "x"}
    assert desk.fire("INC-1", "start", actor=ANA, at=T0, fields=fields).state == "in_progress"


def test_words_about_a_retyped_record_are_heard_in_its_successor(desk):
    """No second incident is opened for them."""
    opened(desk)
    held = {"reason": "asks", "request_model": "mailbox"}
    request = desk.retype("INC-1", "service_request", actor=ANA, at=T0 + HOUR, fields=held)
    said = desk.receive("INC-1", "any news?", actor=UMA, at=T0 + 2 * HOUR, message_id="9")
    assert said.id == request.id
    assert len(desk.find()) == 2


def test_words_about_what_is_over_open_a_follow_up_and_go_nowhere_else(desk):
    """Where the record that went on is over too, or is named and never took over."""
    vic = Actor.person("vic")
    for number, actor in (("INC-1", UMA), ("INC-2", vic), ("INC-3", vic)):
        opened(desk, number, actor=actor)
    desk.merge("INC-2", "INC-1", actor=ANA, at=T0 + HOUR)
    desk.fire("INC-1", "cancel", actor=ANA, at=T0 + 2 * HOUR, fields={"reason": "test"})
    said = desk.receive("INC-2", "still down", actor=vic, at=T0 + DAY, message_id="1")
    assert (said.requester, said.links) == ("vic", (("follows", "INC-2"),))
    desk.fire("INC-3", "amend", actor=ANA, at=T0 + HOUR, fields={"merged_into": said.id})
    desk.fire("INC-3", "cancel", actor=ANA, at=T0 + 2 * HOUR, fields={"reason": "test"})
    said = desk.receive("INC-3", "still down", actor=vic, at=T0 + DAY, message_id="2")
    assert said.links == (("follows", "INC-3"),)


def test_two_records_that_were_merged_into_one_another_are_heard_still(desk):
    """Two workers at once may do so; nobody's words go round in a circle."""
    opened(desk)
    opened(desk, "INC-2")
    for record, other in (("INC-1", "INC-2"), ("INC-2", "INC-1")):
        asked = Command("merge", ANA, at=T0 + HOUR, fields={"merged_into": other}, id=f"m-{record}")
        (event,) = decide(desk.get(record), asked, INCIDENT).events  # each saw the other open
        known = desk.get(record)
        write(desk, known, event)
    said = desk.receive("INC-1", "still down", actor=UMA, at=T0 + DAY, message_id="1")
    assert said.links == (("follows", "INC-1"),)


def test_words_about_a_record_that_went_elsewhere_are_heard(desk):
    """Its successor is in no store of ours, as a correction may say: then it is followed up."""
    opened(desk)
    opened(desk, "INC-2")
    desk.fire("INC-1", "mark_duplicate", actor=ANA, at=T0 + HOUR, fields={"duplicate_of": "INC-2"})
    wrong = desk.history("INC-1")[-1].id
    desk.correct("INC-1", wrong, "duplicate_of", "JIRA-7", reason="theirs", actor=ANA, at=T0 + 2 * HOUR)
    said = desk.receive("INC-1", "still down", actor=UMA, at=T0 + DAY, message_id="1")
    assert said.links == (("follows", "INC-1"),)


def test_what_is_recorded_late_is_linked_all_the_same(store):
    """One reason is enough for a command and all that follows from it; nothing is half done."""
    desk = ServiceDesk(store, clock=lambda: T0 + 10 * HOUR)
    late = {"late_reason": "the line was down"}
    for number in ("INC-1", "INC-2", "INC-3"):
        opened(desk, number, fields={**HIGH, **late})
    asked = {"actor": ANA, "at": T0 + HOUR}
    task = desk.open("call", process="task", fields={"part_of": "INC-1", **late}, **asked)
    part = desk.split("INC-1", "And the printer", fields=late, **asked)
    desk.merge("INC-2", "INC-1", fields=late, **asked)
    held = {"reason": "asks", "request_model": "mailbox", **late}
    request = desk.retype("INC-3", "service_request", fields=held, **asked)
    assert desk.get("INC-1").links == (
        ("task", task.id), ("split_into", part.id), ("merged_from", "INC-2"),
    )  # fmt: skip
    assert desk.get("INC-2").links == (("merged_into", "INC-1"),)
    assert desk.get("INC-3").links == (("retyped_to", request.id),)
    assert "late_reason" not in request.values or request.values["late_reason"] == late["late_reason"]
    with pytest.raises(TransitionRefused, match="say why in late_reason"):
        desk.split("INC-1", "no reason", **asked)


def test_nothing_is_linked_with_a_record_before_that_was_there(desk):
    """Refused at once, and not when the first half is done."""
    opened(desk, at=T0 + 5 * HOUR)
    opened(desk, "INC-2")
    with pytest.raises(TransitionRefused, match=r"part of INC-1: .* lies before the record was opened"):
        desk.open("call", process="task", actor=ANA, at=T0, fields={"part_of": "INC-1"})
    with pytest.raises(TransitionRefused, match=r"merge into INC-1: .* lies before the record was opened"):
        desk.merge("INC-2", "INC-1", actor=ANA, at=T0 + HOUR)
    assert [(r.id, r.state, r.links) for r in desk.find()] == [("INC-1", "new", ()), ("INC-2", "new", ())]


# --- broken off, and asked again ------------------------------------------------------------------


def commits(generator, desk, most):
    """Runs a command of the road up to so many commits, as a process does that is then killed."""
    step, answer, done = generator.send, None, 0
    while True:
        wanted = step(answer)
        if wanted.method == "commit":
            if done == most:
                return
            done += 1
        try:
            answer, step = getattr(desk.store, wanted.method)(*wanted.arguments), generator.send
        except Exception as error:
            answer, step = error, generator.throw


def losing(generator, desk, record, times):
    """Runs a command of the road that loses so many races for a record."""
    step, answer = generator.send, None
    with contextlib.suppress(StopIteration):
        while True:
            wanted = step(answer)
            if times and wanted.method == "commit" and wanted.arguments[0].record == record:
                times -= 1
                answer, step = VersionConflict(record, 3, 4), generator.throw
            else:
                answer, step = getattr(desk.store, wanted.method)(*wanted.arguments), generator.send
    assert not times


def write(desk, known, event):
    """Puts an event into the store past the desk, as another worker's commit would."""
    record = apply(known, event)
    snapshot = Snapshot(record=record, timeline=trace([*desk.history(known.id), event]), fold=FOLD)
    desk.store.commit(ChangeSet(record=known.id, expected=known.version, events=(event,), snapshot=snapshot))


@pytest.mark.parametrize("most", range(4))
def test_a_retyping_that_breaks_off_anywhere_is_completed_by_the_same_command(desk, most):
    """Opened, linked, closed, linked back: whichever was the last thing done."""
    opened(desk)
    fields = {"reason": "asks", "request_model": "mailbox"}
    command = Command("retype", ANA, at=T0 + HOUR, fields=fields, id="c-1")
    commits(road.retype(desk.terms, "INC-1", "service_request", command, lambda _: "REQ-1"), desk, most)
    done = desk.retype("INC-1", "service_request", actor=ANA, at=T0 + HOUR, fields=fields, command_id="c-1")
    assert [r.process for r in desk.find()] == ["incident", "service_request"]
    before = desk.get("INC-1")
    assert (before.state, before.links) == ("retyped", (("retyped_to", done.id),))
    assert done.links == (("retyped_from", "INC-1"),)
    assert kinds(desk) == ["opened", "transitioned", "linked"]
    again = desk.retype("INC-1", "service_request", actor=ANA, at=T0 + HOUR, fields=fields, command_id="c-1")
    assert (again, kinds(desk)) == (done, ["opened", "transitioned", "linked"])


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed since"])
@pytest.mark.parametrize("most", range(1, 3))
def test_a_merge_that_breaks_off_anywhere_is_completed_by_the_same_command(desk, most, closed):
    """Also where the one that goes on has been closed in between."""
    opened(desk)
    opened(desk, "INC-2")
    commits(
        road.merge(desk.terms, "INC-1", "INC-2", Command("merge", ANA, at=T0 + HOUR, id="m-1")), desk, most
    )
    if closed:
        desk.fire("INC-2", "cancel", actor=ANA, at=T0 + 2 * HOUR, fields={"reason": "test"})
    for _ in range(2):
        assert desk.merge("INC-1", "INC-2", actor=ANA, at=T0 + HOUR, command_id="m-1").id == "INC-2"
    assert desk.get("INC-1").links == (("merged_into", "INC-2"),)
    assert desk.get("INC-2").links == (("merged_from", "INC-1"),)
    assert kinds(desk) == ["opened", "transitioned", "linked"]


def test_a_merge_repeated_with_another_target_stays_what_it_was(desk):
    """The same command id twice gives the first answer."""
    for number in ("INC-1", "INC-2", "INC-3"):
        opened(desk, number)
    desk.merge("INC-1", "INC-2", actor=ANA, at=T0 + HOUR, command_id="m-1")
    assert desk.merge("INC-1", "INC-3", actor=ANA, at=T0 + HOUR, command_id="m-1").id == "INC-2"
    assert desk.get("INC-3").links == ()


@pytest.mark.parametrize("most", range(3))
def test_a_split_that_breaks_off_anywhere_is_completed_by_the_same_command(desk, most):
    """Opened, linked one way, linked the other."""
    opened(desk)
    command = Command("open", ANA, at=T0 + HOUR, fields={"title": "The printer"}, id="s-1")
    commits(road.split(desk.terms, "INC-1", command, lambda _: "INC-2"), desk, most)
    part = desk.split("INC-1", "The printer", actor=ANA, at=T0 + HOUR, command_id="s-1")
    assert part.links == (("split_from", "INC-1"),)
    assert desk.get("INC-1").links == (("split_into", part.id),)
    assert len(desk.find()) == 2


KILLED = """
import datetime as dt, os, signal, sys
from itsm_core import Actor, ServiceDesk, stores

most, store = int(sys.argv[2]), stores.open(sys.argv[1])
commit = store.commit

def commits(changes):
    global most
    if not most:
        os.kill(os.getpid(), signal.SIGKILL)
    most -= 1
    return commit(changes)

store.commit = commits
at = dt.datetime(2024, 1, 8, 10, tzinfo=dt.UTC)
asked = {"actor": Actor.person("ana", "agent"), "at": at, "command_id": "c-1"}
if sys.argv[3] == "merge":
    ServiceDesk(store).merge("INC-1", "INC-2", **asked)
else:
    fields = {"reason": "asks", "request_model": "mailbox"}
    ServiceDesk(store).retype("INC-1", "service_request", fields=fields, **asked)
"""


@pytest.mark.parametrize(("what", "most"), [("merge", 1), ("merge", 2), ("retype", 1), ("retype", 3)])
def test_a_process_that_is_killed_half_way_leaves_what_the_same_command_completes(tmp_path, what, most):
    """SIGKILL between two commits, and another process that asks again."""
    url = f"sqlite:///{tmp_path / 'desk.db'}"
    desk = ServiceDesk(stores.open(url))
    opened(desk)
    opened(desk, "INC-2")
    killed = subprocess.run([sys.executable, "-c", KILLED, url, str(most), what], check=False)
    assert killed.returncode == -signal.SIGKILL
    asked = {"actor": ANA, "at": T0 + HOUR, "command_id": "c-1"}
    fields = {"reason": "asks", "request_model": "mailbox"}
    for _ in range(2):
        if what == "merge":
            other, there, back = desk.merge("INC-1", "INC-2", **asked), "merged_into", "merged_from"
        else:
            other = desk.retype("INC-1", "service_request", fields=fields, **asked)
            there, back = "retyped_to", "retyped_from"
        assert (desk.get("INC-1").links, other.links) == (((there, other.id),), ((back, "INC-1"),))
    assert len(desk.find()) == (2 if what == "merge" else 3)
    for record in desk.find():
        assert fold(desk.history(record.id)) == record
    desk.store.close()


def test_workers_at_once_fire_each_timer_and_count_each_voice_once(tmp_path):
    """Four threads, each with a connection of its own, on one file: one round, eight records, no error."""
    url = f"sqlite:///{tmp_path / 'desk.db'}"
    desk, crowd = ServiceDesk(stores.open(url)), [f"voter {n}" for n in range(12)]
    numbers = [f"INC-{n}" for n in range(8)]
    for number in numbers:
        opened(desk, number)
        desk.fire(number, "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    desk.open("x", process="service_request", actor=UMA, at=T0, record_id="R", fields={"request_model": "m"})
    rule = ApprovalRule([Panel("all", crowd, needed=6)]).to_dict()
    desk.fire("R", "request_approval", actor=ANA, at=T0, fields={"rule": rule})
    begin, expired, wrong = threading.Barrier(4), [], []

    def work(name):
        own = ServiceDesk(stores.open(url), worker=name)
        begin.wait()
        try:
            expired.append(own.tick(T0 + 30 * DAY).expired)
            for who in crowd:
                with contextlib.suppress(TransitionRefused):
                    vote = {"actor": Actor.person(who), "at": T0 + HOUR, "fields": {"vote": "approve"}}
                    own.fire("R", "vote", **vote)
        except Exception as error:
            wrong.append(error)
        own.store.close()

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (wrong, sum(expired)) == ([], 8)
    assert [kinds(desk, number).count("transitioned") for number in numbers] == [2] * 8
    votes = [vote.voter for vote in desk.get("R").round.votes]
    assert (len(votes), len(set(votes))) == (6, 6)
    assert tally(desk.get("R").round, T0 + DAY).verdict == "approved"
    desk.store.close()


# --- what guards look at, and what waits for it -----------------------------------------------------


def test_a_link_to_what_is_not_here_stops_no_record(desk):
    """Imported, or written past the desk: the record is worked on, and its task is not at hand."""
    opened(desk)
    known = desk.get("INC-1")
    asked = Command("link", ANA, at=T0, fields={"relation": "task", "other": "GONE-1"}, id="l-1")
    write(desk, known, decide(known, asked, INCIDENT).events[0])
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    (close,) = [o for o in desk.options("INC-1", ANA) if o.trigger == "close"]
    assert [reason.code for reason in close.reasons] == ["tasks_not_at_hand"]
    assert desk.proposals("INC-1") == ()
    assert desk.tick(T0 + 30 * DAY).stuck == ()
    task = desk.open("call", process="task", actor=ANA, at=T0, fields={"part_of": "INC-1"})
    desk.fire(task.id, "amend", actor=ANA, at=T0, fields={"part_of": "GONE-2"})
    assert desk.proposals(task.id) == ()


def test_a_correction_links_to_a_record_that_is_there(desk):
    """As a link does: neither to nothing, nor to itself."""
    opened(desk)
    for number in ("INC-2", "INC-3"):
        opened(desk, number)
    desk.link("INC-1", "task", "INC-2", actor=ANA, at=T0)
    wrong = desk.history("INC-1")[-1].id
    mend = {"reason": "the other one", "actor": ANA, "at": T0}
    with pytest.raises(RecordNotFound, match="INC-9"):
        desk.correct("INC-1", wrong, "other", "INC-9", **mend)
    with pytest.raises(InvalidValue, match="is the record itself"):
        desk.correct("INC-1", wrong, "other", "INC-1", **mend)
    assert desk.correct("INC-1", wrong, "other", "INC-3", **mend).links == (("task", "INC-3"),)


def test_an_incident_closes_by_itself_once_its_last_task_is_done(desk):
    """Time goes on from when it was resolved; a task that ends wakes the record that waited for it."""
    opened(desk)
    tasks = [desk.open("call", process="task", actor=ANA, at=T0, fields={"part_of": "INC-1"}) for _ in "ab"]
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    desk.tick(T0 + HOUR)
    assert desk.next_due() is None
    for task in tasks:
        assert desk.next_due() is None
        asked = {
            "actor": ANA,
            "at": T0 + DAY,
            "fields": {"resolution_notes": "done"},
            "command_id": task.id + "c",
        }
        desk.fire(task.id, "complete", **asked)
    due = dt.datetime(2024, 1, 16, 10, tzinfo=dt.UTC)  # as above: five business days, one a holiday
    assert desk.next_due() == due
    assert desk.fire(tasks[-1].id, "complete", **asked).state == "complete"  # said again: nothing more
    assert desk.tick(due).expired == 1
    assert desk.get("INC-1").state == "closed"


@pytest.mark.parametrize("times", [3, road.terms.ATTEMPTS])
def test_a_task_that_ends_wakes_its_record_against_another_worker(store, times):
    """Somebody changes that record in the same moment: it is tried again; what never wins hurts nobody."""
    desk = ServiceDesk(store)
    opened(desk)
    task = desk.open("call", process="task", actor=ANA, at=T0, fields={"part_of": "INC-1"})
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    command = Command("skip", ANA, at=T0 + 2 * HOUR, fields={"reason": "x"}, id="t-1")
    losing(road.carry(desk.terms, task.id, command), desk, "INC-1", times)
    assert desk.get(task.id).state == "skipped"
    assert desk.next_due() == (T0 + HOUR + 5 * DAY if times == 3 else None)


def test_a_task_of_a_record_that_is_not_here_just_ends(store):
    """Or of one that no time closes."""
    desk = ServiceDesk(store)
    opened(desk)
    task = desk.open("call", process="task", actor=ANA, at=T0, fields={"part_of": "INC-1"})
    desk.fire(task.id, "amend", actor=ANA, at=T0, fields={"part_of": "JIRA-7"})
    assert desk.fire(task.id, "skip", actor=ANA, at=T0, fields={"reason": "x"}).state == "skipped"


def test_a_problem_does_not_close_before_the_change_that_fixes_it(desk):
    """PRB-09: not by hand and not by time; the change that ends wakes it."""
    problem = desk.open("It falls over", process="problem", actor=BO, at=T0, fields=HIGH, record_id="PRB-1")
    fields = {"change_kind": "normal", "likelihood": "low", "impact": "low"}
    desk.open("Replace it", process="change", actor=ANA, at=T0, fields=fields, record_id="CHG-1")
    desk.link("CHG-1", "fixes", "PRB-1", actor=ANA, at=T0)
    for trigger, held in (
        ("assess", {}),
        ("analyse", {"category": "mail"}),
        ("fix", {"rca_method": "5 whys", "causes": ["age"], "preventive_actions": ["replace"]}),
        ("resolve", {"resolution_outcome": "by_change", "resolution_notes": "x", "change_id": "CHG-1"}),
    ):
        problem = desk.fire("PRB-1", trigger, actor=BO, at=T0 + HOUR, fields=held)
    assert (problem.state, desk.next_due()) == ("resolved", None)
    with pytest.raises(TransitionRefused, match="CHG-1 is not closed with success"):
        desk.fire("PRB-1", "close", actor=BO, at=T0 + HOUR, fields={"verification": "watched"})
    (close,) = [o for o in desk.options("PRB-1", BO) if o.trigger == "close"]
    assert [reason.code for reason in close.reasons] == ["change_not_done"]
    desk.fire("CHG-1", "cancel", actor=ANA, at=T0 + DAY, fields={"reason": "x"})
    assert desk.next_due() is None
    other = {"change_id": "SAP-7"}  # of another system: nobody can look at it
    desk.fire("PRB-1", "amend", actor=BO, at=T0 + DAY, fields=other)
    assert desk.next_due() is not None
    closed = desk.fire("PRB-1", "close", actor=BO, at=T0 + 2 * DAY, fields={"verification": "watched"})
    assert closed.state == "closed"


def test_a_change_that_ends_well_lets_time_close_its_problem(store):
    """Thirty days after it was resolved: the change wakes what it fixes."""
    desk = ServiceDesk(store)
    desk.open("It falls over", process="problem", actor=BO, at=T0, fields=HIGH, record_id="PRB-1")
    held = {"change_kind": "normal", "category": "mail", "service_change": "none"}
    desk.open("Who did this", process="change", actor=ANA, at=T0, fields=held, record_id="CHG-1")
    desk.link("CHG-1", "fixes", "PRB-1", actor=ANA, at=T0)
    desk.fire("CHG-1", "report_unauthorised", actor=ANA, at=T0, fields={"found_by": "x", "evidence": "y"})
    for trigger, fields in (
        ("assess", {}),
        ("analyse", {"category": "mail"}),
        ("fix", {"rca_method": "5 whys", "causes": ["age"], "preventive_actions": ["replace"]}),
        ("resolve", {"resolution_outcome": "by_change", "resolution_notes": "x", "change_id": "CHG-1"}),
    ):
        desk.fire("PRB-1", trigger, actor=BO, at=T0 + HOUR, fields=fields)
    assert desk.next_due() is None
    rule = authority(desk.get("CHG-1"), {"change_manager": ["bo"]}).to_dict()
    desk.fire("CHG-1", "request_approval", actor=ANA, at=T0 + HOUR, fields={"rule": rule})
    desk.fire("CHG-1", "vote", actor=BO, at=T0 + HOUR, fields={"vote": "approve"})
    done = {"resolution_outcome": "successful", "review_result": "harmless", "no_actions_reason": "a slip"}
    assert desk.fire("CHG-1", "close", actor=BO, at=T0 + DAY, fields=done).state == "closed"
    assert desk.next_due() == T0 + HOUR + 30 * DAY
    assert desk.tick(T0 + HOUR + 30 * DAY).expired == 1


def test_a_change_that_caused_a_severe_incident_is_reviewed(store):
    """iso-20000.md 5.6: the desk brings the incidents that it caused."""
    desk = ServiceDesk(store, lifecycles=[INCIDENT, governed(CHANGE, ChangePolicy(templates=[REBOOT]))])
    opened(desk)
    fields = {"change_kind": "standard", "template": "reboot", "template_version": 1, "category": "mail",
              "service_change": "none", "planned_start": T0 + HOUR, "planned_end": T0 + 2 * HOUR}  # fmt: skip
    done = {"resolution_outcome": "successful", "resolution_notes": "x",
            "actual_start": T0 + HOUR, "actual_end": T0 + 2 * HOUR}  # fmt: skip
    for number in ("CHG-1", "CHG-2"):
        desk.open("Reboot", process="change", actor=ANA, at=T0, fields=fields, record_id=number)
        desk.fire(number, "schedule", actor=ANA, at=T0)
        desk.fire(number, "implement", actor=ANA, at=T0 + HOUR, fields={"told_at": T0})
        desk.fire(number, "complete", actor=ANA, at=T0 + 2 * HOUR, fields=done)
    desk.link("CHG-1", "causes", "INC-1", actor=ANA, at=T0 + 3 * HOUR)
    with pytest.raises(TransitionRefused, match="review_result"):
        desk.fire("CHG-1", "close", actor=ANA, at=T0 + 3 * HOUR)
    assert desk.fire("CHG-2", "close", actor=ANA, at=T0 + 3 * HOUR).state == "closed"


# --- all processes --------------------------------------------------------------------------------


def test_each_process_has_its_numbers_and_its_own_lifecycle(desk):
    """A record without a process is of the first one."""
    assert desk.open("x", actor=ANA, at=T0).id.startswith("INC-")
    opened(desk)
    for process, prefix, fields in (
        ("problem", "PRB-", {}),
        ("change", "CHG-", {"change_kind": "normal"}),
        ("service_request", "REQ-", {"request_model": "mailbox"}),
        ("task", "TSK-", {"part_of": "INC-1"}),
    ):
        record = desk.open("x", process=process, actor=ANA, at=T0, fields=fields)
        assert record.id.startswith(prefix)
        assert (record.process, record.lifecycle) == (process, PROCESSES[process].id)
    with pytest.raises(InvalidValue, match="use one of incident, problem, change, service_request, task"):
        desk.open("x", process="wish", actor=ANA, at=T0)


def test_an_incident_with_open_tasks_does_not_close(desk):
    """The desk brings the tasks that the guard looks at; `options` says so, too."""
    opened(desk)
    asked = {"process": "task", "actor": ANA, "at": T0, "command_id": "t-1", "fields": {"part_of": "INC-1"}}
    task = desk.open("call them", **asked)
    assert desk.open("call them", **asked) == task
    assert desk.get("INC-1").links == (("task", task.id),)
    with pytest.raises(RecordNotFound, match="INC-9"):
        desk.open("call them", process="task", actor=ANA, at=T0, fields={"part_of": "INC-9"})
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    with pytest.raises(TransitionRefused, match=task.id):
        desk.fire("INC-1", "close", actor=UMA, at=T0 + DAY, fields={"closure_code": "user_confirmed"})
    (close,) = [o for o in desk.options("INC-1", ANA, at=T0 + DAY) if o.trigger == "close"]
    assert not close.enabled
    assert desk.tick(T0 + 30 * DAY).expired == 0
    desk.fire(task.id, "skip", actor=ANA, at=T0 + 30 * DAY, fields={"reason": "answered by mail"})
    closed = desk.fire(
        "INC-1", "close", actor=UMA, at=T0 + 30 * DAY, fields={"closure_code": "user_confirmed"}
    )
    assert closed.phase is Phase.CLOSED


# --- a lifecycle of one's own, approvals, and the next version ------------------------------------

SUPPLIER = State("with_supplier", "waiting", waits_on="supplier", label={"en": "With the supplier"})
OWN = (
    INCIDENT.derive("acme.incident", version=1)
    .add_state(SUPPLIER)
    .add(
        Transition("hand_over", "in_progress", dest="with_supplier", roles={"agent"}),
        Transition("take_back", "with_supplier", dest="in_progress", roles={"agent", "automation"}),
    )
    .guard("rule_is_sound", APPROVING["rule_is_sound"])
    .guard("may_vote", APPROVING["may_vote"])
    .guard("is_approved", APPROVING["is_approved"])
    .restrict("close", guards={"is_approved"})
)


def own(builder):
    """The derived lifecycle, with second-line approval by votes before it closes."""
    made = builder.build()
    return attrs.evolve(made, beside={"request_approval": ["rule_is_sound"], "vote": ["may_vote"]})


V1 = own(OWN)
V2 = attrs.evolve(own(OWN.remove("hand_over").remove_state("with_supplier", into="on_hold")), version=2)
PLAN = MigrationPlan(V1, V2, states={"with_supplier": "on_hold"})


def test_records_stay_on_their_version_until_they_are_moved(store):
    """Stored under version 1, moved to version 2: histories and clocks still explain themselves."""
    first = ServiceDesk(store, agreement=default_agreement(OFFICE), calendar=OFFICE, lifecycles=V1)
    opened(first)
    first.fire("INC-1", "start", actor=ANA, at=T0 + MINUTE)
    first.fire("INC-1", "hand_over", actor=ANA, at=T0 + HOUR)
    desk = ServiceDesk(store, agreement=default_agreement(OFFICE), calendar=OFFICE, lifecycles=[V2, V1])
    assert opened(desk, "INC-2").lifecycle_version == 2
    before = desk.clocks("INC-1", T0 + 2 * HOUR)["resolution"]
    assert desk.get("INC-1").lifecycle_version == 1
    assert [
        o.trigger for o in desk.options("INC-1", ANA) if o.enabled and o.destination == "in_progress"
    ] == ["take_back"]
    moved = desk.migrate(
        "INC-1", PLAN, reason="one kind of hold", actor=BO, at=T0 + 2 * HOUR, command_id="m-1"
    )
    assert (moved.lifecycle_version, moved.state, moved.waits_on) == (2, "on_hold", "supplier")
    assert desk.migrate("INC-1", PLAN, reason="x", actor=BO, at=T0 + 3 * HOUR, command_id="m-1") == moved
    after = desk.clocks("INC-1", T0 + 2 * HOUR)["resolution"]
    assert (after.elapsed, after.due_at, after.state) == (before.elapsed, before.due_at, before.state)
    assert sum((s.end - s.start for s in after.explain().segments), dt.timedelta()) == 2 * HOUR
    (target,) = [t for t in default_agreement(OFFICE).targets_for(moved) if t.metric == "resolution"]
    again = evaluate(desk.history("INC-1"), target, T0 + 2 * HOUR)
    assert again.elapsed == after.elapsed
    desk.fire("INC-1", "resume", actor=ANA, at=T0 + 3 * HOUR)
    assert desk.get("INC-1").state == "in_progress"
    with pytest.raises(TransitionRefused, match=r"runs on acme.incident 2, not acme.incident 1"):
        desk.migrate("INC-2", PLAN, reason="x", actor=BO, at=T0 + 3 * HOUR)


def test_records_are_moved_by_who_may_and_to_what_the_desk_runs(store):
    """One door: no requester moves a record, nobody to nowhere, nobody tomorrow, nobody on an old view."""
    first = ServiceDesk(store, lifecycles=V1)
    opened(first)
    with pytest.raises(InvalidValue, match="leads to none of this desk's; give it among the lifecycles"):
        first.migrate("INC-1", PLAN, reason="x", actor=BO, at=T0 + HOUR)
    desk = ServiceDesk(store, lifecycles=[V2, V1], clock=lambda: T0 + HOUR)
    for actor in (UMA, ANA):
        with pytest.raises(
            TransitionRefused, match="may not migrate: that takes the role automation or manager"
        ):
            desk.migrate("INC-1", PLAN, reason="x", actor=actor, at=T0 + HOUR)
    with pytest.raises(TransitionRefused) as refused:
        desk.migrate("INC-1", PLAN, reason="x", actor=BO, at=T0 + DAY, expected=7)
    assert refused.value.codes == ("in_the_future", "stale_version")
    assert desk.get("INC-1").lifecycle_version == 1
    script = Actor.automation("script", "automation")
    assert desk.migrate("INC-1", PLAN, reason="x", actor=script, at=T0 + HOUR).lifecycle_version == 2


def test_closing_takes_the_votes_of_the_second_line(store):
    """Asked for, counted, and shown; before that the button says why not."""
    desk = ServiceDesk(store, lifecycles=V1, calendar=OFFICE)
    opened(desk)
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    code = {"closure_code": "user_confirmed"}
    with pytest.raises(TransitionRefused) as refused:
        desk.fire("INC-1", "close", actor=ANA, at=T0 + HOUR, fields=code)
    assert any("approv" in str(reason) for reason in refused.value.reasons)
    rule = ApprovalRule([Panel("second line", ["cat", "dan", "eve"], needed=2)])
    desk.fire("INC-1", "request_approval", actor=ANA, at=T0 + HOUR, fields={"rule": rule.to_dict()})
    for who in ("cat", "dan"):
        desk.fire("INC-1", "vote", actor=Actor.person(who), at=T0 + 2 * HOUR, fields={"vote": "approve"})
    with pytest.raises(TransitionRefused):
        desk.fire("INC-1", "vote", actor=Actor.person("uma"), at=T0 + 2 * HOUR, fields={"vote": "approve"})
    assert desk.fire("INC-1", "close", actor=ANA, at=T0 + 3 * HOUR, fields=code).state == "closed"


def test_nobody_votes_on_a_record_that_goes_on_elsewhere(store):
    """The round stays where it was asked for; the successor is asked about anew."""
    desk, rita = ServiceDesk(store), Actor.person("rita")
    for number in ("REQ-1", "REQ-2"):
        fields = {"request_model": "laptop"}
        desk.open("x", process="service_request", actor=UMA, at=T0, record_id=number, fields=fields)
        rule = ApprovalRule([Panel("boss", ["rita", "rob"], needed=2)]).to_dict()
        desk.fire(number, "request_approval", actor=ANA, at=T0, fields={"rule": rule})
        desk.fire(number, "vote", actor=rita, at=T0, fields={"vote": "approve"})
    incident = desk.retype("REQ-1", "incident", actor=ANA, at=T0 + HOUR, fields={"reason": "it is broken"})
    desk.merge("REQ-2", incident.id, actor=ANA, at=T0 + HOUR)
    for number in ("REQ-1", "REQ-2"):
        with pytest.raises(TransitionRefused) as refused:
            desk.fire(number, "vote", actor=Actor.person("rob"), at=T0 + HOUR, fields={"vote": "approve"})
        assert refused.value.codes == ("wrong_state",)
    assert desk.get(incident.id).rounds == ()
    with pytest.raises(TransitionRefused, match="asks for no approval"):
        desk.fire(incident.id, "vote", actor=rita, at=T0 + HOUR, fields={"vote": "approve"})


def test_what_comes_after_a_request_of_a_model_is_of_the_same_model(store):
    """Of several lifecycles of one process its own, also where another is first; numbers are the process's."""
    laptops = RequestModel("laptop", 2, title="laptop", inputs=[Need("size", "ours", required=False)])
    models = [one.lifecycle() for one in (laptops, RequestModel("password", 1, title="password"))]
    desk = ServiceDesk(store, lifecycles=models)
    asked = {"request_model": "password", "request_model_version": 1}
    desk.open("x", process="service_request.password", actor=UMA, at=T0, record_id="REQ-1", fields=asked)
    part = desk.split("REQ-1", "and another", actor=ANA, at=T0)
    desk.fire("REQ-1", "cancel", actor=UMA, at=T0, fields={"reason": "x"})
    later = desk.receive("REQ-1", "after all", actor=UMA, at=T0 + HOUR, message_id="1")
    laptop = {"reason": "no", "request_model": "laptop"}  # and not the version of the other model
    other = desk.retype(part.id, "service_request.laptop", actor=ANA, at=T0 + HOUR, fields=laptop)
    assert [one.id[:4] for one in (part, later, other)] == ["REQ-"] * 3
    assert [one.lifecycle.rpartition(".")[2] for one in (part, later, other)] == [
        "password", "password", "laptop",
    ]  # fmt: skip


def test_a_request_goes_by_the_model_that_it_names(store):
    """Asked for by process, and wherever the model stands among the lifecycles; its newest version."""
    old = RequestModel("laptop", 1, title="laptop")
    laptop = RequestModel("laptop", 2, title="laptop", inputs=[Need("size", "ours")], approval="manager")
    phone = RequestModel("phone", 1, title="phone")
    desk = ServiceDesk(store, lifecycles=[*SHIPPED, *(m.lifecycle() for m in (old, laptop, phone))])

    def ask(process="service_request", **fields):
        return desk.open("One, please", process=process, actor=UMA, at=T0, fields=fields)

    for model, size in ((laptop, {"size": "13"}), (phone, {})):
        request = ask(**model.asked(**size))
        assert (request.lifecycle, request.lifecycle_version) == (
            f"service_request.{model.id}",
            model.version,
        )
        assert request.process == "service_request"
    for fields, code in (
        (laptop.asked(), "inputs"),
        (old.asked(), "invalid_field"),
        ({"process": "service_request.phone", **laptop.asked()}, "invalid_field"),
        ({}, "missing_field"),
    ):
        with pytest.raises(TransitionRefused) as refused:
            ask(**fields)
        assert [reason.code for reason in refused.value.reasons] == [code]


@pytest.mark.parametrize(
    ("asked", "said"),
    [("lapton", "did you mean laptop"), ("car", "ask for one of laptop, phone"), (5, "laptop, phone")],
)
def test_what_no_model_offers_is_not_asked_for(store, asked, said):
    """It would go round inputs and approval; nothing is opened."""
    models = [RequestModel(name, 1, title=name) for name in ("laptop", "phone")]
    desk = ServiceDesk(store, lifecycles=[*SHIPPED, *(one.lifecycle() for one in models)])
    with pytest.raises(InvalidValue, match=said):
        desk.open("x", process="service_request", actor=UMA, at=T0, fields={"request_model": asked})
    assert desk.find() == ()


def test_a_retyped_record_goes_by_the_model_that_is_asked_for(store):
    """Also where the process alone is named."""
    desk = ServiceDesk(store, lifecycles=[*SHIPPED, RequestModel("phone", 1, title="phone").lifecycle()])
    opened(desk)
    fields = {"reason": "a wish", "request_model": "phone"}
    request = desk.retype("INC-1", "service_request", actor=ANA, at=T0, fields=fields)
    assert request.lifecycle == "service_request.phone"


def test_only_an_integration_says_that_a_history_holds_no_messages(store):
    """Whoever opens a record could spare the desk a breach of the response otherwise."""
    desk = ServiceDesk(store, agreement=default_agreement(OFFICE))
    agent = Actor.ai_agent("triage", "agent", model="m", version="1")
    for actor in (UMA, ANA, agent):
        with pytest.raises(TransitionRefused) as refused:
            desk.open("x", actor=actor, at=T0, fields={**HIGH, "messages": "none"})
        assert [reason.code for reason in refused.value.reasons] == ["reserved_field"]
    for actor in (Actor.automation("import"), Actor.monitoring("probe")):
        told = desk.open("x", actor=actor, at=T0, fields={**HIGH, "messages": "none"})
        assert told.values["messages"] == "none"


def test_what_recurs_is_looked_for_among_all_incidents(store):
    """However many pages they fill, and less what a problem answers for."""
    desk = ServiceDesk(store, clock=None)
    for number in range(505):
        name, fields = f"INC-{number:04}", {"service": f"s{number}" if number < 502 else "mail"}
        desk.open("x", actor=UMA, at=T0, record_id=name, fields=fields)
    (found,) = desk.recurring(at=T0 + DAY)
    assert found.incidents == ("INC-0502", "INC-0503", "INC-0504")
    rule = Recurring(count=4)
    assert desk.recurring(rule, at=T0 + DAY) == ()
    answer = found.decline("mona", "wait", at=T0 + DAY, until=T0 + 9 * DAY)
    assert desk.recurring(at=T0 + DAY, declined=[answer]) == ()
    desk.open("Mail", process="problem", actor=ANA, at=T0 + DAY, fields=found.fields,
              external_ref=found.external_ref)  # fmt: skip
    assert desk.recurring(at=T0 + DAY) == ()


def test_a_desk_refuses_two_definitions_of_one_version(store):
    """Versions are never reused."""
    other = attrs.evolve(INCIDENT, transitions=INCIDENT.transitions[:-1])
    with pytest.raises(InvalidValue, match=r"incident 1.*is the name of two.*new version"):
        ServiceDesk(store, lifecycles=[INCIDENT, other])
    judged = attrs.evolve(INCIDENT, guards={**INCIDENT.guards, "no_open_tasks": lambda _: None})
    with pytest.raises(InvalidValue, match=r"incident 1.*is the name of two.*new version"):
        ServiceDesk(store, lifecycles=[INCIDENT, judged])
    assert ServiceDesk(store, lifecycles=[INCIDENT, attrs.evolve(INCIDENT)]).terms.lifecycles == (INCIDENT,)
    with pytest.raises(InvalidValue, match="lifecycles"):
        ServiceDesk(store, lifecycles=[])


def test_time_counts_around_the_clock_where_no_calendar_is_given(store):
    """Five days of any kind, in UTC."""
    desk = ServiceDesk(store)
    opened(desk)
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    assert desk.next_due() == T0 + HOUR + 5 * DAY


def test_a_timer_edge_may_count_open_time(store):
    """Eight hours of a desk that is open eight hours a day."""
    rows = [attrs.evolve(t, after=hours(8)) if t.after else t for t in INCIDENT.transitions]
    desk = ServiceDesk(store, lifecycles=attrs.evolve(INCIDENT, transitions=rows), calendar=OFFICE)
    opened(desk)
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    assert desk.next_due() == T0 + DAY + HOUR
    assert business_days(5) == INCIDENT.by_trigger["auto_close"][0].after


def test_a_timer_set_by_another_calendar_is_set_anew(store):
    """The host gave the desk office hours after the incident was resolved: it waits as long as they say."""
    first = ServiceDesk(store)
    opened(first)
    first.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    desk = ServiceDesk(store, calendar=OFFICE)
    assert desk.tick(T0 + HOUR + 5 * DAY).expired == 0
    assert desk.get("INC-1").state == "resolved"
    assert desk.next_due() == dt.datetime(2024, 1, 16, 10, tzinfo=dt.UTC)


def test_a_desk_without_timer_edges_waits_for_nothing(store):
    """It does not even ask the store."""
    rows = [t for t in INCIDENT.transitions if t.after is None]
    desk = ServiceDesk(store, lifecycles=attrs.evolve(INCIDENT, transitions=rows))
    opened(desk)
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    assert desk.next_due() is None
    assert desk.tick(T0 + 30 * DAY).expired == 0
    assert kinds(desk) == ["opened", "transitioned"]


# --- what one record's change suggests for others -------------------------------------------------


def test_what_is_proposed_is_done_by_nobody_until_somebody_takes_it_up(desk):
    """The parent is resolved: its child may be, too; taken up, it is proposed no more."""
    opened(desk)
    opened(desk, "INC-2")
    desk.link("INC-1", "parent_of", "INC-2", actor=ANA, at=T0)
    assert desk.proposals("INC-1") == ()
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    (proposal,) = desk.proposals("INC-1")
    assert (proposal.record, proposal.trigger) == ("INC-2", "resolve")
    assert desk.get("INC-2").state == "new"
    asked = {"actor": ANA, "at": T0 + 2 * HOUR, "fields": proposal.fields, "command_id": proposal.id}
    assert desk.fire(proposal.record, proposal.trigger, **asked).state == "resolved"
    assert desk.proposals("INC-1") == ()
    assert desk.fire(proposal.record, proposal.trigger, **asked).state == "resolved"
    assert kinds(desk, "INC-2").count("transitioned") == 1


def test_scenario_19_what_ends_a_parent_resolves_its_child_and_closes_nothing(desk):
    """Resolved and then closed, the parent has its child resolved, for its own requester to close (ServiceNow)."""
    opened(desk)
    opened(desk, "INC-2")
    desk.link("INC-1", "parent_of", "INC-2", actor=ANA, at=T0)
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    (proposal,) = desk.proposals("INC-1")
    asked = {"actor": ANA, "at": T0 + 2 * HOUR, "fields": proposal.fields, "command_id": proposal.id}
    desk.fire(proposal.record, proposal.trigger, **asked)
    desk.fire("INC-1", "close", actor=UMA, at=T0 + 3 * HOUR, fields={"closure_code": "user_confirmed"})
    assert (desk.get("INC-1").phase, desk.get("INC-2").phase) == (Phase.CLOSED, Phase.RESOLVED)
    assert desk.proposals("INC-1") == ()
    parent, child = (desk.clocks(i, T0 + 4 * HOUR)["resolution"] for i in ("INC-1", "INC-2"))
    assert [(c.elapsed, c.verdict.value, c.settled) for c in (parent, child)] == [
        (HOUR, "met", True), (2 * HOUR, "met", False)
    ]  # fmt: skip


@pytest.mark.parametrize(("reason", "waits"), [("requester", False), ("supplier", True)])
def test_scenario_19_a_parent_on_hold_for_its_caller_leaves_its_child_running(desk, reason, waits):
    """Only a wait for something beyond both is proposed for the child; its clock runs on meanwhile (ServiceNow)."""
    opened(desk)
    opened(desk, "INC-2")
    desk.link("INC-1", "parent_of", "INC-2", actor=ANA, at=T0)
    held = {"hold_reason": reason, "message": "we wait", "look_again_at": T0 + DAY}
    desk.fire("INC-1", "hold", actor=ANA, at=T0 + HOUR, fields=held)
    assert [p.trigger for p in desk.proposals("INC-1")] == (["hold"] if waits else [])
    parent, child = (desk.clocks(i, T0 + 3 * HOUR)["resolution"] for i in ("INC-1", "INC-2"))
    assert (parent.state.value, parent.elapsed) == (("running", 3 * HOUR) if waits else ("paused", HOUR))
    assert (child.state.value, child.elapsed) == ("running", 3 * HOUR)


def test_the_last_task_of_a_request_proposes_that_it_is_delivered(desk):
    """The desk brings the record that the task is part of, and its other tasks."""
    request = desk.open(
        "a laptop", process="service_request", actor=UMA, at=T0, fields={"request_model": "laptop"}
    )
    desk.fire(request.id, "start", actor=ANA, at=T0)
    parts = {"process": "task", "actor": ANA, "at": T0, "fields": {"part_of": request.id}}
    one, two = desk.open("order it", **parts), desk.open("set it up", **parts)
    need = PROCESSES["task"].by_trigger["complete"][0].requires[0].field
    desk.fire(one.id, "complete", actor=ANA, at=T0 + HOUR, fields={need: "ordered"})
    assert desk.proposals(one.id) == ()
    desk.fire(two.id, "complete", actor=ANA, at=T0 + 2 * HOUR, fields={need: "it runs"})
    assert [(p.record, p.trigger) for p in desk.proposals(two.id)] == [(request.id, "deliver")]


def test_a_host_may_leave_rows_out(store):
    """The table is a value."""
    desk = ServiceDesk(store, propagations=())
    opened(desk)
    opened(desk, "INC-2")
    desk.link("INC-1", "parent_of", "INC-2", actor=ANA, at=T0)
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    assert desk.proposals("INC-1") == ()


def test_a_lifecycle_is_opened_by_its_id_too(store):
    """Two lifecycles of one process: the first is the process's own, the other has its name."""
    laptop = attrs.evolve(PROCESSES["service_request"], id="service_request.laptop")
    desk = ServiceDesk(store, lifecycles=[*PROCESSES.values(), laptop])
    model = {"actor": UMA, "at": T0, "fields": {"request_model": "laptop"}}
    assert desk.open("x", process="service_request", **model).lifecycle == "service_request"
    special = desk.open("x", process="service_request.laptop", **model)
    assert (special.lifecycle, special.process) == ("service_request.laptop", "service_request")
    assert special.id.startswith("REQ-")
    assert desk.get(special.id).lifecycle == "service_request.laptop"


def test_a_task_that_ends_lets_time_go_on_for_the_record_it_is_part_of(desk):
    """A resolved incident waits for its task, then closes by itself."""
    opened(desk)
    parts = {"process": "task", "actor": ANA, "at": T0, "fields": {"part_of": "INC-1"}}
    task = desk.open("call them", **parts)
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    desk.tick(T0 + HOUR)
    assert desk.next_due() is None
    desk.fire(task.id, "skip", actor=ANA, at=T0 + DAY, fields={"reason": "answered by mail"})
    assert desk.next_due() == dt.datetime(2024, 1, 16, 10, tzinfo=dt.UTC)
    assert desk.tick(T0 + 30 * DAY).expired == 1
    assert desk.get("INC-1").state == "closed"


def test_a_retyped_record_owes_nothing_any_more(desk):
    """Its clocks are void: the promise goes on with the successor."""
    opened(desk)
    fields = {"reason": "asks", "request_model": "mailbox"}
    desk.retype("INC-1", "service_request", actor=ANA, at=T0 + HOUR, fields=fields)
    assert desk.clocks("INC-1", T0 + DAY)["resolution"].state == "void"
