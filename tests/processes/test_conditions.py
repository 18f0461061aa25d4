"""The conditions that several processes share: each lets pass what it should, and nothing else."""

import datetime as dt
from itertools import combinations, pairwise

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.actors import Actor
from itsm_core.business_time import BusinessCalendar, always, business_days, never
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle import Situation
from itsm_core.processes import CONDITIONS, INCIDENT, TASK, conditions
from itsm_core.processes.conditions import (
    CLOSING,
    CLOSING_ITSELF,
    CLOSURES,
    ELSEWHERE,
    SUCCESSORS,
    closes_by_itself,
    contacts,
    goes_elsewhere,
    has_a_successor,
    no_open_tasks,
    policy_may_close,
    requester_confirms,
    silence_is_shown,
    tasks_of,
)

T = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)  # a Monday
HOUR, DAY, TICK = dt.timedelta(hours=1), dt.timedelta(days=1), dt.timedelta(microseconds=1)
ANA, RITA = Actor.person("ana", "agent"), Actor.person("rita")
BOT = Actor.automation("bot", "automation")
OFFICE = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")


def situation(actor=ANA, *, trigger="close", at=T, related=(), calendar=None, fields=None, **held):
    """A resolved incident of rita, and what is asked of it."""
    parts = {name: held.pop(name) for name in ("links", "attempts") if name in held}
    record = INCIDENT.record("INC-1", "resolved", **{"requester": "rita", **held})
    return Situation(
        record=attrs.evolve(record, **parts),
        actor=actor,
        trigger=trigger,
        at=at,
        related=related,
        calendar=calendar,
        fields=fields or {},
    )


def task(id, state="complete"):
    """A task in a state."""
    return TASK.record(id, state)


# --- tasks -------------------------------------------------------------------------------------

LINKED = {"links": (("task", "T-1"), ("child_of", "INC-0"), ("task", "T-2"))}


def test_a_record_without_tasks_may_go_on():
    """Links of other relations are no tasks, and records that are not linked do not matter."""
    assert no_open_tasks(situation()) is None
    assert no_open_tasks(situation(links=(("child_of", "T-1"),), related=(task("T-1", "open"),))) is None


@pytest.mark.parametrize("state", [s.id for s in TASK.states])
def test_a_record_goes_on_when_each_of_its_tasks_is_done(state):
    """Complete, incomplete and skipped are done; open, in progress and on hold are not."""
    reason = no_open_tasks(situation(**LINKED, related=(task("T-1"), task("T-2", state))))
    if TASK.by_id[state].phase is Phase.CLOSED:
        assert reason is None
    else:
        assert reason.code == "open_tasks"
        assert dict(reason.facts) == {"tasks": ("T-2",)}
        assert str(reason) == "still to be done: T-2; complete or skip its tasks first"


def test_what_is_resolved_owes_nothing_more():
    """A host's own task lifecycle may have a resolved state."""
    owned = attrs.evolve(task("T-1"), phase=Phase.RESOLVED)
    assert no_open_tasks(situation(links=(("task", "T-1"),), related=(owned,))) is None


@pytest.mark.parametrize("related", [(), (task("T-1"),), (task("T-1"), task("T-3"))])
def test_tasks_that_are_not_at_hand_do_not_pass_in_silence(related):
    """Nobody can say that they are done."""
    reason = no_open_tasks(situation(**LINKED, related=related))
    assert reason.code == "tasks_not_at_hand"
    unseen = ("T-2",) if related else ("T-1", "T-2")
    assert dict(reason.facts) == {"tasks": unseen}
    assert str(reason).startswith(f"its tasks are not at hand: {', '.join(unseen)}; ")


def test_an_open_task_is_named_before_one_that_is_not_at_hand():
    """What is known comes first."""
    reason = no_open_tasks(situation(**LINKED, related=(task("T-2", "on_hold"),)))
    assert (reason.code, dict(reason.facts)["tasks"]) == ("open_tasks", ("T-2",))


def test_all_open_tasks_are_named():
    """One refusal says everything."""
    related = (task("T-2", "open"), task("T-1", "in_progress"))
    reason = no_open_tasks(situation(**LINKED, related=related))
    assert str(reason) == "still to be done: T-1, T-2; complete or skip its tasks first"


def test_tasks_come_in_the_order_of_their_links():
    """Those at hand, and the ids of the others."""
    one, two = task("T-1"), task("T-2", "open")
    assert tasks_of(situation(**LINKED, related=(two, one))) == ((one, two), ())
    assert tasks_of(situation(**LINKED, related=(two,))) == ((two,), ("T-1",))
    assert tasks_of(situation(related=(two,))) == ((), ())


