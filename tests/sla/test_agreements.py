"""Agreements: who is covered, which targets hold, the customary default."""

import datetime as dt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.business_time import BusinessCalendar, business_days, hours, minutes
from itsm_core.errors import InvalidValue
from itsm_core.events import WaitsOn
from itsm_core.priority import Priority
from itsm_core.records import fold
from itsm_core.sla import (
    Agreement,
    Condition,
    Metric,
    Target,
    WorkloadLimit,
    default_agreement,
    evaluate_all,
    judge,
    judged_by,
    opened_under,
    stretch,
    trace,
)


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


# --- with whom ----------------------------------------------------------------------------------


def a_target(office, id="fix", metric="resolution", **rest):
    return Target(id, metric, duration=hours(4), calendar=office, **rest)


def test_an_agreement_says_for_its_targets_with_whom_it_is(office):
    """Kind and party stand once, and clocks count what they count for that party."""
    made = Agreement("team", 1, targets=[a_target(office)], kind="internal", party="network")
    said = Agreement("team", 1, targets=[a_target(office, kind="internal", party="network")])
    assert made == said
    assert (said.kind, said.party) == ("internal", "network")
    assert made.targets[0].conditions == stretch(Condition(groups="network"))


@pytest.mark.parametrize(
    ("first", "second", "side"),
    [
        ({}, {}, ("customer", None)),
        ({"party": "acme"}, {"party": "acme"}, ("customer", "acme")),
        ({"party": "acme"}, {}, ("customer", None)),
        ({"kind": "supplier", "party": "a"}, {"kind": "supplier", "party": "b"}, ("supplier", None)),
        ({}, {"kind": "internal", "party": "a"}, (None, None)),
    ],
)
def test_left_out_it_is_what_all_targets_say(office, first, second, side):
    """Where they say several things, the agreement says none and they stay as they are."""
    targets = [a_target(office, "one", **first), a_target(office, "two", **second)]
    made = Agreement("a", 1, targets=targets)
    assert (made.kind, made.party) == side
    assert [(t.kind, t.party) for t in made.targets] == [(t.kind, t.party) for t in targets]
    assert attrs.evolve(made, version=2).targets[1].kind == targets[1].kind


@pytest.mark.parametrize(
    ("given", "target", "message"),
    [
        ({"kind": "customer"}, {"kind": "supplier"}, "^kind 'supplier': is that of target 'fix', and a@1 is agreed"),
        ({"kind": "internal"}, {"kind": "supplier"}, "with 'internal'; write an agreement for each side"),
        ({"party": "a"}, {"party": "b"}, "^party 'b': is that of target 'fix', and a@1 is agreed with 'a'"),
        ({"kind": "friend"}, {}, "^kind 'friend': is unknown; use one of customer, internal, supplier"),
        ({"kind": ["customer"]}, {}, "^kind .*is unknown"),
        ({"party": ""}, {}, "^party '': is no word; name the customer"),
        ({"party": 5}, {}, "^party 5: is no word"),
    ],
)  # fmt: skip
def test_a_target_of_another_side_is_refused(office, given, target, message):
    """An agreement is with one party; and it has to be one."""
    with pytest.raises(InvalidValue, match=message):
        Agreement("a", 1, targets=[a_target(office, **target)], **given)


def test_an_agreement_is_agreed_if_it_says_with_whom_and_when(agree):
    """Both, or reports say that it is not (8.3.3)."""
    day = {"agreed_on": dt.date(2026, 1, 1)}
    said = [agree(), agree(**day), agree(agreed_with="acme"), agree(agreed_with="acme", **day)]
    assert [one.agreed for one in said] == [False, False, False, True]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"workload": WorkloadLimit("m", 4, per="day")},
            "^workload .*is no list of WorkloadLimit; give a list",
        ),
        ({"workload": [400]}, "^workload 400: is no WorkloadLimit"),
        ({"workload": [WorkloadLimit("m", 4, per="day")] * 2}, r"names workload limits twice: \['m'\]"),
        ({"on_policy_change": "reassess"}, "^on_policy_change 'reassess': is unknown; use one of pin"),
        ({"on_policy_change": "reassess_open"}, "gold@3 does not say on which it begins; give valid_from$"),
    ],
)
def test_terms_that_cannot_be_are_refused(agree, wrong, message):
    """By name, with what would do."""
    with pytest.raises(InvalidValue, match=message):
        agree(**wrong)


