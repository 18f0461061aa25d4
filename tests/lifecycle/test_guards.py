"""Guards: what they may look at, what they may answer, and what their answers do to a step."""

import datetime as dt

import attrs
import pytest

from itsm_core.actors import Actor
from itsm_core.business_time import BusinessCalendar
from itsm_core.commands import Command
from itsm_core.errors import InvalidValue, Reason
from itsm_core.lifecycle import Lifecycle, Need, OfWay, Situation, State, Transition, decide, options
from itsm_core.lifecycle.guards import guard_reasons, objection

HOUR = dt.timedelta(hours=1)
T = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)
ANA = Actor.person("ana", "agent")
OWN = Reason("no_backout", "plan the way back first", facts={"clause": "8.5.1.3"})


def lifecycle(*rows, **guards):
    """Three states, these transitions, these guards."""
    return Lifecycle(
        "guarded", 1, process="change", initial="new",
        states=(State("new", "new"), State("risky", "active"), State("calm", "active")),
        transitions=rows, guards=guards,
    )  # fmt: skip


def go(dest="risky", *guards, **more):
    """A transition of the trigger "go"."""
    return Transition("go", "new", dest=dest, roles="agent", guards=guards, **more)


def ask(made, *, actor=ANA, related=(), calendar=None, fields=None, **values):
    """The decision on "go" for a record with these values."""
    asked = Command("go", actor, at=T, fields=fields or {})
    return decide(made.record("C-1", **values), asked, made, related=related, calendar=calendar)


def button(made, *, actor=ANA, **values):
    """The button of "go"."""
    (found,) = options(made.record("C-1", **values), actor, made, at=T)
    return found


# --- what a guard sees ---------------------------------------------------------------------------


def test_a_guard_sees_the_record_the_actor_the_command_and_what_was_loaded():
    """All that the host gave, and nothing that would have to be fetched."""
    seen = []
    made = lifecycle(go("risky", "look"), look=seen.append)
    friend, calendar = made.record("C-2"), BusinessCalendar.always("UTC")
    assert ask(made, related=(friend,), calendar=calendar, fields={"title": "x"}, category="mail").accepted
    assert seen[0] == Situation(
        record=made.record("C-1", category="mail"), actor=ANA, trigger="go", at=T, fields={"title": "x"},
        related=(friend,), calendar=calendar,
    )  # fmt: skip


def test_the_situation_of_a_command_holds_all_that_it_says():
    """No field is left at its default: what one place forgot, a guard would answer differently there."""
    record, calendar = lifecycle().record("C-1"), BusinessCalendar.always("UTC")
    command = Command("go", ANA, at=T, recorded_at=T + HOUR, on_behalf_of="rita", fields={"title": "x"})
    assert Situation.of(record, command, (record,), calendar) == Situation(
        record=record, actor=ANA, trigger="go", at=T, recorded_at=T + HOUR, on_behalf_of="rita",
        fields={"title": "x"}, related=(record,), calendar=calendar,
    )  # fmt: skip
    assert Situation.of(record, Command("go", ANA, at=T)) == Situation(
        record=record, actor=ANA, trigger="go", at=T
    )


@pytest.mark.parametrize("late", [None, T + HOUR])
@pytest.mark.parametrize("title", [None, "x"], ids=["straight", "the long way"])
def test_a_guard_sees_each_thing_in_its_place(late, title):
    """Also when the command became known, and for whom it was; whichever way `decide` takes."""
    seen = []
    made = lifecycle(go("risky", "look"), look=seen.append)
    fields = {} if title is None else {"title": title}
    asked = Command("go", ANA, at=T, recorded_at=late, on_behalf_of="uma", fields=fields)
    assert decide(made.record("C-1"), asked, made).accepted
    (situation, *_) = seen
    assert (situation.at, situation.recorded_at, situation.on_behalf_of) == (T, late, "uma")
    assert (situation.fields, situation.related, situation.calendar) == (fields, (), None)


def test_a_guard_of_a_button_sees_no_fields():
    """Nobody has filled in the form yet."""
    seen = []
    made = lifecycle(go("risky", "look"), look=seen.append)
    friend, calendar = made.record("C-2"), BusinessCalendar.always("UTC")
    options(made.record("C-1"), ANA, made, related=(friend,), calendar=calendar)
    assert seen == [
        Situation(record=made.record("C-1"), actor=ANA, trigger="go", related=(friend,), calendar=calendar)
    ]


