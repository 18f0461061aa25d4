"""What a test lets another process do to a store, and kills if need be.

worker.py commit FILE NAME COUNT    commits, and says each record and version
worker.py claim FILE KIND           claims and settles until nothing is left, and says what
worker.py hold FILE                 holds the write lock until its input ends
worker.py fork FILE                 commits before and after a fork, in parent and child
worker.py fork_in_threads FILE      commits in some threads while others fork, and says how often both were done
worker.py fork_awaited URL          commits before and after a fork, in parent and child, on a store that is awaited
worker.py dawdle URL NAME COUNT     commits on PostgreSQL, and leaves each fifth transaction open for a while

FILE may be the URL of a database for all but `hold`.
"""

import asyncio
import itertools
import os
import random
import sqlite3
import sys
import threading
import time
from contextlib import closing

import psycopg

from conftest import MINUTE, at, changes, message, timer
from itsm_core.ports import Settlement
from itsm_core.stores import open_async
from itsm_core.stores.postgres import PostgresStore
from itsm_core.stores.sqlite import SqliteStore


def opened(place):
    """The store in a file or behind a URL."""
    return PostgresStore(place) if "://" in place else SqliteStore(place)


def say(*words):
    """One line, at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def commit(file, name, count):
    """Opens records and adds to them; each event brings a timer and a message of its own."""
    store = opened(file)
    for n in range(int(count)) if int(count) else itertools.count():
        record, told = f"{name}.{n}", ()
        for new in (1, 3):
            seqs = range(len(told) + 1, len(told) + new + 1)
            done = changes(
                record, told, new=new,
                timers=[timer(f"{record}/{s}", s, record=record) for s in seqs],
                messages=[message(f"{record}/{s}", record=record) for s in seqs],
            )  # fmt: skip
            told += done.events
            say(record, store.commit(done).version)


def claim(file, kind):
    """Takes what is due, a few at a time."""
    store = opened(file)
    while claims := store.claim(kind, at(1), 7, 5 * MINUTE, str(os.getpid())):
        for taken in claims:
            say(getattr(taken.item, "id", None) or taken.item.key)
        store.settle([Settlement(token=taken.token, outcome="done") for taken in claims], at(2))


def hold(file):
    """Keeps others from writing."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    say("held")
    sys.stdin.read()
    connection.execute("ROLLBACK")


def fork(file):
    """Uses one store on both sides of a fork."""
    store = opened(file)
    store.commit(changes("before"))
    child = os.fork()
    for n in range(20):
        store.commit(changes(f"{'parent' if child else 'child'}.{n}"))
    store.close()
    if child:
        say(os.waitpid(child, 0)[1])


def fork_in_threads(file):
    """Uses two stores while three threads fork."""
    commits, forks = [], []

    def commit(name):
        with closing(opened(file)) as store:
            commits.extend(store.commit(changes(f"{name}.{n}")) for n in range(60))

    def fork_once():
        child = os.fork()
        return os.waitpid(child, 0) if child else os._exit(0)

    def fork_often():
        forks.extend(fork_once() for _ in range(20))

    work = [threading.Thread(target=commit, args=name, daemon=True) for name in "ab"]
    work += [threading.Thread(target=fork_often, daemon=True) for _ in range(3)]
    for one in work:
        one.start()
    for one in work:
        one.join(60)
    say(len(commits), len(forks))


def fork_awaited(url):
    """Uses one store on both sides of a fork, in an event loop each."""
    store = asyncio.run(open_async(url))
    asyncio.run(store.commit(changes("before")))
    child = os.fork()

    async def go_on():
        for n in range(20):
            await store.commit(changes(f"{'parent' if child else 'child'}.{n}"))
        await store.close()

    asyncio.run(go_on())
    if child:
        say(os.waitpid(child, 0)[1])


def dawdle(url, name, count):
    """One event a transaction, of which each fifth is committed late; says when it began and ended."""
    luck, start = random.Random(name), time.perf_counter()
    with psycopg.connect(url) as connection:
        store = PostgresStore.on(connection)
        for n in range(int(count)):
            store.commit(changes(f"{name}.{n}"))
            if n % 5 == 0:
                time.sleep(luck.uniform(0, 0.01))
            connection.commit()
    say(time.perf_counter() - start)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
