"""Values into plain dicts and back; canonical JSON and its digest; fields that cannot be changed."""

import copy
import datetime as dt
import enum
import json
import pickle
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from itsm_core.actors import Actor, ActorKind
from itsm_core.commands import Command
from itsm_core.errors import InvalidValue, NaiveDatetime
from itsm_core.events import Audience, Communication, Direction, Event, Phase, WaitsOn
from itsm_core.lifecycle import Lifecycle, Need, State, Transition
from itsm_core.priority import PriorityMatrix
from itsm_core.records import Record
from itsm_core.values import (
    NO_FIELDS,
    Fields,
    as_fields,
    as_object,
    canonical,
    counted,
    digest,
    each,
    encoder,
    from_dict,
    frozen_json,
    member,
    pairs,
    spelt,
    texts,
    to_dict,
)

# --- strategies --------------------------------------------------------------------------------

TEXTS = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=8)
NAMES = TEXTS.filter(bool)
INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.dictionaries(NAMES, JSON, max_size=4)
INSTANTS = st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2199, 1, 1), timezones=st.just(dt.UTC))
MAYBE = st.none() | NAMES
ACTORS = st.builds(
    Actor,
    NAMES,
    st.sampled_from(ActorKind),
    roles=st.frozensets(NAMES, max_size=2),
    model=NAMES,  # an AI agent needs both
    version=NAMES,
    approved_by=MAYBE,
)


@st.composite
def events(draw):
    """Events whose every field is drawn."""
    early, late = sorted(draw(st.tuples(INSTANTS, INSTANTS)))
    fields = draw(FIELDS)
    return Event(
        id=draw(NAMES),
        record=draw(NAMES),
        seq=draw(st.integers(1, 99)),
        kind=draw(NAMES),
        occurred_at=early,
        recorded_at=late,
        actor=draw(ACTORS),
        schema=draw(st.integers(1, 3)),
        on_behalf_of=draw(MAYBE),
        channel=draw(MAYBE),
        cause=draw(MAYBE),
        lifecycle=draw(MAYBE),
        lifecycle_version=draw(st.none() | st.integers(1, 9)),
        from_state=draw(MAYBE),
        to_state=draw(MAYBE),
        fields=fields,
        personal={name: draw(TEXTS) for name in fields if draw(st.booleans())},
        erased=draw(st.dictionaries(NAMES, NAMES, max_size=2)),
        tenant=draw(MAYBE),
    )


RECORDS = st.builds(
    Record,
    NAMES,
    NAMES,
    lifecycle=NAMES,
    lifecycle_version=st.integers(1, 9),
    state=NAMES,
    phase=st.sampled_from(Phase),
    version=st.integers(0, 9),
    touched=st.integers(0, 9),
    opened_at=st.none() | INSTANTS,
    changed_at=st.none() | INSTANTS,
    entered_at=st.none() | INSTANTS,
    waits_on=st.none() | st.sampled_from(WaitsOn),
    outcome=MAYBE,
    reopened=st.integers(0, 9),
    reassigned=st.integers(0, 9),
    tenant=MAYBE,
    links=st.lists(st.tuples(NAMES, NAMES), max_size=2).map(tuple),
    fired=st.frozensets(NAMES, max_size=2),
    values=FIELDS.map(as_fields),
    personal=st.frozensets(NAMES, max_size=2),
)
COMMUNICATIONS = st.builds(
    Communication,
    direction=st.sampled_from(Direction),
    channel=NAMES,
    author=ACTORS,
    audience=st.sampled_from(Audience),
    at=INSTANTS,
    text=st.none() | TEXTS,
    text_digest=MAYBE,
    text_ref=MAYBE,
    message_id=MAYBE,
    automatic=st.booleans(),
    promise_due=st.none() | INSTANTS,
)
VALUES = events() | RECORDS | COMMUNICATIONS | ACTORS

# --- canonical JSON (RFC 8785) -----------------------------------------------------------------


def test_names_are_ordered_by_utf16_code_units():
    """RFC 8785 3.2.3, the published example: an emoji (D83D) sorts before U+FB33."""
    given_in_the_rfc = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    assert list(json.loads(canonical(given_in_the_rfc)).values()) == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]


