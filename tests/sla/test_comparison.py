"""Two agreements on the same histories: what changes, why, and what both come to."""

import datetime as dt
import json
from fractions import Fraction

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time import BusinessCalendar
from itsm_core.errors import InvalidValue
from itsm_core.sla import Agreement, Condition, Measure, Target, attainment, compare, evaluate_all

UTC = dt.UTC
AT = dt.datetime(2026, 3, 3, 12, tzinfo=UTC)
AROUND = BusinessCalendar.always("UTC", name="around")
OFFICE = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC", name="office")
HOUR = 3_600_000_000


def agreement(id="old", duration="2h", calendar=AROUND, **rest):
    """A resolution in some time; `rest` goes to the target."""
    return Agreement(
        id, 1, targets=[Target("fix", "resolution", duration=duration, calendar=calendar, **rest)]
    )


@pytest.fixture(scope="module")
def resolved(history):
    """`resolved(hours, number)`: opened on Monday 2 March 2026 at nine, resolved so many hours later."""

    def make(hours, number=1, **fields):
        at = f"2026-03-02 {9 + hours:02}:00"
        return (f"INC-{number}", history().opened("2026-03-02 09:00", **fields).resolved(at).events)

    return make


def whys(found):
    """The reasons of the only change."""
    (change,) = found.changes
    return [str(one) for one in change.why]


def test_what_changes_is_told_with_time_and_budget_of_both(resolved):
    """Three hours: breached by two, met by four; one and five hours stay what they are."""
    histories = [resolved(hours, number) for number, hours in enumerate((1, 3, 5))]
    found = compare(agreement(), agreement("new", "4h"), histories, AT)
    (change,) = found.changes
    assert (change.record, change.metric, change.cycle) == ("INC-1", "resolution", 1)
    assert change.verdicts == ("breached", "met")
    assert (change.was.elapsed_us, change.was.budget_us) == (3 * HOUR, 2 * HOUR)
    assert (change.would_be.elapsed_us, change.would_be.budget_us) == (3 * HOUR, 4 * HOUR)
    assert (change.was.agreement, change.would_be.agreement) == ("old@1", "new@1")
    assert str(change) == "INC-1 resolution: breached, 3h of 2h -> met, 3h of 4h (duration 2h -> 4h)"
    assert (found.records, found.changed) == (3, 1)


def test_what_taking_over_open_records_would_change_is_told(resolved):
    """The next version beside the first one: it begins on 3 March, when the second record had been closed."""
    first = attrs.evolve(agreement("gold"), valid_to=dt.date(2026, 3, 3))
    second = attrs.evolve(agreement("gold", "4h"), version=2, valid_from=dt.date(2026, 3, 3))
    (name, resolved_only), (other, events) = resolved(3, 1), resolved(3, 2)
    done = {"phase": "closed", "outcome": "closed"}
    closed = [*events, attrs.evolve(events[-1], id="e9", seq=3, fields=done)]
    histories = {name: resolved_only, other: closed}
    assert compare(first, [first, second], histories, AT).changes == ()
    taking_over = attrs.evolve(second, on_policy_change="reassess_open")
    (change,) = compare(first, [first, taking_over], histories, AT).changes
    assert (change.record, change.verdicts) == (name, ("breached", "met"))
    assert (change.was.agreement, change.would_be.agreement) == ("gold@1", "gold@2")


def test_the_totals_are_those_of_each_agreement_alone(resolved):
    """A third met before, two thirds after."""
    histories = [resolved(hours, number) for number, hours in enumerate((1, 3, 5))]
    old, new = agreement(), agreement("new", "4h")
    found = compare(old, new, histories, AT)
    assert found.was == attainment(evaluate_all(histories, old, AT))
    assert found.would_be == attainment(evaluate_all(histories, new, AT))
    assert [one.row("resolution").share for one in (found.was, found.would_be)] == [
        Fraction(1, 3),
        Fraction(2, 3),
    ]


