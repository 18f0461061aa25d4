"""Exceptions applied: an adjusted verdict beside the raw one, which nothing changes."""

import datetime as dt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.actors import Actor
from itsm_core.business_time import BusinessCalendar, business_days
from itsm_core.events import Event
from itsm_core.sla import (
    AgreedException,
    Agreement,
    SegmentKind,
    Target,
    Verdict,
    evaluate_all,
    judge,
    restatements,
)

AROUND = BusinessCalendar.always("UTC")
OFFICE = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")
NOON_HOURS = BusinessCalendar.weekly("mon-sun 12:00-14:00", zone="UTC")
LATE_NOON = BusinessCalendar.weekly("mon-sun 13:00-15:00", zone="UTC")
MONA = Actor.person("mona", "manager")
H = dt.timedelta(hours=1)


def agreement(*exceptions, duration="4h", metric="resolution", calendar=AROUND, **rest):
    """Four hours around the clock that pause on the requester, but for some exceptions."""
    pauses = () if metric == "response" else {"requester"}
    target = Target("t", metric, duration=duration, calendar=calendar, pauses_on=pauses, **rest)
    return Agreement("a", 1, targets=[target], exceptions=exceptions)


def claim(h, at, exception="storm", **fields):
    """A claim by a manager."""
    return h.add("exception_claimed", at, by=MONA, exception=exception, reason="x", **fields)


def resolved(history, at="2026-03-02 15:00"):
    """Opened on a Monday at nine and resolved."""
    return history().opened("2026-03-02 09:00").resolved(at)


def told(adjusted):
    """What is left, in hours."""
    return adjusted and (adjusted.verdict.value, adjusted.elapsed / H, adjusted.excused / H, adjusted.by)


MIDNIGHT = "2026-03-03 00:00"

# fmt: off
HOURS = [
    # exceptions,                                                resolved,  raw,         adjusted
    ([],                                                         "15:00",   "breached",  None),
    ([AgreedException("noon", times=NOON_HOURS)],                "15:00",   "breached",  ("met", 4, 2, ("noon",))),
    ([AgreedException("noon", times=NOON_HOURS)],                "15:00:01", "breached",
     ("breached", 4 + 1 / 3600, 2, ("noon",))),
    ([AgreedException("noon", times=NOON_HOURS)],                "12:30",   "met",       ("met", 3, .5, ("noon",))),
    ([AgreedException("noon", times=NOON_HOURS)],                "11:00",   "met",       None),
    ([AgreedException("noon", times=NOON_HOURS),
      AgreedException("late", times=LATE_NOON)],                 "15:00",   "breached",  ("met", 3, 3, ("noon", "late"))),
    ([AgreedException("all")],                                   "15:00",   "breached",  ("void", 0, 6, ("all",))),
    ([AgreedException("all")],                                   "10:00",   "met",       ("void", 0, 1, ("all",))),
    ([AgreedException("noon", times=NOON_HOURS),
      AgreedException("all")],                                   "15:00",   "breached",  ("void", 0, 6, ("noon", "all"))),
    ([AgreedException("web", when={"service": "web"})],          "15:00",   "breached",  None),
    ([AgreedException("storm", claimed=True)],                   "15:00",   "breached",  None),
    ([AgreedException("storm", times=NOON_HOURS, claimed=True)], "15:00",   "breached",  None),
]
# fmt: on


@pytest.mark.parametrize(("exceptions", "end", "raw", "adjusted"), HOURS)
def test_hours_and_whole_cycles_are_excused(history, exceptions, end, raw, adjusted):
    """Time that two exceptions excuse is excused once: noon to two and one to three are three hours."""
    h = resolved(history, f"2026-03-02 {end}")
    clock = judge(h.events, agreement(*exceptions), h.at(MIDNIGHT))["resolution"]
    assert (clock.verdict.value, told(clock.adjusted)) == (raw, adjusted)


