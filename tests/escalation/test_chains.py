"""Chains of steps: what follows what, what stops them, and how they catch up."""

import datetime as dt

import attrs
import pytest

from escalated import Desk, opened, said, shown
from itsm_core import Actor
from itsm_core.business_time import BusinessCalendar, never
from itsm_core.escalation import (
    Branch,
    Change,
    ClockRegressed,
    Condition,
    DeclareMajor,
    EscalationPolicy,
    EscalationStep,
    Inform,
    NoResponder,
    NotFired,
    Repeat,
    Resume,
    Steered,
    Trigger,
    Unanswered,
)

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)  # a Monday
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
DESK = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")
PAGE = EscalationStep("page", trigger=Trigger.unacknowledged("5m wall"), to="on_call:network")
LEAD = EscalationStep("lead", after="10m wall", to="role:lead")
BOSS = EscalationStep("boss", after="20m wall", to="user:bo")
DONE = {"resolution_outcome": "workaround", "resolution_notes": "x"}


def line(*steps, **fields):
    """A policy of steps, with a last resort."""
    return EscalationPolicy("line", 1, steps=steps, **{"last_resort": "duty", **fields})


# --- how a chain goes on ----------------------------------------------------------------------------


def test_a_chain_waits_from_the_firing_of_the_step_before():
    """09:05, ten minutes after that, twenty after that: 09:05, 09:15, 09:35."""
    desk = Desk(line(PAGE, LEAD, BOSS))
    assert desk.due(T0) == T0 + 5 * MINUTE
    assert desk.told(T0 + 5 * MINUTE) == ["page:on_call:network"]
    assert desk.due(T0 + 5 * MINUTE) == T0 + 15 * MINUTE
    assert desk.told(T0 + 15 * MINUTE - MINUTE) == []
    assert desk.told(T0 + 15 * MINUTE) == ["lead:role:lead"]
    assert desk.told(T0 + 35 * MINUTE) == ["boss:bo"]
    assert desk.due(T0 + 35 * MINUTE) is None


def test_after_an_outage_of_three_hours_a_chain_fires_one_step_and_waits_anew():
    """Serial: page at 12:00 with 2 h 55 min of lateness, lead ten minutes later and on time."""
    desk = Desk(line(PAGE, LEAD, BOSS))
    (page,) = desk.tick(T0 + 3 * HOUR)
    assert (page.scheduled_at, page.fired_at, page.lateness) == (
        T0 + 5 * MINUTE, T0 + 3 * HOUR, 2 * HOUR + 55 * MINUTE,
    )  # fmt: skip
    assert desk.due(T0 + 3 * HOUR) == T0 + 3 * HOUR + 10 * MINUTE
    (lead,) = desk.tick(T0 + 3 * HOUR + 10 * MINUTE)
    assert (lead.step.id, lead.lateness) == ("lead", dt.timedelta())


def test_an_outage_leaves_coalesced_steps_to_the_last_that_is_due():
    """By its timetable 09:05, 09:15, 09:35: asked at 09:20 only the lead is told, and boss still at 09:35."""
    desk = Desk(line(PAGE, LEAD, BOSS, catch_up="coalesce"))
    assert desk.told(T0 + 20 * MINUTE) == ["page:coalesced", "lead:role:lead"]
    assert desk.due(T0 + 20 * MINUTE) == T0 + 35 * MINUTE


def test_no_step_is_left_to_one_that_does_not_fire():
    """Both are overdue at 10:00, and the last is for P3 alone: the lead is told instead of nobody."""
    boss = attrs.evolve(BOSS, priorities={"P3"})
    desk = Desk(line(PAGE, LEAD, boss, catch_up="coalesce"))
    assert desk.told(T0 + HOUR) == ["page:coalesced", "lead:role:lead", "boss:condition"]


def test_work_is_never_coalesced_away():
    """A step that moves the work does so although a later one is due, too."""
    move = EscalationStep("move", after="5m wall", group="network")
    desk = Desk(line(PAGE, move, BOSS, catch_up="coalesce"))
    assert desk.told(T0 + HOUR) == ["page:on_call:network", "move:network", "boss:bo"]


