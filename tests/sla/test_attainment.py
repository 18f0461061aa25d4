"""Attainment: every clock is counted once, a breach stays a breach, and nothing is never 100 %."""

import datetime as dt
import json
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time import BusinessCalendar
from itsm_core.errors import InvalidValue
from itsm_core.sla import (
    AgreedException,
    Agreement,
    AttainmentRow,
    Condition,
    Judged,
    Measure,
    Target,
    attainment,
    evaluate_all,
)
from itsm_core.sla.many.attainment import COUNTED, Tally

UTC = dt.UTC
AT = dt.datetime(2026, 3, 2, 12, tzinfo=UTC)
AROUND = BusinessCalendar.always("UTC")


@pytest.fixture(scope="module")
def agreement():
    """Two hours to resolve; one for P1; half an hour to answer."""
    return Agreement("standard", 1, targets=[
        Target("answer", "response", duration="30m", calendar=AROUND),
        Target("p1-fix", "resolution", duration="1h", calendar=AROUND, priorities={"P1"}),
        Target("fix", "resolution", duration="2h", calendar=AROUND),
    ])  # fmt: skip


@pytest.fixture(scope="module")
def only_fix():
    """Two hours to resolve and nothing else."""
    return Agreement("fix", 1, targets=[Target("fix", "resolution", duration="2h", calendar=AROUND)])


def a_record(history, kind, number=1, **fields):
    """A record opened at nine on 2 March 2026 that came to something by noon; two hours were promised."""
    begun = history().opened("2026-03-02 09:00", **fields)
    made = {
        "met": lambda: begun.resolved("2026-03-02 10:00"),
        "settled": lambda: begun.resolved("2026-03-02 10:00").closed("2026-03-02 10:30"),
        "late": lambda: begun.resolved("2026-03-02 11:30"),
        "overdue": lambda: begun,
        "void": lambda: begun.closed("2026-03-02 10:00", "cancelled"),
        "void late": lambda: begun.closed("2026-03-02 11:30", "duplicate"),
    }[kind]()  # fmt: skip
    return (f"INC-{number}", made.events)


def counted(history, agreement, kinds, *, at=AT, **rest):
    """The attainment of records of these kinds."""
    histories = [a_record(history, kind, n) for n, kind in enumerate(kinds)]
    return attainment(evaluate_all(histories, agreement, at), **rest)


# --- the counts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "counts"),
    [
        ("met", {"met": 1, "provisional": 1}),
        ("settled", {"met": 1}),
        ("late", {"breached": 1, "provisional": 1}),
        ("overdue", {"breached": 1, "overdue": 1}),
        ("void", {"void": 1}),
        ("void late", {"void_after_breach": 1}),
    ],
)
def test_a_clock_is_counted_for_what_it_came_to(history, only_fix, kind, counts):
    """Met or not, provisional until closed, overdue while open, void, or void after its breach."""
    row = counted(history, only_fix, [kind]).row("resolution")
    names = (*COUNTED, "overdue", "provisional")
    assert {name: getattr(row, name) for name in names if getattr(row, name)} == counts
    assert row.total == 1


def test_a_breach_that_was_voided_counts_with_the_breaches(history, only_fix):
    """One met, one breached, one void after its breach: a third."""
    row = counted(history, only_fix, ["met", "late", "void late", "void"]).row("resolution")
    assert (row.judged, row.breaches, row.share) == (3, 2, Fraction(1, 3))
    assert row.voided == {"cancelled": 1, "duplicate": 1}


def test_what_runs_in_time_is_no_success(history, only_fix):
    """It is counted as running, and the share of nothing judged is None, never 100 %."""
    ten = dt.datetime(2026, 3, 2, 10, tzinfo=UTC)
    row = counted(history, only_fix, ["overdue"], at=ten).row("resolution")
    assert (row.running, row.judged, row.share, row.interval) == (1, 0, None, None)


def test_what_was_not_opened_yet_has_not_started(history, only_fix):
    """Asked about the day before, nothing runs."""
    row = counted(history, only_fix, ["met"], at=dt.datetime(2026, 3, 1, tzinfo=UTC)).row("resolution")
    assert (row.not_started, row.running, row.share) == (1, 0, None)


def test_unknown_is_apart_and_never_met(history, agreement):
    """A history without messages says nothing of its answers, though it was resolved in time."""
    found = attainment(evaluate_all([a_record(history, "met", messages="none")], agreement, AT))
    row = found.row("response")
    assert (row.unknown, row.met, row.judged, row.share, row.total) == (1, 0, 0, None, 1)
    assert found.row("resolution").met == 1


