"""A clock is the same, to its last field, whichever way it was found: straight or by all its cycles."""

import datetime as dt
from itertools import accumulate
from unittest.mock import patch

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.actors import Actor
from itsm_core.business_time import BusinessCalendar, business_days, minutes
from itsm_core.business_time.instants import micros
from itsm_core.events import Event
from itsm_core.records import fold
from itsm_core.sla import Agreement, Condition, Measure, Target, clocks_at, conclude, trace
from itsm_core.sla.clocks import evaluation
from itsm_core.sla.counting.splitting import cycles_of
from itsm_core.sla.counting.straight import straight

START = dt.datetime(2026, 3, 26, 15, tzinfo=dt.UTC)  # the clocks of Berlin change on the 29th
ONE = dt.timedelta(minutes=1)
LATER = START + dt.timedelta(days=9)
CALENDARS = [
    BusinessCalendar.always("UTC"),
    BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/Berlin"),
    BusinessCalendar.weekly("daily 22:00-06:00", zone="Europe/Berlin"),
]
ANA, AI = Actor.person("ana"), Actor.ai_agent("ai", model="m", version="1")
OUT = {"direction": "outbound", "audience": "requester"}
ACTIONS = {
    "queue": ("transitioned", ANA, {"phase": "new"}),
    "work": ("transitioned", ANA, {"phase": "active"}),
    "hold": ("transitioned", ANA, {"phase": "waiting", "waits_on": "requester"}),
    "hold_supplier": ("transitioned", ANA, {"phase": "waiting", "waits_on": "supplier"}),
    "resolve": ("transitioned", ANA, {"phase": "resolved"}),
    "close": ("transitioned", ANA, {"phase": "closed", "outcome": "closed"}),
    "merge": ("transitioned", ANA, {"phase": "closed", "outcome": "merged"}),
    "reply": ("communicated", ANA, OUT),
    "ai_reply": ("communicated", AI, OUT),
    "ask": ("communicated", ANA, {"direction": "inbound", "audience": "public"}),
    "assign": ("assigned", ANA, {"group": "net"}),
    "acknowledge": ("acknowledged", ANA, {}),
}
ASKED = (ANA, None, {})
LIVE = (ANA, "phone", {})
MONITORED = (Actor.monitoring("probe"), None, {})
SILENT = (ANA, None, {"messages": "none"})
RESOLVED = (ANA, None, {"phase": "resolved"})
MERGED = (ANA, None, {"phase": "closed", "outcome": "merged"})
SUCCESSOR = (ANA, None, {"promised_since": "2026-03-25T15:00:00Z"})
OPENINGS = [*[ASKED] * 6, LIVE, MONITORED, SILENT, RESOLVED, MERGED, SUCCESSOR]

actions = st.sampled_from([*ACTIONS, "work", "hold", "reply", "reply", "ai_reply"])
gaps = st.one_of(st.just(0), st.sampled_from([1, 60, 480]), st.integers(0, 1500))


def event(seq, minute, kind, actor, fields, channel=None):
    """An event at a minute after the start."""
    when = START + minute * ONE
    return Event(
        id=f"e{seq}", record="r", seq=seq, kind=kind, occurred_at=when, recorded_at=when, actor=actor,
        channel=channel, fields=fields,
    )  # fmt: skip


def history(names, waits=None, opening=ASKED):
    """The events of these actions, each so many minutes after the one before."""
    by, channel, fields = opening
    at = accumulate([10] * len(names) if waits is None else waits)
    told = enumerate(zip(at, names, strict=True), start=2)
    rest = [event(seq, minute, *ACTIONS[name]) for seq, (minute, name) in told]
    return [event(1, 0, "opened", by, {"phase": "new", "priority": "P3", **fields}, channel), *rest]


@st.composite
def histories(draw):
    """An opening of any kind, and up to six events that may share an instant."""
    steps = draw(st.lists(st.tuples(actions, gaps), max_size=6))
    return history([name for name, _ in steps], [gap for _, gap in steps], draw(st.sampled_from(OPENINGS)))


DONE = Condition(phases={"resolved", "closed"})
MEASURES = [
    Measure(start=Condition(), stop=DONE, once=True),
    Measure(start=Condition(), stop=Condition(phases="closed")),
    Measure(start=Condition(phases="active"), stop=DONE),
    Measure(start=Condition(), stop=[Condition(words="request"), DONE]),
    Measure(start=Condition(), stop=DONE, pause=Condition(groups="net")),
    Measure(start=Condition(), stop=Condition(groups="net")),
    Measure(start=Condition(), stop=DONE, once=True, while_started=True),
]


@st.composite
def targets(draw, metric=None):
    """A target of a known metric or by conditions of its own, in any mode of pause and reopening."""
    metric = metric or draw(st.sampled_from([*["response", "resolution", "own"] * 2, "update"]))
    return Target(
        "t",
        metric,
        duration=draw(st.integers(1, 1500).map(minutes) | st.just(business_days(1))),
        calendar=draw(st.sampled_from(CALENDARS)),
        pauses_on=draw(st.sampled_from([(), ("requester",)])) if metric != "response" else (),
        on_pause=draw(st.sampled_from(["extend", "fixed"])),
        reopen=draw(st.sampled_from(["continue", "include_closed", "new_cycle", "none"])),
        answered_by=draw(st.sampled_from([("message", "live_contact", "acknowledgement"), ("ai_message",)])),
        measure=draw(st.sampled_from(MEASURES)) if metric == "own" else None,
    )


