"""Who is told what, when and why, and who is skipped, before anything has happened.

    preview(policy, record, clocks, start, horizon, resolver) -> Preview -> text, table, picture

The engine itself is asked, at each instant at which it would wake: no second engine foresees.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from itsm_core.actors import Actor
from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.instants import in_utc, later, micros, zone_of
from itsm_core.business_time.windows import printable
from itsm_core.commands import Command
from itsm_core.errors import InvalidValue
from itsm_core.escalation.answering import Resolver, as_named
from itsm_core.escalation.effects import (
    Change,
    ClocksRead,
    DeclareMajor,
    Effect,
    Inform,
    Move,
    NotFired,
    Steered,
)
from itsm_core.escalation.engine import advance, next_due
from itsm_core.escalation.policies import EscalationPolicy
from itsm_core.escalation.runs import Run
from itsm_core.escalation.steps import EscalationStep, StepKind
from itsm_core.escalation.words import HEADINGS, SKIPPED, because_of, deed
from itsm_core.events import Event
from itsm_core.lifecycle import Lifecycle, Refused, decide
from itsm_core.processes import INCIDENT
from itsm_core.records import Record, apply, fold
from itsm_core.sla import Agreement, Clock, clocks_at, trace
from itsm_core.sla.tables import Table
from itsm_core.values import only

ClocksAt = Callable[[dt.datetime], Mapping[str, Clock]]
"""The clocks of a record at an instant, if nothing happens until then."""


@attrs.frozen(kw_only=True)
class Row:
    """One line of what is to come: when, which step, who or what, how, why, or why not (`skipped`)."""

    at: dt.datetime
    step: str
    kind: StepKind
    who: str
    channel: str
    why: str
    skipped: str | None = None
    key: str


@attrs.frozen(kw_only=True)
class Preview:
    """What a policy would do with a record that nobody touches, from `start` up to `end`."""

    policy: str
    priority: str | None
    start: dt.datetime
    end: dt.datetime
    zone: str
    rows: tuple[Row, ...]

    def table(self, lang: str = "en") -> Table:
        """The rows as a table in English ("en") or Chinese ("zh")."""
        headings = HEADINGS.get(lang)
        if headings is None:
            raise InvalidValue("language", lang, "is not spoken here", f"use one of {sorted(HEADINGS)}")
        caption = f"{self.policy}: {self.priority or '-'}, {self._local(self.start)} {self.zone}"
        rows = tuple(tuple(map(printable, self._cells(row, lang))) for row in self.rows)
        return Table(printable(caption), headings, rows=rows, words=len(headings))

    def text(self, lang: str = "en") -> str:
        """The same as aligned text."""
        return self.table(lang).text()

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        """The same as an HTML table, for notebooks."""
        return self.table().html()

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values, instants in UTC."""
        return {
            "policy": self.policy,
            "priority": self.priority,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "rows": [
                {**attrs.asdict(row), "at": row.at.isoformat(), "kind": row.kind.value} for row in self.rows
            ],
        }

    def _local(self, at: dt.datetime) -> str:
        fine = "auto" if at.second or at.microsecond else "minutes"
        return at.astimezone(zone_of(self.zone)).replace(tzinfo=None).isoformat(" ", fine)

    def _cells(self, row: Row, lang: str) -> Iterator[str]:
        passed = micros(row.at) - micros(self.start)
        yield f"+{passed // 3_600_000_000}:{passed // 60_000_000 % 60:02}"
        yield self._local(row.at)
        yield row.step
        yield row.who
        yield row.channel
        yield row.why if row.skipped is None else f"{SKIPPED[lang, row.skipped]} ({row.why})"


def preview(
    policy: EscalationPolicy,
    record: Record,
    clocks: ClocksAt,
    start: dt.datetime,
    horizon: dt.timedelta,
    resolver: Resolver = as_named,
    *,
    calendar: BusinessCalendar | None = None,
    update_due_at: dt.datetime | None = None,
    lang: str = "en",
) -> Preview:
    """Everything the policy would do from `start` on, up to so much wall time later, if nobody did anything.

    `clocks` tells those of the record at an instant, such as `lambda at: clocks_at(record, timeline,
    agreement, at)`; `calendar` is the desk's. What steps change of the record counts from then on.
    """
    only(EscalationPolicy, policy, "policy", "make one: EscalationPolicy(id, version, steps=[...])")
    now = in_utc(start, "start")
    end = later(now, only(dt.timedelta, horizon, "horizon", "say how far to look: timedelta(hours=8)"))
    known = policy.calendar or calendar
    run, rows = Run.of(record, policy), []
    wake: dt.datetime | None = now
    while wake is not None and wake <= end:
        now = max(now, wake)
        event = ClocksRead(clocks=clocks(now), calendar=calendar, update_due_at=update_due_at)
        run, effects = advance(run, now, event, resolver)
        rows += [_row(effect, lang) for effect in effects]
        run = _changed(run, effects)
        wake = next_due(run, event)
    priority = None if record.priority is None else record.priority.value
    return Preview(
        policy=policy.label,
        priority=priority,
        start=in_utc(start),
        end=end,
        zone="UTC" if known is None else known.zone.key,
        rows=tuple(rows),
    )


