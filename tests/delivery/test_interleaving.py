"""Whatever workers do at the same time, and wherever they die: the same keys, and nothing out of date."""

import datetime as dt
import tempfile
from collections import Counter
from functools import partial

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from itsm_core import Actor, ServiceDesk, road, stores
from itsm_core.delivery import Relay, relay
from itsm_core.ports import ChangeSet, Delivered, Message, Rejected, Retry, Send, Unknown

T0 = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
ANA = Actor.person("ana", "agent")

pytestmark = pytest.mark.law

ANSWERS = {
    "ok": Delivered("250"), "no": Rejected("no"), "busy": Retry(reason="busy"), "dark": Unknown("timeout"),
}  # fmt: skip
"""What a channel answers, each time the same: so it does not matter who asks how often."""


def message(key, channel, record="R-1", **more):
    """A message to somebody, by a channel that answers as it is called."""
    return Message(
        key=key, record=record, to="ana", channel=channel, subject="s", body="b", created_at=T0, **more
    )


PLAIN = [
    message("a", "ok"),
    message("b", "no", failover=[("bob", "ok")]),
    message("c", "busy", failover=[("bob", "no"), ("cleo", "ok")]),
    message("d", "dark", failover=[("bob", "busy")]),
    message("e", "ok", not_before=T0 + 40 * SECOND),
    message("f", "no"),
]
"""These go their ways to the end, however long it takes."""

PASSING = [
    message("short", "ok", not_before=T0 + 20 * SECOND, expires_at=T0 + 50 * SECOND),
    message("short-busy", "busy", expires_at=T0 + 30 * SECOND, failover=[("bob", "ok")]),
    message("page", "busy", "R-2", run="R-2:line.1", generation=0, failover=[("bob", "ok")]),
    message("page-later", "ok", "R-2", run="R-2:line.1", generation=0, not_before=T0 + 30 * SECOND),
]
"""These are sent only while they count."""

ALL = [*PLAIN, *PASSING]
PAGES = [m for m in ALL if m.record == "R-2"]


class World:
    """A store, what time it is, what was sent, and what the workers are about to do."""

    def __init__(self, opened, workers):
        self.stores = [opened() for _ in range(workers)]
        self.desk = ServiceDesk(self.stores[0])
        self.now, self.sent, self.crashed = T0, Counter(), False
        self.at_work = [None] * workers
        for record, messages in (("R-1", [m for m in ALL if m.record == "R-1"]), ("R-2", PAGES)):
            self.desk.open("Mail is down", actor=ANA, at=T0, record_id=record)
            snapshot, _ = self.stores[0].load(record)
            self.stores[0].commit(
                ChangeSet(record=record, expected=1, events=(), snapshot=snapshot, messages=messages)
            )

    def step(self, worker):
        """What the worker wanted is done, and it says what it wants next; one that is done begins anew."""
        if self.at_work[worker] is None:
            forward = partial(road.post, self.desk.terms)
            steps = relay(
                self.now, f"w{worker}", Relay(look=road.look, forward=forward, clock=lambda: self.now)
            )
            answer = None
        else:
            steps, wanted = self.at_work[worker]
            answer = self._answer(worker, wanted)
        try:
            wanted = steps.throw(answer) if isinstance(answer, Exception) else steps.send(answer)
        except StopIteration:
            self.at_work[worker] = None
            return False
        if isinstance(wanted, Send):
            self._counts_still(wanted.message)
        self.at_work[worker] = steps, wanted
        return True

    def _answer(self, worker, wanted):
        if isinstance(wanted, Send):
            self.sent[wanted.message.key, wanted.message.attempt] += 1
            return ANSWERS[wanted.message.channel]
        try:
            return getattr(self.stores[worker], wanted.method)(*wanted.arguments)
        except Exception as error:
            return error

    def _counts_still(self, given):
        """In the moment in which a worker decides to send it."""
        assert given.expires_at is None or self.now < given.expires_at, f"{given} has expired"
        if given.generation is not None:
            generation = self.desk.get(given.record).escalation.generation
            assert generation <= given.generation, f"{given} was superseded"

    def crash(self, worker):
        """The worker is gone, with all that it knew."""
        self.crashed |= self.at_work[worker] is not None
        self.at_work[worker] = None

    def acknowledge(self):
        """Somebody is on it: from now on nobody is to be woken up for it."""
        self.desk.acknowledge("R-2", actor=ANA, at=self.now)

    def finish(self):
        """One worker goes on alone until nothing is left."""
        for worker in range(len(self.at_work)):
            self.crash(worker)
        while (due := self.stores[0].next_due("message")) is not None:
            self.now = max(self.now, due)
            while self.step(0):
                pass

    def keys(self, of=PLAIN):
        """What was sent of these, by key; who was told instead has a key that begins with the first one's."""
        firsts = {m.key for m in of}
        return {key for key, _ in self.sent if key.partition("#")[0] in firsts}

    def close(self):
        """Lets go of the stores."""
        for store in self.stores:
            store.close()


