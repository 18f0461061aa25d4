"""The road, as generators without I/O: a command goes in, what must be stored comes out.

Order: terms, carrying, receiving, escalating.

    command -> lifecycle decision -> events -> record -> clocks -> escalation -> outbox

Each function yields `Ask`s (a method of the store and its arguments), is sent the answers, and
returns what the caller wants. `desk.ServiceDesk` runs them on a store; an async host runs the
same ones with await. A lost race (`VersionConflict`) is decided anew on the newer record.
"""

from itsm_core.road.carrying import carry, open_record
from itsm_core.road.escalating import escalations, rearm
from itsm_core.road.receiving import receive
from itsm_core.road.terms import MACHINE, Standing, Terms, escalation, history, standing

__all__ = [
    "MACHINE",
    "Standing",
    "Terms",
    "carry",
    "escalation",
    "escalations",
    "history",
    "open_record",
    "rearm",
    "receive",
    "standing",
]
