"""Restatements: a settled clock stays as it is, and says what would change it."""

import datetime as dt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core import Actor, ServiceDesk, TransitionRefused, stores
from itsm_core.business_time import BusinessCalendar, hours
from itsm_core.errors import InvalidValue
from itsm_core.events import Event
from itsm_core.sla import Agreement, Target, Verdict, follows, judge, restatements, retrace, trace

AROUND = BusinessCalendar.always("UTC")


def agreement(number=4, version=1, **more):
    """One resolution target of so many hours around the clock; a wait for the requester pauses it."""
    target = Target(
        "fix", "resolution", duration=hours(number), calendar=AROUND, pauses_on="requester", **more
    )
    return Agreement("gold", version, targets=[target])


def late(history):
    """Open at 9, closed at 15 (six hours for four); that it waited from 10 to 13 came to be known at 18."""
    h = history().opened("2026-03-02 09:00").closed("2026-03-02 15:00")
    h.hold("2026-03-02 10:00", recorded="2026-03-02 18:00")
    return h.resumed("2026-03-02 13:00", recorded="2026-03-02 18:00")


def test_what_comes_to_be_known_after_the_closing_changes_no_settled_clock(history):
    """Six hours stay six; the restatement says three, by the two late events."""
    h = late(history)
    at = h.at("2026-03-02 19:00")
    clock = judge(h.events, agreement(), at)["resolution"]
    assert (clock.verdict, clock.elapsed, clock.settled) == (Verdict.BREACHED, dt.timedelta(hours=6), True)
    (told,) = restatements(h.events, agreement(), at)
    assert told.was == clock
    assert (told.would_be.verdict, told.would_be.elapsed) == (Verdict.MET, dt.timedelta(hours=3))
    assert (told.metric, told.number, told.because, told.turns) == ("resolution", 1, ("e3", "e4"), True)
    assert str(told) == "resolution 1: breached, would be met by e3, e4"
    assert restatements(h.events, agreement(), h.at("2026-03-02 17:59")) == ()


def test_a_restatement_takes_effect_by_an_event_of_its_own(history):
    """From then on the clock says it, and what comes later is late again."""
    h = late(history)
    h.add("restated", "2026-03-03 09:00", reason="the log of the phone")
    at = h.at("2026-03-04 09:00")
    clock = judge(h.events, agreement(), at)["resolution"]
    assert (clock.verdict, clock.elapsed) == (Verdict.MET, dt.timedelta(hours=3))
    assert restatements(h.events, agreement(), at) == ()
    h.hold("2026-03-02 09:00", recorded="2026-03-03 10:00")
    assert judge(h.events, agreement(), at)["resolution"] == clock
    assert [told.because for told in restatements(h.events, agreement(), at)] == [("e6",)]


def test_what_changes_a_figure_and_no_verdict_is_told_too(history):
    """Nine hours and eight are both too many."""
    h = history().opened("2026-03-02 09:00").closed("2026-03-02 18:00")
    h.hold("2026-03-02 10:00", recorded="2026-03-03 09:00")
    h.resumed("2026-03-02 11:00", recorded="2026-03-03 09:00")
    (told,) = restatements(h.events, agreement(), h.at("2026-03-03 10:00"))
    assert not told.turns
    assert (told.was.elapsed, told.would_be.elapsed) == (dt.timedelta(hours=9), dt.timedelta(hours=8))


def test_words_that_are_late_or_change_nothing_are_no_restatement(history):
    """A note about the time before, and whatever happened after the closing."""
    h = history().opened("2026-03-02 09:00").closed("2026-03-02 12:00")
    h.add("noted", "2026-03-02 10:00", recorded="2026-03-02 18:00", text="x")
    h.said("2026-03-02 13:00")
    assert restatements(h.events, agreement(), h.at("2026-03-03 10:00")) == ()


def test_a_correction_of_what_was_settled_is_late_too(history):
    """The closing itself is corrected from 15:00 to 12:00: three hours, once somebody takes it up."""
    h = history().opened("2026-03-02 09:00").closed("2026-03-02 15:00")
    h.add("corrected", "2026-03-03 09:00", event="e2", field="occurred_at", was="2026-03-02T15:00:00Z",
          now="2026-03-02T12:00:00Z", reason="typing error")  # fmt: skip
    at = h.at("2026-03-03 10:00")
    assert judge(h.events, agreement(), at)["resolution"].verdict is Verdict.BREACHED
    (told,) = restatements(h.events, agreement(), at)
    assert (told.would_be.verdict, told.because) == (Verdict.MET, ("e3",))


