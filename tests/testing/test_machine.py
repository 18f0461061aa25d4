"""The machine of Hypothesis: it passes what is sound, gets somewhere, and finds what was broken on purpose."""

import itertools
from collections import Counter

import attrs
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from changing import DAY, HOUR, OURS, PEOPLE, T
from itsm_core import BusinessCalendar, CustomField, InvalidValue
from itsm_core.approvals import ApprovalRule, Panel
from itsm_core.business_time.durations import business_days
from itsm_core.lifecycle import Lifecycle, State, Transition, options
from itsm_core.lifecycle.reasons import need_reasons
from itsm_core.processes import CHANGE, INCIDENT, SHIPPED, TASK, RequestModel
from itsm_core.processes.authority import MATERIAL
from itsm_core.records import apply, fold
from itsm_core.testing import LawBroken, cast, edges_of, laws, lifecycle_machine, machine, steps, walk
from random_lifecycles import sound_lifecycles
from walking import ACTORS

OFFICE = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/Berlin")
EXAMPLES = 50 if settings().max_examples <= 100 else 500


def run(tried, examples=EXAMPLES, *, derandomize=EXAMPLES == 50):
    """Runs a machine, by day with the same examples each time; what it finds is not made smaller."""
    known = settings(
        max_examples=examples,
        stateful_step_count=20,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        derandomize=derandomize,
    )
    run_state_machine_as_test(tried, settings=known)


def asked(panel, members, **more):
    """An approval rule of one panel that is enough for a change."""
    return ApprovalRule([Panel(panel, members, **more)], material=MATERIAL).to_dict()


RULES = [asked("peer", ["pia", "pol"]), asked("ecab", ["mona", "sam", "dora"], needed=2),
         asked("cab", PEOPLE["cab"], needed=3)]  # fmt: skip
OF_A_CHANGE = {
    "planned_start": st.sampled_from([T + HOUR, T + 30 * DAY]), "planned_end": st.just(T + 3000 * DAY),
    "told_at": st.just(T), "actual_start": st.just(T), "actual_end": st.just(T + HOUR),
    "change_kind": st.sampled_from(["normal", "normal", "standard", "emergency"]),
    "category": st.just("mail"), "service_change": st.just("none"), "likelihood": st.just("low"),
    "impact": st.just("low"), "template": st.just("reboot"), "template_version": st.just(2),
    "rule": st.sampled_from(RULES),
}  # fmt: skip
"""Fields that get past the guards of a change."""

KNOWN = {"change": (OURS, {"fields": OF_A_CHANGE})}


def machine_of(lifecycle, **more):
    """The machine of a shipped lifecycle, with what it needs to get somewhere."""
    given, known = KNOWN.get(lifecycle.id, (lifecycle, {}))
    return lifecycle_machine(given, **{**known, **more})


# --- what is sound -------------------------------------------------------------------------------


@pytest.mark.law
@pytest.mark.parametrize("lifecycle", SHIPPED, ids=lambda one: one.id)
def test_a_shipped_lifecycle_keeps_every_law(lifecycle, monkeypatch):
    """Whatever is done to its records; and enough is done, for refusals alone would prove little."""
    moves = []
    monkeypatch.setattr(machine, "event", moves.append)
    run(machine_of(lifecycle, calendar=OFFICE))
    assert set(moves) <= set(map(str, edges_of(lifecycle)))
    assert len(moves) >= EXAMPLES // 2, Counter(moves)  # what walks each edge is test_walking


