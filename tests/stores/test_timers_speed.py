"""How fast due timers are found among a million: the bar of the design, in the same run as its own floor."""

import datetime as dt
import statistics
import time
from contextlib import closing

import pytest

from itsm_core.business_time.instants import micros
from itsm_core.stores import statements
from itsm_core.stores.sqlite import SqliteStore

MANY, DUE = 1_000_000, 1_000
NOW = dt.datetime(2024, 5, 6, 10, tzinfo=dt.UTC)
FILL = """
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :many - 1)
    INSERT INTO itsm_timers (id, record, kind, due, ready)
    SELECT hex(randomblob(8)) || i, 'INC-' || i, 'escalation/line',
           :now + (i - :due + 1) * 60000000, :now + (i - :due + 1) * 60000000 FROM n
"""

pytestmark = pytest.mark.usefixtures("untraced")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A million timers of a million records, a minute apart; a thousand of them are due."""
    with closing(SqliteStore(tmp_path_factory.mktemp("timers") / "desk.db")) as store:
        connection = store._link._connection
        connection.execute(FILL, {"many": MANY, "due": DUE, "now": micros(NOW)})
        yield store


def test_a_thousand_due_of_a_million_timers_are_found_in_two_milliseconds(store):
    """By the very statement of a claim, rows fetched: SQLite reads them from one index, in order."""
    connection, times = store._link._connection, []
    asked = ("escalation/line", micros(NOW), DUE + 1)
    plan = connection.execute(f"EXPLAIN QUERY PLAN {statements._DUE_TIMERS}", asked).fetchall()
    assert ["COVERING INDEX itsm_timers_ready" in row[3] for row in plan] == [True]
    for _ in range(9):
        start = time.perf_counter()
        rows = connection.execute(statements._DUE_TIMERS, asked).fetchall()
        times.append((time.perf_counter() - start) * 1000)
    assert len(rows) == DUE
    print(f"a thousand due of a million timers: {statistics.median(times):.2f} ms (bar 2)")
    assert statistics.median(times) <= 2


def test_when_the_next_of_a_million_timers_falls_due_is_one_step_of_an_index(store):
    """What a loop asks before it sleeps costs no more with a million timers than a look at one row."""
    connection, times = store._link._connection, []
    for _ in range(99):
        start = time.perf_counter()
        assert store.next_due("escalation/line") == NOW - dt.timedelta(minutes=DUE - 1)
        times.append(time.perf_counter() - start)
    one = []
    for _ in range(99):
        start = time.perf_counter()
        connection.execute("SELECT version FROM itsm_schema").fetchall()
        one.append(time.perf_counter() - start)
    assert statistics.median(times) <= 20 * statistics.median(one)


def test_a_thousand_are_claimed_once(store):
    """And held: who asks again finds none of them."""
    claims = store.claim("escalation/line", NOW, DUE + 1, dt.timedelta(minutes=1), "w1")
    assert len({claim.item.id for claim in claims}) == DUE
    assert store.claim("escalation/line", NOW, 1, dt.timedelta(minutes=1), "w2") == ()
