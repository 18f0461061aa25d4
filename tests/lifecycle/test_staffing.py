"""Whether the people there are can run a lifecycle, and where duties kept apart leave a record stuck."""

import itertools
import time

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itsm_core.business_time.durations import business_days
from itsm_core.errors import InvalidValue, UnsoundLifecycle
from itsm_core.events import Phase
from itsm_core.lifecycle import Lifecycle, OfWay, State, Transition, check, dead_ends
from itsm_core.lifecycle.duties import UNSUCCESSFUL
from itsm_core.processes import INCIDENT

BOTH = {"agent", "manager"}


def move(trigger, sources, dest, **more):
    """A transition that an agent may fire."""
    return Transition(trigger, sources, dest=dest, **{"roles": {"agent"}, **more})


def change(**more):
    """A small change: planned, authorised by a manager who did not open it, done, and closed."""
    rows = (
        move("plan", "new", "planned"),
        move("authorize", "planned", "ready", roles="manager", separate_from="open"),
        move("implement", "ready", "review"),
        move("close", "review", "closed", roles="manager", relation="requester", separate_from="implement"),
        move("cancel", ("new", "planned", "ready"), "cancelled", relation="requester"),
    )
    states = (
        State("new", "new"),
        State("planned", "active"),
        State("ready", "active"),
        State("review", "resolved"),
        State("closed", "closed", outcome="completed"),
        State("cancelled", "closed", outcome="cancelled"),
    )
    parts = {"process": "change", "initial": "new", "states": states, "transitions": rows, **more}
    return Lifecycle("small_change", 1, **parts)


CHANGE = change()


def told(findings):
    """Code, severity and place of each finding."""
    return [(f.code, f.severity, f.where) for f in findings]


# --- one person, two, three --------------------------------------------------------------------


def test_what_nobody_ever_fires_is_an_error_though_there_is_another_way():
    """One person cannot authorise their own change; that they need not is no excuse."""
    rows = (*CHANGE.transitions, move("wave_through", "planned", "ready"))
    found = dead_ends(change(transitions=rows), {"ana": BOTH}, waived=[("close", "implement")])
    assert told(found) == [("L026", "error", "planned")]
    assert "only ana may fire it: the record has to go another way; give the role manager" in found[0].message
    assert dead_ends(change(transitions=rows), {"ana": BOTH, "max": "manager"}, openers=["ana"]) == ()


def test_one_person_holding_every_role_cannot_approve_their_own_change():
    """The search names the state, the transition, who did what, and what is left."""
    first, second = (
        dead_ends(CHANGE, {"ana": BOTH}, waived=[("close", "implement")]),
        dead_ends(CHANGE, {"ana": BOTH}),
    )
    assert str(first[0]) == (
        "L026 planned: authorize takes somebody other than who did open (ana), and only ana may fire it: "
        "the record can only end as cancelled; give the role manager to somebody else, or waive it on the record"
    )
    assert told(first) == told(second) == [("L026", "error", "planned")]


def test_with_the_waivers_one_person_runs_it():
    """Each separation is lifted by its own pair."""
    both = [("authorize", "open"), ("close", "implement")]
    assert dead_ends(CHANGE, {"ana": BOTH}, waived=both) == ()
    (finding,) = dead_ends(CHANGE, {"ana": BOTH}, waived=both[:1])
    assert finding.where == "review"
    assert "close takes somebody other than who did implement (ana)" in finding.message
    assert "the record never ends" in finding.message


def test_two_people_can_run_it_and_are_told_where_they_may_run_aground():
    """Nobody is stuck from the start, but the one who authorised is needed to close."""
    assert dead_ends(CHANGE, {"ana": BOTH, "bob": BOTH}) == ()


def test_a_dead_end_that_others_could_have_avoided_is_a_warning():
    """Whoever implements cannot close, and only one manager may."""
    (finding,) = dead_ends(CHANGE, {"ana": "agent", "max": BOTH}, waived=[("authorize", "open")])
    assert told([finding]) == [("L026", "warning", "review")]
    assert "who did implement (max), and only max may fire it: the record never ends" in finding.message


def test_the_requester_may_be_somebody_without_a_role():
    """Who only asks closes what was done for them, but cannot do it."""
    assert dead_ends(CHANGE, {"ana": BOTH, "customer": ()}, openers=["customer"]) == ()
    own = dead_ends(CHANGE, {"ana": BOTH, "customer": ()}, waived=[("authorize", "open")])
    assert told(own) == [("L026", "error", "review")], "what ana asks for and does herself, nobody can close"
    names = {f.message.partition(" takes")[0] for f in dead_ends(CHANGE, {"customer": ()})}
    assert names == {"plan"}


