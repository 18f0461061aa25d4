"""Exceptions that an agreement names, and what they make of a verdict beside the raw one.

    AgreedException("maintenance", times=sunday_nights)   # the clock's time in these hours is excused
    AgreedException("disaster", claimed=True)             # only where a manager claims it

Nothing of it changes a clock: its verdict, its time and its due instant stay as they were counted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.errors import InvalidValue
from itsm_core.sla.agreements.targets import a_calendar, metric_of, predicates
from itsm_core.sla.spans import Verdict
from itsm_core.values import named, only, texts

_METRICS = 'name them, such as {"resolution"}; leave it out for all'


def _metrics(value: Iterable[str] | str) -> tuple[str, ...]:
    return tuple(metric_of(one) for one in dict.fromkeys(texts(value, "metrics", _METRICS)))


def _times(_: Any, __: Any, value: BusinessCalendar | None) -> None:
    if value is not None and a_calendar(value) == BusinessCalendar.never(value.zone):
        raise InvalidValue("times", value, "never opens, so nothing would be excused", "give it hours")


@attrs.frozen(repr=False)
class AgreedException:
    """What parties agreed to leave out of account: a whole cycle, or the time of some hours.

    It is about records whose fields have the values of `when`, and about `metrics`; empty means all.
    `times` are hours, such as a maintenance window, whose running time is excused. One that is `claimed`
    applies only where a manager claims it (`claim_exception`), for the stretch of time that is claimed.
    Without hours and without a stretch it excuses the whole cycle.
    """

    id: str
    name: str = ""
    when: tuple[tuple[str, tuple[Any, ...]], ...] = attrs.field(
        factory=dict, converter=predicates, kw_only=True
    )
    metrics: tuple[str, ...] = attrs.field(default=(), converter=_metrics, kw_only=True)
    times: BusinessCalendar | None = attrs.field(default=None, validator=_times, kw_only=True)
    claimed: bool = attrs.field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        named(self.id, "exception", 'name it, such as "maintenance"')
        only(str, self.name, "name", 'say it in words, such as "Maintenance on Sundays"')
        only(bool, self.claimed, "claimed", "use True or False")

    def __repr__(self) -> str:
        about = f" of {', '.join(self.metrics)}" if self.metrics else ""
        what = "some hours" if self.times is not None else "whole cycles"
        return f"<exception {self.id}: {what}{about}{', if claimed' if self.claimed else ''}>"

    def is_about(self, metric: str, values: Mapping[str, Any]) -> bool:
        """Whether it speaks of this metric of a record with these fields."""
        if self.metrics and metric not in self.metrics:
            return False
        return all(values.get(name) in among for name, among in self.when)


@attrs.frozen
class Adjusted:
    """What exceptions make of a cycle, beside its raw verdict: the time that is left, and by which ones.

    `excused_us` and `elapsed_us` (microseconds of open time) add up to what the clock counted. A cycle
    that is excused as a whole is void. `by` are the ids of the exceptions, `events` those of their claims.
    """

    verdict: Verdict
    elapsed_us: int
    excused_us: int = attrs.field(kw_only=True)
    by: tuple[str, ...] = attrs.field(kw_only=True)
    events: tuple[str, ...] = attrs.field(default=(), kw_only=True)

    @property
    def elapsed(self) -> dt.timedelta:
        """The open time that counts."""
        return dt.timedelta(microseconds=self.elapsed_us)

    @property
    def excused(self) -> dt.timedelta:
        """The open time that does not."""
        return dt.timedelta(microseconds=self.excused_us)
