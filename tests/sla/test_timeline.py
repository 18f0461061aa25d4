"""The timeline: marks, answers, promises, and how it survives a snapshot."""

from itertools import product

import attrs
import pytest

from itsm_core.actors import Actor
from itsm_core.errors import InvalidValue
from itsm_core.events import Audience, Communication, Direction, Phase, WaitsOn, correction
from itsm_core.priority import Priority
from itsm_core.sla import Said, Timeline, extend, follows, trace
from itsm_core.values import canonical, from_dict, to_dict

MONITOR, BOT = Actor.monitoring("nagios"), Actor.automation("rules")
AI = Actor.ai_agent("triage", model="m", version="1")


def test_marks_stand_only_where_something_changes(history):
    """A transition into the same phase, wait and state adds no mark."""
    h = history().opened("2026-03-02 09:00", to="new").moved("2026-03-02 09:05", "active", to="in_progress")
    h.moved("2026-03-02 09:10", "active", to="in_progress").hold("2026-03-02 09:20", "supplier", to="on_hold")
    h.hold("2026-03-02 09:30", "requester").moved("2026-03-02 09:40", None)
    marks = [(m.phase, m.waits_on, m.state, m.event) for m in trace(h.events).marks]
    assert marks == [
        (Phase.NEW, None, "new", "e1"),
        (Phase.ACTIVE, None, "in_progress", "e2"),
        (Phase.WAITING, WaitsOn.SUPPLIER, "on_hold", "e4"),
        (Phase.WAITING, WaitsOn.REQUESTER, "on_hold", "e5"),
        (Phase.WAITING, None, "on_hold", "e6"),
    ]


def test_a_timeline_survives_a_snapshot(history):
    """As a dict it is canonical JSON, and it comes back equal."""
    h = history().opened("2026-03-02 09:00").said("2026-03-02 09:30", promise_due="9999-12-31T00:00:00+00:00")
    h.hold("2026-03-02 10:00").resolved("2026-03-02 11:00").resumed("2026-03-02 12:00").closed(
        "2026-03-02 13:00"
    )
    timeline = trace(h.events)
    assert canonical(to_dict(timeline))
    assert from_dict(Timeline, to_dict(timeline)) == timeline
    assert (timeline.settled, timeline.reopened) == (True, 1)


def test_an_empty_history_has_an_empty_timeline():
    """Nothing happened: no start, no marks, nothing settled."""
    timeline = trace([])
    assert (timeline.started_us, timeline.marks, timeline.settled, timeline.reopened) == (None, (), False, 0)
    assert timeline.priority_at(0) is None


def test_what_lies_before_the_opening_counts_from_it_on(history):
    """A reply and a move that a corrected opening leaves behind are not lost: the record knows them too."""
    h = history().opened("2026-03-02 08:00", recorded="2026-03-02 09:15")
    h.said("2026-03-02 08:15").resumed("2026-03-02 08:30")
    mend = correction(h.events[0], "occurred_at", h.at("2026-03-02 09:00"), "typo")
    h.add("corrected", "2026-03-02 09:30", **mend)
    timeline = trace(h.events)
    assert [m.phase for m in timeline.marks] == [Phase.NEW, Phase.ACTIVE]
    assert {timeline.started_us, timeline.answer().us, *(m.us for m in timeline.marks)} == {
        timeline.started_us
    }


def test_without_an_opening_nothing_is_known(history):
    """Events alone start no clock; the opening that comes later asks for a fold of all."""
    h = history().said("2026-03-02 08:00").opened("2026-03-02 09:00")
    head = trace(h.events[:1])
    assert (head.started_us, head.answer(), extend(None, h.events[0])) == (None, None, head)
    assert not follows(head, h.events[1])
    assert trace(h.events).answer().us == trace(h.events).started_us


def test_a_second_opening_does_not_move_the_start(history):
    """The promise starts once."""
    h = history().opened("2026-03-02 09:00").opened("2026-03-02 10:00")
    assert trace(h.events).started_us == trace(h.events[:1]).started_us


