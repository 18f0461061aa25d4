"""Pictures of open time: true lengths of dates, months as tables, and nothing that a name can break."""

import datetime as dt
import importlib.util
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time import BusinessCalendar, HolidayList
from itsm_core.business_time.dates import days
from itsm_core.business_time.intervals import union
from itsm_core.errors import InvalidValue
from page_labels import LABELS, overlaps

ROOT = Path(__file__).resolve().parents[2]
H = 3_600_000_000
M = H // 60
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def pictured(calendar, first, count=1):
    """The dates of a calendar as pictures."""
    return days(calendar._source, calendar._compiled, dt.date.fromisoformat(str(first)), count)


def one(zone, date, hours):
    """The picture of one date for a desk with these hours."""
    (day,) = pictured(BusinessCalendar.weekly(hours, zone=zone), date)
    return day


# -- dates in real time ------------------------------------------------------------------------

# zone, date, hours of the desk; by hand: length, open time, windows, labels
BY_HAND = [
    ("Europe/London", "2026-10-24", "daily 22:00-06:00", 24 * H, 8 * H, "00:00-06:00 22:00-24:00", ""),
    ("Europe/London", "2026-10-25", "daily 22:00-06:00", 25 * H, 9 * H, "00:00-06:00 22:00-24:00", "clocks -1h"),
    ("Europe/London", "2026-03-29", "daily 22:00-06:00", 23 * H, 7 * H, "00:00-06:00 22:00-24:00", "clocks +1h"),
    # Closed at 01:30 summer time, the clock reads 01:00 again half an hour later.
    ("Europe/London", "2026-10-25", "daily 00:00-01:30", 25 * H, 2 * H, "00:00-01:30 01:00-01:30", "clocks -1h"),
    ("Europe/London", "2026-03-29", "daily 01:00-02:00; mon 09:00-10:00", 23 * H, 0, "", "clocks +1h"),
    ("Australia/Lord_Howe", "2026-04-05", "daily 01:00-03:00", 24 * H + 30 * M, 150 * M, "01:00-03:00", "clocks -30m"),
    ("Australia/Lord_Howe", "2026-10-04", "daily 01:00-03:00", 23 * H + 30 * M, 90 * M, "01:00-03:00", "clocks +30m"),
    ("Pacific/Apia", "2011-12-29", "daily 09:00-17:00", 24 * H, 8 * H, "09:00-17:00", ""),
    ("Pacific/Apia", "2011-12-30", "daily 09:00-17:00", 0, 0, "", "no such date, clocks +24h"),
    ("Pacific/Apia", "2011-12-31", "daily 09:00-17:00", 24 * H, 8 * H, "09:00-17:00", ""),
    ("America/Sao_Paulo", "2017-10-15", "daily 00:00-02:00", 23 * H, H, "01:00-02:00", "clocks +1h"),
    ("America/Sao_Paulo", "2018-02-17", "daily 23:00-24:00", 25 * H, 2 * H, "23:00-24:00", "clocks -1h"),
    ("America/Sao_Paulo", "2018-02-18", "daily 23:00-24:00", 24 * H, H, "23:00-24:00", ""),
    ("America/Havana", "2025-11-02", "daily 00:00-00:30", 25 * H, H, "00:00-00:30 00:00-00:30", "clocks -1h"),
    ("America/Havana", "2025-03-09", "daily 00:00-02:00", 23 * H, H, "01:00-02:00", "clocks +1h"),
    # Ramadan: Morocco leaves UTC+1 for it and comes back after it.
    ("Africa/Casablanca", "2026-02-15", "daily 01:00-04:00", 25 * H, 4 * H, "01:00-04:00", "clocks -1h"),
    ("Africa/Casablanca", "2026-03-22", "daily 01:00-04:00", 23 * H, 2 * H, "01:00-04:00", "clocks +1h"),
    ("Asia/Kolkata", "2024-12-31", "daily 22:00-06:00", 24 * H, 8 * H, "00:00-06:00 22:00-24:00", ""),
    # 00:01 on the 7th became 23:01 on the 6th: both dates come in two stretches.
    ("America/St_Johns", "2010-11-06", "daily 00:00-24:00", 24 * H + 59 * M, 24 * H + 59 * M, "00:00-24:00 23:01-24:00", "clocks -1h"),
    ("America/St_Johns", "2010-11-07", "daily 00:00-24:00", 24 * H + M, 24 * H + M, "00:00-00:01 00:00-24:00", "clocks -1h"),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "date", "hours", "length", "opened", "windows", "labels"), BY_HAND)
