"""The problem lifecycle: find the cause, keep it from coming back (ISO/IEC 20000-1, 8.6.3).

States are those of ServiceNow; known error is none of them but follows (`known_error`). Resolved is
watched for thirty days before it closes by itself, and a recurrence in that time reopens it. A risk is
accepted until a date: when it has come, the problem goes back to its analysis. What was closed in any
way can be analysed again, and each way has a row of its own, so that a desk can say who may.
"""

from __future__ import annotations

import datetime as dt

from itsm_core.business_time.durations import calendar_days
from itsm_core.errors import Reason
from itsm_core.events import Phase
from itsm_core.lifecycle.fields import CustomField
from itsm_core.lifecycle.guards import Situation
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.parts import InstantOf, Need, State, Transition
from itsm_core.lifecycle.soundness import sound
from itsm_core.processes.change_kinds import went_well
from itsm_core.processes.conditions import STAFF, hold_reason, look_again, message, no_open_tasks, why
from itsm_core.processes.holding import leads, was_in
from itsm_core.processes.moments import moment
from itsm_core.records import Record

RESOLUTIONS = ("fix_applied", "by_change", "no_longer_relevant")
"""How a problem is resolved; the other ways out are states: risk accepted, duplicate, cancelled."""

_CLAUSE = "ISO/IEC 20000-1 8.6.3"

# fmt: off
FIELDS = (
    CustomField("rca_method",         "text"),
    CustomField("causes",             "list"),
    CustomField("preventive_actions", "list"),
    CustomField("workaround",         "text"),     # what is published: technical, about nobody
    CustomField("published_to",       "list"),
    CustomField("reviewed_at",        "instant"),
    CustomField("change_id",          "text"),
    CustomField("duplicate_of",       "text"),
    CustomField("risk_accepted_by",   "text"),
    CustomField("risk_review_at",     "instant"),
    CustomField("verification",       "text", personal=True),
)

CATEGORY = Need("category", f"{_CLAUSE}, PRB-03: classified", kept=True,
                label={"en": "category", "zh": "类别"})
IMPACT   = Need("impact", f"{_CLAUSE}, PRB-04: prioritised", kept=True, otherwise="priority",
                label={"en": "impact", "zh": "影响"})
URGENCY  = Need("urgency", f"{_CLAUSE}, PRB-04: prioritised", kept=True, otherwise="priority",
                essential=False, label={"en": "urgency", "zh": "紧急度"})
METHOD   = Need("rca_method", f"{_CLAUSE}, PRB-02: root cause analysed", kept=True, essential=False,
                label={"en": "method of the analysis", "zh": "根因分析方法"})
CAUSES   = Need("causes", f"{_CLAUSE}, PRB-02: root cause analysed", kept=True,
                label={"en": "root causes", "zh": "根本原因"})
ACTIONS  = Need("preventive_actions", f"{_CLAUSE}, PRB-02: preventive actions determined", kept=True,
                essential=False, label={"en": "actions that prevent it", "zh": "预防措施"})
OUTCOME  = Need("resolution_outcome", f"{_CLAUSE}, PRB-06: resolved", one_of=RESOLUTIONS,
                label={"en": "how it was resolved", "zh": "解决方式"})
NOTES    = Need("resolution_notes", f"{_CLAUSE}, PRB-08: updated with actions",
                label={"en": "what was done", "zh": "处理说明"})
VERIFIED = Need("verification", f"{_CLAUSE}, PRB-07: closed once the fix is verified",
                label={"en": "how the fix was verified", "zh": "修复验证方式"})
ACCEPTOR = Need("risk_accepted_by", f"{_CLAUSE}, PRB-06: risk accepted by whom",
                label={"en": "who accepts the risk", "zh": "风险接受人"})
REVIEW   = Need("risk_review_at", f"{_CLAUSE}, PRB-06: risk accepted until when",
                label={"en": "until when", "zh": "风险复审时间"})
ORIGINAL = Need("duplicate_of", f"{_CLAUSE}, PRB-07: closed",
                label={"en": "the problem that it repeats", "zh": "所重复的问题"})
