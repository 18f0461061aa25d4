"""What a step still owes: whom nobody could name when it fired is told as soon as somebody can."""

from __future__ import annotations

import datetime as dt

import attrs

from itsm_core.escalation.answering import Resolver, people_of
from itsm_core.escalation.effects import ClocksRead, Effect, Inform, Move, NotFired, Why
from itsm_core.escalation.policies import Chain
from itsm_core.escalation.runs import Run
from itsm_core.escalation.steps import EscalationStep, StepKind
from itsm_core.escalation.timing import clock_of, is_over


@attrs.frozen(kw_only=True)
class Owed:
    """A name of a step that had its turn in this generation, "unresolved" then; `loop` says which turn.

    `assignee` is who had the work then. `is_later` says whether the record has moved since, or got a paper.
    """

    step: str
    loop: int
    name: str
    scheduled_at: dt.datetime
    assignee: str | None = None
    is_later: bool = False


def made_good(
    run: Run, owed: Owed, now: dt.datetime, event: ClocksRead, resolver: Resolver
) -> tuple[Effect, ...]:
    """Tells the people of a name late, each whom the step has not told already; or why not, once.

    A step that gives work away gives it to the first of them, unless somebody else has been given it since.
    Nothing is owed where the policy has lost the step since, or the step the name; nor of what is over:
    then nobody is asked. Raises what the resolver raises.
    """
    step = run.policy.step(owed.step)
    if step is None or owed.name not in step.names:
        return ()
    chain = next(one for one in run.policy.chains if step.id in one.places)
    why = _moot(run, owed, now, step, chain, event)
    if why is not None:
        return (_not(run, owed, now, step, why),)
    people = people_of(owed.name, resolver, run.record, now)
    if not people:
        return (_not(run, owed, now, step, "empty"),)
    if step.kind is StepKind.FUNCTIONAL:
        key = run.key_of(owed.loop, step.id, people[0], "work")
        move = Move(
            key=key, clock=clock_of(chain, event), scheduled_at=owed.scheduled_at, fired_at=now,
            generation=run.generation, loop=owed.loop, step=step, group=step.group, assignee=people[0],
        )  # fmt: skip
        return () if key in run.fired else (move,)
    told = _told(run, owed)
    return tuple(
        Inform(
            key=run.key_of(owed.loop, step.id, person, step.channel), clock=clock_of(chain, event),
            scheduled_at=owed.scheduled_at, fired_at=now, generation=run.generation, loop=owed.loop,
            step=step, to=person, name=owed.name,
        )
        for person in dict.fromkeys(people)
        if person not in told
    )  # fmt: skip


def _moot(
    run: Run, owed: Owed, now: dt.datetime, step: EscalationStep, chain: Chain, event: ClocksRead
) -> Why | None:
    """Why nobody is asked any more who is meant; None if it still matters."""
    limit = step.expires_after
    if limit is not None and now - owed.scheduled_at >= limit.timedelta:  # as the message would
        return "expired"
    given = step.kind is StepKind.FUNCTIONAL and run.record.assignee not in (None, owed.assignee)
    return "superseded" if given or (owed.is_later and is_over(run, chain, event)) else None


def _told(run: Run, owed: Owed) -> frozenset[str]:
    """Whom the step told in that turn, under whatever version of the policy."""
    turn = (run.policy.id, owed.step, run.generation, owed.loop)
    past = (one for one in run.escalation.past if (one.policy, one.step, one.generation, one.loop) == turn)
    return frozenset(who for one in past for who in one.to)


def _not(run: Run, owed: Owed, now: dt.datetime, step: EscalationStep, why: Why) -> NotFired:
    """Under a key of its own: that it was unresolved has been said under the name."""
    key = run.key_of(owed.loop, step.id, f"late:{owed.name}", step.channel)
    return NotFired(
        key=key, clock=None, scheduled_at=owed.scheduled_at, fired_at=now, generation=run.generation,
        loop=owed.loop, step=step, why=why, to=owed.name,
    )  # fmt: skip
