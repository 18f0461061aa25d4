"""When a desk is open, minute by minute: what the laws of business time are held against.

Slow and plain on purpose: the rules are the dicts that `BusinessCalendar.from_dict` takes, open
time is a set of minutes, and the zone's clock is read. Nothing here knows the library.

    instant    microseconds since 1970 UTC
    day        a local date, as days since 1970-01-01
    minute     after the midnight of the day on which a window starts: 0 to 2879
    cell       (start, end) of instants between which the desk neither opens nor closes
"""

import datetime as dt
import re
from collections import defaultdict
from functools import cache, cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT = 24 * 60  # the minute with which the next day begins


def utc(at):
    """The datetime of an instant, in UTC."""
    return EPOCH + dt.timedelta(microseconds=at)


def micros(moment):
    """The instant of an aware datetime."""
    return dt.datetime.__sub__(moment, EPOCH) // dt.timedelta(microseconds=1)  # pendulum's own rounds


def date_of(day):
    """The date of a day."""
    return EPOCH.date() + dt.timedelta(days=day)


# -- the clock of a zone ---------------------------------------------------------------------------


@cache
def _offset(zone, second):
    """How far the clock of a zone is ahead of UTC, in microseconds."""
    return (EPOCH + dt.timedelta(seconds=second)).astimezone(zone).utcoffset() // dt.timedelta(microseconds=1)


@cache
def _offsets(zone, hour):
    """The stretches (start, end, offset) of an hour of UTC: one, or two if the zone's clock changes in it."""
    seconds = range(hour * 3600, (hour + 1) * 3600)
    if _offset(zone, seconds[0]) == _offset(zone, seconds[-1]):
        cuts = [seconds[0], seconds[-1] + 1]
    else:
        change = next(s for s in seconds if _offset(zone, s) != _offset(zone, seconds[0]))
        cuts = [seconds[0], change, seconds[-1] + 1]
    return [(first * SECOND, after * SECOND, _offset(zone, first)) for first, after in pairwise(cuts)]


