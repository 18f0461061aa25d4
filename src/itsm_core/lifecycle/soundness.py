"""Whether a lifecycle can work: coded rules that look at the definition alone.

The phase moves are the contract between a lifecycle and everything that counts its time: a
customised lifecycle that keeps them keeps its clocks, reports and evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import attrs

from itsm_core.errors import Reason, UnsoundLifecycle
from itsm_core.events import Phase
from itsm_core.lifecycle.beside import BESIDE
from itsm_core.lifecycle.definition import Lifecycle

# fmt: off
_ANY = frozenset(Phase)
PHASE_MOVES: dict[Phase, frozenset[Phase]] = {
    Phase.NEW:      _ANY,
    Phase.ACTIVE:   _ANY,
    Phase.WAITING:  _ANY,
    Phase.RESOLVED: frozenset({Phase.NEW, Phase.ACTIVE, Phase.RESOLVED, Phase.CLOSED}),
    Phase.CLOSED:   frozenset(),
}
# fmt: on


@attrs.frozen
class Finding:
    """One thing wrong with a definition: its rule, what, and where."""

    code: str
    message: str
    where: str

    def __str__(self) -> str:
        return f"{self.code} {self.where}: {self.message}"


Rule = Callable[[Lifecycle], Iterable[tuple[str, str]]]
_RULES: dict[str, Rule] = {}


def _rule(code: str) -> Callable[[Rule], Rule]:
    def add(rule: Rule) -> Rule:
        _RULES[code] = rule
        return rule

    return add


def check(lifecycle: Lifecycle) -> tuple[Finding, ...]:
    """Everything that is wrong with a definition; empty if it is sound.

    References are looked at first: without them the other rules have nothing to stand on.
    """
    broken = _find(lifecycle, ("L001", "L002", "L003"))
    return broken or _find(lifecycle, tuple(_RULES))


def sound(lifecycle: Lifecycle) -> Lifecycle:
    """The lifecycle itself, or `UnsoundLifecycle` with every finding."""
    findings = check(lifecycle)
    if findings:
        reasons = [Reason(f.code, str(f)) for f in findings]
        raise UnsoundLifecycle(f"lifecycle {lifecycle.id} {lifecycle.version}", reasons)
    return lifecycle


def _find(lifecycle: Lifecycle, codes: Iterable[str]) -> tuple[Finding, ...]:
    return tuple(
        Finding(code, message, where) for code in codes for where, message in _RULES[code](lifecycle)
    )


@_rule("L001")
def _unique(lifecycle: Lifecycle) -> Iterator[tuple[str, str]]:
    ids = [state.id for state in lifecycle.states]
    for double in sorted({i for i in ids if ids.count(i) > 1}):
        yield double, "two states have this id"


@_rule("L002")
def _begins(lifecycle: Lifecycle) -> Iterator[tuple[str, str]]:
    first = lifecycle.by_id.get(lifecycle.initial)
    if first is None:
        yield lifecycle.initial, "the initial state is not defined"
    elif first.phase is not Phase.NEW:
        yield first.id, "the initial state is not of phase NEW"


@_rule("L003")
def _known(lifecycle: Lifecycle) -> Iterator[tuple[str, str]]:
    for t in lifecycle.transitions:
        for state in (*t.sources, t.dest):
            if state not in lifecycle.by_id:
                yield t.trigger, f"names the state {state!r}, which is not defined"


@_rule("L006")
def _phases(lifecycle: Lifecycle) -> Iterator[tuple[str, str]]:
    for t in lifecycle.transitions:
        for source in t.sources:
            before, after = lifecycle.by_id[source].phase, lifecycle.by_id[t.dest].phase
            reopening = before in (Phase.RESOLVED, Phase.CLOSED) and after.is_open
            if after not in PHASE_MOVES[before] and not (before is Phase.CLOSED and t.reopens):
                yield (t.trigger, f"{source} to {t.dest} moves from {before} to {after}, which no record may")
            elif reopening and t.reopens not in ("resume", "restart"):
                yield t.trigger, f'{source} to {t.dest} reopens: say reopens="resume" or "restart"'
            elif t.reopens and not reopening:
                yield t.trigger, f"{source} to {t.dest} leads nowhere open again: leave reopens out"


@_rule("L007")
def _ends(lifecycle: Lifecycle) -> Iterator[tuple[str, str]]:
    if not any(state.phase is Phase.CLOSED for state in lifecycle.states):
        yield lifecycle.id, "no state is of phase CLOSED, so nothing ever ends"


def _reach(lifecycle: Lifecycle, seeds: Iterable[str], *, backwards: bool = False) -> set[str]:
    seen, todo = set(seeds), list(seeds)
    while todo:
        here = todo.pop()
        for source, dest in lifecycle.edges:
            start, end = (dest, source) if backwards else (source, dest)
            if start == here and end not in seen:
                seen.add(end)
                todo.append(end)
    return seen


@_rule("L008")
def _reachable(lifecycle: Lifecycle) -> Iterator[tuple[str, str]]:
    for lost in sorted(lifecycle.by_id.keys() - _reach(lifecycle, [lifecycle.initial])):
        yield lost, "no path leads to this state"


@_rule("L009")
def _completes(lifecycle: Lifecycle) -> Iterator[tuple[str, str]]:
    finals = [state.id for state in lifecycle.states if state.phase is Phase.CLOSED]
    if not finals:
        return  # L007 says so once
    for stuck in sorted(lifecycle.by_id.keys() - _reach(lifecycle, finals, backwards=True)):
        yield stuck, "no path leads from here to an end"


@_rule("L010")
def _outcomes(lifecycle: Lifecycle) -> Iterator[tuple[str, str]]:
    for state in lifecycle.states:
        if state.phase is Phase.CLOSED and not state.outcome:
            yield state.id, "a final state names its outcome"


@_rule("L013")
def _shadows(lifecycle: Lifecycle) -> Iterator[tuple[str, str]]:
    for trigger, rows in lifecycle.by_trigger.items():
        sources = [source for t in rows for source in t.sources]
        for double in sorted({s for s in sources if sources.count(s) > 1}):
            yield trigger, f"leaves {double} twice; the second is never taken"


@_rule("L029")
def _names(lifecycle: Lifecycle) -> Iterator[tuple[str, str]]:
    for taken in sorted(lifecycle.by_trigger.keys() & {"open", *BESIDE}):
        yield taken, "is a command that every record knows; give the trigger another name"


@_rule("L016")
def _people(lifecycle: Lifecycle) -> Iterator[tuple[str, str]]:
    for t in lifecycle.transitions:
        if not (t.roles or t.relation):
            yield t.trigger, "names nobody who may fire it"
