"""Lifecycles as dicts, JSON and TOML: nothing is lost, nothing is run, nothing hostile gets far."""

import copy
import hashlib
import json
import sys
import time
import tracemalloc
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time import business_days, hours
from itsm_core.errors import AmbiguousDuration, InvalidValue, UnsoundLifecycle
from itsm_core.lifecycle import CustomField, InstantOf, Lifecycle, Need, State, Transition, forms
from itsm_core.processes import SHIPPED, RequestModel
from random_lifecycles import GUARDS, content, sound_lifecycles

TOML = """
id = "acme.incident"
version = 2
process = "incident"
initial = "new"
requester = false
roles = ["agent", "manager", "second_line", "automation"]
label = { en = "Ticket", zh = "工单" }
fields = [{ name = "supplier_ref", type = "text", personal = true }]
opening = [{ field = "category", clause = "our rule" }]

[beside]
vote = ["content"]

[[states]]
id = "new"
phase = "new"
label = { en = "New", zh = "新建" }

[[states]]
id = "with_supplier"
phase = "waiting"
waits_on = "supplier"
label = "With the supplier"

[[states]]
id = "done"
phase = "closed"
outcome = "completed"

[[transitions]]
trigger = "hand_over"
sources = "new"
dest = "with_supplier"
roles = ["second_line", "agent"]
relation = "assignee"
guards = ["content"]
separate_from = ["open"]
instructions = { en = "Call them first." }

[[transitions.requires]]
field = "supplier_ref"
clause = "our rule"
otherwise = "reason"
one_of = ["A-1", "A-2"]
kept = true
essential = false

[[transitions]]
trigger = "finish"
sources = ["new", "with_supplier"]
dest = "done"
roles = "agent"

[[transitions]]
trigger = "give_up"
sources = "with_supplier"
dest = "done"
after = "5 business days"
label = "Give up"

[[transitions]]
trigger = "undo"
sources = "done"
dest = "new"
roles = "manager"
reopens = "restart"
"""

REF = Need("supplier_ref", "our rule", one_of=("A-1", "A-2"), otherwise="reason", kept=True, essential=False)
WANTED = Lifecycle(
    "acme.incident",
    2,
    process="incident",
    initial="new",
    requester=False,
    roles=("agent", "manager", "second_line", "automation"),
    label={"en": "Ticket", "zh": "工单"},
    fields=[CustomField("supplier_ref", "text", personal=True)],
    opening=[Need("category", "our rule")],
    beside={"vote": ["content"]},
    states=[
        State("new", "new", label={"en": "New", "zh": "新建"}),
        State("with_supplier", "waiting", waits_on="supplier", label="With the supplier"),
        State("done", "closed", outcome="completed"),
    ],
    transitions=[
        Transition(
            "hand_over",
            "new",
            dest="with_supplier",
            roles={"second_line", "agent"},
            relation="assignee",
            guards="content",
            separate_from="open",
            instructions={"en": "Call them first."},
            requires=[REF],
        ),
        Transition("finish", ("new", "with_supplier"), dest="done", roles="agent"),
        Transition("give_up", "with_supplier", dest="done", after=business_days(5), label="Give up"),
        Transition("undo", "done", dest="new", roles="manager", reopens="restart"),
    ],
    guards=GUARDS,
)
TINY = """{"id": "tiny", "version": 1, "process": "incident", "initial": "new", "requester": false,
 "states": [{"id": "new", "phase": "new"}, {"id": "done", "phase": "closed", "outcome": "completed"}],
 "transitions": [{"trigger": "finish", "sources": ["new"], "dest": "done", "roles": ["b", "a"]}]}"""


def tiny(**changes):
    """The plain values of the smallest lifecycle, with some of them changed."""
    return {**json.loads(TINY), **changes}


# --- out and in ----------------------------------------------------------------------------------


def test_a_toml_file_is_a_lifecycle():
    """Every key there is, one name or many, words in one language or several."""
    assert Lifecycle.from_toml(TOML, guards=GUARDS) == WANTED


