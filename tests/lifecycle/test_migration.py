"""Versions side by side, and records that go from one to the other with their history and clocks."""

import datetime as dt
import pickle

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.actors import Actor
from itsm_core.approvals import ApprovalRule, Panel
from itsm_core.business_time import BusinessCalendar, business_days, hours
from itsm_core.commands import Command
from itsm_core.errors import InvalidValue, NaiveDatetime, TransitionRefused, UnsoundLifecycle
from itsm_core.events import Event, Phase, WaitsOn
from itsm_core.lifecycle import CustomField, Lifecycle, Need, State, Transition, decide, options
from itsm_core.lifecycle.migration import Lifecycles, MigrationPlan
from itsm_core.processes import APPROVING, INCIDENT, TASK
from itsm_core.records import apply, fold, follows
from itsm_core.sla import ClockState, SegmentKind, Target, Verdict, evaluate, trace
from itsm_core.values import from_dict, to_dict
from random_lifecycles import ROLES, sound_lifecycles

T = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
ANA = Actor.person("ana", "agent")
RITA = Actor.person("rita")

OLD = Lifecycle(
    "desk",
    1,
    process="incident",
    initial="new",
    requester=False,
    states=[
        State("new", "new"),
        State("triaged", "new"),
        State("work", "active"),
        State("parked", "waiting", waits_on="requester"),
        State("done", "closed", outcome="completed"),
    ],
    transitions=[
        Transition("triage", "new", dest="triaged", roles="agent"),
        Transition("start", ("new", "triaged"), dest="work", roles="agent"),
        Transition("park", "work", dest="parked", roles="agent"),
        Transition("go_on", "parked", dest="work", roles="automation"),
        Transition("finish", ("work", "parked"), dest="done", roles="agent"),
        Transition("expire", "parked", dest="done", after=business_days(5)),
    ],
)
NEW = OLD.derive("desk", 2).remove_state("triaged", into="new").build()
PLAN = MigrationPlan(OLD, NEW, states={"triaged": "new"})


# --- versions side by side -----------------------------------------------------------------------


def test_versions_stand_side_by_side():
    """By id and version, the newest of an id, or the one that rules a record."""
    known = Lifecycles((OLD, NEW, TASK))
    assert len(known) == 3
    assert list(known) == [OLD, NEW, TASK]
    assert known.get("desk", 1) is OLD
    assert known.get("desk") is NEW
    assert Lifecycles((NEW, OLD)).get("desk") is NEW
    assert known.of(OLD.record("R-1")) is OLD
    assert Lifecycles(()).all == ()


def test_a_version_is_never_reused():
    """Two definitions of one id and version with different rules cannot both be meant."""
    other = attrs.evolve(OLD, transitions=OLD.transitions[:-1])
    with pytest.raises(
        InvalidValue, match=r"^lifecycle 'desk 1': is given twice .* make the newer one version 2"
    ):
        Lifecycles((OLD, NEW, other))
    assert len(Lifecycles((OLD, attrs.evolve(other, version=7)))) == 2


def test_of_two_that_differ_in_words_the_later_counts():
    """Labels are no rules."""
    renamed = attrs.evolve(OLD, label="Case")
    assert Lifecycles((OLD, renamed)).get("desk") is renamed


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda known: known.get("dsk"), "^lifecycle 'dsk': is not known here; did you mean desk"),
        (lambda known: known.get("desk", 3), "^lifecycle 'desk 3': is not known here; did you mean desk"),
        (lambda known: known.of(INCIDENT.record("R-1")), "use one of desk 1, desk 2"),
        (
            lambda _: Lifecycles(OLD),
            r"^lifecycles .* is no list of Lifecycle; give a list: \(INCIDENT, PROBLEM\)",
        ),
        (lambda _: Lifecycles(("desk",)), "is no Lifecycle"),
    ],
)
def test_an_unknown_lifecycle_is_refused_with_the_known_ones(ask, message):
    """By id, and by version."""
    with pytest.raises(InvalidValue, match=message):
        ask(Lifecycles((OLD, NEW)))


