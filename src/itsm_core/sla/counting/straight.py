"""The straight way: a clock that starts at the opening, stops once, and stays so.

Most clocks are like that. What they did is read off the marks in one go; whatever is not as plain, as a
reopening, a promise that fell away or another target, is left to `cycles_of`, and both say the same.
"""

from __future__ import annotations

from itsm_core.sla.agreements.targets import Target
from itsm_core.sla.counting.cycles import wanted
from itsm_core.sla.counting.splitting import SAYS, ended
from itsm_core.sla.spans import ClockState, Stop, Walk
from itsm_core.sla.timeline import DONE, Mark, Timeline, Word
from itsm_core.values import trusted

NEVER = 2**63


def straight(timeline: Timeline, target: Target, until: int) -> tuple[Walk, Stop | None] | None:
    """What a clock did up to an instant, and how it ended; None where that takes more than a look.

    The timeline is taken as it stands: cut it to what had happened (`as_of`).
    """
    measure, marks = target.conditions, timeline.marks
    if not measure.plain or not marks:
        return None
    word = timeline.answer(measure.hears) if measure.hears else None
    ran, us, mark = _end(marks, NEVER if word is None else word.us)
    if us is not None and (mark.voids or not _stays(marks[ran:], us, target)):
        return None
    start, calendar = marks[0].us, target.calendar
    walk = Walk(start, *target.bounds(start))
    for one in marks[:ran]:
        walk.take(one.us, wanted(one, target), one, calendar)
    if us is None:
        walk.end(until)
        return walk, None
    walk.take(us, ClockState.STOPPED, mark, calendar)
    return walk, _stop(us, mark, target, word)


def _end(marks: tuple[Mark, ...], heard: int) -> tuple[int, int | None, Mark]:
    """Through how many marks it runs, when it stops, and the mark in force then.

    It stops where the first word is heard or the record is done; at the opening it has run for no time.
    """
    mark = marks[0]
    for ran, then in enumerate(marks):
        us = then.us
        if heard < us:
            return ran, heard, mark
        mark = then
        if us == heard or then.phase in DONE:
            return ran or 1, us, then
    return len(marks), None if heard == NEVER else heard, mark


def _stays(after: tuple[Mark, ...], us: int, target: Target) -> bool:
    """Whether nothing that came with or after the stop takes it back."""
    for_good = target.conditions.once or target.reopen == "none"
    for mark in after:
        goes_on = not for_good and mark.phase not in DONE
        if goes_on or (mark.us == us and mark.voids):
            return False
    return True


def _stop(us: int, mark: Mark, target: Target, word: Word | None) -> Stop:
    said = SAYS[word.said] if word is not None and word.us == us else None
    return _made(us, said or ended(mark, target.conditions), False, said is not None)


_made = trusted(Stop)
