"""A store in a file of its own: what survives, what is refused, who waits for whom."""

import _thread
import datetime as dt
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.errors import InvalidValue, StoreBusy, StoreError, StoreUnreadable
from itsm_core.events import Event
from itsm_core.ports import Position, Query, Settlement
from itsm_core.stores import dialects, statements
from itsm_core.stores.sqlite import SqliteStore
from itsm_core.values import canonical, from_dict, to_dict, written


@pytest.fixture
def store(file, write):
    """A store on a new file that waits a tenth of a second."""
    with closing(SqliteStore(file, busy_timeout=write.MINUTE / 600)) as store:
        yield store


def sql(file, *commands):
    """Runs statements behind the store's back; gives the rows of the last."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for command in commands:
            rows = connection.execute(command).fetchall()
    return rows


def untouched(folder):
    """The bytes of every file in a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# --- how the file is kept ---


def test_the_file_says_that_it_is_ours(store, file):
    """WAL, and one table with the version of all; SQLite's own marks stay for others to use."""
    assert sql(file, "PRAGMA journal_mode") == [("wal",)]
    assert sql(file, "SELECT version FROM itsm_schema") == [(dialects.VERSION,)]
    assert sql(file, "PRAGMA application_id") == sql(file, "PRAGMA user_version") == [(0,)]


@pytest.mark.parametrize(("durable", "level"), [(False, 1), (True, 2)])
def test_durable_asks_the_disk_after_every_commit(file, durable, level):
    """NORMAL by default, FULL on request."""
    with closing(SqliteStore(file, durable=durable)) as store:
        assert store._link._connection.execute("PRAGMA synchronous").fetchone() == (level,)


def test_what_is_written_is_there_after_opening_again(store, file, write):
    """A commit outlives the store object."""
    done = write.changes(new=2)
    store.commit(done)
    store.close()
    with closing(SqliteStore(str(file))) as again:
        assert again.load("R1", 0) == (done.snapshot, done.events)


def test_an_empty_file_is_new(file, write):
    """A file of no bytes is taken, as SQLite takes it."""
    file.touch()
    with closing(SqliteStore(file)) as store:
        assert store.commit(write.changes()).version == 1


def test_a_file_left_half_made_is_finished(file, write):
    """A process that died before its tables were committed leaves a file that can be used."""
    sql(file, "PRAGMA journal_mode = WAL")
    assert file.stat().st_size > 0
    with closing(SqliteStore(file)) as store:
        assert store.commit(write.changes()).version == 1


def test_a_file_whose_pages_are_all_still_in_its_log_is_ours(store, file, tmp_path, write):
    """After a kill the file proper may be empty of tables; its log tells whose it is."""
    store.commit(write.changes())
    (tmp_path / "left").mkdir()
    for name in ("desk.db", "desk.db-wal"):
        shutil.copy(tmp_path / name, tmp_path / "left" / name)
    with closing(SqliteStore(tmp_path / "left" / "desk.db")) as again:
        assert len(again.find(Query())) == 1


def test_a_closed_store_says_so(store):
    """Using a closed store is an error that names the file."""
    store.close()
    with pytest.raises(StoreError, match=r"desk\.db: the store is closed"):
        store.find(Query())


@pytest.mark.parametrize("path", ["", ":memory:"])
def test_a_store_needs_a_file(path):
    """A database in memory is another store."""
    with pytest.raises(InvalidValue, match="memory://"):
        SqliteStore(path)


# --- what is stored ---

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=5)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@given(fields=st.dictionaries(names, values, max_size=4))
def test_what_is_stored_is_canonical_json(write, fields):
    """The quick writer and RFC 8785 agree, also beyond U+FFFF, and nothing is lost."""
    event = attrs.evolve(write.event("R1", 2), fields=fields)
    stored = written(to_dict(event))
    assert stored.encode() == canonical(to_dict(event))
    assert from_dict(Event, json.loads(stored)) == event


@pytest.mark.parametrize(
    "bad",
    [{"n": 2**53}, {"n": -(10**20)}, {"text": "\ud800"}, {"\udfff": 1}, {"n": [{"a": 9007199254740992}]}],
    ids=str,
)
def test_what_has_no_canonical_json_is_refused(store, write, bad):
    """Numbers beyond 2^53-1 and halves of surrogate pairs are named, and nothing is written."""
    with pytest.raises(InvalidValue):
        store.commit(write.changes(**bad))
    assert store.find(Query()) == ()


