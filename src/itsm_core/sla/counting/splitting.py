"""Cycles: the stretches from start to stop that a measure finds in a timeline.

Most clocks have one cycle. Reopening may begin another, as words do where a metric asks for the next
word each time; so does a hand-over where a team answers for its stretch alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from itsm_core.events import Phase
from itsm_core.sla.agreements.measures import Conditions, Measure
from itsm_core.sla.agreements.targets import Plan, Target
from itsm_core.sla.counting.cycles import Cycle, Entry
from itsm_core.sla.spans import Stop
from itsm_core.sla.timeline import DONE, Mark, Said, Timeline, Word
from itsm_core.values import trusted

_OPEN = frozenset({Phase.NEW, Phase.ACTIVE, Phase.WAITING})


def cycles_of(timeline: Timeline, plan: Plan, since: int | None = None) -> list[Cycle]:
    """The cycles of a metric, oldest first; with `since`, nothing starts before that instant.

    The timeline is taken as it stands: cut it to what was known or had happened (`as_of`).
    """
    split, target = _Split(timeline.started_us, since), plan[0][1]
    if len(plan) > 1 or target is None:
        _along_the_plan(split, _instants(timeline, plan, since), plan)
    else:
        _along_one_target(split, _instants(timeline, plan, since), target)
    return split.found


def _along_one_target(split: _Split, instants: Iterable[Instant], target: Target) -> None:
    """Takes the instants, up to a stop that is for good, or while nothing can change in a running cycle."""
    measure = target.conditions
    last = (measure.once or target.reopen == "none") and not measure.repeats
    entries: list[Entry] | None = None
    for us, mark, words in instants:
        entry = Entry(us, mark, False, target)
        if entries is not None and not words and mark.phase in _OPEN:
            entries.append(entry)
            continue
        if last and split.found and split.found[-1].is_over(us):
            return
        split.take(entry, words)
        running = measure.quiet and split.found and split.found[-1].stop is None
        entries = split.found[-1].entries if running else None


def _along_the_plan(split: _Split, instants: Iterable[Instant], plan: Plan) -> None:
    """Takes the instants, each with the target that held."""
    target, later = plan[0][1], iter(plan[1:])
    change = next(later, None)
    for us, mark, words in instants:
        while change is not None and change[0] <= us:
            target, change = change[1], next(later, None)
        if target is None:
            split.leave(us, mark)
        else:
            split.take(Entry(us, mark, False, target), words)


Instant = tuple[int, Mark, tuple[Word, ...]]
"""When, the state from then on, and what was said."""


def _instants(timeline: Timeline, plan: Plan, since: int | None) -> Iterable[Instant]:
    """The marks, with instants between them at which words are heard or another target holds."""
    hears = plan[0][1].conditions.hears if len(plan) == 1 and plan[0][1] else _heard(plan)
    words = [word for word in timeline.words if word.said in hears] if hears else ()
    marks = timeline.marks
    if not words and len(plan) == 1 and since is None:
        return [(mark.us, mark, ()) for mark in marks]
    said: dict[int, tuple[Word, ...]] = {us: () for us, _ in plan[1:]}
    if since is not None:
        said[since] = ()
    for word in words:
        said[word.us] = (*said.get(word.us, ()), word)
    return _merged(marks, said)


def _heard(plan: Plan) -> frozenset[Said]:
    return frozenset(said for _, target in plan if target for said in target.conditions.hears)


def _merged(marks: tuple[Mark, ...], said: dict[int, tuple[Word, ...]]) -> Iterator[Instant]:
    """The marks and what else there is between them and after; of one instant each mark hears the words."""
    waiting = iter(sorted(said))
    us = next(waiting, None)
    last: Mark | None = None
    for mark in marks:
        while us is not None and us < mark.us:
            if last is not None and us > last.us:
                yield us, last, said[us]
            us = next(waiting, None)
        yield mark.us, mark, said.get(mark.us, ())
        last = mark
    while us is not None:
        if last is not None and us > last.us:
            yield us, last, said[us]
        us = next(waiting, None)


class _Split:
    """The cycles found so far, instant by instant."""

    def __init__(self, opened: int | None, since: int | None) -> None:
        self.found: list[Cycle] = []
        self.opened, self.since = opened, since
        self.last: Entry | None = None

    def take(self, entry: Entry, words: tuple[Word, ...]) -> None:
        """One more instant: void goes before stop, stop before reset, and reset before start."""
        cycle = self.found[-1] if self.found else None
        if cycle is not None and cycle.stop is None and not words and _changes_nothing(cycle, entry):
            cycle.entries.append(entry)
            return
        if cycle is None or cycle.stop is not None:
            self._between(cycle, entry, words)
            if cycle is not None and cycle.stop is not None and cycle is self.found[-1]:
                cycle.rest.append(Entry(entry.us, entry.mark, True, cycle.target))
        else:
            self._along(cycle, entry, words)
        self._settle(entry.mark)
        self.last = entry

    def _settle(self, mark: Mark) -> None:
        """What stopped before the record was closed, or with it, is final, whatever comes."""
        if mark.phase is Phase.CLOSED and self.found and self.found[-1].stop is not None:
            self.found[-1].settled = True

    def _along(self, cycle: Cycle, entry: Entry, words: tuple[Word, ...]) -> None:
        """An instant while a cycle runs: perhaps it stops, or another one takes its place."""
        stop = _stop(entry, words)
        anew = _starts_anew(cycle, entry.target)
        if stop is not None:
            self._stopped(cycle, entry._replace(target=cycle.target) if anew else entry, stop)
        elif entry.us > cycle.start and self._resets(entry, words):
            cycle.end(_ending(entry, entry.target.conditions.reset, words, "reset"))
            cycle.entries.append(Entry(entry.us, entry.mark, True, cycle.target if anew else entry.target))
            self.found.append(Cycle(entry))
        elif anew:
            cycle.end(Stop(entry.us, "retargeted", voids=True))
            self.found.append(Cycle(entry))
        else:
            cycle.entries.append(entry)

    def _resets(self, entry: Entry, words: tuple[Word, ...]) -> bool:
        """Whether a condition to start over holds that did not hold already."""
        was = entry.mark if self.last is None else self.last.mark
        reset = entry.target.conditions.reset
        return any(one.holds(entry.mark, words) and not one.holds(was, ()) for one in reset)

    def leave(self, us: int, mark: Mark) -> None:
        """An instant at which nothing is promised: what runs falls away."""
        cycle = self.found[-1] if self.found else None
        if cycle is not None and cycle.stop is None:
            self._stopped(cycle, Entry(us, mark, False, cycle.target), Stop(us, "no_target", voids=True))
            self.last = None
        self._settle(mark)

    def _stopped(self, cycle: Cycle, entry: Entry, stop: Stop) -> None:
        """It stops; where it had begun as the one before it stopped, that one stops so instead."""
        before = self.found[-2] if len(self.found) > 1 else None
        if before is not None and before.stop is not None and before.stop.us == cycle.start == stop.us:
            self.found.pop()
            cycle, entry = before, entry._replace(target=before.target)
        cycle.end(stop)
        cycle.entries.append(Entry(entry.us, entry.mark, True, entry.target))

    def _between(self, cycle: Cycle | None, entry: Entry, words: tuple[Word, ...]) -> None:
        """An instant at which no cycle runs: perhaps one starts, or goes on; of a settled one a copy does."""
        target, mark, us = entry.target, entry.mark, entry.us
        measure = target.conditions
        if cycle is not None and cycle.stop is not None and cycle.stop.us == us:
            stop = _stop(entry, words)
            if stop is not None and not (cycle.is_void and mark.phase in _OPEN):
                cycle.stop = stop if stop.voids else cycle.stop
                return
        early = self.since is not None and us < self.since
        if early or not measure.starts(mark, words):
            return
        stopped = _lasting_stop(entry)
        if stopped and us not in (self.opened, self.since):
            return
        if cycle is not None and self.last is not None and _may_run(self.last):
            return  # the start lasts, but its cycle has stopped
        if cycle is None or measure.repeats:
            self.found.append(Cycle(entry))
            if stopped or words:
                self._checked(self.found[-1], entry, words)
        elif cycle.is_void or (not measure.once and target.reopen != "none"):
            if target.reopen == "new_cycle" or _starts_anew(cycle, target):
                self.found.append(Cycle(entry))
                self._checked(self.found[-1], entry, words)
            else:
                if cycle.settled:
                    cycle = cycle.copy()
                    self.found.append(cycle)
                cycle.go_on(counting=target.reopen == "include_closed")
                cycle.entries.append(entry)
                self._checked(cycle, entry, words)

    def _checked(self, cycle: Cycle, entry: Entry, words: tuple[Word, ...]) -> None:
        stop = _stop(entry, words)
        if stop is not None:
            self._stopped(cycle, entry, stop)


def _changes_nothing(cycle: Cycle, entry: Entry) -> bool:
    """Whether a running cycle goes on for certain: an open record, the same target, and no words."""
    target = entry.target
    return target.conditions.quiet and entry.mark.phase not in DONE and target is cycle.target


def _starts_anew(cycle: Cycle, target: Target) -> bool:
    """Whether another target holds now, under which nothing that came before counts."""
    return target is not cycle.target and target.on_retarget == "restart"


def _lasting_stop(entry: Entry) -> bool:
    """Whether a stop holds of the state itself, so that nothing can start in it."""
    mark, measure = entry.mark, entry.target.conditions
    return mark.voids or measure.stops(mark) or bool(measure.void and measure.voids(mark))


def _may_run(entry: Entry) -> bool:
    """Whether a clock may run in a state, whatever is said."""
    return entry.target.conditions.starts(entry.mark) and not _lasting_stop(entry)


def _stop(entry: Entry, words: tuple[Word, ...]) -> Stop | None:
    """How a running cycle ends at an instant; None if it goes on."""
    us, mark, measure = entry.us, entry.mark, entry.target.conditions
    if mark.voids:
        return Stop(us, str(mark.outcome), voids=True)
    if measure.void and measure.voids(mark, words):
        return attrs.evolve(_ending(entry, measure.void, words, "void"), voids=True)
    if measure.stops(mark, words):
        return _ending(entry, measure.stop, words, ended(mark, measure))
    if measure.while_started and not measure.starts(mark, words):
        return Stop(us, "left")
    return None


def ended(mark: Mark, measure: Measure) -> str:
    """Why a clock stops in a state, where no words stopped it."""
    if mark.phase.is_open:
        return mark.state
    return "resolved_without_reply" if measure.once and measure.hears else mark.phase.value


def _ending(entry: Entry, conditions: Conditions, words: tuple[Word, ...], otherwise: str) -> Stop:
    """The stop by these conditions, and what brought it: the words that did, or else the state."""
    if not words:
        return _made(entry.us, otherwise, False, False)
    asked = {one for held in conditions if held.words and held.holds(entry.mark, words) for one in held.words}
    said = next((SAYS[word.said] for word in words if word.said in asked and word.said in SAYS), None)
    return _made(entry.us, said or otherwise, False, said is not None)


_made = trusted(Stop)

SAYS = {
    Said.MESSAGE: "answered",
    Said.AI_MESSAGE: "answered_by_ai",
    Said.LIVE_CONTACT: "live_contact",
    Said.ACKNOWLEDGEMENT: "acknowledged",
}
