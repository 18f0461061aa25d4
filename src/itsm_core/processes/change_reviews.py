"""The review after a change: whether one is owed, why, and until when (ISO/IEC 20000-1, 8.5.1.3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import attrs

from itsm_core.approvals import Verdict
from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.durations import Duration, business_days
from itsm_core.errors import BeyondHorizon, NeverOpens, Reason
from itsm_core.events import Phase
from itsm_core.lifecycle.guards import Situation
from itsm_core.lifecycle.reasons import missing_needs
from itsm_core.lifecycle.timers import around_the_clock
from itsm_core.priority import Priority
from itsm_core.processes.approving import stands
from itsm_core.processes.change_kinds import UNSUCCESSFUL, Risk, is_found, kind_of, risk
from itsm_core.processes.change_needs import REVIEW
from itsm_core.processes.change_windows import deviation
from itsm_core.records import Record
from itsm_core.values import Fields, digest

SAMPLED = {Risk.LOW: 10, Risk.MODERATE: 50, Risk.HIGH: 100}
"""Of how many normal changes in a hundred the review is owed, by risk."""

DUE: Duration = business_days(5)
DUE_AFTER_FAILURE: Duration = business_days(3)
"""How soon after the implementation the review is due."""

RETROSPECT = dt.timedelta(hours=24)
"""How soon after its implementation the record of an emergency is complete."""

CAUSES, CAUSED_BY = "causes", "caused_by"
"""The relations between a change and the incidents that it caused, from either side."""


def why_review(record: Record, related: Iterable[Record] = ()) -> str | None:
    """Why a change is owed a review; None if it is not.

    Always: an emergency, a finding, one that was not successful, of high risk, whose approval was
    voided while it was implemented, that was worked on outside its planned window, or that caused an
    incident of P1 or P2 among the `related` records. A sample of the other normal ones, drawn from
    their ids, so that nobody picks it; of standard changes none.
    """
    kind = kind_of(record)
    if is_found(record):
        return "unauthorised"
    if kind == "emergency":
        return "emergency"
    if record.values.get("resolution_outcome") in UNSUCCESSFUL:
        return "unsuccessful"
    if any(_caused(record, other) and other.priority in _SEVERE for other in related):
        return "caused_incident"
    if record.rounds and not _is_approved(record):
        return "approval_voided"
    if deviation(record) is not None:
        return "outside_window"
    if kind == "standard":
        return None
    grade = risk(record)
    if grade is Risk.HIGH:
        return "high_risk"
    return "sampled" if is_sampled(record.id, SAMPLED[grade]) else None


_SEVERE = (Priority.P1, Priority.P2)


def _is_approved(record: Record) -> bool:
    """Whether what was asked for last is approved: asking anew is no approval yet."""
    found = stands(record)
    return found is not None and found[1].verdict is Verdict.APPROVED


def _caused(change: Record, other: Record) -> bool:
    return (CAUSES, other.id) in change.links or (CAUSED_BY, change.id) in other.links


def is_sampled(record_id: str, percent: int) -> bool:
    """Whether a record is among so many in a hundred; the same for ever, and nobody's choice."""
    return int(digest(record_id)[:15], 16) % 100 < percent


def review_due(
    record: Record, calendar: BusinessCalendar | None = None, related: Iterable[Record] = ()
) -> dt.datetime | None:
    """When the review of an implemented change is due; None if none is owed, or not yet, or it is done."""
    entered = record.entered_at if record.phase is Phase.RESOLVED else None
    if entered is None or why_review(record, related) is None:
        return None
    failed = record.values.get("resolution_outcome") in UNSUCCESSFUL
    try:
        return (calendar or around_the_clock()).add(entered, DUE_AFTER_FAILURE if failed else DUE)
    except (NeverOpens, BeyondHorizon):
        return None


def retrospect_due(record: Record) -> dt.datetime | None:
    """When the record of an implemented emergency has to be complete; None for all else (CHG-16)."""
    if record.phase is not Phase.RESOLVED or record.entered_at is None or kind_of(record) != "emergency":
        return None
    return record.entered_at + RETROSPECT


# --- guards: which way a change closes ----------------------------------------------------------


def _owed(situation: Situation) -> tuple[str, Record] | None:
    """Why a review is owed, as the record stands or with the fields that the command brings."""
    record = situation.record
    closed = attrs.evolve(record, values=Fields({**record.values, **situation.fields}))
    found = ((why_review(one, situation.related), one) for one in (record, closed))
    return next(((why, one) for why, one in found if why is not None), None)


def _way(situation: Situation) -> str:
    """How a change closes: as a finding, as an emergency, or as planned with or without a review."""
    record = situation.record
    if is_found(record):
        return "unauthorised"
    if kind_of(record) == "emergency":
        return "emergency"
    return "unreviewed" if _owed(situation) is None else "reviewed"


def closes_as_unauthorised(situation: Situation) -> Reason | None:
    """A reason if it is no finding."""
    return _closes_as("unauthorised", situation)


def closes_as_emergency(situation: Situation) -> Reason | None:
    """A reason if it is no emergency."""
    return _closes_as("emergency", situation)


def closes_with_review(situation: Situation) -> Reason | None:
    """A reason if it was planned and is owed no review, or was not planned."""
    return _closes_as("reviewed", situation)


def closes_without_review(situation: Situation) -> Reason | None:
    """A reason if it is owed a review, or was not planned."""
    return _closes_as("unreviewed", situation)


def _closes_as(way: str, situation: Situation) -> Reason | None:
    found = _way(situation)
    if found == way:
        return None
    return Reason("other_way", f"it closes as {found}, not as {way}", facts={"way": found})


def review_is_done(situation: Situation) -> Reason | None:
    """A reason if a review is owed and was not done, with why it is owed (CHG-12, CHG-13)."""
    owed = _owed(situation)
    lacking = missing_needs(REVIEW, situation.fields, situation.record)
    if owed is None or not lacking:
        return None
    why, record = owed
    said = f"it is owed a review, because {_because(why, record)}; say what it found, and what follows"
    return Reason("review_owed", said, facts={"why": why, "field": lacking[0].field})


def _because(why: str, record: Record) -> str:
    """Why a review is owed, in words."""
    grade = risk(record)
    return {
        "unauthorised": "nobody had authorised it",
        "emergency": "it is an emergency",
        "unsuccessful": f"its outcome is {record.values.get('resolution_outcome')}",
        "caused_incident": "it caused an incident of P1 or P2",
        "approval_voided": "its approval was voided, and nobody has approved it again",
        "outside_window": str(deviation(record)),
        "high_risk": "its risk is high",
        "sampled": f"its id is in the sample: {SAMPLED[grade]} of 100 changes of {grade} risk",
    }[why]
