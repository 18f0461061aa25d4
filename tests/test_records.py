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
from itsm_core.records import Record, Vote, apply, fold, follows
from itsm_core.values import canonical, from_dict, to_dict

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
                "trigger": st.sampled_from(["start", "close"]),
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
    st.tuples(
        st.just("amended"),
        st.dictionaries(st.sampled_from(["category", "requester"]), st.sampled_from(["x", "ana", None])),
    ),
    st.tuples(
        st.just("communicated"),
        st.fixed_dictionaries(
            {"direction": st.sampled_from(["inbound", "outbound"]), "audience": st.just("requester")}
        ),
    ),
    st.tuples(
        st.just("approval_requested"),
        st.fixed_dictionaries({"rule": st.sampled_from([{}, {"material": ["category", "assignee"]}])}),
    ),
    st.tuples(
        st.just("voted"),
        st.fixed_dictionaries({"vote": st.just("approve"), "round": st.sampled_from(["e2", "e3", "e4"])}),
    ),
    st.tuples(
        st.just("waived"),
        st.fixed_dictionaries(
            {
                "trigger": st.just("close"),
                "separate_from": st.sampled_from(["open", "start"]),
                "until": st.just("2024-03-01T00:00:00.000000Z"),
                "review": st.just("in March"),
            }
        ),
    ),
    st.tuples(
        st.just("migrated"), st.fixed_dictionaries({"phase": st.sampled_from([p.value for p in Phase])})
    ),
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
        acted=(("open", "ana"),),
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


# --- who acted, and who was sought ---------------------------------------------------------------


def by(actor, told, behalf=None):
    """The event as somebody else's, or done for somebody."""
    return attrs.evolve(told, actor=actor, on_behalf_of=behalf)


BO, RITA = Actor.person("bo", "agent"), Actor.person("rita")
TRIAGE = Actor.ai_agent("triage", "agent", model="m", version="1", approved_by="ana")


def test_who_last_fired_each_trigger_is_known():
    """The opening is one; of a trigger that was fired twice, only the last counts."""
    events = [opened(), moved(2, A, trigger="start"), moved(3, N, trigger="requeue")]
    assert fold(events).acted == (("open", "ana"), ("start", "ana"), ("requeue", "ana"))
    record = fold([*events, by(BO, moved(4, A, trigger="start"))])
    assert record.acted == (("open", "ana"), ("requeue", "ana"), ("start", "bo"))
    assert [record.actor_of(trigger) for trigger in ("open", "start", "close")] == ["ana", "bo", None]


def test_a_move_without_a_trigger_is_nobodys_opening():
    """An importer may not know what was pulled; who opened the record stays who it was."""
    assert fold([opened(), by(BO, moved(2, A))]).acted == (("open", "ana"),)


def test_who_stands_behind_an_act_had_a_hand_in_it():
    """For whom it was done, and who approved it of an AI agent; once each, whoever acted first."""
    record = fold([opened(), by(TRIAGE, moved(2, A, trigger="start"), behalf="rita")])
    assert record.actor_of("start") == "triage"
    assert record.hands_of("start") == {"triage", "rita", "ana"}
    assert record.hands_of("close") == frozenset()
    again = fold([opened(), by(TRIAGE, moved(2, A, trigger="start"), behalf="ana")])
    assert again.acted == (("open", "ana"), ("start", "triage"), ("start", "ana"))
    after = fold([opened(), by(TRIAGE, moved(2, A, trigger="start")), by(BO, moved(3, A, trigger="start"))])
    assert after.hands_of("start") == {"bo"}


def test_the_opening_is_also_the_requesters():
    """Whoever asked has a hand in it, and keeps it where the record is amended later."""
    record = fold([opened(requester="rita")])
    assert record.actor_of("open") == "ana"
    assert record.hands_of("open") == {"ana", "rita"}
    for kind in ("amended", "transitioned", "assigned"):
        first = fold([opened(requester="rita"), event(kind, 2, requester="bo")])
        assert first.hands_of("open") == {"ana", "rita", "bo"}
        assert first.actor_of("open") == "ana"
    back = [event("amended", n, requester=who) for n, who in enumerate(("bo", "rita", None, "bo", "rita"), 2)]
    assert fold([opened(requester="rita"), *back]).acted == (
        ("open", "ana"),
        ("open", "rita"),
        ("open", "bo"),
    )
    assert fold([opened(requester="ana"), event("amended", 2, requester="ana")]).acted == (("open", "ana"),)


