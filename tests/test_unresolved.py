"""A directory or a resolver that is down: commands go through, who is known is told, and the rest is told late."""

import asyncio
import datetime as dt
import traceback

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itsm_core import (
    Actor,
    AsyncServiceDesk,
    EscalationPolicy,
    EscalationStep,
    InvalidValue,
    ServiceDesk,
    stores,
)
from itsm_core.escalation import Trigger
from itsm_core.oncall import OnCall, Person, Rotation

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
PROBE, ANA = Actor.monitoring("probe"), Actor.person("ana", "agent")
GROUPS = {"role:lead": ("lea",), "role:boss": ("mona",), "role:none": (), "group:net": ("ana", "bo")}
MANAGERS = {}
AFTER = Trigger.unacknowledged("5m wall")
WEEK = OnCall({"network": Rotation("weekly", "2024-01-01 00:00", zone="UTC", participants=["ana"])})


class Directory:
    """Groups and people in memory; whatever is `down`, or everything, raises."""

    def __init__(self, *down):
        self.down, self.asked = set(down), []

    def __call__(self, name, at):
        self.asked.append((name, at))
        if "all" in self.down or name in self.down:
            raise ConnectionError(f"no answer to {name}")
        if not name.startswith("user:"):
            return GROUPS.get(name)
        return Person(name[5:], channels=("sms",), manager=MANAGERS.get(name[5:]))


def paging(*names, name="paging", **more):
    """A policy that tells these after five minutes, by mail, and what else is said of it."""
    after = more.pop("after", ())
    about = {key: more.pop(key) for key in ("last_resort", "priorities", "on_priority_change") if key in more}
    page = EscalationStep("page", trigger=AFTER, to=names, channel="email", **more)
    return EscalationPolicy(name, 1, steps=[page, *after], **about)


