"""Rows of a table under a map, surveyed once and handed on record by record.

Memory does not grow with the file. A first pass finds the last instant and whether the records
stand in the order of their ids; if so the second pass hands each record over when the next one
begins. If not, rows are sorted in temporary files, so that any grouping gives the same records;
rows of one record keep their order.
"""

from __future__ import annotations

import datetime as dt
import heapq
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import IO, Any, NamedTuple
from zoneinfo import ZoneInfo

import attrs

from itsm_core.business_time.instants import zone_of
from itsm_core.business_time.table import FIRST_YEAR, LAST_YEAR
from itsm_core.importers.maps import Map
from itsm_core.importers.table import Listed, Numbered, Table
from itsm_core.importers.times import placed, wall_reader

CHUNK = 20_000
"""Rows that are sorted in memory at a time."""

EVERY = 1_000
"""Rows between two calls of `progress`."""


Progress = Callable[[int, int | None], None]
"""Is told how many rows were read, and of how many if that is known."""


class Row(NamedTuple):
    """One row under our names; what is missing is None. `mark` tells equal rows."""

    line: int
    wall: dt.datetime
    values: dict[str, Any]
    mark: int


class Survey(NamedTuple):
    """What a first pass found: rows of records and others, the last instant, how rows stand."""

    rows: int
    without_case: int
    last: dt.datetime | None
    ascending: bool
    naive: bool


@attrs.frozen
class Layout:
    """Where in a table each thing of a map stands."""

    table: Table | Listed
    map: Map
    zone: ZoneInfo
    told_zone: bool
    _places: dict[str, tuple[int, ...]] = attrs.field(init=False, repr=False)
    _priorities: dict[str, str] = attrs.field(init=False, repr=False)
    _read: Callable[[str], dt.datetime] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        header = self.table.header
        wanted = {name for _, theirs in self.map.columns for name in theirs}
        lacking = sorted(wanted - set(header))
        twice = sorted(name for name in wanted if header.count(name) > 1)
        if lacking or twice:
            reason = "lacks the columns " if lacking else "names twice the columns "
            raise self.table.refusal(
                1, "header", ",".join(header)[:100], reason + ", ".join(lacking or twice),
                "export the log with them, once each, or give a map that names other columns",
            )  # fmt: skip
        places = {name: tuple(map(header.index, theirs)) for name, theirs in self.map.columns}
        object.__setattr__(self, "_places", places)
        object.__setattr__(self, "_priorities", dict(self.map.priority))
        object.__setattr__(self, "_read", wall_reader(self.map.time_format))

    def cell(self, cells: Sequence[Any], name: str) -> Any:
        """One thing of a row, several columns joined; None if missing."""
        places = self._places.get(name, ())
        if len(places) == 1:
            return self._cell(cells[places[0]])
        found = [str(cell) for at in places if (cell := self._cell(cells[at])) is not None]
        return "/".join(found) or None

    def _cell(self, cell: Any) -> Any:
        if isinstance(cell, str):
            cell = cell.strip()
            return None if cell in self.map.missing else cell
        return None if cell != cell else cell  # noqa: PLR0124 - NaN, a dataframe's word for nothing

    def row(self, line: int, cells: Sequence[Any]) -> Row:
        """A row under our names."""
        values = {name: self.cell(cells, name) for name in self._places}
        priority = values.get("priority")
        if priority is not None:
            values["priority"] = self._priorities.get(str(priority), priority)
        return Row(line, self.wall(line, cells, "at"), values, hash(tuple(map(str, cells))))

    def wall(self, line: int, cells: Sequence[Any], name: str) -> dt.datetime:
        """The wall time (or aware instant) in a column; refused with its line if it is none."""
        return self.wall_of(line, self.cell(cells, name), name)

    def wall_of(self, line: int, value: Any, name: str) -> dt.datetime:
        """The wall time that a value of a column means."""
        try:
            wall = value if isinstance(value, dt.datetime) else self._read(str(value))
        except (ValueError, OverflowError):
            shape = self.map.time_format or "2024-02-04T10:30:00+08:00"
            column = " / ".join(dict(self.map.columns)[name])
            raise self.table.refusal(
                line, column, value, "is no instant",
                f"write it as {shape}, or say time_format in a map",
            ) from None  # fmt: skip
        if not FIRST_YEAR <= wall.year <= LAST_YEAR:
            column = " / ".join(dict(self.map.columns)[name])
            raise self.table.refusal(
                line, column, value, f"lies outside the years {FIRST_YEAR} to {LAST_YEAR}",
                "check its dates, and leave an unknown instant empty instead of naming a far one",
            )  # fmt: skip
        return wall

    def instant(self, wall: dt.datetime, after: dt.datetime | None = None) -> dt.datetime:
        """The instant in UTC of a wall time in this table."""
        return placed(wall, self.zone, after)


