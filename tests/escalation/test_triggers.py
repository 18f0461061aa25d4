"""What sets a step off: each kind of trigger, and waits that say in which time they count."""

import datetime as dt

import pytest

from escalated import T0, Desk, done, opened
from itsm_core.business_time import BusinessCalendar, business_days, hours, minutes
from itsm_core.errors import AmbiguousDuration, InvalidValue
from itsm_core.escalation import EscalationPolicy, EscalationStep, Trigger, TriggerKind, Wait, business, wall
from itsm_core.escalation.triggers import MOST_TIMES, wait_of
from itsm_core.sla import Metric

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
DESK = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/London")
DONE = {"resolution_outcome": "workaround", "resolution_notes": "x"}


def on(trigger, **fields):
    """A desk whose policy has one step, set off by a trigger."""
    step = EscalationStep("step", trigger=trigger, to="x")
    return Desk(EscalationPolicy("p", 1, steps=[step]), **fields)


# --- waits -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wait", "told"),
    [
        ("15m wall", wall(minutes(15)), "15m wall"),
        ("2h business", business(hours(2)), "2h business"),
        (" 1h 30m  WALL ", wall("90m"), "1h 30m wall"),
        ("1 business day", business(business_days(1)), "1 business day"),
        ("end of business day +1", business("end of business day +1"), "end of business day +1"),
        ("3 calendar days", business("3 calendar days"), "3 calendar days"),
    ],
)
def test_a_wait_says_in_which_time_it_counts(text, wait, told):
    """Wall time or open time; business and calendar days say so themselves."""
    assert wait_of(text) == wait == wait_of(wait)
    assert str(wait) == told


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ("15m", InvalidValue, "wait '15m': does not say in which time it counts; say the time"),
        (dt.timedelta(minutes=15), InvalidValue, "does not say in which time it counts"),
        (minutes(15), InvalidValue, "does not say in which time it counts"),
        ("1 day wall", AmbiguousDuration, "more than one meaning"),
        ("soon wall", InvalidValue, "names no duration"),
        ("wall", InvalidValue, "names no duration"),
        ("1 business day wall", InvalidValue, "counts days on the wall"),
    ],
)
def test_a_wait_that_does_not_say_so_is_refused(wrong, error, message):
    """A plain timedelta means open time elsewhere in this library: here nothing is guessed."""
    with pytest.raises(error, match=message):
        wait_of(wrong)


def test_a_wait_is_made_of_a_duration_and_a_unit():
    """Neither a number nor another word will do."""
    with pytest.raises(InvalidValue, match=r"^wait 15: is no duration"):
        Wait(15, "wall")
    with pytest.raises(InvalidValue, match="use one of wall, business"):
        Wait(minutes(15), "moon")


@pytest.mark.parametrize(
    ("wait", "start", "end"),
    [
        # Friday 16:00 in London; Monday has the missing hour; Europe/London 2026-03-29 (tzdata)
        ("2h wall", "2026-03-27T16:00:00+00:00", "2026-03-27T18:00:00+00:00"),
        ("2h business", "2026-03-27T16:00:00+00:00", "2026-03-30T09:00:00+00:00"),  # 10:00 BST
        ("1 business day", "2026-03-27T16:00:00+00:00", "2026-03-30T15:00:00+00:00"),  # 16:00 BST
        ("1 calendar day", "2026-03-28T16:00:00+00:00", "2026-03-29T15:00:00+00:00"),  # 16:00 BST
        ("end of business day", "2026-03-27T16:00:00+00:00", "2026-03-27T17:00:00+00:00"),
    ],
)
def test_when_a_wait_is_over(wait, start, end):
    """By hand, over the Sunday on which the clocks of London went forward."""
    found = wait_of(wait).after(dt.datetime.fromisoformat(start), DESK)
    assert found == dt.datetime.fromisoformat(end)


def test_some_waits_may_take_no_time():
    """What may be due at once is asked again at once."""
    assert wait_of("1s wall").is_long
    assert not wait_of("0m wall").is_long
    assert not wait_of("end of business day").is_long


# --- triggers ----------------------------------------------------------------------------------------


