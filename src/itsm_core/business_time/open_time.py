"""`OpenTime`: what is measured by a compiled calendar, with aware datetimes in and out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from itsm_core.business_time.compiled import Compiled
from itsm_core.business_time.durations import Budget, DueRule, measured
from itsm_core.business_time.instants import like, micros
from itsm_core.business_time.intervals import Interval

if TYPE_CHECKING:  # at run time only what the caller has brought along is looked at
    from numpy.typing import NDArray
    from pendulum import DateTime

    from itsm_core.business_time.arrays import Instants, Lengths

Length: TypeAlias = dt.timedelta | Budget | DueRule


class OpenTime:
    """Measures of open time: instants come back in the zone and of the kind in which they came.

    A `datetime` gives a `datetime` in its zone, a `pendulum.DateTime` a `pendulum.DateTime`; other
    subclasses, such as `pandas.Timestamp`, come out as plain `datetime`, cut to the microsecond.
    The `_us` twins take and give integer microseconds since 1970 UTC. All raise `NaiveDatetime`
    for an instant without a zone and `BeyondHorizon` outside the years 1900 to 2300.
    """

    __slots__ = ()
    _compiled: Compiled

    def is_open(self, at: dt.datetime) -> bool:
        """Whether the desk is open at an instant: its local clock reads a time inside a window."""
        return self._compiled.table.is_open(micros(at))

    # -- measuring ---------------------------------------------------------------------------------

    def elapsed(self, start: dt.datetime, end: dt.datetime) -> dt.timedelta:
        """The measured open time in [start, end); negative if the end lies before the start."""
        return dt.timedelta(0, 0, self._compiled.table.elapsed(micros(start, "start"), micros(end, "end")))

    def elapsed_us(self, a: int, b: int) -> int:
        """`elapsed` in integer microseconds."""
        return self._compiled.table.elapsed(a, b)

    @overload
    def add(self, start: DateTime, duration: Length) -> DateTime: ...
    @overload
    def add(self, start: dt.datetime, duration: Length) -> dt.datetime: ...
    def add(self, start: dt.datetime, duration: Length) -> dt.datetime:
        """When a duration counted from `start` is over; a timedelta is measured open time.

        A positive duration that is used up at closing time ends there, not at the next opening;
        zero of any unit is the start itself. Raises `NeverOpens` where too little open time
        follows, `BeyondHorizon` outside the years 1900 to 2300.
        """
        at = micros(start, "start")
        if isinstance(duration, dt.timedelta):
            return like(self._compiled.table.add(at, measured(duration)), start)
        return like(self._compiled.due(at, duration), start)

    @overload
    def subtract(self, end: DateTime, duration: Length) -> DateTime: ...
    @overload
    def subtract(self, end: dt.datetime, duration: Length) -> dt.datetime: ...
    def subtract(self, end: dt.datetime, duration: Length) -> dt.datetime:
        """The instant from which a duration leads to `end`; a timedelta is measured open time.

        The mirror of `add`: it is the latest such instant, so a whole day's hours before closing
        time lead to the opening. An end-of-day rule cannot be subtracted.
        """
        at = micros(end, "end")
        if isinstance(duration, dt.timedelta):
            return like(self._compiled.table.subtract(at, measured(duration)), end)
        return like(self._compiled.back(at, duration), end)

    def add_us(self, a: int, us: int) -> int:
        """`add` of `us` microseconds of open time, in integer microseconds."""
        return self._compiled.table.add(a, us)

    def subtract_us(self, b: int, us: int) -> int:
        """`subtract` of `us` microseconds of open time, in integer microseconds."""
        return self._compiled.table.subtract(b, us)

    def due_us(self, start_us: int, rule: Budget | DueRule) -> int:
        """`add` of a budget or a due rule, in integer microseconds."""
        return self._compiled.due(start_us, rule)

    # -- searching ---------------------------------------------------------------------------------

    @overload
    def next_open(self, at: DateTime) -> DateTime | None: ...
    @overload
    def next_open(self, at: dt.datetime) -> dt.datetime | None: ...
    def next_open(self, at: dt.datetime) -> dt.datetime | None:
        """The instant itself if the desk is open, else the next opening; None if there is none."""
        return _like(self._compiled.table.next_open(micros(at)), at)

    @overload
    def next_start(self, at: DateTime) -> DateTime | None: ...
    @overload
    def next_start(self, at: dt.datetime) -> dt.datetime | None: ...
    def next_start(self, at: dt.datetime) -> dt.datetime | None:
        """The first opening strictly after an instant; None if there is none."""
        return _like(self._compiled.table.next_start(micros(at)), at)

    @overload
    def next_close(self, at: DateTime) -> DateTime | None: ...
    @overload
    def next_close(self, at: dt.datetime) -> dt.datetime | None: ...
    def next_close(self, at: dt.datetime) -> dt.datetime | None:
        """The first closing after an instant; None if the desk does not close (again)."""
        return _like(self._compiled.table.next_close(micros(at)), at)

    @overload
    def previous_close(self, at: DateTime) -> DateTime | None: ...
    @overload
    def previous_close(self, at: dt.datetime) -> dt.datetime | None: ...
    def previous_close(self, at: dt.datetime) -> dt.datetime | None:
        """The latest instant up to `at` just before which the desk is open, or None."""
        return _like(self._compiled.table.previous_close(micros(at)), at)

    # -- periods -----------------------------------------------------------------------------------

    @overload
    def periods(self, start: DateTime, end: dt.datetime) -> Iterator[tuple[DateTime, DateTime]]: ...
    @overload
    def periods(self, start: dt.datetime, end: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]: ...
    def periods(self, start: dt.datetime, end: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """The open periods (opening, closing) in [start, end), clipped to it, in order."""
        spans = self._compiled.table.periods(micros(start, "start"), micros(end, "end"))
        return ((like(opened, start), like(closed, start)) for opened, closed in spans)

    @overload
    def periods_after(self, at: DateTime) -> Iterator[tuple[DateTime, DateTime]]: ...
    @overload
    def periods_after(self, at: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]: ...
    def periods_after(self, at: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """The open periods from an instant on, lazily; the first is clipped.

        Open time without end, and any other, ends with the year 2300.
        """
        spans = self._compiled.table.periods_after(micros(at))
        return ((like(opened, at), like(closed, at)) for opened, closed in spans)

    @overload
    def periods_before(self, at: DateTime) -> Iterator[tuple[DateTime, DateTime]]: ...
    @overload
    def periods_before(self, at: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]: ...
    def periods_before(self, at: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """The open periods up to an instant, nearest first, lazily; the nearest is clipped."""
        spans = self._compiled.table.periods_before(micros(at))
        return ((like(opened, at), like(closed, at)) for opened, closed in spans)

    def periods_us(self, a: int, b: int) -> Iterator[Interval]:
        """`periods` in integer microseconds."""
        return (Interval(opened, closed) for opened, closed in self._compiled.table.periods(a, b))

    # -- arrays (extra `arrays`) -------------------------------------------------------------------

    def elapsed_many(self, starts: Instants, ends: Instants) -> NDArray[Any]:
        """`elapsed` of many pairs at once: numpy arrays of int64 microseconds or datetime64, UTC.

        Broadcasts; gives int64 microseconds, or timedelta64[us] for datetime64. See
        `business_time.arrays` for what is refused. Needs the extra `arrays`.
        """
        found: NDArray[Any] = _arrays().elapsed_many(self._compiled.table, starts, ends)
        return found

    def add_many(self, starts: Instants, durations: Lengths) -> NDArray[Any]:
        """`add` of open time to many instants at once; also takes one `timedelta` or `Budget`.

        Gives int64 microseconds, or datetime64[us] for datetime64. Needs the extra `arrays`.
        """
        found: NDArray[Any] = _arrays().add_many(self._compiled.table, starts, durations)
        return found


def _arrays() -> ModuleType:
    try:
        from itsm_core.business_time import arrays  # noqa: PLC0415 - needs the extra
    except ImportError:
        message = "elapsed_many and add_many need an extra: pip install 'itsm-core[arrays]'"
        raise ImportError(message) from None
    return arrays


def _like(us: int | None, model: dt.datetime) -> dt.datetime | None:
    return None if us is None else like(us, model)