# --- plans ---------------------------------------------------------------------------------------


def test_states_of_one_id_stay_and_the_others_are_mapped():
    """A plan that answers for every state has no findings."""
    assert PLAN.check() == ()
    assert [PLAN.place(state) for state in OLD.by_id] == ["new", "new", "work", "parked", "done"]
    assert str(PLAN) == "desk 1 to desk 2"
    assert pickle.loads(pickle.dumps(PLAN)) == PLAN
    with pytest.raises(TypeError):
        MigrationPlan(OLD, NEW, {"triaged": "new"})


def test_a_derivation_makes_its_plan():
    """What was asked at the removal of a state is not asked again."""
    steps = OLD.derive("desk", 2).remove_state("triaged", into="new")
    assert MigrationPlan.of(steps) == PLAN
    left = OLD.derive("desk", 3).remove_state("parked", into=None)
    plan = MigrationPlan.of(left)
    assert plan.check() == ()
    assert plan.place("parked") is None
    with pytest.raises(UnsoundLifecycle):
        MigrationPlan.of(OLD.derive("desk", 4).remove("finish").remove("expire"))


def changed(id, **changes):
    """The new version with one state changed."""
    states = [attrs.evolve(state, **changes) if state.id == id else state for state in NEW.states]
    return attrs.evolve(NEW, states=states)


@pytest.mark.parametrize(
    ("plan", "code", "where", "said"),
    [
        (MigrationPlan(OLD, NEW), "M001", "triaged",
         "has no place in desk 2: map it, states={'triaged': ...}, or to None if its records stay"),
        (MigrationPlan(OLD, NEW, states={"triaged": "work"}), "M002", "triaged",
         "goes to work, which is of phase active, triaged of new"),
        (MigrationPlan(OLD, changed("work", phase="waiting", waits_on="supplier"), states={"triaged": "new"}),
         "M002", "work", "goes to work, which is of phase waiting, work of active"),
        (MigrationPlan(OLD, changed("parked", waits_on="supplier"), states={"triaged": "new"}), "M003", "parked",
         "goes to parked, which waits on supplier, parked on requester"),
        (MigrationPlan(OLD, changed("done", outcome="cancelled"), states={"triaged": "new"}), "M003", "done",
         "goes to done, which ends as cancelled, done as completed"),
        (MigrationPlan(OLD, NEW, states={"triaged": "nwe"}), "M004", "triaged",
         "'nwe' is no state of desk 2; did you mean new?"),
        (MigrationPlan(OLD, NEW, states={"triaged": "new", "triagd": "new"}), "M004", "triagd",
         "'triagd' is no state of desk 1; did you mean triaged?"),
        (MigrationPlan(OLD, attrs.evolve(NEW, process="problem"), states={"triaged": "new"}), "M005", "desk",
         "is of process problem, not incident; re-type records instead"),
    ],
    ids=["M001", "M002", "M002 same id", "M003 wait", "M003 outcome", "M004 target", "M004 source", "M005"],
)  # fmt: skip
def test_a_plan_that_would_change_the_past_has_findings(plan, code, where, said):
    """Each with its code and place; nothing is migrated by such a plan."""
    assert [(one.code, one.where, one.message) for one in plan.check()] == [(code, where, said)]
    with pytest.raises(UnsoundLifecycle, match=r"^migration desk 1 to desk 2: ") as caught:
        plan.apply(OLD.record("R-1"), actor=ANA, at=T)
    assert caught.value.codes == (code,)


