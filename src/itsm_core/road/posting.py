"""What the relay of the outbox needs of the road: a record as it is now, and one more message."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator
from typing import Any

from itsm_core.errors import VersionConflict
from itsm_core.ports import FOLD, Ask, ChangeSet, Message, Snapshot
from itsm_core.records import Record
from itsm_core.road.consequences import if_there, watch
from itsm_core.road.terms import ATTEMPTS, Terms, standing


def look(record_id: str) -> Generator[Ask, Any, Record | None]:
    """The record as it is now, if the store has it."""
    known = yield from if_there(record_id)
    return None if known is None else known.record


def post(terms: Terms, message: Message, at: dt.datetime) -> Generator[Ask, Any, None]:
    """Puts a message about a record in the outbox, once by its key; nothing happens to the record.

    So it needs no lifecycle: a desk that only sends mail can do it for every record of the store.
    """
    for _ in range(ATTEMPTS):
        try:
            yield Ask("commit", ((yield from _with(terms, message, at)),))
        except VersionConflict as conflict:
            lost = conflict
            continue
        return
    raise lost


def _with(terms: Terms, message: Message, at: dt.datetime) -> Generator[Ask, Any, ChangeSet]:
    known = yield from standing(message.record)
    due, timers = (known.due, ()) if known.watched else watch(terms, known, known, at)
    return ChangeSet(
        record=known.record.id,
        expected=known.record.version,
        events=(),
        snapshot=Snapshot(record=known.record, timeline=known.timeline, fold=FOLD, due=due),
        timers=timers,
        messages=(message,),
    )
