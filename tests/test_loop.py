"""The only loop: when it ticks, how long it waits, what it says of clocks and stores, and how it stops."""

import asyncio
import datetime as dt
import itertools
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from itsm_core import Actor, AsyncServiceDesk, InvalidValue, ServiceDesk, stores
from itsm_core.asking import Tick
from itsm_core.business_time.durations import hours, minutes, seconds
from itsm_core.errors import StoreBusy
from itsm_core.loop import AsyncWaiting, DeadMan, Pace, Turn, Waiting, run_forever, run_forever_async
from itsm_core.notifiers import WebhookNotifier
from itsm_core.ports import Message, Retry
from itsm_core.testing.contract.samples import changes

T0 = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
MS, SECOND, MINUTE = (dt.timedelta(milliseconds=1), dt.timedelta(seconds=1), dt.timedelta(minutes=1))
ANA = Actor.person("ana", "agent")


def message(key="k", **more):
    """A message about R1."""
    given = {"to": "ana", "channel": "page", "created_at": T0, **more}
    return Message(key=key, record="R1", subject="s", body="b", **given)


def desk_with(notifier, *messages, store=None, **more):
    """A desk in memory that holds the record R1 and these messages about it."""
    store = store or stores.open("memory://")
    store.commit(changes(messages=messages))
    return ServiceDesk(store, notifiers=notifier, **more)


class Time:
    """A clock that goes on only while somebody waits; the loop ends after `until` seconds, or some waits."""

    def __init__(self, until, waits=10_000):
        self.now, self.waits, self._until, self._most = T0, [], T0 + until * SECOND, waits

    def clock(self):
        """What time it is."""
        return self.now

    def wait(self, seconds):
        """Time passes at once."""
        self.waits.append(seconds)
        self.now += seconds * SECOND
        return self.now >= self._until or len(self.waits) >= self._most

    async def wait_async(self, seconds):
        """As `wait`, awaited."""
        return self.wait(seconds)


def run(desk, time, **more):
    """What the loop reported until the end of this time."""
    told = []
    run_forever(desk, clock=time.clock, wait=time.wait, report=told.append, **more)
    return told


# --- when it ticks ----------------------------------------------------------------------------


def test_a_server_that_answers_503_twice_gets_exactly_the_scheduled_retries():
    """Issue 7, "Done when" 3: at 0, 5 and 20 seconds, then never again; by the loop, in its own time."""
    tries, passing = [], Time(3600)

    def server(given):
        tries.append(((passing.now - T0).total_seconds(), given.attempt))
        return Retry(reason="503") if len(tries) <= 2 else None

    told = run(desk_with(server, message()), passing)
    assert tries == [(0.0, 0), (5.0, 1), (20.0, 2)]
    assert [one.tick.delivered for one in told if one.tick != Tick(retried=1)].count(1) == 1


class Unready(BaseHTTPRequestHandler):
    """Answers 503 twice, then 204; keeps the id and the time of each try."""

    def do_POST(self):
        """One try."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.tries.append((self.headers["webhook-id"], int(self.headers["webhook-timestamp"])))
        self.send_response(503 if len(self.server.tries) <= 2 else 204)
        self.end_headers()

    def log_message(self, *_):
        """Says nothing."""


def test_a_webhook_that_answers_503_twice_is_tried_as_the_standard_says():
    """A real server on loopback, the loop in its own time: at once, after 5 s, after 5 m more, and no more.

    Each wait is longer by up to a tenth, as its jitter says, and the id stays the same.
    """
    passing = Time(4 * 3600)
    with HTTPServer(("127.0.0.1", 0), Unready) as server:
        server.tries = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url, secret = f"http://127.0.0.1:{server.server_port}/", "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        notifier = WebhookNotifier(url, [secret], clock=passing.clock, allow_private=True)
        desk = desk_with({"webhook": notifier}, message(channel="webhook"))
        run(desk, passing, at_most=hours(1))
        server.shutdown()
    ids, at = zip(*server.tries, strict=True)
    first, second = at[1] - at[0], at[2] - at[1]
    assert (set(ids), at[0]) == ({"k"}, int(T0.timestamp()))
    assert 5 <= first <= 6
    assert 300 <= second <= 331
    assert desk.next_due() is None


def test_the_loop_sleeps_until_the_next_thing_falls_due():
    """And no longer than `at_most`, so that it notices what others commit."""
    passing = Time(100)
    desk = desk_with(lambda _: None, message(not_before=T0 + 2500 * MS), message("m", not_before=T0 + MINUTE))
    told = run(desk, passing, at_most=minutes(1))
    assert passing.waits == [2.5, 57.5, 60.0]
    assert [one.next_due for one in told] == [T0 + 2500 * MS, T0 + MINUTE, None]
    passing = Time(3)
    run(desk_with(lambda _: None, message(not_before=T0 + 1500 * MS)), passing)
    assert passing.waits == [1.0, 0.5, 1.0, 1.0]


def test_what_is_left_when_a_turn_is_over_waits_for_nothing():
    """A flood of slow messages is sent in turns of five seconds; the loop looks up in between."""
    passing, sent = Time(3600, waits=4), []

    def slow(given):
        sent.append(given.key)
        passing.now += 2 * SECOND

    told = run(desk_with(slow, *(message(f"m{n}") for n in range(7))), passing)
    assert [one.tick.delivered for one in told] == [3, 3, 1, 0]
    assert passing.waits == [0.0, 0.0, 1.0, 1.0]
    assert sent == [f"m{n}" for n in range(7)]


class Locked(type(stores.open("memory://"))):
    """A store in which another worker's transaction holds what is due."""

    def claim(self, *_):
        """Nothing that is free."""
        return ()


