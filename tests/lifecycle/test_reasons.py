"""Why a command is refused: duties kept apart, needs, and the order of things."""

import datetime as dt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.actors import Actor
from itsm_core.commands import Command
from itsm_core.lifecycle import Accepted, CustomField, Lifecycle, Need, State, Transition, decide, options
from itsm_core.lifecycle.beside import BESIDE, BY_THE_LIBRARY
from itsm_core.lifecycle.reasons import (
    missing_needs,
    need_reasons,
    people_reasons,
    unknown_trigger,
    waivers_for,
)
from itsm_core.records import Round, Waiver, apply, fold

T = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)
HOUR, TICK = dt.timedelta(hours=1), dt.timedelta(microseconds=1)
ROLES = ("agent", "manager", "automation", "itsm_core")
ANA, BO, CARL = (Actor.person(name, *ROLES) for name in ("ana", "bo", "carl"))


def agent_of(approved_by):
    """An AI agent with every role, whose acts this person approves."""
    return Actor.ai_agent("triage", *ROLES, model="m", version="1", approved_by=approved_by)


CHANGE = Lifecycle(
    "tiny.change", 1, process="change", initial="new",
    states=(
        State("new", "new"), State("planned", "active"), State("approved", "active"),
        State("closed", "closed", outcome="completed"),
    ),
    transitions=(
        Transition("plan", ("new", "approved"), dest="planned", roles="agent"),
        Transition("approve", "planned", dest="approved", roles="agent", relation="requester",
                   separate_from=("open", "plan")),
        Transition("close", "approved", dest="closed", roles="agent"),
    ),
)  # fmt: skip


def tell(*steps):
    """The record after these steps: (trigger, actor) or (trigger, actor, on behalf of), an hour each."""
    record = None
    for n, (trigger, actor, *behalf) in enumerate(steps):
        fields = {"record": "C-1", "title": "x"} if trigger == "open" else {}
        asked = Command(trigger, actor, at=T + n * HOUR, fields=fields, on_behalf_of=next(iter(behalf), None))
        decision = decide(record, asked, CHANGE)
        assert isinstance(decision, Accepted), decision
        for event in decision.events:
            record = apply(record, event)
    return record


def ask(record, actor, pulled="approve", /, *, hours=10, behalf=None, lifecycle=CHANGE, **fields):
    """The decision on a trigger, ten hours after the beginning."""
    asked = Command(pulled, actor, at=T + hours * HOUR, fields=fields, on_behalf_of=behalf)
    return decide(record, asked, lifecycle)


def apart(decision):
    """Which earlier triggers a refusal keeps apart, and from whom."""
    facts = [dict(reason.facts) for reason in decision.reasons if reason.code == "separation"]
    return [(fact["separate_from"], fact["actor"]) for fact in facts]


# --- duties kept apart ---------------------------------------------------------------------------


def test_who_opened_and_planned_does_not_approve():
    """Whatever roles they hold; each duty that would be joined has its reason."""
    decision = ask(tell(("open", ANA), ("plan", ANA)), ANA)
    assert decision.codes == ("separation", "separation")
    assert str(decision.reasons[0]) == (
        "ana had a hand in open here; approve takes somebody else, or a waiver on record"
    )
    assert dict(decision.reasons[0].facts) == {"actor": "ana", "trigger": "approve", "separate_from": "open"}
    assert apart(decision) == [("open", "ana"), ("plan", "ana")]


# fmt: off
HANDS = [
    # who opened,                  who planned,                 who approves,        for whom, kept apart from
    (("open", BO),                 ("plan", BO),                ANA,                 None,     []),
    (("open", BO),                 ("plan", ANA),               ANA,                 None,     [("plan", "ana")]),
    (("open", BO, "ana"),          ("plan", BO),                ANA,                 None,     [("open", "ana")]),
    (("open", agent_of("ana")),    ("plan", BO),                ANA,                 None,     [("open", "ana")]),
    (("open", BO),                 ("plan", agent_of("ana")),   ANA,                 None,     [("plan", "ana")]),
    (("open", BO),                 ("plan", BO, "ana"),         ANA,                 None,     [("plan", "ana")]),
    (("open", ANA),                ("plan", BO),                BO,                  "ana",
     [("open", "ana"), ("plan", "bo")]),
    (("open", ANA),                ("plan", BO),                CARL,                "ana",    [("open", "ana")]),
    (("open", ANA),                ("plan", BO),                agent_of("ana"),     None,     [("open", "ana")]),
    (("open", ANA),                ("plan", BO),                agent_of("carl"),    None,     []),
    (("open", agent_of("ana")),    ("plan", BO),                agent_of("carl"),    None,
     [("open", "triage")]),
    (("open", agent_of(None)),     ("plan", BO),                agent_of(None),      None,
     [("open", "triage")]),
    (("open", ANA),                ("plan", BO),                CARL,                None,     []),
]
# fmt: on


