"""`history_from_changes`: a host's change rows as events, with findings."""

import datetime as dt
import pickle
from zoneinfo import ZoneInfo

import pytest

from itsm_core.actors import Actor, ActorKind
from itsm_core.business_time import BusinessCalendar, hours
from itsm_core.errors import InvalidInput, InvalidValue
from itsm_core.events import Communication, Direction, Phase, WaitsOn
from itsm_core.importers import Finding, History, history_from_changes
from itsm_core.lifecycle import StateMap
from itsm_core.priority import Level, Priority
from itsm_core.records import fold
from itsm_core.sla import Metric, Target, Verdict, evaluate

T0 = dt.datetime(2024, 2, 5, 9, 0, tzinfo=dt.UTC)
BERLIN = ZoneInfo("Europe/Berlin")
THEIRS = StateMap("theirs", {
    "New": "new", "Active": "in_progress", "On Hold": "on_hold", "Awaiting Caller": "on_hold/requester",
    "Awaiting Vendor": "on_hold/supplier", "Done": "resolved", "Closed": "closed",
})  # fmt: skip


def at(minutes):
    return T0 + dt.timedelta(minutes=minutes)


def told(*rows, **options):
    """The history of rows (minute, field, old, new) by ana."""
    full = [(at(minute), field, old, new, "ana") for minute, field, old, new in rows]
    return history_from_changes(full, record="INC1", **{"states": THEIRS, **options})


def states(history):
    return [(e.from_state, e.to_state) for e in history if e.kind == "transitioned"]


def codes(history):
    return [finding.code for finding in history.findings]


# --- states ----------------------------------------------------------------------------------


def test_a_history_of_changes_is_what_the_fold_reads():
    """States become transitions with the lifecycle's trigger, and the fold gives the record."""
    history = told((0, "state", None, "New"), (5, "state", "New", "Active"), (9, "status", "Active", "Done"))
    record = fold(history)
    assert (record.state, record.phase, record.id) == ("resolved", Phase.RESOLVED, "INC1")
    assert [e.fields.get("trigger") for e in history] == [None, "start", "resolve"]
    assert [e.seq for e in history] == [1, 2, 3]
    assert not history.findings


def test_words_without_a_map_are_ours():
    """Without a StateMap the host's words are our states, holds with their reason."""
    rows = [(0, "state", "new", "on_hold/supplier"), (1, "state", "on_hold/supplier", "x")]
    history = told(*rows, states=None)
    assert fold(history).waits_on is WaitsOn.SUPPLIER
    assert codes(history) == ["unknown_state"]


def test_a_record_opens_in_the_state_its_first_row_comes_from():
    """The `old` of the first state row is where the record stood before."""
    history = told((0, "state", "Active", "Done"))
    assert (history[0].kind, history[0].to_state) == ("opened", "in_progress")
    assert states(history) == [("in_progress", "resolved")]


def test_a_first_state_without_old_is_a_start_and_no_move():
    """Where nothing says what went before, the event has no `from_state`, and nothing is guessed."""
    history = told((0, "state", None, "Done"), opened_at=at(-60))
    assert history[0].occurred_at == at(-60)
    assert history[0].to_state == "new"
    assert states(history) == [(None, "resolved")]
    assert not history.findings


def test_a_move_outside_the_lifecycle_is_kept_and_reported():
    """Closed to Active happened; it has no trigger, and the record counts as reopened."""
    history = told((0, "state", "Done", "Closed"), (1, "state", "Closed", "Active"))
    assert codes(history) == ["move_outside"]
    assert "closed to in_progress" in history.findings[0].message
    assert "trigger" not in history[-1].fields
    assert fold(history).reopened == 1


def test_a_reopening_says_how_clocks_go_on():
    """A move that the lifecycle calls a reopening carries its `reopens`."""
    history = told((0, "state", "Done", "Active"))
    assert history[-1].fields["reopens"] == "resume"


def test_an_unknown_state_leaves_the_record_as_it_was():
    """A word that the map lacks is reported with its value, not guessed."""
    history = told((0, "state", None, "Active"), (1, "state", "Active", "-100"), (2, "state", "-100", "Done"))
    assert states(history) == [(None, "in_progress"), ("in_progress", "resolved")]
    (finding,) = history.found("unknown_state")
    assert (finding.row, finding.value) == (2, "-100")
    assert str(finding).startswith("row 2: ")


def test_a_missing_revision_is_a_gap():
    """A row that comes from another state than the last row led to says that one is missing."""
    history = told((0, "state", "New", "Active"), (1, "state", "Done", "Closed"))
    assert codes(history) == ["gap"]
    assert states(history)[-1] == ("resolved", "closed")


