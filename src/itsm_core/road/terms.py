"""The terms a desk is run by, and where a record stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Sequence
from typing import Any

import attrs

from itsm_core.actors import Actor
from itsm_core.escalation import EscalationPolicy, Inform, Resolver, as_named, wording
from itsm_core.events import Event
from itsm_core.lifecycle import TOLERANCE, CustomField, Lifecycle
from itsm_core.ports import Ask
from itsm_core.priority import PriorityMatrix, matrix_3x3_p5
from itsm_core.records import Record, apply, fold, follows
from itsm_core.sla import Agreement, Clock, Metric, Timeline, clocks_at, extend, trace

ESCALATION = "escalation"
"""The kind of the timers that wake a record's escalation."""

MACHINE = Actor.automation("itsm_core", "automation")
"""Who acts when the library itself carries out a consequence."""

ATTEMPTS = 20
"""How often a command is decided anew after losing a race before the conflict is raised."""

OnItsWay = Generator[Ask, Any, Record]
Wording = Callable[[Inform, Record, str], tuple[str, str]]


@attrs.frozen(kw_only=True)
class Terms:
    """What a desk is run by: lifecycle, matrix, agreement, policy, and who answers to a name."""

    lifecycle: Lifecycle
    agreement: Agreement | None = None
    policy: EscalationPolicy | None = None
    matrix: PriorityMatrix = matrix_3x3_p5
    resolver: Resolver = as_named
    tolerance: dt.timedelta = TOLERANCE
    custom: tuple[CustomField, ...] = ()
    salt: Callable[[], str] | None = None
    wording: Wording = wording
    lang: str = "en"
    reply_channel: str = "email"


@attrs.frozen
class Standing:
    """A record and the timeline of its clocks, at one version."""

    record: Record
    timeline: Timeline

    def clocks(self, terms: Terms, at: dt.datetime) -> dict[Metric, Clock]:
        """The clocks of the record at an instant, by metric ("response", "resolution")."""
        if terms.agreement is None:
            return {}
        return clocks_at(self.record, self.timeline, terms.agreement, at)


def standing(record_id: str) -> Generator[Ask, Any, Standing]:
    """The newest standing of a record: its snapshot and what came after, or all events anew."""
    snapshot, events = yield Ask("load", (record_id,))
    if snapshot is None:
        return refold(events)
    known: Standing | None = Standing(snapshot.record, snapshot.timeline)
    for event in events:
        known = known and onward(known, event)
    return known or (yield from anew(record_id))


def history(record_id: str) -> Generator[Ask, Any, tuple[Event, ...]]:
    """All events of a record by `seq`."""
    _, events = yield Ask("load", (record_id, 0))
    return tuple(events)


def anew(record_id: str, more: Sequence[Event] = ()) -> Generator[Ask, Any, Standing]:
    """The standing from all stored events and `more`, whatever their order."""
    events = yield from history(record_id)
    return refold((*events, *more))


def refold(events: Sequence[Event]) -> Standing:
    """The standing that these events tell."""
    return Standing(fold(events), trace(events))


def onward(known: Standing, event: Event) -> Standing | None:
    """The standing after one more event; None when it is late or a correction."""
    if not follows(known.record, event):
        return None
    return Standing(apply(known.record, event), extend(known.timeline, event))
