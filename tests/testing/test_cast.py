"""Who acts when a lifecycle is tried: somebody in each role and relation."""

import attrs

from itsm_core.lifecycle import CustomField, Transition
from itsm_core.processes import CHANGE, INCIDENT, TASK
from itsm_core.testing import cast
from itsm_core.testing.cast import relations, roles_of

OURS = attrs.evolve(
    INCIDENT, roles=["dispatcher"], fields=[*INCIDENT.fields, CustomField("sponsor", "text")],
    transitions=[*INCIDENT.transitions, Transition("bless", "new", dest="new", roles={"priest"}, relation={"sponsor"})],
)  # fmt: skip


def test_there_is_somebody_in_each_role_and_in_no_other():
    """Those of transitions, of the lifecycle and of commands beside the state."""
    assert roles_of(OURS) == {"agent", "manager", "automation", "dispatcher", "priest"}
    alone = {next(iter(a.roles)) for a in cast(OURS) if len(a.roles) == 1}
    assert alone == roles_of(OURS)
    assert {a.id for a in cast(OURS) if a.roles == {"priest"}} == {"the priest"}


def test_there_is_somebody_in_each_relation():
    """Without any role, so that only the relation lets them."""
    assert relations(OURS)["sponsor"] == "the record's sponsor"
    assert relations(TASK) == {"assignee": "the record's assignee", "requester": "the record's requester"}
    bare = {actor.id for actor in cast(OURS) if not actor.roles}
    assert bare == {*relations(OURS).values(), "a stranger"}


def test_there_are_two_in_all_roles_an_automation_an_ai_agent_and_time():
    """Duties kept apart can be done, or not, by one person."""
    kinds = {actor.kind.value for actor in cast(CHANGE)}
    assert kinds == {"person", "automation", "ai_agent"}
    assert sum(a.is_person and a.roles == {"agent", "manager"} for a in cast(CHANGE)) == 2
    assert sum("itsm_core" in a.roles for a in cast(CHANGE)) == 1
    (agent,) = (actor for actor in cast(CHANGE) if actor.kind.value == "ai_agent")
    assert agent.approved_by in {actor.id for actor in cast(CHANGE)}


def test_nobody_is_there_twice():
    """Ids tell them apart, the same each time."""
    ids = [actor.id for actor in cast(OURS)]
    assert len(set(ids)) == len(ids)
    assert cast(OURS) == cast(OURS)
