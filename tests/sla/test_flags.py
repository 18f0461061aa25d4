"""Flags: what spares a target a breach in its last tenth is told, and changes no verdict."""

import pytest

from itsm_core.business_time import BusinessCalendar, hours
from itsm_core.sla import Agreement, Target, Verdict, judge

AROUND = BusinessCalendar.always("UTC")
TEN = Target("ten", "resolution", duration=hours(10), calendar=AROUND, priorities="P3", pauses_on="requester")
TWENTY = Target("twenty", "resolution", duration=hours(20), calendar=AROUND, priorities="P4")
FIVE = Target("five", "resolution", duration=hours(5), calendar=AROUND, priorities="P1")
AGREED = Agreement("a", 1, targets=[TEN, TWENTY, FIVE])


def flags(h, at="2026-03-03 09:00"):
    """The codes of the resolution's flags, and their verdict."""
    clock = judge(h.events, AGREED, h.at(at))["resolution"]
    return [(flag.code, flag.event) for flag in clock.flags], clock.verdict


@pytest.mark.parametrize(
    ("minute", "found"),
    [("17:59", []), ("18:00", [("held_late", "e2")]), ("19:00", [("held_late", "e2")]), ("19:01", [])],
)
def test_a_hold_in_the_last_tenth_is_flagged(history, minute, found):
    """Nine hours of ten exactly are the last tenth; a pause after the due instant changes nothing."""
    h = history().opened("2026-03-02 09:00").hold(f"2026-03-02 {minute}")
    assert flags(h)[0] == found


def test_every_late_hold_is_flagged(history):
    """Each by its own event; a note in between is none."""
    h = (
        history()
        .opened("2026-03-02 09:00")
        .hold("2026-03-02 18:10")
        .add("noted", "2026-03-02 18:15", text="x")
    )
    h.resumed("2026-03-02 18:20").hold("2026-03-02 18:30")
    assert flags(h) == ([("held_late", "e2"), ("held_late", "e5")], Verdict.RUNNING)


def test_a_record_opened_on_hold_is_not_flagged(history):
    """Nothing had been used of it."""
    h = history().opened("2026-03-02 09:00", phase="waiting", waits_on="requester")
    assert flags(h)[0] == []


@pytest.mark.parametrize(
    ("priority", "at", "found"),
    [
        ("P4", "17:59", []),
        ("P4", "18:00", [("lowered_late", None)]),
        ("P4", "19:01", []),  # breached by then: the breach of the old target is gone with it, retroactively
        ("P1", "18:30", []),
    ],
)
def test_a_longer_target_in_the_last_tenth_of_the_old_one_is_flagged(history, priority, at, found):
    """A shorter one is no favour."""
    h = history().opened("2026-03-02 09:00").add("reprioritised", f"2026-03-02 {at}", priority=priority)
    assert flags(h)[0] == found


@pytest.mark.parametrize("outcome", ["merged", "retyped", "duplicate", "cancelled"])
def test_a_promise_that_falls_away_in_its_last_tenth_is_flagged(history, outcome):
    """By the outcome it fell away with; not before, nor when it was breached already."""
    opened = "2026-03-02 09:00"
    late = history().opened(opened).closed("2026-03-02 18:30", outcome)
    assert flags(late) == ([(f"{outcome}_late", "e2")], Verdict.VOID)
    assert flags(history().opened(opened).closed("2026-03-02 12:00", outcome))[0] == []
    over = history().opened(opened).closed("2026-03-02 19:30", outcome)
    assert flags(over) == ([], Verdict.VOID_AFTER_BREACH)


def test_a_priority_without_a_target_takes_the_promise_away(history):
    """The clock is void from then on, flagged in the last tenth, and goes on if a target comes back."""
    h = history().opened("2026-03-02 09:00").add("reprioritised", "2026-03-02 18:30", priority="P5")
    clock = judge(h.events, AGREED, h.at("2026-03-03 09:00"))["resolution"]
    assert (clock.verdict, clock.stop_reason) == (Verdict.VOID, "no_target")
    assert flags(h)[0] == [("no_target_late", None)]


def test_flags_are_told(history):
    """In words, in both languages, and as data."""
    h = history().opened("2026-03-02 09:00").hold("2026-03-02 18:10")
    told = judge(h.events, AGREED, h.at("2026-03-03 09:00"))["resolution"].explain()
    assert "Flagged: held 2026-03-02 18:10 +0000, with less than a tenth left" in told.text()
    assert "注意：2026-03-02 18:10 +0000 挂起，当时剩余不足十分之一" in told.text("zh")
    assert told.to_dict()["flags"] == [
        {"code": "held_late", "at": "2026-03-02T18:10:00+00:00", "event": "e2"}
    ]
