"""What is known of a record: the fold of its events.

Order: record, rounds, folding.

`fold(events)` and `apply(record, event)` are one rule; a record holds nothing that its events
do not say.
"""

from itsm_core.records.folding import apply, fold, folded, follows
from itsm_core.records.record import Record, Round, Vote, Waiver

__all__ = ["Record", "Round", "Vote", "Waiver", "apply", "fold", "folded", "follows"]
