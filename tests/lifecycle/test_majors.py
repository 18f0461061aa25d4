"""What may be asked about a major incident, when, and what is refused with which words."""

import csv
import datetime as dt
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itsm_core.actors import Actor
from itsm_core.commands import Command
from itsm_core.errors import InvalidValue
from itsm_core.events import OF_MAJORS, effective
from itsm_core.lifecycle import Accepted, Refused, options
from itsm_core.lifecycle.beside import APPROVALS, BESIDE
from itsm_core.lifecycle.majors import MAJOR_BUTTONS, MAJOR_COMMANDS
from itsm_core.priority import matrix_3x3_p5
from itsm_core.processes import PROBLEM, PROCEDURE
from itsm_core.records import MajorRole, MajorStatus, apply, fold
from major_play import MONA, NEEDED, TO_THE_END, Play, T

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "major_commands.csv"
with GOLDEN.open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))
PLACES = [name for name in ROWS[0] if name not in ("command", "source")]


def reason(decision):
    """The one reason of a refusal."""
    assert isinstance(decision, Refused), decision
    (only,) = decision.reasons
    return only


def accepted(**opened):
    """A play in which the major incident is accepted."""
    return Play(**opened).to("accepted")


# --- the golden table ----------------------------------------------------------------------------


def test_every_command_about_major_incidents_has_a_row_with_its_source():
    """A new command is looked at in every place."""
    assert [row["command"] for row in ROWS] == list(MAJOR_COMMANDS)
    assert all(row["source"] for row in ROWS)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["command"])
def test_a_command_is_taken_where_the_table_says_so(row, place):
    """Every command in every place; a refusal has just the codes of the table."""
    play = Play().to(place)
    if place == "accepted":
        play.did("assume_role", fields={"major_role": "liaison", "held_by": "lea"})
    again = {"track_step": "diagnosing"} if row["command"] == "move_track" and "_" in place else {}
    decision = play.ask(row["command"], fields=again)
    told = "yes" if isinstance(decision, Accepted) else "|".join(decision.codes)
    assert told == row[place]


def test_the_commands_make_the_kinds_of_events_that_are_about_major_incidents():
    """One kind for each command, and no other."""
    assert {BESIDE[trigger].kind for trigger in MAJOR_COMMANDS} == OF_MAJORS


@pytest.mark.parametrize(
    ("trigger", "roles"),
    [(t, {"manager"}) for t in ("accept_major", "reject_major", "cancel_major", "invoke_continuity_plan")]
    + [
        (t, {"agent", "manager", "automation"})
        for t in MAJOR_COMMANDS
        if t not in ("accept_major", "reject_major", "cancel_major", "invoke_continuity_plan")
    ],
)
def test_who_decides_is_a_manager_and_who_works_is_any_staff(trigger, roles):
    """iso-20000.md INC-11: a responsible person; whoever works on it declares, moves and reports."""
    assert BESIDE[trigger].roles == roles


@pytest.mark.parametrize("trigger", MAJOR_COMMANDS)
def test_only_an_incident_is_major(trigger):
    """A problem is none, and its refusal says so."""
    problem = Play(lifecycle=PROBLEM)
    found = reason(problem.ask(trigger))
    assert found.code == "no_majors"
    assert dict(found.facts) == {"process": "problem"}
    assert str(found).startswith(f"INC-1 is no incident, and {trigger} is about one")


@pytest.mark.parametrize(("trigger", "needs"), [(t, BESIDE[t].requires) for t in MAJOR_COMMANDS])
def test_what_a_command_needs_is_named(trigger, needs):
    """Each needed field left out is one reason."""
    play = Play().to("accepted_resolved" if trigger in ("report_major", "review_major") else "accepted")
    if trigger in ("declare_major", "accept_major", "reject_major"):
        play = Play().to("none" if trigger == "declare_major" else "proposed")
    decision = play.ask(trigger, fields=dict.fromkeys(needs))
    if not needs:
        assert isinstance(decision, Accepted)
        return
    assert decision.codes == ("missing_field",) * len(needs)
    assert [dict(one.facts)["field"] for one in decision.reasons] == list(needs)


