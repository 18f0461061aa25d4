"""Incidents through the desk in memory, beside one trigger of the stock `transitions` machine.

    python benchmarks/desk.py

An incident is four commands: open, assign, resolve, close. Medians of nine runs, and each figure
as a ratio to the peer in the same run: absolute times say more about the machine than about us.
"""

from __future__ import annotations

import datetime as dt
import statistics
import sys
import time
from collections.abc import Callable

from itsm_core import (
    INCIDENT,
    Actor,
    BusinessCalendar,
    Command,
    EscalationPolicy,
    EscalationStep,
    ServiceDesk,
    decide,
    default_agreement,
)
from itsm_core.lifecycle.machine import Cursor, machine
from itsm_core.records import apply
from itsm_core.stores.memory import MemoryStore

# CPU time, which other processes do not lengthen; Windows counts it in steps of 16 ms.
CLOCK = time.perf_counter if sys.platform == "win32" else time.process_time
RUNS = 9
INCIDENTS = 300
COMMANDS = 4
AT = dt.datetime(2024, 1, 8, 10, tzinfo=dt.UTC)
AGENT, USER = Actor.person("ana", "agent"), Actor.person("uma")
AGREEMENT = default_agreement(BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/Berlin"))
POLICY = EscalationPolicy(
    "standard",
    1,
    steps=[
        EscalationStep("move", "50 %", kind="functional", group="second-line"),
        EscalationStep("lead", "75 %", to="lead"),
    ],
)


def seconds(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = CLOCK()
    work()
    return CLOCK() - start


def incident(desk: ServiceDesk) -> None:
    """One incident: opened, assigned, resolved, closed."""
    number = desk.open("Mail is down", actor=USER, at=AT, fields={"impact": "high", "urgency": "high"}).id
    desk.assign(number, actor=AGENT, at=AT, group="mail", assignee="ana")
    done = {"resolution_outcome": "workaround", "resolution_notes": "restarted"}
    desk.fire(number, "resolve", actor=AGENT, at=AT, fields=done)
    desk.fire(number, "close", actor=AGENT, at=AT, fields={"closure_code": "user_confirmed"})


def incidents_per_second(count: int = INCIDENTS, **settings: object) -> float:
    """The rate of one run on a fresh store in memory."""
    desk = ServiceDesk(MemoryStore(), **settings)  # type: ignore[arg-type]
    return count / seconds(lambda: [incident(desk) for _ in range(count)])


def stock_trigger() -> float:
    """Seconds of one trigger of the stock machine, driven through a bare cursor."""
    event = machine(INCIDENT).events["start"]
    cursors = [Cursor("new") for _ in range(500)]
    return seconds(lambda: [event.trigger(cursor) for cursor in cursors]) / len(cursors)


def decide_and_evolve() -> float:
    """Seconds of one decision and the record after it."""
    record = INCIDENT.record("I-1", priority="P1", requester="uma", opened_at=AT)
    commands = [Command("start", AGENT, at=AT, id=str(n)) for n in range(2000)]

    def work() -> None:
        for command in commands:
            apply(record, decide(record, command, INCIDENT).events[0])  # type: ignore[union-attr]

    return seconds(work) / len(commands)


def quickest(rounds: int = 90) -> tuple[float, float]:
    """Seconds of an incident and of a stock trigger: the least of many short rounds in turn."""
    times = [(1 / incidents_per_second(20), stock_trigger()) for _ in range(rounds)]
    incident, trigger = map(min, zip(*times, strict=True))
    return incident, trigger


def main() -> None:
    """Prints the table."""
    rows: dict[str, list[float]] = {"stock trigger": [], "decide + evolve": [], "bare": [], "full": []}
    for _ in range(RUNS):
        rows["stock trigger"].append(stock_trigger())
        rows["decide + evolve"].append(decide_and_evolve())
        rows["bare"].append(1 / incidents_per_second() / COMMANDS)
        rows["full"].append(1 / incidents_per_second(agreement=AGREEMENT, policy=POLICY) / COMMANDS)
    peer = statistics.median(rows["stock trigger"])
    named = {"bare": "a desk command", "full": "a desk command, two targets and a policy"}
    print(f"{'medians of ' + str(RUNS):42} {'µs':>8} {'ratio':>7} {'incidents/s':>12}")
    for name, times in rows.items():
        middle = statistics.median(times)
        rate = f"{1 / middle / COMMANDS:12,.0f}" if name in named else ""
        print(f"{named.get(name, name):42} {middle * 1e6:8.2f} {middle / peer:7.2f} {rate}")


if __name__ == "__main__":
    main()
