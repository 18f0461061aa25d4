"""The golden table of layers: every pair, with a desk by day and a desk by night, written by hand.

Weekly hours less weekly breaks < holidays < dated shifts < dated breaks. All rows are observed from
Tuesday 14 May 2024 12:00 to Thursday 16 May 12:00 in UTC; what happens happens on Wednesday the 15th
unless a row says otherwise.
"""

import datetime as dt

import pytest

from itsm_core.business_time import BusinessCalendar, Week
from minutes import Rules, Scan, micros

DAY, NIGHT = "daily 09:00-17:00", "daily 22:00-06:00"
TUE, THU = "14T12:00-14T17:00", "16T09:00-16T12:00"  # the day desk on the days around
N1, N2 = "14T22:00-15T06:00", "15T22:00-16T06:00"  # the night desk's two nights
WED = "2024-05-15"

GOLDEN = [
    # the week alone
    ("day", DAY, {}, [TUE, "15T09:00-15T17:00", THU]),
    ("night", NIGHT, {}, [N1, N2]),
    ("overlapping windows are united", "daily 09:00-13:00 11:00-15:00", {}, ["14T12:00-14T15:00", "15T09:00-15T15:00", THU]),
    ("a night meets the next day's hours", "tue 22:00-06:00; wed 05:00-07:00", {}, ["14T22:00-15T07:00"]),
    # weekly breaks
    ("day, weekly break", DAY, {"weekly_breaks": "wed 12:00-13:00"}, [TUE, "15T09:00-15T12:00", "15T13:00-15T17:00", THU]),
    ("night, weekly break", NIGHT, {"weekly_breaks": "wed 02:00-03:00"}, ["14T22:00-15T02:00", "15T03:00-15T06:00", N2]),
    ("night, weekly break over midnight", NIGHT, {"weekly_breaks": "wed 23:30-00:30"}, [N1, "15T22:00-15T23:30", "16T00:30-16T06:00"]),
    ("day, weekly break of a whole day", DAY, {"weekly_breaks": "wed 00:00-24:00"}, [TUE, THU]),
    # validity
    ("day, valid to", DAY, {"valid_to": "2024-05-14"}, [TUE]),
    ("night, valid to", NIGHT, {"valid_to": "2024-05-14"}, [N1]),
    ("night, valid from", NIGHT, {"valid_from": "2024-05-15"}, [N2]),
    ("day, another week from Wednesday", DAY, {"valid_to": "2024-05-14", "weeks": [Week.of("daily 10:00-11:00", valid_from=WED)]}, [TUE, "15T10:00-15T11:00", "16T10:00-16T11:00"]),
    ("day and night at once", DAY, {"weeks": [Week.of(NIGHT)]}, [TUE, N1, "15T09:00-15T17:00", N2, THU]),
    ("a week's breaks are its own", DAY, {"weekly_breaks": "wed 12:00-13:00", "weeks": [Week.of("wed 11:00-12:30")]}, [TUE, "15T09:00-15T12:30", "15T13:00-15T17:00", THU]),
    # holidays
    ("day, holiday", DAY, {"holidays": [WED]}, [TUE, THU]),
    ("night, holiday", NIGHT, {"holidays": [WED]}, [N1]),
    ("day, holiday cut", DAY, {"holidays": [WED], "cut_at_midnight": True}, [TUE, THU]),
    ("night, holiday cut", NIGHT, {"holidays": [WED], "cut_at_midnight": True}, ["14T22:00-15T00:00"]),
    ("day, weekly break, holiday", DAY, {"weekly_breaks": "wed 12:00-13:00", "holidays": [WED]}, [TUE, THU]),
    ("night, weekly break, holiday", NIGHT, {"weekly_breaks": "wed 02:00-03:00", "holidays": [WED]}, ["14T22:00-15T02:00", "15T03:00-15T06:00"]),
    ("night, valid to, holiday cut", NIGHT, {"valid_to": "2024-05-14", "holidays": [WED], "cut_at_midnight": True}, ["14T22:00-15T00:00"]),
    # dated shifts
    ("day, shift", DAY, {"shifts": {WED: "10:00-12:00"}}, [TUE, "15T10:00-15T12:00", THU]),
    ("night, shift", NIGHT, {"shifts": {WED: "10:00-12:00"}}, [N1, "15T10:00-15T12:00"]),
    ("day, shift over midnight", DAY, {"shifts": {WED: "20:00-04:00"}}, [TUE, "15T20:00-16T04:00", THU]),
    ("day, shift without window", DAY, {"shifts": {WED: []}}, [TUE, THU]),
    ("night, shift without window", NIGHT, {"shifts": {WED: []}}, [N1]),
    ("day, weekly break, shift", DAY, {"weekly_breaks": "wed 12:00-13:00", "shifts": {WED: "10:00-14:00"}}, [TUE, "15T10:00-15T14:00", THU]),
    ("night, weekly break of Thursday, shift", NIGHT, {"weekly_breaks": "thu 02:00-03:00", "shifts": {WED: "22:00-06:00"}}, [N1, N2]),
    ("night, weekly break in the tail, shift", NIGHT, {"weekly_breaks": "wed 02:00-03:00", "shifts": {WED: []}}, ["14T22:00-15T02:00", "15T03:00-15T06:00"]),
    ("day, valid to, shift", DAY, {"valid_to": "2024-05-14", "shifts": {WED: "10:00-12:00"}}, [TUE, "15T10:00-15T12:00"]),
    ("day, holiday, shift", DAY, {"holidays": [WED], "shifts": {WED: "10:00-12:00"}}, [TUE, "15T10:00-15T12:00", THU]),
    ("night, holiday, shift", NIGHT, {"holidays": [WED], "shifts": {WED: "10:00-12:00"}}, [N1, "15T10:00-15T12:00"]),
    ("night, holiday cut, shift: the tail is no window of that date", NIGHT, {"holidays": [WED], "shifts": {WED: "10:00-12:00"}, "cut_at_midnight": True}, ["14T22:00-15T00:00", "15T10:00-15T12:00"]),
    ("night, shift into a holiday cut", NIGHT, {"holidays": ["2024-05-16"], "shifts": {WED: "22:00-06:00"}, "cut_at_midnight": True}, [N1, N2]),
    ("night, week into a holiday cut", NIGHT, {"holidays": ["2024-05-16"], "cut_at_midnight": True}, [N1, "15T22:00-16T00:00"]),
    # dated breaks
    ("day, break", DAY, {"breaks": {WED: "12:00-13:00"}}, [TUE, "15T09:00-15T12:00", "15T13:00-15T17:00", THU]),
    ("night, break in last night's tail", NIGHT, {"breaks": {WED: "02:00-03:00"}}, ["14T22:00-15T02:00", "15T03:00-15T06:00", N2]),
    ("night, break of a whole date", NIGHT, {"breaks": {WED: "00:00-24:00"}}, ["14T22:00-15T00:00", "16T00:00-16T06:00"]),
    ("night, break over midnight", NIGHT, {"breaks": {WED: "23:30-00:30"}}, [N1, "15T22:00-15T23:30", "16T00:30-16T06:00"]),
    ("day, weekly break, break", DAY, {"weekly_breaks": "wed 12:00-13:00", "breaks": {WED: "12:30-14:00"}}, [TUE, "15T09:00-15T12:00", "15T14:00-15T17:00", THU]),
    ("night, weekly break, break", NIGHT, {"weekly_breaks": "wed 02:00-03:00", "breaks": {WED: "02:30-04:00"}}, ["14T22:00-15T02:00", "15T04:00-15T06:00", N2]),
    ("night, valid to, break", NIGHT, {"valid_to": "2024-05-14", "breaks": {WED: "02:00-03:00"}}, ["14T22:00-15T02:00", "15T03:00-15T06:00"]),
    ("day, holiday, break", DAY, {"holidays": [WED], "breaks": {WED: "12:00-13:00"}}, [TUE, THU]),
    ("night, holiday, break", NIGHT, {"holidays": [WED], "breaks": {WED: "02:00-03:00"}}, ["14T22:00-15T02:00", "15T03:00-15T06:00"]),
    ("day, shift, break", DAY, {"shifts": {WED: "10:00-14:00"}, "breaks": {WED: "12:00-13:00"}}, [TUE, "15T10:00-15T12:00", "15T13:00-15T14:00", THU]),
    ("night, shift, break of the next date", NIGHT, {"shifts": {WED: "22:00-06:00"}, "breaks": {"2024-05-16": "02:00-03:00"}}, [N1, "15T22:00-16T02:00", "16T03:00-16T06:00"]),
    ("day, holiday, shift, break", DAY, {"holidays": [WED], "shifts": {WED: "10:00-14:00"}, "breaks": {WED: "12:00-13:00"}}, [TUE, "15T10:00-15T12:00", "15T13:00-15T14:00", THU]),
    ("an empty break removes nothing", DAY, {"breaks": {WED: ""}}, [TUE, "15T09:00-15T17:00", THU]),
    # a part-day holiday takes hours of the windows that start on its date; if it reaches midnight, also their night
    ("day, part-day holiday", DAY, {"holidays": ["2024-05-15 13:00-24:00"]}, [TUE, "15T09:00-15T13:00", THU]),
    ("night, part-day holiday to midnight", NIGHT, {"holidays": ["2024-05-15 13:00-24:00"]}, [N1]),
    ("night, part-day holiday to 23:00", NIGHT, {"holidays": ["2024-05-15 13:00-23:00"]}, [N1, "15T23:00-16T06:00"]),
    ("night, part-day holiday over midnight", NIGHT, {"holidays": ["2024-05-15 23:00-01:00"]}, [N1, "15T22:00-15T23:00", "16T01:00-16T06:00"]),
    ("night, part-day holiday in the morning: the tail is no window of that date", NIGHT, {"holidays": ["2024-05-15 00:00-03:00"]}, [N1, N2]),
    ("two part-day holidays", DAY, {"holidays": ["2024-05-15 09:00-10:00", "2024-05-15 16:00-24:00"]}, [TUE, "15T10:00-15T16:00", THU]),
    ("a holiday in part and all day", DAY, {"holidays": ["2024-05-15 09:00-10:00", WED]}, [TUE, THU]),
    ("a part-day holiday of 24 hours is one", NIGHT, {"holidays": ["2024-05-15 00:00-24:00"]}, [N1]),
    ("day, part-day holiday cut", DAY, {"holidays": ["2024-05-15 00:00-10:00"], "cut_at_midnight": True}, [TUE, "15T10:00-15T17:00", THU]),
    ("night, part-day holiday cut", NIGHT, {"holidays": ["2024-05-15 00:00-03:00"], "cut_at_midnight": True}, ["14T22:00-15T00:00", "15T03:00-15T06:00", N2]),
    ("night, part-day holiday of the next date cut", NIGHT, {"holidays": ["2024-05-16 02:00-03:00"], "cut_at_midnight": True}, [N1, "15T22:00-16T02:00", "16T03:00-16T06:00"]),
    ("day, weekly break, part-day holiday", DAY, {"weekly_breaks": "wed 12:00-13:00", "holidays": ["2024-05-15 12:30-14:00"]}, [TUE, "15T09:00-15T12:00", "15T14:00-15T17:00", THU]),
    ("night, weekly break, part-day holiday cut", NIGHT, {"weekly_breaks": "wed 02:00-03:00", "holidays": ["2024-05-15 02:30-04:00"], "cut_at_midnight": True}, ["14T22:00-15T02:00", "15T04:00-15T06:00", N2]),
    ("day, valid to, part-day holiday", DAY, {"valid_to": "2024-05-14", "holidays": ["2024-05-15 12:00-24:00"]}, [TUE]),
    ("night, valid from, part-day holiday", NIGHT, {"valid_from": WED, "holidays": ["2024-05-15 22:00-23:00"]}, ["15T23:00-16T06:00"]),
    ("day, part-day holiday, shift", DAY, {"holidays": ["2024-05-15 12:00-24:00"], "shifts": {WED: "10:00-14:00"}}, [TUE, "15T10:00-15T14:00", THU]),
    ("night, part-day holiday, shift", NIGHT, {"holidays": ["2024-05-15 12:00-24:00"], "shifts": {WED: "22:00-06:00"}}, [N1, N2]),
    ("night, part-day holiday cut, shift of the night before: its tail stays", NIGHT, {"holidays": ["2024-05-15 00:00-03:00"], "shifts": {"2024-05-14": "22:00-06:00"}, "cut_at_midnight": True}, [N1, N2]),
    ("day, part-day holiday, break", DAY, {"holidays": ["2024-05-15 09:00-11:00"], "breaks": {WED: "12:00-13:00"}}, [TUE, "15T11:00-15T12:00", "15T13:00-15T17:00", THU]),
    ("night, part-day holiday, break of the next date", NIGHT, {"holidays": ["2024-05-15 22:00-23:00"], "breaks": {"2024-05-16": "02:00-03:00"}}, [N1, "15T23:00-16T02:00", "16T03:00-16T06:00"]),
    # a yearly holiday is one in the years that it begins in
    ("day, yearly holiday", DAY, {"holidays": ["05-15"]}, [TUE, THU]),
    ("night, yearly holiday", NIGHT, {"holidays": ["05-15"]}, [N1]),
    ("night, yearly holiday cut", NIGHT, {"holidays": ["05-15"], "cut_at_midnight": True}, ["14T22:00-15T00:00"]),
    ("day, yearly holiday from next year", DAY, {"holidays": [{"date": "05-15", "since": 2025}]}, [TUE, "15T09:00-15T17:00", THU]),
    ("day, yearly holiday until last year", DAY, {"holidays": [{"date": "05-15", "until": 2023}]}, [TUE, "15T09:00-15T17:00", THU]),
    ("day, yearly holiday of this year", DAY, {"holidays": [{"date": "05-15", "since": 2024, "until": 2024}]}, [TUE, THU]),
    ("day, yearly range over New Year", DAY, {"holidays": ["12-24..05-15"]}, [THU]),
    ("day, yearly range over New Year until the year in which it began", DAY, {"holidays": [{"from": "12-24", "to": "05-15", "until": 2023}]}, [THU]),
    ("day, yearly range over New Year that begins this year", DAY, {"holidays": [{"from": "12-24", "to": "05-15", "since": 2024}]}, [TUE, "15T09:00-15T17:00", THU]),
    ("day, yearly part-day holiday", DAY, {"holidays": ["05-15 12:00-24:00"]}, [TUE, "15T09:00-15T12:00", THU]),
    ("night, yearly part-day holiday", NIGHT, {"holidays": ["05-15 12:00-24:00"]}, [N1]),
    ("night, yearly part-day holiday of the next date cut", NIGHT, {"holidays": ["05-16 00:00-02:00"], "cut_at_midnight": True}, [N1, "15T22:00-16T00:00", "16T02:00-16T06:00"]),
    ("day, weekly break, yearly part-day holiday", DAY, {"weekly_breaks": "wed 12:00-13:00", "holidays": ["05-15 15:00-24:00"]}, [TUE, "15T09:00-15T12:00", "15T13:00-15T15:00", THU]),
    ("night, valid from, yearly holiday of the next date cut", NIGHT, {"valid_from": WED, "holidays": ["05-16"], "cut_at_midnight": True}, ["15T22:00-16T00:00"]),
    ("day, yearly holiday, shift", DAY, {"holidays": ["05-15"], "shifts": {WED: "10:00-12:00"}}, [TUE, "15T10:00-15T12:00", THU]),
    ("night, yearly holiday, shift", NIGHT, {"holidays": ["05-15"], "shifts": {WED: "22:00-06:00"}}, [N1, N2]),
    ("day, yearly holiday, break", DAY, {"holidays": ["05-15"], "breaks": {WED: "12:00-13:00"}}, [TUE, THU]),
    ("night, yearly holiday, break", NIGHT, {"holidays": ["05-15"], "breaks": {WED: "02:00-03:00"}}, ["14T22:00-15T02:00", "15T03:00-15T06:00"]),
    ("a yearly holiday and one of a date", DAY, {"holidays": ["05-15 09:00-12:00", "2024-05-15 15:00-17:00"]}, [TUE, "15T12:00-15T15:00", THU]),
    # the remaining pairs with validity, and with a night that is cut
    ("night, valid to, weekly break in the tail: the break is part of the week", NIGHT, {"valid_to": "2024-05-14", "weekly_breaks": "wed 02:00-03:00"}, ["14T22:00-15T02:00", "15T03:00-15T06:00"]),
    ("day, valid from, weekly break", DAY, {"valid_from": WED, "weekly_breaks": "wed 12:00-13:00"}, ["15T09:00-15T12:00", "15T13:00-15T17:00", THU]),
    ("day, valid from, holiday", DAY, {"valid_from": WED, "holidays": [WED]}, [THU]),
    ("night, valid to, shift", NIGHT, {"valid_to": "2024-05-14", "shifts": {WED: "22:00-06:00"}}, [N1, N2]),
    ("day, valid to, break", DAY, {"valid_to": WED, "breaks": {WED: "12:00-13:00"}}, [TUE, "15T09:00-15T12:00", "15T13:00-15T17:00"]),
    ("night, weekly break over midnight, holiday cut", NIGHT, {"weekly_breaks": "tue 23:00-01:00", "holidays": [WED], "cut_at_midnight": True}, ["14T22:00-14T23:00"]),
    ("night, holiday cut, break of the evening before", NIGHT, {"holidays": [WED], "breaks": {"2024-05-14": "23:00-23:30"}, "cut_at_midnight": True}, ["14T22:00-14T23:00", "14T23:30-15T00:00"]),
    ("night, an empty shift takes its tail along", NIGHT, {"shifts": {"2024-05-14": []}}, [N2]),
    ("night, break from evening to morning", NIGHT, {"breaks": {WED: "22:00-06:00"}}, [N1]),
    ("night, shift, break of the date before over midnight", NIGHT, {"shifts": {WED: "00:00-02:00"}, "breaks": {"2024-05-14": "23:00-01:00"}}, ["14T22:00-14T23:00", "15T01:00-15T06:00"]),
    # windows of 24 hours that begin at nine
    ("24 hours, holiday", "daily 09:00-09:00", {"holidays": [WED]}, ["14T12:00-15T09:00", THU]),
    ("24 hours, holiday cut", "daily 09:00-09:00", {"holidays": [WED], "cut_at_midnight": True}, ["14T12:00-15T00:00", THU]),
    ("24 hours, part-day holiday to midnight", "daily 09:00-09:00", {"holidays": ["2024-05-15 12:00-24:00"]}, ["14T12:00-15T12:00", THU]),
    ("24 hours, shift", "daily 09:00-09:00", {"shifts": {WED: "10:00-12:00"}}, ["14T12:00-15T09:00", "15T10:00-15T12:00", THU]),
    ("24 hours, break of a whole date", "daily 09:00-09:00", {"breaks": {WED: "00:00-24:00"}}, ["14T12:00-15T00:00", "16T00:00-16T12:00"]),
]  # fmt: skip


