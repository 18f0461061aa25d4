"""The table of propagation against one written by hand from the references; overriding and checking it."""

import json

import attrs
import pytest

from itsm_core.business_time import business_days
from itsm_core.errors import InvalidValue
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle import CustomField, State, Transition
from itsm_core.processes import INCIDENT, PROPAGATIONS, SHIPPED, TASK, Propagation
from itsm_core.processes.propagation import checked, overridden, rows_of
from itsm_core.values import canonical, from_dict, to_dict

# --- the golden table --------------------------------------------------------------------------

CHILD = {"process": "incident", "relation": "parent_of", "inverse": "child_of", "other": "incident"}
CAUSED = {"process": "problem", "relation": "causes", "inverse": "caused_by", "other": "incident"}
FIXED = {"process": "change", "relation": "fixes", "inverse": "fixed_by"}
PART = {"relation": "task", "inverse": "part_of", "other": "task"}
ITEM = {
    "process": "task",
    "relation": "part_of",
    "inverse": "task",
    "other": "service_request",
    "states": ("fulfilment", "on_hold"),
}
NOTES = {"resolution_notes": "resolution_notes"}
BEYOND = ("change", "problem", "supplier")
WELL = {"resolution_outcome": ("successful",)}

# fmt: off
GOLDEN = {
    # id: (what says so, all that is not left to its default; of words the fields alone)
    "children_start": ("platforms.md 2.5: parent In Progress -> child In Progress",
        {**CHILD, "on": ("start", "resume"), "asks": "start", "phases": ("new",)}),
    "children_wait": ("platforms.md 2.5: On Hold with Awaiting Change/Problem/Vendor -> same; Caller: not",
        {**CHILD, "on": ("hold",), "where": {"hold_reason": BEYOND}, "asks": "hold",
         "phases": ("new", "active"), "words": ("message",),
         "copies": {"hold_reason": "hold_reason", "look_again_at": "look_again_at"}}),
    "children_resume": ("platforms.md 2.5: parent In Progress -> child In Progress",
        {**CHILD, "on": ("resume",), "asks": "resume", "phases": ("waiting",), "waits_on": BEYOND}),
    "children_are_resolved": ("platforms.md 2.5: Resolved -> child Resolved with notes; section 5, 19: not closed",
        {**CHILD, "on": ("resolve", "resolve_and_close"), "asks": "resolve", "words": ("resolution_notes",),
         "copies": {"resolution_outcome": "resolution_outcome", **NOTES}}),
    "children_are_reopened": ("platforms.md 2.5: agent reopening the parent reopens children, a caller does not",
        {**CHILD, "on": ("reopen",), "by_staff": True, "asks": "reopen", "phases": ("resolved",),
         "words": ("reason",)}),
    "children_go_back_to_the_queue": ("platforms.md 2.5: as above; DESIGN: Resolved reopens also to the queue",
        {**CHILD, "on": ("reopen_to_queue",), "by_staff": True, "asks": "reopen_to_queue",
         "phases": ("resolved",), "words": ("reason",)}),
    "a_fix_resolves_what_waits_for_it":
        ("platforms.md 2.5: problem Closed/Resolved with Fix applied resolves incidents Awaiting Problem",
        {**CAUSED, "on": ("resolve", "close", "verify"),
         "where": {"resolution_outcome": ("fix_applied", "by_change")}, "asks": "resolve",
         "phases": ("waiting",), "waits_on": ("problem",), "says": {"resolution_outcome": "by_problem"},
         "words": ("resolution_notes",), "copies": NOTES}),
    "an_accepted_risk_is_noted": ("platforms.md 2.5: with Risk accepted only a note",
        {**CAUSED, "on": ("accept_risk",), "asks": "note", "words": ("text",)}),
    "a_workaround_is_told": ("platforms.md 2.5: Communicate workaround copies to open incidents; 8.6.3 PRB-12",
        {**CAUSED, "on": ("*",), "brings": ("workaround", "published_to"),
         "where": {"workaround": (), "published_to": ()}, "asks": "communicate",
         "copies": {"text": "workaround"}}),
    "incidents_follow_the_original": ("platforms.md 2.5: Duplicate moves incident links",
        {**CAUSED, "on": ("mark_duplicate",), "where": {"duplicate_of": ()}, "asks": "link",
         "phases": ("new", "active", "waiting", "resolved", "closed"), "says": {"relation": "caused_by"},
         "copies": {"other": "duplicate_of"}}),
    "a_recurrence_reopens_the_problem":
        ("iso-20000.md 8.6.3 PRB-07: fix verified by observation window without recurrence",
        {"process": "incident", "on": ("link",), "relation": "caused_by", "inverse": "causes",
         "other": "problem", "newer": True, "asks": "recur", "phases": ("resolved",), "words": ("reason",)}),
    "a_change_ends_the_wait_of_problems": ("iso-20000.md 8.6.3 PRB-09: resolution by change, state Closed",
        {**FIXED, "on": ("close",),
         "where": {"resolution_outcome": ("successful", "successful_with_issues")}, "other": "problem",
         "asks": "resume", "phases": ("waiting",), "waits_on": ("change",)}),
    "a_change_resolves_its_problem": ("iso-20000.md 8.6.3 PRB-09: resolution by change => change id",
        {**FIXED, "on": ("close",), "where": WELL, "other": "problem", "asks": "resolve",
         "states": ("fix_in_progress",), "says": {"resolution_outcome": "by_change"},
         "words": ("resolution_notes",), "copies": {"change_id": "id", **NOTES}}),
    "a_change_resolves_what_waits_for_it": ("iso-20000.md 5.3: outcome by_change; platforms.md 2.5: Awaiting Change",
        {**FIXED, "on": ("close",), "where": WELL, "other": "incident", "asks": "resolve",
         "phases": ("waiting",), "waits_on": ("change",), "says": {"resolution_outcome": "by_change"},
         "words": ("resolution_notes",), "copies": NOTES}),
    "a_change_with_issues_ends_the_wait": ("iso-20000.md 5.5: outcome successful_with_issues, so somebody looks",
        {**FIXED, "on": ("close",), "where": {"resolution_outcome": ("successful_with_issues",)},
         "other": "incident", "asks": "resume", "phases": ("waiting",), "waits_on": ("change",)}),
    **{f"a_failed_change_is_noted_in_{other}s": ("iso-20000.md 8.5.1 CHG-12: failed, backed_out, partial",
        {**FIXED, "on": ("close",), "where": {"resolution_outcome": ("partial", "backed_out", "failed")},
         "other": other, "asks": "note", "words": ("text",)}) for other in ("problem", "incident")},
    **{f"a_cancelled_change_is_noted_in_{other}s": ("iso-20000.md 5.5: cancelled is one of the outcomes",
        {**FIXED, "on": ("cancel",), "other": other, "asks": "note", "words": ("text",)})
       for other in ("problem", "incident")},
    "tasks_of_an_incident_are_left": ("platforms.md 2.5: Closing incident -> open tasks Closed Incomplete",
        {**PART, "process": "incident", "asks": "leave_incomplete", "words": ("reason",),
         "on": ("close", "auto_close", "resolve_and_close", "mark_duplicate", "merge", "retype")}),
    "tasks_of_an_incident_are_skipped": ("platforms.md 2.5: cancel -> Closed Skipped",
        {**PART, "process": "incident", "on": ("cancel",), "asks": "skip", "words": ("reason",)}),
    "tasks_of_a_problem_are_skipped": ("platforms.md 2.5, Problem: closing cancels open tasks",
        {**PART, "process": "problem", "on": ("close", "verify", "accept_risk", "mark_duplicate", "cancel"),
         "asks": "skip", "words": ("reason",)}),
    "tasks_of_a_change_wait": ("platforms.md 2.5, Change: hold copied to tasks",
        {**PART, "process": "change", "on": ("hold",), "asks": "hold", "phases": ("new", "active"),
         "says": {"hold_reason": "change"}, "copies": {"look_again_at": "look_again_at"}}),
    "tasks_of_a_change_resume": ("platforms.md 2.5, Change: manually held tasks keep theirs",
        {**PART, "process": "change", "on": ("resume",), "asks": "resume", "phases": ("waiting",),
         "waits_on": ("change",)}),
    "tasks_of_a_change_are_skipped": ("platforms.md 2.5: cancel -> Closed Skipped, as for incidents",
        {**PART, "process": "change", "on": ("cancel",), "asks": "skip", "words": ("reason",)}),
    "items_of_a_request_are_left": ("platforms.md 2.5: Closed Incomplete, as for incidents",
        {**PART, "process": "service_request", "on": ("mark_duplicate", "merge", "retype"),
         "asks": "leave_incomplete", "words": ("reason",)}),
    "items_of_a_request_are_skipped": ("platforms.md 2.5: cancel -> Closed Skipped, as for incidents",
        {**PART, "process": "service_request", "on": ("cancel", "reject", "expire"), "asks": "skip",
         "words": ("reason",)}),
    "a_request_is_delivered": ("platforms.md 2.5, Request: all tasks complete -> complete",
        {**ITEM, "on": ("complete", "skip"), "rolls_up": "complete", "asks": "deliver", "words": ("delivered",)}),
    "a_request_ends_incomplete": ("platforms.md 2.5, Request: any incomplete -> incomplete",
        {**ITEM, "on": ("complete", "leave_incomplete", "skip"), "rolls_up": "incomplete", "asks": "close_incomplete", "words": ("message", "reason")}),
    "a_request_is_skipped": ("platforms.md 2.5, Request: all skipped -> skipped",
        {**ITEM, "on": ("skip",), "rolls_up": "skipped", "asks": "skip", "words": ("message", "reason")}),
}
# fmt: on