# --- another version, and what becomes of open records --------------------------------------------

MARCH, APRIL = dt.date(2026, 3, 1), dt.date(2026, 4, 1)
SINCE_MARCH = {"valid_from": MARCH, "on_policy_change": "reassess_open"}
LATER = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def version(office, number, duration=4, **rest):
    target = Target("fix", "resolution", duration=hours(duration), calendar=office)
    return Agreement("gold", number, targets=[target], **rest)


def judge_of(h, *agreements, at=LATER, label=None):
    """The label of the agreement that judges a history at an instant."""
    found = judged_by(agreements, fold(h.events), trace(h.events), at, label=label)
    return None if found is None else found.label


def test_pinned_records_keep_the_version_they_were_opened_under(office, history):
    """Open or closed; the new version judges what is opened from its first day on."""
    versions = [version(office, 1, valid_to=MARCH), version(office, 2, valid_from=MARCH)]
    assert judge_of(history().opened("2026-02-02 09:00"), *versions) == "gold@1"
    assert judge_of(history().opened("2026-03-02 09:00"), *versions) == "gold@2"


def test_open_records_are_judged_by_a_version_that_reassesses_them(office, history):
    """From the first instant of its first day in its zone: midnight in Berlin is 23:00 UTC in winter."""
    versions = [version(office, 1, valid_to=MARCH), version(office, 2, 9, **SINCE_MARCH)]
    h = history().opened("2026-02-02 09:00").resolved("2026-02-03 09:00")
    night = dt.datetime(2026, 2, 28, 23, 0, tzinfo=dt.UTC)
    assert judge_of(h, *versions, at=night - dt.timedelta(microseconds=1)) == "gold@1"
    assert judge_of(h, *versions, at=night) == "gold@2"
    (one,) = evaluate_all([h.events], versions, LATER)
    assert (one.agreement, one.clocks["resolution"].target.agreement) == ("gold@2", "gold@2")
    assert one.clocks["resolution"].budget_us == hours(9).us


@pytest.mark.parametrize(
    ("closed", "label"),
    [("2026-02-28 22:59", "gold@1"), ("2026-02-28 23:00", "gold@1"), ("2026-02-28 23:01", "gold@2")],
)
def test_what_was_closed_by_then_stays_with_its_version_for_good(office, history, closed, label):
    """Even if it is reopened later; a closing at that very instant is by then, too."""
    versions = [version(office, 1, valid_to=MARCH), version(office, 2, 9, **SINCE_MARCH)]
    h = history().opened("2026-02-02 09:00").closed(closed)
    assert judge_of(h, *versions) == label
    assert judge_of(h.resumed("2026-03-05 09:00"), *versions) == label


def test_a_settled_cycle_of_a_record_at_work_again_keeps_it_where_it_is(office, history):
    """Closed and reopened before the new version began: its first cycle was settled by the old one."""
    versions = [version(office, 1, valid_to=MARCH), version(office, 2, 9, **SINCE_MARCH)]
    h = history().opened("2026-02-02 09:00").closed("2026-02-03 09:00").resumed("2026-02-04 09:00")
    assert judge_of(h, *versions) == "gold@1"


@pytest.mark.parametrize(
    ("more", "label"),
    [
        ({"customers": "acme"}, "gold@2"),
        ({"customers": "beta"}, "gold@1"),
        ({"services": "web"}, "gold@1"),
        ({"processes": "task"}, "gold@1"),
    ],
)
def test_only_records_that_it_means_are_taken_over(office, history, more, label):
    """A version for other customers, services or processes leaves them alone."""
    versions = [version(office, 1, valid_to=MARCH), version(office, 2, **SINCE_MARCH, **more)]
    assert judge_of(history().opened("2026-02-02 09:00", customer="acme"), *versions) == label