def test_a_correction_takes_nobodys_hand_out_of_the_opening():
    """Who was the requester until then asked for it, whatever the record says from now on."""
    events = [opened(requester="rita")]
    mend = event("corrected", 2, event=events[0].id, field="requester", was="rita", now="bo", reason="typo")
    record = fold([*events, mend])
    assert (record.requester, record.hands_of("open")) == ("bo", {"ana", "rita", "bo"})
    again = event("corrected", 3, event=events[0].id, field="requester", was="bo", now="rita", reason="no")
    assert fold([*events, mend, again]).hands_of("open") == {"ana", "rita", "bo"}
    for was in ({}, {"was": None}, {"was": "ana"}):  # erased, nobody, who opened it
        held = {"event": events[0].id, "field": "requester", "now": "bo", "reason": "typo", **was}
        assert fold([*events, event("corrected", 2, **held)]).hands_of("open") == {"ana", "bo"}


def said(seq, minute=None, *, actor=ANA, behalf=None, **fields):
    """Words that a person says to the requester, unless said otherwise."""
    held = {"direction": "outbound", "audience": "requester", **fields}
    return by(actor, event("communicated", seq, minute, **held), behalf)


SOUGHT = [T + 2 * MINUTE]

# fmt: off
CONTACTS = [
    # what is said,                                                 does it count as an attempt
    ({},                                                            True),
    ({"audience": "public"},                                        False),
    ({"audience": "internal"},                                      False),
    ({"direction": "inbound"},                                      False),
    ({"direction": None, "audience": None},                         False),
    ({"automatic": True},                                           False),
    ({"actor": Actor.automation("bot", "agent")},                   False),
    ({"actor": Actor.ai_agent("ai", "agent", model="m", version="1")}, False),
    ({"actor": Actor.supplier("acme", "agent")},                    False),
]
# fmt: on


@pytest.mark.parametrize(("words", "counts"), CONTACTS, ids=range(len(CONTACTS)))
def test_an_attempt_is_a_persons_word_to_the_requester(words, counts):
    """Machines, internal notes and what comes in seek nobody."""
    record = fold([opened(requester="rita"), said(2, **words)])
    assert list(record.attempts) == (SOUGHT if counts else [])


# fmt: off
ANSWERS = [
    # what follows,                                                       is the requester heard by it
    (said(3, actor=RITA, direction="inbound"),                                  True),
    (said(3, actor=RITA, direction="inbound", audience="internal"),             True),
    (said(3, actor=RITA, direction="inbound", automatic=True),                  False),
    (said(3, actor=BO, direction="inbound"),                                    False),
    (said(3, actor=Actor.automation("mail"), direction="inbound", behalf="rita"), True),
    (said(3, actor=RITA, direction="outbound", audience="internal"),            False),
    (by(RITA, moved(3, A, trigger="reopen")),                                   True),
    (by(BO, moved(3, A, trigger="reopen")),                                     False),
    (by(BO, moved(3, A, trigger="reopen"), behalf="rita"),                      True),
    (event("assigned", 3, assignee="rita"),                                     False),
    (event("amended", 3, requester="bo"),                                       True),
    (event("amended", 3, requester="rita", category="web"),                     False),
]
# fmt: on


@pytest.mark.parametrize(("told", "heard"), ANSWERS, ids=range(len(ANSWERS)))
def test_the_count_of_attempts_begins_anew_where_the_requester_is_heard(told, heard):
    """By word or deed, or through somebody; a new requester was sought by nobody yet."""
    record = fold([opened(requester="rita"), said(2), told])
    assert list(record.attempts) == ([] if heard else SOUGHT)


def test_without_a_requester_nobody_is_heard():
    """Nobody is not the one on whose behalf nobody acts."""
    assert len(fold([opened(), said(2), moved(3, A)]).attempts) == 1


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=30))
def test_a_long_conversation_keeps_eight_attempts_and_its_length(gaps):
    """First and last stay; between them the attempts that lie close together go first."""
    events, minute = [opened(requester="rita")], 0
    for seq, gap in enumerate(gaps, 2):
        minute += gap
        told = said(seq, 0)
        at = T + minute * MINUTE
        events.append(attrs.evolve(told, occurred_at=at, recorded_at=at))
    kept, made = fold(events).attempts, [told.occurred_at for told in events[1:]]
    assert len(kept) == min(8, len(made))
    assert (kept[0], kept[-1]) == (made[0], made[-1])
    assert list(kept) == sorted(set(kept) & set(made))


