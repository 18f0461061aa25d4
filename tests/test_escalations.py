"""What escalation did to a record: the fold of its events, one rule for each kind."""

import datetime as dt

import attrs
import pytest

from itsm_core.actors import Actor
from itsm_core.events import Event
from itsm_core.records import Escalation, Past, apply, fold
from itsm_core.values import from_dict, to_dict

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
ANA, BO = Actor.person("ana", "agent"), Actor.person("bo", "agent")


def events(*steps):
    """An incident, and what came after it, a minute apart; a step is (kind, fields[, actor])."""
    opening = ("opened", {"process": "incident", "phase": "new", "title": "x", "priority": "P3"})
    found = []
    for seq, (kind, fields, *actor) in enumerate((opening, *steps), start=1):
        at = T0 + seq * MINUTE
        found.append(
            Event(
                id=f"e{seq}", record="I-1", seq=seq, kind=kind, occurred_at=at, recorded_at=at,
                actor=actor[0] if actor else ANA, fields=fields, lifecycle="incident", lifecycle_version=1,
            )
        )  # fmt: skip
    return found


def state(*steps):
    """What is known of the run after these; one by one it is the same as all at once."""
    told = events(*steps)
    record = None
    for event in told:
        record = apply(record, event)
    assert record == fold(told)
    assert from_dict(type(record), to_dict(record)) == record
    return record.escalation


def key(step, target="ana", generation=0, loop=0):
    """The key of an effect."""
    return f"I-1:standard.3/{generation}/{loop}/{step}/{target}/sms"


def fired(step, to="ana", generation=0, **more):
    """An effect as it is recorded."""
    fields = {"key": key(step, to, generation), "policy": "standard", "policy_version": 3, "step": step}
    fields |= {"generation": generation, "loop": 0, "to": to, "scheduled_at": "2024-01-08T09:00:00Z"}
    return "escalated", {**fields, **more}


def passed(step, why, **more):
    """An effect that did not come to be."""
    return "not_escalated", {**fired(step, "nobody")[1], "to": None, "why": why, **more}


ACK, RESOLVE = ("acknowledged", {}), ("transitioned", {"trigger": "resolve", "phase": "resolved"})
CLOSE = ("transitioned", {"trigger": "close", "phase": "closed"})
REOPEN = ("transitioned", {"trigger": "reopen", "phase": "active"})
SNOOZE = ("snoozed", {"until": "2024-01-08T12:00:00Z"})
GIVEN = ("assigned", {"group": "desk", "assignee": "ana"})
MOVED = ("assigned", {"group": "network"})
GOES_ON = ("escalation_resumed", {"why": "snooze_over", "mode": "resume", "key": "k"})
ANEW = ("escalation_resumed", {"why": "ack_timeout", "mode": "restart", "key": "k"})


def test_a_record_that_nobody_watches_has_none():
    """And it is one value for all of them."""
    assert state() == Escalation()
    assert fold(events()).escalation is fold(events()).escalation


# fmt: off
GENERATIONS = [
    # what happened                                        generation, cycle, since   why
    ([ACK],                                                (1, 0, 0)),  # it fences
    ([ACK, ACK],                                           (1, 0, 0)),  # said twice
    ([SNOOZE],                                             (1, 0, 0)),
    ([SNOOZE, SNOOZE],                                     (2, 0, 0)),  # put off once more
    ([SNOOZE, ACK],                                        (2, 0, 0)),  # ends the snooze
    ([SNOOZE, ACK, ACK],                                   (2, 0, 0)),
    ([ACK, SNOOZE],                                        (2, 0, 0)),
    ([ACK, ANEW],                                          (2, 0, 2)),  # chains begin anew
    ([SNOOZE, GOES_ON],                                    (2, 0, 0)),  # and here they do not
    ([GIVEN, SNOOZE, MOVED],                               (2, 0, 0)),  # reassigned
    ([SNOOZE, GIVEN],                                      (1, 0, 0)),  # to whom nobody had it: no reassignment
    ([GIVEN, ACK, MOVED],                                  (1, 0, 0)),  # acknowledged stays so
    ([RESOLVE],                                            (0, 0, 0)),
    ([CLOSE],                                              (1, 0, 0)),
    ([RESOLVE, CLOSE],                                     (1, 0, 0)),
    ([RESOLVE, REOPEN],                                    (1, 1, 1)),
    ([ACK, RESOLVE, REOPEN],                               (2, 2, 2)),
    ([CLOSE, REOPEN],                                      (2, 2, 2)),
    ([("policy_migrated", {"policy": "p", "policy_version": 2, "mode": "next_step"})],      (0, 0, 0)),
    ([("policy_migrated", {"policy": "p", "policy_version": 2, "mode": "retime_current"})], (0, 0, 0)),
    ([("policy_migrated", {"policy": "p", "policy_version": 2, "mode": "restart"})],        (1, 0, 1)),
    ([("policy_migrated", {"policy": "p", "policy_version": 2, "mode": "switch"})],         (1, 0, 0)),
]
# fmt: on


