"""What the library makes of a history is numbered: stored snapshots of another number are dropped."""

import datetime as dt

import attrs
import pytest

from itsm_core.actors import Actor
from itsm_core.events import Event
from itsm_core.ports import FOLD
from itsm_core.records import (
    ContinuityPlanInvoked,
    Document,
    Escalation,
    Extent,
    MajorIncident,
    MajorRole,
    Past,
    Procedure,
    Record,
    RoleHeld,
    Round,
    Track,
    TrackStanding,
    TrackStep,
    Vote,
    Waiver,
    fold,
)
from itsm_core.records.folding import _STEPS
from itsm_core.sla import Timeline, trace
from itsm_core.sla.timeline import Claim, Justified, Mark, Promised, Word
from itsm_core.sla.tracing import _STEPS as _OF_CLOCKS
from itsm_core.values import canonical, sha256, to_dict

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)
ANA, UMA, MONA = Actor.person("ana", "agent"), Actor.person("uma"), Actor.person("mona", "manager")
PROCEDURE = {
    "id": "house", "version": 1, "roles": [{"id": "scribe"}], "cadence": [["P1", 60_000_000]],
    "tracks": [{"id": "t", "steps": [{"id": "a", "to": ["b"]}, {"id": "b", "ends": True}]}],
}  # fmt: skip
OUT = {"direction": "outbound", "audience": "requester", "text": "We look into it", "text_digest": "ab"}

# One event of every kind that a fold looks at; (kind, actor, fields, what the envelope has beside them).
HISTORY = [
    ("opened", UMA, {"process": "incident", "phase": "new", "title": "Mail", "requester": "uma",
                     "priority": "P2", "group": "desk"}, {"to_state": "new", "channel": "phone"}),
    ("assigned", ANA, {"group": "mail", "assignee": "ana", "owner": "mona"}, {}),
    ("acknowledged", ANA, {}, {}),
    ("transitioned", ANA, {"trigger": "start", "phase": "active"}, {"to_state": "in_progress"}),
    ("communicated", ANA, {**OUT, "promise_due": "2024-01-09T09:00:00Z"}, {}),
    ("reprioritised", ANA, {"priority": "P1", "priority_reason": "VIP"}, {}),
    ("transitioned", ANA, {"trigger": "hold", "phase": "waiting", "waits_on": "requester",
                           "hold_reason": "requester"}, {"to_state": "on_hold"}),
    ("communicated", ANA, OUT, {}),
    ("linked", ANA, {"relation": "caused_by", "other": "PRB-1"}, {}),
    ("amended", ANA, {"title": "Mail is down", "requester": "eva"}, {}),
    ("approval_requested", ANA, {"rule": {"panels": [], "material": ["title"]}}, {}),
    ("voted", MONA, {"vote": "approve", "round": "e11"}, {}),
    ("waived", MONA, {"trigger": "authorize", "separate_from": "open", "until": "2024-02-01T00:00:00Z",
                      "review": "R-1", "reason": "alone"}, {}),
    ("policy_pinned", ANA, {"policy": "standard", "policy_version": 2}, {}),
    ("escalated", ANA, {"key": "I-1:standard.2/0/0/lead/lea/sms", "policy": "standard", "policy_version": 2,
                        "generation": 0, "loop": 0, "step": "lead", "to": "lea",
                        "scheduled_at": "2024-01-08T09:00:00Z"}, {}),
    ("policy_migrated", MONA, {"policy": "standard", "policy_version": 3, "mode": "next_step"}, {}),
    ("acknowledged", MONA, {}, {}),
    ("snoozed", ANA, {"until": "2024-01-09T12:00:00Z"}, {}),
    ("escalation_resumed", ANA, {"why": "snooze_over", "mode": "restart"}, {}),
    ("major_proposed", ANA, {"reason": "r", "major_criteria": ["many"]}, {}),
    ("major_rejected", MONA, {"reason": "few"}, {}),
    ("major_proposed", ANA, {"affected_users": 9}, {}),
    ("major_accepted", MONA, {"major_manager": "mona", "procedure": PROCEDURE}, {}),
    ("major_assessed", ANA, {"affected_services": ["mail"]}, {}),
    ("role_assumed", ANA, {"major_role": "scribe", "held_by": "sam"}, {}),
    ("role_renounced", ANA, {"major_role": "scribe", "held_by": "sam"}, {}),
    ("continuity_plan_invoked", MONA, {"continuity_plan": "p", "plan_version": "1"}, {}),
    ("communicated", MONA, {**OUT, "audience": "management"}, {}),
    ("transitioned", ANA, {"trigger": "resolve", "phase": "resolved"}, {"to_state": "resolved"}),
    ("transitioned", UMA, {"trigger": "reopen", "phase": "active", "reopens": "resume"},
     {"to_state": "in_progress"}),
    ("not_escalated", ANA, {"key": "I-1:standard.2/0/0/boss/nobody/sms", "policy": "standard",
                            "policy_version": 2, "generation": 0, "loop": 0, "step": "boss", "why": "empty"},
     {}),
    ("noted", ANA, {"text": "x"}, {}),
    ("track_moved", ANA, {"track": "t", "track_step": "b", "track_ended": True}, {}),
    ("major_reported", ANA, {"document": "d1"}, {}),
    ("major_reviewed", MONA, {"document": "d2"}, {}),
    ("major_cancelled", MONA, {"reason": "minor"}, {}),
    ("migrated", MONA, {"phase": "active", "from_lifecycle": "incident"}, {"to_state": "working"}),
    ("transitioned", ANA, {"trigger": "cancel", "phase": "closed", "outcome": "cancelled"},
     {"to_state": "cancelled"}),
    ("exception_claimed", MONA, {"exception": "maintenance", "metric": "resolution", "reason": "announced",
                                 "since": "2024-01-08T10:00:00Z", "until": "2024-01-08T12:00:00Z"}, {}),
    ("overrun_justified", MONA, {"metric": "resolution", "reason": "care", "confirmation": "m1"}, {}),
    ("corrected", ANA, {"event": "e2", "field": "group", "was": "mail", "now": "post", "reason": "x"}, {}),
]  # fmt: skip

