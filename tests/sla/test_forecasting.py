"""Forecasts: the clock that will be if nothing happens until then."""

import datetime as dt

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from itsm_core.actors import Actor
from itsm_core.business_time import BusinessCalendar, business_days, end_of_business_day, hours, minutes
from itsm_core.errors import InvalidValue
from itsm_core.events import Event
from itsm_core.sla import (
    AgreedException,
    Agreement,
    ClockState,
    Target,
    Verdict,
    conclude,
    evaluate,
    forecast,
    judge,
    trace,
)

START = dt.datetime(2026, 3, 26, 15, tzinfo=dt.UTC)  # the clocks of Berlin change on the 29th
MINUTE = dt.timedelta(minutes=1)
STATES = {
    "work": {"phase": "active"},
    "hold": {"phase": "waiting", "waits_on": "requester"},
    "supplier": {"phase": "waiting", "waits_on": "supplier"},
    "resolve": {"phase": "resolved"},
    "close": {"phase": "closed", "outcome": "closed"},
    "cancel": {"phase": "closed", "outcome": "cancelled"},
}


def event(seq, minute, action):
    """One event of a random history; the first opens it."""
    kind, fields = (
        ("opened", {"phase": "new"}) if action == "open" else ("transitioned", STATES.get(action, {}))
    )
    if action == "reply":
        kind, fields = "communicated", {"direction": "outbound", "audience": "requester"}
    when = START + minute * MINUTE
    return Event(
        id=f"e{seq}", record="r", seq=seq, kind=kind, occurred_at=when, recorded_at=when,
        actor=Actor.person("ana", "agent"), fields=fields,
    )  # fmt: skip


@st.composite
def histories(draw):
    """Some events, at minutes that do not go back, and the minute of the last."""
    steps = draw(
        st.lists(
            st.tuples(st.integers(0, 1500), st.sampled_from([*STATES, "work", "hold", "reply"])), max_size=6
        )
    )
    found, minute = [event(1, 0, "open")], 0
    for seq, (gap, action) in enumerate(steps, start=2):
        minute += gap
        found.append(event(seq, minute, action))
    return found, minute


CALENDARS = [
    BusinessCalendar.always("UTC"),
    BusinessCalendar.weekly("mon-fri 09:00-12:30 13:30-17:30", zone="Europe/Berlin"),
    BusinessCalendar.weekly("daily 22:00-06:00", zone="Europe/Berlin"),
]
DURATIONS = [minutes(1), minutes(90), hours(9), business_days(1), business_days(2), end_of_business_day(0)]


@st.composite
def targets(draw, metrics=("resolution", "response", "update")):
    """A target in any mode; only a resolution pauses."""
    metric = draw(st.sampled_from(metrics))
    pauses = "requester" if len(metrics) == 1 or (metric == "resolution" and draw(st.booleans())) else ()
    return Target(
        "t", metric, duration=draw(st.sampled_from(DURATIONS)), calendar=draw(st.sampled_from(CALENDARS)),
        pauses_on=pauses, reopen=draw(st.sampled_from(["continue", "new_cycle", "include_closed"])),
        on_pause="extend" if len(metrics) == 1 else draw(st.sampled_from(["extend", "fixed"])),
    )  # fmt: skip


later = st.integers(0, 6000)


# --- laws ---------------------------------------------------------------------------------------


@pytest.mark.law
@given(histories(), targets(), later, later)
def test_a_forecast_is_the_clock_that_will_be(held, target, first, then):
    """With nothing happening, a forecast of what is known now is what will be concluded then."""
    events, minute = held
    now = START + (minute + first) * MINUTE
    then = now + then * MINUTE
    timeline = trace(events)
    assert forecast(conclude(timeline, target, now), then) == conclude(timeline, target, then)


@pytest.mark.law
@given(histories(), targets(("resolution",)), later, later, later)
def test_a_forecast_with_a_resumption_is_the_clock_after_one(held, target, first, gap, then):
    """It counts as if the record had been taken up again then."""
    events, minute = held
    events = [*events, event(len(events) + 1, minute, "hold")]
    now = START + (minute + first) * MINUTE
    clock = conclude(trace(events), target, now)
    assume(clock.state is ClockState.PAUSED)
    resumed = now + gap * MINUTE
    at = now + then * MINUTE
    ahead = forecast(clock, at, resumed=resumed)
    real = conclude(trace([*events, event(len(events) + 1, minute + first + gap, "work")]), target, at)
    for name in ("state", "verdict", "elapsed_us", "due_us", "runs", "stopped_us", "settled"):
        assert getattr(ahead, name) == getattr(real, name), name
    assert [(s.start_us, s.end_us, s.kind) for s in ahead.explain().segments] == [
        (s.start_us, s.end_us, s.kind) for s in real.explain().segments
    ]


@pytest.mark.law
@given(histories(), targets(), later, later, later)
def test_a_forecast_of_a_forecast_is_a_forecast(held, target, first, then, last):
    """Two steps lead where one does."""
    events, minute = held
    now = START + (minute + first) * MINUTE
    clock = conclude(trace(events), target, now)
    middle = now + then * MINUTE
    end = middle + last * MINUTE
    assert forecast(forecast(clock, middle), end) == forecast(clock, end)
    assert forecast(clock, now) == clock


# --- by hand ------------------------------------------------------------------------------------


@pytest.fixture
def held(history, office, resolution):
    """Eight hours on weekdays 9 to 17 in Berlin: opened Monday at 9, held from 11, asked about at 12."""
    h = history("Europe/Berlin").opened("2026-03-02 09:00").hold("2026-03-02 11:00")
    return evaluate(h.events, resolution(hours(8), office), h.at("2026-03-02 12:00")), h


