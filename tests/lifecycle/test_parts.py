"""The parts of a lifecycle: what each takes, what it refuses, and how it is said."""

import datetime as dt
import pickle

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time import business_days, calendar_days, end_of_business_day, hours
from itsm_core.errors import InvalidValue
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle import InstantOf, Need, State, Transition
from itsm_core.lifecycle.fields import OF_THE_STEP
from itsm_core.lifecycle.parts import fields_of, needs, read_after, say, sequence, wait, words, written_after

PARTS = (State("a", "new"), Need("reason", "a rule"), Transition("go", "a", dest="b"))


# --- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_", "kept"),
    [("New", (("en", "New"),)), ({"en": "New", "zh": "新建"}, (("en", "New"), ("zh", "新建"))),
     ((("zh", "新建"),), (("zh", "新建"),)), ((), ()), ({}, ())],
)  # fmt: skip
def test_words_are_pairs_of_language_and_text(given_, kept):
    """A text alone is English; the order of languages stays."""
    assert words(given_) == kept
    for part in PARTS:
        assert attrs.evolve(part, label=given_).label == kept


@pytest.mark.parametrize(
    "wrong", [5, None, ["en"], (("en",),), (("en", 5),), ((5, "New"),), (("en", "New", "x"),), {"en": None}]
)
def test_what_is_no_word_is_refused(wrong):
    """With two ways to write it."""
    with pytest.raises(InvalidValue, match=r"^label .*: is no text; write \"New\", or "):
        words(wrong)


@pytest.mark.parametrize(
    ("lang", "said"), [("zh", "新建"), ("en", "New"), ("fr", "New"), ("", "New"), ("zh-CN", "New")]
)
def test_words_are_said_in_the_language_else_in_english(lang, said):
    """A language nobody wrote is no reason to show an id."""
    assert say((("en", "New"), ("zh", "新建")), lang, "id") == said


def test_without_words_the_id_is_said():
    """Also where the words of the language, and the English ones, are empty or missing."""
    for known in ((), (("zh", "新建"),), (("fr", ""), ("en", ""))):
        assert say(known, "fr", "id") == "id"
    assert say((("fr", ""), ("en", "New")), "fr", "id") == "New"


# --- states --------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", Phase)
def test_a_state_has_a_phase(phase):
    """By member or by name."""
    assert State("a", phase).phase is phase
    assert State("a", phase.value) == State("a", phase)


@pytest.mark.parametrize("reason", WaitsOn)
def test_a_state_may_name_whom_it_waits_on(reason):
    """By member or by name; none by itself."""
    assert State("a", "waiting", waits_on=reason.value).waits_on is reason
    assert State("a", "waiting").waits_on is None
    assert wait(reason.value) is reason


@pytest.mark.parametrize("id", ["", None, 5, b"a"])
def test_a_state_has_an_id(id):
    """A text that is not empty."""
    with pytest.raises(InvalidValue, match=r"^state .*name it, such as"):
        State(id, "new")


# --- needs ---------------------------------------------------------------------------------------


def test_a_need_is_essential_asked_each_time_and_free_unless_said_otherwise():
    """Whoever writes nothing gets the strict reading."""
    need = Need("reason", "a rule")
    assert (need.essential, need.kept, need.one_of, need.otherwise) == (True, False, (), None)


@pytest.mark.parametrize("name", ["", None, 5])
def test_a_need_names_a_field(name):
    """And so does what may stand in its place."""
    with pytest.raises(InvalidValue, match=r"^need .*: is no word; name the field, such as"):
        Need(name, "a rule")
    if name is not None:
        with pytest.raises(InvalidValue, match=r"^need .*: is no word"):
            Need("reason", "a rule", otherwise=name)


@pytest.mark.parametrize("name", sorted(OF_THE_STEP))
def test_nobody_is_asked_for_what_the_library_writes(name):
    """Whoever could give it could say where the record stands."""
    for made in (lambda: Need(name, "a rule"), lambda: Need("reason", "a rule", otherwise=name)):
        with pytest.raises(
            InvalidValue, match=rf"^need '{name}': is written by the library; ask for another"
        ):
            made()


def test_the_fields_of_needs_are_those_they_name_and_those_in_their_place():
    """In the order of definition."""
    asked = (Need("tested", "a rule", otherwise="why_not_tested"), Need("reason", "a rule"))
    assert fields_of(asked) == ("tested", "why_not_tested", "reason")
    assert fields_of(()) == ()


