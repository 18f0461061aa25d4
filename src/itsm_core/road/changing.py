"""What one command changes, gathered for one commit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Sequence
from typing import Any

from itsm_core.events import Event
from itsm_core.ports import Ask, Message, Timer
from itsm_core.records import apply
from itsm_core.road.consequences import Wake
from itsm_core.road.terms import Standing, Terms, anew, onward


class Change:
    """Events gathered for one commit, and the record they lead to."""

    def __init__(self, terms: Terms, known: Standing) -> None:
        self.terms, self.known = terms, known
        self.record = known.record
        self.events: list[Event] = []
        self.messages: list[Message] = []
        self.wake: tuple[Wake | None] | None = None  # what waits for time; None: nobody looked yet
        # What is due by the first instant waits for the second.
        self.put_off: tuple[dt.datetime, dt.datetime] | None = None
        # What could not be found out about whom to tell, and the timer by which it is asked for again.
        self.failed: Exception | None = None
        self.owing: tuple[Timer, ...] = ()
        self._new: Standing | None = known

    def as_of(self, at: dt.datetime) -> dt.datetime:
        """The instant, or that of the record's newest event: a command may have come since it was read."""
        return max(at, self.record.changed_at or at)

    def add(self, events: Sequence[Event]) -> None:
        """Adds the events of a decision; what comes next is decided on the record after them."""
        if events:
            self.wake = None
        for event in events:
            self._new = None if self._new is None else onward(self._new, event)
            self.record = apply(self.record, event) if self._new is None else self._new.record
            self.events.append(event)

    def standing(self) -> Generator[Ask, Any, Standing]:
        """Where the record stands then; anew from all events if one came late."""
        if self._new is not None:
            return self._new
        return (yield from anew(self.known.record.id, self.events))
