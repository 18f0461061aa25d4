"""Open time compiled to instants: a growing table of UTC edges with prefix sums.

With S the opening, E the closing and C the open time before the i-th period,
F(t) = min(t, E[i]) - (S[i] - C[i]) is the open time up to t; `shifts` holds S - C. `elapsed` is
F(b) - F(a), `add` the inverse of F, and both cost a bisection or two, however far the instants lie
apart. The table grows by years in both directions, only as far as asked.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from threading import Lock
from typing import NamedTuple

from itsm_core.business_time.instants import DAY, utc
from itsm_core.business_time.intervals import Span
from itsm_core.business_time.local_hours import Source, for_ever
from itsm_core.business_time.offsets import year_start
from itsm_core.errors import BeyondHorizon, NeverOpens

FIRST_YEAR, LAST_YEAR = 1900, 2300
HORIZON: Span = (year_start(FIRST_YEAR), year_start(LAST_YEAR + 1))
_FIRST, _AFTER_LAST = FIRST_YEAR, LAST_YEAR + 1


def beyond(at: int | None) -> BeyondHorizon:
    """The error for an instant, or a result, that no calendar counts."""
    what = "the result" if at is None else f"an instant{_in_the_year(at)}"
    return BeyondHorizon(
        f"{what} lies outside the years {FIRST_YEAR} to {LAST_YEAR}, which are all that a calendar "
        "counts; check the year of the instant and the unit of the duration"
    )


def _in_the_year(at: int) -> str:
    """The year by the cycle of 400 years, for it may be one that no datetime can hold."""
    cycles, rest = divmod(at, 146_097 * DAY)
    return f" in the year {utc(rest).year + 400 * cycles}" if abs(cycles) < 10**6 else ""


def within(at: int) -> int:
    """The instant itself, if it lies in the years that a calendar counts."""
    if not HORIZON[0] <= at <= HORIZON[1]:
        raise beyond(at)
    return at


class Edges(NamedTuple):
    """One immutable state of a table; the first period is an empty sentinel at `lo`.

    Instants that may be asked lie between `lo` and `hi`, without either; the horizon itself may be.
    """

    lo: int
    hi: int
    opens: list[int]
    closes: list[int]
    sums: list[int]
    shifts: list[int]
    years: tuple[int, int]


_NOTHING = Edges(0, 0, [], [], [], [], (0, 0))


def _edges(spans: list[Span], years: tuple[int, int]) -> Edges:
    lo = year_start(years[0]) - (years[0] == _FIRST)
    hi = year_start(years[1]) + (years[1] == _AFTER_LAST)
    opens, closes = [lo], [lo]
    for start, end in spans:
        if start == closes[-1] and len(closes) > 1:
            closes[-1] = end
        else:
            opens.append(start)
            closes.append(end)
    sums = [0, *accumulate(map(int.__sub__, closes, opens))]
    shifts = list(map(int.__sub__, opens, sums))
    return Edges(lo, hi, opens, closes, sums[:-1], shifts, years)


class Table:
    """The open periods of one source; all instants and lengths are integer microseconds."""

    __slots__ = ("__weakref__", "_edges", "_lock", "source")

    def __init__(self, source: Source) -> None:
        self.source = source
        self._lock = Lock()
        self._edges = _NOTHING

    # -- growing -----------------------------------------------------------------------------------

    def covering(self, a: int, b: int) -> Edges:
        """Edges that hold both instants strictly inside, or `BeyondHorizon`."""
        edges = self._edges
        if edges.lo < a < edges.hi and edges.lo < b < edges.hi:
            return edges
        first, last = min(a, b), max(a, b)
        if first < HORIZON[0] or last > HORIZON[1]:
            raise beyond(first if first < HORIZON[0] else last)
        return self._grow(max(utc(first - 1).year, _FIRST), min(utc(last).year + 1, _AFTER_LAST))

    def _grow(self, first: int, after_last: int) -> Edges:
        """Edges for at least these years: those known and the missing ones on either side."""
        with self._lock:
            edges = self._edges
            known = edges.years if edges is not _NOTHING else (first, first)
            years = (min(first, known[0]), max(after_last, known[1]))
            if years != edges.years:
                spans = self._built(years[0], known[0])
                spans += zip(edges.opens[1:], edges.closes[1:], strict=True)
                spans += self._built(known[1], years[1])
                self._edges = edges = _edges(spans, years)
            return edges

    def _built(self, first: int, after_last: int) -> list[Span]:
        spans: list[Span] = []
        for year in range(first, after_last):
            spans += self.source.spans(year_start(year), year_start(year + 1))
        return spans

    def _later(self, edges: Edges, years: int) -> Edges | None:
        """Edges that reach `years` further, or None where nothing changes any more."""
        if for_ever(self.source, edges.hi, after=True) is not None:
            return None
        if edges.years[1] >= _AFTER_LAST:
            raise beyond(None)
        return self._grow(edges.years[0], min(edges.years[1] + years, _AFTER_LAST))

    def _earlier(self, edges: Edges, years: int) -> Edges | None:
        """Edges that reach `years` further back, or None where nothing was different before."""
        if for_ever(self.source, edges.lo, after=False) is not None:
            return None
        if edges.years[0] <= _FIRST:
            raise beyond(None)
        return self._grow(max(edges.years[0] - years, _FIRST), edges.years[1])

    # -- measuring ---------------------------------------------------------------------------------

    def is_open(self, at: int) -> bool:
        """Whether the desk is open at an instant."""
        edges = self.covering(at, at)
        return at < edges.closes[bisect_right(edges.opens, at) - 1]

    def elapsed(self, a: int, b: int) -> int:
        """The open time in [a, b); negative if b lies before a."""
        lo, hi, opens, closes, _, shifts, _ = self._edges
        if not (lo < a < hi and lo < b < hi):
            _, _, opens, closes, _, shifts, _ = self.covering(a, b)
        i = bisect_right(opens, a) - 1
        j = bisect_right(opens, b) - 1
        closed_a, closed_b = closes[i], closes[j]
        return (
            (b if b < closed_b else closed_b) - shifts[j]
            - (a if a < closed_a else closed_a) + shifts[i]
        )  # fmt: skip

    def add(self, at: int, us: int) -> int:
        """The earliest instant by which `us` of open time have passed since `at`; 0 is `at`."""
        if us <= 0:
            return self.subtract(at, -us) if us else at
        edges, years = self.covering(at, at), 1
        while True:
            _, _, opens, closes, sums, shifts, _ = edges
            i = bisect_right(opens, at) - 1
            closed = closes[i]
            target = (at if at < closed else closed) - shifts[i] + us
            i = bisect_left(sums, target) - 1
            result = target + shifts[i]
            if result <= closes[i]:
                return result
            further = self._later(edges, years)
            if further is None:
                return self._for_ever(at, closes[i], target - sums[i] - (closes[i] - opens[i]), edges)
            edges, years = further, years * 2

    def subtract(self, at: int, us: int) -> int:
        """The latest instant from which `us` of open time pass until `at`; 0 is `at`."""
        if us <= 0:
            return self.add(at, -us) if us else at
        edges, years = self.covering(at, at), 1
        while True:
            _, _, opens, closes, sums, shifts, _ = edges
            i = bisect_right(opens, at) - 1
            closed = closes[i]
            target = (at if at < closed else closed) - shifts[i] - us
            if target >= 0:
                i = bisect_right(sums, target) - 1
                return target + shifts[i]
            further = self._earlier(edges, years)
            if further is None:
                return self._for_ever(at, year_start(edges.years[0]), target, edges)
            edges, years = further, years * 2

    def _for_ever(self, at: int, edge: int, missing: int, edges: Edges) -> int:
        """The result beyond the table, where the desk is always open or always closed."""
        after = missing > 0
        if not for_ever(self.source, edges.hi if after else edges.lo, after=after):
            lacking = dt.timedelta(microseconds=min(abs(missing), 9999 * 365 * DAY))
            raise NeverOpens(
                f"the calendar has too little open time {'after' if after else 'before'} "
                f"{utc(at).isoformat()}: {lacking} could not be counted, and it never opens "
                f"{'again' if after else 'earlier'}; check its validity, or give it hours"
            )
        result = edge + missing
        if not HORIZON[0] <= result <= HORIZON[1]:
            raise beyond(None)
        return result

    # -- searching ---------------------------------------------------------------------------------

    def next_start(self, at: int) -> int | None:
        """The first opening strictly after an instant, or None if there is none."""
        edges: Edges | None = self.covering(at, at)
        years = 1
        while edges is not None:
            i = bisect_right(edges.opens, at)
            if i < len(edges.opens):
                return edges.opens[i]
            edges, years = self._later(edges, years), years * 2
        return None

    def next_open(self, at: int) -> int | None:
        """The instant itself if the desk is open, else the next opening, or None."""
        return at if self.is_open(at) else self.next_start(at)

    def next_close(self, at: int) -> int | None:
        """The first closing strictly after an instant, or None if there is none."""
        edges: Edges | None = self.covering(at, at)
        years = 1
        while edges is not None:
            i = bisect_right(edges.closes, at)
            if i < len(edges.closes) and edges.closes[i] < year_start(edges.years[1]):
                return edges.closes[i]
            edges, years = self._later(edges, years), years * 2
        return None

    def previous_close(self, at: int) -> int | None:
        """The latest instant up to `at` just before which the desk is open, or None."""
        edges: Edges | None = self.covering(at, at)
        years = 1
        while edges is not None:
            i = bisect_left(edges.opens, at) - 1
            if i > 0:
                return min(at, edges.closes[i])
            edges, years = self._earlier(edges, years), years * 2
        return None

    def previous_start(self, at: int) -> int | None:
        """The latest opening strictly before an instant, or None if there is none."""
        edges: Edges | None = self.covering(at, at)
        years = 1
        while edges is not None:
            i = bisect_left(edges.opens, at) - 1
            if i > 0 and edges.opens[i] > year_start(edges.years[0]):
                return edges.opens[i]
            edges, years = self._earlier(edges, years), years * 2
        return None

    # -- periods -----------------------------------------------------------------------------------

    def periods(self, a: int, b: int) -> Iterator[Span]:
        """The open periods in [a, b), clipped, in order; none if b does not lie after a."""
        edges = self.covering(a, b)
        i = bisect_right(edges.closes, a)
        while a < b and i < len(edges.opens) and edges.opens[i] < b:
            yield max(edges.opens[i], a), min(edges.closes[i], b)
            i += 1

    def periods_after(self, at: int) -> Iterator[Span]:
        """The open periods from an instant on, lazily; the horizon is their end."""
        now: int | None = at
        while now is not None and now < HORIZON[1]:
            opened = self._or_horizon(self.next_open, now)
            if opened is None or opened >= HORIZON[1]:
                return
            now = self._or_horizon(self.next_close, opened)
            yield opened, HORIZON[1] if now is None else min(now, HORIZON[1])

    def periods_before(self, at: int) -> Iterator[Span]:
        """The open periods up to an instant, nearest first, lazily."""
        now: int | None = at
        while now is not None and now > HORIZON[0]:
            closed = self._or_horizon(self.previous_close, now)
            if closed is None or closed <= HORIZON[0]:
                return
            now = self._or_horizon(self.previous_start, closed)
            yield HORIZON[0] if now is None else max(now, HORIZON[0]), closed

    @staticmethod
    def _or_horizon(search: Callable[[int], int | None], at: int) -> int | None:
        try:
            return search(at)
        except BeyondHorizon:
            return None
