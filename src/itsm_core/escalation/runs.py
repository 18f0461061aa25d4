"""A run: one policy at work on one record, as the history of the record tells it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.escalation.policies import Chain, EscalationPolicy, GoesOn
from itsm_core.escalation.steps import EscalationStep
from itsm_core.records import Record
from itsm_core.records.escalations import NO_ESCALATION, Escalation, Past
from itsm_core.values import evolver, trusted


@attrs.frozen(kw_only=True)
class Run:
    """One policy at work on one record: what its memory is stands in the record's events.

    `escalation` is what they tell of it, `fired` the keys of all effects there ever were.
    """

    record: Record
    policy: EscalationPolicy
    escalation: Escalation = NO_ESCALATION
    fired: frozenset[str] = frozenset()

    @classmethod
    def of(cls, record: Record, policy: EscalationPolicy) -> Run:
        """The run as the history of the record tells it."""
        return _run(record, policy, record.escalation, record.fired)

    @property
    def generation(self) -> int:
        """What fences the run: whatever was meant for an earlier generation is void."""
        return self.escalation.generation

    @property
    def is_acknowledged(self) -> bool:
        """Whether somebody has said to be on it, or has put it off; steps that stop on it stand still."""
        return self.escalation.acknowledged_at is not None

    @property
    def started_at(self) -> dt.datetime | None:
        """When the policy began to watch the record."""
        return self.escalation.started_at or self.record.opened_at

    def key(self, step: EscalationStep | str, target: str, channel: str) -> str:
        """The one name of an effect: run/generation/loop/step/target/channel."""
        step_id = step if isinstance(step, str) else step.id
        return self.key_of(self.loop_of(step_id), step_id, target, channel)

    def key_of(self, loop: int, step_id: str, target: str, channel: str) -> str:
        """The name of an effect in a loop."""
        policy = self.policy
        run = f"{self.record.id}:{policy.id}.{policy.version}"
        return f"{run}/{self.escalation.generation}/{loop}/{step_id}/{target}/{channel}"

    def loop_of(self, step_id: str) -> int:
        """How often the step has had its turn in this generation."""
        generation, policy, times = self.escalation.generation, self.policy.id, 0
        for one in self.escalation.past:
            if one.step == step_id and one.generation == generation and one.policy == policy:
                times += 1
        return times

    def last_turn(self, chain: Chain) -> Past | None:
        """The newest turn of a chain that counts; None if it has not begun."""
        state, places, policy = self.escalation, chain.places, self.policy.id
        for one in reversed(state.past):
            if one.step in places and one.policy == policy and not one.handoff and self._counts(one, chain):
                return one
        return None

    def newest(self, chain: Chain, *, telling: bool = False) -> Past | None:
        """The newest turn of a chain that counts, or change of shift; or the last that told somebody."""
        places, policy = chain.places, self.policy.id
        for one in reversed(self.escalation.past):
            mine = one.step in places and one.policy == policy and self._counts(one, chain)
            if mine and (one.to or not telling):
                return one
        return None

    def turns(self, chain: Chain) -> list[Past]:
        """The turns of a chain that count, oldest first."""
        places, policy = chain.places, self.policy.id
        past = self.escalation.past
        mine = [one for one in past if one.step in places and one.policy == policy and not one.handoff]
        return [one for one in mine if self._counts(one, chain)]

    def _counts(self, turn: Past, chain: Chain) -> bool:
        """Of a threshold since the reopening, of others since the chains began anew."""
        state = self.escalation
        stays = chain.stays and chain.places[turn.step] == 0
        return turn.generation >= (state.cycle if stays else state.since)

    def calendar(self, desk: BusinessCalendar | None) -> BusinessCalendar | None:
        """What business waits are counted on."""
        return self.policy.calendar or desk

    # -- what comes of it --------------------------------------------------------------------------

    def taken(self, turn: Past, keys: Iterable[str]) -> Run:
        """The run after a step had its turn."""
        state = self.escalation
        last = turn.at if state.last_at is None or turn.at > state.last_at else state.last_at
        return _went(self, _with_turn(state, last, (*state.past, turn)), self.fired.union(keys))

    def told(self, key: str) -> Run:
        """The run after something was said that is no step's turn."""
        return _went(self, self.escalation, self.fired | {key})

    def resumed(self, at: dt.datetime, mode: GoesOn) -> Run:
        """The run after an acknowledgement has ended: chains go on from here, or begin anew."""
        state = self.escalation
        generation = state.generation + 1
        then = attrs.evolve(
            state,
            generation=generation,
            since=generation if mode == "restart" else state.since,
            acknowledged_by=(),
            acknowledged_at=None,
            snoozed_until=None,
            resumed_at=at,
            last_at=at if state.last_at is None else max(at, state.last_at),
        )
        return _went(self, then, self.fired)


_run = trusted(Run)
_went = evolver(Run, "escalation", "fired")
_with_turn = evolver(Escalation, "last_at", "past")