def test_an_informational_step_that_expires_is_dropped_and_said():
    """Thirty minutes late is late enough; the chain goes on from there."""
    page = EscalationStep(
        "page", trigger=Trigger.unacknowledged("5m wall"), to="x", catch_up="expire", expires_after="30m"
    )
    desk = Desk(line(page, LEAD))
    (gone,) = desk.tick(T0 + 36 * MINUTE)
    assert (type(gone), gone.why, gone.lateness) == (NotFired, "expired", 31 * MINUTE)
    assert desk.due(T0 + 36 * MINUTE) == T0 + 46 * MINUTE
    assert Desk(line(page)).told(T0 + 35 * MINUTE) == ["page:expired"]
    assert Desk(line(page)).told(T0 + 35 * MINUTE - dt.timedelta(microseconds=1)) == ["page:x"]


def test_business_waits_count_the_hours_of_the_policy_or_else_of_the_desk():
    """Two hours of open time from 16:00 on Monday are 10:00 on Tuesday; around the clock they are 18:00."""
    step = EscalationStep("page", trigger=Trigger.unacknowledged("2h business"), to="x")
    late = opened(T0 + 7 * HOUR)
    assert Desk(line(step), events=late, calendar=DESK).due(T0 + 7 * HOUR) == T0 + DAY + HOUR
    assert Desk(line(step, calendar=DESK), events=late).due(T0 + 7 * HOUR) == T0 + DAY + HOUR
    assert Desk(line(step), events=late).due(T0 + 7 * HOUR) == T0 + 9 * HOUR


@pytest.mark.parametrize(
    ("day", "at"),
    [
        # Europe/London 2026: clocks forward 29 March 01:00 UTC, back 25 October 01:00 UTC (tzdata)
        ("2026-03-28", "2026-03-29T02:00:00+00:00"),
        ("2026-10-24", "2026-10-25T02:00:00+00:00"),
    ],
)
def test_a_night_of_daylight_saving_takes_as_long_as_it_takes(day, at):
    """Four hours on the wall from 22:00 UTC are 02:00 UTC, whatever the clocks in London are set to."""
    start = dt.datetime.fromisoformat(f"{day}T22:00:00+00:00")
    step = EscalationStep("page", trigger=Trigger.unacknowledged("4h wall"), to="x")
    london = BusinessCalendar.weekly("daily 22:00-06:00", zone="Europe/London")
    desk = Desk(line(step, calendar=london), events=opened(start))
    assert desk.due(start) == dt.datetime.fromisoformat(at)
    (effect,) = desk.tick(dt.datetime.fromisoformat(at))
    assert effect.lateness == dt.timedelta()


@pytest.mark.parametrize(
    ("day", "due"),
    [
        ("2026-03-28", "2026-03-29T02:00:00+00:00"),  # 22:00 GMT, opened at once; 4 h later, 03:00 BST
        ("2026-10-24", "2026-10-25T01:00:00+00:00"),  # 22:00 BST is 21:00 UTC; 4 h later, 01:00 GMT
    ],
)
def test_business_time_counts_a_night_of_daylight_saving_as_it_was(day, due):
    """Four open hours after the night shift began, the hour that is skipped or repeated counted as it is."""
    london = BusinessCalendar.weekly("daily 22:00-06:00", zone="Europe/London")
    start = london.next_open(dt.datetime.fromisoformat(f"{day}T12:00:00+00:00"))
    step = EscalationStep("page", trigger=Trigger.unacknowledged("4h business"), to="x")
    desk = Desk(line(step, calendar=london), events=opened(start))
    assert desk.due(start) == dt.datetime.fromisoformat(due)


# --- acknowledgement ---------------------------------------------------------------------------------


def test_acknowledgement_stops_the_chain_and_not_the_thresholds():
    """The lead is not paged any more; at half the time the work still moves."""
    half = EscalationStep("half", "50 %", group="network")
    desk = Desk(line(PAGE, LEAD, half))
    assert desk.told(T0 + 5 * MINUTE) == ["page:on_call:network"]
    desk.heard("acknowledged", T0 + 6 * MINUTE)
    assert desk.due(T0 + 6 * MINUTE) == T0 + 2 * HOUR
    assert desk.told(T0 + 2 * HOUR) == ["half:network"]
    assert desk.due(T0 + 2 * HOUR) is None


