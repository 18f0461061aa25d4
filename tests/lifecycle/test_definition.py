"""What a lifecycle is made of, and records of hosts that keep tickets in a table of their own."""

import copy
import datetime as dt
import pickle
from zoneinfo import ZoneInfo

import attrs
import pytest

from itsm_core.actors import Actor
from itsm_core.business_time import hours
from itsm_core.commands import Command
from itsm_core.errors import InvalidValue, NaiveDatetime
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle import CustomField, FieldType, Lifecycle, Need, State, Transition, decide
from itsm_core.lifecycle.fields import STANDARD
from itsm_core.priority import Level, Priority
from itsm_core.processes import CHANGE, Blackout, ChangePolicy, ChangeTemplate, RequestModel, governed
from plain_incident import INCIDENT

T = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)
ANA = Actor.person("ana", "agent")


# --- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "lang", "said"),
    [
        ({"en": "New", "zh": "新建"}, "zh", "新建"),
        ({"en": "New", "zh": "新建"}, "en", "New"),
        ({"en": "New", "zh": "新建"}, "fr", "New"),
        ({"zh": "新建"}, "fr", "new"),
        ("New", "en", "New"),
        ((("zh", "新建"),), "zh", "新建"),
        ((), "en", "new"),
    ],
)
def test_a_label_is_said_in_the_language_else_in_english_else_by_its_id(label, lang, said):
    """Words are data; an id is shown only where no word is."""
    assert State("new", Phase.NEW, label=label).say(lang) == said


def test_a_need_and_a_transition_say_their_names_where_they_have_no_label():
    """A field by its name, a trigger with spaces."""
    assert Need("closure_code", "8.6.1").say() == "closure_code"
    assert Need("closure_code", "8.6.1", label={"zh": "依据"}).say("zh") == "依据"
    assert Transition("reopen_to_queue", "a", dest="b").say() == "reopen to queue"
    assert Transition("go", "a", dest="b", label={"zh": "走"}).say("zh") == "走"


# --- one name or many --------------------------------------------------------------------------


def test_a_single_name_is_one_name():
    """Never its letters: sources, roles, relations, choices."""
    row = Transition("go", "new", dest="done", roles="agent", relation="requester")
    assert (row.sources, row.roles, row.relation) == (
        ("new",),
        frozenset({"agent"}),
        frozenset({"requester"}),
    )
    assert Need("code", "8.6.1", one_of="fixed").one_of == ("fixed",)


def test_several_names_keep_their_order_where_order_matters():
    """Sources and choices are shown in the order of definition."""
    assert Transition("go", ["b", "a"], dest="c", roles=["x", "y"]).sources == ("b", "a")
    assert Need("code", "8.6.1", one_of=["z", "a"]).one_of == ("z", "a")


# --- a lifecycle -------------------------------------------------------------------------------


def test_a_lifecycle_is_a_value():
    """Equal by content, hashed by id and version, pickled whole."""
    again = pickle.loads(pickle.dumps(INCIDENT))
    assert again == INCIDENT
    assert len({again, INCIDENT}) == 1
    assert attrs.evolve(INCIDENT, transitions=()) != INCIDENT
    assert attrs.evolve(INCIDENT, transitions=()).by_trigger == {}


def test_states_are_found_by_id():
    """An unknown one is refused with the known ones."""
    assert INCIDENT.state("new").phase is Phase.NEW
    with pytest.raises(InvalidValue, match=r"is no state of incident 1; use one of \['cancelled', 'closed'"):
        INCIDENT.state("paused")


def test_triggers_come_in_the_order_of_definition_and_once():
    """The order of buttons; a trigger with several rows is one button."""
    assert INCIDENT.triggers_from("resolved") == ("close", "reopen", "reopen_to_queue")
    assert INCIDENT.triggers_from("closed") == ()
    forked = Lifecycle(
        "forked", 1, process="x", initial="a", states=(),
        transitions=(Transition("go", "a", dest="b"), Transition("go", ("c", "a"), dest="d")),
    )  # fmt: skip
    assert forked.triggers_from("a") == ("go",)
    assert [row.dest for row in forked.by_trigger["go"]] == ["b", "d"]
    assert forked.edges == {("a", "b"), ("c", "d"), ("a", "d")}


def closed_is_calm(situation):
    """A guard that can be pickled, because it has a name."""
    return None if situation.record.category == "calm" else "is not calm"


