"""The rules of soundness against slow and obvious ways to say the same, on random definitions."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from itsm_core.business_time.durations import Budget, hours
from itsm_core.events import Phase
from itsm_core.lifecycle import Lifecycle, Need, State, Transition, check

N, A, W, R, C = Phase
OPEN = {N, A, W}
GUARDS = ("g", "h")
WHO = {
    "staff": {"roles": "agent"},
    "requester": {"relation": "requester"},
    "automation": {"roles": {"agent", "automation"}},
    "at once": {"after": Budget(0)},
    "later": {"after": hours(1)},
}
NEEDS = (
    Need("reason", "our rule", kept=True),
    Need("category", "our rule", kept=True, otherwise="reason"),
    Need("look_again_at", "our rule", kept=True),
    Need("message", "our rule", kept=True),
)


def fine(_situation):
    """A guard with nothing to say."""


@st.composite
def states(draw):
    """One to five states, the first of them new."""
    found = []
    for n in range(draw(st.integers(1, 5))):
        phase = N if n == 0 else draw(st.sampled_from([*Phase, C]))
        waits = draw(st.sampled_from([None, "supplier"])) if phase is W else None
        found.append(State(f"s{n}", phase, outcome="completed" if phase is C else None, waits_on=waits))
    return found


@st.composite
def rows(draw, ids):
    """A transition between these states."""
    who = draw(st.sampled_from(sorted(WHO)))
    timed = "after" in WHO[who]
    return Transition(
        draw(st.sampled_from("abc")),
        draw(st.lists(st.sampled_from(ids), min_size=1, max_size=2, unique=True)),
        dest=draw(st.sampled_from(ids)),
        guards=draw(st.lists(st.sampled_from(GUARDS), max_size=2, unique=True)),
        separate_from=()
        if timed
        else draw(st.lists(st.sampled_from(["open", *"abc"]), max_size=2, unique=True)),
        requires=draw(st.lists(st.sampled_from(NEEDS), max_size=2, unique=True)),
        reopens=draw(st.sampled_from([None, None, "resume", "twice"])),
        **WHO[who],
    )


@st.composite
def definitions(draw):
    """A definition whose every name leads somewhere."""
    found = draw(states())
    ids = [state.id for state in found]
    return Lifecycle(
        "random",
        1,
        process="incident",
        initial="s0",
        states=found,
        transitions=draw(st.lists(rows(ids), max_size=7)),
        opening=draw(st.lists(st.sampled_from(NEEDS), max_size=1)),
        requester=draw(st.booleans()),
        guards=dict.fromkeys(GUARDS, fine),
    )


def edges(definition):
    """Every move: from where, by which row, where to."""
    by_id = definition.by_id
    return [(by_id[s], row, by_id[row.dest]) for row in definition.transitions for s in row.sources]


def closure(pairs, ids):
    """Who reaches whom in any number of steps, none included: pairs are joined until nothing is new."""
    found = {(one, one) for one in ids} | set(pairs)
    while True:
        more = {(a, d) for (a, b), (c, d) in itertools.product(found, repeat=2) if b == c} - found
        if not more:
            return found
        found |= more


def lost_or_stuck(definition):
    """L007, L008, L009: from the initial state to each, and from each to an end."""
    ids = list(definition.by_id)
    reaches = closure({(a.id, b.id) for a, _, b in edges(definition)}, ids)
    ends = {s.id for s in definition.states if s.phase is C}
    stuck = {s for s in ids if not any((s, end) in reaches for end in ends)}
    return {
        "L007": set() if ends else {definition.id},
        "L008": {s for s in ids if ("s0", s) not in reaches},
        "L009": stuck if ends else set(),
    }


def judged_by_two_phases(definition):
    """L005, L006, L012: said again as sentences about one move."""
    expected = {"L005": set(), "L006": set(), "L012": set()}
    for a, row, b in edges(definition):
        back = a.phase in {R, C} and b.phase in OPEN
        if a.phase is C and row.reopens is None:
            expected["L005"].add(row.trigger)
        if a.phase is R and b.phase is W:
            expected["L006"].add(row.trigger)
        unmarked = back and row.reopens is None and a.phase is R and b.phase is not W
        misspelt = back and row.reopens == "twice"
        misplaced = row.reopens is not None and not back
        if unmarked or misspelt or misplaced:
            expected["L012"].add(row.trigger)
    return expected


def never_taken(definition):
    """L013, L014: all four ways in which two guards may answer are tried."""
    shadowed, open_ended = set(), set()
    for trigger, state in itertools.product(definition.by_trigger, definition.by_id):
        candidates = definition.rows(trigger, state)
        answers = [set(held) for n in range(3) for held in itertools.combinations(GUARDS, n)]
        taken = {_taken(candidates, held) for held in answers}
        live = [row for n, row in enumerate(candidates) if n in taken]
        if len(live) < len(candidates):
            shadowed.add(trigger)
        shared = set(GUARDS).intersection(*(row.guards for row in live))
        if len(live) > 1 and all(set(row.guards) - shared for row in live):
            open_ended.add(trigger)
    return {"L013": shadowed, "L014": open_ended}


def _taken(candidates, held):
    """Which row is taken if these guards hold and the others object."""
    return next((n for n, row in enumerate(candidates) if set(row.guards) <= held), None)


def left_alone(definition):
    """L011, L015, L023: whom a wait is for, and who leads out of it and of what is resolved."""
    leaving = {state.id: [] for state in definition.states}
    for a, row, b in edges(definition):
        leaving[a.id].append((row, b))

    def out(state, seen, counts, ends):
        """Whether counting moves lead out, walking through states of the same phase."""
        return any(
            ends(b) or (b.phase is state.phase and b.id not in seen and out(b, seen | {b.id}, counts, ends))
            for row, b in leaving[state.id]
            if counts(row)
        )

    def helped(row):
        return row.after is not None or "requester" in row.relation

    def helped_or_automatic(row):
        return helped(row) or "automation" in row.roles

    return {
        "L011": {
            row.trigger
            for a, row, b in edges(definition)
            if b.phase is W and b.waits_on is None and not (a.phase is W and a.waits_on is None)
        },
        "L015": {
            s.id
            for s in definition.states
            if s.phase is W and not out(s, {s.id}, helped_or_automatic, lambda b: b.phase is not W)
        },
        "L023": {
            s.id
            for s in definition.states
            if s.phase is R and definition.requester and not out(s, {s.id}, helped, lambda b: b.phase is C)
        },
    }


def kept_apart(definition):
    """L021, L022: some walk from the beginning fires the one and later stands where the other leaves."""
    reaches = closure({(a.id, b.id) for a, _, b in edges(definition)}, definition.by_id)
    strange, never = set(), set()
    for row in definition.transitions:
        for name in set(row.separate_from) - {"open"}:
            before = [(a, b) for a, earlier, b in edges(definition) if earlier.trigger == name]
            if not before:
                strange.add(row.trigger)
            elif not any(
                ("s0", a.id) in reaches and (b.id, source) in reaches
                for a, b in before
                for source in row.sources
            ):
                never.add(row.trigger)
    return {"L021": strange, "L022": never}


def untimely(definition):
    """L028: all walks, with all that a record may know on them, and either answer where there are two."""
    met = _known(definition)
    lacking = {
        row.trigger
        for row in definition.transitions
        for need in row.requires
        if row.after is not None
        and any(state in row.sources and not {need.field, need.otherwise} & known for state, known in met)
    }
    return {"L028": lacking}


def _known(definition):
    """Every state with every set of fields that a record may know in it."""
    todo = [("s0", known) for known in _answers(frozenset({"title"}), definition.opening)]
    met = set(todo)
    while todo:
        state, known = todo.pop()
        for a, row, b in edges(definition):
            if a.id == state:
                for more in _answers(known, row.requires):
                    kept = more - {"message"} - (set() if b.phase is W else {"look_again_at"})
                    if (b.id, kept) not in met:
                        met.add((b.id, kept))
                        todo.append((b.id, kept))
    return met


def _answers(known, needs):
    """What a record may know after these needs: each is answered in one of its ways."""
    ways = [[n.field] if n.otherwise is None else [n.field, n.otherwise] for n in needs]
    return {known | set(chosen) for chosen in itertools.product(*ways)}


SLOW = (lost_or_stuck, judged_by_two_phases, never_taken, left_alone, kept_apart, untimely)


@settings(max_examples=500)
@given(definitions())
def test_each_rule_names_the_places_that_a_slow_and_obvious_search_names(definition):
    """The same places by closures, by walks, by all answers of guards, and by all that may be known."""
    expected = {code: places for slow in SLOW for code, places in slow(definition).items()}
    told = {code: set() for code in expected}
    for finding in check(definition):
        told.setdefault(finding.code, set()).add(finding.where)
    assert {code: told[code] for code in expected} == expected
    turning = {(a.id, b.id) for a, row, b in edges(definition) if row.after == Budget(0)}
    reaches = closure(turning, definition.by_id)
    assert ("L024" in told) is any((b, a) in reaches for a, b in turning)


# --- L026: as many people as anybody may need --------------------------------------------------


@st.composite
def crowded(draw):
    """A definition in which much is for the requester alone, and much is kept apart."""
    ids = ["s0", "s1", "s2"]
    rows = [
        Transition(
            trigger,
            source,
            dest=draw(st.sampled_from([*ids, "end"])),
            separate_from=draw(st.lists(st.sampled_from(["open", *"abc"]), max_size=2, unique=True)),
            **WHO[draw(st.sampled_from(["requester", "requester", "requester", "staff", "later"]))],
        )
        for trigger, source in draw(
            st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(ids)), max_size=6, unique=True)
        )
    ]
    states = [State("s0", N), State("s1", A), State("s2", A), State("end", C, outcome="completed")]
    return Lifecycle(
        "crowded", 1, process="incident", initial="s0", states=states, transitions=rows, requester=False
    )


def never_apart(definition):
    """What the requester alone may fire and never can, or without which they are stuck."""
    watched = {name for row in definition.transitions for name in row.separate_from if row.after is None}
    crowd = [f"p{n}" for n in range(len(watched) + 1)]
    steps, fired = {}, set()
    todo = [("s0", frozenset({("open", "requester")} if "open" in watched else ()))]
    while todo:
        here = state, hands = todo.pop()
        if here in steps:
            continue
        steps[here] = []
        for row in definition.transitions:
            for who in _free(row, crowd, hands) if state in row.sources else ():
                fired.add(row)
                did = {pair for pair in hands if pair[0] != row.trigger}
                after = did | ({(row.trigger, who)} if row.trigger in watched else set())
                steps[here].append((row.dest, frozenset(after)))
        todo += steps[here]
    living = {here for here in steps if here[0] == "end"}
    while more := {here for here, after in steps.items() if here not in living and living & set(after)}:
        living |= more
    reaches = closure({(a.id, b.id) for a, _, b in edges(definition)}, definition.by_id)
    stuck = {
        row
        for row in definition.transitions
        for state, hands in steps
        if state in row.sources and (state, hands) not in living and state != "end"
        if (row.dest, "end") in reaches and not _free(row, crowd, hands)
    }
    tight = [row for row in definition.transitions if row.separate_from and row.relation and not row.after]
    met = {state for state, _ in steps}
    return {row.trigger for row in tight if row in stuck or (row not in fired and met & set(row.sources))}


def _free(row, crowd, hands):
    """Who may fire a row and did nothing that it is kept apart from; time is nobody."""
    people = ["requester"] if row.relation else crowd
    return (
        [None]
        if row.after
        else [p for p in people if all((name, p) not in hands for name in row.separate_from)]
    )


@settings(max_examples=500)
@given(crowded())
def test_what_no_number_of_people_can_keep_apart_is_found_by_trying_a_crowd(definition):
    """L026: one more person than duties, each with every role, beside the requester who has none."""
    found = {finding.where for finding in check(definition) if finding.code == "L026"}
    assert found == never_apart(definition)
