"""The directory: who answers to a name when a step falls due, and how they are told."""

import asyncio
import datetime as dt

import attrs
import pytest

from itsm_core import (
    Actor,
    AsyncServiceDesk,
    CustomField,
    EscalationPolicy,
    EscalationStep,
    InvalidValue,
    ServiceDesk,
    stores,
)
from itsm_core.escalation import Trigger
from itsm_core.notifiers import Templates
from itsm_core.oncall import DutyWindow, OnCall, Person, Rotation

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)  # a Monday
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
PROBE, ANA = Actor.monitoring("probe"), Actor.person("ana", "agent")
NIGHT = DutyWindow("22:00", "07:00", "daily", "Europe/Berlin")
PEOPLE = {
    "ana": Person("ana", channels=("sms", "email"), manager="mona", quiet=NIGHT),
    "bo": Person("bo", channels="email", lang="zh", absent_until=T0 + DAY),
    "mona": Person("mona", channels="voice"),
}
GROUPS = {"group:network": ("bo", "ana"), "role:boss": ("mona",), "role:none": (), "all": ("zoe",)}


def look(name, at):
    """A directory in memory."""
    kind, _, one = name.partition(":")
    return PEOPLE.get(one) if kind == "user" else GROUPS.get(name)


def paging(*names, **more):
    """A policy that tells these after five minutes, by mail."""
    step = {"channel": "email", **more}
    page = EscalationStep("page", trigger=Trigger.unacknowledged("5m wall"), to=names, **step)
    return EscalationPolicy("paging", 1, steps=[page])


def told(policy, at=T0, directory=look, notifies=None, **more):
    """What is sent to whom when the step fires."""
    sent = []
    notifiers = {"*": sent.append, **(notifies or {})}
    desk = ServiceDesk(
        stores.open("memory://"), policy=policy, directory=directory, notifiers=notifiers, **more
    )
    desk.open(
        "Disk full", actor=PROBE, at=at, record_id="INC-1", fields={"assignee": "ana", "priority": "P1"}
    )
    desk.tick(at + 5 * MINUTE)
    return sent, desk


# fmt: off
NAMES = [
    # name                   who is told     why
    ("group:network",        ["ana"]),       # bo is absent
    ("role:boss",            ["mona"]),
    ("role:none",            []),
    ("role:unheard-of",      []),
    ("all",                  ["zoe"]),       # nobody knows how she is reached
    ("manager_of:assignee",  ["mona"]),
    ("manager_of:requester", []),            # there is none: monitoring opened it
    ("manager_of:owner",     []),
    ("user:bo",              ["bo"]),        # by name, absent or not
    ("user:zoe",             ["zoe"]),
    ("on_call:network",      ["mona"]),
    ("on_call:none",         []),
]
# fmt: on


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("manager_of:asignee", r"of policy paging@1, and 'asignee' is no field; write manager_of:assignee$"),
        (
            "manager_of:ana",
            r"'ana' is no field; write manager_of:assignee or manager_of:owner or manager_of:requ",
        ),
        ("manager_of:", r"'' is no field; write manager_of:assignee or"),
    ],
)
def test_a_manager_is_that_of_somebody_in_a_field(name, said):
    """With a directory: of anybody else nobody would be told, and nobody would hear of that."""
    given = EscalationStep("move", trigger=Trigger.unacknowledged("5m wall"), assignee=name, group="desk")
    for policy in (paging(name), EscalationPolicy("paging", 1, steps=[given])):
        with pytest.raises(InvalidValue, match=said):
            told(policy, directory=look)
    buddy = CustomField("buddy", "text")
    told(paging("manager_of:buddy"), directory=look, custom_fields=[buddy])


def test_an_answer_may_call_people_as_a_policy_does():
    """They are told by their own channel and language, and the work is theirs under their id."""
    known = {"group:ops": ["user:bo", "user:ana"], "user:bo": attrs.evolve(PEOPLE["bo"], absent_until=None)}
    sent, _ = told(paging("group:ops", channel="console"), directory=lambda name, at: known.get(name))
    assert [(m.to, m.channel, m.facts.get("lang")) for m in sent] == [
        ("bo", "email", "zh"),
        ("ana", "console", None),
    ]
    work = EscalationStep("move", trigger=Trigger.unacknowledged("5m wall"), assignee="group:ops")
    _, desk = told(EscalationPolicy("paging", 1, steps=[work]), directory=lambda name, at: known.get(name))
    assert desk.get("INC-1").assignee == "bo"


