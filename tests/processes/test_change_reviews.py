"""The review after a change: whether one is owed, why, until when, and that none is dodged."""

import datetime as dt

import attrs
import pytest

from changing import (
    ANA,
    ANSWERS,
    DONE,
    END,
    FOUND,
    HOUR,
    IVO,
    MONA,
    REVIEWED,
    START,
    TICK,
    ask,
    does,
    expedited,
    found,
    implementing,
    in_review,
    opened,
    requested,
    scheduled,
    standard,
    voted,
)
from itsm_core.business_time import BusinessCalendar, never
from itsm_core.lifecycle import options
from itsm_core.processes import CHANGE, INCIDENT, retrospect_due, review_due, why_review
from itsm_core.processes.change_kinds import OUTCOMES
from itsm_core.processes.change_reviews import CAUSED_BY, CAUSES, RETROSPECT, SAMPLED, is_sampled

OFFICE = BusinessCalendar.weekly("mon-fri 09:00-17:00", zone="UTC")
UTC = dt.UTC
FRIDAY = dt.datetime(2024, 2, 9, 15, tzinfo=UTC)

OWES = ("missing_field", "missing_field", "review_owed")
"""What closing comes to that lacks the review: its result, its actions, and why it is owed."""


def change(kind="normal", *, id="CHG-1", state="review", outcome="successful", impact="low", **custom):
    """A row of a host's own that was implemented on a Friday."""
    held = {"change_kind": kind, "likelihood": "low", **custom}
    record = CHANGE.record(id, state, custom=held, impact=impact, resolution_outcome=outcome)
    return attrs.evolve(record, entered_at=FRIDAY)


# fmt: off
OWED = [
    # iso-20000.md 5.5 (column PIR) and 5.6; CHG-1 is not drawn, CHG-2 among half, CHG-13 among a tenth
    (change(),                                         None),
    (change(id="CHG-2"),                               None),
    (change(id="CHG-13"),                              "sampled"),
    (change(likelihood="medium", impact="medium"),     None),
    (change(id="CHG-2", likelihood="medium", impact="medium"), "sampled"),
    (change(likelihood="high", impact="high"),         "high_risk"),
    (change(service_change="new"),                     "high_risk"),
    (change("standard"),                               None),
    (change("standard", id="CHG-13"),                  None),
    (change("standard", outcome="failed"),             "unsuccessful"),
    (change(outcome="failed"),                         "unsuccessful"),
    (change(outcome="backed_out"),                     "unsuccessful"),
    (change(outcome="partial"),                        "unsuccessful"),
    (change(outcome="successful_with_issues"),         None),
    (change("emergency"),                              "emergency"),
    (change("emergency", outcome="failed"),            "emergency"),
    (change(found_by="audit"),                         "unauthorised"),
]
# fmt: on


@pytest.mark.parametrize(("record", "why"), OWED)
def test_a_review_is_owed_for_what_the_field_reviews(record, why):
    """Always for some, a sample of others, none for standard changes that went well."""
    assert why_review(record) == why


@pytest.mark.parametrize("priority", ["P1", "P2", "P3"])
@pytest.mark.parametrize("kind", ["normal", "standard"])
def test_a_change_that_caused_a_severe_incident_is_reviewed(priority, kind):
    """iso-20000.md 5.6: a change that caused P1 or P2, linked as its cause and at hand."""
    incident = INCIDENT.record("INC-1", priority=priority)
    record = change(kind)
    linked = attrs.evolve(record, links=((CAUSES, "INC-1"),))
    assert why_review(linked, [incident]) == ("caused_incident" if priority != "P3" else None)
    blaming = attrs.evolve(incident, links=((CAUSED_BY, "CHG-1"),))
    assert why_review(record, [blaming]) == ("caused_incident" if priority != "P3" else None)
    assert why_review(record, [attrs.evolve(incident, links=((CAUSED_BY, "CHG-2"),))]) is None
    assert (CAUSES, CAUSED_BY) == ("causes", "caused_by")
    assert why_review(linked) is None
    assert why_review(record, [incident]) is None
    assert why_review(attrs.evolve(record, links=(("parent", "INC-1"),)), [incident]) is None


def test_a_change_whose_approval_was_voided_while_it_ran_is_reviewed():
    """What was approved is not what was done."""
    record = does(implementing(), "amend", ANA, at=START, fields={"configuration_items": ["m2"]})
    record = in_review(record)
    assert why_review(record) == "approval_voided"
    assert why_review(in_review()) is None
    assert ask(record, "close", at=END).codes == OWES


