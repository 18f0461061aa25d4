"""A step: one command given to one record, and all that became of it."""

import attrs

from itsm_core import Command, fold, options
from itsm_core.lifecycle import CustomField
from itsm_core.processes import INCIDENT
from itsm_core.testing import walk
from itsm_core.testing.laws import obey
from itsm_core.testing.steps import taken
from itsm_core.testing.walking import START
from itsm_core.values import to_dict
from walking import ACTORS, DAY, HOUR

ANA, RITA = ACTORS["agent"], ACTORS["requester"]
OPENED = walk(INCIDENT, ())
LATER = START + 2 * HOUR


def step(trigger, history=OPENED, actor=ANA, *, at=LATER, fields=None, **known):
    """A command of ana's."""
    return taken(INCIDENT, Command(trigger, actor, at=at, fields=fields or {}), history, **known)


def test_a_step_that_opens_a_record_has_nothing_before_it():
    """And the record afterwards."""
    opened = step("open", (), fields={"record": "R-1", "title": "x"})
    assert (opened.before, opened.was, opened.history, opened.transition) == (None, None, (), None)
    assert opened.after.state == "new"
    assert opened.events == opened.decision.events
    assert opened.options(ANA) == ()
    assert str(opened).startswith(
        "open on nothing by ana (agent) at 2024-02-05T11:00:00+00:00, fields {record='R-1'"
    )


def test_a_step_that_moves_a_record_knows_both():
    """Before, after, and the event in between."""
    started = step("start")
    assert (started.before.state, started.after.state) == ("new", "in_progress")
    assert started.was == to_dict(fold(OPENED))
    assert started.transition is started.decision.events[0]
    assert fold(started.events) == started.after
    assert str(started) == "start on a record in new by ana (agent) at 2024-02-05T11:00:00+00:00, fields {}"


def test_a_step_that_is_refused_leaves_the_record_as_it_was():
    """Nothing happened."""
    refused = step("start", actor=RITA)
    assert refused.after == refused.before
    assert refused.events == OPENED
    assert "by rita (no role)" in str(refused)


def test_what_is_late_or_corrected_is_told_anew():
    """The record is what the whole history says."""
    noted = step("note", at=START + DAY, fields={"text": "x"})
    late = taken(INCIDENT, Command("note", ANA, at=LATER, fields={"text": "y"}), noted.events)
    assert late.after == fold(late.events)
    fields = {"event": OPENED[0].id, "field": "title", "now": "Printer", "reason": "typo"}
    assert step("correct", fields=fields).after.title == "Printer"


def test_circumstances_are_those_of_the_step():
    """Fields of the host, records beside it, what was seen."""
    room = CustomField("room", "text")
    started = step("start", fields={"room": "12"}, custom=(room,))
    assert started.decision.accepted
    assert started.decided(started.command) == started.decision
    assert not attrs.evolve(started, custom=()).decided(started.command).accepted
    beside = INCIDENT.record("R-2", "new")
    assert step("start", related=(beside,)).situation(started.before).related == (beside,)
    assert started.options(RITA) == options(started.before, RITA, INCIDENT, at=LATER)


def test_guards_see_when_it_became_known():
    """In the laws as in `decide`: a guard that asks for it breaks none."""

    def is_told_later(situation):
        return None if situation.recorded_at else "say when it became known"

    steps = INCIDENT.derive("ours").guard("is_told_later", is_told_later)
    ours = steps.restrict("start", guards="is_told_later").build()
    history = walk(ours, ())
    told = taken(ours, Command("start", ANA, at=LATER, recorded_at=LATER + HOUR / 2), history)
    assert told.decision.accepted
    obey(told)
    untold = taken(ours, Command("start", ANA, at=LATER), history)
    assert untold.decision.codes == ("guard",)
    obey(untold)
