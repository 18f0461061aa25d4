"""What is asked in the benchmark of business time, and the slow answers that all others are held to.

The oracle reads London's clock at every minute of 16 years and counts those in a window. It shares
nothing with any library: no intervals, no offsets, no dates of clock changes.
"""

from __future__ import annotations

import datetime as dt
import random
import sys
import time
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import holidays
from business_time_peers import AFTER_LAST_YEAR, FIRST_YEAR, ZONE, Calls, Hours

CASES, FEWEST = 500, 9  # of a cell; a slow peer answers a sample
# CPU time, which other processes do not lengthen; Windows counts it in steps of 16 ms.
CLOCK = time.perf_counter if sys.platform == "win32" else time.process_time
HOUR, DAY = 60, 24 * 60  # minutes are the unit here
SPANS = {"hours": (30, 12 * HOUR), "days": (DAY, 7 * DAY), "months": (30 * DAY, 120 * DAY),
         "years": (365 * DAY, 8 * 365 * DAY)}  # fmt: skip
BUDGETS = {"hours": (1, 12), "days": (8, 40), "months": (150, 600), "years": (1800, 9000)}

BANK_HOLIDAYS = tuple(
    sorted(holidays.country_holidays("GB", subdiv="ENG", years=range(FIRST_YEAR, AFTER_LAST_YEAR)))
)
_MORNING, _NOON = (dt.time(9), dt.time(12, 30)), (dt.time(13, 30), dt.time(17, 30))
LUNCH = Hours(tuple(range(5)), (_MORNING, _NOON), BANK_HOLIDAYS)
NO_LUNCH = Hours(tuple(range(5)), ((_MORNING[0], _NOON[1]),), BANK_HOLIDAYS)
NIGHTS = Hours(tuple(range(7)), ((dt.time(22), dt.time(6)),))
SUNDAYS = Hours((6,), ((dt.time(0, 30), dt.time(3, 30)),))


def minute_of(at: dt.datetime) -> float:
    """Minutes since 1970 in UTC."""
    return at.timestamp() / 60


def local(minute: int) -> dt.datetime:
    """The aware datetime in London of a minute since 1970."""
    return dt.datetime.fromtimestamp(minute * 60, ZONE)


FIRST, AFTER = (
    int(minute_of(dt.datetime(year, 1, 1, tzinfo=dt.UTC))) for year in (FIRST_YEAR, AFTER_LAST_YEAR)
)


class Case(NamedTuple):
    """A start in minutes since 1970, and a span or a budget in minutes."""

    start: int
    length: int


def cases(operation: str, span: str) -> list[Case]:
    """Seeded random cases of one cell: spans of whole minutes, budgets of whole hours."""
    rng = random.Random(f"{operation} {span}")  # noqa: S311 - to be repeated, not secret
    found = []
    for _ in range(CASES):
        if operation == "elapsed":
            length = room = rng.randint(*SPANS[span])
        else:
            length = rng.randint(*BUDGETS[span]) * HOUR
            room = length * 5 + 21 * DAY  # 37.5 of the 168 hours of a week are open
        found.append(Case(rng.randrange(FIRST + 7 * DAY, AFTER - room - 7 * DAY), length))
    return found


def over_transitions(operation: str) -> list[Case]:
    """Ten cases around each of 28 changes of London's clocks, of two days or twelve hours at most."""
    rng = random.Random(f"{operation} transitions")  # noqa: S311 - to be repeated, not secret
    found = []
    for year in range(FIRST_YEAR, FIRST_YEAR + 14):
        for month in (3, 10):
            last = dt.datetime(year, month, 31, 1, tzinfo=dt.UTC)
            change = int(minute_of(last - dt.timedelta(days=last.isoweekday() % 7)))
            for _ in range(10):
                start = change - rng.randint(-2 * HOUR, 12 * HOUR)
                length = rng.randint(1, 2 * DAY) if operation == "elapsed" else rng.randint(1, 12) * HOUR
                found.append(Case(start, length))
    return found


