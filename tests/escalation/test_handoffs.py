"""What a change of shift does, by hand: `on_handoff` of a policy (escalation-and-on-call.md, 2, "Person changes").

Shifts of eight hours from 09:00 UTC: pim, quinn, rex. A page after five minutes, the lead two hours later.
"""

import datetime as dt

import attrs
import pytest

from escalated import Desk, opened, said
from itsm_core import Actor, InvalidValue, ServiceDesk, stores
from itsm_core.config import policy_from_dict, policy_to_dict
from itsm_core.escalation import (
    EscalationPolicy,
    EscalationStep,
    HandedOver,
    NotHandedOver,
    Resume,
    Trigger,
    as_named,
    difference,
    preview,
)
from itsm_core.oncall import OnCall, Override, Person, Rotation, Schedule

ROTATION = Rotation("hourly", dt.datetime(2024, 1, 8, 9), shift_length=8, zone="UTC", participants=("pim", "quinn", "rex"))  # fmt: skip
SHIFTS = OnCall({"network": ROTATION})
PAGE = EscalationStep("page", trigger=Trigger.unacknowledged("5m wall"), to="on_call:network", channel="sms")
LEAD = EscalationStep("lead", after="2h wall", to="user:lea")
POLICY = EscalationPolicy("line", 1, steps=[PAGE, LEAD], on_handoff="renotify_new")
TRANSFER = attrs.evolve(POLICY, on_handoff="transfer_if_acked_by_outgoing")


def at(text, day=8):
    """An instant of that Monday, or of a day after it."""
    hour, _, minute = text.partition(":")
    return dt.datetime(2024, 1, day, int(hour), int(minute), tzinfo=dt.UTC)


def on_paper(policy, since="16:50", resolver=SHIFTS):
    """A record on paper that was opened then, on a desk that goes by this policy."""
    return Desk(policy, resolver, opened(at(since)))


def acknowledged(desk, now, by="pim"):
    """Somebody of the shift is on it."""
    desk.events = said(desk.events, "acknowledged", now, Actor.person(by, "agent"))


def test_by_default_nobody_hears_of_a_change_of_shift():
    """The lead comes when the timetable says, whoever is on duty by then."""
    desk = on_paper(attrs.evolve(POLICY, on_handoff="none"))
    assert desk.told(at("16:55")) == ["page:pim"]
    assert desk.due(at("16:55")) == at("18:55")


def test_whoever_comes_on_duty_is_told_and_the_timetable_stays():
    """At the minute of the change, under a key of their own; two hours after the page comes the lead."""
    desk = on_paper(POLICY)
    assert desk.told(at("16:55")) == ["page:pim"]
    assert desk.due(at("16:55")) == at("17:00")
    (quinn,) = desk.tick(at("17:00"))
    assert isinstance(quinn, HandedOver)
    assert (quinn.to, quinn.name, quinn.scheduled_at) == ("quinn", "on_call:network", at("17:00"))
    assert quinn.key == "I-1:line.1/0/1/page/quinn/sms"
    assert desk.due(at("17:00")) == at("18:55")
    assert desk.told(at("18:55")) == ["lead:lea"]
    assert desk.due(at("18:55")) is None  # the last who was told is the lead, and no shift


def test_every_shift_is_told_anew_while_nobody_acknowledges():
    """Pim, too, when pim comes back: the day before is not now."""
    desk = on_paper(attrs.evolve(POLICY, steps=[PAGE]))
    told = [
        (now, desk.told(at(now, day))) for now, day in [("16:55", 8), ("17:00", 8), ("1:00", 9), ("9:00", 9)]
    ]
    assert [one for _, one in told] == [["page:pim"], ["page:quinn"], ["page:rex"], ["page:pim"]]
    acknowledged(desk, at("9:10", 9))
    assert desk.due(at("9:10", 9)) is None


