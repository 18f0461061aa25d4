"""Buttons: what an actor may do with a record, and why not where they may not.

`options` asks the questions of `decide` for every trigger and so shows exactly the buttons that
would work. Nothing here does anything.
"""

from __future__ import annotations

import datetime as dt

import attrs

from itsm_core.actors import Actor
from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.errors import Reason
from itsm_core.events import Phase
from itsm_core.lifecycle.beside import ANYBODY, APPROVALS, BESIDE
from itsm_core.lifecycle.guards import Situation, guard_reasons
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.majors import MAJOR_BUTTONS, major_reasons, row_reasons
from itsm_core.lifecycle.parts import Need, Transition, fields_of, say
from itsm_core.lifecycle.reasons import (
    lifecycle_reasons,
    missing_needs,
    no_round,
    people_reasons,
    role,
    waivers_for,
    wrong_state,
)
from itsm_core.lifecycle.timers import kept_from_time, too_soon
from itsm_core.records import Record, Waiver
from itsm_core.values import only


@attrs.frozen(kw_only=True)
class Option:
    """A button: what it is called, where it leads if anywhere, what it needs, and why it is grey if it is.

    `needs` are all fields it asks for, `missing` those that nobody has given yet; `notes` say more about
    these, such as why a review is owed, and bar nothing. `instructions` say what to do. `waivers` are
    separations of duty that were set aside and let this actor press it.
    """

    trigger: str
    label: str
    enabled: bool
    destination: str | None = None
    needs: tuple[Need, ...] = ()
    missing: tuple[Need, ...] = ()
    reasons: tuple[Reason, ...] = ()
    instructions: str = ""
    waivers: tuple[Waiver, ...] = ()
    notes: tuple[Reason, ...] = ()


def options(
    record: Record,
    actor: Actor,
    lifecycle: Lifecycle,
    *,
    lang: str = "en",
    at: dt.datetime | None = None,
    related: tuple[Record, ...] = (),
    calendar: BusinessCalendar | None = None,
) -> tuple[Option, ...]:
    """Every trigger that people pull as a button for this actor, disabled ones with reasons.

    Timer edges are no buttons; of the commands beside the state those of approval are, where the lifecycle
    takes approvals, and those of a major incident, where one was proposed. `at` is when somebody looks,
    for guards and waivers that end; `related` and `calendar` are those of `decide`.
    """
    only(Actor, actor, "actor", 'say for whom: Actor.person("ana", "agent")')
    only(str, lang, "lang", 'name a language, such as "en" or "zh"')

    def situation(trigger: str) -> Situation:
        return Situation(
            record=record, actor=actor, trigger=trigger, at=at, related=related, calendar=calendar
        )

    found = [
        _option(situation(trigger), lifecycle, rows, lang)
        for trigger, rows in lifecycle.by_trigger.items()
        if any(row.after is None for row in rows)
    ]
    taken = [trigger for trigger in APPROVALS if trigger in lifecycle.guards_beside]
    found += [_approval(situation(trigger), lifecycle, lang) for trigger in taken]
    if record.major_incident is not None:
        found += [_major(situation(trigger), lifecycle, lang) for trigger in MAJOR_BUTTONS]
    return tuple(found)


def _option(situation: Situation, lifecycle: Lifecycle, rows: tuple[Transition, ...], lang: str) -> Option:
    record, actor, at = situation.record, situation.actor, situation.at
    row, objections = _best(situation, lifecycle, rows)
    shown = row or rows[0]
    reasons = lifecycle_reasons(record, lifecycle)
    if row is None:
        reasons.append(wrong_state(record, shown.trigger, lifecycle))
    lacking = missing_needs(shown.requires, {}, record)
    notes = [reason for reason in objections if dict(reason.facts).get("field") in fields_of(lacking)]
    reasons += people_reasons(record, actor, shown, at)
    reasons += [reason for reason in objections if reason not in notes]
    if row is not None and row.after is not None:
        reasons += [] if at is None else too_soon(record, row, at, situation.calendar)
        reasons += kept_from_time(record, row, lifecycle)
    waivers = [w for name in shown.separate_from for w in waivers_for(record, shown.trigger, name, at)]
    return Option(
        trigger=shown.trigger,
        label=shown.say(lang),
        enabled=not reasons,
        destination=None if row is None else row.dest,
        needs=shown.requires,
        missing=tuple(lacking),
        reasons=tuple(reasons),
        instructions=say(shown.instructions, lang, ""),
        waivers=tuple(waivers),
        notes=tuple(notes),
    )


def _approval(situation: Situation, lifecycle: Lifecycle, lang: str) -> Option:
    """The button of a command of approval; `decide` asks the same of the command."""
    record, actor, trigger = situation.record, situation.actor, situation.trigger
    (label, _), beside = APPROVALS[trigger], BESIDE[trigger]
    reasons = lifecycle_reasons(record, lifecycle)
    if beside.roles is not ANYBODY and not beside.roles & actor.roles:
        reasons.append(role(actor, beside.roles, trigger))
    if record.phase is Phase.CLOSED:
        reasons.append(wrong_state(record, trigger, lifecycle))
    reasons += no_round(record, trigger)
    reasons += guard_reasons(lifecycle.guards_beside[trigger], lifecycle.guards, situation)
    return Option(
        trigger=trigger,
        label=say(label, lang, trigger),
        enabled=not reasons,
        needs=beside.needs,
        missing=beside.needs,
        reasons=tuple(reasons),
    )


def _major(situation: Situation, lifecycle: Lifecycle, lang: str) -> Option:
    """The button of a command about a major incident; `decide` asks the same of the command."""
    record, actor, trigger = situation.record, situation.actor, situation.trigger
    (label, _), beside = MAJOR_BUTTONS[trigger], BESIDE[trigger]
    reasons = lifecycle_reasons(record, lifecycle)
    if not beside.roles & actor.roles:
        reasons.append(role(actor, beside.roles, trigger))
    if record.phase is Phase.CLOSED:
        reasons.append(wrong_state(record, trigger, lifecycle))
    reasons += major_reasons(record, trigger, situation.at, lifecycle)
    reasons += guard_reasons(lifecycle.guards_beside.get(trigger, ()), lifecycle.guards, situation)
    return Option(
        trigger=trigger,
        label=say(label, lang, trigger),
        enabled=not reasons,
        needs=beside.needs,
        missing=beside.needs,
        reasons=tuple(reasons),
    )


def _best(
    situation: Situation, lifecycle: Lifecycle, rows: tuple[Transition, ...]
) -> tuple[Transition | None, list[Reason]]:
    """The row that would be taken, and what guards have to say against it."""
    candidates = [row for row in rows if situation.record.state in row.sources]
    if not candidates:
        return None, []
    judged = [(row, row_reasons(row, lifecycle, situation)) for row in candidates]
    return min(judged, key=lambda pair: len(pair[1]))