def test_the_rfc_example_without_its_floats_byte_for_byte():
    """RFC 8785 3.2.2 and 3.2.4: literals, and a string with every kind of escape, as UTF-8."""
    value = {"string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/", "literals": [None, True, False]}
    # The bytes of 3.2.4, less the member "numbers".
    assert canonical(value).hex(" ") == (
        "7b 22 6c 69 74 65 72 61 6c 73 22 3a 5b 6e 75 6c 6c 2c 74 72 75 65 2c 66 61 6c 73 65 5d 2c "
        "22 73 74 72 69 6e 67 22 3a 22 e2 82 ac 24 5c 75 30 30 30 66 5c 6e 41 27 42 5c 22 5c 5c 5c 5c "
        "5c 22 2f 22 7d"
    )


# fmt: off
@pytest.mark.parametrize(
    ("value", "written"),
    [  # RFC 8785 3.2.2.2: two-letter escapes where JSON has them, else lower-case \u00xx
        ("\b\t\n\f\r", r'"\b\t\n\f\r"'),
        ("\x00\x0f\x1f", r'"\u0000\u000f\u001f"'),
        ('"\\', r'"\"\\"'),
        ("/\x7f\x80", '"/\x7f\x80"'),            # U+007F and beyond stand as they are
        ("</script>", '"</script>"'),            # cyberphone/json-canonicalization weird.json
        ("\u2028\u2029", '"\u2028\u2029"'),
        ("e\u0301", '"e\u0301"'),                # 3.1: no Unicode normalisation
        ({}, "{}"),
        ([], "[]"),
        ({"b": [], "a": {}}, '{"a":{},"b":[]}'),
        ({"10": 1, "1": 2, "111": 3, "": 4}, '{"":4,"1":2,"10":1,"111":3}'),  # structures.json of the same
        ({"peach": 1, "p\u00e9ch\u00e9": 2, "p\u00eache": 3, "sin": 4},      # french.json of the same
         '{"peach":1,"p\u00e9ch\u00e9":2,"p\u00eache":3,"sin":4}'),
        ([56, {"d": True, "10": None, "1": []}], '[56,{"1":[],"10":null,"d":true}]'),  # arrays.json
        (2**53 - 1, "9007199254740991"),
        (-(2**53) + 1, "-9007199254740991"),
        (0, "0"),
    ],
    ids=ascii,
)
def test_values_are_written_in_one_way_only(value, written):
    """No spaces, the shortest escapes, names in order."""
    assert canonical(value) == written.encode()
# fmt: on


@given(JSON)
def test_canonical_json_says_the_same(value):
    """Reading it back gives the value, and writing that gives the same bytes."""
    written = canonical(value)
    assert json.loads(written) == value
    assert canonical(json.loads(written)) == written


@given(FIELDS)
def test_the_order_in_which_a_dict_was_built_does_not_matter(fields):
    """Equal dicts have equal bytes."""
    assert canonical(dict(reversed(fields.items()))) == canonical(fields)


@pytest.mark.parametrize("value", [2**53, -(2**53), 10**30], ids=repr)
def test_numbers_that_other_languages_cannot_hold_are_refused(value):
    """RFC 8785 3.2.2.3 by way of I-JSON: beyond 2^53-1 digits are lost."""
    with pytest.raises(InvalidValue, match="store it as text"):
        canonical({"n": value})


@pytest.mark.parametrize(
    "wrap", [lambda x: [x], lambda x: {"a": x}, lambda x: (x,)], ids=["list", "dict", "tuple"]
)
def test_what_is_nested_too_deep_is_refused_by_name(wrap):
    """A hundred are fine, on any stack that reads them again; more, or thousands, say what to do."""

    def nested(times):
        value = "x"
        for _ in range(times):
            value = wrap(value)
        return value

    kept = frozen_json(nested(100))
    assert as_fields({"a": nested(99)})["a"] == frozen_json(nested(99))
    assert canonical(kept) == canonical(nested(100))
    for times in (101, 5000):
        with pytest.raises(InvalidValue, match="is nested more than 100 deep; store it flatter"):
            frozen_json(nested(times), "inputs")
        with pytest.raises(InvalidValue, match="is nested more than 100 deep; store it flatter"):
            as_fields({"inputs": nested(times)})


