"""One record after another: follow-ups, re-typed and split records, and those merged into one.

The successor is linked both ways and takes over who asked, for whom and what about. Re-typed and
split records keep the start of the promise, so nobody waits longer for a change of label; a breach
stays with the record that suffered it. The successor is opened before the predecessor is closed:
whatever happens in between, nobody is forgotten, and the same command again completes it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import attrs

from itsm_core.commands import Command
from itsm_core.errors import InvalidValue, Reason, TransitionRefused
from itsm_core.lifecycle import Lifecycle
from itsm_core.lifecycle.beside import DESK
from itsm_core.lifecycle.fields import kinds_of
from itsm_core.lifecycle.migration import MigrationPlan
from itsm_core.lifecycle.reasons import clock_reasons, role, too_early, version_reasons, wrong_state
from itsm_core.ports import Ask
from itsm_core.records import Record
from itsm_core.road.carrying import carry, commit, first_answer, open_record
from itsm_core.road.changing import Change
from itsm_core.road.consequences import related
from itsm_core.road.deciding import decided
from itsm_core.road.terms import MACHINE, OnItsWay, Terms, standing
from itsm_core.values import only

Reference = Callable[[str], str]
"""Names a new record of a process: its number."""

MOVERS = frozenset({"manager", "automation"})
"""The roles that move records to another lifecycle."""

TREATMENT = frozenset(
    {
        *("hold_reason", "look_again_at", "resolution_outcome", "resolution_method", "resolution_notes"),
        *("closure_code", "reason", "late_reason", "message", "messages", "agreement", "promised_since"),
        *("delivered", "merged_into", "duplicate_of", "successor", "verification", "risk_accepted_by"),
        *("risk_review_at", "told_at", "actual_start", "actual_end", "blackout_exception", "found_by"),
        *("evidence", "review_result", "review_actions", "no_actions_reason"),
    }
)
"""What no successor takes over: how the record before it was treated."""

NAMED = TREATMENT | {"number", "external_refs"}
"""What no successor takes over, its own names included."""

ASKED = frozenset({"request_model", "request_model_version", "inputs"})
"""What a re-typed record is asked for anew."""

OF_ITS_OWN = TREATMENT | {
    *("number", "channel", "external_refs", "priority_reason", "priority", "group", "assignee")
}
"""What a follow-up does not take over either: its own names, and who works on it."""


def open_part(
    terms: Terms, command: Command, process: str | None = None, *, repeatable: bool = True
) -> OnItsWay:
    """Opens a record; one that is part of another, such as a task, is linked to it from there."""
    owner = command.fields.get("part_of")
    if owner is None:
        return (yield from open_record(terms, command, process, repeatable=repeatable))
    whole = (yield from standing(str(owner))).record  # raises RecordNotFound before anything is opened
    _refuse(f"open, as part of {owner}", _lies_before(whole, command))
    record = yield from open_record(terms, command, process)
    yield from _linked(terms, str(owner), record.process, record.id, command)
    return record


def follow_up(terms: Terms, closed: Record, command: Command, reference: Reference) -> OnItsWay:
    """The linked record that a reply to a closed one opens."""
    same = terms.lifecycle_of(closed).id
    opened = yield from _successor(terms, closed, command, same, reference, {}, leave=OF_ITS_OWN)
    return (yield from _linked(terms, opened.id, "follows", closed.id, command))


def split(terms: Terms, record_id: str, command: Command, reference: Reference) -> OnItsWay:
    """A part of a record's matter as a record of its own; answers the new one."""
    known = (yield from standing(record_id)).record
    same, given = terms.lifecycle_of(known), command.fields
    if (yield Ask("event", (f"{command.id}#open",))) is None:
        _refuse(f"split {record_id}", _split_reasons(known, command, same))
    opened = yield from _successor(terms, known, command, same.id, reference, given, promise=True)
    yield from _linked(terms, record_id, "split_into", opened.id, command)
    return (yield from _linked(terms, opened.id, "split_from", record_id, command))


def retype(terms: Terms, record_id: str, process: str, command: Command, reference: Reference) -> OnItsWay:
    """The record as one of another process; answers the successor, and closes the one before it."""
    known = (yield from standing(record_id)).record
    given = command.fields
    done = yield from first_answer(record_id, _retyping(command, ""))
    if done is None:
        beside = yield from related(known)
        decided(terms, known, _retyping(command, "-"), beside)  # refused before anything is done
        asked = {name: value for name, value in given.items() if name != "reason"}
        new = (terms, known, command, process, reference, asked)
        opened = yield from _successor(*new, leave=NAMED | ASKED, promise=True)
        yield from _linked(terms, opened.id, "retyped_from", record_id, command)
        done = yield from carry(terms, record_id, _retyping(command, opened.id))
    successor = str(done.values["successor"])
    yield from _linked(terms, record_id, "retyped_to", successor, command)
    return (yield from standing(successor)).record


