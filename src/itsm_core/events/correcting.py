"""Corrections: what a mistake was, what is right, and a history with all of them applied."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import attrs

from itsm_core.business_time.instants import in_utc, parse_text, utc
from itsm_core.errors import InvalidValue
from itsm_core.events.envelope import Event
from itsm_core.values import frozen_json

UNCORRECTABLE = frozenset(
    {
        *("process", "agreement", "messages", "trigger", "phase", "waits_on", "outcome", "key", "event"),
        *("hold_reason", "look_again_at", "impact", "urgency", "priority"),
        *("field", "was", "now", "reopens", "promised_since"),
        *("rule", "round", "vote", "separate_from", "until", "review"),
        *("exception", "metric", "since", "confirmation"),
        *("major_criteria", "major_manager", "procedure", "affected_services", "affected_users"),
        *("major_role", "held_by", "track", "track_step", "track_ended", "document"),
        *("continuity_plan", "plan_version"),
        "watched_by",
    }
)
"""Fields that no correction changes: undo a step by a command, a priority by `reprioritise`, a vote, a
waiver, what a manager justified or what was said of a major incident by another, and a wrong correction by
correcting the event itself once more."""


def correction(event: Event, field: str, now: Any, reason: str) -> dict[str, Any]:
    """The fields of a `corrected` event; `field` is "occurred_at" or a field of the event.

    Refused: an instant after the event was recorded, and the fields in `UNCORRECTABLE`.
    """
    if not reason:
        raise InvalidValue("reason", reason, "is empty", "say why the record was wrong")
    if field == "occurred_at" and event.kind not in _IN_ORDER:
        return _retimed(event, now, reason)
    mended = {"reason"}.intersection(event.fields) if event.kind in OF_RUNS else set(event.fields)
    if field not in mended or field in UNCORRECTABLE:
        instant = set() if event.kind in _IN_ORDER else {"occurred_at"}
        known = sorted((instant | mended) - UNCORRECTABLE)
        raise InvalidValue(
            "field", field, f"of event {event.id} cannot be corrected", f"correct one of {known}"
        )
    was = event.fields[field]
    return {"event": event.id, "field": field, "was": was, "now": frozen_json(now, field), "reason": reason}


OF_MAJORS = frozenset(
    {
        *("major_proposed", "major_accepted", "major_rejected", "major_cancelled", "major_assessed"),
        *("role_assumed", "role_renounced", "track_moved", "continuity_plan_invoked"),
        *("major_reported", "major_reviewed"),
    }
)
"""The kinds of events about a major incident."""

OF_RUNS = frozenset(
    {
        *("snoozed", "escalated", "not_escalated", "escalation_resumed", "escalation_requested"),
        *("policy_pinned", "policy_migrated"),
    }
)
"""The kinds of events about the run of a policy: but for the reason they say what was done."""

_IN_ORDER = frozenset({"approval_requested", "voted", "waived", "migrated"}) | OF_MAJORS | OF_RUNS
"""Events whose instant decides what they mean: another one would turn a decision round."""


def _retimed(event: Event, now: Any, reason: str) -> dict[str, Any]:
    at = in_utc(now, "occurred_at") if isinstance(now, dt.datetime) else utc(parse_text(now, "occurred_at"))
    if at > event.recorded_at:
        raise InvalidValue(
            "occurred_at",
            at.isoformat(),
            "lies after the event was recorded",
            "correct it to when it happened",
        )
    was = frozen_json(event.occurred_at)
    return {"event": event.id, "field": "occurred_at", "was": was, "now": frozen_json(at), "reason": reason}


def told_once(events: Iterable[Event]) -> dict[str, Event]:
    """Events by id, each once; of one whose fields were erased meanwhile, what is left.

    The same id is the same event: two different ones under one id are refused, for what came of them would
    depend on which was told last.
    """
    told = tuple(events)
    known = {event.id: event for event in told}
    for event in told if len(known) < len(told) else ():
        kept = known[event.id]
        if event is not kept and event != kept:
            if event.digest != kept.digest:
                raise InvalidValue(
                    "event", event.id, "is the id of two different events", "give every event its own id"
                )
            known[event.id] = min(kept, event, key=lambda one: len(one.fields))
    return known


def effective(events: Iterable[Event]) -> list[Event]:
    """The events in order with every correction applied; the corrections themselves stay.

    Of two corrections of one field the later one counts. A correction may itself be corrected;
    one that names an event that is not there says nothing. An event given twice is there once.
    """
    by_id = told_once(events)
    mends = [e for e in by_id.values() if e.kind == "corrected"]
    if not mends:
        return sorted(by_id.values(), key=_order)
    about: dict[str, list[Event]] = {}
    for mend in sorted(mends, key=lambda e: e.seq, reverse=True):  # who corrects it came later
        settled = by_id[mend.id] = _corrected(mend, about.pop(mend.id, ()))
        about.setdefault(settled.fields["event"], []).append(settled)
    for target in about.keys() & by_id.keys():
        by_id[target] = _corrected(by_id[target], about[target])
    return sorted(by_id.values(), key=_order)


def _corrected(event: Event, mends: Iterable[Event]) -> Event:
    """The event after these corrections, latest first."""
    for mend in reversed(tuple(mends)):
        field = mend.fields["field"]
        if "now" not in mend.fields:  # erased: what it said is not known any more
            event = attrs.evolve(event, fields={n: v for n, v in event.fields.items() if n != field})
        elif field == "occurred_at":
            at = utc(parse_text(mend.fields["now"]))
            event = attrs.evolve(event, occurred_at=at, recorded_at=max(at, event.recorded_at))
        else:
            event = attrs.evolve(event, fields={**event.fields, field: mend.fields["now"]})
    return event


def _order(event: Event) -> tuple[dt.datetime, int, str]:
    return (event.occurred_at, event.seq, event.id)
