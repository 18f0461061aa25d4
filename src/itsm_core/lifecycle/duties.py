"""Who may do what after whom: a search through all ways in which people share the duties of a record.

A *standing* is a state together with who last fired each trigger that others are kept apart
from. Guards are taken as satisfiable. People who hold the same roles are alike: only how many of
them have acted counts, so that twenty agents make no more work than one more than the duties.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property

import attrs

from itsm_core.events import Phase
from itsm_core.lifecycle.graph import Graph, backwards, reach
from itsm_core.lifecycle.parts import Transition

Person = tuple[int, int]
Standing = tuple[str, tuple[Person | None, ...]]
OPENER: Person = (0, 0)
MOST_STEPS = 200_000

UNSUCCESSFUL = frozenset(
    {
        *("cancelled", "rejected", "withdrawn", "failed", "incomplete", "skipped"),
        *("duplicate", "merged", "retyped"),
    }
)
"""Outcomes of records that did not come to what they were opened for."""


class TooMany(Exception):
    """A search would take more looks at a move and a group of people than it may."""


@attrs.frozen
class Group:
    """People who hold the same of the roles that a lifecycle knows; whoever holds any role works here."""

    names: tuple[str, ...]
    roles: frozenset[str]
    works: bool = True


@attrs.frozen
class Cast:
    """Who there is: the first group is whoever opened the record and asked for it.

    With `strangers` there are, besides, as many people as needed who hold every role.
    """

    groups: tuple[Group, ...]
    strangers: bool = False

    def able(self, row: Transition) -> tuple[int, ...]:
        """The groups whose members may fire a transition, duties aside."""
        return tuple(i for i, group in enumerate(self.groups) if self._may(i, group, row))

    def _may(self, i: int, group: Group, row: Transition) -> bool:
        asks = i == 0 and "requester" in row.relation
        return asks or bool(group.roles & row.roles) or (group.works and for_anybody(row))

    def names(self, row: Transition) -> list[str]:
        """Who may fire a transition, duties aside."""
        return sorted(name for i in self.able(row) for name in self.groups[i].names)


def for_anybody(row: Transition) -> bool:
    """Whether a relation lets somebody fire it in whom the record can be put: its assignee, its owner."""
    return bool(row.relation - {"requester"})


@attrs.frozen(eq=False)
class Move:
    """A transition out of a state, with who may fire it and from which watched triggers they are apart."""

    row: Transition
    able: tuple[int, ...]
    anyhow: bool  # time fires it, or strangers can
    apart: tuple[int, ...]
    own: int | None

    @property
    def possible(self) -> bool:
        """Whether somebody may fire it, duties aside."""
        return self.anyhow or bool(self.able)


@attrs.frozen(slots=False, eq=False)
class Search:
    """All standings that a cast can bring a record into."""

    graph: Graph
    cast: Cast
    waived: Collection[tuple[str, str]] = ()
    most: int = MOST_STEPS

    @cached_property
    def watched(self) -> tuple[str, ...]:
        """The triggers from which some transition is kept apart, waivers heeded."""
        rows = [row for row in self.graph.lifecycle.transitions if row.after is None]
        return tuple(sorted({name for row in rows for name in self.kept_apart(row)}))

    def kept_apart(self, row: Transition) -> list[str]:
        """The triggers that whoever fires this one may not have fired."""
        return [name for name in row.separate_from if (row.trigger, name) not in self.waived]

    @cached_property
    def moves(self) -> Mapping[str, list[Move]]:
        """The moves out of each state."""
        known = {id(row): self._move(row) for row in self.graph.lifecycle.transitions}
        found: dict[str, list[Move]] = {}
        for source, row, _ in self.graph.edges:
            found.setdefault(source.id, []).append(known[id(row)])
        return found

    def _move(self, row: Transition) -> Move:
        timed = row.after is not None
        return Move(
            row=row,
            able=() if timed else self.cast.able(row),
            anyhow=timed or (self.cast.strangers and (bool(row.roles) or for_anybody(row))),
            apart=() if timed else tuple(self.watched.index(name) for name in self.kept_apart(row)),
            own=self.watched.index(row.trigger) if row.trigger in self.watched else None,
        )

    @cached_property
    def start(self) -> Standing:
        """The record just opened."""
        hands = tuple(OPENER if name == "open" else None for name in self.watched)
        return self.graph.lifecycle.initial, hands

    @cached_property
    def ahead(self) -> dict[Standing, list[Standing]]:
        """Every standing that can come about, nearest first, and those that may follow each."""
        found: dict[Standing, list[Standing]] = {}
        todo, steps = deque([self.start]), 0
        while todo:
            here = todo.popleft()
            if here not in found:
                steps += self._looks.get(here[0], 0)
                if steps > self.most:
                    raise TooMany
                found[here] = list(dict.fromkeys(self._next(here)))
                todo.extend(found[here])
        return found

    @cached_property
    def _looks(self) -> dict[str, int]:
        """How many looks at a move and a group each state takes."""
        return {state: sum(1 + len(move.able) for move in moves) for state, moves in self.moves.items()}

    def _next(self, standing: Standing) -> Iterator[Standing]:
        state, hands = standing
        for move in self.moves.get(state, ()):
            who = self.takers(move, hands)
            if move.own is None:
                who = who[:1]  # nobody will ask who it was
            yield from ((move.row.dest, _after(hands, move.own, person)) for person in who)

    def takers(self, move: Move, hands: tuple[Person | None, ...]) -> list[Person | None]:
        """Who may fire a move: those known by what they did, and one of each group who did nothing yet."""
        barred = {hands[i] for i in move.apart}
        found: list[Person | None] = [None] if move.anyhow else []
        for group in move.able:
            known = {who for who in hands if who is not None and who[0] == group}
            if group == OPENER[0]:
                known = {OPENER}
            elif len(known) < len(self.cast.groups[group].names):
                known.add((group, len(known)))
            found += sorted(known - barred)
        return found

    @cached_property
    def fired(self) -> frozenset[int]:
        """The transitions that somebody can fire at some time, by identity."""
        return frozenset(
            id(move.row)
            for state, hands in self.ahead
            for move in self.moves.get(state, ())
            if self.takers(move, hands)
        )

    def living(self, states: Collection[str]) -> set[Standing]:
        """The standings from which one of these states can be reached."""
        return reach((here for here in self.ahead if here[0] in states), self.behind)

    @cached_property
    def behind(self) -> dict[Standing, list[Standing]]:
        """Whence each standing may come about."""
        return backwards(self.ahead)

    @cached_property
    def unhindered(self) -> dict[str, list[str]]:
        """Where this cast could bring a record from each state if no duties were kept apart."""
        return {state: [m.row.dest for m in moves if m.possible] for state, moves in self.moves.items()}

    def open_to(self, states: Collection[str]) -> set[str]:
        """The states from which one of these could be reached if no duties were kept apart."""
        return reach(states, backwards(self.unhindered))

    def outcomes(self, states: Iterable[str]) -> tuple[str, ...]:
        """The outcomes of the ends among these states."""
        found = [self.graph.lifecycle.by_id[state] for state in states]
        return tuple(sorted({str(state.outcome) for state in found if state.phase is Phase.CLOSED}))


def _after(
    hands: tuple[Person | None, ...], own: int | None, person: Person | None
) -> tuple[Person | None, ...]:
    """Who last fired what, after one more; people of a group are numbered as they come up."""
    if own is None:
        return hands
    numbers: dict[Person, Person] = {}
    counts: dict[int, int] = {}
    found: list[Person | None] = []
    for who in (*hands[:own], person, *hands[own + 1 :]):
        if who is not None and who not in numbers:
            numbers[who] = (who[0], counts.get(who[0], 0))
            counts[who[0]] = counts.get(who[0], 0) + 1
        found.append(None if who is None else numbers[who])
    return tuple(found)


@attrs.frozen
class DeadEnd:
    """A transition that everybody who may fire it is kept from.

    `did` says who did what that keeps them. `left` are the outcomes that can still be had. `always`:
    nobody ever fires it, or a record is stuck from the start; else only where these people did
    those things.
    """

    state: str
    row: Transition
    did: tuple[tuple[str, Person], ...]
    left: tuple[str, ...]
    always: bool


def goals(graph: Graph) -> list[frozenset[str]]:
    """What a record should be able to reach: an end that is a success, if there is one, and any end."""
    ends = [state for state in graph.lifecycle.states if state.phase is Phase.CLOSED]
    good = frozenset(state.id for state in ends if state.outcome not in UNSUCCESSFUL)
    whole = frozenset(state.id for state in ends)
    return [goal for goal in dict.fromkeys((good, whole)) if goal]


def dead_ends_of(search: Search) -> Iterator[DeadEnd]:
    """Where separation of duties stops this cast: what nobody ever fires, and where a record is stuck.

    A record is stuck where it can come to none of the ends that it could come to if no duties were kept
    apart. Of each transition and state, the standing that takes the fewest steps to get to.
    """
    seen: set[tuple[str, int]] = set()
    stopped = list(_stopped(search))
    for standing, move, always in (*_never(search, stopped), *_stuck(search, stopped)):
        place = (standing[0], id(move.row))
        if place not in seen:
            seen.add(place)
            yield _dead_end(search, standing, move, always=always)


Stop = tuple[Standing, Move]


def _stopped(search: Search) -> Iterator[Stop]:
    """The moves that everybody is kept from, and where."""
    for standing in search.ahead:
        state, hands = standing
        for move in search.moves.get(state, ()):
            if move.possible and not search.takers(move, hands):
                yield standing, move


def _never(search: Search, stopped: list[Stop]) -> Iterator[tuple[Standing, Move, bool]]:
    """Those of them that nobody ever fires."""
    free = search.fired if stopped else frozenset()
    yield from ((standing, move, True) for standing, move in stopped if id(move.row) not in free)


def _stuck(search: Search, stopped: list[Stop]) -> Iterator[tuple[Standing, Move, bool]]:
    """Those of them without which a record is stuck."""
    final = frozenset(search.graph.ends())
    for goal in goals(search.graph) if stopped else ():
        could, living = search.open_to(goal), search.living(goal)
        for standing, move in stopped:
            if standing not in living and standing[0] not in final and move.row.dest in could:
                yield standing, move, search.start not in living


def _dead_end(search: Search, standing: Standing, move: Move, *, always: bool) -> DeadEnd:
    state, hands = standing
    pairs = [(search.watched[i], hands[i]) for i in move.apart]
    did = tuple((name, who) for name, who in pairs if who is not None)
    left = search.outcomes(state for state, _ in reach([standing], search.ahead))
    return DeadEnd(state, move.row, did, left, always)
