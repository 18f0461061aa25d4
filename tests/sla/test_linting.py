"""Each coded rule of agreements has one that breaks it and a like one that keeps it.

The three traps are those that ServiceNow documents (platforms.md 3.1); A005 is L025 (lifecycles.md 3.2);
agreed, parties and kinds are ISO/IEC 20000-1, 8.3.3 and 8.3.4.
"""

import datetime as dt
import re
import time
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itsm_core.business_time import BusinessCalendar
from itsm_core.errors import InvalidValue
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle import Lifecycle, Need, State, Transition
from itsm_core.processes import CHANGE, INCIDENT, PROBLEM, SERVICE_REQUEST, TASK
from itsm_core.sla import (
    AGREEMENT_RULES,
    AgreedException,
    Agreement,
    Condition,
    Finding,
    Measure,
    Target,
    WorkloadLimit,
    conclude,
    default_agreement,
    lint,
    trace,
)
from itsm_core.sla.checking.clock_rules import MOST_NAMES, MOST_SCENES, MOST_TARGETS
from itsm_core.sla.checking.situations import waits_in
from itsm_core.sla.spans import ClockState

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "agreement-rules.md"
DESK = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="Europe/Berlin")
AROUND = BusinessCalendar.always("UTC")
AGREED = {"agreed_with": "Acme", "agreed_on": dt.date(2026, 1, 15)}

NEW = State("new", "new")
WORK = State("work", "active")
HOLD = State("hold", "waiting")
ORDERED = State("ordered", "waiting", waits_on="supplier")
FIXED = State("fixed", "resolved")
DONE = State("done", "closed", outcome="completed")
GONE = State("gone", "closed", outcome="cancelled")


def move(trigger, sources, dest, **more):
    """A transition that an agent may fire."""
    return Transition(trigger, sources, dest=dest, roles={"agent"}, **more)


def lifecycle(*transitions, states):
    """A lifecycle of these parts."""
    return Lifecycle("tiny", 1, process="tiny", initial="new", states=states, transitions=transitions)


REPAIR = lifecycle(
    move("order", "new", "ordered"), move("finish", ("new", "ordered"), "done"), move("cancel", "new", "gone"),
    states=[NEW, ORDERED, DONE, GONE],
)  # fmt: skip


def target(id="fix", metric="resolution", duration="8h", **more):
    """A target in office hours."""
    return Target(id, metric, **{"duration": duration, "calendar": DESK, **more})


def measured(**measure):
    """A target with a measure of its own."""
    return target("own", "own", measure=Measure(**measure), kind="internal", party="desk")


def agreement(*targets, **more):
    """An agreement that was agreed."""
    return Agreement("acme", 1, targets=targets or [target()], **{**AGREED, **more})


def codes(*targets, lifecycle=None, others=(), at=None, **more):
    """The codes found."""
    return [f.code for f in lint(agreement(*targets, **more), lifecycle, others=others, at=at)]


MANY = {name: [str(n) for n in range(40)] for name in ("service", "category")}
ACTIVE, WAITING = Condition(phases="active"), Condition(phases="waiting")
ENDED = Condition(phases=["resolved", "closed"])
SUPPLIER = Condition(waits_on="supplier")

