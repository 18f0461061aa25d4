"""Timer edges: when they fall due, who fires them, and what they wait for."""

import datetime as dt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.actors import Actor
from itsm_core.business_time import BusinessCalendar, business_days, calendar_days, end_of_business_day, hours
from itsm_core.commands import Command
from itsm_core.lifecycle import InstantOf, Lifecycle, Need, State, Transition, decide, options
from itsm_core.lifecycle.timers import TIME, around_the_clock, next_timer, timer_due, too_soon
from itsm_core.records import Round, apply, fold
from itsm_core.values import as_fields

FRIDAY = dt.datetime(2024, 2, 2, 15, tzinfo=dt.UTC)
HOUR, TICK = dt.timedelta(hours=1), dt.timedelta(microseconds=1)
ANA = Actor.person("ana", "agent", "manager", "automation")
OFFICE = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC", name="office")
NEVER = BusinessCalendar.never("UTC")
STATES = (
    State("new", "new"),
    State("done", "resolved"),
    State("closed", "closed", outcome="completed"),
    State("parked", "waiting"),
)


def lifecycle(*rows, guards=None):
    """A lifecycle that ends by itself."""
    return Lifecycle("timed", 1, process="chore", initial="new", states=STATES, transitions=rows,
                     guards=guards or {})  # fmt: skip


def edge(trigger="auto_close", after=hours(2), *, dest="closed", guards=(), **more):  # noqa: B008
    """A timer edge out of "done"."""
    return Transition(trigger, "done", dest=dest, after=after, guards=guards, **more)


def done(made, **values):
    """A record that has been done since Friday three o'clock."""
    return attrs.evolve(made.record("X", "done", **values), entered_at=FRIDAY)


def fire(made, at, *, actor=TIME, calendar=None, trigger="auto_close", record=None, **fields):
    """The decision on a timer edge at an instant."""
    asked = Command(trigger, actor, at=at, fields=fields)
    return decide(record or done(made), asked, made, calendar=calendar)


PLAIN = lifecycle(edge())


# --- when it falls due ---------------------------------------------------------------------------

# fmt: off
DUE = [
    # after,                   calendar,          due
    (hours(2),                 None,              "2024-02-02T17:00:00+00:00"),
    (hours(4),                 OFFICE,            "2024-02-05T11:00:00+00:00"),  # two on Friday, two on Monday
    (calendar_days(2),         OFFICE,            "2024-02-04T15:00:00+00:00"),  # Sunday, open or not
    (calendar_days(2),         None,              "2024-02-04T15:00:00+00:00"),
    (business_days(1),         OFFICE,            "2024-02-05T15:00:00+00:00"),
    (business_days(1),         None,              "2024-02-03T15:00:00+00:00"),
    (end_of_business_day(1),   OFFICE,            "2024-02-05T17:00:00+00:00"),
    (hours(0),                 None,              "2024-02-02T15:00:00+00:00"),
    (hours(1),                 NEVER,             None),
    (business_days(3_000_000), OFFICE,            None),                         # beyond the last year
]
# fmt: on


@pytest.mark.parametrize(("after", "calendar", "due"), DUE, ids=range(len(DUE)))
def test_a_timer_edge_falls_due_when_the_record_has_been_in_the_state_so_long(after, calendar, due):
    """Counted on the calendar given; around the clock in UTC where there is none."""
    made = lifecycle(edge(after=after))
    found = timer_due(done(made), made.transitions[0], calendar)
    assert (None if found is None else found.isoformat()) == due
    waits = next_timer(done(made), made, calendar=calendar)
    assert waits == (None if due is None else (found, "auto_close"))
    assert found == timer_due(done(made), made.transitions[0], calendar or around_the_clock())


def test_a_transition_that_people_fire_falls_due_never():
    """It has nothing to count."""
    row = Transition("close", "done", dest="closed", roles="agent")
    assert timer_due(done(PLAIN), row, None) is None


def test_a_record_of_a_table_that_does_not_say_since_when_has_no_timer():
    """Nothing can be counted from nowhere; a host says it with `entered_at`."""
    record = PLAIN.record("X", "done")
    assert timer_due(record, PLAIN.transitions[0], None) is None
    assert next_timer(record, PLAIN) is None
    assert "too_soon" in fire(PLAIN, FRIDAY + 99 * HOUR, record=record).codes


RULE = {"due": "2024-02-05T12:00:00.000000Z"}


