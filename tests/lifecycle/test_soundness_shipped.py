"""Every shipped lifecycle is sound, and breaking any one of its transitions in any of these ways is found."""

import importlib
import pkgutil

import attrs
import pytest

from itsm_core import processes
from itsm_core.business_time.durations import hours
from itsm_core.events import Phase
from itsm_core.lifecycle import Lifecycle, Need, check, dead_ends


def _shipped():
    """The lifecycles of all modules of processes, by id."""
    modules = [
        importlib.import_module(f"{processes.__name__}.{module.name}")
        for module in pkgutil.iter_modules(processes.__path__)
    ]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Lifecycle)]
    return {lifecycle.id: lifecycle for lifecycle in found}


SHIPPED = _shipped()
ROWS = [
    pytest.param(lifecycle, n, id=f"{lifecycle.id}-{n}-{row.trigger}")
    for lifecycle in SHIPPED.values()
    for n, row in enumerate(lifecycle.transitions)
]
WHY = Need("reason", "our rule")

EXCLUSIVE = {("change", "implement"), ("change", "close")}
"""Whose guards leave exactly one way open, by the kind of the change and by what its review takes."""


def end_of(lifecycle):
    """The first end of a lifecycle."""
    return next(state.id for state in lifecycle.states if state.phase is Phase.CLOSED)


def open_of(row, lifecycle):
    """The sources of a transition that are no ends, or what has been resolved if there are none."""
    states = [lifecycle.by_id[source] for source in row.sources]
    resolved = tuple(state.id for state in lifecycle.states if state.phase is Phase.RESOLVED)
    return tuple(state.id for state in states if state.phase is not Phase.CLOSED) or resolved


# fmt: off
FAULTS = [
    # rule, what is done to a transition
    ("L003", lambda row, _: {"sources": ("nowhere", *row.sources)}),
    ("L003", lambda _row, _: {"sources": ()}),
    ("L004", lambda _row, _: {"dest": "nowhere"}),
    ("L005", lambda row, of: {"sources": (*row.sources, end_of(of)), "reopens": None}),
    ("L012", lambda row, of: {"reopens": None, "sources": open_of(row, of)} if row.reopens else {"reopens": "resume"}),
    ("L012", lambda _row, _: {"reopens": "perhaps"}),
    ("L013", lambda row, _: {"sources": (*row.sources, row.sources[0])}),
    ("L016", lambda _row, _: {"roles": (), "relation": (), "after": None}),
    ("L016", lambda _row, _: {"roles": "*", "after": None}),
    ("L017", lambda _row, _: {"roles": "agent", "after": hours(1)}),
    ("L019", lambda row, _: {"guards": (*row.guards, "unheard_of")}),
    ("L020", lambda row, _: {"requires": (*row.requires, Need("unheard_of", "our rule"))}),
    ("L020", lambda row, _: {"relation": {*row.relation, "unheard_of"}}),
    ("L021", lambda row, _: {"separate_from": (*row.separate_from, "unheard_of")}),
    ("L028", lambda row, _: {"requires": (*row.requires, WHY, WHY)}),
    ("L028", lambda row, _: {"requires": (*row.requires, Need("category", "our rule", one_of=("a", "a")))}),
    ("L028", lambda row, _: {"requires": (*row.requires, Need("category", "our rule", otherwise="unheard_of"))}),
    ("L029", lambda _row, _: {"trigger": "note"}),
]
# fmt: on


def broken(lifecycle, n, **changes):
    """The lifecycle with one transition changed."""
    rows = list(lifecycle.transitions)
    rows[n] = attrs.evolve(rows[n], **changes)
    return attrs.evolve(lifecycle, transitions=rows)


def codes(definition):
    """The codes of all findings."""
    return {finding.code for finding in check(definition)}


def test_the_processes_are_found():
    """Or nothing below would be tried."""
    assert "incident" in SHIPPED
    assert len(ROWS) > 10


@pytest.mark.parametrize("lifecycle", SHIPPED.values(), ids=SHIPPED)
def test_a_shipped_lifecycle_has_no_findings(lifecycle):
    """No error, and no warning but where somebody looked whether one way is always open."""
    warned = {(lifecycle.id, f.where) for f in check(lifecycle) if f.severity == "warning"}
    assert warned <= EXCLUSIVE
    assert [str(f) for f in check(lifecycle) if f.severity == "error"] == []


@pytest.mark.parametrize(("lifecycle", "n"), ROWS)
def test_any_fault_in_any_transition_is_found(lifecycle, n):
    """Whatever is done to whichever transition, its rule speaks."""
    row = lifecycle.transitions[n]
    missed = [
        code for code, change in FAULTS if code not in codes(broken(lifecycle, n, **change(row, lifecycle)))
    ]
    assert not missed


@pytest.mark.parametrize(("lifecycle", "n"), ROWS)
def test_a_role_that_is_not_listed_is_found(lifecycle, n):
    """Where a definition lists its roles."""
    row = lifecycle.transitions[n]
    listed = attrs.evolve(lifecycle, roles=("somebody",))
    told = {finding.where for finding in check(listed) if finding.code == "L018"}
    assert (row.trigger in told) is any(r.roles for r in lifecycle.by_trigger[row.trigger])


@pytest.mark.parametrize("lifecycle", SHIPPED.values(), ids=SHIPPED)
@pytest.mark.parametrize("phase", [Phase.WAITING, Phase.RESOLVED])
def test_no_wait_and_no_solution_may_be_left_to_staff(lifecycle, phase):
    """Without the ways out for requester, automation and time, L015 and L023 name every such state."""
    rows = [
        attrs.evolve(
            row, roles=row.roles - {"automation"} | {"agent"}, relation=(), after=None, separate_from=()
        )
        for row in lifecycle.transitions
    ]
    code = {Phase.WAITING: "L015", Phase.RESOLVED: "L023"}[phase]
    told = {
        finding.where for finding in check(attrs.evolve(lifecycle, transitions=rows)) if finding.code == code
    }
    expected = {state.id for state in lifecycle.states if state.phase is phase}
    assert told == (expected if code == "L015" or lifecycle.requester else set())


def all_roles(lifecycle):
    """Every role that a transition names."""
    return {role for row in lifecycle.transitions for role in row.roles}


def test_one_person_holding_every_role_cannot_approve_their_own_change():
    """The dead end is named; with the waiver that a record may hold, the change goes through."""
    change = SHIPPED["change"]
    (finding,) = dead_ends(change, {"ana": all_roles(change)})
    assert (finding.code, finding.severity, finding.where) == ("L026", "error", "authorize")
    assert (
        "authorize takes somebody other than who did open (ana), and only ana may fire it" in finding.message
    )
    assert dead_ends(change, {"ana": all_roles(change)}, waived=[("authorize", "open")]) == ()


@pytest.mark.parametrize("lifecycle", SHIPPED.values(), ids=SHIPPED)
def test_two_people_run_every_shipped_lifecycle(lifecycle):
    """Whichever of them opens a record, as shipped and with the fewest fields."""
    staff = dict.fromkeys(("ana", "bob"), all_roles(lifecycle))
    assert dead_ends(lifecycle, staff) == ()
    assert dead_ends(lifecycle.lite(), staff) == ()


@pytest.mark.parametrize("lifecycle", SHIPPED.values(), ids=SHIPPED)
def test_every_role_together_with_enough_people_runs_a_shipped_lifecycle(lifecycle):
    """Five people who hold every role, and a customer who holds none, get every record to its end."""
    staff = {**{f"p{n}": all_roles(lifecycle) for n in range(5)}, "customer": ()}
    assert dead_ends(lifecycle, staff) == ()
