"""Words between the desk and those it serves."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

import attrs

from itsm_core.actors import Actor, ActorKind
from itsm_core.business_time.instants import in_utc, parse_text, utc
from itsm_core.events.envelope import Event
from itsm_core.values import digest


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
