"""The answer to "on_call:network" in the step of a policy."""

import datetime as dt

import pytest

from itsm_core.errors import InvalidValue
from itsm_core.oncall import Layer, OnCall, Rotation, Schedule

WEEK = Rotation("weekly", dt.datetime(2026, 1, 5, 9), zone="UTC", participants=("ana", "ben"))
NETWORK = Schedule("network", [Layer("weeks", WEEK)])
AT = dt.datetime(2026, 1, 13, 12, tzinfo=dt.UTC)
RECORD = None  # who is on call depends on no record


def test_a_name_becomes_who_is_on_call_at_that_instant():
    """A schedule or a rotation answers; a week later it is somebody else."""
    resolver = OnCall({"network": NETWORK, "mail": WEEK})
    assert resolver("on_call:network", RECORD, AT) == ("ben",)
    assert resolver("on_call:mail", RECORD, AT + dt.timedelta(days=7)) == ("ana",)


def test_other_names_are_people_or_go_on():
    """Without another resolver a name is that of a person; with one, it is asked with all it needs."""
    assert OnCall({})("lead", RECORD, AT) == ("lead",)
    asked = []

    def roles(name, record, at):
        asked.append((name, record, at))
        return ("eve",)

    assert OnCall({}, otherwise=roles)("role:manager", RECORD, AT) == ("eve",)
    assert asked == [("role:manager", RECORD, AT)]


def test_a_schedule_that_is_not_there_has_nobody():
    """The step goes to the last resort and no tick fails; beforehand one can tell it from a gap."""
    resolver = OnCall({"network": NETWORK})
    assert resolver("on_call:netwrok", RECORD, AT) == ()
    assert [resolver.unknown(name) for name in ("on_call:netwrok", "on_call:network", "lead")] == [
        True,
        False,
        False,
    ]


def test_gaps_ahead_are_told_by_the_name_in_a_step():
    """A lint can ask for all schedules at once; those that always have somebody are not named."""
    days = Rotation("daily", dt.datetime(2026, 1, 5, 9), zone="UTC", participants="ana", days="mon-fri")
    resolver = OnCall({"network": NETWORK, "office": days})
    assert resolver.names == ("on_call:network", "on_call:office")
    found = resolver.gaps(AT, AT + dt.timedelta(days=7))
    assert list(found) == ["on_call:office"]
    (hole,) = found["on_call:office"]
    assert (hole.start, hole.end) == (
        dt.datetime(2026, 1, 17, 9, tzinfo=dt.UTC),
        dt.datetime(2026, 1, 19, 9, tzinfo=dt.UTC),
    )


@pytest.mark.parametrize("value", [None, [NETWORK], {"network": ("ana", "ben")}, {7: NETWORK}, {"": NETWORK}])
def test_what_is_no_schedule_is_refused(value):
    """Schedules are given by name, each a schedule or a rotation."""
    with pytest.raises(InvalidValue, match=r"schedule|rotation"):
        OnCall(value)
