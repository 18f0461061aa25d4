"""A row of a report on attainment: what became of the clocks of one metric under one key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import attrs

from itsm_core.sla.clocks.clock import Clock
from itsm_core.sla.explaining.shares import Interval, wilson
from itsm_core.sla.spans import BREACHES, ClockState, Verdict


@attrs.frozen(kw_only=True)
class AttainmentRow:
    """The clocks of one metric under one key, each in one of the counts.

    `breached` and `void_after_breach` are breaches. `overdue` of the breaches are still open, and
    `provisional` of what was judged may change until the record is closed. `excluded` gives by reason
    what the excluded ones came to, and `voided` by reason how often a promise fell away.

    None of the counts looks at exceptions. Beside them, `adjusted` counts the verdicts that are left where
    exceptions applied, and `excepted` by exception how many clocks it adjusted. `justified` of the breaches
    were care that took longer, `unconfirmed` of these without the requester's word.
    """

    metric: str
    key: str | None = None
    met: int = 0
    breached: int = 0
    void_after_breach: int = 0
    void: int = 0
    unknown: int = 0
    running: int = 0
    not_started: int = 0
    overdue: int = 0
    provisional: int = 0
    voided: Mapping[str, int] = attrs.field(factory=dict)
    excluded: Mapping[str, Mapping[str, int]] = attrs.field(factory=dict)
    justified: int = 0
    unconfirmed: int = 0
    adjusted: Mapping[str, int] = attrs.field(factory=dict)
    excepted: Mapping[str, int] = attrs.field(factory=dict)
    confidence: int = 95

    @property
    def judged(self) -> int:
        """How many ended in a verdict that counts: met, breached, or void after a breach."""
        return self.met + self.breaches

    @property
    def breaches(self) -> int:
        """How many broke the promise; that it fell away later mends nothing."""
        return self.breached + self.void_after_breach

    @property
    def left_out(self) -> int:
        """How many were excluded, for whatever reason."""
        return sum(sum(counts.values()) for counts in self.excluded.values())

    @property
    def total(self) -> int:
        """All clocks of the row, excluded ones too."""
        undecided = self.void + self.unknown + self.running + self.not_started
        return self.judged + undecided + self.left_out

    @property
    def share(self) -> Fraction | None:
        """The exact share of the judged that were met; None where nothing was judged."""
        return Fraction(self.met, self.judged) if self.judged else None

    @property
    def interval(self) -> Interval | None:
        """The Wilson score interval of the share."""
        return wilson(self.met, self.judged, self.confidence)

    @property
    def raw_share(self) -> Fraction | None:
        """The share as if nothing had been excluded."""
        met = self.met + self._excluded(Verdict.MET)
        breaches = self.breaches + self._excluded(*BREACHES)
        return Fraction(met, met + breaches) if met + breaches else None

    @property
    def adjusted_share(self) -> Fraction | None:
        """The share by the adjusted verdicts, where exceptions applied; `share` where none did."""
        if not self.adjusted:
            return self.share
        met = self.adjusted.get(Verdict.MET, 0)
        breaches = sum(self.adjusted.get(one, 0) for one in BREACHES)
        return Fraction(met, met + breaches) if met + breaches else None

    def _excluded(self, *outcomes: str) -> int:
        return sum(counts.get(one, 0) for counts in self.excluded.values() for one in outcomes)

    def to_dict(self) -> dict[str, Any]:
        """The counts and shares as JSON values; shares are texts such as "19/20"."""
        names = ("metric", "key", *COUNTED, "overdue", "provisional", "justified", "unconfirmed")
        counts = {name: getattr(self, name) for name in names}
        interval = self.interval
        return counts | {
            "excluded": {reason: dict(found) for reason, found in self.excluded.items()},
            "voided": dict(self.voided),
            "adjusted": dict(self.adjusted),
            "excepted": dict(self.excepted),
            "adjusted_share": _text(self.adjusted_share),
            "judged": self.judged,
            "total": self.total,
            "raw_share": _text(self.raw_share),
            "share": _text(self.share),
            "confidence": self.confidence,
            "interval": None if interval is None else [str(bound) for bound in interval],
        }


COUNTED = ("met", "breached", "void_after_breach", "void", "unknown", "running", "not_started")
"""What becomes of a clock; each is counted as one of these, or excluded."""


def _text(share: Fraction | None) -> str | None:
    return None if share is None else str(share)


class RowTally:
    """The counts of one row while clocks come in."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.voided: Counter[str] = Counter()
        self.excluded: dict[str, Counter[str]] = {}
        self.adjusted: Counter[str] = Counter()
        self.excepted: Counter[str] = Counter()

    def add(self, clock: Clock, reason: str | None) -> None:
        """One more clock, excluded for a reason or counted."""
        outcome = "not_started" if clock.state is ClockState.NOT_STARTED else clock.verdict.value
        if reason is not None:
            self.excluded.setdefault(reason, Counter())[outcome] += 1
            return
        self.counts[outcome] += 1
        if clock.verdict is Verdict.VOID or clock.verdict is Verdict.VOID_AFTER_BREACH:
            self.voided[str(clock.stop_reason)] += 1
        if clock.stopped_us is None:
            self.counts["overdue"] += clock.breached
        elif clock.breached or clock.verdict is Verdict.MET:
            self.counts["provisional"] += not clock.settled
        self._beside(clock, outcome)

    def _beside(self, clock: Clock, outcome: str) -> None:
        """What stands beside the verdict, and is in none of the counts."""
        self.adjusted[outcome if clock.adjusted is None else clock.adjusted.verdict.value] += 1
        if clock.adjusted is not None:
            self.excepted.update(clock.adjusted.by)
        if clock.justified:
            self.counts["justified"] += 1
            self.counts["unconfirmed"] += not any(one.confirmed for one in clock.justified)

    def take(self, other: RowTally) -> None:
        """The counts of another row, too."""
        self.counts.update(other.counts)
        self.voided.update(other.voided)
        for reason, found in other.excluded.items():
            self.excluded.setdefault(reason, Counter()).update(found)
        self.adjusted.update(other.adjusted)
        self.excepted.update(other.excepted)

    def row(self, metric: str, key: str | None, confidence: int) -> AttainmentRow:
        """The counts so far, under the name of a metric and a key."""
        return AttainmentRow(
            metric=metric,
            key=key,
            **self.counts,
            voided=dict(sorted(self.voided.items())),
            excluded={reason: dict(sorted(found.items())) for reason, found in sorted(self.excluded.items())},
            adjusted=dict(sorted(self.adjusted.items())) if self.excepted else {},
            excepted=dict(sorted(self.excepted.items())),
            confidence=confidence,
        )
