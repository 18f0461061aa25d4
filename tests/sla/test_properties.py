"""Laws of clocks, and an oracle that counts minutes one by one."""

import datetime as dt
from fractions import Fraction
from functools import cache, reduce

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.actors import Actor
from itsm_core.business_time import (
    Budget,
    BusinessCalendar,
    business_days,
    calendar_days,
    end_of_business_day,
    minutes,
)
from itsm_core.events import Event
from itsm_core.sla import (
    ClockState,
    SegmentKind,
    Target,
    Timeline,
    Verdict,
    conclude,
    evaluate,
    extend,
    follows,
    trace,
)
from itsm_core.values import from_dict, to_dict

MINUTE, DAYS = dt.timedelta(minutes=1), 5
START = dt.datetime(2026, 3, 26, 15, tzinfo=dt.UTC)  # the clocks of Berlin change on the 29th
CALENDARS = [
    BusinessCalendar.always("Asia/Shanghai"),
    BusinessCalendar.weekly("mon-fri 09:00-12:30 13:30-17:30", zone="Europe/Berlin"),
    BusinessCalendar.weekly("daily 22:00-06:00", zone="Europe/Berlin"),
    BusinessCalendar.weekly("mon-sat 06:00-10:00", zone="America/New_York", holidays=["2026-03-27"]),
]
RULES = [business_days(1), business_days(2), calendar_days(1), calendar_days(3), end_of_business_day(0)]
PEOPLE = {"ana": Actor.person("ana"), "bot": Actor.automation("bot")}

# --- histories: rows of (minute, action), and the events they mean ----------------------------

MOVES = {
    "hold": {"phase": "waiting", "waits_on": "requester"},
    "hold_approval": {"phase": "waiting", "waits_on": "customer_approver"},
    "hold_supplier": {"phase": "waiting", "waits_on": "supplier"},
    "hold_no_reason": {"phase": "waiting"},
    "work": {"phase": "active"},
    "resolve": {"phase": "resolved"},
    "close": {"phase": "closed", "outcome": "closed"},
    "cancel": {"phase": "closed", "outcome": "cancelled"},
}
OUT = {"direction": "outbound", "audience": "requester"}
WORDS = {
    "reply": ("ana", OUT),
    "auto_reply": ("ana", {**OUT, "automatic": True}),
    "bot_reply": ("bot", OUT),
    "internal": ("ana", {"direction": "outbound", "audience": "internal"}),
    "inbound": ("ana", {"direction": "inbound", "audience": "public"}),
}
WORK = ["hold", "hold_supplier", "hold_no_reason", "hold_approval", "work", "note", *WORDS]

actions = st.sampled_from([*MOVES, *WORDS, "hold", "work", "work", "note"])
gaps = st.one_of(st.integers(0, 3), st.integers(0, 600), st.sampled_from([0, 60, 480, 1440]))


def rows(some=actions, size=7):
    """Actions after the opening, at minutes that do not go back."""
    steps = st.lists(st.tuples(gaps, some), max_size=size)
    return steps.map(
        lambda found: reduce(lambda kept, s: [*kept, ((kept[-1][0] if kept else 0) + s[0], s[1])], found, [])
    )


def event(seq, minute, action, lag=0):
    kind, by, fields = "transitioned", "ana", MOVES.get(action, {})
    if action in WORDS:
        kind, (by, fields) = "communicated", WORDS[action]
    elif action in ("open", "note"):
        kind, fields = {"open": ("opened", {"phase": "new"}), "note": ("noted", {"text": "n"})}[action]
    when = START + minute * MINUTE
    return Event(
        id=f"e{seq}",
        record="r",
        seq=seq,
        kind=kind,
        occurred_at=when,
        recorded_at=when + lag * MINUTE,
        actor=PEOPLE[by],
        fields=fields,
    )


def events_of(found, lags=()):
    lags = [*lags, *[0] * len(found)]
    return [event(1, 0, "open"), *(event(i + 2, m, a, lags[i]) for i, (m, a) in enumerate(found))]


@st.composite
def targets(draw):
    metric = draw(st.sampled_from(["response", "resolution", "resolution"]))
    pauses = draw(st.sampled_from([(), ("requester",), ("requester", "customer_approver")]))
    budgets = st.one_of(st.integers(1, 30), st.integers(1, 1500)).map(minutes)
    return Target(
        "t",
        metric,
        duration=draw(st.one_of(budgets, st.sampled_from(RULES))),
        calendar=draw(st.sampled_from(CALENDARS)),
        pauses_on=pauses if metric == "resolution" else (),
    )