BREAKS = {
    "A001": [
        [measured(start=WAITING, stop=Condition(phases=["waiting", "closed"]))],
        [measured(start=Condition(groups="a"), stop=Condition(groups={"a", "b"}))],
        [measured(start=Condition(words="request"), stop=Condition(words={"request", "message"}))],
        [measured(start=Condition(phases="active", waits_on="supplier"))],
        [measured(start=Condition(), void=Condition())],
        [measured(start=Condition(outcomes="merged"))],
    ],
    "A002": [
        [measured(start=WAITING, pause=WAITING, while_started=True)],
        [measured(start=Condition(), stop=ENDED, pause=Condition())],
        [measured(start=Condition(assigned=True), pause=Condition(assigned=True), while_started=True)],
    ],
    "A003": [
        [measured(start=ACTIVE, stop=ENDED, pause=WAITING, while_started=True)],
        [measured(start=Condition(), stop=ENDED, pause=Condition(phases="closed"))],
        [measured(start=Condition(), stop=ENDED, pause=SUPPLIER, resume=WAITING)],
        [target(pauses_on="requester", on_pause="fixed")],
    ],
    "A004": [[Target("t", "own", duration="8h", calendar=DESK, pauses_on="requester",
                     measure=Measure(start=ACTIVE, while_started=True))]],
    "A009": [
        [target("answer", "response", answered_by="live_contact"), target(duration="16h")],
        [target("news", "reply", answered_by=["acknowledgement"], duration="4h")],
    ],
    "A010": [[target(priorities=["P1", "P2", "P3", "P5"])]],
    "A011": [
        [target("all"), target("p1", priorities="P1")],
        [target("all"), target("mail", when={"service": "mail"})],
        [target("a", priorities=["P1", "P2"]), target("b", priorities=["P3", "P4", "P5"]),
         target("c", priorities=["P1", "P5"])],
        [target("mail", when={"service": "mail"}), target("web", when={"service": "web"}),
         target("both", when={"service": ["mail", "web"]}), target("rest")],
        [target("many", when=MANY),
         target("again", when=MANY, duration="4h"), target("rest")],
    ],
    "A012": [[target(after="response")]],
    "A013": [
        [target("r", "response"), target(duration="4h")],
        [target("r", "response", duration="2 business days"), target(duration="1 business day")],
        [target("r", "response", "end of business day +1"), target(duration="end of business day")],
    ],
    "A014": [[target("news", "update"), target()]],
    "A015": [],
    "A016": [],
    "A017": [],
    "A018": [[target(calendar=BusinessCalendar.weekly("daily 10:00-18:00", zone="UTC", valid_to="2026-09-30"))]],
    "A019": [[target(kind="supplier")], [target(kind="internal")]],
    "A021": [], "A022": [], "A023": [], "A024": [], "A025": [],
    "A020": [[target(), target("s", "response", "4h", kind="supplier", party="depot")]],
    "A026": [[target("r", "response", "4h"), target(after="response", priorities="P1"), target("rest")]],
    "A027": [
        [target("own", "own", measure=Measure(start=Condition(), stop=ENDED, pause=SUPPLIER))],
        [target("own", "own", measure=Measure(start=Condition(), stop=ENDED, pause=WAITING))],
    ],
}  # fmt: skip

KEEPS = {
    "A001": [
        [measured(start=WAITING, stop=ENDED)],
        [measured(start=Condition(groups="a"), stop=Condition(groups="b"))],
        [measured(start=Condition(words="request"), stop=Condition(words="message"))],
        [measured(start=Condition(phases="closed", outcomes="broken"))],
    ],
    "A002": [
        [measured(start=WAITING, pause=SUPPLIER, while_started=True)],
        [measured(start=Condition(states="approval"), stop=ENDED, pause=Condition(states="approval"))],
        [measured(start=WAITING, pause=WAITING, resume=SUPPLIER, while_started=True)],
    ],
    "A003": [[measured(start=Condition(), stop=ENDED, pause=WAITING, resume=SUPPLIER)]],
    "A004": [[target(pauses_on=["requester", "schedule"])]],
    "A009": [[target("answer", "response", "4h", answered_by="ai_message"), target()]],
    "A010": [[target("a", priorities=["P1", "P2"]), target("b")], [target("news", "update", "1h", priorities="P1")]],
    "A011": [
        [target("p1", priorities="P1"), target("all")],
        # a record without a priority is left to the last one
        [target("some", priorities=["P1", "P2", "P3", "P4", "P5"]), target("all")],
        [target("mail", when={"service": "mail"}), target("both", when={"service": ["mail", "web"]}), target("rest")],
        [target("mail", when={"service": "mail", "category": "spam"}), target("m", when={"service": "mail"})],
    ],
    "A012": [[target("r", "response", "4h"), target(after="response")]],
    "A013": [
        [target("r", "response"), target()],
        [target("r", "response"), target(duration="4h", calendar=AROUND)],
        [target("r", "response", when={"service": "mail"}), target(duration="4h")],
        [target("r", "response"), target(duration="1 business day")],
        [target("r", "response", priorities="P5"), target(duration="4h", priorities=["P1", "P2", "P3", "P4"])],
    ],
    "A014": [[target("news", "update", "1h"), target()]],
    "A018": [
        [target(calendar=BusinessCalendar.weekly("daily 10:00-18:00", zone="UTC", valid_from="2026-01-01"))],
    ],
    "A019": [[target(kind="supplier", party="depot")]],
    "A026": [[target("r", "response", "4h"), target(after="response", priorities="P1"), target("rest", after="response")]],
    "A027": [
        [measured(start=Condition(), stop=ENDED, pause=SUPPLIER)],
        [target("own", "own", measure=Measure(start=Condition(), stop=ENDED, pause=Condition(waits_on="requester")))],
    ],
}  # fmt: skip


