"""Names of another system's states: what they are called here, and what ours are called there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.parts import State, Transition, wait
from itsm_core.values import Fields, as_fields, only, word

_SAFE = 2**53  # codes are read as their digits; Python refuses to write numbers of thousands of them

_CUSTOMERS = frozenset({WaitsOn.REQUESTER, WaitsOn.CUSTOMER_APPROVER, WaitsOn.SCHEDULE})
"""The waits that an agreement may list as pauses of the customer's clock."""


@attrs.frozen
class Mapped:
    """A state of ours, and the reason if it is a hold."""

    state: str
    hold_reason: WaitsOn | None = None

    def __str__(self) -> str:
        return self.state if self.hold_reason is None else f"{self.state}/{self.hold_reason}"


@attrs.frozen
class MapFinding:
    """One thing that a map gets wrong or loses: its rule, what, and at which word or state.

    X001  a state of ours has no word of theirs                      error
    X002  the map names a state that the lifecycle does not have     error
    X003  a word is written that the map does not read               error
    X004  written and read back, a state changes its phase, or a     error
          wait on the customer's side becomes another, or the reverse
    X005  written and read back, it is another state of its phase,   info
          or a wait for somebody else on the same side
    """

    code: str
    message: str
    where: str

    @property
    def level(self) -> str:
        """How bad it is: "info" for what is lost within a phase, "error" for all else."""
        return "info" if self.code == "X005" else "error"

    def __str__(self) -> str:
        return f"{self.code} {self.where}: {self.message}"


def _mapped(text: str) -> Mapped:
    state, _, reason = text.partition("/")
    return Mapped(state, wait(reason) if reason else None)


def _inbound(value: Mapping[str, str]) -> Fields:
    remedy = 'write {"their word": "our state"}, such as {"Awaiting Vendor": "on_hold/supplier"}'
    if not isinstance(value, Mapping):
        raise InvalidValue("states", value, "are no mapping", remedy)
    for text in value.values():
        _mapped(only(str, text, "state", remedy))
    return as_fields(value)


def _outbound(value: Mapping[str, str]) -> Fields:
    remedy = 'write {"our state": "their word"}, such as {"on_hold/supplier": "Awaiting Vendor"}'
    if not isinstance(value, Mapping):
        raise InvalidValue("outbound", value, "are no mapping", remedy)
    for ours, theirs in value.items():
        mapped = _mapped(only(str, ours, "state", remedy))
        if str(mapped) != ours:
            raise InvalidValue("state", ours, "names no reason after the stroke", f"write {str(mapped)!r}")
        word(theirs, f"word for {ours!r}", remedy)
    return as_fields(value)


@attrs.frozen
class StateMap:
    """Which state of ours each of their words means, and which word of theirs each of our states.

    `inbound` maps their word to "state" or "state/hold_reason", as in
    {"Awaiting Vendor": "on_hold/supplier"}; `outbound` maps ours to their word. A word that
    `inbound` lacks is unknown, never guessed. Whether the states exist is known once there is a
    lifecycle: `checked` looks, and whatever takes a map calls it; `check` also says what a round
    trip loses.
    """

    system: str
    inbound: Mapping[str, str] = attrs.field(converter=_inbound)
    outbound: Mapping[str, str] = attrs.field(factory=dict, converter=_outbound)

    def read(self, word: str | int) -> Mapped | None:
        """Our state for their word or code; None if the map does not have it."""
        if type(word) is int and abs(word) < _SAFE:
            word = str(word)
        text = self.inbound.get(word) if isinstance(word, str) else None
        return None if text is None else _mapped(text)

    def write(self, state: str, hold_reason: WaitsOn | str | None = None) -> str | None:
        """Their word for our state; None if the map does not have it.

        A hold for whose reason there is no word is written as the hold alone.
        """
        if not isinstance(state, str):
            return None
        mapped = Mapped(state, wait(hold_reason) if hold_reason else None)
        return self.outbound.get(str(mapped), self.outbound.get(state))

    @classmethod
    def own(cls, lifecycle: Lifecycle) -> StateMap:
        """The map of those who use our words: "on_hold", "on_hold/supplier", ..."""
        holds = [state.id for state in lifecycle.states if state.phase is Phase.WAITING]
        words = [*lifecycle.by_id, *(f"{state}/{reason}" for state in holds for reason in WaitsOn)]
        same = {word: word for word in words}
        return cls(lifecycle.id, same, same)

    def checked(self, lifecycle: Lifecycle) -> StateMap:
        """The map itself, if every state it names exists and only waiting states have reasons."""
        _only(lifecycle)
        for place, text in _named(self):
            wrong = _wrong(lifecycle, _mapped(text))
            if wrong is not None:
                raise InvalidValue(f"state {place}", text, wrong.reason, wrong.remedy)
        return self

    def check(self, lifecycle: Lifecycle) -> tuple[MapFinding, ...]:
        """What the map gets wrong, and what is lost when our states go there and come back.

        A map that is only read has no words for our states: for it, `checked` is enough.
        """
        _only(lifecycle)
        return (*_unknown(self, lifecycle), *_unread(self), *_lost(self, lifecycle))


