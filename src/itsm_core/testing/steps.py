"""One command given to one record, and all that became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from itsm_core.actors import Actor
from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.commands import Command
from itsm_core.events import Event
from itsm_core.lifecycle.decision import Decision, decide
from itsm_core.lifecycle.fields import CustomField
from itsm_core.lifecycle.guards import Situation
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.options import Option, options
from itsm_core.records import Record, apply, fold, follows
from itsm_core.values import to_dict


@attrs.frozen(kw_only=True)
class Step:
    """A command given to a record, what was decided, and what became of the record.

    `history` and `before` are from before the command (no events and None where it opens the record),
    `was` is `before` as plain values, written down before anything was asked.
    """

    lifecycle: Lifecycle
    command: Command
    history: tuple[Event, ...] = ()
    before: Record | None = None
    was: Mapping[str, Any] | None = None
    decision: Decision
    after: Record | None = None
    related: tuple[Record, ...] = ()
    calendar: BusinessCalendar | None = None
    custom: tuple[CustomField, ...] = ()

    @property
    def transition(self) -> Event | None:
        """The event that moved the record, if one did."""
        return next((event for event in self.decision.events if event.kind == "transitioned"), None)

    @property
    def events(self) -> tuple[Event, ...]:
        """The whole history after the step."""
        return (*self.history, *self.decision.events)

    def situation(self, record: Record) -> Situation:
        """What guards look at."""
        return Situation.of(record, self.command, self.related, self.calendar)

    def decided(self, command: Command, *custom: CustomField) -> Decision:
        """What is decided on a command in the same circumstances."""
        return decide(
            self.before,
            command,
            self.lifecycle,
            custom=(*self.custom, *custom),
            related=self.related,
            calendar=self.calendar,
        )

    def options(self, actor: Actor) -> tuple[Option, ...]:
        """The buttons of an actor in the same circumstances; none where there is no record."""
        if self.before is None:
            return ()
        return options(
            self.before,
            actor,
            self.lifecycle,
            at=self.command.at,
            related=self.related,
            calendar=self.calendar,
        )

    def __str__(self) -> str:
        command = self.command
        who = f"{command.actor.id} ({', '.join(sorted(command.actor.roles)) or 'no role'})"
        where = "nothing" if self.before is None else f"a record in {self.before.state}"
        fields = ", ".join(f"{name}={value!r}" for name, value in command.fields.items())
        return f"{command.trigger} on {where} by {who} at {command.at.isoformat()}, fields {{{fields}}}"


def taken(
    lifecycle: Lifecycle,
    command: Command,
    history: tuple[Event, ...] = (),
    *,
    related: tuple[Record, ...] = (),
    calendar: BusinessCalendar | None = None,
    custom: tuple[CustomField, ...] = (),
) -> Step:
    """The step that a command is for a record with this history."""
    before = fold(history) if history else None
    was = None if before is None else to_dict(before)
    decision = decide(before, command, lifecycle, custom=custom, related=related, calendar=calendar)
    after = before
    for event in decision.events:
        plain = after is None or follows(after, event)
        after = apply(after, event) if plain else fold((*history, *decision.events))
    return Step(
        lifecycle=lifecycle,
        command=command,
        history=history,
        before=before,
        was=was,
        decision=decision,
        after=after,
        related=related,
        calendar=calendar,
        custom=custom,
    )