class Told:
    """A desk on a store, with whom it told: (minute, who, channel)."""

    def __init__(self, store, policy, directory=None, **more):
        self.sent, self.directory = [], directory
        self.desk = ServiceDesk(store, policy=policy, directory=directory, notifiers=self.sent.append, **more)
        self.desk.open("Disk full", actor=PROBE, at=T0, record_id="INC-1", fields={"priority": "P3"})

    def tick(self, minute):
        """What a tick says at a minute."""
        return self.desk.tick(T0 + minute * MINUTE)

    def until(self, minute):
        """Ticks every minute, from the start up to one."""
        for passed in range(minute + 1):
            self.tick(passed)
        return self.told

    @property
    def told(self):
        return [((one.created_at - T0) // MINUTE, one.to, one.channel) for one in self.sent]

    def passed(self):
        """Of whom nobody was told, and why."""
        fields = (event.fields for event in self.desk.history("INC-1") if event.kind == "not_escalated")
        return [(said.get("to"), said["why"]) for said in fields]


@pytest.mark.parametrize(
    "answer",
    [[Person("eva")], {"eva": "sms"}, [1], 5, True, [["eva"]]],
    ids=["people", "mapping", "numbers", "number", "flag", "lists"],
)
@pytest.mark.parametrize("by", ["directory", "resolver"])
def test_an_answer_that_holds_no_ids_is_told_with_its_name_and_holds_up_nobody_else(store, by, answer):
    """Ana is told on time; what is wrong, and what to give, stands in the tick."""
    given = {"directory": lambda name, _: answer if name == "group:net" else None,
             "resolver": lambda *_: answer}  # fmt: skip
    told = Told(store, paging("user:ana", "group:net"), **{by: given[by]})
    ((record, wrong),) = told.tick(5).stuck
    assert told.told == [(5, "ana", "email")]
    assert told.passed() == [("group:net", "unresolved")]
    remedy = 'give their ids, first to be told first: ("ana", "ben")'
    said = f"answer '{type(answer).__name__}': to 'group:net' holds no ids of people; {remedy}"
    assert (record, str(wrong)) == ("INC-1", said)


class Awaited:
    """An object that is called and awaited."""

    async def __call__(self, *_):
        """Nothing."""


async def awaited(*_):
    """Nothing, later."""


@pytest.mark.parametrize("wrong", [awaited, Awaited()], ids=["function", "object"])
@pytest.mark.parametrize(
    ("what", "wrapped"), [("directory", False), ("notifiers", False), ("notifiers", True)]
)
def test_what_has_to_be_awaited_is_refused_by_a_desk_that_awaits_nothing(store, what, wrapped, wrong):
    """It would be called and never run, and nobody would be told."""
    given = {"email": wrong} if wrapped else wrong
    with pytest.raises(
        InvalidValue,
        match=rf"^{what} .*has to be awaited( \(channel '.*'\))?; take AsyncServiceDesk, or give a plain",
    ):
        ServiceDesk(store, **{what: given})


def test_a_resolver_that_has_to_be_awaited_is_refused(store):
    """It looks at what is in memory; what waits is a directory."""
    with pytest.raises(
        InvalidValue, match=r"^resolver .*has to be awaited; .*directory= of an AsyncServiceDesk"
    ):
        ServiceDesk(store, resolver=awaited)


def test_a_command_is_carried_out_while_the_directory_is_down(store):
    """The switch to another policy commits; whom its step means is asked a minute later, and told late."""
    urgent = paging("role:boss", name="urgent", priorities=["P1"])
    calm = paging("role:lead", name="calm", priorities=["P3"], on_priority_change="switch")
    told = Told(store, [calm, urgent], Directory("all"))
    told.desk.reprioritise("INC-1", fields={"priority": "P1", "priority_reason": "all are down"},
                           actor=ANA, at=T0 + 20 * MINUTE)  # fmt: skip
    record = told.desk.get("INC-1")
    assert (str(record.priority), record.escalation.policy) == ("P1", "urgent")
    assert told.passed()[-1] == ("role:boss", "unresolved")
    assert told.desk.next_due() <= T0 + 21 * MINUTE
    told.directory.down.clear()
    tick = told.tick(21)
    assert (told.told, tick.stuck) == ([(21, "mona", "sms")], ())
    fired = [event.fields for event in told.desk.history("INC-1") if event.kind == "escalated"]
    assert [(said["to"], said["lateness_us"] > 0) for said in fired] == [("mona", True)]


def test_a_step_that_somebody_asks_for_is_on_record_while_the_directory_is_down(store):
    """The request stands, and the same command again is the same answer; the step is told late."""
    told = Told(store, paging("role:boss"), Directory("all"))
    asked = {"step": "page", "actor": ANA, "at": T0 + MINUTE, "command_id": "now"}
    first = told.desk.escalate_now("INC-1", **asked)
    assert told.desk.escalate_now("INC-1", **asked) == first
    told.directory.down.clear()
    assert told.until(4) == [(2, "mona", "sms")]


def test_who_needs_no_directory_is_told_on_time(store):
    """In the same step as a role that nobody can name, on time and by the step's own channel."""
    told = Told(store, paging("role:boss", "user:ana"), Directory("all"))
    assert told.until(5) == [(5, "ana", "email")]
    told.directory.down.clear()
    assert told.until(60) == [(5, "ana", "email"), (6, "mona", "sms")]
    assert told.passed() == [("role:boss", "unresolved")]


def test_a_chain_goes_on_by_its_own_timetable(store):
    """The second step does not wait until somebody can name the people of the first."""
    bo = EscalationStep("bo", after="10m wall", to="user:bo", channel="email")
    told = Told(store, paging("role:boss", after=[bo]), Directory("all"))
    assert told.until(30) == [(15, "bo", "email")]
    told.directory.down.clear()
    told.tick(31)
    assert told.told == [(15, "bo", "email"), (31, "mona", "sms")]


@pytest.mark.parametrize(
    ("more", "who"),
    [({"last_resort": "duty"}, "duty"), ({"when_empty": "fallback", "fallback": "user:duty"}, "duty")],
)
def test_where_nobody_can_be_named_the_fallback_or_the_last_resort_is_told_at_once(store, more, who):
    """And whom the step means, once it is known."""
    told = Told(store, paging("role:boss", **more), Directory("all"))
    assert told.until(5) == [(5, who, "email")]
    told.directory.down.clear()
    assert told.until(60)[1:] == [(6, "mona", "sms")]


def test_a_chain_that_ends_with_nobody_told_ends_with_the_last_resort(store):
    """Also where its last step tells nobody by itself."""
    move = EscalationStep("move", after="10m wall", group="night")
    told = Told(store, paging("role:boss", after=[move], last_resort="duty"), Directory("all"))
    assert [(minute, who) for minute, who, _ in told.until(30)] == [(15, "duty")]


def test_a_failure_is_told_by_each_tick_until_it_is_over(store):
    """`Tick.stuck` names the record and the error; nothing else is written meanwhile."""
    told = Told(store, paging("role:boss"), Directory("role:boss"))
    ticks = [told.tick(minute) for minute in range(4, 9)]
    said = [[(record, str(error)) for record, error in tick.stuck] for tick in ticks]
    assert said == [[], *[[("INC-1", "no answer to role:boss")]] * 4]
    assert [tick.escalated for tick in ticks] == [0] * 5  # nobody was told yet
    version = told.desk.get("INC-1").version
    told.tick(9)
    assert told.desk.get("INC-1").version == version
    told.directory.down.clear()
    assert (told.tick(10).escalated, told.tick(11).escalated, told.told) == (1, 0, [(10, "mona", "sms")])
    assert told.desk.next_due() is None


def test_a_person_of_whom_nothing_can_be_found_out_is_told(store):
    """By the channel of the step; and the tick says that something failed."""
    told = Told(store, paging("role:boss"), Directory("user:mona"))
    tick = told.tick(5)
    assert (told.told, [record for record, _ in tick.stuck]) == ([(5, "mona", "email")], ["INC-1"])


def test_each_name_is_made_good_on_its_own_and_nobody_is_told_twice(store):
    """One role comes back before the other; ana, who was told by name, is not told again as of the group."""
    told = Told(store, paging("role:boss", "group:net", "user:ana"), Directory("role:boss", "group:net"))
    told.tick(5)
    told.directory.down.discard("group:net")
    assert [str(error) for _, error in told.tick(6).stuck] == ["no answer to role:boss"]
    told.tick(7)
    told.directory.down.clear()
    told.until(30)
    assert told.told == [(5, "ana", "sms"), (6, "bo", "sms"), (8, "mona", "sms")]


@pytest.mark.parametrize(
    ("deed", "kind"),
    [("acknowledge", "acknowledged"), ("restart", "policy_migrated"), ("close", "transitioned")],
)
def test_what_is_owed_is_void_once_the_generation_is_over(store, deed, kind):
    """Somebody is on it, a policy takes over from the start, or it is done: nobody is told any more."""
    told = Told(store, paging("role:boss"), Directory("all"))
    told.tick(5)
    about = {"actor": ANA, "at": T0 + 330 * dt.timedelta(seconds=1)}
    if deed == "acknowledge":
        told.desk.acknowledge("INC-1", **about)
    elif deed == "restart":
        told.desk.migrate_policy(
            "INC-1",
            version=1,
            reason="anew",
            mode="restart",
            **{**about, "actor": Actor.person("m", "manager")},
        )
    else:
        told.desk.fire("INC-1", "cancel", fields={"reason": "a test"}, **about)
    assert told.desk.history("INC-1")[-1].kind == kind
    told.directory.down.clear()
    told.tick(6)
    assert told.told == []


DONE = {
    "resolution_outcome": "workaround", "resolution_method": "remote", "resolution_notes": "restarted",
    "message": "It is up again.",
}  # fmt: skip


def test_nobody_is_told_late_of_a_record_that_was_resolved_since(store):
    """Nobody is asked any more either, so nothing is stuck; a step asked for afterwards is told."""
    told = Told(store, paging("role:boss"), Directory("all"))
    told.tick(5)
    told.desk.fire("INC-1", "resolve", actor=ANA, at=T0 + 6 * MINUTE, fields=DONE)
    assert told.tick(7).stuck == ()
    assert told.passed() == [("role:boss", "unresolved"), ("role:boss", "superseded")]
    told.desk.escalate_now("INC-1", step="page", actor=ANA, at=T0 + 8 * MINUTE)
    told.directory.down.clear()
    told.tick(9)
    assert [one for one in told.told if one[1] == "mona"] == [(9, "mona", "sms")]


def handing(name):
    """A policy that gives the work to somebody after five minutes."""
    return EscalationPolicy("paging", 1, steps=[EscalationStep("give", trigger=AFTER, assignee=name)])


def test_work_is_given_late_also_if_somebody_had_it_all_the_time(store):
    """That is whom the step takes it from; on time or late is the same."""
    told = Told(store, handing("role:boss"), Directory("all"))
    told.desk.assign("INC-1", assignee="ana", actor=ANA, at=T0 + MINUTE)
    told.tick(5)
    told.directory.down.clear()
    told.tick(6)
    assert told.desk.get("INC-1").assignee == "mona"


def test_work_that_went_to_somebody_since_stays_there_and_nobody_is_asked(store):
    """Nothing is stuck either, though the directory is down still."""
    told = Told(store, handing("role:boss"), Directory("all"))
    told.tick(5)
    told.desk.assign("INC-1", assignee="ana", actor=ANA, at=T0 + 5 * MINUTE)
    assert told.tick(6).stuck == ()
    assert (told.desk.get("INC-1").assignee, told.passed()[1:]) == ("ana", [("role:boss", "superseded")])


def test_of_two_names_that_come_back_at_once_the_first_gets_the_work(store):
    """Not one after the other: the fallback is for where the first is nobody."""
    step = EscalationStep(
        "give", trigger=AFTER, assignee="role:boss", when_empty="fallback", fallback="role:lead"
    )
    told = Told(store, EscalationPolicy("paging", 1, steps=[step]), Directory("all"))
    told.tick(5)
    told.directory.down.clear()
    told.tick(6)
    assert told.desk.get("INC-1").assignee == "mona"
    assert told.passed()[2:] == [("role:lead", "superseded")]


def test_a_version_that_takes_over_owes_only_whom_its_steps_name(store):
    """Who was told by the old one is not told again, and a name that is gone is not asked for any more."""
    old = paging("group:net", "role:gone", "user:ana")
    told = Told(store, old, Directory("all"))
    told.tick(5)
    new = EscalationPolicy("paging", 2, steps=[attrs.evolve(old.steps[0], to=("group:net", "user:ana"))])
    told.desk = ServiceDesk(store, policy=[old, new], directory=told.directory, notifiers=told.sent.append)
    told.desk.migrate_policy("INC-1", version=2, reason="nobody has that role",
                             actor=Actor.person("m", "manager"), at=T0 + 5 * MINUTE)  # fmt: skip
    told.directory.down = {"role:gone"}
    assert told.tick(6).stuck == ()
    assert told.told == [(5, "ana", "email"), (6, "bo", "sms")]
    assert told.desk.next_due() is None


def test_a_manager_is_owed_where_the_directory_failed_over_the_person_before(store):
    """It answered for the group and not for ana, who is told; whose manager that is nobody knows yet."""
    told = Told(store, paging("group:net", "manager_of:assignee"), Directory("user:ana"))
    told.desk.assign("INC-1", assignee="ana", actor=ANA, at=T0)
    told.tick(5)
    assert told.passed() == [("manager_of:assignee", "unresolved")]
    told.directory.down.clear()
    MANAGERS["ana"] = "mona"
    try:
        told.tick(6)
    finally:
        MANAGERS.clear()
    assert told.told == [(5, "ana", "email"), (5, "bo", "sms"), (6, "mona", "sms")]


def test_who_turns_out_to_be_nobody_is_said_once(store):
    """Empty, late; and then nothing waits any more."""
    told = Told(store, paging("role:none"), Directory("role:none"))
    told.until(6)
    told.directory.down.clear()
    told.until(20)
    assert told.passed() == [("role:none", "unresolved"), ("role:none", "empty")]
    assert told.desk.next_due() is None


def test_what_turned_out_to_be_nobody_does_not_hold_up_the_rest(store):
    """One name is nobody, the other comes back later."""
    told = Told(store, paging("role:none", "role:boss"), Directory("all"))
    told.until(5)
    told.directory.down = {"role:boss"}
    for minute in range(6, 10):
        assert [str(error) for _, error in told.tick(minute).stuck] == ["no answer to role:boss"]
    told.directory.down.clear()
    assert told.until(30) == [(10, "mona", "sms")]
    assert told.passed().count(("role:none", "empty")) == 1


TAKE = EscalationPolicy("work", 1, steps=[EscalationStep("take", trigger=AFTER, assignee="role:boss")])


def test_work_is_given_late_to_who_could_not_be_named(store):
    """The last resort is told at once; nobody but the first of them gets it, once."""
    told = Told(store, attrs.evolve(TAKE, last_resort="duty"), Directory("all"))
    assert [(minute, who) for minute, who, _ in told.until(5)] == [(5, "duty")]
    assert told.desk.get("INC-1").assignee is None
    told.directory.down.clear()
    told.until(20)
    given = [event for event in told.desk.history("INC-1") if event.kind == "assigned"]
    assert [(event.fields["assignee"], event.occurred_at) for event in given] == [("mona", T0 + 6 * MINUTE)]
    assert told.desk.next_due() is None


def test_work_that_somebody_has_by_then_is_not_taken_from_them(store):
    """Whoever took it meanwhile keeps it, and history says why the step did not fire."""
    told = Told(store, TAKE, Directory("all"))
    told.tick(5)
    told.desk.assign("INC-1", assignee="bo", actor=ANA, at=T0 + 330 * dt.timedelta(seconds=1))
    told.directory.down.clear()
    told.until(20)
    assert told.desk.get("INC-1").assignee == "bo"
    assert told.passed() == [("role:boss", "unresolved"), ("role:boss", "superseded")]


@pytest.mark.parametrize(
    ("back", "who", "passed"), [(13, [(14, "mona")], []), (14, [], [("role:boss", "expired")])]
)
def test_what_is_owed_expires_with_its_step(store, back, who, passed):
    """A word that should not come late at all does not come by this way either."""
    policy = paging("role:boss", catch_up="expire", expires_after="10m")
    told = Told(store, policy, Directory("all"))
    told.until(back)
    told.directory.down.clear()
    assert [(minute, who) for minute, who, _ in told.until(20)] == who
    assert told.passed() == [("role:boss", "unresolved"), *passed]


def test_a_clock_that_was_set_back_makes_nothing_good(store):
    """It is waited for until it has caught up with what was done, as all steps wait."""
    bo = EscalationStep("bo", after="10m wall", to="user:bo")
    told = Told(store, paging("role:boss", after=[bo]), Directory("all"))
    told.tick(5)
    told.directory.down.clear()
    told.desk.escalate_now("INC-1", step="bo", actor=ANA, at=T0 + 20 * MINUTE)
    told.tick(10)
    assert [event.fields["to"] for event in told.desk.history("INC-1") if event.kind == "escalated"] == ["bo"]
    told.tick(20)
    assert sorted(told.told) == [(20, "bo", "sms"), (20, "mona", "sms")]


def test_only_the_names_of_the_steps_due_now_are_asked_for(store):
    """Not the next step's, not the fallback's, not the last resort; each at the instant of its step."""
    later = EscalationStep("later", after="10m wall", to="role:lead")
    policy = paging(
        "role:boss", when_empty="fallback", fallback="group:net", last_resort="duty", after=[later]
    )
    told = Told(store, policy, Directory())
    told.until(6)
    assert told.directory.asked == [("role:boss", T0 + 5 * MINUTE), ("user:mona", T0 + 5 * MINUTE)]
    told.until(16)
    assert told.directory.asked[2:] == [("role:lead", T0 + 15 * MINUTE), ("user:lea", T0 + 15 * MINUTE)]


def test_a_step_of_another_record_is_not_held_up(store):
    """One record cannot be told about, the other can."""
    told = Told(store, paging("manager_of:assignee"), Directory("user:zoe"))
    for record, assignee in (("INC-2", "zoe"), ("INC-3", "bo")):
        told.desk.open("x", actor=PROBE, at=T0, record_id=record, fields={"assignee": assignee})
    assert [record for record, _ in told.tick(5).stuck] == ["INC-2"]


def test_a_tick_asks_a_directory_that_is_down_once_for_each_name(store):
    """It may take its time to say so, and everybody's messages wait; the next tick asks again."""
    told = Told(store, paging("role:boss", "user:ana"), Directory("all"))
    for number in range(2, 6):
        told.desk.open("x", actor=PROBE, at=T0, record_id=f"INC-{number}")
    for minute in (5, 6):
        assert sorted(record for record, _ in told.tick(minute).stuck) == [f"INC-{n}" for n in range(1, 6)]
    asked = [(name, (at - T0) // MINUTE) for name, at in told.directory.asked]
    assert asked == [("role:boss", 5), ("user:ana", 5), ("role:boss", 6)]
    assert told.told == [(5, "ana", "email")] * 5
    told.directory.down.clear()
    assert told.tick(7).escalated == 5
    assert told.told[5:] == [(7, "mona", "sms")] * 5


def test_the_error_of_a_directory_does_not_grow_with_the_records_that_met_it(store):
    """It is one for all of them, and a host that logs each with its traceback writes no book."""
    told = Told(store, paging("role:boss"), Directory("all"))
    for number in range(2, 30):
        told.desk.open("x", actor=PROBE, at=T0, record_id=f"INC-{number}")
    (_, error), *others = told.tick(5).stuck
    assert len(others) == 28
    assert len(traceback.extract_tb(error.__traceback__)) < 12


def test_a_resolver_that_raises_is_no_worse_than_a_directory(store):
    """Without a directory, and beside one for who is on call."""
    down = [True]

    def resolver(name, record, at):
        if down[0]:
            raise LookupError("no schedule")
        return WEEK(name, record, at)

    for directory in (None, Directory()):
        down[0] = True
        told = Told(
            stores.open("memory://"), paging("on_call:network", "user:bo"), directory, resolver=resolver
        )
        assert [str(error) for _, error in told.tick(5).stuck] == ["no schedule"]
        assert [who for _, who, _ in told.told] == ["bo"]
        down[0] = False
        told.tick(6)
        assert [who for _, who, _ in told.told] == ["bo", "ana"]


NAMES = ("role:boss", "role:none", "group:net", "user:ana", "user:zoe", "on_call:network", "manager_of:owner")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True), min_size=1, max_size=3),
    st.lists(st.sets(st.sampled_from(["role:boss", "group:net", "user:bo", "user:mona"])), max_size=40),
)
def test_an_outage_loses_nobody_delays_nobody_who_is_known_and_tells_nobody_twice(steps, outages):
    """Whatever is down from minute to minute: in the end the same are told by the same steps, once."""
    chain = [
        EscalationStep(f"s{place}", to=names, channel="email", when_empty="wait",
                       **({"after": "10m wall"} if place else {"trigger": AFTER}))
        for place, names in enumerate(steps)
    ]  # fmt: skip
    policy, seen = EscalationPolicy("paging", 1, steps=chain, last_resort="duty"), []
    for downs in ([], outages):
        told = Told(stores.open("memory://"), policy, Directory(), resolver=WEEK)
        for minute in range(60):
            told.directory.down = downs[minute] if minute < len(downs) else set()
            told.tick(minute)
        fired = [event.fields for event in told.desk.history("INC-1") if event.kind == "escalated"]
        seen.append({(one["step"], one["to"]): one["lateness_us"] for one in fired})
        assert len(fired) == len(seen[-1]) == len({one.key for one in told.sent}) == len(told.sent)
        assert told.desk.next_due() is None
    healthy, tried = seen
    assert healthy.keys() <= tried.keys()
    assert {who for _, who in tried.keys() - healthy.keys()} <= {"duty"}
    by_name = {
        (f"s{place}", name[5:]) for place, names in enumerate(steps) for name in names if name[:5] == "user:"
    }
    assert all(tried[one] == 0 for one in by_name)


@pytest.mark.parametrize("answer", [7, [7], object(), "\ud800", Person("\ud800")])
def test_a_directory_that_answers_nonsense_is_one_that_is_down(store, answer):
    """The record is stuck with the error; who is named is told."""
    told = Told(store, paging("role:boss", "user:ana"), lambda name, at: answer)
    assert [record for record, _ in told.tick(5).stuck] == ["INC-1"]
    assert [who for _, who, _ in told.told] == ["ana"]


@pytest.mark.parametrize("answer", [7, [7], b"ab", [Person("bo")], (None, 7), "\ud800"])
def test_a_resolver_that_answers_nonsense_is_one_that_is_down(store, answer):
    """So is it without a directory: who is named is told."""
    told = Told(store, paging("role:boss", "user:ana"), resolver=lambda *_: answer)
    assert [record for record, _ in told.tick(5).stuck] == ["INC-1"]
    assert [who for _, who, _ in told.told] == ["ana"]


def test_the_async_desk_does_the_same():
    """An awaited directory that raises."""

    async def story():
        sent, directory = [], Directory("all")

        async def look(name, at):
            return directory(name, at)

        desk = AsyncServiceDesk(
            await stores.open_async("memory://"), policy=paging("role:boss", "user:ana"),
            directory=look, notifiers=sent.append,
        )  # fmt: skip
        await desk.open("Disk full", actor=PROBE, at=T0, record_id="INC-1")
        await desk.escalate_now("INC-1", actor=ANA, at=T0 + MINUTE)
        first = await desk.tick(T0 + MINUTE)
        directory.down.clear()
        await desk.tick(T0 + 2 * MINUTE)
        return first.delivered, [message.to for message in sent]

    assert asyncio.run(story()) == (1, ["ana", "mona"])
