"""The engine: one shared `transitions` machine, lean where nothing listens, stock elsewhere."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transitions import Event, Machine, MachineError, State, Transition

from itsm_core import lifecycle
from itsm_core.lifecycle.machine import Cursor, LeanEvent, LeanMachine, destination, machine, shared
from itsm_core.processes import INCIDENT

TRIGGERS = sorted(INCIDENT.by_trigger)
STOCK = machine(INCIDENT)


def pull(engine, cursor, trigger):
    """What one trigger does to a cursor: its answer or its complaint, and the state after it."""
    try:
        answer = engine.events[trigger].trigger(cursor)
    except (MachineError, ValueError) as error:
        answer = (type(error), str(error))
    return answer, getattr(cursor, "state", None)


@given(st.sampled_from(sorted(INCIDENT.by_id)), st.lists(st.sampled_from(TRIGGERS), max_size=30))
def test_the_lean_machine_and_the_stock_one_agree_on_every_walk(start, walk):
    """Legal or not, each trigger does the same on both, and on the definition."""
    stock, lean = Cursor(start), Cursor(start)
    for trigger in walk:
        before = stock.state
        expected = pull(STOCK, stock, trigger)
        assert pull(shared(INCIDENT), lean, trigger) == expected
        dest = destination(INCIDENT, before, trigger)
        assert expected[1] == (before if dest is None else dest)
        assert (dest is None) is (expected[0] is not True)


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_both_complain_alike_about_a_state_nobody_knows(trigger):
    """The lean machine leaves complaints to the stock one."""
    assert pull(STOCK, Cursor("lost"), trigger) == pull(shared(INCIDENT), Cursor("lost"), trigger)


def test_the_machine_handed_out_is_a_stock_one():
    """People who know the package get its own class, with exactly our states and triggers."""
    assert type(STOCK) is Machine
    assert all(type(event) is Event for event in STOCK.events.values())
    assert set(STOCK.states) == set(INCIDENT.by_id)
    assert set(STOCK.events) == set(TRIGGERS)
    assert STOCK.initial == "new"
    assert STOCK.models == []
    assert not STOCK.has_queue


def test_the_machine_of_a_lifecycle_is_made_once():
    """All records of a version go through one."""
    assert shared(INCIDENT) is shared(INCIDENT)
    assert type(shared(INCIDENT)) is LeanMachine
    assert all(type(event) is LeanEvent for event in shared(INCIDENT).events.values())


def test_a_model_of_ones_own_can_be_attached_to_the_stock_machine():
    """`get_triggers`, `add_model` and the like work as the package says."""

    class Ticket:
        """A mutable ticket of a host."""

    ticket = Ticket()
    engine = machine(INCIDENT, model=ticket)
    ticket.start()
    assert ticket.state == "in_progress"
    assert set(engine.get_triggers("resolved")) >= {"close", "reopen", "reopen_to_queue"}


@pytest.mark.parametrize(
    ("state", "trigger", "found"),
    [("new", "start", "in_progress"), ("on_hold", "hold", "on_hold"), ("closed", "start", None),
     ("new", "bogus", None), ("lost", "start", None)],
)  # fmt: skip
def test_a_destination_is_found_or_none(state, trigger, found):
    """No error for what does not lead anywhere."""
    assert destination(INCIDENT, state, trigger) == found


def test_every_question_goes_through_the_machine(monkeypatch):
    """No answer is kept beside it: what the machine would say now is what is said."""
    asked = []
    told = LeanEvent.trigger
    monkeypatch.setattr(LeanEvent, "trigger", lambda *a: asked.append(a[0].name) or told(*a))
    for _ in range(2):
        assert destination(INCIDENT, "new", "start") == "in_progress"
    assert asked == ["start", "start"]


def test_the_module_stands_where_it_is_looked_for():
    """`from itsm_core.lifecycle import machine` is the module, with the functions in it."""
    assert lifecycle.machine.machine is machine
    assert lifecycle.machine.destination is destination


def test_asking_for_a_destination_attaches_nothing():
    """No record is kept alive by the machine."""
    destination(INCIDENT, "new", "start")
    assert shared(INCIDENT).models == []


def test_the_shared_machine_may_be_used_by_many_threads():
    """It holds no state per trigger; the cursor does."""
    wrong = []

    def walk():
        for _ in range(300):
            cursor = Cursor("new")
            for trigger in ("start", "hold", "resume", "resolve", "reopen", "resolve", "close"):
                shared(INCIDENT).events[trigger].trigger(cursor)
            if cursor.state != "closed":
                wrong.append(cursor.state)

    threads = [threading.Thread(target=walk) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# --- where something listens, the stock way ----------------------------------------------------


class Heard(list):
    """What listeners were told, in order."""

    def note(self, name, answer=None):
        """A listener that notes its name."""

        def listener(*_):
            self.append(name)
            return answer

        return listener


class Loud(State):
    """A state that does something of its own on entering, without a callback."""

    def enter(self, event_data):
        """Enters, and says so on the model."""
        event_data.model.loud = True
        super().enter(event_data)


class Deaf(Transition):
    """A transition that never happens."""

    def execute(self, event_data):
        """Answers that it did not."""
        return False


class Model:
    """Something with a state."""

    def __init__(self, **attributes):
        vars(self).update({"state": "a", **attributes})


EDGE = {"trigger": "go", "source": "a", "dest": "b"}
BACK = {**EDGE, "dest": "a"}
FINAL = {"name": "b", "final": True}


def two(cls, heard, *, states=("a", "b"), edges=None, **options):
    """A machine of two states and one way."""
    return cls(model=None, states=list(states), initial="a", auto_transitions=False, send_event=True,
               transitions=edges or [EDGE], **options)  # fmt: skip


# fmt: off
LISTENERS = {
    "nobody":              lambda h: {},
    "before_state_change": lambda h: {"before_state_change": h.note("before")},
    "after_state_change":  lambda h: {"after_state_change": h.note("after")},
    "prepare_event":       lambda h: {"prepare_event": h.note("prepare")},
    "finalize_event":      lambda h: {"finalize_event": h.note("finalize")},
    "on_exception":        lambda h: {"on_exception": h.note("exception")},
    "on_final":            lambda h: {"on_final": h.note("final"), "states": ["a", FINAL]},
    "queued":              lambda h: {"queued": True},
    "on_enter":            lambda h: {"states": ["a", State("b", on_enter=[h.note("enter b")])]},
    "on_exit":             lambda h: {"states": [State("a", on_exit=[h.note("exit a")]), "b"]},
    "before":              lambda h: {"edges": [{**EDGE, "before": h.note("before")}]},
    "after":               lambda h: {"edges": [{**EDGE, "after": h.note("after")}]},
    "prepare":             lambda h: {"edges": [{**EDGE, "prepare": h.note("prepare")}]},
    "conditions met":      lambda h: {"edges": [{**EDGE, "conditions": h.note("asked", True)}]},
    "conditions not met":  lambda h: {"edges": [{**EDGE, "conditions": h.note("asked", False)}]},
    "unless":              lambda h: {"edges": [{**EDGE, "unless": h.note("asked", True)}]},
    "second way":          lambda h: {"edges": [{**EDGE, "conditions": h.note("no", False)}, BACK]},
    "first way":           lambda h: {"edges": [EDGE, {**BACK, "conditions": h.note("never", True)}]},
    "internal":            lambda h: {"edges": [{**EDGE, "dest": None, "after": h.note("inside")}]},
    "internal, silent":    lambda h: {"edges": [{**EDGE, "dest": None}]},
    "loud state":          lambda h: {"states": ["a", Loud("b")]},
    "destination unknown": lambda h: {"edges": [{**EDGE, "dest": "nowhere"}]},
    "other attribute":     lambda h: {"model_attribute": "status"},
}
# fmt: on


@pytest.mark.parametrize("listener", LISTENERS)
def test_the_lean_event_is_stock_where_something_listens(listener):
    """Same answer, same state, and everybody is told the same in the same order."""
    told = {}
    for cls in (Machine, LeanMachine):
        heard = Heard()
        engine = two(cls, heard, **LISTENERS[listener](heard))
        model = Model(status="a", loud=False)
        if engine.model_attribute != "state":
            del model.state
        told[cls] = (*pull(engine, model, "go"), vars(model), list(heard))
    assert told[LeanMachine] == told[Machine]


def test_the_listeners_above_are_heard():
    """The comparison above would prove nothing if nobody spoke."""
    silent = {"nobody", "queued", "on_exception", "internal, silent", "loud state", "destination unknown",
              "other attribute", "first way"}  # fmt: skip
    for name, options in LISTENERS.items():
        heard = Heard()
        pull(two(Machine, heard, **options(heard)), Model(status="a"), "go")
        assert bool(heard) is (name not in silent), name


def test_a_transition_of_another_class_goes_the_stock_way():
    """What its `execute` does is its own business."""

    class Stubborn(LeanMachine):
        """A lean machine of transitions that never happen."""

        transition_cls = Deaf

    model = Model()
    assert two(Stubborn, Heard()).events["go"].trigger(model) is False
    assert model.state == "a"


def test_the_lean_event_skips_the_stock_one_where_nobody_listens(monkeypatch):
    """That is the whole point of it: the stock trigger is not reached."""
    monkeypatch.setattr(Event, "trigger", lambda *_: pytest.fail("went the stock way"))
    cursor = Cursor("new")
    assert shared(INCIDENT).events["start"].trigger(cursor) is True
    assert cursor.state == "in_progress"


def test_a_cursor_holds_one_state_and_nothing_else():
    """The machine cannot hang anything on it."""
    with pytest.raises(AttributeError):
        Cursor("new").trigger = None
