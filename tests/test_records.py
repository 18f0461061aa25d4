"""What is known of a record: the fold of its events, one by one or all at once."""

import datetime as dt
import pickle

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from itsm_core.actors import Actor
from itsm_core.errors import InvalidValue
from itsm_core.events import Event, Phase, WaitsOn
from itsm_core.priority import Level, Priority
from itsm_core.records import Record, apply, fold, follows

T = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
ANA = Actor.person("ana", "agent")


def event(kind, seq, minute=None, *, to=None, **fields):
    """An event of INC-1, `minute` minutes after nine; as many as `seq` unless said otherwise."""
    at = T + (seq if minute is None else minute) * MINUTE
    channel = fields.pop("channel", None)
    return Event(
        id=f"e{seq}", record="INC-1", seq=seq, kind=kind, occurred_at=at, recorded_at=T + 999 * MINUTE,
        actor=ANA, lifecycle="incident", lifecycle_version=1, to_state=to, channel=channel, fields=fields,
    )  # fmt: skip


def opened(seq=1, minute=0, **fields):
    """The first event."""
    return event("opened", seq, minute, to="new", **{"process": "incident", "phase": "new", **fields})


def moved(seq, phase, minute=None, **fields):
    """A transition to a state that is called like its phase."""
    return event("transitioned", seq, minute, to=phase, phase=phase, **fields)


# --- histories ---------------------------------------------------------------------------------

STEPS = st.one_of(
    st.tuples(
        st.just("transitioned"),
        st.fixed_dictionaries(
            {"phase": st.sampled_from([p.value for p in Phase])},
            optional={
                "waits_on": st.sampled_from([w.value for w in WaitsOn]),
                "hold_reason": st.sampled_from([w.value for w in WaitsOn]),
                "look_again_at": st.just("2024-03-01T00:00:00.000000Z"),
                "outcome": st.just("completed"),
                "assignee": st.sampled_from(["ana", "bo"]),
            },
        ),
    ),
    st.tuples(
        st.just("assigned"),
        st.dictionaries(st.sampled_from(["group", "assignee", "owner"]), st.sampled_from(["x", "y", None])),
    ),
    st.tuples(st.just("reprioritised"), st.fixed_dictionaries({"priority": st.sampled_from(list(Priority))})),
    st.tuples(
        st.just("linked"),
        st.fixed_dictionaries({"relation": st.just("follows"), "other": st.sampled_from("ab")}),
    ),
    st.tuples(st.just("escalated"), st.fixed_dictionaries({"key": st.sampled_from("kl")})),
    st.tuples(st.sampled_from(["noted", "acknowledged", "refused", "communicated"]), st.just({})),
)


@st.composite
def histories(draw):
    """A history in order: an opening and up to eight further events, some at one instant."""
    made, minute = [opened()], 0
    for seq, (kind, fields) in enumerate(draw(st.lists(STEPS, max_size=8)), 2):
        minute += draw(st.integers(0, 2))
        made.append(event(kind, seq, minute, to=fields.get("phase"), **fields))
    return made


def one_by_one(events):
    """The record of events applied in the order given."""
    record = None
    for told in events:
        record = apply(record, told)
    return record


@given(histories())
def test_fold_is_apply_one_by_one(events):
    """For a history in order the two are one rule, and every event follows."""
    assert fold(events) == one_by_one(events)
    for n in range(1, len(events)):
        assert follows(fold(events[:n]), events[n])


@given(histories(), st.randoms(use_true_random=False))
def test_fold_does_not_depend_on_the_order_of_delivery(events, random):
    """Events may come in any order, and twice; the record is the same."""
    shuffled = random.sample(events, len(events))
    assert fold(shuffled) == fold([*shuffled, *events]) == fold(events)


@given(histories(), st.data())
def test_a_late_event_does_not_follow_and_is_folded_in(events, data):
    """What arrives after later ones were applied refolds: `follows` says so, also at one instant."""
    assume(len(events) > 2)
    late = data.draw(st.sampled_from(events[1:-1]))
    known = fold(e for e in events if e is not late)
    assert not follows(known, late)
    assert fold([*(e for e in events if e is not late), late]) == fold(events)


