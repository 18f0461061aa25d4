"""What changes beside the state: assignment, priority, words, links, corrections.

These are commands too and pass the same door, but no transition: a record may be assigned,
talked about and linked in any open state, and talked about and linked when it is closed.
Each row of `BESIDE` says who may, what it needs, and which event it makes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from itsm_core.actors import ActorKind
from itsm_core.business_time.instants import parse_text, utc
from itsm_core.commands import Command
from itsm_core.errors import BeyondHorizon, InvalidValue, Reason
from itsm_core.events import UNCORRECTABLE, Audience, Communication, Direction
from itsm_core.lifecycle import majors
from itsm_core.lifecycle.parts import Need, Words, words
from itsm_core.priority import Level, Priority, PriorityMatrix
from itsm_core.records import Record
from itsm_core.values import digest

Made = tuple[str, dict[str, Any]]

DESK = frozenset({"agent", "manager", "automation"})
MANAGERS = frozenset({"manager"})
ANYBODY = frozenset({"*"})
GRADES = frozenset({"impact", "urgency", "priority"})
_BY_ITSELF = frozenset({ActorKind.AUTOMATION, ActorKind.MONITORING})
_ITSELF = frozenset({"itsm_core"})


@attrs.frozen
class Beside:
    """A command that leaves the state alone.

    `asks` are the fields that it has to bring: by name, or as a `Need` where that has choices, or another
    field may stand in its place. `decide` judges the command by them, and a button shows the needs.
    """

    kind: str
    roles: frozenset[str]
    asks: tuple[str | Need, ...]
    when_closed: bool
    make: Callable[[Record, Command, PriorityMatrix], dict[str, Any]]
    names: tuple[str, ...] = attrs.field(init=False)
    needs: tuple[Need, ...] = attrs.field(init=False)

    @names.default
    def _by_name(self) -> tuple[str, ...]:
        return tuple(one for one in self.asks if isinstance(one, str))

    @needs.default
    def _as_needs(self) -> tuple[Need, ...]:
        return tuple(one for one in self.asks if isinstance(one, Need))

    @property
    def requires(self) -> tuple[str, ...]:
        """The fields without which it is refused, whatever else it brings."""
        return (*self.names, *(need.field for need in self.needs if need.required and not need.otherwise))


def _given(_record: Record, command: Command, _: PriorityMatrix) -> dict[str, Any]:
    return dict(command.fields)


def _link(record: Record, command: Command, _: PriorityMatrix) -> dict[str, Any]:
    """A link to another record: one that was its own task could never close."""
    if command.fields["other"] == record.id:
        raise InvalidValue("link", record.id, "is the record itself", "name another record")
    return dict(command.fields)


def _assignment(record: Record, command: Command, matrix: PriorityMatrix) -> dict[str, Any]:
    if not command.fields.keys() & {"group", "assignee", "owner"}:
        raise InvalidValue(
            "assign", sorted(command.fields), "names nobody", "give a group, an assignee or an owner"
        )
    held = dict(command.fields)
    if held.get("group") not in (None, record.group) and record.assignee is not None:
        held.setdefault("assignee", None)  # the work lies in the new group's queue
    return priority_fields(held, matrix, record)


def priority_fields(
    fields: dict[str, Any], matrix: PriorityMatrix, known: Record | None = None
) -> dict[str, Any]:
    """The fields with impact, urgency and priority made whole.

    The matrix decides; a given priority that differs needs a `priority_reason`. Fields that
    bring none of the three stay as they are.
    """
    held = dict(fields)
    if not held.keys() & GRADES:
        return held
    for name in ("impact", "urgency"):
        value = held.get(name, getattr(known, name, None))
        if value is not None:
            held[name] = Level.of(value, name)
    ruled = None
    if held.get("impact") is not None and held.get("urgency") is not None:
        ruled = matrix.priority(held["impact"], held["urgency"])
    if held.get("priority") is None:
        if ruled is not None:
            held["priority"] = ruled
            held["priority_reason"] = held.get("priority_reason")
        return held
    held["priority"] = Priority.of(held["priority"])
    if ruled is not None and held["priority"] is not ruled and not held.get("priority_reason"):
        raise InvalidValue(
            "priority",
            str(held["priority"]),
            f"is not what {matrix.id} gives ({ruled}) and has no reason",
            "leave the priority out, or say why in priority_reason",
        )
    held.setdefault("priority_reason", None)  # the reason of an earlier override ends with it
    return held


def _priority(record: Record, command: Command, matrix: PriorityMatrix) -> dict[str, Any]:
    if not command.fields.keys() & GRADES:
        raise InvalidValue(
            "reprioritise", sorted(command.fields), "changes nothing", "give impact, urgency or priority"
        )
    return priority_fields(dict(command.fields), matrix, record)


def _correction(_record: Record, command: Command, _: PriorityMatrix) -> dict[str, Any]:
    field, now = command.fields.get("field"), command.fields.get("now")
    if field in UNCORRECTABLE:
        remedy = "undo a step by a command, a priority by reprioritise; correct a corrected event once more"
        raise InvalidValue("field", field, "is not corrected", remedy)
    if field == "occurred_at":
        try:
            parse_text(str(now), "occurred_at")
        except BeyondHorizon as far:
            raise InvalidValue("occurred_at", now, str(far), "give the instant it happened") from None
    return dict(command.fields)


def _said(record: Record, command: Command, matrix: PriorityMatrix) -> dict[str, Any]:
    """Words that go out; those to a requester need one, or nobody would hear the answer."""
    held = _words(record, command, matrix)
    if held["audience"] is Audience.REQUESTER and record.requester is None:
        raise InvalidValue(
            "audience", "requester", "is nobody: the record names no requester", 'say audience="public"'
        )
    return held


def _words(_record: Record, command: Command, _: PriorityMatrix) -> dict[str, Any]:
    held = dict(command.fields)
    automatic = held.get("automatic") or command.actor.kind in _BY_ITSELF
    if held.get("text") and not held.get("text_digest"):
        held["text_digest"] = digest(held["text"])
    held["direction"] = Direction(held.get("direction") or Direction.OUTBOUND)
    held["audience"] = Audience(held.get("audience") or Audience.REQUESTER)
    held["automatic"] = True if automatic else None
    if held.get("promise_due") is not None:
        held["promise_due"] = utc(parse_text(held["promise_due"], "promise_due"))
    return {name: value for name, value in held.items() if value is not None}


def _received(record: Record, command: Command, matrix: PriorityMatrix) -> dict[str, Any]:
    """Words that came in; anybody may bring them, so they can never count as an answer."""
    return {**_words(record, command, matrix), "direction": Direction.INBOUND}


def _amended(_record: Record, command: Command, _: PriorityMatrix) -> dict[str, Any]:
    if not command.fields.keys() - {"reason", "late_reason"}:
        raise InvalidValue("amend", sorted(command.fields), "changes nothing", "give the fields to change")
    return restricting(dict(command.fields))


def restricting(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields; what is about information security is restricted unless they say otherwise."""
    silent = fields.get("security") and fields.get("restricted") is None
    return {**fields, "restricted": True} if silent else fields


