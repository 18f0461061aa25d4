"""What a policy wants done at once, added to a change: when a step is due, asked for, or let in anew."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any

import attrs

from itsm_core.business_time.instants import later
from itsm_core.commands import Command
from itsm_core.errors import InvalidValue
from itsm_core.escalation import (
    ClocksRead,
    Effect,
    EscalateNow,
    EscalationPolicy,
    EscalationStep,
    Inform,
    NotFired,
    Run,
    advance,
    answer_due,
    migrate,
)
from itsm_core.oncall import Person
from itsm_core.ports import Ask, Timer
from itsm_core.records import Record
from itsm_core.road.changing import Change
from itsm_core.road.consequences import failed_shifts, read_of
from itsm_core.road.effecting import events_of, told
from itsm_core.road.people import People
from itsm_core.road.pinning import found, watched
from itsm_core.road.terms import AGAIN, escalation

NOBODY: Mapping[str, Person | None] = {}
Answered = Callable[[EscalationStep], dt.datetime | None]
"""By when whom a step told has to acknowledge."""


def _never(_: EscalationStep) -> None:
    """Nobody has to."""


def follow_up(change: Change, command: Command) -> Generator[Ask, Any, None]:
    """What follows from a command for the run of the record's policy, in the same commit.

    A record that a policy covers from now on is pinned, or switched; a step that was asked for fires; a
    policy that takes over says what it passes over.
    """
    first = change.events[0]
    if first.kind == "policy_migrated":
        yield from _taken_over(change, change.known.record, command)
        return
    if first.kind == "escalation_requested":
        yield from _at_once(change, command, first.fields.get("step"))
    yield from settle(change, command)


def settle(change: Change, command: Command) -> Generator[Ask, Any, None]:
    """Pins the policy that covers a record now, or lets the one take over that covers its new priority."""
    was = change.record
    events = watched(change.terms, change.known.record, was, command)
    change.add(events)
    if events and events[0].kind == "policy_migrated":
        yield from _taken_over(change, was, command)


def _at_once(change: Change, command: Command, step: str | None) -> Generator[Ask, Any, None]:
    policy = change.terms.policy_of(change.record)
    if policy is None:
        remedy = "give the desk one that covers it: policy=EscalationPolicy(...)"
        raise InvalidValue("policy", None, f"watches {change.record.id}, so it has no step", remedy)
    if step is not None and policy.step(step) is None:
        known = ", ".join(one.id for one in policy.steps)
        raise InvalidValue("escalation_step", step, f"is no step of {policy.label}", f"use one of {known}")
    at, read = yield from _read(change, command.at)
    yield from wanted(change, policy, at, _asking(read, step), command.id)


def _taken_over(change: Change, was: Record, command: Command) -> Generator[Ask, Any, None]:
    said = change.events[-1].fields
    policy = found(change.terms, said)
    old = next((one for one in change.terms.policies if one.label == said.get("was")), policy)
    at, read = yield from _read(change, command.at)
    migration = migrate(Run.of(was, old), policy, at, read, mode=said["mode"])
    added(change, policy, migration.effects, command.id)
    event = read if migration.enter is None else _asking(read, migration.enter)
    yield from wanted(change, policy, at, event, command.id)


def _read(change: Change, at: dt.datetime) -> Generator[Ask, Any, tuple[dt.datetime, ClocksRead]]:
    """What the policy looks at after a change, as of the newest event."""
    new = yield from change.standing()
    at = max(at, new.record.changed_at or at)
    return at, read_of(change.terms, new, at)


def _asking(read: ClocksRead, step: str | None) -> EscalateNow:
    return EscalateNow(**attrs.asdict(read, recurse=False), step=step)


def wanted(
    change: Change, policy: EscalationPolicy, at: dt.datetime, event: ClocksRead, cause: str | None = None
) -> Generator[Ask, Any, int]:
    """Adds what the policy wants at an instant to a change; how much that is, but for what is owed still."""
    before, people = Run.of(change.record, policy), People(change.terms, change.record, at)
    run, effects = yield from people.asked(lambda resolver: advance(before, at, event, resolver))
    change.failed = change.failed or failed_shifts(event)
    yield from told_by(change, policy, effects, people, cause, lambda step: answer_due(run, step, event))
    owed = sum(isinstance(one, NotFired) and one.why == "unresolved" for one in effects)
    if owed:
        change.owing = (owing(change.record, policy, later(at, AGAIN)),)
    return len(effects) - owed


def told_by(
    change: Change,
    policy: EscalationPolicy,
    effects: Iterable[Effect],
    people: People,
    cause: str | None,
    answered: Answered = _never,
) -> Generator[Ask, Any, None]:
    """Adds these effects to a change; whoever is told is told as the directory says."""
    yield from people.look_up(one.to for one in effects if isinstance(one, Inform))
    added(change, policy, effects, cause, people.known, answered)
    change.failed = change.failed or next(iter(people.failed.values()), None)


def owing(record: Record, policy: EscalationPolicy, due: dt.datetime) -> Timer:
    """The timer by which those are asked for again whom nobody could name."""
    kind = escalation(policy.id)
    return Timer(id=owing_id(record.id, kind), record=record.id, kind=kind, due=due)


def owing_id(record_id: str, kind: str) -> str:
    """The id of that timer; it lives on whatever else happens to the record."""
    return f"{record_id}/{kind}/owed"


def added(
    change: Change,
    policy: EscalationPolicy,
    effects: Iterable[Effect],
    cause: str | None = None,
    known: Mapping[str, Person | None] = NOBODY,
    answered: Answered = _never,
) -> None:
    """Adds these effects to a change: events, what they do to the record, and who is told."""
    terms, before = change.terms, change.record.escalation.generation
    at_once = [message for message in change.messages if message.generation == before]
    others = [message for message in change.messages if message.generation != before]
    for effect in effects:
        change.add(events_of(terms, policy, change.record, effect, cause))
        if isinstance(effect, Inform):
            due, person = answered(effect.step), known.get(effect.to)
            at_once.append(told(terms, policy, change.record, effect, person, due))
    # A step may have moved a snoozed record, which begins a generation: what is told at once stays valid.
    generation = change.record.escalation.generation
    change.messages = others + [attrs.evolve(message, generation=generation) for message in at_once]
