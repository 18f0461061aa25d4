"""What is suggested to people: for the records a change is linked with, and for what recurs.

Nothing of it is done here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Iterable
from typing import Any

from itsm_core.events import Event
from itsm_core.ports import Ask, Query
from itsm_core.processes.propagation import Propagation
from itsm_core.processes.proposing import Proposal, proposals
from itsm_core.processes.recurrence import Declined, ProblemProposal, Recurring, recurring
from itsm_core.records import Record
from itsm_core.road.consequences import if_there, related
from itsm_core.road.terms import Terms, history, standing


def proposals_of(
    terms: Terms, record_id: str, table: Iterable[Propagation]
) -> Generator[Ask, Any, tuple[Proposal, ...]]:
    """What a record's events from its newest move on propose, less what was taken up already."""
    events = yield from history(record_id)
    record = (yield from standing(record_id)).record
    linked = yield from _linked(record)
    rows, left = tuple(table), []
    found = [
        one for event in _newest(events) for one in proposals(record, event, linked, rows, lang=terms.lang)
    ]
    for one in found:
        if (yield Ask("event", (one.id,))) is None:
            left += [one]
    return tuple(left)


def recurring_in(
    rule: Recurring | None, at: dt.datetime, declined: Iterable[Declined]
) -> Generator[Ask, Any, tuple[ProblemProposal, ...]]:
    """The problems that all incidents of the store propose, less those that its problems answer for."""
    incidents = yield from _all_of("incident")
    problems = yield from _all_of("problem")
    return recurring(incidents, rule, at=at, known=problems, declined=declined)


def _all_of(process: str) -> Generator[Ask, Any, list[Record]]:
    """Every record of a process, read page by page."""
    found: list[Record] = []
    while True:
        after = found[-1].id if found else None
        page = yield Ask("find", (Query(process=process, after=after, limit=_PAGE),))
        found += page
        if len(page) < _PAGE:
            return found


_PAGE = 500


def _newest(events: tuple[Event, ...]) -> tuple[Event, ...]:
    moves = [place for place, event in enumerate(events) if event.kind == "transitioned"]
    return events[moves[-1] :] if moves else events


def _linked(record: Record) -> Generator[Ask, Any, tuple[Record, ...]]:
    """The records it names, and for a part of another one that one and its other parts."""
    found: dict[str, Record] = {}
    owner = record.values.get("part_of")
    for other in [*(other for _, other in record.links), *([owner] if isinstance(owner, str) else [])]:
        known = yield from if_there(other)
        found |= {} if known is None else {other: known.record}  # one may be named that is not here
    if owner in found:
        for task in (yield from related(found[owner])):
            found[task.id] = task
    found.pop(record.id, None)
    return tuple(found.values())
