"""When a change takes place: windows, those who hear of it, and blackouts."""

import datetime as dt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changing import (
    ANA,
    ASSESSED,
    DAY,
    DONE,
    END,
    HELD,
    HOUR,
    IVO,
    MONA,
    START,
    TEMPLATE,
    TICK,
    TOLD,
    T,
    ask,
    assessed,
    does,
    expedited,
    implementing,
    opened,
    scheduled,
    standard,
    submitted,
)
from itsm_core.business_time import BusinessCalendar, Interval, business_days, hours, never
from itsm_core.errors import InvalidValue, NaiveDatetime
from itsm_core.processes import CHANGE, Blackout, ChangePolicy, blackouts_hit, governed, tell_by
from itsm_core.processes.change_windows import deviation, lead_time, planned_window

OFFICE = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")
UTC = dt.UTC


def blackout(name="year end", start=START, end=END, **more):
    """A blackout over the planned window."""
    return Blackout(name, start=start, end=end, **more)


def row(**custom):
    """A row of a host's own."""
    kind = custom.pop("change_kind", "normal")
    impact = custom.pop("impact", "low")
    return CHANGE.record("CHG-1", "scheduled", custom={"change_kind": kind, **custom}, impact=impact)


# --- blackouts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "hit"),
    [
        (START, END, True),
        (START - HOUR, START, False),  # half-open: contiguous is allowed
        (START - HOUR, START + TICK, True),
        (END, END + HOUR, False),
        (END - TICK, END + HOUR, True),
        (START - DAY, END + DAY, True),
        (START + TICK, END - TICK, True),
    ],
)
def test_a_window_falls_into_a_blackout_by_a_microsecond_or_not_at_all(start, end, hit):
    """iso-20000.md 5.5: contiguous changes allowed, half-open intervals."""
    found = blackouts_hit(Interval.of(start, end), [], [blackout()])
    assert bool(found) is hit


@pytest.mark.parametrize(
    ("touched", "closed", "hit"),
    [
        ([], [], True),
        (["m1"], [], True),
        (["m1"], ["m1", "m2"], True),
        (["m1"], ["m2"], False),
        ([], ["m2"], True),  # a change that does not say what it touches may touch anything
        (["m1", "m2"], ["m2"], True),
    ],
)
def test_a_blackout_is_about_some_items_or_all(touched, closed, hit):
    """Who names no item names all."""
    found = blackouts_hit(Interval.of(START, END), touched, [blackout(configuration_items=closed)])
    assert bool(found) is hit


@pytest.mark.law
@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), max_size=5),
    st.integers(0, 20),
    st.integers(1, 20),
)
def test_a_window_hits_a_blackout_iff_they_share_an_instant(spans, start, length):
    """Counted hour by hour."""
    blackouts = [
        Blackout(str(n), start=T + a * HOUR, end=T + (a + d) * HOUR) for n, (a, d) in enumerate(spans)
    ]
    window = Interval.of(T + start * HOUR, T + (start + length) * HOUR)
    shared = [
        str(n) for n, (a, d) in enumerate(spans) if set(range(a, a + d)) & set(range(start, start + length))
    ]
    assert [one.name for one in blackouts_hit(window, [], blackouts)] == shared


@pytest.mark.parametrize(
    "bad",
    [
        {"name": ""},
        {"start": END, "end": START},
        {"start": START, "end": START},
        {"configuration_items": ["m1", 5]},
        {"configuration_items": ""},
    ],
)
def test_a_blackout_that_is_none_is_refused(bad):
    """Unnamed, upside down, empty."""
    with pytest.raises(InvalidValue):
        blackout(**bad)


def test_a_blackout_is_in_real_time():
    """DESIGN 2: a naive instant is refused."""
    with pytest.raises(NaiveDatetime):
        blackout(start=dt.datetime(2024, 2, 20))
    assert blackout().interval == Interval.of(START, END)