def wall(zone, at):
    """What the clock of a zone reads at an instant, in microseconds since 1970-01-01 00:00 on it."""
    for _, end, offset in _offsets(zone, at // HOUR):
        if at < end:
            return at + offset
    raise AssertionError(at)


def reached(zone, reading):
    """The first instant at which the clock of a zone reads a local time, or a later one."""
    hours = range(reading // HOUR - 48, reading // HOUR + 48)
    return next(
        max(start, reading - offset)
        for hour in hours
        for start, end, offset in _offsets(zone, hour)
        if reading < end + offset
    )


def cells(marks, start, end):
    """All of [start, end), cut wherever a clock changes or reads one of the minutes marked in its zone.

    `marks` holds minutes of the day by zone. Between two of them nothing happens that rules name.
    """
    edges = {start, end}
    for hour in range(start // HOUR, -(-end // HOUR)):
        for zone, marked in marks.items():
            for first, after, offset in _offsets(zone, hour):
                full = range(first + -(first + offset) % MINUTE, after, MINUTE)
                edges.add(first)
                edges.update(at for at in full if (at + offset) // MINUTE % MIDNIGHT in marked)
    return list(pairwise(sorted(edge for edge in edges if start <= edge <= end)))


# -- the rules -------------------------------------------------------------------------------------


def _clock(text):
    return int(text[:2]) * 60 + int(text[3:])


def minutes(windows):
    """The minutes in windows such as [["22:00", "06:00"]]: an end at or before the start is the next day's."""
    found = set()
    for start, end in windows:
        opens, closes = _clock(start), _clock(end)
        found.update(range(opens, closes if closes > opens else closes + MIDNIGHT))
    return found


def _moved(found, days):
    """Minutes of another day, counted from this one's midnight."""
    return {minute + days * MIDNIGHT for minute in found}


def _holiday(value):
    """The parts of a holiday, from its text or dict."""
    if isinstance(value, str):
        dates, _, hours = value.partition(" ")
        first, _, last = dates.partition("..")
        return {"from": first, "to": last or first, "closed": [w.split("-") for w in hours.split()]}
    first = value.get("date", value.get("from"))
    return {**value, "from": first, "to": value.get("to", first)}


def _falls_on(holiday, date):
    """Whether a holiday holds a date; ISO dates, and months with days, are in order as texts."""
    first, last = holiday["from"], holiday["to"]
    if len(first) == len("2024-12-25"):
        return first <= str(date) <= last
    today, begun = str(date)[5:], date.year
    if first <= last:
        held = first <= today <= last
    else:  # over New Year
        held = today >= first or today <= last
        begun -= today <= last
    return held and (holiday.get("since") or 1) <= begun <= (holiday.get("until") or 9999)


def _closes(holiday):
    """The minutes that a holiday takes: all, or its hours; hours until 24:00 take the night after."""
    found = minutes(holiday.get("closed") or [["00:00", "24:00"]])
    if MIDNIGHT - 1 in found and MIDNIGHT not in found:
        found |= set(range(MIDNIGHT, 2 * MIDNIGHT))
    return found


class Rules:
    """One calendar: its dict, read aloud."""

    def __init__(self, rules):
        self.rules = rules
        self.zone = ZoneInfo(rules["tz"])
        self.holidays = [_holiday(value) for value in rules.get("holidays", ())]
        self.weeks = [rules, *rules.get("weeks", ())]
        self.marks = {self.zone: {0, *map(_clock, _clocks(rules))}}
        self._starting, self._opened = {}, {}

    def starting(self, day):
        """The open minutes of the windows that start on a day."""
        if day not in self._starting:
            self._starting[day] = self._layers(day)
        return self._starting[day]

    def _layers(self, day):
        if (shift := self.rules.get("shifts", {}).get(str(date_of(day)))) is not None:
            found = minutes(shift)
        else:
            found = set().union(*(self._weekly(week, day) for week in self.weeks))
            found -= self.holiday(day)
            if self.rules.get("cut_at_midnight"):
                found -= _moved(self.holiday(day + 1), 1)
        for k in (-1, 0, 1):
            found -= _moved(minutes(self.rules.get("breaks", {}).get(str(date_of(day + k)), ())), k)
        return found

    @staticmethod
    def _weekly(week, day):
        """The windows of one week that start on a day, less the breaks of the same week."""
        date = date_of(day)
        if not (week.get("valid_from") or "") <= str(date) <= (week.get("valid_to") or "9999"):
            return set()
        found = minutes(week.get("hours", {}).get(WEEKDAYS[date.weekday()], ()))
        for k in (-1, 0, 1):
            rest = week.get("weekly_breaks", {}).get(WEEKDAYS[(date.weekday() + k) % 7], ())
            found -= _moved(minutes(rest), k)
        return found

    def holiday(self, day):
        """What holidays take of the windows that start on a day."""
        date = date_of(day)
        return set().union(*(_closes(found) for found in self.holidays if _falls_on(found, date)))

    def opened(self, day):
        """The open minutes between two midnights: those of the day's windows and of the night before."""
        if day not in self._opened:
            self._opened[day] = self.starting(day) | _moved(self.starting(day - 1), -1)
        return self._opened[day]

    def is_open(self, at):
        """Whether the desk is open: the local clock reads a time inside a window."""
        day, minute = divmod(wall(self.zone, at) // MINUTE, MIDNIGHT)
        return minute in self.opened(day)

    def days_at(self, at):
        """The days whose windows hold an instant: that of the local date, and the one before it."""
        day, minute = divmod(wall(self.zone, at) // MINUTE, MIDNIGHT)
        days = [day - 1] if minute + MIDNIGHT in self.starting(day - 1) else []
        return [*days, day] if minute in self.starting(day) else days

    def claims(self, found):
        """For each cell the days to whose windows it belongs; none while the desk is closed."""
        return [self.days_at(start) for start, _ in found]


def _clocks(value):
    """Every local time that rules name, wherever it stands."""
    if isinstance(value, str):
        return re.findall("[0-9]{2}:[0-9]{2}", value)
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [clock for item in values for clock in _clocks(item)]


def _all_marks(desks):
    return {zone: set().union(*(d.marks.get(zone, ()) for d in desks)) for d in desks for zone in d.marks}


class Restricted:
    """What is open in one and (or but not) in another; the days are those of the first."""

    def __init__(self, base, other, *, without):
        self.base, self.other, self.without = base, other, without
        self.zone, self.marks = base.zone, _all_marks([base, other])

    def is_open(self, at):
        """Whether the first is open, and the other is too (or is not)."""
        return self.base.is_open(at) and self.other.is_open(at) != self.without

    def claims(self, found):
        """The days of the first, wherever it is open and the other is (or is not)."""
        claimed = zip(found, self.base.claims(found), strict=True)
        return [days if self.other.is_open(cell[0]) != self.without else [] for cell, days in claimed]


class United:
    """What is open in any of several; the zone of the first counts the days."""

    def __init__(self, *parts):
        # a | (b | c) is (a | b) | c: the days of c's windows do not depend on b's zone.
        self.parts = [p for part in parts for p in (part.parts if isinstance(part, United) else [part])]
        self.zone, self.marks = parts[0].zone, _all_marks(parts)

    def is_open(self, at):
        """Whether any of them is open."""
        return any(part.is_open(at) for part in self.parts)

    def claims(self, found):
        """The days of each in this zone; windows of another zone go to the day here on which they start."""
        claimed = []
        for part in self.parts:
            theirs = part.claims(found)
            claimed.append(theirs if part.zone.key == self.zone.key else self._here(found, theirs))
        return [sorted(set().union(*days)) for days in zip(*claimed, strict=True)]

    def _here(self, found, theirs):
        begun, here = {}, []
        for (start, _), days in zip(found, theirs, strict=True):
            begun = {day: begun.get(day, wall(self.zone, start) // DAY) for day in days}
            here.append(list(begun.values()))
        return here


# -- a stretch of time, scanned --------------------------------------------------------------------


class Scan:
    """A desk observed from an instant to another: in every minute, or where the rules name one."""

    def __init__(self, desk, start, end, *, every_minute=False):
        self.desk, self.start, self.end = desk, start, end
        marks = dict.fromkeys(desk.marks, range(MIDNIGHT)) if every_minute else desk.marks
        self.cells = cells(marks, start, end)
        self.open = [cell for cell in self.cells if desk.is_open(cell[0])]

    def measure(self, a, b):
        """The length of the open time in [a, b)."""
        return sum(min(end, b) - max(start, a) for start, end in self.open if start < b and a < end)

    @cached_property
    def periods(self):
        """The open periods: neighbouring cells joined; the first and the last may be cut off."""
        return joined(self.open)


def next_holiday(rules, at, days):
    """The first day from that of an instant on, so many at most, on which a holiday falls; or None."""
    today = wall(rules.zone, at) // DAY
    for day in range(today, today + days):
        if any(_falls_on(found, date_of(day)) for found in rules.holidays):
            return day
    return None


def joined(found):
    """Neighbouring cells as periods."""
    periods = []
    for start, end in found:
        if periods and periods[-1][1] == start:
            periods[-1] = (periods[-1][0], end)
        else:
            periods.append((start, end))
    return periods


class Days:
    """The business days of a desk, scanned: which day owns which open time.

    Days take turns: each takes what open time the days before have left, up to its last closing.
    A day that is left nothing is no business day. What a scan shows of its first and last four
    days may be cut off, so they are not listed.
    """

    def __init__(self, desk, start, end):
        self.desk = desk
        found = cells(desk.marks, start, end)
        claims = desk.claims(found)
        last = {day: i for i, days in enumerate(claims) for day in days}
        owned, taken = defaultdict(list), 0
        for day in sorted(last):
            owned[day] += [found[i] for i in range(taken, last[day] + 1) if claims[i]]
            taken = max(taken, last[day] + 1)
        first, after = start // DAY + 4, end // DAY - 4
        self.periods = {day: joined(c) for day, c in owned.items() if c and first <= day < after}
        self.days = sorted(self.periods)

    def at_or_after(self, at):
        """The business day and the instant at which the desk is open at or after an instant."""
        for day in self.days:
            for start, end in self.periods[day]:
                if at < end:
                    return day, max(at, start)
        raise LookupError(at)

    def at_or_before(self, at):
        """The business day of an instant and what the clock reads at it; outside hours of the closing before."""
        zone = self.desk.zone
        for day in reversed(self.days):
            for start, end in reversed(self.periods[day]):
                if start <= at < end:
                    return day, wall(zone, at)
                if end <= at:
                    return day, wall(zone, end - 1) + 1
        raise LookupError(at)

    def nth(self, day, n):
        """The n-th business day after a business day, or before it."""
        i = self.days.index(day) + n
        if not 0 <= i < len(self.days):
            raise LookupError(n)
        return self.days[i]

    def near(self, day, reading):
        """A local time on a business day; if closed, the closing before it, else the first opening."""
        at, periods = reached(self.desk.zone, reading), self.periods[day]
        if any(start <= at < end for start, end in periods):
            return at
        return max((end for _, end in periods if end <= at), default=periods[0][0])

    def added(self, at, n):
        """When n business days from an instant are over; outside hours they run from the next opening."""
        day, opened = self.at_or_after(at)
        later = self.nth(day, n)
        return self.near(later, wall(self.desk.zone, opened) + (later - day) * DAY)

    def subtracted(self, at, n):
        """The mirror: outside hours they run back from the closing before."""
        day, reading = self.at_or_before(at)
        earlier = self.nth(day, -n)
        return self.near(earlier, reading + (earlier - day) * DAY)

    def ended(self, at, n):
        """The last closing of the n-th business day after that of an instant."""
        return self.periods[self.nth(self.at_or_after(at)[0], n)][-1][1]