def test_the_words_of_a_refusal_say_where_it_stands_and_what_would_do():
    """Status, phase and order."""
    play = accepted()
    told = reason(play.ask("declare_major"))
    assert str(told) == (
        "the major incident is accepted; declare_major takes one that is not proposed or rejected or cancelled"
    )
    told = reason(play.ask("report_major"))
    assert str(told) == "INC-1 is new; report_major takes a record that is resolved"
    assert dict(told.facts)["phases"] == ("resolved",)
    told = reason(Play().ask("accept_major"))
    assert str(told) == (
        "no major incident was proposed; accept_major takes one that is proposed; propose it first (declare_major)"
    )


@pytest.mark.parametrize(
    ("place", "trigger", "remedy"),
    [
        ("none", "move_track", "is accepted; propose it first (declare_major)"),
        ("proposed", "move_track", "is accepted; accept it first (accept_major)"),
        ("proposed", "cancel_major", "is accepted; reject it (reject_major)"),
        ("accepted", "reject_major", "is proposed; downgrade it (cancel_major)"),
        ("rejected", "accept_major", "is proposed; propose it anew (declare_major)"),
        ("proposed", "declare_major", "not proposed or rejected or cancelled"),
    ],
)
def test_a_command_that_does_not_fit_says_what_leads_there_or_does_the_like(place, trigger, remedy):
    """Who presses a button too early learns which one comes first."""
    assert str(reason(Play().to(place).ask(trigger))).endswith(remedy)


# --- buttons --------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
def test_the_buttons_are_those_of_the_table(place):
    """`options` shows what `decide` takes, with the same reasons; none before anything was proposed."""
    play = Play().to(place)
    shown = {
        one.trigger: one
        for one in options(play.record, MONA, play.lifecycle)
        if one.trigger in MAJOR_COMMANDS
    }
    assert list(shown) == ([] if place == "none" else list(MAJOR_COMMANDS))
    for row in ROWS if shown else ():
        button = shown[row["command"]]
        told = "yes" if button.enabled else "|".join(one.code for one in button.reasons)
        assert told == row[place]


def test_a_button_names_what_its_command_needs_and_who_may():
    """With a clause for each field, in both languages."""
    play = accepted()
    shown = {one.trigger: one for one in options(play.record, Actor.person("ana", "agent"), play.lifecycle)}
    for trigger, (label, needs) in MAJOR_BUTTONS.items():
        if trigger == "assess_major":  # one of two fields will do
            assert [(need.field, need.otherwise) for need in needs] == [
                ("affected_services", "affected_users")
            ]
        else:
            assert tuple(need.field for need in needs) == BESIDE[trigger].requires
        assert shown[trigger].missing == needs
        assert all(need.clause.startswith("ISO/IEC 20000-1 8.") for need in needs)
        assert {lang for lang, _ in label} == {"en", "zh"}
        assert all(dict(need.label).keys() == {"en", "zh"} for need in needs)
    assert [one.code for one in shown["cancel_major"].reasons] == ["role"]
    assert shown["move_track"].enabled
    early = options(play.record, MONA, play.lifecycle, at=T)
    assert [one.code for one in next(o for o in early if o.trigger == "move_track").reasons] == [
        "out_of_order"
    ]


def test_what_a_proposal_bars_is_on_the_buttons_too():
    """The same words for each trigger that would close it, and none for one that would not."""
    play = Play().to("proposed")
    shown = {one.trigger: one for one in options(play.record, MONA, play.lifecycle)}
    for trigger in ("cancel", "resolve_and_close", "retype"):
        told = next(one for one in shown[trigger].reasons if one.code == "major_undecided")
        assert told in play.ask(trigger).reasons
        assert dict(told.facts) == {"trigger": trigger, "clause": "ISO/IEC 20000-1 8.6.1"}
    for trigger in ("resolve", "start", "merge", "mark_duplicate", "hold"):
        assert shown[trigger].enabled


@pytest.mark.parametrize("trigger", sorted(set(BESIDE) & {*MAJOR_BUTTONS, *APPROVALS}))
def test_the_needs_of_a_button_are_those_that_its_command_is_judged_by(trigger):
    """One list for both, so that neither can forget what the other asks."""
    (_, needs) = MAJOR_BUTTONS.get(trigger) or APPROVALS[trigger]
    asked = needs if isinstance(needs, tuple) else (needs,)
    assert BESIDE[trigger].needs == BESIDE[trigger].asks == asked


