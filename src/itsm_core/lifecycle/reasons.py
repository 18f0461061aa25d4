"""Why a command is refused: each rule gives its reasons, and a refusal lists them all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from itsm_core.actors import Actor, ActorKind
from itsm_core.business_time.instants import micros, parse_text
from itsm_core.commands import Command
from itsm_core.errors import BeyondHorizon, InvalidValue, Reason
from itsm_core.events import PERSONAL, WaitsOn
from itsm_core.lifecycle.beside import COMMANDS
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.parts import Need, Transition
from itsm_core.lifecycle.rewriting import near
from itsm_core.records import Record, Waiver


def wrong_state(record: Record, trigger: str, lifecycle: Lifecycle) -> Reason:
    """The trigger does not lead out of this state; names those that do."""
    leaving = lifecycle.triggers_from(record.state)
    allowed = tuple(t for t in leaving if any(row.after is None for row in lifecycle.rows(t, record.state)))
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


def people_reasons(
    record: Record, actor: Actor, row: Transition, at: dt.datetime | None = None, behalf: str | None = None
) -> list[Reason]:
    """Why this actor may not fire a transition; empty if they may.

    `behalf` is for whom they act; duties are kept apart from that person's, too.
    """
    if row.after is not None:
        return [] if "itsm_core" in actor.roles else [_timed(row)]
    found = separation_reasons(record, actor, row, at, behalf) if row.separate_from else []
    if row.roles & actor.roles or any(record.values.get(name) == actor.id for name in row.relation):
        return found
    return [role(actor, row.roles, row.trigger, row.relation), *found]


def _timed(row: Transition) -> Reason:
    said = f"{row.trigger} happens by itself after {row.after}; nobody fires it"
    return Reason("timer", said, facts={"trigger": row.trigger, "after": str(row.after)})


def separation_reasons(
    record: Record, actor: Actor, row: Transition, at: dt.datetime | None, behalf: str | None = None
) -> list[Reason]:
    """The duties that a transition keeps apart and this actor would join, unless a waiver covers it."""
    hands = [hand for hand in (actor.id, behalf, actor.approved_by) if hand is not None]
    found = []
    for earlier in row.separate_from:
        done = record.hands_of(earlier)
        both = next((hand for hand in hands if hand in done), None)
        if both is not None and not waivers_for(record, row.trigger, earlier, at):
            said = f"{both} had a hand in {earlier} here"
            remedy = f"{row.trigger} takes somebody else, or a waiver on record"
            facts = {"actor": both, "trigger": row.trigger, "separate_from": earlier}
            found.append(Reason("separation", f"{said}; {remedy}", facts=facts))
    return found


def waivers_for(
    record: Record, trigger: str, separate_from: str, at: dt.datetime | None
) -> tuple[Waiver, ...]:
    """The waivers that let one person do both."""
    return tuple(waiver for waiver in record.waivers if waiver.covers(trigger, separate_from, at))


def need_reasons(command: Command, needs: Sequence[Need], record: Record | None = None) -> list[Reason]:
    """The needed fields that are missing or not one of their choices."""
    wrong: dict[str, Reason] = {}
    for name, allowed in (*((n.field, n.one_of) for n in needs if n.one_of), _HOLD_REASONS):
        value = command.fields.get(name)
        if name not in wrong and value not in _NOTHING and value not in allowed:
            given = None if name in PERSONAL else value
            said = f"{name} takes" if given is None else f"{name} is {given!r}; use"
            wrong[name] = Reason(
                "invalid_field",
                f"{said} one of {', '.join(allowed)}",
                facts={"field": name, "value": given, "allowed": allowed},
            )
    lacking = [_lacking(command, need) for need in missing_needs(needs, command.fields, record)]
    return [*lacking, *wrong.values()]


def missing_needs(
    needs: Sequence[Need], fields: Mapping[str, object], record: Record | None = None
) -> list[Need]:
    """The needs that neither these fields answer nor, where that is enough, what the record knows.

    What a field brings empty would be forgotten, so it is no answer that the record knew it.
    """
    if not needs:
        return []
    known: Mapping[str, object] = {} if record is None else record.values
    return [need for need in needs if need.required and not _answered(need, fields, known)]


def _answered(need: Need, fields: Mapping[str, object], known: Mapping[str, object]) -> bool:
    for name in (need.field, need.otherwise):
        value = fields.get(name) if name else None
        if need.kept and name and name not in fields:
            value = known.get(name)
            if need.one_of and name == need.field and value not in need.one_of:
                value = None  # known by another lifecycle, or from elsewhere
        if value not in _NOTHING:
            return True
    return False


_NOTHING = (None, "", ())
"""What answers no need: an empty list is none either."""


def _lacking(command: Command, need: Need) -> Reason:
    choices = f": one of {', '.join(need.one_of)}" if need.one_of else _in_words(need)
    other = f", or {need.otherwise!r} in its place" if need.otherwise else ""
    facts = {"field": need.field, "allowed": need.one_of, "clause": need.clause}
    if need.otherwise:
        facts["otherwise"] = need.otherwise
    return Reason(
        "missing_field", f"{command.trigger} needs the field {need.field!r}{choices}{other}", facts=facts
    )


def _in_words(need: Need) -> str:
    """The label of a field in brackets, if it says more than its name."""
    label, name = (text.replace("_", " ").casefold() for text in (need.say(), need.field))
    return "" if label == name else f" ({need.say()})"


def no_approvals(lifecycle: Lifecycle) -> Reason:
    """The lifecycle names no guard for approvals, so nobody would look at the votes."""
    said = f"{lifecycle.id} {lifecycle.version} asks for no approval"
    remedy = 'name guards for it: beside={"request_approval": ..., "vote": ...}'
    return Reason("no_approvals", f"{said}; {remedy}", facts={"lifecycle": lifecycle.id})


def ahead_reasons(command: Command) -> list[Reason]:
    """The instants that should lie ahead of the command and do not."""
    found = []
    for name in ("look_again_at", "promise_due", *(("until",) if command.trigger in _UNTIL else ())):
        value = command.fields.get(name)
        try:
            late = isinstance(value, str) and parse_text(value) <= micros(command.at)
        except (InvalidValue, BeyondHorizon):
            late = False  # its type is refused elsewhere
        if late:
            said = f"{name} is {value}, which does not lie after {command.at.isoformat()}"
            found.append(Reason("invalid_field", said, facts={"field": name}))
    return found


_UNTIL = frozenset({"waive", "snooze"})


def carried_over_reasons(command: Command) -> list[Reason]:
    """That a history holds no messages is for an integration to say: it spares the desk a breach."""
    if command.fields.get("messages") is None or command.actor.kind in _INTEGRATIONS:
        return []
    said = "messages is for the automation to say that carries a history over; leave it out"
    return [Reason("reserved_field", said, facts={"field": "messages"})]


_INTEGRATIONS = frozenset({ActorKind.AUTOMATION, ActorKind.MONITORING})
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
    entered = [at for at in (record.entered_at, record.migrated_at) if at is not None]
    if not entered or command.at >= max(entered):
        return []
    return [
        Reason(
            "out_of_order",
            f"{command.at.isoformat()} lies before the record entered {record.state} "
            f"({max(entered).isoformat()}); "
            "fire transitions in order, or correct the earlier event",
        )
    ]


def round_reasons(record: Record, command: Command) -> list[Reason]:
    """Why a vote, or what changes the record, cannot lie before the newest round was opened.

    Dated back it would change what was voted on, and the votes would seem to be about that.
    """
    if not record.rounds or command.at >= record.rounds[-1].opened_at:
        return []
    opened = record.rounds[-1].opened_at.isoformat()
    said = f"{command.at.isoformat()} lies before approval was requested ({opened})"
    return [Reason("out_of_order", f"{said}; {command.trigger} comes after that")]


def unknown_trigger(trigger: str, lifecycle: Lifecycle) -> Reason:
    """The lifecycle has no such trigger; names those that come close, else all."""
    known = (*lifecycle.by_trigger, *COMMANDS)
    remedy = near(trigger, known, f"use one of {', '.join(known)}")
    facts = {"trigger": trigger, "allowed": known}
    return Reason("unknown_trigger", f"{trigger!r} is no trigger; {remedy}", facts=facts)


def no_round(record: Record, trigger: str) -> list[Reason]:
    """A vote goes to the round that somebody asked for."""
    if trigger != "vote" or record.round is not None:
        return []
    return [Reason("no_round", "there is no round to vote in; request an approval first")]


def waiver_reasons(command: Command, lifecycle: Lifecycle) -> list[Reason]:
    """Why a waiver would set nothing aside: it names what no record of this lifecycle can do."""
    later = (*lifecycle.by_trigger, *COMMANDS)
    found = []
    for name, known in (("trigger", later), ("separate_from", ("open", *later))):
        given = command.fields.get(name)
        if isinstance(given, str) and given and given not in known:
            remedy = near(given, known, f"use one of {', '.join(known)}")
            said = f"{name} is {given!r}, which is no trigger; {remedy}"
            facts = {"field": name, "value": given, "allowed": known}
            found.append(Reason("invalid_field", said, facts=facts))
    return found


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
