"""What happens to a record and may concern those it is linked with, as a table.

A row of `PROPAGATIONS` says: when a record of a process does this, records of another that it is linked
with, and that stand so, may be asked for that. `proposals` reads the table; nothing happens by itself.
It is a value: `overridden` changes, adds or takes out rows, and `checked` holds it against lifecycles.

The rows are what ServiceNow does between parent and child, problem, change and incident, and a record and
its tasks, there behind everybody's back. A parent that closes or is cancelled asks nothing of a child.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle.beside import BESIDE, COMMANDS
from itsm_core.lifecycle.fields import CustomField, kinds_of
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.parts import Need, Transition, fields_of, sequence, words
from itsm_core.processes.conditions import OWNS_TASK
from itsm_core.values import NO_FIELDS, Fields, as_fields, each, flag, member, texts, word

ANY = "*"
"""Any trigger at all."""

_OPEN = (Phase.NEW, Phase.ACTIVE, Phase.WAITING)


# --- a row ------------------------------------------------------------------------------------


def _phases(value: Iterable[Phase | str] | str) -> tuple[Phase, ...]:
    return tuple(member(Phase, one, "phase") for one in texts(value, "phases", 'write ("new", "active")'))


def _waits(value: Iterable[WaitsOn | str] | str) -> tuple[WaitsOn, ...]:
    return tuple(member(WaitsOn, one, "waits_on") for one in texts(value, "waits_on", 'write ("change",)'))


def _choices(value: Mapping[str, Iterable[str] | str]) -> Fields:
    return as_fields({name: sequence(allowed) for name, allowed in _mapping(value, "where").items()})


def _texts(value: Mapping[str, Any]) -> Fields:
    found = {name: words(said) for name, said in _mapping(value, "words").items()}
    for name, said in found.items():
        if not any(text for _, text in said):
            raise InvalidValue("words", name, "says nothing", 'write {"reason": {"en": "..."}}')
    return as_fields(found)


def _sources(value: Mapping[str, str]) -> Fields:
    remedy = 'write {"their_field": "our_field"}'
    return as_fields({name: word(ours, "copies", remedy) for name, ours in _mapping(value, "copies").items()})


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidValue(what, value, "is no mapping", 'write {"field": ...}')
    return value


@attrs.frozen
class Propagation:
    """A row: which event of which record proposes which command for which linked records.

    The event is a trigger `on` a record of a `process` ("*": any), where it `brings` one of these fields
    and the record then has these values (`where`; an empty list: any value); `by_staff`: only where a
    member of staff did it, and not the requester. The other record is one of the process `other`, which
    this one names by `relation` or which names this one by `inverse`. It is in one of these `phases`, or
    of these `states`, and where it waits, then for one of `waits_on`. `newer`: this record was opened
    after the other came to its state. `rolls_up`: all tasks of the other are done and come to that.

    `asks` is the trigger proposed. Its fields are those that the row `says`, its `words` by language, and
    `copies`, as {theirs: ours}, of the record after the event ("id" is its id), which go before words.
    """

    id: str
    source: str
    process: str = attrs.field(kw_only=True)
    on: tuple[str, ...] = attrs.field(converter=sequence, kw_only=True)
    relation: str = attrs.field(kw_only=True)
    inverse: str = attrs.field(kw_only=True)
    other: str = attrs.field(kw_only=True)
    asks: str = attrs.field(kw_only=True)
    phases: tuple[Phase, ...] = attrs.field(default=_OPEN, converter=_phases, kw_only=True)
    states: tuple[str, ...] = attrs.field(default=(), converter=sequence, kw_only=True)
    waits_on: tuple[WaitsOn, ...] = attrs.field(default=(), converter=_waits, kw_only=True)
    where: Fields = attrs.field(default=NO_FIELDS, converter=_choices, kw_only=True)
    brings: tuple[str, ...] = attrs.field(default=(), converter=sequence, kw_only=True)
    by_staff: bool = attrs.field(default=False, validator=flag, kw_only=True)
    newer: bool = attrs.field(default=False, validator=flag, kw_only=True)
    rolls_up: str | None = attrs.field(default=None, kw_only=True)
    says: Fields = attrs.field(default=NO_FIELDS, converter=as_fields, kw_only=True)
    words: Fields = attrs.field(default=NO_FIELDS, converter=_texts, kw_only=True)
    copies: Fields = attrs.field(default=NO_FIELDS, converter=_sources, kw_only=True)

    def __attrs_post_init__(self) -> None:
        for name in ("id", "source", "process", "relation", "inverse", "other", "asks"):
            word(getattr(self, name), name, "say it with a word")
        if not self.on:
            raise InvalidValue("on", self.on, "names no trigger", 'name some, or "*" for any')
        if self.rolls_up not in (None, "complete", "incomplete", "skipped"):
            remedy = "use complete, incomplete or skipped"
            raise InvalidValue("rolls_up", self.rolls_up, "is nothing that tasks come to", remedy)

    def meets(self, state: str, phase: Phase) -> bool:
        """Whether the other record stands as the row wants it, in this state and phase."""
        return state in self.states if self.states else phase in self.phases

    @property
    def brought(self) -> frozenset[str]:
        """The fields that its proposals bring."""
        return frozenset({*self.says, *self.words, *self.copies})


# --- the table --------------------------------------------------------------------------------

_child = partial(
    Propagation,
    source="ServiceNow: parent and child incidents",
    process="incident",
    relation="parent_of",
    inverse="child_of",
    other="incident",
)
_of_problem = partial(
    Propagation, process="problem", relation="causes", inverse="caused_by", other="incident"
)
_of_change = partial(Propagation, process="change", relation="fixes", inverse="fixed_by")
_of_owner = partial(Propagation, relation=OWNS_TASK, inverse="part_of", other="task")
_of_item = partial(
    Propagation,
    source="ServiceNow: a request comes to what its tasks come to",
    process="task",
    relation="part_of",
    inverse=OWNS_TASK,
    other="service_request",
    states=("fulfilment", "on_hold"),
)

# fmt: off
_BEYOND = (WaitsOn.CHANGE, WaitsOn.PROBLEM, WaitsOn.SUPPLIER)  # what holds a child up, too
_FIXED  = {"resolution_outcome": ("fix_applied", "by_change")}
_WELL   = {"resolution_outcome": "successful"}
_ISSUES = {"resolution_outcome": "successful_with_issues"}
_UNDONE = {"resolution_outcome": ("partial", "backed_out", "failed")}
_HOLD   = {"hold_reason": "hold_reason", "look_again_at": "look_again_at"}
_RESULT = {"resolution_outcome": "resolution_outcome", "resolution_notes": "resolution_notes"}
_NOTES  = {"resolution_notes": "resolution_notes"}

_WAIT     = {"message": {"en": "This waits for another matter; we will come back to it.",
                         "zh": "此事需等待其他事项，我们会再次跟进。"}}
_SOLVED   = {"resolution_notes": {"en": "The incident behind this was resolved.",
                                  "zh": "相关的父事件已解决。"}}
_BACK     = {"reason": {"en": "The incident behind this was reopened.", "zh": "相关的父事件已重新打开。"}}
_REPAIRED = {"resolution_notes": {"en": "The problem behind this was fixed.", "zh": "相关的问题已修复。"}}
_RISK     = {"text": {"en": "The risk of the problem behind this was accepted; it is not fixed for now.",
                      "zh": "相关问题的风险已被接受，暂不修复。"}}
_AGAIN    = {"reason": {"en": "It happened again after it was resolved.", "zh": "解决后再次发生。"}}
_CHANGED  = {"resolution_notes": {"en": "The change that fixes this was done.",
                                  "zh": "修复此事的变更已完成。"}}
_FAILED   = {"text": {"en": "The change that was to fix this did not succeed.",
                      "zh": "原定修复此事的变更未成功。"}}
_OFF      = {"text": {"en": "The change that was to fix this was cancelled.",
                      "zh": "原定修复此事的变更已取消。"}}
_ENDED    = {"reason": {"en": "The record that it is part of has ended.", "zh": "所属记录已结束。"}}
_NEEDLESS = {"reason": {"en": "The record that it is part of does not need it any more.",
                        "zh": "所属记录不再需要此任务。"}}
_ALL      = {"delivered": {"en": "All that was asked for", "zh": "所请求的全部内容"}}
_NOT_ALL  = {"reason": {"en": "Some of its items were left incomplete.", "zh": "部分条目未完成。"},
             "message": {"en": "We could not deliver all that you asked for.",
                         "zh": "您所请求的内容未能全部交付。"}}
_NONE     = {"reason": {"en": "All of its items were skipped.", "zh": "所有条目均已跳过。"},
             "message": {"en": "What you asked for is not needed any more.",
                         "zh": "您所请求的内容已不再需要。"}}

PROPAGATIONS = (
    # parent and child
    _child("children_start", on=("start", "resume"), asks="start", phases="new"),
    _child("children_wait", on="hold", where={"hold_reason": _BEYOND}, asks="hold", phases=("new", "active"),
           words=_WAIT, copies=_HOLD),
    _child("children_resume", on="resume", asks="resume", phases="waiting", waits_on=_BEYOND),
    _child("children_are_resolved", on=("resolve", "resolve_and_close"), asks="resolve", words=_SOLVED,
           copies=_RESULT),
    _child("children_are_reopened", on="reopen", by_staff=True, asks="reopen", phases="resolved",
           words=_BACK),
    _child("children_go_back_to_the_queue", on="reopen_to_queue", by_staff=True, asks="reopen_to_queue",
           phases="resolved", words=_BACK),

    # problem and incidents
    _of_problem("a_fix_resolves_what_waits_for_it", "ServiceNow: problem resolved or closed, fix applied",
                on=("resolve", "close", "verify"), where=_FIXED, asks="resolve", phases="waiting",
                waits_on="problem", says={"resolution_outcome": "by_problem"}, words=_REPAIRED,
                copies=_NOTES),
    _of_problem("an_accepted_risk_is_noted", "ServiceNow: problem closed, risk accepted",
                on="accept_risk", asks="note", words=_RISK),
    _of_problem("a_workaround_is_told", "ServiceNow: communicate workaround",
                on=ANY, brings=("workaround", "published_to"), where={"workaround": (), "published_to": ()},
                asks="communicate", copies={"text": "workaround"}),
    _of_problem("incidents_follow_the_original", "ServiceNow: a duplicate problem moves its incidents",
                on="mark_duplicate", where={"duplicate_of": ()}, asks="link", phases=tuple(Phase),
                says={"relation": "caused_by"}, copies={"other": "duplicate_of"}),
    Propagation("a_recurrence_reopens_the_problem", "ISO/IEC 20000-1 8.6.3: closed once the fix is verified",
                process="incident", on="link", relation="caused_by", inverse="causes", other="problem",
                newer=True, asks="recur", phases="resolved", words=_AGAIN),

    # change, problem and incidents
    _of_change("a_change_ends_the_wait_of_problems", "ISO/IEC 20000-1 8.6.3: fixed through change management",
               on="close", where={"resolution_outcome": ("successful", "successful_with_issues")},
               other="problem", asks="resume", phases="waiting", waits_on="change"),
    _of_change("a_change_resolves_its_problem", "ISO/IEC 20000-1 8.6.3: fixed through change management",
               on="close", where=_WELL, other="problem", asks="resolve", states="fix_in_progress",
               says={"resolution_outcome": "by_change"}, words=_CHANGED,
               copies={"change_id": "id", **_NOTES}),
    _of_change("a_change_resolves_what_waits_for_it", "ISO/IEC 20000-1 8.6.1: resolved",
               on="close", where=_WELL, other="incident", asks="resolve", phases="waiting",
               waits_on="change", says={"resolution_outcome": "by_change"}, words=_CHANGED, copies=_NOTES),
    _of_change("a_change_with_issues_ends_the_wait", "ISO/IEC 20000-1 8.6.1: resolved",
               on="close", where=_ISSUES, other="incident", asks="resume", phases="waiting",
               waits_on="change"),
    *(_of_change(f"a_failed_change_is_noted_in_{other}s", "ISO/IEC 20000-1 8.5.1.3: failures are looked into",
                 on="close", where=_UNDONE, other=other, asks="note", words=_FAILED)
      for other in ("problem", "incident")),
    *(_of_change(f"a_cancelled_change_is_noted_in_{other}s", "ISO/IEC 20000-1 8.5.1.3: results are told",
                 on="cancel", other=other, asks="note", words=_OFF)
      for other in ("problem", "incident")),

    # a record and its tasks
    _of_owner("tasks_of_an_incident_are_left", "ServiceNow: closed incidents leave their tasks incomplete",
              process="incident", asks="leave_incomplete", words=_ENDED,
              on=("close", "auto_close", "resolve_and_close", "mark_duplicate", "merge", "retype")),
    _of_owner("tasks_of_an_incident_are_skipped", "ServiceNow: cancelled incidents skip their tasks",
              process="incident", on="cancel", asks="skip", words=_NEEDLESS),
    _of_owner("tasks_of_a_problem_are_skipped", "ServiceNow: problems that close cancel their tasks",
              process="problem", on=("close", "verify", "accept_risk", "mark_duplicate", "cancel"),
              asks="skip", words=_NEEDLESS),
    _of_owner("tasks_of_a_change_wait", "ServiceNow: the hold of a change is copied to its tasks",
              process="change", on="hold", asks="hold", phases=("new", "active"),
              says={"hold_reason": "change"}, copies={"look_again_at": "look_again_at"}),
    _of_owner("tasks_of_a_change_resume", "ServiceNow: tasks that were held by hand keep their hold",
              process="change", on="resume", asks="resume", phases="waiting", waits_on="change"),
    _of_owner("tasks_of_a_change_are_skipped", "as the tasks of an incident that is cancelled",
              process="change", on="cancel", asks="skip", words=_NEEDLESS),
    _of_owner("items_of_a_request_are_left", "as the tasks of an incident that goes on elsewhere",
              process="service_request", on=("mark_duplicate", "merge", "retype"), asks="leave_incomplete",
              words=_ENDED),
    _of_owner("items_of_a_request_are_skipped", "as the tasks of an incident that is cancelled",
              process="service_request", on=("cancel", "reject", "expire"), asks="skip", words=_NEEDLESS),
    _of_item("a_request_is_delivered", on=("complete", "skip"), rolls_up="complete", asks="deliver",
             words=_ALL),
    _of_item("a_request_ends_incomplete", on=("complete", "leave_incomplete", "skip"), rolls_up="incomplete",
             asks="close_incomplete", words=_NOT_ALL),
    _of_item("a_request_is_skipped", on="skip", rolls_up="skipped", asks="skip", words=_NONE),
)
# fmt: on
"""The rows that ship; a value to take, change or leave."""


def overridden(
    table: Iterable[Propagation], *rows: Propagation, without: Iterable[str] | str = ()
) -> tuple[Propagation, ...]:
    """The table with these rows, each in place of the one with its id or at the end; and without some."""
    known, gone = {row.id: row for row in rows_of(table)}, sequence(without)
    for name in gone:
        if name not in known:
            raise InvalidValue("without", name, "is no row of the table", f"use one of {sorted(known)}")
    changed = {**known, **{row.id: row for row in rows_of(rows)}}
    return tuple(row for name, row in changed.items() if name not in gone)


def rows_of(table: Iterable[Propagation]) -> tuple[Propagation, ...]:
    """The rows of a table, each with an id of its own."""
    rows = each(Propagation, table, "table", "give rows: (*PROPAGATIONS, Propagation(...))")
    seen: set[str] = set()
    for row in rows:
        if row.id in seen:
            raise InvalidValue(
                "table", row.id, "is the id of two rows", "use overridden(table, row), or rename"
            )
        seen.add(row.id)
    return rows


# --- a table held against lifecycles ------------------------------------------------------------


def checked(
    table: Iterable[Propagation], lifecycles: Iterable[Lifecycle], custom: Iterable[CustomField] = ()
) -> tuple[Propagation, ...]:
    """The rows themselves, if these lifecycles have what they name, and what they propose can be done.

    Where several lifecycles rule a process (its versions, say), one of them is enough. `custom` are the
    fields that the host declares.
    """
    rows, own_fields = rows_of(table), tuple(custom)
    ruling = each(Lifecycle, lifecycles, "lifecycles", "give a list: PROCESSES.values()")
    for row in rows:
        here, there = _ruled(row, row.process, ruling), _ruled(row, row.other, ruling)
        fields = {"id", *(name for one in here for name in kinds_of("open", own_fields, one.kinds))}
        _known(row, "on", row.on, {ANY, "open", *BESIDE, *_triggers(here)})
        _known(row, "field", (*row.where, *row.brings, *row.copies.values()), fields)
        _known(row, "asks", (row.asks,), {*COMMANDS, *_triggers(there)})
        _known(row, "state", row.states, {state for one in there for state in one.by_id})
        faults = [_fault(row, one, own_fields) for one in there]
        if all(faults):
            raise InvalidValue(f"asks of {row.id}", row.asks, faults[0], "propose what the other can do")
    return rows


def _ruled(row: Propagation, process: str, lifecycles: Iterable[Lifecycle]) -> list[Lifecycle]:
    _known(row, "process", (process,), {one.process for one in lifecycles})
    return [one for one in lifecycles if one.process == process]


def _triggers(lifecycles: Iterable[Lifecycle]) -> set[str]:
    return {trigger for one in lifecycles for trigger in one.by_trigger}


def _known(row: Propagation, what: str, names: Iterable[str], known: set[str]) -> None:
    for name in names:
        if name not in known:
            raise InvalidValue(f"{what} of {row.id}", name, "is unknown", f"use one of {sorted(known)}")


def _fault(row: Propagation, lifecycle: Lifecycle, custom: tuple[CustomField, ...]) -> str:
    """Why every record of this lifecycle would refuse what the row proposes; empty if one need not."""
    strange = row.brought - kinds_of(row.asks, custom, lifecycle.kinds).keys()
    if row.asks in BESIDE:
        return _faulty(set(BESIDE[row.asks].requires) - row.brought, strange)
    ways = [way for way in lifecycle.by_trigger.get(row.asks, ()) if _leads(row, way, lifecycle)]
    if not ways:
        return "leads out of none of these states"
    return min((_faulty(_unmet(row, way), strange - {*fields_of(way.requires)}) for way in ways), key=len)


def _faulty(lacking: Iterable[str], strange: Iterable[str]) -> str:
    faults = [
        f"{what} {', '.join(sorted(names))}"
        for what, names in (("needs", lacking), ("takes no", strange))
        if names
    ]
    return " and ".join(faults)


def _leads(row: Propagation, way: Transition, lifecycle: Lifecycle) -> bool:
    sources = (lifecycle.by_id[state] for state in way.sources)
    return way.after is None and any(row.meets(state.id, state.phase) for state in sources)


def _unmet(row: Propagation, way: Transition) -> set[str]:
    return {need.field for need in way.requires if not _answers(row, need)}


def _answers(row: Propagation, need: Need) -> bool:
    """Whether the row brings what is needed, or may hope that the other record knows it."""
    if need.one_of and need.field in row.says:
        return row.says[need.field] in need.one_of
    return need.kept or not need.required or bool(row.brought & {need.field, need.otherwise})
