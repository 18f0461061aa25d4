"""Lifecycles beside the state machines of other libraries, and what a record weighs.

    python benchmarks/lifecycles.py [--write FILE]

Medians of nine runs in one process; every figure is a ratio to one trigger of the stock `transitions`
machine in the same run. python-statemachine and django-fsm-2 are measured where they are installed
(`pip install python-statemachine django-fsm-2`). The definitions of the peers are ours, made by them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import platform
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import attrs
from transitions import Machine

from itsm_core import INCIDENT, Actor, Command, Record, decide
from itsm_core.lifecycle import Lifecycle, check
from itsm_core.lifecycle.machine import Cursor, machine
from itsm_core.processes import PROCESSES
from itsm_core.records import apply

# CPU time, which other processes do not lengthen; Windows counts it in steps of 16 ms.
CLOCK = time.perf_counter if sys.platform == "win32" else time.process_time
RUNS, TIMES = 9, 2000
AT = dt.datetime(2024, 1, 8, 10, tzinfo=dt.UTC)
ANA, UMA = Actor.person("ana", "agent"), Actor.person("uma")
RESOLVED = {"resolution_outcome": "workaround", "resolution_notes": "the printer was off"}
OPENED = {"title": "Mail is down", "requester": "uma", "service": "mail", "impact": "high", "urgency": "high"}

Work = Callable[[], object]


def seconds(work: Work, times: int = TIMES) -> float:
    """Seconds of one call, over so many."""
    start = CLOCK()
    for _ in range(times):
        work()
    return (CLOCK() - start) / times


def opened(number: str, at: dt.datetime = AT) -> Record:
    """An incident as the desk opens it."""
    fields = {**OPENED, "record": number, "number": number}
    (event,) = decide(None, Command("open", UMA, at=at, fields=fields), INCIDENT).events
    return apply(None, event)


def stock() -> Work:
    """One trigger of the stock machine, driven through a bare cursor."""
    event = machine(INCIDENT).events["start"]

    def work() -> None:
        event.trigger(Cursor("new"))

    return work


def stock_with_fields() -> Work:
    """One stock trigger that asks for the two fields of a resolution, as conditions of the package."""

    def one_of_ours(resolution_outcome: str = "", **_: str) -> bool:
        return resolution_outcome in _OUTCOMES

    def said(resolution_notes: str = "", **_: str) -> bool:
        return bool(resolution_notes)

    row = {"trigger": "resolve", "source": "new", "dest": "resolved", "conditions": [one_of_ours, said]}
    peer = Machine(None, ["new", "resolved"], transitions=[row], initial="new", auto_transitions=False)
    event = peer.events["resolve"]

    def work() -> None:
        event.trigger(Cursor("new"), **RESOLVED)

    return work


_OUTCOMES = next(
    frozenset(need.one_of)
    for row in INCIDENT.by_trigger["resolve"]
    for need in row.requires
    if need.field == "resolution_outcome"
)


def decided(trigger: str, fields: dict[str, str]) -> Work:
    """One decision, and the record after it."""
    record = opened("I-1")
    command = Command(trigger, ANA, at=AT, fields=fields, id="c-1")

    def work() -> None:
        apply(record, decide(record, command, INCIDENT).events[0])

    return work


def built() -> Work:
    """All shipped lifecycles built from their parts and checked."""
    parts = [
        {field.name: getattr(one, field.name) for field in attrs.fields(Lifecycle)}
        for one in PROCESSES.values()
    ]

    def work() -> None:
        for part in parts:
            check(Lifecycle(**part))

    return work


def states() -> int:
    """How many states those have."""
    return sum(len(one.states) for one in PROCESSES.values())


def python_statemachine() -> Work:
    """`send` of python-statemachine, on a machine with a model of its own."""
    from statemachine import State, StateMachine  # noqa: PLC0415

    class Peer(StateMachine):
        new, in_progress = State(initial=True), State()
        start = new.to(in_progress)
        back = in_progress.to(new)

    peer, there = Peer(), [False]

    def work() -> None:
        peer.send("back" if there[0] else "start")
        there[0] = not there[0]

    return work


def django_fsm() -> Work:
    """A transition of django-fsm-2, on a model that is not stored."""
    import django  # noqa: PLC0415
    from django.conf import settings  # noqa: PLC0415

    if not settings.configured:
        settings.configure(INSTALLED_APPS=[], DATABASES={})
        django.setup()
    from django.db import models  # noqa: PLC0415
    from django_fsm import FSMField, transition  # noqa: PLC0415

    class Peer(models.Model):  # noqa: DJ008 - never shown
        state = FSMField(default="new")

        class Meta:
            app_label = "peers"

        @transition(field=state, source="new", target="in_progress")
        def start(self) -> None: ...

        @transition(field=state, source="in_progress", target="new")
        def back(self) -> None: ...

    peer, there = Peer(), [False]

    def work() -> None:
        (peer.back if there[0] else peer.start)()
        there[0] = not there[0]

    return work


def bytes_each(count: int = 10_000) -> float:
    """What so many records weigh each by tracemalloc, their history not counted."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    records = [opened(f"INC-{n:08d}", AT + dt.timedelta(seconds=n)) for n in range(count)]
    gc.collect()
    weight = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return weight / len(records)


