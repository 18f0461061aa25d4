"""What happened: the envelope, its order, its canonical bytes, erasure, corrections, words."""

import datetime as dt
import hashlib
import pickle
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core import events as module
from itsm_core.actors import Actor
from itsm_core.errors import InvalidValue, NaiveDatetime
from itsm_core.events import (
    PERSONAL,
    UNCORRECTABLE,
    Audience,
    Communication,
    Direction,
    Event,
    Phase,
    WaitsOn,
    correction,
    effective,
    personal_among,
    told_once,
)
from itsm_core.values import digest

T = dt.datetime(2024, 2, 4, 2, 30, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
ANA = Actor.person("ana", "agent")


def event(kind="noted", seq=1, at=T, id=None, **more):
    """An event of INC-1, recorded as it happened unless said otherwise."""
    more.setdefault("recorded_at", max(at, T + 60 * MINUTE))
    more.setdefault("actor", ANA)
    return Event(id=id or f"e{seq}", record="INC-1", seq=seq, kind=kind, occurred_at=at, **more)


# --- the envelope ------------------------------------------------------------------------------

KINDS = {  # the table at the top of events.py
    "opened", "transitioned", "assigned", "acknowledged", "reprioritised", "communicated", "noted", "linked",
    "corrected", "escalated", "refused",
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_event_is_named_in_the_module(kind):
    """Kinds are past participles, each listed with the fields it brings."""
    assert f"\n    {kind} " in module.__doc__
    assert event(kind).kind == kind


@pytest.mark.parametrize("name", ["occurred_at", "recorded_at"])
def test_a_naive_instant_is_refused(name):
    """Nobody can tell which instant it means; the message says how to make it aware."""
    with pytest.raises(NaiveDatetime, match="make it aware"):
        attrs.evolve(event(), **{name: dt.datetime(2024, 2, 4)})


def test_nothing_is_recorded_before_it_happens():
    """`occurred_at` may equal `recorded_at` or lie before it, never after."""
    assert event(at=T, recorded_at=T).occurred_at == T
    with pytest.raises(InvalidValue, match="lies after recorded_at"):
        event(at=T, recorded_at=T - dt.timedelta(microseconds=1))


def test_instants_are_kept_in_utc_whatever_their_zone():
    """The same instant said in Shanghai is the same event."""
    shanghai = T.astimezone(ZoneInfo("Asia/Shanghai"))
    said = event(at=shanghai, recorded_at=shanghai)
    assert said == event(at=T, recorded_at=T)
    assert said.occurred_at.tzinfo is said.recorded_at.tzinfo is dt.UTC
    assert said.digest == event(at=T, recorded_at=T).digest


@pytest.mark.parametrize("seq", [0, -1, True, "1", 1.0, None], ids=repr)
def test_a_place_in_a_record_counts_from_one(seq):
    """Events count 1, 2, 3; nothing else is a place."""
    with pytest.raises(InvalidValue, match="events count 1, 2, 3"):
        event(seq=seq, id="x")


@given(st.permutations([(0, 2), (0, 3), (1, 1), (2, 4), (2, 5)]))
def test_events_are_ordered_by_when_they_happened_then_by_seq(places):
    """An event recorded first may have happened last; `seq` decides between equals."""
    made = [event(seq=seq, at=T + minutes * MINUTE) for minutes, seq in places]
    assert [e.seq for e in effective(made)] == [2, 3, 1, 4, 5]
    assert [e.seq for e in sorted(made, key=lambda e: e.order)] == [2, 3, 1, 4, 5]


def test_an_event_is_found_by_its_id_also_after_pickling():
    """The hash is that of the id; equality sees every field."""
    one = event(fields={"text": "x"}, personal=["text"])
    again = pickle.loads(pickle.dumps(one))
    assert again == one
    assert len({one, again}) == 1
    assert attrs.evolve(one, channel="phone") != one
    assert again.digest == one.digest


def test_an_event_cannot_be_changed():
    """Nothing edits a fact."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        event().kind = "opened"
    with pytest.raises(TypeError, match="cannot be changed"):
        event(fields={"a": 1}).fields["a"] = 2


@pytest.mark.parametrize(
    ("marks", "kept"),
    [(["text"], {"text": ""}), ({"text"}, {"text": ""}), ({"text": "s"}, {"text": "s"}), ((), {})],
    ids=repr,
)
def test_personal_fields_are_marked_by_name_or_with_their_salt(marks, kept):
    """A list of names marks fields whose digest has no salt yet."""
    assert event(fields={"text": "x"}, personal=marks).personal == kept


# --- the bytes that are hashed -----------------------------------------------------------------

GOLDEN = Event(
    id="e1",
    record="INC-1",
    seq=1,
    kind="opened",
    occurred_at=T,
    recorded_at=T + MINUTE,
    actor=ANA,
    channel="phone",
    lifecycle="incident",
    lifecycle_version=1,
    to_state="new",
    fields={"title": "Mail is down", "process": "incident"},
    personal={"title": "s4lt"},
)
# Written by hand; the two digests are of  printf '["","process","incident"]' | sha256sum
# and                                      printf '["s4lt","title","Mail is down"]' | sha256sum
GOLDEN_BYTES = (
    b'{"actor":{"id":"ana","roles":["agent"]},"channel":"phone","fields":{'
    b'"process":"e0cec8487a9c004fce1aa64ac610dd7ea7ce08c630cb57af21c6e3349bf6fa1b",'
    b'"title":"eae41d45ef7b77ada5a1009b1e5c327cff341f1351180f7a2b2b431cf12d5e63"},'
    b'"id":"e1","kind":"opened","lifecycle":"incident","lifecycle_version":1,'
    b'"occurred_at":"2024-02-04T02:30:00.000000Z","record":"INC-1",'
    b'"recorded_at":"2024-02-04T02:31:00.000000Z","seq":1,"to_state":"new"}'
)


def test_the_canonical_bytes_of_an_event_are_these():
    """The envelope with a digest in place of every field; what is at its default is left out."""
    assert GOLDEN.canonical() == GOLDEN_BYTES
    assert GOLDEN.digest == hashlib.sha256(GOLDEN_BYTES).hexdigest()


def test_the_default_of_schema_is_one_for_ever():
    """A stored event without `schema` was written under schema 1, so its default may never move."""
    assert attrs.fields(Event).schema.default == 1


@pytest.mark.parametrize(
    "change",
    [
        {"id": "e2"},
        {"record": "INC-2"},
        {"seq": 2},
        {"kind": "noted"},
        {"occurred_at": T - MINUTE},
        {"recorded_at": T + 2 * MINUTE},
        {"actor": Actor.person("ana")},
        {"schema": 2},
        {"on_behalf_of": "rita"},
        {"channel": "email"},
        {"cause": "e0"},
        {"lifecycle": "other"},
        {"lifecycle_version": 2},
        {"from_state": "new"},
        {"to_state": "closed"},
        {"fields": {"title": "Mail is up", "process": "incident"}},
        {"fields": {"process": "incident"}, "personal": {}},
        {"personal": {"title": "other"}},
        {"tenant": "acme"},
    ],
    ids="-".join,
)
def test_whatever_is_changed_changes_the_digest(change):
    """Every field of the envelope is covered by the hash."""
    assert attrs.evolve(GOLDEN, **change).digest != GOLDEN.digest


# --- personal fields: sealing, erasing, hiding -------------------------------------------------

PERSONAL_EVENT = event(fields={"text": "yes", "mood": "fine", "channel": "x"}, personal=["text", "mood"])


def salts():
    """A source of salts that counts."""
    return (f"salt-{number}" for number in range(1, 100)).__next__


def test_sealing_salts_every_personal_field_and_no_other():
    """Each personal field gets a salt of its own."""
    sealed = PERSONAL_EVENT.sealed(salts())
    assert dict(sealed.personal) == {"text": "salt-1", "mood": "salt-2"}
    assert sealed.fields == PERSONAL_EVENT.fields


def test_sealing_twice_changes_nothing():
    """What has a salt keeps it, or its digest would change."""
    sealed = PERSONAL_EVENT.sealed(salts())
    assert sealed.sealed(lambda: pytest.fail("asked for a salt")) is sealed
    assert event().sealed(lambda: pytest.fail("asked for a salt")) == event()


@given(st.permutations(["text", "mood"]), st.integers(0, 2))
def test_erasing_keeps_the_digest_and_takes_value_and_salt(names, count):
    """The chain of hashes stands; what the person said is gone, and so is the salt."""
    sealed = PERSONAL_EVENT.sealed(salts())
    erased = sealed.erase(*names[:count])
    assert erased.digest == sealed.digest
    assert erased.canonical() == sealed.canonical()
    assert not erased.fields.keys() & set(names[:count])
    assert set(erased.personal) == set(erased.erased) ^ {"text", "mood"} == set(names[count:])


def test_an_unsealed_value_is_not_erased():
    """Without a salt a short value could be guessed from the digest that stays."""
    with pytest.raises(InvalidValue, match="was never sealed"):
        event(fields={"text": "yes"}, personal=["text"]).erase("text")


def test_an_erased_value_cannot_be_found_by_guessing():
    """With the salt anybody could try words; without it the digest of the right word is of no use."""
    sealed = event(fields={"text": "yes"}, personal={"text": "s4lt"})
    erased = sealed.erase("text")
    # printf '["s4lt","text","yes"]' | sha256sum, and the same with an empty salt
    assert erased.erased["text"] == "e4c4b6c7dcb60cb53487c908abd349ddb3ebd11efe4b0cac44f738d6c62637b4"
    assert erased.erased["text"] != "61faae5aadac1f9ab8d66cdec398ad891a29b13ce1243a35799ac7bbd43979b0"
    everything = repr(attrs.asdict(erased)).encode() + pickle.dumps(erased) + erased.canonical()
    assert b"s4lt" not in everything
    assert b"yes" not in everything
    guesses = [digest([salt, "text", "yes"]) for salt in ("", "text", erased.id, erased.record)]
    assert erased.erased["text"] not in guesses


def test_erasing_twice_is_erasing_once():
    """A clean-up that runs again finds nothing to do."""
    erased = PERSONAL_EVENT.sealed(salts()).erase("text")
    assert erased.erase("text") == erased


@pytest.mark.parametrize("name", ["channel", "missing"])
def test_only_personal_fields_are_erased(name):
    """What is not personal is evidence."""
    with pytest.raises(InvalidValue, match="erase personal fields only"):
        PERSONAL_EVENT.erase("text", name)


def test_a_mark_without_a_value_is_nothing_to_erase():
    """Naming a field that the event does not hold is refused, not a KeyError."""
    with pytest.raises(InvalidValue, match="erase personal fields only"):
        event(personal=["text"]).erase("text")


def test_a_value_put_back_beside_its_digest_is_seen():
    """Nobody can say something else under the digest of what was erased."""
    sealed = PERSONAL_EVENT.sealed(salts())
    forged = attrs.evolve(sealed.erase("text"), fields={**sealed.fields, "text": "no"})
    assert forged.digest != sealed.digest


@pytest.mark.parametrize("name", sorted(PERSONAL))
def test_the_repr_hides_what_is_personal_even_where_nobody_marked_it(name):
    """A log may hold the repr of any event."""
    shown = repr(event(fields={name: "Rita lost her badge", "category": "access"}))
    assert "Rita" not in shown
    assert name in shown
    assert "access" in shown


def test_the_repr_hides_fields_that_a_host_marked():
    """Names of the host's own are personal because the event says so."""
    shown = repr(event(fields={"badge": "4711"}, personal=["badge"]))
    assert "4711" not in shown
    assert shown == "Event(INC-1 #1 noted at 2024-02-04T02:30:00+00:00 {'badge': '...'})"


def test_names_that_are_personal_wherever_they_occur():
    """Marks are made for those names only."""
    assert personal_among(["title", "category", "requester"]) == {"title": "", "requester": ""}
    assert personal_among([]) == {}


def test_people_and_every_free_text_are_personal():
    """Whoever writes freely may write of a person; codes, groups and opaque ids say nothing."""
    free = {"title", "description", "text", "message", "wording", "resolution_notes", "reason"}
    free |= {"late_reason", "priority_reason"}
    assert free | {"requester", "affected", "needs", "text_digest"} == PERSONAL


# --- corrections -------------------------------------------------------------------------------


def corrected(seq, target, field, now, at=None):
    """A `corrected` event about another."""
    fields = {"event": target, "field": field, "was": None, "now": now, "reason": "typing error"}
    return event("corrected", seq, at or T + seq * MINUTE, fields=fields)


def read(events):
    """What is effective, by id: the minute and the category."""
    return {e.id: (int((e.occurred_at - T) / MINUTE), e.fields.get("category")) for e in effective(events)}


OPENED = event("opened", 1, T, fields={"category": "mail"})
NOTED = event("noted", 2, T + 5 * MINUTE, fields={"category": "web"})


def test_without_corrections_the_events_are_only_put_in_order():
    """The same objects, ordered."""
    assert effective([NOTED, OPENED]) == [OPENED, NOTED]
    assert effective(iter([NOTED, OPENED])) == [OPENED, NOTED]
    assert effective([]) == []


def test_a_correction_of_a_field_changes_what_is_effective_and_nothing_else():
    """The event itself stays; the correction stays in the history."""
    mend = corrected(3, "e1", "category", "phone")
    assert read([OPENED, NOTED, mend]) == {"e1": (0, "phone"), "e2": (5, "web"), "e3": (3, None)}
    assert OPENED.fields["category"] == "mail"


def test_a_correction_of_the_instant_moves_the_event():
    """The order is that of the corrected instants."""
    mend = corrected(3, "e2", "occurred_at", "2024-02-04T02:29:00Z")
    assert [e.id for e in effective([OPENED, NOTED, mend])] == ["e2", "e1", "e3"]


def test_a_correction_of_the_instant_beyond_its_recording_moves_that_along():
    """Nothing is recorded before it happens, and a history that says so can still be read."""
    note = event("noted", 2, T, recorded_at=T)
    mend = corrected(3, "e2", "occurred_at", "2024-02-04T02:40:00Z")
    (moved,) = (e for e in effective([OPENED, note, mend]) if e.id == "e2")
    assert (moved.occurred_at, moved.recorded_at) == (T + 10 * MINUTE, T + 10 * MINUTE)
    earlier = corrected(3, "e2", "occurred_at", "2024-02-04T02:20:00Z")
    (moved,) = (e for e in effective([OPENED, note, earlier]) if e.id == "e2")
    assert (moved.occurred_at, moved.recorded_at) == (T - 10 * MINUTE, T)


def test_of_two_corrections_the_later_one_counts():
    """`seq` says which is later, not when somebody claims to have noticed."""
    first = corrected(3, "e1", "category", "first", at=T + 50 * MINUTE)
    second = corrected(4, "e1", "category", "second", at=T + 10 * MINUTE)
    assert read([second, first, OPENED])["e1"] == (0, "second")


def test_two_corrections_of_different_fields_both_count():
    """A field and the instant of the same event."""
    events = [
        OPENED,
        corrected(3, "e1", "category", "x"),
        corrected(4, "e1", "occurred_at", "2024-02-04T02:29Z"),
    ]
    assert read(events)["e1"] == (-1, "x")


def test_a_correction_may_itself_be_corrected():
    """It then says what it should have said, however long the chain."""
    chain = [
        OPENED,
        corrected(2, "e1", "category", "a"),
        corrected(3, "e2", "now", "b"),
        corrected(4, "e3", "now", "c"),
    ]
    assert read(chain)["e1"] == (0, "c")
    assert read(chain[:3])["e1"] == (0, "b")


def test_of_two_corrections_of_a_correction_the_later_one_counts():
    """The same rule one floor up."""
    events = [
        OPENED,
        corrected(2, "e1", "category", "a"),
        corrected(3, "e2", "now", "b"),
        corrected(4, "e2", "now", "c"),
    ]
    assert read(events)["e1"] == (0, "c")


def test_a_correction_that_named_the_wrong_event_can_be_pointed_at_the_right_one():
    """Then the wrongly named event is as it was."""
    wrong = [OPENED, NOTED, corrected(3, "e1", "category", "a"), corrected(4, "e3", "event", "e2")]
    assert read(wrong) == {"e1": (0, "mail"), "e2": (5, "a"), "e3": (3, None), "e4": (4, None)}


def test_a_correction_of_an_unknown_event_says_nothing():
    """Part of a history can be read without the rest."""
    assert read([OPENED, corrected(3, "elsewhere", "category", "a")])["e1"] == (0, "mail")


def test_the_same_event_given_twice_is_there_once():
    """The same id is the same event, with and without corrections."""
    assert effective([OPENED, NOTED, OPENED]) == [OPENED, NOTED]
    mend = corrected(3, "e1", "category", "a")
    assert len(effective([OPENED, mend, OPENED, mend])) == 2


MENDS = st.lists(
    st.tuples(st.sampled_from(["e1", "e2", "e3", "e4", "gone"]), st.sampled_from("abc")), max_size=4
)


@given(MENDS, st.randoms(use_true_random=False))
def test_what_is_effective_does_not_depend_on_the_order_of_delivery(mends, random):
    """Any shuffle of a history tells the same, also of corrections of corrections."""
    events = [OPENED, NOTED]
    for seq, (target, value) in enumerate(mends, 3):
        events.append(corrected(seq, target, "now" if target in ("e3", "e4") else "category", value))
    shuffled = random.sample(events, len(events))
    assert effective(shuffled) == effective(events)


def test_the_fields_of_a_correction_say_what_was_and_what_is():
    """Made from the event itself, so `was` cannot be wrong."""
    assert correction(OPENED, "category", "web", "mistyped") == {
        "event": "e1",
        "field": "category",
        "was": "mail",
        "now": "web",
        "reason": "mistyped",
    }


@pytest.mark.parametrize(
    "now",
    ["2024-02-04T10:29:00+08:00", dt.datetime(2024, 2, 4, 10, 29, tzinfo=ZoneInfo("Asia/Shanghai"))],
    ids=["text", "datetime"],
)
def test_a_corrected_instant_is_written_in_utc(now):
    """Text or datetime in, the canonical text out."""
    made = correction(OPENED, "occurred_at", now, "the clock was wrong")
    assert (made["was"], made["now"]) == ("2024-02-04T02:30:00.000000Z", "2024-02-04T02:29:00.000000Z")


def test_an_instant_may_be_corrected_up_to_when_it_was_recorded():
    """Nothing is recorded before it happens; at once is allowed."""
    made = correction(OPENED, "occurred_at", OPENED.recorded_at, "why")
    assert made["now"] == "2024-02-04T03:30:00.000000Z"


@pytest.mark.parametrize(
    ("field", "now", "reason", "message"),
    [
        ("category", "web", "", "say why"),
        ("colour", "red", "why", r"correct one of \['category', 'occurred_at'\]"),
        ("occurred_at", dt.datetime(2024, 2, 4), "why", "has no zone"),
        ("occurred_at", "yesterday", "why", "no ISO 8601 instant"),
        ("occurred_at", "2024-02-05T00:00:00Z", "why", "after the event was recorded"),
        ("category", 1.5, "why", "cannot be stored"),
    ],
)
def test_a_correction_that_could_not_be_applied_is_refused(field, now, reason, message):
    """No reason, no such field, no instant: refused when it is made, not when it is read."""
    with pytest.raises(InvalidValue, match=message):
        correction(OPENED, field, now, reason)


@pytest.mark.parametrize("field", sorted(UNCORRECTABLE))
def test_what_a_step_did_is_undone_by_a_command(field):
    """Phase, priority and the like are not corrected: clocks and reports believe them."""
    with pytest.raises(InvalidValue, match="cannot be corrected"):
        correction(event(fields={field: "x"}), field, "y", "why")


def test_these_fields_are_not_corrected():
    """What a step did, what clocks run by, what names the event; votes, waivers, claims, major incidents."""
    assert {
        "process", "trigger", "phase", "waits_on", "outcome", "agreement", "messages", "key", "event",
        "impact", "urgency", "priority", "hold_reason", "look_again_at",
        "field", "was", "now", "reopens", "promised_since",
        "rule", "round", "vote", "separate_from", "until", "review",
        "exception", "metric", "since", "confirmation",
        "watched_by",
        "major_criteria", "major_manager", "procedure", "affected_services", "affected_users",
        "major_role", "held_by", "track", "track_step", "track_ended", "document",
        "continuity_plan", "plan_version",
    } == UNCORRECTABLE  # fmt: skip


# --- communications ----------------------------------------------------------------------------


def said(**changes):
    """What a person says to the requester."""
    usual = {
        "direction": Direction.OUTBOUND,
        "channel": "email",
        "author": ANA,
        "audience": Audience.REQUESTER,
        "at": T,
        "text": "We are on it",
    }
    return Communication(**{**usual, **changes})


@pytest.mark.parametrize(
    ("changes", "answers"),
    [  # DESIGN, clocks: a public outbound message by a person
        ({}, True),
        ({"audience": Audience.PUBLIC}, True),
        ({"audience": Audience.INTERNAL}, False),
        ({"audience": Audience.MANAGEMENT}, False),
        ({"direction": Direction.INBOUND}, False),
        ({"automatic": True}, False),
        ({"author": Actor.automation("bot")}, False),
        ({"author": Actor.ai_agent("ai", model="m", version="1")}, False),
        ({"author": Actor.supplier("acme")}, False),
        ({"author": Actor.monitoring("nagios")}, False),
    ],
    ids=str,
)
def test_what_answers_a_requester(changes, answers):
    """Said by a person, outbound, heard outside, and not automatic."""
    assert said(**changes).answers is answers


def test_direction_and_audience_may_be_given_by_name():
    """Texts become members, or a person's answer would silently not count."""
    assert said(direction="outbound", audience="public").answers
    with pytest.raises(ValueError, match="sideways"):
        said(direction="sideways")


@pytest.mark.parametrize("name", ["at", "promise_due"])
def test_a_communication_refuses_naive_instants(name):
    """Also the instant of a promise."""
    with pytest.raises(NaiveDatetime):
        said(**{name: dt.datetime(2024, 2, 4)})


def test_the_digest_of_words_is_that_of_their_json():
    """printf '"hello"' | sha256sum; a digest that was given stays."""
    fields = said(text="hello").fields()
    assert fields["text_digest"] == "5aa762ae383fbb727af3c7a36d4940a5b8c40a989452d2304fc958ff3f354e7a"
    assert said(text=None, text_digest="abc").fields()["text_digest"] == "abc"
    assert said(text=None).fields().keys() == {"direction", "audience"}


@given(
    st.sampled_from(Direction),
    st.sampled_from(Audience),
    st.none() | st.text(alphabet="abc", max_size=3),
    st.none() | st.sampled_from(["m1", "m2"]),
    st.booleans(),
    st.none() | st.integers(0, 600).map(lambda n: T + n * MINUTE),
)
def test_a_communication_comes_back_from_its_event(direction, audience, text, message_id, automatic, due):
    """`Communication.of` undoes `fields`; only the digest of the words is added."""
    one = said(direction=direction, audience=audience, text=text, message_id=message_id,
               automatic=automatic, promise_due=due, text_ref="host/1")  # fmt: skip
    told = event("communicated", fields=one.fields(), channel="email")
    again = Communication.of(told)
    assert attrs.evolve(again, text_digest=None) == one
    assert again.text_digest == (digest(text) if text else None)


def test_a_communication_without_a_channel_says_so():
    """The channel is unknown, never guessed."""
    assert Communication.of(event("communicated", fields=said().fields())).channel == "unknown"


def test_the_repr_of_a_communication_hides_its_words():
    """Words are personal."""
    shown = repr(said(text="Rita lost her badge", text_digest="d1gest"))
    assert "Rita" not in shown
    assert "d1gest" not in shown


# --- phases and waits --------------------------------------------------------------------------


def test_the_five_phases_and_which_of_them_owe_work():
    """DESIGN, lifecycles: the closed set; open is new, active, waiting."""
    assert {phase.value: phase.is_open for phase in Phase} == {
        "new": True,
        "active": True,
        "waiting": True,
        "resolved": False,
        "closed": False,
    }


def test_whom_a_record_may_wait_for():
    """DESIGN, lifecycles: the closed set of waits."""
    assert set(WaitsOn) == {
        "requester", "customer_approver", "supplier", "problem", "change", "internal", "schedule",
    }  # fmt: skip


# --- one id, one event --------------------------------------------------------------------------


def test_two_different_events_under_one_id_are_refused_in_any_order():
    """What came of them would depend on which was told last."""
    one, other = event(id="x", fields={"text": "a"}), event(id="x", fields={"text": "b"})
    for told in ([one, other], [other, one]):
        with pytest.raises(InvalidValue, match="is the id of two different events"):
            effective(told)
    assert effective([one, one]) == [one]


def test_of_an_event_told_before_and_after_its_erasure_the_erased_one_counts():
    """It is the same event: its digest says so."""
    whole = event(fields={"text": "secret"}, personal=["text"]).sealed(lambda: "salt")
    erased = whole.erase("text")
    assert told_once([whole, erased]) == told_once([erased, whole]) == {"e1": erased}


def test_two_events_at_one_place_and_instant_stand_in_the_order_of_their_ids():
    """However they were delivered."""
    one, other = event(id="a"), event(id="b")
    assert effective([one, other]) == effective([other, one]) == [one, other]
