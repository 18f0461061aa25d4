"""Snapshots as text, which a store writes at each commit and reads at each command.

A record of ten thousand events may have a thousand marks and words. They are written by columns, which
takes a tenth of the time that one object each would take. Nobody takes the digest of a cache.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from operator import attrgetter
from typing import Any, Generic, TypeVar, cast

import attrs

from itsm_core.events import Phase, WaitsOn
from itsm_core.ports import FOLD, Snapshot
from itsm_core.sla.timeline import Mark, Said, Timeline, Word
from itsm_core.values import evolver, from_dict, to_dict, trusted

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
_with, _beside = evolver(Timeline, "marks", "words"), evolver(Snapshot, "timeline")
_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def written(snapshot: Snapshot) -> str:
    """The snapshot as text."""
    timeline = snapshot.timeline
    plain = to_dict(_beside(snapshot, _with(timeline, (), ())))
    plain["marks"], plain["words"] = _MARKS.out(timeline.marks), _WORDS.out(timeline.words)
    return _encoded(plain)


def read(stored: str) -> Snapshot | None:
    """The snapshot of a text, or None where another fold made it, or its shape is not of today."""
    try:
        plain = json.loads(stored)
        if plain["fold"] != FOLD:
            return None
        marks, words = _MARKS.into(plain.pop("marks")), _WORDS.into(plain.pop("words"))
        snapshot = from_dict(Snapshot, plain)
    except _MISREAD:
        return None
    return _beside(snapshot, _with(snapshot.timeline, marks, words))


_MISREAD = (ValueError, TypeError, LookupError, AttributeError)
