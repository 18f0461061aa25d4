"""What changes are: their kinds, what they do to services, how risky they are, how they end.

The kinds are those of ITIL 4; further categories are data (the field "category"). A change that
nobody authorised is no kind but a finding.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from itsm_core.errors import InvalidValue
from itsm_core.events import Phase
from itsm_core.priority import Level
from itsm_core.records import Record

KINDS = ("standard", "normal", "emergency")
SERVICE_CHANGES = ("none", "new", "removed", "transferred", "major")
"""What a change does to a service as a whole: any but "none" goes through design (8.5.2)."""

OUTCOMES = ("successful", "successful_with_issues", "partial", "backed_out", "failed")
"""How an implementation ends; a cancelled change ends in a state of its own."""

UNSUCCESSFUL = frozenset({"partial", "backed_out", "failed"})
"""The outcomes that are investigated (8.5.1.3)."""


class Risk(StrEnum):
    """How much may go wrong, which decides who authorises."""

    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"


# fmt: off
_MATRIX = {  # likelihood by impact
    Level.HIGH:   {Level.HIGH: Risk.HIGH,     Level.MEDIUM: Risk.HIGH,     Level.LOW: Risk.MODERATE},
    Level.MEDIUM: {Level.HIGH: Risk.HIGH,     Level.MEDIUM: Risk.MODERATE, Level.LOW: Risk.LOW},
    Level.LOW:    {Level.HIGH: Risk.MODERATE, Level.MEDIUM: Risk.LOW,      Level.LOW: Risk.LOW},
}
# fmt: on
_GRADES = tuple(Risk)


def risk_of(likelihood: Level | str, impact: Level | str) -> Risk:
    """The risk of how likely it is that something goes wrong, and how bad it would be."""
    return _MATRIX[Level.of(likelihood, "likelihood")][Level.of(impact, "impact")]


def risk(record: Record) -> Risk:
    """The risk of a change: the highest of what the matrix, an assessment and the service say.

    A change of a service as a whole is high. What nobody has assessed is high, too.
    """
    held = record.values
    found = [_from_matrix(held.get("likelihood"), held.get("impact"))]
    assessed = held.get("assessed_risk")
    if assessed is not None:
        found.append(Risk(assessed) if assessed in _GRADES else Risk.HIGH)
    if changes_service(held.get("service_change")):
        found.append(Risk.HIGH)
    return max(found, key=_GRADES.index)


def unassessed(record: Record) -> tuple[str, ...]:
    """The fields for want of which a change counts as of high risk; none if it is high or lower anyway."""
    held = record.values
    if held.get("assessed_risk") not in (None, "low", "moderate") or changes_service(
        held.get("service_change")
    ):
        return ()
    return tuple(name for name in ("likelihood", "impact") if not _is_level(held.get(name)))


def _is_level(value: Any) -> bool:
    try:
        Level.of(value)
    except InvalidValue:
        return False
    return True


def _from_matrix(likelihood: Any, impact: Any) -> Risk:
    try:
        return risk_of(likelihood, impact)
    except InvalidValue:
        return Risk.HIGH


def changes_service(service_change: Any) -> bool:
    """Whether a service is added, removed, transferred or changed in a major way."""
    return service_change not in (None, "", "none")


def kind_of(record: Record) -> str | None:
    """The kind of a change; None if it names none that there is."""
    kind = record.values.get("change_kind")
    return kind if kind in KINDS else None


def is_found(record: Record) -> bool:
    """Whether the change was found after the fact, authorised by nobody.

    Its history says so; only a record without one, a row of a host's own, is believed by its field.
    """
    if record.acted:
        return record.actor_of("report_unauthorised") is not None
    return bool(record.values.get("found_by"))


def went_well(record: Record) -> bool:
    """Whether a change is closed, and did what it was for."""
    done = record.phase is Phase.CLOSED and record.outcome == "completed"
    return done and record.values.get("resolution_outcome") not in UNSUCCESSFUL
