"""Who acts when a lifecycle is tried: somebody in each role and relation, and those who may do nothing."""

from __future__ import annotations

from itsm_core.actors import Actor
from itsm_core.lifecycle.beside import DESK
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.timers import TIME

_MACHINES = frozenset({"automation", TIME.id})


def cast(lifecycle: Definition) -> tuple[Actor, ...]:
    """One actor in each role, one in each relation, two in all roles, an AI agent, a stranger, and time.

    Ids say who it is: "the agent", "the record's requester". Records opened for them name the relations,
    see `relations`.
    """
    roles = sorted(roles_of(lifecycle))
    people = [role for role in roles if role not in _MACHINES]
    return (
        *(Actor.person(f"the {role}", role) for role in people),
        *(Actor.person(who) for who in relations(lifecycle).values()),
        Actor.person("somebody with every role", *people),
        Actor.person("somebody else with every role", *people),
        Actor.automation("the automation", "automation"),
        Actor.ai_agent("the AI agent", *people, model="a model", version="1", approved_by="the agent"),
        Actor.person("a stranger"),
        TIME,
    )


def roles_of(lifecycle: Definition) -> frozenset[str]:
    """The roles that a lifecycle knows, and those of the commands beside its states."""
    return DESK.union(lifecycle.roles, (role for row in lifecycle.transitions for role in row.roles))


def relations(lifecycle: Definition) -> dict[str, str]:
    """Who stands in each relation to a record that is opened to try the lifecycle."""
    names = {name for row in lifecycle.transitions for name in row.relation} | {"requester", "assignee"}
    return {name: f"the record's {name}" for name in sorted(names)}