def test_at_the_instant_of_the_closing_the_later_news_is_late(history):
    """A cancellation dated back to it would void what was met; a reopening is no news of before."""
    h = history().opened("2026-03-02 09:00").closed("2026-03-02 10:00")
    h.closed("2026-03-02 10:00", "cancelled", recorded="2026-04-02 10:00")
    at = h.at("2026-04-03 09:00")
    assert judge(h.events, agreement(), at)["resolution"].verdict is Verdict.MET
    (told,) = restatements(h.events, agreement(), at)
    assert told.would_be.verdict is Verdict.VOID
    again = history().opened("2026-03-02 09:00").closed("2026-03-02 10:00")
    again.resumed("2026-03-02 10:00", recorded="2026-03-02 10:01")
    assert judge(again.events, agreement(), at)["resolution"].number == 2


def test_at_the_instant_of_the_closing_a_timeline_is_made_anew(history):
    """What is told of it later may come too late; the desk folds the whole history then."""
    h = history().opened("2026-03-02 09:00").closed("2026-03-02 10:00")
    closed = trace(h.events)
    assert not follows(closed, h.said("2026-03-02 10:00", recorded="2026-03-02 10:01").events[-1])
    assert follows(closed, h.said("2026-03-02 10:00").events[-1])
    assert follows(closed, h.said("2026-03-02 10:01").events[-1])
    twice = history().opened("2026-03-02 09:00").closed("2026-03-02 10:00").closed("2026-03-02 11:00")
    again = trace(twice.events)  # the second closing changes nothing, and settles all the same
    assert not follows(again, twice.said("2026-03-02 11:00", recorded="2026-03-02 11:01").events[-1])
    nine = h.at("2026-03-02 09:00")
    ana, uma = Actor.person("ana", "agent"), Actor.person("uma")
    later = dt.timedelta(seconds=5)
    desk = ServiceDesk(stores.open("memory://"), agreement=agreement(), clock=lambda: nine + later)
    desk.open("Mail", actor=uma, at=nine, record_id="INC-1")
    done = {"resolution_outcome": "workaround", "resolution_notes": "x", "closure_code": "user_confirmed"}
    desk.fire("INC-1", "resolve_and_close", actor=ana, at=nine, fields=done)
    desk.note("INC-1", "in the same breath", actor=ana, at=nine)
    assert desk.clocks("INC-1", nine)["resolution"].verdict is Verdict.MET


def test_a_correction_of_what_came_after_is_in_time(history):
    """And so is one that names nothing."""
    h = history().opened("2026-03-02 09:00").closed("2026-03-02 12:00").said("2026-03-02 13:00", text="a")
    for event in ("e3", "e9"):
        h.add("corrected", "2026-03-03 09:00", event=event, field="text", was="a", now="b", reason="x")
    assert trace(h.events) == retrace(h.events)


def test_a_new_agreement_restates_what_the_old_one_settled(history):
    """Six hours for eight would have been in time; the verdict of that time stays."""
    h = history().opened("2026-03-02 09:00").closed("2026-03-02 15:00")
    at = h.at("2026-03-03 09:00")
    (told,) = restatements(h.events, agreement(), at, under=agreement(8, version=2))
    assert (told.was.verdict, told.would_be.verdict) == (Verdict.BREACHED, Verdict.MET)
    assert told.because == ("gold@2",)
    assert restatements(h.events, agreement(), at, under=agreement(version=2)) == ()


def test_a_cycle_that_would_not_be_there_is_told_as_none(history):
    """An agreement for others has no clock for the record."""
    h = history().opened("2026-03-02 09:00").closed("2026-03-02 15:00")
    others = attrs.evolve(agreement(version=2), customers="acme")
    (told,) = restatements(h.events, agreement(), h.at("2026-03-03 09:00"), under=others)
    assert (told.would_be, told.turns) == (None, True)
    assert str(told) == "resolution 1: breached, would be no such cycle by gold@2"


def test_nothing_is_settled_before_the_closing(history):
    """What is late for a record that is resolved changes its provisional clock at once."""
    h = history().opened("2026-03-02 09:00").resolved("2026-03-02 15:00")
    h.hold("2026-03-02 10:00", recorded="2026-03-02 18:00")
    h.resumed("2026-03-02 13:00", recorded="2026-03-02 18:00")
    at = h.at("2026-03-02 19:00")
    assert judge(h.events, agreement(), at)["resolution"].elapsed == dt.timedelta(hours=3)
    assert restatements(h.events, agreement(), at) == ()


@pytest.mark.parametrize(
    ("mode", "begun", "counted"),
    [("continue", "02 09:00", 5), ("include_closed", "02 09:00", 26), ("new_cycle", "03 09:00", 2)],
)
def test_work_on_a_closed_record_is_another_cycle(history, mode, begun, counted):
    """The settled one stays what it was; the other one goes on from there, or begins anew."""
    h = history().opened("2026-03-02 09:00").closed("2026-03-02 12:00").resumed("2026-03-03 09:00")
    late = {"recorded": "2026-03-03 10:00"}
    h.hold("2026-03-02 10:00", **late).resumed("2026-03-02 11:00", **late)
    clock = judge(h.events, agreement(reopen=mode), h.at("2026-03-03 11:00"))["resolution"]
    assert [one.elapsed for one in clock.cycles] == [dt.timedelta(hours=3), dt.timedelta(hours=counted)]
    assert (clock.number, clock.started_at) == (2, h.at(f"2026-03-{begun}"))


