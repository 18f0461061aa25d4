"""Few people: nobody approves their own change, a waiver says who may, and two can run a whole desk.

The line of issue 4, end to end through the desk, with the lifecycles as shipped and in their lite form.
"""

import datetime as dt

import attrs
import pytest

from itsm_core import Actor, InvalidValue, ServiceDesk, TransitionRefused
from itsm_core.approvals import ApprovalRule, Delegation, Panel, tally
from itsm_core.lifecycle import dead_ends
from itsm_core.processes import (
    AUTHORITIES,
    PROCESSES,
    SHIPPED,
    WAYS,
    ChangePolicy,
    ChangeTemplate,
    authority,
    governed,
    way_of,
)
from itsm_core.processes.authority import MATERIAL
from itsm_core.records import fold

T = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)  # a Monday
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
START, END = T + 15 * DAY, T + 15 * DAY + 2 * HOUR
OLI = Actor.person("oli", "agent", "manager")  # alone, and everything
ANA, BO = Actor.person("ana", "agent", "manager"), Actor.person("bo", "agent", "manager")
EVERYTHING = {"oli": ("agent", "manager", "automation")}
BOTH = {"ana": ("agent", "manager"), "bo": ("agent", "manager")}
REBOOT = ChangeTemplate("reboot", 1, valid_from=T - DAY, valid_until=T + 90 * DAY)
PEER = dict.fromkeys(AUTHORITIES, AUTHORITIES["low"])  # the other one, whatever it is
POLICY = ChangePolicy(authorities=PEER, templates=[REBOOT])

# fmt: off
ANSWERS = {
    # good answers to all that any process asks for, by field
    **dict.fromkeys(("benefit", "feasibility", "cost", "implementation_plan"), "as last time"),
    **{f"impact_on_{what}": "none" for what in ("services", "users", "plans", "capacity", "availability",
                                               "continuity", "security", "changes")},
    "category": "mail", "service_change": "none", "likelihood": "low", "impact": "low", "urgency": "low",
    "planned_start": START, "planned_end": END, "backout_plan": "the old one", "backout_test": "passed",
    "test_result": "passed", "told_at": T + DAY, "actual_start": START, "actual_end": END,
    "template": "reboot", "template_version": 1, "found_by": "comparison", "evidence": "the file differs",
    "review_result": "met its objective", "review_actions": ["none"],
    "rca_method": "5 whys", "causes": ["age"], "preventive_actions": ["replace in time"],
    "verification": "watched for a week", "resolution_notes": "Replaced", "resolution_method": "remote",
    "closure_code": "user_confirmed", "delivered": "a mailbox", "message": "We are on it",
    "hold_reason": "supplier", "look_again_at": END, "reason": "as agreed", "request_model": "mailbox",
}
OUTCOMES = {"incident": "fixed_permanent", "problem": "fix_applied", "change": "successful"}
# fmt: on


@pytest.fixture(params=["shipped", "lite"])
def processes(request):
    """All processes, as shipped and with the fewest fields."""
    found = [one if request.param == "shipped" else one.lite() for one in SHIPPED]
    return {one.process: one for one in found}


@pytest.fixture
def desk(store, processes):
    """A desk that runs them."""
    return ServiceDesk(store, lifecycles=list(processes.values()))


def step(desk, record, trigger, actor, at=T, /, **more):
    """A step with good answers to what its transition asks for and the record does not know yet."""
    known = desk.get(record)
    rows = desk.terms.lifecycle_of(known).by_trigger.get(trigger, ())
    asked = {need.field for row in rows if known.state in row.sources for need in row.requires}
    given = {name: ANSWERS[name] for name in asked if name in ANSWERS and name not in known.values}
    if "resolution_outcome" in asked:
        given["resolution_outcome"] = OUTCOMES[known.process]
    behalf = more.pop("behalf", None)
    return desk.fire(record, trigger, actor=actor, at=at, fields={**given, **more}, on_behalf_of=behalf)