PINNED = {5: "ab478b042e518741", 6: "c2a8f2695d2236df"}
"""By fold, the digest of what it makes of the history above."""


def events(opener=UMA):
    """The history above, an hour apart."""
    return [
        Event(
            id=f"e{place}", record="I-1", seq=place, kind=kind, occurred_at=T0 + place * dt.timedelta(hours=1),
            recorded_at=T0 + place * dt.timedelta(hours=1), actor=opener if kind == "opened" else actor,
            fields=fields, lifecycle="incident", lifecycle_version=1, **beside,
        )
        for place, (kind, actor, fields, beside) in enumerate(HISTORY, start=1)
    ]  # fmt: skip


def made(*dropped):
    """What the folds make of it without some events, opened by a person and by monitoring."""
    found = []
    for opener in (UMA, Actor.monitoring("probe")):
        kept = [event for event in events(opener) if event.seq not in dropped]
        found += [to_dict(fold(kept)), to_dict(trace(kept))]
    return found


def test_the_history_holds_every_kind_of_event_that_is_folded():
    """A kind that is added to a fold must be added here."""
    assert {kind for kind, *_ in HISTORY} == {*_STEPS, *_OF_CLOCKS}


def test_whoever_changes_a_fold_gives_it_a_new_number():
    """Else stores would take snapshots of before for what the fold makes today.

    The digest is no expected value: it only tells that something changed. If this fails and the change
    is meant, raise `ports.FOLD` and write the new digest beside the new number.
    """
    shapes = [
        [field.name for field in attrs.fields(kind)]
        for kind in (
            Record, Escalation, Past, Round, Vote, Waiver, MajorIncident, RoleHeld, TrackStanding, Extent,
            ContinuityPlanInvoked, Document, Procedure, Track, TrackStep, MajorRole, Timeline, Mark, Word, Promised, Claim, Justified,
        )
    ]  # fmt: skip
    assert PINNED[FOLD] == sha256(canonical([shapes, made()]))[:16]


@pytest.mark.parametrize("dropped", range(2, len(HISTORY)))
def test_every_event_of_the_history_tells(dropped):
    """Without one of them the folds make something else, so that the digest looks at each kind."""
    assert made(dropped) != made()