def test_a_step_that_stops_on_resolution_goes_on_after_an_acknowledgement():
    """What is to be told anyway says stops_on="resolved"."""
    note = EscalationStep("note", after="10m wall", to="x", stops_on="resolved")
    desk = Desk(line(PAGE, note))
    desk.told(T0 + 5 * MINUTE)
    desk.heard("acknowledged", T0 + 6 * MINUTE)
    assert desk.told(T0 + 15 * MINUTE) == ["note:x"]


def test_a_resolved_record_is_left_alone():
    """No step without a clock fires once the record is resolved."""
    desk = Desk(line(PAGE, EscalationStep("note", after="1m wall", to="x", stops_on="resolved")))
    desk.told(T0 + 5 * MINUTE)
    desk.fire("resolve", T0 + 6 * MINUTE, **DONE)
    assert desk.due(T0 + 7 * MINUTE) is None
    assert desk.told(T0 + DAY) == []


def test_an_acknowledgement_that_lapses_begins_the_chains_anew():
    """After thirty minutes without resolution: a new generation, and the first wait again."""
    desk = Desk(line(PAGE, LEAD, ack_timeout="30m wall"))
    desk.told(T0 + 5 * MINUTE)
    desk.heard("acknowledged", T0 + 10 * MINUTE)
    assert desk.due(T0 + 10 * MINUTE) == T0 + 40 * MINUTE
    (lapse,) = desk.tick(T0 + 40 * MINUTE)
    assert (type(lapse), lapse.why, lapse.mode, lapse.generation) == (Resume, "ack_timeout", "restart", 1)
    assert desk.due(T0 + 40 * MINUTE) == T0 + 45 * MINUTE
    (page,) = desk.tick(T0 + 45 * MINUTE)
    assert page.key == "I-1:line.1/2/0/page/on_call:network/console"


def test_an_acknowledgement_that_lapses_may_let_the_chain_go_on():
    """Resumed, the next step waits from the lapse on."""
    desk = Desk(line(PAGE, LEAD, ack_timeout="30m wall", on_ack_timeout="resume"))
    desk.told(T0 + 5 * MINUTE)
    desk.heard("acknowledged", T0 + 10 * MINUTE)
    assert desk.told(T0 + 40 * MINUTE) == ["-:ack_timeout"]
    assert desk.due(T0 + 40 * MINUTE) == T0 + 50 * MINUTE
    assert desk.told(T0 + 50 * MINUTE) == ["lead:role:lead"]


def test_thresholds_that_fired_stay_fired_when_chains_begin_anew():
    """Half the time is used up once, however often an acknowledgement lapses."""
    half = EscalationStep("half", "50 %", to="x")
    then = EscalationStep("then", after="10m wall", to="y")
    desk = Desk(line(half, then, ack_timeout="30m wall"))
    assert desk.told(T0 + 2 * HOUR) == ["half:x"]
    desk.heard("acknowledged", T0 + 2 * HOUR + MINUTE)
    assert desk.told(T0 + 2 * HOUR + 31 * MINUTE) == ["-:ack_timeout"]
    assert desk.told(T0 + 2 * HOUR + 41 * MINUTE) == ["then:y"]


def test_words_of_the_desk_may_hold_an_acknowledgement():
    """Who keeps the requester posted is still on it; with updates_hold_ack the time begins anew."""
    held = Desk(line(PAGE, ack_timeout="30m wall", updates_hold_ack=True))
    plain = Desk(line(PAGE, ack_timeout="30m wall"))
    for desk in (held, plain):
        desk.heard("acknowledged", T0 + MINUTE)
        assert desk.due(T0 + MINUTE) == T0 + 31 * MINUTE
        desk.heard("noted", T0 + 20 * MINUTE, text="on it")
    assert held.due(T0 + 20 * MINUTE) == T0 + 50 * MINUTE
    assert plain.due(T0 + 20 * MINUTE) == T0 + 31 * MINUTE


