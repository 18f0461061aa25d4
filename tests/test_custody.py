"""The chain of custody: what `verify` finds, and what arrives when a store is moved."""

import datetime as dt
import hashlib
import json
import os
import pickle
import signal
import sqlite3
import stat
import subprocess
import sys
import tracemalloc
from contextlib import closing

import attrs
import pytest

from itsm_core import Actor, BusinessCalendar, ServiceDesk, custody, default_agreement
from itsm_core.custody import dumps, moving, verifying
from itsm_core.errors import InvalidInput, InvalidValue, RecordNotFound, StoreError, StoreUnreadable
from itsm_core.ports import ChangeSet, Position, Query, Snapshot
from itsm_core.stores.memory import MemoryStore
from itsm_core.stores.sqlite import SqliteStore

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
ANA, UMA = Actor.person("ana", "agent"), Actor.person("uma")
AGREEMENT = default_agreement(BusinessCalendar.always("UTC"))
HOSTILE = "'; DROP TABLE itsm_events; --\x00\u2028\U0001f4a5 \"\\\n"


def fill(store, count=3):
    """Incidents that went through the desk, one of them late, corrected and spoken of."""
    desk = ServiceDesk(store, agreement=AGREEMENT)
    for n in range(count):
        record, at = f"I-{n}", T0 + n * MINUTE
        desk.open(
            f"Mail is down {HOSTILE}", actor=UMA, at=at, record_id=record, external_ref=f"x{n}",
            fields={"impact": "high", "urgency": "high"},
        )  # fmt: skip
        desk.assign(record, actor=ANA, at=at, group="mail", assignee="ana")
        desk.communicate(record, "We look at it.", actor=ANA, at=at + MINUTE, channel="phone")
    opened = desk.history("I-0")[0]
    desk.correct(
        "I-0", opened.id, "title", "Mail is slow", reason="said again", actor=ANA, at=T0 + 9 * MINUTE
    )
    desk.note("I-0", "found out before", actor=ANA, at=T0 + 8 * MINUTE)
    return desk


@pytest.fixture
def file(tmp_path):
    """Where the store lies."""
    return tmp_path / "desk.db"


@pytest.fixture
def store(file):
    """A store of three incidents."""
    with closing(SqliteStore(file)) as store:
        fill(store)
        yield store


@pytest.fixture
def dumped(store, tmp_path):
    """A dump of it."""
    custody.dump(store, tmp_path / "desk.jsonl")
    return tmp_path / "desk.jsonl"