def test_a_hold_of_any_reason_takes_those_of_one_but_not_the_other_way():
    """A record keeps whom it waits on; a state that says it for all would overrule the hold."""
    anybody = attrs.evolve(changed("parked", waits_on=None), version=3)
    states = {"triaged": "new"}
    assert MigrationPlan(OLD, anybody, states=states).check() == ()
    assert [one.code for one in MigrationPlan(anybody, attrs.evolve(NEW, version=4)).check()] == ["M003"]


def test_all_findings_of_a_plan_come_at_once():
    """In the order of the states."""
    target = attrs.evolve(changed("done", outcome="cancelled"), process="problem")
    codes = [one.code for one in MigrationPlan(OLD, target, states={"x": "y"}).check()]
    assert codes == ["M005", "M004", "M001", "M003"]
    left = MigrationPlan(OLD, target, states={"triaged": None})
    assert [one.code for one in left.check()] == ["M005", "M003"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: MigrationPlan(OLD, OLD),
            "^migration 'desk 1': leads to itself; give the target another version",
        ),
        (lambda: MigrationPlan(OLD, "desk 2"), "^migration 'desk 2': is no Lifecycle; give the two"),
        (lambda: MigrationPlan(OLD, NEW, states=["triaged"]), "^states .* are no mapping"),
        (lambda: MigrationPlan(OLD, NEW, states={1: "new"}), "^state 1: is no text"),
        (lambda: MigrationPlan(OLD, NEW, states={"triaged": 1}), "None where records stay"),
        (
            lambda: PLAN.apply(OLD.record("R-1"), actor="ana", at=T),
            r"is no Actor; say who migrates: Actor\.person",
        ),
        (lambda: PLAN.apply(OLD.record("R-1"), actor=ANA, at="now"), "^at 'now'"),
        (lambda: MigrationPlan(OLD, NEW, states={None: "new"}), "None: is no text"),
    ],
)
def test_what_makes_no_plan_is_refused(make, message):
    """The error names the thing, the reason and the remedy."""
    with pytest.raises(InvalidValue, match=message):
        make()


def test_an_instant_of_no_zone_is_refused():
    """As everywhere."""
    with pytest.raises(NaiveDatetime):
        PLAN.apply(OLD.record("R-1"), actor=ANA, at=T.replace(tzinfo=None))


# --- records -------------------------------------------------------------------------------------


class Life:
    """The events of one record, and the record that they tell, under one lifecycle after another."""

    def __init__(self, lifecycle, name="R-1", requester="rita"):
        self.lifecycle, self.name, self.record, self.events = lifecycle, name, None, []
        fields = {"record": name, "title": "No mail", "requester": requester, "priority": "P3"}
        self.do("open", RITA, T, **fields)

    def do(self, trigger, actor, at, **fields):
        """Decides a command and takes its events; the refusal if there is one."""
        command = Command(trigger, actor, at=at, fields=fields)
        decision = decide(self.record, command, self.lifecycle)
        self.take(*decision.events)
        return decision

    def take(self, *events):
        """Takes events as they come."""
        self.events += events
        self.record = fold(self.events)

    def move(self, plan, at, **more):
        """Migrates the record."""
        self.take(plan.apply(self.record, actor=ANA, at=at, **more))
        self.lifecycle = plan.target

    def clock(self, target, at):
        """A clock of the record at an instant."""
        return evaluate(self.events, target, at)


def test_the_event_says_all_that_the_fold_needs():
    """States, both versions, phase; the reason is as personal as any free text."""
    life = Life(OLD)
    life.do("triage", ANA, T + HOUR)
    event = PLAN.apply(life.record, actor=ANA, at=T + 2 * HOUR, reason="New process since Monday")
    assert event == Event(
        id="R-1/3",
        record="R-1",
        seq=3,
        kind="migrated",
        occurred_at=T + 2 * HOUR,
        recorded_at=T + 2 * HOUR,
        actor=ANA,
        lifecycle="desk",
        lifecycle_version=2,
        from_state="triaged",
        to_state="new",
        fields={
            "phase": "new",
            "from_lifecycle": "desk",
            "from_lifecycle_version": 1,
            "reason": "New process since Monday",
        },
        personal=["reason"],
    )
    assert PLAN.apply(life.record, actor=ANA, at=T + 2 * HOUR, id="m-1").id == "m-1"
    assert from_dict(Event, to_dict(event)) == event
    assert "Monday" not in repr(event)


