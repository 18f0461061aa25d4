"""Holidays from iCalendar feeds: events whole and in part, rules and their exceptions, hostile text."""

import datetime as dt
import itertools
import sys
import time
import tracemalloc
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time import BusinessCalendar
from itsm_core.business_time.holidays import MOST_HOLIDAYS, Holiday, HolidayList
from itsm_core.business_time.ical import LONGEST_LINE, LONGEST_RULE, MOST_BYTES, ical_holidays
from itsm_core.errors import InvalidValue, UnknownZone

# A feed as they are published: folded lines, escapes, a zone definition, an alarm, a task.
FEED = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//Holidays//EN
X-WR-CALNAME:Holidays of
  Exampleland
METHOD:PUBLISH
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=SECONDLY
TZOFFSETFROM:+0200
TZOFFSETTO:+0900
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:1@example
DTSTAMP:20240101T000000Z
DTSTART;VALUE=DATE:20241225
DTEND;VALUE=DATE:20241227
SUMMARY;LANGUAGE=en:Christmas\\, both
  days
SUMMARY;LANGUAGE=de:Weihnachten
TRANSP:TRANSPARENT
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-P1D
DTSTART:99999999
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:2@example
DTSTART;VALUE=DATE:20240501
SUMMARY:Labour Day
END:VEVENT
BEGIN:VEVENT
UID:3@example
DTSTART;VALUE=DATE:20240502
STATUS:CANCELLED
SUMMARY:Bridge day
END:VEVENT
BEGIN:VTODO
DTSTART;VALUE=DATE:20240503
END:VTODO
END:VCALENDAR
""".replace("\n", "\r\n")


def event(*lines):
    """An event of these lines."""
    return "".join(f"{line}\r\n" for line in ("BEGIN:VEVENT", *lines, "END:VEVENT"))


def feed(*events):
    """A calendar of events."""
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{''.join(events)}END:VCALENDAR\r\n"


def shown(found):
    """Each holiday as people write it: "2024-12-24 13:00-24:00"."""
    texts = []
    for value in (day.as_value() for day in found):
        said = {"date": value} if isinstance(value, str) else value
        hours = " ".join("-".join(pair) for pair in said.get("closed", ()))
        texts.append(f"{said.get('date') or said['from'] + '..' + said['to']} {hours}".strip())
    return texts


def dates(*lines, **asked):
    """The holidays of a feed with one event."""
    return shown(ical_holidays(feed(event(*lines)), **asked))


def refused(text, kind=InvalidValue, **asked):
    """The message with which a feed is refused."""
    with pytest.raises(kind) as error:
        ical_holidays(text, **asked)
    assert error.value.remedy
    return str(error.value)


# -- all-day events --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [FEED, FEED.encode(), "\ufeff" + FEED, FEED.replace("\r\n", "\n")], ids=range(4)
)
def test_a_published_feed_is_read(text):
    """Its events are holidays with their names; alarms, tasks, zones and cancelled events are none."""
    assert ical_holidays(text) == HolidayList(
        (
            Holiday("2024-05-01", "2024-05-01", name="Labour Day"),
            Holiday("2024-12-25", "2024-12-26", name="Christmas, both days"),
        ),
        known_until=dt.date(2024, 12, 26),
        source="iCalendar: Holidays of Exampleland",
    )


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (["DTSTART;VALUE=DATE:20241225"], "2024-12-25"),
        (["DTSTART:20241225"], "2024-12-25"),
        (["DTSTART:20241225", "DTEND:20241226"], "2024-12-25"),
        (["DTSTART:20241225", "DTEND:20241225"], "2024-12-25"),
        (["DTSTART:20241230", "DTEND:20250102"], "2024-12-30..2025-01-01"),
        (["DTSTART:20241225", "DURATION:P2D"], "2024-12-25..2024-12-26"),
        (["DTSTART:20241225", "DURATION:P1W"], "2024-12-25..2024-12-31"),
        (["DTSTART;TZID=Mars/Phobos;VALUE=DATE:20241225"], "2024-12-25"),
        (["DTSTART:00010101", "DTEND:99991231"], "0001-01-01..9999-12-30"),
        (["DTSTART:99991231"], "9999-12-31"),
    ],
    ids=str,
)
def test_an_all_day_event_is_a_whole_holiday(lines, wanted):
    """DTEND is the day after the last; without any end an event lasts a day (RFC 5545, 3.6.1)."""
    assert dates(*lines) == [wanted]


def test_years_leave_out_what_lies_outside():
    """Holidays that touch one of the years are kept whole, the others are not."""
    text = feed(
        event("DTSTART:20231230", "DTEND:20240103"), event("DTSTART:20250501"), event("DTSTART:20270501")
    )
    assert shown(ical_holidays(text, years=2024)) == ["2023-12-30..2024-01-02"]
    assert shown(ical_holidays(text, years=(2023, 2027))) == ["2023-12-30..2024-01-02", "2027-05-01"]
    assert ical_holidays(text, years=2026).days == ()


def test_a_feed_is_known_until_the_years_end_or_its_last_date():
    """Unless the caller says how far the feed reaches."""
    assert ical_holidays(FEED, years=(2024, 2025)).known_until == dt.date(2025, 12, 31)
    assert ical_holidays(FEED, years=2024, known_until="2024-06-30").known_until == dt.date(2024, 6, 30)
    assert ical_holidays(feed()).known_until is None
    with pytest.raises(InvalidValue, match=r"known_until 'soon': is no date"):
        ical_holidays(FEED, known_until="soon")


def test_several_calendars_may_follow_each_other():
    """A stream of calendars is one list, named after the first title."""
    text = feed(event("DTSTART:20241225")) + feed(event("DTSTART:20241226"))
    found = ical_holidays(text)
    assert (shown(found), found.source) == (["2024-12-25", "2024-12-26"], "iCalendar: x")
    bare = f"BEGIN:VCALENDAR\n{event('DTSTART:20241225')}END:VCALENDAR"
    assert ical_holidays(bare).source == "iCalendar"


def test_names_are_plain_text():
    """Control characters, line ends and marks that turn the writing round go; joiners of scripts stay."""
    name = "a\\nb\x07c\u202ed \u200f نیم‌روز  🎄" + "x" * 1000
    (day,) = ical_holidays(feed(event("DTSTART:20241225", f"SUMMARY:{name}")))
    assert day.name.startswith("a b c d نیم‌روز 🎄xxx")
    assert (len(day.name), day.name[-1]) == (200, "…")


def test_a_name_is_cut_where_it_is_too_long():
    """Two hundred characters stay; of an endless one only the first two thousand are looked at."""
    for said, name in (("x" * 200, "x" * 200), ("x" * 201, "x" * 199 + "…"), ("x" + " " * 5000 + "y", "x")):
        (day,) = ical_holidays(feed(event("DTSTART:20241225", f"SUMMARY:{said}")))
        assert day.name == name


def test_each_part_of_a_timed_event_has_its_name():
    """Four days from noon to noon are three holidays, and an hour is one."""
    for end, parts in (("20241228T120000", 3), ("20241224T130000", 1)):
        found = ical_holidays(feed(event("DTSTART:20241224T120000", f"DTEND:{end}", "SUMMARY:Fair")))
        assert [day.name for day in found] == ["Fair"] * parts


def test_a_cancelled_event_may_be_written_in_small_letters():
    """Values of STATUS are the same in small letters (RFC 5545, 2)."""
    assert dates("DTSTART:20241225", "STATUS:cancelled") == []


def test_a_title_is_cut():
    """A source is a short line."""
    text = feed(event("DTSTART:20241225")).replace("PRODID:x", "NAME:" + "long " * 40)
    assert len(ical_holidays(text).source) == len("iCalendar: ") + 60


# -- timed events ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (["DTSTART:20241224T130000", "DTEND:20241224T180000"], ["2024-12-24 13:00-18:00"]),
        (["DTSTART:20241224T130000", "DTEND:20241225T000000"], ["2024-12-24 13:00-24:00"]),
        (["DTSTART:20241224T130000", "DURATION:PT90M"], ["2024-12-24 13:00-14:30"]),
        (["DTSTART:20241224T000000", "DTEND:20241225T000000"], ["2024-12-24"]),
        (["DTSTART:20241224T000000", "DURATION:P2D"], ["2024-12-24..2024-12-25"]),
        (
            ["DTSTART:20241224T220000", "DTEND:20241225T020000"],
            ["2024-12-24 22:00-02:00", "2024-12-25 00:00-02:00"],
        ),
        (
            ["DTSTART:20241224T120000", "DTEND:20241228T120000"],
            ["2024-12-24 12:00-24:00", "2024-12-25..2024-12-27", "2024-12-28 00:00-12:00"],
        ),
        (["DTSTART:20241224T120000"], []),
        (["DTSTART:20241224T120000", "DTEND:20241224T120000"], []),
    ],
    ids=str,
)
def test_a_timed_event_closes_a_part_of_its_days(lines, wanted):
    """It is split at midnight; whole dates are closed all day, and no time closes nothing."""
    assert dates(*lines) == wanted


@pytest.mark.parametrize(
    ("start", "end", "zone", "wanted"),
    [
        # New York changes its clocks on 10 March, London on 31 March: between them lie four hours.
        ("TZID=America/New_York:20240308T090000", "PT2H", "Europe/London", "2024-03-08 14:00-16:00"),
        ("TZID=America/New_York:20240311T090000", "PT2H", "Europe/London", "2024-03-11 13:00-15:00"),
        ("TZID=America/New_York:20240401T090000", "PT2H", "Europe/London", "2024-04-01 14:00-16:00"),
        ("VALUE=DATE-TIME:20240701T220000Z", "PT24H", "Europe/Berlin", "2024-07-02"),
        ("VALUE=DATE-TIME:20240101T230000Z", "P1D", "Europe/Berlin", "2024-01-02"),
        ("TZID=W. Europe Standard Time:20240701T000000", "P1D", "Europe/Berlin", "2024-07-01"),
        ("TZID=/mozilla.org/20050126_1/Europe/Berlin:20240701T000000", "P1D", "Europe/Berlin", "2024-07-01"),
        ("TZID=/Europe/Berlin:20240701T100000", "PT1H", "Asia/Kathmandu", "2024-07-01 13:45-14:45"),
        # Eight hours are eight hours, also in the night in which the clocks change.
        (
            "TZID=Europe/Berlin:20240330T200000",
            "PT8H",
            "UTC",
            "2024-03-30 19:00-03:00 2024-03-31 00:00-03:00",
        ),
        (
            "TZID=Europe/Berlin:20241026T200000",
            "PT8H",
            "UTC",
            "2024-10-26 18:00-02:00 2024-10-27 00:00-02:00",
        ),
        (
            "TZID=Europe/Berlin:20240330T200000",
            "P1DT1H",
            "UTC",
            "2024-03-30 19:00-19:00 2024-03-31 00:00-19:00",
        ),
        # What a clock reads while it is set back is closed for as long as the event lasts.
        ("VALUE=DATE-TIME:20241027T003000Z", "PT45M", "Europe/Berlin", "2024-10-27 02:30-03:15"),
        ("VALUE=DATE-TIME:20241027T003000Z", "PT1H", "Europe/Berlin", "2024-10-27 02:30-03:30"),
    ],
    ids=str,
)
def test_an_event_on_another_clock_is_read_on_the_calendars(start, end, zone, wanted):
    """Offsets are those of the event's own date; TZIDs may be of IANA, of a vendor's path, or of Windows."""
    lines = (f"DTSTART;{start}", f"DURATION:{end}")
    assert " ".join(dates(*lines, zone=zone)) == wanted
    assert " ".join(dates(*lines, zone=ZoneInfo(zone))) == wanted


def test_a_local_time_that_comes_twice_is_the_first_of_the_two():
    """On 2024-10-27 Berlin has 02:30 twice; a feed means the one in summer time (RFC 5545, 3.3.5)."""
    lines = ("DTSTART;TZID=Europe/Berlin:20241027T023000", "DTEND;TZID=Europe/Berlin:20241027T043000")
    assert dates(*lines, zone="UTC") == ["2024-10-27 00:30-03:30"]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_an_event_without_a_clock_is_at_its_time_on_every_one(zone):
    """From one to six is from one to six, wherever the calendar is."""
    lines = ("DTSTART:20241224T130000", "DTEND:20241224T180000")
    assert dates(*lines, zone=zone) == ["2024-12-24 13:00-18:00"]


def test_a_timed_event_lasts_a_year_at_most():
    """366 days on the minute are taken, a minute more is not."""
    wanted = ["2024-01-01 10:00-24:00", "2024-01-02..2024-12-31", "2025-01-01 00:00-10:00"]
    assert dates("DTSTART:20240101T100000", "DURATION:P366D") == wanted
    said = refused(feed(event("DTSTART:20240101T100000", "DURATION:P366DT1M")))
    assert "holds a timed event of over a year; make it an all-day event" in said


def test_an_end_may_be_on_a_third_clock():
    """DTSTART and DTEND each have their zone: a flight from London to New York."""
    lines = ("DTSTART;TZID=Europe/London:20240701T100000", "DTEND;TZID=America/New_York:20240701T130000")
    assert dates(*lines, zone="Europe/London") == ["2024-07-01 10:00-18:00"]


def test_an_event_with_a_clock_needs_the_calendars():
    """Nobody guesses where 23:00 UTC is a holiday; the error says which zone to say."""
    said = refused(feed(event("UID:a@b", "DTSTART:20240701T220000Z", "DTEND:20240702T220000Z")))
    assert "iCalendar 'a@b': holds an event on the clock of UTC; say the calendar's zone: zone=" in said


def test_an_unknown_zone_is_refused():
    """A zone that only the feed defines is refused by its name, and no path is followed."""
    for name in ("Customized Time Zone", "../../../etc/passwd", "/", "/" * 5000):
        said = refused(feed(event(f"DTSTART;TZID={name}:20240701T100000")), UnknownZone, zone="UTC")
        assert "write an IANA name such as TZID=Europe/Berlin into the feed" in said
    refused(FEED, UnknownZone, zone="Mars/Phobos")


def test_definitions_in_a_feed_change_no_zone():
    """A feed cannot tell this process, or the next feed, what the time in Berlin is."""
    ical_holidays(FEED)
    lines = ("DTSTART;TZID=Europe/Berlin:20240701T120000", "DURATION:PT1H")
    assert dates(*lines, zone="UTC") == ["2024-07-01 10:00-11:00"]


def test_a_calendar_closes_for_a_timed_event():
    """From a feed to open time: the desk closes at one on Christmas Eve."""
    found = ical_holidays(feed(event("DTSTART:20241224T130000", "DTEND:20241225T000000", "SUMMARY:Eve")))
    desk = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/Berlin", holidays=found)
    day = dt.datetime(2024, 12, 24, tzinfo=desk.zone)
    assert desk.elapsed(day, day + dt.timedelta(days=1)) == dt.timedelta(hours=4)


# -- rules -----------------------------------------------------------------------------------------


def test_a_yearly_rule_comes_in_the_years_asked():
    """Thanksgiving is the fourth Thursday of November, every year."""
    lines = ("DTSTART:19971127", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH")
    assert dates(*lines, years=range(2023, 2026)) == ["2023-11-23", "2024-11-28", "2025-11-27"]


def test_the_first_occurrence_is_the_event_itself():
    """DTSTART counts even where the rule does not name it, and nothing comes before it."""
    lines = ("DTSTART:20240110", "RRULE:FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=6")
    assert dates(*lines, years=(2023, 2024, 2025)) == ["2024-01-10", "2025-01-06"]


def test_an_occurrence_over_new_year_belongs_to_both_years():
    """A rule is followed from far enough before the years asked."""
    lines = ("DTSTART:20201220", "DTEND:20210105", "RRULE:FREQ=YEARLY")
    assert dates(*lines, years=2023) == ["2022-12-20..2023-01-04", "2023-12-20..2024-01-04"]


@pytest.mark.parametrize(
    ("clock", "zone", "begins", "first"),
    [
        ("Pacific/Pago_Pago", "Pacific/Kiritimati", "20231230T233000", "2024-01-01 00:30-01:30"),
        ("Pacific/Kiritimati", "Pacific/Pago_Pago", "20250102T003000", "2024-12-31 23:30-00:30"),
    ],
)
def test_a_rule_on_a_far_clock_reaches_the_ends_of_a_year(clock, zone, begins, first):
    """Samoa is 25 hours behind the Line Islands: two dates lie between their calendars."""
    start = dt.datetime.strptime(begins, "%Y%m%dT%H%M%S") - dt.timedelta(days=1000)
    lines = (f"DTSTART;TZID={clock}:{start:%Y%m%dT%H%M%S}", "DURATION:PT1H", "RRULE:FREQ=DAILY")
    found = dates(*lines, zone=zone, years=2024)
    assert first in (found[0], found[-1])
    assert len([day for day in found if "00:00-" not in day]) == 366


@pytest.mark.parametrize(
    ("start", "rule", "wanted"),
    [
        ("DTSTART:20240101", "FREQ=DAILY;COUNT=3", 3),
        ("DTSTART:20240101", "FREQ=DAILY;UNTIL=20240103", 3),
        ("DTSTART:20240101", "FREQ=DAILY;UNTIL=20240103T000000Z", 3),
        ("DTSTART:20240101", "FREQ=DAILY;UNTIL=20231231", 1),
        ("DTSTART:20240101T100000", "FREQ=DAILY;UNTIL=20240103T100000", 3),
        ("DTSTART:20240101T100000", "FREQ=DAILY;UNTIL=20240103T095959", 2),
        ("DTSTART:20240101T100000", "FREQ=DAILY;UNTIL=20240103", 3),
        ("DTSTART;TZID=Asia/Tokyo:20240101T080000", "FREQ=DAILY;UNTIL=20240102T230000Z", 3),
        ("DTSTART;TZID=Asia/Tokyo:20240101T080000", "FREQ=DAILY;UNTIL=20240102T225959Z", 2),
        ("DTSTART;TZID=Asia/Tokyo:20240101T080000", "FREQ=DAILY;UNTIL=20240103T075959", 2),
        ("DTSTART;TZID=Asia/Tokyo:20240101T080000", "FREQ=DAILY;UNTIL=20240103T080000", 3),
    ],
    ids=str,
)
def test_a_rule_with_an_end_needs_no_years(start, rule, wanted):
    """COUNT and UNTIL end it; an instant is read on the clock of the event."""
    lines = (start, "DURATION:P1D", f"RRULE:{rule}")
    touched = {day.first for day in ical_holidays(feed(event(*lines)), zone="Asia/Tokyo")}
    whole = "T" not in start.partition(":")[2]
    assert len(touched) == wanted + (not whole)  # from ten to ten: a morning more


def test_a_recurring_event_ends_at_the_same_time_every_day():
    """09:00 to 17:00 in Berlin stays so when the clocks change, and moves by an hour in UTC."""
    lines = (
        "DTSTART;TZID=Europe/Berlin:20240330T090000",
        "DTEND;TZID=Europe/Berlin:20240330T170000",
        "RRULE:FREQ=DAILY;COUNT=2",
    )
    assert dates(*lines, zone="Europe/Berlin") == ["2024-03-30 09:00-17:00", "2024-03-31 09:00-17:00"]
    assert dates(*lines, zone="UTC") == ["2024-03-30 08:00-16:00", "2024-03-31 07:00-15:00"]


def test_dates_are_added_and_taken_away():
    """RDATE adds, EXDATE takes away; both may be lists and come more than once."""
    lines = (
        "DTSTART:20240101", "RRULE:FREQ=DAILY;COUNT=4", "EXDATE;VALUE=DATE:20240102,20240103",
        "EXDATE;VALUE=DATE:20240104", "RDATE;VALUE=DATE:20240201,20240202", "RDATE;VALUE=DATE:20240101",
    )  # fmt: skip
    assert dates(*lines) == ["2024-01-01", "2024-02-01", "2024-02-02"]


@pytest.mark.parametrize(
    ("start", "exdate", "left"),
    [
        ("DTSTART;TZID=Europe/Berlin:20240101T100000", "EXDATE;TZID=Europe/Berlin:20240102T100000", 1),
        ("DTSTART;TZID=Europe/Berlin:20240101T100000", "EXDATE:20240102T090000Z", 1),
        ("DTSTART;TZID=Europe/Berlin:20240101T100000", "EXDATE;TZID=Asia/Tokyo:20240102T180000", 1),
        ("DTSTART;TZID=Europe/Berlin:20240101T100000", "EXDATE;VALUE=DATE:20240102", 1),
        ("DTSTART;TZID=Europe/Berlin:20240101T100000", "EXDATE:20240102T100000", 1),
        ("DTSTART;TZID=Europe/Berlin:20240101T100000", "EXDATE:20240102T100000Z", 2),
        ("DTSTART:20240101T100000", "EXDATE:20240102T100000", 1),
        ("DTSTART:20240101T100000", "EXDATE:20240102T110000", 2),
        ("DTSTART:20240101", "EXDATE:20240102T000000", 1),
    ],
    ids=str,
)
def test_an_exception_is_found_by_its_instant_or_date(start, exdate, left):
    """In whatever zone it is written, or as a date alone."""
    lines = (
        start,
        "DURATION:P1D" if "T1" not in start else "DURATION:PT1H",
        "RRULE:FREQ=DAILY;COUNT=2",
        exdate,
    )
    assert len(dates(*lines, zone="Europe/Berlin")) == left


@pytest.mark.parametrize(
    ("rdate", "wanted"),
    [
        ("RDATE:20240201T120000", "2024-02-01 12:00-13:00"),
        ("RDATE;VALUE=DATE:20240201", "2024-02-01 10:00-11:00"),
        ("RDATE:20240201T090000Z", "2024-02-01 10:00-11:00"),
    ],
)
def test_a_date_added_to_a_timed_event_has_its_time(rdate, wanted):
    """A date alone is at the time of the event, an instant on its clock."""
    lines = ("DTSTART;TZID=Europe/Berlin:20240101T100000", "DURATION:PT1H", rdate)
    assert dates(*lines, zone="Europe/Berlin") == ["2024-01-01 10:00-11:00", wanted]


def test_an_occurrence_may_be_moved_or_cancelled():
    """An event with RECURRENCE-ID stands for that occurrence: on another date, or on none."""
    series = event("UID:a", "DTSTART:20230501", "RRULE:FREQ=YEARLY;COUNT=4", "SUMMARY:May Day")
    moved = event("UID:a", "RECURRENCE-ID;VALUE=DATE:20240501", "DTSTART:20240506", "SUMMARY:May Day (moved)")
    gone = event("UID:a", "RECURRENCE-ID;VALUE=DATE:20250501", "DTSTART:20250501", "STATUS:CANCELLED")
    same = event("UID:a", "RECURRENCE-ID;VALUE=DATE:20260501", "DTSTART:20260501", "SUMMARY:Renamed")
    other = event("UID:b", "DTSTART:20240501")
    found = ical_holidays(feed(moved, series, gone, same, other))
    assert [(day.dates, day.name) for day in found] == [
        ("2023-05-01", "May Day"),
        ("2024-05-01", ""),
        ("2024-05-06", "May Day (moved)"),
        ("2026-05-01", "Renamed"),
    ]


def test_a_moved_occurrence_is_found_by_its_instant():
    """RECURRENCE-ID in UTC takes the place of an occurrence in Berlin."""
    series = event(
        "UID:a", "DTSTART;TZID=Europe/Berlin:20240701T100000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2"
    )
    moved = event("UID:a", "RECURRENCE-ID:20240702T080000Z", "DTSTART:20240703T080000Z", "DURATION:PT1H")
    found = ical_holidays(feed(series, moved), zone="Europe/Berlin")
    assert shown(found) == ["2024-07-01 10:00-11:00", "2024-07-03 10:00-11:00"]


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ["UID:a", "DTSTART:20240101", "RRULE:FREQ=YEARLY"],
            "'a': holds an event that recurs without end; say the years",
        ),
        (["DTSTART:20240101", "RRULE:FREQ=HOURLY;COUNT=2"], "recurs within a day"),
        (["DTSTART:20240101", "RRULE:FREQ=DAILY;INTERVAL=0"], "recurrence 'FREQ=DAILY;INTERVAL=0'"),
        (["DTSTART:20240101", "RRULE:junk"], "has no FREQ"),
        (["DTSTART:20240101", "RRULE:FREQ=DAILY;COUNT=x"], "holds an event with a broken RRULE"),
        (["DTSTART:20240101", "EXRULE:FREQ=DAILY"], "uses EXRULE, which RFC 5545 has dropped"),
        (["UID:a@b"], "iCalendar 'a@b': holds an event that does not say when it begins"),
        (["DTEND:20240101"], "iCalendar '': holds an event that does not say when it begins"),
        (["DTSTART:nonsense"], "holds an event with a broken DTSTART"),
        (["DTSTART:00000101"], "holds an event with a broken DTSTART"),
        (["DTSTART:100000"], "has a time where a date belongs"),
        (["DTSTART:PT1H"], "has a timedelta where a date belongs"),
        (["DTSTART:20240101", "DTSTART:20240102"], "says DTSTART twice in one event"),
        (["DTSTART:20240101", "DTEND:20231231"], "ends before it begins"),
        (["DTSTART:20240101T100000", "DTEND:20240101T090000"], "ends before it begins"),
        (["DTSTART:20240101", "DTEND:20240102T100000"], "mixes a date and a time"),
        (["DTSTART:20240101", "DURATION:PT1H"], "or within a date"),
        (["DTSTART:20240101", "DURATION:20240102"], "holds an event"),
        (["DTSTART:20240101", "DURATION:P999999999D"], "at the end of what a date can say"),
        (["DTSTART;TZID=Asia/Tokyo:20240101T100000", "DURATION:P9999999D"], "cannot be read (OverflowError)"),
        (["DTSTART:20240101T000000", "DTEND:99991231T000000"], "holds a timed event of over a year"),
        (["DTSTART:99991231T220000Z", "DTEND:99991231T235959Z"], "at the end of what a date can say"),
        (["DTSTART:20240101T100000", "RDATE;VALUE=PERIOD:20240102T100000/PT1H"], "has a tuple where a date"),
        (["DTSTART:20240101", "RECURRENCE-ID;RANGE=THISANDFUTURE:20240101"], "changes all that follow"),
        (["DTSTART:20240101", "SUMMARY:" + "x" * LONGEST_LINE], "has a line of 200008 characters"),
        (["DTSTART:20240101", "RRULE:" + "x" * LONGEST_RULE], "has a line of 2006 characters"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_event_that_cannot_be_meant_is_refused(lines, said):
    """By its UID, with what is wrong and what to do: nothing is dropped or changed in silence."""
    assert said in refused(feed(event(*lines)), zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty; pass a text that begins with BEGIN:VCALENDAR"),
        (b"", "is empty"),
        ("holidays.ics", "does not begin with BEGIN:VCALENDAR; pass the text of an .ics file"),
        ("BEGIN:VCARD\nEND:VCARD", "does not begin with BEGIN:VCALENDAR"),
        ("<html>", "does not begin with BEGIN:VCALENDAR"),
        ("END:VCALENDAR", "does not begin with BEGIN:VCALENDAR"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20240101", "breaks off within VEVENT"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR", "is broken: an END without its BEGIN"),
        (FEED + "DTSTART:20240101", "does not begin with BEGIN:VCALENDAR"),
        (feed().replace("PRODID:x", "CALSCALE:HEBREW"), "counts in another calendar than the Gregorian one"),
        (feed().replace("PRODID", 'PRODID;A="'), "cannot be read"),
        (b"BEGIN:VCALENDAR\xff\xfe", "is no UTF-8 text; decode it first"),
        (FEED.encode("utf-16"), "is no UTF-8 text"),
        ("BEGIN:VCALENDAR\0", "holds bytes that are no text; pass the text of an .ics file"),
        ("BEGIN:VCALENDAR\ud800", "holds half a surrogate pair; pass the bytes of the file"),
        (None, 'iCalendar None: is no text; pass what the file holds: Path("feed.ics").read_bytes()'),
        ("é" * (MOST_BYTES // 2 + 1), f"is larger than {MOST_BYTES} bytes; leave out past years"),
        (b" " * (MOST_BYTES + 1), "iCalendar 1048577: is larger than 1048576 bytes"),
    ],
    ids=range(18),
)
def test_what_is_no_calendar_is_refused(text, said):
    """Whatever the text, and whatever the package would raise, the error says what to pass."""
    assert said in refused(text)


def test_a_long_uid_is_cut():
    """An error holds the first two hundred characters of it."""
    with pytest.raises(InvalidValue) as error:
        ical_holidays(feed(event("UID:" + "u" * 1000)))
    assert error.value.value == "u" * 200


@pytest.mark.parametrize(
    ("line", "filling", "longest"),
    [("SUMMARY:", "x", LONGEST_LINE), ("RRULE:FREQ=DAILY;COUNT=10;BYMONTHDAY=1", ",1", LONGEST_RULE)],
    ids=["summary", "rule"],
)
def test_a_line_may_be_as_long_as_its_bound(line, filling, longest):
    """At the bound it is read, one character more is refused with its length and its beginning."""
    line += filling * ((longest - len(line)) // len(filling))
    assert len(line) == longest
    assert dates("DTSTART:20240101", line)[0] == "2024-01-01"
    with pytest.raises(InvalidValue, match=f"has a line of {longest + 1} characters") as error:
        dates("DTSTART:20240101", line + "1")
    assert error.value.value == line[:40]


def test_a_feed_may_be_as_large_as_its_bound():
    """A MiB to the byte is read."""
    text = feed(event("DTSTART:20240101", "DESCRIPTION:"))
    text = text.replace("DESCRIPTION:", "DESCRIPTION:" + "x" * (MOST_BYTES - len(text)))
    assert (len(text), shown(ical_holidays(text))) == (MOST_BYTES, ["2024-01-01"])
    assert "is larger than 1048576 bytes" in refused(text + "\n")


def test_the_calendar_may_be_named_in_small_letters():
    """The Gregorian calendar is one, however it is written."""
    text = feed(event("DTSTART:20240101")).replace("PRODID:x", "CALSCALE:gregorian")
    assert shown(ical_holidays(text)) == ["2024-01-01"]
    assert "counts in another calendar" in refused(text + text.replace("gregorian", "hebrew"))


def test_what_an_error_shows_of_a_feed_is_short():
    """The first forty characters of the line that cannot be."""
    for text, shows in (
        ("<" * 100, "<" * 40),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:" + "x" * 100, "END:" + "x" * 36),
    ):
        with pytest.raises(InvalidValue) as error:
            ical_holidays(text)
        assert error.value.value == shows
    assert refused("BEGIN:VCALENDAR\nBEGIN:" + "X" * 100).partition(";")[0].endswith("within " + "X" * 40)


def test_a_feed_may_hold_as_many_events_or_dates_as_a_calendar_holidays():
    """Dates taken away count as well: at the bound they are read, one more is refused before all else."""
    listed = "EXDATE;VALUE=DATE:" + ",".join(["20240101"] * MOST_HOLIDAYS)
    assert dates("DTSTART:20240102", listed) == ["2024-01-02"]
    for text in (
        feed(event("DTSTART:20240102", f"{listed},20240101")),
        feed(event("DTSTART:20240102", "STATUS:CANCELLED") * (MOST_HOLIDAYS + 1)),
    ):
        assert f"holds more than {MOST_HOLIDAYS} events or dates; leave out past years" in refused(text)


def test_names_of_lines_may_be_in_small_letters_and_blank_lines_come_first():
    """Names are the same in small letters (RFC 5545, 2); a blank line is none."""
    assert dates("dtstart:20241225") == ["2024-12-25"]
    small = feed(event("DTSTART:20241225")).lower().replace("end:vevent", "end:vevent ")
    assert shown(ical_holidays(small)) == ["2024-12-25"]
    assert shown(ical_holidays("   \r\n" + feed(event("DTSTART:20241225")))) == ["2024-12-25"]


def test_a_path_is_not_followed(tmp_path, monkeypatch):
    """A text that happens to be the name of a file is a text."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "feed.ics").write_text(FEED, encoding="utf-8")
    assert "does not begin" in refused("feed.ics")