def test_many_attempts_on_one_day_do_not_push_out_those_of_other_days():
    """Three days of attempts are three days, however often somebody rang on the last."""
    day = 24 * 60
    events = [opened(requester="rita"), *(said(n, 0) for n in range(2, 16))]
    minutes = [0, 0, day, *(2 * day + n for n in range(12))]
    made = [attrs.evolve(e, occurred_at=T + m * MINUTE, recorded_at=T + m * MINUTE)
            for e, m in zip(events, minutes, strict=True)]  # fmt: skip
    kept = fold(made).attempts
    assert {(at - T).days for at in kept} == {0, 1, 2}
    assert len(kept) == 8


# --- waivers -----------------------------------------------------------------------------------

UNTIL = "2024-02-05T12:00:00+01:00"
WAIVED = {
    "trigger": "approve",
    "separate_from": "open",
    "reason": "Only two of us",
    "until": UNTIL,
    "review": "The auditor looks at it in March",
}


def test_a_waiver_is_known_with_who_why_until_when_and_what_makes_up_for_it():
    """It is no value of the record; a second one stands beside it."""
    record = fold([opened(), by(BO, event("waived", 2, **WAIVED)), event("waived", 3, **WAIVED)])
    first, second = record.waivers
    assert (first.trigger, first.separate_from, first.by, first.event) == ("approve", "open", "bo", "e2")
    assert (first.at, first.until) == (T + 2 * MINUTE, T + 120 * MINUTE)
    assert (first.review, first.reason) == ("The auditor looks at it in March", "Only two of us")
    assert (second.by, second.event) == ("ana", "e3")
    assert record.values == {}
    assert "Only two of us" not in repr(first)


def test_a_waiver_by_an_agent_is_by_the_person_who_approved_it():
    """Nobody hides behind a machine; one that nobody approved stands for itself."""
    agent = Actor.ai_agent("triage", model="m", version="1", approved_by="bo")
    alone = attrs.evolve(agent, approved_by=None)
    events = [opened(), by(agent, event("waived", 2, **WAIVED)), by(alone, event("waived", 3, **WAIVED))]
    assert [waiver.by for waiver in fold(events).waivers] == ["bo", "triage"]


@pytest.mark.parametrize(
    ("trigger", "earlier", "minute", "covered"),
    [("approve", "open", 2, True), ("approve", "open", 119, True), ("approve", "open", 120, False),
     ("approve", "open", 1, False), ("approve", "open", None, True), ("approve", "plan", 3, False),
     ("close", "open", 3, False), ("open", "approve", 3, False)],
)  # fmt: skip
def test_a_waiver_covers_its_two_triggers_while_it_lasts(trigger, earlier, minute, covered):
    """From the instant it was given up to, not including, its end; where nobody says when, at all."""
    (waiver,) = fold([opened(), event("waived", 2, **WAIVED)]).waivers
    assert waiver.covers(trigger, earlier, None if minute is None else T + minute * MINUTE) is covered


def test_the_reason_of_a_waiver_may_be_erased():
    """It is free text, and personal; the waiver stands without it."""
    bare = {name: value for name, value in WAIVED.items() if name != "reason"}
    (waiver,) = fold([opened(), event("waived", 2, **bare)]).waivers
    assert waiver.reason is None


# --- rounds of approval ------------------------------------------------------------------------

RULE = {"panels": [{"name": "CAB"}], "material": ["impact", "category"]}


def asked(seq, minute=None, **rule):
    """An approval is requested."""
    return event("approval_requested", seq, minute, rule={**RULE, **rule})


def voted(seq, choice, round="e2", *, actor=BO, behalf=None):
    """A vote in a round."""
    return by(actor, event("voted", seq, vote=choice, round=round), behalf)


