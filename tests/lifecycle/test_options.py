"""Buttons: what is shown to whom, and that every one of them tells the truth."""

import datetime as dt

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itsm_core.actors import Actor
from itsm_core.business_time import BusinessCalendar, hours
from itsm_core.commands import Command
from itsm_core.errors import InvalidValue, Reason
from itsm_core.lifecycle import CustomField, Lifecycle, Need, State, Transition, decide, options
from itsm_core.records import Waiver
from plain_incident import INCIDENT

T = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
ANA = Actor.person("ana", "agent")


# --- what a button shows -------------------------------------------------------------------------


def test_every_trigger_that_people_pull_is_one_button():
    """In the order of definition, whatever the state, and once however many rows it has."""
    for state in INCIDENT.by_id:
        found = options(INCIDENT.record("X", state), ANA, INCIDENT)
        assert [button.trigger for button in found] == list(INCIDENT.by_trigger)


@pytest.mark.parametrize(
    ("lang", "shown"), [("en", "Read the log first"), ("zh", "先看日志"), ("fr", "Read the log first")]
)
def test_instructions_are_shown_in_the_language_else_in_english(lang, shown):
    """As labels are; and nothing where none are written."""
    (first, *rest) = INCIDENT.transitions
    told = attrs.evolve(first, instructions={"en": "Read the log first", "zh": "先看日志"})
    lifecycle = attrs.evolve(INCIDENT, transitions=(told, *rest))
    start, hold, *_ = options(lifecycle.record("X"), ANA, lifecycle, lang=lang)
    assert (start.instructions, hold.instructions) == (shown, "")
    foreign = attrs.evolve(
        lifecycle, transitions=(attrs.evolve(told, instructions={"zh": "先看日志"}), *rest)
    )
    assert options(foreign.record("X"), ANA, foreign, lang="fr")[0].instructions == ""


@pytest.mark.parametrize(
    "wrong", [{"actor": "ana"}, {"actor": None}, {"lang": ["en"]}, {"lang": None}], ids=str
)
def test_buttons_are_shown_to_an_actor_in_a_language(wrong):
    """Anything else is refused by name."""
    given = {"actor": ANA, "lang": "en", **wrong}
    with pytest.raises(InvalidValue, match=f"^{next(iter(wrong))} "):
        options(INCIDENT.record("X"), given["actor"], INCIDENT, lang=given["lang"])


def test_a_button_in_the_wrong_state_still_says_what_it_is():
    """Its label and what it would need, but no place to lead to."""
    (close,) = [o for o in options(INCIDENT.record("X"), ANA, INCIDENT) if o.trigger == "close"]
    assert (close.label, close.enabled, close.destination) == ("Close", False, None)
    assert [need.field for need in close.needs] == ["closure_code"]
    assert close.missing == close.needs
    assert close.waivers == ()


def test_a_button_is_a_value():
    """Two looks at one record show the same."""
    record = INCIDENT.record("X")
    first = options(record, ANA, INCIDENT, at=T)
    assert options(record, ANA, INCIDENT, at=T) == first
    assert len({*first, *options(record, ANA, INCIDENT, at=T)}) == len(first)


# --- buttons tell the truth ----------------------------------------------------------------------

STATES = (
    State("new", "new"), State("busy", "active"), State("held", "waiting"),
    State("done", "resolved"), State("gone", "closed", outcome="completed"),
)  # fmt: skip
TRIGGERS = ("go", "stop", "close")
NEEDS = (
    Need("reason", "a rule"),
    Need("category", "a rule", kept=True, one_of=("mail", "web")),
    Need("tested", "a rule", otherwise="service"),
    Need("colour", "a rule", one_of=("red", "blue")),
)
VALUES = {
    "category": ["mail", "web", "gone"],
    "service": ["smtp"],
    "major": [True, False],
    "requester": ["rita", "ana"],
}
WITH = {"reason": "x", "category": "web", "tested": "yes", "colour": "red"}


def truth(n):
    """A guard whose answer is a row of a truth table over two facts of the record."""

    def guard(situation):
        held = situation.record.values
        row = 2 * bool(held.get("major")) + (held.get("category") == "mail")
        return f"no {n}" if n >> row & 1 else None

    return guard


GUARDS = {f"g{n}": truth(n) for n in range(16)}


def some(items, most=2):
    """A few of these, in any order, once each."""
    return st.lists(st.sampled_from(items), max_size=most, unique=True).map(tuple)


ROWS = st.builds(
    Transition,
    st.sampled_from(TRIGGERS),
    some([state.id for state in STATES], 5).filter(bool),
    dest=st.sampled_from([state.id for state in STATES]),
    roles=some(["agent", "manager"]),
    relation=some(["requester", "assignee"]),
    requires=some(NEEDS, 3),
    guards=some(sorted(GUARDS)),
    separate_from=some(["open", *TRIGGERS]),
    after=st.sampled_from([None, None, None, hours(0), hours(2)]),
)
LIFECYCLES = st.builds(
    lambda rows: Lifecycle(
        "random", 1, process="x", initial="new", states=STATES, transitions=rows, guards=GUARDS
    ),
    st.lists(ROWS, min_size=1, max_size=8),
)
PEOPLE = st.sampled_from(["ana", "bo", "rita"])
WAIVERS = st.builds(
    lambda trigger, earlier, start: Waiver(
        trigger=trigger, separate_from=earlier, by="mia", at=T + start * HOUR, until=T + (start + 2) * HOUR,
        review="r", event="e",
    ),
    st.sampled_from(TRIGGERS), st.sampled_from(["open", *TRIGGERS]), st.integers(-3, 1),
)  # fmt: skip
RECORDS = st.builds(
    lambda state, values, acted, waivers, entered: attrs.evolve(
        INCIDENT.record("X"),
        lifecycle="random",
        state=state.id,
        phase=state.phase,
        values=values,
        acted=tuple(acted.items()),
        waivers=tuple(waivers),
        entered_at=entered,
    ),
    st.sampled_from(STATES),
    st.fixed_dictionaries({}, optional={name: st.sampled_from(of) for name, of in VALUES.items()}),
    st.dictionaries(st.sampled_from(["open", *TRIGGERS]), PEOPLE),
    st.lists(WAIVERS, max_size=3),
    st.sampled_from([None, T, T - HOUR, T - 3 * HOUR]),
)
ACTORS = st.builds(
    Actor, PEOPLE, roles=some(["agent", "manager", "itsm_core"], 3),
    approved_by=st.sampled_from([None, "ana", "rita"]),
)  # fmt: skip


