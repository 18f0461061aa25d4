"""What a clock will say if nothing happens until then."""

from __future__ import annotations

import datetime as dt

import attrs

from itsm_core.business_time.instants import micros
from itsm_core.errors import InvalidValue
from itsm_core.events import Phase
from itsm_core.sla.clocks.clock import Clock
from itsm_core.sla.spans import ClockState, Verdict, Walk
from itsm_core.values import only


def forecast(clock: Clock, at: dt.datetime, *, resumed: dt.datetime | None = None) -> Clock:
    """The clock at a later instant if nothing happens until then: it runs on, or stands still.

    `resumed` says when a paused clock goes on; its due instant follows from that. No event stands for
    it, so the segments from there on name none. What exceptions will excuse of the time to come is not
    known: `adjusted` is None where time has passed.
    """
    only(Clock, clock, "clock", "give one: evaluate(events, target, at)")
    at_us = micros(at)
    if at_us < clock.at_us:
        reason, remedy = (
            f"lies before {clock.at.isoformat()}, the instant of the clock",
            "evaluate the events",
        )
        raise InvalidValue("at", at, reason, remedy)
    resumed_us = None if resumed is None else _resumed(clock, resumed)
    earlier = tuple(attrs.evolve(one, at_us=at_us) for one in clock.earlier)
    if clock.started_us is None or clock.stopped_us is not None:
        return attrs.evolve(clock, at_us=at_us, earlier=earlier)
    walk = Walk(clock.started_us, clock.budget_us, clock.rule_due_us)
    walk.used, walk.runs, walk.pieces = clock.elapsed_us, list(clock.runs), list(clock.pieces)
    if resumed_us is not None and resumed_us <= at_us:
        _resume(walk, resumed_us)
    walk.end(at_us)
    return attrs.evolve(
        clock,
        at_us=at_us,
        state=walk.pieces[-1][1],
        verdict=_verdict(clock, walk),
        elapsed_us=walk.used,
        pieces=tuple(walk.pieces),
        runs=tuple(walk.runs),
        earlier=earlier,
        adjusted=clock.adjusted if walk.used == clock.elapsed_us else None,
    )


def _resumed(clock: Clock, resumed: dt.datetime) -> int:
    us = micros(resumed, "resumed")
    if clock.state is not ClockState.PAUSED:
        raise InvalidValue(
            "resumed", resumed, "is for a paused clock", f"leave it out: this one is {clock.state}"
        )
    if us < clock.at_us:
        reason = f"lies before {clock.at.isoformat()}, when the clock is paused"
        raise InvalidValue("resumed", resumed, reason, "give a later instant")
    return us


def _resume(walk: Walk, us: int) -> None:
    """The record is worked on again, by those who had it."""
    mark, calendar = walk.pieces[-1][2:]
    active = attrs.evolve(mark, us=us, phase=Phase.ACTIVE, waits_on=None, state=Phase.ACTIVE.value, event="")
    walk.take(us, ClockState.RUNNING, active, calendar)


def _verdict(clock: Clock, walk: Walk) -> Verdict:
    if clock.verdict is Verdict.RUNNING and walk.used > walk.budget:
        return Verdict.BREACHED
    return clock.verdict
