"""Clocks: states, verdicts, due instants, pauses, reopening, unknown answers."""

import datetime as dt
from fractions import Fraction
from zoneinfo import ZoneInfo

import attrs
import pytest

from itsm_core.actors import Actor
from itsm_core.business_time import BusinessCalendar, hours, minutes
from itsm_core.errors import InvalidValue, NaiveDatetime
from itsm_core.sla import ClockState, Metric, Target, Verdict, conclude, default_agreement, evaluate, judge

HOUR, NONE = dt.timedelta(hours=1), dt.timedelta()


@pytest.fixture
def clock(history, resolution, around):
    """`clock(h, at, duration=4 h)`: the resolution clock around the clock."""
    return lambda h, at, duration="4h", **rest: evaluate(
        h.events, resolution(duration, around, **rest), h.at(f"2026-03-02 {at}")
    )


def test_before_the_opening_nothing_has_started(history, clock):
    """No start, no due instant, no share; also for a history without events."""
    for h in (history().opened("2026-03-02 09:00"), history()):
        early = clock(h, "08:00")
        assert (early.state, early.verdict, early.share) == (ClockState.NOT_STARTED, Verdict.RUNNING, 0)
        assert (early.started_at, early.stopped_at, early.due_at, early.instant_at(50)) == (None,) * 4
        assert (early.provisional, early.breached, early.spans) == (True, False, ())


def test_a_running_clock_tells_what_is_left(history, clock):
    """Elapsed, remaining, share and due instant at one hour of four."""
    now = clock(history().opened("2026-03-02 09:00"), "10:00")
    assert (now.elapsed, now.remaining, now.overrun, now.share) == (HOUR, 3 * HOUR, NONE, Fraction(1, 4))
    assert (now.budget, now.at - now.started_at, now.due_at - now.at) == (4 * HOUR, HOUR, 3 * HOUR)


def test_instants_come_in_the_zone_of_the_calendar(history, resolution, office):
    """Asked in UTC, told in Berlin."""
    h = history().opened("2026-03-02 09:00").resolved("2026-03-02 10:00")
    told = evaluate(h.events, resolution(hours(4), office), h.at("2026-03-02 12:00"))
    for instant in (told.at, told.started_at, told.stopped_at, told.due_at):
        assert instant.tzinfo == ZoneInfo("Europe/Berlin")


def test_a_pause_stops_the_clock_and_moves_the_due_instant(history, clock):
    """While paused there is no due instant; a share used before it keeps its own."""
    h = history().opened("2026-03-02 09:00").hold("2026-03-02 10:00")
    held = clock(h, "15:00")
    assert (held.state, held.verdict, held.elapsed, held.due_at) == (
        ClockState.PAUSED,
        Verdict.RUNNING,
        HOUR,
        None,
    )
    assert (held.instant_at(25), held.instant_at(26)) == (h.at("2026-03-02 10:00"), None)
    assert clock(h.resumed("2026-03-02 16:00"), "16:00").due_at == h.at("2026-03-02 19:00")


@pytest.mark.parametrize("reason", [None, "supplier", "customer_approver", "schedule"])
def test_a_hold_that_the_agreement_does_not_list_pauses_nothing(history, clock, reason):
    """Without a reason, or with one that is not listed, the clock runs on."""
    h = history().opened("2026-03-02 09:00").hold("2026-03-02 10:00", reason)
    assert (clock(h, "12:00").state, clock(h, "12:00").elapsed) == (ClockState.RUNNING, 3 * HOUR)


def test_a_pause_begun_after_the_due_instant_changes_nothing(history, clock):
    """The overrun goes on; a pause begun exactly at the due instant still counts."""
    h = history().opened("2026-03-02 09:00").hold("2026-03-02 14:00").resumed("2026-03-02 15:00")
    late = clock(h.hold("2026-03-02 16:00"), "17:00")
    assert (late.state, late.verdict, late.elapsed) == (ClockState.RUNNING, Verdict.BREACHED, 8 * HOUR)
    assert late.due_at == h.at("2026-03-02 13:00")
    h = (
        history()
        .opened("2026-03-02 09:00")
        .hold("2026-03-02 13:00")
        .hold("2026-03-02 14:00", "customer_approver")
    )
    held = clock(h, "17:00", pauses_on=["requester", "customer_approver"])
    assert (held.state, held.share, held.due_at) == (ClockState.PAUSED, 1, h.at("2026-03-02 13:00"))
    assert clock(h.resolved("2026-03-02 18:00"), "18:00").verdict is Verdict.BREACHED
    h.events.pop()
    both = clock(h.resolved("2026-03-02 18:00"), "18:00", pauses_on=["requester", "customer_approver"])
    assert both.verdict is Verdict.MET


