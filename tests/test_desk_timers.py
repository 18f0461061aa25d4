"""The desk fires what falls due: by dates that records name, at expiry, and by the version that rules a record."""

import contextlib
import datetime as dt

import attrs
import pytest

from itsm_core import (
    INCIDENT,
    Actor,
    InvalidValue,
    ServiceDesk,
    TransitionRefused,
    VersionConflict,
    road,
    stores,
)
from itsm_core.approvals import ApprovalRule, Panel
from itsm_core.business_time import hours
from itsm_core.business_time.instants import LATEST
from itsm_core.lifecycle import CustomField, InstantOf, Lifecycle, Need, State, Transition
from itsm_core.lifecycle.migration import MigrationPlan
from itsm_core.processes import PROBLEM, SERVICE_REQUEST, TASK, authority

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)  # a Monday
TICK, MINUTE = dt.timedelta(microseconds=1), dt.timedelta(minutes=1)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
ANA, MONA, UMA = Actor.person("ana", "agent"), Actor.person("mona", "agent", "manager"), Actor.person("uma")
DONE = {"resolution_outcome": "fixed_permanent", "resolution_notes": "restarted"}
DUE = T0 + 2 * DAY


@pytest.fixture(params=["memory", "sqlite"])
def url(request, tmp_path):
    """Each of the shipped stores."""
    return "memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'desk.db'}"


@pytest.fixture
def store(url):
    """An empty store."""
    opened = stores.open(url)
    yield opened
    opened.close()


@pytest.fixture
def desk(store):
    """A desk with the shipped processes."""
    return ServiceDesk(store, worker="w1")


def moves(desk, number):
    """What was fired on a record, with who and when, and what was refused."""
    kinds = ("transitioned", "refused")
    return [
        (e.kind, e.fields["trigger"], e.actor.id, e.occurred_at)
        for e in desk.history(number)
        if e.kind in kinds
    ]


# --- the version that rules a record is away -------------------------------------------------------

V2 = attrs.evolve(
    INCIDENT,
    version=2,
    transitions=[attrs.evolve(t, after=hours(1)) if t.after else t for t in INCIDENT.transitions],
)


