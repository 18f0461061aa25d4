"""Cycles: from start to stop by the six conditions in their order, and what reopening and other targets do."""

import datetime as dt
from itertools import permutations

import pytest

from itsm_core.actors import Actor
from itsm_core.business_time import BusinessCalendar, hours, minutes
from itsm_core.errors import InvalidValue
from itsm_core.sla import (
    Agreement,
    ClockState,
    Condition,
    Measure,
    Said,
    SegmentKind,
    Target,
    Timeline,
    Verdict,
    Word,
    evaluate,
    judge,
    trace,
)
from itsm_core.sla.counting.splitting import cycles_of

AI = Actor.ai_agent("ai", model="m", version="1")
DAY = "2026-03-02"
IN = {"direction": "inbound", "by": Actor.person("rosa")}
DONE = Condition(phases=["resolved", "closed"])


@pytest.fixture
def opened(history):
    """`opened(**rest)`: a record opened by a requester at nine; its events are dated by `t("10:00")`."""
    return lambda **rest: history().opened(t("09:00"), **rest)


def t(clock):
    return f"{DAY} {clock}"


def us(clock):
    """Microseconds UTC of a time of the day."""
    return int(dt.datetime.fromisoformat(f"{t(clock)}+00:00").timestamp()) * 1_000_000


@pytest.fixture
def target(around):
    """`target(metric, **rest)`: four hours around the clock."""

    def make(metric, duration="4h", **rest):
        return Target(rest.pop("id", "t"), metric, duration=duration, calendar=around, **rest)

    return make


def told(h, target, at):
    """Each cycle: from, to (or None), why, minutes counted, verdict."""
    return rows(evaluate(h.events, target, h.at(t(at))))


def rows(clock):
    return [
        (
            f"{c.started_at:%H:%M}", c.stopped_at and f"{c.stopped_at:%H:%M}", c.stop_reason,
            c.elapsed // dt.timedelta(minutes=1), c.verdict.value,
        )
        for c in clock.cycles
        if c.started_us is not None
    ]  # fmt: skip


# --- the order at one instant --------------------------------------------------------------------

ASK, TALK, DRAWN = "request", "message", "ai_message"
SIX = {  # what is said at an instant, by the condition that listens to it
    "void": {"void": Condition(words=DRAWN)},
    "stop": {"stop": Condition(words=TALK)},
    "reset": {"reset": Condition(words=ASK)},
}


def spoken(h, at, word):
    """Adds words of a kind at an instant."""
    if word == ASK:
        return h.said(at, **IN)
    return h.said(at, by=AI) if word == DRAWN else h.said(at)


@pytest.mark.parametrize("said", list(permutations([ASK, TALK, DRAWN])))
def test_void_goes_before_stop_and_stop_before_reset(opened, target, said):
    """Whatever order events of one instant come in: with all three it is void, without the first it stops."""
    rules = {"start": Condition(), **SIX["void"], **SIX["stop"], **SIX["reset"]}
    measured = target("custom", measure=Measure(**rules))
    for some, state, reason in (
        (set(), "void", "answered_by_ai"), ({DRAWN}, "stopped", "answered"), ({DRAWN, TALK}, "running", None),
    ):  # fmt: skip
        h = opened()
        for word in said:
            h = h if word in some else spoken(h, t("10:00"), word)
        clock = evaluate(h.events, measured, h.at(t("11:00")))
        assert (clock.state, clock.stop_reason) == (state, reason)
        assert clock.number == (2 if some == {DRAWN, TALK} else 1)


def test_a_stop_goes_before_a_start(opened, target):
    """Where both hold nothing starts; at the opening, and by words, the clock ends where it starts."""
    both = Measure(start=Condition(states="x"), stop=Condition(states="x"))
    h = opened().moved(t("10:00"), "active", to="x").moved(t("11:00"), "active", to="y")
    assert told(h, target("m", measure=both), "12:00") == []
    first = Measure(start=Condition(), stop=Condition(phases="new"))
    assert told(opened(), target("m", measure=first), "12:00") == [("09:00", "09:00", "new", 0, "met")]
    h = opened().said(t("10:00"), **IN).said(t("10:00"))
    spoken_to = Measure(start=Condition(words="request", phases="active"), stop=Condition(words="message"))
    assert told(h, target("m", measure=spoken_to), "12:00") == []
    h = opened().moved(t("09:30"), "active").said(t("10:00"), **IN).said(t("10:00"))
    assert told(h, target("m", measure=spoken_to), "12:00") == [("10:00", "10:00", "answered", 0, "met")]


def test_a_reset_goes_before_a_start_and_begins_the_next_cycle(opened, target):
    """The cycle ends as met or breached, the next one counts from nothing, with a budget of its own."""
    measure = Measure(start=Condition(), stop=DONE, reset=Condition(states="again"))
    h = opened().moved(t("13:30"), "active", to="again").moved(t("14:00"), "active", to="work")
    h.resolved(t("15:00"))
    assert told(h, target("m", measure=measure), "20:00") == [
        ("09:00", "13:30", "reset", 270, "breached"), ("13:30", "15:00", "resolved", 90, "met"),
    ]  # fmt: skip


def test_a_reset_by_a_state_counts_once_each_time_it_begins(opened, target):
    """What else happens while the state lasts starts nothing over; the state coming back does."""
    measure = Measure(start=Condition(), stop=DONE, reset=Condition(states="again"))
    h = opened().moved(t("10:00"), "active", to="again").add("assigned", t("10:30"), group="net")
    h.add("assigned", t("10:40"), assignee="bo").moved(t("11:00"), "active", to="work")
    h.moved(t("12:00"), "active", to="again")
    starts = [row[0] for row in told(h, target("m", measure=measure), "13:00")]
    assert starts == ["09:00", "10:00", "12:00"]


