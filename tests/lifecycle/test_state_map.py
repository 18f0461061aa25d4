"""Names of another system's states: what they are called here, and what ours are called there."""

import pickle
from collections import UserDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.errors import InvalidValue
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle import Lifecycle, MapFinding, Mapped, Need, State, StateMap, Transition
from itsm_core.lifecycle.state_map import _CUSTOMERS
from itsm_core.processes import INCIDENT
from itsm_core.sla.agreements.targets import PAUSABLE

WORDS = {"New": "new", "Awaiting Vendor": "on_hold/supplier", "Pending": "on_hold", "Done": "closed"}
MAP = StateMap("servicenow", WORDS)


@pytest.mark.parametrize(
    ("word", "mapped"),
    [
        ("New", Mapped("new")),
        ("Awaiting Vendor", Mapped("on_hold", WaitsOn.SUPPLIER)),
        ("Pending", Mapped("on_hold")),
        ("new", None),
        ("", None),
    ],
)
def test_a_word_is_read_as_our_state_or_not_at_all(word, mapped):
    """A word that the map lacks is unknown, never guessed; case counts."""
    assert MAP.read(word) == mapped


@pytest.mark.parametrize(
    ("mapped", "text"), [(Mapped("new"), "new"), (Mapped("on_hold", WaitsOn.SUPPLIER), "on_hold/supplier")]
)
def test_a_mapped_state_is_written_as_the_map_writes_it(mapped, text):
    """A state, or a state and a reason with a slash between them."""
    assert str(mapped) == text


@pytest.mark.parametrize("reason", WaitsOn)
def test_every_hold_reason_can_be_mapped(reason):
    """Whatever a record may wait for."""
    assert StateMap("x", {"W": f"on_hold/{reason}"}).checked(INCIDENT).read("W") == Mapped("on_hold", reason)


def test_a_sound_map_is_returned_as_it_is():
    """`checked` says that every state exists."""
    assert MAP.checked(INCIDENT) is MAP


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("paused", "use one of .*'on_hold'"),
        ("on_hold/weather", "use one of requester, .*schedule"),
        ("on_hold/supplier/x", "no hold reason"),
        ("new/supplier", "give reasons to holds only"),
        ("closed/supplier", "give reasons to holds only"),
        ("", "is no state"),
    ],
)
def test_a_map_that_names_what_is_not_there_is_refused(text, message):
    """Unknown states, unknown reasons, reasons of states that do not wait."""
    with pytest.raises(InvalidValue, match=message):
        StateMap("x", {"New": "new", "W": text}).checked(INCIDENT)


def test_a_map_is_a_value():
    """It does not follow the dict it was made from; it can be compared, hashed and pickled."""
    words = dict(WORDS)
    made = StateMap("servicenow", words)
    words["New"] = "closed"
    assert made.read("New") == Mapped("new")
    assert made == MAP
    assert len({made, MAP, pickle.loads(pickle.dumps(MAP))}) == 1


def test_those_who_use_our_words_need_no_map():
    """`own` reads every state, and every reason of a state that waits, as itself."""
    made = StateMap.own(INCIDENT)
    waits = {f"on_hold/{reason}" for reason in WaitsOn}
    assert set(made.inbound) == set(INCIDENT.by_id) | waits
    assert all(str(made.read(word)) == word for word in made.inbound)
    assert made.checked(INCIDENT) is made


@pytest.mark.parametrize(
    ("inbound", "message"),
    [
        ("Open", "^states 'Open': are no mapping"),
        ({"Open": 5}, "^state 5: is no text"),
        ({5: "new"}, "^field name 5: is no text"),
        ({"Open": "on_hold/weather"}, "^hold_reason 'weather': is no hold reason; use one of requester"),
    ],
)
def test_what_is_no_map_is_refused_when_it_is_made(inbound, message):
    """No lifecycle is needed to see it."""
    with pytest.raises(InvalidValue, match=message):
        StateMap("x", inbound)


def test_a_map_is_checked_against_a_lifecycle():
    """Its name alone will not do."""
    with pytest.raises(InvalidValue, match=r"^lifecycle 'incident': is no Lifecycle"):
        MAP.checked("incident")


