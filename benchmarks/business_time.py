"""Business time beside other libraries: elapsed and add, from hours to years, in one run.

    python benchmarks/business_time.py [--write docs/reference/business-time-speed.md]

Whoever is installed takes part; the others are listed with how to install them. Each figure is a
median of nine rounds in which all take turns, and each answer is held against an oracle that
reads the clock at every minute of 16 years. The whole takes a few minutes.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import importlib
import json
import os
import platform
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from business_time_oracle import (
    AFTER,
    BUDGETS,
    CLOCK,
    DAY,
    FIRST,
    LUNCH,
    NIGHTS,
    NO_LUNCH,
    SPANS,
    SUNDAYS,
    Asked,
    Case,
    arguments,
    ask,
    cases,
    oracles,
    over_transitions,
    total,
)
from business_time_peers import AFTER_LAST_YEAR, FIRST_YEAR, PEERS, Calls, Hours, Peer

ROUNDS, COLD_STARTS = 9, 5
CHECK_SECONDS, TURN_SECONDS = 0.8, 0.01  # for a cell of one peer
OURS, RIVAL, ARRAY = "itsm_core", "workclock", 1_000_000
Cell = tuple[str, str]
CELLS = [(operation, span) for operation in ("elapsed", "add") for span in SPANS]
WORDS = {"library", "version", "note", "bar", "call"}
SPAN_TEXTS = {"hours": "0.5-12 h", "days": "1-7 d", "months": "30-120 d", "years": "1-8 y"}


# --- measuring -------------------------------------------------------------------------------


def seconds_of(call: Callable[[Any, Any], object], given: Sequence[tuple[Any, Any]]) -> float:
    """CPU seconds of one call, the mean of a turn."""
    start = CLOCK()
    for first, second in given:
        call(first, second)
    return (CLOCK() - start) / len(given)


@dataclass
class Row:
    """One peer in the run: its calls, its answers and its times."""

    peer: Peer
    calls: Calls
    asked: dict[Cell, Asked]
    times: dict[Cell, list[float]] = field(default_factory=lambda: defaultdict(list))

    def take_turn(self, cell: Cell, number: int) -> None:
        """Measures one turn, each with the next of its cases."""
        asked = self.asked[cell]
        if count := len(asked.arguments):
            size = int(TURN_SECONDS / statistics.median(asked.seconds)) + 1
            endless = islice(cycle(asked.arguments), number * size % count, None)
            given = list(islice(endless, size))
            self.times[cell].append(seconds_of(getattr(self.calls, cell[0]), given))

    def micros(self, cell: Cell) -> float | None:
        """The median time of a call in microseconds."""
        return statistics.median(self.times[cell]) * 1e6 if self.times[cell] else None

    def ratio(self, cell: Cell, to: Row) -> float | None:
        """The median of the ratios of the rounds."""
        pairs = zip(self.times[cell], to.times[cell], strict=True) if self.times[cell] else ()
        return statistics.median(ratios) if (ratios := [mine / theirs for mine, theirs in pairs]) else None


def _row(peer: Peer) -> Row:
    hours = LUNCH if peer.lunch else NO_LUNCH
    calls = peer.calls(hours)
    asked = {}
    for cell in CELLS:
        asked[cell] = ask(calls, cell[0], cases(*cell), oracles()[hours], CHECK_SECONDS)
    return Row(peer, calls, asked)


def measure(peers: Iterable[Peer]) -> dict[str, Row]:
    """All peers through all cells: answers first, then nine rounds in turn."""
    rows = {}
    for peer in peers:
        print(f"asking {peer.name} ...", file=sys.stderr)
        rows[peer.name] = _row(peer)
    print("nine rounds ...", file=sys.stderr)
    for cell in CELLS:
        for number in range(ROUNDS):
            for row in rows.values():
                row.take_turn(cell, number)
    return rows


# --- cold ------------------------------------------------------------------------------------


def cold(name: str) -> list[float]:
    """Milliseconds in this fresh process: to make a calendar, for a call, and for one over all years."""
    peer = next(peer for peer in PEERS if peer.name == name)
    importlib.import_module(peer.module)
    gc.collect()  # what the imports left would be cleared at some moment below
    times, start = [], CLOCK()
    calls = peer.calls(LUNCH if peer.lunch else NO_LUNCH)
    times.append(CLOCK() - start)
    operation = "elapsed" if calls.elapsed else "add"
    wide = Case(FIRST + 7 * DAY, AFTER - FIRST - 14 * DAY)
    for case in [cases(operation, "hours")[0]] + [wide] * bool(calls.elapsed):
        pair = arguments(calls, operation, case)
        times.append(seconds_of(getattr(calls, operation), [pair]))
    return [each * 1e3 for each in times]


def cold_starts(name: str) -> list[float]:
    """The medians of `cold` over some fresh processes."""
    command = [sys.executable, __file__, "--cold", name]
    found = [json.loads(subprocess.check_output(command)) for _ in range(COLD_STARTS)]  # noqa: S603 - ourselves
    return [statistics.median(column) for column in zip(*found, strict=True)]


# --- arrays ----------------------------------------------------------------------------------


def arrays(rows: dict[str, Row]) -> Iterator[list[str]]:
    """Rows of nanoseconds a pair: ours, a gather of the same size, and the peer's batch call."""
    if "numpy" not in sys.modules:
        return
    np = sys.modules["numpy"]
    desk = rows[OURS].calls.elapsed.__self__  # type: ignore[union-attr]
    rng = np.random.default_rng(2026)
    minute = 60 * 1_000_000
    starts = rng.integers(FIRST, FIRST + 8 * 365 * DAY, ARRAY) * minute
    spans = rng.integers(1, 4 * 365 * DAY, ARRAY) * minute
    budgets = rng.integers(1, 8000, ARRAY) * 60 * minute
    table, index = rng.integers(0, 2**50, ARRAY), rng.integers(0, ARRAY, ARRAY)
    named = {"numpy gather": lambda: table[index]}
    if hasattr(desk, "elapsed_many"):
        named["itsm_core elapsed_many"] = lambda: desk.elapsed_many(starts, starts + spans)
        named["itsm_core add_many"] = lambda: desk.add_many(starts, budgets)
    if RIVAL in rows:
        peer, few = rows[RIVAL].calls.elapsed.__self__, slice(ARRAY // 500)  # type: ignore[union-attr]
        begun, ended = (at[few].astype("M8[us]") for at in (starts, starts + spans))
        named["workclock between_many"] = lambda: peer.between_many(begun, ended)
        named["workclock add_many"] = lambda: peer.add_many(begun, budgets[few].astype("m8[us]"))
    times: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for name, call in named.items():
            count = ARRAY if RIVAL not in name else ARRAY // 500
            times[name].append(seconds_of(lambda call, _: call(), [(call, None)]) / count)
    for name, found in times.items():
        ratio = statistics.median(a / b for a, b in zip(found, times["numpy gather"], strict=True))
        yield [name, number(statistics.median(found) * 1e9), number(ratio)]


# --- the page --------------------------------------------------------------------------------


def number(value: float | None) -> str:
    """Three digits are enough; nothing is a dash."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, figures to the right."""
    lines = [head, ["---" if name in WORDS else "---:" for name in head], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def bars(rows: dict[str, Row], schedule_year: float) -> Iterator[list[str]]:
    """The bars of the design beside what was measured."""
    ours = rows[OURS]
    for operation in ("elapsed", "add"):
        for span, limit in (("hours", 0.9), ("years", 0.1)) if RIVAL in rows else ():
            share = ours.ratio((operation, span), rows[RIVAL])
            yield [f"`{operation}` over {span}, share of workclock's time", str(limit), f"{share:.3f}"]
        growth = ours.micros((operation, "years")) / ours.micros((operation, "hours"))  # type: ignore[operator]
        yield [f"`{operation}`, years to hours", "1.5", f"{growth:.2f}"]
    yield ["table of one schedule and year, ms", "1.5", f"{schedule_year:.2f}"]


def transitions(peers: Iterable[Peer]) -> Iterator[list[str]]:
    """Wrong answers around the changes of the clocks."""

    def judged(peer: Peer, hours: Hours, operation: str) -> str:
        if hours is NIGHTS and not peer.overnight:
            return "-"
        return str(ask(peer.calls(hours), operation, over_transitions(operation), oracles()[hours], 20))

    for peer in peers:
        if peer.zoned:
            asked = ((hours, operation) for hours in (NIGHTS, SUNDAYS) for operation in ("elapsed", "add"))
            yield [peer.name, *(judged(peer, hours, operation) for hours, operation in asked)]


def machine() -> str:
    """The machine in general terms."""
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="utf-8") if info.exists() else ""
    models = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    model = models[0] if models else platform.processor() or platform.machine()
    today = dt.datetime.now(dt.UTC).date()
    return (
        f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}, {today}"
    )