@pytest.mark.parametrize("value", ["\ud800", "a\udfff", {"\udead": 1}, ["\udead"]], ids=ascii)
def test_half_a_surrogate_pair_is_refused(value):
    """RFC 8785 3.2.2.2: lone surrogates end the run with an error."""
    with pytest.raises(InvalidValue, match="surrogate"):
        canonical(value)


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), float("inf"), b"x", dt.date(2024, 1, 1), dt.timedelta(1), object(), complex(1)],
    ids=lambda value: type(value).__name__ + str(value)[:5],
)
def test_what_json_cannot_hold_is_refused_by_name(value):
    """Floats, bytes, dates and durations have no one way to be written."""
    for place in (value, [value], {"deep": {"inside": [value]}}):
        with pytest.raises(InvalidValue, match=f"is of type {type(value).__name__}, which cannot be stored"):
            canonical(place)
        with pytest.raises(InvalidValue, match=f"is of type {type(value).__name__}, which cannot be stored"):
            frozen_json(place)


class Written:
    """A value that knows how it is written, as an `ApprovalRule` does."""

    def to_dict(self):
        """Not asked: whoever stores it says so."""
        raise AssertionError


def test_what_knows_its_dict_is_refused_with_it():
    """A rule or a lifecycle given as it is; a class is no value of it."""
    for place in (Written(), [Written()], {"rule": Written()}):
        with pytest.raises(
            InvalidValue, match="is of type Written, which cannot be stored; give its to_dict"
        ) as no:
            as_fields({"rule": place})
        assert no.value.what == "rule"
    for other in (Written, object()):
        with pytest.raises(InvalidValue, match="use text, whole numbers"):
            frozen_json(other)


@pytest.mark.parametrize("name", [1, None, True, ("a",)], ids=repr)
def test_a_name_that_is_no_text_is_refused(name):
    """JSON names are texts; nothing is turned into one silently."""
    with pytest.raises(InvalidValue, match="is no text"):
        canonical({name: 1})
    with pytest.raises(InvalidValue, match="is no text"):
        as_fields({name: 1})


@pytest.mark.parametrize(
    ("value", "hexadecimal"),
    [  # printf '%s' '{"a":[1,null,true],"€":"x"}' | sha256sum, and so on
        (
            {"€": "x", "a": [1, None, True]},
            "3bea208e459d659476dd581f739ae21bc89597ac88ae232b4ef7d26d15c7fc67",
        ),
        ("hello", "5aa762ae383fbb727af3c7a36d4940a5b8c40a989452d2304fc958ff3f354e7a"),
    ],
    ids=["object", "text"],
)
def test_a_digest_is_the_sha256_of_the_canonical_bytes(value, hexadecimal):
    """Figures of sha256sum, so that anybody can check a digest without this library."""
    assert digest(value) == hexadecimal


# --- what becomes of Python values -------------------------------------------------------------


class Colour(enum.Enum):
    """An enumeration that is no text."""

    RED = "red"


class Count(enum.IntEnum):
    """An enumeration that is a number."""

    TWO = 2


class Text(str):
    """A text of another class."""

    __slots__ = ()


class Number(int):
    """A number of another class."""


@pytest.mark.parametrize(
    ("value", "frozen"),
    [
        ([1, [2]], (1, (2,))),
        ({"a": {"b": [1]}}, {"a": {"b": (1,)}}),
        ({"b", "a"}, ("a", "b")),
        (frozenset({3, 1, 2}), (1, 2, 3)),
        (set(), ()),
        (Colour.RED, "red"),
        (Count.TWO, 2),
        (Phase.NEW, "new"),
        (Text("x"), "x"),
        (Number(7), 7),
        (Fraction(3, 4), "3/4"),
        (dt.datetime(2024, 2, 4, 10, 30, tzinfo=ZoneInfo("Asia/Shanghai")), "2024-02-04T02:30:00.000000Z"),
        ({Phase.NEW, Phase.ACTIVE}, ("active", "new")),
        ({}, {}),
    ],
)
def test_python_values_become_json_values(value, frozen):
    """Lists become tuples, sets sorted tuples, enumerations their value, instants UTC text."""
    found = frozen_json(value)
    assert found == frozen
    assert type(found) in (Fields, tuple, str, int)