def _instant(text):
    return dt.datetime.fromisoformat(f"2024-05-{text}:00+00:00")


@pytest.mark.parametrize(
    ("hours", "rules", "expected"), [row[1:] for row in GOLDEN], ids=[row[0] for row in GOLDEN]
)
def test_the_golden_table_of_layers(hours, rules, expected):
    """A higher layer wins over a lower one, by the date on which a window starts."""
    calendar = BusinessCalendar.weekly(hours, zone="UTC", **rules)
    observed = list(calendar.periods(_instant("14T12:00"), _instant("16T12:00")))
    assert observed == [tuple(map(_instant, text.split("-"))) for text in expected]


@pytest.mark.parametrize(
    ("hours", "rules", "expected"), [row[1:] for row in GOLDEN], ids=[row[0] for row in GOLDEN]
)
def test_the_oracle_of_the_laws_agrees_with_the_golden_table(hours, rules, expected):
    """What test_laws.py holds the library to is itself held to what was reasoned by hand."""
    desk = Rules(BusinessCalendar.weekly(hours, zone="UTC", **rules).to_dict())
    scan = Scan(desk, micros(_instant("14T12:00")), micros(_instant("16T12:00")), every_minute=True)
    assert scan.periods == [tuple(micros(_instant(t)) for t in text.split("-")) for text in expected]


def test_make_up_working_days_of_china_in_2024():
    """A Sunday worked before Spring Festival counts, and the holidays do not."""
    calendar = BusinessCalendar.weekly(
        "mon-fri 09:00-18:00",
        zone="Asia/Shanghai",
        holidays=[("2024-02-10", "2024-02-17", "Spring Festival")],
        shifts={"2024-02-04": "10:30-16:30", "2024-02-18": "09:00-18:00"},
    )

    def at(day, hour, minute=0):
        return dt.datetime(2024, 2, day, hour, minute, tzinfo=calendar.zone)

    assert calendar.next_open(at(4, 8)) == at(4, 10, 30)
    assert calendar.elapsed(at(4, 0), at(5, 0)) == dt.timedelta(hours=6)
    assert calendar.elapsed(at(10, 0), at(18, 0)) == dt.timedelta(0)
    assert calendar.add(at(9, 17), dt.timedelta(hours=2)) == at(18, 10)
    assert calendar.is_open(at(4, 16, 29))
    assert not calendar.is_open(at(4, 16, 30))
