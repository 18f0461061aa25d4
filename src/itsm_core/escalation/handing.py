"""Changes of shift while an answer is awaited, or while whoever is on it goes off duty: `on_handoff`.

A step that asked who is on call told the people of one shift. If that shift ends before anybody has
acknowledged, "renotify_new" tells whoever comes on duty what those before them were told. If it ends with an
acknowledgement of theirs, "transfer_if_acked_by_outgoing" ends that, too: the new shift is told, and has to
acknowledge. The timetable of the chain stays as it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from itsm_core.business_time.instants import in_utc
from itsm_core.escalation.answering import listed
from itsm_core.escalation.effects import ClocksRead
from itsm_core.escalation.policies import Chain
from itsm_core.escalation.runs import Run
from itsm_core.escalation.timing import Turn, clock_of, is_live
from itsm_core.records.escalations import Past
from itsm_core.responders import ON_CALL
from itsm_core.sla import Clock, ClockState

MOST = 50
"""How many changes of a shift are looked through for somebody who was not told yet."""


class Handoff(NamedTuple):
    """A shift that has changed since a step told its people: the step's turn, due at the newest change.

    Those `coming` are on duty by now and were not told; those `missed` came and went before anybody looked.
    """

    turn: Turn
    name: str
    coming: tuple[str, ...]
    missed: tuple[tuple[dt.datetime, str], ...]


class _Awaited(NamedTuple):
    """A name that a step asked for, and what happened to its shift since whom it told were told."""

    order: int
    chain: Chain
    place: int
    clock: Clock | None
    name: str
    coming: Iterator[tuple[dt.datetime, tuple[str, ...], tuple[str, ...]]]
    """When the shift changes, who is on duty then, and which of them are to be told."""


def next_handoff(run: Run, event: ClocksRead) -> dt.datetime | None:
    """The first change of a shift at which somebody is to be told; None if none is coming."""
    found = (next((at for at, _, new in one.coming if new), None) for one in _awaited(run, event))
    return min((at for at in found if at is not None), default=None)


def handoffs(run: Run, event: ClocksRead, by: dt.datetime) -> list[Handoff]:
    """The changes of shift up to an instant that somebody is to be told of, or has missed; one a name."""
    found = []
    for one in _awaited(run, event):
        came: dict[str, dt.datetime] = {}
        on_duty, newest = tuple[str, ...](), by
        for at, people, new in one.coming:
            if at > by:
                break
            on_duty, newest = people, at
            came |= dict.fromkeys(new, at)
        if came:
            turn = Turn(newest, one.order, one.chain, one.place, one.clock)
            coming = tuple(person for person in on_duty if person in came)
            missed = tuple((at, person) for person, at in came.items() if person not in on_duty)
            found.append(Handoff(turn, one.name, coming, missed))
    return found


def _awaited(run: Run, event: ClocksRead) -> Iterator[_Awaited]:
    mode, state = run.policy.on_handoff, run.escalation
    if mode == "none" or event.shifts is None or not run.record.phase.is_open:
        return
    if run.is_acknowledged is (mode == "renotify_new") or state.snoozed_until is not None:
        return
    for order, chain in enumerate(run.policy.chains):
        newest, told = run.newest(chain), run.newest(chain, telling=True)
        if newest is None or told is None or not is_live(run, chain, event):
            continue
        place = chain.places[told.step]
        step, clock = chain.steps[place], clock_of(chain, event)
        if clock is not None and clock.state is ClockState.PAUSED and not step.while_paused:
            continue
        since = newest.at if state.acknowledged_at is None else max(newest.at, state.acknowledged_at)
        for name in step.to:
            if name.startswith(ON_CALL):
                shifts = islice(event.shifts(name, since), MOST)
                yield _Awaited(order, chain, place, clock, name, _coming(run, told, shifts))


def _coming(
    run: Run, told: Past, shifts: Iterator[tuple[dt.datetime, tuple[str, ...]]]
) -> Iterator[tuple[dt.datetime, tuple[str, ...], tuple[str, ...]]]:
    """The changes of a shift, each with those who are to be told: who comes on duty and was not told last.

    Of an acknowledged record it is the whole shift, once none of those who acknowledged it is on duty.
    """
    before = listed(next(shifts, (None, ()))[1])
    on_it = {*run.escalation.acknowledged_by}.intersection(told.to)
    for at, answer in shifts:
        people = listed(answer)
        if run.is_acknowledged:
            new = people if on_it and on_it.isdisjoint(people) else ()
        else:
            new = tuple(person for person in people if person not in before and person not in told.to)
        yield in_utc(at), people, new
        before = people
