"""Justified overruns: listed with who approved and who confirmed, and no verdict changes."""

import pytest

from itsm_core.actors import Actor
from itsm_core.business_time import BusinessCalendar
from itsm_core.errors import ItsmError
from itsm_core.sla import Agreement, JustifiedOverrun, Target, Verdict, extend, judge, overruns, trace
from itsm_core.values import from_dict, to_dict

AROUND = BusinessCalendar.always("UTC")
MONA = Actor.person("mona", "manager")


@pytest.fixture
def late(history):
    """Resolved after six hours, reopened for another six; four were promised each time."""
    h = history().opened("2026-03-02 09:00").resolved("2026-03-02 15:00")
    return h.resumed("2026-03-02 16:00").resolved("2026-03-02 22:00")


def justify(h, at, metric="resolution", **fields):
    """A justification by a manager."""
    return h.add("overrun_justified", at, by=MONA, metric=metric, reason="we tested it with her", **fields)


def clocks(h):
    """The cycles at midnight."""
    target = Target("t", "resolution", duration="4h", calendar=AROUND, reopen="new_cycle")
    return judge(h.events, Agreement("a", 1, targets=[target]), h.at("2026-03-03 00:00"))["resolution"].cycles


def test_overruns_are_listed_in_order_and_with_whoever_approved(late):
    """When, of what, by whom, and whether the requester confirmed it; the reason stays in the event."""
    justify(late, "2026-03-02 15:30")
    justify(late, "2026-03-02 23:00", confirmation="m7")
    justify(late, "2026-03-02 23:30", confirmation="")
    timeline = trace(late.events)
    first, second, third = overruns(timeline, late.at("2026-03-03 00:00"))
    assert first == JustifiedOverrun("resolution", late.at("2026-03-02 15:30"), by="mona", event="e5")
    assert (first.confirmed, second.confirmed, second.confirmation) == (False, True, "m7")
    assert not third.confirmed
    assert "mona" not in repr(first)
    assert "tested" not in repr(timeline)
    assert overruns(timeline, late.at("2026-03-02 22:59")) == (first,)


def test_a_cycle_knows_that_its_breach_was_justified(late):
    """The newest breached cycle begun by then; the verdict stays."""
    justify(late, "2026-03-02 15:30")
    justify(late, "2026-03-02 23:00", confirmation="m7")
    assert [[one.event for one in cycle.justified] for cycle in clocks(late)] == [["e5"], ["e6"]]
    assert {cycle.verdict for cycle in clocks(late)} == {Verdict.BREACHED}


def test_a_cycle_that_begins_as_it_is_justified_is_meant(late):
    """The cycle before it ended earlier; a microsecond before, that one is the newest."""
    justify(late, "2026-03-02 15:59:59.999999")
    justify(late, "2026-03-02 16:00")
    assert [[one.event for one in cycle.justified] for cycle in clocks(late)] == [["e5"], ["e6"]]


def test_a_cycle_may_be_justified_twice(late):
    """First approved, later confirmed by the requester: both are kept."""
    justify(late, "2026-03-02 22:10")
    justify(late, "2026-03-02 23:00", confirmation="m7")
    assert [len(cycle.justified) for cycle in clocks(late)] == [0, 2]


@pytest.mark.parametrize("metric", ["response", "resolutoin", ""])
def test_another_metric_is_not_justified(late, metric):
    """A justification names what took longer."""
    justify(late, "2026-03-02 23:00", metric)
    assert [cycle.justified for cycle in clocks(late)] == [(), ()]


def test_what_was_in_time_needs_no_justification(history):
    """It is listed, for somebody said it, and no clock has it."""
    h = justify(history().opened("2026-03-02 09:00").resolved("2026-03-02 10:00"), "2026-03-02 11:00")
    assert [cycle.justified for cycle in clocks(h)] == [()]
    assert len(overruns(trace(h.events), h.at("2026-03-03 00:00"))) == 1


def test_claims_and_justifications_fold_one_by_one_and_are_stored(late):
    """Any split of a history gives the same timeline, which goes through JSON as it is."""
    stretch = {"since": "2026-03-02T10:00Z", "until": "2026-03-02T12:00:00.000001Z"}
    late.add(
        "exception_claimed", "2026-03-02 22:30", by=MONA, exception="storm", metric="resolution", **stretch
    )
    late.add("exception_claimed", "2026-03-02 22:40", by=MONA, exception="flood")
    justify(late, "2026-03-02 23:00", confirmation="m7")
    timeline = trace(late.events)
    known = None
    for event in late.events:
        known = extend(known, event)
    assert known == timeline == from_dict(type(timeline), to_dict(timeline))
    ten, noon = (int(late.at(f"2026-03-02 {t}").timestamp()) * 10**6 for t in ("10:00", "12:00"))
    storm, flood = timeline.claims
    assert (storm.exception, storm.metric, storm.since_us, storm.until_us) == (
        "storm",
        "resolution",
        ten,
        noon + 1,
    )
    assert (flood.metric, flood.since_us, flood.until_us, flood.event) == (None, None, None, "e6")
    cut = timeline.as_of(storm.us)
    assert (cut.claims, cut.justified) == ((storm,), ())
    assert timeline.as_of(storm.us - 1).claims == ()


def test_a_history_of_elsewhere_may_name_nothing(history):
    """Events that no command of ours made: a claim of nothing claims nothing; a wrong instant is refused."""
    h = history().opened("2026-03-02 09:00").add("exception_claimed", "2026-03-02 10:00")
    h.add("overrun_justified", "2026-03-02 10:00")
    timeline = trace(h.events)
    assert (timeline.claims[0].exception, timeline.justified[0].metric) == ("", "")
    with pytest.raises(ItsmError, match="since"):
        trace(h.add("exception_claimed", "2026-03-02 11:00", exception="a", since="noon").events)
