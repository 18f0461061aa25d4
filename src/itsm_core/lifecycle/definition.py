"""What a lifecycle is made of: states with a phase, transitions with conditions, a version."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import attrs

from itsm_core.business_time.instants import in_utc
from itsm_core.errors import InvalidValue
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle.fields import STANDARD
from itsm_core.records import Record
from itsm_core.values import as_fields, counted, each, member, named, only, texts, word

Words = tuple[tuple[str, str], ...]


def _words(value: Mapping[str, str] | Iterable[tuple[str, str]] | str) -> Words:
    if isinstance(value, str):
        return (("en", value),)
    pairs = tuple(value.items()) if isinstance(value, Mapping) else value
    if not isinstance(pairs, tuple) or not all(isinstance(pair, tuple) for pair in pairs):
        raise InvalidValue("label", value, "is no text", 'write "New", or {"en": "New", "zh": "新建"}')
    return pairs


def _names(value: Iterable[str] | str) -> frozenset[str]:
    return frozenset(texts(value, "role", 'name roles or relations with words: {"agent"}'))


def _sequence(value: Iterable[str] | str) -> tuple[str, ...]:
    return texts(value, "word", 'give texts: ("new", "in_progress")')


def _phase(value: Phase | str) -> Phase:
    return member(Phase, value, "phase")


def _wait(reason: WaitsOn | str) -> WaitsOn:
    return member(WaitsOn, reason, "hold_reason")


def _waits(value: WaitsOn | str | None) -> WaitsOn | None:
    return None if value is None else _wait(value)


def say(words: Words, lang: str, otherwise: str) -> str:
    """The words in a language, else in English, else as given."""
    found = dict(words)
    return found.get(lang) or found.get("en") or otherwise


@attrs.frozen
class State:
    """A state: its id is for ever, its label is words, its phase is what clocks understand.

    A final state (phase CLOSED) names its `outcome`. A waiting state names whom it waits on,
    or leaves that to the reason of each hold (`waits_on` None).
    """

    id: str
    phase: Phase = attrs.field(converter=_phase)
    label: Words = attrs.field(default=(), converter=_words, kw_only=True)
    outcome: str | None = attrs.field(default=None, kw_only=True)
    waits_on: WaitsOn | None = attrs.field(default=None, converter=_waits, kw_only=True)

    def __attrs_post_init__(self) -> None:
        named(self.id, "state", 'name it, such as "in_progress"')

    def say(self, lang: str = "en") -> str:
        """The label in a language ("en", "zh", ...)."""
        return say(self.label, lang, self.id)


@attrs.frozen
class Need:
    """A field that a transition requires, the choices it has, and the clause that asks for it."""

    field: str
    clause: str
    one_of: tuple[str, ...] = attrs.field(default=(), converter=_sequence, kw_only=True)
    label: Words = attrs.field(default=(), converter=_words, kw_only=True)

    def __attrs_post_init__(self) -> None:
        word(self.field, "need", 'name the field, such as "resolution_notes"')

    def say(self, lang: str = "en") -> str:
        """The label in a language."""
        return say(self.label, lang, self.field)


def _needs(value: Iterable[Need]) -> tuple[Need, ...]:
    return each(Need, value, "requires", 'give a list: (Need("reason", "our rule"),)')


@attrs.frozen
class Transition:
    """A trigger that takes a record from one of its sources to a destination.

    `roles` may fire it; so may whoever stands in a `relation` to the record ("requester",
    "assignee"). `reopens` says that it leads back from done to open work, and whether clocks
    "resume" or "restart".
    """

    trigger: str
    sources: tuple[str, ...] = attrs.field(converter=_sequence)
    dest: str = attrs.field(kw_only=True)
    roles: frozenset[str] = attrs.field(default=frozenset(), converter=_names, kw_only=True)
    relation: frozenset[str] = attrs.field(default=frozenset(), converter=_names, kw_only=True)
    requires: tuple[Need, ...] = attrs.field(default=(), converter=_needs, kw_only=True)
    reopens: str | None = attrs.field(default=None, kw_only=True)
    label: Words = attrs.field(default=(), converter=_words, kw_only=True)
    instructions: Words = attrs.field(default=(), converter=_words, kw_only=True)

    def __attrs_post_init__(self) -> None:
        named(self.trigger, "transition", 'name its trigger, such as "resolve"')

    def say(self, lang: str = "en") -> str:
        """The label in a language."""
        return say(self.label, lang, self.trigger.replace("_", " "))


def _states(value: Iterable[State]) -> tuple[State, ...]:
    return each(State, value, "states", 'give a list: (State("new", "new"), ...)')


def _transitions(value: Iterable[Transition]) -> tuple[Transition, ...]:
    return each(Transition, value, "transitions", 'give a list: (Transition("start", "new", dest="open"),)')


@attrs.frozen(slots=False, hash=False, repr=False)
class Lifecycle:
    """The states and transitions of one process at one version; a version is never reused.

    `soundness.check` finds what cannot work; `machine.shared` runs it on `transitions`.
    """

    id: str
    version: int
    process: str = attrs.field(kw_only=True)
    initial: str = attrs.field(kw_only=True)
    states: tuple[State, ...] = attrs.field(converter=_states, kw_only=True)
    transitions: tuple[Transition, ...] = attrs.field(converter=_transitions, kw_only=True)

    def __attrs_post_init__(self) -> None:
        named(self.id, "lifecycle", 'name it, such as "incident"')
        counted(self.version, "lifecycle")

    def __repr__(self) -> str:
        counts = f"{len(self.states)} states, {len(self.transitions)} transitions"
        return f"<lifecycle {self.id} {self.version}: {counts}>"

    def __hash__(self) -> int:
        return hash((self.id, self.version))

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
    def edges(self) -> frozenset[tuple[str, str]]:
        """Every move from state to state that some transition allows."""
        return frozenset((source, t.dest) for t in self.transitions for source in t.sources)

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
        waits = found.waits_on or (_wait(reason) if reason and found.phase is Phase.WAITING else None)
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
