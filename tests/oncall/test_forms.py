"""Rotations and schedules as plain JSON values and back."""

import datetime as dt
import json

import pytest

from itsm_core.business_time import hours
from itsm_core.errors import InvalidValue, NaiveDatetime
from itsm_core.oncall import (
    Assignment,
    DutyWindow,
    Layer,
    Override,
    Rotation,
    Schedule,
    TemporarySchedule,
    rotation_from_dict,
    rotation_to_dict,
    schedule_from_dict,
    schedule_to_dict,
)
from itsm_core.oncall.forms import MOST_ROWS

START = dt.datetime(2026, 1, 5, 9)
PLAIN = {
    "kind": "weekly",
    "start": "2026-01-05T09:00:00",
    "zone": "Europe/Berlin",
    "participants": ["ana", "ben"],
}


def at(day):
    """An instant of January 2026."""
    return dt.datetime(2026, 1, day, tzinfo=dt.UTC)


ROTATIONS = [
    Rotation("weekly", START, zone="Europe/Berlin", participants=("ana", "ben")),
    Rotation(
        "daily",
        START,
        zone="UTC",
        participants=[("ana", "ben"), "cy"],
        days="mon-fri",
        duration=hours(8),
        shift_length=2,
    ),
    Rotation("monthly", START, zone="UTC", participants="ana", every=3, blocks="calendar", anchor=(START, 0)),
    Rotation("hourly", START, zone="UTC", participants=("ana", "ben"), anchor=(at(9), 1), valid_from=START),
    Rotation("hourly", START, zone="Asia/Tokyo", participants="ana", valid_from=at(9), valid_until=at(10)),
    Rotation(
        "hourly",
        START.replace(microsecond=7),
        zone="UTC",
        participants="ana",
        valid_until=dt.datetime(2027, 1, 1),
    ),
]
FULL = Schedule(
    "network",
    [
        Layer("weeks", ROTATIONS[0]),
        Layer(
            "nights", ("cy", "dee"), level=1, windows=DutyWindow("20:00", "08:00", "mon-fri", "Europe/Berlin")
        ),
    ],
    overrides=[Override(at(6), at(7), add="eve"), Override(at(8), at(9), add="eve", remove="ana")],
    temporaries=[TemporarySchedule(at(20), at(22), assignments=[Assignment("cy", at(20), at(21))])],
    mode="union",
)


@pytest.mark.parametrize("rotation", ROTATIONS)
def test_a_rotation_survives_the_round_trip(rotation):
    """Through JSON and back it is equal, and written again it is the same text."""
    written = json.dumps(rotation_to_dict(rotation))
    again = rotation_from_dict(json.loads(written))
    assert again == rotation
    assert json.dumps(rotation_to_dict(again)) == written


def test_a_plain_rotation_says_no_more_than_it_must():
    """What is at its default is left out."""
    assert rotation_to_dict(ROTATIONS[0]) == PLAIN
    assert rotation_to_dict(ROTATIONS[1])["days"] == ["mon", "tue", "wed", "thu", "fri"]
    assert rotation_to_dict(ROTATIONS[1])["duration"] == "8h"
    assert rotation_to_dict(ROTATIONS[1])["participants"] == [["ana", "ben"], "cy"]


@pytest.mark.parametrize("schedule", [FULL, Schedule("desk", [Layer("all", "ana")])])
def test_a_schedule_survives_the_round_trip(schedule):
    """Layers, windows, overrides and temporary schedules come back as they were."""
    written = json.dumps(schedule_to_dict(schedule))
    assert schedule_from_dict(json.loads(written)) == schedule


def test_an_override_says_only_what_it_changes():
    """Nobody who joins, or nobody who leaves, is left out and is no null."""
    written = schedule_to_dict(FULL)["overrides"]
    span = {"start": "2026-01-06T00:00:00.000000Z", "end": "2026-01-07T00:00:00.000000Z"}
    assert written[0] == {**span, "add": "eve"}
    assert [set(row) for row in written] == [{"start", "end", "add"}, {"start", "end", "add", "remove"}]


def test_as_many_rows_as_are_read_at_most_are_read():
    """One more is refused; tuples are lists, too."""
    rows = ({**SPAN, "add": "eve"},) * MOST_ROWS
    assert len(schedule_from_dict({**ONE, "overrides": rows}).overrides) == MOST_ROWS == 10_000


