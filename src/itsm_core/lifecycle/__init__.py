"""Lifecycles: states, transitions and a version as data, and the one door through which they run.

Order: fields, definition, machine, beside, soundness, reasons, decision, state_map.

A lifecycle is the single source: the machine, the tables and diagrams of the documentation,
`options`, `check` and the tests are all made from it.
"""

from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle.decision import TOLERANCE, Accepted, Decision, Option, Refused, decide, options
from itsm_core.lifecycle.definition import Lifecycle, Need, State, Transition
from itsm_core.lifecycle.fields import CustomField, FieldType
from itsm_core.lifecycle.soundness import Finding, check
from itsm_core.lifecycle.state_map import Mapped, StateMap

__all__ = [
    "TOLERANCE",
    "Accepted",
    "CustomField",
    "Decision",
    "FieldType",
    "Finding",
    "Lifecycle",
    "Mapped",
    "Need",
    "Option",
    "Phase",
    "Refused",
    "State",
    "StateMap",
    "Transition",
    "WaitsOn",
    "check",
    "decide",
    "options",
]
