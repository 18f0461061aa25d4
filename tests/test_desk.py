"""The desk: the whole road, on memory and on SQLite, with real clocks, policies and notifiers."""

import contextlib
import datetime as dt
import threading

import pytest

from itsm_core import (
    Actor,
    BusinessCalendar,
    EscalationPolicy,
    EscalationStep,
    InvalidValue,
    RecordNotFound,
    ServiceDesk,
    TransitionRefused,
    default_agreement,
    stores,
)
from itsm_core.errors import BeyondHorizon
from itsm_core.events import Phase
from itsm_core.ports import Delivered, Rejected, Retry
from itsm_core.records import fold
from itsm_core.sla import Agreement, Condition, Measure, Target, promises, trace
from itsm_core.values import digest

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
ANA, BO = Actor.person("ana", "agent"), Actor.person("bo", "agent", "manager")
UMA = Actor.person("uma")
HIGH = {"impact": "high", "urgency": "high"}
DONE = {"resolution_outcome": "fixed_permanent", "resolution_notes": "restarted"}
WAIT = {"hold_reason": "requester", "message": "which room?", "look_again_at": T0 + DAY}

OFFICE = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")
POLICY = EscalationPolicy(
    "standard",
    1,
    steps=[
        EscalationStep("move", "50 %", kind="functional", group="second-line"),
        EscalationStep("lead", "75 %", to="lead"),
        EscalationStep("manager", "100 %", to="manager"),
    ],
)


@pytest.fixture
def sent():
    """What the notifier was given."""
    return []


@pytest.fixture
def desk(store, sent):
    """A desk with two targets, a policy and a notifier that keeps what it is given."""
    return ServiceDesk(
        store, agreement=default_agreement(OFFICE), policy=POLICY, notifiers=sent.append, worker="w1"
    )


def opened(desk, **extra):
    """A P1 incident of uma's, opened at T0."""
    given = {"actor": UMA, "at": T0, "fields": HIGH, "record_id": "INC-1", "channel": "portal", **extra}
    return desk.open("Mail is down", **given)


# --- the road ---------------------------------------------------------------------------------


def test_one_incident_travels_the_whole_road(desk, sent):
    """Opened, assigned, started, answered, escalated, resolved, closed; the store tells it all."""
    record = opened(desk)
    assert (record.state, record.priority, record.requester) == ("new", "P1", "uma")
    desk.assign("INC-1", actor=ANA, at=T0 + MINUTE, group="service-desk", assignee="ana")
    desk.fire("INC-1", "start", actor=ANA, at=T0 + 2 * MINUTE)
    desk.communicate("INC-1", "We are on it.", actor=ANA, at=T0 + 5 * MINUTE, channel="email")
    assert desk.next_due() == T0 + 5 * MINUTE  # the words wait in the outbox
    assert desk.tick(T0 + 2 * HOUR).escalated == 1
    assert desk.get("INC-1").group == "second-line"
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + 3 * HOUR - MINUTE, fields=DONE)
    assert desk.next_due() == T0 + 3 * HOUR - MINUTE  # the notice that it will close by itself
    closed = desk.fire("INC-1", "close", actor=UMA, at=T0 + DAY, fields={"closure_code": "user_confirmed"})
    assert (closed.phase, closed.outcome) == (Phase.CLOSED, "completed")
    clocks = desk.clocks("INC-1", T0 + DAY)
    assert clocks["response"].elapsed == 5 * MINUTE
    assert clocks["resolution"].elapsed == 3 * HOUR - MINUTE
    assert (clocks["response"].verdict, clocks["resolution"].verdict) == ("met", "met")
    assert [(m.to, m.channel) for m in sent] == [("uma", "email")]
    kinds = [event.kind for event in desk.history("INC-1")]
    assert kinds == [
        "opened", "assigned", "transitioned", "communicated", "escalated", "assigned", "transitioned",
        "communicated", "transitioned",
    ]  # fmt: skip
    assert fold(desk.history("INC-1")) == closed


def test_escalations_come_when_due_and_say_so(desk, sent):
    """A host that ticks at `next_due` is on time to the microsecond; each message once."""
    opened(desk)
    seen = []
    while due := desk.next_due():
        seen.append((due, desk.tick(due).escalated))
    assert seen == [(T0 + n * HOUR, 1) for n in (2, 3, 4)]
    assert [m.to for m in sent] == ["lead", "manager"]
    assert all(m.facts["lateness_us"] == 0 for m in sent)
    assert desk.tick(T0 + DAY).escalated == 0
    breach = desk.clocks("INC-1", T0 + DAY)["resolution"]
    assert (breach.verdict, breach.due_at) == ("breached", T0 + 4 * HOUR)