def _rows(table):
    return [(code, number) for code, cases in table.items() for number in range(len(cases))]


@pytest.mark.parametrize(("code", "number"), _rows(BREAKS))
def test_what_breaks_a_rule_is_found_and_nothing_else_is(code, number):
    """The finding has the code, once, and names a remedy."""
    found = lint(agreement(*BREAKS[code][number]))
    assert [one.code for one in found] == [code]
    assert found[0].remedy
    assert found[0].severity == ("warning" if AGREEMENT_RULES[code].warning else "error")


@pytest.mark.parametrize(("code", "number"), _rows(KEEPS))
def test_what_keeps_a_rule_is_not_found(code, number):
    """A like agreement without the fault raises no finding of that code."""
    assert code not in codes(*KEEPS[code][number])


# --- with a lifecycle -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shipped", [INCIDENT, PROBLEM, CHANGE, SERVICE_REQUEST, TASK], ids=lambda one: one.id
)
def test_the_default_agreement_is_only_not_agreed(shipped):
    """It works with every shipped lifecycle; that nobody agreed to it is told."""
    found = lint(default_agreement(DESK), shipped)
    assert [(one.code, one.message) for one in found] == [("A015", "not agreed")]


def test_a_wait_that_the_lifecycle_does_not_know_is_found():
    """REPAIR waits for a supplier only; INCIDENT for anybody."""
    assert codes(target(pauses_on="requester"), lifecycle=REPAIR) == ["A004"]
    assert codes(target(pauses_on="requester"), lifecycle=INCIDENT) == []


@pytest.mark.parametrize(
    ("need", "waits"),
    [
        (Need("hold_reason", "x", one_of=("requester", "schedule")), {"requester", "schedule"}),
        (Need("hold_reason", "x"), set(WaitsOn)),
        (Need("hold_reason", "x", one_of=("requester",), required=False), {"requester", None}),
        (Need("hold_reason", "x", one_of=("requester",), otherwise="reason"), {"requester", None}),
        (Need("reason", "x"), {*WaitsOn, None}),
    ],
)
def test_whom_records_wait_for_follows_from_what_a_hold_asks_for(need, waits):
    """The choices of the hold reason; None where a hold may come without one."""
    made = lifecycle(
        move("hold", "new", "hold", requires=[need]), move("finish", ("new", "hold"), "done"),
        states=[NEW, HOLD, DONE, ORDERED],
    )  # fmt: skip
    assert waits_in(made) == {"hold": waits}


def test_a_clock_that_no_path_stops_is_found_with_its_path():
    """The clock of parts may go past the state that stops it (L025)."""
    start = Condition(states="new")
    found = lint(agreement(measured(start=start, stop=Condition(states="ordered"))), REPAIR)
    assert [one.code for one in found] == ["A005"]
    assert found[0].message == "its clock goes on after the end, by way of new to done"


@pytest.mark.parametrize(
    "stop",
    [
        Condition(phases="closed"),
        Condition(outcomes="completed"),
        Condition(words="message"),
        Condition(groups="depot"),
        Condition(states=["ordered", "done"]),
    ],
)
def test_a_clock_that_every_path_may_stop_is_not_found(stop):
    """A void outcome ends the other way by itself; words and groups may come in any state before the end."""
    assert "A005" not in codes(measured(start=Condition(states="new"), stop=stop), lifecycle=REPAIR)


