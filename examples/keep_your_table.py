"""Keep your table: rules and clocks on rows that you already have, with no store of ours.

The tickets lie in the host's own table with the host's own words. Three questions are asked of
them: which buttons does this person get, may this command pass, and how do the clocks stand?
"""

import datetime as dt

import itsm_core as itsm

# What the host has: a ticket, and what was changed in it (at, field, old, new, by).
TICKET = {"id": 4711, "status": "In work", "requester": "bob", "priority": "P3"}
CHANGES = [
    ("2026-03-06T16:20:00+00:00", "status", "Open", "In work", "ana"),
    ("2026-03-06T16:30:00+00:00", "reply", None, "We are looking at it.", "ana"),
    ("2026-03-09T09:00:00+00:00", "status", "In work", "Waiting for customer", "ana"),
    ("2026-03-09T11:00:00+00:00", "status", "Waiting for customer", "In work", "bob"),
]

# What the host says once: its words for our states, its hours, what was agreed.
STATES = itsm.StateMap(
    "shop",
    {
        "Open": "new",
        "In work": "in_progress",
        "Waiting for customer": "on_hold/requester",
        "Waiting for supplier": "on_hold/supplier",
        "Solved": "resolved",
        "Closed": "closed",
    },
).checked(itsm.INCIDENT)
HOURS = itsm.BusinessCalendar.weekly("mon-fri 09:00-17:30", zone="Europe/London", name="shop desk")
AGREEMENT = itsm.default_agreement(HOURS)

events = itsm.history_from_changes(
    CHANGES,
    record=str(TICKET["id"]),
    states=STATES,
    requester=str(TICKET["requester"]),
    opened_at="2026-03-06T16:00:00+00:00",
    fields={"priority": TICKET["priority"]},
)
ticket = itsm.fold(events)
print(ticket)

ana, bob = itsm.Actor.person("ana", "agent"), itsm.Actor.person("bob")
for person in (ana, bob):
    print(f"\n{person.id} may:")
    for button in itsm.options(ticket, person, itsm.INCIDENT):
        if button.enabled:
            needs = ", ".join(need.say() for need in button.needs)
            print(f"  {button.label} ({needs})")

# A command is decided before the host writes anything; a refusal gives all reasons at once.
tuesday = dt.datetime(2026, 3, 10, 10, tzinfo=dt.UTC)
print()
for person in (bob, ana):
    done = {"resolution_outcome": "workaround", "resolution_notes": "Cache switched off."}
    fields = done if person is ana else {}
    command = itsm.Command("resolve", person, at=tuesday, fields=fields)
    decision = itsm.decide(ticket, command, itsm.INCIDENT)
    for event in decision.events:
        print(f"{person.id}: {event.kind} from {event.from_state} to {event.to_state}")
    for reason in decision.reasons:
        print(f"{person.id}: {reason}")

for clock in itsm.judge(events, AGREEMENT, at=tuesday).values():
    print()
    print(clock.explain())
