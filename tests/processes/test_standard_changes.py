"""Standard changes: a template holds for a time, within its limits, until it goes wrong too often."""

import datetime as dt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changing import BOT, CLASSIFIED, DAY, HOUR, START, TEMPLATE, TICK, TOLD, WINDOW, T, ask, opened, standard
from itsm_core.business_time import business_days
from itsm_core.errors import InvalidValue, NaiveDatetime
from itsm_core.processes import CHANGE, ChangePolicy, ChangeTemplate, governed, suspension
from itsm_core.processes.change_kinds import OUTCOMES, UNSUCCESSFUL
from itsm_core.processes.standard_changes import AMONG, FAILURES

UTC = dt.UTC
GOOD, BAD = "successful", "failed"


def template(**more):
    """A template that holds for a month."""
    return ChangeTemplate("reboot", 2, **{"valid_from": T, "valid_until": T + 30 * DAY, **more})


def run(outcomes):
    """Outcomes an hour apart."""
    return [(T + n * HOUR, outcome) for n, outcome in enumerate(outcomes)]


# --- the value -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "sound"),
    [
        (dt.datetime(2024, 2, 5, tzinfo=UTC), dt.datetime(2025, 2, 5, tzinfo=UTC), True),
        (dt.datetime(2024, 2, 5, tzinfo=UTC), dt.datetime(2025, 2, 5, 0, 0, 0, 1, tzinfo=UTC), False),
        (dt.datetime(2024, 2, 29, tzinfo=UTC), dt.datetime(2025, 3, 1, tzinfo=UTC), True),  # a leap day
        (dt.datetime(2024, 2, 29, tzinfo=UTC), dt.datetime(2025, 3, 1, 0, 0, 1, tzinfo=UTC), False),
        (dt.datetime(2024, 2, 5, tzinfo=UTC), dt.datetime(2024, 2, 5, tzinfo=UTC), False),
        (dt.datetime(2024, 2, 5, tzinfo=UTC), dt.datetime(2024, 2, 4, tzinfo=UTC), False),
        (dt.datetime(9999, 1, 1, tzinfo=UTC), dt.datetime(9999, 12, 1, tzinfo=UTC), True),  # the last year
    ],
)
def test_a_template_holds_for_a_year_at_most(start, end, sound):
    """iso-20000.md 5.5: valid 12 months at most, to the microsecond."""
    if sound:
        assert template(valid_from=start, valid_until=end).valid_until == end
    else:
        with pytest.raises(InvalidValue, match="is no span of up to a year"):
            template(valid_from=start, valid_until=end)


@pytest.mark.parametrize(
    ("name", "version"), [("", 1), (None, 1), ("reboot", 0), ("reboot", "1"), ("reboot", True)]
)
def test_a_template_has_an_id_and_a_version(name, version):
    """CHG-20: the record names both."""
    with pytest.raises(InvalidValue):
        ChangeTemplate(name, version, valid_from=T, valid_until=T + DAY)


def test_its_instants_are_aware():
    """DESIGN 2: a naive one is refused."""
    with pytest.raises(NaiveDatetime):
        template(valid_until=dt.datetime(2024, 3, 1))
    with pytest.raises(NaiveDatetime):
        template(suspended_at=dt.datetime(2024, 3, 1))


# --- the guard -------------------------------------------------------------------------------------


def implementing(one, *, at=START, lifecycle=None, **held):
    """What implementing a standard change under a template comes to: its codes and words."""
    ours = lifecycle or governed(CHANGE, ChangePolicy(templates=[one]))
    record = standard()
    record = attrs.evolve(record, values=type(record.values)({**record.values, **held}))
    decision = ask(record, "implement", BOT, at=at, fields=TOLD, lifecycle=ours)
    return getattr(decision, "codes", ()), str(decision)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (TEMPLATE, ""),
        (attrs.evolve(TEMPLATE, valid_from=START), ""),
        (attrs.evolve(TEMPLATE, valid_from=START + TICK), "is valid from"),
        (attrs.evolve(TEMPLATE, valid_until=START), "is valid from"),
        (attrs.evolve(TEMPLATE, valid_until=START + TICK), ""),
        (attrs.evolve(TEMPLATE, suspended_at=START), "is suspended since"),
        (attrs.evolve(TEMPLATE, suspended_at=START + TICK), ""),
        (attrs.evolve(TEMPLATE, version=1), "no template reboot 2 is known"),
        (attrs.evolve(TEMPLATE, id="restart"), "no template reboot 2 is known"),
        (attrs.evolve(TEMPLATE, fields={"category": "network"}), "category goes beyond template reboot 2"),
        (attrs.evolve(TEMPLATE, fields={"service": "mail"}), "service goes beyond template reboot 2"),
    ],
)
def test_a_standard_change_runs_under_a_template_that_holds(one, words):
    """CHG-20: known, valid at the time, not suspended, within its limits; else it is a normal change."""
    codes, told = implementing(one)
    assert codes == (("template",) if words else ())
    assert words in told


