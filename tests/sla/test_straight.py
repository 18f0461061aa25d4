"""The straight way beside the general one: whatever it answers at all, both answer alike."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from itsm_core.business_time import BusinessCalendar, business_days, minutes
from itsm_core.events import Phase, WaitsOn
from itsm_core.sla import Condition, Mark, Measure, Said, Target, Timeline, Word, evaluate
from itsm_core.sla.counting.splitting import cycles_of
from itsm_core.sla.counting.straight import straight

MINUTE, END = 60_000_000, 4000
CALENDARS = [
    BusinessCalendar.always("UTC"),
    BusinessCalendar.weekly("mon-fri 09:00-12:30 13:30-17:30", zone="Europe/Berlin"),
]
PLAIN = {"start": Condition(), "stop": Condition(phases=["resolved", "closed"])}

states = st.tuples(
    st.sampled_from([*Phase, Phase.ACTIVE, Phase.WAITING]),
    st.sampled_from([None, WaitsOn.REQUESTER]),
    st.sampled_from([None, None, "closed", "cancelled"]),
)
instants = st.integers(0, 20) | st.integers(0, 3000)


def mark(us, state):
    """The record is in this state from an instant on."""
    phase, waits_on, outcome = state
    return Mark(us, phase, waits_on=waits_on, state=phase.value, outcome=outcome, event="e")


@st.composite
def timelines(draw):
    """An opening and what follows, several things at one instant among them."""
    marks = [mark(0, draw(states))]
    marks += [mark(at * MINUTE, draw(states)) for at in sorted(draw(st.lists(instants, max_size=5)))]
    spoken = st.lists(st.tuples(instants, st.sampled_from(Said)), max_size=4)
    words = [Word(at * MINUTE, said, event="e") for at, said in sorted(draw(spoken))]
    until = max(one.us for one in (*marks, *words))
    return Timeline(until, 1, started_us=0, marks=tuple(marks), words=tuple(words))


@st.composite
def targets(draw):
    """One of a known metric, or of a measure that starts and stops as the known ones do."""
    by = draw(st.lists(st.sampled_from([said for said in Said if said is not Said.REQUEST]), min_size=1))
    own = Measure(**PLAIN, once=draw(st.booleans()), while_started=draw(st.booleans()))
    metric, measure = draw(st.sampled_from([("response", None), ("resolution", None), ("own", own)]))
    return Target(
        "t", metric, measure=measure, answered_by=by, calendar=draw(st.sampled_from(CALENDARS)),
        duration=draw(st.sampled_from([minutes(1), minutes(90), business_days(1)])),
        pauses_on=() if metric == "response" else draw(st.sampled_from([(), ("requester",)])),
        reopen=draw(st.sampled_from(["continue", "include_closed", "new_cycle", "none"])),
        on_pause=draw(st.sampled_from(["extend", "fixed"])),
    )  # fmt: skip


def walked(walk, stop):
    """All that a walk and its stop tell."""
    return walk.start, walk.used, walk.budget, walk.due, walk.pieces, walk.runs, walk.flags, stop


REOPENED = Timeline(
    2 * MINUTE, 3, started_us=0,
    marks=tuple(
        mark(at * MINUTE, (phase, None, None))
        for at, phase in enumerate([Phase.ACTIVE, Phase.RESOLVED, Phase.ACTIVE])
    ),
)  # fmt: skip
STRETCH = Target(
    "t", "own", duration="4h", calendar=CALENDARS[0], measure=Measure(**PLAIN, once=True, while_started=True)
)


@pytest.mark.law
@given(timelines(), targets())
@example(REOPENED, STRETCH)
def test_the_straight_way_says_what_the_general_one_says(timeline, target):
    """One cycle, counted alike to the microsecond, with the same stop; else it leaves it to the other."""
    found = straight(timeline, target, END * MINUTE)
    if found is not None:
        (cycle,) = cycles_of(timeline, ((0, target),))
        assert walked(*found) == walked(cycle.walked(END * MINUTE), cycle.stop)


@pytest.mark.parametrize("rest", [{"once": True}, {"reopen": "none"}])
def test_a_measure_that_lasts_while_started_begins_anew_each_time(history, around, rest):
    """Each start is a cycle of its own, though its stops are for good: a reopening is no going on."""
    measure = Measure(**PLAIN, while_started=True, once=rest.get("once", False))
    target = Target(
        "t", "own", duration="4h", calendar=around, measure=measure, reopen=rest.get("reopen", "continue")
    )
    h = history().opened("2026-03-02 09:00").resolved("2026-03-02 10:00").resumed("2026-03-02 12:00")
    clock = evaluate(h.events, target, h.at("2026-03-02 17:00"))
    assert [one.verdict.value for one in clock.cycles] == ["met", "breached"]