def test_nineteen_of_twenty_is_95_percent_and_may_be_76(history, only_fix):
    """The example of the contract of metrics: between 76 and 99 %."""
    row = counted(history, only_fix, ["met"] * 19 + ["late"]).row("resolution")
    assert row.share == Fraction(19, 20)
    assert [round(bound * 100) for bound in row.interval] == [76, 99]


def test_every_cycle_of_a_clock_counts(history):
    """A breach before the reopening is not hidden by the quick end after it."""
    fix = Target("fix", "resolution", duration="2h", calendar=AROUND, reopen="new_cycle")
    told = history().opened("2026-03-02 00:00").resolved("2026-03-02 05:00").resumed("2026-03-02 06:00")
    found = attainment(
        evaluate_all([told.resolved("2026-03-02 07:00").events], Agreement("a", 1, targets=[fix]), AT)
    )
    row = found.row("resolution")
    assert (row.breached, row.met, row.share) == (1, 1, Fraction(1, 2))
    assert found.records == 1


# --- what is in no row --------------------------------------------------------------------------


def test_records_without_a_clock_are_counted_by_why(history, agreement):
    """Not covered, nothing promised, and each problem by its code."""
    p2 = Agreement("p2", 1, customers={"acme"}, targets=[
        Target("p2", "resolution", duration="2h", calendar=AROUND, priorities={"P2"}),
    ])  # fmt: skip
    histories = [
        a_record(history, "met", 1, customer="acme"),
        a_record(history, "met", 2, customer="acme", priority="P2"),
        a_record(history, "met", 3, customer="bolt"),
        [], [], None,
    ]  # fmt: skip
    found = attainment(evaluate_all(histories, p2, AT))
    assert (found.records, found.not_covered, found.without_target) == (6, 1, 1)
    assert found.problems == {"no_opening": 2, "unreadable": 1}
    assert found.agreements == {"p2@1": 2}
    assert [row.total for row in found.rows] == [1]


def test_nothing_at_all_has_no_rows_and_no_share():
    """An empty batch is not a perfect one."""
    found = attainment([])
    assert (found.records, found.rows, found.row("resolution").share) == (0, (), None)
    assert str(found) == "0 records"
    assert found._repr_html_() == "<p>0 records</p>"


# --- keys ---------------------------------------------------------------------------------------


def by_keys(history, agreement, by, **rest):
    """Names of the rows of two records, P1 and P3."""
    histories = [
        a_record(history, "met", 1, priority="P1", service="mail", customer="acme"),
        a_record(history, "met", 2, priority="P3", service="mail"),
    ]
    found = attainment(evaluate_all(histories, agreement, AT), by=by, **rest)
    return [(row.metric, row.key, row.total) for row in found.rows]


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("metric", [(None, 2)]),
        ("target", [("fix", 1), ("p1-fix", 1)]),
        ("priority", [("P1", 1), ("P3", 1)]),
        ("service", [("mail", 2)]),
        ("customer", [("acme", 1), (None, 1)]),
        ("group", [(None, 2)]),
        ("agreement", [("standard@1", 2)]),
        ("process", [("incident", 2)]),
    ],
)
def test_rows_are_by_metric_and_a_field(history, agreement, by, keys):
    """Response before resolution, keys in order, none last."""
    found = by_keys(history, agreement, by)
    assert [(key, n) for metric, key, n in found if metric == "resolution"] == keys
    assert [metric for metric, *_ in found] == sorted((m for m, *_ in found), reverse=True)


def test_a_key_may_be_a_function_of_record_and_clock(history, agreement):
    """Whatever it gives is written as text; None stays none."""

    def opened_hour(one, clock):
        return one.record.opened_at.hour if clock.target.metric == "resolution" else None

    assert by_keys(history, agreement, opened_hour) == [("response", None, 2), ("resolution", "9", 2)]
    found = counted(history, agreement, ["met"], by=opened_hour)
    assert (found.by, found.row("resolution", "9").met) == ("opened_hour", 1)
    assert counted(history, agreement, ["met"], by=lambda *_: 1).by == "key"


