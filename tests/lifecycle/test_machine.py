"""The engine: one shared `transitions` machine, lean where nothing listens, stock elsewhere."""

import datetime as dt
import gc
import random
import threading
import weakref

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transitions import Event, Machine, MachineError, State, Transition
from transitions.core import Condition

from itsm_core import lifecycle
from itsm_core.actors import Actor
from itsm_core.commands import Command
from itsm_core.lifecycle import Lifecycle, Situation
from itsm_core.lifecycle import Transition as Row
from itsm_core.lifecycle.machine import Cursor, Guarded, LeanEvent, LeanMachine, destination, machine, shared
from plain_incident import INCIDENT

TRIGGERS = sorted(INCIDENT.by_trigger)
STOCK = machine(INCIDENT)
T = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)
ANA = Actor.person("ana", "agent")


def pull(engine, cursor, trigger, *given_):
    """What one trigger does to a cursor: its answer or its complaint, and the state after it."""
    try:
        answer = engine.events[trigger].trigger(cursor, *given_)
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


def test_the_machine_of_a_lifecycle_ends_with_it():
    """However many are made and thrown away, as in a run over mutants, none is kept."""
    gone = attrs.evolve(INCIDENT, version=2)
    left = weakref.ref(shared(gone))
    assert left() is shared(gone)
    del gone
    gc.collect()
    assert left() is None


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
    settings = {"initial": "a", **options}
    return cls(
        model=None, states=list(states), auto_transitions=False, transitions=edges or [EDGE], **settings
    )


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
    "loud source":         lambda h: {"states": [Loud("a"), "b"]},
    "source unknown":      lambda h: {"states": ["b", "c"], "initial": "b"},
    "destination unknown": lambda h: {"edges": [{**EDGE, "dest": "nowhere"}]},
    "other attribute":     lambda h: {"model_attribute": "status"},
}
# fmt: on


@pytest.mark.parametrize("send_event", [False, True])
@pytest.mark.parametrize("listener", LISTENERS)
def test_the_lean_event_is_stock_where_something_listens(listener, send_event):
    """Same answer, same state, and everybody is told the same in the same order."""
    told = {}
    for cls in (Machine, LeanMachine):
        heard = Heard()
        engine = two(cls, heard, send_event=send_event, **LISTENERS[listener](heard))
        model = Model(status="a", loud=False)
        if engine.model_attribute != "state":
            del model.state
        told[cls] = (*pull(engine, model, "go"), vars(model), list(heard))
    assert told[LeanMachine] == told[Machine]