def test_a_typing_error_is_shown_with_the_word_it_stands_for():
    """And with the states there are."""
    with pytest.raises(
        InvalidValue, match=r"^state of 'Open' 'nwe': is no state of incident 1; use one of .*'new'"
    ):
        StateMap("x", {"Open": "nwe"}).checked(INCIDENT)


# --- both ways --------------------------------------------------------------------------------


BOTH = StateMap(
    "ours",
    {"Open": "new", "Busy": "in_progress", "Vendor": "on_hold/supplier", "Parked": "on_hold"},
    {"new": "Open", "on_hold": "Parked", "on_hold/supplier": "Vendor", "in_progress": "Busy"},
)


@pytest.mark.parametrize(
    ("state", "reason", "word"),
    [
        ("new", None, "Open"),
        ("on_hold", WaitsOn.SUPPLIER, "Vendor"),
        pytest.param("on_hold", "supplier", "Vendor", id="a reason as text"),
        ("on_hold", "requester", "Parked"),
        ("on_hold", None, "Parked"),
        ("on_hold", "", "Parked"),
        ("in_progress", "supplier", "Busy"),
        ("closed", None, None),
        ("closed", "supplier", None),
        ("New", None, None),
        ("", None, None),
        (None, None, None),
        (["new"], None, None),
    ],
)
def test_a_state_is_written_in_their_word_or_not_at_all(state, reason, word):
    """A hold for whose reason there is no word is written as a hold; what the map lacks is None."""
    assert BOTH.write(state, reason) == word


def test_a_misspelt_reason_is_no_word_for_a_hold():
    """It is refused with those that there are, never written as another hold."""
    with pytest.raises(InvalidValue, match=r"use one of requester, .*supplier"):
        BOTH.write("on_hold", "vendor")


@pytest.mark.parametrize(
    ("code", "mapped"),
    [
        pytest.param(1, Mapped("new"), id="number"),
        ("1", Mapped("new")),
        (-5, Mapped("closed")),
        (7, None),
        (True, None),
        (1.0, None),
        pytest.param(10**5000, None, id="huge"),
        pytest.param(-(10**5000), None, id="huge and negative"),
        (None, None),
        (["1"], None),
    ],
)
def test_a_code_may_come_as_a_number(code, mapped):
    """JSON of other systems holds numbers; a truth value or a fraction is none."""
    assert StateMap("codes", {"1": "new", "-5": "closed", "True": "new"}).read(code) == mapped


def test_a_map_without_words_for_our_states_is_only_read():
    """`outbound` may be left out; it makes a difference to what the map is."""
    assert MAP.write("new") is None
    assert StateMap("x", WORDS, {"new": "New"}) != StateMap("x", WORDS)
    assert StateMap("x", UserDict(WORDS), UserDict(new="New")).write("new") == "New"


def test_both_ways_are_frozen():
    """The map does not follow the dict it was made from; it is compared, hashed and pickled."""
    words = {"new": "New"}
    made = StateMap("x", WORDS, words)
    words["new"] = "Done"
    assert made.write("new") == "New"
    assert len({made, pickle.loads(pickle.dumps(made)), StateMap("x", WORDS, {"new": "New"})}) == 1


@pytest.mark.parametrize(
    ("outbound", "message"),
    [
        (None, "^outbound None: are no mapping; write {"),
        ("new", "^outbound 'new': are no mapping"),
        ({5: "New"}, "^state 5: is no text; write {"),
        ({"": "New"}, "^field name '': is no text"),
        ({"new": ""}, "^word for 'new' '': is no word; write {"),
        ({"new": None}, "^word for 'new' None: is no word"),
        ({"new": ["New"]}, "^word for 'new' .*is no word"),
        ({"on_hold/weather": "W"}, "^hold_reason 'weather': is no hold reason; use one of requester"),
        ({"on_hold/": "W"}, "^state 'on_hold/': names no reason after the stroke; write 'on_hold'"),
    ],
)
def test_words_that_cannot_be_written_are_refused_when_the_map_is_made(outbound, message):
    """No lifecycle is needed to see it."""
    with pytest.raises(InvalidValue, match=message):
        StateMap("x", WORDS, outbound)


