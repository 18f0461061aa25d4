"""Request models: what the catalogue offers, each with a lifecycle of its own."""

import pickle

import attrs
import pytest

from itsm_core.actors import Actor
from itsm_core.approvals import ApprovalRule, Panel
from itsm_core.business_time import business_days
from itsm_core.errors import InvalidValue, UnsoundLifecycle
from itsm_core.lifecycle import Need, check, options
from itsm_core.processes import SERVICE_REQUEST, RequestModel
from walking import ACTORS, after, fire, opened

ANA, BOT = ACTORS["agent"], ACTORS["automation"]
RITA, LENA = Actor.person("rita", "employee"), Actor.person("lena")
OUR = "our catalogue"
LAPTOP = RequestModel(
    "laptop",
    3,
    title={"en": "Laptop", "zh": "笔记本电脑"},
    inputs=(Need("size", OUR, one_of=("13", "16")), Need("cost_centre", OUR, otherwise="project")),
    may_ask="employee",
    approval="line_manager",
    instructions={"en": "Order at the supplier", "zh": "向供应商订购"},
    tasks=("Order the laptop", "Install the image"),
    target=business_days(3),
)
PASSWORD = RequestModel("password", 1, title="New password")
LAPTOPS, PASSWORDS = LAPTOP.lifecycle(), PASSWORD.lifecycle()
GOOD = LAPTOP.asked(size="13", cost_centre="4711")
RULE = ApprovalRule((Panel("line_manager", "lena"),)).to_dict()


def asked(actor=RITA, fields=GOOD, **more):
    """What opening a request for a laptop comes to."""
    return opened(LAPTOPS, actor, **{"requester": "rita", **fields, **more})


def edges(lifecycle):
    """Every (trigger, from, to) of a lifecycle."""
    return {(t.trigger, source, t.dest) for t in lifecycle.transitions for source in t.sources}


# --- its lifecycle -------------------------------------------------------------------------------


def test_a_model_is_a_lifecycle_at_its_version():
    """A request stays with the model it was asked under; its title is what people read."""
    assert (LAPTOPS.id, LAPTOPS.version, LAPTOPS.process) == ("service_request.laptop", 3, "service_request")
    assert (LAPTOPS.say(), LAPTOPS.say("zh")) == ("Laptop", "笔记本电脑")
    assert check(LAPTOPS) == check(PASSWORDS) == ()
    assert LAPTOP.lifecycle() == LAPTOPS
    record = after(None, asked())
    assert (record.lifecycle, record.lifecycle_version) == ("service_request.laptop", 3)


def test_a_model_that_was_read_twice_makes_equal_lifecycles():
    """A desk that is given both takes them for one; a changed model under the same version is another."""
    again = pickle.loads(pickle.dumps(LAPTOP))
    assert again is not LAPTOP
    assert again.lifecycle() == LAPTOPS == pickle.loads(pickle.dumps(LAPTOPS))
    assert attrs.evolve(LAPTOP, may_ask="guest").lifecycle() != LAPTOPS
    assert attrs.evolve(LAPTOP, inputs=()).lifecycle() != LAPTOPS


def test_with_an_approval_nothing_starts_before_it():
    """Everything else is as it is."""
    assert edges(SERVICE_REQUEST) - edges(LAPTOPS) == {("start", "submitted", "fulfilment")}
    assert edges(LAPTOPS) < edges(SERVICE_REQUEST)
    assert LAPTOPS.states == SERVICE_REQUEST.states


def test_without_an_approval_there_is_none_to_seek():
    """No state, no way into it or out of it, no votes."""
    gone = edges(SERVICE_REQUEST) - edges(PASSWORDS)
    assert gone == {edge for edge in edges(SERVICE_REQUEST) if "approval" in edge[1:]}
    assert edges(PASSWORDS) < edges(SERVICE_REQUEST)
    assert [s.id for s in SERVICE_REQUEST.states if s not in PASSWORDS.states] == ["approval"]
    record = after(None, opened(PASSWORDS, **PASSWORD.asked()))
    assert fire(record, "request_approval", PASSWORDS, fields={"rule": RULE}).codes == ("no_approvals",)
    assert after(record, fire(record, "start", PASSWORDS, BOT)).state == "fulfilment"


