"""The golden scenarios that break at least one product, as far as a clock decides them.

What approvals, escalation and links decide is beside their own tests: 14, 17 and 19.
"""

import datetime as dt
import re
from itertools import permutations
from pathlib import Path

import pytest

from itsm_core.business_time import BusinessCalendar, hours, minutes
from itsm_core.errors import AmbiguousDuration, InvalidValue
from itsm_core.priority import Priority
from itsm_core.records import fold
from itsm_core.sla import Agreement, ClockState, Target, Verdict, default_agreement, evaluate, judge

HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)


def always(zone):
    return BusinessCalendar.always(zone)


@pytest.mark.parametrize(
    ("start", "end", "truth"),
    [
        ("2026-03-28 23:30", "2026-03-30 12:00", 35 * HOUR + 30 * MINUTE),
        ("2026-10-24 00:15", "2026-10-26 12:00", 60 * HOUR + 45 * MINUTE),
        ("2026-10-25 00:30", "2026-10-25 12:00", 12 * HOUR + 30 * MINUTE),
    ],
)
def test_scenario_01_a_night_with_a_change_of_clocks_counts_its_real_hours(
    history, resolution, start, end, truth
):
    """Open around the clock in Paris, a clock counts real hours over both changes (GLPI)."""
    h = history("Europe/Paris").opened(start).resolved(end)
    assert evaluate(h.events, resolution(hours(99), always("Europe/Paris")), h.at(end)).elapsed == truth


def test_scenario_02_a_pause_over_the_fall_back_night_is_90_real_minutes(history, resolution):
    """A pause from 00:15Z to 01:45Z takes 90 minutes although the wall clock says 30 (Zammad)."""
    h = history().opened("2026-10-24 22:00").hold("2026-10-25 00:15").resumed("2026-10-25 01:45")
    clock = evaluate(h.events, resolution(hours(8), always("Europe/Berlin")), h.at("2026-10-25 04:00"))
    assert clock.elapsed == 4 * HOUR + 30 * MINUTE


def test_scenario_03_a_yearly_closure_over_new_year_closes_both_years(history, resolution):
    """24 December to 2 January every year: Christmas and New Year are closed, the 23rd and the 3rd are not (GLPI)."""
    calendar = BusinessCalendar.weekly("daily 09:00-17:00", zone="Europe/Paris", holidays=["12-24..01-02"])
    days = ("2026-12-23", "2026-12-24", "2026-12-25", "2027-01-01", "2027-01-02", "2027-01-03", "2027-12-25")
    h = history("Europe/Paris")
    assert [calendar.is_open(h.at(f"{day} 12:00")) for day in days] == [
        True, False, False, False, False, True, False,
    ]  # fmt: skip
    h.opened("2026-12-23 16:00")
    clock = evaluate(h.events, resolution(hours(2), calendar), h.at("2027-01-03 09:30"))
    assert (clock.elapsed, clock.due_at) == (90 * MINUTE, h.at("2027-01-03 10:00"))
    assert sum(s.kind == "closed" for s in clock.explain().segments) > 0


def test_scenario_04_due_and_warning_follow_the_hours(history, resolution):
    """Four hours from Monday 17:00 on 08-18 are due Tuesday 11:00, the warning an hour before (GLPI)."""
    calendar = BusinessCalendar.weekly("mon-fri 08:00-18:00", zone="Europe/Paris")
    h = history("Europe/Paris").opened("2026-03-02 17:00")
    clock = evaluate(h.events, resolution(hours(4), calendar), h.at("2026-03-02 17:00"))
    assert clock.due_at == h.at("2026-03-03 11:00")
    assert clock.instant_at(75) == h.at("2026-03-03 10:00")
    h = history("Europe/Paris").opened("2026-03-02 16:00")
    clock = evaluate(h.events, resolution(hours(4), calendar), h.at("2026-03-02 17:00"))
    assert clock.due_at == h.at("2026-03-03 10:00")


def test_scenario_05_a_weekend_counts_no_business_hour(history, resolution):
    """Friday 21:00 to Monday 09:30 is 1.5 h of 08-17 and 60.5 h of wall time (ServiceNow)."""
    calendar = BusinessCalendar.weekly("mon-fri 08:00-17:00", zone="UTC")
    h = history().opened("2026-03-06 21:00")
    clock = evaluate(h.events, resolution(hours(8), calendar), h.at("2026-03-09 09:30"))
    assert clock.elapsed == 90 * MINUTE
    assert sum((s.length for s in clock.explain().segments), dt.timedelta()) == 60 * HOUR + 30 * MINUTE


