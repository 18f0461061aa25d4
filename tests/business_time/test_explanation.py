"""Why something falls due when it does: as text, as data, as HTML."""

import datetime as dt
import inspect
import json
from html.parser import HTMLParser

import pytest

from itsm_core.business_time import (
    BusinessCalendar,
    Explanation,
    HolidayList,
    business_days,
    calendar_days,
    end_of_business_day,
    hours,
    minutes,
    never,
)
from itsm_core.errors import NaiveDatetime, NeverOpens

DESK = BusinessCalendar.weekly(
    "mon-fri 09:00-12:30 13:30-17:30",
    zone="Europe/London",
    holidays=[
        ("2026-04-03", "Good Friday"),
        ("2026-04-06", "Easter Monday"),
        ("12-24 13:00-24:00", "Christmas Eve"),
    ],
    shifts={"2026-04-11": "10:00-12:00"},
)


def at(year, month, day, hour=0, minute=0):
    """A local instant in London."""
    return dt.datetime(year, month, day, hour, minute, tzinfo=DESK.zone)


def lines(explanation):
    """Lines as short texts."""
    return [f"{line.start:%a %H:%M}-{line.end:%a %H:%M} {line.reason}" for line in explanation.lines]


def test_windows_used_and_closures_skipped_have_their_names():
    """Two hours over Easter, worked by hand."""
    explained = DESK.explain(at(2026, 4, 2, 16, 30), hours(2))
    assert lines(explained) == [
        "Thu 16:30-Thu 17:30 open",
        "Thu 17:30-Fri 00:00 night",
        "Fri 00:00-Sat 00:00 holiday: Good Friday",
        "Sat 00:00-Mon 00:00 weekend",
        "Mon 00:00-Tue 00:00 holiday: Easter Monday",
        "Tue 00:00-Tue 09:00 night",
        "Tue 09:00-Tue 10:00 open",
    ]
    assert (explained.due, explained.counted) == (at(2026, 4, 7, 10), dt.timedelta(hours=2))
    assert explained.headline == "2h from Thu 2 Apr 2026 16:30 leads to Tue 7 Apr 2026 10:00 (Europe/London)"


def test_a_shift_and_a_part_of_a_day_say_so():
    """Saturday's hours come from a shift, Christmas Eve ends at one."""
    assert "Sat 10:00-Sat 12:00 open by shift" in lines(DESK.explain(at(2026, 4, 10, 16), hours(4)))
    eve = DESK.explain(at(2026, 12, 24, 12), hours(2))
    assert lines(eve)[:3] == [
        "Thu 12:00-Thu 12:30 open",
        "Thu 12:30-Thu 13:30 break",
        "Thu 13:30-Thu 17:30 holiday: Christmas Eve",
    ]


def test_rules_say_which_days_they_counted():
    """The day it starts on, then each business day."""
    explained = DESK.explain(at(2026, 4, 2, 16, 30), business_days(2))
    assert explained.days == (dt.date(2026, 4, 2), dt.date(2026, 4, 7), dt.date(2026, 4, 8))
    assert str(explained).endswith("days: Thu 2 Apr 2026, Tue 7 Apr 2026, Wed 8 Apr 2026")
    assert DESK.explain(at(2026, 4, 2, 16, 30), end_of_business_day()).days == (dt.date(2026, 4, 2),)
    assert DESK.explain(at(2026, 4, 2, 16, 30), business_days(0)).lines == ()
    outside = DESK.explain(at(2026, 4, 2, 20), business_days(1))
    assert outside.notes == ("counted from the next opening, Tue 7 Apr 2026 09:00",)
    assert "and 4 more" in str(DESK.explain(at(2026, 1, 5, 10), business_days(13)))


def test_calendar_days_say_what_they_are():
    """They run whether the desk is open or not."""
    explained = DESK.explain(at(2026, 4, 2, 16, 30), calendar_days(1))
    assert explained.notes == ("calendar days are counted on the wall clock, open or not",)
    assert explained.days == ()


def test_clocks_that_change_are_noted():
    """Both ways, with the times that the clock shows."""
    night = BusinessCalendar.weekly("daily 22:00-06:00", zone="Europe/London")
    assert night.explain(at(2026, 10, 24, 22), hours(9)).notes == (
        "the clocks go from 02:00 to 01:00 on Sun 25 Oct 2026",
    )
    assert night.explain(at(2026, 3, 28, 22), hours(7)).notes == (
        "the clocks go from 01:00 to 02:00 on Sun 29 Mar 2026",
    )
    kinshasa = BusinessCalendar.always("Africa/Kinshasa")
    assert kinshasa.explain(at(2026, 3, 28, 22), hours(7)).notes == ()