@pytest.mark.parametrize(("opening", "plan", "actor", "behalf", "expected"), HANDS, ids=range(len(HANDS)))
def test_a_duty_is_kept_apart_from_every_hand_in_the_earlier_one(opening, plan, actor, behalf, expected):
    """Who fired it, for whom, and who approved it of an AI agent; on both sides."""
    decision = ask(tell(opening, plan), actor, behalf=behalf)
    assert decision.accepted is (not expected)
    if expected:
        assert apart(decision) == expected


def test_who_asked_for_it_is_kept_apart_like_who_opened_it():
    """Also of a row of a table that names only the requester, and after the requester was changed."""
    record = CHANGE.record("C-1", "planned", requester="ana")
    assert apart(ask(record, ANA)) == [("open", "ana")]
    assert ask(record, BO).accepted
    opened = decide(None, Command("open", BO, at=T, fields={"record": "C-1", "title": "x",
                                                            "requester": "ana"}), CHANGE)  # fmt: skip
    record = fold(opened.events)
    for n, (trigger, fields) in enumerate((("amend", {"requester": "carl"}), ("plan", {})), 1):
        (event,) = ask(record, BO, trigger, hours=n, **fields).events
        record = apply(record, event)
    assert apart(ask(record, ANA)) == [("open", "ana")]
    assert apart(ask(record, CARL)) == [("open", "carl")]


def test_only_who_fired_it_last_is_kept_apart():
    """Somebody else planned it anew: the plan that is approved is theirs."""
    record = tell(("open", BO), ("plan", ANA))
    assert not ask(record, ANA).accepted
    again = tell(("open", BO), ("plan", ANA), ("approve", CARL), ("plan", BO))
    assert ask(again, ANA).accepted
    assert apart(ask(again, BO)) == [("open", "bo"), ("plan", "bo")]


def test_what_nobody_did_keeps_nobody_apart():
    """A duty that was not done cannot be joined."""
    assert ask(CHANGE.record("C-1", "planned"), ANA).accepted


def test_a_role_that_is_missing_is_told_beside_the_separation():
    """Both stand in the way; a relation instead of a role changes nothing about duties."""
    record = tell(("open", BO), ("plan", BO))
    eve = Actor.person("bo")
    assert ask(record, eve).codes == ("role", "separation", "separation")
    rita = attrs.evolve(record, values={"requester": "bo"})
    assert ask(rita, eve).codes == ("separation", "separation")


# --- waivers -------------------------------------------------------------------------------------


def waive(record, *, by=ANA, at=5, until=50, **names):
    """The record with a waiver on it."""
    held = {"trigger": "approve", "separate_from": "open", "reason": "Two of us", "review": "in March"}
    asked = Command("waive", by, at=T + at * HOUR,
                    fields={**held, "until": T + until * HOUR, **names})  # fmt: skip
    (event,) = decide(record, asked, CHANGE).events
    return apply(record, event)


ALONE = tell(("open", ANA), ("plan", ANA))


def test_with_a_waiver_for_each_duty_one_person_may():
    """On record, before the deed; the button shows which waivers let them."""
    once = waive(ALONE)
    assert apart(ask(once, ANA)) == [("plan", "ana")]
    both = waive(once, at=6, separate_from="plan")
    assert ask(both, ANA).accepted
    (button,) = [
        option for option in options(both, ANA, CHANGE, at=T + 10 * HOUR) if option.trigger == "approve"
    ]
    assert button.enabled
    assert [waiver.separate_from for waiver in button.waivers] == ["open", "plan"]


@pytest.mark.parametrize(
    ("hours", "covered"),
    [(4, False), (5 - 1e-6, False), (5, True), (49, True), (50 - 1e-6, True), (50, False)],
)
def test_a_waiver_lasts_from_when_it_was_given_until_it_ends(hours, covered):
    """Not before, and not at its end."""
    record = waive(ALONE, separate_from="plan")
    record = waive(record, separate_from="open")
    at = T + dt.timedelta(hours=hours)
    decision = decide(record, Command("approve", ANA, at=at), CHANGE)
    assert decision.accepted is covered
    (button,) = [option for option in options(record, ANA, CHANGE, at=at) if option.trigger == "approve"]
    assert (button.enabled, len(button.waivers)) == (covered, 2 if covered else 0)


