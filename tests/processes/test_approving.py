"""The guards of approval: what may be asked, who may vote, and what the votes come to."""

import itertools

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changing import (
    ANA,
    ASSESSED,
    BOT,
    CLASSIFIED,
    DAY,
    DONE,
    END,
    HELD,
    HOUR,
    IVO,
    MONA,
    OURS,
    PEOPLE,
    START,
    TESTED,
    TICK,
    TOLD,
    WHY,
    T,
    after,
    approved,
    ask,
    assessed,
    does,
    implementing,
    opened,
    requested,
    scheduled,
    standard,
    submitted,
    voted,
)
from itsm_core.actors import Actor
from itsm_core.approvals import ApprovalRule, Delegation, Panel, tally
from itsm_core.commands import Command
from itsm_core.errors import Reason
from itsm_core.lifecycle import Situation, decide, options
from itsm_core.lifecycle.staffing import dead_ends
from itsm_core.lifecycle.timers import TIME, next_timer
from itsm_core.processes import (
    AUTHORITIES,
    CHANGE,
    SERVICE_REQUEST,
    ChangePolicy,
    authority,
    governed,
    way_of,
)
from itsm_core.processes.approving import APPROVING, AUTHORIZING, approvers, barred_from, parties_to, standing
from itsm_core.processes.authority import MATERIAL
from itsm_core.records import fold

OLI = Actor.person("oli", "agent", "manager")  # holds every role
ALONE = {part: ["oli"] for part in PEOPLE}


def codes(record, trigger, actor, **more):
    """The codes of a command that is refused; none if it is accepted."""
    return getattr(ask(record, trigger, actor, **more), "codes", ())


def rule(*members, panel="peer", material=MATERIAL, **more):
    """A rule that one panel approves."""
    held = {name: more.pop(name) for name in ("needed", "veto", "mandatory") if name in more}
    return ApprovalRule([Panel(panel, members, **held)], material=material, **more)


def requesting(record, rule, actor=ANA, *, at=T):
    """What asking under a rule comes to."""
    plain = rule.to_dict() if isinstance(rule, ApprovalRule) else rule
    return codes(record, "request_approval", actor, at=at, fields={"rule": plain})


def voting(record, who, vote="approve", *, at=T, behalf=None):
    """What a vote comes to."""
    actor = who if isinstance(who, Actor) else Actor.person(who)
    return codes(record, "vote", actor, at=at, fields={"vote": vote}, behalf=behalf)


def waived(record, trigger="authorize", actor=OLI, *, at=T, until=T + 60 * DAY):
    """The record with the duties of whoever opened it joined."""
    fields = {"trigger": trigger, "separate_from": "open", "until": until}
    fields |= {"reason": "A firm of one", "review": "The auditor looks at it each quarter"}
    return does(record, "waive", actor, at=at, fields=fields)


# --- asking ---------------------------------------------------------------------------------------


def test_a_rule_that_somebody_can_fulfil_may_be_asked_under():
    """One of two peers; the one who asks is no obstacle."""
    assert requesting(submitted(), rule("pia", "ana")) == ()


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"panels": []},
        {"panels": [{"name": "peer", "members": []}]},
        {"panels": [{"name": "peer", "members": ["pia"], "needed": 2}]},
        {"panels": "peer"},
        {"panels": [{"name": "peer", "members": ["pia"]}], "sequential": "yes"},
        {"panels": [{"name": "peer", "members": ["pia"]}], "due": "2024-02-05T09:00:00Z"},  # is now
        {"surprise": 1},
    ],
)
def test_a_rule_that_is_none_is_refused_with_what_is_wrong(bad):
    """As text of the rules themselves."""
    assert "invalid_rule" in requesting(submitted(), bad)


@pytest.mark.parametrize("bad", [5, "all of them", ["pia"], True, None])
def test_a_rule_that_is_no_mapping_is_refused(bad):
    """Whatever it is; a missing one as a missing field."""
    found = requesting(submitted(), bad)
    assert found
    assert ("missing_field" in found) is (bad is None)


@pytest.mark.parametrize("members", [("ana",), ("ana", "ivo")])
def test_a_rule_under_which_nobody_is_left_is_refused(members):
    """Who asked and who is to carry it out do not count: the dead end is named at once."""
    record = does(submitted(), "assign", fields={"assignee": "ivo"})
    decision = ask(record, "request_approval", fields={"rule": rule(*members).to_dict()})
    assert decision.codes == ("invalid_rule",)
    assert "ask more people" in decision.reasons[0].message
    assert requesting(record, rule(*members, "pia")) == ()