def test_a_timeout_that_never_comes_ends_nothing():
    """Business time of a desk that never opens: the acknowledgement stays, and a wait never ends."""
    shut = never("UTC")
    desk = Desk(line(PAGE, ack_timeout="1h business"), calendar=shut)
    desk.heard("acknowledged", T0 + MINUTE)
    assert desk.due(T0 + MINUTE) is None
    assert desk.told(T0 + DAY) == []
    step = EscalationStep("page", trigger=Trigger.unacknowledged("1h business"), to="x")
    assert Desk(line(step), calendar=shut).due(T0) is None


def test_a_snooze_ends_when_it_said_and_the_chain_goes_on():
    """Until ten: then the next step waits from ten o'clock, and on-call is asked again."""
    desk = Desk(line(PAGE, LEAD, ack_timeout="5m wall"))
    desk.told(T0 + 5 * MINUTE)
    desk.heard("snoozed", T0 + 6 * MINUTE, until=T0 + HOUR)
    assert desk.due(T0 + 6 * MINUTE) == T0 + HOUR
    assert desk.told(T0 + HOUR) == ["-:snooze_over"]
    assert desk.told(T0 + HOUR + 10 * MINUTE) == ["lead:role:lead"]


def test_everybody_who_was_told_may_have_to_acknowledge():
    """ack_mode "all": one of two is not enough; the chain stops with the second."""
    both = EscalationStep("page", trigger=Trigger.unacknowledged("5m wall"), to=("user:ana", "user:uma"))
    desk = Desk(line(both, LEAD, ack_mode="all"))
    desk.told(T0 + 5 * MINUTE)
    desk.events = said(desk.events, "acknowledged", T0 + 6 * MINUTE, Actor.person("ana"), mode="all")
    assert desk.due(T0 + 6 * MINUTE) == T0 + 15 * MINUTE
    desk.events = said(desk.events, "acknowledged", T0 + 7 * MINUTE, Actor.person("uma"), mode="all")
    assert desk.due(T0 + 7 * MINUTE) is None


def test_a_reopening_begins_the_chain_anew():
    """In a generation of its own, its first wait from the reopening on."""
    desk = Desk(line(PAGE, LEAD))
    desk.told(T0 + 5 * MINUTE)
    desk.fire("resolve", T0 + 6 * MINUTE, **DONE)
    desk.fire("reopen", T0 + HOUR, reason="still down")
    assert desk.due(T0 + HOUR) == T0 + HOUR + 5 * MINUTE
    assert desk.told(T0 + HOUR + 5 * MINUTE) == ["page:on_call:network"]


# --- nobody answers ----------------------------------------------------------------------------------


def nobody(*absent):
    """A resolver to which some names, or all, are nobody."""
    return lambda name, *_: () if not absent or name in absent else (name,)


def test_a_step_that_nobody_answers_is_skipped_at_once():
    """The next one does not wait out a delay in which nobody was told; it is due at once."""
    desk = Desk(line(PAGE, LEAD, BOSS), resolver=nobody("on_call:network"))
    effects = desk.tick(T0 + 5 * MINUTE)
    assert [shown(effect) for effect in effects] == ["page:empty", "lead:role:lead"]
    assert [type(effect) for effect in effects] == [Unanswered, Inform]
    assert desk.due(T0 + 5 * MINUTE) == T0 + 25 * MINUTE


def test_a_step_may_wait_although_nobody_answers_or_fall_back():
    """when_empty says which: the wait of the next step counts, or others are told instead."""
    waits = EscalationStep("page", trigger=Trigger.unacknowledged("5m wall"), to="gone", when_empty="wait")
    desk = Desk(line(waits, LEAD), resolver=nobody("gone"))
    assert desk.told(T0 + 5 * MINUTE) == ["page:empty"]
    assert desk.due(T0 + 5 * MINUTE) == T0 + 15 * MINUTE
    falls = EscalationStep(
        "page", trigger=Trigger.unacknowledged("5m wall"), to="gone", when_empty="fallback", fallback="lead"
    )
    assert Desk(line(falls, LEAD), resolver=nobody("gone")).told(T0 + 5 * MINUTE) == ["page:lead"]


