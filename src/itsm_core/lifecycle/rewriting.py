"""Tuples of parts rewritten: transitions turned elsewhere, needs and words added, names looked up.

What the steps of a derivation are made of; nothing here knows a whole lifecycle but to read it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TypeVar

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.events import Phase
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.parts import Need, State, Transition, Words


def chosen(name: str, known: Iterable[str], what: str, reason: str, otherwise: str = "") -> str:
    """The name itself, if it is among those known; else refused with those that come close."""
    names = list(dict.fromkeys(known))
    if isinstance(name, str) and name in names:
        return name
    raise InvalidValue(what, name, reason, near(name, names, otherwise))


def near(name: str, names: Sequence[str], otherwise: str = "") -> str:
    """What to write in place of an unknown name: one that comes close, else as said, else the choices."""
    found = difflib.get_close_matches(name[:_COMPARED], names, 3) if isinstance(name, str) else []
    if found:
        return f"did you mean {' or '.join(found)}?"
    return otherwise or f"use one of {', '.join(names[:_SHOWN])}" + ", ..." * (len(names) > _SHOWN)


_COMPARED, _SHOWN = 60, 20  # of a name, and of a list


def phase_differs(old: State, new: State) -> str:
    """How a record would change its phase by going from one state to the other; empty if it would not."""
    return "" if old.phase is new.phase else f"is of phase {new.phase}, {old.id} of {old.phase}"


def meaning_differs(old: State, new: State) -> str:
    """How clocks and reports would read one state otherwise than the other; empty if they would not.

    A state that leaves the wait to each hold takes those of a state with a wait of its own.
    """
    if old.phase is Phase.WAITING and new.waits_on not in (None, old.waits_on):
        return f"waits on {new.waits_on}, {old.id} on {old.waits_on or 'what each hold says'}"
    if old.outcome != new.outcome:
        return f"ends as {new.outcome}, {old.id} as {old.outcome}"
    return ""


def redirected(transitions: tuple[Transition, ...], gone: str, into: str | None) -> tuple[Transition, ...]:
    """The transitions without a state: what led there leads on, and what thereby became equal is one."""
    found: list[tuple[Transition, bool]] = []
    for row in transitions:
        turned = row.dest == gone
        away = {gone, into} if turned else {gone}  # what led from `into` to it leads nowhere now
        sources = tuple(source for source in row.sources if source not in away)
        if not sources or (turned and into is None):
            continue
        after = attrs.evolve(row, sources=sources, dest=into if turned and into else row.dest)
        twin = next((n for n, (one, was) in enumerate(found) if (was or turned) and _alike(one, after)), None)
        if twin is None:
            found.append((after, turned))
        else:
            one = found[twin][0]
            found[twin] = (attrs.evolve(one, sources=joined(one.sources, sources)), True)
    return tuple(row for row, _ in found)


def _alike(one: Transition, other: Transition) -> bool:
    """Whether two rows differ in their sources alone."""
    if (one.trigger, one.dest) != (other.trigger, other.dest):
        return False
    return attrs.evolve(one, sources=()) == attrs.evolve(other, sources=())


def joined(held: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    """The words of both, each once."""
    return tuple(dict.fromkeys((*held, *more)))


def needing(held: tuple[Need, ...], more: tuple[Need, ...]) -> tuple[Need, ...]:
    """The needs with more of them; one for a field that is there already takes its place."""
    by_field = {need.field: need for need in held}
    return tuple({**by_field, **{need.field: need for need in more}}.values())


# --- words ----------------------------------------------------------------------------------------

Part = TypeVar("Part", State, Transition, Need)


def places(definition: Definition) -> dict[str, list[tuple[str, str]]]:
    """What each name stands for: a state, a trigger, a field that is asked for, the process."""
    needs = (*definition.opening, *(need for row in definition.transitions for need in row.requires))
    found: dict[str, list[tuple[str, str]]] = {}
    for kind, names in (
        ("state", definition.by_id),
        ("trigger", definition.by_trigger),
        ("field", dict.fromkeys(need.field for need in needs)),
        ("process", (definition.process,)),
    ):
        for name in names:
            found.setdefault(name, []).append((kind, name))
            found.setdefault(f"{kind}.{name}", []).append((kind, name))
    return found


def labelled(part: Part, wanted: bool, lang: str, text: str) -> Part:
    """The part with its label in a language, if it is wanted."""
    return attrs.evolve(part, label=worded(part.label, lang, text)) if wanted else part


def worded(words: Words, lang: str, text: str) -> Words:
    """The words with those of a language."""
    return tuple({**dict(words), lang: text}.items())