def test_the_same_state_again_is_no_event():
    """A row that changes nothing makes nothing."""
    assert len(told((0, "state", None, "Active"), (1, "state", None, "Active"))) == 2


# --- holds -----------------------------------------------------------------------------------


def test_a_hold_takes_its_reason_from_the_map():
    """`Awaiting Caller` is a hold for the requester."""
    event = told((0, "state", "Active", "Awaiting Caller"))[-1]
    assert (event.fields["waits_on"], event.fields["hold_reason"]) == ("requester", "requester")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("word", ["supplier", "Awaiting Vendor"])
def test_a_hold_takes_its_reason_from_a_change_at_the_same_instant(order, word):
    """Whichever of the two rows comes first; the word is ours or the map's."""
    rows = [(1, "state", "Active", "On Hold"), (1, "hold_reason", None, word)]
    history = told((0, "state", "New", "Active"), *(rows[i] for i in order))
    assert fold(history).waits_on is WaitsOn.SUPPLIER
    assert len(states(history)) == 2


def test_another_reason_of_the_same_hold_is_no_move_but_changes_who_is_waited_for():
    """The state stays, the wait is another."""
    history = told((0, "state", "Active", "Awaiting Caller"), (1, "hold_reason", None, "supplier"))
    assert states(history)[-1] == ("on_hold", "on_hold")
    assert fold(history).waits_on is WaitsOn.SUPPLIER


def test_a_reason_taken_away_pauses_nothing_any_more():
    """A hold whose reason is cleared waits for nobody."""
    history = told((0, "state", "Active", "Awaiting Caller"), (1, "hold_reason", "requester", None))
    assert fold(history).waits_on is None


def test_a_reason_outside_a_hold_is_a_note():
    """Neither before the first state nor at work does a hold reason move anything."""
    rows = [(0, "hold_reason", None, "supplier"), (1, "state", None, "Active"), (2, "waits_on", "a", "b")]
    history = told(*rows)
    assert [e.kind for e in history] == ["opened", "noted", "transitioned", "noted"]


def test_a_reason_that_nobody_knows_is_reported_and_pauses_nothing():
    """An unknown hold reason leaves the hold without one."""
    history = told((0, "state", "Active", "On Hold"), (0, "hold_reason", None, "weather"))
    assert codes(history) == ["unknown_value"]
    assert fold(history).waits_on is None


def test_a_reason_beside_a_move_to_work_says_nothing():
    """The reason of an instant belongs to a hold; a move to another state leaves it."""
    history = told((0, "state", "New", "Active"), (0, "hold_reason", None, "supplier"))
    assert fold(history).waits_on is None
    assert len(history) == 2


# --- beside the state ------------------------------------------------------------------------


def test_priority_impact_and_urgency_of_one_instant_are_one_event():
    """Rows of one instant and person about the priority make one `reprioritised` event."""
    history = told(
        (0, "state", None, "New"), (1, "impact", "3 - Low", "1"), (1, "urgency", None, "high"),
        (1, "priority", "4 - Low", "1 - Critical"), (2, "priority", "P1", "P2"),
    )  # fmt: skip
    assert [e.kind for e in history] == ["opened", "reprioritised", "reprioritised"]
    assert (history[0].fields["impact"], history[0].fields["priority"]) == (Level.LOW, Priority.P4)
    record = fold(history)
    assert (record.priority, record.impact, record.urgency) == (Priority.P2, Level.HIGH, Level.HIGH)


def test_a_priority_that_is_none_is_reported_and_left():
    """A word that is no priority changes nothing."""
    history = told((0, "priority", "P3", "soon"))
    assert codes(history) == ["unknown_value"]
    assert fold(history).priority is Priority.P3
    assert history.findings[0].value == "soon"


def test_group_and_assignee_of_one_instant_are_one_event():
    """Assignments merge like priorities, and what went before stands on the opening."""
    history = told((0, "group", "a", "b"), (0, "assignee", None, "ben"), (1, "owner", None, 7.5))
    assert [e.kind for e in history] == ["opened", "assigned", "assigned"]
    record = fold(history)
    assert (history[0].fields["group"], record.group, record.assignee) == ("a", "b", "ben")
    assert record.owner == "7.5"
    assert record.reassigned == 1


def test_the_same_field_twice_in_an_instant_is_two_events():
    """Merging never hides a value."""
    history = told((0, "group", None, "a"), (0, "group", "a", "b"))
    assert [e.fields.get("group") for e in history] == [None, "a", "b"]