def test_a_trigger_is_made_by_the_method_that_names_it():
    """One type, ten kinds."""
    made = [
        Trigger.share_of("75 %", "response"), Trigger.in_state("on_hold", "4h business"),
        Trigger.unacknowledged("5m wall"), Trigger.silent("1h wall"), Trigger.reopened(2),
        Trigger.reassigned(3), Trigger.priority_changed(to="P1"), Trigger.update_overdue(),
        Trigger.report_overdue(), Trigger.review_overdue("4h business"),
    ]  # fmt: skip
    assert [trigger.kind for trigger in made] == list(TriggerKind)
    assert made[0].metric is Metric.RESPONSE


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Trigger("share"), "trigger 'share': needs share; write Trigger.share_of"),
        (lambda: Trigger("reopened", count=1, wait="1m wall"), "has no use for wait; write Trigger.reopened"),
        (lambda: Trigger("loud"), "is no kind of trigger; use one of share"),
        (lambda: Trigger.share_of(0), "stands at or before the start"),
        (lambda: Trigger.in_state("", "1m wall"), "state '': is no word"),
        (lambda: Trigger.reopened(0), f"count 0: is no number of times; count 1 to {MOST_TIMES}"),
        (lambda: Trigger.reassigned(MOST_TIMES + 1), "is no number of times"),
        (lambda: Trigger.reopened(True), "count True: is no number of times"),
    ],
)
def test_a_trigger_that_cannot_be_is_refused(make, message):
    """By name, with what to write."""
    with pytest.raises(InvalidValue, match=message):
        make()


def test_time_in_a_state_begins_anew_each_time_it_is_entered():
    """Four hours on hold, twice; leaving it in between sets the wait back."""
    wait = {"hold_reason": "supplier", "message": "?", "look_again_at": T0 + 9 * DAY}
    desk = on(Trigger.in_state("on_hold", "4h wall"))
    assert desk.due(T0) is None
    desk.fire("hold", T0 + HOUR, **wait)
    assert desk.due(T0 + HOUR) == T0 + 5 * HOUR
    (first,) = desk.tick(T0 + 5 * HOUR)
    assert desk.tick(T0 + 6 * HOUR) == ()
    desk.fire("resume", T0 + 7 * HOUR)
    assert desk.due(T0 + 7 * HOUR) is None
    desk.fire("hold", T0 + 8 * HOUR, **wait)
    (second,) = desk.tick(T0 + 12 * HOUR)
    assert (first.key, second.key) == ("I-1:p.1/0/0/step/x/console", "I-1:p.1/0/1/step/x/console")


def test_silence_begins_with_the_last_word_and_with_each_word_anew():
    """Opened at nine, a note at ten: silent for an hour at eleven, and after the next note again."""
    desk = on(Trigger.silent("1h wall"))
    assert desk.due(T0) == T0 + HOUR
    desk.heard("noted", T0 + HOUR - MINUTE, text="looking")
    assert desk.due(T0 + HOUR) == T0 + 2 * HOUR - MINUTE
    assert len(desk.tick(T0 + 2 * HOUR)) == 1
    assert desk.due(T0 + 2 * HOUR) is None
    desk.heard("noted", T0 + 3 * HOUR, text="found")
    assert desk.due(T0 + 3 * HOUR) == T0 + 4 * HOUR
    desk.fire("resolve", T0 + 3 * HOUR, **DONE)
    assert desk.due(T0 + 3 * HOUR) is None
    desk.fire("reopen", T0 + 5 * HOUR, reason="no")
    assert desk.due(T0 + 5 * HOUR) == T0 + 6 * HOUR


def test_automatic_words_break_no_silence():
    """A receipt is not news."""
    desk = on(Trigger.silent("1h wall"))
    said = {"direction": "outbound", "audience": "requester", "automatic": True}
    desk.heard("communicated", T0 + MINUTE, **said)
    assert desk.due(T0 + MINUTE) == T0 + HOUR


def test_each_reopening_from_the_second_on():
    """The first is nothing; the second and the third each set it off, at once."""
    desk, at = on(Trigger.reopened(2)), T0
    fired = []
    for _ in range(3):
        desk.fire("resolve", at + HOUR, **DONE)
        assert desk.due(at + HOUR) is None
        at += 2 * HOUR
        desk.fire("reopen", at, reason="no")
        fired.append([effect.scheduled_at for effect in desk.tick(at + MINUTE)])
    assert fired == [[], [T0 + 4 * HOUR], [T0 + 6 * HOUR]]


