"""How fast clocks are judged: the bars of the design, each beside workclock in the same run.

A bar of 100,000 clocks of six events in three seconds says nothing of an unknown machine. Where it was
set, the bare sums of workclock over the same events took 0.67 s for 100,000, so a clock may cost four and a
half of them. A bar is a ratio of CPU time, the least of a hundred rounds in turn: a busy neighbour is
nobody's fault.
`python benchmarks/clocks.py` prints the figures for 100,000.
"""

import importlib.util
import os

import pytest

BENCHMARK = "clocks"
IN_CI = os.environ.get("CI", "").lower() == "true"
PEER = "workclock, one sum with its pauses"


pytestmark = pytest.mark.usefixtures("untraced")


@pytest.fixture(scope="module", autouse=True)
def peer():
    """The peer of the bars, which comes with the test extra."""
    if importlib.util.find_spec("workclock") is None:
        give_up = pytest.fail if IN_CI else pytest.skip
        give_up("workclock, the peer of the bars, is not installed: pip install workclock")


@pytest.fixture(scope="module")
def found(benchmark):
    """A thousand histories of six events, made beforehand."""
    return list(benchmark.histories(1000))


def test_both_sides_judge_alike(benchmark, found):
    """Otherwise their times could not be compared: as many met, and the same ones."""
    ours, theirs = benchmark.one_target()(found), benchmark.workclock()(found)
    assert ours == theirs
    assert 100 < sum(ours) < 900


@pytest.mark.parametrize(("name", "bar"), [("evaluate, one target", 4.5), ("evaluate_all, two targets", 4.5)])
def test_a_clock_of_six_events_costs_at_most_so_many_sums_of_workclock(benchmark, found, name, bar):
    """Per clock: the whole history is read, ordered, folded and judged, against additions alone."""
    made, clocks = benchmark.WORKS[name]
    works = (made(), found[: len(found) // clocks]), (benchmark.WORKS[PEER][0](), found)
    ours, theirs = (min(found) for found in zip(*_rounds(benchmark, works), strict=True))
    print(f"{name}: {ours * 1000:.1f} µs a clock, {ours / theirs:.2f} sums of workclock (bar {bar})")
    assert ours <= bar * theirs


def _rounds(benchmark, works, rounds=100):
    """Seconds of each work in each round; the two take turns."""
    return [[benchmark.seconds(work, given) for work, given in works] for _ in range(rounds)]