@pytest.mark.parametrize(
    ("fields", "values", "found"),
    [({}, {}, None), ({"category": "web"}, {}, "web"), ({}, {"category": "mail"}, "mail"),
     ({"category": "web"}, {"category": "mail"}, "web"), ({"category": None}, {"category": "mail"}, None),
     ({"major": False}, {"major": True}, False), ({"title": ""}, {"title": "x"}, "")],
)  # fmt: skip
def test_a_field_is_what_the_command_brings_else_what_the_record_knows(fields, values, found):
    """As the record would know it afterwards: None, False and an empty text take the place of what was."""
    record = lifecycle(go()).record("C-1", **values)
    situation = Situation(record=record, actor=ANA, trigger="go", fields=fields)
    (name,) = fields.keys() | values.keys() or {"category"}
    assert situation.get(name) == found


def test_a_situation_is_told_by_name():
    """Five values of a row mean nothing; what was not told is unknown."""
    record = lifecycle().record("C-1")
    with pytest.raises(TypeError):
        Situation(record, ANA, "go")
    bare = Situation(record=record, actor=ANA, trigger="go")
    assert (bare.at, bare.on_behalf_of, bare.fields, bare.related, bare.calendar) == (
        None,
        None,
        {},
        (),
        None,
    )


# --- what a guard says ---------------------------------------------------------------------------


def test_none_is_no_objection():
    """The step is taken."""
    made = lifecycle(go("risky", "fine", "too"), fine=lambda _: None, too=lambda _: None)
    assert ask(made).events[0].to_state == "risky"
    assert button(made).enabled


def test_a_text_is_a_reason_of_the_code_guard_and_names_the_guard():
    """Whoever looks for the code finds which condition it was."""
    made = lifecycle(go("risky", "tasks_done"), tasks_done=lambda s: f"{s.record.id} has open tasks")
    (reason,) = ask(made).reasons
    assert (reason.code, reason.message) == ("guard", "C-1 has open tasks")
    assert dict(reason.facts) == {"guard": "tasks_done"}
    assert button(made).reasons == (reason,)


def test_a_reason_is_given_as_it_is():
    """With a code and facts of its own."""
    assert ask(lifecycle(go("risky", "backout"), backout=lambda _: OWN)).reasons == (OWN,)


def test_all_guards_of_a_row_speak():
    """In the order of definition, those that have nothing to say left out."""
    made = lifecycle(go("risky", "a", "b", "c"), a=lambda _: "first", b=lambda _: None, c=lambda _: OWN)
    assert [reason.message for reason in ask(made).reasons] == ["first", OWN.message]


@pytest.mark.parametrize("answer", [True, False, 0, "", (), ["no"], b"no", InvalidValue], ids=repr)
def test_any_other_answer_is_a_mistake_of_the_guard(answer):
    """A guard that answers True may mean yes or no; stock `transitions` would take it for either."""
    made = lifecycle(go("risky", "odd"), odd=lambda _: answer)
    with pytest.raises(InvalidValue, match=r"^guard 'odd': answered .*; return None where nothing is wrong"):
        ask(made)
    with pytest.raises(InvalidValue, match=r"^guard 'odd': answered "):
        options(made.record("C-1"), ANA, made)


def test_a_guard_that_nobody_registered_is_named():
    """With what to do about it; nothing of that name is looked for anywhere else."""
    with pytest.raises(
        InvalidValue, match=r"^guard 'print': is registered nowhere; .*guards={'print': ...}$"
    ):
        ask(lifecycle(go("risky", "print")))


def test_a_guard_that_says_one_thing_and_then_another_is_a_mistake():
    """The machine asks again when it moves: what was allowed must still be."""
    answers = [None, "no"]
    made = lifecycle(
        go("risky", "fickle"), go("calm", "no"), fickle=lambda _: answers.pop(0), no=lambda _: "no"
    )
    with pytest.raises(
        InvalidValue, match=r"^guards \('fickle',\): answered one thing, then another; a guard"
    ):
        ask(made)


def test_what_a_guard_raises_is_not_hidden():
    """It is a bug of the host, and must be seen."""
    made = lifecycle(go("risky", "broken"), broken=lambda s: s.record.nothing)
    with pytest.raises(AttributeError, match="nothing"):
        ask(made)


def test_the_reasons_of_several_guards_come_in_their_order():
    """None of them is asked twice."""
    situation = Situation(record=lifecycle().record("C-1"), actor=ANA, trigger="go")
    guards = {"a": lambda s: s.trigger, "b": lambda _: None}
    assert guard_reasons(("b", "a"), guards, situation) == [Reason("guard", "go", facts={"guard": "a"})]
    assert guard_reasons((), {}, situation) == []
    assert objection("b", guards, situation) is None


# --- several rows of one trigger -----------------------------------------------------------------

RISKY = lambda s: None if s.get("impact") == "high" else "the risk is low"  # noqa: E731
CALM = lambda s: None if s.get("impact") == "low" else "the risk is high"  # noqa: E731
FORKED = lifecycle(
    go("risky", "risky", requires=(Need("reason", "a rule"),)), go("calm", "calm"), risky=RISKY, calm=CALM
)