@pytest.mark.law
@given(
    LIFECYCLES,
    RECORDS,
    ACTORS,
    st.sampled_from([None, BusinessCalendar.weekly("mon 09:00-10:00", zone="UTC")]),
)
def test_a_button_is_enabled_iff_the_command_with_its_fields_is_accepted(lifecycle, record, actor, calendar):
    """At one instant, for any rows, guards, needs, duties, waivers and timers; and for the same reasons."""
    for button in options(record, actor, lifecycle, at=T, calendar=calendar):
        fields = {need.field: WITH[need.field] for need in button.needs}
        decision = decide(
            record, Command(button.trigger, actor, at=T, fields=fields), lifecycle, calendar=calendar
        )
        assert decision.accepted is button.enabled
        assert decision.reasons == button.reasons
        if decision.accepted:
            assert decision.events[-1].to_state == button.destination
            few = {need.field: WITH[need.field] for need in button.missing}
            asked = Command(button.trigger, actor, at=T, fields=few)
            assert decide(record, asked, lifecycle, calendar=calendar).accepted


@pytest.mark.law
@given(LIFECYCLES, RECORDS, ACTORS)
def test_what_a_button_asks_for_is_what_a_bare_command_lacks(lifecycle, record, actor):
    """No more and no less, one reason each."""
    for button in options(record, actor, lifecycle, at=T):
        decision = decide(record, Command(button.trigger, actor, at=T), lifecycle)
        lacking = [dict(r.facts)["field"] for r in decision.reasons if r.code == "missing_field"]
        assert lacking == [need.field for need in button.missing]


@pytest.mark.law
@given(LIFECYCLES, RECORDS, ACTORS)
def test_a_trigger_without_a_button_is_fired_by_time_alone(lifecycle, record, actor):
    """What is not shown cannot be done by people."""
    shown = {button.trigger for button in options(record, actor, lifecycle, at=T)}
    for trigger in lifecycle.by_trigger.keys() - shown:
        decision = decide(record, Command(trigger, actor, at=T, fields=WITH), lifecycle)
        assert not decision.accepted or "itsm_core" in actor.roles


def test_the_random_lifecycles_above_have_it_all():
    """The laws would prove nothing if no button were ever enabled, or none ever grey for each reason."""
    seen, enabled = set(), 0

    @settings(derandomize=True, max_examples=200)
    @given(LIFECYCLES, RECORDS, ACTORS)
    def look(lifecycle, record, actor):
        nonlocal enabled
        for button in options(record, actor, lifecycle, at=T):
            seen.update(reason.code for reason in button.reasons)
            enabled += button.enabled

    look()
    assert seen >= {"wrong_state", "role", "separation", "guard", "timer"}
    assert enabled > 20


# --- notes on what is missing ----------------------------------------------------------------------


def notable(*reasons):
    """A lifecycle whose one step asks for two fields, with a guard for each of these reasons."""
    guards = {f"g{n}": lambda _, reason=reason: reason for n, reason in enumerate(reasons)}
    needs = (Need("category", "a rule", kept=True), Need("tested", "a rule", kept=True, otherwise="untested"))
    row = Transition("finish", "new", dest="done", roles="agent", requires=needs, guards=tuple(guards))
    states = (State("new", "new"), State("done", "closed", outcome="completed"))
    fields = (CustomField("tested", "text"), CustomField("untested", "text"))
    return Lifecycle(
        "notable", 1, process="change", initial="new", states=states, transitions=(row,), fields=fields,
        guards=guards,
    )  # fmt: skip


@pytest.mark.parametrize("field", ["category", "tested", "untested"])
def test_what_a_guard_says_about_a_missing_field_is_a_note_and_no_bar(field):
    """The form that the button opens asks for the field; once it is there, the guard bars what it bars."""
    reason = Reason("owed", "it is owed", facts={"field": field})
    lifecycle = notable(reason)
    (button,) = options(lifecycle.record("X"), ANA, lifecycle)
    assert (button.enabled, button.reasons, button.notes) == (True, (), (reason,))
    given = lifecycle.record("X", category="web", custom={"tested": "yes"})
    (button,) = options(given, ANA, lifecycle)
    assert (button.enabled, button.reasons, button.notes) == (False, (reason,), ())


def test_what_a_guard_says_about_anything_else_bars():
    """A field that the button does not ask for, or none at all."""
    other, plain = Reason("owed", "no", facts={"field": "service"}), Reason("guard", "no")
    lifecycle = notable(other, plain)
    (button,) = options(lifecycle.record("X"), ANA, lifecycle)
    assert (button.enabled, button.reasons, button.notes) == (False, (other, plain), ())
