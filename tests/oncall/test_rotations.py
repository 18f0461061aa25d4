"""Rotations: who is on call when."""

import datetime as dt
import pickle
import sys
from zoneinfo import ZoneInfo

import attrs
import pandas as pd
import pytest

from itsm_core.business_time import hours
from itsm_core.errors import BeyondHorizon, InvalidValue, NaiveDatetime
from itsm_core.oncall import Rotation, Shift

BERLIN, CHICAGO = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Chicago")
MONDAY = dt.datetime(2026, 1, 5, 9)
DAY, US = dt.timedelta(days=1), dt.timedelta(microseconds=1)


def berlin(*args):
    """An instant as Berlin's clock shows it."""
    return dt.datetime(*args, tzinfo=BERLIN)


def weekly(**words):
    """Ana, Ben and Cy by the week, from Monday 5 January 2026, 09:00 in Berlin."""
    return Rotation("weekly", MONDAY, **{"zone": BERLIN, "participants": ("ana", "ben", "cy"), **words})


def test_the_next_comes_on_at_the_handoff_not_before():
    """Until the last microsecond of the week it is Ana; then Ben; after Cy it is Ana again."""
    rotation = weekly()
    assert rotation.on_call(berlin(2026, 1, 12, 9) - US) == ("ana",)
    assert rotation.on_call(berlin(2026, 1, 12, 9)) == ("ben",)
    assert rotation.on_call(berlin(2026, 1, 26, 9)) == ("ana",)


def test_a_rotation_reaches_back_before_its_start():
    """The week before the first is that of the last participant, unless `valid_from` says otherwise."""
    assert weekly().on_call(berlin(2026, 1, 5, 9) - US) == ("cy",)
    bounded = weekly(valid_from=MONDAY)
    assert bounded.on_call(berlin(2026, 1, 5, 9) - US) == ()
    assert bounded.on_call(berlin(2026, 1, 5, 9)) == ("ana",)
    assert bounded.shift_at(berlin(2026, 1, 5, 8)) is None


def test_bounds_cut_the_shifts_that_they_fall_into():
    """A rotation valid from Wednesday to Friday noon has one shift of those days, and one hand-off."""
    rotation = weekly(valid_from=dt.datetime(2026, 1, 7), valid_until=dt.datetime(2026, 1, 9, 12))
    shifts = list(rotation.shifts(berlin(2026, 1, 1), berlin(2026, 2, 1)))
    assert [(s.start, s.end) for s in shifts] == [(berlin(2026, 1, 7), berlin(2026, 1, 9, 12))]
    assert rotation.handoffs(berlin(2026, 1, 1), berlin(2026, 2, 1)) == [berlin(2026, 1, 7)]
    assert rotation.shift_at(berlin(2026, 1, 8)) == shifts[0]
    assert rotation.on_call(berlin(2026, 1, 9, 12)) == ()
    assert list(rotation.shifts(berlin(2026, 1, 9, 12), berlin(2026, 2, 1))) == []


def test_a_bound_may_be_an_instant():
    """With a zone it is that instant, whatever the clock of the rotation shows; also the second of two times."""
    second = dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC)  # 02:30 in Berlin, for the second time
    begun, ended = weekly(valid_from=second), weekly(valid_until=second.astimezone(BERLIN))
    assert [bool(begun.on_call(second + n * US)) for n in (-1, 0)] == [False, True]
    assert [bool(ended.on_call(second + n * US)) for n in (-1, 0)] == [True, False]
    assert begun.shift_at(second).start == ended.shift_at(second - US).end == second
    wall = weekly(valid_from=dt.datetime(2026, 10, 25, 2, 30))
    assert wall.on_call(second - dt.timedelta(hours=1)) != ()
    assert weekly(valid_from="2026-10-25T02:30:00+01:00") == begun


def test_a_group_is_on_call_together():
    """A participant that is a tuple puts all of it on call."""
    rotation = weekly(participants=[("ana", "ben"), "cy"])
    assert rotation.on_call(berlin(2026, 1, 6)) == ("ana", "ben")
    assert rotation.on_call(berlin(2026, 1, 13)) == ("cy",)


