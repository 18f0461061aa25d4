"""Where the time of clocks went: their segments grouped by who had the record, its state, or the reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from fractions import Fraction

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.sla.explaining.segments import Segment, SegmentKind
from itsm_core.sla.explaining.shares import percent
from itsm_core.sla.explaining.tables import Table
from itsm_core.sla.explaining.words import Words, words_of
from itsm_core.values import each, texts

_KEYS: dict[str, Callable[[Segment], str | None]] = {
    "owner": lambda segment: segment.mark.owner,
    "group": lambda segment: segment.mark.group,
    "assignee": lambda segment: segment.mark.assignee,
    "state": lambda segment: segment.mark.state,
    "phase": lambda segment: segment.mark.phase.value,
    "reason": lambda segment: segment.reason,
}


@attrs.frozen
class BreakdownRow:
    """What one group of segments adds up to; `key` is None where nothing is said, as before an assignment.

    `running` is open time that was used, the others are wall time. `share` is the exact share of all
    the time that was used; None if none was.
    """

    key: tuple[str | None, ...]
    share: Fraction | None
    running: dt.timedelta = attrs.field(kw_only=True)
    paused: dt.timedelta = attrs.field(kw_only=True)
    closed: dt.timedelta = attrs.field(kw_only=True)
    stopped: dt.timedelta = attrs.field(kw_only=True)


@attrs.frozen
class Breakdown:
    """Rows that add up to the segments to the microsecond; what used most time comes first."""

    by: tuple[str, ...]
    rows: tuple[BreakdownRow, ...]

    def table(self, lang: str = "en") -> Table:
        """The rows in English ("en") or Chinese ("zh")."""
        words = words_of(lang)
        figures = (*(kind.value for kind in SegmentKind), "share")
        headings = tuple(words.of(name) for name in (*self.by, *figures))
        rows = tuple(_cells(row, self.by, words) for row in self.rows)
        return Table("", headings, rows=rows, words=len(self.by))

    def __str__(self) -> str:
        return self.table().text().strip("\n")

    def _repr_html_(self) -> str:
        return self.table().html()


def _cells(row: BreakdownRow, by: tuple[str, ...], words: Words) -> tuple[str, ...]:
    said = (_said(key, name, words) for key, name in zip(row.key, by, strict=True))
    lengths = (row.running, row.paused, row.closed, row.stopped)
    return (*said, *map(words.length, lengths), percent(row.share))


def _said(key: str | None, by: str, words: Words) -> str:
    """A name as it is; a reason or a phase is a word of ours."""
    return "-" if key is None else words.of(key) if by in ("reason", "phase") else str(key)


def breakdown(segments: Iterable[Segment], by: str | Iterable[str] = "group") -> Breakdown:
    """Segments of one clock or of many, grouped by what they share.

    By "owner", "group", "assignee", "state", "phase" or "reason", or by several of them. Owners and
    assignees are shown only because they are asked for.
    """
    names = _names(by)
    found = each(Segment, segments, "segments", "give those of clocks: clock.explain().segments")
    sums: dict[tuple[str | None, ...], dict[SegmentKind, int]] = {}
    for segment in found:
        row = sums.setdefault(tuple(_KEYS[name](segment) for name in names), dict.fromkeys(SegmentKind, 0))
        row[segment.kind] += segment.end_us - segment.start_us
    used = sum(row[SegmentKind.RUNNING] for row in sums.values())
    rows = sorted(sums.items(), key=lambda pair: -pair[1][SegmentKind.RUNNING])
    return Breakdown(names, tuple(_row(key, row, used) for key, row in rows))


def _row(key: tuple[str | None, ...], sums: dict[SegmentKind, int], used: int) -> BreakdownRow:
    share = Fraction(sums[SegmentKind.RUNNING], used) if used else None
    lengths = {kind.value: dt.timedelta(microseconds=us) for kind, us in sums.items()}
    return BreakdownRow(key, share, **lengths)


def _names(by: str | Iterable[str]) -> tuple[str, ...]:
    remedy = f"use one or several of {', '.join(_KEYS)}"
    names = (by,) if isinstance(by, str) else texts(by, "by", remedy)
    if not names or len(set(names)) < len(names) or not set(names) <= set(_KEYS):
        raise InvalidValue("by", by, "is nothing that time is broken down by", remedy)
    return names