@pytest.mark.parametrize(("name", "who"), NAMES)
def test_a_name_is_asked_of_the_directory(name, who):
    """Groups, roles and managers of it; schedules of the resolver; absent people are left out."""
    week = Rotation("weekly", "2024-01-01 00:00", zone="UTC", participants=["ana", "mona"])
    over = Rotation(
        "daily", "2023-01-01 00:00", zone="UTC", participants="bo", valid_until="2024-01-01 00:00"
    )
    sent, desk = told(paging(name), resolver=OnCall({"network": week, "none": over}))
    assert [message.to for message in sent] == who
    passed = [e.fields["why"] for e in desk.history("INC-1") if e.kind == "not_escalated"]
    assert passed == ([] if who else ["empty"])


def test_a_person_who_is_back_is_told():
    """Absence ends at its instant."""
    sent, _ = told(paging("group:network"), at=T0 + DAY - 5 * MINUTE)
    assert [message.to for message in sent] == ["bo", "ana"]


def test_a_person_is_told_in_their_language():
    """Bo reads Chinese, ana English, in one and the same step."""
    sent, _ = told(paging("user:ana", "user:bo"))
    by_person = {message.to: message.subject for message in sent}
    assert "无人确认" in by_person["bo"]
    assert "not acknowledged" in by_person["ana"]


def test_templates_learn_language_and_zone_of_the_person():
    """Shipped texts frame the words in Bo's language, on the clocks of Bo's zone; Ana has no zone."""
    people = {"user:bo": Person("bo", lang="zh", zone="Asia/Shanghai"), "user:ana": PEOPLE["ana"]}
    sent, _ = told(paging("user:ana", "user:bo"), directory=lambda name, _: people.get(name))
    facts = {message.to: message.facts for message in sent}
    assert (facts["ana"]["lang"], "zone" in facts["ana"]) == ("en", False)
    assert (facts["bo"]["lang"], facts["bo"]["zone"]) == ("zh", "Asia/Shanghai")
    framed = {message.to: Templates()(message).text for message in sent}
    assert "paging@1" in framed["ana"]
    assert "升级" in framed["bo"]


def test_a_person_is_told_by_the_channels_they_have():
    """That of the step first if they have it, then theirs in order; else the first of theirs."""
    sent, desk = told(paging("user:ana", "user:mona", "user:zoe"))
    assert [(message.to, message.channel, message.failover) for message in sent] == [
        ("ana", "email", (("ana", "sms"),)),
        ("mona", "voice", ()),
        ("zoe", "email", ()),
    ]
    # The key names the channel of the step: whatever a person prefers, it is one effect.
    keys = [event.fields["key"] for event in desk.history("INC-1") if event.kind == "escalated"]
    assert [key.rpartition("/")[2] for key in keys] == ["email"] * 3


def test_in_quiet_hours_only_what_is_urgent_arrives_at_once():
    """Ana sleeps from 22:00 to 7:00 in Berlin: the rest waits until six UTC."""
    late = T0 + 13 * HOUR
    sent, desk = told(paging("user:ana"), at=late)
    assert sent == []
    desk.tick(dt.datetime(2024, 1, 9, 6, tzinfo=dt.UTC) - dt.timedelta(microseconds=1))
    tick = desk.tick(dt.datetime(2024, 1, 9, 6, tzinfo=dt.UTC))
    assert tick.delivered == 1
    urgent, _ = told(paging("user:ana", urgency="high"), at=late)
    assert [message.to for message in urgent] == ["ana"]


def test_a_callback_is_no_person():
    """The directory is not asked about it."""
    asked = []

    def spying(name, at):
        asked.append(name)
        return look(name, at)

    sirens = []
    sent, _ = told(paging("callback:siren"), directory=spying, notifies={"callback:siren": sirens.append})
    assert [(message.to, message.channel) for message in sirens] == [("callback:siren", "callback:siren")]
    assert sent == []
    assert asked == []


def test_the_last_resort_is_told_as_they_want_it():
    """She is looked up as everybody else."""
    page = EscalationStep("page", trigger=Trigger.unacknowledged("5m wall"), to="role:none", channel="sms")
    sent, _ = told(EscalationPolicy("paging", 1, steps=[page], last_resort="mona"))
    assert [(message.to, message.channel) for message in sent] == [("mona", "voice")]


def test_each_person_is_asked_for_once():
    """However many names mean them."""
    asked = []

    def spying(name, at):
        asked.append(name)
        return look(name, at)

    told(paging("role:boss", "manager_of:assignee", "user:mona"), directory=spying)
    assert asked.count("user:mona") == 1


@pytest.mark.parametrize(
    ("answer", "who"),
    [(PEOPLE["mona"], ["mona"]), ("mona", ["mona"]), (None, []), (["ana", "mona"], ["ana", "mona"])],
)
def test_what_a_directory_may_answer_to_a_name(answer, who):
    """A person, an id, several, or nobody."""
    sent, _ = told(paging("duty"), directory=lambda name, at: answer if name == "duty" else None)
    assert [message.to for message in sent] == who