def codes(call, *given, **more):
    """The codes of a refusal."""
    with pytest.raises(TransitionRefused) as refused:
        call(*given, **more)
    return refused.value.codes


def rule(*members, **more):
    """A rule that one panel of peers approves."""
    return ApprovalRule([Panel("peer", members, needed=more.pop("needed", 1))], material=MATERIAL, **more)


def asks(desk, record, actor, rule, at=T):
    """Asks for approval under a rule."""
    return step(desk, record, "request_approval", actor, at, rule=rule.to_dict())


def submitted(desk, actor=OLI, record="CHG-1", **more):
    """A normal change of low risk that waits for its authorisation."""
    fields = {"change_kind": "normal", **more}
    desk.open("Replace the queue", process="change", actor=actor, at=T, fields=fields, record_id=record)
    step(desk, record, "assess", actor)
    return step(desk, record, "submit", actor)


# --- one person holds every role ----------------------------------------------------------------------


def test_one_person_holding_every_role_cannot_approve_their_own_change(desk):
    """Not by a rule, not by a vote in any hat, not by the step itself."""
    change = submitted(desk)
    with pytest.raises(InvalidValue, match="it takes 1 voice in peer, and nobody is left who may vote"):
        authority(change, {"peer": ["oli"]}, at=T)
    assert codes(asks, desk, "CHG-1", OLI, rule("oli")) == ("invalid_rule",)
    assert codes(asks, desk, "CHG-1", OLI, rule("oli", "pia", needed="all")) == ("invalid_rule",)
    asks(desk, "CHG-1", OLI, rule("pia", "bot", delegations=[Delegation("pia", "oli")]))
    bot = Actor.ai_agent("bot", "agent", "manager", model="m", version="1", approved_by="oli")
    assert codes(step, desk, "CHG-1", "vote", OLI, vote="approve", behalf="pia") == ("separation",)
    assert codes(step, desk, "CHG-1", "vote", bot, vote="approve") == ("separation",)
    asks(desk, "CHG-1", OLI, rule("oli", "pia"))
    assert codes(step, desk, "CHG-1", "vote", OLI, vote="approve") == ("separation",)
    for actor in (OLI, bot):
        assert set(codes(step, desk, "CHG-1", "authorize", actor)) == {"separation", "not_approved"}
    step(desk, "CHG-1", "vote", Actor.person("pia"), vote="approve")
    assert codes(step, desk, "CHG-1", "authorize", OLI) == ("separation",)
    assert codes(step, desk, "CHG-1", "authorize", BO, behalf="oli") == ("separation",)
    (button,) = [one for one in desk.options("CHG-1", OLI, at=T) if one.trigger == "authorize"]
    assert (button.enabled, button.waivers) == (False, ())
    assert [reason.message for reason in button.reasons] == [
        "oli had a hand in open here; authorize takes somebody else, or a waiver on record"
    ]


@pytest.mark.parametrize("way", ["amend", "assign", "correct"])
def test_who_asked_cannot_stop_having_asked(desk, way):
    """Another name in the field, by any command, makes nobody else of the requester."""
    submitted(desk, BO, requester="oli")
    if way == "correct":
        opening = desk.history("CHG-1")[0].id
        desk.correct("CHG-1", opening, "requester", "rita", reason="a slip", actor=OLI, at=T)
    else:
        group = {"group": "mail"} if way == "assign" else {}
        step(desk, "CHG-1", way, OLI, requester="rita", **group)
    assert desk.get("CHG-1").requester == "rita"
    asks(desk, "CHG-1", BO, rule("oli", "pia"))
    assert codes(step, desk, "CHG-1", "vote", OLI, vote="approve") == ("separation",)