@pytest.mark.parametrize(
    "more",
    [{"needed": "all"}, {"needed": "2/3"}, {"veto": ["ana"]}, {"needed": "all", "veto": ["pia", "ana"]}],
)
def test_a_panel_does_not_wait_for_who_may_not_vote(more):
    """It would wait for ever: name them in excluded, or have a waiver; where others suffice it may be asked."""
    decision = ask(submitted(), "request_approval", fields={"rule": rule("ana", "pia", **more).to_dict()})
    assert decision.codes == ("invalid_rule",)
    assert decision.reasons[0].message == (
        "peer would wait for ana, who may not vote on this; name them in excluded"
    )
    assert dict(decision.reasons[0].facts) == {"field": "rule"}
    assert requesting(submitted(), rule("ana", "pia", excluded=["ana"], **more)) == ()
    assert requesting(waived(submitted()), rule("ana", "pia", **more)) == ()


def test_a_panel_that_has_enough_without_them_may_be_asked():
    """Two of three, of whom one may not vote."""
    assert requesting(submitted(), rule("ana", "pia", "pol", needed=2)) == ()
    assert requesting(submitted(), rule("ana", "pia", "pol", needed="50 %", veto=["pia"])) == ()
    assert requesting(submitted(), rule("ana", "pia", "pol", needed=3)) == ("invalid_rule",)


def test_who_was_refused_does_not_ask_others_instead():
    """The change goes back to New and is changed first; pending or decided alike."""
    high = does(assessed(), "submit", fields={**ASSESSED, "likelihood": "high", "impact": "high"})
    asked = requested(high)
    refused = voted(asked, "cab1", choice="reject")
    assert requesting(refused, authority(refused, PEOPLE)) == ("refused_before",)
    rejected = voted(requested(submitted()), "pia", "pol", choice="reject")
    assert requesting(rejected, rule("pam")) == ("refused_before",)
    again = does(does(rejected, "reject", MONA, fields=WHY), "assess")
    assert requesting(does(again, "submit"), rule("pam")) == ()


def test_asking_is_not_dated_before_the_refusal():
    """What is known counts, and not what was known at the instant that somebody writes down."""
    refused = voted(requested(submitted()), "pia", choice="reject", at=T + 2 * HOUR)
    for at in (T, T + HOUR, T + 2 * HOUR, T + DAY):
        assert requesting(refused, rule("pol"), at=at) == ("refused_before",)
    without = attrs.evolve(refused, changed_at=None)
    assert APPROVING["rule_is_sound"](
        Situation(record=without, actor=ANA, trigger="request_approval", fields={"rule": rule("pol").to_dict()})
    ).code == "refused_before"  # fmt: skip


def test_who_had_to_approve_and_abstained_is_not_left_out_either():
    """That decided it: the round is rejected although nobody said no."""
    two = rule("pia", "pol", mandatory=["pia"])
    asked = does(submitted(), "request_approval", fields={"rule": two.to_dict()})
    barred = voted(asked, "pia", choice="abstain")
    decision = ask(barred, "request_approval", fields={"rule": rule("pol").to_dict()})
    assert decision.codes == ("refused_before",)
    assert dict(decision.reasons[0].facts) == {"round": asked.round.id, "by": "pia"}


def test_a_round_in_which_nobody_refused_may_be_asked_anew():
    """A wrong panel, an abstention, a round that fell due."""
    abstained = voted(requested(submitted()), "pia", choice="abstain")
    assert requesting(abstained, rule("pam", "pia")) == ()
    late = requested(submitted(), due=T + DAY, on_expiry="reject")
    assert requesting(late, rule("pia"), at=T + 2 * DAY) == ()


# --- voting ---------------------------------------------------------------------------------------


def test_members_vote_and_strangers_do_not():
    """By the rule of the round, whatever roles somebody holds."""
    record = requested(submitted())
    assert voting(record, "pia") == ()
    assert voting(record, MONA) == ("not_a_member",)


@pytest.mark.parametrize(("who", "role"), [("ana", "opener"), ("rita", "requester"), ("ivo", "assignee")])
def test_who_has_a_part_in_it_does_not_vote(who, role):
    """CHG-15: neither opener, nor requester, nor assignee; not for another either, nor through an agent."""
    record = does(submitted(requester="rita"), "assign", fields={"assignee": "ivo"})
    record = does(
        record,
        "request_approval",
        fields={"rule": rule("ana", "rita", "ivo", "pia", delegations=[Delegation("pia", "x"), Delegation("ivo", "y")]).to_dict()},
    )  # fmt: skip
    assert who in parties_to(record), role
    assert voting(record, who) == ("separation",)
    assert "separation" in voting(record, "y", behalf=who)
    machine = Actor.ai_agent("pia", model="m", version="1", approved_by=who)
    assert voting(record, machine) == ("separation",)
    assert voting(record, "x", behalf="pia") == ()
    assert voting(record, Actor.ai_agent("pia", model="m", version="1", approved_by="pol")) == ()


def voting_button(record, who, trigger="vote", lang="en"):
    """The button of a command of approval."""
    actor = who if isinstance(who, Actor) else Actor.person(who)
    (button,) = [one for one in options(record, actor, OURS, at=T, lang=lang) if one.trigger == trigger]
    return button


