"""GLPI: its statuses by name and by number.

GLPI has one status for every wait. What stands after a stroke is what the pending reason of the record
says; name the reasons as ours are. Without it, a wait for the customer looks like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from itsm_core.lifecycle.state_map import StateMap
from itsm_core.processes.maps.words import Words, both_ways, elsewhere, in_codes, with_reasons

# Source of statuses: platforms.md 2.2; of numbers: ecosystem.md (tickets) and glpi-project/glpi,
# inc/commonitilobject.class.php and src/Change.php (1 to 14, the same in all classes).
# fmt: off
_CODES: Words = {
    "New": "1", "Processing (assigned)": "2", "Processing (planned)": "3", "Pending": "4",
    "Solved": "5", "Applied": "5", "Closed": "6", "Accepted": "7", "Under observation": "8", "Review": "8",
    "Evaluation": "9", "Approval": "10", "Testing": "11", "Qualification": "12", "Refused": "13",
    "Cancelled": "14",
}

_INCIDENT = both_ways(
    "glpi",
    {
        "New":                   "new",
        "Processing (assigned)": "in_progress",
        "Pending":               "on_hold",
        **with_reasons("Pending"),
        "Solved":                "resolved",
        "Closed":                "closed",
    },
    read={"Processing (planned)": "in_progress"},
    write={"cancelled": "Closed", **elsewhere("Closed")},
    codes=_CODES,
)

_REQUEST = both_ways(
    "glpi",
    {
        "New":                   "submitted",
        "Approval":              "approval",
        "Processing (assigned)": "fulfilment",
        "Pending":               "on_hold",
        **with_reasons("Pending"),
        "Solved":                "delivered",
        "Closed":                "closed",
    },
    read={"Processing (planned)": "fulfilment"},
    write={
        "incomplete": "Closed", "skipped": "Closed", "rejected": "Closed", "cancelled": "Closed",
        **elsewhere("Closed"),
    },
    codes=_CODES,
)

_PROBLEM = both_ways(
    "glpi",
    {
        "New":                   "new",
        "Accepted":              "assess",
        "Processing (assigned)": "root_cause_analysis",
        "Processing (planned)":  "fix_in_progress",
        "Pending":               "on_hold",
        **with_reasons("Pending"),
        "Solved":                "resolved",
        "Closed":                "closed",
    },
    read={"Under observation": "resolved"},
    write={"risk_accepted": "Closed", "duplicate": "Closed", "cancelled": "Closed"},
    codes=_CODES,
)

_CHANGE = both_ways(
    "glpi",
    {
        "New":        "new",
        "Evaluation": "assess",
        "Approval":   "authorize",
        "Accepted":   "scheduled",
        "Testing":    "implement",
        "Pending":    "on_hold",
        **with_reasons("Pending"),
        "Review":     "review",
        "Closed":     "closed",
        "Cancelled":  "cancelled",
    },
    read={"Qualification": "implement", "Applied": "review", "Refused": "cancelled"},
    codes=_CODES,
)
# fmt: on

GLPI: Mapping[str, StateMap] = MappingProxyType(
    {"incident": _INCIDENT, "problem": _PROBLEM, "change": _CHANGE, "service_request": _REQUEST}
)
"""GLPI's statuses by the name of our process; written by name."""

GLPI_CODES: Mapping[str, StateMap] = MappingProxyType(
    {process: in_codes(states, _CODES) for process, states in GLPI.items()}
)
"""The same, written in numbers, as its API takes them."""
