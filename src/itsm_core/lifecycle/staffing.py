"""Whether given people can run a lifecycle, or duties kept apart and missing roles leave a record stuck."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.duties import (
    OPENER,
    UNSUCCESSFUL,
    Cast,
    DeadEnd,
    Group,
    Person,
    Search,
    TooMany,
    dead_ends_of,
    goals,
)
from itsm_core.lifecycle.graph import Graph, reach, told, told_all
from itsm_core.lifecycle.guards import OfWay
from itsm_core.lifecycle.parts import Transition
from itsm_core.lifecycle.soundness import Finding, Severity, sound
from itsm_core.values import named, only, texts

MOST_STEPS = 1_000_000
MOST_GROUPS = 100

Staff = Mapping[str, frozenset[str]]
Found = tuple[tuple[object, ...], Finding]

ABOUT_STAFF = {
    "L026": "The duties that are kept apart can be done by the people there are.",
    "L027": "Somebody of the staff may take each step without which a record gets stuck.",
}
"""What `dead_ends` asks, by code."""


def dead_ends(
    definition: Definition,
    staff: Mapping[str, Iterable[str]],
    *,
    waived: Iterable[tuple[str, str]] = (),
    openers: Iterable[str] | None = None,
) -> tuple[Finding, ...]:
    """Where a record gets stuck if these people are all there are; empty if it never does.

    `staff` maps each person to their roles; somebody without roles may only ask. Each of the `openers`
    (None: each of the staff) in turn opens a record for themselves, so the requester is one of them. Time
    fires timer edges; automations act if they are named too. `waived` lifts separations, as pairs
    (trigger, separated from).

    L026: everybody who may fire a transition is kept from it by what they did before. An error where
    nobody ever fires it, or no successful end (or none at all) is left from the start; a warning where
    a record gets stuck that other people could have brought to its end. L027: nobody holds a role
    without which no such end is left. Guards are taken as satisfiable; where they say which kinds of
    records take which steps (`OfWay`), as those of a change do, each kind is followed by itself, too.

    Raises `UnsoundLifecycle` for a definition that is unsound whoever works with it, and
    `InvalidValue` for people and duties that make more than a million steps of search; people who
    hold the same roles count little, and a hundred sets of roles are the most.
    """
    whole = sound(only(Definition, definition, "lifecycle", "give the lifecycle itself, such as INCIDENT"))
    people, lifted = _people(staff), _lifted(waived, definition)
    groups, asking = _alike(people, definition), _asking(openers, people)
    found: dict[tuple[object, ...], Finding] = {}
    for part, opening in itertools.product((*_ways(whole), whole), groups):
        names = tuple(name for name in opening.names if name in asking)
        if not names:
            continue
        cast = Cast(_cast(names[0], opening, groups))
        search = Search(Graph(part), cast, lifted, MOST_STEPS // len(groups))
        for place, finding in (*_lacking(search), *_stuck(search, names)):
            known = found.get(place)
            if known is None or (known.severity, finding.severity) == ("warning", "error"):
                found[place] = finding
    return tuple(sorted(found.values(), key=lambda f: (f.code, f.where, f.message)))


def _ways(whole: Definition) -> Iterator[Definition]:
    """The part of each kind of record, where guards say that there are kinds."""
    asked = {name: whole.guards[name] for row in whole.transitions for name in row.guards}
    told_by = {name: guard.ways for name, guard in asked.items() if isinstance(guard, OfWay)}
    for way in sorted(frozenset().union(*told_by.values())):
        others = {name for name, ways in told_by.items() if way not in ways}
        part = attrs.evolve(whole, transitions=[t for t in whole.transitions if others.isdisjoint(t.guards)])
        met = Graph(part).met
        yield attrs.evolve(part, states=[state for state in whole.states if state.id in met])


# --- what is given ---------------------------------------------------------------------------


def _people(staff: Mapping[str, Iterable[str]]) -> Staff:
    remedy = 'write {"ana": {"agent", "manager"}, "bob": {"agent"}}'
    if not isinstance(staff, Mapping) or not staff:
        raise InvalidValue("staff", staff, "names nobody", remedy)
    roles = {named(who, "person", remedy): texts(held, "role", remedy) for who, held in staff.items()}
    return {who: frozenset(roles[who]) for who in sorted(roles)}


def _lifted(waived: Iterable[tuple[str, str]], definition: Definition) -> frozenset[tuple[str, str]]:
    known = {(row.trigger, earlier) for row in definition.transitions for earlier in row.separate_from}
    shown = told_all(f"({trigger!r}, {earlier!r})" for trigger, earlier in sorted(known))
    remedy = f"give pairs (trigger, separated from); here: {shown or 'there is none'}"
    if isinstance(waived, str | Mapping) or not isinstance(waived, Iterable):
        raise InvalidValue("waived", waived, "is no list of pairs", remedy)
    given = tuple(waived)
    for pair in given:
        words = isinstance(pair, tuple) and all(isinstance(name, str) for name in pair)
        if not words or pair not in known:
            raise InvalidValue("waived", pair, "is no separation of this lifecycle", remedy)
    return frozenset(given)


def _alike(people: Staff, definition: Definition) -> list[Group]:
    """The people in groups of those whose roles let them do the same."""
    known = frozenset(role for row in definition.transitions for role in row.roles)
    found: dict[tuple[frozenset[str], bool], list[str]] = {}
    for who, roles in people.items():
        found.setdefault((roles & known, bool(roles)), []).append(who)
    if len(found) > MOST_GROUPS:
        reason = f"hold {len(found)} different sets of roles, more than {MOST_GROUPS}"
        raise InvalidValue("staff", f"{len(people)} people", reason, "name one of those who are much alike")
    return [Group(tuple(names), roles, works) for (roles, works), names in found.items()]


def _asking(openers: Iterable[str] | None, people: Staff) -> frozenset[str]:
    if openers is None:
        return frozenset(people)
    remedy = f"name some of {told_all(people)}"
    named_openers = frozenset(texts(openers, "opener", remedy))
    if not named_openers or not named_openers <= people.keys():
        strangers = told_all(sorted(named_openers - people.keys()))
        raise InvalidValue("openers", strangers, "are none of the staff", remedy)
    return named_openers


def _cast(opener: str, opening: Group, groups: list[Group]) -> tuple[Group, ...]:
    """One of a group opens the record; the others of it remain a group."""
    others = attrs.evolve(opening, names=tuple(name for name in opening.names if name != opener))
    rest = (others if group is opening else group for group in groups)
    return (attrs.evolve(opening, names=(opener,)), *(group for group in rest if group.names))


# --- what is found ---------------------------------------------------------------------------


def _stuck(search: Search, openers: tuple[str, ...]) -> Iterator[Found]:
    try:
        ends = list(dead_ends_of(search))
    except TooMany:
        people = sum(len(group.names) for group in search.cast.groups)
        reason = f"make, with {len(search.watched)} duties kept apart, more than {MOST_STEPS} steps of search"
        remedy = "name fewer people with different roles, or waive some separations"
        raise InvalidValue("staff", f"{people} people", reason, remedy) from None
    for end in ends:
        severity: Severity = "error" if end.always else "warning"
        opened = openers if any(name == "open" for name, _ in end.did) else ()
        message = _kept_apart(end, search, openers)
        place = ("L026", end.state, id(end.row), opened)
        yield place, Finding("L026", message, end.state, severity=severity)


def _lacking(search: Search) -> Iterator[Found]:
    """Where nobody holds a role that leads on, duties aside."""
    graph, final = search.graph, frozenset(search.graph.ends())
    ahead = search.unhindered
    met = reach([graph.lifecycle.initial], ahead)
    for goal in goals(graph):
        should, could = reach(goal, graph.behind), search.open_to(goal)
        for state in (met & should) - could - final:
            for move in search.moves[state]:
                if move.row.dest in should and not move.possible:
                    left = _left(search.outcomes(reach([state], ahead)))
                    said = f"{told(move.row.trigger)} takes {_takes(move.row)}, and nobody here has it"
                    finding = Finding("L027", f"{said}: {left}; give it to somebody", state)
                    yield ("L027", state, id(move.row)), finding


# --- how it is said --------------------------------------------------------------------------


def _kept_apart(end: DeadEnd, search: Search, openers: tuple[str, ...]) -> str:
    did = [f"{told(name)} ({_who(person, search.cast, openers)})" for name, person in end.did]
    able = search.cast.names(end.row)
    more = f"give {_takes(end.row)} to somebody else" if end.row.roles else "name somebody else who may"
    return (
        f"{told(end.row.trigger)} takes somebody other than who did {told_all(did, ' and ')}, and only "
        f"{told_all(able, ' and ')} may fire it: {_left(end.left)}; {more}, or waive it on the record"
    )


def _who(person: Person, cast: Cast, openers: tuple[str, ...]) -> str:
    group, number = person
    return told_all(openers, " or ") if person == OPENER else told(cast.groups[group].names[number])


def _takes(row: Transition) -> str:
    if row.roles:
        return f"the role {told_all(sorted(row.roles), ' or ')}"
    return f"somebody with a role to be its {told_all(sorted(row.relation), ' or ')}"


def _left(outcomes: tuple[str, ...]) -> str:
    if not outcomes:
        return "the record never ends"
    if not UNSUCCESSFUL.issuperset(outcomes):
        return "the record has to go another way"
    return f"the record can only end as {told_all(outcomes, ' or ')}"