def test_an_outage_over_two_changes_tells_whoever_is_on_duty_and_says_who_was_missed():
    """Quinn came and went before anybody looked."""
    desk = on_paper(attrs.evolve(POLICY, steps=[PAGE]))
    desk.tick(at("16:55"))
    rex, quinn = desk.tick(at("1:30", 9))
    assert (type(rex), rex.to, rex.scheduled_at, rex.lateness) == (
        HandedOver, "rex", at("1:00", 9), dt.timedelta(minutes=30)
    )  # fmt: skip
    assert (type(quinn), quinn.to, quinn.why, quinn.scheduled_at) == (
        NotHandedOver, "quinn", "superseded", at("17:00")
    )  # fmt: skip
    assert desk.due(at("1:30", 9)) == at("9:00", 9)


def test_an_outage_until_the_same_people_are_back_tells_nobody():
    """They were told; who was missed is said once."""
    desk = on_paper(attrs.evolve(POLICY, steps=[PAGE]))
    desk.tick(at("16:55"))
    missed = desk.tick(at("9:30", 9))
    assert [(type(one), one.to, one.why) for one in missed] == [
        (NotHandedOver, "quinn", "superseded"), (NotHandedOver, "rex", "superseded")
    ]  # fmt: skip
    assert desk.due(at("9:30", 9)) == at("17:00", 9)


def test_a_chain_that_went_on_before_the_change_does_not_go_back():
    """After an outage the overdue lead fires; the shift that changed later is none that waits."""
    desk = on_paper(POLICY)
    desk.tick(at("16:55"))
    assert desk.told(at("1:30", 9)) == ["lead:lea"]
    assert desk.due(at("1:30", 9)) is None


def test_an_acknowledgement_of_the_shift_that_ends_passes_to_the_next():
    """It is over, quinn is told and has two hours, and may acknowledge in turn."""
    desk = on_paper(TRANSFER)
    desk.tick(at("16:55"))
    acknowledged(desk, at("16:58"))
    assert desk.due(at("16:58")) == at("17:00")
    over, quinn = desk.tick(at("17:00"))
    assert (type(over), over.why, over.mode, over.scheduled_at) == (
        Resume,
        "handed_off",
        "resume",
        at("17:00"),
    )
    assert (type(quinn), quinn.to, quinn.generation) == (HandedOver, "quinn", over.generation + 1)
    assert desk.due(at("17:00")) == at("19:00")
    acknowledged(desk, at("17:05"), by="quinn")
    assert desk.due(at("17:05")) == at("1:00", 9)


def test_an_acknowledgement_of_somebody_else_stays():
    """Ana is of no shift, so that none of hers ends."""
    desk = on_paper(TRANSFER)
    desk.tick(at("16:55"))
    acknowledged(desk, at("16:58"), by="ana")
    assert desk.due(at("16:58")) is None


def test_before_anybody_acknowledges_a_transfer_has_nothing_to_do():
    """The next step comes by the timetable."""
    desk = on_paper(TRANSFER)
    desk.tick(at("16:55"))
    assert desk.due(at("16:55")) == at("18:55")


def test_an_acknowledgement_that_lapses_first_is_no_matter_of_shifts():
    """It lapsed at 16:59 by its own time-out; then whoever is on duty is whoever is asked."""
    desk = on_paper(attrs.evolve(TRANSFER, ack_timeout="1m wall", on_ack_timeout="resume"))
    desk.tick(at("16:55"))
    acknowledged(desk, at("16:58"))
    (over,) = desk.tick(at("17:30"))
    assert (over.why, over.scheduled_at) == ("ack_timeout", at("16:59"))


def test_a_gap_hands_over_to_nobody_until_somebody_comes():
    """With nobody on duty after pim the acknowledgement stays, until rex comes in the morning."""
    days = Rotation(
        "daily", dt.datetime(2024, 1, 8, 9), duration="8h", zone="UTC", participants=("pim", "rex")
    )
    desk = on_paper(TRANSFER, resolver=OnCall({"network": days}))
    desk.tick(at("16:55"))
    acknowledged(desk, at("16:58"))
    assert desk.due(at("16:58")) == at("9:00", 9)
    assert desk.told(at("9:00", 9)) == ["-:handed_off", "page:rex"]


def test_of_two_on_duty_who_both_were_told_the_one_who_stays_takes_over():
    """Pim acknowledged and goes; quinn stays on, was told with pim, and is asked now."""
    both = Schedule("network", ROTATION, overrides=[Override(at("12:00"), at("23:00"), add="quinn")])
    desk = on_paper(TRANSFER, resolver=OnCall({"network": both}))
    assert desk.told(at("16:55")) == ["page:pim", "page:quinn"]
    acknowledged(desk, at("16:58"))
    assert desk.told(at("17:00")) == ["-:handed_off", "page:quinn"]


