"""Effects written down as the events that a desk would store, and the record folded from them."""

import datetime as dt

from itsm_core import Actor, Command, Event, decide, fold
from itsm_core.business_time import BusinessCalendar, hours
from itsm_core.escalation import (
    ClocksRead,
    EscalateNow,
    HandedOver,
    NotFired,
    NotHandedOver,
    Resume,
    Run,
    advance,
    as_named,
    next_due,
)
from itsm_core.escalation.answering import shifts_of
from itsm_core.processes import INCIDENT
from itsm_core.sla import Metric, Target, conclude, trace

T0 = dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC)  # a Monday
MACHINE = Actor.automation("itsm-core")
SOMEBODY = Actor.person("uma")


def opened(at, **fields):
    """The events of a fresh incident of the first priority."""
    known = {"record": "I-1", "title": "Mail is down", "impact": "high", "urgency": "high", **fields}
    return list(decide(None, Command("open", SOMEBODY, at=at, fields=known), INCIDENT).events)


def said(events, kind, at, actor=SOMEBODY, **fields):
    """The events with one more of a kind."""
    seq = len(events) + 1
    return [
        *events,
        Event(
            id=f"e{seq}", record="I-1", seq=seq, kind=kind, occurred_at=at, recorded_at=at, actor=actor,
            fields=fields,
        ),
    ]  # fmt: skip


def done(events, trigger, at, **fields):
    """The events after a command of a person."""
    agent = Actor.person("ana", "agent")
    return [*events, *decide(fold(events), Command(trigger, agent, at=at, fields=fields), INCIDENT).events]


def stored(events, effects, policy):
    """The events with those of the effects, in order."""
    for effect in effects:
        about = {
            "key": effect.key,
            "step": None if effect.step is None else effect.step.id,
            "policy": policy.id,
            "policy_version": policy.version,
            "generation": effect.generation,
            "loop": effect.loop,
            "scheduled_at": effect.scheduled_at,
        }
        if isinstance(effect, Resume):
            kind, about = "escalation_resumed", {**about, "why": effect.why, "mode": effect.mode}
        elif isinstance(effect, NotFired):
            kind, about = "not_escalated", {**about, "why": effect.why, "to": effect.to}
        else:
            kind = "escalated"
            for name in ("to", "went"):
                if getattr(effect, name, None) is not None:
                    about[name] = getattr(effect, name)
        if isinstance(effect, HandedOver | NotHandedOver):
            about["handoff"] = True
        events = said(events, kind, effect.fired_at, MACHINE, **about)
    return events


TARGET = Target(
    "fix",
    Metric.RESOLUTION,
    duration=hours(4),
    calendar=BusinessCalendar.always("UTC"),
    pauses_on="requester",
)


class Desk:
    """A desk of one record on paper: events, a policy, and what is wanted when it is asked."""

    def __init__(self, policy, resolver=as_named, events=None, calendar=None, update_due_at=None):
        self.policy, self.resolver = policy, resolver
        self.events = opened(T0) if events is None else events
        self.calendar, self.update_due_at = calendar, update_due_at
        self.report_due_at = self.review_due_at = None

    @property
    def run(self):
        return Run.of(fold(self.events), self.policy)

    def read(self, now, kind=ClocksRead, **asked):
        clocks = {"resolution": conclude(trace(self.events), TARGET, now)}
        due = {name: getattr(self, name) for name in ("update_due_at", "report_due_at", "review_due_at")}
        return kind(clocks=clocks, calendar=self.calendar, shifts=shifts_of(self.resolver), **due, **asked)

    def tick(self, now, **asked):
        """What fires now; the run that the events tell afterwards is the one that came out."""
        event = self.read(now, EscalateNow, **asked) if asked else self.read(now)
        run, effects = advance(self.run, now, event, self.resolver)
        self.events = stored(self.events, effects, self.policy)
        again = self.run
        assert (again.escalation, again.fired) == (run.escalation, run.fired)
        if not asked:  # asked again at once it wants nothing more
            assert advance(again, now, self.read(now), self.resolver) == (again, ())
        return effects

    def told(self, now):
        """The steps that fire now, or why they do not."""
        return [shown(effect) for effect in self.tick(now)]

    def due(self, now):
        return next_due(self.run, self.read(now))

    def heard(self, kind, at, **fields):
        self.events = said(self.events, kind, at, Actor.person("ana", "agent"), **fields)

    def fire(self, trigger, at, **fields):
        self.events = done(self.events, trigger, at, **fields)


def shown(effect):
    """An effect in short: its step and whom it tells, or why it does not."""
    step = "-" if effect.step is None else effect.step.id
    told = getattr(effect, "why", None) or getattr(effect, "to", None) or getattr(effect, "went", None)
    return f"{step}:{told or getattr(effect, 'group', type(effect).__name__)}"
