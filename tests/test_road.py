"""The road as generators: what they ask a store for, and what they do with odd answers."""

import datetime as dt

import pytest

from itsm_core import INCIDENT, Actor, Command, ServiceDesk, fold, road
from itsm_core.ports import Ask
from itsm_core.road.carrying import decided_or_noted
from itsm_core.stores.memory import MemoryStore

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)
ANA, UMA = Actor.person("ana", "agent"), Actor.person("uma")
DONE = {"resolution_outcome": "workaround", "resolution_notes": "x"}
TERMS = road.Terms(lifecycles=INCIDENT, salt=lambda: "salt")


def run(generator, store):
    """Runs a generator as any host may: asks of the store, answers sent back."""
    asked, answer = [], None
    try:
        while True:
            wanted = generator.send(answer)
            asked.append(wanted.method)
            answer = getattr(store, wanted.method)(*wanted.arguments)
    except StopIteration as done:
        return done.value, asked


def opening(record="I", **more):
    """An open command."""
    return Command("open", UMA, at=T0, fields={"record": record, "title": "x"}, **more)


def test_the_generators_only_ask(tmp_path):
    """Opening and one command: nothing but asks, each a method of the store."""
    store = MemoryStore()
    record, asked = run(road.open_record(TERMS, opening()), store)
    assert (record.id, asked) == ("I", ["commit"])
    record, asked = run(road.carry(TERMS, "I", Command("start", ANA, at=T0)), store)
    assert (record.state, asked) == ("in_progress", ["load", "commit"])
    assert isinstance(next(road.standing("I")), Ask)


def test_an_open_command_twice_is_one_record():
    """The same command id gives the record it opened, whatever record id comes with it."""
    store = MemoryStore()
    first, _ = run(road.open_record(TERMS, opening(id="c")), store)
    again, _ = run(road.open_record(TERMS, opening("J", id="c")), store)
    assert first == again


class Blind(MemoryStore):
    """A store read by a process that is a moment behind: it does not see events the first time."""

    def __init__(self):
        super().__init__()
        self.looks = 0

    def event(self, event_id):
        """Nothing at the first look."""
        self.looks += 1
        return None if self.looks == 1 else super().event(event_id)


def test_a_command_that_another_process_carried_out_meanwhile_is_no_refusal():
    """It was not there when asked, and the record had moved when decided: the first answer stands."""
    store = Blind()
    desk = ServiceDesk(store)
    desk.open("x", actor=UMA, at=T0, record_id="I")
    store.looks = 1
    first = desk.fire("I", "start", actor=ANA, at=T0, command_id="c")
    store.looks = 0
    assert desk.fire("I", "start", actor=ANA, at=T0, command_id="c") == first


def test_a_commit_that_was_there_already_answers_the_record_as_it_is():
    """Opened by another process in this very moment: the store says so, and its record is answered."""
    store = Blind()
    store.looks = 1
    first, _ = run(road.open_record(TERMS, opening(id="c")), store)
    store.looks = 0
    again, asked = run(road.open_record(TERMS, opening("J", id="c")), store)
    assert again == first
    assert asked == ["event", "commit", "load"]


def test_a_consequence_that_is_refused_is_recorded():
    """What led to it stands, and the history says what was not done and why."""
    desk = ServiceDesk(MemoryStore())
    desk.open("x", actor=UMA, at=T0, record_id="I", fields={"tenant": "a"})
    desk.fire("I", "resolve_and_close", actor=ANA, at=T0, fields={**DONE, "closure_code": "policy"})
    record = desk.get("I")
    move = Command("assign", road.MACHINE, at=T0, id="k#assign", cause="k", fields={"group": "g"})
    (event,) = decided_or_noted(TERMS, record, move)
    assert (event.kind, event.tenant, event.seq, event.cause) == ("refused", "a", record.version + 1, "k")
    assert dict(event.fields) == {"trigger": "assign", "codes": ("wrong_state",)}
    assert fold([*desk.history("I"), event]).touched == record.touched


@pytest.mark.parametrize("trigger", ["hold", "resolve"])
def test_a_command_without_an_id_is_never_a_repeat(trigger):
    """It is asked anew, and refused for what it lacks."""
    store = MemoryStore()
    run(road.open_record(TERMS, opening()), store)
    with pytest.raises(Exception, match="needs the field"):
        run(road.carry(TERMS, "I", Command(trigger, ANA, at=T0)), store)