def test_years_are_checked_before_the_feed():
    """What is asked is read like the years of a country."""
    assert "years True: is no year" in refused("", years=True)


def test_a_package_that_is_missing_is_named(monkeypatch):
    """The error says which extra to install."""
    monkeypatch.setitem(sys.modules, "icalendar", None)
    with pytest.raises(ImportError) as error:
        ical_holidays(FEED)
    assert str(error.value) == "ical_holidays needs its extra: pip install 'itsm-core[ical]'"


# -- hostile feeds ---------------------------------------------------------------------------------


def filled(make, size=1_048_000):
    """As many events as fit into a feed of a megabyte, and not one more than are taken."""
    events = itertools.accumulate(
        map(make, range(MOST_HOLIDAYS)), lambda a, b: (a[0] + len(b), b), initial=(0, "")
    )
    return feed(*(text for length, text in events if length < size - 100))


def folded(name, size):
    """A line folded after each character."""
    return f"{name}:" + "x\r\n " * (size // 4)


ZONES = sorted(available_timezones())
DAY = "DTSTART:20240101"
YEAR_OF_DATES = ",".join(f"{2000 + i // 336}{i // 28 % 12 + 1:02}{i % 28 + 1:02}" for i in range(9_900))
HOSTILE = {
    "tiny events": lambda: filled(lambda i: event(f"UID:{i}", DAY, "SUMMARY:h")),
    "too many events": lambda: feed(event(DAY) * 20_000),
    "timed events": lambda: filled(lambda i: event(f"DTSTART;TZID=Europe/Rome:20240101T{i % 24:02}0000", f"DURATION:PT{i}S")),
    "zones": lambda: filled(lambda i: event(f"DTSTART;TZID={ZONES[i % len(ZONES)]}:{i % 8000 + 1000}1103T013000", "DURATION:PT1H")),
    "unknown zones": lambda: filled(lambda i: event(f"DTSTART;TZID=Zone{i}:20240101T100000")),
    "zone definitions": lambda: feed("BEGIN:VTIMEZONE\r\nTZID:Z\r\nBEGIN:STANDARD\r\nRRULE:FREQ=SECONDLY\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n" * 9_000),
    "one line": lambda: feed(event(DAY, "SUMMARY:" + "x" * 1_000_000)),
    "one folded line": lambda: feed(event(DAY, folded("SUMMARY", 1_000_000))),
    "one folded description": lambda: feed(event(DAY, folded("DESCRIPTION", 1_000_000))),
    "parameters": lambda: feed(event(DAY, "SUMMARY" + ";A=b" * 45_000 + ":x")),
    "quotes": lambda: feed(event(DAY, "SUMMARY;A=" + '"' * 190_000 + ":x")),
    "backslashes": lambda: feed(event(DAY, "SUMMARY:" + "\\" * 190_000)),
    "nested components": lambda: feed("BEGIN:X\r\n" * 45_000 + "END:X\r\n" * 45_000),
    "nested calendars": lambda: "BEGIN:VCALENDAR\n" * 30_000 + "END:VCALENDAR\n" * 30_000,
    "empty calendars": lambda: "BEGIN:VCALENDAR\nEND:VCALENDAR\n" * 34_000,
    "line ends": lambda: feed("\r" * 1_000_000),
    "titles": lambda: feed("NAME:a\r\n" * 120_000),
    "repeated lines": lambda: feed(event(DAY, *["SUMMARY:a"] * 90_000)),
    "a huge count": lambda: feed(event(DAY, "RRULE:FREQ=DAILY;COUNT=999999999")),
    "a rule that never comes true": lambda: feed(event(DAY, "RRULE:FREQ=DAILY;COUNT=1;BYMONTH=2;BYMONTHDAY=30")),
    "rules that never come true": lambda: filled(lambda i: event(DAY, "RRULE:FREQ=DAILY;UNTIL=99991231;BYMONTH=2;BYMONTHDAY=30"), 500_000),
    "a rule until the end of time": lambda: feed(event("DTSTART:00010101", "RRULE:FREQ=DAILY;UNTIL=99991231")),
    "long rules": lambda: filled(lambda i: event(DAY, "RRULE:FREQ=YEARLY;BYYEARDAY=" + ",".join(map(str, range(1, 367))))),
    "a list in a rule": lambda: feed(event(DAY, "RRULE:FREQ=YEARLY;BYMONTHDAY=" + ",".join(["1"] * 300_000))),
    "many rules in one event": lambda: feed(event(DAY, *["RRULE:FREQ=YEARLY;COUNT=9"] * 35_000)),
    "dates added": lambda: feed(event(DAY, f"RDATE;VALUE=DATE:{YEAR_OF_DATES}")),
    "too many dates added": lambda: feed(event(DAY, *[f"RDATE;VALUE=DATE:{YEAR_OF_DATES}"] * 10)),
    "dates taken away": lambda: feed(event(DAY, f"EXDATE;VALUE=DATE:{YEAR_OF_DATES}", "RRULE:FREQ=DAILY;COUNT=9000")),
    "replaced occurrences": lambda: feed(
        event("UID:a", DAY, "RRULE:FREQ=WEEKLY;COUNT=99") * 500,
        event("UID:a", "RECURRENCE-ID:20240108", "DTSTART:20240109") * 9_000,
    ),
}  # fmt: skip


def outcome(text, **asked):
    """The number of holidays, or the error with which the feed is refused."""
    try:
        return len(ical_holidays(text, zone="Europe/Berlin", **asked))
    except InvalidValue as error:
        return error


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        *((name, {"years": range(2000, 2040)}) for name in HOSTILE),
        *((name, {}) for name in HOSTILE if "rule" in name or "count" in name),
    ],
    ids=lambda value: value if isinstance(value, str) else str(len(value)),
)
def test_a_hostile_feed_is_read_or_refused_in_seconds(name, asked):
    """A megabyte of anything costs at most eight seconds of CPU on a busy machine, and two on a quiet one."""
    text = HOSTILE[name]()
    assert len(text) <= MOST_BYTES, "refused by its size alone"
    begun = time.process_time()
    found = outcome(text, **asked)
    seconds = time.process_time() - begun
    print(f"{name}: {len(text)} bytes, {seconds:.2f} s, {found}")
    assert seconds < 8
    assert found <= MOST_HOLIDAYS if isinstance(found, int) else found.remedy