@given(histories())
def test_a_record_is_a_value(events):
    """It can be hashed and pickled, whatever its history."""
    record = fold(events)
    assert pickle.loads(pickle.dumps(record)) == record
    assert hash(record) == hash(fold(events))


# --- the first event ---------------------------------------------------------------------------


def test_a_record_begins_as_its_opening_says():
    """Everything of the opening is known; nothing else is."""
    record = fold([opened(title="Mail is down", requester="rita", channel="phone", impact="high")])
    assert record == Record(
        "INC-1", "incident", lifecycle="incident", lifecycle_version=1, state="new", phase=Phase.NEW,
        version=1, touched=1, opened_at=T, changed_at=T, entered_at=T,
        values={"title": "Mail is down", "requester": "rita", "channel": "phone", "impact": "high"},
    )  # fmt: skip


def test_a_record_runs_on_the_lifecycle_of_its_opening():
    """Id and version, so that it can be replayed without guessing."""
    record = fold([attrs.evolve(opened(), lifecycle="acme.incident", lifecycle_version=3)])
    assert (record.lifecycle, record.lifecycle_version) == ("acme.incident", 3)


def test_a_bare_opening_is_enough():
    """Names that an importer does not know have defaults, and the values cannot be changed."""
    bare = Event(id="e1", record="X", seq=1, kind="opened", occurred_at=T, recorded_at=T, actor=ANA)
    record = fold([bare])
    assert (record.process, record.state, record.phase) == ("incident", "new", Phase.NEW)
    assert record.lifecycle_version == 1
    with pytest.raises(TypeError, match="cannot be changed"):
        record.values["x"] = 1


@pytest.mark.parametrize(
    "events", [[], [event("noted", 1)], [moved(1, "active"), event("noted", 2)]], ids=len
)
def test_a_history_without_an_opening_is_refused(events):
    """A record begins with an `opened` event; the message asks for the whole history."""
    with pytest.raises(InvalidValue, match="give the whole history"):
        fold(events)


def test_nothing_can_be_applied_to_no_record_but_an_opening():
    """`apply(None, ...)` is the beginning."""
    with pytest.raises(InvalidValue, match="opened"):
        apply(None, event("noted", 1))


# --- transitions -------------------------------------------------------------------------------

N, A, W, R, C = "new", "active", "waiting", "resolved", "closed"