def test_asking_anew_makes_up_for_nothing():
    """Only an approval does: a round that nobody voted in was no way out of the review."""
    record = in_review(does(implementing(), "amend", ANA, at=START, fields={"configuration_items": ["m2"]}))
    asked = requested(record, at=END)
    assert why_review(asked) == "approval_voided"
    assert ask(asked, "close", at=END).codes == OWES
    assert why_review(voted(asked, "pia", at=END)) is None
    broken = attrs.evolve(asked.round, rule=type(asked.values)({"panels": 5}))
    assert why_review(attrs.evolve(asked, rounds=(broken,))) == "approval_voided"


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        (START, END, None),
        (START - TICK, END, "outside_window"),
        (START, END + TICK, "outside_window"),
        (END + TICK, END + HOUR, "outside_window"),
    ],
)
@pytest.mark.parametrize("make", [implementing, lambda: implementing(standard())], ids=["normal", "standard"])
def test_work_outside_the_planned_window_is_reviewed(make, start, end, why):
    """CHG-17: actual not inside planned is a deviation; it is allowed, and does not go unseen."""
    record = does(
        make(), "complete", IVO, at=END + HOUR, fields={**DONE, "actual_start": start, "actual_end": end}
    )
    assert why_review(record) == why
    closing = ask(record, "close", at=END + HOUR)
    assert getattr(closing, "codes", ()) == (OWES if why else ())
    assert ask(record, "close", at=END + HOUR, fields=REVIEWED).accepted


@pytest.mark.parametrize("trigger", ["amend", "correct", "close"])
def test_no_word_about_the_time_of_the_work_saves_the_review(trigger):
    """Once it is in review its actual window stays as it was; it may be completed."""
    late = does(implementing(), "complete", IVO, at=END + HOUR, fields={**DONE, "actual_end": END + TICK})
    event = {"event": "CHG-1.9", "field": "actual_end", "now": END.isoformat(), "reason": "Wrong"}
    fields = event if trigger == "correct" else {"actual_end": END}
    decision = ask(late, trigger, at=END + HOUR, fields=fields)
    assert {"amend": "approved_stays", "correct": "decided_on", "close": "approved_stays"}[
        trigger
    ] in decision.codes
    if trigger == "correct":
        assert "actual_end is part of what is reviewed; write down in a note" in str(decision)
    silent = attrs.evolve(
        late, values=type(late.values)({n: v for n, v in late.values.items() if n != "actual_end"})
    )
    assert ask(silent, "amend", at=END + HOUR, fields={"actual_end": END}).accepted


# fmt: off
WORDS = [
    # why, in the words of iso-20000.md 5.5 and 5.6
    (change(found_by="audit"),                     "nobody had authorised it"),
    (change("emergency"),                          "it is an emergency"),
    (change(outcome="backed_out"),                 "its outcome is backed_out"),
    (change(likelihood="high", impact="high"),     "its risk is high"),
    (change(id="CHG-13"),                          "its id is in the sample: 10 of 100 changes of low risk"),
    (change(id="CHG-2", likelihood="medium", impact="medium"),
                                                   "its id is in the sample: 50 of 100 changes of moderate risk"),
    (change(planned_start=START, planned_end=END, actual_start=START - HOUR, actual_end=END),
                                                   "it began 2024-02-20T08:00:00+00:00, before its window"),
]
# fmt: on


@pytest.mark.parametrize(("record", "words"), WORDS)
def test_a_refusal_to_close_says_why_a_review_is_owed(record, words):
    """In plain words, and in the facts for programs."""
    decision = ask(record, "close", MONA, at=FRIDAY)
    (owed,) = [reason for reason in decision.reasons if reason.code == "review_owed"]
    assert owed.message == f"it is owed a review, because {words}; say what it found, and what follows"
    assert dict(owed.facts) == {"why": why_review(record), "field": "review_result"}
    assert len([reason for reason in decision.reasons if "other_way" in reason.code]) == 0


def test_what_voids_an_approval_or_causes_an_incident_is_said_as_well():
    """Whatever `why_review` answers has its words."""
    record = in_review(does(implementing(), "amend", ANA, at=START, fields={"configuration_items": ["m2"]}))
    assert "because its approval was voided, and nobody has approved it again" in str(
        ask(record, "close", at=END)
    )
    linked = attrs.evolve(change(), links=((CAUSES, "INC-1"),))
    decision = ask(linked, "close", at=FRIDAY, related=(INCIDENT.record("INC-1", priority="P2"),))
    assert "because it caused an incident of P1 or P2" in str(decision)


def test_why_a_review_is_owed_is_said_until_it_is_done():
    """Its result alone is half of it; then the actions are named."""
    failed = in_review(resolution_outcome="failed")
    half = ask(failed, "close", at=END, fields={"review_result": "No use"})
    assert half.codes == ("missing_field", "review_owed")
    assert dict(half.reasons[1].facts) == {"why": "unsuccessful", "field": "review_actions"}
    known = does(failed, "amend", at=END, fields=REVIEWED)
    assert ask(known, "close", at=END).accepted
    assert ask(in_review(), "close", at=END).accepted  # nothing is owed


def test_the_button_to_close_says_why_it_asks_for_a_review():
    """It is no bar: the form that it opens asks for the review."""
    (button,) = [
        one for one in options(change("emergency"), MONA, CHANGE, at=FRIDAY) if one.trigger == "close"
    ]
    assert button.enabled
    (note,) = button.notes
    assert note.message.startswith("it is owed a review, because it is an emergency")
    done = does(in_review(resolution_outcome="failed"), "amend", at=END, fields=REVIEWED)
    for record in (in_review(), done):
        (button,) = [one for one in options(record, ANA, CHANGE, at=END) if one.trigger == "close"]
        assert (button.enabled, button.notes) == (True, ())


