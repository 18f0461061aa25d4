"""Previews: who is told what, when and why, and that the engine does just that."""

import datetime as dt
import xml.etree.ElementTree as ET

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalated import T0, TARGET, Desk, opened
from itsm_core import INCIDENT, Actor, BusinessCalendar, ServiceDesk, default_agreement, fold, stores
from itsm_core.errors import InvalidValue
from itsm_core.escalation import (
    Branch,
    Condition,
    EscalationPolicy,
    EscalationStep,
    NotFired,
    Repeat,
    Trigger,
    as_named,
    draw,
    foresee,
    preview,
)
from itsm_core.priority import PriorityMatrix, matrix_3x3_p5
from itsm_core.sla import Metric, conclude, trace

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
DESK = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/London", name="desk")
PAGE = EscalationStep("page", trigger=Trigger.unacknowledged("0m wall"), to="on_call:network", channel="sms")
POLICY = EscalationPolicy(
    "line",
    2,
    steps=[
        PAGE,
        EscalationStep("lead", after="15m wall", to="role:lead"),
        EscalationStep("raise", after="5m wall", sets={"priority": "P2"}),
        EscalationStep("fork", after="1m wall", branches=[Branch(Condition(priorities="P2"), "move")]),
        EscalationStep("never", after="1m wall", to="x"),
        EscalationStep("move", after="5m wall", group="second-line"),
        EscalationStep("major", after="5m wall", declares_major=True),
        EscalationStep("again", after="30m wall", repeat=Repeat("page", 1)),
        EscalationStep("half", "50 %", to="manager"),
    ],
    last_resort="duty",
    calendar=DESK,
)


def nobody_on_call(name, *_):
    return () if name.startswith("on_call:") else (name,)


def foreseen(policy, resolver=nobody_on_call, length=3 * HOUR, **options):
    """The preview of an incident opened at nine with a target of four hours."""
    events = opened(T0)

    def clocks(at):
        return {"resolution": conclude(trace(events), TARGET, at)}

    return preview(policy, fold(events), clocks, T0, length, resolver, **options)


def test_the_timeline_by_hand():
    """Nobody is on call, so the lead is told at once; the priority falls and the fork follows it; half at 11:00."""
    told = foreseen(POLICY)
    minutes = lambda row: (row.at - T0) // MINUTE  # noqa: E731
    assert [(minutes(row), row.step, row.who, row.channel, row.skipped) for row in told.rows] == [
        (0, "page", "on_call:network", "-", "empty"),
        (0, "lead", "role:lead", "console", None),
        (5, "raise", "set priority = P2", "-", None),
        (6, "fork", "go on at move", "-", None),
        (11, "move", "work to second-line", "-", None),
        (16, "major", "declare a major incident", "-", None),
        (46, "again", "go on at page", "-", None),
        (46, "page", "on_call:network", "-", "empty"),
        (46, "lead", "role:lead", "console", None),
        (51, "raise", "set priority = P2", "-", None),
        (52, "fork", "go on at move", "-", None),
        (57, "move", "work to second-line", "-", None),
        (62, "major", "declare a major incident", "-", None),
        (92, "again", "go on at page", "-", "skipped"),
        (120, "half", "manager", "console", None),
    ]
    assert (told.policy, told.priority, told.zone, told.start, told.end) == (
        "line@2", "P1", "Europe/London", T0, T0 + 3 * HOUR,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lang", "lines"),
    [
        (
            "en",
            """\
line@2: P1, 2024-01-08 09:00 Europe/London
after  at                step  who              channel  why
+0:00  2024-01-08 09:00  page  on_call:network  -        nobody answers (not acknowledged yet)
+0:00  2024-01-08 09:00  lead  role:lead        console  not acknowledged; 15m since the step before""",
        ),
        (
            "zh",
            """\
line@2: P1, 2024-01-08 09:00 Europe/London
经过   时间              步骤  通知对象         渠道     原因
+0:00  2024-01-08 09:00  page  on_call:network  -        无人应答 (尚无人确认)
+0:00  2024-01-08 09:00  lead  role:lead        console  尚未确认；距上一步已过 15m""",
        ),
    ],
)
def test_a_preview_as_text(lang, lines):
    """Aligned, in English and Chinese, on the clocks of the policy's calendar."""
    told = foreseen(POLICY, length=MINUTE, lang=lang)
    assert told.text(lang) == lines
    assert ("en" in lang) is (str(told) == lines)


