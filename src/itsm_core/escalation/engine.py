"""`advance`: what a policy wants done now. The only engine; preview and simulation call it too.

A run belongs to one record and one version of a policy. Its memory is what the record's events tell, so
nothing is kept beside the history. Steps stand still while the clock that triggers them is paused, and a
clock that stopped triggers nothing. Who answers to a name is asked when a step fires, not before.
"""

from __future__ import annotations

import datetime as dt

from itsm_core.business_time.instants import in_utc, micros
from itsm_core.escalation.answering import Resolver, Unresolved
from itsm_core.escalation.effects import (
    Change,
    ClockRegressed,
    ClocksRead,
    DeclareMajor,
    Effect,
    EscalateNow,
    Inform,
    Move,
    NoResponder,
    NotFired,
    Resume,
    Steered,
    Unanswered,
    Why,
)
from itsm_core.escalation.runs import Run
from itsm_core.escalation.steps import END, EscalationStep, StepKind
from itsm_core.escalation.timing import Turn, clock_of, lapse_of, turn_of, turns_of
from itsm_core.oncall.resolving import SURELY
from itsm_core.records.escalations import Past
from itsm_core.values import trusted


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
    lapse = lapse_of(run, event) if run.is_acknowledged else None
    if lapse is not None and lapse.due <= at:
        key = run.key_of(0, "-", lapse.why, "clock")
        effects.append(
            Resume(
                key=key, step=None, clock=None, scheduled_at=lapse.due, fired_at=at,
                generation=run.generation, loop=0, why=lapse.why, mode=lapse.mode,
            )
        )  # fmt: skip
        run = run.resumed(at, lapse.mode)
    turns = turns_of(run, event, at)
    while turns:
        if len(turns) > 1:
            turns.sort(key=_in_time)
        run, fired = _round(run, turns, at, event, resolver)
        effects += fired
        again = [turn_of(run, turn.order, event) for turn in turns if _may_go_on(run, turn)]
        turns = [turn for turn in again if turn is not None and turn.due <= at]
    return run, tuple(effects)


def next_due(run: Run, event: ClocksRead) -> dt.datetime | None:
    """The earliest instant at which `advance` will want something if nothing changes."""
    lapse = lapse_of(run, event)
    ends = [] if lapse is None else [lapse.due]
    return min((*ends, *(turn.due for turn in turns_of(run, event))), default=None)


def passed_over(run: Run, turn: Turn, at: dt.datetime, why: Why) -> tuple[Run, NotFired]:
    """The run after a step had its turn and was not let to fire, and what is said of it."""
    step = turn.step
    loop = run.loop_of(step.id)
    key = run.key_of(loop, step.id, "nobody", step.channel)
    effect: NotFired = _not_fired(key, turn.clock, turn.due, at, run.generation, loop, step, why, None)
    return _taken(run, turn, [effect], at), effect


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
        effects = _Firing(run, turns[0], at, event).effects(resolver)
        return _taken(run, turns[0], effects, at), effects
    fired = [_Firing(run, turn, at, event).effects(resolver) for turn in turns]
    _coalesce(turns, fired)
    for turn, effects in zip(turns, fired, strict=True):
        run = _taken(run, turn, effects, at)
    return run, [effect for effects in fired for effect in effects]


def _taken(run: Run, turn: Turn, effects: list[Effect], at: dt.datetime) -> Run:
    """The run after a turn: what it remembers of it, and the keys of what fired."""
    keys: list[str] = []
    told: list[str] = []
    why = went = None
    for effect in effects:
        if isinstance(effect, Inform):
            told.append(effect.to)
        elif isinstance(effect, NotFired):
            why = effect.why
            continue
        elif isinstance(effect, Steered):
            went = effect.went
        keys.append(effect.key)
    first, step = effects[0], turn.chain.steps[turn.place]
    past = _past(
        run.policy.id, step.id, first.generation, first.loop, at, turn.due,
        None if keys else why, went, tuple(told),
    )  # fmt: skip
    return run.taken(past, keys)