def test_metrics_of_ones_own_come_after_those_known(history):
    """By their names."""
    waits = Measure(start=Condition(phases={"new"}), while_started=True)
    targets = [
        Target("z", "zeal", duration="1h", calendar=AROUND, measure=waits),
        Target("a", "agility", duration="1h", calendar=AROUND, measure=waits),
        Target("fix", "resolution", duration="2h", calendar=AROUND),
    ]
    found = counted(history, Agreement("own", 1, targets=targets), ["met"])
    assert [row.metric for row in found.rows] == ["resolution", "agility", "zeal"]


@pytest.mark.parametrize("wrong", ["owner", "title", "", None, 7, ["priority"]])
def test_what_is_no_key_is_refused_with_the_choices(wrong):
    """Personal fields are none of them; a function of one's own may read what it may."""
    with pytest.raises(InvalidValue, match="priority"):
        attainment([], by=wrong)


def test_what_was_not_judged_first_is_refused(history):
    """A list of histories is what `evaluate_all` takes."""
    with pytest.raises(InvalidValue, match="evaluate_all"):
        attainment([a_record(history, "met")])


def test_another_confidence_is_refused_before_anything_is_read():
    """Not after hours of reading."""
    with pytest.raises(InvalidValue, match="confidence"):
        Tally(confidence=80)


# --- exclusions ---------------------------------------------------------------------------------


def test_exclusions_are_named_and_counted_and_the_raw_share_stays(history, only_fix):
    """Three tests left out, one of them met: two of two adjusted, three of five raw."""

    def of_a_test(one, clock):
        return "test record" if one.id in ("INC-2", "INC-3", "INC-4") else None

    row = counted(history, only_fix, ["met", "met", "met", "late", "void late"], exclude=of_a_test).row(
        "resolution"
    )
    assert (row.share, row.raw_share, row.left_out, row.total) == (1, Fraction(3, 5), 3, 5)
    assert row.excluded == {"test record": {"breached": 1, "met": 1, "void_after_breach": 1}}


def test_excluding_everything_leaves_no_share(history, only_fix):
    """Nothing is left to be met."""
    row = counted(history, only_fix, ["late"], exclude=lambda *_: "all").row("resolution")
    assert (row.share, row.interval, row.raw_share, row.left_out) == (None, None, 0, 1)


@pytest.mark.parametrize("wrong", [True, 1, ["reason"], b"reason"])
def test_an_exclusion_without_a_reason_is_refused(history, only_fix, wrong):
    """A reason is a text; True says nothing."""
    with pytest.raises(InvalidValue, match="exclusion"):
        counted(history, only_fix, ["late"], exclude=lambda *_: wrong)


def test_an_exclusion_that_is_no_function_is_refused():
    """A list of ids, say."""
    with pytest.raises(InvalidValue, match="exclude"):
        attainment([], exclude=["INC-1"])


# --- how it is shown ----------------------------------------------------------------------------


def test_the_table_shows_counts_share_and_interval(history, only_fix):
    """2 of 3 met: the Wilson bounds are 20.8 and 93.9 % (0.2077, 0.9385), rounded outwards."""
    found = counted(history, only_fix, ["settled", "met", "late", "void"], by="target")
    assert str(found).splitlines() == [
        "4 records: 4 by fix@1 (not agreed)",
        "metric      target  met  breached  provisional  void   share     95 % interval",
        "resolution  fix       2         1            2     1  66.6 %  20.7 % to 93.9 %",
        "void: cancelled 1",
    ]


def test_the_table_shows_the_raw_share_beside_exclusions(history, only_fix):
    """And what was left out by reason."""
    found = counted(
        history, only_fix, ["settled", "late"], exclude=lambda one, _: "test" if one.id == "INC-1" else None
    )
    shown = str(found).splitlines()
    assert " ".join(shown[1].split()) == "metric met breached left out raw share share 95 % interval"
    assert shown[2].split()[:6] == ["resolution", "1", "0", "1", "50.0", "%"]
    assert shown[3] == "excluded: test 1"


def test_the_caption_names_what_is_in_no_row(history, only_fix):
    """A count for each reason."""
    histories = [a_record(history, "met"), []]
    covered = str(attainment(evaluate_all(histories, only_fix, AT)))
    assert covered.startswith("2 records: 1 by fix@1 (not agreed); 1 not judged (no_opening)\n")
    other = Agreement("acme", 1, customers={"acme"}, targets=only_fix.targets)
    assert str(attainment(evaluate_all([histories[0]], other, AT))) == "1 record; 1 not covered"
    p9 = Agreement(
        "p5", 1, targets=[Target("t", "resolution", duration="2h", calendar=AROUND, priorities={"P5"})]
    )
    assert (
        str(attainment(evaluate_all([histories[0]], p9, AT)))
        == "1 record: 1 by p5@1 (not agreed); 1 without a target"
    )


