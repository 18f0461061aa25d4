"""Generated calendars, each with its oracle: every kind of rule, near days on which clocks change."""

import datetime as dt
import operator
from functools import cached_property
from typing import NamedTuple

from hypothesis import strategies as st

from itsm_core.business_time import BusinessCalendar
from itsm_core.errors import NeverOpens
from minutes import DAY, MINUTE, WEEKDAYS, Restricted, Rules, Scan, United, micros

# A zone, and a day on which its clocks, or the calendar itself, do something.
PLACES = [
    ("Europe/London", "2024-03-31"),
    ("Europe/London", "2024-10-27"),
    ("America/New_York", "2024-03-10"),
    ("America/New_York", "2024-11-03"),
    ("Australia/Lord_Howe", "2024-04-07"),  # half an hour
    ("Australia/Lord_Howe", "2024-10-06"),
    ("America/Sao_Paulo", "2017-10-15"),  # no midnight
    ("America/Sao_Paulo", "2018-02-18"),  # the hour before midnight twice
    ("Pacific/Apia", "2011-12-30"),  # a date that is missing
    ("Pacific/Kwajalein", "1969-09-30"),  # nearly a day twice
    ("Africa/Casablanca", "2024-03-10"),  # summer time but for Ramadan
    ("Africa/Casablanca", "2024-04-14"),
    ("Europe/Dublin", "2024-10-27"),  # standard time in summer
    ("Asia/Kolkata", "2024-12-31"),
    ("Asia/Kathmandu", "1986-01-01"),  # a quarter of an hour
    ("Africa/Cairo", "2024-04-26"),
    ("Africa/Cairo", "2024-10-31"),
    ("Asia/Gaza", "2023-04-29"),
    ("Asia/Gaza", "2023-10-28"),
    ("Antarctica/Troll", "2024-03-31"),  # two hours
    ("Antarctica/Troll", "2024-10-27"),
    ("America/Moncton", "2005-04-03"),  # at a minute past midnight
    ("America/Moncton", "2005-10-30"),
    ("Europe/Amsterdam", "1937-07-01"),  # local mean time: offsets with seconds
    ("Europe/Paris", "1911-03-11"),
    ("Africa/Monrovia", "1972-01-07"),
    ("Asia/Kolkata", "1906-01-01"),
    ("Europe/London", "1970-01-01"),
    ("Europe/London", "2023-02-28"),
    ("America/New_York", "2024-02-29"),
    ("Europe/London", "2037-10-25"),
    ("America/New_York", "2038-01-19"),
    ("Africa/Casablanca", "2040-10-07"),
    ("America/New_York", "2100-02-28"),  # no leap year
    ("Australia/Lord_Howe", "2199-12-31"),
    ("Europe/London", "2200-03-30"),
]
ELSEWHERE = ["Asia/Tokyo", "America/New_York", "Europe/London", "Pacific/Noumea", "Asia/Kathmandu"]