def _may_go_on(run: Run, turn: Turn) -> bool:
    """Whether the step after this one may be due at once; one that waits from now on is not."""
    chain = turn.chain
    last = run.last_turn(chain)
    if last is None or last.went is not None or last.why is not None:
        return True
    place = chain.next_of(turn.place)
    if place is None:
        return False
    wait = chain.steps[place].after
    return wait is None or not wait.is_long or chain.catch_up[place] == "coalesce"


_past = trusted(Past)
_TOLD_NOBODY = frozenset({"empty", "unresolved"})


def _coalesce(turns: list[Turn], fired: list[list[Effect]]) -> None:
    """Of several overdue steps that tell the same person the same way, the last one does; others say so."""
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


def _is_left_to_others(turn: Turn) -> bool:
    return _is_coalesced(turn) and turn.step.kind is StepKind.HIERARCHIC


def _instead(effect: Effect, why: Why, to: str | None) -> NotFired:
    """That an effect does not come to be, under its key."""
    return NotFired(
        key=effect.key, step=effect.step, clock=effect.clock, scheduled_at=effect.scheduled_at,
        fired_at=effect.fired_at, generation=effect.generation, loop=effect.loop, why=why, to=to,
    )  # fmt: skip


# --- one step -------------------------------------------------------------------------------------