def test_a_row_without_a_share_shows_a_stroke(history, only_fix):
    """Not 0.0 %, and surely not 100.0 %."""
    shown = str(counted(history, only_fix, ["void"])).splitlines()[2]
    assert shown.split() == ["resolution", "0", "0", "1", "-", "-"]


def test_hostile_keys_do_nothing_on_a_page(history, only_fix):
    """A service named like markup is shown, not obeyed."""
    found = attainment(
        evaluate_all([a_record(history, "met", service="<script>\x1b[2J")], only_fix, AT), by="service"
    )
    assert "<script>" not in found._repr_html_()
    assert "&lt;script&gt;" in found._repr_html_()
    assert "\x1b" not in str(found)


def test_data_hold_no_floats_and_are_json(history, only_fix):
    """Shares are exact texts; nothing judged is null."""
    found = counted(
        history, only_fix, ["met"] * 2 + ["late"], exclude=lambda one, _: "t" if one.id == "INC-0" else None
    )
    plain = found.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    (row,) = plain["rows"]
    assert (row["share"], row["raw_share"], row["excluded"]) == ("1/2", "2/3", {"t": {"met": 1}})
    assert [Fraction(bound) for bound in row["interval"]] == list(found.rows[0].interval)
    empty = AttainmentRow(metric="resolution").to_dict()
    assert (empty["share"], empty["raw_share"], empty["interval"], empty["total"]) == (None, None, None, 0)
    assert "." not in json.dumps(plain)


# --- beside the raw counts ----------------------------------------------------------------------

NOON = BusinessCalendar.weekly("mon-sun 10:00-11:00", zone="UTC")


def excepted(history, kinds, *exceptions, said=(), **options):
    """The attainment of records of these kinds, under an agreement with exceptions."""
    target = Target("fix", "resolution", duration="2h", calendar=AROUND)
    agreed = Agreement(
        "fix", 1, targets=[target], exceptions=exceptions, agreed_with="x", agreed_on=AT.date()
    )
    histories = []
    for n, kind in enumerate(kinds):
        _, events = a_record(history, kind, n)
        h = history()
        h.events = events
        for fields in said:
            h.add("overrun_justified", "2026-03-02 11:45", metric="resolution", **fields)
        histories.append((f"INC-{n}", h.events))
    return attainment(evaluate_all(histories, agreed, AT), **options)


def test_exceptions_give_a_share_beside_the_raw_one(history):
    """From ten to eleven is excused: of three that were late two were not; the raw counts stay."""
    noon = AgreedException("noon", times=NOON)
    (row,) = excepted(history, ["met", "late", "late", "overdue", "void"], noon).rows
    assert (row.met, row.breached, row.void, row.share) == (1, 3, 1, Fraction(1, 4))
    assert dict(row.adjusted) == {"met": 3, "running": 1, "void": 1}
    assert (row.adjusted_share, dict(row.excepted)) == (Fraction(1), {"noon": 3})


def test_a_cycle_that_is_excused_as_a_whole_is_in_no_adjusted_share(history):
    """Neither met nor breached; where nothing is left there is no share, and never 100 %."""
    (row,) = excepted(history, ["met", "late"], AgreedException("all")).rows
    assert (dict(row.adjusted), row.share, row.adjusted_share) == ({"void": 2}, Fraction(1, 2), None)


def test_where_no_exception_applies_the_adjusted_share_is_the_share(history):
    """And nothing of it is shown."""
    found = excepted(history, ["met", "late"], AgreedException("web", when={"service": "web"}))
    (row,) = found.rows
    assert (row.adjusted, row.excepted, row.adjusted_share) == ({}, {}, row.share)
    assert "adjusted" not in str(found)
    assert "justified" not in str(found)
    assert AttainmentRow(metric="resolution").adjusted_share is None


def test_an_adjusted_share_never_counts_unknown_as_met(history):
    """One that was met by what is excused, one of which nothing is known: one of one."""
    target = Target("answer", "response", duration="1h", calendar=AROUND)
    agreed = Agreement("a", 1, targets=[target], exceptions=[AgreedException("noon", times=NOON)])
    known = history().opened("2026-03-02 09:00").said("2026-03-02 10:30")
    silent = history().opened("2026-03-02 09:00", messages="none")
    (row,) = attainment(evaluate_all([known.events, silent.events], agreed, AT)).rows
    assert (row.breached, row.unknown, row.adjusted_share) == (1, 1, Fraction(1))
    assert dict(row.adjusted) == {"met": 1, "unknown": 1}


