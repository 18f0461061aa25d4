"""A lifecycle of one's own: each step changes what it says, and what comes out is sound or nothing."""

from operator import methodcaller

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from itsm_core.business_time import business_days
from itsm_core.errors import InvalidValue, UnsoundLifecycle
from itsm_core.events import Phase
from itsm_core.lifecycle import CustomField, Lifecycle, Need, State, Transition
from itsm_core.lifecycle.deriving import Derivation
from itsm_core.processes import SHIPPED
from random_lifecycles import FIELDS, GUARDS, allowed, edges, is_sound, named_alike, sound_lifecycles, texts

NOTES = Need("resolution_notes", "8.6.1", label={"en": "what was done"})
CODE = Need("closure_code", "8.6.1", one_of=("confirmed", "policy"), essential=False)
STATES = (
    State("new", "new", label={"en": "New"}),
    State("triaged", "new"),
    State("work", "active"),
    State("wait", "waiting", waits_on="requester"),
    State("fixed", "resolved"),
    State("done", "closed", outcome="completed"),
)
TRANSITIONS = (
    Transition("triage", "new", dest="triaged", roles={"agent"}),
    Transition("start", ("new", "triaged"), dest="work", roles={"agent", "manager"}, label={"en": "Start"}),
    Transition("hold", "work", dest="wait", roles={"agent"}),
    Transition("resume", "wait", dest="work", roles={"agent", "automation"}),
    Transition("fix", ("work", "wait"), dest="fixed", roles={"agent"}, requires=(NOTES, CODE)),
    Transition("finish", "fixed", dest="done", roles={"agent", "manager"}, relation={"requester"}),
    Transition("finish_itself", "fixed", dest="done", after=business_days(5)),
    Transition("reopen", "fixed", dest="work", roles={"agent"}, reopens="resume"),
)
DESK = Lifecycle("desk", 1, process="incident", initial="new", states=STATES, transitions=TRANSITIONS)
MOVES = {
    ("triage", "new", "triaged"),
    ("start", "new", "work"),
    ("start", "triaged", "work"),
    ("hold", "work", "wait"),
    ("resume", "wait", "work"),
    ("fix", "work", "fixed"),
    ("fix", "wait", "fixed"),
    ("finish", "fixed", "done"),
    ("finish_itself", "fixed", "done"),
    ("reopen", "fixed", "work"),
}


def mine(version=1):
    """A derivation of the small desk."""
    return DESK.derive("mine", version)


def row(lifecycle, trigger, source=None):
    """The only transition of a trigger, or that out of one state."""
    (found,) = [t for t in lifecycle.by_trigger[trigger] if source is None or source in t.sources]
    return found


def test_the_desk_of_these_tests_is_sound():
    """Every refusal below is that of a step, not of what it started from."""
    assert DESK.check() == ()
    assert edges(DESK) == MOVES


# --- beginning and end ---------------------------------------------------------------------------


def test_a_derivation_without_steps_is_the_parent_under_another_name():
    """Same class, same parts, its own id and version."""
    built = mine(3).build()
    assert type(built) is Lifecycle
    assert (built.id, built.version) == ("mine", 3)
    assert named_alike(built, DESK) == DESK


def test_a_derivation_never_takes_the_id_and_version_of_its_parent():
    """Versions are never reused."""
    with pytest.raises(InvalidValue, match="give another id, or version=2"):
        DESK.derive("desk")
    assert DESK.derive("desk", 2).build().version == 2


def test_every_step_answers_with_a_new_derivation():
    """The one before stays what it was, and so does the parent."""
    first = mine()
    second = first.remove("triage")
    assert isinstance(second, Derivation)
    assert edges(second.remove_state("triaged", into="new").build()) != MOVES
    assert edges(first.build()) == MOVES == edges(DESK)
    assert second.parent is DESK


