"""What a clock did when: stretches of a timeline, and the open time that ran in them."""

from __future__ import annotations

from enum import StrEnum

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.sla.timeline import Mark


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


BREACHES = frozenset({Verdict.BREACHED, Verdict.VOID_AFTER_BREACH})
"""The verdicts that say a promise was broken, whatever became of it later."""


@attrs.frozen
class Stop:
    """Why and when (microseconds UTC) a cycle ended; `voids` if the promise fell away.

    `spoken` says that words ended it, so that they are known.
    """

    us: int
    reason: str
    voids: bool = attrs.field(default=False, kw_only=True)
    spoken: bool = attrs.field(default=False, kw_only=True)


@attrs.frozen
class Flag:
    """Something that spared a target a breach in its last tenth: a hold, a downgrade, a re-typing, a merge.

    It says nothing about intent; whoever reads a report looks at it. `us` is when, in microseconds UTC;
    `event` is None where the priority changed.
    """

    code: str
    us: int
    event: str | None = None


Piece = tuple[int, ClockState, Mark, BusinessCalendar]
"""From when on a clock did what, the mark that stands for it, and the calendar that counts."""


@attrs.frozen
class Span:
    """A stretch `[start_us, end_us)` in which a clock did one thing on one calendar, and its mark."""

    start_us: int
    end_us: int
    state: ClockState = attrs.field(kw_only=True)
    mark: Mark = attrs.field(kw_only=True)
    calendar: BusinessCalendar = attrs.field(kw_only=True, repr=False)


Run = tuple[int, int, BusinessCalendar]
"""The start of uninterrupted running, what had been used before it, and the calendar it counts on."""


class Walk:
    """A walk along the pieces of a cycle that measures running time.

    `pieces` are those it went along, as the clock took them: a pause begun after the due instant
    changes nothing. `due` is the instant that a due rule names.
    """

    __slots__ = ("budget", "due", "flags", "pieces", "runs", "start", "used")

    def __init__(self, start: int, budget: int, due: int | None) -> None:
        self.start, self.budget, self.due = start, budget, due
        self.used = 0
        self.runs: list[Run] = []
        self.pieces: list[Piece] = []
        self.flags: list[Flag] = []

    @property
    def is_nearly_over(self) -> bool:
        """Whether the last tenth of the budget is being used."""
        return 10 * self.used >= 9 * self.budget and self.used <= self.budget

    def take(self, us: int, state: ClockState, mark: Mark, calendar: BusinessCalendar) -> None:
        """What the clock does from an instant on, and the calendar that counts it."""
        pieces, runs = self.pieces, self.runs
        was = pieces[-1][1] if pieces else None
        if state is not was or (runs and runs[-1][2] is not calendar):
            if was is _RUNNING:
                self.count(us)
            if state is _PAUSED and was is not _PAUSED and self._late(us, calendar):
                state = _RUNNING
            elif state is _PAUSED and runs and self.is_nearly_over:
                self.flags.append(Flag("held_late", us, mark.event))
            if state is _RUNNING:
                runs.append((us, self.used, calendar))
        pieces.append((us, state, mark, calendar))

    def end(self, us: int) -> None:
        """The end of the cycle, or of what is known of it."""
        if self.pieces and self.pieces[-1][1] is _RUNNING:
            self.count(us)

    def count(self, end: int) -> None:
        """Adds the run that ends here."""
        start, before, calendar = self.runs[-1]
        self.used = before + calendar.elapsed_us(start, end)

    def _late(self, us: int, calendar: BusinessCalendar) -> bool:
        if self.used != self.budget:
            return self.used > self.budget
        return self.reach(self.budget, us, calendar) < us

    def reach(self, needed: int, end: int, calendar: BusinessCalendar) -> int:
        """The first instant at which so much was used; if none up to `end`, as if it ran on from there."""
        if needed == 0:
            return self.start if self.due is None or self.budget else self.due
        afters = [*(before for _, before, _ in self.runs[1:]), self.used]
        for (start, before, counted), after in zip(self.runs, afters, strict=False):
            if after >= needed:
                found = counted.add_us(start, needed - before)
                break
        else:
            found = calendar.add_us(end, needed - self.used)
        return max(found, self.due) if self.due is not None and needed == self.budget else found


def spans_of(pieces: tuple[Piece, ...], end: int) -> tuple[Span, ...]:
    """What was done from each piece to the next, up to `end`; empty stretches are left out."""
    ends = [*(piece[0] for piece in pieces[1:]), end]
    told = zip(pieces, ends, strict=False)
    return tuple(
        Span(us, until, state=state, mark=mark, calendar=calendar)
        for (us, state, mark, calendar), until in told
        if until > us
    )


_RUNNING, _PAUSED = ClockState.RUNNING, ClockState.PAUSED