def test_an_agreement_beside_itself_changes_nothing(resolved):
    """Nor does one that differs in name alone."""
    histories = [resolved(hours, hours) for hours in (1, 2, 3)]
    for other in (agreement(), agreement("new")):
        found = compare(agreement(), other, histories, AT)
        assert (found.changes, found.changed, found.counts()) == ((), 0, {})


# --- why ----------------------------------------------------------------------------------------


def test_the_calendar_is_named(history):
    """Sixteen hours around the clock, of which eight are open: one hour of Monday, one of Tuesday."""
    events = history().opened("2026-03-02 16:00").resolved("2026-03-03 10:00").events
    found = compare(agreement(), agreement("new", calendar=OFFICE), [events], AT)
    assert whys(found) == ["calendar around@1 -> office@1"]
    assert [found.changes[0].was.elapsed_us, found.changes[0].would_be.elapsed_us] == [18 * HOUR, 2 * HOUR]


def test_calendars_of_one_name_are_told_apart_by_fingerprint(resolved):
    """Somebody changed the hours and forgot the version."""
    early = BusinessCalendar.weekly("mon-fri 06:00-10:00", zone="UTC", name="office")
    found = compare(agreement(calendar=OFFICE), agreement("new", calendar=early), [resolved(3)], AT)
    (why,) = whys(found)
    assert why == f"calendar office@1 ({OFFICE.fingerprint[:12]}) -> office@1 ({early.fingerprint[:12]})"


def test_pauses_are_named(history):
    """Two hours waiting for the requester count, or do not."""
    told = history().opened("2026-03-02 09:00").hold("2026-03-02 10:00").resumed("2026-03-02 12:00")
    events = told.resolved("2026-03-02 12:30").events
    found = compare(agreement(), agreement("new", pauses_on={"requester"}), [events], AT)
    assert whys(found) == ["pauses on none -> requester"]


def test_reopening_is_named(history):
    """The time while it was resolved counts, or does not."""
    told = history().opened("2026-03-02 09:00").resolved("2026-03-02 10:00").resumed("2026-03-02 14:00")
    events = told.resolved("2026-03-02 14:30").events
    found = compare(agreement(), agreement("new", reopen="include_closed"), [events], AT)
    assert whys(found) == ["reopening continue -> include_closed"]


def test_all_that_differs_is_named(resolved):
    """Another target by name, another duration, other pauses."""
    new = Agreement("new", 1, targets=[
        Target("slow", "resolution", duration="4h", calendar=AROUND, pauses_on={"schedule", "requester"}),
    ])  # fmt: skip
    assert whys(compare(agreement(), new, [resolved(3)], AT)) == [
        "target fix -> slow", "duration 2h -> 4h", "pauses on none -> requester, schedule",
    ]  # fmt: skip


def test_conditions_of_ones_own_are_named(resolved):
    """Measured while it was new, and not until it was resolved."""
    new = Measure(start=Condition(phases={"new"}), while_started=True)
    waiting = Measure(start=Condition(phases={"waiting"}), while_started=True)
    targets = [
        Target("own", "triage", duration="2h", calendar=AROUND, measure=measure) for measure in (new, waiting)
    ]
    held = [Agreement(name, 1, targets=[target]) for name, target in zip("ab", targets, strict=True)]
    found = compare(*held, [resolved(3)], AT)
    assert found.changes[0].verdicts == ("breached", "not_started")
    assert whys(found) == ["measure conditions of its own -> others"]
    assert "not started" in str(found.changes[0])


def test_a_target_that_held_before_may_be_what_differs(history):
    """The last target is the same in both; how long the first one counted is not."""
    told = history().opened("2026-03-02 09:00", priority="P2")
    events = told.add("reprioritised", "2026-03-02 15:00", priority="P1").resolved("2026-03-02 16:00").events
    p1 = Target("p1", "resolution", duration="2h", calendar=AROUND, priorities={"P1"}, on_retarget="carry")
    slow = {"duration": "8h", "priorities": {"P2"}, "on_retarget": "carry"}
    held = [
        Agreement(name, 1, targets=[p1, Target("p2", "resolution", calendar=calendar, **slow)])
        for name, calendar in (
            ("around", AROUND), ("nights", BusinessCalendar.weekly("mon-fri 20:00-23:00", zone="UTC")),
        )
    ]  # fmt: skip
    found = compare(*held, [events], AT)
    assert found.changes[0].verdicts == ("breached", "met")
    assert whys(found) == ["targets held before its own -> others"]


