"""`advance`: what a policy wants done now. The only engine; preview and simulation call it too.

A run belongs to one record and one version of a policy. Its memory is the set of keys that the
record's `escalated` events left, so nothing is kept beside the history. Steps stand still while
the clock that triggers them is paused, and a clock that stopped triggers nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping

import attrs

from itsm_core.escalation.policies import EscalationPolicy, EscalationStep, StepKind
from itsm_core.records import Record
from itsm_core.sla import Clock, ClockState

Resolver = Callable[[str, Record, dt.datetime], tuple[str, ...]]
"""Turns a name of a step ("manager", "on-call") into people, when the step fires."""


def as_named(name: str, _: Record, __: dt.datetime) -> tuple[str, ...]:
    """The resolver of hosts whose steps name people themselves."""
    return (name,)


@attrs.frozen(kw_only=True)
class Run:
    """One policy at work on one record; `generation` counts reopenings, which begin anew."""

    record: Record
    policy: EscalationPolicy
    generation: int = 0
    loop: int = 0
    fired: frozenset[str] = frozenset()

    @classmethod
    def of(cls, record: Record, policy: EscalationPolicy) -> Run:
        """The run as the history of the record tells it."""
        return cls(record=record, policy=policy, generation=record.reopened, fired=record.fired)

    def key(self, step: EscalationStep, target: str, channel: str) -> str:
        """The one name of an effect: run/generation/loop/step/target/channel."""
        run = f"{self.record.id}:{self.policy.id}.{self.policy.version}"
        return f"{run}/{self.generation}/{self.loop}/{step.id}/{target}/{channel}"

    def has_fired(self, step: EscalationStep) -> bool:
        """Whether the step has fired in this generation and loop, under any version of the policy."""
        run = f"{self.record.id}:{self.policy.id}."
        mine = f"{self.generation}/{self.loop}/{step.id}/"
        rests = (key[len(run) :].partition("/") for key in self.fired if key.startswith(run))
        return any(version.isdigit() and tail.startswith(mine) for version, _, tail in rests)


@attrs.frozen(kw_only=True)
class ClocksRead:
    """The clocks of the record as of now, by metric: the event that makes a run move."""

    clocks: Mapping[str, Clock]


@attrs.frozen(kw_only=True)
class Effect:
    """Something a step wants: its key, its step and clock, and how late it comes."""

    key: str
    step: EscalationStep
    clock: Clock
    scheduled_at: dt.datetime
    fired_at: dt.datetime

    @property
    def lateness(self) -> dt.timedelta:
        """How long after its instant the step fired; zero when on time."""
        return self.fired_at - self.scheduled_at


@attrs.frozen(kw_only=True)
class Inform(Effect):
    """Tell somebody (a hierarchic step)."""

    to: str


@attrs.frozen(kw_only=True)
class Move(Effect):
    """Give the work to a group (a functional step)."""

    group: str


@attrs.frozen(kw_only=True)
class Unanswered(Effect):
    """A step whose names resolved to nobody; recorded, so that it is seen and not tried again."""


def advance(
    run: Run, now: dt.datetime, event: ClocksRead, resolver: Resolver
) -> tuple[Run, tuple[Effect, ...]]:
    """The run after `now`, and what it wants done, in the order of the scheduled instants.

    Overdue steps all fire, each saying how late it is. Asked again with the run it returned, it
    wants nothing more.
    """
    due = sorted(
        ((at, n, step, clock) for n, (at, step, clock) in enumerate(_pending(run, event)) if at <= now),
        key=lambda row: row[:2],
    )
    effects = tuple(
        effect for at, _, step, clock in due for effect in _effects(run, step, clock, at, now, resolver)
    )
    if not effects:
        return run, ()
    return attrs.evolve(run, fired=run.fired.union(effect.key for effect in effects)), effects


def next_due(run: Run, event: ClocksRead) -> dt.datetime | None:
    """The earliest instant at which `advance` will want something if nothing changes."""
    return min((at for at, _, _ in _pending(run, event)), default=None)


def _pending(run: Run, event: ClocksRead) -> Iterator[tuple[dt.datetime, EscalationStep, Clock]]:
    """Every step that has not fired, with the instant of its share on a clock that runs."""
    for step in run.policy.steps:
        if step.priorities and run.record.priority not in step.priorities:
            continue
        clock = event.clocks.get(step.metric)
        if clock is not None and clock.state in _LIVE and not run.has_fired(step):
            at = clock.instant_at(step.at)
            if at is not None:
                yield at, step, clock


_LIVE = frozenset({ClockState.RUNNING, ClockState.PAUSED})


def _effects(
    run: Run, step: EscalationStep, clock: Clock, at: dt.datetime, now: dt.datetime, resolver: Resolver
) -> Iterator[Effect]:
    if step.kind is StepKind.FUNCTIONAL and step.group:
        key = run.key(step, step.group, "work")
        yield Move(key=key, step=step, clock=clock, scheduled_at=at, fired_at=now, group=step.group)
        return
    found = (resolver(name, run.record, now) or () for name in step.to)
    people = dict.fromkeys(
        person for answer in found for person in ((answer,) if isinstance(answer, str) else answer) if person
    )
    if not people and run.policy.last_resort:
        people = dict.fromkeys([run.policy.last_resort])
    if not people:
        key = run.key(step, "nobody", step.channel)
        yield Unanswered(key=key, step=step, clock=clock, scheduled_at=at, fired_at=now)
    for person in people:
        key = run.key(step, person, step.channel)
        yield Inform(key=key, step=step, clock=clock, scheduled_at=at, fired_at=now, to=person)
