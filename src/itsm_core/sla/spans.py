"""What a clock did when: the stretches of a timeline, and the open time that ran in them."""

from __future__ import annotations

from enum import StrEnum

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.events import Phase, WaitsOn
from itsm_core.sla.timeline import DONE, Mark


class ClockState(StrEnum):
    """What a clock is doing."""

    NOT_STARTED = "not_started"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    VOID = "void"


class Verdict(StrEnum):
    """What a clock says of its target. Unknown is never met; a void after a breach stays a breach."""

    RUNNING = "running"
    MET = "met"
    BREACHED = "breached"
    VOID = "void"
    VOID_AFTER_BREACH = "void_after_breach"
    UNKNOWN = "unknown"


@attrs.frozen
class Span:
    """A stretch `[start_us, end_us)` in which a clock did one thing, and the mark that began it."""

    start_us: int
    end_us: int
    state: ClockState = attrs.field(kw_only=True)
    mark: Mark = attrs.field(kw_only=True)


class Walk:
    """A walk along the marks of a timeline that measures running time on one calendar.

    `states` says what the clock did from each mark on; `runs` are the starts of uninterrupted
    running and what had been used before each.
    """

    __slots__ = ("budget", "calendar", "due", "runs", "start", "states", "used")

    def __init__(self, calendar: BusinessCalendar, start: int, budget: int, due: int | None) -> None:
        self.calendar, self.start, self.budget, self.due = calendar, start, budget, due
        self.used = 0
        self.runs: list[tuple[int, int]] = []
        self.states: list[ClockState] = []

    def go(self, marks: tuple[Mark, ...], pauses_on: frozenset[WaitsOn], end: int) -> None:
        """From the first mark to `end`; marks behind it do not matter."""
        state = _NOT_STARTED
        for mark in marks:
            if mark.us > end:
                break
            was, state = state, _wanted(mark, pauses_on)
            if state is not was:
                state = self._turn(was, state, mark.us)
            self.states.append(state)
        if state is _RUNNING:
            self._count(end)

    def _turn(self, was: ClockState, state: ClockState, us: int) -> ClockState:
        """Ends one state and begins another; a pause begun after the due instant changes nothing."""
        if was is _RUNNING:
            self._count(us)
        if state is _PAUSED and self._late(us):
            state = _RUNNING
        if state is _RUNNING:
            self.runs.append((us, self.used))
        return state

    def _count(self, end: int) -> None:
        """Adds the run that ends here."""
        start, before = self.runs[-1]
        self.used = before + self.calendar.elapsed_us(start, end)

    def _late(self, us: int) -> bool:
        return self.used > self.budget or (self.used == self.budget and self.reach(self.budget, us) < us)

    def reach(self, needed: int, end: int) -> int:
        """The first instant at which so much was used; if none up to `end`, as if it ran on from there."""
        if needed == 0:
            return self.start if self.due is None or self.budget else self.due
        afters = [*(before for _, before in self.runs[1:]), self.used]
        for (start, before), after in zip(self.runs, afters, strict=False):
            if after >= needed:
                found = self.calendar.add_us(start, needed - before)
                break
        else:
            found = self.calendar.add_us(end, needed - self.used)
        return max(found, self.due) if self.due is not None and needed == self.budget else found


_NOT_STARTED, _RUNNING, _PAUSED = ClockState.NOT_STARTED, ClockState.RUNNING, ClockState.PAUSED
_STOPPED = ClockState.STOPPED
_WAITING = Phase.WAITING


def _wanted(mark: Mark, pauses_on: frozenset[WaitsOn]) -> ClockState:
    """What a mark asks of the clock. The time between resolving and reopening is stopped."""
    phase = mark.phase
    if phase is _WAITING and mark.waits_on in pauses_on:
        return _PAUSED
    return _STOPPED if phase in DONE else _RUNNING


def spans_of(marks: tuple[Mark, ...], states: tuple[ClockState, ...], end: int) -> tuple[Span, ...]:
    """What was done from each mark to the next, up to `end`; empty stretches are left out."""
    ends = [*(mark.us for mark in marks[1 : len(states)]), end]
    told = zip(marks, ends, states, strict=False)
    return tuple(Span(m.us, until, state=state, mark=m) for m, until, state in told if until > m.us)