# --- order ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("trigger", ["assume_role", "move_track", "assess_major", "cancel_major"])
def test_nothing_is_dated_before_the_last_word_on_the_major_incident(trigger):
    """Dated back, roles would overlap and tracks move after their end; the same instant is fine."""
    play = accepted()
    last = play.major.changed_at
    told = reason(play.ask(trigger, at=last - dt.timedelta(seconds=1)))
    assert told.code == "out_of_order"
    assert last.isoformat() in str(told)
    assert isinstance(play.ask(trigger, at=last), Accepted)


def test_a_proposal_is_not_dated_before_the_state_that_it_is_made_in():
    """What was proposed while it was resolved would be proposed too early."""
    play = Play()
    play.did("start")
    entered = play.record.entered_at
    assert reason(play.ask("declare_major", at=entered - dt.timedelta(microseconds=1))).code == "out_of_order"


# --- roles ----------------------------------------------------------------------------------------


def test_the_manager_of_the_acceptance_is_responsible():
    """INC-11: one person, from that instant on."""
    play = accepted()
    assert (play.major.manager, play.major.decided_by) == ("mona", "mona")
    (held,) = play.major.roles
    assert (held.role, held.assumed_at, held.renounced_at) == ("manager", play.major.decided_at, None)


def test_another_manager_takes_over_at_an_instant():
    """No gap and no overlap; the first one's time stays on record."""
    play = accepted()
    play.did("assume_role", fields={"major_role": "manager", "held_by": "max"})
    first, second = play.major.roles
    assert play.major.manager == "max"
    assert first.renounced_at == second.assumed_at == play.major.changed_at


def test_the_manager_does_not_renounce():
    """There is always one; somebody else takes over instead."""
    told = reason(accepted().ask("renounce_role", fields={"major_role": "manager", "held_by": "mona"}))
    assert "hand it over: assume_role" in str(told)


def test_a_role_that_one_person_holds_is_handed_over():
    """The scribe before lays it down as the next one takes it."""
    play = accepted()
    play.did("assume_role", fields={"major_role": "scribe", "held_by": "sam"})
    play.did("assume_role", fields={"major_role": "scribe", "held_by": "sue"})
    assert play.major.holders("scribe") == ("sue",)
    sam = next(one for one in play.major.roles if one.held_by == "sam")
    assert sam.renounced_at == play.record.changed_at


def test_a_role_of_several_is_held_by_several_until_each_lays_it_down():
    """Liaisons to two suppliers."""
    play = accepted()
    for who in ("lea", "leo"):
        play.did("assume_role", fields={"major_role": "liaison", "held_by": who})
    assert play.major.holders("liaison") == ("lea", "leo")
    told = reason(play.ask("renounce_role", fields={"held_by": None}))
    assert "name one of lea, leo" in str(told)
    play.did("renounce_role", fields={"held_by": "lea"})
    assert play.major.holders("liaison") == ("leo",)
    play.did("renounce_role", fields={"held_by": None})
    assert play.major.holders("liaison") == ()
    told = reason(play.ask("renounce_role", fields={"held_by": "leo"}))
    assert "does not hold liaison; nobody does" in str(told)


def test_nobody_assumes_what_they_hold():
    """It would say nothing new."""
    play = accepted()
    play.did("assume_role")
    assert "is scribe already" in str(reason(play.ask("assume_role")))


@pytest.mark.parametrize("trigger", ["assume_role", "renounce_role"])
def test_a_role_that_the_procedure_does_not_have_is_refused_with_the_near_one(trigger):
    """A slip of the pen is no new role."""
    told = reason(accepted().ask(trigger, fields={"major_role": "scribes", "held_by": "sam"}))
    assert told.code == "invalid_field"
    assert "is none of major-incidents 1; did you mean scribe?" in str(told)


def test_cancelling_ends_every_role():
    """Whoever held one holds it no more; the record is left as it was."""
    play = accepted()
    play.did("assume_role")
    before = (play.record.state, play.record.phase)
    play.did("cancel_major")
    assert {one.renounced_at for one in play.major.roles} == {play.record.changed_at}
    assert play.major.manager is None
    assert (play.record.state, play.record.phase) == before