def told(row):
    """All that a row says which is not the default."""
    said = {
        field.name: getattr(row, field.name)
        for field in attrs.fields(Propagation)
        if getattr(row, field.name) != field.default and field.name not in ("id", "source")
    }
    return {name: tuple(sorted(value)) if name == "words" else value for name, value in said.items()}


def is_golden(table):
    """Whether a table says what the golden one does."""
    return {row.id: told(row) for row in table} == {name: said for name, (_, said) in GOLDEN.items()}


def test_the_rows_are_those_of_the_golden_table():
    """Both ways: nothing is missing, nothing was added, and nothing says something else."""
    assert is_golden(PROPAGATIONS)
    assert len(PROPAGATIONS) == len(GOLDEN)
    assert all(source for source, _ in GOLDEN.values())


ROWS = {row.id: row for row in PROPAGATIONS}
CHANGED = {
    "process": "change",
    "on": ("assess",),
    "relation": "about",
    "inverse": "about",
    "other": "change",
    "asks": "cancel",
    "phases": ("closed",),
    "states": ("new",),
    "waits_on": ("schedule",),
    "where": {"category": ("mail",)},
    "brings": ("category",),
    "rolls_up": None,
    "says": {"category": "mail"},
    "words": {"description": "No"},
    "copies": {"category": "category"},
}


