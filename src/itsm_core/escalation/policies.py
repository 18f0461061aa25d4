"""Escalation policies as data: steps in order, the chains they make, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Literal, get_args

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.errors import InvalidValue
from itsm_core.escalation.steps import CATCH_UP, END, CatchUp, EscalationStep, key_part
from itsm_core.escalation.triggers import Trigger, TriggerKind, Wait, wait_of
from itsm_core.priority import Priority
from itsm_core.records import Record
from itsm_core.responders import ASKED, CALLBACK, ON_CALL, SURELY
from itsm_core.sla.agreements.targets import one_of, priorities_of
from itsm_core.values import counted, each, flag, only, word

AckMode = Literal["first", "all"]
GoesOn = Literal["restart", "resume"]
OnPriorityChange = Literal["keep", "switch"]
OnHandoff = Literal["none", "renotify_new", "transfer_if_acked_by_outgoing"]
ACK_MODES: tuple[str, ...] = get_args(AckMode)
GOES_ON: tuple[str, ...] = get_args(GoesOn)
ON_PRIORITY_CHANGE: tuple[str, ...] = get_args(OnPriorityChange)
ON_HANDOFF: tuple[str, ...] = get_args(OnHandoff)


@attrs.frozen
class Chain:
    """A step that a trigger sets off, and those that follow it; `catch_up` is that of each."""

    trigger: Trigger
    steps: tuple[EscalationStep, ...]
    places: Mapping[str, int] = attrs.field(repr=False, eq=False)
    catch_up: tuple[CatchUp, ...] = attrs.field(repr=False, eq=False)

    stays: bool = attrs.field(init=False, eq=False, repr=False)
    """Whether what set it off stays so when chains begin anew: a threshold that fired stays fired."""

    @stays.default
    def _unless_acknowledged(self) -> bool:
        return self.trigger.kind is not TriggerKind.UNACKNOWLEDGED

    _next: tuple[int | None, ...] = attrs.field(init=False, eq=False, repr=False)

    @_next.default
    def _as_they_follow(self) -> tuple[int | None, ...]:
        last = len(self.steps) - 1
        return tuple(
            (place + 1 if place < last else None) if step.then is None else self.places.get(step.then)
            for place, step in enumerate(self.steps)
        )

    def next_of(self, place: int) -> int | None:
        """The place of the step after one; None where the chain ends."""
        return self._next[place]

    @property
    def reaches_surely(self) -> bool:
        """Whether some step names a person rather than a role or a schedule."""
        names = (name for step in self.steps for name in (*step.to, *step.fallback))
        return any(name.startswith(SURELY) for name in names)


def _steps(value: Iterable[EscalationStep]) -> tuple[EscalationStep, ...]:
    return each(EscalationStep, value, "steps", 'give a list: [EscalationStep("lead", "75 %", to="lead")]')


@attrs.frozen
class EscalationPolicy:
    """Steps in order, with a version that every effect names; a changed policy is a new version.

    `last_resort` is informed where the names of a chain resolve to nobody, and must be given where those
    of a chain of several steps can; it is a person or a callback, and not resolved. `calendar` counts
    business waits (None: the desk's). A policy covers records of its `priorities` (empty: all). An
    acknowledgement counts at the first one or when all who were told have given it (`ack_mode`); after
    `ack_timeout` it lapses, and the chains begin anew or go on where they were (`on_ack_timeout`,
    `on_snooze_end`); `updates_hold_ack` lets each word of the desk's begin that time
    anew. `on_priority_change` "switch" lets another policy take over that covers the new priority.
    `on_handoff` says what a change of shift does: tell the new one while nobody has acknowledged
    ("renotify_new"), or take the place of whoever has, and goes off duty ("transfer_if_acked_by_outgoing").
    `catch_up` is for steps that do not say theirs: by default chains are "serial", shares "coalesce".
    """

    id: str
    version: int
    steps: tuple[EscalationStep, ...] = attrs.field(converter=_steps, kw_only=True)
    last_resort: str | None = attrs.field(default=None, kw_only=True)
    calendar: BusinessCalendar | None = attrs.field(default=None, kw_only=True)
    priorities: frozenset[Priority] = attrs.field(default=frozenset(), converter=priorities_of, kw_only=True)
    ack_mode: AckMode = attrs.field(default="first", validator=one_of(ACK_MODES), kw_only=True)
    ack_timeout: Wait | None = attrs.field(
        default=None, converter=attrs.converters.optional(wait_of), kw_only=True
    )
    on_ack_timeout: GoesOn = attrs.field(default="restart", validator=one_of(GOES_ON), kw_only=True)
    updates_hold_ack: bool = attrs.field(default=False, validator=flag, kw_only=True)
    on_snooze_end: GoesOn = attrs.field(default="resume", validator=one_of(GOES_ON), kw_only=True)
    on_priority_change: OnPriorityChange = attrs.field(
        default="keep", validator=one_of(ON_PRIORITY_CHANGE), kw_only=True
    )
    on_handoff: OnHandoff = attrs.field(default="none", validator=one_of(ON_HANDOFF), kw_only=True)
    catch_up: CatchUp | None = attrs.field(
        default=None, validator=attrs.validators.optional(one_of(CATCH_UP)), kw_only=True
    )

    def __attrs_post_init__(self) -> None:
        key_part(self.id, "escalation policy", 'name it, such as "standard"')
        counted(self.version, "policy")
        if self.last_resort is not None:
            remedy = 'name who is told, such as "duty-manager"'
            if word(self.last_resort, "last_resort", remedy).startswith(ASKED):
                raise InvalidValue("last_resort", self.last_resort, "may be nobody when it is needed", remedy)
        if self.calendar is not None:
            remedy = 'make one: BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")'
            only(BusinessCalendar, self.calendar, "calendar", remedy)
        if self.catch_up == "expire":
            raise self._wrong("expires without saying after how long", "say so of its steps: expires_after")
        self._check_steps()
        if self.on_handoff != "none" and not any(n.startswith(ON_CALL) for one in self.steps for n in one.to):
            remedy = 'tell who is on call, such as to="on_call:network", or leave on_handoff out'
            raise self._wrong("says what a change of shift does, and no step tells who is on call", remedy)
        for chain in self.chains:
            self._check_chain(chain)

    def _check_steps(self) -> None:
        if not self.steps:
            raise self._wrong("has no steps", "leave the policy out instead")
        ids = [step.id for step in self.steps]
        doubles = sorted({i for i in ids if ids.count(i) > 1})
        if doubles:
            raise self._wrong(f"has steps of the same id {doubles}", "name each once")
        if self.steps[0].after is not None:
            raise self._wrong(
                f"begins with {ids[0]!r}, which follows nothing", "give its first step a trigger"
            )

    def _check_chain(self, chain: Chain) -> None:
        """Refuses what a chain goes to if it is not there, or goes back without a bound."""
        for place, step in enumerate(chain.steps):
            for name, back in _ways(step):
                if name == END and not back:
                    continue
                to = chain.places.get(name)
                if to is None:
                    known = ", ".join(chain.places)
                    reason = f"goes from {step.id!r} to {name!r}, which is no step of that chain"
                    raise self._wrong(reason, f"use one of {known}")
                if back is not (to <= place):
                    way = "repeats from" if back else "goes back without a bound from"
                    remedy = "branch forward; repeat backward: repeat=Repeat(to, times)"
                    raise self._wrong(f"{way} {step.id!r} to {name!r}", remedy)
        asks = len(chain.steps) > 1 and any(step.to for step in chain.steps)
        if asks and self.last_resort is None and not chain.reaches_surely:
            reason = f"tells nobody if the names in the chain of {chain.steps[0].id!r} are all empty"
            raise self._wrong(reason, 'say last_resort="duty-manager"')

    def _wrong(self, reason: str, remedy: str) -> InvalidValue:
        return InvalidValue("escalation policy", self.id, reason, remedy)

    @cached_property
    def chains(self) -> tuple[Chain, ...]:
        """What the steps make: each with a trigger begins a chain, those `after` follow it."""
        found: list[tuple[Trigger, list[EscalationStep]]] = []
        for step in self.steps:
            begun = step.begins
            if begun is not None:
                found.append((begun, []))
            found[-1][1].append(step)
        return tuple(
            Chain(
                begun,
                tuple(some),
                {step.id: place for place, step in enumerate(some)},
                tuple(self.catches_up(step) for step in some),
            )
            for begun, some in found
        )

    @property
    def label(self) -> str:
        """Id and version in one word: "standard@3"."""
        return f"{self.id}@{self.version}"

    @property
    def names(self) -> tuple[str, ...]:
        """All names that its steps tell, each once."""
        return tuple(dict.fromkeys(name for step in self.steps for name in (*step.to, *step.fallback)))

    @property
    def callbacks(self) -> tuple[str, ...]:
        """The callbacks that it names, each once."""
        named_so = (name for name in (*self.names, self.last_resort or "") if name.startswith(CALLBACK))
        return tuple(dict.fromkeys(named_so))

    def covers(self, record: Record) -> bool:
        """Whether it is for records of this priority."""
        return not self.priorities or record.priority in self.priorities

    def step(self, step_id: str) -> EscalationStep | None:
        """The step of this id."""
        return next((step for step in self.steps if step.id == step_id), None)

    def catches_up(self, step: EscalationStep) -> CatchUp:
        """What the step does when it is overdue."""
        if step.catch_up is not None:
            return step.catch_up
        if self.catch_up is not None:
            return self.catch_up
        return "coalesce" if step.share is not None else "serial"


def _ways(step: EscalationStep) -> Iterator[tuple[str, bool]]:
    """Where a step may send its chain, and whether that is back."""
    yield from ((branch.to, False) for branch in step.branches)
    if step.then is not None:
        yield step.then, False
    if step.repeat is not None:
        yield step.repeat.to, True


def policy_for(policies: Iterable[EscalationPolicy], record: Record) -> EscalationPolicy | None:
    """The newest version of the first policy that covers a record; None if none does."""
    policies = tuple(policies)
    first = next((one for one in policies if one.covers(record)), None)
    if first is None:
        return None
    return max((one for one in policies if one.id == first.id), key=lambda one: one.version)