def resolved(desk, number="INC-1"):
    """An incident that waits for five days to pass."""
    desk.open(
        "Mail is down",
        actor=UMA,
        at=T0,
        record_id=number,
        process="incident",
        fields={"impact": "low", "urgency": "low"},
    )
    desk.fire(number, "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)


CLOSES = T0 + HOUR + 5 * DAY


def test_a_record_whose_version_is_away_is_stuck_until_it_is_back(store):
    """No other version's timer is fired; it is tried again each minute, and then closes as it should."""
    both = ServiceDesk(store, lifecycles=[INCIDENT, V2])
    resolved(ServiceDesk(store, lifecycles=INCIDENT))
    newer = ServiceDesk(store, lifecycles=V2)
    for late in (0 * MINUTE, MINUTE, 2 * MINUTE):
        tick = newer.tick(CLOSES + late)
        ((record, error),) = tick.stuck
        assert (record, tick.expired) == ("INC-1", 0)
        assert isinstance(error, InvalidValue)
        assert str(error) == (
            "record 'INC-1': runs on incident 1, which this desk does not have; "
            "give the desk this version, too; with both at hand the record can be migrated"
        )
        assert newer.next_due() == CLOSES + late + MINUTE
    assert newer.tick(CLOSES + 2 * MINUTE + TICK).stuck == ()
    assert [kind for kind, *_ in moves(newer, "INC-1")] == ["transitioned"]
    tick = both.tick(CLOSES + 3 * MINUTE)
    assert (tick.expired, tick.stuck) == (1, ())
    assert both.get("INC-1").state == "closed"
    assert both.next_due() is None


def test_what_people_do_with_a_record_whose_version_is_away_is_refused(store):
    """It can be looked at, and its timer waits."""
    resolved(ServiceDesk(store, lifecycles=INCIDENT))
    newer = ServiceDesk(store, lifecycles=V2)
    for trigger in ("reopen", "note"):
        with pytest.raises(TransitionRefused) as refusal:
            newer.fire("INC-1", trigger, actor=ANA, at=T0 + DAY, fields={"reason": "x", "text": "x"})
        assert "wrong_lifecycle" in refusal.value.codes
    assert newer.options("INC-1", ANA)
    with pytest.raises(InvalidValue, match="give the desk this version, too"):
        newer.rearm("INC-1", T0 + DAY)
    assert newer.next_due() == CLOSES


def test_a_record_whose_version_is_away_can_be_migrated_where_both_are(store):
    """As the error says; what is migrated waits by its new version."""
    resolved(ServiceDesk(store, lifecycles=INCIDENT))
    ServiceDesk(store, lifecycles=V2).tick(CLOSES)
    both = ServiceDesk(store, lifecycles=[INCIDENT, V2])
    both.migrate("INC-1", MigrationPlan(INCIDENT, V2), reason="one hour is enough", actor=MONA, at=CLOSES)
    newer = ServiceDesk(store, lifecycles=V2)
    assert newer.tick(CLOSES + MINUTE).expired == 1
    assert newer.get("INC-1").state == "closed"


def test_the_end_of_a_task_wakes_an_incident_whose_version_is_away(store):
    """The desk of the task cannot say when it closes, so it is looked at until somebody can."""
    desk = ServiceDesk(store)
    desk.open(
        "Mail is down",
        actor=UMA,
        at=T0,
        record_id="INC-1",
        process="incident",
        fields={"impact": "low", "urgency": "low"},
    )
    desk.open("Look", actor=ANA, at=T0, record_id="TSK-1", process="task", fields={"part_of": "INC-1"})
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    assert desk.next_due() is None
    other = ServiceDesk(store, lifecycles=[TASK, V2])
    ended = other.fire("TSK-1", "complete", actor=ANA, at=T0 + DAY, fields={"resolution_notes": "done"})
    assert ended.state == "complete"
    assert [record for record, _ in other.tick(T0 + DAY).stuck] == ["INC-1"]
    assert desk.tick(T0 + DAY + MINUTE).expired == 0
    assert desk.next_due() == CLOSES
    assert desk.tick(CLOSES).expired == 1


def test_what_was_refused_once_is_fired_after_the_record_has_changed(store):
    """The refusal is noted, the next change sets the timer anew, and then nothing is in the way."""
    rows = (
        Transition("finish", "new", dest="closed", after=hours(1),
                   requires=(Need("category", "our rule", kept=True),)),
        Transition("drop", "new", dest="closed", roles="agent"),
    )  # fmt: skip
    states = (State("new", "new"), State("closed", "closed", outcome="completed"))
    needy = Lifecycle(
        "chore", 1, process="chore", initial="new", states=states, transitions=rows, requester=False
    )
    desk = ServiceDesk(store, lifecycles=needy)
    desk.open("Sweep", actor=ANA, at=T0, record_id="C-1")
    assert desk.tick(T0 + HOUR).expired == 0
    assert desk.tick(T0 + DAY).expired == 0
    desk.note("C-1", "it lacks a category", actor=ANA, at=T0 + DAY)
    assert desk.tick(T0 + DAY).expired == 0
    desk.fire("C-1", "amend", actor=ANA, at=T0 + DAY + HOUR, fields={"category": "floor"})
    assert desk.tick(T0 + DAY + HOUR).expired == 1
    assert desk.get("C-1").state == "closed"
    assert [kind for kind, *_ in moves(desk, "C-1")] == ["refused", "refused", "transitioned"]


# --- dates that records name -----------------------------------------------------------------------


def accepted(desk, until=DUE, number="PRB-1"):
    """A problem whose risk is accepted until a date."""
    desk.open("It leaks", actor=ANA, at=T0, record_id=number, process="problem")
    fields = {"category": "mail", "impact": "low", "urgency": "low"}
    desk.fire(number, "assess", actor=ANA, at=T0)
    desk.fire(number, "analyse", actor=ANA, at=T0, fields=fields)
    held = {"risk_accepted_by": "cfo", "reason": "Too costly", "risk_review_at": until}
    return desk.fire(number, "accept_risk", actor=MONA, at=T0 + HOUR, fields=held)


def test_an_accepted_risk_lapses_at_its_date_and_not_before(desk):
    """The desk takes the problem back to its analysis; nobody has to remember."""
    accepted(desk)
    assert desk.next_due() == DUE
    assert desk.tick(DUE - TICK).expired == 0
    assert desk.get("PRB-1").state == "risk_accepted"
    assert desk.tick(DUE).expired == 1
    lapsed = desk.get("PRB-1")
    assert (lapsed.state, lapsed.entered_at, lapsed.reopened) == ("root_cause_analysis", DUE, 1)
    assert moves(desk, "PRB-1")[-1] == ("transitioned", "lapse", "itsm_core", DUE)
    assert desk.next_due() is None


def test_a_late_tick_lapses_it_when_it_comes(desk):
    """Once, at the instant of the tick: nobody writes that it happened while nobody was there."""
    accepted(desk)
    assert desk.tick(DUE + 10 * DAY).expired == 1
    assert desk.tick(DUE + 11 * DAY).expired == 0
    assert desk.get("PRB-1").entered_at == DUE + 10 * DAY


@pytest.mark.parametrize("other", [DUE + DAY, DUE - DAY])
def test_a_changed_date_moves_the_timer(desk, other):
    """Later or sooner; what was due by the old date is not."""
    accepted(desk)
    wrong = desk.history("PRB-1")[-1].id
    desk.correct("PRB-1", wrong, "risk_review_at", other, reason="misread", actor=MONA, at=T0 + 2 * HOUR)
    assert desk.next_due() == other
    assert desk.tick(other - TICK).expired == 0
    assert desk.tick(other).expired == 1
    assert desk.get("PRB-1").state == "root_cause_analysis"


def test_an_accepted_risk_that_is_taken_up_earlier_lapses_no_more(desk):
    """The timer goes with the state; accepted anew, it counts by the new date."""
    accepted(desk)
    desk.fire("PRB-1", "reanalyse", actor=MONA, at=T0 + DAY, fields={"reason": "A patch is out"})
    assert desk.next_due() is None
    held = {"risk_accepted_by": "cfo", "reason": "It failed", "risk_review_at": DUE + DAY}
    desk.fire("PRB-1", "accept_risk", actor=MONA, at=T0 + DAY, fields=held)
    assert desk.next_due() == DUE + DAY


DATED = Lifecycle(
    "reminder", 1, process="reminder", initial="new", requester=False,
    states=(State("new", "new"), State("closed", "closed", outcome="completed")),
    transitions=(Transition("ring", "new", dest="closed", after=InstantOf("ring_at")),
                 Transition("drop", "new", dest="closed", roles="agent")),
    opening=(Need("ring_at", "our rule"),),
    fields=(CustomField("ring_at", "instant"),),
)  # fmt: skip


def test_a_date_that_is_given_at_the_opening_is_waited_for_and_moves_with_an_amendment(store):
    """A lifecycle of one's own; the state that records open in has timers as well."""
    desk = ServiceDesk(store, lifecycles=DATED)
    desk.open("Call back", actor=ANA, at=T0, record_id="R-1", fields={"ring_at": DUE})
    assert desk.next_due() == DUE
    desk.fire("R-1", "amend", actor=ANA, at=T0 + HOUR, fields={"ring_at": T0 + DAY})
    assert desk.next_due() == T0 + DAY
    assert desk.tick(T0 + DAY).expired == 1
    assert desk.get("R-1").state == "closed"


def test_a_date_that_is_past_is_fired_by_the_next_tick(store):
    """At the instant of the tick, and not before the record was there."""
    desk = ServiceDesk(store, lifecycles=DATED)
    desk.open("Call back", actor=ANA, at=T0, record_id="R-1", fields={"ring_at": T0 - DAY})
    assert desk.tick(T0 - HOUR).expired == 1
    assert moves(desk, "R-1") == [("transitioned", "ring", "itsm_core", T0)]


# --- approvals that nobody decides -----------------------------------------------------------------


def asked(desk, number="REQ-1", *, on_expiry="reject", due=DUE):
    """A request that two managers are asked to approve."""
    desk.open(
        "A laptop",
        actor=UMA,
        at=T0,
        record_id=number,
        process="service_request",
        fields={"request_model": "laptop"},
    )
    rule = ApprovalRule([Panel("managers", ["lena", "otto"], needed="all")], due=due, on_expiry=on_expiry)
    desk.fire(number, "seek_approval", actor=ANA, at=T0)
    desk.fire(number, "request_approval", actor=ANA, at=T0 + HOUR, fields={"rule": rule.to_dict()})


def vote(desk, *voters, at, choice="approve", number="REQ-1"):
    """These vote."""
    for voter in voters:
        desk.fire(number, "vote", actor=Actor.person(voter), at=at, fields={"vote": choice})


def test_what_is_undecided_when_it_falls_due_is_rejected_once(desk):
    """By a rule that says so; half of the votes are not enough."""
    asked(desk)
    assert desk.next_due() == DUE
    vote(desk, "lena", at=T0 + DAY)
    assert desk.next_due() == DUE
    assert desk.tick(DUE - TICK).expired == 0
    assert desk.tick(DUE).expired == 1
    rejected = desk.get("REQ-1")
    assert (rejected.state, rejected.outcome) == ("rejected", "rejected")
    assert moves(desk, "REQ-1")[-1] == ("transitioned", "expire", "itsm_core", DUE)
    assert desk.tick(DUE + DAY).expired == 0
    assert desk.next_due() is None


@pytest.mark.parametrize("on_expiry", ["remind", "escalate"])
def test_no_other_rule_rejects_and_none_approves_by_time(desk, on_expiry):
    """It waits for the votes, however late."""
    asked(desk, on_expiry=on_expiry)
    vote(desk, "lena", at=T0 + DAY)
    assert desk.next_due() is None
    assert desk.tick(DUE + 30 * DAY).expired == 0
    assert desk.get("REQ-1").state == "approval"


def test_a_vote_at_the_very_instant_at_which_it_falls_due_counts(desk):
    """If it is there before the tick; the tick after it finds the request approved."""
    asked(desk)
    vote(desk, "lena", "otto", at=DUE)
    assert desk.next_due() is None
    assert desk.tick(DUE).expired == 0
    assert desk.fire("REQ-1", "approve", actor=ANA, at=DUE + HOUR).state == "fulfilment"


def test_a_vote_after_it_fell_due_is_refused_however_late_the_tick(desk):
    """Time has rejected it, whether or not somebody looked."""
    asked(desk)
    vote(desk, "lena", at=T0 + DAY)
    with pytest.raises(TransitionRefused) as refusal:
        vote(desk, "otto", at=DUE + TICK)
    assert refusal.value.codes == ("approval_expired",)
    assert desk.tick(DUE + DAY).expired == 1
    assert desk.get("REQ-1").entered_at == DUE + DAY


def test_what_votes_have_rejected_waits_for_somebody_to_say_so(desk):
    """Time rejects only what nobody decided."""
    asked(desk)
    vote(desk, "lena", at=T0 + DAY, choice="reject")
    assert desk.next_due() is None
    assert desk.tick(DUE).expired == 0
    assert desk.fire("REQ-1", "reject", actor=ANA, at=DUE + HOUR).state == "rejected"


def test_asking_anew_moves_the_timer_and_an_edit_takes_it_away(desk):
    """The round that counts is the newest; one that has ended rejects nothing."""
    asked(desk)
    rule = ApprovalRule(
        [Panel("managers", ["lena", "otto"])], due=DUE + DAY, on_expiry="reject", material=("inputs",)
    )
    desk.fire("REQ-1", "request_approval", actor=ANA, at=T0 + 2 * HOUR, fields={"rule": rule.to_dict()})
    assert desk.next_due() == DUE + DAY
    desk.fire("REQ-1", "amend", actor=ANA, at=T0 + 3 * HOUR, fields={"inputs": {"size": "14"}})
    assert desk.next_due() is None
    assert desk.tick(DUE + 2 * DAY).expired == 0
    assert desk.get("REQ-1").state == "approval"


def test_two_workers_reject_it_once(tmp_path):
    """Each with its own connection; both claim, or the second finds nothing left to do."""
    file = f"sqlite:///{tmp_path / 'desk.db'}"
    first, second = (ServiceDesk(stores.open(file), worker=worker) for worker in ("w1", "w2"))
    asked(first)
    accepted(first)
    assert [desk.tick(DUE).expired for desk in (first, second)] == [2, 0]
    assert [len(moves(second, number)) for number in ("REQ-1", "PRB-1")] == [2, 4]
    for desk in (first, second):
        desk.store.close()


def test_a_worker_that_slept_over_its_lease_rejects_nothing_twice(desk):
    """It had decided and not yet committed when another one did the same."""
    asked(desk)
    slow = road.expiries(desk.terms, DUE, "slow")
    answer = None
    while (wanted := slow.send(answer)).method != "commit":
        answer = getattr(desk.store, wanted.method)(*wanted.arguments)
    assert desk.tick(DUE + 2 * MINUTE).expired == 1
    with contextlib.suppress(StopIteration):
        while True:
            try:
                answer = getattr(desk.store, wanted.method)(*wanted.arguments)
            except VersionConflict as lost:
                wanted = slow.throw(lost)
            else:
                wanted = slow.send(answer)
    assert len(moves(desk, "REQ-1")) == 2
    assert desk.next_due() is None


def test_a_change_that_nobody_decides_on_goes_back_to_its_start(desk):
    """iso-20000.md 5.5: rejection returns to New; on hold it waits, and is rejected once it is resumed."""
    desk.open("Reboot", actor=ANA, at=T0, record_id="CHG-1", process="change",
              fields={"change_kind": "emergency"})  # fmt: skip
    window = {"planned_start": T0, "planned_end": T0 + 9 * DAY, "reason": "it burns"}
    risk = {"likelihood": "low", "impact": "low"}
    desk.fire("CHG-1", "expedite", actor=ANA, at=T0, fields={**window, **risk})
    rule = authority(desk.get("CHG-1"), {"change_manager": ["lena"], "duty_manager": ["otto"]}, at=T0)
    rule = attrs.evolve(rule, due=DUE, on_expiry="reject")
    desk.fire("CHG-1", "request_approval", actor=ANA, at=T0, fields={"rule": rule.to_dict()})
    assert desk.next_due() == DUE
    held = {"hold_reason": "supplier", "look_again_at": DUE, "message": "Wait"}
    desk.fire("CHG-1", "hold", actor=ANA, at=T0 + HOUR, fields=held)
    assert desk.tick(DUE + HOUR).expired == 0
    desk.fire("CHG-1", "resume", actor=ANA, at=DUE + 2 * HOUR)
    assert desk.tick(DUE + 2 * HOUR).expired == 1
    back = desk.get("CHG-1")
    assert (back.state, back.round) == ("new", None)


@pytest.mark.parametrize("lifecycle", [PROBLEM, SERVICE_REQUEST], ids=lambda one: one.id)
def test_the_timers_are_written_down_as_data(lifecycle):
    """And read back as the same; the table of a lifecycle says what it waits for."""
    again = Lifecycle.from_json(lifecycle.to_json(), guards=lifecycle.guards)
    assert again == lifecycle
    assert any(isinstance(row.after, InstantOf) for row in again.transitions)


def test_at_the_last_instant_there_is_nothing_is_claimed(store):
    """No lease follows it, so that two workers would hold one timer: it is refused."""
    desk = ServiceDesk(store, notifiers=lambda _: None)
    desk.open("Mail", actor=UMA, at=T0, record_id="INC-1")
    desk.communicate("INC-1", "Looking into it", actor=ANA, at=T0)
    with pytest.raises(InvalidValue, match="last instant there is"):
        desk.tick(LATEST)
    with pytest.raises(InvalidValue, match="last instant there is"):
        store.claim("message", LATEST, 5, DAY, "w")
    assert desk.tick(T0 + DAY).delivered == 1