def test_datetimes_may_stand_for_texts():
    """A TOML file holds local and offset times as such."""
    row = {**PLAIN, "start": START, "anchor": {"at": at(9), "index": 1}}
    assert rotation_from_dict(row).start == START
    assert rotation_from_dict(
        {**PLAIN, "anchor": {"at": "2026-01-09T01:00:00+01:00", "index": 1}}
    ) == rotation_from_dict(row)
    assert rotation_from_dict(
        {**PLAIN, "anchor": {"at": "2026-01-09T00:00:00-00:00", "index": 1}}
    ) == rotation_from_dict(row)
    override = {"start": at(6), "end": "2026-01-07T01:00:00+01:00", "add": "eve"}
    layers = [{"name": "weeks", "rotation": PLAIN}]
    found = schedule_from_dict({"name": "n", "layers": layers, "overrides": [override]})
    assert found.overrides == (Override(at(6), at(7), add="eve"),)


def with_layer(**words):
    """A schedule of one layer."""
    return {"name": "n", "layers": [{"name": "a", "people": ["ana"], **words}]}


ONE = {"name": "n", "layers": [{"name": "a", "people": ["ana"]}]}
SPAN = {"start": "2026-01-06T00:00:00Z", "end": "2026-01-07T00:00:00Z"}
BAD = [
    ([], "no mapping"),
    ({"layers": []}, "add name"),
    ({"name": "n"}, "add layers"),
    ({**ONE, "color": "red"}, "unknown key 'color'"),
    ({"name": "n", "layers": {}}, "are no list"),
    ({"name": "n", "layers": [3]}, r"layers\[1\]: layer"),
    (with_layer(rotation=PLAIN), r"layers\[1\]: layer 'a': has not one of"),
    ({"name": "n", "layers": [{"name": "a"}]}, "has not one of"),
    (with_layer(windows=[{"start": "08:00"}]), r"layers\[1\]: windows\[1\]: window .*add end, days, zone"),
    ({"name": "n", "layers": [{"name": "a", "rotation": {**PLAIN, "zone": "Mars"}}]}, r"layers\[1\]: zone"),
    (
        {"name": "n", "layers": [{"name": "a", "rotation": {"kind": "weekly"}}]},
        "add start, zone, participants",
    ),
    (
        {"name": "n", "layers": [{"name": "a", "rotation": {**PLAIN, "anchor": {"at": "2026-01-05"}}}]},
        "add index",
    ),
    ({**ONE, "overrides": [{**SPAN, "add": 3}]}, r"overrides\[1\]: override"),
    ({**ONE, "overrides": [{**SPAN, "start": "soon", "add": "eve"}]}, r"overrides\[1\]: start 'soon'"),
    ({**ONE, "overrides": [{**SPAN, "who": "eve"}]}, "unknown key 'who'"),
    ({**ONE, "temporaries": [{"start": SPAN["start"]}]}, "add end"),
    (
        {**ONE, "temporaries": [{**SPAN, "assignments": [{**SPAN}]}]},
        r"temporaries\[1\]: assignments\[1\]: .*add who",
    ),
    ({**ONE, "mode": "best"}, "mode"),
    ({"name": "n", "layers": [{"name": "a", "rotation": {**PLAIN, "pieces": []}}]}, "unknown key 'pieces'"),
    ({"name": "n", "layers": [{"name": "a", "rotation": {**PLAIN, "_pieces": []}}]}, "unknown key '_pieces'"),
    ({**ONE, "overrides": [None] * (MOST_ROWS + 1)}, f"more than {MOST_ROWS}"),
]


@pytest.mark.parametrize(("value", "said"), BAD)
def test_what_is_wrong_is_refused_with_its_place(value, said):
    """Unknown and missing keys and bad values are named, with the row they stand in."""
    with pytest.raises(InvalidValue, match=said):
        schedule_from_dict(value)


def test_an_override_without_offset_is_refused():
    """An instant of an override says its offset; a start of a rotation must not."""
    with pytest.raises(InvalidValue, match="no zone") as refused:
        schedule_from_dict({**ONE, "overrides": [{**SPAN, "start": "2026-01-06T00:00:00", "add": "eve"}]})
    assert not isinstance(refused.value, NaiveDatetime)  # told with its place
    with pytest.raises(InvalidValue, match="on a wall"):
        rotation_from_dict({**PLAIN, "start": "2026-01-05T09:00:00Z"})
