"""Open time between, and after, whole arrays of instants: the compiled table read by numpy.

The answers are those of `Table.elapsed` and `Table.add`, element by element. An instant costs a few
gathers, however many periods the table holds: see `_Ranks`. Work goes in chunks that stay in the
cache, so that beside arguments and result hardly any memory is used.

Instants are int64 microseconds since 1970 UTC, datetime64 of any unit (which has no zone and is
read as UTC) or aware datetimes. Lengths are int64 microseconds, timedelta64, `timedelta` or
`Budget`. Units finer than a microsecond are cut to it, always towards the past, as `datetime` does
with a pandas Timestamp. Shapes are broadcast as everywhere in numpy; no argument is changed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from itsm_core.business_time.durations import Budget, measured
from itsm_core.business_time.instants import micros
from itsm_core.business_time.intervals import Span
from itsm_core.business_time.table import FIRST_YEAR, HORIZON, LAST_YEAR, Edges, Table
from itsm_core.errors import AmbiguousDuration, BeyondHorizon, InvalidValue, NeverOpens

Instants: TypeAlias = ArrayLike | dt.datetime | Sequence[dt.datetime]
Lengths: TypeAlias = ArrayLike | dt.timedelta | Budget | Sequence[dt.timedelta | Budget]
Int64s: TypeAlias = NDArray[np.int64]

# Elements at a time: what is made of them fits into a second-level cache.
CHUNK = 1 << 14
# Longer than any calendar counts, and short enough to be added to any open time.
_FAR = 1 << 60
_INSTANT, _LENGTH = np.dtype("M8[us]"), np.dtype("m8[us]")


def elapsed_many(table: Table, starts: Instants, ends: Instants) -> NDArray[Any]:
    """The open time in [start, end) of each pair; negative where the end lies before the start.

    The result has the shape to which `starts` and `ends` broadcast: int64 microseconds for int64,
    timedelta64[us] for datetime64 and aware datetimes. Raises `InvalidValue` for what is no instant
    (NaT, floats, naive datetimes), for two kinds in one call and for shapes that do not fit, and
    `BeyondHorizon` outside the years 1900 to 2300; the first bad position is named.
    """
    first, last = _instants("starts", starts), _instants("ends", ends)
    _same_kind(first, last)
    found = np.empty(_shape(starts=first.us, ends=last.us), np.int64)
    if found.size:
        edges = _edges(table, min(first.low, last.low), max(first.high, last.high))
        for _, a, b, out in _chunks(first.us, last.us, found):
            np.subtract(edges.until(b), edges.until(a), out=out)
    return found.view(_LENGTH) if first.dated else found


def add_many(table: Table, starts: Instants, durations: Lengths) -> NDArray[Any]:
    """The earliest instant by which each duration of open time has passed since its start.

    A positive duration that is used up at closing time ends there, zero is the start itself, a
    negative one leads back. The result has the shape to which `starts` and `durations` broadcast:
    int64 microseconds for int64 starts, datetime64[us] for datetime64 and aware datetimes. Raises
    `InvalidValue` for what is no instant or no length of time and for shapes that do not fit,
    `NeverOpens` where too little open time follows, and `BeyondHorizon` outside the years 1900 to
    2300; the first bad position is named.
    """
    first, lengths = _instants("starts", starts), _lengths("durations", durations)
    found = np.empty(_shape(starts=first.us, durations=lengths), np.int64)
    if found.size:
        for position, at, us, out in _chunks(first.us, lengths, found):
            out[:], missed = _after(table, first, at, us)
            for i in missed.nonzero()[0]:
                where = _where("result", found, position + int(i))
                out[i] = _add(table, int(at[i]), int(us[i]), where)
    return found.view(_INSTANT) if first.dated else found


def _chunks(a: Int64s, b: Int64s, out: Int64s) -> Iterator[tuple[int, Int64s, Int64s, Int64s]]:
    """The arrays broadcast against each other, some elements at a time: position, a, b, out."""
    with np.nditer(
        [a, b, out], ["external_loop", "buffered"], [["readonly"], ["readonly"], ["writeonly"]],
        order="C", buffersize=CHUNK,
    ) as chunks:  # fmt: skip
        for one, other, result in chunks:
            yield chunks.iterindex, one, other, result


# -- the table as arrays ---------------------------------------------------------------------------


@attrs.frozen
class _Ranks:
    """Finds the last of some sorted keys at or before each value.

    Their span is cut into buckets of 2**shift, four to eight a key. `first` holds the rank at the
    start of each bucket; `halves` bisects the keys inside one, for all values at once. Hours that
    come regularly leave one comparison; a few dense days in a sparse century leave ten.
    """

    keys: Int64s
    first: NDArray[Any]
    shift: int
    bucket: int
    halves: tuple[int, ...]

    @classmethod
    def among(cls, keys: list[int]) -> _Ranks:
        """The finder for these keys; a value before the first has the rank 0 too."""
        shift = ((keys[-1] - keys[0]) // (8 * len(keys))).bit_length()
        bucket, last = keys[0] >> shift, keys[-1] >> shift
        starts = np.arange(bucket, last + 1, dtype=np.int64) << shift
        bounded = np.array([*keys, np.iinfo(np.int64).max], np.int64)
        first = np.maximum(np.searchsorted(bounded, starts, "right") - 1, 0)
        most = int(np.diff(first, append=len(keys) - 1).max())
        halves = tuple(1 << bit for bit in reversed(range(most.bit_length())))
        # Small integers are quick; twice the number of keys leaves room for `found + half`.
        first = first.astype(np.min_scalar_type(2 * len(keys)))
        return cls(bounded, first, shift, bucket, halves)

    def of(self, values: Int64s) -> NDArray[Any]:
        """The rank of each value."""
        buckets = values >> self.shift
        buckets -= self.bucket
        found = self.first.take(buckets, mode="clip")
        for half in self.halves:
            later = self.keys.take(found + half, mode="clip") <= values
            found += np.multiply(later, half, dtype=found.dtype)
        return found


@attrs.frozen
class _EdgeArrays:
    """The open time up to an instant, and its inverse, by one state of a table.

    With i the period of t, the open time up to t is min(t, closes[i]) - shifts[i].
    """

    edges: Edges
    closes: Int64s
    shifts: Int64s
    by_opening: _Ranks
    by_sum: _Ranks

    @classmethod
    def of(cls, edges: Edges) -> _EdgeArrays:
        """The arrays of these edges."""
        closes, shifts = np.array(edges.closes, np.int64), np.array(edges.shifts, np.int64)
        ranks = _Ranks.among(edges.opens), _Ranks.among(edges.sums)
        return cls(edges, closes, shifts, *ranks)

    def until(self, at: Int64s) -> Int64s:
        """The open time from the table's beginning up to each instant inside it."""
        ranks = self.by_opening.of(at)
        found = self.closes.take(ranks, mode="clip")
        np.minimum(at, found, out=found)
        found -= self.shifts.take(ranks, mode="clip")
        return found

    def after(self, at: Int64s, us: Int64s) -> tuple[Int64s, NDArray[np.bool_]]:
        """The instants `us` of open time away, and where the table is too short to hold them."""
        sums = self.until(at) + us
        # Forwards, a sum that is used up at a closing ends there, not at the next opening.
        ranks = self.by_sum.of(sums - (us > 0))
        found = sums + self.shifts.take(ranks, mode="clip")
        missed = (sums < 0) | (found > self.closes.take(ranks, mode="clip"))
        np.copyto(found, at, where=us == 0)
        return found, missed