def _waived(_record: Record, command: Command, _: PriorityMatrix) -> dict[str, Any]:
    held = command.fields
    if held["trigger"] == held["separate_from"]:
        raise InvalidValue("waive", held["trigger"], "is kept apart from itself", "name two triggers")
    return dict(held)


def _justified(_record: Record, command: Command, _: PriorityMatrix) -> dict[str, Any]:
    """The fields that say something; the empty box of a form does not."""
    return {name: value for name, value in command.fields.items() if value not in (None, "")}


def _claimed(record: Record, command: Command, matrix: PriorityMatrix) -> dict[str, Any]:
    """A claim of an agreed exception, for a stretch of time if it names one."""
    held = _justified(record, command, matrix)
    since, until = held.get("since"), held.get("until")
    if since is not None and until is not None and parse_text(since) >= parse_text(until):
        raise InvalidValue("until", until, f"does not lie after since ({since})", "name a later instant")
    return held


def _requested(_record: Record, command: Command, _: PriorityMatrix) -> dict[str, Any]:
    """A rule as plain data: which rules are sound is a guard's to say, but the fold reads `material`."""
    rule, remedy = command.fields["rule"], "give ApprovalRule(...).to_dict()"
    if not isinstance(rule, Mapping):
        raise InvalidValue("rule", rule, "is no mapping", remedy)
    material = rule.get("material") or ()
    if not isinstance(material, tuple) or not all(isinstance(name, str) for name in material):
        raise InvalidValue("rule", material, "names no list of material fields", remedy)
    return dict(command.fields)


