"""The way of one kind of change: the part of the lifecycle that its changes walk.

For diagrams that show one kind, and for the search whether a small staff can carry one through.
"""

from __future__ import annotations

from typing import TypeVar

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.parts import Transition
from itsm_core.lifecycle.soundness import sound
from itsm_core.processes.holding import HOLDING

K = TypeVar("K", bound=Definition)

# fmt: off
_PLANNED = frozenset({"closes_with_review", "closes_without_review"})
_GUARDS = {
    "standard":     _PLANNED | {"is_standard"},
    "normal":       _PLANNED | {"is_normal"},
    "emergency":    frozenset({"is_emergency", "closes_as_emergency"}),
    "unauthorised": frozenset({"closes_as_unauthorised"}),
}
# fmt: on
_TELLING = frozenset().union(*_GUARDS.values())
WAYS = tuple(_GUARDS)
"""The kinds of changes, and "unauthorised", which is found and not asked for."""


def way_of(kind: str, lifecycle: K) -> K:
    """The states and transitions of a lifecycle that changes of a kind walk, as one of its own.

    Holds are left out: they lead back to where the change was. Records run on the whole; this is for
    looking at: `dead_ends(way_of("normal", CHANGE), staff)`.
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
    found = row.trigger == "report_unauthorised"
    told = _TELLING.intersection(row.guards) <= _GUARDS[kind]
    return told and row.trigger not in HOLDING and (not found or kind == "unauthorised")


def _among(row: Transition, states: set[str]) -> Transition:
    return attrs.evolve(row, sources=[source for source in row.sources if source in states])
