"""Agreements in TOML: read whole, refused by file and key."""

import datetime as dt

import pytest

from itsm_core.business_time import BusinessCalendar, business_days, hours, minutes
from itsm_core.config import load_agreement
from itsm_core.errors import InvalidInput
from itsm_core.events import WaitsOn
from itsm_core.priority import Priority
from itsm_core.sla import Metric

EXAMPLE = """
# An agreement as a desk in Shanghai might have it. Every key is shown once.
id = "standard"                      # its name for ever
version = 3                          # a changed agreement is a new version
name = "Standard support"
customers = ["acme"]                 # empty or absent: all
services = ["mail", "identity"]
processes = ["incident"]
valid_from = 2024-01-01
valid_to = 2025-01-01                # the first day on which it no longer holds
agreed_with = "acme"
agreed_on = 2023-12-01

[calendars.around]
zone = "Asia/Shanghai"
hours = "always"

[calendars.desk]
zone = "Asia/Shanghai"
hours = "mon-fri 09:00-12:00 13:00-18:00"
weekly_breaks = "fri 15:00-15:30"
holidays = ["2024-02-10..2024-02-17", { date = "2024-05-01", name = "Labour Day" }]
shifts = { "2024-02-04" = "09:00-18:00" }    # a working Sunday
breaks = { "2024-03-08" = "14:00-18:00" }
cut_at_midnight = false
version = 2

[[targets]]
id = "p1-response"
metric = "response"
duration = "15m"
calendar = "around"
priorities = ["P1"]

[[targets]]
id = "p1-resolution"
metric = "resolution"
duration = "4h"
calendar = "around"
priorities = ["P1"]
pauses_on = ["requester"]

[[targets]]
id = "resolution"                    # every other priority
metric = "resolution"
duration = "3 business days"
calendar = "desk"
pauses_on = ["requester", "customer_approver"]
"""

TOP = 'id = "a"\nversion = 1\n'
DESK = '[calendars.desk]\nzone = "UTC"\nhours = "mon-fri 09:00-17:00"\n'
TARGET = '[[targets]]\nid = "t"\nmetric = "response"\nduration = "1h"\n'


@pytest.fixture
def write(tmp_path):
    """`write(text)`: an agreement file."""

    def file(text):
        path = tmp_path / "agreement.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return file


def test_an_agreement_is_what_its_file_says(write):
    """Each key of the commented example, in its own type."""
    found = load_agreement(write(EXAMPLE))
    assert (found.label, found.name, found.agreed_with) == ("standard@3", "Standard support", "acme")
    assert found.services == {"mail", "identity"}
    assert (found.valid_from, found.agreed_on) == (dt.date(2024, 1, 1), dt.date(2023, 12, 1))
    response, resolution, rest = found.targets
    assert (response.metric, response.duration) == (Metric.RESPONSE, minutes(15))
    assert (resolution.duration, resolution.pauses_on) == (hours(4), {WaitsOn.REQUESTER})
    assert (rest.duration, rest.priorities) == (business_days(3), frozenset())
    assert response.priorities == {Priority.P1}
    assert response.calendar == BusinessCalendar.always("Asia/Shanghai")
    assert (rest.calendar.name, rest.calendar.version) == ("desk", 2)
    assert rest.calendar == BusinessCalendar.weekly(
        "mon-fri 09:00-12:00 13:00-18:00", zone="Asia/Shanghai", weekly_breaks="fri 15:00-15:30",
        holidays=["2024-02-10..2024-02-17", ("2024-05-01", "Labour Day")],
        shifts={"2024-02-04": "09:00-18:00"}, breaks={"2024-03-08": "14:00-18:00"},
    )  # fmt: skip


def test_the_only_calendar_need_not_be_named(write):
    """Where there is one, every target means it."""
    found = load_agreement(write(TOP + DESK + TARGET))
    assert found.targets[0].calendar.name == "desk"