# --- three contacts, a business day apart --------------------------------------------------------

ROUND_THE_CLOCK = always("Europe/Berlin")
EASTER = BusinessCalendar.weekly(
    "mon-fri 09:00-17:00", zone="Europe/Berlin", holidays=[dt.date(2026, 4, 3), dt.date(2026, 4, 6)]
)


def berlin(*texts):
    """Instants by the clock on a wall in Berlin."""
    return tuple(dt.datetime.fromisoformat(text).replace(tzinfo=ROUND_THE_CLOCK.zone) for text in texts)


# fmt: off
SOUGHT = [
    # iso-20000.md 5.3: three attempts, at least a business day apart; counted by hand
    ("none",                      None,            (), 0),
    ("one",                       None,            (T,), 1),
    ("24 hours apart",            None,            (T, T + DAY, T + 2 * DAY), 3),
    ("a tick short of 24 hours",  None,            (T, T + DAY - TICK, T + 2 * DAY - 2 * TICK), 2),
    ("all on one day",            None,            (T, T + HOUR, T + 2 * HOUR, T + 3 * HOUR), 1),
    ("two a day",                 None,            (T, T + HOUR, T + DAY, T + DAY + HOUR, T + 2 * DAY), 3),
    # The clock goes forward in the night to 29 March 2026: that day has 23 hours.
    ("23 hours in spring",        ROUND_THE_CLOCK, berlin("2026-03-28T12:00", "2026-03-29T12:00"), 2),
    ("a tick before that",        ROUND_THE_CLOCK, berlin("2026-03-28T12:00", "2026-03-29T11:59:59.999999"), 1),
    # It goes back in the night to 25 October 2026: that day has 25.
    ("24 hours in autumn",        ROUND_THE_CLOCK, berlin("2026-10-24T12:00", "2026-10-25T11:00"), 1),
    ("25 hours in autumn",        ROUND_THE_CLOCK, berlin("2026-10-24T12:00", "2026-10-25T12:00"), 2),
    ("over a weekend and the clock going forward", EASTER,
     berlin("2026-03-27T16:00", "2026-03-28T16:00", "2026-03-30T15:59", "2026-03-30T16:00"), 2),
    ("Good Friday, Saturday and Easter Monday do not count", EASTER,
     berlin("2026-04-02T10:00", "2026-04-03T10:00", "2026-04-04T10:00", "2026-04-06T10:00"), 1),
    ("the Tuesday and Wednesday after do", EASTER,
     berlin("2026-04-02T10:00", "2026-04-06T10:00", "2026-04-07T10:00", "2026-04-08T10:00"), 3),
    ("a contact on a holiday is one of the next day that opens", EASTER,
     berlin("2026-04-03T10:00", "2026-04-07T16:59", "2026-04-08T09:00"), 2),
]
# fmt: on


@pytest.mark.parametrize(("calendar", "attempts", "count"), [row[1:] for row in SOUGHT],
                         ids=[row[0] for row in SOUGHT])  # fmt: skip
def test_contacts_count_that_lie_a_business_day_apart(calendar, attempts, count):
    """By the calendar of the desk; without one a day is 24 hours. Their order does not matter."""
    assert contacts(attempts, calendar)[0] == count
    assert contacts(tuple(reversed(attempts)), calendar)[0] == count


def test_the_next_contact_that_would_count_is_known():
    """A business day after the last that did; None where none did, or no day opens any more."""
    assert contacts((), OFFICE) == (0, None)
    assert contacts((T, T + HOUR), OFFICE) == (1, T + DAY)
    assert contacts((T,)) == (1, T + DAY)
    friday = T + 4 * DAY
    assert contacts((friday,), OFFICE) == (1, friday + 3 * DAY)
    assert contacts((T, T + DAY, T + 2 * DAY), never("UTC")) == (1, None)
    end = dt.datetime(9999, 12, 31, 12, tzinfo=dt.UTC)
    assert contacts((end, end + HOUR)) == (1, None)


def test_contacts_after_the_instant_asked_about_do_not_count():
    """What is decided late is decided on what had happened by then; the instant itself counts."""
    attempts = (T, T + DAY, T + 2 * DAY)
    assert contacts(attempts, until=T - TICK) == (0, None)
    assert contacts(attempts, until=T + DAY - TICK) == (1, T + DAY)
    assert contacts(attempts, until=T + DAY) == (2, T + 2 * DAY)


HOURS = st.lists(st.integers(0, 24 * 9), max_size=7, unique=True)