@pytest.mark.parametrize(
    ("items", "within"),
    [
        (("m1",), True),
        (("m1", "m2"), True),
        (("m3",), False),
        (("m1", "m3"), False),
        ((), False),
        ("m1", False),
    ],
)
def test_a_list_is_what_a_change_may_choose_from(items, within):
    """Some of the items, none other, and not none at all."""
    one = attrs.evolve(TEMPLATE, fields={"configuration_items": ["m1", "m2"]})
    assert implementing(one, configuration_items=items)[0] == (() if within else ("template",))


def test_it_is_looked_at_where_the_change_is_scheduled_too():
    """With the values that the command brings; a button without them asks for them and is not grey."""
    ours = governed(CHANGE, ChangePolicy(templates=[TEMPLATE]))
    fields = {**CLASSIFIED, **WINDOW, "template": "reboot", "template_version": 2}
    assert ask(opened("standard"), "schedule", fields=fields, lifecycle=ours).accepted
    wrong = {**fields, "category": "network"}
    assert ask(opened("standard"), "schedule", fields=wrong, lifecycle=ours).codes == ("template",)
    assert ask(opened("standard"), "schedule", fields=fields, lifecycle=CHANGE).codes == ("template",)


def test_a_suspended_template_is_grey_whenever_one_looks():
    """A button without an instant shows it; whether it is valid then nobody can say."""
    assert "is suspended" in attrs.evolve(TEMPLATE, suspended_at=T).objection(None, {"category": "mail"})
    assert TEMPLATE.objection(None, {"category": "mail"}) is None


# --- suspension --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcomes", "at"),
    [
        # iso-20000.md 5.5: suspended after 2 failures in the last 10
        ([], None),
        ([BAD], None),
        ([GOOD, BAD], None),
        ([BAD, BAD], 1),
        ([BAD, GOOD, BAD, GOOD], 2),
        ([BAD, *[GOOD] * 8, BAD], 9),  # the first and the last of ten
        ([BAD, *[GOOD] * 9, BAD], None),  # eleven
        ([BAD, *[GOOD] * 9, BAD, BAD], 11),
        (["backed_out", "partial"], 1),
        (["successful_with_issues"] * 20, None),
        ([BAD, BAD, *[GOOD] * 30], 1),  # once suspended it stays so
    ],
)
def test_two_failures_among_the_last_ten_suspend_a_template(outcomes, at):
    """At the instant of the failure that was one too many."""
    assert suspension(run(outcomes)) == (None if at is None else T + at * HOUR)
    assert (FAILURES, AMONG) == (2, 10)


def test_what_lies_before_it_was_authorised_again_is_past():
    """`since` itself counts."""
    outcomes = run([BAD, BAD, BAD, BAD])
    assert suspension(outcomes, since=T + 2 * HOUR) == T + 3 * HOUR
    assert suspension(outcomes, since=T + 3 * HOUR) is None
    assert suspension(outcomes, failures=3) == T + 2 * HOUR
    assert suspension(run([BAD, GOOD, BAD]), among=2) is None


@pytest.mark.parametrize("bad", ["cancelled", "", None, 5])
def test_an_outcome_that_is_none_is_refused(bad):
    """A cancelled change was not implemented, so it is none of the ten."""
    with pytest.raises(InvalidValue, match="is none of a change"):
        suspension([(T, bad)])


@pytest.mark.parametrize("bad", [{"failures": 0}, {"among": 0}, {"among": "10"}])
def test_numbers_of_failures_are_numbers(bad):
    """One at least."""
    with pytest.raises(InvalidValue):
        suspension([], **bad)


def test_instants_of_outcomes_are_aware():
    """DESIGN 2."""
    with pytest.raises(NaiveDatetime):
        suspension([(dt.datetime(2024, 2, 5), GOOD)])


def by_windows(outcomes):
    """The plain way: the end of the first window of ten with two failures."""
    ordered = sorted(outcomes)
    for n, (at, _) in enumerate(ordered):
        if sum(outcome in UNSUCCESSFUL for _, outcome in ordered[max(0, n - 9) : n + 1]) >= 2:
            return at
    return None


HISTORIES = st.lists(
    st.tuples(st.integers(0, 60).map(lambda n: T + n * HOUR), st.sampled_from(OUTCOMES)),
    max_size=25,
    unique_by=lambda pair: pair[0],
)


@pytest.mark.law
@given(HISTORIES, st.randoms())
def test_the_order_in_which_outcomes_are_told_does_not_matter(outcomes, random):
    """The plain count says the same."""
    assert suspension(random.sample(outcomes, len(outcomes))) == by_windows(outcomes)


@pytest.mark.law
@given(HISTORIES)
def test_what_comes_later_changes_no_suspension_and_fewer_failures_suspend_no_earlier(outcomes):
    """It stays suspended from then on; a failure that was none takes none away."""
    found = suspension(outcomes)
    if found is not None:
        assert suspension([pair for pair in outcomes if pair[0] <= found]) == found
        assert suspension([pair for pair in outcomes if pair[0] < found]) is None
    mended = [(at, GOOD if n % 2 else outcome) for n, (at, outcome) in enumerate(outcomes)]
    less = suspension(mended)
    assert less is None or (found is not None and less >= found)


def test_a_template_says_how_long_before_its_changes_are_announced():
    """iso-20000.md 5.5: lead time per template."""
    assert template(lead_time=business_days(1)).lead_time == business_days(1)