# --- tracks ---------------------------------------------------------------------------------------


def test_every_track_begins_at_its_first_step():
    """Side by side, from the acceptance on."""
    play = accepted()
    begun = {one.track: (one.step, one.since, one.ended) for one in play.major.tracks}
    at = play.major.decided_at
    assert begun == {
        "mobilisation": ("calling", at, False),
        "restoration": ("diagnosing", at, False),
        "announcements": ("drafting", at, False),
    }


def test_a_track_goes_only_where_its_steps_lead():
    """Nothing is repaired before it is diagnosed, nothing published before it is approved."""
    play = accepted()
    told = reason(play.ask("move_track", fields={"track": "announcements", "track_step": "published"}))
    assert "does not follow drafting of announcements; go on to approved or not_needed" in str(told)
    play.joined()
    told = reason(play.ask("move_track", fields={"track": "announcements", "track_step": "updated"}))
    assert "does not follow final of announcements; it is at its end" in str(told)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"track": "restorations"}, "is none of major-incidents 1; did you mean restoration?"),
        ({"track_step": "repair"}, "is no step of restoration; did you mean repairing?"),
    ],
)
def test_a_track_or_step_that_is_none_is_refused_with_the_near_one(fields, words):
    """And with all where none is near."""
    assert words in str(reason(accepted().ask("move_track", fields=fields)))


def test_the_tracks_move_side_by_side():
    """One may end while another has hardly begun."""
    play = accepted()
    play.did("move_track", fields={"track": "mobilisation", "track_step": "assembled"})
    assert {one.track for one in play.major.tracks if one.ended} == {"mobilisation"}
    assert not play.major.joined
    assert play.major.track("mobilisation").since == play.record.changed_at
    assert play.major.track("none") is None


@pytest.mark.parametrize("trigger", ["move_track", "assume_role", "renounce_role"])
def test_whoever_asks_for_the_event_alone_is_told_that_there_is_no_major_incident(trigger):
    """`decide` refuses before; the table of commands stands by itself."""
    asked = Command(trigger, MONA, at=T, fields=NEEDED[trigger])
    with pytest.raises(InvalidValue, match="has no accepted major incident; accept one first"):
        BESIDE[trigger].make(Play().record, asked, matrix_3x3_p5)


# --- what is affected -------------------------------------------------------------------------------


def test_the_reach_is_kept_as_it_was_known_over_time():
    """Each word on it with its instant and author; what one leaves out holds on."""
    play = Play()
    play.did("declare_major", fields={"affected_services": ("payments",), "affected_users": 40})
    play.did("accept_major", fields={"affected_users": 300})
    play.did("assess_major", fields={"affected_services": ("payments", "orders"), "affected_users": None})
    told = [(one.services, one.users, one.by) for one in play.major.extents]
    assert told == [
        (("payments",), 40, "mona"),
        (("payments",), 300, "mona"),
        (("payments", "orders"), 300, "mona"),
    ]
    assert (play.major.services, play.major.users) == (("payments", "orders"), 300)
    assert play.major.extents[-1].at == play.record.changed_at


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"affected_users": None}, "needs the field 'affected_services'"),
        ({"affected_users": -1}, "is less than none"),
        ({"affected_services": ("mail", "")}, "names nothing"),
        ({"affected_users": "300"}, "affected_users is '300'; it takes a whole number"),
        ({"affected_services": "mail"}, "it takes a list of texts"),
    ],
)
def test_a_reach_that_is_none_is_refused(fields, words):
    """Nothing, less than none, nameless, or of another type."""
    assert words in str(reason(accepted().ask("assess_major", fields=fields)))


# --- procedure, plan, papers ------------------------------------------------------------------------


def test_the_procedure_and_its_version_are_kept_as_they_were():
    """INC-09: by which documented procedure; a later version changes nothing here."""
    assert accepted().major.procedure == PROCEDURE
    other = attrs.evolve(PROCEDURE, version=2, roles=(MajorRole("driver"),))
    play = Play().to("proposed")
    play.did("accept_major", fields={"procedure": other.to_dict()})
    assert play.major.procedure.label == "major-incidents 2"
    play.did("assume_role", fields={"major_role": "driver", "held_by": "dan"})
    assert reason(play.ask("assume_role")).code == "invalid_field"


