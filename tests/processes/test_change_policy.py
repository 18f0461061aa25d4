"""The change policy: what a desk decides about its changes, and a lifecycle under it."""

import attrs
import pytest

from changing import DAY, POLICY, START, TEMPLATE, T
from itsm_core.errors import InvalidValue
from itsm_core.processes import AUTHORITIES, CHANGE, Blackout, ChangePolicy, Seats, governed

PEER = (Seats("peer", ("peer",)),)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"authorities": []}, "are no mapping"),
        ({"authorities": {"low": PEER}}, "lack moderate"),
        ({"authorities": {**AUTHORITIES, "high": ()}}, "lack high"),
        ({"authorities": {**AUTHORITIES, "high": ["cab"]}}, "Seats"),
        ({"templates": TEMPLATE}, "is no list"),
        ({"templates": ["reboot"]}, "ChangeTemplate"),
        ({"templates": [TEMPLATE, attrs.evolve(TEMPLATE, suspended_at=T)]}, "is there twice"),
        ({"blackouts": ["year end"]}, "Blackout"),
    ],
)
def test_a_policy_that_is_none_is_refused(bad, words):
    """With what is wrong and what to write."""
    with pytest.raises(InvalidValue, match=words):
        ChangePolicy(**bad)


def test_a_policy_may_know_several_versions_of_a_template():
    """Each version is a template of its own."""
    both = [TEMPLATE, attrs.evolve(TEMPLATE, version=3)]
    assert ChangePolicy(templates=both).templates == tuple(both)


def test_policies_are_values():
    """Equal by what they hold."""
    assert ChangePolicy() == ChangePolicy()
    assert ChangePolicy(templates=[TEMPLATE]) == POLICY != ChangePolicy()
    assert ChangePolicy(authorities=dict.fromkeys(AUTHORITIES, PEER)) != ChangePolicy()
    closed = ChangePolicy(blackouts=[Blackout("x", start=START, end=START + DAY)])
    assert closed.blackouts[0].name == "x"


def test_a_lifecycle_under_a_policy_is_the_same_lifecycle():
    """Its records, versions and fingerprint are; only what its guards know differs."""
    ours = governed(CHANGE, POLICY)
    assert (ours.id, ours.version, ours.transitions, ours.states) == (
        CHANGE.id, CHANGE.version, CHANGE.transitions, CHANGE.states,
    )  # fmt: skip
    assert ours.fingerprint == CHANGE.fingerprint
    assert ours.guards.keys() == CHANGE.guards.keys()
    changed = {name for name in ours.guards if ours.guards[name] is not CHANGE.guards[name]}
    assert changed == {"authority_fits", "template_is_valid", "not_in_blackout"}


def test_a_lifecycle_made_from_it_can_be_governed_too():
    """Also one with fewer fields, or one that a desk derived."""
    assert governed(CHANGE.lite(), POLICY).id == "change.lite"
    derived = CHANGE.derive("acme.change").restrict("cancel", roles={"manager"}, source="implement").build()
    assert governed(derived, POLICY).id == "acme.change"
