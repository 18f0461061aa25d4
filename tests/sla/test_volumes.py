"""Volumes beside their limits, and attainment within and beyond them (ISO/IEC 20000-1, 8.3.3)."""

import datetime as dt
import random
import weakref

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time import BusinessCalendar
from itsm_core.errors import InvalidValue
from itsm_core.sla import Agreement, Target, WorkloadLimit, agenda, attainment, evaluate_all, workload

AT = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
AROUND = BusinessCalendar.always("UTC")
FIX = Target("fix", "resolution", duration="4h", calendar=AROUND)


def agreement(*limits, id="a", **rest):
    return Agreement(id, 1, targets=[FIX], workload=limits, **rest)


def record(history, day, hours=1, **fields):
    """Opened at noon of a day in 2026, closed so many hours later."""
    opened = dt.datetime(2026, *day, 12, tzinfo=dt.UTC)
    h = history().opened(opened, **fields).resolved(opened + dt.timedelta(hours=hours))
    return h.closed(opened + dt.timedelta(hours=hours + 1)).events


MONTHLY = WorkloadLimit("monthly", 2, per="month")
WEEKLY = WorkloadLimit("weekly", 1, per="week", services="mail")


def test_each_period_is_told_beside_its_limit(history):
    """Three records in March are one beyond a limit of two; a volume equal to the limit is within."""
    days = [(3, 2), (3, 3), (3, 31), (4, 1), (4, 2)]
    found = workload(evaluate_all([record(history, day) for day in days], agreement(MONTHLY), AT))
    assert [(row.id, row.period, row.volume, row.limit, row.beyond, row.exceeded) for row in found.rows] == [
        ("monthly", "2026-03", 3, 2, 1, True), ("monthly", "2026-04", 2, 2, 0, False),
    ]  # fmt: skip
    assert found.exceeded == found.rows[:1]
    assert (found.records, found.unlimited) == (5, {})


def test_a_record_counts_towards_each_limit_that_names_it(history):
    """The second record of the week is about mail as the first one is; the third is not."""
    histories = [record(history, (3, 2), service="mail"), record(history, (3, 3), service="mail"),
                 record(history, (3, 4), service="web")]  # fmt: skip
    found = workload(evaluate_all(histories, agreement(WEEKLY, MONTHLY), AT))
    assert [(row.id, row.per, row.volume) for row in found.rows] == [
        ("monthly", "month", 3), ("weekly", "week", 2),
    ]  # fmt: skip


def test_what_counts_towards_no_limit_is_told_apart(history):
    """Covered without a limit; not covered and unreadable ones are in no row."""
    histories = [record(history, (3, 2), service="web"), record(history, (3, 2), service="mail"), [],
                 record(history, (3, 2), customer="other")]  # fmt: skip
    mail = agreement(WEEKLY, customers={"us"})
    held = [mail, Agreement("b", 1, targets=[FIX], services={"web", "mail"})]
    found = workload(evaluate_all(histories, held, AT))
    assert (found.records, found.unlimited, found.rows) == (4, {"b@1": 2}, ())


def test_a_record_that_cannot_be_measured_is_work_all_the_same(history):
    """What lies beyond the years that a calendar counts came in like any other."""
    far = dt.datetime(9990, 1, 1, 9, tzinfo=dt.UTC)
    late = history().opened(far).resolved(far)
    (one,) = evaluate_all([late.events], agreement(MONTHLY), far + dt.timedelta(days=9))
    assert one.problem is not None, "calendars count further than they did: find another example"
    assert [(row.period, row.volume) for row in workload([one]).rows] == [("9990-01", 1)]


def test_work_belongs_to_the_version_it_came_in_under(history):
    """A later version that took the record over had not begun when it was opened."""
    march = {"valid_to": dt.date(2026, 3, 1)}, {"valid_from": dt.date(2026, 3, 1)}
    first = Agreement("a", 1, targets=[FIX], workload=[MONTHLY], **march[0])
    second = Agreement(
        "a", 2, targets=[FIX], workload=[MONTHLY], on_policy_change="reassess_open", **march[1]
    )
    (one,) = evaluate_all([history().opened("2026-02-02 09:00").events], [first, second], AT)
    assert one.agreement == "a@2"
    assert [(row.agreement, row.period) for row in workload([one]).rows] == [("a@1", "2026-02")]


def test_the_table_flags_what_went_beyond(history):
    """By how many; a dash where it did not."""
    days = [(3, 2), (3, 3), (3, 31), (4, 1)]
    histories = [record(history, day) for day in days]
    found = workload(evaluate_all([*histories, []], agreement(MONTHLY), AT))
    assert str(found).splitlines() == [
        "5 records",
        "agreement  limit    period   volume  at most  beyond",
        "a@1        monthly  2026-03       3        2       1",
        "a@1        monthly  2026-04       1        2       -",
    ]
    assert found._repr_html_().startswith("<p>5 records</p><table>")
    alone = workload(evaluate_all(histories[:1], agreement(), AT))
    assert str(alone) == "1 record; 1 by a@1 under no limit"


def test_a_workload_gives_plain_values(history):
    """As JSON has them."""
    found = workload(evaluate_all([record(history, (3, 2))], agreement(WEEKLY, MONTHLY), AT))
    assert found.to_dict() == {
        "records": 1, "unlimited": {},
        "rows": [{"agreement": "a@1", "id": "monthly", "per": "month", "period": "2026-03", "volume": 1,
                  "limit": 2, "beyond": 0, "exceeded": False}],
    }  # fmt: skip