def test_justified_breaches_are_listed_and_stay_breaches(history):
    """What was in time needs none; those that nobody confirmed are counted apart."""
    (row,) = excepted(history, ["met", "late", "overdue"], said=[{}]).rows
    assert (row.breached, row.justified, row.unconfirmed, row.share) == (2, 2, 2, Fraction(1, 3))
    (row,) = excepted(history, ["late"], said=[{}, {"confirmation": "m7"}]).rows
    assert (row.breached, row.justified, row.unconfirmed, row.share) == (1, 1, 0, Fraction(0))


def test_what_is_excluded_is_not_told_beside_the_counts_again(history):
    """It has a reason and a count of its own."""
    noon = AgreedException("noon", times=NOON)
    (row,) = excepted(history, ["late"], noon, said=[{}], exclude=lambda *_: "test").rows
    assert (row.excluded, row.justified, row.excepted) == ({"test": {"breached": 1}}, 0, {})


def test_the_table_tells_exceptions_by_name_and_count(history):
    """The raw share first, the adjusted one last."""
    found = excepted(history, ["met", "late"], AgreedException("noon", times=NOON), said=[{}])
    assert str(found).splitlines() == [
        "2 records: 2 by fix@1",
        "metric      met  breached  justified  unconfirmed  provisional   share    95 % interval  adjusted",
        "resolution    1         1          1            1            2  50.0 %  9.4 % to 90.6 %   100.0 %",
        "excepted: noon 1",
    ]
    (row,) = found.to_dict()["rows"]
    assert (row["share"], row["adjusted_share"]) == ("1/2", "1")
    assert (row["excepted"], row["adjusted"]) == ({"noon": 1}, {"met": 2})
    assert (row["justified"], row["unconfirmed"]) == (1, 1)


def test_rows_that_are_put_together_keep_what_stands_beside_them(history):
    """By workload rows are named at the end."""
    found = excepted(history, ["met", "late"], AgreedException("noon", times=NOON), said=[{}], by="workload")
    (row,) = found.rows
    assert (row.key, dict(row.excepted), row.justified, row.adjusted_share) == (
        "no limit", {"noon": 1}, 1, Fraction(1),
    )  # fmt: skip


# --- laws ---------------------------------------------------------------------------------------

KINDS = st.lists(st.sampled_from(["met", "settled", "late", "overdue", "void", "void late"]), max_size=15)


@given(KINDS, st.sets(st.integers(0, 14)))
def test_every_clock_is_counted_exactly_once(history, only_fix, kinds, left_out):
    """The counts and the excluded add up to all; what is judged is met or a breach; order is irrelevant."""

    def exclude(one, clock):
        return "left out" if int(one.id.removeprefix("INC-")) in left_out else None

    histories = [a_record(history, kind, n) for n, kind in enumerate(kinds)]
    found = attainment(evaluate_all(histories, only_fix, AT), exclude=exclude)
    row = found.row("resolution")
    assert row.total == len(kinds) == sum(getattr(row, name) for name in COUNTED) + row.left_out
    assert row.overdue <= row.breached
    assert row.provisional <= row.judged
    raw = Counter(kinds)
    good = raw["met"] + raw["settled"]
    judged = len(kinds) - raw["void"]
    assert row.raw_share == (Fraction(good, judged) if judged else None)
    assert attainment(evaluate_all(histories[::-1], only_fix, AT), exclude=exclude) == found


@given(KINDS, st.booleans())
def test_rows_of_a_key_add_up_to_the_row_of_the_metric(history, only_fix, kinds, odd):
    """Splitting loses nothing."""
    histories = [a_record(history, kind, n) for n, kind in enumerate(kinds)]
    whole = attainment(evaluate_all(histories, only_fix, AT)).row("resolution")
    parts = attainment(
        evaluate_all(histories, only_fix, AT), by=lambda one, _: (int(one.id[4:]) + odd) % 3 or None
    ).rows
    for name in (*COUNTED, "overdue", "provisional", "total", "judged"):
        assert sum(getattr(row, name) for row in parts) == getattr(whole, name)


def test_a_problem_beside_clocks_never_comes_about():
    """What was not judged brings no clocks, so no record is counted twice."""
    found = attainment([Judged("INC-1")])
    assert (found.records, found.not_covered) == (1, 1)
