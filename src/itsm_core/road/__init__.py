"""The road, as generators without I/O: a command goes in, what must be stored comes out.

Order: terms, claiming, consequences, deciding, pinning, briefing, changing, people, effecting,
wanting, carrying, succession, receiving, passing, informing, owing, escalating, posting, suggesting.

    command -> lifecycle decision -> events -> record -> clocks -> escalation -> outbox

Each function yields `Ask`s (a method of the store and its arguments), is sent the answers, and
returns what the caller wants. `desk.ServiceDesk` runs them on a store, and `aio.AsyncServiceDesk` runs
the same ones with await. A lost race (`VersionConflict`) is decided anew on the newer record.
"""

from itsm_core.road.briefing import BRIEFING
from itsm_core.road.carrying import carry, open_record
from itsm_core.road.consequences import BY_ITSELF, options_of
from itsm_core.road.escalating import escalations, rearm
from itsm_core.road.informing import briefings
from itsm_core.road.passing import expiries
from itsm_core.road.people import sparing
from itsm_core.road.posting import look, post
from itsm_core.road.receiving import receive
from itsm_core.road.succession import merge, migrate, open_part, retype, split
from itsm_core.road.suggesting import proposals_of, recurring_in
from itsm_core.road.terms import MACHINE, Standing, Terms, escalation, history, standing

__all__ = [
    "BRIEFING",
    "BY_ITSELF",
    "MACHINE",
    "Standing",
    "Terms",
    "briefings",
    "carry",
    "escalation",
    "escalations",
    "expiries",
    "history",
    "look",
    "merge",
    "migrate",
    "open_part",
    "open_record",
    "options_of",
    "post",
    "proposals_of",
    "rearm",
    "receive",
    "recurring_in",
    "retype",
    "sparing",
    "split",
    "standing",
]