@pytest.mark.law
def test_lifecycles_made_from_the_shipped_ones_keep_every_law():
    """A smaller desk, a request model with inputs and approval, a policy without templates."""
    laptop = RequestModel("laptop", 3, title="A laptop", inputs=[], approval="line_manager")
    for lifecycle in (INCIDENT.lite(), laptop.lifecycle(), CHANGE, CHANGE.lite()):
        run(lifecycle_machine(lifecycle), EXAMPLES // 5)


@pytest.mark.law
def test_a_lifecycle_of_incidents_that_resolves_nothing_keeps_every_law():
    """Its major incidents end in its closing transition; and some are proposed, so that this is tried."""
    said = []

    class Watched(lifecycle_machine(STRAIGHT)):
        """The same, with a word on where the major incident stands."""

        def teardown(self):
            if self.history:
                held = fold(self.history).major_incident
                said.append(None if held is None else str(held.status))

    run(Watched)
    assert {"proposed", "accepted", "rejected"} & {*said}, Counter(said)


STRAIGHT = Lifecycle(
    "straight", 1, process="incident", initial="new",
    states=[State("new", "new"), State("work", "active"), State("gone", "closed", outcome="solved"),
            State("same", "closed", outcome="duplicate")],
    transitions=[
        Transition("start", "new", dest="work", roles="agent"),
        Transition("end", ("new", "work"), dest="gone", roles="agent"),
        Transition("merge_in", ("new", "work"), dest="same", roles="agent"),
        Transition("fade", "new", dest="gone", after=business_days(9)),
    ],
)  # fmt: skip


@pytest.mark.law
def test_any_sound_lifecycle_keeps_every_law():
    """Guards, timers, duties, waits and words at random."""

    class Any(machine.LifecycleMachine):
        """A machine of a lifecycle that is drawn first."""

        def opens(self, data):
            lifecycle = data.draw(sound_lifecycles, "lifecycle")
            self.world = lifecycle_machine(lifecycle).world
            super().opens(data)

        opens = machine.initialize(data=st.data())(opens)

    run(Any)


def test_it_is_a_test_of_any_runner():
    """`TestOurs = lifecycle_machine(OURS).TestCase`."""
    made = lifecycle_machine(TASK)
    assert made.TestCase.__name__ == "LifecycleMachine.TestCase"
    made.TestCase.settings = settings(max_examples=3, stateful_step_count=5, database=None)
    made.TestCase("runTest").runTest()


def test_it_takes_what_a_host_has():
    """Its own actors and fields, records that lie beside, approvals."""
    done = TASK.record("R-2", "complete")
    room = CustomField("room", "text")
    fields = {"room": st.just("12"), "reason": st.just("Because")}
    for related in ([done], st.just((done,)), ()):
        made = lifecycle_machine(
            INCIDENT, actors=[ACTORS["agent"]], fields=fields, related=related, custom=[room], calendar=OFFICE
        )
        assert made.world.people == ("ana", "itsm_core")
        assert made.__doc__ == "Tries incident."
        run(made, 5)
    assert lifecycle_machine(TASK).world.actors == cast(TASK)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"lifecycle": "incident"}, "lifecycle"),
        ({"actors": ["ana"]}, "actors"),
        ({"related": ["R-2"]}, "related"),
        ({"fields": {"room": "12"}}, "field room"),
    ],
)
def test_bad_input_is_refused(given, reason):
    """Before anything is run."""
    known = {"lifecycle": INCIDENT, **given}
    with pytest.raises(InvalidValue, match=reason):
        lifecycle_machine(known.pop("lifecycle"), **known)


# --- what is broken on purpose -------------------------------------------------------------------


def with_guard(guard, trigger="start"):
    """The incident with one more guard on a transition."""
    rows = [attrs.evolve(t, guards=(*t.guards, "moody")) if t.trigger == trigger else t
            for t in INCIDENT.transitions]  # fmt: skip
    return attrs.evolve(INCIDENT, transitions=rows, guards={**INCIDENT.guards, "moody": guard})


def found(tried, *kinds):
    """What a machine finds, in one text; Hypothesis may group it, or call it flaky."""
    with pytest.raises(BaseException) as wrong:
        run(tried, 200, derandomize=True)
    told, todo = [], [wrong.value]
    while todo:
        one = todo.pop()
        told.append(one)
        todo += getattr(one, "exceptions", ())
    assert any(isinstance(one, kinds or LawBroken) for one in told), told
    return "\n".join(map(str, told))


def test_a_guard_that_changes_its_mind_is_found():
    """It answers every second time only."""
    times = itertools.count()

    def moody(situation):
        return None if situation.fields or next(times) % 2 else "not now"

    tried = lifecycle_machine(with_guard(moody, "hold"))
    said = found(tried)
    assert "asked again, options show other buttons" in said or "options tell the truth" in said
    looking = tried()
    looking.history = walk(INCIDENT, ())
    with pytest.raises(LawBroken, match="incident 1, new, ana: asked again, options show other buttons"):
        looking._shown(ACTORS["agent"], T, ())


