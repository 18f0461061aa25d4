"""What a policy wants, as events, commands of the automation, and messages."""

from __future__ import annotations

import datetime as dt
from typing import Any

from itsm_core.commands import Command
from itsm_core.escalation import Effect, EscalationPolicy, Inform, Move
from itsm_core.escalation.effects import (
    Change,
    DeclareMajor,
    HandedOver,
    NoResponder,
    NotFired,
    NotHandedOver,
    Resume,
    Steered,
)
from itsm_core.events import Event
from itsm_core.lifecycle.beside import GRADES
from itsm_core.oncall import Person
from itsm_core.ports import Message
from itsm_core.records import Record, apply
from itsm_core.responders import CALLBACK
from itsm_core.road.deciding import decided, decided_or_noted
from itsm_core.road.people import addressed
from itsm_core.road.terms import MACHINE, Terms


def events_of(
    terms: Terms, policy: EscalationPolicy, record: Record, effect: Effect, cause: str | None = None
) -> list[Event]:
    """The events of an effect: itself, and what it did to the record or why that was refused.

    `cause` is the command that somebody asked for it by; where it is time, there is none.
    """
    trigger, part = _saying(effect)
    fields = {**_about(policy, effect), **_beyond(effect)}
    command = Command(
        trigger, MACHINE, at=effect.fired_at, id=f"{effect.key}#{part}", cause=cause, fields=_known(fields)
    )
    events = decided(terms, record, command)
    deed = _deed(effect, record)
    if deed is None:
        return events
    return events + decided_or_noted(terms, apply(record, events[0]), deed)


def _saying(effect: Effect) -> tuple[str, str]:
    """The command that records an effect, and what stands behind its key in the id of the event."""
    if isinstance(effect, NotFired):
        return "pass_over", "passed"
    return ("resume_escalation", "resumed") if isinstance(effect, Resume) else ("escalate", "fired")


def _about(policy: EscalationPolicy, effect: Effect) -> dict[str, Any]:
    """What is recorded of every effect."""
    step, clock = effect.step, effect.clock
    return {
        "key": effect.key,
        "step": None if step is None else step.id,
        "step_kind": None if step is None else step.kind,
        "policy": policy.id,
        "policy_version": policy.version,
        "generation": effect.generation,
        "loop": effect.loop,
        "target": None if clock is None else clock.target.id,
        "share": None if step is None else step.share,
        "scheduled_at": effect.scheduled_at,
        "lateness_us": effect.lateness // _US,
    }


_US = dt.timedelta(microseconds=1)


def _beyond(effect: Effect) -> dict[str, Any]:
    """What only some effects say."""
    if isinstance(effect, Inform):
        return {
            "to": effect.to,
            "no_responder": True if isinstance(effect, NoResponder) else None,
            "handoff": True if isinstance(effect, HandedOver) else None,
        }
    if isinstance(effect, Move):
        return {"to": effect.assignee or effect.group}
    if isinstance(effect, Steered):
        return {"went": effect.went}
    if isinstance(effect, NotFired):
        handoff = True if isinstance(effect, NotHandedOver) else None
        return {"why": effect.why, "to": effect.to, "handoff": handoff}
    return {"why": effect.why, "mode": effect.mode} if isinstance(effect, Resume) else {}


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _deed(effect: Effect, record: Record) -> Command | None:
    """The command by which a step changes the record; None where nothing is to change."""
    if isinstance(effect, Move):
        moved = effect.given(record)
        return _command(effect, "assign", moved) if moved else None
    if isinstance(effect, Change):
        if record.values.get(effect.field) == effect.value:
            return None
        trigger = "reprioritise" if effect.field in GRADES else "amend"
        given = {effect.field: effect.value}
        if effect.field == "priority":
            given["priority_reason"] = f"escalation step {effect.step.id}"
        return _command(effect, trigger, given)
    if isinstance(effect, DeclareMajor):
        return _command(effect, "declare_major", {"reason": f"escalation step {effect.step.id}"})
    return None


def _command(effect: Effect, trigger: str, fields: dict[str, Any]) -> Command:
    return Command(
        trigger, MACHINE, at=effect.fired_at, id=f"{effect.key}#{trigger}", cause=effect.key, fields=fields
    )


def told(
    terms: Terms,
    policy: EscalationPolicy,
    record: Record,
    effect: Inform,
    person: Person | None = None,
    answer_due: dt.datetime | None = None,
) -> Message:
    """The message of an effect, void once the record has a newer generation; in the person's language.

    `answer_due` is when the next in line is told unless somebody acknowledges: templates ask for it. A
    callback goes to the notifier of its own name.
    """
    subject, body = terms.wording(effect, record, terms.lang if person is None else person.lang)
    by_name = effect.to.startswith(CALLBACK)
    expires = effect.step.expires_after
    message = Message(
        key=effect.key,
        record=record.id,
        to=effect.to,
        channel=effect.to if by_name else effect.step.channel,
        audience="internal",
        subject=subject,
        body=body,
        created_at=effect.fired_at,
        expires_at=None if expires is None else effect.scheduled_at + expires.timedelta,
        urgency=effect.step.urgency,
        run=f"{record.id}:{policy.id}",
        generation=effect.generation,
        facts={
            "step": effect.step.id,
            "policy": policy.label,
            "scheduled_at": effect.scheduled_at,
            "lateness_us": effect.lateness // _US,
            **({"while_open": True} if record.phase.is_open else {}),
            **_asking(answer_due, effect),
        },
    )
    return addressed(message, person)


def _asking(due: dt.datetime | None, effect: Inform) -> dict[str, dt.datetime]:
    return {} if due is None or due <= effect.fired_at else {"acknowledge_by": due}