def test_a_role_that_nobody_holds_is_named():
    """L027: what is missing, and what is left without it."""
    (finding,) = dead_ends(CHANGE, {"ana": "agent", "bob": "agent"})
    assert str(finding) == (
        "L027 planned: authorize takes the role manager, and nobody here has it: "
        "the record can only end as cancelled; give it to somebody"
    )


def test_a_missing_role_that_leaves_no_end_says_so():
    """There is no way to cancel either."""
    rows = tuple(row for row in CHANGE.transitions if row.trigger != "cancel")
    definition = change(transitions=rows, states=CHANGE.states[:-1])
    (finding,) = dead_ends(definition, {"ana": "agent"})
    assert (finding.code, finding.where) == ("L027", "planned")
    assert "nobody here has it: the record never ends; give it to somebody" in finding.message


def test_people_who_are_alike_are_named_together_where_they_open():
    """Any of them would be stuck."""
    (finding,) = dead_ends(
        change(transitions=(*CHANGE.transitions[:3], *CHANGE.transitions[4:], END)), {"max": BOTH}
    )
    assert "who did open (max)" in finding.message
    rows = [
        attrs.evolve(row, separate_from=("open", "plan")) if row.trigger == "authorize" else row
        for row in CHANGE.transitions
    ]
    found = dead_ends(change(transitions=rows), {"ana": BOTH, "bob": BOTH, "cyd": ()})
    assert [f.severity for f in found] == ["warning"]
    assert "did open (ana or bob) and plan (bob), and only ana and bob may fire it" in found[0].message


END = move("close", "review", "closed", roles="manager", relation="requester")


def test_a_relation_that_anybody_can_be_given_takes_somebody_with_a_role():
    """An assignee can be changed; a customer is not assigned work."""
    rows = [
        attrs.evolve(row, roles=(), relation="assignee") if row.trigger == "plan" else row
        for row in CHANGE.transitions
    ]
    assert dead_ends(change(transitions=rows), {"ana": BOTH, "bob": BOTH}) == ()
    (finding,) = dead_ends(change(transitions=rows), {"customer": ()})
    assert "plan takes somebody with a role to be its assignee, and nobody here has it" in finding.message
    everybody = [attrs.evolve(row, roles=(), relation="assignee") for row in CHANGE.transitions]
    definition = change(transitions=everybody, requester=False)
    (finding,) = dead_ends(definition, {"ana": "cook"}, waived=[("close", "implement")])
    assert "only ana may fire it" in finding.message
    assert "; name somebody else who may, or waive it on the record" in finding.message


def test_time_and_automations_act_as_they_are_named():
    """Timer edges fire by themselves; an automation is one of the staff."""
    rows = [
        attrs.evolve(row, roles="automation") if row.trigger == "implement" else row
        for row in CHANGE.transitions
    ]
    definition = change(transitions=rows)
    assert told(dead_ends(definition, {"ana": BOTH, "bob": BOTH})) == [("L027", "error", "ready")]
    assert dead_ends(definition, {"ana": BOTH, "bob": BOTH, "robot": "automation"}) == ()
    timer = Transition("close_silently", "review", dest="closed", after=business_days(5))
    (finding,) = dead_ends(
        change(transitions=(*CHANGE.transitions, timer)), {"ana": BOTH}, waived=[("authorize", "open")]
    )
    assert told([finding]) == [("L026", "error", "review")]
    assert "only ana may fire it: the record has to go another way; give" in finding.message


def test_a_lifecycle_without_a_success_is_asked_for_any_end():
    """Where all ends are failures, each will do."""
    states = [attrs.evolve(s, outcome="rejected") if s.id == "closed" else s for s in CHANGE.states]
    staff = {"ana": "agent", "max": BOTH}
    found = dead_ends(change(states=states), staff, waived=[("authorize", "open")])
    assert told(found) == [("L026", "warning", "review")]


def test_an_incident_is_run_by_one_agent():
    """No duties are kept apart there."""
    assert dead_ends(INCIDENT, {"ana": "agent", "customer": ()}) == ()


def test_everybody_may_be_kept_from_a_reopened_record():
    """An end that was reached does not excuse a dead end behind it."""
    rows = (
        *CHANGE.transitions,
        move("reopen", "closed", "again", roles="agent", relation="requester", reopens="resume"),
        move("finish", "again", "closed", roles="manager", separate_from="close"),
    )
    definition = change(transitions=rows, states=(*CHANGE.states, State("again", "active")))
    staff = {"ana": "agent", "max": "manager", "customer": ()}
    (finding,) = dead_ends(definition, staff, openers=["customer"])
    assert told([finding]) == [("L026", "warning", "again")]
    assert "finish takes somebody other than who did close (max)" in finding.message