class Desk:
    """A calendar and its oracle, made from the same rules; `&`, `|` and `-` combine both."""

    def __init__(self, calendar, oracle, rules, middle):
        self.calendar, self.oracle, self.rules, self.middle = calendar, oracle, rules, middle

    @classmethod
    def of(cls, rules, middle):
        """The desk of plain rules."""
        return cls(calendar_of(rules), Rules(rules), rules, middle)

    @property
    def zone(self):
        """The zone that counts the days."""
        return self.calendar.zone

    @property
    def start(self):
        """The instant two days before the middle, 00:00 UTC: the laws look at five days from here."""
        return micros(dt.datetime.combine(self.middle, dt.time(), dt.UTC)) - 2 * DAY

    @property
    def end(self):
        """The instant five days after the start."""
        return self.start + 5 * DAY

    def at(self, moment):
        """The instant of a moment."""
        at = self.start + moment.minute * MINUTE
        if moment.turning:
            edges = (edge for period in self.scan.periods for edge in period)
            at = next((edge for edge in edges if edge >= at), at)
        return min(max(self.start, at + moment.beside), self.end)

    @cached_property
    def scan(self):
        """What the oracle sees in the five days."""
        return Scan(self.oracle, self.start, self.end)

    @cached_property
    def every_minute(self):
        """The same, asked every minute."""
        return Scan(self.oracle, self.start, self.end, every_minute=True)

    def with_rules(self, **changed):
        """The desk of changed rules."""
        return Desk.of({**self.rules, **changed}, self.middle)

    def __and__(self, other):
        oracle = Restricted(self.oracle, other.oracle, without=False)
        return Desk(self.calendar & other.calendar, oracle, ("&", self.rules, other.rules), self.middle)

    def __or__(self, other):
        oracle = United(self.oracle, other.oracle)
        return Desk(self.calendar | other.calendar, oracle, ("|", self.rules, other.rules), self.middle)

    def __sub__(self, other):
        oracle = Restricted(self.oracle, other.oracle, without=True)
        return Desk(self.calendar - other.calendar, oracle, ("-", self.rules, other.rules), self.middle)

    def __repr__(self):
        return f"<near {self.middle}: {self.rules}>"


def calendar_of(rules):
    """The calendar of the rules, or the empty one where they never open."""
    try:
        return BusinessCalendar.from_dict(rules)
    except NeverOpens:
        return BusinessCalendar.never(rules["tz"])


# -- hours -----------------------------------------------------------------------------------------