def test_the_listeners_above_are_heard():
    """The comparison above would prove nothing if nobody spoke."""
    silent = {"nobody", "queued", "on_exception", "internal, silent", "loud state", "loud source", "source unknown", "destination unknown",
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


# --- guards ------------------------------------------------------------------------------------

STEPS = 12
GUARDED = tuple(f"g{n}" for n in range(4))


def by_table(table, name):
    """A guard that objects where its truth table says so: a row for each of the four categories."""
    return lambda situation: None if table[name][int(situation.record.category)] else f"{name} objects"


def random_lifecycle(chance):
    """Four states, three triggers with up to three rows out of a state, and a random truth table."""
    states = ("a", "b", "c", "d")
    table = {name: [chance.random() < 0.5 for _ in range(4)] for name in GUARDED}
    rows = [
        Row(chance.choice("xyz"), chance.sample(states, chance.randint(1, 3)), dest=chance.choice(states),
            roles="agent", guards=chance.sample(GUARDED, chance.choice((0, 0, 1, 1, 2))))
        for _ in range(chance.randint(3, 9))
    ]  # fmt: skip
    phases = ("new", "active", "active", "active")
    made = Lifecycle(
        "random", 1, process="x", initial="a", states=map(lifecycle.State, states, phases), transitions=rows,
        guards={name: by_table(table, name) for name in GUARDED},
    )  # fmt: skip
    return made, table


def read_aloud(made, table, state, trigger, category):
    """Where a trigger leads by the definition and the table alone: the first row that nothing bars."""
    rows = [row for row in made.transitions if row.trigger == trigger and state in row.sources]
    ways = [row.dest for row in rows if all(table[name][category] for name in row.guards)]
    return (ways[0] if ways else None), len(rows)


def walks_of(seed):
    """Five walks over one random lifecycle.

    Of each: how often there was a choice of rows, and how often the guards barred every row.
    """
    chance = random.Random(seed)
    made, table = random_lifecycle(chance)
    stock, lean, triggers = machine(made), machine(made, LeanMachine), sorted(made.by_trigger)
    records = [made.record("X", category=str(category)) for category in range(4)]
    situations = [Situation(record=record, actor=ANA, trigger="x") for record in records]
    for start in "abcda":
        one, other, chosen, barred = Cursor(start), Cursor(start), 0, 0
        for _ in range(STEPS):
            category, trigger, before = chance.randrange(4), chance.choice(triggers), one.state
            dest, rows = read_aloud(made, table, before, trigger, category)
            expected = pull(stock, one, trigger, situations[category])
            assert pull(lean, other, trigger, situations[category]) == expected
            assert expected[1] == (before if dest is None else dest)
            assert (expected[0] is True) is (dest is not None)
            chosen, barred = chosen + (rows > 1), barred + (rows > 0 and dest is None)
        yield chosen, barred


@pytest.mark.law
def test_the_lean_machine_and_the_stock_one_agree_over_5000_random_walks_with_guards():
    """Over 1,000 random lifecycles, each with a truth table of its own; the definition agrees, too."""
    told = [walk for seed in range(1000) for walk in walks_of(seed)]
    assert len(told) == 5000
    assert sum(chosen for chosen, _ in told) > 5000
    assert sum(barred for _, barred in told) > 5000


def test_a_decision_and_the_stock_machine_agree_on_random_lifecycles():
    """What is accepted leads where stock `transitions` leads; what it refuses is refused."""
    for seed in range(100):
        chance = random.Random(seed)
        made, _ = random_lifecycle(chance)
        stock, cursor = machine(made), Cursor("a")
        for _ in range(STEPS):
            record = made.record("X", cursor.state, category=str(chance.randrange(4)))
            asked = Command(chance.choice(sorted(made.by_trigger)), ANA, at=T)
            decision = lifecycle.decide(record, asked, made)
            situation = Situation(record=record, actor=ANA, trigger=asked.trigger, at=T)
            answer, state = pull(stock, cursor, asked.trigger, situation)
            assert decision.accepted is (answer is True)
            if decision.accepted:
                assert decision.events[0].to_state == state


FORKED = Lifecycle(
    "forked", 1, process="x", initial="a", states=[lifecycle.State("a", "new"), lifecycle.State("b", "active")],
    transitions=[Row("go", "a", dest="a", guards="calm"), Row("go", "a", dest="b", guards="risky")],
    guards={"calm": lambda s: None if s.get("impact") == "low" else "no",
            "risky": lambda s: None if s.get("impact") == "high" else "no"},
)  # fmt: skip


def situation(impact=None):
    """A situation of a record with this impact."""
    return Situation(record=FORKED.record("X", impact=impact), actor=ANA, trigger="go")


@pytest.mark.parametrize(("impact", "dest"), [("low", "a"), ("high", "b"), ("medium", None)])
def test_a_destination_is_the_one_that_guards_leave(impact, dest):
    """Or none, where all object."""
    assert destination(FORKED, "a", "go", situation(impact)) == dest
    assert destination(FORKED, "b", "go", situation(impact)) is None


@pytest.mark.parametrize("options", [{}, {"send_event": True}, {"queued": True}], ids=str)
@pytest.mark.parametrize("cls", [Machine, LeanMachine])
@pytest.mark.parametrize("impact", ["low", "high", "medium"])
def test_guards_are_conditions_of_any_machine_of_the_package(impact, cls, options):
    """Also of one that hands its callbacks an event, or queues them."""
    ticket = Model()
    engine = machine(FORKED, cls, model=ticket, **options)
    answer = ticket.go(situation(impact))
    assert answer is (impact != "medium" or "queued" in options)  # a queue always says yes
    assert ticket.state == ("b" if impact == "high" else "a")
    assert engine.get_triggers("a") == ["go"]


def test_a_machine_asks_before_it_moves():
    """`may_go` of the package looks at the same guards."""
    ticket = Model()
    machine(FORKED, model=ticket)
    assert ticket.may_go(situation("high"))
    assert not ticket.may_go(situation("medium"))


def test_each_guard_is_asked_once_and_no_more_than_needed(monkeypatch):
    """A row that is barred by its first guard does not ask its second; nor does a row that is behind."""
    heard = Heard()
    guards = {"no": heard.note("no", "no"), "yes": heard.note("yes"), "never": heard.note("never")}
    rows = [Row("go", "a", dest="a", guards=("no", "never")), Row("go", "a", dest="b", guards="yes"),
            Row("go", "a", dest="a", guards="never")]  # fmt: skip
    made = attrs.evolve(FORKED, transitions=rows, guards=guards)
    monkeypatch.setattr(Event, "trigger", lambda *_: pytest.fail("went the stock way"))
    assert destination(made, "a", "go", situation()) == "b"
    assert heard == ["no", "yes"]


def test_a_condition_of_a_hosts_own_goes_the_stock_way():
    """On a lean machine that somebody built further: it may be anything."""
    heard = Heard()
    engine = machine(FORKED, LeanMachine)
    engine.events["go"].transitions["a"][1].conditions.append(Condition(heard.note("asked", True)))
    assert pull(engine, Cursor("a"), "go", situation("high")) == (True, "b")
    assert heard == ["asked"]


def test_a_guard_turned_round_goes_the_stock_way():
    """`unless` of the package, with a guard of ours."""
    engine = two(LeanMachine, Heard(), edges=[{**EDGE, "unless": Guarded("calm", FORKED.guards)}])
    for impact, moved in (("low", False), ("high", True)):
        assert pull(engine, Cursor("a"), "go", situation(impact)) == (moved, "b" if moved else "a")


def test_the_machine_keeps_the_guards_of_its_lifecycle():
    """Two lifecycles that differ in a function have two machines."""
    strict = attrs.evolve(FORKED, guards=dict.fromkeys(FORKED.guards, lambda _: "never"))
    assert shared(strict) is not shared(FORKED)
    assert destination(strict, "a", "go", situation("low")) is None
    assert destination(FORKED, "a", "go", situation("low")) == "a"