def own(**more):
    """A lifecycle that has everything a definition may have."""
    given = {
        "states": [State("a", "new"), State("b", "resolved"), State("c", "closed", outcome="completed")],
        "transitions": [
            Transition("go", "a", dest="b", roles="agent"),
            Transition("close", ("b", "a"), dest="c", after=hours(2), guards="calm"),
            Transition("remind", "b", dest="b", after=hours(1)),
        ],
        "opening": [Need("risk", "a rule")],
        "fields": [CustomField("risk", "text")],
        "beside": {"vote": "calm", "note": ["calm", "calm"]},
        "roles": ["agent", "manager"],
        "label": {"en": "Chore", "zh": "杂务"},
        "guards": {"calm": closed_is_calm},
        **more,
    }
    return Lifecycle("own", 1, process="own_chore", initial="a", **given)


def test_a_lifecycle_holds_tuples_whatever_it_was_given():
    """Lists and mappings in, values out: comparable, and nobody can change them afterwards."""
    made = own()
    assert made.opening == (Need("risk", "a rule"),)
    assert made.fields == (CustomField("risk", "text"),)
    assert made.beside == (("vote", ("calm",)), ("note", ("calm", "calm")))
    assert made.guards_beside == {"vote": ("calm",), "note": ("calm", "calm")}
    assert made.roles == ("agent", "manager")
    assert own(beside=made.beside) == made
    assert made.requester
    with pytest.raises(TypeError, match="cannot be changed"):
        made.guards["calm"] = None


def test_a_bare_lifecycle_has_none_of_it():
    """No guard, field, opening or role appears by itself."""
    bare = own(opening=(), fields=(), beside={}, roles=(), label=(), guards={})
    assert attrs.evolve(bare, guards=bare.guards) == bare
    assert (bare.opening, bare.fields, bare.beside, bare.roles, bare.guards) == ((), (), (), (), {})
    assert INCIDENT.guards == {}
    assert bare.say() == "own chore"


def test_a_lifecycle_with_guards_is_pickled_with_their_names():
    """As functions are: by where they stand, never as code."""
    again = pickle.loads(pickle.dumps(own()))
    assert again == own()
    assert again.guards["calm"] is closed_is_calm
    assert own(guards={"calm": print}) != own()


def test_the_fields_of_a_process_stand_beside_the_common_ones():
    """With their types."""
    assert own().kinds == {**STANDARD, "risk": FieldType.TEXT}
    assert INCIDENT.kinds == STANDARD


def test_timer_edges_are_found_by_the_state_they_leave():
    """In the order of definition; what people fire is not among them."""
    close, remind = own().transitions[1:]
    assert own().timed == {"a": (close,), "b": (close, remind)}
    assert INCIDENT.timed == {}


def test_the_rows_of_a_trigger_out_of_a_state():
    """In the order in which they are tried; none for what is not there."""
    go, close, _ = own().transitions
    assert own().rows("go", "a") == (go,)
    assert own().rows("close", "a") == (close,)
    assert own().rows("go", "b") == own().rows("fly", "a") == own().rows("go", "x") == ()


def test_a_process_is_called_by_its_label():
    """In the language asked for."""
    assert [own().say(lang) for lang in ("en", "zh", "fr")] == ["Chore", "杂务", "Chore"]


# --- records for hosts with tickets of their own -----------------------------------------------


def test_a_row_becomes_a_record():
    """The values are what the row says; what it leaves empty is unknown."""
    record = INCIDENT.record("T-1", "in_progress", version=4, requester="rita", assignee=None, priority="P2")
    assert (record.id, record.state, record.phase) == ("T-1", "in_progress", Phase.ACTIVE)
    assert (record.process, record.lifecycle, record.lifecycle_version) == ("incident", "incident", 1)
    assert (record.version, record.touched) == (4, 4)
    assert record.values == {"requester": "rita", "priority": "P2"}
    assert record.priority is Priority.P2


def test_a_row_without_a_state_is_new():
    """The initial state."""
    assert INCIDENT.record("T-1").state == "new"


def test_a_row_reads_levels_as_other_systems_write_them():
    """ServiceNow writes "1 - Critical"."""
    record = INCIDENT.record("T-1", priority="1 - Critical", impact="1 - High", urgency=2)
    assert (record.priority, record.impact, record.urgency) == (Priority.P1, Level.HIGH, Level.MEDIUM)


def test_a_row_in_an_unknown_state_is_refused():
    """With the known ones."""
    with pytest.raises(InvalidValue, match="is no state"):
        INCIDENT.record("T-1", "paused")