def test_half_a_surrogate_pair_is_refused_everywhere(store, write):
    """Also in names and in questions, with an error of ours."""
    half = "\ud800"
    for worse in ({"timers": [write.timer(half, 1)]}, {"messages": [write.message("m", body=half)]}):
        with pytest.raises(InvalidValue):
            store.commit(write.changes(**worse))
    asked = [
        lambda: store.load(half), lambda: store.event(half), lambda: store.next_due(half),
        lambda: store.find(Query(assignee=half)), lambda: store.load("R1", 10**30),
        lambda: store.settle([Settlement(token=f"t.x.{half}", outcome="done")], write.NOW),
    ]  # fmt: skip
    for ask in asked:
        with pytest.raises((InvalidValue, LookupError)):
            ask()
    assert store.find(Query()) == ()


def test_a_snapshot_of_an_older_shape_is_dropped(store, file, write):
    """It is a cache: load gives all events instead, find folds them, the next commit mends it."""
    first = write.changes(new=2, group="first")
    store.commit(first)
    for old in ('{"record": {"shape": "old"}}', "[]", "rubbish", '{"record": 1, "timeline": 2, "fold": 1}'):
        sql(file, f"UPDATE itsm_records SET snapshot = '{old}'")
        assert store.load("R1") == (None, first.events)
        assert store.load("R1", 1) == (None, first.events[1:])
        assert store.find(Query(group="first")) == (first.snapshot.record,)
    second = write.changes(history=first.events)
    store.commit(second)
    assert store.load("R1") == (second.snapshot, ())


def test_an_event_that_cannot_be_read_is_named(store, file, write):
    """Events are the truth: one that is damaged is an error, never skipped."""
    store.commit(write.changes(messages=[write.message("m")]))
    sql(file, "UPDATE itsm_events SET json = '{}'", "UPDATE itsm_messages SET json = '{'")
    for read in (lambda: store.load("R1", 0), lambda: store.event("R1/1"), lambda: store.read(Position(), 9)):
        with pytest.raises(StoreUnreadable, match=r"event .* cannot be read"):
            read()
    with pytest.raises(StoreUnreadable, match="outbox cannot be read"):
        store.claim("message", write.NOW, 1, write.MINUTE, "w")


def test_what_became_of_a_message_stays_in_the_table(store, file, write):
    """Delivery history can be read later: the state, the detail, the attempts; the words cannot."""
    store.commit(write.changes(messages=[write.message(key) for key in "abc"]))
    for outcome in ("retry", "failed", "done"):
        (claim,) = store.claim("message", write.NOW, 1, write.MINUTE, "w")
        told = Settlement(token=claim.token, outcome=outcome, detail=f"so {outcome}", retry_at=write.at(9))
        store.settle([told], write.NOW)
    columns = "key, record, state, attempt, detail, json = ''"
    rows = sql(file, f"SELECT {columns} FROM itsm_messages ORDER BY position")
    assert rows == [
        ("a", "R1", "waiting", 1, "so retry", 0),
        ("b", "R1", "failed", 0, "so failed", 1),
        ("c", "R1", "done", 0, "so done", 1),
    ]


def test_only_what_changed_is_indexed_again(store, write):
    """A record that is due later costs one index entry, and one that only grew costs none."""
    told, said = write.changes(number="1", external_refs=["x"], due=5).events, []
    store.commit(write.changes(number="1", external_refs=["x"], due=5))
    store._link._connection.set_trace_callback(said.append)
    for due in (9, 9):
        done = write.changes(history=told, due=due, note="said")
        store.commit(done)
        told += done.events
    written = [sql for sql in said if sql.startswith(("UPDATE", "DELETE", "INSERT"))]
    assert [sql.split("(")[0].split(" SET ")[0] for sql in written] == [
        "INSERT INTO itsm_events ",
        "UPDATE itsm_records",
    ] * 2
    assert [", due = " in sql for sql in written] == [False, True, False, False]
    assert not any(", number = " in sql for sql in written)