def test_a_date_is_as_long_as_the_clock_reads_it(zone, date, hours, length, opened, windows, labels):
    """Lengths, open time, windows and labels are those counted by hand."""
    day = one(zone, date, hours)
    assert (day.length, day.open_time) == (length, opened)
    assert (" ".join(day.windows), ", ".join(day.labels)) == (windows, labels)


def clocks(day):
    """The readings of the ticks, in hours, and their places."""
    return [tick.clock / H for tick in day.ticks], [tick.place / H for tick in day.ticks]


def test_ticks_show_the_clock_in_real_time():
    """On a fold night an hour comes twice, on a gap night one is missing; places go on evenly."""
    back = clocks(one("Europe/London", "2026-10-25", "daily 09:00-17:00"))
    assert back == ([0, 1, 1, *range(2, 25)], [*range(26)])
    forward = clocks(one("Europe/London", "2026-03-29", "daily 09:00-17:00"))
    assert forward == ([0, *range(2, 25)], [*range(24)])
    plain = clocks(one("Asia/Kolkata", "2024-12-31", "daily 09:00-17:00"))
    assert plain == ([*range(25)], [*range(25)])


def test_the_first_reading_after_a_change_has_a_tick():
    """Lord Howe goes back from 02:00 to 01:30 and forward from 02:00 to 02:30."""
    readings, places = clocks(one("Australia/Lord_Howe", "2026-04-05", "daily 09:00-17:00"))
    assert (readings[:4], places[:4]) == ([0, 1, 1.5, 2], [0, 1, 2, 2.5])
    readings, places = clocks(one("Australia/Lord_Howe", "2026-10-04", "daily 09:00-17:00"))
    assert (readings[:4], places[:4]) == ([0, 1, 2.5, 3], [0, 1, 2, 2.5])


def test_a_midnight_that_is_missing_or_comes_twice():
    """Sao Paulo's date begins at 01:00 o'clock; Havana reads the hour after midnight twice."""
    assert clocks(one("America/Sao_Paulo", "2017-10-15", "daily 09:00-17:00"))[0] == [*range(1, 25)]
    assert clocks(one("America/Havana", "2025-11-02", "daily 09:00-17:00"))[0] == [0, *range(25)]
    turned = one("America/Sao_Paulo", "2018-02-17", "daily 09:00-17:00")
    assert clocks(turned)[0] == [*range(24), 23, 24]
    assert turned.turns == ((24 * H, -H),)


def test_a_date_that_is_left_out_has_nothing():
    """Samoa's 30 December 2011: no stretch, no tick, no business day."""
    day = one("Pacific/Apia", "2011-12-30", "daily 09:00-17:00")
    assert (day.stretches, day.ticks, day.open, day.business_day) == ((), (), (), False)


def test_a_night_belongs_to_the_date_on_which_it_starts():
    """Sunday's small hours are open, but Sunday is no business day."""
    saturday, sunday = pictured(
        BusinessCalendar.weekly("sat 22:00-06:00", zone="Europe/London"), "2026-10-24", 2
    )
    assert (saturday.business_day, sunday.business_day) == (True, False)
    assert (saturday.open, sunday.open) == (((22 * H, 24 * H),), ((0, 7 * H),))