def merge(terms: Terms, record_id: str, into: str, command: Command) -> OnItsWay:
    """Closes a record that is about the same as another; answers the one that goes on."""
    other = (yield from standing(into)).record
    merging = attrs.evolve(command, trigger="merge", fields={**command.fields, "merged_into": into})
    if (yield from first_answer(record_id, merging)) is None:
        if into == record_id or not other.phase.is_open:
            told = "is the record itself" if into == record_id else f"is {other.phase}"
            raise InvalidValue("merge", into, told, "merge into another record that is open")
        _refuse(f"merge into {into}", _lies_before(other, command))
    merged = yield from carry(terms, record_id, merging)
    into = str(merged.values["merged_into"])
    yield from _linked(terms, record_id, "merged_into", into, command)
    return (yield from _linked(terms, into, "merged_from", record_id, command))


def migrate(terms: Terms, record_id: str, plan: MigrationPlan, command: Command) -> OnItsWay:
    """Moves a record to another lifecycle or version by an event of its own; clocks go on."""
    only(MigrationPlan, plan, "plan", "make one: MigrationPlan(source, target, states={...})")
    again = yield Ask("event", (command.id,))
    known = yield from standing(record_id)
    if again is not None and again.record == record_id:
        return known.record
    target = (plan.target.id, plan.target.version)
    if target not in [(one.id, one.version) for one in terms.lifecycles]:
        raise InvalidValue("plan", str(plan), "leads to none of this desk's", "give it among the lifecycles")
    _refuse(f"migrate {record_id}", _moving_reasons(known.record, command, terms))
    change = Change(terms, known)
    moved = plan.apply(
        known.record,
        actor=command.actor,
        at=max(command.at, known.record.changed_at or command.at),
        id=command.id,
        reason=command.fields.get("reason"),
    )
    change.add([moved.sealed(terms.salt)])
    return (yield from commit(change, command.at, rearm=True))


def _refuse(subject: str, reasons: Sequence[Reason]) -> None:
    if reasons:
        raise TransitionRefused(subject, reasons)


def _lies_before(record: Record, command: Command) -> list[Reason]:
    """Why a record that the command is to be linked with was not there yet."""
    early = record.opened_at is not None and command.at < record.opened_at
    return [too_early(record, command)] if early else []


def _split_reasons(record: Record, command: Command, lifecycle: Lifecycle) -> list[Reason]:
    """Why a record may not be split: by who is not of the desk, or where it is over."""
    found = [] if DESK & command.actor.roles else [role(command.actor, DESK, "split")]
    found += [] if record.phase.is_open else [wrong_state(record, "split", lifecycle)]
    return [*found, *_lies_before(record, command), *version_reasons(record, command, lifecycle)]


def _moving_reasons(record: Record, command: Command, terms: Terms) -> list[Reason]:
    """Why a record may not be moved to another lifecycle: by whom, or on an old view of it."""
    found = [] if MOVERS & command.actor.roles else [role(command.actor, MOVERS, "migrate")]
    found += clock_reasons(command, dt.timedelta.max)
    return found + version_reasons(record, command, terms.lifecycle_of(record))


def _retyping(command: Command, successor: str) -> Command:
    kept = {name: command.fields[name] for name in ("reason", "late_reason") if command.fields.get(name)}
    return attrs.evolve(
        command, trigger="retype", fields={**kept, **({"successor": successor} if successor else {})}
    )


def _successor(
    terms: Terms,
    known: Record,
    command: Command,
    process: str,
    reference: Reference,
    given: Mapping[str, Any],
    *,
    leave: frozenset[str] = NAMED,
    promise: bool = False,
) -> OnItsWay:
    """Opens the record that comes after one; the same command opens it once."""
    lifecycle = terms.lifecycle_for(process, given)
    names = kinds_of("open", terms.custom, lifecycle.kinds).keys() - leave
    if known.major_incident is not None:
        names -= {"major"}  # the mark is that of the major incident beside the record, which stays there
    taken = {name: value for name, value in known.values.items() if name in names}
    number = reference(lifecycle.process)
    ref = f"{known.id} by {command.id}"
    fields = {**taken, **given, "record": number, "number": number, "external_refs": (ref,)}
    opening = attrs.evolve(command, trigger="open", fields=fields, id=f"{command.id}#open", cause=command.id)
    since = known.values.get("promised_since") or known.opened_at
    stamp = {"promised_since": since} if promise else {}
    return (yield from open_record(terms, opening, lifecycle.id, stamp))


def _linked(
    terms: Terms, record_id: str, relation: str, other: str, command: Command
) -> Generator[Ask, Any, Record]:
    """The record with a link to another; late or not, the command that it follows from was in order."""
    terms = attrs.evolve(terms, tolerance=dt.timedelta.max)
    link = Command(
        "link",
        MACHINE,
        at=command.at,
        fields={"relation": relation, "other": other},
        id=f"{command.id}#link-{relation}",
        recorded_at=command.recorded_at,
        on_behalf_of=command.actor.id,
        cause=command.id,
    )
    return (yield from carry(terms, record_id, link))
