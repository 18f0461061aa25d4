"""Golden tables of edges, written by hand, as tests of shipped lifecycles read them.

An edge is a (trigger, from, to). Nothing here writes a table.
"""

import csv
from pathlib import Path

GOLDEN = Path(__file__).parent.parent / "golden"


def table(process, kind="edges"):
    """The rows of a golden table: trigger, from, to, and the source that says so."""
    with (GOLDEN / f"{process}_{kind}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def golden(process):
    """The edges of a golden table."""
    return [(row["trigger"], row["from"], row["to"]) for row in table(process)]


def who_may(process):
    """Who may fire a trigger out of a state: roles and relations; "time" acts as automation, or alone."""
    found = {}
    for row in table(process, "conditions"):
        who = {word for name in ("roles", "relation") for word in row[name].split("|") if word}
        if row["after"] or "automation" in who:
            who.add("time")
        for source in row["from"].split("|"):
            found.setdefault((row["trigger"], source), set()).update(who)
    return found
