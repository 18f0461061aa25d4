"""Promises: kept, renewed, broken, open."""

import pytest

from itsm_core.actors import Actor
from itsm_core.errors import InvalidValue
from itsm_core.sla import overruns, promises, trace

DUE = "2026-03-02T12:00:00+00:00"


@pytest.fixture
def promised(history):
    """A history with one promise: the next word by noon."""
    return history().opened("2026-03-02 09:00").said("2026-03-02 10:00", promise_due=DUE, text_digest="d1")


def verdicts(history, at):
    return [p.verdict for p in promises(trace(history.events), history.at(f"2026-03-02 {at}"))]


def test_a_promise_is_open_until_it_is_due_and_broken_after(promised):
    """At the due instant itself it is still open."""
    assert verdicts(promised, "09:59") == []
    assert verdicts(promised, "12:00") == ["open"]
    assert verdicts(promised, "12:01") == ["broken"]


def test_a_word_in_time_keeps_it(promised):
    """Up to and at the due instant; before that word came, it was open."""
    promised.said("2026-03-02 12:00")
    assert verdicts(promised, "13:00") == ["kept"]
    assert verdicts(promised, "11:00") == ["open"]


def test_a_word_in_time_that_promises_anew_renews_it(promised):
    """The old promise is renewed, the new one open; later words keep only the new one."""
    promised.said("2026-03-02 11:00", promise_due="2026-03-02T15:00:00+00:00")
    assert verdicts(promised, "13:00") == ["renewed", "open"]
    assert verdicts(promised.said("2026-03-02 14:00"), "16:00") == ["renewed", "kept"]


def test_a_late_word_leaves_it_broken_and_says_how_late(promised):
    """The word that came is named."""
    (late,) = promises(trace(promised.said("2026-03-02 12:30").events), promised.at("2026-03-02 13:00"))
    assert (late.verdict, late.followed_by, late.followed_at) == (
        "broken",
        "e3",
        promised.at("2026-03-02 12:30"),
    )
    assert (late.by, late.wording, late.event, late.due) == (
        "ana",
        "d1",
        "e2",
        promised.at("2026-03-02 12:00"),
    )


@pytest.mark.parametrize(
    "said",
    [
        {"audience": "internal"},
        {"direction": "inbound"},
        {"automatic": True},
        {"by": Actor.automation("bot")},
    ],
)
def test_only_public_words_of_a_person_keep_a_promise(promised, said):
    """Notes, the requester's own words and machines keep nothing."""
    assert verdicts(promised.said("2026-03-02 11:00", **said), "13:00") == ["broken"]


def test_a_machine_may_promise_but_a_person_keeps(history):
    """An automatic reply that names a time binds us; an internal word promises nobody."""
    h = history().opened("2026-03-02 09:00").said("2026-03-02 09:01", automatic=True, promise_due=DUE)
    h.said("2026-03-02 09:02", audience="internal", promise_due=DUE)
    assert verdicts(h, "10:00") == ["open"]
    assert verdicts(h.said("2026-03-02 11:00"), "13:00") == ["kept"]


def test_a_text_of_a_timeline_or_promise_holds_no_words_and_no_people(promised):
    """The digest of words identifies them, and an id names a person: neither is for a log."""
    timeline = trace(promised.events)
    (promise,) = promises(timeline, promised.at("2026-03-02 13:00"))
    for shown in (repr(timeline), repr(promise), repr(timeline.promised)):
        assert "d1" not in shown
        assert "ana" not in shown


@pytest.mark.parametrize("listed", [promises, overruns])
def test_promises_and_overruns_are_those_of_a_timeline(promised, listed):
    """Events are not; the refusal says how to make a timeline of them."""
    at = promised.at("2026-03-02 13:00")
    with pytest.raises(
        InvalidValue, match=r"timeline .*: is no Timeline; make it of events: trace\(events\)"
    ):
        listed(promised.events, at)