def test_a_naive_datetime_is_refused_by_the_name_of_its_field():
    """An instant needs a zone, also inside a field."""
    with pytest.raises(NaiveDatetime, match=r"^look_again_at"):
        as_fields({"look_again_at": dt.datetime(2024, 1, 1)})


def test_a_set_of_sets_has_one_order_whatever_the_hash_seed():
    """Sets compare by inclusion, which orders nothing; their frozen items are sorted instead."""
    singles = [frozenset({letter}) for letter in "dbac"]
    assert frozen_json(frozenset(singles)) == (("a",), ("b",), ("c",), ("d",))


@pytest.mark.parametrize("mixed", [{1, "a"}, {None, "a"}, {None, 1}], ids=["int", "none", "none-int"])
def test_a_set_without_an_order_is_refused(mixed):
    """Mixed kinds cannot be sorted, so their bytes would differ from run to run."""
    with pytest.raises(InvalidValue, match="use a list"):
        frozen_json(mixed, "tags")


@pytest.mark.parametrize("value", ["title", ["title"], 5, [("a", 1)]], ids=repr)
def test_fields_are_a_mapping(value):
    """Anything else is refused with how to write it."""
    with pytest.raises(InvalidValue, match="no mapping"):
        as_fields(value)


@pytest.mark.parametrize("nothing", [None, {}, Fields()], ids=["None", "dict", "Fields"])
def test_no_fields_are_one_value(nothing):
    """Empty fields cost nothing."""
    assert as_fields(nothing) is NO_FIELDS


def test_an_empty_name_is_refused():
    """A field has a name."""
    with pytest.raises(InvalidValue, match="name fields with words"):
        as_fields({"": 1})


# --- fields that cannot be changed -------------------------------------------------------------

HELD = as_fields({"a": 1, "deep": {"b": [1, {"c": 2}]}})


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.__setitem__("a", 2),
        lambda f: f.__delitem__("a"),
        lambda f: f.clear(),
        lambda f: f.pop("a"),
        lambda f: f.pop("missing", None),
        lambda f: f.popitem(),
        lambda f: f.setdefault("a", 2),
        lambda f: f.setdefault("z", 2),
        lambda f: f.update({"a": 2}),
        lambda f: f.update(a=2),
        lambda f: f.update(),
        lambda f: f.__ior__({"a": 2}),
        lambda f: f["deep"].update(b=2),
        lambda f: f["deep"]["b"][1].pop("c"),
    ],
    ids=[
        "set", "del", "clear", "pop", "pop-missing", "popitem", "setdefault", "setdefault-new", "update",
        "update-kw", "update-nothing", "ior", "nested", "in-a-list",
    ],
)  # fmt: skip
def test_no_method_of_a_dict_changes_fields(change):
    """Every changing method is refused, at every depth, and says how to build new ones."""
    fields = as_fields({"a": 1, "deep": {"b": [1, {"c": 2}]}})
    with pytest.raises(TypeError, match="build new ones"):
        change(fields)
    assert fields == HELD


def test_every_method_of_a_dict_is_refused_or_harmless():
    """A new Python that adds a changing method to dict fails here."""
    harmless = {"copy", "fromkeys", "get", "items", "keys", "values"}
    changing = {name for name in dir(dict) if not name.startswith("_")} - harmless
    assert all(getattr(Fields, name) is Fields._refuse for name in changing)
    assert all(getattr(Fields, name) is Fields._refuse for name in ("__setitem__", "__delitem__", "__ior__"))


def test_fields_have_no_room_for_attributes():
    """Nothing can be hung on them."""
    with pytest.raises(AttributeError):
        HELD.note = "x"


def test_joining_fields_makes_something_new():
    """`|` and `copy` give plain dicts and leave the fields alone."""
    joined = HELD | {"a": 2}
    copied = HELD.copy()
    copied["a"] = 3
    assert (joined["a"], copied["a"], HELD["a"]) == (2, 3, 1)


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda f: pickle.loads(pickle.dumps(f))])
@given(fields=FIELDS)
def test_fields_can_be_copied_and_pickled(clone, fields):
    """The copy is equal, immutable and hashes alike."""
    held = as_fields(fields)
    again = clone(held)
    assert type(again) is Fields
    assert again == held
    assert hash(again) == hash(held)