@pytest.mark.parametrize(("steps", "expected"), GENERATIONS)
def test_a_generation_begins_with_whatever_makes_earlier_words_void(steps, expected):
    """Acknowledging, snoozing, their ends, closing, reopening, another policy; by hand, row by row."""
    now = state(*steps)
    assert (now.generation, now.cycle, now.since) == expected


def test_an_acknowledgement_names_who_and_when():
    """Each once, in the order in which they said so."""
    now = state(ACK, ("acknowledged", {}, BO), ACK)
    assert (now.acknowledged_by, now.acknowledged_at) == (("ana", "bo"), T0 + 4 * MINUTE)


def test_of_all_who_were_told_each_must_acknowledge():
    """Those of this generation; a group that got the work is nobody's pager."""
    both = [fired("a", "ana"), fired("a", "bo"), fired("m", "network", step_kind="functional")]
    every = ("acknowledged", {"mode": "all"})
    half = state(*both, every)
    assert (half.is_acknowledged, half.acknowledged_by, half.generation) == (False, ("ana",), 0)
    whole = state(*both, every, ("acknowledged", {"mode": "all"}, BO))
    assert (whole.is_acknowledged, whole.generation) == (True, 1)
    assert state(*both).told() == {"ana", "bo"}
    assert state(*both, ACK).told() == frozenset()


def test_the_last_resort_of_a_step_that_moves_work_was_told():
    """It is a person beside the group, and acknowledges as others do."""
    moved = [fired("m", "network", step_kind="functional"),
             fired("m", "duty", step_kind="functional", no_responder=True)]  # fmt: skip
    assert state(*moved).told() == {"duty"}


def test_a_callback_cannot_acknowledge():
    """Nobody waits for the siren to say that it is on it."""
    both = [fired("a", "ana"), fired("a", "callback:siren")]
    assert state(*both).told() == {"ana"}
    assert state(*both, ("acknowledged", {"mode": "all"})).is_acknowledged


def test_of_nobody_who_was_told_one_is_enough():
    """Before anything has fired the first to say so is on it."""
    assert state(("acknowledged", {"mode": "all"})).is_acknowledged


def test_a_snooze_is_an_acknowledgement_with_an_end():
    """It names who, and ends what was acknowledged before."""
    now = state(("acknowledged", {}, BO), SNOOZE)
    assert (now.acknowledged_by, now.snoozed_until) == (("ana",), T0 + 180 * MINUTE)
    assert now.acknowledged_at == T0 + 3 * MINUTE


@pytest.mark.parametrize("end", [GOES_ON, ANEW])
def test_when_it_ends_nobody_is_on_it(end):
    """And it is known since when."""
    now = state(SNOOZE, end)
    assert (now.acknowledged_by, now.acknowledged_at, now.snoozed_until) == ((), None, None)
    assert now.resumed_at == now.last_at == T0 + 3 * MINUTE


def test_several_effects_of_a_step_are_one_turn():
    """Whom it told is kept together; the next turn of the step is another."""
    once = state(fired("a", "ana"), fired("a", "bo"), fired("a", "bo", generation=1))
    first, second = once.past
    assert (first.to, second.to, first.at) == (("ana", "bo"), ("bo",), T0 + 2 * MINUTE)
    assert (first.scheduled_at, first.why) == (T0, None)


@pytest.mark.parametrize(
    "steps", [(passed("a", "coalesced"), fired("a")), (fired("a"), passed("a", "coalesced"))]
)
def test_a_step_that_told_somebody_has_fired(steps):
    """Even where another of its words was left to a later step; in either order."""
    (turn,) = state(*steps).past
    assert (turn.why, turn.to) == (None, ("ana",))


def test_a_step_that_was_passed_over_had_its_turn():
    """Its key is no effect's, so it may still be."""
    record = fold(events(passed("a", "empty")))
    assert [(turn.step, turn.why) for turn in record.escalation.past] == [("a", "empty")]
    assert record.fired == frozenset()


def test_a_branch_tells_where_the_chain_went():
    """Also where the same turn told somebody."""
    (turn,) = state(fired("a"), fired("a", "boss", went="boss")).past
    assert turn.went == "boss"


def test_a_clock_set_back_is_no_step_and_is_told_once():
    """Its key is kept so that nobody says it again."""
    record = fold(events(("not_escalated", {"key": "k", "why": "clock_regressed", "policy": "standard"})))
    assert (record.escalation.past, record.fired) == ((), {"k"})


def test_an_escalation_of_an_older_history_says_it_in_its_key():
    """Before 0.3 an event said no generation and no loop."""
    old = {"key": key("warn", "lead", generation=2, loop=1), "scheduled_at": "2024-01-08T09:00:00Z"}
    (turn,) = state(("escalated", old)).past
    assert (turn.policy, turn.step, turn.generation, turn.loop) == ("standard", "warn", 2, 1)
    assert turn == attrs.evolve(turn, to=())


