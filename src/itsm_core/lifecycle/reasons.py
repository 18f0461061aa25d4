"""Why a command is refused: each rule gives its reasons, and a refusal lists them all."""

from __future__ import annotations

import datetime as dt

from itsm_core.actors import Actor
from itsm_core.business_time.instants import micros, parse_text
from itsm_core.commands import Command
from itsm_core.errors import BeyondHorizon, InvalidValue, Reason
from itsm_core.events import PERSONAL, WaitsOn
from itsm_core.lifecycle.definition import Lifecycle, Transition
from itsm_core.records import Record


def wrong_state(record: Record, trigger: str, lifecycle: Lifecycle) -> Reason:
    """The trigger does not lead out of this state; names those that do."""
    allowed = lifecycle.triggers_from(record.state)
    return Reason(
        "wrong_state",
        f"{trigger} does not lead out of {record.state}; from there: {', '.join(allowed) or 'nothing'}",
        facts={"state": record.state, "trigger": trigger, "allowed": allowed},
    )


def role(actor: Actor, roles: frozenset[str], trigger: str, relation: frozenset[str] = frozenset()) -> Reason:
    """The actor holds none of the roles that may, nor stands in a relation that may."""
    ways = [f"the role {' or '.join(sorted(roles))}"] if roles else []
    ways += [f"being the record's {name}" for name in sorted(relation)]
    return Reason(
        "role",
        f"{actor.id} may not {trigger}: that takes {', or '.join(ways)}",
        facts={
            "actor": actor.id,
            "has": tuple(sorted(actor.roles)),
            "allowed": tuple(sorted(roles)),
            "relation": tuple(sorted(relation)),
        },
    )


def people_reasons(record: Record, actor: Actor, row: Transition) -> list[Reason]:
    """Why this actor may not fire a transition; empty if they may."""
    if row.roles & actor.roles:
        return []
    if any(record.values.get(relation) == actor.id for relation in row.relation):
        return []
    return [role(actor, row.roles, row.trigger, row.relation)]


def need_reasons(command: Command, row: Transition) -> list[Reason]:
    """The required fields that are missing or not one of their choices."""
    wrong: dict[str, Reason] = {}
    for name, allowed in (*((n.field, n.one_of) for n in row.requires if n.one_of), _HOLD_REASONS):
        value = command.fields.get(name)
        if name not in wrong and value not in (None, "") and value not in allowed:
            given = None if name in PERSONAL else value
            wrong[name] = Reason(
                "invalid_field",
                f"{name} is {'...' if given is None else repr(given)}; use one of {', '.join(allowed)}",
                facts={"field": name, "value": given, "allowed": allowed},
            )
    return [*_missing_needs(command, row), *wrong.values()]


def _missing_needs(command: Command, row: Transition) -> list[Reason]:
    found = []
    for need in row.requires:
        if command.fields.get(need.field) in (None, ""):
            choices = f": one of {', '.join(need.one_of)}" if need.one_of else f" ({need.say()})"
            said = f"{command.trigger} needs the field {need.field!r}{choices}"
            facts = {"field": need.field, "allowed": need.one_of, "clause": need.clause}
            found.append(Reason("missing_field", said, facts=facts))
    return found


def ahead_reasons(command: Command) -> list[Reason]:
    """The instants that should lie ahead of the command and do not."""
    found = []
    for name in ("look_again_at", "promise_due"):
        value = command.fields.get(name)
        try:
            late = isinstance(value, str) and parse_text(value) <= micros(command.at)
        except (InvalidValue, BeyondHorizon):
            late = False  # its type is refused elsewhere
        if late:
            said = f"{name} is {value}, which does not lie after {command.at.isoformat()}"
            found.append(Reason("invalid_field", said, facts={"field": name}))
    return found


_HOLD_REASONS = ("hold_reason", tuple(WaitsOn))


def clock_reasons(command: Command, tolerance: dt.timedelta) -> list[Reason]:
    """Why the two instants of a command cannot stand: in the future, or late without a reason."""
    recorded = command.recorded_at
    if recorded is None:
        return []
    if command.at > recorded:
        return [
            Reason(
                "in_the_future", f"{command.at.isoformat()} lies after {recorded.isoformat()}; wait for it"
            )
        ]
    if recorded - command.at > tolerance and not command.fields.get("late_reason"):
        return [
            Reason(
                "late",
                f"recorded {recorded - command.at} after the fact; say why in late_reason",
                facts={"tolerance": str(tolerance)},
            )
        ]
    return []


def too_early(record: Record, command: Command) -> Reason:
    """The command lies before the record was opened."""
    return Reason(
        "before_opening",
        f"{command.at.isoformat()} lies before the record was opened ({record.opened_at}); "
        "correct the opening first if that is wrong",
    )


def order_reasons(record: Record, command: Command) -> list[Reason]:
    """Why a transition cannot lie before the last one."""
    entered = record.entered_at
    if entered is None or command.at >= entered:
        return []
    return [
        Reason(
            "out_of_order",
            f"{command.at.isoformat()} lies before the record entered {record.state} "
            f"({entered.isoformat()}); "
            "fire transitions in order, or correct the earlier event",
        )
    ]


def version_reasons(record: Record, command: Command, lifecycle: Lifecycle) -> list[Reason]:
    """Why the command was decided on an old view of the record, or by another lifecycle."""
    reasons = []
    seen = command.expected
    if seen is not None and not record.touched <= seen <= record.version:
        reasons.append(
            Reason(
                "stale_version",
                f"the record is at version {record.version}, you saw {seen}; look again",
                facts={"expected": seen, "actual": record.version},
            )
        )
    return reasons + lifecycle_reasons(record, lifecycle)


def lifecycle_reasons(record: Record, lifecycle: Lifecycle) -> list[Reason]:
    """Why this lifecycle may not move the record."""
    if (record.lifecycle, record.lifecycle_version) == (lifecycle.id, lifecycle.version):
        return []
    told = f"{record.lifecycle} {record.lifecycle_version}, not {lifecycle.id} {lifecycle.version}"
    return [Reason("wrong_lifecycle", f"the record runs on {told}; give its own lifecycle")]


def invalid_field(wrong: InvalidValue) -> Reason:
    """The reason that a value refused by its type gives."""
    return Reason("invalid_field", str(wrong), facts={"what": wrong.what, "value": str(wrong.value)})
