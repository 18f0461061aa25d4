"""The only loop: ticks a desk whenever something falls due, until it is told to stop.

    wait = Waiting()
    signal.signal(signal.SIGTERM, lambda *_: wait.stop())
    run_forever(desk, clock=lambda: dt.datetime.now(dt.UTC), wait=wait)

Time and waiting are given to it, so the same loop runs in production and in a test. Any number of
loops may share a store: each thing that is due goes to one of them. What happens when the clock is
set: back, and the loop stays at the latest instant that it has read until the clock has come there, so
that nothing is done twice; forward, and what fell due in between is late, and says so.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

import attrs

from itsm_core.aio import AsyncServiceDesk
from itsm_core.asking import Tick
from itsm_core.business_time.durations import Budget, seconds
from itsm_core.business_time.instants import in_utc
from itsm_core.desk import ServiceDesk
from itsm_core.errors import InvalidValue, StoreError
from itsm_core.values import called, is_awaited, only

AT_MOST = seconds(1)
"""How long a loop waits at most, so that it notices what other processes commit."""

Clock = Callable[[], dt.datetime]
_NOTHING = dt.timedelta(0)
_SOON = dt.timedelta(milliseconds=10)
_LATEST = dt.timedelta(seconds=30)
_TOLERANCE = dt.timedelta(seconds=1)
_A_DAY = 86_400


@attrs.frozen(kw_only=True)
class Turn:
    """One turn of a loop: when it began, what it did, and how long the loop waits after it.

    `error` is set in place of `tick` where the store failed. `set_back` is by how much the clock stood
    before what it had said already, `overslept` by how much the turn began later than planned: the
    machine slept, was overloaded, or its clock was set forward.
    """

    at: dt.datetime
    tick: Tick | None = None
    error: StoreError | None = None
    next_due: dt.datetime | None = None
    pause: dt.timedelta = _NOTHING
    set_back: dt.timedelta = _NOTHING
    overslept: dt.timedelta = _NOTHING


Report = Callable[[Turn], object]
"""Hears of every turn, for logs, figures and dead-man alarms; what it raises ends the loop."""


def unheard(_: Turn) -> None:
    """Reports nothing."""


# --- when to do what, without doing it --------------------------------------------------------


class Pace:
    """When the next turn begins, from what the last ones did; it never goes back in time.

    After a tick the loop waits until the next thing falls due, for `at_most` in any case: what other
    processes commit is noticed then. Where something is due that a tick did nothing about, since
    another worker has it in hand, and where the store fails, the waits double, up to `at_most` and
    half a minute.
    """

    def __init__(self, clock: Clock, at_most: dt.timedelta) -> None:
        self._clock, self._at_most = clock, at_most
        self._last: dt.datetime | None = None
        self._planned: dt.datetime | None = None
        self._idle = self._failed = 0
        self.set_back = self.overslept = _NOTHING

    def read(self) -> dt.datetime:
        """What time it is, never before what was read already."""
        told = in_utc(self._clock(), "clock")
        self._last = told if self._last is None else max(self._last, told)
        return self._last

    def begin(self) -> dt.datetime:
        """The instant of the next turn."""
        told, before = in_utc(self._clock(), "clock"), self._last
        self.set_back = _beyond(told if before is None else before, told)
        at = self._last = told if before is None else max(before, told)
        self.overslept = _beyond(at, at if self._planned is None else self._planned)
        return at

    def ticked(self, at: dt.datetime, tick: Tick, due: dt.datetime | None) -> Turn:
        """The turn of a tick that succeeded."""
        self._failed = 0
        left = self._at_most if due is None else due - self.read()
        self._idle = self._idle + 1 if left <= _NOTHING and tick == _NO_WORK else 0
        soonest = _doubled(_SOON, self._idle) if self._idle else _NOTHING
        return self._turn(at, min(max(left, soonest), self._at_most), tick=tick, next_due=due)

    def failed(self, at: dt.datetime, error: StoreError) -> Turn:
        """The turn of a tick that the store failed."""
        self._failed += 1
        return self._turn(at, min(_doubled(_TOLERANCE, self._failed), _LATEST), error=error)

    def _turn(self, at: dt.datetime, pause: dt.timedelta, **done: Any) -> Turn:
        self._planned = self.read() + pause
        return Turn(at=at, pause=pause, set_back=self.set_back, overslept=self.overslept, **done)


_NO_WORK = Tick()


def _doubled(first: dt.timedelta, nth: int) -> dt.timedelta:
    doubled: dt.timedelta = first * 2 ** min(nth - 1, 16)
    return doubled


def _beyond(later: dt.datetime, earlier: dt.datetime) -> dt.timedelta:
    """By how much the one is later, if it is more than clocks and machines do by themselves."""
    by = later - earlier
    return by if by > _TOLERANCE else _NOTHING


# --- the loop, plain and awaited --------------------------------------------------------------


def run_forever(
    desk: ServiceDesk,
    *,
    clock: Clock,
    wait: Callable[[float], object],
    report: Report = unheard,
    at_most: Budget = AT_MOST,
) -> None:
    """Ticks the desk whenever something falls due, until `wait` answers True.

    `wait` is given seconds and may return early; a `Waiting` does, and so does the `wait` of a
    `threading.Event`. `at_most` is the longest wait, on the wall clock: what another process commits is
    noticed after that. Errors of the store are waited out and reported, others end the loop.
    """
    if isinstance(desk, AsyncServiceDesk) or is_awaited(wait):
        what, given = ("desk", desk) if isinstance(desk, AsyncServiceDesk) else ("wait", wait)
        raise InvalidValue(what, given, "has to be awaited", "take run_forever_async, or give a plain one")
    pace = _paced(clock, wait, report, at_most)
    while True:
        at = pace.begin()
        try:
            told = pace.ticked(at, desk.tick(at, clock=pace.read), desk.next_due())
        except StoreError as error:
            told = pace.failed(at, error)
        report(told)
        if wait(told.pause.total_seconds()):
            return


async def run_forever_async(
    desk: AsyncServiceDesk,
    *,
    clock: Clock,
    wait: Callable[[float], Awaitable[object]],
    report: Report = unheard,
    at_most: Budget = AT_MOST,
) -> None:
    """As `run_forever`, awaited; a task that is cancelled ends it, too, and leaves nothing half done."""
    if isinstance(desk, ServiceDesk) or isinstance(wait, Waiting):
        what, given = ("desk", desk) if isinstance(desk, ServiceDesk) else ("wait", wait)
        remedy = "take run_forever, or an AsyncServiceDesk and an AsyncWaiting"
        raise InvalidValue(what, given, "cannot be awaited", remedy)
    pace = _paced(clock, wait, report, at_most)
    while True:
        at = pace.begin()
        try:
            told = pace.ticked(at, await desk.tick(at, clock=pace.read), await desk.next_due())
        except StoreError as error:
            told = pace.failed(at, error)
        report(told)
        if await wait(told.pause.total_seconds()):
            return


def _paced(clock: Clock, wait: object, report: object, at_most: Budget) -> Pace:
    """The pace of a loop; what is no function is refused before the first turn."""
    called(clock, "clock", "give a function: lambda: datetime.now(UTC)")
    called(wait, "wait", "give a function of seconds that says when to end, such as Waiting()")
    called(report, "report", "give a function of a Turn, or leave it out")
    return Pace(clock, _longest("at_most", at_most))


def _longest(what: str, given: Budget) -> dt.timedelta:
    known = only(Budget, given, what, "say it by its unit: seconds(1), minutes(1)")
    if not known.us:
        raise InvalidValue(what, known, "is no wait", "give the loop some time, say seconds(1)")
    return known.timedelta


class Waiting:
    """A wait that can be ended: for good by `stop`, early by `wake`. Both may be called from other
    threads and from signal handlers, also while the thread that they interrupt is in the wait.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[None] = SimpleQueue()  # of all there is, only its `put` is safe in a handler
        self._stopped = False

    def __call__(self, seconds: float) -> bool:
        """Waits so long at most; whether the loop is to stop."""
        with suppress(Empty):
            if not self._stopped:
                self._calls.get(timeout=min(max(seconds, 0), _A_DAY))
            while True:
                self._calls.get_nowait()
        return self._stopped

    def stop(self) -> None:
        """Lets the loop end after what it is doing."""
        self._stopped = True
        self.wake()

    def wake(self) -> None:
        """Lets the loop look at once: something new was committed."""
        self._calls.put(None)


