"""Events written down: the envelope of what a command makes."""

from __future__ import annotations

from typing import Any

import attrs

from itsm_core.commands import Command
from itsm_core.events import SCHEMA, Event
from itsm_core.lifecycle.fields import CustomField, personal_marks
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.values import NO_FIELDS, as_fields, trusted


@attrs.frozen
class Scribe:
    """Writes down the events of one command; their ids follow from its id, so a repeat makes the same."""

    record: str
    tenant: str | None
    command: Command
    lifecycle: Lifecycle
    custom: tuple[CustomField, ...]

    def event(
        self,
        seq: int,
        kind: str,
        fields: dict[str, Any],
        *,
        part: int = 1,
        states: tuple[str | None, str | None] = (None, None),
    ) -> Event:
        """The event at this place of the record; `part` numbers those of one command from 1."""
        command = self.command
        name = command.id or f"{self.record}/{seq}"
        return _event(
            f"{name}#{part}" if part > 1 else name, self.record, seq, kind, command.at,
            command.recorded_at or command.at, command.actor, SCHEMA, command.on_behalf_of, command.channel,
            command.cause, self.lifecycle.id, self.lifecycle.version, states[0], states[1], as_fields(fields),
            personal_marks(fields, self.custom), NO_FIELDS, self.tenant,
        )  # fmt: skip


_event = trusted(Event)  # whatever it takes was checked by the command and the decision