_known: WeakKeyDictionary[Table, _EdgeArrays] = WeakKeyDictionary()


def _edges(table: Table, low: int, high: int) -> _EdgeArrays:
    """The arrays of a table that holds both instants, kept until the table grows."""
    latest, known = table.covering(low, high), _known.get(table)
    if known is None or known.edges is not latest:
        # Threads at the same time may each make them; they are equal, and one is kept.
        known = _known[table] = _EdgeArrays.of(latest)
    return known


# -- adding ----------------------------------------------------------------------------------------


def _after(table: Table, starts: _Instants, at: Int64s, us: Int64s) -> tuple[Int64s, NDArray[np.bool_]]:
    """`_EdgeArrays.after` by a table that has grown as far as the farthest results ask for."""
    edges = _edges(table, starts.low, starts.high)
    found, missed = edges.after(at, us)
    if missed.any():
        sums = edges.until(at) + us
        with suppress(NeverOpens, BeyondHorizon):
            _reach(table, int(at[sums.argmax()]), int(us[sums.argmax()]))
            _reach(table, int(at[sums.argmin()]), int(us[sums.argmin()]))
        found, missed = _edges(table, starts.low, starts.high).after(at, us)
    return found, missed


def _reach(table: Table, at: int, us: int) -> None:
    """Let the table grow until it holds a result."""
    found = table.add(at, us)
    # Results beyond the horizon were found in the table's last year, so it holds them.
    table.covering(at, min(max(found, HORIZON[0]), HORIZON[1]))


