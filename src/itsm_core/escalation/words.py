"""What an escalation says, in English and Chinese."""

from __future__ import annotations

from itsm_core.escalation.engine import Inform
from itsm_core.records import Record

# fmt: off
_METRIC = {
    ("en", "response"): "the first answer", ("en", "resolution"): "the resolution",
    ("zh", "response"): "首次响应",          ("zh", "resolution"): "解决",
}
_SUBJECT = {
    "en": "{number} {priority}: {percent} of the time for {metric} is used up",
    "zh": "{number} {priority}：{metric}时限已用 {percent}",
}
_BODY = {
    "en": "{title}. Due {due}; open since {opened}, with {group}.",
    "zh": "{title}。截止时间 {due}；{opened} 开单，现由 {group} 处理。",
}
_HIDDEN = {"en": "Restricted", "zh": "受限工单"}
_NOBODY = {"en": "nobody yet", "zh": "尚未分派的队列"}
# fmt: on


def wording(effect: Inform, record: Record, lang: str = "en") -> tuple[str, str]:
    """Subject and body of what a hierarchic step says, in "en" or "zh"."""
    lang = lang if lang in _SUBJECT else "en"
    clock = effect.clock
    facts = {
        "number": record.number or record.id,
        "priority": record.priority or "",
        "percent": effect.step.percent,
        "metric": _METRIC[lang, clock.target.metric],
        "title": _HIDDEN[lang] if record.restricted else record.title or "",
        "due": _shown(clock.due_at),
        "opened": _shown(clock.started_at),
        "group": record.assignee or record.group or _NOBODY[lang],
    }
    return _SUBJECT[lang].format(**facts), _BODY[lang].format(**facts)


def _shown(at: object) -> str:
    return f"{at:%Y-%m-%d %H:%M %Z}" if at is not None else "-"
