"""Laws of measured time, held on generated calendars against an oracle that counts minutes.

The oracle (`tests/oracles/minutes.py`) reads the rules aloud for every minute of five days and
shares nothing with the library. `pytest -m nightly` tries 2,000 examples of each law.
"""

import copy
import datetime as dt
import math
import pickle
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Barrier
from zoneinfo import ZoneInfo

import pendulum
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from calendars import (
    Desk,
    Moment,
    calendar_of,
    closed_more,
    desks,
    lengths,
    moments,
    said_twice,
    several_desks,
    single_desks,
)
from itsm_core.business_time import (
    BusinessCalendar,
    Holiday,
    always,
    business_days,
    calendar_days,
    end_of_business_day,
    never,
)
from itsm_core.business_time.compiled import Compiled
from itsm_core.errors import BeyondHorizon, NeverOpens
from minutes import DAY, HOUR, Days, date_of, micros, next_holiday, reached, utc, wall

pytestmark = pytest.mark.law

NEVER = math.inf
counts = st.integers(0, 4)


def when(add, *args):
    """The instant that a count leads to, or `NEVER` where there is too little open time."""
    try:
        return add(*args)
    except (NeverOpens, BeyondHorizon):
        return NEVER


def open_time(desk, calendar=None):
    """The open periods of a calendar in the five days in which its desk is looked at."""
    return [tuple(p) for p in (calendar or desk.calendar).periods_us(desk.start, desk.end)]


def length(periods):
    """How long they last together."""
    return sum(end - start for start, end in periods)


def desk_of(zone, hours, **more):
    """A desk near Sunday 27 October 2024, on which London puts its clocks back; New York follows a week later."""
    return Desk.of({"tz": zone, "hours": hours, **more}, dt.date(2024, 10, 27))


FRIDAY = Moment(0, 0, turning=False)  # at midnight
MONDAY = Moment(3 * 24 * 60 + 10 * 60, 0, turning=False)  # at ten


# -- the desk is open while its clock reads a time inside a window ---------------------------------


@given(desks)
def test_open_are_exactly_the_minutes_that_the_rules_read_aloud_say(desk):
    """The open periods of five days are those of an oracle that asks the rules every minute."""
    assert open_time(desk) == desk.every_minute.periods == desk.scan.periods


@given(desks, st.lists(moments, min_size=1, max_size=20))
def test_is_open_reads_the_local_clock(desk, moments):
    """At any instant, also a microsecond beside a minute, the rules read aloud decide."""
    instants = list(map(desk.at, moments))
    assert [desk.calendar.is_open(utc(at)) for at in instants] == list(map(desk.oracle.is_open, instants))


@given(desks, moments, moments)
def test_elapsed_is_the_measure_of_the_open_instants(desk, a, b):
    """Elapsed is what the oracle's open minutes have in [a, b), to the microsecond."""
    a, b = sorted((desk.at(a), desk.at(b)))
    assert desk.calendar.elapsed_us(a, b) == desk.every_minute.measure(a, b)


@given(desks, moments, moments)
@example(desk_of("Europe/London", {"mon": [["09:00", "17:00"]]}), MONDAY, MONDAY)
@example(desk_of("Europe/London", {"mon": [["09:00", "17:00"]]}), MONDAY, MONDAY._replace(beside=HOUR))
def test_periods_and_closures_partition_the_time(desk, a, b):
    """Every instant lies in one open period or one closure with a reason, and none in two."""
    a, b = sorted((desk.at(a), desk.at(b)))
    closed = list(desk.calendar.closures_us(a, b))
    spans = sorted([*((c.start, c.end) for c in closed), *map(tuple, desk.calendar.periods_us(a, b))])
    assert all(start < end for start, end in spans)
    assert [a, *(end for _, end in spans)] == [*(start for start, _ in spans), b]
    assert all(c.name for c in closed)
    assert all(x.name != y.name for x, y in pairwise(closed) if x.end == y.start)
    assert not list(desk.calendar.periods_us(b, a))
    assert not list(desk.calendar.closures_us(b, a))