def _add(table: Table, at: int, us: int, where: str) -> int:
    """`Table.add`, whose refusals say where."""
    try:
        return table.add(at, us)
    except (NeverOpens, BeyondHorizon) as error:
        raise type(error)(f"{where}: {error}") from None


# -- reading arguments -----------------------------------------------------------------------------


class _Instants(NamedTuple):
    """Instants in microseconds, the earliest and the latest, and whether they came as dates."""

    us: Int64s
    low: int
    high: int
    dated: bool


_KINDS = {
    "b": "is a truth value",
    "u": "is unsigned, so that differences would wrap",
    "f": "is a float, and floats round",
    "c": "is a complex number",
    "m": "is a length of time, no instant",
    "M": "is an instant, no length of time",
    "S": "is text",
    "U": "is text",
    "T": "is text",
}
_LEAVE_OUT = "leave missing values out before counting"
_GIVE_INSTANTS = f"pass int64 microseconds since 1970 UTC, datetime64 or aware datetimes; {_LEAVE_OUT}"
_GIVE_LENGTHS = f"pass int64 microseconds, timedelta64, a timedelta or hours(4); {_LEAVE_OUT}"


def _instants(what: str, values: Instants) -> _Instants:
    """An argument of instants, read and checked."""
    array = _array(what, values, micros, _INSTANT)
    if array.dtype.kind not in "iM":
        raise _refused(what, array, _GIVE_INSTANTS)
    if array.dtype.kind == "i":
        array = array.astype(np.int64, copy=False)
    elif array.dtype != _INSTANT:
        if np.can_cast(array.dtype, _INSTANT):
            _extent(what, array)  # numpy would let years far away wrap around
        array = array.astype(_INSTANT)
    return _Instants(array.view(np.int64), *_extent(what, array), array.dtype == _INSTANT)


def _extent(what: str, array: NDArray[Any]) -> Span:
    """The earliest and the latest instant, which lie in the years that a calendar counts."""
    dated = array.dtype.kind == "M"
    ends = np.array(HORIZON, _INSTANT).astype(array.dtype).view(np.int64) if dated else HORIZON
    us = array.view(np.int64) if dated else array
    low, high = int(us.min(initial=ends[1])), int(us.max(initial=ends[0]))
    if low < ends[0] or high > ends[1]:
        raise _outside(what, array, int(((us < ends[0]) | (us > ends[1])).argmax()))
    return low, high


def _outside(what: str, array: NDArray[Any], position: int) -> InvalidValue | BeyondHorizon:
    """The error for an instant that no calendar counts, or that is not known."""
    where, value = _where(what, array, position), array.flat[position]
    if array.dtype.kind == "M" and np.isnat(value):
        return InvalidValue(where, "NaT", "is a missing instant", _LEAVE_OUT)
    return BeyondHorizon(
        f"{where} {value}: lies outside the years {FIRST_YEAR} to {LAST_YEAR}, which are all that a "
        "calendar counts; check the year of the instant, and its unit (integers are microseconds)"
    )