def test_needs_are_a_list_of_needs():
    """One alone is none, and a name is no need."""
    assert needs([PARTS[1]]) == (PARTS[1],)
    for wrong in (PARTS[1], "reason", ["reason"], 5, {"reason": PARTS[1]}):
        with pytest.raises(InvalidValue, match=r"^requires "):
            needs(wrong)


# --- transitions ---------------------------------------------------------------------------------


def test_a_transition_is_fired_by_people_without_conditions_unless_said_otherwise():
    """No role, guard, timer or separation appears by itself."""
    row = PARTS[2]
    assert (row.roles, row.relation, row.requires, row.guards) == (frozenset(), frozenset(), (), ())
    assert (row.separate_from, row.after, row.reopens, row.instructions) == ((), None, None, ())


@pytest.mark.parametrize("name", ["guards", "separate_from", "sources"])
def test_names_keep_their_order_and_a_text_alone_is_one_name(name):
    """Never its letters."""
    assert getattr(attrs.evolve(PARTS[2], **{name: "tasks_done"}), name) == ("tasks_done",)
    assert getattr(attrs.evolve(PARTS[2], **{name: ["b", "a"]}), name) == ("b", "a")
    for wrong in (5, [5], [""], ""):
        with pytest.raises(InvalidValue, match=r"^word .*: is no word; give texts"):
            attrs.evolve(PARTS[2], **{name: wrong})


def test_words_in_their_order_are_words():
    """As `sequence` says it."""
    assert sequence(("a", "b")) == ("a", "b")


AFTER = (
    *(hours(4), business_days(5), calendar_days(30), end_of_business_day(1)),
    *(InstantOf("risk_review_at"), InstantOf("approval.due")),
)


@pytest.mark.parametrize("after", [None, *AFTER], ids=str)
def test_a_timer_edge_counts_any_duration_or_waits_for_an_instant(after):
    """Open time, business days, calendar days, the end of a business day, what a record names."""
    assert Transition("go", "a", dest="b", after=after).after == after


@pytest.mark.parametrize(
    ("after", "text"),
    [
        (hours(4), "4h"),
        (business_days(5), "5 business days"),
        (end_of_business_day(1), "end of business day +1"),
        (InstantOf("risk_review_at"), "at risk_review_at"),
        (InstantOf("approval.due"), "at approval.due"),
    ],
)
def test_what_a_timer_edge_waits_for_is_written_as_a_text_and_read_again(after, text):
    """As files and tables have it; a date and a duration are told apart."""
    assert written_after(after) == text
    assert read_after(text) == after


@pytest.mark.parametrize("field", ["", 5, None, True, ("risk_review_at",)], ids=repr)
def test_an_instant_of_a_record_is_named_by_a_word(field):
    """The name of a field, or of the end of the round that counts."""
    with pytest.raises(
        InvalidValue, match=r"^field .*; name a field that holds an instant, or \"approval.due\""
    ):
        InstantOf(field)
    assert str(InstantOf("risk_review_at")) == "risk_review_at"


@pytest.mark.parametrize(
    "after", ["5 days", "risk_review_at", 5, 0, True, (hours(1),), dt.timedelta(1)], ids=repr
)
def test_a_timer_edge_counts_nothing_else(after):
    """A bare number has no unit, a text may mean two things, and so may a `timedelta` of days."""
    with pytest.raises(InvalidValue, match=r"^after .*; say what is counted: after=business_days\(5\)"):
        Transition("go", "a", dest="b", after=after)


def test_each_part_says_its_label_else_what_it_is_called():
    """A field by its name, a trigger with spaces, a state by its id."""
    assert [part.say() for part in PARTS] == ["a", "reason", "go"]
    assert [attrs.evolve(part, label={"zh": "新"}).say("zh") for part in PARTS] == ["新"] * 3
    assert Transition("go_back", "a", dest="b").say("zh") == "go back"


def test_instructions_are_words():
    """By language, as labels are."""
    assert Transition("go", "a", dest="b", instructions="Ring first").instructions == (("en", "Ring first"),)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: type(part).__name__)
def test_a_part_is_a_value(part):
    """Equal by content, hashed, pickled, and not to be changed."""
    again = pickle.loads(pickle.dumps(part))
    assert again == part
    assert hash(again) == hash(part)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        part.label = ()


@given(st.text(min_size=1))
def test_any_text_that_is_not_empty_is_an_id(text):
    """Ids are opaque; what they look like is nobody's business here."""
    assert State(text, "new").id == text
    assert Transition(text, text, dest=text).sources == (text,)