def test_a_reset_that_holds_at_the_start_is_none(opened, target):
    """A record opened in the state that starts a clock over has one cycle; the state must be left first."""
    measure = Measure(start=Condition(), stop=DONE, reset=Condition(phases="new"))
    h = opened().add("assigned", t("10:00"), group="net")
    assert told(h, target("m", measure=measure), "12:00") == [("09:00", None, None, 180, "running")]


def test_a_pause_holds_unless_a_resume_does(opened, target):
    """Start before pause: a clock that starts in a pause is paused; resume goes before what still pauses."""
    measure = Measure(
        start=Condition(),
        stop=DONE,
        pause=Condition(groups=["shelf", "both"]),
        resume=Condition(groups="both"),
    )
    one = target("m", measure=measure, kind="internal")
    h = opened(group="shelf")
    assert evaluate(h.events, one, h.at(t("10:00"))).state is ClockState.PAUSED
    h.add("assigned", t("10:00"), group="net").add("assigned", t("11:00"), group="both")
    assert told(h, one, "12:00") == [("09:00", None, None, 120, "running")]
    h.add("assigned", t("12:00"), group="shelf").resolved(t("13:00"))
    assert told(h, one, "14:00") == [("09:00", "13:00", "resolved", 120, "met")]


def test_a_stop_goes_before_a_pause(opened, target):
    """Answered and put on hold in one instant is answered (Zammad #3551)."""
    h = opened().hold(t("10:00")).said(t("10:00"))
    assert told(h, target("response"), "12:00") == [("09:00", "10:00", "answered", 60, "met")]


def test_states_of_one_instant_count_one_after_the_other(opened, target):
    """Resolved and reopened at once: the response has stopped, the resolution goes on."""
    h = opened().resolved(t("10:00")).resumed(t("10:00"))
    assert told(h, target("response"), "11:00") == [("09:00", "10:00", "resolved_without_reply", 60, "met")]
    assert told(h, target("resolution"), "11:00") == [("09:00", None, None, 120, "running")]
    h = opened().resolved(t("09:00")).closed(t("09:00"))
    assert told(h, target("resolution"), "11:00") == [("09:00", "09:00", "resolved", 0, "met")]


def test_void_goes_before_a_stop_of_the_same_instant(opened, target):
    """Resolved and merged at once, in either order, is void; merged later it stays met."""
    for other in ("10:00", "10:01"):
        h = opened().resolved(t("10:00")).closed(t(other), "merged")
        expected = ("merged", 60, "void") if other == "10:00" else ("resolved", 60, "met")
        assert told(h, target("resolution"), "11:00") == [("09:00", "10:00", *expected)]


# --- custom measures -----------------------------------------------------------------------------


def test_a_measure_by_states_counts_the_approval(opened, target):
    """From a state to its end, with the reason it ended; coming back goes on with it."""
    approval = Measure(start=Condition(states="approval"), stop=Condition(states="approval", unless=True))
    one = target("approval", measure=approval)
    h = opened().moved(t("10:00"), "active", to="approval").moved(t("11:00"), "active", to="build")
    assert told(h, one, "09:30") == []
    assert told(h, one, "12:00") == [("10:00", "11:00", "build", 60, "met")]
    h.moved(t("13:00"), "active", to="approval")
    assert told(h, one, "14:00") == [("10:00", None, None, 120, "running")]


def test_a_measure_by_outcome_may_void(opened, target):
    """An outcome that ends others as done is no promise of this one; a stop by it names the phase."""
    measure = Measure(start=Condition(), stop=DONE, void=Condition(outcomes="withdrawn"))
    h = opened().closed(t("14:00"), "withdrawn")
    assert told(h, target("m", measure=measure), "20:00") == [
        ("09:00", "14:00", "void", 300, "void_after_breach")
    ]
    assert told(h, target("resolution"), "20:00") == [("09:00", "14:00", "closed", 300, "breached")]


def test_a_measure_by_assignment_counts_until_somebody_has_it(opened, target):
    """From the opening until there is an assignee; given back later, it goes on."""
    queue = Measure(start=Condition(assigned=False), stop=[Condition(assigned=True), DONE])
    h = opened().add("assigned", t("10:00"), group="net").add("assigned", t("11:00"), assignee="bo")
    assert told(h, target("queue", measure=queue), "12:00") == [("09:00", "11:00", "new", 120, "met")]
    h.add("assigned", t("12:00"), assignee=None)
    assert told(h, target("queue", measure=queue), "13:00") == [("09:00", None, None, 180, "running")]


def test_a_start_that_lasts_starts_nothing_again(opened, target):
    """Stopped by words, a clock stays stopped whatever else happens, until its start begins to hold anew."""
    measure = Measure(start=Condition(phases=["new", "active"]), stop=Condition(words="message"))
    one = target("first-words", measure=measure)
    h = opened().said(t("10:00")).add("assigned", t("11:00"), group="net").said(t("12:00"))
    assert told(h, one, "13:00") == [("09:00", "10:00", "answered", 60, "met")]
    h.hold(t("13:00")).resumed(t("14:00"))
    assert told(h, one, "15:00") == [("09:00", None, None, 120, "running")]
    assert told(h.said(t("15:00")), one, "16:00") == [("09:00", "15:00", "answered", 120, "met")]
    h.hold(t("16:00")).said(t("17:00")).resumed(t("17:00"))
    assert told(h, one, "18:00") == [("09:00", "17:00", "answered", 120, "met")]