@given(FIELDS)
def test_equal_fields_hash_alike_whatever_their_order(fields):
    """They may be members of sets, and equal any dict with the same content."""
    one, other = as_fields(fields), as_fields(dict(reversed(fields.items())))
    assert one == other == dict(one)
    assert len({one, other}) == 1


# --- the table: values into dicts and back -----------------------------------------------------


@given(VALUES)
def test_a_value_comes_back_from_its_dict(value):
    """`from_dict` undoes `to_dict`, also through JSON text, and the digest stays; `spelt` is that text."""
    plain = to_dict(value)
    assert from_dict(type(value), plain) == value
    assert as_object(spelt(value)).encode() == canonical(plain)
    again = from_dict(type(value), json.loads(canonical(plain)))
    assert again == value
    assert digest(to_dict(again)) == digest(plain)


@pytest.mark.parametrize("kind", [Event, Record, Communication, Actor])
def test_an_unknown_key_is_named(kind):
    """What a newer version wrote is not dropped silently."""
    with pytest.raises(InvalidValue, match=r"unknown keys \['colour'\], missing keys \['"):
        from_dict(kind, {"colour": "red"} if kind is not Actor else {"colour": "red", "kind": "person"})


def test_missing_keys_are_all_named():
    """One error lists everything that is not there."""
    with pytest.raises(InvalidValue, match=r"unknown keys \[\], missing keys \['channel', 'direction'\]"):
        from_dict(Communication, {"author": {"id": "ana"}, "audience": "public", "at": "2024-01-01T00:00Z"})


@attrs.frozen
class Before:
    """A stored value as an earlier version knew it."""

    name: str
    day: dt.date = dt.date(2024, 1, 1)


@attrs.frozen
class After:
    """The same after a version that added fields."""

    name: str
    day: dt.date = dt.date(2024, 1, 1)
    share: Fraction = Fraction(1, 2)
    pair: tuple[int, str] = (1, "a")
    tags: frozenset[str] = attrs.field(factory=frozenset)
    fields: Fields = NO_FIELDS
    inner: Before | None = None
    anything: Any = None


@given(NAMES, st.dates())
def test_a_new_field_with_a_default_leaves_stored_digests_unchanged(name, day):
    """A field at its default is left out, so old values read and hash as before."""
    before = Before(name, day)
    after = from_dict(After, to_dict(before))
    assert after == After(name, day)
    assert digest(to_dict(after)) == digest(to_dict(before))


def test_every_kind_of_field_goes_out_and_comes_in():
    """Dates, fractions, pairs, sets and nested values, as text can hold them."""
    value = After("n", dt.date(2024, 2, 29), Fraction(3, 4), (2, "b"), frozenset("ba"), as_fields({"k": [1]}),
                  Before("m"), {"x": [Phase.NEW]})  # fmt: skip
    plain = to_dict(value)
    assert plain == {
        "name": "n",
        "day": "2024-02-29",
        "share": "3/4",
        "pair": [2, "b"],
        "tags": ["a", "b"],
        "fields": {"k": (1,)},
        "inner": {"name": "m"},
        "anything": {"x": ("new",)},
    }
    assert as_object(spelt(value)).encode() == canonical(plain)
    again = from_dict(After, json.loads(json.dumps(plain)))
    assert attrs.evolve(again, anything=None) == attrs.evolve(value, anything=None)


@attrs.frozen
class Alone:
    """One field only."""

    count: int


def test_what_is_spelt_obeys_the_rules_of_canonical_json():
    """Numbers that other languages lose and half a surrogate pair are refused; texts are escaped."""
    assert spelt(Alone(7)) == {"count": "7"}
    with pytest.raises(InvalidValue, match="beyond 2"):
        spelt(Alone(2**53))
    with pytest.raises(InvalidValue, match="half a surrogate pair"):
        spelt(Before("\ud800"))
    assert spelt(Before('"\n\u20ac\U0001f600')) == {"name": '"\\"\\n\u20ac\U0001f600"'}


