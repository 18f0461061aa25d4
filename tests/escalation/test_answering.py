"""Who answers to the names in a step: a desk refuses the policy that nobody could answer to."""

import datetime as dt
from functools import partial

import attrs
import pytest

from itsm_core import (
    Actor,
    EscalationPolicy,
    EscalationStep,
    InvalidValue,
    OnCall,
    Rotation,
    ServiceDesk,
    stores,
)
from itsm_core.escalation import Trigger, as_named, by_id, lint

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
PROBE = Actor.monitoring("probe")
WEEK = Rotation("weekly", "2024-01-01 00:00", zone="UTC", participants=["ana"])
ON_CALL = OnCall({"network": WEEK})
FURTHER = OnCall({"network": WEEK}, otherwise=lambda name, *_: ("lea",))
CHAINED = OnCall({"network": WEEK}, otherwise=OnCall({}))


def look(name, at):
    """A directory that knows nobody."""


def paging(*names, **more):
    """A policy that tells these after five minutes."""
    page = EscalationStep("page", trigger=Trigger.unacknowledged("5m wall"), to=names, **more)
    return EscalationPolicy("paging", 3, steps=[page], last_resort="duty")


# fmt: off
GIVEN = [
    # what the desk is given                      the name              what the error says, or None
    ({},                                          "on_call:network",    r'resolver=OnCall\({"network": schedule}\)'),
    ({},                                          "role:lead",          'directory=, or a resolver=, that answers to "role:lead", or write "user:lead"'),
    ({},                                          "group:x",            "directory="),
    ({},                                          "manager_of:owner",   "directory="),
    ({},                                          "oncall:network",     "directory="),  # a slip of the pen
    ({},                                          "grace",              None),
    ({},                                          "grace@example.com",  None),
    ({},                                          "user:grace",         None),
    ({},                                          "callback:siren",     None),
    ({"directory": look},                         "on_call:network",    "resolver=OnCall"),
    ({"directory": look},                         "role:lead",          None),
    ({"resolver": ON_CALL},                       "on_call:network",    None),
    ({"resolver": ON_CALL},                       "on_call:netwrok",    "did you mean on_call:network"),
    ({"resolver": ON_CALL},                       "role:lead",          "directory="),
    ({"resolver": ON_CALL},                       "lead",               None),
    ({"resolver": FURTHER},                       "role:lead",          None),
    ({"resolver": FURTHER},                       "on_call:mail",       "schedule"),
    ({"resolver": CHAINED},                       "role:lead",          "directory="),
    ({"resolver": ON_CALL, "directory": look},    "role:lead",          None),
    ({"resolver": ON_CALL, "directory": look},    "on_call:netwrok",    "did you mean"),
    ({"resolver": as_named},                      "on_call:network",    None),  # the notifiers know it
    ({"resolver": lambda *_: ()},                 "role:lead",          None),  # who knows
]
# fmt: on


@pytest.mark.parametrize("place", ["to", "fallback"])
@pytest.mark.parametrize(("given", "name", "said"), GIVEN)
def test_a_policy_is_refused_where_nobody_could_answer_to_a_name(given, name, said, place):
    """As the desk is made, not at three in the morning: with policy, step, name and what to give."""
    more = {} if place == "to" else {"when_empty": "fallback", "fallback": name}
    policy = paging(name if place == "to" else "grace", **more)
    if said is None:
        ServiceDesk(stores.open("memory://"), policy=policy, **given)
        return
    with pytest.raises(InvalidValue, match=said) as refused:
        ServiceDesk(
            stores.open("memory://"), policy=[paging("grace"), attrs.evolve(policy, version=4)], **given
        )
    told = "is told by step 'page' of policy paging@4, and nobody here can say who that is"
    assert (refused.value.what, refused.value.value, refused.value.reason) == ("target", name, told)


@pytest.mark.parametrize("resolver", [by_id, OnCall({"network": WEEK}), OnCall({}).__call__])
def test_what_asks_for_somebody_is_nobody_where_it_is_not_known(store, resolver):
    """Behind a resolver that a desk cannot look into, too: the last resort is told, and history says why."""
    sent = []
    desk = ServiceDesk(
        store, policy=paging("role:lead", "on_call:mail"), notifiers=sent.append,
        resolver=partial(resolver),
    )  # fmt: skip
    desk.open("Disk full", actor=PROBE, at=T0, record_id="INC-1")
    desk.tick(T0 + 5 * MINUTE)
    assert [message.to for message in sent] == ["duty"]
    (fired,) = [event.fields for event in desk.history("INC-1") if event.kind == "escalated"]
    assert (fired["to"], fired["no_responder"]) == ("duty", True)


def test_a_directory_alone_does_not_know_who_is_on_call(store):
    """A policy that came to the desk's terms later: the name of a schedule is no person's."""
    sent = []
    desk = ServiceDesk(
        store, policy=paging("on_call:network"), notifiers=sent.append, directory=look,
        resolver=partial(by_id),
    )  # fmt: skip
    desk.open("Disk full", actor=PROBE, at=T0, record_id="INC-1")
    desk.tick(T0 + 5 * MINUTE)
    assert [message.to for message in sent] == ["duty"]


@pytest.mark.parametrize(
    ("name", "more", "message", "remedy"),
    [
        ("on_call:netwrok", {}, "tells 'on_call:netwrok', whom the resolver does not know",
         "did you mean on_call:network?"),
        ("role:lead", {}, "tells 'role:lead', whom the resolver does not know", "name somebody who is known"),
        ("role:lead", {"known": ["role:lead"]}, None, None),
        ("on_call:network", {}, None, None),
        ("on_call:network", {"resolver": by_id}, "tells 'on_call:network', whom the resolver does not know",
         "name somebody who is known"),
        ("grace", {"resolver": by_id}, None, None),
    ],
)  # fmt: skip
def test_lint_finds_what_the_resolver_says_it_does_not_know(name, more, message, remedy):
    """E001, without an instant: what is known beside it, as by the directory, is said by `known`."""
    findings = lint(paging(name), **{"resolver": ON_CALL, **more})
    found = [(one.code, one.message, one.remedy) for one in findings]
    assert found == ([] if message is None else [("E001", message, remedy)])
