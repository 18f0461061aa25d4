"""A configuration of the transitions package becomes a lifecycle that moves as its machine does."""

import enum

import pytest
import transitions as package
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.errors import InvalidValue, UnsoundLifecycle
from itsm_core.lifecycle import Lifecycle, Need, State
from itsm_core.lifecycle.machine import Cursor

STATES = ["open", "working", {"name": "parked"}, "solved", package.State("done")]
TRANSITIONS = [
    ("start", "open", "working"),
    {"trigger": "park", "source": ["open", "working"], "dest": "parked", "label": "Park it"},
    {"trigger": "unpark", "source": "parked", "dest": "working", "relation": "requester", "conditions": None},
    ["solve", ["open", "working"], "solved", "has_notes"],
    {"trigger": "touch", "source": ("open", "working"), "dest": "=", "roles": ["manager"]},
    ["look_at", "solved", "="],
    {"trigger": "back", "source": ["working", "solved"], "dest": "open"},
    {"trigger": "finish", "source": "solved", "dest": "done", "relation": "requester", "after": []},
]
PHASES = {
    "open": "new",
    "working": "active",
    "parked": State("parked", "waiting", waits_on="requester"),
    "solved": "resolved",
    "done": State("done", "closed", outcome="completed"),
}


def has_notes(_situation):
    """A guard that is content."""


def adopted(states=STATES, transitions=TRANSITIONS, phases=PHASES, **more):
    """The configuration above as a lifecycle, with something changed."""
    held = {"roles": "agent", "reopens": "resume", "guards": {"has_notes": has_notes}, **more}
    return Lifecycle.from_transitions("ours", states=states, transitions=transitions, phases=phases, **held)


def test_a_configuration_is_adopted():
    """Phases and roles are said beside it; what a row says of its own counts first."""
    found = adopted()
    assert (found.id, found.version, found.process, found.initial) == ("ours", 1, "incident", "open")
    assert [(state.id, str(state.phase)) for state in found.states] == [
        ("open", "new"),
        ("working", "active"),
        ("parked", "waiting"),
        ("solved", "resolved"),
        ("done", "closed"),
    ]
    by_trigger = found.by_trigger
    assert by_trigger["start"][0].roles == {"agent"}
    assert by_trigger["park"][0].say() == "Park it"
    assert by_trigger["unpark"][0].relation == {"requester"}
    assert by_trigger["solve"][0].guards == ("has_notes",)
    assert [(t.sources, t.dest, t.roles) for t in by_trigger["touch"]] == [
        (("open",), "open", {"manager"}),
        (("working",), "working", {"manager"}),
    ]
    (look_at,) = by_trigger["look_at"]
    assert (look_at.sources, look_at.dest, look_at.reopens) == (("solved",), "solved", None)
    assert [(t.sources, t.reopens) for t in by_trigger["back"]] == [
        (("working",), None),
        (("solved",), "resume"),
    ]


def test_what_the_package_takes_for_a_state_is_taken():
    """Members of an enum by their name, as its machine does; the initial state is said or the first."""

    class Ticket(enum.Enum):
        """States of somebody's."""

        OPEN = 1
        DONE = 2

    rows = [{"trigger": "finish", "source": Ticket.OPEN, "dest": Ticket.DONE}]
    phases = {"OPEN": "new", "DONE": State("DONE", "closed", outcome="completed")}
    found = adopted(Ticket, rows, phases, version=3, process="task", initial="OPEN")
    assert (found.version, found.process, list(found.by_id)) == (3, "task", ["OPEN", "DONE"])


def test_a_star_means_every_state():
    """Also those where it does not belong, which the check then names."""
    rows = [["finish", "*", "done"]]
    states = ["open", "done"]
    with pytest.raises(UnsoundLifecycle, match="done"):
        adopted(states, rows, {name: PHASES[name] for name in states})


def test_reopening_says_how_clocks_go_on():
    """No default pleases all: it is said once for all rows, or by the row."""
    with pytest.raises(UnsoundLifecycle) as caught:
        adopted(reopens=None)
    assert caught.value.codes == ("L012",)
    rows = [row for row in TRANSITIONS if row != TRANSITIONS[6]]
    rows.append({"trigger": "back", "source": "solved", "dest": "open", "reopens": "restart"})
    assert adopted(transitions=rows).by_trigger["back"][0].reopens == "restart"


