"""Replay a log under several agreements: what would a stricter promise have meant?

Written as the cells of a notebook. The result of each `replay` shows as a table when it is the last
line of a cell; a script prints it.
"""

# %% A log: one row for each revision of a ticket
from pathlib import Path

from itsm_core import Agreement, BusinessCalendar, Target
from itsm_core.importers import Map, open_log
from itsm_core.replay import replay, replayed

Path("log.csv").write_text(
    """\
ticket,status,changed,by,priority
1,Open,2026-03-06 15:00,bob,P3
1,Working,2026-03-06 16:00,ana,P3
1,Solved,2026-03-09 12:00,ana,P3
2,Open,2026-03-06 16:00,eve,P3
2,Waiting for customer,2026-03-09 09:00,ana,P3
2,Working,2026-03-10 09:00,eve,P3
2,Solved,2026-03-10 16:00,ana,P3
3,Open,2026-03-09 10:00,bob,P4
3,Waiting for parts,2026-03-09 11:00,ana,P4
3,Solved,2026-03-11 10:00,ana,P4
3,Closed,2026-03-11 11:00,bob,P4
3,Working,2026-03-12 11:00,ana,P4
4,Open,2026-03-12 09:00,eve,P3
4,Parked,2026-03-12 10:00,ana,P3
""",
    encoding="utf-8",
)

# %% What its columns and words mean; "Parked" is left out on purpose
names = Map(
    {"case": "ticket", "state": "status", "at": "changed", "by": "by", "priority": "priority"},
    {
        "Open": "new",
        "Working": "in_progress",
        "Waiting for customer": "on_hold/requester",
        "Waiting for parts": "on_hold/supplier",
        "Solved": "resolved",
        "Closed": "closed",
    },
    zone="Europe/London",
)

# %% Under the agreement that comes with the library
print(replay("log.csv", map=names))

# %% Under others
hours = BusinessCalendar.weekly("mon-fri 09:00-17:30", zone="Europe/London", name="our desk")


def within(duration: str) -> Agreement:
    """Every ticket solved in so much open time; only waiting for the requester stops the clock."""
    target = Target("solved", "resolution", duration=duration, calendar=hours, pauses_on={"requester"})
    return Agreement(f"within {duration}", 1, targets=[target])


print()
for duration in ("16h", "8h", "4h"):
    counts = replay("log.csv", map=names, agreement=within(duration)).targets["solved"]
    print(f"{duration:>3}: {counts['met']} met, {counts['breached']} breached, {counts['running']} running")

# %% Why, ticket by ticket
log = open_log("log.csv", map=names)
for one in replayed(log, agreement=within("8h")):
    (clock,) = one.clocks
    print(f"\nticket {one.record.id}: {clock.explain()}")
    for finding in one.told.history.findings:
        print(f"  {finding.code}, {finding}")