def test_who_stays_on_duty_is_not_told_again():
    """Zoe joins for the night: she alone hears of it."""
    more = Schedule("network", ROTATION, overrides=[Override(at("16:58"), at("20:00"), add="zoe")])
    desk = on_paper(attrs.evolve(POLICY, steps=[PAGE]), resolver=OnCall({"network": more}))
    assert [desk.told(at(now)) for now in ("16:55", "16:58", "17:00", "20:00")] == [
        ["page:pim"], ["page:zoe"], ["page:quinn"], []
    ]  # fmt: skip


def test_a_step_that_expires_is_not_handed_over_late():
    """Nor is it tried again before the next change."""
    step = attrs.evolve(PAGE, catch_up="expire", expires_after="10m")
    desk = on_paper(attrs.evolve(POLICY, steps=[step]))
    desk.tick(at("16:55"))
    (late,) = desk.tick(at("17:10"))
    assert (type(late), late.why) == (NotHandedOver, "expired")
    assert desk.due(at("17:10")) == at("1:00", 9)


def test_a_paused_clock_hands_nothing_over():
    """A chain that a share began stands still with its clock, its shifts too."""
    half = EscalationStep("half", "50 %", to="on_call:network")
    desk = on_paper(attrs.evolve(POLICY, steps=[half]), since="14:55")
    assert desk.told(at("16:55")) == ["half:pim"]
    desk.fire("hold", at("16:56"), hold_reason="requester", message="?", look_again_at=at("9:00", 20))
    assert desk.told(at("17:30")) == []
    desk.fire("resume", at("18:00"))
    assert desk.told(at("18:00")) == ["half:quinn"]


def test_a_preview_shows_the_shifts_to_come():
    """Nobody acknowledges in it."""
    desk = on_paper(attrs.evolve(POLICY, steps=[PAGE]))
    shown = preview(desk.policy, desk.run.record, lambda _: {}, at("16:50"), dt.timedelta(hours=17), SHIFTS)
    assert [(row.at, row.who, row.why) for row in shown.rows] == [
        (at("16:55"), "pim", "not acknowledged for 5m"),
        (at("17:00"), "quinn", "you are on duty now; not acknowledged for 5m"),
        (at("1:00", 9), "rex", "you are on duty now; not acknowledged for 5m"),
        (at("9:00", 9), "pim", "you are on duty now; not acknowledged for 5m"),
    ]


# --- at the desk -----------------------------------------------------------------------------------

UMA, PIM = Actor.person("uma"), Actor.person("pim", "agent")
HIGH = {"impact": "high", "urgency": "high"}


def ticked(desk, *instants):
    """The desk after these ticks, each with whatever stuck."""
    return [desk.tick(now).stuck for now in instants]


def test_a_desk_tells_the_next_shift_by_its_own_timer(store):
    """The timer is set to the change; the message is the step's, and the history says what it was."""
    sent = []
    desk = ServiceDesk(store, policy=POLICY, resolver=SHIFTS, notifiers=sent.append)
    desk.open("Mail is down", actor=UMA, at=at("16:50"), record_id="INC-1", fields=HIGH)
    assert ticked(desk, at("16:55"), at("16:59"), at("17:00"), at("17:01")) == [()] * 4
    assert [(m.to, m.channel) for m in sent] == [("pim", "sms"), ("quinn", "sms")]
    assert sent[1].subject == "INC-1 P1: you are on duty now; not acknowledged for 5m"
    told = [e.fields for e in desk.history("INC-1") if e.kind == "escalated"]
    assert [(said["to"], said.get("handoff"), said["scheduled_at"][11:16]) for said in told] == [
        ("pim", None, "16:55"), ("quinn", True, "17:00")
    ]  # fmt: skip
    desk.tick(at("18:55"))
    assert [m.to for m in sent] == ["pim", "quinn", "lea"]