WHY      = why(f"{_CLAUSE}, PRB-08: updated with actions")
HOLD     = (hold_reason(f"{_CLAUSE}, PRB-05: escalated where it stalls"),
            message(f"{_CLAUSE}, PRB-12: up-to-date information", essential=False),
            look_again(f"{_CLAUSE}, PRB-05: escalated where it stalls"))

STATES = (
    State("new",                 Phase.NEW,      label={"en": "New", "zh": "新建"}),
    State("assess",              Phase.ACTIVE,   label={"en": "Assess", "zh": "评估"}),
    State("root_cause_analysis", Phase.ACTIVE,   label={"en": "Root cause analysis", "zh": "根因分析"}),
    State("fix_in_progress",     Phase.ACTIVE,   label={"en": "Fix in progress", "zh": "修复中"}),
    State("on_hold",             Phase.WAITING,  label={"en": "On hold", "zh": "挂起"}),
    State("resolved",            Phase.RESOLVED, label={"en": "Resolved", "zh": "已解决"}),
    State("closed",              Phase.CLOSED,   label={"en": "Closed", "zh": "已关闭"}, outcome="completed"),
    State("risk_accepted",       Phase.CLOSED,   label={"en": "Risk accepted", "zh": "已接受风险"},
          outcome="risk_accepted"),
    State("duplicate",           Phase.CLOSED,   label={"en": "Duplicate", "zh": "重复"},
          outcome="duplicate"),
    State("cancelled",           Phase.CLOSED,   label={"en": "Cancelled", "zh": "已取消"},
          outcome="cancelled"),
)

_STAFF = STAFF
_ANY_STAFF = STAFF | {"automation"}
_CLOSING = ("its_change_is_done", "no_open_tasks")
_ANALYSIS = "root_cause_analysis"
_WORKED_ON = ("assess", _ANALYSIS, "fix_in_progress")
_OPEN = ("new", *_WORKED_ON, "on_hold")

_STEPS = (
    Transition("assess", "new", dest="assess", roles=_STAFF,
               label={"en": "Assess", "zh": "开始评估"}),
    Transition("analyse", "assess", dest=_ANALYSIS, roles=_STAFF,
               requires=(CATEGORY, IMPACT, URGENCY),
               label={"en": "Confirm and analyse", "zh": "确认并分析"}),
    Transition("fix", _ANALYSIS, dest="fix_in_progress", roles=_STAFF,
               requires=(METHOD, CAUSES, ACTIONS),
               label={"en": "Start the fix", "zh": "开始修复"}),
    Transition("resolve", "fix_in_progress", dest="resolved", roles=_ANY_STAFF,
               requires=(METHOD, CAUSES, OUTCOME, NOTES), guards=("names_its_change",),
               label={"en": "Resolve", "zh": "解决"}),
    Transition("close", "resolved", dest="closed", roles={"manager"},
               requires=(VERIFIED,), guards=_CLOSING,
               label={"en": "Close as verified", "zh": "验证后关闭"}),
    Transition("verify", "resolved", dest="closed", after=calendar_days(30), guards=_CLOSING,
               label={"en": "Closed after thirty days without recurrence", "zh": "三十天未复发自动关闭"}),
    Transition("recur", "resolved", dest=_ANALYSIS, roles=_ANY_STAFF, reopens="resume", requires=(WHY,),
               label={"en": "It happened again", "zh": "再次发生"}),
    Transition("accept_risk", (_ANALYSIS, "fix_in_progress", "on_hold"), dest="risk_accepted",
               roles={"manager"}, requires=(ACCEPTOR, WHY, REVIEW), guards=("review_lies_ahead",),
               label={"en": "Accept the risk", "zh": "接受风险"}),
    Transition("lapse", "risk_accepted", dest=_ANALYSIS, after=InstantOf("risk_review_at"), reopens="restart",
               label={"en": "The acceptance has lapsed", "zh": "风险接受已到期"}),
    Transition("mark_duplicate", _OPEN, dest="duplicate", roles=_STAFF,
               requires=(ORIGINAL,), guards=("names_another",),
               label={"en": "Mark as duplicate", "zh": "标记为重复"}),
    Transition("cancel", _OPEN, dest="cancelled", roles=_STAFF, requires=(WHY,),
               label={"en": "Cancel", "zh": "取消"}),
    Transition("reanalyse", "fix_in_progress", dest=_ANALYSIS, roles=_STAFF, requires=(WHY,),
               label={"en": "Analyse again", "zh": "重新分析"}),
    *(Transition("reanalyse", ended, dest=_ANALYSIS, roles={"manager"}, requires=(WHY,), reopens="restart",
                 label={"en": "Analyse again", "zh": "重新分析"})
      for ended in ("resolved", "closed", "risk_accepted", "duplicate", "cancelled")),
)

