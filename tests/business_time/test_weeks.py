"""Weeks: hours less breaks, the dates on which they are valid, and whether they ever close."""

import datetime as dt
from itertools import pairwise

import pytest

from itsm_core.business_time.instants import HOUR
from itsm_core.business_time.weeks import FIRST_DAY, LAST_DAY, Week, checked, eras, full
from itsm_core.business_time.windows import NO_WINDOWS, WEEKDAYS, parse_week
from itsm_core.errors import InvalidValue

OFFICE = parse_week("mon-fri 09:00-17:00")


def hours_of(week, day):
    """The windows of a weekday in hours after its midnight."""
    return [(start / HOUR, end / HOUR) for start, end in week.windows[WEEKDAYS.index(day)]]


@pytest.mark.parametrize(
    ("hours", "breaks", "day", "left"),
    [
        ("mon 09:00-17:00", "mon 12:00-13:00", "mon", [(9, 12), (13, 17)]),
        ("mon 09:00-17:00", "tue 12:00-13:00", "mon", [(9, 17)]),
        ("mon 22:00-06:00", "tue 02:00-03:00", "mon", [(22, 26), (27, 30)]),
        ("sun 22:00-06:00", "mon 02:00-03:00", "sun", [(22, 26), (27, 30)]),
        ("tue 00:00-08:00", "mon 23:00-01:00", "tue", [(1, 8)]),
        ("mon 00:00-08:00", "sun 23:00-01:00", "mon", [(1, 8)]),
        ("wed 00:00-08:00", "mon 23:00-01:00", "wed", [(0, 8)]),
    ],
)
def test_breaks_of_the_days_around_cut_a_window_too(hours, breaks, day, left):
    """A night loses the break of the morning after, a morning that of the night before."""
    assert hours_of(Week.of(hours, breaks), day) == left


def test_a_week_is_valid_always_or_between_two_dates():
    """Both dates are included; a week may be valid on one date only."""
    assert Week(OFFICE).span == (FIRST_DAY, LAST_DAY)
    assert Week(OFFICE) == Week.of("mon-fri 09:00-17:00")
    may = dt.date(2024, 5, 1)
    assert Week.of("", valid_from="2024-05-01").span == (may.toordinal(), LAST_DAY)
    assert Week.of("", valid_to=may).span == (FIRST_DAY, may.toordinal())
    assert Week.of("", valid_from=may, valid_to=may).span == (may.toordinal(), may.toordinal())
    with pytest.raises(TypeError):
        Week(OFFICE, NO_WINDOWS, may)
    with pytest.raises(TypeError):
        Week(OFFICE, NO_WINDOWS, valid_from=may, valid_until=may)


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ({"valid_from": "1 May"}, "^valid_from "),
        ({"valid_to": "1 May"}, "^valid_to "),
        ({"valid_from": "2024-05-02", "valid_to": "2024-05-01"}, "^valid_to '2024-05-01': lies before"),
    ],
)
def test_a_bad_date_of_a_week_is_named(rules, why):
    """The error begins with the argument that is wrong."""
    with pytest.raises(InvalidValue, match=why):
        Week.of("mon 09:00-17:00", **rules)


def test_a_schedule_has_at_most_500_weeks():
    """That is one for every year that a calendar counts, and some."""
    week = Week(OFFICE)
    assert len(checked([week] * 500)) == 500
    with pytest.raises(InvalidValue, match=r"^weeks 501: are more than 500"):
        checked([week] * 501)


def test_eras_follow_each_other_from_the_first_date_to_the_last():
    """Where no week is valid an era has no hours; equal neighbours are one era."""
    may = dt.date(2024, 5, 1).toordinal()
    weeks = [
        Week(OFFICE, valid_from=dt.date(2024, 5, 1), valid_to=dt.date(2024, 5, 1)),
        Week(OFFICE, valid_from=dt.date(2024, 5, 2), valid_to=dt.date(2024, 5, 9)),
        Week(OFFICE, valid_from=dt.date(2024, 5, 11), valid_to=dt.date(2024, 5, 11)),
    ]
    found = eras(weeks)
    assert [(era.first, era.last) for era in found] == [
        (FIRST_DAY, may - 1), (may, may + 8), (may + 9, may + 9), (may + 10, may + 10), (may + 11, LAST_DAY),
    ]  # fmt: skip
    assert [era.week == OFFICE for era in found] == [False, True, False, True, False]
    assert all(before.last + 1 == after.first for before, after in pairwise(found))
    assert eras([]) == ((FIRST_DAY, LAST_DAY, NO_WINDOWS),)


def test_weeks_valid_at_once_are_united():
    """What one leaves open another may close over."""
    (era,) = eras([Week.of("mon 09:00-12:00"), Week.of("mon 11:00-15:00; tue 09:00-10:00")])
    assert era.week == parse_week("mon 09:00-15:00; tue 09:00-10:00")


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ("daily 00:00-24:00", True),
        ("daily 12:00-12:00", True),
        ("mon 06:00-24:00; tue-sat 00:00-24:00; sun 00:00-06:00 06:00-06:00", True),  # Sunday's night
        ("mon 06:01-24:00; tue-sat 00:00-24:00; sun 00:00-06:00 06:00-06:00", False),
        ("mon-sat 00:00-24:00; sun 00:00-23:59:59.999999", False),
        ("mon-tue,thu-sun 00:00-24:00", False),
        ("sun 12:00-24:00", False),
        ("mon 00:00-24:00", False),
        ("", False),
    ],
)
def test_a_week_is_full_if_it_never_closes(hours, expected):
    """Also where the last night of the week covers the first morning of the next."""
    assert full(parse_week(hours)) is expected