def test_words_know_their_direction():
    """A reply goes out; a comment comes in if the requester wrote it."""
    rows = [
        (at(0), "comment", None, "help", "rita"),
        (at(1), "comment", None, "coming", "ana"),
        (at(2), "reply", None, "done", "ana"),
        (at(3), "note", None, "was a cable", "ana"),
        (at(4), "work_notes", None, None, None),
    ]
    history = history_from_changes(rows, record="INC1", requester="rita")
    words = [Communication.of(e) for e in history if e.kind == "communicated"]
    assert [w.direction for w in words] == [Direction.INBOUND, Direction.OUTBOUND, Direction.OUTBOUND]
    assert [w.answers for w in words] == [False, True, True]
    assert [e.kind for e in history][-2:] == ["noted", "noted"]
    assert "messages" not in history[0].fields
    assert "text" in history[-2].personal
    assert history[-1].actor.kind is ActorKind.AUTOMATION


def test_an_announcement_goes_to_the_public():
    """Also where the requester made it; the others go to the requester."""
    rows = [
        (at(0), "announcement", None, "Mail is down.", "rita"),
        (at(1), "reply", None, "Yours too.", "ana"),
    ]
    history = history_from_changes(rows, record="INC1", requester="rita")
    words = [Communication.of(e) for e in history if e.kind == "communicated"]
    assert [(w.direction, w.audience) for w in words] == [("outbound", "public"), ("outbound", "requester")]
    assert "messages" not in history[0].fields


@pytest.mark.parametrize("field", ["reply", "announcement"])
@pytest.mark.parametrize("text", [None, ""])
def test_words_whose_text_the_host_did_not_keep_are_words_without_text(field, text):
    """Somebody spoke; what was said nobody knows, so it has no digest either."""
    event = told((0, field, None, text))[-1]
    assert event.kind == "communicated"
    assert event.fields.keys() == {"direction", "audience"}


def test_a_comment_of_nobody_knows_whom_is_kept_as_a_note():
    """Without a requester a comment has no direction, and none is guessed."""
    history = told((0, "comment", None, "hello"))
    assert codes(history) == ["direction_unknown"]
    assert history[-1].kind == "noted"


def test_other_fields_are_kept_as_notes_with_their_facts():
    """Nothing is lost: field, was and now, as text where needed, personal where the field is."""
    history = told((0, "category", "a", 1.5), (1, "title", "Anna's mail", "Mail"))
    assert dict(history[1].fields) == {"field": "category", "was": "a", "now": "1.5"}
    assert set(history[2].personal) == {"was", "now"}
    assert "Anna" not in repr(history[2])


# --- rows ------------------------------------------------------------------------------------


def test_rows_may_be_mappings_and_actors_whole():
    """The five keys by name; an Actor is taken as it is."""
    bot = Actor.automation("bot")
    row = {"at": at(0), "field": "state", "old": None, "new": "New", "by": bot, "further": 1}
    assert history_from_changes([row], record="INC1", states=THEIRS)[0].actor is bot


def test_rows_out_of_order_are_put_in_place_and_reported():
    """Order is by instant, and row order decides at equal instants."""
    last = (5, "state", "Done", "Closed")
    history = told((5, "state", "Active", "Done"), (0, "state", "New", "Active"), last)
    assert [e.to_state for e in history] == ["new", "in_progress", "resolved", "closed"]
    assert codes(history) == ["out_of_order"]


def test_the_same_row_again_is_left_out_and_reported():
    """At once, too late, or in a run of repeats."""
    rows = [(0, "state", "New", "Active"), (1, "state", "Active", "Done"), (1, "state", "Done", "Closed")]
    history = told(rows[0], *rows, *rows)
    assert codes(history) == ["duplicate"] * 4
    assert states(history) == [("new", "in_progress"), ("in_progress", "resolved"), ("resolved", "closed")]


def test_states_that_take_turns_within_an_instant_are_no_repeats():
    """There and back and there again in one minute: three moves."""
    there, back = (1, "state", "Active", "Awaiting Caller"), (1, "state", "Awaiting Caller", "Active")
    history = told((0, "state", "New", "Active"), there, back, there, back)
    assert not history.findings
    assert len(states(history)) == 5


def test_naive_instants_take_the_zone_or_are_refused():
    """A naive datetime means nothing until a zone says what; ISO texts likewise."""
    naive = (dt.datetime(2024, 7, 1, 12), "state", None, "new", None)
    history = history_from_changes([naive], record="INC1", zone="Europe/Berlin")
    assert history[0].occurred_at == dt.datetime(2024, 7, 1, 10, tzinfo=dt.UTC)
    texts = history_from_changes([("2024-07-01T12:00", *naive[1:])], record="INC1", zone=BERLIN)
    assert texts == history
    with pytest.raises(InvalidInput, match=r"changes, line 1: at .* has no zone.*zone="):
        history_from_changes([naive], record="INC1")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((T0, "state", "new"), "is no change"),
        ((T0, 1, None, "new", None), "is no change"),
        (("yesterday", "state", None, "new", None), "is no instant"),
        ((5, "state", None, "new", None), "is no datetime"),
    ],
)
def test_a_row_that_says_nothing_is_refused_by_number(row, said):
    """Leniency ends where there is nothing to read."""
    good = (T0, "state", None, "new", None)
    with pytest.raises(InvalidInput, match="changes, line 2: .*" + said):
        history_from_changes([good, row], record="INC1")


