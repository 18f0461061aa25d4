"""By what the demo's records are judged: calendars, agreements and one escalation policy.

The outages are judged around the clock in UTC, the desk by its own hours. The targets are
`default_agreement`: customary figures, a convention and not the standard's.
"""

from __future__ import annotations

import datetime as dt

import attrs

from itsm_core.business_time import BusinessCalendar
from itsm_core.demo.script import DESK, OUTAGES
from itsm_core.escalation import EscalationPolicy, EscalationStep
from itsm_core.records import Record
from itsm_core.sla import Agreement, default_agreement

SHANGHAI = BusinessCalendar.weekly(
    "mon-fri 10:30-16:30",
    zone="Asia/Shanghai",
    holidays=[("2024-02-10", "2024-02-17", "Spring Festival")],
    shifts={"2024-02-04": "10:30-16:30", "2024-02-18": "10:30-16:30"},
    name="small desk in Shanghai",
)
"""Mon-Fri 10:30-16:30; Spring Festival off, worked in on two Sundays (4 and 18 February 2024)."""

AROUND_THE_CLOCK = BusinessCalendar.always("UTC", name="around the clock")

POLICY = EscalationPolicy(
    "demo",
    1,
    steps=(
        EscalationStep("answer", "75 %", metric="response", to="group-lead"),
        EscalationStep("second-line", "50 %", kind="functional", group="second-line"),
        EscalationStep("lead", "75 %", to="group-lead"),
        EscalationStep("service-manager", "100 %", to="service-manager"),
    ),
    last_resort="service-manager",
)


def resolver(name: str, record: Record, _: dt.datetime) -> tuple[str, ...]:
    """Who answers to a name of the policy: the lead of the group that has the work."""
    return (f"lead of {record.group or 'service-desk'}",) if name == "group-lead" else (name,)


@attrs.frozen(kw_only=True)
class Setting:
    """The desk that a file of one kind is played on, and what the reader should know of it."""

    calendar: BusinessCalendar
    title: dict[str, str]
    lead: dict[str, str]

    @property
    def agreement(self) -> Agreement:
        """The customary targets on the calendar of the desk."""
        return default_agreement(self.calendar)


# fmt: off
SETTINGS = {
    OUTAGES: Setting(
        calendar=AROUND_THE_CLOCK,
        title={"en": "Public outages", "zh": "公开的服务中断"},
        lead={
            "en": "Facts of published timelines. Judged around the clock from the instant the outage began; "
                  "the first public word answers. Instants that were not published are unknown. The "
                  "escalations and the tracks of the major incidents are what the demo's policy and "
                  "procedure would have done, not what the companies did.",
            "zh": "来自公开时间线的事实，自中断开始起全天计时，首次公告视为响应。未公布的时间标为未知。"
                  "升级与重大事件的各条工作线是本演示的策略和程序会采取的动作，并非各公司的实际做法。",
        },
    ),
    DESK: Setting(
        calendar=SHANGHAI,
        title={"en": "A week at a small desk (invented)", "zh": "一个小服务台的一周（虚构）"},
        lead={
            "en": "Invented tickets of a desk that is open Mon-Fri 10:30-16:30 in Shanghai, closed for the "
                  "Spring Festival of 2024 and open on two make-up Sundays. P1 and P2 count all day, "
                  "the others in these hours; only waiting for the requester pauses a resolution.",
            "zh": "虚构的工单。服务台位于上海，周一至周五 10:30-16:30 开放，2024 年春节放假，"
                  "两个周日调休上班。P1、P2 全天计时，其余按开放时间计时；"
                  "只有等待请求人时才暂停解决计时。",
        },
    ),
}
# fmt: on
