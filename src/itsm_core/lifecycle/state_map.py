"""Names of another system's states, and what they are called here."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle.definition import Lifecycle
from itsm_core.values import Fields, as_fields, member, only


@attrs.frozen
class Mapped:
    """A state of ours, and the reason if it is a hold."""

    state: str
    hold_reason: WaitsOn | None = None

    def __str__(self) -> str:
        return self.state if self.hold_reason is None else f"{self.state}/{self.hold_reason}"


def _mapped(text: str) -> Mapped:
    state, _, reason = text.partition("/")
    return Mapped(state, member(WaitsOn, reason, "hold_reason") if reason else None)


def _inbound(value: Mapping[str, str]) -> Fields:
    remedy = 'write {"their word": "our state"}, such as {"Awaiting Vendor": "on_hold/supplier"}'
    if not isinstance(value, Mapping):
        raise InvalidValue("states", value, "are no mapping", remedy)
    for text in value.values():
        _mapped(only(str, text, "state", remedy))
    return as_fields(value)


@attrs.frozen
class StateMap:
    """Which state of ours each of their words means.

    `inbound` maps their word to "state" or "state/hold_reason", as in
    {"Awaiting Vendor": "on_hold/supplier"}. A word it lacks is unknown, never guessed. Whether
    the states exist is known once there is a lifecycle: `checked` looks, and whatever takes a map
    calls it.
    """

    system: str
    inbound: Mapping[str, str] = attrs.field(converter=_inbound)

    def read(self, word: str) -> Mapped | None:
        """Our state for their word; None if the map does not have it."""
        text = self.inbound.get(word) if isinstance(word, str) else None
        return None if text is None else _mapped(text)

    @classmethod
    def own(cls, lifecycle: Lifecycle) -> StateMap:
        """The map of those who use our words: "on_hold", "on_hold/supplier", ..."""
        holds = [state.id for state in lifecycle.states if state.phase is Phase.WAITING]
        words = [*lifecycle.by_id, *(f"{state}/{reason}" for state in holds for reason in WaitsOn)]
        return cls(lifecycle.id, {word: word for word in words})

    def checked(self, lifecycle: Lifecycle) -> StateMap:
        """The map itself, if every state it names exists and only waiting states have reasons."""
        only(Lifecycle, lifecycle, "lifecycle", "give the lifecycle itself, such as INCIDENT")
        for word, text in self.inbound.items():
            mapped = _mapped(text)
            try:
                state = lifecycle.state(mapped.state)
            except InvalidValue as wrong:
                raise InvalidValue(f"state of {word!r}", text, wrong.reason, wrong.remedy) from None
            if mapped.hold_reason is not None and state.phase is not Phase.WAITING:
                raise InvalidValue(
                    "state", text, f"{state.id} is no waiting state", "give reasons to holds only"
                )
        return self