def test_an_anchor_keeps_who_is_on_call_when_somebody_leaves():
    """In Ben's week Ana leaves; anchored to Ben, he stays on call and Cy follows as before."""
    now = berlin(2026, 1, 14)
    for at in (now, now.astimezone(dt.UTC), dt.datetime(2026, 1, 14)):
        rotation = weekly(participants=("ben", "cy"), anchor=(at, 0))
        assert rotation.on_call(now) == ("ben",)
        assert rotation.on_call(now + 7 * DAY) == ("cy",)
    assert weekly(participants=("ben", "cy")).on_call(now) == ("cy",)


def test_every_second_week_nobody_is_on_call():
    """`every` is how often a turn begins; `shift_length` how long it is; in between is nobody."""
    rotation = weekly(every=2)
    found = [rotation.on_call(berlin(2026, 1, 6) + n * 7 * DAY) for n in range(4)]
    assert found == [("ana",), (), ("ben",), ()]
    assert rotation.shift_at(berlin(2026, 1, 13)) is None
    assert weekly(every=3, shift_length=2).on_call(berlin(2026, 1, 13)) == ("ana",)


@pytest.mark.parametrize("kind", ["weekly", "monthly"])
def test_a_turn_with_nobody_after_it_ends_to_the_microsecond(kind):
    """On the quick way and on the long one, the last microsecond is in it and the next is not."""
    rotation = Rotation(kind, MONDAY, zone=BERLIN, participants="ana", every=2)
    end = rotation.shift_at(berlin(2026, 1, 6)).end
    assert end == (berlin(2026, 1, 12, 9) if kind == "weekly" else berlin(2026, 2, 5, 9))
    assert [rotation.on_call(end + n * US) for n in (-1, 0)] == [("ana",), ()]


def test_a_night_of_twelve_hours_ends_at_eight_in_every_night():
    """A duration is read on the wall clock: when the clock is put on, the night has eleven hours."""
    nights = Rotation(
        "daily", dt.datetime(2026, 3, 1, 20), zone=BERLIN, participants="ana", duration=hours(12)
    )
    night = nights.shift_at(berlin(2026, 3, 29, 0))
    assert (night.start, night.end) == (berlin(2026, 3, 28, 20), berlin(2026, 3, 29, 8))
    assert night.end.astimezone(dt.UTC) - night.start.astimezone(dt.UTC) == dt.timedelta(hours=11)
    assert nights.on_call(berlin(2026, 3, 29, 8)) == ()


def test_weekdays_are_one_shift_and_the_weekend_is_nobody():
    """From Monday 09:00 to Saturday 09:00 one shift; with a duration, one shift each day."""
    rotation = weekly(days="mon-fri")
    shift = rotation.shift_at(berlin(2026, 1, 14))
    assert (shift.start, shift.end, shift.participants) == (
        berlin(2026, 1, 12, 9),
        berlin(2026, 1, 17, 9),
        ("ben",),
    )
    assert rotation.on_call(berlin(2026, 1, 17, 9)) == ()
    days = weekly(days="mon-fri", duration=hours(8))
    assert days.handoffs(berlin(2026, 1, 12), berlin(2026, 1, 19)) == [
        berlin(2026, 1, 12 + n, 9) for n in range(5)
    ]
    assert days.on_call(berlin(2026, 1, 14, 17)) == ()


def test_a_daily_turn_counts_active_days_only():
    """Two active days each: Friday and Monday belong to one turn, over the weekend."""
    rotation = Rotation(
        "daily", MONDAY, zone=BERLIN, participants=("ana", "ben"), shift_length=2, days="mon-fri"
    )
    found = [rotation.on_call(berlin(2026, 1, 5, 10) + n * DAY) for n in range(8)]
    assert found == [("ana",), ("ana",), ("ben",), ("ben",), ("ana",), (), (), ("ana",)]


def test_all_seven_days_are_no_mask():
    """A week of seven active days is a week; a day of 24 hours is the day."""
    daily = {"zone": BERLIN, "participants": ("ana", "ben"), "shift_length": 7}
    plain = Rotation("daily", MONDAY, **daily)
    for rotation in (
        Rotation("daily", MONDAY, days=range(7), **daily),
        Rotation("daily", MONDAY, days="daily", duration=hours(24), **daily),
    ):
        assert rotation.shift_at(berlin(2026, 1, 14)) == plain.shift_at(berlin(2026, 1, 14))
    weekdays = Rotation("daily", MONDAY, days="mon-fri", duration=hours(24), **daily)
    assert weekdays.shift_at(berlin(2026, 1, 7)).end == berlin(2026, 1, 10, 9)