def test_a_pause_after_closing_time_that_was_the_due_instant_is_late(history, resolution, office):
    """Used up at Friday's closing, held on Saturday: Monday's first microsecond breaches."""
    h = history("Europe/Berlin").opened("2026-03-06 15:00").hold("2026-03-07 12:00")
    target = resolution(hours(2), office)
    assert evaluate(h.events, target, h.at("2026-03-09 09:00")).verdict is Verdict.RUNNING
    monday = evaluate(h.events, target, h.at("2026-03-09 09:00") + dt.timedelta(microseconds=1))
    assert (monday.verdict, monday.due_at) == (Verdict.BREACHED, h.at("2026-03-06 17:00"))


def test_a_due_rule_names_its_instant_even_outside_hours(history, resolution, office):
    """30 calendar days may end on a Sunday: due then; a pause in hours moves it, one on Saturday does not."""
    h = history("Europe/Berlin").opened("2026-03-05 12:00")
    target = resolution("3 calendar days", office)
    at = h.at("2026-03-08 11:00")
    plain = evaluate(h.events, target, at)
    assert (plain.due_at, plain.budget) == (h.at("2026-03-08 12:00"), 13 * HOUR)
    h.hold("2026-03-07 10:00").resumed("2026-03-07 11:00")
    assert evaluate(h.events, target, at).due_at == h.at("2026-03-08 12:00")
    h = (
        history("Europe/Berlin")
        .opened("2026-03-05 12:00")
        .hold("2026-03-06 10:00")
        .resumed("2026-03-06 11:00")
    )
    assert evaluate(h.events, target, at).due_at == h.at("2026-03-09 10:00")


def test_a_due_rule_that_leaves_no_open_time_is_breached_by_the_first(history, resolution, office):
    """Saturday to Sunday holds no hour: its share is 1 from the start and more on Monday."""
    h = history("Europe/Berlin").opened("2026-03-07 12:00")
    target = resolution("1 calendar day", office)
    sunday = evaluate(h.events, target, h.at("2026-03-08 18:00"))
    assert (sunday.verdict, sunday.share, sunday.due_at) == (Verdict.RUNNING, 1, h.at("2026-03-08 12:00"))
    monday = evaluate(h.events, target, h.at("2026-03-09 09:01"))
    assert (monday.verdict, monday.due_at) == (Verdict.BREACHED, h.at("2026-03-08 12:00"))
    assert monday.share > 1


def test_a_record_opened_on_hold_has_used_nothing(history, clock):
    """The clock starts paused; the first share is used up at the start."""
    held = clock(history().opened("2026-03-02 09:00", phase="waiting", waits_on="requester"), "12:00")
    assert (held.state, held.elapsed, held.instant_at(0)) == (ClockState.PAUSED, NONE, held.started_at)


def test_a_first_call_resolution_is_met_at_once(history, clock, response, around):
    """Opened as resolved: both metrics stop where they start."""
    h = history().opened("2026-03-02 09:00", phase="resolved", channel="phone")
    assert (clock(h, "10:00").verdict, clock(h, "10:00").elapsed) == (Verdict.MET, NONE)
    assert (
        evaluate(h.events, response(minutes(1), around), h.at("2026-03-02 10:00")).stop_reason
        == "live_contact"
    )


def test_reopening_continues_the_clock_without_the_time_between(history, clock):
    """Resolved at ten, reopened at noon: two hours do not count, and the breach is judged on the rest."""
    h = history().opened("2026-03-02 09:00").resolved("2026-03-02 10:00")
    stopped = clock(h, "11:00")
    assert (stopped.verdict, stopped.provisional, stopped.stop_reason) == (Verdict.MET, True, "resolved")
    h.resumed("2026-03-02 12:00")
    again = clock(h, "13:00")
    assert (again.state, again.elapsed, again.due_at) == (
        ClockState.RUNNING,
        2 * HOUR,
        h.at("2026-03-02 15:00"),
    )
    assert [s.state for s in again.spans] == [ClockState.RUNNING, ClockState.STOPPED, ClockState.RUNNING]
    h.closed("2026-03-02 16:00")
    settled = clock(h, "17:00")
    assert (settled.verdict, settled.settled, settled.stop_reason) == (Verdict.BREACHED, True, "closed")
    assert settled.overrun == HOUR


def test_reopening_straight_to_hold_is_paused(history, clock):
    """What follows a stop may be a pause."""
    h = history().opened("2026-03-02 09:00").resolved("2026-03-02 10:00").hold("2026-03-02 12:00")
    assert (clock(h, "13:00").state, clock(h, "13:00").elapsed) == (ClockState.PAUSED, HOUR)