def test_a_preview_as_a_table_and_as_data():
    """Notebooks show the table; programs read the same rows."""
    told = foreseen(POLICY, length=MINUTE)
    assert "<td" in told._repr_html_()
    assert "nobody answers" in told._repr_html_()
    data = told.to_dict()
    assert data["rows"][0] == {
        "at": "2024-01-08T09:00:00+00:00", "step": "page", "kind": "hierarchic", "who": "on_call:network",
        "channel": "-", "why": "not acknowledged yet", "skipped": "empty",
        "key": "I-1:line.2/0/0/page/nobody/sms",
    }  # fmt: skip
    assert (data["policy"], data["priority"], len(data["rows"])) == ("line@2", "P1", 2)


def test_work_for_a_person_is_shown_with_who_it_is():
    """With the group beside it; what is passed over names whom it would have asked."""
    take = {"assignee": "on_call:net"}
    policy = EscalationPolicy("line", 1, steps=[
        EscalationStep("one", trigger=Trigger.unacknowledged("5m wall"), **take),
        EscalationStep("two", after="5m wall", **take, group="net"),
        EscalationStep("three", after="5m wall", assignee="role:none"),
        EscalationStep("four", after="5m wall", **take, group="net", when=Condition(priorities="P4")),
    ])  # fmt: skip
    people = {"on_call:net": ("zoe", "bo")}

    def resolver(name, *_):
        return people.get(name, ())

    assert [(row.who, row.skipped) for row in foreseen(policy, resolver).rows] == [
        ("work to zoe", None), ("work to zoe (net)", None), ("work to role:none", "empty"),
        ("work to on_call:net (net)", "condition"),
    ]  # fmt: skip
    assert foreseen(policy, resolver, lang="zh").rows[1].who == "转派至 zoe (net)"


def test_what_is_passed_over_says_what_it_would_have_done():
    """Work, fields, a declaration, a fork and people, each under a condition that does not hold."""
    when = {"when": Condition(priorities="P5"), "after": "1m wall"}
    steps = [
        EscalationStep("move", group="network", **when), EscalationStep("set", sets={"a": 1, "b": 2}, **when),
        EscalationStep("major", declares_major=True, **when), EscalationStep("tell", to=("x", "y"), **when),
        EscalationStep("fork", branches=[Branch(Condition(priorities="P5"), "end")], after="1m wall"),
    ]  # fmt: skip
    told = foreseen(EscalationPolicy("p", 1, steps=[PAGE, *steps], last_resort="duty"))
    assert [row.who for row in told.rows][1:] == [
        "work to network", "set a = 1, b = 2", "declare a major incident", "x, y", "go on at end",
    ]  # fmt: skip
    assert {row.skipped for row in told.rows[1:]} == {"condition"}


def test_a_language_that_is_not_spoken_is_refused():
    """With those that are."""
    with pytest.raises(InvalidValue, match="use one of"):
        foreseen(POLICY).text("tlh")


def test_what_is_coalesced_names_who_is_not_told():
    """Asked about a record that is late already: the lead hears of three quarters alone."""
    policy = EscalationPolicy(
        "p", 1, steps=[EscalationStep("half", "50 %", to="lead"), EscalationStep("most", "75 %", to="lead")]
    )
    events = opened(T0)

    def clocks(at):
        return {Metric.RESOLUTION: conclude(trace(events), TARGET, at)}

    told = preview(policy, fold(events), clocks, T0 + 9 * HOUR, HOUR)
    assert [(row.step, row.who, row.skipped) for row in told.rows] == [
        ("half", "lead", "coalesced"), ("most", "lead", None),
    ]  # fmt: skip
    assert told.zone == "UTC"


