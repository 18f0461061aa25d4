"""All that the host writes to use itsm_core: buttons with reasons, and both clocks."""

import datetime as dt
from typing import Any

import itsm_core as itsm

WORDS = {"Open": "new", "In work": "in_progress", "Solved": "resolved", "Closed": "closed"}
WAITS = {"Waiting for customer": "on_hold/requester", "Waiting for supplier": "on_hold/supplier"}
STATES = itsm.StateMap("shop", {**WORDS, **WAITS}).checked(itsm.INCIDENT)
HOURS = itsm.BusinessCalendar.weekly("mon-fri 09:00-17:30", zone="Europe/London", name="shop desk")
AGREEMENT = itsm.default_agreement(HOURS)


def history(ticket: Any) -> tuple[itsm.Event, ...]:
    """What the change table tells; its `findings` are rows that do not fit."""
    rows = ticket.changes.order_by("at", "pk").values_list("at", "field", "old", "new", "by__name")
    return itsm.history_from_changes(
        rows,
        record=str(ticket.pk),
        states=STATES,
        opened_at=ticket.opened_at,
        requester=ticket.requester.name,
        fields={"priority": ticket.priority},
    )


def buttons(ticket: Any, person: Any) -> tuple[itsm.Option, ...]:
    """Every button for this person, the grey ones with their reasons."""
    actor = itsm.Actor.person(person.name, *(["agent"] if person.is_agent else []))
    return itsm.options(itsm.fold(history(ticket)), actor, itsm.INCIDENT)


def clocks(ticket: Any, at: dt.datetime) -> list[itsm.Clock]:
    """The response and the resolution clock at an instant."""
    return list(itsm.judge(history(ticket), AGREEMENT, at).values())