def test_bytes_with_or_without_a_mark_are_text():
    """As a file is read, from whatever editor."""
    marked = b"\xef\xbb\xbf" + TOML.encode()
    assert Lifecycle.from_toml(marked, guards=GUARDS) == WANTED
    assert Lifecycle.from_toml("\ufeff" + TOML.replace("\n", "\r\n"), guards=GUARDS) == WANTED
    assert Lifecycle.from_json(TINY.encode()) == Lifecycle.from_json(TINY)


def test_a_timer_edge_that_waits_for_an_instant_says_of_which_field():
    """In JSON and back; no name at all is refused with its place."""
    due = {"trigger": "finish", "sources": ["new"], "dest": "done", "after": "at ring_at"}
    asked = [{"field": "ring_at", "clause": "our rule"}]
    fields = [{"name": "ring_at", "type": "instant"}]
    made = Lifecycle.from_dict(tiny(transitions=[due], opening=asked, fields=fields))
    assert made.transitions[0].after == InstantOf("ring_at")
    assert made.to_dict()["transitions"] == [due]
    assert Lifecycle.from_json(made.to_json()) == made
    with pytest.raises(InvalidValue, match=r"^transitions\[1\]\.after: field ''"):
        Lifecycle.from_dict(tiny(transitions=[{**due, "after": "at "}]))


def test_the_dict_form_leaves_out_what_is_at_its_default():
    """A duration as text, roles in order of the alphabet, one source as a list."""
    plain = WANTED.to_dict()
    assert plain["transitions"][2] == {
        "trigger": "give_up",
        "sources": ["with_supplier"],
        "dest": "done",
        "after": "5 business days",
        "label": {"en": "Give up"},
    }
    assert plain["transitions"][0]["roles"] == ["agent", "second_line"]
    assert plain["beside"] == {"vote": ["content"]}
    assert plain["states"][0] == {"id": "new", "phase": "new", "label": {"en": "New", "zh": "新建"}}
    assert Lifecycle.from_json(TINY).to_dict() == tiny(
        transitions=[{"trigger": "finish", "sources": ["new"], "dest": "done", "roles": ["a", "b"]}]
    )


def test_what_is_written_is_plain_json():
    """No enum, tuple or class of ours is in it, and people can read it."""
    for lifecycle in (WANTED, *SHIPPED):
        text = lifecycle.to_json()
        assert json.loads(text) == lifecycle.to_dict()
    assert "新建" in WANTED.to_json()
    assert WANTED.to_json().startswith('{\n  "id": "acme.incident"')


MODELS = [
    RequestModel("laptop", 3, title="Laptop", may_ask="employee", approval="line_manager",
                 inputs=(Need("size", "our catalogue", one_of=("13", "16")),)),
    RequestModel("password", 1, title="New password"),
]  # fmt: skip


@pytest.mark.parametrize(
    "lifecycle", [WANTED, *SHIPPED, *(model.lifecycle() for model in MODELS)], ids=lambda one: one.id
)
def test_a_round_trip_is_the_identity(lifecycle):
    """Given the same guards, through each of the three forms; those of request models guard "open", too."""
    guards = lifecycle.guards
    assert Lifecycle.from_dict(lifecycle.to_dict(), guards=guards) == lifecycle
    assert Lifecycle.from_json(lifecycle.to_json(), guards=guards) == lifecycle
    assert Lifecycle.from_toml(lifecycle.to_toml(), guards=guards) == lifecycle


@pytest.mark.law
@given(sound_lifecycles)
def test_round_trips_are_the_identity(lifecycle):
    """Labels in any script, timers, guards, duties, needs: nothing is lost or reordered."""
    again = Lifecycle.from_json(lifecycle.to_json(), guards=GUARDS)
    assert again == lifecycle
    assert again.fingerprint == lifecycle.fingerprint
    assert repr(again.states) == repr(lifecycle.states)
    assert Lifecycle.from_toml(lifecycle.to_toml(), guards=GUARDS) == lifecycle


def test_a_subclass_comes_back_as_itself():
    """Forms answer with the class they were asked of."""

    @attrs.frozen(slots=False, eq=False, repr=False)
    class Ours(Lifecycle):
        """A host's own."""

    assert type(Ours.from_json(TINY)) is Ours


def test_toml_is_written_with_an_extra(monkeypatch):
    """Without it, the message says what to install."""
    monkeypatch.setitem(sys.modules, "tomli_w", None)
    with pytest.raises(ImportError, match=r"pip install 'itsm-core\[toml\]'"):
        WANTED.to_toml()


