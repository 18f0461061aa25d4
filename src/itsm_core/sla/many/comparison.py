"""Two agreements beside each other on the same histories: which verdicts change, and why.

    compare(agreement_a, agreement_b, histories, at) -> changes, with the totals of both

Each history is read once and judged by both; none is kept.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.durations import Budget
from itsm_core.business_time.instants import micros
from itsm_core.business_time.windows import printable
from itsm_core.sla.agreements.agreement import Agreement
from itsm_core.sla.agreements.targets import Target
from itsm_core.sla.clocks.clock import Clock, label_of
from itsm_core.sla.explaining.shares import percent
from itsm_core.sla.explaining.tables import Table
from itsm_core.sla.many.attainment import Attainment, Tally
from itsm_core.sla.many.batch import Agreements, Histories, Judged, agreements_of, judged, read_all
from itsm_core.sla.spans import ClockState


@attrs.frozen(kw_only=True)
class Standing:
    """Where one cycle of a metric stands under one agreement; `budget_us` is None without a limit."""

    verdict: str
    settled: bool
    target: str
    agreement: str
    promised: str
    calendar: str
    elapsed_us: int
    budget_us: int | None

    @classmethod
    def of(cls, clock: Clock) -> Standing:
        """The standing of a clock."""
        target = clock.target
        waiting = clock.state is ClockState.NOT_STARTED
        return cls(
            verdict="not_started" if waiting else clock.verdict.value,
            settled=clock.settled,
            target=target.id,
            agreement=str(target.agreement),
            promised=str(target.duration),
            calendar=label_of(target.calendar),
            elapsed_us=clock.elapsed_us,
            budget_us=None if clock.unlimited else clock.budget_us,
        )

    def __str__(self) -> str:
        verdict = self.verdict.replace("_", " ")
        if self.verdict == "not_started":
            return verdict
        limit = "no limit" if self.budget_us is None else str(Budget(self.budget_us))
        return f"{verdict}, {Budget(self.elapsed_us)} of {limit}"


@attrs.frozen
class Difference:
    """One thing that the two agreements hold otherwise, in words."""

    what: str
    was: str
    would_be: str

    def __str__(self) -> str:
        return f"{self.what} {self.was} -> {self.would_be}"


@attrs.frozen
class Change:
    """A cycle of a metric whose verdict is another under the second agreement, and what differs.

    `was` or `would_be` is None where that agreement has no such clock; `why` then says so.
    """

    record: str
    metric: str
    cycle: int = attrs.field(default=1, kw_only=True)
    was: Standing | None = attrs.field(kw_only=True)
    would_be: Standing | None = attrs.field(kw_only=True)
    why: tuple[Difference, ...] = attrs.field(kw_only=True)

    def __str__(self) -> str:
        why = "; ".join(map(str, self.why))
        return printable(f"{self.record} {self.metric}: {_said(self.was)} -> {_said(self.would_be)} ({why})")

    @property
    def verdicts(self) -> tuple[str, str]:
        """What the verdict was and would be, "none" without a clock."""
        return _verdict(self.was), _verdict(self.would_be)


def _said(standing: Standing | None) -> str:
    return "none" if standing is None else str(standing)


def _verdict(standing: Standing | None) -> str:
    return "none" if standing is None else standing.verdict


# --- why ----------------------------------------------------------------------------------------


def _words(value: frozenset[Any]) -> str:
    return ", ".join(sorted(map(str, value))) or "none"


_ASPECTS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("target", "id", str),
    ("duration", "duration", str),
    ("calendar", "calendar", label_of),
    ("pauses on", "pauses_on", _words),
    ("answered by", "answered_by", _words),
    ("reopening", "reopen", str),
    ("on retarget", "on_retarget", str),
    ("on pause", "on_pause", str),
    ("after", "after", str),
    ("measure", "measure", lambda measure: "conditions of its own" if measure else "that of the metric"),
)
"""What may move a verdict: how it is called, the field of the target, and its words."""


def differences(was: Target, would_be: Target) -> tuple[Difference, ...]:
    """What two targets hold otherwise of what may move a verdict."""
    found = []
    for what, name, words in _ASPECTS:
        a, b = getattr(was, name), getattr(would_be, name)
        if a != b:
            found.append(Difference(what, *_apart(words, a, b)))
    return tuple(found) or (Difference("targets held before", "its own", "others"),)


def _apart(words: Callable[[Any], str], a: Any, b: Any) -> tuple[str, str]:
    """The words of two values that differ; calendars of one name are told apart by fingerprint."""
    said = words(a), words(b)
    if said[0] != said[1]:
        return said
    if isinstance(a, BusinessCalendar):
        return f"{said[0]} ({a.fingerprint[:12]})", f"{said[1]} ({b.fingerprint[:12]})"
    return said[0], "others"


def _missing(was: Judged, would_be: Judged, metric: str) -> tuple[Difference, ...]:
    """Why one of them has a clock that the other lacks."""
    return (Difference("clock", _coverage(was, metric), _coverage(would_be, metric)),)


def _coverage(one: Judged, metric: str) -> str:
    if one.problem is not None:
        return f"not judged, {one.problem}"
    if one.agreement is None:
        return "not covered"
    clock = one.clocks.get(metric)
    if clock is None:
        return f"no target in {one.agreement}"
    return f"{len(clock.cycles)} of {clock.target.id} in {one.agreement}"


# --- comparing ----------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Comparison:
    """What changes from one agreement to the other: the changes, and what both come to."""

    was: Attainment
    would_be: Attainment
    changes: tuple[Change, ...] = attrs.field(repr=False)
    labels: tuple[str, str]

    @property
    def records(self) -> int:
        """How many records were compared."""
        return self.was.records

    @property
    def changed(self) -> int:
        """How many records have a verdict that changes."""
        return len({change.record for change in self.changes})

    def counts(self) -> dict[tuple[str, str, str], int]:
        """How often which metric went from which verdict to which."""
        return dict(Counter((change.metric, *change.verdicts) for change in self.changes))

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values; durations are microseconds of open time."""
        return {
            "agreements": list(self.labels),
            "records": self.records,
            "changed": self.changed,
            "was": self.was.to_dict(),
            "would_be": self.would_be.to_dict(),
            "changes": [attrs.asdict(change) | {"why": _plain(change)} for change in self.changes],
        }

    def tables(self) -> tuple[Table, ...]:
        """Totals of both, how often what changes, and the first changes."""
        one, other = self.labels
        head = f"{one} -> {other}: {self.changed:,} of {self.records:,} records change"
        rows = sorted((*map(_shown, name), f"{n:,}") for name, n in self.counts().items())
        heads = ("metric", "was", "would be", "clocks")
        return (
            Table(head, ("metric", one, other), rows=tuple(self._shares())),
            Table("", heads, rows=tuple(rows), words=3),
            self._changes(),
        )

    def _shares(self) -> Iterator[tuple[str, ...]]:
        metrics = [row.metric for row in (*self.was.rows, *self.would_be.rows)]
        for metric in dict.fromkeys(metrics):
            rows = (self.was.row(metric), self.would_be.row(metric))
            yield metric, *(f"{row.met:,} of {row.judged:,} met, {percent(row.share)}" for row in rows)

    def _changes(self) -> Table:
        rows = tuple(
            (c.record, c.metric, _said(c.was), _said(c.would_be), "; ".join(map(str, c.why)))
            for c in self.changes[:_MOST]
        )
        left = len(self.changes) - len(rows)
        notes = (f"{left:,} more in .changes",) if left else ()
        return Table("", ("record", "metric", "was", "would be", "why"), rows=rows, notes=notes, words=5)

    def __str__(self) -> str:
        return "\n\n".join(table.text().strip("\n") for table in self.tables() if table.rows or table.caption)

    def _repr_html_(self) -> str:
        return "".join(table.html() for table in self.tables())


