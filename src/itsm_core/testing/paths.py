"""A few short paths through a lifecycle that go everywhere, for tests that walk them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, Literal, TypeAlias

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.lifecycle.definition import Definition
from itsm_core.testing.edges import Edge, edges_of
from itsm_core.values import only

Path: TypeAlias = tuple[Edge, ...]
Cover: TypeAlias = Literal["states", "transitions", "pairs"]
Follows: TypeAlias = Callable[[Edge, Edge], bool]

MOST = 5_000
"""How much there may be to cover."""

LONG = 12
"""How many steps a path has before another one begins."""


def paths(
    lifecycle: Definition, cover: Cover = "transitions", *, follows: Follows | None = None
) -> tuple[Path, ...]:
    """Paths from the initial state that together reach every state, every edge, or every pair of edges.

    The same each time, few and short: a path goes on while what is left lies no farther than from the
    start. What cannot be reached is left out. Guards are taken as satisfiable; where one lets an edge
    follow only certain others, `follows(before, edge)` says so.

    Raises `InvalidValue` for a lifecycle with more than 5,000 edges, or pairs of edges.
    """
    if cover not in _MET:
        raise InvalidValue("cover", cover, "is no cover", f"use one of {', '.join(_MET)}")
    ground = _Ground(
        only(Definition, lifecycle, "lifecycle", "give the lifecycle itself"), follows, _MET[cover]
    )
    left, found = ground.goals, list[Path]()
    while path := ground.nearest(left, ()):
        left = left - ground.met(path)
        while (more := ground.nearest(left, path)) and _goes_on(path, more, ground.nearest(left, ())):
            left = left - ground.met((*path, *more))
            path = (*path, *more)
        found.append(path)
    return tuple(found)


def _goes_on(path: Path, more: Path, afresh: Path) -> bool:
    """Whether what is left lies no farther from the end of a path than from the start."""
    return len(more) <= len(afresh) and len(path) + len(more) <= LONG


_Met: TypeAlias = Callable[["Edge | None", Edge], Any]

_MET: dict[str, _Met] = {
    "states": lambda _, edge: edge.dest,
    "transitions": lambda _, edge: edge,
    "pairs": lambda before, edge: (before, edge),
}
"""What an edge meets of each cover, after the edge before it."""


@attrs.frozen(slots=False, eq=False)
class _Ground:
    """The edges of a lifecycle, which of them follows which, and what is to be met on them."""

    lifecycle: Definition
    follows: Follows | None
    meets: _Met

    @cached_property
    def leaving(self) -> dict[str, list[Edge]]:
        """The edges out of each state."""
        found: dict[str, list[Edge]] = {}
        for edge in dict.fromkeys(edges_of(self.lifecycle)):
            found.setdefault(edge.source, []).append(edge)
        return found

    def after(self, edge: Edge | None) -> Iterator[Edge]:
        """The edges that may follow one; None is the opening of the record."""
        state = self.lifecycle.initial if edge is None else edge.dest
        for more in self.leaving.get(state, ()):
            if edge is None or self.follows is None or self.follows(edge, more):
                yield more

    @cached_property
    def goals(self) -> frozenset[Any]:
        """All that can be met."""
        found: set[Any] = set()
        for before, edge in self._moves(None):
            found.add(self.meets(before, edge))
            if len(found) > MOST:
                reason = f"holds more than {MOST} things to cover"
                raise InvalidValue("lifecycle", self.lifecycle.id, reason, "cover its states, or split it")
        return frozenset(found - {self.lifecycle.initial})  # where every path begins

    def _moves(self, here: Edge | None) -> Iterator[tuple[Edge | None, Edge]]:
        """Every edge that can be reached with each edge before it, nearest first."""
        todo, seen = deque([here]), {here}
        while todo:
            before = todo.popleft()
            for edge in self.after(before):
                yield before, edge
                if edge not in seen:
                    seen.add(edge)
                    todo.append(edge)

    def met(self, path: Path) -> frozenset[Any]:
        """What a path meets."""
        return frozenset(map(self.meets, (None, *path), path))

    def nearest(self, left: frozenset[Any], path: Path) -> Path:
        """The shortest way on from a path to something that is left to meet; empty if there is none."""
        here = path[-1] if path else None
        came: dict[Edge, Edge | None] = {}
        for before, edge in self._moves(here):
            if self.meets(before, edge) in left:
                return (*_traced(before, here, came), edge)
            came.setdefault(edge, before)
        return ()


def _traced(edge: Edge | None, here: Edge | None, came: dict[Edge, Edge | None]) -> Path:
    """The way from `here` (left out) to an edge."""
    found: list[Edge] = []
    while edge is not None and edge != here:
        found.append(edge)
        edge = came[edge]
    return tuple(reversed(found))
