"""PostgreSQL on a connection of our own: what is lost, held, too old, too long or not ours."""

import random
import re
import signal
import socket
import statistics
import subprocess
import threading
import time
from concurrent import futures
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from itsm_core import stores
from itsm_core.errors import InvalidValue, StoreBusy, StoreError, StoreUnreadable, VersionConflict
from itsm_core.ports import Committed, Position, Query, Settlement
from itsm_core.stores import dialects
from itsm_core.stores.postgres import PostgresStore


@pytest.fixture
def url(postgres):
    """A schema of its own."""
    return postgres()


@pytest.fixture
def store(url):
    """A store in it."""
    with closing(PostgresStore(url)) as store:
        yield store


@pytest.fixture
def sql(url):
    """Runs a statement behind the store's back; gives its rows."""
    with psycopg.connect(url, autocommit=True) as connection:

        def run(statement, *parameters):
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

        yield run


def process_of(store):
    """The server process at the other end of a store's connection."""
    return store._link._connection.info.backend_pid


# --- opening ---


def test_a_url_opens_a_store(url, write):
    """Either spelling of the scheme; what was written is there after opening again."""
    with closing(stores.open(url, busy_timeout=write.MINUTE)) as store:
        done = write.changes()
        store.commit(done)
    with closing(stores.open(url.replace("postgresql:", "postgres:"))) as store:
        assert store.load("R1", 0) == (done.snapshot, done.events)
    assert stores.PostgresStore is PostgresStore


def test_without_the_driver_the_error_says_what_to_install(monkeypatch):
    """Asking for the store without its extra."""
    monkeypatch.setitem(__import__("sys").modules, "itsm_core.stores.postgres", None)
    with pytest.raises(ImportError, match=r"pip install 'itsm-core\[postgres\]'"):
        stores.open("postgresql://host/db")


def test_what_cannot_be_reached_is_said_without_the_password(postgres_server):
    """Database and host are named; the password is in no word of the error."""
    wrong = "postgresql://ana:geheim@127.0.0.1:1/desk"
    with pytest.raises(StoreError, match=r"database desk at 127\.0\.0\.1: cannot be reached") as refused:
        PostgresStore(wrong)
    assert "geheim" not in str(refused.value)
    with pytest.raises(StoreError, match="no_such_database"):
        PostgresStore(make_conninfo(postgres_server, dbname="no_such_database"))


def test_what_is_no_connection_string_is_refused_without_the_password():
    """A typing error in an option is no reason to print a secret."""
    with pytest.raises(InvalidValue, match="is no connection string of PostgreSQL") as refused:
        stores.open("postgresql://ana:geheim@host/db?no_such_option=1")
    assert "geheim" not in repr(refused.value)
    assert refused.value.__cause__ is None


def test_a_database_of_another_encoding_is_refused(postgres_server):
    """What the server cannot keep it must not be given."""
    name = f"latin_{time.time_ns()}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        try:
            with pytest.raises(StoreError, match="its server_encoding is LATIN1"):
                PostgresStore(make_conninfo(postgres_server, dbname=name))
        finally:
            connection.execute(f"DROP DATABASE {name}")


@pytest.mark.parametrize(("version", "word"), [(99, "a newer"), (1, "another"), (None, "another")])
def test_tables_of_another_version_are_refused(store, url, sql, version, word):
    """A schema that another version of ours has been at is left as it is."""
    sql("UPDATE itsm_schema SET version = %s", version) if version else sql("DELETE FROM itsm_schema")
    with pytest.raises(StoreUnreadable, match=f"{word} version of itsm_core"):
        PostgresStore(url)


def test_tables_that_are_not_ours_are_unreadable(store, sql, write):
    """A column that is gone, a table that is gone: restore a backup."""
    sql("ALTER TABLE itsm_records RENAME snapshot TO picture")
    with pytest.raises(StoreUnreadable, match="not as we left them"):
        store.commit(write.changes())
    sql("DROP TABLE itsm_timers")
    with pytest.raises(StoreUnreadable, match="not as we left them"):
        store.next_due("clock")