def test_what_cannot_be_read_again_is_not_written():
    """Half a surrogate pair in a label, code in the name of a guard."""
    half = attrs.evolve(WANTED, label={"en": "\ud800"})
    with pytest.raises(InvalidValue, match="half a surrogate pair"):
        half.to_json()
    code = attrs.evolve(WANTED, beside={"vote": ["no way"]}, guards={**GUARDS, "no way": content})
    with pytest.raises(InvalidValue, match=r"^guard 'no way': is no plain word; .*data holds no code"):
        code.to_dict()


# --- what is refused -----------------------------------------------------------------------------

STATE = {"id": "new", "phase": "new"}
DONE = {"id": "done", "phase": "closed", "outcome": "completed"}
MOVE = {"trigger": "finish", "sources": ["new"], "dest": "done", "roles": ["agent"]}


def state(**more):
    """The states of the smallest one, the first with more keys."""
    return tiny(states=[{**STATE, **more}, DONE])


def move(**more):
    """The transitions of the smallest one, with more keys."""
    return tiny(transitions=[{**MOVE, **more}])


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        (tiny(stats=[]), r"^key of lifecycle 'stats': is unknown; did you mean states"),
        (state(phse="new"), r"^key of states\[1\] 'phse': is unknown; did you mean phase"),
        (move(source="new"), r"^key of transitions\[1\] 'source': is unknown; did you mean sources"),
        (tiny(guards={"a": "eval"}), "^key of lifecycle 'guards'"),
        ({1: 2}, "^key of lifecycle 1: is no text"),
        ({}, "^lifecycle '0 values': lacks id, version, process, initial, states, transitions; add id"),
        (tiny(states=[{"id": "new"}]), r"^states\[1\] '1 values': lacks phase; add phase = "),
        (tiny(states=[{"id": "new", "phase": "nwe"}]), r"^states\[1\]: phase 'nwe': is no phase; use one of new"),
        (tiny(states="new"), "^lifecycle.states 'new': is no list"),
        (tiny(states=["new"]), r"^states\[1\] 'new': is no table"),
        (tiny(states={"new": 1}), r"^lifecycle\.states '1 values': is no list; write states = \["),
        (tiny(states=({"id": ("new",)},)), r"^states\[1\] '1 values': lacks phase"),
        (state(id=("new",)), r"^states\[1\]\.id '1 values': is no text"),
        (move(requires=7), r"^transitions\[1\]\.requires 7: is no list; write requires = \["),
        (tiny(initial=""), "L002"),
        (tiny(id=""), "^lifecycle: lifecycle '': has no id"),
        (state(id=""), r"^states\[1\]: state '': has no id"),
        (state(id=7), r"^states\[1\]\.id 7: is no text"),
        (state(waits_on="nobody"), r"^states\[1\]: hold_reason 'nobody': is no hold reason"),
        (state(label=["New"]), r"^states\[1\]\.label '1 values': is no table"),
        (state(label={"en": 1}), r"^states\[1\]\.label\.en 1: is no text"),
        (state(label={2: "New"}), r"^key of states\[1\]\.label 2: is no text"),
        (move(after="5 days"), r'^transitions\[1\]\.after: duration \'5 days\': "days" has more than one'),
        (move(after=5), r"^transitions\[1\]\.after: transitions\[1\]\.after 5: is no text"),
        (move(roles=[1]), r"^transitions\[1\]\.roles 1: is no text"),
        (move(roles=[""]), r"^transitions\[1\]: role '': is no word"),
        (move(sources=None), r"^transitions\[1\]\.sources None: is no list; write sources = \[\.\.\.\]"),
        (move(dest={"a": "b"}), r"^transitions\[1\]\.dest '1 values': is no text"),
        (move(requires=[{"field": "title"}]), r"^transitions\[1\]\.requires\[1\] '1 values': lacks clause"),
        (move(requires=[{"field": "t", "clause": "c", "kept": 1}]), r"requires\[1\]\.kept 1: is neither true"),
        (move(guards=["contnt"]), "^guard 'contnt': is registered nowhere; did you mean content"),
        (move(guards=["qqq"]), r"give its function: guards=\{'qqq': \.\.\.\}"),
        (move(guards="__import__('os').system('x')"), "is no plain word; name a registered guard; data holds no"),
        (move(guards=["lambda s: None"]), r"^transitions\[1\]\.guards 'lambda s: None'"),
        (move(guards=["os.system"]), r"^transitions\[1\]\.guards 'os\.system': is no plain word"),
        (tiny(beside={"vote": ["qqq"]}), "^guard 'qqq': is registered nowhere"),
        (tiny(beside={"vote": ["eval()"]}), r"^lifecycle\.beside\.vote 'eval\(\)': is no plain word"),
        (tiny(beside={"voet": []}), "is no command beside the state; did you mean vote"),
        (tiny(beside={"escalate": []}), "^lifecycle.beside 'escalate'"),
        (tiny(beside=[]), "^lifecycle.beside '0 values': is no table"),
        (tiny(version="1"), "^lifecycle.version '1': is no version"),
        (tiny(version=True), "^lifecycle.version True"),
        (tiny(version=0), "^lifecycle.version 0"),
        (tiny(version=1.0), "^lifecycle.version 1.0"),
        (tiny(version=2**53), "^lifecycle.version 9007199254740992"),
        (tiny(requester="no"), "^lifecycle.requester 'no': is neither true nor false"),
        (tiny(id=None), "^lifecycle.id None: is no text"),
        (tiny(id=b"new"), "^lifecycle.id 'a bytes': is no text"),
        (tiny(fields=[{"name": "a b", "type": "text"}]), r"^fields\[1\]: field name 'a b': is no plain word"),
        (tiny(fields=[{"name": "room", "type": "txt"}]), r"^fields\[1\]: type 'txt': is no type; use one of"),
        (tiny(initial="\ud800"), "^text '1 characters': hold half a surrogate pair"),
        (tiny(initial="x" * 20_001), "^text '20001 characters': is too long"),
        ([], "^lifecycle '0 values': is no table"),
        ("tiny", "^lifecycle 'tiny': is no table"),
        (None, "^lifecycle None: is no table"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_place(plain, message):
    """The key, the value, what is wrong with it, and what to write instead."""
    with pytest.raises((InvalidValue, UnsoundLifecycle), match=message):
        Lifecycle.from_dict(plain, guards=GUARDS)


def test_a_refused_duration_says_which_days_are_meant():
    """Its message is that of durations, at its place in the file."""
    with pytest.raises(InvalidValue, match='"1 business day", "1 calendar day"') as caught:
        Lifecycle.from_dict(move(after="5 days"))
    assert not isinstance(caught.value, AmbiguousDuration)


def test_what_is_not_sound_is_refused_with_every_finding():
    """A file is judged as code is."""
    with pytest.raises(UnsoundLifecycle) as caught:
        Lifecycle.from_dict(
            tiny(states=[STATE, {"id": "done", "phase": "closed"}, {"id": "x", "phase": "active"}])
        )
    assert {"L008", "L009", "L010"} <= set(caught.value.codes)


def test_what_lies_on_the_bounds_is_read():
    """One more of each is refused above and below."""
    long = tiny(version=2**53 - 1, label={"en": "x" * 20_000, "zh": "." * 100})
    found = Lifecycle.from_dict(long)
    assert (found.version, len(found.say())) == (2**53 - 1, 20_000)
    assert Lifecycle.from_toml(found.to_toml()) == found
    text = found.to_json()
    assert Lifecycle.from_json(text + " " * (1_000_000 - len(text))) == found
    with pytest.raises(InvalidValue, match="is too long; write at most 1000000"):
        Lifecycle.from_json(text + " " * (1_000_001 - len(text)))
    for texts, message in (
        (99_997, "lacks version"),
        (99_998, "holds over 100000 values, or goes in circles"),
    ):
        with pytest.raises(InvalidValue, match=message):
            Lifecycle.from_dict({"id": "two keys, one more below", "states": {"new": ["x"] * texts}})


def test_tuples_are_lists():
    """A host's own dict may hold them."""
    moves = tuple({**row, "sources": tuple(row["sources"])} for row in tiny()["transitions"])
    assert Lifecycle.from_dict(tiny(transitions=moves)) == Lifecycle.from_json(TINY)


def test_a_guard_is_given_by_whoever_reads():
    """The same file without its functions is refused; code in the file is never run."""
    with pytest.raises(InvalidValue, match=r"^guard .content.: is registered nowhere"):
        Lifecycle.from_toml(TOML)
    given = Lifecycle.from_dict(move(guards=["content"]), guards={"content": content})
    assert given.guards["content"] is content


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TINY[:-1], "is no JSON; check the place it names"),
        (b"\xff" + TINY.encode(), "is no JSON"),
        ("", "is no JSON"),
        ("[" * 900_000, "is nested too deep; write tables and lists a few levels deep, as `to_dict` does"),
        ('{"a":' * 150_000, "is nested too deep"),
        (TINY.replace('"version": 1', '"version": 1, "version": 2'), "^key 'version': is there twice"),
        (TINY.replace(": 1,", ": NaN,"), "^lifecycle.version nan"),
        (TINY.replace(": 1,", ": 1" + "0" * 5_000 + ","), "is no JSON"),
        (" " * 1_000_001, "^lifecycle '1000001 characters': is too long"),
        (7, "^lifecycle 7: is no text; give the JSON itself"),
        (tiny(), "^lifecycle '7 values': is no text"),
    ],
    ids=range(11),
)
def test_text_that_is_no_json_is_refused(text, message):
    """Too long, too deep, cut off, or saying two things at once."""
    with pytest.raises(InvalidValue, match=message):
        Lifecycle.from_json(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TOML.replace('id = "acme', "id = acme", 1), "is no TOML; check the place it names"),
        (TOML + '\nid = "again"', "is no TOML|is unknown"),
        ("a = " + "[" * 900_000, "is nested too deep"),
        ("a = " + "{a=" * 250_000, "is nested too deep"),
        ("a" + ".a" * 450_000 + " = 1", "^lifecycle 'a line': has over 100 dots"),
        (TOML + "\n[" + ".".join(["a"] * 102) + "]\nb = 1", "a line.: has over 100 dots; write plain keys"),
        ("a = 1" + "0" * 5_000, "is no TOML"),
        (b"\xff", "is no TOML"),
        ("#" * 1_000_001, "is too long"),
        (TOML.replace("version = 2", "version = 2024-01-01"), "^lifecycle.version 'a date': is no version"),
        (TOML.replace("version = 2", "version = 2.5"), "^lifecycle.version 2.5: is no version"),
    ],
    ids=range(11),
)
def test_text_that_is_no_toml_is_refused(text, message):
    """The parser is never let into what would take it hours."""
    with pytest.raises(InvalidValue, match=message):
        Lifecycle.from_toml(text, guards=GUARDS)


