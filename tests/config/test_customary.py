"""The agreement to start from: the customary figures, said to be no more than that."""

import tomllib

import pytest

from itsm_core.business_time import BusinessCalendar, business_days, hours, minutes
from itsm_core.config import agreement_from_dict, agreement_from_toml, agreement_to_dict, customary_agreement
from itsm_core.errors import UnknownZone
from itsm_core.events import WaitsOn
from itsm_core.sla import WorkloadLimit, default_agreement

# Response, resolution and update as "reference/iso-20000.md" 5.2 lists them under "Ship"; the last update
# is "on change", which no clock measures.
# fmt: off
FIGURES = {
    "P1": (minutes(15),      hours(4),          minutes(30)),
    "P2": (minutes(30),      hours(8),          hours(2)),
    "P3": (hours(4),         business_days(3),  business_days(1)),
    "P4": (business_days(1), business_days(5),  business_days(2)),
    "P5": (business_days(2), business_days(10), None),
}
# fmt: on


@pytest.fixture
def agreement():
    """The agreement of the text."""
    return agreement_from_toml(customary_agreement())


@pytest.mark.parametrize("priority", FIGURES)
def test_the_figures_are_those_that_are_customary(agreement, priority):
    """For each priority, in this order: first answer, resolution, speaking again."""
    found = {target.metric: target for target in agreement.targets if target.priorities == {priority}}
    assert tuple(
        found[metric].duration if metric in found else None for metric in ("response", "resolution", "update")
    ) == FIGURES[priority]  # fmt: skip
    around = priority in {"P1", "P2"}
    office = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")
    assert {target.calendar for target in found.values()} == {
        BusinessCalendar.always("UTC") if around else office
    }
    waits = {metric: target.pauses_on for metric, target in found.items()}
    assert waits.pop("response") == frozenset()
    assert set(waits.values()) == {frozenset({WaitsOn.REQUESTER})}


def test_the_agreement_without_a_file_promises_the_same(agreement):
    """`default_agreement` has these targets, but for updates."""
    desk = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")
    assert default_agreement(desk).targets == tuple(t for t in agreement.targets if t.metric != "update")


def test_it_reads_back_without_change(agreement):
    """What is written of it is what the text says."""
    assert agreement_from_dict(agreement_to_dict(agreement)) == agreement
    held = tomllib.loads(customary_agreement())
    assert agreement_to_dict(agreement) == held


def test_its_comments_say_whose_figures_these_are():
    """Conventions; the standard asks in 8.3.3 for targets, workload limits and exceptions that are agreed."""
    comments = " ".join(
        line.partition("#")[2].strip() for line in customary_agreement().splitlines() if "#" in line
    )
    assert "conventions, not the standard's" in comments
    assert "ISO/IEC 20000-1:2018 sets no figures" in comments
    assert "8.3.3" in comments
    for asked in (
        "agree with the customer",
        "targets:",
        "workload limits:",
        "exceptions:",
        "planned intervals",
    ):
        assert asked in comments


def test_what_is_commented_out_can_be_put_in():
    """Each example in a comment is one that the reader takes."""
    text = customary_agreement()
    lines = [
        line
        for line in text.splitlines()
        if line.startswith("# ") and (" = " in line or line.startswith("# ["))
    ]
    assert len(lines) >= 5
    for line in lines:
        text = text.replace(line, line.removeprefix("# "))
    agreement = agreement_from_toml(text)
    assert agreement.customers == {"acme"}
    assert agreement.agreed_with == "acme"
    assert (agreement.kind, agreement.party, agreement.on_policy_change) == (
        "customer",
        "acme",
        "reassess_open",
    )
    assert agreement.workload == (WorkloadLimit("monthly", 400, per="month", processes="incident"),)
    (exception,) = agreement.exceptions
    assert (exception.id, exception.metrics, exception.claimed) == ("maintenance", ("resolution",), False)
    assert exception.times == BusinessCalendar.weekly("sun 03:00-04:00", zone="UTC")
    assert len(agreement.targets[-1].calendar.holidays) == 2


def test_its_calendars_are_in_the_zone_asked_for():
    """Both of them, and a zone that nobody knows is refused before it is written."""
    agreement = agreement_from_toml(customary_agreement("Asia/Shanghai"))
    assert {target.calendar.zone.key for target in agreement.targets} == {"Asia/Shanghai"}
    with pytest.raises(UnknownZone):
        customary_agreement('UTC"\nhours = "always')