# --- what is given -----------------------------------------------------------------------------


@pytest.mark.parametrize("staff", [None, {}, "ana", ["ana"], 7])
def test_a_staff_that_names_nobody_is_refused(staff):
    """With the shape that is asked for."""
    with pytest.raises(InvalidValue, match=r'names nobody; write \{"ana"'):
        dead_ends(CHANGE, staff)


@pytest.mark.parametrize(
    "staff", [{"": "agent"}, {None: "agent"}, {7: "agent"}, {"ana": None}, {"ana": [7]}, {"ana": ""}]
)
def test_a_person_or_role_that_is_no_word_is_refused(staff):
    """Ids and roles are texts."""
    with pytest.raises(InvalidValue):
        dead_ends(CHANGE, staff)


@pytest.mark.parametrize("openers", [[], ["zoe"], ["ana", "zoe"], "zoe", [""], [7], [None]])
def test_whoever_opens_is_one_of_the_staff(openers):
    """Anybody else is refused by name."""
    with pytest.raises(InvalidValue, match="name some of ana, bob"):
        dead_ends(CHANGE, {"ana": BOTH, "bob": ()}, openers=openers)


@pytest.mark.parametrize(
    "waived",
    [
        ("authorize", "open"),
        "authorize",
        {"authorize": "open"},
        None,
        [("authorize", "implement")],
        [("authorise", "open")],
        [["authorize", "open"]],
        [("authorize", ["open"])],
        [("authorize",)],
    ],
)
def test_a_waiver_that_lifts_nothing_is_refused_with_those_that_would(waived):
    """A misspelt one is no silent failure."""
    with pytest.raises(InvalidValue, match=r"\('authorize', 'open'\), \('close', 'implement'\)"):
        dead_ends(CHANGE, {"ana": BOTH}, waived=waived)


def test_where_nothing_is_kept_apart_no_waiver_fits():
    """And the refusal says so."""
    with pytest.raises(InvalidValue, match="here: there is none"):
        dead_ends(INCIDENT, {"ana": "agent"}, waived=[("close", "open")])


def test_an_unsound_lifecycle_is_refused_before_anybody_is_looked_for():
    """What no staff could mend is not blamed on them."""
    with pytest.raises(UnsoundLifecycle, match="L004"):
        dead_ends(change(transitions=(*CHANGE.transitions, move("lose", "new", "nowhere"))), {"ana": BOTH})
    with pytest.raises(InvalidValue, match="give the lifecycle itself"):
        dead_ends({"id": "change"}, {"ana": BOTH})


# --- size --------------------------------------------------------------------------------------


def test_many_people_who_are_alike_are_searched_as_quickly_as_a_few():
    """A thousand people in two roles, each with roles of their own that the lifecycle does not know."""
    staff = {f"p{n}": {"agent" if n % 2 else "manager", f"hobby-{n}"} for n in range(1000)}
    began = time.process_time()
    assert dead_ends(CHANGE, staff) == ()
    assert time.process_time() - began < 2


def test_too_many_sets_of_roles_are_refused():
    """Seven roles make up to 128 sets."""
    roles = [f"r{n}" for n in range(7)]
    definition = change(
        transitions=[attrs.evolve(row, roles={*row.roles, *roles}) for row in CHANGE.transitions]
    )
    sets = [held for n in range(8) for held in itertools.combinations(roles, n)]
    with pytest.raises(InvalidValue, match=r"128 people.*hold 128 different sets of roles, more than 100"):
        dead_ends(definition, {f"p{n}": held for n, held in enumerate(sets)})


def test_too_many_duties_are_refused_in_bounded_time():
    """Twelve steps that anybody may repeat, all kept apart from the last, among a dozen kinds of people."""
    steps = [f"step{n}" for n in range(12)]
    rows = (
        *(move(name, "new", "new", roles=[f"r{n}" for n in range(12)]) for name in steps),
        move("finish", "new", "closed", roles="r1", separate_from=steps),
    )
    definition = change(transitions=rows, states=[s for s in CHANGE.states if s.id in ("new", "closed")])
    assert check(definition) == ()
    staff = {f"p{n}-{m}": f"r{n}" for n in range(12) for m in range(20)}
    began = time.process_time()
    with pytest.raises(InvalidValue, match=r"240 people.*with 12 duties kept apart, more than 1000000 steps"):
        dead_ends(definition, staff)
    assert time.process_time() - began < 20