def test_only_events_of_one_record_are_restated(history):
    """Anything else is refused by name."""
    with pytest.raises(InvalidValue, match="events"):
        restatements("x", agreement(), history().at("2026-03-03 11:00"))


KINDS = {
    "hold": ("transitioned", {"phase": "waiting", "waits_on": "requester"}),
    "resumed": ("transitioned", {"phase": "active"}),
    "resolved": ("transitioned", {"phase": "resolved"}),
    "said": ("communicated", {"direction": "outbound", "audience": "requester"}),
    "asked": ("communicated", {"direction": "inbound", "audience": "requester"}),
    "noted": ("noted", {"text": "n"}),
}
ZERO, END = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC), 300


def told_at(seq, minute, what, known):
    """One event; minutes count from the opening, `known` is when it was recorded."""
    kind, fields = KINDS[what] if isinstance(what, str) else what
    when = ZERO + dt.timedelta(minutes=minute)
    return Event(
        id=f"e{seq}", record="r", seq=seq, kind=kind, occurred_at=when, fields=fields,
        recorded_at=ZERO + dt.timedelta(minutes=max(known, minute)), actor=Actor.person("ana", "agent"),
    )  # fmt: skip


def closed_after(steps):
    """The events of a record that was closed after these steps, in five hours."""
    found = [(0, ("opened", {"phase": "new", "priority": "P3"})), *sorted(steps, key=lambda step: step[0])]
    found.append((END, ("transitioned", {"phase": "closed", "outcome": "closed"})))
    return [told_at(n, minute, what, minute) for n, (minute, what) in enumerate(found, 1)]


def figures(clock):
    """What may not change."""
    return clock.number, clock.started_us, clock.stopped_us, clock.budget_us, clock.elapsed_us, clock.verdict


steps = st.lists(st.tuples(st.integers(0, END - 1), st.sampled_from(sorted(KINDS))), max_size=6)


@given(steps, steps, st.sampled_from(["resolution", "response", "update", "reply"]))
def test_no_event_changes_what_is_settled_and_each_that_would_comes_back(before, after, metric):
    """Settled clocks stay; where the same events, known in time, tell something else, it is restated."""
    agreed = Agreement("a", 1, targets=[Target("t", metric, duration="2h", calendar=AROUND)])
    events = closed_after(before)
    late = [told_at(len(events) + n, m, what, END + n) for n, (m, what) in enumerate(after, 1)]
    at = ZERO + dt.timedelta(days=9)
    settled, now = (judge(known, agreed, at)[metric].cycles for known in (events, [*events, *late]))
    assert [figures(one) for one in now] == [figures(one) for one in settled]
    in_time = sorted([*events, *late], key=lambda event: (event.occurred_at, event.seq))
    otherwise = judge([attrs.evolve(e, seq=n) for n, e in enumerate(in_time, 1)], agreed, at)[metric].cycles
    told = {one.number: one for one in restatements([*events, *late], agreed, at)}
    would_be = {one.number: figures(one) for one in otherwise}
    for cycle in settled:
        if would_be.get(cycle.number) == figures(cycle):
            continue
        other = told[cycle.number].would_be
        assert (other and figures(other)) == would_be.get(cycle.number)


def test_a_manager_takes_a_restatement_up_at_the_desk(store):
    """Who, when and why is on record; an agent may not."""
    t0, hour = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC), dt.timedelta(hours=1)
    ana, mona = Actor.person("ana", "agent"), Actor.person("mona", "manager")
    now = [t0]
    desk = ServiceDesk(store, agreement=agreement(), clock=lambda: now[0])
    desk.open("Mail", actor=Actor.person("uma"), at=t0, record_id="INC-1")
    now[0] = t0 + 6 * hour
    done = {"resolution_outcome": "workaround", "resolution_notes": "x", "closure_code": "user_confirmed"}
    desk.fire("INC-1", "resolve_and_close", actor=ana, at=now[0], fields=done)
    event = desk.history("INC-1")[-1].id
    now[0] = t0 + 24 * hour
    desk.correct("INC-1", event, "occurred_at", t0 + 3 * hour, reason="typed wrong", actor=ana, at=now[0])
    assert desk.clocks("INC-1", now[0])["resolution"].verdict is Verdict.BREACHED
    (told,) = restatements(desk.history("INC-1"), agreement(), now[0])
    with pytest.raises(TransitionRefused):
        desk.fire("INC-1", "restate", actor=ana, at=now[0], fields={"reason": "x"})
    desk.fire("INC-1", "restate", actor=mona, at=now[0], fields={"reason": "the log of the phone"})
    assert desk.clocks("INC-1", now[0])["resolution"] == attrs.evolve(told.would_be)