def test_calendar_blocks_begin_on_monday_and_on_the_first():
    """Started on a Thursday, a rotation of calendar weeks hands off on Monday; of months, on the first."""
    thursday = dt.datetime(2026, 1, 15, 9)
    words = {"zone": BERLIN, "participants": ("ana", "ben"), "blocks": "calendar"}
    weeks, months = (Rotation(kind, thursday, **words) for kind in ("weekly", "monthly"))
    assert weeks.shift_at(berlin(2026, 1, 15, 9)).start == berlin(2026, 1, 12, 9)
    assert months.shift_at(berlin(2026, 1, 15, 9)).start == berlin(2026, 1, 1, 9)
    assert weeks.on_call(berlin(2026, 1, 15, 9)) == months.on_call(berlin(2026, 1, 15, 9)) == ("ana",)


def test_in_the_night_with_25_hours_the_first_of_two_times_counts():
    """A hand-off at 01:30 is over for the whole second hour in which the clock shows times before it."""
    rotation = Rotation(
        "daily", dt.datetime(2020, 10, 30, 1, 30), zone=CHICAGO, participants=("ana", "ben", "cy")
    )
    second = dt.datetime(2020, 11, 1, 7, 10, tzinfo=dt.UTC)  # 01:10, for the second time
    assert rotation.on_call(second - dt.timedelta(hours=1)) == ("ben",)
    assert rotation.on_call(second) == ("cy",)
    assert rotation.shift_at(second).start == dt.datetime(2020, 11, 1, 6, 30, tzinfo=dt.UTC)
    monthly = Rotation("monthly", dt.datetime(2020, 10, 1, 1, 30), zone=CHICAGO, participants=("ana", "ben"))
    assert monthly.on_call(second) == ("ben",)


def test_turns_that_vanish_in_a_gap_leave_the_order_as_it_was():
    """The hour that does not exist has no shift; whose it was is passed over, and the hours after keep theirs."""
    rotation = Rotation("hourly", dt.datetime(2020, 3, 8), zone=CHICAGO, participants=("ana", "ben", "cy"))
    start = dt.datetime(2020, 3, 8, 6, tzinfo=dt.UTC)
    shifts = list(rotation.shifts(start, start + dt.timedelta(hours=4)))
    assert [s.participants[0] for s in shifts] == ["ana", "ben", "ana", "ben"]
    assert [s.turn for s in shifts] == [0, 1, 3, 4]


def test_answers_come_in_the_zone_and_type_of_the_question():
    """A shift asked for in Tokyo ends at a time in Tokyo; subclasses of datetime get plain ones."""
    tokyo = ZoneInfo("Asia/Tokyo")
    shift = weekly().shift_at(dt.datetime(2026, 1, 14, tzinfo=tokyo))
    assert shift.start.tzinfo is shift.end.tzinfo is tokyo
    assert shift.start == dt.datetime(2026, 1, 12, 17, tzinfo=tokyo)
    stamp = pd.Timestamp("2026-01-14T00:00:00Z")
    assert weekly().on_call(stamp) == ("ben",)
    assert type(weekly().shift_at(stamp).end) is dt.datetime


def test_an_empty_or_reversed_span_has_nothing():
    """Spans are half-open, so one that ends where it begins holds no hand-off, even at one."""
    at = berlin(2026, 1, 12, 9)
    assert weekly().handoffs(at, at) == []
    assert weekly().handoffs(at, at - DAY) == []
    assert list(weekly().shifts(at, at)) == []
    assert weekly().handoffs(at, at + US) == [at]


class Nowhere(dt.tzinfo):
    """A zone that does not know its offset, so that its datetimes are naive."""

    def utcoffset(self, at):
        return None


@pytest.mark.parametrize("naive", [dt.datetime(2026, 1, 14), dt.datetime(2026, 1, 14, tzinfo=Nowhere())])
def test_a_naive_instant_is_refused(naive):
    """Nobody can tell which instant it means; the host's own zone is never assumed."""
    for ask in (weekly().on_call, weekly().shift_at, weekly(days="mon").on_call):
        with pytest.raises(NaiveDatetime, match="make it aware"):
            ask(naive)


def test_what_is_no_instant_is_refused():
    """A date, a text and pandas' missing instant are refused by name."""
    for value in (dt.date(2026, 1, 14), "2026-01-14", pd.NaT):
        with pytest.raises(InvalidValue, match=r"instant|datetime"):
            weekly().on_call(value)


