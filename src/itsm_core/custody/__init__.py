"""The chain of custody of a store's events: verify it, and move it to another store whole.

    report = verify(store)                  # what was looked at, and where the chain breaks
    dump(store, "desk.jsonl"); restore(other, "desk.jsonl")
    copy(store, other)                      # both in one, checked before and after

Order: verifying, dumps, moving.

What moves are the events, the one truth; records are folded anew. Timers and the instants at which
clocks fall due follow from the desk's own terms, so they are set anew by `ServiceDesk.rearm` for
every record that is open. Messages that wait in the outbox stay behind: send them first.

A dump holds all that the store holds: restricted records, personal fields and their salts. Only
its owner may read the file. What was erased is not in it, and its digest still proves the chain.
"""

from itsm_core.custody.dumps import dump
from itsm_core.custody.moving import Moved, copy, restore
from itsm_core.custody.verifying import Break, Report, verify

__all__ = ["Break", "Moved", "Report", "copy", "dump", "restore", "verify"]
