"""Holidays from an iCalendar feed (RFC 5545), read by the `icalendar` package (extra `ical`).

A feed comes from elsewhere, so it is trusted with nothing. Before the package sees it, all is left
out that does not say when something is: alarms, tasks, and definitions of time zones, which the
package would keep for the whole process. Rules are counted out in `recurrence`, at a bounded cost;
every bound has a name.
"""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any
from zoneinfo import ZoneInfo

from itsm_core.business_time.given import parse_date, parse_years
from itsm_core.business_time.holidays import MOST_HOLIDAYS, Holiday, HolidayList
from itsm_core.business_time.ical_events import Event, Key, event_of, plain, refuse
from itsm_core.business_time.instants import zone_like
from itsm_core.business_time.recurrence import Work

INSTALL = "ical_holidays needs its extra: pip install 'itsm-core[ical]'"
# Public feeds of ten years have some 100 kB; a MiB of small events takes about two seconds.
MOST_BYTES = 1_048_576
# A rule has at most the 366 days of a year to name; other lines are shorter, or lists of dates.
LONGEST_RULE, LONGEST_LINE = 2_000, 200_000
# 300 yearly holidays over 30 years look at 280,000 days; half a million hostile ones take seconds.
MOST_DAYS_TRIED = 500_000
LONGEST_SOURCE = 60

_CALENDAR, _EVENT = ["VCALENDAR"], ["VCALENDAR", "VEVENT"]
_LISTED = ("RRULE", "RDATE", "EXDATE")
_MANY = ("BEGIN", "END", *_LISTED)
_ONCE = ("UID", "DTSTART", "DTEND", "DURATION", "SUMMARY", "STATUS", "RECURRENCE-ID", "EXRULE")
_TITLES = ("X-WR-CALNAME", "NAME", "PRODID")
_FOLD, _BREAK = re.compile("(?:\r\n|\r|\n)[ \t]"), re.compile("\r\n|\r|\n")
_NAME = re.compile("[A-Za-z0-9-]+(?=[:;])")
_ZONE = re.compile(";TZID=", re.IGNORECASE)


def ical_holidays(
    text: str | bytes, *, years: int | Iterable[int] | None = None, zone: str | ZoneInfo | None = None,
    known_until: dt.date | str | None = None,
) -> HolidayList:  # fmt: skip
    """The events of a feed as holidays: all-day events whole, timed ones for a part of their days.

    It takes the text, not a path or an address: `ical_holidays(Path("feed.ics").read_bytes())`.

    With `years`, only holidays that touch one of these years are kept. A rule without an end needs
    them; one that recurs within a day is refused. `zone` is the calendar's: a timed event on another
    clock is read on this one. Timed events are split at midnight; what covers a local date from
    midnight to midnight closes all of it, and an event that takes no time closes nothing.

    Cancelled events are left out. Whether an event blocks time (TRANSP) says nothing here: feeds of
    public holidays mark theirs as free. Zones are found by their names (IANA or Windows), not by
    the definitions in the feed.

    `known_until` is by default 31 December of the last year asked, else the last date found.

    >>> feed = '''BEGIN:VCALENDAR
    ... BEGIN:VEVENT
    ... DTSTART;VALUE=DATE:20241225
    ... RRULE:FREQ=YEARLY
    ... SUMMARY:Christmas
    ... END:VEVENT
    ... END:VCALENDAR'''
    >>> for day in ical_holidays(feed, years=(2024, 2025)):
    ...     print(day.dates, day.name)
    2024-12-25 Christmas
    2025-12-25 Christmas
    """
    asked = None if years is None else parse_years(years)
    clock = None if zone is None else zone_like(zone)
    calendars = _calendars(list(_kept(_whole_text(text))))
    events = [event_of(component) for calendar in calendars for component in calendar.walk("VEVENT")]
    days = tuple(sorted(set(_found(events, asked, clock))))
    until = dt.date(asked[-1], 12, 31) if asked else max((day.last for day in days), default=None)
    return HolidayList(
        days,
        known_until=until if known_until is None else parse_date(known_until, "known_until"),
        source=_source(calendars),
    )


# -- text ------------------------------------------------------------------------------------------


def _whole_text(value: str | bytes) -> str:
    """The unfolded text of a feed, or a refusal of what is none."""
    if not isinstance(value, (str, bytes)):
        raise refuse("is no text", value, 'pass what the file holds: Path("feed.ics").read_bytes()')
    if len(value) > MOST_BYTES or len(raw := _encoded(value)) > MOST_BYTES:
        raise refuse(f"is larger than {MOST_BYTES} bytes", len(value), "leave out past years")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise refuse("is no UTF-8 text", remedy='decode it first: raw.decode("cp1252")') from None
    if "\0" in text:
        raise refuse("holds bytes that are no text", remedy="pass the text of an .ics file")
    return _FOLD.sub("", text.removeprefix("\ufeff"))


def _encoded(value: str | bytes) -> bytes:
    try:
        return value if isinstance(value, bytes) else value.encode()
    except UnicodeEncodeError:
        raise refuse("holds half a surrogate pair", remedy="pass the bytes of the file") from None


