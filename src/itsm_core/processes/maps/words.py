"""How the tables of the maps are read: words both ways, words of one way, codes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from itsm_core.events import WaitsOn
from itsm_core.lifecycle.state_map import StateMap

Words = Mapping[str, str]
NONE: Words = MappingProxyType({})


def both_ways(
    system: str, both: Words, *, read: Words = NONE, write: Words = NONE, codes: Words = NONE
) -> StateMap:
    """The map of words that mean the same both ways.

    `read` are further words of theirs; `write` gives states of ours that they have no word for the
    word of another. `codes` are their numbers, "/..." those of the second field: what has one is read
    by it too.
    """
    inbound = {**both, **read}
    coded = {_coded(theirs, codes): ours for theirs, ours in inbound.items()}
    outbound = {ours: theirs for theirs, ours in both.items()}
    return StateMap(system, {**inbound, **coded}, {**outbound, **write})


def in_codes(states: StateMap, codes: Words) -> StateMap:
    """The same map, written in codes."""
    written = {ours: _coded(theirs, codes) for ours, theirs in states.outbound.items()}
    return StateMap(states.system, states.inbound, written)


def with_reasons(theirs: str, ours: str = "on_hold") -> Words:
    """A hold of theirs that keeps our reason in a second field, such as "Pending/supplier"."""
    return {f"{theirs}/{reason}": f"{ours}/{reason}" for reason in WaitsOn}


def elsewhere(theirs: str) -> Words:
    """The states of records that go on in another one, in a system that knows none of them."""
    return dict.fromkeys(("duplicate", "merged", "retyped"), theirs)


def _coded(theirs: str, codes: Words) -> str:
    first, stroke, second = theirs.partition("/")
    return codes.get(first, first) + stroke + codes.get(stroke + second, second)
