"""Golden tables of edges, written by hand, and what tests of shipped lifecycles do with them.

An edge is a (trigger, from, to). Nothing here writes a table.
"""

import csv
from pathlib import Path

import attrs

GOLDEN = Path(__file__).parent.parent / "golden"


def table(process):
    """The rows of a golden table: trigger, from, to, and the source that says so."""
    with (GOLDEN / f"{process}_edges.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def golden(process):
    """The edges of a golden table."""
    return [(row["trigger"], row["from"], row["to"]) for row in table(process)]


def edges(lifecycle):
    """Every edge of a definition, as often as it is defined."""
    return [(t.trigger, source, t.dest) for t in lifecycle.transitions for source in t.sources]


def is_golden(lifecycle, process):
    """Whether a definition has exactly the edges of the golden table."""
    return sorted(edges(lifecycle)) == sorted(golden(process))


def without(lifecycle, edge):
    """The definition less one edge."""
    trigger, start, end = edge
    less = [
        attrs.evolve(row, sources=tuple(s for s in row.sources if s != start))
        if (row.trigger, row.dest) == (trigger, end)
        else row
        for row in lifecycle.transitions
    ]
    return attrs.evolve(lifecycle, transitions=tuple(row for row in less if row.sources))


def also(lifecycle, edge, like=None):
    """The definition with one edge more, on the conditions of its trigger (in `like`)."""
    trigger, start, end = edge
    row = attrs.evolve((like or lifecycle).by_trigger[trigger][0], sources=(start,), dest=end)
    return attrs.evolve(lifecycle, transitions=(*lifecycle.transitions, row))


def redirected(lifecycle, edge):
    """The definitions with one edge led to another state, or from another state."""
    trigger, start, end = edge
    rest = without(lifecycle, edge)
    for state in lifecycle.by_id:
        if state != end:
            yield also(rest, (trigger, start, state), lifecycle)
        if state != start:
            yield also(rest, (trigger, state, end), lifecycle)