@pytest.mark.parametrize("name", ROWS)
def test_a_removed_added_or_changed_row_is_noticed(name):
    """Mutation: each row taken out, given twice under another name, and with each word of it changed."""
    row = ROWS[name]
    assert not is_golden(overridden(PROPAGATIONS, without=name))
    assert not is_golden((*PROPAGATIONS, attrs.evolve(row, id="another")))
    changes = {**CHANGED, "by_staff": not row.by_staff, "newer": not row.newer}
    changes |= {"rolls_up": "skipped" if row.rolls_up is None else None}
    changes |= {"process": "task"} if row.process == "change" else {}
    for field, value in changes.items():
        assert not is_golden(overridden(PROPAGATIONS, attrs.evolve(row, **{field: value}))), field
    for field in ("on", "phases", "waits_on", "brings", "states"):
        if len(kept := getattr(row, field)) > 1:
            assert not is_golden(overridden(PROPAGATIONS, attrs.evolve(row, **{field: kept[1:]}))), field


@pytest.mark.parametrize("name", ROWS)
def test_every_row_names_its_source_and_says_its_words_in_both_languages(name):
    """English and Chinese; a row without words needs none."""
    row = ROWS[name]
    assert row.source
    for said in row.words.values():
        assert [lang for lang, text in said if text] == ["en", "zh"]