def sql(file, *commands):
    """Runs statements behind the store's back."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for command in commands:
            connection.execute(command)


def everything(store):
    """All records with their events, by id."""
    return {record.id: (record, store.load(record.id, 0)[1]) for record in store.find(Query(limit=1000))}


# --- verify ---


@pytest.mark.parametrize("kind", ["sqlite", "memory"])
def test_a_store_that_nobody_touched_is_whole(kind, file):
    """Everything is counted; memory keeps no chain, so none of its events are chained."""
    with closing(SqliteStore(file) if kind == "sqlite" else MemoryStore()) as store:
        fill(store)
        report = custody.verify(store)
        assert (report.first, report.broken, report.breaks) == (None, 0, ())
        assert (report.records, report.events) == (3, 11)
        assert report.chained == (11 if kind == "sqlite" else 0)
        assert str(report).startswith("whole: 3 records, 11 events")


def test_an_empty_store_is_whole():
    """Nothing was looked at, and nothing is broken."""
    report = custody.verify(MemoryStore())
    assert (report.records, report.events, report.seal, report.first) == (0, 0, "", None)


def test_the_seal_is_that_of_the_chains_by_hand(store):
    """A digest over id, number of events and newest link of each record, one after the other."""
    seal = ""
    for record in ("I-0", "I-1", "I-2"):
        links = store.links(record)
        said = json.dumps([record, str(len(links)), links[-1]], separators=(",", ":"))
        seal = hashlib.sha256((seal + hashlib.sha256(said.encode()).hexdigest()).encode()).hexdigest()
    assert custody.verify(store).seal == seal


def test_one_record_can_be_verified(store):
    """One that is not there is not found."""
    report = custody.verify(store, "I-1")
    assert (report.records, report.events) == (1, 3)
    with pytest.raises(RecordNotFound):
        custody.verify(store, "I-9")


TITLE = "replace(json, 'Mail is down', 'Mail was up')"
SWAP = (
    "CREATE TEMP TABLE was AS SELECT * FROM itsm_events WHERE record = 'I-1'",
    (
        "UPDATE itsm_events SET json = (SELECT json FROM was WHERE seq = 5 - itsm_events.seq) "
        "WHERE record = 'I-1' AND seq IN (2, 3)"
    ),
)
BREAKS = {
    "a field of an event": ((f"UPDATE itsm_events SET json = {TITLE} WHERE record = 'I-1'",), 1, "changed"),
    "who did it": (
        ("UPDATE itsm_events SET json = replace(json, '\"ana\"', '\"eve\"') WHERE id LIKE '%' AND record = 'I-1'",),
        2,
        "changed",
    ),
    "a text that became a number": (
        ("UPDATE itsm_events SET json = json_set(json, '$.kind', 7) WHERE record = 'I-1' AND seq = 2",), 2, "changed",
    ),
    "a link": (("UPDATE itsm_events SET link = 'x' WHERE record = 'I-1' AND seq = 2",), 2, "changed"),
    "the head": (("UPDATE itsm_records SET head = 'x' WHERE id = 'I-1'",), 3, "changed"),
    "the first event taken out": (("DELETE FROM itsm_events WHERE record = 'I-1' AND seq = 1",), 1, "missing"),
    "one in the middle taken out": (("DELETE FROM itsm_events WHERE record = 'I-1' AND seq = 2",), 2, "missing"),
    "the last taken out": (("DELETE FROM itsm_events WHERE record = 'I-1' AND seq = 3",), 3, "cut off"),
    "all taken out": (("DELETE FROM itsm_events WHERE record = 'I-1'",), 1, "cut off"),
    "two events swapped": (SWAP, 2, "out of order"),
    "the record shown otherwise": (
        ("UPDATE itsm_records SET snapshot = replace(snapshot, '\"mail\"', '\"desk\"') WHERE id = 'I-1'",),
        3,
        "snapshot",
    ),
    "an event that is no event": (
        ("UPDATE itsm_events SET json = '{}' WHERE record = 'I-1' AND seq = 2",), 2, "unreadable",
    ),
    "an event behind the end": (("UPDATE itsm_records SET version = 2 WHERE id = 'I-1'",), 2, "changed"),
    "an event behind the end, with its head": (
        (
            (
                "UPDATE itsm_records SET version = 2, head = (SELECT link FROM itsm_events "
                "WHERE record = 'I-1' AND seq = 2) WHERE id = 'I-1'"
            ),
        ),
        3,
        "added",
    ),
    "a record taken out": (("DELETE FROM itsm_records WHERE id = 'I-1'",), 1, "stray"),
}  # fmt: skip


_NO_SNAPSHOTS = "UPDATE itsm_records SET snapshot = replace(snapshot, '\"fold\":', '\"fold\":-')"


@pytest.mark.parametrize("page", [verifying.PAGE, 1])
@pytest.mark.parametrize("what", sorted(BREAKS.keys() - {"the record shown otherwise"}))
def test_a_break_is_found_where_no_snapshot_can_be_read(store, file, monkeypatch, what, page):
    """As after an update of the library that folds otherwise: records come from events, broken ones too."""
    monkeypatch.setattr(verifying, "PAGE", page)
    commands, seq, kind = BREAKS[what]
    sql(file, *commands, _NO_SNAPSHOTS)
    report = custody.verify(store)
    assert [(one.record, one.seq, one.kind) for one in report.breaks] == [("I-1", seq, kind)]


def test_a_record_that_its_events_do_not_tell_is_named(store, file):
    """Whoever looks for work is told which record is damaged."""
    sql(file, "DELETE FROM itsm_events WHERE record = 'I-1'", _NO_SNAPSHOTS)
    with pytest.raises(StoreUnreadable, match=r"record 'I-1' cannot be told by its .*a backup") as told:
        store.find(Query())
    assert pickle.loads(pickle.dumps(told.value)).record == "I-1"


def test_a_store_that_cannot_be_read_at_all_says_so(store, file):
    """No record is to blame, and none is passed over."""
    sql(file, "ALTER TABLE itsm_records RENAME TO gone")
    with pytest.raises(StoreUnreadable, match="its tables are not as we left them") as told:
        custody.verify(store)
    assert told.value.record is None


def test_a_record_under_another_name_is_no_record(store, file):
    """Where somebody renamed a row, the record of that row is gone."""
    sql(file, "UPDATE itsm_records SET id = 'I-00' WHERE id = 'I-1'")
    assert str(custody.verify(store).first) == "record I-00, event #1: cut off"


@pytest.mark.parametrize("long", [verifying.LONG, 0])
@pytest.mark.parametrize("what", BREAKS)
def test_what_was_done_behind_the_stores_back_is_found(store, file, monkeypatch, what, long):
    """The first break is named by record, number, event and kind, also of a record that counts as long."""
    monkeypatch.setattr(verifying, "LONG", long)
    events = store.load("I-1", 0)[1]
    commands, seq, kind = BREAKS[what]
    sql(file, *commands)
    report = custody.verify(store)
    first = report.first
    assert (first.record, first.seq, first.kind) == ("I-1", seq, kind)
    assert first.event in {None, *(event.id for event in events)}
    if kind in {"changed", "added", "stray"}:
        assert first.event == events[seq - 1].id
    assert str(first) in str(report)
    assert f"record I-1, event #{seq}" in str(first)


def test_a_long_record_is_verified_a_page_at_a_time(tmp_path, monkeypatch):
    """Memory is that of a page and the links, and the report the same; one event is late, and is held."""
    with closing(SqliteStore(tmp_path / "long.db")) as store:
        desk = ServiceDesk(store)
        opened = desk.open("Mail is down", actor=UMA, at=T0, record_id="I-1")
        for n in range(1, 1500):
            desk.note(opened.id, "x" * 500, actor=ANA, at=T0 + n * MINUTE)
        reports, peaks = [], []
        for long in (2000, 1000):
            monkeypatch.setattr(verifying, "LONG", long)
            monkeypatch.setattr(verifying, "PAGE", 50)
            tracemalloc.start()
            reports.append(custody.verify(store, "I-1"))
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert reports[0] == reports[1]
        assert reports[1].chained == 1500
        assert peaks[1] < peaks[0] / 2
        desk.note(opened.id, "found out before", actor=ANA, at=T0 + MINUTE)
        assert custody.verify(store).events == 1501
        assert custody.verify(store).first is None


def test_every_broken_record_is_named_up_to_a_hundred(store, file, monkeypatch):
    """The first break of each, by record, and how many there are in all."""
    monkeypatch.setattr(verifying, "SHOWN", 2)
    sql(file, f"UPDATE itsm_events SET json = {TITLE}")
    report = custody.verify(store)
    assert [one.record for one in report.breaks] == ["I-0", "I-1"]
    assert report.broken == 3
    assert str(report).startswith("broken in 3 places")


def test_a_chain_written_anew_as_a_whole_shows_in_the_seal(store, file):
    """Who may write everything can make chains that agree; a seal kept elsewhere tells."""
    before = custody.verify(store).seal
    event = store.load("I-2", 0)[1][2]
    sql(file, "DELETE FROM itsm_events WHERE record = 'I-2' AND seq = 3")
    sql(
        file,
        "UPDATE itsm_records SET version = 2, snapshot = '', "
        "head = (SELECT link FROM itsm_events WHERE record = 'I-2' AND seq = 2) WHERE id = 'I-2'",
    )
    report = custody.verify(store)
    assert (report.first, report.events) == (None, 10)
    assert report.seal != before
    assert store.event(event.id) is None


def test_erased_fields_keep_the_chain_whole(store, file):
    """A personal field taken out leaves its digest: what was written is still proven."""
    event = store.load("I-1", 0)[1][0]
    gone = event.erase("title")
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        stored = verifying_text(gone)
        connection.execute("UPDATE itsm_events SET json = ? WHERE id = ?", (stored, event.id))
        connection.execute("UPDATE itsm_records SET snapshot = '' WHERE id = 'I-1'")  # it is a cache
    assert "title" not in store.load("I-1", 0)[1][0].fields
    assert custody.verify(store).first is None


def verifying_text(event):
    """An event as its store writes it."""
    return dumps.written(dumps.to_dict(event))


def test_a_commit_in_the_middle_of_looking_is_no_break(store):
    """Links and events are read one after the other, and it ends however often somebody comes in between."""
    desk, links, commits = ServiceDesk(store, agreement=AGREEMENT), store.links, iter(range(100))

    def meanwhile(record):
        said = links(record)
        next(commits)  # a hundred are too many
        desk.note(record, "once more", actor=ANA, at=T0 + 20 * MINUTE)
        return said

    store.links = meanwhile
    report = custody.verify(store, "I-1")
    assert (report.first, report.events, report.chained) == (None, 5, 5)


def test_what_was_cut_off_is_found_while_somebody_commits(store, file):
    """The events read last are fewer than the links that were there before them."""
    links = store.links

    def meanwhile(record):
        said = links(record)
        sql(file, "DELETE FROM itsm_events WHERE record = 'I-1' AND seq = 3")
        return said

    store.links = meanwhile
    assert str(custody.verify(store, "I-1").first) == "record I-1, event #3: cut off"


class Lagging(MemoryStore):
    """A store whose snapshots are as old as a third party may leave them."""

    def __init__(self, snapshot):
        super().__init__()
        self.snapshot = snapshot

    def load(self, record, after=None):
        return self.snapshot, super().load(record, 0)[1]


def test_a_snapshot_may_lag_behind_but_not_run_ahead():
    """One of fewer events is looked at as of then; one of more says that the end is gone."""
    whole = MemoryStore()
    fill(whole, 1)
    record = whole.find(Query())[0]
    snapshot, events = whole.load("I-0", 0)
    early = attrs.evolve(snapshot, record=verifying.fold(events[:2]))
    for held, count, kind in ((early, 5, None), (snapshot, 4, "cut off"), (None, 5, None)):
        store = Lagging(held)
        commit(store, events[:count])
        first = custody.verify(store).first
        assert (first and first.kind) == kind
    assert record.version == 5


def commit(store, events):
    """Writes events as they are."""
    record = verifying.fold(events)
    done = ChangeSet(
        record=record.id,
        expected=0,
        events=events,
        snapshot=Snapshot(record=record, timeline=moving.refold(events).timeline, fold=dumps.FOLD),
    )
    store.commit(done)


def test_progress_is_told(store, dumped, monkeypatch):
    """How many events are done, as often as a page ends."""
    for module in (dumps, moving):
        monkeypatch.setattr(module, "PAGE", 4)
    said = {"verify": [], "dump": [], "restore": [], "copy": []}
    custody.verify(store, progress=said["verify"].append)
    custody.dump(store, dumped.with_name("again.jsonl"), progress=said["dump"].append)
    custody.restore(MemoryStore(), dumped, progress=said["restore"].append)
    custody.copy(store, MemoryStore(), progress=said["copy"].append)
    assert said == {"verify": [5, 8, 11], "dump": [4, 8], "restore": [4, 8, 11], "copy": [4, 8, 11]}


def test_strays_are_looked_for_without_holding_all_names(store, file, monkeypatch):
    """The names that are known to be there are forgotten once they are many."""
    monkeypatch.setattr(verifying, "PAGE", 1)
    monkeypatch.setattr(verifying, "REMEMBERED", 1)
    sql(file, "DELETE FROM itsm_records WHERE id = 'I-2'")
    assert [one.kind for one in custody.verify(store).breaks] == ["stray"]


# --- dump and restore ---


@pytest.mark.parametrize("page", [1, 3, 500])
def test_a_dump_restores_to_the_same(store, dumped, tmp_path, monkeypatch, page):
    """Records, events, order and seal; late events and corrections fold to the same record."""
    monkeypatch.setattr(moving, "PAGE", page)
    with closing(SqliteStore(tmp_path / "other.db")) as other:
        assert str(custody.restore(other, dumped)) == "11 events written, 0 were there already"
        assert everything(other) == everything(store)
        assert other.read(Position(), 99)[0] == store.read(Position(), 99)[0]
        assert custody.verify(other).seal == custody.verify(store).seal
        assert [r.id for r in other.find(Query(external_ref="x1"))] == ["I-1"]
        assert [other.load(r, None)[0].timeline for r in ("I-0", "I-1")] == [
            store.load(r, None)[0].timeline for r in ("I-0", "I-1")
        ]


def test_a_dump_says_what_it_is_and_counts_itself(dumped):
    """A header, an event a line, and a last line with their number and digest."""
    header, *events, end = dumped.read_bytes().splitlines(keepends=True)
    assert json.loads(header) == {"dump": "itsm_core", "format": 1, "schema": 1, "fold": dumps.FOLD}
    assert [json.loads(line)["record"] for line in events[:3]] == ["I-0"] * 3
    seen = hashlib.sha256(b"".join([header, *events])).hexdigest()
    assert json.loads(end) == {"events": 11, "sha256": seen}
    assert stat.S_IMODE(dumped.stat().st_mode) == 0o600


def test_a_dump_is_there_whole_or_not_at_all(store, tmp_path, monkeypatch):
    """An error on the way leaves no file, and a file that is there is never written over."""
    target = tmp_path / "new.jsonl"

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(dumps, "_put", full)
        with pytest.raises(OSError, match="No space"):
            custody.dump(store, target)
    assert [path.suffix for path in tmp_path.iterdir() if "jsonl" in path.name] == []
    assert custody.dump(store, target) == 11
    with pytest.raises(InvalidValue, match="is there already"):
        custody.dump(store, target)


def test_a_log_that_holds_events_back_is_not_dumped(postgres, tmp_path):
    """On PostgreSQL an open transaction holds back what came after it began: a dump would lack it."""
    import psycopg

    from itsm_core.stores.postgres import PostgresStore

    url, target = postgres(), tmp_path / "new.jsonl"
    with closing(PostgresStore(url)) as store, psycopg.connect(url) as other:
        fill(store, 1)
        other.execute("SELECT pg_current_xact_id()")
        ServiceDesk(store).note("I-0", "meanwhile", actor=ANA, at=T0 + 9 * MINUTE)
        with pytest.raises(StoreError, match="tells 5 of 6 events: a transaction that is still open"):
            custody.dump(store, target)
        with pytest.raises(StoreError, match="tells 5 of 6 events"):
            custody.copy(store, MemoryStore())
        assert list(tmp_path.iterdir()) == []
        other.rollback()
        assert custody.dump(store, target) == 6


def test_an_event_longer_than_a_line_is_read_is_not_dumped(store, tmp_path, monkeypatch):
    """What could not be restored is said while there is still a store."""
    monkeypatch.setattr(dumps, "_LONGEST", 400)
    with pytest.raises(InvalidValue, match="is longer than the 400 bytes of a line; keep large texts"):
        custody.dump(store, tmp_path / "new.jsonl")
    assert [path for path in tmp_path.iterdir() if "jsonl" in path.name] == []


def test_a_folder_that_is_not_there_is_said_before_the_store_is_read(tmp_path):
    """By its name, not by that of the part; verifying a great store takes minutes."""
    file = tmp_path / "none" / "d.jsonl"
    with pytest.raises(InvalidValue, match=r"none/d\.jsonl': lies in a folder that is not there; make"):
        custody.dump(None, file)


def test_a_broken_store_is_dumped_only_on_demand(store, file, tmp_path):
    """Who restores it could not see the break any more."""
    sql(file, f"UPDATE itsm_events SET json = {TITLE} WHERE record = 'I-1'")
    with pytest.raises(StoreError, match=r"record I-1, event #1 \(.*\): changed \(1 places in all\)"):
        custody.dump(store, tmp_path / "x.jsonl")
    assert custody.dump(store, tmp_path / "x.jsonl", anyway=True) == 11


def test_restoring_again_completes_what_was_broken_off(store, dumped, tmp_path, monkeypatch):
    """Every event is written once, wherever the first try ended."""
    monkeypatch.setattr(moving, "PAGE", 2)
    for allowed in range(6):
        with closing(SqliteStore(tmp_path / f"{allowed}.db")) as other:
            commit_there, left = other.commit, iter(range(allowed))

            def dying(changes, commit_there=commit_there, left=left):
                if next(left, None) is None:
                    raise KeyboardInterrupt
                return commit_there(changes)

            other.commit = dying
            with pytest.raises(KeyboardInterrupt):
                custody.restore(other, dumped)
            other.commit = commit_there
            written = len(other.read(Position(), 99)[0])
            assert custody.restore(other, dumped) == custody.Moved(events=11 - written, already=written)
            assert custody.restore(other, dumped) == custody.Moved(events=0, already=11)
            assert everything(other) == everything(store)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal")
def test_killed_in_the_middle_of_restoring_the_next_run_completes_it(store, dumped, tmp_path):
    """SIGKILL after three commits: what was written stays, and nothing is written twice."""
    script = (
        "import os, sys; from itsm_core import custody; from itsm_core.custody import moving\n"
        "from itsm_core.stores.sqlite import SqliteStore\n"
        "moving.PAGE, left, commit = 1, iter([1, 2, 3]), SqliteStore.commit\n"
        "def dying(store, changes):\n"
        "    if next(left, None) is None: os.kill(os.getpid(), 9)\n"
        "    return commit(store, changes)\n"
        "SqliteStore.commit = dying\n"
        "custody.restore(SqliteStore(sys.argv[1]), sys.argv[2])"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "k.db"), str(dumped)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    with closing(SqliteStore(tmp_path / "k.db")) as other:
        assert custody.restore(other, dumped) == custody.Moved(events=8, already=3)
        assert everything(other) == everything(store)


def test_what_somebody_else_just_restored_is_not_counted_twice(dumped):
    """Two that restore one dump at once have written its events once."""

    class Overtaken(MemoryStore):
        def commit(self, changes):
            super().commit(changes)
            return super().commit(changes)

    moved = custody.restore(Overtaken(), dumped)
    assert (moved.events, moved.already) == (0, 11)


def test_a_store_with_other_records_takes_a_dump_in(dumped):
    """Records stand side by side, and what a desk added since stays."""
    store = MemoryStore()
    ServiceDesk(store).open("Printer", actor=UMA, at=T0, record_id="P-1")
    custody.restore(store, dumped)
    ServiceDesk(store).note("I-1", "here too", actor=ANA, at=T0 + 30 * MINUTE)
    assert custody.restore(store, dumped).already == 11
    assert {name: record.version for name, (record, _) in everything(store).items()} == {
        "I-0": 5, "I-1": 4, "I-2": 3, "P-1": 1,
    }  # fmt: skip


def test_rearming_sets_timers_that_a_dump_does_not_hold(dumped):
    """Due instants come from the desk's agreement, not from the file."""
    store = MemoryStore()
    custody.restore(store, dumped)
    desk = ServiceDesk(store, agreement=AGREEMENT)
    assert desk.find(due_before=T0 + 1000 * 60 * MINUTE) == ()
    for record in desk.find():
        desk.rearm(record.id, T0 + 40 * MINUTE)
    assert [r.id for r in desk.find(due_before=T0 + 1000 * 60 * MINUTE)] == ["I-0", "I-1", "I-2"]


