"""What a record would be promised, before anybody opens it.

    preview(agreements, {"impact": "high", "urgency": "low"}, at) -> Preview -> which target, due when

The record is opened in thought and its clocks are asked: no second engine counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from itsm_core.actors import Actor
from itsm_core.business_time.instants import in_utc, utc, zone_of
from itsm_core.business_time.windows import printable
from itsm_core.errors import InvalidValue
from itsm_core.events import Event, Phase
from itsm_core.lifecycle.beside import priority_fields
from itsm_core.priority import PriorityMatrix, matrix_3x3_p5
from itsm_core.records import Record
from itsm_core.sla.agreements.agreement import Agreement, opened_under
from itsm_core.sla.clocks.clock import Clock
from itsm_core.sla.clocks.evaluation import clocks_at
from itsm_core.sla.explaining.tables import Table
from itsm_core.sla.explaining.words import WORDS, Words
from itsm_core.sla.spans import ClockState
from itsm_core.sla.tracing import trace
from itsm_core.values import as_fields, each, only, word

_SOMEBODY = Actor.person("somebody")


@attrs.frozen(kw_only=True)
class Foreseen:
    """What one metric would be promised.

    `state` is that of its clock at the opening: `due_us` is None where it is not running, as before the
    event that starts it, or where the calendar never opens for long enough.
    """

    metric: str
    target: str
    promised: str
    calendar: str
    zone: str
    state: ClockState
    due_us: int | None = None

    @property
    def due_at(self) -> dt.datetime | None:
        """When it would be due, in the zone of its calendar."""
        return None if self.due_us is None else utc(self.due_us).astimezone(zone_of(self.zone))


@attrs.frozen(kw_only=True)
class Preview:
    """What a record opened at an instant would be promised; `agreement` is None where none covers it."""

    agreement: str | None
    priority: str | None
    at: dt.datetime
    promises: tuple[Foreseen, ...] = ()

    @property
    def covered(self) -> bool:
        """Whether any agreement speaks of the record."""
        return self.agreement is not None

    def due_at(self, metric: str) -> dt.datetime | None:
        """When a metric would be due; None if it is not promised, or has no instant yet."""
        return next((one.due_at for one in self.promises if one.metric == metric), None)

    def text(self, lang: str = "en") -> str:
        """The promises in English ("en") or Chinese ("zh"), one a line."""
        words = WORDS.get(lang)
        if words is None:
            raise InvalidValue("language", lang, "is not spoken here", f"use one of {sorted(WORDS)}")
        return "\n".join(map(printable, _lines(self, words, _PHRASES[lang])))

    def __str__(self) -> str:
        return self.text()

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "agreement": self.agreement,
            "priority": self.priority,
            "at": self.at.isoformat(),
            "promises": [
                {
                    "metric": one.metric,
                    "target": one.target,
                    "promised": one.promised,
                    "calendar": one.calendar,
                    "zone": one.zone,
                    "state": one.state.value,
                    "due": None if one.due_at is None else one.due_at.isoformat(),
                }
                for one in self.promises
            ],
        }

    def _repr_html_(self) -> str:
        """The promises as a table, for notebooks."""
        head, *_ = _lines(self, WORDS["en"], _PHRASES["en"])
        rows = tuple(
            (one.metric, one.target, one.promised, _due(one, _PHRASES["en"]), one.calendar, one.zone)
            for one in self.promises
        )
        headings = ("metric", "target", "promised", "due", "calendar", "zone")
        return Table(head, headings, rows=rows, words=len(headings)).html()


# --- words ----------------------------------------------------------------------------------------

_PHRASES = {
    "en": {
        "uncovered": "No agreement covers it, so nothing is promised",
        "nothing": "{agreement} covers it and has no target for {priority}, so nothing is promised",
        "head": "{agreement} promises for {priority}, opened {at}",
        "promise": "{metric} within {promised}: {due} ({calendar}, {zone})",
        "due": "due {when}",
        "never_due": "never due, as the calendar does not open for long enough",
        "met": "met by the opening itself",
        "paused": "paused from the opening on",
        "later": "counted from when it starts",
        "void": "falls away at the opening",
        "unranked": "a record without a priority",
        "end": ".",
        "colon": ":",
    },
    "zh": {
        "uncovered": "没有协议适用，因此不作任何承诺",
        "nothing": "{agreement} 适用，但没有针对{priority}的目标，因此不作任何承诺",
        "head": "{agreement} 对{priority}的承诺，开单于 {at}",
        "promise": "{metric}时限{promised}：{due}（{calendar}，{zone}）",
        "due": "到期 {when}",
        "never_due": "永不到期，因为日历开放时间不足",
        "met": "开单时即已达标",
        "paused": "开单时即暂停",
        "later": "自开始时起计",
        "void": "开单时即作废",
        "unranked": "未定优先级的记录",
        "end": "。",
        "colon": "：",
    },
}


def _lines(told: Preview, words: Words, phrases: Mapping[str, str]) -> Iterator[str]:
    if told.agreement is None:
        yield phrases["uncovered"] + phrases["end"]
        return
    priority = told.priority or phrases["unranked"]
    key, end = ("head", "colon") if told.promises else ("nothing", "end")
    at = _minute(told.at)
    yield phrases[key].format(agreement=told.agreement, priority=priority, at=at) + phrases[end]
    for one in told.promises:
        yield phrases["promise"].format(
            metric=words.of(one.metric),
            promised=words.duration(one.promised),
            due=_due(one, phrases),
            calendar=one.calendar,
            zone=one.zone,
        )


def _due(told: Foreseen, phrases: Mapping[str, str]) -> str:
    """When it is due, or why nobody can say."""
    if told.state is not ClockState.RUNNING:
        return phrases[_WITHOUT[told.state]]
    return phrases["never_due"] if told.due_at is None else phrases["due"].format(when=_minute(told.due_at))


_WITHOUT = {
    ClockState.NOT_STARTED: "later",
    ClockState.PAUSED: "paused",
    ClockState.STOPPED: "met",
    ClockState.VOID: "void",
}


def _minute(at: dt.datetime) -> str:
    """A local time to the minute, or as fine as it is."""
    fine = "auto" if at.second or at.microsecond else "minutes"
    return at.replace(tzinfo=None).isoformat(" ", fine) + at.strftime(" %z")


# --- the question ---------------------------------------------------------------------------------


def preview(
    agreements: Agreement | Iterable[Agreement],
    asked: Record | Mapping[str, Any],
    at: dt.datetime,
    *,
    process: str = "incident",
    matrix: PriorityMatrix = matrix_3x3_p5,
    actor: Actor = _SOMEBODY,
) -> Preview:
    """What a record opened at an instant would be promised by the first agreement that covers it.

    `asked` is a record, such as `INCIDENT.record("draft", priority="P2")`, or the fields with which one of
    this `process` would be opened: the priority follows from impact and urgency by the matrix. `actor` is
    who opens it, a person unless told otherwise: monitoring is answered by acknowledgement alone.
    """
    remedy = "make one: default_agreement(calendar)"
    parts = (
        (agreements,)
        if isinstance(agreements, Agreement)
        else each(Agreement, agreements, "agreements", remedy)
    )
    when = in_utc(at)
    only(Actor, actor, "actor", 'name who opens it: Actor.person("bob")')
    record = attrs.evolve(_record(asked, process, matrix), opened_at=when)
    agreement = opened_under(parts, record)
    priority = None if record.priority is None else record.priority.value
    if agreement is None:
        return Preview(agreement=None, priority=priority, at=when)
    clocks = clocks_at(record, trace([_opening(record, when, actor)]), agreement, when)
    return Preview(
        agreement=agreement.label,
        priority=priority,
        at=when.astimezone(agreement.targets[0].calendar.zone),
        promises=tuple(_foreseen(clock) for clock in clocks.values()),
    )


def _record(asked: Record | Mapping[str, Any], process: str, matrix: PriorityMatrix) -> Record:
    if isinstance(asked, Record):
        return asked
    if not isinstance(asked, Mapping):
        remedy = 'give a record, or its fields: {"impact": "high", "urgency": "low"}'
        raise InvalidValue("asked", asked, "is neither a record nor fields", remedy)
    only(PriorityMatrix, matrix, "matrix", "take matrix_3x3_p5 or matrix_3x3_p4")
    name = word(process, "process", 'name it, such as "incident"')
    draft = Record("draft", name, lifecycle=name, lifecycle_version=1, state="new", phase=Phase.NEW)
    return attrs.evolve(draft, values=as_fields(priority_fields(dict(asked), matrix)))


def _opening(record: Record, at: dt.datetime, actor: Actor) -> Event:
    """The event that would open it, with what clocks look at."""
    values = record.values
    told = {name: values[name] for name in ("priority", "group", "assignee") if values.get(name) is not None}
    if record.waits_on is not None:
        told["waits_on"] = record.waits_on.value
    return Event(
        id="opening",
        record=record.id,
        seq=1,
        kind="opened",
        actor=actor,
        channel=record.channel,
        to_state=record.state,
        occurred_at=at,
        recorded_at=at,
        fields={**told, "phase": record.phase.value},
    )


def _foreseen(clock: Clock) -> Foreseen:
    target, told = clock.target, clock.explain()
    return Foreseen(
        metric=str(target.metric),
        target=target.id,
        promised=told.promised,
        calendar=told.calendar,
        zone=told.zone,
        state=clock.state,
        due_us=clock.due_us if clock.state is ClockState.RUNNING else None,
    )