def test_a_chain_in_which_nobody_answers_ends_at_the_last_resort():
    """Every name was nobody: the duty is told, by the name of the last step."""
    desk = Desk(line(PAGE, LEAD), resolver=nobody())
    effects = desk.tick(T0 + 5 * MINUTE)
    assert [type(effect) for effect in effects] == [Unanswered, NoResponder]
    assert [shown(effect) for effect in effects] == ["page:empty", "lead:duty"]
    assert desk.due(T0 + DAY) is None


def test_a_chain_that_told_somebody_does_not_need_the_last_resort():
    """The first step met somebody; the last one met nobody, and that is all."""
    desk = Desk(line(PAGE, LEAD), resolver=nobody("role:lead"))
    assert desk.told(T0 + 5 * MINUTE) == ["page:on_call:network"]
    assert desk.told(T0 + 15 * MINUTE) == ["lead:empty"]


def test_an_empty_cycle_tells_the_last_resort_once_before_it_repeats():
    """Not after all the rounds, and not in each of them."""
    again = EscalationStep("again", after="10m wall", repeat=Repeat("page", 2))
    desk = Desk(line(PAGE, again), resolver=nobody())
    assert desk.told(T0 + 5 * MINUTE) == [
        "page:empty",
        "again:page",
        "again:duty",
        "page:empty",
        "again:page",
        "page:empty",
        "again:skipped",
    ]


def test_the_last_resort_is_told_when_the_chain_ends_in_work():
    """The names were nobody and then the work moved: somebody is told all the same."""
    move = EscalationStep("move", after="5m wall", group="network")
    desk = Desk(line(PAGE, move), resolver=nobody())
    assert desk.told(T0 + 5 * MINUTE) == ["page:empty", "move:network", "move:duty"]


# --- branches and repetitions ------------------------------------------------------------------------

FORK = EscalationStep(
    "fork",
    after="5m wall",
    branches=[Branch(Condition(hours="outside"), "night"), Branch(Condition(priorities="P1"), "day")],
)
NIGHT = EscalationStep("night", after="0m wall", to="night-shift", then="end")
DAY_STEP = EscalationStep("day", after="1m wall", to="lead")


@pytest.mark.parametrize(
    ("opened_at", "impact", "steps"),
    [
        (T0, "high", ["fork:day"]),  # Monday 09:10, P1
        (T0 + 9 * HOUR, "high", ["fork:night", "night:night-shift"]),  # 18:10
        (T0, "medium", ["fork:condition", "night:night-shift"]),  # P2 by day: no branch, on to the next
    ],
)
def test_a_fork_is_read_when_the_chain_comes_to_it(opened_at, impact, steps):
    """The first branch whose condition holds; if none does, the chain simply goes on."""
    policy = line(PAGE, FORK, NIGHT, DAY_STEP, calendar=DESK)
    desk = Desk(policy, events=opened(opened_at, impact=impact))
    desk.told(opened_at + 5 * MINUTE)
    assert desk.told(opened_at + 10 * MINUTE) == steps


def test_a_branch_leads_to_its_step_or_to_the_end():
    """Night is over with its own step; day waits its minute."""
    desk = Desk(line(PAGE, FORK, NIGHT, DAY_STEP, calendar=DESK))
    desk.told(T0 + 5 * MINUTE)
    (went,) = desk.tick(T0 + 10 * MINUTE)
    assert (type(went), went.went) == (Steered, "day")
    assert desk.due(T0 + 10 * MINUTE) == T0 + 11 * MINUTE
    end = EscalationStep("stop", after="1m wall", branches=[Branch(Condition(priorities="P1"), "end")])
    desk = Desk(line(PAGE, end, LEAD))
    desk.told(T0 + 5 * MINUTE)
    assert desk.told(T0 + 6 * MINUTE) == ["stop:end"]
    assert desk.due(T0 + 6 * MINUTE) is None


