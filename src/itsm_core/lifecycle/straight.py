"""The straight way: moves that nothing conditional stands in the way of, looked up and written down.

Most commands bring just the texts that their transition asks for, from somebody who may, at a time
that follows. For them the answers to all questions of `decide` are known from the definition; they
are worked out once per state and trigger, with the machine's own word for where it leads; guards are
asked each time. Whatever is not as plain as that, every refusal among it, is left to `decide`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.commands import Command
from itsm_core.events import SCHEMA, Event, Phase, personal_among
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.fields import READ, FieldType
from itsm_core.lifecycle.guards import Situation, objection
from itsm_core.lifecycle.machine import shared
from itsm_core.lifecycle.parts import Transition, fields_of
from itsm_core.records import Record
from itsm_core.values import NO_FIELDS, Fields, as_fields, joined, trusted

_event, _situation = trusted(Event), trusted(Situation)
_OWN_MEANING = frozenset({*READ, "message", "hold_reason", "security"})


class Way(NamedTuple):
    """A move from one state by one trigger: where to, who may, what it asks for, what its event says.

    `must` are the fields that it asks for, `either` those of which one each; `texts` all that may be
    brought, with their choices.
    """

    dest: str
    roles: frozenset[str]
    must: frozenset[str]
    either: tuple[tuple[str, ...], ...]
    texts: dict[str, frozenset[str]]
    guards: tuple[str, ...]
    says: Fields
    marks: Fields


def ways(lifecycle: Definition) -> dict[tuple[str, str], Way]:
    """The straight ways of a lifecycle, by state and trigger."""
    found = {}
    for state in lifecycle.by_id:
        for trigger in lifecycle.triggers_from(state):
            rows = lifecycle.rows(trigger, state)
            if len(rows) == 1 and _is_straight(rows[0], lifecycle):
                found[state, trigger] = _way(rows[0], state, lifecycle)
    return found


def _is_straight(row: Transition, lifecycle: Definition) -> bool:
    """Whether nothing but roles, texts and guards decides."""
    if row.separate_from or row.after is not None:
        return False
    if lifecycle.by_id[row.dest].phase is Phase.WAITING:
        return False
    names = fields_of(row.requires)
    plain = all(lifecycle.kinds.get(n) is FieldType.TEXT and n not in _OWN_MEANING for n in names)
    return plain and not any(need.kept for need in row.requires)


def _way(row: Transition, state: str, lifecycle: Definition) -> Way:
    (compiled,) = shared(lifecycle).events[row.trigger].transitions[state]
    to = lifecycle.by_id[str(compiled.dest)]
    said = {"trigger": row.trigger, "phase": to.phase, "outcome": to.outcome, "reopens": row.reopens}
    asks = [fields_of([need]) for need in row.requires if need.required]
    must = frozenset(names[0] for names in asks if len(names) == 1)
    either = tuple(names for names in asks if len(names) > 1)
    names = fields_of(row.requires)
    texts = dict.fromkeys(names, frozenset[str]()) | {
        n.field: frozenset(n.one_of) for n in row.requires if n.one_of
    }
    own = [field.name for field in lifecycle.fields if field.personal and field.name in names]
    marks = as_fields({**personal_among(names), **dict.fromkeys(own, "")})
    says = as_fields({name: value for name, value in said.items() if value is not None})
    return Way(to.id, row.roles, must, either, texts, row.guards, says, marks)


def straight(
    record: Record,
    command: Command,
    lifecycle: Definition,
    known: Mapping[tuple[str, str], Way],
    related: tuple[Record, ...] = (),
    calendar: BusinessCalendar | None = None,
) -> Event | None:
    """The event of a command that goes straight; None if there is anything to look at more closely."""
    way = known.get((record.state, command.trigger))
    if way is None or not (_follows(record, command, lifecycle) and _fits(command, way)):
        return None
    if way.guards:
        situation = _situation(
            record, command.actor, command.trigger, command.at, command.recorded_at, command.on_behalf_of,
            command.fields, related, calendar,
        )  # fmt: skip
        if any(objection(name, lifecycle.guards, situation) is not None for name in way.guards):
            return None
    seq, at = record.version + 1, command.at
    brought = command.fields
    says = joined(brought, way.says) if brought else way.says
    marks = way.marks if len(brought) == len(way.texts) else _among(way.marks, brought)
    return _event(
        command.id or f"{record.id}/{seq}", record.id, seq, "transitioned", at, at, command.actor, SCHEMA,
        command.on_behalf_of, command.channel, command.cause, lifecycle.id, lifecycle.version,
        record.state, way.dest, says, marks, NO_FIELDS, record.tenant,
    )  # fmt: skip


def _among(marks: Fields, brought: Fields) -> Fields:
    return Fields({name: salt for name, salt in marks.items() if name in brought})


def _fits(command: Command, way: Way) -> bool:
    """Whether somebody who may brings what is asked for, and nothing else."""
    if way.roles.isdisjoint(command.actor.roles):
        return False
    brought = command.fields
    for name, value in brought.items():
        choices = way.texts.get(name)
        if choices is None or type(value) is not str or not value or (choices and value not in choices):
            return False
    if not way.must <= brought.keys():
        return False
    return not way.either or all(any(name in brought for name in names) for names in way.either)


def _follows(record: Record, command: Command, lifecycle: Definition) -> bool:
    """Whether the command comes after what is known, at once, and to a record of this lifecycle."""
    at, seen = command.at, command.expected
    return (
        command.recorded_at is None
        and record.major_incident is None
        and record.lifecycle_version == lifecycle.version
        and record.lifecycle == lifecycle.id
        and (record.entered_at is None or at >= record.entered_at)
        and (record.opened_at is None or at >= record.opened_at)
        and (record.migrated_at is None or at >= record.migrated_at)
        and (not record.rounds or at >= record.rounds[-1].opened_at)
        and (seen is None or record.touched <= seen <= record.version)
    )
