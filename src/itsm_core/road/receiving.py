"""Words that come in, and what they mean for the record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from itsm_core.commands import Command
from itsm_core.events import Phase, WaitsOn
from itsm_core.records import Record
from itsm_core.road.carrying import carry, open_record
from itsm_core.road.terms import MACHINE, OnItsWay, Terms


def receive(terms: Terms, record_id: str, command: Command, *, reference: Callable[[], str]) -> OnItsWay:
    """Records words that came in, and does what they mean.

    A requester's reply takes a record off a hold that waits for the requester, reopens a
    Resolved one, and makes a linked follow-up of a Closed one. Automatic replies move nothing.
    """
    record = yield from carry(terms, record_id, command, then=lambda record: _what_it_means(record, command))
    if record.phase is Phase.CLOSED and _moves(record, command):
        return (yield from _follow_up(terms, record, command, reference))
    return record


def _moves(record: Record, command: Command) -> bool:
    return command.actor.id == record.requester and not command.fields.get("automatic")


def _what_it_means(record: Record, command: Command) -> tuple[Command, ...]:
    if not _moves(record, command):
        return ()
    if record.phase is Phase.WAITING and record.waits_on in _REQUESTERS_WAIT:
        return (_because(command, "resume", {}),)
    if record.phase is Phase.RESOLVED:
        return (_because(command, "reopen", {"reason": "the requester replied"}),)
    return ()


_REQUESTERS_WAIT = frozenset({None, WaitsOn.REQUESTER})


def _because(command: Command, trigger: str, fields: dict[str, Any]) -> Command:
    return Command(
        trigger,
        MACHINE,
        at=command.at,
        fields=fields,
        id=f"{command.id}/{trigger}",
        recorded_at=command.recorded_at,
        on_behalf_of=command.actor.id,
        cause=command.id,
    )


def _follow_up(terms: Terms, closed: Record, command: Command, reference: Callable[[], str]) -> OnItsWay:
    ref = f"follow-up of {closed.id} by {command.id}"
    carried = (
        "service",
        "customer",
        "category",
        "configuration_items",
        "impact",
        "urgency",
        "title",
        "requester",
    )
    fields = {name: closed.values[name] for name in carried if name in closed.values}
    fields |= {"record": reference(), "external_refs": (ref,)}
    opening = attrs.evolve(command, trigger="open", fields=fields, id=f"{command.id}/open", cause=command.id)
    record = yield from open_record(terms, opening)
    link = _because(command, "link", {"relation": "follows", "other": closed.id})
    return (yield from carry(terms, record.id, link))