# --- what does not fit ---


def edited(dumped, change):
    """A dump whose lines were changed, and whose last line agrees with them."""
    lines = change(dumped.read_bytes().splitlines(keepends=True)[:-1])
    seen = hashlib.sha256(b"".join(lines)).hexdigest()
    end = json.dumps({"events": len(lines) - 1, "sha256": seen}).encode()
    path = dumped.with_name("edited.jsonl")
    path.write_bytes(b"".join([*lines, end, b"\n"]))
    return path


SPOILT = {
    "empty": (lambda b: b"", "no dump of itsm_core", 1),
    "no dump": (lambda b: b"id,state\n1,new\n", "no dump of itsm_core; name a file", 1),
    "a list": (lambda b: b"[]\n", "no dump of itsm_core; name a file", 1),
    "nested": (lambda b: b"[" * 100_000 + b"\n", "no dump of itsm_core; name a file", 1),
    "other JSON": (lambda b: b'{"dump": "of others"}\n', "no dump of itsm_core", 1),
    "binary": (lambda b: b"\xff\xfe" + b, "no dump of itsm_core; name a file", 1),
    "newer": (lambda b: b.replace(b'"format":1', b'"format":2', 1), "newer version", 1),
    "newer events": (lambda b: b.replace(b'"schema":1}', b'"schema":2}', 1), "newer version", 1),
    "header only": (lambda b: b.split(b"\n")[0] + b"\n", "cut off", 1),
    "cut at a line": (lambda b: b"".join(b.splitlines(keepends=True)[:-1]), "cut off", 12),
    "cut in a line": (lambda b: b[: len(b) // 2], "cut off", 7),
    "a last line of something else": (lambda b: b + b"{\n", "no JSON object", 14),
    "cut in the last line": (lambda b: b[:-1], "cut off", 13),
    "changed": (lambda b: b.replace(b"We look", b"We took", 1), "was changed", 13),
    "a line doubled": (
        lambda b: b.replace(b.splitlines(True)[3], b.splitlines(True)[3] * 2),
        "was changed",
        14,
    ),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_dump_that_is_not_whole_is_refused_before_anything_is_written(dumped, what):
    """By file, line and remedy."""
    spoil, reason, line = SPOILT[what]
    dumped.write_bytes(spoil(dumped.read_bytes()))
    store = MemoryStore()
    with pytest.raises(InvalidInput, match=reason) as refused:
        custody.restore(store, dumped)
    assert refused.value.file == str(dumped)
    assert refused.value.line == line or line is None
    assert store.read(Position(), 9)[0] == ()


def replaced(number, old, new):
    return lambda lines: [b.replace(old, new) if n == number else b for n, b in enumerate(lines, 1)]


MISFITS = {
    "a line that is no event": (replaced(4, b'"actor"', b'"acted_by"'), "cannot be read", 4),
    "a line that is no JSON": (lambda lines: [*lines[:4], b"{\n", *lines[5:]], "no JSON object", 5),
    "an event before its time": (lambda lines: [lines[0], *lines[2:]], "without it", 2),
    "the same number twice": (
        lambda lines: [*lines[:3], lines[2].replace(b'"ana"', b'"eve"'), *lines[3:]], "is another event", 4,
    ),
    "an id that is taken": (
        lambda lines: [*lines[:2], lines[1].replace(b'"record":"I-0"', b'"record":"Z-9"'), *lines[2:]],
        "has the id of an event of I-0", 3,
    ),
    "a record that was never opened": (replaced(5, b'"kind":"opened"', b'"kind":"noted"'), "does not fit", 5),
    "a record that is named by no text": (replaced(2, b'"record":"I-0"', b'"record":["I-0"]'), "is no text", 2),
    "a kind that is a number": (replaced(4, b'"kind":"', b'"kind":7,"was":"'), "cannot be read", 4),
    "a number that JSON cannot keep": (replaced(2, b'"seq":1', b'"seq":1180591620717411303424'), "RFC 8785", 2),
}  # fmt: skip


@pytest.mark.parametrize("what", MISFITS)
@pytest.mark.parametrize("page", [1, 500])
def test_a_line_that_does_not_fit_is_refused_by_its_number(dumped, monkeypatch, what, page):
    """Also where everything else about the dump is in order."""
    monkeypatch.setattr(moving, "PAGE", page)
    change, reason, line = MISFITS[what]
    with pytest.raises(InvalidInput, match=reason) as refused:
        custody.restore(MemoryStore(), edited(dumped, change))
    assert refused.value.line == line


def test_another_history_under_the_same_name_is_refused(dumped):
    """Two stores that both have an I-0 cannot be put together."""
    store = MemoryStore()
    ServiceDesk(store).open("Another", actor=UMA, at=T0, record_id="I-0")
    with pytest.raises(InvalidInput, match=r"line 2: .*#1 of I-0.* is another event in this store"):
        custody.restore(store, dumped)


def test_events_of_a_record_may_come_out_of_turn(dumped, store, monkeypatch):
    """As the log of PostgreSQL tells them where transactions overlap; they are held until their turn."""
    monkeypatch.setattr(moving, "PAGE", 2)
    turned = edited(dumped, lambda lines: [lines[0], *reversed(lines[1:])])
    other = MemoryStore()
    assert custody.restore(other, turned) == custody.Moved(events=11)
    assert everything(other) == everything(store)


def test_not_everything_is_held(dumped, monkeypatch):
    """A dump of which the beginnings never come is refused before it fills the memory."""
    monkeypatch.setattr(moving, "PAGE", 2)
    monkeypatch.setattr(moving, "HELD", 3)
    turned = edited(dumped, lambda lines: [lines[0], *reversed(lines[1:])])
    with pytest.raises(InvalidInput, match="before an earlier event") as refused:
        custody.restore(MemoryStore(), turned)
    assert refused.value.line == 2


def test_a_file_that_is_not_there_is_the_systems_error(tmp_path):
    """The operating system's own words name it."""
    with pytest.raises(FileNotFoundError):
        custody.restore(MemoryStore(), tmp_path / "none.jsonl")


# --- copy ---


def test_a_copy_is_verified(store, tmp_path):
    """The answer is the report of the other store, and its seal is that of this one."""
    with closing(SqliteStore(tmp_path / "other.db")) as other:
        report = custody.copy(store, other)
        assert report == custody.verify(store)
        assert everything(other) == everything(store)
        assert custody.copy(store, other) == report


def test_copies_go_between_all_stores(store):
    """Into memory and back into a file."""
    between = MemoryStore()
    custody.copy(store, between)
    assert everything(between) == everything(store)


def test_a_broken_source_is_not_copied(store, file):
    """In the copy the break could not be seen any more."""
    sql(file, f"UPDATE itsm_events SET json = {TITLE} WHERE record = 'I-1'")
    other = MemoryStore()
    with pytest.raises(StoreError, match="the store to copy from is not as it was written: record I-1"):
        custody.copy(store, other)
    assert other.find(Query()) == ()


def test_what_was_written_meanwhile_is_noticed(store, monkeypatch):
    """An event, or a record, that came after the last page: copying again completes it."""
    desk, look = ServiceDesk(store, agreement=AGREEMENT), verifying.verify
    for late in (
        lambda: desk.note("I-1", "late", actor=ANA, at=T0 + 50 * MINUTE),
        lambda: desk.open("Printer", actor=UMA, at=T0, record_id="P-1"),
    ):
        other = MemoryStore()

        def meanwhile(of, late=late, other=other):
            if of is other:
                late()
            return look(of)

        monkeypatch.setattr(moving, "verify", meanwhile)
        with pytest.raises(StoreError, match="is not in the copy: the source was written meanwhile"):
            custody.copy(store, other)
        monkeypatch.setattr(moving, "verify", look)
        assert custody.copy(store, other).seal == custody.verify(store).seal


def test_a_log_that_does_not_fit_is_refused_by_its_place(store):
    """Copying names the place in the log where a dump names the line."""
    other = MemoryStore()
    ServiceDesk(other).open("Another", actor=UMA, at=T0, record_id="I-0")
    with pytest.raises(InvalidInput, match="the log, line 1"):
        custody.copy(store, other)


def test_errors_of_the_store_come_through(store, dumped):
    """A store that cannot be asked says so itself."""
    other = MemoryStore()

    def closed(*_):
        raise StoreError("the store is closed")

    other.load = closed
    with pytest.raises(StoreError, match="closed"):
        custody.restore(other, dumped)
    assert os.path.exists(dumped)  # noqa: PTH110
