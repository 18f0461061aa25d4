"""Small ticket logs for the tests of the importers."""

import csv

import pytest

MAP = """
zone = "Europe/Berlin"

[columns]
case = "ticket"
state = ["status", "sub"]
at = "changed"
opened_at = "opened"
by = "who"
group = "team"
impact = "impact"
urgency = "urgency"
priority = "prio"
channel = "via"

[states]
"New" = "new"
"Work" = "in_progress"
"Hold" = "on_hold"
"Hold/Vendor" = "on_hold/supplier"
"Hold/Caller" = "on_hold/requester"
"Done" = "resolved"
"Shut" = "closed"

[priority]
"urgent" = "P1"
"usual" = "P3"
"""
HEADER = [
    "ticket", "status", "sub", "changed", "opened", "who", "team", "impact", "urgency", "prio", "via",
]  # fmt: skip


@pytest.fixture
def map_file(tmp_path):
    """A map file for logs of `write_log`."""
    path = tmp_path / "map.toml"
    path.write_text(MAP, encoding="utf-8")
    return path


@pytest.fixture
def write_log(tmp_path):
    """`write_log(rows, name="log.csv")`: a CSV of mappings; absent cells are empty."""

    def write(rows, name="log.csv"):
        path = tmp_path / name
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, HEADER, restval="")
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write
