"""Restatements: what settled clocks would say if what came to be known later counted.

A settled clock never changes by itself. What would change it comes back as a restatement (was, would
be, why), and takes effect by an event of its own: the command `restate`, which says who and why.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import attrs

from itsm_core.business_time.instants import micros
from itsm_core.events import Event
from itsm_core.records import fold
from itsm_core.sla.agreements.agreement import Agreement
from itsm_core.sla.clocks.clock import Clock
from itsm_core.sla.clocks.evaluation import clocks_at
from itsm_core.sla.tracing import in_time, retrace, trace
from itsm_core.values import each


@attrs.frozen(kw_only=True)
class Restatement:
    """A settled cycle that would be told otherwise: what it was, what it would be, and why.

    `would_be` is None where there would be no such cycle. `because` names the events that came too late,
    or the agreement that would judge it.
    """

    metric: str
    number: int
    was: Clock
    would_be: Clock | None
    because: tuple[str, ...]

    @property
    def turns(self) -> bool:
        """Whether the verdict would be another one, and not only the figures."""
        return self.would_be is None or self.would_be.verdict is not self.was.verdict

    def __str__(self) -> str:
        then = "no such cycle" if self.would_be is None else str(self.would_be.verdict)
        by = ", ".join(self.because)
        return f"{self.metric} {self.number}: {self.was.verdict}, would be {then} by {by}"


def restatements(
    events: Iterable[Event], agreement: Agreement, at: dt.datetime, *, under: Agreement | None = None
) -> tuple[Restatement, ...]:
    """The settled cycles of a record that late or corrected events would change, at an instant.

    With `under`, another agreement or version of it, those that it would judge otherwise, by all that is
    known. An event recorded after the instant is not known yet.
    """
    limit = micros(at)
    known = [event for event in each(Event, events, "events", _EVENTS) if micros(event.recorded_at) <= limit]
    counted = {event.id for event in in_time(known)}
    late = tuple(event.id for event in sorted(known, key=_by_seq) if event.id not in counted)
    if not late and under is None:
        return ()
    record = fold(known)
    was = clocks_at(record, trace(known), agreement, at)
    would_be = clocks_at(record, retrace(known), under or agreement, at)
    because = (*late, *(() if under is None else (under.label,)))
    return tuple(_different(was, would_be, because))


def _different(
    was: dict[str, Clock], would_be: dict[str, Clock], because: tuple[str, ...]
) -> Iterable[Restatement]:
    for metric, clock in was.items():
        others = {} if metric not in would_be else {one.number: one for one in would_be[metric].cycles}
        for cycle in clock.cycles:
            other = others.get(cycle.number)
            if cycle.settled and (other is None or _figures(cycle) != _figures(other)):
                yield Restatement(
                    metric=metric, number=cycle.number, was=cycle, would_be=other, because=because
                )


def _figures(clock: Clock) -> tuple[object, ...]:
    return (
        clock.started_us, clock.stopped_us, clock.stop_reason, clock.budget_us, clock.elapsed_us,
        clock.verdict, clock.adjusted,
    )  # fmt: skip


def _by_seq(event: Event) -> int:
    return event.seq


_EVENTS = "give the events of one record, such as desk.history(id)"