def test_what_another_worker_has_in_hand_does_not_make_the_loop_spin():
    """It is due, and a tick does nothing about it: the waits double up to the longest."""
    passing = Time(3600, waits=10)
    told = run(desk_with(lambda _: None, message(), store=Locked()), passing)
    assert passing.waits == [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0, 1.0, 1.0]
    assert {one.tick for one in told} == {Tick()}


def test_new_work_ends_the_doubling():
    """After a tick that did something the loop looks again at once."""
    pace = Pace(lambda: T0, MINUTE)
    for pause in (10 * MS, 20 * MS):
        assert pace.ticked(pace.begin(), Tick(), T0).pause == pause
    assert pace.ticked(pace.begin(), Tick(delivered=1), T0).pause == 0 * MS
    assert pace.ticked(pace.begin(), Tick(), T0).pause == 10 * MS
    assert pace.ticked(pace.begin(), Tick(), T0 + SECOND).pause == SECOND


# --- clocks and stores ------------------------------------------------------------------------


class Failing(type(stores.open("memory://"))):
    """A store that is out of order so many times."""

    left = 7

    def next_due(self, kind):
        """Fails first."""
        if self.left:
            self.left -= 1
            raise StoreBusy("another process holds it")
        return super().next_due(kind)


def test_a_store_that_fails_is_waited_for_and_told():
    """1, 2, 4, ... and at most 30 seconds; what is due then is done."""
    passing, sent = Time(200, waits=9), []
    told = run(desk_with(sent.append, message(), store=Failing()), passing)
    assert passing.waits == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 1.0, 1.0]
    assert [type(one.error) for one in told[:8]] == [StoreBusy] * 7 + [type(None)]
    assert [one.tick is None for one in told[:8]] == [True] * 7 + [False]
    assert [m.key for m in sent] == ["k"]


def test_other_errors_end_the_loop():
    """What is wrong with the program is for whoever runs it to see."""
    with pytest.raises(InvalidValue, match="clock"):
        run_forever(desk_with(print), clock=lambda: None, wait=lambda _: False)

    def report(_):
        raise KeyError("report")

    with pytest.raises(KeyError):
        run_forever(desk_with(print), clock=lambda: T0, wait=lambda _: False, report=report)


def test_a_clock_set_back_ten_minutes_sends_nothing_twice_and_nothing_too_late():
    """The loop stays at the latest instant it has read, says so, and goes on when the clock is there."""
    passing, sent = Time(1300), []

    def notifier(given):
        sent.append((given.key, passing.now))

    late = message("late", not_before=T0 + 20 * MINUTE)
    desk = desk_with(notifier, message("k", not_before=T0 + 10 * MINUTE), late)
    back = []

    def report(told):
        if told.at == T0 + 10 * MINUTE and back[-1].at < told.at:
            passing.now -= 10 * MINUTE
        back.append(told)

    run_forever(desk, clock=passing.clock, wait=passing.wait, report=report, at_most=minutes(1))
    assert [key for key, _ in sent] == ["k", "late"]
    assert sent[1][1] == T0 + 20 * MINUTE
    regressed = [one for one in back if one.set_back]
    assert {one.at for one in regressed} == {T0 + 10 * MINUTE}
    assert regressed[0].set_back == 9 * MINUTE
    assert all(b.at >= a.at for a, b in itertools.pairwise(back))