@pytest.mark.parametrize(
    ("known", "due"),
    [
        ("2024-02-05T12:00:00+00:00", "2024-02-05T12:00:00+00:00"),
        ("2024-02-05T13:00:00+01:00", "2024-02-05T12:00:00+00:00"),
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00+00:00"),  # before it came into the state: due at once
        (None, None),
        ("", None),
        ("soon", None),
        ("2024-02-05T12:00:00", None),  # of no zone: nobody knows which instant
        ("9999-12-31T23:59:59Z", None),
        (5, None),
    ],
    ids=repr,
)
@pytest.mark.parametrize("calendar", [None, OFFICE, NEVER], ids=["none", "office", "never"])
def test_a_timer_edge_falls_due_at_the_instant_that_the_record_names(known, due, calendar):
    """Whatever is counted elsewhere, and however long it has been in the state; what is no instant never."""
    made = lifecycle(edge(after=InstantOf("ring_at")))
    record = attrs.evolve(done(made), values=type(done(made).values)({"ring_at": known}), entered_at=None)
    found = timer_due(record, made.transitions[0], calendar)
    assert (None if found is None else found.isoformat()) == due
    assert next_timer(record, made, calendar=calendar) == (None if due is None else (found, "auto_close"))
    reasons = fire(made, FRIDAY + 99 * HOUR, record=record, calendar=calendar).reasons
    assert [reason.code for reason in reasons] == (["too_soon"] if due is None else [])


def test_what_waits_for_an_instant_says_which():
    """As it says how long it waits for a time."""
    made = lifecycle(edge(after=InstantOf("ring_at")))
    reason, when = fire(made, FRIDAY, actor=ANA).reasons
    assert reason.message == "auto_close happens by itself after ring_at; nobody fires it"
    assert dict(reason.facts) == {"trigger": "auto_close", "after": "ring_at"}
    assert when.message == "auto_close falls due never; wait for it"


@pytest.mark.parametrize(
    ("rule", "ended", "due"),
    [
        (RULE, None, "2024-02-05T12:00:00+00:00"),
        ({"due": "2024-02-01T12:00:00Z"}, None, "2024-02-02T15:00:00+00:00"),  # not before it was asked
        (RULE, "edited", None),
        ({}, None, None),
        ({"due": 5}, None, None),
        ({"due": "soon"}, None, None),
    ],
)
def test_a_timer_edge_falls_due_when_the_round_that_counts_does(rule, ended, due):
    """A round that has ended counts no longer; one without a due date, or with none to be read, never does."""
    made = lifecycle(edge(after=InstantOf("approval.due")))
    asked = Round(id="e1", opened_at=FRIDAY, by="ana", rule=as_fields(rule), ended=ended)
    record = attrs.evolve(done(made), rounds=(asked,))
    found = timer_due(record, made.transitions[0], OFFICE)
    assert (None if found is None else found.isoformat()) == due
    assert timer_due(done(made), made.transitions[0], OFFICE) is None


# --- who fires it --------------------------------------------------------------------------------


def test_time_fires_it():
    """The library's own actor, at the instant it falls due; the event says so."""
    (event,) = fire(PLAIN, FRIDAY + 2 * HOUR).events
    assert (event.kind, event.from_state, event.to_state) == ("transitioned", "done", "closed")
    assert (event.actor, event.fields["trigger"], event.fields["outcome"]) == (
        TIME,
        "auto_close",
        "completed",
    )
    assert (TIME.id, TIME.kind, TIME.is_person) == ("itsm_core", "automation", False)


@pytest.mark.parametrize(
    "actor",
    [ANA, Actor.person("rita"), Actor.automation("bot", "automation"), Actor.automation("itsm_core")],
    ids=lambda actor: actor.id,
)
def test_nobody_else_fires_it(actor):
    """Neither a person of every role, nor the requester, nor an automation of the host."""
    made = lifecycle(edge(relation="requester"))
    record = done(made, requester="rita")
    (reason,) = fire(made, FRIDAY + 3 * HOUR, actor=actor, record=record).reasons
    assert reason.code == "timer"
    assert reason.message == "auto_close happens by itself after 2h; nobody fires it"
    assert dict(reason.facts) == {"trigger": "auto_close", "after": "2h"}