@pytest.mark.parametrize("name", ["tiny events", "line ends", "repeated lines", "one folded line"])
def test_a_hostile_feed_takes_bounded_memory(name):
    """At its peak a feed takes less than a hundred times its size, and less than 100 MB."""
    text = HOSTILE[name]() if name != "tiny events" else filled(lambda i: event(f"UID:{i}", DAY), 150_000)
    tracemalloc.start()
    try:
        outcome(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    print(f"{name}: {len(text)} bytes, {peak / 1_000_000:.0f} MB")
    assert peak < min(100 * len(text), 100_000_000)


PIECES = st.sampled_from(
    [
        *FEED.split("\r\n"),
        "BEGIN:VEVENT",
        "END:VEVENT",
        "END:VCALENDAR",
        "RRULE:FREQ=YEARLY;COUNT=2",
        "",
        " ",
        "\t;",
        ":",
    ]
)
LINES = st.lists(PIECES | st.text(max_size=20), max_size=30)


@given(st.text() | st.binary() | LINES.map("\n".join) | LINES.map(lambda lines: feed(event(DAY, *lines))))
def test_any_text_is_read_or_refused(text):
    """No text, however broken, ends in another error than a refusal."""
    try:
        found = ical_holidays(text, years=2024, zone="Europe/Berlin")
    except InvalidValue:
        return
    assert all(day.first.year <= 2024 <= day.last.year for day in found)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_an_hour_that_comes_twice_is_not_lost(zone):
    """02:30 and an hour on the night of 27 October 2024 ends at 02:30 on the wall, and closes something."""
    feed = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;TZID=Europe/Berlin:20241027T023000\r\nDURATION:PT1H\r\nSUMMARY:night work\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"  # fmt: skip
    (found,) = ical_holidays(feed, zone=zone)
    assert found.first == dt.date(2024, 10, 27)
    assert found.closed