ENDING = [
    BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/Berlin", valid_to=day)
    for day in ("2026-03-20", "2026-03-26", "2026-03-27", "2026-03-30")
] + [
    BusinessCalendar.weekly("fri 20:00-10:00; sat 07:00-08:00", zone="UTC", valid_to="2026-03-28"),
    BusinessCalendar.weekly("mon 09:00-10:00", zone="UTC", holidays=["2026-03-27..2400-01-01"]),
    BusinessCalendar.weekly("daily 22:00-06:00", zone="Asia/Tokyo", valid_from="2200-01-01"),
]
LONG = [business_days(2), business_days(10**5), calendar_days(10**6), end_of_business_day(3), minutes(10**9)]

instants = st.one_of(st.integers(0, 900), st.integers(0, DAYS * 1440))


def after(minute):
    return START + minute * MINUTE


# --- the oracle -------------------------------------------------------------------------------


@cache
def is_open(calendar, minute):
    return calendar.is_open(after(minute))


def kind_after(found, minute, target):
    """What the history asks of the clock once everything up to a minute has happened."""
    moves = [MOVES[a] for m, a in found if m <= minute and a in MOVES]
    state = moves[-1] if moves else {"phase": "new"}
    if state["phase"] in ("resolved", "closed"):
        return "done"
    return "paused" if state.get("waits_on") in {w.value for w in target.pauses_on} else "running"


def stop_of_oracle(found, target):
    """(minute, void) of the stop in force after all rows, by reading the rules aloud.

    A cancellation voids what runs, and what stopped in the same minute. Nothing ends a void promise; it is
    back once the record is open. A resolution goes on then too, a response does not.
    """
    stop = None
    for minute, action in _with_words(found):
        done = action in ("resolve", "close", "cancel")
        if stop is None:
            if done or (action == "reply" and target.metric == "response"):
                stop = (minute, action == "cancel")
        elif action == "cancel":
            stop = (minute, True) if stop[0] == minute else stop
        elif action in MOVES and not done and (stop[1] or target.metric == "resolution"):
            stop = None
            if (minute, "reply") in found and target.metric == "response":
                stop = (minute, False)
    return stop


def _with_words(found):
    """The rows; in each minute its words before its moves, as each state of the minute hears them."""
    first = {m for m, a in found if a == "reply"}
    rows = []
    for minute, action in found:
        if (minute in first and action != "cancel") or action == "reply":
            rows.append((minute, "reply"))
            first.discard(minute)
        if action != "reply":
            rows.append((minute, action))
    return rows


def oracle(found, target, at):
    """(elapsed, due, state, verdict), counted minute by minute; due None if not yet used up."""
    found = [(m, a) for m, a in found if m <= at]
    stop = stop_of_oracle(found, target)
    end = at if stop is None else stop[0]
    rule = None
    if not isinstance(target.duration, Budget):
        rule = (target.calendar.add(START, target.duration) - START) // MINUTE
    budget = (
        target.duration.us // 60_000_000
        if rule is None
        else sum(is_open(target.calendar, m) for m in range(rule))
    )
    used, due, before, kind = 0, (rule if budget == 0 else None), None, "running"
    for minute in range(end + 1):
        wanted = kind_after(found, minute, target)
        if wanted == "paused" and before != "paused":
            ignored = used > budget or (used == budget and due is not None and due < minute)
        before, kind = wanted, "running" if wanted == "paused" and ignored else wanted
        if minute < end and kind == "running":
            used += is_open(target.calendar, minute)
            if used == budget and due is None:
                due = minute + 1 if rule is None else max(minute + 1, rule)
    over, void = used > budget, stop is not None and stop[1]
    if void:
        return used, due, "void", "void_after_breach" if over else "void"
    if stop is not None:
        return used, due, "stopped", "breached" if over else "met"
    return used, due, kind, "breached" if over else "running"