@given(HOURS, st.sampled_from([None, OFFICE, EASTER]))
def test_no_choice_of_contacts_lies_apart_more_often(hours, calendar):
    """The count is the most that any choice among them gives, so one more contact never lowers it."""
    attempts = tuple(T + hour * HOUR for hour in sorted(hours))
    days = calendar or always("UTC")
    choices = [c for n in range(len(attempts) + 1) for c in combinations(attempts, n)]
    apart = [c for c in choices if all(b >= days.add(a, business_days(1)) for a, b in pairwise(c))]
    assert contacts(attempts, calendar)[0] == max(len(c) for c in apart)


SILENT = {"closure_code": "no_response_after_attempts"}
THRICE = (T - 2 * DAY, T - DAY, T)


def test_silence_takes_three_contacts():
    """Two are refused with when the next one counts, three are enough."""
    assert silence_is_shown(situation(fields=SILENT, attempts=THRICE)) is None
    reason = silence_is_shown(situation(fields=SILENT, attempts=THRICE[1:]))
    assert reason.code == "too_few_contacts"
    assert dict(reason.facts) == {"contacts": 2, "needed": 3, "again": "2024-02-06T09:00:00+00:00"}
    assert str(reason) == (
        "the requester was sought on 2 of 3 business days since they were last heard; "
        "what is sent from 2024-02-06T09:00:00+00:00 on counts"
    )


def test_nobody_sought_is_no_silence():
    """There is no instant to wait for then."""
    reason = silence_is_shown(situation(fields=SILENT))
    assert dict(reason.facts) == {"contacts": 0, "needed": 3, "again": None}
    assert str(reason) == "the requester was sought on 0 of 3 business days since they were last heard"


def test_silence_is_judged_at_the_instant_of_the_command_on_the_desk_s_calendar():
    """A contact that came later does not count, nor one within a business day."""
    assert silence_is_shown(situation(fields=SILENT, attempts=THRICE, at=T - TICK)).code == "too_few_contacts"
    assert silence_is_shown(situation(fields=SILENT, attempts=THRICE, at=None)) is None
    week = tuple(T + n * DAY for n in (3, 4, 5))  # Thursday, Friday, Saturday
    late = situation(fields=SILENT, attempts=week, at=T + 9 * DAY, calendar=OFFICE)
    assert dict(silence_is_shown(late).facts)["contacts"] == 2


@pytest.mark.parametrize("code", [c for c in CLOSURES if c not in SILENT.values()] + [None])
def test_other_ways_of_closing_take_no_contacts(code):
    """Only silence has to be shown."""
    assert silence_is_shown(situation(fields={"closure_code": code} if code else {})) is None


# --- what closes by itself, and by policy --------------------------------------------------------


@pytest.mark.parametrize("mark", ["major", "security", "complaint"])
def test_what_is_major_about_security_or_a_complaint_takes_a_word(mark):
    """iso-20000.md 5.3: never auto-close majors, complaints, security; nor by policy, which is the same."""
    for held in (situation(trigger="auto_close", **{mark: True}), situation(fields={mark: True})):
        reason = closes_by_itself(held)
        assert (reason.code, dict(reason.facts)) == ("takes_a_word", {"marked": (mark,)})
        assert mark in str(reason)
    assert (
        policy_may_close(situation(fields={"closure_code": "policy"}, **{mark: True})).code == "takes_a_word"
    )
    assert policy_may_close(situation(fields={"closure_code": "user_confirmed"}, **{mark: True})) is None


def test_all_marks_are_named():
    """One refusal says everything."""
    reason = closes_by_itself(situation(major=True, complaint=True))
    assert str(reason) == (
        "it is marked major and complaint, and such a record takes somebody's word to close"
    )


def test_the_command_that_closes_does_not_take_the_mark_off():
    """Whoever demotes it does so on record first."""
    asked = {"closure_code": "policy", "major": False}
    assert policy_may_close(situation(fields=asked, major=True)).code == "takes_a_word"


def test_everything_else_closes_by_itself_and_by_policy():
    """Also where the marks are there and say no."""
    assert closes_by_itself(situation()) is None
    assert closes_by_itself(situation(major=False, security=False, complaint=False)) is None
    assert policy_may_close(situation(fields={"closure_code": "policy"})) is None
    assert policy_may_close(situation(major=True)) is None


# --- the requester confirms ----------------------------------------------------------------------


@pytest.mark.parametrize("code", CLOSURES)
def test_a_requester_closes_by_confirming_only(code):
    """INC-15: the other ways are evidence that the desk gives."""
    reason = requester_confirms(situation(RITA, fields={"closure_code": code}))
    if code == "user_confirmed":
        assert reason is None
    else:
        assert reason.code == "desk_only"
        assert dict(reason.facts) == {"field": "closure_code", "value": code}


