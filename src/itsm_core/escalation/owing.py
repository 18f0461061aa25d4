"""What a step still owes: whom nobody could name when it fired is told as soon as somebody can."""

from __future__ import annotations

import datetime as dt

import attrs

from itsm_core.escalation.answering import Resolver, people_of
from itsm_core.escalation.effects import ClocksRead, Effect, Inform, Move, NotFired, Why
from itsm_core.escalation.runs import Run
from itsm_core.escalation.steps import EscalationStep, StepKind
from itsm_core.escalation.timing import clock_of


@attrs.frozen(kw_only=True)
class Owed:
    """A name of a step that had its turn in this generation, "unresolved" then; `loop` says which turn."""

    step: str
    loop: int
    name: str
    scheduled_at: dt.datetime


def made_good(
    run: Run, owed: Owed, now: dt.datetime, event: ClocksRead, resolver: Resolver
) -> tuple[Effect, ...]:
    """Tells the people of a name late, each whom the step has not told already; or why not, once.

    A step that gives work away gives it to the first of them, unless somebody has it by now.
    The policy may have lost the step since: then nothing is owed. Raises what the resolver raises.
    """
    step = run.policy.step(owed.step)
    if step is None:
        return ()
    limit = step.expires_after
    if limit is not None and now - owed.scheduled_at >= limit.timedelta:  # as the message would
        return (_not(run, owed, now, step, "expired"),)
    people = people_of(owed.name, resolver, run.record, now)
    if not people:
        return (_not(run, owed, now, step, "empty"),)
    chain = next(one for one in run.policy.chains if step.id in one.places)
    if step.kind is StepKind.FUNCTIONAL:
        if run.record.assignee is not None:
            return (_not(run, owed, now, step, "superseded"),)
        key = run.key_of(owed.loop, step.id, people[0], "work")
        move = Move(
            key=key, clock=clock_of(chain, event), scheduled_at=owed.scheduled_at, fired_at=now,
            generation=run.generation, loop=owed.loop, step=step, group=step.group, assignee=people[0],
        )  # fmt: skip
        return () if key in run.fired else (move,)
    return tuple(
        Inform(
            key=key, clock=clock_of(chain, event), scheduled_at=owed.scheduled_at, fired_at=now,
            generation=run.generation, loop=owed.loop, step=step, to=person, name=owed.name,
        )
        for person in dict.fromkeys(people)
        if (key := run.key_of(owed.loop, step.id, person, step.channel)) not in run.fired
    )  # fmt: skip


def _not(run: Run, owed: Owed, now: dt.datetime, step: EscalationStep, why: Why) -> NotFired:
    """Under a key of its own: that it was unresolved has been said under the name."""
    key = run.key_of(owed.loop, step.id, f"late:{owed.name}", step.channel)
    return NotFired(
        key=key, clock=None, scheduled_at=owed.scheduled_at, fired_at=now, generation=run.generation,
        loop=owed.loop, step=step, why=why, to=owed.name,
    )  # fmt: skip
