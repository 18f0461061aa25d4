"""The one door: `decide` accepts a command with the events it makes, or refuses with all reasons.

Nothing here does anything: a command and what is known go in, events or reasons come out.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar, Literal, NamedTuple

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.commands import Command
from itsm_core.errors import InvalidValue, Reason
from itsm_core.events import Event, Phase, WaitsOn
from itsm_core.lifecycle.beside import (
    ANYBODY,
    APPROVALS,
    BESIDE,
    BY_THE_LIBRARY,
    GRADES,
    Beside,
    missing,
    outbound,
    priority_fields,
    restricting,
)
from itsm_core.lifecycle.fields import (
    SAID,
    CustomField,
    FieldType,
    field_reasons,
    kinds_of,
    not_asked,
    type_reasons,
)
from itsm_core.lifecycle.guards import Situation, guard_reasons
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.machine import destination
from itsm_core.lifecycle.majors import major_reasons, moved_before, row_reasons
from itsm_core.lifecycle.parts import Transition, fields_of
from itsm_core.lifecycle.reasons import (
    ahead_reasons,
    carried_over_reasons,
    clock_reasons,
    invalid_field,
    need_reasons,
    no_approvals,
    no_round,
    order_reasons,
    people_reasons,
    role,
    round_reasons,
    too_early,
    unknown_trigger,
    version_reasons,
    waiver_reasons,
    wrong_state,
)
from itsm_core.lifecycle.scribe import Scribe
from itsm_core.lifecycle.straight import straight
from itsm_core.lifecycle.timers import kept_from_time, too_soon
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


class _Asked(NamedTuple):
    """A command, and all that it is judged by beside the record."""

    command: Command
    lifecycle: Lifecycle
    matrix: PriorityMatrix
    custom: tuple[CustomField, ...]
    related: tuple[Record, ...]
    calendar: BusinessCalendar | None

    def kinds(self) -> Any:
        """The fields that the command may bring."""
        return kinds_of(self.command.trigger, self.custom, self.lifecycle.kinds)

    def scribe(self, record: str, tenant: str | None) -> Scribe:
        """Who writes its events."""
        own = (*self.custom, *self.lifecycle.fields)
        return Scribe(record, tenant, self.command, self.lifecycle, own)

    def situation(self, record: Record) -> Situation:
        """What guards look at."""
        return Situation.of(record, self.command, self.related, self.calendar)


def decide(
    record: Record | None,
    command: Command,
    lifecycle: Lifecycle,
    *,
    matrix: PriorityMatrix = matrix_3x3_p5,
    tolerance: dt.timedelta = TOLERANCE,
    custom: tuple[CustomField, ...] = (),
    related: tuple[Record, ...] = (),
    calendar: BusinessCalendar | None = None,
) -> Decision:
    """What a command does to a record: `Accepted` with events, or `Refused` with all reasons.

    `record` is None for the trigger "open". A given priority is checked against `matrix`.
    `tolerance` is the wall time after which recording late needs a `late_reason`. `custom` are
    the fields the host declares beside those of the lifecycle. Guards and timer edges look at
    `related`, the records loaded beside this one, and count time on `calendar` (None: around the
    clock, in UTC).
    """
    if record is not None and not custom:
        plain = straight(record, command, lifecycle, lifecycle.ways, related, calendar)
        if plain is not None:
            return Accepted((plain,))
    reasons = clock_reasons(command, tolerance)
    asked = _Asked(command, lifecycle, matrix, custom, related, calendar)
    if record is None:
        return _opening(asked, reasons)
    reasons += version_reasons(record, command, lifecycle)
    if record.opened_at is not None and command.at < record.opened_at:
        reasons.append(too_early(record, command))
    beside = BESIDE.get(command.trigger)
    if beside is not None:
        return _beside(record, asked, beside, reasons)
    return _transition(record, asked, reasons)


# --- opening ----------------------------------------------------------------------------------


def _opening(asked: _Asked, reasons: list[Reason]) -> Decision:
    command, lifecycle = asked.command, asked.lifecycle
    if command.trigger != "open":
        reasons.append(Reason("not_open", f"{command.trigger}: there is no record yet; open one first"))
    record_id = command.fields.get("record")
    reasons += missing(("record", "title"), command)
    reasons += need_reasons(command, lifecycle.opening)
    if command.trigger == "open" and "open" in lifecycle.guards_beside:
        objections = _guards_beside(lifecycle.record("new"), asked)  # there is none yet: fields alone
        told = {_about(reason) for reason in reasons}
        reasons += [reason for reason in objections if _about(reason) not in told]
    reasons += carried_over_reasons(command)
    kinds = kinds_of("open", asked.custom, lifecycle.kinds)
    wanted = fields_of(lifecycle.opening)
    reasons += field_reasons(command.fields, {**kinds, "record": FieldType.TEXT}, wanted)
    fields = {name: value for name, value in command.fields.items() if name != "record"}
    fields = _graded(restricting(fields), asked.matrix, None, reasons)
    if reasons:
        return Refused(tuple(reasons))
    state = lifecycle.by_id[lifecycle.initial]
    fields |= {"process": lifecycle.process, "phase": state.phase.value}
    known = {name: value for name, value in fields.items() if value is not None}
    scribe = asked.scribe(str(record_id), known.get("tenant"))
    return Accepted((scribe.event(1, "opened", known, states=(None, state.id)),))


def _about(reason: Reason) -> Any:
    """What a reason is about: a field, or else itself."""
    return (reason.code, dict(reason.facts)["field"]) if "field" in dict(reason.facts) else reason


def _graded(
    fields: dict[str, Any], matrix: PriorityMatrix, known: Record | None, reasons: list[Reason]
) -> dict[str, Any]:
    """The fields with their priority made whole; a grade that is refused already is refused once."""
    if GRADES.isdisjoint(fields):
        return fields
    if any(value in GRADES for reason in reasons for name, value in reason.facts if name == "field"):
        return fields
    try:
        return priority_fields(fields, matrix, known)
    except InvalidValue as wrong:
        reasons.append(invalid_field(wrong))
        return fields


# --- beside the state -------------------------------------------------------------------------


def _beside(record: Record, asked: _Asked, beside: Beside, reasons: list[Reason]) -> Decision:
    command, lifecycle = asked.command, asked.lifecycle
    if beside.roles is not ANYBODY and not beside.roles & command.actor.roles:
        reasons.append(role(command.actor, beside.roles, command.trigger))
    if record.phase is Phase.CLOSED and not beside.when_closed:
        reasons.append(wrong_state(record, command.trigger, lifecycle))
    wrong = _field_reasons(asked) + ahead_reasons(command)
    lacking = _lacking(command, beside, wrong)
    reasons += lacking
    reasons += major_reasons(record, command.trigger, command.at, lifecycle)
    if command.trigger in _VOTED_ON:
        reasons += [*no_round(record, command.trigger), *round_reasons(record, command)]
    if command.trigger == "waive":
        wrong += waiver_reasons(command, lifecycle)
    reasons += _guards_beside(record, asked)
    fields: dict[str, Any] = {}
    if not (lacking or wrong) and _UNANSWERED.isdisjoint(reason.code for reason in reasons):
        try:
            fields = beside.make(record, command, asked.matrix)
        except InvalidValue as invalid:
            wrong.append(invalid_field(invalid))
    if reasons + wrong:
        return Refused((*reasons, *wrong))
    scribe = asked.scribe(record.id, record.tenant)
    return Accepted((scribe.event(record.version + 1, beside.kind, fields),))


def _lacking(command: Command, beside: Beside, wrong: list[Reason]) -> list[Reason]:
    """What the command does not bring of what it has to; a field of a wrong type is refused as that alone."""
    of_types = {_about(reason) for reason in wrong}
    asked = need_reasons(command, beside.needs) if beside.needs else []
    return missing(beside.names, command) + [one for one in asked if _about(one) not in of_types]


_UNANSWERED = frozenset({"no_round", "no_majors", "major_status"})
"""Refusals after which nobody asks what the event would say."""


def _guards_beside(record: Record, asked: _Asked) -> list[Reason]:
    names = asked.lifecycle.guards_beside.get(asked.command.trigger)
    if names:
        return guard_reasons(names, asked.lifecycle.guards, asked.situation(record))
    if asked.command.trigger in APPROVALS:
        return [no_approvals(asked.lifecycle)]
    return []


_VOTED_ON = frozenset({*APPROVALS, "amend", "assign", "reprioritise", "correct"})


def _field_reasons(asked: _Asked) -> list[Reason]:
    """What is wrong with the fields; a correction's new value is judged as the field it mends."""
    command = asked.command
    if command.trigger in BY_THE_LIBRARY:
        return []  # the library's own, and nobody else may
    fields = command.fields
    wrong = field_reasons(fields, asked.kinds())
    if command.trigger == "correct" and isinstance(fields.get("field"), str):
        of_records = kinds_of("open", asked.custom, asked.lifecycle.kinds)
        kinds = {**SAID["communicate"], **SAID["link"], **of_records}
        wrong += type_reasons({fields["field"]: fields.get("now")}, kinds)
    return wrong