def test_a_migration_into_the_same_state_changes_no_clock(history):
    """Another lifecycle rules from then on; phase, wait and state are as they were."""
    h = history().opened("2026-03-02 09:00", to="new").hold("2026-03-02 10:00", "supplier", to="on_hold")
    before = trace(h.events)
    h.add("migrated", "2026-03-02 11:00", to="on_hold", phase="waiting", waits_on="supplier")
    after = trace(h.events)
    assert after.marks == before.marks
    assert (after.seq, after.answer(), after.reopened) == (3, before.answer(), 0)
    assert extend(before, h.events[-1]) == after


def test_a_migration_to_another_state_is_a_mark(history):
    """From then on the record stands where the plan put it: clocks go by the phase it says."""
    h = history().opened("2026-03-02 09:00", to="triaged").add("migrated", "2026-03-02 11:00", to="new")
    h.add("migrated", "2026-03-02 12:00", to="parked", phase="waiting", waits_on="requester")
    marks = [(m.phase, m.waits_on, m.state, m.event) for m in trace(h.events).marks]
    assert marks == [
        (Phase.NEW, None, "triaged", "e1"),
        (Phase.NEW, None, "new", "e2"),
        (Phase.WAITING, WaitsOn.REQUESTER, "parked", "e3"),
    ]


def test_a_migration_keeps_what_voids_the_clocks_where_it_says_so(history):
    """A cancelled record that moves on is cancelled still."""
    h = history().opened("2026-03-02 09:00").closed("2026-03-02 10:00", "cancelled", to="cancelled")
    h.add("migrated", "2026-03-02 11:00", to="cancelled", phase="closed", outcome="cancelled")
    timeline = trace(h.events)
    assert len(timeline.marks) == 2
    assert timeline.marks[-1].voids
    assert timeline.settled


def test_a_migration_answers_nobody(history):
    """Also where monitoring opened the record, and a person carries the migration out."""
    h = history().opened("2026-03-02 09:00", by=MONITOR).add("migrated", "2026-03-02 11:00", phase="active")
    assert trace(h.events).answer() is None


@pytest.mark.parametrize(
    "said",
    [
        {"direction": "inbound"},
        {"audience": "internal"},
        {"audience": "management"},
        {"automatic": True},
        {"by": BOT},
        {"by": AI},
        {"by": MONITOR},
        {"by": Actor.supplier("acme")},
    ],
)
def test_only_public_words_of_a_person_answer(history, said):
    """Inbound and internal words, automatic replies, machines and suppliers answer nobody."""
    h = history().opened("2026-03-02 09:00").said("2026-03-02 09:30", **said)
    assert trace(h.events).answer() is None
    assert trace(h.said("2026-03-02 09:40").events).answer().said is Said.MESSAGE


def test_the_timeline_and_the_communication_agree_on_what_answers(history):
    """Every mix of direction, audience, automatism and actor: one rule, told in two places."""
    actors = (Actor.person("ana"), BOT, AI, MONITOR, Actor.supplier("acme"))
    for direction, audience, automatic, by in product(Direction, Audience, (None, True), actors):
        said = {"direction": direction, "audience": audience, "automatic": automatic, "by": by}
        h = history().opened("2026-03-02 09:00").said("2026-03-02 09:30", **said)
        answered = trace(h.events).answer() is not None
        assert answered is Communication.of(h.events[1]).answers


@pytest.mark.parametrize("channel", ["phone", "walk_in", "chat"])
def test_live_contact_answers_at_the_contact(history, channel):
    """Where a person takes the contact, the opening is the answer; a bot's chat is not."""
    live = trace(history().opened("2026-03-02 09:00", channel=channel).events)
    assert (live.answer().said, live.answer().us) == (Said.LIVE_CONTACT, live.started_us)
    assert trace(history().opened("2026-03-02 09:00", channel=channel, by=AI).events).answer() is None
    assert trace(history().opened("2026-03-02 09:00", channel="email").events).answer() is None