def test_a_round_holds_the_rule_as_it_was_and_the_votes_in_order():
    """Who said what, when, for whom; what they come to is the rule's to say."""
    record = fold([opened(), asked(2), voted(3, "reject"), voted(4, "approve", actor=ANA, behalf="carl")])
    assert record.rounds == (record.round,)
    found = record.round
    assert (found.id, found.by, found.opened_at, found.ended) == ("e2", "ana", T + 2 * MINUTE, None)
    assert found.rule == {"panels": ({"name": "CAB"},), "material": ("impact", "category")}
    assert found.votes == (
        Vote("bo", "reject", at=T + 3 * MINUTE, event="e3"),
        Vote("ana", "approve", at=T + 4 * MINUTE, on_behalf_of="carl", event="e4"),
    )
    assert record.values == {}


def test_a_record_without_a_round_has_none():
    """Nobody was asked."""
    assert fold([opened()]).round is None


def test_a_new_round_takes_the_place_of_the_one_before():
    """Votes of the old one do not count in the new one, and late ones go where they belong."""
    record = fold([opened(), asked(2), voted(3, "approve"), asked(4), voted(5, "reject", round="e4"),
                   voted(6, "abstain", round="e2")])  # fmt: skip
    first, second = record.rounds
    assert (first.ended, first.ended_at) == ("replaced", T + 4 * MINUTE)
    assert [vote.choice for vote in first.votes] == ["approve", "abstain"]
    assert [vote.choice for vote in second.votes] == ["reject"]
    assert record.round is second


# fmt: off
EDITS = [
    # what happens,                                        what it does to the round
    (event("amended", 3, category="web"),                  "edited"),
    (event("amended", 3, category="mail"),                 None),      # as it was
    (event("amended", 3, title="Mail is slow"),            None),      # not material
    (event("amended", 3, category=None),                   "edited"),
    (event("reprioritised", 3, impact="high"),             "edited"),
    (event("reprioritised", 3, impact="low"),              None),
    (event("assigned", 3, group="x"),                      None),
    (event("assigned", 3, group="x", impact="high"),       "edited"),
    (moved(3, A, trigger="start", category="web"),         "edited"),
    (moved(3, A, trigger="start"),                         None),
    (moved(3, N, trigger="revise"),                        "revised"),
    (moved(3, N, trigger="revise", category="web"),        "edited"),
    (event("communicated", 3, category="web"),             None),      # words are no values
    (event("noted", 3, text="psst"),                       None),
    (event("migrated", 3, to="new", phase="new"),          None),
]
# fmt: on


@pytest.mark.parametrize(("told", "ended"), EDITS, ids=range(len(EDITS)))
def test_a_material_change_or_going_back_ends_the_round(told, ended):
    """What was approved must be what is done; who goes back to the start asks anew."""
    record = fold([opened(category="mail", impact="low"), asked(2), told])
    (only,) = record.rounds
    assert (only.ended, only.ended_at) == ((ended, T + 3 * MINUTE) if ended else (None, None))
    assert (record.round is None) is (ended is not None)


def mend(seq, of, field, now):
    """A correction of an earlier event."""
    return event("corrected", seq, event=of, field=field, was="-", now=now, reason="mistyped")


# fmt: off
MENDS = [
    # what is corrected,                                  what it does to the round
    (mend(4, "e1", "category", "web"),                    "edited"),   # voted on, and never seen by voters
    (mend(4, "e1", "title", "x"),                         None),
    (mend(4, "e3", "occurred_at", "2024-02-05T09:01Z"),   "edited"),   # before approval was requested
    (mend(4, "e3", "text", "x"),                          None),
]
# fmt: on


@pytest.mark.parametrize(("told", "ended"), MENDS, ids=range(len(MENDS)))
def test_a_correction_of_what_was_voted_on_ends_the_round(told, ended):
    """Or a history could be corrected into one that nobody approved."""
    record = fold([opened(category="mail"), asked(2), event("noted", 3, text="psst"), told])
    (only,) = record.rounds
    assert (only.ended, only.ended_at) == ((ended, T + 4 * MINUTE) if ended else (None, None))
    assert fold([opened(category="mail"), told]).rounds == ()


@pytest.mark.parametrize(("field", "now"), [("category", "mail"), ("occurred_at", "2024-02-05T09:01Z")])
def test_a_round_that_an_edit_ended_is_not_brought_back_by_correcting_the_edit(field, now):
    """Neither by what it said nor by when it was."""
    edit = event("amended", 3, category="web")
    record = fold([opened(category="mail"), asked(2), edit, mend(4, "e3", field, now)])
    assert record.round is None
    again = mend(5, "e4", "occurred_at", "2024-02-05T09:00:30Z")  # the correction itself, put back
    assert fold([opened(category="mail"), asked(2), edit, mend(4, "e3", field, now), again]).round is None


