"""Lifecycles: states, transitions and a version as data, and the one door through which they run.

Order: fields, parts, guards, definition, machine, straight, beside, graph, duties, shape_rules,
people_rules, soundness, staffing, display, difference, rewriting, adopting, deriving, forms,
lifecycle, reasons, timers, scribe, decision, options, migration, state_map.

A lifecycle is the single source: the machine, the tables and diagrams of the documentation,
`options`, `check` and the tests are all made from it.
"""

from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle.decision import TOLERANCE, Accepted, Decision, Refused, decide
from itsm_core.lifecycle.difference import Change, diff
from itsm_core.lifecycle.fields import CustomField, FieldType
from itsm_core.lifecycle.guards import Guard, Situation
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.migration import MigrationPlan
from itsm_core.lifecycle.options import Option, options
from itsm_core.lifecycle.parts import Need, State, Transition
from itsm_core.lifecycle.soundness import Finding, check
from itsm_core.lifecycle.staffing import dead_ends
from itsm_core.lifecycle.state_map import MapFinding, Mapped, StateMap

__all__ = [
    "TOLERANCE",
    "Accepted",
    "Change",
    "CustomField",
    "Decision",
    "FieldType",
    "Finding",
    "Guard",
    "Lifecycle",
    "MapFinding",
    "Mapped",
    "MigrationPlan",
    "Need",
    "Option",
    "Phase",
    "Refused",
    "Situation",
    "State",
    "StateMap",
    "Transition",
    "WaitsOn",
    "check",
    "dead_ends",
    "decide",
    "diff",
    "options",
]