@pytest.mark.parametrize(
    ("begins", "hit"),
    [
        (START - 2 * HOUR - TICK, False),
        (START - 2 * HOUR, True),
        (START - HOUR - TICK, True),
        (START - HOUR, False),
    ],
)
def test_work_that_begins_before_its_window_does_not_begin_in_a_blackout(begins, hit):
    """CHG-19, to the microsecond; its window lies outside, and it is about its own items."""
    year_end = {"start": START - 2 * HOUR, "end": START - HOUR}
    for made, expected in (
        (blackout(**year_end), hit),
        (blackout(**year_end, configuration_items=["m9"]), False),
    ):
        closed = governed(CHANGE, ChangePolicy(templates=[TEMPLATE], blackouts=[made]))
        record = standard(configuration_items=["m1"])
        decision = ask(record, "implement", IVO, at=begins, fields={"told_at": T}, lifecycle=closed)
        assert decision.accepted is not expected
        if expected:
            assert decision.reasons[0].message.startswith("the work would fall into year end; plan another")
            excused = {"told_at": T, "blackout_exception": "ECAB-7"}
            assert ask(record, "implement", IVO, at=begins, fields=excused, lifecycle=closed).accepted
        assert ask(record, "hold", at=begins, fields=HELD, lifecycle=closed).accepted


def test_no_change_is_planned_or_done_in_a_blackout_without_a_decision():
    """CHG-19: at the request, at the schedule, and before the work; an emergency is the decision itself."""
    closed = governed(CHANGE, ChangePolicy(templates=[TEMPLATE], blackouts=[blackout()]))
    submit = ask(assessed(), "submit", fields=ASSESSED, lifecycle=closed)
    assert submit.codes == ("blackout",)
    assert "falls into year end" in str(submit)
    allowed = {**ASSESSED, "blackout_exception": "ECAB-7"}
    assert ask(assessed(), "submit", fields=allowed, lifecycle=closed).accepted
    fields = {"test_result": "passed", "backout_test": "passed", **TOLD}
    assert ask(scheduled(), "implement", IVO, at=START, fields=fields, lifecycle=closed).codes == (
        "blackout",
    )
    assert ask(standard(), "implement", at=START, fields=TOLD, lifecycle=closed).codes == ("blackout",)
    emergency = scheduled(expedited(), "mona", "dora")
    assert ask(emergency, "implement", IVO, at=START, lifecycle=closed).accepted
    assert ask(submitted(), "authorize", MONA, lifecycle=closed).codes == ("not_approved",)


def test_a_blackout_that_does_not_concern_it_stops_nothing():
    """Other items, another time, a window that is none."""
    closed = governed(CHANGE, ChangePolicy(blackouts=[blackout(configuration_items=["m2"])]))
    fields = {**ASSESSED, "configuration_items": ["m1"]}
    assert ask(assessed(), "submit", fields=fields, lifecycle=closed).accepted
    upside = {**ASSESSED, "planned_start": END, "planned_end": START}
    assert ask(assessed(), "submit", fields=upside, lifecycle=closed).codes == ("window",)


# --- who is told when -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("likelihood", "impact", "days"), [("low", "low", 2), ("medium", "medium", 5), ("high", "high", 10)]
)
def test_a_normal_change_is_announced_by_its_risk(likelihood, impact, days):
    """iso-20000.md 5.5: 2, 5 and 10 business days before its start."""
    change = row(likelihood=likelihood, impact=impact, planned_start=START, planned_end=END)
    assert lead_time(change) == business_days(days)
    assert tell_by(change, OFFICE) == OFFICE.subtract(START, business_days(days))


def test_by_when_people_are_told():
    """Written by hand: Tuesday 20 February at nine, less two business days, is Friday 16 at nine."""
    change = row(likelihood="low", planned_start=START, planned_end=END)
    assert dt.datetime(2024, 2, 20, 9, tzinfo=UTC) == START
    assert tell_by(change, OFFICE) == dt.datetime(2024, 2, 16, 9, tzinfo=UTC)
    assert tell_by(change) == dt.datetime(2024, 2, 18, 9, tzinfo=UTC)  # around the clock


def test_an_emergency_waits_for_nobody_and_a_standard_change_for_its_template():
    """None where nobody set a time."""
    named = {"template": "reboot", "template_version": 2, "planned_start": START, "planned_end": END}
    change = row(change_kind="standard", **named)
    led = attrs.evolve(TEMPLATE, lead_time=hours(3))
    assert lead_time(change, [led]) == hours(3)
    assert tell_by(change, OFFICE, [led]) == OFFICE.subtract(START, hours(3))
    assert tell_by(change, OFFICE, [TEMPLATE]) is None
    assert tell_by(change, OFFICE) is None
    assert tell_by(row(change_kind="emergency", planned_start=START, planned_end=END), OFFICE) is None
    assert lead_time(row(change_kind="registration")) is None


