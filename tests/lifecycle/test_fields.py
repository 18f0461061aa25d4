"""Which fields a record may hold: the common ones, and those a host declares."""

import datetime as dt

import pytest

from itsm_core.errors import InvalidValue
from itsm_core.events import PERSONAL
from itsm_core.lifecycle.fields import (
    MANAGED,
    OF_THE_STEP,
    SAID,
    STANDARD,
    TAKEN,
    CustomField,
    FieldType,
    field_reasons,
    kinds_of,
    personal_marks,
    shown,
    type_reasons,
)
from itsm_core.lifecycle.majors import MAJOR_COMMANDS
from itsm_core.records import Record
from itsm_core.records.record import _Known
from itsm_core.values import as_fields

AWARE = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)


def codes(fields, *custom, also=()):
    """The codes of the reasons against these fields."""
    return [reason.code for reason in field_reasons(as_fields(fields), kinds_of("open", custom), also)]


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
    (reason,) = field_reasons({"titel": "x"}, STANDARD)
    assert (reason.code, reason.facts) == ("unknown_field", (("field", "titel"),))
    assert reason.message == "'titel' is no field; did you mean title?"
    (reason,) = field_reasons({"qqqq": "x"}, STANDARD)
    assert reason.message == "'qqqq' is no field; declare it as a CustomField"


def test_a_field_of_ours_that_is_not_asked_for_is_to_be_left_out():
    """Nobody could declare it, and a name that is close would be a wrong guess."""
    (reason,) = field_reasons({"hold_reason": "x"}, {"reason": FieldType.TEXT})
    assert (reason.code, reason.facts) == ("unknown_field", (("field", "hold_reason"),))
    assert reason.message == "hold_reason is not asked for here; leave it out"


@pytest.mark.parametrize(
    ("names", "trigger"),
    [
        (("impact", "urgency", "priority", "priority_reason"), "reprioritise"),
        (("owner", "group", "assignee"), "assign"),
    ],
)
def test_a_field_that_has_a_command_of_its_own_is_refused_with_it(names, trigger):
    """Who amends them wants them changed, and is told how."""
    for name in names:
        (reason,) = field_reasons({name: "x"}, kinds_of("amend", ()))
        assert (reason.code, dict(reason.facts)) == ("unknown_field", {"field": name, "trigger": trigger})
        assert reason.message == f"{name} is not asked for here; {trigger} changes it"
        assert field_reasons({name: "x"}, kinds_of(trigger, ())) == type_reasons({name: "x"}, STANDARD)


@pytest.mark.parametrize(
    ("kind", "value", "takes"),
    [
        ("text", 5, "text"),
        ("number", "5", "a whole number"),
        ("flag", "yes", "True or False"),
        ("instant", "tomorrow", "an aware datetime"),
        ("instant", "2024-02-05T09:00:00", "an aware datetime"),
        ("list", "web", "a list of texts"),
    ],
)
def test_a_field_of_the_hosts_own_says_what_it_takes(kind, value, takes):
    """Its value is left out: only the host knows whether it is about a person."""
    (reason,) = type_reasons({"planned_start": value}, {"planned_start": FieldType(kind)})
    assert reason.message == f"planned_start takes {takes}"


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


@pytest.mark.parametrize(
    "name",
    sorted(
        {
            *STANDARD,
            *OF_THE_STEP,
            "text",
            "direction",
            "relation",
            "event",
            "was",
            "promise_due",
            "rule",
            "vote",
            "until",
            "round",
            "separate_from",
            "security",
        }
    ),
)
def test_a_name_of_ours_is_taken(name):
    """A host cannot change what title or phase means, or what words are."""
    assert name in TAKEN
    with pytest.raises(InvalidValue, match="is taken by the library"):
        CustomField(name, "text")


def test_every_shared_property_of_a_record_may_be_given():
    """What a record can read, a command can say; the agreement alone is the library's to choose."""
    shared = {name for name, thing in vars(Record).items() if isinstance(thing, _Known)}
    assert shared - {"agreement"} <= set(STANDARD)
    assert "agreement" in OF_THE_STEP


def test_personal_fields_are_marked():
    """Ours wherever they occur, a host's if declared so."""
    custom = (CustomField("badge", "text", personal=True), CustomField("size", "text"))
    fields = {"title": "x", "badge": "4711", "size": "L"}
    assert personal_marks(fields, custom) == {"title": "", "badge": ""}
    assert personal_marks({"size": "L"}, custom) == {}
    assert personal_marks({"badge": "4711"}, ()) == {}


