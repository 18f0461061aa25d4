"""Major incidents at the desk: proposed by criteria, told to top management, joined, never closed by time."""

import asyncio
import datetime as dt

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itsm_core import road, stores
from itsm_core.actors import Actor
from itsm_core.aio import AsyncServiceDesk
from itsm_core.business_time import BusinessCalendar
from itsm_core.business_time.durations import business_days, hours, minutes
from itsm_core.desk import ServiceDesk
from itsm_core.errors import InvalidValue, TransitionRefused
from itsm_core.escalation import EscalationPolicy, EscalationStep, preview
from itsm_core.escalation.triggers import Trigger, wall
from itsm_core.lifecycle import CustomField, Lifecycle, State, Transition
from itsm_core.processes import (
    INCIDENT,
    PROCEDURE,
    MajorCriteria,
    MajorCriterion,
    MajorRules,
    major_report_due,
    major_review_due,
    update_due,
)
from itsm_core.records import MajorStatus, fold
from major_play import RESOLVED, TO_THE_END

T = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
ANA, MONA = Actor.person("ana", "agent"), Actor.person("mona", "manager")
P1 = {"impact": "high", "urgency": "high", "service": "payments"}
P1_GRADES = {"impact": "high", "urgency": "high"}
CRITERIA = MajorCriteria(
    "house",
    3,
    any_of=(
        MajorCriterion("critical", priority="P1", services="payments"),
        MajorCriterion("many-users", users=100),
    ),
)
RULES = MajorRules(criteria=CRITERIA)
CLOSED = {"closure_code": "monitoring_verified"}


def later(n):
    """So many minutes after nine."""
    return T + dt.timedelta(minutes=n)


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    """A store in memory, and one in a file."""
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'desk.db'}"
    made = stores.open(url)
    yield made
    made.close()


@pytest.fixture
def desk(store):
    """A desk that proposes by its criteria."""
    return ServiceDesk(store, majors=RULES)


def opened(desk, **fields):
    """An open P1 on the payments."""
    return desk.open("Nobody can pay", actor=ANA, at=T, record_id="INC-1", fields={**P1, **fields})


def running(desk, at=5):
    """The same, accepted as a major incident."""
    opened(desk)
    return desk.major.accept("INC-1", manager="mona", users=300, actor=MONA, at=later(at))


def joined(desk, at=50):
    """Takes every track to an end."""
    for track, step in TO_THE_END:
        record = desk.major.move("INC-1", track, step, actor=ANA, at=later(at))
    return record


def kinds(desk):
    """The kinds of the record's events, in order."""
    return [event.kind for event in desk.history("INC-1")]


def told(desk):
    """What top management was told, and when."""
    said = [event for event in desk.history("INC-1") if event.fields.get("audience") == "management"]
    return [(int((event.occurred_at - T) / dt.timedelta(minutes=1)), event.fields["text"]) for event in said]


def outbox(desk):
    """Messages that wait to be sent."""
    claims = desk.store.claim("message", later(10**5), 100, dt.timedelta(minutes=1), "w")
    return [claim.item for claim in claims]


# --- criteria ---------------------------------------------------------------------------------------


def test_an_opening_that_meets_the_criteria_is_proposed_by_the_machine_at_once(desk):
    """INC-08, INC-09: which criteria of which version, and by whom."""
    record = opened(desk)
    held = record.major_incident
    assert (held.status, held.proposed_by, held.criteria) == ("proposed", "itsm_core", ("critical",))
    assert held.reason == "Criteria house 3: critical"
    assert kinds(desk) == ["opened", "major_proposed"]
    assert record == desk.get("INC-1") == fold(desk.history("INC-1"))
    assert not record.major


def test_every_event_is_judged(desk):
    """Minor at first; another priority and more users make it one."""
    desk.open("Slow", actor=ANA, at=T, record_id="INC-1", fields={"service": "payments"})
    assert kinds(desk) == ["opened"]
    raised = {"impact": "high", "urgency": "high"}
    desk.reprioritise("INC-1", fields=raised, actor=ANA, at=later(1))
    assert kinds(desk) == ["opened", "reprioritised", "major_proposed"]


def test_what_was_rejected_is_proposed_again_only_by_another_criterion(desk):
    """The machine does not nag; more users are news."""
    opened(desk)
    desk.major.reject("INC-1", reason="A test system", actor=MONA, at=later(1))
    desk.note("INC-1", "Still so", actor=ANA, at=later(2))
    assert desk.get("INC-1").major_incident.status == "rejected"
    desk.fire("INC-1", "amend", fields={"affected": 100}, actor=ANA, at=later(3))
    held = desk.get("INC-1").major_incident
    assert (held.status, held.criteria) == ("proposed", ("critical", "many-users"))
    assert held.reason == "Criteria house 3: many-users"


def test_a_child_is_not_proposed(desk):
    """platforms.md: not for children; its parent is the major one."""
    desk.open("Parent", actor=ANA, at=T, record_id="INC-0")
    desk.open("Slow", actor=ANA, at=T, record_id="INC-1", fields={"service": "payments"})
    desk.link("INC-1", "child_of", "INC-0", actor=ANA, at=T)
    desk.reprioritise("INC-1", fields={"impact": "high", "urgency": "high"}, actor=ANA, at=later(1))
    assert desk.get("INC-1").major_incident is None


def test_without_criteria_only_people_propose(store):
    """The default: nothing happens by itself."""
    desk = ServiceDesk(store)
    assert opened(desk).major_incident is None
    record = desk.declare_major("INC-1", reason="Nobody can pay", users=40, actor=ANA, at=later(1))
    held = record.major_incident
    assert (held.status, held.proposed_by, held.users) == ("proposed", "ana", 40)
    assert not outbox(desk)


def test_a_proposal_is_made_when_the_record_met_the_criteria_also_where_that_is_told_late(store):
    """The instant is that of the event; when it was recorded stands beside it."""
    now = [later(600)]
    desk = ServiceDesk(store, majors=RULES, clock=lambda: now[0])
    desk.open("Slow", actor=ANA, at=later(599), record_id="INC-1", fields={"service": "payments"})
    now[0] = later(1000)
    fields = {"impact": "high", "urgency": "high", "late_reason": "phoned in"}
    desk.reprioritise("INC-1", fields=fields, actor=ANA, at=later(700))
    last = desk.history("INC-1")[-1]
    assert (last.kind, last.occurred_at, last.recorded_at) == ("major_proposed", later(700), later(1000))


def test_what_is_told_late_is_judged_on_the_record_as_it_is_then(desk):
    """The proposal comes after the state that the record is in, and is not refused for lying before it."""
    desk.open("Slow", actor=ANA, at=T, record_id="INC-1")
    desk.fire("INC-1", "start", actor=ANA, at=later(30))
    record = desk.fire("INC-1", "amend", fields={"affected": 500}, actor=ANA, at=later(20))
    assert record.major_incident.proposed_at == later(30)
    assert record == fold(desk.history("INC-1"))


def test_what_a_correction_makes_of_a_record_is_judged(desk):
    """A mistyped number of users: the criteria are asked as soon as the right one is known."""
    desk.open("Slow", actor=ANA, at=T, record_id="INC-1", fields={"affected": 1})
    (first,) = desk.history("INC-1")
    record = desk.correct("INC-1", first.id, "affected", 1000, reason="Mistyped", actor=ANA, at=later(5))
    assert record.major_incident.criteria == ("many-users",)
    assert kinds(desk) == ["opened", "corrected", "major_proposed"]


