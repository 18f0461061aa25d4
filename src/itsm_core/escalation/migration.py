"""A run that goes over to another version of its policy, or to another policy, on purpose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Literal, get_args

import attrs

from itsm_core.business_time.instants import in_utc
from itsm_core.errors import InvalidValue
from itsm_core.escalation.effects import ClocksRead, NotFired
from itsm_core.escalation.firing import passed_over
from itsm_core.escalation.policies import EscalationPolicy
from itsm_core.escalation.runs import Run
from itsm_core.escalation.steps import EscalationStep
from itsm_core.escalation.timing import Turn, turns_of

Mode = Literal["next_step", "retime_current", "restart", "switch"]
MODES: tuple[str, ...] = get_args(Mode)


@attrs.frozen
class Difference:
    """One thing in which two versions differ: a step added, removed or moved, or a field changed.

    `where` is a step's id, or the policy's.
    """

    what: Literal["added", "removed", "moved", "changed"]
    where: str
    field: str | None = attrs.field(default=None, kw_only=True)
    was: Any = attrs.field(default=None, kw_only=True)
    now: Any = attrs.field(default=None, kw_only=True)

    def __str__(self) -> str:
        if self.field is None:
            return f"{self.where}: {self.what}"
        return f"{self.where}: {self.field} was {self.was}, is {self.now}"


@attrs.frozen(kw_only=True)
class Migration:
    """A run under its new policy: what it passed over, the difference, and where a switch enters.

    `effects` say which steps never fire; `enter` is the step to fire at once (`EscalateNow`), if any.
    """

    run: Run
    effects: tuple[NotFired, ...]
    mode: Mode
    was: str
    now: str
    difference: tuple[Difference, ...]
    enter: str | None = None


def difference(old: EscalationPolicy, new: EscalationPolicy) -> tuple[Difference, ...]:
    """In what a version of a policy differs from another, by step ids; empty if in nothing."""
    return (*_of_policies(old, new), *_of_steps(old, new))


def migrate(
    run: Run, policy: EscalationPolicy, now: dt.datetime, event: ClocksRead, *, mode: Mode = "next_step"
) -> Migration:
    """The run under another version or policy. What has fired stays fired, and waits count from there.

    "next_step" passes over what the new version says should have fired by now; "retime_current" lets the
    last such step fire and passes over the others; "restart" lets the chains begin anew. "switch" is for
    another policy: it enters a chain at the step whose waits add up to the time that has passed, at most
    one level beyond what has fired.
    """
    if mode not in MODES:
        raise InvalidValue("mode", mode, "is no way to migrate", f"use one of {', '.join(MODES)}")
    at, was = in_utc(now, "now"), run.policy
    fired = (one for one in run.escalation.past if one.policy == was.id and not one.handoff)
    level = sum(one.why is None and bool(one.to) for one in fired)
    run = _under(run, policy, at, mode)
    passed: list[NotFired] = []
    enter: str | None = None
    if mode == "next_step":
        run, passed = _all_passed(run, at, event)
    elif mode == "retime_current":
        run, passed, _ = _but_the_last(run, _due(run, at, event), at)
    elif mode == "switch":
        run, passed, enter = _entered(run, level, at, event)
    return Migration(
        run=run,
        effects=tuple(passed),
        mode=mode,
        was=was.label,
        now=policy.label,
        difference=difference(was, policy),
        enter=enter,
    )


# --- the run under its new policy -----------------------------------------------------------------


def _under(run: Run, policy: EscalationPolicy, at: dt.datetime, mode: Mode) -> Run:
    """As the record's events will tell it: restarting and switching fence what went before."""
    state = attrs.evolve(run.escalation, policy=policy.id, version=policy.version)
    if mode in ("restart", "switch"):
        state = attrs.evolve(state, generation=state.generation + 1)
    if mode == "restart":
        state = attrs.evolve(state, since=state.generation, started_at=at)
    return attrs.evolve(run, policy=policy, escalation=state)


def _due(run: Run, at: dt.datetime, event: ClocksRead) -> list[Turn]:
    return sorted(turns_of(run, event, at), key=lambda turn: turn[:2])


def _all_passed(run: Run, at: dt.datetime, event: ClocksRead) -> tuple[Run, list[NotFired]]:
    passed: list[NotFired] = []
    while turns := _due(run, at, event):
        for turn in turns:
            run, effect = passed_over(run, turn, at, "superseded")
            passed.append(effect)
    return run, passed


def _but_the_last(run: Run, turns: list[Turn], at: dt.datetime) -> tuple[Run, list[NotFired], Turn | None]:
    passed: list[NotFired] = []
    for turn in turns[:-1]:
        run, effect = passed_over(run, turn, at, "superseded")
        passed.append(effect)
    return run, passed, turns[-1] if turns else None


def _entered(
    run: Run, level: int, at: dt.datetime, event: ClocksRead
) -> tuple[Run, list[NotFired], str | None]:
    """One step is let in: of the chain that is due last, the one that the time passed has come to."""
    run, passed, last = _but_the_last(run, _due(run, at, event), at)
    if last is None:
        return run, passed, None
    for _ in range(level):
        further = _further(last, run, at, event)
        if further is None:
            break
        run, effect = passed_over(run, last, at, "superseded")
        passed.append(effect)
        last = further
    return run, passed, last.step.id


def _further(turn: Turn, run: Run, at: dt.datetime, event: ClocksRead) -> Turn | None:
    """The turn after one, if by the timetable it would have come by now, too."""
    place = turn.chain.next_of(turn.place)
    wait = None if place is None else turn.chain.steps[place].after
    due = None if wait is None else wait.after(turn.due, run.calendar(event.calendar))
    if place is None or due is None or due > at:
        return None
    return turn._replace(place=place, due=due)


# --- what differs ---------------------------------------------------------------------------------


def _of_policies(old: EscalationPolicy, new: EscalationPolicy) -> Iterator[Difference]:
    for field in attrs.fields(EscalationPolicy):
        was, now = getattr(old, field.name), getattr(new, field.name)
        if field.name not in ("version", "steps") and was != now:
            yield Difference("changed", new.id, field=field.name, was=was, now=now)


def _of_steps(old: EscalationPolicy, new: EscalationPolicy) -> Iterator[Difference]:
    before = {step.id: step for step in old.steps}
    after = {step.id: step for step in new.steps}
    yield from (Difference("removed", name) for name in before if name not in after)
    yield from (Difference("added", name) for name in after if name not in before)
    stay = [name for name in before if name in after]
    order = [name for name in after if name in before]
    for name in order:
        if stay.index(name) != order.index(name):
            yield Difference("moved", name)
        yield from _of_step(before[name], after[name])


def _of_step(old: EscalationStep, new: EscalationStep) -> Iterator[Difference]:
    for field in attrs.fields(EscalationStep):
        was, now = getattr(old, field.name), getattr(new, field.name)
        if was != now:
            yield Difference("changed", new.id, field=field.name, was=was, now=now)