def test_labels_say_what_is_special():
    """Holidays by name, shifts, breaks; in a combination with the calendar they come from."""
    desk = BusinessCalendar.weekly(
        "mon-fri 09:00-17:00", zone="Europe/London", name="London",
        holidays=["2024-05-01", ("2024-05-06", "Early May"), ("2024-05-07 13:00-24:00", "Half day")],
        shifts={"2024-05-04": "10:00-12:00", "2024-05-08": ""}, breaks={"2024-05-09": "10:00-11:00"},
    )  # fmt: skip
    named = {day.date.day: day.labels for day in pictured(desk, "2024-05-01", 9) if day.labels}
    assert named == {
        1: ("holiday",), 4: ("shift",), 6: ("Early May",), 7: ("Half day",),
        8: ("closed by shift",), 9: ("break",),
    }  # fmt: skip
    tokyo = BusinessCalendar.weekly(
        "mon-fri 09:00-18:00", zone="Asia/Tokyo", holidays=[("2024-05-06", "Furikae")]
    )
    (both,) = pictured(desk & tokyo, "2024-05-06")
    assert both.labels == ("Early May", "Asia/Tokyo: Furikae")
    (less,) = pictured(desk - tokyo, "2024-05-06")
    assert less.labels == ("Early May",)
    (either,) = pictured(desk | tokyo, "2024-05-06")
    assert sorted(either.labels) == ["Asia/Tokyo: Furikae", "London: Early May"]


ZONES = [
    "Europe/London", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia",
    "Africa/Casablanca", "America/Havana", "America/St_Johns", "Asia/Gaza", "Asia/Kolkata", "Pacific/Chatham",
]  # fmt: skip
HOURS = [
    "mon-fri 09:00-17:30", "daily 22:00-06:00", "daily 00:00-24:00", "daily 00:00-00:30 23:30-00:15",
    "sat,sun 01:15-02:45", "mon 08:00-08:00; thu 20:00-10:00",
]  # fmt: skip
dates = st.dates(dt.date(1995, 1, 1), dt.date(2030, 12, 31))


@given(st.sampled_from(ZONES), st.sampled_from(HOURS), dates)
def test_the_dates_partition_the_instants(zone, hours, first):
    """Every instant belongs to the date that its clock reads, and open time is what is elapsed."""
    calendar = BusinessCalendar.weekly(hours, zone=zone)
    found = pictured(calendar, first, 20)
    for day in found:
        for start, end in day.stretches:
            for at in (start, end - 1):
                read = (EPOCH + dt.timedelta(microseconds=at)).astimezone(ZoneInfo(zone))
                assert read.date() == day.date
        assert day.open_time == sum(calendar.elapsed_us(a, b) for a, b in day.stretches)
        assert all(0 <= a < b <= day.length for a, b in day.open)
        assert all(a.place < b.place for a, b in pairwise(day.ticks))
    stretches = sorted(span for day in found[1:-1] for span in day.stretches)
    assert sum(b - a for a, b in stretches) == sum(b - a for a, b in union(stretches))
    around = sorted(span for day in found for span in day.stretches)
    middle = [span for span in union(around) if span[0] <= stretches[0][0] and stretches[-1][1] <= span[1]]
    assert len(middle) == 1


@given(
    st.sampled_from([zone for zone in ZONES if zone != "America/St_Johns"]),
    st.integers(1995, 2030),
    st.integers(1, 12),
)
def test_the_dates_of_a_month_are_as_long_as_the_month(zone, year, month):
    """The lengths of a month's dates sum to the time from its first midnight to the next one's."""
    first = dt.date(year, month, 1)
    after = (first + dt.timedelta(days=31)).replace(day=1)
    begins, ends = (
        dt.datetime.combine(date, dt.time(), ZoneInfo(zone)).astimezone(dt.UTC) for date in (first, after)
    )
    found = pictured(BusinessCalendar.always(zone), first, (after - first).days)
    assert dt.timedelta(microseconds=sum(day.length for day in found)) == ends - begins
    assert all(day.open_time == day.length for day in found)