class _Firing:
    """One turn as it is carried out: what its effects have in common."""

    __slots__ = ("at", "event", "loop", "run", "step", "turn")

    def __init__(self, run: Run, turn: Turn, at: dt.datetime, event: ClocksRead) -> None:
        self.run, self.turn, self.at, self.event = run, turn, at, event
        self.step: EscalationStep = turn.chain.steps[turn.place]
        self.loop = run.loop_of(self.step.id)

    def effects(self, resolver: Resolver) -> list[Effect]:
        """What the step wants, or why it wants nothing; never nothing at all."""
        held = self.held_back()
        if held is not None:
            return [self._not(held)]
        kind = self.step.kind
        if kind is StepKind.HIERARCHIC:
            return self._informed(resolver) or self._nobody()
        if kind is StepKind.FUNCTIONAL:
            return self._moved(resolver)
        if kind is StepKind.CHANGE:
            return self._then_last_resort([
                _change(self._key(name, "work"), *self._about(), name, value)
                for name, value in self.step.sets.items()
            ])  # fmt: skip
        if kind is StepKind.MAJOR:
            return self._then_last_resort([_major(self._key("major", "work"), *self._about())])
        return self._forked() if kind is StepKind.BRANCH else self._gone_back()

    # -- what is held back -------------------------------------------------------------------------

    def held_back(self) -> Why | None:
        step, turn, run = self.step, self.turn, self.run
        late = self.at - turn.due
        if step.expires_after is not None and late >= step.expires_after.timedelta:
            return "expired"
        if late and self._is_overtaken():
            return "coalesced"
        if step.priorities and run.record.priority not in step.priorities:
            return "condition"
        if step.when is None or step.when.holds(run.record, self.at, run.calendar(self.event.calendar)):
            return None
        return "condition"

    def _is_overtaken(self) -> bool:
        """Whether the step after this one is overdue, too, and would tell somebody in its place."""
        if not _is_left_to_others(self.turn):
            return False
        run = _taken(self.run, self.turn, [self._not("coalesced")], self.at)
        coming = turn_of(run, self.turn.order, self.event)
        if coming is None or coming.due > self.at or not _is_left_to_others(coming):
            return False
        return _Firing(run, coming, self.at, self.event).held_back() in (None, "coalesced")

    def _not(self, why: Why) -> Effect:
        made = _unanswered if why == "empty" else _not_fired
        effect: Effect = made(self._key("nobody", self.step.channel), *self._about(), why, None)
        return effect

    # -- who is told -------------------------------------------------------------------------------

    def _informed(self, resolver: Resolver) -> list[Effect]:
        unresolved: dict[str, None] = {}
        found = self._people(self.step.to, resolver, unresolved)
        if not found and self.step.fallback:
            found = self._people(self.step.fallback, resolver, unresolved)
        channel, about = self.step.channel, self._about()
        told: list[Effect] = [
            _inform(self._key(person, channel), *about, person, name) for person, name in found.items()
        ]
        if not unresolved:
            return told
        told += self._unresolved(unresolved)
        return told if found else told + self._last_resort(is_empty=True)

    def _unresolved(self, names: dict[str, None]) -> list[Effect]:
        """That nobody could say who these are."""
        about, channel = self._about(), self.step.channel
        return [_not_fired(self._key(name, channel), *about, "unresolved", name) for name in names]

    def _moved(self, resolver: Resolver) -> list[Effect]:
        """The work to the first who answers, else to the queue of the group."""
        step, found = self.step, dict[str, str]()
        unresolved: dict[str, None] = {}
        if step.assignee is not None:
            found = self._people((step.assignee,), resolver, unresolved)
            found = found or self._people(step.fallback, resolver, unresolved)
        person = next(iter(found), None)
        who = person or step.group
        if who is not None:
            return self._then_last_resort([_move(self._key(who, "work"), *self._about(), step.group, person)])
        owed = self._unresolved(unresolved)
        return owed + self._last_resort(is_empty=True) if owed else self._nobody()

    def _people(
        self, names: tuple[str, ...], resolver: Resolver, unresolved: dict[str, None]
    ) -> dict[str, str]:
        """Each person once, with the first name that means them; also what is unresolved, in order."""
        found: dict[str, str] = {}
        for name in names:
            try:
                people = self._answer(name, resolver)
            except Unresolved:
                unresolved[name] = None
                continue
            for person in people:
                if person:
                    found.setdefault(person, name)
        return found

    def _answer(self, name: str, resolver: Resolver) -> tuple[str, ...]:
        if name.startswith(SURELY):
            return (name.removeprefix("user:"),)
        answer = resolver(name, self.run.record, self.at) or ()
        return (answer,) if isinstance(answer, str) else answer

    def _nobody(self) -> list[Effect]:
        return self._last_resort(is_empty=True) or [self._not("empty")]

    def _then_last_resort(self, effects: list[Effect]) -> list[Effect]:
        return effects + self._last_resort()

    def _last_resort(self, *, is_empty: bool = False, is_over: bool = False) -> list[Effect]:
        """A word to the last resort where the chain is through and its names were nobody."""
        turn, name = self.turn, self.run.policy.last_resort
        is_over |= self.step.kind is StepKind.REPEAT or turn.chain.next_of(turn.place) is None
        if name is None or not is_over:
            return []
        turns = self.run.turns(turn.chain)
        if any(one.to for one in turns) or not (is_empty or any(one.why in _TOLD_NOBODY for one in turns)):
            return []
        person = name.removeprefix("user:")
        return [_no_responder(self._key(person, self.step.channel), *self._about(), person, name)]

    # -- where the chain goes on -------------------------------------------------------------------

    def _forked(self) -> list[Effect]:
        record, calendar = self.run.record, self.run.calendar(self.event.calendar)
        for branch in self.step.branches:
            if branch.when.holds(record, self.at, calendar):
                effects: list[Effect] = [_steered(self._key(branch.to, "chain"), *self._about(), branch.to)]
                return effects + self._last_resort(is_over=branch.to == END)
        return [self._not("condition")]

    def _gone_back(self) -> list[Effect]:
        repeat, step = self.step.repeat, self.step
        turns = self.run.turns(self.turn.chain)
        done = sum(one.step == step.id and one.went is not None for one in turns)
        if repeat is None or done >= repeat.times:
            return self._then_last_resort([self._not("skipped")])
        return self._then_last_resort([_steered(self._key(repeat.to, "chain"), *self._about(), repeat.to)])

    # -- what all effects have ---------------------------------------------------------------------

    def _key(self, target: str, channel: str) -> str:
        return self.run.key_of(self.loop, self.step.id, target, channel)

    def _about(self) -> tuple[object, ...]:
        turn = self.turn
        return turn.clock, turn.due, self.at, self.run.escalation.generation, self.loop, self.step


_inform, _no_responder, _move, _change = trusted(Inform), trusted(NoResponder), trusted(Move), trusted(Change)
_major, _steered = trusted(DeclareMajor), trusted(Steered)
_not_fired, _unanswered = trusted(NotFired), trusted(Unanswered)