def test_rows_may_say_what_the_package_has_no_word_for():
    """Needs, duties and instructions, in the words of a Transition."""
    rows = [*TRANSITIONS[:-1], {
        **TRANSITIONS[-1], "requires": [Need("closure_code", "8.6.1")], "separate_from": ["solve"],
        "instructions": "Ask first.",
    }]  # fmt: skip
    row = adopted(transitions=rows).by_trigger["finish"][0]
    assert [need.field for need in row.requires] == ["closure_code"]
    assert (row.separate_from, row.instructions) == (("solve",), (("en", "Ask first."),))


def row(**more):
    """The configuration with one row changed."""
    return [*TRANSITIONS[:-1], {**TRANSITIONS[-1], **more}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"states": "open"}, r"^states 'open': are no list; write \["),
        ({"states": [], "transitions": [], "phases": {}}, "L002.* new"),
        ({"states": 7}, "^states 7: are no list"),
        ({"states": [*STATES, None]}, "^state None: is no word; name it"),
        ({"states": [{"name": "a", "children": ["b"]}]}, "has children; a lifecycle is flat"),
        ({"states": [{"name": "a", "on_enter": "f"}]}, "has on_enter; .* has no callbacks"),
        ({"states": [*STATES, "lost"]}, "^state 'lost': has no phase; say it: .*, or a State where"),
        (
            {"phases": {**PHASES, "solvd": "resolved"}},
            "^phase 'solvd': is of no state of the configuration; did you mean solved",
        ),
        (
            {"phases": {**PHASES, "open": State("opn", "new")}},
            "is given for open; give a State of the same id",
        ),
        ({"phases": {**PHASES, "open": "nwe"}}, "is no phase"),
        ({"phases": ["new"]}, "^phases .* are no mapping; give a phase by state"),
        ({"transitions": {"trigger": "a"}}, "^transitions .* are no list; write"),
        ({"transitions": ["start"]}, "is no row of the configuration"),
        ({"transitions": [["start", "open"]]}, r"\['start', 'open'\]: is no row"),
        ({"transitions": [["a", "open", "done", None, None, "f"]]}, "'f'.: is no row of the configuration"),
        ({"transitions": row(before="f")}, "has no place in a lifecycle; write unless as a guard"),
        ({"transitions": row(unless="f")}, "^key of a transition 'unless'"),
        ({"transitions": row(rols=["agent"])}, "'rols': has no place in a lifecycle; did you mean roles"),
        ({"transitions": row(source={"solved"})}, "^state .'solved'.: is no word"),
        ({"transitions": row(source=[])}, "^transition 'finish': has no source"),
        ({"transitions": row(dest=None)}, "^transition 'finish': has no dest"),
        ({"transitions": row(source="solvd")}, "is none of the configuration; did you mean solved"),
        ({"transitions": row(dest="dne")}, "^state 'dne': is none of the configuration; did you mean done"),
        ({"transitions": row(conditions=[has_notes])}, "^condition .* name a guard, and give its function"),
        ({"transitions": row(trigger=7)}, "^transition 7: is no text"),
        ({"initial": "opn"}, "L002"),
        ({"guards": None}, "L019"),
        ({"roles": ()}, "L016"),
    ],
)
def test_what_has_no_place_is_refused_and_never_dropped(changes, message):
    """A callback or condition that silently falls away would be a rule that falls away."""
    with pytest.raises((InvalidValue, UnsoundLifecycle), match=message):
        adopted(**changes)


@pytest.mark.law
@given(
    st.lists(
        st.sampled_from(["start", "park", "unpark", "solve", "touch", "look_at", "back", "finish"]),
        max_size=20,
    )
)
def test_the_adopted_one_moves_as_the_machine_of_the_configuration(triggers):
    """Step by step over random walks, refusals included."""
    names = [
        state if isinstance(state, str) else getattr(state, "name", None) or state["name"] for state in STATES
    ]
    words = {"trigger", "source", "dest"}
    rows = [
        {name: value for name, value in row.items() if name in words}
        if isinstance(row, dict)
        else dict(zip(("trigger", "source", "dest"), row, strict=False))
        for row in TRANSITIONS
    ]
    theirs = package.Machine(
        model=None, states=names, transitions=rows, initial="open", auto_transitions=False
    )
    ours = adopted().machine()
    one, other = Cursor("open"), Cursor("open")
    for trigger in triggers:
        moved = [_moved(theirs, trigger, one), _moved(ours, trigger, other, None)]
        assert moved[0] == moved[1]
        assert one.state == other.state


def _moved(machine, trigger, model, *situation):
    try:
        return machine.events[trigger].trigger(model, *situation)
    except package.MachineError:
        return None
