"""Targets: what may be promised, what may pause it, how shares are written."""

import datetime as dt
from fractions import Fraction

import pytest

from itsm_core.business_time import BusinessCalendar, business_days, hours
from itsm_core.errors import InvalidValue
from itsm_core.events import WaitsOn
from itsm_core.priority import Priority
from itsm_core.sla import ClockState, Metric, Target, evaluate, share_of


@pytest.mark.parametrize("reason", ["supplier", "problem", "change", "internal"])
def test_a_wait_on_our_side_pauses_no_customer_target(resolution, office, reason):
    """The refusal says that the agreement is with the customer and lists what may pause."""
    with pytest.raises(
        InvalidValue, match=r"agreed with the customer.*customer_approver.*requester.*schedule"
    ):
        resolution(hours(4), office, pauses_on=["requester", reason])


def test_waits_on_the_customers_side_may_pause(resolution, office):
    """Requester, customer approver and an agreed date; as one word or several."""
    target = resolution(hours(4), office, pauses_on=["requester", "customer_approver", WaitsOn.SCHEDULE])
    assert target.pauses_on == {WaitsOn.REQUESTER, WaitsOn.CUSTOMER_APPROVER, WaitsOn.SCHEDULE}
    assert resolution(hours(4), office, pauses_on="requester").pauses_on == {WaitsOn.REQUESTER}


def test_an_unknown_reason_is_named(resolution, office):
    """A misspelt reason is refused with the known ones."""
    with pytest.raises(InvalidValue, match=r"vendor.*supplier"):
        resolution(hours(4), office, pauses_on="vendor")


def test_a_response_does_not_pause(office):
    """To wait for a requester is to have answered."""
    with pytest.raises(InvalidValue, match="to have answered"):
        Target("reply", Metric.RESPONSE, duration=hours(1), calendar=office, pauses_on="requester")


def test_durations_may_be_text_rules_or_timedeltas(resolution, office):
    """A timedelta is measured open time; what is no duration is refused with examples."""
    assert (
        resolution("4h", office) == resolution(hours(4), office) == resolution(dt.timedelta(hours=4), office)
    )
    assert resolution("3 business days", office) == resolution(business_days(3), office)
    for wrong in (4, None, 4.0):
        with pytest.raises(InvalidValue, match="hours"):
            resolution(wrong, office)
    with pytest.raises(InvalidValue, match="negative"):
        resolution(dt.timedelta(hours=-1), office)


def test_a_target_needs_an_id_a_calendar_and_a_known_way_to_reopen(office):
    """Each refusal says what to give."""
    given = {"duration": hours(1), "calendar": office}
    with pytest.raises(InvalidValue, match="has no id"):
        Target("", "resolution", **given)
    with pytest.raises(InvalidValue, match="BusinessCalendar"):
        Target("x", "resolution", duration=hours(1), calendar="24x7")
    with pytest.raises(InvalidValue, match="continue"):
        Target("x", "resolution", reopen="restart", **given)
    with pytest.raises(ValueError, match="repair"):
        Target("x", "repair", **given)


def test_priorities_are_read_and_empty_means_all(resolution, office):
    """One word, several, and the spelling of other systems."""
    assert resolution(hours(1), office, priorities="1 - Critical").priorities == {Priority.P1}
    one = resolution(hours(1), office, priorities=["P1", 2])
    assert (one.applies_to(Priority.P2), one.applies_to(Priority.P3), one.applies_to(None)) == (
        True,
        False,
        False,
    )
    assert resolution(hours(1), office).applies_to(None)


def test_bounds_are_the_budget_or_what_the_due_rule_leaves(resolution, office, history):
    """A due rule is resolved at the start: its instant, and the open time up to it."""
    start = int(history("Europe/Berlin").at("2026-03-06 16:00").timestamp()) * 10**6
    assert resolution(hours(4), office).bounds(start) == (4 * 3600 * 10**6, None)
    budget, due = resolution("1 business day", office).bounds(start)
    assert (budget, due - start) == (8 * 3600 * 10**6, 72 * 3600 * 10**6)


@pytest.mark.parametrize(
    ("value", "share"),
    [(Fraction(3, 4), "3/4"), (75, "3/4"), ("75 %", "3/4"), (" 12.5% ", "1/8"), (0, "0"), ("150 %", "3/2")],
)
def test_shares_are_exact(value, share):
    """Fractions, whole percent and percent texts mean the exact share."""
    assert str(share_of(value)) == share


@pytest.mark.parametrize(
    "value", [0.75, "75", "3/4", True, -1, Fraction(-1, 2), None, "-5 %", "9" * 5000 + " %"]
)
def test_what_is_no_share_is_refused(value):
    """Floats round; a bare text lacks its unit; nothing is less than nothing; nobody writes so many digits."""
    with pytest.raises(InvalidValue, match="is no share of a target"):
        share_of(value)


def stops(history, *metrics):
    """How the clocks of a history stopped: why, when, and whether that voids them."""
    always, end = BusinessCalendar.always("UTC"), dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
    clocks = [
        evaluate(history.events, Target("t", metric, duration="4h", calendar=always), end)
        for metric in metrics or ("response", "resolution")
    ]
    return [
        None if one.stopped_us is None else (one.stop_reason, one.stopped_us, one.state is ClockState.VOID)
        for one in clocks
    ]


