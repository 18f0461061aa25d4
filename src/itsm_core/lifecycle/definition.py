"""What a lifecycle is made of: its parts, what it opens with, its guards, and a version."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import attrs

from itsm_core.business_time.instants import in_utc
from itsm_core.errors import InvalidValue
from itsm_core.events import Phase
from itsm_core.lifecycle.fields import STANDARD, CustomField, FieldType
from itsm_core.lifecycle.guards import Guards
from itsm_core.lifecycle.parts import Need, State, Transition, Words, needs, say, sequence, wait, words
from itsm_core.records import Record
from itsm_core.values import NO_FIELDS, Fields, as_fields, counted, each, named, only, word


def _states(value: Iterable[State]) -> tuple[State, ...]:
    return each(State, value, "states", 'give a list: (State("new", "new"), ...)')


def _transitions(value: Iterable[Transition]) -> tuple[Transition, ...]:
    return each(Transition, value, "transitions", 'give a list: (Transition("start", "new", dest="open"),)')


def _fields(value: Iterable[CustomField]) -> tuple[CustomField, ...]:
    return each(CustomField, value, "fields", 'give a list: (CustomField("room", "text"),)')


def _guards(value: Guards) -> Guards:
    remedy = 'write {"no_open_tasks": no_open_tasks}'
    if not isinstance(value, Mapping):
        raise InvalidValue("guards", value, "are no mapping", remedy)
    for name, guard in value.items():
        only(str, name, "guard", remedy)
        if not callable(guard):
            raise InvalidValue(f"guard {name!r}", guard, "is no function", remedy)
    return Fields(value)


def _beside(
    value: Mapping[str, Iterable[str]] | Iterable[tuple[str, Iterable[str]]],
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    remedy = 'write {"vote": ("may_vote",)}'
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidValue("beside", value, "is no mapping", remedy)
    pairs = tuple(value.items() if isinstance(value, Mapping) else value)
    if not all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs):
        raise InvalidValue("beside", value, "is no mapping", remedy)
    return tuple((word(trigger, "beside", remedy), sequence(names)) for trigger, names in pairs)


@attrs.frozen(slots=False, hash=False, repr=False)
class Definition:
    """The states and transitions of one process at one version; a version is never reused.

    `opening` lists what a record of it is opened with, `fields` those that only this process has.
    `guards` maps the names that transitions use to functions; `beside` names guards of commands that
    leave the state alone, such as {"vote": "may_vote"}. `roles` are the roles it knows (none: any).
    `requester`: somebody waits for its records.

    This is the data; `Lifecycle` is the same with everything that is made from it.
    """

    id: str
    version: int
    process: str = attrs.field(kw_only=True)
    initial: str = attrs.field(kw_only=True)
    states: tuple[State, ...] = attrs.field(converter=_states, kw_only=True)
    transitions: tuple[Transition, ...] = attrs.field(converter=_transitions, kw_only=True)
    opening: tuple[Need, ...] = attrs.field(default=(), converter=needs, kw_only=True)
    fields: tuple[CustomField, ...] = attrs.field(default=(), converter=_fields, kw_only=True)
    beside: tuple[tuple[str, tuple[str, ...]], ...] = attrs.field(default=(), converter=_beside, kw_only=True)
    roles: tuple[str, ...] = attrs.field(default=(), converter=sequence, kw_only=True)
    requester: bool = attrs.field(default=True, kw_only=True)
    label: Words = attrs.field(default=(), converter=words, kw_only=True)
    guards: Guards = attrs.field(default=NO_FIELDS, converter=_guards, kw_only=True)

    def __attrs_post_init__(self) -> None:
        named(self.id, "lifecycle", 'name it, such as "incident"')
        named(self.process, "process", 'name it, such as "incident"')
        counted(self.version, "lifecycle")

    def __repr__(self) -> str:
        counts = f"{len(self.states)} states, {len(self.transitions)} transitions"
        return f"<lifecycle {self.id} {self.version}: {counts}>"

    def __hash__(self) -> int:
        return hash((self.id, self.version))

    def __getstate__(self) -> dict[str, Any]:
        """What it is defined by; what is made from it is made anew where it is copied or read."""
        return {field.name: getattr(self, field.name) for field in attrs.fields(type(self))}

    @cached_property
    def by_id(self) -> dict[str, State]:
        """The states by id."""
        return {state.id: state for state in self.states}

    @cached_property
    def by_trigger(self) -> dict[str, tuple[Transition, ...]]:
        """The transitions of each trigger, in the order of definition."""
        found: dict[str, list[Transition]] = {}
        for transition in self.transitions:
            found.setdefault(transition.trigger, []).append(transition)
        return {trigger: tuple(rows) for trigger, rows in found.items()}

    @cached_property
    def kinds(self) -> dict[str, FieldType]:
        """The fields of its records, those of all processes included, with their types."""
        return {**STANDARD, **{field.name: field.type for field in self.fields}}

    @cached_property
    def guards_beside(self) -> dict[str, tuple[str, ...]]:
        """The guards of commands that leave the state alone, by trigger."""
        return dict(self.beside)

    @cached_property
    def timed(self) -> dict[str, tuple[Transition, ...]]:
        """The timer edges out of each state."""
        rows = [t for t in self.transitions if t.after is not None]
        return {source: tuple(t for t in rows if source in t.sources) for t in rows for source in t.sources}

    @cached_property
    def edges(self) -> frozenset[tuple[str, str]]:
        """Every move from state to state that some transition allows."""
        return frozenset((source, t.dest) for t in self.transitions for source in t.sources)

    def say(self, lang: str = "en") -> str:
        """What the process is called in a language."""
        return say(self.label, lang, self.process.replace("_", " "))

    def rows(self, trigger: str, state: str) -> tuple[Transition, ...]:
        """The transitions that a trigger has out of a state, in the order in which they are tried."""
        return tuple(t for t in self.by_trigger.get(trigger, ()) if state in t.sources)

    def state(self, id: str) -> State:
        """The state with this id; an unknown one is refused with the known ones."""
        found = self.by_id.get(id) if isinstance(id, str) else None
        if found is None:
            raise InvalidValue(
                "state", id, f"is no state of {self.id} {self.version}", f"use one of {sorted(self.by_id)}"
            )
        return found

    def triggers_from(self, state: str) -> tuple[str, ...]:
        """The triggers that lead out of a state, in the order of definition."""
        return tuple(dict.fromkeys(t.trigger for t in self.transitions if state in t.sources))

    def record(
        self,
        id: str,
        state: str | None = None,
        *,
        opened_at: dt.datetime | None = None,
        version: int = 0,
        custom: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> Record:
        """A record in a state, for hosts that keep tickets in a table of their own.

        `values` are what the row says: requester, assignee, priority, hold_reason, ... A name that
        no record knows is refused; `custom` takes the host's own fields.
        """
        named(id, "record", 'name it, such as "INC-1"')
        only(int, version, "version", "count the events of the record: 0, 1, 2")
        given = {**_known(values), **_own(custom)}
        found = self.state(state or self.initial)
        reason = values.get("hold_reason")
        waits = found.waits_on or (wait(reason) if reason and found.phase is Phase.WAITING else None)
        return Record(
            id=id,
            process=self.process,
            lifecycle=self.id,
            lifecycle_version=self.version,
            state=found.id,
            phase=found.phase,
            version=version,
            touched=version,
            opened_at=None if opened_at is None else in_utc(opened_at, "opened_at"),
            waits_on=waits,
            outcome=found.outcome,
            values=as_fields({name: value for name, value in given.items() if value is not None}),
        )


def _known(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values, if every name is one that records know."""
    for name in values:
        if name not in STANDARD:
            near = difflib.get_close_matches(name, STANDARD, 3)
            remedy = f"did you mean {' or '.join(near)}? " if near else ""
            remedy += f"Fields of your own go into custom={{{name!r}: ...}}"
            raise InvalidValue("field", name, "is none that a record knows", remedy)
    return values


def _own(custom: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The host's own fields, which may not take the name of one that records know."""
    own = as_fields(custom)
    for name in own.keys() & STANDARD.keys():
        raise InvalidValue("custom", name, "is a field of every record", f"give it by name: {name}=...")
    return own
