"""When a change takes place: its planned window, those who hear of it, and the times closed to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.durations import Duration
from itsm_core.business_time.instants import in_utc
from itsm_core.business_time.intervals import Interval
from itsm_core.errors import BeyondHorizon, InvalidValue, NeverOpens, Reason
from itsm_core.lifecycle.guards import Guard, Situation
from itsm_core.lifecycle.timers import around_the_clock
from itsm_core.processes.authority import LEAD_TIMES
from itsm_core.processes.change_kinds import kind_of, risk
from itsm_core.processes.moments import moment
from itsm_core.processes.standard_changes import ChangeTemplate
from itsm_core.records import Record
from itsm_core.values import named, texts


def _instant(value: dt.datetime) -> dt.datetime:
    return in_utc(value, "blackout")


def _items(value: Iterable[str] | str) -> tuple[str, ...]:
    return texts(value, "configuration item", 'name them: ("mail-1",), or leave them out for all')


@attrs.frozen
class Blackout:
    """A time closed to changes, from `start` up to `end`: for these items, or for all."""

    name: str
    start: dt.datetime = attrs.field(converter=_instant, kw_only=True)
    end: dt.datetime = attrs.field(converter=_instant, kw_only=True)
    configuration_items: tuple[str, ...] = attrs.field(default=(), converter=_items, kw_only=True)

    def __attrs_post_init__(self) -> None:
        named(self.name, "blackout", 'name it, such as "year end"')
        if self.start >= self.end:
            raise InvalidValue("blackout", self.name, "ends before it begins", "give the start first")

    @property
    def interval(self) -> Interval:
        """Its span in microseconds, half-open."""
        return Interval.of(self.start, self.end)


def blackouts_hit(
    planned: Interval, items: Iterable[str], blackouts: Iterable[Blackout]
) -> tuple[Blackout, ...]:
    """The blackouts that a planned window falls into; one without items is about all of them.

    A window that begins when a blackout ends does not. A change that names no items hits them all.
    """
    return tuple(one for one in _closed_to(items, blackouts) if one.interval & planned is not None)


def _closed_to(items: Iterable[str], blackouts: Iterable[Blackout]) -> list[Blackout]:
    """The blackouts that are about one of these items."""
    touched = set(items)
    return [
        one
        for one in blackouts
        if not touched or not one.configuration_items or not touched.isdisjoint(one.configuration_items)
    ]


def _falls_into(window: tuple[dt.datetime, dt.datetime], one: Blackout) -> bool:
    return window[0] < window[1] and one.interval & Interval.of(*window) is not None


def planned_window(values: Mapping[str, Any]) -> tuple[dt.datetime, dt.datetime] | None:
    """The planned window of a change; None if one of its ends is missing."""
    start, end = moment(values.get("planned_start")), moment(values.get("planned_end"))
    return None if start is None or end is None else (start, end)


def _window(situation: Situation) -> tuple[dt.datetime, dt.datetime] | None:
    return planned_window({**situation.record.values, **situation.fields})


# --- when people are told -----------------------------------------------------------------------


def lead_time(record: Record, templates: Iterable[ChangeTemplate] = ()) -> Duration | None:
    """How long before its start a change is announced; None where nobody set a time."""
    kind, held = kind_of(record), record.values
    if kind == "standard":
        named_one = (held.get("template"), held.get("template_version"))
        return next((t.lead_time for t in templates if (t.id, t.version) == named_one), None)
    return LEAD_TIMES[risk(record)] if kind == "normal" else None


def tell_by(
    record: Record, calendar: BusinessCalendar | None = None, templates: Iterable[ChangeTemplate] = ()
) -> dt.datetime | None:
    """The latest instant at which interested parties hear of a change in time (CHG-10).

    None where no lead time applies, no window is planned, or the calendar does not reach back so far.
    """
    lead, window = lead_time(record, templates), planned_window(record.values)
    if lead is None or window is None:
        return None
    try:
        return (calendar or around_the_clock()).subtract(window[0], lead)
    except (NeverOpens, BeyondHorizon):
        return None


def deviation(record: Record) -> str | None:
    """How the actual window leaves the planned one (CHG-17); None if it does not, as far as is known."""
    planned = planned_window(record.values)
    start, end = moment(record.values.get("actual_start")), moment(record.values.get("actual_end"))
    if planned is None:
        return None
    if start is not None and not planned[0] <= start <= planned[1]:
        side = "before" if start < planned[0] else "after"
        return f"it began {start.isoformat()}, {side} its window"
    return f"it ended {end.isoformat()}, after its window" if end is not None and end > planned[1] else None


# --- guards -------------------------------------------------------------------------------------


def window_is_planned(situation: Situation) -> Reason | None:
    """A reason if the planned window ends before it begins, or begins before now."""
    window = _window(situation)
    if window is None:
        return None  # a missing field is refused as one
    start, end = window
    if start >= end:
        return _upside_down(start, end)
    if situation.at is not None and start < situation.at:
        said = f"planned_start, {start.isoformat()}, is past; plan a window that lies ahead"
        return Reason("window", said, facts={"field": "planned_start"})
    return None


def _upside_down(start: dt.datetime, end: dt.datetime) -> Reason:
    said = f"planned_end, {end.isoformat()}, does not lie after planned_start, {start.isoformat()}"
    return Reason("window", said, facts={"field": "planned_end"})


def window_is_open(situation: Situation) -> Reason | None:
    """A reason if the planned window ends before it begins, or is over."""
    window, at = _window(situation), situation.at
    if window is None:
        return None  # a missing field is refused as one
    start, end = window
    if start >= end:
        return _upside_down(start, end)
    if at is None or at < end:
        return None
    said = f"the planned window, {start.isoformat()} to {end.isoformat()}, is over; plan another"
    return Reason("window", said, facts={"field": "planned_end"})


def parties_are_told(situation: Situation) -> Reason | None:
    """A reason if those concerned are yet to be told, or were told of an earlier plan (CHG-10).

    What was asked for anew is told anew. An emergency tells them afterwards.
    """
    told, at, live = moment(situation.get("told_at")), situation.at, situation.record.round
    if told is None or kind_of(situation.record) == "emergency":
        return None  # a missing field is refused as one
    if at is not None and told > at:
        said = f"told_at, {told.isoformat()}, lies ahead; tell them first"
        return Reason("invalid_field", said, facts={"field": "told_at"})
    if live is None or told >= live.opened_at:
        return None
    said = f"told_at, {told.isoformat()}, lies before this was put to the vote; tell them what is planned now"
    return Reason("told_before", said, facts={"field": "told_at", "asked_at": live.opened_at.isoformat()})


def actual_window_is_sound(situation: Situation) -> Reason | None:
    """A reason if the actual window ends before it begins, or has not ended yet."""
    start, end = moment(situation.get("actual_start")), moment(situation.get("actual_end"))
    if start is not None and end is not None and start >= end:
        said = f"actual_end, {end.isoformat()}, does not lie after actual_start, {start.isoformat()}"
        return Reason("invalid_field", said, facts={"field": "actual_end"})
    if end is not None and situation.at is not None and end > situation.at:
        said = f"actual_end, {end.isoformat()}, lies ahead; complete it when it is done"
        return Reason("invalid_field", said, facts={"field": "actual_end"})
    return None


def blackout_guard(blackouts: Iterable[Blackout]) -> Guard:
    """The guard against times closed to changes; an exception that somebody decided on opens them."""
    return _NotInBlackout(tuple(blackouts))


@attrs.frozen
class _NotInBlackout:
    """The guard with the blackouts that it knows; a value, as a closure could not be pickled."""

    known: tuple[Blackout, ...]

    def __call__(self, situation: Situation) -> Reason | None:
        """A reason if the planned window or the work falls into a blackout (CHG-19); an emergency's may."""
        if kind_of(situation.record) == "emergency" or situation.get("blackout_exception"):
            return None
        window, at = _window(situation), situation.at
        closed = _closed_to(situation.get("configuration_items") or (), self.known)
        hit = [one.name for one in closed if window is not None and _falls_into(window, one)]
        said = "the planned window falls"
        if not hit and at is not None and situation.trigger == "implement":
            hit = [one.name for one in closed if one.start <= at < one.end]
            said = "the work would fall"
        if not hit:
            return None
        remedy = "plan another, or name the decision that allows it in blackout_exception"
        facts = {"blackouts": tuple(hit)}
        return Reason("blackout", f"{said} into {', '.join(hit)}; {remedy}", facts=facts)