def test_a_desk_takes_an_acknowledgement_off_whoever_goes_home(store):
    """What pim did not get yet is void; a desk that missed the change says how late it is."""
    sent = []
    people = {"user:quinn": Person("quinn", lang="zh")}
    desk = ServiceDesk(store, policy=TRANSFER, resolver=SHIFTS, directory=lambda name, _: people.get(name), notifiers=sent.append)  # fmt: skip
    desk.open("Mail is down", actor=UMA, at=at("16:50"), record_id="INC-1", fields=HIGH)
    desk.tick(at("16:55"))
    assert desk.acknowledge("INC-1", actor=PIM, at=at("16:58")).escalation.is_acknowledged
    desk.tick(at("17:20"))
    record = desk.find()[0]
    assert not record.escalation.is_acknowledged
    assert [(m.to, m.subject) for m in sent] == [
        ("pim", "INC-1 P1: not acknowledged for 5m"), ("quinn", "INC-1 P1：现由您值班；5m内无人确认")
    ]  # fmt: skip
    over = next(e.fields for e in desk.history("INC-1") if e.kind == "escalation_resumed")
    assert (over["why"], over["lateness_us"]) == ("handed_off", 20 * 60_000_000)
    desk.acknowledge("INC-1", actor=Actor.person("quinn", "agent"), at=at("17:25"))
    assert desk.tick(at("20:00")).escalated == 0


def test_who_comes_on_duty_and_is_absent_is_nobody(store):
    """The directory says so at the change; the next change is looked at anew."""
    sent = []
    away = {"user:quinn": Person("quinn", absent_until=at("9:00", 10))}
    desk = ServiceDesk(store, policy=attrs.evolve(POLICY, steps=[PAGE], last_resort="duty"), resolver=SHIFTS, directory=lambda name, _: away.get(name), notifiers=sent.append)  # fmt: skip
    desk.open("Mail is down", actor=UMA, at=at("16:50"), record_id="INC-1", fields=HIGH)
    ticked(desk, at("16:55"), at("17:00"), at("17:05"), at("1:00", 9))
    assert [m.to for m in sent] == ["pim", "rex"]
    (empty,) = [e.fields for e in desk.history("INC-1") if e.kind == "not_escalated"]
    assert (empty["why"], empty["to"], empty["handoff"]) == ("empty", "on_call:network", True)


def test_a_directory_that_is_down_at_a_change_is_asked_again():
    """What is owed to quinn is owed by that change."""
    sent, down = [], [True]

    def directory(name, _):
        if down and name == "user:quinn":
            raise ConnectionError("down")

    desk = ServiceDesk(stores.open("memory://"), policy=attrs.evolve(POLICY, steps=[PAGE]), resolver=SHIFTS, directory=directory, notifiers=sent.append)  # fmt: skip
    desk.open("Mail is down", actor=UMA, at=at("16:50"), record_id="INC-1", fields=HIGH)
    ticked(desk, at("16:55"), at("17:00"))
    down.clear()
    ticked(desk, at("17:01"), at("17:02"))
    assert [m.to for m in sent] == ["pim", "quinn"]


class Roster:
    """A host's resolver whose shifts are asked of something that may be down."""

    down = False

    def __call__(self, name, record, now):
        return SHIFTS(name, record, now)

    def shifts(self, name, since):
        if self.down:
            raise TimeoutError("no roster")
        return SHIFTS.shifts(name, since)


def test_a_roster_that_is_down_stops_no_command_and_no_step(store):
    """From the page on it is asked every minute, and each tick says so; then who has come on duty is told."""
    sent, roster = [], Roster()
    desk = ServiceDesk(store, policy=POLICY, resolver=roster, notifiers=sent.append)
    desk.open("Mail is down", actor=UMA, at=at("16:50"), record_id="INC-1", fields=HIGH)
    roster.down = True
    desk.note("INC-1", "looking", actor=PIM, at=at("16:52"))
    ticked(desk, at("16:55"))
    for now in ("16:56", "17:01"):
        assert [str(error) for _, error in desk.tick(at(now)).stuck] == ["no roster"]
        assert desk.next_due() <= at(now) + dt.timedelta(minutes=1)
    roster.down = False
    assert ticked(desk, at("17:02"), at("17:03")) == [(), ()]
    assert [m.to for m in sent] == ["pim", "quinn"]
    assert desk.next_due() == at("18:55")


