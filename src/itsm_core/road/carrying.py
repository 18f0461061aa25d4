"""Commands carried through: decided, committed with what follows from them, once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import attrs

from itsm_core.commands import Command
from itsm_core.errors import InvalidValue, TransitionRefused, VersionConflict
from itsm_core.events import SCHEMA, Event, correction, effective
from itsm_core.lifecycle import Refused, decide
from itsm_core.lifecycle.beside import BESIDE
from itsm_core.ports import FOLD, Ask, ChangeSet, Committed, Message, Query, Snapshot, Timer
from itsm_core.records import Record, apply, fold
from itsm_core.road.claiming import check_claim
from itsm_core.road.consequences import (
    GOES_ON,
    Wake,
    if_there,
    notice,
    related,
    same_clocks,
    timer_of,
    waiting_for,
    waits_for_time,
    wake_of,
    watch,
    words_out,
)
from itsm_core.road.terms import ATTEMPTS, OnItsWay, Standing, Terms, anew, history, onward, standing
from itsm_core.sla import extend
from itsm_core.values import NO_FIELDS


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
    record = yield from _carried(terms, record_id, command, then, repeatable)
    if not record.phase.is_open and command.trigger not in BESIDE:
        yield from _woken(terms, waiting_for(record), command.at)
    return record


def _carried(
    terms: Terms,
    record_id: str,
    command: Command,
    then: Callable[[Record], Sequence[Command]],
    repeatable: bool,
) -> OnItsWay:
    if repeatable and (first := (yield from first_answer(record_id, command))) is not None:
        return first
    if command.trigger in _NAMING:
        command = yield from _looked_up(record_id, command)
    for _ in range(ATTEMPTS):
        change = Change(terms, (yield from standing(record_id)))
        yield from _goes_on_somewhere(terms, change.record, command)
        try:
            change.add((yield from decided_with(terms, change.record, command)))
        except TransitionRefused:
            # It may have been carried out by another process in this very moment.
            if repeatable and (first := (yield from first_answer(record_id, command))) is not None:
                return first
            raise
        yield from check_claim(terms, change.known, command)
        yield from _announced(terms, change, command)
        for entailed in then(change.record):
            change.add(decided_or_noted(terms, change.record, entailed))
        if command.trigger == "correct":
            yield from _in_the_same_order(record_id, change)
        try:
            return (yield from commit(change, command.at))
        except VersionConflict as conflict:
            lost = conflict
    raise lost


def _woken(terms: Terms, others: Sequence[str], at: dt.datetime) -> Generator[Ask, Any, None]:
    """Sets the timers anew of records that waited for one that has ended: now time may close them."""
    for other in others:
        for _ in range(ATTEMPTS):
            known = yield from if_there(other)
            if known is None or not waits_for_time(terms, known.record, known.record):
                break
            change = Change(terms, known)
            if terms.ruling(known.record) is None:
                change.wake = ((at, ""),)  # nobody here knows when: looked at until somebody does
            try:
                yield from commit(change, at, rearm=True)
                break
            except VersionConflict:  # once more: whoever was faster may not have seen the end
                continue


def _announced(terms: Terms, change: Change, command: Command) -> Generator[Ask, Any, None]:
    """Adds the notice of what time will do to a record that has just moved."""
    if change.events[-1].kind == "transitioned":
        wake = yield from wake_of(terms, change.record)
        change.add(notice(terms, change.record, wake, command))
        change.wake = (wake,)


_NAMING = frozenset({"link", "correct"})


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
    if held.get("field") == "other" and wrong.kind == "linked" and held.get("now"):
        named = (yield from standing(str(held["now"]))).record  # raises RecordNotFound
        if named.id == record_id:
            raise InvalidValue("link", record_id, "is the record itself", "name another record")
    mended = correction(wrong, str(held.get("field")), held.get("now"), str(held.get("reason") or ""))
    return attrs.evolve(command, fields={**held, **mended})


def _goes_on_somewhere(terms: Terms, record: Record, command: Command) -> Generator[Ask, Any, None]:
    """Raises `RecordNotFound` for a step by which a record would go on in one that is not there."""
    lifecycle = terms.lifecycle_of(record)
    for row in lifecycle.by_trigger.get(command.trigger, ()):
        other = command.fields.get(GOES_ON.get(lifecycle.by_id[row.dest].outcome or "", ""))
        if other:
            yield from standing(str(other))


class Change:
    """Events gathered for one commit, and the record they lead to."""

    def __init__(self, terms: Terms, known: Standing) -> None:
        self.terms, self.known = terms, known
        self.record = known.record
        self.events: list[Event] = []
        self.messages: list[Message] = []
        self.wake: tuple[Wake | None] | None = None  # what waits for time; None: nobody looked yet
        self._new: Standing | None = known

    def add(self, events: Sequence[Event]) -> None:
        """Adds the events of a decision; what comes next is decided on the record after them."""
        self.wake = None
        for event in events:
            self._new = None if self._new is None else onward(self._new, event)
            self.record = apply(self.record, event) if self._new is None else self._new.record
            self.events.append(event)

    def standing(self) -> Generator[Ask, Any, Standing]:
        """Where the record stands then; anew from all events if one came late."""
        if self._new is not None:
            return self._new
        return (yield from anew(self.known.record.id, self.events))


def open_record(
    terms: Terms, command: Command, process: str | None = None, stamp: Mapping[str, Any] = NO_FIELDS
) -> OnItsWay:
    """Opens a record of a process; opening twice with one external reference (in one tenant) is one record.

    `stamp` is what the library itself writes into the opening.
    """
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
    events = _stamped(terms, decided(terms, None, command, process=process), stamp)
    new = Standing(apply(None, events[0]), extend(None, events[0]))
    wake = yield from wake_of(terms, new.record)
    by_time = _NO_TIMERS if wake is None else (timer_of(new.record, wake),)
    try:
        return (yield from _write(terms, None, new, events, command.at, by_time=by_time))
    except VersionConflict:
        raise InvalidValue(
            "record", record_id, "is taken by another record", "leave record_id out, or choose another"
        ) from None


def _stamped(terms: Terms, events: Sequence[Event], stamp: Mapping[str, Any]) -> list[Event]:
    """The opening with the agreement that the record is judged by from then on, and the stamp."""
    (opening,) = events
    agreement = terms.agreement_for(apply(None, opening)) if terms.agreements else None
    more = {**stamp, **({} if agreement is None else {"agreement": agreement.label})}
    return [attrs.evolve(opening, fields={**opening.fields, **more}) if more else opening]


def decided_with(terms: Terms, record: Record, command: Command) -> Generator[Ask, Any, list[Event]]:
    """`decided`, with the records at hand that guards look at; loaded only where some guard does."""
    beside = (yield from related(record, command.fields)) if terms.lifecycle_of(record).guards else ()
    return decided(terms, record, command, beside)


def decided(
    terms: Terms,
    record: Record | None,
    command: Command,
    beside: tuple[Record, ...] = (),
    process: str | None = None,
) -> list[Event]:
    """The sealed events of a command, or `TransitionRefused`; without a record one of a process is opened."""
    lifecycle = terms.lifecycle_for(process) if record is None else terms.lifecycle_of(record)
    decision = decide(
        record,
        command,
        lifecycle,
        matrix=terms.matrix,
        tolerance=terms.tolerance,
        custom=terms.custom,
        related=beside,
        calendar=terms.calendar,
    )
    if isinstance(decision, Refused):
        subject = f"{command.trigger} {record.id}" if record is not None else command.trigger
        raise TransitionRefused(subject, decision.reasons)
    return [event.sealed(terms.salt) for event in decision.events]


def decided_or_noted(
    terms: Terms, record: Record, command: Command, beside: tuple[Record, ...] = ()
) -> list[Event]:
    """The events of a consequence; a refusal is recorded, and what led to it stands."""
    try:
        return decided(terms, record, command, beside)
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
    timers = yield from _timers(change, new.record)
    held = (change.messages, timers, expected)
    return (yield from _write(change.terms, known, new, change.events, at, *held))


def _timers(change: Change, record: Record) -> Generator[Ask, Any, tuple[Timer, ...]]:
    """The timer of the record's timer edges, where there are any now or were before."""
    if not waits_for_time(change.terms, change.known.record, record):
        return ()
    (wake,) = change.wake or ((yield from wake_of(change.terms, record)),)
    return (timer_of(record, wake),)


def _write(
    terms: Terms,
    known: Standing | None,
    new: Standing,
    events: Sequence[Event],
    at: dt.datetime,
    messages: Sequence[Message] = (),
    by_time: tuple[Timer, ...] = (),
    expected: int = 0,
) -> OnItsWay:
    """Writes a change set; `known` is the standing whose timer and due instant still hold."""
    due, timers = None if known is None else known.due, _NO_TIMERS
    if terms.agreements and not (known is not None and known.watched and same_clocks(known, new)):
        due, timers = watch(terms, new, at)
    changes = ChangeSet(
        record=new.record.id,
        expected=expected,
        events=tuple(events),
        snapshot=Snapshot(record=new.record, timeline=new.timeline, fold=FOLD, due=due),
        timers=(*timers, *by_time),
        messages=(*messages, *words_out(terms, new.record, events)),
    )
    committed: Committed = yield Ask("commit", (changes,))
    if committed.repeated:
        again = yield from standing(committed.record)
        return again.record
    return new.record


_NO_TIMERS: tuple[Timer, ...] = ()