# --- clocks on one side -------------------------------------------------------------------------


def test_a_record_that_only_one_covers_changes(resolved):
    """From no verdict to one; the reason is the coverage."""
    acme = Agreement("acme", 1, customers={"acme"}, targets=agreement().targets)
    found = compare(acme, agreement(), [resolved(3)], AT)
    assert found.changes[0].verdicts == ("none", "breached")
    assert found.changes[0].was is None
    assert whys(found) == ["clock not covered -> 1 of fix in old@1"]
    assert str(found.changes[0]).startswith("INC-1 resolution: none -> breached")


def test_a_metric_that_only_one_promises_changes(resolved):
    """From a verdict to none; the reason names the agreement that promises nothing."""
    answers = Target("answer", "response", duration="1h", calendar=AROUND)
    both = Agreement("both", 1, targets=[answers, *agreement().targets])
    assert whys(compare(both, agreement(), [resolved(1)], AT)) == [
        "clock 1 of answer in both@1 -> no target in old@1"
    ]


def test_a_cycle_that_only_one_counts_changes(history):
    """A new cycle for each reopening, against one that goes on."""
    told = history().opened("2026-03-02 09:00").resolved("2026-03-02 10:00").resumed("2026-03-02 14:00")
    events = told.resolved("2026-03-02 14:30").events
    found = compare(agreement(), agreement("new", reopen="new_cycle"), [events], AT)
    assert found.changes[0].cycle == 2
    assert whys(found) == ["clock 1 of fix in old@1 -> 2 of fix in new@1"]


def test_a_record_that_only_one_can_measure_changes(history):
    """No calendar counts in the year 9990; a clock that never started needs none."""
    far = dt.datetime(9990, 1, 1, tzinfo=UTC)
    waits = Measure(start=Condition(phases={"waiting"}), while_started=True)
    own = Agreement("own", 1, targets=[Target("w", "waits", duration="2h", calendar=AROUND, measure=waits)])
    found = compare(own, agreement(), [history().opened(far).events], far + dt.timedelta(days=2))
    assert found.would_be.problems == {"unmeasurable": 1}
    assert found.changes[0].verdicts == ("not_started", "none")
    (why,) = whys(found)
    assert why.startswith("clock 1 of w in own@1 -> not judged, unmeasurable: ")


def test_a_history_that_nobody_can_judge_is_in_both_totals_and_no_change(resolved):
    """Named by its code, as in a batch."""
    found = compare(agreement(), agreement("new", "4h"), [[], resolved(3)], AT)
    assert found.was.problems == found.would_be.problems == {"no_opening": 1}
    assert (found.records, found.changed) == (2, 1)


# --- what goes in -------------------------------------------------------------------------------


def test_histories_are_read_once_and_lazily(resolved):
    """A generator will do."""
    read = []

    def source():
        for number in (1, 2):
            read.append(number)
            yield resolved(3, number)

    assert compare(agreement(), agreement("new", "4h"), source(), AT).changed == 2
    assert read == [1, 2]


def test_several_agreements_stand_beside_several(resolved):
    """As in a batch, the first that covers a record judges it."""
    gold = Agreement("gold", 1, customers={"acme"}, targets=agreement(duration="1h").targets)
    histories = [resolved(2, 1, customer="acme"), resolved(2, 2, customer="bolt")]
    found = compare([agreement()], [gold, agreement("new")], histories, AT)
    assert [change.record for change in found.changes] == ["INC-1"]
    assert found.labels == ("old@1", "gold@1, new@1")


@pytest.mark.parametrize("place", [0, 1])
def test_what_is_no_agreement_is_refused(place):
    """On either side, before anything is read."""
    pair = [agreement(), agreement("new")]
    pair[place] = "standard"
    with pytest.raises(InvalidValue, match="agreement"):
        compare(*pair, [None], AT)