def clock(minute):
    """A minute of the day as text."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


# Half of the edges are hours: there clocks change, and there windows meet.
_STARTS = st.sampled_from([*range(0, 24 * 60, 60)] * 60 + [*range(24 * 60)]).map(clock)
_ENDS = st.sampled_from([*range(0, 25 * 60, 60)] * 60 + [*range(1, 24 * 60 + 1)]).map(clock)
_NEAR = st.integers(-2, 3)
_ONE_OR_TWO, _UP_TO_TWO = st.integers(1, 2), st.integers(0, 2)
_TOSS, _DIE = st.booleans(), st.integers(1, 6)
_WEEK = st.integers(1, 3**7 - 1)


def windows(draw):
    """One or two windows of a day."""
    return [[draw(_STARTS), draw(_ENDS)] for _ in range(draw(_ONE_OR_TWO))]


def weekly(draw):
    """The hours of a week: each day has one of two kinds of hours, or none."""
    kinds, code = [[], windows(draw), windows(draw)], draw(_WEEK)
    found = {name: kinds[code // 3**i % 3] for i, name in enumerate(WEEKDAYS)}
    return {name: hours for name, hours in found.items() if hours}


def near(draw, middle):
    """A date close to the middle, as text."""
    return str(middle + dt.timedelta(days=draw(_NEAR)))


def shifts(draw, middle):
    """Hours by date; a date may have none."""
    return {near(draw, middle): windows(draw) if draw(_TOSS) else [] for _ in range(draw(_UP_TO_TWO))}


def breaks(draw, middle):
    """Hours by date."""
    return {near(draw, middle): windows(draw) for _ in range(draw(_UP_TO_TWO))}


# -- holidays --------------------------------------------------------------------------------------

_YEARLY = st.sampled_from(
    [("02-29", "02-29"), ("12-30", "01-02"), ("02-27", "02-29"), ("02-29", "03-01"), ("12-31", "12-31")]
)
_KINDS = st.sampled_from(["date", "range", "day", "days", "yearly"])
_NAMES = st.sampled_from(["", "Christmas", "Eve"])
_YEARS = st.sampled_from([None, -1, 0, 1])


def holiday(draw, middle):
    """A date, a range or a yearly rule, for all day or a part of it, as text or as a dict."""
    first, last, kind = near(draw, middle), near(draw, middle), draw(_KINDS)
    if kind == "yearly":
        first, last = draw(_YEARLY)
    elif kind in {"day", "days"}:  # the later day first is a range over New Year: nearly all of the year
        first, last = first[5:], last[5:]
    if kind in {"date", "day"}:
        last = first
    elif kind == "range":
        first, last = sorted((first, last))
    closed = windows(draw) if draw(_TOSS) else []
    if draw(_TOSS):
        dates = first if first == last else f"{first}..{last}"
        return " ".join([dates, *(f"{start}-{end}" for start, end in closed)])
    found = {"date": first} if first == last else {"from": first, "to": last}
    further = {"closed": closed, "name": draw(_NAMES)}
    if len(first) == len("12-25"):
        years = [None if year is None else middle.year + year for year in (draw(_YEARS), draw(_YEARS))]
        further["since"], further["until"] = years if None in years else sorted(years)
    return found | {key: value for key, value in further.items() if value}


# -- calendars -------------------------------------------------------------------------------------


_VALID = ("valid_from", "valid_to")


def week(draw, middle):
    """A week with its breaks and its validity, which mostly is always."""
    found = {"hours": weekly(draw)}
    if draw(_TOSS):
        found["weekly_breaks"] = weekly(draw)
    which = draw(_DIE)
    ends = sorted((near(draw, middle), near(draw, middle))) if which > 3 else []
    if which in {4, 6}:
        found["valid_from"] = ends[0]
    if which in {5, 6}:
        found["valid_to"] = ends[1]
    return found


def rules(draw, zone, middle):
    """The rules of one calendar, as a dict: all kinds together, or none of a kind."""
    found = {"tz": zone, **week(draw, middle)}
    if draw(_TOSS):
        found["weeks"] = [week(draw, middle) for _ in range(draw(_ONE_OR_TWO))]
    found["holidays"] = [holiday(draw, middle) for _ in range(draw(_UP_TO_TWO))]
    found["shifts"] = shifts(draw, middle)
    found["breaks"] = breaks(draw, middle)
    found["cut_at_midnight"] = draw(_TOSS)
    return found


_PLACES = st.sampled_from(PLACES)
_ELSEWHERE = st.sampled_from([None, *ELSEWHERE])


def place(draw):
    """A zone and a date near which its clocks change."""
    zone, date = draw(_PLACES)
    return zone, dt.date.fromisoformat(date)


@st.composite
def single_desks(draw):
    """A desk with rules of its own."""
    zone, middle = place(draw)
    return Desk.of(rules(draw, zone, middle), middle)


@st.composite
def several_desks(draw, count):
    """So many desks in the same days, the first where clocks change, the others there or elsewhere."""
    zone, middle = place(draw)
    zones = [zone, *(draw(_ELSEWHERE) or zone for _ in range(count - 1))]
    return [Desk.of(rules(draw, name, middle), middle) for name in zones]


_TWO_OR_THREE = st.sampled_from([2, 2, 3]).flatmap(several_desks)
_OPERATORS = st.sampled_from("&|-&|-").map(
    {"&": operator.and_, "|": operator.or_, "-": operator.sub}.__getitem__
)


@st.composite
def combined_desks(draw):
    """Two or three desks combined."""
    found, *others = draw(_TWO_OR_THREE)
    for other in others:
        combine = draw(_OPERATORS)
        found = combine(found, other) if draw(_TOSS) else combine(other, found)
    return found


desks = single_desks() | combined_desks()


class Moment(NamedTuple):
    """An instant of the five days in which a desk is looked at: a minute, or where the desk next turns."""

    minute: int
    beside: int  # microseconds
    turning: bool


moments = st.builds(
    Moment, st.integers(0, 5 * 24 * 60), st.sampled_from([0, 0, 0, 0, 1, -1, 29_123_456]), st.booleans()
)
# Lengths of open time: minutes mostly, up to two days' work.
lengths = st.builds(
    lambda minute, beside: max(1, minute * MINUTE + beside),
    st.integers(0, 16 * 60),
    st.sampled_from([0, 0, 1, -1, 29_123_456]),
)


# -- the same and a little less --------------------------------------------------------------------


@st.composite
def closed_more(draw):
    """A desk, and the same desk with one closure more: a holiday, a break or an empty shift."""
    desk = draw(single_desks())
    kind = draw(st.sampled_from(["holidays", "shifts", "breaks"]))
    if kind == "holidays":
        return desk, desk.with_rules(holidays=[*desk.rules["holidays"], holiday(draw, desk.middle)])
    date, before = near(draw, desk.middle), desk.rules[kind]
    hours = [] if kind == "shifts" else [*before.get(date, []), *windows(draw)]
    return desk, desk.with_rules(**{kind: {**before, date: hours}})


# -- the same in other words -----------------------------------------------------------------------


def _minute(text):
    return int(text[:2]) * 60 + int(text[3:])


@st.composite
def reworded(draw, hours):
    """The same windows of a day: reordered, cut in two, one said twice, as text or as pairs."""
    found = []
    for start, end in draw(st.permutations(hours)):
        last = 24 * 60 if _minute(end) <= _minute(start) else _minute(end)
        if last - _minute(start) > 1:
            cut = draw(st.integers(_minute(start) + 1, last - 1))
            over = draw(st.integers(_minute(start), cut - 1))  # the second half may overlap the first
            found += draw(st.sampled_from([[[start, end]], [[start, clock(cut)], [clock(over), end]]]))
        else:
            found += [[start, end]] * draw(st.integers(1, 2))
    return " ".join("-".join(pair) for pair in found) if draw(st.booleans()) else found


@st.composite
def _reworded_week(draw, hours):
    found = [(name, draw(reworded(hours[name]))) for name in draw(st.permutations(list(hours)))]
    if draw(st.booleans()):
        return dict(found)
    texts = [(name, day if isinstance(day, str) else " ".join(map("-".join, day))) for name, day in found]
    return "; ".join(f"{name} {day}" for name, day in texts)


@st.composite
def _reworded_dates(draw, hours):
    return {date: draw(reworded(hours[date])) for date in draw(st.permutations(list(hours)))}


@st.composite
def _reworded_holiday(draw, value):
    """A holiday under another name, its hours reworded, as text or as a dict, whole dates one by one."""
    if isinstance(value, str):
        dates, _, hours = value.partition(" ")
        first, _, last = dates.partition("..")
        value = {"from": first, "to": last or first, "closed": [w.split("-") for w in hours.split()]}
    first = value.get("date", value.get("from"))
    last, closed = value.get("to", first), value.get("closed", [])
    further = {key: value[key] for key in ("since", "until") if key in value} | {"name": "by another name"}
    if len(first) == 10 and draw(st.booleans()):
        days = (dt.date.fromisoformat(last) - dt.date.fromisoformat(first)).days + 1
        dates = [dt.date.fromisoformat(first) + dt.timedelta(days=i) for i in range(days)]
        return [" ".join([str(date), *map("-".join, closed)]) for date in draw(st.permutations(dates))]
    return [{"from": first, "to": last, "closed": draw(reworded(closed)), **further}]


@st.composite
def said_twice(draw):
    """Rules, and the same rules in other words."""
    zone, middle = place(draw)
    given = rules(draw, zone, middle)
    alike = []
    for said in draw(st.permutations([given, *given.get("weeks", [])])):
        words = {key: draw(_reworded_week(said[key])) for key in ("hours", "weekly_breaks") if key in said}
        alike.append({key: said[key] for key in _VALID if key in said} | words)
    known = [draw(_reworded_holiday(value)) for value in given["holidays"]]
    other = {
        **alike[0], "tz": zone, "weeks": alike[1:], "cut_at_midnight": given["cut_at_midnight"],
        "holidays": draw(st.permutations([item for items in known for item in items])),
        "shifts": draw(_reworded_dates(given["shifts"])),
        "breaks": {**draw(_reworded_dates(given["breaks"])), "1999-12-31": ""},
    }  # fmt: skip
    return given, other