def test_the_instant_of_opening_is_kept_in_utc_and_must_be_aware():
    """Like every instant."""
    berlin = dt.datetime(2024, 2, 5, 10, tzinfo=ZoneInfo("Europe/Berlin"))
    assert INCIDENT.record("T-1", opened_at=berlin).opened_at == T
    with pytest.raises(NaiveDatetime, match=r"^opened_at"):
        INCIDENT.record("T-1", opened_at=dt.datetime(2024, 2, 5))


@pytest.mark.parametrize(
    ("state", "reason", "waits"),
    [
        ("on_hold", "supplier", WaitsOn.SUPPLIER),
        ("on_hold", WaitsOn.CHANGE, WaitsOn.CHANGE),
        ("on_hold", None, None),
        ("in_progress", "supplier", None),  # a reason left over from an earlier hold
    ],
)
def test_a_waiting_row_waits_for_what_its_reason_says(state, reason, waits):
    """Only a state that waits has somebody to wait for."""
    assert INCIDENT.record("T-1", state, hold_reason=reason).waits_on is waits


def test_a_waiting_state_may_name_whom_it_waits_on_itself():
    """Then the reason of the row does not matter."""
    state = State("vendor", Phase.WAITING, waits_on=WaitsOn.SUPPLIER)
    made = attrs.evolve(INCIDENT, states=(*INCIDENT.states, state))
    assert made.record("T-1", "vendor", hold_reason="change").waits_on is WaitsOn.SUPPLIER


def test_an_unknown_reason_of_a_hold_is_refused_with_the_known_ones():
    """By the library's own error."""
    with pytest.raises(InvalidValue, match="use one of requester, "):
        INCIDENT.record("T-1", "on_hold", hold_reason="weather")


def test_a_final_row_has_its_outcome():
    """As the state says."""
    assert INCIDENT.record("T-1", "cancelled").outcome == "cancelled"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("requestr", "requester"),
        ("asignee", "assignee"),
        ("hold_reasons", "hold_reason"),
        ("proirity", "priority"),
    ],
)
def test_a_misspelt_value_is_refused_with_the_names_near_it(name, near):
    """It would otherwise be lost without a word."""
    with pytest.raises(
        InvalidValue, match=f"^field '{name}': .*did you mean .*{near}.*custom={{'{name}': ...}}$"
    ):
        INCIDENT.record("T-1", **{name: "x"})


@pytest.mark.parametrize("name", ["phase", "waits_on", "outcome", "cost_centre"])
def test_a_value_that_no_record_knows_is_refused(name):
    """What follows from the state is no value either."""
    with pytest.raises(InvalidValue, match="is none that a record knows"):
        INCIDENT.record("T-1", **{name: "x"})


def test_fields_of_the_hosts_own_are_named_as_such():
    """They stand beside the others; what the row leaves empty is unknown."""
    record = INCIDENT.record("T-1", requester="rita", custom={"cost_centre": "4711", "floor": None})
    assert record.values == {"requester": "rita", "cost_centre": "4711"}


