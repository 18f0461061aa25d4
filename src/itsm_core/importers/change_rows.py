"""Rows of a host's change table: read, put in order, repeats left out, all of it reported."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import attrs

from itsm_core.actors import Actor
from itsm_core.business_time.instants import in_utc
from itsm_core.errors import InvalidInput, InvalidValue

Change = Sequence[Any] | Mapping[str, Any]
"""A row (at, field, old, new, by)."""

SOURCE = "changes"
"""What stands in place of a file name where a row in memory is refused."""


@attrs.frozen
class Finding:
    """What does not fit: a stable code, a sentence, the row (1-based) or line, and the value."""

    code: str
    message: str
    row: int | None = None
    value: str | None = None

    def __str__(self) -> str:
        return f"row {self.row}: {self.message}" if self.row else self.message


class ChangeRow(NamedTuple):
    """One change, its instant in UTC; `ref` is the host's own id of a message."""

    number: int
    at: dt.datetime
    field: str
    old: Any
    new: Any
    by: Actor | None
    ref: str | None = None


_KEYS = ("at", "field", "old", "new", "by")


def read_row(number: int, row: Change, zone: ZoneInfo | None) -> ChangeRow:
    """The change that a tuple or a mapping tells; one that says nothing is refused by number."""
    given = [row.get(key) for key in _KEYS] if isinstance(row, Mapping) else row
    parts = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else []
    if len(parts) != len(_KEYS) or not isinstance(parts[1], str):
        raise InvalidInput(
            "row", row, "is no change", "give (at, field, old, new, by), in this order",
            file=SOURCE, line=number,
        )  # fmt: skip
    at, field, old, new, by = parts
    return ChangeRow(number, instant(at, zone, "at", number), field, old, new, actor(by))


def instant(
    value: Any, zone: ZoneInfo | None, what: str, number: int | None, source: str = SOURCE
) -> dt.datetime:
    """The instant in UTC of a datetime or an ISO 8601 text; naive ones take the zone, if any."""
    moment = value
    if isinstance(value, str):
        try:
            moment = dt.datetime.fromisoformat(value)
        except ValueError:
            raise InvalidInput(
                what, value, "is no instant", "write 2024-02-04T10:30:00+08:00",
                file=source, line=number,
            ) from None  # fmt: skip
    if zone is not None and isinstance(moment, dt.datetime) and moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        return in_utc(moment, what)
    except InvalidValue as wrong:
        remedy = f'{wrong.remedy}; or say zone="Europe/Berlin" for all of them'
        raise InvalidInput(what, wrong.value, wrong.reason, remedy, file=source, line=number) from None


def actor(value: Any) -> Actor | None:
    """The actor itself, or the person with this id; None where nobody is named."""
    if isinstance(value, Actor):
        return value
    return None if value in (None, "") else Actor.person(str(value))


class Repeats:
    """Tells which rows came before.

    The same row again is a repeat if it follows its like at once, comes too late, or goes on a
    run of repeats. Elsewhere it may be meant: two states can take turns within one minute. Rows
    that carry a revision number are `exact`: the same row is then always a repeat.
    """

    def __init__(self, *, exact: bool = False) -> None:
        self._exact, self._running = exact, False
        self._seen: set[Hashable] = set()
        self._last: Hashable = None
        self._latest: dt.datetime | None = None

    def take(self, mark: Hashable, at: dt.datetime) -> bool:
        """Whether this row came before; remembers it."""
        late = self._latest is not None and at < self._latest
        again = self._exact or self._running or late or mark == self._last
        self._running = again and mark in self._seen
        self._seen.add(mark)
        self._last = mark
        self._latest = at if self._latest is None else max(at, self._latest)
        return self._running

    def finding(self, mark: Hashable, at: dt.datetime, row: int) -> Finding | None:
        """What is wrong with the place of a row: a repeat, or late; None if nothing."""
        before = self._latest
        if self.take(mark, at):
            return Finding("duplicate", "the same row again; left out", row)
        if before is not None and at < before:
            message = f"{at.isoformat()} lies before {before.isoformat()}; put in its place"
            return Finding("out_of_order", message, row)
        return None


def in_order(rows: Iterable[ChangeRow]) -> tuple[list[ChangeRow], list[Finding]]:
    """The rows by instant, equal instants as they came, repeats left out; and the findings."""
    kept: list[ChangeRow] = []
    findings: list[Finding] = []
    repeats = Repeats()
    for row in rows:
        finding = repeats.finding(repr(row[1:]), row.at, row.number)
        if finding is not None:
            findings.append(finding)
        if finding is None or finding.code != "duplicate":
            kept.append(row)
    return sorted(kept, key=lambda row: row.at), findings