def test_what_is_not_sound_is_refused_with_every_finding():
    """Both states that lost their way in, and their ways out, are named at once."""
    with pytest.raises(UnsoundLifecycle) as caught:
        mine().remove("hold").remove("finish").remove("finish_itself").build()
    assert caught.value.subject == "lifecycle mine 1"
    assert {"L008", "L009"} <= set(caught.value.codes)


# --- states --------------------------------------------------------------------------------------


def test_a_state_is_added_and_then_led_to():
    """A supplier hold: a state of its own, a way in and a way out."""
    built = (
        mine()
        .add_state(State("with_supplier", "waiting", waits_on="supplier"))
        .add(
            Transition("hand_over", "work", dest="with_supplier", roles={"agent"}),
            Transition("hand_back", "with_supplier", dest="work", roles={"agent", "automation"}),
        )
        .build()
    )
    added = {("hand_over", "work", "with_supplier"), ("hand_back", "with_supplier", "work")}
    assert edges(built) == MOVES | added
    assert built.by_id["with_supplier"].waits_on == "supplier"


def test_a_removed_state_sends_what_led_to_it_on():
    """Ways in lead to the other state, ways out are gone; a way from the other to it leads nowhere now."""
    steps = mine().remove_state("triaged", into="new")
    built = steps.build()
    assert edges(built) == MOVES - {("triage", "new", "triaged"), ("start", "triaged", "work")}
    assert "triaged" not in built.by_id
    assert steps.into == {"triaged": "new"}
    assert mine().into == {}


def test_ways_that_become_equal_are_one():
    """Two ways of one trigger that now lead to the same state in the same manner."""
    before = DESK.derive("both").add_state(State("second", "active"))
    parent = before.add(
        Transition("start_second", "new", dest="second", roles={"agent"}),
        Transition("call", "new", dest="second", roles={"agent"}),
        Transition("call", "triaged", dest="work", roles={"agent"}),
        Transition("fix_second", "second", dest="fixed", roles={"agent"}),
    ).build()
    built = parent.derive("one").remove_state("second", into="work").build()
    assert [t.sources for t in built.by_trigger["call"]] == [("new", "triaged")]
    assert "fix_second" not in built.by_trigger
    assert edges(built) == MOVES | {
        ("call", "new", "work"),
        ("call", "triaged", "work"),
        ("start_second", "new", "work"),
    }
    turned_later = parent.derive("other").remove_state("work", into="second")
    assert [t.sources for t in turned_later._draft.by_trigger["call"]] == [("new", "triaged")]


def test_three_ways_that_become_equal_are_one():
    """However many led there."""
    steps = DESK.derive("one").add_state(State("second", "active"))
    steps = steps.add(
        Transition("call", "new", dest="second", roles={"agent"}),
        Transition("call", "triaged", dest="work", roles={"agent"}),
        Transition("call", "wait", dest="work", roles={"agent"}),
        Transition("call", "work", dest="done", roles={"agent"}),
    )
    built = steps.remove_state("second", into="work").build()
    assert [t.sources for t in built.by_trigger["call"]] == [("new", "triaged", "wait"), ("work",)]


def test_ways_that_were_apart_before_stay_apart():
    """Removing a state rewrites only what led to it."""
    rows = (
        Transition("note_down", "new", dest="new", roles={"agent"}),
        Transition("note_down", "triaged", dest="new", roles={"agent"}),
    )
    parent = DESK.derive("apart").add(*rows).build()
    built = parent.derive("same").remove("hold").remove("resume").remove_state("wait", into=None).build()
    assert [t.sources for t in built.by_trigger["note_down"]] == [("new",), ("triaged",)]


def test_a_state_may_go_with_all_its_ways_and_leave_its_records_behind():
    """into=None: what led to it goes as well, and the plan says that its records stay."""
    steps = mine().remove_state("wait", into=None)
    assert edges(steps.build()) == {move for move in MOVES if "wait" not in move}
    assert steps.into == {"wait": None}


