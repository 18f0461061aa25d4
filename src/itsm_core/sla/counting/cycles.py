"""A cycle: the stretch of a clock from start to stop, as it came to be known.

A cycle that stopped may go on after a reopening, so it keeps what came since.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, repeat
from typing import NamedTuple

from itsm_core.events import Phase
from itsm_core.sla.agreements.targets import Target
from itsm_core.sla.spans import ClockState, Flag, Stop, Walk
from itsm_core.sla.timeline import Mark


class Entry(NamedTuple):
    """What a cycle knows from an instant on: the mark in force, whether it is stopped, and by what target."""

    us: int
    mark: Mark
    stopped: bool
    target: Target


class Cycle:
    """One stretch: what was known of it when, and how it ended if it did."""

    __slots__ = ("entries", "first_stop", "rest", "settled", "stop")

    def __init__(self, first: Entry) -> None:
        self.entries = [first]
        self.stop: Stop | None = None
        self.first_stop: int | None = None
        self.rest: list[Entry] = []  # what came since it stopped
        self.settled = False  # the record was closed as it stopped, or since: it is final, whatever comes

    @property
    def start(self) -> int:
        """When it began."""
        return self.entries[0].us

    @property
    def target(self) -> Target:
        """The target that judges it: the last one that held while it went on."""
        return self.entries[-1].target

    @property
    def is_void(self) -> bool:
        """Whether the promise fell away, which lasts as long as the record stays as it is."""
        return self.stop is not None and self.stop.voids

    def is_over(self, us: int) -> bool:
        """Whether it has stopped before this instant, and not because the promise fell away."""
        return self.stop is not None and self.stop.us < us and not self.stop.voids

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
        """Another one that knows the same, and may go on where this one is settled."""
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
            us, mark, stopped, _ = entry
            if us > end:
                break
            walk.take(us, _STOPPED if stopped else wanted(mark, target), mark, target.calendar)
        walk.end(end)
        if not alone or (self.stop is not None and self.stop.voids):
            walk.flags += self._flags(walk, alone)
        return walk

    @property
    def _has_one_target(self) -> bool:
        target = self.entries[-1].target
        for entry in self.entries:  # noqa: SIM110 - a loop costs half of all(...)
            if entry.target is not target:
                return False
        return True

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


def wanted(mark: Mark, target: Target) -> ClockState:
    """What the state of a record asks of a clock that is not stopped."""
    measure = target.conditions
    if target.on_pause == "fixed" or (mark.phase is not Phase.WAITING and not measure.pause):
        return _RUNNING
    if mark.phase is Phase.WAITING and mark.waits_on in target.pauses_on:
        return _PAUSED
    if measure.pause and measure.pauses(mark) and not measure.resumes(mark):
        return _PAUSED
    return _RUNNING


_RUNNING, _PAUSED, _STOPPED = ClockState.RUNNING, ClockState.PAUSED, ClockState.STOPPED
