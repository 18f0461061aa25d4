"""What an escalation says, in English and Chinese."""

from __future__ import annotations

import datetime as dt

from itsm_core.business_time.durations import Budget
from itsm_core.escalation.effects import (
    Change,
    DeclareMajor,
    Effect,
    HandedOver,
    Inform,
    Move,
    NoResponder,
    NotFired,
    Resume,
    Steered,
)
from itsm_core.escalation.steps import EscalationStep, StepKind
from itsm_core.escalation.triggers import Trigger, TriggerKind, Unit, Wait
from itsm_core.records import Record

# fmt: off
_METRIC = {
    ("en", "response"): "the first answer", ("en", "resolution"): "the resolution",
    ("zh", "response"): "首次响应",          ("zh", "resolution"): "解决",
    ("en", "update"): "the next update",    ("en", "reply"): "the answer",
    ("zh", "update"): "进展更新",            ("zh", "reply"): "回复",
}
_SUBJECT = {
    "en": "{number} {priority}: {why}",
    "zh": "{number} {priority}：{why}",
}
_WHY: dict[str, dict[TriggerKind | None, str]] = {
    "en": {
        TriggerKind.SHARE: "{percent} of the time for {metric} is used up",
        TriggerKind.STATE: "in {state} for {wait}",
        TriggerKind.UNACKNOWLEDGED: "not acknowledged for {wait}",
        TriggerKind.SILENT: "no word from the desk for {wait}",
        TriggerKind.REOPENED: "reopened {count} times or more",
        TriggerKind.REASSIGNED: "reassigned {count} times",
        TriggerKind.PRIORITY: "the priority changed",
        TriggerKind.UPDATE_OVERDUE: "the update of the major incident is overdue",
        TriggerKind.REPORT_OVERDUE: "the report of the major incident is overdue",
        TriggerKind.REVIEW_OVERDUE: "the review of the major incident is overdue",
        None: "not acknowledged; {wait} since the step before",
    },
    "zh": {
        TriggerKind.SHARE: "{metric}时限已用 {percent}",
        TriggerKind.STATE: "处于 {state} 状态已达 {wait}",
        TriggerKind.UNACKNOWLEDGED: "{wait}内无人确认",
        TriggerKind.SILENT: "{wait}内服务台未作任何说明",
        TriggerKind.REOPENED: "重新打开已达 {count} 次",
        TriggerKind.REASSIGNED: "转派已达 {count} 次",
        TriggerKind.PRIORITY: "优先级已变更",
        TriggerKind.UPDATE_OVERDUE: "重大事件的进展更新已逾期",
        TriggerKind.REPORT_OVERDUE: "重大事件的报告已逾期",
        TriggerKind.REVIEW_OVERDUE: "重大事件的评审已逾期",
        None: "尚未确认；距上一步已过 {wait}",
    },
}
_AT_ONCE = {"en": "not acknowledged yet", "zh": "尚无人确认"}
_GOING_ON = {"en": "{wait} since the step before", "zh": "距上一步已过 {wait}"}
_NEXT = {"en": "together with the step before", "zh": "紧接上一步"}
_NO_RESPONDER = {"en": "nobody answers to {names}; {why}", "zh": "{names} 均无人应答；{why}"}
_HANDED_OVER = {"en": "you are on duty now; {why}", "zh": "现由您值班；{why}"}
_BODY = {
    "en": "{title}. Due {due}; open since {opened}, with {group}.",
    "zh": "{title}。截止时间 {due}；{opened} 开单，现由 {group} 处理。",
}
_UNDUE = {
    "en": "{title}. Open since {opened}, with {group}.",
    "zh": "{title}。{opened} 开单，现由 {group} 处理。",
}
_HIDDEN = {"en": "Restricted", "zh": "受限工单"}
_NOBODY = {"en": "nobody yet", "zh": "尚未分派的队列"}
_UNIT = {
    ("en", Unit.WALL): "{}", ("en", Unit.BUSINESS): "{} of open time",
    ("zh", Unit.WALL): "{}", ("zh", Unit.BUSINESS): "{}（营业时间）",
}
HEADINGS = {
    "en": ("after", "at", "step", "who", "channel", "why"),
    "zh": ("经过", "时间", "步骤", "通知对象", "渠道", "原因"),
}
SKIPPED = {
    ("en", "empty"): "nobody answers",          ("zh", "empty"): "无人应答",
    ("en", "skipped"): "repeated often enough", ("zh", "skipped"): "重复次数已满",
    ("en", "superseded"): "superseded",         ("zh", "superseded"): "已被取代",
    ("en", "expired"): "expired",               ("zh", "expired"): "已过期",
    ("en", "coalesced"): "a later step tells",  ("zh", "coalesced"): "由后续步骤通知",
    ("en", "condition"): "does not apply",      ("zh", "condition"): "条件不符",
    ("en", "clock_regressed"): "the clock was set back", ("zh", "clock_regressed"): "时钟回拨",
    ("en", "unresolved"): "nobody could say who that is", ("zh", "unresolved"): "暂时无法确定是谁",
}
"""Why a step does not fire, in words."""

NOTES = {
    ("en", "switch"): "From {at} on it depends: {step} raises the priority; another policy may take over.",
    ("en", "clocks"): "From {at} on it depends: {step} changes the priority; the clocks are of the old one.",
    ("en", "silent"): "{step}: if nobody answers to {names}, nobody is told; say last_resort.",
    ("en", "uncovered"): "{policy} does not cover {priority}: the desk tells nobody by it.",
    ("zh", "switch"): "自 {at} 起视情况而定：{step} 会提高优先级，可能由另一策略接管。",
    ("zh", "clocks"): "自 {at} 起视情况而定：{step} 会更改优先级，而此处时限仍按原优先级计算。",
    ("zh", "silent"): "{step}：若 {names} 均无人应答，则无人获知；请设置 last_resort。",
    ("zh", "uncovered"): "{policy} 不适用于 {priority}：服务台不会据此通知任何人。",
}
"""What a preview cannot show, in words."""

