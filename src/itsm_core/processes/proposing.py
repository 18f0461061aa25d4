"""What an event proposes for the records it is linked with: commands for somebody to take up.

A proposal is a command that somebody may carry out, change or ignore. It passes the one door like any
other, and taken up twice it is one command. Nothing here does anything.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from itsm_core.actors import Actor
from itsm_core.commands import Command
from itsm_core.errors import InvalidValue
from itsm_core.events import PERSONAL, Event, Phase
from itsm_core.lifecycle.beside import BESIDE
from itsm_core.lifecycle.parts import say
from itsm_core.processes.conditions import OWNS_TASK, STAFF
from itsm_core.processes.propagation import ANY, PROPAGATIONS, Propagation, rows_of
from itsm_core.processes.service_request import rolled_up
from itsm_core.records import Record
from itsm_core.values import NO_FIELDS, Fields, as_fields, digest, each, only

_NOTHING = (None, "", ())


@attrs.frozen(kw_only=True)
class Proposal:
    """A command that somebody may carry out: on which record, by which row, and because of which event."""

    record: str
    trigger: str
    fields: Fields = attrs.field(repr=lambda fields: "{" + ", ".join(fields) + "}")  # values may be personal
    row: str
    cause: str
    why: str

    @property
    def id(self) -> str:
        """The id of the command, whoever takes the proposal up: taken up twice it is one command."""
        return f"proposal/{digest([self.cause, self.row, self.record])}"

    def command(self, actor: Actor, *, at: dt.datetime, fields: Mapping[str, Any] = NO_FIELDS) -> Command:
        """The command of whoever takes it up, at an instant; `fields` add to the proposed ones or mend them.

        An instant proposed (when to look again) may have come by then, and the command is refused: give
        another one.
        """
        held = {**self.fields, **fields}
        return Command(self.trigger, actor, at=at, fields=held, id=self.id, cause=self.cause)


# --- what an event proposes -------------------------------------------------------------------


def proposals(
    record: Record,
    event: Event,
    linked: Iterable[Record],
    table: Iterable[Propagation] = PROPAGATIONS,
    *,
    lang: str = "en",
) -> tuple[Proposal, ...]:
    """What an event of a record proposes for the records it is linked with, by the rows of a table.

    `record` is the one after the event; where it has moved on since, the event proposes nothing. `linked`
    are the records at hand: those that are linked to it, either way, and the tasks of the record that a
    task is part of. In the order of the table, then of the ids. Words that the record holds are not
    copied where it is restricted, nor out of its tenant; the row's own words stand in their place.
    """
    rows = rows_of(table)
    _same_record(only(Record, record, "record", "give the record after the event"), event)
    given = each(Record, linked, "linked", "give the records that it is linked with")
    if event.to_state not in (None, record.state):
        return ()
    at_hand = {one.id: one for one in sorted((*given, record), key=_newest)}
    others = [at_hand[name] for name in sorted(at_hand) if name != record.id]
    found = (
        _proposed(row, record, event, other, lang)
        for row in rows
        if _happens(row, record, event)
        for other in others
        if _concerns(row, record, event, other) and _comes_to(row, other, at_hand)
    )
    return tuple(one for one in found if one is not None)


def _newest(record: Record) -> int:
    return record.version


def _same_record(record: Record, event: Event) -> None:
    if only(Event, event, "event", "give an event of the record").record != record.id:
        told = f"is of {event.record}, not of {record.id}"
        raise InvalidValue("event", event.id, told, "give an event of the record")


def _trigger(event: Event) -> str:
    """The trigger of the command that made an event."""
    if event.kind == "transitioned":
        return str(event.fields.get("trigger"))
    came_in = event.kind == "communicated" and event.fields.get("direction") == "inbound"
    return "receive" if came_in else _TRIGGERS.get(event.kind, event.kind)


_TRIGGERS = {"opened": "open", **{row.kind: name for name, row in reversed(BESIDE.items())}}


def _happens(row: Propagation, record: Record, event: Event) -> bool:
    """Whether the event is what the row looks for."""
    if record.process != row.process or not {ANY, _trigger(event)} & set(row.on):
        return False
    if row.by_staff and not _by_staff(record, event):
        return False
    if row.brings and all(event.fields.get(name) in _NOTHING for name in row.brings):
        return False
    return all(_is_one(record.values.get(name), allowed) for name, allowed in row.where.items())


def _by_staff(record: Record, event: Event) -> bool:
    hands = {event.actor.id, event.on_behalf_of} - {None}
    return bool(event.actor.roles & STAFF) and record.requester not in hands


def _is_one(value: Any, allowed: tuple[str, ...]) -> bool:
    if value in _NOTHING or not allowed:
        return value not in _NOTHING
    return any(one in allowed for one in value) if isinstance(value, tuple) else value in allowed


def _concerns(row: Propagation, record: Record, event: Event, other: Record) -> bool:
    """Whether the other record is linked so, and stands so."""
    if other.process != row.other or not _is_linked(row, record, event, other):
        return False
    waits = other.phase is not Phase.WAITING or not row.waits_on or other.waits_on in row.waits_on
    return row.meets(other.state, other.phase) and waits and (not row.newer or _is_newer(record, other))


def _is_linked(row: Propagation, record: Record, event: Event, other: Record) -> bool:
    if event.kind == "linked":
        return (event.fields.get("relation"), event.fields.get("other")) == (row.relation, other.id)
    return (row.relation, other.id) in record.links or (row.inverse, record.id) in other.links


def _is_newer(record: Record, other: Record) -> bool:
    opened, since = record.opened_at, other.entered_at
    return opened is not None and since is not None and opened > since


def _comes_to(row: Propagation, other: Record, at_hand: Mapping[str, Record]) -> bool:
    """Whether the tasks of the other come to what the row wants; unknown where one is not at hand."""
    if row.rolls_up is None:
        return True
    tasks = [at_hand.get(task) for relation, task in other.links if relation == OWNS_TASK]
    found = rolled_up([task for task in tasks if task is not None])
    if found == "skipped" and other.values.get("delivered"):
        found = "incomplete"
    return None not in tasks and found == row.rolls_up


def _proposed(row: Propagation, record: Record, event: Event, other: Record, lang: str) -> Proposal | None:
    """The proposal of a row; None where its command could only be refused, or would change nothing."""
    fields = _fields(row, record, other, lang)
    linked = (fields.get("relation"), fields.get("other"))
    unheard = fields.get("audience", "requester") == "requester" and other.requester is None
    if row.asks == "link" and (linked in other.links or other.id == linked[1]):
        return None
    if row.asks == "communicate" and (unheard or not fields.get("text")):
        return None
    why = f"{record.number or record.id}: {_trigger(event)} ({row.source})"
    return Proposal(record=other.id, trigger=row.asks, fields=fields, row=row.id, cause=event.id, why=why)


def _fields(row: Propagation, record: Record, other: Record, lang: str) -> Fields:
    known = {"id": record.id, **record.values}
    copied = {theirs: known[ours] for theirs, ours in row.copies.items() if known.get(ours) not in _NOTHING}
    if record.restricted or record.tenant not in (None, other.tenant):
        hidden = PERSONAL | record.personal
        copied = {n: value for n, value in copied.items() if not {n, row.copies[n]} & hidden}
    said = {name: say(texts, lang, texts[0][1]) for name, texts in row.words.items()}
    return as_fields({**row.says, **said, **copied})
