"""The chain of promises: what is below must not fall due after what is promised to the customer.

The instants are counted by hand on the calendar of 2026 (1 January is a Thursday); the rule is ISO/IEC
20000-1, 8.3.4: internal and supplier agreements fit those with the customer.
"""

import datetime as dt
import time
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itsm_core.business_time import BusinessCalendar, business_days, calendar_days, end_of_business_day, hours
from itsm_core.business_time.durations import Budget
from itsm_core.errors import InvalidValue
from itsm_core.priority import Priority
from itsm_core.sla import Agreement, Fit, Target, check_chain
from itsm_core.sla.checking import turning_points
from itsm_core.sla.checking.turning_points import due, starts

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/Berlin", name="office")
AROUND = BusinessCalendar.always("Europe/Berlin", name="around the clock")
FAIR = BusinessCalendar.weekly("daily 09:00-17:00", zone="Europe/Berlin", valid_to="2026-03-06")
MONDAY = dt.datetime(2026, 3, 2, tzinfo=BERLIN)
WEEK = dt.timedelta(days=7)


def at(text):
    """A local time in Berlin."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def agreement(duration, calendar=OFFICE, *, id="customer", metric="resolution", **more):
    """An agreement with one target."""
    return Agreement(
        id, 1, targets=[Target(f"{id}-{metric}", metric, duration=duration, calendar=calendar, **more)]
    )


def checked(promised, below, **more):
    """The link of P1 over one week."""
    return check_chain(promised, below, MONDAY, **{"until": MONDAY + WEEK, **more}).links[0]


# promised, on; below, on; asked, due, below due: the worst start of the week from Monday 2 March 2026
LATE = [
    # eight hours around the clock from Friday 09:00 end at 17:00, those of the office too; a minute later they
    # end on Monday at 09:01: 64 hours
    ("8h", AROUND, "8h", OFFICE, "2026-03-06 09:01", "2026-03-06 17:01", "2026-03-09 09:01", 64),
    # in one office four hours are always over before eight: from 09:01 on, the eight end in the next morning
    ("4h", OFFICE, "8h", OFFICE, "2026-03-06 09:01", "2026-03-06 13:01", "2026-03-09 09:01", 68),
    # three business days from Monday to Thursday, seven calendar days to the next one; from Saturday 00:00 the
    # three begin on Monday at 09:00 and end on Thursday at 09:00, seven calendar days on Saturday
    ("3 business days", OFFICE, "7 calendar days", OFFICE, "2026-03-02 09:00", "2026-03-05 09:00", "2026-03-09 09:00", 96),
    # up to Friday 17:00 the business day ends then, and one business day later is Monday at the same hour
    ("end of business day", OFFICE, "1 business day", OFFICE,
     "2026-03-06 16:59:59.999999", "2026-03-06 17:00", "2026-03-09 16:59:59.999999", 72),
]  # fmt: skip


@pytest.mark.parametrize("row", LATE, ids=lambda row: f"{row[0]} over {row[2]}")
def test_the_worst_start_is_given_with_both_due_instants(row):
    """By hand: the first whole minute among the starts with the greatest lateness."""
    promised, above, duration, calendar, asked, ends, other, late = row
    link = checked(agreement(promised, above), agreement(duration, calendar, id="team"))
    assert link.fit is Fit.LATE
    assert (link.asked_at, link.promised_at, link.below_at) == (at(asked), at(ends), at(other))
    missing = dt.timedelta(microseconds=at(asked).second // 59)
    assert link.lateness == dt.timedelta(hours=late) - missing


FITS = [
    ("8h", OFFICE, "8h", OFFICE),
    ("8h", OFFICE, "8h", AROUND),
    ("3 business days", OFFICE, "16h", OFFICE),
    ("1 business day", OFFICE, "end of business day", OFFICE),
    ("7 calendar days", OFFICE, "5 calendar days", OFFICE),
]


@pytest.mark.parametrize("row", FITS, ids=lambda row: f"{row[0]} over {row[2]}, {row[3].name}")
def test_what_is_never_later_fits(row):
    """Due at the same instant is in time, as with every clock."""
    promised, above, duration, calendar = row
    assert checked(agreement(promised, above), agreement(duration, calendar, id="team")).fit is Fit.FITS


def test_only_the_span_counts():
    """Within a working week before Friday, eight hours of the office and a day around the clock agree."""
    promised, team = agreement("24h", AROUND), agreement("8h", id="team")
    thursday, friday = MONDAY + dt.timedelta(days=3), MONDAY + dt.timedelta(days=4, hours=9)
    assert check_chain(promised, team, thursday, until=friday).fits
    late = check_chain(promised, team, thursday, until=friday + dt.timedelta(hours=1)).late
    assert late[0].asked_at == friday + dt.timedelta(minutes=1)


def test_the_span_is_half_open_and_exact_to_the_microsecond():
    """Friday 09:00 sharp is in time; a microsecond later the eight hours run into Monday."""
    friday = at("2026-03-06 09:00")
    step = dt.timedelta(microseconds=1)
    promised, team = agreement("24h", AROUND), agreement("8h", id="team")
    assert check_chain(promised, team, friday, until=friday + step).fits
    link = check_chain(promised, team, friday, until=friday + 2 * step).late[0]
    assert link.asked_at == friday + step
    assert link.late_us == 48 * 3_600_000_000
    assert "09:00:00.000001 CET" in str(link)


def test_promises_in_sequence_add_up_and_others_do_not():
    """Four hours and four hours are eight: alone each fits five hours, one after the other they do not."""
    promised = agreement("5h", AROUND)
    team, depot = (
        agreement("4h", AROUND, id=name, kind="internal", party=name) for name in ("team", "depot")
    )
    side = check_chain(promised, [team, depot], MONDAY)
    assert [link.fit for link in side.links] == [Fit.FITS] * 10
    (link, *_) = check_chain(promised, [team, depot], MONDAY, in_sequence=True).links
    assert (link.lateness, [one.id for one in link.below]) == (
        dt.timedelta(hours=3), ["team-resolution", "depot-resolution"],
    )  # fmt: skip
    assert "team-resolution, then depot-resolution may take until" in str(link)


def test_each_part_of_a_sequence_counts_on_its_own_calendar():
    """Friday 16:59: two hours of the office end on Monday 10:59, a day of calendar days on Tuesday 10:59."""
    office, carrier = agreement("2h", id="team"), agreement("1 calendar day", AROUND, id="carrier")
    friday = at("2026-03-06 16:59")
    chain = check_chain(
        agreement("1h", AROUND),
        [office, carrier],
        friday,
        until=friday + dt.timedelta(minutes=1),
        in_sequence=True,
    )
    assert chain.links[0].asked_at == friday
    assert chain.links[0].below_at == at("2026-03-10 10:59")


def test_where_nothing_is_promised_below_nothing_fits():
    """Unknown is never met: no target for P2 to P5, and in a sequence one missing part is enough."""
    team = agreement("4h", id="team", priorities="P1")
    chain = check_chain(agreement("8h"), team, MONDAY)
    assert [link.fit for link in chain.links] == [Fit.FITS, *[Fit.NOTHING] * 4]
    assert not chain.fits
    assert chain.late == ()
    assert str(chain.links[1]) == "P2 resolution: nothing is promised below customer-resolution"
    both = check_chain(agreement("8h"), [team, agreement("1h", id="depot")], MONDAY, in_sequence=True)
    assert [link.fit for link in both.links] == [Fit.FITS, *[Fit.NOTHING] * 4]
    other = check_chain(agreement("8h", priorities="P1"), agreement("1h", metric="response"), MONDAY)
    assert [link.fit for link in other.links] == [Fit.NOTHING]


def test_what_is_not_promised_is_not_compared():
    """Priorities without a promise, and metrics that were not asked for."""
    two = Agreement(
        "two", 1,
        targets=[
            Target("r", "response", duration="1h", calendar=OFFICE, priorities="P2"),
            Target("f", "resolution", duration="8h", calendar=OFFICE),
        ],
    )  # fmt: skip
    found = check_chain(two, two, MONDAY).links
    assert [(link.metric, link.priority) for link in found] == [
        ("response", Priority.P2), *(("resolution", one) for one in Priority),
    ]  # fmt: skip
    assert {link.metric for link in check_chain(two, two, MONDAY, metrics="response").links} == {"response"}


def test_a_check_of_nothing_does_not_fit():
    """A promise for other fields than those given leaves no link, and no link is no proof."""
    mail = agreement("8h", when={"service": "mail"})
    assert not check_chain(mail, mail, MONDAY).fits
    assert check_chain(mail, mail, MONDAY, fields={"service": "mail"}).fits


def test_what_never_falls_due_below_is_late_without_end():
    """From Friday 6 March 16:00 on, an hour of the fair's calendar still passes, later it does not."""
    link = checked(agreement("8h"), agreement("1h", FAIR, id="fair"))
    assert (link.fit, link.late_us, link.lateness, link.below_at) == (Fit.LATE, None, None, None)
    assert link.asked_at == at("2026-03-06 16:00") + dt.timedelta(microseconds=1)
    assert "fair-resolution never ends, and customer-resolution ends Mon 09 Mar 2026" in str(link)