def us(history, text):
    return int(history.at(text).timestamp()) * 10**6


def test_a_response_still_open_at_resolution_stops_there(history):
    """Resolving without a word is no reply, and says so; reopening does not undo it."""
    h = history().opened("2026-03-02 09:00").resolved("2026-03-02 10:00")
    at = us(h, "2026-03-02 10:00")
    assert stops(h) == [("resolved_without_reply", at, False), ("resolved", at, False)]
    h.resumed("2026-03-02 11:00").said("2026-03-02 11:30")
    assert stops(h) == [("resolved_without_reply", at, False), None]


def test_a_reply_before_or_at_resolution_stops_the_response(history):
    """At one instant the reply counts as given."""
    h = history().opened("2026-03-02 09:00").resolved("2026-03-02 10:00").said("2026-03-02 10:00")
    assert stops(h, "response") == [("answered", us(h, "2026-03-02 10:00"), False)]


def test_closing_keeps_the_instant_of_resolution(history):
    """Resolved at ten and closed at noon: the resolution stopped at ten, whatever the outcome later."""
    h = (
        history()
        .opened("2026-03-02 09:00")
        .resolved("2026-03-02 10:00")
        .closed("2026-03-02 12:00", "cancelled")
    )
    assert stops(h, "resolution") == [("resolved", us(h, "2026-03-02 10:00"), False)]
    h = history().opened("2026-03-02 09:00").closed("2026-03-02 10:00")
    assert stops(h, "resolution") == [("closed", us(h, "2026-03-02 10:00"), False)]


def test_void_goes_before_stop_at_one_instant_only(history):
    """A reply before the cancellation stands; one at the same instant does not."""
    h = history().opened("2026-03-02 09:00").said("2026-03-02 09:30").closed("2026-03-02 10:00", "merged")
    assert stops(h) == [
        ("answered", us(h, "2026-03-02 09:30"), False),
        ("merged", us(h, "2026-03-02 10:00"), True),
    ]
    h = history().opened("2026-03-02 09:00").said("2026-03-02 10:00").resolved("2026-03-02 10:00")
    at = us(h.closed("2026-03-02 10:00", "duplicate"), "2026-03-02 10:00")
    assert stops(h) == [("duplicate", at, True)] * 2


def test_a_cancelled_record_that_is_reopened_owes_again(history):
    """Void lasts as long as the record stays closed."""
    h = (
        history()
        .opened("2026-03-02 09:00")
        .closed("2026-03-02 10:00", "cancelled")
        .resumed("2026-03-02 11:00")
    )
    assert stops(h) == [None, None]
    assert stops(h.said("2026-03-02 12:00"), "response") == [("answered", us(h, "2026-03-02 12:00"), False)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"metric": "respond"}, "^metric 'respond': is none of the known ones.*use one of response, resol"),
        ({"metric": ["response"]}, 'is no word; name it: "response", "resolution"'),
        ({"pauses_on": 5}, "^pauses_on 5: is no word; use some of requester, "),
        ({"pauses_on": [["requester"]]}, "use some of requester, "),
        ({"pauses_on": "weather"}, r"^pauses_on \['weather'\]: names no hold reason; use some of"),
        ({"priorities": ["P9"]}, "^priority 'P9': is no priority; use one of P1, P2"),
        ({"id": 5}, "^target 5: is no text"),
        ({"calendar": "mon-fri 09:00-17:00"}, r"is no BusinessCalendar; make one: BusinessCalendar.weekly\("),
    ],
)
def test_what_is_none_of_the_choices_is_refused_with_them(office, wrong, message):
    """The error names the thing, the reason and the remedy."""
    good = {"id": "fix", "metric": "resolution", "duration": "4h", "calendar": office}
    with pytest.raises(InvalidValue, match=message):
        Target(**{**good, **wrong})


@pytest.mark.parametrize("priorities", ["P1", 1, ["1 - Critical"], {Priority.P1}])
def test_one_priority_needs_no_list(office, priorities):
    """A text or number alone is one."""
    target = Target("fix", "resolution", duration="4h", calendar=office, priorities=priorities)
    assert target.priorities == {Priority.P1}


def test_a_target_shows_itself_in_one_line(office):
    """Enough to tell it from its neighbours."""
    target = Target("fix", "resolution", duration=business_days(3), calendar=office, priorities=["P2", "P1"])
    assert repr(target) == "<target fix: resolution within 3 business days for P1, P2>"


@pytest.mark.parametrize("wrong", ["request", "shout", [], ["message", "bot"]])
def test_only_words_of_ours_answer(office, wrong):
    """Neither the requester's own, nor what nobody says, nor nothing at all."""
    with pytest.raises(InvalidValue, match=r"answered_by .*answers nobody.*message, ai_message"):
        Target("t", "response", duration=hours(1), calendar=office, answered_by=wrong)


def test_a_metric_does_not_wait_for_itself(office):
    """It would never start."""
    with pytest.raises(InvalidValue, match="after 'response': is the metric itself"):
        Target("t", "response", duration=hours(1), calendar=office, after="response")