# fmt: off
CLAIMS = [
    # what is claimed,                                             adjusted
    ({},                                                           ("void", 0, 6)),
    ({"metric": "resolution"},                                     ("void", 0, 6)),
    ({"metric": "response"},                                       None),
    ({"exception": "strom"},                                       None),
    ({"since": "2026-03-02T10:00Z", "until": "2026-03-02T12:00Z"}, ("met", 4, 2)),
    ({"since": "2026-03-02T10:00Z", "until": "2026-03-02T11:59Z"}, ("breached", 4 + 1 / 60, 2 - 1 / 60)),
    ({"since": "2026-03-02T13:00Z"},                               ("met", 4, 2)),
    ({"until": "2026-03-02T11:00Z"},                               ("met", 4, 2)),
    ({"until": "2026-03-02T09:00Z"},                               None),
    ({"since": "2026-03-02T15:00Z"},                               None),
    ({"since": "2026-03-01T00:00Z", "until": "2026-04-01T00:00Z"}, ("met", 0, 6)),
]
# fmt: on


@pytest.mark.parametrize(("fields", "adjusted"), CLAIMS)
def test_what_is_claimed_is_excused_for_the_stretch_that_is_named(history, fields, adjusted):
    """Without a stretch the whole cycle; with one, to the second, whatever metric it is claimed for."""
    h = claim(resolved(history), "2026-03-02 16:00", **fields)
    clock = judge(h.events, agreement(AgreedException("storm", claimed=True)), h.at(MIDNIGHT))["resolution"]
    assert (told(clock.adjusted) or (None,))[:3] == (adjusted or (None,))
    assert clock.adjusted is None or clock.adjusted.events == ("e3",)


def test_a_claim_of_hours_excuses_the_hours_in_its_stretch(history):
    """Noon to two, claimed from one o'clock: one hour; claimed twice it is one hour still."""
    agreed = agreement(AgreedException("storm", times=NOON_HOURS, claimed=True))
    h = claim(resolved(history), "2026-03-02 16:00", since="2026-03-02T13:00Z")
    clock = judge(h.events, agreed, h.at(MIDNIGHT))["resolution"]
    assert told(clock.adjusted) == ("breached", 5, 1, ("storm",))
    claim(h, "2026-03-02 17:00", since="2026-03-02T13:30Z")
    clock = judge(h.events, agreed, h.at(MIDNIGHT))["resolution"]
    assert told(clock.adjusted) == ("breached", 5, 1, ("storm",))
    assert clock.adjusted.events == ("e3", "e4")
    claim(h, "2026-03-02 18:00")
    assert told(judge(h.events, agreed, h.at(MIDNIGHT))["resolution"].adjusted)[:3] == ("met", 4, 2)


def test_a_claim_of_what_needs_none_adds_nothing(history):
    """The exception applies by itself, and its hours are all that it excuses."""
    h = claim(resolved(history), "2026-03-02 16:00", "noon")
    clock = judge(h.events, agreement(AgreedException("noon", times=NOON_HOURS)), h.at(MIDNIGHT))[
        "resolution"
    ]
    assert (told(clock.adjusted)[:3], clock.adjusted.events) == (("met", 4, 2), ())


def test_time_is_excused_on_the_calendar_that_counted_it(history):
    """A night of maintenance from 16:00 to 10:00 excuses two open hours of an office, not eighteen."""
    nights = BusinessCalendar.weekly("mon-fri 16:00-10:00", zone="UTC")
    h = history().opened("2026-03-02 15:00").resolved("2026-03-03 12:00")
    agreed = agreement(AgreedException("night", times=nights), calendar=OFFICE)
    clock = judge(h.events, agreed, h.at("2026-03-04 00:00"))["resolution"]
    assert (clock.elapsed / H, told(clock.adjusted)) == (5, ("met", 3, 2, ("night",)))


def test_hours_of_another_zone_are_excused_across_a_change_of_the_clocks(history):
    """Berlin, 29 March 2026: 01:00 to 04:00 on the wall lasted two hours, 00:00 to 02:00 UTC."""
    nights = BusinessCalendar.weekly("sun 01:00-04:00", zone="Europe/Berlin")
    h = history().opened("2026-03-28 22:00").resolved("2026-03-29 04:00")
    clock = judge(h.events, agreement(AgreedException("n", times=nights)), h.at("2026-03-30 00:00"))[
        "resolution"
    ]
    assert (clock.elapsed / H, told(clock.adjusted)) == (6, ("met", 4, 2, ("n",)))


