"""Lifecycles that differ from a given one in one place, and whether a table notices each.

A table of edges proves a lifecycle only if nothing can be changed without its noticing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

import attrs

from itsm_core.business_time.durations import business_days, calendar_days
from itsm_core.lifecycle.beside import GUARDED
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.parts import Need, Transition
from itsm_core.testing.edges import Edge, EdgeTable, Table, assert_edges, edges_of

K = TypeVar("K", bound=Definition)
Rows = list[Transition]
Needs = tuple[Need, ...]


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
    """Each edge removed, doubled, led to and from each other state; and each added that is not there."""
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
            for other in lifecycle.by_id:
                if other != source:
                    led = _split(rows, i, source, attrs.evolve(row, sources=(other,)))
                    yield _mutant(lifecycle, f"{edge} led from {other}", led)
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

    So are those of the opening and the guards of the commands beside the state. Conditions are those that
    a table has columns for: what a guard does is for tests of its own.
    """
    yield from _from_nowhere(lifecycle)
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
    for what, requires in _asked(row.requires, lifecycle):
        yield what, attrs.evolve(row, requires=requires)
    for after in (None, business_days(1), calendar_days(1)):
        if after != row.after:
            yield f"after {after}", attrs.evolve(row, after=after)
    for reopens in (None, "resume", "restart"):
        if reopens != row.reopens:
            yield f"reopens {reopens}", attrs.evolve(row, reopens=reopens)


def _asked(needs: Needs, lifecycle: Definition) -> Iterator[tuple[str, Needs]]:
    """The needs with one dropped, altered, or added that some transition has."""
    for need, others in _each(needs):
        yield f"requires without {need.field}", others(())
        for what, other in _altered(need):
            yield f"{need.field} {what}", others((other,))
    known = {need.field: need for row in lifecycle.transitions for need in row.requires}
    for field in sorted(known.keys() - {need.field for need in needs}):
        yield f"requires with {field}", (*needs, known[field])


def _from_nowhere(lifecycle: K) -> Iterator[Mutant[K]]:
    """What opens a record, changed; and the guards of it and of each command beside the state."""
    for state in lifecycle.by_id:
        if state != lifecycle.initial:
            yield Mutant(f"open: -> {state}", attrs.evolve(lifecycle, initial=state))
    for what, opening in _asked(lifecycle.opening, lifecycle):
        yield Mutant(f"open, {what}", attrs.evolve(lifecycle, opening=opening))
    held = lifecycle.guards_beside
    for command in GUARDED:
        names = held.get(command, ())
        for name in sorted(lifecycle.guards):
            word, other = "without" if name in names else "with", tuple(n for n in names if n != name)
            changed = {**held, command: other if name in names else (*names, name)}
            yield Mutant(f"{command}, guards {word} {name}", _guarded(lifecycle, changed))
    if held:
        yield Mutant("no guards beside the state", _guarded(lifecycle, {}))


def _guarded(lifecycle: K, beside: dict[str, tuple[str, ...]]) -> K:
    changed: dict[str, Any] = {"beside": beside}
    return attrs.evolve(lifecycle, **changed)


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


def _each(needs: Needs) -> Iterator[tuple[Need, Callable[[Needs], Needs]]]:
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
    for i, choice in enumerate(need.one_of):
        others = (*need.one_of[:i], *need.one_of[i + 1 :])
        yield f"not {choice}", attrs.evolve(need, one_of=others)
    yield "one more choice", attrs.evolve(need, one_of=(*need.one_of, "something else"))
    if need.one_of:
        yield "without choices", attrs.evolve(need, one_of=())
