"""The desk for async hosts: the same names, the same answers, and nothing half done."""

import asyncio
import datetime as dt
import inspect
import sqlite3
import threading
from contextlib import closing
from itertools import count

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core import (
    INCIDENT,
    Actor,
    AsyncServiceDesk,
    BusinessCalendar,
    EscalationPolicy,
    EscalationStep,
    InvalidValue,
    MigrationPlan,
    RecordNotFound,
    ServiceDesk,
    TransitionRefused,
    default_agreement,
    stores,
)
from itsm_core.ports import Delivered, Position, Rejected, Retry
from itsm_core.stores import MemoryStore, SqliteStore, ThreadedStore

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)  # a Monday
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
ANA, BO = Actor.person("ana", "agent"), Actor.person("bo", "agent", "manager")
UMA = Actor.person("uma")
HIGH = {"impact": "high", "urgency": "high"}
DONE = {"resolution_outcome": "fixed_permanent", "resolution_notes": "restarted"}
WAIT = {"hold_reason": "requester", "message": "which room?", "look_again_at": T0 + DAY}
OFFICE = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")
POLICY = EscalationPolicy(
    "standard",
    1,
    steps=[
        EscalationStep("move", "50 %", kind="functional", group="second-line"),
        EscalationStep("lead", "75 %", to="lead"),
    ],
)


def desk_on(store, kind=ServiceDesk, **more):
    """A desk with two targets, a policy, and numbers that are the same in every run."""
    numbers = count(1)
    given = {"agreement": default_agreement(OFFICE), "policy": POLICY, "worker": "w1"}
    return kind(store, **{**given, "number": lambda _: f"N-{next(numbers)}", **more})


# --- the same shape ---------------------------------------------------------------------------


def public(kind):
    """The public methods of a desk by name."""
    return {name: held for name, held in vars(kind).items() if callable(held) and not name.startswith("_")}


def test_both_desks_have_the_same_methods():
    """What one can be asked, the other can, and each of them is awaited."""
    assert public(AsyncServiceDesk).keys() == public(ServiceDesk).keys()
    assert len(public(ServiceDesk)) > 20
    assert all(inspect.iscoroutinefunction(held) for held in public(AsyncServiceDesk).values())


@pytest.mark.parametrize("name", public(ServiceDesk))
def test_a_method_takes_and_gives_the_same_on_both(name):
    """Parameters, defaults and annotations; the words stand once, at ServiceDesk."""
    one, other = (getattr(kind, name) for kind in (ServiceDesk, AsyncServiceDesk))
    assert inspect.signature(other) == inspect.signature(one)
    assert other.__doc__ == f"As `ServiceDesk.{name}`."


def test_both_are_made_of_the_same():
    """The terms of a desk do not depend on how its store is reached."""
    assert inspect.signature(AsyncServiceDesk) == inspect.signature(ServiceDesk)


def test_each_desk_refuses_the_other_kind_of_store():
    """Before anything is asked of it, and with what to do."""
    plain = MemoryStore()
    with pytest.raises(InvalidValue, match="cannot be awaited; open it with"):
        AsyncServiceDesk(plain)
    with pytest.raises(InvalidValue, match="has to be awaited; take AsyncServiceDesk"):
        ServiceDesk(ThreadedStore(plain))
    with pytest.raises(InvalidValue, match="is no store; open one: await"):
        AsyncServiceDesk("desk.db")


@pytest.mark.parametrize("other", [sqlite3.connect(":memory:"), MemoryStore, None])
def test_what_is_no_store_is_refused_by_name(other):
    """A connection commits as a store does, and a class has all of a store's methods."""
    with pytest.raises(InvalidValue, match=r"is no store; open one: stores.open.* by its `on`"):
        ServiceDesk(other)


def test_numbers_come_from_a_callable():
    """The host's own, called with the process; what numbers nothing is refused by name."""
    counted = count(1)
    desk = ServiceDesk(MemoryStore(), number=lambda process: f"{process}-{next(counted)}")
    assert [desk.open("Mail", actor=UMA, at=T0).id for _ in range(2)] == ["incident-1", "incident-2"]
    with pytest.raises(InvalidValue, match="number 'INC': cannot be called; give a function of a process"):
        ServiceDesk(MemoryStore(), number="INC")
    for wrong in (None, 7, ""):
        desk = ServiceDesk(MemoryStore(), number=lambda process, wrong=wrong: wrong)
        with pytest.raises(InvalidValue, match=f"^number {wrong!r}: .*returns a new text, such as"):
            desk.open("Mail", actor=UMA, at=T0)


