"""Commands carried through: decided, committed with what follows from them, once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Sequence
from typing import Any

import attrs

from itsm_core.commands import Command
from itsm_core.errors import InvalidValue, TransitionRefused, VersionConflict
from itsm_core.escalation import ClocksRead, Run, next_due
from itsm_core.events import SCHEMA, Audience, Communication, Direction, Event, correction, effective
from itsm_core.lifecycle import Refused, decide
from itsm_core.lifecycle.beside import BESIDE
from itsm_core.ports import FOLD, Ask, ChangeSet, Committed, Message, Query, Snapshot, Timer
from itsm_core.records import Record, apply, fold
from itsm_core.road.terms import (
    ATTEMPTS,
    OnItsWay,
    Standing,
    Terms,
    anew,
    escalation,
    history,
    onward,
    refold,
    standing,
)
from itsm_core.sla import ClockState


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
    command = yield from _looked_up(record_id, command)
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
            change.add(decided_or_noted(terms, change.record, entailed))
        if command.trigger == "correct":
            yield from _in_the_same_order(record_id, change)
        try:
            return (yield from commit(change, command.at))
        except VersionConflict as conflict:
            lost = conflict
    raise lost


def _looked_up(record_id: str, command: Command) -> Generator[Ask, Any, Command]:
    """The command, checked against what it names: a linked record, or the event it corrects."""
    if command.trigger == "link" and command.fields.get("other"):
        yield from standing(str(command.fields["other"]))  # raises RecordNotFound
    if command.trigger != "correct":
        return command
    wanted = command.fields.get("event")
    wrong = next((e for e in (yield from history(record_id)) if e.id == wanted), None)
    if wrong is None:
        raise InvalidValue("event", wanted, f"is no event of {record_id}", "take an id from its history")
    held = command.fields
    mended = correction(wrong, str(held.get("field")), held.get("now"), str(held.get("reason") or ""))
    return attrs.evolve(command, fields={**held, **mended})


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
    """Opens a record; opening twice with one external reference (in one tenant) is one record."""
    record_id, tenant = str(command.fields["record"]), command.fields.get("tenant")
    refs = command.fields.get("external_refs")
    for ref in refs if isinstance(refs, tuple) else ():
        query = Query(external_ref=ref, tenant=tenant)
        found: tuple[Record, ...] = yield Ask("find", (query,))
        for known in found:
            if known.tenant == tenant:
                return known
    first = yield from first_answer(record_id, command)
    if first is not None:
        return first
    events = _stamped(terms, decided(terms, None, command))
    try:
        return (yield from _write(terms, None, refold(events), events, command.at))
    except VersionConflict:
        raise InvalidValue(
            "record", record_id, "is taken by another record", "leave record_id out, or choose another"
        ) from None


def _stamped(terms: Terms, events: Sequence[Event]) -> list[Event]:
    """The opening with the agreement that the record is judged by from then on."""
    agreement = terms.agreement_for(fold(events))
    if agreement is None:
        return list(events)
    opening, *rest = events
    return [attrs.evolve(opening, fields={**opening.fields, "agreement": agreement.label}), *rest]


def decided(terms: Terms, record: Record | None, command: Command) -> list[Event]:
    """The sealed events of a command, or `TransitionRefused`."""
    decision = decide(
        record, command, terms.lifecycle, matrix=terms.matrix, tolerance=terms.tolerance, custom=terms.custom
    )
    if isinstance(decision, Refused):
        subject = f"{command.trigger} {record.id}" if record is not None else command.trigger
        raise TransitionRefused(subject, decision.reasons)
    return [event.sealed(terms.salt) for event in decision.events]


def decided_or_noted(terms: Terms, record: Record, command: Command) -> list[Event]:
    """The events of a consequence; a refusal is recorded, and what led to it stands."""
    try:
        return decided(terms, record, command)
    except TransitionRefused as refusal:
        return [
            Event(
                id=str(command.id),
                record=record.id,
                seq=record.version + 1,
                kind="refused",
                schema=SCHEMA,
                occurred_at=command.at,
                recorded_at=command.recorded_at or command.at,
                actor=command.actor,
                cause=command.cause,
                lifecycle=record.lifecycle,
                lifecycle_version=record.lifecycle_version,
                fields={"trigger": command.trigger, "codes": refusal.codes},
                tenant=record.tenant,
            )
        ]


def _in_the_same_order(record_id: str, change: Change) -> Generator[Ask, Any, None]:
    """Refuses a correction that would let the record's moves happen in another order."""
    events = yield from history(record_id)
    if _moves(events) != _moves([*events, *change.events]):
        raise InvalidValue(
            "occurred_at",
            change.events[0].fields.get("now"),
            "would let moves of the record change places",
            "correct it to an instant between the moves before and after it",
        )


