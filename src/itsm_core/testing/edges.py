"""Tables of edges written by hand, and whether a lifecycle is what they say.

    trigger,from,to,roles,requires,source
    start,new,in_progress,agent,,our handbook 3.1
    resolve,new|in_progress,resolved,agent|manager,resolution_notes,our handbook 3.2

`trigger`, `from` and `to` have to be there, and every column of conditions that is there is compared.
A cell with several words separates them by "|". Rows of one trigger out of one state stand in the order
in which the lifecycle tries them. Nothing here writes a table: one that follows the code proves nothing.

What leaves no state has a row where the columns have something to say of it: "open", which leads to the
first state, with what a record is opened with, and each command beside the state that has guards, which
leads nowhere.

    open,,new,,title,our handbook 2
    vote,,,,,our handbook 6
"""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.lifecycle.beside import GUARDED
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.graph import told
from itsm_core.lifecycle.parts import Need, Transition, read_after, written_after
from itsm_core.values import only

Cells: TypeAlias = tuple[tuple[str, str], ...]
Table: TypeAlias = "EdgeTable | os.PathLike[str] | str | Iterable[Any]"
"""A table that was read, the path of a CSV file, its text, or rows."""


class Edge(NamedTuple):
    """A move: a trigger, the state that it leaves, and the state that it leads to.

    "open" leaves no state (""), and a command beside the state neither leaves nor leads to one.
    """

    trigger: str
    source: str
    dest: str

    def __str__(self) -> str:
        if not self.source:  # it leaves no state
            return f"{told(self.trigger)}: -> {told(self.dest)}" if self.dest else told(self.trigger)
        return f"{told(self.trigger)}: {told(self.source)} -> {told(self.dest)}"


def edges_of(lifecycle: Definition) -> tuple[Edge, ...]:
    """Every edge of a lifecycle in the order of definition, as often as it is defined."""
    return tuple(Edge(t.trigger, source, t.dest) for t in lifecycle.transitions for source in t.sources)


# --- columns ----------------------------------------------------------------------------------


def _all(words: Iterable[str]) -> str:
    return "|".join(sorted(words))


def _asked(need: Need) -> str:
    return need.field if need.otherwise is None else f"{need.field}/{need.otherwise}"


def _offered(need: Need) -> str:
    return f"{need.field}={'/'.join(need.one_of)}"


# fmt: off
CONDITIONS: Mapping[str, Callable[[Transition], str]] = {
    "roles":         lambda row: _all(row.roles),
    "relation":      lambda row: _all(row.relation),
    "requires":      lambda row: _all(_asked(need) for need in row.requires if need.required),
    "asks":          lambda row: _all(_asked(need) for need in row.requires if not need.required),
    "kept":          lambda row: _all(need.field for need in row.requires if need.kept),
    "optional":      lambda row: _all(need.field for need in row.requires if not need.essential),
    "one_of":        lambda row: _all(_offered(need) for need in row.requires if need.one_of),
    "guards":        lambda row: _all(row.guards),
    "separate_from": lambda row: _all(row.separate_from),
    "after":         lambda row: "" if row.after is None else written_after(row.after),
    "reopens":       lambda row: row.reopens or "",
}
"""The columns that say on what conditions an edge may be walked, each with what a transition says to it.

`requires` names the fields without which it is refused, and `asks` those that may be left out, each with
what may stand in its place ("backout_plan/no_backout_reason"). `kept` names those of both for which it is
enough that the record knows them, `optional` those that `lite()` leaves out. `one_of` gives the choices
of those that have some, in the order in which they are offered ("size=small/large").
"""

PROSE = ("source", "comment")
"""Columns for people: which words ask for the edge. They are not compared."""

_PLACES = ("trigger", "from", "to")
_WHEN = "when"
# fmt: on


def _told(column: str, row: Transition, telling: frozenset[str]) -> str:
    if column == _WHEN:
        return _all(guard for guard in row.guards if guard in telling)
    return CONDITIONS[column](row)


# --- reading ----------------------------------------------------------------------------------


