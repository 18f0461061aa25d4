"""Rotations and schedules as users write them: what is given is read, what comes out has one type. Never run."""

import datetime as dt
from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

from itsm_core import EscalationPolicy, EscalationStep, OnCall, Rotation, ServiceDesk, hours
from itsm_core.exporters import ical_schedule
from itsm_core.oncall import DutyWindow, Layer, Override, Schedule, Segment, Shift, final, gaps, swap
from itsm_core.ports import Store

START = dt.datetime(2026, 1, 5, 9)
weeks = Rotation("weekly", START, zone="Europe/Berlin", participants=("ana", "ben"), days="mon-fri")
groups = Rotation(
    "daily",
    "2026-01-05T20:00",
    zone=ZoneInfo("Europe/Berlin"),
    participants=["ana", ("ben", "cy")],
    duration=hours(12),
    anchor=(START, 1),
    valid_from=START,
    days=range(5),
)
nights = DutyWindow("20:00", dt.time(8), ["fri", 5], "Europe/Berlin")


def asked(at: dt.datetime) -> tuple[str, ...]:
    """Who, in which shift, and when the next comes on."""
    shift: Shift | None = weeks.shift_at(at)
    following: list[dt.datetime] = weeks.handoffs(at, at + dt.timedelta(days=7))
    coming: Iterator[Shift] = groups.shifts(at, following[0])
    assert shift is not None
    assert next(coming).participants
    active: bool = nights.is_active(shift.end)
    return weeks.on_call(at) if active else shift.participants


def planned(at: dt.datetime, until: dt.datetime) -> tuple[Segment, ...]:
    """Layers and overrides, the final schedule and its gaps."""
    swapped = swap("ana", (at, until), "ben", (until, until + dt.timedelta(days=1)))
    schedule = Schedule(
        "network",
        [Layer("weeks", weeks), Layer("nights", "nora", level=1, windows=nights)],
        overrides=[Override(at, until, add="dee"), *swapped],
        mode="union",
    )
    written: bytes = ical_schedule(schedule, at, until, person="dee")
    assert written
    return final(schedule, at, until) or gaps(weeks, at, until)


def told(store: Store, notify: Callable[[object], None]) -> ServiceDesk:
    """A desk whose steps name schedules."""
    step = EscalationStep("on-call", "50 %", to="on_call:network")
    policy = EscalationPolicy("standard", 1, steps=[step])
    return ServiceDesk(store, policy=policy, resolver=OnCall({"network": weeks}), notifiers=notify)