def test_a_tenant_and_a_wait_go_along():
    """So does the outcome of a closed record."""
    waiting = attrs.evolve(OLD.record("R-1", "parked"), tenant="acme")
    event = PLAN.apply(waiting, actor=ANA, at=T)
    assert (event.tenant, event.fields["phase"], event.fields["waits_on"]) == ("acme", "waiting", "requester")
    closed = PLAN.apply(OLD.record("R-1", "done"), actor=ANA, at=T)
    assert (closed.fields["phase"], closed.fields["outcome"]) == ("closed", "completed")


def test_the_record_goes_on_under_the_new_version():
    """Its old lifecycle moves it no more, the new one does; its values stay."""
    life = Life(OLD)
    life.do("triage", ANA, T + HOUR)
    before = life.record
    life.move(PLAN, T + 2 * HOUR)
    after = life.record
    assert (after.lifecycle, after.lifecycle_version, after.state, after.phase) == (
        "desk",
        2,
        "new",
        Phase.NEW,
    )
    assert (after.values, after.requester, after.opened_at) == (before.values, "rita", T)
    assert follows(before, life.events[-1])
    assert apply(before, life.events[-1]) == after
    refused = decide(after, Command("start", ANA, at=T + 3 * HOUR), OLD)
    assert refused.codes == ("wrong_lifecycle",)
    assert [o.trigger for o in options(after, ANA, NEW) if o.enabled] == ["start"]
    assert life.do("start", ANA, T + 3 * HOUR).accepted
    assert (life.record.state, life.record.version) == ("work", 4)


def test_nothing_happens_before_a_migration_that_was_decided_after_it():
    """A late command would be undone by the migration that lies behind it in time."""
    life = Life(OLD)
    life.do("start", ANA, T + HOUR)
    life.move(PLAN, T + 3 * HOUR)
    assert life.do("park", ANA, T + 2 * HOUR).codes == ("out_of_order",)
    assert life.do("park", ANA, T + 3 * HOUR).accepted
    assert life.record.state == "parked"


def test_a_record_that_cannot_be_moved_is_refused_with_all_reasons():
    """Another lifecycle, an unknown state, a state whose records stay, a change that came later."""
    life = Life(OLD)
    life.do("start", ANA, T + 2 * HOUR)
    life.do("park", ANA, T + 3 * HOUR)
    with pytest.raises(TransitionRefused, match=r"^migration of R-1: ") as caught:
        PLAN.apply(attrs.evolve(life.record, lifecycle="other", state="qqq"), actor=ANA, at=T + HOUR)
    assert caught.value.codes == ("wrong_lifecycle", "unknown_state", "out_of_order")
    late = r"2024-02-05T10:00:00\+00:00 lies before the record last changed \(2024-02-05T12:00:00\+00:00\); migrate"
    with pytest.raises(TransitionRefused, match=late):
        PLAN.apply(life.record, actor=ANA, at=T + HOUR)
    with pytest.raises(TransitionRefused, match="runs on desk 2, not desk 1"):
        PLAN.apply(NEW.record("R-1"), actor=ANA, at=T)
    plan = MigrationPlan(OLD, NEW, states={"triaged": "new", "parked": None})
    with pytest.raises(TransitionRefused, match=r"records in parked stay on desk 1; move it when") as caught:
        plan.apply(life.record, actor=ANA, at=T + 4 * HOUR)
    assert caught.value.codes == ("stays",)
    assert caught.value.reasons[0].facts == (("state", "parked"),)
    life.do("go_on", Actor.automation("bot", "automation"), T + 5 * HOUR)
    life.move(plan, T + 5 * HOUR)
    assert life.record.lifecycle_version == 2