def _moves(events: Sequence[Event]) -> list[str]:
    return [e.id for e in effective(events) if e.kind in ("opened", "transitioned")]


def first_answer(record_id: str, command: Command) -> Generator[Ask, Any, Record | None]:
    """The record as the command left it, if it was carried out before."""
    if command.id is None:
        return None
    event = yield Ask("event", (command.id,))
    if event is None:
        return None
    if not _asks_the_same(event, record_id, command):
        raise InvalidValue(
            "command_id",
            command.id,
            f"was used for {event.kind} of record {event.record}",
            "give every command an id of its own",
        )
    events = yield from history(event.record)
    last = event.seq  # what a command made was committed together, so it stands in one run
    while last < len(events) and events[last].id.startswith(f"{command.id}#"):
        last += 1
    return fold(e for e in events if e.seq <= last)


def _asks_the_same(event: Event, record_id: str, command: Command) -> bool:
    if command.trigger == "open":
        return event.kind == "opened" and event.tenant == command.fields.get("tenant")
    beside = BESIDE.get(command.trigger)
    kind = "transitioned" if beside is None else beside.kind
    same = event.record == record_id and event.kind == kind
    return same and (beside is not None or event.fields.get("trigger") == command.trigger)


def commit(change: Change, at: dt.datetime, *, rearm: bool = False) -> OnItsWay:
    """Commits a change with the timers and messages that follow from it.

    `rearm` sets the timer anew even if nothing changed that it depends on.
    """
    new = yield from change.standing()
    known = attrs.evolve(change.known, watched=False) if rearm else change.known
    expected = change.known.record.version
    return (yield from _write(change.terms, known, new, change.events, at, change.messages, expected))


def _write(
    terms: Terms,
    known: Standing | None,
    new: Standing,
    events: Sequence[Event],
    at: dt.datetime,
    messages: Sequence[Message] = (),
    expected: int = 0,
) -> OnItsWay:
    """Writes a change set; `known` is the standing whose timer and due instant still hold."""
    due, timers = (None, _NO_TIMERS) if known is None else (known.due, _NO_TIMERS)
    if terms.agreements and not (known is not None and known.watched and _same_clocks(known, new)):
        due, timers = _watch(terms, new, at)
    changes = ChangeSet(
        record=new.record.id,
        expected=expected,
        events=tuple(events),
        snapshot=Snapshot(record=new.record, timeline=new.timeline, fold=FOLD, due=due),
        timers=timers,
        messages=(*messages, *_words_out(terms, new.record, events)),
    )
    committed: Committed = yield Ask("commit", (changes,))
    if committed.repeated:
        again = yield from standing(committed.record)
        return again.record
    return new.record


_NO_TIMERS: tuple[Timer, ...] = ()


def _watch(terms: Terms, new: Standing, at: dt.datetime) -> tuple[dt.datetime | None, tuple[Timer, ...]]:
    """When the first running clock falls due, and the timer of the next escalation step.

    They are read at the newest event: a command that came late does not know what came after it.
    """
    record = new.record
    clocks = new.clocks(terms, max(at, record.changed_at or at))
    running = [clock.due_at for clock in clocks.values() if clock.state is ClockState.RUNNING]
    due = min((instant for instant in running if instant is not None), default=None)
    if terms.policy is None:
        return due, ()
    wake = next_due(Run.of(record, terms.policy), ClocksRead(clocks=clocks))
    kind = escalation(terms.policy)
    return due, (Timer(id=f"{record.id}/{kind}", record=record.id, kind=kind, due=wake),)


def _same_clocks(known: Standing, new: Standing) -> bool:
    """Whether nothing that a clock or a policy reads differs; the newest event's place may."""
    was, now = known.timeline, new.timeline
    return (
        was.marks == now.marks
        and was.answer == now.answer
        and was.priorities == now.priorities
        and known.record.fired == new.record.fired
        and known.record.priority is new.record.priority
        and (known.record.customer, known.record.service) == (new.record.customer, new.record.service)
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
                    key=f"{event.id}#said",
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