def test_a_resolver_may_name_one_person_by_a_text():
    """As without a directory."""
    sent, _ = told(paging("on_call:x"), resolver=lambda *_: "mona")
    assert [message.to for message in sent] == ["mona"]


def test_a_directory_that_is_down_holds_up_the_record_and_loses_nothing():
    """It is stuck for a minute, and told when the directory is back."""
    down = [True]

    def flaky(name, at):
        if down[0]:
            raise ConnectionError("no directory")
        return look(name, at)

    sent, desk = told(paging("role:boss"), directory=flaky)
    assert (sent, desk.next_due()) == ([], T0 + 6 * MINUTE)
    ((record, why),) = desk.tick(T0 + 6 * MINUTE).stuck
    assert (record, str(why)) == ("INC-1", "no directory")
    down[0] = False
    desk.tick(T0 + 7 * MINUTE)
    assert [message.to for message in sent] == ["mona"]


def test_it_is_asked_when_the_step_is_due_and_not_before():
    """Who is on the team then counts: opening and talking asks nobody."""
    asked = []

    def spying(name, at):
        asked.append(at)
        return look(name, at)

    desk = ServiceDesk(stores.open("memory://"), policy=paging("role:boss"), directory=spying)
    desk.open("Disk full", actor=PROBE, at=T0, record_id="INC-1")
    desk.note("INC-1", "x", actor=ANA, at=T0 + MINUTE)
    assert asked == []
    desk.tick(T0 + 5 * MINUTE)
    assert set(asked) == {T0 + 5 * MINUTE}
    desk.escalate_now("INC-1", step="page", actor=ANA, at=T0 + 8 * MINUTE)
    assert asked[-1] == T0 + 8 * MINUTE


@pytest.mark.parametrize("kind", ["awaited", "plain"])
def test_the_async_desk_awaits_it(kind):
    """A plain one runs in a thread."""

    async def awaited(name, at):
        await asyncio.sleep(0)
        return look(name, at)

    async def story():
        sent = []
        desk = AsyncServiceDesk(
            await stores.open_async("memory://"), policy=paging("group:network"),
            directory=awaited if kind == "awaited" else look, notifiers=sent.append,
        )  # fmt: skip
        await desk.open("Disk full", actor=PROBE, at=T0, record_id="INC-1")
        await desk.tick(T0 + 5 * MINUTE)
        return [message.to for message in sent]

    assert asyncio.run(story()) == ["ana"]


@pytest.mark.parametrize("plugged", ["directory", "notifier"])
def test_a_plain_one_that_raises_stop_iteration_is_one_that_is_down(plugged):
    """`next(...)` of nothing in a thread, for which a future of Python 3.11 would wait for ever."""

    def nothing(*_):
        return next(iter(()))

    async def story():
        desk = AsyncServiceDesk(
            await stores.open_async("memory://"),
            policy=paging("user:ana" if plugged == "notifier" else "group:network"),
            directory=nothing if plugged == "directory" else look,
            notifiers=nothing if plugged == "notifier" else lambda message: None,
        )
        await desk.open("Disk full", actor=PROBE, at=T0, record_id="INC-1")
        return await asyncio.wait_for(desk.tick(T0 + 5 * MINUTE), 10)

    tick = asyncio.run(story())
    assert (tick.retried, [record for record, _ in tick.stuck]) == (
        (1, []) if plugged == "notifier" else (0, ["INC-1"])
    )


class Awaited:
    """What is called like an async function."""

    async def __call__(self, *_):
        return ("ana",)


def test_what_has_to_be_awaited_is_refused_where_nobody_awaits():
    """By a desk that does not await; of a resolver by any. Not when the first step is due."""
    with pytest.raises(InvalidValue, match=r"directory .*has to be awaited; .*take AsyncServiceDesk"):
        ServiceDesk(stores.open("memory://"), directory=Awaited())
    with pytest.raises(
        InvalidValue, match=r"notifiers .*has to be awaited \(channel 'sms'\); .*AsyncServiceDesk"
    ):
        ServiceDesk(stores.open("memory://"), notifiers={"sms": Awaited()})
    with pytest.raises(InvalidValue, match=r"resolver .*has to be awaited; give a plain function"):
        ServiceDesk(stores.open("memory://"), resolver=Awaited().__call__)


def test_what_is_no_directory_is_refused_at_once():
    """With what to give."""
    with pytest.raises(InvalidValue, match="function of a name and an instant"):
        ServiceDesk(stores.open("memory://"), directory=PEOPLE)