def test_a_waiver_for_other_triggers_waives_nothing_here():
    """Nor does the same pair the other way round."""
    record = waive(ALONE, trigger="close", separate_from="plan")
    record = waive(record, trigger="plan", separate_from="approve")
    assert apart(ask(record, ANA)) == [("open", "ana"), ("plan", "ana")]


def test_a_second_waiver_may_follow_one_that_ended():
    """Any that covers the instant will do."""
    record = waive(waive(ALONE, until=6, separate_from="plan"), at=7, separate_from="plan")
    record = waive(record, at=8)
    assert ask(record, ANA).accepted
    assert [w.until for w in waivers_for(record, "approve", "plan", T + 10 * HOUR)] == [T + 50 * HOUR]
    assert len(waivers_for(record, "approve", "plan", None)) == 2


def test_where_nobody_says_when_a_waiver_that_ended_counts():
    """Buttons shown without an instant are an outlook; the command is judged at its own."""
    record = waive(waive(ALONE, until=6), until=6, separate_from="plan")
    (button,) = [option for option in options(record, ANA, CHANGE) if option.trigger == "approve"]
    assert button.enabled
    assert apart(ask(record, ANA)) == [("open", "ana"), ("plan", "ana")]


def test_a_waiver_covers_whoever_it_is():
    """It is about the record's duties, not about one person."""
    record = waive(waive(tell(("open", BO), ("plan", CARL))), separate_from="plan")
    assert ask(record, BO).accepted
    assert ask(record, CARL).accepted


@pytest.mark.parametrize("roles", [("agent",), ("automation",), ()], ids=str)
def test_only_a_manager_waives(roles):
    """A person with the role; whoever it is about may be that manager, on record."""
    held = {
        "trigger": "approve",
        "separate_from": "open",
        "reason": "x",
        "review": "y",
        "until": T + 99 * HOUR,
    }
    assert ask(ALONE, Actor.person("ana", *roles), "waive", **held).codes == ("role",)


def lasting(trigger, earlier, start, length):
    """A waiver from so many hours after the beginning, for so many."""
    since = T + start * HOUR
    return Waiver(trigger=trigger, separate_from=earlier, by="mia", at=since, until=since + length * HOUR,
                  review="r", event="e")  # fmt: skip


PAIRS = (st.sampled_from(["approve", "close"]), st.sampled_from(["open", "plan"]))
WAIVERS = st.lists(st.builds(lasting, *PAIRS, st.integers(0, 12), st.integers(1, 12)), max_size=4)


@given(WAIVERS, st.sampled_from([ANA, BO, CARL]), st.integers(2, 20))
def test_duties_are_joined_only_under_a_waiver(waivers, actor, hours):
    """Accepted iff each duty that the actor had a hand in is covered at the instant."""
    record = attrs.evolve(tell(("open", ANA), ("plan", BO)), waivers=tuple(waivers))
    at = T + hours * HOUR
    mine = {"ana": ["open"], "bo": ["plan"], "carl": []}[actor.id]
    covered = [
        earlier for earlier in mine
        if any(w.trigger == "approve" and w.separate_from == earlier and w.at <= at < w.until for w in waivers)
    ]  # fmt: skip
    decision = ask(record, actor, hours=hours)
    assert decision.accepted is (covered == mine)
    assert apart(decision) == [(earlier, actor.id) for earlier in mine if earlier not in covered]


def test_the_same_reasons_are_given_without_a_command():
    """For buttons, and for whoever asks about a person beforehand."""
    row = CHANGE.by_trigger["approve"][0]
    assert [r.code for r in people_reasons(ALONE, ANA, row)] == ["separation", "separation"]
    assert people_reasons(ALONE, BO, row) == []
    assert [r.code for r in people_reasons(ALONE, BO, row, T, "ana")] == ["separation", "separation"]


# --- needs ---------------------------------------------------------------------------------------


def needing(*asked, opening=(), fields=()):
    """A lifecycle whose only step asks for these."""
    return Lifecycle(
        "needy", 1, process="change", initial="new", opening=opening, fields=fields,
        states=(State("new", "new"), State("closed", "closed", outcome="completed")),
        transitions=(Transition("close", "new", dest="closed", roles="agent", requires=asked),),
    )  # fmt: skip


