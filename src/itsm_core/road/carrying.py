"""Commands carried through: decided, committed with what follows from them, once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import attrs

from itsm_core.commands import Command
from itsm_core.errors import InvalidValue, TransitionRefused, VersionConflict
from itsm_core.events import OF_MAJORS, Event, correction, effective
from itsm_core.lifecycle.beside import BESIDE
from itsm_core.ports import FOLD, Ask, ChangeSet, Committed, Message, Query, Snapshot, Timer
from itsm_core.records import Record, apply, fold
from itsm_core.road.briefing import briefing_timers, judged, of_majors
from itsm_core.road.changing import Change
from itsm_core.road.claiming import check_claim
from itsm_core.road.consequences import (
    GOES_ON,
    if_there,
    notice,
    same_clocks,
    timer_of,
    waiting_for,
    waits_for_time,
    wake_of,
    watch,
    words_out,
)
from itsm_core.road.deciding import decided, decided_or_noted, decided_with
from itsm_core.road.people import told_apart
from itsm_core.road.pinning import followed, stamp_of
from itsm_core.road.terms import ATTEMPTS, OnItsWay, Standing, Terms, history, onward, refold, standing
from itsm_core.road.wanting import follow_up
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
            events = yield from decided_with(terms, change.record, command)
        except TransitionRefused:
            # It may have been carried out by another process in this very moment.
            if repeatable and (first := (yield from first_answer(record_id, command))) is not None:
                return first
            raise
        steers = events[0].kind in _STEERING
        then_known = followed if steers else judged
        change.add(then_known(terms, change.record, events))
        yield from check_claim(terms, change.known, command)
        yield from _announced(terms, change, command)
        for entailed in then(change.record):
            change.add(decided_or_noted(terms, change.record, entailed))
        if steers or terms.policies:
            yield from follow_up(change, command)
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
    """Adds the notice of what time will do to a record that has just moved, or may now close by itself."""
    last = change.events[-1].kind
    if last not in _ANNOUNCED:
        return
    wake = yield from wake_of(terms, change.record)
    if last == "transitioned" or (wake is not None and wake[0] > command.at):
        change.add(notice(terms, change.record, wake, command))
    change.wake = (wake,)


_ANNOUNCED = frozenset({"transitioned", "major_rejected"})
"""After which kinds of events the requester hears when time closes what is resolved."""


_NAMING = frozenset({"link", "correct"})
_STEERING = frozenset({"acknowledged", "policy_migrated", "escalation_requested"})
"""The kinds of events that the run of a policy has a say in."""


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
    if command.fields.keys().isdisjoint(_GOING_ON):
        return
    lifecycle = terms.lifecycle_of(record)
    for row in lifecycle.by_trigger.get(command.trigger, ()):
        other = command.fields.get(GOES_ON.get(lifecycle.by_id[row.dest].outcome or "", ""))
        if other:
            yield from standing(str(other))


def open_record(
    terms: Terms,
    command: Command,
    process: str | None = None,
    stamp: Mapping[str, Any] = NO_FIELDS,
    *,
    repeatable: bool = True,
) -> OnItsWay:
    """Opens a record of a process; opening twice with one external reference (in one tenant) is one record.

    `stamp` is what the library itself writes into the opening. Not `repeatable`: the id is new, so
    nobody asks whether it was used.
    """
    record_id, tenant = str(command.fields["record"]), command.fields.get("tenant")
    refs = command.fields.get("external_refs")
    for ref in refs if isinstance(refs, tuple) else ():
        query = Query(external_ref=ref, tenant=tenant)
        found: tuple[Record, ...] = yield Ask("find", (query,))
        for known in found:
            if known.tenant == tenant:
                return known
    if repeatable and (first := (yield from first_answer(record_id, command))) is not None:
        return first
    events = _stamped(terms, decided(terms, None, command, process=process), stamp)
    new = Standing(apply(None, events[0]), extend(None, events[0]))
    for event in of_majors(terms, None, new.record, events):
        events.append(event)
        new = onward(new, event) or refold(events)
    wake = yield from wake_of(terms, new.record)
    by_time = _NO_TIMERS if wake is None else (timer_of(new.record, wake),)
    words = words_out(terms, new.record, events)
    if words and terms.asks_directory:
        words, _ = yield from told_apart(terms, new.record, words)
    try:
        return (yield from _write(terms, None, new, events, command.at, words, by_time))
    except VersionConflict:
        raise InvalidValue(
            "record", record_id, "is taken by another record", "leave record_id out, or choose another"
        ) from None


def _stamped(terms: Terms, events: Sequence[Event], stamp: Mapping[str, Any]) -> list[Event]:
    """The opening with the agreement and the policy that the record goes by from then on, and the stamp."""
    (opening,) = events
    more = dict(stamp)
    if terms.agreements or terms.policies:
        opened = apply(None, opening)
        agreement = terms.agreement_for(opened)
        more |= {} if agreement is None else {"agreement": agreement.label}
        more |= stamp_of(terms, opened)
    return [attrs.evolve(opening, fields={**opening.fields, **more}) if more else opening]


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
    return [e.id for e in effective(events) if e.kind in _IN_ORDER]


_IN_ORDER = frozenset({"opened", "transitioned"}) | OF_MAJORS


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
    last, made = event.seq, {command.id}  # what a command made was committed together: it stands in one run
    while last < len(events) and (events[last].id.startswith(f"{command.id}#") or events[last].cause in made):
        made.add(events[last].fields.get("key", command.id))
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
    if more := of_majors(change.terms, change.known.record, new.record, change.events):
        change.add(more)
        new = yield from change.standing()
    known = attrs.evolve(change.known, watched=False) if rearm else change.known
    expected = change.known.record.version
    timers = yield from _timers(change, new.record)
    words = words_out(change.terms, new.record, change.events)
    if words and change.terms.asks_directory:
        words, failed = yield from told_apart(change.terms, new.record, words)
        change.failed = change.failed or failed
    held = ((*change.messages, *words), timers + change.owing, expected, change.put_off)
    return (yield from _write(change.terms, known, new, change.events, at, *held))


def _timers(change: Change, record: Record) -> Generator[Ask, Any, tuple[Timer, ...]]:
    """The timers of the record's timer edges and briefings, where there are any now or were before."""
    briefings = briefing_timers(change.known.record, record)
    if not waits_for_time(change.terms, change.known.record, record):
        return briefings
    (wake,) = change.wake or ((yield from wake_of(change.terms, record)),)
    return (timer_of(record, wake), *briefings)


