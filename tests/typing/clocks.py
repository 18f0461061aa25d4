"""Clocks as users ask for them: by the plain name of a metric, or by the metric. Never run."""

import datetime as dt

import itsm_core as itsm
from itsm_core.sla import clocks_at

hours = itsm.BusinessCalendar.weekly("mon-fri 09:00-17:30", zone="Europe/London")
agreement = itsm.default_agreement(hours)
target = itsm.Target("fix", "resolution", duration="4h", calendar=hours, priorities="P1")
step = itsm.EscalationStep("lead", 75, metric="response", kind="hierarchic", to="lead", priorities="P1")
policy = itsm.EscalationPolicy("line", 1, steps=[step])
ticket = itsm.INCIDENT.record("4711", requester="bob", custom={"floor": "2"})


def left(events: tuple[itsm.Event, ...], at: dt.datetime) -> tuple[dt.timedelta, dt.timedelta]:
    """What is left of both targets."""
    record, timeline = itsm.fold(events), itsm.trace(events)
    judged: dict[str, itsm.Clock] = itsm.judge(events, agreement, at)
    response: itsm.Clock = judged["response"]
    resolution: itsm.Clock = clocks_at(record, timeline, agreement, at)["resolution"]
    assert judged[itsm.Metric.RESPONSE] is response
    return response.remaining, resolution.remaining