TESTED = Need("tested", "8.5.1.3", otherwise="why_not_tested")


@pytest.mark.parametrize(
    ("fields", "fine"),
    [({"tested": "in the lab"}, True), ({"why_not_tested": "no lab"}, True),
     ({"tested": "yes", "why_not_tested": "no"}, True), ({}, False),
     ({"tested": "", "why_not_tested": None}, False), ({"tested": None, "why_not_tested": "no lab"}, True)],
)  # fmt: skip
def test_a_field_may_stand_in_the_place_of_another(fields, fine):
    """Tested, or why not; one of the two."""
    made = needing(TESTED)
    decision = ask(made.record("X"), ANA, "close", lifecycle=made, **fields)
    assert decision.accepted is fine
    if fine:
        assert decision.events[0].fields.items() >= {n: v for n, v in fields.items() if v}.items()
    else:
        (reason,) = decision.reasons
        assert reason.message == "close needs the field 'tested', or 'why_not_tested' in its place"
        assert dict(reason.facts) == {
            "field": "tested", "allowed": (), "clause": "8.5.1.3", "otherwise": "why_not_tested",
        }  # fmt: skip


def test_a_choice_and_what_stands_in_its_place_are_both_told():
    """The choices bind the field, not the words in its place."""
    made = needing(Need("tested", "8.5.1.3", one_of=("lab", "pilot"), otherwise="reason"))
    for fields, codes in (({"tested": "lab"}, ()), ({"reason": "no lab"}, ()), ({"tested": "x"}, ("invalid_field",)),
                          ({}, ("missing_field",)), ({"tested": "x", "reason": "y"}, ("invalid_field",))):  # fmt: skip
        decision = ask(made.record("X"), ANA, "close", lifecycle=made, **fields)
        assert tuple(reason.code for reason in decision.reasons) == codes
    (reason,) = ask(made.record("X"), ANA, "close", lifecycle=made).reasons
    assert reason.message == "close needs the field 'tested': one of lab, pilot, or 'reason' in its place"


# fmt: off
KEPT = [
    # the record knows,               the button asks,  the command brings,       fine
    ({"category": "mail"},            False,            {},                       True),
    ({"category": "mail"},            False,            {"category": "web"},      True),
    ({"category": "mail"},            False,            {"category": None},       False),  # it would be forgotten
    ({"category": "mail"},            False,            {"category": ""},         False),
    ({"category": "mail"},            False,            {"category": None, "service": "smtp"}, True),
    ({"service": "smtp"},             False,            {"service": None},        False),
    ({"category": "mail"},            False,            {"category": "gone"},     False),
    ({"service": "smtp"},             False,            {},                       True),   # in its place
    ({},                              True,             {"category": "web"},      True),
    ({},                              True,             {"service": "smtp"},      True),
    ({},                              True,             {},                       False),
    ({"category": ""},                True,             {},                       False),
    ({"category": "gone"},            True,             {},                       False),  # no choice any more
    ({"category": "gone"},            True,             {"category": "web"},      True),
]
# fmt: on


@pytest.mark.parametrize(("known", "asks", "fields", "fine"), KEPT, ids=range(len(KEPT)))
def test_what_the_record_knows_is_enough_where_the_need_says_so(known, asks, fields, fine):
    """Asked once; a value that is none of the choices is asked for anew."""
    need = Need("category", "a rule", kept=True, one_of=("mail", "web"), otherwise="service")
    made = needing(need)
    record = made.record("X", **known)
    assert ask(record, ANA, "close", lifecycle=made, **fields).accepted is fine
    (button,) = options(record, ANA, made)
    assert (button.enabled, button.needs) == (True, (need,))
    assert button.missing == ((need,) if asks else ())


def test_what_the_record_knows_is_not_enough_where_the_command_must_say_it():
    """A reason is given each time."""
    made = needing(Need("category", "a rule"), Need("service", "a rule", kept=True))
    record = made.record("X", category="mail", service="smtp")
    (reason,) = ask(record, ANA, "close", lifecycle=made).reasons
    assert dict(reason.facts)["field"] == "category"
    (button,) = options(record, ANA, made)
    assert [need.field for need in button.missing] == ["category"]


@pytest.mark.parametrize("value", [False, 0, ("none",), {}], ids=repr)
def test_a_word_that_says_no_is_an_answer(value):
    """No and none are said; only silence is missing."""
    made = needing(Need("tested", "8.5.1.3"), Need("known", "a rule", kept=True))
    record = made.record("X", custom={"known": value})
    assert ask(record, ANA, "close", lifecycle=made, tested=value).accepted


