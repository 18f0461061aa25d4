"""Why a command is refused: each rule gives its reasons, and a refusal lists them all."""

from __future__ import annotations

import datetime as dt

from itsm_core.actors import Actor
from itsm_core.commands import Command
from itsm_core.errors import InvalidValue, Reason
from itsm_core.events import WaitsOn
from itsm_core.lifecycle.beside import missing
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


def role(actor: Actor, roles: frozenset[str], trigger: str) -> Reason:
    """The actor holds none of the roles that may."""
    wanted = " or ".join(sorted(roles))
    return Reason(
        "role",
        f"{actor.id} may not {trigger}: that takes the role {wanted}",
        facts={"actor": actor.id, "has": tuple(sorted(actor.roles)), "allowed": tuple(sorted(roles))},
    )


def people_reasons(record: Record, actor: Actor, row: Transition) -> list[Reason]:
    """Why this actor may not fire a transition; empty if they may."""
    if row.roles & actor.roles:
        return []
    if any(record.values.get(relation) == actor.id for relation in row.relation):
        return []
    return [role(actor, row.roles | row.relation, row.trigger)]


def need_reasons(command: Command, row: Transition) -> list[Reason]:
    """The required fields that are missing or not one of their choices."""
    wrong: dict[str, Reason] = {}
    for name, allowed in (*((n.field, n.one_of) for n in row.requires if n.one_of), _HOLD_REASONS):
        value = command.fields.get(name)
        if name not in wrong and value not in (None, "") and value not in allowed:
            wrong[name] = Reason(
                "invalid_field",
                f"{name} is {value!r}; use one of {', '.join(allowed)}",
                facts={"field": name, "value": value, "allowed": allowed},
            )
    return [*missing(tuple(need.field for need in row.requires), command), *wrong.values()]


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