def test_what_is_not_known_yet_is_said():
    """Beyond the last holiday that a source knows; up to it nothing."""
    feed = HolidayList((), known_until=dt.date(2026, 12, 31), source="holidays 0.109: GB-ENG, 2026")
    desk = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/London", holidays=feed)
    assert desk.explain(at(2026, 12, 30, 9), hours(1)).notes == ()
    assert desk.explain(at(2026, 12, 31, 16), hours(2)).notes == (
        "holidays are known until 2026-12-31 (holidays 0.109: GB-ENG, 2026); later ones are not in this calendar",
    )
    unsourced = BusinessCalendar.from_dict({**desk.to_dict(), "sources": []})
    assert "until 2026-12-31; later" in unsourced.explain(at(2026, 12, 31, 16), hours(2)).notes[0]


def test_backwards_is_explained_too():
    """A negative duration leads back; the lines are in order of time all the same."""
    explained = DESK.explain(at(2026, 4, 7, 10), -dt.timedelta(hours=2))
    assert explained.due == at(2026, 4, 2, 16, 30)
    assert explained.headline.startswith("-2h from Tue 7 Apr 2026 10:00 leads to Thu 2 Apr")
    assert [line.start for line in explained.lines] == sorted(line.start for line in explained.lines)


def test_zero_explains_itself_in_one_line():
    """Nothing to count, nothing used."""
    explained = DESK.explain(at(2026, 4, 7, 10), minutes(0))
    assert str(explained) == "0s from Tue 7 Apr 2026 10:00 leads to Tue 7 Apr 2026 10:00 (Europe/London)"


def test_it_is_plain_data():
    """As JSON it comes back as it was; lengths are texts, so that no float rounds them."""
    data = DESK.explain(at(2026, 4, 2, 17, 29), dt.timedelta(seconds=60, microseconds=5)).as_dict()
    assert json.loads(json.dumps(data)) == data
    assert [line["seconds"] for line in data["lines"] if line["open"]] == ["60", "0.000005"]
    assert data["due"] == "2026-04-07T09:00:00.000005+01:00"