@attrs.frozen
class EdgeTable:
    """The rows of a table, one for each edge, and the columns of conditions that it has.

    The column "when" holds guards that tell rows of one trigger apart; others of the row it leaves open.
    """

    rows: tuple[tuple[Edge, Cells], ...]
    columns: tuple[str, ...]

    @classmethod
    def of(cls, table: Table) -> EdgeTable:
        """A table from the path of a CSV file, its text (of several lines), or rows.

        A row is a mapping by column, or a sequence (trigger, from, to, source).
        """
        if isinstance(table, EdgeTable):
            return table
        if isinstance(table, os.PathLike) or (isinstance(table, str) and "\n" not in table):
            return cls._written(_text_of(Path(table)))
        return cls._written(table) if isinstance(table, str) else cls._listed(table)

    @classmethod
    def _written(cls, text: str) -> EdgeTable:
        lines = csv.reader(io.StringIO(text), strict=True, skipinitialspace=True)
        try:
            head, *rest = [[cell.strip() for cell in line] for line in lines if any(map(str.strip, line))]
        except (csv.Error, ValueError) as wrong:
            remedy = "write a line of columns first: trigger,from,to,source"
            raise InvalidValue("table", text, f"is no table ({wrong})", remedy) from None
        for number, line in enumerate(rest, 1):
            if len(line) != len(head):
                reason = f"has {len(line)} cells, and there are {len(head)} columns"
                raise InvalidValue(f"row {number}", ",".join(line), reason, 'put a cell with "," in quotes')
        return cls._made([dict(zip(head, line, strict=True)) for line in rest], head)

    @classmethod
    def _listed(cls, rows: Iterable[Any]) -> EdgeTable:
        if not isinstance(rows, Iterable):
            raise InvalidValue("table", rows, "is no table", "give rows, or the path of a CSV file")
        found = [_by_column(row) for row in rows]
        return cls._made(found, list(dict.fromkeys(name for row in found for name in row)))

    @classmethod
    def _made(cls, rows: list[dict[str, Any]], head: list[str]) -> EdgeTable:
        known = (*_PLACES, _WHEN, *CONDITIONS, *PROSE)
        strange = [name for name in head if name not in known]
        if strange or len(set(head)) < len(head):
            what = strange[0] if strange else next(name for name in head if head.count(name) > 1)
            reason = "is no column" if strange else "is there twice"
            raise InvalidValue("column", what, reason, f"use one of {', '.join(known)}")
        columns = tuple(name for name in (_WHEN, *CONDITIONS) if name in head)
        made = [one for number, row in enumerate(rows, 1) for one in _edges_of_row(row, number, columns)]
        if not made:
            raise InvalidValue("table", "it", "holds no edge", "write a row for each: trigger, from, to")
        return cls(tuple(made), columns)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise InvalidValue(
            "table", str(path), f"is no UTF-8 text ({wrong.reason})", "save it as UTF-8"
        ) from None


def _by_column(row: Any) -> dict[str, Any]:
    if isinstance(row, Mapping):
        return dict(row)
    if isinstance(row, Edge):  # names as they are, whatever they hold
        return {name: [word] if word else [] for name, word in zip(_PLACES, row, strict=True)}
    if isinstance(row, str) or not isinstance(row, Iterable):
        raise InvalidValue("row", row, "is no row", 'write ("close", "resolved", "closed")')
    cells = tuple(row)
    if len(cells) not in (3, 4):
        raise InvalidValue("row", cells, f"has {len(cells)} cells", "give trigger, from, to, source")
    return dict(zip((*_PLACES, "source"), cells, strict=False))


_ONE = 'name one, and states in from as "new|open"'


def _edges_of_row(row: Mapping[str, Any], number: int, columns: tuple[str, ...]) -> list[tuple[Edge, Cells]]:
    words = {name: _words(row.get(name), name, number) for name in (*_PLACES, *columns)}
    if len(words["trigger"]) != 1:
        raise InvalidValue(f"row {number}", row.get("trigger"), "has no single trigger", _ONE)
    (trigger,), sources, ends = words["trigger"], words["from"], words["to"]
    if not sources and trigger not in GUARDED:
        raise InvalidValue(f"row {number}", trigger, "has no single from", _ONE)
    if not sources and trigger != "open" and ends:
        reason = f"leads to {'|'.join(ends)} from nowhere"
        raise InvalidValue(f"row {number}", trigger, reason, "leave to empty: the command moves no record")
    if len(ends) != 1 and (sources or trigger == "open"):
        raise InvalidValue(f"row {number}", row.get("to"), "has no single to", _ONE)
    says = tuple((name, _said(name, words[name], number)) for name in columns)
    return [(Edge(trigger, source, "".join(ends)), says) for source in sources or [""]]


