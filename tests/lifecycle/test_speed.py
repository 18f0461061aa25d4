"""The figures that lifecycles promise, each as a ratio to the stock `transitions` machine in the same run.

`python benchmarks/lifecycles.py` prints them beside python-statemachine and django-fsm-2.
"""

import pytest

BENCHMARK = "lifecycles"
STOCK = "transitions, one trigger"


@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize("asked", ["nothing", "two fields"])
def test_a_decision_and_the_record_after_it_cost_at_most_one_stock_trigger(benchmark, asked):
    """One that asks for as much. The quickest of thirty rounds of each: a busy neighbour is neither's fault."""
    works = {
        "nothing": lambda: (benchmark.decided("start", {}), benchmark.stock()),
        "two fields": lambda: (
            benchmark.decided("resolve", benchmark.RESOLVED), benchmark.stock_with_fields()
        ),
    }  # fmt: skip
    work, stock = works[asked]()
    ours, theirs = (min(benchmark.seconds(one, 300) for _ in range(30)) for one in (work, stock))
    print(f"decide + evolve {ours * 1e6:.2f} µs, {ours / theirs:.2f} stock triggers (bar 1)")
    assert ours <= theirs


def test_build_and_check_cost_at_most_twenty_stock_triggers_for_each_state(benchmark):
    """All shipped lifecycles, built from their parts."""
    ratio = benchmark.per_state(5)
    print(f"build and check: {ratio:.1f} stock triggers a state (bar 20)")
    assert ratio <= 20


def test_ten_thousand_incidents_weigh_at_most_eight_hundred_bytes_each(benchmark):
    """By tracemalloc, each opened at an instant of its own; their history is not counted."""
    weight = benchmark.bytes_each(10_000)
    print(f"{weight:.0f} bytes an incident (bar 800)")
    assert weight <= 800