PICTURE = {("en", "nothing"): "Nobody is told.", ("zh", "nothing"): "不通知任何人。"}

_DEEDS = {
    ("en", "move"): "work to {}", ("en", "change"): "set {}",
    ("zh", "move"): "转派至 {}",   ("zh", "change"): "设置 {}",
    ("en", "major"): "declare a major incident", ("en", "went"): "go on at {}",
    ("zh", "major"): "宣布重大事件",              ("zh", "went"): "转至 {}",
}
_ENDED = {
    ("en", "ack_timeout"): "the acknowledgement lapsed", ("en", "snooze_over"): "the snooze is over",
    ("zh", "ack_timeout"): "确认已失效",                  ("zh", "snooze_over"): "暂缓结束",
    ("en", "handed_off"): "whoever was on it has gone off duty", ("zh", "handed_off"): "确认人已下班",
}
# fmt: on


def wording(effect: Inform, record: Record, lang: str = "en") -> tuple[str, str]:
    """Subject and body of what a hierarchic step says, in "en" or "zh"."""
    lang = lang if lang in _SUBJECT else "en"
    clock = effect.clock
    opened = record.opened_at if clock is None else clock.started_at
    facts = {
        "number": record.number or record.id,
        "priority": record.priority or "",
        "why": because_of(effect, lang),
        "title": _HIDDEN[lang] if record.restricted else record.title or "",
        "due": _shown(None if clock is None else clock.due_at),
        "opened": _shown(opened),
        "group": record.assignee or record.group or _NOBODY[lang],
    }
    body = _UNDUE if clock is None else _BODY
    return _SUBJECT[lang].format(**facts), body[lang].format(**facts)


def because(trigger: Trigger, lang: str = "en") -> str:
    """What sets off a step, in words: "75 % of the time for the resolution is used up"."""
    share = trigger.share
    if trigger.kind is TriggerKind.UNACKNOWLEDGED and trigger.wait is not None and not trigger.wait.is_long:
        return _AT_ONCE[lang]
    return _WHY[lang][trigger.kind].format(
        percent="" if share is None else f"{float(share * 100):g} %",
        metric=_METRIC.get((lang, str(trigger.metric)), str(trigger.metric)),
        state=trigger.state,
        wait=waited(trigger.wait, lang),
        count=trigger.count,
    )


def waited(wait: Wait | None, lang: str = "en") -> str:
    """A wait in words: "15m", "2h of open time"."""
    return "" if wait is None else _UNIT[lang, wait.unit].format(wait.duration)


def because_of(effect: Effect, lang: str = "en") -> str:
    """Why an effect comes now, in words."""
    step = effect.step
    if isinstance(effect, Resume):
        return _ENDED[lang, effect.why]
    if step is None:
        return SKIPPED[lang, "clock_regressed"]
    if step.begins is not None:
        why = because(step.begins, lang)
    else:
        at_once = (
            step.after is not None and not step.after.is_long and isinstance(step.after.duration, Budget)
        )
        told = _WHY[lang][None] if step.stops_on == "acknowledged" else _GOING_ON[lang]
        why = _NEXT[lang] if at_once else told.format(wait=waited(step.after, lang))
    if isinstance(effect, NoResponder):
        return _NO_RESPONDER[lang].format(names=", ".join(step.to) or step.assignee or step.id, why=why)
    return _HANDED_OVER[lang].format(why=why) if isinstance(effect, HandedOver) else why


def who_or_what(effect: Effect, lang: str) -> str:
    """Who is told or gets the work, or what is done instead."""
    if isinstance(effect, Inform):
        return effect.to
    if isinstance(effect, Move):
        return _deed("move", lang, _work(effect.assignee, effect.group))
    if isinstance(effect, Change):
        return _deed("change", lang, f"{effect.field} = {effect.value}")
    if isinstance(effect, DeclareMajor):
        return _deed("major", lang, "")
    if isinstance(effect, Steered):
        return _deed("went", lang, effect.went)
    if isinstance(effect, NotFired) and effect.step is not None:
        return effect.to or _meant(effect.step, lang)
    return "-"


def _work(assignee: str | None, group: str | None) -> str:
    """To whom work goes: "ana", "network", "ana (network)"."""
    return f"{assignee} ({group})" if assignee and group else assignee or group or ""


def _meant(step: EscalationStep, lang: str) -> str:
    """Who a step would have told, or what it would have done."""
    if step.branches or step.repeat is not None:
        ways = [step.repeat.to] if step.repeat is not None else [branch.to for branch in step.branches]
        return _deed("went", lang, ", ".join(dict.fromkeys(ways)))
    if step.kind is StepKind.FUNCTIONAL:
        return _deed("move", lang, _work(step.assignee, step.group))
    if step.kind is StepKind.CHANGE:
        return _deed("change", lang, ", ".join(f"{name} = {value}" for name, value in step.sets.items()))
    return _deed("major", lang, "") if step.kind is StepKind.MAJOR else ", ".join(step.to)


def _deed(what: str, lang: str, about: str) -> str:
    """What a step does that tells nobody: "work to network", "go on at night"."""
    return _DEEDS[lang, what].format(about)


def _shown(at: dt.datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M %Z}" if at is not None else "-"