def test_once_is_for_good(opened, target):
    """No reopening goes on with what was to happen once; a stop without words names what ended it."""
    once = Measure(start=Condition(), stop=Condition(phases="resolved"), once=True)
    h = opened().resolved(t("10:00")).resumed(t("11:00"))
    for reopen in ("continue", "include_closed", "new_cycle", "none"):
        one = target("m", measure=once, reopen=reopen)
        assert told(h, one, "12:00") == [("09:00", "10:00", "resolved", 60, "met")]


def test_a_state_may_be_named_as_its_phase(opened, target):
    """What is done once in a state called active is no answer that was missed."""
    once = Measure(
        start=Condition(), stop=[Condition(words="message"), Condition(states="active")], once=True
    )
    h = opened().moved(t("10:00"), "active", to="active")
    assert told(h, target("m", measure=once), "12:00") == [("09:00", "10:00", "active", 60, "met")]


def test_words_in_another_state_are_not_the_reason(opened, target):
    """A message ends it in one state only; resolved with a message, it was the resolution."""
    measure = Measure(start=Condition(), stop=[Condition(words="message", states="x"), DONE])
    h = opened().resolved(t("10:00")).said(t("10:00"))
    assert told(h, target("m", measure=measure), "11:00") == [("09:00", "10:00", "resolved", 60, "met")]
    h = opened().moved(t("10:00"), "active", to="x").said(t("10:00"))
    assert told(h, target("m", measure=measure), "11:00") == [("09:00", "10:00", "answered", 60, "met")]


def test_words_are_the_reason_only_where_they_ended_it(opened, target):
    """Resolved with a message: the update ends because it was resolved, the response by the answer."""
    h = opened().resolved(t("10:00")).said(t("10:00"))
    assert told(h, target("update"), "11:00") == [("09:00", "10:00", "resolved", 60, "met")]
    assert told(h, target("response"), "11:00") == [("09:00", "10:00", "answered", 60, "met")]


# --- stretches -----------------------------------------------------------------------------------


def test_each_hand_over_to_a_team_is_a_cycle_of_its_own(opened, target):
    """An internal target counts its party's stretches, each with the whole budget (GLPI #1911)."""
    one = target("resolution", "2h", kind="internal", party="net")
    h = (
        opened(group="desk")
        .add("assigned", t("10:00"), group="net")
        .add("assigned", t("11:00"), assignee="bo")
    )
    h.add("assigned", t("13:00"), group="db").add("assigned", t("14:00"), group="net").resolved(t("15:00"))
    assert told(h, one, "16:00") == [
        ("10:00", "13:00", "left", 180, "breached"), ("14:00", "15:00", "resolved", 60, "met"),
    ]  # fmt: skip
    assert told(h.resumed(t("16:00")), one, "17:00")[2:] == [("16:00", None, None, 60, "running")]


def test_a_suppliers_clock_runs_while_we_wait_for_it(opened, target):
    """Each wait for a supplier is a cycle; a wait for somebody else is none. With a party, its stretches are."""
    one = target("resolution", "1h", kind="supplier")
    h = opened().hold(t("10:00"), "supplier").hold(t("12:00"), "requester").hold(t("13:00"), "supplier")
    assert told(h.resumed(t("13:30")), one, "14:00") == [
        ("10:00", "12:00", "left", 120, "breached"), ("13:00", "13:30", "left", 30, "met"),
    ]  # fmt: skip
    named = target("resolution", "1h", kind="supplier", party="acme")
    assert told(h.add("assigned", t("14:00"), group="acme"), named, "14:30") == [
        ("14:00", None, None, 30, "running")
    ]


def test_a_stretch_is_voided_with_its_record(opened, target):
    """Cancelled while the team has it; reopened, the team has it anew."""
    one = target("resolution", kind="internal", party="net")
    h = opened(group="net").closed(t("10:00"), "cancelled")
    assert told(h, one, "11:00") == [("09:00", "10:00", "cancelled", 60, "void")]
    assert told(h.resumed(t("12:00")), one, "13:00")[1:] == [("12:00", None, None, 60, "running")]


# --- words ---------------------------------------------------------------------------------------


def test_speak_every_so_often_begins_anew_with_each_word_of_ours(opened, target):
    """The desk spoke after 2 h, 5 h and 1 h, then resolved: what the requester says counts for nothing."""
    h = (
        opened()
        .said(t("11:00"))
        .said(t("12:00"), **IN)
        .said(t("16:00"))
        .said(t("17:00"))
        .resolved(t("17:30"))
    )
    assert told(h, target("update"), "20:00") == [
        ("09:00", "11:00", "answered", 120, "met"), ("11:00", "16:00", "answered", 300, "breached"),
        ("16:00", "17:00", "answered", 60, "met"), ("17:00", "17:30", "resolved", 30, "met"),
    ]  # fmt: skip


def test_speak_every_so_often_pauses_and_goes_on_after_reopening(opened, target):
    """While the customer is silent nothing is owed (Zammad #3140); reopened it goes on."""
    one = target("update", pauses_on="requester")
    h = (
        opened()
        .said(t("10:00"))
        .hold(t("10:00"))
        .resumed(t("15:00"))
        .resolved(t("16:00"))
        .resumed(t("18:00"))
    )
    assert told(h, one, "19:00") == [
        ("09:00", "10:00", "answered", 60, "met"), ("10:00", None, None, 120, "running")
    ]  # fmt: skip