# --- the same story ---------------------------------------------------------------------------

# fmt: off
STORY = [
    ("open", ("Mail is down",), {"actor": UMA, "at": T0, "fields": HIGH, "record_id": "R-1", "command_id": "a"}),
    ("open", ("Mail is down",), {"actor": UMA, "at": T0, "fields": HIGH, "record_id": "R-1", "command_id": "a"}),
    ("open", ("Mail again",), {"actor": UMA, "at": T0, "external_ref": "mail-7", "record_id": "R-2"}),
    ("open", ("Mail again",), {"actor": UMA, "at": T0, "external_ref": "mail-7", "record_id": "R-2"}),
    ("assign", ("R-1",), {"actor": ANA, "at": T0 + MINUTE, "group": "desk", "assignee": "ana", "command_id": "b"}),
    ("fire", ("R-1", "start"), {"actor": ANA, "at": T0 + 2 * MINUTE, "command_id": "c"}),
    ("fire", ("R-1", "resolve"), {"actor": UMA, "at": T0 + 3 * MINUTE, "command_id": "d"}),
    ("communicate", ("R-1", "On it."), {"actor": ANA, "at": T0 + 5 * MINUTE, "command_id": "e", "channel": "email"}),
    ("note", ("R-1", "It is the disk."), {"actor": ANA, "at": T0 + 6 * MINUTE, "command_id": "f"}),
    ("fire_many", (["R-1", "R-2", "R-9"], "amend"), {"actor": BO, "at": T0 + HOUR, "fields": {"category": "mail"}, "command_id": "z"}),
    ("options", ("R-1", UMA), {"lang": "zh", "at": T0 + HOUR}),
    ("tick", (T0 + 2 * HOUR,), {}),
    ("acknowledge", ("R-1",), {"actor": ANA, "at": T0 + 2 * HOUR, "command_id": "q"}),
    ("snooze", ("R-1",), {"actor": ANA, "at": T0 + 2 * HOUR, "until": T0 + 2 * HOUR + MINUTE, "command_id": "r"}),
    ("snooze", ("R-1",), {"actor": ANA, "at": T0 + 2 * HOUR, "until": T0 + HOUR, "command_id": "s"}),
    ("tick", (T0 + 2 * HOUR + MINUTE,), {}),
    ("escalate_now", ("R-1",), {"actor": ANA, "at": T0 + 2 * HOUR + MINUTE, "step": "lead", "command_id": "t"}),
    ("migrate_policy", ("R-1",), {"actor": BO, "at": T0 + 2 * HOUR + MINUTE, "version": 9, "reason": "new"}),
    ("reprioritise", ("R-1",), {"actor": BO, "at": T0 + 2 * HOUR, "command_id": "g", "fields": {"urgency": "medium"}}),
    ("declare_major", ("R-2",), {"reason": "All of them", "users": 200, "actor": BO, "at": T0 + 2 * HOUR,
                                 "command_id": "mj"}),
    ("link", ("R-1", "duplicates", "R-2"), {"actor": ANA, "at": T0 + 2 * HOUR, "command_id": "h"}),
    ("link", ("R-1", "duplicates", "R-9"), {"actor": ANA, "at": T0 + 2 * HOUR, "command_id": "i"}),
    ("correct", ("R-1", "b", "group", "network"),
     {"reason": "misread", "actor": BO, "at": T0 + 2 * HOUR, "command_id": "j"}),
    ("fire", ("R-1", "hold"), {"actor": ANA, "at": T0 + 3 * HOUR, "command_id": "k", "fields": WAIT}),
    ("receive", ("R-1", "Room 12."), {"actor": UMA, "at": T0 + 4 * HOUR, "message_id": "<1@mail>"}),
    ("receive", ("R-1", "Room 12."), {"actor": UMA, "at": T0 + 4 * HOUR, "message_id": "<1@mail>"}),
    ("split", ("R-1", "And the fax"), {"actor": BO, "at": T0 + 5 * HOUR, "command_id": "l"}),
    ("merge", ("R-2", "R-1"), {"actor": BO, "at": T0 + 5 * HOUR, "command_id": "m", "fields": {"message": "One"}}),
    ("retype", ("N-1", "problem"), {"actor": BO, "at": T0 + 5 * HOUR, "command_id": "n", "fields": {"reason": "again"}}),
    ("migrate", ("R-1", MigrationPlan(INCIDENT, INCIDENT.lite(), states={})),
     {"reason": "new", "actor": BO, "at": T0 + 5 * HOUR, "command_id": "o"}),
    ("proposals", ("R-1",), {}),
    ("recurring", (), {"at": T0 + DAY}),
    ("clocks", ("R-1", T0 + DAY), {}),
    ("find", (), {"phase": "active"}),
    ("find", (), {"colour": "red"}),
    ("rearm", ("R-1", T0 + 6 * HOUR), {}),
    ("next_due", (), {}),
    ("lag", (T0 + 2 * DAY,), {}),
    ("tick", (T0 + 2 * DAY,), {}),
    ("fire", ("R-1", "resolve"), {"actor": ANA, "at": T0 + 2 * DAY, "command_id": "p", "fields": DONE}),
    ("tick", (T0 + 30 * DAY,), {}),
    ("get", ("R-1",), {}),
    ("get", ("R-77",), {}),
    ("history", ("R-1",), {}),
    ("history", ("N-2",), {}),
]
# fmt: on


