"""Agreements: which targets hold for which record, under a name and a version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from typing import Any

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.durations import Duration, business_days, hours, minutes
from itsm_core.errors import InvalidValue
from itsm_core.events import WaitsOn
from itsm_core.priority import Priority
from itsm_core.records import Record
from itsm_core.sla.targets import Metric, Plan, Target, a_calendar
from itsm_core.sla.timeline import Timeline
from itsm_core.values import counted, each, named, texts


def _some(value: str | Iterable[str]) -> frozenset[str]:
    return frozenset(texts(value, "covered", 'name ids, such as {"acme"}; leave it out for all'))


def _version(_: Any, __: Any, value: Any) -> None:
    counted(value, "agreement")


def _targets(value: Iterable[Target]) -> tuple[Target, ...]:
    return each(Target, value, "targets", 'give a list: [Target("p1-resolution", "resolution", ...)]')


def _a_date(_: Any, field: attrs.Attribute[dt.date | None], value: Any) -> None:
    if value is not None and (not isinstance(value, dt.date) or isinstance(value, dt.datetime)):
        raise InvalidValue(field.name, value, "is no date", "write dt.date(2024, 2, 4)")


@attrs.frozen(repr=False)
class Agreement:
    """What was agreed with a customer: targets under an id and a version that is never reused.

    It covers records opened from `valid_from` up to, not including, `valid_to`, of the
    `customers`, `services` and `processes` named; empty means all. These are dates of one zone
    for the whole agreement: that of the calendar of its first target.
    """

    id: str
    version: int = attrs.field(validator=_version)
    targets: tuple[Target, ...] = attrs.field(converter=_targets, kw_only=True)
    name: str = attrs.field(default="", kw_only=True)
    customers: frozenset[str] = attrs.field(default=frozenset(), converter=_some, kw_only=True)
    services: frozenset[str] = attrs.field(default=frozenset(), converter=_some, kw_only=True)
    processes: frozenset[str] = attrs.field(default=frozenset(), converter=_some, kw_only=True)
    valid_from: dt.date | None = attrs.field(default=None, validator=_a_date, kw_only=True)
    valid_to: dt.date | None = attrs.field(default=None, validator=_a_date, kw_only=True)
    agreed_with: str | None = attrs.field(default=None, kw_only=True)
    agreed_on: dt.date | None = attrs.field(default=None, validator=_a_date, kw_only=True)
    metrics: tuple[str, ...] = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        named(self.id, "agreement", 'name it, such as "standard"')
        ids = [target.id for target in self.targets]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if not ids or twice:
            raise InvalidValue(
                "agreement",
                self.id,
                f"names targets twice: {twice}" if twice else "has no targets",
                "give each target an id of its own",
            )
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            raise InvalidValue(
                "agreement",
                self.id,
                "ends before it begins",
                "valid_to is the first day on which it no longer holds",
            )
        stamped = tuple(attrs.evolve(target, agreement=self.label) for target in self.targets)
        object.__setattr__(self, "targets", stamped)
        object.__setattr__(self, "metrics", _in_order(stamped))

    def __repr__(self) -> str:
        count = len(self.targets)
        return f"<agreement {self.label}: {count} target{'' if count == 1 else 's'}>"

    @property
    def label(self) -> str:
        """Id and version in one word, as clocks name it: `standard@3`."""
        return f"{self.id}@{self.version}"

    def covers(self, record: Record) -> bool:
        """Whether the agreement speaks of this record at all."""
        named = (
            (self.customers, record.customer),
            (self.services, record.service),
            (self.processes, record.process),
        )
        return all(not among or value in among for among, value in named) and self._valid(record.opened_at)

    def _valid(self, opened_at: dt.datetime | None) -> bool:
        """Whether it was in force on the day of the opening, in the zone of the first target."""
        if opened_at is None or (self.valid_from is None and self.valid_to is None):
            return True
        day = opened_at.astimezone(self.targets[0].calendar.zone).date()
        begun = self.valid_from is None or self.valid_from <= day
        return begun and (self.valid_to is None or day < self.valid_to)

    def targets_for(self, record: Record) -> tuple[Target, ...]:
        """The target of each metric for the record as it is, response first: the first one that fits."""
        if not self.covers(record):
            return ()
        fitting = (self._first(metric, record.priority, record) for metric in self.metrics)
        return tuple(target for target in fitting if target is not None)

    def plans_for(self, record: Record, timeline: Timeline) -> dict[str, Plan]:
        """By metric, which target held from when on, as the priority changed; of fields the newest count.

        None stands for a priority without a target. Metrics that wait for another one come after it. An
        agreement that does not cover the record, or has no target for it, has no plan.
        """
        if not self.covers(record):
            return {}
        found: dict[str, Plan] = {}
        for metric in self.metrics:
            plan: list[tuple[int, Target | None]] = []
            for us, priority in timeline.priorities or ((timeline.until_us, record.priority),):
                target = self._first(metric, priority, record)
                if plan and plan[-1][1] is None and len(plan) == 1 and _counts_back(target):
                    plan.clear()
                if not plan or plan[-1][1] is not target:
                    plan.append((us, target))
            if any(target is not None for _, target in plan):
                found[metric] = tuple(plan)
        return found

    def _first(self, metric: str, priority: Priority | None, record: Record) -> Target | None:
        fitting = (t for t in self.targets if t.metric == metric and t.applies_to(priority, record.values))
        return next(fitting, None)


def _counts_back(target: Target | None) -> bool:
    """Whether a target measures what came before it, too."""
    return target is not None and target.on_retarget != "restart"


def _in_order(targets: tuple[Target, ...]) -> tuple[str, ...]:
    """The metrics, the known ones first, and each one after the metric that it waits for."""
    waits: dict[str, set[str]] = {t.metric: set() for t in targets}
    for target in targets:
        if target.after in waits:
            waits[target.metric].add(str(target.after))
    known = [*(one for one in Metric if one in waits), *(one for one in waits if one not in set(Metric))]
    try:
        ranked = [*TopologicalSorter({one: waits[one] for one in known}).static_order()]
    except CycleError as cycle:
        raise InvalidValue("after", cycle.args[1], "wait for one another", "let one of them start") from None
    waiting = [one for one in ranked if waits[one]]
    return tuple(str(one) for one in [*(one for one in known if not waits[one]), *waiting])


def default_agreement(calendar: BusinessCalendar) -> Agreement:
    """Targets for P1 to P5 as they are customary in the field; a convention to start from.

    ISO/IEC 20000-1 sets no figures: agree on yours (8.3.3). P1 and P2 are counted around the
    clock in the calendar's zone, the others in its hours. Only waiting for the requester pauses
    a resolution.
    """
    a_calendar(calendar)
    around = BusinessCalendar.always(calendar.zone, name="around the clock")
    rows: tuple[tuple[Priority, BusinessCalendar, Duration, Duration], ...] = (
        (Priority.P1, around, minutes(15), hours(4)),
        (Priority.P2, around, minutes(30), hours(8)),
        (Priority.P3, calendar, hours(4), business_days(3)),
        (Priority.P4, calendar, business_days(1), business_days(5)),
        (Priority.P5, calendar, business_days(2), business_days(10)),
    )
    targets = [
        target
        for priority, when, response, resolution in rows
        for target in (
            Target(
                f"{priority.lower()}-response",
                Metric.RESPONSE,
                duration=response,
                calendar=when,
                priorities={priority},
            ),
            Target(
                f"{priority.lower()}-resolution",
                Metric.RESOLUTION,
                duration=resolution,
                calendar=when,
                priorities={priority},
                pauses_on={WaitsOn.REQUESTER},
            ),
        )
    ]
    name = "Customary targets (a convention, not the standard's)"
    return Agreement("default", 1, targets=targets, name=name)
