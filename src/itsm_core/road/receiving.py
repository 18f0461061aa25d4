"""Words that come in, and what they mean for the record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator
from typing import Any

import attrs

from itsm_core.commands import Command
from itsm_core.events import Phase, WaitsOn
from itsm_core.ports import Ask
from itsm_core.records import Record
from itsm_core.road.carrying import carry
from itsm_core.road.consequences import GOES_ON, if_there
from itsm_core.road.succession import Reference, follow_up
from itsm_core.road.terms import MACHINE, OnItsWay, Terms, standing


def receive(terms: Terms, record_id: str, command: Command, *, reference: Reference) -> OnItsWay:
    """Records words that came in, and does what they mean.

    A requester's reply takes a record off a hold that waits for the requester, reopens a
    Resolved one, and makes a linked follow-up of a Closed one. Automatic replies move nothing. What
    is said about a record that was merged, re-typed or a duplicate goes to the one that goes on, as long
    as that is not closed itself.
    """
    terms = attrs.evolve(terms, tolerance=dt.timedelta.max)  # words are recorded however late they come
    known = yield from _goes_on((yield from standing(record_id)).record)
    record_id, opened_at = known.id, known.opened_at
    at = min(command.at, command.recorded_at or command.at)  # the sender's clock may be wrong
    command = attrs.evolve(command, at=max(at, opened_at or at))
    record = yield from carry(
        terms, record_id, command, then=lambda record: _what_it_means(terms, record, command)
    )
    if record.phase is Phase.CLOSED and _moves(record, command):
        return (yield from follow_up(terms, record, command, reference))
    return record


def _goes_on(record: Record) -> Generator[Ask, Any, Record]:
    """The open record in which a closed one goes on; the record itself if there is none."""
    now, seen = record, {record.id}
    while now.phase is Phase.CLOSED:
        other = str(now.values.get(GOES_ON.get(now.outcome or "", ""), record.id))
        if other in seen:  # it is over, or two were merged into one another at once
            return record
        seen.add(other)
        known = yield from if_there(other)
        now = record if known is None else known.record  # named by hand, or kept elsewhere
    return now


def _moves(record: Record, command: Command) -> bool:
    """Whether the words are the requester's own, and an answer to where the record stands now."""
    crossed = record.entered_at is not None and command.at < record.entered_at
    return command.actor.id == record.requester and not command.fields.get("automatic") and not crossed


def _what_it_means(terms: Terms, record: Record, command: Command) -> tuple[Command, ...]:
    waits = record.phase is Phase.WAITING and record.waits_on in _REQUESTERS_WAIT
    if not _moves(record, command) or not (waits or record.phase is Phase.RESOLVED):
        return ()
    lifecycle = terms.lifecycle_of(record)
    for way in lifecycle.transitions:
        back = lifecycle.by_id[way.dest].phase is Phase.ACTIVE
        asked = {need.field for need in way.requires}
        if record.state in way.sources and back and way.roles & MACHINE.roles and asked <= {"reason"}:
            fields = {"reason": "the requester replied"} if asked else {}
            return (_because(command, way.trigger, fields),)
    return ()


_REQUESTERS_WAIT = frozenset({None, WaitsOn.REQUESTER})


def _because(command: Command, trigger: str, fields: dict[str, Any]) -> Command:
    return Command(
        trigger,
        MACHINE,
        at=command.at,
        fields=fields,
        id=f"{command.id}#{trigger}",
        recorded_at=command.recorded_at,
        on_behalf_of=command.actor.id,
        cause=command.id,
    )
