"""Open time compiled: the table of edges, and the business days behind the due rules.

Calendars with equal rules share one of these, whatever their names.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from threading import Lock
from weakref import WeakValueDictionary

from itsm_core.business_time.durations import Budget, BusinessDays, CalendarDays, DueRule, EndOfBusinessDay
from itsm_core.business_time.instants import DAY, utc
from itsm_core.business_time.intervals import Span
from itsm_core.business_time.local_hours import Source, date_of, for_ever
from itsm_core.business_time.offsets import instant, local, year_start
from itsm_core.business_time.schedule import midnight
from itsm_core.business_time.table import FIRST_YEAR, HORIZON, LAST_YEAR, Table, within
from itsm_core.errors import BeyondHorizon, InvalidValue, NeverOpens


class Compiled:
    """One source, ready to measure; instants are integer microseconds."""

    __slots__ = ("__weakref__", "_closings", "_days", "source", "table")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.table = Table(source)
        self._days: dict[int, tuple[int, ...]] = {}
        self._closings: dict[int, int] = {}

    # -- business days: dates that own open time ---------------------------------------------------
    #
    # An open instant belongs to the first date whose last closing is later. So what last night's
    # window still covers is last night's, days follow each other without overlap whatever the
    # windows do, and a date whose windows lie wholly inside the night before is no business day.

    def _closing(self, day: int) -> int:
        """The last closing of the windows that start on a date; the start of time if there is none."""
        found = self._closings.get(day)
        if found is None:
            pieces = self.source.pieces(day)
            found = self._closings[day] = pieces[-1][1] if pieces else midnight(0)
        return found

    def owned(self, day: int) -> list[Span]:
        """The open periods that belong to a date: from the end of the dates before to its own end."""
        end = self._closing(day)
        # No window is open two days after its date; those of three days before are the oldest in doubt.
        start = max(
            instant(self.source.zone, midnight(day - 2)), *(self._closing(day - k) for k in (1, 2, 3))
        )
        start, end = max(start, HORIZON[0]), min(end, HORIZON[1])
        return list(self.table.periods(start, end)) if start < end else []

    def owner(self, at: int) -> int:
        """The date that an open instant belongs to: its own, or the one before (last night's)."""
        day = date_of(local(self.source.zone, at))
        return next((before for before in (day - 2, day - 1) if at < self._closing(before)), day)

    def _days_of(self, year: int) -> tuple[int, ...]:
        """The business days of a year, as ordinals."""
        if year not in self._days:
            first, after = date_of(year_start(year)), date_of(year_start(year + 1))
            self._days[year] = tuple(filter(self._is_day, range(first, after)))
        return self._days[year]

    def _is_day(self, day: int) -> bool:
        plain = self.source.plain_day(day)
        return bool(self.owned(day)) if plain is None else plain

    def _nth_day(self, day: int, n: int) -> int:
        """The n-th business day after a business day; n may be negative."""
        year = utc(midnight(day)).year
        step = 1 if n > 0 else -1
        if abs(n) > (HORIZON[1] - HORIZON[0]) // DAY:
            raise _too_many_days()
        while n:
            days = self._days_of(year)
            rest = days[bisect_right(days, day) :] if n > 0 else days[: bisect_left(days, day)][::-1]
            if len(rest) >= abs(n):
                return rest[abs(n) - 1]
            n -= step * len(rest)
            year += step
            self._go_on(year, n)
        return day

    def days_counted(self, at: int, n: int) -> list[int]:
        """The dates (ordinals) of the business day at or after an instant and the n after it."""
        day = self.owner(self._opened(at))
        found = [day]
        for _ in range(n):
            day = self._nth_day(day, 1)
            found.append(day)
        return found

    def _go_on(self, year: int, missing: int) -> None:
        """Refuse to count business days where there are none any more."""
        after = missing > 0
        if for_ever(self.source, year_start(year if after else year + 1), after=after) is False:
            raise NeverOpens(
                f"the calendar has no business day in {year} or beyond, and {abs(missing)} are "
                "still to be counted; check its validity, or give it hours"
            )
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise _too_many_days()

    # -- due rules ---------------------------------------------------------------------------------

    def due(self, at: int, rule: Budget | DueRule) -> int:
        """The instant at which a promise made at `at` falls due."""
        match rule:
            case Budget(us):
                return self.table.add(at, us)
            case BusinessDays(n):
                return self._business_days(at, n) if n else at
            case CalendarDays(n):
                return self._calendar_days(at, n)
            case EndOfBusinessDay(n):
                return self.owned(self._nth_day(self.owner(self._opened(at)), n))[-1][1]
        raise _no_duration(rule)

    def back(self, at: int, rule: Budget | DueRule) -> int:
        """The instant from which a rule leads to `at`: the mirror of `due`."""
        match rule:
            case Budget(us):
                return self.table.subtract(at, us)
            case BusinessDays(n):
                return self._business_days_back(at, n) if n else at
            case CalendarDays(n):
                return self._calendar_days(at, -n)
            case EndOfBusinessDay():
                raise InvalidValue(
                    "duration", str(rule), "cannot be subtracted", "subtract business_days(n) or hours(n)"
                )
        raise _no_duration(rule)

    def _calendar_days(self, at: int, n: int) -> int:
        if not n:
            return at
        within(at)
        return instant(self.source.zone, within(local(self.source.zone, at) + n * DAY))

    def _opened(self, at: int) -> int:
        opened = self.table.next_open(at)
        if opened is None:
            raise NeverOpens(
                f"the calendar does not open at or after {utc(at).isoformat()}; check its validity"
            )
        return opened

    def _business_days(self, at: int, n: int) -> int:
        opened = self._opened(at)
        day = self.owner(opened)
        later = self._nth_day(day, n)
        return self._on(later, local(self.source.zone, opened) + (later - day) * DAY)

    def _business_days_back(self, at: int, n: int) -> int:
        """An instant outside hours first moves to the closing before it."""
        if self.table.is_open(at):
            day, wall = self.owner(at), local(self.source.zone, at)
        else:
            closed = self.table.previous_close(at)
            if closed is None:
                raise NeverOpens(
                    f"the calendar was never open before {utc(at).isoformat()}; check its validity"
                )
            day, wall = self.owner(closed - 1), local(self.source.zone, closed - 1) + 1
        earlier = self._nth_day(day, -n)
        return self._on(earlier, wall + (earlier - day) * DAY)

    def _on(self, day: int, wall: int) -> int:
        """A local time on a business day; if closed, the closing before it or the first opening."""
        at, periods = instant(self.source.zone, wall), self.owned(day)
        if any(start <= at < end for start, end in periods):
            return at
        return max((end for _, end in periods if end <= at), default=periods[0][0])


def _too_many_days() -> BeyondHorizon:
    return BeyondHorizon(
        f"the result lies outside the years {FIRST_YEAR} to {LAST_YEAR}, which are all that a "
        "calendar counts; check the number of business days"
    )


def _no_duration(value: object) -> InvalidValue:
    return InvalidValue(
        "duration", value, "is no duration",
        "pass a timedelta (measured open time), hours(4), business_days(3) or parse_duration(text)",
    )  # fmt: skip


_shared: WeakValueDictionary[str, Compiled] = WeakValueDictionary()
# Keeps the latest alive: a host that builds its calendar anew for each request compiles it once.
_recent: deque[Compiled] = deque(maxlen=64)
_lock = Lock()


def compiled(source: Source) -> Compiled:
    """The compiled form shared by all calendars whose sources have one key."""
    with _lock:
        found = _shared.get(source.key)
        if found is None:
            found = _shared[source.key] = Compiled(source)
            _recent.append(found)
        return found
