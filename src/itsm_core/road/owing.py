"""What could not be found out when a step fired is asked for again, every minute, until it is known or void.

It stands in the history of the record, and is void once the record has a newer generation: somebody is on it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Iterable, Iterator
from typing import Any

from itsm_core.business_time.instants import later, parse_text, utc
from itsm_core.escalation import EscalationPolicy, Run, answer_due
from itsm_core.escalation.answering import Unresolved
from itsm_core.escalation.owing import Owed, made_good
from itsm_core.events import Event
from itsm_core.ports import Ask
from itsm_core.records import Record
from itsm_core.road.carrying import commit
from itsm_core.road.changing import Change
from itsm_core.road.consequences import read_of
from itsm_core.road.people import People
from itsm_core.road.terms import AGAIN, Terms, history, standing
from itsm_core.road.wanting import owing, told_by


def told_late(
    terms: Terms, record_id: str, now: dt.datetime
) -> Generator[Ask, Any, tuple[int, Exception | None]]:
    """Tells whom a record's steps still owe a word: how many effects, and why some could not be named."""
    change = Change(terms, (yield from standing(record_id)))
    record, policy = change.record, terms.policy_of(change.record)
    if policy is None:
        return 0, None
    last = record.escalation.last_at
    if last is not None and now < last:  # the clock was set back: nothing is told until it has caught up
        change.owing = (owing(record, policy, last),)
        yield from commit(change, now)
        return 0, None
    now = change.as_of(now)
    people, fired = People(terms, record, now), 0
    for cause, owed in _owed((yield from history(record_id)), record, policy):
        fired += yield from _made_good(change, policy, owed, people, now, cause)
    yield from commit(change, now)
    return fired, change.failed


def _made_good(
    change: Change, policy: EscalationPolicy, owed: Owed, people: People, now: dt.datetime, cause: str
) -> Generator[Ask, Any, int]:
    """Adds what one name is owed, or else the timer by which it is asked for once more."""
    run, read = Run.of(change.record, policy), read_of(change.terms, (yield from change.standing()), now)
    try:
        effects = yield from people.asked(lambda resolver: made_good(run, owed, now, read, resolver))
    except Unresolved:
        effects, change.owing = (), (owing(change.record, policy, later(now, AGAIN)),)
    yield from told_by(change, policy, effects, people, cause, lambda step: answer_due(run, step, read))
    return len(effects)


def _owed(events: Iterable[Event], record: Record, policy: EscalationPolicy) -> Iterator[tuple[str, Owed]]:
    """What the steps of this generation owe still, each with the id of the event that says so."""
    events, assignee = tuple(events), None
    answered = {event.cause for event in events}
    ended = max((event.seq for event in events if event.kind in _ENDING), default=0)
    for event in events:
        said = event.fields
        assignee = said.get("assignee", assignee)
        if event.kind != "not_escalated" or said.get("why") != "unresolved" or event.id in answered:
            continue
        if (said["policy"], said["generation"]) == (policy.id, record.escalation.generation):
            at = utc(parse_text(said["scheduled_at"], "scheduled_at"))
            yield (
                event.id,
                Owed(
                    step=said["step"], loop=said["loop"], name=said["to"], scheduled_at=at,
                    assignee=assignee, is_later=ended > event.seq,
                ),
            )  # fmt: skip


_ENDING = frozenset({"transitioned", "major_reported", "major_reviewed"})
"""The kinds of events by which what a step told of may be over."""
