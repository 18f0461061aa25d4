"""The ServiceNow incident audit log: one row for each revision of an incident.

The columns are those of the export, as in UCI dataset 498 (Amaral, Fantinato, Peres; DOI
10.24432/C57S4H). Times are a local wall clock whose zone the file does not say; `?` is missing;
`-100` is not a state and is reported as unknown.
"""

from __future__ import annotations

from itsm_core.importers.maps import Map

SERVICENOW_AUDIT = Map(
    columns={
        "case": "number",
        "state": "incident_state",
        "at": "sys_updated_at",
        "by": "sys_updated_by",
        "opened_at": "opened_at",
        "opened_by": "opened_by",
        "requester": "caller_id",
        "channel": "contact_type",
        "category": "category",
        "group": "assignment_group",
        "assignee": "assigned_to",
        "impact": "impact",
        "urgency": "urgency",
        "priority": "priority",
        "reopen_count": "reopen_count",
    },
    states={
        "New": "new",
        "Active": "in_progress",
        "Awaiting User Info": "on_hold/requester",
        "Awaiting Vendor": "on_hold/supplier",
        "Awaiting Problem": "on_hold/problem",
        "Awaiting Evidence": "on_hold/internal",
        "Resolved": "resolved",
        "Closed": "closed",
    },
    time_format="%d/%m/%Y %H:%M",
    missing={"", "?"},
    system="servicenow",
    revision=True,  # sys_mod_count counts them: the same row twice is a duplicate
)
"""Columns, states and clock of `servicenow-audit`."""
