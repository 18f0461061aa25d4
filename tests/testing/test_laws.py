"""Each law, against a step that keeps it and one that breaks it on purpose."""

import attrs
import pytest

from itsm_core import Accepted, Actor, Command, Phase, Reason, Refused, fold
from itsm_core.lifecycle import Lifecycle, Need, State, Transition
from itsm_core.processes import INCIDENT
from itsm_core.testing import LAWS, LawBroken, laws, walk
from itsm_core.testing.laws import obey
from itsm_core.testing.steps import taken
from itsm_core.testing.walking import START
from itsm_core.values import Fields
from walking import ACTORS, HOUR

ANA, RITA, MONA = ACTORS["agent"], ACTORS["requester"], ACTORS["manager"]

DESK = Lifecycle(
    "desk", 1, process="desk", initial="new",
    states=[State("new", "new"), State("work", "active"), State("wait", "waiting", waits_on="supplier"),
            State("fixed", "resolved"), State("done", "closed", outcome="completed")],
    transitions=[
        Transition("start", "new", dest="work", roles={"agent"}),
        Transition("wait", "work", dest="wait", roles={"agent"}),
        Transition("fix", "work", dest="fixed", roles={"agent"}, requires=[Need("reason", "our rule")]),
        Transition("check", "fixed", dest="done", roles={"agent", "manager"}, relation={"requester"},
                   separate_from=("open", "fix"), guards=("calm",)),
        Transition("note_it", "fixed", dest="fixed", roles={"agent"},
                   requires=[Need("reason", "our rule", kept=True, otherwise="title")]),
    ],
    guards={"calm": lambda s: "no panic" if s.get("category") == "panic" else None},
)  # fmt: skip
HISTORY = walk(DESK, ("start", "fix"), actors=[ANA])


def step(trigger="check", actor=MONA, lifecycle=DESK, history=HISTORY, /, **fields):
    """A command in the sixth hour."""
    return taken(lifecycle, Command(trigger, actor, at=START + 5 * HOUR, fields=fields), history)


CLOSING, STARTING = step(), step("start", ANA, DESK, HISTORY[:1])
REFUSED, NOTING = step("check", RITA), step("note", ANA, text="x")


def broken(law, what):
    """What a law says of a step."""
    return list(getattr(laws, law)(what))


def altered(what, **changes):
    """The step with another first event."""
    first, *rest = what.decision.events
    return attrs.evolve(what, decision=Accepted((attrs.evolve(first, **changes), *rest)))


def recorded(what, **changes):
    """The step with another record afterwards."""
    return attrs.evolve(what, after=attrs.evolve(what.after, **changes))


def where(lifecycle, trigger, **changes):
    """The desk with another transition of a trigger."""
    rows = [attrs.evolve(t, **changes) if t.trigger == trigger else t for t in lifecycle.transitions]
    return attrs.evolve(lifecycle, transitions=rows)


