"""Boston's 311 requests of 2015: targets in business and calendar days, set by somebody else's clock."""

import csv
import datetime as dt

import pytest

from itsm_core.business_time import BusinessCalendar, business_days, calendar_days
from itsm_core.business_time.national import national_holidays

FILE = "boston311_2015_sample.csv"
UNITS = {"business_day": business_days, "calendar_day": calendar_days}
# A stored target may trail by up to a minute.
WITHIN = dt.timedelta(minutes=3)

# The six rows whose stored target follows from no rule, and what is wrong with each. They are tried
# like all the others; nothing is selected by this table.
ERRORS_OF_THE_SOURCE = {
    "101001254147": "31 days too late to the second, as if the month had been set by hand",
    "101001279577": "51 minutes after the opening instead of five business days",
    "101001334481": "74 days too late to the second, and on a Sunday",
    "101001504389": "five and a half minutes past the time of day of the opening",
    "101001630525": "opened on a Sunday, due at 09:54: neither an opening nor its own time of day",
    "101001679394": "three minutes and three seconds late: a trailing copy, just beyond the three minutes",
}


def instant(text, zone):
    """The instant of a local time in the file, or None."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone) if text else None


@pytest.fixture(scope="module")
def desk():
    """Boston's desk: its weekdays, its hours, and the holidays of Massachusetts."""
    return BusinessCalendar.weekly(
        "mon-fri 08:30-17:00", zone="America/New_York",
        holidays=national_holidays("US", subdivision="MA", years=(2015, 2016)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def rows(shared_data):
    """All requests of the file, as they were stored."""
    with (shared_data / FILE).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def judged(rows, desk):
    """Each row with our target and with whether the stored one agrees."""
    found = []
    for row in rows:
        target = desk.add(instant(row["open"], desk.zone), UNITS[row["unit"]](int(row["n"])))
        found.append((row, target, abs(target - instant(row["target"], desk.zone)) <= WITHIN))
    return found


def test_the_targets_of_boston_follow_from_its_calendar(judged, conformance_report):
    """1,916 of 1,922 business-day targets and all 626 calendar-day targets, within three minutes.

    Every row is tried. The six that miss are reported as left out, because their stored targets
    are wrong, and they are named here one by one.
    """
    missed = [(row, target) for row, target, agrees in judged if not agrees]
    shown = "\n".join(
        f"{row['case_id']}: {row['n']} {row['unit']} from {row['open']} stored {row['target']}, ours {target}"
        f" ({ERRORS_OF_THE_SOURCE.get(row['case_id'], 'not explained')})"
        for row, target in missed
    )
    print(f"{FILE}: {len(missed)} targets of the source follow from no rule\n{shown}")
    explained = [row for row, _ in missed if row["case_id"] in ERRORS_OF_THE_SOURCE]
    conformance_report(FILE, len(judged), len(judged) - len(missed), len(explained))
    counts = {
        unit: [row["unit"] == unit for row, _, agrees in judged if agrees].count(True) for unit in UNITS
    }
    assert counts == {"business_day": 1916, "calendar_day": 626}, shown
    assert len(judged) == 2548
    assert {row["case_id"] for row, _ in missed} == set(ERRORS_OF_THE_SOURCE), shown


def test_targets_that_agree_do_so_almost_to_the_minute(judged, desk):
    """Of 2,542 only 21 differ by more than the minute by which the source trails."""
    apart = [abs(target - instant(row["target"], desk.zone)) for row, target, agrees in judged if agrees]
    assert sum(distance > dt.timedelta(minutes=1) for distance in apart) == 21


def test_a_closed_request_is_on_time_if_it_was_closed_by_its_target(judged, desk):
    """`closed <= target` is the source's flag, for its target in all 2,104 rows and for ours in all but one.

    The one is among the six: its stored target came 74 days late. Four closed rows have no flag.
    """
    said = [(row, target) for row, target, _ in judged if row["closed"] and row["on_time"]]
    closed = [instant(row["closed"], desk.zone) for row, _ in said]
    flags = [row["on_time"] == "ONTIME" for row, _ in said]
    stored = [at <= instant(row["target"], desk.zone) for at, (row, _) in zip(closed, said, strict=True)]
    ours = [at <= target for at, (_, target) in zip(closed, said, strict=True)]
    assert (len(said), stored) == (2104, flags)
    differ = [row["case_id"] for (row, _), a, b in zip(said, ours, flags, strict=True) if a != b]
    assert differ == ["101001334481"]


def test_an_open_request_is_overdue_once_its_target_has_passed(judged):
    """Of the 440 open rows all overdue targets lie before all others: one instant divides them."""
    still = [(row["target"], row["on_time"]) for row, _, _ in judged if not row["closed"]]
    overdue, waiting = ([at for at, flag in still if flag == word] for word in ("OVERDUE", "ONTIME"))
    assert (len(overdue), len(waiting)) == (392, 48)
    assert max(overdue) < min(waiting)