class AsyncWaiting:
    """A `Waiting` for `run_forever_async`: in the loop of asyncio, `loop.add_signal_handler` may call it."""

    def __init__(self) -> None:
        self._called, self._stopped = asyncio.Event(), False

    async def __call__(self, seconds: float) -> bool:
        """Waits so long at most; whether the loop is to stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0)):
                await self._called.wait()
        if not self._stopped:
            self._called.clear()
        return self._stopped

    def stop(self) -> None:
        """Lets the loop end after what it is doing."""
        self._stopped = True
        self._called.set()

    def wake(self) -> None:
        """Lets the loop look at once: something new was committed."""
        self._called.set()


# --- the dead-man alarm -----------------------------------------------------------------------


class DeadMan:
    """Raises an alarm when a loop has not ticked for too long.

    Give its `beat` to the loop as `report`, and call `look` from somewhere else: a thread, a health
    check. It calls `alarm` with how long it has been, once until the loop ticks again. Rounds in which
    the store failed do not count. To watch from another process, ask `desk.lag` there.
    """

    def __init__(
        self, *, silence: Budget, since: dt.datetime, alarm: Callable[[dt.timedelta], object]
    ) -> None:
        self._longest, self._alarm = _longest("silence", silence), alarm
        self._last, self._raised = in_utc(since, "since"), False

    def beat(self, told: Turn) -> None:
        """Notes a turn that ticked."""
        if told.tick is not None:
            self._last, self._raised = told.at, False

    def look(self, now: dt.datetime) -> dt.timedelta | None:
        """For how long the loop has been silent, if that is too long."""
        silent = in_utc(now, "now") - self._last
        if silent <= self._longest:
            return None
        if not self._raised:
            self._raised = True
            self._alarm(silent)
        return silent
