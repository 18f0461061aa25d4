"""On call: who is there when something must be told; rotations, schedules, overrides.

    walls.py      times on a wall clock and the instants they mean
    given.py      what callers give: wall times, days, people, anchors
    lattices.py   turns on the wall clock, in closed form
    shortcuts.py  the same in few steps, for turns that recur evenly
    rotations.py  Rotation, Shift
    windows.py    DutyWindow: hours in which a layer counts
    people.py     Person: channels, language, absence, quiet hours
    schedules.py  layers, overrides, temporary schedules, swaps
    final.py      who is on call in the end, and the gaps
    resolving.py  "on_call:network" in the step of a policy
    forms.py      schedules as JSON values and back

Order: walls, given, lattices, shortcuts, rotations, windows, people, schedules, final, resolving, forms.

Rotations and windows are said in wall time, so a start has no zone; all that is asked, and all that
overrides, is said in instants.
"""

from itsm_core.oncall.final import Segment, final, gaps, segments
from itsm_core.oncall.forms import rotation_from_dict, rotation_to_dict, schedule_from_dict, schedule_to_dict
from itsm_core.oncall.given import Anchor, Blocks, RotationKind
from itsm_core.oncall.people import Person
from itsm_core.oncall.resolving import OnCall
from itsm_core.oncall.rotations import Rotation, Shift
from itsm_core.oncall.schedules import (
    Assignment,
    Duty,
    Layer,
    LayerMode,
    Override,
    Schedule,
    TemporarySchedule,
    swap,
)
from itsm_core.oncall.windows import DutyWindow

__all__ = [
    "Anchor",
    "Assignment",
    "Blocks",
    "Duty",
    "DutyWindow",
    "Layer",
    "LayerMode",
    "OnCall",
    "Override",
    "Person",
    "Rotation",
    "RotationKind",
    "Schedule",
    "Segment",
    "Shift",
    "TemporarySchedule",
    "final",
    "gaps",
    "rotation_from_dict",
    "rotation_to_dict",
    "schedule_from_dict",
    "schedule_to_dict",
    "segments",
    "swap",
]
