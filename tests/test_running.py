"""A run of the road's generators: whoever loses a race rests, longer each time, and gets through."""

import asyncio
import datetime as dt
import random
import time

import pytest

from itsm_core import Actor, AsyncServiceDesk, ServiceDesk
from itsm_core.errors import VersionConflict
from itsm_core.road.terms import ATTEMPTS
from itsm_core.running import Losses
from itsm_core.stores import MemoryStore, ThreadedStore

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)
ANA, BO = Actor.person("ana", "agent"), Actor.person("bo", "agent")


def test_whoever_loses_rests_longer_each_time_and_never_long():
    """Nothing after the first loss, then up to 1, 2, 4 ... 64 ms, drawn anew; each record by itself."""
    spans = [0, 1, 2, 4, 8, 16, 32, *[64] * 1000]
    drawn = [[] for _ in spans]
    for _ in range(40):
        losses = Losses()
        for span, rests in zip(spans, drawn, strict=True):
            rests.append(losses.rest(VersionConflict("R", 1, 2)))
            assert 0 <= rests[-1] <= span / 1000
        assert losses.rest(VersionConflict("other", 1, 2)) == 0
    for span, rests in zip(spans[1:], drawn[1:], strict=True):
        assert max(rests) > span / 2000 > min(rests)


def test_the_rest_is_not_drawn_from_the_random_numbers_of_the_host():
    """A simulation with a seed gives the same numbers, and two workers with one seed fall out of step."""
    drawn = []
    for _ in range(2):
        random.seed(7)
        losses = Losses()
        drawn.append([losses.rest(VersionConflict("R", 1, 2)) for _ in range(9)])
        drawn.append(random.random())
    assert drawn[0] != drawn[2]
    assert drawn[1] == drawn[3]


class Crowded(MemoryStore):
    """A store in which Bo writes to the record without a pause, until Ana has rested for a tenth of a second."""

    def __init__(self):
        super().__init__()
        self.rests = []

    def commit(self, changes):
        if changes.events[0].actor == ANA and sum(self.rests) < 0.1:
            ServiceDesk(self).note("I", "mine", actor=BO, at=T0)
        return super().commit(changes)


@pytest.fixture
def crowded():
    """One, with a record in it."""
    store = Crowded()
    ServiceDesk(store).open("x", actor=BO, at=T0, record_id="I")
    return store


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_whoever_loses_waits_until_the_others_are_through(crowded, kind, monkeypatch):
    """Twenty attempts in a row would all be lost to a writer who makes no pause."""

    async def awaited(seconds):
        crowded.rests.append(seconds)

    if kind == "plain":
        monkeypatch.setattr(time, "sleep", crowded.rests.append)
        ServiceDesk(crowded).note("I", "at last", actor=ANA, at=T0)
    else:
        monkeypatch.setattr(asyncio, "sleep", awaited)
        asyncio.run(AsyncServiceDesk(ThreadedStore(crowded)).note("I", "at last", actor=ANA, at=T0))
    lost = len(crowded.rests)
    assert 4 < lost < ATTEMPTS
    texts = [event.fields["text"] for event in ServiceDesk(crowded).history("I")[1:]]
    assert texts == ["mine"] * lost + ["at last"]


def test_a_race_that_cannot_be_won_ends_in_the_conflict(crowded, monkeypatch):
    """After twenty attempts, with nothing written."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with pytest.raises(VersionConflict, match="record 'I' is at version 21, not 20"):
        ServiceDesk(crowded).note("I", "never", actor=ANA, at=T0)
    assert {event.actor for event in ServiceDesk(crowded).history("I")} == {BO}
