"""Agreements: who is covered, which targets hold, the customary default."""

import datetime as dt

import attrs
import pytest

from itsm_core.business_time import BusinessCalendar, business_days, hours, minutes
from itsm_core.errors import InvalidValue
from itsm_core.events import WaitsOn
from itsm_core.priority import Priority
from itsm_core.records import fold
from itsm_core.sla import Agreement, Metric, Target, default_agreement, judge


@pytest.fixture
def agree(office):
    """`agree(**rest)`: an agreement with one resolution target."""
    target = Target("fix", "resolution", duration=hours(4), calendar=office)
    return lambda **rest: Agreement(**{"id": "gold", "version": 3, "targets": [target], **rest})


def record(history, **fields):
    return fold(history("Europe/Berlin").opened("2026-03-02 00:30", **fields).events)


def test_targets_name_the_agreement_and_version_they_belong_to(agree):
    """What a clock was judged by is on the target itself."""
    assert [t.agreement for t in agree().targets] == ["gold@3"]
    assert attrs.evolve(agree(), version=4).targets[0].agreement == "gold@4"


def test_an_agreement_that_cannot_be_is_refused(agree):
    """No id, a version that does not count, no targets, the same id twice, an end before the beginning."""
    targets = agree().targets
    for wrong, message in (
        ({"id": ""}, "has no id"), ({"version": 0}, "is no version"), ({"version": "3"}, "is no version"),
        ({"targets": []}, "has no targets"), ({"targets": targets * 2}, "twice"),
        ({"valid_from": dt.date(2026, 3, 2), "valid_to": dt.date(2026, 3, 2)}, "ends before it begins"),
    ):  # fmt: skip
        with pytest.raises(InvalidValue, match=message):
            agree(**wrong)


def test_selectors_say_whom_it_covers(agree, history):
    """Empty covers all; a named customer, service or process covers only that one."""
    one = record(history, customer="acme", service="mail")
    assert agree().covers(one)
    assert agree(customers="acme", services=["mail", "web"], processes={"incident"}).covers(one)
    for other in ({"customers": "emca"}, {"services": "web"}, {"processes": "change"}):
        assert agree(**other).targets_for(one) == ()


@pytest.mark.parametrize(
    ("first", "end", "covered"),
    [
        (None, None, True),
        (2, None, True),
        (3, None, False),
        (None, 2, False),
        (None, 3, True),
        (2, 3, True),
        (1, 2, False),
    ],
)
def test_validity_is_by_the_local_date_of_the_opening(agree, history, first, end, covered):
    """00:30 in Berlin on 2 March lies on 1 March in UTC; the zone of the calendar decides."""
    days = {name: n and dt.date(2026, 3, n) for name, n in (("valid_from", first), ("valid_to", end))}
    assert agree(**days).covers(record(history)) is covered


def test_the_first_fitting_target_of_each_metric_holds(history, office):
    """Order in the agreement decides; a record without priority meets only targets for all."""
    make = lambda name, metric, n, *p: Target(name, metric, duration=hours(n), calendar=office, priorities=p)  # noqa: E731
    targets = (
        make("a", "resolution", 1, "P1"),
        make("b", "resolution", 2),
        make("c", "response", 1, "P3"),
        make("d", "resolution", 3, "P1"),
    )
    agreement = Agreement("x", 1, targets=targets)
    for priority, ids in (("P1", ["a"]), ("P3", ["c", "b"]), (None, ["b"])):
        assert [t.id for t in agreement.targets_for(record(history, priority=priority))] == ids


def test_a_running_metric_follows_the_present_priority(history, office):
    """What has not stopped is judged by the priority of now."""
    h = (
        history("Europe/Berlin")
        .opened("2026-03-02 09:00")
        .add("reprioritised", "2026-03-02 10:00", priority="P1")
    )
    now, agreement = fold(h.events), default_agreement(office)
    clocks = judge(h.events, agreement, h.at("2026-03-02 10:30")).values()
    assert agreement.targets_for(now) == tuple(clock.target for clock in clocks)
    assert [t.id for t in agreement.targets_for(now)] == ["p1-response", "p1-resolution"]


def test_the_default_is_the_customary_table(office):
    """Ten targets; P1 and P2 around the clock in the calendar's zone, the others in its hours."""
    agreement = default_agreement(office)
    table = {(t.metric, p): (t.duration, t.calendar) for t in agreement.targets for p in t.priorities}
    around = BusinessCalendar.always("Europe/Berlin")
    bd = business_days
    response = [
        (minutes(15), around),
        (minutes(30), around),
        (hours(4), office),
        (bd(1), office),
        (bd(2), office),
    ]
    resolution = [(hours(4), around), (hours(8), around), (bd(3), office), (bd(5), office), (bd(10), office)]
    assert [table[Metric.RESPONSE, p] for p in Priority] == response
    assert [table[Metric.RESOLUTION, p] for p in Priority] == resolution
    assert {t.pauses_on for t in agreement.targets} == {frozenset(), frozenset({WaitsOn.REQUESTER})}
    assert "convention" in agreement.name


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"targets": ["fix"]}, r"^targets 'fix': is no Target; give a list: \[Target\("),
        ({"targets": None}, "^targets None: is no list of Target"),
        ({"targets": "fix"}, "^targets 'fix': is no list of Target"),
        ({"id": 5}, "^agreement 5: is no text"),
        ({"customers": 5}, "^covered 5: is no word; name ids"),
        ({"services": [["mail"]]}, r"^covered \['mail'\]: is no word"),
        ({"valid_from": "2026-03-02"}, r"^valid_from '2026-03-02': is no date; write dt.date\("),
        ({"valid_to": dt.datetime(2026, 3, 2, tzinfo=dt.UTC)}, "^valid_to .*: is no date"),
    ],
)
def test_a_part_of_another_type_is_refused_by_name(agree, wrong, message):
    """What was given, why it does not do, and what would."""
    with pytest.raises(InvalidValue, match=message):
        agree(**wrong)


def test_one_target_alone_is_no_list(agree):
    """Nor is it taken for one."""
    (target,) = agree().targets
    with pytest.raises(InvalidValue, match=r"^targets <target fix: .*>: is no list of Target"):
        agree(targets=target)


@pytest.mark.parametrize("calendar", ["mon-fri", None, 5])
def test_the_customary_targets_take_a_calendar(calendar):
    """Its text alone has no zone."""
    with pytest.raises(InvalidValue, match=r"is no BusinessCalendar; make one: BusinessCalendar.weekly\("):
        default_agreement(calendar)


def test_an_agreement_shows_itself_in_one_line(agree):
    """Id, version, and how much it promises."""
    assert repr(agree()) == "<agreement gold@3: 1 target>"
    customary = default_agreement(BusinessCalendar.always("UTC"))
    assert repr(customary) == f"<agreement default@1: {len(customary.targets)} targets>"


def test_the_days_of_an_agreement_are_those_of_its_first_target(history):
    """One agreement begins and ends at one midnight, whatever the calendars of its targets."""
    first = Target("fix", "resolution", duration=hours(4), calendar=BusinessCalendar.always("Asia/Tokyo"))
    second = Target("say", "response", duration=hours(4), calendar=BusinessCalendar.always("America/Lima"))
    late = fold(history("UTC").opened("2026-03-01 16:00").events)  # 2 March in Tokyo, 1 March in Lima
    march = {"valid_from": dt.date(2026, 3, 2)}
    assert Agreement("a", 1, targets=[first, second], **march).covers(late)
    assert not Agreement("a", 1, targets=[second, first], **march).covers(late)