def test_at_the_end_of_time_it_says_so():
    """The last day that a datetime holds is beyond what other zones can show."""
    far = dt.datetime(9999, 12, 31, 23, tzinfo=dt.UTC)
    for rotation in (weekly(zone="Asia/Tokyo"), weekly(zone="Asia/Tokyo", days="mon")):
        with pytest.raises(BeyondHorizon):
            rotation.on_call(far)


def test_shifts_at_the_ends_of_time_are_cut_there():
    """A turn of a thousand years that goes on beyond year 9999 or began before year 1 ends with the datetimes."""
    rotation = Rotation("monthly", MONDAY, zone="UTC", participants="ana", shift_length=12_000)
    late, early = (rotation.shift_at(dt.datetime(year, 6, 1, tzinfo=dt.UTC)) for year in (9500, 2))
    assert late.end == dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
    assert early.start == dt.datetime(1, 1, 2, tzinfo=dt.UTC)
    assert (
        len(rotation.handoffs(dt.datetime(2, 1, 1, tzinfo=dt.UTC), dt.datetime(9999, 1, 1, tzinfo=dt.UTC)))
        == 10
    )
    assert list(rotation.shifts(late.start, late.end)) == [late]


def test_a_rotation_is_a_value():
    """Equal words make equal rotations, which can be copied, changed and sent to another process."""
    rotation = weekly(days="mon-fri")
    assert pickle.loads(pickle.dumps(rotation)) == rotation
    longer = attrs.evolve(rotation, shift_length=2)
    assert longer != rotation
    assert longer.on_call(berlin(2026, 1, 14)) == ("ana",)
    assert "_pieces" not in repr(rotation)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        rotation.shift_length = 3


def test_a_microsecond_in_the_start_counts():
    """Hand-offs are exact to the microsecond, on the quick way and on the slow."""
    words = {"zone": BERLIN, "participants": ("ana", "ben")}
    for more in ({}, {"valid_from": MONDAY}):
        rotation = Rotation("weekly", MONDAY + 3 * US, **words, **more)
        assert rotation.on_call(berlin(2026, 1, 12, 9) + 2 * US) == ("ana",)
        assert rotation.on_call(berlin(2026, 1, 12, 9) + 3 * US) == ("ben",)
        assert rotation.handoffs(berlin(2026, 1, 12), berlin(2026, 1, 13)) == [
            berlin(2026, 1, 12, 9) + 3 * US
        ]


def test_a_microsecond_counts_on_the_long_way_too():
    """A 31st has no shortcut; its hand-off is as exact."""
    months = Rotation(
        "monthly", dt.datetime(2026, 1, 31, 9, microsecond=3), zone=BERLIN, participants=("ana", "ben")
    )
    february = berlin(2026, 2, 28, 9)
    assert [months.on_call(february + n * US) for n in (2, 3)] == [("ana",), ("ben",)]


def test_a_shift_that_ends_where_a_span_begins_is_not_in_it():
    """Spans are half-open at both ends, also where nobody comes on."""
    nights = Rotation(
        "daily", dt.datetime(2026, 1, 5, 20), zone=BERLIN, participants="ana", duration=hours(12)
    )
    end = berlin(2026, 1, 6, 8)
    assert list(nights.shifts(end, berlin(2026, 1, 6, 20))) == []
    assert [s.end for s in nights.shifts(end - US, end)] == [end]


def test_what_has_a_name_is_said_by_it():
    """From the third field on, words are keywords; what is worked out stays out of sight."""
    with pytest.raises(TypeError):
        Rotation("weekly", MONDAY, 2, zone=BERLIN, participants="ana")
    with pytest.raises(TypeError):
        Shift(berlin(2026, 1, 5), berlin(2026, 1, 6), ("ana",), 0)
    shown = repr(weekly())
    assert shown.startswith("Rotation(kind=")
    assert shown.endswith("blocks=<Blocks.ANCHORED: 'anchored'>)")


def test_nothing_of_pendulum_is_asked():
    """The modules of rotations import `zoneinfo` and never pendulum."""
    ours = [module for name, module in sys.modules.items() if name.startswith("itsm_core.oncall")]
    assert ours
    assert not [module.__name__ for module in ours if hasattr(module, "pendulum")]
