"""One trigger for many records: each goes its own way, and each answers for itself."""

import asyncio
import datetime as dt

import pytest

from itsm_core import Actor, InvalidValue, Record, RecordNotFound, ServiceDesk, TransitionRefused, stores
from itsm_core.aio import AsyncServiceDesk
from itsm_core.errors import StoreBusy
from itsm_core.stores.memory import MemoryStore

AT = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)
ANA, UMA = Actor.person("ana", "agent"), Actor.person("uma")
DONE = {"resolution_outcome": "workaround", "resolution_notes": "restarted"}


@pytest.fixture
def desk():
    """A desk with three open incidents."""
    desk = ServiceDesk(MemoryStore())
    for name in ("A", "B", "C", "C#1"):
        desk.open("Mail is down", actor=UMA, at=AT, record_id=name)
        desk.assign(name, actor=ANA, at=AT, group="mail", assignee="ana")
    return desk


def test_each_record_has_its_own_result(desk):
    """The records that moved, the refusal of one that could not, and one that is not there, in order."""
    desk.fire("B", "resolve", actor=ANA, at=AT, fields=DONE)
    told = desk.fire_many(["C", "B", "nobody", "A", "C"], "resolve", actor=ANA, at=AT, fields=DONE)
    assert list(told) == ["C", "B", "nobody", "A"]
    assert [told[name].state for name in ("A", "C")] == ["resolved", "resolved"]
    assert isinstance(told["B"], TransitionRefused)
    assert isinstance(told["nobody"], RecordNotFound)
    assert desk.get("A") == told["A"]


def test_the_same_command_id_goes_on_where_it_was_broken_off(desk):
    """What was done is answered again, what failed is tried again; nothing is done twice."""
    commit, failing = desk.store.commit, {"B"}

    def busy(changes):
        if changes.record in failing:
            raise StoreBusy("another process holds it")
        return commit(changes)

    desk.store.commit = busy
    first = desk.fire_many(["A", "B"], "note", actor=ANA, at=AT, fields={"text": "seen"}, command_id="x")
    assert isinstance(first["A"], Record)
    assert isinstance(first["B"], StoreBusy)
    failing.clear()
    again = desk.fire_many(["A", "B"], "note", actor=ANA, at=AT, fields={"text": "seen"}, command_id="x")
    assert again["A"] == first["A"]
    assert [desk.get(name).version for name in "AB"] == [3, 3]


def test_a_record_with_a_mark_in_its_name_has_a_command_id_too(desk):
    """The mark # in a command id is the library's own."""
    for _ in range(2):
        told = desk.fire_many(["C#1"], "note", actor=ANA, at=AT, fields={"text": "seen"}, command_id="x")
        assert told["C#1"].version == 3


def test_what_no_record_can_be_asked_with_is_refused_at_once(desk):
    """A text is no list of ids, and a version belongs to one record."""
    with pytest.raises(InvalidValue, match="is no list of str"):
        desk.fire_many("ABC", "start", actor=ANA, at=AT)
    with pytest.raises(InvalidValue, match="a version of one record only"):
        desk.fire_many(["A"], "start", actor=ANA, at=AT, expected=2)
    assert desk.fire_many([], "start", actor=ANA, at=AT) == {}
    assert [desk.get(name).version for name in "ABC"] == [2, 2, 2]


def test_an_async_desk_answers_the_same():
    """Awaited, each record has its own result too."""

    async def told():
        async with AsyncServiceDesk(await stores.open_async("memory://")) as desk:
            for name in ("A", "B"):
                await desk.open("Mail is down", actor=UMA, at=AT, record_id=name)
            await desk.fire("B", "resolve", actor=ANA, at=AT, fields=DONE)
            return await desk.fire_many(["A", "B", "nobody"], "resolve", actor=ANA, at=AT, fields=DONE)

    results = asyncio.run(told())
    assert [type(result) for result in results.values()] == [Record, TransitionRefused, RecordNotFound]
