"""What is known of a record: the fold of its events.

Order: escalations, procedures, majors, record, rounds, folding.

`fold(events)` and `apply(record, event)` are one rule; a record holds nothing that its events
do not say.
"""

from itsm_core.records.escalations import Escalation, Past
from itsm_core.records.folding import apply, fold, folded, follows
from itsm_core.records.majors import (
    ContinuityPlanInvoked,
    Document,
    Extent,
    MajorIncident,
    MajorStatus,
    RoleHeld,
    TrackStanding,
)
from itsm_core.records.procedures import MANAGER, MajorRole, Procedure, Track, TrackStep
from itsm_core.records.record import Record, Round, Vote, Waiver

__all__ = [
    "MANAGER",
    "ContinuityPlanInvoked",
    "Document",
    "Escalation",
    "Extent",
    "MajorIncident",
    "MajorRole",
    "MajorStatus",
    "Past",
    "Procedure",
    "Record",
    "RoleHeld",
    "Round",
    "Track",
    "TrackStanding",
    "TrackStep",
    "Vote",
    "Waiver",
    "apply",
    "fold",
    "folded",
    "follows",
]
