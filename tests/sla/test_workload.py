"""Workload limits: which records count, in which period, and what is refused."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.errors import InvalidValue
from itsm_core.priority import Priority
from itsm_core.records import fold
from itsm_core.sla import Agreement, Target, WorkloadLimit, trace
from itsm_core.sla.agreements.workload import PERIODS, begins, period_of


def record(history, at="2026-03-02 09:00", **fields):
    return fold(history().opened(at, **fields).events)


@pytest.mark.parametrize(
    ("per", "day", "name"),
    [
        ("day", (2026, 3, 2), "2026-03-02"),
        ("week", (2026, 3, 2), "2026-W10"),
        ("week", (2027, 1, 3), "2026-W53"),  # ISO 8601: a Sunday of the year before
        ("week", (2018, 12, 31), "2019-W01"),
        ("month", (2026, 3, 31), "2026-03"),
        ("quarter", (2026, 3, 31), "2026-Q1"),
        ("quarter", (2026, 4, 1), "2026-Q2"),
        ("quarter", (2026, 12, 31), "2026-Q4"),
        ("year", (2026, 12, 31), "2026"),
        ("year", (99, 1, 1), "0099"),
    ],
)
def test_a_day_is_in_one_period_of_each_length(per, day, name):
    """Weeks are those of ISO 8601, which begin on Monday."""
    assert period_of(per, dt.date(*day)) == name


@pytest.mark.parametrize(
    ("per", "first"),
    [("day", (2026, 3, 3)), ("week", (2026, 3, 2)), ("month", (2026, 3, 1)), ("quarter", (2026, 4, 1)),
     ("year", (2026, 1, 1)), ("week", (1, 1, 1))],
)  # fmt: skip
def test_a_period_begins_on_its_first_day(per, first):
    """And on no other."""
    day = dt.date(*first)
    assert begins(per, day)
    assert begins(per, day + dt.timedelta(days=1)) is (per == "day")


@pytest.mark.law
@given(st.sampled_from(PERIODS), st.dates(), st.dates())
def test_the_names_of_periods_are_in_the_order_of_their_days(per, a, b):
    """So that rows sorted by name are sorted by time, and no two periods share a name."""
    first, last = sorted((a, b))
    assert period_of(per, first) <= period_of(per, last)


def test_what_is_no_limit_is_refused_by_name():
    """No id, no number from 1 on, no period, a limit of nothing known."""
    for wrong, message in (
        ({"id": ""}, "^workload '': has no id"), ({"limit": 0}, "^limit 0: is no number of records"),
        ({"limit": True}, "^limit True"), ({"limit": "4"}, "^limit '4'"), ({"limit": 2.5}, "^limit 2.5"), ({"limit": 2**53}, "^limit 9007199254740992: is no number"),
        ({"per": "fortnight"}, "^per 'fortnight': is unknown; use one of day, week"), ({"per": None}, "^per None"),
        ({"processes": 5}, "^workload 5: is no word"), ({"priorities": "P9"}, "P9"),
    ):  # fmt: skip
        with pytest.raises(InvalidValue, match=message):
            WorkloadLimit(**{"id": "m", "limit": 4, "per": "month", **wrong})


def test_a_limit_says_itself():
    """Its id, how many, and how often."""
    assert str(WorkloadLimit("monthly", 1_000, per="month")) == "monthly (1,000 per month)"


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ({}, True),
        ({"processes": "incident"}, True),
        ({"processes": {"change", "problem"}}, False),
        ({"services": ["mail", "web"]}, True),
        ({"services": "web"}, False),
        ({"priorities": "P3"}, True),
        ({"priorities": [1, 2]}, False),
        ({"processes": "incident", "services": "web"}, False),
    ],
)
def test_a_limit_counts_the_records_it_names(history, said, counts):
    """Empty counts all."""
    limit = WorkloadLimit("m", 4, per="month", **said)
    assert limit.covers(record(history, service="mail"), Priority.P3) is counts


def test_the_priority_of_the_opening_counts(history, office):
    """A record that is raised later is no more work than it was when it came in."""
    h = history().opened("2026-03-02 09:00").add("reprioritised", "2026-03-02 10:00", priority="P1")
    limits = [WorkloadLimit(p, 4, per="month", priorities=p) for p in ("P1", "P3")]
    target = Target("fix", "resolution", duration="4h", calendar=office)
    agreement = Agreement("a", 1, targets=[target], workload=limits)
    assert [load.limit.id for load in agreement.loads(fold(h.events), trace(h.events))] == ["P3"]


def test_the_period_is_that_of_the_zone_of_the_agreement(history, office):
    """23:30 UTC on 31 March is 1 April in Berlin."""
    h = history().opened("2026-03-31 23:30")
    target = Target("fix", "resolution", duration="4h", calendar=office)
    limits = [WorkloadLimit("m", 4, per="month"), WorkloadLimit("d", 1, per="day")]
    agreement = Agreement("a", 1, targets=[target], workload=limits)
    held, timeline = fold(h.events), trace(h.events)
    assert [(load.agreement, load.period) for load in agreement.loads(held, timeline)] == [
        ("a@1", "2026-04"), ("a@1", "2026-04-01"),
    ]  # fmt: skip
    assert Agreement("a", 1, targets=[target]).loads(held, timeline) == ()
