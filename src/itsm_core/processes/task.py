"""The task lifecycle: one piece of work that is part of another record.

Items of a request, tasks of an incident, a change or a problem are tasks. The record they are part
of is linked to each as its "task", and does not close while one is open. Three ways to end are those
of ServiceNow: complete, incomplete (begun, or due, and not done), skipped (not needed after all).
"""

from __future__ import annotations

from itsm_core.events import Phase
from itsm_core.lifecycle.fields import CustomField
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.parts import Need, State, Transition
from itsm_core.lifecycle.soundness import sound
from itsm_core.processes.conditions import STAFF, hold_reason, look_again, why

_PLANNED = "ISO/IEC 20000-1 8.1: work is planned and controlled"
_RECORDED = "ISO/IEC 20000-1 8.1: records show that it was done as planned"

# fmt: off
PART_OF = Need("part_of", _PLANNED, label={"en": "part of", "zh": "所属记录"})
DONE    = Need("resolution_notes", _RECORDED, essential=False,
               label={"en": "what was done", "zh": "处理说明"})
WHY     = why(_RECORDED)

STATES = (
    State("open",        Phase.NEW,     label={"en": "Open", "zh": "待处理"}),
    State("in_progress", Phase.ACTIVE,  label={"en": "In progress", "zh": "处理中"}),
    State("on_hold",     Phase.WAITING, label={"en": "On hold", "zh": "挂起"}),
    State("complete",    Phase.CLOSED,  label={"en": "Complete", "zh": "已完成"}, outcome="complete"),
    State("incomplete",  Phase.CLOSED,  label={"en": "Incomplete", "zh": "未完成"}, outcome="incomplete"),
    State("skipped",     Phase.CLOSED,  label={"en": "Skipped", "zh": "已跳过"}, outcome="skipped"),
)

_ANY_STAFF = STAFF | {"automation"}
_ASSIGNEE = {"assignee"}
_OPEN = ("open", "in_progress", "on_hold")

TRANSITIONS = (
    Transition("start", "open", dest="in_progress", roles=_ANY_STAFF, relation=_ASSIGNEE,
               label={"en": "Start work", "zh": "开始处理"}),
    Transition("hold", _OPEN, dest="on_hold", roles=STAFF, relation=_ASSIGNEE,
               requires=(hold_reason(_RECORDED), look_again(_RECORDED)),
               label={"en": "Put on hold", "zh": "挂起"}),
    Transition("resume", "on_hold", dest="in_progress", roles=_ANY_STAFF, relation=_ASSIGNEE,
               label={"en": "Resume", "zh": "恢复处理"}),
    Transition("complete", _OPEN, dest="complete", roles=_ANY_STAFF, relation=_ASSIGNEE, requires=(DONE,),
               label={"en": "Complete", "zh": "完成"}),
    Transition("leave_incomplete", _OPEN, dest="incomplete", roles=_ANY_STAFF, relation=_ASSIGNEE,
               requires=(WHY,),
               label={"en": "Leave incomplete", "zh": "标记为未完成"}),
    Transition("skip", _OPEN, dest="skipped", roles=_ANY_STAFF, relation=_ASSIGNEE, requires=(WHY,),
               label={"en": "Skip", "zh": "跳过"}),
)
# fmt: on

TASK = sound(
    Lifecycle(
        "task",
        1,
        process="task",
        initial="open",
        states=STATES,
        transitions=TRANSITIONS,
        opening=(PART_OF,),
        fields=[CustomField("part_of", "text")],
        requester=False,
        label={"en": "Task", "zh": "任务"},
    )
)
"""The task lifecycle, version 1."""