@given(rows(), targets(), instants)
def test_a_clock_equals_the_oracle_that_counts_minutes(found, target, at):
    """Elapsed time, state, verdict and due instant are those of counting minute by minute."""
    clock = evaluate(events_of(found), target, after(at))
    used, due, state, verdict = oracle(found, target, at)
    assert (clock.elapsed // MINUTE, clock.state, clock.verdict) == (used, state, verdict)
    if due is not None:
        assert clock.due_at == after(due)


# --- laws -------------------------------------------------------------------------------------


@given(rows(), targets(), instants)
def test_segments_partition_wall_time(found, target, at):
    """Segments follow each other without gap from start to end; the running ones add up to elapsed."""
    clock = evaluate(events_of(found), target, after(at))
    told = clock.explain().segments
    end = clock.stopped_us if clock.stopped_us is not None else clock.at_us
    edges = [(s.start_us, s.end_us) for s in told]
    assert [a for a, _ in edges] + [end] == [clock.started_us] + [b for _, b in edges]
    assert all(a < b for a, b in edges)
    running = sum((s.length for s in told if s.kind is SegmentKind.RUNNING), dt.timedelta())
    assert running == clock.elapsed


@given(
    rows(), targets(), st.sampled_from([*CALENDARS, *ENDING]), st.sampled_from([*RULES, *LONG]), instants,
    st.integers(0, 150),
)  # fmt: skip
def test_there_is_a_clock_for_every_calendar_target_and_history(found, target, calendar, rule, at, share):
    """None raises, whatever the calendar has left; without a due instant nothing is ever breached."""
    target = attrs.evolve(target, calendar=calendar, duration=rule)
    clock = evaluate(events_of(found), target, after(at))
    assert clock.explain().text("en")
    assert clock.explain().text("zh")
    assert repr(clock) and clock.explain().to_dict()  # noqa: PT018
    assert clock.remaining >= dt.timedelta() <= clock.overrun
    assert clock.share >= 0
    due, then = clock.due_at, clock.instant_at(share)
    assert due is None or then is None or (then <= due) or share > 100
    if clock.unlimited:
        assert due is None
        assert not clock.breached


@given(rows(), st.integers(0, 8))
def test_any_split_of_the_fold_gives_the_same_timeline(found, cut):
    """Folding a history at once, or a part and then the rest, is the same; a snapshot may lie between."""
    events = events_of(found)
    head = trace(events[:cut]) if cut else None
    stored = None if head is None else from_dict(Timeline, to_dict(head))
    assert reduce(extend, events[cut:], stored) == trace(events)


@given(rows(), targets(), instants, st.randoms())
def test_the_order_of_delivery_does_not_matter(found, target, at, random):
    """Shuffled, and some events delivered twice, a history gives the same clock."""
    events = events_of(found)
    shuffled = events + random.sample(events, k=len(events) // 2)
    random.shuffle(shuffled)
    assert evaluate(shuffled, target, after(at)) == evaluate(events, target, after(at))


@given(rows(), st.lists(st.integers(0, 900), max_size=7), targets(), instants, instants)
def test_what_was_not_yet_recorded_does_not_count(found, lags, target, at, known):
    """`known_at` gives the clock of a history that lacks what was recorded later."""
    events = events_of(found, lags)
    known_then = [e for e in events if e.recorded_at <= after(known)]
    assert evaluate(events, target, after(at), known_at=after(known)) == evaluate(
        known_then, target, after(at)
    )


@given(rows(), targets(), instants)
def test_what_happens_later_does_not_count(found, target, at):
    """A clock at an instant is the same whether or not the timeline holds later events."""
    events = events_of(found)
    sooner = [e for e in events if e.occurred_at <= after(at)]
    assert evaluate(events, target, after(at)) == evaluate(sooner, target, after(at))


@given(
    rows(st.sampled_from(WORK)), targets(), st.integers(0, 2000), st.integers(0, 600), st.integers(0, 2000)
)
def test_pausing_never_brings_the_due_instant_forward(found, target, begin, length, later):
    """A further pause moves the due instant later or leaves it; a breach never comes sooner."""
    spoken = [(m, a) for m, a in found if a in WORDS]
    paused = sorted([*spoken, (begin, "hold"), (begin + length, "work")])
    at = after(begin + length + later)
    plain, held = (evaluate(events_of(f), target, at) for f in (spoken, paused))
    assert held.due_at >= plain.due_at
    assert held.elapsed <= plain.elapsed


@given(rows(), targets(), instants)
def test_the_whole_share_is_used_up_at_the_due_instant(found, target, at):
    """While a clock runs, instant_at(1) is due_at; shares in order have instants in order."""
    clock = evaluate(events_of(found), target, after(at))
    if clock.state is ClockState.RUNNING:
        assert (
            clock.instant_at(Fraction(1))
            == clock.instant_at(100)
            == clock.instant_at("100 %")
            == clock.due_at
        )
        asked = [clock.instant_at(s) for s in (0, 1, "33.3 %", Fraction(2, 3), 99, 100, 101, 150)]
        assert asked == sorted(asked)
        assert asked[0] >= clock.started_at


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