# --- hostile values ------------------------------------------------------------------------------


def circular():
    """States that hold themselves."""
    states = []
    states.append(states)
    return tiny(states=states)


def bomb():
    """A few hundred lists that unfold to ten to the ninth needs, as an alias of YAML may."""
    need = {"field": "title", "clause": "c", "one_of": ["a"] * 1_000}
    row = {**MOVE, "requires": [need] * 1_000}
    return tiny(transitions=[row] * 1_000)


def nested():
    """A label twenty thousand tables deep."""
    inner = {}
    for _ in range(20_000):
        inner = {"a": inner}
    return state(label=inner)


def crowded():
    """A hundred thousand states."""
    return tiny(states=[{"id": f"s{n}", "phase": "active"} for n in range(100_000)])


def wide():
    """A key for each of two hundred thousand names."""
    return tiny(**dict.fromkeys((f"k{n}" for n in range(200_000)), 1))


@pytest.mark.parametrize("make", [circular, bomb, nested, crowded, wide])
def test_hostile_values_are_refused_in_bounded_time_and_memory(make):
    """Refused with a short message, soon, and with a few megabytes beyond the input."""
    plain = make()
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(InvalidValue) as caught:
        Lifecycle.from_dict(plain)
    spent, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(str(caught.value)) < 500
    assert spent < 30  # measured: under 0.2 s; shared cores, traced memory and lines; a bomb takes hours
    assert peak < 30_000_000


