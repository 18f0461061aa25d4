"""Zammad: its seven ticket states, which all processes share.

Zammad has one state for every wait. What stands after a stroke is a ticket attribute of your own that
keeps what is waited for: without it, a wait for the customer and a wait for a supplier look the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from itsm_core.lifecycle.state_map import StateMap
from itsm_core.processes.maps.words import both_ways, with_reasons

# Source: platforms.md 2.3. "pending close" is done and closes by itself when its time has come.
# fmt: off
_INCIDENT = both_ways(
    "zammad",
    {
        "new":              "new",
        "open":             "in_progress",
        "pending reminder": "on_hold",
        **with_reasons("pending reminder"),
        "pending close":    "resolved",
        "closed":           "closed",
        "merged":           "merged",
    },
    read={"removed": "cancelled"},
    write={"cancelled": "closed", "duplicate": "merged", "retyped": "closed"},
)

_REQUEST = both_ways(
    "zammad",
    {
        "new":                       "submitted",
        "pending reminder/approval": "approval",
        "open":                      "fulfilment",
        "pending reminder":          "on_hold",
        **with_reasons("pending reminder"),
        "pending close":             "delivered",
        "closed":                    "closed",
        "merged":                    "merged",
    },
    read={"removed": "cancelled"},
    write={
        "incomplete": "closed", "skipped": "closed", "rejected": "closed", "cancelled": "closed",
        "duplicate": "merged", "retyped": "closed",
    },
)
# fmt: on

ZAMMAD: Mapping[str, StateMap] = MappingProxyType({"incident": _INCIDENT, "service_request": _REQUEST})
"""Zammad's states by the name of our process."""
