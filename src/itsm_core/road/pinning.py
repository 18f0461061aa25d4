"""Which version of a policy a record goes by: stamped into its opening, pinned later, or switched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from itsm_core.commands import Command
from itsm_core.errors import InvalidValue
from itsm_core.escalation import EscalationPolicy, policy_for
from itsm_core.events import Event, Phase
from itsm_core.records import Record
from itsm_core.road.deciding import decided
from itsm_core.road.terms import MACHINE, Terms


def stamp_of(terms: Terms, opened: Record) -> dict[str, Any]:
    """What an opening says of the policy that watches the record from then on."""
    policy = policy_for(terms.policies, opened)
    return {} if policy is None else {"watched_by": policy.label}


def followed(terms: Terms, record: Record, events: Sequence[Event]) -> list[Event]:
    """The events of a decision as the record's policy wants them: it says who must acknowledge.

    What takes over from the policy must be one of this desk's.
    """
    (first, *more) = events
    if first.kind == "acknowledged" and _waits_for_all(terms, record):
        first = attrs.evolve(first, fields={**first.fields, "mode": "all"})
    if first.kind == "policy_migrated":
        found(terms, first.fields)
    return [first, *more]


def _waits_for_all(terms: Terms, record: Record) -> bool:
    pinned = record.escalation
    return any(
        one.ack_mode == "all"
        for one in terms.policies
        if (one.id, one.version) == (pinned.policy, pinned.version)
    )


def found(terms: Terms, said: Mapping[str, Any]) -> EscalationPolicy:
    """The policy of this desk that an event of migration names, or `InvalidValue`."""
    for one in terms.policies:
        if (one.id, one.version) == (said["policy"], said["policy_version"]):
            return one
    known = ", ".join(one.label for one in terms.policies) or "none"
    told = f"{said['policy']}@{said['policy_version']}"
    raise InvalidValue("policy", told, "is none of this desk", f"use one of these: {known}")


def watched(terms: Terms, before: Record, record: Record, command: Command) -> list[Event]:
    """The pin of a record that a policy covers from now on, or the switch to another one."""
    if record.phase is Phase.CLOSED or not terms.policies:
        return []
    if record.escalation.policy is None:
        return first_pin(terms, record, command)
    if record.values.get("priority") == before.values.get("priority"):
        return []
    return _switched(terms, before, record, command)


def first_pin(terms: Terms, record: Record, command: Command) -> list[Event]:
    """The pin of the policy that covers a record which has none."""
    policy = policy_for(terms.policies, record)
    if policy is None:
        return []
    fields = {"policy": policy.id, "policy_version": policy.version}
    return decided(terms, record, _of(command, "pin_policy", fields))


def _switched(terms: Terms, before: Record, record: Record, command: Command) -> list[Event]:
    """Another policy takes over because the priority rose, if the one that watches says so."""
    pinned = (record.escalation.policy, record.escalation.version)
    was = next((one for one in terms.policies if (one.id, one.version) == pinned), None)
    then = policy_for(terms.policies, record)
    if was is None or then is None or then.id == was.id or was.on_priority_change != "switch":
        return []
    if before.priority is not None and (record.priority is None or record.priority > before.priority):
        return []  # it fell: whoever was told stays told
    if command.trigger == "escalate" and any(one.policy == then.id for one in record.escalation.past):
        return []  # its own steps hand a record back to none: two policies would pass it on for ever
    fields = {
        "escalation_policy": then.id,
        "escalation_policy_version": then.version,
        "escalation_mode": "switch",
        "reason": f"priority {before.priority or 'none'} -> {record.priority}",
    }
    return decided(terms, record, _of(command, "migrate_policy", fields))


def _of(command: Command, trigger: str, fields: dict[str, Any]) -> Command:
    """A command of the library's own that follows from another; its id follows from that one's."""
    late = command.fields.get("late_reason")
    return Command(
        trigger,
        MACHINE,
        at=command.at,
        id=f"{command.id}#{trigger}",
        cause=command.id,
        recorded_at=command.recorded_at,
        fields={**fields, "late_reason": late} if late else fields,
    )