def test_the_initial_state_may_go_into_another():
    """New records begin where stored ones went."""
    built = mine().remove_state("new", into="triaged").build()
    assert built.initial == "triaged"
    assert edges(built) == {move for move in MOVES if "new" not in move}


def test_a_place_that_goes_itself_leads_on():
    """Records of the first state end up where those of the second do."""
    chain = mine().add_state(State("parked", "new")).add(
        Transition("park", "triaged", dest="parked", roles={"agent"}),
        Transition("unpark", "parked", dest="work", roles={"agent"}),
    )  # fmt: skip
    parent = chain.build()
    steps = parent.derive("shorter").remove_state("triaged", into="parked").remove_state("parked", into="new")
    assert steps.into == {"triaged": "new", "parked": "new"}
    gone = parent.derive("shorter").remove_state("triaged", into="parked").remove_state("parked", into=None)
    assert gone.into == {"triaged": None, "parked": None}


def test_a_state_that_the_parent_never_had_needs_no_place():
    """No stored record stands in it."""
    steps = mine().add_state(State("parked", "new")).remove_state("parked", into="new")
    assert steps.into == {}
    assert steps.build() == mine().build()


@pytest.mark.parametrize(
    ("id", "into", "message"),
    [
        ("triagd", "new", "did you mean triaged"),
        ("triaged", "nwe", "did you mean new"),
        ("triaged", "triaged", "is the state that goes"),
        ("triaged", "work", "is of phase active, triaged of new"),
        ("wait", "work", "is of phase active, wait of waiting.*into=None"),
        ("wait", "supplier", "waits on supplier, wait on requester"),
        ("hold", "supplier", "waits on supplier, hold on what each hold says"),
        ("done", "gone", "ends as cancelled, done as completed"),
    ],
)
def test_a_place_that_means_something_else_is_refused(id, into, message):
    """A record that goes there would change its clocks and reports."""
    steps = (
        mine()
        .add_state(State("supplier", "waiting", waits_on="supplier"))
        .add_state(State("hold", "waiting"))
        .add_state(State("gone", "closed", outcome="cancelled"))
    )
    with pytest.raises(InvalidValue, match=message):
        steps.remove_state(id, into=into)
    assert steps.remove_state("wait", into="hold").into == {"wait": "hold"}  # each hold may say as much


# --- transitions ---------------------------------------------------------------------------------


def test_a_trigger_is_removed_whole_or_out_of_one_state():
    """The others of its sources stay."""
    whole = mine().remove("reopen").build()
    assert edges(whole) == MOVES - {("reopen", "fixed", "work")}
    part = mine().remove("start", "triaged").remove_state("triaged", into="new").build()
    assert row(part, "start").sources == ("new",)
    gone = mine().remove("reopen", source="fixed").build()
    assert "reopen" not in gone.by_trigger


def test_restrict_leaves_fewer_who_may():
    """Only those named from now on: roles not named, and relations not named, are out."""
    built = mine().restrict("finish", roles="manager").build()
    assert (row(built, "finish").roles, row(built, "finish").relation) == ({"manager"}, frozenset())
    kept = mine().restrict("finish", roles={"manager"}, relation="requester").build()
    assert row(kept, "finish").relation == {"requester"}
    alone = mine().restrict("finish", relation={"requester"}).build()
    assert (row(alone, "finish").roles, row(alone, "finish").relation) == (frozenset(), {"requester"})


def test_restrict_lets_nobody_into_another_way_of_the_same_trigger():
    """Each way keeps those of its own who are named; one that nobody is left for refuses the whole."""
    more = Transition("finish", "work", dest="done", roles={"manager", "automation"}, relation={"assignee"})
    parent = DESK.derive("two").add(more).build()
    built = parent.derive("less").restrict("finish", roles={"manager", "agent"}, relation="requester").build()
    assert (row(built, "finish", "work").roles, row(built, "finish", "work").relation) == ({"manager"}, set())
    assert row(built, "finish", "fixed").roles == {"agent", "manager"}
    assert row(built, "finish", "fixed").relation == {"requester"}
    with pytest.raises(UnsoundLifecycle, match="L016"):
        parent.derive("none").restrict("finish", roles="automation").build()
    one = parent.derive("one").restrict("finish", roles="automation", source="work").build()
    assert edges(one) == edges(parent)
    assert row(one, "finish", "work").roles == {"automation"}
    assert row(one, "finish", "fixed") == row(parent, "finish", "fixed")