def foresee(
    policy: EscalationPolicy,
    agreement: Agreement | None,
    fields: Mapping[str, Any],
    start: dt.datetime,
    horizon: dt.timedelta,
    resolver: Resolver = as_named,
    *,
    calendar: BusinessCalendar | None = None,
    lifecycle: Lifecycle = INCIDENT,
    lang: str = "en",
) -> Preview:
    """The preview of a record that somebody opens at `start` with these fields, judged by an agreement.

    `fields` are those of an opening, such as `{"impact": "high", "urgency": "low"}`; a priority given
    stands without them.
    """
    at = in_utc(start, "start")
    given = {"record": "preview", "title": "preview", **fields}
    if "priority" in given:
        given.setdefault("priority_reason", "preview")
    decided = decide(None, Command("open", _SOMEBODY, at=at, fields=given), lifecycle)
    if isinstance(decided, Refused):
        told = "; ".join(reason.message for reason in decided.reasons)
        raise InvalidValue("fields", sorted(fields), f"open no record: {told}", "give those of an opening")
    record, timeline = fold(decided.events), trace(decided.events)

    def clocks(now: dt.datetime) -> Mapping[str, Clock]:
        return {} if agreement is None else clocks_at(record, timeline, agreement, now)

    return preview(policy, record, clocks, at, horizon, resolver, calendar=calendar, lang=lang)


_SOMEBODY = Actor.person("somebody")


def _row(effect: Effect, lang: str) -> Row:
    step = effect.step
    return Row(
        at=effect.fired_at,
        step="-" if step is None else step.id,
        kind=StepKind.HIERARCHIC if step is None else step.kind,
        who=_who(effect, lang),
        channel=step.channel if isinstance(effect, Inform) and step is not None else "-",
        why=because_of(effect, lang),
        skipped=effect.why if isinstance(effect, NotFired) else None,
        key=effect.key,
    )


def _who(effect: Effect, lang: str) -> str:
    """Who is told or gets the work, or what is done instead."""
    if isinstance(effect, Inform):
        return effect.to
    if isinstance(effect, Move):
        return deed("move", lang, _work(effect.assignee, effect.group))
    if isinstance(effect, Change):
        return deed("change", lang, f"{effect.field} = {effect.value}")
    if isinstance(effect, DeclareMajor):
        return deed("major", lang, "")
    if isinstance(effect, Steered):
        return deed("went", lang, effect.went)
    if isinstance(effect, NotFired) and effect.step is not None:
        return effect.to or _meant(effect.step, lang)
    return "-"


def _work(assignee: str | None, group: str | None) -> str:
    """To whom work goes: "ana", "network", "ana (network)"."""
    return f"{assignee} ({group})" if assignee and group else assignee or group or ""


def _meant(step: EscalationStep, lang: str) -> str:
    """Who a step would have told, or what it would have done."""
    if step.branches or step.repeat is not None:
        ways = [step.repeat.to] if step.repeat is not None else [branch.to for branch in step.branches]
        return deed("went", lang, ", ".join(dict.fromkeys(ways)))
    if step.kind is StepKind.FUNCTIONAL:
        return deed("move", lang, _work(step.assignee, step.group))
    if step.kind is StepKind.CHANGE:
        return deed("change", lang, ", ".join(f"{name} = {value}" for name, value in step.sets.items()))
    return deed("major", lang, "") if step.kind is StepKind.MAJOR else ", ".join(step.to)


def _changed(run: Run, effects: tuple[Effect, ...]) -> Run:
    """The run on the record as the steps leave it, which may set off others."""
    for effect in effects:
        if isinstance(effect, Change):
            kind, said = (
                "reprioritised" if effect.field == "priority" else "amended",
                {effect.field: effect.value},
            )
        elif isinstance(effect, Move) and (given := effect.given(run.record)):
            kind, said = "assigned", given
        else:
            continue
        run = _after(run, kind, effect, said)
    return run


def _after(run: Run, kind: str, effect: Effect, said: dict[str, Any]) -> Run:
    """The run after an event of its own making."""
    at, before = effect.fired_at, attrs.evolve(run.record, escalation=run.escalation)
    event = Event(
        id=effect.key, record=before.id, seq=before.version + 1, kind=kind, occurred_at=at, recorded_at=at,
        actor=_SOMEBODY, fields=said,
    )  # fmt: skip
    record = apply(before, event)
    return attrs.evolve(run, record=record, escalation=record.escalation)