def test_an_end_by_a_branch_after_an_empty_chain_tells_the_last_resort():
    """The way out is an end, too."""
    end = EscalationStep("stop", after="1m wall", branches=[Branch(Condition(priorities="P1"), "end")])
    assert Desk(line(PAGE, end, LEAD), resolver=nobody()).told(T0 + 5 * MINUTE) == [
        "page:empty",
        "stop:end",
        "stop:duty",
    ]


def test_a_chain_repeats_as_often_as_it_says_under_keys_of_its_own():
    """Page, ten minutes, page again, ten minutes, page again; the third time it is over."""
    again = EscalationStep("again", after="10m wall", repeat=Repeat("page", 2))
    desk = Desk(line(PAGE, again))
    (first,) = desk.tick(T0 + 5 * MINUTE)
    repeated, second = desk.tick(T0 + 15 * MINUTE)
    assert (type(repeated), repeated.went) == (Steered, "page")
    assert desk.told(T0 + 25 * MINUTE) == ["again:page", "page:on_call:network"]
    assert desk.told(T0 + 35 * MINUTE) == ["again:skipped"]
    assert desk.due(T0 + DAY) is None
    assert (first.key, second.key) == (
        "I-1:line.1/0/0/page/on_call:network/console",
        "I-1:line.1/0/1/page/on_call:network/console",
    )


def test_a_condition_that_does_not_hold_passes_the_step_over():
    """It is said, and the chain goes on as if it had fired."""
    lead = EscalationStep("lead", after="10m wall", to="lead", when=Condition(fields={"service": "mail"}))
    other = EscalationStep("other", after="10m wall", to="x", priorities="P2")
    desk = Desk(line(PAGE, lead, other, BOSS))
    desk.told(T0 + 5 * MINUTE)
    assert desk.told(T0 + 15 * MINUTE) == ["lead:condition"]
    assert desk.told(T0 + 25 * MINUTE) == ["other:condition"]
    assert desk.told(T0 + 45 * MINUTE) == ["boss:bo"]
    desk = Desk(line(PAGE, lead), events=opened(T0, service="mail"))
    desk.told(T0 + 5 * MINUTE)
    assert desk.told(T0 + 15 * MINUTE) == ["lead:lead"]


def test_steps_change_the_record_and_declare():
    """One effect for each field; the major incident is declared; the resolver is not asked."""
    sets = EscalationStep("raise", after="5m wall", sets={"priority": "P1", "category": "network"})
    major = EscalationStep("major", after="5m wall", declares_major=True)
    desk = Desk(line(PAGE, sets, major))
    desk.told(T0 + 5 * MINUTE)
    effects = desk.tick(T0 + 10 * MINUTE)
    assert [(type(e), e.field, e.value) for e in effects] == [
        (Change, "priority", "P1"), (Change, "category", "network"),
    ]  # fmt: skip
    assert [type(effect) for effect in desk.tick(T0 + 15 * MINUTE)] == [DeclareMajor]


def test_a_user_is_themself_and_a_callback_is_named():
    """Neither is asked for: only what is neither goes to the resolver."""
    asked = []

    def resolver(name, _, __):
        asked.append(name)
        return ("zoe",)

    page = EscalationStep(
        "page", trigger=Trigger.unacknowledged("5m wall"), to=("user:ana", "callback:alarm", "on_call:net")
    )
    effects = Desk(line(page), resolver=resolver).tick(T0 + 5 * MINUTE)
    assert [(e.to, e.name) for e in effects] == [
        ("ana", "user:ana"), ("callback:alarm", "callback:alarm"), ("zoe", "on_call:net"),
    ]  # fmt: skip
    assert asked == ["on_call:net"]


# --- thresholds that are overdue together ------------------------------------------------------------