# fmt: off
BREACHES = {
    # law, what was done to a step, what the law says
    "other decision":   ("same_answer", lambda: attrs.evolve(CLOSING, decision=Refused((Reason("x", "y"),))),
                         "asked again, it is accepted: transitioned"),
    "record changed":   ("nothing_changed", lambda: attrs.evolve(CLOSING, was={}), "is another one now"),
    "no reason":        ("refused_with_reasons", lambda: attrs.evolve(REFUSED, decision=Refused(())), "no reason"),
    "an empty reason":  ("refused_with_reasons", lambda: attrs.evolve(REFUSED, decision=Refused((Reason("x", ""),))), "says nothing"),
    "a text as reason": ("refused_with_reasons", lambda: attrs.evolve(REFUSED, decision=Refused(("no",))), "says nothing"),
    "changed after no": ("refused_with_reasons", lambda: recorded(REFUSED, state="done"), "changed all the same"),
    "no event":         ("events_say_where", lambda: attrs.evolve(CLOSING, decision=Accepted(())), "nothing happened"),
    "wrong number":     ("events_say_where", lambda: altered(CLOSING, seq=9), "is number 9, not 4"),
    "wrong lifecycle":  ("events_say_where", lambda: altered(CLOSING, lifecycle="ours"), "names ours 1"),
    "wrong version":    ("events_say_where", lambda: altered(CLOSING, lifecycle_version=2), "names desk 2"),
    "wrong actor":      ("events_say_where", lambda: altered(CLOSING, actor=RITA), "is rita's at"),
    "wrong instant":    ("events_say_where", lambda: altered(CLOSING, occurred_at=START), "at 2024-02-05T09:00"),
    "wrong record":     ("events_say_where", lambda: altered(CLOSING, record="R-2"), "is of the record R-2"),
    "no record":        ("events_say_where", lambda: attrs.evolve(CLOSING, after=None), "is of the record R-1"),
    "wrong start":      ("events_say_where", lambda: altered(CLOSING, from_state="new"), "leads from new to done, and the record was in fixed"),
    "no such end":      ("events_say_where", lambda: altered(CLOSING, to_state="gone"), "leads from fixed to gone"),
    "a note that moves": ("events_say_where", lambda: altered(NOTING, from_state="fixed", to_state="done"), "noted moves from fixed to done"),
    "no such state":    ("stands_in_a_state", lambda: recorded(CLOSING, state="gone"), "gone is no state"),
    "wrong phase":      ("stands_in_a_state", lambda: recorded(CLOSING, phase=Phase.NEW), "in done it has phase new"),
    "wrong outcome":    ("stands_in_a_state", lambda: recorded(CLOSING, outcome="failed"), "outcome failed"),
    "opened elsewhere": ("stands_in_a_state", lambda: attrs.evolve(STARTING, before=None), "it was opened in work"),
    "beside moves":     ("beside_stays", lambda: recorded(NOTING, state="done"), "state was fixed and is done"),
    "beside enters":    ("beside_stays", lambda: recorded(NOTING, entered_at=START), "entered_at was"),
    "a way back":       ("phases_allow", lambda: attrs.evolve(STARTING, before=CLOSING.after), "done (closed) leads to work (active)"),
    "no such row":      ("a_row_allows", lambda: altered(CLOSING, to_state="work"), "no transition leads from fixed to work"),
    "wrong role":       ("a_row_allows", lambda: step_by(RITA), "rita may not fire check"),
    "joined duties":    ("a_row_allows", lambda: step_by(ANA), "ana had a hand in open"),
    "for whom":         ("a_row_allows", lambda: commanded(CLOSING, on_behalf_of="ana"), "ana had a hand in open"),
    "a missing field":  ("a_row_allows", lambda: attrs.evolve(CLOSING, lifecycle=where(DESK, "check", requires=[Need("cause", "x")])), "cause is not given"),
    "a timer":          ("a_row_allows", lambda: attrs.evolve(CLOSING, lifecycle=where(DESK, "check", after=INCIDENT.timed["resolved"][0].after)), "time fires check, and mona did"),
    "an objection":     ("a_row_allows", lambda: attrs.evolve(CLOSING, lifecycle=attrs.evolve(DESK, guards={"calm": lambda _: "panic"})), "a guard objects: panic"),
    "another end":      ("machines_agree", lambda: altered(CLOSING, to_state="work"), "the decision leads to work, the shared machine to done"),
    "a record forgets": ("history_tells_it", lambda: recorded(CLOSING, values=Fields({})), "the history tells another record: values"),
    "a button less":    ("options_tell", lambda: attrs.evolve(CLOSING, lifecycle=Fewer.of(DESK)), "options show"),
}
# fmt: on


class Fewer(Lifecycle):
    """A lifecycle whose triggers are more than its options know."""

    @classmethod
    def of(cls, lifecycle):
        """The same, with a trigger that no option shows."""
        fewer = attrs.evolve(lifecycle)
        fewer.__dict__["by_trigger"] = Twice(lifecycle.by_trigger)
        return fewer