SNOOZED_AT_MOST = dt.timedelta(days=7)
"""Nobody puts a record off for longer: what takes a week is a hold, with a reason."""

ON_MIGRATION = ("next_step", "retime_current", "restart")
"""What becomes of the step that a run waits for when another version of its policy takes over."""

SWITCHED = "switch"
"""What the library says where another priority lets another policy take over."""


def _snoozed(_record: Record, command: Command, _: PriorityMatrix) -> dict[str, Any]:
    until = command.fields["until"]
    if utc(parse_text(until, "until")) - command.at > SNOOZED_AT_MOST:
        days = f"lies more than {SNOOZED_AT_MOST.days} days ahead"
        raise InvalidValue("until", until, days, "name an earlier instant, or put the record on hold")
    return dict(command.fields)


def _asked_now(_record: Record, command: Command, _: PriorityMatrix) -> dict[str, Any]:
    return {name.removeprefix("escalation_"): value for name, value in command.fields.items()}


def _other_policy(record: Record, command: Command, _: PriorityMatrix) -> dict[str, Any]:
    """Which version takes over; the road has looked up whether there is one."""
    held = {name.removeprefix("escalation_"): value for name, value in command.fields.items()}
    mode = held.setdefault("mode", "next_step")
    if mode not in ON_MIGRATION and not (mode == SWITCHED and _ITSELF & command.actor.roles):
        raise InvalidValue("escalation_mode", mode, "is unknown", f"say one of {', '.join(ON_MIGRATION)}")
    held["policy"] = held.get("policy") or record.escalation.policy
    if not held["policy"]:
        raise InvalidValue("escalation_policy", None, "is pinned by nothing yet", "name the policy")
    pinned = record.escalation
    return {**held, "was": f"{pinned.policy}@{pinned.version}" if pinned.policy else None}


VOTES = ("approve", "reject", "abstain")


def _voted(record: Record, command: Command, _: PriorityMatrix) -> dict[str, Any]:
    live = record.round  # there is one: a vote without is refused before
    return {**command.fields, "round": None if live is None else live.id}


APPROVALS: dict[str, tuple[Words, Need]] = {
    "request_approval": (
        words({"en": "Request an approval", "zh": "请求批准"}),
        Need("rule", "ISO/IEC 20000-1, 8.5.1.2", label={"en": "who must approve", "zh": "批准规则"}),
    ),
    "vote": (
        words({"en": "Vote", "zh": "投票"}),
        Need("vote", "ISO/IEC 20000-1, 8.5.1.2", one_of=VOTES, label={"en": "your voice", "zh": "意见"}),
    ),
}
"""The commands of approval as buttons: what they are called, and what they need."""

_MAJOR = {trigger: needs for trigger, (_, needs) in majors.MAJOR_BUTTONS.items()}
_ASKED = {trigger: (need,) for trigger, (_, need) in APPROVALS.items()}

