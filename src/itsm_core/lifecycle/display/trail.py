"""What a record adds to the display of its lifecycle: where it is, how it came there, its waivers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from functools import cached_property

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.events import Event, effective
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.parts import Transition
from itsm_core.records import Record, Waiver, fold
from itsm_core.values import each, only


@attrs.frozen(kw_only=True)
class Step:
    """A move on the path: the how-manieth, whence and whither, by which trigger, when and by whom.

    Move 0 is the opening. `under` names lifecycle and version, if it was not the one on display.
    """

    number: int
    source: str | None
    dest: str
    trigger: str
    at: dt.datetime
    by: str
    under: tuple[str, int] | None = None


@attrs.frozen(kw_only=True)
class Trail:
    """A record on its lifecycle; `record` None is the lifecycle alone."""

    record: Record | None = None
    steps: tuple[Step, ...] = ()

    @property
    def now(self) -> str | None:
        """The state in which the record is."""
        return None if self.record is None else self.record.state

    @property
    def waivers(self) -> tuple[Waiver, ...]:
        """The duties that one person may join on this record."""
        return () if self.record is None else self.record.waivers

    @property
    def number(self) -> str:
        """What people call the record."""
        return "" if self.record is None else self.record.number or self.record.id

    @property
    def review(self) -> bool:
        """Whether the words of waivers may be shown: a restricted record keeps its free text."""
        return self.record is not None and not self.record.restricted

    @cached_property
    def moves(self) -> dict[tuple[str, str], dict[str, tuple[int, ...]]]:
        """The moves of this lifecycle by their two states and trigger, by number."""
        found: dict[tuple[str, str], dict[str, tuple[int, ...]]] = {}
        for step in self.steps:
            if step.under is None and step.source is not None:
                between = found.setdefault((step.source, step.dest), {})
                between[step.trigger] = (*between.get(step.trigger, ()), step.number)
        return found

    def taking(self, row: Transition) -> tuple[int, ...]:
        """The moves that a transition made, in order."""
        ways = (self.moves.get((source, row.dest), {}) for source in row.sources)
        return tuple(sorted(number for way in ways for number in way.get(row.trigger, ())))

    @cached_property
    def entered(self) -> dict[str, tuple[int, ...]]:
        """The numbers of the moves that led into each state."""
        found: dict[str, tuple[int, ...]] = {}
        for step in self.steps:
            if step.under is None:
                found[step.dest] = (*found.get(step.dest, ()), step.number)
        return found


def trail(definition: Definition, record: Record | None = None, history: Iterable[Event] = ()) -> Trail:
    """The record on its lifecycle; without one it is folded from the history, if there is any.

    A record of another lifecycle, and an event of another record, are refused.
    """
    events = each(Event, history, "history", "give its events: history=desk.history(id)")
    if record is not None:
        only(Record, record, "record", "give a Record, such as lifecycle.record(...)")
    about = record.id if record is not None else events[0].record if events else ""
    for event in events:
        if event.record != about:
            reason = f"tells of {event.record!r}, not of {about!r}"
            raise InvalidValue("history", event.id, reason, "give the history of one record")
    if record is None and events:
        record = fold(events)
    if record is not None:
        _fits(definition, record)
    return Trail(record=record, steps=tuple(_steps(definition, events)))


def _fits(definition: Definition, record: Record) -> None:
    """Refuses a record that runs on another lifecycle, or is in a state that this one has not."""
    runs_on = (record.lifecycle, record.lifecycle_version)
    if record.lifecycle and runs_on != (definition.id, definition.version):
        reason = f"runs on {runs_on[0]} {runs_on[1]}, not on {definition.id} {definition.version}"
        raise InvalidValue("record", record.id, reason, "show it on its own lifecycle")
    definition.state(record.state)


def _steps(definition: Definition, events: Iterable[Event]) -> Iterator[Step]:
    moves = [event for event in effective(events) if event.to_state is not None]
    number = 0
    for event in moves:
        number += event.kind != "opened"
        yield Step(
            number=number if event.kind != "opened" else 0,
            source=event.from_state,
            dest=event.to_state or "",
            trigger=str(event.fields.get("trigger") or _OF_KIND.get(event.kind, event.kind)),
            at=event.occurred_at,
            by=event.actor.id,
            under=_under(event, definition),
        )


_OF_KIND = {"opened": "open", "migrated": "migrate"}


def _under(event: Event, definition: Definition) -> tuple[str, int] | None:
    """The lifecycle and version of a move that the lifecycle on display does not know."""
    if event.lifecycle is None:
        return None
    ruled = (event.lifecycle, event.lifecycle_version or 1)
    return None if ruled == (definition.id, definition.version) and event.kind != "migrated" else ruled