@pytest.mark.parametrize(
    ("phases", "reopened"),
    [  # data/README.md: moves out of Resolved or Closed into an open state
        ([], 0),
        ([A, R], 0),
        ([A, R, A], 1),
        ([A, R, N], 1),
        ([A, R, W], 1),
        ([A, R, C], 0),
        ([A, R, C, A], 1),
        ([A, R, A, R, A], 2),
        ([R, R, A], 1),
        ([A, W, A, N], 0),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else str(value),
)
def test_reopened_counts_moves_from_done_to_open(phases, reopened):
    """Out of Resolved or Closed into New, Active or Waiting."""
    record = fold([opened(), *(moved(seq, phase) for seq, phase in enumerate(phases, 2))])
    assert record.reopened == reopened
    assert record.phase == ([N, *phases])[-1]


HOLD = {"waits_on": "supplier", "hold_reason": "supplier", "look_again_at": "2024-03-01T00:00:00.000000Z"}


@pytest.mark.parametrize("phase", [N, A, R, C])
def test_the_hold_is_forgotten_on_leaving(phase):
    """Reason, wait and instant to look again belong to the hold alone."""
    events = [opened(), moved(2, W, **HOLD)]
    assert (fold(events).waits_on, fold(events).hold_reason) == (WaitsOn.SUPPLIER, "supplier")
    record = fold([*events, moved(3, phase)])
    assert (record.waits_on, record.hold_reason) == (None, None)
    assert not record.values.keys() & HOLD.keys()


def test_an_instant_to_look_again_is_forgotten_even_without_a_reason():
    """A hold of a host's own need not give one."""
    events = [opened(), moved(2, W, look_again_at="2024-03-01T00:00:00.000000Z"), moved(3, A)]
    assert "look_again_at" not in fold(events).values


def test_another_hold_replaces_the_reason():
    """From waiting for one to waiting for another."""
    record = fold([opened(), moved(2, W, **HOLD), moved(3, W, waits_on="change", hold_reason="change")])
    assert (record.waits_on, record.hold_reason) == (WaitsOn.CHANGE, "change")


def test_what_happens_beside_a_hold_leaves_it_alone():
    """An assignment is no move."""
    record = fold([opened(), moved(2, W, **HOLD), event("assigned", 3, group="x")])
    assert (record.waits_on, record.hold_reason, record.group) == (WaitsOn.SUPPLIER, "supplier", "x")


def test_when_a_state_was_entered_and_when_anything_changed_are_two_things():
    """A note changes the record, not the state."""
    record = fold([opened(), moved(2, A), event("noted", 3)])
    assert (record.opened_at, record.entered_at, record.changed_at) == (T, T + 2 * MINUTE, T + 3 * MINUTE)


def test_the_outcome_is_that_of_the_state_one_is_in():
    """Reopened is not completed."""
    closed = [opened(), moved(2, C, outcome="completed")]
    assert fold(closed).outcome == "completed"
    assert fold([*closed, moved(3, A)]).outcome is None


def test_what_a_step_says_of_itself_is_no_value_of_the_record():
    """Trigger, phase, outcome and the like describe the event."""
    record = fold(
        [opened(), moved(2, A, trigger="reopen", reopens="resume", waits_on=None, outcome=None, group="x")]
    )
    assert record.values == {"group": "x"}


def test_a_transition_without_phase_or_state_stays():
    """An importer may know only that something moved."""
    record = fold([opened(), moved(2, A), event("transitioned", 3)])
    assert (record.state, record.phase) == (A, Phase.ACTIVE)


# --- beside the state --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("assignments", "reassigned"),
    [
        ([{"group": "a"}], 0),
        ([{"group": "a"}, {"group": "a"}], 0),
        ([{"group": "a"}, {"group": "b"}], 1),
        ([{"group": "a"}, {"assignee": "x"}], 0),
        ([{"assignee": "x"}, {"assignee": "y"}, {"assignee": "x"}], 2),
        ([{"group": "a", "assignee": "x"}, {"group": "b", "assignee": "y"}], 1),
        ([{"owner": "x"}, {"owner": "y"}], 0),
        ([{"assignee": "x"}, {"assignee": None}], 1),
    ],
    ids=str,
)
def test_reassigned_counts_work_taken_from_somebody(assignments, reassigned):
    """A first assignment and an owner do not count; group and person at once count once."""
    record = fold([opened(), *(event("assigned", seq, **held) for seq, held in enumerate(assignments, 2))])
    assert record.reassigned == reassigned


def test_a_link_is_known_once():
    """The same relation to the same record twice is one link; links stay in order."""
    pairs = [("follows", "b"), ("follows", "a"), ("follows", "b"), ("child_of", "b")]
    record = fold([opened(), *(event("linked", n, relation=r, other=o) for n, (r, o) in enumerate(pairs, 2))])
    assert record.links == (("follows", "b"), ("follows", "a"), ("child_of", "b"))


def test_words_are_no_values_of_the_record():
    """Notes and messages lie in the history."""
    record = fold([opened(), event("communicated", 2, text="hello"), event("noted", 3, text="psst")])
    assert record.values == {}


@pytest.mark.parametrize(
    ("kinds", "version", "touched"),
    [
        ([], 1, 1),
        (["noted"], 2, 2),
        (["escalated"], 2, 1),
        (["refused"], 2, 1),
        (["escalated", "noted", "escalated"], 4, 3),
    ],
    ids=str,
)
def test_the_machinery_does_not_make_a_view_stale(kinds, version, touched):
    """`version` counts every event; `touched` leaves out escalations and refused automations."""
    record = fold([opened(), *(event(kind, seq, key="k") for seq, kind in enumerate(kinds, 2))])
    assert (record.version, record.touched) == (version, touched)


def test_what_was_escalated_is_remembered_by_key():
    """So that the same step does not fire twice."""
    record = fold(
        [
            opened(),
            event("escalated", 2, key="k"),
            event("escalated", 3, key="l"),
            event("escalated", 4, key="k"),
        ]
    )
    assert record.fired == {"k", "l"}