@pytest.mark.parametrize("strange", ["", "run/1", "a/b/c/d/e/f", "I-1:p.1/²/0/s/t/c", "x/0/y/s/t/c"])
def test_a_key_of_another_shape_is_no_turn(strange):
    """It is kept, and tells nothing of steps; nothing breaks."""
    record = fold(events(("escalated", {"key": strange})))
    assert (record.escalation.past, record.fired) == ((), {strange})


def test_an_instant_that_an_older_event_does_not_say_is_when_it_fired():
    """There is none better."""
    (turn,) = state(("escalated", {"key": key("warn")})).past
    assert turn.scheduled_at == turn.at


def test_reopening_forgets_the_steps_and_remembers_the_reopenings():
    """The first twenty of them, as of reassignments."""
    many = [RESOLVE, REOPEN] * 22
    now = state(fired("a"), *many)
    assert now.past == ()
    assert len(now.reopenings) == 20
    assert now.reopenings[0] == T0 + 4 * MINUTE
    assert now.resumed_at == T0 + 46 * MINUTE


def test_reassignments_are_remembered_by_the_rule_of_the_record():
    """From somebody to somebody else; the first twenty."""
    turns = [("assigned", {"group": f"g{n}"}) for n in range(23)]
    record = fold(events(*turns))
    assert (record.reassigned, len(record.escalation.reassignments)) == (22, 20)
    assert record.escalation.reassignments[0] == T0 + 3 * MINUTE


@pytest.mark.parametrize(
    ("step", "heard"),
    [
        (("communicated", {"direction": "outbound", "audience": "requester"}), True),
        (("communicated", {"direction": "outbound", "audience": "requester", "automatic": True}), False),
        (("communicated", {"direction": "inbound", "audience": "internal"}), False),
        (("noted", {"text": "x"}), True),
        (GIVEN, False),
    ],
)
def test_a_record_is_not_silent_when_the_desk_says_something(step, heard):
    """Out or inside; not what comes in, nor what machines say."""
    assert (state(step).updated_at == T0 + 2 * MINUTE) is heard


@pytest.mark.parametrize("kind", ["reprioritised", "assigned", "transitioned"])
def test_a_change_of_priority_is_known_with_what_it_was(kind):
    """By whatever command; the same once more is none."""
    now = state((kind, {"priority": "P1", "phase": "new"}), (kind, {"priority": "P1", "phase": "new"}))
    assert now.priority_changed_at == T0 + 2 * MINUTE


def test_a_first_priority_is_no_change():
    """There was none to rise from."""
    (opening, *_), change = events(), ("reprioritised", {"priority": "P1"})
    bare = attrs.evolve(opening, fields={"process": "incident", "phase": "new"})
    assert fold([bare, events(change)[1]]).escalation.priority_changed_at is None


@pytest.mark.parametrize(
    ("said", "pinned"),
    [("standard@3", ("standard", 3)), ("a@b@12", ("a@b", 12)), ("standard", (None, None)), (7, (None, None))],
)
def test_an_opening_pins_what_it_says(said, pinned):
    """A stamp that is none of ours pins nothing."""
    (opening,) = events()
    record = fold([attrs.evolve(opening, fields={**opening.fields, "watched_by": said})])
    assert (record.escalation.policy, record.escalation.version) == pinned
    assert record.escalation.started_at is None
    assert "watched_by" not in record.values


def test_a_later_pin_says_since_when():
    """A restart says it anew; other migrations leave it."""
    pin = ("policy_pinned", {"policy": "standard", "policy_version": 1})
    moved = {"policy": "standard", "policy_version": 2}
    kept = state(pin, ("policy_migrated", {**moved, "mode": "next_step"}))
    assert (kept.policy, kept.version, kept.started_at) == ("standard", 2, T0 + 2 * MINUTE)
    assert state(pin, ("policy_migrated", {**moved, "mode": "restart"})).started_at == T0 + 3 * MINUTE


def test_what_the_machinery_does_makes_no_view_stale():
    """A person who saw the record before a step fired may still act on it."""
    told = events(
        fired("a"), passed("b", "empty"), ANEW, ("policy_pinned", {"policy": "p", "policy_version": 1})
    )
    assert (fold(told).touched, fold(told).version) == (1, 5)


def test_the_last_instant_never_goes_back():
    """A late word of the machinery is folded where it belongs."""
    told = events(fired("a"), fired("b"))
    late = attrs.evolve(told[2], seq=4, id="late", kind="not_escalated", occurred_at=T0 + 2 * MINUTE,
                        fields={**passed("c", "empty")[1]})  # fmt: skip
    assert fold([*told, late]).escalation.last_at == T0 + 3 * MINUTE
    assert Past in {type(turn) for turn in fold(told).escalation.past}
