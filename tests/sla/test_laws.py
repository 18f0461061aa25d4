"""Laws of clocks over random histories, targets of all modes and calendars, beside an oracle of minutes."""

import datetime as dt
from fractions import Fraction
from functools import cache, reduce

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import clocks as aloud
from calendars import desks
from itsm_core.actors import Actor
from itsm_core.business_time import (
    Budget,
    BusinessCalendar,
    business_days,
    calendar_days,
    end_of_business_day,
    minutes,
)
from itsm_core.events import Event, WaitsOn
from itsm_core.lifecycle.graph import Graph
from itsm_core.processes import PROCESSES
from itsm_core.records import fold
from itsm_core.sla import (
    Agreement,
    Condition,
    Measure,
    SegmentKind,
    Target,
    Timeline,
    Verdict,
    clocks_at,
    conclude,
    evaluate,
    extend,
    follows,
    judge,
    trace,
)
from itsm_core.values import from_dict, to_dict
from minutes import MINUTE, Rules, Scan, micros, utc

pytestmark = pytest.mark.law

DAYS = 5
START = dt.datetime(2026, 3, 26, 15, tzinfo=dt.UTC)  # the clocks of Berlin change on the 29th
ONE = dt.timedelta(minutes=1)
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
RULES = [
    {"tz": "Asia/Shanghai", "hours": {day: [["00:00", "24:00"]] for day in WEEK}},
    {"tz": "Europe/Berlin", "hours": {d: [["09:00", "12:30"], ["13:30", "17:30"]] for d in WEEK[:5]}},
    {"tz": "Europe/Berlin", "hours": {day: [["22:00", "06:00"]] for day in WEEK}},
    {"tz": "America/New_York", "hours": {d: [["06:00", "10:00"]] for d in WEEK[:6]}, "holidays": ["2026-03-27"]},
]  # fmt: skip
CALENDARS = [BusinessCalendar.from_dict(rules) for rules in RULES]

# --- histories ---------------------------------------------------------------------------------

STATES = {
    "queue": {"phase": "new"},
    "work": {"phase": "active"},
    "hold": {"phase": "waiting", "waits_on": "requester"},
    "hold_approval": {"phase": "waiting", "waits_on": "customer_approver"},
    "hold_supplier": {"phase": "waiting", "waits_on": "supplier"},
    "hold_no_reason": {"phase": "waiting"},
    "resolve": {"phase": "resolved"},
    "close": {"phase": "closed", "outcome": "closed"},
    "cancel": {"phase": "closed", "outcome": "cancelled"},
    "merge": {"phase": "closed", "outcome": "merged"},
}
PEOPLE = {
    "ana": Actor.person("ana"), "bot": Actor.automation("bot"),
    "ai": Actor.ai_agent("ai", model="m", version="1"),
}  # fmt: skip
OUT, IN = {"direction": "outbound", "audience": "requester"}, {"direction": "inbound", "audience": "public"}
WORDS = {
    "reply": ("ana", OUT, "message"),
    "ai_reply": ("ai", OUT, "ai_message"),
    "ask": ("ana", IN, "request"),
    "auto_reply": ("ana", {**OUT, "automatic": True}, None),
    "bot_reply": ("bot", OUT, None),
    "internal": ("ana", {"direction": "outbound", "audience": "internal"}, None),
}
GROUPS = {"to_net": "net", "to_db": "db"}
PRIORITIES = ["P1", "P2", "P3"]
NOTHING = {"note": ("noted", {"text": "n"}), "amend": ("amended", {"category": "mail"})}
ACTIONS = [*STATES, *WORDS, *GROUPS, *PRIORITIES, *NOTHING]

actions = st.sampled_from([*ACTIONS, "hold", "work", "work", "resolve", "reply", "ask", "to_net"])
gaps = st.one_of(st.integers(0, 3), st.integers(0, 600), st.sampled_from([0, 0, 60, 480, 1440]))


def rows(some=actions, size=9):
    """Actions after the opening, at minutes that do not go back."""
    steps = st.lists(st.tuples(gaps, some), max_size=size)
    return steps.map(
        lambda found: reduce(lambda kept, s: [*kept, ((kept[-1][0] if kept else 0) + s[0], s[1])], found, [])
    )