def test_a_guard_that_changes_its_mind_when_it_matters_is_found():
    """Not while options are looked at, but when the button is pressed; `decide` says so itself, or a law does."""
    times = itertools.count()

    def moody(situation):
        return "not now" if situation.fields and next(times) % 3 else None

    said = found(lifecycle_machine(with_guard(moody, "hold")), LawBroken, InvalidValue)
    assert "the same question has the same answer" in said or "answered one thing, then another" in said


def test_a_guard_that_changes_the_record_is_found():
    """It has to look, and not to touch."""

    def touching(situation):
        object.__setattr__(situation.record, "reopened", situation.record.reopened + 1)

    said = found(lifecycle_machine(with_guard(touching, "cancel")))
    assert "deciding changes nothing: the record that was asked about is another one now" in said


def test_a_guard_that_fails_is_found():
    """Its own error is what the test fails with."""
    with pytest.raises(ZeroDivisionError):
        run(lifecycle_machine(with_guard(lambda _: 1 / 0)), 200, derandomize=True)


@pytest.mark.parametrize("lie", ["all enabled", "none missing", "another reason"])
def test_options_that_lie_are_found(lie, monkeypatch):
    """They say less, or other, than `decide`."""
    changes = {"all enabled": {"enabled": True, "reasons": ()}, "none missing": {"missing": ()},
               "another reason": {"instructions": "x"}}  # fmt: skip

    def lying(*known, **more):
        shown = options(*known, **more)
        less = shown[1:] if lie == "another reason" else shown
        return tuple(attrs.evolve(option, **changes[lie]) for option in less)

    monkeypatch.setattr(steps, "options", lying)
    assert "options tell the truth" in found(lifecycle_machine(INCIDENT))


def test_a_fold_that_forgets_is_found(monkeypatch):
    """Step by step another record comes out than of the whole history."""

    def forgetful(record, event):
        return attrs.evolve(apply(record, event), links=())

    monkeypatch.setattr(steps, "apply", forgetful)
    said = found(lifecycle_machine(INCIDENT))
    assert "the record is the fold of its history: the history tells another record: links" in said


def test_a_whole_fold_that_forgets_is_found(monkeypatch):
    """The other way round."""
    monkeypatch.setattr(laws, "fold", lambda events: attrs.evolve(fold(events), reassigned=0, acted=()))
    assert "the history tells another record: acted" in found(lifecycle_machine(INCIDENT))


UNSOUND = Lifecycle(
    "unsound", 1, process="x", initial="a",
    states=[State("a", "new"), State("b", "closed", outcome="completed")],
    transitions=[Transition("end", "a", dest="b", roles={"agent"}),
                 Transition("wake", "b", dest="a", roles={"agent"})],
)  # fmt: skip


def test_an_end_that_is_left_is_found():
    """Nobody called it reopening; `check` finds it, too, and so a lifecycle that was built never has it."""
    assert "phases allow each move, and ends stay: b (closed) leads to a (new)" in found(
        lifecycle_machine(UNSOUND)
    )
    assert "L005" in {finding.code for finding in UNSOUND.check()}


def test_a_door_that_is_open_to_everybody_is_found(monkeypatch):
    """Roles, relations and duties are not asked about."""
    monkeypatch.setattr("itsm_core.lifecycle.decision.people_reasons", lambda *_: [])
    monkeypatch.delitem(laws.LAWS, "options tell the truth")  # it finds it first
    said = found(lifecycle_machine(INCIDENT))
    assert "a transition allows what was accepted" in said
    assert "may not fire" in said


def test_a_door_that_asks_for_no_field_is_found(monkeypatch):
    """What the definition requires was not given; commands beside the state are asked for it as ever."""

    def careless(command, needs, record=None):
        return need_reasons(command, needs) if record is None else []

    monkeypatch.setattr("itsm_core.lifecycle.decision.need_reasons", careless)
    monkeypatch.delitem(laws.LAWS, "options tell the truth")  # it finds it first
    said = found(lifecycle_machine(TASK))
    assert "a transition allows what was accepted" in said
    assert "is not given" in said