def test_what_was_paused_is_not_excused_again(history):
    """On hold from noon to one, the clock had stopped anyway: of noon to two only one hour ran."""
    h = history().opened("2026-03-02 09:00").hold("2026-03-02 12:00").resumed("2026-03-02 13:00")
    h.resolved("2026-03-02 15:00")
    clock = judge(h.events, agreement(AgreedException("noon", times=NOON_HOURS)), h.at(MIDNIGHT))[
        "resolution"
    ]
    assert (clock.elapsed / H, told(clock.adjusted)) == (5, ("met", 4, 1, ("noon",)))


# fmt: off
ENDS = [
    # how it ended,                      whole,  raw,                  adjusted
    (lambda h: h,                         False, "breached",          "running"),
    (lambda h: h,                         True,  "breached",          "void"),
    (lambda h: h.closed("2026-03-02 15:00", "cancelled"), False, "void_after_breach", "void"),
    (lambda h: h.closed("2026-03-02 15:00", "cancelled"), True,  "void_after_breach", "void"),
    (lambda h: h.closed("2026-03-02 12:30", "cancelled"), False, "void",              "void"),
    (lambda h: h.closed("2026-03-02 18:30", "cancelled"), False, "void_after_breach", "void_after_breach"),
]
# fmt: on


@pytest.mark.parametrize(("end", "whole", "raw", "adjusted"), ENDS)
def test_only_a_breach_is_taken_away(history, end, whole, raw, adjusted):
    """Asked at three, two of six hours excused: what is open goes on, what fell away stays void."""
    h = end(history().opened("2026-03-02 09:00"))
    exception = AgreedException("noon", times=None if whole else NOON_HOURS)
    at = "2026-03-02 15:00" if len(h.events) == 1 else MIDNIGHT
    clock = judge(h.events, agreement(exception), h.at(at))["resolution"]
    assert (clock.verdict.value, clock.adjusted.verdict.value) == (raw, adjusted)


@pytest.mark.parametrize("times", [None, NOON_HOURS])
def test_unknown_stays_unknown(history, times):
    """A history without messages cannot tell whether anybody answered; no exception makes that known."""
    h = resolved(history)
    h.events[0] = attrs.evolve(h.events[0], fields={**h.events[0].fields, "messages": "none"})
    clock = judge(h.events, agreement(AgreedException("x", times=times), metric="response"), h.at(MIDNIGHT))
    assert clock["response"].verdict is clock["response"].adjusted.verdict is Verdict.UNKNOWN


def test_what_has_not_started_is_not_adjusted(history):
    """A reply that nobody has asked for yet: there is nothing to excuse."""
    h = history().add("opened", "2026-03-02 09:00", by=Actor.monitoring("m"), phase="new", priority="P3")
    clock = judge(h.events, agreement(AgreedException("x"), metric="reply"), h.at(MIDNIGHT))["reply"]
    assert (clock.state.value, clock.adjusted) == ("not_started", None)


def test_each_cycle_is_adjusted_by_itself(history):
    """The first from nine to three, two hours excused; the second from sixteen to eighteen, none."""
    h = resolved(history).resumed("2026-03-02 16:00").resolved("2026-03-02 18:00")
    agreed = agreement(AgreedException("noon", times=NOON_HOURS), reopen="new_cycle")
    clock = judge(h.events, agreed, h.at(MIDNIGHT))["resolution"]
    assert [told(one.adjusted) for one in clock.cycles] == [("met", 4, 2, ("noon",)), None]
    assert all(one.earlier == () for one in clock.earlier)


def test_a_claim_counts_from_when_it_was_made(history):
    """A clock of before does not know it, nor does a report of what was known by then."""
    h = claim(resolved(history), "2026-03-02 16:00")
    agreed = agreement(AgreedException("storm", claimed=True))
    before, after = h.at("2026-03-02 15:59"), h.at("2026-03-02 16:00")
    assert judge(h.events, agreed, before)["resolution"].adjusted is None
    assert judge(h.events, agreed, after)["resolution"].adjusted is not None
    (one,) = evaluate_all([h.events], agreed, h.at(MIDNIGHT), known_at=before)
    assert one.clocks["resolution"].adjusted is None
    (one,) = evaluate_all([h.events], agreed, h.at(MIDNIGHT))
    assert repr(one) == "<INC1 by a@1: resolution breached (provisional), adjusted void>"


