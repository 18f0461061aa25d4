"""A small change process with a record that went through half of it, for tests of displays."""

import datetime as dt

from itsm_core.actors import Actor
from itsm_core.business_time.durations import business_days
from itsm_core.events import Event
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.parts import Need, State, Transition
from itsm_core.values import Fields

NINE = dt.datetime(2024, 2, 5, 9, tzinfo=dt.UTC)


def _state(id, phase, english, chinese, **more):
    return State(id, phase, label={"en": english, "zh": chinese}, **more)


def _edge(trigger, sources, dest, english, chinese, **more):
    return Transition(trigger, sources, dest=dest, label={"en": english, "zh": chinese}, **more)


CHANGE = Lifecycle(
    "change", 1, process="change", initial="recorded", label={"en": "change", "zh": "变更"},
    opening=(Need("title", "8.5.1.2", label="what is to change"),),
    states=(
        _state("recorded", "new", "Recorded", "已登记"),
        _state("authorize", "waiting", "Authorization", "授权", waits_on="internal"),
        _state("implement", "active", "Implementation", "实施"),
        _state("review", "resolved", "Review", "评审"),
        _state("closed", "closed", "Closed", "已关闭", outcome="completed"),
    ),
    transitions=(
        _edge("submit", "recorded", "authorize", "Submit", "提交", roles={"agent", "manager"},
              requires=(Need("risk", "8.5.1.3", one_of=("low", "high")),
                        Need("test_result", "8.5.1.3", otherwise="untested_reason", kept=True))),
        _edge("approve", "authorize", "implement", "Approve", "批准", roles={"manager"},
              separate_from=("open", "submit"), guards=("is_approved",)),
        _edge("revise", "authorize", "recorded", "Revise", "退回", roles={"agent"}),
        _edge("finish", "implement", "review", "Finish", "完成", roles={"agent"}),
        _edge("back_out", "implement", "review", "Back out", "回退", roles={"agent"}),
        _edge("extend", "implement", "implement", "Extend", "延长", roles={"agent"}),
        _edge("reopen", "review", "implement", "Reopen", "重开", roles={"agent"}, reopens="resume"),
        _edge("close", "review", "closed", "Close", "关闭", relation={"requester", "sponsor"}),
        _edge("lapse", "review", "closed", "Nobody objected", "无异议", after=business_days(5)),
        _edge("expire", ("recorded", "authorize"), "closed", "Expire", "过期", after=business_days(20)),
    ),
    guards={"is_approved": lambda _: None},
)  # fmt: skip


def event(seq, kind, source=None, dest=None, trigger=None, *, record="CHG-1", by="ana", version=1, **fields):
    """An event of a record of the process, an hour after the one before it."""
    at = NINE + dt.timedelta(hours=seq)
    if trigger is not None:
        fields["trigger"] = trigger
    if dest is not None:
        fields["phase"] = CHANGE.by_id[dest].phase.value if dest in CHANGE.by_id else "active"
    return Event(
        id=f"e{seq}", record=record, seq=seq, kind=kind, occurred_at=at, recorded_at=at,
        actor=Actor.person(by, "manager"), lifecycle=None if version is None else "change",
        lifecycle_version=version, from_state=source, to_state=dest, fields=Fields(fields),
    )  # fmt: skip


OPENED = event(1, "opened", None, "recorded", process="change")
WAIVED = event(
    3, "waived", by="max", trigger="approve", separate_from="open", reason="two people",
    until="2024-02-12T09:00:00Z", review="the owner looks at it",
)  # fmt: skip
HISTORY = (
    OPENED,
    event(2, "transitioned", "recorded", "authorize", "submit"),
    WAIVED,
    event(4, "transitioned", "authorize", "recorded", "revise"),
    event(5, "transitioned", "recorded", "authorize", "submit"),
    event(6, "transitioned", "authorize", "implement", "approve"),
)
"""Opened, submitted, sent back, submitted again, and approved by who opened it, with a waiver."""


def labelled(labels):
    """A lifecycle whose ids and labels are these, in a ring with a second edge each; sound or not."""
    phases = ("new", "active", "waiting", "resolved", "closed")
    ids = [f"{label}{n}" if label.strip() else f"s{n}" for n, label in enumerate(labels)]
    states = [State(one, phases[n % 5], label=labels[n]) for n, one in enumerate(ids)]
    ring = [
        Transition(f"{one} go", (one, ids[n - 1]), dest=ids[(n + 1) % len(ids)], label=labels[n],
                   roles={labels[n] or "r"}, guards=(labels[n] or "g",),
                   requires=(Need(f"{labels[n]} f", labels[n], one_of=(labels[n] or "c",), label=labels[n]),))
        for n, one in enumerate(ids)
    ]  # fmt: skip
    timed = [
        Transition(f"{one} wait", one, dest=one, label=labels[n], after=business_days(1))
        for n, one in enumerate(ids)
    ]
    return Lifecycle(
        ids[0], 1, process=ids[0], initial=ids[0], states=states, transitions=[*ring, *timed], label=labels[0]
    )
