"""What a clock measures: when it starts, stops, pauses and starts over, as conditions on a timeline.

At one instant conditions count in this order: void, stop, reset, start, pause, resume. A condition on
words holds only at the instant they are said, one on the state of the record as long as it lasts.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, cast

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.events import Phase, WaitsOn
from itsm_core.sla.timeline import ANSWERS, DONE, Mark, Said, Word
from itsm_core.values import each, member, texts

E = TypeVar("E", bound=StrEnum)


def _of(kind: type[E], value: Iterable[E] | E | str, what: str) -> frozenset[E]:
    known = f"use some of {', '.join(kind)}"
    return frozenset(member(kind, word, what) for word in texts(value, what, known))


def phases(value: Iterable[Phase | str] | Phase | str) -> frozenset[Phase]:
    """The phases named; a name alone is one of them."""
    return _of(Phase, cast("Any", value), "phases")


def waits(value: Iterable[WaitsOn | str] | WaitsOn | str) -> frozenset[WaitsOn]:
    """The waits named; a name alone is one of them."""
    return _of(WaitsOn, cast("Any", value), "waits_on")


def spoken(value: Iterable[Said | str] | Said | str) -> frozenset[Said]:
    """The kinds of words named; a name alone is one of them."""
    return _of(Said, cast("Any", value), "words")


def _flag(_: Any, field: Any, value: Any) -> None:
    if value is not True and value is not False and not (value is None and field.name == "assigned"):
        raise InvalidValue(field.name, value, "is neither yes nor no", "write True or False")


def names(value: Iterable[str] | str) -> frozenset[str]:
    """The names given; a text alone is one of them."""
    return frozenset(texts(value, "condition", "name them, or leave it out"))


@attrs.frozen(kw_only=True)
class Condition:
    """What must hold of a record: every aspect that is named; an aspect takes any of its values.

    `words` hold at the instant at which one of them is said. `assigned` is whether somebody has it.
    `unless` turns the whole round.
    """

    phases: frozenset[Phase] = attrs.field(default=frozenset(), converter=phases)
    states: frozenset[str] = attrs.field(default=frozenset(), converter=names)
    waits_on: frozenset[WaitsOn] = attrs.field(default=frozenset(), converter=waits)
    outcomes: frozenset[str] = attrs.field(default=frozenset(), converter=names)
    groups: frozenset[str] = attrs.field(default=frozenset(), converter=names)
    assigned: bool | None = attrs.field(default=None, validator=_flag)
    words: frozenset[Said] = attrs.field(default=frozenset(), converter=spoken)
    unless: bool = attrs.field(default=False, validator=_flag)

    def __attrs_post_init__(self) -> None:
        if self.unless and self.words:
            raise InvalidValue(
                "condition", "unless", "turns words round", "ask for words, or for a state without them"
            )

    def holds(self, mark: Mark, words: tuple[Word, ...]) -> bool:
        """Whether it holds of the state after an instant, and the words of that instant."""
        found = (
            (not self.phases or mark.phase in self.phases)
            and (not self.states or mark.state in self.states)
            and (not self.waits_on or mark.waits_on in self.waits_on)
            and (not self.outcomes or mark.outcome in self.outcomes)
            and (not self.groups or mark.group in self.groups)
            and (self.assigned is None or self.assigned is (mark.assignee is not None))
            and (not self.words or any(word.said in self.words for word in words))
        )
        return found is not self.unless


Conditions = tuple[Condition, ...]
_ALWAYS = Condition()


def _conditions(value: Condition | Iterable[Condition]) -> Conditions:
    held = (value,) if isinstance(value, Condition) else value
    return each(Condition, held, "conditions", 'give a list: [Condition(states={"approval"})]')


class AnyOf:
    """Conditions of which any will do, made quick: most look at phases alone, or at words alone."""

    __slots__ = ("always", "phases", "rest", "said")

    def __init__(self, conditions: Conditions) -> None:
        self.always = Condition() in conditions
        plain = [one for one in conditions if one == Condition(phases=one.phases) and one.phases]
        heard = [one for one in conditions if one == Condition(words=one.words) and one.words]
        self.phases = frozenset(phase for one in plain for phase in one.phases)
        self.said = frozenset(said for one in heard for said in one.words)
        self.rest = tuple(one for one in conditions if one not in plain and one not in heard)

    def __call__(self, mark: Mark, words: tuple[Word, ...] = ()) -> bool:
        if self.always or mark.phase in self.phases:
            return True
        if words and self.said and any(word.said in self.said for word in words):
            return True
        return bool(self.rest) and any(one.holds(mark, words) for one in self.rest)


@attrs.frozen(kw_only=True)
class Measure:
    """The conditions of a metric; of several in one place any will do.

    It starts where `start` holds and `stop` does not, and ends where `stop` holds; with
    `while_started` also where `start` holds no more. What stops it at the opening, or by words at the
    very start, ends it at once. `reset` ends one cycle and begins the next. A start or a reset that
    lasts counts when it begins to hold, not again at each event meanwhile.
    `pause` stops the count unless `resume` holds. `once` says that a stop is for good: no reopening
    goes on with it. A record closed as cancelled, merged, duplicate or re-typed voids every measure;
    `void` names what else does. What it hears are the words that any condition asks for; it repeats
    where each start is a cycle of its own, and is quiet where nothing but words ends it while the record
    is open.
    """

    start: Conditions = attrs.field(converter=_conditions)
    stop: Conditions = attrs.field(default=(), converter=_conditions)
    pause: Conditions = attrs.field(default=(), converter=_conditions)
    resume: Conditions = attrs.field(default=(), converter=_conditions)
    reset: Conditions = attrs.field(default=(), converter=_conditions)
    void: Conditions = attrs.field(default=(), converter=_conditions)
    while_started: bool = attrs.field(default=False, validator=_flag)
    once: bool = attrs.field(default=False, validator=_flag)
    starts: AnyOf = attrs.field(init=False, eq=False, repr=False)
    stops: AnyOf = attrs.field(init=False, eq=False, repr=False)
    pauses: AnyOf = attrs.field(init=False, eq=False, repr=False)
    resumes: AnyOf = attrs.field(init=False, eq=False, repr=False)
    resets: AnyOf = attrs.field(init=False, eq=False, repr=False)
    voids: AnyOf = attrs.field(init=False, eq=False, repr=False)
    hears: frozenset[Said] = attrs.field(init=False, eq=False, repr=False)
    repeats: bool = attrs.field(init=False, eq=False, repr=False)
    quiet: bool = attrs.field(init=False, eq=False, repr=False)
    plain: bool = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        for name, quick in _QUICK.items():
            object.__setattr__(self, quick, AnyOf(getattr(self, name)))
        for name in ("pause", "resume"):
            if any(one.words for one in getattr(self, name)):
                raise InvalidValue(
                    name, "words", "hold for an instant, so they pause nothing", "name what lasts, as a state"
                )
        if self.while_started and any(one.words for one in self.start):
            raise InvalidValue(
                "while_started", True, "asks a start by words to last, and words hold for an instant",
                "start it by what lasts, as a state, or leave while_started out",
            )  # fmt: skip
        named = (self.start, self.stop, self.pause, self.resume, self.reset, self.void)
        hears = frozenset(word for group in named for one in group for word in one.words)
        object.__setattr__(self, "hears", hears)
        repeats = self.while_started or any(one.words for one in self.start)
        object.__setattr__(self, "repeats", repeats)
        ends = [one for group in (self.stop, self.reset, self.void) for one in group]
        over = all(one.words or (one.phases and one.phases <= set(DONE) and not one.unless) for one in ends)
        object.__setattr__(self, "quiet", over and not self.while_started)
        object.__setattr__(self, "plain", self._is_plain())
        if not self.start:
            raise InvalidValue(
                "start", (), "names no condition, so the clock would never start",
                'say when it starts: start=Condition(states={"approval"}), or Condition() for the opening',
            )  # fmt: skip

    def _is_plain(self) -> bool:
        """Whether it starts at the opening, and nothing but words or the end of the work stops it."""
        others = (self.pause, self.resume, self.reset, self.void)
        stops = self.stops
        ends = stops.phases == frozenset(DONE) and not stops.always and not stops.rest
        alone = not any(others) and not self.repeats and Said.REQUEST not in self.hears
        return self.start == (_ALWAYS,) and ends and alone


_QUICK = {
    "start": "starts", "stop": "stops", "pause": "pauses", "resume": "resumes", "reset": "resets",
    "void": "voids",
}  # fmt: skip


_DONE = Condition(phases=DONE)
_RESOLUTION = Measure(start=_ALWAYS, stop=_DONE)


def resolution(_: frozenset[Said] = ANSWERS) -> Measure:
    """From the opening until the record is resolved or closed, whoever speaks."""
    return _RESOLUTION


@cache
def response(by: frozenset[Said] = ANSWERS) -> Measure:
    """From the opening until the first word that answers, or else until the record is resolved."""
    return Measure(start=_ALWAYS, stop=(Condition(words=by), _DONE), once=True)


@cache
def update(by: frozenset[Said] = ANSWERS) -> Measure:
    """Speak every so often while the record is open: each word of ours begins the next stretch."""
    return Measure(start=_ALWAYS, stop=_DONE, reset=Condition(words=by))


@cache
def reply(by: frozenset[Said] = ANSWERS) -> Measure:
    """Answer within so much: from the oldest words of the requester that nobody has answered."""
    return Measure(start=Condition(words=Said.REQUEST), stop=(Condition(words=by), _DONE))


@cache
def stretch(condition: Condition) -> Measure:
    """As long as something holds of an open record: each time is a cycle of its own."""
    return Measure(start=condition, stop=_DONE, while_started=True)
