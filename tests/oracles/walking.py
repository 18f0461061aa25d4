"""Records walked through a lifecycle by the one door, for tests of the shipped processes."""

import datetime as dt

from itsm_core.actors import Actor
from itsm_core.commands import Command
from itsm_core.lifecycle import decide
from itsm_core.lifecycle.timers import TIME
from itsm_core.records import apply

T = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)  # a Monday
HOUR, DAY, TICK = dt.timedelta(hours=1), dt.timedelta(days=1), dt.timedelta(microseconds=1)

ACTORS = {
    "agent": Actor.person("ana", "agent"),
    "manager": Actor.person("mona", "manager"),
    "automation": Actor.automation("bot", "automation"),
    "requester": Actor.person("rita"),
    "assignee": Actor.person("abe"),
    "passer-by": Actor.person("vera", "customer"),
    "time": TIME,
}
"""One actor in each capacity, and in no other."""

GIVEN = {
    "title": "Mail is down",
    "hold_reason": "supplier",
    "message": "We wait for a part",
    "look_again_at": "2024-12-01T00:00:00Z",
    "resolution_outcome": "fixed_permanent",
    "resolution_notes": "Changed the fuse",
    "resolution_method": "on_site",
    "closure_code": "user_confirmed",
    "reason": "Because",
    "duplicate_of": "INC-9",
    "merged_into": "INC-9",
    "successor": "REQ-9",
    "part_of": "REQ-1",
    "request_model": "laptop",
    "delivered": "A laptop",
}
"""A good value for each field that a transition asks for."""


def asked(lifecycle, trigger):
    """The fields that any transition of a trigger asks for, with good values."""
    return {need.field: GIVEN[need.field] for row in lifecycle.by_trigger[trigger] for need in row.requires}


def needed(lifecycle, trigger, state):
    """The fields that the transitions of a trigger out of a state ask for, with good values."""
    return {need.field: GIVEN[need.field] for row in lifecycle.rows(trigger, state) for need in row.requires}


def opened(lifecycle, actor=ACTORS["agent"], *, at=T, record="R-1", **fields):
    """What opening a record comes to."""
    held = {"record": record, "title": "Mail is down", **fields}
    return decide(None, Command("open", actor, at=at, fields=held), lifecycle)


def fire(record, trigger, lifecycle, actor=ACTORS["agent"], *, at=T, fields=None, **known):
    """What a command comes to; the fields that it needs are there unless `fields` say otherwise."""
    if fields is None and trigger in lifecycle.by_trigger:
        fields = needed(lifecycle, trigger, record.state)
    return decide(record, Command(trigger, actor, at=at, fields=fields or {}), lifecycle, **known)


def after(record, decision):
    """The record after what was accepted."""
    assert decision.accepted, decision.reasons
    for event in decision.events:
        record = apply(record, event)
    return record