def test_checked_looks_at_the_words_we_write_too():
    """A typing error is found before the first record is sent."""
    with pytest.raises(InvalidValue, match=r"^state written as 'New' 'nwe': is no state of incident 1; use"):
        StateMap("x", WORDS, {"nwe": "New"}).checked(INCIDENT)


# --- what is lost -----------------------------------------------------------------------------

HOLDING = Need("hold_reason", "our rule", one_of=("requester", "supplier", "internal"))
BENCH = Lifecycle(
    "bench", 3, process="incident", initial="new",
    states=[
        State("new", "new"), State("triaged", "new"), State("busy", "active"), State("fixing", "active"),
        State("hold", "waiting"), State("vendor", "waiting", waits_on="supplier"),
        State("asking", "waiting", waits_on="requester"), State("solved", "resolved"),
        State("closed", "closed", outcome="completed"), State("dropped", "closed", outcome="cancelled"),
    ],
    transitions=[Transition("park", "busy", dest="hold", requires=[HOLDING], roles="agent")],
)  # fmt: skip
"""A lifecycle to map; nothing moves in it but a hold for three reasons."""


def found(inbound, outbound, lifecycle=BENCH):
    return [(f.code, f.where) for f in StateMap("x", inbound, outbound).check(lifecycle)]


def test_our_own_words_lose_nothing():
    """Whatever the lifecycle."""
    assert StateMap.own(BENCH).check(BENCH) == ()
    assert StateMap.own(INCIDENT).check(INCIDENT) == ()
    assert StateMap.own(BENCH).write("hold", "internal") == "hold/internal"


EVERY = {
    "New": "new", "Triaged": "triaged", "Busy": "busy", "Fixing": "fixing", "Asked": "hold/requester",
    "Bought": "hold/supplier", "Ours": "hold/internal", "Vendor": "vendor", "Asking": "asking",
    "Solved": "solved", "Closed": "closed", "Dropped": "dropped",
}  # fmt: skip
BACK = {ours: theirs for theirs, ours in EVERY.items()}


def test_a_word_for_everything_loses_nothing():
    """The map that the tests below spoil."""
    assert found(EVERY, BACK) == []


def test_a_state_without_a_word_is_an_error():
    """X001, for each reason of a hold by itself."""
    fewer = {ours: theirs for ours, theirs in BACK.items() if ours not in ("triaged", "hold/internal")}
    assert found(EVERY, fewer) == [("X001", "triaged"), ("X001", "hold/internal")]


def test_a_hold_asks_for_words_for_the_reasons_it_may_have():
    """A transition that asks for no reason may bring any or none; a state that knows has none."""
    free = Lifecycle(
        "free", 1, process="incident", initial="new",
        states=[State("new", "new"), State("hold", "waiting"), State("vendor", "waiting", waits_on="supplier")],
        transitions=[
            Transition("park", "new", dest="hold", roles="agent"),
            Transition("order", "new", dest="vendor", roles="agent"),
        ],
    )  # fmt: skip
    holds = ["hold", *(f"hold/{reason}" for reason in WaitsOn)]
    assert found({}, {}, free) == [("X001", place) for place in ("new", *holds, "vendor")]
    assert found({}, {}) == [("X001", place) for place in BACK]


@pytest.mark.parametrize(
    ("need", "holds"),
    [
        (Need("hold_reason", "ours"), {f"hold/{r}" for r in WaitsOn}),
        (Need("hold_reason", "ours", otherwise="reason"), {"hold", *(f"hold/{r}" for r in WaitsOn)}),
        (Need("reason", "ours"), {"hold", *(f"hold/{r}" for r in WaitsOn)}),
        (Need("hold_reason", "ours", one_of=("supplier", "weather")), {"hold/supplier"}),
    ],
)
def test_what_a_transition_asks_for_says_which_reasons_there_are(need, holds):
    """A reason that something else may stand for may be missing; one we do not know is none."""
    some = Lifecycle(
        "some", 1, process="incident", initial="new",
        states=[State("new", "new"), State("hold", "waiting")],
        transitions=[Transition("park", "new", dest="hold", roles="agent", requires=[need])],
    )  # fmt: skip
    assert {where for _, where in found({}, {}, some)} == {"new", *holds}