@pytest.mark.parametrize("empty", [None, "", []], ids=repr)
def test_an_empty_answer_is_none(empty):
    """Whether the command brings it or the record knows it; told once."""
    made = needing(Need("tested", "8.5.1.3", one_of=("lab",)), Need("known", "a rule", kept=True))
    record = made.record("X", custom={"known": empty})
    decision = ask(record, ANA, "close", lifecycle=made, tested=empty)
    assert decision.codes == ("missing_field", "missing_field")


def test_needs_may_be_asked_without_a_record():
    """An opening has none yet."""
    kept = Need("category", "a rule", kept=True)
    assert missing_needs((kept, TESTED), {"tested": "x"}) == [kept]
    assert missing_needs((kept,), {}, CHANGE.record("X", category="mail")) == []
    assert missing_needs((), {}) == []


# --- opening -------------------------------------------------------------------------------------


def open_(made, **fields):
    """The decision on an opening."""
    return decide(None, Command("open", ANA, at=T, fields={"record": "X", "title": "x", **fields}), made)


def test_a_process_may_ask_for_more_when_a_record_is_opened():
    """Missing, chosen and in their place, as for transitions."""
    kind = Need("kind", "8.5.1.2", one_of=("standard", "normal", "emergency"))
    made = needing(opening=(kind, TESTED), fields=[CustomField("kind", "text")])
    assert open_(made).codes == ("missing_field", "missing_field")
    assert open_(made, kind="wild", tested="x").codes == ("invalid_field",)
    (event,) = open_(made, kind="normal", why_not_tested="no lab").events
    assert (event.fields["kind"], event.fields["why_not_tested"]) == ("normal", "no lab")
    assert str(open_(made, tested="x").reasons[0]) == (
        "open needs the field 'kind': one of standard, normal, emergency"
    )


def test_a_field_that_only_an_opening_needs_is_known_there_and_nowhere_else():
    """As a field that only a transition needs is known to that transition alone."""
    made = needing(opening=(Need("kind", "a rule"),))
    (event,) = open_(made, kind=5).events
    assert event.fields["kind"] == 5
    assert ask(made.record("X"), ANA, "close", lifecycle=made, kind="x").codes == ("unknown_field",)


# --- fields of the process -----------------------------------------------------------------------

OWN = (CustomField("risk", "text"), CustomField("phone", "text", personal=True))


@pytest.mark.parametrize("trigger", ["open", "close", "amend", "assign", "reprioritise"])
def test_a_field_of_the_process_goes_with_what_the_record_keeps(trigger):
    """Kept, of its type, and personal where the process says so."""
    made = needing(fields=OWN)
    held = {"assign": {"group": "a"}, "reprioritise": {"impact": "high"}}.get(trigger, {})
    fields = {**held, "risk": "high", "phone": "4711"}
    asked = (lambda **f: open_(made, **f)) if trigger == "open" else (
        lambda **f: ask(made.record("X"), ANA, trigger, lifecycle=made, **f)
    )  # fmt: skip
    (event,) = asked(**fields).events
    assert event.fields.items() >= fields.items()
    assert "phone" in event.personal
    assert "risk" not in event.personal
    assert "4711" not in repr(event)
    assert asked(**{**fields, "risk": 5}).codes == ("invalid_field",)
    assert "4711" not in str(asked(**{**fields, "phone": ["4711"]}))


def test_a_field_of_the_process_is_no_word():
    """Notes and links have fields of their own."""
    made = needing(fields=OWN)
    assert ask(made.record("X"), ANA, "note", lifecycle=made, text="x", risk="high").codes == (
        "unknown_field",
    )


def test_a_correction_is_as_personal_as_the_field_of_the_process():
    """And judged by its type."""
    made = needing(fields=OWN)
    held = {"event": "e1", "was": "1", "reason": "mistyped"}
    (event,) = ask(made.record("X"), ANA, "correct", lifecycle=made, field="phone", now="2", **held).events
    assert {"was", "now"} <= event.personal.keys()
    assert ask(made.record("X"), ANA, "correct", lifecycle=made, field="risk", now=2, **held).codes == (
        "invalid_field",
    )


