"""The one door: `decide` accepts a command with the events it makes, or refuses with all reasons.

Nothing here does anything. `options` asks the same questions for every trigger and so shows
exactly the buttons that would work, and why the others would not.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar, Literal

import attrs

from itsm_core.actors import Actor
from itsm_core.commands import Command
from itsm_core.errors import InvalidValue, Reason
from itsm_core.events import SCHEMA, Event, Phase, WaitsOn
from itsm_core.lifecycle.beside import ANYBODY, BESIDE, GRADES, Beside, missing, outbound, priority_fields
from itsm_core.lifecycle.definition import Lifecycle, Need, Transition
from itsm_core.lifecycle.fields import (
    SAID,
    CustomField,
    FieldType,
    field_reasons,
    kinds_of,
    not_asked,
    personal_marks,
    type_reasons,
)
from itsm_core.lifecycle.machine import destination
from itsm_core.lifecycle.reasons import (
    ahead_reasons,
    clock_reasons,
    invalid_field,
    lifecycle_reasons,
    need_reasons,
    order_reasons,
    people_reasons,
    role,
    too_early,
    version_reasons,
    wrong_state,
)
from itsm_core.priority import PriorityMatrix, matrix_3x3_p5
from itsm_core.records import Record

TOLERANCE = dt.timedelta(hours=1)
"""How long after the fact something may be recorded without a reason (ISO/IEC 20000-1, 7.5)."""


@attrs.frozen
class Accepted:
    """The events that the command makes; commit them and the record follows."""

    events: tuple[Event, ...]
    reasons: ClassVar[tuple[Reason, ...]] = ()
    accepted: ClassVar[Literal[True]] = True

    def __str__(self) -> str:
        return "accepted: " + ", ".join(event.kind for event in self.events)


@attrs.frozen
class Refused:
    """Every reason why the command makes nothing."""

    reasons: tuple[Reason, ...]
    events: ClassVar[tuple[Event, ...]] = ()
    accepted: ClassVar[Literal[False]] = False

    def __str__(self) -> str:
        return "refused: " + "; ".join(str(reason) for reason in self.reasons)

    @property
    def codes(self) -> tuple[str, ...]:
        """The stable codes of the reasons."""
        return tuple(reason.code for reason in self.reasons)


Decision = Accepted | Refused


@attrs.frozen(kw_only=True)
class Option:
    """A button: what it is called, where it leads, what it needs, and why it is grey if it is."""

    trigger: str
    label: str
    enabled: bool
    destination: str | None = None
    needs: tuple[Need, ...] = ()
    reasons: tuple[Reason, ...] = ()
    instructions: str = ""


def decide(
    record: Record | None,
    command: Command,
    lifecycle: Lifecycle,
    *,
    matrix: PriorityMatrix = matrix_3x3_p5,
    tolerance: dt.timedelta = TOLERANCE,
    custom: tuple[CustomField, ...] = (),
) -> Decision:
    """What a command does to a record: `Accepted` with events, or `Refused` with all reasons.

    `record` is None for the trigger "open". A given priority is checked against `matrix`.
    `tolerance` is the wall time after which recording late needs a `late_reason`. `custom` are
    the fields the host declares beside the `STANDARD` ones.
    """
    reasons = clock_reasons(command, tolerance)
    if record is None:
        return _opening(command, lifecycle, matrix, custom, reasons)
    reasons += version_reasons(record, command, lifecycle)
    if record.opened_at is not None and command.at < record.opened_at:
        reasons.append(too_early(record, command))
    beside = BESIDE.get(command.trigger)
    if beside is not None:
        return _beside(record, command, beside, matrix, lifecycle, custom, reasons)
    return _transition(record, command, matrix, lifecycle, custom, reasons)


def options(record: Record, actor: Actor, lifecycle: Lifecycle, *, lang: str = "en") -> tuple[Option, ...]:
    """Every trigger of the lifecycle as a button for this actor, disabled ones with reasons."""
    found = []
    for trigger, rows in lifecycle.by_trigger.items():
        row = _row(rows, record.state)
        reasons = lifecycle_reasons(record, lifecycle)
        if row is None:
            reasons.append(wrong_state(record, trigger, lifecycle))
        shown = row or rows[0]
        reasons += people_reasons(record, actor, shown)
        found.append(
            Option(
                trigger=trigger,
                label=shown.say(lang),
                enabled=not reasons,
                needs=shown.requires,
                destination=None if row is None else destination(lifecycle, record.state, trigger),
                reasons=tuple(reasons),
                instructions=dict(shown.instructions).get(lang, ""),
            )
        )
    return tuple(found)


# --- opening ----------------------------------------------------------------------------------


def _opening(
    command: Command,
    lifecycle: Lifecycle,
    matrix: PriorityMatrix,
    custom: tuple[CustomField, ...],
    reasons: list[Reason],
) -> Decision:
    if command.trigger != "open":
        reasons.append(Reason("not_open", f"{command.trigger}: there is no record yet; open one first"))
    record_id = command.fields.get("record")
    reasons += missing(("record", "title"), command)
    reasons += field_reasons(command.fields, {**kinds_of("open", custom), "record": FieldType.TEXT})
    fields = {name: value for name, value in command.fields.items() if name != "record"}
    fields = _graded(fields, matrix, None, reasons)
    if reasons:
        return Refused(tuple(reasons))
    state = lifecycle.by_id[lifecycle.initial]
    fields |= {"process": lifecycle.process, "phase": state.phase}
    known = {name: value for name, value in fields.items() if value is not None}
    scribe = _Scribe(str(record_id), known.get("tenant"), command, lifecycle, custom)
    return Accepted((scribe.event(1, "opened", known, states=(None, state.id)),))


def _graded(
    fields: dict[str, Any], matrix: PriorityMatrix, known: Record | None, reasons: list[Reason]
) -> dict[str, Any]:
    """The fields with their priority made whole; a grade that is refused already is refused once."""
    if any(value in GRADES for reason in reasons for name, value in reason.facts if name == "field"):
        return fields
    try:
        return priority_fields(fields, matrix, known)
    except InvalidValue as wrong:
        reasons.append(invalid_field(wrong))
        return fields


# --- beside the state -------------------------------------------------------------------------


def _beside(
    record: Record,
    command: Command,
    beside: Beside,
    matrix: PriorityMatrix,
    lifecycle: Lifecycle,
    custom: tuple[CustomField, ...],
    reasons: list[Reason],
) -> Decision:
    if beside.roles is not ANYBODY and not beside.roles & command.actor.roles:
        reasons.append(role(command.actor, beside.roles, command.trigger))
    if record.phase is Phase.CLOSED and not beside.when_closed:
        reasons.append(wrong_state(record, command.trigger, lifecycle))
    reasons += missing(beside.requires, command)
    wrong = _field_reasons(command, custom) + ahead_reasons(command)
    fields: dict[str, Any] = {}
    if not wrong:
        try:
            fields = beside.make(record, command, matrix)
        except InvalidValue as invalid:
            wrong.append(invalid_field(invalid))
    if reasons + wrong:
        return Refused((*reasons, *wrong))
    scribe = _Scribe(record.id, record.tenant, command, lifecycle, custom)
    return Accepted((scribe.event(record.version + 1, beside.kind, fields),))


def _field_reasons(command: Command, custom: tuple[CustomField, ...]) -> list[Reason]:
    """What is wrong with the fields; a correction's new value is judged as the field it mends."""
    if command.trigger == "escalate":
        return []  # the library's own, and nobody else may
    fields = command.fields
    wrong = field_reasons(fields, kinds_of(command.trigger, custom))
    if command.trigger == "correct" and isinstance(fields.get("field"), str):
        kinds = {**SAID["communicate"], **SAID["link"], **kinds_of("open", custom)}
        wrong += type_reasons({fields["field"]: fields.get("now")}, kinds)
    return wrong