def test_what_was_corrected_away_is_not_proposed(store):
    """The mistake met the criteria, and the record does not."""
    ServiceDesk(store).open("Slow", actor=ANA, at=T, record_id="INC-1", fields={"affected": 1000})
    desk = ServiceDesk(store, majors=RULES)
    (first,) = desk.history("INC-1")
    record = desk.correct("INC-1", first.id, "affected", 1, reason="Mistyped", actor=ANA, at=later(5))
    assert record.major_incident is None


@pytest.mark.parametrize("accepted", [False, True])
def test_whoever_decides_against_it_has_judged_what_was_met_by_then(desk, accepted):
    """run-a-major-incident.md: proposed again only by a criterion that was not met at the decision."""
    desk.open("Slow", actor=ANA, at=T, record_id="INC-1")
    desk.declare_major("INC-1", reason="Half the house calls", actor=ANA, at=T)
    if accepted:
        desk.major.accept("INC-1", manager="mona", actor=MONA, at=later(1))
    desk.fire("INC-1", "amend", fields={"affected": 500}, actor=ANA, at=later(2))
    against = desk.major.cancel if accepted else desk.major.reject
    record = against("INC-1", reason="One room", actor=MONA, at=later(3))
    assert record.major_incident.status is (MajorStatus.CANCELLED if accepted else MajorStatus.REJECTED)
    assert record.major_incident.criteria == ("many-users",)
    record = desk.fire("INC-1", "reprioritise", fields=P1_GRADES, actor=ANA, at=later(4))
    assert record.major_incident.status != MajorStatus.PROPOSED
    record = desk.fire("INC-1", "amend", fields={"service": "payments"}, actor=ANA, at=later(5))
    assert record.major_incident.criteria == ("many-users", "critical")


def test_the_same_command_twice_proposes_once(desk):
    """The first answer, with what followed from it."""
    first = [
        desk.open("Nobody can pay", actor=ANA, at=T, record_id="INC-1", fields=P1, command_id="mail-7")
        for _ in range(2)
    ]
    assert first[0] == first[1]
    assert kinds(desk) == ["opened", "major_proposed"]


@pytest.mark.parametrize("wrong", ["house", CRITERIA, PROCEDURE])
def test_rules_that_are_none_are_refused_with_a_remedy(store, wrong):
    """A desk is not opened with something else."""
    with pytest.raises(InvalidValue, match=r"majors .*make them: MajorRules"):
        ServiceDesk(store, majors=wrong)


# --- top management ---------------------------------------------------------------------------------


def test_top_management_hears_at_acceptance_on_cadence_and_at_the_end(desk):
    """INC-10: in the outbox, with the facts, and by when they hear again; every 30 minutes for a P1."""
    running(desk)
    assert desk.next_due() == later(35)
    for n in range(6, 100):
        desk.tick(later(n))
    joined(desk, 100)
    desk.fire("INC-1", "resolve", actor=ANA, at=later(101), fields=RESOLVED)
    desk.tick(later(10_000))
    heard = told(desk)
    assert [minute for minute, _ in heard] == [5, 35, 65, 95, 101]
    assert heard[0][1] == (
        "INC-1 (P1) is handled as a major incident since 2026-03-02 09:05 UTC. Responsible: mona. "
        "Services: payments. Users affected: 300. Tracks: mobilisation: calling, restoration: diagnosing, "
        "announcements: drafting. You hear again by 2026-03-02 09:35 UTC."
    )
    assert "is still a major incident, as of 2026-03-02 09:35 UTC." in heard[1][1]
    assert "the service was restored at 2026-03-02 10:41 UTC; a report and a review follow." in heard[-1][1]
    assert "You hear again" not in heard[-1][1]
    messages = outbox(desk)
    assert {(one.to, one.audience) for one in messages} == {("management", "management")}
    assert [one.body for one in messages] == [text for _, text in heard]


def test_the_facts_go_with_the_words_for_those_who_write_their_own(desk):
    """A template or a webhook finds them by name; words to the requester bring none of them."""
    running(desk)
    desk.communicate("INC-1", "We are on it", actor=ANA, at=later(6))
    to = {message.to: message for message in outbox(desk)}
    assert dict(to["management"].facts) == {
        "template": "major_incident",
        "number": "INC-1",
        "state": "new",
        "manager": "mona",
        "services": ("payments",),
        "affected_count": 300,
        "started_at": "2026-03-02T09:05:00.000000Z",
        "next_update": "2026-03-02T09:35:00.000000Z",
    }
    assert dict(to["ana"].facts) == {}


def test_words_to_management_on_any_other_incident_bring_no_facts(desk):
    """Nothing is major about it."""
    opened(desk)
    desk.communicate("INC-1", "Slow", audience="management", actor=ANA, at=later(6))
    assert [dict(message.facts) for message in outbox(desk)] == [{}]


def test_the_shipped_template_tells_a_briefing(desk):
    """Extra `templates`: the message names it, and its facts are found."""
    templates = pytest.importorskip("itsm_core.notifiers.templates")
    running(desk)
    (message,) = outbox(desk)
    words = templates.Templates()(message)
    assert words.subject.startswith("Major incident INC-1")
    assert "Responsible manager: mona" in words.text
    assert "People affected: 300" in words.text
    assert "Next announcement: by 2026-03-02 09:35 UTC" in words.text


def test_the_last_word_says_since_when_it_is_over(desk):
    """The template then promises no further announcement."""
    templates = pytest.importorskip("itsm_core.notifiers.templates")
    resolved(desk)
    last = outbox(desk)[-1]
    assert last.facts["ended_at"] == "2026-03-02T10:00:00.000000Z"
    text = templates.Templates()(last).text
    assert "Ended: 2026-03-02 10:00 UTC" in text
    assert "This is the last announcement; a review follows." in text


def test_each_word_promises_the_next_one(desk):
    """Renewed with every word, and none after the end."""
    running(desk)
    desk.tick(later(35))
    joined(desk)
    desk.fire("INC-1", "resolve", actor=ANA, at=later(60), fields=RESOLVED)
    said = [event for event in desk.history("INC-1") if event.fields.get("audience") == "management"]
    due = [event.fields.get("promise_due") for event in said]
    assert due == ["2026-03-02T09:35:00.000000Z", "2026-03-02T10:05:00.000000Z", None]


def test_a_tick_says_how_many_were_briefed(desk):
    """And does it once."""
    running(desk)
    assert desk.tick(later(36)).briefed == 1
    assert desk.tick(later(36)).briefed == 0


def test_after_an_outage_of_three_hours_they_are_told_once(desk):
    """Of how things stand then; the next word counts from there."""
    running(desk)
    assert desk.tick(later(215)).briefed == 1
    assert [minute for minute, _ in told(desk)] == [5, 215]
    assert desk.next_due() == later(245)


def test_whoever_speaks_to_them_puts_off_the_word_of_the_desk(desk):
    """Nobody hears the same twice."""
    running(desk)
    desk.communicate("INC-1", "A disk is full", audience="management", actor=ANA, at=later(30))
    assert desk.next_due() == later(60)
    assert desk.tick(later(59)).briefed == 0


