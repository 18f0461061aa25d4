"""One step as its turn comes: what it wants, or why it wants nothing, and what the run remembers of it."""

from __future__ import annotations

import datetime as dt

from itsm_core.escalation.answering import Resolver, Unresolved, people_of
from itsm_core.escalation.coalescing import is_left_to_others
from itsm_core.escalation.effects import (
    Change,
    ClocksRead,
    DeclareMajor,
    Effect,
    HandedOver,
    Inform,
    Move,
    NoResponder,
    NotFired,
    NotHandedOver,
    Steered,
    Unanswered,
    Why,
)
from itsm_core.escalation.handing import Handoff
from itsm_core.escalation.runs import Run
from itsm_core.escalation.steps import END, EscalationStep, StepKind
from itsm_core.escalation.timing import Turn, turn_of
from itsm_core.records.escalations import Past
from itsm_core.responders import USER
from itsm_core.values import trusted


def taken(run: Run, turn: Turn, effects: list[Effect], at: dt.datetime, *, handoff: bool = False) -> Run:
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
        None if keys else why, went, tuple(told), handoff,
    )  # fmt: skip
    return run.taken(past, keys)


def passed_over(run: Run, turn: Turn, at: dt.datetime, why: Why) -> tuple[Run, NotFired]:
    """The run after a step had its turn and was not let to fire, and what is said of it."""
    step = turn.step
    loop = run.loop_of(step.id)
    key = run.key_of(loop, step.id, "nobody", step.channel)
    effect: NotFired = _not_fired(key, turn.clock, turn.due, at, run.generation, loop, step, why, None)
    return taken(run, turn, [effect], at), effect


_past = trusted(Past)
_TOLD_NOBODY = frozenset({"empty", "unresolved"})


class Firing:
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
        """Why the step is not to fire now; None if nothing holds it back."""
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
        if not is_left_to_others(self.turn):
            return False
        run = taken(self.run, self.turn, [self._not("coalesced")], self.at)
        coming = turn_of(run, self.turn.order, self.event)
        if coming is None or coming.due > self.at or not is_left_to_others(coming):
            return False
        return Firing(run, coming, self.at, self.event).held_back() in (None, "coalesced")

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

    def handed_over(self, change: Handoff, resolver: Resolver) -> list[Effect]:
        """Those who have come on duty, and who came and went before anybody looked; never nothing at all."""
        held, channel, about = self.held_back(), self.step.channel, self._about()
        if held is not None:
            return [_not_handed(self._key("nobody", channel), *about, held, None)]
        unresolved: dict[str, None] = {}
        found = self._people((change.name,), resolver, unresolved) if change.coming else {}
        told: list[Effect] = [
            _handed(self._key(person, channel), *about, person, change.name)
            for person in found
            if person in change.coming
        ]
        told += [_not_handed(self._key(n, channel), *about, "unresolved", n) for n in unresolved]
        told += [
            _not_handed(self._key(person, channel), about[0], due, *about[2:], "superseded", person)
            for due, person in change.missed
        ]
        return told or [_not_handed(self._key("nobody", channel), *about, "empty", change.name)]

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
                people = people_of(name, resolver, self.run.record, self.at)
            except Unresolved:
                unresolved[name] = None
                continue
            for person in people:
                found.setdefault(person, name)
        return found

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
        person = name.removeprefix(USER)
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
_handed, _not_handed = trusted(HandedOver), trusted(NotHandedOver)
