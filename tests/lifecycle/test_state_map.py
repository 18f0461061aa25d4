"""Names of another system's states, and what they are called here."""

import pickle

import pytest

from itsm_core.errors import InvalidValue
from itsm_core.events import WaitsOn
from itsm_core.lifecycle import Mapped, StateMap
from itsm_core.processes import INCIDENT

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