def test_a_snapshot_that_is_known_is_not_parsed_again(store, file, write):
    """One statement tells whether it is still the same; what others left, or did by hand, is seen."""
    told, said = write.changes().events, []
    store.commit(write.changes())
    store._link._connection.set_trace_callback(said.append)
    known = store.load("R1")
    assert [sql.split(" FROM ")[1].split()[0] for sql in said] == ["itsm_records"]
    assert store.load("R1")[0] is known[0]
    with closing(SqliteStore(file)) as other:
        other.commit(write.changes(history=told, note="said by another"))
        assert store.load("R1") == other.load("R1")
        assert store.load("R1")[0].record.version == 2
    sql(file, "UPDATE itsm_records SET snapshot = 'damaged'")
    assert store.load("R1")[0] is None


@pytest.mark.parametrize(
    "asked",
    [
        "number", "customer", "service", "process", "state", "assignee", "group", "requester", "tenant",
        "external_ref", "due_before", "state due_before", "customer due_before after",
    ],
)  # fmt: skip
def test_finding_reads_an_index_and_not_all_records(store, write, asked):
    """Whatever is asked for, SQLite searches; by process alone it walks in the order of ids."""
    criteria = {name: write.NOW if name == "due_before" else "x" for name in asked.split()}
    sql, parameters, _ = next(statements.find(Query(**criteria)))
    plan = [row[3] for row in store._link._connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]
    assert any(step.startswith("SCAN") for step in plan) == (asked == "process"), plan


# --- what is refused and left as it is ---


def of_another_application(file):
    sql(file, "CREATE TABLE theirs (x)", "PRAGMA application_id = 7")


def of_nobody_in_particular(file):
    sql(file, "CREATE TABLE theirs (x)")


def in_wal_mode(file):
    sql(file, "PRAGMA journal_mode = WAL", "CREATE TABLE theirs (x)")


def with_a_journal_beside_it(file):
    sql(file, "PRAGMA journal_mode = PERSIST", "CREATE TABLE theirs (x)")


def newer_with_a_journal_beside_it(file):
    newer(file)
    sql(file, "PRAGMA journal_mode = PERSIST", "CREATE TABLE itsm_more (x)")


def newer(file):
    SqliteStore(file).close()
    sql(file, "UPDATE itsm_schema SET version = 99")


def of_no_version(file):
    SqliteStore(file).close()
    sql(file, "DELETE FROM itsm_schema")


def truncated(file):
    SqliteStore(file).close()
    file.write_bytes(file.read_bytes()[:5000])


def without_its_first_page(file):
    SqliteStore(file).close()
    file.write_bytes(file.read_bytes()[:100] + bytes(4000))


REFUSED = [
    (of_another_application, "belongs to another application"),
    (of_nobody_in_particular, r"SqliteStore\.on\(connection\)"),
    (in_wal_mode, "belongs to another application"),
    (with_a_journal_beside_it, "belongs to another application"),
    (newer_with_a_journal_beside_it, "newer version of itsm_core"),
    (newer, "newer version of itsm_core"),
    (of_no_version, "another version of itsm_core"),
    (truncated, "damaged"),
    (without_its_first_page, "not as we left them|damaged"),
    (lambda file: file.write_text("id,state\n1,new\n"), "no SQLite database"),
    (lambda file: file.write_bytes(random.Random(1).randbytes(9000)), "no SQLite database"),
    (lambda file: file.write_bytes(b"SQLite format 3\0"), "no SQLite database"),
    (lambda file: file.write_bytes(b"SQLite format 3\0" + bytes(5000)), "damaged"),
]


@pytest.mark.parametrize(("spoil", "reason"), REFUSED, ids=range(len(REFUSED)))
def test_a_file_that_is_not_ours_or_not_whole_is_left_as_it_is(file, spoil, reason):
    """It raises StoreUnreadable with file, reason and remedy; not one byte changes."""
    spoil(file)
    before = untouched(file.parent)
    with pytest.raises(StoreUnreadable, match=reason) as refused:
        SqliteStore(file)
    assert str(file) in str(refused.value)
    assert untouched(file.parent) == before


def test_a_foreign_file_in_use_keeps_its_log(file):
    """What the other application has not yet moved from its log stays there."""
    with closing(sqlite3.connect(file, isolation_level=None)) as theirs:
        theirs.execute("PRAGMA journal_mode = WAL")
        theirs.execute("CREATE TABLE theirs (x)")
        before = untouched(file.parent)
        with pytest.raises(StoreUnreadable, match="another application"):
            SqliteStore(file)
        after = untouched(file.parent)
        assert {name: after[name] for name in ("desk.db", "desk.db-wal")} == {
            name: before[name] for name in ("desk.db", "desk.db-wal")
        }
        theirs.execute("INSERT INTO theirs VALUES (1)")


