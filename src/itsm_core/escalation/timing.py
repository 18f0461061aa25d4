"""When the next step of each chain is due: what triggers wait for, and how chains go on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import NamedTuple

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.durations import Budget
from itsm_core.business_time.instants import EARLIEST, LATEST, in_utc, later, utc
from itsm_core.escalation.effects import ClocksRead, Ended
from itsm_core.escalation.policies import Chain, GoesOn
from itsm_core.escalation.runs import Run
from itsm_core.escalation.steps import EscalationStep, StepKind
from itsm_core.escalation.triggers import AROUND, Trigger, TriggerKind, Unit, Wait
from itsm_core.events import Phase
from itsm_core.records.escalations import Past
from itsm_core.sla import Clock, ClockState

LIVE = frozenset({ClockState.RUNNING, ClockState.PAUSED})
"""The states of a clock that may set off a step: one that stopped triggers nothing."""


class Turn(NamedTuple):
    """The next step of a chain: when it is due, and what it is."""

    due: dt.datetime
    order: int
    chain: Chain
    place: int
    clock: Clock | None

    @property
    def step(self) -> EscalationStep:
        """The step whose turn it is."""
        return self.chain.steps[self.place]


class Lapse(NamedTuple):
    """When an acknowledgement ends by itself, why, and how the chains go on."""

    due: dt.datetime
    why: Ended
    mode: GoesOn


def lapse_of(run: Run, event: ClocksRead) -> Lapse | None:
    """The end of the acknowledgement or snooze of a record that is still open; None if none is coming."""
    state, policy = run.escalation, run.policy
    at = state.acknowledged_at
    if at is None or not run.record.phase.is_open:
        return None
    if state.snoozed_until is not None:
        return Lapse(state.snoozed_until, "snooze_over", policy.on_snooze_end)
    if policy.ack_timeout is None:
        return None
    if policy.updates_hold_ack and state.updated_at is not None:
        at = max(at, state.updated_at)
    due = policy.ack_timeout.after(at, run.calendar(event.calendar))
    return None if due is None else Lapse(due, "ack_timeout", policy.on_ack_timeout)


def turns_of(run: Run, event: ClocksRead, by: dt.datetime = LATEST) -> list[Turn]:
    """The next step of each chain that has one coming, up to an instant."""
    found = []
    for order in range(len(run.policy.chains)):
        turn = turn_of(run, order, event)
        if turn is not None and turn.due <= by:
            found.append(turn)
    return found


def is_live(run: Run, chain: Chain, event: ClocksRead) -> bool:
    """Whether what sets off a chain still holds."""
    return _SINCE[chain.trigger.kind](run, chain.trigger, event) is not None


def clock_of(chain: Chain, event: ClocksRead) -> Clock | None:
    """The clock whose share begins a chain; None where something else does."""
    trigger = chain.trigger
    return event.clocks.get(trigger.metric) if trigger.kind is TriggerKind.SHARE else None


def turn_of(run: Run, order: int, event: ClocksRead, *, asked: bool = False) -> Turn | None:
    """The next step of a chain and when it is due; None if none is coming.

    Where somebody `asked` for it, neither acknowledgement nor pause holds it back.
    """
    chain = run.policy.chains[order]
    trigger = chain.trigger
    since = _SINCE[trigger.kind](run, trigger, event)
    if since is None:
        return None
    last = run.last_turn(chain)
    clock = clock_of(chain, event)
    if last is None or (trigger.kind in _ANEW and _begins_anew(run, chain, since)):
        place, due = 0, _set_off(run, trigger, since, clock, event)
    else:
        went = _next_place(chain, last)
        if went is None:
            return None
        place, due = went, _in_turn(run, chain, went, last, clock, event, asked)
    step = chain.steps[place]
    if place == 0 and step.priorities and run.record.priority not in step.priorities:
        return None
    if due is None or (run.is_acknowledged and step.stops_on == "acknowledged" and not asked):
        return None
    return Turn(due, order, chain, place, clock)


def answer_due(run: Run, step: EscalationStep, event: ClocksRead) -> dt.datetime | None:
    """By when somebody whom a step told has to acknowledge, lest its chain tells the next in line.

    None if nobody is to follow, or if those who follow are told whoever acknowledges.
    """
    for order, chain in enumerate(run.policy.chains):
        if step.id in chain.places:
            turn = turn_of(run, order, event)
            tells = turn is not None and turn.step.stops_on == "acknowledged" and turn.step.kind in _TELLING
            return turn.due if turn is not None and tells else None
    return None


_TELLING = frozenset({StepKind.HIERARCHIC, StepKind.BRANCH, StepKind.REPEAT})
"""The kinds of steps that tell somebody, or go on to one that does."""


def is_over(run: Run, chain: Chain, event: ClocksRead) -> bool:
    """Whether what a chain waited for is over: its record is resolved, or the late report is there."""
    trigger = chain.trigger
    over = trigger.kind in _OF_PAPERS or not run.record.phase.is_open
    return over and _SINCE[trigger.kind](run, trigger, event) is None


_OF_PAPERS = frozenset({TriggerKind.REPORT_OVERDUE, TriggerKind.REVIEW_OVERDUE})
"""What is waited for also while the record is resolved."""


# --- since when a trigger waits -------------------------------------------------------------------


def _share(_: Run, trigger: Trigger, event: ClocksRead) -> dt.datetime | None:
    clock = event.clocks.get(trigger.metric)
    return EARLIEST if clock is not None and clock.state in LIVE else None


def _state(run: Run, trigger: Trigger, _: ClocksRead) -> dt.datetime | None:
    record = run.record
    return record.entered_at if record.state == trigger.state and record.phase.is_open else None


def _unacknowledged(run: Run, _: Trigger, __: ClocksRead) -> dt.datetime | None:
    started, resumed = run.started_at, run.escalation.resumed_at
    if started is None or not run.record.phase.is_open:
        return None
    return started if resumed is None or resumed < started else resumed


def _silent(run: Run, _: Trigger, __: ClocksRead) -> dt.datetime | None:
    record, state = run.record, run.escalation
    if not record.phase.is_open:
        return None
    known = (record.opened_at, state.updated_at, *state.reopenings[-1:])
    return max((at for at in known if at is not None), default=None)


def _reopened(run: Run, trigger: Trigger, _: ClocksRead) -> dt.datetime | None:
    seen = run.escalation.reopenings
    return seen[-1] if len(seen) >= (trigger.count or 1) and run.record.phase.is_open else None


def _reassigned(run: Run, trigger: Trigger, _: ClocksRead) -> dt.datetime | None:
    seen, count = run.escalation.reassignments, trigger.count or 1
    if len(seen) < count or not run.record.phase.is_open:
        return None
    cycle = run.escalation.reopenings[-1:]
    return None if cycle and seen[count - 1] <= cycle[0] else seen[count - 1]


def _priority(run: Run, trigger: Trigger, _: ClocksRead) -> dt.datetime | None:
    record = run.record
    if (trigger.to and record.priority not in trigger.to) or not record.phase.is_open:
        return None
    return run.escalation.priority_changed_at


def _update_overdue(run: Run, _: Trigger, event: ClocksRead) -> dt.datetime | None:
    return event.update_due_at if run.record.phase.is_open else None


def _report_overdue(run: Run, _: Trigger, event: ClocksRead) -> dt.datetime | None:
    return None if run.record.phase is Phase.CLOSED else event.report_due_at


def _review_overdue(run: Run, _: Trigger, event: ClocksRead) -> dt.datetime | None:
    return None if run.record.phase is Phase.CLOSED else event.review_due_at


_SINCE: dict[TriggerKind, Callable[[Run, Trigger, ClocksRead], dt.datetime | None]] = {
    TriggerKind.SHARE: _share,
    TriggerKind.STATE: _state,
    TriggerKind.UNACKNOWLEDGED: _unacknowledged,
    TriggerKind.SILENT: _silent,
    TriggerKind.REOPENED: _reopened,
    TriggerKind.REASSIGNED: _reassigned,
    TriggerKind.PRIORITY: _priority,
    TriggerKind.UPDATE_OVERDUE: _update_overdue,
    TriggerKind.REPORT_OVERDUE: _report_overdue,
    TriggerKind.REVIEW_OVERDUE: _review_overdue,
}

_ANEW = frozenset({
    TriggerKind.STATE, TriggerKind.SILENT, TriggerKind.PRIORITY, TriggerKind.UPDATE_OVERDUE,
    TriggerKind.REPORT_OVERDUE, TriggerKind.REVIEW_OVERDUE,
})  # fmt: skip
"""What may come about several times: the state is entered again, the desk falls silent again."""


def _begins_anew(run: Run, chain: Chain, since: dt.datetime) -> bool:
    """Whether what the trigger waits for has begun again after it last set the chain off.

    A change of priority that the chain led to is none that it waits for: two chains that answer each other
    would never end.
    """
    root = chain.steps[0].id
    if since <= max((one.at for one in run.turns(chain) if one.step == root), default=EARLIEST):
        return False
    return chain.trigger.kind is not TriggerKind.PRIORITY or not _led_to(run, chain, since)


def _led_to(run: Run, chain: Chain, changed_at: dt.datetime) -> bool:
    """Whether a step of the chain made the change, or one of those that the chain set off by another."""
    seen, coming = set[dt.datetime](), [changed_at]
    while coming:
        at = coming.pop()
        seen.add(at)
        for other in run.policy.chains:
            begun = _begun_to_change(run, other, at)
            if begun and other is chain:
                return True
            if other.trigger.kind is TriggerKind.PRIORITY:  # what set it off was a change, too
                coming += [one for one in begun if one not in seen]
    return False


def _begun_to_change(run: Run, chain: Chain, at: dt.datetime) -> list[dt.datetime]:
    """What set the chain off, where one of its steps changed the priority at this instant."""
    found, begun = [], at
    for turn in run.escalation.past:
        if turn.policy != run.policy.id or turn.step not in chain.places or turn.handoff:
            continue
        place = chain.places[turn.step]
        begun = turn.scheduled_at if place == 0 else begun
        if turn.at == at and turn.why is None and chain.steps[place].grades:
            found.append(begun)
    return found


def _set_off(
    run: Run, trigger: Trigger, since: dt.datetime, clock: Clock | None, event: ClocksRead
) -> dt.datetime | None:
    """When the trigger sets off its chain."""
    if clock is not None and trigger.share is not None:
        reached = clock.instant_at(trigger.share)
        return None if reached is None else in_utc(reached)
    return (
        in_utc(since)
        if trigger.wait is None
        else trigger.wait.after(in_utc(since), run.calendar(event.calendar))
    )


# --- how a chain goes on --------------------------------------------------------------------------


def _next_place(chain: Chain, last: Past) -> int | None:
    """The place of the step that follows a turn: where it sent the chain, or the one after it."""
    if last.went is not None:
        return chain.places.get(last.went)
    return chain.next_of(chain.places[last.step])


def _in_turn(
    run: Run, chain: Chain, place: int, last: Past, clock: Clock | None, event: ClocksRead, asked: bool
) -> dt.datetime | None:
    """When a step is due after the one before had its turn: its wait from then on, less the pauses."""
    step, before = chain.steps[place], chain.steps[chain.places[last.step]]
    base = last.scheduled_at if chain.catch_up[place] == "coalesce" else last.at
    resumed = run.escalation.resumed_at
    if resumed is not None and resumed > base:
        base = resumed
    if step.after is None or (last.why == "empty" and before.when_empty != "wait"):
        return base
    calendar = run.calendar(event.calendar)
    due = step.after.after(base, calendar)
    if due is None or clock is None or step.while_paused:
        return due
    if clock.state is ClockState.PAUSED and not asked:
        return None
    return _later_by_pauses(due, base, clock, step.after, calendar)


def _later_by_pauses(
    due: dt.datetime, base: dt.datetime, clock: Clock, wait: Wait, calendar: BusinessCalendar | None
) -> dt.datetime | None:
    """The due instant moved by what the clock stood still since the wait began."""
    for span in clock.spans:
        start, end = max(utc(span.start_us), base), utc(span.end_us)
        if span.state is not ClockState.PAUSED or end <= base or start >= due:
            continue
        lost = end - start
        if wait.unit is Unit.WALL or not isinstance(wait.duration, Budget):
            due = later(due, lost)
            continue
        counted = calendar or AROUND
        moved = Wait(
            Budget(counted.elapsed(start, end) // dt.timedelta(microseconds=1)), Unit.BUSINESS
        ).after(due, counted)
        if moved is None:
            return None
        due = moved
    return due