@given(desks, moments, moments, moments)
def test_elapsed_is_additive_and_changes_its_sign(desk, a, b, c):
    """Elapsed from a to c is that from a to b and from b to c, in any order of the three."""
    a, b, c = map(desk.at, (a, b, c))
    elapsed = desk.calendar.elapsed_us
    assert elapsed(a, c) == elapsed(a, b) + elapsed(b, c)
    assert elapsed(a, b) == -elapsed(b, a)
    assert abs(elapsed(a, b)) <= abs(b - a)


# -- add and subtract ------------------------------------------------------------------------------


@given(desks, moments, lengths)
def test_add_ends_at_the_earliest_instant_by_which_the_duration_has_passed(desk, at, us):
    """Add, then elapsed gives the duration, and the desk is open just before the end."""
    at, scan = desk.at(at), desk.scan
    due = when(desk.calendar.add_us, at, us)
    if due > scan.end:
        assert scan.measure(at, scan.end) < us
    else:
        assert scan.measure(at, due) == us
        assert desk.oracle.is_open(due - 1)
    if due != NEVER:
        assert desk.calendar.elapsed_us(at, due) == us
        assert desk.calendar.is_open(utc(due - 1))


@given(desks, moments, lengths)
def test_subtract_begins_at_the_latest_instant_from_which_the_duration_passes(desk, at, us):
    """The mirror: the open time from there is the duration, and the desk is open from there on."""
    at, scan = desk.at(at), desk.scan
    back = when(desk.calendar.subtract_us, at, us)
    if back == NEVER or back < scan.start:
        assert scan.measure(scan.start, at) < us
    else:
        assert scan.measure(back, at) == us
        assert desk.oracle.is_open(back)
    if back != NEVER:
        assert desk.calendar.elapsed_us(back, at) == us
        assert desk.calendar.is_open(utc(back))


@given(desks, moments)
def test_what_is_used_up_at_closing_time_ends_there(desk, at):
    """All open time up to a closing leads to that closing, and back from an opening to that opening."""
    at = desk.at(at)
    for start, end in desk.scan.periods:
        if at < end < desk.end:
            assert desk.calendar.add_us(at, desk.scan.measure(at, end)) == end
        if desk.start < start < at:
            assert desk.calendar.subtract_us(at, desk.scan.measure(start, at)) == start


@given(desks, moments, lengths)
def test_subtract_undoes_add_on_open_instants_and_add_undoes_subtract_on_closings(desk, at, us):
    """There and back leads to the same instant, wherever an instant stands for its open time."""
    at, calendar = desk.at(at), desk.calendar
    due, back = when(calendar.add_us, at, us), when(calendar.subtract_us, at, us)
    if due != NEVER and calendar.is_open(utc(at)):
        assert calendar.subtract_us(due, us) == at
    if back != NEVER and calendar.is_open(utc(at - 1)):
        assert calendar.add_us(back, us) == at
    assert when(calendar.subtract_us, at, -us) == due
    assert when(calendar.add_us, at, -us) == back
    assert calendar.add_us(at, 0) == calendar.subtract_us(at, 0) == at


@given(desks, moments, lengths, lengths)
def test_adding_twice_is_adding_the_sum(desk, at, one, two):
    """A duration may be added in parts, and so subtracted."""
    for count in (desk.calendar.add_us, desk.calendar.subtract_us):
        part = when(count, desk.at(at), one)
        whole = when(count, desk.at(at), one + two)
        assert whole == (NEVER if part == NEVER else when(count, part, two))


@given(desks, moments, moments, lengths, lengths)
def test_who_starts_later_or_has_longer_is_never_due_earlier(desk, a, b, one, two):
    """Add and subtract are monotone in the instant and in the duration."""
    a, b = sorted((desk.at(a), desk.at(b)))
    one, two = sorted((one, two))
    add, subtract = desk.calendar.add_us, desk.calendar.subtract_us
    assert when(add, a, one) <= when(add, b, one)
    assert when(add, a, one) <= when(add, a, two)
    assert a < when(add, a, one)
    early, late, long = when(subtract, a, one), when(subtract, b, one), when(subtract, b, two)
    assert early == NEVER or early <= late < b
    assert long == NEVER or long <= late
    assert desk.calendar.elapsed_us(a, b) >= 0