PLAIN = PROCEDURE.to_dict()


@pytest.mark.parametrize(
    "hostile",
    [
        "major-incidents",
        {},
        {**PLAIN, "version": "1"},
        {**PLAIN, "tracks": 5},
        {**PLAIN, "tracks": [{"id": "x"}]},
        {**PLAIN, "tracks": [{"id": "x", "steps": [7]}]},
        {**PLAIN, "tracks": [{"id": "x", "steps": [{"id": "a"}]}]},
        {**PLAIN, "cadence": [["P1", 0]]},
        {**PLAIN, "cadence": [["P9", 60]]},
        {**PLAIN, "cadence": "often"},
        {**PLAIN, "more": True},
        {**PLAIN, "roles": [None]},
    ],
)
def test_a_procedure_that_is_none_is_refused(hostile):
    """Whatever somebody sends, it is refused with a remedy and nothing breaks."""
    told = reason(Play().to("proposed").ask("accept_major", fields={"procedure": hostile}))
    assert told.code == "invalid_field"
    assert "give Procedure(...).to_dict()" in str(told)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*PLAIN, "steps", "to"]), inner)
    ),
    max_leaves=8,
)


@given(st.sampled_from(list(PLAIN)), JSON)
def test_no_plain_data_in_place_of_a_part_breaks_the_acceptance(name, value):
    """It is a procedure, or it is refused."""
    decision = Play().to("proposed").ask("accept_major", fields={"procedure": {**PLAIN, name: value}})
    if isinstance(decision, Refused):
        assert decision.codes == ("invalid_field",)
    else:
        assert dict(decision.events[0].fields["procedure"])["id"]


def test_an_invoked_plan_is_on_record_with_its_version():
    """8.7.2: which one, by whom, when; two may be."""
    play = accepted()
    play.did("invoke_continuity_plan")
    play.did("invoke_continuity_plan", fields={"continuity_plan": "orders", "plan_version": "1"})
    assert [(one.plan, one.version, one.by) for one in play.major.plans] == [
        ("payments", "2.1", "mona"),
        ("orders", "1", "mona"),
    ]
    assert play.major.plans[-1].at == play.record.changed_at


def test_report_and_review_name_author_and_instant():
    """INC-12."""
    play = Play().to("accepted_resolved")
    play.did("report_major", actor=Actor.person("ana", "agent"))
    play.did("review_major")
    report, review = play.major.report, play.major.review
    assert (report.reference, report.by) == ("doc/report", "ana")
    assert (review.reference, review.by, review.at) == ("doc/review", "mona", play.record.changed_at)


# --- laws -------------------------------------------------------------------------------------------

TRIGGERS = st.sampled_from([*MAJOR_COMMANDS, "start", "resolve", "close", "reopen", "cancel"])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "move": st.sampled_from((*TO_THE_END, ("mobilisation", "calling"), ("restoration", "diagnosing"))),
        "role": st.sampled_from(["manager", "scribe", "liaison"]),
        "who": st.sampled_from(["mona", "max", "sam"]),
        "back": st.integers(0, 6),
    },
)


def asked(trigger, drawn):
    """The fields of a drawn command."""
    if trigger == "move_track" and "move" in drawn:
        return dict(zip(("track", "track_step"), drawn["move"], strict=True))
    if trigger in ("assume_role", "renounce_role"):
        role = {"major_role": drawn.get("role", "liaison")}
        return {**role, "held_by": drawn.get("who", "mona")}
    return {}


def held_at(role, at):
    """Whether somebody holds a role at an instant."""
    return role.assumed_at <= at and (role.renounced_at is None or at < role.renounced_at)


@settings(max_examples=300)
@given(st.lists(st.tuples(TRIGGERS, FIELDS), max_size=40), st.booleans())
def test_any_order_of_commands_keeps_what_a_major_incident_promises(drawn, ahead):
    """One manager while accepted, single roles never twice, joined before Resolved, closed with both papers."""
    play = Play()
    if ahead:
        play.to("accepted").joined()
    for trigger, more in drawn:
        back = dt.timedelta(minutes=more.get("back", 0))
        decision = play.ask(
            trigger, fields=asked(trigger, more), at=T + dt.timedelta(minutes=play.minute + 1) - back
        )
        if isinstance(decision, Accepted):
            was = play.record
            play.take(decision)
            _laws(was, play)
    assert play.anew() == play.record
    _in_the_order_of_time(play)


