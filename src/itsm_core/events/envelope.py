"""The envelope of every event: what it must hold, its canonical bytes, and what erasure leaves of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any

import attrs

from itsm_core.actors import Actor
from itsm_core.business_time.instants import in_utc
from itsm_core.errors import InvalidValue
from itsm_core.values import (
    NO_FIELDS,
    Fields,
    as_fields,
    as_object,
    digest_of,
    evolver,
    joined,
    quoted,
    sha256,
    spelt,
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
        marks = self.personal
        kept = {
            n: digest_of(marks.get(n, ""), n, v) if n in marks or type(v) is not str else _in_the_clear(n, v)
            for n, v in self.fields.items()
        }
        return {**self.erased, **kept} if self.erased else kept  # a value that is there answers for itself

    def canonical(self) -> bytes:
        """The bytes that are hashed: the envelope, and in place of each field its digest."""
        return self._canonical(spelt(self))

    def _canonical(self, parts: dict[str, str]) -> bytes:
        held = {**parts, "fields": _object_of(self.digests())}
        held.pop("personal", None)
        held.pop("erased", None)
        return as_object(held if "fields" in parts else dict(sorted(held.items()))).encode()

    @property
    def digest(self) -> str:
        """The SHA-256 of `canonical()`, unchanged by erasure."""
        return sha256(self.canonical())

    def proven(self) -> tuple[str, str]:
        """The canonical JSON of the event, as stores keep it, and its digest."""
        parts = spelt(self)
        return as_object(parts), sha256(self._canonical(parts))

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


def _object_of(digests: Mapping[str, str]) -> str:
    """The digests as a canonical object: they need no escaping, the names may."""
    if not "".join(digests).isascii():
        return written(digests)  # in the order of UTF-16
    return "{" + ",".join([f'{quoted(name)}:"{digests[name]}"' for name in sorted(digests)]) + "}"


@lru_cache(maxsize=4096)
def _in_the_clear(name: str, value: str) -> str:
    """The digest of a field that is not personal: groups, states and phases come again and again."""
    return digest_of("", name, value)


_with_marks = evolver(Event, "personal")


def personal_among(names: Iterable[str]) -> Fields:
    """The marks of those names that are personal wherever they occur."""
    found = PERSONAL.intersection(names)
    return Fields(dict.fromkeys(found, "")) if found else NO_FIELDS
