"""SQLite under what nobody wishes for: no room, no right to write, too much, and SQL in every text."""

import datetime as dt
import random
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import attrs
import pytest

from itsm_core.actors import Actor
from itsm_core.errors import InvalidValue, NaiveDatetime, StoreError
from itsm_core.ports import FOLD, Position, Query, Settlement, Snapshot
from itsm_core.records import fold
from itsm_core.sla import trace
from itsm_core.stores.sqlite import SqliteStore

SQL = "x'); DROP TABLE itsm_events; -- \" ; DELETE FROM itsm_records WHERE ('1'='1"
NULL = "a\x00b\x1b[2J\u202e\U0001f4a5'\"%_?:$1\\"


@pytest.fixture
def store(file):
    """A store on a new file."""
    with closing(SqliteStore(file)) as store:
        yield store


# --- no right to write, no room ---


def test_a_file_that_nobody_may_write_is_refused_when_it_is_opened(store, file, write):
    """The error names file and remedy; not one byte changes, and the owner goes on."""
    store.commit(write.changes())
    script = (
        "import os, sys; from itsm_core.errors import StoreError\n"
        "from itsm_core.stores.sqlite import SqliteStore\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "try: SqliteStore(sys.argv[1])\n"
        "except StoreError as wrong: print(type(wrong).__name__, wrong)"
    )
    with tempfile.TemporaryDirectory() as folder:  # the tests' own folder is closed to other users
        copy = Path(folder, "desk.db")
        with closing(sqlite3.connect(file)) as ours:
            ours.execute("VACUUM INTO ?", (str(copy),))
        copy.chmod(0o444)
        Path(folder).chmod(0o555)
        before = copy.read_bytes()
        done = subprocess.run(
            [sys.executable, "-c", script, copy], capture_output=True, text=True, check=True
        )
        Path(folder).chmod(0o700)
        assert copy.read_bytes() == before
        assert done.stdout.startswith(f"StoreError {copy}: ")
        assert "cannot be written; check their permissions" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on the size of files")
@pytest.mark.parametrize("kilobytes", [200, 700, 1500])
def test_a_disk_that_fills_up_in_mid_load_loses_nothing(file, write, kilobytes):
    """Commits are refused whole; all before are there, and the one that failed goes through later."""
    worker = str(Path(__file__).with_name("worker.py"))
    script = (
        "import resource, runpy, sys, os\n"
        "from itsm_core.errors import StoreError\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({kilobytes * 1024},) * 2)\n"
        f"sys.argv = ['worker.py', 'commit', {str(file)!r}, 'w', '0']\n"
        f"sys.path.insert(0, {str(Path(worker).parent)!r})\n"
        f"try: runpy.run_path({worker!r}, run_name='__main__')\n"
        "except StoreError as wrong: print('refused', wrong); sys.stdout.flush(); os._exit(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    *said, refused = done.stdout.splitlines()
    assert refused.startswith("refused "), done.stderr
    assert "nothing of the command was written" in refused
    assert said
    with closing(SqliteStore(file)) as store:
        for line in said:
            record, version = line.split()
            assert store.load(record)[0].record.version >= int(version)
            assert len(store.links(record)) == len(store.load(record, 0)[1])
        assert len(store.find(Query(limit=10_000))) == len({line.split()[0] for line in said})
        assert store.commit(write.changes("after")).version == 1
    with closing(sqlite3.connect(file)) as behind:
        assert behind.execute("PRAGMA integrity_check").fetchone() == ("ok",)


# --- too much ---


@pytest.mark.parametrize("part", ["event", "message"])
def test_a_text_larger_than_sqlite_takes_is_refused_whole(store, write, part):
    """The limit is SQLite's; nothing of the command is there, and a smaller one goes through."""
    store._link._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 100_000)
    large = "x" * 200_000
    wrong = (
        write.changes(note=large)
        if part == "event"
        else write.changes(messages=[write.message("m", body=large)])
    )
    with pytest.raises(StoreError, match=r"larger than SQLite stores in one row.*store a reference"):
        store.commit(wrong)
    assert store.find(Query()) == ()
    assert store.commit(write.changes(note="x")).version == 1


def test_a_text_of_ten_million_letters_comes_back(store, write):
    """Large is not too large."""
    done = write.changes(note="é" * 10_000_000)
    store.commit(done)
    assert store.load("R1", 0)[1] == done.events


@pytest.mark.parametrize("undecoded", [b"\xff\xfe", b"caf\xe9"])
def test_bytes_that_are_no_utf_8_are_refused_and_named(store, write, undecoded):
    """As bytes, and as Python reads them from a terminal or a file name."""
    for text in (undecoded, undecoded.decode(errors="surrogateescape")):
        with pytest.raises(InvalidValue):
            store.commit(write.changes(note=text))
    assert store.find(Query()) == ()