def _times(rows: dict[str, Row]) -> Iterator[list[str]]:
    """Microseconds, and how often as long as ours, of each peer and cell."""
    for row in rows.values():
        shown = []
        for cell in CELLS:
            ratio = row.ratio(cell, rows[OURS])
            times = f" ({number(ratio)})" if ratio and row.peer.name != OURS else ""
            shown.append(number(row.micros(cell)) + times)
        yield [row.peer.name, *shown]


def _facts(rows: dict[str, Row], colds: dict[str, list[float]]) -> Iterator[list[str]]:
    """What else there is to know of each peer."""
    for name, row in rows.items():
        wrong = [total(row.asked[operation, span] for span in SPANS) for operation in ("elapsed", "add")]
        note = "; ".join(filter(None, ["" if row.peer.lunch else "one interval a day", row.peer.note]))
        version = row.peer.version() or "this checkout"
        yield [name, version, *map(str, wrong), *map(number, colds[name][:2]), note]


def page() -> str:
    """The page of the reference, measured now."""
    here = [peer for peer in PEERS if peer.version() or peer.distribution == "itsm-core"]
    rows = measure(here)
    colds = {name: cold_starts(name) for name in rows}
    schedule_year = sum(colds[OURS][1:]) / (AFTER_LAST_YEAR - FIRST_YEAR)
    columns = [f"elapsed, {text}" for text in SPAN_TEXTS.values()]
    columns += [f"add, {low:,}-{high:,} h" for low, high in BUDGETS.values()]
    missing = dict.fromkeys(peer.distribution for peer in PEERS if peer not in here)
    lacking = [f"- {name}: `pip install {name}`" for name in missing]
    facts = ["library", "version", "wrong elapsed", "wrong add", "make, ms", "first call, ms", "note"]
    nights = ["library", "22-06, elapsed", "22-06, add", "Sunday 00:30-03:30, elapsed", "the same, add"]
    return PAGE.format(
        machine=machine(),
        bars=table(["bar", "at most", "measured"], bars(rows, schedule_year)),
        times=table(["library", *columns], _times(rows)),
        facts=table(facts, _facts(rows, colds)),
        transitions=table(nights, transitions(here)),
        arrays=table(["call", "ns a pair", "in gathers"], arrays(rows)),
        lacking="\n".join(["", "Not installed when this was measured:", "", *lacking, ""] if lacking else []),
    )


