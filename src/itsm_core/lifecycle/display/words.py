"""The words of displays in English and Chinese, and how labels and instants are written in them.

Labels speak any language that a lifecycle gives them; the words around them are English in all others.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from unicodedata import east_asian_width

from itsm_core.business_time.durations import Budget, BusinessDays, Duration, EndOfBusinessDay
from itsm_core.business_time.windows import printable
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.parts import OF_THE_ROUND, InstantOf
from itsm_core.records import Waiver
from itsm_core.values import word

LANGUAGES = ("en", "zh")

# fmt: off
_TABLE: dict[str, tuple[str, str]] = {
    "states":       ("States",              "状态"),
    "transitions":  ("Transitions",         "流转"),
    "fields":       ("Fields asked for",    "所需字段"),
    "path":         ("The path taken",      "已走路径"),
    "waivers":      ("Waivers",             "豁免"),
    "picture":      ("Picture",             "图"),
    "state":        ("state",               "状态"),
    "label":        ("label",               "名称"),
    "phase":        ("phase",               "阶段"),
    "outcome":      ("outcome",             "结果"),
    "waits_on":     ("waits on",            "等待"),
    "trigger":      ("trigger",             "触发"),
    "button":       ("button",              "按钮"),
    "from":         ("from",                "起"),
    "to":           ("to",                  "至"),
    "who":          ("who",                 "执行者"),
    "requires":     ("requires",            "必填"),
    "guards":       ("guards",              "条件"),
    "apart":        ("kept apart from",     "须与之分权"),
    "timer":        ("by time",             "定时"),
    "clocks":       ("clocks",              "时钟"),
    "field":        ("field",               "字段"),
    "type":         ("type",                "类型"),
    "meaning":      ("meaning",             "含义"),
    "choices":      ("choices",             "可选值"),
    "otherwise":    ("or in its place",     "或代以"),
    "kept":         ("may be on record",    "记录已有即可"),
    "clause":       ("asked for by",        "依据"),
    "record":       ("the record",          "本记录"),
    "taken":        ("taken as move",       "第几步"),
    "yes":          ("yes",                 "是"),
    "now":          ("now",                 "当前"),
    "open":         ("Open",                "登记"),
    "migrate":      ("Migrate",             "迁移"),
    "time":         ("time",                "时间"),
    "version":      ("{name}, version {n}", "{name}，第 {n} 版"),
    "is_now":       ("Record {record} is now: {state}", "记录 {record} 当前：{state}"),
    "first":        ("opened",              "登记"),
    "came":         ("by move {n}",         "第 {n} 步"),
    "the":          ("the {relation}",      "{relation}"),
    "unknown":      ("{id} (no state here)", "{id}（无此状态）"),
    "at":           ("at {field}",          "到 {field} 时"),
    "due":          ("when the approval falls due", "审批到期时"),
    "timed":        ("{label} (by time)",   "{label}（定时）"),
    "moves":        ("{label}, move {n}",   "{label}，第 {n} 步"),
    "outside":      ("{label} (not of this lifecycle)", "{label}（不属于本流程）"),
    "entry":        ("{label}: as {dest}",  "{label}：{dest}"),
    "opened":       ("opened as {to}",      "登记为 {to}"),
    "moved":        ("move {n}, {label}: {source} to {dest}", "第 {n} 步，{label}：{source} 至 {dest}"),
    "under":        ("under {lifecycle} {version}", "依 {lifecycle} 第 {version} 版"),
    "waived":       ("Waiver by {by}: one person may do both {apart} and {trigger}, from {at} until {until}",
                     "{by} 豁免：一人可兼 {apart} 与 {trigger}，自 {at} 至 {until}"),
    "review":       ("; review: {review}",  "；复核：{review}"),
    "edge":         ("{label}: from {source} to {dest}", "{label}：从 {source} 至 {dest}"),
    "legend_from":  ("from",                "起"),
    "legend_to":    ("to",                  "至"),
    "legend_time":  ("by time",             "定时"),
    "legend_taken": ("path taken",          "已走路径"),
    "number":       ("move {n}",            "第 {n} 步"),
}

_TERMS: dict[str, str] = {
    "new": "新建", "active": "处理中", "waiting": "等待", "resolved": "已解决", "closed": "已关闭",
    "requester": "请求人", "customer_approver": "客户批准人", "supplier": "供应商", "problem": "问题",
    "change": "变更", "internal": "内部", "schedule": "约定日期", "assignee": "处理人", "owner": "负责人",
    "resume": "继续", "restart": "重新开始",
    "text": "文本", "number": "数字", "flag": "是否", "instant": "时刻", "list": "列表", "any": "任意",
}  # fmt: skip
# fmt: on
_UNITS = {"en": ("after {}", "at {}"), "zh": ("{}后", "{}")}
_SHORT_UNITS = {"h": " 小时", "m": " 分钟", "s": " 秒"}


def say(key: str, lang: str, **facts: object) -> str:
    """The words for a key, with facts filled in; English where the language has none."""
    return _TABLE[key][LANGUAGES.index(spoken(lang))].format(**facts)


def term(id: str, lang: str) -> str:
    """An id of the library in words, such as a phase; an id that is not ours as it is."""
    if spoken(lang) == "en":
        return id.replace("_", " ") if id in _TERMS else id
    return _TERMS.get(id, id)


def spoken(lang: str) -> str:
    """The language of the words around the labels: this one, if they speak it, or English."""
    return lang if lang in LANGUAGES else "en"


def language(value: object) -> str:
    """The language itself, if it is a text."""
    return word(value, "language", 'name it: "en", "zh"')


def name(lifecycle: Definition, lang: str) -> str:
    """What a lifecycle is called, with its version: "Incident, version 1"."""
    said = lifecycle.say(lang)
    return say("version", lang, name=said[:1].upper() + said[1:], n=lifecycle.version)


def state(lifecycle: Definition, id: str, lang: str) -> str:
    """The label of a state; of one that the lifecycle does not have, its id and that it is none."""
    known = lifecycle.by_id.get(id)
    return say("unknown", lang, id=id) if known is None else known.say(lang)


def called(lifecycle: Definition, trigger: str, lang: str) -> str:
    """The label of a trigger."""
    rows = lifecycle.by_trigger.get(trigger)
    if rows:
        return rows[0].say(lang)
    return say(trigger, lang) if trigger in ("open", "migrate") else trigger.replace("_", " ")


def wait(after: Duration | InstantOf, lang: str) -> str:
    """How long a timer edge waits: "after 5 business days", "at risk_review_at"."""
    of_days, of_end = _UNITS[spoken(lang)]
    if isinstance(after, InstantOf):
        return say("due", lang) if after.field == OF_THE_ROUND else say("at", lang, field=after.field)
    if spoken(lang) == "en":
        return (of_end if isinstance(after, EndOfBusinessDay) else of_days).format(after)
    if isinstance(after, EndOfBusinessDay):
        return of_end.format(f"第 {after.n} 个后续工作日结束时" if after.n else "当日工作结束时")
    if isinstance(after, Budget):
        return of_days.format(re.sub("[hms]", lambda unit: _SHORT_UNITS[unit[0]], str(after)))
    return of_days.format(f"{after.n} 个{'工作日' if isinstance(after, BusinessDays) else '日历日'}")


def instant(at: dt.datetime) -> str:
    """An instant to the minute, in UTC."""
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def waived(lifecycle: Definition, waiver: Waiver, lang: str, *, review: bool) -> str:
    """A waiver in a sentence: which duties, by whom, until when, and what makes up for it."""
    told = say(
        "waived",
        lang,
        apart=called(lifecycle, waiver.separate_from, lang),
        trigger=called(lifecycle, waiver.trigger, lang),
        at=instant(waiver.at),
        until=instant(waiver.until),
        by=waiver.by,
    )
    return told + (say("review", lang, review=waiver.review) if review else "")


def one_line(text: object, most: int | None = None) -> str:
    """The text on one line, without what does more than show, and never empty.

    With `most`, as much of it as fits; wide letters count twice.
    """
    whole = printable(" ".join(str(text).split())) or "–"
    return whole if most is None else _cut(whole, most)


def _cut(text: str, most: int) -> str:
    if _reach(text, most) == len(text):
        return text
    return f"{text[: _reach(text, most - 1)].rstrip()}…"


def fitting(text: str, most: int) -> Iterator[str]:
    """The text in lines of so many columns at most, broken at spaces where there are any."""
    while True:
        end = _reach(text, most)
        if end == len(text):
            break
        space = text.rfind(" ", 1, end + 1)
        end = end if space < 0 else space
        yield text[:end]
        text = text[end:].lstrip()
    yield text


def _reach(text: str, most: int) -> int:
    """How many letters of the text fit into so many columns; one at least."""
    room = most
    for i, letter in enumerate(text):
        room -= columns(letter)
        if room < 0:
            return max(1, i)
    return len(text)


def columns(text: str) -> int:
    """How many columns a text takes: wide letters count twice."""
    return len(text) + sum(east_asian_width(letter) in "WF" for letter in text)