def test_where_the_calendar_does_not_reach_nobody_knows():
    """A calendar that never opens, a date before all dates, no window."""
    change = row(planned_start=START, planned_end=END)
    assert tell_by(change, never("UTC")) is None
    assert tell_by(row(planned_start="0001-01-01T00:00:00Z", planned_end=END), OFFICE) is None
    assert tell_by(row(), OFFICE) is None
    assert tell_by(row(planned_start=START), OFFICE) is None
    assert planned_window({"planned_end": END.isoformat()}) is None


# --- the actual window --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "at", "codes"),
    [
        (START, END, END, ()),
        (START, END, END - TICK, ("invalid_field",)),  # not over yet
        (END, START, END, ("invalid_field",)),
        (START, START, END, ("invalid_field",)),
        (START + TICK, END + HOUR, END + HOUR, ()),
    ],
)
def test_the_actual_window_is_one_and_is_over(start, end, at, codes):
    """CHG-17: planned and actual are both on record."""
    fields = {**DONE, "actual_start": start, "actual_end": end}
    decision = ask(implementing(), "complete", IVO, at=at, fields=fields)
    assert getattr(decision, "codes", ()) == codes


@pytest.mark.parametrize("left_out", ["actual_start", "actual_end"])
def test_both_ends_of_the_actual_window_are_given(left_out):
    """And what is given counts, also when it was amended before."""
    fields = {name: value for name, value in DONE.items() if name != left_out}
    assert ask(implementing(), "complete", IVO, at=END, fields=fields).codes == ("missing_field",)
    known = does(implementing(), "amend", IVO, at=START, fields={left_out: DONE[left_out]})
    assert ask(known, "complete", IVO, at=END, fields=fields).accepted


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (START, END, None),
        (START + TICK, END - TICK, None),
        (START - TICK, END, "before its window"),
        (START, END + TICK, "after its window"),
        (START - TICK, END + TICK, "before its window"),
        (None, END, None),
        (START, None, None),
        (START - TICK, None, "before its window"),
        (END + TICK, None, "after its window"),
        (None, END + TICK, "after its window"),
    ],
)
def test_what_was_done_outside_the_window_is_a_deviation(start, end, words):
    """CHG-17: actual not inside planned."""
    given = {name: at for name, at in (("actual_start", start), ("actual_end", end)) if at is not None}
    found = deviation(row(planned_start=START, planned_end=END, **given))
    assert (found is None) is (words is None)
    assert words is None or words in found
    assert deviation(row(actual_start=START, actual_end=END)) is None


def test_an_emergency_may_have_begun_already():
    """Its window is open, not ahead; a window that is over is planned anew."""
    fields = {"reason": "down", "likelihood": "low", "impact": "high"}
    begun = {**fields, "planned_start": T - HOUR, "planned_end": T + HOUR}
    assert ask(opened("emergency"), "expedite", ANA, fields=begun).accepted
    over = {**fields, "planned_start": T - HOUR, "planned_end": T}
    assert ask(opened("emergency"), "expedite", ANA, fields=over).codes == ("window",)
    upside = {**fields, "planned_start": T + HOUR, "planned_end": T + HOUR}
    assert ask(opened("emergency"), "expedite", ANA, fields=upside).codes == ("window",)


def test_a_window_that_ends_before_it_begins_is_not_called_over():
    """The same words as at its planning, whatever the time is."""
    upside = {
        "reason": "down",
        "likelihood": "low",
        "impact": "high",
        "planned_start": END,
        "planned_end": START,
    }
    said = f"planned_end, {START.isoformat()}, does not lie after planned_start, {END.isoformat()}"
    for at in (START - HOUR, END + HOUR):
        decision = ask(opened("emergency"), "expedite", ANA, at=at, fields=upside)
        assert [str(reason) for reason in decision.reasons] == [said]
        (reason,) = ask(assessed(), "submit", at=at, fields={**ASSESSED, **upside}).reasons
        assert (reason.message, dict(reason.facts)) == (said, {"field": "planned_end"})
