"""Snapshots as text, which a store writes at each commit and reads at each command.

A record of ten thousand events may have a thousand marks and words. They are written by columns, which
takes a tenth of the time that one object each would take. Nobody takes the digest of a cache.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from operator import attrgetter
from threading import Lock
from typing import Any, Generic, TypeVar, cast

import attrs

from itsm_core.business_time.instants import micros, utc
from itsm_core.events import Phase, WaitsOn
from itsm_core.ports import FOLD, Snapshot
from itsm_core.records import Record
from itsm_core.sla.timeline import Mark, Said, Timeline, Word
from itsm_core.values import as_object, encoder, evolver, from_dict, spelt, to_dict, trusted

T = TypeVar("T")


class _Columns(Generic[T]):
    """Values of a flat class as one list for each field; `words` names those that hold words of an enum."""

    def __init__(self, cls: type[T], **words: type[StrEnum]) -> None:
        names = [field.name for field in attrs.fields(cast("Any", cls))]
        self._gets = [attrgetter(name) for name in names]
        members = {name: {None: None, **{one.value: one for one in kind}} for name, kind in words.items()}
        self._members = [(names.index(name), known) for name, known in members.items()]
        self._made = trusted(cls)

    def out(self, values: Sequence[T]) -> list[list[Any]]:
        """The lists, as JSON values."""
        return [list(map(get, values)) for get in self._gets] if values else []

    def into(self, columns: list[list[Any]]) -> tuple[T, ...]:
        """The values again."""
        if not columns:
            return ()
        for place, known in self._members:
            columns[place] = [known[word] for word in columns[place]]
        made = tuple(map(self._made, *columns))  # as many as the shortest has
        if max(map(len, columns)) > len(made):
            msg = "columns of different lengths"
            raise ValueError(msg)
        return made


_MARKS, _WORDS = _Columns(Mark, phase=Phase, waits_on=WaitsOn), _Columns(Word, said=Said)
_with = evolver(Timeline, "marks", "words")
_encoded = encoder()


def written(snapshot: Snapshot) -> str:
    """The snapshot as text."""
    timeline = snapshot.timeline
    plain = to_dict(_with(timeline, (), ()))
    plain = {"timeline": plain, "marks": _MARKS.out(timeline.marks), "words": _WORDS.out(timeline.words)}
    if snapshot.due is not None:
        plain["due_us"] = micros(snapshot.due)
    said = as_object(spelt(snapshot.record))
    return f'{{"fold":{snapshot.fold},"record":{said},{_encoded(plain)[1:]}'


def read(stored: str, version: int) -> Snapshot | None:
    """The snapshot of a text, or None where it is of another version, fold or shape than today's."""
    try:
        plain = json.loads(stored)
        if plain.pop("fold") != FOLD or plain["record"].get("version", 0) != version:
            return None
        marks, words = _MARKS.into(plain.pop("marks")), _WORDS.into(plain.pop("words"))
        record, timeline = from_dict(Record, plain.pop("record")), from_dict(Timeline, plain.pop("timeline"))
        due_us = plain.pop("due_us", None)
        due = None if due_us is None else utc(due_us)
        if plain:
            return None
    except _MISREAD:
        return None
    return Snapshot(record=record, timeline=_with(timeline, marks, words), fold=FOLD, due=due)


_MISREAD = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)


class Recent:
    """The snapshots that a store wrote or read last, each with its text: the same text is not read again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[str, tuple[str, Snapshot]] = {}

    def read(self, record: str, stored: str, version: int) -> Snapshot | None:
        """As `read`."""
        text, snapshot = self._kept.get(record, _UNKNOWN)
        if text == stored and snapshot.record.version == version:
            return snapshot
        found = read(stored, version)
        if found is None or found.record.id != record:
            return None
        self.put(record, stored, found)
        return found

    def put(self, record: str, text: str, snapshot: Snapshot) -> None:
        """Keeps it, unless it is large or of another fold; of many, the one put longest ago goes."""
        with self._lock:
            self._kept.pop(record, None)
            if len(text) <= _LARGE and snapshot.fold == FOLD:
                self._kept[record] = (text, snapshot)
                if len(self._kept) > _MANY:
                    del self._kept[next(iter(self._kept))]


_UNKNOWN: tuple[None, Any] = (None, None)
_MANY = 256
_LARGE = 16 * 1024
"""The characters of the largest snapshot that is kept: what a store holds stays below some megabytes."""