@given(closed_more(), moments, moments, lengths)
def test_one_more_closure_moves_no_deadline_back_and_lengthens_nothing(pair, a, b, us):
    """A holiday, a break or an empty shift more never opens the desk."""
    desk, less = pair
    a, b = sorted((desk.at(a), desk.at(b)))
    assert when(desk.calendar.add_us, a, us) <= when(less.calendar.add_us, a, us)
    assert desk.calendar.elapsed_us(a, b) >= less.calendar.elapsed_us(a, b)
    assert open_time(less) == open_time(desk, less.calendar & desk.calendar)


# -- business days and calendar days ---------------------------------------------------------------


@given(desks, st.lists(moments, min_size=1, max_size=4))
@example(
    desk_of("Europe/London", {"mon": [["00:00", "24:00"]]})
    | desk_of("America/New_York", {"sat": [["02:00", "02:00"]]}),
    [FRIDAY],
)
def test_business_days_are_the_dates_that_own_open_time(desk, moments):
    """Adding, subtracting and ending on them is what taking turns over the open minutes comes to."""
    days = Days(desk.oracle, desk.start - 13 * DAY, desk.start + 18 * DAY)
    calendar = desk.calendar

    def agree(expected, asked, at, n, rule):
        try:
            wanted = expected(at, n)
        except LookupError:  # beyond what was scanned
            return
        assert micros(asked(utc(at), rule)) == wanted, (at, rule)

    for at in map(desk.at, moments):
        for n in range(3):
            agree(days.ended, calendar.add, at, n, end_of_business_day(n))
        for n in range(1, 4):
            agree(days.added, calendar.add, at, n, business_days(n))
            agree(days.subtracted, calendar.subtract, at, n, business_days(n))


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Pago_Pago"])
def test_a_business_day_owns_nothing_of_a_night_four_days_before(zone):
    """Monday 08:30 and a business day is Friday's opening, not Tuesday's closing."""
    hours = {"mon": [["08:00", "24:00"], ["20:00", "19:00"]], "fri": [["09:00", "17:00"]]}
    calendar = BusinessCalendar.from_dict({"tz": zone, "hours": hours})
    monday = dt.datetime(2024, 5, 13, 8, 30, tzinfo=ZoneInfo(zone))
    assert calendar.add(monday, business_days(1)) == dt.datetime(2024, 5, 17, 9, tzinfo=ZoneInfo(zone))


