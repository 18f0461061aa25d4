"""Workload limits: how many records a period may bring, as agreed on beside the targets (8.3.3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Literal, get_args

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.priority import Priority
from itsm_core.records import Record
from itsm_core.sla.agreements.targets import one_of, priorities_of
from itsm_core.values import named, texts

Per = Literal["day", "week", "month", "quarter", "year"]
PERIODS: tuple[Per, ...] = get_args(Per)


def _some(value: str | Iterable[str]) -> frozenset[str]:
    return frozenset(texts(value, "workload", 'name ids, such as {"incident"}; leave it out for all'))


def _amount(_: Any, __: Any, value: Any) -> None:
    if type(value) is not int or not 1 <= value < 2**53:  # RFC 8785: larger ones lose digits elsewhere
        raise InvalidValue("limit", value, "is no number of records", "give a whole number from 1 on")


@attrs.frozen
class WorkloadLimit:
    """At most so many records opened in a calendar period: what the targets were agreed on for.

    Counted are records of the `processes` and `services` named, opened with one of the `priorities`;
    empty means all. Weeks begin on Monday. A limit changes no verdict: reports tell the records of a
    period that went beyond it beside the others.
    """

    id: str
    limit: int = attrs.field(validator=_amount)
    per: Per = attrs.field(validator=one_of(PERIODS), kw_only=True)
    processes: frozenset[str] = attrs.field(default=frozenset(), converter=_some, kw_only=True)
    services: frozenset[str] = attrs.field(default=frozenset(), converter=_some, kw_only=True)
    priorities: frozenset[Priority] = attrs.field(default=frozenset(), converter=priorities_of, kw_only=True)

    def __attrs_post_init__(self) -> None:
        named(self.id, "workload", 'name it, such as "monthly"')

    def __str__(self) -> str:
        return f"{self.id} ({self.limit:,} per {self.per})"

    def covers(self, record: Record, priority: Priority | None) -> bool:
        """Whether a record opened with this priority counts."""
        named = (
            (self.processes, record.process),
            (self.services, record.service),
            (self.priorities, priority),
        )
        return all(not among or value in among for among, value in named)


@attrs.frozen
class Load:
    """A limit of an agreement version and the period in which a record counts towards it."""

    agreement: str
    limit: WorkloadLimit
    period: str


def period_of(per: Per, day: dt.date) -> str:
    """The name of the period that a day is in, such as `2026-03-02`, `2026-W10`, `2026-03`, `2026-Q1`."""
    if per == "day":
        return day.isoformat()
    if per == "week":
        year, week, _ = day.isocalendar()
        return f"{year:04}-W{week:02}"
    if per == "month":
        return f"{day.year:04}-{day.month:02}"
    return f"{day.year:04}" + (f"-Q{(day.month + 2) // 3}" if per == "quarter" else "")


def begins(per: Per, day: dt.date) -> bool:
    """Whether a day is the first one of its period."""
    return day == dt.date.min or period_of(per, day) != period_of(per, day - dt.timedelta(days=1))