def event(seq, minute, action, start=START, lag=0):
    """The event that an action means."""
    by = "ana"
    if action in WORDS:
        kind, (by, fields, _) = "communicated", WORDS[action]
    elif action in NOTHING:
        kind, fields = NOTHING[action]
    elif action in GROUPS:
        kind, fields = "assigned", {"group": GROUPS[action]}
    elif action in PRIORITIES:
        kind, fields = "reprioritised", {"priority": action}
    else:
        kind, fields = "transitioned", STATES.get(action)
    if action == "open":
        kind, fields = "opened", {"phase": "new", "priority": "P3"}
    when = start + minute * ONE
    return Event(
        id=f"e{seq}", record="r", seq=seq, kind=kind, occurred_at=when, recorded_at=when + lag * ONE,
        actor=PEOPLE[by], fields=fields,
    )  # fmt: skip


def events_of(found, start=START, lags=()):
    """The events of a history: its opening, and one for each row."""
    lags = [*lags, *[0] * len(found)]
    return [
        event(1, 0, "open", start),
        *(event(n + 2, m, a, start, lags[n]) for n, (m, a) in enumerate(found)),
    ]


def steps_of(found):
    """The same history in the words of the oracle; whoever opens asks."""
    steps = [(0, "priority", "P3"), (0, "words", "request")]
    for minute, action in found:
        if action in STATES:
            steps.append((minute, "state", STATES[action]))
        elif action in GROUPS:
            steps.append((minute, "group", GROUPS[action]))
        elif action in PRIORITIES:
            steps.append((minute, "priority", action))
        elif WORDS.get(action, (0, 0, None))[2]:
            steps.append((minute, "words", WORDS[action][2]))
    return steps


def after(minute, start=START):
    """The instant so many minutes after the opening."""
    return start + minute * ONE


# --- targets -----------------------------------------------------------------------------------

budgets = st.one_of(st.integers(1, 30), st.integers(1, 1500), st.sampled_from([60, 480])).map(minutes)
METRICS = ["response", "resolution", "resolution", "update", "reply", "stretch"]
rules = st.sampled_from([business_days(1), business_days(2), calendar_days(1), calendar_days(3)])


known = st.sampled_from(CALENDARS)


@st.composite
def targets(draw, metric=None, calendars=known, durations=budgets | rules, name="t"):
    """A target of any metric and all modes, meant for the customer unless it counts a team's stretch."""
    metric = metric or draw(st.sampled_from(METRICS))
    pauses = draw(st.sampled_from([(), ("requester",), ("requester", "customer_approver")]))
    return Target(
        name,
        "resolution" if metric == "stretch" else metric,
        duration=draw(durations),
        calendar=draw(calendars),
        pauses_on=() if metric == "response" else pauses,
        reopen=draw(st.sampled_from(["continue", "include_closed", "new_cycle", "none"])),
        on_retarget=draw(st.sampled_from(["retroactive", "carry", "restart"])),
        on_pause=draw(st.sampled_from(["extend", "extend", "fixed"])),
        answered_by=draw(st.sampled_from([("message",), ("message", "ai_message"), ("ai_message",)])),
        kind="internal" if metric == "stretch" else "customer",
        party="net" if metric == "stretch" else None,
    )


def in_plain_words(target, open_at, start):
    """A target as the oracle knows it."""

    def limit(begun):
        if isinstance(target.duration, Budget):
            return target.duration.us, None
        due = target.calendar.add(after(begun, start), target.duration)
        rule = (due - start) // ONE
        return sum(open_at(minute)[0] for minute in range(begun, rule)), rule

    return aloud.Promised(
        "stretch" if target.party else str(target.metric),
        limit,
        open_at,
        pauses=frozenset(wait.value for wait in target.pauses_on),
        answers=frozenset(said.value for said in target.answered_by),
        reopen=target.reopen,
        retarget=target.on_retarget,
        fixed=target.on_pause == "fixed",
        party=target.party,
    )


@cache
def _table(number):
    """Which minutes after the start are open, by the oracle of business time."""
    desk, first = Rules(RULES[number]), micros(START)
    return [MINUTE if desk.is_open(first + m * MINUTE) else 0 for m in range(15 * 1440)]