def test_the_search_names_the_dead_end(processes):
    """Who cannot do what, what they did before, and what to do about it."""
    (found,) = dead_ends(way_of("normal", processes["change"]), EVERYTHING)
    assert (found.code, found.where, found.severity) == ("L026", "authorize", "error")
    assert found.message == (
        "authorize takes somebody other than who did open (oli), and only oli may fire it: "
        "the record can only end as cancelled; give the role manager to somebody else, "
        "or waive it on the record"
    )


def test_with_a_recorded_waiver_they_can_and_every_display_shows_it(desk, processes):
    """By whom, for what, from when until when, and what makes up for it; also when all is over."""
    submitted(desk)
    terms = {"trigger": "authorize", "separate_from": "open", "reason": "A firm of one"}
    terms |= {"until": T + 60 * DAY, "review": "Audited"}
    assert codes(step, desk, "CHG-1", "waive", Actor.person("pia", "agent"), **terms) == ("role",)
    record = step(desk, "CHG-1", "waive", OLI, **terms)
    asks(desk, "CHG-1", OLI, authority(record, {"peer": ["oli"]}, at=T))
    step(desk, "CHG-1", "vote", OLI, vote="approve")

    (button,) = [one for one in desk.options("CHG-1", OLI, at=T) if one.trigger == "authorize"]
    (waiver,) = button.waivers
    assert button.enabled
    assert (waiver.by, waiver.until, waiver.reason) == ("oli", T + 60 * DAY, "A firm of one")
    assert waiver.review == "Audited"

    step(desk, "CHG-1", "authorize", OLI)
    lifecycle = processes["change"]
    shows(lifecycle, desk)
    step(desk, "CHG-1", "implement", OLI, START)
    step(desk, "CHG-1", "complete", OLI, END)
    closed = step(desk, "CHG-1", "close", OLI, END)
    assert (closed.state, closed.waivers, fold(desk.history("CHG-1"))) == ("closed", (waiver,), closed)
    shows(lifecycle, desk)
    assert dead_ends(way_of("normal", lifecycle), EVERYTHING, waived=[("authorize", "open")]) == ()


def shows(lifecycle, desk):
    """Every display of the record tells of its waiver, in both languages, and none without the record."""
    record, history = desk.get("CHG-1"), desk.history("CHG-1")
    for display in (lifecycle.mermaid, lifecycle.dot, lifecycle.table, lifecycle.html, lifecycle.draw):
        for lang, words in (("en", "Waiver by oli"), ("zh", "豁免")):
            shown = str(display(lang, record=record, history=history))
            assert all(word in shown for word in (*words.split(), "2024-04-05", "Audited")), (display, lang)
            assert words.split()[0] not in str(display(lang))


def test_a_waiver_that_is_over_or_about_something_else_lets_nobody_approve(desk):
    """From the instant it names on, and for what it names; the button says so beforehand."""
    submitted(desk)
    terms = {"separate_from": "open", "reason": "One", "review": "Later"}
    step(desk, "CHG-1", "waive", OLI, trigger="close", until=T + 60 * DAY, **terms)
    step(desk, "CHG-1", "waive", OLI, trigger="authorize", until=T + DAY, **terms)
    asks(desk, "CHG-1", OLI, rule("oli", "pia"))
    last = T + DAY - dt.timedelta(microseconds=1)
    assert codes(step, desk, "CHG-1", "vote", OLI, T + DAY, vote="approve") == ("separation",)
    step(desk, "CHG-1", "vote", OLI, last, vote="approve")
    assert codes(step, desk, "CHG-1", "authorize", OLI, T + DAY) == ("separation",)
    for at, waivers in ((last, 1), (T + DAY, 0)):
        (button,) = [one for one in desk.options("CHG-1", OLI, at=at) if one.trigger == "authorize"]
        assert (button.enabled, len(button.waivers)) == (bool(waivers), waivers)
    assert step(desk, "CHG-1", "authorize", OLI, last).state == "scheduled"


# --- two people -------------------------------------------------------------------------------------


