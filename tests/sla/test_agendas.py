"""The agenda: open clocks in the order in which they fall due."""

import datetime as dt

import attrs
import pytest

from itsm_core.business_time import BusinessCalendar, hours
from itsm_core.errors import InvalidValue
from itsm_core.sla import (
    Agreement,
    Due,
    Judged,
    Problem,
    Target,
    agenda,
    conclude,
    evaluate,
    evaluate_all,
    trace,
)


@pytest.fixture
def judged(history, around):
    """At noon: A due at 13, B overdue since 11, C paused with 3 h left, D paused with 1, E done, F unreadable."""
    answer = Target("t", "response", duration=hours(24), calendar=around)
    fix = Target("f", "resolution", duration=hours(4), calendar=around, pauses_on="requester")
    agreement = Agreement("a", 1, targets=[answer, fix])
    day = "2026-03-02"
    found = {
        "A": history().opened(f"{day} 09:00").said(f"{day} 09:00"),
        "B": history().opened(f"{day} 07:00").said(f"{day} 09:00"),
        "C": history().opened(f"{day} 08:00").said(f"{day} 09:00").hold(f"{day} 09:00"),
        "D": history().opened(f"{day} 08:00").said(f"{day} 09:00").hold(f"{day} 11:00"),
        "E": history().opened(f"{day} 08:00").said(f"{day} 09:00").resolved(f"{day} 09:00"),
        "G": history().opened(f"{day} 11:00"),
    }
    histories = {name: h.events for name, h in found.items()} | {"F": []}
    return list(evaluate_all(histories, agreement, history().at(f"{day} 12:00")))


def names(entries):
    """Which clocks of which records."""
    return [(one.id, str(one.clock.target.metric)) for one in entries]


def test_open_clocks_stand_in_the_order_in_which_they_fall_due(judged):
    """Overdue ones first; what was answered or resolved wants nothing."""
    found = agenda(judged)
    assert names(found.due) == [
        ("B", "resolution"), ("A", "resolution"), ("G", "resolution"), ("G", "response"),
    ]  # fmt: skip
    assert [one.overdue for one in found.due] == [True, False, False, False]
    assert found.due[1].remaining == dt.timedelta(hours=1)


def test_the_order_in_which_records_are_given_is_irrelevant(judged):
    """Ties are broken by id and metric."""
    turned = agenda(reversed(judged))
    assert (turned.due, turned.paused) == (agenda(judged).due, agenda(judged).paused)


def test_paused_clocks_stand_apart_by_what_is_left(judged):
    """Nobody knows when they fall due; the one with least time left comes first."""
    found = agenda(judged)
    assert names(found.paused) == [("D", "resolution"), ("C", "resolution")]
    assert [one.remaining / dt.timedelta(hours=1) for one in found.paused] == [1, 3]


def test_only_what_falls_due_by_then_is_asked_for(judged, history):
    """The instant itself counts, a microsecond before it does not; overdue ones always stay."""
    one = history().at("2026-03-02 13:00")
    assert names(agenda(judged, one).due) == [("B", "resolution"), ("A", "resolution")]
    assert names(agenda(judged, one - dt.timedelta(microseconds=1)).due) == [("B", "resolution")]
    assert names(agenda(judged, history().at("2026-03-01 00:00")).due) == [("B", "resolution")]
    assert len(agenda(judged, one).paused) == 2


def test_a_record_that_could_not_be_judged_is_named(judged):
    """Its clocks may be overdue."""
    assert agenda(judged).not_judged == ("F",)
    assert str(agenda(judged)).endswith("Not judged: F")


def test_what_never_falls_due_is_told(history):
    """The calendar ends before the promise, or before the due rule finds a day."""
    ends = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC", valid_to="2026-03-03")
    h = history().opened("2026-03-03 10:00")
    at = h.at("2026-03-03 12:00")

    def judged(duration, id):
        target = Target("t", "resolution", duration=duration, calendar=ends, pauses_on="requester")
        return Judged(id, clocks={"resolution": evaluate(h.events, target, at)}, agreement="a@1")

    found = agenda([judged("5 business days", "Y"), judged(hours(40), "X")])
    assert names(found.never) == [("X", "resolution"), ("Y", "resolution")]
    assert str(found).splitlines()[1:] == [
        "X       resolution  never   38h  5.0 %",
        "Y       resolution  never     -  0.0 %",
    ]


def test_a_paused_clock_that_never_falls_due_is_not_only_paused(history):
    """No resumption would give it a due instant."""
    ends = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC", valid_to="2026-03-03")
    h = history().opened("2026-03-03 10:00").hold("2026-03-03 11:00")
    target = Target("t", "resolution", duration="5 business days", calendar=ends, pauses_on="requester")
    clock = evaluate(h.events, target, h.at("2026-03-03 12:00"))
    found = agenda([Judged("X", clocks={"resolution": clock}, agreement="a@1")])
    assert (names(found.never), found.paused) == ([("X", "resolution")], ())
    assert " never " in str(found)


def test_a_promise_without_open_time_is_overdue_once_time_passes(history, around):
    """A budget of nothing has no share to write, and is due at once."""
    h = history().opened("2026-03-02 09:00")
    target = Target("t", "resolution", duration=hours(1), calendar=around)
    clock = evaluate(h.events, target, h.at("2026-03-02 11:00"))
    nothing = Due("X", clock.__class__(
        target, clock.at_us, state=clock.state, verdict=clock.verdict, started_us=clock.started_us,
        budget_us=0, elapsed_us=clock.elapsed_us, pieces=clock.pieces, runs=clock.runs,
    ))  # fmt: skip
    assert nothing.overdue
    found = agenda([Judged("X", clocks={"resolution": nothing.clock}, agreement="a@1")])
    assert found.due[0].clock.due_at == h.at("2026-03-02 09:00")
    assert str(found).splitlines()[1].endswith("  -2h     -")


def test_what_nobody_kept_stands_apart(history, around, response):
    """A clock whose messages are not known may have been answered long ago: it is neither due nor overdue."""
    h = history().opened("2026-03-02 09:00")
    timeline = attrs.evolve(trace(h.events), messages_known=False)
    clock = conclude(timeline, response(hours(1), around), h.at("2026-03-02 12:00"))
    found = agenda([Judged("X", clocks={"response": clock}, agreement="a@1")])
    assert (found.due, names(found.unknown)) == ((), [("X", "response")])
    assert str(found).splitlines()[1] == "X       response  unknown     -     -"


def test_the_table_reads(judged):
    """Aligned for a terminal, and escaped for a notebook."""
    assert str(agenda(judged)).splitlines()[:3] == [
        "record  metric      due                     left     used",
        "B       resolution  2026-03-02 11:00 +0000   -1h  125.0 %",
        "A       resolution  2026-03-02 13:00 +0000    1h   75.0 %",
    ]
    hostile = Judged("<script>", problem=Problem("unreadable", "x"))
    assert "&lt;script&gt;" in agenda([hostile])._repr_html_()
    assert "<script" not in agenda([hostile])._repr_html_()


def test_nothing_to_do_is_said():
    """An empty agenda is no empty text."""
    assert str(agenda([])) == "Nothing is due"


def test_only_judged_records_have_an_agenda(judged):
    """Clocks alone do not say whose they are, and a naive limit is refused."""
    with pytest.raises(InvalidValue, match="give what evaluate_all"):
        agenda([judged[0].clocks["resolution"]])
    with pytest.raises(InvalidValue, match="until"):
        agenda(judged, dt.datetime(2026, 3, 2))
