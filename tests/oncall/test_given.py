"""What callers give to a rotation, read and checked."""

import datetime as dt

import pytest

from itsm_core.business_time import calendar_days, hours
from itsm_core.errors import AmbiguousDuration, BeyondHorizon, InvalidValue
from itsm_core.oncall import Anchor, Rotation, RotationKind
from itsm_core.oncall.given import days_of, duration_of, people_of

START = dt.datetime(2026, 1, 5, 9)


def rotation(**words):
    """A rotation of two people, with other words."""
    given = {
        "kind": "weekly",
        "start": START,
        "zone": "Europe/Berlin",
        "participants": ("ana", "ben"),
        **words,
    }
    return Rotation(given.pop("kind"), given.pop("start"), **given)


@pytest.mark.parametrize(
    ("value", "days"),
    [
        ((), ()),
        ("", ()),
        ("mon-fri", (0, 1, 2, 3, 4)),
        ("sat-mon", (0, 5, 6)),
        ("daily", tuple(range(7))),
        ("mon,wed", (0, 2)),
        ("Sat, Sun", (5, 6)),
        ("mon - fri", (0, 1, 2, 3, 4)),
        (("MO", "TU", "we"), (0, 1, 2)),
        (["Saturday", "sun", 0], (0, 5, 6)),
        (range(5), (0, 1, 2, 3, 4)),
        ([" Thu", "TH", "fr ", "Tuesday"], (1, 3, 4)),
        ([6, "mon", 3], (0, 3, 6)),
        ({3, 1}, (1, 3)),
    ],
)
def test_days_are_read_in_many_words(value, days):
    """Names as text, as iCalendar has them, in full, or numbers with 0 for Monday; sorted, once each."""
    assert days_of(value) == days


@pytest.mark.parametrize(
    "value",
    [
        "monkey",
        "mo-fr",
        "9",
        [7],
        [-1],
        [True],
        [None],
        3,
        None,
        {"mon": 1},
        "mon 09:00",
        "mon 08:00-09:00; tue",
    ],
)
def test_what_names_no_weekday_is_refused(value):
    """Anything else is refused with how to write it."""
    with pytest.raises(InvalidValue, match="weekday"):
        days_of(value)


@pytest.mark.parametrize(
    "value", [(), [], "", [""], [()], ["ana", ()], [None], None, 3, {"ana": 1}, [["ana", 3]], b"ana"]
)
def test_participants_that_are_nobody_are_refused(value):
    """An empty rotation, an empty group, and what is no name are refused."""
    with pytest.raises(InvalidValue, match="participant"):
        people_of(value)


def test_participants_are_names_or_groups():
    """One name is one participant; a tuple in the list is a group, each of it once."""
    assert people_of("ana") == (("ana",),)
    assert people_of(["ana", ("ben", "cy", "ben")]) == (("ana",), ("ben", "cy"))


@pytest.mark.parametrize("value", [hours(12), dt.timedelta(hours=12), "12h"])
def test_a_duration_is_hours_on_the_wall(value):
    """Hours are said as a budget, a timedelta or a text."""
    assert duration_of(value) == hours(12)


@pytest.mark.parametrize(
    "value", [0, 12, dt.timedelta(0), dt.timedelta(hours=-1), calendar_days(1), hours(0), "1 calendar day"]
)
def test_a_duration_that_is_no_time_is_refused(value):
    """Nothing, less than nothing, numbers without a unit, and days are refused."""
    with pytest.raises(InvalidValue, match="duration"):
        duration_of(value)


def test_a_day_without_saying_which_is_refused():
    """A duration of "1 day" is as ambiguous here as anywhere."""
    with pytest.raises(AmbiguousDuration):
        rotation(duration="1 day")