# --- transitions ------------------------------------------------------------------------------


def _transition(record: Record, asked: _Asked, reasons: list[Reason]) -> Decision:
    command, lifecycle = asked.command, asked.lifecycle
    rows = lifecycle.by_trigger.get(command.trigger)
    if rows is None:
        reasons.append(unknown_trigger(command.trigger, lifecycle))
        return Refused(tuple(reasons))
    row, objections, situation = _best(record, rows, asked)
    if row is None:
        reasons.append(wrong_state(record, command.trigger, lifecycle))
    shown = row or rows[0]
    reasons += people_reasons(record, command.actor, shown, command.at, command.on_behalf_of)
    reasons += need_reasons(command, shown.requires, record)
    brought = _brought(asked, shown, reasons)
    reasons += objections
    reasons += ahead_reasons(command)
    reasons += (
        order_reasons(record, command) or round_reasons(record, command) or moved_before(record, command)
    )
    if row is not None and row.after is not None:
        reasons += too_soon(record, row, command.at, asked.calendar)
        reasons += kept_from_time(record, row, lifecycle)
    fields = _graded(brought, asked.matrix, record, reasons)
    if reasons:
        return Refused(tuple(reasons))
    # What a major incident bars, the machine of the package does not know.
    plain = row is None or record.major_incident is None
    dest = destination(lifecycle, record.state, command.trigger, *situation) if plain else shown.dest
    if dest is None:  # the machine and the rows are made of one definition, so only a guard can differ
        remedy = "a guard answers by the situation alone, and the same each time"
        raise InvalidValue("guards", shown.guards, "answered one thing, then another", remedy)
    return Accepted(_moved(record, asked, fields, shown, dest))