def test_host_and_process_may_both_declare_fields():
    """Side by side; what either calls personal is."""
    made = needing(fields=OWN)
    asked = Command("close", ANA, at=T, fields={"risk": "high", "badge": 5, "phone": "1"})
    custom = (CustomField("badge", "number", personal=True),)
    (event,) = decide(made.record("X"), asked, made, custom=custom).events
    assert set(event.personal) == {"badge", "phone"}
    assert decide(made.record("X"), asked, made).codes == ("unknown_field",)


def test_a_requester_brings_no_field_of_the_process():
    """Unless the step asks for it."""
    row = Transition("close", "new", dest="closed", roles="agent", relation="requester",
                     requires=(Need("risk", "a rule", kept=True),))  # fmt: skip
    made = attrs.evolve(needing(fields=OWN), transitions=(row,))
    record = made.record("X", requester="rita")
    rita = Actor.person("rita")
    assert ask(record, rita, "close", lifecycle=made, risk="low").accepted
    decision = ask(record, rita, "close", lifecycle=made, risk="low", phone="1")
    assert [str(reason) for reason in decision.reasons] == ["phone is not asked for here; leave it out"]


# --- the order of things -------------------------------------------------------------------------


@pytest.mark.parametrize(("entered", "migrated", "fine"), [(None, None, True), (0, None, True), (1, None, False),
                                                            (0, 1, False), (0, 0, True), (-9, 0, True)])  # fmt: skip
def test_a_transition_follows_the_last_move_and_the_last_migration(entered, migrated, fine):
    """Before a migration the record stood under other rules: folded there, the move would be lost."""
    at = lambda n: None if n is None else T + n * TICK  # noqa: E731
    record = attrs.evolve(CHANGE.record("X"), entered_at=at(entered), migrated_at=at(migrated))
    decision = decide(record, Command("plan", ANA, at=T), CHANGE)
    assert decision.accepted is fine
    if not fine:
        (reason,) = decision.reasons
        assert reason.code == "out_of_order"
        assert reason.message == (
            "2024-02-05T09:00:00+00:00 lies before the record entered new (2024-02-05T09:00:00.000001+00:00); "
            "fire transitions in order, or correct the earlier event"
        )


@pytest.mark.parametrize("ended", [None, "edited"])
@pytest.mark.parametrize("trigger", ["plan", "close"])
def test_a_transition_is_not_dated_back_before_approval_was_requested(trigger, ended):
    """It could change what was voted on; at the same instant it comes after."""
    state = "new" if trigger == "plan" else "approved"
    opened = Round(id="e2", opened_at=T, by="bo", rule={}, ended=ended)
    record = attrs.evolve(CHANGE.record("X", state), rounds=(opened,))
    assert decide(record, Command(trigger, ANA, at=T), CHANGE).accepted
    (reason,) = decide(record, Command(trigger, ANA, at=T - TICK), CHANGE).reasons
    assert reason.code == "out_of_order"
    assert reason.message == (
        "2024-02-05T08:59:59.999999+00:00 lies before approval was requested (2024-02-05T09:00:00+00:00); "
        f"{trigger} comes after that"
    )
    both = attrs.evolve(record, entered_at=T)
    assert decide(both, Command(trigger, ANA, at=T - TICK), CHANGE).codes == ("out_of_order",)


# --- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("result of the test", " (result of the test)"),
        ("", ""),
        ("Test Result", ""),
        ("test_result", ""),
        ("test results", " (test results)"),
    ],
)
def test_a_label_is_told_where_it_says_more_than_the_name(label, shown):
    """The same word twice would only be longer."""
    need = Need("test_result", "a rule", label=label)
    (reason,) = need_reasons(Command("close", ANA, at=T), [need])
    assert reason.message == f"close needs the field 'test_result'{shown}"


@pytest.mark.parametrize(
    ("trigger", "remedy"),
    [
        ("aprove", "did you mean approve?"),
        ("request-approval", "did you mean request_approval?"),
        ("escalat", "did you mean escalate_now?"),
        ("pass_ove", "use one of"),
    ],
)
def test_a_trigger_that_is_not_there_is_told_with_those_that_come_close(trigger, remedy):
    """Those of the lifecycle and those beside it, but none that only the library may use."""
    reason = unknown_trigger(trigger, CHANGE)
    known = dict(reason.facts)["allowed"]
    assert known == (*CHANGE.by_trigger, *(name for name in BESIDE if name not in BY_THE_LIBRARY))
    if remedy == "use one of":
        remedy = f"use one of {', '.join(known)}"
    assert (reason.code, reason.message) == ("unknown_trigger", f"{trigger!r} is no trigger; {remedy}")
