"""Rows that say how a record stood after each revision, as the events between them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from itsm_core.errors import InvalidValue
from itsm_core.importers.book import LEVELS, PEOPLE, Book, plain
from itsm_core.importers.change_rows import ChangeRow, Finding, Repeats, actor
from itsm_core.importers.changes import History, told_history
from itsm_core.importers.rows import Layout, Row
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.state_map import StateMap

Placed = tuple[dt.datetime, Row]

_ONCE = ("requester", "service", "customer", "category")
_BESIDE = (*LEVELS, *PEOPLE, "service", "customer", "category")


def history_of(
    number: str, rows: Sequence[Row], plan: Layout, lifecycle: Lifecycle, states: StateMap
) -> History:
    """The events of one record's rows; what is the same as in the row before is no event.

    The record opens at its `opened_at`, if the table says so, else with its first row. Tables of
    this kind hold no messages, so response clocks are unknown unless live contact answered.
    """
    findings: list[Finding] = []
    kept = _kept(rows, plan, findings)
    changes = list(_changes(kept, states, findings))
    first = kept[0][1]
    extra = {"number": number, "messages": "none", **_known(first, findings)}
    opener = actor(first.values.get("opened_by") or first.values.get("requester"))
    book = Book(number, lifecycle, states, first.values.get("requester"), changes)
    return told_history(
        changes, findings, book, at=_opened(kept[0], plan), by=opener,
        channel=_channel(first.values.get("channel")), extra=extra,
    )  # fmt: skip


def _kept(rows: Sequence[Row], plan: Layout, findings: list[Finding]) -> list[Placed]:
    """The rows by instant, equal instants as they stand in the table, repeats left out."""
    kept: list[Placed] = []
    repeats = Repeats(exact=plan.map.revision)
    before: dt.datetime | None = None
    for row in rows:
        at = plan.instant(row.wall, before)
        finding = repeats.finding(row.mark, at, row.line)
        if finding is not None:
            findings.append(finding)
        if finding is None or finding.code != "duplicate":
            kept.append((at, row))
            before = at
    return sorted(kept, key=lambda placed: placed[0])


def _known(first: Row, findings: list[Finding]) -> dict[str, Any]:
    """What the first row tells, as fields of the opening."""
    known = {name: plain(first.values.get(name)) for name in (*_ONCE, *PEOPLE)}
    for name, read in LEVELS.items():
        word = first.values.get(name)
        try:
            known[name] = None if word is None else read(word, name)
        except InvalidValue as wrong:
            findings.append(Finding("unknown_value", f"{wrong}; left out", first.line, str(word)))
    return known


def _opened(first: Placed, plan: Layout) -> dt.datetime:
    at, row = first
    told = row.values.get("opened_at")
    return at if told is None else plan.instant(plan.wall_of(row.line, told, "opened_at"))


def _channel(word: Any) -> str | None:
    """Their word for a channel as ours are written: "Walk-in" is walk_in."""
    return None if word is None else str(word).lower().replace(" ", "_").replace("-", "_")


def _changes(kept: Sequence[Placed], states: StateMap, findings: list[Finding]) -> list[ChangeRow]:
    """What each row changes against the row before it; the state last of one instant."""
    held = dict(kept[0][1].values)
    held["state"] = held["hold_reason"] = None
    made: list[ChangeRow] = []
    for at, row in kept:
        by = actor(row.values.get("by"))
        for name in (*_BESIDE, *_about_state(row, held, states, findings)):
            was, now = held.get(name), row.values.get(name)
            if was != now or name == "hold_reason":
                made.append(ChangeRow(row.line, at, name, None, now, by))
                held[name] = now
    return made


def _about_state(
    row: Row, held: dict[str, Any], states: StateMap, findings: list[Finding]
) -> tuple[str, ...]:
    """Which of state and hold reason the row tells anew; a word that is no state is reported."""
    word = row.values.get("state")
    if word is None or states.read(str(word)) is None:
        shown = "" if word is None else str(word)
        message = f"{shown!r} is no state that the map knows; the state is left as it was"
        findings.append(Finding("unknown_state", message, row.line, shown))
        return ()
    reason = row.values.get("hold_reason")
    if word != held["state"]:
        return ("state",) if reason is None else ("hold_reason", "state")
    return ("hold_reason",) if reason != held["hold_reason"] else ()