# fmt: off
BESIDE: dict[str, Beside] = {
    "assign":       Beside("assigned",      DESK,    (),                    False, _assignment),
    "acknowledge":  Beside("acknowledged",  DESK,    (),                    False, _given),
    "reprioritise": Beside("reprioritised", DESK,    (),                    False, _priority),
    "communicate":  Beside("communicated",  DESK,    ("text",),             True,  _said),
    "receive":      Beside("communicated",  ANYBODY, ("message_id",),       True,  _received),
    "note":         Beside("noted",         DESK,    ("text",),             True,  _given),
    "link":         Beside("linked",        DESK,    ("relation", "other"), True,  _link),
    "correct":      Beside("corrected",     DESK,    ("event", "field", "now", "reason"), True, _correction),
    "restate":      Beside("restated",      MANAGERS, ("reason",), True, _given),
    "claim_exception": Beside("exception_claimed", MANAGERS, ("exception", "reason"), True, _claimed),
    "justify_overrun": Beside("overrun_justified", MANAGERS, ("metric", "reason"), True, _justified),
    "amend":        Beside("amended",       DESK,    (),                    False, _amended),
    "waive":        Beside("waived",        MANAGERS,
                           ("trigger", "separate_from", "reason", "until", "review"), False, _waived),
    "request_approval": Beside("approval_requested", DESK, _ASKED["request_approval"], False, _requested),
    "vote":         Beside("voted",         ANYBODY, _ASKED["vote"],        False, _voted),
    "declare_major": Beside("major_proposed", DESK,  _MAJOR["declare_major"], False, majors.assessed),
    "accept_major": Beside("major_accepted", MANAGERS, _MAJOR["accept_major"], False, majors.accepted),
    "reject_major": Beside("major_rejected", MANAGERS, _MAJOR["reject_major"], False, _given),
    "cancel_major": Beside("major_cancelled", MANAGERS, _MAJOR["cancel_major"], False, _given),
    "assess_major": Beside("major_assessed", DESK,   _MAJOR["assess_major"], False, majors.assessed),
    "assume_role":  Beside("role_assumed",  DESK,    _MAJOR["assume_role"], False, majors.assumed),
    "renounce_role": Beside("role_renounced", DESK,  _MAJOR["renounce_role"], False, majors.renounced),
    "move_track":   Beside("track_moved",   DESK,    _MAJOR["move_track"],  False, majors.moved),
    "invoke_continuity_plan": Beside("continuity_plan_invoked", MANAGERS, _MAJOR["invoke_continuity_plan"],
                                     False, _given),
    "report_major": Beside("major_reported", DESK,   _MAJOR["report_major"], False, _given),
    "review_major": Beside("major_reviewed", DESK,   _MAJOR["review_major"], False, _given),
    "snooze":       Beside("snoozed",       DESK,    ("until",),            False, _snoozed),
    "escalate_now": Beside("escalation_requested", DESK, (),                False, _asked_now),
    "migrate_policy": Beside("policy_migrated", frozenset({"manager", "automation"}),
                           ("escalation_policy_version", "reason"), False, _other_policy),
    "escalate":     Beside("escalated",     _ITSELF, ("key",),              True,  _given),
    "pass_over":    Beside("not_escalated", _ITSELF, ("key", "why"),        True,  _given),
    "resume_escalation": Beside("escalation_resumed", _ITSELF, ("why",),    True,  _given),
    "pin_policy":   Beside("policy_pinned", _ITSELF, ("policy", "policy_version"), True, _given),
}
# fmt: on

BY_THE_LIBRARY = frozenset(trigger for trigger, row in BESIDE.items() if row.roles is _ITSELF)
"""What the library does by itself, and nobody else may."""

COMMANDS = tuple(trigger for trigger in BESIDE if trigger not in BY_THE_LIBRARY)
"""The commands beside the state that somebody gives; the library escalates by itself."""

GUARDED = ("open", *COMMANDS)
"""The commands to which `Definition.beside` may give guards."""


def outbound(text: str, command: Command, record: Record) -> Made:
    """The `communicated` event of words that go with a transition to the requester, if there is one."""
    said = Communication(
        direction=Direction.OUTBOUND,
        channel=command.channel or "unknown",
        author=command.actor,
        audience=Audience.INTERNAL if record.requester is None else Audience.REQUESTER,
        at=command.at,
        text=text,
        automatic=command.actor.kind in _BY_ITSELF,
    )
    return "communicated", said.fields()


def missing(names: tuple[str, ...], command: Command) -> list[Reason]:
    """A reason for each of these fields that the command does not bring."""
    return [
        Reason("missing_field", f"{command.trigger} needs the field {name!r}", facts={"field": name})
        for name in names
        if command.fields.get(name) in (None, "")
    ]