def test_what_a_foreign_application_left_in_its_log_stays_there(file, tmp_path):
    """Its log may hold all it ever wrote: looking moves nothing of it into the file."""
    (tmp_path / "left").mkdir()
    with closing(sqlite3.connect(file, isolation_level=None)) as theirs:
        theirs.execute("PRAGMA journal_mode = WAL")
        theirs.execute("CREATE TABLE theirs (x)")
        for name in ("desk.db", "desk.db-wal"):
            shutil.copy(tmp_path / name, tmp_path / "left" / name)
    before = untouched(tmp_path / "left")
    with pytest.raises(StoreUnreadable, match="another application"):
        SqliteStore(tmp_path / "left" / "desk.db")
    after = untouched(tmp_path / "left")
    assert {name: after.get(name) for name in before} == before


def test_damage_found_later_is_said(store, file, write):
    """Pages overwritten behind our back, and tables dropped, are StoreUnreadable too."""
    for n in range(50):
        store.commit(write.changes(f"R{n}", note="x" * 500))
    store.close()
    whole = file.read_bytes()
    file.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    with closing(SqliteStore(file)) as damaged, pytest.raises(StoreUnreadable, match="damaged"):
        damaged.load("R7", 0)
    file.write_bytes(whole)
    sql(file, "DROP TABLE itsm_events")
    with closing(SqliteStore(file)) as torn, pytest.raises(StoreUnreadable, match="not as we left them"):
        torn.commit(write.changes("R99"))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/proc/desk.db", "cannot be (opened|read|written)"),
        ("{}/no/such/folder/desk.db", "cannot be opened; check that the folder exists"),
        ("{}", "is no file"),
        ("{}/" + "x" * 300 + ".db", "cannot be read"),
    ],
)
def test_a_path_that_cannot_be_written_is_said(tmp_path, path, reason):
    """A read-only folder, a missing folder, a folder in place of a file, and a name too long."""
    with pytest.raises(StoreError, match=reason):
        SqliteStore(path.format(tmp_path))


def test_a_read_only_database_can_be_read_and_not_written(store, write):
    """SQLite's refusal names the file and the remedy."""
    store.commit(write.changes())
    store._link._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError, match="cannot be written; check their permissions"):
        store.commit(write.changes("R2"))
    assert len(store.find(Query())) == 1


def test_a_full_disk_loses_nothing_that_was_committed(store, write):
    """The command is refused whole, and goes through once there is room."""
    store.commit(write.changes())
    connection = store._link._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    large = write.changes("R2", new=3, note="x" * 20000)
    with pytest.raises(StoreError, match="the disk is full"):
        store.commit(large)
    assert [r.id for r in store.find(Query())] == ["R1"]
    connection.execute("PRAGMA max_page_count = 100000")
    assert store.commit(large).version == 3


def test_a_disk_that_is_full_while_the_tables_are_made_is_said(file, monkeypatch, write):
    """SQLite has then ended the transaction by itself; the file is still new once there is room."""
    from itsm_core.stores import connections

    def full(cursor):
        cursor.execute("ROLLBACK")
        raise StoreError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(connections, "_make", full)
        with pytest.raises(StoreError, match="the disk is full"):
            SqliteStore(file)
    with closing(SqliteStore(file)) as store:
        assert store.commit(write.changes()).version == 1


# --- one file, several ways in ---


def test_a_file_restored_from_a_dump_is_ours(store, file, write):
    """The tables say it, so a copy made with `.dump` or VACUUM INTO is as good as the file."""
    done = write.changes()
    store.commit(done)
    with closing(sqlite3.connect(file)) as ours, closing(sqlite3.connect(f"{file}.dump")) as dumped:
        ours.execute("VACUUM INTO ?", (f"{file}.copy",))
        dumped.executescript("\n".join(ours.iterdump()))
    for copy in (f"{file}.dump", f"{file}.copy"):
        with closing(SqliteStore(copy)) as again:
            assert again.load("R1", 0) == (done.snapshot, done.events)
            assert again.commit(write.changes("R2")).version == 1
        assert sql(copy, "PRAGMA journal_mode") == [("wal",)]


