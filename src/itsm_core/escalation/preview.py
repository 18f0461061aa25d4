"""Who is told what, when and why, and who is skipped, before anything has happened.

    preview(policy, record, clocks, start, horizon, resolver) -> Preview -> text, table, picture

The engine itself is asked, at each instant at which it would wake: no second engine foresees.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import attrs

from itsm_core.actors import Actor
from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.instants import in_utc, later, micros, zone_of
from itsm_core.business_time.windows import printable
from itsm_core.commands import Command
from itsm_core.errors import InvalidValue
from itsm_core.escalation.answering import Resolver, as_named, shifts_of
from itsm_core.escalation.effects import Change, ClocksRead, Effect, Inform, Move, NotFired
from itsm_core.escalation.engine import advance, next_due
from itsm_core.escalation.policies import EscalationPolicy
from itsm_core.escalation.runs import Run
from itsm_core.escalation.steps import StepKind
from itsm_core.escalation.words import HEADINGS, NOTES, SKIPPED, because_of, who_or_what
from itsm_core.events import Event
from itsm_core.lifecycle import Lifecycle, Refused, decide
from itsm_core.lifecycle.beside import GRADES, priority_fields
from itsm_core.priority import Priority, PriorityMatrix, matrix_3x3_p5
from itsm_core.processes import INCIDENT
from itsm_core.records import Procedure, Record, apply, fold
from itsm_core.responders import ASKED
from itsm_core.sla import Agreement, Clock, clocks_at, trace
from itsm_core.sla.explaining.tables import Table
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
class Note:
    """What a preview cannot show, and of which step.

    From `at` on it depends: the step raises the priority, and another policy may take over ("switch"); or it
    changes it, and the clocks shown are those of the old one ("clocks"). Or nobody is told if none of the
    `names` answers ("silent"). Or the policy does not cover the priority ("uncovered"), and `step` is "".
    """

    why: Literal["switch", "clocks", "silent", "uncovered"]
    step: str
    at: dt.datetime | None = None
    names: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Preview:
    """What a policy would do with a record that nobody touches, from `start` up to `end`.

    `notes` say what it cannot show.
    """

    policy: str
    priority: str | None
    start: dt.datetime
    end: dt.datetime
    zone: str
    rows: tuple[Row, ...]
    notes: tuple[Note, ...] = ()

    def table(self, lang: str = "en") -> Table:
        """The rows as a table in English ("en") or Chinese ("zh")."""
        headings = _spoken(lang)
        caption = f"{self.policy}: {self.priority or '-'}, {self._local(self.start)} {self.zone}"
        rows = tuple(tuple(map(printable, self._cells(row, lang))) for row in self.rows)
        return Table(printable(caption), headings, rows=rows, notes=self.said(lang), words=len(headings))

    def said(self, lang: str = "en") -> tuple[str, ...]:
        """The notes in words."""
        return tuple(
            NOTES[lang, note.why].format(
                step=note.step,
                names=", ".join(note.names),
                policy=self.policy,
                priority=self.priority or "-",
                at="" if note.at is None else self._local(note.at),
            )
            for note in self.notes
        )

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
            "notes": [
                {
                    "why": note.why,
                    "step": note.step,
                    "at": None if note.at is None else note.at.isoformat(),
                    "names": list(note.names),
                }
                for note in self.notes
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
    matrix: PriorityMatrix = matrix_3x3_p5,
    lang: str = "en",
) -> Preview:
    """Everything the policy would do from `start` on, up to so much wall time later, if nobody did anything.

    `clocks` tells those of the record at an instant, such as `lambda at: clocks_at(record, timeline,
    agreement, at)`; `calendar` and `matrix` are the desk's. What steps change of the record counts from then
    on; the clocks of a new priority are not known here, and a note says so. What a major incident owes, an
    update, its report and its review, is due as its record says; `update_due_at` says otherwise of the first.
    """
    _spoken(lang)
    ahead = _Ahead(policy, record, resolver, matrix, calendar, update_due_at)
    return ahead.looked(lambda at, _, __: clocks(at), start, horizon, lang, follows=False)


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
    matrix: PriorityMatrix = matrix_3x3_p5,
    procedure: Procedure | None = None,
    lang: str = "en",
) -> Preview:
    """The preview of a record that somebody opens at `start` with these fields, judged by an agreement.

    With a `procedure` it is a major incident from `start` on: what waits for its next update has its turn.

    `fields` are those of an opening, such as `{"impact": "high", "urgency": "low"}`; a priority given
    stands without them. When a step sets another priority, the clocks are those of that from then on. A
    policy that does not cover the priority tells nobody, and a note says so.
    """
    at = in_utc(start, "start")
    given = {"record": "preview", "title": "preview", **fields}
    if "priority" in given:
        given.setdefault("priority_reason", "preview")
    decided = decide(None, Command("open", _SOMEBODY, at=at, fields=given), lifecycle, matrix=matrix)
    if isinstance(decided, Refused):
        told = "; ".join(reason.message for reason in decided.reasons)
        raise InvalidValue("fields", sorted(fields), f"open no record: {told}", "give those of an opening")

    def clocks(now: dt.datetime, record: Record, made: tuple[Event, ...]) -> Mapping[str, Clock]:
        if agreement is None:
            return {}
        return clocks_at(record, trace((*decided.events, *made)), agreement, now)

    record = fold(decided.events)
    every = None if procedure is None else procedure.every(record.priority)
    update = None if every is None else later(at, dt.timedelta(microseconds=every))
    _spoken(lang)
    ahead = _Ahead(policy, record, resolver, matrix, calendar, update)
    if not policy.covers(record):
        return ahead.shown(at, _end(at, horizon), (), [Note(why="uncovered", step="")])
    return ahead.looked(clocks, at, horizon, lang, follows=True)


def _end(start: dt.datetime, horizon: dt.timedelta) -> dt.datetime:
    return later(start, only(dt.timedelta, horizon, "horizon", "say how far to look: timedelta(hours=8)"))


_SOMEBODY = Actor.person("somebody")

Clocks = Callable[[dt.datetime, Record, tuple[Event, ...]], Mapping[str, Clock]]
"""The clocks at an instant of a record as the steps left it, and the events that they made."""


class _Ahead:
    """A record as the steps of its policy leave it, and what they made of it."""

    def __init__(
        self,
        policy: EscalationPolicy,
        record: Record,
        resolver: Resolver,
        matrix: PriorityMatrix,
        calendar: BusinessCalendar | None,
        update_due_at: dt.datetime | None,
    ) -> None:
        only(EscalationPolicy, policy, "policy", "make one: EscalationPolicy(id, version, steps=[...])")
        self.run, self.resolver, self.matrix = Run.of(record, policy), resolver, matrix
        self.calendar, self.update_due_at = calendar, update_due_at
        self.made: tuple[Event, ...] = ()
        self.notes: dict[str, Note] = {}

    def looked(
        self, clocks: Clocks, start: dt.datetime, horizon: dt.timedelta, lang: str, *, follows: bool
    ) -> Preview:
        """What happens from `start` on; the clocks go by the events that the steps make, if one `follows`."""
        now, rows = in_utc(start, "start"), list[Row]()
        priority, end = self.run.record.priority, _end(now, horizon)
        wake: dt.datetime | None = now
        while wake is not None and wake <= end:
            now = max(now, wake)
            self.run, effects = advance(self.run, now, self._read(clocks, now), self.resolver)
            rows += [_row(effect, lang) for effect in effects]
            was = self.run.record
            self._change(effects)
            read = self._read(clocks, now)
            self._note(was, effects, clocks=bool(read.clocks) and not follows)
            wake = next_due(self.run, read)
            if wake is not None and wake <= now and not effects:
                break
        notes = (*self.notes.values(), *_silent(self.run.policy, {row.step for row in rows}))
        return attrs.evolve(self.shown(start, end, rows, notes), priority=_said(priority))

    def shown(
        self, start: dt.datetime, end: dt.datetime, rows: Sequence[Row], notes: Sequence[Note]
    ) -> Preview:
        """These rows and notes, under the name of the policy and the priority that the record has now."""
        policy = self.run.policy
        known = policy.calendar or self.calendar
        return Preview(
            policy=policy.label,
            priority=_said(self.run.record.priority),
            start=in_utc(start),
            end=end,
            zone="UTC" if known is None else known.zone.key,
            rows=tuple(rows),
            notes=tuple(notes),
        )

    def _change(self, effects: tuple[Effect, ...]) -> None:
        """The record as the steps leave it, which may set off others."""
        for effect in effects:
            record = self.run.record
            if isinstance(effect, Change) and record.values.get(effect.field) != effect.value:
                said = {effect.field: effect.value}
                if effect.field in GRADES:
                    said = priority_fields({**said, "priority_reason": "preview"}, self.matrix, record)
                self._after("reprioritised" if effect.field in GRADES else "amended", effect, said)
            elif isinstance(effect, Move) and (given := effect.given(record)):
                self._after("assigned", effect, given)

    def _after(self, kind: str, effect: Effect, said: dict[str, Any]) -> None:
        run, at = self.run, effect.fired_at
        before = attrs.evolve(run.record, escalation=run.escalation)
        event = Event(
            id=effect.key, record=before.id, seq=before.version + 1, kind=kind, occurred_at=at,
            recorded_at=at, actor=_SOMEBODY, fields=said,
        )  # fmt: skip
        record = apply(before, event)
        self.made = (*self.made, event)
        self.run = attrs.evolve(run, record=record, escalation=record.escalation)

    def _note(self, was: Record, effects: tuple[Effect, ...], clocks: bool) -> None:
        """Says, once each, that it depends from here on, where a step has changed the priority."""
        is_now = self.run.record.priority
        setting = [one.step for one in effects if isinstance(one, Change) and one.step.grades]
        if is_now is was.priority or not setting:
            return
        at, policy = effects[-1].fired_at, self.run.policy
        rose = is_now is not None and (was.priority is None or is_now < was.priority)
        if rose and policy.on_priority_change == "switch":
            self.notes.setdefault("switch", Note(why="switch", step=setting[-1].id, at=at))
        if clocks and any(step.share is not None for step in policy.steps):
            self.notes.setdefault("clocks", Note(why="clocks", step=setting[-1].id, at=at))

    def _read(self, clocks: Clocks, now: dt.datetime) -> ClocksRead:
        record, shifts = self.run.record, shifts_of(self.resolver)
        read = ClocksRead.of(record, clocks(now, record, self.made), self.calendar, now, shifts)
        return read if self.update_due_at is None else attrs.evolve(read, update_due_at=self.update_due_at)


def _spoken(lang: str) -> tuple[str, ...]:
    """The headings of a language; others are refused before anything is looked at."""
    if lang not in HEADINGS:
        raise InvalidValue("language", lang, "is not spoken here", f"use one of {sorted(HEADINGS)}")
    return HEADINGS[lang]


def _said(priority: Priority | None) -> str | None:
    return None if priority is None else priority.value


def _row(effect: Effect, lang: str) -> Row:
    step = effect.step
    return Row(
        at=effect.fired_at,
        step="-" if step is None else step.id,
        kind=StepKind.HIERARCHIC if step is None else step.kind,
        who=who_or_what(effect, lang),
        channel=step.channel if isinstance(effect, Inform) and step is not None else "-",
        why=because_of(effect, lang),
        skipped=effect.why if isinstance(effect, NotFired) else None,
        key=effect.key,
    )


def _silent(policy: EscalationPolicy, shown: set[str]) -> list[Note]:
    """A note for each step that tells nobody if none of its names answers."""
    if policy.last_resort is not None:
        return []
    steps = (step for chain in policy.chains if not chain.reaches_surely for step in chain.steps)
    asking = (step for step in steps if step.to and all(name.startswith(ASKED) for name in step.names))
    return [Note(why="silent", step=step.id, names=step.names) for step in asking if step.id in shown]
