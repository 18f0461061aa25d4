"""The final schedule as iCalendar (RFC 5545), written by the `icalendar` package (extra `ical`).

What is written is who is on call in the end, with every override in it, in UTC: a calendar program has
nothing to work out, and no rule of daylight saving in it can differ from ours.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from typing import Any

from itsm_core.business_time.instants import in_utc
from itsm_core.business_time.windows import printable
from itsm_core.errors import InvalidValue
from itsm_core.oncall import Rotation, Schedule, Segment, segments
from itsm_core.values import word

INSTALL = "ical_schedule needs its extra: pip install 'itsm-core[ical]'"
MOST_EVENTS = 10_000
"""The most events of one export: a year of hourly hand-offs is fewer."""


def ical_schedule(
    schedule: Schedule | Rotation, start: dt.datetime, end: dt.datetime, *,
    person: str | None = None, gaps: bool = False, name: str | None = None, stamp: dt.datetime | None = None,
) -> bytes:  # fmt: skip
    """Who is on call in [start, end), as the bytes of an .ics file: one event for each segment.

    With `person`, only their duties, each from when they come on to when they go off. With `gaps`, times in
    which nobody is on call are events too, and do not block time. `name` is the calendar's, by default
    the schedule's. `stamp` is when this was written; no clock is read, so by default it is `start`, and the
    same schedule gives the same bytes.
    """
    title = name or (schedule.name if isinstance(schedule, Schedule) else "on call")
    found = segments(schedule, start, end)
    if person is not None:
        found = _duties(found, word(person, "person", 'name one, such as person="ana"'))
    kept = list(islice((s for s in found if gaps or not s.gap), MOST_EVENTS + 1))
    if len(kept) > MOST_EVENTS:
        remedy = f"export a shorter span; {kept[-1].start.isoformat()} would do as its end"
        raise InvalidValue("end", end.isoformat(), f"takes over {MOST_EVENTS} events", remedy)
    return _written(kept, title, in_utc(start if stamp is None else stamp, "stamp"))


def _duties(found: Iterator[Segment], person: str) -> Iterator[Segment]:
    """The times in which one person is on call, whoever else is; the rest are gaps."""
    since: Segment | None = None
    last: Segment | None = None
    for segment in found:
        mine = person in segment.on_call
        if since is not None and (person in since.on_call) != mine:
            yield _joined(since, segment.start, person)
            since = None
        since, last = since or segment, segment
    if since is not None and last is not None:
        yield _joined(since, last.end, person)


def _joined(first: Segment, end: dt.datetime, person: str) -> Segment:
    if person not in first.on_call:
        return Segment(first.start, end, on_call=(), sources=())
    source = first.sources[first.on_call.index(person)]
    return Segment(first.start, end, on_call=(person,), sources=(source,))


def _written(found: list[Segment], title: str, stamp: dt.datetime) -> bytes:
    try:
        import icalendar  # noqa: PLC0415 - an extra
    except ImportError:
        raise ImportError(INSTALL) from None
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//itsm_core//on call//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", printable(title))
    for segment in found:
        event = icalendar.Event()
        for key, value in _facts(segment, title, stamp).items():
            event.add(key, value)
        calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written


def _facts(segment: Segment, title: str, stamp: dt.datetime) -> dict[str, Any]:
    """What an event says, its keys those of RFC 5545."""
    start, end = in_utc(segment.start), in_utc(segment.end)
    said = "\0".join((title, start.isoformat(), *segment.on_call)).encode(errors="surrogatepass")
    people = ", ".join(map(printable, segment.on_call))
    pairs = zip(segment.on_call, segment.sources, strict=True)
    return {
        "uid": f"{sha256(said).hexdigest()[:32]}@itsm-core",
        "dtstamp": stamp,
        "dtstart": start,
        "dtend": end,
        "summary": f"{printable(title)}: {people or 'nobody on call'}",
        "description": "\n".join(f"{printable(person)}: {printable(source)}" for person, source in pairs),
        "transp": "TRANSPARENT" if segment.gap else "OPAQUE",
    }