def test_a_file_of_ours_can_be_joined(store, file, write):
    """A connection to it is as good as any host's, and its commits are seen."""
    with closing(sqlite3.connect(file)) as connection:
        SqliteStore.on(connection).commit(write.changes())
        connection.commit()
    assert len(store.find(Query())) == 1


def test_a_hosts_file_that_holds_our_tables_can_be_opened_by_path(file, write):
    """A worker may look at what the host's connection keeps; the journal stays the host's choice."""
    with closing(sqlite3.connect(file)) as host:
        host.execute("CREATE TABLE tickets (id TEXT)")
        SqliteStore.on(host).commit(write.changes())
        host.commit()
    with closing(SqliteStore(file)) as worker:
        cursor = worker._link._connection
        assert cursor.execute("PRAGMA synchronous").fetchone() == (2,)
        assert cursor.execute("SELECT count(*) FROM itsm_records").fetchone() == (1,)
    assert sql(file, "PRAGMA journal_mode") == [("delete",)]


def test_a_second_store_in_the_process_takes_no_lock_from_the_first(store, file, write, python):
    """Another process that opens and closes the file meanwhile must not take its log away.

    Were the file ever opened beside SQLite, closing it would let go of this process's locks
    (https://www.sqlite.org/howtocorrupt.html, 2.2), and the next commit would be lost.
    """
    store.commit(write.changes("R1"))
    with closing(SqliteStore(file)):
        subprocess.run([*python, "claim", file, "clock"], check=True)
        store.commit(write.changes("R2"))
    subprocess.run([*python, "commit", file, "w", "1"], stdout=subprocess.DEVNULL, check=True)
    assert sql(file, "SELECT id FROM itsm_records ORDER BY id") == [("R1",), ("R2",), ("w.0",)]
    assert len(store.find(Query())) == 3


def test_what_a_crash_left_in_a_rollback_journal_is_undone(store, file, tmp_path, write):
    """Where WAL cannot be had, a crash leaves a journal; opening takes back what was half written."""
    store.commit(write.changes())
    store.close()
    sql(file, "PRAGMA journal_mode = DELETE")
    (tmp_path / "left").mkdir()
    with closing(sqlite3.connect(file, isolation_level=None)) as crashing:
        crashing.execute("PRAGMA cache_size = 1")
        crashing.execute("BEGIN")
        crashing.execute("UPDATE itsm_schema SET version = 99")
        crashing.execute("CREATE TABLE large (x)")
        crashing.execute("INSERT INTO large VALUES (zeroblob(200000))")
        for name in ("desk.db", "desk.db-journal"):
            shutil.copy(tmp_path / name, tmp_path / "left" / name)
    with closing(SqliteStore(tmp_path / "left" / "desk.db")) as again:
        assert len(again.find(Query())) == 1


# --- who waits for whom ---


def test_a_lock_held_too_long_is_store_busy(store, file, write, python):
    """Writers wait and then say so; readers are not held up; opening is not either."""
    store.commit(write.changes(timers=[write.timer("t", 0)]))
    with subprocess.Popen([*python, "hold", file], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline().strip() == b"held"
        with pytest.raises(StoreBusy, match=r"desk\.db: another process holds it"):
            store.commit(write.changes("R2"))
        with pytest.raises(StoreBusy):
            store.claim("clock", write.NOW, 1, write.MINUTE, "w")
        assert store.claim("other", write.NOW, 1, write.MINUTE, "w") == ()
        assert len(store.find(Query())) == 1
        with closing(SqliteStore(file)) as other:
            assert len(other.find(Query())) == 1
        holder.stdin.close()
    assert store.commit(write.changes("R2")).version == 1


def test_opening_waits_for_who_is_just_making_the_file(file, write):
    """A new file that another connection holds is StoreBusy, or opened once it lets go."""
    maker = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    maker.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreBusy):
        SqliteStore(file, busy_timeout=write.MINUTE / 600)
    release = threading.Timer(0.2, maker.execute, ["ROLLBACK"])
    release.start()
    SqliteStore(file).close()
    release.join()
    maker.close()


def test_a_lock_that_sqlite_does_not_wait_for_is_waited_for(file, monkeypatch):
    """Changing to WAL may be refused at once; the store tries again until its time is over."""
    from itsm_core.stores.connections import OwnFile

    connect, refusals = OwnFile._connect, iter([StoreBusy("locked")] * 2)

    def refused_twice(link):
        for refusal in refusals:
            raise refusal
        return connect(link)

    monkeypatch.setattr(OwnFile, "_connect", refused_twice)
    SqliteStore(file).close()


