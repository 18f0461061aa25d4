"""Schedules: layers, overrides, temporary schedules, swaps."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from itsm_core.errors import InvalidValue, NaiveDatetime
from itsm_core.oncall import (
    Assignment,
    Duty,
    DutyWindow,
    Layer,
    Override,
    Rotation,
    Schedule,
    TemporarySchedule,
    swap,
)

WEEK = Rotation("weekly", dt.datetime(2026, 1, 5, 9), zone="UTC", participants=("ana", "ben"))
NIGHTS = DutyWindow("20:00", "08:00", "mon-fri", "UTC")


def at(day, hour=12):
    """An instant of January 2026."""
    return dt.datetime(2026, 1, day, hour, tzinfo=dt.UTC)


# --- layers ----------------------------------------------------------------------------------


def test_the_highest_layer_with_anybody_wins():
    """At night the night layer; by day, when it has nobody, the weeks below it."""
    schedule = Schedule("network", [Layer("weeks", WEEK), Layer("nights", "cy", level=1, windows=NIGHTS)])
    assert schedule.on_call(at(6)) == ("ana",)
    assert schedule.on_call(at(6, 22)) == ("cy",)
    assert schedule.roster(at(6, 22)) == (Duty("cy", "nights"),)


@pytest.mark.parametrize(
    ("mode", "people"), [("highest", ("ben", "cy")), ("union", ("ana", "ben", "cy")), ("single", ("cy",))]
)
def test_modes_say_whom_layers_put_on_call_together(mode, people):
    """Of levels 0, 2, 2 and an empty 3: those of the highest with anybody, all, or one person."""
    never = WEEK.__class__(
        "weekly", WEEK.start, zone="UTC", participants="dee", valid_until=dt.datetime(2020, 1, 1)
    )
    layers = [
        Layer("base", "ana"),
        Layer("one", ["ben", "ana"] if mode == "union" else "ben", level=2),
        Layer("two", ("cy", "dee") if mode == "single" else "cy", level=2),
        Layer("gone", never, level=3),
    ]
    assert Schedule("network", layers, mode=mode).on_call(at(6)) == people


def test_of_many_layers_of_one_level_a_single_one_is_the_last():
    """As where an override is laid on top of a rota: what was said last counts."""
    layers = [Layer(name, name) for name in ("ana", "ben", "cy")]
    assert Schedule("network", layers, mode="single").on_call(at(6)) == ("cy",)


def test_the_order_of_layers_does_not_decide_between_levels():
    """A lower layer that is named later does not win; levels below 0 are lower still."""
    layers = [Layer("high", "ana", level=1), Layer("low", "ben"), Layer("lowest", "cy", level=-1)]
    assert Schedule("network", layers).on_call(at(6)) == ("ana",)
    assert Schedule("network", list(reversed(layers))).on_call(at(6)) == ("ana",)
    assert Schedule("network", layers[2:]).on_call(at(6)) == ("cy",)


def test_each_person_is_on_call_once():
    """Who is in two layers of one level is named once, by the first."""
    schedule = Schedule("network", [Layer("one", ("ana", "ben")), Layer("two", ("ben", "cy"))])
    assert schedule.roster(at(6)) == (Duty("ana", "one"), Duty("ben", "one"), Duty("cy", "two"))


def test_a_layer_counts_while_one_of_its_windows_is_active():
    """Of two windows either will do."""
    noon = DutyWindow("12:00", "13:00", "daily", "UTC")
    layer = Layer("some", "ana", windows=[NIGHTS, noon])
    assert [layer.on_call(at(6, hour)) for hour in (7, 10, 12, 13, 21)] == [
        ("ana",),
        (),
        ("ana",),
        (),
        ("ana",),
    ]


def test_a_rotation_alone_is_a_schedule():
    """One rotation may stand for the layers."""
    assert Schedule("network", WEEK).on_call(at(13)) == ("ben",)


# --- overrides -------------------------------------------------------------------------------


def test_overrides_add_remove_and_replace():
    """Added people join, removed ones leave, and a replacement takes the place of whom it replaces."""
    both = [Layer("both", ("ana", "ben"))]
    span = at(6), at(7)

    def on_call(*overrides):
        return Schedule("network", both, overrides=overrides).on_call(at(6, 18))

    assert on_call(Override(*span, add="cy")) == ("ana", "ben", "cy")
    assert on_call(Override(*span, remove="ana")) == ("ben",)
    assert on_call(Override(*span, add="cy", remove="ana")) == ("cy", "ben")
    assert on_call(Override(*span, add="ana")) == ("ana", "ben")
    assert on_call(Override(*span, add="ben", remove="ana")) == ("ben",)
    assert on_call(Override(*span, add="cy", remove="dee")) == ("ana", "ben")
    assert on_call(Override(*span, remove="dee")) == ("ana", "ben")


def test_overrides_hold_in_their_span_and_in_their_order():
    """From the first microsecond to before the last; a second override sees what the first has made."""
    overrides = [
        Override(at(6), at(7), add="cy", remove="ana"),
        Override(at(6), at(7), add="dee", remove="cy"),
    ]
    schedule = Schedule("network", WEEK, overrides=overrides)
    us = dt.timedelta(microseconds=1)
    assert [schedule.on_call(t)[0] for t in (at(6) - us, at(6), at(7) - us, at(7))] == [
        "ana",
        "dee",
        "dee",
        "ana",
    ]
    assert schedule.roster(at(6)) == (Duty("dee", "override"),)


def test_a_temporary_schedule_replaces_everything():
    """Within it neither layers nor overrides count, and where it has nobody, nobody is on call."""
    temporary = TemporarySchedule(at(6), at(8), assignments=[Assignment(("cy", "dee"), at(6), at(7))])
    schedule = Schedule(
        "network", WEEK, overrides=[Override(at(5), at(9), add="eve")], temporaries=[temporary]
    )
    assert schedule.roster(at(6)) == (Duty("cy", "temporary"), Duty("dee", "temporary"))
    assert schedule.on_call(at(7)) == ()
    assert schedule.on_call(at(8)) == ("ana", "eve")
    two = [temporary, TemporarySchedule(at(6), at(7), assignments=[Assignment("cy", at(6), at(7))])]
    assert Schedule("network", WEEK, temporaries=two).on_call(at(6)) == ("cy", "dee")


def test_two_people_swap():
    """Each is on call in the other's time, and nowhere else."""
    overrides = swap("ana", (at(6), at(7)), "ben", (at(14), at(15)))
    schedule = Schedule("network", WEEK, overrides=overrides)
    assert [schedule.on_call(at(day, 13)) for day in (5, 6, 7, 13, 14, 15)] == [
        ("ana",), ("ben",), ("ana",), ("ben",), ("ana",), ("ben",)
    ]  # fmt: skip