def test_what_fell_due_while_nobody_ticked_is_late_and_says_so():
    """A clock set forward, or three hours of outage: `overslept` tells it, and the facts of each message."""
    sent, readings = [], [T0, T0, T0, T0, T0 + hours(3).timedelta]
    desk = desk_with(sent.append, message(not_before=T0 + MINUTE))
    told = []
    run_forever(
        desk,
        clock=lambda: readings.pop(0) if len(readings) > 1 else readings[0],
        wait=lambda _: len(told) > 1,
        report=told.append,
    )
    assert told[0].overslept == 0 * MS
    assert told[1].overslept == hours(3).timedelta - SECOND
    assert sent[0].facts["delay_us"] == (3 * 3600 - 60) * 10**6


def test_small_steps_of_a_clock_are_no_news():
    """Up to a second is what clocks and machines do by themselves; time still never goes back."""
    readings = [T0, T0 - SECOND, T0 - SECOND - MS]
    pace = Pace(lambda: readings.pop(0), MINUTE)
    assert pace.begin() == T0
    assert (pace.begin(), pace.set_back) == (T0, 0 * MS)
    assert (pace.begin(), pace.set_back) == (T0, SECOND + MS)


@pytest.mark.parametrize("wrong", [1, 0.5, "1s", SECOND, None], ids=repr)
def test_the_longest_wait_has_a_unit(wrong):
    """And is no nothing."""
    with pytest.raises(InvalidValue, match=r"at_most .*: is no Budget; say it by its unit"):
        run_forever(desk_with(print), clock=lambda: T0, wait=lambda _: True, at_most=wrong)
    with pytest.raises(InvalidValue, match=r"at_most .* is no wait"):
        run_forever(desk_with(print), clock=lambda: T0, wait=lambda _: True, at_most=seconds(0))


# --- the same, awaited ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"clock": T0}, r"^clock .*: cannot be called; give a function"),
        ({"wait": None}, r"^wait None: cannot be called; give a function of seconds"),
        ({"report": 5}, r"^report 5: cannot be called; give a function of a Turn"),
        ({"wait": AsyncWaiting()}, r"^wait .*: has to be awaited; take run_forever_async"),
        ({"wait": asyncio.sleep}, r"^wait .*: has to be awaited; take run_forever_async"),
    ],
)
def test_what_no_loop_can_run_on_is_refused_before_it_begins(given, said):
    """A wait that nobody awaits is true, so the loop would have ended after one turn without a word."""
    whole = {"clock": lambda: T0, "wait": lambda _: True, **given}
    with pytest.raises(InvalidValue, match=said):
        run_forever(desk_with(print), **whole)


def test_each_loop_says_what_the_other_takes():
    """Desks and waits of the other kind."""
    plain, other = desk_with(print), AsyncServiceDesk(asyncio.run(stores.open_async("memory://")))
    with pytest.raises(InvalidValue, match=r"^desk .*: has to be awaited; take run_forever_async"):
        run_forever(other, clock=lambda: T0, wait=lambda _: True)
    with pytest.raises(InvalidValue, match=r"^desk .*: cannot be awaited; take run_forever, or"):
        asyncio.run(run_forever_async(plain, clock=lambda: T0, wait=AsyncWaiting()))
    with pytest.raises(InvalidValue, match=r"^wait .*: cannot be awaited; take run_forever, or"):
        asyncio.run(run_forever_async(other, clock=lambda: T0, wait=Waiting()))


def test_a_dead_man_says_what_its_silence_is_not():
    """By the name that it was given under."""
    with pytest.raises(InvalidValue, match=r"^silence 60: is no Budget; say it by its unit"):
        DeadMan(silence=60, since=T0, alarm=print)


def test_the_awaited_loop_does_what_the_plain_one_does():
    """The same turns, store errors included."""

    class Failed(Failing):
        left = 2

    messages = [message("k"), message("m", not_before=T0 + 2500 * MS)]

    async def awaited():
        from itsm_core.stores import ThreadedStore

        store, turns, passing = Failed(), [], Time(5)
        store.commit(changes(messages=messages))
        desk = AsyncServiceDesk(await ThreadedStore.opened(lambda: store), notifiers=lambda _: None)
        await run_forever_async(desk, clock=passing.clock, wait=passing.wait_async, report=turns.append)
        return turns

    plain = run(desk_with(lambda _: None, *messages, store=Failed()), Time(5))
    assert [
        (one.at, one.pause, one.tick, str(one.error), one.next_due) for one in asyncio.run(awaited())
    ] == [(one.at, one.pause, one.tick, str(one.error), one.next_due) for one in plain]