class Oracle(NamedTuple):
    """The number of open minutes before each minute of the years."""

    before: array[int]

    def elapsed(self, case: Case) -> int:
        """The open minutes in a span."""
        start = case.start - FIRST
        return self.before[start + case.length] - self.before[start]

    def add(self, case: Case) -> tuple[int, int]:
        """The minute at which a budget is used up, and the opening that follows if the desk then closes."""
        used = self.before[case.start - FIRST] + case.length
        return bisect_left(self.before, used) + FIRST, bisect_right(self.before, used) - 1 + FIRST


def _minutes_of_week(hours: Hours) -> set[int]:
    """The minutes of a week, from Monday, that lie in a window."""
    found = set()
    for day in hours.weekdays:
        for start, end in hours.windows:
            opened = day * DAY + start.hour * HOUR + start.minute
            length = (end.hour - start.hour) * HOUR + end.minute - start.minute
            found |= {(opened + k) % (7 * DAY) for k in range(length if length > 0 else length + DAY)}
    return found


@cache
def oracles() -> dict[Hours, Oracle]:
    """The oracles of all hours; holidays close a whole date, and none stands beside hours over midnight."""
    print("reading the clock at every minute of the years ...", file=sys.stderr)
    rules = [
        (_minutes_of_week(hours), set(hours.holidays), array("I", [0]))
        for hours in (LUNCH, NO_LUNCH, NIGHTS, SUNDAYS)
    ]
    for minute in range(FIRST, AFTER):
        at = local(minute)
        clock, date = at.weekday() * DAY + at.hour * HOUR + at.minute, at.date()
        for minutes, closed, before in rules:
            before.append(before[-1] + (clock in minutes and date not in closed))
    counts = [Oracle(before) for _, _, before in rules]
    return dict(zip((LUNCH, NO_LUNCH, NIGHTS, SUNDAYS), counts, strict=True))


# --- asking ----------------------------------------------------------------------------------


@dataclass
class Asked:
    """What a peer answered to the cases of a cell, or of several."""

    arguments: list[tuple[Any, Any]] = field(default_factory=list)  # in the peer's types, those answered
    seconds: list[float] = field(default_factory=list)
    wrong: int = 0
    rolled: int = 0  # wrong only in that the answer is the opening after a closing
    raised: int = 0

    def __str__(self) -> str:
        if not self.arguments and not self.raised:
            return "-"
        rolled = f" ({self.rolled} rolled)" if self.rolled else ""
        raised = f", {self.raised} raised" if self.raised else ""
        return f"{self.wrong}{rolled} of {len(self.arguments)}{raised}"


def arguments(calls: Calls, operation: str, case: Case) -> tuple[Any, Any]:
    """A case in the peer's own types."""
    start = calls.instant(local(case.start))
    if operation == "add":
        return start, calls.budget(dt.timedelta(minutes=case.length))
    return start, (calls.end or calls.instant)(local(case.start + case.length))


def ask(calls: Calls, operation: str, given: Sequence[Case], oracle: Oracle, limit: float) -> Asked:
    """The answers to as many cases as the time allows, held against the oracle."""
    call, asked = getattr(calls, operation), Asked()
    for case in given if call else ():
        if sum(asked.seconds) > limit and len(asked.arguments) >= FEWEST:
            break
        try:
            pair = arguments(calls, operation, case)
            start = CLOCK()
            answer = call(*pair)
            asked.seconds.append(CLOCK() - start)
        except Exception:  # whatever it raises is its answer
            asked.raised += 1
            continue
        asked.arguments.append(pair)
        if operation == "elapsed":
            asked.wrong += round(calls.seconds(answer)) != oracle.elapsed(case) * 60
        else:
            stays, rolls = oracle.add(case)
            found = minute_of(calls.moment(answer))
            asked.wrong += found != stays
            asked.rolled += found == rolls != stays
    return asked


def total(parts: Iterable[Asked]) -> Asked:
    """The sum of several cells."""
    found = Asked()
    for part in parts:
        found.arguments += part.arguments
        found.wrong += part.wrong
        found.rolled += part.rolled
        found.raised += part.raised
    return found