def test_a_late_tick_fires_everything_once_and_says_how_late(desk, sent):
    """The host slept ten hours: every step fires, in order, with its lateness."""
    opened(desk)
    assert desk.tick(T0 + 10 * HOUR).escalated == 3
    assert [(m.to, m.facts["lateness_us"] // 3_600_000_000) for m in sent] == [("lead", 7), ("manager", 6)]
    assert desk.tick(T0 + 11 * HOUR).escalated == 0


def test_a_hold_stops_the_timer_and_a_reply_starts_it_again(desk, sent):
    """The requester's reply takes the record off hold, and the deadline moves by the wait."""
    opened(desk)
    held = desk.fire("INC-1", "hold", actor=ANA, at=T0 + HOUR, fields=WAIT)
    assert (held.state, held.waits_on, held.hold_reason) == ("on_hold", "requester", "requester")
    assert desk.tick(T0 + 5 * HOUR).escalated == 0
    back = desk.receive("INC-1", "room 7", actor=UMA, at=T0 + 6 * HOUR, message_id="<1@x>")
    assert (back.state, back.waits_on, back.hold_reason) == ("in_progress", None, None)
    assert desk.clocks("INC-1", T0 + 6 * HOUR)["resolution"].due_at == T0 + 9 * HOUR
    assert desk.next_due() == T0 + 7 * HOUR
    assert [m.body for m in sent] == ["which room?"]


# --- refusals ---------------------------------------------------------------------------------


def test_a_refusal_lists_every_reason_and_changes_nothing(desk):
    """Wrong role, missing fields and a stale version come in one error; the record stays."""
    before = opened(desk)
    with pytest.raises(TransitionRefused) as refused:
        desk.fire("INC-1", "resolve", actor=Actor.person("zed"), at=T0, expected=0)
    assert refused.value.codes == ("stale_version", "role", "missing_field", "missing_field")
    assert desk.get("INC-1") == before
    assert len(desk.history("INC-1")) == 1


def test_an_escalation_does_not_make_a_persons_view_stale(desk):
    """`expected` is about people's changes: a reminder in between is no conflict."""
    seen = opened(desk).version
    desk.tick(T0 + 3 * HOUR - MINUTE)
    moved = desk.get("INC-1")
    assert moved.version > seen
    with pytest.raises(TransitionRefused, match="you saw"):
        desk.fire("INC-1", "start", actor=ANA, at=T0 + 3 * HOUR, expected=seen)  # the work moved group
    seen = moved.touched
    desk.tick(T0 + 3 * HOUR)
    assert desk.fire("INC-1", "start", actor=ANA, at=T0 + 3 * HOUR, expected=seen).state == "in_progress"


def test_an_unknown_record_is_named(desk):
    """Every call on a record that is not there raises RecordNotFound with its id."""
    for call in (
        lambda: desk.get("INC-9"),
        lambda: desk.fire("INC-9", "start", actor=ANA, at=T0),
        lambda: desk.history("INC-9"),
        lambda: desk.receive("INC-9", "x", actor=UMA, at=T0, message_id="1"),
        lambda: desk.options("INC-9", ANA),
    ):
        with pytest.raises(RecordNotFound, match="INC-9"):
            call()


@pytest.mark.parametrize("wrong", [5, None, "", ["INC-1"], {"INC-1": 1}, b"INC-1"], ids=repr)
def test_a_record_is_named_by_its_id(desk, wrong):
    """Whatever else is given is refused by name, on each store."""
    opened(desk)
    for call in (
        lambda: desk.get(wrong),
        lambda: desk.history(wrong),
        lambda: desk.note(wrong, "x", actor=ANA, at=T0),
        lambda: desk.merge("INC-1", wrong, actor=ANA, at=T0),
        lambda: desk.options(wrong, ANA),
    ):
        with pytest.raises(InvalidValue, match=r"^record "):
            call()


COMMANDS = [
    lambda desk, **asked: desk.communicate("INC-1", "x", **asked),
    lambda desk, **asked: desk.note("INC-1", "x", **asked),
    lambda desk, **asked: desk.assign("INC-1", group="net", **asked),
    lambda desk, **asked: desk.acknowledge("INC-1", **asked),
    lambda desk, **asked: desk.declare_major("INC-1", reason="x", **asked),
    lambda desk, **asked: desk.major.reject("INC-1", reason="x", **asked),
    lambda desk, **asked: desk.retype("INC-1", "problem", **asked),
    lambda desk, **asked: desk.split("INC-1", "x", **asked),
    lambda desk, **asked: desk.merge("INC-1", "INC-2", **asked),
]


@pytest.mark.parametrize("command", COMMANDS, ids=range(len(COMMANDS)))
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            {"actor": ANA, "at": T0, "comand_id": "form-1"},
            r"argument \['comand_id'\]: is unknown here; use act",
        ),
        ({"actor": ANA}, r"argument 'at': is missing; say when"),
        ({"at": T0}, r"argument 'actor': is missing; say who asks"),
    ],
)
def test_what_a_command_does_not_take_or_lacks_is_told_by_name(desk, command, asked, said):
    """A misspelt command_id that nobody reads would do everything twice."""
    opened(desk)
    with pytest.raises(InvalidValue, match=said):
        command(desk, **asked)
    assert desk.get("INC-1").version == 1


