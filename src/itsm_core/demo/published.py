"""What the published instants of an outage mean: commands, those of its major incident among them.

The instants are the companies'. That a major incident was declared, accepted and taken along three tracks
is what the demo's procedure makes of them, not what the companies did.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from itsm_core.actors import Actor
from itsm_core.business_time.durations import hours
from itsm_core.priority import Priority
from itsm_core.processes.major import PROCEDURE

INSTANTS = ("detected", "acknowledged", "first_public", "mitigated", "resolved", "review")

PUBLISHED = Actor.automation("published-timeline", "automation")
_RESPONDER = Actor.person("responder", "agent")
_MANAGER = Actor.person("incident-manager", "manager")

OUR_PROCEDURE = attrs.evolve(PROCEDURE, id="demo", cadence={Priority.P1: hours(4)})
"""The shipped procedure with a word to top management every four hours: some outages last for days."""

_WORDS = {
    "detected": {"en": "Detected.", "zh": "已发现故障。"},
    "first_public": {"en": "First public word of the provider.", "zh": "服务商首次公告。"},
    "mitigated": {"en": "Mitigated.", "zh": "已缓解。"},
    "resolved": {"en": "Resolved, as the published account says.", "zh": "已解决（依据公开报告）。"},
}
_DECLARED = {"en": "A public outage.", "zh": "公开的服务中断。"}


def _notes(text: str) -> dict[str, Any]:
    return {"text": text}


# fmt: off
_MEANS: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "detected":     ("note",        _notes),
    "acknowledged": ("start",       lambda _: {}),
    "first_public": ("communicate", lambda _: {"audience": "public"}),
    "mitigated":    ("note",        _notes),
    "resolved":     ("resolve",     lambda text: {"resolution_outcome": "fixed_permanent",
                                                  "resolution_notes": text}),
    "review":       ("close",       lambda _: {"closure_code": "monitoring_verified"}),
}
_WAYS = {
    "mobilisation":  ("calling", "assembled"),
    "restoration":   ("diagnosing", "repairing", "verifying", "restored"),
    "announcements": ("drafting", "approved", "published", "final"),
}
_REACHED = {
    "acknowledged": (("mobilisation", "assembled"), ("restoration", "repairing")),
    "first_public": (("announcements", "published"),),
    "mitigated":    (("restoration", "verifying"),),
    "resolved":     (("mobilisation", "assembled"), ("restoration", "restored"), ("announcements", "final")),
}
# fmt: on
"""By instant, how far it shows a track to be."""


@attrs.frozen(kw_only=True)
class Told:
    """A command that an instant stands for; `part` tells it from the others of its outage."""

    trigger: str
    at: dt.datetime
    actor: Actor
    part: str
    fields: dict[str, Any]
    text: str = ""
    channel: str | None = None


def told(began: dt.datetime, at: Mapping[str, dt.datetime], source: str, lang: str) -> Iterator[Told]:
    """The commands after the opening of an outage, in the order of time.

    One whose end was not published is proposed as a major incident, and taken no further.
    """
    yield _major("declare_major", began, PUBLISHED, "/declared", {"reason": _DECLARED[lang]})
    ordered = sorted(at.items(), key=lambda row: (row[1], INSTANTS.index(row[0])))
    followed = "resolved" in at
    if followed:
        accepted = {"major_manager": _MANAGER.id, "procedure": OUR_PROCEDURE.to_dict()}
        yield _major("accept_major", ordered[0][1], _MANAGER, "/accepted", accepted)
    reached, ended = dict.fromkeys(_WAYS, 0), False
    for name, when in ordered:
        if followed and not ended:
            yield from _moves(name, when, reached)
        if name == "review":
            yield from _papers(when, source)
        yield _after(name, when, lang)
        ended = ended or name == "resolved"


def _after(name: str, when: dt.datetime, lang: str) -> Told:
    trigger, fields = _MEANS[name]
    text = _WORDS.get(name, {}).get(lang, "")
    channel = "status_page" if trigger == "communicate" else None
    return Told(
        trigger=trigger, at=when, actor=_RESPONDER, part=f"/{name}", fields=fields(text), text=text,
        channel=channel,
    )  # fmt: skip


def _moves(name: str, when: dt.datetime, reached: dict[str, int]) -> Iterator[Told]:
    """The steps of the tracks that an instant shows, one after the other; `reached` is brought on."""
    for track, step in _REACHED.get(name, ()):
        way, wanted = _WAYS[track], _WAYS[track].index(step)
        steps = way[reached[track] + 1 : wanted + 1]
        if track == "announcements" and name == "resolved" and not reached[track]:
            steps = ("not_needed",)  # nothing was announced by then, as far as is published
        for one in steps:
            fields = {"track": track, "track_step": one}
            yield _major("move_track", when, _RESPONDER, f"/{name}/{track}/{one}", fields)
        reached[track] = max(reached[track], wanted)


def _papers(when: dt.datetime, source: str) -> Iterator[Told]:
    """The published account is the report and the review."""
    for trigger in ("report_major", "review_major"):
        document = {"document": source or "published account"}
        yield _major(trigger, when, _RESPONDER, f"/review/{trigger}", document)


def _major(trigger: str, when: dt.datetime, actor: Actor, part: str, fields: dict[str, Any]) -> Told:
    return Told(trigger=trigger, at=when, actor=actor, part=part, fields=fields)