def test_only_later_versions_of_the_same_agreement_take_over(office, history):
    """Neither another agreement nor an earlier version, whenever that one begins."""
    h = history().opened("2026-02-02 09:00")
    other = Agreement("silver", 9, targets=version(office, 1).targets, **SINCE_MARCH)
    assert (
        judge_of(h, version(office, 2, valid_to=MARCH), version(office, 1, **SINCE_MARCH), other) == "gold@2"
    )
    assert judge_of(h, version(office, 2, **SINCE_MARCH), other) is None, "nothing covers its opening"


@pytest.mark.parametrize(("micro", "label"), [(-1, "gold@2"), (0, "gold@1"), (1, "gold@1")])
def test_a_record_opened_as_the_version_begins_is_not_taken_over(office, history, micro, label):
    """It was not open before; where days overlap, the first agreement that covers it judges it."""
    begins = dt.datetime(2026, 2, 28, 23, tzinfo=dt.UTC)
    h = history().opened(begins + dt.timedelta(microseconds=micro))
    assert judge_of(h, version(office, 1), version(office, 2, **SINCE_MARCH)) == label


def test_versions_take_over_one_after_the_other(office, history):
    """A record that is open at both beginnings is judged by the last; one closed between, by the first."""
    april = {"valid_from": APRIL, "on_policy_change": "reassess_open"}
    versions = [
        version(office, 1, valid_to=MARCH),
        version(office, 2, valid_to=APRIL, **SINCE_MARCH),
        version(office, 3, **april),
    ]
    assert judge_of(history().opened("2026-02-02 09:00"), *versions) == "gold@3"
    closed = history().opened("2026-02-02 09:00").closed("2026-03-05 09:00").resumed("2026-05-05 09:00")
    assert judge_of(closed, *versions) == "gold@2"
    early = history().opened("2026-02-02 09:00").closed("2026-02-05 09:00").resumed("2026-02-06 09:00")
    assert judge_of(early, *versions) == "gold@1"
    pinned = [versions[0], attrs.evolve(versions[1], on_policy_change="pin"), versions[2]]
    assert judge_of(closed, *pinned) == "gold@1"
    assert judge_of(history().opened("2026-02-02 09:00"), *pinned) == "gold@3"


def test_the_label_of_the_opening_comes_before_what_covers_it(office, history):
    """A desk writes it down; an agreement that is gone is as if it had not."""
    versions = [version(office, 1, valid_to=MARCH), version(office, 2, valid_to=MARCH)]
    h = history().opened("2026-02-02 09:00")
    assert judge_of(h, *versions) == "gold@1"
    assert judge_of(h, *versions, label="gold@2") == "gold@2"
    assert judge_of(h, *versions, label="gold@7") == "gold@1"
    assert opened_under(versions, fold(history().opened("2026-03-02 09:00").events)) is None


