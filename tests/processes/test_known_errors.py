"""Known errors: derived from a problem, never a state; workarounds by version."""

from itertools import pairwise

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm_core.commands import Command
from itsm_core.events import correction
from itsm_core.lifecycle import decide
from itsm_core.processes import PROBLEM, known_error, workarounds
from itsm_core.records import fold
from walking import ACTORS, DAY, T

ANA, BO = ACTORS["agent"], ACTORS["manager"]


def problem(state, **custom):
    """A problem in a state."""
    record = PROBLEM.record("PRB-1", state, custom=custom)
    return attrs.evolve(record, outcome=PROBLEM.by_id[state].outcome)


# fmt: off
FACTS = [
    # iso-20000.md 5.8: (root cause or impact-reducing method) and not permanently fixed; the columns are
    # state, causes, workaround, whether it is a known error
    ("new",                 ["a leak"], None,            True),   # found together with its cause
    ("new",                 None,       "Restart daily", True),
    ("new",                 None,       None,            False),
    ("assess",              None,       "Restart daily", True),
    ("root_cause_analysis", [],         "",              False),
    ("root_cause_analysis", ["a leak"], "Restart daily", True),
    ("fix_in_progress",     ["a leak"], None,            True),
    ("on_hold",             ["a leak"], None,            True),
    ("resolved",            ["a leak"], "Restart daily", False),  # permanently fixed, as far as one knows
    ("closed",              ["a leak"], "Restart daily", False),
    ("risk_accepted",       ["a leak"], "Restart daily", True),   # nothing was fixed
    ("risk_accepted",       None,       None,            False),
    ("duplicate",           ["a leak"], "Restart daily", False),  # known through the other problem
    ("cancelled",           ["a leak"], "Restart daily", False),
]
# fmt: on


@pytest.mark.parametrize(("state", "causes", "workaround", "known"), FACTS)
def test_a_known_error_is_a_cause_or_a_workaround_and_no_permanent_fix(state, causes, workaround, known):
    """Whatever else is said about it."""
    found = known_error(problem(state, causes=causes, workaround=workaround))
    assert (found is not None) is known
    if found is not None:
        assert found.problem == "PRB-1"
        assert (found.causes, found.workaround) == (tuple(causes or ()), workaround or None)


def test_every_state_is_looked_at():
    """The table above has a row for each."""
    assert {state for state, *_ in FACTS} == set(PROBLEM.by_id)


def test_a_known_error_says_who_can_read_it_and_what_it_owes():
    """PRB-10 to PRB-12: a cause without a workaround, an audience, and when somebody last looked."""
    bare = known_error(problem("assess", causes=["a leak"]))
    assert (bare.lacks_workaround, bare.is_published, bare.reviewed_at) == (True, False, None)
    held = {
        "workaround": "Restart",
        "published_to": ["agents", "users"],
        "reviewed_at": "2024-02-05T09:00:00Z",
    }
    told = known_error(problem("assess", **held))
    assert (told.lacks_workaround, told.is_published) == (False, True)
    assert (told.published_to, told.reviewed_at) == (("agents", "users"), T)


@pytest.mark.parametrize(
    ("held", "causes"), [("a leak", ("a leak",)), ("", None), (5, None), ({"a": 1}, None), (True, None)]
)
def test_a_row_of_a_hosts_own_may_hold_one_cause_as_a_text(held, causes):
    """It is not its letters; and what is no list says nothing."""
    found = known_error(problem("assess", causes=held))
    assert (None if found is None else found.causes) == causes
    told = known_error(problem("assess", workaround="Restart", published_to=held))
    assert told.published_to == (causes or ())


def test_a_review_date_that_is_none_says_nothing():
    """A row of a host may hold anything."""
    assert known_error(problem("assess", causes=["a leak"], reviewed_at="long ago")).reviewed_at is None


# --- workarounds -----------------------------------------------------------------------------------


def history(*said, opening=None):
    """The events of a problem to which these fields were amended, one a day, by turns by two people."""
    fields = {"record": "PRB-1", "title": "Mail stops", **(opening or {})}
    events = [*decide(None, Command("open", ANA, at=T, fields=fields), PROBLEM).events]
    for day, fields in enumerate(said, start=1):
        command = Command("amend", (ANA, BO)[day % 2], at=T + day * DAY, fields=fields)
        decision = decide(fold(events), command, PROBLEM)
        assert decision.accepted, decision
        events += decision.events
    return events


def told(events):
    """Versions, words and who wrote them."""
    return [(one.version, one.text, one.by) for one in workarounds(events)]


def test_each_change_of_the_words_is_a_version():
    """With its instant and its author; the same words again are no new version, other fields none."""
    events = history(
        {"workaround": "Restart daily"},
        {"workaround": "Restart daily"},
        {"causes": ["a leak"]},
        {"workaround": "Restart twice a day"},
        opening={"workaround": "Restart when it stops"},
    )
    assert told(events) == [
        (1, "Restart when it stops", "ana"),
        (2, "Restart daily", "mona"),
        (3, "Restart twice a day", "ana"),
    ]
    assert [one.at for one in workarounds(events)] == [T, T + DAY, T + 4 * DAY]


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_workaround_can_be_withdrawn(nothing):
    """It was there, and is not any more; nothing is withdrawn that was never said."""
    assert told(history({"workaround": "Restart"}, {"workaround": nothing})) == [
        (1, "Restart", "mona"),
        (2, None, "ana"),
    ]
    assert told(history({"workaround": nothing})) == []


def test_a_step_may_bring_a_workaround_and_a_note_may_not():
    """Whatever changes the record counts; what is only said does not."""
    events = history()
    for trigger, fields in (("assess", {"workaround": "Restart"}), ("note", {"text": "workaround"})):
        command = Command(trigger, ANA, at=T + DAY, fields=fields)
        events += decide(fold(events), command, PROBLEM).events
    assert told(events) == [(1, "Restart", "ana")]
    for trigger, fields in (("assign", {"group": "mail"}), ("reprioritise", {"impact": "low"})):
        command = Command(trigger, BO, at=T + 2 * DAY, fields={**fields, "workaround": trigger})
        events += decide(fold(events), command, PROBLEM).events
    assert told(events) == [(1, "Restart", "ana"), (2, "assign", "mona"), (3, "reprioritise", "mona")]
    assert fold(events).values["workaround"] == "reprioritise"


def test_a_corrected_workaround_keeps_its_version():
    """A slip of the pen is mended where it was made."""
    events = history({"workaround": "Restrat"}, {"workaround": "Restart daily"})
    fields = correction(events[1], "workaround", "Restart", "a slip")
    mend = attrs.evolve(events[2], id="mend", seq=4, kind="corrected", fields=fields)
    assert told([*events, mend]) == [(1, "Restart", "mona"), (2, "Restart daily", "ana")]


@pytest.mark.law
@given(st.lists(st.sampled_from(["a", "b", "", None]), max_size=8), st.randoms())
def test_versions_count_up_and_differ_whatever_the_order_of_the_events(words, random):
    """Numbers 1, 2, 3; neighbours differ; the last one is what the record holds."""
    events = history(*({"workaround": word} for word in words))
    shuffled = random.sample(events, len(events))
    found = workarounds(shuffled)
    assert [one.version for one in found] == list(range(1, len(found) + 1))
    assert all(one.text != other.text for one, other in pairwise(found))
    last = found[-1].text if found else None
    assert last == (fold(events).values.get("workaround") or None)
    assert all(one.at > T for one in found)
