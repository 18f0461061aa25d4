"""`advance`: what a policy wants done now. The only engine; preview and simulation call it too.

A run belongs to one record and one version of a policy. Its memory is what the record's events tell, so
nothing is kept beside the history. Steps stand still while the clock that triggers them is paused, and a
clock that stopped triggers nothing. Who answers to a name is asked when a step fires, not before.
"""

from __future__ import annotations

import datetime as dt

from itsm_core.business_time.instants import in_utc, micros
from itsm_core.escalation.answering import Resolver
from itsm_core.escalation.coalescing import coalesce
from itsm_core.escalation.effects import ClockRegressed, ClocksRead, Effect, Ended, EscalateNow, Resume
from itsm_core.escalation.firing import Firing, taken
from itsm_core.escalation.handing import handoffs, next_handoff
from itsm_core.escalation.policies import GoesOn
from itsm_core.escalation.runs import Run
from itsm_core.escalation.timing import Turn, clock_of, lapse_of, turn_of, turns_of


def advance(
    run: Run, now: dt.datetime, event: ClocksRead, resolver: Resolver
) -> tuple[Run, tuple[Effect, ...]]:
    """The run after `now`, and what it wants done, in the order of the scheduled instants.

    Each effect says how late it is, and what did not fire says why. Asked again with the run it returned,
    it wants nothing more. `now` is the host's clock as it is: where it lies before what was done already,
    by less than the tolerance it counts as that instant, and by more nothing fires.
    """
    at = in_utc(now, "now")
    last = run.escalation.last_at
    if last is not None and at < last:
        if last - at > event.tolerance:
            return _regressed(run, last)
        at = last
    if isinstance(event, EscalateNow):
        return _asked(run, at, event, resolver)
    effects: list[Effect] = []
    if run.is_acknowledged:
        run, effects = _resumed(run, at, event)
    if run.policy.on_handoff != "none":
        run, handed = _handed_over(run, at, event, resolver)
        run, lapsed = _resumed(run, at, event)
        effects += [*handed, *lapsed]
    turns = turns_of(run, event, at)
    while turns:
        if len(turns) > 1:
            turns.sort(key=_in_time)
        run, fired = _round(run, turns, at, event, resolver)
        effects += fired
        again = [turn_of(run, turn.order, event) for turn in turns if _may_go_on(run, turn)]
        turns = [turn for turn in again if turn is not None and turn.due <= at]
    return run, tuple(effects)


def _resumed(run: Run, at: dt.datetime, event: ClocksRead) -> tuple[Run, list[Effect]]:
    """The run after an acknowledgement that has lapsed, unless a change of shift took it over before."""
    lapse = lapse_of(run, event)
    if lapse is None or lapse.due > at:
        return run, []
    handed = next_handoff(run, event)
    if handed is not None and handed <= lapse.due:
        return run, []
    effect = _over(run, lapse.due, at, lapse.why, lapse.mode)
    return run.resumed(at, lapse.mode), [effect]


def _over(run: Run, due: dt.datetime, at: dt.datetime, why: Ended, mode: GoesOn) -> Resume:
    """That an acknowledgement is over."""
    return Resume(
        key=run.key_of(0, "-", why, "clock"), step=None, clock=None, scheduled_at=due, fired_at=at,
        generation=run.generation, loop=0, why=why, mode=mode,
    )  # fmt: skip


def next_due(run: Run, event: ClocksRead) -> dt.datetime | None:
    """The earliest instant at which `advance` will want something if nothing changes."""
    lapse = lapse_of(run, event)
    ends = (None if lapse is None else lapse.due, next_handoff(run, event))
    turns = (turn.due for turn in turns_of(run, event))
    return min((*(one for one in ends if one is not None), *turns), default=None)


def _in_time(turn: Turn) -> tuple[dt.datetime, int]:
    return turn.due, turn.order


def _regressed(run: Run, last: dt.datetime) -> tuple[Run, tuple[Effect, ...]]:
    """Nothing, and one word of it however often it is asked."""
    key = run.key_of(0, "-", str(micros(last)), "clock")
    if key in run.fired:
        return run, ()
    effect = ClockRegressed(
        key=key, step=None, clock=None, scheduled_at=last, fired_at=last,
        generation=run.generation, loop=0, why="clock_regressed", to=None,
    )  # fmt: skip
    return run.told(key), (effect,)


def _asked(
    run: Run, at: dt.datetime, event: EscalateNow, resolver: Resolver
) -> tuple[Run, tuple[Effect, ...]]:
    """The step that somebody asked for, or else the one that comes next, at once."""
    chains = run.policy.chains
    if event.step is None:
        coming = (turn_of(run, order, event, asked=True) for order in range(len(chains)))
        turn = min((one for one in coming if one is not None), key=_in_time, default=None)
    else:
        places = ((n, chain, chain.places.get(event.step)) for n, chain in enumerate(chains))
        turn = next(
            (
                Turn(at, n, chain, place, clock_of(chain, event))
                for n, chain, place in places
                if place is not None
            ),
            None,
        )
    if turn is None:
        return run, ()
    run, fired = _round(run, [turn._replace(due=at)], at, event, resolver)
    return run, tuple(fired)


# --- a round: each chain at most one step ---------------------------------------------------------


def _round(
    run: Run, turns: list[Turn], at: dt.datetime, event: ClocksRead, resolver: Resolver
) -> tuple[Run, list[Effect]]:
    """The run after each of these steps had its turn, and what they want."""
    if len(turns) == 1:
        effects = Firing(run, turns[0], at, event).effects(resolver)
        return taken(run, turns[0], effects, at), effects
    fired = [Firing(run, turn, at, event).effects(resolver) for turn in turns]
    coalesce(turns, fired)
    for turn, effects in zip(turns, fired, strict=True):
        run = taken(run, turn, effects, at)
    return run, [effect for effects in fired for effect in effects]


def _handed_over(
    run: Run, at: dt.datetime, event: ClocksRead, resolver: Resolver
) -> tuple[Run, list[Effect]]:
    """The run after the changes of shift up to now, unless the chain had gone on before: who is told."""
    coming = {turn.order: turn.due for turn in turns_of(run, event, at)}
    changes = [one for one in handoffs(run, event, at) if coming.get(one.turn.order, at) >= one.turn.due]
    effects: list[Effect] = []
    if run.is_acknowledged and any(one.coming for one in changes):
        due = min(one.turn.due for one in changes if one.coming)
        effects.append(_over(run, due, at, "handed_off", "resume"))
        run = run.resumed(at, "resume")
    for one in changes:
        fired = Firing(run, one.turn, at, event).handed_over(one, resolver)
        run = taken(run, one.turn._replace(due=fired[0].scheduled_at), fired, at, handoff=True)
        effects += fired
    return run, effects


def _may_go_on(run: Run, turn: Turn) -> bool:
    """Whether the step after this one may be due at once; one that waits from now on is not."""
    chain = turn.chain
    newest = run.escalation.past[-1]  # of several that had their turn it may be another's
    last = newest if newest.step in chain.places else run.last_turn(chain)
    if last is None or last.went is not None or last.why is not None:
        return True
    place = chain.next_of(turn.place)
    if place is None:
        return False
    wait = chain.steps[place].after
    return wait is None or not wait.is_long or chain.catch_up[place] == "coalesce"
