"""A good value for each field that a transition asks for."""

import datetime as dt

import attrs
import pytest

from itsm_core import Command
from itsm_core.lifecycle import CustomField, Need, decide
from itsm_core.processes import INCIDENT, SHIPPED
from itsm_core.testing.filling import AHEAD, filled, filling
from itsm_core.testing.walking import START
from itsm_core.values import as_fields
from walking import ACTORS

TYPES = ("text", "number", "flag", "instant", "list", "any")
OURS = attrs.evolve(INCIDENT, fields=[*INCIDENT.fields, *(CustomField(f"a_{kind}", kind) for kind in TYPES)])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("a_text", "some a_text"), ("a_number", 1), ("a_flag", True), ("a_list", ("something",)),
        ("a_any", "some a_any"), ("a_instant", START + AHEAD), ("impact", "medium"), ("priority", "P3"),
        ("hold_reason", "supplier"), ("unheard_of", "some unheard_of"),
    ],
)  # fmt: skip
def test_a_value_is_of_its_type(field, value):
    """An instant lies ahead, as most that are asked for have to."""
    assert filling(Need(field, "our rule"), OURS, START) == value


def test_a_value_is_among_its_choices():
    """The first of them."""
    assert filling(Need("a_text", "our rule", one_of=("x", "y")), OURS, START) == "x"


def test_grades_fit_each_other():
    """A priority that is not what impact and urgency give would need a reason."""
    asked = [Need(name, "our rule") for name in ("impact", "urgency", "priority")]
    fields = {**filled(asked, OURS, START), "record": "R-1", "title": "x"}
    assert decide(None, Command("open", ACTORS["agent"], at=START, fields=fields), OURS).accepted


@pytest.mark.parametrize("lifecycle", SHIPPED, ids=lambda one: one.id)
def test_whatever_shipped_lifecycles_ask_for_is_of_its_type(lifecycle):
    """`decide` has nothing to say against the type or the choice of any."""
    for row in lifecycle.transitions:
        fields = filled(row.requires, lifecycle, START)
        record = lifecycle.record("R-1", row.sources[0])
        command = Command(row.trigger, ACTORS["manager"], at=START + dt.timedelta(0), fields=fields)
        found = {code for code in decide(record, command, lifecycle).reasons if code.code == "invalid_field"}
        assert {dict(reason.facts)["field"] for reason in found} <= TIMES
        assert set(as_fields(fields)) == {need.field for need in row.requires}


TIMES = {"told_at", "actual_end"}
"""Instants that have to be past; who tries a change says when."""