def test_who_is_asked_finds_a_button_to_vote():
    """It says what may be voted, and leads nowhere: the decision is another button."""
    button = voting_button(requested(submitted()), "pia")
    assert (button.enabled, button.label, button.destination) == (True, "Vote", None)
    assert [(need.field, need.one_of) for need in button.missing] == [
        ("vote", ("approve", "reject", "abstain"))
    ]
    assert voting_button(requested(submitted()), "pia", lang="zh").label == "投票"


@pytest.mark.parametrize(
    ("record", "who", "code"),
    [
        (submitted(), "pia", "no_round"),
        (requested(submitted()), "ana", "separation"),
        (requested(submitted()), "a stranger", "not_a_member"),
        (approved(), "pol", "already_decided"),
        (does(submitted(), "cancel", MONA, fields=WHY), "pia", "wrong_state"),
    ],
)
def test_a_grey_vote_says_why(record, who, code):
    """With the reasons that the vote itself would be refused for."""
    button = voting_button(record, who)
    refused = ask(record, "vote", Actor.person(who), at=T, fields={"vote": "approve"})
    assert not button.enabled
    assert code in {reason.code for reason in button.reasons}
    assert {str(reason) for reason in button.reasons} == {str(reason) for reason in refused.reasons}


def test_staff_find_a_button_to_ask_for_approval():
    """Others find it grey, and nobody asks again where somebody refused."""
    record = submitted()
    assert voting_button(record, ANA, "request_approval").enabled
    assert [r.code for r in voting_button(record, "pia", "request_approval").reasons] == ["role"]
    refused = voted(requested(record), "pia", "pol", choice="reject")
    assert [r.code for r in voting_button(refused, ANA, "request_approval").reasons] == ["refused_before"]


def test_who_carried_it_out_does_not_vote_on_it_later():
    """A finding or an edit is decided on after the work: by others."""
    record = does(scheduled(), "implement", IVO, at=START, fields={**TESTED, **TOLD})
    assert parties_to(record) == {"ana", "ivo"}
    record = does(record, "amend", at=START, fields={"configuration_items": ["mail-2"]})
    record = does(record, "request_approval", at=START, fields={"rule": rule("ivo", "pia").to_dict()})
    assert voting(record, "ivo", at=START) == ("separation",)
    assert voting(record, "pia", at=START) == ()


def test_every_reason_against_a_vote_is_told_at_once():
    """The words of all, the code and facts of the first."""
    record = does(submitted(requester="rita"), "request_approval", fields={"rule": rule("pia").to_dict()})
    (reason,) = ask(record, "vote", Actor.person("rita"), fields={"vote": "approve"}).reasons
    assert (reason.code, dict(reason.facts)["actor"]) == ("separation", "rita")
    assert "a waiver on record sets that aside; rita has no voice here" in reason.message


def test_a_vote_without_a_round_is_refused_once():
    """Nobody was asked."""
    assert voting(submitted(), "pia") == ("no_round",)


def test_nobody_votes_on_what_is_decided():
    """Frozen afterwards: the second vote changes nothing."""
    assert voting(approved(), "pol") == ("already_decided",)
    assert voting(voted(requested(submitted()), "pia", "pol", choice="reject"), "pia") == ("already_decided",)


def test_a_vote_dated_back_does_not_undo_what_time_has_rejected():
    """What counts is when it became known; a vote that was known in time counts whenever it is judged."""
    record = requested(submitted(), due=T + DAY, on_expiry="reject")
    vote = Command("vote", Actor.person("pia"), at=T + HOUR, recorded_at=T + 2 * DAY,
                   fields={"vote": "approve", "late_reason": "was on the road"})  # fmt: skip
    late = decide(record, vote, OURS)
    assert late.codes == ("approval_expired",)
    assert decide(record, attrs.evolve(vote, recorded_at=T + DAY), OURS).accepted


def test_nobody_has_a_second_voice_through_an_agent():
    """An AI agent in the panel is the voice of the person who approves what it does."""
    agent = Actor.ai_agent("agent", model="m", version="1", approved_by="pia")
    asked = rule("pia", "agent", "other", "pol", needed=2, excluded=["eve"])
    record = does(submitted(), "request_approval", fields={"rule": asked.to_dict()})
    assert voting(record, agent) == ("second_voice",)
    assert voting(record, attrs.evolve(agent, approved_by="eve")) == ("excluded",)
    outside = attrs.evolve(agent, approved_by="mia")
    assert voting(record, outside) == ()
    record = does(record, "vote", outside, fields={"vote": "approve"})
    assert record.round.votes[0].approved_by == "mia"
    second = attrs.evolve(outside, id="other")
    (reason,) = ask(record, "vote", second, fields={"vote": "approve"}).reasons
    assert (reason.code, dict(reason.facts)) == ("second_voice", {"voter": "agent"})
    assert reason.message == "in peer, whoever casts this has the voice of agent, and one person counts once"
    assert voting(record, outside, "abstain", at=T + HOUR) == ()  # the same voice once more
    assert voting(record, attrs.evolve(second, approved_by="pol")) == ("second_voice",)
    assert voting(record, attrs.evolve(second, approved_by="max")) == ()
    assert voting(record, "pia") == ()