# fmt: off
BAD = {
    "no-toml":          (TOP + "x = = 1", "line 3: agreement .*is no TOML"),
    "no-utf-8":         (b'id = "\xff"', "line 1: agreement .*is no TOML"),
    "empty":            ("", "lacks keys; add id, version, calendars, targets"),
    "nested":           (TOP + "customers = " + "[" * 5000, "agreement .*is nested too deep"),
    "digits":           ("id = 'a'\nversion = " + "9" * 5000 + "\n" + DESK + TARGET, "agreement .*is no TOML"),
    "hexadecimal":      ("id = 'a'\nversion = 0x" + "f" * 5000 + "\n" + DESK + TARGET, "version .*is too large"),
    "calendar-digits":  (TOP + DESK + "version = 0x" + "f" * 5000 + "\n" + TARGET, "calendars.desk.version .*is too large"),
    "name-hexadecimal": (TOP + "name = 0x" + "f" * 5000 + "\n" + DESK + TARGET, "name a int too long to show: is no text"),
    "date-and-time":    (TOP + "valid_from = 2024-01-01T00:00:00\n" + DESK + TARGET, "valid_from .*is no date; write valid_from = 2024"),
    "agreed-at":        (TOP + "agreed_on = 2024-01-01T00:00:00Z\n" + DESK + TARGET, "agreed_on .*is no date"),
    "days-digits":      (TOP + DESK + TARGET.replace("1h", "9" * 5000 + " business days"), r"targets\[1\] \(t\): duration .*digits"),
    "days-too-many":    (TOP + DESK + TARGET.replace("1h", "9" * 12 + " calendar days"), r"targets\[1\] \(t\): .*is more than can be counted"),
    "unknown":          (TOP + "zones = 1\n" + DESK + TARGET, "key 'zones': is unknown; use agreed_on"),
    "no-targets":       (TOP + DESK, "lacks keys; add targets"),
    "targets-table":    (TOP + "targets = {}\n" + DESK, "targets {}: is no list; write "),
    "targets-none":     (TOP + "targets = []\n" + DESK, "agreement 'a': has no targets"),
    "calendars-list":   (TOP + "calendars = []\n" + TARGET, "calendars .*is no table"),
    "calendar-text":    (TOP + 'calendars = { desk = "x" }\n' + TARGET, "calendars.desk 'x': is no table"),
    "version-text":     ('id = "a"\nversion = "1"\n' + DESK + TARGET, "version '1': is no version"),
    "id-number":        ("id = 1\nversion = 1\n" + DESK + TARGET, "id 1: is no text"),
    "customers-text":   (TOP + 'customers = "a"\n' + DESK + TARGET, "customers 'a': is no list"),
    "date-text":        (TOP + 'valid_from = "2024-01-01"\n' + DESK + TARGET, "valid_from .*is no date; write valid_from = 2024"),
    "dates-reversed":   (TOP + "valid_from = 2024-01-01\nvalid_to = 2023-01-01\n" + DESK + TARGET, "ends before it begins"),
    "zone":             (TOP + DESK.replace("UTC", "Mars") + TARGET, "calendars.desk: zone 'Mars'"),
    "no-zone":          (TOP + '[calendars.desk]\nhours = "always"\n' + TARGET, "calendars.desk .*lacks keys; add zone"),
    "hours":            (TOP + DESK.replace("mon-fri", "xyz") + TARGET, "calendars.desk: .*xyz"),
    "hours-number":     (TOP + '[calendars.desk]\nzone = "UTC"\nhours = 9\n' + TARGET, "calendars.desk.hours 9: is no text"),
    "calendar-key":     (TOP + DESK + "open = 1\n" + TARGET, "key of calendars.desk 'open': is unknown"),
    "calendar-version": (TOP + DESK + "version = true\n" + TARGET, "calendars.desk.version True: is no whole number"),
    "holidays-text":    (TOP + DESK + 'holidays = "2024-12-25"\n' + TARGET, "calendars.desk.holidays .*is no list"),
    "holiday":          (TOP + DESK + 'holidays = ["Christmas"]\n' + TARGET, "calendars.desk: holiday 'Christmas'"),
    "shifts-list":      (TOP + DESK + "shifts = []\n" + TARGET, "calendars.desk.shifts .*is no table"),
    "shift-number":     (TOP + DESK + 'shifts = { "2024-02-04" = 9 }\n' + TARGET, "calendars.desk.shifts.2024-02-04 9: is no text"),
    "cut-text":         (TOP + DESK + 'cut_at_midnight = "no"\n' + TARGET, "cut_at_midnight 'no': is no true or false"),
    "never-opens":      (TOP + DESK + 'breaks = {}\nweekly_breaks = "daily 00:00-24:00"\n' + TARGET, "calendars.desk .*never open"),
    "always-and-more":  (TOP + '[calendars.desk]\nzone = "UTC"\nhours = "always"\nholidays = []\n' + TARGET, "where hours = .always., 'holidays': is unknown"),
    "target-text":      (TOP + 'targets = ["t"]\n' + DESK, r"targets\[1\] 't': is no table"),
    "target-key":       (TOP + DESK + TARGET + "goal = 1\n", r"key of targets\[1\] \(t\) 'goal': is unknown"),
    "target-lacks":     (TOP + DESK + '[[targets]]\nmetric = "response"\n', r"targets\[1\] .*lacks keys; add id, duration"),
    "metric":           (TOP + DESK + TARGET.replace("response", "speed"), r"targets\[1\] \(t\).metric 'speed': is unknown; use one of response, resolution"),
    "duration":         (TOP + DESK + TARGET.replace("1h", "1 day"), r"targets\[1\] \(t\): duration '1 day'.*say which"),
    "duration-number":  (TOP + DESK + TARGET.replace('"1h"', "1"), r"targets\[1\] \(t\).duration 1: is no text"),
    "priority":         (TOP + DESK + TARGET + 'priorities = ["P9"]\n', r"targets\[1\] \(t\).priorities 'P9': is unknown; use one of P1, P2"),
    "pause":            (TOP + DESK + TARGET.replace("response", "resolution") + 'pauses_on = ["weather"]\n', r"pauses_on 'weather': is unknown; use one of requester"),
    "pause-supplier":   (TOP + DESK + TARGET.replace("response", "resolution") + 'pauses_on = ["supplier"]\n', r"targets\[1\] \(t\): pauses_on \['supplier'\]"),
    "twice":            (TOP + DESK + TARGET + TARGET, "agreement 'a': names targets twice"),
    "other-calendar":   (TOP + DESK + TARGET + 'calendar = "night"\n', r"targets\[1\] \(t\).calendar 'night': is not defined; defined are: desk"),
    "which-calendar":   (TOP + DESK + DESK.replace("desk", "two") + TARGET, "calendar '': is not defined; defined are: desk, two"),
}
# fmt: on


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_a_bad_agreement_is_refused_with_file_key_and_remedy(write, text, said):
    """Everything that can be wrong in the file is said in terms of the file."""
    path = write(text)
    with pytest.raises(InvalidInput, match=said) as caught:
        load_agreement(path)
    assert str(caught.value).startswith(str(path))
    assert caught.value.remedy