@pytest.mark.parametrize(("late", "fine"), [(-TICK, False), (0 * HOUR, True), (99 * HOUR, True)])
def test_it_is_not_fired_too_soon(late, fine):
    """At the instant it falls due it may; later it still may."""
    decision = fire(PLAIN, FRIDAY + 2 * HOUR + late)
    assert decision.accepted is fine
    if not fine:
        (reason,) = decision.reasons
        assert reason.code == "too_soon"
        assert reason.message == "auto_close falls due on 2024-02-02T17:00:00+00:00; wait for it"
        assert dict(reason.facts) == {"trigger": "auto_close", "due": "2024-02-02T17:00:00+00:00"}


def test_what_never_falls_due_is_never_fired():
    """On a calendar that never opens; the refusal says never."""
    (reason,) = fire(PLAIN, FRIDAY + 99 * HOUR, calendar=NEVER).reasons
    assert (reason.code, reason.message) == ("too_soon", "auto_close falls due never; wait for it")
    assert dict(reason.facts) == {"trigger": "auto_close", "due": None}


def test_the_calendar_of_the_decision_counts():
    """What is due around the clock is not due where the desk is closed meanwhile."""
    made = lifecycle(edge(after=hours(4)))
    assert fire(made, FRIDAY + 4 * HOUR).accepted
    assert fire(made, FRIDAY + 4 * HOUR, calendar=OFFICE).codes == ("too_soon",)
    assert fire(made, FRIDAY.replace(day=5, hour=11), calendar=OFFICE).accepted


def test_in_another_state_it_does_not_lead_out():
    """And nobody says when it would be due."""
    record = PLAIN.record("X", "new")
    assert fire(PLAIN, FRIDAY, record=record).codes == ("wrong_state",)
    assert fire(PLAIN, FRIDAY, record=record, actor=ANA).codes == ("wrong_state", "timer")


def test_duties_are_not_kept_apart_from_time():
    """Nobody acts."""
    made = lifecycle(edge(separate_from="open"))
    assert fire(made, FRIDAY + 2 * HOUR, record=done(made, requester="itsm_core")).accepted


def test_time_brings_what_the_edge_needs():
    """A timer edge may ask for fields, and may bring any that a record keeps."""
    made = lifecycle(edge(requires=(Need("closure_code", "a rule"),)))
    at = FRIDAY + 2 * HOUR
    assert fire(made, at).codes == ("missing_field",)
    (event,) = fire(made, at, closure_code="policy", category="mail").events
    assert (event.fields["closure_code"], event.fields["category"]) == ("policy", "mail")
    assert fire(made, at, closure_code="policy", colour="red").codes == ("unknown_field",)


# --- guards --------------------------------------------------------------------------------------


def test_a_guard_may_object_to_time_too():
    """A major incident does not close by itself."""

    def not_major(situation):
        return "a major incident is closed by people" if situation.record.major else None

    made = lifecycle(edge(guards="not_major"), guards={"not_major": not_major})
    at = FRIDAY + 2 * HOUR
    assert fire(made, at).accepted
    assert fire(made, at, record=done(made, major=True)).codes == ("guard",)
    assert fire(made, FRIDAY, record=done(made, major=True)).codes == ("guard", "too_soon")
    assert next_timer(done(made), made) == (at, "auto_close")
    assert next_timer(done(made, major=True), made) is None


def test_a_guard_of_a_timer_sees_the_instant_it_falls_due():
    """With everything that the host loaded, and time as the actor."""
    seen = []
    made = lifecycle(edge(guards="look"), guards={"look": seen.append})
    friend = made.record("Y")
    assert next_timer(done(made), made, calendar=OFFICE, related=(friend,)) is not None
    (situation,) = seen
    assert (situation.actor, situation.trigger, situation.at) == (TIME, "auto_close", FRIDAY + 2 * HOUR)
    assert (situation.related, situation.calendar, situation.fields) == ((friend,), OFFICE, {})


# --- several ------------------------------------------------------------------------------------


def test_the_next_timer_is_the_one_that_falls_due_first():
    """Of several triggers the earliest; at one instant the first by name."""
    late, soon = edge("remind", hours(3), dest="done"), edge("park", hours(1), dest="parked")
    made = lifecycle(edge(), late, soon)
    assert next_timer(done(made), made) == (FRIDAY + HOUR, "park")
    made = lifecycle(edge("b"), edge("a", dest="parked"))
    assert next_timer(done(made), made) == (FRIDAY + 2 * HOUR, "a")
    assert next_timer(made.record("X"), made) is None