def _write(
    terms: Terms,
    known: Standing | None,
    new: Standing,
    events: Sequence[Event],
    at: dt.datetime,
    messages: Sequence[Message] = (),
    by_time: tuple[Timer, ...] = (),
    expected: int = 0,
    put_off: tuple[dt.datetime, dt.datetime] | None = None,
) -> OnItsWay:
    """Writes a change set; `known` is the standing whose timer and due instant still hold."""
    due, timers = None if known is None else known.due, _NO_TIMERS
    watches = terms.agreements or terms.policies or new.record.escalation.policy is not None
    if watches and not (known is not None and known.watched and same_clocks(known, new)):
        due, timers = watch(terms, known, new, at)
        timers = timers if put_off is None else tuple(_put_off(timer, *put_off) for timer in timers)
    changes = ChangeSet(
        record=new.record.id,
        expected=expected,
        events=tuple(events),
        snapshot=Snapshot(record=new.record, timeline=new.timeline, fold=FOLD, due=due),
        timers=(*timers, *by_time),
        messages=tuple(messages),
    )
    committed: Committed = yield Ask("commit", (changes,))
    if committed.repeated:
        again = yield from standing(committed.record)
        return again.record
    return new.record


def _put_off(timer: Timer, by: dt.datetime, until: dt.datetime) -> Timer:
    """The timer, which is not looked at again in the same breath: the clock was set back, or it is stuck."""
    return timer if timer.due is None or timer.due > by else attrs.evolve(timer, due=until)


_GOING_ON = frozenset(GOES_ON.values())
_NO_TIMERS: tuple[Timer, ...] = ()
