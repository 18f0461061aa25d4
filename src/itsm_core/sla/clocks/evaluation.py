"""Evaluation: the clocks of a record at an instant, as a pure function of its events.

`evaluate(events, target, at)` is `conclude(trace(events), target, at)`. Nothing else decides: no
stored deadline, no counter. A target is breached when *more* open time than its budget has passed;
using it up exactly is met. Everything is counted in whole microseconds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import attrs

from itsm_core.business_time.instants import micros
from itsm_core.events import Event
from itsm_core.records import Record, fold
from itsm_core.sla.agreements.agreement import Agreement
from itsm_core.sla.agreements.exceptions import Adjusted
from itsm_core.sla.agreements.targets import Plan, Target
from itsm_core.sla.clocks.clock import Clock
from itsm_core.sla.counting.adjusting import Excuse, adjusted, excuses_of, justified_of
from itsm_core.sla.counting.cycles import Cycle
from itsm_core.sla.counting.splitting import cycles_of
from itsm_core.sla.counting.straight import straight
from itsm_core.sla.spans import ClockState, Stop, Verdict, Walk
from itsm_core.sla.timeline import Timeline
from itsm_core.sla.tracing import trace
from itsm_core.values import each, only, trusted

_EVENTS = "give the events of one record, such as history_from_changes(...) or desk.history(id)"


def evaluate(
    events: Iterable[Event], target: Target, at: dt.datetime, known_at: dt.datetime | None = None
) -> Clock:
    """The clock of a target at an instant, from the events of one record in any order.

    With `known_at`, only what had been recorded by then counts: what a report of that day said.
    """
    events = each(Event, events, "events", _EVENTS)
    if known_at is not None:
        limit = micros(known_at, "known_at")
        events = tuple(event for event in events if micros(event.recorded_at) <= limit)
    return conclude(trace(events), target, at)


def conclude(timeline: Timeline, target: Target, at: dt.datetime) -> Clock:
    """The clock of a target at an instant, from the timeline of its record."""
    only(Target, target, "target", 'give one: Target("answer", "response", duration="4h", calendar=...)')
    only(Timeline, timeline, "timeline", "make it of events: trace(events)")
    at_us = micros(at)
    timeline = timeline.as_of(at_us)
    plain = straight(timeline, target, at_us)
    if plain is not None:
        return _told(target, *plain, timeline, at_us)
    plan = ((0, target),)
    return _newest(_cycles(timeline, plan), timeline, plan, at_us)


def _cycles(timeline: Timeline, plan: Plan, since: int | None = None) -> list[Cycle]:
    return cycles_of(timeline, plan, since) if timeline.started_us is not None else []


def _newest(cycles: list[Cycle], timeline: Timeline, plan: Plan, at_us: int) -> Clock:
    """The newest cycle of a metric at an instant, with those before it."""
    if not cycles:
        return _not_started(plan, at_us)
    *before, last = cycles
    earlier = tuple(_clock(one, timeline, at_us, n) for n, one in enumerate(before, start=1))
    return _clock(last, timeline, at_us, len(cycles), earlier)


def _not_started(plan: Plan, at_us: int) -> Clock:
    target = next(target for _, target in reversed(plan) if target is not None)
    return Clock(target, at_us, state=ClockState.NOT_STARTED, verdict=Verdict.RUNNING)


def _clock(
    cycle: Cycle, timeline: Timeline, at_us: int, number: int, earlier: tuple[Clock, ...] = ()
) -> Clock:
    return _told(cycle.target, cycle.walked(at_us), cycle.stop, timeline, at_us, number, earlier)


def _told(
    target: Target, walk: Walk, stop: Stop | None, timeline: Timeline, at_us: int, number: int = 1,
    earlier: tuple[Clock, ...] = (),
) -> Clock:  # fmt: skip
    state = walk.pieces[-1][1] if stop is None else ClockState.VOID if stop.voids else ClockState.STOPPED
    return _made(
        target,
        at_us,
        state,
        _verdict(timeline, target, stop, walk),
        stop is not None and timeline.settled,
        walk.start,
        None if stop is None else stop.us,
        None if stop is None else stop.reason,
        walk.budget,
        walk.used,
        walk.due,
        tuple(walk.pieces),
        tuple(walk.runs),
        number,
        earlier,
        tuple(walk.flags),
        None,
        (),
    )


_made = trusted(Clock)


def judge(events: Iterable[Event], agreement: Agreement, at: dt.datetime) -> dict[str, Clock]:
    """The clocks of an agreement at an instant, by metric, from the events of one record in any order.

    An agreement that does not cover the record gives none. A metric is a text, so
    `judge(...)["resolution"]` and `judge(...)[Metric.RESOLUTION]` are the same clock.
    """
    events = each(Event, events, "events", _EVENTS)
    return clocks_at(fold(events), trace(events), agreement, at)


def clocks_at(record: Record, timeline: Timeline, agreement: Agreement, at: dt.datetime) -> dict[str, Clock]:
    """The clocks of an agreement at an instant, by metric, from a record and its timeline."""
    remedy = "make one: default_agreement(calendar)"
    at_us = micros(at)
    timeline = timeline.as_of(at_us)
    plans = only(Agreement, agreement, "agreement", remedy).plans_for(record, timeline)
    found: dict[str, Clock] = {}
    stops: dict[str, int | None] = {}
    for metric, plan in plans.items():
        found[metric], stops[metric] = _of_metric(timeline, plan, at_us, stops)
    if agreement.exceptions or timeline.justified:
        return {name: _told_beside(one, name, record, timeline, agreement) for name, one in found.items()}
    return found


def _of_metric(
    timeline: Timeline, plan: Plan, at_us: int, stops: dict[str, int | None]
) -> tuple[Clock, int | None]:
    """The clock of a metric, and when it first stopped, although it may have gone on since."""
    target = plan[0][1]
    if len(plan) == 1 and target is not None and (target.after is None or target.after not in stops):
        plain = straight(timeline, target, at_us)
        if plain is not None:
            walk, stop = plain
            return _told(target, walk, stop, timeline, at_us), None if stop is None else stop.us
    after = next(target.after for _, target in plan if target is not None)
    since = None if after is None else stops.get(after)
    waits = after in stops and since is None  # without the other metric it waits for nothing
    cycles = [] if waits else _cycles(timeline, plan, since)
    stopped = [one.first_stop for one in cycles if one.first_stop is not None]
    return _newest(cycles, timeline, plan, at_us), min(stopped, default=None)


def _told_beside(
    clock: Clock, metric: str, record: Record, timeline: Timeline, agreement: Agreement
) -> Clock:
    """The clock with what stands beside its verdicts: what exceptions make of them, what was justified."""
    excuses = excuses_of(agreement.exceptions, metric, record.values, timeline.claims)
    breaches = [(one.number, one.started_us or 0) for one in clock.cycles if one.breached]
    justified = justified_of(breaches, metric, timeline.justified)
    told = [
        attrs.evolve(
            one, adjusted=_adjusted(one, excuses), justified=justified.get(one.number, ()), earlier=()
        )
        for one in clock.cycles
    ]
    return attrs.evolve(told[-1], earlier=tuple(told[:-1]))


def _adjusted(clock: Clock, excuses: tuple[Excuse, ...]) -> Adjusted | None:
    if clock.started_us is None or not excuses:
        return None
    used, budget, stopped = clock.elapsed_us, clock.budget_us, clock.stopped_us is not None
    return adjusted(excuses, clock.verdict, clock.spans, used=used, budget=budget, stopped=stopped)


def _verdict(timeline: Timeline, target: Target, stop: Stop | None, walk: Walk) -> Verdict:
    """The verdict on integers. What depends on words that nobody kept is unknown, in time or not."""
    over, void = walk.used > walk.budget, stop is not None and stop.voids
    if target.conditions.hears and not timeline.messages_known and not (stop is not None and stop.spoken):
        return Verdict.VOID if void and not over else Verdict.UNKNOWN
    if void:
        return Verdict.VOID_AFTER_BREACH if over else Verdict.VOID
    if over:
        return Verdict.BREACHED
    return Verdict.RUNNING if stop is None else Verdict.MET
