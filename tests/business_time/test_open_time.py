"""What every measure of open time shares: which argument was wrong is told by its name."""

import datetime as dt

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
