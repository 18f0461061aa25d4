"""Real processes on one SQLite file: killed in the midst of their work, and two at once."""

import importlib.util
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from itsm_core import stores

WORKER = Path(__file__).with_name("worker.py")
PATIENCE = 120

_spec = importlib.util.spec_from_file_location("delivery_worker", WORKER)
worker = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(worker)


def started(*arguments):
    """A process that does what `worker.py` is told; the loop has said that it is ready."""
    process = subprocess.Popen(
        [sys.executable, WORKER, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )
    if arguments[0] == "loop":
        assert process.stdout.readline() == "ready\n"
    return process


def ended(process):
    """What the process ended with."""
    with process:
        return process.wait(PATIENCE)


def received(log):
    """How often each (key, attempt) was received."""
    return Counter(tuple(line.split(" ")) for line in log.read_text(encoding="utf-8").splitlines())


def expected(records):
    """The keys that one worker sends to whom nothing happens: of the step, the words, and the other channel."""
    names = [f"R-{n}" for n in range(records)]
    return {
        key
        for name in names
        for key in (f"{name}:line.1/0/0/answer/grace/page", f"{name}/words", f"{name}/words#then-sms")
    }


def wait_until(done):
    """Looks again and again, and not for ever."""
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.02)


def test_one_worker_alone_sends_these_keys(tmp_path):
    """The set that the others are held against, from one process to which nothing happens."""
    store = stores.open(tmp_path / "desk.db")
    with worker.desk_on(store, worker.receiver(tmp_path / "log")) as desk:
        for n in range(3):
            worker.enter(desk, f"R-{n}")
        desk.tick(worker.now())
    assert received(tmp_path / "log") == Counter((key, "0") for key in expected(3))


@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=pytest.mark.nightly)])
def test_run_forever_killed_with_sigkill_under_load_loses_no_message(kills, tmp_path):
    """Issue 7, "Done when" 4 (fifty times by night): every key arrives, and nothing without its key.

    A worker that is killed repeats at most the one message that it was sending.
    """
    file, log, luck, records = tmp_path / "desk.db", tmp_path / "log", random.Random(7), kills * 30
    stores.open(file).close()
    loader = started("load", file, records, 0.02)
    for kill in range(kills):
        loop = started("loop", file, log)
        if kill == 0:  # at least one lives long enough to send anything, however slow the machine
            wait_until(lambda: log.exists() and received(log))
        time.sleep(luck.uniform(0.0, 0.15))
        loop.send_signal(signal.SIGKILL)
        assert ended(loop) == -signal.SIGKILL
    assert ended(loader) == 0
    last = started("loop", file, log)
    last.terminate()
    assert ended(last) == 0
    with worker.desk_on(stores.open(file), worker.receiver(log)) as desk:
        while (due := desk.next_due()) is not None and due < worker.now() + worker.HOUR:
            desk.tick(max(due, worker.now()))  # what a killed worker held comes back when its lease ends
    found = received(log)
    assert {key for key, _ in found} == expected(records)
    assert sum(found.values()) - len(found) <= kills


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_two_loops_on_one_store_do_nothing_twice(kind, tmp_path, request):
    """While a third process fills it: each key once, each step once, and both stop cleanly when told."""
    file = tmp_path / "desk.db" if kind == "sqlite" else request.getfixturevalue("postgres")()
    log, records = tmp_path / "log", 100
    stores.open(file).close()
    loops = [started("loop", file, log) for _ in range(2)]
    loader = started("load", file, records, 0.005)
    assert ended(loader) == 0
    wait_until(lambda: log.exists() and len(received(log)) >= 3 * records)
    for loop in loops:
        loop.terminate()
    assert [ended(loop) for loop in loops] == [0, 0]
    assert received(log) == Counter((key, "0") for key in expected(records))
    with worker.desk_on(stores.open(file)) as desk:
        for n in range(records):
            assert [e.kind for e in desk.history(f"R-{n}")].count("escalated") == 1
