"""Escalation policies read and written: steps, what sets them off, the calendar of their waits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.config.calendars import calendar_named, named_calendars, read_calendars
from itsm_core.config.reading import (
    COUNT,
    FLAG,
    NAMES,
    TEXT,
    VERSION,
    Form,
    Place,
    Rows,
    bounded,
    in_words_of_the_file,
    one_of,
    read_file,
    read_toml,
    some_of,
    spoken,
)
from itsm_core.errors import InvalidValue
from itsm_core.escalation.policies import ACK_MODES, GOES_ON, ON_HANDOFF, ON_PRIORITY_CHANGE, EscalationPolicy
from itsm_core.escalation.steps import (
    CATCH_UP,
    HOURS,
    STOPS_ON,
    URGENCIES,
    WHEN_EMPTY,
    Branch,
    Condition,
    EscalationStep,
    Repeat,
    StepKind,
)
from itsm_core.escalation.triggers import Trigger, TriggerKind, wait_of
from itsm_core.priority import Priority

MOST_STEPS = 200
"""The most steps of a policy file."""


def _share(place: Place, value: Any) -> str | int:
    if type(value) is int:
        return value
    if isinstance(value, float):
        raise place.refusal(value, "is no text", 'write "75 %", or the whole percent 75')
    return place.text(value)


def _wait(place: Place, value: Any) -> Any:
    text = place.text(value)
    return place.made(lambda: wait_of(text))


def _table(place: Place, value: Any) -> dict[str, Any]:
    return dict(place.table(value, 'write { priority = "P1" }'))


def _thawed(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_thawed(one) for one in value]
    return {name: _thawed(one) for name, one in value.items()} if isinstance(value, Mapping) else value


# fmt: off
WAIT = Form(_wait, str)
SHARE = Form(_share, lambda share: f"{share * 100} %")
FIELDS = Form(_table, _thawed)
_TRIGGER = Rows(Trigger, {
    "kind": one_of(TriggerKind), "share": SHARE, "metric": TEXT, "wait": WAIT, "state": TEXT,
    "count": COUNT, "to": some_of(Priority),
})
_CONDITION = Rows(Condition, {
    "priorities": some_of(Priority), "fields": FIELDS, "hours": one_of(HOURS),
})
_REPEAT = Rows(Repeat, {"to": TEXT, "times": COUNT})
# fmt: on


def _branches(place: Place, value: Any) -> list[Branch]:
    rows = place.items(value, 'write [{ to = "night", hours = "outside" }]')
    return [_branch(place.row(number), row) for number, row in enumerate(rows, start=1)]


def _branch(place: Place, value: Any) -> Branch:
    table = place.table(value, 'write { to = "night", hours = "outside" }')
    place.only(table, ("to", *_CONDITION.forms))
    place.need(table, ("to",))
    condition = _CONDITION.read(place, {name: one for name, one in table.items() if name != "to"})
    to = place.at("to").text(table["to"])
    return place.made(lambda: Branch(condition, to))


def _branched(held: tuple[Branch, ...]) -> list[dict[str, Any]]:
    return [{"to": branch.to, **_CONDITION.write(branch.when)} for branch in held]


def _repeated(held: Repeat) -> dict[str, Any]:
    return {"to": held.to, "times": held.times}


# fmt: off
_STEP = Rows(EscalationStep, {
    "id": TEXT, "at": SHARE, "trigger": Form(_TRIGGER.read, _TRIGGER.write), "after": WAIT, "metric": TEXT,
    "kind": one_of(StepKind), "to": NAMES, "group": TEXT, "assignee": TEXT, "sets": FIELDS,
    "declares_major": FLAG,
    "branches": Form(_branches, _branched), "repeat": Form(_REPEAT.read, _repeated),
    "when": Form(_CONDITION.read, _CONDITION.write), "then": TEXT, "channel": TEXT,
    "priorities": some_of(Priority), "when_empty": one_of(WHEN_EMPTY), "fallback": NAMES,
    "stops_on": one_of(STOPS_ON), "while_paused": FLAG, "catch_up": one_of(CATCH_UP),
    "expires_after": Form(Place.text, str), "urgency": one_of(URGENCIES),
})
_POLICY = Rows(EscalationPolicy, {
    "id": TEXT, "version": VERSION, "last_resort": TEXT, "priorities": some_of(Priority),
    "ack_mode": one_of(ACK_MODES), "ack_timeout": WAIT, "on_ack_timeout": one_of(GOES_ON),
    "updates_hold_ack": FLAG, "on_snooze_end": one_of(GOES_ON),
    "on_priority_change": one_of(ON_PRIORITY_CHANGE), "on_handoff": one_of(ON_HANDOFF),
    "catch_up": one_of(CATCH_UP),
})
# fmt: on
_UNDERSTOOD = ("kind", "metric", "stops_on")
"""What a step says by what else is filled, unless it says otherwise."""

STEP_KEYS = (*_STEP.forms, "unacknowledged")
POLICY_KEYS = (*_POLICY.forms, "steps", "calendar", "calendars")


def load_policy(path: str | Path) -> EscalationPolicy:
    """The escalation policy of a TOML file; raises `InvalidInput` with file, key and remedy."""
    return _read(*read_file(path, "policy"))


def policy_from_dict(plain: Mapping[str, Any]) -> EscalationPolicy:
    """The policy of plain values in the shape of the file, such as parsed JSON."""
    place = Place("", whole="policy")
    return _read(place, bounded(place, plain))


def policy_from_toml(text: str | bytes) -> EscalationPolicy:
    """The policy of a TOML text."""
    if not isinstance(text, str | bytes):
        remedy = "give the TOML itself, or load_policy"
        raise InvalidValue("policy", type(text).__name__, "is no text", remedy)
    place = Place("", whole="policy")
    return _read(place, read_toml(place, text))


def policy_to_dict(policy: EscalationPolicy) -> dict[str, Any]:
    """The policy as plain JSON values that `policy_from_dict` reads back to an equal one."""
    plain = _POLICY.write(policy)
    if policy.calendar is not None:
        names, calendars = named_calendars([policy.calendar])
        plain |= {"calendar": names[0], "calendars": calendars}
    return bounded(Place("", whole="policy"), {**plain, "steps": [_written(step) for step in policy.steps]})


def _written(step: EscalationStep) -> dict[str, Any]:
    """The table of a step; what is understood is left out."""
    plain = _STEP.write(step)
    known: dict[str, Any] = attrs.fields_dict(EscalationStep)
    usual = {name: known[name].default.factory(step) for name in _UNDERSTOOD}
    return {name: told for name, told in plain.items() if name not in usual or told != usual[name]}


def _read(place: Place, held: dict[str, Any]) -> EscalationPolicy:
    return in_words_of_the_file(lambda: _policy(place, held), _SPOKEN)


# fmt: off
_SPOKEN = spoken(
    (r"trigger=(?=Trigger)", ""),
    (r"Trigger\.share_of\((.+?)\)", r'trigger = { kind = "share", share = \1 }'),
    (r"Trigger\.in_state\((.+?), (.+?)\)", r'trigger = { kind = "state", state = \1, wait = \2 }'),
    (r"Trigger\.unacknowledged\((.+?)\)", r"unacknowledged = \1"),
    (r"Trigger\.(silent|(?:update|report|review)_overdue)\((.+?)\)", r'trigger = { kind = "\1", wait = \2 }'),
    (r"Trigger\.(reopened|reassigned)\((.+?)\)", r'trigger = { kind = "\1", count = \2 }'),
    (r"Trigger\.priority_changed\(to=(.+?)\)", r'trigger = { kind = "priority", to = [\1] }'),
    (r"repeat=Repeat\(to, times\)", 'repeat = { to = "page", times = 2 }'),
    (r"business\(business_days\(1\)\)", '"1 business day"'),
    (r"Fraction\(3, 4\), ", ""),
    (r"\bto=\((.+?)\)", r"to = [\1]"),
    (r"\b(\w+)=(?=\")", r"\1 = "),
)
# fmt: on


def _policy(place: Place, held: dict[str, Any]) -> EscalationPolicy:
    place.only(held, POLICY_KEYS)
    place.need(held, ("id", "version", "steps"))
    calendars = read_calendars(place.at("calendars"), held.get("calendars", {}))
    calendar = _counted_on(place, held, calendars)
    rows, where = held["steps"], place.at("steps")
    where.at_most(MOST_STEPS, where.items(rows, "write [[steps]]"), "policies")
    steps = [_step(where, number, row) for number, row in enumerate(rows, start=1)]
    given = _POLICY.given(place, held)
    return place.made(lambda: EscalationPolicy(**given, steps=steps, calendar=calendar))


def _counted_on(
    place: Place, held: Mapping[str, Any], calendars: Mapping[str, BusinessCalendar]
) -> BusinessCalendar | None:
    if "calendar" in held:
        return calendar_named(place.at("calendar"), held["calendar"], calendars)
    if len(calendars) > 1:
        raise place.at("calendars").refusal(sorted(calendars), "are several", "name one: calendar = ...")
    return next(iter(calendars.values()), None)


def _step(where: Place, number: int, value: Any) -> EscalationStep:
    table = where.row(number).table(value, "write [[steps]]")
    place = where.row(number, table.get("id"))
    place.only(table, STEP_KEYS)
    place.need(table, ("id",))
    given = _STEP.given(place, table)
    if "unacknowledged" in table:
        if "trigger" in given:
            raise place.refusal("unacknowledged, trigger", "set it off twice", "keep one of them")
        wait = _wait(place.at("unacknowledged"), table["unacknowledged"])
        given["trigger"] = Trigger.unacknowledged(wait)
    return place.made(lambda: EscalationStep(**given))
