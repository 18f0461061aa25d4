"""What may be asked about a major incident, when, which fields its events have, and which moves it bars.

A major incident stands beside the state. Whether a command fits is a matter of where the major incident
stands and of the phase of its record; each row of `_WHEN` says both. A lifecycle without a resolved phase
ends a major incident in its closing transition, and what comes after the resolution elsewhere comes before
that one there, once every track is at an end.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from itsm_core.commands import Command
from itsm_core.errors import InvalidValue, Reason
from itsm_core.events import Phase
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.guards import Situation, guard_reasons
from itsm_core.lifecycle.parts import Need, Transition, Words, words
from itsm_core.priority import PriorityMatrix
from itsm_core.records import MANAGER, MajorIncident, MajorStatus, Procedure, Record

PROCESS = "incident"
"""The process whose records may be major."""

_OPEN = frozenset({Phase.NEW, Phase.ACTIVE, Phase.WAITING})
_LIVE = _OPEN | {Phase.RESOLVED}
_PAPERS = frozenset({"report_major", "review_major"})
_ELSEWHERE = frozenset({"merged", "duplicate"})  # the outcomes of what goes on in another record
_RESOLVED = frozenset({Phase.RESOLVED})
_NONE, _PROPOSED, _ACCEPTED = "none", MajorStatus.PROPOSED, MajorStatus.ACCEPTED

# fmt: off
_WHEN: dict[str, tuple[tuple[str, ...], frozenset[Phase]]] = {
    # command        the major incident is                                      the record is
    "declare_major": ((_NONE, MajorStatus.REJECTED, MajorStatus.CANCELLED),     _OPEN),
    "accept_major":  ((_PROPOSED,),                                             _OPEN),
    "reject_major":  ((_PROPOSED,),                                             _LIVE),
    "cancel_major":  ((_ACCEPTED,),                                             _OPEN),
    "assess_major":  ((_PROPOSED, _ACCEPTED),                                   _LIVE),
    "assume_role":   ((_ACCEPTED,),                                             _LIVE),
    "renounce_role": ((_ACCEPTED,),                                             _LIVE),
    "move_track":    ((_ACCEPTED,),                                             _OPEN),
    "invoke_continuity_plan": ((_ACCEPTED,),                                    _OPEN),
    "report_major":  ((_ACCEPTED,),                                             _RESOLVED),
    "review_major":  ((_ACCEPTED,),                                             _RESOLVED),
}
# fmt: on

_FIRST: dict[str, str] = {
    _NONE: "propose it first (declare_major)",
    _PROPOSED: "accept it first (accept_major)",
    MajorStatus.REJECTED: "propose it anew (declare_major)",
    MajorStatus.CANCELLED: "propose it anew (declare_major)",
}
_INSTEAD: dict[tuple[str, str], str] = {
    ("cancel_major", _PROPOSED): "reject it (reject_major)",
    ("reject_major", _ACCEPTED): "downgrade it (cancel_major)",
    ("declare_major", _PROPOSED): "",
}
"""What leads from where a major incident stands to where a command fits, and what does the like there."""

MAJOR_COMMANDS = tuple(_WHEN)
"""The commands about a major incident."""


_CLAUSE = "ISO/IEC 20000-1 8.6.1"
_WHY = Need("reason", _CLAUSE, label={"en": "why", "zh": "原因"})
_WHO = Need(
    "major_manager", f"{_CLAUSE}: a responsible person", label={"en": "who is responsible", "zh": "负责人"}
)
_HOW = Need("procedure", f"{_CLAUSE}: a documented procedure", label={"en": "procedure", "zh": "处理程序"})
_ROLE = Need("major_role", _CLAUSE, label={"en": "role", "zh": "角色"})
_HOLDER = Need("held_by", _CLAUSE, label={"en": "who holds it", "zh": "担任者"})
_PLAN = Need("continuity_plan", "ISO/IEC 20000-1 8.7.2", label={"en": "continuity plan", "zh": "连续性计划"})
_VERSION = Need(
    "plan_version", "ISO/IEC 20000-1 8.7.2", label={"en": "version of the plan", "zh": "计划版本"}
)
_REACH = Need(
    "affected_services", _CLAUSE, otherwise="affected_users",
    label={"en": "services or users affected", "zh": "受影响的服务或用户"},
)  # fmt: skip
_TRACK = Need("track", _CLAUSE, label={"en": "track", "zh": "工作线"})
_STEP = Need("track_step", _CLAUSE, label={"en": "step", "zh": "步骤"})
_WHERE = Need(
    "document", f"{_CLAUSE}: reported and reviewed", label={"en": "where it lies", "zh": "文件位置"}
)

# fmt: off
_BUTTONS: dict[str, tuple[str, str, tuple[Need, ...]]] = {
    "declare_major": ("Propose as a major incident",  "提议为重大事件",   (_WHY,)),
    "accept_major":  ("Accept as a major incident",   "受理为重大事件",   (_WHO, _HOW)),
    "reject_major":  ("Reject the major incident",    "驳回重大事件",     (_WHY,)),
    "cancel_major":  ("Downgrade the major incident", "降级重大事件",     (_WHY,)),
    "assess_major":  ("Say what is affected",         "评估影响范围",     (_REACH,)),
    "assume_role":   ("Assume a role",                "担任角色",         (_ROLE, _HOLDER)),
    "renounce_role": ("Renounce a role",              "卸任角色",         (_ROLE,)),
    "move_track":    ("Move a track",                 "推进工作线",       (_TRACK, _STEP)),
    "invoke_continuity_plan": ("Invoke a continuity plan", "启动连续性计划", (_PLAN, _VERSION)),
    "report_major":  ("Report the major incident",    "提交重大事件报告", (_WHERE,)),
    "review_major":  ("Review the major incident",    "评审重大事件",     (_WHERE,)),
}
# fmt: on

MAJOR_BUTTONS: dict[str, tuple[Words, tuple[Need, ...]]] = {
    trigger: (words({"en": en, "zh": zh}), needs) for trigger, (en, zh, needs) in _BUTTONS.items()
}
"""The commands about a major incident as buttons: what they are called, and what they need."""


# --- why not ------------------------------------------------------------------------------------


def major_reasons(
    record: Record, trigger: str, at: dt.datetime | None, lifecycle: Definition
) -> list[Reason]:
    """Why a command about a major incident does not fit where things stand; empty if it does."""
    row = _WHEN.get(trigger)
    if row is None:
        return []
    if record.process != PROCESS:
        told = f"{record.id} is no {PROCESS}, and {trigger} is about one; name one, or open one"
        return [Reason("no_majors", told, facts={"process": record.process})]
    statuses, phases = row
    found = [_status(record, trigger, statuses)] if _standing(record) not in statuses else []
    if record.phase is not Phase.CLOSED and record.phase not in phases:
        if trigger not in _PAPERS or resolves(lifecycle):
            found.append(_phase(record, trigger, phases))
        elif record.major_incident is not None and record.major_incident.is_accepted:
            found += _tracks_open(record.major_incident)
    return found + major_order(record, trigger, at)


def resolves(lifecycle: Definition) -> bool:
    """Whether records of a lifecycle are resolved before they are closed."""
    return any(state.phase is Phase.RESOLVED for state in lifecycle.states)


def _standing(record: Record) -> str:
    held = record.major_incident
    return _NONE if held is None else held.status


def _status(record: Record, trigger: str, statuses: tuple[str, ...]) -> Reason:
    found = _standing(record)
    now = "no major incident was proposed" if found == _NONE else f"the major incident is {found}"
    wanted = " or ".join("not proposed" if one == _NONE else one for one in statuses)
    remedy = _INSTEAD.get((trigger, found), _FIRST.get(found, ""))
    said = f"{now}; {trigger} takes one that is {wanted}" + (f"; {remedy}" if remedy else "")
    return Reason("major_status", said, facts={"status": found, "allowed": tuple(statuses)})


def _phase(record: Record, trigger: str, phases: frozenset[Phase]) -> Reason:
    wanted = "resolved" if phases == _RESOLVED else "open"
    allowed = tuple(sorted(phases))
    facts = {"state": record.state, "trigger": trigger, "phases": allowed}
    said = f"{record.id} is {record.state}; {trigger} takes a record that is {wanted}"
    return Reason("wrong_state", said, facts=facts)


def major_order(record: Record, trigger: str, at: dt.datetime | None) -> list[Reason]:
    """Why a command cannot lie before what was last said of the major incident, or before its state.

    Dated back, it would make a history in which roles overlap or a track moves after its end.
    """
    held = record.major_incident
    last = None if held is None else held.changed_at
    known = [instant for instant in (record.entered_at, last) if instant is not None]
    if at is None or not known or at >= max(known):
        return []
    said = f"{at.isoformat()} lies before what is known of the major incident or its state"
    return [Reason("out_of_order", f"{said} ({max(known).isoformat()}); {trigger} comes after that")]


def moved_before(record: Record, command: Command) -> list[Reason]:
    """Why a transition cannot lie before what was last said of a major incident that was ever accepted.

    A resolution would come before its tracks were joined, a reopening before a report that it voids.
    """
    held = record.major_incident
    return major_order(record, command.trigger, command.at) if held is not None and held.roles else []


# --- what the events say --------------------------------------------------------------------------


def assessed(_record: Record, command: Command, _: PriorityMatrix) -> dict[str, Any]:
    """The fields with the reach looked at: services are named, and users counted."""
    held = {name: value for name, value in command.fields.items() if value is not None}
    users, services = held.get("affected_users"), held.get("affected_services", ())
    if users is not None and users < 0:
        raise InvalidValue("affected_users", users, "is less than none", "count them: 0, 1, 2")
    if "" in services:
        raise InvalidValue("affected_services", services, "names nothing", "name each service")
    return held


def accepted(record: Record, command: Command, matrix: PriorityMatrix) -> dict[str, Any]:
    """The acceptance, with the procedure whole: the record keeps it as it is now."""
    held = assessed(record, command, matrix)
    return {**held, "procedure": Procedure.of(held["procedure"]).to_dict()}


def assumed(record: Record, command: Command, _: PriorityMatrix) -> dict[str, Any]:
    """Somebody takes a part of the procedure; who holds it alone hands it over by that."""
    held, (major, procedure) = command.fields, _followed(record)
    role, who = procedure.role(held["major_role"]), held["held_by"]
    if who in major.holders(role.id):
        raise InvalidValue("held_by", who, f"is {role.id} already", "name somebody else")
    return dict(held)


def renounced(record: Record, command: Command, _: PriorityMatrix) -> dict[str, Any]:
    """Somebody lays a part down; the responsible manager hands it over instead."""
    held, (major, procedure) = dict(command.fields), _followed(record)
    role = procedure.role(held["major_role"])
    if role.id == MANAGER:
        remedy = "hand it over: assume_role for whoever takes it"
        raise InvalidValue("major_role", role.id, "is never left without a holder", remedy)
    holders = major.holders(role.id)
    who = held.get("held_by") or (holders[0] if len(holders) == 1 else None)
    if who not in holders:
        remedy = f"name one of {', '.join(holders)}" if holders else "nobody does"
        raise InvalidValue("held_by", who, f"does not hold {role.id}", remedy)
    return {**held, "held_by": who}


def moved(record: Record, command: Command, _: PriorityMatrix) -> dict[str, Any]:
    """A track goes on to a step that may follow the one it is in."""
    held, (major, procedure) = command.fields, _followed(record)
    track = procedure.track(held["track"])
    step, known = track.step(held["track_step"]), major.track(track.id)
    follow = () if known is None else track.step(known.step).to
    if step.id not in follow:
        where = track.id if known is None else f"{known.step} of {track.id}"
        remedy = f"go on to {' or '.join(follow)}" if follow else "it is at its end"
        raise InvalidValue("track_step", step.id, f"does not follow {where}", remedy)
    return {**held, "track_ended": step.ends}


def _followed(record: Record) -> tuple[MajorIncident, Procedure]:
    """The major incident of a record that has an accepted one, and the procedure it follows."""
    major = record.major_incident
    if major is None or major.procedure is None:
        raise InvalidValue("record", record.id, "has no accepted major incident", "accept one first")
    return major, major.procedure


# --- what moves a major incident bars -------------------------------------------------------------


def row_reasons(row: Transition, lifecycle: Definition, situation: Situation) -> list[Reason]:
    """What is said against a move: by the guards of its lifecycle, and by a major incident beside it."""
    said = guard_reasons(row.guards, lifecycle.guards, situation)
    record, held = situation.record, situation.record.major_incident
    if held is None:
        return said
    if held.is_accepted:
        return said + _barred(record, held, row, lifecycle)
    return said + undecided(record, row, lifecycle)


def undecided(record: Record, row: Transition, lifecycle: Definition) -> list[Reason]:
    """Why a record does not close while nobody has decided on its proposal, nor is resolved by time.

    A major incident is never closed by itself (ISO/IEC 20000-1, 8.6.1), and whether this is one nobody has
    said yet. People may resolve it, for the service comes first; time may not, since what is resolved is not
    accepted any more. A child, and what goes on in another record, end with that one.
    """
    held, to = record.major_incident, lifecycle.by_id[row.dest]
    if held is None or held.status is not MajorStatus.PROPOSED:
        return []
    if to.outcome in _ELSEWHERE or any(relation == "child_of" for relation, _ in record.links):
        return []
    by_time = row.after is not None and record.phase.is_open and not to.phase.is_open
    if not by_time and to.phase is not Phase.CLOSED:
        return []
    take = "accept it (accept_major)" if record.phase.is_open else "reopen and accept it"
    told = f"{record.id} is proposed as a major incident, and nobody has decided"
    said = f"{told}; {take}, or reject it with a reason (reject_major)"
    return [Reason("major_undecided", said, facts={"trigger": row.trigger, "clause": _CLAUSE})]


def _barred(record: Record, held: MajorIncident, row: Transition, lifecycle: Definition) -> list[Reason]:
    """A major incident resolves when its tracks have ended, and closes with a report and a review.

    That holds for every lifecycle of incidents, a product's own ones too. Where nothing is resolved, it
    closes with all of that at once, whatever came of it is called.
    """
    to = lifecycle.by_id[row.dest]
    ends = to.phase is Phase.CLOSED
    if ends and to.outcome != "completed" and record.phase.is_open and resolves(lifecycle):
        said = f"{record.id} is a major incident; resolve it, or downgrade it first (cancel_major)"
        return [Reason("major_runs", said, facts={"trigger": row.trigger})]
    reasons = _tracks_open(held) if record.phase.is_open and not to.phase.is_open else []
    return reasons + (_not_reviewed(held) if ends else [])


def _tracks_open(held: MajorIncident) -> list[Reason]:
    still = {one.track: one.step for one in held.tracks if not one.ended}
    if not still:
        return []
    told = ", ".join(f"{track} is at {step}" for track, step in still.items())
    said = f"{told}; move each track to an end first (move_track)"
    return [Reason("tracks_open", said, facts={"tracks": tuple(still), "steps": tuple(still.values())})]


def _not_reviewed(held: MajorIncident) -> list[Reason]:
    lacking = held.lacking
    if not lacking:
        return []
    commands = " and ".join(f"{name}_major" for name in lacking)
    said = f"a major incident closes with a report and a review; it lacks the {' and the '.join(lacking)}"
    facts = {"lacking": lacking, "clause": _CLAUSE}
    return [Reason("not_reviewed", f"{said}: {commands}", facts=facts)]
