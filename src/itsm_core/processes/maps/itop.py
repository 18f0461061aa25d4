"""iTop: the states of its ITIL modules.

Escalation is a state there and none here: `escalated_tto` is a new ticket, `escalated_ttr` one that is
worked on, and the breach is the clock's. What stands after a stroke is the pending reason of a ticket.
Problems and changes cannot wait there: "on hold" is a flag of your own, and the state stays as it is;
so is "implement" of a change that is approved.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from itsm_core.lifecycle.state_map import StateMap
from itsm_core.processes.maps.words import both_ways, elsewhere, with_reasons

# Source: platforms.md 2.1.
# fmt: off
_INCIDENT = both_ways(
    "itop",
    {
        "new":      "new",
        "assigned": "in_progress",
        "pending":  "on_hold",
        **with_reasons("pending"),
        "resolved": "resolved",
        "closed":   "closed",
    },
    read={"escalated_tto": "new", "escalated_ttr": "in_progress"},
    write={"cancelled": "closed", **elsewhere("closed")},
)

_REQUEST = both_ways(
    "itop",
    {
        "new":                  "submitted",
        "waiting_for_approval": "approval",
        "assigned":             "fulfilment",
        "pending":              "on_hold",
        **with_reasons("pending"),
        "resolved":             "delivered",
        "closed":               "closed",
        "rejected":             "rejected",
    },
    read={"escalated_tto": "submitted", "approved": "fulfilment", "escalated_ttr": "fulfilment"},
    write={
        "incomplete": "closed", "skipped": "closed", "cancelled": "closed", **elsewhere("closed"),
    },
)

_PROBLEM = both_ways(
    "itop",
    {
        "new":      "new",
        "assigned": "root_cause_analysis",
        "on hold":  "on_hold",
        **with_reasons("on hold"),
        "resolved": "resolved",
        "closed":   "closed",
    },
    write={
        "assess": "assigned", "fix_in_progress": "assigned",
        "risk_accepted": "closed", "duplicate": "closed", "cancelled": "closed",
    },
)

_CHANGE = both_ways(
    "itop",
    {
        "new":                "new",
        "assigned":           "assess",
        "plannedscheduled":   "authorize",
        "approved":           "scheduled",
        "approved/implement": "implement",
        "on hold":            "on_hold",
        **with_reasons("on hold"),
        "implemented":        "review",
        "closed":             "closed",
    },
    read={
        "validated":   "assess",
        "monitored":   "review",
        "rejected":    "new",     # both may be taken up again there: a change that is refused
        "notapproved": "assess",  # goes back here
    },
    write={"cancelled": "closed"},
)
# fmt: on

ITOP: Mapping[str, StateMap] = MappingProxyType(
    {"incident": _INCIDENT, "problem": _PROBLEM, "change": _CHANGE, "service_request": _REQUEST}
)
"""iTop's states by the name of our process."""
