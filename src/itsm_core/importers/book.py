"""Change rows of one record, in order, into its events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from itsm_core.actors import Actor
from itsm_core.errors import InvalidValue
from itsm_core.events import Audience, Direction, Event, Phase, WaitsOn, personal_among
from itsm_core.importers.change_rows import ChangeRow, Finding
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.parts import Transition
from itsm_core.lifecycle.state_map import Mapped, StateMap
from itsm_core.priority import Level, Priority
from itsm_core.values import digest

UNKNOWN = Actor.automation("unknown")
"""Who acted where the host does not say; an automation, so that its words answer nobody."""

STATE = frozenset({"state", "status"})
HOLD = frozenset({"hold_reason", "waits_on"})
WORDS = frozenset({"comment", "reply", "announcement"})
LEVELS = {"priority": Priority.of, "impact": Level.of, "urgency": Level.of}
PEOPLE = frozenset({"group", "assignee", "owner"})
NOTES = frozenset({"note", "work_notes"})

_MERGED = frozenset({"reprioritised", "assigned"})
_REASONS: dict[Any, WaitsOn] = {reason.value: reason for reason in WaitsOn}


@lru_cache(maxsize=64)
def _ways(lifecycle: Lifecycle) -> dict[tuple[str, str], Transition]:
    """The first transition that leads from one state to another."""
    found: dict[tuple[str, str], Transition] = {}
    for transition in lifecycle.transitions:
        for source in transition.sources:
            found.setdefault((source, transition.dest), transition)
    return found


def plain(value: Any) -> Any:
    """A value that an event may hold: floats and other types become text."""
    return value if value is None or isinstance(value, (str, int)) else str(value)


def _wording(row: ChangeRow) -> dict[str, Any]:
    """What was said, as far as the host kept it: an empty text is none."""
    text = "" if row.new is None else str(row.new)
    held = {"text": text, "text_digest": digest(text)} if text else {}
    return held if row.ref is None else {**held, "message_id": row.ref}


class _Draft(NamedTuple):
    kind: str
    at: dt.datetime
    by: Actor
    fields: dict[str, Any]
    from_state: str | None = None
    to_state: str | None = None
    channel: str | None = None


class Book:
    """The events of one record while its rows, which must be in order, are being read."""

    def __init__(
        self, record: str, lifecycle: Lifecycle, states: StateMap | None, requester: str | None,
        told: Sequence[ChangeRow],
    ) -> None:  # fmt: skip
        self._record, self._lifecycle, self._states = record, lifecycle, states
        self._requester, self._told = requester, told
        self._drafts: list[_Draft] = []
        self._state: str | None = None  # None: not told yet
        self._reason: WaitsOn | None = None
        self._holds = {row.at: row.new for row in told if row.field in HOLD and row.new}
        self._moved = {row.at for row in told if row.field in STATE and self._mapped(row.new)}
        self.findings: list[Finding] = []

    def _find(self, code: str, message: str, row: ChangeRow, value: object = None) -> None:
        told = None if value is None else str(value)
        self.findings.append(Finding(code, message, row.number, told))

    # -- opening -----------------------------------------------------------------------------------

    def open(
        self, at: dt.datetime | None, by: Actor | None, channel: str | None, extra: dict[str, Any]
    ) -> None:
        """Opens the record: in the state its first row comes from, else in the initial one."""
        began, first = self._beginning(at), self._first_state()
        if first is not None:
            self._enter(first)
        state = self._lifecycle.by_id[self._state or self._lifecycle.initial]
        fields = {
            "process": self._lifecycle.process, "phase": state.phase, "outcome": state.outcome,
            "waits_on": self._reason, "hold_reason": self._reason, **extra, **self._before(),
        }  # fmt: skip
        known = {name: value for name, value in fields.items() if value is not None}
        who = by or self._opener(at)
        self._drafts.append(_Draft("opened", began, who, known, None, state.id, channel))

    def _opener(self, at: dt.datetime | None) -> Actor:
        """Who opened it, if nobody says: the requester, unless it opens with its first row."""
        if at is not None and self._requester is not None:
            return Actor.person(self._requester)
        return (self._told[0].by if self._told else None) or UNKNOWN

    def _beginning(self, at: dt.datetime | None) -> dt.datetime:
        if not self._told:
            if at is None:
                raise InvalidValue("rows", [], "hold no change", "give rows or opened_at")
            return at
        first = self._told[0].at
        if at is not None and at > first:
            message = f"opened at {at.isoformat()}, after its first row; opened with that row"
            self._find("opened_late", message, self._told[0])
        return first if at is None else min(at, first)

    def _first_state(self) -> Mapped | None:
        """The state that the first state row comes from, if it says so and it is known."""
        row = next((row for row in self._told if row.field in STATE), None)
        return None if row is None or row.old is None else self._mapped(row.old)

    def _before(self) -> dict[str, Any]:
        """What the first row about a field says it was before: truer than what a host knows now."""
        seen: dict[str, Any] = {}
        for row in self._told:
            if row.field not in seen and (row.field in LEVELS or row.field in PEOPLE):
                seen[row.field] = self._value(row.field, row.old, row)
        return {field: value for field, value in seen.items() if value is not None}

    # -- rows --------------------------------------------------------------------------------------

    def take(self, row: ChangeRow) -> None:
        """Reads one row."""
        step = self._steps.get(row.field)
        if step is None:
            self._noted(row)
        else:
            step(self, row)

    def _add(
        self, kind: str, row: ChangeRow, fields: dict[str, Any],
        from_state: str | None = None, to_state: str | None = None,
    ) -> None:  # fmt: skip
        by, last = row.by or UNKNOWN, self._drafts[-1]
        same = last.kind == kind and last.at == row.at and last.by == by
        if kind in _MERGED and same and not last.fields.keys() & fields.keys():
            last.fields.update(fields)
            return
        self._drafts.append(_Draft(kind, row.at, by, fields, from_state, to_state))

    def _noted(self, row: ChangeRow) -> None:
        facts = {"field": row.field, "was": plain(row.old), "now": plain(row.new)}
        self._add("noted", row, facts)

    def _note(self, row: ChangeRow) -> None:
        self._add("noted", row, {"text": plain(row.new)})

    def _people(self, row: ChangeRow) -> None:
        self._add("assigned", row, {row.field: plain(row.new)})

    def _level(self, row: ChangeRow) -> None:
        value = self._value(row.field, row.new, row)
        if value is not None:
            self._add("reprioritised", row, {row.field: value})

    def _words(self, row: ChangeRow) -> None:
        if row.field == "comment" and self._requester is None:
            self._find("direction_unknown", "a comment, and nobody is named as requester", row)
            self._note(row)
            return
        public = row.field == "announcement"
        inbound = not public and row.by is not None and row.by.id == self._requester
        fields = {
            "direction": Direction.INBOUND if inbound else Direction.OUTBOUND,
            "audience": Audience.PUBLIC if public else Audience.REQUESTER,
        }  # fmt: skip
        self._add("communicated", row, fields | _wording(row))

    def _value(self, field: str, value: Any, row: ChangeRow) -> Any:
        """The value of a field; None, with a finding, if it is none."""
        if value is None or field in PEOPLE:
            return plain(value)
        try:
            return LEVELS[field](value, field)
        except InvalidValue as wrong:
            self._find("unknown_value", f"{wrong}; left as it was", row, value)
            return None

    # -- states ------------------------------------------------------------------------------------

    def _mapped(self, word: Any) -> Mapped | None:
        """Our state for a word; None if there is none. Without a map the words are ours."""
        text = str(word)
        if self._states is not None:
            return self._states.read(text)
        if text.partition("/")[0] not in self._lifecycle.by_id:
            return None
        return StateMap(self._lifecycle.id, {text: text}).read(text)

    def _move_of(self, row: ChangeRow) -> None:
        new = self._mapped(row.new)
        if new is None:
            message = f"{row.new!r} is no state that the map knows; the state is left as it was"
            self._find("unknown_state", message, row, row.new)
            return
        old = None if row.old is None else self._mapped(row.old)
        came_from = self._state if old is None else old.state
        if old is not None and self._state not in (None, old.state):
            self._find("gap", f"comes from {old.state}, but the record was {self._state}", row)
        self._move(row, came_from, self._reasoned(new, row))

    def _reasoned(self, new: Mapped, row: ChangeRow) -> Mapped:
        """The state with the reason of the hold, told by the map or at the same instant."""
        if new.hold_reason is not None or row.at not in self._holds:
            return new
        if self._lifecycle.state(new.state).phase is not Phase.WAITING:
            return new
        return Mapped(new.state, self._reason_of(self._holds[row.at], row))

    def _reason_of(self, word: Any, row: ChangeRow) -> WaitsOn | None:
        if word in _REASONS:
            return _REASONS[word]
        mapped = None if self._states is None else self._states.read(str(word))
        if mapped is None or mapped.hold_reason is None:
            message = f"{word!r} is no hold reason that the map knows; nothing pauses"
            self._find("unknown_value", message, row, word)
            return None
        return mapped.hold_reason

    def _hold(self, row: ChangeRow) -> None:
        """A new reason for a hold that goes on; beside a change of state it is told already."""
        if row.at in self._moved:
            return
        if self._state is None or self._lifecycle.state(self._state).phase is not Phase.WAITING:
            self._noted(row)
            return
        reason = self._reason_of(row.new, row) if row.new else None
        self._move(row, self._state, Mapped(self._state, reason))

    def _enter(self, new: Mapped) -> None:
        state = self._lifecycle.state(new.state)
        waiting = state.phase is Phase.WAITING
        self._state = state.id
        self._reason = (state.waits_on or new.hold_reason) if waiting else None

    def _move(self, row: ChangeRow, came_from: str | None, new: Mapped) -> None:
        was, reason = self._state or self._lifecycle.initial, self._reason
        self._enter(new)
        if (was, reason) == (new.state, self._reason) and came_from in (None, new.state):
            return
        state = self._lifecycle.by_id[new.state]
        fields = {
            "phase": state.phase, "outcome": state.outcome,
            "waits_on": self._reason, "hold_reason": self._reason,
        }  # fmt: skip
        if came_from is not None and came_from != state.id:
            fields |= self._way(came_from, state.id, row)
        known = {name: value for name, value in fields.items() if value is not None}
        self._add("transitioned", row, known, came_from, state.id)

    def _way(self, came_from: str, to: str, row: ChangeRow) -> dict[str, Any]:
        way = _ways(self._lifecycle).get((came_from, to))
        if way is None:
            label = f"{self._lifecycle.id} {self._lifecycle.version}"
            self._find("move_outside", f"{label} has no way from {came_from} to {to}", row)
            return {}
        return {"trigger": way.trigger, "reopens": way.reopens}

    # -- events ------------------------------------------------------------------------------------

    def events(self) -> list[Event]:
        """The events, counted through."""
        return [self._event(seq, draft) for seq, draft in enumerate(self._drafts, start=1)]

    def _event(self, seq: int, draft: _Draft) -> Event:
        fields = draft.fields
        # What an unknown field holds may be anybody's words: private by default.
        told = ("was", "now") if "field" in fields else personal_among(fields)
        return Event(
            id=f"{self._record}/{seq}", record=self._record, seq=seq, kind=draft.kind,
            occurred_at=draft.at, recorded_at=draft.at, actor=draft.by, channel=draft.channel,
            lifecycle=self._lifecycle.id, lifecycle_version=self._lifecycle.version,
            from_state=draft.from_state, to_state=draft.to_state, fields=fields, personal=told,
        )  # fmt: skip

    _steps: ClassVar[dict[str, Callable[[Book, ChangeRow], None]]] = {
        **dict.fromkeys(STATE, _move_of),
        **dict.fromkeys(HOLD, _hold),
        **dict.fromkeys(WORDS, _words),
        **dict.fromkeys(LEVELS, _level),
        **dict.fromkeys(PEOPLE, _people),
        **dict.fromkeys(NOTES, _note),
    }
