"""Who is on call, beside what it cannot do without and what others do: a conversion, pendulum, iCalendar.

    python benchmarks/oncall.py [--write FILE]

Eight people in turn, two thousand instants of ten years. Each figure is the median of nine rounds in which
all take turns, in CPU seconds; the bar is three conversions of one instant by `zoneinfo`.
`recurring_ical_events` takes part if it is installed: it reads the same weeks from a feed already parsed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pendulum

from itsm_core.business_time import hours
from itsm_core.oncall import DutyWindow, Layer, Rotation, Schedule, final

ROUNDS, COUNT, FEW = 9, 2000, 50
# CPU time, which other processes do not lengthen; Windows counts it in steps of 16 ms.
CLOCK = time.perf_counter if sys.platform == "win32" else time.process_time
BERLIN = ZoneInfo("Europe/Berlin")
START = dt.datetime(2018, 1, 1, 9)  # noqa: DTZ001 - a time on a wall
FIRST = dt.datetime(2018, 1, 1, tzinfo=dt.UTC)
PEOPLE = tuple("abcdefgh")
Ask = Callable[[dt.datetime], object]


def rotation(kind: str, **words: Any) -> Rotation:
    """Eight people in turn."""
    return Rotation(kind, START, zone=BERLIN, participants=PEOPLE, **words)


def of_a_feed() -> Ask | None:
    """The same weeks as eight recurring events, asked by `recurring_ical_events`."""
    try:
        icalendar, recurring = map(importlib.import_module, ("icalendar", "recurring_ical_events"))
    except ImportError:
        return None
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//benchmark//EN"]
    for n, person in enumerate(PEOPLE):
        begin, end = (START + dt.timedelta(weeks=n + more) for more in (0, 1))
        lines += [
            "BEGIN:VEVENT", f"UID:{person}", f"SUMMARY:{person}", f"RRULE:FREQ=WEEKLY;INTERVAL={len(PEOPLE)}",
            f"DTSTART;TZID=Europe/Berlin:{begin:%Y%m%dT%H%M%S}",
            f"DTEND;TZID=Europe/Berlin:{end:%Y%m%dT%H%M%S}", "END:VEVENT",
        ]  # fmt: skip
    calendar = recurring.of(icalendar.Calendar.from_ical("\r\n".join([*lines, "END:VCALENDAR"])))

    def ask(at: dt.datetime) -> object:
        return tuple(str(event["SUMMARY"]) for event in calendar.at(at))

    return ask


def seconds(ask: Ask, instants: Sequence[dt.datetime]) -> float:
    """CPU seconds of one question, the mean of a round."""
    start = CLOCK()
    for at in instants:
        ask(at)
    return (CLOCK() - start) / len(instants)


def rows() -> list[tuple[str, Ask, int]]:
    """What is timed: words, the question, how many instants a round."""
    network = Schedule(
        "network",
        [
            Layer("weeks", rotation("weekly")),
            Layer("nights", "nora", level=1, windows=DutyWindow("20:00", "08:00", "mon-fri", BERLIN)),
        ],
    )
    found: list[tuple[str, Ask, int]] = [
        ("one conversion by zoneinfo", lambda at: at.astimezone(BERLIN), COUNT),
        ("hourly, 8 h", rotation("hourly", shift_length=8).on_call, COUNT),
        ("daily", rotation("daily").on_call, COUNT),
        ("weekly", rotation("weekly").on_call, COUNT),
        ("monthly", rotation("monthly").on_call, COUNT),
        ("every second week", rotation("weekly", every=2).on_call, COUNT),
        ("nights of 12 h", rotation("daily", duration=hours(12)).on_call, COUNT),
        ("weekly, mon-fri", rotation("weekly", days="mon-fri").on_call, COUNT),
        ("weekly, the shift", rotation("weekly").shift_at, COUNT),
        ("schedule of two layers", network.on_call, COUNT),
        ("final, a year of daily hand-offs", _a_year, 1),
        ("one conversion by pendulum", lambda at: pendulum.instance(at).in_timezone("Europe/Berlin"), COUNT),
    ]
    feed = of_a_feed()
    return found if feed is None else [*found, ("weekly, from a parsed feed", feed, FEW)]


def _a_year(at: dt.datetime) -> object:
    return final(rotation("daily"), at, at + dt.timedelta(days=365))


def table() -> str:
    """The figures as a table in Markdown."""
    drawn = random.Random("on call")  # noqa: S311 - not for secrets
    instants = [FIRST + dt.timedelta(seconds=drawn.randrange(10 * 365 * 86_400)) for _ in range(COUNT)]
    asked = rows()
    rounds = [[seconds(ask, instants[:count]) for _, ask, count in asked] for _ in range(ROUNDS)]
    times = [statistics.median(column) for column in zip(*rounds, strict=True)]
    ratios = [
        statistics.median(one / first for one, first in zip(column, base, strict=True))
        for column, base in ((column, [row[0] for row in rounds]) for column in zip(*rounds, strict=True))
    ]
    lines = ["| question | microseconds | conversions |", "|---|---:|---:|"]
    lines += [
        f"| {words} | {us * 1e6:,.2f} | {ratio:,.1f} |"
        for (words, _, _), us, ratio in zip(asked, times, ratios, strict=True)
    ]
    return "\n".join(lines)


def main() -> None:
    """Prints the figures, and writes them if asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", type=Path, help="a file for the table")
    given = parser.parse_args()
    said = f"{table()}\n\nPython {platform.python_version()} on {platform.machine()}.\n"
    print(said)
    if given.write:
        given.write.write_text(said, encoding="utf-8")


if __name__ == "__main__":
    main()
