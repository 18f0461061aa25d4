"""Recurrence rules on dates: the examples of RFC 5545, an oracle, and what hostile rules cost."""

import datetime as dt
import time

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from itsm_core.business_time.recurrence import Work, parse_rule
from itsm_core.errors import InvalidValue

START = dt.date(1997, 9, 2)  # a Tuesday; the RFC's examples begin on it


def dates(rule, start=START, first=None, last=dt.date(2050, 12, 31), work=None):
    """The dates of a rule, at first all of them."""
    return list(parse_rule(rule).dates(start, first or start, last, work or Work(1_000_000)))


def texts(found):
    """Dates as month and day."""
    return " ".join(day.strftime("%m-%d") for day in found)


# RFC 5545, 3.8.5.3: the examples that lie on dates, each with its beginning.
RFC_5545 = [
    ("FREQ=DAILY;COUNT=5", START, "09-02 09-03 09-04 09-05 09-06"),
    ("FREQ=DAILY;INTERVAL=10;COUNT=5", START, "09-02 09-12 09-22 10-02 10-12"),
    ("FREQ=WEEKLY;COUNT=4", START, "09-02 09-09 09-16 09-23"),
    ("FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH", START, "09-02 09-04 09-09 09-11 09-16 09-18 09-23 09-25 09-30 10-02"),
    ("FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH", START, "09-02 09-04 09-16 09-18 09-30 10-02 10-14 10-16"),
    ("FREQ=MONTHLY;COUNT=3;BYDAY=1FR", dt.date(1997, 9, 5), "09-05 10-03 11-07"),
    ("FREQ=MONTHLY;INTERVAL=2;COUNT=6;BYDAY=1SU,-1SU", dt.date(1997, 9, 7), "09-07 09-28 11-02 11-30 01-04 01-25"),
    ("FREQ=MONTHLY;COUNT=3;BYDAY=-2MO", dt.date(1997, 9, 22), "09-22 10-20 11-17"),
    ("FREQ=MONTHLY;COUNT=3;BYMONTHDAY=-3", dt.date(1997, 9, 28), "09-28 10-29 11-28"),
    ("FREQ=MONTHLY;COUNT=6;BYMONTHDAY=1,-1", dt.date(1997, 9, 30), "09-30 10-01 10-31 11-01 11-30 12-01"),
    ("FREQ=YEARLY;COUNT=4;BYMONTH=6,7", dt.date(1997, 6, 10), "06-10 07-10 06-10 07-10"),
    ("FREQ=YEARLY;INTERVAL=3;COUNT=4;BYYEARDAY=1,100,200", dt.date(1997, 1, 1), "01-01 04-10 07-19 01-01"),
    ("FREQ=YEARLY;BYDAY=20MO;COUNT=3", dt.date(1997, 5, 19), "05-19 05-18 05-17"),
    ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=3", dt.date(1997, 5, 12), "05-12 05-11 05-17"),
    ("FREQ=YEARLY;BYMONTH=3;BYDAY=TH;COUNT=4", dt.date(1997, 3, 13), "03-13 03-20 03-27 03-05"),
    ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=4", START, "02-13 03-13 11-13 08-13"),
    ("FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=3", dt.date(1996, 11, 5), "11-05 11-07 11-02"),
    ("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", dt.date(1997, 9, 4), "09-04 10-07 11-06"),
    ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=3", dt.date(1997, 9, 29), "09-29 10-30 11-27"),
    ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", dt.date(1997, 8, 5), "08-05 08-10 08-19 08-24"),
    ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", dt.date(1997, 8, 5), "08-05 08-17 08-19 08-31"),
    ("FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", dt.date(2007, 1, 15), "01-15 01-30 02-15 03-15 03-30"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "start", "wanted"), RFC_5545, ids=lambda value: str(value)[:70])
def test_the_examples_of_the_rfc_come_out(rule, start, wanted):
    """What RFC 5545 lists under a rule is what the rule names."""
    assert texts(dates(rule, start)) == wanted


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("FREQ=YEARLY;COUNT=2", ["1997-09-02", "1998-09-02"]),
        ("FREQ=MONTHLY;COUNT=2", ["1997-09-02", "1997-10-02"]),
        ("freq=weekly;count=2;", ["1997-09-02", "1997-09-09"]),
        ("FREQ=YEARLY;BYWEEKNO=36;COUNT=2", ["1997-09-02", "1998-09-01"]),
        ("FREQ=YEARLY;BYMONTHDAY=1;COUNT=2", ["1997-10-01", "1997-11-01"]),
        ("FREQ=MONTHLY;BYMONTH=1;COUNT=2", ["1998-01-02", "1999-01-02"]),
    ],
)
def test_what_a_rule_leaves_open_is_that_of_its_start(rule, wanted):
    """Day, month and weekday that a rule does not say are those of its beginning (3.3.10)."""
    assert [day.isoformat() for day in dates(rule)] == wanted