def test_known_at_counts_for_both(history):
    """What was recorded later changes neither."""
    told = history().opened("2026-03-02 09:00")
    events = told.resolved("2026-03-02 12:00", recorded="2026-03-03 09:00").events
    early = dt.datetime(2026, 3, 2, 23, tzinfo=UTC)
    pair = agreement(), agreement("new", "4h")
    assert compare(*pair, [events], early, known_at=early).changed == 0
    assert compare(*pair, [events], early).changed == 1


# --- how it is shown ----------------------------------------------------------------------------


def test_the_text_says_totals_moves_and_changes(resolved):
    """Three small tables, one under the other."""
    histories = [resolved(hours, number) for number, hours in enumerate((1, 3, 5))]
    assert str(compare(agreement(), agreement("new", "4h"), histories, AT)).splitlines() == [
        "old@1 -> new@1: 1 of 3 records change",
        "metric                   old@1               new@1",
        "resolution  1 of 3 met, 33.3 %  2 of 3 met, 66.6 %",
        "",
        "metric      was       would be  clocks",
        "resolution  breached  met            1",
        "",
        "record  metric      was                 would be       why",
        "INC-1   resolution  breached, 3h of 2h  met, 3h of 4h  duration 2h -> 4h",
    ]


def test_only_the_first_changes_are_shown_and_all_are_kept(resolved):
    """Twenty, and how many more there are."""
    found = compare(agreement(), agreement("new", "4h"), [resolved(3, n) for n in range(1, 24)], AT)
    assert len(found.changes) == 23
    for shown in (str(found), found._repr_html_()):
        assert "INC-20" in shown
        assert "INC-21" not in shown
        assert "3 more in .changes" in shown


def test_nothing_compared_is_said_so():
    """No records, no tables."""
    found = compare(agreement(), agreement("new"), [], AT)
    assert str(found) == "old@1 -> new@1: 0 of 0 records change"


def test_hostile_ids_do_nothing_on_a_page(resolved):
    """An id named like markup is shown, not obeyed."""
    _, events = resolved(3)
    found = compare(agreement(), agreement("new", "4h"), {"<b>\x1b[2J": events}, AT)
    assert "<b>" not in found._repr_html_()
    assert "&lt;b&gt;" in found._repr_html_()
    assert "\x1b" not in str(found)


def test_data_are_json(history):
    """Durations in microseconds, no limit as null."""
    ended = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC", valid_to=dt.date(2026, 3, 3))
    never = Agreement("never", 1, targets=[
        Target("fix", "resolution", duration="5 business days", calendar=ended),
    ])  # fmt: skip
    events = history().opened("2026-03-02 09:00").resolved("2026-03-02 12:00").events
    found = compare(agreement(), never, {"INC-1": events}, AT)
    plain = found.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    (change,) = plain["changes"]
    assert (change["record"], change["was"]["budget_us"], change["would_be"]["budget_us"]) == (
        "INC-1", 2 * HOUR, None,
    )  # fmt: skip
    assert "met, 3h of no limit" in str(found)
    assert plain["was"]["rows"][0]["share"] == "0"


# --- laws ---------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 8), max_size=8), st.integers(1, 8), st.integers(1, 8))
def test_the_other_way_round_is_the_same_turned(resolved, hours, old, new):
    """Was and would be change places; the changes are the records whose verdicts differ, and no others."""
    histories = [resolved(n, number) for number, n in enumerate(hours)]
    pair = agreement("old", f"{old}h"), agreement("new", f"{new}h")
    there, back = compare(*pair, histories, AT), compare(*pair[::-1], histories, AT)
    assert [c.verdicts for c in there.changes] == [c.verdicts[::-1] for c in back.changes]
    assert (there.was, there.would_be) == (back.would_be, back.was)
    changed = [f"INC-{number}" for number, n in enumerate(hours) if (n <= old) != (n <= new)]
    assert [change.record for change in there.changes] == changed
    met = [one.row("resolution").met for one in (there.was, there.would_be)]
    gained = there.counts().get(("resolution", "breached", "met"), 0)
    lost = there.counts().get(("resolution", "met", "breached"), 0)
    assert met[1] - met[0] == gained - lost