def test_who_approved_the_vote_of_an_agent_does_not_carry_it_out_alone():
    """CHG-15: it was their decision."""
    agent = Actor.ai_agent("machine", "automation", model="m", version="1", approved_by="ivo")
    record = does(submitted(), "request_approval", fields={"rule": rule("machine").to_dict()})
    record = does(does(record, "vote", agent, fields={"vote": "approve"}), "authorize", MONA)
    fields = {**TESTED, **TOLD}
    assert codes(record, "implement", IVO, at=START, fields=fields) == ("separation",)
    alone = attrs.evolve(agent, approved_by=None)
    assert codes(record, "implement", alone, at=START, fields=fields) == ("separation",)
    assert codes(record, "implement", ANA, at=START, fields=fields) == ()


def test_a_row_of_a_hosts_own_is_no_way_round():
    """It tells of nobody who asked for it: still, who approved alone does not carry it out."""
    record = attrs.evolve(scheduled(), acted=(), values=type(opened().values)(
        {name: value for name, value in scheduled().values.items() if name != "requester"}))  # fmt: skip
    assert parties_to(record) == frozenset()
    pia = Actor.person("pia", "agent")
    assert codes(record, "implement", pia, at=START, fields={**TESTED, **TOLD}) == ("separation",)
    assert codes(record, "implement", IVO, at=START, fields={**TESTED, **TOLD}) == ()


def test_a_button_for_votes_can_be_judged_without_an_instant():
    """Who looks at nothing in particular looks after all that happened."""
    record = requested(submitted())
    for held in (record, attrs.evolve(record, changed_at=None)):
        situation = Situation(record=held, actor=Actor.person("pia"), trigger="vote")
        assert APPROVING["may_vote"](situation) is None
        assert standing(situation)[1].at == T


# --- deciding -------------------------------------------------------------------------------------


def test_nothing_is_authorised_before_it_is_approved():
    """CHG-08: no round, a pending one, a rejected one; then one that is approved."""
    record = submitted()
    assert codes(record, "authorize", MONA) == ("not_approved",)
    assert codes(requested(record), "authorize", MONA) == ("not_approved",)
    refused = voted(requested(record), "pia", "pol", choice="reject")
    assert codes(refused, "authorize", MONA) == ("not_approved",)
    assert codes(approved(), "authorize", MONA) == ()


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (submitted, "nobody has been asked to approve it"),
        (lambda: does(approved(), "amend", fields={"backout_plan": "none"}), "has been edited since"),
        (lambda: does(does(does(approved(), "revise", fields=WHY), "assess"), "submit"), "back to its start"),
        (lambda: requested(submitted()), "0 of 1 yes, waiting for pia, pol"),
    ],
)
def test_why_it_is_not_approved_is_said(record, words):
    """With what to do about it."""
    (reason,) = ask(record(), "authorize", MONA).reasons
    assert reason.code == "not_approved"
    assert words in reason.message


def test_a_round_that_ended_in_a_way_of_its_own_is_named():
    """Ways to end that later versions add are words, not errors."""
    record = requested(submitted())
    ended = attrs.evolve(record.round, ended="withdrawn", ended_at=T)
    (reason,) = ask(attrs.evolve(record, rounds=(ended,)), "authorize", MONA).reasons
    assert reason.message == "the approval round ended (withdrawn); request an approval"


def test_what_is_approved_is_what_is_done():
    """A material field edited after the vote voids it, also where the step itself brings the edit."""
    record = approved()
    assert codes(record, "authorize", MONA, fields={"backout_plan": "none"}) == ("edits_approved",)
    assert codes(record, "authorize", MONA, fields={"backout_plan": None}) == ("edits_approved",)
    assert codes(record, "authorize", MONA, fields={"backout_plan": ASSESSED["backout_plan"]}) == ()
    assert codes(record, "authorize", MONA, fields={"group": "network"}) == ()
    brought = {**TESTED, **TOLD, "configuration_items": ["everything"]}
    assert codes(scheduled(), "implement", IVO, at=START, fields=brought) == ("edits_approved",)


def test_reject_takes_a_rejection():
    """The votes reject, and the manager sends it back; nobody rejects instead of them."""
    assert codes(submitted(), "reject", MONA, fields=WHY) == ("not_rejected",)
    assert codes(requested(submitted()), "reject", MONA, fields=WHY) == ("not_rejected",)
    assert codes(approved(), "reject", MONA, fields=WHY) == ("not_rejected",)
    refused = voted(requested(submitted()), "pia", "pol", choice="reject")
    back = does(refused, "reject", MONA, fields=WHY)
    assert (back.state, back.round, back.rounds[-1].ended) == ("new", None, "revised")