def test_restrict_adds_guards_and_duties_to_those_there_are():
    """Everybody who might may still, under more conditions."""
    steps = mine().guard("content", GUARDS["content"]).guard("objecting", GUARDS["objecting"])
    steps = steps.restrict("finish", guards="objecting", separate_from=("fix",))
    built = steps.restrict("finish", guards=["content", "objecting"], separate_from="open").build()
    assert row(built, "finish").guards == ("objecting", "content")
    assert row(built, "finish").separate_from == ("fix", "open")
    assert row(built, "finish").roles == {"agent", "manager"}


def test_restrict_may_concern_one_state_alone():
    """The row is parted, and the rest stays as it was."""
    built = mine().restrict("fix", roles="agent", separate_from="hold", source="wait").build()
    assert row(built, "fix", "wait").separate_from == ("hold",)
    assert row(built, "fix", "work").separate_from == ()
    assert edges(built) == MOVES


def test_time_is_restricted_by_guards_alone():
    """Roles and duties pass it by, where people fire the same trigger too."""
    both = DESK.derive("both").add(Transition("finish", "work", dest="done", after=business_days(9))).build()
    steps = both.derive("less").guard("content", GUARDS["content"])
    built = steps.restrict("finish", roles="manager", guards="content", separate_from="fix").build()
    timed, fired = row(built, "finish", "work"), row(built, "finish", "fixed")
    assert (timed.roles, timed.separate_from, timed.guards) == (frozenset(), (), ("content",))
    assert (fired.roles, fired.separate_from, fired.guards) == ({"manager"}, ("fix",), ("content",))


def test_require_adds_fields_and_changes_those_there_are():
    """A need for a field that is required already takes the place of the old one."""
    stricter = Need("closure_code", "our rule", one_of=("confirmed",))
    built = mine().require("fix", stricter, Need("category", "our rule")).build()
    assert [need.field for need in row(built, "fix").requires] == [
        "resolution_notes",
        "closure_code",
        "category",
    ]
    assert row(built, "fix").requires[1] == stricter
    part = mine().require("fix", Need("category", "our rule"), source="wait").build()
    assert row(part, "fix", "work").requires == (NOTES, CODE)


def test_a_record_may_be_made_to_open_with_more():
    """The opening is a trigger like any other here."""
    built = mine().require("open", Need("category", "our rule")).build()
    assert built.opening == (Need("category", "our rule"),)


def test_a_field_of_ones_own_is_declared_and_then_required():
    """Its type and privacy are said once."""
    own = CustomField("supplier_ref", "text", personal=True)
    built = mine().declare(own).require("hold", Need("supplier_ref", "our rule", otherwise="reason")).build()
    assert built.fields == (own,)
    assert row(built, "hold").requires[0].field == "supplier_ref"


def test_time_brings_no_fields():
    """A timer edge of a trigger that people fire too is left alone."""
    both = DESK.derive("both").add(Transition("finish", "work", dest="done", after=business_days(9))).build()
    built = both.derive("more").require("finish", CODE).build()
    assert row(built, "finish", "fixed").requires == (CODE,)
    assert row(built, "finish", "work").requires == ()


# --- guards, roles, words ------------------------------------------------------------------------


def test_guards_stand_before_commands_beside_the_state_too():
    """Votes and assignments are asked the same way."""
    steps = mine().guard("content", GUARDS["content"]).guard("objecting", GUARDS["objecting"])
    built = steps.guard_beside("assign", "content").guard_beside("assign", "objecting", "content").build()
    assert built.guards_beside == {"assign": ("content", "objecting")}
    assert steps.guard_beside("open", "content").build().guards_beside == {"open": ("content",)}


