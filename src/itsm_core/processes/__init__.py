"""The processes: what differs between them, as tables.

Order: moments, holding, approving, conditions, major, incident, task, service_request, request_model,
change_kinds, known_errors, problem, authority, standard_changes, change_windows, change_needs,
change_reviews, change_policy, change_ways, change, propagation, proposing, recurrence, maps.
"""

from itsm_core.processes.approving import APPROVING
from itsm_core.processes.authority import AUTHORITIES, LEAD_TIMES, Seats, authority
from itsm_core.processes.change import CHANGE
from itsm_core.processes.change_kinds import Risk, risk, risk_of
from itsm_core.processes.change_policy import ChangePolicy, governed
from itsm_core.processes.change_reviews import retrospect_due, review_due, why_review
from itsm_core.processes.change_ways import WAYS, way_of
from itsm_core.processes.change_windows import Blackout, blackouts_hit, tell_by
from itsm_core.processes.conditions import CONDITIONS
from itsm_core.processes.incident import INCIDENT
from itsm_core.processes.known_errors import KnownError, Workaround, known_error, workarounds
from itsm_core.processes.major import (
    PROCEDURE,
    MajorCriteria,
    MajorCriterion,
    MajorRules,
    briefing_due,
    customary_criteria,
    major_report_due,
    major_review_due,
    proposes,
    update_due,
)
from itsm_core.processes.problem import PROBLEM, risk_review_due
from itsm_core.processes.propagation import PROPAGATIONS, Propagation
from itsm_core.processes.proposing import Proposal, proposals
from itsm_core.processes.recurrence import Declined, ProblemProposal, Recurring, recurring
from itsm_core.processes.request_model import RequestModel
from itsm_core.processes.service_request import SERVICE_REQUEST, rolled_up
from itsm_core.processes.standard_changes import ChangeTemplate, suspension
from itsm_core.processes.task import TASK

PROCESSES = {lifecycle.id: lifecycle for lifecycle in (INCIDENT, PROBLEM, CHANGE, SERVICE_REQUEST, TASK)}
"""The shipped lifecycles by id."""

SHIPPED = tuple(PROCESSES.values())
"""The shipped lifecycles, the incident first."""

__all__ = [
    "APPROVING",
    "AUTHORITIES",
    "CHANGE",
    "CONDITIONS",
    "INCIDENT",
    "LEAD_TIMES",
    "PROBLEM",
    "PROCEDURE",
    "PROCESSES",
    "PROPAGATIONS",
    "SERVICE_REQUEST",
    "SHIPPED",
    "TASK",
    "WAYS",
    "Blackout",
    "ChangePolicy",
    "ChangeTemplate",
    "Declined",
    "KnownError",
    "MajorCriteria",
    "MajorCriterion",
    "MajorRules",
    "ProblemProposal",
    "Propagation",
    "Proposal",
    "Recurring",
    "RequestModel",
    "Risk",
    "Seats",
    "Workaround",
    "authority",
    "blackouts_hit",
    "briefing_due",
    "customary_criteria",
    "governed",
    "known_error",
    "major_report_due",
    "major_review_due",
    "proposals",
    "proposes",
    "recurring",
    "retrospect_due",
    "review_due",
    "risk",
    "risk_of",
    "risk_review_due",
    "rolled_up",
    "suspension",
    "tell_by",
    "update_due",
    "way_of",
    "why_review",
    "workarounds",
]
