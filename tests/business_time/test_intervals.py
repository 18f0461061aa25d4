"""Half-open intervals and the set operations that tables and algebra share."""

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time.intervals import Interval, difference, intersection, union
from itsm_core.errors import NaiveDatetime

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def points(spans):
    """The integers inside the spans: the meaning that the operations must keep."""
    return {at for start, end in spans for at in range(start, end)}


def test_an_interval_holds_its_start_and_not_its_end():
    """Half-open: neighbours share no instant."""
    interval = Interval(3, 5)
    assert [at in interval for at in (2, 3, 4, 5)] == [False, True, True, False]
    assert "3" not in interval
    assert interval.length == 2


def test_an_interval_that_ends_before_it_starts_is_empty():
    """A length is never negative."""
    assert Interval(5, 3).length == 0


def test_an_interval_of_datetimes_is_told_in_any_zone():
    """Noon to two in Berlin's summer is ten to twelve UTC, nineteen to twenty-one in Tokyo."""
    day, berlin, tokyo = dt.date(2024, 7, 1), ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")
    interval = Interval.of(*(dt.datetime.combine(day, dt.time(hour), berlin) for hour in (12, 14)))
    assert interval == (1_719_828_000_000_000, 1_719_835_200_000_000)
    assert [at.isoformat() for at in interval.datetimes()] == [
        "2024-07-01T10:00:00+00:00", "2024-07-01T12:00:00+00:00",
    ]  # fmt: skip
    assert [at.isoformat() for at in interval.datetimes(tokyo)] == [
        "2024-07-01T19:00:00+09:00", "2024-07-01T21:00:00+09:00",
    ]  # fmt: skip


def test_the_naive_end_of_an_interval_is_named():
    """Which of the two has no zone is told."""
    aware, naive = dt.datetime(2024, 7, 1, tzinfo=dt.UTC), dt.datetime(2024, 7, 1)
    for name, ends in (("start", (naive, aware)), ("end", (aware, naive))):
        with pytest.raises(NaiveDatetime, match=f"^{name} "):
            Interval.of(*ends)


@pytest.mark.parametrize(
    ("other", "common"),
    [((4, 9), (4, 5)), ((0, 4), (3, 4)), ((5, 9), None), ((0, 3), None), ((3, 5), (3, 5))],
)
def test_and_is_the_common_part(other, common):
    """`&` gives the instants in both, or None where they only touch."""
    assert Interval(3, 5) & Interval(*other) == common


@given(SPANS)
def test_union_is_sorted_disjoint_and_keeps_every_instant(spans):
    """Overlapping and touching spans become one."""
    united = union(spans)
    assert points(united) == points(spans)
    assert all(a[1] < b[0] for a, b in pairwise(united))
    assert all(start < end for start, end in united)


@given(SPANS, SPANS)
def test_intersection_and_difference_are_those_of_sets(left, right):
    """Both operations agree with sets of integers and give normal lists again."""
    left, right = union(left), union(right)
    both, rest = intersection(left, right), difference(left, right)
    assert points(both) == points(left) & points(right)
    assert points(rest) == points(left) - points(right)
    assert union(both) == both
    assert union(rest) == rest