def test_a_paused_clock_stands_still(held):
    """Two hours were used; a month later it is two hours, and no due instant is known."""
    clock, h = held
    ahead = forecast(clock, h.at("2026-04-02 12:00"))
    assert (ahead.state, ahead.elapsed, ahead.due_at) == (ClockState.PAUSED, dt.timedelta(hours=2), None)


def test_a_resumption_gives_the_due_instant(held):
    """Six hours are left: from Tuesday at 10 that is 16:00."""
    clock, h = held
    tuesday = h.at("2026-03-03 10:00")
    ahead = forecast(clock, tuesday, resumed=tuesday)
    assert (ahead.state, ahead.due_at) == (ClockState.RUNNING, h.at("2026-03-03 16:00"))
    late = forecast(clock, h.at("2026-03-03 16:30"), resumed=tuesday)
    assert (late.verdict, late.overrun) == (Verdict.BREACHED, dt.timedelta(minutes=30))
    assert clock.verdict is Verdict.RUNNING


def test_a_resumption_after_the_instant_asked_for_has_not_come(held):
    """At noon on Tuesday, a clock that goes on at two is paused."""
    clock, h = held
    ahead = forecast(clock, h.at("2026-03-03 12:00"), resumed=h.at("2026-03-03 14:00"))
    assert ahead == forecast(clock, h.at("2026-03-03 12:00"))


def test_a_resumption_is_no_event(held):
    """Its segments name no event, and keep who had the record."""
    clock, h = held
    tuesday = h.at("2026-03-03 10:00")
    (*_, paused, last) = forecast(clock, h.at("2026-03-03 11:00"), resumed=tuesday).explain().segments
    assert (paused.event, last.event, last.reason) == ("e2", "", "in progress")
    assert (last.start_us, last.end_us - last.start_us) == (paused.end_us, 3_600_000_000)


def test_what_has_not_started_or_has_stopped_stays_as_it_is(history, around, resolution):
    """Only the instant asked for moves on; of the cycles before, too."""
    h = history().opened("2026-03-02 09:00").resolved("2026-03-02 10:00")
    target = resolution(hours(8), around)
    before = evaluate(h.events, target, h.at("2026-03-02 08:00"))
    assert forecast(before, h.at("2026-03-02 08:30")).state is ClockState.NOT_STARTED
    stopped = evaluate(h.events, target, h.at("2026-03-02 11:00"))
    assert forecast(stopped, h.at("2027-03-02 11:00")) == evaluate(h.events, target, h.at("2027-03-02 11:00"))


def test_unknown_stays_unknown(history, around, response):
    """Where nobody kept the messages, no forecast says that a promise was broken."""
    h = history().opened("2026-03-02 09:00")
    clock = conclude(
        attrs.evolve(trace(h.events), messages_known=False),
        response(hours(1), around),
        h.at("2026-03-02 09:30"),
    )
    assert forecast(clock, h.at("2026-03-03 09:30")).verdict is Verdict.UNKNOWN


def test_what_exceptions_will_excuse_is_not_known(history, around, resolution):
    """An adjusted verdict is kept while nothing more is counted, and left out where time has passed."""
    h = history().opened("2026-03-02 09:00")
    agreement = Agreement(
        "a", 1, targets=[resolution(hours(1), around)], exceptions=[AgreedException("storm")]
    )
    now = h.at("2026-03-02 11:00")
    clock = judge(h.events, agreement, now)["resolution"]
    assert clock.adjusted is not None
    assert forecast(clock, now) == clock
    ahead = forecast(clock, h.at("2026-03-02 12:00"))
    assert (ahead.verdict, ahead.adjusted) == (Verdict.BREACHED, None)


# --- refusals -----------------------------------------------------------------------------------


def test_a_forecast_never_looks_back(held):
    """For an earlier instant the events must be asked."""
    clock, h = held
    with pytest.raises(InvalidValue, match=r"lies before 2026-03-02T12:00:00\+01:00.*evaluate the events"):
        forecast(clock, h.at("2026-03-02 11:59"))


def test_only_a_paused_clock_goes_on(history, around, resolution):
    """A running one needs no resumption, and a stopped one has none."""
    h = history().opened("2026-03-02 09:00")
    at = h.at("2026-03-02 10:00")
    clock = evaluate(h.events, resolution(hours(8), around), at)
    with pytest.raises(InvalidValue, match="is for a paused clock; leave it out: this one is running"):
        forecast(clock, at, resumed=at)


def test_a_resumption_lies_not_before_the_clock(held):
    """What happened before then, the clock knows."""
    clock, h = held
    with pytest.raises(InvalidValue, match="when the clock is paused; give a later instant"):
        forecast(clock, h.at("2026-03-03 11:00"), resumed=h.at("2026-03-02 11:30"))


@pytest.mark.parametrize("wrong", [dt.datetime(2026, 3, 3), "2026-03-03T10:00Z", None])
def test_instants_are_aware(held, wrong):
    """Naive instants, texts and nothing are refused, for either instant."""
    clock, h = held
    with pytest.raises(InvalidValue, match="at"):
        forecast(clock, wrong)
    if wrong is not None:
        with pytest.raises(InvalidValue, match="resumed"):
            forecast(clock, h.at("2026-03-03 10:00"), resumed=wrong)


def test_a_forecast_is_of_a_clock():
    """Anything else is refused with what to give."""
    with pytest.raises(InvalidValue, match="give one: evaluate"):
        forecast("clock", START)
