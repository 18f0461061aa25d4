"""The way of one kind of change: the part of the lifecycle that its changes walk.

For diagrams that show one kind, and for the search whether a small staff can carry one through.
"""

from __future__ import annotations

from typing import TypeVar

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.guards import Guards, OfWay
from itsm_core.lifecycle.parts import Transition
from itsm_core.lifecycle.soundness import sound
from itsm_core.processes.holding import HOLDING, WasIn

K = TypeVar("K", bound=Definition)

# fmt: off
_PLANNED = frozenset({"closes_with_review", "closes_without_review"})
_GUARDS = {
    "standard":     _PLANNED | {"is_standard"},
    "normal":       _PLANNED | {"is_normal"},
    "emergency":    frozenset({"is_emergency", "closes_as_emergency"}),
    "unauthorised": frozenset({"nobody_was_asked", "closes_as_unauthorised"}),
}
# fmt: on
_TELLING = frozenset().union(*_GUARDS.values())
WAYS = tuple(_GUARDS)
"""The kinds of changes, and "unauthorised", which is found and not asked for."""


def telling(guards: Guards) -> Guards:
    """The guards, those that tell kinds apart marked with the kinds that they let pass (`OfWay`)."""
    known = {name: frozenset(kind for kind in WAYS if name in _GUARDS[kind]) for name in _TELLING}
    known |= {name: frozenset() for name, guard in guards.items() if isinstance(guard, WasIn)}
    return {name: OfWay(guard, known[name]) if name in known else guard for name, guard in guards.items()}


def way_of(kind: str, lifecycle: K) -> K:
    """The states and transitions of a lifecycle that changes of a kind walk, as one of its own.

    Holds are left out: they lead back to where the change was. Records run on the whole; this is for
    looking at: `way_of("normal", CHANGE).draw()`, or `dead_ends` of one kind alone.
    """
    if kind not in _GUARDS:
        raise InvalidValue("kind", kind, "is no way of a change", f"use one of {', '.join(WAYS)}")
    rows = [row for row in lifecycle.transitions if _walks(row, kind)]
    reached = {lifecycle.initial}
    while more := {row.dest for row in rows if reached.intersection(row.sources)} - reached:
        reached |= more
    return sound(
        attrs.evolve(
            lifecycle,
            id=f"{lifecycle.id}.{kind}",
            states=[state for state in lifecycle.states if state.id in reached],
            transitions=[_among(row, reached) for row in rows if reached.intersection(row.sources)],
        )
    )


def _walks(row: Transition, kind: str) -> bool:
    return row.trigger not in HOLDING and _TELLING.intersection(row.guards) <= _GUARDS[kind]


def _among(row: Transition, states: set[str]) -> Transition:
    return attrs.evolve(row, sources=[source for source in row.sources if source in states])
