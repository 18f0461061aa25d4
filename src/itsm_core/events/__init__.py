"""What happened: the envelope of every event, its order, corrections and communications.

An event is a fact. Nothing edits it: a mistake is mended by a `corrected` event that names it.
Events of a record are ordered by `occurred_at`, then `seq`. What later floors hash is fixed here:
`Event.canonical` is RFC 8785 JSON in which every field stands as its own digest, so a personal
field can be erased later and the hash of its event stays the same.

Kinds are past participles; each lists the fields it brings:

    opened         process, title, and whatever is known of the record
    transitioned   trigger, phase, waits_on, and what the transition required
    assigned       group, assignee
    acknowledged   mode: "all" where the policy waits for everybody who was told
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
    major_proposed   reason, affected_services, affected_users, major_criteria
    major_accepted   major_manager, procedure; then a major incident stands beside the state
    major_rejected, major_cancelled  reason: it is none, or no longer one
    major_assessed   affected_services, affected_users: the reach as known from then on
    role_assumed, role_renounced  major_role, held_by
    track_moved      track, track_step, track_ended
    continuity_plan_invoked  continuity_plan, plan_version
    major_reported, major_reviewed  document: where it lies
    corrected      event, field, was, now, reason
    escalated      key, policy, policy_version, generation, loop, step, target, share, to, went, scheduled_at
    not_escalated  key, policy, policy_version, generation, loop, step, why, to, scheduled_at
    snoozed        until
    escalation_resumed    key, why, mode: an acknowledgement or a snooze has ended
    escalation_requested  step
    policy_pinned  policy, policy_version: what the run goes by; an opening says watched_by
    policy_migrated  policy, policy_version, was, mode, reason
    refused        trigger, codes: a command of an automation that was refused

Order: envelope, correcting, communication.
"""

from itsm_core.events.communication import Audience, Communication, Direction
from itsm_core.events.correcting import OF_MAJORS, UNCORRECTABLE, correction, effective, told_once
from itsm_core.events.envelope import PERSONAL, SCHEMA, Event, Phase, WaitsOn, personal_among

__all__ = [
    "OF_MAJORS",
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
