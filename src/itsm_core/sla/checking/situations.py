"""What a record may be like while a clock looks at it: of one lifecycle, or of any.

A scene is a state of a record and what is said at that instant; conditions look at nothing else, so a
rule that holds of every scene holds of every history.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import product

import attrs

from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.graph import Graph
from itsm_core.sla.agreements.agreement import Agreement
from itsm_core.sla.agreements.measures import Condition, Measure
from itsm_core.sla.agreements.targets import Target
from itsm_core.sla.timeline import Mark, Word

Scene = tuple[Mark, tuple[Word, ...]]
Place = tuple[Phase, str, WaitsOn | None, str | None]
"""Phase, state, whom it waits for, outcome."""

_ANY_WAIT: tuple[WaitsOn | None, ...] = (None, *WaitsOn)


def conditions_of(measure: Measure) -> tuple[Condition, ...]:
    """All conditions of a measure."""
    return (*measure.start, *measure.stop, *measure.pause, *measure.resume, *measure.reset, *measure.void)


def waits_in(lifecycle: Definition) -> dict[str, frozenset[WaitsOn | None]]:
    """For each waiting state that records come to, whom they may wait for there; None: nobody says."""
    graph = Graph(lifecycle)
    found: dict[str, set[WaitsOn | None]] = {}
    for _, row, dest in graph.edges:
        if dest.phase is not Phase.WAITING or dest.id not in graph.met:
            continue
        asked = [need for need in row.requires if need.field == "hold_reason"]
        named = {WaitsOn(one) for need in asked for one in need.one_of if one in set(WaitsOn)}
        open_to: set[WaitsOn | None] = {*named} if named else {*WaitsOn}
        if not any(need.required and need.otherwise is None for need in asked):
            open_to.add(None)
        found.setdefault(dest.id, set()).update({dest.waits_on} if dest.waits_on else open_to)
    return {state: frozenset(waits) for state, waits in found.items()}


def places_of(lifecycle: Definition) -> list[Place]:
    """Where its records may be."""
    met, waits = Graph(lifecycle).met, waits_in(lifecycle)
    return [
        (state.phase, state.id, wait, state.outcome)
        for state in lifecycle.states
        if state.id in met
        for wait in sorted(waits.get(state.id, {None}), key=str)
    ]


def _anywhere(measure: Measure) -> list[Place]:
    """Where records of any lifecycle may be; names that no condition tells apart stand for one."""
    told = conditions_of(measure)
    states = ["", *sorted({name for one in told for name in one.states})]
    outcomes = ["", "cancelled", *sorted({name for one in told for name in one.outcomes})]
    rows: list[Place] = []
    for phase, state in product(Phase, states):
        waits = _ANY_WAIT if phase is Phase.WAITING else (None,)
        ends = outcomes if phase is Phase.CLOSED else [None]
        rows += [(phase, state, wait, end) for wait, end in product(waits, ends)]
    return rows


class Scenes:
    """The scenes that a target may meet, on a lifecycle or on any."""

    def __init__(self, target: Target, places: list[Place] | None) -> None:
        self.target, self.measure = target, target.conditions
        told = conditions_of(self.measure)
        self.places = _anywhere(self.measure) if places is None else places
        self.groups = [None, *sorted({name for one in told for name in one.groups})]
        self.assignees = [None, "somebody"] if any(one.assigned is not None for one in told) else [None]
        self.words = [(), *((Word(0, said, event=""),) for said in sorted(self.measure.hears))]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.places) * len(self.groups) * len(self.assignees) * len(self.words)

    def quiet(self, places: Iterable[Place] | None = None) -> Iterator[Mark]:
        """The scenes in which nothing is said."""
        for place in self.places if places is None else places:
            phase, state, wait, outcome = place
            for group, assignee in product(self.groups, self.assignees):
                yield Mark(
                    0, phase, waits_on=wait, state=state, outcome=outcome, event="",
                    group=group, assignee=assignee,
                )  # fmt: skip

    def all(self, places: Iterable[Place] | None = None) -> Iterator[Scene]:
        """All scenes."""
        yield from product(self.quiet(places), self.words)

    def ended(self, mark: Mark, words: tuple[Word, ...] = ()) -> bool:
        """Whether a clock that runs ends in a scene."""
        measure = self.measure
        left = measure.while_started and not measure.starts(mark, words)
        return mark.voids or left or measure.stops(mark, words) or measure.voids(mark, words)

    def begins(self, scene: Scene) -> bool:
        """Whether a clock begins in a scene and is not over at once."""
        return self.measure.starts(*scene) and not self.ended(*scene)

    def running(self) -> Iterator[Mark]:
        """The scenes, nothing being said, through which a clock that runs goes on."""
        return (mark for mark in self.quiet() if not self.ended(mark))

    def waits(self, mark: Mark) -> bool:
        """Whether a scene is a wait that the target lists as a pause."""
        return mark.phase is Phase.WAITING and mark.waits_on in self.target.pauses_on

    def pauses(self, mark: Mark) -> bool:
        """Whether the pause of the measure holds in a scene, and its resume does not."""
        return self.measure.pauses(mark) and not self.measure.resumes(mark)


# --- what rules read ------------------------------------------------------------------------------

Places = Iterable[tuple[str, str, str]]
"""Where a rule is broken, how, and what to do about it."""


@attrs.frozen(slots=False, eq=False, kw_only=True)
class Reading:
    """An agreement as the rules read it: with a lifecycle, other agreements and an instant, where given."""

    agreement: Agreement
    lifecycle: Definition | None = None
    others: tuple[Agreement, ...] = ()
    at: dt.datetime | None = None

    @cached_property
    def scenes(self) -> list[Scenes]:
        """What each target may meet; of a lifecycle it does not cover, what it may meet anywhere."""
        places = None if self.lifecycle is None else places_of(self.lifecycle)
        return [Scenes(target, places) for target in self.agreement.targets]


@attrs.frozen
class Rule:
    """A rule: what it asks of an agreement, and the function that finds where it is broken.

    A `warning` may be meant so. `lifecycle`: it has nothing to say without one.
    """

    code: str
    asks: str
    look: Callable[[Reading], Places]
    warning: bool = attrs.field(default=False, kw_only=True)
    lifecycle: bool = attrs.field(default=False, kw_only=True)