@pytest.fixture
def firm(store):
    """The desk of two people: everything with the fewest fields, and the other one decides."""
    lite = {one.process: one.lite() for one in SHIPPED}
    lite["change"] = governed(lite["change"], POLICY)
    return ServiceDesk(store, lifecycles=list(lite.values()))


def test_a_two_person_firm_is_no_dead_end():
    """All four processes, each way of a change, and tasks; either of them may ask."""
    for process, lifecycle in PROCESSES.items():
        ways = [lifecycle] if process != "change" else [way_of(way, lifecycle) for way in WAYS]
        assert all(dead_ends(way.lite(), BOTH) == () for way in ways), process


def test_a_two_person_firm_walks_an_incident_and_its_task(firm):
    """Opened by one, resolved and closed by the other."""
    firm.open("Mail is down", process="incident", actor=ANA, at=T, record_id="INC-1")
    task = firm.open("Call them", process="task", actor=BO, at=T, fields={"part_of": "INC-1"})
    for trigger, actor in (("start", BO), ("hold", BO), ("resume", BO), ("resolve", BO)):
        step(firm, "INC-1", trigger, actor)
    assert codes(step, firm, "INC-1", "close", ANA) == ("open_tasks",)
    for trigger in ("start", "complete"):
        step(firm, task.id, trigger, ANA)
    assert step(firm, "INC-1", "close", ANA).outcome == "completed"


def test_a_two_person_firm_walks_a_problem(firm):
    """From the analysis to the verified fix."""
    firm.open("It falls over", process="problem", actor=ANA, at=T, record_id="PRB-1")
    for trigger, actor in (("assess", ANA), ("analyse", ANA), ("fix", BO), ("resolve", BO), ("close", ANA)):
        problem = step(firm, "PRB-1", trigger, actor)
    assert problem.outcome == "completed"


def test_a_two_person_firm_walks_a_request_with_an_approval(firm):
    """Asked by one, approved by the other, fulfilled by whoever has time."""
    fields = {"request_model": "mailbox"}
    firm.open("A mailbox", process="service_request", actor=ANA, at=T, record_id="REQ-1", fields=fields)
    step(firm, "REQ-1", "seek_approval", ANA)
    asks(firm, "REQ-1", ANA, ApprovalRule([Panel("the other", ["ana", "bo"])], excluded=["ana"]))
    assert codes(step, firm, "REQ-1", "vote", ANA, vote="approve")[0] == "separation"
    step(firm, "REQ-1", "vote", BO, vote="approve")
    for trigger in ("approve", "deliver", "close"):
        request = step(firm, "REQ-1", trigger, ANA)
    assert request.outcome == "completed"


@pytest.mark.parametrize("kind", ["normal", "standard", "emergency", "unauthorised"])
def test_a_two_person_firm_walks_every_kind_of_change(firm, kind):
    """One asks and does it, the other decides; without a waiver."""
    fields = {"change_kind": "normal" if kind == "unauthorised" else kind}
    firm.open("Replace it", process="change", actor=ANA, at=T, record_id="CHG-1", fields=fields)

    def decided(at):
        asked = authority(firm.get("CHG-1"), {"peer": ["ana", "bo"]}, at=at, authorities=PEER)
        asks(firm, "CHG-1", ANA, asked, at)
        assert codes(step, firm, "CHG-1", "vote", ANA, at, vote="approve") == ("separation",)
        step(firm, "CHG-1", "vote", BO, at, vote="approve")

    begun = {"normal": ("assess", "submit"), "standard": ("schedule",), "emergency": ("expedite",),
             "unauthorised": ("report_unauthorised",)}  # fmt: skip
    for trigger in begun[kind]:
        step(firm, "CHG-1", trigger, ANA)
    if kind in ("normal", "emergency"):
        decided(T)
        step(firm, "CHG-1", "authorize", BO)
    if kind != "unauthorised":
        assert step(firm, "CHG-1", "implement", ANA, START).state == "implement"
        step(firm, "CHG-1", "complete", ANA, END)
    else:
        decided(END)
    closed = step(firm, "CHG-1", "close", BO, END)
    assert (closed.outcome, closed.waivers) == ("completed", ())