_RESUME = {"en": "Resume", "zh": "恢复处理"}
_HOLDS = (
    Transition("hold", (*_WORKED_ON, "on_hold"), dest="on_hold", roles=_STAFF,
               requires=HOLD, label={"en": "Put on hold", "zh": "挂起"}),
    Transition("resume", "on_hold", dest="fix_in_progress", roles=_ANY_STAFF, guards=("held_in_fix",),
               label=_RESUME),
    Transition("resume", "on_hold", dest=_ANALYSIS, roles=_ANY_STAFF, guards=("held_in_analysis",),
               label=_RESUME),
    Transition("resume", "on_hold", dest="assess", roles=_ANY_STAFF, label=_RESUME),
)
# fmt: on


# --- guards -------------------------------------------------------------------------------------


def names_its_change(situation: Situation) -> Reason | None:
    """A reason if it was resolved by a change that nobody names (PRB-09)."""
    if situation.get("resolution_outcome") != "by_change" or situation.get("change_id"):
        return None
    said = "a problem resolved by a change names it; give change_id"
    return Reason("missing_field", said, facts={"field": "change_id", "clause": f"{_CLAUSE}, PRB-09"})


def its_change_is_done(situation: Situation) -> Reason | None:
    """A reason if the change that resolved it is loaded beside it, and is not done (PRB-09)."""
    change = situation.get("change_id")
    still = [other.id for other in situation.related if other.id == change and not went_well(other)]
    if not still or situation.get("resolution_outcome") != "by_change":
        return None
    said = f"{change} is not closed with success; close it first, or analyse the problem again"
    return Reason("change_not_done", said, facts={"change": change})


def names_another(situation: Situation) -> Reason | None:
    """A reason if it would be a duplicate of itself."""
    if situation.get("duplicate_of") != situation.record.id:
        return None
    said = "a problem is no duplicate of itself; name the other one in duplicate_of"
    return Reason("invalid_field", said, facts={"field": "duplicate_of"})


def review_lies_ahead(situation: Situation) -> Reason | None:
    """A reason if the risk would be accepted until an instant that has come already."""
    until, at = moment(situation.fields.get("risk_review_at")), situation.at
    if until is None or at is None or until > at:
        return None
    said = f"risk_review_at is {until.isoformat()}, which does not lie after {at.isoformat()}"
    return Reason("invalid_field", said, facts={"field": "risk_review_at"})


def risk_review_due(record: Record) -> dt.datetime | None:
    """When an accepted risk is to be looked at again; None if none is accepted.

    At that instant `lapse` takes the problem back to its analysis: a timer edge, which the desk fires.
    """
    return moment(record.values.get("risk_review_at")) if record.outcome == "risk_accepted" else None


_LEADS = leads(_STEPS)
GUARDS = {
    "no_open_tasks": no_open_tasks,
    "names_its_change": names_its_change,
    "its_change_is_done": its_change_is_done,
    "names_another": names_another,
    "review_lies_ahead": review_lies_ahead,
    "held_in_fix": was_in("fix_in_progress", _LEADS),
    "held_in_analysis": was_in(_ANALYSIS, _LEADS),
}
"""The guards of a problem, by the name that its definition uses."""

PROBLEM = sound(
    Lifecycle(
        "problem",
        1,
        process="problem",
        initial="new",
        states=STATES,
        transitions=(*_STEPS, *_HOLDS),
        fields=FIELDS,
        requester=False,
        label={"en": "Problem", "zh": "问题"},
        guards=GUARDS,
    )
)
"""The problem lifecycle, version 1."""
