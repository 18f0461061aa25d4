"""A clock as a picture: one bar of running, paused, closed and stopped stretches, with its due line.

The bar is HTML: stretches placed in percent, so it fits any width while no text is scaled. There
is no text inside, so labels cannot collide; times stand beside the bar, and the whole
explanation is its label for readers that do not see it.
"""

from __future__ import annotations

import html
import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import attrs

from itsm_core.business_time import BusinessCalendar
from itsm_core.sla import Clock, Explanation
from itsm_core.sla.explaining.picture import stretches

FOLD = 2.0
"""The width of a folded closed stretch, in percent of the bar, as long as there are few."""

_EDGE = 97.0  # a due line at the very end would touch the frame


class Piece(NamedTuple):
    """A stretch of the bar: what it shows and where, in percent."""

    kind: str
    left: float
    width: float


@attrs.frozen
class Axis:
    """Where an instant lies on the bar: open time to scale, closed stretches folded.

    `knots` are (instant, percent) at every opening and closing; between them it is linear.
    """

    knots: tuple[tuple[int, float], ...]
    open: tuple[tuple[int, int], ...]

    @classmethod
    def over(cls, calendar: BusinessCalendar, start: int, end: int) -> Axis:
        """The axis from one instant to another (microseconds UTC) on a calendar."""
        periods = [(a, b) for a, b in calendar.periods_us(start, end) if b > a]
        edges = sorted({start, end, *(us for period in periods for us in period)})
        stretches = list(itertools.pairwise(edges))
        opened, is_open = sum(b - a for a, b in periods), set(periods)
        if not opened:  # nothing to scale by: closed time to scale
            return cls(((start, 0.0), (max(end, start + 1), _EDGE)), ())
        gaps = len(stretches) - len(is_open)
        fold = min(FOLD, 40 / gaps) if gaps else 0.0
        scale = (_EDGE - fold * gaps) / opened
        knots, place = [(start, 0.0)], 0.0
        for a, b in stretches:
            place += (b - a) * scale if (a, b) in is_open else fold
            knots.append((b, place))
        return cls(tuple(knots), tuple(periods))

    def __call__(self, us: int) -> float:
        """The place of an instant in percent; instants outside go to the ends."""
        before = self.knots[0]
        if us <= before[0]:
            return before[1]
        for knot in self.knots[1:]:
            if us <= knot[0]:
                return before[1] + (us - before[0]) / (knot[0] - before[0]) * (knot[1] - before[1])
            before = knot
        return before[1]


def bar(clock: Clock, marks: Iterable[int] = (), *, lang: str = "en") -> str:
    """The bar of a clock as HTML; `marks` are the instants (microseconds) of its escalations."""
    told, marks = clock.explain(), tuple(marks)
    if told.started_us is None:
        return ""
    axis = _axis(clock, told, marks)
    shown = [_stretch(piece) for piece in pieces(told, axis)]
    shown += [_mark("esc", axis(us)) for us in marks]
    if told.due_us is not None:
        shown.append(_mark("due", axis(told.due_us)))
    label = html.escape(told.text(lang), quote=True)
    return f'<div class="bar" role="img" aria-label="{label}">{"".join(shown)}</div>'


def _axis(clock: Clock, told: Explanation, marks: tuple[int, ...]) -> Axis:
    start = told.started_us or 0
    end = told.at_us if told.stopped_us is None else told.stopped_us
    last = max(start + 1, end, told.due_us or start, *marks)
    return Axis.over(clock.target.calendar, start, last)


def pieces(told: Explanation, axis: Axis) -> Iterator[Piece]:
    """The stretches of the bar, left to right: run, over, pause and stop, then closed on top."""
    for kind, start, end in stretches(told.segments, told.due_us):
        yield _piece(kind, start, end, axis)
    before = axis.knots[0][0]
    for start, end in (*axis.open, (axis.knots[-1][0], axis.knots[-1][0])):
        if start > before:
            yield _piece("closed", before, start, axis)
        before = max(before, end)


def _piece(kind: str, start: int, end: int, axis: Axis) -> Piece:
    left = axis(start)
    return Piece(kind, left, axis(end) - left)


def _stretch(piece: Piece) -> str:
    return f'<i class="{piece.kind}" style="left:{piece.left:.2f}%;width:{piece.width:.2f}%"></i>'


def _mark(kind: str, place: float) -> str:
    return f'<i class="{kind}" style="left:{place:.2f}%"></i>'