def alone(opened):
    """The keys that one worker sends to whom nothing happens, of all messages."""
    world = World(opened, 1)
    world.finish()
    world.close()
    return world


DO = st.one_of(
    st.tuples(st.just("step"), st.integers(0, 3)),
    st.tuples(st.just("step"), st.integers(0, 3)),
    st.tuples(st.just("step"), st.integers(0, 3)),
    st.tuples(st.just("crash"), st.integers(0, 3)),
    st.tuples(st.just("time"), st.integers(0, 70)),
    st.tuples(st.just("acknowledge"), st.just(0)),
)


def play(opened, workers, script):
    """The world after the script, and after one worker finished what was left."""
    world, quick = World(opened, workers), True
    try:
        for what, number in script:
            if what == "step":
                world.step(number % workers)
            elif what == "crash":
                world.crash(number % workers)
            elif what == "time":
                world.now += number * SECOND
                quick = quick and number < 5
            else:
                world.acknowledge()
        begun = any(world.at_work)
        world.finish()
    finally:
        world.close()
    event(f"crashed: {world.crashed}")
    if quick and not begun and not world.crashed:
        assert set(world.sent.values()) == {1}, "nobody died, and something was sent twice"
    return world


def test_one_worker_tells_everybody_it_can():
    """The set that all others are held against: every way to the end, each key of its own."""
    store = stores.open("memory://")
    world = alone(lambda: store)
    assert world.keys() == {
        "a", "b", "b#then-ok", "c", "c#then-no", "c#then-no#then-ok", "d", "d#then-busy", "e", "f",
    }  # fmt: skip
    assert world.keys(PASSING) == {
        "short",
        "short-busy",
        "short-busy#then-ok",
        "page",
        "page#then-ok",
        "page-later",
    }
    assert set(world.sent.values()) == {1}
    assert world.sent["c", 4] == world.sent["d#then-busy", 4] == 1


@given(st.integers(2, 4), st.lists(DO, max_size=80))
def test_any_interleaving_sends_the_set_of_a_single_worker(workers, script):
    """Two to four workers in memory, crashes between any two steps: every key, no other, nothing out of date."""
    store, other = stores.open("memory://"), stores.open("memory://")
    world, single = play(lambda: store, workers, script), alone(lambda: other)
    assert world.keys() == single.keys()
    assert world.keys(PASSING) <= single.keys(PASSING)


@settings(max_examples=40)
@given(st.integers(2, 4), st.lists(DO, min_size=5, max_size=80))
def test_any_interleaving_on_sqlite_sends_the_set_of_a_single_worker(workers, script):
    """The same, each worker with a connection of its own to one file."""
    with tempfile.TemporaryDirectory() as folder:
        world = play(lambda: stores.open(f"{folder}/desk.db"), workers, script)
    other = stores.open("memory://")
    assert world.keys() == alone(lambda: other).keys()


def test_nothing_is_sent_from_the_acknowledgement_on():
    """Of two workers one has looked already: that page goes out, and no try after it, on no channel."""
    store = stores.open("memory://")
    world = World(lambda: store, 2)
    while world.step(0):
        pass
    world.acknowledge()
    before = Counter(world.sent)
    world.finish()
    assert world.sent["page", 0] == 1
    assert {key for key, _ in world.sent - before} & {"page", "page#then-ok", "page-later"} == set()