# --- held against lifecycles ---------------------------------------------------------------------


def test_the_shipped_rows_fit_the_shipped_lifecycles():
    """All of them, and with the fewest fields, too."""
    assert checked(PROPAGATIONS, SHIPPED) == PROPAGATIONS
    assert checked(PROPAGATIONS, [one.lite() for one in SHIPPED]) == PROPAGATIONS


@pytest.mark.parametrize(
    "name", [name for name, row in ROWS.items() if row.asks not in ("note", "communicate", "link")]
)
def test_what_a_row_asks_for_leads_out_of_every_state_it_names(name):
    """No proposal of the shipped table is refused for the state."""
    row = ROWS[name]
    (lifecycle,) = [one for one in SHIPPED if one.process == row.other]
    states = [state for state in lifecycle.states if row.meets(state.id, state.phase)]
    assert states
    assert [lifecycle.rows(row.asks, state.id) for state in states].count(()) == 0


def row(**said):
    """A good row, but for what is said otherwise."""
    given = {**CHILD, "id": "ours", "source": "our rule", "on": "start", "asks": "start", "phases": "new"}
    return Propagation(**{**given, **said})


# fmt: off
MISFITS = {
    # what is wrong with a row, and what is said of it
    "process":     ({"process": "incidnet"}, r"process of ours 'incidnet': is unknown; use one of \['change', 'incident'"),
    "other":       ({"other": "ticket"}, "process of ours 'ticket': is unknown"),
    "on":          ({"on": ("start", "begin")}, "on of ours 'begin': is unknown"),
    "asks":        ({"asks": "begin"}, "asks of ours 'begin': is unknown"),
    "escalate":    ({"asks": "escalate", "says": {"key": "k"}}, "asks of ours 'escalate': is unknown"),
    "timer":       ({"asks": "auto_close", "phases": "resolved"}, "asks of ours 'auto_close': leads out of none of these"),
    "phase":       ({"phases": "resolved"}, "asks of ours 'start': leads out of none of these states"),
    "state":       ({"states": ("new", "nwe")}, "state of ours 'nwe': is unknown; use one of .*'in_progress'"),
    "where":       ({"where": {"hold_raeson": "change"}}, "field of ours 'hold_raeson': is unknown"),
    "brings":      ({"brings": "workarond"}, "field of ours 'workarond': is unknown"),
    "copies":      ({"copies": {"category": "categroy"}}, "field of ours 'categroy': is unknown"),
    "says":        ({"says": {"categroy": "mail"}}, "asks of ours 'start': takes no categroy; propose what the other can do"),
    "needs":       ({"asks": "hold", "says": {"hold_reason": "change"}}, "needs look_again_at, message;"),
    "choice":      ({"asks": "resolve", "says": {"resolution_outcome": "gone"}, "words": {"resolution_notes": "x"}},
                    "needs resolution_outcome;"),
    "both":        ({"asks": "note", "says": {"words": "x"}}, "asks of ours 'note': needs text and takes no words"),
}
# fmt: on