def test_the_awaited_loop_stops_when_told_and_when_cancelled():
    """By `stop` within a wait, at once; a cancelled task ends, too."""

    async def story():
        async with AsyncServiceDesk(await stores.open_async("memory://")) as desk:
            wait, woken = AsyncWaiting(), []
            loop = asyncio.create_task(
                run_forever_async(
                    desk, clock=lambda: dt.datetime.now(dt.UTC), wait=wait, report=woken.append,
                    at_most=hours(1),
                )
            )  # fmt: skip
            await asyncio.sleep(0.05)
            assert len(woken) == 1
            wait.wake()
            await asyncio.sleep(0.05)
            assert len(woken) == 2
            wait.stop()
            await asyncio.wait_for(loop, 5)
            assert await wait(10) is True
            assert await AsyncWaiting()(0) is False
            endless = asyncio.create_task(
                run_forever_async(desk, clock=lambda: T0, wait=AsyncWaiting(), at_most=hours(1))
            )
            await asyncio.sleep(0.05)
            endless.cancel()
            with pytest.raises(asyncio.CancelledError):
                await endless

    asyncio.run(story())


# --- stopping ---------------------------------------------------------------------------------


def test_a_wait_can_be_ended_by_another_thread():
    """`wake` lets the loop look once more, `stop` lets it end; calls made before the wait count once."""
    wait = Waiting()
    assert wait(0) is False
    assert wait(-1) is False
    wait.wake()
    wait.wake()
    began = time.monotonic()
    assert wait(30) is False
    threading.Timer(0.05, wait.stop).start()
    assert wait(30) is True
    assert wait(30) is True
    assert time.monotonic() - began < 10


def test_a_signal_ends_the_loop_cleanly():
    """The handler may interrupt the wait itself: a thousand signals in the very moment hang nothing."""
    wait, turns = Waiting(), []
    before = signal.signal(signal.SIGALRM, lambda *_: wait.stop() if len(turns) > 200 else wait.wake())
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        run_forever(
            desk_with(print), clock=lambda: dt.datetime.now(dt.UTC), wait=wait, report=turns.append,
            at_most=hours(1),
        )  # fmt: skip
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(turns) > 200


# --- lateness ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_lateness_p99_at_most_50_ms_on_an_idle_store(kind, tmp_path, untraced):
    """Issue 7, "Done when" 4: three hundred messages due 7 ms apart, one loop, a real clock and a real wait.

    Measured is the instant at which the notifier is called less the instant from which on the message may
    be sent, of each message; the p99 is the third largest of 300. The store does nothing else meanwhile.
    """
    late, wait = [], Waiting()

    def notifier(given):
        late.append(dt.datetime.now(dt.UTC) - given.not_before)
        if len(late) == 300:
            wait.stop()

    start = dt.datetime.now(dt.UTC) + 200 * MS
    store = stores.open("memory://" if kind == "memory" else tmp_path / "desk.db")
    due = [message(f"m{n}", not_before=start + n * 7 * MS) for n in range(300)]
    run_forever(desk_with(notifier, *due, store=store), clock=lambda: dt.datetime.now(dt.UTC), wait=wait)
    store.close()
    assert min(late) >= 0 * MS
    assert sorted(late)[-3] <= 50 * MS, f"p50 {sorted(late)[150]}, p99 {sorted(late)[-3]}, most {max(late)}"


# --- the dead-man alarm -----------------------------------------------------------------------


def test_a_loop_that_ticks_no_more_raises_the_alarm_once():
    """After the silence that is allowed, until it ticks again; turns in which the store failed are silence."""
    alarms = []
    dead_man = DeadMan(silence=minutes(2), since=T0, alarm=alarms.append)
    assert dead_man.look(T0 + 2 * MINUTE) is None
    assert dead_man.look(T0 + 3 * MINUTE) == 3 * MINUTE
    dead_man.beat(Turn(at=T0 + 3 * MINUTE, error=StoreBusy("busy")))
    assert dead_man.look(T0 + 4 * MINUTE) == 4 * MINUTE
    assert alarms == [3 * MINUTE]
    dead_man.beat(Turn(at=T0 + 4 * MINUTE, tick=Tick()))
    assert dead_man.look(T0 + 5 * MINUTE) is None
    assert dead_man.look(T0 + 9 * MINUTE) == 5 * MINUTE
    assert alarms == [3 * MINUTE, 5 * MINUTE]


def test_a_loop_beats_by_its_report():
    """Given as `report`, it hears of every turn."""
    passing = Time(600)
    dead_man = DeadMan(silence=minutes(1), since=T0, alarm=pytest.fail)
    run_forever(desk_with(print), clock=passing.clock, wait=passing.wait, report=dead_man.beat)
    assert dead_man.look(T0 + 10 * MINUTE) is None