def test_a_record_whose_snooze_ends_is_foreseen():
    """The end of the snooze is a line of its own, told by no step."""
    desk = Desk(EscalationPolicy("p", 1, steps=[PAGE]))
    desk.heard("snoozed", T0 + MINUTE, until=T0 + HOUR)
    told = preview(desk.policy, fold(desk.events), lambda _: {}, T0 + 2 * MINUTE, 2 * HOUR, calendar=DESK)
    assert [(row.step, row.who, row.why) for row in told.rows] == [
        ("-", "-", "the snooze is over"), ("page", "on_call:network", "not acknowledged yet"),
    ]  # fmt: skip


RAISED = EscalationPolicy("line", 1, last_resort="duty", steps=[
    EscalationStep("raise", trigger=Trigger.unacknowledged("60m wall"), sets={"urgency": "high"}),
    EscalationStep("half", "50 %", to="lead"),
    EscalationStep("most", "90 %", to="boss"),
    EscalationStep("is-p1", trigger=Trigger.priority_changed("P1"), to="p1"),
    EscalationStep("is-p2", trigger=Trigger.priority_changed("P2"), to="p2"),
])  # fmt: skip
LOW = {"impact": "high", "urgency": "low"}


@pytest.mark.parametrize("matrix", [matrix_3x3_p5, PriorityMatrix("ours", ((2, 2, 3), (3, 3, 4), (3, 4, 5)))])
def test_a_priority_that_a_step_makes_has_its_own_clocks_and_the_matrix_is_asked(matrix):
    """An opening is foreseen to the row as a desk does it: its agreement and its matrix are known."""
    agreement = default_agreement(BusinessCalendar.always("UTC"))
    told = foresee(RAISED, agreement, LOW, T0, 30 * HOUR, matrix=matrix)
    desk = ServiceDesk(stores.open("memory://"), policy=RAISED, agreement=agreement, matrix=matrix)
    desk.open("x", actor=Actor.monitoring("probe"), at=T0, record_id="preview", fields=LOW)
    while (due := desk.next_due()) is not None and due <= T0 + 30 * HOUR:
        desk.tick(due)
    done = [(e.fields["key"], e.occurred_at) for e in desk.history("preview") if e.kind == "escalated"]
    assert [(row.key, row.at) for row in told.rows] == done
    steps = [row.step for row in told.rows]
    assert steps[0] == "raise"
    assert ("is-p1" in steps, "is-p2" in steps) == (matrix is matrix_3x3_p5, matrix is not matrix_3x3_p5)
    assert told.notes == ()


def test_work_that_goes_to_another_group_is_nobodys_there():
    """As on a desk: who answers to a later name is asked of the record as the step left it."""
    policy = EscalationPolicy("line", 1, last_resort="duty", steps=[
        EscalationStep("move", trigger=Trigger.unacknowledged("5m wall"), group="net"),
        EscalationStep("tell", after="5m wall", to="whoever"),
    ])  # fmt: skip
    fields = {"priority": "P3", "group": "desk", "assignee": "ana"}
    told = foresee(policy, None, fields, T0, HOUR, lambda _, record, at: (record.assignee or "the queue",))
    assert [row.who for row in told.rows] == ["work to net", "the queue"]


def test_a_language_that_nobody_speaks_here_is_refused_before_anything_is_looked_at():
    """By name, as the table refuses it."""
    told = r"^language 'de': is not spoken here; use one of \['en', 'zh'\]$"
    with pytest.raises(InvalidValue, match=told):
        foresee(POLICY, None, LOW, T0, HOUR, lang="de")
    with pytest.raises(InvalidValue, match=told):
        preview(POLICY, INCIDENT.record("INC-1"), lambda at: {}, T0, HOUR, lang="de")


def test_a_priority_that_falls_lets_no_other_policy_take_over():
    """So nothing depends on it."""
    fall = EscalationStep("fall", trigger=Trigger.unacknowledged("5m wall"), sets={"priority": "P5"})
    policy = EscalationPolicy("line", 1, steps=[fall], on_priority_change="switch")
    assert foresee(policy, None, LOW, T0, HOUR).notes == ()