def _kept(text: str) -> Iterator[str]:
    """The lines that say when events are, and the title; nothing else reaches the package."""
    path: list[str] = []
    seen: set[str] = set()
    events = dates = 0
    for line in filter(None, _BREAK.split(text)):
        match = _NAME.match(line)
        name = match[0].upper() if match else ""
        if name == "BEGIN":
            path.append(_component(line))
            seen = set()
            events += path == _EVENT
        if line.strip() and path[:1] != _CALENDAR:
            raise refuse("does not begin with BEGIN:VCALENDAR", line[:40], "pass the text of an .ics file")
        if _counts(path, name, seen):
            dates += line.count(",") + 1 if name in _LISTED else 0
            yield _checked(line, name)
        if name == "END" and path.pop() != _component(line):
            raise refuse("is broken: an END without its BEGIN", line[:40])
        if events > MOST_HOLIDAYS or dates > MOST_HOLIDAYS:
            raise refuse(f"holds more than {MOST_HOLIDAYS} events or dates", remedy="leave out past years")
    if path:
        raise refuse(f"breaks off within {path[-1][:40]}")


def _component(line: str) -> str:
    return line.partition(":")[2].strip().upper()


def _counts(path: list[str], name: str, seen: set[str]) -> bool:
    """Whether a line is wanted where it stands."""
    if path == _CALENDAR:
        wanted = name in ("BEGIN", "END") or (name in ("CALSCALE", *_TITLES) and name not in seen)
    else:
        wanted = path == _EVENT and (name in _MANY or name in _ONCE)
        if wanted and name in seen and name != "SUMMARY":  # some feeds say it in several languages
            raise refuse(f"says {name} twice in one event")
        wanted = wanted and name not in seen
    seen.update({name}.difference(_MANY))
    return wanted


def _checked(line: str, name: str) -> str:
    if len(line) > (LONGEST_RULE if name == "RRULE" else LONGEST_LINE):
        raise refuse(f"has a line of {len(line)} characters", line[:40])
    # Under another name the package keeps the zone's name, and does not look for the zone.
    return _ZONE.sub(";X-TZID=", line, count=1)


def _calendars(lines: list[str]) -> list[Any]:
    """The calendars of a feed, parsed."""
    try:
        import icalendar  # noqa: PLC0415 - an extra
    except ImportError:
        raise ImportError(INSTALL) from None
    try:
        found: list[Any] = icalendar.Calendar.from_ical("\r\n".join(lines) + "\r\n", multiple=True)
    except Exception as error:  # of many kinds, over the package's versions
        raise refuse(f"cannot be read ({type(error).__name__})") from error
    if not found:
        raise refuse("is empty", remedy="pass a text that begins with BEGIN:VCALENDAR")
    if any(str(calendar.get("CALSCALE", "GREGORIAN")).upper() != "GREGORIAN" for calendar in found):
        raise refuse("counts in another calendar than the Gregorian one")
    return found


def _source(calendars: list[Any]) -> str:
    titles = (calendar.get(name) for name in _TITLES for calendar in calendars)
    title = next((plain(title, LONGEST_SOURCE) for title in titles if title), "")
    return f"iCalendar: {title}" if title else "iCalendar"


# -- holidays --------------------------------------------------------------------------------------


def _found(events: list[Event], years: tuple[int, ...] | None, clock: ZoneInfo | None) -> Iterator[Holiday]:
    """The holidays of all events in the years asked; more than a calendar takes are refused."""
    replaced: dict[str, set[Key]] = {}
    for event in events:
        if event.replaces:
            replaced.setdefault(event.uid, set()).add(event.replaces.key)
    work, count = Work(MOST_DAYS_TRIED), 0
    for event in events:
        left_out = set() if event.replaces else replaced.get(event.uid, set())
        for holiday in _of_event(event, years, clock, left_out, work):
            if years is None or _touches(holiday, years):
                count += 1
                if count > MOST_HOLIDAYS:
                    raise refuse(f"comes to more than {MOST_HOLIDAYS} holidays", remedy="ask for fewer years")
                yield holiday


def _touches(holiday: Holiday, years: tuple[int, ...]) -> bool:
    i = bisect_left(years, holiday.first.year)
    return i < len(years) and years[i] <= holiday.last.year


def _of_event(
    event: Event, years: tuple[int, ...] | None, clock: ZoneInfo | None,
    left_out: AbstractSet[Key], work: Work,
) -> Iterator[Holiday]:  # fmt: skip
    if event.cancelled:
        return
    if event.start.zone and clock is None:
        reason = f"holds an event on the clock of {event.start.zone.key}"
        raise refuse(reason, event.uid, 'say the calendar\'s zone: zone="Europe/Berlin"')
    if years is None and not all(rule.ends for rule in event.rules):
        reason, remedy = "holds an event that recurs without end", "say the years: years=range(2024, 2030)"
        raise refuse(reason, event.uid, remedy)
    first, last = _window(years, event.length)
    try:
        for wall in event.walls(first, last, left_out, work):
            yield from event.holidays(wall, clock)
    except OverflowError as error:
        raise refuse("holds an event at the end of what a date can say", event.uid) from error


def _window(years: tuple[int, ...] | None, length: dt.timedelta) -> tuple[dt.date, dt.date]:
    """The dates between which an occurrence begins that touches the years, on any clock."""
    if years is None:
        return dt.date.min, dt.date.max
    first = dt.date(years[0], 1, 1).toordinal() - length.days - 2
    last = dt.date(years[-1], 12, 31).toordinal() + 2
    return dt.date.fromordinal(max(1, first)), dt.date.fromordinal(min(last, dt.date.max.toordinal()))
