"""What changed between two lifecycles, and how much it asks of those who use them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any

import attrs

from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.parts import Need, Transition


class Grade(StrEnum):
    """How much a change asks for, the least first.

    COMPATIBLE: what went before still goes. REVIEW: somebody may be refused what went before, or a
    control falls away. NEEDS_MAP: stored records stand in a state that is gone. BREAKING: clocks or
    reports read something otherwise.
    """

    COMPATIBLE = "compatible"
    REVIEW = "review"
    NEEDS_MAP = "needs_map"
    BREAKING = "breaking"


_COMPATIBLE, _REVIEW, _NEEDS_MAP, _BREAKING = Grade
_WEIGHT = {grade: weight for weight, grade in enumerate(Grade)}


@attrs.frozen
class Difference:
    """One difference: its grade, a stable kind, where it is, and a sentence."""

    grade: Grade
    kind: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.grade}: {self.where} {self.message}"


def diff(old: Definition, new: Definition) -> tuple[Difference, ...]:
    """Every difference between two definitions, the gravest first; empty if they are equal."""
    found = [*_whole(old, new), *_states(old, new), *_transitions(old, new), *_beside(old, new)]
    if not found and old != new:
        found = [Difference(_COMPATIBLE, "order", new.id, "is written in another order or other rows")]
    return tuple(sorted(found, key=lambda change: -_WEIGHT[change.grade]))


# --- the whole --------------------------------------------------------------------------------

# fmt: off
_OF_THE_WHOLE = {
    "id":        (_COMPATIBLE, "lifecycle_renamed"),
    "version":   (_COMPATIBLE, "version"),
    "process":   (_BREAKING,   "process"),
    "initial":   (_REVIEW,     "initial"),
    "requester": (_REVIEW,     "requester"),
    "label":     (_COMPATIBLE, "words"),
}
_OF_A_STATE = {
    "phase":     (_BREAKING,   "phase"),
    "waits_on":  (_BREAKING,   "waits_on"),
    "outcome":   (_BREAKING,   "outcome"),
    "label":     (_COMPATIBLE, "words"),
}
_OF_A_TRANSITION = {
    "after":        (_REVIEW,     "timer"),
    "reopens":      (_BREAKING,   "reopens"),
    "label":        (_COMPATIBLE, "words"),
    "instructions": (_COMPATIBLE, "words"),
}
_OF_A_FIELD = {
    "type":      (_REVIEW,     "field_type"),
    "personal":  (_REVIEW,     "field_privacy"),
}
# fmt: on

_Rules = dict[str, tuple[Grade, str]]


def _plainly(where: str, old: Any, new: Any, rules: _Rules) -> Iterator[Difference]:
    """The attributes of a part that are another value now."""
    for name, (grade, kind) in rules.items():
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            said = "has other words" if kind == "words" else f"has {name} {_said(now)}, was {_said(was)}"
            yield Difference(grade, kind, where, said)


def _said(value: Any) -> str:
    return "none" if value is None else str(value)


def _sets(
    where: str, what: str, old: Iterable[str], new: Iterable[str], wider: Grade, narrower: Grade
) -> Iterator[Difference]:
    """What a set of names gained and what it lost."""
    for kind, grade, names in (
        ("added", wider, sorted(set(new) - set(old))),
        ("removed", narrower, sorted(set(old) - set(new))),
    ):
        if names:
            yield Difference(grade, f"{what}_{kind}", where, f"{_DONE[kind]} {what} {', '.join(names)}")


_DONE = {"added": "gains", "removed": "loses"}


def _whole(old: Definition, new: Definition) -> Iterator[Difference]:
    yield from _plainly(new.id, old, new, _OF_THE_WHOLE)
    if bool(old.roles) is not bool(new.roles):  # none listed: any role is known
        grade = _REVIEW if new.roles else _COMPATIBLE
        told = ", ".join(new.roles) if new.roles else "every role"
        yield Difference(grade, "roles_known", new.id, f"knows {told} now")
    else:
        yield from _sets(new.id, "role_known", old.roles, new.roles, _COMPATIBLE, _REVIEW)
    yield from _needs("open", old.opening, new.opening)
    olds, news = ({field.name: field for field in one.fields} for one in (old, new))
    yield from _sets(new.id, "field", olds, news, _COMPATIBLE, _REVIEW)
    for name in (name for name in olds if name in news):
        yield from _plainly(f"field {name}", olds[name], news[name], _OF_A_FIELD)


def _states(old: Definition, new: Definition) -> Iterator[Difference]:
    for name, state in old.by_id.items():
        if name not in new.by_id:
            yield Difference(
                _NEEDS_MAP, "state_removed", f"state {name}", "is gone; say where its records go"
            )
        else:
            yield from _plainly(f"state {name}", state, new.by_id[name], _OF_A_STATE)
    for name in (name for name in new.by_id if name not in old.by_id):
        yield Difference(_COMPATIBLE, "state_added", f"state {name}", "is new")


def _beside(old: Definition, new: Definition) -> Iterator[Difference]:
    """Guards of other commands, and the functions behind the names."""
    olds, news = old.guards_beside, new.guards_beside
    for trigger in dict.fromkeys((*olds, *news)):
        yield from _sets(trigger, "guard", olds.get(trigger, ()), news.get(trigger, ()), _REVIEW, _REVIEW)
    yield from _sets(new.id, "guard_known", old.guards, new.guards, _COMPATIBLE, _COMPATIBLE)
    for name in (name for name in old.guards if name in new.guards):
        if old.guards[name] != new.guards[name]:
            yield Difference(_REVIEW, "guard_function", f"guard {name}", "is another function")


# --- transitions ------------------------------------------------------------------------------

_Place = tuple[str, str]


def _transitions(old: Definition, new: Definition) -> Iterator[Difference]:
    """Edge by edge; what several edges of a trigger share is said once."""
    olds, news = _edges(old), _edges(new)
    told: dict[Difference, list[str]] = {}
    for trigger, source in dict.fromkeys((*olds, *news)):
        for change in _edge(trigger, olds.get((trigger, source), []), news.get((trigger, source), [])):
            told.setdefault(change, []).append(source)
    for change, sources in told.items():
        yield attrs.evolve(change, where=f"{change.where} from {', '.join(sources)}")


def _edges(definition: Definition) -> dict[_Place, list[Transition]]:
    """The rows of each trigger out of each state, in the order in which they are tried."""
    found: dict[_Place, list[Transition]] = {}
    for row in definition.transitions:
        for source in row.sources:
            found.setdefault((row.trigger, source), []).append(row)
    return found


def _edge(where: str, olds: list[Transition], news: list[Transition]) -> Iterator[Difference]:
    pairs, gone, come = _paired(olds, news)
    for row in gone:
        yield Difference(_REVIEW, "edge_removed", where, f"does not lead to {row.dest} any more")
    for row in come:
        grade = _REVIEW if olds or row.after is not None else _COMPATIBLE
        time = f" by itself after {row.after}" if row.after is not None else ""
        yield Difference(grade, "edge_added", where, f"leads to {row.dest}{time}")
    places = [next(n for n, row in enumerate(news) if row is new) for _, new in pairs]
    if places != sorted(places):
        yield Difference(_REVIEW, "edge_order", where, "tries its ways in another order")
    for old, new in pairs:
        yield from _row(where, old, new)


def _paired(
    olds: list[Transition], news: list[Transition]
) -> tuple[list[tuple[Transition, Transition]], list[Transition], list[Transition]]:
    """Rows that lead to the same state, the first with the first; what is left of the old and the new."""
    pairs, gone, come = [], [], list(news)
    for row in olds:
        twin = next((n for n, one in enumerate(come) if one.dest == row.dest), None)
        if twin is None:
            gone.append(row)
        else:
            pairs.append((row, come.pop(twin)))
    return pairs, gone, come


def _row(where: str, old: Transition, new: Transition) -> Iterator[Difference]:
    yield from _plainly(where, old, new, _OF_A_TRANSITION)
    yield from _sets(where, "role", old.roles, new.roles, _COMPATIBLE, _REVIEW)
    yield from _sets(where, "relation", old.relation, new.relation, _COMPATIBLE, _REVIEW)
    yield from _sets(where, "guard", old.guards, new.guards, _REVIEW, _REVIEW)
    yield from _sets(where, "separation", old.separate_from, new.separate_from, _REVIEW, _REVIEW)
    yield from _needs(where, old.requires, new.requires)


def _needs(where: str, old: tuple[Need, ...], new: tuple[Need, ...]) -> Iterator[Difference]:
    olds, news = ({need.field: need for need in needs} for needs in (old, new))
    yield from _sets(where, "need", olds, news, _REVIEW, _REVIEW)
    for name in (name for name in olds if name in news):
        was, now = olds[name], news[name]
        parts = [field.name for field in attrs.fields(Need) if _differ(was, now, field.name)]
        if parts == ["label"]:
            yield Difference(_COMPATIBLE, "words", where, f"has other words for {name}")
        elif parts:
            grade = _REVIEW if _stricter(was, now) else _COMPATIBLE
            yield Difference(grade, "need_changed", where, f"asks otherwise for {name}: {', '.join(parts)}")


def _differ(was: Need, now: Need, name: str) -> bool:
    return bool(getattr(was, name) != getattr(now, name))


def _stricter(was: Need, now: Need) -> bool:
    """Whether an answer that was good enough may not be now."""
    fewer = bool(now.one_of) and not (was.one_of and set(was.one_of) <= set(now.one_of))
    lost = was.otherwise not in (None, now.otherwise) or (was.kept and not now.kept)
    return fewer or lost or (now.required and not was.required)
