"""A step that names a schedule tells whom the schedule has on call when the step fires."""

import datetime as dt

from itsm_core import (
    Actor,
    Agreement,
    BusinessCalendar,
    EscalationPolicy,
    EscalationStep,
    Metric,
    OnCall,
    Rotation,
    ServiceDesk,
    Target,
    hours,
    stores,
)
from itsm_core.oncall import Layer, Override, Schedule
from itsm_core.ports import Delivered

T0 = dt.datetime(2026, 1, 12, 8, tzinfo=dt.UTC)  # an hour before Ana hands off to Ben
HOUR = dt.timedelta(hours=1)
UMA = Actor.person("uma")
WEEKS = Rotation("weekly", dt.datetime(2026, 1, 5, 9), zone="UTC", participants=("ana", "ben"))
TARGET = Target("resolution", Metric.RESOLUTION, duration=hours(8), calendar=BusinessCalendar.always("UTC"))


def told(schedule):
    """Whom a desk tells at twenty-four minutes and at four hours, in order."""
    people = []

    def notify(message):
        people.append(message.to)
        return Delivered()

    early, later = (
        EscalationStep(i, at, to="on_call:network") for i, at in (("early", "5 %"), ("later", "50 %"))
    )
    desk = ServiceDesk(
        stores.open("memory://"),
        agreement=Agreement("gold", 1, targets=[TARGET]),
        policy=EscalationPolicy("standard", 1, steps=[early, later], last_resort="duty-manager"),
        resolver=OnCall({"network": schedule}),
        notifiers={"console": notify},
    )
    desk.open(
        "Mail is down", actor=UMA, at=T0, record_id="INC-1", fields={"impact": "high", "urgency": "high"}
    )
    for minutes in range(0, 330, 10):
        desk.tick(T0 + dt.timedelta(minutes=minutes))
    return people


def test_a_step_after_the_handoff_tells_the_next():
    """The first step fires in Ana's week and the second in Ben's; nobody is told by the week of the opening."""
    assert told(Schedule("network", WEEKS)) == ["ana", "ben"]


def test_an_override_is_told_in_place_and_a_gap_goes_to_the_last_resort():
    """Cy stands in for Ben; and where everybody has gone off, the last resort is told."""
    span = T0 + HOUR, T0 + 12 * HOUR
    stands_in = Override(*span, add="cy", remove="ben")
    assert told(Schedule("network", WEEKS, overrides=[stands_in])) == ["ana", "cy"]
    off = Override(*span, remove="ben")
    assert told(Schedule("network", [Layer("weeks", WEEKS)], overrides=[off])) == ["ana", "duty-manager"]