def _lengths(what: str, values: Lengths) -> Int64s:
    """An argument of durations in microseconds, read and checked."""
    array = _array(what, values, _length, _LENGTH)
    if array.dtype.kind not in "im":
        raise _refused(what, array, _GIVE_LENGTHS)
    if array.dtype.kind == "i":
        return _cut(array.astype(np.int64, copy=False), _FAR)
    unit = np.datetime_data(array.dtype)[0]
    if unit in {"Y", "M", "generic"}:
        raise AmbiguousDuration(what, str(array.dtype), "has no unit of one length", "say days or hours")
    if (unknown := np.isnat(array)).any():
        where = _where(what, array, int(unknown.argmax()))
        raise InvalidValue(where, "NaT", "is a missing duration", _LEAVE_OUT)
    if np.can_cast(array.dtype, _LENGTH):
        array = _cut(array, np.timedelta64(_FAR, "us").astype(array.dtype))
    return array.astype(_LENGTH, copy=False).view(np.int64)


def _cut(array: NDArray[Any], far: Any) -> NDArray[Any]:
    """Lengths that every calendar refuses, made short enough for sums that do not wrap."""
    if array.size and (array.min() < -far or array.max() > far):
        array = np.clip(array, -far, far)
    return array


def _length(value: Any, where: str) -> int:
    """Microseconds of a budget or timedelta, cut like those of arrays."""
    if isinstance(value, Budget):
        return min(value.us, _FAR)
    if not isinstance(value, dt.timedelta):
        raise InvalidValue(where, value, "is no length of time", _GIVE_LENGTHS)
    try:
        return max(-_FAR, min(measured(value), _FAR))
    except AmbiguousDuration as error:
        raise AmbiguousDuration(where, value, error.reason, error.remedy) from None


def _array(what: str, values: Any, convert: Callable[[Any, str], int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """An argument as an array in this machine's byte order; its objects converted one by one."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise InvalidValue(what, values, "is no array", "give all its rows one length") from None
    if np.ma.is_masked(values):
        position = int(np.ma.getmaskarray(values).argmax())
        raise InvalidValue(_where(what, array, position), "--", "is masked", _LEAVE_OUT)
    if array.dtype == object:
        us = [convert(value, _where(what, array, i)) for i, value in enumerate(array.flat)]
        return np.array(us, np.int64).reshape(array.shape).view(dtype)
    if not array.size and isinstance(values, list | tuple):
        return array.astype(np.int64)  # an empty list says nothing of its kind
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _where(what: str, array: NDArray[Any], position: int) -> str:
    """The words for one element: `starts[3]`; of more dimensions `starts.flat[3]`."""
    flat = {0: "", 1: f"[{position}]"}.get(array.ndim, f".flat[{position}]")
    return what + flat


def _refused(what: str, array: NDArray[Any], remedy: str) -> InvalidValue:
    """The error for an array whose elements are none of what is asked for."""
    reason = _KINDS.get(array.dtype.kind, f"is of the kind {array.dtype}")
    if not array.size:
        return InvalidValue(what, str(array.dtype), reason, remedy)
    position = int(np.isnan(array).argmax()) if array.dtype.kind == "f" else 0
    return InvalidValue(_where(what, array, position), str(array.flat[position]), reason, remedy)


def _same_kind(starts: _Instants, ends: _Instants) -> None:
    """Refuse numbers beside dates: one of them is likely to be a mistake."""
    if starts.dated != ends.dated:
        kinds = {True: "datetime64", False: "int64"}
        reason = f"does not fit starts, which are {kinds[starts.dated]}"
        raise InvalidValue("ends", kinds[ends.dated], reason, "pass both as one kind")


def _shape(**arrays: Int64s) -> tuple[int, ...]:
    """The shape to which the arguments broadcast."""
    shapes = [array.shape for array in arrays.values()]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        names, remedy = " and ".join(arrays), "give both the same shape, or one of them a single value"
        raise InvalidValue(names, tuple(shapes), "do not broadcast", remedy) from None
