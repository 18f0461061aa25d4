"""What a record would be promised is what its clocks say once it is opened."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import itsm_core.stores
from itsm_core import Actor, ServiceDesk
from itsm_core.business_time import BusinessCalendar
from itsm_core.errors import InvalidValue
from itsm_core.priority import matrix_3x3_p4
from itsm_core.processes import INCIDENT
from itsm_core.sla import Agreement, ClockState, Condition, Measure, Target, default_agreement, preview

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/Berlin", name="office", version=2)
DEFAULT = default_agreement(OFFICE)
MONDAY = dt.datetime(2026, 3, 2, 9, tzinfo=BERLIN)
BOB = Actor.person("bob")


def agreement(*targets, id="acme", **more):
    """An agreement with these targets."""
    return Agreement(id, 1, targets=targets, **more)


def target(id, metric="resolution", duration="8h", **more):
    """A target in office hours."""
    return Target(id, metric, **{"duration": duration, "calendar": OFFICE, **more})


# impact, urgency, matrix's priority, response due, resolution due; opened on Monday 2 March 2026 at 09:00, by the
# table of `default_agreement` (iso-20000.md 5.2) and matrix_3x3_p5
GOLDEN = [
    ("high", "high", "P1", "2026-03-02T09:15:00+01:00", "2026-03-02T13:00:00+01:00"),
    ("high", "medium", "P2", "2026-03-02T09:30:00+01:00", "2026-03-02T17:00:00+01:00"),
    ("medium", "medium", "P3", "2026-03-02T13:00:00+01:00", "2026-03-05T09:00:00+01:00"),
    ("low", "medium", "P4", "2026-03-03T09:00:00+01:00", "2026-03-09T09:00:00+01:00"),
    ("low", "low", "P5", "2026-03-04T09:00:00+01:00", "2026-03-16T09:00:00+01:00"),
]


@pytest.mark.parametrize(("impact", "urgency", "priority", "response", "resolution"), GOLDEN)
def test_impact_and_urgency_lead_to_the_instants(impact, urgency, priority, response, resolution):
    """The priority is the matrix's, and each target counts on its own calendar."""
    found = preview(DEFAULT, {"impact": impact, "urgency": urgency}, MONDAY)
    assert (found.agreement, found.priority, found.covered) == ("default@1", priority, True)
    assert found.due_at("response").isoformat() == response
    assert found.due_at("resolution").isoformat() == resolution


def test_another_matrix_gives_another_promise():
    """Low and low is P5 in one matrix and P4 in the other."""
    asked = {"impact": "low", "urgency": "low"}
    assert preview(DEFAULT, asked, MONDAY, matrix=matrix_3x3_p4).priority == "P4"


@given(
    impact=st.sampled_from(["high", "medium", "low"]), urgency=st.sampled_from(["high", "medium", "low"]),
    minutes=st.integers(0, 20_000), channel=st.sampled_from([None, "phone", "email", "chat"]),
)  # fmt: skip
def test_the_desk_promises_what_was_foreseen(impact, urgency, minutes, channel):
    """The same fields opened at the same instant give clocks with the same targets and due instants."""
    at = MONDAY + dt.timedelta(minutes=minutes)
    fields = {"impact": impact, "urgency": urgency}
    desk = ServiceDesk(itsm_core.stores.open("memory://"), agreement=DEFAULT)
    record = desk.open("Mail is down", actor=BOB, at=at, fields=fields, channel=channel)
    asked = fields if channel is None else {**fields, "channel": channel}
    foreseen = preview(DEFAULT, asked, at, actor=BOB)
    clocks = desk.clocks(record.id, at=at)
    told = {one.metric: (one.target, one.state) for one in foreseen.promises}
    assert told == {metric: (clock.target.id, clock.state) for metric, clock in clocks.items()}
    for metric, clock in clocks.items():
        assert foreseen.due_at(metric) == (clock.due_at if clock.state is ClockState.RUNNING else None)