def test_without_an_instant_of_its_opening_nothing_is_taken_over(office, history):
    """A record from elsewhere of which nobody knows since when it is open."""
    h = history().opened("2026-02-02 09:00")
    unknown = attrs.evolve(fold(h.events), opened_at=None)
    assert not version(office, 2, **SINCE_MARCH).takes_over(unknown, trace(h.events))
    assert version(office, 2, **SINCE_MARCH).loads(unknown, trace(h.events)) == ()


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("Asia/Shanghai", (2026, 3, 1), "2026-02-28T16:00"),
        ("Africa/Cairo", (2023, 4, 28), "2023-04-27T22:00"),  # 00:00 is skipped: the day begins at 01:00
        ("America/Havana", (2026, 11, 1), "2026-11-01T04:00"),  # 00:00 comes twice
    ],
)
def test_an_agreement_begins_with_the_first_instant_of_its_day(zone, day, begins):
    """Whatever the clocks of its zone do at midnight (tz database)."""
    made = version(BusinessCalendar.always(zone), 1, valid_from=dt.date(*day))
    expected = dt.datetime.fromisoformat(begins).replace(tzinfo=dt.UTC)
    assert made.begins_us == (expected - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(
        microseconds=1
    )
    assert version(BusinessCalendar.always(zone), 1).begins_us is None


@pytest.mark.parametrize("day", [dt.date.min, dt.date.max])
@pytest.mark.parametrize("zone", ["Asia/Shanghai", "UTC", "America/Lima"])
def test_a_day_at_either_end_of_the_calendar_takes_nothing_over(history, zone, day):
    """As people write "always" and "not yet": nothing was open before the one, nothing comes after the other."""
    calendar = BusinessCalendar.always(zone)
    far = version(calendar, 2, valid_from=day, on_policy_change="reassess_open")
    assert judge_of(history().opened("2026-03-02 09:00"), version(calendar, 1), far) == "gold@1"


PHASES = st.sampled_from(["active", "waiting", "resolved", "closed"])
MOVES = st.lists(st.tuples(st.integers(1, 90), PHASES), max_size=5).map(sorted)


def moved(history, moves):
    """Opened on 1 February; each move so many days later."""
    start = dt.datetime(2026, 2, 1, 9, tzinfo=dt.UTC)
    h = history().opened(start)
    for day, phase in moves:
        h.moved(start + dt.timedelta(days=day), phase, **({"outcome": "closed"} if phase == "closed" else {}))
    return h


@pytest.mark.law
@given(MOVES, st.integers(0, 100), st.sampled_from(["pin", "reassess_open"]))
def test_settled_clocks_do_not_change_when_a_version_is_added(office, history, moves, day, mode):
    """Whatever had been closed when it began: its verdicts and times are as they were."""
    begins = dt.date(2026, 2, 1) + dt.timedelta(days=day)
    old = version(office, 1)
    new = version(office, 2, 9, valid_from=begins, on_policy_change=mode)
    h = moved(history, moves)
    before = [one for one in moves if one[1] == "closed" and one[0] < day]
    (was,) = evaluate_all([h.events], old, LATER)
    (now,) = evaluate_all([h.events], [old, new], LATER)
    if before or mode == "pin":
        assert now == was
    known = {"known_at": dt.datetime.combine(begins, dt.time(), tzinfo=dt.UTC) - dt.timedelta(days=1)}
    for one, other in zip(
        *(evaluate_all([h.events], held, LATER, **known) for held in (old, [old, new])), strict=True
    ):
        settled = [clock for clock in one.clocks.values() if clock.settled]
        assert not settled or [clock for clock in other.clocks.values() if clock.settled] == settled


@pytest.mark.law
@given(MOVES, st.permutations([0, 1, 2, 3]), st.integers(0, 120), st.integers(0, 3))
def test_the_order_of_versions_whose_days_do_not_overlap_is_irrelevant(
    office, history, moves, order, day, modes
):
    """Which one judges a record is a matter of days and numbers."""
    mode = [("pin", "reassess_open")[modes >> bit & 1] for bit in (0, 1)]
    versions = [
        version(office, 1, valid_to=MARCH),
        version(office, 2, valid_from=MARCH, valid_to=APRIL, on_policy_change=mode[0]),
        version(office, 3, valid_from=APRIL, on_policy_change=mode[1]),
        Agreement("silver", 4, targets=version(office, 1).targets, customers="nobody", **SINCE_MARCH),
    ]
    h, at = moved(history, moves), dt.datetime(2026, 2, 1, 10, tzinfo=dt.UTC) + dt.timedelta(days=day)
    mixed = [versions[place] for place in order]
    assert judge_of(h, *mixed, at=at) == judge_of(h, *versions, at=at)