def test_of_overdue_thresholds_the_highest_tells_each_person():
    """Lead at 50 and 75 %, boss at 100 %: after the outage the lead hears of 75 % alone, the boss of 100 %."""
    steps = [EscalationStep("half", "50 %", to="lead"), EscalationStep("most", "75 %", to="lead"),
             EscalationStep("all", "100 %", to="boss")]  # fmt: skip
    desk = Desk(EscalationPolicy("line", 1, steps=steps))
    half, most, last = desk.tick(T0 + 9 * HOUR)
    assert (shown(half), half.to, shown(most), shown(last)) == (
        "half:coalesced",
        "lead",
        "most:lead",
        "all:boss",
    )
    assert desk.told(T0 + 10 * HOUR) == []
    serial = Desk(EscalationPolicy("line", 1, steps=steps, catch_up="serial"))
    assert serial.told(T0 + 9 * HOUR) == ["half:lead", "most:lead", "all:boss"]


def test_other_channels_are_other_ways_to_be_told():
    """A mail does not stand in for a page."""
    steps = [EscalationStep("half", "50 %", to="lead", channel="email"),
             EscalationStep("most", "75 %", to="lead", channel="sms")]  # fmt: skip
    assert Desk(EscalationPolicy("line", 1, steps=steps)).told(T0 + 9 * HOUR) == ["half:lead", "most:lead"]


# --- pauses -------------------------------------------------------------------------------------------

WAIT = {"hold_reason": "requester", "message": "?", "look_again_at": T0 + DAY}
HALF = EscalationStep("half", "50 %", to="lead")


def held(wait, calendar=None, **fields):
    """A chain that a share began at 11:00; on hold from 11:10 to 12:10."""
    then = EscalationStep("then", after=wait, to="boss", **fields)
    desk = Desk(line(HALF, then), calendar=calendar)
    assert desk.told(T0 + 2 * HOUR) == ["half:lead"]
    desk.fire("hold", T0 + 2 * HOUR + 10 * MINUTE, **WAIT)
    return desk


@pytest.mark.parametrize("wait", ["30m wall", "30m business"])
def test_a_chain_stands_still_with_the_clock_that_began_it(wait):
    """Ten of thirty minutes had passed: after the hour on hold twenty more are to go, 12:30."""
    desk = held(wait)
    assert desk.due(T0 + 3 * HOUR) is None
    assert desk.told(T0 + 3 * HOUR) == []
    desk.fire("resume", T0 + 3 * HOUR + 10 * MINUTE)
    assert desk.due(T0 + 3 * HOUR + 10 * MINUTE) == T0 + 3 * HOUR + 30 * MINUTE
    assert desk.told(T0 + 3 * HOUR + 30 * MINUTE) == ["then:boss"]


def test_a_chain_may_go_on_while_its_clock_is_paused():
    """Told otherwise, it does not care: 11:30."""
    assert held("30m wall", while_paused=True).told(T0 + 2 * HOUR + 30 * MINUTE) == ["then:boss"]


def test_a_pause_that_ended_before_the_wait_began_does_not_count():
    """On hold from 09:10 to 10:10: half the time is used up at 12:00, and half an hour later is 12:30."""
    desk = Desk(line(HALF, EscalationStep("then", after="30m wall", to="boss")))
    desk.fire("hold", T0 + 10 * MINUTE, **WAIT)
    desk.fire("resume", T0 + HOUR + 10 * MINUTE)
    assert desk.told(T0 + 3 * HOUR) == ["half:lead"]
    assert desk.due(T0 + 3 * HOUR) == T0 + 3 * HOUR + 30 * MINUTE


def test_a_step_is_not_left_to_one_that_a_pause_put_off():
    """Half the time was used up at 11:00, on hold from 11:10 to 12:10: at 12:20 the next one is not due yet."""
    desk = Desk(line(HALF, EscalationStep("then", after="30m wall", to="boss"), catch_up="coalesce"))
    desk.fire("hold", T0 + 2 * HOUR + 10 * MINUTE, **WAIT)
    desk.fire("resume", T0 + 3 * HOUR + 10 * MINUTE)
    assert desk.told(T0 + 3 * HOUR + 20 * MINUTE) == ["half:lead"]
    assert desk.due(T0 + 3 * HOUR + 20 * MINUTE) == T0 + 3 * HOUR + 30 * MINUTE


