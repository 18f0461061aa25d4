"""A plain incident lifecycle that the tests of the kernel stand on, whatever the shipped one becomes.

No guards, no timers, one row a trigger: what a rule of the kernel does to it can be read off the table.
"""

from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle import Lifecycle, Need, State, Transition
from itsm_core.lifecycle.soundness import sound

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
CLOSURES = ("user_confirmed", "no_response_after_attempts", "policy", "monitoring_verified")

_RECORDED = "ISO/IEC 20000-1 8.6.1: recorded, with the actions taken"
_RESOLVED = "ISO/IEC 20000-1 8.6.1: resolved"
_CLOSED = "ISO/IEC 20000-1 8.6.1: closed"
_INFORMED = "ISO/IEC 20000-1 8.6.1: the requester is kept informed"

# fmt: off
HOLD_REASON = Need("hold_reason", _RECORDED, one_of=tuple(WaitsOn),
                   label={"en": "reason for the hold", "zh": "挂起原因"})
MESSAGE     = Need("message", _INFORMED, label={"en": "words to the requester", "zh": "告知请求人的话"})
LOOK_AGAIN  = Need("look_again_at", _RECORDED, label={"en": "look again at", "zh": "再次查看时间"})
OUTCOME     = Need("resolution_outcome", _RESOLVED, one_of=OUTCOMES,
                   label={"en": "outcome", "zh": "解决结果"})
NOTES       = Need("resolution_notes", _RESOLVED, label={"en": "what was done", "zh": "处理说明"})
CLOSURE     = Need("closure_code", _CLOSED, one_of=CLOSURES,
                   label={"en": "how closure was agreed", "zh": "关闭依据"})
WHY         = Need("reason", _RECORDED, label={"en": "why", "zh": "原因"})

STATES = (
    State("new",         Phase.NEW,      label={"en": "New", "zh": "新建"}),
    State("in_progress", Phase.ACTIVE,   label={"en": "In progress", "zh": "处理中"}),
    State("on_hold",     Phase.WAITING,  label={"en": "On hold", "zh": "挂起"}),
    State("resolved",    Phase.RESOLVED, label={"en": "Resolved", "zh": "已解决"}),
    State("closed",      Phase.CLOSED,   label={"en": "Closed", "zh": "已关闭"}, outcome="completed"),
    State("cancelled",   Phase.CLOSED,   label={"en": "Cancelled", "zh": "已取消"}, outcome="cancelled"),
)

_STAFF = {"agent", "manager"}
_ANY_STAFF = _STAFF | {"automation"}
_OPEN = ("new", "in_progress", "on_hold")

TRANSITIONS = (
    Transition("start", "new", dest="in_progress", roles=_STAFF,
               label={"en": "Start work", "zh": "开始处理"}),
    Transition("hold", _OPEN, dest="on_hold", roles=_STAFF, requires=(HOLD_REASON, MESSAGE, LOOK_AGAIN),
               label={"en": "Put on hold", "zh": "挂起"}),
    Transition("resume", "on_hold", dest="in_progress", roles=_ANY_STAFF,
               label={"en": "Resume", "zh": "恢复处理"}),
    Transition("requeue", ("in_progress", "on_hold"), dest="new", roles=_STAFF, requires=(WHY,),
               label={"en": "Back to the queue", "zh": "退回队列"}),
    Transition("resolve", _OPEN, dest="resolved", roles=_ANY_STAFF, requires=(OUTCOME, NOTES),
               label={"en": "Resolve", "zh": "解决"}),
    Transition("resolve_and_close", ("new", "in_progress"), dest="closed", roles=_STAFF,
               requires=(OUTCOME, NOTES, CLOSURE),
               label={"en": "Resolve and close in the call", "zh": "当场解决并关闭"}),
    Transition("close", "resolved", dest="closed", roles=_ANY_STAFF, relation={"requester"},
               requires=(CLOSURE,),
               label={"en": "Close", "zh": "关闭"}),
    Transition("reopen", "resolved", dest="in_progress", roles=_ANY_STAFF, relation={"requester"},
               reopens="resume", requires=(WHY,),
               label={"en": "Reopen", "zh": "重新打开"}),
    Transition("reopen_to_queue", "resolved", dest="new", roles=_ANY_STAFF, relation={"requester"},
               reopens="resume", requires=(WHY,),
               label={"en": "Reopen to the queue", "zh": "重新打开并退回队列"}),
    Transition("cancel", _OPEN, dest="cancelled", roles=_STAFF, relation={"requester"},
               requires=(WHY,),
               label={"en": "Cancel", "zh": "取消"}),
)
# fmt: on

INCIDENT = sound(
    Lifecycle("incident", 1, process="incident", initial="new", states=STATES, transitions=TRANSITIONS)
)