class Twice(dict):
    """Transitions by trigger that are different when they are listed a second time."""

    times = 0

    def items(self):
        """All but the first, the first time."""
        self.times += 1
        return list(super().items())[1:] if self.times == 1 else super().items()


def commanded(what, **changes):
    """The step of another command."""
    return attrs.evolve(what, command=attrs.evolve(what.command, **changes))


def step_by(actor):
    """The closing step, as if somebody else had taken it."""
    return altered(commanded(CLOSING, actor=actor), actor=actor)


@pytest.mark.parametrize("name", BREACHES)
def test_a_step_that_breaks_a_law_is_found(name):
    """And what is wrong with it is said."""
    law, make, said = BREACHES[name]
    found = broken(law, make())
    assert any(said in fault for fault in found), found
    assert law in {function.__name__ for function in LAWS.values()}


@pytest.mark.parametrize("law", LAWS)
def test_a_step_that_keeps_the_laws_has_no_fault(law):
    """Accepted, refused, beside the state, or an opening."""
    opening = step("open", MONA, DESK, (), record="R-1", title="x")
    early = taken(DESK, Command("check", MONA, at=START), HISTORY)
    kept = step("note_it", ANA), step("fix", ANA, DESK, HISTORY[:2]), step("check", category="panic")
    for what in (CLOSING, STARTING, REFUSED, NOTING, opening, early, *kept):
        assert list(LAWS[law](what)) == []


def test_every_law_is_broken_above_or_below():
    """A law that nothing breaks proves nothing."""
    tried = {law for law, *_ in BREACHES.values()} | {"written_and_read"}
    assert tried == {function.__name__ for function in LAWS.values()}


def test_all_broken_laws_are_told_at_once():
    """With the step, what was decided, and what each says."""
    obey(CLOSING)
    with pytest.raises(LawBroken) as wrong:
        obey(altered(CLOSING, seq=9, lifecycle="ours"))
    head, decision, *faults = str(wrong.value).splitlines()
    assert head.startswith(
        "desk 1: check on a record in fixed by mona (manager) at 2024-02-05T14:00:00+00:00"
    )
    assert decision == "  accepted: transitioned"
    told = "  - events say what happened, where and under which version: transitioned"
    assert {f"{told} is number 9, not 4", f"{told} names ours 1"} <= set(faults)
    assert faults[0].startswith("  - the same question has the same answer: asked again")
    assert isinstance(wrong.value, AssertionError)


# --- what only a broken library does -------------------------------------------------------------


def test_what_is_read_otherwise_than_it_was_written_is_found(monkeypatch):
    """A codec that forgets."""
    read = laws.from_dict
    monkeypatch.setattr(laws, "from_dict", lambda cls, plain: attrs.evolve(read(cls, plain), tenant="t"))
    assert broken("written_and_read", CLOSING) == [
        "read again, the Record is another: tenant 't' and not None",
        "read again, the Event is another: tenant 't' and not None",
    ]


def test_a_quick_way_that_leads_elsewhere_is_found():
    """The close look says so: a straight way to another state."""
    hasty = attrs.evolve(DESK)
    known = dict(hasty.ways)
    known["new", "start"] = known["new", "start"]._replace(dest="wait")
    hasty.__dict__["ways"] = known
    wrong = step("start", ANA, hasty, HISTORY[:1])
    assert wrong.after.state == "wait"
    assert broken("same_answer", wrong) == ["looked at closely, it is accepted: transitioned"]
    assert "the decision leads to wait, the shared machine to work" in broken("machines_agree", wrong)
    assert "no transition leads from new to wait" in broken("a_row_allows", wrong)