def _words(cell: Any, name: str, number: int) -> list[str]:
    """The words of a cell; a list gives them as they are."""
    if isinstance(cell, str | None):
        return [word.strip() for word in (cell or "").split("|") if word.strip()]
    if not isinstance(cell, Iterable) or not all(isinstance(word, str) and word for word in cell):
        raise InvalidValue(f"row {number}", cell, f"has no words in {name}", 'write "agent|manager"')
    return list(cell)


def _said(name: str, words: list[str], number: int) -> str:
    if name != "after" or not words:
        return _all(words)
    try:
        return written_after(read_after(_all(words)))
    except InvalidValue as wrong:
        raise InvalidValue(
            f"row {number}", words, f"names no time in after ({wrong.reason})", wrong.remedy
        ) from None


# --- comparing --------------------------------------------------------------------------------

Group: TypeAlias = list[tuple[str, Cells]]
"""What one trigger does out of one state, in the order in which it is tried."""


def differences(lifecycle: Definition, table: Table) -> tuple[str, ...]:
    """What tells a lifecycle from a table, in lines: "-" is in the table only, "+" in the lifecycle only."""
    only(Definition, lifecycle, "lifecycle", "give the lifecycle itself, such as INCIDENT")
    read = EdgeTable.of(table)
    expected, found = _groups(read.rows), _groups(_rows_of(lifecycle, read))
    lines: list[str] = []
    for place in dict.fromkeys((*expected, *found)):
        lines += _between(place, expected.get(place, []), found.get(place, []))
    return tuple(lines)


def assert_edges(lifecycle: Definition, table: Table) -> None:
    """Fails with the differences if a lifecycle is not, edge by edge, what a table says.

    The table is the path of a CSV file, its text, or rows; see `EdgeTable.of`.
    """
    lines = differences(lifecycle, table)
    if lines:
        head = f"{lifecycle.id} {lifecycle.version} is not what the table says"
        raise AssertionError("\n".join([f"{head} (-: table, +: lifecycle):", *lines]))


def _rows_of(lifecycle: Definition, table: EdgeTable) -> Iterable[tuple[Edge, Cells]]:
    telling = frozenset(
        guard for _, says in table.rows for name, cell in says if name == _WHEN for guard in cell.split("|")
    )
    for row in lifecycle.transitions:
        says = tuple((name, _told(name, row, telling)) for name in table.columns)
        for source in row.sources:
            yield Edge(row.trigger, source, row.dest), says
    listed = {edge.trigger for edge, _ in table.rows if not edge.source}
    for row in _from_nowhere(lifecycle):
        says = tuple((name, _told(name, row, telling)) for name in table.columns)
        if row.trigger in listed or any(cell for _, cell in says):
            yield Edge(row.trigger, "", row.dest), says


def _from_nowhere(lifecycle: Definition) -> Iterable[Transition]:
    """What opens a record, and the commands beside the state, as transitions that leave no state."""
    held = lifecycle.guards_beside
    for trigger in dict.fromkeys((*GUARDED, *held)):
        opens = trigger == "open"
        yield Transition(
            trigger,
            (),
            dest=lifecycle.initial if opens else "",
            requires=lifecycle.opening if opens else (),
            guards=held.get(trigger, ()),
        )


def _groups(rows: Iterable[tuple[Edge, Cells]]) -> dict[tuple[str, str], Group]:
    found: dict[tuple[str, str], Group] = {}
    for edge, says in rows:
        found.setdefault((edge.trigger, edge.source), []).append((edge.dest, says))
    return found


def _between(place: tuple[str, str], expected: Group, found: Group) -> list[str]:
    lines: list[str] = []
    if expected == found:
        return lines
    cells = {cell for _, says in (*expected, *found) for cell in says}
    counts = Counter(name for name, _ in cells)
    codes = SequenceMatcher(None, expected, found, autojunk=False).get_opcodes()
    if sorted(expected) == sorted(found):  # the same in another order: show both, whole
        codes = [("replace", 0, len(expected), 0, len(found))]
    for tag, i, j, m, n in codes:
        if tag != "equal":
            lines += [f"- {_line(place, row, counts)}" for row in expected[i:j]]
            lines += [f"+ {_line(place, row, counts)}" for row in found[m:n]]
    return lines


def _line(place: tuple[str, str], row: tuple[str, Cells], counts: Mapping[str, int]) -> str:
    """A row, with those of its conditions that are not the same in all rows of its place.

    One that leaves no state is nothing without its conditions.
    """
    dest, says = row
    shown = [f"{name} {cell or 'none'}" for name, cell in says if counts[name] > 1 or (cell and not place[1])]
    return "; ".join([str(Edge(*place, dest)), *shown])
