"""Cycles: the stretches from start to stop that a measure finds in a timeline.

Most clocks have one cycle. Reopening may begin another, as words do where a metric asks for the next
word each time; so does a hand-over where a team answers for its stretch alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, repeat
from typing import NamedTuple

import attrs

from itsm_core.events import Phase
from itsm_core.sla.measures import Conditions
from itsm_core.sla.spans import ClockState, Flag, Stop, Walk
from itsm_core.sla.targets import Plan, Target
from itsm_core.sla.timeline import DONE, Mark, Said, Timeline, Word


class Entry(NamedTuple):
    """What a cycle knows from an instant on: the mark in force, whether it is stopped, and by what target."""

    us: int
    mark: Mark
    stopped: bool
    target: Target


class Cycle:
    """One stretch: what was known of it when, and how it ended if it did."""

    __slots__ = ("entries", "first_stop", "rest", "stop")

    def __init__(self, first: Entry) -> None:
        self.entries = [first]
        self.stop: Stop | None = None
        self.first_stop: int | None = None
        self.rest: list[Entry] = []  # what came since it stopped

    @property
    def start(self) -> int:
        """When it began."""
        return self.entries[0].us

    @property
    def target(self) -> Target:
        """The target that judges it: the last one that held while it went on."""
        return self.entries[-1].target

    def end(self, stop: Stop) -> None:
        """Stops it; the first of its stops is kept, though it may go on."""
        self.stop = stop
        self.first_stop = stop.us if self.first_stop is None else self.first_stop

    def go_on(self, *, counting: bool) -> None:
        """Takes it up again after its stop; the time between counts, or does not."""
        self.stop, self.entries, self.rest = None, [*self.entries, *self.rest], []
        if counting:
            self.entries = [entry._replace(stopped=False) for entry in self.entries]

    def copy(self) -> Cycle:
        """Another one that knows the same: it may go on where this one is settled."""
        made = Cycle(self.entries[0])
        made.entries, made.rest = list(self.entries), list(self.rest)
        made.stop, made.first_stop = self.stop, self.first_stop
        return made

    def walked(self, until: int) -> Walk:
        """What was counted up to an instant, or to its stop."""
        budget, due = self.target.bounds(self.start)
        walk = Walk(self.start, budget, due)
        end = until if self.stop is None else self.stop.us
        alone = self._has_one_target
        judges = repeat(self.target) if alone else _judges(self.entries)
        for entry, target in zip(self.entries, judges, strict=False):
            if entry.us > end:
                break
            walk.take(entry.us, _wanted(entry, target), entry.mark, target.calendar)
        walk.end(end)
        if not alone or self.stop is not None:
            walk.flags += self._flags(walk, alone)
        return walk

    @property
    def _has_one_target(self) -> bool:
        target = self.entries[-1].target
        return all(entry.target is target for entry in self.entries)

    def _flags(self, walk: Walk, alone: bool) -> Iterator[Flag]:
        """What took the promise away, or made it longer, when it was nearly used up."""
        for before, entry in () if alone else pairwise(self.entries):
            if entry.target is not before.target and self._was_nearly_over(entry):
                yield Flag("lowered_late", entry.us)
        stop = self.stop
        if stop is not None and stop.voids and walk.is_nearly_over:
            mark = self.entries[-1].mark
            yield Flag(f"{stop.reason}_late", stop.us, mark.event if mark.voids else None)

    def _was_nearly_over(self, entry: Entry) -> bool:
        """Whether the target before was in its last tenth, and the one from this entry on gives longer."""
        known = Cycle(self.entries[0])
        known.entries = [one for one in self.entries if one.us <= entry.us and one.target is not entry.target]
        before = known.walked(entry.us)
        return before.is_nearly_over and before.budget < entry.target.bounds(self.start)[0]


def _judges(entries: list[Entry]) -> list[Target]:
    """By which target each entry counts: a new one counts from the start unless it carries on."""
    judge = later = entries[-1].target
    found = []
    for entry in reversed(entries):
        if entry.target is not later:
            judge = entry.target if later.on_retarget == "carry" else judge
            later = entry.target
        found.append(judge)
    return found[::-1]


def _wanted(entry: Entry, target: Target) -> ClockState:
    """What an entry asks of the clock."""
    if entry.stopped:
        return _STOPPED
    mark, measure = entry.mark, target.conditions
    if target.on_pause == "fixed" or (mark.phase is not Phase.WAITING and not measure.pause):
        return _RUNNING
    if mark.phase is Phase.WAITING and mark.waits_on in target.pauses_on:
        return _PAUSED
    if measure.pause and measure.pauses(mark) and not measure.resumes(mark):
        return _PAUSED
    return _RUNNING


_RUNNING, _PAUSED, _STOPPED = ClockState.RUNNING, ClockState.PAUSED, ClockState.STOPPED


# --- finding them -------------------------------------------------------------------------------


def cycles_of(timeline: Timeline, plan: Plan, since: int | None = None) -> list[Cycle]:
    """The cycles of a metric, oldest first; with `since`, nothing starts before that instant.

    The timeline is taken as it stands: cut it to what was known or had happened (`as_of`).
    """
    split = _Split(timeline.started_us, since)
    target, later = plan[0][1], iter(plan[1:])
    if len(plan) == 1 and since is None and target is not None and not target.conditions.hears:
        for mark in timeline.marks:  # most clocks: one target, and nothing but the state matters
            split.take(Entry(mark.us, mark, False, target), ())
        return split.found
    change = next(later, None)
    for us, mark, words in _instants(timeline, plan, since):
        while change is not None and change[0] <= us:
            target, change = change[1], next(later, None)
        if target is None:
            split.leave(us, mark)
        else:
            split.take(Entry(us, mark, False, target), words)
    return split.found


Instant = tuple[int, Mark, tuple[Word, ...]]
"""When, the state from then on, and what was said."""


def _instants(timeline: Timeline, plan: Plan, since: int | None) -> Iterator[Instant]:
    """The marks, with instants between them at which words are said or another target holds."""
    words = timeline.words if any(target and target.conditions.hears for _, target in plan) else ()
    more = {us for us, _ in plan[1:]} | ({since} if since is not None else set())
    if not words and not more:
        yield from ((mark.us, mark, ()) for mark in timeline.marks)
        return
    said: dict[int, tuple[Word, ...]] = dict.fromkeys(more, ())
    for word in words:
        said[word.us] = (*said.get(word.us, ()), word)
    waiting = sorted(said)
    last: Mark | None = None
    for mark in timeline.marks:
        while waiting and waiting[0] < mark.us:
            us = waiting.pop(0)
            if last is not None and us > last.us:
                yield us, last, said[us]
        yield mark.us, mark, said.get(mark.us, ())  # of an instant with several marks, each hears the words
        last = mark
    if last is not None:
        yield from ((us, last, said[us]) for us in waiting if us > last.us)


class _Split:
    """The cycles found so far, instant by instant."""

    def __init__(self, opened: int | None, since: int | None) -> None:
        self.found: list[Cycle] = []
        self.opened, self.since = opened, since
        self.settled = False
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
        stopped = bool(self.found) and self.found[-1].stop is not None
        self.settled = stopped and (self.settled or mark.phase is Phase.CLOSED)

    def _along(self, cycle: Cycle, entry: Entry, words: tuple[Word, ...]) -> None:
        """An instant while a cycle runs: perhaps it stops, or another one takes its place."""
        stop = _stop(entry, words)
        anew = _starts_anew(cycle, entry.target)
        if stop is not None:
            self._stopped(cycle, entry._replace(target=cycle.target) if anew else entry, stop)
        elif entry.us > cycle.start and self._resets(entry, words):
            cycle.end(_ending(entry, entry.target.conditions.reset, words, "reset"))
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
            if stop is not None:
                cycle.stop = stop if stop.voids else cycle.stop
                return
        early = self.since is not None and us < self.since
        if early or not measure.starts(mark, words):
            return
        if _lasting_stop(entry) and us not in (self.opened, self.since):
            return
        if cycle is not None and self.last is not None and _may_run(self.last):
            return  # the start lasts, but its cycle has stopped
        if cycle is None or measure.repeats:
            self._begin(entry, words)
        elif _voided(cycle) or (not measure.once and target.reopen != "none"):
            if target.reopen == "new_cycle" or _starts_anew(cycle, target):
                self._begin(entry, words)
            else:
                if self.settled:
                    cycle = cycle.copy()
                    self.found.append(cycle)
                cycle.go_on(counting=target.reopen == "include_closed")
                cycle.entries.append(entry)
                self._checked(cycle, entry, words)

    def _begin(self, entry: Entry, words: tuple[Word, ...]) -> None:
        """A new cycle; words said at its start end it at once."""
        self.found.append(Cycle(entry))
        self._checked(self.found[-1], entry, words)

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


def _voided(cycle: Cycle) -> bool:
    """Whether the promise fell away, which lasts as long as the record stays as it is."""
    return cycle.stop is not None and cycle.stop.voids


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
        unanswered = measure.once and measure.hears and not mark.phase.is_open
        ended = "resolved_without_reply" if unanswered else _ended(mark)
        return _ending(entry, measure.stop, words, ended)
    if measure.while_started and not measure.starts(mark, words):
        return Stop(us, "left")
    return None


def _ended(mark: Mark) -> str:
    return mark.state if mark.phase.is_open else mark.phase.value


def _ending(entry: Entry, conditions: Conditions, words: tuple[Word, ...], otherwise: str) -> Stop:
    """The stop by these conditions, and what brought it: the words that did, or else the state."""
    asked = {one for held in conditions if held.words and held.holds(entry.mark, words) for one in held.words}
    said = next((_SAYS[word.said] for word in words if word.said in asked and word.said in _SAYS), None)
    return Stop(entry.us, said or otherwise, spoken=said is not None)


_SAYS = {
    Said.MESSAGE: "answered",
    Said.AI_MESSAGE: "answered_by_ai",
    Said.LIVE_CONTACT: "live_contact",
    Said.ACKNOWLEDGEMENT: "acknowledged",
}