def test_a_preview_says_from_where_on_it_depends():
    """Clocks of the host are those of the old priority, and another policy may take over."""
    policy = attrs.evolve(RAISED, on_priority_change="switch")
    events = opened(T0, **LOW)
    told = preview(
        policy, fold(events), lambda at: {"resolution": conclude(trace(events), TARGET, at)}, T0, 3 * HOUR
    )
    assert [(note.why, note.step, note.at) for note in told.notes] == [
        ("switch", "raise", T0 + HOUR), ("clocks", "raise", T0 + HOUR),
    ]  # fmt: skip
    assert told.text().splitlines()[-2:] == [
        "From 2024-01-08 10:00 on it depends: raise raises the priority; another policy may take over.",
        "From 2024-01-08 10:00 on it depends: raise changes the priority; the clocks are of the old one.",
    ]
    assert "自 2024-01-08 10:00 起视情况而定：raise 会提高优先级" in told.text("zh")
    assert told.to_dict()["notes"][0] == {
        "why": "switch", "step": "raise", "at": "2024-01-08T10:00:00+00:00", "names": [],
    }  # fmt: skip
    picture = str(draw(told))
    assert picture.count("raise raises the priority; another policy") == 3  # label, description, shown
    ET.fromstring(picture)
    assert [note.why for note in foresee(policy, None, LOW, T0, 3 * HOUR).notes] == ["switch"]


@pytest.mark.parametrize(
    ("steps", "more", "silent"),
    [
        ([PAGE], {}, ["page"]),
        ([EscalationStep("late", "50 %", to=("role:lead", "group:net"))], {}, ["late"]),
        ([EscalationStep("far", trigger=Trigger.silent("9h wall"), to="role:lead")], {}, []),
        ([PAGE], {"last_resort": "duty"}, []),
        ([PAGE, EscalationStep("sure", after="5m wall", to="user:bo")], {}, []),
        ([EscalationStep("plain", "50 %", to="manager")], {}, []),
        ([EscalationStep("one", "50 %", to=("role:lead", "user:bo"))], {}, []),
    ],
)
def test_a_step_that_may_tell_nobody_is_named(steps, more, silent):
    """Chains of several must say a last resort; one step alone need not, and the preview says so."""
    told = foreseen(EscalationPolicy("line", 1, steps=steps, **more), lambda name, *_: (name,))
    assert [(note.why, note.step) for note in told.notes] == [("silent", step) for step in silent]
    if silent == ["late"]:
        said = "late: if nobody answers to role:lead, group:net, nobody is told; say last_resort."
        assert told.text().splitlines()[-1] == said


def test_a_clock_set_back_is_foreseen_as_what_it_is():
    """Looking from before what has been done already shows that nothing fires."""
    desk = Desk(EscalationPolicy("p", 1, steps=[PAGE]))
    desk.tick(T0 + HOUR)
    told = preview(desk.policy, fold(desk.events), lambda _: {}, T0, HOUR)
    assert [(row.step, row.skipped, row.why) for row in told.rows] == [
        ("-", "clock_regressed", "the clock was set back")
    ]


def test_an_opening_is_foreseen_under_an_agreement():
    """A P1 by the default agreement, opened in thought; without an agreement no share is used up."""
    agreement = default_agreement(BusinessCalendar.always("UTC"))
    told = foresee(POLICY, agreement, {"priority": "P1"}, T0, 9 * HOUR)
    assert [row.step for row in told.rows if row.step == "half"] == ["half"]
    told = foresee(POLICY, None, {"impact": "high", "urgency": "high"}, T0, 9 * HOUR)
    assert "half" not in [row.step for row in told.rows]
    with pytest.raises(InvalidValue, match="open no record: priority is 'P9'"):
        foresee(POLICY, None, {"priority": "P9"}, T0, HOUR)