def test_a_guard_keeps_its_function():
    """The same again says nothing new; another under its name would change a rule unseen."""
    steps = mine().guard("content", GUARDS["content"])
    assert steps.guard("content", GUARDS["content"]) == steps
    with pytest.raises(InvalidValue, match="is registered already"):
        steps.guard("content", GUARDS["objecting"])


def test_a_lifecycle_that_lists_its_roles_is_told_of_new_ones():
    """One that lists none knows every role."""
    listed = attrs.evolve(DESK, roles=("agent", "manager", "automation"))
    hand_up = Transition("hand_up", "work", dest="work", roles={"second_line"})
    with pytest.raises(
        InvalidValue,
        match=r"^role 'second_line': is none that mine knows; let it be known first: \.role\('second_line'\)",
    ):
        listed.derive("mine").add(hand_up)
    built = listed.derive("mine").role("second_line", "agent").add(hand_up).build()
    assert built.roles == ("agent", "manager", "automation", "second_line")
    assert mine().role("second_line").add(hand_up).build().roles == ()


def test_words_are_said_by_the_id_of_what_they_name():
    """States, triggers, fields and the process itself, in any language."""
    steps = mine().relabel("de", new="Neu", start="Anfangen", resolution_notes="Lösung", incident="Störung")
    built = steps.relabel("en", new="Fresh").build()
    assert built.by_id["new"].label == (("en", "Fresh"), ("de", "Neu"))
    assert built.by_id["new"].say("de") == "Neu"
    assert row(built, "start").say("de") == "Anfangen"
    assert row(built, "start").say("en") == "Start"
    assert row(built, "fix").requires[0].say("de") == "Lösung"
    assert row(built, "fix").requires[1].label == ()
    assert built.say("de") == "Störung"
    opening = mine().require("open", NOTES).relabel("de", resolution_notes="Lösung").build().opening
    assert opening[0].say("de") == "Lösung"


def test_a_name_of_two_things_is_written_in_full():
    """A state and a trigger may share an id, but not by accident a label."""
    steps = mine().add(Transition("wait", "new", dest="new", roles={"agent"}))
    with pytest.raises(InvalidValue, match=r"write state\.wait or trigger\.wait"):
        steps.relabel("de", wait="Warten")
    full = {
        "state.wait": "Wartend",
        "trigger.wait": "Warten",
        "field.closure_code": "Wie",
        "process.incident": "Fall",
    }
    built = steps.relabel("de", **full).build()
    assert row(built, "fix").requires[1].say("de") == "Wie"
    assert built.say("de") == "Fall"
    assert built.by_id["wait"].say("de") == "Wartend"
    assert row(built, "wait").say("de") == "Warten"


def test_instructions_are_told_by_trigger():
    """In one language after the other."""
    built = mine().instruct("en", fix="Test it.", hold="Call first.").instruct("zh", fix="先测试。").build()
    assert row(built, "fix").instructions == (("en", "Test it."), ("zh", "先测试。"))
    assert row(built, "hold").instructions == (("en", "Call first."),)


# --- unknown names -------------------------------------------------------------------------------


def test_a_new_transition_may_be_kept_apart_from_the_opening_and_from_another_new_one():
    """The opening is a trigger, and so are those that are added with it."""
    rows = [
        Transition(
            "second", "work", dest="work", roles={"agent", "manager"}, separate_from=("open", "first")
        ),
        Transition("first", "work", dest="work", roles={"agent", "manager"}),
    ]
    assert row(mine().add(*rows).build(), "second").separate_from == ("open", "first")