def test_the_version_is_the_newest_seq_even_where_a_late_event_is_last_in_time():
    """Order is by instant, version by seq."""
    record = fold([opened(), event("noted", 3, minute=1), event("noted", 2, minute=9)])
    assert (record.version, record.touched, record.changed_at) == (3, 3, T + 9 * MINUTE)


# --- late events and corrections ---------------------------------------------------------------


def test_a_late_transition_takes_its_place_in_time():
    """What happened last decides, not what was recorded last."""
    events = [opened(), moved(2, R, minute=9), moved(3, A, minute=5)]
    assert not follows(fold(events[:2]), events[2])
    assert fold(events).phase is Phase.RESOLVED
    assert fold(events).reopened == 0


def test_a_correction_never_follows():
    """It may change anything, so all events are folded anew."""
    mend = event("corrected", 2, event="e1", field="category", was="mail", now="web", reason="mistyped")
    record = fold([opened(category="mail")])
    assert not follows(record, mend)
    assert fold([opened(category="mail"), mend]).category == "web"


def test_a_corrected_instant_changes_when_the_record_was_opened():
    """The promise starts when it really began."""
    mend = event(
        "corrected", 2, event="e1", field="occurred_at", was="-", now="2024-02-05T08:00Z", reason="why"
    )
    record = fold([opened(), mend])
    assert (record.opened_at, record.entered_at) == (T - 60 * MINUTE, T - 60 * MINUTE)


def test_an_opening_corrected_to_after_another_event_still_comes_first():
    """A record can be read whatever was mended."""
    mend = event(
        "corrected", 3, event="e1", field="occurred_at", was="-", now="2024-02-05T09:02:30Z", reason="why"
    )
    record = fold([opened(), moved(2, A), mend])
    assert (record.state, record.opened_at) == (A, T + 2.5 * MINUTE)


def test_an_event_that_is_known_does_not_follow():
    """The same event twice is no news."""
    events = [opened(), moved(2, A)]
    assert not follows(fold(events), events[1])


# --- reading -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "absent"),
    [("configuration_items", ()), ("external_refs", ()), ("restricted", False), *(
        (name, None)
        for name in ("number", "title", "service", "customer", "requester", "affected", "channel", "category",
                     "impact", "urgency", "priority", "priority_reason", "owner", "group", "assignee",
                     "needs", "hold_reason")
    )],
)  # fmt: skip
def test_a_shared_name_is_a_property_with_a_default(name, absent):
    """What nobody said reads as nothing, and each property says what it is."""
    assert getattr(fold([opened()]), name) == absent
    assert getattr(Record, name).__doc__


def test_levels_and_priorities_read_as_what_they_are():
    """Text in the values, members at the property."""
    record = fold([opened(impact="high", urgency="low", priority="P3", restricted=True)])
    assert record.impact is Level.HIGH
    assert record.urgency is Level.LOW
    assert record.priority is Priority.P3
    assert record.restricted is True


def test_personal_names_are_gathered_from_all_events():
    """Whoever shows a record knows what to hide."""
    first = attrs.evolve(opened(title="x"), personal=["title"])
    second = attrs.evolve(moved(2, A, badge="4711"), personal=["badge"])
    assert fold([first, second]).personal == {"title", "badge"}


def test_the_tenant_is_that_of_the_opening():
    """A record belongs to one."""
    assert fold([attrs.evolve(opened(), tenant="acme"), moved(2, A)]).tenant == "acme"


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({}, "<incident INC-1: new, no priority, version 1>"),
        ({"number": "4711", "priority": "P1"}, "<incident 4711: new, P1, version 1>"),
        ({"restricted": True, "priority": "P1"}, "<incident INC-1: new, restricted>"),
    ],
    ids=["bare", "numbered", "restricted"],
)
def test_the_repr_names_the_record_and_nothing_personal(fields, shown):
    """A log may hold it; of a restricted record it says no more than that."""
    record = fold([opened(title="Rita lost her badge", requester="rita", category="access", **fields)])
    assert repr(record) == shown
