"""Top management as people: told of a major incident by the directory, each as they want it."""

import asyncio
import datetime as dt

import pytest

from itsm_core import Actor, AsyncServiceDesk, ServiceDesk, stores
from itsm_core.notifiers import Templates
from itsm_core.oncall import DutyWindow, Person

T = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
ANA, MONA = Actor.person("ana", "agent"), Actor.person("mona", "manager")
P1 = {"impact": "high", "urgency": "high", "service": "payments"}
NIGHT = DutyWindow("09:00", "10:00", "daily", "UTC")  # somebody works by night
PEOPLE = {
    "user:cleo": Person("cleo", channels=("sms", "email"), lang="zh", zone="Asia/Shanghai"),
    "user:ivo": Person("ivo", channels="voice", quiet=NIGHT),
    "user:pia": Person("pia", channels="sms", absent_until=T + dt.timedelta(days=1)),
}


def knowing(*ids):
    """A directory whose top management are these."""
    return lambda name, at: ids if name == "role:management" else PEOPLE.get(name)


def broken(name, at):
    """A directory that is down."""
    raise ConnectionError("no directory")


def heard(store, directory, until=5):
    """What was sent of a major incident that was accepted at nine, and what the last tick said."""
    sent = []
    desk = ServiceDesk(store, directory=directory, notifiers=sent.append)
    desk.open("Nobody can pay", actor=ANA, at=T, record_id="INC-1", fields=P1)
    desk.declare_major("INC-1", reason="all of them", actor=ANA, at=T)
    desk.major.accept("INC-1", manager="mona", actor=MONA, at=T)
    for minute in range(until + 1):
        tick = desk.tick(T + minute * MINUTE)
    return sent, tick, desk


def ways(sent):
    return [(one.to, one.channel, one.failover) for one in sent]


def test_each_of_them_is_told_as_they_want_it(store):
    """By their channels, on their clocks and in their language, after their quiet hours, and not while away."""
    sent, _, _ = heard(store, knowing("cleo", "ivo", "pia", "zoe"), until=65)
    at_once = [("cleo", "email", (("cleo", "sms"),)), ("zoe", "email", ())]
    assert ways(sent[:2]) == at_once
    assert ways(sent[2:4]) == at_once  # at half past nine
    assert ("ivo", "voice", ()) in ways(sent[4:])
    facts = sent[0].facts
    assert (facts["lang"], facts["zone"], facts["manager"]) == ("zh", "Asia/Shanghai", "mona")
    assert "重大事件" in Templates(kind=lambda _: "major_incident")(sent[0]).subject
    assert len({one.key for one in sent}) == len(sent)


@pytest.mark.parametrize(
    "directory",
    [None, knowing(), knowing("pia"), broken, lambda name, at: 7],
    ids=["none", "nobody", "all absent", "down", "nonsense"],
)
def test_where_nobody_is_known_the_words_go_to_management(store, directory):
    """As without a directory: the desk's own word is not lost, and the command is carried out."""
    sent, _, desk = heard(store, directory)
    assert [(one.to, one.channel, one.key.endswith("#said")) for one in sent] == [
        ("management", "email", True)
    ]
    assert desk.get("INC-1").major


def test_a_tick_says_that_the_directory_was_down(store):
    """The cadence goes on, and the record is told as stuck, once each."""
    sent, tick, _ = heard(store, broken, until=30)
    assert (tick.briefed, [(record, str(error)) for record, error in tick.stuck]) == (
        1, [("INC-1", "no directory")],
    )  # fmt: skip
    assert [one.to for one in sent] == ["management"] * 2


def test_words_of_a_person_to_management_are_told_apart_and_others_are_not(store):
    """The requester is told as before."""
    sent, _, desk = heard(store, knowing("cleo"))
    for audience in ("management", "requester"):
        desk.communicate("INC-1", "A disk is full", audience=audience, actor=ANA, at=T + 6 * MINUTE)
    desk.tick(T + 6 * MINUTE)
    assert sorted((one.to, one.channel) for one in sent[1:]) == [("ana", "email"), ("cleo", "email")]


def test_nobody_is_asked_about_words_to_others(store):
    """A directory costs a desk nothing where it has nothing to say."""
    asked = []
    desk = ServiceDesk(store, directory=lambda name, at: asked.append(name))
    desk.open("Slow", actor=ANA, at=T, record_id="INC-1")
    desk.communicate("INC-1", "We are on it", actor=ANA, at=T)
    assert asked == []


def test_the_same_command_again_tells_nobody_again(store):
    """One message a person, however often it is asked."""
    sent, _, desk = heard(store, knowing("cleo"))
    for _ in range(2):
        desk.communicate(
            "INC-1", "So far", audience="management", actor=ANA, at=T + 6 * MINUTE, command_id="told"
        )
    desk.tick(T + 6 * MINUTE)
    assert [one.to for one in sent] == ["cleo", "cleo"]


def test_the_async_desk_awaits_who_they_are():
    """An awaited directory."""

    async def look(name, at):
        return knowing("cleo")(name, at)

    async def story():
        sent = []
        desk = AsyncServiceDesk(
            await stores.open_async("memory://"), directory=look, notifiers=sent.append
        )  # fmt: skip
        await desk.open("Nobody can pay", actor=ANA, at=T, record_id="INC-1", fields=P1)
        await desk.communicate("INC-1", "A disk is full", audience="management", actor=ANA, at=T)
        await desk.tick(T)
        return ways(sent)

    assert asyncio.run(story()) == [("cleo", "email", (("cleo", "sms"),))]
