"""Exceptions of an agreement: what they are about, and what cannot be agreed."""

import datetime as dt
import pickle

import attrs
import pytest

from itsm_core.business_time import BusinessCalendar
from itsm_core.errors import InvalidValue
from itsm_core.sla import Adjusted, AgreedException, Agreement, Target, Verdict

AROUND = BusinessCalendar.always("UTC")
SUNDAYS = BusinessCalendar.weekly("sun 02:00-04:00", zone="UTC")
TARGETS = [Target("fix", "resolution", duration="4h", calendar=AROUND)]


def agreement(*exceptions, **rest):
    """Four hours around the clock, but for some exceptions."""
    return Agreement("a", 1, targets=TARGETS, exceptions=exceptions, **rest)


# fmt: off
ABOUT = [
    # the exception,                                     metric,       fields,                  is about it
    ({},                                                 "resolution", {},                      True),
    ({"metrics": "resolution"},                          "resolution", {},                      True),
    ({"metrics": ["response", "update"]},                "resolution", {},                      False),
    ({"metrics": ["own"]},                               "own",        {},                      True),
    ({"when": {"service": "mail"}},                      "resolution", {"service": "mail"},     True),
    ({"when": {"service": "mail"}},                      "resolution", {"service": "web"},      False),
    ({"when": {"service": "mail"}},                      "resolution", {},                      False),
    ({"when": {"service": ["mail", "web"]}},             "resolution", {"service": "web"},      True),
    ({"when": {"service": "mail", "category": "spam"}},  "resolution", {"service": "mail"},     False),
    ({"when": {"service": "mail"}, "metrics": "update"}, "resolution", {"service": "mail"},     False),
]
# fmt: on


@pytest.mark.parametrize(("given", "metric", "fields", "yes"), ABOUT)
def test_an_exception_is_about_metrics_and_fields(given, metric, fields, yes):
    """As a target is: values among those named, all of them; nothing named means any."""
    assert AgreedException("x", **given).is_about(metric, fields) is yes


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"id": ""}, "exception"),
        ({"id": 5}, "exception"),
        ({"id": "x", "name": 5}, "name"),
        ({"id": "x", "claimed": "yes"}, "claimed"),
        ({"id": "x", "claimed": 1}, "claimed"),
        ({"id": "x", "metrics": [5]}, "metrics"),
        ({"id": "x", "metrics": ""}, "metrics"),
        ({"id": "x", "when": ["service"]}, "when"),
        ({"id": "x", "times": "sun 02:00-04:00"}, "calendar"),
        ({"id": "x", "times": BusinessCalendar.never("Europe/Berlin")}, "times"),
    ],
)
def test_what_could_except_nothing_is_refused(given, named):
    """A wrong type, or hours that never open; the refusal says of what."""
    with pytest.raises(InvalidValue) as refused:
        AgreedException(**given)
    assert refused.value.what == named


def test_exceptions_are_values():
    """Equal, hashable, sendable to other processes, and short to read."""
    one = AgreedException("maintenance", times=SUNDAYS, metrics=["resolution", "resolution"])
    assert one == pickle.loads(pickle.dumps(one))
    assert one.metrics == ("resolution",)
    assert {one: 1}[attrs.evolve(one)] == 1
    assert repr(one) == "<exception maintenance: some hours of resolution>"
    assert repr(AgreedException("flood", claimed=True)) == "<exception flood: whole cycles, if claimed>"


def test_an_agreement_holds_exceptions_by_id():
    """None unless it names some; two of one id would be counted as one."""
    assert agreement().exceptions == ()
    kept = (AgreedException("a"), AgreedException("b", times=SUNDAYS))
    assert agreement(*kept).exceptions == kept
    with pytest.raises(InvalidValue, match=r"names exceptions twice: \['a'\]"):
        agreement(AgreedException("a"), AgreedException("a", times=SUNDAYS))
    for wrong in ("maintenance", [TARGETS[0]], AgreedException("a")):
        with pytest.raises(InvalidValue):
            Agreement("a", 1, targets=TARGETS, exceptions=wrong)


def test_an_exception_of_a_metric_that_nothing_measures_is_refused():
    """It would never except anything, and nobody would notice; near names are told."""
    with pytest.raises(InvalidValue, match="did you mean resolution"):
        agreement(AgreedException("a", metrics="resolutions"))
    with pytest.raises(InvalidValue, match="use one of resolution"):
        agreement(AgreedException("a", metrics="response"))


def test_durations_of_an_adjusted_cycle_are_open_time():
    """Microseconds as they are, and timedeltas of them."""
    found = Adjusted(Verdict.MET, 90_000_000, excused_us=30_000_001, by=("a",))
    assert found.elapsed == dt.timedelta(seconds=90)
    assert found.excused == dt.timedelta(seconds=30, microseconds=1)
