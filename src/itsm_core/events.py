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
    corrected      event, field, was, now, reason
    escalated      key, policy, policy_version, step, target, share, to, scheduled_at
    refused        trigger, codes: a command of an automation that was refused
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import attrs

from itsm_core.actors import Actor, ActorKind
from itsm_core.business_time.instants import in_utc, parse_text, utc
from itsm_core.errors import InvalidValue
from itsm_core.values import (
    NO_FIELDS,
    Fields,
    as_fields,
    digest,
    digest_of,
    evolver,
    frozen_json,
    joined,
    sha256,
    to_dict,
    written,
)

SCHEMA = 1
"""The schema that new events are written in; an event without one is of schema 1."""

PERSONAL = frozenset(
    {
        *("requester", "affected", "needs", "title", "description"),
        *("text", "text_digest", "wording", "message"),
        *("resolution_notes", "reason", "late_reason", "priority_reason"),
    }
)
"""Field names that are personal wherever they occur: people, and every free text.

Hosts name further ones on the event. A digest of words is personal too: short words can be found
by guessing. Actors, owners and assignees are opaque ids; whom they mean is the host's to forget.
"""


class Phase(StrEnum):
    """The closed set of meanings a state can have; clocks and reports know no other."""

    NEW = "new"
    ACTIVE = "active"
    WAITING = "waiting"
    RESOLVED = "resolved"
    CLOSED = "closed"

    @property
    def is_open(self) -> bool:
        """Whether work is still owed: new, active or waiting."""
        return self in _OPEN


_OPEN = frozenset({Phase.NEW, Phase.ACTIVE, Phase.WAITING})


class WaitsOn(StrEnum):
    """Whom or what a waiting record waits for; these are the hold reasons too."""

    REQUESTER = "requester"
    CUSTOMER_APPROVER = "customer_approver"
    SUPPLIER = "supplier"
    PROBLEM = "problem"
    CHANGE = "change"
    INTERNAL = "internal"
    SCHEDULE = "schedule"


def _marks(value: Mapping[str, str] | Iterable[str]) -> Fields:
    if isinstance(value, Mapping):
        return as_fields(value)
    return as_fields(dict.fromkeys(value, ""))


def _seq(_: Any, __: Any, value: Any) -> None:
    if type(value) is not int or value < 1:
        raise InvalidValue("seq", value, "is no place in a record", "events count 1, 2, 3, ...")


@attrs.frozen(kw_only=True, hash=False)
class Event:
    """One thing that happened to one record.

    `id` makes it unique: the same id is the same event. `seq` counts 1, 2, 3 within the record.
    `occurred_at` may lie before `recorded_at`, never after; both are kept in UTC. `personal`
    maps the names of personal fields to the salt of their digest ("" until `sealed`); `erased`
    keeps the digests of fields whose values are gone.
    """

    id: str
    record: str
    seq: int = attrs.field(validator=_seq)
    kind: str
    occurred_at: dt.datetime = attrs.field(converter=in_utc)
    recorded_at: dt.datetime = attrs.field(converter=in_utc)
    actor: Actor
    schema: int = 1
    on_behalf_of: str | None = None
    channel: str | None = None
    cause: str | None = None
    lifecycle: str | None = None
    lifecycle_version: int | None = None
    from_state: str | None = None
    to_state: str | None = None
    fields: Fields = attrs.field(default=NO_FIELDS, converter=as_fields)
    personal: Fields = attrs.field(default=NO_FIELDS, converter=_marks)
    erased: Fields = attrs.field(default=NO_FIELDS, converter=as_fields)
    tenant: str | None = None

    def __attrs_post_init__(self) -> None:
        if self.occurred_at > self.recorded_at:
            raise InvalidValue(
                "occurred_at",
                self.occurred_at.isoformat(),
                "lies after recorded_at",
                "nothing is recorded before it happens; check the two clocks",
            )

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        hidden = PERSONAL.union(self.personal)
        shown = {n: "..." if n in hidden else v for n, v in self.fields.items()}
        return f"Event({self.record} #{self.seq} {self.kind} at {self.occurred_at.isoformat()} {shown})"

    @property
    def order(self) -> tuple[dt.datetime, int]:
        """The key that orders the events of a record."""
        return (self.occurred_at, self.seq)

    def digests(self) -> dict[str, str]:
        """The digest of every field, erased ones included: of [salt, name, value]."""
        salt = self.personal.get
        kept = {n: digest_of(salt(n, ""), n, v) for n, v in self.fields.items()}
        return {**self.erased, **kept}  # a value that is there answers for itself

    def canonical(self, plain: Mapping[str, Any] | None = None) -> bytes:
        """The bytes that are hashed: the envelope (`plain`: to_dict's), a digest for each field."""
        envelope = {**(to_dict(self) if plain is None else plain), "fields": self.digests()}
        envelope.pop("personal", None)
        envelope.pop("erased", None)
        return written(envelope).encode()

    @property
    def digest(self) -> str:
        """The SHA-256 of `canonical()`, unchanged by erasure."""
        return sha256(self.canonical())

    def sealed(self, salt: Any) -> Event:
        """The event with a salt from `salt()` on each personal field that has none yet."""
        bare = [name for name, mark in self.personal.items() if not mark and name in self.fields]
        if not bare:
            return self
        return _with_marks(self, joined(self.personal, as_fields({name: salt() for name in bare})))

    def erase(self, *names: str) -> Event:
        """The event without the values of these personal fields; its digest stays the same.

        The salt goes with the value. An event that was never sealed is refused: without a salt
        a short value can be guessed from its digest. A field that was erased before stays so.
        """
        names = tuple(n for n in names if n not in self.erased)
        wrong = [n for n in names if n not in self.personal or n not in self.fields]
        if wrong:
            raise InvalidValue(
                "field", wrong, "is not a personal field of this event", "erase personal fields only"
            )
        bare = [n for n in names if not self.personal[n]]
        if bare:
            raise InvalidValue(
                "field", bare, "was never sealed, so its value could be guessed from its digest",
                "seal the event before its digest is kept: event.sealed(salt)",
            )  # fmt: skip
        digests = self.digests()
        return attrs.evolve(
            self,
            fields={n: v for n, v in self.fields.items() if n not in names},
            personal={n: s for n, s in self.personal.items() if n not in names},
            erased={**self.erased, **{n: digests[n] for n in names}},
        )