def test_scenario_06_resolved_straight_from_hold_counts_the_work_only(history, resolution, office):
    """One hour of work, two days on hold, resolved from hold: 1 h, met, one truth (Frappe)."""
    h = (
        history("Europe/Berlin")
        .opened("2026-03-02 09:00")
        .hold("2026-03-02 10:00")
        .resolved("2026-03-04 10:00")
    )
    clock = evaluate(h.events, resolution(hours(8), office), h.at("2026-03-04 12:00"))
    assert (clock.elapsed, clock.verdict, clock.overrun) == (HOUR, Verdict.MET, dt.timedelta())
    assert clock.due_at == h.at("2026-03-04 17:00")


def test_scenario_07_a_save_on_hold_after_the_old_deadline_changes_nothing(history, resolution, office):
    """An event that changes no state leaves a paused clock paused, whenever it comes (Frappe)."""
    h = history("Europe/Berlin").opened("2026-03-02 09:00").hold("2026-03-02 10:00")
    target, at = resolution(hours(4), office), h.at("2026-03-05 12:00")
    before = evaluate(h.events, target, at)
    after = evaluate(h.add("noted", "2026-03-05 11:00", text="still waiting").events, target, at)
    assert after == before
    assert (after.state, after.verdict, after.due_at) == (ClockState.PAUSED, Verdict.RUNNING, None)


def test_scenario_08_a_target_lowered_below_what_was_used_is_breached_at_once(history, resolution, around):
    """Two hours spent, hold, target now one hour: breached, with the instant, before any resume (iTop)."""
    h = history().opened("2026-03-02 09:00", priority="P3").hold("2026-03-02 11:00")
    h.add("reprioritised", "2026-03-02 12:00", priority="P1")
    targets = (
        resolution(hours(1), around, priorities="P1"),
        Target("slow", "resolution", duration=hours(8), calendar=around, pauses_on="requester"),
    )
    (target,) = Agreement("a", 1, targets=targets).targets_for(fold(h.events))
    for events in (h.events, h.resumed("2026-03-02 13:00").events):
        clock = evaluate(events, target, h.at("2026-03-02 13:00"))
        assert (clock.verdict, clock.due_at) == (Verdict.BREACHED, h.at("2026-03-02 10:00"))


def test_scenario_09_both_targets_may_lapse_before_anybody_is_assigned(history, resolution, response, around):
    """Response and resolution are judged apart: neither hides the other's breach (iTop)."""
    h = history().opened("2026-03-02 09:00")
    at = h.at("2026-03-02 20:00")
    clocks = [
        evaluate(h.events, t, at) for t in (response(minutes(30), around), resolution(hours(8), around))
    ]
    assert [c.verdict for c in clocks] == [Verdict.BREACHED] * 2


def test_scenario_10_a_result_reached_is_not_rewritten_by_a_later_target(history, office):
    """Met in 2 h 30 under 4 h stays met when the priority or the agreement changes later (Jira)."""
    h = history("Europe/Berlin").opened("2026-03-02 09:00", priority="P3").said("2026-03-02 11:30")
    h.add("reprioritised", "2026-03-02 12:00", priority="P1")
    at, agreement = h.at("2026-03-02 13:00"), default_agreement(office)
    kept, raised = judge(h.events, agreement, at).values()
    assert (kept.target.id, raised.target.id) == ("p3-response", "p1-resolution")
    assert (kept.verdict, kept.target.agreement) == (Verdict.MET, "default@1")


def test_scenario_11_nothing_is_decided_on_a_rounded_share(history, resolution, around):
    """99.995 % is not breached, exactly all is met, and one microsecond more is breached (ServiceNow)."""
    h = history().opened("2026-03-02 00:00")
    target, due = resolution(hours(10), around), h.at("2026-03-02 10:00")
    for at, verdict, share in (
        (due - dt.timedelta(seconds=1, milliseconds=800), Verdict.RUNNING, "19999/20000"),
        (due, Verdict.RUNNING, "1"),
        (due + dt.timedelta(microseconds=1), Verdict.BREACHED, "36000000001/36000000000"),
    ):
        clock = evaluate(h.events, target, at)
        assert (clock.verdict, str(clock.share)) == (verdict, share)
    clock = evaluate(h.resolved("2026-03-02 10:00").events, target, due)
    assert (clock.verdict, clock.share) == (Verdict.MET, 1)
    assert "(99 %)" in evaluate(h.events[:1], target, due - dt.timedelta(microseconds=1)).explain().text()


def test_scenario_12_one_day_is_refused_until_it_says_which(resolution, office):
    """A text such as "1 day" may be 24 hours, a business day or its end: a target must say which."""
    with pytest.raises(AmbiguousDuration, match="business day"):
        resolution("1 day", office)
    assert (
        resolution("24h", office)
        != resolution("1 business day", office)
        != resolution("end of business day", office)
    )


