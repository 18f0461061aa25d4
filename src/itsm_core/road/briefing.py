"""What follows for major incidents: proposals by the desk's criteria, and words to top management.

Top management hears when a major incident is accepted, when it ends, and in between by the cadence of its
procedure. It ends where its record leaves the open phases: the service is restored, or, in a lifecycle that
resolves nothing, the record is closed. What they are told are the facts of the record without its title: whom
words reach is not known here, and a title may be about a person.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import attrs

from itsm_core.commands import Command
from itsm_core.events import SCHEMA, Audience, Direction, Event, Phase
from itsm_core.lifecycle import Lifecycle
from itsm_core.lifecycle.scribe import Scribe
from itsm_core.lifecycle.timers import edges_kept_from_time
from itsm_core.ports import Timer
from itsm_core.processes.major import briefing_due, called, proposes
from itsm_core.records import MajorIncident, Record, apply
from itsm_core.road.deciding import decided_or_noted
from itsm_core.road.terms import MACHINE, Terms
from itsm_core.values import digest

BRIEFING = "briefing"
"""The kind of the timers that wake a major incident when top management is to hear again."""


def of_majors(terms: Terms, known: Record | None, record: Record, events: Sequence[Event]) -> list[Event]:
    """The events that follow from a change for the major incident beside its record, if there is any.

    `known` is the record before the change, None where it was opened by it.
    """
    if not events or (record.major_incident is None and terms.majors.criteria is None):
        return []
    proposal = _proposed(terms, known, record, events[-1])
    for event in proposal:
        record = apply(record, event)
    made: list[Event] = []
    if record.major_incident is not None:
        for event in events:
            made += _briefed(terms, record, event, len(made))
        made += _kept_open(terms, record, [*events, *proposal], len(made))
    return [*proposal, *made]


def judged(terms: Terms, record: Record, events: Sequence[Event]) -> list[Event]:
    """The events; one that decides against a major incident says which criteria the record meets then.

    Whoever decides has judged them, also those that were met after the proposal.
    """
    criteria, first = terms.majors.criteria, events[0]
    if criteria is None or first.kind not in _AGAINST:
        return [*events]
    met = tuple(one.id for one in criteria.any_of if one.is_met(record))
    return [attrs.evolve(first, fields={**first.fields, "major_criteria": met}), *events[1:]]


_AGAINST = frozenset({"major_rejected", "major_cancelled"})


def _proposed(terms: Terms, known: Record | None, record: Record, last: Event) -> list[Event]:
    """The proposal of a record that meets the desk's criteria after its last event.

    A refusal, by a guard of the lifecycle, is noted when a criterion is met that was not met before; the
    next change tries again and says nothing.
    """
    criteria = terms.majors.criteria
    met = () if criteria is None else proposes(record, criteria)
    if criteria is None or not met:
        return []
    why = _PROPOSED[_lang(terms)].format(criteria=criteria.label, met=", ".join(met))
    at = max(last.occurred_at, record.changed_at or last.occurred_at)
    fields = {"reason": why, "major_criteria": met}
    if last.recorded_at > at:
        fields["late_reason"] = why  # it became known late, and was judged when it did
    command = Command(
        "declare_major",
        MACHINE,
        at=at,
        recorded_at=max(last.recorded_at, at),
        id=f"{last.id}#major",
        cause=last.id,
        fields=fields,
    )
    made = decided_or_noted(terms, record, command)
    said = made[0].kind == "refused" and known is not None and {*met} <= {*proposes(known, criteria)}
    return [] if said else made


def _briefed(terms: Terms, record: Record, event: Event, ahead: int) -> list[Event]:
    """The words to top management that an event calls for."""
    held = record.major_incident
    occasion = None if held is None else _occasion(event, held, terms.ruling(record))
    return [] if occasion is None else [briefing(terms, record, event, occasion, ahead)]


def _occasion(event: Event, held: MajorIncident, lifecycle: Lifecycle | None) -> str | None:
    if event.kind in _OCCASIONS:
        return _OCCASIONS[event.kind]
    if event.kind != "transitioned" or not held.is_accepted:
        return None
    if event.fields.get("reopens"):
        return "reopened"
    was = None if lifecycle is None else lifecycle.by_id.get(str(event.from_state))
    if was is not None and not was.phase.is_open:
        return None  # they heard when it left the open phases
    return _ENDINGS.get(event.fields.get("phase"))


_OCCASIONS = {"major_accepted": "accepted", "major_cancelled": "cancelled"}
_ENDINGS: dict[Any, str] = {Phase.RESOLVED: "restored", Phase.CLOSED: "closed"}


def briefing(terms: Terms, record: Record, cause: Event, occasion: str, ahead: int = 0) -> Event:
    """The words of the desk to top management that an event calls for."""
    said = _said(terms, record, cause.occurred_at, occasion)
    named = f"{cause.id}#briefing"
    at, recorded = cause.occurred_at, cause.recorded_at
    because = Command("brief", MACHINE, at=at, recorded_at=recorded, id=named, cause=cause.id)
    return _written(terms, record, because, said, ahead)


def status(terms: Terms, record: Record, at: dt.datetime, due: dt.datetime) -> Event:
    """The words of the desk to top management that time calls for: where the major incident stands."""
    because = Command("brief", MACHINE, at=at, id=f"{record.id}/{BRIEFING}/{due.isoformat()}")
    return _written(terms, record, because, _said(terms, record, at, "status"), 0)


def _said(terms: Terms, record: Record, at: dt.datetime, occasion: str) -> dict[str, Any]:
    due = _next(record, at)
    text = words(terms, record, at, occasion, due)
    said: dict[str, Any] = {**_TO_MANAGEMENT, "text": text, "text_digest": digest(text)}
    return said if due is None else {**said, "promise_due": due}


def _written(terms: Terms, record: Record, because: Command, said: dict[str, Any], ahead: int) -> Event:
    scribe = Scribe(record.id, record.tenant, because, terms.lifecycle_of(record), ())
    return scribe.event(record.version + 1 + ahead, "communicated", said).sealed(terms.salt)


def _next(record: Record, at: dt.datetime) -> dt.datetime | None:
    """When they will hear again, if they hear now."""
    held = record.major_incident
    if held is None or not held.is_accepted or not record.phase.is_open or held.procedure is None:
        return None
    return at + dt.timedelta(microseconds=held.procedure.every(record.priority))


_TO_MANAGEMENT = {
    "direction": Direction.OUTBOUND.value,
    "audience": Audience.MANAGEMENT.value,
    "automatic": True,
}


def _kept_open(terms: Terms, record: Record, events: Sequence[Event], ahead: int) -> list[Event]:
    """A note for each timer edge that would end a major incident now, and does not: why not."""
    lifecycle, moves = terms.ruling(record), [event for event in events if event.kind in _KEEPS_OPEN]
    if lifecycle is None or not moves:
        return []
    last = moves[-1]
    return [
        Event(
            id=f"{last.id}#{trigger}-refused",
            record=record.id,
            seq=record.version + 1 + ahead + place,
            kind="refused",
            schema=SCHEMA,
            occurred_at=last.occurred_at,
            recorded_at=last.recorded_at,
            actor=MACHINE,
            cause=last.id,
            lifecycle=record.lifecycle,
            lifecycle_version=record.lifecycle_version,
            fields={"trigger": trigger, "codes": (reason.code,)},
            tenant=record.tenant,
        )
        for place, (trigger, reason) in enumerate(edges_kept_from_time(record, lifecycle))
    ]


_KEEPS_OPEN = frozenset({"transitioned", "major_proposed", "major_accepted"})
"""After which kinds of events a timer edge may be one that a major incident keeps from firing."""


def briefing_timers(known: Record, new: Record) -> tuple[Timer, ...]:
    """The timer of the next word to top management, where there is or was a major incident."""
    if known.major_incident is None and new.major_incident is None:
        return ()
    due = briefing_due(new)
    return (Timer(id=f"{new.id}/{BRIEFING}", record=new.id, kind=BRIEFING, due=due),)


# --- words --------------------------------------------------------------------------------------


def words(terms: Terms, record: Record, at: dt.datetime, occasion: str, due: dt.datetime | None) -> str:
    """What top management reads: the occasion, and the facts as they are known."""
    lang = _lang(terms)
    say, held = _SAID[lang], record.major_incident
    number, told = record.number or record.id, [] if held is None else _facts(record, held, lang)
    grade = record.priority or say["no_priority"]
    opening = say[occasion].format(number=number, priority=grade, at=_moment(terms, at))
    ending = [] if due is None else [say["next"].format(at=_moment(terms, due))]
    return say["join"].join([opening, *told, *ending])


def _facts(record: Record, held: MajorIncident, lang: str) -> list[str]:
    say = _SAID[lang]
    services = held.services or ((record.service,) if record.service else ())
    tracks = [f"{called(one.track, lang)}: {called(one.step, lang)}" for one in held.tracks]
    rows: list[tuple[str, Any]] = [
        ("manager", held.manager),
        ("services", say["and"].join(services)),
        ("users", None if held.users is None else str(held.users)),
        ("tracks", say["and"].join(tracks)),
    ]
    return [say[name].format(value) for name, value in rows if value]


def _moment(terms: Terms, at: dt.datetime) -> str:
    local = at if terms.calendar is None else at.astimezone(terms.calendar.zone)
    return f"{local:%Y-%m-%d %H:%M %Z}"


def _lang(terms: Terms) -> str:
    return terms.lang if terms.lang in _SAID else "en"


_PROPOSED = {"en": "Criteria {criteria}: {met}", "zh": "符合标准 {criteria}：{met}"}

# fmt: off
_SAID: dict[str, dict[str, str]] = {
    "en": {
        "accepted":  "{number} ({priority}) is handled as a major incident since {at}.",
        "status":    "{number} ({priority}) is still a major incident, as of {at}.",
        "reopened":  "{number} ({priority}) was reopened at {at} and is a major incident again.",
        "restored":  "{number} ({priority}): the service was restored at {at}; a report and a review follow.",
        "closed":    "{number} ({priority}) was closed at {at}; a report and a review are on record.",
        "cancelled": "{number} ({priority}) is no major incident any more, since {at}.",
        "manager": "Responsible: {}.", "services": "Services: {}.", "users": "Users affected: {}.",
        "tracks": "Tracks: {}.", "next": "You hear again by {at}.",
        "no_priority": "no priority", "join": " ", "and": ", ",
    },
    "zh": {
        "accepted":  "{number}（{priority}）自 {at} 起按重大事件处理。",
        "status":    "{number}（{priority}）仍为重大事件，截至 {at}。",
        "reopened":  "{number}（{priority}）于 {at} 重新打开，再次按重大事件处理。",
        "restored":  "{number}（{priority}）：服务已于 {at} 恢复，随后提交报告并进行评审。",
        "closed":    "{number}（{priority}）已于 {at} 关闭，报告与评审均已存档。",
        "cancelled": "{number}（{priority}）自 {at} 起不再按重大事件处理。",
        "manager": "负责人：{}。", "services": "受影响服务：{}。", "users": "受影响用户数：{}。",
        "tracks": "各工作线：{}。", "next": "下次通报不晚于 {at}。",
        "no_priority": "无优先级", "join": "", "and": "、",
    },
}
# fmt: on