def test_words_after_the_end_come_too_late():
    """A clock that starts in the end itself is stopped there or never."""
    own = measured(start=Condition(states="done"), stop=Condition(words="message"))
    assert codes(own, lifecycle=REPAIR) == ["A005"]


def test_the_shortest_way_is_told_through_resolved_states():
    """From the opening by way of fixed to done nothing stops a clock that waits for a hold."""
    made = lifecycle(
        move("hold", "new", "hold"), move("work", "hold", "work"), move("fix", ("new", "work"), "fixed"),
        move("again", "fixed", "work", reopens="resume"), move("close", "fixed", "done"),
        states=[NEW, HOLD, WORK, FIXED, DONE],
    )  # fmt: skip
    (found,) = lint(
        agreement(measured(start=Condition(phases="new"), stop=Condition(phases="waiting"))), made
    )
    assert found.message == "its clock goes on after the end, by way of new to fixed to done"


def test_names_that_the_lifecycle_lacks_are_found_once_each():
    """States, outcomes and waits; phases and groups are not the lifecycle's own."""
    own = measured(
        start=Condition(states=["new", "nwe"]),
        stop=(
            Condition(outcomes="broken"),
            Condition(phases=["resolved", "closed"]),
            Condition(states="nwe"),
        ),
        pause=Condition(waits_on=["requester", "supplier"]),
        void=Condition(groups="nobody"),
    )
    found = [one for one in lint(agreement(own), REPAIR) if one.code == "A006"]
    assert [one.message for one in found] == [
        "names the outcome broken, which tiny 1 lacks",
        "names the state nwe, which tiny 1 lacks",
        "names the wait for requester, which tiny 1 lacks",
    ]
    assert found[0].remedy == "use one of cancelled, completed"
    bare = lifecycle(move("finish", "new", "done"), states=[NEW, DONE])
    assert [one.remedy for one in lint(agreement(own), bare) if "wait for" in one.message] == [
        "leave it out"
    ] * 2


def test_a_field_that_records_lack_is_found():
    """A predicate on a misspelt field would never hold."""
    assert codes(target(when={"srevice": "mail"}), lifecycle=INCIDENT) == ["A007"]
    assert codes(target(when={"service": "mail"}), lifecycle=INCIDENT) == []


def test_a_lifecycle_of_another_process_says_one_thing():
    """Its states are no concern of an agreement that does not cover it."""
    own = measured(start=Condition(states="approval"), stop=ENDED)
    assert codes(own, lifecycle=REPAIR, processes="incident") == ["A008"]
    assert codes(target(), lifecycle=REPAIR, processes="tiny") == []


# --- terms ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "remedy"),
    [
        ({"agreed_with": None}, "give agreed_with;"),
        ({"agreed_on": None}, "give agreed_on;"),
        ({"agreed_with": None, "agreed_on": None}, "give agreed_with and agreed_on;"),
    ],
)
def test_what_nobody_agreed_to_is_told(missing, remedy):
    """With whom and when are both asked for (8.3.3)."""
    (found,) = lint(agreement(**missing))
    assert (found.code, found.message) == ("A015", "not agreed")
    assert found.remedy.startswith(remedy)


DAYS = [dt.date(2026, 1, 1), dt.date(2026, 7, 1), dt.date(2027, 1, 1)]


@pytest.mark.parametrize(
    ("mine", "other", "days"),
    [
        ({}, {}, "always"),
        ({"valid_to": DAYS[1]}, {"valid_from": DAYS[1]}, None),
        ({"valid_from": DAYS[0]}, {}, "from 2026-01-01 on"),
        ({"valid_to": DAYS[2]}, {"valid_to": DAYS[1]}, "until 2026-07-01"),
        ({"valid_from": DAYS[0]}, {"valid_to": DAYS[1]}, "from 2026-01-01 on until 2026-07-01"),
        ({"customers": "acme"}, {"customers": "beta"}, None),
        ({"customers": "acme"}, {"services": "mail"}, "always"),
        ({"services": {"mail", "web"}}, {"services": {"web"}}, "always"),
        ({"processes": "incident"}, {"processes": "problem"}, None),
    ],
)
def test_two_agreements_for_the_same_records_are_told_by_their_days(mine, other, days):
    """Dates are half-open: one may end on the day on which the other begins."""
    second = Agreement("beta", 1, targets=[target()], **AGREED, **other)
    found = lint(agreement(**mine), others=[second])
    assert [one.code for one in found] == ([] if days is None else ["A016"])
    assert days is None or found[0].message == f"covers records that beta@1 covers too, {days}"