def layout(table: Table | Listed, map: Map, zone: str | ZoneInfo | None) -> Layout:
    """The layout of a table; `zone` goes before the map's, and without either it is UTC."""
    told = zone or map.zone
    known = zone_of(told or "UTC") if not isinstance(told, ZoneInfo) else told
    return Layout(table, map, known, told is not None)


def survey(plan: Layout, progress: Progress | None = None) -> Survey:
    """What a pass over the whole table finds; an instant that cannot be read is refused here."""
    rows = without = 0
    last: dt.datetime | None = None
    before, ascending, naive = "", True, False
    for line, cells in told(plan.table.rows(), None, progress):
        wall = plan.wall(line, cells, "at")
        naive = naive or wall.tzinfo is None
        at = plan.instant(wall.replace(fold=1))
        last = at if last is None else max(last, at)
        case = plan.cell(cells, "case")
        if case is None:
            without += 1
            continue
        rows += 1
        ascending, before = ascending and str(case) >= before, str(case)
    return Survey(rows, without, last, ascending, naive)


def told(rows: Iterable[Numbered], total: int | None, progress: Progress | None) -> Iterator[Numbered]:
    """The rows, with progress told of every thousand."""
    if progress is None:
        yield from rows
        return
    done = 0
    for done, row in enumerate(rows, start=1):
        yield row
        if done % EVERY == 0:
            progress(done, total)
    progress(done, total)


def records(plan: Layout, found: Survey, progress: Progress | None = None) -> Iterator[tuple[str, list[Row]]]:
    """Each record's id and its rows in the order of the table."""

    def case(numbered: Numbered) -> str:
        return str(plan.cell(numbered[1], "case"))

    rows = told(plan.table.rows(), found.rows + found.without_case, progress)
    kept: Iterable[Numbered] = rows
    if found.without_case:
        kept = (row for row in rows if plan.cell(row[1], "case") is not None)
    if not found.ascending:
        kept = sorted(kept, key=case) if isinstance(plan.table, Listed) else _sorted(kept, case)
    for name, group in groupby(kept, key=case):
        yield name, [plan.row(line, cells) for line, cells in group]


def _sorted(rows: Iterable[Numbered], key: Callable[[Numbered], str]) -> Iterator[Numbered]:
    """The rows by key, equal keys as they came, through temporary files of sorted chunks."""
    rows = iter(rows)
    files: list[IO[str]] = []
    try:
        while chunk := sorted(islice(rows, CHUNK), key=key):
            files.append(_written(chunk))
        yield from heapq.merge(*map(_read_back, files), key=key)
    finally:
        for file in files:
            file.close()


def _written(chunk: list[Numbered]) -> IO[str]:
    file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed by _sorted
    file.writelines(json.dumps(row) + "\n" for row in chunk)
    file.seek(0)
    return file


def _read_back(file: IO[str]) -> Iterator[Numbered]:
    for text in file:
        line, cells = json.loads(text)
        yield line, cells