@pytest.mark.parametrize(
    ("field", "hidden"),
    [("title", True), ("badge", True), ("was", True), ("now", True), ("size", False), (None, False)],
)
def test_a_correction_is_as_personal_as_its_field(field, hidden):
    """Also a correction of a correction, whose field may have been personal."""
    custom = (CustomField("badge", "text", personal=True), CustomField("size", "text"))
    fields = {"field": field, "was": "x", "now": "y"}
    assert personal_marks(fields, custom) == ({"was": "", "now": ""} if hidden else {})
    assert personal_marks({"field": "title", "now": "y"}, custom) == {"now": ""}


# --- which command takes which -----------------------------------------------------------------


@pytest.mark.parametrize("trigger", ["open", "assign", "reprioritise", "start", "bogus"])
def test_what_a_record_keeps_takes_the_common_fields(trigger):
    """Openings, assignments, priorities and every transition."""
    assert kinds_of(trigger, ()) == STANDARD
    assert kinds_of(trigger, (CustomField("size", "list"),)) == {**STANDARD, "size": FieldType.LIST}


WORDED = (
    "acknowledge",
    "snooze",
    "escalate_now",
    "migrate_policy",
    "communicate",
    "receive",
    "note",
    "link",
    "correct",
    "restate",
    "claim_exception",
    "justify_overrun",
    "waive",
    "request_approval",
    "vote",
    *MAJOR_COMMANDS,
)


@pytest.mark.parametrize("trigger", WORDED)
def test_what_is_said_takes_its_own_fields(trigger):
    """Commands whose words the record does not keep; each may say why, and why late."""
    assert {"reason": FieldType.TEXT, "late_reason": FieldType.TEXT}.items() <= SAID[trigger].items()
    assert kinds_of(trigger, (CustomField("size", "flag"),)) == {**SAID[trigger], "size": FieldType.FLAG}
    assert tuple(sorted(SAID)) == tuple(sorted(WORDED))


def test_a_process_has_fields_of_its_own():
    """They go with every command whose fields the record keeps, and with no word."""
    of_changes = {**STANDARD, "risk": FieldType.TEXT}
    for trigger in ("open", "assign", "reprioritise", "amend", "start"):
        assert kinds_of(trigger, (), of_changes)["risk"] is FieldType.TEXT
    for trigger in WORDED:
        assert kinds_of(trigger, (), of_changes) == SAID[trigger]


def test_an_amendment_takes_what_no_other_command_changes():
    """The common fields but those that are managed; a host's own are nobody else's."""
    custom = (CustomField("size", "list"),)
    kept = {name: kind for name, kind in STANDARD.items() if name not in MANAGED}
    assert kinds_of("amend", ()) == kept
    assert kinds_of("amend", custom) == {**kept, "size": FieldType.LIST}
    assert {"title", "category", "requester", "security", "restricted", "reason"} <= kept.keys()
    assert set(STANDARD) >= MANAGED


# --- values that are wrong ---------------------------------------------------------------------


def test_words_that_stand_for_few_things_are_refused_with_the_choices():
    """All of them at once, each with its own."""
    wrong = {"impact": "huge", "urgency": "very", "priority": "P9", "direction": "up", "audience": "all"}
    reasons = type_reasons(wrong, dict.fromkeys(wrong, FieldType.TEXT))
    assert {reason.code for reason in reasons} == {"invalid_field"}
    assert [reason.message for reason in reasons] == [
        'impact is \'huge\'; use "high", "medium" or "low"',
        'urgency is \'very\'; use "high", "medium" or "low"',
        "priority is 'P9'; use one of P1, P2, P3, P4, P5",
        "direction is 'up'; use one of inbound, outbound",
        "audience is 'all'; use one of requester, internal, management, public",
    ]
    assert dict(reasons[0].facts) == {"field": "impact", "type": "text"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("impact", "1 - High"), ("urgency", "low"), ("priority", "2 - High"), ("audience", "public")],
)
def test_words_are_read_as_other_systems_write_them(name, value):
    """What a level or a priority may be called is their own affair."""
    assert type_reasons({name: value}, {name: FieldType.TEXT}) == []


@pytest.mark.parametrize("name", ["title", "requester", "text", "resolution_notes", "reason", "message"])
def test_a_personal_value_is_not_quoted(name):
    """A refusal is logged, and shown to others."""
    (reason,) = type_reasons({name: ("Rita",)}, {name: FieldType.TEXT})
    assert reason.message == f"{name} takes text"
    assert "Rita" not in repr(reason)


def test_a_value_is_quoted_where_it_says_nothing_about_a_person():
    """Of a field of the host's own the library cannot know, whatever was declared."""
    assert shown("category", "mail") == "'mail'"
    assert shown("badge", "4711") == ""
    assert [name for name in PERSONAL if shown(name, "Rita")] == []
    (reason,) = field_reasons({"badge": "4711"}, {"badge": FieldType.NUMBER})
    assert reason.message == "badge takes a whole number"
