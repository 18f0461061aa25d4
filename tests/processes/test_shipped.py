"""What is shipped: lifecycles and records go to other processes, such as those of a notebook, and are copied."""

import copy
import pickle

import attrs
import pytest

from changing import ANA, POLICY, START, T, ask, implementing, in_review, scheduled
from itsm_core.lifecycle import options
from itsm_core.processes import CHANGE, PROCESSES, SHIPPED, WAYS, Blackout, governed, way_of

POLICED = governed(CHANGE, attrs.evolve(POLICY, blackouts=[Blackout("year end", start=T, end=START)]))
MADE = (
    *SHIPPED,
    *(one.lite() for one in SHIPPED),
    *(one.derive(f"acme.{one.id}").build() for one in SHIPPED),
    *(way_of(kind, CHANGE) for kind in WAYS),
    POLICED,
)
IDS = [*(one.id for one in MADE[:-1]), "change under a policy"]
THERE_AND_BACK = {
    **{f"pickle {protocol}": lambda it, p=protocol: pickle.loads(pickle.dumps(it, p)) for protocol in (2, 5)},
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.fixture(params=THERE_AND_BACK.values(), ids=THERE_AND_BACK)
def travels(request):
    """A way to another process, or to a copy."""
    return request.param


@pytest.mark.parametrize("lifecycle", MADE, ids=IDS)
def test_a_lifecycle_travels_with_its_guards(lifecycle, travels):
    """It is equal where it arrives, its guards included, before and after it was used."""
    assert options(lifecycle.record("A-1"), ANA, lifecycle)
    assert (lifecycle.ways, lifecycle.fingerprint) != (None, "")
    for one in (attrs.evolve(lifecycle), lifecycle):
        found = travels(one)
        assert type(found) is type(one)
        assert found == one
        assert found.guards == one.guards
        assert found.fingerprint == one.fingerprint


@pytest.mark.parametrize("lifecycle", MADE, ids=IDS)
def test_a_record_travels(lifecycle, travels):
    """In any state, and the buttons are the same there."""
    for state in lifecycle.by_id:
        record = lifecycle.record("A-1", state, opened_at=T, requester="rita", hold_reason="supplier")
        found = travels(record)
        assert found == record
        assert options(found, ANA, travels(lifecycle)) == options(record, ANA, lifecycle)


@pytest.mark.parametrize("make", [scheduled, implementing, in_review])
def test_a_record_with_a_history_travels(make, travels):
    """Votes, waivers and hands; the same commands are refused for the same reasons."""
    record, lifecycle = make(), travels(POLICED)
    found = travels(record)
    assert found == record
    for trigger in ("implement", "complete", "close"):
        there = ask(found, trigger, at=START, lifecycle=lifecycle)
        assert there == ask(record, trigger, at=START, lifecycle=POLICED)


def test_guards_that_differ_make_lifecycles_that_differ():
    """What travels as a value is compared as one."""
    assert POLICED != CHANGE
    assert governed(CHANGE, POLICY) == governed(CHANGE, POLICY)
    assert governed(CHANGE, POLICY) != POLICED


def test_every_shipped_lifecycle_is_found_by_its_id():
    """The table and the tuple name the same."""
    assert {one.id: one for one in SHIPPED} == PROCESSES