def test_swapped_times_may_touch():
    """One may end where the other begins, whichever comes first."""
    for span, other in (((at(6), at(7)), (at(7), at(8))), ((at(7), at(8)), (at(6), at(7)))):
        mine, theirs = swap("ana", span, "ben", other)
        assert (mine.start, mine.add, theirs.start, theirs.add) == (span[0], "ben", other[0], "ana")


def test_instants_of_any_zone_make_equal_values():
    """What is written in Tokyo is the same override in UTC."""
    tokyo = [t.astimezone(ZoneInfo("Asia/Tokyo")) for t in (at(6), at(7))]
    for made in (
        lambda *span: Override(*span, add="cy"),
        lambda *span: Assignment("cy", *span),
        TemporarySchedule,
    ):
        assert made(*tokyo) == made(at(6), at(7))
        assert made(*tokyo).start.tzinfo is made(*tokyo).end.tzinfo is dt.UTC


def test_what_has_a_name_is_said_by_it():
    """From the third field on, words are keywords."""
    for wrong in (
        lambda: Layer("a", "ana", 1),
        lambda: Override(at(6), at(7), "cy"),
        lambda: TemporarySchedule(at(6), at(7), []),
        lambda: Schedule("network", WEEK, []),
    ):
        with pytest.raises(TypeError):
            wrong()


# --- refusals --------------------------------------------------------------------------------

BAD = [
    (lambda: Override(at(6), at(6), add="cy"), "does not end after"),
    (lambda: Override(at(6), at(7)), "changes nobody"),
    (lambda: Override(at(6), at(7), add="ana", remove="ana"), "changes nobody"),
    (lambda: Override(at(6), at(7), add=""), "override"),
    (lambda: Assignment("ana", at(7), at(6)), "does not end after"),
    (lambda: Assignment((), at(6), at(7)), "empty group"),
    (lambda: TemporarySchedule(at(7), at(6)), "does not end after"),
    (
        lambda: TemporarySchedule(at(6), at(7), assignments=[Assignment("ana", at(5), at(7))]),
        "reaches beyond",
    ),
    (
        lambda: TemporarySchedule(at(6), at(7), assignments=[Assignment("ana", at(6), at(8))]),
        "reaches beyond",
    ),
    (lambda: TemporarySchedule(at(6), at(7), assignments=["ana"]), "assignments"),
    (lambda: Layer("", "ana"), "layer"),
    (lambda: Layer("override", "ana"), "something else"),
    (lambda: Layer("temporary", "ana"), "something else"),
    (lambda: Layer("a", ()), "empty group"),
    (lambda: Layer("a", "ana", level="high"), "level"),
    (lambda: Layer("a", "ana", windows="nights"), "windows"),
    (lambda: Schedule("", WEEK), "schedule"),
    (lambda: Schedule("network", []), "nobody would ever"),
    (lambda: Schedule("network", [Layer("a", "ana"), Layer("a", "ben")]), "share a name"),
    (lambda: Schedule("network", ["ana"]), "layers"),
    (lambda: Schedule("network", WEEK, mode="best"), "mode of layers"),
    (lambda: Schedule("network", WEEK, overrides=["ana"]), "overrides"),
    (lambda: Schedule("network", WEEK, temporaries=["ana"]), "temporaries"),
    (lambda: swap("ana", (at(6), at(8)), "ben", (at(7), at(9))), "overlaps"),
    (lambda: swap("ana", (at(6), at(8)), "ana", (at(9), at(10))), "changes nobody"),
]


@pytest.mark.parametrize(("make", "said"), BAD, ids=range(len(BAD)))
def test_what_makes_no_sense_is_refused(make, said):
    """Spans that do not end, changes of nobody, layers without a name or people, and wrong kinds."""
    with pytest.raises(InvalidValue, match=said) as refused:
        make()
    assert refused.value.remedy


def test_naive_instants_are_refused():
    """Overrides and questions are said in instants."""
    naive = dt.datetime(2026, 1, 6)
    with pytest.raises(NaiveDatetime):
        Override(naive, at(7), add="cy")
    with pytest.raises(NaiveDatetime):
        Assignment("cy", at(5), naive)
    with pytest.raises(NaiveDatetime):
        Schedule("network", WEEK).on_call(naive)