def _laws(was, play):
    record, held = play.record, play.major
    if held is None:
        return
    if held.is_accepted:
        assert len(held.holders("manager")) == 1
        assert record.major
    for role in ("manager", "scribe"):
        rows = [one for one in held.roles if one.role == role]
        for one in rows:
            assert len([other for other in rows if held_at(other, one.assumed_at)]) <= 1
    if record.phase == "resolved" and held.is_accepted:
        assert held.joined
    if record.phase == "closed":
        assert held.status is not MajorStatus.PROPOSED
    if record.phase == "closed" and held.is_accepted:
        assert record.state == "closed"
        assert held.report is not None
        assert held.review is not None
    if was.phase.is_open and not record.phase.is_open and held.status is MajorStatus.ACCEPTED:
        assert was.major_incident.joined


def _in_the_order_of_time(play):
    """Also read by the instants of the events, no track moves between a resolution and a reopening."""
    resolved = False
    for event in effective(play.events):
        if event.kind == "transitioned":
            resolved = event.to_state in ("resolved", "closed")
        if event.kind in ("track_moved", "major_accepted"):
            assert not resolved
        if event.kind in ("major_reported", "major_reviewed"):
            assert resolved


@given(st.data())
def test_any_part_of_a_history_tells_a_record(data):
    """What does not fit says nothing: one that was never proposed is not accepted, and moves no track."""
    play = Play().to("accepted_resolved")
    play.did("report_major")
    play.did("reopen")
    play.did("cancel_major")
    play.did("declare_major")
    play.did("assess_major")
    play.did("reject_major")
    opening, *more = play.events
    kept = [event for event in more if data.draw(st.booleans())]
    held = fold([opening, *kept]).major_incident
    told = {event.kind for event in kept}
    assert (held is None) is ("major_proposed" not in told)
    if held is not None and held.procedure is not None:
        assert "major_accepted" in told


@pytest.mark.parametrize(
    ("dropped", "status"),
    [("major_proposed", None), ("major_accepted", "proposed"), ("major_cancelled", "accepted")],
)
def test_what_does_not_fit_says_nothing(dropped, status):
    """By hand: without one event, where the others leave it."""
    play = Play().to("cancelled")
    play.did("declare_major")
    play.did("reject_major")
    kept = [event for event in play.events if event.kind != dropped]
    if dropped == "major_accepted":
        kept = [event for event in kept if event.kind != "major_rejected"]
    held = fold(kept).major_incident
    assert (None if held is None else held.status) == status


def test_a_role_that_the_kept_procedure_does_not_list_is_held_by_whoever_assumed_it():
    """A part of a history: the procedure that has the role came with an acceptance that does not fit."""
    own = attrs.evolve(PROCEDURE, id="own", roles=[MajorRole("driver")])
    play = Play().to("cancelled")
    play.did("declare_major")
    play.did("accept_major", fields={"procedure": own.to_dict()})
    play.did("assume_role", fields={"major_role": "driver", "held_by": "dora"})
    held = fold(event for event in play.events if event.kind != "major_cancelled").major_incident
    assert held.procedure == PROCEDURE
    assert held.holders("driver") == ("dora",)


def test_what_is_assessed_after_a_decision_against_it_says_nothing():
    """From elsewhere: a desk refuses it."""
    play = Play().to("proposed")
    play.did("assess_major")
    (assessed,) = [event for event in play.events if event.kind == "major_assessed"]
    play.did("reject_major")
    late = attrs.evolve(
        assessed, id="x", seq=99, occurred_at=T + dt.timedelta(days=1), recorded_at=T + dt.timedelta(days=1)
    )
    assert apply(play.record, late).major_incident == play.major


def test_the_fields_that_a_command_needs_are_those_of_the_play():
    """So that no row of the table is refused for want of a field."""
    for trigger in MAJOR_COMMANDS:
        assert set(BESIDE[trigger].requires) <= NEEDED[trigger].keys()
    assert MONA.roles == {"agent", "manager"}
