"""Rules about clocks: whether they start, pause and stop, on a lifecycle or on any."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from itsm_core.events import Phase
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.graph import Graph, told, told_all
from itsm_core.sla.agreements.measures import Measure
from itsm_core.sla.agreements.targets import Metric, Target
from itsm_core.sla.checking.situations import (
    Place,
    Places,
    Reading,
    Rule,
    Scenes,
    conditions_of,
    places_of,
    waits_in,
)
from itsm_core.sla.timeline import Said

# fmt: off
MOST_TARGETS = 1_000
MOST_NAMES   = 1_000
MOST_SCENES  = 100_000
# fmt: on


def _names(target: Target) -> int:
    """How many names its conditions and predicates hold."""
    found = conditions_of(target.conditions) if target.measure is not None else ()
    names = sum(1 + len(one.states) + len(one.outcomes) + len(one.groups) for one in found)
    return names + sum(len(among) for _, among in target.when)


def _size(reading: Reading) -> Places:
    targets = reading.agreement.targets
    remedy = "split it"
    if len(targets) > MOST_TARGETS:
        yield reading.agreement.label, f"holds {len(targets)} targets, more than {MOST_TARGETS}", remedy
        return
    names = sum(map(_names, targets))
    if names > MOST_NAMES:
        said = f"holds {names} names in conditions and predicates, more than {MOST_NAMES}"
        yield reading.agreement.label, said, remedy
        return
    scenes = sum(one.count for one in reading.scenes)
    most = MOST_SCENES * max(len(targets), 1)
    if scenes > most or any(one.count > MOST_SCENES for one in reading.scenes):
        said = f"asks its conditions of {scenes} situations, more than {MOST_SCENES} for a target"
        yield reading.agreement.label, said, remedy


# --- start, pause, stop ---------------------------------------------------------------------------


def _starts(reading: Reading) -> Places:
    for scenes in reading.scenes:
        if not any(scenes.begins(scene) for scene in scenes.all()):
            met = any(scenes.measure.starts(*scene) for scene in scenes.all())
            said = "its clock never runs: wherever start holds, stop holds too"
            never = "its clock never starts: no record is ever as start asks"
            remedy = "let start hold where stop and void do not"
            yield scenes.target.id, said if met else never, remedy


def _runs(reading: Reading) -> Places:
    for scenes in reading.scenes:
        stands = (scenes.waits(mark) or scenes.pauses(mark) for mark in scenes.running())
        lets = scenes.target.on_pause == "fixed" or not (scenes.target.pauses_on or scenes.measure.pause)
        if not lets and any(scenes.running()) and all(stands):
            said = "its clock is paused for ever: wherever it runs, pause holds too"
            yield scenes.target.id, said, "let pause hold in fewer situations, or give resume"


def _pauses(reading: Reading) -> Places:
    for scenes in reading.scenes:
        target = scenes.target
        if target.on_pause == "fixed" and (target.pauses_on or scenes.measure.pause):
            said = 'lists pauses, and on_pause="fixed" says that none moves the due instant'
            yield target.id, said, 'leave them out, or say on_pause="extend"'
        elif scenes.measure.pause and not any(map(scenes.pauses, scenes.running())):
            said = "its pause never holds while its clock runs, so nothing ever pauses it"
            yield target.id, said, "let pause hold where start does, and stop and resume do not"


def _waits(reading: Reading) -> Places:
    for scenes in reading.scenes:
        if not scenes.target.pauses_on:
            continue
        found = {mark.waits_on for mark in scenes.running() if mark.phase is Phase.WAITING}
        for wait in sorted(scenes.target.pauses_on - found):
            said = f"pauses on {wait}, and no record waits for that while its clock runs"
            known = told_all(sorted(one for one in found if one)) or "none"
            yield scenes.target.id, said, f"leave it out; records wait for {known}"


def _answered(reading: Reading) -> Places:
    for target in reading.agreement.targets:
        words = target.answered_by & {Said.MESSAGE, Said.AI_MESSAGE}
        if target.measure is None and target.metric in _ANSWERED and not words:
            said = "counts no message as an answer, so a record that came by mail is never answered"
            yield target.id, said, 'add "message" to answered_by'


_ANSWERED = frozenset({Metric.RESPONSE, Metric.UPDATE, Metric.REPLY})


def _stops(reading: Reading) -> Places:
    lifecycle = _lifecycle(reading)
    graph, places = Graph(lifecycle), _by_state(lifecycle)
    known: dict[Measure, list[str]] = {}
    for scenes in reading.scenes:
        if scenes.measure not in known:
            known[scenes.measure] = _endless(graph, places, scenes)
        way = known[scenes.measure]
        if way:
            said = f"its clock goes on after the end, by way of {told_all(way, ' to ')}"
            yield scenes.target.id, said, 'add a stop that holds there, such as Condition(phases="closed")'


def _by_state(lifecycle: Definition) -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    for place in places_of(lifecycle):
        found.setdefault(place[1], []).append(place)
    return found


def _endless(graph: Graph, places: dict[str, list[Place]], scenes: Scenes) -> list[str]:
    """A shortest way from a start to an end on which nothing can stop the clock; empty if there is none."""
    seeds = [
        state for state, rows in places.items()
        if any(map(scenes.begins, scenes.all(rows))) and not _stoppable(rows, scenes)
    ]  # fmt: skip
    came: dict[str, str | None] = dict.fromkeys(seeds)
    todo = deque(seeds)
    while todo:
        here = todo.popleft()
        if graph.lifecycle.by_id[here].phase is Phase.CLOSED:
            return _trail(came, here)
        for there in graph.ahead[here]:
            if there not in came and not _stoppable(places[there], scenes):
                came[there] = here
                todo.append(there)
    return []


def _stoppable(rows: list[Place], scenes: Scenes) -> bool:
    """Whether a clock may end in a state; what is said after the end comes too late."""
    if rows[0][0] is Phase.CLOSED:
        return any(map(scenes.ended, scenes.quiet(rows)))
    return any(scenes.ended(*scene) for scene in scenes.all(rows))


def _trail(came: dict[str, str | None], end: str) -> list[str]:
    way: list[str] = []
    step: str | None = end
    while step is not None:
        way.append(step)
        step = came[step]
    return way[::-1]


# --- names of the lifecycle -----------------------------------------------------------------------


def _lifecycle(reading: Reading) -> Definition:
    assert reading.lifecycle is not None  # noqa: S101 - rules that need one are asked with one
    return reading.lifecycle


def _known(reading: Reading) -> Places:
    lifecycle = _lifecycle(reading)
    waits = {wait for found in waits_in(lifecycle).values() for wait in found if wait}
    known: dict[str, tuple[str, set[str]]] = {
        "states": ("state", set(lifecycle.by_id)),
        "outcomes": ("outcome", {state.outcome for state in lifecycle.states if state.outcome}),
        "waits_on": ("wait for", {*waits}),
    }
    for target in reading.agreement.targets:
        for what, name, choices in sorted(set(_unknown(target, known))):
            said = f"names the {what} {told(name)}, which {told(lifecycle.id)} {lifecycle.version} lacks"
            yield target.id, said, f"use one of {choices}" if choices else "leave it out"


def _unknown(target: Target, known: dict[str, tuple[str, set[str]]]) -> Iterator[tuple[str, str, str]]:
    for condition in conditions_of(target.conditions):
        for aspect, (what, names) in known.items():
            for name in getattr(condition, aspect) - names:
                yield what, str(name), told_all(sorted(map(str, names)))


def _fields(reading: Reading) -> Places:
    kinds = _lifecycle(reading).kinds
    for target in reading.agreement.targets:
        for name, _ in target.when:
            if name not in kinds:
                said = f"asks for the field {told(name)}, which its records do not have"
                yield target.id, said, "correct the name, or declare the field in the lifecycle"


def _process(reading: Reading) -> Places:
    lifecycle, processes = _lifecycle(reading), reading.agreement.processes
    if processes and lifecycle.process not in processes:
        said = f"does not cover the process {told(lifecycle.process)}"
        yield reading.agreement.label, said, f"look at it with a lifecycle of {told_all(sorted(processes))}"


SIZE = Rule("A000", "The agreement is small enough to be looked at.", _size)
PROCESS = Rule("A008", "The agreement covers the process of the lifecycle.", _process, lifecycle=True)
CLOCK_RULES = (
    Rule("A001", "Each clock can start: somewhere start holds and stop does not.", _starts),
    Rule("A002", "No clock is paused for ever: somewhere it runs and no pause holds.", _runs),
    Rule("A003", "A pause can pause: somewhere it holds while the clock runs.", _pauses, warning=True),
    Rule("A004", "Records can wait for what a target pauses on.", _waits, warning=True),
    Rule("A005", "On every path to an end, something can stop each clock.", _stops, lifecycle=True),
    Rule("A006", "The lifecycle has the states, outcomes and waits that conditions name.", _known,
         lifecycle=True),
    Rule("A007", "The records have the fields that targets ask for.", _fields, lifecycle=True),
    Rule("A009", "A message can answer.", _answered, warning=True),
)  # fmt: skip