BAD = [
    ({"kind": "yearly"}, "kind of rotation"),
    ({"blocks": "odd"}, "blocks"),
    ({"start": dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)}, "without a zone"),
    ({"start": dt.date(2026, 1, 5)}, "no datetime"),
    ({"start": "soon"}, "no time on a wall"),
    ({"start": dt.datetime(1, 1, 1)}, "lies at the end"),
    ({"start": dt.datetime(9999, 12, 31, 9)}, "lies at the end"),
    ({"zone": "Mars/Olympus"}, "zone"),
    ({"shift_length": 0}, "no count"),
    ({"shift_length": True}, "no count"),
    ({"shift_length": 10**9 + 1}, "no count"),
    ({"every": 0}, "no count"),
    ({"shift_length": 3, "every": 2}, "less than shift_length"),
    ({"duration": hours(169)}, "longer than a turn"),
    ({"days": "mon", "duration": hours(25)}, "longer than a turn"),
    ({"kind": "monthly", "duration": hours(29 * 24)}, "longer than a turn"),
    ({"kind": "hourly", "days": "mon"}, "do not go with hours"),
    ({"kind": "daily", "days": "mon", "every": 2}, "does not go with days"),
    ({"anchor": (START, 2)}, "no index of 2"),
    ({"anchor": (START, -1)}, "no index"),
    ({"anchor": (START, True)}, "no index"),
    ({"anchor": START}, "no pair"),
    ({"anchor": (START,)}, "no pair"),
    ({"anchor": ("never", 0)}, "no time on a wall"),
    ({"valid_from": START, "valid_until": START}, "not after valid_from"),
    ({"valid_from": dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC), "valid_until": START}, "not after valid_from"),
    ({"valid_from": dt.date(2026, 1, 5)}, "valid_from"),
    ({"valid_until": 2030}, "valid_until"),
]


@pytest.mark.parametrize(("words", "said"), BAD)
def test_a_rotation_that_makes_no_sense_is_refused(words, said):
    """The refusal names what is wrong and ends in what to write."""
    with pytest.raises(InvalidValue, match=said) as refused:
        rotation(**words)
    assert refused.value.remedy


def test_every_word_is_read_to_one_form():
    """Texts and enums, pairs and anchors, datetimes and ISO texts give equal rotations."""
    one = rotation(kind=RotationKind.WEEKLY, anchor=Anchor(START, 1), valid_from=START, duration=hours(8))
    other = rotation(
        start="2026-01-05T09:00",
        anchor=("2026-01-05T09:00:00", 1),
        valid_from="2026-01-05T09:00",
        duration="8h",
    )
    assert one == other
    assert hash(one) == hash(other)


def test_an_anchor_at_the_end_of_time_is_refused():
    """As every instant there."""
    with pytest.raises(BeyondHorizon, match="anchor"):
        rotation(anchor=(dt.datetime(9999, 12, 31, 9, tzinfo=dt.UTC), 0))


def test_the_longest_turn_and_the_ends_of_time_are_taken():
    """A thousand million weeks, from the first wall time to the last."""
    ends = rotation(start=dt.datetime(1, 1, 2), shift_length=10**9, valid_until=dt.datetime(9999, 12, 31))
    assert ends.on_call(dt.datetime(9999, 12, 30, tzinfo=dt.UTC)) == ("ana",)
    assert rotation(start=dt.datetime(9999, 12, 31)).start.year == 9999


def test_the_index_of_an_anchor_is_told_by_how_many_there_are():
    """The refusal says which would do."""
    with pytest.raises(InvalidValue, match="no index of 2 participants; write a whole number from 0 to 1"):
        rotation(anchor=(START, 2))


def test_a_duration_is_exact_to_the_microsecond():
    """The shortest is one."""
    assert duration_of(dt.timedelta(microseconds=1)).us == 1
    assert duration_of(dt.timedelta(hours=1, microseconds=7)).us == 3_600_000_007


def test_fold_says_nothing_of_a_wall_time():
    """A wall time is the time that is shown, whichever of two it was when somebody read it off."""
    assert rotation(start=START.replace(fold=1)).start.fold == 0