def test_processes_may_make_the_tables_at_once(url, python):
    """All find them missing; one makes them and the others use them."""
    workers = [
        subprocess.Popen([*python, "commit", url, f"w{n}", "5"], stdout=subprocess.PIPE) for n in range(4)
    ]
    assert [len(worker.communicate()[0].splitlines()) for worker in workers] == [10] * 4
    assert [worker.returncode for worker in workers] == [0] * 4


def test_a_user_who_may_not_make_tables_is_told(store, postgres_server, url, sql):
    """A right that is missing is named by the server, and the remedy by us."""
    role = f"reader_{time.time_ns()}"
    schema = sql("SELECT current_schema()")[0][0]
    sql(f"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {role}")
    try:
        with pytest.raises(StoreError, match="this user may not do that; grant it the right"):
            PostgresStore(make_conninfo(url, user=role))
    finally:
        sql(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_search_path_that_leads_nowhere_is_said(postgres_server):
    """Tables need a schema."""
    with pytest.raises(StoreError, match="there is no schema to make tables in"):
        PostgresStore(make_conninfo(postgres_server, options="-csearch_path=nowhere"))


def test_a_server_that_only_reads_is_said(url, store, write):
    """As a standby does: reading goes on, writing is refused."""
    reading = make_conninfo(
        url, options=conninfo_to_dict(url)["options"] + " -cdefault_transaction_read_only=on"
    )
    with closing(PostgresStore(reading)) as standby:
        assert standby.find(Query()) == ()
        with pytest.raises(StoreError, match="it only reads; name the server that takes writes"):
            standby.commit(write.changes())


def test_a_closed_store_says_so(store):
    """Using a closed store is an error that names the database."""
    store.close()
    with pytest.raises(StoreError, match=r"PostgreSQL database \w+ at .*: the store is closed"):
        store.find(Query())


# --- lost connections ---


def test_a_connection_lost_while_idle_is_made_anew(store, sql, write):
    """Reading, writing, claiming: each goes on, on a new connection."""
    first = write.changes(timers=[write.timer("t", 0)])
    for use in (
        lambda: store.commit(first).version == 1,
        lambda: store.load("R1")[0] == first.snapshot,
        lambda: len(store.claim("clock", write.at(1), 1, write.MINUTE, "w")) == 1,
    ):
        lost = process_of(store)
        sql("SELECT pg_terminate_backend(%s, 1000)", lost)
        assert use()
        assert process_of(store) != lost


def test_what_fails_on_the_new_connection_too_is_said(store, sql):
    """A lost connection hides no other error."""
    sql("DROP TABLE itsm_timers")
    sql("SELECT pg_terminate_backend(%s, 1000)", process_of(store))
    with pytest.raises(StoreUnreadable, match="not as we left them"):
        store.next_due("clock")


@contextmanager
def proxy(url, folder, answer=None):
    """A way to the server that is cut once the client has said COMMIT; gives its URL and what it saw.

    `answer` says whether the server hears the COMMIT before the way is cut; None leaves it whole.
    """
    there = f"{conninfo_to_dict(url)['host']}/.s.PGSQL.5432"
    seen = {"answer": answer}
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(folder / ".s.PGSQL.5432"))
        door.listen()
        threading.Thread(target=_serve, args=(door, there, seen), daemon=True).start()
        yield make_conninfo(url, host=str(folder)), seen
        door.shutdown(socket.SHUT_RDWR)


def _serve(door, there, seen):
    while True:
        try:
            client = door.accept()[0]
        except OSError:
            return
        server = socket.socket(socket.AF_UNIX)
        server.connect(there)
        threading.Thread(target=_pass_back, args=(server, client), daemon=True).start()
        threading.Thread(target=_pass_on, args=(client, server, seen), daemon=True).start()


def _pass_back(server, client):
    with client, suppress(OSError):
        while said := server.recv(65536):
            client.sendall(said)


