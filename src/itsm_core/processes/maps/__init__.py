"""Other systems' states, process by process, both ways.

Order: words, servicenow, jira, zammad, glpi, itop.

Every map is made for the shipped lifecycle of its process and checked against it: nothing in it changes
a phase, or a wait that may pause the customer's clock into one that may not. What is lost within a phase
`check` names. A word that no map has is unknown, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from itsm_core.lifecycle.state_map import StateMap
from itsm_core.processes.maps.glpi import GLPI, GLPI_CODES
from itsm_core.processes.maps.itop import ITOP
from itsm_core.processes.maps.jira import JIRA
from itsm_core.processes.maps.servicenow import SERVICENOW, SERVICENOW_CODES
from itsm_core.processes.maps.zammad import ZAMMAD

MAPS: Mapping[str, Mapping[str, StateMap]] = MappingProxyType(
    {"servicenow": SERVICENOW, "jira": JIRA, "zammad": ZAMMAD, "glpi": GLPI, "itop": ITOP}
)
"""The shipped maps by system and process."""

__all__ = ["GLPI", "GLPI_CODES", "ITOP", "JIRA", "MAPS", "SERVICENOW", "SERVICENOW_CODES", "ZAMMAD"]
