"""What a definition looks like to the rules of soundness: its edges by state, walked in linear time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TypeVar

import attrs

from itsm_core.events import Phase
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.parts import Need, State, Transition

Node = TypeVar("Node")
Places = Iterable[tuple[str, str]]


@attrs.frozen(slots=False, eq=False)
class Graph:
    """The moves of a definition from state to state; those that name an undefined state are left out."""

    lifecycle: Definition

    @cached_property
    def edges(self) -> list[tuple[State, Transition, State]]:
        """Each transition once for each of its sources."""
        known, found = self.lifecycle.by_id, []
        for row in self.lifecycle.transitions:
            dest = known.get(row.dest) if isinstance(row.dest, str) else None
            if dest is not None:
                found += [(known[source], row, dest) for source in row.sources if source in known]
        return found

    @cached_property
    def ahead(self) -> dict[str, list[str]]:
        """Where each state leads."""
        found: dict[str, list[str]] = {state: [] for state in self.lifecycle.by_id}
        for source, _, dest in self.edges:
            found[source.id].append(dest.id)
        return found

    @cached_property
    def behind(self) -> dict[str, list[str]]:
        """Whence one comes to each state."""
        return backwards(self.ahead)

    @cached_property
    def lists(self) -> list[tuple[str, Transition | None, tuple[Need, ...]]]:
        """Whatever asks for fields, with what it asks for: the opening, then each transition."""
        opening = [("open", None, self.lifecycle.opening)] if self.lifecycle.opening else []
        return [*opening, *((row.trigger, row, row.requires) for row in self.lifecycle.transitions)]

    @cached_property
    def met(self) -> set[str]:
        """The states that a record can come into."""
        initial = self.lifecycle.initial
        known = isinstance(initial, str) and initial in self.lifecycle.by_id
        return reach([initial] if known else [], self.ahead)

    def ends(self) -> list[str]:
        """The states of phase CLOSED."""
        return [state.id for state in self.lifecycle.states if state.phase is Phase.CLOSED]

    def leading(
        self, phase: Phase, into: Callable[[Phase], bool], counts: Callable[[Transition], bool]
    ) -> set[str]:
        """The states of a phase from which transitions that count lead into phases that do.

        They may lead through further states of the phase.
        """
        first: set[str] = set()
        behind: dict[str, list[str]] = {}
        for source, row, dest in self.edges:
            if source.phase is phase and counts(row):
                if into(dest.phase):
                    first.add(source.id)
                elif dest.phase is phase:
                    behind.setdefault(dest.id, []).append(source.id)
        return reach(first, behind)


@attrs.frozen
class Rule:
    """A rule of soundness: what it asks of a definition, and the function that finds where it is broken.

    The function answers pairs of a place (a state, trigger or command) and a message. A `warning` refuses
    nothing. `whole`: it follows transitions from state to state, so every reference must hold first.
    """

    code: str
    asks: str
    look: Callable[[Graph], Places]
    warning: bool = attrs.field(default=False, kw_only=True)
    whole: bool = attrs.field(default=False, kw_only=True)


def reach(seeds: Iterable[Node], ahead: Mapping[Node, Iterable[Node]]) -> set[Node]:
    """Everything that can be reached from the seeds, themselves included."""
    seen = set(seeds)
    todo = list(seen)
    while todo:
        for there in ahead.get(todo.pop(), ()):
            if there not in seen:
                seen.add(there)
                todo.append(there)
    return seen


def backwards(ahead: Mapping[Node, Iterable[Node]]) -> dict[Node, list[Node]]:
    """The same moves, from where they lead to where they come from."""
    found: dict[Node, list[Node]] = {}
    for here, places in ahead.items():
        for there in places:
            found.setdefault(there, []).append(here)
    return found


def cycles(ahead: Mapping[Node, Iterable[Node]]) -> Iterator[list[Node]]:
    """One cycle for each place from which the search comes upon some; none if all walks end."""
    done: set[Node] = set()
    for start in ahead:
        found: list[Node] = []
        trail = {} if start in done else {start: iter(ahead[start])}
        while trail:
            here = next(reversed(trail))
            there = next(trail[here], None)
            if there is None:
                done.add(here)
                trail.popitem()
            elif there in trail:
                found = found or _from(there, list(trail))
            elif there not in done:
                trail[there] = iter(ahead.get(there, ()))
        if found:
            yield found


def _from(start: Node, trail: list[Node]) -> list[Node]:
    return trail[trail.index(start) :]


_LENGTH = 60
_COUNT = 8


def told(name: object) -> str:
    """A name as messages show it: short and on one line, whatever it holds."""
    if not isinstance(name, str):
        return f"a {type(name).__name__}"
    cut = name if len(name) <= _LENGTH else f"{name[: _LENGTH - 3]}..."
    return cut if cut.isprintable() else repr(cut)


def told_all(names: Iterable[object], link: str = ", ") -> str:
    """Names in a row, the first few of many."""
    shown = [told(name) for name in names]
    more = [f"{len(shown) - _COUNT} more"] if len(shown) > _COUNT else []
    return link.join([*shown[:_COUNT], *more])