def test_one_migration_may_follow_another():
    """Back again, too, if the way back is a plan without findings."""
    third = NEW.derive("desk", 3).build()
    life = Life(OLD)
    life.move(PLAN, T + HOUR)
    life.move(MigrationPlan(NEW, third), T + HOUR)
    life.move(MigrationPlan(third, OLD), T + 2 * HOUR)
    assert (life.record.lifecycle_version, life.record.version) == (1, 4)
    assert life.do("triage", ANA, T + 2 * HOUR).accepted


# --- done when: a custom incident, and records that were stored before it -------------------------

STAFF = {"agent", "manager"}
FIRST = (
    INCIDENT.derive("acme.incident")
    .add_state(State("triaged", "new", label={"en": "Triaged"}))
    .add(
        Transition("triage", "new", dest="triaged", roles=STAFF),
        Transition("start", "triaged", dest="in_progress", roles=STAFF),
    )
    .build()
)
SECOND = (
    FIRST.derive("acme.incident", 2)
    .add_state(State("with_supplier", "waiting", waits_on="supplier", label={"en": "With the supplier"}))
    .declare(CustomField("supplier_ref", "text"))
    .add(
        Transition("hand_over", "in_progress", dest="with_supplier", roles=STAFF,
                   requires=[Need("supplier_ref", "our contract with the supplier")]),
        Transition("take_back", "with_supplier", dest="in_progress", roles=STAFF | {"automation"}),
    )
    .guard("rule_is_sound", APPROVING["rule_is_sound"])
    .guard("may_vote", APPROVING["may_vote"])
    .guard("is_approved", APPROVING["is_approved"])
    .guard_beside("request_approval", "rule_is_sound")
    .guard_beside("vote", "may_vote")
    .restrict("close", guards="is_approved")
    .restrict("auto_close", guards="is_approved")
    .remove("resolve_and_close")
    .remove_state("triaged", into="new")
)  # fmt: skip
CALENDAR = BusinessCalendar.weekly("mon-fri 08:00-18:00", zone="Europe/Berlin")
RESOLUTION = Target("resolution", "resolution", duration=hours(8), calendar=CALENDAR, pauses_on=["requester"])
RESPONSE = Target("response", "response", duration=hours(1), calendar=CALENDAR)
LOOK = {"message": "We wait", "look_again_at": "2024-03-01T00:00:00Z"}
FIXED = {"resolution_outcome": "fixed_permanent", "resolution_notes": "New fuse"}


def stored():
    """Records under the first version: triaged, held for two reasons, resolved, closed; T is 10:00 in Berlin."""
    lives = {name: Life(FIRST, name) for name in ("triaged", "requester", "supplier", "resolved", "closed")}
    lives["triaged"].do("triage", ANA, T + HOUR)
    for reason in ("requester", "supplier"):
        lives[reason].do("start", ANA, T + HOUR)
        lives[reason].do("hold", ANA, T + 2 * HOUR, hold_reason=reason, **LOOK)
    for name in ("resolved", "closed"):
        lives[name].do("start", ANA, T + HOUR)
        lives[name].do("resolve", ANA, T + 3 * HOUR, **FIXED)
    lives["closed"].do("close", RITA, T + 4 * HOUR, closure_code="user_confirmed")
    return lives


