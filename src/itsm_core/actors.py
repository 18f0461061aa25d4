"""Who acts, and in what capacity.

People, automations, AI agents, suppliers and monitoring pass the same guards; what differs is
what their acts prove: an automatic reply answers nobody, and an AI agent names its model.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.values import frozen_json, member, named, texts


class ActorKind(StrEnum):
    """What kind of actor it is."""

    PERSON = "person"
    AUTOMATION = "automation"
    AI_AGENT = "ai_agent"
    SUPPLIER = "supplier"
    MONITORING = "monitoring"


def _kind(value: ActorKind | str) -> ActorKind:
    return value if type(value) is ActorKind else member(ActorKind, value, "actor kind")


def _roles(value: Iterable[str]) -> frozenset[str]:
    return frozenset(texts(value, "role", 'roles are words: Actor.person("ana", "agent", "manager")'))


@attrs.frozen(cache_hash=True)
class Actor:
    """Somebody or something that acts: an opaque id, a kind, and the roles it holds.

    `model` and `version` are required of an AI agent; `approved_by` names the person who
    approved what it did. The library keeps no directory: ids mean what the host says.
    """

    id: str
    kind: ActorKind = attrs.field(default=ActorKind.PERSON, converter=_kind)
    roles: frozenset[str] = attrs.field(default=frozenset(), converter=_roles, kw_only=True)
    model: str | None = attrs.field(default=None, kw_only=True)
    version: str | None = attrs.field(default=None, kw_only=True)
    approved_by: str | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        frozen_json(named(self.id, "actor", 'name it: Actor.person("ana")'), "actor")
        if self.kind is ActorKind.AI_AGENT and not (self.model and self.version):
            raise InvalidValue(
                "actor",
                self.id,
                "is an AI agent without model and version",
                'say which acts: Actor.ai_agent("triage", model="...", version="...")',
            )

    @property
    def is_person(self) -> bool:
        """Whether a human being acts."""
        return self.kind is ActorKind.PERSON

    @classmethod
    def person(cls, id: str, *roles: str) -> Actor:
        """A human being with these roles, such as "agent" or "manager"."""
        return cls(id, ActorKind.PERSON, roles=roles)

    @classmethod
    def automation(cls, id: str, *roles: str) -> Actor:
        """A rule, timer or script."""
        return cls(id, ActorKind.AUTOMATION, roles=roles)

    @classmethod
    def ai_agent(
        cls, id: str, *roles: str, model: str, version: str, approved_by: str | None = None
    ) -> Actor:
        """An AI agent, with the model and version that acts and the person who approved."""
        return cls(id, ActorKind.AI_AGENT, roles=roles, model=model, version=version, approved_by=approved_by)

    @classmethod
    def supplier(cls, id: str, *roles: str) -> Actor:
        """An external supplier or somebody who works for one."""
        return cls(id, ActorKind.SUPPLIER, roles=roles)

    @classmethod
    def monitoring(cls, id: str, *roles: str) -> Actor:
        """A monitoring system."""
        return cls(id, ActorKind.MONITORING, roles=roles)