@pytest.mark.parametrize("report", [workload, attainment, agenda])
def test_only_judged_records_are_reported_on(history, report):
    """Histories are judged first; one record alone is no list, nor is one clock."""
    with pytest.raises(InvalidValue, match=r"^judged .*: is no Judged; give what evaluate_all"):
        report([[]])
    one = next(evaluate_all([record(history, (3, 1))], agreement(), AT))
    for alone in (one, one.clocks["resolution"], 5):
        with pytest.raises(InvalidValue, match=r"^judged .*: is no list of Judged; give what evaluate_all"):
            report(alone)
    assert workload([]).rows == ()


# --- attainment ---------------------------------------------------------------------------------


def test_targets_are_told_within_and_beyond(history):
    """March went beyond, April did not; no verdict changes, and the sums are those without a limit."""
    march = [record(history, (3, day), hours=3 * day) for day in (1, 2, 3)]  # one met, two breached
    histories = [*march, record(history, (4, 1))]
    found = attainment(evaluate_all(histories, agreement(MONTHLY), AT), by="workload")
    assert [(row.key, row.met, row.breached) for row in found.rows] == [("beyond", 1, 2), ("within", 1, 0)]
    whole = attainment(evaluate_all(histories, agreement(MONTHLY), AT)).row("resolution")
    assert (whole.met, whole.breached) == (2, 2)
    assert "resolution  beyond" in str(found)


def test_one_limit_that_is_broken_is_enough(history):
    """The week is over its limit for mail, the month is not over its own."""
    wide = WorkloadLimit("wide", 99, per="month")
    histories = [record(history, (3, 2), service="mail"), record(history, (3, 3), service="mail"),
                 record(history, (3, 4), service="web")]  # fmt: skip
    found = attainment(evaluate_all(histories, agreement(WEEKLY, wide), AT), by="workload")
    assert [(row.key, row.total) for row in found.rows] == [("beyond", 2), ("within", 1)]


def test_records_without_a_limit_have_a_key_of_their_own(history):
    """They are neither within nor beyond."""
    histories = [record(history, (3, 2), service="web"), record(history, (3, 2), service="mail")]
    found = attainment(evaluate_all(histories, agreement(WEEKLY), AT), by="workload")
    assert [(row.key, row.met) for row in found.rows] == [("no limit", 1), ("within", 1)]


def test_what_is_excluded_and_what_is_void_stays_so(history):
    """Rows that become one keep their reasons; an excluded record is work all the same."""
    cancelled = history().opened("2026-03-05 09:00").closed("2026-03-05 10:00", outcome="cancelled").events
    # a record of another week has another set of loads, and the same name in the end
    histories = [cancelled, record(history, (3, 10), service="mail"), record(history, (3, 11), hours=9)]
    limits = (MONTHLY, WorkloadLimit("weekly", 9, per="week"))
    found = attainment(
        evaluate_all(histories, agreement(*limits), AT), by="workload",
        exclude=lambda one, _: "test" if one.record.service == "mail" else None,
    )  # fmt: skip
    (row,) = found.rows
    assert (row.key, row.voided, row.excluded) == ("beyond", {"cancelled": 1}, {"test": {"met": 1}})
    assert (row.void, row.breached, row.total) == (1, 1, 3)


def test_an_agreement_that_was_not_agreed_is_told_as_such(history):
    """Without agreed_with and agreed_on the report says so (8.3.3)."""
    on = {"agreed_on": dt.date(2026, 1, 1)}
    for more, told in (
        ({}, True),
        (on, True),
        ({"agreed_with": "us"}, True),
        ({"agreed_with": "us", **on}, False),
    ):
        found = attainment(evaluate_all([record(history, (3, 2))], agreement(**more), AT))
        assert found.not_agreed == (("a@1",) if told else ())
        assert found.to_dict()["not_agreed"] == list(found.not_agreed)
        assert str(found).splitlines()[0] == f"1 record: 1 by a@1{' (not agreed)' if told else ''}"


@pytest.mark.law
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from(["mail", "web"])), max_size=8),
       st.randoms())  # fmt: skip
def test_the_order_of_records_is_irrelevant(history, rows, lot: random.Random):
    """Volumes are sums, and what is beyond is decided when all are known."""
    limits = agreement(MONTHLY, WEEKLY)
    judged = [*evaluate_all([record(history, (3, day), hours, service=service) for day, hours, service in rows],
                            limits, AT)]  # fmt: skip
    mixed = [*judged]
    lot.shuffle(mixed)
    assert workload(mixed) == workload(judged)
    assert attainment(mixed, by="workload") == attainment(judged, by="workload")
    beyond = attainment(judged, by="workload").row("resolution", "beyond").total
    assert (beyond > 0) == any(row.exceeded for row in workload(judged).rows)


def test_no_record_is_kept(history):
    """What is kept is a sum for each period; so memory does not grow with the number of records."""
    histories = [record(history, (3, 2), service="mail")]
    (one,) = evaluate_all(histories, agreement(MONTHLY, WEEKLY), AT)
    alive = []

    def stream():
        for _ in range(50):
            assert sum(held() is not None for held in alive) <= 1
            another = attrs.evolve(one)
            alive.append(weakref.ref(another))
            yield another

    assert [row.volume for row in workload(stream()).rows] == [50, 50]
    alive.clear()
    assert attainment(stream(), by="workload").row("resolution", "beyond").total == 50
