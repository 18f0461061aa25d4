"""Jira Service Management: the statuses of its templates.

A Jira site names its statuses itself, so this is where to begin: derive your own map from it and `check`
it. Two statuses wait: "Waiting for customer" is on the customer's side, "Pending" is for all else.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from itsm_core.lifecycle.state_map import StateMap
from itsm_core.processes.maps.words import Words, both_ways, elsewhere

# Source: support.atlassian.com, "Manage how work flows in your team-managed service project", which lists
# Open, Reopened, Pending, Work in progress, Waiting for customer, Waiting for support, Escalated, Done
# and Canceled. All other statuses are (memory): platforms.md has none, Jira was seen in excerpts only.
# fmt: off
_WAITING: Words = {
    "Pending":              "on_hold",
    "Waiting for customer": "on_hold/requester",
}
_WAITS: Words = {
    "on_hold/customer_approver": "Waiting for customer",
    "on_hold/schedule":          "Waiting for customer",
}

_INCIDENT = both_ways(
    "jira",
    {
        "Open":             "new",
        "Work in progress": "in_progress",
        **_WAITING,
        "Resolved":         "resolved",
        "Closed":           "closed",
        "Canceled":         "cancelled",
    },
    read={
        "Waiting for support": "new",
        "In progress":         "in_progress",
        "Escalated":           "in_progress",
        "Reopened":            "in_progress",
        "Completed":           "resolved",
        "Done":                "closed",
    },
    write={**_WAITS, **elsewhere("Canceled")},
)

_PROBLEM = both_ways(
    "jira",
    {
        "Open":                "new",
        "Under investigation": "root_cause_analysis",
        "Work in progress":    "fix_in_progress",
        **_WAITING,
        "Completed":           "resolved",
        "Closed":              "closed",
        "Canceled":            "cancelled",
    },
    read={
        "Resolved": "resolved",
        "Done":     "closed",
    },
    write={
        "assess":        "Under investigation",
        **_WAITS,
        "risk_accepted": "Closed",
        "duplicate":     "Canceled",
    },
)

_CHANGE = both_ways(
    "jira",
    {
        "Open":                    "new",
        "Planning":                "assess",
        "Awaiting CAB approval":   "authorize",
        "Awaiting implementation": "scheduled",
        "Implementing":            "implement",
        **_WAITING,
        "Completed":               "review",
        "Closed":                  "closed",
        "Canceled":                "cancelled",
    },
    read={
        "Pending CAB approval":   "authorize",
        "Pending implementation": "scheduled",
        "Failed":                 "review",
        "Declined":               "cancelled",
        "Done":                   "closed",
    },
    write=_WAITS,
)

_REQUEST = both_ways(
    "jira",
    {
        "Open":                 "submitted",
        "Waiting for approval": "approval",
        "In progress":          "fulfilment",
        **_WAITING,
        "Resolved":             "delivered",
        "Closed":               "closed",
        "Declined":             "rejected",
        "Canceled":             "cancelled",
    },
    read={
        "Waiting for support": "fulfilment",  # it follows the approval
        "Work in progress":    "fulfilment",
        "Escalated":           "fulfilment",
        "Reopened":            "fulfilment",
        "Completed":           "delivered",
        "Done":                "closed",
    },
    write={
        **_WAITS,
        "incomplete": "Closed",
        "skipped":    "Closed",
        **elsewhere("Canceled"),
    },
)
# fmt: on

JIRA: Mapping[str, StateMap] = MappingProxyType(
    {"incident": _INCIDENT, "problem": _PROBLEM, "change": _CHANGE, "service_request": _REQUEST}
)
"""Jira's statuses by the name of our process."""
