"""Events of a dump, or of another store, written into a store; whatever is there already stays."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import attrs

from itsm_core.custody.dumps import inspected, lines
from itsm_core.custody.verifying import PAGE, Report, Told, check, log, names, told_all, verify
from itsm_core.errors import InvalidInput, RecordNotFound, StoreError
from itsm_core.events import Event
from itsm_core.ports import FOLD, Ask, ChangeSet, Snapshot, Store
from itsm_core.road.consequences import if_there
from itsm_core.road.terms import Standing, onward, refold
from itsm_core.running import run

Line = tuple[int, Event]
"""An event, and the number of its line or its place in the log."""

HELD = 100_000
"""How many events may wait for the one before them: a log may tell the events of a record out of turn."""


@attrs.frozen(kw_only=True)
class Moved:
    """How many events were written, and how many were there already."""

    events: int
    already: int = 0

    def __str__(self) -> str:
        return f"{self.events:,} events written, {self.already:,} were there already"


def restore(store: Store, file: str | Path, *, progress: Told | None = None) -> Moved:
    """Writes the events of a dump into a store, which may hold some of them, or other records, before.

    A dump that is cut off, changed or of a newer version is refused before anything is written; a
    line that does not fit the store is refused by its number (`InvalidInput`). Whatever was written
    until then stays: running it again, also after a crash, completes it.
    """
    path = Path(file)
    return _Writing(store, str(path), progress).all(lines(path, inspected(path)))


def copy(source: Store, target: Store, *, progress: Told | None = None) -> Report:
    """Writes the events of one store into another; answers what `verify` then says of the other.

    The source is verified before, and afterwards every chain of it must be that of the other; else
    a `StoreError` says where not. Run it again after a crash, or when desks still wrote the source.
    """
    before = verify(source)
    check(before, "the store to copy from")
    moved = _Writing(target, "", progress).all(enumerate(log(source), 1))
    told_all(moved.events + moved.already, before.events)
    report = verify(target)
    check(report, "the copy")
    for record in names(source):
        _same_chain(record, source, target)
    return report


def _same_chain(record: str, source: Store, target: Store) -> None:
    """Every event here is there, by its digest."""
    links = source.links(record)
    if links and links == _links(target, record):
        return
    there = _history(target, record)
    for place, (one, other) in enumerate(zip(_history(source, record), (*there, None), strict=False), 1):
        if other is None or one.digest != other.digest:
            raise StoreError(
                f"record {record}, event #{place} ({one.id}) is not in the copy: the source was written "
                "meanwhile; let no desk write it, and copy again"
            )


def _links(store: Store, record: str) -> tuple[str, ...]:
    try:
        return store.links(record)
    except RecordNotFound:
        return ()


def _history(store: Store, record: str) -> tuple[Event, ...]:
    try:
        return store.load(record, 0)[1]
    except RecordNotFound:
        return ()


# --- writing events in the order in which they come -------------------------------------------


class _Writing:
    """Appends events to their records, a page at a time."""

    def __init__(self, store: Store, file: str, progress: Told | None) -> None:
        self._store, self._file, self._told = store, file, progress
        self._held: dict[str, list[Line]] = {}
        self._known: dict[str, Standing] = {}
        self._new = self._already = 0

    def all(self, told: Iterable[Line]) -> Moved:
        """Writes all of it; what waits for an event that never comes is refused."""
        rest = iter(told)
        while page := list(islice(rest, PAGE)):
            for record, those in groupby(page, _by_record):  # the order of the log stays
                self._add(record, [*self._held.pop(record, ()), *those])
            if sum(map(len, self._held.values())) > HELD:
                break
            if self._told is not None:
                self._told(self._new + self._already)
        if self._held:
            line, event = min((one for waiting in self._held.values() for one in waiting), key=_by_line)
            raise self._wrong(line, event, "comes before an earlier event of its record, or without it")
        return Moved(events=self._new, already=self._already)

    def _add(self, record: str, told: list[Line]) -> None:
        """Appends what follows; what comes too early is held."""
        known = self._known.get(record) or run(if_there(record), self._answer)
        version, new = (0 if known is None else known.record.version), list[Line]()
        for line, event in sorted(told, key=_by_seq):
            if event.seq == version + len(new) + 1:
                new.append((line, event))
            elif event.seq > version + len(new):
                self._held.setdefault(record, []).append((line, event))
            else:
                there = (
                    new[event.seq - version - 1][1] if event.seq > version else self._store.event(event.id)
                )
                self._must_be(line, event, there)
        if new:
            self._commit(record, known, new)

    def _answer(self, wanted: Ask) -> Any:
        return getattr(self._store, wanted.method)(*wanted.arguments)

    def _must_be(self, line: int, event: Event, there: Event | None) -> None:
        same = there is not None and (there.id, there.digest) == (event.id, event.digest)
        if not same:
            raise self._wrong(line, event, "is another event in this store")
        self._already += 1

    def _commit(self, record: str, known: Standing | None, new: list[Line]) -> None:
        events = tuple(event for _, event in new)
        try:
            now = self._standing(record, known, events)
            changes = ChangeSet(
                record=record,
                expected=events[0].seq - 1,
                events=events,
                snapshot=Snapshot(record=now.record, timeline=now.timeline, fold=FOLD, due=now.due),
            )
            done = self._store.commit(changes)
        except (ValueError, LookupError, TypeError, AttributeError) as wrong:
            raise self._wrong(*new[0], f"does not fit: {wrong}") from wrong
        if done.record != record:
            raise self._wrong(*new[0], f"has the id of an event of {done.record}")
        if done.repeated:  # somebody else restores it too
            self._already += len(events)
        else:
            self._new += len(events)
        if len(self._known) >= PAGE:
            self._known.clear()
        self._known[record] = now

    def _standing(self, record: str, known: Standing | None, events: tuple[Event, ...]) -> Standing:
        """Where the record stands after these events; anew from all where one of them came late."""
        if known is None:
            return refold(events)
        now: Standing | None = known
        for event in events:
            now = now and onward(now, event)
        if now is None:
            now = attrs.evolve(refold((*_history(self._store, record), *events)), due=known.due)
        return now

    def _wrong(self, line: int, event: Event, reason: str) -> InvalidInput:
        named = f"{event.id} (#{event.seq} of {event.record})"
        remedy = "restore into another store, or dump again"
        return InvalidInput("event", named, reason, remedy, file=self._file or "the log", line=line)


def _by_seq(line: Line) -> int:
    return line[1].seq


def _by_record(line: Line) -> str:
    return line[1].record


def _by_line(line: Line) -> int:
    return line[0]