# --- transitions ------------------------------------------------------------------------------


def _transition(
    record: Record,
    command: Command,
    matrix: PriorityMatrix,
    lifecycle: Lifecycle,
    custom: tuple[CustomField, ...],
    reasons: list[Reason],
) -> Decision:
    rows = lifecycle.by_trigger.get(command.trigger)
    if rows is None:
        known = ", ".join((*lifecycle.by_trigger, *(t for t in BESIDE if t != "escalate")))
        reasons.append(Reason("unknown_trigger", f"{command.trigger!r} is no trigger; use one of {known}"))
        return Refused(tuple(reasons))
    row = _row(rows, record.state)
    if row is None:
        reasons.append(wrong_state(record, command.trigger, lifecycle))
    shown = row or rows[0]
    reasons += people_reasons(record, command.actor, shown)
    reasons += need_reasons(command, shown)
    needs = [need.field for need in shown.requires]
    kinds = kinds_of(command.trigger, custom)
    brought = dict(command.fields)
    if not shown.roles & command.actor.roles:  # a requester says what is asked, and changes nothing else
        asked = {*needs, *SAID["acknowledge"]}
        beyond = [name for name in brought if name in kinds and name not in asked]
        reasons += [not_asked(name) for name in beyond]
        brought = {name: value for name, value in brought.items() if name not in beyond}
    reasons += field_reasons(brought, kinds, needs)
    reasons += ahead_reasons(command)
    reasons += order_reasons(record, command)
    fields = _graded(brought, matrix, record, reasons)
    dest = destination(lifecycle, record.state, command.trigger)
    if reasons or dest is None:
        return Refused(tuple(reasons))
    scribe = _Scribe(record.id, record.tenant, command, lifecycle, custom)
    return Accepted(_moved(record, scribe, fields, shown, dest))


