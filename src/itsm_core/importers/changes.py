"""A host's change table as events: `history_from_changes`.

A change is a row (at, field, old, new, by), as a tuple or a mapping with these keys. What each
field becomes:

    state, status                transitioned: phase, waits_on, and the trigger that leads there
    hold_reason, waits_on        the reason of the hold of that instant, or a new one for it
    priority, impact, urgency    reprioritised
    group, assignee, owner       assigned
    reply                        communicated to the requester
    comment                      communicated: inbound if by the requester, else outbound
    announcement                 communicated to the public
    note, work_notes             noted
    any other                    noted, with the facts `field`, `was` and `now`

This is the lenient door: a history has happened, so nothing is refused because it does not fit a
lifecycle. What does not fit stands in `findings` under a stable code: unknown_state (left as it
was), unknown_value, move_outside, gap (a row comes from another state than the one before it led
to), out_of_order, duplicate, opened_late, direction_unknown. Only a row that says nothing at all
(no instant, not five parts, a naive datetime without a zone) is refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Self
from zoneinfo import ZoneInfo

from itsm_core.actors import Actor
from itsm_core.business_time.instants import zone_of
from itsm_core.errors import InvalidValue
from itsm_core.events import Event
from itsm_core.importers.book import WORDS, Book
from itsm_core.importers.change_rows import Change, ChangeRow, Finding, actor, in_order, instant, read_row
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.state_map import StateMap
from itsm_core.processes import INCIDENT
from itsm_core.values import as_fields, named, only


class History(tuple[Event, ...]):  # noqa: SLOT001 - a tuple can have no further slots
    """The events of one record, a plain tuple, and beside them what did not fit."""

    findings: tuple[Finding, ...]

    def __new__(cls, events: Iterable[Event] = (), findings: Iterable[Finding] = ()) -> Self:
        made = super().__new__(cls, events)
        made.findings = tuple(findings)
        return made

    def found(self, code: str) -> tuple[Finding, ...]:
        """The findings with a code."""
        return tuple(finding for finding in self.findings if finding.code == code)


def history_from_changes(
    rows: Iterable[Change], *, record: str, lifecycle: Lifecycle = INCIDENT,
    states: StateMap | None = None, zone: str | ZoneInfo | None = None,
    opened_at: dt.datetime | str | None = None, opened_by: Actor | str | None = None,
    requester: str | None = None, channel: str | None = None, messages: bool | None = None,
    fields: Mapping[str, Any] | None = None,
) -> History:  # fmt: skip
    """The events of one record that a host's change rows tell, with findings of what does not fit.

    `states` names our states for the host's words; without it the words are ours, as "on_hold" or
    "on_hold/supplier"; a map that names a state which the lifecycle lacks is refused. Instants are
    aware datetimes or ISO 8601 texts; naive ones take `zone`.
    The record opens at `opened_at`, else with its first row, in the state that the first row
    comes from. Where that is not said it opens in the lifecycle's initial state, and its first
    known state is an event without `from_state`: a start, no move. `fields` are what is known of
    the record; where the first row about one of them says what it was before, that counts at the
    opening. `opened_by` is, where nobody says, the `requester` for a given `opened_at`, else who
    made the first row. `messages` says whether the host's table holds messages at all: False leaves
    response clocks unknown, None looks whether this history holds any.

    >>> history = history_from_changes(
    ...     [
    ...         ("2024-02-04T10:30:00+08:00", "state", None, "new", "ana"),
    ...         ("2024-02-04T10:42:00+08:00", "state", "new", "resolved", "ben"),
    ...     ],
    ...     record="INC1",
    ... )
    >>> [(event.kind, event.to_state) for event in history], history.findings
    ([('opened', 'new'), ('transitioned', 'resolved')], ())
    """
    named(record, "record", 'name it, such as "INC-1"')
    only(Lifecycle, lifecycle, "lifecycle", "give the lifecycle itself, such as INCIDENT")
    if states is not None:
        remedy = 'wrap it: StateMap("our shop", {"Open": "new"})'
        only(StateMap, states, "states", remedy).checked(lifecycle)
    if isinstance(rows, (str, Mapping)) or not isinstance(rows, Iterable):
        raise InvalidValue("rows", rows, "are no list of changes", "give [(at, field, old, new, by), ...]")
    known = zone if zone is None or isinstance(zone, dt.tzinfo) else zone_of(zone)
    told, findings = in_order(read_row(n, row, known) for n, row in enumerate(rows, start=1))
    spoken = messages if messages is not None else any(row.field in WORDS for row in told)
    extra = {"requester": requester, "messages": None if spoken else "none", **as_fields(fields)}
    began = None if opened_at is None else instant(opened_at, known, "opened_at", None)
    return told_history(
        told, findings, Book(record, lifecycle, states, requester, told),
        at=began, by=actor(opened_by), channel=channel, extra=extra,
    )  # fmt: skip


def told_history(
    told: list[ChangeRow], findings: list[Finding], book: Book, *,
    at: dt.datetime | None, by: Actor | None, channel: str | None, extra: dict[str, Any],
) -> History:  # fmt: skip
    """The history of rows that are in order already, through a fresh book."""
    book.open(at, by, channel, extra)
    for row in told:
        book.take(row)
    return History(book.events(), [*findings, *book.findings])