@pytest.mark.parametrize("wrong", [5, ["x"], "text", {1: 2}], ids=repr)
def test_fields_and_ids_of_another_kind_are_refused_by_name(desk, wrong):
    """Opening, saying and splitting as every other command."""
    opened(desk)
    for call in (
        lambda: desk.open("x", actor=ANA, at=T0, fields=wrong),
        lambda: desk.communicate("INC-1", "x", actor=ANA, at=T0, fields=wrong),
        lambda: desk.receive("INC-1", "x", actor=ANA, at=T0, message_id="1", fields=wrong),
        lambda: desk.split("INC-1", "x", actor=ANA, at=T0, fields=wrong),
        lambda: desk.fire("INC-1", "start", actor=ANA, at=T0, fields=wrong),
    ):
        with pytest.raises(InvalidValue, match=r"^field"):
            call()
    if not isinstance(wrong, str):
        with pytest.raises(InvalidValue, match=r"^command id"):
            desk.note("INC-1", "x", actor=ANA, at=T0, command_id=wrong)
    with pytest.raises(InvalidValue, match=r"^plan"):
        desk.migrate("INC-1", wrong, reason="x", actor=BO, at=T0)
    with pytest.raises(InvalidValue, match=r"^actor"):
        desk.options("INC-1", wrong)
    assert len(desk.history("INC-1")) == 1


@pytest.mark.parametrize(
    ("metric", "said"), [("respond", "did you mean response"), ("bliss", "use one of response, resolution")]
)
def test_a_policy_waits_only_for_what_an_agreement_measures(store, metric, said):
    """A metric of one's own is as good as a known one; a typing error would never fire."""
    policy = EscalationPolicy("p", 1, steps=[EscalationStep("lead", "75 %", to="lead", metric=metric)])
    with pytest.raises(InvalidValue, match=f"of step 'lead' is measured by no agreement here; {said}"):
        ServiceDesk(store, policy=policy, agreement=default_agreement(OFFICE))
    measure = Measure(start=Condition(), stop=Condition(assigned=True))
    target = Target(metric, metric, duration="4h", calendar=OFFICE, measure=measure)
    desk = ServiceDesk(store, policy=policy, agreement=Agreement("a", 1, targets=[target]))
    desk.open("Mail is down", actor=UMA, at=T0, record_id="INC-1")
    assert desk.next_due() == T0 + 3 * HOUR
    desk.assign("INC-1", actor=ANA, at=T0 + HOUR, assignee="ana")
    assert desk.clocks("INC-1", T0 + DAY)[metric].elapsed == HOUR
    assert desk.next_due() is None