def test_the_first_agreement_that_covers_it_counts():
    """As with the desk: in the order in which they are given, on the day of the opening."""
    mail = agreement(target("mail"), id="mail", services="mail")
    old = agreement(target("old"), id="old", valid_to=dt.date(2026, 3, 2))
    rest = agreement(target("rest"), id="rest", processes="incident")
    given_ = [mail, old, rest]
    assert preview(given_, {"service": "mail"}, MONDAY).agreement == "mail@1"
    assert preview(given_, {"service": "web"}, MONDAY).agreement == "rest@1"
    assert (
        preview(given_, {"service": "web"}, MONDAY - dt.timedelta(hours=9, microseconds=1)).agreement
        == "old@1"
    )
    assert preview(given_, {}, MONDAY, process="problem").agreement is None


def test_what_nothing_covers_is_told_plainly():
    """No agreement at all, and one without a target, are two things."""
    nothing = preview([], {"priority": "P1"}, MONDAY)
    assert (nothing.covered, nothing.promises, nothing.due_at("response")) == (False, (), None)
    assert str(nothing) == "No agreement covers it, so nothing is promised."
    assert nothing.text("zh") == "没有协议适用，因此不作任何承诺。"
    assert nothing.to_dict() == {
        "agreement": None, "priority": "P1", "at": "2026-03-02T08:00:00+00:00", "promises": [],
    }  # fmt: skip
    some = agreement(target("fix", priorities="P1"))
    assert str(preview(some, {}, MONDAY)) == (
        "acme@1 covers it and has no target for a record without a priority, so nothing is promised."
    )
    assert (
        preview(some, {"priority": "P3"}, MONDAY).text("zh")
        == "acme@1 适用，但没有针对P3的目标，因此不作任何承诺。"
    )


def test_a_record_of_ones_own_table_is_taken_as_it_is():
    """Its opening is the instant asked for, whatever it says of one."""
    row = INCIDENT.record("4711", priority="P3", opened_at=MONDAY - dt.timedelta(days=9))
    found = preview(DEFAULT, row, MONDAY)
    assert found.due_at("response") == dt.datetime(2026, 3, 2, 13, tzinfo=BERLIN)


def test_each_state_of_a_clock_at_the_opening_is_told():
    """Running, not yet started, paused, met and void, and never due."""
    fair = BusinessCalendar.weekly(
        "daily 09:00-17:00", zone="Europe/Berlin", valid_to="2026-03-02", name="fair"
    )
    all_ = agreement(
        target("r", "response", "4h"),
        target("f"),
        target("u", "update", "9h", calendar=fair),
        target("w", "work", measure=Measure(start=Condition(phases="active"))),
        target("h", "hold", measure=Measure(start=Condition(), pause=Condition(states="new"))),
        target("v", "gone", measure=Measure(start=Condition(), void=Condition(states="new"))),
    )
    found = preview(all_, {"channel": "phone", "group": "first"}, MONDAY)
    assert [(one.metric, one.state.value) for one in found.promises] == [
        ("response", "stopped"), ("resolution", "running"), ("update", "running"), ("work", "not_started"),
        ("hold", "paused"), ("gone", "void"),
    ]  # fmt: skip
    assert found.text().splitlines() == [
        "acme@1 promises for a record without a priority, opened 2026-03-02 09:00 +0100:",
        "response within 4h: met by the opening itself (office@2, Europe/Berlin)",
        "resolution within 8h: due 2026-03-02 17:00 +0100 (office@2, Europe/Berlin)",
        "update within 9h: never due, as the calendar does not open for long enough (fair@1, Europe/Berlin)",
        "work within 8h: counted from when it starts (office@2, Europe/Berlin)",
        "hold within 8h: paused from the opening on (office@2, Europe/Berlin)",
        "gone within 8h: falls away at the opening (office@2, Europe/Berlin)",
    ]
    assert "未定优先级的记录" in found.text("zh")
    assert [one["due"] for one in found.to_dict()["promises"]] == [
        None,
        "2026-03-02T17:00:00+01:00",
        *[None] * 4,
    ]


