"""A configuration of the `transitions` package adopted as a lifecycle.

What the package cannot say is said beside it: the phase of each state, and who may fire. What a
lifecycle has no place for (callbacks, nested states, `unless`) is refused, never dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from itsm_core.errors import InvalidValue
from itsm_core.events import Phase
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.guards import Guards
from itsm_core.lifecycle.parts import State, Transition, sequence
from itsm_core.lifecycle.rewriting import chosen
from itsm_core.lifecycle.soundness import sound
from itsm_core.values import texts

K = TypeVar("K", bound=Definition)

_PLACES = ("trigger", "source", "dest", "conditions")
_OURS = ("roles", "relation", "requires", "separate_from", "reopens", "label", "instructions")
_LISTED = 'write {"trigger": "resolve", "source": "open", "dest": "resolved"}'


def from_transitions(
    cls: type[K],
    id: str,
    version: int,
    *,
    states: Iterable[Any],
    transitions: Iterable[Any],
    phases: Mapping[str, Phase | str | State],
    roles: Iterable[str] | str,
    process: str,
    initial: str | None,
    reopens: str | None,
    guards: Guards | None,
) -> K:
    """The lifecycle of a configuration; see `Lifecycle.from_transitions`."""
    if not isinstance(phases, Mapping):
        remedy = 'give a phase by state: {"open": "new", "done": "closed"}'
        raise InvalidValue("phases", phases, "are no mapping", remedy)
    listed = _listed(states, "states", 'write ["open", "resolved"]')
    known = {name: _state(name, phases) for name in (_named(state) for state in listed)}
    for name in phases:
        chosen(name, known, "phase", "is of no state of the configuration")
    rows = [
        row
        for one in _listed(transitions, "transitions", _LISTED)
        for row in _rows(one, known, sequence(roles), reopens)
    ]
    first = next(iter(known), "new")
    return sound(
        cls(
            id,
            version,
            process=process,
            initial=initial or first,
            states=known.values(),
            transitions=rows,
            guards=guards or {},
        )
    )


def _listed(value: Any, what: str, remedy: str) -> list[Any]:
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        raise InvalidValue(what, value, "are no list", remedy)
    return list(value)


def _named(state: Any) -> str:
    """The name of a state as the package takes it: a text, a dict, an enum's member or a `State`."""
    name = state.get("name") if isinstance(state, Mapping) else getattr(state, "name", state)
    beyond = sorted(map(str, state.keys() - {"name"})) if isinstance(state, Mapping) else []
    if beyond:
        raise InvalidValue("state", name, f"has {beyond[0]}", "a lifecycle is flat and has no callbacks")
    return texts((name,), "state", 'name it: "in_progress"')[0]


def _state(name: str, phases: Mapping[str, Phase | str | State]) -> State:
    phase = phases.get(name)
    if phase is None:
        remedy = f'say it: phases={{{name!r}: "active"}}, or a State where more is to be said'
        raise InvalidValue("state", name, "has no phase", remedy)
    if isinstance(phase, State) and phase.id != name:
        raise InvalidValue("state", phase.id, f"is given for {name}", "give a State of the same id")
    return phase if isinstance(phase, State) else State(name, phase)


def _rows(
    row: Any, known: Mapping[str, State], roles: tuple[str, ...], reopens: str | None
) -> list[Transition]:
    """The transitions of one row of the configuration: a dict, or a list in the package's order."""
    held = _dict(row)
    trigger, dest = held.pop("trigger"), held.pop("dest")
    sources = list(known) if held["source"] == "*" else [_named(one) for one in _many(held["source"])]
    guards = _conditions(held.pop("conditions", None))
    del held["source"]
    target = None if dest == "=" else _named(dest)
    for state in sources if target is None else (*sources, target):
        chosen(state, known, "state", "is none of the configuration")
    found = []
    for group in [[one] for one in sources] if target is None else _by_reopening(sources, known):
        more = dict(held)
        done = not known[group[0]].phase.is_open
        if done and known[target or group[0]].phase.is_open and reopens:
            more.setdefault("reopens", reopens)
        to = target or group[0]
        found.append(Transition(trigger, group, dest=to, guards=guards, **{"roles": roles, **more}))
    return found


def _dict(row: Any) -> dict[str, Any]:
    """A row with its names; what a lifecycle has no place for is refused."""
    held = dict(row) if isinstance(row, Mapping) else None
    if isinstance(row, list | tuple) and 3 <= len(row) <= len(_PLACES):
        held = dict(zip(_PLACES, row, strict=False))
    if held is None:
        raise InvalidValue("transition", row, "is no row of the configuration", _LISTED)
    held = {name: value for name, value in held.items() if value is not None and _many(value)}
    for name in held:
        remedy = "write unless as a guard that objects; act on events, for there are no callbacks"
        chosen(name, (*_PLACES, *_OURS), "key of a transition", "has no place in a lifecycle", remedy)
    for name in _PLACES[:3]:
        if name not in held:
            raise InvalidValue("transition", held.get("trigger"), f"has no {name}", _LISTED)
    return held


def _many(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _conditions(value: Any) -> tuple[str, ...]:
    remedy = 'name a guard, and give its function in guards={"no_open_tasks": ...}'
    return texts(value or (), "condition", remedy)


def _by_reopening(sources: list[str], known: Mapping[str, State]) -> list[list[str]]:
    """The sources that are open and those that are done, apart: only the latter reopen."""
    parts = [[s for s in sources if known[s].phase.is_open is is_open] for is_open in (True, False)]
    return [part for part in parts if part]