@given(desks, st.sampled_from([0, 0, 1, -1]), st.integers(1, 5))
def test_calendar_days_keep_the_wall_clock(desk, beside, n):
    """The first instant at which the clock reads the same time on that date, or the end of a gap."""
    zone, half = desk.zone, HOUR // 2  # clocks change at full and half hours
    first, last = (wall(zone, at) // half for at in (desk.start, desk.end))
    for reading in range(first * half + beside, last * half, half):
        at = reached(zone, reading)
        told = wall(zone, at)  # later than what was asked for, if that is in a gap
        assert desk.calendar.due_us(at, calendar_days(n)) == reached(zone, told + n * DAY)
        earlier = desk.calendar.subtract(utc(at), calendar_days(n))
        assert micros(earlier) == reached(zone, told - n * DAY)


RULES = [business_days, calendar_days, end_of_business_day]


@given(desks, moments, moments, counts)
def test_who_starts_later_on_the_clock_is_never_due_earlier_in_days(desk, a, b, n):
    """Days are monotone in the instant, unless the clock between the two is put back."""
    a, b = sorted((desk.at(a), desk.at(b)))
    opened = [desk.calendar.next_open(utc(at)) for at in (a, b)]
    for days in RULES:
        starts = (a, b) if days is calendar_days else [micros(at) if at else NEVER for at in opened]
        if NEVER not in starts and wall(desk.zone, starts[0]) <= wall(desk.zone, starts[1]):
            due = [when(desk.calendar.due_us, at, days(n)) for at in (a, b)]
            assert due[0] <= due[1], days


@given(desks, moments, counts)
def test_one_day_more_is_never_due_earlier_and_nothing_before_its_start(desk, at, n):
    """Days are monotone in their number."""
    at = desk.at(at)
    for days in RULES:
        due = when(desk.calendar.due_us, at, days(n))
        assert at <= due <= when(desk.calendar.due_us, at, days(n + 1)), days


# -- searching -------------------------------------------------------------------------------------


def agrees(found, expected, beyond):
    """Whether a search found what the scan shows, or went beyond what was scanned."""
    return micros(found) == expected if expected is not None else found is None or beyond(micros(found))


@given(desks, moments)
@example(desk_of("Europe/London", {"mon": [["00:00", "24:00"]]}, holidays=["03-31..03-30"]), FRIDAY)
@example(
    desk_of("Europe/London", {"mon": [["18:00", "24:00"]]})
    & desk_of("America/New_York", {"mon": [["00:00", "13:00"]]}),
    FRIDAY,
)
def test_searches_find_what_a_scan_finds(desk, at):
    """next_open, next_start, next_close and previous_close stand where the oracle's desk turns."""
    at, scan, calendar = desk.at(at), desk.scan, desk.calendar
    starts = [start for start, _ in scan.periods if start > at]
    closes = [end for _, end in scan.periods if at < end < scan.end]
    before = [min(at, end) for start, end in scan.periods if start < at]
    opened = at if desk.oracle.is_open(at) else min(starts, default=None)
    assert agrees(calendar.next_open(utc(at)), opened, scan.end.__le__)
    assert agrees(calendar.next_start(utc(at)), min(starts, default=None), scan.end.__le__)
    assert agrees(calendar.next_close(utc(at)), min(closes, default=None), scan.end.__le__)
    assert agrees(calendar.previous_close(utc(at)), max(before, default=None), scan.start.__ge__)


@given(desks, moments)
def test_walks_pass_the_periods_that_a_scan_shows(desk, at):
    """periods_after and periods_before give the oracle's periods, clipped, nearest first."""
    at, scan = desk.at(at), desk.scan
    later = [(max(a, at), b) for a, b in scan.periods if at < b < scan.end]
    earlier = [(a, min(b, at)) for a, b in reversed(scan.periods) if scan.start < a < at]
    after = zip(later, desk.calendar.periods_after(utc(at)), strict=False)
    assert all(tuple(map(micros, found)) == expected for expected, found in after)
    before = zip(earlier, desk.calendar.periods_before(utc(at)), strict=False)
    assert all(tuple(map(micros, found)) == expected for expected, found in before)


@given(single_desks(), moments)
def test_the_next_holiday_is_the_first_date_that_is_one(desk, at):
    """Ranges and yearly rules are looked through as a reader would: date by date."""
    at = desk.at(at)
    today, day = wall(desk.zone, at) // DAY, next_holiday(desk.oracle, at, 400)
    found = desk.calendar.next_holiday(utc(at))
    if day is not None and desk.calendar != never(desk.zone):
        assert max(found.first, date_of(today)) == date_of(day)
    elif found is not None:
        assert isinstance(found, Holiday)
        assert found.first > date_of(today + 399)


# -- explaining ------------------------------------------------------------------------------------


durations = lengths.map(lambda us: dt.timedelta(microseconds=us)) | st.builds(
    lambda days, n: days(n), st.sampled_from(RULES), st.integers(0, 3)
)


@given(desks, moments, durations)
def test_an_explanation_adds_up_to_what_add_answers(desk, at, duration):
    """Its lines partition the time from the start to the due instant, and the open ones sum to it."""
    at, calendar = desk.at(at), desk.calendar
    due = when(calendar.add, utc(at), duration)
    assume(due != NEVER and micros(due) - at < 60 * DAY)
    told = calendar.explain(utc(at), duration)
    assert (micros(told.start), micros(told.due)) == (at, micros(due))
    ends = [(micros(line.start), micros(line.end)) for line in told.lines]
    if due != utc(at):
        assert [at, *(end for _, end in ends)] == [*(start for start, _ in ends), micros(due)]
    else:
        assert not ends
    assert [e for e, line in zip(ends, told.lines, strict=True) if line.open] == list(
        map(tuple, calendar.periods_us(at, micros(due)))
    )
    assert told.counted == calendar.elapsed(utc(at), due)
    if isinstance(duration, dt.timedelta):
        assert told.counted == duration


# -- the algebra of calendars ----------------------------------------------------------------------


@given(several_desks(3))
def test_both_and_either_are_commutative_associative_and_distributive(three):
    """On open time, whatever the zones; so is what absorbs."""
    a, b, c = (desk.calendar for desk in three)

    def same(one, two):
        return open_time(three[0], one) == open_time(three[0], two)

    assert same(a & b, b & a)
    assert same(a | b, b | a)
    assert same((a & b) & c, a & (b & c))
    assert same((a | b) | c, a | (b | c))
    assert same(a & (b | c), (a & b) | (a & c))
    assert same(a | (b & c), (a | b) & (a | c))
    assert same(a | (a & b), a)
    assert same(a & (a | b), a)
    assert same((a | b) - c, (a - c) | (b - c))
    assert same(a - (b - c), (a - b) | (a & c))


@given(several_desks(2))
def test_what_is_closed_obeys_de_morgan(two):
    """Closed in either is not open in both, and the other way round."""
    a, b = (desk.calendar for desk in two)
    around = always(two[0].zone)

    def same(one, two_):
        return open_time(two[0], one) == open_time(two[0], two_)

    assert same(around - (a | b), (around - a) & (around - b))
    assert same(around - (a & b), (around - a) | (around - b))
    assert same(around - (around - a), a)
    closed = [(c.start, c.end) for c in a.closures_us(two[0].start, two[0].end)]
    assert length(closed) == length(open_time(two[0], around - a))


@given(several_desks(2), moments, moments)
def test_open_time_is_a_measure(two, one, other):
    """What either has is what each has, less what both have."""
    a, b = (desk.calendar for desk in two)
    low, high = sorted(map(two[0].at, (one, other)))

    def elapsed(calendar):
        return calendar.elapsed_us(low, high)

    assert elapsed(a | b) == elapsed(a) + elapsed(b) - elapsed(a & b)
    assert elapsed(a - b) == elapsed(a) - elapsed(a & b)
    assert elapsed(always(a.zone)) == high - low
    assert elapsed(never(a.zone)) == 0


def alike(*calendars):
    """Whether they are equal calendars in every respect."""
    first, *others = calendars
    return all(
        c == first and hash(c) == hash(first) and c.fingerprint == first.fingerprint and c.zone == first.zone
        for c in others
    )


@given(desks, st.sampled_from(["Asia/Tokyo", "Europe/London"]))
def test_always_and_never_are_the_one_and_the_nought(desk, zone):
    """Combined with them, whatever their zone, a calendar is itself or nothing, and equal to it."""
    a, around, nought = desk.calendar, always(zone), never(zone)
    assert alike(a, a & around, a | nought, a - nought, a & a, a | a)
    assert alike(never(a.zone), a & nought, a - around, a & nought & around)
    assert open_time(desk, around | a) == open_time(desk, around)
    assert open_time(desk, around & a) == open_time(desk)
    assert open_time(desk, nought | a) == open_time(desk)
    assert open_time(desk, nought - a) == []
    assert (around & a).zone == (nought | a).zone == ZoneInfo(zone)


@given(desks)
@example(
    desk_of("Europe/London", {"mon": [["09:00", "17:00"]]})
    & desk_of("Europe/London", {"mon": [["10:00", "12:00"]]})
)
def test_a_calendar_without_itself_is_never_open(desk):
    """a - a is the empty calendar of its zone."""
    a = desk.calendar
    assert open_time(desk, a - a) == []
    assert alike(a - a, never(a.zone))


@given(several_desks(3))
def test_combinations_have_a_normal_form(three):
    """What says the same in another order is an equal calendar, with equal hash and fingerprint."""
    a, b, c = (desk.calendar for desk in three)
    assert alike(a & b & c, a & c & b, a & (b & c), a & (c & b), a & b & c & b)
    assert alike(a - b - c, a - c - b, a - (b | c), a - (c | b), a - b - c - b)
    assert alike(a | b | c, a | (b | c), a | c | b, a | (c | b), a | b | c | a)
    assert alike((a - b) & c, (a & c) - b)
    assert alike(a - b, a & (always(b.zone) - b), a & (always("Asia/Tokyo") - b))
    assert alike((a & b) - b, never(a.zone))
    assert alike(always(a.zone) - (b | c), (always(a.zone) - b) & (always(a.zone) - c))


@given(several_desks(2), moments, st.integers(1, 3))
def test_the_left_zone_counts_the_days(two, at, n):
    """The dates of a combination are those of its left calendar."""
    (a, b), at = (desk.calendar for desk in two), two[0].at(at)
    expected = reached(a.zone, wall(a.zone, at) + n * DAY)
    for combined in (a & b, a | b, a - b):
        assert combined.zone == a.zone
        assert combined.due_us(at, calendar_days(n)) == expected


# -- calendars as values ---------------------------------------------------------------------------


@given(said_twice())
def test_the_same_rules_in_other_words_are_an_equal_calendar(words):
    """Windows cut in two, reordered or overlapping, texts or dicts, names: nothing changes."""
    assert alike(*map(calendar_of, words))


@given(desks, st.sampled_from(["", "Desk"]), st.integers(1, 3))
def test_a_calendar_written_and_read_is_equal(desk, name, version):
    """As a dict, as JSON, pickled and copied, with its name and version, and it measures the same."""
    calendar = BusinessCalendar.from_dict(
        {**desk.calendar.to_dict(), "name": name or None, "version": version}
    )
    assert alike(calendar, desk.calendar)
    for back in (
        BusinessCalendar.from_dict(calendar.to_dict()),
        BusinessCalendar.from_json(calendar.to_json()),
        pickle.loads(pickle.dumps(calendar)),
        copy.deepcopy(calendar),
    ):
        assert alike(calendar, back)
        assert (back.name or "", back.version) == (name, version)
        assert back.to_dict() == calendar.to_dict()
    assert open_time(desk, uncompiled(calendar)) == open_time(desk)


def uncompiled(calendar):
    """The same calendar with nothing compiled yet, and shared with nobody."""
    fresh = BusinessCalendar.from_dict(calendar.to_dict())
    object.__setattr__(fresh, "_compiled", Compiled(fresh._source))
    return fresh


def spellings(at, zone):
    """The same instant with every kind of zone, and as a pendulum."""
    moment = utc(at)
    odd = dt.timezone(dt.timedelta(hours=5, minutes=30, seconds=15))
    found = [moment.astimezone(tz) for tz in (dt.UTC, zone, ZoneInfo("America/New_York"), odd)]
    folded = [value.replace(fold=1 - value.fold) for value in found]
    found += [value for value in folded if micros(value) == at]
    return [*found, pendulum.instance(moment), pendulum.instance(moment).in_timezone(zone.key)]


@given(desks, moments, moments, lengths)
def test_the_zone_and_the_type_of_the_instants_change_nothing(desk, a, b, us):
    """UTC, an IANA zone, a fixed offset, either fold and pendulum: one answer, in the kind asked in."""
    a, b, calendar = desk.at(a), desk.at(b), desk.calendar
    long = dt.timedelta(microseconds=us)
    expected = [calendar.is_open(utc(a)), calendar.elapsed_us(a, b), when(calendar.add_us, a, us)]
    for start in spellings(a, desk.zone):
        due = when(calendar.add, start, long)
        if due != NEVER:
            assert (type(due), due.tzinfo) == (type(start), start.tzinfo)
            due = micros(due)
        elapsed = calendar.elapsed(start, utc(b)) // dt.timedelta(microseconds=1)
        assert [calendar.is_open(start), elapsed, due] == expected


QUESTIONS = [
    lambda calendar, at: calendar.is_open(utc(at)),
    lambda calendar, at: calendar.elapsed_us(at, at + 40 * DAY),
    lambda calendar, at: when(calendar.add_us, at, 10 * HOUR),
    lambda calendar, at: when(calendar.subtract_us, at, 10 * HOUR),
    lambda calendar, at: when(calendar.due_us, at, business_days(2)),
    lambda calendar, at: list(calendar.closures_us(at, at + 3 * DAY)),
    lambda calendar, at: when(calendar.next_start, utc(at)),
]


@given(desks)
def test_eight_threads_get_the_answers_of_one(desk):
    """A calendar with nothing compiled, asked at once in eight orders, answers as if asked alone."""
    asked = [(ask, desk.start + years * 366 * DAY) for ask in QUESTIONS for years in (-1, 1)]
    alone, shared = uncompiled(desk.calendar), uncompiled(desk.calendar)
    expected = [ask(alone, at) for ask, at in asked]
    together = Barrier(8)

    def answer(seed):
        order = random.Random(seed).sample(range(len(asked)), len(asked))
        together.wait()
        found = {i: asked[i][0](shared, asked[i][1]) for i in order}
        return [found[i] for i in range(len(asked))]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert all(found == expected for found in pool.map(answer, range(8)))
    finally:
        sys.setswitchinterval(interval)
