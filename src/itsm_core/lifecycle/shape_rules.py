"""Rules about the shape of a lifecycle: states, moves between phases, ways out, timers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from itsm_core.business_time.durations import Budget, BusinessDays, CalendarDays
from itsm_core.events import Phase
from itsm_core.lifecycle.graph import Graph, Places, Rule, cycles, reach, told, told_all
from itsm_core.lifecycle.parts import InstantOf, State, Transition

# fmt: off
_ANY = frozenset(Phase)
PHASE_MOVES: dict[Phase, frozenset[Phase]] = {
    Phase.NEW:      _ANY,
    Phase.ACTIVE:   _ANY,
    Phase.WAITING:  _ANY,
    Phase.RESOLVED: frozenset({Phase.NEW, Phase.ACTIVE, Phase.RESOLVED, Phase.CLOSED}),
    Phase.CLOSED:   frozenset(),
}

MOST_STATES   = 1_000
MOST_EDGES    = 10_000
MOST_NAMES    = 100_000
MOST_ROWS     = 100
MOST_SEARCHES = 100
# fmt: on

_AT_ONCE = frozenset({Budget(0), BusinessDays(0), CalendarDays(0)})
_REOPENINGS = ("resume", "restart")


# --- size ------------------------------------------------------------------------------------


def _size(graph: Graph) -> Places:
    lifecycle = graph.lifecycle
    rows = lifecycle.transitions
    counts = [
        ("states", len(lifecycle.states), MOST_STATES),
        ("moves from a state to a state", sum(len(row.sources) for row in rows), MOST_EDGES),
        ("roles, guards, fields and choices", _names(graph), MOST_NAMES),
        ("transitions of one trigger out of one state", _alternatives(graph), MOST_ROWS),
        ("duties kept apart and fields that time needs", _searches(graph), MOST_SEARCHES),
    ]
    for what, count, most in counts:
        if count > most:
            yield lifecycle.id, f"holds {count} {what}, more than {most}; split the process"


def _names(graph: Graph) -> int:
    lifecycle = graph.lifecycle
    asked = sum(len(needs) + sum(len(need.one_of) for need in needs) for _, _, needs in graph.lists)
    named = sum(
        len(row.roles) + len(row.relation) + len(row.guards) + len(row.separate_from)
        for row in lifecycle.transitions
    )
    beside = sum(1 + len(guards) for _, guards in lifecycle.beside)
    return asked + named + beside + len(lifecycle.roles) + len(lifecycle.fields)


def _alternatives(graph: Graph) -> int:
    by_trigger = graph.lifecycle.by_trigger.values()
    long = [rows for rows in by_trigger if len(rows) > MOST_ROWS]
    return max(
        (max(Counter(s for row in rows for s in set(row.sources)).values()) for rows in long), default=0
    )


def _searches(graph: Graph) -> int:
    rows = graph.lifecycle.transitions
    apart = {earlier for row in rows for earlier in row.separate_from}
    fields = {need.field for row in rows if row.after is not None for need in row.requires}
    fields |= {row.after.field for row in rows if isinstance(row.after, InstantOf)}
    return len(apart) + len(fields)


# --- references ------------------------------------------------------------------------------


def _unique(graph: Graph) -> Places:
    lifecycle = graph.lifecycle
    for what, names in (
        ("states have", [state.id for state in lifecycle.states]),
        ("fields have", [field.name for field in lifecycle.fields]),
    ):
        if len(set(names)) < len(names):
            for double in (name for name, count in Counter(names).items() if count > 1):
                yield double, f"two {what} this name; give each its own"


def _begins(graph: Graph) -> Places:
    initial, states = graph.lifecycle.initial, graph.lifecycle.by_id
    first = states.get(initial) if isinstance(initial, str) else None
    if first is None:
        yield told(initial), f"the initial state is not defined; use one of {told_all(states)}"
    elif first.phase is not Phase.NEW:
        yield first.id, f"the initial state is of phase {first.phase}; begin with one of phase new"


def _sources(graph: Graph) -> Places:
    known = graph.lifecycle.by_id
    for row in graph.lifecycle.transitions:
        if not row.sources:
            yield row.trigger, "leaves no state, so it never happens; name its sources"
        for source in row.sources:
            if source not in known:
                yield row.trigger, f"leaves {told(source)}, which is no state; define it or correct the name"


def _dests(graph: Graph) -> Places:
    known = graph.lifecycle.by_id
    for row in graph.lifecycle.transitions:
        if not isinstance(row.dest, str) or row.dest not in known:
            yield row.trigger, f"leads to {told(row.dest)}, which is no state; define it or correct the name"


# --- phases ----------------------------------------------------------------------------------


def _between(source: State, dest: State) -> str:
    return f"{told(source.id)} to {told(dest.id)}"


def _stays_closed(graph: Graph) -> Places:
    for source, row, dest in graph.edges:
        if source.phase is Phase.CLOSED and not row.reopens:
            remedy = 'open a linked record instead, or say reopens="resume" or "restart"'
            yield row.trigger, f"{_between(source, dest)} leaves an end; {remedy}"


def _phases(graph: Graph) -> Places:
    for source, row, dest in graph.edges:
        allowed = PHASE_MOVES[source.phase]
        if dest.phase not in allowed and source.phase is not Phase.CLOSED:
            said = f"{_between(source, dest)} moves from {source.phase} to {dest.phase}"
            phases = ", ".join(phase for phase in Phase if phase in allowed)
            yield row.trigger, f"{said}; from {source.phase} a record may move to {phases}"


def _reopenings(graph: Graph) -> Places:
    for source, row, dest in graph.edges:
        again = not source.phase.is_open and dest.phase.is_open
        if row.reopens and not again:
            yield row.trigger, f"{_between(source, dest)} leads nowhere open again; leave reopens out"
        elif again and row.reopens not in _REOPENINGS and (row.reopens or _forgets(source, dest)):
            yield row.trigger, f'{_between(source, dest)} reopens; say reopens="resume" or "restart"'


def _forgets(source: State, dest: State) -> bool:
    """Whether nothing but the missing mark is wrong with a move back to open work."""
    return dest.phase in PHASE_MOVES[source.phase]


def _ends(graph: Graph) -> Places:
    if not graph.ends():
        yield graph.lifecycle.id, "no state is of phase closed, so nothing ever ends; add one with an outcome"


def _outcomes(graph: Graph) -> Places:
    for state in graph.lifecycle.states:
        final = state.phase is Phase.CLOSED
        if final and not (isinstance(state.outcome, str) and state.outcome):
            yield state.id, 'is final and names no outcome; say what came of it: outcome="completed"'
        elif not final and state.outcome is not None:
            yield state.id, f"is of phase {state.phase} and has no outcome yet; leave it to a final state"


# --- paths -----------------------------------------------------------------------------------


def _reachable(graph: Graph) -> Places:
    initial = graph.lifecycle.initial
    for lost in graph.lifecycle.by_id:
        if lost not in graph.met:
            yield lost, f"no path leads here from {told(initial)}; add a transition to it, or remove it"


def _completes(graph: Graph) -> Places:
    ends = graph.ends()
    if not ends:
        return  # L007 says so once
    through = reach(ends, graph.behind)
    for stuck in graph.lifecycle.by_id:
        if stuck not in through:
            remedy = f"add a transition towards {told_all(ends, ' or ')}"
            yield stuck, f"no path leads from here to an end; {remedy}"


def _looked_after(graph: Graph) -> Places:
    out = graph.leading(Phase.WAITING, lambda phase: phase is not Phase.WAITING, _by_itself)
    for state in graph.lifecycle.states:
        if state.phase is Phase.WAITING and state.id not in out:
            remedy = "add a way out for the requester (relation), automation (role) or time (after)"
            yield state.id, f"a record may wait here for ever; {remedy}"


def _by_itself(row: Transition) -> bool:
    return row.after is not None or "automation" in row.roles or "requester" in row.relation


def _closes(graph: Graph) -> Places:
    if not graph.lifecycle.requester:
        return
    closing = graph.leading(Phase.RESOLVED, lambda phase: phase is Phase.CLOSED, _without_staff)
    for state in graph.lifecycle.states:
        if state.phase is Phase.RESOLVED and state.id not in closing:
            remedy = "let the requester (relation) or time (after) do it"
            yield (
                state.id,
                f"only staff may close it; {remedy}, or say requester=False if nobody waits for it",
            )


def _without_staff(row: Transition) -> bool:
    return row.after is not None or "requester" in row.relation


def _rests(graph: Graph) -> Places:
    ahead: dict[str, list[str]] = {}
    for source, row, dest in graph.edges:
        if isinstance(row.after, InstantOf) or row.after in _AT_ONCE:
            ahead.setdefault(source.id, []).append(dest.id)
    for cycle in cycles(ahead):
        way = told_all([*cycle, cycle[0]], " to ")
        yield cycle[0], f"time moves a record round and round at one instant: {way}; let one of them wait"


# --- waiting, alternatives -------------------------------------------------------------------


def _waits(graph: Graph) -> Places:
    for state in graph.lifecycle.states:
        if state.phase is not Phase.WAITING and state.waits_on is not None:
            yield state.id, f"is of phase {state.phase} and waits for nobody; leave waits_on out"
    for source, row, dest in graph.edges:
        if dest.phase is Phase.WAITING and dest.waits_on is None and not _says_why(source, row):
            said = f"{_between(source, dest)} does not say whom it waits for"
            yield row.trigger, f"{said}; give the state waits_on, or require hold_reason of the command"


def _says_why(source: State, row: Transition) -> bool:
    """Whether the command brings a hold reason, or the record still waits for the one it had."""
    held = source.phase is Phase.WAITING
    if held and source.waits_on is None:
        return True
    return any(n.field == "hold_reason" and not n.otherwise and not (held and n.kept) for n in row.requires)


def _chosen(graph: Graph) -> Iterator[tuple[str, str, list[tuple[Transition, bool]]]]:
    """Of each trigger and state that has several rows: the rows, and whether an earlier one shadows them.

    A row is never reached if the guards of an earlier one are among its own: where the earlier
    one is refused, so is this.
    """
    for trigger, rows in graph.lifecycle.by_trigger.items():
        if len(rows) == 1 and len(set(rows[0].sources)) == len(rows[0].sources):
            continue
        found: dict[str, list[tuple[Transition, bool]]] = {}
        before: dict[str, list[frozenset[str]]] = {}
        for row in rows:
            guards = frozenset(row.guards)
            for source in row.sources:
                earlier = before.setdefault(source, [])
                shadowed = any(known <= guards for known in earlier)
                found.setdefault(source, []).append((row, shadowed))
                if not shadowed:
                    earlier.append(guards)
        yield from ((trigger, source, judged) for source, judged in found.items())


def _shadows(graph: Graph) -> Places:
    for trigger, source, judged in _chosen(graph):
        for row, shadowed in judged:
            if shadowed:
                said = f"{told(source)} to {told(row.dest)} is never taken, for an earlier one goes first"
                yield trigger, f"{said}; put it before that one, with a guard, or remove it"


def _defaults(graph: Graph) -> Places:
    for trigger, source, judged in _chosen(graph):
        guards = [frozenset(row.guards) for row, _ in judged]
        always = frozenset.intersection(*guards)  # conditions of them all choose none
        if all(names - always for names in guards):
            remedy = "add one without, after them, or be sure that one of them always holds"
            yield trigger, f"out of {told(source)} every transition has a guard of its own; {remedy}"


SIZE = Rule("L000", "The definition is small enough to be looked at.", _size)
SHAPE = (
    Rule("L001", "Each state, and each declared field, has a name of its own.", _unique),
    Rule("L002", "The initial state exists and is of phase new.", _begins),
    Rule("L003", "A transition leaves at least one state, and each of its sources exists.", _sources),
    Rule("L004", "The destination of each transition exists.", _dests),
    Rule("L005", "Nothing leaves an end, except what is marked as reopening.", _stays_closed, whole=True),
    Rule("L006", "Each move is one that its phases allow.", _phases, whole=True),
    Rule("L007", "There is an end: a state of phase closed.", _ends),
    Rule("L008", "A path leads from the initial state to every state.", _reachable, whole=True),
    Rule("L009", "A path leads from every state to an end.", _completes, whole=True),
    Rule("L010", "Each final state names its outcome, and no other state has one.", _outcomes),
    Rule("L011", "It is known whom each waiting record waits for.", _waits, whole=True),
    Rule(
        "L012",
        "What leads back from done to open work says whether clocks resume or restart; nothing else does.",
        _reopenings,
        whole=True,
    ),
    Rule("L013", "No transition is shadowed by an earlier one of the same trigger and state.", _shadows),
    Rule(
        "L014",
        "Where a trigger has several transitions out of a state, one of them has no guard of its own.",
        _defaults,
        warning=True,
    ),
    Rule(
        "L015",
        "Out of every wait there is a way for the requester, for automation or for time.",
        _looked_after,
        whole=True,
    ),
    Rule(
        "L023",
        "If somebody waits for its records, the requester or time can close what is resolved.",
        _closes,
        whole=True,
    ),
    Rule("L024", "Timers that fall due at once do not form a cycle.", _rests, whole=True),
)
