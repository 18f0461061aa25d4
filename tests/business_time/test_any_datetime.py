"""Any aware datetime goes in; what comes out is said by rule 2."""

import datetime as dt
from zoneinfo import ZoneInfo

import pendulum
import pytest

from itsm_core.business_time import BusinessCalendar, hours
from itsm_core.errors import AmbiguousDuration, InvalidValue, NaiveDatetime

pd = pytest.importorskip("pandas")

LONDON = ZoneInfo("Europe/London")
DESK = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/London")
NIGHT = BusinessCalendar.weekly("daily 22:00-06:00", zone="Europe/London")
MOMENT = dt.datetime(2024, 5, 1, 9, 30, 0, 123456, tzinfo=dt.UTC)


class Stamp(dt.datetime):
    """A subclass of a host product's own."""


SAME = [
    MOMENT,
    MOMENT.astimezone(LONDON),
    MOMENT.astimezone(dt.timezone(dt.timedelta(hours=-3, minutes=-30))),
    MOMENT.astimezone(ZoneInfo("Asia/Kathmandu")),
    pendulum.instance(MOMENT).in_timezone("America/New_York"),
    pendulum.instance(MOMENT),
    pd.Timestamp(MOMENT).tz_convert("Asia/Tokyo"),
    pd.Timestamp("2024-05-01 09:30:00.123456789", tz="UTC"),  # what lies below a microsecond is cut
    Stamp(2024, 5, 1, 9, 30, 0, 123456, tzinfo=dt.UTC),
]


@pytest.mark.parametrize("at", SAME, ids=[f"{type(at).__name__} {at.tzinfo}" for at in SAME])
def test_the_answer_does_not_depend_on_who_tells_the_time(at):
    """One instant, nine ways to say it, one answer."""
    assert DESK.add(at, hours(1)) == DESK.add(MOMENT, hours(1))
    assert DESK.elapsed(at, dt.datetime(2024, 5, 2, tzinfo=dt.UTC)) == dt.timedelta(
        hours=6, minutes=29, seconds=59, microseconds=876544
    )
    assert DESK.is_open(at)


@pytest.mark.parametrize("at", SAME, ids=[f"{type(at).__name__} {at.tzinfo}" for at in SAME])
def test_the_kind_of_the_answer_follows_what_came_in(at):
    """A pendulum DateTime for one; a plain datetime in the same zone for anything else."""
    wanted = pendulum.DateTime if isinstance(at, pendulum.DateTime) else dt.datetime
    for answer in (DESK.add(at, hours(1)), DESK.next_close(at), next(DESK.periods_before(at))[0]):
        assert type(answer) is wanted
        assert str(answer.tzinfo) == str(at.tzinfo)
        assert answer.utcoffset() == answer.astimezone(at.tzinfo).utcoffset()


def test_fold_tells_two_instants_apart():
    """01:30 comes twice in the night of 27 October 2024; the second is an hour later."""
    first = dt.datetime(2024, 10, 27, 1, 30, tzinfo=LONDON)
    second = first.replace(fold=1)
    start = dt.datetime(2024, 10, 26, 22, tzinfo=LONDON)
    assert NIGHT.elapsed(start, first) == dt.timedelta(hours=3, minutes=30)
    assert NIGHT.elapsed(start, second) == dt.timedelta(hours=4, minutes=30)
    assert (NIGHT.add(start, hours(3)).fold, NIGHT.add(start, hours(4)).fold) == (0, 1)
    both = [
        pd.Timestamp("2024-10-27 01:30").tz_localize("Europe/London", ambiguous=first)
        for first in (True, False)
    ]
    assert NIGHT.elapsed(*both) == dt.timedelta(hours=1)


def test_what_is_no_instant_is_refused_by_its_kind():
    """Missing, naive, or no datetime at all."""
    for missing in (pd.NaT, float("nan")):
        with pytest.raises(InvalidValue, match="is a missing instant; leave missing values out"):
            DESK.add(missing, hours(1))
    for naive in (dt.datetime(2024, 5, 1), pd.Timestamp("2024-05-01"), pendulum.naive(2024, 5, 1)):
        with pytest.raises(NaiveDatetime, match="make it aware"):
            DESK.elapsed(MOMENT, naive)
    for other in (dt.date(2024, 5, 1), "2024-05-01T09:00Z", 1_714_554_000, None):
        with pytest.raises(InvalidValue, match="is no datetime"):
            DESK.next_open(other)


def test_what_is_no_duration_is_refused():
    """Numbers without unit, missing ones, infinite ones, pendulum's long ones."""
    for other in (4, 4.5, float("inf"), float("nan"), pd.NaT, "4h", None):
        with pytest.raises(InvalidValue, match="is no duration"):
            DESK.add(MOMENT, other)
    with pytest.raises(AmbiguousDuration):
        DESK.add(MOMENT, pendulum.duration(days=1))
    assert DESK.add(MOMENT, pendulum.duration(hours=2)) == DESK.add(MOMENT, hours(2))
    assert DESK.add(MOMENT, pd.Timedelta(hours=2)) == DESK.add(MOMENT, hours(2))