def open_in(calendar):
    """How much of a minute is open, and whether it is at its end."""
    table = _table(CALENDARS.index(calendar))
    return lambda minute: (table[minute], bool(table[minute]))


def told(clock):
    """What clocks and oracle are compared by, cycle by cycle."""
    return [
        (
            micros(c.started_at), None if c.stopped_at is None else micros(c.stopped_at), c.stop_reason,
            c.elapsed_us, c.budget_us, c.state, c.verdict,
        )
        for c in clock.cycles
        if c.started_us is not None
    ]  # fmt: skip


def told_aloud(cycles, at, start):
    """The same of the oracle's cycles."""
    found = []
    for cycle in cycles:
        counted = aloud.count(cycle, at)
        doing = counted.doing if cycle.stop is None else "void" if cycle.void else "stopped"
        stop = None if cycle.stop is None else micros(after(cycle.stop, start))
        found.append(
            (
                micros(after(cycle.start, start)), stop, cycle.reason, counted.used, counted.budget, doing,
                aloud.verdict(cycle, counted),
            )
        )  # fmt: skip
    return found


instants = st.one_of(st.integers(0, 900), st.integers(0, DAYS * 1440))


# --- beside the oracle -------------------------------------------------------------------------


def at_the_opening(*some):
    """Actions at the very instant at which the record is opened."""
    return [(0, action) for action in some]


def in_an_hour(metric, reopen="continue"):
    """A target of an hour around the clock."""
    return Target("t", metric, duration=minutes(60), calendar=CALENDARS[0], reopen=reopen)


@given(rows(), targets(), instants)
@example(at_the_opening("cancel", "queue", "reply"), in_an_hour("response"), 10)
@example([(5, "cancel"), (10, "queue"), (10, "reply")], in_an_hour("response"), 30)
@example(at_the_opening("close", "queue", "resolve", "queue"), in_an_hour("resolution"), 10)
@example(at_the_opening("close", "queue", "resolve", "queue"), in_an_hour("update", "include_closed"), 10)
def test_clocks_equal_those_counted_minute_by_minute(found, target, at):
    """Cycles, their stops and reasons, what was used of what, states and verdicts, of one target."""
    clock = evaluate(events_of(found), target, after(at))
    promised = in_plain_words(target, open_in(target.calendar), START)
    cycles = aloud.cycles(steps_of(found), dict.fromkeys(PRIORITIES, promised), at)
    assert told(clock) == told_aloud(cycles, at, START)
    for one, cycle in zip(clock.cycles, cycles, strict=False):
        counted = aloud.count(cycle, at)
        if counted.due is not None and counted.used >= counted.budget:
            assert one.due_at == after(counted.due)


@st.composite
def retargeted(draw):
    """An agreement that promises something else for P1 and P3, and nothing for P2."""
    metric = draw(st.sampled_from(METRICS))
    found = [attrs.evolve(draw(targets(metric, name=name)), priorities=name) for name in ("P1", "P3")]
    return Agreement("a", 1, targets=found)


def for_two(metric, first, third):
    """An agreement of 2 minutes for P1, an hour for P3, and nothing for P2; each says how it takes over."""
    party = {"kind": "internal", "party": "net"} if metric == "stretch" else {"kind": "customer"}
    metric = "resolution" if party["kind"] == "internal" else metric
    found = [
        Target(
            f"t-{name}", metric, duration=minutes(length), calendar=CALENDARS[0], priorities=name,
            on_retarget=mode, **party,
        )
        for name, mode, length in (("P1", first, 2), ("P3", third, 60))
    ]  # fmt: skip
    return Agreement("a", 1, targets=found)