# --- against a slow and obvious search ---------------------------------------------------------

ROLES = st.sampled_from([("x",), ("y",), ("x", "y")])
SEPARATIONS = st.lists(st.sampled_from(["open", *"abc"]), max_size=2, unique=True)


@st.composite
def definitions(draw):
    """A small sound lifecycle in which duties are kept apart."""
    inner = [State(f"s{n}", Phase.ACTIVE) for n in range(draw(st.integers(1, 3)))]
    ids = ["new", *(s.id for s in inner)]
    rows, places = (
        [],
        draw(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(ids)), max_size=6, unique=True)),
    )
    for trigger, source in places:
        relation = draw(st.sampled_from([(), (), "requester", "assignee"]))
        dest = draw(st.sampled_from([*ids, "closed", "cancelled"]))
        rows.append(
            Transition(
                trigger,
                source,
                dest=dest,
                roles=draw(ROLES),
                relation=relation,
                separate_from=draw(SEPARATIONS),
            )
        )
    rows += [move(f"to_{s.id}", "new", s.id, roles=draw(ROLES)) for s in inner]
    for source in ids:
        dest = draw(st.sampled_from(["closed", "cancelled", "cancelled"]))
        rows.append(move(f"from_{source}", source, dest, roles=draw(ROLES), separate_from=draw(SEPARATIONS)))
    rows.append(move("drop", "new", "cancelled", roles="robot"))
    rows.append(move("finish", ids[-1], "closed", roles="x", separate_from=draw(SEPARATIONS)))
    ends = [State("closed", "closed", outcome="completed"), State("cancelled", "closed", outcome="cancelled")]
    return only_what_comes_before(change(states=[State("new", "new"), *inner, *ends], transitions=rows))


def only_what_comes_before(definition):
    """The definition with separations only where they mean something."""
    wrong = {
        (f.where, name) for f in check(definition) for name in "abc" if f"apart from {name}," in f.message
    }
    rows = [
        attrs.evolve(
            row, separate_from=[name for name in row.separate_from if (row.trigger, name) not in wrong]
        )
        for row in definition.transitions
    ]
    return attrs.evolve(definition, transitions=rows)


STAFF = st.dictionaries(
    st.sampled_from(["ana", "bob", "cyd"]),
    st.sampled_from([("x", "y"), ("x", "y", "cook"), ("x",), ("y",), ("cook",), ()]),
    min_size=1,
)


def may(person, roles, row, opener):
    """Whether somebody may fire a row, duties aside."""
    return (
        bool(set(roles) & row.roles)
        or ("requester" in row.relation and person == opener)
        or ("assignee" in row.relation and bool(roles))
    )


def slowly(definition, staff):
    """Every dead end by trying every person for every step, and whether one is there from the start."""
    places, hopeless = set(), False
    full = _closure({(s, r.dest) for r in definition.transitions for s in r.sources}, definition)
    for opener in staff:
        able = {
            n: [p for p, roles in staff.items() if may(p, roles, row, opener)]
            for n, row in enumerate(definition.transitions)
        }
        easy = _closure(
            {(s, r.dest) for n, r in enumerate(definition.transitions) for s in r.sources if able[n]},
            definition,
        )
        steps = _steps(definition, opener, able)
        for n, row in enumerate(definition.transitions):
            here = [(state, hands) for state, hands in steps if state in row.sources]
            if here and able[n] and not any(_free(row, able[n], hands) for _, hands in here):
                places |= {("L026", state, row.trigger) for state, _ in here}
                hopeless = True
        for goal in _goals(definition):
            living = _living(steps, goal)
            for state, hands in steps:
                if definition.by_id[state].phase is Phase.CLOSED or (state, hands) in living:
                    continue
                if not any((state, end) in easy for end in goal):
                    continue
                hopeless |= (state, hands) == ("new", (("open", opener),))
                for n, row in enumerate(definition.transitions):
                    leads = state in row.sources and any((row.dest, end) in easy for end in goal)
                    if leads and able[n] and not _free(row, able[n], hands):
                        places.add(("L026", state, row.trigger))
            for state in {s for s in definition.by_id if ("new", s) in easy}:
                if definition.by_id[state].phase is Phase.CLOSED or any((state, end) in easy for end in goal):
                    continue
                for n, row in enumerate(definition.transitions):
                    if state in row.sources and not able[n] and any((row.dest, end) in full for end in goal):
                        places.add(("L027", state, row.trigger))
    return places, hopeless