def known(**rest):
    """A transition with good names, but for what is given."""
    held = {"sources": "new", "dest": "work", "roles": {"agent"}, **rest}
    return Transition("try", held.pop("sources"), **held)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (lambda d: d.add(known(sources="nwe")), "^state 'nwe': is no state of mine 1; did you mean new"),
        (lambda d: d.add(known(dest="wrok")), "did you mean work"),
        (lambda d: d.add(known(dest="zzz")), "use one of new, triaged, work, wait, fixed, done"),
        (lambda d: d.add(known(guards="contnt")), "is registered nowhere; did you mean content"),
        (lambda d: d.add(known(guards="zzz")), r"register it first: \.guard\('zzz', function\)"),
        (
            lambda d: d.add(known(separate_from="fxi")),
            "^separate_from 'fxi': is no trigger; did you mean fix",
        ),
        (
            lambda d: d.add(known(relation="requestor")),
            "^relation 'requestor': is no field that .* mean requester",
        ),
        (lambda d: d.add(known(requires=(Need("resolution_note", "x"),))), "did you mean resolution_notes"),
        (
            lambda d: d.add(known(requires=(Need("qqq", "x"),))),
            r'\.declare\(CustomField\(\'qqq\', "text"\)\)',
        ),
        (lambda d: d.require("fix", Need("reason", "x", otherwise="zzz")), "^field 'zzz': is none that"),
        (lambda d: d.require("open", Need("qqq", "x")), "'qqq'"),
        (lambda d: d.add([known()]), "^transition .* is no Transition; give a Transition"),
        (lambda d: d.add_state("parked"), "^state 'parked': is no State; give a State"),
        (lambda d: d.add_state(State("work", "active")), "is there already"),
        (lambda d: d.remove("strat"), "^trigger 'strat': is none of mine 1; did you mean start"),
        (lambda d: d.remove("fix", "wrok"), "^source 'wrok': is none of fix; did you mean work"),
        (lambda d: d.remove("fix", "new"), "is none of fix; use one of work, wait"),
        (lambda d: d.remove(["fix"]), "is none of mine 1"),
        (lambda d: d.restrict("finnish", roles="agent"), "did you mean finish"),
        (
            lambda d: d.restrict("finish", roles="managr"),
            "^role 'managr': may not finish as it is; did you mean manager",
        ),
        (lambda d: d.restrict("finish", roles="qqq"), "restrict only narrows; to let others in"),
        (
            lambda d: d.restrict("finish", relation="assignee"),
            "^relation 'assignee': may not finish as it is",
        ),
        (lambda d: d.restrict("finish", guards="contnt"), "^guard 'contnt': .* did you mean content"),
        (lambda d: d.restrict("finish", separate_from="fxi"), "^separate_from 'fxi': is no trigger; did"),
        (lambda d: d.restrict("finish", roles=()), "would be fired by nobody"),
        (lambda d: d.restrict("finish"), "changes nothing"),
        (lambda d: d.restrict("finish_itself", roles="agent"), "is fired by time"),
        (lambda d: d.restrict("finish_itself", separate_from="fix"), "time and by nobody else"),
        (lambda d: d.require("finish_itself", CODE), "is fired by time, which brings no fields"),
        (lambda d: d.require("finish"), "names no field"),
        (lambda d: d.require("finish", "closure_code"), "^requires 'closure_code': is no Need; give needs"),
        (lambda d: d.guard("no open tasks", GUARDS["content"]), "is no plain word"),
        (lambda d: d.guard(None, GUARDS["content"]), "^guard None"),
        (lambda d: d.guard("two", "content"), "is no function"),
        (
            lambda d: d.guard_beside("asign", "content"),
            "^trigger 'asign': is no command .* did you mean assign",
        ),
        (lambda d: d.guard_beside("escalate", "content"), "is no command beside the state"),
        (lambda d: d.guard_beside("assign", "contnt"), "^guard 'contnt'"),
        (
            lambda d: d.declare(CustomField("room", "text"), "wing"),
            "^fields 'wing': is no CustomField; give a",
        ),
        (lambda d: d.declare(CustomField("floor", "text")).declare(CustomField("floor", "text")), "already"),
        (lambda d: d.role(""), "is no word"),
        (lambda d: d.relabel("de", wrok="Arbeit"), "^label 'wrok': names nothing in mine; did you mean work"),
        (lambda d: d.relabel("de", work=""), "is no word; give the words"),
        (lambda d: d.relabel("", work="Arbeit"), "name a language"),
        (lambda d: d.instruct("de", fxi="Prüfen"), "did you mean fix"),
        (lambda d: d.instruct("de", fix=None), "say what to do"),
        (lambda d: d.instruct(None, fix="Prüfen"), "^lang None"),
    ],
)
def test_a_step_that_names_nothing_known_is_refused_at_once(step, message):
    """The name, and those that come close, are in the message; nothing waits for the build."""
    steps = mine().guard("content", GUARDS["content"])
    with pytest.raises(InvalidValue, match=message):
        step(steps)


