"""Lifecycles that differ from a given one in one place, and whether a table notices each.

A table of edges proves a lifecycle only if nothing can be changed without its noticing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import attrs

from itsm_core.business_time.durations import business_days, calendar_days
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.parts import Need, Transition
from itsm_core.testing.edges import Edge, EdgeTable, Table, assert_edges, edges_of

K = TypeVar("K", bound=Definition)
Rows = list[Transition]


@attrs.frozen
class Mutant(Generic[K]):
    """A lifecycle with one change, and what was changed; nothing says that it is sound."""

    what: str
    lifecycle: K

    def __str__(self) -> str:
        return f"{self.lifecycle.id}, {self.what}"


def survivors(mutants: Iterable[Mutant[K]], table: Table) -> tuple[Mutant[K], ...]:
    """The mutants that a table says nothing against; there should be none."""
    read = EdgeTable.of(table)
    return tuple(mutant for mutant in mutants if not _is_noticed(mutant, read))


def _is_noticed(mutant: Mutant[K], table: EdgeTable) -> bool:
    try:
        assert_edges(mutant.lifecycle, table)
    except AssertionError:
        return True
    return False


# --- edges ------------------------------------------------------------------------------------


def edge_mutants(lifecycle: K) -> Iterator[Mutant[K]]:
    """Each edge removed, doubled, and led to each other state; and each edge added that is not there."""
    rows = list(lifecycle.transitions)
    for i, row in enumerate(rows):
        for source in row.sources:
            edge = Edge(row.trigger, source, row.dest)
            yield _mutant(lifecycle, f"{edge} removed", _split(rows, i, source))
            yield _mutant(lifecycle, f"{edge} doubled", [*rows, attrs.evolve(row, sources=(source,))])
            for dest in lifecycle.by_id:
                if dest != row.dest:
                    led = _split(rows, i, source, attrs.evolve(row, sources=(source,), dest=dest))
                    yield _mutant(lifecycle, f"{edge} led to {dest}", led)
    known = set(edges_of(lifecycle))
    for trigger, like in lifecycle.by_trigger.items():
        for source in lifecycle.by_id:
            for dest in lifecycle.by_id:
                edge = Edge(trigger, source, dest)
                if edge not in known:
                    more = attrs.evolve(like[0], sources=(source,), dest=dest)
                    yield _mutant(lifecycle, f"{edge} added", [*rows, more])


def _split(rows: Rows, i: int, source: str, *instead: Transition) -> Rows:
    """The rows with one source taken out of one of them, and other rows in its place."""
    rest = tuple(name for name in rows[i].sources if name != source)
    kept = [attrs.evolve(rows[i], sources=rest)] if rest else []
    return [*rows[:i], *kept, *instead, *rows[i + 1 :]]


def _mutant(lifecycle: K, what: str, rows: Rows) -> Mutant[K]:
    return Mutant(what, attrs.evolve(lifecycle, transitions=rows))


# --- conditions -------------------------------------------------------------------------------


def condition_mutants(lifecycle: K) -> Iterator[Mutant[K]]:
    """Each condition of each transition dropped, changed, and added; and rows that swap their places.

    Conditions are those that a table has columns for: what a guard does, and the choices of a field, are
    for tests of their own.
    """
    rows = list(lifecycle.transitions)
    for i, row in enumerate(rows):
        for what, other in _changed(row, lifecycle):
            named = f"{row.trigger}: {'|'.join(row.sources)} -> {row.dest}"
            yield _mutant(lifecycle, f"{named}, {what}", [*rows[:i], other, *rows[i + 1 :]])
    for i, j in _rivals(rows):
        swapped = list(rows)
        swapped[i], swapped[j] = rows[j], rows[i]
        yield _mutant(
            lifecycle, f"{rows[i].trigger}: ways to {rows[i].dest} and {rows[j].dest} swapped", swapped
        )


def _rivals(rows: Rows) -> Iterator[tuple[int, int]]:
    """The rows of one trigger that leave one state, each with the next such."""
    for i, row in enumerate(rows):
        for j in range(i + 1, len(rows)):
            if rows[j].trigger == row.trigger and set(row.sources) & set(rows[j].sources):
                yield i, j
                break


def _changed(row: Transition, lifecycle: Definition) -> Iterator[tuple[str, Transition]]:
    for name, known in _known(lifecycle).items():
        held = getattr(row, name)
        for word in sorted(held):
            yield f"{name} without {word}", _with(row, name, [w for w in held if w != word])
        for word in sorted(known.difference(held)):
            yield f"{name} with {word}", _with(row, name, [*held, word])
    for need, others in _each(row.requires):
        yield f"requires without {need.field}", attrs.evolve(row, requires=others(()))
        for what, other in _altered(need):
            yield f"{need.field} {what}", attrs.evolve(row, requires=others((other,)))
    asked = {need.field: need for one in lifecycle.transitions for need in one.requires}
    for field in sorted(asked.keys() - {need.field for need in row.requires}):
        yield f"requires with {field}", attrs.evolve(row, requires=(*row.requires, asked[field]))
    for after in (None, business_days(1), calendar_days(1)):
        if after != row.after:
            yield f"after {after}", attrs.evolve(row, after=after)
    for reopens in (None, "resume", "restart"):
        if reopens != row.reopens:
            yield f"reopens {reopens}", attrs.evolve(row, reopens=reopens)


def _with(row: Transition, name: str, words: list[str]) -> Transition:
    changed: dict[str, Any] = {name: words}
    return attrs.evolve(row, **changed)


def _known(lifecycle: Definition) -> dict[str, set[str]]:
    """The words that could stand in each list of a transition."""
    rows = lifecycle.transitions
    return {
        "roles": {role for row in rows for role in row.roles}.union(lifecycle.roles, ("automation",)),
        "relation": {name for row in rows for name in row.relation} | {"requester", "assignee"},
        "guards": set(lifecycle.guards),
        "separate_from": {"open", *lifecycle.by_trigger},
    }


def _each(needs: Sequence[Need]) -> Iterator[tuple[Need, Callable[[tuple[Need, ...]], tuple[Need, ...]]]]:
    """Each need, and the list with others in its place."""
    for i, need in enumerate(needs):
        yield need, lambda instead, i=i: (*needs[:i], *instead, *needs[i + 1 :])  # type: ignore[misc]


def _altered(need: Need) -> Iterator[tuple[str, Need]]:
    yield "kept" if not need.kept else "not kept", attrs.evolve(need, kept=not need.kept)
    yield "not required" if need.required else "required", attrs.evolve(need, required=not need.required)
    yield "optional" if need.essential else "not optional", attrs.evolve(need, essential=not need.essential)
    if need.otherwise is None:
        yield "or a comment", attrs.evolve(need, otherwise="comment")
    else:
        yield f"not {need.otherwise}", attrs.evolve(need, otherwise=None)