_NAMES = st.sampled_from(["on_call:a", "lead", "user:bo"])
_STEPS = st.lists(
    st.builds(
        lambda minutes, to, empty: {"after": f"{minutes}m wall", "to": to, "when_empty": empty},
        st.integers(0, 90), _NAMES, st.sampled_from(["skip", "wait"]),
    ),
    max_size=5,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(_STEPS, st.lists(st.integers(1, 150), max_size=3, unique=True), st.integers(0, 3), st.booleans())
def test_the_preview_is_what_the_engine_does_if_nothing_happens(steps, shares, times, on_call):
    """Law: row by row the same keys at the same instants as a desk that is woken at each due instant."""
    again = [EscalationStep("again", after="20m wall", repeat=Repeat("page", times))] if times else []
    chain = [EscalationStep(f"s{n}", **fields) for n, fields in enumerate(steps)]
    thresholds = [EscalationStep(f"t{share}", share, to="lead") for share in shares]
    policy = EscalationPolicy("p", 1, steps=[PAGE, *chain, *again, *thresholds], last_resort="duty")
    resolver = (lambda name, *_: (name,)) if on_call else nobody_on_call
    desk, end, now, fired = Desk(policy, resolver), T0 + 8 * HOUR, T0, []
    while now is not None and now <= end:
        fired += [(e.key, e.fired_at, e.why if isinstance(e, NotFired) else None) for e in desk.tick(now)]
        now = desk.due(now)
    told = foreseen(policy, resolver, 8 * HOUR)
    assert [(row.key, row.at, row.skipped) for row in told.rows] == fired


# --- the picture -------------------------------------------------------------------------------------


def test_a_picture_shows_each_row_and_is_well_formed():
    """A full disc for who is told, a square for what is done, an empty disc for what is skipped."""
    picture = str(draw(foreseen(POLICY)))
    root = ET.fromstring(picture)
    names = [one.get("class") for one in root.iter() if one.get("class") in ("tell", "act", "not")]
    assert [names.count(one) for one in ("tell", "act", "not")] == [3, 9, 3]
    assert "+2:00" in picture
    assert "line@2: P1" in picture


def test_a_picture_of_nothing_says_so_in_both_languages():
    """No line is drawn where nobody is told."""
    quiet = foresee(
        EscalationPolicy("p", 1, steps=[EscalationStep("s", "50 %", to="x")]),
        None,
        {"priority": "P1"},
        T0,
        HOUR,
    )
    assert "Nobody is told." in str(draw(quiet))
    assert "不通知任何人。" in str(draw(quiet, "zh"))
    assert 'class="line"' not in str(draw(quiet))


def test_a_picture_runs_nothing_that_a_policy_names():
    """Markup and steering characters in names are shown as text."""
    step = EscalationStep("<script>", trigger=Trigger.unacknowledged("0m wall"), to="<img onerror=x>\x1b[2J")
    told = foresee(EscalationPolicy("p", 1, steps=[step]), None, {"priority": "P1"}, T0, HOUR)
    picture = str(draw(told))
    assert "<script" not in picture
    assert "<img" not in picture
    assert "\x1b" not in picture + told.text()
    ET.fromstring(picture)


def test_what_a_step_does_to_the_record_may_set_off_another():
    """A move ends a snooze and is a reassignment, and a priority that a step sets is a change of priority."""
    policy = EscalationPolicy("line", 1, steps=[
        PAGE,
        EscalationStep("move", trigger=Trigger.in_state("new", "30m wall"), group="network"),
        EscalationStep("moved", trigger=Trigger.reassigned(1), to="lead"),
        EscalationStep("raise", trigger=Trigger.in_state("new", "60m wall"), sets={"priority": "P2"}),
        EscalationStep("raised", trigger=Trigger.priority_changed(), to="boss"),
    ])  # fmt: skip
    desk, ana = (
        ServiceDesk(stores.open("memory://"), policy=policy, resolver=as_named),
        Actor.person("ana", "agent"),
    )
    desk.open("Mail is down", actor=ana, at=T0, record_id="I-1", fields={"impact": "high", "urgency": "high"})
    desk.assign("I-1", group="desk", actor=ana, at=T0)
    record = desk.snooze("I-1", until=T0 + DAY, actor=ana, at=T0)
    seen = preview(policy, record, lambda at: desk.clocks("I-1", at), T0, 2 * HOUR)
    for minute in range(121):
        desk.tick(T0 + minute * MINUTE)
    fired = [event.fields["key"] for event in desk.history("I-1") if event.kind == "escalated"]
    assert [row.key for row in seen.rows] == fired
    assert [key.split("/")[3] for key in fired] == ["move", "page", "moved", "raise", "raised"]
