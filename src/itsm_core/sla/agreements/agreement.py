"""Agreements: which targets hold for which record, under a name and a version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.durations import Duration, business_days, hours, minutes
from itsm_core.business_time.instants import DAY, micros
from itsm_core.business_time.offsets import instant
from itsm_core.business_time.schedule import EPOCH_DAY
from itsm_core.business_time.windows import printable
from itsm_core.errors import InvalidValue
from itsm_core.events import Phase, WaitsOn
from itsm_core.priority import Priority
from itsm_core.records import Record
from itsm_core.sla.agreements.exceptions import AgreedException
from itsm_core.sla.agreements.targets import KINDS, Kind, Metric, Plan, Target, a_calendar, one_of
from itsm_core.sla.agreements.workload import Load, WorkloadLimit, period_of
from itsm_core.sla.timeline import Timeline
from itsm_core.values import counted, each, named, texts, word

OnPolicyChange = Literal["pin", "reassess_open"]
POLICY_CHANGES: tuple[OnPolicyChange, ...] = get_args(OnPolicyChange)
_FIRST, _LAST = dt.date(10, 1, 1), dt.date(9990, 1, 1)  # calendars do not reach the ends of what a date holds


def _some(value: str | Iterable[str]) -> frozenset[str]:
    return frozenset(texts(value, "covered", 'name ids, such as {"acme"}; leave it out for all'))


def _version(_: Any, __: Any, value: Any) -> None:
    counted(value, "agreement")


def _targets(value: Iterable[Target]) -> tuple[Target, ...]:
    return each(Target, value, "targets", 'give a list: [Target("p1-resolution", "resolution", ...)]')


def _limits(value: Iterable[WorkloadLimit]) -> tuple[WorkloadLimit, ...]:
    remedy = 'give a list: [WorkloadLimit("monthly", 400, per="month")]'
    return each(WorkloadLimit, value, "workload", remedy)


def _exceptions(value: Iterable[AgreedException]) -> tuple[AgreedException, ...]:
    remedy = 'give a list: [AgreedException("maintenance", times=...)]'
    return each(AgreedException, value, "exceptions", remedy)


def _a_party(_: Any, __: Any, value: Any) -> None:
    word(value, "party", 'name the customer, the group or the supplier, such as "network"')


def _a_date(_: Any, field: attrs.Attribute[dt.date | None], value: Any) -> None:
    if value is not None and (not isinstance(value, dt.date) or isinstance(value, dt.datetime)):
        raise InvalidValue(field.name, value, "is no date", "write dt.date(2024, 2, 4)")


@attrs.frozen(repr=False)
class Agreement:
    """What was agreed with a customer: targets under an id and a version that is never reused.

    It covers records opened from `valid_from` up to, not including, `valid_to`, of the
    `customers`, `services` and `processes` named; empty means all. These are dates of one zone
    for the whole agreement: that of the calendar of its first target.

    `kind` and `party` say with whom it is agreed: its targets take them over, and one that says
    another is refused. Left out, they are those of its targets, None where these differ.

    `exceptions` are what was agreed to leave out of account; they give adjusted verdicts beside the raw ones.
    `workload` are the limits up to which it was agreed on. A version with
    `on_policy_change="reassess_open"` also judges the records of earlier versions that were open when
    its `valid_from` began and had never been closed; with "pin" each record keeps the version that it was
    opened under. On a desk, put the new version beside the old ones and, once it has begun, set the
    timers of the open records anew (`ServiceDesk.rearm`).
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
    kind: Kind | None = attrs.field(
        default=None, validator=attrs.validators.optional(one_of(KINDS)), kw_only=True
    )
    party: str | None = attrs.field(default=None, validator=attrs.validators.optional(_a_party), kw_only=True)
    exceptions: tuple[AgreedException, ...] = attrs.field(default=(), converter=_exceptions, kw_only=True)
    workload: tuple[WorkloadLimit, ...] = attrs.field(default=(), converter=_limits, kw_only=True)
    on_policy_change: OnPolicyChange = attrs.field(
        default="pin", validator=one_of(POLICY_CHANGES), kw_only=True
    )
    metrics: tuple[str, ...] = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        named(self.id, "agreement", 'name it, such as "standard"')
        if not self.targets:
            raise InvalidValue("agreement", self.id, "has no targets", "give each target an id of its own")
        _once(self.id, "target", [target.id for target in self.targets])
        _once(self.id, "workload limit", [limit.id for limit in self.workload])
        _once(self.id, "exception", [exception.id for exception in self.exceptions])
        self._check_days()
        side = {name: _side(self, name, silent) for name, silent in (("kind", "customer"), ("party", None))}
        for name, value in side.items():
            object.__setattr__(self, name, value)
        told = {name: value for name, value in side.items() if value is not None}
        stamped = tuple(attrs.evolve(target, agreement=self.label, **told) for target in self.targets)
        object.__setattr__(self, "targets", stamped)
        object.__setattr__(self, "metrics", _in_order(stamped))
        for exception in self.exceptions:
            _measured(exception, self.metrics)

    def _check_days(self) -> None:
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            raise InvalidValue(
                "agreement",
                self.id,
                "ends before it begins",
                "valid_to is the first day on which it no longer holds",
            )
        if self.on_policy_change == "reassess_open" and self.valid_from is None:
            raise InvalidValue(
                "on_policy_change",
                self.on_policy_change,
                f"takes over on a day, and {self.label} does not say on which it begins",
                "give valid_from",
            )

    def __repr__(self) -> str:
        count = len(self.targets)
        return printable(f"<agreement {self.label}: {count} target{'' if count == 1 else 's'}>")

    @property
    def label(self) -> str:
        """Id and version in one word, as clocks name it: `standard@3`."""
        return f"{self.id}@{self.version}"

    @property
    def agreed(self) -> bool:
        """Whether it says with whom and when it was agreed; else reports call it "not agreed"."""
        return self.agreed_with is not None and self.agreed_on is not None

    @property
    def zone(self) -> ZoneInfo:
        """The zone of its dates: that of the calendar of its first target."""
        return self.targets[0].calendar.zone

    @property
    def begins_us(self) -> int | None:
        """The first instant of `valid_from` in its zone, in microseconds UTC; None if it always held."""
        if self.valid_from is None:
            return None
        day = min(max(self.valid_from, _FIRST), _LAST)
        return instant(self.zone, (day.toordinal() - EPOCH_DAY) * DAY)

    def covers(self, record: Record) -> bool:
        """Whether the agreement speaks of this record, opened as it was."""
        return self._means(record) and self._valid(record.opened_at)

    def judges(self, record: Record, timeline: Timeline) -> bool:
        """Whether it covers the record, or takes it over from an earlier version."""
        return self.covers(record) or self.takes_over(record, timeline)

    def takes_over(self, record: Record, timeline: Timeline) -> bool:
        """Whether "reassess_open" brings it a record opened before it began, and not closed by then.

        A record closed by then was settled. It stays with the version it had, even if it was reopened.
        """
        if self.on_policy_change != "reassess_open" or record.opened_at is None:
            return False
        began = self.begins_us
        if began is None or micros(record.opened_at) >= began or not self._means(record):
            return False
        return all(mark.us > began or mark.phase is not Phase.CLOSED for mark in timeline.marks)

    def loads(self, record: Record, timeline: Timeline) -> tuple[Load, ...]:
        """The workload limits that a record counts towards, and in which periods it was opened."""
        if not self.workload or record.opened_at is None:
            return ()
        day = record.opened_at.astimezone(self.zone).date()
        held = timeline.priorities
        priority = held[0][1] if held else record.priority
        limits = (one for one in self.workload if one.covers(record, priority))
        return tuple(Load(self.label, one, period_of(one.per, day)) for one in limits)

    def _means(self, record: Record) -> bool:
        """Whether it is one of the records named, whenever it was opened."""
        return (
            (not self.customers or record.customer in self.customers)
            and (not self.services or record.service in self.services)
            and (not self.processes or record.process in self.processes)
        )

    def _valid(self, opened_at: dt.datetime | None) -> bool:
        """Whether it was in force on the day of the opening, in the zone of the first target."""
        if opened_at is None or (self.valid_from is None and self.valid_to is None):
            return True
        day = opened_at.astimezone(self.zone).date()
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
        agreement that does not judge the record, or has no target for it, has no plan.
        """
        if not self.judges(record, timeline):
            return {}
        found: dict[str, Plan] = {}
        for metric in self.metrics:
            plan: list[tuple[int, Target | None]] = []
            for us, priority in timeline.priorities or ((timeline.until_us, record.priority),):
                target = self._first(metric, priority, record)
                if plan and plan[-1][1] is None and _counts_back(target, plan, us, timeline):
                    plan.pop()
                if not plan or plan[-1][1] is not target:
                    plan.append((us, target))
            if len(plan) > 1 or plan[0][1] is not None:
                found[metric] = tuple(plan)
        return found

    def _first(self, metric: str, priority: Priority | None, record: Record) -> Target | None:
        for target in self.targets:
            if target.metric == metric and target.applies_to(priority, record.values):
                return target
        return None


def opened_under(
    agreements: Sequence[Agreement], record: Record, label: str | None = None
) -> Agreement | None:
    """The agreement of this label, which its opening names; else the first that covers the record."""
    named = None if label is None else next((one for one in agreements if one.label == label), None)
    if named is not None:
        return named
    for one in agreements:
        if one.covers(record):
            return one
    return None


def judged_by(
    agreements: Sequence[Agreement], record: Record, timeline: Timeline, at: dt.datetime, *,
    label: str | None = None,
) -> Agreement | None:  # fmt: skip
    """The agreement that judges a record at an instant: the one it was opened under, or a later version.

    A version with `on_policy_change="reassess_open"` takes a record over as its first day begins, unless the
    record had been closed by then: that one stays with the version it had for good.
    """
    first = opened_under(agreements, record, label)
    return None if first is None else version_at(first, agreements, record, timeline, at)


def version_at(
    held: Agreement, agreements: Sequence[Agreement], record: Record, timeline: Timeline, at: dt.datetime
) -> Agreement:
    """The version of an agreement that judges a record at an instant, which had been opened under `held`."""
    if len(agreements) == 1 or not any(one.on_policy_change == "reassess_open" for one in agreements):
        return held
    until = micros(at)
    later = (
        one
        for one in agreements
        if one.id == held.id
        and one.takes_over(record, timeline)
        and (began := one.begins_us) is not None
        and began <= until
    )
    return max((held, *later), key=lambda one: one.version)


def _measured(exception: AgreedException, metrics: tuple[str, ...]) -> None:
    """Refuses an exception of a metric that no target measures: nobody would notice that it says nothing."""
    for metric in exception.metrics:
        if metric not in metrics:
            reason = f"of exception {exception.id!r} is measured by no target"
            near = get_close_matches(metric, metrics, 1)
            remedy = f"did you mean {near[0]}?" if near else f"use one of {', '.join(metrics)}"
            raise InvalidValue("metric", metric, reason, remedy)


def _once(agreement: str, what: str, ids: list[str]) -> None:
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        reason = f"names {what}s twice: {twice}"
        raise InvalidValue("agreement", agreement, reason, f"give each {what} an id of its own")


def _side(agreement: Agreement, name: str, silent: str | None) -> Any:
    """The kind or party given for all targets, or else the one that they all say; None if they differ."""
    given, said = getattr(agreement, name), [getattr(target, name) for target in agreement.targets]
    if given is None:
        return said[0] if len(set(said)) == 1 else None
    for target, value in zip(agreement.targets, said, strict=True):
        if value not in (silent, given):
            reason = f"is that of target {target.id!r}, and {agreement.label} is agreed with {given!r}"
            remedy = "write an agreement for each side; check_chain holds them together"
            raise InvalidValue(name, value, reason, remedy)
    return given


def _counts_back(target: Target | None, plan: Sequence[Any], us: int, timeline: Timeline) -> bool:
    """Whether a target measures the time before it in which none held: what was closed in it stays void.

    What another target counted before that time is kept by one that carries on, and the gap is not counted.
    """
    if target is None or target.on_retarget == "restart" or (len(plan) > 1 and target.on_retarget == "carry"):
        return False
    since = plan[-1][0]
    return len(plan) == 1 or not any(
        mark.phase is Phase.CLOSED is not before.phase and since <= mark.us <= us
        for before, mark in pairwise(timeline.marks)  # who has a closed record may change, too
    )


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
