"""Names of another system's states, and what they are called here."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle.definition import Lifecycle
from itsm_core.values import as_fields


@attrs.frozen
class Mapped:
    """A state of ours, and the reason if it is a hold."""

    state: str
    hold_reason: WaitsOn | None = None

    def __str__(self) -> str:
        return self.state if self.hold_reason is None else f"{self.state}/{self.hold_reason}"


def _mapped(text: str) -> Mapped:
    state, _, reason = text.partition("/")
    if not reason:
        return Mapped(state)
    try:
        return Mapped(state, WaitsOn(reason))
    except ValueError:
        known = ", ".join(WaitsOn)
        raise InvalidValue("state", text, f"{reason!r} is no hold reason", f"use one of {known}") from None


@attrs.frozen
class StateMap:
    """Which state of ours each of their words means.

    `inbound` maps their word to "state" or "state/hold_reason", as in
    {"Awaiting Vendor": "on_hold/supplier"}. A word it lacks is unknown, never guessed.
    """

    system: str
    inbound: Mapping[str, str] = attrs.field(converter=as_fields)

    def read(self, word: str) -> Mapped | None:
        """Our state for their word; None if the map does not have it."""
        text = self.inbound.get(word)
        return None if text is None else _mapped(text)

    @classmethod
    def own(cls, lifecycle: Lifecycle) -> StateMap:
        """The map of those who use our words: "on_hold", "on_hold/supplier", ..."""
        holds = [state.id for state in lifecycle.states if state.phase is Phase.WAITING]
        words = [*lifecycle.by_id, *(f"{state}/{reason}" for state in holds for reason in WaitsOn)]
        return cls(lifecycle.id, {word: word for word in words})

    def checked(self, lifecycle: Lifecycle) -> StateMap:
        """The map itself, if every state it names exists and only waiting states have reasons."""
        for text in self.inbound.values():
            mapped = _mapped(text)
            state = lifecycle.state(mapped.state)
            if mapped.hold_reason is not None and state.phase is not Phase.WAITING:
                raise InvalidValue(
                    "state", text, f"{state.id} is no waiting state", "give reasons to holds only"
                )
        return self