def test_the_third_reassignment_sets_it_off_once():
    """At that instant; a reopening later does not bring it back."""
    desk = on(Trigger.reassigned(2))
    for n, group in enumerate(["one", "two", "three", "four"]):
        desk.fire("assign", T0 + n * HOUR, group=group)
    (effect,) = desk.tick(T0 + 4 * HOUR)
    assert effect.scheduled_at == T0 + 2 * HOUR
    desk.fire("resolve", T0 + 5 * HOUR, **DONE)
    desk.fire("reopen", T0 + 6 * HOUR, reason="no")
    assert desk.tick(T0 + 7 * HOUR) == ()


def test_a_change_of_priority_sets_it_off_each_time():
    """To P1 and not to P2; back and forth is twice."""
    desk = on(Trigger.priority_changed(to="P1"), events=opened(T0, impact="low"))
    assert desk.due(T0) is None
    for at, impact in ((HOUR, "high"), (2 * HOUR, "medium"), (3 * HOUR, "high")):
        desk.events = done(desk.events, "reprioritise", T0 + at, impact=impact)
        found = desk.tick(T0 + at)
        assert len(found) == (impact == "high")
    assert desk.tick(T0 + 4 * HOUR) == ()


def test_any_change_of_priority_does_where_none_is_named():
    """The step that names no priority is for all of them."""
    desk = on(Trigger.priority_changed())
    desk.events = done(desk.events, "reprioritise", T0 + HOUR, impact="low")
    assert len(desk.tick(T0 + HOUR)) == 1


def test_an_update_of_a_major_incident_that_is_overdue():
    """Five minutes after it was due; after the next update the next one."""
    desk = on(Trigger.update_overdue("5m wall"))
    assert desk.due(T0) is None
    desk.update_due_at = T0 + HOUR
    assert desk.due(T0) == T0 + HOUR + 5 * MINUTE
    assert len(desk.tick(T0 + HOUR + 5 * MINUTE)) == 1
    assert desk.due(T0 + HOUR + 5 * MINUTE) is None
    desk.update_due_at = T0 + 2 * HOUR
    assert desk.due(T0 + 90 * MINUTE) == T0 + 2 * HOUR + 5 * MINUTE


@pytest.mark.parametrize(
    ("trigger", "due"),
    [
        (Trigger.report_overdue("5m wall"), "report_due_at"),
        (Trigger.review_overdue("5m wall"), "review_due_at"),
    ],
)
def test_a_paper_of_a_major_incident_that_is_overdue(trigger, due):
    """Owed after the end, so also of a resolved record; of a closed one nothing is."""
    desk = on(trigger)
    assert desk.due(T0) is None
    desk.fire("resolve", T0 + MINUTE, **DONE)
    setattr(desk, due, T0 + HOUR)
    assert desk.due(T0 + MINUTE) == T0 + HOUR + 5 * MINUTE
    assert len(desk.tick(T0 + HOUR + 5 * MINUTE)) == 1
    assert desk.due(T0 + 2 * HOUR) is None
    setattr(desk, due, T0 + 3 * HOUR)
    assert desk.due(T0 + 2 * HOUR) == T0 + 3 * HOUR + 5 * MINUTE
    desk.fire("close", T0 + 2 * HOUR, closure_code="monitoring_verified")
    assert desk.due(T0 + 2 * HOUR) is None


@pytest.mark.parametrize(
    "trigger",
    [
        Trigger.unacknowledged("1m wall"), Trigger.silent("1m wall"), Trigger.reopened(1), Trigger.reassigned(1),
        Trigger.priority_changed(), Trigger.update_overdue(), Trigger.in_state("resolved", "1m wall"),
    ],
)  # fmt: skip
def test_nothing_sets_off_a_step_of_a_resolved_record(trigger):
    """Each kind, although all of it has happened."""
    desk = on(trigger, update_due_at=T0)
    desk.fire("resolve", T0 + HOUR, **DONE)
    desk.fire("reopen", T0 + 2 * HOUR, reason="no")
    for n, group in enumerate(["one", "two"]):
        desk.fire("assign", T0 + 2 * HOUR + n * MINUTE, group=group)
    desk.events = done(desk.events, "reprioritise", T0 + 3 * HOUR, impact="low")
    desk.fire("resolve", T0 + 4 * HOUR, **DONE)
    assert desk.due(T0 + 5 * HOUR) is None
    assert desk.tick(T0 + 5 * HOUR) == ()
