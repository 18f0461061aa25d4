"""ServiceNow: its states by name and by number.

After a stroke stands what a second field holds. Of an incident it is the on-hold reason, of a closed
problem the resolution code. Elsewhere it is a field of your own, which keeps what ServiceNow has no
state for: that a request is in approval or delivered, and whom a hold waits for.

"On Hold" of a change is its flag, and of a problem, which has none, a flag of your own: the state stays
as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from itsm_core.lifecycle.state_map import StateMap
from itsm_core.processes.maps.words import Words, both_ways, elsewhere, in_codes, with_reasons

# Source of states and reasons: platforms.md 2.5. The reference has the numbers of changes, and 101, 104
# and 107 of problems. The other numbers: ansible-collections/servicenow.itsm (plugins/module_utils);
# those of requests and tasks: ServiceNowDocs, map-problem-task-state.md.
# fmt: off
_CODES: Mapping[str, Words] = {
    "incident": {
        "New": "1", "In Progress": "2", "On Hold": "3", "Resolved": "6", "Closed": "7", "Canceled": "8",
        "/Awaiting Caller": "1", "/Awaiting Problem": "3", "/Awaiting Vendor": "4", "/Awaiting Change": "5",
    },
    "problem": {
        "New": "101", "Assess": "102", "Root Cause Analysis": "103", "Fix in Progress": "104",
        "Resolved": "106", "Closed": "107",
        # Values of the resolution code (memory).
        "/Fix Applied": "fix_applied", "/Risk Accepted": "risk_accepted", "/Duplicate": "duplicate",
        "/Canceled": "canceled",
    },
    "change": {
        "New": "-5", "Assess": "-4", "Authorize": "-3", "Scheduled": "-2", "Implement": "-1",
        "Review": "0", "Closed": "3", "Canceled": "4",
    },
    "service_request": {
        "Pending": "-5", "Open": "1", "Work in Progress": "2",
        "Closed Complete": "3", "Closed Incomplete": "4", "Closed Skipped": "7",
    },
}
_CODES = {**_CODES, "task": _CODES["service_request"]}

_INCIDENT = both_ways(
    "servicenow",
    {
        "New":                     "new",
        "In Progress":             "in_progress",
        "On Hold":                 "on_hold",
        "On Hold/Awaiting Caller":  "on_hold/requester",
        "On Hold/Awaiting Vendor":  "on_hold/supplier",
        "On Hold/Awaiting Problem": "on_hold/problem",
        "On Hold/Awaiting Change":  "on_hold/change",
        "Resolved":                "resolved",
        "Closed":                  "closed",
        "Canceled":                "cancelled",
    },
    read={
        # The reason alone, as a row of a change table has it.
        "Awaiting Caller":    "on_hold/requester",
        "Awaiting Change":    "on_hold/change",
        # The states of older instances, as in the sample of shared/data/README.md.
        "Active":             "in_progress",
        "Awaiting User Info": "on_hold/requester",
        "Awaiting Vendor":    "on_hold/supplier",
        "Awaiting Problem":   "on_hold/problem",
        "Awaiting Evidence":  "on_hold/internal",
    },
    write={
        "on_hold/customer_approver": "On Hold/Awaiting Caller",
        "on_hold/schedule":          "On Hold/Awaiting Caller",
        "on_hold/internal":          "On Hold",
        **elsewhere("Canceled"),
    },
    codes=_CODES["incident"],
)

_PROBLEM = both_ways(
    "servicenow",
    {
        "New":                  "new",
        "Assess":               "assess",
        "Root Cause Analysis":  "root_cause_analysis",
        "Fix in Progress":      "fix_in_progress",
        "Resolved":             "resolved",
        "Closed":               "closed",
        "Closed/Risk Accepted": "risk_accepted",
        "Closed/Duplicate":     "duplicate",
        "Closed/Canceled":      "cancelled",
        "On Hold":              "on_hold",
        **with_reasons("On Hold"),
    },
    read={
        "Resolved/Fix Applied":   "resolved",
        "Resolved/Risk Accepted": "risk_accepted",
        "Closed/Fix Applied":     "closed",
    },
    codes=_CODES["problem"],
)

_CHANGE = both_ways(
    "servicenow",
    {
        "New":       "new",
        "Assess":    "assess",
        "Authorize": "authorize",
        "Scheduled": "scheduled",
        "Implement": "implement",
        "On Hold":   "on_hold",
        **with_reasons("On Hold"),
        "Review":    "review",
        "Closed":    "closed",
        "Canceled":  "cancelled",
    },
    codes=_CODES["change"],
)

_REQUEST = both_ways(
    "servicenow",
    {
        "Open":                        "submitted",
        "Open/approval":               "approval",
        "Work in Progress":            "fulfilment",
        "Pending":                     "on_hold",
        **with_reasons("Pending"),
        "Work in Progress/delivered":  "delivered",
        "Closed Complete":             "closed",
        "Closed Incomplete":           "incomplete",
        "Closed Incomplete/rejected":  "rejected",
        "Closed Incomplete/cancelled": "cancelled",
        "Closed Skipped":              "skipped",
    },
    write=elsewhere("Closed Incomplete"),
    codes=_CODES["service_request"],
)

_TASK = both_ways(
    "servicenow",
    {
        "Open":              "open",
        "Work in Progress":  "in_progress",
        "Pending":           "on_hold",
        **with_reasons("Pending"),
        "Closed Complete":   "complete",
        "Closed Incomplete": "incomplete",
        "Closed Skipped":    "skipped",
    },
    codes=_CODES["task"],
)
# fmt: on

SERVICENOW: Mapping[str, StateMap] = MappingProxyType(
    {
        "incident": _INCIDENT,
        "problem": _PROBLEM,
        "change": _CHANGE,
        "service_request": _REQUEST,
        "task": _TASK,
    }
)
"""ServiceNow's states by the name of our process; written by name."""

SERVICENOW_CODES: Mapping[str, StateMap] = MappingProxyType(
    {process: in_codes(states, _CODES[process]) for process, states in SERVICENOW.items()}
)
"""The same, written in numbers, as the Table API takes them."""