# --- the rules --------------------------------------------------------------------------------


def _only(lifecycle: object) -> None:
    only(Lifecycle, lifecycle, "lifecycle", "give the lifecycle itself, such as INCIDENT")


def _named(states: StateMap) -> Iterator[tuple[str, str]]:
    """Every state of ours that the map names, with where it does."""
    for theirs, ours in states.inbound.items():
        yield f"of {theirs!r}", ours
    for ours, theirs in states.outbound.items():
        yield f"written as {theirs!r}", ours


def _wrong(lifecycle: Lifecycle, mapped: Mapped) -> InvalidValue | None:
    """Why a lifecycle has no such state, or no such hold."""
    try:
        state = lifecycle.state(mapped.state)
    except InvalidValue as wrong:
        return wrong
    if mapped.hold_reason is not None and state.phase is not Phase.WAITING:
        return InvalidValue(
            "state", str(mapped), f"{state.id} is no waiting state", "give reasons to holds only"
        )
    return None


def _unknown(states: StateMap, lifecycle: Lifecycle) -> Iterator[MapFinding]:
    for place, text in _named(states):
        wrong = _wrong(lifecycle, _mapped(text))
        if wrong is not None:
            yield MapFinding("X002", f"state {place}: {wrong.reason}; {wrong.remedy}", text)


def _unread(states: StateMap) -> Iterator[MapFinding]:
    for ours, theirs in states.outbound.items():
        if theirs not in states.inbound:
            yield MapFinding("X003", f"becomes {theirs!r}, which the map does not read", ours)


def _lost(states: StateMap, lifecycle: Lifecycle) -> Iterator[MapFinding]:
    for state in lifecycle.states:
        for mapped in _holds(state, lifecycle):
            theirs = states.write(mapped.state, mapped.hold_reason)
            if theirs is None:
                yield MapFinding("X001", "has no word there", str(mapped))
                continue
            back = states.read(theirs)
            if back is not None and _wrong(lifecycle, back) is None:
                yield from _changed(lifecycle, mapped, theirs, back)


def _holds(state: State, lifecycle: Lifecycle) -> Iterator[Mapped]:
    """The state; where each hold says whom it waits for, the state with every reason it may have."""
    if state.phase is not Phase.WAITING or state.waits_on is not None:
        yield Mapped(state.id)
        return
    into = [t for t in lifecycle.transitions if t.dest == state.id]
    allowed = {reason for transition in into for reason in _reasons(transition)}
    yield from (Mapped(state.id, reason) for reason in (None, *WaitsOn) if reason in allowed)


def _reasons(transition: Transition) -> Iterable[str | None]:
    """The hold reasons that a transition may bring; None where it may bring none."""
    for need in transition.requires:
        if need.field == "hold_reason" and need.otherwise is None:
            return need.one_of or WaitsOn
    return (None, *WaitsOn)


def _changed(lifecycle: Lifecycle, mapped: Mapped, theirs: str, back: Mapped) -> Iterator[MapFinding]:
    """What is different about a state that comes back."""
    before, after = _meaning(lifecycle, mapped), _meaning(lifecycle, back)
    way, turned = f"becomes {theirs!r} and comes back as {back}", _turned(before, after)
    if turned:
        yield MapFinding("X004", f"{way}: {turned}", str(mapped))
    elif before != after:
        yield MapFinding("X005", way, str(mapped))


def _meaning(lifecycle: Lifecycle, mapped: Mapped) -> tuple[State, WaitsOn | None]:
    """The state, and whom it waits for: a state that says so itself asks no hold."""
    state = lifecycle.state(mapped.state)
    return state, state.waits_on or mapped.hold_reason


def _turned(before: tuple[State, WaitsOn | None], after: tuple[State, WaitsOn | None]) -> str:
    """What a clock would count otherwise, or an empty text."""
    (was, waited), (now, waits) = before, after
    if was.phase is not now.phase:
        return f"{was.phase} turns into {now.phase}"
    if (waited in _CUSTOMERS) == (waits in _CUSTOMERS):
        return ""
    if waited in _CUSTOMERS:
        return "a wait on the customer's side turns into one that is not"
    return "a wait that is not on the customer's side turns into one that is"