def test_a_calendar_that_begins_within_the_span_is_compared_too():
    """Before Wednesday 4 March nothing opens: an hour of the new office is over on Wednesday at 10:00."""
    new = BusinessCalendar.weekly("daily 09:00-17:00", zone="Europe/Berlin", valid_from="2026-03-04")
    link = checked(agreement("24h", AROUND), agreement("1h", new))
    assert (link.asked_at, link.below_at) == (MONDAY, at("2026-03-04 10:00"))
    assert link.lateness == dt.timedelta(hours=34)


def test_a_promise_that_never_falls_due_is_never_broken():
    """Nobody can be late for a day that does not come; before that, lateness counts."""
    assert checked(agreement("100h", FAIR), agreement("500h")).fit is Fit.FITS
    link = checked(agreement("1h", FAIR), agreement("8h"))
    assert link.asked_at <= at("2026-03-06 16:00")
    assert link.fit is Fit.LATE


def test_the_result_tells_itself_as_table_data_and_html():
    """The counterexample stands below the table."""
    chain = check_chain(
        agreement("4h", priorities="P1"), agreement("8h", id="<b>"), MONDAY, until=MONDAY + WEEK
    )
    lines = str(chain).splitlines()
    assert lines[0] == (
        "customer@1 over <b>@1, asked from Mon 02 Mar 2026 00:00 CET up to Mon 09 Mar 2026 00:00 CET: does not fit"
    )
    assert lines[2].split() == [
        "P1", "resolution", "customer-resolution", "(4h)", "<b>-resolution", "(8h)", "late",
    ]  # fmt: skip
    assert lines[3] == (
        "P1 resolution: asked at Fri 06 Mar 2026 09:01 CET, <b>-resolution may take until Mon 09 Mar 2026 09:01 CET, "
        "and customer-resolution ends Fri 06 Mar 2026 13:01 CET, 68h before"
    )
    assert "<b>" not in chain._repr_html_()
    assert repr(chain) == "<chain of customer@1: 1 of 1 late>"
    held = chain.to_dict()
    assert (held["fits"], held["in_sequence"], held["below"]) == (False, False, ["<b>@1"])
    assert held["links"] == [
        {
            "metric": "resolution", "priority": "P1", "promised": "customer-resolution", "below": ["<b>-resolution"],
            "fit": "late", "late_us": 68 * 3_600_000_000, "asked_at": "2026-03-06T09:01:00+01:00",
            "promised_at": "2026-03-06T13:01:00+01:00", "below_at": "2026-03-09T09:01:00+01:00",
        }
    ]  # fmt: skip
    good = check_chain(agreement("4h", priorities="P1"), agreement("4h"), MONDAY, in_sequence=True)
    assert str(good.links[0]) == "P1 resolution: customer-resolution fits customer-resolution"
    assert good.links[0].asked_at is None
    assert good.links[0].to_dict()["asked_at"] is None
    assert good.end - good.start == dt.timedelta(days=366)