def test_a_large_file_that_is_no_bomb_is_judged_in_bounded_time():
    """As many states as the bounds let through: refused or read, but soon."""
    names = [f"s{n}" for n in range(2_000)]
    states = [STATE, *({"id": name, "phase": "active"} for name in names), DONE]
    rows = [
        {**MOVE, "trigger": f"t{n}", "sources": ["new", *names[: n % 7]], "dest": name}
        for n, name in enumerate(names)
    ]
    text = json.dumps(tiny(states=states, transitions=[*rows, {**MOVE, "sources": ["new", *names]}]))
    assert len(text) < 1_000_000
    began = time.process_time()
    with pytest.raises((InvalidValue, UnsoundLifecycle)) as caught:
        Lifecycle.from_json(text)
    assert time.process_time() - began < 30
    assert "2002 states" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "[" + ".".join("a" * 101) + "]\n" + "\n".join(f"k{n} = 1" for n in range(10_000)),
        "\n".join(f"k{n}.{'.'.join('a' * 100)} = 1" for n in range(500)),
        'a = "' + "x" * 990_000,
    ],
    ids=["deep header", "deep keys", "open text"],
)
def test_names_as_deep_as_the_bound_cost_the_parser_little(text):
    """A tenth of what may be read, in a tenth of the time; beyond the bound nothing is parsed."""
    began = time.process_time()
    with pytest.raises(InvalidValue):
        Lifecycle.from_toml(text)
    assert time.process_time() - began < 30  # measured: under 0.3 s; shared cores, traced lines