def test_time_rejects_what_is_undecided_when_it_falls_due():
    """iso-20000.md 5.5: expiry; by the rule that says so alone, and never what votes have decided."""
    due = T + DAY
    asked = requested(submitted(), due=due, on_expiry="reject")
    assert next_timer(asked, OURS) == (due, "expire")
    assert codes(asked, "expire", TIME, at=due - TICK) == ("not_rejected", "too_soon")
    back = does(asked, "expire", TIME, at=due)
    assert (back.state, back.round, back.rounds[-1].ended) == ("new", None, "revised")
    assert codes(asked, "expire", MONA, at=due) == ("timer",)
    for decided in (voted(asked, "pia"), voted(asked, "pia", "pol", choice="reject")):
        assert next_timer(decided, OURS) is None
        assert codes(decided, "expire", TIME, at=due) == ("not_rejected",)
    for other in ("remind", "escalate"):
        left = requested(submitted(), due=due, on_expiry=other)
        assert next_timer(left, OURS) is None
        assert codes(left, "expire", TIME, at=due) == ("not_rejected",)
    assert codes(submitted(), "expire", TIME, at=due) == ("not_rejected", "too_soon")
    assert next_timer(requested(submitted()), OURS) is None


def test_a_vote_at_the_very_instant_at_which_it_falls_due_counts():
    """`tally`: a vote at `due` itself still counts; the one after it is refused."""
    due = T + DAY
    asked = requested(submitted(), due=due, on_expiry="reject")
    assert next_timer(voted(asked, "pia", at=due), OURS) is None
    assert next_timer(asked, OURS) == (due, "expire")
    assert voting(asked, "pia", at=due + TICK) == ("approval_expired",)


def test_a_rule_that_nobody_can_read_approves_nothing():
    """From an import, say: every guard answers, and none lets pass."""
    record = approved()
    broken = attrs.evolve(record.round, rule=type(record.values)({"panels": 5}))
    record = attrs.evolve(record, rounds=(broken,))
    assert codes(record, "authorize", MONA) == ("not_approved",)
    assert codes(record, "reject", MONA, fields=WHY) == ("not_rejected",)
    assert voting(record, "pia") == ("invalid_rule",)
    assert requesting(record, rule("pia")) == ()


def test_what_the_votes_say_against_it_is_said_in_full():
    """Each panel in turn, and what falls due."""
    both = ApprovalRule(
        [Panel("change_manager", ["mona"]), Panel("service_owner", ["sam"])], due=T + DAY, material=MATERIAL
    )
    record = does(submitted(), "request_approval", fields={"rule": both.to_dict()})
    (reason,) = ask(record, "authorize", MONA, at=T + 2 * DAY).reasons
    assert reason.message == (
        "change_manager: 0 of 1 yes, waiting for mona; service_owner: 0 of 1 yes, waiting for sam; "
        "it fell due 2024-02-06 09:00 UTC"
    )


def told(record, trigger, actor, **more):
    """The one reason of a refusal: its code, words and facts."""
    (reason,) = ask(record, trigger, actor, **more).reasons
    return reason.code, reason.message, dict(reason.facts)


def test_every_refusal_says_what_it_is_about():
    """Codes, words and facts are what displays and integrations read."""
    new, asked = submitted(), requested(submitted())
    live = asked.round.id
    refused = voted(asked, "pia", "pol", choice="reject")
    assert told(new, "authorize", MONA) == (
        "not_approved",
        "nobody has been asked to approve it; request an approval",
        {"verdict": None, "ended": None},
    )
    assert told(asked, "authorize", MONA)[::2] == ("not_approved", {"verdict": "pending", "round": live})
    assert told(refused, "authorize", MONA)[2] == {"verdict": "rejected", "round": live}
    edits = {"backout_plan": "none", "benefit": "less"}
    assert told(approved(), "authorize", MONA, fields=edits) == (
        "edits_approved",
        "benefit, backout_plan would change after the approval; amend it first and ask again",
        {"fields": ("benefit", "backout_plan"), "round": live},
    )
    assert told(new, "reject", MONA, fields=WHY) == (
        "not_rejected", "the votes do not reject it", {"verdict": None},
    )  # fmt: skip
    assert told(asked, "reject", MONA, fields=WHY)[2] == {"verdict": "pending"}
    assert told(refused, "request_approval", ANA, fields={"rule": rule("pam").to_dict()}) == (
        "refused_before",
        "pia refused; take it back to its start and change it before you ask again",
        {"round": live, "by": "pia"},
    )
    assert told(new, "request_approval", ANA, fields={"rule": {}})[2] == {"field": "rule"}
    assert told(asked, "vote", IVO, fields={"vote": "approve"})[0] == "not_a_member"
    mine = does(new, "request_approval", fields={"rule": rule("ana", "pia").to_dict()})
    assert told(mine, "vote", ANA, fields={"vote": "approve"}) == (
        "separation",
        "ana asked for it or carries it out, and others decide; a waiver on record sets that aside",
        {"actor": "ana", "trigger": "vote", "separate_from": "open"},
    )
    two = does(new, "request_approval", fields={"rule": rule("pol", "pia", needed=2).to_dict()})
    both = does(does(voted(two, "pol", "pia"), "authorize", MONA), "assign", fields={"assignee": "pol"})
    pia = Actor.person("pia", "agent")
    assert told(both, "implement", pia, at=START, fields={**TESTED, **TOLD}) == (
        "separation",
        "only pia, pol approved it; somebody else carries it out, or a waiver is on record",
        {"actor": "pia"},
    )
    broken = attrs.evolve(asked.round, rule=type(new.values)({"panels": 5}))
    reason = told(
        attrs.evolve(asked, rounds=(broken,)), "vote", Actor.person("pia"), fields={"vote": "approve"}
    )
    assert reason[0] == "invalid_rule"
    assert reason[1].endswith("; request an approval anew")
    assert reason[2] == {"round": live}