def test_what_a_desk_does_not_have_may_be_none(store):
    """As a host says it that makes its arguments beforehand."""
    desk = ServiceDesk(store, agreement=None, policy=None, custom_fields=None, clock=None, notifiers=None)
    assert desk.open("Mail is down", actor=UMA, at=T0).version == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"agreement": "agreement.toml"}, r"^agreement 'agreement.toml': is no list of Agreement; make one"),
        ({"agreement": [POLICY]}, r"^agreement EscalationPolicy.*: is no Agreement; make one"),
        (
            {"custom_fields": "room"},
            r"^custom_fields 'room': is no list of CustomField; declare it in a list",
        ),
        ({"custom_fields": 5}, r"^custom_fields 5: is no list of CustomField"),
        ({"clock": T0}, r"^clock .*: cannot be called; give lambda: datetime.now\(UTC\)$"),
    ],
)
def test_what_is_no_part_of_a_desk_is_refused_as_it_is_made(store, given, said):
    """Not when the first command comes."""
    with pytest.raises(InvalidValue, match=said):
        ServiceDesk(store, **given)


def test_two_agreements_of_one_name_are_refused(store):
    """The second would be passed over; the same one twice is one."""
    first = default_agreement(OFFICE)
    ServiceDesk(store, agreement=[first, default_agreement(OFFICE)])
    other = Agreement(first.id, first.version, targets=first.targets[:2])
    with pytest.raises(
        InvalidValue, match=r"^agreement 'default 1': is the name of two; give a changed one a"
    ):
        ServiceDesk(store, agreement=[first, other])


def test_a_naive_instant_is_refused_with_the_remedy(desk):
    """The message says how to make it aware, and nothing is stored."""
    with pytest.raises(InvalidValue, match="replace\\(tzinfo"):
        opened(desk, at=dt.datetime(2024, 1, 1))
    assert desk.find() == ()


def test_linking_to_nothing_is_refused(desk):
    """A link names a record of the store."""
    opened(desk)
    with pytest.raises(RecordNotFound, match="INC-2"):
        desk.link("INC-1", "duplicates", "INC-2", actor=ANA, at=T0)
    other = opened(desk, record_id="INC-2")
    assert desk.link("INC-1", "duplicates", other.id, actor=ANA, at=T0).links == (("duplicates", "INC-2"),)


# --- once -------------------------------------------------------------------------------------


def test_the_same_command_twice_gives_the_first_answer(desk):
    """A repeated command id changes nothing, even when the record has moved on since."""
    opened(desk)
    first = desk.fire("INC-1", "start", actor=ANA, at=T0 + MINUTE, command_id="c-1")
    desk.note("INC-1", "looked", actor=ANA, at=T0 + 2 * MINUTE)
    again = desk.fire("INC-1", "start", actor=ANA, at=T0 + MINUTE, command_id="c-1")
    assert again == first
    assert len(desk.history("INC-1")) == 3


def test_opening_twice_under_one_id_gives_the_first_answer(desk):
    """Also once the record has moved on since, and without a record id."""
    asked = {"actor": UMA, "at": T0, "command_id": "o"}
    first = desk.open("Mail is down", **asked)
    desk.note(first.id, "looked", actor=ANA, at=T0 + MINUTE)
    assert desk.open("Mail is down", **asked) == first


def test_a_command_id_belongs_to_one_record(desk):
    """Using it for another record is an error that names the first."""
    opened(desk)
    opened(desk, record_id="INC-2")
    desk.note("INC-1", "x", actor=ANA, at=T0, command_id="c-1")
    with pytest.raises(InvalidValue, match="INC-1"):
        desk.note("INC-2", "x", actor=ANA, at=T0, command_id="c-1")