def test_a_claim_after_closing_counts_and_one_dated_before_it_is_late(history):
    """The late one comes back as a restatement, which changes no raw figure."""
    agreed = agreement(AgreedException("storm", claimed=True))
    h = resolved(history).closed("2026-03-02 16:00")
    later = claim(history(), "2026-03-02 17:00").events[0]
    events = [*h.events, attrs.evolve(later, seq=4, id="e4")]
    clock = judge(events, agreed, h.at(MIDNIGHT))["resolution"]
    assert (clock.settled, told(clock.adjusted)[0]) == (True, "void")
    assert restatements(events, agreed, h.at(MIDNIGHT)) == ()
    back = attrs.evolve(events[-1], occurred_at=h.at("2026-03-02 15:30"))
    events = [*h.events, back]
    assert judge(events, agreed, h.at(MIDNIGHT))["resolution"].adjusted is None
    (restated,) = restatements(events, agreed, h.at(MIDNIGHT))
    assert (restated.turns, restated.because, told(restated.would_be.adjusted)[0]) == (False, ("e4",), "void")


# --- laws --------------------------------------------------------------------------------------

ZERO = dt.datetime(2026, 3, 27, 8, tzinfo=dt.UTC)  # a Friday; the clocks of Berlin change on Sunday
BERLIN = BusinessCalendar.weekly("mon-fri 09:00-12:30 13:30-17:30; sat 10:00-14:00", zone="Europe/Berlin")
NIGHTS = BusinessCalendar.weekly("mon-sun 22:00-06:00", zone="America/New_York")
SUNDAYS = BusinessCalendar.weekly("sun 00:00-24:00", zone="Europe/Berlin")
DAYS = BusinessCalendar.weekly("mon-sat 11:00-16:00", zone="Asia/Shanghai")
MOVES = {
    "hold": ("transitioned", {"phase": "waiting", "waits_on": "requester"}),
    "work": ("transitioned", {"phase": "active"}),
    "resolve": ("transitioned", {"phase": "resolved"}),
    "close": ("transitioned", {"phase": "closed", "outcome": "closed"}),
    "cancel": ("transitioned", {"phase": "closed", "outcome": "cancelled"}),
    "answer": ("communicated", {"direction": "outbound", "audience": "requester"}),
    "raise": ("reprioritised", {"priority": "P1"}),
}
minutes = st.integers(0, 4 * 1440)
calendars = st.sampled_from([AROUND, BERLIN, NIGHTS])
hours = st.sampled_from([None, NIGHTS, SUNDAYS, DAYS])
marks = st.one_of(st.none(), minutes)


def instant(minute):
    return ZERO + dt.timedelta(minutes=minute)


@st.composite
def histories(draw):
    """The events of a record: moves, words, priorities, claims and justifications, in order."""
    rows = draw(st.lists(st.tuples(minutes, st.sampled_from([*MOVES, "claim", "claim", "care"])), max_size=8))
    events = [
        ("opened", {"phase": "new", "priority": "P3", **draw(st.sampled_from([{}, {"messages": "none"}]))})
    ]
    for _, what in sorted(rows, key=lambda row: row[0]):
        kind, fields = MOVES.get(what, ("overrun_justified", {"metric": "resolution", "reason": "x"}))
        if what == "claim":
            since, until = draw(marks), draw(marks)
            named = {"since": since, "until": until}
            kind, fields = "exception_claimed", {"exception": draw(st.sampled_from("abc")), "reason": "x"}
            fields |= {n: instant(m).isoformat() for n, m in named.items() if m is not None}
        events.append((kind, fields))
    at = [0, *sorted(minute for minute, _ in rows)]
    return [
        Event(
            id=f"e{n}", record="r", seq=n, kind=kind, occurred_at=instant(m), recorded_at=instant(m),
            actor=Actor.person("ana", "agent"), fields=fields,
        )
        for n, (m, (kind, fields)) in enumerate(zip(at, events, strict=True), 1)
    ]  # fmt: skip


@st.composite
def exceptions(draw):
    """Up to three exceptions of hours, of claims, of both or of all."""
    count = draw(st.integers(1, 3))
    return [
        AgreedException(name, times=draw(hours), claimed=draw(st.sampled_from([True, True, False])))
        for name in "abc"[:count]
    ]


durations = st.one_of(st.integers(1, 40).map(lambda n: f"{n}h"), st.integers(1, 2).map(business_days))


