"""Let us keep it: the desk on an SQLite file, with an agreement, an escalation and a notifier.

A page times out on a Friday afternoon. The clock stands still over the weekend and while the
requester is asked; on Wednesday the team lead is told, on Thursday the work moves on.
"""

import datetime as dt
from contextlib import closing
from itertools import count
from zoneinfo import ZoneInfo

from itsm_core import (
    Actor,
    BusinessCalendar,
    EscalationPolicy,
    EscalationStep,
    Record,
    ServiceDesk,
    TransitionRefused,
    default_agreement,
    stores,
)
from itsm_core.notifiers import ConsoleNotifier

NUMBERS = map("INC-{:04}".format, count(1))

LONDON = ZoneInfo("Europe/London")


def at(day: int, hour: int, minute: int = 0) -> dt.datetime:
    """A time in March 2026; the 6th is a Friday."""
    return dt.datetime(2026, 3, day, hour, minute, tzinfo=LONDON)


hours = BusinessCalendar.weekly("mon-fri 09:00-17:30", zone=LONDON, name="London desk")
policy = EscalationPolicy(
    "line",
    1,
    steps=[
        EscalationStep("warn", "75 %", to="lead"),
        EscalationStep("second-line", "100 %", kind="functional", group="network"),
    ],
)
ana, bob = Actor.person("ana", "agent"), Actor.person("bob")


def told(name: str, _record: Record, _now: dt.datetime) -> tuple[str, ...]:
    """Who answers to a name of the policy; a host asks its own directory here."""
    return {"lead": ("grace",)}.get(name, ())


with closing(stores.open("desk.db")) as store:
    desk = ServiceDesk(
        store,
        agreement=default_agreement(hours),
        policy=policy,
        resolver=told,
        notifiers=ConsoleNotifier(),
        number=lambda _: next(NUMBERS),
    )
    ticket = desk.open(
        "The order page times out",
        actor=bob,
        at=at(6, 16),
        channel="portal",
        fields={"impact": "medium", "urgency": "medium", "service": "shop"},
    )
    print(ticket)

    desk.fire(ticket.id, "start", actor=ana, at=at(6, 16, 20))
    desk.communicate(ticket.id, "We are looking at it.", actor=ana, at=at(6, 16, 30))

    # A hold says whom it waits for, tells the requester, and names when to look again.
    try:
        desk.fire(ticket.id, "hold", actor=ana, at=at(9, 9))
    except TransitionRefused as refusal:
        for reason in refusal.reasons:
            print(f"refused: {reason}")
    question = {"hold_reason": "requester", "message": "Which browser?", "look_again_at": at(10, 9)}
    print(desk.fire(ticket.id, "hold", actor=ana, at=at(9, 9), fields=question))

    # The reply takes the record off hold; the same message twice is one message.
    for _ in range(2):
        ticket = desk.receive(ticket.id, "Firefox.", actor=bob, at=at(9, 11), message_id="<17@mail.example>")
    print(ticket)

    # Nothing runs by itself: the host asks when something is due, and says what time it is.
    while (due := desk.next_due()) is not None:
        print(f"-- {due.astimezone(LONDON):%a %d %H:%M}")
        desk.tick(due)
    print(f"now with: {desk.get(ticket.id).group}")

    done = {"resolution_outcome": "workaround", "resolution_notes": "Cache switched off."}
    desk.fire(ticket.id, "resolve", actor=ana, at=at(12, 10), fields=done)
    for clock in desk.clocks(ticket.id, at(12, 10)).values():
        print()
        print(clock.explain())

    print()
    for event in desk.history(ticket.id):
        print(f"{event.seq:2} {event.occurred_at:%d %H:%M} {event.kind:13} by {event.actor.id}")