def test_no_rows_need_an_opening():
    """A record without changes is opened, and without an instant it is nothing."""
    history = history_from_changes([], record="INC1", opened_at=T0)
    assert [(e.kind, e.actor.id) for e in history] == [("opened", "unknown")]
    with pytest.raises(InvalidValue, match="opened_at"):
        history_from_changes([], record="INC1")


def test_an_opening_after_the_first_row_is_reported():
    """The record opens with its first row then."""
    history = told((0, "state", None, "New"), opened_at=at(5))
    assert codes(history) == ["opened_late"]
    assert history[0].occurred_at == at(0)


def test_the_requester_opened_what_was_opened_before_its_first_row():
    """Unless somebody says who did."""
    assert told((0, "state", None, "New"), opened_at=at(-5), requester="rita")[0].actor.id == "rita"
    assert told((0, "state", None, "New"), requester="rita")[0].actor.id == "ana"


def test_fields_of_the_opening_are_on_the_opening():
    """What the host knows of the record goes into `opened`, personal fields marked."""
    known = {"title": "No mail", "service": "mail"}
    history = told((0, "state", None, "New"), fields=known, opened_by="rita")
    assert history[0].fields["title"] == "No mail"
    assert set(history[0].personal) == {"title"}
    assert history[0].actor.id == "rita"


def test_a_history_is_a_tuple_that_pickles():
    """Plain tuple behaviour, findings included when copied."""
    history = told((0, "state", None, "-100"))
    assert isinstance(history, tuple)
    again = pickle.loads(pickle.dumps(history))
    assert again == history
    assert again.findings == history.findings
    assert History() == ()
    assert str(Finding("gap", "a row is missing")) == "a row is missing"


# --- clocks ----------------------------------------------------------------------------------


def clock(history, metric=Metric.RESPONSE):
    target = Target("t", metric, duration=hours(1), calendar=BusinessCalendar.always("UTC"))
    return evaluate(history, target, at(600))


def test_without_messages_a_response_is_unknown_unless_contact_was_live():
    """A table without messages cannot show an answer; a phone call is one."""
    rows = ((0, "state", None, "New"), (300, "state", "New", "Done"))
    assert clock(told(*rows)).verdict is Verdict.UNKNOWN
    assert clock(told(*rows, channel="phone")).verdict is Verdict.MET
    assert clock(told(*rows), Metric.RESOLUTION).verdict is Verdict.BREACHED


def test_a_host_that_holds_messages_is_held_to_them():
    """With `messages=True` a record without any reply is breached, not unknown."""
    assert clock(told((0, "state", None, "New"), messages=True)).verdict is Verdict.BREACHED
    assert clock(told((0, "reply", None, "here"))).verdict is Verdict.MET


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"states": StateMap("shop", {"Open": "nwe"})},
            "^state of 'Open' 'nwe': is no state of incident 1; use",
        ),
        ({"states": StateMap("shop", {"Open": "new/supplier"})}, "give reasons to holds only"),
        ({"states": {"Open": "new"}}, r"is no StateMap; wrap it: StateMap\("),
        ({"lifecycle": "incident"}, "^lifecycle 'incident': is no Lifecycle"),
        ({"record": 5}, "^record 5: is no text"),
        ({"record": ""}, "^record '': has no id"),
        ({"rows": 5}, "^rows 5: are no list of changes"),
        ({"rows": "new"}, "^rows 'new': are no list of changes"),
        ({"rows": [5]}, r"^changes, line 1: row 5: is no change; give \(at, field, old, new, by\)"),
        ({"rows": ["x"]}, "^changes, line 1: row 'x': is no change"),
        ({"zone": "Mars"}, "is not in the IANA time-zone database"),
        ({"zone": 5}, "is not in the IANA time-zone database"),
        ({"fields": 5}, "^fields 5: are no mapping"),
    ],
)
def test_a_call_that_cannot_be_meant_is_refused_by_name(wrong, message):
    """The rows have happened and are taken as they are; a typing error in the call has not."""
    good = {"rows": [(at(0), "state", "Open", "Open", "ana")], "record": "INC1"}
    call = {**good, **wrong}
    with pytest.raises(InvalidValue, match=message):
        history_from_changes(call.pop("rows"), **call)