def plain(answer):
    """An answer without what differs from run to run, such as the salts of personal fields."""
    if isinstance(answer, dict):
        return {name: plain(one) for name, one in answer.items()}
    if isinstance(answer, Exception):
        return type(answer), str(answer)
    if isinstance(answer, tuple):
        return tuple(plain(one) for one in answer)
    return (
        attrs.evolve(answer, personal=tuple(sorted(answer.personal)))
        if hasattr(answer, "personal")
        else answer
    )


def told(calls, **more):
    """What the plain desk answers to each call, what it refuses, and what it sent."""
    sent, answers = [], []
    desk = desk_on(MemoryStore(), notifiers=sent.append, **more)
    for name, arguments, named in calls:
        try:
            answers.append(plain(getattr(desk, name)(*arguments, **named)))
        except Exception as error:
            answers.append(plain(error))
    return answers, sent, plain(desk.store.read(Position(), 1000)[0])


async def told_async(calls, store, **more):
    """The same of the desk that is awaited."""
    sent, answers = [], []

    async def send(message):
        await asyncio.sleep(0)
        sent.append(message)

    desk = desk_on(store, AsyncServiceDesk, notifiers=send, **more)
    for name, arguments, named in calls:
        try:
            answers.append(plain(await getattr(desk, name)(*arguments, **named)))
        except Exception as error:
            answers.append(plain(error))
    return answers, sent, plain((await store.read(Position(), 1000))[0])


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def url(request, tmp_path):
    """A place for an async store of each kind that ships."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres")()
    return "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/desk.db"


def test_the_same_story_on_both_desks_is_the_same(url):
    """The same records, refusals, events and messages, call by call."""

    async def story():
        async with AsyncServiceDesk(await stores.open_async(url)) as desk:
            return await told_async(STORY, desk.store)

    one, other = told(STORY), asyncio.run(story())
    for call, expected, found in zip(STORY, one[0], other[0], strict=True):
        assert found == expected, call
    assert other[1:] == one[1:]


def test_the_story_is_worth_telling():
    """It moves four records, is refused for reasons of three kinds, and tells people."""
    answers, sent, events = told(STORY)
    refused = [
        answer[0].__name__
        for answer in answers
        if isinstance(answer, tuple) and answer[:1] and isinstance(answer[0], type)
    ]
    assert {"TransitionRefused", "RecordNotFound", "InvalidValue"} <= set(refused)
    assert {event.record for event in events} >= {"R-1", "R-2", "N-1", "N-2"}
    assert len(events) > 20
    assert {"uma", "lead"} <= {message.to for message in sent}
    assert {name for name, _, _ in STORY} == public(ServiceDesk).keys()


ACTORS = st.sampled_from([ANA, BO, UMA, Actor.automation("cron")])
FIELDS = st.sampled_from(
    [{}, DONE, WAIT, {"reason": "asked"}, {"closure_code": "user_confirmed"}, {"owner": "bo"}]
)
RECORDS = st.sampled_from(["R-1", "R-2", "R-3", "R-9", ""])


@st.composite
def calls(draw):
    """Some commands in the order of time, good ones and bad ones, after two openings."""
    made = [
        (
            "open",
            ("Mail",),
            {"actor": UMA, "at": T0, "fields": HIGH, "record_id": f"R-{n}", "command_id": f"o{n}"},
        )
        for n in (1, 2)
    ]
    for place in range(draw(st.integers(1, 12))):
        at = T0 + place * HOUR + draw(st.integers(-90, 90)) * MINUTE
        asked = {"actor": draw(ACTORS), "at": at, "command_id": f"c{draw(st.integers(0, 12))}"}
        record = draw(RECORDS)
        trigger = draw(st.sampled_from([*sorted(INCIDENT.by_trigger), "amend", "acknowledge", "x"]))
        made.append(
            draw(
                st.sampled_from(
                    [
                        ("fire", (record, trigger), {**asked, "fields": draw(FIELDS)}),
                        ("fire", (record, trigger), {**asked, "fields": draw(FIELDS)}),
                        ("communicate", (record, "Wait."), asked),
                        (
                            "receive",
                            (record, "Hm."),
                            {"actor": UMA, "at": at, "message_id": asked["command_id"]},
                        ),
                        ("assign", (record,), {**asked, "group": "desk"}),
                        ("merge", (record, "R-1"), asked),
                        ("tick", (at,), {}),
                        ("clocks", (record, at), {}),
                        ("find", (), {"phase": "new"}),
                    ]
                )
            )
        )
    return made


@pytest.mark.law
@given(calls())
def test_both_desks_agree_on_whatever_they_are_asked(asked):
    """Random commands, repeated ids and bad ones among them."""
    assert asyncio.run(told_async(asked, ThreadedStore(MemoryStore()))) == told(asked)


# --- notifiers --------------------------------------------------------------------------------


class Courier:
    """A notifier that is an object, and awaited."""

    async def __call__(self, message):
        return Retry(5 * MINUTE, "later")


async def coming(message):
    return Delivered("by and by")


def on_its_way(message):
    """Plain itself, and answers what is to be awaited."""
    return coming(message)


def in_a_thread(message):
    """A plain notifier may wait: it does not hold up the loop."""
    assert threading.current_thread() is not threading.main_thread()
    return Delivered()


def failing(message):
    raise OSError("no route")


@pytest.mark.parametrize(
    ("notifier", "counted"),
    [
        (coming, (1, 0, 0)),
        (on_its_way, (1, 0, 0)),
        (in_a_thread, (1, 0, 0)),
        (Courier(), (0, 1, 0)),
        (failing, (0, 1, 0)),
        ({"email": lambda _: Rejected("no such box")}, (0, 0, 1)),
        ({"sms": coming}, (0, 0, 1)),
    ],
    ids=["async", "awaitable", "plain", "object", "raising", "rejecting", "other-channel"],
)
def test_a_notifier_may_be_plain_or_awaited(notifier, counted):
    """What it answers, raises or awaits becomes of the message what ServiceDesk would make of it."""

    async def one_message():
        desk = AsyncServiceDesk(ThreadedStore(MemoryStore()), notifiers=notifier)
        record = await desk.open("Mail is down", actor=UMA, at=T0)
        await desk.communicate(record.id, "On it.", actor=ANA, at=T0, channel="email")
        return await desk.tick(T0)

    tick = asyncio.run(one_message())
    assert (tick.delivered, tick.retried, len(tick.failures)) == counted


# --- many tasks, and cancelled ones -----------------------------------------------------------


def test_many_tasks_on_one_record_lose_nothing(url):
    """A hundred notes at once: those that lose a race are decided anew, one after the other."""

    async def crowd():
        async with AsyncServiceDesk(await stores.open_async(url)) as desk:
            await desk.open("Mail is down", actor=UMA, at=T0, record_id="R")
            notes = (desk.note("R", f"note {n}", actor=ANA, at=T0 + MINUTE) for n in range(100))
            await asyncio.gather(*notes)
            return await desk.history("R")

    history = asyncio.run(crowd())
    assert [event.seq for event in history] == list(range(1, 102))
    assert {event.fields["text"] for event in history[1:]} == {f"note {n}" for n in range(100)}


def test_of_two_that_open_under_one_number_one_is_refused_and_all_goes_on():
    """Who lost for good leaves the queue too: later races are decided as ever."""

    async def story():
        desk = AsyncServiceDesk(ThreadedStore(MemoryStore()))
        opening = (desk.open(f"Mail {n}", actor=UMA, at=T0, record_id="R") for n in range(8))
        answers = await asyncio.gather(*opening, return_exceptions=True)
        await asyncio.gather(*(desk.note("R", "hm", actor=ANA, at=T0) for _ in range(30)))
        return answers, len(await desk.history("R"))

    answers, events = asyncio.run(asyncio.wait_for(story(), 30))
    refused = [answer for answer in answers if isinstance(answer, InvalidValue)]
    assert (len(refused), events) == (7, 31)
    assert "is taken by another record" in str(refused[0])


def test_two_that_tick_at_once_fire_each_step_once():
    """Two workers of one loop share what is due between them."""

    async def both():
        store, sent = ThreadedStore(MemoryStore()), []
        first, second = (
            desk_on(store, AsyncServiceDesk, worker=name, notifiers=sent.append) for name in ("w1", "w2")
        )
        for n in range(20):
            await first.open("Mail", actor=UMA, at=T0, fields=HIGH, record_id=f"R{n}")
        ticks = await asyncio.gather(first.tick(T0 + 3 * HOUR), second.tick(T0 + 3 * HOUR))
        return sum(tick.escalated for tick in ticks), [message.key for message in sent]

    escalated, keys = asyncio.run(both())
    assert escalated == 40
    assert len(keys) == len(set(keys)) == 20


def test_a_desk_serves_one_loop_after_the_other():
    """Also where tasks had to queue up in the one before."""
    desk = AsyncServiceDesk(ThreadedStore(MemoryStore()))
    asyncio.run(desk.open("Mail is down", actor=UMA, at=T0, record_id="R"))

    async def crowd():
        await asyncio.gather(*(desk.note("R", "hm", actor=ANA, at=T0 + MINUTE) for _ in range(10)))

    for _ in range(2):
        asyncio.run(crowd())
    assert len(asyncio.run(desk.history("R"))) == 21


def test_a_slow_receiver_holds_up_nobody_who_lost_a_race():
    """While one worker sends, commands on the records it has just escalated go through."""

    async def story():
        arrived, sent = asyncio.Event(), asyncio.Event()

        async def slow(message):
            arrived.set()
            await sent.wait()

        store = ThreadedStore(MemoryStore())
        desk = desk_on(store, AsyncServiceDesk, notifiers=slow)
        await desk.open("Mail", actor=UMA, at=T0, fields=HIGH, record_id="R")
        tick = asyncio.create_task(desk.tick(T0 + 3 * HOUR))
        await asyncio.gather(*(desk.note("R", "hm", actor=ANA, at=T0 + HOUR) for _ in range(20)))
        await arrived.wait()
        await asyncio.gather(*(desk.note("R", "hm", actor=ANA, at=T0 + 3 * HOUR) for _ in range(20)))
        assert not tick.done()
        sent.set()
        return await tick, len(await desk.history("R"))

    tick, events = asyncio.run(asyncio.wait_for(story(), 30))
    assert (tick.escalated, tick.delivered) == (2, 1)
    assert events == 1 + 40 + 3


@pytest.mark.parametrize("steps", range(1, 12))
def test_a_cancelled_command_is_done_or_not_and_may_be_repeated(steps, url):
    """Cancelled after so many turns of the loop, then asked again by the same id: done once."""

    async def story():
        async with AsyncServiceDesk(await stores.open_async(url)) as desk:
            await desk.open("Mail is down", actor=UMA, at=T0, record_id="R")
            asked = {"actor": ANA, "at": T0 + MINUTE, "command_id": "start-1"}
            task = asyncio.create_task(desk.fire("R", "start", **asked))
            for _ in range(steps):
                await asyncio.sleep(0.0003)
            task.cancel()
            await asyncio.wait([task])
            before = len(await desk.history("R"))
            await desk.fire("R", "start", **asked)
            return before, [event.kind for event in await desk.history("R")]

    before, kinds = asyncio.run(story())
    assert before in (1, 2)
    assert kinds == ["opened", "transitioned"]


def test_what_one_desk_wrote_the_other_reads(tmp_path):
    """The file does not know who wrote it."""

    async def written():
        async with AsyncServiceDesk(await stores.open_async(tmp_path / "desk.db")) as desk:
            await desk.open("Mail is down", actor=UMA, at=T0, record_id="R")
            with pytest.raises(TransitionRefused) as refusal:
                await desk.fire("R", "start", actor=UMA, at=T0)
            with pytest.raises(RecordNotFound):
                await desk.get("R-2")
            return refusal.value.codes

    assert asyncio.run(written()) == ("role",)
    with closing(SqliteStore(tmp_path / "desk.db")) as store:
        assert ServiceDesk(store).get("R").title == "Mail is down"