def test_an_agreement_does_not_overlap_itself_nor_one_of_another_kind():
    """An internal agreement below stands beside the customer's on purpose."""
    team = Agreement("team", 1, targets=[target(kind="internal", party="team")], **AGREED)
    assert codes(others=[agreement(), team]) == []


def test_an_agreement_is_over_on_the_day_named_and_not_before():
    """The day is that of the calendar's zone: 23:30 UTC is the next day in Berlin."""
    over = {"valid_to": DAYS[1]}
    assert codes(at=dt.datetime(2026, 6, 30, 21, 59, tzinfo=dt.UTC), **over) == []
    assert codes(at=dt.datetime(2026, 6, 30, 22, 0, tzinfo=dt.UTC), **over) == ["A017"]
    assert codes(at=dt.datetime(2026, 6, 30, 22, 0, tzinfo=dt.UTC)) == []
    assert codes(**over) == []


def test_an_agreement_may_end_with_its_calendar():
    """The last open day is 30 September, so the agreement may be over on 1 October, and not later."""
    fair = BusinessCalendar.weekly("daily 10:00-18:00", zone="UTC", valid_to="2026-09-30")
    ends = target(calendar=fair)
    assert codes(ends, valid_to=dt.date(2026, 10, 1)) == []
    assert codes(ends, valid_to=dt.date(2026, 10, 2)) == ["A018"]
    assert codes(ends, target("r", "response", "1h", calendar=fair)) == ["A018"], "a calendar is told once"


def test_a_combination_of_calendars_that_ends_is_found():
    """What ends ends too where it is combined with what does not."""
    fair = BusinessCalendar.weekly("daily 10:00-18:00", zone="UTC", valid_to="2026-09-30")
    both = AROUND & fair
    (found,) = lint(agreement(target(calendar=both)))
    assert found.message.startswith("its calendar never opens after 2026-09-30")
    assert codes(target(calendar=AROUND | fair)) == []


# --- workload, exceptions, open records -----------------------------------------------------------


@pytest.mark.parametrize(
    ("mine", "limited", "found"),
    [
        ({}, {}, []),
        ({"processes": "incident"}, {}, []),
        ({}, {"processes": "incident", "services": "mail"}, []),
        ({"processes": {"incident", "task"}}, {"processes": {"task", "change"}}, []),
        ({"processes": "incident"}, {"processes": "task"}, ["A021"]),
        ({"services": "web"}, {"services": "mail"}, ["A021"]),
        (
            {"services": "web", "processes": "task"},
            {"services": "mail", "processes": "incident"},
            ["A021"] * 2,
        ),
    ],
)
def test_a_limit_on_what_is_not_covered_is_found(mine, limited, found):
    """Named on both sides, and none in common."""
    assert codes(**mine, workload=[WorkloadLimit("m", 4, per="month", **limited)]) == found


@pytest.mark.parametrize(
    ("per", "days", "found"),
    [
        ("month", {"valid_from": dt.date(2026, 7, 1), "valid_to": dt.date(2026, 12, 1)}, 0),
        ("quarter", {"valid_from": dt.date(2026, 7, 1), "valid_to": dt.date(2026, 12, 1)}, 1),
        ("year", {"valid_from": dt.date(2026, 7, 1), "valid_to": dt.date(2026, 12, 1)}, 2),
        ("week", {"valid_from": dt.date(2026, 3, 2)}, 0),
        ("week", {"valid_from": dt.date(2026, 3, 3)}, 1),
        ("year", {}, 0),
    ],
)
def test_a_period_that_is_cut_by_the_validity_is_found(per, days, found):
    """A version counts its own records, so a part of a period is compared with the limit of a whole one."""
    assert codes(**days, workload=[WorkloadLimit("w", 4, per=per)]) == ["A022"] * found


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, ["A023"]),
        ({"metrics": "resolution"}, ["A023"]),
        ({"when": {"service": "mail"}}, []),
        ({"claimed": True}, []),
        ({"times": AROUND}, []),
    ],
)
def test_an_exception_that_leaves_nothing_is_found(more, found):
    """Records, hours or a claim have to say when it applies."""
    assert codes(exceptions=[AgreedException("e", **more)]) == found


