"""What proposes a major incident, the procedure that ships, and the conditions on resolving and closing."""

import datetime as dt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time.durations import minutes
from itsm_core.errors import InvalidValue
from itsm_core.processes import INCIDENT, PROBLEM, PROCEDURE, MajorCriteria, MajorCriterion, MajorRules
from itsm_core.processes.major import (
    WORDS,
    briefing_due,
    called,
    customary_criteria,
    proposes,
    update_due,
    users_affected,
)
from itsm_core.records import MANAGER
from major_play import Play

CUSTOMARY = customary_criteria(["payments", "identity"])


def record(state="new", links=(), **values):
    """An incident as a row of a host says it is."""
    return attrs.evolve(INCIDENT.record("INC-1", state, **values), links=tuple(links))


CHILDREN = [("parent_of", f"INC-{n}") for n in range(2, 30)]

# fmt: off
PROPOSED = [
    # by iso-20000.md 5.4: P1 on a critical service, 20 children or 100 users, P1 about security
    ({"priority": "P1", "service": "payments"},              (), ("critical-service",)),
    ({"priority": "P1", "service": "mail"},                  (), ()),
    ({"priority": "P2", "service": "payments"},              (), ()),
    ({"service": "payments"},                                (), ()),
    ({"affected": 100},                                      (), ("many-users",)),
    ({"affected": 99},                                       (), ()),
    ({"affected": ["a"] * 100},                              (), ("many-users",)),
    ({"affected": "everybody"},                              (), ()),
    ({"affected": {"site": "Bonn"}},                         (), ()),
    ({},                                          CHILDREN[:20], ("many-children",)),
    ({},                                          CHILDREN[:19], ()),
    ({"priority": "P1", "security": True},                   (), ("security",)),
    ({"priority": "P2", "security": True},                   (), ()),
    ({"priority": "P1", "service": "identity", "affected": 500}, (), ("critical-service", "many-users")),
    ({"affected": 500},              [("child_of", "INC-9")], ()),
]
# fmt: on


@pytest.mark.parametrize(("values", "links", "met"), PROPOSED)
def test_the_customary_criteria_propose_what_the_field_calls_major(values, links, met):
    """Each criterion at its edge; what nobody knows is not met, and a child has its parent."""
    assert proposes(record(links=links, **values), CUSTOMARY) == met


@pytest.mark.parametrize(
    ("state", "open_"), [("new", True), ("on_hold", True), ("resolved", False), ("closed", False)]
)
def test_only_an_open_incident_is_proposed(state, open_):
    """platforms.md: afterwards it is for the review to find out."""
    assert bool(proposes(record(state, affected=500), CUSTOMARY)) is open_


def test_only_an_incident_is_proposed():
    """A problem with many users is a problem."""
    assert proposes(PROBLEM.record("PRB-1", affected=500), CUSTOMARY) == ()


@pytest.mark.parametrize(
    ("place", "met"),
    [("proposed", ()), ("accepted", ()), ("rejected", ("many-users",)), ("cancelled", ("many-users",))],
)
def test_what_is_proposed_or_accepted_is_not_proposed_again(place, met):
    """platforms.md: not if already proposed; a decision against it was about the criteria of then."""
    assert proposes(Play(affected=500).to(place).record, CUSTOMARY) == met


def test_a_criterion_that_was_judged_is_not_met_again():
    """The desk said no to just that."""
    play = Play(affected=500)
    play.did("declare_major", fields={"major_criteria": ("many-users",)})
    play.did("reject_major")
    assert proposes(play.record, CUSTOMARY) == ()


def test_the_count_that_was_assessed_counts():
    """It is newer than what the opening said, and the services add up."""
    play = Play(affected=5, service="mail").to("rejected")
    assert users_affected(play.record) == 5
    play.did("declare_major", fields={"affected_users": 500, "affected_services": ("payments",)})
    assert users_affected(play.record) == 500
    play.did("reject_major")
    by = MajorCriteria("x", 1, any_of=[MajorCriterion("both", users=500, services=["payments"])])
    assert proposes(play.record, by) == ("both",)


@pytest.mark.parametrize(
    ("told", "count"), [(0, 0), (7, 7), ("u-1", 1), ("", None), (None, None), (("a", "b"), 2), ((), None)]
)
def test_users_are_counted_from_what_the_record_says(told, count):
    """A number, names, one name, or nothing that anybody could count."""
    assert users_affected(record(affected=told)) == count


@given(st.integers(1, 500), st.integers(0, 600))
def test_a_criterion_of_users_is_met_from_its_number_on(least, users):
    """At it and above it, never below."""
    one = MajorCriterion("many", users=least)
    assert one.is_met(record(affected=users)) is (users >= least)


WRONG = [
    (lambda: MajorCriterion("x"), "says nothing"),
    (lambda: MajorCriterion("", users=1), "has no id"),
    (lambda: MajorCriterion("x", users=0), "is no number from 1 on"),
    (lambda: MajorCriterion("x", children=True), "is no number from 1 on"),
    (lambda: MajorCriterion("x", priority="P9"), "is no priority"),
    (lambda: MajorCriterion("x", services=[""]), "is no word"),
    (lambda: MajorCriterion("x", security="yes"), "is no bool"),
    (lambda: MajorCriteria("x", 1, any_of=[]), "lists no criterion"),
    (lambda: MajorCriteria("x", 0, any_of=[MajorCriterion("a", users=1)]), "is no version"),
    (lambda: MajorCriteria("", 1, any_of=[MajorCriterion("a", users=1)]), "has no id"),
    (lambda: MajorCriteria("x", 1, any_of=[MajorCriterion("a", users=1)] * 2), "names a criterion twice"),
    (lambda: MajorCriteria("x", 1, any_of="a"), "is no list"),
    (lambda: MajorRules(procedure="x"), "is no Procedure"),
    (lambda: MajorRules(criteria=PROCEDURE), "is no MajorCriteria"),
]


