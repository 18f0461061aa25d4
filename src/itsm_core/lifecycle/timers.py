"""Timer edges: transitions that time fires, when a record has been in a state for so long.

Or when an instant that the record knows has come: `InstantOf` a field, or the end of an approval round.
"""

from __future__ import annotations

import datetime as dt
from functools import cache

from itsm_core.actors import Actor
from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.durations import BusinessDays, CalendarDays
from itsm_core.business_time.instants import parse_text, utc
from itsm_core.errors import BeyondHorizon, InvalidValue, NeverOpens, Reason
from itsm_core.events import Phase
from itsm_core.lifecycle.guards import Situation
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.majors import row_reasons, undecided
from itsm_core.lifecycle.parts import OF_THE_ROUND, InstantOf, Transition
from itsm_core.records import Record

TIME = Actor.automation("itsm_core", "automation", "itsm_core")
"""Who acts when time does, or when the library carries out a consequence."""


@cache
def around_the_clock() -> BusinessCalendar:
    """The calendar that counts where nobody gives one: every day, in UTC."""
    return BusinessCalendar.always("UTC")


def timer_due(record: Record, row: Transition, calendar: BusinessCalendar | None) -> dt.datetime | None:
    """When a timer edge out of the record's state falls due; None if it never does."""
    if isinstance(row.after, InstantOf):
        return _instant(record, row.after.field)
    if row.after is None or record.entered_at is None:
        return None
    try:
        if calendar is None and isinstance(row.after, (BusinessDays, CalendarDays)):
            return record.entered_at + dt.timedelta(days=row.after.n)  # every day is one, and has 24 hours
        return (calendar or around_the_clock()).add(record.entered_at, row.after)
    except (NeverOpens, OverflowError):
        return None


def _instant(record: Record, field: str) -> dt.datetime | None:
    """An instant that a record knows; None if it knows none by this name."""
    if field != OF_THE_ROUND:
        return _moment(record.values.get(field))
    live = record.round
    due = None if live is None else _moment(live.rule.get("due"))
    return None if live is None or due is None else max(due, live.opened_at)


def _moment(value: object) -> dt.datetime | None:
    try:
        return utc(parse_text(value)) if isinstance(value, str) else None
    except (InvalidValue, BeyondHorizon):  # from elsewhere: a command brings no such thing
        return None


def next_timer(
    record: Record,
    lifecycle: Lifecycle,
    *,
    calendar: BusinessCalendar | None = None,
    related: tuple[Record, ...] = (),
) -> tuple[dt.datetime, str] | None:
    """When the next timer edge of a record fires, and its trigger; None if none waits.

    An edge to which a guard objects as things stand does not wait; of several edges of one trigger
    the first without objection counts, as when it fires.
    """
    found = []
    for trigger in dict.fromkeys(row.trigger for row in lifecycle.timed.get(record.state, ())):
        for row in lifecycle.rows(trigger, record.state):
            due = timer_due(record, row, calendar)
            if not _objections(record, row, lifecycle, due, calendar, related):
                found += [] if due is None else [(due, trigger)]
                break
    return min(found, default=None)


def _objections(
    record: Record,
    row: Transition,
    lifecycle: Lifecycle,
    due: dt.datetime | None,
    calendar: BusinessCalendar | None,
    related: tuple[Record, ...],
) -> list[Reason]:
    situation = Situation(
        record=record, actor=TIME, trigger=row.trigger, at=due, related=related, calendar=calendar
    )
    return kept_from_time(record, row, lifecycle) + row_reasons(row, lifecycle, situation)


def kept_from_time(record: Record, row: Transition, lifecycle: Lifecycle) -> list[Reason]:
    """Why time does not fire an edge, whatever the lifecycle says: it would close a major incident."""
    held = record.major_incident
    closes = lifecycle.by_id[row.dest].phase is Phase.CLOSED
    if held is None or not held.is_accepted or not closes:
        return []
    said = (
        f"{record.id} is a major incident, which never closes by itself; report and review it, then close it"
    )
    return [Reason("major_stays", said, facts={"trigger": row.trigger})]


def edges_kept_from_time(record: Record, lifecycle: Lifecycle) -> list[tuple[str, Reason]]:
    """The triggers of timer edges out of its state that a major incident keeps from firing, and why.

    They would close it, or end it while it is proposed and nobody has decided.
    """
    found = {}
    for row in lifecycle.timed.get(record.state, ()):
        for reason in (*kept_from_time(record, row, lifecycle), *undecided(record, row, lifecycle)):
            found[row.trigger] = reason
    return list(found.items())


def too_soon(
    record: Record, row: Transition, at: dt.datetime, calendar: BusinessCalendar | None
) -> list[Reason]:
    """Why a timer edge cannot fire yet."""
    due = timer_due(record, row, calendar)
    if due is not None and at >= due:
        return []
    when = "never" if due is None else f"on {due.isoformat()}"
    facts = {"trigger": row.trigger, "due": None if due is None else due.isoformat()}
    return [Reason("too_soon", f"{row.trigger} falls due {when}; wait for it", facts=facts)]
