"""The words of reports in English and Chinese; words of clocks come from `sla.words`."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

from itsm_core.errors import InvalidValue
from itsm_core.sla.explaining.words import WORDS

LANGUAGES = ("en", "zh")

# fmt: off
_TABLE: dict[str, tuple[str, str]] = {
    "number":       ("Number",              "编号"),
    "title":        ("Title",               "标题"),
    "priority":     ("Priority",            "优先级"),
    "response":     ("Response",            "响应"),
    "resolution":   ("Resolution",          "解决"),
    "escalations":  ("Escalations",         "升级"),
    "promises":     ("Promises",            "承诺"),
    "reopened":     ("Reopened",            "重开"),
    "none":         ("-",                   "-"),
    "restricted":   ("Restricted",          "受限工单"),
    "open":         ("open",                "待履行"),
    "kept":         ("kept",                "已兑现"),
    "renewed":      ("renewed",             "已续期"),
    "broken":       ("broken",              "未兑现"),
    "opened_at":    ("opened {at}",         "创建于 {at}"),
    "due_at":       ("due {at}",            "到期 {at}"),
    "was_due_at":   ("was due {at}",        "原应于 {at} 完成"),
    "no_due":       ("no due time while paused", "暂停期间无到期时间"),
    "never_due":    ("no due time: the calendar does not open again", "无到期时间：日历不再开放"),
    "answered_at":  ("answered {at}",       "答复于 {at}"),
    "resolved_at":  ("resolved {at}",       "解决于 {at}"),
    "void_at":      ("void {at}",           "作废于 {at}"),
    "as_of":        ("as of {at}",          "截至 {at}"),
    "moved":        ("{share} % of {metric}: work moved to {to}", "{metric}时限 {share} %：转交 {to}"),
    "informed":     ("{share} % of {metric}: {to} informed",      "{metric}时限 {share} %：通知 {to}"),
    "promise":      ("Next word promised by {due}: {verdict}",    "承诺 {due} 前答复：{verdict}"),
    "spoken":       (", came {at}",         "，实际于 {at}"),
    "times":        ("reopened {n} times",  "重新打开 {n} 次"),
    "once":         ("reopened once",       "重新打开 1 次"),
    "why":          ("How the clocks were judged", "计时依据"),
    "source":       ("Published account",   "公开报告"),
    "not_known":    ("Unknown (not published): {names}", "未知（未公布）：{names}"),
    "detected":     ("detection",           "发现时间"),
    "acknowledged": ("acknowledgement",     "确认时间"),
    "first_public": ("first public word",   "首次公告"),
    "mitigated":    ("mitigation",          "缓解时间"),
    "resolved":     ("resolution",          "解决时间"),
    "review":       ("review",              "复盘时间"),
    "proposed":     ("Proposed as a major incident {at}", "{at} 提议为重大事件"),
    "major":        ("Major incident by {procedure} since {at}, responsible: {manager}",
                     "重大事件，按 {procedure} 处理，始于 {at}，负责人：{manager}"),
    "track":        ("{track}: {step} {at}", "{track}：{step} {at}"),
    "papers":       ("Reported and reviewed {at}", "{at} 已提交报告并完成评审"),
    "recurring":    ("{n} incidents with one fault ({what}): {numbers}. Proposal: open a problem.",
                     "同一故障（{what}）发生 {n} 次：{numbers}。建议：立为问题。"),
    "proposals":    ("Recurring faults",    "重复故障"),
    "timelines":    ("Timelines",           "时间线"),
    "legend":       ("How to read the bars", "图例"),
    "run":          ("clock running",       "计时"),
    "over":         ("running past the due line", "超过到期线"),
    "pause":        ("paused",              "暂停"),
    "closed":       ("desk closed",         "服务台关闭"),
    "stop":         ("stopped: resolved, then reopened", "停止：已解决，后重开"),
    "left":         ("time left",           "剩余时间"),
    "due":          ("due line",            "到期线"),
    "esc":          ("escalation",          "升级"),
    "folded":       ("Open time is to scale; each closed stretch, a night or a week, is one narrow strip.",
                     "开放时间按比例绘制；每段关闭时间，无论一夜或一周，都是同样宽的窄条。"),
    "tally":        ("{metric}: {counts}",  "{metric}：{counts}"),
    "sum_esc":      ("{n} escalations",     "升级 {n} 次"),
    "sum_promises": ("Promises: {counts}",  "承诺：{counts}"),
    "zone":         ("Times are in {zone}.", "时间均为 {zone}。"),
}
# fmt: on


def say(key: str, lang: str, **facts: object) -> str:
    """The words for a key, with facts filled in."""
    return _TABLE[key][LANGUAGES.index(lang)].format(**facts)


def known(lang: str) -> str:
    """The language itself if reports speak it; any other is refused with the choices."""
    if lang not in LANGUAGES:
        choices = f"use one of {', '.join(LANGUAGES)}"
        raise InvalidValue("language", lang, "is not spoken here", choices)
    return lang


def word(text: str, lang: str) -> str:
    """A word of clocks, such as "met" or "night", in this language."""
    return WORDS[lang].of(text)


def length(value: dt.timedelta, lang: str) -> str:
    """Open time in hours, minutes and whole seconds; never in days, which are ambiguous."""
    return WORDS[lang].length(dt.timedelta(seconds=value // _SECOND))


_SECOND = dt.timedelta(seconds=1)


def moment(at: dt.datetime, zone: dt.tzinfo) -> str:
    """A local time to the minute, or to the second where it has seconds."""
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"


def percent(share: str) -> str:
    """The whole or exact percent of a stored share such as "3/4"."""
    exact = Fraction(share) * 100
    return str(exact) if exact.denominator == 1 else f"{float(exact):g}"