def test_a_finding_waits_for_a_decision_in_words():
    """And says how the votes stand."""
    situation = Situation(record=submitted(), actor=MONA, trigger="close", at=T)
    reason = APPROVING["is_decided"](situation)
    assert reason.message == "nobody has decided on it yet; request an approval and let them vote"
    assert dict(reason.facts) == {"verdict": None}
    for record, verdict in ((requested(submitted()), "pending"), (approved(), None)):
        found = APPROVING["is_decided"](attrs.evolve(situation, record=record))
        assert (None if found is None else dict(found.facts)["verdict"]) == verdict
    refused = voted(requested(submitted()), "pia", "pol", choice="reject")
    assert APPROVING["is_decided"](attrs.evolve(situation, record=refused)) is None


def test_the_last_vote_of_a_voice_tells_whose_hand_it_was():
    """Whatever order the votes lie in."""
    record = does(
        submitted(),
        "request_approval",
        fields={"rule": rule("pia", "pol", delegations=[Delegation("pia", "ivo")]).to_dict()},
    )
    record = does(record, "vote", IVO, fields={"vote": "reject"}, behalf="pia")
    record = does(record, "vote", Actor.person("pia"), at=T + HOUR, fields={"vote": "approve"})
    for votes in (record.round.votes, record.round.votes[::-1]):
        live = attrs.evolve(record.round, votes=votes)
        assert approvers(tally(live, T + DAY)) == {"pia"}


def test_the_guards_go_by_their_names():
    """As definitions and JSON name them."""
    assert list(APPROVING) == [
        "rule_is_sound", "may_vote", "is_approved", "is_rejected", "is_expired", "is_decided",
        "others_approved",
    ]  # fmt: skip
    assert [APPROVING[name].__name__ for name in APPROVING] == list(APPROVING)
    assert AUTHORIZING == ("authorize", "approve", "vote")


# --- who carries it out did not approve it alone -------------------------------------------------------


def test_who_approved_alone_does_not_carry_it_out():
    """CHG-15: fired by them, for them, by their agent, or put in their hands afterwards."""
    record = scheduled(approved())
    fields = {**TESTED, **TOLD}
    pia = Actor.person("pia", "agent")
    assert codes(record, "implement", pia, at=START, fields=fields) == ("separation",)
    assert codes(record, "implement", IVO, at=START, fields=fields, behalf="pia") == ("separation",)
    agent = Actor.ai_agent("m", "automation", model="m", version="1", approved_by="pia")
    assert codes(record, "implement", agent, at=START, fields=fields) == ("separation",)
    given = does(record, "assign", fields={"assignee": "pia"})
    assert codes(given, "implement", IVO, at=START, fields=fields) == ("separation",)
    assert codes(record, "implement", IVO, at=START, fields=fields) == ()


def test_the_step_itself_puts_it_in_nobodys_hands_who_approved_alone():
    """CHG-15: an assignee or a requester that the command brings counts as one that is known."""
    record = scheduled(approved())
    fields = {**TESTED, **TOLD}
    for brought in ({"assignee": "pia"}, {"requester": "pia"}):
        found = codes(record, "implement", IVO, at=START, fields={**fields, **brought})
        assert found == ("separation",)
    assert codes(record, "implement", IVO, at=START, fields={**fields, "assignee": "pol"}) == ()


def test_work_that_has_begun_is_not_handed_to_who_approved_alone():
    """CHG-15: by assignment or by any step; another may take it over, and who has it keeps it."""
    record = does(scheduled(approved()), "implement", IVO, at=START, fields={**TESTED, **TOLD})
    given = {"assignee": "pia"}
    (reason,) = ask(record, "assign", at=START, fields=given).reasons
    assert (reason.code, dict(reason.facts)) == ("separation", {"actor": "pia"})
    graded = {"urgency": "high", **given}
    assert codes(record, "reprioritise", ANA, at=START, fields=graded) == ("separation",)
    assert codes(record, "complete", IVO, at=END, fields={**DONE, **given}) == ("separation",)
    assert codes(record, "hold", ANA, at=START, fields={**HELD, **given}) == ("separation",)
    held = does(record, "hold", at=START, fields=HELD)
    assert codes(held, "resume", ANA, at=START, fields=given) == ("separation",)
    other = does(record, "assign", at=START, fields={"assignee": "pol"})
    assert codes(other, "assign", ANA, at=START, fields={"assignee": "pol", "group": "mail"}) == ()
    assert codes(other, "assign", ANA, at=START, fields={"group": "mail"}) == ()
    assert codes(waived(other, at=START), "assign", ANA, at=START, fields=given) == ()
    assert codes(implementing(standard()), "assign", ANA, at=START, fields=given) == ()


