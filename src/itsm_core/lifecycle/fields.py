"""Which fields a record may hold: those of the field's common terms, and those a host declares.

A name that nobody declared is refused with the names that are close to it, so a typing error is
no silent loss. A declared field says its type and whether it is personal.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

import attrs

from itsm_core.business_time.instants import parse_text
from itsm_core.errors import BeyondHorizon, InvalidValue, Reason
from itsm_core.events import PERSONAL, Audience, Direction, personal_among
from itsm_core.priority import Level, Priority
from itsm_core.values import Fields, member


class FieldType(StrEnum):
    """What a field holds."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    INSTANT = "instant"
    LIST = "list"
    ANY = "any"


def _type(value: FieldType | str) -> FieldType:
    return member(FieldType, value, "type")


@attrs.frozen
class CustomField:
    """A field of the host's own: its name, type, and whether it says something about a person.

    NUMBER is a whole number (nothing stored is a float); INSTANT an aware datetime; LIST a list
    of texts. A personal field is sealed, hidden from reprs and can be erased.
    """

    name: str
    type: FieldType = attrs.field(converter=_type)
    personal: bool = attrs.field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not self.name.isidentifier():
            raise InvalidValue("field name", self.name, "is no plain word", 'use letters, digits and "_"')
        if self.name in TAKEN:
            raise InvalidValue("field name", self.name, "is taken by the library", "choose another name")


# fmt: off
STANDARD: dict[str, FieldType] = {
    **dict.fromkeys((
        "number", "title", "description", "service", "customer", "requester", "channel", "category",
        "impact", "urgency", "priority", "priority_reason", "owner", "group", "assignee", "tenant",
        "hold_reason", "resolution_outcome", "resolution_notes", "closure_code", "reason", "message",
        "late_reason", "messages",
    ), FieldType.TEXT),
    "configuration_items": FieldType.LIST,
    "external_refs":       FieldType.LIST,
    "look_again_at":       FieldType.INSTANT,
    **dict.fromkeys(("restricted", "major", "security", "complaint"), FieldType.FLAG),
    "affected":            FieldType.ANY,  # names, or how many
    "needs":               FieldType.ANY,  # language, assistance, more time
}
"""The fields every record may hold."""
# fmt: on

_TEXT, _REASONS = FieldType.TEXT, {"reason": FieldType.TEXT, "late_reason": FieldType.TEXT}
_WORDS: dict[str, FieldType] = {
    **dict.fromkeys(("text", "text_ref", "text_digest", "message_id", "direction", "audience"), _TEXT),
    "automatic": FieldType.FLAG,
    "promise_due": FieldType.INSTANT,
}
_EXTENT = {"affected_services": FieldType.LIST, "affected_users": FieldType.NUMBER}

# fmt: off
SAID: dict[str, dict[str, FieldType]] = {
    "acknowledge": _REASONS,
    "communicate": {**_WORDS, **_REASONS},
    "receive":     {**_WORDS, **_REASONS},
    "note":        {"text": _TEXT, "text_ref": _TEXT, **_REASONS},
    "restate":     _REASONS,
    "claim_exception": {"exception": _TEXT, "metric": _TEXT, "since": FieldType.INSTANT,
                        "until": FieldType.INSTANT, **_REASONS},
    "justify_overrun": {"metric": _TEXT, "confirmation": _TEXT, **_REASONS},
    "link":        {"relation": _TEXT, "other": _TEXT, **_REASONS},
    "waive":       {"trigger": _TEXT, "separate_from": _TEXT, "until": FieldType.INSTANT, "review": _TEXT,
                    **_REASONS},
    "request_approval": {"rule": FieldType.ANY, **_REASONS},
    "vote":        {"vote": _TEXT, **_REASONS},
    "snooze":      {"until": FieldType.INSTANT, **_REASONS},
    "escalate_now": {"escalation_step": _TEXT, **_REASONS},
    "migrate_policy": {"escalation_policy": _TEXT, "escalation_policy_version": FieldType.NUMBER,
                       "escalation_mode": _TEXT, **_REASONS},
    "declare_major": {**_EXTENT, "major_criteria": FieldType.LIST, **_REASONS},
    "accept_major":  {**_EXTENT, "major_manager": _TEXT, "procedure": FieldType.ANY, **_REASONS},
    "reject_major":  _REASONS,
    "cancel_major":  _REASONS,
    "assume_role":   {"major_role": _TEXT, "held_by": _TEXT, **_REASONS},
    "renounce_role": {"major_role": _TEXT, "held_by": _TEXT, **_REASONS},
    "move_track":  {"track": _TEXT, "track_step": _TEXT, **_REASONS},
    "assess_major": {**_EXTENT, **_REASONS},
    "invoke_continuity_plan": {"continuity_plan": _TEXT, "plan_version": _TEXT, **_REASONS},
    "report_major": {"document": _TEXT, **_REASONS},
    "review_major": {"document": _TEXT, **_REASONS},
    "correct":     {"event": _TEXT, "field": _TEXT, "now": FieldType.ANY, "was": FieldType.ANY, **_REASONS},
}
"""The fields of commands whose words the record does not keep, by trigger."""
# fmt: on

OF_THE_STEP = frozenset(
    {
        *("process", "agreement", "trigger", "phase", "waits_on", "outcome", "reopens", "record", "round"),
        *("promised_since", "from_lifecycle", "from_lifecycle_version", "watched_by"),
    }
)
"""Names that say what a step did; the library writes them."""

