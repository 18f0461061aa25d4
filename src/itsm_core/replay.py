"""A real ticket history under a lifecycle and an agreement: what fits, what was kept.

    log -> histories -> replayed(...) -> one `Replayed` for each record
                        replay(...)   -> one `Replay`, the counts over all

The history is taken as it is (the lenient door of `importers`): what does not fit is counted.
Clocks are read at the last instant of the log.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.errors import BeyondHorizon, InvalidInput, InvalidValue, NeverOpens
from itsm_core.events import Event, Phase
from itsm_core.importers.log import Source, TicketHistory, TicketLog, open_log
from itsm_core.importers.maps import Map
from itsm_core.importers.rows import Progress, Row
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.priority import PRESETS, Priority
from itsm_core.processes import PROCESSES
from itsm_core.records import Record, fold
from itsm_core.sla import Agreement, Clock, Verdict, clocks_at, default_agreement, trace
from itsm_core.values import only

HOURS = "mon-fri 09:00-17:00"
"""The hours of the default agreement, in the zone of the log."""

COUNTED = ("met", "breached", "running", "void", "unknown")
"""What is counted of each target; `breached` holds what was voided after its breach too."""

_AS_COUNTED = {verdict: str(verdict) for verdict in Verdict} | {Verdict.VOID_AFTER_BREACH: "breached"}

Move = tuple[str, str]


@attrs.frozen
class Replayed:
    """One record of a log: what it became, its events with findings, and its clocks."""

    record: Record
    told: TicketHistory = attrs.field(repr=False)
    clocks: tuple[Clock, ...] = attrs.field(kw_only=True, repr=False)
    moves_outside: tuple[Move, ...] = attrs.field(default=(), kw_only=True)

    @property
    def fits(self) -> bool:
        """Whether the lifecycle allows every move; a start is no move."""
        return not self.moves_outside


def moves(history: Iterable[Event]) -> tuple[Move, ...]:
    """The moves from state to state; another reason of the same hold is none."""
    return tuple(
        (event.from_state, event.to_state)
        for event in history
        if event.kind == "transitioned" and event.from_state and event.to_state
        if event.from_state != event.to_state
    )


def replayed(
    log: TicketLog, *, lifecycle: Lifecycle | str = "incident", agreement: Agreement | None = None,
) -> Iterator[Replayed]:  # fmt: skip
    """Each record of a log under a lifecycle and an agreement, one by one.

    A log can be replayed again and again: `log = open_log(...)`, then one pass for each agreement.
    """
    judged = _judged(agreement, log)
    cycle, at = lifecycle_of(lifecycle), log.last
    for told in log.histories(cycle):
        outside = tuple(move for move in moves(told.history) if move not in cycle.edges)
        record = fold(told.history)
        found = _clocks(record, told, judged, at, log)
        yield Replayed(record, told, clocks=found, moves_outside=outside)


def _clocks(
    record: Record, told: TicketHistory, agreement: Agreement, at: dt.datetime, log: TicketLog
) -> tuple[Clock, ...]:
    try:
        return tuple(clocks_at(record, trace(told.history), agreement, at).values())
    except (BeyondHorizon, NeverOpens) as wrong:
        raise InvalidInput(
            "record", told.record, f"cannot be measured under {agreement.label}: {wrong}",
            "check its dates, and the hours of the agreement",
            file=log.plan.table.name, line=told.rows[0].line,
        ) from None  # fmt: skip


def _judged(agreement: Agreement | None, log: TicketLog) -> Agreement:
    if agreement is None:
        return usual_agreement(log)
    return only(Agreement, agreement, "agreement", "make one, or load_agreement(path)")


def usual_agreement(log: TicketLog) -> Agreement:
    """The default agreement on weekdays from 9 to 17, in the zone of the log."""
    return default_agreement(BusinessCalendar.weekly(HOURS, zone=log.plan.zone))


def lifecycle_of(value: Lifecycle | str) -> Lifecycle:
    """The lifecycle itself, or the shipped one of this name."""
    if isinstance(value, Lifecycle):
        return value
    found = PROCESSES.get(value) if isinstance(value, str) else None
    if found is None:
        raise InvalidValue("lifecycle", value, "is not shipped", f"use {', '.join(PROCESSES)}")
    return found


# --- all records ------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Replay:
    """What a log is under a lifecycle and an agreement, counted.

    `records` and `events` count records and the rows that belong to one. `fitting` are records
    whose every move the lifecycle allows, whatever state they start in. `priority_differs` tells
    for each priority matrix on how many rows the log's priority is another. `targets` counts
    verdicts of each target; what was voided after its breach stands with the breached. `agreed`
    tells whether the agreement says with whom and when it was agreed.
    """

    source: str
    format: str
    zone: str
    lifecycle: str
    agreement: str
    agreed: bool
    until: dt.datetime
    records: int
    events: int
    fitting: int
    moves_outside: tuple[tuple[str, str, int], ...]
    reopened: int
    reopen_count_total: int
    reopen_count_differs: int
    hold_without_reason: int
    unknown_states: Mapping[str, int]
    duplicate_rows: int
    disordered_rows: int
    rows_without_record: int
    findings: Mapping[str, int]
    first_findings: Mapping[str, str] = attrs.field(repr=False)
    priority_differs: Mapping[str, int]
    targets: Mapping[str, Mapping[str, int]]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        told = attrs.asdict(self, recurse=False)
        outside = [{"from": a, "to": b, "count": n} for a, b, n in self.moves_outside]
        told |= {"until": self.until.isoformat(), "moves_outside": outside}
        return {name: dict(v) if isinstance(v, Mapping) else v for name, v in told.items()}

    def lines(self) -> list[tuple[str, str]]:
        """The counts as pairs of words, for a table."""
        outside = "; ".join(f"{a} to {b}: {n}" for a, b, n in self.moves_outside)
        differs = "; ".join(f"{name}: {n} rows" for name, n in self.priority_differs.items())
        unknown = "; ".join(f"{word!r}: {n} rows" for word, n in self.unknown_states.items())
        return [
            ("log", f"{self.source} ({self.format})"),
            ("zone", self.zone),
            ("until", self.until.isoformat()),
            ("agreement", self.agreement + ("" if self.agreed else " (not agreed)")),
            ("records", f"{self.records:,}"),
            ("events", f"{self.events:,}"),
            (f"fitting {self.lifecycle}", f"{self.fitting:,}"),
            ("moves outside", outside or "none"),
            ("reopened", f"{self.reopened:,} records, {self.reopen_count_total:,} times"),
            ("holds without reason", f"{self.hold_without_reason:,}"),
            ("unknown states", unknown or "none"),
            ("duplicate rows", f"{self.duplicate_rows:,}"),
            ("disordered rows", f"{self.disordered_rows:,}"),
            ("priority differs from", differs),
        ]

    def __str__(self) -> str:
        pairs = self.lines()
        width = max(len(name) for name, _ in pairs)
        text = [f"{name:<{width}}  {shown(value)}" for name, value in pairs]
        wide = max(map(len, (*self.targets, self.agreement)))
        text += ["", f"{shown(self.agreement):<{wide}}" + "".join(f"{w:>10}" for w in COUNTED)]
        for name, counts in self.targets.items():
            cells = "".join(f"{counts[word]:>10,}" for word in COUNTED)
            text.append(f"{shown(name):<{wide}}{cells}")
        return "\n".join(text)

    def _repr_html_(self) -> str:
        pairs = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th>"
            f"<td style='text-align:left'>{escape(shown(value))}</td></tr>"
            for name, value in self.lines()
        )
        head = "".join(f"<th>{word}</th>" for word in (escape(shown(self.agreement)), *COUNTED))
        body = "".join(
            f"<tr><th style='text-align:left'>{escape(shown(name))}</th>"
            + "".join(f"<td>{counts[word]:,}</td>" for word in COUNTED) + "</tr>"
            for name, counts in self.targets.items()
        )  # fmt: skip
        return f"<table>{pairs}</table><table><tr>{head}</tr>{body}</table>"


def shown(text: str) -> str:
    r"""A text whose control and invisible characters are escaped, so that none acts on a terminal.

    >>> print(shown("red \x1b[31m"))
    red \x1b[31m
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def replay(
    source: Source, *, format: str | None = None, lifecycle: Lifecycle | str = "incident",
    map: Map | None = None, agreement: Agreement | None = None,
    zone: str | ZoneInfo | None = None, progress: Progress | None = None,
) -> Replay:  # fmt: skip
    """The counts of a whole log: a path (plain or .gz), or rows as mappings.

    Without `format` the header tells it; without `agreement` the default one counts on weekdays
    from 9 to 17 in `zone`, else the map's zone, else UTC. `progress` is told rows done and total.
    """
    cycle = lifecycle_of(lifecycle)
    log = open_log(source, format=format, map=map, zone=zone, lifecycle=cycle, progress=progress)
    judged = _judged(agreement, log)
    tally = _Tally(judged)
    for one in replayed(log, lifecycle=cycle, agreement=judged):
        tally.add(one)
    return tally.replay(log, cycle, judged)


class _Tally:
    """The counts while records come in."""

    def __init__(self, agreement: Agreement) -> None:
        self.counts: Counter[str] = Counter()
        self.outside: Counter[Move] = Counter()
        self.unknown: Counter[str] = Counter()
        self.findings: Counter[str] = Counter()
        self.first: dict[str, str] = {}
        self.differs: Counter[str] = Counter()
        self.targets = {target.id: dict.fromkeys(COUNTED, 0) for target in agreement.targets}

    def add(self, one: Replayed) -> None:
        again, rows = one.record.reopened, one.told.rows
        self.counts.update(
            records=1, fitting=one.fits, reopened=again > 0, reopen_count_total=again,
            reopen_count_differs=_told_reopens(rows) not in (None, again),
            hold_without_reason=sum(map(_bare_hold, one.told.history)),
        )  # fmt: skip
        self.outside.update(one.moves_outside)
        for clock in one.clocks:
            self.targets[clock.target.id][_AS_COUNTED[clock.verdict]] += 1
        for finding in one.told.history.findings:
            self.findings[finding.code] += 1
            where = f"line {finding.row}, record {one.told.record}: {finding.message}"
            self.first.setdefault(finding.code, where)
            if finding.code == "unknown_state":
                self.unknown[finding.value or ""] += 1
        for row in rows:
            self.differs.update(_differing(row))

    def replay(self, log: TicketLog, lifecycle: Lifecycle, agreement: Agreement) -> Replay:
        counted = ("records", "fitting", "reopened", "reopen_count_total", "reopen_count_differs",
                   "hold_without_reason")  # fmt: skip
        return Replay(
            source=log.plan.table.name, format=log.format, zone=log.zone,
            lifecycle=f"{lifecycle.id} {lifecycle.version}", agreement=agreement.label,
            agreed=agreement.agreed,
            until=log.last, events=log.survey.rows, rows_without_record=log.survey.without_case,
            **{name: self.counts[name] for name in counted},
            moves_outside=tuple((a, b, n) for (a, b), n in self.outside.most_common()),
            unknown_states=dict(self.unknown.most_common()), findings=dict(self.findings),
            first_findings=self.first, duplicate_rows=self.findings["duplicate"],
            disordered_rows=self.findings["out_of_order"],
            priority_differs={name: self.differs[name] for name in PRESETS}, targets=self.targets,
        )  # fmt: skip


def _told_reopens(rows: tuple[Row, ...]) -> int | None:
    """How often the log itself says that the record was reopened, if it does."""
    counts = [str(row.values.get("reopen_count")) for row in rows]
    return max((int(count) for count in counts if count.isdecimal()), default=None)


def _bare_hold(event: Event) -> bool:
    """Whether the event begins a hold without saying on whom it waits."""
    return event.fields.get("phase") == Phase.WAITING and "waits_on" not in event.fields


def _differing(row: Row) -> list[str]:
    """The matrices that give another priority than the row has."""
    impact, urgency, priority = (row.values.get(n) for n in ("impact", "urgency", "priority"))
    if None in (impact, urgency, priority):
        return []
    told = _priority(str(priority))
    if told is None:
        return []
    return [name for name, rule in _rules(str(impact), str(urgency)) if rule is not told]


@lru_cache(maxsize=256)
def _rules(impact: str, urgency: str) -> tuple[tuple[str, Priority], ...]:
    """What each matrix gives for two words of the log; nothing for words that are no levels."""
    try:
        return tuple((name, rule.priority(impact, urgency)) for name, rule in PRESETS.items())
    except InvalidValue:
        return ()


@lru_cache(maxsize=256)
def _priority(word: str) -> Priority | None:
    try:
        return Priority.of(word)
    except InvalidValue:
        return None
