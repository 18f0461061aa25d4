"""A hundred thousand clocks, beside the bare arithmetic of a calculator of business hours.

    python benchmarks/clocks.py [--count N] [--runs N]

The histories are made beforehand; only judging is timed, on one core, in CPU seconds. The peer is
workclock (`pip install workclock`), the fastest general calculator when this was written, with a core in
Rust: a loop over the same events adds up the stretches that count, less the waits for the requester, and
compares with the budget. It gives a number of hours and a yes or no. Ours gives a clock that explains
itself, checks the order of events, applies corrections, and takes reopenings.
"""

from __future__ import annotations

import argparse
import datetime as dt
import platform
import random
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any
from zoneinfo import ZoneInfo

from itsm_core.actors import Actor
from itsm_core.business_time import BusinessCalendar
from itsm_core.events import Event
from itsm_core.sla import Agreement, Target, attainment, evaluate, evaluate_all

COUNT, RUNS = 100_000, 9
ZONE = ZoneInfo("Europe/London")
FIRST = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
ANA, UMA = Actor.person("ana", "agent"), Actor.person("uma")
BUDGET = dt.timedelta(hours=8)

History = tuple[Event, ...]
Work = Callable[[list[History]], object]


def calendar() -> BusinessCalendar:
    """Weekdays from 9 to half past five with an hour for lunch, in London."""
    return BusinessCalendar.weekly("mon-fri 09:00-12:30 13:30-17:30", zone=ZONE, name="desk")


def targets() -> tuple[Target, Target]:
    """An answer within two hours and a resolution within eight, which waits for the requester."""
    desk = calendar()
    return (
        Target("answer", "response", duration="2h", calendar=desk),
        Target("fix", "resolution", duration="8h", calendar=desk, pauses_on={"requester"}),
    )


def history(number: int, rng: random.Random) -> History:
    """Six events of a record: opened, answered, on hold, at work again, resolved, closed."""
    record, at = f"INC-{number}", FIRST + dt.timedelta(minutes=rng.randrange(525_600))
    rows: list[tuple[str, Actor, str | None, dict[str, Any]]] = [
        ("opened", UMA, "new", {"phase": "new", "priority": "P3"}),
        ("communicated", ANA, None, {"direction": "outbound", "audience": "requester"}),
        ("transitioned", ANA, "on_hold", {"phase": "waiting", "waits_on": "requester"}),
        ("transitioned", ANA, "in_progress", {"phase": "active"}),
        ("transitioned", ANA, "resolved", {"phase": "resolved"}),
        ("transitioned", ANA, "closed", {"phase": "closed", "outcome": "closed"}),
    ]
    events = []
    for seq, (kind, actor, state, fields) in enumerate(rows, start=1):
        events.append(
            Event(
                id=f"{record}/{seq}", record=record, seq=seq, kind=kind, occurred_at=at, recorded_at=at,
                actor=actor, to_state=state, fields=fields,
            )
        )  # fmt: skip
        at += dt.timedelta(seconds=rng.randrange(300, 90_000))
    return tuple(events)


def histories(count: int) -> Iterator[History]:
    """So many histories, the same in every run."""
    rng = random.Random("clocks")  # noqa: S311 - histories, no secrets
    return (history(number, rng) for number in range(count))


# --- what is measured ---------------------------------------------------------------------------


def one_target() -> Work:
    """`evaluate` of one target on each history."""
    _, fix = targets()
    return lambda found: [not evaluate(events, fix, AT).breached for events in found]


def agreement() -> Agreement:
    """Both targets."""
    return Agreement("bench", 1, targets=targets())


def two_targets() -> Work:
    """`evaluate_all` of an agreement with two targets, drained."""
    held = agreement()

    def work(found: list[History]) -> int:
        return sum(len(one.clocks) for one in evaluate_all(found, held, AT))

    return work


def counted() -> Work:
    """The same, with its attainment."""
    held = agreement()
    return lambda found: attainment(evaluate_all(found, held, AT), by="target")


def workclock() -> Work:
    """Whether the open time of each history, its waits left out, is within the budget, by workclock."""
    import workclock as peer  # noqa: PLC0415 - measured where it is installed

    rules = [
        peer.WorkDay(dt.time(9), dt.time(17, 30), [0, 1, 2, 3, 4]),
        peer.Break(dt.time(12, 30), dt.time(13, 30)),
    ]
    between = peer.Schedule(rules, time_zone=ZONE).between

    def measured(events: History) -> bool:
        used, since = dt.timedelta(), None
        for event in events:
            phase = event.fields.get("phase")
            if phase is None:
                continue
            runs = phase in ("new", "active")
            if since is not None and not runs:
                used += between(since, event.occurred_at)
                since = None
            elif since is None and runs:
                since = event.occurred_at
        return used <= BUDGET

    return lambda found: [measured(events) for events in found]


WORKS: dict[str, tuple[Callable[[], Work], int]] = {
    "workclock, one sum with its pauses": (workclock, 1),
    "evaluate, one target": (one_target, 1),
    "evaluate_all, two targets": (two_targets, 2),
    "evaluate_all and attainment, two targets": (counted, 2),
}
"""What is measured, and how many clocks it makes of each history."""


def seconds(work: Work, found: list[History]) -> float:
    """CPU seconds of one pass."""
    start = time.process_time()
    work(found)
    return time.process_time() - start


def measured(count: int = COUNT, runs: int = RUNS) -> dict[str, float]:
    """The median seconds of so many clocks by each work, all in turn in every run."""
    found = list(histories(count))
    works: dict[str, tuple[Work, list[History]]] = {}
    for name, (made, clocks) in WORKS.items():
        try:
            works[name] = made(), found[: count // clocks]
        except ImportError as missing:
            print(f"{name}: left out, {missing.name} is not installed", file=sys.stderr)
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs):
        for name, (work, given) in works.items():
            times[name].append(seconds(work, given))
    return {name: statistics.median(each) for name, each in times.items()}


def peak(count: int) -> int:
    """The most bytes held while so many generated histories are judged one by one, by tracemalloc."""
    held = agreement()
    for _ in evaluate_all(histories(2500), held, AT):  # fills what is bounded: tables, caches, kept tuples
        pass
    tracemalloc.start()
    for _ in evaluate_all(histories(count), held, AT):
        pass
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def table(count: int, runs: int) -> str:
    """The figures as Markdown."""
    found = measured(count, runs)
    peer = next(iter(WORKS))
    lines = [f"| {count:,} clocks of six events each | s | of workclock |", "| --- | ---: | ---: |"]
    for name, at in found.items():
        ratio = f"{at / found[peer]:.2f}" if peer in found else "-"
        lines.append(f"| {name} | {at:.2f} | {ratio} |")
    sizes = (1000, 10_000)
    held = " and ".join(f"{peak(size) // 1024:,} KiB over {size:,}" for size in sizes)
    lines.append(f"\nThe iterator holds at most {held} histories generated on the way.")
    return "\n".join(lines)


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=COUNT, help="how many clocks (100,000)")
    parser.add_argument("--runs", type=int, default=RUNS, help="how many runs the median is of (9)")
    given = parser.parse_args()
    print(table(given.count, given.runs))
    print(f"\nPython {platform.python_version()} on {platform.machine()}, workclock {version('workclock')}.")


if __name__ == "__main__":
    main()