def _moved(
    record: Record, scribe: _Scribe, fields: dict[str, Any], row: Transition, dest: str
) -> tuple[Event, ...]:
    command, state = scribe.command, scribe.lifecycle.by_id[dest]
    message = fields.pop("message", None)
    fields["trigger"], fields["phase"] = command.trigger, state.phase
    if state.outcome:
        fields["outcome"] = state.outcome
    waits = state.waits_on or fields.get("hold_reason")
    if state.phase is Phase.WAITING and waits:
        fields["waits_on"] = WaitsOn(waits)
    if row.reopens:
        fields["reopens"] = row.reopens
    seq, made = record.version + 1, []
    if message:
        kind, said = outbound(message, command, record)
        made.append(scribe.event(seq, kind, said, part=2))
        seq += 1
    made.append(scribe.event(seq, "transitioned", fields, states=(record.state, dest)))
    return tuple(made)


def _row(rows: tuple[Transition, ...], state: str) -> Transition | None:
    for row in rows:
        if state in row.sources:
            return row
    return None


# --- events -----------------------------------------------------------------------------------


@attrs.frozen
class _Scribe:
    """Writes down the events of one command; their ids follow from its id, so a repeat makes the same."""

    record: str
    tenant: str | None
    command: Command
    lifecycle: Lifecycle
    custom: tuple[CustomField, ...]

    def event(
        self,
        seq: int,
        kind: str,
        fields: dict[str, Any],
        *,
        part: int = 1,
        states: tuple[str | None, str | None] = (None, None),
    ) -> Event:
        command = self.command
        name = command.id or f"{self.record}/{seq}"
        return Event(
            id=f"{name}#{part}" if part > 1 else name,
            record=self.record,
            seq=seq,
            kind=kind,
            schema=SCHEMA,
            occurred_at=command.at,
            recorded_at=command.recorded_at or command.at,
            actor=command.actor,
            on_behalf_of=command.on_behalf_of,
            channel=command.channel,
            cause=command.cause,
            lifecycle=self.lifecycle.id,
            lifecycle_version=self.lifecycle.version,
            from_state=states[0],
            to_state=states[1],
            fields=fields,
            personal=personal_marks(fields, self.custom),
            tenant=self.tenant,
        )