def test_long_names_are_compared_by_their_beginning():
    """A hostile name costs no more than an honest one, and is not shown whole."""
    with pytest.raises(InvalidValue) as caught:
        mine().remove("start" + "t" * 1_000_000)
    assert len(str(caught.value)) < 400


def test_many_choices_are_not_all_listed():
    """The first twenty tell enough."""
    many = mine()
    for number in range(30):
        many = many.add_state(State(f"s{number}", "active"))
    with pytest.raises(InvalidValue, match=r"s13, \.\.\.$"):
        many.remove_state("qqq", into=None)
    for number in range(14, 30):
        many = many.remove_state(f"s{number}", into=None)
    with pytest.raises(InvalidValue, match=r"s13$"):
        many.remove_state("qqq", into=None)
    with pytest.raises(InvalidValue, match=r"did you mean s1 or s13 or s12\?$"):
        many.remove_state("s1s", into=None)


# --- the light ones ------------------------------------------------------------------------------


def test_lite_asks_for_the_essential_alone():
    """Phases, duties and guards stay; so do the needs that a clause cannot do without."""
    whole = mine().require("open", CODE, NOTES).restrict("finish", separate_from="fix").build()
    light = whole.lite()
    assert (light.id, light.version) == ("mine.lite", 1)
    assert row(light, "fix").requires == (NOTES,)
    assert light.opening == (NOTES,)
    assert row(light, "finish").separate_from == ("fix",)
    assert light.states == whole.states
    assert light.lite() is light


@pytest.mark.parametrize("lifecycle", SHIPPED, ids=lambda one: one.id)
def test_every_shipped_lifecycle_has_a_light_one(lifecycle):
    """It is sound, and moves as the whole one does."""
    light = lifecycle.lite()
    assert is_sound(light)
    assert edges(light) == edges(lifecycle)
    wanted = [need for t in light.transitions for need in t.requires]
    assert all(need.essential for need in (*light.opening, *wanted))


# --- laws ----------------------------------------------------------------------------------------

laws = pytest.mark.law


@laws
@given(sound_lifecycles, st.data())
def test_other_words_keep_the_fingerprint(lifecycle, data):
    """Whatever is named, in whatever language."""
    steps = lifecycle.derive(lifecycle.id, lifecycle.version + 1)
    names = [f"state.{state}" for state in lifecycle.by_id]
    names += [f"trigger.{trigger}" for trigger in lifecycle.by_trigger]
    labels = data.draw(st.dictionaries(st.sampled_from(names), texts, min_size=1))
    told = data.draw(st.dictionaries(st.sampled_from(sorted(lifecycle.by_trigger)), texts))
    built = steps.relabel("fr", **labels).instruct("fr", **told).build()
    assert built.fingerprint == lifecycle.fingerprint
    assert named_alike(built, lifecycle) != lifecycle


