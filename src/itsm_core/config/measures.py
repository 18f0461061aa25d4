"""The measures of metrics of one's own as tables: conditions that name states, never code.

[targets.measure]
start = { states = ["approval"] }    # one condition, or a list of which any will do
stop = [{ phases = ["resolved", "closed"] }, { states = ["approved"] }]
while_started = true
"""

from __future__ import annotations

from typing import Any

from itsm_core.config.reading import FLAG, TEXTS, Form, Place, Rows, some_of
from itsm_core.events import Phase, WaitsOn
from itsm_core.sla.agreements.measures import Condition, Conditions, Measure
from itsm_core.sla.timeline import Said

CONDITION = Rows(Condition, {
    "phases": some_of(Phase), "states": TEXTS, "waits_on": some_of(WaitsOn), "outcomes": TEXTS,
    "groups": TEXTS, "assigned": FLAG, "words": some_of(Said), "unless": FLAG,
})  # fmt: skip


def _conditions(place: Place, value: Any) -> list[Condition]:
    """The conditions of a list; a table alone is one."""
    if not isinstance(value, list):
        return [CONDITION.read(place, value)]
    return [CONDITION.read(place.row(number), one) for number, one in enumerate(value, start=1)]


def _tables(conditions: Conditions) -> list[dict[str, Any]]:
    return [CONDITION.write(one) for one in conditions]


_CONDITIONS = Form(_conditions, _tables)
_MEASURE = Rows(Measure, {
    **dict.fromkeys(("start", "stop", "pause", "resume", "reset", "void"), _CONDITIONS),
    "while_started": FLAG, "once": FLAG,
})  # fmt: skip


def _measure(place: Place, value: Any) -> Any:
    place.need(place.table(value), ("start",))
    return _MEASURE.read(place, value)


MEASURE_KEYS = tuple(_MEASURE.forms)
MEASURE = Form(_measure, _MEASURE.write)
"""How the measure of a target is read and written."""
