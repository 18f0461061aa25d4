"""Several workers on one record: whatever they do to each other, the keys are those of one worker."""

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from escalated import TARGET, opened, said, stored
from itsm_core import fold
from itsm_core.escalation import (
    Branch,
    ClocksRead,
    Condition,
    EscalationPolicy,
    EscalationStep,
    NotFired,
    Repeat,
    Run,
    Trigger,
    advance,
    as_named,
    next_due,
)
from itsm_core.sla import conclude, trace

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
POLICY = EscalationPolicy(
    "line",
    1,
    steps=[
        EscalationStep("page", trigger=Trigger.unacknowledged("5m wall"), to=("on_call:a", "on_call:b")),
        EscalationStep("fork", after="5m wall", branches=[Branch(Condition(priorities="P1"), "boss")]),
        EscalationStep("lead", after="0m wall", to="lead"),
        EscalationStep("boss", after="10m wall", to="boss"),
        EscalationStep("again", after="5m wall", repeat=Repeat("page", 2)),
        EscalationStep("half", "50 %", group="network"),
        EscalationStep("most", "75 %", to="boss"),
    ],
    last_resort="duty",
    ack_timeout="30m wall",
)


class Store:
    """A log of one record with a compare-and-set on its version, and an outbox whose keys are unique."""

    def __init__(self):
        self.events, self.outbox = opened(T0), []

    def commit(self, version, events, keys):
        """All or nothing, if nobody else has written since."""
        if len(self.events) != version:
            return False
        self.events = events
        self.outbox += keys
        return True


def work(store, ticks):
    """A worker: loads, asks the engine, commits; it may be stopped, or killed, at each yield."""
    for now in ticks:
        events = store.events
        yield "loaded"
        event = ClocksRead(clocks={"resolution": conclude(trace(events), TARGET, now)})
        _, effects = advance(Run.of(fold(events), POLICY), now, event, as_named)
        yield "decided"
        keys = [effect.key for effect in effects if not isinstance(effect, NotFired)]
        if effects:
            store.commit(len(events), stored(events, effects, POLICY), keys)
        yield "committed"


def settle(store):
    """What is due by the end is done, at the instants at which it falls due, by one worker left alone."""
    end = T0 + 12 * 60 * MINUTE
    now = T0
    while now <= end:
        for _ in work(store, [now]):
            pass
        record = fold(store.events)
        event = ClocksRead(clocks={"resolution": conclude(trace(store.events), TARGET, now)})
        wake = next_due(Run.of(record, POLICY), event)
        if wake is None or wake > end:
            return
        now = max(wake, now)


def alone(acknowledged):
    """The keys of a single worker that is never late."""
    store = Store()
    if acknowledged is not None:
        store.events = said(store.events, "acknowledged", T0 + acknowledged * MINUTE)
    settle(store)
    return store.outbox


@settings(max_examples=150, deadline=None)
@given(st.integers(2, 4), st.none() | st.integers(0, 4), st.data())
def test_any_interleaving_with_crashes_leaves_the_keys_of_one_worker(workers, acknowledged, data):
    """Two to four workers, stopped and killed between any two steps: each key once, none more, none less."""
    store = Store()
    if acknowledged is not None:
        store.events = said(store.events, "acknowledged", T0 + acknowledged * MINUTE)
    minutes = data.draw(st.lists(st.integers(0, 300), min_size=1, max_size=12).map(sorted))
    running = [work(store, [T0 + minute * MINUTE for minute in minutes]) for _ in range(workers)]
    while running:
        turn = data.draw(st.integers(0, len(running) - 1))
        if data.draw(st.integers(0, 9)) == 0 or next(running[turn], None) is None:
            running.pop(turn).close()  # killed, or done
    settle(store)
    assert sorted(store.outbox) == sorted(set(store.outbox))
    assert set(store.outbox) == set(alone(acknowledged))


def test_a_lost_race_writes_nothing():
    """Both decide on the same version; the second commit is refused, and asked again it wants nothing."""
    store = Store()
    first, second = work(store, [T0 + 5 * MINUTE]), work(store, [T0 + 5 * MINUTE] * 2)
    for worker in (first, second, first, second, first, second):
        next(worker)
    assert store.outbox == ["I-1:line.1/0/0/page/on_call:a/console", "I-1:line.1/0/0/page/on_call:b/console"]
    assert [*second] == ["loaded", "decided", "committed"]
    assert len(store.outbox) == 2
