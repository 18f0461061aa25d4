"""The parts of a lifecycle: states with a phase, transitions with conditions, needs, and their words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import get_args

import attrs

from itsm_core.business_time.durations import Duration, parse
from itsm_core.business_time.durations import format as written
from itsm_core.errors import InvalidValue
from itsm_core.events import Phase, WaitsOn
from itsm_core.lifecycle.fields import OF_THE_STEP
from itsm_core.values import each, member, named, texts, word

Words = tuple[tuple[str, str], ...]


def words(value: Mapping[str, str] | Iterable[tuple[str, str]] | str) -> Words:
    """Texts by language: a text alone is English."""
    if isinstance(value, str):
        return (("en", value),)
    pairs = tuple(value.items()) if isinstance(value, Mapping) else value
    if not isinstance(pairs, tuple) or not all(_is_pair(pair) for pair in pairs):
        raise InvalidValue("label", value, "is no text", 'write "New", or {"en": "New", "zh": "新建"}')
    return pairs


def _is_pair(pair: object) -> bool:
    return isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(text, str) for text in pair)


def say(known: Words, lang: str, otherwise: str) -> str:
    """The words in a language, else in English, else as given."""
    found = dict(known)
    return found.get(lang) or found.get("en") or otherwise


def _names(value: Iterable[str] | str) -> frozenset[str]:
    return frozenset(texts(value, "role", 'name roles or relations with words: {"agent"}'))


def sequence(value: Iterable[str] | str) -> tuple[str, ...]:
    """Words in their order; a text alone is one word."""
    return texts(value, "word", 'give texts: ("new", "in_progress")')


def _phase(value: Phase | str) -> Phase:
    return member(Phase, value, "phase")


def wait(reason: WaitsOn | str) -> WaitsOn:
    """Whom or what a record waits for."""
    return member(WaitsOn, reason, "hold_reason")


def _waits(value: WaitsOn | str | None) -> WaitsOn | None:
    return None if value is None else wait(value)


OF_THE_ROUND = "approval.due"
"""What `InstantOf` calls the instant at which the approval round that counts falls due."""


@attrs.frozen
class InstantOf:
    """An instant that a record knows, for timer edges: that in a field, such as `risk_review_at`.

    "approval.due" is when the approval round that counts falls due.
    """

    field: str

    def __attrs_post_init__(self) -> None:
        if self.field != OF_THE_ROUND:
            word(self.field, "field", f'name a field that holds an instant, or "{OF_THE_ROUND}"')

    def __str__(self) -> str:
        return self.field


def written_after(after: Duration | InstantOf) -> str:
    """The text of what a timer edge waits for: "5 business days", "at risk_review_at"."""
    return f"at {after}" if isinstance(after, InstantOf) else written(after)


def read_after(text: str) -> Duration | InstantOf:
    """What such a text says."""
    return InstantOf(text[3:].strip()) if text.startswith("at ") else parse(text)


def _counted(value: object) -> None:
    if value is not None and not isinstance(value, (*get_args(Duration), InstantOf)):
        remedy = 'say what is counted: after=business_days(5), hours(4) or InstantOf("risk_review_at")'
        raise InvalidValue("after", value, "is no duration", remedy)


@attrs.frozen
class State:
    """A state: its id is for ever, its label is words, its phase is what clocks understand.

    A final state (phase CLOSED) names its `outcome`. A waiting state names whom it waits on,
    or leaves that to the reason of each hold (`waits_on` None).
    """

    id: str
    phase: Phase = attrs.field(converter=_phase)
    label: Words = attrs.field(default=(), converter=words, kw_only=True)
    outcome: str | None = attrs.field(default=None, kw_only=True)
    waits_on: WaitsOn | None = attrs.field(default=None, converter=_waits, kw_only=True)

    def __attrs_post_init__(self) -> None:
        named(self.id, "state", 'name it, such as "in_progress"')

    def say(self, lang: str = "en") -> str:
        """The label in a language ("en", "zh", ...)."""
        return say(self.label, lang, self.id)


@attrs.frozen
class Need:
    """A field that a transition requires, the choices it has, and the clause that asks for it.

    `otherwise` names a field that may stand in its place, such as why a change was not tested.
    `kept`: what the record already knows is enough; else the command must bring it each time.
    `required` False: it is asked for, with its choices, and may be left out. `essential`:
    `Lifecycle.lite` keeps it.
    """

    field: str
    clause: str
    one_of: tuple[str, ...] = attrs.field(default=(), converter=sequence, kw_only=True)
    otherwise: str | None = attrs.field(default=None, kw_only=True)
    kept: bool = attrs.field(default=False, kw_only=True)
    required: bool = attrs.field(default=True, kw_only=True)
    essential: bool = attrs.field(default=True, kw_only=True)
    label: Words = attrs.field(default=(), converter=words, kw_only=True)

    def __attrs_post_init__(self) -> None:
        for name in (self.field, *(() if self.otherwise is None else (self.otherwise,))):
            word(name, "need", 'name the field, such as "resolution_notes"')
            if name in OF_THE_STEP:
                raise InvalidValue("need", name, "is written by the library", "ask for another field")

    def say(self, lang: str = "en") -> str:
        """The label in a language."""
        return say(self.label, lang, self.field)


def needs(value: Iterable[Need]) -> tuple[Need, ...]:
    """The needs of a list."""
    return each(Need, value, "requires", 'give a list: (Need("reason", "our rule"),)')


def fields_of(asked: Iterable[Need]) -> tuple[str, ...]:
    """The fields that needs name, those that may stand in their place included."""
    return tuple(name for need in asked for name in (need.field, need.otherwise) if name is not None)


@attrs.frozen
class Transition:
    """A trigger that takes a record from one of its sources to a destination.

    `roles` may fire it; so may whoever stands in a `relation` to the record ("requester",
    "assignee"). `guards` name conditions of the lifecycle. `separate_from` names earlier triggers
    ("open" is one): whoever fired the last of each may not fire this one, unless a waiver on the
    record says so. With `after` it is a timer edge: nobody may fire it, time does, when the record
    has been in the source state so long, or when an instant that it knows has come (`InstantOf`).
    `reopens` says that it leads back from done to open work, and whether clocks "resume" or "restart".
    """

    trigger: str
    sources: tuple[str, ...] = attrs.field(converter=sequence)
    dest: str = attrs.field(kw_only=True)
    roles: frozenset[str] = attrs.field(default=frozenset(), converter=_names, kw_only=True)
    relation: frozenset[str] = attrs.field(default=frozenset(), converter=_names, kw_only=True)
    requires: tuple[Need, ...] = attrs.field(default=(), converter=needs, kw_only=True)
    guards: tuple[str, ...] = attrs.field(default=(), converter=sequence, kw_only=True)
    separate_from: tuple[str, ...] = attrs.field(default=(), converter=sequence, kw_only=True)
    after: Duration | InstantOf | None = attrs.field(default=None, kw_only=True)
    reopens: str | None = attrs.field(default=None, kw_only=True)
    label: Words = attrs.field(default=(), converter=words, kw_only=True)
    instructions: Words = attrs.field(default=(), converter=words, kw_only=True)

    def __attrs_post_init__(self) -> None:
        named(self.trigger, "transition", 'name its trigger, such as "resolve"')
        _counted(self.after)

    def say(self, lang: str = "en") -> str:
        """The label in a language."""
        return say(self.label, lang, self.trigger.replace("_", " "))