def test_another_priority_is_another_cadence(desk):
    """P2 hears every hour, a lower one as often as the last that is named; the word that was promised comes."""
    running(desk)
    for grades in ({"impact": "medium", "urgency": "high"}, {"impact": "low", "urgency": "low"}):
        desk.reprioritise("INC-1", fields=grades, actor=ANA, at=later(10))
        assert desk.next_due() == later(35)  # "You hear again by 09:35"
    desk.tick(later(35))
    assert desk.next_due() == later(95)
    desk.reprioritise("INC-1", fields={"impact": "high", "urgency": "high"}, actor=ANA, at=later(40))
    assert desk.next_due() == later(65)
    desk.tick(later(65))
    assert [minute for minute, _ in told(desk)] == [5, 35, 65]
    said = [event for event in desk.history("INC-1") if event.fields.get("audience") == "management"]
    due = ["2026-03-02T09:35:00.000000Z", "2026-03-02T10:35:00.000000Z", "2026-03-02T10:35:00.000000Z"]
    assert [event.fields["promise_due"] for event in said] == due


def test_a_person_who_promises_the_next_word_sooner_is_kept_to_it(desk):
    """The desk says where things stand by then, if nobody does; a later promise does not stretch the cadence."""
    running(desk)
    for minute, soon, due in ((10, 15, 15), (12, 55, 42)):
        asked = {"actor": ANA, "at": later(minute), "promise_due": later(soon)}
        desk.communicate("INC-1", "A disk is full", audience="management", **asked)
        assert desk.next_due() == later(due)


def test_a_major_incident_without_priority_is_told_as_often_as_the_most_urgent(store):
    """Unknown is never taken for harmless."""
    desk = ServiceDesk(store)
    desk.open("Odd", actor=ANA, at=T, record_id="INC-1")
    desk.declare_major("INC-1", reason="Odd", actor=ANA, at=T)
    record = desk.major.accept("INC-1", manager="mona", actor=MONA, at=T)
    assert record.priority is None
    assert desk.next_due() == later(30)
    assert told(desk)[0][1].startswith("INC-1 (no priority) is handled as a major incident")


def test_chinese_is_spoken_to_those_who_read_it(store):
    """The same facts in the desk's language, in its calendar's zone."""
    calendar = BusinessCalendar.always("Asia/Shanghai")
    desk = ServiceDesk(store, majors=RULES, lang="zh", calendar=calendar)
    assert opened(desk).major_incident.reason == "符合标准 house 3：critical"
    desk.major.accept("INC-1", manager="mona", actor=MONA, at=later(5))
    assert told(desk)[0][1] == (
        "INC-1（P1）自 2026-03-02 17:05 CST 起按重大事件处理。负责人：mona。受影响服务：payments。"
        "各工作线：人员动员: 召集中、服务恢复: 诊断中、公告发布: 起草中。下次通报不晚于 2026-03-02 17:35 CST。"
    )


def test_a_language_that_is_not_spoken_is_english_here(store):
    """As for the notices of the desk."""
    desk = ServiceDesk(store, majors=RULES, lang="fr")
    running(desk)
    assert told(desk)[0][1].startswith("INC-1 (P1) is handled as a major incident")


def test_neither_title_nor_names_of_requesters_go_to_management(desk):
    """Private by default: the number says which one it is."""
    running(desk)
    joined(desk)
    assert not any("Nobody can pay" in text or "ana" in text for _, text in told(desk))


def test_a_cancelled_major_incident_is_told_and_then_no_more(desk):
    """A downgrade is news; afterwards nobody waits for a word."""
    running(desk)
    record = desk.major.cancel("INC-1", reason="Three users", actor=MONA, at=later(20))
    assert not record.major
    assert record.values["major"] is False
    minute, text = told(desk)[-1]
    assert minute == 20
    assert text == (
        "INC-1 (P1) is no major incident any more, since 2026-03-02 09:20 UTC. Services: payments. "
        "Users affected: 300. Tracks: mobilisation: calling, restoration: diagnosing, "
        "announcements: drafting."
    )
    assert desk.next_due() is None


def test_a_reopened_one_is_told_again_and_on_cadence(desk):
    """It begins anew: its tracks, its papers, its cadence."""
    running(desk)
    joined(desk)
    desk.fire("INC-1", "resolve", actor=ANA, at=later(60), fields=RESOLVED)
    desk.major.report("INC-1", "doc/1", actor=ANA, at=later(70))
    record = desk.fire("INC-1", "reopen", actor=ANA, at=later(80), fields={"reason": "Down again"})
    assert "was reopened at 2026-03-02 10:20 UTC and is a major incident again." in told(desk)[-1][1]
    assert desk.next_due() == later(110)
    assert record.major_incident.report is None
    assert {track.step for track in record.major_incident.tracks} == {"calling", "diagnosing", "drafting"}
    with pytest.raises(TransitionRefused, match="move each track to an end first"):
        desk.fire("INC-1", "resolve", actor=ANA, at=later(90), fields=RESOLVED)


def test_a_word_that_comes_in_the_very_moment_is_not_said_twice(desk):
    """The timer was claimed, and then a person spoke: the desk has nothing to add."""
    running(desk)
    asked, answer = road.briefings(desk.terms, later(35), "w"), None

    def step():
        wanted = asked.send(answer)
        return wanted.method, getattr(desk.store, wanted.method)(*wanted.arguments)

    method, answer = step()
    assert method == "claim"
    desk.communicate("INC-1", "A disk is full", audience="management", actor=ANA, at=later(34))
    while True:
        try:
            _, answer = step()
        except StopIteration:
            break
    assert [minute for minute, _ in told(desk)] == [5, 34]
    assert desk.next_due() == later(64)


def test_setting_timers_anew_says_nothing_by_itself(desk):
    """After the procedure changed, say; the cadence stays that of the record."""
    running(desk)
    desk.rearm("INC-1", later(6))
    assert (len(told(desk)), desk.next_due()) == (1, later(35))


# --- the update that is overdue ------------------------------------------------------------------------


def test_only_a_person_keeps_the_update_from_being_overdue(desk):
    """The desk's own words are told to management, and answer nothing."""
    record = running(desk)
    assert update_due(record) == later(35)
    desk.tick(later(35))
    assert update_due(desk.get("INC-1")) == later(35)
    record = desk.communicate("INC-1", "A disk is full", audience="management", actor=ANA, at=later(40))
    assert update_due(record) == later(70)
    robot = Actor.automation("bot", "automation")
    record = desk.communicate("INC-1", "Still so", audience="management", actor=robot, at=later(50))
    assert update_due(record) == later(70)
    assert update_due(record, later(4)) is None


def test_an_overdue_update_escalates(store):
    """Issue 7: "update overdue" is an escalation trigger; a person's word moves it."""
    step = EscalationStep("silence", trigger=Trigger.update_overdue(wall(minutes(10))), to="duty-manager")
    policy = EscalationPolicy("house", 1, steps=[step], last_resort="duty-manager")
    desk = ServiceDesk(store, majors=RULES, policy=policy)
    running(desk)
    desk.communicate("INC-1", "A disk is full", audience="management", actor=ANA, at=later(20))
    for n in range(21, 60):
        desk.tick(later(n))
    assert [e for e in desk.history("INC-1") if e.kind == "escalated"] == []
    desk.tick(later(60))
    (fired,) = [e for e in desk.history("INC-1") if e.kind == "escalated"]
    assert (fired.fields["step"], fired.occurred_at) == ("silence", later(60))


