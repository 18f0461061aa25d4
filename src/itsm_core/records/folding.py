"""The fold: events become a record, one rule for all at once and one by one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.events import Event, Phase, WaitsOn, effective
from itsm_core.records import escalations
from itsm_core.records.escalations import NO_ESCALATION, Escalation
from itsm_core.records.majors import MAJOR_STEPS, reopened, told
from itsm_core.records.record import Record
from itsm_core.records.rounds import edited, end_round, round_opened, voted, waived
from itsm_core.values import NO_FIELDS, Fields, evolver, joined, trusted


def apply(record: Record | None, event: Event) -> Record:
    """The record after one more event, which must be the next in order and no correction."""
    if record is not None and _is_plain(record, event):
        return _moved_on(record, event)
    if record is None:
        draft = _first(event)
        _step(draft, event)
        return _record(*_in_order(draft))
    draft = _draft(record)
    _step(draft, event)
    return _record(*_in_order(draft))


def _is_plain(record: Record, event: Event) -> bool:
    """Whether it is a move that no round of votes, attempt or requester has to do with."""
    if event.kind != "transitioned" or record.rounds or record.attempts or record.major_incident:
        return False
    return "requester" not in event.fields


_moved_to = evolver(
    Record, "state", "phase", "version", "touched", "changed_at", "entered_at", "waits_on", "outcome",
    "reopened", "values", "personal", "acted", "escalation",
)  # fmt: skip


def _moved_on(record: Record, event: Event) -> Record:
    """The record after a transition: what `_step` makes of it, in one go for the most frequent event."""
    said, held = event.fields, record.values
    phase = _PHASES[said["phase"]] if "phase" in said else record.phase
    news = {n: v for n, v in said.items() if n not in _ABOUT_THE_STEP}
    if news:
        held = joined(held, news)
    if phase is not Phase.WAITING and ("hold_reason" in held or "look_again_at" in held):
        held = Fields({n: v for n, v in held.items() if n not in _HOLD})
    seq, at, waits, trigger = event.seq, event.occurred_at, said.get("waits_on"), said.get("trigger")
    again, escalation = record.phase in _DONE and phase not in _DONE, record.escalation
    if again or phase is _CLOSED or "priority" in said:
        escalation = _run_on(escalation, event, (record.phase, phase), record.values.get("priority"))
    return _moved_to(
        record,
        event.to_state or record.state,
        phase,
        seq if seq > record.version else record.version,
        seq if seq > record.touched else record.touched,
        at,
        at,
        None if waits is None else _WAITS.get(waits) or WaitsOn(waits),
        said.get("outcome"),
        record.reopened + 1 if again else record.reopened,
        held,
        _with_names(record.personal, event.personal) if event.personal else record.personal,
        record.acted if trigger is None else _acting(record.acted, trigger, event),
        escalation,
    )


def _run_on(now: Escalation, event: Event, phases: tuple[Phase, Phase], priority: str | None) -> Escalation:
    """The escalation after a move: the run begins anew where the record does, and ends where it ends."""
    before, after = phases
    if "priority" in event.fields:
        now = escalations.reprioritised(now, event, priority)
    if before in _DONE and after not in _DONE:
        return escalations.reopened(now, event)
    return escalations.closed(now) if after is Phase.CLOSED is not before else now


def fold(events: Iterable[Event]) -> Record:
    """The record that these events tell, in any order, corrections applied."""
    return folded(effective(events))


def folded(ordered: Sequence[Event]) -> Record:
    """The record that these events tell, which stand in order, each once, with corrections applied."""
    opening = ordered[0] if ordered else None
    if opening is None or opening.kind != "opened":
        opening = next((event for event in ordered if event.kind == "opened"), None)
    if opening is None:
        kinds = [event.kind for event in ordered]
        raise InvalidValue("history", kinds, "holds no `opened` event", "give the whole history")
    draft = _first(opening)
    _step(draft, opening)
    for event in ordered:
        if event is not opening:  # also first where a correction moved it behind others
            _step(draft, event)
    return _record(*_in_order(draft))


def follows(record: Record, event: Event) -> bool:
    """Whether `apply` suffices; if not (late event, correction), fold all events anew."""
    if event.kind == "corrected" or event.seq <= record.version:
        return False
    return record.changed_at is None or event.occurred_at >= record.changed_at


Acted = tuple[tuple[str, str], ...]
_CLOSED = Phase.CLOSED
_DONE = (Phase.RESOLVED, _CLOSED)
NO_NAMES: frozenset[str] = frozenset()  # one for all records: an empty set weighs 216 bytes


def _with_names(known: frozenset[str], more: Iterable[str]) -> frozenset[str]:
    return known if known.issuperset(more) else _one_of_a_kind(known.union(more))


@lru_cache(maxsize=1024)
def _one_of_a_kind(names: frozenset[str]) -> frozenset[str]:
    """The first set equal to this one: thousands of records have the same few."""
    return names


_NAMES = tuple(field.name for field in attrs.fields(Record))
_ALL_OF, _in_order, _record = attrgetter(*_NAMES), itemgetter(*_NAMES), trusted(Record)
_PHASES = {phase.value: phase for phase in Phase}
_WAITS = {waits.value: waits for waits in WaitsOn}
_ABOUT_THE_STEP = frozenset({"trigger", "phase", "waits_on", "process", "outcome", "reopens", "watched_by"})


def _draft(record: Record) -> dict[str, Any]:
    return dict(zip(_NAMES, _ALL_OF(record), strict=True))


def _first(event: Event) -> dict[str, Any]:
    if event.kind != "opened":
        raise InvalidValue(
            "history",
            event.kind,
            f"of record {event.record} does not begin with an `opened` event",
            "give the whole history",
        )
    return {
        "id": event.record,
        "process": event.fields.get("process", "incident"),
        "lifecycle": event.lifecycle or "",
        "lifecycle_version": event.lifecycle_version or 1,
        "state": event.to_state or "new",
        "phase": Phase(event.fields.get("phase", "new")),
        "opened_at": event.occurred_at,
        "changed_at": None,
        "entered_at": None,
        "migrated_at": None,
        "major_incident": None,
        "outcome": None,
        "tenant": event.tenant,
        "values": NO_FIELDS,
        "touched": 0,
        "links": (),
        "fired": NO_NAMES,
        "personal": NO_NAMES,
        "acted": (),
        "attempts": (),
        "waivers": (),
        "rounds": (),
        "reopened": 0,
        "reassigned": 0,
        "waits_on": None,
        "version": 0,
        "escalation": NO_ESCALATION,
    }


def _step(draft: dict[str, Any], event: Event) -> None:
    """Changes the draft by one event, whatever its kind."""
    kind, seq = event.kind, event.seq
    draft["version"] = max(draft["version"], seq)
    draft["changed_at"] = event.occurred_at
    if seq > draft["touched"] and kind not in _MACHINERY:
        draft["touched"] = seq
    if draft["attempts"] and _is_heard(draft, event):
        draft["attempts"] = ()
    step = _STEPS.get(kind)
    if step is not None:
        step(draft, event)


_MACHINERY = frozenset({"escalated", "refused", "not_escalated", "escalation_resumed", "policy_pinned"})


def _values(draft: dict[str, Any], event: Event) -> None:
    said = event.fields
    if not _ABOUT_THE_STEP.issuperset(said):
        news = {name: said[name] for name in said if name not in _ABOUT_THE_STEP}
        if draft["rounds"]:
            edited(draft, event, news)
        if "requester" in news:
            _asked_by(draft, news["requester"])
        draft["values"] = Fields({**draft["values"], **news})
    if event.personal:
        draft["personal"] = _with_names(draft["personal"], event.personal)


def _asked_by(draft: dict[str, Any], requester: str | None) -> None:
    """Another requester: nobody sought them yet."""
    before = draft["values"].get("requester")
    if requester == before:
        return
    draft["attempts"] = ()
    _asked_too(draft, before)


def _asked_too(draft: dict[str, Any], who: Any) -> None:
    """Who asked before keeps a hand in the opening, also where a correction says that they did not."""
    if isinstance(who, str) and ("open", who) not in draft["acted"]:
        draft["acted"] = (*draft["acted"], ("open", who))


def _mended(draft: dict[str, Any], event: Event) -> None:
    """A correction tells another story of what was voted on: of a material field, or of when things were."""
    if event.fields.get("field") == "requester":
        _asked_too(draft, event.fields.get("was"))
    if draft["rounds"]:
        material = draft["rounds"][-1].rule.get("material") or ()
        if event.fields.get("field") in ("occurred_at", *material):
            end_round(draft, event, "edited")


def _transitioned(draft: dict[str, Any], event: Event) -> None:
    before = draft["phase"]
    _moved(draft, event)
    phase = draft["phase"]
    trigger = event.fields.get("trigger")
    if trigger is not None:
        draft["acted"] = _acting(draft["acted"], trigger, event)
    if before in _DONE and phase not in _DONE:
        draft["reopened"] += 1
        if draft["major_incident"] is not None:
            draft["major_incident"] = reopened(draft["major_incident"], event)
    if phase is _CLOSED or before in _DONE or "priority" in event.fields:  # else the run goes on as it is
        priority = draft["values"].get("priority")
        draft["escalation"] = _run_on(draft["escalation"], event, (before, phase), priority)
    _values(draft, event)
    _hold_over(draft)
    if phase is Phase.NEW and draft["rounds"]:
        end_round(draft, event, "revised")


def _moved(draft: dict[str, Any], event: Event) -> None:
    said = event.fields.get
    if event.to_state is not None:
        draft["state"] = event.to_state
    draft["phase"] = _PHASES[said("phase", draft["phase"])]
    draft["entered_at"] = event.occurred_at
    waits = said("waits_on")
    draft["waits_on"] = None if waits is None else _WAITS.get(waits) or WaitsOn(waits)
    draft["outcome"] = said("outcome")


def _hold_over(draft: dict[str, Any]) -> None:
    """Forgets the reason of a hold where the record waits no more."""
    values = draft["values"]
    if draft["phase"] is not Phase.WAITING and ("hold_reason" in values or "look_again_at" in values):
        draft["values"] = Fields({n: v for n, v in values.items() if n not in _HOLD})


_HOLD = frozenset({"hold_reason", "look_again_at"})


def _acting(acted: Acted, trigger: str, event: Event) -> Acted:
    """Who last fired which trigger, after one more: who, for whom, and who approved it of an AI agent."""
    actor = event.actor
    before = [pair for pair in acted if pair[0] != trigger] if acted else ()
    if event.on_behalf_of is actor.approved_by is None:
        return (*before, _pair(trigger, actor.id))
    hands = (actor.id, event.on_behalf_of, actor.approved_by)
    return (*before, *(_pair(trigger, who) for who in dict.fromkeys(hands) if who is not None))


@lru_cache(maxsize=8192)
def _pair(trigger: str, who: str) -> tuple[str, str]:
    """One for all records on which the same person did the same."""
    return trigger, who


def _migrated(draft: dict[str, Any], event: Event) -> None:
    """Another lifecycle rules the record from now on; in one phase, its time goes on as it began."""
    entered = draft["entered_at"]
    same = draft["phase"] == event.fields.get("phase")
    _moved(draft, event)
    draft["lifecycle"], draft["lifecycle_version"] = event.lifecycle, event.lifecycle_version
    draft["migrated_at"] = event.occurred_at
    if same:
        draft["entered_at"] = entered
    _hold_over(draft)


def _is_heard(draft: dict[str, Any], event: Event) -> bool:
    """Whether the requester said or did something, or had it done; automatic replies say nothing."""
    who = draft["values"].get("requester")
    if who is None or who not in (event.actor.id, event.on_behalf_of):
        return False
    return not event.fields.get("automatic") and event.fields.get("direction") != "outbound"


def _communicated(draft: dict[str, Any], event: Event) -> None:
    """Counts the contacts that a person seeks with the requester."""
    escalations.STEPS["noted"](draft, event)
    if draft["major_incident"] is not None:
        draft["major_incident"] = told(draft["major_incident"], event)
    said = event.fields
    sought = said.get("direction") == "outbound" and said.get("audience") == "requester"
    if sought and event.actor.is_person and not said.get("automatic"):
        draft["attempts"] = _spread((*draft["attempts"], event.occurred_at))


def _spread(attempts: tuple[dt.datetime, ...]) -> tuple[dt.datetime, ...]:
    """The attempts; of too many the one in the narrowest gap goes, so that days apart are kept.

    A long conversation does not grow the record, and no rule asks for more than eight.
    """
    if len(attempts) <= _ATTEMPTS:
        return attempts
    inner = range(1, len(attempts) - 1)
    drop = min(inner, key=lambda n: attempts[n + 1] - attempts[n - 1])
    return attempts[:drop] + attempts[drop + 1 :]


_ATTEMPTS = 8


def _opened(draft: dict[str, Any], event: Event) -> None:
    if event.channel is not None:
        draft["values"] = Fields({**draft["values"], "channel": event.channel})
    draft["acted"] = _acting(draft["acted"], "open", event)
    _transitioned(draft, event)
    if "watched_by" in event.fields:
        draft["escalation"] = escalations.stamped(draft["escalation"], event)


def _assigned(draft: dict[str, Any], event: Event) -> None:
    held = draft["values"]
    if any(held.get(n) not in (None, v) for n, v in event.fields.items() if n in ("group", "assignee")):
        draft["reassigned"] += 1
        draft["escalation"] = escalations.reassigned(draft["escalation"], event)
    _changed(draft, event)


def _changed(draft: dict[str, Any], event: Event) -> None:
    """Fields of the record; its priority may be among them."""
    if "priority" in event.fields:
        before = draft["values"].get("priority")
        draft["escalation"] = escalations.reprioritised(draft["escalation"], event, before)
    _values(draft, event)


def _linked(draft: dict[str, Any], event: Event) -> None:
    link = (event.fields["relation"], event.fields["other"])
    if link not in draft["links"]:
        draft["links"] = (*draft["links"], link)


_STEPS = {
    "opened": _opened,
    "transitioned": _transitioned,
    "assigned": _assigned,
    "reprioritised": _changed,
    "amended": _values,
    "corrected": _mended,
    "communicated": _communicated,
    "linked": _linked,
    **escalations.STEPS,
    "waived": waived,
    "approval_requested": round_opened,
    "voted": voted,
    "migrated": _migrated,
    **MAJOR_STEPS,
}
