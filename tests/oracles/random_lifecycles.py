"""Sound lifecycles at random: every phase, waits, timers, guards, duties, needs, words.

Built so that nearly all are sound: every state is reached from the first one and may be finished by
an agent or the requester.
"""

import datetime as dt

import attrs
from hypothesis import strategies as st

from itsm_core.actors import Actor
from itsm_core.business_time import business_days, calendar_days, end_of_business_day, hours, minutes
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle import CustomField, Lifecycle, Need, State, Transition, options

ROLES = ("agent", "manager", "automation", "second_line")
FIELDS = ("room", "ticket_ref", "cost_centre")


def content(_situation):
    """A guard that never objects."""


def objecting(_situation):
    """A guard that always objects."""
    return "not today"


GUARDS = {"content": content, "objecting": objecting}

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
words = st.dictionaries(st.sampled_from(["en", "zh", "de"]), texts, max_size=2)
some_roles = st.sets(st.sampled_from(ROLES), min_size=1, max_size=3)
durations = st.sampled_from(
    [hours(4), minutes(90), business_days(5), calendar_days(1), end_of_business_day(1)]
)
guards = st.lists(st.sampled_from(sorted(GUARDS)), max_size=2, unique=True)

needs = st.builds(
    Need,
    st.sampled_from(["title", "reason", "message", *FIELDS]),
    st.sampled_from(["8.6.1", "our rule"]),
    one_of=st.lists(st.sampled_from(["a", "b", "c"]), max_size=2, unique=True),
    otherwise=st.sampled_from([None, "description"]),
    kept=st.booleans(),
    essential=st.booleans(),
    label=words,
)
several_needs = st.lists(needs, max_size=2, unique_by=lambda need: need.field)


@st.composite
def states(draw):
    """A first state, some of each phase between, and an end or two."""
    middle = []
    for phase, name in ((Phase.NEW, "n"), (Phase.ACTIVE, "a"), (Phase.WAITING, "w"), (Phase.RESOLVED, "r")):
        for number in range(draw(st.integers(0, 2 if phase is Phase.ACTIVE else 1))):
            waits = draw(st.sampled_from(WaitsOn)) if phase is Phase.WAITING else None
            middle.append(State(f"{name}{number}", phase, waits_on=waits, label=draw(words)))
    ends = [State("done", "closed", outcome="completed")]
    if draw(st.booleans()):
        ends.append(State("gone", "closed", outcome="cancelled", label=draw(words)))
    return [State("new", "new", label=draw(words)), *middle, *ends]


@st.composite
def transitions(draw, known):
    """A way into every state, a way to finish out of each, and some more."""
    rows = [
        Transition(
            f"to_{state.id}", "new", dest=state.id, roles=draw(some_roles), label=draw(words),
            requires=draw(several_needs), guards=draw(guards), instructions=draw(words),
        )
        for state in known[1:] if state.id != "done"
    ]  # fmt: skip
    open_ones = [state.id for state in known if state.phase is not Phase.CLOSED]
    rows.append(
        Transition(
            "finish", open_ones, dest="done", roles={"agent"}, relation={"requester"}, label=draw(words)
        )
    )
    resolved = [state.id for state in known if state.phase is Phase.RESOLVED]
    if resolved and draw(st.booleans()):
        how = draw(st.sampled_from(["resume", "restart"]))
        rows.append(Transition("reopen", resolved, dest="new", roles=draw(some_roles), reopens=how))
    if resolved and draw(st.booleans()):
        rows.append(Transition("auto", resolved, dest="done", after=draw(durations), guards=draw(guards)))
    active = [state.id for state in known if state.phase is Phase.ACTIVE]
    if active:
        triggers = [row.trigger for row in rows if row.dest in active]
        apart = draw(st.lists(st.sampled_from(["open", *triggers]), max_size=1))
        rows.append(Transition("hand_on", active, dest=active[0], roles=ROLES, separate_from=apart))
        if draw(st.booleans()):
            rows.append(
                Transition("hand_on", "new", dest=active[0], roles=draw(some_roles), guards=draw(guards))
            )
    return rows


@st.composite
def lifecycles(draw):
    """A definition, sound but for the rare one that a rule refuses."""
    known = draw(states())
    return Lifecycle(
        draw(st.sampled_from(["desk", "acme.desk"])),
        draw(st.integers(1, 5)),
        process=draw(st.sampled_from(["incident", "problem"])),
        initial="new",
        states=known,
        transitions=draw(transitions(known)),
        opening=draw(several_needs),
        fields=[CustomField(name, "text", personal=draw(st.booleans())) for name in FIELDS],
        beside=draw(st.sampled_from([{}, {"vote": ["content"]}, {"note": ["objecting", "content"]}])),
        roles=draw(st.sampled_from([(), ROLES])),
        requester=draw(st.booleans()),
        label=draw(words),
        guards=GUARDS,
    )


def is_sound(lifecycle):
    """Whether nothing but warnings is said of it."""
    return all(finding.severity == "warning" for finding in lifecycle.check())


sound_lifecycles = lifecycles().filter(is_sound)


def edges(lifecycle):
    """Every move of a definition: trigger, from, to."""
    return {(row.trigger, source, row.dest) for row in lifecycle.transitions for source in row.sources}


def named_alike(one, other):
    """The first under the id and version of the second."""
    return attrs.evolve(one, id=other.id, version=other.version)


T = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)


def allowed(lifecycle):
    """Who may press which button, out of which state and to where."""
    people = [Actor.person(role, role) for role in ROLES] + [Actor.person("rita")]
    return {
        (state, person.id, option.trigger, option.destination)
        for state in lifecycle.by_id
        for person in people
        for option in options(lifecycle.record("R-1", state, requester="rita"), person, lifecycle, at=T)
        if option.enabled
    }