def test_after_a_stop_nothing_more_is_used_up(history, clock):
    """A share that was not reached has no instant; the due instant is the one it had."""
    h = history().opened("2026-03-02 09:00").resolved("2026-03-02 10:00")
    stopped = clock(h, "23:00")
    assert (stopped.instant_at(25), stopped.instant_at(50)) == (h.at("2026-03-02 10:00"), None)
    assert stopped.due_at == h.at("2026-03-02 13:00")


def test_void_counts_no_breach_that_comes_later(history, clock):
    """Cancelled in time is void for ever; cancelled too late keeps its breach."""
    h = history().opened("2026-03-02 09:00").closed("2026-03-02 10:00", "cancelled")
    assert (clock(h, "23:00").verdict, clock(h, "23:00").breached) == (Verdict.VOID, False)
    late = clock(h, "23:00", minutes(30))
    assert (late.verdict, late.breached) == (Verdict.VOID_AFTER_BREACH, True)


def unanswered(history, **opening):
    return history().opened("2026-03-02 09:00", messages="none", **opening)


def test_a_history_without_messages_knows_no_response(history, response, around):
    """Running, late or resolved: unknown; never met and never breached."""
    target, h = response(hours(1), around), unanswered(history)
    for _ in range(2):
        for at in ("2026-03-02 09:30", "2026-03-02 12:00"):
            assert evaluate(h.events, target, h.at(at)).verdict is Verdict.UNKNOWN
        h.resolved("2026-03-02 09:30")


def test_live_contact_answers_even_where_messages_are_unknown(history, response, around):
    """The channel itself proves it."""
    h = unanswered(history, channel="phone")
    assert evaluate(h.events, response(hours(1), around), h.at("2026-03-02 12:00")).verdict is Verdict.MET


def test_void_without_messages_is_void_only_if_it_came_in_time(history, response, around):
    """Cancelled within the budget no breach was possible; later nobody knows."""
    h = unanswered(history).closed("2026-03-02 10:00", "cancelled")
    for budget, verdict in ((hours(1), Verdict.VOID), (minutes(59), Verdict.UNKNOWN)):
        assert evaluate(h.events, response(budget, around), h.at("2026-03-02 12:00")).verdict is verdict


def test_a_resolution_does_not_need_messages(history, clock):
    """Only the response is unknown."""
    assert clock(unanswered(history).resolved("2026-03-02 10:00"), "12:00").verdict is Verdict.MET


def test_monitoring_is_answered_by_acknowledging(history, response, around):
    """Where monitoring opened, the acknowledgement stops the response."""
    h = (
        history()
        .opened("2026-03-02 09:00", by=Actor.monitoring("nagios"))
        .add("acknowledged", "2026-03-02 09:20")
    )
    told = evaluate(h.events, response(hours(1), around), h.at("2026-03-02 12:00"))
    assert (told.stop_reason, told.elapsed) == ("acknowledged", dt.timedelta(minutes=20))


def test_known_at_answers_what_the_report_of_that_day_said(history, resolution, around):
    """Resolved at ten but recorded at two: at noon the clock was known to run."""
    h = history().opened("2026-03-02 09:00").resolved("2026-03-02 10:00", recorded="2026-03-02 14:00")
    target, noon = resolution(hours(2), around), h.at("2026-03-02 12:00")
    assert evaluate(h.events, target, noon).verdict is Verdict.MET
    assert evaluate(h.events, target, noon, known_at=noon).verdict is Verdict.BREACHED
    assert evaluate(h.events, target, noon, known_at=h.at("2026-03-02 08:00")).state is ClockState.NOT_STARTED


def test_naive_instants_and_float_shares_are_refused(history, clock, resolution, around):
    """Nobody can tell which instant a naive datetime means, nor what a float was."""
    h = history().opened("2026-03-02 09:00")
    for naive in (
        {"at": dt.datetime(2026, 3, 2)},
        {"at": h.at("2026-03-02 10:00"), "known_at": dt.datetime(2026, 3, 2)},
    ):
        with pytest.raises(NaiveDatetime):
            evaluate(h.events, resolution(hours(1), around), **naive)
    with pytest.raises(InvalidValue, match="floats round"):
        clock(h, "10:00").instant_at(0.5)