@pytest.mark.parametrize("case", MISFITS)
def test_a_row_that_does_not_fit_the_lifecycles_is_refused(case):
    """With the row, the word, and what would do."""
    said, message = MISFITS[case]
    with pytest.raises(InvalidValue, match=message):
        checked([row(**said)], SHIPPED)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"on": "*"},
        {"on": "open"},
        {"on": ("amend", "reprioritise", "start")},
        {"copies": {"category": "id"}},
        {"asks": "note", "words": {"text": "Look at it"}, "phases": "closed"},
        {"asks": "resolve", "says": {"resolution_outcome": "by_user"}, "words": {"resolution_notes": "x"}},
        {"asks": "cancel", "words": {"reason": "x"}, "states": "on_hold"},
        {"asks": "analyse", "other": "problem", "phases": "active"},  # what it needs may be known already
        {"asks": "complete", "other": "change", "states": "implement", "copies": {"resolution_notes": "title"},
         "says": {"resolution_outcome": "failed"}},
    ],
    ids=str,
)  # fmt: skip
def test_a_row_that_fits_is_taken(said):
    """Triggers of every record, any trigger, and ids and texts to copy are known."""
    assert checked([row(**said)], SHIPPED) == (row(**said),)


def test_of_several_lifecycles_of_a_process_one_is_enough():
    """A desk keeps the versions on which records stand."""
    newer = (
        INCIDENT.derive("acme.incident")
        .add_state(State("with_vendor", "waiting", waits_on="supplier"))
        .add(Transition("ask_vendor", "in_progress", dest="with_vendor", roles={"agent"}))
        .add(Transition("answer", "with_vendor", dest="in_progress", roles={"agent", "automation"}))
        .build()
    )
    ours = row(on="ask_vendor", asks="answer", states="with_vendor")
    assert checked([ours], [INCIDENT, newer]) == (ours,)
    with pytest.raises(InvalidValue, match="on of ours 'ask_vendor'"):
        checked([ours], [INCIDENT])


def test_a_timer_is_no_way_even_where_a_person_has_one_from_another_state():
    """What time does, nobody is asked to do."""
    expire = Transition("start", "on_hold", dest="in_progress", after=business_days(1))
    derived = INCIDENT.derive("acme.incident").add(expire).build()
    with pytest.raises(InvalidValue, match="leads out of none"):
        checked([row(states="on_hold")], [derived])
    assert checked([row()], [derived])


def test_fields_of_the_host_are_known_if_they_are_given():
    """As a desk declares them."""
    ours = row(where={"room": "12"}, says={"room": "12"})
    assert checked([ours], SHIPPED, [CustomField("room", "text")]) == (ours,)
    with pytest.raises(InvalidValue, match="room"):
        checked([ours], SHIPPED)


@pytest.mark.parametrize("lifecycles", [INCIDENT, {"incident": INCIDENT}, ["incident"], None])
def test_what_are_no_lifecycles_is_refused(lifecycles):
    """A list of them is asked for."""
    with pytest.raises(InvalidValue, match=r"PROCESSES.values\(\)"):
        checked(PROPAGATIONS, lifecycles)


# --- a table of one's own ------------------------------------------------------------------------


def test_rows_are_replaced_where_they_stand_added_at_the_end_and_taken_out():
    """By their ids; the shipped table stays as it is."""
    silent = attrs.evolve(ROWS["children_wait"], on="requeue", source="our rule")
    more = row()
    table = overridden(PROPAGATIONS, silent, more, without=["children_start", "a_request_is_skipped"])
    names = [name for name in ROWS if name not in ("children_start", "a_request_is_skipped")]
    assert [one.id for one in table] == [*names, "ours"]
    assert table[0] is silent
    assert table[-1] is more
    assert overridden(table) == table
    assert overridden(iter(PROPAGATIONS), without=tuple(ROWS)) == ()