def _best(
    record: Record, rows: tuple[Transition, ...], asked: _Asked
) -> tuple[Transition | None, list[Reason], tuple[Situation, ...]]:
    """The first row out of the state to which no guard objects, else the one with the fewest objections."""
    candidates = [row for row in rows if record.state in row.sources]
    if not candidates:
        return None, [], ()
    if record.major_incident is None and not any(row.guards for row in candidates):
        return candidates[0], [], ()
    situation, judged = asked.situation(record), []
    for row in candidates:
        objections = row_reasons(row, asked.lifecycle, situation)
        if not objections:
            return row, [], (situation,)
        judged.append((row, objections))
    row, objections = min(judged, key=lambda pair: len(pair[1]))
    return row, objections, (situation,)


def _brought(asked: _Asked, row: Transition, reasons: list[Reason]) -> dict[str, Any]:
    """The fields that count; a requester says what is asked, and changes nothing else."""
    command, kinds = asked.command, asked.kinds()
    wanted = fields_of(row.requires)
    brought = dict(command.fields)
    if not row.roles & command.actor.roles and row.after is None:
        allowed = {*wanted, *SAID["acknowledge"]}
        beyond = [name for name in brought if name in kinds and name not in allowed]
        reasons += [not_asked(name) for name in beyond]
        brought = {name: value for name, value in brought.items() if name not in beyond}
    reasons += field_reasons(brought, kinds, wanted)
    return restricting(brought)


def _still_waits(record: Record) -> WaitsOn | None:
    """Whom the record waits for by the reason of its hold, which it keeps from wait to wait."""
    return record.waits_on if record.hold_reason == record.waits_on else None


def _moved(
    record: Record, asked: _Asked, fields: dict[str, Any], row: Transition, dest: str
) -> tuple[Event, ...]:
    command, state = asked.command, asked.lifecycle.by_id[dest]
    scribe = asked.scribe(record.id, record.tenant)
    message = fields.pop("message", None)
    fields["trigger"], fields["phase"] = command.trigger, state.phase
    if state.outcome:
        fields["outcome"] = state.outcome
    waits = state.waits_on or fields.get("hold_reason", _still_waits(record))
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