@pytest.mark.parametrize(("make", "words"), WRONG, ids=[f"{words}-{n}" for n, (_, words) in enumerate(WRONG)])
def test_criteria_that_make_no_sense_are_refused(make, words):
    """With what is wrong, and what to give instead."""
    with pytest.raises(InvalidValue, match=words) as refused:
        make()
    assert refused.value.remedy


# --- the procedure that ships -------------------------------------------------------------------------


def test_the_shipped_procedure_has_the_three_tracks():
    """Issue 7: mobilisation, restoration, announcements; iso-20000.md seed 30 to 32."""
    ways = {track.id: [step.id for step in track.steps] for track in PROCEDURE.tracks}
    assert ways == {
        "mobilisation": ["calling", "assembled", "stood_down"],
        "restoration": ["diagnosing", "repairing", "verifying", "restored"],
        "announcements": ["drafting", "approved", "published", "updated", "final", "not_needed"],
    }
    assert {step.id for track in PROCEDURE.tracks for step in track.steps if step.ends} == {
        "assembled", "stood_down", "restored", "final", "not_needed",
    }  # fmt: skip


def test_the_shipped_roles_are_those_of_the_field():
    """escalation-and-on-call.md, major incident roles; one person each but for liaisons and participants."""
    assert {role.id: role.single for role in PROCEDURE.roles} == {
        "incident_commander": True, "communications_lead": True, "technical_lead": True, "scribe": True,
        "executive_sponsor": True, "liaison": False, "participant": False,
    }  # fmt: skip


def test_every_word_of_the_shipped_procedure_is_there_in_chinese():
    """Roles, tracks and steps; in English an id is its own word."""
    roles = [MANAGER, *(role.id for role in PROCEDURE.roles)]
    steps = [step.id for track in PROCEDURE.tracks for step in track.steps]
    wanted = {*roles, *(track.id for track in PROCEDURE.tracks), *steps}
    assert set(WORDS["zh"]) == wanted
    assert called("stood_down") == "stood down"
    assert called("restored", "zh") == "已恢复"
    assert called("own_step", "fr") == "own step"


# --- the next word --------------------------------------------------------------------------------------


def test_nobody_waits_for_a_word_unless_it_is_accepted_and_open():
    """From the acceptance to the resolution."""
    for place in ("none", "proposed", "rejected", "cancelled", "accepted_resolved", "accepted_closed"):
        play = Play().to(place)
        assert update_due(play.record) is None
        assert briefing_due(play.record) is None
    play = Play(priority="P1").to("accepted")
    assert update_due(play.record) == play.major.decided_at + dt.timedelta(minutes=30)
    assert briefing_due(play.record) == play.major.decided_at  # nobody told them yet
    assert update_due(play.record, play.major.decided_at - dt.timedelta(seconds=1)) is None


def test_words_of_before_the_acceptance_do_not_count():
    """What was said of an incident said nothing of a major one."""
    play = Play(priority="P1").to("proposed")
    play.did("communicate", fields={"text": "Soon", "audience": "management"})
    play.did("accept_major")
    assert update_due(play.record) == play.major.decided_at + dt.timedelta(minutes=30)


def test_only_outbound_words_to_top_management_count():
    """Not those to the requester, nor notes, nor what they say themselves."""
    play = Play(priority="P1").to("accepted")
    due = update_due(play.record)
    play.did("communicate", fields={"text": "Soon", "audience": "requester"})
    play.did("communicate", fields={"text": "x", "audience": "management", "direction": "inbound"})
    play.did("note", fields={"text": "x"})
    assert update_due(play.record) == due
    play.did("communicate", fields={"text": "Soon", "audience": "management"})
    assert update_due(play.record) == play.record.changed_at + dt.timedelta(minutes=30)
    assert briefing_due(play.record) == update_due(play.record)


@pytest.mark.parametrize(("priority", "wait"), [("P1", 30), ("P2", 60), ("P3", 60), ("P5", 60), (None, 30)])
def test_the_cadence_is_that_of_the_priority(priority, wait):
    """iso-20000.md 5.4: every 30 or 60 minutes; unknown is taken for urgent."""
    play = Play(priority=priority).to("accepted")
    assert update_due(play.record) - play.major.decided_at == dt.timedelta(minutes=wait)


def test_a_cadence_that_names_no_urgent_priority_speaks_as_often_as_it_ever_does():
    """What is more urgent than all that it names is not told less often."""
    slow = attrs.evolve(PROCEDURE, cadence={"P2": minutes(60), "P3": minutes(90)})
    play = Play(priority="P1").to("proposed")
    play.did("accept_major", fields={"procedure": slow.to_dict()})
    assert update_due(play.record) - play.major.decided_at == dt.timedelta(minutes=60)