def test_a_record_on_hold_is_paused_from_the_opening_on():
    """What it waits for is known before it is opened."""
    row = INCIDENT.record("4711", "on_hold", hold_reason="requester", priority="P3")
    state = {one.metric: one.state for one in preview(DEFAULT, row, MONDAY).promises}
    assert state == {"response": ClockState.RUNNING, "resolution": ClockState.PAUSED}


def test_who_opens_it_counts():
    """A call by phone is answered at once for a person, and for monitoring there is nobody to answer."""
    asked = {"priority": "P3", "channel": "phone"}
    answered = preview(DEFAULT, asked, MONDAY).promises[0]
    monitored = preview(DEFAULT, asked, MONDAY, actor=Actor.monitoring("zabbix")).promises[0]
    assert (answered.state, monitored.state) == (ClockState.STOPPED, ClockState.RUNNING)


def test_it_is_told_in_both_languages_as_data_and_as_a_table():
    """With the words of explanations; an instant that is no whole minute is told as fine as it is."""
    found = preview(DEFAULT, {"priority": "P3"}, MONDAY + dt.timedelta(seconds=30))
    assert (
        found.text()
        == str(found)
        == (
            "default@1 promises for P3, opened 2026-03-02 09:00:30 +0100:\n"
            "response within 4h: due 2026-03-02 13:00:30 +0100 (office@2, Europe/Berlin)\n"
            "resolution within 3 business days: due 2026-03-05 09:00:30 +0100 (office@2, Europe/Berlin)"
        )
    )
    assert found.text("zh") == (
        "default@1 对P3的承诺，开单于 2026-03-02 09:00:30 +0100：\n"
        "响应时限4小时：到期 2026-03-02 13:00:30 +0100（office@2，Europe/Berlin）\n"
        "解决时限3个工作日：到期 2026-03-05 09:00:30 +0100（office@2，Europe/Berlin）"
    )
    assert found.to_dict()["promises"][0] == {
        "metric": "response", "target": "p3-response", "promised": "4h", "calendar": "office@2",
        "zone": "Europe/Berlin", "state": "running", "due": "2026-03-02T13:00:30+01:00",
    }  # fmt: skip
    shown = found._repr_html_()
    assert shown.count("<tr>") == 3
    assert "due 2026-03-02 13:00:30 +0100" in shown


def test_hostile_names_are_escaped():
    """An id of markup stays text."""
    evil = agreement(target("<script>"), id="<b>")
    assert "<script>" not in preview(evil, {}, MONDAY)._repr_html_()


@pytest.mark.parametrize(
    ("arguments", "more"),
    [
        (("acme", {}, MONDAY), {}),
        ((DEFAULT, "P1", MONDAY), {}),
        ((DEFAULT, {"priority": "P9"}, MONDAY), {}),
        ((DEFAULT, {"impact": "high", "urgency": "high", "priority": "P5"}, MONDAY), {}),
        ((DEFAULT, {}, dt.datetime(2026, 3, 2)), {}),
        ((DEFAULT, {}, MONDAY), {"process": ""}),
        ((DEFAULT, {}, MONDAY), {"matrix": "p5"}),
        ((DEFAULT, {}, MONDAY), {"actor": "bob"}),
    ],
)
def test_what_cannot_be_foreseen_is_refused(arguments, more):
    """As the desk would refuse it: a priority that is not the matrix's needs a reason."""
    with pytest.raises(InvalidValue):
        preview(*arguments, **more)


def test_an_unknown_language_is_refused():
    """With those that are spoken."""
    with pytest.raises(InvalidValue, match="'en', 'zh'"):
        preview(DEFAULT, {}, MONDAY).text("fr")
