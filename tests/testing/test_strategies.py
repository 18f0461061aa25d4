"""What is drawn to try a lifecycle: values of the right type, among the choices, and commands beside it."""

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itsm_core import Actor, Command, CustomField, InvalidValue, decide
from itsm_core.lifecycle import Need
from itsm_core.lifecycle.beside import COMMANDS
from itsm_core.lifecycle.fields import type_reasons
from itsm_core.processes import CHANGE, INCIDENT, SERVICE_REQUEST, SHIPPED, TASK
from itsm_core.testing import cast
from itsm_core.testing.strategies import RECORDS, VOTERS, World, neighbours, rules
from itsm_core.testing.walking import START
from itsm_core.values import as_fields

ROOM = CustomField("room", "number")


def world(lifecycle, **more):
    """The world that a machine makes by itself."""
    known = {"actors": cast(lifecycle), "fields": None, "related": neighbours(lifecycle), **more}
    return World(lifecycle=lifecycle, **known)


@pytest.mark.parametrize("lifecycle", SHIPPED, ids=lambda one: one.id)
@given(st.data())
def test_values_are_of_the_type_of_their_field(lifecycle, data):
    """Whatever a record may hold, the host's own fields among it."""
    tried = world(lifecycle, custom=[ROOM])
    field = data.draw(st.sampled_from(sorted(tried.kinds)))
    value = as_fields({field: data.draw(tried.value(field, START))})
    assert type_reasons(value, tried.kinds) == []


@pytest.mark.parametrize("lifecycle", SHIPPED, ids=lambda one: one.id)
@given(st.data())
def test_answers_answer_every_need(lifecycle, data):
    """By the field or what stands in its place, among the choices."""
    row = data.draw(st.sampled_from(lifecycle.transitions))
    found = data.draw(world(lifecycle).answers(row.requires, START))
    for need in row.requires:
        given_by = {need.field, need.otherwise} & found.keys()
        assert given_by or not need.required
        assert not need.one_of or found.get(need.field) in (*need.one_of, None)
    assert found.keys() <= {name for need in row.requires for name in (need.field, need.otherwise)}


def test_a_need_is_answered_in_each_way():
    """What may be left out is left out now and then."""
    seen, asked = set(), [Need("title", "x", otherwise="reason", required=False)]

    @settings(derandomize=True, max_examples=50)
    @given(world(INCIDENT).answers(asked, START))
    def look(fields):
        seen.add(tuple(fields))

    look()
    assert seen == {("title",), ("reason",), ()}


@given(st.data())
def test_what_is_said_of_a_field_is_drawn(data):
    """Before its choices and its type."""
    tried = world(INCIDENT, fields={"impact": st.just("low"), "room": st.just(7)})
    assert data.draw(tried.value("impact", START)) == "low"
    assert data.draw(tried.value("room", START, ["a"])) == 7


@given(st.data())
def test_who_stands_in_a_relation_is_one_of_those_who_act(data):
    """So that they can do something with it."""
    tried = world(TASK)
    assert data.draw(tried.value("assignee", START)) in tried.people
    opening = data.draw(tried.opening(START))
    assert opening.get("assignee", tried.people[0]) in (*tried.people, "the record's assignee")
    assert opening["record"] == RECORDS[0]
    assert "part_of" in opening
    assert tried.actor(tried.people[0]) is tried.actors[0]
    assert len(tried.busiest[0].roles) == 2


@pytest.mark.parametrize("trigger", sorted({*COMMANDS} - {"amend"}))
@given(st.data())
def test_commands_beside_the_state_bring_what_they_need(trigger, data):
    """None is refused for a field that it lacks or does not know."""
    tried = world(SERVICE_REQUEST)
    record = SERVICE_REQUEST.record("R-1", "fulfilment", requester="rita")
    fields = data.draw(tried.beside(trigger, START, ["R-1/1"]))
    decision = decide(
        record, Command(trigger, Actor.person("mona", "manager"), at=START, fields=fields), SERVICE_REQUEST
    )
    assert not {"missing_field", "unknown_field", "reserved_field"} & {
        reason.code for reason in decision.reasons
    }


@given(rules)
def test_rules_can_be_fulfilled_by_the_voters(rule):
    """And are asked for with success."""
    record = SERVICE_REQUEST.record("R-1", "approval")
    asked = Command("request_approval", Actor.person("ana", "agent"), at=START, fields={"rule": rule})
    assert decide(record, asked, SERVICE_REQUEST).accepted
    assert set(rule["panels"][0]["members"]) <= set(VOTERS)


@given(st.data())
def test_neighbours_are_other_records_in_any_state(data):
    """None, one or two."""
    found = data.draw(neighbours(CHANGE))
    assert [record.id for record in found] == list(RECORDS[1 : 1 + len(found)])
    assert {record.state for record in found} <= set(CHANGE.by_id)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"fields": [("room", st.just(1))]}, "are no mapping"),
        ({"fields": {"room": 12}}, "field room"),
        ({"custom": ["room"]}, "custom"),
        ({"custom": ROOM}, "custom"),
    ],
)
def test_bad_input_is_refused(more, reason):
    """With what to write instead."""
    with pytest.raises(InvalidValue, match=reason):
        world(INCIDENT, **more)
    assert attrs.evolve(world(INCIDENT), custom=[ROOM]).kinds["room"] == "number"