def test_taking_out_a_row_that_is_not_there_is_refused():
    """A typing error would leave the row in."""
    with pytest.raises(InvalidValue, match=r"without 'children_strat': is no row of the table; use one of"):
        overridden(PROPAGATIONS, without="children_strat")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ((ROWS["children_wait"], ROWS["children_wait"]), "table 'children_wait': is the id of two rows"),
        (ROWS["children_wait"], "is no list of Propagation"),
        (["children_wait"], "is no Propagation"),
        (None, "is no list"),
    ],
)
def test_what_is_no_table_is_refused(table, message):
    """Two rows of one id would be one command."""
    for use in (rows_of, overridden, lambda table: checked(table, SHIPPED)):
        with pytest.raises(InvalidValue, match=message):
            use(table)


# fmt: off
UNROWS = {
    "no id":        ({"id": ""}, "id '': is no word"),
    "no source":    ({"source": None}, "source None: is no word"),
    "no process":   ({"process": 3}, "process 3: is no word"),
    "no relation":  ({"relation": ""}, "relation '': is no word"),
    "no inverse":   ({"inverse": ""}, "inverse '': is no word"),
    "no other":     ({"other": ()}, "other"),
    "no asks":      ({"asks": None}, "asks None"),
    "no trigger":   ({"on": ()}, 'on \\(\\): names no trigger; name some, or "\\*" for any'),
    "a phase":      ({"phases": ("new", "old")}, "phase 'old': is no phase; use one of new, active"),
    "phases":       ({"phases": 3}, "phases 3"),
    "a wait":       ({"waits_on": "weather"}, "waits_on 'weather': is no waits on; use one of requester"),
    "tasks":        ({"rolls_up": "done"}, "rolls_up 'done': is nothing that tasks come to; use complete, incomplete"),
    "by staff":     ({"by_staff": "no"}, "by_staff 'no': is no bool; say True or False"),
    "newer":        ({"newer": 1}, "newer 1: is no bool"),
    "where":        ({"where": ["hold_reason"]}, "where .* is no mapping"),
    "a choice":     ({"where": {"hold_reason": [3]}}, "is no word"),
    "words":        ({"words": "reason"}, "words 'reason': is no mapping"),
    "empty words":  ({"words": {"reason": ""}}, "words 'reason': says nothing"),
    "no words":     ({"words": {"reason": {}}}, "words 'reason': says nothing"),
    "odd words":    ({"words": {"reason": 3}}, "is no text"),
    "copies":       ({"copies": "reason"}, "copies 'reason': is no mapping"),
    "a copy":       ({"copies": {"reason": None}}, "copies None: is no word"),
    "a float":      ({"says": {"share": 0.5}}, "share 0.5: is of type float, which cannot be stored"),
}
# fmt: on


@pytest.mark.parametrize("case", UNROWS)
def test_what_is_no_row_is_refused(case):
    """With the word that is wrong, and what would do."""
    said, message = UNROWS[case]
    with pytest.raises(InvalidValue, match=message):
        row(**said)


def test_a_word_alone_is_one_word():
    """Never its letters."""
    made = row(
        on="start", phases="new", states="new", waits_on="change", where={"category": "mail"}, brings="title"
    )
    assert (made.on, made.phases, made.states) == (("start",), (Phase.NEW,), ("new",))
    assert (made.waits_on, made.where, made.brings) == (
        (WaitsOn.CHANGE,),
        {"category": ("mail",)},
        ("title",),
    )
    assert row(words={"reason": "Because"}).words == {"reason": (("en", "Because"),)}


def test_the_table_is_plain_data():
    """Out to JSON and back it is the same, and a row may lie in a set."""
    plain = json.loads(canonical([to_dict(row) for row in PROPAGATIONS]))
    assert tuple(from_dict(Propagation, one) for one in plain) == PROPAGATIONS
    assert set(PROPAGATIONS) == set(overridden(PROPAGATIONS))


def test_tasks_are_named_as_tasks_are_named():
    """The relation of a record to its tasks is the process of a task."""
    assert PART["relation"] == TASK.process