junk = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=3)
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def damaged(draw):
    """A good dict in which one place, at any depth, holds something else."""
    plain = WANTED.to_dict()
    here, key = plain, draw(st.sampled_from(sorted(plain)))
    while isinstance(here[key], dict | list) and here[key] and draw(st.booleans()):
        here = here[key]
        key = draw(st.sampled_from(sorted(here) if isinstance(here, dict) else range(len(here))))
    here[key] = draw(junk)
    return plain


@pytest.mark.law
@given(damaged())
def test_a_damaged_file_is_refused_or_read_as_something_sound(plain):
    """Wrong types anywhere: an error of ours, or a lifecycle that says itself again."""
    before = copy.deepcopy(plain)
    try:
        found = Lifecycle.from_dict(plain, guards=GUARDS)
    except (InvalidValue, UnsoundLifecycle):
        pass
    else:
        assert Lifecycle.from_dict(found.to_dict(), guards=GUARDS) == found
    assert repr(plain) == repr(before)


@pytest.mark.law
@given(st.text(max_size=60) | st.binary(max_size=60))
def test_any_text_is_refused(text):
    """Nothing but an error of ours comes out of noise."""
    for read in (Lifecycle.from_json, Lifecycle.from_toml):
        with pytest.raises(InvalidValue):
            read(text)


# --- fingerprints --------------------------------------------------------------------------------


def test_a_fingerprint_is_the_digest_of_canonical_json_without_words_and_version():
    """Written out by hand: RFC 8785, keys sorted, nothing at its default."""
    written = (
        '{"id":"tiny","initial":"new","process":"incident","requester":false,'
        '"states":[{"id":"new","phase":"new"},{"id":"done","outcome":"completed","phase":"closed"}],'
        '"transitions":[{"dest":"done","roles":["a","b"],"sources":["new"],"trigger":"finish"}]}'
    )
    assert Lifecycle.from_json(TINY).fingerprint == hashlib.sha256(written.encode()).hexdigest()


WORDS_ALONE = {"label", "instructions", "version"}


def test_words_and_version_leave_the_fingerprint_alone():
    """A label of the whole, of a state, a transition or a need; instructions; the version."""
    other = attrs.evolve(WANTED, version=9, label={"fr": "Ticket"})
    other = attrs.evolve(other, states=[attrs.evolve(one, label="x") for one in other.states])
    rows = [
        attrs.evolve(
            t, label="x", instructions="x", requires=[attrs.evolve(n, label="x") for n in t.requires]
        )
        for t in other.transitions
    ]
    other = attrs.evolve(other, transitions=rows, opening=[attrs.evolve(n, label="x") for n in other.opening])
    assert other != WANTED
    assert other.fingerprint == WANTED.fingerprint