WORKS: dict[str, Callable[[], Work]] = {
    "transitions, one trigger": stock,
    "transitions, one trigger that asks for two fields": stock_with_fields,
    "decide + evolve, no fields (start)": lambda: decided("start", {}),
    "decide + evolve, two fields (resolve)": lambda: decided("resolve", RESOLVED),
    "python-statemachine, one send": python_statemachine,
    "django-fsm-2, one transition": django_fsm,
}


def measured(names: list[str], runs: int = RUNS) -> dict[str, float]:
    """The median seconds of each work that can be made here, all in turn in every run."""
    works: dict[str, Work] = {}
    for name in names:
        try:
            works[name] = WORKS[name]()
        except ImportError as missing:
            print(f"{name}: left out, {missing.name} is not installed", file=sys.stderr)
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            times[name].append(seconds(work))
    return {name: statistics.median(found) for name, found in times.items()}


def per_state(runs: int = RUNS) -> float:
    """Build and check of all shipped lifecycles, in stock triggers for each of their states."""
    trigger, work = stock(), built()
    ratios = [seconds(work, 5) / states() / seconds(trigger) for _ in range(runs)]
    return statistics.median(ratios)


def table() -> str:
    """The figures as Markdown."""
    found = measured(list(WORKS))
    peer = found["transitions, one trigger"]
    lines = ["| work | µs | in stock triggers |", "| --- | ---: | ---: |"]
    lines += [f"| {name} | {at * 1e6:.2f} | {at / peer:.2f} |" for name, at in found.items()]
    lines.append(f"| build and check, for each state | | {per_state():.1f} |")
    lines.append(f"\n10,000 open incidents weigh {bytes_each():.0f} bytes each, their history not counted.\n")
    return "\n".join(lines)


def versions() -> str:
    """What was measured, with what."""
    found = []
    for name in ("transitions", "python-statemachine", "django-fsm-2"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return f"Python {platform.python_version()} on {platform.machine()}; {', '.join(found)}."


PAGE = """# Speed of lifecycles

What a command costs before anything is stored: the decision with all its checks, and the record after it.
Every figure is a ratio to one trigger of the stock
[transitions](https://github.com/pytransitions/transitions) machine, measured in the same run; ratios carry
over to other machines, microseconds do not.

{table}

{versions}

The stock trigger moves a state and checks nothing. The second row asks for the two fields of a resolution
by conditions of that package, as a decision does that brings them. python-statemachine sends to a machine
with a model of its own; django-fsm-2 changes a field of a model that is not stored. Neither asks who acts,
keeps an event, or says why not.

*Build and check* is making all shipped lifecycles from their parts and running every
[soundness rule](soundness-rules.md), divided by their states.

## How to run it again

```console
$ pip install python-statemachine django-fsm-2
$ python benchmarks/lifecycles.py                                     # prints this page
$ python benchmarks/lifecycles.py --write docs/reference/lifecycle-speed.md
```
"""


def main() -> None:
    """Prints the page, or writes it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page of the reference")
    given = parser.parse_args()
    text = PAGE.format(table=table().strip(), versions=versions())
    if given.write:
        given.write.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