def test_scenario_13_a_reply_and_a_hold_at_one_instant_are_a_reply(history, response, around):
    """Stop goes before pause: the response is met (Zammad #3551)."""
    h = history().opened("2026-03-02 09:00").hold("2026-03-02 09:10").said("2026-03-02 09:10")
    clock = evaluate(h.events, response(minutes(10), around), h.at("2026-03-02 12:00"))
    assert (clock.verdict, clock.stop_reason, clock.elapsed) == (Verdict.MET, "answered", 10 * MINUTE)


def test_scenario_15_holidays_never_make_a_deadline_earlier(history, resolution):
    """Each further holiday moves the due instant later or leaves it (django-helpdesk)."""
    days = ["2026-03-03", "2026-03-04", "2026-03-05"]
    dues = []
    for n in range(4):
        calendar = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC", holidays=days[:n])
        h = history().opened("2026-03-02 09:00")
        dues.append(evaluate(h.events, resolution(hours(12), calendar), h.at("2026-03-02 10:00")).due_at)
    assert dues == [h.at(f"2026-03-0{d} 13:00") for d in (3, 4, 5, 6)]


def test_scenario_16_a_calendar_that_never_opens_is_refused(resolution):
    """No loop and no instant breach: the target is refused (GLPI, Frappe, OTRS)."""
    with pytest.raises(InvalidValue, match="never opens"):
        resolution(hours(1), BusinessCalendar.never("UTC"))


def test_scenario_16_a_calendar_that_ends_gives_no_due_instant(history, resolution):
    """Hours that end before the budget is used up: due is None, the verdict stays open."""
    calendar = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC", valid_to="2026-03-03")
    h = history().opened("2026-03-02 16:00")
    clock = evaluate(h.events, resolution(hours(40), calendar), h.at("2027-01-01 00:00"))
    assert (clock.due_at, clock.instant_at("200 %"), clock.verdict) == (None, None, Verdict.RUNNING)
    days = evaluate(h.events, resolution("5 business days", calendar), h.at("2027-01-01 00:00"))
    assert (days.due_at, days.instant_at("200 %"), days.verdict) == (None, None, Verdict.RUNNING)


@pytest.mark.parametrize("outcome", ["cancelled", "duplicate", "merged"])
def test_scenario_18_merge_cancel_and_duplicate_void_a_running_clock(
    history, resolution, response, around, outcome
):
    """The promise fell away: void, neither met nor missed; after a breach it stays visible (Zammad #904)."""
    h = history().opened("2026-03-02 09:00").closed("2026-03-02 10:00", outcome)
    at = h.at("2026-03-02 12:00")
    for target, verdict in (
        (resolution(hours(4), around), Verdict.VOID),
        (response(hours(1), around), Verdict.VOID),
        (response(minutes(59), around), Verdict.VOID_AFTER_BREACH),
    ):
        clock = evaluate(h.events, target, at)
        assert (clock.verdict, clock.state, clock.stop_reason) == (verdict, ClockState.VOID, outcome)
        assert clock.settled


def test_scenario_20_a_target_of_no_length_is_refused(resolution, office):
    """Zero time would breach every record."""
    for nothing in ("0h", "0 business days", "0 calendar days", dt.timedelta()):
        with pytest.raises(InvalidValue, match="leaves no time"):
            resolution(nothing, office)


def test_scenario_20_ties_and_late_events_give_one_answer(history, resolution, response, around):
    """Events at one instant and events that arrive late: the order of delivery does not matter."""
    h = history().opened("2026-03-02 09:00").hold("2026-03-02 09:30").resumed("2026-03-02 09:30")
    h.said("2026-03-02 09:30").resolved("2026-03-02 10:00", recorded="2026-03-02 11:00")
    at = h.at("2026-03-02 12:00")
    for target in (resolution(hours(4), around), response(hours(4), around)):
        clocks = {repr(evaluate(events, target, at)) for events in permutations(h.events)}
        assert len(clocks) == 1


def test_priority_is_that_of_the_stop_even_if_it_was_set_later(history, office):
    """A call answered before anybody gave a priority is judged by the first one it got."""
    h = history("Europe/Berlin").opened("2026-03-02 09:00", priority=None, channel="phone")
    at = h.at("2026-03-02 09:30")
    assert judge(h.events, default_agreement(office), at) == {}
    h.add("reprioritised", "2026-03-02 09:05", priority="P2").add(
        "reprioritised", "2026-03-02 09:06", priority="P1"
    )
    clocks = judge(h.events, default_agreement(office), at).values()
    assert [clock.target.priorities for clock in clocks] == [{Priority.P2}, {Priority.P1}]


def test_every_scenario_is_a_test_by_name():
    """One to twenty, each under its number somewhere in the tests, beside what decides it."""
    tests = Path(__file__).parent.parent
    written = "".join(file.read_text(encoding="utf-8") for file in sorted(tests.rglob("test_*.py")))
    found = {int(number) for number in re.findall(r"^def test_scenario_(\d\d)_\w+\(", written, re.MULTILINE)}
    assert found == set(range(1, 21))