def _pass_on(client, server, seen):
    with server, suppress(OSError):
        while said := client.recv(65536):
            if b"COMMIT\0" in said and seen["answer"] is not None:
                client.shutdown(socket.SHUT_RDWR)
                if not seen["answer"]:
                    break
                server.sendall(said)
                time.sleep(0.2)
                break
            server.sendall(said)
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def short(tmp_path_factory):
    """A folder whose name is short enough for a socket."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        yield Path(folder)


@pytest.mark.parametrize("written", [True, False])
def test_a_connection_lost_in_the_middle_of_a_commit_is_safe(url, short, write, written):
    """Nobody can tell whether it was written; the same events again give the first result."""
    if "host=/" not in url.replace("%2F", "/"):
        pytest.skip("the proxy stands before a server on a socket")
    with proxy(url, short) as (through, seen), closing(PostgresStore(through)) as store:
        done = write.changes(messages=[write.message("m")])
        seen["answer"] = written
        with pytest.raises(
            StoreError, match="the connection was lost; repeat the command with its command_id"
        ):
            store.commit(done)
        seen["answer"] = None
        assert store.commit(done) == Committed(record="R1", version=1, repeated=written)
        assert store.read(Position(), 9)[0] == done.events
        assert len(store.claim("message", write.at(1), 9, write.MINUTE, "w")) == 1


def test_a_server_that_is_gone_is_said_once_and_for_each_use(url, short, write):
    """Neither reading nor writing hangs, and both work again once it is back."""
    if "host=/" not in url.replace("%2F", "/"):
        pytest.skip("the proxy stands before a server on a socket")
    with proxy(url, short) as (through, _), closing(PostgresStore(through)) as store:
        lost = process_of(store)
        (short / ".s.PGSQL.5432").rename(short / "away")
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 1000)", [lost])
        for _ in range(2):
            with pytest.raises(StoreError, match="cannot be reached"):
                store.find(Query())
            with pytest.raises(StoreError, match="cannot be reached"):
                store.commit(write.changes())
        (short / "away").rename(short / ".s.PGSQL.5432")
        assert store.commit(write.changes()).version == 1


def test_an_interrupted_commit_leaves_nothing(store, write, monkeypatch):
    """An exception from anywhere, here Ctrl-C between two statements, rolls all of it back."""
    from itsm_core.stores import statements

    def interrupted(timer):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(statements, "_timer", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.commit(write.changes(timers=[write.timer("t", 1)]))
    assert store.find(Query()) == ()
    assert store.commit(write.changes()).version == 1


def test_a_connection_left_within_a_transaction_is_not_used_again(store, write):
    """What an interrupted rollback left open would swallow the next commit."""
    store._link._connection.execute("BEGIN")
    left = process_of(store)
    store.commit(write.changes())
    assert process_of(store) != left
    assert len(store.find(Query())) == 1


def test_a_forked_process_opens_a_connection_of_its_own(url, sql, python):
    """A store made before a fork can be used on both sides of it."""
    done = subprocess.run([*python, "fork", url], stdout=subprocess.PIPE, check=True)
    assert done.stdout.strip() == b"0"
    assert sql("SELECT count(*) FROM itsm_events") == [(41,)]


def test_after_a_fork_the_parents_connection_is_left_alone(store, write):
    """The child neither closes nor uses it."""
    from itsm_core.stores import postgres

    parents = store._link._connection
    postgres._after_fork()
    assert store._link._connection is None
    store.commit(write.changes())
    assert store._link._connection is not parents
    assert not parents.closed
    postgres._LEFT.remove(parents)
    parents.close()
    postgres._after_fork()
    store._link._connection, last = postgres._LEFT.pop(), store._link._connection
    assert last is None


def test_a_store_that_was_forked_and_never_used_can_be_closed(store):
    """There is nothing to let go of."""
    from itsm_core.stores import postgres

    parents = store._link._connection
    postgres._after_fork()
    store.close()
    assert not parents.closed  # it is the other process's
    postgres._LEFT.remove(parents)
    parents.close()


# --- waiting for others ---


def test_a_lock_held_too_long_is_store_busy(store, url, sql, write):
    """Another session that sits on the record, and on the tables while they are made."""
    store.commit(write.changes())
    with (
        psycopg.connect(url) as other,
        closing(PostgresStore(url, busy_timeout=write.MINUTE / 600)) as waiting,
    ):
        other.execute("SELECT * FROM itsm_records FOR UPDATE")
        with pytest.raises(StoreBusy, match="another session holds it and did not let go in time"):
            waiting.commit(write.changes(history=write.changes().events))
    assert store.commit(write.changes(history=write.changes().events)).version == 2


def test_a_serialization_failure_is_decided_again(url, write):
    """Where the server isolates more than we ask, a commit that lost the race says who won."""
    strict = make_conninfo(
        url, options=conninfo_to_dict(url)["options"] + " -cdefault_transaction_isolation=serializable"
    )
    with closing(PostgresStore(strict)) as store, psycopg.connect(url) as other:
        store.commit(write.changes())
        PostgresStore.on(other).commit(write.changes(history=write.changes().events, ids=["theirs"]))
        threading.Timer(0.2, other.commit).start()
        with pytest.raises(VersionConflict):
            store.commit(write.changes(history=write.changes().events, ids=["ours"]))


def test_a_database_that_serializes_by_default_refuses_no_commit_for_it(url, write):
    """Four stores write records of their own, to one outbox, on a database whose default is the strictest."""
    strict = f"{url}%20-cdefault_transaction_isolation%3Dserializable"

    def commits(worker):
        with closing(PostgresStore(strict)) as store:
            for n in range(20):
                name = f"{worker}.{n}"
                store.commit(write.changes(name, messages=[write.message(name, record=name)]))

    with futures.ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(commits, worker) for worker in range(4)]:
            done.result()
    with closing(PostgresStore(url)) as store:
        events, _ = store.read(Position(), 100)
    assert {event.record for event in events} == {f"{worker}.{n}" for worker in range(4) for n in range(20)}


@pytest.mark.parametrize("same", [True, False])
def test_of_two_who_open_one_record_at_once_the_second_is_answered(url, store, write, same):
    """The one who waits sees what the first wrote: a repeat of it, or a conflict."""
    with psycopg.connect(url) as other:
        PostgresStore.on(other).commit(write.changes(ids=["command-1"]))
        threading.Timer(0.2, other.commit).start()
        if same:
            assert store.commit(write.changes("R2", ids=["command-1"])) == Committed(
                record="R1", version=1, repeated=True
            )
        else:
            with pytest.raises(VersionConflict):
                store.commit(write.changes(ids=["command-2"]))
    assert len(store.read(Position(), 9)[0]) == 1


def test_a_deadlock_is_broken_and_decided_again(url, write):
    """Two commits that send the same messages in opposite order both succeed."""
    with closing(PostgresStore(url)) as store, psycopg.connect(url) as other:
        theirs = PostgresStore.on(other)
        theirs.commit(write.changes("R1", messages=[write.message("a")]))
        ours = write.changes(
            "R2", messages=[write.message("b", record="R2"), write.message("a", record="R2")]
        )
        done = []
        thread = threading.Thread(target=lambda: done.append(store.commit(ours)))
        thread.start()
        while not other.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchall():
            time.sleep(0.01)
        with suppress(StoreBusy):  # the server chooses who gives way
            theirs.commit(write.changes("R3", messages=[write.message("b", record="R3")]))
        other.commit()
        thread.join()
        assert done == [Committed(record="R2", version=1)]


def test_a_reader_waits_for_the_oldest_open_transaction(url, store, write):
    """What commits late is not jumped over: nothing behind it is given before it."""
    with psycopg.connect(url) as late:
        PostgresStore.on(late).commit(write.changes("late"))
        store.commit(write.changes("early"))
        assert store.read(Position(), 9) == ((), Position())
        late.commit()
    events, end = store.read(Position(), 9)
    assert [event.record for event in events] == ["late", "early"]
    assert store.read(end, 9) == ((), end)


def follow(url, store, python, count, *, polls=True):
    """What a reader sees of four writers, each 10 ms or at their end only; and what each of them took."""
    writers = [
        subprocess.Popen([*python, "dawdle", url, f"w{n}", str(count)], stdout=subprocess.PIPE)
        for n in range(4)
    ]
    for writer in () if polls else writers:
        writer.wait()
    seen, position = [], Position()
    while True:
        done = all(writer.poll() is not None for writer in writers)
        page, position = store.read(position, 500)
        seen += [event.record for event in page]
        if done and not page:
            break
        time.sleep(0.01 if len(page) < 500 else 0)
    seconds = [float(writer.communicate()[0]) for writer in writers]
    assert sorted(seen) == sorted(f"w{n}.{turn}" for n in range(4) for turn in range(count))
    return seconds


def test_a_reader_misses_nothing_of_writers_who_dawdle(url, store, python):
    """Four processes, each fifth transaction held open, a poll every 10 ms: 0 of 2,000 are missed."""
    assert len(follow(url, store, python, 500)) == 4


@pytest.mark.nightly
def test_a_reader_costs_writers_little(postgres, python):
    """0 of 20,000 are missed, and writers keep 80 % of their speed without a reader (median of 5)."""
    rates = {False: [], True: []}
    for _ in range(5):
        for polls, those in rates.items():
            url = postgres()
            with closing(PostgresStore(url)) as store:
                those.append(20_000 / max(follow(url, store, python, 5000, polls=polls)))
    alone, followed = (statistics.median(those) for those in rates.values())
    figure = f"{followed:,.0f} events/s beside a reader, {followed / alone:.2f} of {alone:,.0f} without"
    print(figure)
    assert followed >= 0.8 * alone, figure


def test_four_workers_claim_without_overlap(url, store, write, python):
    """Each timer and each message goes to one process, and none is left."""
    for n in range(10):
        names = [f"{n}.{m}" for m in range(40)]
        record = f"R{n}"
        store.commit(
            write.changes(
                record,
                timers=[write.timer(name, 0, record=record) for name in names],
                messages=[write.message(name, record=record) for name in names],
            )
        )
    for kind in ("clock", "message"):
        workers = [
            subprocess.Popen([*python, "claim", url, kind], stdout=subprocess.PIPE, text=True)
            for _ in range(4)
        ]
        taken = [line for worker in workers for line in worker.communicate()[0].split()]
        assert sorted(taken) == sorted(f"{n}.{m}" for n in range(10) for m in range(40))
        assert store.next_due(kind) is None


def test_what_another_just_takes_is_passed_over(url, store, write):
    """A claim does not wait for one that is still open; it takes what is left."""
    store.commit(write.changes(timers=[write.timer(name, 0) for name in "abc"]))
    with psycopg.connect(url) as other:
        assert len(PostgresStore.on(other).claim("clock", write.at(1), 2, write.MINUTE, "w")) == 2
        assert [c.item.id for c in store.claim("clock", write.at(1), 9, write.MINUTE, "v")] == ["c"]
        assert store.claim("clock", write.at(1), 9, write.MINUTE, "v") == ()


def kills(url, sql, python, turns):
    """SIGKILL at random points; every commit that was said is there, and none is there in part."""
    luck, acknowledged = random.Random(7), {}
    for turn in range(turns):
        with subprocess.Popen(
            [*python, "commit", url, f"k{turn}", "0"], stdout=subprocess.PIPE, text=True
        ) as worker:
            said = [worker.stdout.readline() for _ in range(luck.randint(1, 60))]
            worker.send_signal(signal.SIGKILL)
            said += worker.stdout.read().splitlines(keepends=True)
        acknowledged |= dict(line.split() for line in said if line.endswith("\n"))
    while sql(
        "SELECT 1 FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state LIKE '%%transaction%%'"
    ):
        time.sleep(0.01)
    histories = dict(sql("SELECT record, max(seq) FROM itsm_events GROUP BY record"))
    assert [r for r, version in acknowledged.items() if histories.get(r, 0) < int(version)] == []
    assert dict(sql("SELECT id, version FROM itsm_records")) == histories
    assert set(histories.values()) <= {1, 4}
    each = sql("SELECT record || '/' || seq FROM itsm_events ORDER BY 1")
    assert each == sql("SELECT id FROM itsm_timers ORDER BY 1")
    assert each == sql("SELECT key FROM itsm_messages ORDER BY 1")


def test_ten_kills_lose_no_acknowledged_commit(url, sql, python):
    """Ten processes killed in mid load."""
    kills(url, sql, python, 10)


@pytest.mark.nightly
def test_fifty_kills_lose_no_acknowledged_commit(url, sql, python):
    """Fifty processes killed in mid load."""
    kills(url, sql, python, 50)


# --- text and numbers ---


def test_ids_are_ordered_as_everywhere(store, write):
    """By code point, whatever the database's language; characters that it lacks included."""
    ids = ["a", "B", "é", "z", "a\0b", "a\1b", "a\1", "ab", "Ä", "🙂", "\uffff"]
    for name in ids:
        store.commit(write.changes(name))
    assert [record.id for record in store.find(write.ALL)] == sorted(ids)


