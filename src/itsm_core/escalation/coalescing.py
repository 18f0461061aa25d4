"""Of several overdue steps that tell the same person the same way, the last one does; others say so."""

from __future__ import annotations

from itsm_core.escalation.effects import Effect, Inform, NotFired, Why
from itsm_core.escalation.steps import StepKind
from itsm_core.escalation.timing import Turn


def coalesce(turns: list[Turn], fired: list[list[Effect]]) -> None:
    """Leaves what several of these turns tell a person to the last of them, and says so of the others."""
    newest = {
        (effect.to, effect.step.channel): n
        for n, effects in enumerate(fired)
        if _is_coalesced(turns[n])
        for effect in effects
        if isinstance(effect, Inform)
    }
    for n, effects in enumerate(fired):
        if _is_coalesced(turns[n]):
            fired[n] = [
                _instead(effect, "coalesced", effect.to)
                if isinstance(effect, Inform) and newest[effect.to, effect.step.channel] > n
                else effect
                for effect in effects
            ]


def _is_coalesced(turn: Turn) -> bool:
    return turn.chain.catch_up[turn.place] == "coalesce"


def is_left_to_others(turn: Turn) -> bool:
    """Whether a step would tell nobody, where a later one does that is overdue, too."""
    return _is_coalesced(turn) and turn.step.kind is StepKind.HIERARCHIC


def _instead(effect: Effect, why: Why, to: str | None) -> NotFired:
    """That an effect does not come to be, under its key."""
    return NotFired(
        key=effect.key, step=effect.step, clock=effect.clock, scheduled_at=effect.scheduled_at,
        fired_at=effect.fired_at, generation=effect.generation, loop=effect.loop, why=why, to=to,
    )  # fmt: skip
