"""What it costs to look a definition over, beside the stock machine in the same run."""

import itertools
import statistics
import time

import attrs
import pytest
from transitions import Machine

from itsm_core.lifecycle import Lifecycle, State, Transition, check
from itsm_core.processes import INCIDENT

_PARTS = [field.name for field in attrs.fields(Lifecycle) if field.name not in ("id", "version")]


class _Cursor:
    __slots__ = ("state",)


def _timed(run, times):
    begun = time.process_time()
    for _ in range(times):
        run()
    return (time.process_time() - begun) / times


def _stock_trigger():
    """One trigger of a stock machine that is driven as cheaply as the package allows."""
    machine = Machine(
        model=None,
        states=["new", "work"],
        initial="new",
        auto_transitions=False,
        transitions=[["flip", "new", "work"], ["flip", "work", "new"]],
    )
    cursor, event = _Cursor(), machine.events["flip"]
    cursor.state = "new"
    return lambda: event.trigger(cursor)


def _build_and_check(lifecycle):
    parts = {name: getattr(lifecycle, name) for name in _PARTS}
    return lambda: check(Lifecycle(lifecycle.id, lifecycle.version, **parts))


def _ratio(lifecycle, times):
    """Build and check a state of it, in triggers of the stock machine: median of 9."""
    build, stock = _build_and_check(lifecycle), _stock_trigger()
    pairs = [(_timed(build, times), _timed(stock, 500)) for _ in range(9)]
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    return ours / len(lifecycle.states) / theirs


def _chain(length):
    """A lifecycle of so many states in a row, each with a way back and a way out."""
    names = [f"s{n}" for n in range(length)]
    rows = [Transition("begin", "new", dest="s0", roles="agent")]
    for here, there in itertools.pairwise(names):
        rows += [Transition(f"to_{there}", here, dest=there, roles="agent", separate_from="begin")]
        rows += [Transition(f"back_to_{here}", there, dest=here, roles={"agent", "manager"})]
    rows += [Transition("finish", names, dest="done", roles="agent")]
    states = (
        State("new", "new"),
        *(State(name, "active") for name in names),
        State("done", "closed", outcome="completed"),
    )
    return Lifecycle("chain", 1, process="chain", initial="new", states=states, transitions=rows)


@pytest.mark.parametrize(
    ("lifecycle", "times"), [(INCIDENT, 20), (_chain(50), 4), (_chain(400), 1)], ids=["incident", "50", "400"]
)
def test_build_and_check_cost_at_most_twenty_stock_triggers_a_state(lifecycle, times, record_property):
    """The bar of the design; larger definitions cost no more a state than small ones."""
    assert check(lifecycle) == ()
    ratio = _ratio(lifecycle, times)
    record_property("stock_triggers_a_state", round(ratio, 2))
    print(f"build + check: {ratio:.1f} stock triggers a state")
    assert ratio <= 20