def test_a_date_that_a_year_lacks_is_left_out():
    """29 February comes in leap years, and the 31st in months that have one."""
    leap = dates("FREQ=YEARLY;COUNT=3", dt.date(1896, 2, 29))
    assert [day.year for day in leap] == [1896, 1904, 1908]
    assert texts(dates("FREQ=MONTHLY;COUNT=3", dt.date(2025, 1, 31))) == "01-31 03-31 05-31"


def test_weeks_are_numbered_as_in_iso_8601():
    """The last week of a year may end in the next one, and the first may begin in the one before."""
    for rule, weeks in (("BYWEEKNO=1", {1}), ("BYWEEKNO=53", {53}), ("BYWEEKNO=-1", {52, 53})):
        found = dates(f"FREQ=YEARLY;{rule};BYDAY=MO,TU,WE,TH,FR,SA,SU", dt.date(1, 1, 1), dt.date(1990, 1, 1))
        assert {day.isocalendar().week for day in found} == weeks
    days = map(dt.date.fromordinal, range(dt.date(1990, 1, 1).toordinal(), dt.date(2051, 1, 1).toordinal()))
    firsts = [day for day in days if day.isocalendar().week == 1]
    rule = "FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO,TU,WE,TH,FR,SA,SU"
    assert dates(rule, dt.date(1990, 1, 1)) == firsts


def test_the_first_days_of_january_may_lie_in_the_last_week_of_a_leap_year():
    """The 31st of December 2020, a Thursday, makes week 53 its year's: to it belongs Friday 2021-01-01."""
    wanted = [dt.date(2020, 12, 28), dt.date(2021, 1, 1), dt.date(2021, 12, 27), dt.date(2021, 12, 31)]
    for rule, count in (("BYWEEKNO=-1", 4), ("BYWEEKNO=53", 2)):
        found = dates(f"FREQ=YEARLY;{rule};BYDAY=MO,FR;COUNT={count}", dt.date(2020, 12, 1))
        assert found == wanted[:count]


def test_the_last_days_of_december_may_lie_in_the_first_week_of_a_long_year():
    """2020 and 2026 have 53 weeks, so their first ones, which begin in the year before, are the 53rd last."""
    found = dates("FREQ=YEARLY;BYWEEKNO=-53;BYDAY=MO;COUNT=2", dt.date(2019, 6, 1))
    assert found == [dt.date(2019, 12, 30), dt.date(2025, 12, 29)]


def test_weeks_of_a_year_begin_on_the_day_the_rule_says():
    """From Sunday 1996-12-29 to Saturday four days lie in 1997; 1998 begins on a Thursday: three."""
    found = dates("FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO;WKST=SU;COUNT=2", dt.date(1996, 12, 1))
    assert found == [dt.date(1996, 12, 30), dt.date(1998, 1, 5)]


def test_weeks_of_an_interval_begin_on_the_day_the_rule_says():
    """Of two weeks from Sunday to Saturday the first is taken with both its ends."""
    rule, tuesday = "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SA;WKST=SU", dt.date(1997, 8, 5)
    assert texts(dates(rule, tuesday)) == "08-05 08-09 08-19 08-23"


def test_the_last_days_of_time_are_days_like_others():
    """A daily rule comes until 9999-12-31."""
    wanted = [dt.date(9999, 12, day) for day in (29, 30, 31)]
    assert dates("FREQ=DAILY", wanted[0], last=dt.date.max) == wanted


def test_a_count_may_be_large():
    """Three hundred times every day are three hundred dates."""
    assert len(dates("FREQ=DAILY;COUNT=300")) == 300


@pytest.mark.parametrize(
    "rule", ["FREQ=DAILY", "FREQ=WEEKLY;WKST=TU;BYDAY=MO,FR", "FREQ=MONTHLY", "FREQ=YEARLY"]
)
def test_rules_reach_both_ends_of_time(rule):
    """The years 1 and 9999 are years like others."""
    first = dates(rule, dt.date(1, 1, 1), last=dt.date(1, 12, 31))
    last = dates(rule, dt.date(1, 1, 1), dt.date(9999, 1, 1), dt.date.max)
    assert first[0] == dt.date(1, 1, 1)
    assert {day.year for day in last} == {9999}


# -- an oracle -------------------------------------------------------------------------------------

DAYS_OF_WEEK = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
DAYS = st.sampled_from(DAYS_OF_WEEK)
NTH = st.sampled_from([1, 2, 3, 4, -1, -2, -3, -4])


def several(items):
    """One to three different items as a list of a rule."""
    return st.lists(items, min_size=1, max_size=3, unique=True).map(lambda found: ",".join(map(str, found)))


