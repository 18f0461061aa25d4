"""The service request lifecycle: ask, approve, fulfil, deliver, confirm (ISO/IEC 20000-1, 8.6.2).

Stages are those of the field: submitted, approval, fulfilment, delivered, closed. The requester may
cancel until fulfilment starts, staff also later. Items of a request are its tasks, and what becomes of
them is what becomes of it: `rolled_up`. What can be had earlier is delivered in parts. Delivered closes
when the requester confirms, after three contacts without an answer, by policy, or by itself five
business days after it was delivered.

What one may ask for, by whom, with what inputs and whose approval, is a `RequestModel` of the
catalogue, and a model is a lifecycle of its own, made from this one.
"""

from __future__ import annotations

from collections.abc import Iterable

from itsm_core.business_time.durations import business_days
from itsm_core.errors import Reason
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle.beside import DESK
from itsm_core.lifecycle.fields import CustomField
from itsm_core.lifecycle.guards import Situation
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.parts import Need, State, Transition
from itsm_core.lifecycle.soundness import sound
from itsm_core.processes.approving import APPROVAL_DUE, APPROVING
from itsm_core.processes.conditions import (
    CLOSING,
    CLOSING_ITSELF,
    CONDITIONS,
    ELSEWHERE,
    STAFF,
    SUCCESSORS,
    closure,
    goes_elsewhere,
    hold_reason,
    look_again,
    message,
    tasks_of,
    why,
)
from itsm_core.records import Record

_RECORDED = "ISO/IEC 20000-1 8.6.2: recorded, with the actions taken"
_CLASSIFIED = "ISO/IEC 20000-1 8.6.2: recorded and classified"
_FULFILLED = "ISO/IEC 20000-1 8.6.2: fulfilled"
_CLOSED = "ISO/IEC 20000-1 8.6.2: closed"
_INFORMED = "ISO/IEC 20000-1 8.6.2: the requester is kept informed"


# --- guards -----------------------------------------------------------------------------------


def rolled_up(tasks: Iterable[Record]) -> str | None:
    """What becomes of a record by what became of its tasks: "complete", "incomplete" or "skipped".

    Any incomplete one makes it incomplete; it is skipped if all were, and else complete. None while
    one of them is open, and if there are none.
    """
    ended = [None if task.phase.is_open else task.outcome for task in tasks]
    if not ended or None in ended:
        return None
    if not set(ended) <= {"complete", "skipped"}:
        return "incomplete"
    return "complete" if "complete" in ended else "skipped"


def items_are_complete(situation: Situation) -> Reason | None:
    """What is delivered is all of it: no item was left incomplete, and not all were skipped."""
    return _rolls_up(situation, "complete")


def items_are_skipped(situation: Situation) -> Reason | None:
    """What is skipped was never begun: every item was skipped, and nothing was delivered."""
    given = situation.record.values.get("delivered")
    if given:
        said = "something was delivered, so it ends incomplete; use close_incomplete"
        return Reason("partly_delivered", said)
    return _rolls_up(situation, "skipped")


def _rolls_up(situation: Situation, wanted: str) -> Reason | None:
    items, _ = tasks_of(situation)
    found = rolled_up(items)
    if found in (None, wanted):
        return None
    said = f"its items come to {found}, not {wanted}"
    return Reason("items_differ", said, facts={"items": found, "wanted": wanted})


def no_approval_was_asked(situation: Situation) -> Reason | None:
    """Once an approval was asked for, fulfilment starts with it and not beside it."""
    if not situation.record.rounds:
        return None
    said = "an approval was asked for, and fulfilment starts when it is given"
    return Reason("approval_was_asked", said, facts={"round": situation.record.rounds[-1].id})


# --- the table --------------------------------------------------------------------------------

# fmt: off
MODEL     = Need("request_model", _CLASSIFIED, essential=False,
                 label={"en": "what is asked for", "zh": "请求模型"})
DELIVERED = Need("delivered", _FULFILLED, label={"en": "what was delivered", "zh": "交付内容"})
CLOSURE   = closure(_CLOSED)
TOLD      = message(_INFORMED)
WHY       = why(_RECORDED)
REASON    = why(_RECORDED, essential=False)

STATES = (
    State("submitted",  Phase.NEW,      label={"en": "Submitted", "zh": "已提交"}),
    State("approval",   Phase.WAITING,  label={"en": "In approval", "zh": "审批中"},
          waits_on=WaitsOn.CUSTOMER_APPROVER),
    State("fulfilment", Phase.ACTIVE,   label={"en": "In fulfilment", "zh": "履行中"}),
    State("on_hold",    Phase.WAITING,  label={"en": "On hold", "zh": "挂起"}),
    State("delivered",  Phase.RESOLVED, label={"en": "Delivered", "zh": "已交付"}),
    State("closed",     Phase.CLOSED,   label={"en": "Closed", "zh": "已关闭"}, outcome="completed"),
    State("incomplete", Phase.CLOSED,   label={"en": "Closed incomplete", "zh": "未完成关闭"},
          outcome="incomplete"),
    State("skipped",    Phase.CLOSED,   label={"en": "Closed skipped", "zh": "跳过关闭"}, outcome="skipped"),
    State("rejected",   Phase.CLOSED,   label={"en": "Rejected", "zh": "已拒绝"}, outcome="rejected"),
    State("cancelled",  Phase.CLOSED,   label={"en": "Cancelled", "zh": "已取消"}, outcome="cancelled"),
    *ELSEWHERE,
)

