"""Commands decided on the record as it stands: the sealed events, or a refusal that is raised or noted."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from itsm_core.commands import Command
from itsm_core.errors import TransitionRefused
from itsm_core.events import SCHEMA, Event
from itsm_core.lifecycle import Refused, decide
from itsm_core.ports import Ask
from itsm_core.records import Record
from itsm_core.road.consequences import related
from itsm_core.road.terms import Terms


def decided_with(terms: Terms, record: Record, command: Command) -> Generator[Ask, Any, list[Event]]:
    """`decided`, with the records at hand that guards look at; loaded only where some guard does."""
    beside = (yield from related(record, command.fields)) if terms.lifecycle_of(record).guards else ()
    return decided(terms, record, command, beside)


def decided(
    terms: Terms,
    record: Record | None,
    command: Command,
    beside: tuple[Record, ...] = (),
    process: str | None = None,
) -> list[Event]:
    """The sealed events of a command, or `TransitionRefused`; without a record one of a process is opened."""
    lifecycle = terms.lifecycle_for(process) if record is None else terms.lifecycle_of(record)
    decision = decide(
        record,
        command,
        lifecycle,
        matrix=terms.matrix,
        tolerance=terms.tolerance,
        custom=terms.custom,
        related=beside,
        calendar=terms.calendar,
    )
    if isinstance(decision, Refused):
        subject = f"{command.trigger} {record.id}" if record is not None else command.trigger
        raise TransitionRefused(subject, decision.reasons)
    return [event.sealed(terms.salt) for event in decision.events]


def decided_or_noted(
    terms: Terms, record: Record, command: Command, beside: tuple[Record, ...] = ()
) -> list[Event]:
    """The events of a consequence; a refusal is recorded, and what led to it stands."""
    try:
        return decided(terms, record, command, beside)
    except TransitionRefused as refusal:
        return [
            Event(
                id=str(command.id),
                record=record.id,
                seq=record.version + 1,
                kind="refused",
                schema=SCHEMA,
                occurred_at=command.at,
                recorded_at=command.recorded_at or command.at,
                actor=command.actor,
                cause=command.cause,
                lifecycle=record.lifecycle,
                lifecycle_version=record.lifecycle_version,
                fields={"trigger": command.trigger, "codes": refusal.codes},
                tenant=record.tenant,
            )
        ]
