"""A record walked along a path, with actors who may and fields that answer what is asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import attrs

from itsm_core.actors import Actor
from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.instants import in_utc
from itsm_core.commands import Command
from itsm_core.errors import InvalidValue
from itsm_core.events import Event
from itsm_core.lifecycle.fields import CustomField
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.parts import Transition
from itsm_core.lifecycle.reasons import missing_needs
from itsm_core.lifecycle.timers import TIME, timer_due
from itsm_core.records import Record, fold
from itsm_core.testing.cast import cast, relations
from itsm_core.testing.edges import Edge
from itsm_core.testing.filling import filled
from itsm_core.testing.laws import obey
from itsm_core.testing.steps import Step, taken
from itsm_core.values import each, only

START = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)
"""When records are opened: a Monday, nine o'clock in UTC."""

EVERY = dt.timedelta(hours=1)
RECORD = "R-1"

Brought: TypeAlias = Mapping[str, Any] | Callable[[Record | None, str], Mapping[str, Any] | None]
Prepare: TypeAlias = Callable[[Record, str], Iterable[Command] | None]


def walk(
    lifecycle: Lifecycle,
    path: Iterable[Edge | str],
    *,
    actors: Iterable[Actor] | None = None,
    fields: Brought | None = None,
    prepare: Prepare | None = None,
    related: Iterable[Record] = (),
    calendar: BusinessCalendar | None = None,
    custom: Iterable[CustomField] = (),
    at: dt.datetime = START,
) -> tuple[Event, ...]:
    """The events of a record that is opened at `at` and walks a path, an hour for each step.

    The path is made of triggers, or of edges as `paths` gives them; an edge has to lead where it says.
    Each step is fired by the first of the actors (None: `cast`) who may, with a value for each field that
    is asked for; time fires timer edges when they are due.

    Where a guard wants more, `fields` gives values by name for what is asked, or is a function of the
    record (None: not opened yet) and the trigger that gives what to bring besides. `prepare` gives
    commands that go before a trigger, such as a request for approval and the votes.

    Each step is held to every law (`LAWS`). Raises `AssertionError` with all reasons where the path leads
    no farther.
    """
    if isinstance(path, str):
        raise InvalidValue("path", path, "is no list of steps", f"write ({path!r},)")
    walker = _Walker(
        lifecycle=only(Lifecycle, lifecycle, "lifecycle", "give the lifecycle itself, such as INCIDENT"),
        actors=cast(lifecycle) if actors is None else each(Actor, actors, "actors", "give a list of Actor"),
        fields=_brought({} if fields is None else fields),
        prepare=prepare,
        known={"related": tuple(related), "calendar": calendar, "custom": tuple(custom)},
    )
    events = walker.opened(in_utc(at, "at"))
    for step in path:
        events = walker.stepped(events, step)
    return events


def _brought(value: Brought) -> Brought:
    if isinstance(value, Mapping) or callable(value):
        return value
    remedy = 'write {"room": "12"}, or give a function of the record and the trigger'
    raise InvalidValue("fields", value, "are no mapping", remedy)


@attrs.frozen(kw_only=True)
class _Walker:
    """Who walks, with what: the arguments of `walk`."""

    lifecycle: Lifecycle
    actors: tuple[Actor, ...]
    fields: Brought
    prepare: Prepare | None
    known: Mapping[str, Any]

    def opened(self, at: dt.datetime) -> tuple[Event, ...]:
        """The events of a new record."""
        held = {"record": RECORD, "title": "A walk", **relations(self.lifecycle)}
        held |= filled(self.lifecycle.opening, self.lifecycle, at)
        fields = self._brought(None, "open", held)
        tries = (Command("open", actor, at=at, fields=fields) for actor in self.actors)
        return self._accepted((), "open", tries)

    def stepped(self, events: tuple[Event, ...], step: Edge | str) -> tuple[Event, ...]:
        """The events after one more step."""
        trigger = step.trigger if isinstance(step, Edge) else step
        if self.prepare is not None:
            for command in self.prepare(fold(events), trigger) or ():
                events = self._accepted(events, f"preparing {trigger} by {command.trigger}", [command])
        record = fold(events)
        events = self._accepted(events, str(step), self._tries(record, trigger, step))
        found = fold(events).state
        if isinstance(step, Edge) and found != step.dest:
            why = f"it led to {found}; bring fields that fit the guards of the way that is meant"
            raise self._stuck(record, str(step), why)
        return events

    def _tries(self, record: Record, trigger: str, step: Edge | str) -> Iterator[Command]:
        """The commands that may do it: each way of the trigger, fired by each actor."""
        rows = self.lifecycle.rows(trigger, record.state)
        meant = [row for row in rows if not isinstance(step, Edge) or row.dest == step.dest]
        for row in meant:
            at, actors = self._when(record, row)
            asked = missing_needs(row.requires, {}, record)
            fields = self._brought(record, trigger, filled(asked, self.lifecycle, at))
            for actor in actors:
                yield Command(trigger, actor, at=at, fields=fields)

    def _when(self, record: Record, row: Transition) -> tuple[dt.datetime, tuple[Actor, ...]]:
        """The instant of a step, and who may be the one who takes it."""
        next_hour = (record.changed_at or START) + EVERY
        if row.after is None:
            return next_hour, self.actors
        return max(next_hour, timer_due(record, row, self.known["calendar"]) or next_hour), (TIME,)

    def _brought(self, record: Record | None, trigger: str, asked: dict[str, Any]) -> dict[str, Any]:
        if callable(self.fields):
            return {**asked, **(self.fields(record, trigger) or {})}
        return {name: self.fields.get(name, value) for name, value in asked.items()}

    def _accepted(self, events: tuple[Event, ...], step: str, tries: Iterable[Command]) -> tuple[Event, ...]:
        """The events after the first of these commands that is accepted."""
        refused: list[Step] = []
        for command in tries:
            tried = taken(self.lifecycle, command, events, **self.known)
            obey(tried)
            if tried.decision.accepted:
                return tried.events
            refused.append(tried)
        record = fold(events) if events else None
        if not refused:
            leads = ", ".join(self.lifecycle.triggers_from(record.state)) if record else "open"
            raise self._stuck(record, step, f"it does not lead out of there; these do: {leads or 'none'}")
        best = min(refused, key=lambda tried: len(tried.decision.reasons))
        raise self._stuck(record, step, f"{best}\n  {best.decision}")

    def _stuck(self, record: Record | None, step: str, why: str) -> AssertionError:
        where = "before it is opened" if record is None else f"in {record.state}"
        name = f"{self.lifecycle.id} {self.lifecycle.version}"
        return AssertionError(f"walk of {name} stops {where}, at {step}: {why}")