@st.composite
def rules(draw):
    """Rules that come true within some years; dateutil looks for ever for one that does not."""
    frequency = draw(st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY"]))
    parts = {"FREQ": frequency, "INTERVAL": draw(st.integers(1, 3)), "WKST": draw(DAYS)}
    limits = [{}, {"BYMONTH": several(st.integers(1, 12))}, {"BYDAY": several(DAYS)}]
    if frequency in ("YEARLY", "MONTHLY"):
        limits += [
            {"BYDAY": several(st.tuples(NTH, DAYS).map(lambda pair: f"{pair[0]}{pair[1]}"))},
            {"BYMONTHDAY": several(st.integers(1, 28) | st.integers(-28, -1))},
        ]
    if frequency == "YEARLY":
        limits += [
            {"BYYEARDAY": several(st.integers(1, 365) | st.integers(-365, -1))},
            {"BYDAY": several(DAYS), "BYWEEKNO": several(st.integers(1, 52) | st.integers(-52, -1))},
        ]
    parts |= {name: draw(values) for name, values in draw(st.sampled_from(limits)).items()}
    if draw(st.booleans()):
        parts["COUNT"] = draw(st.integers(1, 30))
    if len(parts) > 3 and draw(st.booleans()):
        parts["BYSETPOS"] = draw(st.sampled_from([1, -1]))
    return ";".join(f"{name}={value}" for name, value in parts.items())


@given(rules(), st.dates(dt.date(1990, 1, 1), dt.date(2020, 12, 28)), st.integers(-400, 2000))
@settings(max_examples=60)
def test_dateutil_names_the_same_dates(rule, start, offset):
    """Another implementation of the rules agrees in every window of time."""
    first = start + dt.timedelta(days=offset)
    last = first + dt.timedelta(days=900)
    if (
        "WEEKLY" in rule and "BYSETPOS" in rule
    ):  # dateutil begins the first week at DTSTART, RFC 5545 does not
        start -= dt.timedelta(days=(start.weekday() - DAYS_OF_WEEK.index(rule.split("WKST=")[1][:2])) % 7)
    bounded = rule if "COUNT" in rule else f"{rule};UNTIL={last:%Y%m%d}T000000"
    theirs = [moment.date() for moment in rrulestr(bounded, dtstart=dt.datetime.combine(start, dt.time()))]
    assert dates(rule, start, first, last) == [day for day in theirs if first <= day <= last]


def test_a_position_counts_in_the_whole_week_also_before_the_start():
    """RFC 5545, 3.3.10: a set of recurrence instances starts at the beginning of the interval defined by FREQ.

    Weeks begin on Tuesday: of 28 December to 3 January the first is the 28th, before the start on the 1st.
    """
    rule = "FREQ=WEEKLY;WKST=TU;BYDAY=MO,TU;BYSETPOS=1"
    assert dates(rule, dt.date(2000, 1, 1), last=dt.date(2000, 1, 18)) == [
        dt.date(2000, 1, 4), dt.date(2000, 1, 11), dt.date(2000, 1, 18)
    ]  # fmt: skip


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("", "has no FREQ of YEARLY, MONTHLY, WEEKLY, DAILY"),
        ("COUNT=3", "has no FREQ"),
        ("FREQ=OFTEN", "has no FREQ"),
        ("FREQ=HOURLY", "recurs within a day; a holiday comes at most once a day"),
        ("FREQ=MINUTELY", "recurs within a day"),
        ("FREQ=SECONDLY", "recurs within a day"),
        ("FREQ=DAILY;BYHOUR=9", "recurs within a day"),
        ("FREQ=DAILY;BYMINUTE=9", "recurs within a day"),
        ("FREQ=DAILY;BYSECOND=9", "recurs within a day"),
        ("FREQ=YEARLY;BYEASTER=0", 'has the unknown "BYEASTER"'),
        ("FREQ=YEARLY;RSCALE=CHINESE", 'has the unknown "RSCALE"'),
        ("junk", 'has the unknown "JUNK"'),
        ("X" * 50, f'has the unknown "{"X" * 40}"'),
        ("FREQ=DAILY;INTERVAL=0", '"0" is no number that fits'),
        ("FREQ=DAILY;INTERVAL=-1", '"-1" is no number that fits'),
        ("FREQ=DAILY;COUNT=", '"" is no number that fits'),
        ("FREQ=DAILY;COUNT=" + "9" * 5000, '"9999999999999999999999999999999999999999" is no number'),
        ("FREQ=YEARLY;BYMONTH=13", '"13" is no number that fits'),
        ("FREQ=YEARLY;BYMONTH=-1", '"-1" is no number that fits'),
        ("FREQ=YEARLY;BYMONTHDAY=0", '"0" is no number that fits'),
        ("FREQ=YEARLY;BYMONTHDAY=1,x", '"X" is no number that fits'),
        ("FREQ=YEARLY;BYMONTHDAY=32", '"32" is no number that fits'),
        ("FREQ=YEARLY;BYYEARDAY=367", '"367" is no number that fits'),
        ("FREQ=YEARLY;BYWEEKNO=54", '"54" is no number that fits'),
        ("FREQ=YEARLY;BYDAY=MO;BYSETPOS=367", '"367" is no number that fits'),
        ("FREQ=YEARLY;BYDAY=XX", '"XX" is no weekday that fits'),
        ("FREQ=YEARLY;BYDAY=XMO", '"XMO" is no weekday that fits'),
        ("FREQ=YEARLY;BYDAY=MONDAY", '"MONDAY" is no weekday that fits'),
        ("FREQ=YEARLY;BYDAY=" + "X" * 50, f'"{"X" * 40}" is no weekday that fits'),
        ("FREQ=YEARLY;BYDAY=54MO", '"54" is no number that fits'),
        ("FREQ=YEARLY;BYDAY=-54MO", '"-54" is no number that fits'),
        ("FREQ=YEARLY;BYDAY=0MO", '"0" is no number that fits'),
        ("FREQ=WEEKLY;BYDAY=1MO", '"1MO" is no weekday that fits'),
        ("FREQ=WEEKLY;WKST=XX", 'has the unknown "XX"'),
        ("FREQ=DAILY;UNTIL=soon", '"SOON" is no date to end on; write UNTIL=20301231'),
        ("FREQ=DAILY;UNTIL=20240230", '"20240230" is no date to end on'),
        ("FREQ=DAILY;UNTIL=" + "1" * 50, f'"{"1" * 40}" is no date to end on'),
    ],
    ids=lambda value: value[:40],
)
def test_a_rule_that_cannot_be_read_is_refused(rule, said):
    """The error shows the rule, what is wrong in it, and a rule that would do."""
    with pytest.raises(InvalidValue) as refused:
        parse_rule(rule)
    assert said in str(refused.value)
    assert (refused.value.what, bool(refused.value.remedy)) == ("recurrence", True)