def test_a_shared_machine_that_leads_elsewhere_is_found(monkeypatch):
    """A stock machine of the package says so."""
    monkeypatch.setattr(laws, "destination", lambda *_: "wait")
    assert broken("machines_agree", CLOSING) == [
        "the shared machine leads to wait, a stock one to done",
        "the decision leads to done, the shared machine to wait",
    ]
    monkeypatch.setattr(laws, "destination", lambda *_: "done")
    assert broken("machines_agree", step("check", category="panic")) == [
        "the shared machine leads to done, a stock one to None"
    ]


def test_a_history_that_depends_on_its_order_is_found(monkeypatch):
    """Events are told by their instants, not by how they come."""
    monkeypatch.setattr(laws, "fold", lambda events: fold(events if events[0].seq == 1 else events[1:]))
    assert broken("history_tells_it", CLOSING)[0].startswith(
        "told backwards, the history tells another record"
    )


# fmt: off
LIES = {
    "all enabled":   (RITA,  lambda o: attrs.evolve(o, enabled=True), "check is enabled with 1 reasons"),
    "all grey":      (MONA,  lambda o: attrs.evolve(o, enabled=False), "check is grey with 0 reasons"),
    "no reasons":    (RITA,  lambda o: attrs.evolve(o, enabled=True, reasons=()), "options of check miss nothing; without fields, decide is refused"),
    "still enabled": (RITA,  lambda o: attrs.evolve(o, enabled=True, reasons=()), "options enable check, and decide refuses it: rita may not check"),
    "other reasons": (RITA,  lambda o: attrs.evolve(o, reasons=(Reason("x", "too late"),)), "options say of check: too late; decide does not"),
    "other notes":   (MONA,  lambda o: attrs.evolve(o, notes=(Reason("x", "ask Rita"),)), "options say of check: ask Rita; decide does not"),
    "more missing":  (MONA,  lambda o: attrs.evolve(o, missing=(Need("cause", "x"),)), "options of check miss cause; without fields, decide is accepted"),
}
# fmt: on


@pytest.mark.parametrize("lie", LIES)
def test_options_that_lie_are_found(lie, monkeypatch):
    """Pressed without a field, a button does what it shows."""
    actor, change, said = LIES[lie]
    what = step("check", actor)
    tell = type(what).options
    monkeypatch.setattr(type(what), "options", lambda self, who: tuple(map(change, tell(self, who))))
    assert any(said in fault for fault in broken("options_tell", what)), broken("options_tell", what)


def test_options_say_which_fields_are_missing():
    """Fields that the command brings are not asked about again; those that a guard objects to are its word."""
    fixing = step("fix", ANA, DESK, HISTORY[:2])
    assert fixing.decision.codes == ("missing_field",)
    assert broken("options_tell", fixing) == []
    assert broken("options_tell", step("check", category="panic")) == []


def test_duties_are_read_from_the_history():
    """The last who did it counts, and of an opening the requester."""
    other = walk(DESK, ("start", "fix"), actors=[Actor.person("otto", "agent")])
    assert broken("a_row_allows", step("check", MONA, DESK, other)) == []
    asked = fold(other).requester
    what = step("check", Actor.person(asked, "manager"), DESK, other)
    assert what.decision.codes == ("separation",)
    forced = attrs.evolve(CLOSING, history=other, before=fold(other), command=what.command)
    assert broken("a_row_allows", forced) == [f"{asked} had a hand in open"]
    waiver = {"trigger": "check", "separate_from": "open", "reason": "alone", "review": "monthly",
              "until": START + 30 * HOUR}  # fmt: skip
    waived = step("waive", MONA, DESK, other, **waiver).events
    assert broken("a_row_allows", step("check", Actor.person(asked, "manager"), DESK, waived)) == []


def test_a_duty_that_nobody_did_yet_keeps_nobody_away():
    """There is no hand in it."""
    early = where(DESK, "start", separate_from=("fix",))
    assert broken("a_row_allows", step("start", ANA, early, HISTORY[:1])) == []
