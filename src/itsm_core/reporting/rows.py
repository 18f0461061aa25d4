"""One row per record: what became of its targets, escalations and promises."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import attrs

from itsm_core.events import Event
from itsm_core.processes import PROCESSES
from itsm_core.records import Record
from itsm_core.reporting.words import say
from itsm_core.sla import Clock, Metric, Promise, PromiseVerdict, Verdict, promises, trace


@attrs.frozen(kw_only=True)
class Row:
    """A record with its clocks, escalations and promises as of one instant.

    `title` is in the reader's language, and empty if the record is restricted: `heading` then says
    so. `unknown` names the metrics whose end nobody knows: their
    verdict is unknown, whatever the clock says.
    """

    record: Record
    title: str
    clocks: tuple[Clock, ...]
    escalations: tuple[Event, ...]
    promises: tuple[Promise, ...]
    unknown: frozenset[Metric] = frozenset()

    @classmethod
    def of(
        cls,
        record: Record,
        clocks: Mapping[str, Clock],
        events: Iterable[Event],
        at: dt.datetime,
        *,
        title: str | None = None,
        unknown: Iterable[Metric] = (),
    ) -> Row:
        """The row of a record, its clocks by metric, and its whole history."""
        events = tuple(events)
        return cls(
            record=record,
            title=title or record.title or "",
            clocks=tuple(clocks.values()),
            escalations=tuple(e for e in events if e.kind == "escalated"),
            promises=promises(trace(events), at),
            unknown=frozenset(unknown),
        )

    def __attrs_post_init__(self) -> None:
        if self.record.restricted:
            object.__setattr__(self, "title", "")

    def heading(self, lang: str = "en") -> str:
        """The title, or that the record is restricted."""
        return say("restricted", lang) if self.record.restricted else self.title

    @property
    def number(self) -> str:
        """What people call the record."""
        return self.record.number or self.record.id

    def clock(self, metric: str) -> Clock | None:
        """The clock of a metric, if the agreement sets a target for it."""
        return next((clock for clock in self.clocks if clock.target.metric is metric), None)

    def verdict(self, metric: str) -> Verdict | None:
        """The verdict on a metric; None without a target."""
        clock = self.clock(metric)
        if clock is None:
            return None
        return Verdict.UNKNOWN if metric in self.unknown else clock.verdict

    def outcome(self, lang: str = "en") -> str:
        """The label of the state in which the record is."""
        lifecycle = PROCESSES.get(self.record.lifecycle)
        state = None if lifecycle is None else lifecycle.by_id.get(self.record.state)
        return self.record.state if state is None else state.say(lang)

    def promised(self) -> dict[PromiseVerdict, int]:
        """How many promises ended how, in the order of `PromiseVerdict`, none left out but zeros."""
        counts = {v: sum(p.verdict is v for p in self.promises) for v in PromiseVerdict}
        return {verdict: n for verdict, n in counts.items() if n}


@attrs.frozen
class Recurring:
    """Incidents with one fault: the same service, category and item."""

    fault: tuple[str, ...]
    rows: tuple[Row, ...]


def recurring(rows: Iterable[Row], at_least: int = 3) -> tuple[Recurring, ...]:
    """The faults that came back so often that a problem should be opened (8.6.3)."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        record = row.record
        fault = (record.service or "", record.category or "", *record.configuration_items)
        if record.configuration_items:
            found.setdefault(fault, []).append(row)
    return tuple(Recurring(f, tuple(rows)) for f, rows in found.items() if len(rows) >= at_least)