def test_of_two_edges_of_one_trigger_the_first_without_objection_waits():
    """As when it fires: a shorter one behind it would be refused as too soon."""

    def minor(situation):
        return "is major" if situation.record.major else None

    quick, slow = edge(after=hours(1), guards="minor"), edge(after=hours(5), dest="parked")
    made = lifecycle(quick, slow, guards={"minor": minor})
    for major, hours_, dest in ((False, 1, "closed"), (True, 5, "parked")):
        record = done(made, major=major)
        due, trigger = next_timer(record, made)
        assert due == FRIDAY + hours_ * HOUR
        (event,) = fire(made, due, record=record, trigger=trigger).events
        assert event.to_state == dest
    turned = lifecycle(slow, quick, guards={"minor": minor})
    assert next_timer(done(turned), turned) == (FRIDAY + 5 * HOUR, "auto_close")


def test_an_edge_behind_one_that_people_fire_does_not_wait():
    """The machine would take the first; nothing falls due that could not be fired."""
    made = lifecycle(Transition("close", "done", dest="closed", roles="agent"), edge("close"))
    assert next_timer(done(made), made) is None


def test_an_edge_that_never_falls_due_hides_those_behind_it():
    """For the same reason: it is the one that would be tried."""
    made = lifecycle(edge(after=business_days(3_000_000)), edge(after=hours(1)))
    assert next_timer(done(made), made) is None


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9), st.booleans()), min_size=1, max_size=6),
    st.sampled_from([None, OFFICE]),
)
def test_what_waits_fires_when_it_is_due_and_not_a_moment_before(rows, calendar):
    """Whatever edges there are, in whatever order, with whatever guards."""
    edges = [edge(t, hours(n), guards="no" if barred else ()) for t, n, barred in rows]
    made = lifecycle(*edges, guards={"no": lambda _: "no"})
    found = next_timer(done(made), made, calendar=calendar)
    firing = {t for t, _, _ in rows if fire(made, FRIDAY + 999 * HOUR, trigger=t, calendar=calendar).accepted}
    assert (found is None) is (not firing)
    if found is not None:
        due, trigger = found
        assert trigger in firing
        assert fire(made, due, trigger=trigger, calendar=calendar).accepted
        for other in firing:
            assert not fire(made, due - TICK, trigger=other, calendar=calendar).accepted


# --- buttons, and what comes after ---------------------------------------------------------------


def test_a_timer_edge_is_no_button():
    """Nobody presses it; not even time is shown one."""
    made = lifecycle(edge(), Transition("close", "done", dest="closed", roles="agent"))
    for actor in (ANA, TIME):
        assert [option.trigger for option in options(done(made), actor, made)] == ["close"]


@pytest.mark.parametrize(("at", "codes"), [(FRIDAY, ["too_soon"]), (FRIDAY + 2 * HOUR, []), (None, [])])
def test_a_trigger_of_people_and_of_time_is_a_button_that_says_why_it_is_grey(at, codes):
    """Where the row of people is barred, the timer edge is what would be taken: as `decide` says."""
    people = Transition("close", "done", dest="closed", roles="agent", guards="no")
    made = lifecycle(people, edge("close"), guards={"no": lambda _: "no"})
    for actor, more in ((ANA, ["timer"]), (TIME, [])):
        (found,) = options(done(made), actor, made, at=at)
        assert [reason.code for reason in found.reasons] == more + codes
        if at is not None:
            decision = decide(done(made), Command("close", actor, at=at), made)
            assert decision.reasons == found.reasons


def test_a_new_stay_in_the_state_is_counted_from_its_beginning():
    """Reopened and done again: the two hours begin anew."""
    made = lifecycle(
        Transition("finish", "new", dest="done", roles="agent"),
        Transition("reopen", "done", dest="new", roles="agent", reopens="resume"),
        edge(),
    )
    asked = Command("open", ANA, at=FRIDAY, fields={"record": "X", "title": "x"})
    events = list(decide(None, asked, made).events)
    record = fold(events)
    for n, trigger in enumerate(("finish", "reopen", "finish"), 1):
        (event,) = decide(record, Command(trigger, ANA, at=FRIDAY + n * HOUR), made).events
        record = apply(record, event)
    assert next_timer(record, made) == (FRIDAY + 5 * HOUR, "auto_close")


def test_too_soon_says_nothing_of_what_is_due():
    """The rule alone, without a decision around it."""
    row = PLAIN.transitions[0]
    assert too_soon(done(PLAIN), row, FRIDAY + 2 * HOUR, None) == []
    assert [reason.code for reason in too_soon(done(PLAIN), row, FRIDAY, None)] == ["too_soon"]