_MOST = 20
"""How many changes are shown; all are in `changes`."""


def _shown(word: str) -> str:
    return word.replace("_", " ")


def _plain(change: Change) -> list[dict[str, str]]:
    return [{"what": d.what, "was": d.was, "would_be": d.would_be} for d in change.why]


def compare(
    was: Agreements, would_be: Agreements, histories: Histories, at: dt.datetime, *,
    known_at: dt.datetime | None = None,
) -> Comparison:  # fmt: skip
    """Which verdicts would be others under another agreement, and why; `histories` as in `evaluate_all`.

    Either may be several agreements, of which the first that covers a record judges it. Cycles are
    compared by their number.
    """
    held, other, _ = agreements_of(was), agreements_of(would_be), micros(at)
    totals = Tally(), Tally()
    changes: list[Change] = []
    for one in read_all(histories, known_at):
        pair = judged(one, held, at), judged(one, other, at)
        for tally, found in zip(totals, pair, strict=True):
            tally.add(found)
        changes += _changes_of(*pair)
    first, second = (tally.attainment() for tally in totals)
    return Comparison(
        was=first, would_be=second, changes=tuple(changes), labels=(_label(held), _label(other))
    )


def _label(agreements: tuple[Agreement, ...]) -> str:
    return ", ".join(one.label for one in agreements)


def _changes_of(was: Judged, would_be: Judged) -> Iterator[Change]:
    for metric in dict.fromkeys((*was.clocks, *would_be.clocks)):
        clocks = (was.clocks.get(metric), would_be.clocks.get(metric))
        cycles = ([] if clock is None else clock.cycles for clock in clocks)
        for number, (a, b) in enumerate(zip_longest(*cycles), start=1):
            if a is None or b is None:
                why = _missing(was, would_be, metric)
            elif _standing(a) != _standing(b):
                why = differences(a.target, b.target)
            else:
                continue
            yield Change(was.id, str(metric), cycle=number, was=_of(a), would_be=_of(b), why=why)


def _standing(clock: Clock) -> tuple[ClockState | None, str]:
    """The verdict, and whether it has begun at all."""
    return (clock.state if clock.state is ClockState.NOT_STARTED else None), clock.verdict


def _of(clock: Clock | None) -> Standing | None:
    return None if clock is None else Standing.of(clock)
