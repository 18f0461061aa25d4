"""Agreements, escalation policies, calendars and matrices as TOML or plain values: `load_agreement(path)`.

Order: reading, calendars, measures, matrices, agreements, policies, schedules, majors, schema, customary.

    id = "standard"                      # required, with version, calendars and targets
    version = 3                          # a changed agreement is a new version
    name = "Standard support"
    customers = ["acme"]                 # covered; likewise services, processes; absent: all
    valid_from = 2024-01-01              # and valid_to, the first day on which it no longer holds
    agreed_with = "acme"                 # and agreed_on, a date
    kind = "customer"                    # or "internal", "supplier"; and party; absent: as the targets say
    on_policy_change = "pin"             # or "reassess_open": it also judges records open as it begins

    [[workload]]                         # up to how many records it was agreed on
    id = "monthly"
    limit = 400
    per = "month"                        # "day", "week", "quarter", "year"; processes, services, priorities

    [[exceptions]]                       # what was agreed to leave out of account
    id = "maintenance"
    times = "desk"                       # a calendar; and name, when, metrics, claimed

    [calendars.desk]
    zone = "Asia/Shanghai"
    hours = "mon-fri 09:00-12:00 13:00-18:00"   # or "always"
    weekly_breaks = "fri 15:00-15:30"
    holidays = ["2024-02-10..2024-02-17", { date = "2024-05-01", name = "Labour Day" }]
    shifts = { "2024-02-04" = "09:00-18:00" }   # a working Sunday; "" is a closed day
    breaks = { "2024-03-08" = "14:00-18:00" }

    [[targets]]
    id = "p1-resolution"
    metric = "resolution"                # or "response", "update", "reply", or one of your own
    duration = "4h"                      # "90m", "3 business days", "end of business day +1"
    calendar = "desk"                    # may be left out where there is only one
    priorities = ["P1"]                  # absent: every priority
    when = { service = "mail" }          # absent: whatever the fields of the record are
    pauses_on = ["requester"]            # waits that stop a resolution's clock

    [matrices.ours]                      # impact by row, urgency by column, high first
    rows = [[1, 2, 3], [2, 3, 4], [3, 4, 5]]

Keys are the fields of `Agreement`, `WorkloadLimit`, `AgreedException`, `Target`, `Measure`, `Condition` and
`PriorityMatrix`, and those of a calendar's dict with `zone` for `tz`. `agreement_schema()` is the JSON
Schema of such a file. Everything is data: nothing is evaluated. What is wrong is refused with file, key and
remedy, and a hostile file in bounded time.

A policy file (`load_policy`) holds the fields of `EscalationPolicy`, and `[[steps]]` with those of
`EscalationStep`; `unacknowledged = "15m wall"` is short for the trigger of that kind.

A file of schedules (`load_schedules`) holds who is on call, with the keys of `oncall.schedule_from_dict`:

    [schedules.network]
    [[schedules.network.layers]]
    name = "weeks"
    [schedules.network.layers.rotation]
    kind = "weekly"
    start = 2026-01-05T09:00:00          # a time on the wall of `zone`
    zone = "Asia/Shanghai"
    participants = ["ana", "ben"]

A file about major incidents (`load_majors`) holds what proposes one and by which procedure it runs, with the
fields of `MajorCriteria`, `MajorCriterion`, `Procedure`, `Track`, `TrackStep` and `MajorRole`; either part is
optional:

    [criteria]
    id = "house"
    version = 1
    any_of = [{ id = "many", users = 100 }, { id = "critical", priority = "P1", services = ["payments"] }]
    [procedure]
    id = "house"
    version = 1
    cadence = { P1 = "30m wall" }        # top management hears so often, day and night
    roles = [{ id = "scribe" }]
    [[procedure.tracks]]
    id = "repair"
    steps = [{ id = "open", to = "done" }, { id = "done", ends = true }]
"""

from itsm_core.config.agreements import (
    agreement_from_dict,
    agreement_from_toml,
    agreement_to_dict,
    agreement_to_toml,
    load_agreement,
    load_calendars,
    load_matrices,
)
from itsm_core.config.customary import customary_agreement
from itsm_core.config.majors import load_majors, majors_from_dict, majors_from_toml, majors_to_dict
from itsm_core.config.policies import load_policy, policy_from_dict, policy_from_toml, policy_to_dict
from itsm_core.config.schedules import load_schedules, schedules_from_toml
from itsm_core.config.schema import agreement_schema, majors_schema, policy_schema

__all__ = [
    "agreement_from_dict",
    "agreement_from_toml",
    "agreement_schema",
    "agreement_to_dict",
    "agreement_to_toml",
    "customary_agreement",
    "load_agreement",
    "load_calendars",
    "load_majors",
    "load_matrices",
    "load_policy",
    "load_schedules",
    "majors_from_dict",
    "majors_from_toml",
    "majors_schema",
    "majors_to_dict",
    "policy_from_dict",
    "policy_from_toml",
    "policy_schema",
    "policy_to_dict",
    "schedules_from_toml",
]