def test_a_state_that_does_not_exist_is_an_error():
    """X002, whichever way it is named; so is a reason of a state that does not wait."""
    inbound = {**EVERY, "W": "nowhere", "V": "new/supplier"}
    outbound = {**BACK, "solvd": "Solved"}
    known = "['asking', 'busy', 'closed', 'dropped', 'fixing', 'hold', 'new', 'solved', 'triaged', 'vendor']"
    assert [str(f) for f in StateMap("x", inbound, outbound).check(BENCH)] == [
        f"X002 nowhere: state of 'W': is no state of bench 3; use one of {known}",
        "X002 new/supplier: state of 'V': new is no waiting state; give reasons to holds only",
        f"X002 solvd: state written as 'Solved': is no state of bench 3; use one of {known}",
    ]


def test_a_word_that_cannot_come_back_is_an_error():
    """X003: what we write, they send back, and the map does not know it."""
    made = StateMap("x", EVERY, {**BACK, "solved": "Fixed"})
    assert [str(f) for f in made.check(BENCH)] == [
        "X003 solved: becomes 'Fixed', which the map does not read"
    ]
    assert [f.level for f in made.check(BENCH)] == ["error"]


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ("hold/internal", "Busy", "comes back as busy: waiting turns into active"),
        ("solved", "Closed", "comes back as closed: resolved turns into closed"),
        (
            "asking",
            "Vendor",
            "comes back as vendor: a wait on the customer's side turns into one that is not",
        ),
        (
            "hold/requester",
            "Ours",
            "comes back as hold/internal: a wait on the customer's side turns into one",
        ),
        ("vendor", "Asked", "a wait that is not on the customer's side turns into one that is"),
    ],
)
def test_a_round_trip_that_changes_what_clocks_count_is_an_error(ours, theirs, said):
    """X004: another phase, or a wait that may pause the customer's clock becoming one that may not."""
    (finding,) = StateMap("x", EVERY, {**BACK, ours: theirs}).check(BENCH)
    assert (finding.code, finding.where, finding.level) == ("X004", ours, "error")
    assert f"becomes '{theirs}' and comes back as" in finding.message
    assert said in finding.message


@pytest.mark.parametrize(
    ("ours", "theirs", "back"),
    [
        ("triaged", "New", "new"),
        ("fixing", "Busy", "busy"),
        ("hold/internal", "Bought", "hold/supplier"),
        ("hold/internal", "Vendor", "vendor"),
        ("hold/supplier", "Vendor", "vendor"),
        ("asking", "Asked", "hold/requester"),
        ("dropped", "Closed", "closed"),
    ],
)
def test_what_is_lost_within_a_phase_is_named(ours, theirs, back):
    """X005 is no error: two of ours become one of theirs, and one of the two comes back."""
    (finding,) = StateMap("x", EVERY, {**BACK, ours: theirs}).check(BENCH)
    assert (finding.code, finding.where, finding.level) == ("X005", ours, "info")
    assert finding.message == f"becomes {theirs!r} and comes back as {back}"


def test_a_hold_whose_reason_has_no_word_loses_it():
    """Internal holds come back without a reason; those on the customer's side may not."""
    fewer = {ours: theirs for ours, theirs in BACK.items() if not ours.startswith("hold/")}
    assert found({**EVERY, "Parked": "hold"}, {**fewer, "hold": "Parked"}) == [
        ("X004", "hold/requester"), ("X005", "hold/supplier"), ("X005", "hold/internal")
    ]  # fmt: skip


def test_a_state_that_says_whom_it_waits_for_is_not_overruled():
    """A reason beside it changes nothing: the state is the same, with it or without it."""
    assert found({**EVERY, "Vendor": "vendor/supplier"}, BACK) == []
    assert found({**EVERY, "Vendor": "vendor/requester"}, BACK) == []