def test_nobody_is_overdue_for_the_time_in_which_it_was_resolved(store):
    """A reopening begins the cadence anew: the step is neither late by days nor spent on them."""
    step = EscalationStep("silence", trigger=Trigger.update_overdue(wall(minutes(10))), to="duty-manager")
    policy = EscalationPolicy("house", 1, steps=[step], last_resort="duty-manager")
    desk = ServiceDesk(store, majors=RULES, policy=policy)
    running(desk)
    joined(desk, 30)
    desk.fire("INC-1", "resolve", actor=ANA, at=later(40), fields=RESOLVED)
    record = desk.fire("INC-1", "reopen", actor=ANA, at=later(3000), fields={"reason": "Down again"})
    assert update_due(record) == later(3030)
    desk.tick(later(3039))
    desk.tick(later(3040))
    (fired,) = [e for e in desk.history("INC-1") if e.kind == "escalated"]
    assert fired.occurred_at == later(3040)


# --- papers that are owed ------------------------------------------------------------------------------

OWING = attrs.evolve(PROCEDURE, id="owing", report_within=business_days(1), review_within="3 business days")
HOUSE = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")
DAY = 24 * 60


def owing(store, procedure=OWING):
    """A desk whose procedure says by when papers are owed, and whose policy tells of those that are not there."""
    steps = [
        EscalationStep("report", trigger=Trigger.report_overdue(), to="user:mona"),
        EscalationStep("review", trigger=Trigger.review_overdue("1h business"), to="user:max"),
    ]
    policy = EscalationPolicy("house", 1, steps=steps, last_resort="duty-manager")
    rules = MajorRules(criteria=CRITERIA, procedure=procedure)
    return ServiceDesk(store, majors=rules, policy=policy, calendar=HOUSE)


def test_papers_are_owed_from_the_end_of_the_last_track_on(store):
    """On the desk's calendar, while the record is not closed; one that is there is owed no more."""
    desk = owing(store)
    running(desk)
    assert major_report_due(desk.get("INC-1"), HOUSE) is None
    joined(desk)
    record = desk.fire("INC-1", "resolve", actor=ANA, at=later(60), fields=RESOLVED)
    assert major_report_due(record, HOUSE) == later(50 + DAY)
    assert major_review_due(record, HOUSE) == later(50 + 3 * DAY)
    assert major_review_due(record) == later(50 + 3 * DAY)
    record = desk.major.report("INC-1", "doc/1", actor=ANA, at=later(70))
    assert major_report_due(record, HOUSE) is None
    assert major_review_due(record, HOUSE) == later(50 + 3 * DAY)
    assert major_report_due(running_under(PROCEDURE), HOUSE) is None
    record = desk.fire("INC-1", "reopen", actor=ANA, at=later(80), fields={"reason": "Down again"})
    assert major_review_due(record, HOUSE) is None


def running_under(procedure):
    """A resolved major incident under a procedure."""
    desk = ServiceDesk(stores.open("memory://"), majors=MajorRules(criteria=CRITERIA, procedure=procedure))
    return resolved(desk)


def test_nobody_owes_a_paper_on_a_calendar_that_never_opens_again():
    """There is no such instant."""
    record = running_under(OWING)
    assert major_report_due(record, BusinessCalendar.never("UTC")) is None


def test_a_paper_that_is_overdue_escalates(store):
    """The record is resolved by then, and nobody would ever ask; each once."""
    desk = owing(store)
    resolved(desk)
    assert desk.next_due() == later(50 + DAY)
    for minute in (50 + DAY - 1, 50 + DAY, 50 + 3 * DAY + 59, 50 + 3 * DAY + 60, 90 * DAY):
        desk.tick(later(minute))
    fired = [e for e in desk.history("INC-1") if e.kind == "escalated"]
    assert [(e.fields["step"], e.occurred_at) for e in fired] == [
        ("report", later(50 + DAY)),
        ("review", later(50 + 3 * DAY + 60)),
    ]


def test_the_step_of_a_paper_is_fired_before_it_is_overdue_if_somebody_asks(store):
    """What comes next is asked of what the record owes, too."""
    desk = owing(store)
    resolved(desk)
    desk.escalate_now("INC-1", actor=ANA, at=later(70))
    (fired,) = [e for e in desk.history("INC-1") if e.kind == "escalated"]
    assert (fired.fields["step"], fired.occurred_at) == ("report", later(70))


def test_a_preview_shows_what_is_owed_as_the_desk_fires_it(store):
    """Its record says when report and review are due, and the next update of one that runs."""
    desk = owing(store, attrs.evolve(OWING, report_within="8h"))  # of open time: not on the same day
    policy = desk.terms.policies[0]
    silence = EscalationStep("silence", trigger=Trigger.update_overdue("10m wall"), to="user:bo")
    running(desk)
    told = preview(
        EscalationPolicy("said", 1, steps=[silence]), desk.get("INC-1"), lambda _: {}, later(5),
        dt.timedelta(hours=2), calendar=HOUSE,
    )  # fmt: skip
    assert [(row.step, row.at) for row in told.rows] == [("silence", later(45))]
    joined(desk)
    record = desk.fire("INC-1", "resolve", actor=ANA, at=later(60), fields=RESOLVED)
    told = preview(policy, record, lambda _: {}, later(60), dt.timedelta(days=9), calendar=HOUSE)
    desk.tick(later(50 + DAY))
    desk.tick(later(50 + 3 * DAY + 60))
    fired = [e for e in desk.history("INC-1") if e.kind == "escalated"]
    assert [(row.key, row.at) for row in told.rows] == [(e.fields["key"], e.occurred_at) for e in fired]
    assert [row.step for row in told.rows] == ["report", "review"]


def test_papers_that_are_there_in_time_escalate_nothing(store):
    """Neither does a record that is closed."""
    desk = owing(store)
    resolved(desk)
    desk.major.report("INC-1", "doc/1", actor=ANA, at=later(70))
    desk.major.review("INC-1", "doc/2", actor=MONA, at=later(71))
    desk.fire("INC-1", "close", actor=ANA, at=later(72), fields=CLOSED)
    desk.tick(later(90 * DAY))
    assert "escalated" not in kinds(desk)
    assert major_review_due(desk.get("INC-1"), HOUSE) is None


# --- joined, reported, reviewed, never closed by time --------------------------------------------------


def test_it_is_not_resolved_before_its_tracks_are_joined(desk):
    """Seed 33: all tracks done before Resolved; the refusal names each that is not."""
    running(desk)
    desk.major.move("INC-1", "mobilisation", "assembled", actor=ANA, at=later(10))
    with pytest.raises(TransitionRefused) as refused:
        desk.fire("INC-1", "resolve", actor=ANA, at=later(11), fields=RESOLVED)
    (reason,) = refused.value.reasons
    assert reason.code == "tracks_open"
    assert dict(reason.facts)["tracks"] == ("restoration", "announcements")
    assert str(reason) == (
        "restoration is at diagnosing, announcements is at drafting; "
        "move each track to an end first (move_track)"
    )
    button = next(one for one in desk.options("INC-1", ANA) if one.trigger == "resolve")
    assert [one.code for one in button.reasons] == ["tracks_open"]
    assert joined_after(desk).state == "resolved"


def joined_after(desk):
    """Takes the other two tracks to their ends, and resolves."""
    for track, step in TO_THE_END[1:]:
        desk.major.move("INC-1", track, step, actor=ANA, at=later(20))
    return desk.fire("INC-1", "resolve", actor=ANA, at=later(30), fields=RESOLVED)