def _goals(definition):
    ends = [s for s in definition.states if s.phase is Phase.CLOSED]
    good = [s.id for s in ends if s.outcome not in UNSUCCESSFUL]
    return [goal for goal in (good, [s.id for s in ends]) if goal]


def _closure(pairs, definition):
    found = {(s, s) for s in definition.by_id} | set(pairs)
    while True:
        more = {(a, d) for (a, b), (c, d) in itertools.product(found, repeat=2) if b == c} - found
        if not more:
            return found
        found |= more


def _free(row, people, hands):
    """Who of these did nothing that the row is kept apart from."""
    did = dict(hands)
    return [p for p in people if all(did.get(name) != p for name in row.separate_from)]


def _steps(definition, opener, able):
    """Every state with who last fired what, and what follows each."""
    start = ("new", (("open", opener),))
    found, todo = {}, [start]
    while todo:
        here = state, hands = todo.pop()
        if here in found:
            continue
        found[here] = [
            (row.dest, tuple(sorted({**dict(hands), row.trigger: person}.items())))
            for n, row in enumerate(definition.transitions)
            if state in row.sources
            for person in _free(row, able[n], hands)
        ]
        todo += found[here]
    return found


def _living(steps, goal):
    """What reaches the goal, found by going over everything until nothing is new."""
    found = {here for here in steps if here[0] in goal}
    while True:
        more = {here for here, after in steps.items() if here not in found and found & set(after)}
        if not more:
            return found
        found |= more


@settings(max_examples=500)
@given(definitions(), STAFF)
def test_the_search_finds_what_trying_everybody_finds(definition, staff):
    """The same dead ends, though people who are alike are taken for one another."""
    found = dead_ends(definition, staff)
    places = {(f.code, f.where, f.message.partition(" takes ")[0]) for f in found}
    expected, hopeless = slowly(definition, staff)
    assert places == expected
    assert any((f.code, f.severity) == ("L026", "error") for f in found) is hopeless


# --- kinds that guards tell apart ---------------------------------------------------------------------


ANY = {"agent", "automation"}


def kinds(fast=("fast",), slow=("slow",)):
    """A fast kind that an agent carries through, and a slow one that a manager approves."""
    rows = (
        move("go", "new", "done", guards="is_fast"),
        move("plan", "new", "planned", guards="is_slow"),
        move("approve", "planned", "done", roles="manager"),
        move("cancel", ("new", "planned"), "cancelled"),
        move("hold", "planned", "waiting"),
        move("resume", "waiting", "done", roles=ANY, guards="was_done"),
        move("resume", "waiting", "planned", roles=ANY),
    )
    states = (
        State("new", "new"),
        State("planned", "active"),
        State("waiting", "waiting", waits_on="supplier"),
        State("done", "closed", outcome="completed"),
        State("cancelled", "closed", outcome="cancelled"),
    )
    guards = {"is_fast": OfWay(never, fast), "is_slow": OfWay(never, slow), "was_done": OfWay(never, ())}
    return Lifecycle(
        "kinds", 1, process="change", initial="new", requester=False, states=states, transitions=rows,
        guards=guards,
    )  # fmt: skip


def never(situation):
    """A guard that no search asks."""
    raise AssertionError(situation)


def test_each_kind_that_guards_tell_apart_is_followed_by_itself():
    """The other kind's way is no way out of a dead end, nor is a hold that leads back."""
    (found,) = dead_ends(kinds(), {"ana": "agent"})
    assert (found.code, found.where) == ("L027", "planned")
    assert found.message.startswith("approve takes the role manager, and nobody here has it")
    assert dead_ends(kinds(), {"ana": "agent", "mona": "manager"}) == ()


def test_guards_that_say_nothing_of_kinds_are_satisfiable():
    """Then a record may go the other way, and nobody is told."""
    mute = attrs.evolve(kinds(), guards=dict.fromkeys(("is_fast", "is_slow", "was_done"), never))
    assert dead_ends(mute, {"ana": "agent"}) == ()
    assert dead_ends(kinds(fast=("slow", "fast")), {"ana": "agent"})[0].where == "planned"


def test_a_kind_that_no_transition_asks_for_is_none():
    """Its guard was left over when its steps were taken out."""
    rows = (
        move("go", "new", "done", guards="is_fast"),
        move("approve", "new", "done", roles="manager"),
        move("cancel", "new", "cancelled"),
    )
    made = kinds()
    left = attrs.evolve(
        made, transitions=rows, states=[s for s in made.states if s.phase.value in ("new", "closed")]
    )
    assert dead_ends(left, {"ana": "agent"}) == ()