@laws
@given(sound_lifecycles, st.data())
def test_to_add_and_then_to_remove_changes_nothing(lifecycle, data):
    """A state with ways in and out of it, a trigger between old states."""
    old = st.sampled_from(sorted(lifecycle.by_id))
    before = lifecycle.derive("changed", 9)
    extra = State("extra", data.draw(st.sampled_from(["new", "active", "resolved"])))
    after = before.add_state(extra).add(
        Transition("inwards", data.draw(old), dest="extra", roles={"agent"}),
        Transition("outwards", "extra", dest=data.draw(old), roles={"agent"}),
        Transition("across", data.draw(old), dest=data.draw(old), roles={"agent"}),
    )
    assert after.remove("across").remove_state("extra", into=None).build() == before.build()
    assert (
        after.remove("across").remove("inwards").remove("outwards").remove_state("extra", into=None) == before
    )


@laws
@given(sound_lifecycles, st.data())
def test_to_restrict_only_narrows(lifecycle, data):
    """Whoever may do a thing under the derived lifecycle might do it, to the same end, before."""
    trigger = data.draw(st.sampled_from(sorted(lifecycle.by_trigger)))
    rows = lifecycle.by_trigger[trigger]
    source = data.draw(st.sampled_from([None, *(s for row in rows for s in row.sources)]))
    rows, who = [row for row in rows if source in (None, *row.sources)], {}
    for name in ("roles", "relation"):
        known = sorted({one for row in rows for one in getattr(row, name)})
        if known and data.draw(st.booleans()):
            who[name] = data.draw(st.sets(st.sampled_from(known), min_size=1))
    guards = data.draw(st.lists(st.sampled_from(sorted(GUARDS)), min_size=not who, max_size=2))
    steps = lifecycle.derive("narrow").restrict(trigger, **who, guards=guards, source=source)
    try:
        narrow = steps.build()
    except UnsoundLifecycle:
        assume(False)
    assert allowed(narrow) <= allowed(lifecycle)


@st.composite
def changes(draw, lifecycle):
    """A step that knows its names; whether the outcome is sound it does not know."""
    trigger, state = st.sampled_from(sorted(lifecycle.by_trigger)), st.sampled_from(sorted(lifecycle.by_id))
    duties = st.lists(st.sampled_from(["open", *sorted(lifecycle.by_trigger)]), max_size=2)
    kind = draw(st.sampled_from(["remove", "part", "state", "restrict", "require", "add"]))
    if kind == "remove":
        return methodcaller("remove", draw(trigger))
    if kind == "part":
        return methodcaller("remove", draw(trigger), draw(state))
    if kind == "state":
        return methodcaller("remove_state", draw(state), into=draw(st.sampled_from([None, draw(state)])))
    if kind == "restrict":
        return methodcaller("restrict", draw(trigger), separate_from=draw(duties))
    if kind == "require":
        need = Need(draw(st.sampled_from(FIELDS)), "our rule", kept=draw(st.booleans()))
        return methodcaller("require", draw(trigger), need)
    row = Transition("more", draw(state), dest=draw(state), roles={"agent"}, separate_from=draw(duties))
    return methodcaller("add", row)


@laws
@given(sound_lifecycles, st.data())
def test_what_is_derived_is_sound_or_refused(lifecycle, data):
    """Never in between: after any steps there is a lifecycle without findings, or an error."""
    steps = lifecycle.derive("changed", 9)
    for _ in range(data.draw(st.integers(1, 4))):
        try:
            steps = data.draw(changes(lifecycle))(steps)
        except InvalidValue:
            continue
    try:
        built = steps.build()
    except UnsoundLifecycle:
        return
    assert is_sound(built)
    assert steps.into.keys() <= lifecycle.by_id.keys() - built.by_id.keys()
    assert {place for place in steps.into.values() if place} <= built.by_id.keys()


def test_phases_are_all_in_the_random_lifecycles():
    """The laws above are laws of every phase."""
    seen = set()

    @given(sound_lifecycles)
    def look(lifecycle):
        seen.update(state.phase for state in lifecycle.states)

    look()
    assert seen == set(Phase)