def test_a_resolution_is_not_dated_before_the_tracks_were_joined(desk):
    """Else its history would tell that it was resolved first."""
    running(desk)
    joined(desk, 50)
    with pytest.raises(TransitionRefused, match="lies before what is known of the major incident"):
        desk.fire("INC-1", "resolve", actor=ANA, at=later(49), fields=RESOLVED)


def test_a_reopening_is_not_dated_before_a_report_that_it_voids(desk):
    """Else the old report would do for the next resolution."""
    resolved(desk)
    desk.major.report("INC-1", "doc/report", actor=ANA, at=later(70))
    with pytest.raises(TransitionRefused) as refused:
        desk.fire("INC-1", "reopen", actor=ANA, at=later(69), fields={"reason": "Down again"})
    assert refused.value.codes == ("out_of_order",)


def test_a_correction_does_not_bring_a_resolution_before_the_tracks_were_joined(desk):
    """The order of moves and of what is said of the major incident stays."""
    running(desk)
    joined(desk, 50)
    desk.fire("INC-1", "resolve", actor=ANA, at=later(60), fields=RESOLVED)
    resolved = next(e for e in desk.history("INC-1") if e.to_state == "resolved")
    with pytest.raises(InvalidValue, match="change places"):
        desk.correct("INC-1", resolved.id, "occurred_at", later(49), reason="x", actor=ANA, at=later(70))


def resolved(desk):
    """A major incident that is resolved."""
    running(desk)
    joined(desk)
    return desk.fire("INC-1", "resolve", actor=ANA, at=later(60), fields=RESOLVED)


def test_it_closes_with_report_and_review_only(desk):
    """INC-12: % majors closed without review is 0."""
    resolved(desk)
    for done, lacking in ((None, ("report", "review")), ("report", ("review",))):
        if done:
            desk.major.report("INC-1", "doc/report", actor=ANA, at=later(70))
        with pytest.raises(TransitionRefused) as refused:
            desk.fire("INC-1", "close", actor=ANA, at=later(71), fields=CLOSED)
        (reason,) = refused.value.reasons
        assert (reason.code, dict(reason.facts)["lacking"]) == ("not_reviewed", lacking)
    desk.major.review("INC-1", "doc/review", actor=MONA, at=later(72))
    assert desk.fire("INC-1", "close", actor=ANA, at=later(73), fields=CLOSED).state == "closed"


def test_closing_in_the_call_is_no_way_round(desk):
    """Tracks and papers are asked for in one answer."""
    running(desk)
    with pytest.raises(TransitionRefused) as refused:
        desk.fire("INC-1", "resolve_and_close", actor=ANA, at=later(9), fields={**RESOLVED, **CLOSED})
    assert refused.value.codes == ("tracks_open", "not_reviewed")


@pytest.mark.parametrize(
    ("trigger", "fields"),
    [
        ("cancel", {"reason": "x"}),
        ("mark_duplicate", {"duplicate_of": "INC-0"}),
        ("merge", {"merged_into": "INC-0"}),
        ("retype", {"successor": "INC-0", "reason": "x"}),
    ],
)
def test_no_other_way_ends_a_major_incident(desk, trigger, fields):
    """It is downgraded with a reason first; then any way is open again."""
    running(desk)
    desk.open("Parent", actor=ANA, at=T, record_id="INC-0")
    with pytest.raises(TransitionRefused) as refused:
        desk.fire("INC-1", trigger, actor=ANA, at=later(9), fields=fields)
    assert refused.value.codes == ("major_runs",)
    desk.major.cancel("INC-1", reason="Three users", actor=MONA, at=later(10))
    assert not desk.fire("INC-1", trigger, actor=ANA, at=later(11), fields=fields).phase.is_open


def test_time_never_closes_it_and_its_history_says_why(desk):
    """Issue 7: never auto-closed, with report and review neither; the reason is on record."""
    resolved(desk)
    desk.major.report("INC-1", "doc/report", actor=ANA, at=later(70))
    desk.major.review("INC-1", "doc/review", actor=MONA, at=later(71))
    desk.tick(T + dt.timedelta(days=400))
    record = desk.get("INC-1")
    assert record.state == "resolved"
    (noted,) = [event for event in desk.history("INC-1") if event.kind == "refused"]
    assert dict(noted.fields) == {"trigger": "auto_close", "codes": ("major_stays",)}
    assert (noted.occurred_at, noted.actor.id) == (later(60), "itsm_core")


def test_what_a_major_incident_bars_holds_for_every_lifecycle(store):
    """Also for one of a host's own, without any guard: tracks are joined, and time does not close it."""
    own = Lifecycle(
        "own", 1, process="incident", initial="new",
        states=[State("new", "new"), State("done", "resolved"), State("gone", "closed", outcome="completed")],
        transitions=[
            Transition("finish", "new", dest="done", roles="agent"),
            Transition("fade", "done", dest="gone", after=business_days(1)),
            Transition("end", "done", dest="gone", roles="agent"),
        ],
    )  # fmt: skip
    desk = ServiceDesk(store, lifecycles=own)
    for number in ("INC-1", "INC-2"):
        desk.open("Odd", actor=ANA, at=T, record_id=number)
    desk.declare_major("INC-1", reason="Odd", actor=ANA, at=T)
    desk.major.accept("INC-1", manager="mona", actor=MONA, at=T)
    desk.fire("INC-2", "finish", actor=ANA, at=later(1))
    with pytest.raises(TransitionRefused) as refused:
        desk.fire("INC-1", "finish", actor=ANA, at=later(1))
    assert refused.value.codes == ("tracks_open",)
    joined(desk, 2)
    desk.fire("INC-1", "finish", actor=ANA, at=later(3))
    desk.tick(T + dt.timedelta(days=30))
    assert [desk.get(number).state for number in ("INC-1", "INC-2")] == ["done", "gone"]
    robot = Actor.automation("itsm_core", "automation", "itsm_core")
    with pytest.raises(TransitionRefused) as refused:
        desk.fire("INC-1", "fade", actor=robot, at=T + dt.timedelta(days=31))
    assert refused.value.codes == ("not_reviewed", "major_stays")
    with pytest.raises(TransitionRefused) as refused:
        desk.fire("INC-1", "end", actor=ANA, at=T + dt.timedelta(days=31))
    assert refused.value.codes == ("not_reviewed",)


def test_a_host_may_call_what_came_of_it_by_another_word(store):
    """What is resolved, reported and reviewed may close, and an open one ends in no such state."""
    own = Lifecycle(
        "own", 1, process="incident", initial="new",
        states=[State("new", "new"), State("done", "resolved"), State("gone", "closed", outcome="solved")],
        transitions=[
            Transition("finish", "new", dest="done", roles="agent"),
            Transition("end", ("new", "done"), dest="gone", roles="agent"),
        ],
    )  # fmt: skip
    desk = ServiceDesk(store, lifecycles=own)
    desk.open("Odd", actor=ANA, at=T, record_id="INC-1")
    desk.declare_major("INC-1", reason="Odd", actor=ANA, at=T)
    desk.major.accept("INC-1", manager="mona", actor=MONA, at=T)
    joined(desk, 1)
    for at, code in ((2, "major_runs"), (4, "not_reviewed")):
        with pytest.raises(TransitionRefused) as refused:
            desk.fire("INC-1", "end", actor=ANA, at=later(at))
        assert refused.value.codes == (code,)
        if at == 2:
            desk.fire("INC-1", "finish", actor=ANA, at=later(3))
    desk.major.report("INC-1", "doc/1", actor=ANA, at=later(5))
    desk.major.review("INC-1", "doc/2", actor=ANA, at=later(6))
    assert desk.fire("INC-1", "end", actor=ANA, at=later(7)).state == "gone"


