"""Who acts: kinds, roles, and what an AI agent must say of itself."""

import os
import pickle
import subprocess
import sys

import attrs
import pytest

from itsm_core.actors import Actor, ActorKind
from itsm_core.errors import InvalidValue


@pytest.mark.parametrize(
    ("actor", "kind"),
    [
        (Actor.person("x", "agent"), "person"),
        (Actor.automation("x", "agent"), "automation"),
        (Actor.ai_agent("x", "agent", model="m", version="1"), "ai_agent"),
        (Actor.supplier("x", "agent"), "supplier"),
        (Actor.monitoring("x", "agent"), "monitoring"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_kind_has_a_constructor(actor, kind):
    """The shorthand says the kind; roles stand behind the id."""
    assert (actor.id, actor.kind, actor.roles) == ("x", ActorKind(kind), frozenset({"agent"}))
    assert actor.is_person is (kind == "person")


def test_every_kind_is_named():
    """DESIGN, records and events: person, automation, AI agent, supplier, monitoring."""
    assert set(ActorKind) == {"person", "automation", "ai_agent", "supplier", "monitoring"}


def test_an_actor_is_a_person_unless_said_otherwise():
    """The plain constructor makes a person without roles."""
    assert Actor("ana") == Actor.person("ana")
    assert Actor("ana").roles == frozenset()


@pytest.mark.parametrize("roles", ["agent", ["agent"], ("agent",), {"agent"}, frozenset({"agent"})])
def test_roles_may_be_one_name_or_many(roles):
    """A single text is one role, never its letters."""
    assert Actor("ana", roles=roles).roles == frozenset({"agent"})


def test_a_kind_may_be_given_by_name():
    """Stored actors name their kind as text."""
    assert Actor("nagios", "monitoring").kind is ActorKind.MONITORING


def test_an_unknown_kind_is_refused_with_the_known_ones():
    """The message lists what would do."""
    with pytest.raises(InvalidValue, match="use one of person, automation, ai_agent, supplier, monitoring"):
        Actor("x", "robot")


def test_an_actor_without_id_is_refused():
    """Nobody in particular cannot act."""
    with pytest.raises(InvalidValue, match="has no id"):
        Actor("")


@pytest.mark.parametrize("said", [{}, {"model": "m"}, {"version": "1"}, {"model": "", "version": "1"}])
def test_an_ai_agent_names_its_model_and_its_version(said):
    """Both, or nobody can tell what acted."""
    with pytest.raises(InvalidValue, match="without model and version"):
        Actor("triage", ActorKind.AI_AGENT, **said)


def test_an_ai_agent_may_name_who_approved():
    """The approving person is kept beside model and version."""
    agent = Actor.ai_agent("triage", model="m", version="1", approved_by="ana")
    assert (agent.model, agent.version, agent.approved_by) == ("m", "1", "ana")


def test_an_actor_cannot_be_changed():
    """A role is not gained by assignment."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Actor("ana").roles = frozenset({"manager"})


def test_a_pickled_actor_is_found_by_its_hash_in_another_process():
    """The cached hash of texts differs between processes, so it must not travel."""
    ana = Actor.person("ana", "agent")
    hash(ana)
    code = (
        "import pickle,sys; from itsm_core.actors import Actor;"
        "a = pickle.loads(sys.stdin.buffer.read()); assert a in {Actor.person('ana', 'agent')}"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run([sys.executable, "-c", code], input=pickle.dumps(ana), env=environment, check=True)


@pytest.mark.parametrize("roles", [(["agent"],), ({"agent"},), (5,), (None,), ("",)])
def test_roles_are_words(roles):
    """A list among them is no role; the message writes the call that was meant."""
    with pytest.raises(InvalidValue, match=r'is no word; roles are words: Actor.person\("ana", "agent"'):
        Actor.person("ana", *roles)


@pytest.mark.parametrize("id", [5, None, b"ana"])
def test_an_actor_is_named_by_a_text(id):
    """A number would never equal the requester of a record, which is a text."""
    with pytest.raises(InvalidValue, match=r'^actor .*Actor.person\("ana"\)'):
        Actor.person(id)


def test_the_name_of_an_actor_can_be_written_down():
    """Half a surrogate pair is no text: no digest could be taken of what they did."""
    with pytest.raises(InvalidValue, match="surrogate"):
        Actor.person("ana\ud800")