def test_a_role_that_is_none_of_the_desk_s_makes_no_difference():
    """An employee is a requester like any other; the refusal says what they may do."""
    employee = Actor.person("rita", "employee")
    reason = requester_confirms(situation(employee, fields={"closure_code": "policy"}))
    assert str(reason) == "policy is the desk's to say; close with user_confirmed"


@pytest.mark.parametrize("actor", [ANA, BOT, Actor.person("mona", "manager"), Actor.person("rita", "agent")])
def test_the_desk_closes_in_every_way_also_what_it_asked_for_itself(actor):
    """The role counts."""
    assert requester_confirms(situation(actor, fields={"closure_code": "monitoring_verified"})) is None


def test_who_is_not_the_requester_is_refused_by_role_not_by_this():
    """A host may let other roles close; and a button brings no code yet."""
    other = Actor.person("otto", "dispatcher")
    assert requester_confirms(situation(other, fields={"closure_code": "policy"})) is None
    assert requester_confirms(situation(RITA)) is None


# --- going on elsewhere --------------------------------------------------------------------------


@pytest.mark.parametrize("field", SUCCESSORS)
def test_a_record_goes_on_in_another_one(field):
    """Not in itself, and not in one that is closed as far as that is known."""
    assert has_a_successor(situation()) is None
    assert has_a_successor(situation(fields={field: "INC-2"})) is None
    itself = has_a_successor(situation(fields={field: "INC-1"}))
    assert (itself.code, dict(itself.facts)) == ("names_itself", {"other": "INC-1"})
    assert str(itself) == "INC-1 cannot take over from itself; name another record"
    for state in INCIDENT.states:
        other = INCIDENT.record("INC-2", state.id)
        reason = has_a_successor(situation(fields={field: "INC-2"}, related=(other,)))
        if state.phase is Phase.CLOSED:
            assert reason.code == "successor_closed"
            assert dict(reason.facts) == {"other": "INC-2", "outcome": state.outcome}
            assert str(reason) == "INC-2 is closed and keeps no promise any more; name an open record"
        else:
            assert reason is None


def test_closed_records_beside_it_do_not_matter():
    """Only the one that is named."""
    closed = INCIDENT.record("INC-3", "closed")
    assert has_a_successor(situation(fields={"merged_into": "INC-2"}, related=(closed,))) is None


def test_the_ways_elsewhere_are_one_for_each_field_and_state():
    """The state's outcome says which way it went."""
    rows = goes_elsewhere(("new",), "our rule")
    assert [(row.trigger, row.dest, row.requires[0].field) for row in rows] == [
        ("mark_duplicate", "duplicate", "duplicate_of"),
        ("merge", "merged", "merged_into"),
        ("retype", "retyped", "successor"),
    ]
    assert tuple(row.requires[0].field for row in rows) == SUCCESSORS
    assert [(s.id, s.phase, s.outcome) for s in ELSEWHERE] == [
        (row.dest, Phase.CLOSED, row.dest) for row in rows
    ]
    assert [need.field for need in rows[2].requires] == ["successor", "reason"]
    assert {need.clause for row in rows for need in row.requires} == {"our rule"}
    words = [dict(thing.label) for thing in (*ELSEWHERE, *rows, *(n for row in rows for n in row.requires))]
    assert all(set(said) == {"en", "zh"} and all(said.values()) for said in words)


# --- names ---------------------------------------------------------------------------------------


def test_every_guard_is_registered_by_its_own_name():
    """What a definition names is what is called."""
    assert {name: guard.__name__ for name, guard in CONDITIONS.items()} == {name: name for name in CONDITIONS}
    assert {*CLOSING, *CLOSING_ITSELF, "has_a_successor"} == set(CONDITIONS)


def test_needs_say_what_they_are_for_in_both_languages():
    """The clause is the process's to name, the words are the same everywhere."""
    made = [conditions.hold_reason("c"), conditions.look_again("c"), conditions.message("c"),
            conditions.why("c"), conditions.closure("c")]  # fmt: skip
    assert [need.field for need in made] == [
        "hold_reason", "look_again_at", "message", "reason", "closure_code",
    ]  # fmt: skip
    assert all(need.clause == "c" and set(dict(need.label)) == {"en", "zh"} for need in made)
    assert all(words for need in made for _, words in need.label)
    assert made[0].one_of == tuple(WaitsOn)
    assert made[4].one_of == CLOSURES
    assert [need.essential for need in made] == [True, False, True, True, True]
    assert not conditions.why("c", essential=False).essential
    assert not conditions.message("c", essential=False).essential