PAGE = """# How fast business time is

How long `elapsed` and `add` take here and in other libraries, all measured in one run and held
against the same slow oracle. The desk is open Monday to Friday 09:00-12:30 and 13:30-17:30 in
London, and closed on England's bank holidays of 2015 to 2030.

Measured on: {machine}.

## The bars

A bar is a ratio to something measured in the same run; the last one is for a machine on which a loop
over the dates, asking `zoneinfo` for each edge, takes 1.0 ms a year. `tests/business_time/test_speed.py`
holds all of them, the last beside that loop.

{bars}

## One call

Microseconds a call; in brackets, how many times as long as `itsm_core` on aware datetimes. `-`: the
library cannot do it. The calls of a turn follow each other for 10 ms, so their tables are in the cache.

{times}

## Right answers, and the start

*Wrong* counts answers that differ from the oracle, of all that were asked; slow libraries answer fewer
in the time they get. *Rolled* ones are wrong only in one way: a budget that is used up at closing time
ends at the next opening. *Make* and *first call* are of a fresh process: to make the calendar, then to
measure some hours; what follows costs what the first table says.

{facts}

## Where the clocks change

Wrong answers of 280 around 28 changes of London's clocks, for a desk that is open every night from 22:00
to 06:00, and for one that is open on Sundays from 00:30 to 03:30. Only libraries with time zones.

{transitions}

businesstimedelta loses a night that has begun, opening-hours-py an hour that comes twice; bizdurr counts
what the clock shows, not what has passed; pandas moves local times, and raises at those that do not
exist or come twice.

## Arrays

A million random pairs of up to four years, budgets of up to 8,000 hours, in nanoseconds a pair, beside
the least that numpy can do with a million random places, a gather: `table[index]`. The bar is two gathers.
For workclock, 2,000 pairs.

{arrays}
{lacking}
## How to read it

Each figure is the median of nine rounds in which all libraries take turns, in CPU time. Arguments are in
the library's own types before the time starts: aware datetimes, naive ones, integers or stamps.
Libraries that know one interval a day are asked for 09:00-17:30 without lunch, and judged by that.
Ratios carry over to other machines; microseconds do not.

## How to run it again

```console
$ pip install numpy pandas holidays workclock businesstimedelta     # and whoever else should take part
$ python benchmarks/business_time.py                                # prints this page
$ python benchmarks/business_time.py --write docs/reference/business-time-speed.md
```
"""


def main() -> None:
    """Prints the page, or writes it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page of the reference")
    parser.add_argument("--cold", metavar="NAME", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.cold:
        print(json.dumps(cold(chosen.cold)))
    elif chosen.write:
        chosen.write.write_text(page(), encoding="utf-8")
    else:
        print(page())


if __name__ == "__main__":
    main()