MANAGED = frozenset(
    {
        *("impact", "urgency", "priority", "priority_reason", "owner", "group", "assignee"),
        *("hold_reason", "look_again_at", "resolution_outcome", "resolution_notes", "closure_code"),
        *("tenant", "number", "message", "messages", "channel"),
    }
)
"""Fields that a command of their own, or a transition, changes; `amend` does not."""

CHANGED_BY = {
    **dict.fromkeys(("impact", "urgency", "priority", "priority_reason"), "reprioritise"),
    **dict.fromkeys(("owner", "group", "assignee"), "assign"),
}
"""The command of their own that changes some of these, at any time."""

TAKEN = frozenset({*STANDARD, *OF_THE_STEP, *(name for kinds in SAID.values() for name in kinds)})
"""Names that a host cannot declare."""


READ: dict[str, Callable[[Any], object]] = {
    "impact": Level.of,
    "urgency": Level.of,
    "priority": Priority.of,
    "direction": lambda value: member(Direction, value, "direction"),
    "audience": lambda value: member(Audience, value, "audience"),
}


def kinds_of(
    trigger: str, custom: Iterable[CustomField], standard: Mapping[str, FieldType] = STANDARD
) -> Mapping[str, FieldType]:
    """The fields that a command of this trigger may bring, with their types.

    `standard` are those of a process, for commands whose fields the record keeps.
    """
    known = SAID.get(trigger, standard)
    if trigger == "amend":
        known = {name: kind for name, kind in known.items() if name not in MANAGED}
    own = {field.name: field.type for field in custom}
    return {**known, **own} if own else known


def field_reasons(
    fields: Mapping[str, Any], kinds: Mapping[str, FieldType], also: Iterable[str] = ()
) -> list[Reason]:
    """A reason for each field that nobody declared or whose value is not of its type."""
    known = frozenset(also)
    strange = [name for name in fields if name not in kinds and name not in known]
    reasons = [_reserved(n) if n in OF_THE_STEP else _unknown(n, [*kinds, *known]) for n in strange]
    return reasons + type_reasons(fields, kinds)


def type_reasons(fields: Mapping[str, Any], kinds: Mapping[str, FieldType]) -> list[Reason]:
    """A reason for each field whose value is not of the type these kinds give it."""
    found = []
    for name, value in fields.items():
        kind = kinds.get(name)
        if value is None or kind is None:
            continue
        wrong = _misread(name, value) if _fits(value, kind) else f"it takes {_SAYS[kind]}"
        if wrong:
            facts = {"field": name, "type": kind.value}
            seen = shown(name, value)
            said = f"{name} is {seen}; {wrong}" if seen else f"{name} takes {_SAYS[kind]}"
            found.append(Reason("invalid_field", said, facts=facts))
    return found


def shown(name: str, value: Any) -> str:
    """The value as a refusal quotes it; empty unless we know that it says nothing about a person."""
    return repr(value) if name in TAKEN - PERSONAL else ""


def _misread(name: str, value: Any) -> str:
    """What is wrong with a word that stands for one of few things; empty if nothing is."""
    read = READ.get(name)
    if read is None:
        return ""
    try:
        read(value)
    except InvalidValue as wrong:
        return wrong.remedy
    return ""


def personal_marks(fields: Mapping[str, Any], custom: Iterable[CustomField]) -> Fields:
    """The marks of the personal ones among these fields; a correction is as personal as its field."""
    if not custom and "field" not in fields:
        return personal_among(fields)
    own = {field.name for field in custom if field.personal}
    names = own.intersection(fields)
    if fields.get("field") in PERSONAL | own | {"was", "now"}:
        names |= {"was", "now"}.intersection(fields)
    marks = personal_among(fields)
    return Fields({**marks, **dict.fromkeys(sorted(names), "")}) if names else marks


def _reserved(name: str) -> Reason:
    said = f"{name} follows from the lifecycle; leave it out"
    return Reason("reserved_field", said, facts={"field": name})


def not_asked(name: str) -> Reason:
    """The reason for a field that exists, but that this command or actor does not bring."""
    return Reason("unknown_field", f"{name} is not asked for here; leave it out", facts={"field": name})


def _unknown(name: str, known: list[str]) -> Reason:
    if name in CHANGED_BY:
        said = f"{name} is not asked for here; {CHANGED_BY[name]} changes it"
        return Reason("unknown_field", said, facts={"field": name, "trigger": CHANGED_BY[name]})
    if name in TAKEN:
        return not_asked(name)
    near = difflib.get_close_matches(name, known, 3)
    remedy = f"did you mean {' or '.join(near)}?" if near else "declare it as a CustomField"
    return Reason("unknown_field", f"{name!r} is no field; {remedy}", facts={"field": name})


def _fits(value: Any, kind: FieldType) -> bool:
    if kind is FieldType.TEXT:
        return isinstance(value, str)
    if kind is FieldType.INSTANT:
        return isinstance(value, str) and _is_instant(value)
    if kind is FieldType.LIST:
        return isinstance(value, tuple) and all(isinstance(item, str) for item in value)
    if kind is FieldType.NUMBER:
        return type(value) is int
    return kind is FieldType.ANY or isinstance(value, bool)


def _is_instant(value: str) -> bool:
    try:
        parse_text(value)
    except (InvalidValue, BeyondHorizon):
        return False
    return True


_SAYS = {
    FieldType.TEXT: "text",
    FieldType.NUMBER: "a whole number",
    FieldType.FLAG: "True or False",
    FieldType.INSTANT: "an aware datetime",
    FieldType.LIST: "a list of texts",
    FieldType.ANY: "anything that can be stored",
}
