"""Lifecycles: states, transitions and a version as data, and the one door through which they run.

Order: fields, parts, guards, definition, machine, straight, majors, beside, graph, duties, shape_rules,
people_rules, soundness, staffing, display, difference, rewriting, adopting, deriving, forms,
lifecycle, reasons, timers, scribe, decision, options, migration, state_map.

A lifecycle is the single source: the machine, the tables and diagrams of the documentation,
`options`, `check` and the tests are all made from it.
"""

from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle.decision import TOLERANCE, Accepted, Decision, Refused, decide
from itsm_core.lifecycle.deriving import Derivation
from itsm_core.lifecycle.difference import Difference, Grade, diff
from itsm_core.lifecycle.fields import CustomField, FieldType
from itsm_core.lifecycle.guards import Guard, OfWay, Situation
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.migration import Lifecycles, MigrationPlan
from itsm_core.lifecycle.options import Option, options
from itsm_core.lifecycle.parts import InstantOf, Need, State, Transition
from itsm_core.lifecycle.soundness import Finding, check
from itsm_core.lifecycle.staffing import dead_ends
from itsm_core.lifecycle.state_map import MapFinding, Mapped, StateMap

__all__ = [
    "TOLERANCE",
    "Accepted",
    "CustomField",
    "Decision",
    "Derivation",
    "Difference",
    "FieldType",
    "Finding",
    "Grade",
    "Guard",
    "InstantOf",
    "Lifecycle",
    "Lifecycles",
    "MapFinding",
    "Mapped",
    "MigrationPlan",
    "Need",
    "OfWay",
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
