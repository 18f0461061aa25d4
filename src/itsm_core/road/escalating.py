"""What has fallen due: steps fired, work moved, people told, all in one commit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator
from typing import Any

from itsm_core.commands import Command
from itsm_core.errors import RecordNotFound, TransitionRefused, VersionConflict
from itsm_core.escalation import ClocksRead, Effect, Inform, Move, Run, advance
from itsm_core.events import Event
from itsm_core.ports import Ask, Claim, Message, Settlement
from itsm_core.records import Record, apply
from itsm_core.road.carrying import Change, commit, decided
from itsm_core.road.terms import ATTEMPTS, MACHINE, Terms, standing


def escalate(terms: Terms, claim: Claim, now: dt.datetime) -> Generator[Ask, Any, int]:
    """Fires what is due on the record of a claimed timer; answers how many effects that had."""
    done = 0
    for _ in range(ATTEMPTS):
        try:
            done = yield from _escalate_once(terms, claim.item.record, now)
            break
        except VersionConflict:
            continue
        except RecordNotFound:
            break
    yield Ask("settle", ((Settlement(token=claim.token, outcome="done"),), now))
    return done


def _escalate_once(terms: Terms, record_id: str, now: dt.datetime) -> Generator[Ask, Any, int]:
    known = yield from standing(record_id)
    if terms.policy is None:
        return 0
    read = ClocksRead(clocks=known.clocks(terms, now))
    _, effects = advance(Run.of(known.record, terms.policy), now, read, terms.resolver)
    change = Change(terms, known)
    for effect in effects:
        change.add(_fired(terms, change.record, effect))
        if isinstance(effect, Inform):
            change.messages.append(_told(terms, change.record, effect))
    yield from commit(change, now)
    return len(effects)


def _fired(terms: Terms, record: Record, effect: Effect) -> list[Event]:
    """The events of an effect: itself, and what a functional step did to the record."""
    policy = terms.policy
    fields = {
        "key": effect.key,
        "step": effect.step.id,
        "step_kind": effect.step.kind,
        "policy": policy and policy.id,
        "policy_version": policy and policy.version,
        "target": effect.clock.target.id,
        "share": effect.step.at,
        "scheduled_at": effect.scheduled_at,
        "to": getattr(effect, "to", getattr(effect, "group", None)),
    }
    command = Command("escalate", MACHINE, at=effect.fired_at, id=effect.key, fields=fields)
    events = decided(terms, record, command)
    if isinstance(effect, Move) and record.group != effect.group:
        moved = apply(record, events[0])
        move = Command(
            "assign",
            MACHINE,
            at=effect.fired_at,
            id=f"{effect.key}/assign",
            cause=effect.key,
            fields={"group": effect.group, "assignee": None},
        )
        try:
            events += decided(terms, moved, move)
        except TransitionRefused as refusal:
            events.append(_refusal(moved, move, refusal))
    return events


def _refusal(record: Record, command: Command, refusal: TransitionRefused) -> Event:
    return Event(
        id=str(command.id),
        record=record.id,
        seq=record.version + 1,
        kind="refused",
        occurred_at=command.at,
        recorded_at=command.at,
        actor=command.actor,
        cause=command.cause,
        lifecycle=record.lifecycle,
        lifecycle_version=record.lifecycle_version,
        fields={"trigger": command.trigger, "codes": refusal.codes},
        tenant=record.tenant,
    )


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