def test_the_sample_is_a_share_and_nobody_picks_it():
    """iso-20000.md 5.5: 10 % of low, 50 % of moderate; the same answer for ever, and nested."""
    assert {risk.value: share for risk, share in SAMPLED.items()} == {"low": 10, "moderate": 50, "high": 100}
    ids = [f"CHG-{n}" for n in range(10_000)]
    assert 900 < sum(is_sampled(one, 10) for one in ids) < 1100
    assert 4800 < sum(is_sampled(one, 50) for one in ids) < 5200
    assert all(is_sampled(one, 50) for one in ids if is_sampled(one, 10))
    assert all(is_sampled(one, 100) for one in ids)
    assert not any(is_sampled(one, 0) for one in ids)
    assert [n for n in range(1, 18) if is_sampled(f"CHG-{n}", 10)] == [13, 14, 17]


# --- until when ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "due"),
    [
        # iso-20000.md 5.6: due 5 business days, emergency 5, failed 3; from Friday 15:00
        (change(likelihood="high", impact="high"), dt.datetime(2024, 2, 16, 15, tzinfo=UTC)),
        (change("emergency"), dt.datetime(2024, 2, 16, 15, tzinfo=UTC)),
        (change(found_by="audit"), dt.datetime(2024, 2, 16, 15, tzinfo=UTC)),
        (change(outcome="failed"), dt.datetime(2024, 2, 14, 15, tzinfo=UTC)),
        (change("emergency", outcome="backed_out"), dt.datetime(2024, 2, 14, 15, tzinfo=UTC)),
        (change(), None),
        (change("emergency", state="implement"), None),
        (change("emergency", state="closed"), None),
    ],
)
def test_a_review_is_due_some_business_days_after_the_work(record, due):
    """The sooner of two where both apply; nothing is due before, or once it is closed."""
    assert review_due(record, OFFICE) == due


def test_without_a_calendar_every_day_is_one():
    """And where the calendar never opens, nothing falls due."""
    assert review_due(change("emergency")) == FRIDAY + 5 * 24 * HOUR
    assert review_due(change("emergency"), never("UTC")) is None
    assert review_due(attrs.evolve(change("emergency"), entered_at=None)) is None
    linked = attrs.evolve(change(), links=((CAUSES, "INC-1"),))
    related = [INCIDENT.record("INC-1", priority="P1")]
    assert review_due(linked, OFFICE, related) == dt.datetime(2024, 2, 16, 15, tzinfo=UTC)


def test_the_record_of_an_emergency_is_complete_a_day_after_the_work():
    """CHG-16: 24 hours of real time."""
    assert retrospect_due(change("emergency")) == FRIDAY + RETROSPECT == FRIDAY + 24 * HOUR
    assert retrospect_due(change("normal")) is None
    assert retrospect_due(change("emergency", state="closed")) is None
    assert retrospect_due(attrs.evolve(change("emergency"), entered_at=None)) is None


# --- closing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("kind", ["normal", "standard"])
def test_a_change_closes_with_its_review_where_one_is_owed(kind, outcome):
    """CHG-12, CHG-13: a result, and actions or why there are none."""
    made = implementing() if kind == "normal" else implementing(standard())
    record = in_review(made, resolution_outcome=outcome)
    owed = outcome in ("partial", "backed_out", "failed")
    bare = ask(record, "close", at=END)
    assert bare.accepted is not owed
    if owed:
        assert bare.codes == OWES
    reviewed = {"review_result": "No use", "no_actions_reason": "It will not be tried again"}
    assert ask(record, "close", at=END, fields=reviewed).accepted


def test_no_word_at_closing_saves_the_review():
    """An outcome that gets better by being closed, a risk that shrinks: it is owed all the same."""
    failed = in_review(resolution_outcome="failed")
    better = {"resolution_outcome": "successful"}
    assert ask(failed, "close", at=END, fields=better).codes == OWES
    assert ask(failed, "close", at=END, fields={**better, **REVIEWED}).accepted
    worse = ask(in_review(), "close", at=END, fields={"resolution_outcome": "failed"})
    assert worse.codes == OWES


def asked_for(record):
    """The fields that closing a change lacks."""
    reasons = ask(record, "close", MONA, at=END).reasons
    return {dict(reason.facts)["field"] for reason in reasons if reason.code == "missing_field"}


def test_each_closes_in_its_own_way():
    """The refusal names what its own way needs, and nothing of another's."""
    review = {"review_result", "review_actions"}
    classified = {"category", "service_change"}
    emergency = in_review(implementing(scheduled(expedited(), "mona", "dora")))
    assert asked_for(emergency) == {*classified, *ANSWERS, "backout_plan", *review}
    assert asked_for(found()) == {*classified, "resolution_outcome", *review}
    both = does(opened("emergency"), "report_unauthorised", fields=FOUND)
    assert asked_for(both) == asked_for(found())
    assert asked_for(in_review(resolution_outcome="failed")) == review
    assert ask(found(), "close", MONA).codes == (*["missing_field"] * 5, "review_owed", "not_decided")