@pytest.mark.parametrize("place", ["id", "assignee", "number", "ref"])
def test_what_is_too_long_to_be_found_is_refused_whole(store, write, place):
    """An index has room for some 2,000 bytes; titles and texts have no such limit."""
    long = "".join(random.Random(1).choices("0123456789abcdef", k=9000))
    fields = {
        "id": {"ids": [long]},
        "assignee": {"assignee": long},
        "number": {"number": long},
        "ref": {"external_refs": [long]},
    }[place]
    with pytest.raises(InvalidValue, match="is too long; ids and what a record is found by"):
        store.commit(write.changes(**fields))
    assert store.read(Position(), 9)[0] == store.find(Query()) == ()
    assert store.commit(write.changes(title=long * 100)).version == 1


def test_half_a_surrogate_pair_and_too_large_a_number_are_refused(store, write):
    """Neither has a place in the database; nothing is written."""
    with pytest.raises(InvalidValue, match="valid Unicode"):
        store.commit(write.changes(timers=[write.timer("\ud800", 1)]))
    with pytest.raises(InvalidValue, match="cannot be stored"):
        store.find(Query(assignee="\ud800"))
    with pytest.raises(InvalidValue, match="64-bit"):
        store.read(Position(), 2**63)
    assert store.find(Query()) == ()


