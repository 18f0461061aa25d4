"""A good value for each field that a transition asks for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from itsm_core.events import WaitsOn
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.fields import FieldType
from itsm_core.lifecycle.parts import Need
from itsm_core.priority import Level, Priority

AHEAD = dt.timedelta(days=7)

CHOICES: dict[str, tuple[str, ...]] = {
    "impact": (Level.MEDIUM, Level.HIGH, Level.LOW),
    "urgency": (Level.MEDIUM, Level.HIGH, Level.LOW),
    "priority": (Priority.P3, Priority.P1, Priority.P2, Priority.P4, Priority.P5),
    "hold_reason": (WaitsOn.SUPPLIER, *(one for one in WaitsOn if one is not WaitsOn.SUPPLIER)),
}
"""The words that stand for one of few things in every lifecycle; the first are fit for each other."""

_OF_TYPE: dict[FieldType | None, Any] = {
    FieldType.NUMBER: 1,
    FieldType.FLAG: True,
    FieldType.LIST: ("something",),
}


def filled(asked: Iterable[Need], lifecycle: Definition, at: dt.datetime) -> dict[str, Any]:
    """The fields that needs ask for, each with a value of its type and among its choices."""
    return {need.field: filling(need, lifecycle, at) for need in asked}


def filling(need: Need, lifecycle: Definition, at: dt.datetime) -> Any:
    """A value that answers a need: the first of its choices, an instant a week after `at`, or some words."""
    kind = lifecycle.kinds.get(need.field)
    choices = need.one_of or CHOICES.get(need.field)
    if choices:
        return str(choices[0])
    return at + AHEAD if kind is FieldType.INSTANT else _OF_TYPE.get(kind, f"some {need.field}")
