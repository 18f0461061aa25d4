"""How many records each period brought, beside the workload limits that were agreed on.

    workload(evaluate_all(histories, agreement, at)) -> rows of volume and limit

A limit changes no verdict. `attainment(..., by="workload")` tells how the targets were met within and
beyond it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from itsm_core.sla.agreements.workload import Load
from itsm_core.sla.explaining.tables import Table
from itsm_core.sla.many.batch import Judged, all_judged


class Volumes:
    """How many records count towards each limit and period, while judged records come in."""

    def __init__(self) -> None:
        self.counts: Counter[Load] = Counter()

    def add(self, one: Judged) -> None:
        """One more record."""
        self.counts.update(one.loads)

    def standing(self, loads: Iterable[Load]) -> str:
        """Where a record with these loads belongs: "within", "beyond" if one went over, or "no limit"."""
        over = [self.counts[load] > load.limit.limit for load in loads]
        return "beyond" if any(over) else "within" if over else "no limit"


@attrs.frozen(kw_only=True)
class WorkloadRow:
    """How many records a period brought towards one limit of an agreement version."""

    agreement: str
    id: str
    per: str
    period: str
    volume: int
    limit: int

    @property
    def beyond(self) -> int:
        """By how many the volume went over the limit; 0 if it did not."""
        return max(self.volume - self.limit, 0)

    @property
    def exceeded(self) -> bool:
        """Whether the volume went over the limit; a volume equal to it is within."""
        return self.volume > self.limit

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {**attrs.asdict(self), "beyond": self.beyond, "exceeded": self.exceeded}


@attrs.frozen(kw_only=True)
class Workload:
    """The volume of each period beside its limit; a period that brought no record has no row.

    `records` is how many came in, and `unlimited` by agreement version how many of them count towards no
    limit. Records that nothing covers, or that could not be read, are in neither.
    """

    records: int = 0
    unlimited: Mapping[str, int] = attrs.field(factory=dict)
    rows: tuple[WorkloadRow, ...] = ()

    @property
    def exceeded(self) -> tuple[WorkloadRow, ...]:
        """The rows that went over their limits."""
        return tuple(row for row in self.rows if row.exceeded)

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        rows = [row.to_dict() for row in self.rows]
        return {"records": self.records, "unlimited": dict(self.unlimited), "rows": rows}

    def table(self) -> Table:
        """The rows as a table."""
        heads = ("agreement", "limit", "period", "volume", "at most", "beyond")
        rows = tuple(
            (row.agreement, row.id, row.period, f"{row.volume:,}", f"{row.limit:,}", _beyond(row))
            for row in self.rows
        )
        caption = f"{self.records:,} record{'' if self.records == 1 else 's'}"
        parts = [caption, *(f"{n:,} by {label} under no limit" for label, n in self.unlimited.items())]
        return Table("; ".join(parts), heads, rows=rows, words=3)

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def _beyond(row: WorkloadRow) -> str:
    return f"{row.beyond:,}" if row.exceeded else "-"


def workload(judged: Iterable[Judged]) -> Workload:
    """How many records each period brought, beside the limits of the agreements they were opened under.

    Every record counts in the period in which it was opened, whatever became of it. Limits are those of
    one version: a version that begins within a period has a volume of its own.
    """
    volumes, unlimited, records = Volumes(), Counter[str](), 0
    for one in all_judged(judged):
        volumes.add(one)
        records += 1
        if one.agreement is not None and not one.loads:
            unlimited[one.agreement] += 1
    counted = sorted(
        volumes.counts.items(), key=lambda item: (item[0].agreement, item[0].limit.id, item[0].period)
    )
    rows = (
        WorkloadRow(
            agreement=load.agreement, id=load.limit.id, per=load.limit.per, period=load.period,
            volume=volume, limit=load.limit.limit,
        )
        for load, volume in counted
    )  # fmt: skip
    return Workload(records=records, unlimited=dict(sorted(unlimited.items())), rows=tuple(rows))