def test_words_of_one_instant_are_one_update(opened, target):
    """Two messages at once, and one with an assignment and the end of the record, make no empty cycles."""
    h = opened().said(t("10:00")).said(t("10:00")).add("assigned", t("11:00"), group="net").said(t("11:00"))
    h.add("assigned", t("12:00"), group="db").said(t("12:00")).resolved(t("12:00"))
    cycles = told(h, target("update"), "13:00")
    assert [row[:2] for row in cycles if row[0] != row[1]] == [
        ("09:00", "10:00"), ("10:00", "11:00"), ("11:00", "12:00")
    ]  # fmt: skip
    assert len(cycles) == 3


def test_an_answer_is_owed_from_the_oldest_words_that_have_none(opened, target):
    """Two questions and one answer are one cycle, from the first; between answers and questions nothing runs."""
    h = opened().said(t("10:00")).said(t("11:00")).said(t("12:00"), **IN).said(t("13:00"), **IN)
    h.said(t("17:00")).said(t("18:00"), **IN)
    assert told(h, target("reply"), "19:00") == [
        ("09:00", "10:00", "answered", 60, "met"), ("12:00", "17:00", "answered", 300, "breached"),
        ("18:00", None, None, 60, "running"),
    ]  # fmt: skip


def test_no_answer_is_owed_once_the_record_is_resolved(opened, target):
    """Resolving ends a question; thanks after it ask for nothing; a question that reopens does."""
    h = opened().resolved(t("10:00")).said(t("11:00"), **IN).said(t("12:00"), **IN).resumed(t("12:00"))
    assert told(h, target("reply"), "13:00") == [
        ("09:00", "10:00", "resolved", 60, "met"), ("12:00", None, None, 60, "running")
    ]  # fmt: skip


def test_words_of_one_instant_are_heard_once(opened, target):
    """A question, its answer and an assignment at once: one cycle of no length, not another after it."""
    h = opened().said(t("10:00")).moved(t("11:00"), "active").add("assigned", t("11:00"), group="net")
    h.said(t("11:00"), **IN).said(t("11:00"))
    assert told(h, target("reply"), "12:00")[1:] == [("11:00", "11:00", "answered", 0, "met")]
    h = opened().moved(t("11:00"), "active").add("assigned", t("11:00"), group="net")
    h.said(t("11:00"), **IN).said(t("11:00"))
    assert told(h, target("reply"), "12:00") == [("09:00", "11:00", "answered", 120, "met")]


@pytest.mark.parametrize(
    ("by", "at", "reason"),
    [
        ("message", "12:00", "answered"), ("ai_message", "10:00", "answered_by_ai"),
        (["message", "ai_message"], "10:00", "answered_by_ai"), ("live_contact", None, None),
    ],
)  # fmt: skip
def test_what_answers_is_what_the_target_says(opened, target, by, at, reason):
    """An AI agent's message answers only where it is named, and then a person's alone may not."""
    h = opened().said(t("09:30"), automatic=True).said(t("10:00"), by=AI).said(t("12:00"))
    for metric in ("response", "reply"):
        (cycle,) = told(h, target(metric, answered_by=by), "14:00")
        assert cycle[1:3] == (at, reason)


def test_a_live_contact_answers_at_the_contact(opened, target):
    """On the phone a person is speaking: answered where it starts, even if nothing is written."""
    h = opened(channel="phone")
    assert told(h, target("response"), "10:00") == [("09:00", "09:00", "live_contact", 0, "met")]
    assert told(h, target("reply"), "10:00") == []
    assert told(h, target("update"), "10:00") == [("09:00", None, None, 60, "running")]


@pytest.mark.parametrize("metric", ["response", "update", "reply"])
@pytest.mark.parametrize("opening", [{}, {"channel": "phone"}])
def test_without_messages_nobody_knows_when_anybody_spoke(opened, target, metric, opening):
    """Late, resolved or voided late: unknown. What a live contact proves is known, and no more."""
    h = opened(messages="none", **opening)
    expected = "met" if metric == "response" and opening else "unknown"
    for _ in range(2):
        assert [row[-1] for row in told(h, target(metric), "20:00")] in ([], [expected])
        h.resolved(t("15:00"))


# --- reopening -----------------------------------------------------------------------------------

REOPENED = {
    "continue": [("09:00", "14:00", "resolved", 180, "met")],
    "include_closed": [("09:00", "14:00", "resolved", 300, "breached")],
    "new_cycle": [("09:00", "10:00", "resolved", 60, "met"), ("12:00", "14:00", "resolved", 120, "met")],
    "none": [("09:00", "10:00", "resolved", 60, "met")],
}


@pytest.mark.parametrize("mode", REOPENED)
def test_reopening_by_each_mode(opened, target, mode):
    """Worked 1 h, resolved for 2 h, reopened and worked 2 h of four: four answers, each as it was agreed."""
    h = opened().resolved(t("10:00")).resumed(t("12:00")).resolved(t("14:00"))
    one = target("resolution", reopen=mode)
    assert told(h, one, "11:00") == [("09:00", "10:00", "resolved", 60, "met")]
    assert told(h, one, "15:00") == REOPENED[mode]


