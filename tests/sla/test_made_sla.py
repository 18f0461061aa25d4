"""ServiceNow's own verdicts, in the log of 997 incidents, beside ours."""

import csv
import datetime as dt
import gzip

import pytest

from itsm_core.business_time import BusinessCalendar, hours
from itsm_core.importers import open_log
from itsm_core.sla import Condition, Measure, Target, Verdict, evaluate

LOG = "servicenow_incident_log_sample.csv.gz"
FAR = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
UNTIL_CLOSED = Measure(start=Condition(), stop=Condition(phases="closed"))


@pytest.fixture(scope="module")
def moderate(shared_data):
    """The last `made_sla` of each incident whose priority was "3 - Moderate" on every row."""
    with gzip.open(shared_data / LOG, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    priorities, made = {}, {}
    for row in rows:
        priorities.setdefault(row["number"], set()).add(row["priority"])
        made[row["number"]] = row["made_sla"] == "true"
    return {number: made[number] for number, seen in priorities.items() if seen == {"3 - Moderate"}}


def test_servicenow_s_own_verdict_is_ours_for_all_but_two(moderate, shared_data, conformance_report):
    """62 hours of Monday to Friday 14:00 to 23:00 until Closed, no pause, as the data's README found.

    The issue asks for 940 of 945; the file does not say by which agreement it was judged, so the rest
    are listed and not explained.
    """
    calendar = BusinessCalendar.weekly("mon-fri 14:00-23:00", zone="UTC")  # the wall clock of the file
    target = Target(
        "p3", "until closed", duration=hours(62), calendar=calendar, measure=UNTIL_CLOSED,
        reopen="include_closed",
    )  # fmt: skip
    ours = {
        log.record: evaluate(log.history, target, FAR).verdict
        for log in open_log(shared_data / LOG).histories()
        if log.record in moderate
    }
    assert set(ours.values()) == {Verdict.MET, Verdict.BREACHED}
    differ = sorted(number for number, made in moderate.items() if (ours[number] is Verdict.MET) is not made)
    conformance_report(f"{LOG} made_sla", len(moderate), len(moderate) - len(differ), len(differ))
    print("made_sla differs:", *differ)
    assert len(moderate) == 945
    assert len(moderate) - len(differ) >= 940
