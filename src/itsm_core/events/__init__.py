"""What happened: the envelope of every event, its order, corrections and communications.

An event is a fact. Nothing edits it: a mistake is mended by a `corrected` event that names it.
Events of a record are ordered by `occurred_at`, then `seq`. What later floors hash is fixed here:
`Event.canonical` is RFC 8785 JSON in which every field stands as its own digest, so a personal
field can be erased later and the hash of its event stays the same.

Kinds are past participles; each lists the fields it brings:

    opened         process, title, and whatever is known of the record
    transitioned   trigger, phase, waits_on, and what the transition required
    assigned       group, assignee
    acknowledged   -
    reprioritised  impact, urgency, priority, priority_reason
    communicated   direction, audience, text_digest, text_ref, message_id, automatic, promise_due
    noted          text
    linked         relation, other
    amended        whatever else of the record was changed
    approval_requested  rule: who is asked, how many must say yes, by when
    voted          round, vote: approve, reject or abstain
    waived         trigger, separate_from, until, review: duties one person may join
    migrated       phase, waits_on, outcome: the lifecycle that rules the record from then on
    restated       reason: what came too late for a settled clock counts from then on
    exception_claimed  exception, metric, since, until, reason
    overrun_justified  metric, reason, confirmation
    corrected      event, field, was, now, reason
    escalated      key, policy, policy_version, step, target, share, to, scheduled_at
    refused        trigger, codes: a command of an automation that was refused

Order: envelope, correcting, communication.
"""

from itsm_core.events.communication import Audience, Communication, Direction
from itsm_core.events.correcting import UNCORRECTABLE, correction, effective, told_once
from itsm_core.events.envelope import PERSONAL, SCHEMA, Event, Phase, WaitsOn, personal_among

__all__ = [
    "PERSONAL",
    "SCHEMA",
    "UNCORRECTABLE",
    "Audience",
    "Communication",
    "Direction",
    "Event",
    "Phase",
    "WaitsOn",
    "correction",
    "effective",
    "personal_among",
    "told_once",
]