def test_json_is_written_the_same_where_python_has_no_quick_encoder(monkeypatch):
    """An interpreter without the accelerator of the json module."""
    monkeypatch.setattr(json.encoder, "c_make_encoder", None)
    value = {"b": [1, None, True], "a": {"\u20ac": '"'}}
    assert encoder(sort_keys=True)(value) == '{"a":{"\u20ac":"\\""},"b":[1,null,true]}'


@attrs.frozen
class Vague:
    """A field of two types: nobody could tell which to read."""

    value: int | str = 0


@attrs.frozen
class Foreign:
    """A field of a type that the table lacks."""

    value: complex = 0j


@pytest.mark.parametrize("cls", [Vague, Foreign])
def test_a_type_the_table_lacks_is_a_mistake_of_ours(cls):
    """Unions may only add None; other types are added to the table first."""
    with pytest.raises(TypeError, match="no way to store"):
        to_dict(cls())


@pytest.mark.parametrize(
    "cls", [Actor, Command, Communication, Event, Lifecycle, Need, PriorityMatrix, Record, State, Transition]
)
def test_fields_are_keyword_only_from_the_third_on(cls):
    """DESIGN rule 4: nobody has to count positions, and fields may be added anywhere."""
    assert len([field for field in attrs.fields(cls) if field.init and not field.kw_only]) <= 2


@given(events(), events())
def test_different_events_have_different_bytes(one, other):
    """The canonical dict loses nothing that equality sees."""
    assume(one != other)
    assert canonical(to_dict(one)) != canonical(to_dict(other))


# --- what callers hand over ---------------------------------------------------------------------


@pytest.mark.parametrize("value", ["huge", 5, None, ["new"], {}])
def test_a_value_that_names_no_member_is_refused_with_the_choices(value):
    """Also what cannot be hashed."""
    with pytest.raises(
        InvalidValue, match=r"is no phase of life; use one of new, active, waiting, resolved, closed$"
    ):
        member(Phase, value, "phase_of_life")


@pytest.mark.parametrize("phase", Phase)
def test_a_member_may_be_given_by_name(phase):
    """By its value or as itself."""
    assert member(Phase, str(phase), "phase") is member(Phase, phase, "phase") is phase


def test_a_text_is_one_word_and_never_its_letters():
    """Whatever takes several takes one."""
    assert texts("agent", "role", "write words") == ("agent",)
    assert texts(iter(["a", "b"]), "role", "write words") == ("a", "b")


@pytest.mark.parametrize("value", [5, None, [""], "", [5], [["a"]], b"ab"])
def test_what_is_no_word_is_refused(value):
    """Empty texts too."""
    with pytest.raises(InvalidValue, match=r"^role .*: is no word; write words$"):
        texts(value, "role", "write words")


@pytest.mark.parametrize("value", [5, None, "ana", ["ana"], Actor("ana"), {}])
def test_a_list_holds_things_of_one_kind(value):
    """One thing alone is no list, and a text is none."""
    with pytest.raises(InvalidValue, match=r"^people .*: is no (list of )?Actor; give a list$"):
        each(Actor, value, "people", "give a list")


def test_a_list_may_be_any_iterable():
    """It comes out as a tuple."""
    assert each(Actor, (Actor(name) for name in "ab"), "people", "") == (Actor("a"), Actor("b"))


@pytest.mark.parametrize(
    "value",
    [
        5,
        None,
        "ab",
        ["ab"],
        [("a",)],
        [("a", "b", "c")],
        [("a", "")],
        [("a", None)],
        [{"a", "b"}],
        ("a", "b"),
    ],
)
def test_pairs_are_pairs_of_ids(value):
    """Two letters are none, and a pair alone is no list of them."""
    with pytest.raises(InvalidValue, match=r"^failover .*; .*give pairs$"):
        pairs(value, "failover", "give pairs")


def test_pairs_may_be_any_sequences():
    """They come out as tuples."""
    assert pairs(iter([["a", "b"], ("c", "d")]), "failover", "") == (("a", "b"), ("c", "d"))


@pytest.mark.parametrize("value", [0, -1, "1", 1.0, True, None])
def test_versions_are_counted(value):
    """From 1 on, in whole numbers."""
    with pytest.raises(InvalidValue, match="a changed thing is a new version"):
        counted(value, "thing")