_with_marks = evolver(Event, "personal")


def personal_among(names: Iterable[str]) -> Fields:
    """The marks of those names that are personal wherever they occur."""
    found = PERSONAL.intersection(names)
    return Fields(dict.fromkeys(found, "")) if found else NO_FIELDS


# --- corrections ------------------------------------------------------------------------------


UNCORRECTABLE = frozenset(
    {
        *("process", "agreement", "messages", "trigger", "phase", "waits_on", "outcome", "key", "event"),
        *("hold_reason", "look_again_at", "impact", "urgency", "priority"),
        *("field", "was", "now", "reopens", "promised_since"),
        *("rule", "round", "vote", "separate_from", "until", "review"),
        *("exception", "metric", "since", "confirmation"),
    }
)
"""Fields that no correction changes: undo a step by a command, a priority by `reprioritise`, a vote, a
waiver or what a manager justified by another, and a wrong correction by correcting the event itself once
more."""


def correction(event: Event, field: str, now: Any, reason: str) -> dict[str, Any]:
    """The fields of a `corrected` event; `field` is "occurred_at" or a field of the event.

    Refused: an instant after the event was recorded, and the fields in `UNCORRECTABLE`.
    """
    if not reason:
        raise InvalidValue("reason", reason, "is empty", "say why the record was wrong")
    if field == "occurred_at" and event.kind not in _IN_ORDER:
        return _retimed(event, now, reason)
    if field not in event.fields or field in UNCORRECTABLE:
        instant = set() if event.kind in _IN_ORDER else {"occurred_at"}
        known = sorted(instant.union(event.fields) - UNCORRECTABLE)
        raise InvalidValue(
            "field", field, f"of event {event.id} cannot be corrected", f"correct one of {known}"
        )
    was = event.fields[field]
    return {"event": event.id, "field": field, "was": was, "now": frozen_json(now, field), "reason": reason}


_IN_ORDER = frozenset({"approval_requested", "voted", "waived", "migrated"})
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


# --- communications ---------------------------------------------------------------------------


class Direction(StrEnum):
    """Whether words came in or went out."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Audience(StrEnum):
    """For whom words are."""

    REQUESTER = "requester"
    INTERNAL = "internal"
    MANAGEMENT = "management"
    PUBLIC = "public"


@attrs.frozen(kw_only=True)
class Communication:
    """One exchange: who said it, to whom, how, and the digest of the words.

    The text itself may lie with the host (`text_ref`); `text_digest` proves which it was.
    `message_id` makes receiving idempotent. `promise_due` says when the next word was promised.
    """

    direction: Direction = attrs.field(converter=Direction)
    channel: str
    author: Actor
    audience: Audience = attrs.field(converter=Audience)
    at: dt.datetime = attrs.field(converter=in_utc)
    text: str | None = attrs.field(default=None, repr=False)
    text_digest: str | None = attrs.field(default=None, repr=False)
    text_ref: str | None = None
    message_id: str | None = None
    automatic: bool = False
    promise_due: dt.datetime | None = attrs.field(default=None, converter=attrs.converters.optional(in_utc))

    @property
    def answers(self) -> bool:
        """Whether it answers the requester: said by a person, outbound, and heard outside."""
        return (
            self.direction is Direction.OUTBOUND
            and self.audience in _HEARD
            and not self.automatic
            and self.author.kind is ActorKind.PERSON
        )

    def fields(self) -> dict[str, Any]:
        """The fields of its `communicated` event."""
        held = {
            "direction": self.direction,
            "audience": self.audience,
            "text": self.text,
            "text_digest": self.text_digest or (digest(self.text) if self.text else None),
            "text_ref": self.text_ref,
            "message_id": self.message_id,
            "automatic": self.automatic or None,
            "promise_due": self.promise_due,
        }
        return {name: value for name, value in held.items() if value is not None}

    @classmethod
    def of(cls, event: Event) -> Communication:
        """The communication that a `communicated` event records."""
        held = event.fields
        due = held.get("promise_due")
        return cls(
            direction=Direction(held["direction"]),
            channel=event.channel or "unknown",
            author=event.actor,
            audience=Audience(held["audience"]),
            at=event.occurred_at,
            text=held.get("text"),
            text_digest=held.get("text_digest"),
            text_ref=held.get("text_ref"),
            message_id=held.get("message_id"),
            automatic=bool(held.get("automatic")),
            promise_due=None if due is None else utc(parse_text(due)),
        )


_HEARD = frozenset({Audience.REQUESTER, Audience.PUBLIC})