def test_opening_twice_with_one_reference_is_one_record(desk):
    """A retried import opens nothing new, also without record id and from two threads."""
    first = desk.open("x", actor=UMA, at=T0, external_ref="JIRA-1")
    assert desk.open("x", actor=UMA, at=T0, external_ref="JIRA-1").id == first.id
    threads = [
        threading.Thread(
            target=desk.open, args=("y",), kwargs={"actor": UMA, "at": T0, "external_ref": "J-2"}
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(desk.find(external_ref="J-2")) == 1


def test_a_message_is_received_once(desk):
    """The same message id again records nothing and moves nothing."""
    opened(desk)
    desk.fire("INC-1", "hold", actor=ANA, at=T0, fields=WAIT)
    desk.receive("INC-1", "room 7", actor=UMA, at=T0 + HOUR, message_id="<1@x>")
    desk.fire("INC-1", "hold", actor=ANA, at=T0 + 2 * HOUR, fields=WAIT)
    again = desk.receive("INC-1", "room 7", actor=UMA, at=T0 + 3 * HOUR, message_id="<1@x>")
    assert again.state == "in_progress"  # the first answer
    assert desk.get("INC-1").state == "on_hold"


def test_a_message_received_again_after_closure_opens_nothing(desk):
    """The mail that once took the record off hold is the same mail when it comes again later."""
    opened(desk)
    desk.fire("INC-1", "hold", actor=ANA, at=T0, fields=WAIT)
    desk.receive("INC-1", "room 7", actor=UMA, at=T0 + HOUR, message_id="1")
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + 2 * HOUR, fields=DONE)
    desk.fire("INC-1", "close", actor=UMA, at=T0 + 2 * HOUR, fields={"closure_code": "user_confirmed"})
    assert desk.receive("INC-1", "room 7", actor=UMA, at=T0 + HOUR, message_id="1").state == "in_progress"
    assert len(desk.find()) == 1


def test_one_command_from_two_places_at_once_is_one(store):
    """Eight threads fire the same command id: all get the first answer, none is refused."""
    desks, answers = [ServiceDesk(store) for _ in range(8)], []
    opened(desks[0])

    def start(desk):
        answers.append(desk.fire("INC-1", "start", actor=ANA, at=T0 + MINUTE, command_id="c"))

    threads = [threading.Thread(target=start, args=(desk,)) for desk in desks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert set(answers) == {desks[0].get("INC-1")}


def test_replies_that_race_are_all_kept(store):
    """Four replies to one hold at once: each is recorded, the first one resumes."""
    desk = ServiceDesk(store)
    opened(desk)
    desk.fire("INC-1", "hold", actor=ANA, at=T0, fields=WAIT)

    def reply(n):
        desk.receive("INC-1", "room 7", actor=UMA, at=T0 + HOUR, message_id=str(n))

    threads = [threading.Thread(target=reply, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kinds = [event.kind for event in desk.history("INC-1")]
    assert kinds.count("communicated") == 5  # the words of the hold, and four replies
    assert kinds.count("transitioned") == 2


def test_racing_desks_lose_nothing(store):
    """Eight threads on one record: every note is there, in a gapless sequence."""
    desks = [ServiceDesk(store) for _ in range(8)]
    opened(desks[0])

    def write(n):
        for k in range(25):
            desks[n].note("INC-1", f"{n}/{k}", actor=ANA, at=T0 + MINUTE)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = desks[0].history("INC-1")
    assert [e.seq for e in history] == list(range(1, 202))
    assert {e.fields["text"] for e in history[1:]} == {f"{n}/{k}" for n in range(8) for k in range(25)}


# --- words that come in -----------------------------------------------------------------------


def test_a_reply_reopens_a_resolved_record(desk):
    """The requester says it is not fixed: work goes on, by the desk on the requester's behalf."""
    opened(desk)
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    back = desk.receive("INC-1", "still down", actor=UMA, at=T0 + 2 * HOUR, message_id="1")
    assert (back.state, back.reopened) == ("in_progress", 1)
    moved = desk.history("INC-1")[-1]
    assert (moved.actor.kind, moved.on_behalf_of, moved.cause) == (
        "automation",
        "uma",
        f"receive/{digest(['INC-1', '1'])}",
    )


def test_a_reply_to_a_closed_record_opens_a_linked_one(desk):
    """Closed stays closed; the follow-up inherits requester and priority, once per message."""
    opened(desk)
    desk.fire("INC-1", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    desk.fire("INC-1", "close", actor=UMA, at=T0 + HOUR, fields={"closure_code": "user_confirmed"})
    new = desk.receive("INC-1", "again!", actor=UMA, at=T0 + DAY, message_id="1")
    assert new.id != "INC-1"
    assert (new.links, new.requester, new.priority) == ((("follows", "INC-1"),), "uma", "P1")
    assert new.opened_at == T0 + DAY
    assert desk.receive("INC-1", "again!", actor=UMA, at=T0 + DAY, message_id="1").id == new.id
    assert len(desk.find()) == 2
    assert desk.get("INC-1").state == "closed"


@pytest.mark.parametrize("state", ["on_hold", "resolved", "closed"])
def test_automatic_replies_move_nothing(desk, state):
    """An out-of-office note is recorded; so mail loops end."""
    opened(desk)
    desk.fire("INC-1", "hold", actor=ANA, at=T0, fields=WAIT)
    if state != "on_hold":
        desk.fire("INC-1", "resolve", actor=ANA, at=T0, fields=DONE)
    if state == "closed":
        desk.fire("INC-1", "close", actor=ANA, at=T0, fields={"closure_code": "policy"})
    record = desk.receive("INC-1", "I am away", actor=UMA, at=T0 + HOUR, message_id="1", automatic=True)
    assert (record.id, record.state) == ("INC-1", state)
    assert len(desk.find()) == 1
    assert desk.history("INC-1")[-1].fields["automatic"] is True


def test_words_of_others_move_nothing(desk):
    """A supplier's mail is recorded; the hold for the requester stays."""
    opened(desk)
    desk.fire("INC-1", "hold", actor=ANA, at=T0, fields=WAIT)
    mail = desk.receive("INC-1", "part sent", actor=Actor.supplier("s"), at=T0 + HOUR, message_id="1")
    assert mail.state == "on_hold"


def test_a_reply_does_not_end_a_wait_for_the_supplier(desk):
    """The wait is not the requester's: their words are recorded and the hold stays."""
    opened(desk)
    desk.fire("INC-1", "hold", actor=ANA, at=T0, fields={**WAIT, "hold_reason": "supplier"})
    assert desk.receive("INC-1", "any news?", actor=UMA, at=T0 + HOUR, message_id="1").state == "on_hold"


# --- words that go out ------------------------------------------------------------------------


def test_promises_are_kept_by_speaking(desk):
    """A promise to speak by noon is kept by speaking before, broken by silence."""
    opened(desk)
    noon = T0 + 3 * HOUR
    desk.communicate("INC-1", "more by noon", actor=ANA, at=T0 + HOUR, promise_due=noon)
    (promise,) = promises(trace(desk.history("INC-1")), T0 + 4 * HOUR)
    assert promise.verdict == "broken"
    desk.communicate("INC-1", "we know more", actor=ANA, at=noon)
    (promise,) = promises(trace(desk.history("INC-1")), T0 + 4 * HOUR)
    assert promise.verdict == "kept"


def test_each_audience_is_told_at_its_address(desk, sent):
    """The requester, the public and management get the words; internal ones stay inside."""
    opened(desk)
    for audience in ("requester", "public", "management", "internal"):
        desk.communicate("INC-1", audience, actor=ANA, at=T0, audience=audience, channel="page")
    desk.tick(T0)
    assert [(m.to, m.body) for m in sent] == [
        ("uma", "requester"), ("public", "public"), ("management", "management"),
    ]  # fmt: skip


def test_delivery_retries_then_gives_up_and_loses_no_key(store):
    """Five tries with one key, at the stated instants; then it has failed."""
    tries = []

    def notifier(message):
        tries.append((message.key, message.attempt))
        return Retry(reason="busy")

    desk = ServiceDesk(store, notifiers={"page": notifier})
    opened(desk)
    desk.communicate("INC-1", "x", actor=ANA, at=T0, audience="public", channel="page", command_id="m")
    instants, ticks = [], []
    while due := desk.next_due():
        instants.append(due - T0)
        ticks.append(desk.tick(due))
    assert [i.total_seconds() for i in instants] == [0, 5, 20, 50, 110]
    assert tries == [("m#said", n) for n in range(5)]
    assert [t.retried for t in ticks] == [1, 1, 1, 1, 0]
    assert ticks[-1].failures == (("m#said", "gave up after 5 tries: busy"),)


@pytest.mark.parametrize(
    ("notifiers", "counted"),
    [({"*": lambda _: Rejected("no")}, "failures"), ({"other": lambda _: None}, "failures"),
     ({"page": lambda _: 1 / 0}, "retried"), ({"*": lambda _: None}, "delivered")],
)  # fmt: skip
def test_what_notifiers_do_is_counted(store, notifiers, counted):
    """No notifier and rejection fail; an exception is tried again; None has delivered."""
    desk = ServiceDesk(store, notifiers=notifiers)
    opened(desk)
    desk.communicate("INC-1", "x", actor=ANA, at=T0, audience="public", channel="page")
    found = getattr(desk.tick(T0), counted)
    assert (len(found) if counted == "failures" else found) == 1


# --- late and mended --------------------------------------------------------------------------


def test_what_comes_late_takes_its_place_in_time(desk):
    """A call logged afterwards answers when it was made, not when it was written down."""
    opened(desk)
    desk.note("INC-1", "looked", actor=ANA, at=T0 + 2 * HOUR)
    desk.communicate("INC-1", "called her", actor=ANA, at=T0 + 10 * MINUTE, channel="phone")
    response = desk.clocks("INC-1", T0 + 3 * HOUR)["response"]
    assert (response.verdict, response.elapsed) == ("met", 10 * MINUTE)
    assert [e.seq for e in desk.history("INC-1")] == [1, 2, 3]
    assert desk.get("INC-1") == fold(desk.history("INC-1"))


def test_a_host_clock_judges_what_is_late(store):
    """With a clock, an hour is tolerated; beyond that the desk wants a reason; the future is refused."""
    now = [T0]
    desk = ServiceDesk(store, clock=lambda: now[0])
    opened(desk)
    now[0] = T0 + 5 * HOUR
    with pytest.raises(TransitionRefused, match="late_reason"):
        desk.fire("INC-1", "start", actor=ANA, at=T0 + 4 * HOUR - MINUTE)
    with pytest.raises(TransitionRefused, match="wait for it"):
        desk.fire("INC-1", "start", actor=ANA, at=T0 + 6 * HOUR)
    done = desk.fire(
        "INC-1",
        "note",
        actor=ANA,
        at=T0 + 4 * HOUR - MINUTE,
        fields={"text": "x", "late_reason": "line was down"},
    )
    assert desk.history("INC-1")[-1].recorded_at == T0 + 5 * HOUR
    assert done.version == 2


def test_nothing_happens_before_the_opening(desk):
    """An instant before the record was opened is refused; the opening itself can be corrected."""
    opened(desk, command_id="o")
    desk.note("INC-1", "looked", actor=ANA, at=T0 + MINUTE)
    with pytest.raises(TransitionRefused, match="before the record was opened"):
        desk.note("INC-1", "x", actor=ANA, at=T0 - MINUTE)
    why = {"reason": "typed wrong", "actor": BO, "at": T0 + HOUR}
    assert desk.correct("INC-1", "o", "occurred_at", T0 - HOUR, **why).opened_at == T0 - HOUR
    with pytest.raises(InvalidValue, match="after the event was recorded"):
        desk.correct("INC-1", "o", "occurred_at", T0 + 2 * MINUTE, **why)
    with pytest.raises(InvalidValue, match="cannot be corrected"):
        desk.correct("INC-1", "o", "phase", "closed", **why)
    by_hand = {"event": "o", "field": "phase", "now": "closed", "reason": "x"}
    with pytest.raises(InvalidValue, match="cannot be corrected"):
        desk.fire("INC-1", "correct", actor=BO, at=T0 + HOUR, fields=by_hand)


def test_a_mistake_is_mended_by_an_event(desk):
    """The corrected instant counts; the wrong one stays in the history."""
    opened(desk)
    desk.communicate("INC-1", "hello", actor=ANA, at=T0 + 40 * MINUTE, command_id="said")
    assert desk.clocks("INC-1", T0 + HOUR)["response"].verdict == "breached"
    desk.correct(
        "INC-1", "said", "occurred_at", T0 + 4 * MINUTE, reason="typed 40 for 4", actor=BO, at=T0 + HOUR
    )
    assert desk.clocks("INC-1", T0 + HOUR)["response"].verdict == "met"
    said = desk.history("INC-1")[1]
    assert (said.id, said.occurred_at) == ("said", T0 + 40 * MINUTE)
    with pytest.raises(InvalidValue, match="history"):
        desk.correct("INC-1", "nothing", "text", "x", reason="y", actor=BO, at=T0)


# --- questions --------------------------------------------------------------------------------


def test_options_are_the_buttons_that_work(desk):
    """Exactly the enabled options are accepted; labels come in the language asked for."""
    opened(desk)
    agent = {option.trigger: option.enabled for option in desk.options("INC-1", ANA)}
    assert [trigger for trigger, enabled in agent.items() if enabled] == [
        "start", "hold", "resolve", "resolve_and_close", "cancel", "mark_duplicate", "merge", "retype",
    ]  # fmt: skip
    uma = {o.trigger for o in desk.options("INC-1", UMA) if o.enabled}
    assert uma == {"cancel"}
    assert desk.options("INC-1", ANA, lang="zh")[0].label == "开始处理"


def test_find_answers_work_lists(desk):
    """By phase, assignee, requester and due instant, page by page."""
    for n in range(1, 6):
        opened(desk, record_id=f"INC-{n}", at=T0 + n * MINUTE)
    desk.assign("INC-2", actor=BO, at=T0 + HOUR, assignee="ana")
    desk.fire("INC-3", "resolve", actor=ANA, at=T0 + HOUR, fields=DONE)
    assert [r.id for r in desk.find(assignee="ana")] == ["INC-2"]
    assert [r.id for r in desk.find(phase=Phase.RESOLVED)] == ["INC-3"]
    assert [r.id for r in desk.find(limit=2)] == ["INC-1", "INC-2"]
    assert [r.id for r in desk.find(after="INC-2")] == ["INC-3", "INC-4", "INC-5"]
    assert [r.id for r in desk.find(due_before=T0 + 17 * MINUTE)] == ["INC-1"]  # 15 minutes to answer


def test_reprioritising_measures_from_the_start(desk):
    """P1 to P3: the new target counts from the opening, on office hours (retroactive default)."""
    opened(desk)
    low = desk.reprioritise(
        "INC-1", actor=ANA, at=T0 + HOUR, fields={"impact": "medium", "urgency": "medium"}
    )
    assert low.priority == "P3"
    clock = desk.clocks("INC-1", T0 + HOUR)["resolution"]
    assert clock.due_at == T0 + 3 * DAY  # three business days from Monday 09:00
    with pytest.raises(TransitionRefused, match="priority_reason"):
        desk.reprioritise("INC-1", actor=ANA, at=T0 + HOUR, fields={"priority": "P1"})
    kept = desk.reprioritise(
        "INC-1", actor=ANA, at=T0 + HOUR, fields={"priority": "P1", "priority_reason": "board meeting"}
    )
    assert (kept.priority, kept.priority_reason) == ("P1", "board meeting")


def test_personal_words_are_sealed(desk):
    """Every stored personal field has a salt of its own, so that its digest can outlive it."""
    opened(desk)
    event = desk.history("INC-1")[0]
    salts = [event.personal[name] for name in ("title", "requester")]
    assert all(len(salt) == 32 for salt in salts)
    assert len(set(salts)) == 2
    assert event.erase("title").digest == event.digest


def test_a_desk_closes_its_store(tmp_path):
    """As a context manager it lets go of the file; opened again, everything is there."""
    url = f"sqlite:///{tmp_path / 'desk.db'}"
    with ServiceDesk(stores.open(url)) as desk:
        opened(desk)
    with ServiceDesk(stores.open(url)) as desk:
        assert desk.get("INC-1").title == "Mail is down"


def test_a_desk_whose_hours_end_goes_on_under_its_policy(store, sent):
    """Where no third business day comes, records are opened, read and closed all the same."""
    ended = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC", valid_to="2024-01-09")
    desk = ServiceDesk(
        store,
        agreement=default_agreement(ended),
        policy=POLICY,
        notifiers=lambda m: sent.append(m) or Delivered(),
    )
    record = desk.open("Mail is down", actor=ANA, at=T0, fields={"impact": "low", "urgency": "low"})
    assert desk.clocks(record.id, T0 + DAY)["resolution"].due_at is None
    assert not desk.tick(T0 + 300 * DAY).stuck
    assert not desk.clocks(record.id, T0 + 300 * DAY)["resolution"].breached


@pytest.mark.parametrize("end", ["0001-01-01T00:00+08:00", "9999-12-31T23:59-08:00", "9999-12-31T23:59:59.999999+00:00",
                                 "0001-01-01T00:00+00:00", "9999-12-30T12:00+00:00", "1850-01-01T00:00+00:00"])  # fmt: skip
def test_instants_at_the_ends_of_time_are_refused_by_name(store, end):
    """Opening, reading and ticking: an error of ours, or nothing to do."""
    desk = ServiceDesk(
        store, agreement=default_agreement(OFFICE), policy=POLICY, notifiers=lambda _: Delivered()
    )
    record = desk.open("Mail is down", actor=ANA, at=T0, fields=HIGH)
    far = dt.datetime.fromisoformat(end)
    for call in (
        lambda: desk.open("Far away", actor=ANA, at=far, fields=HIGH),
        lambda: desk.clocks(record.id, far),
        lambda: desk.tick(far),
    ):
        with contextlib.suppress(BeyondHorizon, InvalidValue, TransitionRefused):
            call()
    assert desk.get(record.id) == record, "what was refused, or had nothing to do, leaves no trace"