@pytest.mark.parametrize("count", [20_000, pytest.param(1_000_000, marks=pytest.mark.nightly)])
def test_a_record_of_a_million_events_takes_the_memory_of_a_page(file, write, count):
    """It is written, opened by its snapshot, read page by page and gone on with in the same memory."""
    script = f"""
import resource, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from conftest import event
from itsm_core.ports import FOLD, ChangeSet, Position, Snapshot
from itsm_core.road.terms import onward, refold
from itsm_core.stores.sqlite import SqliteStore
store, known, version = SqliteStore({str(file)!r}), None, 0
while version < {count}:
    new = [event("R1", seq) for seq in range(version + 1, version + 1001)]
    if known is None:
        known, first = refold(new[:1]), new[1:]
    else:
        first = new
    for one in first:
        known = onward(known, one)
    snapshot = Snapshot(record=known.record, timeline=known.timeline, fold=FOLD)
    store.commit(ChangeSet(record="R1", expected=version, events=tuple(new), snapshot=snapshot))
    version += 1000
    if version == 10_000:
        settled = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
snapshot, events = store.load("R1")
assert (snapshot.record.version, events) == ({count}, ())
assert len(store.load("R1", {count} - 5)[1]) == 5
seen, place = 0, Position()
while (page := store.read(place, 1000))[0]:
    seen, place = seen + len(page[0]), page[1]
assert seen == {count}
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - settled)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 100_000  # kilobytes


# --- SQL in every text ---


def hostile(write, text):
    """A change set in which every text that a caller gives is this one."""
    done = write.changes(text, ids=[f"{text}#1", f"{text}#2"], new=2)
    events = tuple(
        attrs.evolve(
            event, actor=Actor.person(text, text), on_behalf_of=text, channel=text, cause=text,
            lifecycle=text, from_state=text, tenant=text, fields={**event.fields, text: text},
        )
        for event in done.events
    )  # fmt: skip
    named = dict.fromkeys(("number", "customer", "service", "assignee", "group", "requester"), text)
    events = (
        attrs.evolve(events[0], fields={**events[0].fields, **named, "external_refs": (text,)}), events[1],
    )  # fmt: skip
    return attrs.evolve(
        done,
        events=events,
        snapshot=Snapshot(record=fold(events), timeline=trace(events), fold=FOLD),
        timers=(write.timer(text, 0, record=text, kind=text),),
        messages=(write.message(text, record=text, to=text, channel=text, subject=text, body=text),),
    )


@pytest.mark.parametrize("text", [SQL, NULL], ids=["SQL", "control letters"])
def test_sql_in_every_text_is_only_text(store, file, write, text):
    """What goes in comes back, finds itself, and leaves every table in place."""
    other, done = write.changes("other", new=2), hostile(write, text)
    store.commit(other)
    store.commit(done)
    assert store.load(text, 0) == (done.snapshot, done.events)
    assert store.event(f"{text}#2") == done.events[1]
    for name in ("number", "customer", "service", "assignee", "group", "requester", "tenant", "external_ref"):
        assert [record.id for record in store.find(Query(**{name: text}))] == [text]
    assert store.find(Query(after=text, state=text)) == ()
    (timer,) = store.claim(text, write.NOW, 9, write.MINUTE, text)
    (message,) = store.claim("message", write.NOW, 9, write.MINUTE, text)
    assert (timer.item, message.item) == (done.timers[0], done.messages[0])
    store.settle([Settlement(token=message.token, outcome="failed", detail=text)], write.NOW)
    store.settle([Settlement(token=timer.token, outcome="retry", detail=text)], write.NOW)
    assert len(store.links(text)) == 2
    for token in (SQL, "1; DROP TABLE itsm_events", "-1", "1 OR 1=1"):
        with pytest.raises(InvalidValue, match="position"):
            store.read(Position(token=token), 9)
    assert store.read(Position(), 9)[0] == (*other.events, *done.events)
    with closing(sqlite3.connect(file)) as behind:
        count = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name LIKE 'itsm_%'"
        assert behind.execute(count).fetchone() == (6,)


def test_random_bytes_over_a_page_never_come_back_as_an_event(store, file, write):
    """Damage is said, or the page was not needed: what is read is what was written."""
    done = [write.changes(f"R{n}", note="x" * 300) for n in range(60)]
    for one in done:
        store.commit(one)
    store.close()
    whole, luck = file.read_bytes(), random.Random(5)
    for _ in range(20):
        page = luck.randrange(1, len(whole) // 4096) * 4096
        file.write_bytes(whole[:page] + luck.randbytes(4096) + whole[page + 4096 :])
        try:
            with closing(SqliteStore(file)) as damaged:
                for one in done:
                    assert damaged.load(one.record, 0)[1] == one.events
        except (StoreError, LookupError):
            continue


@pytest.mark.parametrize("odd", [True, 7, ["a"], {"id": "ana"}])
def test_records_are_found_by_texts(odd):
    """`True` would be looked for as "True", while it was stored as the JSON text "true"."""
    with pytest.raises(InvalidValue, match=r"assignee .* is no text; records are found by texts"):
        Query(assignee=odd)


def test_a_lease_begins_at_an_aware_instant(store):
    """A naive `now` is refused as everywhere, in our words."""
    with pytest.raises(NaiveDatetime):
        store.claim("t", dt.datetime(2024, 5, 6, 10), 1, dt.timedelta(minutes=1), "w")


@pytest.mark.parametrize(
    "garbage", ['{"fold": 5, "record": {"version": 1}, "due_us": "soon"}', "[" * 100_000]
)
def test_garbage_for_a_snapshot_is_a_cache_that_was_lost(store, write, garbage):
    """However deep or wrong: the events tell what it would say."""
    done = write.changes()
    store.commit(done)
    store._link._connection.execute("UPDATE itsm_records SET snapshot = ?", (garbage,))
    assert store.load("R1") == (None, done.events)
    assert store.find(Query()) == (done.snapshot.record,)


def test_a_repeat_of_more_events_than_one_statement_asks_for_is_known(store, write):
    """Twelve hundred events again give the first answer."""
    many = write.changes(new=1200)
    assert not store.commit(many).repeated
    assert store.commit(many).repeated
