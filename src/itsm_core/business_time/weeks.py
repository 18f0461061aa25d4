"""Weekly hours less weekly breaks, and the stretches of dates in which they are valid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

import attrs

from itsm_core.business_time.given import parse_date
from itsm_core.business_time.instants import DAY
from itsm_core.business_time.intervals import Span, difference, union
from itsm_core.business_time.windows import NO_WINDOWS, WeekText, WeekWindows, parse_week
from itsm_core.errors import InvalidValue

FIRST_DAY, LAST_DAY = dt.date.min.toordinal(), dt.date.max.toordinal()
MOST_WEEKS = 500


def _less(hours: WeekWindows, breaks: WeekWindows) -> WeekWindows:
    """The windows of each day less the breaks in them, also those of the days around."""

    def around(day: int) -> list[Span]:
        shifted = [
            (start + k * DAY, end + k * DAY) for k in (-1, 0, 1) for start, end in breaks[(day + k) % 7]
        ]
        return union(shifted)

    return tuple(tuple(difference(hours[day], around(day))) for day in range(7))


@attrs.frozen
class Week:
    """Weekly hours less weekly breaks, valid from a date to a date (both included), or always."""

    hours: WeekWindows
    breaks: WeekWindows = NO_WINDOWS
    valid_from: dt.date | None = attrs.field(default=None, kw_only=True)
    valid_to: dt.date | None = attrs.field(default=None, kw_only=True)

    @classmethod
    def of(
        cls, hours: WeekText, breaks: WeekText = "", *,
        valid_from: dt.date | str | None = None, valid_to: dt.date | str | None = None,
    ) -> Week:  # fmt: skip
        """A week from texts: `Week.of("mon-fri 09:00-17:00", "daily 12:00-13:00")`."""
        first = None if valid_from is None else parse_date(valid_from, "valid_from")
        last = None if valid_to is None else parse_date(valid_to, "valid_to")
        if first and last and last < first:
            raise InvalidValue(
                "valid_to", last.isoformat(), f"lies before valid_from {first}", "swap the dates"
            )
        return cls(parse_week(hours), parse_week(breaks), valid_from=first, valid_to=last)

    @property
    def span(self) -> Span:
        """The ordinals of the first and last date on which the week is valid."""
        first = self.valid_from.toordinal() if self.valid_from else FIRST_DAY
        return first, self.valid_to.toordinal() if self.valid_to else LAST_DAY

    @property
    def windows(self) -> WeekWindows:
        """The hours less the breaks, each piece with the day that owns it."""
        return _less(self.hours, self.breaks)


def checked(value: Iterable[Week]) -> tuple[Week, ...]:
    """The weeks of a schedule, or a refusal of what is none."""
    weeks = tuple(value) if isinstance(value, Iterable) else (value,)
    if len(weeks) > MOST_WEEKS:
        raise InvalidValue("weeks", len(weeks), f"are more than {MOST_WEEKS}", "keep those in force")
    for week in weeks:
        if not isinstance(week, Week):
            raise InvalidValue("week", week, "is no Week", 'write [Week.of("mon-fri 09:00-17:00")]')
    return weeks


class Era(NamedTuple):
    """The first and the last ordinal of a stretch of dates, and its windows by weekday."""

    first: int
    last: int
    week: WeekWindows


def eras(weeks: Iterable[Week]) -> tuple[Era, ...]:
    """The stretches of dates in which the same weeks are valid, in order, without gaps."""
    spans = [(*week.span, week.windows) for week in weeks]
    cuts = sorted({FIRST_DAY, LAST_DAY + 1, *(s for s, _, _ in spans), *(e + 1 for _, e, _ in spans)})
    found: list[Era] = []
    for first, after in pairwise(cuts):
        valid = [windows for start, end, windows in spans if start <= first <= end]
        week = tuple(tuple(union(s for w in valid for s in w[d])) for d in range(7))
        if found and found[-1].week == week:
            first = found.pop().first  # noqa: PLW2901 - the same rules go on
        found.append(Era(first, after - 1, week))
    return tuple(found)


def full(week: WeekWindows) -> bool:
    """Whether the windows of a repeating week leave no instant closed."""
    line = [
        (start + (d + k) * DAY, end + (d + k) * DAY)
        for k in (-7, 0)
        for d in range(7)
        for start, end in week[d]
    ]
    return any(start <= 0 and end >= 7 * DAY for start, end in union(line))