def test_of_two_people_neither_decides_on_what_the_other_only_signs(firm):
    """Who approved alone does not carry it out; the other one does."""
    firm.open("x", process="change", actor=ANA, at=T, record_id="CHG-1", fields={"change_kind": "normal"})
    for trigger in ("assess", "submit"):
        step(firm, "CHG-1", trigger, ANA)
    asks(firm, "CHG-1", ANA, authority(firm.get("CHG-1"), {"peer": ["ana", "bo"]}, authorities=PEER))
    step(firm, "CHG-1", "vote", BO, vote="approve")
    step(firm, "CHG-1", "authorize", BO)
    assert codes(step, firm, "CHG-1", "implement", BO, START) == ("separation",)
    assert step(firm, "CHG-1", "implement", ANA, START).state == "implement"


# --- many people --------------------------------------------------------------------------------------


def asked_all(desk, count, process="change"):
    """A record that all of so many have to approve, and the trigger that takes it."""
    crowd = [f"peer {n}" for n in range(count)]
    if process == "change":
        submitted(desk, ANA)
        asks(desk, "CHG-1", ANA, rule(*crowd, needed="100 %"))
        return "CHG-1", "authorize", crowd
    fields = {"request_model": "mailbox"}
    desk.open("A mailbox", process=process, actor=ANA, at=T, record_id="REQ-1", fields=fields)
    step(desk, "REQ-1", "seek_approval", ANA)
    asks(desk, "REQ-1", ANA, ApprovalRule([Panel("everybody", crowd, needed="all")]))
    return "REQ-1", "approve", crowd


@pytest.mark.parametrize("process", ["change", "service_request"])
def test_199_of_200_votes_do_not_pass_100_percent(desk, process):
    """Not rounded: the two hundredth is asked for by name, and decides."""
    record, trigger, crowd = asked_all(desk, 200, process)
    for who in crowd[:-1]:
        step(desk, record, "vote", Actor.person(who), T + HOUR, vote="approve")
    with pytest.raises(TransitionRefused, match="199 of 200 yes, waiting for peer 199") as refused:
        step(desk, record, trigger, BO, T + HOUR)
    assert refused.value.codes == ("not_approved",)
    (button,) = [one for one in desk.options(record, BO, at=T + HOUR) if one.trigger == trigger]
    assert not button.enabled
    step(desk, record, "vote", Actor.person(crowd[-1]), T + HOUR, vote="approve")
    assert step(desk, record, trigger, BO, T + HOUR).round.ended is None


@pytest.mark.parametrize("process", ["change", "service_request"])
@pytest.mark.parametrize("place", [0, 149])
def test_one_refusal_in_300_decides_at_once(desk, process, place):
    """Nobody is asked any more, nothing passes, and the record can be rejected."""
    record, trigger, crowd = asked_all(desk, 300, process)
    for who in crowd[:place]:
        step(desk, record, "vote", Actor.person(who), T + MINUTE, vote="approve")
    at = T + HOUR
    refusal = step(desk, record, "vote", Actor.person(crowd[place]), at, vote="reject")
    found = tally(refusal.round, at)
    assert (found.verdict, found.decided_at, found.decided_by) == ("rejected", at, crowd[place])
    assert found.waiting_for == ()
    for who in (crowd[place], crowd[-1]):
        late = codes(step, desk, record, "vote", Actor.person(who), at, vote="approve")
        assert late == ("already_decided",)
    assert codes(step, desk, record, trigger, BO, at) == ("not_approved",)
    again = attrs.evolve(ApprovalRule.from_dict(refusal.round.rule), panels=[Panel("peer", ["pia"])])
    assert codes(asks, desk, record, ANA, again, at) == ("refused_before",)
    assert step(desk, record, "reject", BO, at).rounds[-1].ended in (None, "revised")