OPEN = {"valid_from": dt.date(2027, 1, 1), "on_policy_change": "reassess_open"}


def version(number, *targets, **more):
    """Another version of the agreement."""
    return Agreement("acme", number, targets=targets or [target()], **{**AGREED, **more})


def test_taking_over_asks_for_an_earlier_version_beside_it():
    """Of the same id, with a lower number; nothing is said where nobody gave the others."""
    ends = {"valid_to": dt.date(2027, 1, 1)}
    look = lambda *others: [one.code for one in lint(version(2, **OPEN), others=others)]  # noqa: E731
    assert look() == []
    assert look(version(1, **ends)) == []
    assert look(version(3, **ends)) == ["A024"]
    assert look(version(2, **OPEN)) == ["A024"], "it is not earlier than itself"
    other = Agreement("beta", 1, targets=[target()], **ends)
    assert look(other) == ["A024"]
    assert look(other, version(1, **ends)) == []
    assert [one.code for one in lint(version(2, valid_from=OPEN["valid_from"]), others=[other])] == []


def test_a_clock_that_open_records_would_lose_is_found():
    """The new version measures no updates, and the open records had some."""
    old = version(1, target(), target("news", "update", "4h"), valid_to=OPEN["valid_from"])
    (found,) = lint(version(2, **OPEN), others=[old])
    assert (found.code, found.severity) == ("A025", "warning")
    assert "whose update it does not measure" in found.message
    assert lint(version(2, valid_from=OPEN["valid_from"]), others=[old]) == ()
    assert lint(version(2, *old.targets, **OPEN), others=[old]) == ()


# --- the linter -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "targets",
    [
        [target(f"t{n}", priorities="P1") for n in range(MOST_TARGETS + 1)],
        [
            target(when={"service": [str(n) for n in range(MOST_NAMES)]}),
            target("u", after="nothing", when={"a": "b"}),
        ],
        [
            measured(
                start=Condition(groups=[str(n) for n in range(400)], states=[f"s{n}" for n in range(400)])
            )
        ],
    ],
)
def test_what_is_too_large_is_looked_at_no_further(targets):
    """One finding, at once."""
    began = time.perf_counter()
    assert codes(*targets) == ["A000"]
    assert time.perf_counter() - began < 5


def test_the_largest_that_is_looked_at_takes_seconds():
    """A thousand targets that all shadow each other, and names near the bound."""
    began = time.perf_counter()
    many = [target(f"t{n}", "resolution") for n in range(MOST_TARGETS)]
    assert codes(*many).count("A011") == MOST_TARGETS - 1
    assert time.perf_counter() - began < 20


def test_findings_come_by_code_and_say_themselves():
    """Code, severity, place, message and remedy, in one line."""
    found = lint(agreement(target(after="response", pauses_on="requester", on_pause="fixed"), agreed_on=None))
    assert [one.code for one in found] == ["A003", "A012", "A015"]
    assert str(found[1]) == f"A012 fix: {found[1].message}; {found[1].remedy}"
    assert str(found[2]).startswith("A015 (warning) acme@1: not agreed; give agreed_on")
    assert found[2].to_dict() == {
        "code": "A015", "message": "not agreed", "where": "acme@1", "remedy": found[2].remedy,
        "severity": "warning",
    }  # fmt: skip


