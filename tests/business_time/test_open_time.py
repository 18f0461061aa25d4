"""What every measure of open time shares: which argument was wrong is told by its name."""

import datetime as dt
import sys

import pytest

from itsm_core.business_time import BusinessCalendar, hours
from itsm_core.errors import NaiveDatetime

DESK = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/London")
AWARE = dt.datetime(2024, 12, 20, 10, tzinfo=dt.UTC)
NAIVE = dt.datetime(2024, 12, 20, 10)


@pytest.mark.parametrize(
    ("argument", "method", "arguments"),
    [
        ("start", "elapsed", (NAIVE, AWARE)),
        ("end", "elapsed", (AWARE, NAIVE)),
        ("start", "add", (NAIVE, hours(1))),
        ("end", "subtract", (NAIVE, hours(1))),
        ("start", "periods", (NAIVE, AWARE)),
        ("end", "periods", (AWARE, NAIVE)),
        ("start", "closures", (NAIVE, AWARE)),
        ("end", "closures", (AWARE, NAIVE)),
        ("start", "explain", (NAIVE, hours(1))),
        ("at", "is_open", (NAIVE,)),
    ],
)
def test_a_naive_instant_is_told_by_the_name_of_its_argument(argument, method, arguments):
    """Of two instants the reader knows which to mend."""
    with pytest.raises(NaiveDatetime, match=f"^{argument} '2024-12-20T10:00:00'"):
        getattr(DESK, method)(*arguments)


def test_arrays_are_asked_through_the_calendar():
    """The answers of the single calls, and the kind that went in."""
    np = pytest.importorskip("numpy")
    desk = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")
    starts = np.array(["2026-03-06T16:30", "2026-03-09T10:00"], dtype="datetime64[us]")
    found = desk.elapsed_many(starts, starts[1])
    assert found.tolist() == [dt.timedelta(hours=1, minutes=30), dt.timedelta(0)]
    assert desk.add_many(starts, hours(1)).tolist() == [
        dt.datetime(2026, 3, 9, 9, 30),
        dt.datetime(2026, 3, 9, 11),
    ]


def test_without_numpy_it_says_what_to_install(monkeypatch):
    """As every extra does."""
    monkeypatch.delattr("itsm_core.business_time.arrays", raising=False)
    monkeypatch.setitem(sys.modules, "itsm_core.business_time.arrays", None)
    desk = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")
    for ask in (lambda: desk.elapsed_many([0], [1]), lambda: desk.add_many([0], [1])):
        with pytest.raises(ImportError, match=r"pip install 'itsm-core\[arrays\]'"):
            ask()
