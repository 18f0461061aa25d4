"""What a change has to say before it goes on, each with the clause that asks for it."""

from __future__ import annotations

from itsm_core.lifecycle.fields import CustomField
from itsm_core.lifecycle.parts import Need
from itsm_core.priority import Level
from itsm_core.processes.change_kinds import KINDS, OUTCOMES, SERVICE_CHANGES
from itsm_core.processes.conditions import hold_reason, look_again, message, why

_CLAUSE = "ISO/IEC 20000-1 8.5.1"
_RECORDED = f"{_CLAUSE}.2, CHG-04: recorded and classified"
_DECIDED = f"{_CLAUSE}.3, CHG-06: risk, benefit, feasibility and cost are considered"
_IMPACTS = f"{_CLAUSE}.3, CHG-07: impacts are considered"
_BEFORE = f"{_CLAUSE}.3, CHG-08: approved and prioritised before work"
_TESTED = f"{_CLAUSE}.3, CHG-09: tested where possible"
_TOLD = f"{_CLAUSE}.3, CHG-10: interested parties are told"
_REVERSED = f"{_CLAUSE}.3, CHG-11: a way back is planned, and tested where possible"
_INVESTIGATED = f"{_CLAUSE}.3, CHG-12: what went wrong is investigated, and actions agreed"
_REVIEWED = f"{_CLAUSE}.3, CHG-13: reviewed for effectiveness"
_URGENT = f"{_CLAUSE}.3, CHG-16: an emergency leaves the least record, completed afterwards"
_WITHIN = f"{_CLAUSE}.3, CHG-17: done inside the approved window"
_FOUND = f"{_CLAUSE}.3, CHG-18: changes without a request are found"
_TEMPLATE = f"{_CLAUSE}.1, CHG-20: a standard change uses a valid pre-authorisation"

# fmt: off
FIELDS = (
    *(CustomField(name, "text") for name in (
        "change_kind", "service_change", "design_ref", "likelihood", "assessed_risk", "benefit",
        "feasibility", "cost", "impact_on_services", "impact_on_users", "impact_on_plans",
        "impact_on_capacity", "impact_on_availability", "impact_on_continuity", "impact_on_security",
        "impact_on_changes",
        "implementation_plan", "test_result", "untested_reason", "backout_plan", "no_backout_reason",
        "backout_test", "backout_untested_reason", "blackout_exception", "template", "found_by")),
    CustomField("template_version", "number"),
    *(CustomField(name, "instant") for name in (
        "planned_start", "planned_end", "actual_start", "actual_end", "told_at")),
    CustomField("evidence", "text", personal=True),
    CustomField("review_result", "text", personal=True),
    CustomField("review_actions", "list"),
    CustomField("no_actions_reason", "text", personal=True),
)
"""The fields that only changes have; what tells of people is personal, plans and answers are not."""


def _kept(field: str, clause: str, en: str, zh: str, *, essential: bool = True, otherwise: str | None = None,
          one_of: tuple[str, ...] = ()) -> Need:
    return Need(field, clause, kept=True, essential=essential, otherwise=otherwise, one_of=one_of,
                label={"en": en, "zh": zh})


KIND      = Need("change_kind", _RECORDED, one_of=KINDS, label={"en": "kind of change", "zh": "变更类型"})
WHY       = why(f"{_CLAUSE}.2, CHG-04: recorded, with why it goes this way")
HOLD      = (hold_reason(_RECORDED), message(_TOLD, essential=False), look_again(_RECORDED))

CLASSIFIED = (
    _kept("category", _RECORDED, "category", "类别"),
    _kept("service_change", _RECORDED, "change of a service as a whole", "服务整体变更", essential=False,
          one_of=SERVICE_CHANGES),
)
RISK = (
    _kept("likelihood", _DECIDED, "how likely something goes wrong", "出错可能性", one_of=tuple(Level)),
    _kept("impact", _DECIDED, "how bad that would be", "影响程度"),
)
ANSWERED = (
    *RISK,
    _kept("benefit", _DECIDED, "benefit", "收益", essential=False),
    _kept("feasibility", _DECIDED, "feasibility", "可行性", essential=False),
    _kept("cost", _DECIDED, "cost", "成本", essential=False),
    _kept("impact_on_services", _IMPACTS, "impact on services", "对服务的影响", essential=False),
    _kept("impact_on_users", _IMPACTS, "impact on users and customers", "对用户的影响", essential=False),
    _kept("impact_on_plans", _IMPACTS, "impact on policies and plans", "对策略和计划的影响", essential=False),
    _kept("impact_on_capacity", _IMPACTS, "impact on capacity", "对容量的影响", essential=False),
    _kept("impact_on_availability", _IMPACTS, "impact on availability", "对可用性的影响", essential=False),
    _kept("impact_on_continuity", _IMPACTS, "impact on continuity", "对连续性的影响", essential=False),
    _kept("impact_on_security", _IMPACTS, "impact on information security", "对信息安全的影响",
          essential=False),
    _kept("impact_on_changes", _IMPACTS, "impact on other changes and releases", "对其他变更和发布的影响",
          essential=False),
)
PRIORITISED = (_kept("urgency", _BEFORE, "urgency", "紧急度", essential=False, otherwise="priority"),)
WINDOW = (
    _kept("planned_start", _WITHIN, "planned start", "计划开始时间"),
    _kept("planned_end", _WITHIN, "planned end", "计划结束时间"),
)
BACKOUT = (_kept("backout_plan", _REVERSED, "plan for the way back", "回退计划",
                 otherwise="no_backout_reason"),)
BACKOUT_TEST = (_kept("backout_test", _REVERSED, "test of the way back", "回退测试", essential=False,
                      otherwise="backout_untested_reason"),)
TEST = (_kept("test_result", _TESTED, "result of the test", "测试结果", otherwise="untested_reason"),)
TOLD = (_kept("told_at", _TOLD, "when interested parties were told", "告知相关方的时间"),)
TEMPLATE = (
    _kept("template", _TEMPLATE, "template", "变更模板"),
    _kept("template_version", _TEMPLATE, "version of the template", "模板版本"),
)
URGENT = (Need("reason", _URGENT, label={"en": "why it cannot wait", "zh": "紧急原因"}),)
OUTCOME = (Need("resolution_outcome", f"{_CLAUSE}.3, CHG-12: the outcome is known", one_of=OUTCOMES,
                label={"en": "outcome", "zh": "实施结果"}),)
NOTES = (Need("resolution_notes", _RECORDED, label={"en": "what was done", "zh": "实施说明"}),)
ACTUAL = (
    _kept("actual_start", _WITHIN, "actual start", "实际开始时间", essential=False),
    _kept("actual_end", _WITHIN, "actual end", "实际结束时间", essential=False),
)
FINDING = (
    Need("found_by", _FOUND, label={"en": "how it was found", "zh": "发现方式"}),
    Need("evidence", _FOUND, label={"en": "evidence", "zh": "证据"}),
)
REVIEW = (
    _kept("review_result", _REVIEWED, "result of the review", "评审结果"),
    _kept("review_actions", _INVESTIGATED, "actions agreed", "商定的措施", otherwise="no_actions_reason"),
)
# fmt: on