def test_an_end_is_a_date_a_local_time_or_an_instant():
    """UNTIL keeps what it is; who reads the rule knows the zone."""
    ends = [
        parse_rule(f"FREQ=DAILY;UNTIL={end}").until
        for end in ("20241225", "20241225T100000", "20241225T100000Z")
    ]
    moment = dt.datetime(2024, 12, 25, 10)
    assert ends == [moment.date(), moment, moment.replace(tzinfo=dt.UTC)]
    assert [parse_rule(rule).ends for rule in ("FREQ=DAILY", "FREQ=DAILY;COUNT=1")] == [False, True]


# -- cost ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule", ["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"]
)
def test_a_rule_that_never_comes_true_costs_no_more_than_its_window(rule):
    """The 30th of February is looked for in the years asked, not until the year 9999."""
    work = Work(1000)
    assert dates(rule, dt.date(1, 1, 1), dt.date(2024, 1, 1), dt.date(2024, 12, 31), work) == []
    assert work.left > 0


def test_days_before_the_window_are_passed_over():
    """A rule that has run for two thousand years costs one year if one is asked."""
    work = Work(800)
    assert len(dates("FREQ=DAILY", dt.date(1, 1, 1), dt.date(2024, 1, 1), dt.date(2024, 12, 31), work)) == 366


@pytest.mark.parametrize(
    ("rule", "cost"),
    [
        ("FREQ=DAILY", 30 * (1 + 1)),
        ("FREQ=MONTHLY;BYMONTHDAY=1", 30 + 1),
        ("FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=1", 30 + 1),
    ],
)
def test_a_rule_costs_the_days_of_its_periods_and_may_use_up_what_is_allowed(rule, cost):
    """November 2024 has thirty days; each period costs its days and one more, and no other is looked at."""
    asked = (rule, dt.date(2000, 11, 1), dt.date(2024, 11, 1), dt.date(2024, 11, 30))
    work = Work(cost)
    assert dt.date(2024, 11, 1) in dates(*asked, work)
    assert work.left == 0
    with pytest.raises(InvalidValue, match=f"over {cost - 1} days to be looked at"):
        dates(*asked, Work(cost - 1))


def test_work_is_bounded_over_all_rules():
    """Counted rules have to be followed from their start; a feed of them ends in a refusal."""
    work, begun = Work(100_000), time.process_time()
    rule = parse_rule("FREQ=DAILY;COUNT=1;BYMONTH=2;BYMONTHDAY=30")
    with pytest.raises(InvalidValue, match=r"over 100000 days to be looked at; ask for fewer years"):
        list(rule.dates(START, START, dt.date.max, work))
    assert time.process_time() - begun < 2