def test_one_voice_among_several_may_carry_it_out():
    """The others approved it, too."""
    record = does(assessed(), "submit", fields={**ASSESSED, "likelihood": "high"})
    record = scheduled(record, "mona", "sam")
    sam = Actor.person("sam", "agent")
    assert codes(record, "implement", sam, at=START, fields={**TESTED, **TOLD}) == ()


def test_a_delegate_answers_for_the_vote_they_cast():
    """The voice is another's, the hand is theirs."""
    record = does(
        submitted(),
        "request_approval",
        fields={"rule": rule("pia", delegations=[Delegation("pia", "ivo")]).to_dict()},
    )
    record = does(record, "vote", IVO, fields={"vote": "approve"}, behalf="pia")
    record = does(record, "authorize", MONA)
    assert codes(record, "implement", IVO, at=START, fields={**TESTED, **TOLD}) == ("separation",)
    assert codes(record, "implement", ANA, at=START, fields={**TESTED, **TOLD}) == ()


# --- one person alone --------------------------------------------------------------------------------


def test_one_person_holding_every_role_cannot_approve_their_own_change():
    """Issue 4: not by rule, not by vote, not by authority; and the search names the dead end."""
    mine = does(does(opened(actor=OLI), "assess", OLI, fields=CLASSIFIED), "submit", OLI, fields=ASSESSED)
    with pytest.raises(ValueError, match="nobody is left who may vote: oli asked for it"):
        authority(mine, ALONE, at=T)
    assert requesting(mine, rule("oli"), OLI) == ("invalid_rule",)
    forced = does(mine, "request_approval", OLI, fields={"rule": rule("oli", "pia").to_dict()})
    assert voting(forced, OLI) == ("separation",)
    assert set(codes(voted(forced, "pia"), "authorize", OLI)) == {"separation"}
    (found,) = dead_ends(way_of("normal", CHANGE), {"oli": {"agent", "manager"}})
    assert (found.code, found.where) == ("L026", "authorize")


def test_with_a_recorded_waiver_they_can_and_their_button_shows_it():
    """Issue 4: by whom, why, until when, with what review; end to end from the events alone."""
    events = []

    def step(trigger, /, *, at=T, **fields):
        record = fold(events) if events else None
        decision = ask(record, trigger, OLI, at=at, fields=fields)
        assert decision.accepted, decision
        events.extend(decision.events)
        return fold(events)

    step("open", record="CHG-1", title="Replace the queue", change_kind="normal")
    step("assess", **CLASSIFIED)
    record = step("submit", **ASSESSED)
    assert barred_from(record, T) == {"oli"}
    record = step(
        "waive",
        trigger="authorize",
        separate_from="open",
        reason="A firm of one",
        until=T + 60 * DAY,
        review="The auditor looks at it each quarter",
    )
    assert barred_from(record, T) == frozenset()
    step("request_approval", rule=authority(record, ALONE, at=T).to_dict())
    record = step("vote", vote="approve")
    (button,) = [o for o in options(record, OLI, OURS, at=T) if o.trigger == "authorize"]
    assert button.enabled
    assert [waiver.reason for waiver in button.waivers] == ["A firm of one"]
    step("authorize")
    step("implement", at=START, **TESTED, **TOLD)
    step("complete", at=END, **DONE)
    record = step("close", at=END)
    assert (record.state, [waiver.by for waiver in record.waivers]) == ("closed", ["oli"])
    assert (
        dead_ends(way_of("normal", CHANGE), {"oli": {"agent", "manager"}}, waived=[("authorize", "open")])
        == ()
    )


def test_a_waiver_ends():
    """From the instant it names on, the duties are apart again."""
    record = requested(waived(submitted(), until=T + DAY), people={"peer": ["ana", "pia"]})
    assert voting(record, ANA, at=T + DAY - TICK) == ()
    assert voting(record, ANA, at=T + DAY) == ("separation",)
    assert barred_from(record, None) == frozenset()  # nobody says when: buttons are shown


@pytest.mark.parametrize("trigger", AUTHORIZING)
def test_the_waiver_may_name_the_step_or_the_vote(trigger):
    """A change is authorised, a request is approved; both take votes."""
    lifecycle = SERVICE_REQUEST if trigger == "approve" else OURS
    fields = {"change_kind": "normal"} if lifecycle is OURS else {"request_model": "laptop"}
    fields |= {"record": "R-1", "title": "A laptop"}
    record = after(None, ask(None, "open", ANA, fields=fields, lifecycle=lifecycle))
    assert barred_from(record, T) == {"ana"}
    held = {"trigger": trigger, "separate_from": "open", "until": T + DAY, "reason": "One", "review": "Later"}
    record = does(record, "waive", MONA, fields=held, lifecycle=lifecycle)
    assert barred_from(record, T) == frozenset()


