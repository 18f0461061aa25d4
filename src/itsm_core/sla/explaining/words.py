"""The words of explanations: phrases to fill in and a dictionary, for each language."""

from __future__ import annotations

import datetime as dt
import re

import attrs

from itsm_core.business_time import format_duration
from itsm_core.errors import InvalidValue


@attrs.frozen
class Words:
    """One language: `phrases` with places to fill, and its words for ours."""

    lang: str
    phrases: dict[str, str]
    dictionary: dict[str, str] = attrs.field(factory=dict, kw_only=True)
    durations: tuple[tuple[re.Pattern[str], str], ...] = attrs.field(default=(), kw_only=True)

    def of(self, text: str) -> str:
        """A word of ours in this language; the name of a holiday stays what it is."""
        kind, colon, name = text.partition(": ")
        word = self.dictionary.get(kind, kind.replace("_", " "))
        return word + self.phrases["colon"] + name if colon else word

    def duration(self, text: str) -> str:
        """The text of a promised duration in this language."""
        for pattern, words in self.durations:
            text = pattern.sub(words, text)
        return text

    def length(self, value: dt.timedelta) -> str:
        """A measured duration in hours, minutes and seconds, such as "8h 30m"; never in days."""
        return self.duration(format_duration(value)).replace(" ", self.phrases["gap"])


ENGLISH = Words("en", {
    "head": "{target} ({metric} within {promised}): {verdict}",
    "settled": ", settled",
    "provisional": ", provisional",
    "started": "Started {when} ({zone})",
    "not_started": "Not started by {when} ({zone})",
    "due": "due {when}",
    "never_due": "never due: the calendar does not open again for long enough (it counts up to 2300)",
    "stopped": "stopped {when} ({reason})",
    "asked": "asked {when}",
    "used": "{elapsed} of {budget} used ({percent} %)",
    "used_unlimited": "{elapsed} used",
    "over": ", over by {overrun}",
    "spent": "{kind} {length} ({reason})",
    "flagged": "Flagged: {what} {when}, with less than a tenth left",
    "adjusted": "Adjusted by {names}: {verdict}, {excused} excused, {elapsed} counted",
    "justified": "Justified {when}, {confirmed}",
    "confirmed": "confirmed by the requester", "unconfirmed": "not confirmed by the requester",
    "judged": "Judged by {agreement}, calendar {calendar}",
    "judged_by_calendar": "Judged by calendar {calendar}",
    "under": "under 1 second",
    "none": "0 seconds",
    "end": ". ", "and": "; ", "also": ", ", "colon": ": ", "gap": " ",
})  # fmt: skip

CHINESE = Words("zh", {
    "head": "{target}（{metric}时限：{promised}）：{verdict}",
    "settled": "，已定",
    "provisional": "，暂定",
    "started": "开始于 {when}（{zone}）",
    "not_started": "截至 {when}（{zone}）尚未开始",
    "due": "到期 {when}",
    "never_due": "永不到期：日历不再开放足够时间（计至2300年）",
    "stopped": "停止于 {when}（{reason}）",
    "asked": "查询于 {when}",
    "used": "已用{elapsed}，时限{budget}（{percent} %）",
    "used_unlimited": "已用{elapsed}",
    "over": "，超出{overrun}",
    "spent": "{kind}{length}（{reason}）",
    "flagged": "注意：{when} {what}，当时剩余不足十分之一",
    "adjusted": "按例外 {names} 调整：{verdict}，免计{excused}，计入{elapsed}",
    "justified": "超时已说明理由（{when}），{confirmed}",
    "confirmed": "申请人已确认", "unconfirmed": "申请人未确认",
    "judged": "依据 {agreement}，日历 {calendar}",
    "judged_by_calendar": "依据日历 {calendar}",
    "under": "不到1秒",
    "none": "0秒",
    "end": "。", "and": "；", "also": "、", "colon": "：", "gap": "",
}, dictionary={
    "response": "响应", "resolution": "解决", "update": "更新", "reply": "回复",
    "past due": "超过到期", "from": "自", "to": "至", "length": "时长", "kind": "类别",
    "reason": "原因", "event": "事件", "owner": "负责人", "group": "小组", "assignee": "受理人",
    "state": "状态", "phase": "阶段", "share": "占比", "active": "处理中", "waiting": "挂起",
    "running": "运行", "paused": "暂停", "closed": "关闭", "stopped": "停止",
    "met": "达标", "breached": "违约", "void": "作废", "void_after_breach": "违约后作废", "unknown": "不明",
    "answered": "已答复", "live_contact": "当面或通话答复", "acknowledged": "已确认",
    "answered_by_ai": "智能助手已答复", "no_target": "不再有目标", "retargeted": "目标已更换",
    "left": "已移交", "retyped": "已改类", "held": "挂起", "lowered": "目标放宽",
    "resolved_without_reply": "未答复即解决", "cancelled": "已取消", "duplicate": "重复", "merged": "已合并",
    "new": "新建", "in progress": "处理中", "resolved": "已解决", "on hold without a reason": "无理由挂起",
    "waiting for requester": "等待申请人", "waiting for customer's approval": "等待客户批准",
    "waiting for supplier": "等待供应商", "waiting for a problem": "等待问题处理",
    "waiting for a change": "等待变更",
    "waiting for internal work": "等待内部处理", "waiting for the agreed date": "等待约定日期",
    "night": "夜间", "weekend": "周末", "holiday": "假日", "break": "休息", "day off": "休息日",
    "closed by shift": "排班休息", "outside hours": "服务时间外", "no hours in force": "无有效服务时间",
}, durations=(
    (re.compile(r"(\d+) business days?"), r"\1个工作日"),
    (re.compile(r"(\d+) calendar days?"), r"\1个日历日"),
    (re.compile(r"end of business day"), "工作日结束"),
    (re.compile(r"(\d+)h"), r"\1小时"),
    (re.compile(r"(\d+)m"), r"\1分钟"),
    (re.compile(r"([\d.]+)s"), r"\1秒"),
))  # fmt: skip

WORDS = {words.lang: words for words in (ENGLISH, CHINESE)}
"""Every language in which a clock explains itself."""


def words_of(lang: str) -> Words:
    """The words of a language; one that is not spoken here is refused with the choices."""
    words = WORDS.get(lang) if isinstance(lang, str) else None
    if words is None:
        raise InvalidValue("language", lang, "is not spoken here", f"use one of {sorted(WORDS)}")
    return words
