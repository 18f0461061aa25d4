"""Changes walked through their lifecycle by the one door, with good values for all they ask."""

import datetime as dt

import attrs

from itsm_core.actors import Actor
from itsm_core.commands import Command
from itsm_core.lifecycle import decide
from itsm_core.processes import CHANGE, ChangePolicy, ChangeTemplate, authority, governed
from itsm_core.records import apply

T = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)  # a Monday
HOUR, DAY, TICK = dt.timedelta(hours=1), dt.timedelta(days=1), dt.timedelta(microseconds=1)
ANA, IVO, MONA, BOT = (
    Actor.person("ana", "agent"),  # opens
    Actor.person("ivo", "agent"),  # implements
    Actor.person("mona", "manager"),  # authorises
    Actor.automation("bot", "automation"),
)

PEOPLE = {
    "peer": ["pia", "pol", "ana"],
    "change_manager": ["mona"],
    "service_owner": ["sam"],
    "duty_manager": ["dora"],
    "cab": ["cab1", "cab2", "cab3", "cab4", "cab5"],
    "security": ["sec"],
}
"""Who they are, by part; ana is a peer of her own changes, too."""

START, END = T + 15 * DAY, T + 15 * DAY + 2 * HOUR
CLASSIFIED = {"category": "mail", "service_change": "none"}
RISK = {"likelihood": "low", "impact": "low"}
ANSWERS = {
    "benefit": "fewer stops",
    "feasibility": "done before",
    "cost": "two hours",
    "impact_on_services": "mail stands still for a minute",
    "impact_on_users": "none",
    "impact_on_plans": "none",
    "impact_on_capacity": "none",
    "impact_on_availability": "a minute",
    "impact_on_continuity": "none",
    "impact_on_security": "none",
    "impact_on_changes": "none",
}
WINDOW = {"planned_start": START, "planned_end": END}
ASSESSED = {**RISK, **ANSWERS, "urgency": "low", "backout_plan": "put the old one back", **WINDOW}
TESTED = {"test_result": "passed", "backout_test": "passed"}
DONE = {
    "resolution_outcome": "successful",
    "resolution_notes": "Replaced the queue",
    "actual_start": START,
    "actual_end": END,
}
REVIEWED = {"review_result": "met its objective", "review_actions": ["update the template"]}
FOUND = {"found_by": "comparison of configurations", "evidence": "the file differs"}
HELD = {"hold_reason": "supplier", "message": "We wait", "look_again_at": T + 300 * DAY}
WHY = {"reason": "Because"}
OUTCOME = {"resolution_outcome": "successful"}
TOLD = {"told_at": T + DAY}
RETROSPECT = {**CLASSIFIED, **RISK, **ANSWERS, **TESTED, "backout_plan": "reverse it", **TOLD, **REVIEWED}
TEMPLATE = ChangeTemplate(
    "reboot", 2, valid_from=T - 30 * DAY, valid_until=T + 300 * DAY, fields={"category": "mail"}
)
POLICY = ChangePolicy(templates=[TEMPLATE])
OURS = governed(CHANGE, POLICY)
"""The lifecycle under a policy that knows the template."""

NORMAL_ID = "CHG-1"
"""An id whose change is not drawn for review (seen by hand: `is_sampled` says no at 10 and at 50)."""


def ask(record, trigger, actor=ANA, *, at=T, fields=None, lifecycle=OURS, behalf=None, **known):
    """What a command comes to."""
    command = Command(trigger, actor, at=at, fields=fields or {}, on_behalf_of=behalf)
    return decide(record, command, lifecycle, **known)


def after(record, decision):
    """The record after what was accepted."""
    assert decision.accepted, decision
    for event in decision.events:
        record = apply(record, event)
    return record


def does(record, trigger, actor=ANA, **more):
    """The record after a command that is accepted."""
    return after(record, ask(record, trigger, actor, **more))


def opened(kind="normal", actor=ANA, *, id="CHG-1", lifecycle=OURS, **fields):
    """A new change."""
    held = {"record": id, "title": "Replace the queue", "change_kind": kind, **fields}
    return does(None, "open", actor, fields=held, lifecycle=lifecycle)


def assessed(actor=ANA, **fields):
    """A normal change in assessment."""
    return does(opened(actor=actor, **fields), "assess", fields=CLASSIFIED)


def submitted(actor=ANA, **fields):
    """A normal change that asks for authorisation; of low risk unless `fields` say otherwise."""
    return does(assessed(actor), "submit", fields={**ASSESSED, **fields})


def expedited(**fields):
    """An emergency that asks for authorisation."""
    return does(opened("emergency", **fields), "expedite", fields={**WHY, **RISK, **WINDOW})


def requested(record, *, at=T, people=PEOPLE, **more):
    """The change with an approval requested under the authority that it takes."""
    rule = attrs.evolve(authority(record, people, at=at), **more)
    return does(record, "request_approval", at=at, fields={"rule": rule.to_dict()})


def voted(record, *voters, choice="approve", at=T):
    """The change after these votes."""
    for voter in voters:
        record = does(record, "vote", Actor.person(voter), at=at, fields={"vote": choice})
    return record


def approved(record=None, *voters):
    """A change that was approved: by a peer, or by these."""
    record = submitted() if record is None else record
    return voted(requested(record), *(voters or ("pia",)))


def scheduled(record=None, *voters):
    """A change that was authorised."""
    return does(approved(record, *voters), "authorize", MONA)


def standard(**fields):
    """A standard change on its schedule."""
    held = {**CLASSIFIED, "template": "reboot", "template_version": 2, **WINDOW, **fields}
    return does(opened("standard"), "schedule", fields=held)


def implementing(record=None):
    """A change that is being implemented."""
    record = scheduled() if record is None else record
    return does(record, "implement", IVO, at=START, fields={**TESTED, **TOLD})


def in_review(record=None, **fields):
    """A change that was implemented."""
    record = implementing() if record is None else record
    return does(record, "complete", IVO, at=END, fields={**DONE, **fields})


def found(**fields):
    """A change that nobody authorised, as it is found."""
    return does(opened(**fields), "report_unauthorised", fields=FOUND)
