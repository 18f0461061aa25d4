"""Commands carried through: decided, committed with what follows from them, once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Sequence
from typing import Any

from itsm_core.commands import Command
from itsm_core.errors import InvalidValue, TransitionRefused, VersionConflict
from itsm_core.escalation import ClocksRead, Run, next_due
from itsm_core.events import Audience, Communication, Direction, Event
from itsm_core.lifecycle import Refused, decide
from itsm_core.ports import Ask, ChangeSet, Committed, Message, Query, Snapshot, Timer
from itsm_core.records import Record, apply, fold
from itsm_core.road.terms import (
    ATTEMPTS,
    ESCALATION,
    OnItsWay,
    Standing,
    Terms,
    anew,
    history,
    onward,
    refold,
    standing,
)


def carry(
    terms: Terms,
    record_id: str,
    command: Command,
    *,
    then: Callable[[Record], Sequence[Command]] = lambda _: (),
    repeatable: bool = True,
) -> OnItsWay:
    """Carries a command through, and what it entails; repeats the first answer for a repeated id.

    `then` says what it entails, from the record after it; all is committed or nothing. Not
    `repeatable`: the id is new, so nobody asks whether it was used. Raises `TransitionRefused`.
    """
    if repeatable and (first := (yield from first_answer(record_id, command))) is not None:
        return first
    for _ in range(ATTEMPTS):
        change = Change(terms, (yield from standing(record_id)))
        try:
            change.add(decided(terms, change.record, command))
        except TransitionRefused:
            # It may have been carried out by another process in this very moment.
            if repeatable and (first := (yield from first_answer(record_id, command))) is not None:
                return first
            raise
        for entailed in then(change.record):
            change.add(decided(terms, change.record, entailed))
        try:
            return (yield from commit(change, command.at))
        except VersionConflict as conflict:
            lost = conflict
    raise lost


class Change:
    """Events gathered for one commit, and the record they lead to."""

    def __init__(self, terms: Terms, known: Standing) -> None:
        self.terms, self.known = terms, known
        self.record = known.record
        self.events: list[Event] = []
        self.messages: list[Message] = []
        self._new: Standing | None = known

    def add(self, events: Sequence[Event]) -> None:
        """Adds the events of a decision; what comes next is decided on the record after them."""
        for event in events:
            self._new = None if self._new is None else onward(self._new, event)
            self.record = apply(self.record, event) if self._new is None else self._new.record
            self.events.append(event)

    def standing(self) -> Generator[Ask, Any, Standing]:
        """Where the record stands then; anew from all events if one came late."""
        if self._new is not None:
            return self._new
        return (yield from anew(self.known.record.id, self.events))


def open_record(terms: Terms, command: Command) -> OnItsWay:
    """Opens a record; opening twice with one external reference is one record."""
    record_id = str(command.fields["record"])
    refs = command.fields.get("external_refs") or ()
    for ref in refs:
        found: tuple[Record, ...] = yield Ask("find", (Query(external_ref=ref, limit=1),))
        if found:
            return found[0]
    first = yield from first_answer(record_id, command)
    if first is not None:
        return first
    events = decided(terms, None, command)
    new = refold(events)
    return (yield from _write(terms, None, new, events, command.at))


def decided(terms: Terms, record: Record | None, command: Command) -> list[Event]:
    """The sealed events of a command, or `TransitionRefused`."""
    decision = decide(
        record, command, terms.lifecycle, matrix=terms.matrix, tolerance=terms.tolerance, custom=terms.custom
    )
    if isinstance(decision, Refused):
        subject = f"{command.trigger} {record.id}" if record is not None else command.trigger
        raise TransitionRefused(subject, decision.reasons)
    if terms.salt is None:
        return list(decision.events)
    return [event.sealed(terms.salt) for event in decision.events]


def first_answer(record_id: str, command: Command) -> Generator[Ask, Any, Record | None]:
    """The record as the command left it, if it was carried out before."""
    if command.id is None:
        return None
    event = yield Ask("event", (command.id,))
    if event is None:
        return None
    if event.record != record_id and command.trigger != "open":
        raise InvalidValue(
            "command_id",
            command.id,
            f"was used for record {event.record}",
            "give every command an id of its own",
        )
    events = yield from history(event.record)
    mine = max(e.seq for e in events if e.id == command.id or e.id.startswith(f"{command.id}/"))
    return fold(e for e in events if e.seq <= mine)


def commit(change: Change, at: dt.datetime) -> OnItsWay:
    """Commits a change with the timers and messages that follow from it."""
    new = yield from change.standing()
    return (yield from _write(change.terms, change.known, new, change.events, at, change.messages))


def _write(
    terms: Terms,
    known: Standing | None,
    new: Standing,
    events: Sequence[Event],
    at: dt.datetime,
    messages: Sequence[Message] = (),
) -> OnItsWay:
    changes = ChangeSet(
        record=new.record.id,
        expected=0 if known is None else known.record.version,
        events=tuple(events),
        snapshot=Snapshot(record=new.record, timeline=new.timeline),
        timers=_timers(terms, known, new, at),
        messages=(*messages, *_words_out(terms, new.record, events)),
    )
    committed: Committed = yield Ask("commit", (changes,))
    if committed.repeated:
        again = yield from standing(committed.record)
        return again.record
    return new.record


def _timers(terms: Terms, known: Standing | None, new: Standing, at: dt.datetime) -> tuple[Timer, ...]:
    """The timer of the next escalation step, where this change may have moved it."""
    if terms.policy is None or (known is not None and _same_clocks(known, new)):
        return ()
    record = new.record
    due = next_due(Run.of(record, terms.policy), ClocksRead(clocks=new.clocks(terms, at)))
    return (Timer(id=f"{record.id}/{ESCALATION}", record=record.id, kind=ESCALATION, due=due),)


def _same_clocks(known: Standing, new: Standing) -> bool:
    """Whether nothing that a clock or a policy reads differs; the newest event's place may."""
    was, now = known.timeline, new.timeline
    return (
        was.marks == now.marks
        and was.answer == now.answer
        and was.priorities == now.priorities
        and known.record.fired == new.record.fired
        and known.record.priority is new.record.priority
    )


def _words_out(terms: Terms, record: Record, events: Sequence[Event]) -> list[Message]:
    """A message for each outbound communication, to whom it is meant for."""
    found = []
    for event in events:
        if event.kind != "communicated":
            continue
        said = Communication.of(event)
        to = record.requester if said.audience is Audience.REQUESTER else said.audience.value
        if said.direction is Direction.OUTBOUND and said.audience in _OUTSIDE and said.text and to:
            found.append(
                Message(
                    key=event.id,
                    record=record.id,
                    to=to,
                    channel=event.channel or terms.reply_channel,
                    audience=said.audience,
                    subject=record.number or record.id,
                    body=said.text,
                    created_at=said.at,
                )
            )
    return found


_OUTSIDE = frozenset({Audience.REQUESTER, Audience.PUBLIC, Audience.MANAGEMENT})
