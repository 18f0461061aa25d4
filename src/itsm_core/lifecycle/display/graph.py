"""A lifecycle as nodes and edges: what Mermaid and DOT draw, and the colours that all displays share."""

from __future__ import annotations

import attrs

from itsm_core.events import Phase
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.display.trail import Trail
from itsm_core.lifecycle.display.words import called, one_line, say
from itsm_core.lifecycle.parts import State, Transition


@attrs.frozen
class Look:
    """How a phase looks: the shape and two colours, of which the shape alone would do."""

    mermaid: tuple[str, str]
    dot: str
    fill: str
    line: str


# Every fill carries the dark ink at 7:1; every line stands out from white and from near black at 3:1.
MOST = 48
"""Columns that a label takes in a diagram before it is cut; tables show all of it."""

INK = "#1b2430"
NOW = "#d0342c"
LINE = "#6b7a8c"
# fmt: off
LOOKS: dict[Phase | None, Look] = {
    Phase.NEW:      Look(("([", "])"), "shape=ellipse",                      "#dfeafa", "#3b78c4"),
    Phase.ACTIVE:   Look(("[", "]"),   "shape=box",                          "#dcf1e2", "#2e8b57"),
    Phase.WAITING:  Look(("{{", "}}"), "shape=hexagon",                      "#fdeccb", "#b0761c"),
    Phase.RESOLVED: Look(("(", ")"),   'shape=box style="rounded,filled"',   "#d8f0ef", "#1d8a8a"),
    Phase.CLOSED:   Look(("[[", "]]"), "shape=box peripheries=2",            "#e6e7ec", "#7a8594"),
    None:           Look((">", "]"),   'shape=box style="dashed,filled"',    "#ffffff", "#d0342c"),
}
# fmt: on
"""The look of each phase; None is a state that a transition names and the lifecycle has not."""


@attrs.frozen
class Node:
    """A state to draw: its place among them, its label as far as it fits, and the state if there is one."""

    place: int
    id: str
    label: str
    state: State | None

    @property
    def key(self) -> str:
        """A word that no language of diagrams trips over."""
        return f"s{self.place}"

    @property
    def phase(self) -> Phase | None:
        """The phase, if there is such a state."""
        return None if self.state is None else self.state.phase


@attrs.frozen(kw_only=True)
class Edge:
    """All transitions from one state to another: what each is called, and how the edge is drawn.

    `timed`: time fires all of them. `taken`: the record went this way.
    """

    source: Node
    dest: Node
    lines: tuple[str, ...]
    timed: bool
    taken: bool


def nodes(definition: Definition, trail: Trail, lang: str) -> dict[str, Node]:
    """The nodes by state id: those of the lifecycle, then those that are only named."""
    named = [one for row in definition.transitions for one in (*row.sources, row.dest)]
    passed = [one for ends in trail.moves for one in ends]
    ids = dict.fromkeys([*definition.by_id, definition.initial, *named, *passed])
    return {one: _node(definition, n, one, lang) for n, one in enumerate(ids)}


def _node(definition: Definition, place: int, id: str, lang: str) -> Node:
    known = definition.by_id.get(id)
    if known is None:
        return Node(place, id, say("unknown", lang, id=one_line(id, MOST)), None)
    return Node(place, id, one_line(known.say(lang), MOST), known)


def edges(definition: Definition, trail: Trail, drawn: dict[str, Node], lang: str) -> list[Edge]:
    """The edges in the order of definition, then moves of the record that the lifecycle does not have."""
    rows: dict[tuple[str, str], list[tuple[Transition, str]]] = {}
    for row in definition.transitions:
        labelled = (row, _called(row, lang))
        for source in row.sources:
            rows.setdefault((source, row.dest), []).append(labelled)
    for ends in trail.moves:
        rows.setdefault(ends, [])
    return [
        Edge(
            source=drawn[source],
            dest=drawn[dest],
            lines=_lines(definition, trail.moves.get((source, dest), {}), found, lang),
            timed=bool(found) and all(row.after is not None for row, _ in found),
            taken=(source, dest) in trail.moves,
        )
        for (source, dest), found in rows.items()
    ]


def _called(row: Transition, lang: str) -> str:
    label = one_line(row.say(lang), MOST)
    return label if row.after is None else say("timed", lang, label=label)


def _lines(
    definition: Definition, moves: dict[str, tuple[int, ...]], rows: list[tuple[Transition, str]], lang: str
) -> tuple[str, ...]:
    """What stands at an edge: a line for each trigger, with the moves that took it."""
    lines = [_numbered(label, moves.get(row.trigger, ()), lang) for row, label in rows]
    for trigger in sorted(moves.keys() - {row.trigger for row, _ in rows}):
        label = say("outside", lang, label=one_line(called(definition, trigger, lang), MOST))
        lines.append(_numbered(label, moves[trigger], lang))
    return tuple(dict.fromkeys(lines))


def _numbered(label: str, moves: tuple[int, ...], lang: str) -> str:
    numbers = ", ".join(map(str, moves[:_MOVES])) + (", …" if len(moves) > _MOVES else "")
    return say("moves", lang, label=label, n=numbers) if moves else label


_MOVES = 8
