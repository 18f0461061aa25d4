"""Words that come in, and what they mean for the record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import attrs

from itsm_core.commands import Command
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle.fields import kinds_of
from itsm_core.records import Record
from itsm_core.road.carrying import carry, open_record
from itsm_core.road.terms import MACHINE, OnItsWay, Terms, standing


def receive(terms: Terms, record_id: str, command: Command, *, reference: Callable[[], str]) -> OnItsWay:
    """Records words that came in, and does what they mean.

    A requester's reply takes a record off a hold that waits for the requester, reopens a
    Resolved one, and makes a linked follow-up of a Closed one. Automatic replies move nothing.
    """
    terms = attrs.evolve(terms, tolerance=dt.timedelta.max)  # words are recorded however late they come
    opened_at = (yield from standing(record_id)).record.opened_at
    at = min(command.at, command.recorded_at or command.at)  # the sender's clock may be wrong
    command = attrs.evolve(command, at=max(at, opened_at or at))
    record = yield from carry(
        terms, record_id, command, then=lambda record: _what_it_means(terms, record, command)
    )
    if record.phase is Phase.CLOSED and _moves(record, command):
        return (yield from _follow_up(terms, record, command, reference))
    return record


def _moves(record: Record, command: Command) -> bool:
    """Whether the words are the requester's own, and an answer to where the record stands now."""
    crossed = record.entered_at is not None and command.at < record.entered_at
    return command.actor.id == record.requester and not command.fields.get("automatic") and not crossed


def _what_it_means(terms: Terms, record: Record, command: Command) -> tuple[Command, ...]:
    waits = record.phase is Phase.WAITING and record.waits_on in _REQUESTERS_WAIT
    if not _moves(record, command) or not (waits or record.phase is Phase.RESOLVED):
        return ()
    for way in terms.lifecycle.transitions:
        back = terms.lifecycle.by_id[way.dest].phase is Phase.ACTIVE
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


_OF_ITS_OWN = frozenset(
    {
        *("number", "channel", "agreement", "messages", "external_refs", "priority_reason", "priority"),
        *("group", "assignee", "hold_reason", "look_again_at"),
        *("resolution_outcome", "resolution_notes", "closure_code", "reason", "late_reason"),
    }
)
"""What a follow-up does not take over: its own names, and how the closed record was treated."""


def _follow_up(terms: Terms, closed: Record, command: Command, reference: Callable[[], str]) -> OnItsWay:
    ref = f"follow-up of {closed.id} by {command.id}"
    known = kinds_of("open", terms.custom).keys() - _OF_ITS_OWN
    fields = {name: value for name, value in closed.values.items() if name in known}
    number = reference()
    fields |= {"record": number, "number": number, "external_refs": (ref,)}
    opening = attrs.evolve(command, trigger="open", fields=fields, id=f"{command.id}#open", cause=command.id)
    record = yield from open_record(terms, opening)
    link = _because(command, "link", {"relation": "follows", "other": closed.id})
    return (yield from carry(terms, record.id, link))