@pytest.mark.parametrize("token", ["5", "5.", ".5", "5.6.7", "9" * 19 + ".1", "1." + "9" * 30])
def test_a_position_of_another_store_is_refused(store, token):
    """A transaction and a number in it, and neither larger than a counter gets."""
    with pytest.raises(InvalidValue, match="was not given by this store"):
        store.read(Position(token=token), 1)


def test_a_position_ahead_of_the_server_is_refused(store, write):
    """A reader of another server, or of a database that was set back, hears of it before it misses events."""
    store.commit(write.changes())
    with pytest.raises(InvalidValue, match="ahead of all that this server wrote"):
        store.read(Position(token=f"{2**50}.1"), 10)
    _, end = store.read(Position(), 10)
    assert store.read(end, 10) == ((), end)


def test_a_log_that_another_server_wrote_is_refused_until_it_is_numbered_anew(url, store, sql, write):
    """After pg_restore the transactions of the events lie ahead of the new server's: no reader sees them."""
    for record in ("R2", "R1"):
        store.commit(write.changes(record))
    sql("UPDATE itsm_events SET tx = (tx::text::bigint + 1000000000)::text::xid8")
    with pytest.raises(StoreUnreadable, match="the transactions of another server") as refused:
        PostgresStore(url)
    (remedy,) = re.findall(r"UPDATE .+'", str(refused.value))
    sql(remedy)
    with closing(PostgresStore(url)) as opened:
        page, place = opened.read(Position(), 10)
        assert [event.id for event in page] == ["R2/1", "R1/1"]
        opened.commit(write.changes("R3"))
        assert [event.id for event in opened.read(place, 10)[0]] == ["R3/1"]


