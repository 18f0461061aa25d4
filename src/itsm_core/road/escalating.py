"""What has fallen due: steps fired, work moved, people told, all in one commit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator
from typing import Any

from itsm_core.commands import Command
from itsm_core.escalation import ClocksRead, Effect, EscalationPolicy, Inform, Move, Run, advance
from itsm_core.events import Event
from itsm_core.ports import Ask, Claim, Message
from itsm_core.records import Record, apply
from itsm_core.road.carrying import Change, commit, decided, decided_or_noted
from itsm_core.road.passing import Stuck, each_due
from itsm_core.road.terms import MACHINE, Terms, escalation, standing


def escalations(terms: Terms, now: dt.datetime, worker: str) -> Generator[Ask, Any, tuple[int, Stuck]]:
    """Fires every step that is due: how many effects, and the records that are stuck, with why.

    Without a policy nothing is claimed, so that a desk that has one finds the timers.
    """
    policy = terms.policy
    if policy is None:
        return 0, ()

    def fire(claim: Claim) -> Generator[Ask, Any, int]:
        return (yield from _escalate(terms, policy, claim.item.record, now))

    return (yield from each_due(escalation(policy), now, worker, fire))


def rearm(terms: Terms, record_id: str, at: dt.datetime) -> Generator[Ask, Any, Record]:
    """Sets the timer and the due instant of a record anew, after the agreement or policy changed."""
    return (yield from commit(Change(terms, (yield from standing(record_id))), at, rearm=True))


def _escalate(
    terms: Terms, policy: EscalationPolicy, record_id: str, now: dt.datetime
) -> Generator[Ask, Any, int]:
    known = yield from standing(record_id)
    now = max(now, known.record.changed_at or now)  # a command may have come since `now` was read
    read = ClocksRead(clocks=known.clocks(terms, now))
    _, effects = advance(Run.of(known.record, policy), now, read, terms.resolver)
    change = Change(terms, known)
    for effect in effects:
        change.add(_fired(terms, policy, change.record, effect))
        if isinstance(effect, Inform):
            change.messages.append(_told(terms, change.record, effect))
    yield from commit(change, now, rearm=True)
    return len(effects)


def _fired(terms: Terms, policy: EscalationPolicy, record: Record, effect: Effect) -> list[Event]:
    """The events of an effect: itself, and what a functional step did to the record."""
    fields = {
        "key": effect.key,
        "step": effect.step.id,
        "step_kind": effect.step.kind,
        "policy": policy.id,
        "policy_version": policy.version,
        "target": effect.clock.target.id,
        "share": effect.step.at,
        "scheduled_at": effect.scheduled_at,
        "to": getattr(effect, "to", getattr(effect, "group", None)),
    }
    command = Command("escalate", MACHINE, at=effect.fired_at, id=f"{effect.key}#fired", fields=fields)
    events = decided(terms, record, command)
    if isinstance(effect, Move) and record.group != effect.group:
        moved = apply(record, events[0])
        move = Command(
            "assign",
            MACHINE,
            at=effect.fired_at,
            id=f"{effect.key}#assign",
            cause=effect.key,
            fields={"group": effect.group, "assignee": None},
        )
        events += decided_or_noted(terms, moved, move)
    return events


def _told(terms: Terms, record: Record, effect: Inform) -> Message:
    subject, body = terms.wording(effect, record, terms.lang)
    return Message(
        key=effect.key,
        record=record.id,
        to=effect.to,
        channel=effect.step.channel,
        audience="internal",
        subject=subject,
        body=body,
        created_at=effect.fired_at,
        facts={
            "step": effect.step.id,
            "scheduled_at": effect.scheduled_at,
            "lateness_us": effect.lateness // dt.timedelta(microseconds=1),
        },
    )