def test_a_laptop_is_asked_for_approved_and_delivered():
    """From the catalogue to the desk."""
    record = after(None, asked())
    record = after(record, fire(record, "seek_approval", LAPTOPS, BOT))
    record = after(record, fire(record, "request_approval", LAPTOPS, fields={"rule": RULE}))
    record = after(record, fire(record, "vote", LAPTOPS, LENA, fields={"vote": "approve"}))
    for trigger, actor in [("approve", BOT), ("deliver", ANA), ("close", RITA)]:
        record = after(record, fire(record, trigger, LAPTOPS, actor))
    assert (record.state, record.outcome) == ("closed", "completed")


def test_the_instructions_stand_on_the_buttons_of_fulfilment():
    """REQ-06: at hand for those who do it, in their language."""
    record = attrs.evolve(after(None, asked()), state="fulfilment")
    for lang, told in [("en", "Order at the supplier"), ("zh", "向供应商订购")]:
        shown = {o.trigger: o.instructions for o in options(record, ANA, LAPTOPS, lang=lang)}
        assert {trigger for trigger, words in shown.items() if words == told} == {"deliver_part", "deliver"}
        assert set(shown.values()) == {"", told}
    guided = attrs.evolve(PASSWORD, instructions="Ask for the badge").lifecycle()
    assert dict(guided.by_trigger["start"][0].instructions) == {"en": "Ask for the badge"}


def test_a_model_may_be_made_from_a_lifecycle_of_one_s_own():
    """Guards beside the state that it has already stay."""
    own = attrs.evolve(
        SERVICE_REQUEST,
        id="acme.request",
        beside={**dict(SERVICE_REQUEST.beside), "amend": "said_why", "note": "said_why"},
        guards={**SERVICE_REQUEST.guards, "said_why": lambda _: None},
    )
    made = LAPTOP.lifecycle(own)
    assert made.id == "acme.request.laptop"
    assert made.guards_beside == {
        "request_approval": ("rule_is_sound",),
        "vote": ("may_vote",),
        "note": ("said_why",),
        "open": ("may_ask", "is_as_modelled"),
        "amend": ("said_why", "is_as_modelled"),
        "assign": ("is_as_modelled",),
        "reprioritise": ("is_as_modelled",),
    }
    assert set(PASSWORD.lifecycle(own).guards_beside) == {"note", "open", "amend", "assign", "reprioritise"}


def test_a_base_without_approval_cannot_carry_a_model_that_takes_one():
    """It would never start, and the check of the lifecycle says so."""
    with pytest.raises(UnsoundLifecycle):
        attrs.evolve(PASSWORD, approval="line_manager").lifecycle(PASSWORDS)


def test_a_small_desk_has_the_same_rules():
    """Fewer fields; the model still looks at its inputs."""
    lite = LAPTOPS.lite()
    held = {"inputs": {"size": "13", "project": "p"}, "requester": "rita"}
    assert opened(lite, RITA, **held).accepted
    assert opened(lite, RITA, inputs={}, requester="rita").codes == ("inputs",)


# --- who may ask ---------------------------------------------------------------------------------


def test_who_holds_one_of_the_roles_may_ask():
    """And nobody else, whatever else is wrong is said too."""
    assert asked().accepted
    refused = asked(Actor.person("rita", "guest"), {**GOOD, "inputs": {}})
    assert refused.codes == ("role", "inputs")
    assert dict(refused.reasons[0].facts) == {"actor": "rita", "has": ("guest",), "allowed": ("employee",)}
    assert str(refused.reasons[0]) == "rita may not ask for laptop: that takes the role employee"


def test_roles_are_named_in_one_order():
    """Whatever order a set of them has."""
    roles = ("lead", "employee", "contractor", "partner", "guest")
    model = attrs.evolve(PASSWORD, may_ask=roles).lifecycle()
    (reason,) = opened(model, Actor.person("rita", "z", "y", "x", "w", "v"), **PASSWORD.asked()).reasons
    allowed = ("contractor", "employee", "guest", "lead", "partner")
    assert dict(reason.facts) == {"actor": "rita", "has": ("v", "w", "x", "y", "z"), "allowed": allowed}
    assert str(reason).endswith("the role contractor or employee or guest or lead or partner")


def test_staff_ask_for_others_but_not_for_themselves():
    """They answer for whom they let in."""
    assert asked(ANA).accepted
    assert asked(ANA, requester="ana").codes == ("role",)
    assert opened(LAPTOPS, ANA, **GOOD).codes == ("role",)
    assert asked(BOT).codes == ("role",)


def test_anyone_may_ask_where_nobody_is_named():
    """The default."""
    assert PASSWORD.may_ask == {"anyone"}
    assert opened(PASSWORDS, Actor.person("vera"), **PASSWORD.asked()).accepted