@given(rows(), retargeted(), instants)
@example([(1, "reply"), (1, "P1")], for_two("update", "carry", "carry"), 30)
@example(
    [(5, "cancel"), (6, "P2"), (6, "to_net"), (7, "queue"), (8, "P1")],
    for_two("stretch", "retroactive", "restart"), 30,
)  # fmt: skip
@example([(0, "P2"), (0, "P2"), (5, "P3")], for_two("response", "retroactive", "retroactive"), 30)
def test_clocks_of_changing_targets_equal_those_counted_minute_by_minute(found, agreement, at):
    """The same where the priority changes, to one without a target too, by each mode."""
    events = events_of(found)
    clocks = list(judge(events, agreement, after(at)).values())
    promised = {
        next(iter(t.priorities)): in_plain_words(t, open_in(t.calendar), START) for t in agreement.targets
    }
    cycles = aloud.cycles(steps_of(found), {"P2": None, **promised}, at)
    assert [one for clock in clocks for one in told(clock)] == told_aloud(cycles, at, START)


def minutes_of(desk):
    """How much of each minute of a generated desk is open, and whether it is at its end."""
    scan = Scan(desk.oracle, desk.start, desk.end + 1)
    table, ends = {}, {}
    for start, end in scan.open:
        for minute in range((start - desk.start) // MINUTE, -(-(end - desk.start) // MINUTE)):
            edge = desk.start + minute * MINUTE
            table[minute] = table.get(minute, 0) + min(end, edge + MINUTE) - max(start, edge)
            ends[minute] = end >= edge + MINUTE
    return lambda minute: (table.get(minute, 0), ends.get(minute, False))


@st.composite
def on_desks(draw):
    """A generated calendar near a change of clocks, a target on it, and how much of each minute is open."""
    desk = draw(desks.filter(lambda desk: desk.calendar != BusinessCalendar.never(desk.zone)))
    target = draw(targets(calendars=st.just(desk.calendar), durations=budgets))
    return target, minutes_of(desk), utc(desk.start)


@given(rows(), on_desks(), instants)
def test_clocks_on_any_calendar_equal_those_counted_minute_by_minute(found, drawn, at):
    """The same on generated calendars: breaks, shifts, holidays, several zones, nights with changes of clocks."""
    target, open_at, start = drawn
    clock = evaluate(events_of(found, start), target, after(at, start))
    promised = in_plain_words(target, open_at, start)
    cycles = aloud.cycles(steps_of(found), dict.fromkeys(PRIORITIES, promised), at)
    assert told(clock) == told_aloud(cycles, at, start)


# --- on any lifecycle --------------------------------------------------------------------------

LIFECYCLES = [one for shipped in PROCESSES.values() for one in (shipped, shipped.lite())]

holds = st.sampled_from([None, *WaitsOn, "requester", "supplier"])


@st.composite
def walks(draw):
    """A way through a shipped lifecycle or its lite form: rows of minute, transition and state."""
    lifecycle = draw(st.sampled_from(LIFECYCLES))
    edges, at, here, found = Graph(lifecycle).edges, 0, lifecycle.initial, []
    for gap in draw(st.lists(gaps, min_size=3, max_size=9)):
        ways = [(row, dest) for source, row, dest in edges if source.id == here]
        ways += 4 * [way for way in ways if way[1].phase != "closed"]  # else most walks end at once
        if not ways:
            break
        row, dest = draw(st.sampled_from(ways))
        at, here = at + gap, dest.id
        waits = dest.waits_on or draw(holds) if dest.phase == "waiting" else None
        found.append((at, row.trigger, dest, waits))
    return lifecycle, found


def walked(lifecycle, found):
    """The events of a walk, as a lifecycle writes them, and the steps that they are aloud."""
    first = lifecycle.by_id[lifecycle.initial]
    opening = {"phase": first.phase.value, "priority": "P3"}
    rows = [(0, "opened", first, opening), *((at, "transitioned", *_moved(*row)) for at, *row in found)]
    events = [
        Event(
            id=f"e{seq}", record="r", seq=seq, kind=kind, occurred_at=after(at), recorded_at=after(at),
            actor=PEOPLE["ana"], to_state=state.id, fields=fields,
        )
        for seq, (at, kind, state, fields) in enumerate(rows, start=1)
    ]  # fmt: skip
    steps = [(at, "state", {**fields, "id": state.id}) for at, _, state, fields in rows]
    steps[0] = (0, "state", {"phase": first.phase.value, "id": first.id})
    return events, [(0, "priority", "P3"), (0, "words", "request"), *steps]


def _moved(trigger, state, waits):
    """The state that a transition leads to, and the fields of its event."""
    fields = {"trigger": trigger, "phase": state.phase.value}
    fields |= {"waits_on": waits and str(waits), "outcome": state.outcome}
    return state, {name: value for name, value in fields.items() if value is not None}


@given(walks(), targets(), instants)
def test_clocks_on_any_lifecycle_equal_those_counted_minute_by_minute(walk, target, at):
    """Phases, waits and outcomes are all that a clock reads; how many states there are, and which, is nothing to it."""
    events, steps = walked(*walk)
    clock = evaluate(events, target, after(at))
    promised = in_plain_words(target, open_in(target.calendar), START)
    cycles = aloud.cycles(steps, dict.fromkeys(PRIORITIES, promised), at)
    assert told(clock) == told_aloud(cycles, at, START)
    for cycle in clock.cycles if clock.started_us is not None else ():
        partition(cycle)


# --- laws --------------------------------------------------------------------------------------


def partition(clock):
    """Holds a cycle's segments against wall time: no gap, no overlap, and the running ones are what counts."""
    segments = clock.explain().segments
    end = clock.at_us if clock.stopped_us is None else clock.stopped_us
    edges = [(s.start_us, s.end_us) for s in segments]
    assert [a for a, _ in edges] + [end] == [clock.started_us] + [b for _, b in edges]
    assert all(a < b for a, b in edges)
    assert sum(b - a for (a, b), s in zip(edges, segments, strict=True) if s.kind is SegmentKind.RUNNING) == (
        clock.elapsed_us
    )


microseconds = st.integers(0, 3 * 86_400_000_000).map(lambda us: dt.timedelta(microseconds=us))


@given(rows(), on_desks(), microseconds)
def test_segments_of_every_cycle_partition_wall_time(found, drawn, later):
    """From start to stop or the instant asked for, to the microsecond; on any calendar, in any mode."""
    target, _, start = drawn
    clock = evaluate(events_of(found, start), target, start + later)
    for cycle in clock.cycles if clock.started_us is not None else ():
        partition(cycle)


@given(rows(), retargeted(), microseconds)
def test_segments_partition_wall_time_whatever_targets_took_turns(found, agreement, later):
    """Time counted on one calendar and then on another is told in segments of both."""
    for clock in judge(events_of(found), agreement, START + later).values():
        for cycle in clock.cycles if clock.started_us is not None else ():
            partition(cycle)


@given(rows(), retargeted(), instants, st.randoms())
def test_the_order_of_delivery_is_irrelevant(found, agreement, at, random):
    """Shuffled, some of them twice: the same clocks."""
    events = events_of(found)
    shuffled = events + random.sample(events, k=len(events) // 2)
    random.shuffle(shuffled)
    assert judge(shuffled, agreement, after(at)) == judge(events, agreement, after(at))


@given(rows(), st.lists(st.integers(0, 900), max_size=9), retargeted(), instants)
def test_events_taken_as_they_come_give_the_clocks_of_the_whole(found, lags, agreement, at):
    """One by one from a stored timeline, late ones traced anew: the timeline, and so the clocks, of all at once."""
    events = events_of(found, lags=lags)
    stored, seen = None, []
    for one in sorted(events, key=lambda e: (e.recorded_at, e.seq)):
        seen.append(one)
        timeline = extend(stored, one) if follows(stored, one) else trace(seen)
        stored = from_dict(Timeline, to_dict(timeline))
    assert stored == trace(events)
    assert clocks_at(fold(events), stored, agreement, after(at)) == judge(events, agreement, after(at))


@given(rows(), st.lists(st.integers(0, 900), max_size=9), targets(), instants, instants)
def test_what_was_recorded_later_was_not_known(found, lags, target, at, known):
    """`known_at` gives the clock of the history without what was recorded after it."""
    events = events_of(found, lags=lags)
    known_then = [e for e in events if e.recorded_at <= after(known)]
    assert evaluate(events, target, after(at), after(known)) == evaluate(known_then, target, after(at))


@given(rows(), retargeted(), instants)
def test_a_clock_knows_nothing_of_what_comes_after_it(found, agreement, at):
    """Clocks at an instant are those of the events up to it, the priority then included."""
    events = events_of(found)
    sooner = [e for e in events if e.occurred_at <= after(at)]
    assert judge(events, agreement, after(at)) == judge(sooner, agreement, after(at))


@given(rows(), targets(), instants, st.integers(0, 99), st.sampled_from(sorted(NOTHING)))
def test_a_save_without_change_changes_nothing(found, target, at, place, action):
    """A note or an edited field at any instant leaves every cycle as it was, whatever the state."""
    place = min(place, len(found))
    minute = found[place - 1][0] if place else 0
    saved = [*found[:place], (minute, action), *found[place:]]
    clocks = [evaluate(events_of(one), target, after(at)) for one in (found, saved)]
    assert told(clocks[0]) == told(clocks[1])


@given(rows(), targets(), instants)
def test_all_of_the_budget_is_used_up_at_the_due_instant(found, target, at):
    """`instant_at(1)` is `due_at` wherever the whole is going to be used, or was; more comes later, less sooner."""
    clock = evaluate(events_of(found), target, after(at))
    for cycle in clock.cycles:
        if cycle.started_us is not None and cycle.instant_at(100) is not None:
            assert cycle.instant_at(100) == cycle.instant_at(Fraction(1)) == cycle.instant_at("100 %")
            assert cycle.instant_at(100) == cycle.due_at
            shares = (0, 1, "33.3 %", Fraction(2, 3), 99, 100, 101, 150)
            asked = [then for share in shares if (then := cycle.instant_at(share)) is not None]
            assert asked == sorted(asked)
            assert asked[0] >= cycle.started_at


ENDING = [
    BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/Berlin", valid_to=day)
    for day in ("2026-03-20", "2026-03-26", "2026-03-27", "2026-03-30")
] + [
    BusinessCalendar.weekly("fri 20:00-10:00; sat 07:00-08:00", zone="UTC", valid_to="2026-03-28"),
    BusinessCalendar.weekly("mon 09:00-10:00", zone="UTC", holidays=["2026-03-27..2400-01-01"]),
    BusinessCalendar.weekly("daily 22:00-06:00", zone="Asia/Tokyo", valid_from="2200-01-01"),
]
LONG = [business_days(2), business_days(10**5), calendar_days(10**6), end_of_business_day(3), minutes(10**9)]


@given(
    rows(),
    targets(
        calendars=st.sampled_from([*CALENDARS, *ENDING]), durations=budgets | rules | st.sampled_from(LONG)
    ),
    instants,
    st.integers(0, 150),
)
def test_there_is_a_clock_for_every_calendar_target_and_history(found, target, at, share):
    """None raises, whatever the calendar has left; without a due instant nothing is ever breached."""
    clock = evaluate(events_of(found), target, after(at))
    assert clock.explain().text("en")
    assert clock.explain().text("zh")
    assert repr(clock)
    assert clock.explain().to_dict()
    assert clock.remaining >= dt.timedelta() <= clock.overrun
    assert clock.share >= 0
    due, then = clock.due_at, clock.instant_at(share)
    assert due is None or then is None or then <= due or share > 100
    if clock.unlimited:
        assert due is None
        assert not clock.breached


@given(rows(), targets(), instants)
def test_a_breach_lies_after_its_due_instant(found, target, at):
    """A clock is over its budget only after the due instant, and just before it was not."""
    events = events_of(found)
    clock = evaluate(events, target, after(at))
    if clock.breached and clock.due_at is not None:
        assert clock.due_at < after(at)
        sooner = evaluate(events, target, clock.due_at)
        assert sooner.elapsed <= sooner.budget or sooner.verdict is Verdict.UNKNOWN


@given(rows(), targets(), instants)
def test_evaluate_is_conclude_of_the_trace(found, target, at):
    """The two ways to a clock agree, and both come back the same each time."""
    events = events_of(found)
    assert evaluate(events, target, after(at)) == conclude(trace(events), target, after(at))


@pytest.mark.parametrize("action", ["hold", "reply", "resolve"])
def test_a_late_event_is_refused_by_extend_and_told_by_follows(action):
    """What happened before the newest event changes what was folded: the history is traced anew."""
    events = events_of([(10, "work"), (30, action)])
    timeline = trace([events[0], events[2]])
    assert not follows(timeline, events[1])
    with pytest.raises(ValueError, match="trace"):
        extend(timeline, events[1])


EVENLY = st.sampled_from(["reply", "ask", "to_net", "work", "hold_supplier", "note"])


@given(rows(EVENLY), targets(), *[st.integers(0, 1500)] * 3)
def test_a_pause_never_brings_a_deadline_forward(found, target, begin, length, later):
    """One more wait moves each due instant later or leaves it, and counts no more time."""
    paused = sorted([*found, (begin, "hold"), (begin + length, "work")], key=lambda row: row[0])
    found = [row for row in found if not begin <= row[0] <= begin + length or row[1] not in STATES]
    paused = [row for row in paused if row in found or row in ((begin, "hold"), (begin + length, "work"))]
    at = after(begin + length + later)
    plain, held = (evaluate(events_of(f), target, at) for f in (found, paused))
    for one, other in zip(plain.cycles, held.cycles, strict=True):
        assert other.elapsed_us <= one.elapsed_us
        assert one.started_us is None or other.due_at >= one.due_at


def breaches(clock):
    """The starts of the cycles that were breached."""
    return {cycle.started_us for cycle in clock.cycles if cycle.breached}


@given(rows(), targets(), instants, instants)
def test_a_breach_stays_a_breach(found, target, one, other):
    """Whatever comes later, reopened, voided or paused: what was breached once is told for ever."""
    sooner, later = (evaluate(events_of(found), target, after(at)) for at in sorted((one, other)))
    assert breaches(sooner) <= breaches(later)


@given(rows(), retargeted(), instants, instants)
def test_a_settled_cycle_never_changes(found, agreement, one, other):
    """What was final when the record was closed is so for good, reopened or judged by another target later."""
    sooner, later = (judge(events_of(found), agreement, after(at)) for at in sorted((one, other)))
    for metric, clock in sooner.items():
        finals = [cycle for cycle in clock.cycles if cycle.settled]
        then = later[metric].cycles[: len(finals)]
        assert told_of(finals) == told_of(then)


def told_of(cycles):
    """What a result says, whenever it is asked for."""
    return [(c.target, c.started_us, c.stopped_us, c.stop_reason, c.elapsed_us, c.verdict) for c in cycles]


@given(rows(), targets("reply", name="answer"), targets("resolution", name="fix"), instants, instants)
def test_what_waits_for_another_metric_starts_no_earlier(found, first, then, one, other):
    """`after`: not started until the other has stopped, and started for good from then on."""
    then = attrs.evolve(then, after="reply")
    agreement = Agreement("a", 1, targets=[first, then])
    at, later = (after(minute) for minute in sorted((one, other)))
    answer, fix = judge(events_of(found), agreement, at).values()
    stops = [cycle.stopped_us for cycle in answer.cycles if cycle.stopped_us is not None]
    if fix.started_us is not None:
        assert min(stops) <= fix.cycles[0].started_us
        again = judge(events_of(found), agreement, later)["resolution"]
        assert again.cycles[0].started_us == fix.cycles[0].started_us


# --- measures of one's own ---------------------------------------------------------------------

conditions = st.builds(
    Condition,
    phases=st.sets(st.sampled_from(["new", "active", "waiting", "resolved", "closed"]), max_size=2),
    waits_on=st.sampled_from([(), (), (), "supplier", "requester"]),
    outcomes=st.sampled_from([(), (), (), (), "closed", "merged"]),
    words=st.sampled_from([(), (), ("message",), ("request",), ("request", "ai_message")]),
)
lasting = conditions.map(lambda one: attrs.evolve(one, words=())) | st.just(Condition())
some = st.lists(conditions | lasting, max_size=2)


@st.composite
def measured(draw):
    """A target with conditions of its own, on states and words but on nobody's assignment."""
    start = draw(st.lists(conditions | lasting, min_size=1, max_size=2))
    measure = Measure(
        start=start,
        stop=draw(some), reset=draw(some), void=draw(some), resume=draw(st.lists(lasting, max_size=1)),
        pause=draw(st.lists(lasting, max_size=1)), once=draw(st.booleans()),
        while_started=draw(st.booleans()) and not any(one.words for one in start),
    )  # fmt: skip
    return Target(
        "m", "custom", measure=measure, duration=draw(budgets), calendar=draw(st.sampled_from(CALENDARS)),
        reopen=draw(st.sampled_from(["continue", "include_closed", "new_cycle", "none"])), kind="internal",
    )  # fmt: skip


any_target = measured() | targets().filter(lambda target: target.party is None)


@given(rows(), any_target, instants, st.integers(0, DAYS * 1440), st.booleans())
def test_an_instant_that_no_condition_asks_about_changes_nothing(found, target, at, minute, whole):
    """Somebody else is assigned at some other instant: no cycle starts, stops, resets or goes on for that."""
    events = events_of(found)
    when = after(minute) + (dt.timedelta() if whole else ONE / 2)
    if any(e.occurred_at == when for e in events):
        when += ONE / 4
    more = Event(
        id="x", record="r", seq=99, kind="assigned", occurred_at=when, recorded_at=when, actor=PEOPLE["ana"],
        fields={"group": "db", "assignee": "bo"},
    )  # fmt: skip
    clocks = [evaluate(some, target, after(at)) for some in (events, [*events, more])]
    assert told(clocks[0]) == told(clocks[1])


@given(rows(), measured(), instants, instants, st.randoms())
def test_the_laws_hold_of_any_measure(found, target, one, other, random):
    """Segments partition, order of delivery and later events count for nothing, a breach is told for ever."""
    events = events_of(found)
    sooner, later = (evaluate(events, target, after(at)) for at in sorted((one, other)))
    for cycle in later.cycles if later.started_us is not None else ():
        partition(cycle)
    assert breaches(sooner) <= breaches(later)
    random.shuffle(events)
    assert evaluate(events, target, after(max(one, other))) == later
    known = [e for e in events if e.occurred_at <= after(min(one, other))]
    assert evaluate(known, target, after(min(one, other))) == sooner


# --- late arrivals -----------------------------------------------------------------------------


def arrived(found, lags):
    """The events in the order in which they came to be known, numbered so: late ones have late numbers."""
    events = sorted(events_of(found, lags=lags), key=lambda e: (e.recorded_at, e.seq))
    opening = [e for e in events if e.kind == "opened"]
    rest = [e for e in events if e.kind != "opened"]
    return [attrs.evolve(e, seq=n) for n, e in enumerate([*opening, *rest], start=1)]


delays = st.lists(st.one_of(st.just(0), st.integers(0, 2000)), max_size=9)


@given(rows(), delays, retargeted(), instants)
def test_late_events_folded_as_they_come_give_the_clocks_of_the_whole(found, lags, agreement, at):
    """Extended where they follow, traced anew where they do not, through a stored timeline each time."""
    events, stored = arrived(found, lags), None
    for n, one in enumerate(events, start=1):
        timeline = extend(stored, one) if follows(stored, one) else trace(events[:n])
        stored = from_dict(Timeline, to_dict(timeline))
        assert stored == trace(events[:n])
    assert clocks_at(fold(events), stored, agreement, after(at)) == judge(events, agreement, after(at))


@given(rows(), gaps, rows(size=3), st.sets(st.integers(0, 8), min_size=1), targets())
def test_no_late_event_changes_what_was_settled(before, gap, later, late, target):
    """What comes to be known after a record was closed: its settled cycles say what they said."""
    closed = (before[-1][0] if before else 0) + 1 + gap
    found = [*before, (closed, "close"), *((closed + 1 + minute, action) for minute, action in later)]
    lags = [9 * DAYS * 1440 if n in late and n < len(before) else 0 for n in range(len(found))]
    events, at = arrived(found, lags), after(3 * DAYS * 1440)
    in_time = [e for e in events if e.recorded_at == e.occurred_at]
    sooner, known = evaluate(in_time, target, at), evaluate(events, target, at)
    finals = [cycle for cycle in sooner.cycles if cycle.stopped_us is not None]
    finals = [cycle for cycle in finals if cycle.stopped_us <= micros(after(closed))]
    assert told_of(finals) == told_of(known.cycles[: len(finals)])
