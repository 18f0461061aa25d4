"""Every error carries its facts, says what to do, and survives being sent elsewhere."""

import copy
import pickle

import pytest

from itsm_core import errors
from itsm_core.errors import (
    AmbiguousDuration,
    BeyondHorizon,
    InvalidInput,
    InvalidValue,
    InvalidWindow,
    ItsmError,
    NaiveDatetime,
    NeverOpens,
    Reason,
    RecordNotFound,
    StoreBusy,
    StoreError,
    StoreUnreadable,
    TransitionRefused,
    UnknownZone,
    UnsoundLifecycle,
    VersionConflict,
)

REASONS = (Reason("role", "ana may not close"), Reason("missing_field", "close needs a code"))

# fmt: off
EVERY = [  # one of each class that the package raises, with the attributes that are its facts
    (InvalidValue("seq", 0, "is no place", "count from 1"),
     {"what": "seq", "value": 0, "reason": "is no place", "remedy": "count from 1"}),
    (NaiveDatetime("at", "2024", "has no zone"),            {"what": "at", "remedy": ""}),
    (UnknownZone("zone", "Mars", "is unknown", "name one"), {"value": "Mars"}),
    (InvalidWindow("window", "9-", "lacks an end", "add"),  {"value": "9-"}),
    (AmbiguousDuration("duration", "1 day", "?", "say"),    {"value": "1 day"}),
    (InvalidInput("state", "X", "is unknown", "map it", file="a.csv", line=7),
     {"file": "a.csv", "line": 7, "value": "X"}),
    (NeverOpens("closed for ever"),                         {}),
    (BeyondHorizon("after 2200"),                           {}),
    (UnsoundLifecycle("lifecycle x 1", REASONS),            {"subject": "lifecycle x 1", "reasons": REASONS}),
    (TransitionRefused("close INC-1", REASONS),             {"subject": "close INC-1", "reasons": REASONS}),
    (RecordNotFound("INC-1"),                               {"record": "INC-1"}),
    (VersionConflict("INC-1", 3, 5),                        {"record": "INC-1", "expected": 3, "actual": 5}),
    (StoreError("no"),                                      {}),
    (StoreUnreadable("damaged"),                            {}),
    (StoreBusy("held"),                                     {}),
    (ItsmError("any"),                                      {}),
]
# fmt: on


def named(value):
    """The class name as a test id."""
    return type(value).__name__ if isinstance(value, Exception) else ""


def public_errors():
    """The error classes of the module whose names are public."""
    return {
        thing
        for name, thing in vars(errors).items()
        if isinstance(thing, type) and issubclass(thing, Exception) and not name.startswith("_")
    }


def test_every_error_of_the_module_is_looked_at_here():
    """A new error class must be added to the table above."""
    assert {type(error) for error, _ in EVERY} == public_errors()


@pytest.mark.parametrize(("error", "facts"), EVERY, ids=named)
def test_an_error_is_one_of_ours_and_knows_its_facts(error, facts):
    """One base class, and the facts as attributes."""
    assert isinstance(error, ItsmError)
    assert {name: getattr(error, name) for name in facts} == facts


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
@pytest.mark.parametrize(("error", "facts"), EVERY, ids=named)
def test_an_error_survives_copying_and_pickling(error, facts, clone):
    """Errors cross processes: the copy has the class, the message and the facts."""
    again = clone(error)
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert {name: getattr(again, name) for name in facts} == facts


# The tree at the top of errors.py, and the builtin beside which each may be caught.
@pytest.mark.parametrize(
    ("child", "parent"),
    [
        (InvalidValue, ValueError),
        (NaiveDatetime, InvalidValue),
        (UnknownZone, InvalidValue),
        (InvalidWindow, InvalidValue),
        (AmbiguousDuration, InvalidValue),
        (InvalidInput, InvalidValue),
        (BeyondHorizon, OverflowError),
        (RecordNotFound, LookupError),
        (StoreUnreadable, StoreError),
        (StoreBusy, StoreError),
    ],
)
def test_the_tree_is_as_drawn(child, parent):
    """Who catches the parent catches the child."""
    assert issubclass(child, parent)


def test_an_invalid_value_says_what_was_found_why_and_what_to_do():
    """The three parts of a message, in this order."""
    error = InvalidValue("seq", 0, "is no place in a record", "events count 1, 2, 3")
    assert str(error) == "seq 0: is no place in a record; events count 1, 2, 3"


def test_a_message_without_a_remedy_ends_with_the_reason():
    """No dangling semicolon."""
    assert str(InvalidValue("seq", 0, "is wrong")) == "seq 0: is wrong"


@pytest.mark.parametrize(("length", "shortened"), [(118, False), (119, True)])
def test_a_long_value_is_shortened_in_the_message_and_kept_in_full(length, shortened):
    """A repr of up to 120 characters is shown whole; the quotes count."""
    error = InvalidValue("text", "x" * length, "is too long")
    assert ("characters)" in str(error)) is shortened
    assert error.value == "x" * length
    if shortened:
        assert str(error) == f"text '{'x' * 99}... (121 characters): is too long"


@pytest.mark.parametrize(
    ("file", "line", "start"),
    [("a.csv", 7, "a.csv, line 7: state"), ("a.csv", None, "a.csv: state"), ("", 7, "line 7: state"),
     ("", None, "state")],
)  # fmt: skip
def test_invalid_input_says_where_as_far_as_it_knows(file, line, start):
    """File and line come first, each only if known."""
    assert str(InvalidInput("state", "X", "is unknown", file=file, line=line)).startswith(start)


def test_a_refusal_lists_all_reasons_at_once():
    """The message holds every reason, `codes` their stable names in order."""
    refused = TransitionRefused("close INC-1", list(REASONS))
    assert str(refused) == "close INC-1: ana may not close; close needs a code"
    assert refused.codes == ("role", "missing_field")
    assert refused.reasons == REASONS


def test_a_version_conflict_says_both_versions():
    """Whoever lost the race sees what they expected and what is there."""
    assert str(VersionConflict("INC-1", 3, 5)) == (
        "record 'INC-1' is at version 5, not 3; load it again and decide anew"
    )


def test_a_reason_reads_as_its_sentence_and_sorts_its_facts():
    """Facts given in any order are the same reason, and may be hashed."""
    one = Reason("role", "may not", facts={"b": 2, "a": 1})
    assert str(one) == "may not"
    assert one.facts == (("a", 1), ("b", 2))
    assert one == Reason("role", "may not", facts=[("a", 1), ("b", 2)])
    assert len({one, Reason("role", "may not", facts={"a": 1, "b": 2})}) == 1