_BEFORE = ("submitted", "approval")
_BEGUN = ("fulfilment", "on_hold")
_REQUESTER = {"requester"}

TRANSITIONS = (
    Transition("seek_approval", "submitted", dest="approval", roles=DESK,
               label={"en": "Seek approval", "zh": "提交审批"}),
    Transition("start", "submitted", dest="fulfilment", roles=DESK, guards=("no_approval_was_asked",),
               label={"en": "Start fulfilment", "zh": "开始履行"}),
    Transition("approve", "approval", dest="fulfilment", roles=DESK, guards=("is_approved",),
               label={"en": "Approved: start fulfilment", "zh": "审批通过，开始履行"}),
    Transition("revise", "approval", dest="submitted", roles=STAFF, relation=_REQUESTER,
               requires=(REASON,),
               label={"en": "Take back to change it", "zh": "撤回修改"}),
    Transition("reject", "submitted", dest="rejected", roles=STAFF, requires=(WHY, TOLD),
               label={"en": "Reject", "zh": "拒绝"}),
    Transition("reject", "approval", dest="rejected", roles=DESK, guards=("is_rejected",),
               label={"en": "Rejected by the approvers", "zh": "审批未通过"}),
    Transition("expire", "approval", dest="rejected", after=APPROVAL_DUE, guards=("is_expired",),
               label={"en": "Rejected: undecided when it fell due", "zh": "逾期未决，自动拒绝"}),
    Transition("hold", _BEGUN, dest="on_hold", roles=STAFF,
               requires=(hold_reason(_RECORDED), TOLD, look_again(_RECORDED)),
               label={"en": "Put on hold", "zh": "挂起"}),
    Transition("resume", "on_hold", dest="fulfilment", roles=DESK,
               label={"en": "Resume", "zh": "恢复处理"}),
    Transition("deliver_part", "fulfilment", dest="fulfilment", roles=STAFF, requires=(DELIVERED, TOLD),
               label={"en": "Deliver a part", "zh": "部分交付"}),
    Transition("deliver", _BEGUN, dest="delivered", roles=DESK, requires=(DELIVERED,),
               guards=("no_open_tasks", "items_are_complete"),
               label={"en": "Deliver", "zh": "交付"}),
    Transition("close", "delivered", dest="closed", roles=DESK, relation=_REQUESTER, requires=(CLOSURE,),
               guards=CLOSING,
               label={"en": "Confirm and close", "zh": "确认并关闭"}),
    Transition("auto_close", "delivered", dest="closed", after=business_days(5), guards=CLOSING_ITSELF,
               label={"en": "Close by itself", "zh": "自动关闭"}),
    Transition("reopen", "delivered", dest="fulfilment", roles=DESK, relation=_REQUESTER, reopens="resume",
               requires=(REASON,),
               label={"en": "Not what was asked for", "zh": "不符合请求，重新履行"}),
    Transition("close_incomplete", _BEGUN, dest="incomplete", roles=DESK, requires=(WHY, TOLD),
               guards=("no_open_tasks",),
               label={"en": "Close incomplete", "zh": "未完成关闭"}),
    Transition("skip", _BEGUN, dest="skipped", roles=DESK, requires=(WHY, TOLD),
               guards=("no_open_tasks", "items_are_skipped"),
               label={"en": "Close skipped", "zh": "跳过关闭"}),
    Transition("cancel", _BEFORE, dest="cancelled", roles=STAFF, relation=_REQUESTER, requires=(WHY,),
               label={"en": "Cancel", "zh": "取消"}),
    Transition("cancel", _BEGUN, dest="cancelled", roles=STAFF, requires=(WHY, TOLD),
               label={"en": "Cancel", "zh": "取消"}),
    *goes_elsewhere((*_BEFORE, *_BEGUN), _RECORDED),
)
# fmt: on

SERVICE_REQUEST = sound(
    Lifecycle(
        "service_request",
        1,
        process="service_request",
        initial="submitted",
        states=STATES,
        transitions=TRANSITIONS,
        opening=(MODEL,),
        fields=(
            CustomField("request_model", "text"),
            CustomField("request_model_version", "number"),
            CustomField("inputs", "any", personal=True),
            CustomField("delivered", "text", personal=True),
            *(CustomField(name, "text") for name in SUCCESSORS),
        ),
        beside={"request_approval": "rule_is_sound", "vote": "may_vote"},
        label={"en": "Service request", "zh": "服务请求"},
        guards={
            **CONDITIONS,
            **APPROVING,
            "items_are_complete": items_are_complete,
            "items_are_skipped": items_are_skipped,
            "no_approval_was_asked": no_approval_was_asked,
        },
    )
)
"""The service request lifecycle, version 1."""
