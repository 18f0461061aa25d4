"""The final schedule as iCalendar, read back by the `icalendar` package."""

import datetime as dt
import sys
from zoneinfo import ZoneInfo

import icalendar
import pytest

from itsm_core.errors import InvalidValue, NaiveDatetime
from itsm_core.exporters import ical_schedule
from itsm_core.exporters.ical import MOST_EVENTS
from itsm_core.oncall import Layer, Override, Rotation, Schedule, final

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = Rotation(
    "weekly", dt.datetime(2026, 1, 5, 9), zone=BERLIN, participants=("ana", "ben"), days="mon-fri"
)


def at(day, hour=0):
    """An instant of January 2026, as Berlin's clock shows it."""
    return dt.datetime(2026, 1, day, hour, tzinfo=BERLIN)


SCHEDULE = Schedule("network", [Layer("weeks", WEEK)], overrides=[Override(at(6), at(7), add="cy")])
SPAN = at(5, 9), at(19, 9)


def events(written):
    """The events of an export."""
    return icalendar.Calendar.from_ical(written).walk("VEVENT")


def rows(written):
    """Start, end and summary of each event."""
    return [(e["DTSTART"].dt, e["DTEND"].dt, str(e["SUMMARY"])) for e in events(written)]


def test_each_segment_in_which_somebody_is_on_call_is_an_event():
    """Starts, ends and people are those of `final`, overrides in it; gaps are left out."""
    segments = [s for s in final(SCHEDULE, *SPAN) if not s.gap]
    assert rows(ical_schedule(SCHEDULE, *SPAN)) == [
        (s.start, s.end, f"network: {', '.join(s.on_call)}") for s in segments
    ]
    assert len(segments) == 4


def test_instants_are_written_in_utc():
    """No zone definition is needed, so no program can apply another rule."""
    written = ical_schedule(SCHEDULE, *SPAN)
    assert b"TZID" not in written
    assert b"DTSTART:20260105T080000Z" in written


def test_a_person_has_a_calendar_of_their_own():
    """Ana's week is one event though Cy joined her for a day; Ben's duties are not in it."""
    assert rows(ical_schedule(SCHEDULE, *SPAN, person="ana")) == [(at(5, 9), at(10, 9), "network: ana")]
    assert rows(ical_schedule(SCHEDULE, *SPAN, person="cy")) == [(at(6), at(7), "network: cy")]
    assert rows(ical_schedule(SCHEDULE, *SPAN, person="eve")) == []
    assert rows(ical_schedule(SCHEDULE, at(5), at(5), person="ana")) == []


def test_gaps_are_events_if_asked_for():
    """The weekend without anybody is shown, and blocks no time."""
    found = events(ical_schedule(SCHEDULE, *SPAN, gaps=True))
    gap = [e for e in found if str(e["TRANSP"]) == "TRANSPARENT"]
    assert [(e["DTSTART"].dt, e["DTEND"].dt) for e in gap] == [(at(10, 9), at(12, 9)), (at(17, 9), at(19, 9))]
    assert str(gap[0]["SUMMARY"]) == "network: nobody on call"


def test_the_same_schedule_gives_the_same_bytes():
    """Ids come from what an event says, and the stamp is given or the start: no clock is read."""
    written = ical_schedule(SCHEDULE, *SPAN)
    assert written == ical_schedule(SCHEDULE, *SPAN)
    assert {e["DTSTAMP"].dt for e in events(written)} == {SPAN[0]}
    stamped = ical_schedule(SCHEDULE, *SPAN, stamp=at(1))
    assert {e["DTSTAMP"].dt for e in events(stamped)} == {at(1)}
    assert [e["UID"] for e in events(stamped)] == [e["UID"] for e in events(written)]
    assert len({e["UID"] for e in events(written)}) == 4


def test_it_says_why_somebody_is_on_call():
    """The description names the layer, or the override, of each person."""
    found = events(ical_schedule(SCHEDULE, at(6), at(7)))
    assert [str(e["DESCRIPTION"]) for e in found] == ["ana: weeks\ncy: override"]


def test_a_rotation_alone_will_do_and_a_name_may_be_given():
    """Without a schedule the calendar is called by the name given, or "on call"."""
    assert rows(ical_schedule(WEEK, *SPAN))[0][2] == "on call: ana"
    calendar = icalendar.Calendar.from_ical(ical_schedule(WEEK, *SPAN, name="Bereitschaft"))
    assert str(calendar["X-WR-CALNAME"]) == "Bereitschaft"


HOSTILE = "eve\r\nBEGIN:VALARM\r\nACTION:PROCEDURE\r\nEND:VALARM\u202e;,\\\ud800"


def test_a_hostile_name_forges_no_line():
    """Line ends, controls, overrides of direction and half a character become signs that only show."""
    schedule = Schedule(HOSTILE, [Layer("all", HOSTILE)])
    written = ical_schedule(schedule, *SPAN)
    assert [c.name for c in icalendar.Calendar.from_ical(written).walk()] == ["VCALENDAR", "VEVENT"]
    assert b"\r\nBEGIN:VALARM" not in written
    shown = "eve\ufffd\ufffdBEGIN:VALARM\ufffd\ufffdACTION:PROCEDURE\ufffd\ufffdEND:VALARM\ufffd;,\\\ufffd"
    assert rows(written)[0][2] == f"{shown}: {shown}"


def test_a_span_of_too_many_events_is_refused():
    """The refusal says up to where it would go."""
    hourly = Rotation("hourly", dt.datetime(2026, 1, 5), zone="UTC", participants=("ana", "ben"))
    end = at(5) + dt.timedelta(hours=MOST_EVENTS + 24)
    with pytest.raises(InvalidValue, match="would do") as refused:
        ical_schedule(hourly, at(5), end)
    until = dt.datetime.fromisoformat(refused.value.remedy.split()[4])
    assert len(final(hourly, at(5), until)) == MOST_EVENTS


@pytest.mark.parametrize(
    "ask",
    [
        lambda: ical_schedule("network", *SPAN),
        lambda: ical_schedule(SCHEDULE, *SPAN, person=""),
        lambda: ical_schedule(SCHEDULE, dt.datetime(2026, 1, 5), at(6)),
        lambda: ical_schedule(SCHEDULE, *SPAN, stamp=dt.datetime(2026, 1, 5)),
    ],
    ids=["no schedule", "no person", "naive start", "naive stamp"],
)
def test_what_makes_no_sense_is_refused(ask):
    """What is no schedule, nobody, and naive datetimes."""
    with pytest.raises((InvalidValue, NaiveDatetime)):
        ask()


def test_without_its_extra_it_says_what_to_install(monkeypatch):
    """Importing it needs nothing; writing names the extra."""
    monkeypatch.setitem(sys.modules, "icalendar", None)
    with pytest.raises(ImportError, match=r"pip install 'itsm-core\[ical\]'"):
        ical_schedule(SCHEDULE, *SPAN)