def test_what_became_of_a_message_stays_in_the_table(store, sql, write):
    """A host may ask with SQL what was sent, and why not; the words are gone."""
    store.commit(write.changes(messages=[write.message("m")]))
    claims = store.claim("message", write.at(1), 1, write.MINUTE, "w")
    store.settle(
        [Settlement(token=claims[0].token, outcome="failed", detail="550 no such user")], write.at(2)
    )
    assert sql("SELECT key, state, detail, worker, json FROM itsm_messages") == [
        ("m", "failed", "550 no such user", "w", "")
    ]


@pytest.mark.parametrize(
    "asked", ["SELECT json FROM itsm_events WHERE record = 'R' AND seq > 1", dialects.POSTGRES.read]
)
def test_the_log_is_read_through_an_index(store, sql, asked):
    """Neither a history nor a page of the log reads all events."""
    asked = asked.replace("?::xid8, ?", "'1'::xid8, 1").replace("?", "10")
    sql("SET enable_seqscan = off")
    plan = "\n".join(row[0] for row in sql(f"EXPLAIN {asked.replace('%', '%%')}"))
    assert "Seq Scan" not in plan
    assert "Sort" not in plan
    assert re.search(r'Index Cond: \(+(ROW\(tx, "position"\)|record)', plan), plan