class OneEach(Roster):
    """A resolver that says one person as a text, in shifts as elsewhere."""

    def shifts(self, name, since):
        return ((now, *people) for now, people in SHIFTS.shifts(name, since))


def test_a_shift_of_one_person_may_be_said_as_a_text(store):
    """As who answers to a name may be: quinn is nobody called q, u or i. The preview says the same."""
    sent, policy = [], attrs.evolve(POLICY, steps=[PAGE])
    desk = ServiceDesk(store, policy=policy, resolver=OneEach(), notifiers=sent.append)
    desk.open("Mail is down", actor=UMA, at=at("16:50"), record_id="INC-1", fields=HIGH)
    ticked(desk, at("16:55"), at("17:00"))
    assert [m.to for m in sent] == ["pim", "quinn"]
    record = on_paper(policy).run.record
    shown = preview(policy, record, lambda _: {}, at("16:50"), dt.timedelta(hours=1), OneEach())
    assert [row.who for row in shown.rows] == ["pim", "quinn"]


@pytest.mark.parametrize("change", ["16:00", "16:55"])
def test_a_roster_that_goes_back_in_time_is_told_and_fires_nothing(store, change):
    """What was over when it was asked would be a change for ever, twenty times in each tick."""
    roster = Roster()
    roster.shifts = lambda _, since: iter([(since, ("pim",)), (at(change), ("sam",))])
    desk = ServiceDesk(store, policy=POLICY, resolver=roster, notifiers=lambda _: None)
    desk.open("Mail is down", actor=UMA, at=at("16:50"), record_id="INC-1", fields=HIGH)
    desk.tick(at("16:55"))
    told = desk.tick(at("16:56"))
    assert told.escalated == 0
    assert "does not come after 2024-01-08T16:55" in str(told.stuck[0][1])


# --- how it is said --------------------------------------------------------------------------------


def test_a_policy_file_says_it_and_a_version_differs_by_it():
    """In TOML and JSON, by the same word."""
    plain = policy_to_dict(POLICY)
    assert plain["on_handoff"] == "renotify_new"
    assert policy_from_dict(plain) == POLICY
    (one,) = difference(POLICY, attrs.evolve(TRANSFER, version=2))
    assert (one.field, one.was, one.now) == ("on_handoff", "renotify_new", "transfer_if_acked_by_outgoing")


def test_what_cannot_be_is_refused_where_it_is_written():
    """A word that is none, steps that ask for no shift, a desk that knows none."""
    with pytest.raises(InvalidValue, match=r"'renotify'.*use one of none, renotify_new"):
        attrs.evolve(POLICY, on_handoff="renotify")
    fallen_back = attrs.evolve(LEAD_FIRST, when_empty="fallback", fallback="on_call:network")
    given = EscalationStep("give", "50 %", assignee="on_call:network")
    for step in (LEAD_FIRST, fallen_back, given):
        with pytest.raises(
            InvalidValue, match=r"no step tells who is on call; tell who is on call, such as to="
        ):
            attrs.evolve(POLICY, steps=[step])
    with pytest.raises(
        InvalidValue, match=r"policy line@1.*nobody here knows when a shift changes; give the desk"
    ):
        ServiceDesk(stores.open("memory://"), policy=POLICY, resolver=as_named)


LEAD_FIRST = EscalationStep("lead", trigger=Trigger.unacknowledged("5m wall"), to="user:lea")


def test_shifts_of_a_name_begin_with_who_is_on_duty_and_go_on_for_a_year():
    """Of a name that is no schedule's the next resolver says it, or nobody does."""
    found = list(SHIFTS.shifts("on_call:network", at("16:00")))
    assert found[:3] == [(at("16:00"), ("pim",)), (at("17:00"), ("quinn",)), (at("1:00", 9), ("rex",))]
    assert len(found) == 1 + 366 * 3
    assert list(SHIFTS.shifts("on_call:mail", at("16:00"))) == []
    assert list(SHIFTS.shifts("role:lead", at("16:00"))) == []
    further = OnCall({}, otherwise=SHIFTS)
    assert next(iter(further.shifts("role:lead", at("16:00"))), None) is None
