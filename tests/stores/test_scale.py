"""A file of a million records beside one of ten thousand: `python benchmarks/stores_scale.py` prints the figures."""

import pytest

BENCHMARK = "stores_scale"

pytestmark = pytest.mark.usefixtures("untraced")


def test_what_the_benchmark_writes_is_found_moved_and_fallen_due_like_any_record(benchmark, tmp_path):
    """Each of its operations holds what it found against what was asked; here in small ones."""
    rows = list(benchmark.measured(3000, 4000, 1, tmp_path))
    assert [name for name, *_ in rows] == list(benchmark.TURNS)
    assert all(small > 0 and large > 0 for _, small, large, _ in rows)


@pytest.mark.nightly
def test_a_million_records_in_a_file_cost_at_most_half_as_much_again_as_ten_thousand(benchmark, tmp_path):
    """`open`, `fire`, every `find` and `tick`: the median ratio of nine runs in which both take turns."""
    rows = list(benchmark.measured(10_000, 1_000_000, 9, tmp_path))
    for name, small, large, times in rows:
        print(
            f"{name}: {small:.3f} ms in the small file, {large:.3f} in the large one, {times:.2f} times (bar 1.5)"
        )
    asked = ("open", "fire", "tick", *benchmark.FINDS)
    assert {name: times for name, _, _, times in rows if name in asked and times > 1.5} == {}