def test_the_three_values_of_a_board_are_refused_for_an_incident():
    """To do, in progress, done: holds become work, what is resolved becomes closed."""
    ended = [state.id for state in INCIDENT.states if state.phase is Phase.CLOSED]
    board = StateMap(
        "board",
        {"To Do": "new", "In Progress": "in_progress", "Done": "closed"},
        {
            "new": "To Do", "in_progress": "In Progress", "on_hold": "In Progress",
            "resolved": "Done", **dict.fromkeys(ended, "Done"),
        },
    )  # fmt: skip
    lost = {f.where: f.code for f in board.check(INCIDENT)}
    assert lost.pop("resolved") == "X004"
    assert {lost.pop(f"on_hold/{reason}") for reason in WaitsOn} == {"X004"}
    assert lost == {state: "X005" for state in ended if state != "closed"}
    assert "cancelled" in lost


def test_a_map_is_judged_by_a_lifecycle():
    """Not by its name."""
    with pytest.raises(InvalidValue, match=r"^lifecycle 'incident': is no Lifecycle; give the lifecycle"):
        BOTH.check("incident")


def test_the_customers_side_is_what_an_agreement_may_pause_for():
    """One set, said on two floors."""
    assert _CUSTOMERS == PAUSABLE


# --- laws -------------------------------------------------------------------------------------

# What each place of BENCH means, by hand: phase, and whether the customer is waited for.
MEANING = {
    "new": ("new", False), "triaged": ("new", False), "busy": ("active", False),
    "fixing": ("active", False), "hold": ("waiting", False), "hold/requester": ("waiting", True),
    "hold/supplier": ("waiting", False), "hold/internal": ("waiting", False),
    "hold/change": ("waiting", False), "hold/schedule": ("waiting", True),
    "vendor": ("waiting", False), "asking": ("waiting", True),
    "solved": ("resolved", False), "closed": ("closed", False), "dropped": ("closed", False),
}  # fmt: skip
UNKNOWN = ("nowhere", "new/supplier", "Hold")
THEIRS = st.sampled_from(["A", "B", "C", "D", "E", "F"])
OURS = st.sampled_from([*MEANING, *UNKNOWN])
PLACE = st.sampled_from(list(MEANING))


def expected(inbound, outbound):
    """The findings, one place after the other, as a person would look for them."""
    for text in (*inbound.values(), *outbound):
        if text in UNKNOWN:
            yield "X002", text
    for ours, theirs in outbound.items():
        if theirs not in inbound:
            yield "X003", ours
    for ours in BACK:
        theirs = outbound.get(ours) or outbound.get(ours.split("/")[0])
        back = inbound.get(theirs)
        if theirs is None:
            yield "X001", ours
        elif back in MEANING and MEANING[back] != MEANING[ours]:
            yield "X004", ours
        elif back in MEANING and back != ours:
            yield "X005", ours


@pytest.mark.law
@given(st.dictionaries(THEIRS, OURS), st.dictionaries(OURS, THEIRS))
def test_every_map_is_judged_as_by_hand(inbound, outbound):
    """Random maps, good and bad: the same findings at the same places."""
    assert sorted(found(inbound, outbound)) == sorted(expected(inbound, outbound))


@pytest.mark.law
@given(st.data())
def test_what_check_passes_comes_back(data):
    """Without an error, every state comes back in its phase and on its side; without a loss, as it was."""
    inbound = data.draw(st.dictionaries(st.text(min_size=1), PLACE, min_size=1))
    outbound = data.draw(st.fixed_dictionaries({ours: st.sampled_from(sorted(inbound)) for ours in BACK}))
    made = StateMap("x", inbound, outbound)
    findings = {f.where: f for f in made.check(BENCH)}
    assert all(isinstance(f, MapFinding) and f.code in ("X004", "X005") for f in findings.values())
    for ours in BACK:
        state, _, reason = ours.partition("/")
        back = str(made.read(made.write(state, reason)))
        code = findings[ours].code if ours in findings else None
        assert (back == ours) is (code is None)
        assert (MEANING[back] == MEANING[ours]) is (code != "X004")