def test_time_that_counts_though_it_was_resolved_is_told_as_running(opened, target):
    """And a pause before the stop stays one."""
    h = opened().hold(t("09:30")).resolved(t("10:00")).resumed(t("12:00"))
    clock = evaluate(
        h.events, target("resolution", reopen="include_closed", pauses_on="requester"), h.at(t("13:00"))
    )
    kinds = [(s.kind, s.reason, s.length // dt.timedelta(minutes=1)) for s in clock.explain().segments]
    assert kinds == [
        (SegmentKind.RUNNING, "new", 30), (SegmentKind.PAUSED, "waiting for requester", 30),
        (SegmentKind.RUNNING, "resolved", 120), (SegmentKind.RUNNING, "in progress", 60),
    ]  # fmt: skip


GOES_ON = {  # closed at 10:00, reopened at 12:00, asked at 13:00, of four hours
    "continue": ("09:00", None, None, 120, "running"),
    "include_closed": ("09:00", None, None, 240, "running"),
    "new_cycle": ("12:00", None, None, 60, "running"),
}


@pytest.mark.parametrize("mode", GOES_ON)
def test_what_was_settled_stays_and_another_cycle_goes_on(opened, target, mode):
    """Also where the closed record was resolved before, or in between."""
    for between in (
        opened().closed(t("10:00")),
        opened().resolved(t("10:00")).closed(t("11:00")),
        opened().closed(t("10:00")).resolved(t("11:00")),
    ):
        h = between.resumed(t("12:00"))
        settled = ("09:00", "10:00", between.events[1].fields["phase"], 60, "met")
        assert told(h, target("resolution", reopen=mode), "13:00") == [settled, GOES_ON[mode]]


@pytest.mark.parametrize("mode", REOPENED)
def test_a_voided_record_that_is_reopened_is_promised_again(opened, target, mode):
    """Cancelled by mistake: it goes on in every mode, also where a stop is for good; the void stays told."""
    h = opened().closed(t("10:00"), "cancelled").resumed(t("12:00"))
    void, again = ("09:00", "10:00", "cancelled", 60, "void"), GOES_ON.get(mode, GOES_ON["continue"])
    for metric in ("resolution", "response"):
        assert told(h, target(metric, reopen=mode), "13:00") == [void, again]


def test_cycles_are_numbered_and_name_those_before(opened, target):
    """Oldest first, each with its own spans; only the newest knows the others."""
    h = opened().resolved(t("10:00")).resumed(t("12:00")).resolved(t("13:00")).resumed(t("14:00"))
    clock = evaluate(h.events, target("resolution", reopen="new_cycle"), h.at(t("15:00")))
    assert [c.number for c in clock.cycles] == [1, 2, 3]
    assert clock.cycles[:2] == clock.earlier
    assert clock.cycles[2] is clock
    assert [c.earlier for c in clock.earlier] == [(), ()]


# --- other targets -------------------------------------------------------------------------------


@pytest.fixture
def agreed(around):
    """`agreed(mode, **rest)`: P3 in 4 h pausing on the requester, P1 in 2 h in working hours; none for P2."""

    def make(mode, metric="resolution", **rest):
        office = BusinessCalendar.weekly("daily 08:00-12:00", zone="UTC")
        slow = Target(
            "slow", metric, duration=hours(4), calendar=around, priorities="P3", on_retarget=mode,
            pauses_on="requester" if metric == "resolution" else (), **rest,
        )  # fmt: skip
        fast = Target(
            "fast", metric, duration=hours(2), calendar=office, priorities="P1", on_retarget=mode, **rest
        )
        return Agreement("a", 1, targets=[slow, fast])

    return make


def judged(h, agreement, at):
    (clock,) = judge(h.events, agreement, h.at(t(at))).values()
    return [(c.target.id, *row) for c, row in zip(clock.cycles, rows(clock), strict=True)]


RAISED = {  # 09:00 P3, held 10:00 to 11:00, P1 at 11:30, asked at 15:00; hours of P1 end at 12:00
    "retroactive": [("fast", "09:00", None, None, 180, "breached")],  # nothing pauses P1: 9 to 12
    "carry": [("fast", "09:00", None, None, 120, "running")],  # 9 to 10, 11 to 11:30, 11:30 to 12
    "restart": [
        ("slow", "09:00", "11:30", "retargeted", 90, "void"), ("fast", "11:30", None, None, 30, "running")
    ],
}  # fmt: skip


@pytest.mark.parametrize("mode", RAISED)
def test_a_raised_priority_by_each_mode(opened, agreed, mode):
    """Measured again by the hours and pauses of the new target, carried on, or begun anew."""
    h = opened().hold(t("10:00")).resumed(t("11:00")).add("reprioritised", t("11:30"), priority="P1")
    assert judged(h, agreed(mode), "15:00") == RAISED[mode]


@pytest.mark.parametrize("mode", ["retroactive", "carry", "restart"])
def test_a_priority_without_a_target_voids_until_there_is_one_again(opened, agreed, mode):
    """P2 promises nothing: void, with a reason. Back to P3 the same clock goes on.

    Measured from the start, the time between counts too: nobody gains time by way of a priority without target.
    """
    h = opened().add("reprioritised", t("10:00"), priority="P2")
    assert judged(h, agreed(mode), "11:00") == [("slow", "09:00", "10:00", "no_target", 60, "void")]
    h.add("reprioritised", t("12:00"), priority="P3")
    used = 240 if mode == "retroactive" else 120
    assert judged(h, agreed(mode), "13:00") == [("slow", "09:00", None, None, used, "running")]


@pytest.mark.parametrize("mode", ["retroactive", "carry", "restart"])
def test_a_clock_settled_without_a_target_is_final(opened, agreed, mode):
    """Closed while nothing was promised: void for good, whatever is promised once it is reopened."""
    for kept, again in (("11:30", "12:00"), ("12:00", "11:30")):
        h = opened().add("reprioritised", t("10:00"), priority="P2").closed(t("11:00"))
        for at in sorted((kept, again)):
            h = h.resumed(t(at)) if at == kept else h.add("reprioritised", t(at), priority="P3")
        assert judged(h, agreed(mode), "13:00") == [
            ("slow", "09:00", "10:00", "no_target", 60, "void"), ("slow", "09:00", None, None, 120, "running")
        ]  # fmt: skip


def test_a_breach_before_a_priority_without_target_is_kept(opened, agreed):
    """Void after breach: a promise that lapsed cannot be taken back."""
    h = opened().add("reprioritised", t("14:00"), priority="P2")
    assert judged(h, agreed("carry"), "20:00") == [
        ("slow", "09:00", "14:00", "no_target", 300, "void_after_breach")
    ]


@pytest.mark.parametrize(
    ("mode", "cycle"),
    [
        ("retroactive", ("fast", "09:00", None, None, 180, "breached")),
        ("carry", ("fast", "09:00", None, None, 180, "breached")),
        ("restart", ("fast", "11:00", None, None, 60, "running")),
    ],
)
def test_a_first_target_that_comes_late_counts_from_the_opening_unless_it_starts_over(
    opened, agreed, mode, cycle
):
    """Opened at nine without a promise, P1 at 11:00, whose hours end at 12:00."""
    h = opened(priority="P2").add("reprioritised", t("11:00"), priority="P1")
    assert judged(h, agreed(mode), "15:00") == [cycle]


def test_a_target_that_starts_over_does_not_judge_what_stopped_before(opened, agreed):
    """Resolved and raised in one save: judged by the target it was worked on. Reopened later: begun anew."""
    h = opened().resolved(t("10:00")).add("reprioritised", t("10:00"), priority="P1")
    assert judged(h, agreed("restart"), "11:00") == [("slow", "09:00", "10:00", "resolved", 60, "met")]
    h.resumed(t("11:00"))
    assert judged(h, agreed("restart"), "11:30")[1:] == [("fast", "11:00", None, None, 30, "running")]


@pytest.mark.parametrize("mode", ["retroactive", "carry"])
def test_resolved_and_raised_in_one_instant_is_judged_by_the_new_target(opened, agreed, mode):
    """The priority is that of the stop; raised later, what has stopped stays as it was."""
    h = opened().resolved(t("10:00")).add("reprioritised", t("10:00"), priority="P1")
    assert judged(h, agreed(mode), "11:00")[0][0] == "fast"
    h = opened().resolved(t("10:00")).add("reprioritised", t("10:01"), priority="P1")
    assert judged(h, agreed(mode), "11:00") == [("slow", "09:00", "10:00", "resolved", 60, "met")]


def test_carried_time_counts_by_the_calendar_and_pauses_it_was_counted_by(opened, agreed):
    """Each stretch is told on its own calendar, and the due instant comes from the new one."""
    h = (
        opened()
        .add("reprioritised", t("10:00"), priority="P1")
        .add("reprioritised", t("14:00"), priority="P3")
    )
    (clock,) = judge(h.events, agreed("carry"), h.at(t("15:00"))).values()
    assert rows(clock) == [("09:00", None, None, 60 + 120 + 60, "running")]
    assert [(s.kind.value, s.length // dt.timedelta(hours=1)) for s in clock.explain().segments] == [
        ("running", 1), ("running", 2), ("closed", 2), ("running", 1)
    ]  # fmt: skip
    assert clock.due_at == h.at(t("15:00"))


def test_a_pause_that_began_in_time_stays_one_when_another_calendar_counts_on(opened, around):
    """Held at the very due instant, then carried to other hours while on hold: paused, not late."""
    given = {"duration": hours(2), "pauses_on": "requester", "on_retarget": "carry"}
    days = BusinessCalendar.weekly("daily 08:00-20:00", zone="UTC")
    targets = [
        Target("a", "resolution", calendar=around, priorities="P3", **given),
        Target("b", "resolution", calendar=days, priorities="P1", **given),
    ]
    h = opened().hold(t("11:00")).add("reprioritised", t("12:00"), priority="P1").resolved(t("15:00"))
    (clock,) = judge(h.events, Agreement("a", 1, targets=targets), h.at(t("16:00"))).values()
    assert rows(clock) == [("09:00", "15:00", "resolved", 120, "met")]


def test_a_target_that_carries_on_counts_as_the_one_before_it_was_counted(opened, around):
    """P3 retroactively by P2, then carried to P1: the time of P3 counts as P2 counts it."""
    night = BusinessCalendar.weekly("daily 09:30-24:00", zone="UTC")
    noon = BusinessCalendar.weekly("daily 12:00-24:00", zone="UTC")
    modes = [("P3", around, "retroactive"), ("P2", night, "retroactive"), ("P1", noon, "carry")]
    targets = [
        Target(name, "resolution", duration=hours(9), calendar=calendar, priorities=name, on_retarget=mode)
        for name, calendar, mode in modes
    ]
    h = (
        opened()
        .add("reprioritised", t("10:00"), priority="P2")
        .add("reprioritised", t("11:00"), priority="P1")
    )
    (clock,) = judge(h.events, Agreement("a", 1, targets=targets), h.at(t("13:00"))).values()
    assert clock.elapsed == dt.timedelta(minutes=90 + 60)


# --- pauses, predicates, order of metrics --------------------------------------------------------


def test_a_fixed_due_instant_is_moved_by_no_wait(opened, target):
    """Held for two hours of four: due at 13:00 as promised, and the wait counts."""
    one = target("resolution", pauses_on="requester", on_pause="fixed")
    h = opened().hold(t("10:00"))
    held = evaluate(h.events, one, h.at(t("12:00")))
    assert (held.state, held.elapsed, held.due_at) == ("running", dt.timedelta(hours=3), h.at(t("13:00")))
    assert told(h.resumed(t("12:30")).resolved(t("13:01")), one, "14:00")[0][3:] == (241, "breached")


def test_a_fixed_due_instant_ignores_the_pauses_of_a_measure(opened, target):
    """Also those of a metric of one's own."""
    measure = Measure(start=Condition(), stop=DONE, pause=Condition(groups="shelf"))
    h = opened(group="shelf")
    assert told(h, target("m", measure=measure, on_pause="fixed"), "10:00")[0][3] == 60
    assert told(h, target("m", measure=measure), "10:00")[0][3] == 0


def test_the_first_target_whose_values_fit_holds(opened, around):
    """By category and priority; a record of another category has none."""
    given = {"calendar": around, "duration": hours(1)}
    agreement = Agreement(
        "a", 1,
        targets=[
            Target("net", "resolution", when={"category": ["network", "wifi"]}, **given),
            Target("mail", "resolution", when={"category": "mail"}, priorities="P1", **given),
        ],
    )  # fmt: skip
    for category, priority, found in (
        ("wifi", "P3", ["net"]), ("mail", "P1", ["mail"]), ("mail", "P3", []), ("wifi network", "P3", []),
    ):  # fmt: skip
        h = opened(category=category, priority=priority)
        assert [c.target.id for c in judge(h.events, agreement, h.at(t("10:00"))).values()] == found
    assert judge(opened().events, agreement, h.at(t("10:00"))) == {}


@pytest.fixture
def chained(target):
    """`chained(first, then)`: a target of one metric, and one that waits for it."""
    return lambda first, then, **rest: Agreement(
        "a", 1, targets=[target(then, id="b", after=first), target(first, id="a", **rest)]
    )


def test_what_waits_starts_where_the_other_stops(opened, chained):
    """Resolution after response: from the answer on, in the order response, resolution."""
    agreement = chained("response", "resolution")
    h = opened()
    found = judge(h.events, agreement, h.at(t("10:00")))
    assert list(found) == ["response", "resolution"]
    assert found["resolution"].state is ClockState.NOT_STARTED
    h.said(t("10:30")).resolved(t("12:00"))
    assert rows(judge(h.events, agreement, h.at(t("13:00")))["resolution"]) == [
        ("10:30", "12:00", "resolved", 90, "met")
    ]


@pytest.mark.parametrize("reopen", ["continue", "include_closed", "new_cycle"])
def test_what_has_started_after_another_stays_started(opened, target, reopen):
    """A second question, or a reopening, takes no clock back that waited for the first answer."""
    agreement = Agreement(
        "a", 1,
        targets=[
            target("resolution", id="fix", reopen=reopen),
            target("review", id="b", after="resolution", measure=Measure(start=Condition())),
        ],
    )  # fmt: skip
    h = opened().resolved(t("10:00"))
    begun = [("10:00", None, None, 300, "breached")]
    assert rows(judge(h.events, agreement, h.at(t("15:00")))["review"]) == begun
    h.resumed(t("12:00"))
    assert rows(judge(h.events, agreement, h.at(t("15:00")))["review"]) == begun
    h.resolved(t("14:00"))
    assert rows(judge(h.events, agreement, h.at(t("15:00")))["review"]) == begun


def test_what_waits_for_a_metric_that_is_not_promised_waits_for_nothing(opened, chained, target):
    """Neither in the agreement nor for this priority."""
    h = opened()
    for agreement in (
        Agreement("a", 1, targets=[target("resolution", after="response")]),
        chained("response", "resolution", priorities="P1"),
    ):
        assert rows(judge(h.events, agreement, h.at(t("10:00")))["resolution"]) == [
            ("09:00", None, None, 60, "running")
        ]


def test_a_chain_of_three_starts_one_after_the_other(opened, target):
    """Whatever order the targets are listed in."""
    targets = [
        target(
            "c", id="c", after="b", measure=Measure(start=Condition(), stop=Condition(states="z"), once=True)
        ),
        target(
            "b", id="b", after="a", measure=Measure(start=Condition(), stop=Condition(states="y"), once=True)
        ),
        target("a", id="a", measure=Measure(start=Condition(), stop=Condition(states="x"), once=True)),
    ]
    h = opened().moved(t("10:00"), "active", to="x").moved(t("12:00"), "active", to="y")
    h.moved(t("15:00"), "active", to="z")
    for order in permutations(targets):
        found = judge(h.events, Agreement("a", 1, targets=order), h.at(t("16:00")))
        assert {name: rows(clock) for name, clock in found.items()} == {
            "a": [("09:00", "10:00", "x", 60, "met")],
            "b": [("10:00", "12:00", "y", 120, "met")],
            "c": [("12:00", "15:00", "z", 180, "met")],
        }


def test_what_waits_for_an_answer_that_never_came_ends_with_the_record(opened, chained):
    """Resolved without a reply: the resolution took no time after it, and is judged; cancelled, it is void."""
    for ending, verdict in (("resolved", "met"), ("closed", "void")):
        h = opened()
        h = h.resolved(t("12:00")) if ending == "resolved" else h.closed(t("12:00"), "cancelled")
        fix = judge(h.events, chained("response", "resolution"), h.at(t("20:00")))["resolution"]
        assert [(row[0], row[1], *row[3:]) for row in rows(fix)] == [("12:00", "12:00", 0, verdict)]


def test_an_agreement_whose_metrics_wait_for_one_another_is_refused(target):
    """None of them would ever start."""
    targets = [
        target("response", id="a", after="resolution"), target("resolution", id="b", after="response")
    ]  # fmt: skip
    with pytest.raises(InvalidValue, match="wait for one another"):
        Agreement("a", 1, targets=targets)


def test_a_record_opened_as_resolved_ends_every_clock_at_its_start(opened, target):
    """Solved on the phone: all metrics met at once, the answer by the contact itself."""
    h = opened(phase="resolved", channel="phone")
    for metric, reason in (("response", "live_contact"), ("resolution", "resolved"), ("update", "resolved")):
        assert told(h, target(metric), "12:00") == [("09:00", "09:00", reason, 0, "met")]
    assert told(opened(phase="closed", outcome="duplicate"), target("resolution"), "12:00") == [
        ("09:00", "09:00", "duplicate", 0, "void")
    ]


def test_a_successor_counts_from_the_promise_of_the_record_before_it(history, target):
    """Re-typed: the promise began at 08:00, though this record was opened at nine."""
    h = history().opened(t("09:00"), promised_since=t("08:00") + "+00:00").said(t("09:30"))
    assert told(h, target("resolution"), "10:00") == [("08:00", None, None, 120, "running")]
    assert told(h, target("response", minutes(90)), "10:00") == [("08:00", "09:30", "answered", 90, "met")]


def test_a_reset_in_the_same_instant_as_an_end_leaves_no_empty_cycle(opened, target):
    """Assigned, spoken to and merged in one instant: void, and nothing was met."""
    h = opened().add("assigned", t("10:00"), group="net").said(t("10:00")).closed(t("10:00"), "merged")
    cycles = told(h, target("update"), "11:00")
    assert Verdict.MET not in [row[-1] for row in cycles if row[0] == row[1]]
    assert cycles[-1][1:] == ("10:00", "merged", 60, "void")


# --- cycles by themselves ------------------------------------------------------------------------


def test_a_cycle_may_be_counted_up_to_any_instant(opened, target):
    """What it was told later does not count then."""
    h = opened().hold(t("10:00")).resumed(t("12:00")).resolved(t("13:00"))
    plan = ((0, target("resolution", pauses_on="requester")),)
    (cycle,) = cycles_of(trace(h.events), plan)
    assert cycle.walked(us("13:00")).used == 2 * 3600 * 1_000_000
    (cycle,) = cycles_of(trace(h.events[:-1]), plan)
    assert [cycle.walked(us(at)).used // 60_000_000 for at in ("09:30", "11:00", "12:30")] == [30, 60, 90]


def test_a_timeline_without_an_opening_has_no_cycles(history, target):
    """Words alone tell of no record."""
    assert cycles_of(trace(history().said(t("10:00")).events), ((0, target("reply")),)) == []
    bare = Timeline(us("12:00"), 1, words=(Word(us("10:00"), Said.REQUEST, event="e1"),))
    assert cycles_of(bare, ((0, target("reply")),)) == []


def test_an_agreement_judges_no_record_that_it_does_not_cover(opened, target):
    """Of another customer, or opened before it began."""
    targets, h = [target("resolution")], opened(customer="acme")
    for given, count in (({}, 1), ({"customers": "acme"}, 1), ({"customers": "other"}, 0)):
        assert len(judge(h.events, Agreement("a", 1, targets=targets, **given), h.at(t("10:00")))) == count


def test_the_first_words_of_a_record_resolved_and_reopened_at_once_are_owed_an_answer(history, target):
    """Opened as resolved and reopened in the same instant: nobody has answered what was asked."""
    h = history().opened(t("09:00"), phase="resolved").resumed(t("09:00"))
    assert told(h, target("reply"), "10:00")[-1] == ("09:00", None, None, 60, "running")


def test_a_first_stop_for_good_is_not_undone_by_another_target(opened, around):
    """Reopened under a target that knows no reopening, then P1, whose target does: it has stopped."""
    targets = [
        Target("a", "resolution", duration=hours(4), calendar=around, priorities="P3", reopen="none"),
        Target("b", "resolution", duration=hours(4), calendar=around, priorities="P1"),
    ]
    h = opened().resolved(t("10:00")).resumed(t("11:00")).add("reprioritised", t("12:00"), priority="P1")
    assert judged(h, Agreement("a", 1, targets=targets), "13:00") == [
        ("a", "09:00", "10:00", "resolved", 60, "met")
    ]


def test_an_assignment_that_changes_nobody_is_no_turn(opened, target):
    """Given to the group that has it: the stretch goes on as it was."""
    h = opened(group="net").add("assigned", t("10:00"), group="net").resolved(t("11:00"))
    assert [mark.event for mark in trace(h.events).marks] == ["e1", "e3"]
    one = target("resolution", kind="internal", party="net")
    assert told(h, one, "12:00") == [("09:00", "11:00", "resolved", 120, "met")]
