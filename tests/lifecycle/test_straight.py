"""The straight way of `decide` says what the long way says, or nothing."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.actors import Actor
from itsm_core.commands import Command
from itsm_core.events import Phase
from itsm_core.lifecycle import CustomField, Lifecycle, Need, State, Transition, decide
from itsm_core.lifecycle.machine import destination
from itsm_core.lifecycle.straight import straight
from itsm_core.processes import PROCESSES
from itsm_core.records import apply, fold

T = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)
ANA = Actor.person("ana", "agent", "manager")
ACTORS = (ANA, Actor.person("rita"), Actor.automation("rule", "automation"), Actor.person("nobody", "guest"))
NOT_USED = (CustomField("not_used_here", "text"),)  # a host's own field makes `decide` go the long way


def _fine(situation):
    return None if situation.get("how") == "fine" else "say that it is fine"


SMALL = Lifecycle(
    "small", 1, process="small", initial="new",
    states=(
        State("new", Phase.NEW), State("open", Phase.ACTIVE), State("waiting", Phase.WAITING, waits_on="supplier"),
        State("done", Phase.RESOLVED), State("ended", Phase.CLOSED, outcome="completed"),
    ),
    transitions=(
        Transition("start", "new", dest="open", roles="agent"),
        Transition("wait", "open", dest="waiting", roles="agent"),
        Transition("go_on", "waiting", dest="open", roles="agent"),
        Transition("solve", "open", dest="done", roles="agent",
                   requires=(Need("how", "ours", one_of=("well", "badly")), Need("resolution_notes", "ours"))),
        Transition("again", "done", dest="open", roles="agent", relation="requester", reopens="resume"),
        Transition("end", "done", dest="ended", roles="agent", separate_from="solve"),
        Transition("stop", ("new", "open"), dest="ended", roles="agent", guards="fine", requires=(Need("how", "ours"),)),
    ),
    fields=(CustomField("how", "text", personal=True),), guards={"fine": _fine},
)  # fmt: skip
LIFECYCLES = (SMALL, *PROCESSES.values())
texts = st.sampled_from(
    ["", "fine", "well", "badly", "fixed_permanent", "user_confirmed", "x", "P1", 7, True, None]
)


@st.composite
def asked(draw):
    """A record somewhere on its way, and a command that may or may not fit it."""
    lifecycle = draw(st.sampled_from(LIFECYCLES))
    record = lifecycle.record(
        "R-1",
        draw(st.sampled_from(sorted(lifecycle.by_id))),
        version=draw(st.integers(1, 3)),
        opened_at=draw(st.sampled_from([None, T])),
        requester="rita",
    )
    trigger = draw(st.sampled_from([*lifecycle.by_trigger, "note", "no such"]))
    rows = lifecycle.rows(trigger, record.state)
    needs = [need.field for row in rows[:1] for need in row.requires]
    fields = {
        name: draw(texts) for name in draw(st.sampled_from([needs, needs, needs[:1], [*needs, "reason"]]))
    }
    for row in rows[:1]:
        for need in row.requires:
            if need.one_of and need.field in fields and draw(st.booleans()):
                fields[need.field] = draw(st.sampled_from(need.one_of))
    command = Command(
        trigger,
        draw(st.sampled_from(ACTORS)),
        at=T + dt.timedelta(hours=draw(st.integers(-1, 2))),
        fields=fields,
        id=draw(st.sampled_from([None, "c-1"])),
        expected=draw(st.sampled_from([None, 0, 1, 2, 3])),
        recorded_at=draw(st.sampled_from([None, T + dt.timedelta(hours=3)])),
        on_behalf_of=draw(st.sampled_from([None, "rita"])),
        channel=draw(st.sampled_from([None, "phone"])),
        cause=draw(st.sampled_from([None, "why"])),
    )
    return lifecycle, record, command


@given(asked())
def test_the_straight_way_and_the_long_way_write_the_same_event(case):
    """Or the straight way says nothing, whatever is asked."""
    lifecycle, record, command = case
    quick = straight(record, command, lifecycle, lifecycle.ways)
    long = decide(record, command, lifecycle, custom=NOT_USED)
    assert quick is None or long.events == (quick,)
    assert decide(record, command, lifecycle) == long


@pytest.mark.parametrize(
    ("state", "trigger", "fields"),
    [
        ("new", "start", {}),
        ("waiting", "go_on", {}),
        ("open", "solve", {"how": "well", "resolution_notes": "cable"}),
        ("done", "again", {}),
    ],
)
def test_plain_moves_go_straight(state, trigger, fields):
    """Without this the law above would say nothing."""
    record = SMALL.record("R-1", state)
    quick = straight(record, Command(trigger, ANA, at=T, fields=fields), SMALL, SMALL.ways)
    assert quick.to_state == destination(SMALL, state, trigger)
    assert quick.fields == {**fields, **quick.fields}
    assert set(quick.personal) == set(fields)


@pytest.mark.parametrize(("state", "trigger"), [("open", "wait"), ("done", "end")])
def test_waits_and_duties_are_left_to_the_long_way(state, trigger):
    """What they need is more than texts."""
    assert (state, trigger) not in SMALL.ways


@pytest.mark.parametrize(("why", "straight_on"), [("fine", True), ("no", False)])
def test_guards_are_asked_on_the_straight_way_too(why, straight_on):
    """One that objects leads to the long way, which tells all reasons."""
    command = Command("stop", ANA, at=T, fields={"how": why})
    quick = straight(SMALL.record("R-1", "new"), command, SMALL, SMALL.ways)
    assert (quick is not None) is straight_on


@given(st.booleans(), st.integers(0, 3), st.sampled_from(ACTORS[:1]))
def test_a_record_moves_on_as_its_history_is_folded(reopened, hours, who):
    """The quick step of the fold and the long one lead to one record."""
    opening = Command("open", who, at=T, fields={"record": "R-1", "title": "x", "requester": "rita"})
    events = list(decide(None, opening, SMALL).events)
    record = fold(events)
    walk = ["start", "wait", "go_on", "solve", *(["again", "solve"] if reopened else [])]
    for number, trigger in enumerate(walk):
        fields = {"how": "well", "resolution_notes": "cable"} if trigger == "solve" else {}
        step = Command(trigger, who, at=T + number * dt.timedelta(hours=hours), fields=fields)
        (event,) = decide(record, step, SMALL).events
        record = apply(record, event)
        events.append(event)
        assert record == fold(events)
