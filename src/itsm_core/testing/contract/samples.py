"""Change sets to commit, made from few words: what the checks write, and your own tests may."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from itsm_core.actors import Actor
from itsm_core.events import Event
from itsm_core.ports import FOLD, ChangeSet, Ending, Message, Query, Snapshot, Timer
from itsm_core.records import fold
from itsm_core.sla.tracing import trace

NOW = dt.datetime(2024, 5, 6, 8, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
ALL = Query(limit=1000)

FINAL: tuple[Ending, ...] = ("done", "failed", "superseded", "expired")
"""The outcomes that end a claim for good."""

HOSTILE = (
    "'; DROP TABLE itsm_events; --",
    '" OR "1"="1',
    "null\0byte",
    "línea 二 🙂\r\n\t",
    "%s ? :name $1 {0}",
    "\ufeff\u202e\u2028\uffff",
    "\\u0000\\",
    "../../etc/passwd",
)
"""Texts that break stores which build statements, file names or patterns from them."""


def at(minutes: int) -> dt.datetime:
    """So many minutes after the beginning."""
    return NOW + minutes * MINUTE


def event(record: str, seq: int, event_id: str | None = None, **fields: Any) -> Event:
    """The event `seq` of a record: it is opened, then assigned, again and again."""
    kind = "opened" if seq == 1 else "assigned"
    known = {"process": "incident", "phase": "new", "title": "Mail is down"} if seq == 1 else {}
    tenant = fields.pop("tenant", None)
    return Event(
        id=event_id or f"{record}/{seq}",
        record=record,
        seq=seq,
        kind=kind,
        occurred_at=at(seq),
        recorded_at=at(seq),
        actor=Actor.person("ana", "agent"),
        to_state="new" if seq == 1 else None,
        fields={**known, **fields},
        personal=[name for name in {**known, **fields} if name in {"title", "requester"}],
        tenant=tenant,
    )


def timer(name: str, due: int | None, *, record: str = "R1", kind: str = "clock") -> Timer:
    """A timer due so many minutes after the beginning; None cancels it."""
    return Timer(id=name, record=record, kind=kind, due=None if due is None else at(due))


def message(key: str, *, record: str = "R1", ready: int = 0, **more: Any) -> Message:
    """A message that may be sent so many minutes after the beginning."""
    text = {"to": "ana", "channel": "email", "subject": "Changed", "body": "Your ticket changed."}
    return Message(key=key, record=record, created_at=at(ready), **{**text, **more})


def changes(
    record: str = "R1",
    history: Sequence[Event] = (),
    *,
    new: int = 1,
    timers: Sequence[Timer] = (),
    messages: Sequence[Message] = (),
    due: int | None = None,
    fold_version: int = FOLD,
    ids: Sequence[str] | None = None,
    **fields: Any,
) -> ChangeSet:
    """A change set of `new` more events after a history; `fields` are those of the events."""
    first = len(history) + 1
    names: Sequence[str | None] = ids or [None] * new
    events = tuple(event(record, first + i, names[i], **fields) for i in range(new))
    told = (*history, *events)
    return ChangeSet(
        record=record,
        expected=len(history),
        events=events,
        snapshot=Snapshot(
            record=fold(told), timeline=trace(told), fold=fold_version, due=None if due is None else at(due)
        ),
        timers=tuple(timers),
        messages=tuple(messages),
    )
