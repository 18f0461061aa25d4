"""The processes: what differs between them, as tables.

Order: incident.
"""

from itsm_core.processes.incident import INCIDENT

PROCESSES = {INCIDENT.id: INCIDENT}
"""The shipped lifecycles by id."""

__all__ = ["INCIDENT", "PROCESSES"]