def test_a_custom_incident_takes_stored_records_over():
    """Under its plan each keeps state and wait; the removed state has become the one that was said."""
    plan = MigrationPlan.of(SECOND)
    assert plan.check() == ()
    lives = stored()
    for life in lives.values():
        life.move(plan, T + 5 * HOUR, reason="Second-line approval")
    assert {name: life.record.state for name, life in lives.items()} == {
        "triaged": "new",
        "requester": "on_hold",
        "supplier": "on_hold",
        "resolved": "resolved",
        "closed": "closed",
    }
    assert lives["requester"].record.waits_on is WaitsOn.REQUESTER
    assert lives["requester"].record.hold_reason == "requester"
    assert lives["supplier"].record.waits_on is WaitsOn.SUPPLIER
    assert lives["closed"].record.outcome == "completed"
    assert {life.record.lifecycle_version for life in lives.values()} == {2}
    assert lives["triaged"].events[-2].to_state == "triaged"  # the past keeps its words
    assert FIRST.by_id["triaged"].say() == "Triaged"


# What each clock must say five hours after the opening, by hand: four hours to the hold or the migration, ...
HELD = [
    # record, resolution: used hours at T+4h, T+6h and T+7h; state at T+6h
    ("triaged", [4, 6, 7], ClockState.RUNNING),
    ("requester", [2, 2, 2], ClockState.PAUSED),
    ("supplier", [4, 6, 7], ClockState.RUNNING),
    ("resolved", [3, 3, 3], ClockState.STOPPED),
    ("closed", [3, 3, 3], ClockState.STOPPED),
]


@pytest.mark.parametrize(("name", "used", "state"), HELD, ids=[row[0] for row in HELD])
def test_clocks_read_the_same_across_the_migration(name, used, state):
    """Before it, after it, and beside a twin that was never migrated: values, verdict and explanation."""
    moved, twin = stored()[name], stored()[name]
    moved.move(MigrationPlan.of(SECOND), T + 5 * HOUR)
    for after, spent in zip((4, 6, 7), used, strict=True):
        at = T + after * HOUR
        for target in (RESOLUTION, RESPONSE):
            one, other = moved.clock(target, at), twin.clock(target, at)
            assert (one.elapsed, one.verdict, one.due_at, one.stop_reason) == (
                other.elapsed,
                other.verdict,
                other.due_at,
                other.stop_reason,
            )
        assert moved.clock(RESOLUTION, at).elapsed == spent * HOUR
    clock = moved.clock(RESOLUTION, T + 6 * HOUR)
    assert clock.state is state
    told = clock.explain()
    ends = [told.segments[0].start_us, *(segment.end_us for segment in told.segments)]
    assert [segment.start_us for segment in told.segments] == ends[:-1]
    running = sum(s.end_us - s.start_us for s in told.segments if s.kind is SegmentKind.RUNNING)
    assert running == clock.elapsed_us
    assert trace(moved.events).reopened == 0


def test_a_custom_incident_lives_on_under_its_own_rules():
    """The supplier's hold lets the resolution clock run; second line says yes before anybody closes."""
    life = stored()["triaged"]
    life.move(MigrationPlan.of(SECOND), T + 5 * HOUR)
    assert life.do("start", ANA, T + 5 * HOUR).accepted
    assert life.do("hand_over", ANA, T + 5 * HOUR).codes == ("missing_field",)
    assert life.do("hand_over", ANA, T + 5 * HOUR, supplier_ref="S-77").accepted
    assert life.record.values["supplier_ref"] == "S-77"
    clock = life.clock(RESOLUTION, T + 7 * HOUR)
    assert (clock.state, clock.elapsed) == (ClockState.RUNNING, 7 * HOUR)
    assert clock.explain().segments[-1].reason == "waiting for supplier"
    life.do("take_back", ANA, T + 7 * HOUR)
    life.do("resolve", ANA, T + dt.timedelta(hours=7, minutes=30), **FIXED)
    refused = life.do("close", RITA, T + 24 * HOUR, closure_code="user_confirmed")
    assert "not_approved" in refused.codes
    rule = ApprovalRule([Panel("second line", ("sue", "sam"))]).to_dict()
    assert life.do("request_approval", ANA, T + 24 * HOUR, rule=rule).accepted
    assert life.do("vote", RITA, T + 25 * HOUR, vote="approve").accepted is False
    assert life.do("vote", Actor.person("sue", "agent"), T + 25 * HOUR, vote="approve").accepted
    assert life.do("close", RITA, T + 26 * HOUR, closure_code="user_confirmed").accepted
    closed = life.clock(RESOLUTION, T + 30 * HOUR)
    assert (closed.verdict, closed.settled, closed.elapsed) == (
        Verdict.MET, True, dt.timedelta(hours=7, minutes=30),
    )  # fmt: skip
    assert [event.lifecycle_version for event in life.events] == [1, 1, *[2] * 8]