# --- inputs --------------------------------------------------------------------------------------

SIZE = "it takes the input 'size': one of 13, 16"
BAD = [
    ({}, ("size", "cost_centre"), f"{SIZE}; it takes the input 'cost_centre', or 'project' in its place"),
    ({"size": "14", "project": "p"}, ("size",), "size is none of 13, 16"),
    ({"size": "", "project": "p"}, ("size",), SIZE),
    ({"size": "13", "project": "p", "sizes": "x"}, ("sizes",), "it has no input 'sizes'; did you mean size?"),
    ({"size": "13", "project": "p", "zzz": 1}, ("zzz",), "it has no input 'zzz'"),
    (
        {"size": "13", "project": "p", "cost_project": 1},
        ("cost_project",),
        "it has no input 'cost_project'; did you mean project or cost_centre?",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("inputs", "named", "told"), BAD)
def test_inputs_are_those_of_the_model(inputs, named, told):
    """Missing ones, other choices and unknown names: one refusal says them all."""
    (reason,) = asked(fields={**GOOD, "inputs": inputs}).reasons
    assert (reason.code, dict(reason.facts)) == ("inputs", {"inputs": named})
    assert str(reason) == f"laptop 3: {told}"


@pytest.mark.parametrize("inputs", ["13", 13, ["size"], True], ids=repr)
def test_inputs_that_are_no_names_with_values_are_refused(inputs):
    """Nothing falls over."""
    (reason,) = asked(fields={**GOOD, "inputs": inputs}).reasons
    assert (reason.code, dict(reason.facts)) == ("invalid_field", {"field": "inputs"})
    assert str(reason) == "inputs take names with values"


@pytest.mark.parametrize(
    "value",
    [13, ["13"], {"13": 1}, True, "x" * 100_000, "\u202e13", "13\u0000"],
    ids=["number", "list", "dict", "flag", "long", "backwards", "with a zero"],
)
def test_hostile_inputs_are_refused_as_any_other(value):
    """The choices are texts, to the letter."""
    held = {"size": value, "project": "p"}
    assert asked(fields={**GOOD, "inputs": held}).codes == ("inputs",)


def test_a_flood_of_inputs_is_refused_in_a_few_words():
    """Ten of the names, and how many more there are."""
    held = {**GOOD["inputs"], **{f"x{n:05}": "y" for n in range(20_000)}}
    (reason,) = asked(fields={**GOOD, "inputs": held}).reasons
    assert dict(reason.facts)["inputs"] == tuple(f"x{n:05}" for n in range(10))
    assert str(reason).endswith("; nor 19990 more that are there")
    for count, more in [(10, False), (11, True)]:
        held = {**GOOD["inputs"], **{f"x{n:05}": "y" for n in range(count)}}
        (reason,) = asked(fields={**GOOD, "inputs": held}).reasons
        assert ("; nor 1 more that are there" in str(reason)) is more
        assert (" more that" in str(reason)) is more


def test_an_input_may_have_any_name():
    """Also one that Python uses."""
    assert PASSWORD.asked(self="me")["inputs"] == {"self": "me"}


def test_a_model_without_inputs_takes_none():
    """Neither none at all nor an empty list of them is wrong."""
    assert opened(PASSWORDS, request_model="password").accepted
    assert opened(PASSWORDS, **PASSWORD.asked()).accepted
    assert opened(PASSWORDS, **PASSWORD.asked(colour="red")).codes == ("inputs",)


def test_a_request_names_its_model_and_version():
    """Another model or version is refused; a full desk wants the model named."""
    other = asked(fields={**GOOD, "request_model": "phone"})
    assert other.codes == ("invalid_field",)  # the opening and the guard say the same
    older = asked(fields={**GOOD, "request_model_version": 2})
    assert older.codes == ("invalid_field",)
    assert str(older.reasons[0]) == "request_model_version is 2; this is laptop 3"
    assert dict(older.reasons[0].facts) == {"field": "request_model_version", "value": 2}
    assert asked(fields={"inputs": GOOD["inputs"]}).codes == ("missing_field",)
    assert LAPTOPS.opening[0].one_of == ("laptop",)


def test_amending_is_held_to_the_model():
    """What was asked for may change within it, and into nothing else."""
    record = after(None, asked())
    good = fire(record, "amend", LAPTOPS, fields={"inputs": {"size": "16", "project": "p"}})
    assert after(record, good).values["inputs"]["size"] == "16"
    assert fire(record, "amend", LAPTOPS, fields={"inputs": {"size": "14"}}).codes == ("inputs",)
    assert fire(record, "amend", LAPTOPS, fields={"request_model": "phone"}).codes == ("invalid_field",)
    for trigger, fields in (("assign", {"group": "mail"}), ("reprioritise", {"impact": "low"})):
        assert fire(record, trigger, LAPTOPS, fields=fields).accepted
        for inputs in ({"size": "14"}, None):
            wrong = fire(record, trigger, LAPTOPS, fields={**fields, "inputs": inputs})
            assert wrong.codes == ("inputs",)


def test_a_request_that_came_in_without_its_inputs_does_not_go_on():
    """One that was imported or migrated, say."""
    for model, lifecycle, trigger in [(LAPTOP, LAPTOPS, "seek_approval"), (PASSWORD, PASSWORDS, "start")]:
        bare = lifecycle.record("R-1", requester="rita", custom={"request_model_version": model.version + 1})
        assert fire(bare, trigger, lifecycle).codes == ("invalid_field",)
    assert fire(LAPTOPS.record("R-1"), "seek_approval", LAPTOPS).codes == ("inputs",)
    assert fire(PASSWORDS.record("R-1"), "start", PASSWORDS).accepted


# --- the value itself ----------------------------------------------------------------------------


def test_what_is_asked_becomes_the_fields_of_the_opening():
    """Model, version and inputs."""
    assert GOOD == {
        "request_model": "laptop",
        "request_model_version": 3,
        "inputs": {"size": "13", "cost_centre": "4711"},
    }


def test_its_tasks_are_proposed_for_a_request():
    """In order, part of it, and restricted if it is; nothing is opened."""
    record = after(None, asked())
    assert LAPTOP.tasks_for(record) == (
        {"title": "Order the laptop", "part_of": "R-1"},
        {"title": "Install the image", "part_of": "R-1"},
    )
    secret = after(None, asked(restricted=True))
    assert all(fields["restricted"] is True for fields in LAPTOP.tasks_for(secret))
    assert PASSWORD.tasks_for(record) == ()


# fmt: off
WRONG = [
    ({"id": ""},            "request model",         'name it, such as "laptop"'),
    ({"id": 7},             "request model",         'name it, such as "laptop"'),
    ({"version": 0},        "version",               "a changed request model is a new version"),
    ({"version": "1"},      "version",               "a changed request model is a new version"),
    ({"version": True},     "version",               "a changed request model is a new version"),
    ({"title": 7},          "label",                 'write "New"'),
    ({"inputs": ("size",)}, "requires",              "give a list"),
    ({"inputs": 7},         "requires",              "give a list"),
    ({"may_ask": 7},        "may_ask",               'name roles, such as {"employee"}, or leave it out'),
    ({"may_ask": [7]},      "may_ask",               'name roles, such as {"employee"}, or leave it out'),
    ({"approval": ""},      "approval",              'name a pattern, such as "line_manager", or leave it out'),
    ({"approval": 7},       "approval",              'name a pattern, such as "line_manager", or leave it out'),
    ({"instructions": 7},   "label",                 'write "New"'),
    ({"tasks": 7},          "tasks",                 'name them: ("Order the laptop", "Install the image")'),
    ({"tasks": [7]},        "tasks",                 'name them: ("Order the laptop", "Install the image")'),
    ({"target": 3},         "target 3: is no dur",   "say what is counted: business_days(3)"),
    ({"target": "3 days"},  "target '3 days': is n", "say what is counted: business_days(3)"),
]
# fmt: on


@pytest.mark.parametrize(("wrong", "thing", "remedy"), WRONG, ids=[str(row[0]) for row in WRONG])
def test_a_model_that_is_none_is_refused_by_name(wrong, thing, remedy):
    """The thing, the reason, the remedy."""
    with pytest.raises(InvalidValue) as refused:
        RequestModel(**{"id": "laptop", "version": 1, "title": "Laptop", **wrong})
    assert str(refused.value).startswith(thing)
    assert remedy in str(refused.value)


def test_all_but_id_and_version_is_given_by_name():
    """Nobody has to know their order."""
    assert [field.name for field in attrs.fields(RequestModel) if not field.kw_only] == ["id", "version"]


def test_a_role_or_a_task_alone_needs_no_list():
    """A text is one of it."""
    model = RequestModel("x", 1, title="X", may_ask="employee", tasks="Do it")
    assert (model.may_ask, model.tasks) == ({"employee"}, ("Do it",))
