"""How fast the pure step function is: transitions a second, beside a stock trigger of `transitions`.

python benchmarks/escalation.py
"""

import datetime as dt
import sys
import time

import attrs

from itsm_core.escalation import ClocksRead, EscalationPolicy, EscalationStep, Run, Trigger, advance
from itsm_core.lifecycle.machine import Cursor, machine
from itsm_core.processes import INCIDENT
from itsm_core.records import Record

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)
# CPU time, which other processes do not lengthen; Windows counts it in steps of 16 ms.
CLOCK = time.perf_counter if sys.platform == "win32" else time.process_time
STEPS = 9
POLICY = EscalationPolicy(
    "line",
    1,
    steps=[
        EscalationStep("page", trigger=Trigger.unacknowledged("5m wall"), to="on_call:network"),
        *(EscalationStep(f"step-{n}", after="5m wall", to="role:lead") for n in range(STEPS - 1)),
    ],
    last_resort="duty-manager",
)
RECORD = attrs.evolve(INCIDENT.record("INC-1", priority="P1"), opened_at=T0)
TICKS = [T0 + dt.timedelta(minutes=5 * n) for n in range(1, STEPS + 1)]


def nobody_else(_name: str, _record: Record, _now: dt.datetime) -> tuple[str, ...]:
    """The constant resolver."""
    return ("zoe",)


def chain(run: Run, event: ClocksRead) -> None:
    """A chain from its first step to its last: one transition a tick, each with one effect."""
    for now in TICKS:
        run, _ = advance(run, now, event, nobody_else)


def transition(times: int = 50) -> float:
    """Seconds of one transition."""
    run, event = Run.of(RECORD, POLICY), ClocksRead()
    began = CLOCK()
    for _ in range(times):
        chain(run, event)
    return (CLOCK() - began) / (times * STEPS)


def stock_trigger(times: int = 500) -> float:
    """Seconds of one trigger of the stock machine, driven through a bare cursor."""
    event = machine(INCIDENT).events["start"]
    cursors = [Cursor("new") for _ in range(times)]
    began = CLOCK()
    for cursor in cursors:
        event.trigger(cursor)
    return (CLOCK() - began) / times


def quickest(rounds: int = 90) -> tuple[float, float]:
    """Seconds of a transition and of a stock trigger: the least of many short rounds in turn."""
    times = [(transition(), stock_trigger()) for _ in range(rounds)]
    ours, trigger = map(min, zip(*times, strict=True))
    return ours, trigger


if __name__ == "__main__":
    ours = min(transition(500) for _ in range(9))
    stock = min(stock_trigger(5000) for _ in range(9))
    print(f"{1 / ours:,.0f} transitions a second; one is {ours / stock:.2f} stock triggers")
