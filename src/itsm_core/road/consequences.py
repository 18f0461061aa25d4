"""What a commit sets off: the timers that wake a record again, the words that go out, the notices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Sequence
from typing import Any

from itsm_core.actors import Actor
from itsm_core.business_time.instants import later
from itsm_core.commands import Command
from itsm_core.errors import InvalidValue, RecordNotFound
from itsm_core.escalation import ClocksRead, Run, next_due
from itsm_core.events import Audience, Direction, Event, Phase
from itsm_core.lifecycle import Lifecycle, Option, options
from itsm_core.lifecycle.scribe import Scribe
from itsm_core.lifecycle.timers import next_timer
from itsm_core.ports import Ask, Message, Timer
from itsm_core.processes.change_reviews import CAUSES
from itsm_core.processes.conditions import OWNS_TASK
from itsm_core.processes.major import major_facts
from itsm_core.records import Record
from itsm_core.road.terms import AGAIN, MACHINE, KnownShifts, Standing, Terms, escalation, standing
from itsm_core.sla import ClockState
from itsm_core.values import NO_FIELDS, Fields, as_fields, digest, trusted

OWNED = frozenset({OWNS_TASK})
"""The relations of links to records that belong to this one: guards look at them."""

LOOKED_AT = {"change": OWNED | {CAUSES}}
"""The same for processes whose guards look at more."""

FIXES = "fixes"
"""The relation of a change to what it was for."""

GOES_ON = {"merged": "merged_into", "duplicate": "duplicate_of", "retyped": "successor"}
"""By its outcome, the field of a closed record that names the one it goes on in."""

_NAMED = ("change_id", *GOES_ON.values())
"""Fields that name a record which guards look at, too."""

BY_ITSELF = "lifecycle"
"""The kind of the timers that fire timer edges."""


Wake = tuple[dt.datetime, str]
"""When a timer edge fires, and its trigger."""


def related(record: Record, fields: Fields = NO_FIELDS) -> Generator[Ask, Any, tuple[Record, ...]]:
    """The records that belong to this one, as they stand, and those that it or a command names.

    A name that no record here has is one of another system, and its record is not at hand.
    """
    values = record.values
    if not record.links and fields.keys().isdisjoint(_NAMED) and values.keys().isdisjoint(_NAMED):
        return ()
    looked_at = LOOKED_AT.get(record.process, OWNED)
    wanted: list[Any] = [other for relation, other in record.links if relation in looked_at]
    wanted += [fields.get(name) or values.get(name) for name in _NAMED]
    found = []
    for name in dict.fromkeys(name for name in wanted if isinstance(name, str) and name != record.id):
        known = yield from if_there(name)
        found += [] if known is None else [known.record]
    return tuple(found)


def waiting_for(record: Record) -> list[str]:
    """The records that may wait for this one to end: whose part it is, and what it fixes."""
    owner = record.values.get("part_of")
    fixed = [other for relation, other in record.links if relation == FIXES]
    return [*([owner] if isinstance(owner, str) else []), *fixed]


def if_there(record_id: str) -> Generator[Ask, Any, Standing | None]:
    """Where a record stands, if the store has it."""
    try:
        return (yield from standing(record_id)) if record_id else None
    except RecordNotFound:
        return None


def options_of(
    terms: Terms, record_id: str, actor: Actor, *, lang: str | None = None, at: dt.datetime | None = None
) -> Generator[Ask, Any, tuple[Option, ...]]:
    """Every button of a record for an actor, disabled ones with their reasons."""
    record = (yield from standing(record_id)).record
    beside = yield from related(record)
    return options(
        record,
        actor,
        terms.lifecycle_of(record),
        lang=lang or terms.lang,
        at=at,
        related=beside,
        calendar=terms.calendar,
    )


def waits_for_time(terms: Terms, known: Record, new: Record) -> bool:
    """Whether a timer edge leaves the state that a record is in now, or the one it was in.

    It may where the desk does not have the record's lifecycle.
    """
    for record in (known, new):
        lifecycle = terms.ruling(record)
        if lifecycle is None or record.state in lifecycle.timed:
            return True
    return False


def ruling(terms: Terms, record: Record) -> Lifecycle:
    """The lifecycle that rules a record, for what happens by itself; `InvalidValue` if it is not there."""
    found = terms.ruling(record)
    if found is None:
        told = f"runs on {record.lifecycle} {record.lifecycle_version}, which this desk does not have"
        remedy = "give the desk this version, too; with both at hand the record can be migrated"
        raise InvalidValue("record", record.id, told, remedy)
    return found


def wake_of(terms: Terms, record: Record) -> Generator[Ask, Any, Wake | None]:
    """When the next timer edge of a record fires, and its trigger; None if none waits."""
    lifecycle = ruling(terms, record)
    if record.state not in lifecycle.timed:
        return None
    beside = yield from related(record)
    return next_timer(record, lifecycle, calendar=terms.calendar, related=beside)


def timer_of(record: Record, wake: Wake | None) -> Timer:
    """The timer that fires a timer edge of a record; without one it is cancelled."""
    due = None if wake is None else wake[0]
    return Timer(id=f"{record.id}/{BY_ITSELF}", record=record.id, kind=BY_ITSELF, due=due)


def notice(terms: Terms, record: Record, wake: Wake | None, cause: Command) -> list[Event]:
    """The words to the requester that say when a resolved record will close by itself; none else."""
    if wake is None or record.phase is not Phase.RESOLVED or not record.requester:
        return []
    due, trigger = wake
    if terms.calendar is not None:
        due = due.astimezone(terms.calendar.zone)
    shown = f"{due.isoformat(' ', 'minutes')[:16]} {due.tzname()}"
    text = _CLOSES.get(terms.lang, _CLOSES["en"]).format(shown)
    named = f"{cause.id}#{trigger}-notice"
    because = _because(
        trigger, MACHINE, cause.at, NO_FIELDS, named, None, cause.recorded_at, None, None, cause.id
    )
    said = {**_TO_THE_REQUESTER, "text": text, "text_digest": digest(text)}
    scribe = Scribe(record.id, record.tenant, because, terms.lifecycle_of(record), ())
    return [scribe.event(record.version + 1, "communicated", said).sealed(terms.salt)]


_because = trusted(Command)

_TO_THE_REQUESTER = {
    "direction": Direction.OUTBOUND.value,
    "audience": Audience.REQUESTER.value,
    "automatic": True,
}


_CLOSES = {
    "en": "We consider this done. Unless you answer, it closes by itself on {}.",
    "zh": "我们认为此事已处理完毕。如无回复，将于 {} 自动关闭。",
}


def read_of(terms: Terms, known: Standing, at: dt.datetime) -> ClocksRead:
    """What a policy looks at beside the record, as of an instant."""
    return ClocksRead.of(known.record, known.clocks(terms, at), terms.calendar, at, terms.shifts)


def failed_shifts(read: ClocksRead) -> Exception | None:
    """What the resolver raised when it was asked for changes of shift; None if it was not, or did not."""
    return read.shifts.failed if isinstance(read.shifts, KnownShifts) else None


def watch(
    terms: Terms, known: Standing | None, new: Standing, at: dt.datetime
) -> tuple[dt.datetime | None, tuple[Timer, ...]]:
    """When the first running clock falls due, and the timers of the next escalation step.

    They are read at the newest event: a command that came late does not know what came after it. A desk
    without agreements leaves the instant as it is.
    """
    record = new.record
    read = read_of(terms, new, max(at, record.changed_at or at))
    wakes = _wakes(terms, record, read, at)
    pinned = record.escalation.policy
    if pinned is not None and pinned not in wakes and known is not None and _concerns(known.record, record):
        wakes[pinned] = at
    timers = tuple(_wake(record, policy, due) for policy, due in wakes.items())
    if not terms.agreements:
        return None if known is None else known.due, timers
    running = [clock.due_at for clock in read.clocks.values() if clock.state is ClockState.RUNNING]
    return min((instant for instant in running if instant is not None), default=None), timers


def _wakes(terms: Terms, record: Record, read: ClocksRead, at: dt.datetime) -> dict[str, dt.datetime | None]:
    """By policy of this desk, when a step is due: of the one that watches the record, of the others never.

    Where this desk lacks the version, nobody here knows when: it is looked at until somebody does. Where the
    resolver cannot tell when a shift changes, it is asked again in a minute.
    """
    wakes: dict[str, dt.datetime | None] = {one.id: None for one in terms.policies}
    try:
        policy = terms.policy_of(record)
    except InvalidValue:
        wakes[str(record.escalation.policy)] = at
        return wakes
    if policy is not None:
        wakes[policy.id] = due = next_due(Run.of(record, policy), read)
        if failed_shifts(read) is not None:
            again = later(at, AGAIN)
            wakes[policy.id] = again if due is None else min(due, again)
    return wakes


def _wake(record: Record, policy: str, due: dt.datetime | None) -> Timer:
    """The timer of a policy's next step; a record that is closed has none."""
    kind = escalation(policy)
    due = None if record.phase is Phase.CLOSED else due
    return Timer(id=f"{record.id}/{kind}", record=record.id, kind=kind, due=due)


