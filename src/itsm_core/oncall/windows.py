"""Duty windows: hours of some weekdays in which a layer of a schedule counts.

They are not calendars of business hours. A window begins at the first occurrence of its start and ends
at the last occurrence of its end, so that two windows that touch overlap in the night in which the clock
is put back, and leave no hole.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import attrs

from itsm_core.business_time.instants import DAY, like, micros, zone_like
from itsm_core.business_time.intervals import Span
from itsm_core.business_time.windows import clock_text, parse_clock
from itsm_core.errors import InvalidValue
from itsm_core.oncall.given import days_of
from itsm_core.oncall.lattices import Weekdays
from itsm_core.oncall.walls import first, last, passed, reached


def _clock(value: str | dt.time) -> str:
    return clock_text(parse_clock(value))


@attrs.frozen
class DutyWindow:
    """Hours of weekdays: `DutyWindow("20:00", "08:00", "mon-fri", "Europe/Berlin")`.

    An end at or before the start lies on the next day, and the window belongs to the day on which it
    begins; equal ends are 24 hours. Weekdays are "mon-fri", names, or numbers with 0 for Monday.
    """

    start: str = attrs.field(converter=_clock)
    end: str = attrs.field(converter=_clock)
    days: tuple[int, ...] = attrs.field(converter=days_of)
    zone: ZoneInfo = attrs.field(converter=zone_like)
    _span: Span = attrs.field(init=False, eq=False, repr=False)

    @_span.default
    def _read(self) -> Span:
        start, end = parse_clock(self.start), parse_clock(self.end)
        if start == DAY:
            raise InvalidValue("start", self.start, "is an end, never a start", 'say "00:00" of the next day')
        if not self.days:
            raise InvalidValue("days", self.days, "name no weekday", 'say days="daily" for every day')
        return start, end if end > start else end + DAY

    def is_active(self, at: dt.datetime) -> bool:
        """Whether an instant lies in the hours of one of the days."""
        us, days, (start, end) = micros(at), Weekdays(self.days), self._span
        latest = days.rank((reached(self.zone, us) - start) // DAY + 1) - 1
        return days.day(latest) * DAY + end > passed(self.zone, us)

    def periods(self, start: dt.datetime, end: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """The times in [start, end) in which it is active, one for each day, in the zone of `start`."""
        for opened, closed in self.spans(micros(start, "start"), micros(end, "end")):
            yield like(opened, start), like(closed, start)

    def spans(self, low: int, high: int) -> Iterator[Span]:
        """The same in microseconds."""
        days, (start, end) = Weekdays(self.days), self._span
        rank = days.rank((passed(self.zone, low) - end) // DAY)
        while low < high and (opened := first(self.zone, days.day(rank) * DAY + start)) < high:
            closed = last(self.zone, days.day(rank) * DAY + end)
            if low < closed and opened < closed:
                yield max(opened, low), min(closed, high)
            rank += 1