def test_hostile_names_stay_on_one_line():
    """A name with line breaks cannot forge a second finding."""
    evil = "x\nA999 all: fine"
    found = lint(agreement(target(evil, when={evil: "y"}, after=evil), agreed_on=None), INCIDENT)
    assert {one.code for one in found} == {"A007", "A012", "A015"}
    assert all("\n" not in str(one) for one in found)


@pytest.mark.parametrize(
    ("arguments", "more"),
    [
        (("acme",), {}),
        ((agreement(), "incident"), {}),
        ((agreement(),), {"others": agreement()}),
        ((agreement(),), {"others": ["acme"]}),
        ((agreement(),), {"at": dt.datetime(2026, 1, 1)}),
    ],
)
def test_what_is_no_agreement_is_refused(arguments, more):
    """Each argument says what it wants."""
    with pytest.raises(InvalidValue):
        lint(*arguments, **more)


# --- the verdicts are those of the engine ---------------------------------------------------------

PHASES = st.sets(st.sampled_from(Phase), max_size=3)
PLAIN = st.builds(Condition, phases=PHASES, waits_on=st.sets(st.sampled_from(WaitsOn), max_size=1))


@settings(max_examples=150, deadline=None)
@given(
    start=PLAIN, stop=st.none() | PLAIN, pause=st.none() | PLAIN, lasting=st.booleans(),
    moves=st.lists(st.sampled_from([*Phase, *WaitsOn]), max_size=6),
)  # fmt: skip
def test_what_the_rules_say_is_what_clocks_do(history, start, stop, pause, lasting, moves):
    """A clock found by A001 never runs, one found by A002 never counts, one found by A003 never pauses."""
    given_ = {"stop": stop or (), "pause": pause or ()}
    own = attrs.evolve(measured(start=start, while_started=lasting, **given_), calendar=AROUND)
    found = codes(own)
    told = history().opened("2026-03-02 09:00")
    for hour, step in enumerate(moves, start=10):
        if isinstance(step, WaitsOn):
            told.hold(f"2026-03-02 {hour}:00", step.value)
        else:
            told.moved(f"2026-03-02 {hour}:00", step.value)
    last = conclude(trace(told.events), own, told.at("2026-03-03 00:00"))
    states = {span.state for cycle in last.cycles for span in cycle.spans}
    if "A001" in found:
        assert not states & {ClockState.RUNNING, ClockState.PAUSED}
    if "A002" in found:
        assert all(cycle.elapsed_us == 0 for cycle in last.cycles)
    if "A003" in found:
        assert ClockState.PAUSED not in states


# --- the page -------------------------------------------------------------------------------------


def _sections():
    """The text below each heading of a rule, and its title, by code."""
    parts = re.split(r"^### (A\d{3}): ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {code: text.partition("\n") for code, text in pairs}


def test_the_page_of_rules_has_a_section_for_each_in_its_words():
    """Whoever gets a code finds what the rule asks, to the letter, in order, and nothing that is gone."""
    asked = [(code, rule.asks) for code, rule in AGREEMENT_RULES.items()]
    assert [(code, f"{title}.") for code, (title, _, _) in _sections().items()] == asked
    assert [code for code, _ in asked] == [f"A{n:03}" for n in range(len(asked))]


@pytest.mark.parametrize("code", AGREEMENT_RULES)
def test_each_rule_on_the_page_has_an_example_that_shows_its_message(code):
    """The example is run with the pages, so the message shown is the one that is given."""
    _, _, text = _sections()[code]
    example = re.search(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert example, "an example that is run"
    mark = r"\(warning\) " if AGREEMENT_RULES[code].warning else ""
    assert re.search(rf"^{code} {mark}\S+: .+; ", example[1], re.MULTILINE), "shows its message"


def test_the_page_says_what_is_counted():
    """The bounds of A000."""
    text = " ".join(_sections()["A000"][2].split())
    for bound in (f"{MOST_TARGETS:,} targets", f"{MOST_NAMES:,} names", f"{MOST_SCENES:,} situations"):
        assert bound in text


def test_a_finding_is_a_value():
    """Equal findings are equal."""
    one = Finding("A001", "m", where="w", remedy="r")
    assert one == attrs.evolve(one)
    assert {one, attrs.evolve(one)} == {one}