def test_what_is_split_off_a_major_incident_is_not_major_by_that(store):
    """The mark goes with the major incident, which stays beside the first record; one of before is kept."""
    desk = ServiceDesk(store)
    for number, fields in (("INC-1", {}), ("INC-2", {"major": True})):
        desk.open("Odd", actor=ANA, at=T, record_id=number, fields=fields)
    desk.declare_major("INC-1", reason="Odd", actor=ANA, at=T)
    desk.major.accept("INC-1", manager="mona", actor=MONA, at=T)
    parts = [desk.split(number, "Part", actor=ANA, at=later(1)) for number in ("INC-1", "INC-2")]
    assert [part.major for part in parts] == [False, True]


def test_one_that_was_rejected_or_cancelled_closes_as_any_other(desk):
    """Nothing is owed for it."""
    opened(desk)
    desk.major.reject("INC-1", reason="A test system", actor=MONA, at=later(1))
    desk.fire("INC-1", "resolve", actor=ANA, at=later(2), fields=RESOLVED)
    desk.tick(T + dt.timedelta(days=30))
    assert desk.get("INC-1").state == "closed"


def test_a_record_that_only_bears_the_mark_of_before_is_read_as_before(store):
    """Data of earlier versions: marked major by a field, closed by somebody's word and nothing else."""
    desk = ServiceDesk(store)
    record = desk.open("Old", actor=ANA, at=T, record_id="INC-1", fields={"major": True})
    assert record.major
    assert record.major_incident is None
    desk.fire("INC-1", "resolve", actor=ANA, at=later(1), fields=RESOLVED)
    desk.tick(T + dt.timedelta(days=30))
    assert desk.get("INC-1").state == "resolved"
    assert (
        desk.fire("INC-1", "close", actor=ANA, at=T + dt.timedelta(days=31), fields=CLOSED).state == "closed"
    )


def test_no_field_takes_the_mark_off_a_major_incident(desk):
    """An amendment or a field of a step says what it likes; it is cancelled with a reason, or it stays."""
    running(desk)
    record = desk.fire("INC-1", "amend", fields={"major": False}, actor=ANA, at=later(6))
    assert record.major
    joined(desk)
    desk.fire("INC-1", "resolve", actor=ANA, at=later(60), fields={**RESOLVED, "major": False})
    desk.tick(T + dt.timedelta(days=30))
    assert desk.get("INC-1").state == "resolved"


# --- a proposal that nobody decided -----------------------------------------------------------------------


def undecided(desk, at=2):
    """A proposed major incident that somebody resolved: the service comes first."""
    opened(desk, requester="rita")
    return desk.fire("INC-1", "resolve", actor=ANA, at=later(at), fields=RESOLVED)


def test_time_never_closes_what_nobody_decided_and_its_history_says_why(desk):
    """It would stay proposed for ever, and nobody would ever have said whether it was a major incident."""
    undecided(desk)
    desk.tick(T + dt.timedelta(days=400))
    assert desk.get("INC-1").state == "resolved"
    (noted,) = [event for event in desk.history("INC-1") if event.kind == "refused"]
    assert dict(noted.fields) == {"trigger": "auto_close", "codes": ("major_undecided",)}
    assert not [event for event in desk.history("INC-1") if event.kind == "communicated"]


def test_nobody_closes_what_nobody_decided_and_the_button_says_the_same(desk):
    """The refusal names the way out, and where it was rejected it closes."""
    undecided(desk)
    with pytest.raises(TransitionRefused) as refused:
        desk.fire("INC-1", "close", actor=ANA, at=later(3), fields=CLOSED)
    (reason,) = refused.value.reasons
    assert str(reason) == (
        "INC-1 is proposed as a major incident, and nobody has decided; "
        "reopen and accept it, or reject it with a reason (reject_major)"
    )
    buttons = {one.trigger: one for one in desk.options("INC-1", MONA, at=later(3))}
    assert buttons["close"].reasons == (reason,)
    assert buttons["reject_major"].enabled
    assert not buttons["accept_major"].enabled
    desk.major.reject("INC-1", reason="Three users", actor=MONA, at=later(4))
    assert desk.fire("INC-1", "close", actor=ANA, at=later(5), fields=CLOSED).state == "closed"


def test_once_it_is_rejected_it_closes_by_itself_and_the_requester_hears_when(desk):
    """As any other that was resolved then; too late for a word, it closes with the next tick."""
    undecided(desk)
    desk.major.reject("INC-1", reason="Three users", actor=MONA, at=later(4))
    (said,) = [event for event in desk.history("INC-1") if event.kind == "communicated"]
    assert "it closes by itself on 2026-03-07 09:02 UTC" in said.fields["text"]
    desk.tick(T + dt.timedelta(days=6))
    assert desk.get("INC-1").state == "closed"


def test_rejected_after_weeks_it_closes_with_the_next_tick(desk):
    """Nobody is told of an instant that has passed."""
    undecided(desk)
    weeks = T + dt.timedelta(days=30)
    desk.major.reject("INC-1", reason="Three users", actor=MONA, at=weeks)
    assert not [event for event in desk.history("INC-1") if event.kind == "communicated"]
    desk.tick(weeks)
    assert desk.get("INC-1").state == "closed"


def test_reopened_it_is_accepted_and_gone_through(desk):
    """The other way out."""
    undecided(desk)
    desk.fire("INC-1", "reopen", actor=ANA, at=later(3), fields={"reason": "It was major"})
    record = desk.major.accept("INC-1", manager="mona", actor=MONA, at=later(4))
    assert record.major


@pytest.mark.parametrize(
    ("trigger", "fields"),
    [
        ("cancel", {"reason": "x"}),
        ("retype", {"successor": "INC-0", "reason": "x"}),
        ("resolve_and_close", {**RESOLVED, **CLOSED}),
    ],
)
def test_no_other_end_leaves_it_undecided(desk, trigger, fields):
    """Whoever it is that ends it, somebody says first that it is none."""
    opened(desk)
    desk.open("Other", actor=ANA, at=T, record_id="INC-0")
    with pytest.raises(TransitionRefused) as refused:
        desk.fire("INC-1", trigger, actor=ANA, at=later(1), fields=fields)
    assert refused.value.codes == ("major_undecided",)
    assert "accept it (accept_major), or reject it" in str(refused.value)


@pytest.mark.parametrize(
    ("trigger", "fields"),
    [("mark_duplicate", {"duplicate_of": "INC-0"}), ("merge", {"merged_into": "INC-0"})],
)
def test_what_goes_on_in_another_record_ends_undecided(desk, trigger, fields):
    """In an outage each of thirty reports meets the criteria; the one that goes on is decided."""
    opened(desk)
    desk.open("Other", actor=ANA, at=T, record_id="INC-0")
    assert desk.fire("INC-1", trigger, actor=ANA, at=later(1), fields=fields).phase == "closed"


def test_a_child_ends_undecided(desk):
    """Its parent is the major one; what was proposed before it was linked closes by itself."""
    opened(desk, requester="rita")
    desk.open("Parent", actor=ANA, at=T, record_id="INC-0")
    desk.link("INC-1", "child_of", "INC-0", actor=ANA, at=later(1))
    desk.fire("INC-1", "resolve", actor=ANA, at=later(2), fields=RESOLVED)
    desk.tick(T + dt.timedelta(days=30))
    assert desk.get("INC-1").state == "closed"
    assert "refused" not in kinds(desk)


