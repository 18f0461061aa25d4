"""Which fields a record may hold: the common ones, and those a host declares."""

import datetime as dt

import pytest

from itsm_core.errors import InvalidValue
from itsm_core.lifecycle.fields import (
    OF_THE_STEP,
    STANDARD,
    CustomField,
    FieldType,
    field_reasons,
    personal_marks,
)
from itsm_core.records import Record, _Known
from itsm_core.values import as_fields

AWARE = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)


def codes(fields, *custom, also=()):
    """The codes of the reasons against these fields."""
    return [reason.code for reason in field_reasons(as_fields(fields), custom, also)]


# fmt: off
FITTING = {
    "text":    (["x", ""],                      [5, True, ["x"], {"a": 1}]),
    "number":  ([5, 0, -1],                     ["5", True, [5]]),
    "flag":    ([True, False],                  ["yes", 1, []]),
    "instant": ([AWARE, "2024-02-05T09:00:00+08:00"], ["soon", "2024-02-05T09:00:00", 5, True]),
    "list":    ([["a", "b"], []],               ["a", [1], ["a", None], {"a": 1}]),
    "any":     (["x", 5, True, ["x"], {"a": 1}], []),
}
# fmt: on


@pytest.mark.parametrize("kind", FieldType)
def test_a_value_fits_its_type_or_is_refused(kind):
    """None always fits: nothing is known then."""
    fits, wrong = FITTING[kind]
    own = CustomField("own", kind)
    assert [codes({"own": value}, own) for value in (*fits, None)] == [[]] * (len(fits) + 1)
    assert [codes({"own": value}, own) for value in wrong] == [["invalid_field"]] * len(wrong)


def test_a_type_may_be_given_by_name():
    """As in a configuration file."""
    assert CustomField("own", "flag").type is FieldType.FLAG
    with pytest.raises(ValueError, match="colour"):
        CustomField("own", "colour")


def test_an_unknown_field_is_refused_with_those_that_are_close():
    """A typing error is no silent loss."""
    (reason,) = field_reasons({"titel": "x"}, ())
    assert reason.code == "unknown_field"
    assert "did you mean title?" in reason.message
    (reason,) = field_reasons({"qqqq": "x"}, ())
    assert "declare it as a CustomField" in reason.message


def test_what_a_step_did_is_written_by_the_library_alone():
    """Reserved, unless the caller says that it is meant."""
    assert [codes({name: "x"}) for name in sorted(OF_THE_STEP)] == [["reserved_field"]] * len(OF_THE_STEP)
    assert codes({"record": "x", "own": 5}, also=("record", "own")) == []


def test_every_wrong_field_has_a_reason():
    """All at once: the unknown names first, then what is of another type."""
    assert codes({"title": 5, "colour": "red", "phase": "new"}) == [
        "unknown_field",
        "reserved_field",
        "invalid_field",
    ]


@pytest.mark.parametrize("name", ["", "two words", "1st", "a-b", "a.b"])
def test_a_field_is_called_by_a_plain_word(name):
    """Letters, digits and underscores."""
    with pytest.raises(InvalidValue, match="is no plain word"):
        CustomField(name, "text")


@pytest.mark.parametrize("name", sorted({*STANDARD, *OF_THE_STEP}))
def test_a_name_of_ours_is_taken(name):
    """A host cannot change what title or phase means."""
    with pytest.raises(InvalidValue, match="is taken by the library"):
        CustomField(name, "text")


def test_every_shared_property_of_a_record_may_be_given():
    """What a record can read, a command can say."""
    shared = {name for name, thing in vars(Record).items() if isinstance(thing, _Known)}
    assert shared <= set(STANDARD)


def test_personal_fields_are_marked():
    """Ours wherever they occur, a host's if declared so."""
    custom = (CustomField("badge", "text", personal=True), CustomField("size", "text"))
    fields = {"title": "x", "badge": "4711", "size": "L"}
    assert personal_marks(fields, custom) == {"title": "", "badge": ""}
    assert personal_marks({"size": "L"}, custom) == {}
    assert personal_marks({"badge": "4711"}, ()) == {}