@pytest.mark.parametrize(
    ("arguments", "more"),
    [
        (("acme", agreement("1h"), MONDAY), {}),
        ((agreement("1h"), "team", MONDAY), {}),
        ((agreement("1h"), [], MONDAY), {}),
        ((agreement("1h"), agreement("1h"), dt.datetime(2026, 3, 2)), {}),
        ((agreement("1h"), agreement("1h"), MONDAY), {"until": MONDAY}),
        ((agreement("1h"), agreement("1h"), MONDAY), {"until": MONDAY.replace(year=2037)}),
        ((agreement("1h"), agreement("1h"), MONDAY), {"metrics": ["response"]}),
        ((agreement("1h"), agreement("1h"), MONDAY), {"fields": "mail"}),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments, more):
    """Each argument says what it wants."""
    with pytest.raises(InvalidValue):
        check_chain(*arguments, **more)


def test_a_span_with_too_many_turns_is_refused(monkeypatch):
    """Rather than taking for ever."""
    monkeypatch.setattr(turning_points, "MOST_POINTS", 10)
    with pytest.raises(InvalidValue, match="shorter span"):
        check_chain(agreement("1h"), agreement("1h"), MONDAY)


def test_a_year_of_two_office_calendars_takes_a_second_or_two():
    """Bounded time: the number of turns of the calendars counts, not the microseconds between them."""
    began = time.perf_counter()
    check_chain(agreement("3 business days"), agreement("2 business days", AROUND), MONDAY)
    assert time.perf_counter() - began < 10


# --- every start is compared ----------------------------------------------------------------------

CALENDARS = [
    OFFICE,
    AROUND,
    BusinessCalendar.weekly("mon-fri 00:00-24:00", zone="America/New_York"),
    BusinessCalendar.weekly("daily 22:00-06:00; mon-thu 12:00-13:30", zone="Australia/Lord_Howe"),
    BusinessCalendar.weekly("mon 00:00-24:00; sun 01:00-04:00; tue 23:00-02:00", zone="Europe/London"),
    BusinessCalendar.weekly("daily 18:00-10:00; daily 09:00-12:00", zone="Europe/Berlin"),
    BusinessCalendar.weekly("sun 00:00-04:00", zone="Europe/Berlin", holidays=["2026-04-05"]),
]
DURATIONS = [
    hours(4), hours(8), hours(40), Budget(1), business_days(1), business_days(3), calendar_days(1),
    calendar_days(7), end_of_business_day(), end_of_business_day(2),
]  # fmt: skip
STEPS = st.tuples(st.sampled_from(CALENDARS), st.sampled_from(DURATIONS))
# around the changes of the clocks of 2026 in Europe, North America and Lord Howe, and any week
DAYS = st.sampled_from(
    ["2026-03-01", "2026-03-22", "2026-03-30", "2026-09-28", "2026-10-19", "2026-10-26", "2026-06-08"]
)
MINUTE_US, DAY_US = 60_000_000, 86_400_000_000


@settings(max_examples=150, deadline=None)
@given(
    promised=STEPS,
    below=st.lists(STEPS, min_size=1, max_size=2),
    day=DAYS,
    days=st.integers(1, 14),
    data=st.data(),
)
def test_no_start_is_worse_than_the_worst_of_the_turning_points(promised, below, day, days, data):
    """For any start of the span the lateness lies between the extremes found at turning points."""
    a = int(at(day).timestamp()) * 1_000_000
    b = a + days * DAY_US
    turns = starts([[promised], below], a, b)
    found = [due(below, one) - due([promised], one) for one in turns]
    anywhere = st.integers(a, b - 1) | st.integers(a // MINUTE_US, b // MINUTE_US - 1).map(
        lambda one: one * MINUTE_US
    )
    for start in data.draw(st.lists(anywhere, min_size=20, max_size=20)):
        assert min(found) <= due(below, start) - due([promised], start) <= max(found)


@settings(max_examples=60, deadline=None)
@given(promised=STEPS, below=STEPS, day=DAYS, data=st.data())
def test_where_nothing_is_late_no_start_is(promised, below, day, data):
    """If the check finds nothing, then for random starts what is below is never due later; else it is as told."""
    start = at(day)
    one, other = (agreement(duration, calendar) for calendar, duration in (promised, below))
    link = check_chain(one, other, start, until=start + WEEK).links[0]
    asked = data.draw(st.lists(st.integers(0, 7 * DAY_US - 1), min_size=30, max_size=30))
    instants = [start + dt.timedelta(microseconds=us) for us in asked]
    instants = [(when.astimezone(dt.UTC)) for when in instants if start <= when < start + WEEK]
    late = [
        (below[0].add(when, below[1]) - promised[0].add(when, promised[1])) // dt.timedelta(microseconds=1)
        for when in instants
    ]
    assert all(us <= (link.late_us or 0) for us in late)
    if link.fit is Fit.LATE:
        when = link.asked_at.astimezone(dt.UTC)
        told = below[0].add(when, below[1]) - promised[0].add(when, promised[1])
        assert told == link.lateness > dt.timedelta(0)


def test_a_link_is_a_value():
    """Equal links are equal."""
    link = checked(agreement("4h"), agreement("8h"))
    assert attrs.evolve(link) == link
