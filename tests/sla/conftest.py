"""A small language for histories: `history("Europe/Berlin").opened("2026-03-02 09:00").hold(...)`."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from itsm_core.actors import Actor
from itsm_core.business_time import BusinessCalendar
from itsm_core.events import Event
from itsm_core.sla import Target

ANA = Actor.person("ana", "agent")


class History:
    """The events of one record, written in local times of one zone."""

    def __init__(self, zone="UTC"):
        self.zone = ZoneInfo(zone)
        self.events = []

    def at(self, text):
        """The instant of a local time."""
        return dt.datetime.fromisoformat(text).replace(tzinfo=self.zone)

    def add(self, kind, at, *, by=ANA, channel=None, to=None, recorded=None, **fields):
        """One more event; its id is e1, e2, ..."""
        seq = len(self.events) + 1
        when = self.at(at) if isinstance(at, str) else at
        self.events.append(
            Event(
                id=f"e{seq}", record="INC1", seq=seq, kind=kind, actor=by, channel=channel, to_state=to,
                occurred_at=when, recorded_at=when if recorded is None else self.at(recorded), fields=fields,
            )
        )  # fmt: skip
        return self

    def opened(self, at, **rest):
        return self.add("opened", at, **{"phase": "new", "priority": "P3", **rest})

    def moved(self, at, phase, **rest):
        return self.add("transitioned", at, phase=phase, **rest)

    def hold(self, at, reason="requester", **rest):
        return self.moved(at, "waiting", **({"waits_on": reason} if reason else {}), **rest)

    def resumed(self, at, **rest):
        return self.moved(at, "active", **rest)

    def resolved(self, at, **rest):
        return self.moved(at, "resolved", **rest)

    def closed(self, at, outcome="closed", **rest):
        return self.moved(at, "closed", outcome=outcome, **rest)

    def said(self, at, **rest):
        return self.add("communicated", at, **{"direction": "outbound", "audience": "requester", **rest})


@pytest.fixture(scope="session")
def history():
    """`history(zone="UTC")` begins an empty history."""
    return History


@pytest.fixture(scope="session")
def around():
    """Open around the clock, in UTC."""
    return BusinessCalendar.always("UTC")


@pytest.fixture(scope="session")
def office():
    """Monday to Friday 09:00 to 17:00 in Berlin."""
    return BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/Berlin", name="office", version=2)


@pytest.fixture(scope="session")
def resolution():
    """`resolution(duration, calendar)`: a resolution target that pauses on the requester."""

    def make(duration, calendar, **rest):
        given = {"pauses_on": {"requester"}, **rest}
        return Target("fix", "resolution", duration=duration, calendar=calendar, **given)

    return make


@pytest.fixture(scope="session")
def response():
    """`response(duration, calendar)`: a response target."""
    return lambda duration, calendar: Target("reply", "response", duration=duration, calendar=calendar)
