"""The incident lifecycle: restore the service, then make sure (ISO/IEC 20000-1, 8.6.1).

States and hold reasons are those of ServiceNow, freed where 25,000 real ServiceNow and 7,500
Volvo incidents force it: New may resolve or wait at once, waiting may resolve at once, work may
go back to the queue, a first call may close. Resolved reopens, to work or to the queue; Closed
does not (a reply to a closed incident opens a linked one).

Resolved closes when the requester says so, after three contacts without an answer, by policy, or by
itself five business days after it was resolved; never by itself or by policy where it is major,
about information security, or a complaint. Its tasks have to be done first. Its children need not: a
parent resolves when its own service is back, and what follows for them is proposed, not enforced.

Being major is no state but stands beside it, as do the level of escalation and every breach; an accepted
major incident resolves when its tracks have ended, and closes with a report and a review. What was
reported twice, merged or of another type ends as such and names the record that goes on; a split
leaves the state alone and opens a second record.
"""

from __future__ import annotations

from itsm_core.business_time.durations import business_days
from itsm_core.events import Phase
from itsm_core.lifecycle.fields import CustomField
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.parts import Need, State, Transition
from itsm_core.lifecycle.soundness import sound
from itsm_core.processes.conditions import (
    CLOSING,
    CLOSING_ITSELF,
    CLOSURES,
    CONDITIONS,
    ELSEWHERE,
    STAFF,
    SUCCESSORS,
    closure,
    goes_elsewhere,
    hold_reason,
    look_again,
    message,
    why,
)

__all__ = ["CLOSURES", "INCIDENT", "METHODS", "OUTCOMES"]

OUTCOMES = (
    "fixed_permanent",
    "workaround",
    "by_problem",
    "by_change",
    "by_user",
    "monitoring_cleared",
    "not_reproducible",
    "not_fixable",
    "duplicate",
    "not_a_fault",
)
"""What came of it."""

METHODS = ("remote", "on_site", "guidance", "self_service", "automation", "supplier")
"""How it was done."""

_RECORDED = "ISO/IEC 20000-1 8.6.1: recorded, with the actions taken"
_RESOLVED = "ISO/IEC 20000-1 8.6.1: resolved"
_CLOSED = "ISO/IEC 20000-1 8.6.1: closed"
_INFORMED = "ISO/IEC 20000-1 8.6.1: the requester is kept informed"

# fmt: off
OUTCOME = Need("resolution_outcome", _RESOLVED, one_of=OUTCOMES,
               label={"en": "outcome", "zh": "解决结果"})
NOTES   = Need("resolution_notes", _RESOLVED, label={"en": "what was done", "zh": "处理说明"})
METHOD  = Need("resolution_method", _RESOLVED, one_of=METHODS, required=False, essential=False,
               label={"en": "method", "zh": "解决方式"})
CLOSURE = closure(_CLOSED)
WHY     = why(_RECORDED)
REASON  = why(_RECORDED, essential=False)

STATES = (
    State("new",         Phase.NEW,      label={"en": "New", "zh": "新建"}),
    State("in_progress", Phase.ACTIVE,   label={"en": "In progress", "zh": "处理中"}),
    State("on_hold",     Phase.WAITING,  label={"en": "On hold", "zh": "挂起"}),
    State("resolved",    Phase.RESOLVED, label={"en": "Resolved", "zh": "已解决"}),
    State("closed",      Phase.CLOSED,   label={"en": "Closed", "zh": "已关闭"}, outcome="completed"),
    State("cancelled",   Phase.CLOSED,   label={"en": "Cancelled", "zh": "已取消"}, outcome="cancelled"),
    *ELSEWHERE,
)

_ANY_STAFF = STAFF | {"automation"}
_OPEN = ("new", "in_progress", "on_hold")

TRANSITIONS = (
    Transition("start", "new", dest="in_progress", roles=STAFF,
               label={"en": "Start work", "zh": "开始处理"}),
    Transition("hold", _OPEN, dest="on_hold", roles=STAFF,
               requires=(hold_reason(_RECORDED), message(_INFORMED), look_again(_RECORDED)),
               label={"en": "Put on hold", "zh": "挂起"}),
    Transition("resume", "on_hold", dest="in_progress", roles=_ANY_STAFF,
               label={"en": "Resume", "zh": "恢复处理"}),
    Transition("requeue", ("in_progress", "on_hold"), dest="new", roles=STAFF, requires=(REASON,),
               label={"en": "Back to the queue", "zh": "退回队列"}),
    Transition("resolve", _OPEN, dest="resolved", roles=_ANY_STAFF, requires=(OUTCOME, NOTES, METHOD),
               label={"en": "Resolve", "zh": "解决"}),
    Transition("resolve_and_close", ("new", "in_progress"), dest="closed", roles=STAFF,
               requires=(OUTCOME, NOTES, METHOD, CLOSURE), guards=CLOSING,
               label={"en": "Resolve and close in the call", "zh": "当场解决并关闭"}),
    Transition("close", "resolved", dest="closed", roles=_ANY_STAFF, relation={"requester"},
               requires=(CLOSURE,), guards=CLOSING,
               label={"en": "Close", "zh": "关闭"}),
    Transition("auto_close", "resolved", dest="closed", after=business_days(5), guards=CLOSING_ITSELF,
               label={"en": "Close by itself", "zh": "自动关闭"}),
    Transition("reopen", "resolved", dest="in_progress", roles=_ANY_STAFF, relation={"requester"},
               reopens="resume", requires=(REASON,),
               label={"en": "Reopen", "zh": "重新打开"}),
    Transition("reopen_to_queue", "resolved", dest="new", roles=_ANY_STAFF, relation={"requester"},
               reopens="resume", requires=(REASON,),
               label={"en": "Reopen to the queue", "zh": "重新打开并退回队列"}),
    Transition("cancel", _OPEN, dest="cancelled", roles=STAFF, relation={"requester"},
               requires=(WHY,),
               label={"en": "Cancel", "zh": "取消"}),
    *goes_elsewhere(_OPEN, _RECORDED),
)
# fmt: on

INCIDENT = sound(
    Lifecycle(
        "incident",
        1,
        process="incident",
        initial="new",
        states=STATES,
        transitions=TRANSITIONS,
        fields=[CustomField(name, "text") for name in ("resolution_method", *SUCCESSORS)],
        label={"en": "Incident", "zh": "事件"},
        guards=CONDITIONS,
    )
)
"""The incident lifecycle, version 1."""
