"""Ticket logs: a file or rows, in a format, as the histories of its records."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from itsm_core.errors import InvalidInput, InvalidValue
from itsm_core.importers.changes import History
from itsm_core.importers.maps import Map
from itsm_core.importers.rows import Layout, Progress, Row, Survey, layout, records, survey
from itsm_core.importers.servicenow import SERVICENOW_AUDIT
from itsm_core.importers.snapshots import history_of
from itsm_core.importers.table import Listed, Table, opened
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.processes import INCIDENT
from itsm_core.values import only

ASSUMED = "assumed UTC"
"""What a report calls the zone if neither the input nor the caller names one."""

FORMATS: dict[str, Map | None] = {"servicenow-audit": SERVICENOW_AUDIT, "csv": None}
"""The formats that are read, with the map that goes with each; `csv` needs one from the caller."""

Source = str | Path | Iterable[Mapping[str, Any]]
"""A path, or rows in memory as mappings from column to value."""


@attrs.frozen
class TicketHistory:
    """One record of a log: its id, its rows under our names, and its events with findings."""

    record: str
    rows: tuple[Row, ...] = attrs.field(repr=False)
    history: History = attrs.field(repr=False)


@attrs.frozen(slots=False)
class TicketLog:
    """A log whose records can be read as often as wanted, one by one."""

    format: str
    plan: Layout
    progress: Progress | None = None

    @cached_property
    def survey(self) -> Survey:
        """Row counts and the last instant, from one pass over the whole log."""
        return survey(self.plan, self.progress)

    @property
    def last(self) -> dt.datetime:
        """The last instant of the log: where it ends, its open clocks are read."""
        at = self.survey.last
        if at is None:
            raise self.plan.table.refusal(
                2, "rows", 0, "stand below the header", "export the log again, with its rows"
            )
        return at

    @property
    def zone(self) -> str:
        """The zone of the log's wall times, as a report names it."""
        if self.plan.told_zone:
            return str(self.plan.zone.key)
        return ASSUMED if self.survey.naive else "offsets of the input"

    def histories(self, lifecycle: Lifecycle = INCIDENT) -> Iterator[TicketHistory]:
        """Each record of the log with its events."""
        states = self.plan.map.state_map(lifecycle)
        for number, rows in records(self.plan, self.survey, self.progress):
            history = history_of(number, rows, self.plan, lifecycle, states)
            yield TicketHistory(number, tuple(rows), history)


def open_log(
    source: Source, *, format: str | None = None, map: Map | None = None,
    zone: str | ZoneInfo | None = None, lifecycle: Lifecycle = INCIDENT,
    progress: Progress | None = None,
) -> TicketLog:  # fmt: skip
    """The log in a file or in rows; without `format` the header tells which it is.

    A `map` goes before the one that belongs to the format. Raises `InvalidInput` for what cannot
    be read, with file, line and remedy.
    """
    if map is not None:
        only(Map, map, "map", 'give Map({"case": "number", ...}, {"New": "new"}), or load_map(path)')
    _known_format(format, source)
    table = opened(source)
    found = format or _guess(table, map)
    names = map or FORMATS[found]
    if names is None:
        raise InvalidInput(
            "format", found, "needs a map that names columns and states",
            "give --map MAP.toml with [columns] and [states] (map= in Python)", file=table.name,
        )  # fmt: skip
    names.state_map(lifecycle)  # a typing error in it is refused before anything is read
    return TicketLog(found, layout(table, names, zone), progress)


def _known_format(name: str | None, source: Source) -> None:
    ending = str(source).lower().removesuffix(".gz") if isinstance(source, (str, Path)) else ""
    wanted = "xes" if name is None and ending.endswith(".xes") else name
    if wanted is not None and wanted not in FORMATS:
        raise InvalidValue("format", wanted, "is not read", f"use one of {', '.join(FORMATS)}")


def _guess(table: Table | Listed, names: Map | None) -> str:
    """The format whose columns the header has; a table of its own has a map."""
    for name, shipped in FORMATS.items():
        if shipped is not None:
            wanted = {column for _, theirs in shipped.columns for column in theirs}
            if wanted <= set(table.header):
                return name
    if names is not None:
        return "csv"
    raise InvalidInput(
        "header", ",".join(table.header)[:100], "is that of no known format",
        f"say --format (one of {', '.join(FORMATS)}) and, for csv, --map MAP.toml",
        file=table.name, line=1,
    )  # fmt: skip