def test_a_wait_that_no_opening_is_left_for_never_ends():
    """Open on one day until 12:30 alone: without the hold it would have ended at noon, now it cannot."""
    shut = {"hours": {}, "weekly_breaks": {}, "breaks": {}, "holidays": []}
    last = BusinessCalendar.from_dict({"tz": "UTC", "shifts": {"2024-01-08": [["09:00", "12:30"]]}, **shut})
    desk = held("1h business", calendar=last)
    desk.fire("resume", T0 + 3 * HOUR + 10 * MINUTE)
    assert desk.due(T0 + 3 * HOUR + 10 * MINUTE) is None


# --- the clock ----------------------------------------------------------------------------------------


def test_a_clock_set_back_ten_minutes_fires_nothing_and_says_so_once():
    """Nothing fires until it has caught up, and then what is due does, once."""
    desk = Desk(line(PAGE, LEAD))
    assert desk.told(T0 + 5 * MINUTE) == ["page:on_call:network"]
    (back,) = desk.tick(T0 - 5 * MINUTE)
    assert (type(back), back.why, back.fired_at, back.lateness) == (
        ClockRegressed, "clock_regressed", T0 + 5 * MINUTE, dt.timedelta(),
    )  # fmt: skip
    assert desk.told(T0 - 4 * MINUTE) == []
    assert desk.told(T0 + 5 * MINUTE) == []
    assert desk.told(T0 + 15 * MINUTE) == ["lead:role:lead"]


def test_two_machines_that_disagree_by_seconds_are_one_clock():
    """Within the tolerance now is the latest instant known: what is due fires as of then, and nothing is said."""
    update = EscalationStep("update", trigger=Trigger.update_overdue(), to="x")
    desk = Desk(line(PAGE, update))
    assert desk.told(T0 + 5 * MINUTE) == ["page:on_call:network"]
    desk.update_due_at = T0 + 4 * MINUTE
    (effect,) = desk.tick(T0 + 4 * MINUTE + dt.timedelta(seconds=30))
    assert (effect.step.id, effect.fired_at, effect.lateness) == ("update", T0 + 5 * MINUTE, MINUTE)


def test_the_key_of_an_effect_can_be_asked_for():
    """By the step or its id, in the loop that comes next."""
    desk = Desk(line(PAGE, LEAD))
    assert desk.run.key(PAGE, "ana", "sms") == "I-1:line.1/0/0/page/ana/sms"
    desk.told(T0 + 5 * MINUTE)
    assert desk.run.key("page", "ana", "sms") == "I-1:line.1/0/1/page/ana/sms"


# --- asked for ----------------------------------------------------------------------------------------


def test_somebody_may_ask_for_the_next_step_at_once():
    """The step that would come next fires now, on time by definition, and the chain goes on from there."""
    desk = Desk(line(PAGE, LEAD, BOSS))
    (page,) = desk.tick(T0 + MINUTE, step=None)
    assert (page.step.id, page.lateness) == ("page", dt.timedelta())
    (lead,) = desk.tick(T0 + 2 * MINUTE, step=None)
    assert lead.step.id == "lead"
    assert desk.due(T0 + 2 * MINUTE) == T0 + 22 * MINUTE


def test_somebody_may_ask_for_a_step_by_its_id_although_it_is_acknowledged_or_paused():
    """Neither holds back what a person wants; a step that is not there wants nothing."""
    desk = Desk(line(PAGE, LEAD, BOSS, HALF, EscalationStep("then", after="30m wall", to="y")))
    desk.heard("acknowledged", T0 + MINUTE)
    assert [shown(e) for e in desk.tick(T0 + 2 * MINUTE, step="boss")] == ["boss:bo"]
    assert [shown(e) for e in desk.tick(T0 + 3 * MINUTE, step="half")] == ["half:lead"]
    desk.fire("hold", T0 + 4 * MINUTE, **WAIT)
    assert [shown(e) for e in desk.tick(T0 + 5 * MINUTE, step=None)] == ["then:y"]
    assert desk.tick(T0 + 6 * MINUTE, step="nothing") == ()
    assert desk.tick(T0 + 6 * MINUTE, step=None) == ()