def test_a_clock_names_its_calendar(history, resolution):
    """A calendar without a name is told by its fingerprint."""
    bare = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")
    h = history().opened("2026-03-02 09:00")
    told = evaluate(h.events, resolution(hours(1), bare), h.at("2026-03-02 10:00")).explain()
    assert told.calendar == f"{bare.fingerprint[:12]}@1"


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("08:00", "<resolution fix: not started>"),
        ("11:10", "<resolution fix: running, 2:10:00 of 4:00:00, due 2026-03-02 13:00 UTC>"),
        ("11:40", "<resolution fix: paused, 2:30:00 of 4:00:00>"),
        ("13:59", "<resolution fix: running, 3:59:00 of 4:00:00, due 2026-03-02 14:00 UTC>"),
        ("15:00", "<resolution fix: breached, 5:00:00 of 4:00:00, due 2026-03-02 14:00 UTC>"),
        ("23:00", "<resolution fix: breached, 6:00:00 of 4:00:00, stopped 2026-03-02 16:00 UTC>"),
    ],
)
def test_a_clock_shows_itself_in_one_line(history, resolution, around, at, said):
    """What it is, what it says, what was used, and the one instant that matters."""
    h = history().opened("2026-03-02 09:00").hold("2026-03-02 11:30").resumed("2026-03-02 12:30")
    h = h.resolved("2026-03-02 16:00")
    target = attrs.evolve(resolution("4h", around, pauses_on="requester"), id="fix")
    clock = evaluate(h.events, target, h.at(f"2026-03-02 {at}"))
    assert repr(clock) == str(clock) == said


def test_a_clock_shows_open_time_in_hours_and_to_the_microsecond(history, office):
    """Never in days, whose length nobody could tell; and a hair too much is seen."""
    h = history("Europe/Berlin").opened("2026-03-02 09:00")
    target = Target("fix", "resolution", duration=hours(30), calendar=office)
    at = h.at("2026-03-02 09:00") + dt.timedelta(hours=1, microseconds=7)
    assert ": running, 1:00:00.000007 of 30:00:00, due " in repr(evaluate(h.events, target, at))
    assert f" {office.zone.key}>" in repr(evaluate(h.events, target, at))


def test_clocks_are_found_by_the_name_of_their_metric(history, around):
    """A metric is a text, so either will do."""
    h = history().opened("2026-03-02 09:00")
    found = judge(h.events, default_agreement(around), h.at("2026-03-02 10:00"))
    assert found["resolution"] is found[Metric.RESOLUTION]
    assert list(found) == ["response", "resolution"]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda h, _, at: judge(h.events, "gold", at), "^agreement 'gold': is no Agreement; make one"),
        (lambda _, agreement, at: judge(5, agreement, at), "^events 5: is no list of Event"),
        (lambda _, agreement, at: judge(["x"], agreement, at), "^events 'x': is no Event; give the events"),
        (lambda h, _, at: evaluate(h.events, "fix", at), "^target 'fix': is no Target; give one"),
        (lambda _, agreement, at: evaluate(None, agreement.targets[0], at), "^events None: is no list"),
        (lambda _, agreement, at: conclude("x", agreement.targets[0], at), "^timeline 'x': is no Timeline"),
    ],
)
def test_what_is_mixed_up_is_refused_by_name(history, around, ask, message):
    """The error names the thing, the reason and the remedy."""
    h = history().opened("2026-03-02 09:00")
    with pytest.raises(InvalidValue, match=message):
        ask(h, default_agreement(around), h.at("2026-03-02 10:00"))


@pytest.mark.parametrize("duration", ["3 business days", "end of business day +2", "200000 business days",
                                      "900000000 calendar days"])  # fmt: skip
def test_a_due_rule_without_an_instant_leaves_a_clock_that_never_falls_due(history, resolution, duration):
    """It runs, is met or paused as any other, is never breached, and says why in words."""
    ended = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC", valid_to="2026-03-03")
    target = resolution(duration, ended)
    h = history().opened("2026-03-02 09:00")
    now = evaluate(h.events, target, h.at("2027-01-01 00:00"))
    assert (now.unlimited, now.state, now.verdict, now.due_at) == (True, "running", "running", None)
    assert (now.share, now.elapsed, now.budget, now.overrun) == (0, 16 * HOUR, dt.timedelta.max, NONE)
    assert now.instant_at(50) is None
    assert "no limit" in repr(now)
    told = now.explain()
    assert "never due: the calendar does not open again" in told.text()
    assert "16 hours used. " in told.text()
    assert "永不到期" in told.text("zh")
    assert told.to_dict()["budget_us"] is None
    held = evaluate(h.hold("2026-03-02 12:00").events, target, h.at("2026-03-02 15:00"))
    assert (held.state, held.elapsed) == ("paused", 3 * HOUR)
    assert "does not open again" in held.explain().text()
    done = evaluate(h.resolved("2026-03-02 16:00").events, target, h.at("2026-03-02 17:00"))
    assert (done.verdict, done.breached) == ("met", False)