FADING = Lifecycle(
    "fading", 1, process="incident", initial="new",
    states=[State("new", "new"), State("done", "resolved"), State("gone", "closed", outcome="completed")],
    transitions=[
        Transition("fade", "new", dest="done", after=business_days(1)),
        Transition("end", "done", dest="gone", roles="agent"),
    ],
)  # fmt: skip


def test_time_resolves_a_child_that_nobody_decided(store):
    """Its parent is the one that somebody decides on."""
    desk = ServiceDesk(store, lifecycles=FADING, majors=RULES)
    opened(desk)
    desk.open("Parent", actor=ANA, at=T, record_id="INC-0")
    desk.link("INC-1", "child_of", "INC-0", actor=ANA, at=later(1))
    desk.tick(T + dt.timedelta(days=2))
    assert desk.get("INC-1").state == "done"


def test_time_does_not_resolve_what_nobody_decided(store):
    """What is resolved is not accepted any more: time would have decided. Noted with the proposal."""
    desk = ServiceDesk(store, lifecycles=FADING, majors=RULES)
    opened(desk)
    assert kinds(desk) == ["opened", "major_proposed", "refused"]
    assert dict(desk.history("INC-1")[-1].fields) == {"trigger": "fade", "codes": ("major_undecided",)}
    desk.tick(T + dt.timedelta(days=30))
    assert desk.get("INC-1").state == "new"
    desk.major.reject("INC-1", reason="x", actor=MONA, at=T + dt.timedelta(days=30))
    desk.tick(T + dt.timedelta(days=30))
    assert desk.get("INC-1").state == "done"


# --- a lifecycle that resolves nothing --------------------------------------------------------------------

STRAIGHT = Lifecycle(
    "straight", 1, process="incident", initial="new",
    states=[State("new", "new"), State("gone", "closed", outcome="solved")],
    transitions=[
        Transition("end", "new", dest="gone", roles="agent"),
        Transition("fade", "new", dest="gone", after=business_days(90)),
    ],
)  # fmt: skip


def ends(desk, at):
    """The codes of a refusal to end it, or the state in which it is then."""
    try:
        return desk.fire("INC-1", "end", actor=ANA, at=later(at)).state
    except TransitionRefused as refused:
        return refused.codes


def test_without_a_resolved_phase_it_closes_joined_reported_and_reviewed(store):
    """All of it before the closing transition, whatever a host calls what came of it; time never."""
    desk = ServiceDesk(store, lifecycles=STRAIGHT, majors=RULES)
    running(desk)
    assert ends(desk, 6) == ("tracks_open", "not_reviewed")
    for ask in (desk.major.report, desk.major.review):
        with pytest.raises(TransitionRefused) as refused:
            ask("INC-1", "doc", actor=MONA, at=later(7))
        assert refused.value.codes == ("tracks_open",)
    assert not buttons(desk, 8)["report_major"].enabled
    joined(desk, 9)
    assert buttons(desk, 10)["report_major"].enabled
    assert ends(desk, 10) == ("not_reviewed",)
    desk.major.report("INC-1", "doc/1", actor=ANA, at=later(11))
    desk.major.review("INC-1", "doc/2", actor=MONA, at=later(12))
    desk.tick(T + dt.timedelta(days=400))
    assert desk.get("INC-1").state == "new"
    assert ends(desk, 60 * 24 * 401) == "gone"


def test_without_a_resolved_phase_nothing_is_reported_before_it_is_accepted(store):
    """One reason for a proposal: it was not accepted; it has no tracks yet."""
    desk = ServiceDesk(store, lifecycles=STRAIGHT, majors=RULES)
    opened(desk)
    with pytest.raises(TransitionRefused) as refused:
        desk.major.report("INC-1", "doc/1", actor=ANA, at=later(1))
    assert refused.value.codes == ("major_status",)
    assert ends(desk, 2) == ("major_undecided",)


def buttons(desk, at):
    """The buttons of the record for its manager."""
    return {one.trigger: one for one in desk.options("INC-1", MONA, at=later(at))}


def test_a_report_of_before_a_track_moved_on_does_not_do(store):
    """It went on, and the report is about less than there is to tell."""
    desk = ServiceDesk(store, lifecycles=STRAIGHT, majors=RULES)
    running(desk)
    joined(desk, 9)
    desk.major.report("INC-1", "doc/1", actor=ANA, at=later(11))
    desk.major.move("INC-1", "restoration", "diagnosing", actor=ANA, at=later(12))
    for step in ("repairing", "verifying", "restored"):
        desk.major.move("INC-1", "restoration", step, actor=ANA, at=later(13))
    desk.major.review("INC-1", "doc/2", actor=MONA, at=later(14))
    with pytest.raises(TransitionRefused) as refused:
        desk.fire("INC-1", "end", actor=ANA, at=later(15))
    assert dict(refused.value.reasons[0].facts)["lacking"] == ("report",)
    desk.major.report("INC-1", "doc/3", actor=ANA, at=later(15))
    assert ends(desk, 16) == "gone"


def test_without_a_resolved_phase_they_hear_until_the_report_and_when_it_is_closed(store):
    """Nobody waits for words while the review is written; one that breaks again is told of again."""
    desk = ServiceDesk(store, lifecycles=STRAIGHT, majors=RULES)
    running(desk)
    joined(desk, 9)
    assert desk.next_due() == later(35)
    desk.major.report("INC-1", "doc/1", actor=ANA, at=later(11))
    assert update_due(desk.get("INC-1")) is None
    desk.tick(later(600))
    desk.major.move("INC-1", "restoration", "diagnosing", actor=ANA, at=later(700))
    desk.tick(later(700))
    for step in ("repairing", "verifying", "restored"):
        desk.major.move("INC-1", "restoration", step, actor=ANA, at=later(701))
    desk.major.report("INC-1", "doc/2", actor=ANA, at=later(702))
    desk.major.review("INC-1", "doc/2", actor=ANA, at=later(702))
    desk.fire("INC-1", "end", actor=ANA, at=later(703))
    desk.tick(later(9000))
    assert [minute for minute, _ in told(desk)] == [5, 700, 703]
    assert told(desk)[-1][1].startswith(
        "INC-1 (P1) was closed at 2026-03-02 20:43 UTC; a report and a review are on record."
    )


# --- said once ----------------------------------------------------------------------------------------------


def test_that_the_service_is_restored_is_told_once(store):
    """From one resolved state to another nothing is restored again."""
    own = Lifecycle(
        "own", 1, process="incident", initial="new",
        states=[
            State("new", "new"), State("done", "resolved"), State("sure", "resolved"),
            State("gone", "closed", outcome="completed"),
        ],
        transitions=[
            Transition("finish", "new", dest="done", roles="agent"),
            Transition("confirm", "done", dest="sure", roles="agent"),
            Transition("redo", "sure", dest="new", roles="agent", reopens="restart"),
            Transition("end", "sure", dest="gone", roles="agent"),
        ],
    )  # fmt: skip
    desk = ServiceDesk(store, lifecycles=own, majors=RULES)
    running(desk)
    for at in (10, 20):
        joined(desk, at)
        desk.fire("INC-1", "finish", actor=ANA, at=later(at + 1))
        desk.fire("INC-1", "confirm", actor=ANA, at=later(at + 2))
        if at == 10:
            desk.fire("INC-1", "redo", actor=ANA, at=later(at + 3))
    desk.major.report("INC-1", "doc/1", actor=ANA, at=later(30))
    desk.major.review("INC-1", "doc/2", actor=ANA, at=later(30))
    desk.fire("INC-1", "end", actor=ANA, at=later(31))
    assert [minute for minute, _ in told(desk)] == [5, 11, 13, 21]


