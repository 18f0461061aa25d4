"""The laws that every lifecycle keeps, each as a question to one step of one record.

A `Step` is a command with what was known, what was decided and what became of the record. A law gives
what is wrong with it, and nothing if nothing is.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import attrs

from itsm_core.commands import Command
from itsm_core.errors import Reason
from itsm_core.events import Event, Phase, effective
from itsm_core.lifecycle.beside import APPROVALS, BESIDE
from itsm_core.lifecycle.decision import Accepted, Refused
from itsm_core.lifecycle.fields import CustomField
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.machine import Cursor, destination
from itsm_core.lifecycle.majors import MAJOR_BUTTONS, row_reasons
from itsm_core.lifecycle.options import Option
from itsm_core.lifecycle.parts import Need, Transition
from itsm_core.lifecycle.reasons import waivers_for
from itsm_core.lifecycle.soundness import PHASE_MOVES
from itsm_core.records import Record, fold
from itsm_core.testing.steps import Step
from itsm_core.values import canonical, from_dict, to_dict

UNHEARD_OF = CustomField("field_that_no_lifecycle_has", "any")
"""Declared to make `decide` look closely: its quick way is for commands without further fields."""


class LawBroken(AssertionError):
    """A lifecycle or the library does not keep a law; says which, at which step, and how."""


def obey(step: Step) -> None:
    """Raises `LawBroken` with every law that a step breaks."""
    faults = [f"{law}: {fault}" for law, broken in LAWS.items() for fault in broken(step)]
    if faults:
        lifecycle = step.lifecycle
        head = f"{lifecycle.id} {lifecycle.version}: {step}\n  {step.decision}"
        raise LawBroken("\n".join([head, *(f"  - {fault}" for fault in faults)]))


Faults: TypeAlias = Iterator[str]
Law: TypeAlias = Callable[[Step], Faults]


# --- deciding ---------------------------------------------------------------------------------


def same_answer(step: Step) -> Faults:
    """What was decided is decided again, by the quick way and by the close look."""
    again = step.decided(step.command)
    if again != step.decision:
        yield f"asked again, it is {again}"
    closely = step.decided(step.command, UNHEARD_OF)
    if closely != step.decision:
        yield f"looked at closely, it is {closely}"


def nothing_changed(step: Step) -> Faults:
    """Deciding changes nothing of the record it looks at."""
    if step.before is not None and to_dict(step.before) != step.was:
        yield "the record that was asked about is another one now"


def refused_with_reasons(step: Step) -> Faults:
    """A refusal gives reasons, each with a code and a sentence, and makes no event."""
    if isinstance(step.decision, Refused):
        if not step.decision.reasons:
            yield "there is no reason"
        for reason in step.decision.reasons:
            if not (isinstance(reason, Reason) and reason.code and reason.message):
                yield f"{reason!r} says nothing"
        if step.after != step.before:
            yield "the record changed all the same"


# --- events -----------------------------------------------------------------------------------


def events_say_where(step: Step) -> Faults:
    """Events follow each other, and name the record, the lifecycle, its version, from where and to where."""
    first = 1 if step.before is None else step.before.version + 1
    if isinstance(step.decision, Accepted) and not step.decision.events:
        yield "nothing happened"
    for seq, event in enumerate(step.decision.events, first):
        lifecycle = step.lifecycle
        if event.seq != seq:
            yield f"{event.kind} is number {event.seq}, not {seq}"
        if (event.lifecycle, event.lifecycle_version) != (lifecycle.id, lifecycle.version):
            yield f"{event.kind} names {event.lifecycle} {event.lifecycle_version}"
        if (event.actor, event.occurred_at) != (step.command.actor, step.command.at):
            yield f"{event.kind} is {event.actor.id}'s at {event.occurred_at.isoformat()}"
        if step.after is None or event.record != step.after.id:
            yield f"{event.kind} is of the record {event.record}"
        yield from _moves(step, event)


def _moves(step: Step, event: Event) -> Faults:
    start = None if step.before is None else step.before.state
    moves = event.kind in ("opened", "transitioned")
    said = (event.from_state, event.to_state)
    if not moves and said != (None, None):
        yield f"{event.kind} moves from {said[0]} to {said[1]}"
    if moves and (event.from_state != start or event.to_state not in step.lifecycle.by_id):
        yield f"{event.kind} leads from {said[0]} to {said[1]}, and the record was in {start}"


def stands_in_a_state(step: Step) -> Faults:
    """The record stands in a state of the lifecycle, with its phase and outcome; a new one in the first."""
    after = step.after
    if after is None:
        return
    state = step.lifecycle.by_id.get(after.state)
    if state is None:
        yield f"{after.state} is no state"
    elif (after.phase, after.outcome) != (state.phase, state.outcome):
        yield f"in {state.id} it has phase {after.phase} and outcome {after.outcome}"
    if step.before is None and after.state != step.lifecycle.initial:
        yield f"it was opened in {after.state}"


def beside_stays(step: Step) -> Faults:
    """A command beside the state leaves the state alone."""
    if step.command.trigger in BESIDE and step.before is not None and step.after is not None:
        for name in ("state", "phase", "outcome", "entered_at"):
            was, now = getattr(step.before, name), getattr(step.after, name)
            if was != now:
                yield f"{name} was {was} and is {now}"


def phases_allow(step: Step) -> Faults:
    """A move is one that its phases allow; an end is left only by what reopens."""
    event, before, after = step.transition, step.before, step.after
    if event is not None and before is not None and after is not None:
        reopened = event.fields.get("reopens") is not None and before.phase is Phase.CLOSED
        if after.phase not in PHASE_MOVES[before.phase] and not reopened:
            yield f"{before.state} ({before.phase}) leads to {after.state} ({after.phase})"


# --- conditions -------------------------------------------------------------------------------


def a_row_allows(step: Step) -> Faults:
    """What was accepted is allowed by a transition: people, duties, time, fields and guards."""
    event, before = step.transition, step.before
    if event is None or before is None:
        return
    rows = [
        row for row in step.lifecycle.rows(step.command.trigger, before.state) if row.dest == event.to_state
    ]
    found = [list(_against(row, step, before)) for row in rows]
    if not rows:
        yield f"no transition leads from {before.state} to {event.to_state}"
    elif all(found):
        yield from min(found, key=len)


def _against(row: Transition, step: Step, before: Record) -> Faults:
    """What the definition has to say against a step, read from the history and not from the record."""
    actor = step.command.actor
    related = any(before.values.get(name) == actor.id for name in row.relation)
    if row.after is not None and "itsm_core" not in actor.roles:
        yield f"time fires {row.trigger}, and {actor.id} did"
    if row.after is None and not (row.roles & actor.roles or related):
        yield f"{actor.id} may not fire {row.trigger}"
    hands = {actor.id, step.command.on_behalf_of, actor.approved_by} - {None}
    for earlier in row.separate_from if row.after is None else ():
        joined = hands & _hands(earlier, step, before)
        if joined and not waivers_for(before, row.trigger, earlier, step.command.at):
            yield f"{min(map(str, joined))} had a hand in {earlier}"
    for need in row.requires:
        if need.required and not _answered(need, step.command, before):
            yield f"{need.field} is not given"
    for reason in row_reasons(row, step.lifecycle, step.situation(before)):
        yield f"a guard objects: {reason}"


def _hands(trigger: str, step: Step, before: Record) -> set[str | None]:
    """Whose hands were in the last firing of a trigger, as the history tells."""
    kind = "opened" if trigger == "open" else "transitioned"
    for event in reversed(effective(step.history)):
        if event.kind == kind and (trigger == "open" or event.fields.get("trigger") == trigger):
            asked = (
                {event.fields.get("requester"), before.requester} if trigger == "open" else set[str | None]()
            )
            return {event.actor.id, event.on_behalf_of, event.actor.approved_by, *asked} - {None}
    return set()


def _answered(need: Need, command: Command, before: Record) -> bool:
    names = [name for name in (need.field, need.otherwise) if name is not None]
    given = [command.fields.get(name) for name in names]
    known = [before.values.get(name) for name in names] if need.kept else []
    return any(value not in (None, "", ()) for value in (*given, *known))


# --- the machines -----------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _stock(lifecycle: Lifecycle) -> Any:
    return lifecycle.machine()


def machines_agree(step: Step) -> Faults:
    """The shared machine and a stock one lead where the decision led, and both nowhere else."""
    before, trigger = step.before, step.command.trigger
    if before is None or not step.lifecycle.rows(trigger, before.state):
        return
    situation, cursor = step.situation(before), Cursor(before.state)
    shared = destination(step.lifecycle, before.state, trigger, situation)
    moved = _stock(step.lifecycle).events[trigger].trigger(cursor, situation)
    stock = cursor.state if moved else None
    if shared != stock:
        yield f"the shared machine leads to {shared}, a stock one to {stock}"
    event = step.transition
    if event is not None and event.to_state != shared:
        yield f"the decision leads to {event.to_state}, the shared machine to {shared}"


# --- the record -------------------------------------------------------------------------------


def history_tells_it(step: Step) -> Faults:
    """The record is the fold of its history, whole or step by step, in any order."""
    if step.after is None:
        return
    told = fold(step.events)
    if told != step.after:
        yield f"the history tells another record: {_unlike(told, step.after)}"
    backwards = fold(tuple(reversed(step.events)))
    if backwards != told:
        yield f"told backwards, the history tells another record: {_unlike(backwards, told)}"


def written_and_read(step: Step) -> Faults:
    """Record and events are the same after they were written down as JSON and read."""
    things = [] if step.after is None else [step.after]
    for thing in (*things, *step.decision.events):
        read = from_dict(type(thing), json.loads(canonical(to_dict(thing))))
        if read != thing:
            yield f"read again, the {type(thing).__name__} is another: {_unlike(read, thing)}"


def _unlike(one: Any, other: Any) -> str:
    names = [field.name for field in attrs.fields(type(one))]
    unlike = [name for name in names if getattr(one, name) != getattr(other, name)]
    return ", ".join(f"{n} {getattr(one, n)!r} and not {getattr(other, n)!r}" for n in unlike)


# --- options ----------------------------------------------------------------------------------


def options_tell(step: Step) -> Faults:
    """Options show each button once, grey with reasons or enabled without, and say what `decide` says.

    Pressed without a field, a button is refused for its reasons, its notes and the fields that are
    missing, and for nothing else. With good fields, an enabled one is refused only where a guard objects
    to what they say.
    """
    before, command = step.before, step.command
    if before is None or any(command.at < event.occurred_at for event in step.history):
        return  # options look at a record as it is, not as it was
    shown = step.options(command.actor)
    people = [
        trigger for trigger, rows in step.lifecycle.by_trigger.items() if any(r.after is None for r in rows)
    ]
    people += [trigger for trigger in APPROVALS if trigger in step.lifecycle.guards_beside]
    people += MAJOR_BUTTONS if before.major_incident is not None else []
    if [option.trigger for option in shown] != people:
        yield f"options show {[option.trigger for option in shown]}"
    for option in shown:
        if option.enabled is bool(option.reasons):
            look = "enabled" if option.enabled else "grey"
            yield f"{option.trigger} is {look} with {len(option.reasons)} reasons"
        if option.trigger == command.trigger:
            yield from _pressed(step, option, before)


def _pressed(step: Step, option: Option, before: Record) -> Faults:
    bare = step.decided(Command(option.trigger, step.command.actor, at=step.command.at))
    said = Counter(map(str, (*option.reasons, *option.notes)))
    found = Counter(map(str, bare.reasons))
    if said - found:
        yield f"options say of {option.trigger}: {'; '.join(said - found)}; decide does not"
    lacking = Counter(need.field for need in option.missing)
    more = [reason for reason in bare.reasons if str(reason) in found - said]
    if Counter(_field(reason) for reason in more) != lacking:
        missing = ", ".join(lacking) or "nothing"
        yield f"options of {option.trigger} miss {missing}; without fields, decide is {bare}"
    if option.enabled and isinstance(step.decision, Refused):
        yield from _explained(step, option, before)


def _explained(step: Step, option: Option, before: Record) -> Faults:
    """What an enabled button was refused for, but for the fields that it brought."""
    situation = step.situation(before)
    rows = step.lifecycle.rows(option.trigger, before.state)
    said = {str(reason) for row in rows for reason in row_reasons(row, step.lifecycle, situation)}
    for reason in step.decision.reasons:
        if reason.code in _NO_FIELDS and str(reason) not in said and step.command.on_behalf_of is None:
            yield f"options enable {option.trigger}, and decide refuses it: {reason}"


_NO_FIELDS = ("wrong_state", "role", "separation", "timer", "too_soon", "wrong_lifecycle")
"""The codes of reasons that no field that is brought has to do with."""


def _field(reason: Reason) -> Any:
    return dict(reason.facts).get("field") if reason.code == "missing_field" else reason.message


LAWS: Mapping[str, Law] = {
    "the same question has the same answer": same_answer,
    "deciding changes nothing": nothing_changed,
    "a refusal says why, and changes nothing": refused_with_reasons,
    "events say what happened, where and under which version": events_say_where,
    "a record stands in a state of its lifecycle": stands_in_a_state,
    "what is beside the state leaves it alone": beside_stays,
    "phases allow each move, and ends stay": phases_allow,
    "a transition allows what was accepted": a_row_allows,
    "the machines lead to the same state": machines_agree,
    "the record is the fold of its history": history_tells_it,
    "what is written is read the same": written_and_read,
    "options tell the truth": options_tell,
}
"""The laws by what they say."""