# --- laws ----------------------------------------------------------------------------------------

CREW = Actor.person("cleo", *ROLES)


def renamed(lifecycle):
    """The lifecycle with every state under another id, one version on."""
    states = [attrs.evolve(state, id=f"{state.id}_x") for state in lifecycle.states]
    rows = [
        attrs.evolve(row, sources=[f"{s}_x" for s in row.sources], dest=f"{row.dest}_x")
        for row in lifecycle.transitions
    ]
    version = lifecycle.version + 1
    initial = f"{lifecycle.initial}_x"
    return attrs.evolve(lifecycle, version=version, states=states, transitions=rows, initial=initial)


def walked(life, steps, start):
    """The record after some commands an hour apart; what is refused leaves it as it was."""
    for number, trigger in enumerate(steps, start=start):
        rows = life.lifecycle.by_trigger[trigger]
        fields = {need.field: (need.one_of or ("x",))[0] for row in rows for need in row.requires}
        life.do(trigger, CREW, T + number * HOUR, **fields)


def opened(lifecycle):
    """A record of a random lifecycle, whatever it opens with."""
    needs = {need.field: (need.one_of or ("x",))[0] for need in lifecycle.opening}
    opening = {"record": "R-1", "title": "No mail", "requester": "rita", **needs}
    life = Life.__new__(Life)
    life.lifecycle, life.name, life.record, life.events = lifecycle, "R-1", None, []
    assert life.do("open", RITA, T, **opening).accepted
    return life


@pytest.mark.law
@given(sound_lifecycles, st.data())
def test_a_migration_changes_no_clock(lifecycle, data):
    """Wherever it comes in a life, the rest of the life leaves the same clocks as if it had not come."""
    triggers = sorted(lifecycle.by_trigger)
    steps = data.draw(st.lists(st.sampled_from(triggers), min_size=1, max_size=8))
    cut = data.draw(st.integers(0, len(steps)))
    target = renamed(lifecycle)
    plan = MigrationPlan(lifecycle, target, states={state: f"{state}_x" for state in lifecycle.by_id})
    assert plan.check() == ()
    moved, twin = opened(lifecycle), opened(lifecycle)
    walked(twin, steps, 1)
    walked(moved, steps[:cut], 1)
    moved.move(plan, T + cut * HOUR + HOUR / 2)
    walked(moved, steps[cut:], cut + 1)
    assert moved.record.state == f"{twin.record.state}_x"
    assert (moved.record.phase, moved.record.waits_on, moved.record.values, moved.record.acted) == (
        twin.record.phase,
        twin.record.waits_on,
        twin.record.values,
        twin.record.acted,
    )
    for duration in (2, 5):
        for metric, pauses in (("resolution", ["requester"]), ("response", [])):
            promise = Target("it", metric, duration=hours(duration), calendar=CALENDAR, pauses_on=pauses)
            for minute in (30, 90, 270, 700):
                at = T + dt.timedelta(minutes=minute)
                assert judged(moved.clock(promise, at)) == judged(twin.clock(promise, at))


def judged(clock):
    """What a clock says, without the words of the states it ran through."""
    said = (clock.state, clock.verdict, clock.elapsed_us, clock.due_us, clock.stopped_us, clock.stop_reason)
    return (*said, clock.settled, [clock.instant_at(share) for share in (50, 100)])