@st.composite
def agreements(draw):
    """An agreement without exceptions, of one metric that every mode counts."""
    metric = draw(st.sampled_from(["resolution", "response", "update"]))
    targets = [
        Target(
            name, metric, duration=draw(durations), calendar=draw(calendars), priorities=who,
            pauses_on={"requester"} if metric != "response" else (),
            reopen=draw(st.sampled_from(["continue", "include_closed", "new_cycle"])),
            on_retarget=draw(st.sampled_from(["retroactive", "carry", "restart"])),
            on_pause=draw(st.sampled_from(["extend", "extend", "fixed"])),
        )
        for name, who in (("low", {"P3"}), ("high", {"P1"}))
    ]  # fmt: skip
    return Agreement("a", 1, targets=targets)


def excused_aloud(clock, kept, claims):
    """The excused minutes of a clock, one by one: it ran, and an exception holds it excused."""
    windows = []
    for one in kept:
        said = [e.fields for e in claims if e.fields["exception"] == one.id] if one.claimed else [{}]
        windows += [(one.times, fields.get("since"), fields.get("until")) for fields in said]

    def is_excused(at):
        return any(
            (times is None or times.is_open(at))
            and (since is None or dt.datetime.fromisoformat(since) <= at)
            and (until is None or at < dt.datetime.fromisoformat(until))
            for times, since, until in windows
        )

    minute, found = dt.timedelta(minutes=1), 0
    for segment in clock.explain().segments:
        at, end = segment.start.astimezone(dt.UTC), segment.end.astimezone(dt.UTC)
        while segment.kind is SegmentKind.RUNNING and at < end:
            found += is_excused(at)
            at += minute
    return found * minute, any(window == (None, None, None) for window in windows)


@pytest.mark.law
@given(histories(), agreements(), exceptions(), minutes)
def test_an_adjusted_cycle_is_the_raw_one_without_the_minutes_that_are_excused(events, plain, kept, at):
    """Raw is the same with and without exceptions; what is excused equals minutes counted one by one."""
    asked = instant(at)
    claims = [e for e in events if e.kind == "exception_claimed" and e.occurred_at <= asked]
    raw = judge(events, plain, asked)
    found = judge(events, attrs.evolve(plain, exceptions=kept), asked)
    assert found.keys() == raw.keys()
    for metric, clock in raw.items():
        for one, other in zip(clock.cycles, found[metric].cycles, strict=True):
            assert attrs.evolve(other, adjusted=None, earlier=()) == attrs.evolve(one, earlier=())
            assert one.adjusted is None
            if other.started_us is None:
                assert other.adjusted is None
                continue
            excused, whole = excused_aloud(one, kept, claims)
            if not whole and not excused:
                assert other.adjusted is None
                continue
            assert other.adjusted.excused == (one.elapsed if whole else excused)
            assert other.adjusted.elapsed + other.adjusted.excused == one.elapsed
            assert other.adjusted.verdict in allowed(one, other.adjusted, whole=whole)


def allowed(raw, adjusted, *, whole):
    """The verdict that the rule gives: unknown stays, a breach needs more than the budget."""
    if raw.verdict is Verdict.UNKNOWN:
        return {Verdict.UNKNOWN}
    if whole:
        return {Verdict.VOID}
    if adjusted.elapsed > raw.budget:
        return {raw.verdict}
    if raw.stopped_us is None:
        return {Verdict.RUNNING}
    return {Verdict.MET} if raw.verdict in (Verdict.MET, Verdict.BREACHED) else {Verdict.VOID}


@pytest.mark.law
@given(histories(), agreements(), minutes)
def test_a_justification_changes_nothing_but_that_it_is_told(events, agreed, at):
    """Verdict, time and due instant are those of the history without it; only a breach is justified."""
    asked = instant(at)
    without = [event for event in events if event.kind != "overrun_justified"]
    raw, found = judge(without, agreed, asked), judge(events, agreed, asked)
    for metric, clock in raw.items():
        for one, other in zip(clock.cycles, found[metric].cycles, strict=True):
            assert attrs.evolve(other, justified=(), earlier=()) == attrs.evolve(one, earlier=())
            assert other.breached or not other.justified
            assert all(said.metric == metric and said.us >= other.started_us for said in other.justified)
