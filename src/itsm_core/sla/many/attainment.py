"""How many targets were met, counted so that nothing hides a breach.

    attainment(evaluate_all(histories, agreement, at), by="priority") -> rows of counts and shares

Every cycle of every clock is counted once. Where nothing was judged, the share is None: never 0 and
never 100 %. Unknown is never met.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.sla.agreements.targets import Metric
from itsm_core.sla.agreements.workload import Load
from itsm_core.sla.clocks.clock import Clock
from itsm_core.sla.explaining.shares import percent, quantile
from itsm_core.sla.explaining.tables import Table
from itsm_core.sla.many.attainment_rows import COUNTED, AttainmentRow, RowTally
from itsm_core.sla.many.batch import Judged, all_judged
from itsm_core.sla.many.volumes import Volumes
from itsm_core.values import word

Key = Callable[[Judged, Clock], object]
"""What a clock is counted under; None is a key of its own."""

Exclusion = Callable[[Judged, Clock], str | None]
"""Why a clock is left out of the share, or None if it is not."""


# --- the report --------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Attainment:
    """What became of the targets of many records, in rows by metric and key.

    `records` is how many came in. Of these `not_covered` have no agreement, `without_target` are covered
    but promised nothing, and `problems` tells by code how many could not be judged; none of them is in a
    row. `agreements` tells how many each version judges, and `not_agreed` which of these versions do not
    say with whom and when they were agreed (8.3.3).
    """

    by: str
    records: int = 0
    not_covered: int = 0
    without_target: int = 0
    problems: Mapping[str, int] = attrs.field(factory=dict)
    agreements: Mapping[str, int] = attrs.field(factory=dict)
    not_agreed: tuple[str, ...] = ()
    rows: tuple[AttainmentRow, ...] = ()
    confidence: int = 95

    def row(self, metric: str, key: str | None = None) -> AttainmentRow:
        """The row of a metric and key; one that counts nothing where there is none."""
        found = (row for row in self.rows if (row.metric, row.key) == (metric, key))
        return next(found, AttainmentRow(metric=metric, key=key, confidence=self.confidence))

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "by": self.by,
            "records": self.records,
            "not_covered": self.not_covered,
            "without_target": self.without_target,
            "problems": dict(self.problems),
            "agreements": dict(self.agreements),
            "not_agreed": list(self.not_agreed),
            "rows": [row.to_dict() for row in self.rows],
        }

    def table(self) -> Table:
        """The rows as a table; figures nobody has are left out, but not those of the share."""
        columns = self._columns()
        heads = [*_heads(self.by), *(head for head, _ in columns)]
        keyed = self.by != "metric"
        rows = (
            (row.metric, *([row.key or "none"] if keyed else []), *(show(row) for _, show in columns))
            for row in self.rows
        )
        words = 2 if keyed else 1
        notes = tuple(_notes(self.rows))
        return Table(self._caption(), tuple(heads), rows=tuple(rows), notes=notes, words=words)

    def _columns(self) -> list[tuple[str, Callable[[AttainmentRow], str]]]:
        some = [name for name in _FIGURES if any(getattr(row, name) for row in self.rows)]
        shown = [name for name in _FIGURES if name in some or name in ("met", "breached")]
        columns = [(name.replace("_", " "), _figure(name)) for name in shown]
        if "left_out" in some:
            columns.append(("raw share", lambda row: percent(row.raw_share)))
        columns.append(("share", lambda row: percent(row.share)))
        columns.append((f"{self.confidence} % interval", _interval))
        if any(row.excepted for row in self.rows):
            columns.append(("adjusted", lambda row: percent(row.adjusted_share)))
        return columns

    def _caption(self) -> str:
        judged = ", ".join(
            f"{n:,} by {label}{' (not agreed)' if label in self.not_agreed else ''}"
            for label, n in self.agreements.items()
        )
        parts = [
            f"{self.records:,} record{'' if self.records == 1 else 's'}" + (f": {judged}" if judged else "")
        ]
        parts += [f"{self.not_covered:,} not covered"] * bool(self.not_covered)
        parts += [f"{self.without_target:,} without a target"] * bool(self.without_target)
        parts += [f"{n:,} not judged ({code})" for code, n in self.problems.items()]
        return "; ".join(parts)

    def __str__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


_FIGURES = (*COUNTED[:3], "justified", "unconfirmed", "overdue", "provisional", *COUNTED[3:], "left_out")


def _heads(by: str) -> tuple[str, ...]:
    return ("metric",) if by == "metric" else ("metric", by)


def _figure(name: str) -> Callable[[AttainmentRow], str]:
    return lambda row: f"{getattr(row, name):,}"


def _interval(row: AttainmentRow) -> str:
    found = row.interval
    return "-" if found is None else f"{percent(found[0])} to {percent(found[1], up=True)}"


def _notes(rows: Iterable[AttainmentRow]) -> Iterable[str]:
    voided: Counter[str] = Counter()
    excluded: Counter[str] = Counter()
    excepted: Counter[str] = Counter()
    for row in rows:
        voided.update(row.voided)
        excepted.update(row.excepted)
        excluded.update({reason: sum(counts.values()) for reason, counts in row.excluded.items()})
    for name, found in (("void", voided), ("excluded", excluded), ("excepted", excepted)):
        if found:
            yield f"{name}: " + ", ".join(f"{reason} {n:,}" for reason, n in sorted(found.items()))


# --- counting -----------------------------------------------------------------------------------


def attainment(
    judged: Iterable[Judged], *, by: str | Key = "metric", exclude: Exclusion | None = None,
    confidence: int = 95,
) -> Attainment:  # fmt: skip
    """What became of the targets of many records, by metric and by a key.

    `by` is "metric" alone, "target", "agreement", a field of the record ("priority", "service",
    "customer", "group", "category", "channel", "process"), "workload", or a function of the judged record
    and its clock. `exclude` gives the reason why a clock is left out, or None. Every cycle of a clock counts.

    By "workload" a record is "beyond" if the period in which it was opened went over any limit that it
    counts towards, else "within"; where none is agreed on for it, it is under "no limit".
    """
    tally = Tally(by, exclude, confidence)
    for one in all_judged(judged):
        tally.add(one)
    return tally.attainment()


class Tally:
    """The counts while judged records come in."""

    def __init__(
        self, by: str | Key = "metric", exclude: Exclusion | None = None, confidence: int = 95
    ) -> None:
        quantile(confidence)
        self._key, self._by = _key_of(by)
        if exclude is not None and not callable(exclude):
            raise InvalidValue("exclude", exclude, "is no function", _EXCLUDE)
        self._exclude, self._confidence = exclude, confidence
        self._counts: Counter[str] = Counter()
        self._problems: Counter[str] = Counter()
        self._agreements: Counter[str] = Counter()
        self._not_agreed: set[str] = set()
        self._volumes = Volumes()
        self._rows: dict[tuple[str, _Name], RowTally] = {}

    def add(self, one: Judged) -> None:
        """One more record."""
        self._counts["records"] += 1
        if one.problem is not None:
            self._problems[one.problem.code] += 1
        elif one.agreement is None:
            self._counts["not_covered"] += 1
        else:
            self._agreements[one.agreement] += 1
            self._not_agreed.update([one.agreement] * (not one.agreed))
            self._counts["without_target"] += not one.clocks
        self._volumes.add(one)
        for metric, clock in one.clocks.items():
            for cycle in clock.cycles:
                self._count(one, str(metric), cycle)

    def _count(self, one: Judged, metric: str, clock: Clock) -> None:
        key = self._key(one, clock)
        name = (metric, key if key is None or isinstance(key, _Loads) else str(key))
        if name not in self._rows:
            self._rows[name] = RowTally()
        reason = None if self._exclude is None else self._exclude(one, clock)
        self._rows[name].add(clock, None if reason is None else word(reason, "exclusion", _EXCLUDE))

    def attainment(self) -> Attainment:
        """The counts so far."""
        rows = self._settled()
        names = sorted(rows, key=lambda name: (_rank(name[0]), name[1] is None, name[1] or ""))
        return Attainment(
            by=self._by,
            records=self._counts["records"],
            not_covered=self._counts["not_covered"],
            without_target=self._counts["without_target"],
            problems=dict(sorted(self._problems.items())),
            agreements=dict(sorted(self._agreements.items())),
            not_agreed=tuple(sorted(self._not_agreed)),
            rows=tuple(rows[name].row(*name, self._confidence) for name in names),
            confidence=self._confidence,
        )

    def _settled(self) -> dict[tuple[str, str | None], RowTally]:
        """The rows by what their keys are called, now that all volumes are known."""
        found: dict[tuple[str, str | None], RowTally] = {}
        for (metric, key), row in self._rows.items():
            name = self._volumes.standing(key.held) if isinstance(key, _Loads) else key
            found.setdefault((metric, name), RowTally()).take(row)
        return found


@attrs.frozen
class _Loads:
    """A key that is decided at the end: whether any of these went over its limit."""

    held: tuple[Load, ...]


_Name = str | _Loads | None

_EXCLUDE = 'return why it is excluded, as in "test record", or None'


def _rank(metric: str) -> tuple[int, str]:
    """Response first, as everywhere; metrics of one's own by name."""
    known = list(Metric)
    return (known.index(Metric(metric)), "") if metric in known else (len(known), metric)


def _key_of(by: str | Key) -> tuple[Key, str]:
    """The key function that `by` means, and what it is called."""
    if isinstance(by, str) and by in _KEYS:
        return _KEYS[by], by
    if callable(by):
        return by, getattr(by, "__name__", "key").replace("<lambda>", "key")
    remedy = f"use one of {', '.join(_KEYS)}, or a function of judged record and clock"
    raise InvalidValue("by", by, "is no key to count by", remedy)


def _field(name: str) -> Key:
    return lambda one, _: getattr(one.record, name, None)


_KEYS: dict[str, Key] = {
    "metric": lambda _, __: None,
    "target": lambda _, clock: clock.target.id,
    "agreement": lambda one, _: one.agreement,
    "workload": lambda one, _: _Loads(one.loads),
    **{
        name: _field(name)
        for name in ("priority", "service", "customer", "group", "category", "channel", "process")
    },
}