def test_a_round_ends_once():
    """What ended it first is what ended it; only the newest round can be ended."""
    record = fold([opened(), asked(2), event("amended", 3, category="web"), moved(4, N), asked(5)])
    first, second = record.rounds
    assert (first.ended, first.ended_at, second.ended) == ("edited", T + 3 * MINUTE, None)
    record = fold([opened(), asked(2), asked(3, material=[]), event("amended", 4, category="web")])
    assert [one.ended for one in record.rounds] == ["replaced", None]


@pytest.mark.parametrize("rule", [{"material": None}, {"material": []}])
def test_a_rule_without_material_fields_is_ended_by_no_edit(rule):
    """Nothing was called material."""
    assert fold([opened(), asked(2, **rule), event("amended", 3, category="web")]).round is not None


def test_a_record_with_rounds_and_waivers_survives_a_snapshot():
    """As a dict it is canonical JSON, and it comes back equal, hashed alike."""
    record = fold([opened(requester="rita"), asked(2), voted(3, "reject"), event("waived", 4, **WAIVED),
                   said(5), migrated(6, "active", "active")])  # fmt: skip
    assert canonical(to_dict(record))
    again = from_dict(Record, to_dict(record))
    assert again == record
    assert hash(again) == hash(record)


# --- another lifecycle -------------------------------------------------------------------------


def migrated(seq, phase, state, **fields):
    """The record moves to version 2 of another lifecycle."""
    told = event("migrated", seq, to=state, phase=phase, **fields)
    return attrs.evolve(told, lifecycle="acme.incident", lifecycle_version=2)


def test_a_migration_changes_who_rules_and_keeps_since_when_one_waits():
    """Same state and phase: it was entered when it was entered; nothing else is lost."""
    record = fold([opened(requester="rita"), moved(2, W, trigger="hold", **HOLD),
                   migrated(3, "waiting", "waiting", waits_on="supplier")])  # fmt: skip
    assert (record.lifecycle, record.lifecycle_version) == ("acme.incident", 2)
    assert (record.entered_at, record.migrated_at, record.changed_at) == (
        T + 2 * MINUTE, T + 3 * MINUTE, T + 3 * MINUTE,
    )  # fmt: skip
    assert (record.waits_on, record.hold_reason) == (WaitsOn.SUPPLIER, "supplier")
    assert record.actor_of("hold") == "ana"
    assert record.requester == "rita"
    assert fold([opened()]).migrated_at is None


@pytest.mark.parametrize(("phase", "state"), [("waiting", "parked"), ("active", "waiting")])
def test_a_migration_to_another_state_enters_it(phase, state):
    """Another id, or another meaning of the same one; in one phase, time goes on as it began."""
    record = fold([opened(), moved(2, W, **HOLD), migrated(3, phase, state)])
    entered = T + (2 if phase == "waiting" else 3) * MINUTE
    assert (record.state, record.phase, record.entered_at) == (state, Phase(phase), entered)
    assert (record.hold_reason is None) is (phase == "active")
    assert record.reopened == 0


def test_a_migration_of_a_closed_record_brings_its_outcome():
    """The event says all that the new state is."""
    closed = [opened(), moved(2, C, outcome="cancelled")]
    assert fold([*closed, migrated(3, "closed", "closed", outcome="cancelled")]).outcome == "cancelled"


# --- restricted --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "restricted"),
    [({}, False), ({"security": True}, True), ({"security": True, "restricted": False}, False),
     ({"security": True, "restricted": None}, True), ({"security": False}, False),
     ({"restricted": True}, True), ({"security": False, "restricted": True}, True)],
)  # fmt: skip
def test_what_is_about_security_is_restricted_unless_told_otherwise(fields, restricted):
    """However the record came to say so: opened, amended, corrected or imported."""
    assert fold([opened(**fields)]).restricted is restricted
    assert fold([opened(), event("amended", 2, **fields)]).restricted is restricted


@pytest.mark.parametrize("name", ["major", "security", "complaint"])
def test_what_needs_special_care_is_false_unless_told(name):
    """A flag of the record."""
    assert getattr(fold([opened()]), name) is False
    assert getattr(fold([opened(**{name: True})]), name) is True