# -- markup ------------------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onload='alert(1)", "]]>", "-->",
    "</style><b>", "</title></svg><i>", "&lt;&amp;&#x3c;b&#x3e;", "a\x00b\x0bc\ufffe\u202ed\x1b[2J", "名" * 80, "W" * 400,
]  # fmt: skip


class Reader(HTMLParser):
    """Tags and attributes of a page, and whether each is closed."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.open, self.text = set(), set(), [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(markup):
    """The markup as a parser reads it; every tag is closed."""
    reader = Reader()
    reader.feed(markup)
    reader.close()
    assert not reader.open
    return reader


def hostile(name):
    """A calendar whose every name is the same bad text."""
    holidays = HolidayList(
        BusinessCalendar.weekly("mon 09:00-17:00", zone="UTC", holidays=[("2024-05-01", name)]).holidays,
        source=name,
    )
    return BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/London", holidays=holidays, name=name)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_breaks_out_of_a_drawing(name):
    """Names of calendars, holidays and sources are text: no tag, no attribute, well-formed XML."""
    desk = hostile(name)
    tokyo = BusinessCalendar.weekly("daily 09:00-17:00", zone="Asia/Tokyo", name=name)
    for calendar in (desk, desk | tokyo, tokyo & desk):
        month, whole = read(calendar.month(2024, 5).markup), read(calendar._repr_html_())
        allowed = {
            "div",
            "style",
            "table",
            "caption",
            "strong",
            "span",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "time",
        }
        assert month.tags <= allowed
        assert whole.tags <= allowed | {"dl", "dt", "dd"}
        assert month.attributes | whole.attributes <= {"class", "scope", "datetime"}
        root = ET.fromstring(str(calendar.draw("2024-05-01", days=2)))
        kinds = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert kinds <= {"svg", "title", "style", "rect", "text", "tspan", "line"}
        str(calendar.draw("2024-05-01")).encode()


def test_a_name_reads_as_it_was_given():
    """What is escaped is shown as it is."""
    name = '<b> & "quotes"'
    assert name in read(hostile(name).month(2024, 5).markup).text
    assert name in ET.fromstring(str(hostile(name).draw("2024-05-01"))).attrib["aria-label"]


def test_a_drawing_loads_and_runs_nothing():
    """No address but the name of the SVG format, no import, no script."""
    desk = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/London")
    for markup in (str(desk.draw("2024-05-01")), str(desk.month(2024, 5)), desk._repr_html_()):
        said = markup.replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert not [word for word in ("http", "url(", "@import", "<script", "href", "src=") if word in said]


def test_a_month_has_a_cell_for_each_date():
    """Weeks run from Monday to Sunday; totals stand in the caption."""
    desk = BusinessCalendar.weekly(
        "mon-fri 09:00-12:30 13:30-17:30", zone="Europe/London", name="desk",
        holidays=[("2026-10-26", "Autumn day")],
    )  # fmt: skip
    markup = desk.month(2026, 10).markup
    assert markup.count("<time ") == 31
    assert markup.count("<tr>") == 6
    assert markup.count('<td class="none">') == 4
    # October 2026 has 22 working days; 21 of 7.5 hours; and 31 days and an hour.
    assert "<strong>October 2026</strong> 21 business days, open 157 h 30 m of 745 h" in markup
    assert "Autumn day" in markup
    assert '<span class="turn">25 h</span>' in markup
    assert '<span class="open">09:00-12:30</span><span class="open">13:30-17:30</span>' in markup


def test_a_month_of_plain_days_does_not_say_how_long_it_is():
    """Only a month in which clocks change is told to be longer or shorter."""
    desk = BusinessCalendar.weekly("sat 09:00-12:00", zone="Europe/London", valid_to="2024-05-05")
    assert "1 business day, open 3 h <span" in desk.month(2024, 5).markup
    assert "0 business days, open 0 h <span" in desk.month(2024, 6).markup


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a" * 52, "a" * 52),
        ("a" * 53, "a" * 51 + "…"),
        ("名" * 26, "名" * 26),
        ("名" * 27, "名" * 25 + "…"),
        ("Ａ" * 26, "Ａ" * 26),
        ("Ａ" * 27, "Ａ" * 25 + "…"),
        ("a" * 49 + "  " + "bb", "a" * 49 + "…"),
    ],
)
def test_a_long_label_is_cut_to_what_fits(name, shown):
    """Fifty-two letters, of wide ones half as many; the sentence for those who do not see has it whole."""
    desk = BusinessCalendar.weekly("mon 09:00-17:00", zone="UTC", holidays=[("2024-05-01", name)])
    drawing = str(desk.draw("2024-05-01", days=1))
    assert f'y="30">{shown}</text>' in drawing
    assert f"<title>Wed 1 May 2024: 24 h, closed, {name}</title>" in drawing


def test_a_long_title_is_cut_to_what_fits():
    """Fifty letters, with the zone."""
    for name, shown in (("n" * 45, "n" * 45 + ", UTC"), ("n" * 46, "n" * 46 + ", U…")):
        desk = BusinessCalendar.weekly("mon 09:00-17:00", zone="UTC", name=name)
        drawing = str(desk.draw("2024-05-01", days=1))
        assert f'<text class="name" x="3%" y="18">{shown}</text>' in drawing
        assert f"<title>{name}, UTC</title>" in drawing


def test_a_strip_is_to_scale():
    """The bar of 25 hours takes the whole width, those of 24 hours 96 percent of it."""
    desk = BusinessCalendar.weekly("daily 22:00-06:00", zone="Europe/London")
    root = ET.fromstring(str(desk.draw("2026-10-24", days=3)))
    bars = [
        element for element in root.iter() if element.get("class") == "shut" and "%" in element.get("width")
    ]
    assert [bar.get("width") for bar in bars] == ["96.000%", "100.000%", "96.000%"]
    assert root.get("role") == "img"
    assert "Sun 25 Oct 2026: 25 h, open 9 h: 00:00-06:00 22:00-24:00, clocks -1h" in root.get("aria-label")


def test_a_calendar_shows_itself():
    """Name, version, zone, hours, counts, what is known until when, and the month of the first rule."""
    known = HolidayList(
        BusinessCalendar.weekly("mon 09:00-17:00", zone="UTC", holidays=["2025-12-25"]).holidays,
        known_until=dt.date(2027, 12, 31), source="a feed",
    )  # fmt: skip
    desk = BusinessCalendar.weekly(
        "mon-fri 09:00-17:00", zone="Europe/London", weekly_breaks="daily 12:00-13:00", holidays=known,
        shifts={"2025-11-08": "10:00-12:00"}, breaks={"2026-01-05": "10:00-11:00"},
        valid_to="2029-12-31", name="Service desk", version=3,
    )  # fmt: skip
    told = read(desk._repr_html_()).text
    for words in (
        "Service desk version 3", "zoneEurope/London", "holidays1", "shifts1", "breaks1", "sourcesa feed",
        "hoursmon-fri 09:00-17:00 less daily 12:00-13:00 to 2029-12-31", "holidays known until2027-12-31",
        f"fingerprint{desk.fingerprint[:12]}", "November 2025",
    ):  # fmt: skip
        assert words in told


def test_a_combination_names_its_calendars():
    """The hours of each, with its name or its zone."""
    london = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/London", name="London")
    tokyo = BusinessCalendar.weekly("mon-fri 09:00-18:00", zone="Asia/Tokyo", valid_from="2024-03-01")
    rest = BusinessCalendar.weekly("sun 10:00-12:00", zone="UTC", name="upkeep")
    told = read((london & tokyo - rest)._repr_html_()).text
    assert (
        "hoursLondon (mon-fri 09:00-17:00), while open: Asia/Tokyo (mon-fri 09:00-18:00 from 2024-03-01), "
        "less upkeep (sun 10:00-12:00)"
    ) in told
    assert "March 2024" in told
    assert " or " in read((london | tokyo)._repr_html_()).text


@pytest.mark.parametrize("calendar", [BusinessCalendar.never("UTC"), BusinessCalendar.always("UTC")])
def test_a_calendar_without_dated_rules_shows_january_2024(calendar):
    """The same in every year: there is no clock on this floor."""
    assert "January 2024" in calendar._repr_html_()


def test_a_rule_of_another_age_is_passed_over():
    """A holiday before 1900 lies outside what a calendar counts."""
    desk = BusinessCalendar.weekly("mon 09:00-17:00", zone="UTC", holidays=["1066-10-14", "2025-02-03"])
    assert "February 2025" in desk._repr_html_()


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Pacific/Honolulu"])
def test_the_first_and_the_last_years_can_be_drawn(zone):
    """Also where the local date begins before 1900 or ends after 2300 in UTC."""
    desk = BusinessCalendar.weekly("daily 22:00-06:00", zone=zone)
    assert "January 1900" in str(desk.month(1900, 1))
    assert "December 2300" in str(desk.month(2300, 12))
    assert "Tue 1 Jan 2301" in str(desk.draw(dt.date(2300, 1, 2), days=365))


def test_a_drawing_is_a_small_value():
    """A notebook shows it, `str` gives it to a file, and `repr` is short."""
    drawing = BusinessCalendar.always("UTC").draw("2024-05-01", days=1)
    assert drawing._repr_html_() == str(drawing) == drawing.markup
    size = len(drawing.markup)
    assert repr(drawing) == f"<Drawing of {size} characters; a notebook shows it, str() writes it>"
    assert drawing == BusinessCalendar.always("UTC").draw(dt.date(2024, 5, 1), 1)


DESK = BusinessCalendar.always("UTC")
REFUSED = {
    "month 13": lambda: DESK.month(2024, 13),
    "month 0": lambda: DESK.month(2024, 0),
    "month as float": lambda: DESK.month(2024, 1.0),
    "month as bool": lambda: DESK.month(2024, True),
    "year 1899": lambda: DESK.month(1899, 1),
    "year 2301": lambda: DESK.month(2301, 1),
    "year as text": lambda: DESK.month("2024", 1),
    "no days": lambda: DESK.draw("2024-01-01", days=0),
    "367 days": lambda: DESK.draw("2024-01-01", days=367),
    "days as float": lambda: DESK.draw("2024-01-01", days=7.0),
    "first before 1900": lambda: DESK.draw("1899-12-31"),
    "first after 2300": lambda: DESK.draw("2301-01-01"),
    "first as an instant": lambda: DESK.draw(dt.datetime(2024, 1, 1)),
    "first as a word": lambda: DESK.draw("today"),
}


@pytest.mark.parametrize("ask", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_drawn_is_refused_with_a_remedy(ask):
    """Months, years, dates and counts are checked before anything is drawn."""
    with pytest.raises(InvalidValue) as refused:
        ask()
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        ("month 13", "month 13: is no whole number from 1 to 12; pass an int from 1 to 12"),
        ("year 1899", "year 1899: is no whole number from 1900 to 2300; pass an int from 1900 to 2300"),
        ("367 days", "days 367: is no whole number from 1 to 366; pass an int from 1 to 366"),
        (
            "first after 2300",
            "first '2301-01-01': lies outside the years 1900 to 2300; begin at a date in these years",
        ),
    ],
)
def test_a_refusal_names_the_bounds(ask, told):
    """What was asked, and the first and the last that can be drawn."""
    with pytest.raises(InvalidValue, match=f"^{re.escape(told)}$"):
        REFUSED[ask]()


# -- the pictures of the documentation ---------------------------------------------------------


def test_the_committed_pictures_are_what_the_library_draws():
    """docs/assets/ is written by scripts/pictures.py."""
    spec = importlib.util.spec_from_file_location("pictures", ROOT / "scripts" / "pictures.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert not script.out_of_step(), "run: python scripts/pictures.py"


# -- in a browser ------------------------------------------------------------------------------


def drawings():
    """Calendars, months and strips with changes of the clocks, long names and full cells."""
    desk = BusinessCalendar.weekly(
        "mon-fri 09:00-12:30 13:30-17:30; sat 10:00-13:00", zone="Europe/London", name="Service desk",
        holidays=[("2026-10-01", "The day of " + "a very long name " * 3), ("2026-10-02", "W" * 90)],
        shifts={"2026-10-10": "10:30-16:30", "2026-10-12": ""}, breaks={"2026-10-14": "10:00-11:00"},
    )  # fmt: skip
    yield desk._repr_html_()
    yield str(desk.draw("2026-10-12"))
    for zone, first, days_ in [
        ("Europe/London", "2026-10-24", 3), ("Europe/London", "2026-03-28", 3), ("Pacific/Apia", "2011-12-29", 3),
        ("Australia/Lord_Howe", "2026-04-04", 3), ("America/St_Johns", "2010-11-05", 3), ("America/Havana", "2025-11-01", 3),
    ]:  # fmt: skip
        night = BusinessCalendar.weekly("daily 22:00-06:00", zone=zone)
        yield str(night.draw(first, days=days_))
        yield str(night.month(int(first[:4]), int(first[5:7])))
    yield hostile("W" * 300).month(2024, 5).markup


@pytest.mark.parametrize("width", [1280, 390])
def test_drawings_fit_and_their_labels_read(browser, tmp_path, width):
    """No sideways scroll, no text below 11 pixels, no label on another or out of sight."""
    head = '<!DOCTYPE html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    page = tmp_path / "page.html"
    page.write_text(f"{head}<body>{'<hr>'.join(drawings())}</body>", encoding="utf-8")
    driver = browser(width)
    driver.get(page.as_uri())
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    labels = driver.execute_script(LABELS)
    assert len(labels) > 700
    assert min(size for *_, size, _ in labels) >= 11
    assert not [text for left, _, right, *_, text in labels if left < 0 or right > width]
    assert not overlaps(labels)
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert driver.get_log("browser") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(browser, tmp_path, scheme):
    """The contrast of text is at least 4.5 to 1 (WCAG 2.2, 1.4.3), by day and by night."""
    desk = hostile("day off")
    page = tmp_path / "page.html"
    page.write_text(
        f"<!DOCTYPE html><body>{desk._repr_html_()}{desk.draw('2026-10-23')}</body>", encoding="utf-8"
    )
    driver = browser(1280)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    driver.get(page.as_uri())
    pairs = driver.execute_script("""
      const card = getComputedStyle(document.querySelector('.itsm-days .card')).fill, found = [];
      for (const e of document.querySelectorAll('.itsm-days text, .itsm-days tspan'))
        found.push([getComputedStyle(e).fill, card]);
      for (const e of document.querySelectorAll('td span, td time, caption, caption span, th, dt, dd')) {
        let at = e;
        while (getComputedStyle(at).backgroundColor === 'rgba(0, 0, 0, 0)') at = at.parentElement;
        found.push([getComputedStyle(e).color, getComputedStyle(at).backgroundColor]);
      }
      return found;
    """)
    assert len(pairs) > 200
    assert min(contrast(*map(rgb, pair)) for pair in pairs) >= 4.5


def rgb(text):
    """The three channels of a computed colour."""
    return [int(part) for part in text.removeprefix("rgb(").removesuffix(")").split(", ")]


def contrast(one, other):
    """The contrast of two colours as WCAG defines it."""

    def light(colour):
        parts = [c / 255 for c in colour]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(map(float.__mul__, (0.2126, 0.7152, 0.0722), linear))

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def test_a_drawing_is_markup_for_templates_and_notebooks():
    """Django and Jinja ask for `__html__`, a notebook for `_repr_html_`."""
    drawing = BusinessCalendar.weekly("mon 09:00-17:00", zone="UTC").month(2024, 1)
    assert drawing.__html__() == drawing._repr_html_() == str(drawing)
