"""What somebody asks for: the only way to change a record."""

from __future__ import annotations

import datetime as dt
from typing import Required, TypedDict

import attrs

from itsm_core.actors import Actor
from itsm_core.business_time.instants import in_utc
from itsm_core.errors import InvalidValue
from itsm_core.values import NO_FIELDS, Fields, as_fields, frozen_json, only, word


def _names(fields: Fields) -> str:
    return "{" + ", ".join(fields) + "}"  # names only: values may be personal


@attrs.frozen
class Command:
    """A trigger that an actor pulls at an instant, with the fields it needs.

    `id` makes it repeatable: the same id twice gives the first answer. `expected` is the version
    of the record that the actor saw. `recorded_at` is when the host learnt of it, if that is
    later than `at`. Instants are kept in UTC.
    """

    trigger: str
    actor: Actor
    at: dt.datetime = attrs.field(converter=in_utc, kw_only=True)
    fields: Fields = attrs.field(default=NO_FIELDS, converter=as_fields, kw_only=True, repr=_names)
    id: str | None = attrs.field(default=None, kw_only=True)
    expected: int | None = attrs.field(default=None, kw_only=True)
    recorded_at: dt.datetime | None = attrs.field(
        default=None, converter=attrs.converters.optional(in_utc), kw_only=True
    )
    on_behalf_of: str | None = attrs.field(default=None, kw_only=True)
    channel: str | None = attrs.field(default=None, kw_only=True)
    cause: str | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        word(self.trigger, "trigger", 'name what is asked for, such as "resolve"')
        if not isinstance(self.actor, Actor):
            who = self.actor if isinstance(self.actor, str) and self.actor else "ana"
            only(Actor, self.actor, "actor", f'say who asks: Actor.person("{who}")')
        named = type(self.id) is str and self.id.isascii()
        if not (named and self.channel is self.on_behalf_of is self.cause is None):
            self._check_texts()
        if self.expected is not None:
            only(int, self.expected, "expected", "give the version of the record that the actor saw")

    def _check_texts(self) -> None:
        told = (self.id, self.channel, self.on_behalf_of, self.cause)
        for (name, remedy), value in zip(_REMEDIES.items(), told, strict=True):
            if value is not None and not (type(value) is str and value.isascii()):
                frozen_json(only(str, value, name, remedy), name)


_REMEDIES = {
    "command id": 'give a text, such as "form-8812"',
    "channel": 'give a text, such as "email", or leave it out',
    "on_behalf_of": "give the id of a person, or leave it out",
    "cause": "give the id of an event, or leave it out",
}


class Asked(TypedDict, total=False):
    """What a command of a desk is asked with: who, when, and how to repeat it.

    `expected` is the version of the record that the actor saw; the same `command_id` twice gives the
    first answer; `channel` is how it came in or goes out.
    """

    actor: Required[Actor]
    at: Required[dt.datetime]
    expected: int | None
    command_id: str | None
    channel: str | None
    on_behalf_of: str | None


_ASKED = frozenset(["actor", "at", "channel", "command_id", "expected", "on_behalf_of"])
_REQUIRED = {"actor": 'say who asks: actor=Actor.person("ana")', "at": "say when: at=datetime.now(UTC)"}


def complete(asked: Asked) -> Asked:
    """What was asked, refused if it lacks who or when, or says what no command takes.

    A misspelt `command_id` that nobody reads would do everything twice.
    """
    if not _ASKED.issuperset(asked):
        remedy = f"use {', '.join(sorted(_ASKED))}; further fields go by desk.fire(..., fields={{...}})"
        raise InvalidValue("argument", sorted(asked.keys() - _ASKED), "is unknown here", remedy)
    for name, remedy in _REQUIRED.items():
        if name not in asked:
            raise InvalidValue("argument", name, "is missing", remedy)
    return asked