class Cells(HTMLParser):
    """Collects the tags and texts of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


def test_html_takes_no_orders_from_names():
    """A hostile name of a holiday is shown, not obeyed."""
    name = "<script>alert('x')</script>"
    desk = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC", holidays=[("2026-04-03", name)])
    page = Cells()
    page.feed(desk.explain(dt.datetime(2026, 4, 2, 16, tzinfo=dt.UTC), business_days(1))._repr_html_())
    assert "script" not in page.tags
    assert f"holiday: {name}" in page.texts
    assert "p" in page.tags


def test_long_explanations_are_cut_in_text_only():
    """Sixty lines at most are printed; the data hold all."""
    explained = DESK.explain(at(2026, 1, 5, 9), hours(500))
    text = str(explained).splitlines()
    assert len(explained.lines) > 150
    assert len(text) == 1 + 60 + 1 + len(explained.remarks)
    assert any("more lines" in row for row in text)


def test_what_add_refuses_is_refused_in_the_same_words():
    """No second engine, so no second opinion."""
    with pytest.raises(NaiveDatetime, match="start"):
        DESK.explain(dt.datetime(2026, 4, 2), hours(1))
    with pytest.raises(NeverOpens):
        never("UTC").explain(at(2026, 4, 2), hours(1))


LUNCH = DESK.explain(at(2026, 4, 7, 12), end_of_business_day())  # Tuesday noon to its closing


def test_the_whole_text_of_an_explanation():
    """The headline, a row for each stretch, what was counted in a column of its own, then the remarks."""
    assert str(LUNCH).split("\n") == [
        "end of business day from Tue 7 Apr 2026 12:00 leads to Tue 7 Apr 2026 17:30 (Europe/London)",
        "  Tue 7 Apr 2026 12:00 - Tue 7 Apr 2026 12:30         30m  open",
        "  Tue 7 Apr 2026 12:30 - Tue 7 Apr 2026 13:30              break",
        "  Tue 7 Apr 2026 13:30 - Tue 7 Apr 2026 17:30          4h  open",
        "  days: Tue 7 Apr 2026",
    ]


def test_the_whole_html_of_an_explanation():
    """One table with a caption, and a paragraph for each remark."""
    assert LUNCH._repr_html_() == (
        "<table><caption>end of business day from Tue 7 Apr 2026 12:00 leads to Tue 7 Apr 2026 17:30 "
        "(Europe/London)</caption><tr><th>from</th><th>to</th><th>counted</th><th>why</th></tr>"
        "<tr><td>Tue 7 Apr 2026 12:00</td><td>Tue 7 Apr 2026 12:30</td><td>30m</td><td>open</td></tr>"
        "<tr><td>Tue 7 Apr 2026 12:30</td><td>Tue 7 Apr 2026 13:30</td><td></td><td>break</td></tr>"
        "<tr><td>Tue 7 Apr 2026 13:30</td><td>Tue 7 Apr 2026 17:30</td><td>4h</td><td>open</td></tr>"
        "</table><p>days: Tue 7 Apr 2026</p>"
    )


def test_the_whole_dict_of_an_explanation():
    """Instants with their offset, lengths in seconds."""
    assert LUNCH.as_dict() == {
        "start": "2026-04-07T12:00:00+01:00",
        "due": "2026-04-07T17:30:00+01:00",
        "duration": "end of business day",
        "zone": "Europe/London",
        "lines": [
            {"start": f"2026-04-07T{a}:00+01:00", "end": f"2026-04-07T{b}:00+01:00", "open": o, "reason": why, "seconds": s}
            for a, b, o, why, s in [
                ("12:00", "12:30", True, "open", "1800"),
                ("12:30", "13:30", False, "break", "3600"),
                ("13:30", "17:30", True, "open", "14400"),
            ]
        ],
        "days": ["2026-04-07"],
        "notes": [],
    }  # fmt: skip


def test_what_follows_the_ends_is_said_by_name():
    """An explanation and its lines take their two ends by position; days and notes may be missing."""
    for value in (LUNCH, LUNCH.lines[0]):
        parameters = inspect.signature(type(value)).parameters.values()
        assert [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY] == [
            "start",
            "due" if value is LUNCH else "end",
        ]
    bare = Explanation(LUNCH.start, LUNCH.due, duration="5h", zone="Europe/London", lines=())
    assert (bare.days, bare.notes) == ((), ())
    assert "lines" not in repr(LUNCH)


def test_seconds_are_shown_where_there_are_any():
    """A clock time is as short as it can be."""
    noon = at(2026, 4, 7, 12)
    for past, shown in [(30_000_000, "12:00:30"), (5, "12:00:00.000005"), (60_000_000, "12:01")]:
        started = DESK.explain(noon + dt.timedelta(microseconds=past), minutes(1))
        assert f"1m from Tue 7 Apr 2026 {shown} leads" in str(started)


def test_nothing_counted_is_no_negative_duration():
    """Zero has no sign."""
    assert DESK.explain(at(2026, 4, 7, 12), dt.timedelta(0)).headline.startswith("0s from ")


def test_ten_days_are_named_and_the_others_counted():
    """The day it starts on is one of them."""
    start = at(2026, 1, 5, 10)
    (ten,) = DESK.explain(start, business_days(9)).remarks
    assert ten.count(" Jan 2026") == 10
    assert ten.endswith("Fri 16 Jan 2026")
    (eleven,) = DESK.explain(start, business_days(10)).remarks
    assert eleven == f"{ten} and 1 more"


def test_sixty_lines_are_shown_and_of_more_the_first_fifty_and_the_last_ten():
    """Twelve hours a day: thirty days from noon are sixty lines, thirty-one from midnight one more."""
    desk = BusinessCalendar.weekly("daily 00:00-12:00", zone="UTC")
    midnight = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    sixty = desk.explain(midnight + dt.timedelta(hours=12), hours(360))
    assert len(str(sixty).split("\n")) == 61
    assert "more lines" not in str(sixty) + sixty._repr_html_()
    more = desk.explain(midnight, hours(372))
    rows = str(more).split("\n")
    assert len(rows) == 62
    assert rows[51] == "  ... 1 more lines ..."
    assert more._repr_html_().split("<tr>")[52] == "<td colspan='4'>1 more lines</td></tr>"
    assert len(more.lines) == 61


def test_a_change_of_the_clocks_counts_up_to_the_due_instant():
    """Due as the clocks go back at 01:00 UTC it is noted, a microsecond before it is not."""
    night = BusinessCalendar.weekly("daily 22:00-06:00", zone="Europe/London")
    start, four = at(2026, 10, 24, 22), dt.timedelta(hours=4)
    assert len(night.explain(start, four).notes) == 1
    assert night.explain(start, four - dt.timedelta(microseconds=1)).notes == ()


def test_the_end_of_a_business_day_is_counted_from_the_next_opening_too():
    """Asked for on Good Friday it is that of the Tuesday after Easter."""
    explained = DESK.explain(at(2026, 4, 3, 12), end_of_business_day())
    assert explained.due == at(2026, 4, 7, 17, 30)
    assert explained.notes == ("counted from the next opening, Tue 7 Apr 2026 09:00",)


def test_all_sources_of_holidays_are_named():
    """The last day that they know is known; the one after is not."""
    plain = BusinessCalendar.weekly("daily 09:00-17:00", zone="Europe/London").to_dict()
    known = {"known_until": "2026-12-31", "sources": ["the works council", "gov.uk"]}
    desk = BusinessCalendar.from_dict({**plain, **known})
    assert desk.explain(at(2026, 12, 31, 9), hours(1)).notes == ()
    assert desk.explain(at(2027, 1, 1, 9), hours(1)).notes == (
        "holidays are known until 2026-12-31 (the works council, gov.uk); later ones are not in this calendar",
    )