@pytest.mark.parametrize(
    ("custom", "message"),
    [
        (
            {"priority": "P1"},
            "^custom 'priority': is a field of every record; give it by name: priority=...$",
        ),
        (5, "^fields 5: are no mapping"),
        ({5: "x"}, "^field name 5: is no text"),
    ],
)
def test_custom_fields_that_cannot_be_are_refused(custom, message):
    """A second place for the same fact would be one too many."""
    with pytest.raises(InvalidValue, match=message):
        INCIDENT.record("T-1", custom=custom)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: State("x", "nwe"), "^phase 'nwe': is no phase; use one of new, active, "),
        (lambda: State("x", "waiting", waits_on="weather"), "is no hold reason; use one of requester, "),
        (lambda: State("", "new"), "^state '': has no id"),
        (lambda: State("x", "new", label=5), "^label 5: is no text"),
        (lambda: Need("", "why"), "^need '': is no word"),
        (lambda: Need("x", "why", one_of=5), "^word 5: is no word"),
        (lambda: Transition("", "a", dest="b"), "^transition '': has no id; name its trigger"),
        (lambda: Transition("x", 5, dest="b"), "^word 5: is no word; give texts"),
        (lambda: Transition("x", "a", dest="b", roles=[["agent"]]), "^role .*: is no word"),
        (lambda: Transition("x", "a", dest="b", requires=["why"]), "^requires 'why': is no Need"),
        (lambda: attrs.evolve(INCIDENT, states=["new"]), "^states 'new': is no State"),
        (lambda: attrs.evolve(INCIDENT, transitions=INCIDENT.transitions[0]), "is no list of Transition"),
        (lambda: attrs.evolve(INCIDENT, version="1"), "a changed lifecycle is a new version"),
        (lambda: attrs.evolve(INCIDENT, id=""), "^lifecycle '': has no id"),
        (lambda: attrs.evolve(INCIDENT, process=""), "^process '': has no id"),
        (lambda: attrs.evolve(INCIDENT, process=5), "^process 5: is no text"),
        (lambda: own(guards=["calm"]), r"^guards \['calm'\]: are no mapping; write"),
        (lambda: own(guards={"calm": "print"}), "^guard 'calm' 'print': is no function; write"),
        (lambda: own(guards={5: print}), "^guard 5: is no text"),
        (lambda: own(beside="vote"), "^beside 'vote': is no mapping; write"),
        (lambda: own(beside=5), "^beside 5: is no mapping"),
        (lambda: own(beside=["vote"]), r"^beside \['vote'\]: is no mapping"),
        (lambda: own(beside=[("vote",)]), "is no mapping"),
        (lambda: own(beside={5: "calm"}), "^beside 5: is no word"),
        (lambda: own(beside={"vote": 6}), "^word 6: is no word"),
        (lambda: own(fields=["risk"]), "^fields 'risk': is no CustomField"),
        (lambda: own(fields=CustomField("risk", "text")), "is no list of CustomField"),
        (lambda: own(opening="risk"), "^requires 'risk': is no list of Need"),
        (lambda: own(roles=[7]), "^word 7: is no word"),
        (lambda: INCIDENT.state([]), "is no state of incident 1; use one of"),
        (lambda: INCIDENT.record(""), "^record '': has no id"),
        (lambda: INCIDENT.record("T-1", version="3"), "^version '3': is no whole number"),
    ],
)
def test_a_definition_that_cannot_be_is_refused_by_name(make, message):
    """The error names the thing, the reason and the remedy."""
    with pytest.raises(InvalidValue, match=message):
        make()


def test_a_lifecycle_of_lists_is_that_of_tuples():
    """It is a value: comparable, and hashed alike."""
    made = attrs.evolve(INCIDENT, states=list(INCIDENT.states), transitions=list(INCIDENT.transitions))
    assert made == INCIDENT
    assert len({made, INCIDENT}) == 1


FIELDS = {field.name for field in attrs.fields(Lifecycle)}
MODEL = RequestModel("laptop", 3, title="Laptop", may_ask="employee", approval="line_manager",
                     inputs=(Need("size", "our catalogue", one_of=("13", "16")),))  # fmt: skip
POLICY = ChangePolicy(
    templates=[ChangeTemplate("reboot", 2, valid_from=T, valid_until=T + dt.timedelta(days=90))],
    blackouts=[Blackout("year end", start=T, end=T + dt.timedelta(days=7))],
)


@pytest.mark.parametrize(
    "lifecycle",
    [INCIDENT, MODEL.lifecycle(), governed(CHANGE, POLICY)],
    ids=["incident", "request model", "governed change"],
)
@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_lifecycle_that_was_copied_or_pickled_is_the_same(lifecycle, clone):
    """Its guards are values or functions by name; nothing that was made from it goes with it."""
    decide(lifecycle.record("R-1"), Command("cancel", ANA, at=T), lifecycle)
    assert {*vars(lifecycle)} > FIELDS
    assert lifecycle.fingerprint
    again = clone(lifecycle)
    assert {*vars(again)} == FIELDS
    assert again == lifecycle
    assert dict(again.guards) == dict(lifecycle.guards)
    assert again.fingerprint == lifecycle.fingerprint
    assert again.ways == lifecycle.ways
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        again.version = 2


def test_a_guard_that_has_no_name_is_not_pickled():
    """As pickle says of any such function; the lifecycle stays as it was."""
    nameless = attrs.evolve(INCIDENT, guards={"never": lambda _: "never"})
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(nameless)
    assert copy.copy(nameless) == nameless


def test_a_lifecycle_shows_itself_in_one_line():
    """Not with all that it is made of."""
    counts = f"{len(INCIDENT.states)} states, {len(INCIDENT.transitions)} transitions"
    assert repr(INCIDENT) == f"<lifecycle incident 1: {counts}>"