def test_a_guard_against_proposals_is_noted_once_and_asked_each_time(store):
    """When a criterion is first met; where the guard has nothing to say any more, it is proposed."""
    blocked = [True]
    own = attrs.evolve(
        INCIDENT, id="own", beside={"declare_major": "quiet"},
        guards={**INCIDENT.guards, "quiet": lambda _: "not tonight" if blocked else None},
    )  # fmt: skip
    desk = ServiceDesk(store, lifecycles=own, majors=RULES)
    opened(desk)
    for minute in (1, 2):
        desk.note("INC-1", "x", actor=ANA, at=later(minute))
    assert kinds(desk) == ["opened", "refused", "noted", "noted"]
    desk.fire("INC-1", "amend", fields={"affected": 200}, actor=ANA, at=later(3))
    desk.note("INC-1", "x", actor=ANA, at=later(4))
    assert kinds(desk)[4:] == ["amended", "refused", "noted"]
    blocked.clear()
    desk.note("INC-1", "x", actor=ANA, at=later(5))
    assert kinds(desk)[7:] == ["noted", "major_proposed"]


# --- the rest of the kit, on both desks -------------------------------------------------------------------


def test_roles_plans_and_reach_are_kept(desk):
    """Everything that `desk.major` offers, in one incident."""
    running(desk)
    desk.major.assume("INC-1", "communications_lead", held_by="carl", actor=MONA, at=later(6))
    desk.major.assume("INC-1", "liaison", held_by="lea", actor=MONA, at=later(6))
    desk.major.renounce("INC-1", "liaison", actor=MONA, at=later(9))
    desk.major.assess("INC-1", services="orders", users=420, actor=ANA, at=later(10))
    record = desk.major.invoke_plan("INC-1", "payments", "2.1", actor=MONA, at=later(11))
    held = record.major_incident
    assert held.holders("communications_lead") == ("carl",)
    assert [(one.held_by, one.renounced_at) for one in held.roles if one.role == "liaison"] == [
        ("lea", later(9))
    ]
    assert (held.services, held.users) == (("orders",), 420)
    assert [(one.plan, one.version) for one in held.plans] == [("payments", "2.1")]
    assert desk.store.load("INC-1")[0].record == fold(desk.history("INC-1")) == record


def test_the_desk_accepts_under_its_own_procedure_or_a_given_one(store):
    """A version of the house, kept with the record."""
    house = attrs.evolve(PROCEDURE, id="house", version=7, cadence={"P1": hours(1)})
    desk = ServiceDesk(store, majors=MajorRules(procedure=house))
    opened(desk)
    desk.declare_major("INC-1", reason="x", actor=ANA, at=T)
    assert desk.major.accept("INC-1", manager="mona", actor=MONA, at=T).major_incident.procedure == house
    assert desk.next_due() == later(60)
    with pytest.raises(InvalidValue, match=r"procedure .*take PROCEDURE"):
        desk.major.accept("INC-1", manager="mona", procedure="house", actor=MONA, at=T)


def test_a_desk_without_incidents_waits_for_no_briefings(store):
    """Nothing there is major, so nothing is asked of the store."""
    other = attrs.evolve(INCIDENT, id="matter", process="matter")
    desk = ServiceDesk(store, lifecycles=other)
    desk.open("Odd", actor=ANA, at=T, record_id="X-1")
    with pytest.raises(TransitionRefused) as refused:
        desk.declare_major("X-1", reason="x", actor=ANA, at=T)
    assert refused.value.codes == ("no_majors",)
    assert desk.tick(later(1)).briefed == 0


def test_a_host_may_use_the_names_of_before_for_fields_of_its_own(store):
    """What is said of major incidents takes none of the plain words that hosts may have declared."""
    names = ["manager", "role", "step", "users", "services", "plan", "criteria", "report"]
    desk = ServiceDesk(store, custom_fields=[CustomField(name, "text") for name in names])
    record = desk.open("Odd", actor=ANA, at=T, record_id="INC-1", fields=dict.fromkeys(names, "x"))
    assert record.values["manager"] == "x"


def test_the_async_desk_does_the_same():
    """The same history, event by event, but for the ids."""
    plain = ServiceDesk(stores.open("memory://"), majors=RULES)
    resolved(plain)
    plain.tick(later(100))

    async def play():
        async with AsyncServiceDesk(await stores.open_async("memory://"), majors=RULES) as desk:
            await desk.open("Nobody can pay", actor=ANA, at=T, record_id="INC-1", fields=P1)
            await desk.major.accept("INC-1", manager="mona", users=300, actor=MONA, at=later(5))
            for track, step in TO_THE_END:
                await desk.major.move("INC-1", track, step, actor=ANA, at=later(50))
            await desk.fire("INC-1", "resolve", actor=ANA, at=later(60), fields=RESOLVED)
            await desk.tick(later(100))
            await desk.open("Odd", actor=ANA, at=T, record_id="INC-2")
            other = await desk.declare_major("INC-2", reason="Odd", actor=ANA, at=T)
            assert other.major_incident.status is MajorStatus.PROPOSED
            return await desk.history("INC-1")

    there = asyncio.run(play())
    for one, other in zip(plain.history("INC-1"), there, strict=True):
        assert (one.kind, one.occurred_at, one.fields) == (other.kind, other.occurred_at, other.fields)


STEPS = st.lists(
    st.sampled_from(
        ["tick", "resolve", "reopen", "report", "review", "close", "cancel", "joined", "note", "declare"]
    ),
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_whatever_happens_at_the_desk_it_is_closed_by_people_with_papers(steps):
    """Replay equals what is stored, and no tick ever closes an accepted one."""
    desk = ServiceDesk(stores.open("memory://"), majors=RULES)
    running(desk)
    for n, step in enumerate(steps, start=10):
        _try(desk, step, n * 10)
    record = desk.get("INC-1")
    assert fold(desk.history("INC-1")) == record
    if record.phase == "closed" and record.major_incident.is_accepted:
        assert record.actor_of("close") == "ana"
        assert None not in (record.major_incident.report, record.major_incident.review)


def _try(desk, step, n):
    asked = {"actor": Actor.person("ana", "agent", "manager"), "at": later(n)}
    does = {
        "tick": lambda: desk.tick(later(n) + dt.timedelta(days=30)) and None,
        "resolve": lambda: desk.fire("INC-1", "resolve", fields=RESOLVED, **asked),
        "reopen": lambda: desk.fire("INC-1", "reopen", fields={"reason": "x"}, **asked),
        "report": lambda: desk.major.report("INC-1", "doc", **asked),
        "review": lambda: desk.major.review("INC-1", "doc", **asked),
        "close": lambda: desk.fire("INC-1", "close", fields=CLOSED, **asked),
        "cancel": lambda: desk.major.cancel("INC-1", reason="x", **asked),
        "joined": lambda: joined(desk, n),
        "note": lambda: desk.note("INC-1", "x", **asked),
        "declare": lambda: desk.declare_major("INC-1", reason="x", **asked),
    }
    try:
        does[step]()
    except TransitionRefused:
        return