@pytest.mark.parametrize(("trigger", "apart"), [("authorize", "submit"), ("close", "open")])
def test_another_waiver_lets_nobody_vote(trigger, apart):
    """Each names what it sets aside."""
    record = submitted()
    held = {"trigger": trigger, "separate_from": apart, "until": T + DAY, "reason": "One", "review": "Later"}
    record = does(record, "waive", MONA, fields=held)
    assert barred_from(record, T) == {"ana"}


def test_a_two_person_firm_walks_a_change_with_the_fewest_fields():
    """Issue 4: who opens it implements it, the other approves and authorises; no waiver."""
    bo = Actor.person("bo", "agent", "manager")
    lite = governed(CHANGE.lite(), ChangePolicy())
    people = {"peer": ["ana", "bo"], "change_manager": ["bo"], "service_owner": ["bo"]}
    both = {"agent", "manager"}  # or the one who holds it could ask for nothing
    assert dead_ends(way_of("normal", lite), {"ana": both, "bo": both}) == ()

    def step(record, trigger, /, actor=ANA, at=T, **fields):
        return does(record, trigger, actor, at=at, fields=fields, lifecycle=lite)

    for likelihood in ("low", "medium", "high"):  # a peer; then change manager and service owner, one person
        record = step(None, "open", record="CHG-1", title="Replace the queue", change_kind="normal")
        record = step(record, "assess", category="mail")
        window = {"planned_start": START, "planned_end": END}
        record = step(
            record, "submit", likelihood=likelihood, impact="low", backout_plan="the old one", **window
        )
        record = step(record, "hold", hold_reason="supplier")
        record = step(record, "resume")
        record = step(record, "request_approval", rule=authority(record, people).to_dict())
        record = step(record, "vote", bo, vote="approve")
        record = step(record, "authorize", bo)
        record = step(record, "implement", at=START, untested_reason="no second queue", told_at=T)
        record = step(
            record, "complete", at=END, resolution_outcome="successful", resolution_notes="Replaced"
        )
        record = step(record, "close", at=END)
        assert record.state == "closed"


def test_a_two_person_firm_walks_an_emergency_and_a_finding_with_an_authority_of_its_own():
    """What takes more people than there are takes a policy that says so, on record."""
    bo = Actor.person("bo", "agent", "manager")
    peer = AUTHORITIES["low"]
    mine = governed(CHANGE.lite(), ChangePolicy(authorities=dict.fromkeys(AUTHORITIES, peer)))

    def step(record, trigger, /, actor=ANA, at=T, **fields):
        return does(record, trigger, actor, at=at, fields=fields, lifecycle=mine)

    def decided(record, at=T):
        asked = authority(record, {"peer": ["ana", "bo"]}, authorities=dict.fromkeys(AUTHORITIES, peer))
        return step(
            step(record, "request_approval", at=at, rule=asked.to_dict()), "vote", bo, at, vote="approve"
        )

    record = step(None, "open", record="CHG-1", title="Restart", change_kind="emergency")
    window = {"planned_start": T, "planned_end": END}
    record = step(record, "expedite", reason="Mail is down", likelihood="high", impact="high", **window)
    record = step(step(decided(record), "authorize", bo), "implement", at=T + HOUR)
    record = step(record, "complete", at=T + HOUR, resolution_outcome="failed", resolution_notes="No use")
    late = {
        "category": "mail",
        "untested_reason": "no time",
        "no_backout_reason": "none",
        "told_at": T + HOUR,
    }
    late |= {"review_result": "Too late", "review_actions": ["watch it"]}
    assert step(record, "close", bo, T + DAY, **late).state == "closed"
    found = step(None, "open", record="CHG-2", title="Who did this", change_kind="normal")
    found = decided(step(found, "report_unauthorised", found_by="audit", evidence="log"))
    late = {"category": "mail", "resolution_outcome": "successful", "review_result": "Harmless"}
    assert step(found, "close", bo, **late, no_actions_reason="A slip").state == "closed"


# --- whatever is asked, a guard answers ------------------------------------------------------------------

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.sampled_from(["pia", "peer"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["panels", "name", "members", "needed", "due", "veto", "x"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.law
@given(ANYTHING)
def test_any_rule_is_accepted_or_refused_with_reasons(plain):
    """Never an error; and what is accepted, somebody can vote on."""
    decision = ask(submitted(), "request_approval", fields={"rule": plain})
    if decision.accepted:
        assert ApprovalRule.from_dict(plain).panels
    else:
        assert decision.codes


def test_every_guard_answers_a_reason_or_nothing():
    """Over records at every stage, whoever asks, with and without an instant."""
    stages = [opened(), submitted(), requested(submitted()), approved(), scheduled()]
    people = [ANA, MONA, BOT, Actor.person("pia")]
    for record, actor, at, name in itertools.product(stages, people, (None, T), APPROVING):
        situation = Situation(record=record, actor=actor, trigger="vote", at=at)
        assert isinstance(APPROVING[name](situation), Reason | None)