instants = st.integers(-60, 6000).map(lambda minute: START + minute * ONE)


# --- laws, of random histories and of those below ------------------------------------------------


def by_all_cycles(judge, *given):
    """What a function says where nothing goes straight."""
    with patch.object(evaluation, "straight", lambda *_: None):
        return judge(*given)


def check_both_ways(events, target, at):
    """Holds the two ways against each other: pieces, runs, flags and cycles too."""
    timeline = trace(events)
    assert conclude(timeline, target, at) == by_all_cycles(conclude, timeline, target, at)


def told(cycle):
    """What a clock reads off a cycle; what came after a stop for good is not kept everywhere."""
    return cycle.entries, cycle.stop, cycle.first_stop


def check_plans(events, target):
    """Holds the cycles of one target against those of a plan that names it twice."""
    timeline = trace(events)
    alone, twice = (cycles_of(timeline, plan) for plan in (((0, target),), ((0, target), (1, target))))
    assert [*map(told, alone)] == [*map(told, twice)]


@pytest.mark.law
@given(histories(), targets(), instants)
def test_the_straight_way_gives_the_clock_of_all_cycles(events, target, at):
    """Whatever was said and done, in whatever mode."""
    check_both_ways(events, target, at)


@pytest.mark.law
@given(histories(), targets("response"), targets("resolution"), instants)
def test_an_agreement_is_judged_the_same_either_way(events, first, then, at):
    """Also where one metric waits until another has stopped, whichever way that was found out."""
    then = attrs.evolve(then, id="then", after="response")
    given = fold(events), trace(events), Agreement("a", 1, targets=[first, then]), at
    assert clocks_at(*given) == by_all_cycles(clocks_at, *given)


@pytest.mark.law
@given(histories(), targets())
def test_one_target_alone_has_the_cycles_of_a_plan_that_names_it_twice(events, target):
    """What is skipped where nothing can change, changes nothing."""
    check_plans(events, target)


# --- which way is taken --------------------------------------------------------------------------


def fix(**rest):
    """Eight hours for a resolution."""
    return Target("fix", "resolution", duration="8h", calendar=CALENDARS[0], **rest)


ANSWER = Target("answer", "response", duration="2h", calendar=CALENDARS[0])
STRAIGHT = [
    (history([]), fix()),
    (history(["work", "hold", "work"]), fix(pauses_on={"requester"})),
    (history(["work", "resolve", "close"]), fix()),
    (history(["work", "resolve", "work"]), fix(reopen="none")),
    (history(["reply"]), ANSWER),
    (history(["work", "reply", "resolve", "work"]), ANSWER),
    (history(["work", "reply"], [10, 0]), ANSWER),
    (history(["work", "resolve"]), ANSWER),
    (history(["resolve", "reply"]), ANSWER),
    (history(["work"], opening=LIVE), ANSWER),
    (history(["work", "reply"], opening=SILENT), ANSWER),
]
CROOKED = [
    (history(["resolve", "work"]), fix()),
    (history(["resolve", "hold", "resolve"]), fix(reopen="new_cycle")),
    (history(["work", "merge"]), fix()),
    (history(["resolve", "merge"], [10, 0]), fix(reopen="none")),
    (history([], opening=MERGED), fix()),
    (history(["reply"]), attrs.evolve(ANSWER, metric="update")),
    (history(["ask", "reply"]), attrs.evolve(ANSWER, metric="reply")),
    *((history(["assign"]), attrs.evolve(ANSWER, metric="own", measure=one)) for one in MEASURES[1:]),
]


@pytest.mark.parametrize(("events", "target"), [*STRAIGHT, *CROOKED])
def test_each_of_these_is_judged_the_same_either_way(events, target):
    """The laws above, of what is seldom drawn."""
    check_both_ways(events, target, LATER)
    check_plans(events, target)


@pytest.mark.parametrize(("events", "target"), STRAIGHT)
def test_what_starts_at_the_opening_and_stops_once_goes_straight(events, target):
    """So that the laws compare two ways, and not one with itself."""
    assert straight(trace(events), target, micros(LATER)) is not None


@pytest.mark.parametrize(("events", "target"), CROOKED)
def test_what_takes_more_than_a_look_does_not(events, target):
    """Reopened, voided, starting over, starting later, or stopped by anything but the end of the work."""
    assert straight(trace(events), target, micros(LATER)) is None


def test_a_record_without_an_opening_has_a_clock_that_has_not_started():
    """Its timeline has no marks."""
    timeline = trace(history(["work"])[1:])
    assert straight(timeline, fix(), micros(LATER)) is None
    assert conclude(timeline, fix(), START).started_us is None