def test_a_file_that_another_made_meanwhile_is_not_made_again(file, monkeypatch):
    """Between looking and locking another process may have made the tables, or other tables."""
    from itsm_core.stores import connections

    SqliteStore(file).close()
    theirs = file.with_name("theirs.db")
    of_nobody_in_particular(theirs)
    contents = connections._contents
    monkeypatch.setattr(connections, "inspect", lambda path, wait: None)
    for path in (file, theirs):
        seen = iter([(None, 0)])
        monkeypatch.setattr(connections, "_contents", lambda c, seen=seen: next(seen, None) or contents(c))
        if path == file:
            SqliteStore(path).close()
            continue
        with pytest.raises(StoreUnreadable, match="another application"):
            SqliteStore(path)
    assert sql(theirs, "SELECT count(*) FROM sqlite_master") == [(1,)]


def test_four_processes_make_and_fill_one_file(file, python):
    """They all find the file missing; none fails and no event is lost."""
    workers = [
        subprocess.Popen([*python, "commit", file, f"w{n}", "20"], stdout=subprocess.PIPE) for n in range(4)
    ]
    said = [worker.communicate()[0].split() for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 4
    assert [len(words) for words in said] == [80] * 4
    assert sql(file, "SELECT count(*), count(DISTINCT id) FROM itsm_events") == [(320, 320)]


def test_two_processes_claim_without_overlap(store, file, write, python):
    """Each of 300 timers and 300 messages is said by exactly one process."""
    timers = [write.timer(f"t{n}", 0) for n in range(300)]
    store.commit(write.changes(timers=timers, messages=[write.message(f"m{n}") for n in range(300)]))
    workers = [
        subprocess.Popen([*python, "claim", file, kind], stdout=subprocess.PIPE, text=True)
        for kind in ("clock", "message") * 2
    ]
    said = [worker.communicate()[0].split() for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 4
    assert sorted(name for names in said for name in names) == sorted(
        f"{kind}{n}" for kind in "tm" for n in range(300)
    )


@pytest.mark.parametrize("kills", [10, pytest.param(200, marks=pytest.mark.nightly)])
def test_kills_lose_no_acknowledged_commit(store, file, python, kills):
    """SIGKILL in mid load: every commit that was said is there, and none is there in part.

    Every message that was committed is claimed, once and under its one key.
    """
    luck, acknowledged = random.Random(7), {}
    for turn in range(kills):
        with subprocess.Popen(
            [*python, "commit", file, f"k{turn}", "0"], stdout=subprocess.PIPE, text=True
        ) as worker:
            said = [worker.stdout.readline() for _ in range(luck.randint(1, 300))]
            worker.kill()
            said += worker.stdout.read().splitlines(keepends=True)
        acknowledged |= dict(line.split() for line in said if line.endswith("\n"))
    assert sql(file, "PRAGMA integrity_check") == [("ok",)]
    histories = dict(sql(file, "SELECT record, max(seq) FROM itsm_events GROUP BY record"))
    assert [r for r, version in acknowledged.items() if histories.get(r, 0) < int(version)] == []
    assert dict(sql(file, "SELECT id, version FROM itsm_records")) == histories
    assert set(histories.values()) <= {1, 4}
    each = "SELECT record || '/' || seq FROM itsm_events ORDER BY 1"
    assert sql(file, each) == sql(file, "SELECT id FROM itsm_timers ORDER BY 1")
    assert sql(file, each) == sql(file, "SELECT key FROM itsm_messages ORDER BY 1")
    far, claimed = dt.datetime(2100, 1, 1, tzinfo=dt.UTC), []
    while claims := store.claim("message", far, 1000, dt.timedelta(minutes=1), "after"):
        claimed += [claim.item.key for claim in claims]
        store.settle([Settlement(token=claim.token, outcome="done") for claim in claims], far)
    assert sorted(claimed) == [key for (key,) in sql(file, "SELECT key FROM itsm_messages ORDER BY 1")]
    whole = next(record for record, version in histories.items() if version == 4)
    assert store.load(whole, 0)[0].record.version == len(store.load(whole, 0)[1]) == 4


def test_a_forked_process_opens_a_connection_of_its_own(file, python):
    """A store made before a fork can be used on both sides of it."""
    assert subprocess.run([*python, "fork", file], stdout=subprocess.PIPE, check=True).stdout.strip() == b"0"
    assert sql(file, "SELECT count(*) FROM itsm_events") == [(41,)]
    assert sql(file, "PRAGMA integrity_check") == [("ok",)]


def test_threads_that_fork_at_once_wait_for_one_another(file, python):
    """Each fork closes what is open and holds the stores: two at once would each hold what the other waits for."""
    done = subprocess.run([*python, "fork_in_threads", file], stdout=subprocess.PIPE, check=True, timeout=400)
    assert done.stdout.split() == [b"120", b"60"]
    assert sql(file, "PRAGMA integrity_check") == [("ok",)]


def test_no_connection_is_carried_across_a_fork(store, write):
    """Before a fork it is closed and held; afterwards it is opened again when it is needed."""
    from itsm_core.stores import connections

    link = store._link
    connections._before_fork()
    assert link._connection is None
    assert not link._lock.acquire(blocking=False)
    connections._after_fork()
    assert link._connection is None
    store.commit(write.changes())
    assert link._connection is not None
    store.close()
    connections._before_fork()
    connections._after_fork()
    with pytest.raises(StoreError, match="closed"):
        store.find(Query())


def test_an_interrupted_commit_leaves_nothing(store, write, monkeypatch):
    """An exception from anywhere, here Ctrl-C between two statements, rolls all of it back."""

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(statements, "_timer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.commit(write.changes(timers=[write.timer("t", 1)]))
    assert store.find(Query()) == ()
    assert store.event("R1/1") is None


@pytest.mark.parametrize("joined", [False, True])
def test_a_commit_interrupted_while_it_waits_leaves_the_file_to_others(store, file, write, joined):
    """Ctrl-C is heard once the lock is got: it is let go, and this store and others go on writing."""

    def interrupt_and_release():
        _thread.interrupt_main()
        holder.execute("ROLLBACK")

    holder = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.5, interrupt_and_release)
    with closing(sqlite3.connect(file, timeout=60)) as host, closing(holder):
        waiting = SqliteStore.on(host) if joined else SqliteStore(file, busy_timeout=write.MINUTE)
        release.start()
        with pytest.raises(KeyboardInterrupt):
            waiting.commit(write.changes())
        release.join()
        assert store.commit(write.changes("R2")).version == 1
        assert waiting.commit(write.changes("R3")).version == 1
        waiting.close()


@pytest.mark.parametrize("joined", [False, True])
def test_an_interrupted_read_does_not_go_on_seeing_what_it_saw(store, file, write, monkeypatch, joined):
    """However long the error is kept, as a notebook keeps it, what others write is seen and written after."""
    store.commit(write.changes(new=2))
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        reader = SqliteStore.on(connection) if joined else SqliteStore(file)
        asked = connection if joined else reader._link._connection
        asked.create_function("pressed_ctrl_c", 0, _thread.interrupt_main)
        monkeypatch.setattr(statements, "_HISTORY", f"{statements._HISTORY}, pressed_ctrl_c()")
        with pytest.raises(KeyboardInterrupt) as kept:
            reader.load("R1", 0)
        monkeypatch.undo()
        store.commit(write.changes("R2"))
        assert [record.id for record in reader.find(Query())] == ["R1", "R2"]
        assert reader.commit(write.changes("R3")).version == 1
        reader.close()
    assert kept.value is not None


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on the size of files")
@pytest.mark.parametrize("kilobytes", [4, 16, 32, 64])
def test_a_file_that_cannot_grow_while_its_tables_are_made_is_said(file, write, kilobytes):
    """What happened is said, nothing is stored, and once there is room the same file does."""
    script = (
        "import resource, sys; from itsm_core.stores.sqlite import SqliteStore\n"
        "from itsm_core.errors import StoreError, StoreUnreadable\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({kilobytes * 1024},) * 2)\n"
        "try: SqliteStore(sys.argv[1])\n"
        "except StoreError as wrong: print(type(wrong).__name__, wrong)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("StoreError ")
    assert "the file cannot grow; nothing of the command was written" in done.stdout
    with closing(SqliteStore(file)) as store:
        assert store.find(Query()) == ()
        assert store.commit(write.changes()).version == 1