def test_acknowledgement_by_a_person_answers_monitoring_only(history):
    """Nobody waits for words where monitoring opened; elsewhere acknowledging answers nobody."""
    for kind, fields in (("acknowledged", {}), ("transitioned", {"trigger": "start", "phase": "active"})):
        h = history().opened("2026-03-02 09:00", by=MONITOR).add(kind, "2026-03-02 09:05", by=BOT, **fields)
        assert trace(h.events).answer() is None
        assert trace(h.add(kind, "2026-03-02 09:10", **fields).events).answer().said is Said.ACKNOWLEDGEMENT
        h = history().opened("2026-03-02 09:00").add(kind, "2026-03-02 09:05", **fields)
        assert trace(h.events).answer() is None
    h = (
        history()
        .opened("2026-03-02 09:00", by=MONITOR)
        .moved("2026-03-02 09:05", "active", trigger="requeue")
    )
    assert trace(h.events).answer() is None


def test_priorities_are_kept_where_they_change(history):
    """Each change once, from whatever kind of event it came."""
    h = (
        history()
        .opened("2026-03-02 09:00", priority="P4")
        .add("assigned", "2026-03-02 09:10", priority="P4", group="g")
    )
    h.resumed("2026-03-02 09:20", priority="P2").add("reprioritised", "2026-03-02 09:30", priority="P1")
    assert [p for _, p in trace(h.events).priorities] == [Priority.P4, Priority.P2, Priority.P1]


def test_a_correction_is_applied_and_moves_the_mark(history):
    """The history is traced with every correction; extend refuses to take one."""
    h = history().opened("2026-03-02 09:00").resolved("2026-03-02 12:00")
    before = trace(h.events)
    h.add(
        "corrected",
        "2026-03-02 13:00",
        **correction(h.events[1], "occurred_at", h.at("2026-03-02 11:00"), "typo"),
    )
    assert before.marks[-1].us - trace(h.events).marks[-1].us == 3_600_000_000
    assert not follows(before, h.events[2])
    with pytest.raises(InvalidValue, match="fold all events of the record anew"):
        extend(before, h.events[2])


def test_extend_begins_goes_on_and_ignores_a_repeat(history):
    """The first event needs no timeline; the newest event taken twice changes nothing."""
    h = history().opened("2026-03-02 09:00").resolved("2026-03-02 12:00")
    first = extend(None, h.events[0])
    second = extend(first, h.events[1])
    assert extend(second, h.events[1]) is second
    assert trace([*h.events, *h.events]) == second
    assert follows(None, h.events[0])


def test_a_phase_or_wait_that_does_not_exist_is_refused(history):
    """A closed set is closed: the value is named."""
    with pytest.raises(InvalidValue, match=r"done.*use one of"):
        trace(history().opened("2026-03-02 09:00", phase="done").events)
    with pytest.raises(InvalidValue, match=r"vendor.*use one of"):
        trace(history().opened("2026-03-02 09:00").hold("2026-03-02 10:00", "vendor").events)
    with pytest.raises(InvalidValue, match=r"urgent.*use one of"):
        trace(history().opened("2026-03-02 09:00", priority="urgent").events)


def test_as_of_takes_back_what_came_later(history):
    """At an earlier instant answers, promises and their following are not there yet."""
    h = history().opened("2026-03-02 09:00").said("2026-03-02 10:00", promise_due="2026-03-02T12:00:00+00:00")
    h.said("2026-03-02 11:00").resolved("2026-03-02 11:30")
    timeline = trace(h.events)
    for n, at in ((1, "2026-03-02 09:30"), (2, "2026-03-02 10:30"), (3, "2026-03-02 11:00")):
        then, known = timeline.as_of(int(h.at(at).timestamp()) * 10**6), trace(h.events[:n])
        assert (then.marks, then.words, then.promised) == (known.marks, known.words, known.promised)
    assert timeline.as_of(0).started_us is None
    assert timeline.as_of(timeline.until_us) is timeline


def test_one_id_told_in_two_ways_is_refused_also_where_both_stand_in_order(history):
    """The quick way along events in order does not take both."""
    h = history().opened("2026-03-02 09:00").said("2026-03-02 09:30").resolved("2026-03-02 10:00")
    twin = attrs.evolve(h.events[2], id=h.events[1].id)
    for told in ([h.events[0], h.events[1], twin], [h.events[0], twin, h.events[1]]):
        with pytest.raises(InvalidValue, match="is the id of two different events"):
            trace(told)
    assert trace([*h.events, h.events[1]]) == trace(h.events)