def _concerns(was: Record, now: Record) -> bool:
    """Whether a policy that another desk has may want something sooner, or nothing any more."""
    return (was.phase, was.priority, was.escalation.generation, was.escalation.acknowledged_at) != (
        now.phase, now.priority, now.escalation.generation, now.escalation.acknowledged_at,
    )  # fmt: skip


def same_clocks(known: Standing, new: Standing) -> bool:
    """Whether nothing that a clock or a policy reads differs; the newest event's place may."""
    was, now = known.timeline, new.timeline
    return (
        was.marks == now.marks
        and was.words == now.words
        and was.priorities == now.priorities
        and known.record.fired == new.record.fired
        and known.record.escalation == new.record.escalation
        and known.record.major_incident == new.record.major_incident
        and known.record.priority is new.record.priority
        and (known.record.customer, known.record.service) == (new.record.customer, new.record.service)
    )


def words_out(terms: Terms, record: Record, events: Sequence[Event]) -> list[Message]:
    """A message for each outbound communication, to whom it is meant for."""
    found = []
    for event in events:
        if event.kind != "communicated":
            continue
        said = event.fields
        audience, text = Audience(said["audience"]), said.get("text")
        to = record.requester if audience is Audience.REQUESTER else audience.value
        if said["direction"] == Direction.OUTBOUND and audience in _OUTSIDE and text and to:
            found.append(
                Message(
                    key=f"{event.id}#said",
                    record=record.id,
                    to=to,
                    channel=event.channel or terms.reply_channel,
                    audience=audience,
                    subject=record.number or record.id,
                    body=text,
                    created_at=event.occurred_at,
                    facts=_facts(record, audience, said),
                )
            )
    return found


def _facts(record: Record, audience: Audience, said: Fields) -> Fields:
    """What a template may tell top management of a major incident; nothing goes with other words."""
    facts = major_facts(record) if audience is Audience.MANAGEMENT else {}
    return as_fields({**facts, "next_update": said.get("promise_due")} if facts else None)


_OUTSIDE = frozenset({Audience.REQUESTER, Audience.PUBLIC, Audience.MANAGEMENT})