NEW, SUPPLIER, _ = WANTED.states
HAND_OVER, *REST = WANTED.transitions
OTHER = {  # another value for each field of each part
    Lifecycle: {
        "id": "other", "process": "problem", "initial": "done", "states": WANTED.states[:2],
        "transitions": WANTED.transitions[:2], "opening": (), "fields": (), "beside": (), "roles": ("agent",),
        "requester": True,
    },
    State: {"id": "other", "phase": "active", "outcome": "failed", "waits_on": None},
    Transition: {
        "trigger": "other", "sources": "done", "dest": "new", "roles": "agent", "relation": "requester",
        "requires": (), "guards": (), "separate_from": (), "after": hours(3), "reopens": "resume",
    },
    Need: {
        "field": "other", "clause": "other", "one_of": ("A-1",), "otherwise": None, "kept": False,
        "required": False, "essential": True,
    },
    CustomField: {"name": "room", "type": "number", "personal": False},
}  # fmt: skip
INTO = {  # how a changed part becomes part of a changed lifecycle
    Lifecycle: (WANTED, lambda changed: changed),
    State: (SUPPLIER, lambda changed: attrs.evolve(WANTED, states=(NEW, changed, *WANTED.states[2:]))),
    Transition: (HAND_OVER, lambda changed: attrs.evolve(WANTED, transitions=(changed, *REST))),
    Need: (
        REF,
        lambda changed: attrs.evolve(
            WANTED, transitions=(attrs.evolve(HAND_OVER, requires=[changed]), *REST)
        ),
    ),
    CustomField: (WANTED.fields[0], lambda changed: attrs.evolve(WANTED, fields=[changed])),
}
CHANGES = [(kind, name) for kind, values in OTHER.items() for name in values]


@pytest.mark.parametrize(("kind", "name"), CHANGES, ids=lambda one: getattr(one, "__name__", one))
def test_any_other_change_is_another_fingerprint(kind, name):
    """Field by field, with everything else as it was."""
    part, whole = INTO[kind]
    changed = whole(attrs.evolve(part, **{name: OTHER[kind][name]}))
    assert changed.fingerprint != WANTED.fingerprint


@pytest.mark.parametrize("kind", OTHER, ids=lambda kind: kind.__name__)
def test_no_field_is_forgotten(kind):
    """A new field of a part needs a row above, and a place in the table of forms."""
    assert {field.name for field in attrs.fields(kind)} == {*OTHER[kind]} | (
        WORDS_ALONE & {field.name for field in attrs.fields(kind)}
    ) | ({"guards"} if kind is Lifecycle else set())


def test_an_opening_or_an_order_is_part_of_the_fingerprint():
    """Transitions are tried in the order of definition."""
    assert attrs.evolve(WANTED, opening=[Need("title", "our rule")]).fingerprint != WANTED.fingerprint
    turned = attrs.evolve(WANTED, transitions=WANTED.transitions[::-1])
    assert turned.fingerprint != WANTED.fingerprint


def test_the_functions_of_guards_are_no_part_of_it():
    """Names in data, never code."""
    assert attrs.evolve(WANTED, guards={"content": content}).fingerprint == WANTED.fingerprint


def test_the_example_of_the_module_is_read():
    """What its docstring shows is a lifecycle but for the states it leaves out."""
    shown = (forms.__doc__ or "").partition("\n\n")[2].partition("\n\nKeys are")[0]
    plain = Path(forms.__file__).read_text(encoding="utf-8")
    assert 'after = "5 business days"' in plain
    more = '[[states]]\nid = "resolved"\nphase = "resolved"\n[[states]]\nid = "done"\nphase = "closed"\n'
    more += 'outcome = "completed"\n[[transitions]]\ntrigger = "close"\nsources = "resolved"\ndest = "done"\n'
    more += 'roles = "agent"\nrelation = "requester"\n'
    dedented = "\n".join(line.removeprefix("    ") for line in shown.splitlines())
    found = Lifecycle.from_toml(f"{dedented}\n{more}", guards={"no_open_tasks": content})
    assert found.by_id["new"].say("zh") == "新建"
    assert [need.field for need in found.by_trigger["resolve"][0].requires] == ["resolution_notes"]
