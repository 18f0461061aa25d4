"""Rules about people and what they bring: roles, guards, fields, and duties that are kept apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle.beside import BESIDE, GRADES, GUARDED
from itsm_core.lifecycle.duties import Cast, Group, Search, TooMany, dead_ends_of
from itsm_core.lifecycle.fields import SAID, FieldType, type_reasons
from itsm_core.lifecycle.graph import Graph, Places, Rule, reach, told, told_all
from itsm_core.lifecycle.parts import OF_THE_ROUND, InstantOf, Need, Transition, fields_of

_WORDS = frozenset(name for kinds in SAID.values() for name in kinds)
_HOLDS_AN_ID = frozenset({FieldType.TEXT, FieldType.ANY})
_ENDS_WITH_THE_HOLD = frozenset({"hold_reason", "look_again_at"})


# --- who -------------------------------------------------------------------------------------


def _somebody(graph: Graph) -> Places:
    for row in graph.lifecycle.transitions:
        if row.after is None and not (row.roles or row.relation):
            yield row.trigger, "names nobody who may fire it; give roles, a relation, or after for a timer"
        elif "*" in row.roles:
            yield row.trigger, 'there is no role "*"; name each role that may fire it'


def _nobody(graph: Graph) -> Places:
    for row in graph.lifecycle.transitions:
        if row.after is not None and (row.roles or row.relation or row.separate_from):
            named = told_all(sorted({*row.roles, *row.relation, *row.separate_from}))
            yield row.trigger, f"time fires it, nobody else; leave {named} out, or leave after out"


def _roles(graph: Graph) -> Places:
    known = graph.lifecycle.roles
    for row in graph.lifecycle.transitions if known else ():
        for role in sorted(row.roles.difference(known)):
            remedy = f"use one of {told_all(known)}, or add it to roles"
            yield row.trigger, f"the role {told(role)} is unknown; {remedy}"


def _guards(graph: Graph) -> Places:
    lifecycle = graph.lifecycle
    known = lifecycle.guards
    for row in lifecycle.transitions:
        for name in row.guards:
            if name not in known:
                yield row.trigger, _unregistered(name)
    for command, names in lifecycle.beside:
        if command not in GUARDED:
            yield command, f"is no command beside the state; use one of {', '.join(GUARDED)}"
        for name in names:
            if name not in known:
                yield command, _unregistered(name)


def _unregistered(name: str) -> str:
    return f"the guard {told(name)} is registered nowhere; give guards={{...}} a function of this name"


# --- what they bring -------------------------------------------------------------------------


def _fields(graph: Graph) -> Places:
    kinds = graph.lifecycle.kinds
    for place, row, needs in graph.lists:
        for need in needs:
            if need.field not in kinds and need.field not in _WORDS:
                yield place, f"the field {told(need.field)} is unknown; declare it: {_declared(need.field)}"
        for name in sorted(row.relation) if row is not None else ():
            if kinds.get(name) not in _HOLDS_AN_ID:
                yield place, f"the relation {told(name)} is no field that names somebody; {_relations(name)}"
    for row in graph.lifecycle.transitions:
        if isinstance(row.after, InstantOf):
            yield from ((row.trigger, fault) for fault in _never_comes(row.after.field, graph))


def _never_comes(field: str, graph: Graph) -> Iterator[str]:
    """Why no record could know an instant that a timer edge waits for."""
    if field == OF_THE_ROUND:
        if "request_approval" not in graph.lifecycle.guards_beside:
            yield 'waits for an approval, and none is asked for; give beside={"request_approval": ...}'
    elif not _is_instant(field, graph):
        remedy = f'declare it: fields=(CustomField("{told(field)}", "instant"),)'
        yield f"waits for {told(field)}, which is no field that holds an instant; {remedy}"


def _is_instant(field: str, graph: Graph) -> bool:
    return graph.lifecycle.kinds.get(field) is FieldType.INSTANT


def _declared(name: object) -> str:
    return f'fields=(CustomField("{told(name)}", "text"),)'


def _relations(name: str) -> str:
    return f"use requester, assignee or owner, or declare it: {_declared(name)}"


def _answerable(graph: Graph) -> Places:
    seen: dict[int, list[str]] = {}
    for place, _, needs in graph.lists:
        if len(needs) > 1 and len({need.field for need in needs}) < len(needs):
            for double, count in Counter(need.field for need in needs).items():
                if count > 1:
                    yield place, f"asks for {told(double)} twice; say once what it takes"
        for need in needs:
            if id(need) not in seen:
                seen[id(need)] = list(_faults(need, graph))
            yield from ((place, fault) for fault in seen[id(need)])
    yield from _untimely(graph)


def _faults(need: Need, graph: Graph) -> Iterator[str]:
    """Why no record, or not every one, could answer a need."""
    if need.otherwise is not None:
        if need.otherwise == need.field:
            yield f"{told(need.field)} stands in its own place; name another field, or leave otherwise out"
        elif need.otherwise not in graph.lifecycle.kinds and need.otherwise not in _WORDS:
            known = f"{told(need.otherwise)}, in place of {told(need.field)}, is unknown"
            yield f"{known}; declare it: {_declared(need.otherwise)}"
    if len(set(need.one_of)) < len(need.one_of):
        doubles = [choice for choice, count in Counter(need.one_of).items() if count > 1]
        yield f"{told(need.field)} offers {told_all(doubles)} twice; say it once"
    wrong = _unfitting(need, graph)
    if wrong:
        yield f"{told(need.field)} offers {told_all(wrong)}, which the field does not take; use its own words"


def _unfitting(need: Need, graph: Graph) -> list[str]:
    """The choices that would be refused whoever makes them."""
    if need.field == "hold_reason":
        return [choice for choice in need.one_of if choice not in tuple(WaitsOn)]
    kind = graph.lifecycle.kinds.get(need.field)
    if kind in (None, FieldType.ANY) or (kind is FieldType.TEXT and need.field not in GRADES):
        return []
    return [choice for choice in need.one_of if type_reasons({need.field: choice}, graph.lifecycle.kinds)]


def _untimely(graph: Graph) -> Places:
    """What timer edges ask for and nobody is there to bring, and instants that never come."""
    without: dict[frozenset[str], set[str]] = {}
    for row in graph.lifecycle.transitions:
        for need in row.requires if row.after is not None else ():
            if not need.kept:
                remedy = "ask for it earlier and say kept=True here"
                yield row.trigger, f"time brings no {told(need.field)}; {remedy}"
        for field, names in _awaited(row, graph):
            if names not in without:
                without[names] = _lacking(graph, names)
            for source in row.sources:
                if source in without[names]:
                    said = f"a record in {told(source)} may lack {told(field)}, and time brings none"
                    yield row.trigger, f"{said}; require it on every way there, or of the opening"


def _awaited(row: Transition, graph: Graph) -> Iterator[tuple[str, frozenset[str]]]:
    """What a record has to know before time fires a transition, with the fields that answer it."""
    if row.after is not None:
        yield from ((need.field, _answers(need)) for need in row.requires if need.kept)
    if isinstance(row.after, InstantOf) and _is_instant(row.after.field, graph):
        yield row.after.field, frozenset({row.after.field})


def _lacking(graph: Graph, names: frozenset[str]) -> set[str]:
    """The states in which a record may be although none of these fields was ever asked for."""
    ends_with_hold = not names.isdisjoint(_ENDS_WITH_THE_HOLD)
    start = (graph.lifecycle.initial, "title" in names or _ask(graph.lifecycle.opening, names))
    ahead: dict[tuple[str, bool], list[tuple[str, bool]]] = {}
    for source, row, dest in graph.edges:
        stays = not (ends_with_hold and dest.phase is not Phase.WAITING)
        ahead.setdefault((source.id, False), []).append((dest.id, stays and _ask(row.requires, names)))
        ahead.setdefault((source.id, True), []).append((dest.id, stays))
    return {state for state, known in reach([start], ahead) if not known}


def _ask(needs: tuple[Need, ...], names: frozenset[str]) -> bool:
    """Whether one of these needs cannot be answered but by one of these fields, and the record keeps it."""
    return any(_answers(need) <= names for need in needs if need.field != "message")


def _answers(need: Need) -> frozenset[str]:
    """The fields that answer a need."""
    return frozenset(fields_of([need]))


# --- duties kept apart -----------------------------------------------------------------------


def _earlier(graph: Graph) -> Places:
    known = dict.fromkeys(["open", *graph.lifecycle.by_trigger])
    for row in graph.lifecycle.transitions:
        for name in row.separate_from:
            if name not in known:
                remedy = f"use one of {told_all(known)}"
                yield row.trigger, f"is kept apart from {told(name)}, which is no trigger; {remedy}"


def _before(graph: Graph) -> Places:
    by_trigger = graph.lifecycle.by_trigger
    after: dict[str, set[str]] = {}
    for row in graph.lifecycle.transitions:
        for name in row.separate_from:
            if name in by_trigger:  # else it is "open", or L021 says so
                if name not in after:
                    after[name] = _after(graph, by_trigger[name])
                if after[name].isdisjoint(row.sources):
                    said = f"is kept apart from {told(name)}, which never comes before it"
                    yield row.trigger, f"{said}; leave it out of separate_from"


def _after(graph: Graph, rows: tuple[Transition, ...]) -> set[str]:
    """The states in which a record may be after one of these transitions."""
    return reach([row.dest for row in rows if not graph.met.isdisjoint(row.sources)], graph.ahead)


def _separable(graph: Graph) -> Places:
    """Duties that no number of people could keep apart, for the requester alone may do both."""
    tight = [row for row in graph.lifecycle.transitions if row.separate_from and _for_the_requester(row)]
    if not tight:
        return
    search = Search(graph, Cast((Group(("the requester",), frozenset(), works=False),), strangers=True))
    try:
        stuck = {id(end.row) for end in dead_ends_of(search)}
    except TooMany:
        yield graph.lifecycle.id, "keeps more duties apart than can be looked at; keep fewer apart"
        return
    for row in tight:
        if id(row) in stuck:
            earlier = told_all(row.separate_from, " or ")
            said = f"only the requester may fire it, and is kept from it after {earlier}"
            yield row.trigger, f"{said}; let a role fire it too, or do not keep them apart"


def _for_the_requester(row: Transition) -> bool:
    return row.after is None and not row.roles and row.relation == {"requester"}


def _names(graph: Graph) -> Places:
    for taken in sorted(graph.lifecycle.by_trigger.keys() & {"open", *BESIDE}):
        yield taken, "is a command that every record knows; give the trigger another name"


PEOPLE = (
    Rule("L016", "What people fire names the roles, or the relation to the record, that may.", _somebody),
    Rule("L017", "What time fires names nobody.", _nobody),
    Rule("L018", "If the definition lists its roles, transitions name no others.", _roles),
    Rule("L019", "Each guard is registered, and guards beside the state belong to commands.", _guards),
    Rule("L020", "Each required field and each relation is a field that records have.", _fields),
    Rule("L021", 'What a trigger is kept apart from is a trigger, or "open".', _earlier),
    Rule("L022", "What a trigger is kept apart from can come before it.", _before, whole=True),
    Rule("L026", "The duties that are kept apart can be done by different people.", _separable, whole=True),
    Rule("L028", "Each required field can be answered.", _answerable),
    Rule("L029", "No trigger takes the name of a command beside the state.", _names),
)