@pytest.mark.parametrize(("impact", "dest"), [("high", "risky"), ("low", "calm")])
def test_guards_tell_rows_of_one_trigger_apart(impact, dest):
    """One button; where it leads, and what it asks for, follow from the record."""
    found = button(FORKED, impact=impact)
    assert (found.enabled, found.destination) == (True, dest)
    assert [need.field for need in found.missing] == (["reason"] if dest == "risky" else [])
    decision = ask(FORKED, impact=impact, fields={"reason": "x"})
    assert (decision.events[0].from_state, decision.events[0].to_state) == ("new", dest)
    assert ask(FORKED, impact=impact).accepted is (dest == "calm")


def test_a_field_of_the_command_may_choose_the_row():
    """What is being said now counts before what was known."""
    decision = ask(FORKED, impact="low", fields={"impact": "high", "reason": "x"})
    assert decision.events[0].to_state == "risky"


def test_where_all_rows_are_barred_the_one_with_the_fewest_objections_speaks():
    """The nearest way is explained, with its needs; of equals the first."""
    (missing, objection_) = ask(FORKED, impact="medium").reasons
    assert (missing.code, objection_.message) == ("missing_field", "the risk is low")
    made = lifecycle(go("risky", "a", "b"), go("calm", "a"), a=lambda _: "a", b=lambda _: "b")
    assert [reason.message for reason in ask(made).reasons] == ["a"]
    assert button(made).destination == "calm"


def test_a_row_without_guards_is_the_way_that_is_left():
    """It is taken where the guarded ones before it are not."""
    made = lifecycle(go("risky", "risky"), go("calm"), risky=RISKY)
    for impact, dest in (("high", "risky"), ("low", "calm")):
        assert ask(made, impact=impact).events[0].to_state == dest
        assert button(made, impact=impact).destination == dest


def test_the_first_row_without_objection_is_taken():
    """Also where a later one would do as well."""
    made = lifecycle(go("risky", "fine"), go("calm", "fine"), fine=lambda _: None)
    assert ask(made).events[0].to_state == "risky"
    assert button(made).destination == "risky"


def test_only_rows_out_of_the_state_are_asked():
    """A guard of another state sees nothing."""
    elsewhere = Transition("go", "calm", dest="risky", roles="agent", guards="never")
    made = lifecycle(elsewhere, go("calm"), never=lambda _: pytest.fail("was asked"))
    assert ask(made).events[0].to_state == "calm"
    assert button(made).destination == "calm"


def test_in_the_wrong_state_no_guard_is_asked():
    """The trigger leads nowhere, whatever they would say."""
    made = lifecycle(go("risky", "never"), never=lambda _: pytest.fail("was asked"))
    record = made.record("C-1", "calm")
    assert decide(record, Command("go", ANA, at=T), made).codes == ("wrong_state",)
    (found,) = options(record, ANA, made)
    assert [reason.code for reason in found.reasons] == ["wrong_state"]


def test_objections_stand_beside_role_and_missing_fields():
    """One answer, with all of it."""
    eve = Actor.person("eve")
    assert ask(FORKED, actor=eve, impact="medium").codes == ("role", "missing_field", "guard")
    assert [reason.code for reason in button(FORKED, actor=eve, impact="medium").reasons] == ["role", "guard"]


def test_guards_are_part_of_what_a_lifecycle_is():
    """The same rows with another function of the same name are another lifecycle, and another machine."""
    strict = attrs.evolve(FORKED, guards={"risky": lambda _: "never", "calm": lambda _: "never"})
    assert strict != FORKED
    assert ask(FORKED, impact="low").accepted
    assert not ask(strict, impact="low").accepted


# --- kinds that guards tell apart --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "ways"), [(["calm"], {"calm"}), ("calm", {"calm"}), ((), set()), ({"a", "b"}, {"a", "b"})]
)
def test_a_guard_may_say_which_kinds_it_lets_pass(given, ways):
    """It answers as the guard that it holds, and is a value."""
    guard = OfWay(RISKY, given)
    assert guard.ways == ways
    assert guard == OfWay(RISKY, given)
    made = lifecycle(go("risky", "risky"), go("calm"), risky=guard)
    for impact, dest in (("high", "risky"), ("low", "calm")):
        assert ask(made, impact=impact).events[0].to_state == dest


@pytest.mark.parametrize("bad", [5, [""], [None]])
def test_kinds_are_words(bad):
    """Nothing else could be compared."""
    with pytest.raises(InvalidValue, match="name the kinds that take it"):
        OfWay(RISKY, bad)
