"""The steps of an escalation policy as data: what each does, for whom, when, and when not."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Mapping
from enum import StrEnum
from fractions import Fraction
from typing import Any, Literal, get_args

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.durations import Budget, parse
from itsm_core.errors import InvalidValue, Reason
from itsm_core.escalation.triggers import AROUND, MOST_TIMES, Trigger, TriggerKind, Wait, wait_of
from itsm_core.lifecycle.beside import GRADES
from itsm_core.lifecycle.fields import (
    MANAGED,
    OF_THE_STEP,
    READ,
    STANDARD,
    FieldType,
    field_reasons,
    type_reasons,
)
from itsm_core.priority import Priority
from itsm_core.records import Record
from itsm_core.responders import CALLBACK
from itsm_core.sla.agreements.targets import Metric, metric_of, one_of, priorities_of, share_of
from itsm_core.values import NO_FIELDS, Fields, as_fields, each, flag, member, named, only, texts, word


class StepKind(StrEnum):
    """What a step does: functional moves the work, hierarchic informs the line (ITIL); others serve them."""

    FUNCTIONAL = "functional"
    HIERARCHIC = "hierarchic"
    CHANGE = "change"
    MAJOR = "major"
    BRANCH = "branch"
    REPEAT = "repeat"


WhenEmpty = Literal["skip", "wait", "fallback"]
StopsOn = Literal["acknowledged", "resolved"]
CatchUp = Literal["serial", "coalesce", "expire"]
Urgency = Literal["low", "normal", "high"]
Hours = Literal["inside", "outside"]
WHEN_EMPTY: tuple[str, ...] = get_args(WhenEmpty)
STOPS_ON: tuple[str, ...] = get_args(StopsOn)
CATCH_UP: tuple[str, ...] = get_args(CatchUp)
URGENCIES: tuple[str, ...] = get_args(Urgency)
HOURS: tuple[str, ...] = get_args(Hours)

END = "end"
"""In place of a step's id: the chain is over."""


def key_part(value: str, what: str, remedy: str) -> None:
    """Refuses what could not be told apart in the key of an effect."""
    named(value, what, remedy)
    if "/" in value or "#" in value:
        raise InvalidValue(what, value, "holds a / or #, which part the key of an effect", remedy)


def _names(value: Iterable[str] | str) -> tuple[str, ...]:
    return texts(value, "to", 'name who is told: to="manager", or to=("lead", "manager")')


def _expiry(value: Budget | str | None) -> Budget | None:
    found = parse(value) if isinstance(value, str) else value
    if found is None or (isinstance(found, Budget) and found.us > 0):
        return found
    raise InvalidValue("expires_after", str(value), "is no length of wall time", 'write "30m"')


def _kind(value: StepKind | str) -> StepKind:
    return member(StepKind, value, "kind of step")


def _fields(value: Any) -> Fields:
    return as_fields(value)


def _sets(value: Any) -> Fields:
    """The fields, grades as the record holds them; those that are none are refused with their step."""
    found = dict(as_fields(value))
    for name in GRADES & found.keys():
        with contextlib.suppress(InvalidValue):
            found[name] = None if found[name] is None else str(READ[name](found[name]))
    return Fields(found)


@attrs.frozen(kw_only=True)
class Condition:
    """What must hold of a record at an instant; of several things all must.

    `hours` are those of the policy's calendar or else the desk's.
    """

    priorities: frozenset[Priority] = attrs.field(default=frozenset(), converter=priorities_of)
    fields: Fields = attrs.field(default=NO_FIELDS, converter=_fields)
    hours: Hours | None = attrs.field(default=None, validator=attrs.validators.optional(one_of(HOURS)))

    def __attrs_post_init__(self) -> None:
        if not self.priorities and not self.fields and self.hours is None:
            raise InvalidValue(
                "condition", "nothing", "asks nothing", 'say priorities, fields or hours="outside"'
            )

    def holds(self, record: Record, at: dt.datetime, calendar: BusinessCalendar | None = None) -> bool:
        """Whether the record is so at this instant."""
        if self.priorities and record.priority not in self.priorities:
            return False
        if any(record.values.get(name) != value for name, value in self.fields.items()):
            return False
        return self.hours is None or (calendar or AROUND).is_open(at) is (self.hours == "inside")

    def __str__(self) -> str:
        parts = ["/".join(sorted(map(str, self.priorities)))] if self.priorities else []
        parts += [f"{name} = {value}" for name, value in self.fields.items()]
        parts += [f"{self.hours} hours"] if self.hours else []
        return ", ".join(parts)


@attrs.frozen
class Branch:
    """Where a chain goes on if a condition holds when it comes to the fork."""

    when: Condition
    to: str

    def __attrs_post_init__(self) -> None:
        only(Condition, self.when, "when", 'make one: Condition(hours="outside")')
        named(self.to, "branch", "name a later step")


@attrs.frozen
class Repeat:
    """Which step a chain goes back to, and how often at most."""

    to: str
    times: int = 1

    def __attrs_post_init__(self) -> None:
        named(self.to, "repeat", "name a step before")
        if type(self.times) is not int or not 1 <= self.times <= MOST_TIMES:
            raise InvalidValue(
                "repeat", self.times, "is no bounded number of times", f"say 1 to {MOST_TIMES}"
            )


def _branches(value: Iterable[Branch]) -> tuple[Branch, ...]:
    return each(Branch, value, "branches", 'give a list: [Branch(Condition(hours="outside"), "night")]')


def _understood(step: Any) -> StepKind:
    """The kind of a step that does not say it, by what is filled."""
    for name, kind in _DEEDS.items():
        if getattr(step, name):
            return kind
    return StepKind.FUNCTIONAL if (step.group or step.assignee) and not step.to else StepKind.HIERARCHIC


def _measured(step: Any) -> Metric | str:
    """The metric of a step that does not say it: that of its trigger, or the resolution."""
    trigger = step.trigger
    return trigger.metric if isinstance(trigger, Trigger) else Metric.RESOLUTION


def _until(step: Any) -> StopsOn:
    trigger = step.trigger
    waits = isinstance(trigger, Trigger) and trigger.kind is TriggerKind.UNACKNOWLEDGED
    return "acknowledged" if waits or step.after is not None else "resolved"


@attrs.frozen
class EscalationStep:
    """What happens at an instant of a record's life.

    It begins with one of three: `at`, a share of a target's time (a `Fraction`, a whole number of percent,
    or "75 %"); a `trigger`; or `after` a wait from the step before, in a chain. What it does follows from
    what is filled: it informs `to`, gives the work to a `group` or an `assignee`, `sets` fields,
    `declares_major`, goes on by `branches`, or back by `repeat`.

    Names in `to` are for the resolver ("manager", "on_call:network", "manager_of:assignee"), but "user:ana"
    is ana and "callback:name" is itself. An `assignee` is such a name, too: the first who answers has the
    work, or if nobody does the queue of the `group` beside it. Steps `after` another and those that wait for
    acknowledgement stop on it; others when the record is resolved, or their clock stops (`stops_on`). A chain
    that a share began stands still with its clock unless `while_paused`. `then` names the step that follows
    if it is not the next one, or "end". `catch_up` says what an overdue step does: fire and let the rest wait
    anew ("serial"), leave it to the last of several ("coalesce"), or not fire from `expires_after` late on
    ("expire"), when its message would have expired, too.
    """

    id: str
    at: Fraction | None = attrs.field(default=None, converter=attrs.converters.optional(share_of))
    trigger: Trigger | None = attrs.field(default=None, kw_only=True)
    after: Wait | None = attrs.field(default=None, converter=attrs.converters.optional(wait_of), kw_only=True)
    metric: Metric | str = attrs.field(
        default=attrs.Factory(_measured, takes_self=True), converter=metric_of, kw_only=True
    )
    to: tuple[str, ...] = attrs.field(default=(), converter=_names, kw_only=True)
    group: str | None = attrs.field(default=None, kw_only=True)
    assignee: str | None = attrs.field(default=None, kw_only=True)
    sets: Fields = attrs.field(default=NO_FIELDS, converter=_sets, kw_only=True)
    declares_major: bool = attrs.field(default=False, validator=flag, kw_only=True)
    branches: tuple[Branch, ...] = attrs.field(default=(), converter=_branches, kw_only=True)
    repeat: Repeat | None = attrs.field(default=None, kw_only=True)
    kind: StepKind = attrs.field(
        default=attrs.Factory(_understood, takes_self=True), converter=_kind, kw_only=True
    )
    when: Condition | None = attrs.field(default=None, kw_only=True)
    then: str | None = attrs.field(default=None, kw_only=True)
    channel: str = attrs.field(default="console", kw_only=True)
    priorities: frozenset[Priority] = attrs.field(default=frozenset(), converter=priorities_of, kw_only=True)
    when_empty: WhenEmpty = attrs.field(default="skip", validator=one_of(WHEN_EMPTY), kw_only=True)
    fallback: tuple[str, ...] = attrs.field(default=(), converter=_names, kw_only=True)
    stops_on: StopsOn = attrs.field(
        default=attrs.Factory(_until, takes_self=True), validator=one_of(STOPS_ON), kw_only=True
    )
    while_paused: bool = attrs.field(default=False, validator=flag, kw_only=True)
    catch_up: CatchUp | None = attrs.field(
        default=None, validator=attrs.validators.optional(one_of(CATCH_UP)), kw_only=True
    )
    expires_after: Budget | None = attrs.field(default=None, converter=_expiry, kw_only=True)
    urgency: Urgency = attrs.field(default="normal", validator=one_of(URGENCIES), kw_only=True)

    def __attrs_post_init__(self) -> None:
        key_part(self.id, "escalation step", 'name it, such as "lead-at-75"')
        if self.id == END:
            raise self._wrong("is the word for where a chain ends", "name it otherwise")
        key_part(word(self.channel, "channel", 'name one, such as "email"'), "channel", 'name it "email"')
        if self.group is not None:
            word(self.group, "group", 'name one, such as "network"')
        if self.assignee is not None:
            remedy = 'name who gets the work, such as "user:ana" or "on_call:network"'
            if word(self.assignee, "assignee", remedy).startswith(CALLBACK):
                raise InvalidValue("assignee", self.assignee, "is nobody who works", remedy)
        for name, kind in (("trigger", Trigger), ("repeat", Repeat), ("when", Condition)):
            if getattr(self, name) is not None:
                only(kind, getattr(self, name), name, f"make one: {kind.__name__}(...)")
        self._check_what()
        self._check_sets()
        self._check_when()

    def _check_what(self) -> None:
        """Refuses a step that says not what it does, or two things."""
        if self.kind is StepKind.FUNCTIONAL and not (self.group or self.assignee):
            remedy = 'say group="network" or assignee="on_call:network"'
            raise self._wrong("is functional and names no group and nobody", remedy)
        if self.assignee is not None and self.kind is not StepKind.FUNCTIONAL:
            raise self._wrong(f"does {self.kind} and gives work to an assignee", "make a step of each")
        if self.kind is StepKind.HIERARCHIC and not self.to:
            raise self._wrong("is hierarchic and names nobody", 'say to="manager"')
        for name, kind in _DEEDS.items():
            if bool(getattr(self, name)) is not (kind is self.kind):
                raise self._wrong(f"does {self.kind} and {name.replace('_', ' ')}", "make a step of each")
        if self.group is not None and self.kind is not StepKind.FUNCTIONAL:
            raise self._wrong(f"does {self.kind} and gives work to a group", "make a step of each")
        if self.to and self.kind is not StepKind.HIERARCHIC:
            raise self._wrong(f"does {self.kind} and tells {', '.join(self.to)}", "make a step of each")
        if (self.when_empty == "fallback") is not bool(self.fallback):
            raise self._wrong(
                "has a fallback in one place alone", 'say when_empty="fallback", fallback="lead"'
            )

    def _check_sets(self) -> None:
        """Refuses a field that no step changes, whatever the desk, or that would hold what is none of its."""
        for name in self.sets:
            if name in _NOT_SET:
                remedy = _INSTEAD.get(name, "leave it out: a command or transition of its own changes it")
                raise self._wrong(f"sets {name}, which no step does", remedy)
        for reason in type_reasons(self.sets, STANDARD):
            raise self._wrong(f"sets what cannot be: {reason.message}", "set what the field holds")

    def _check_when(self) -> None:
        """Refuses a step that says not when it begins, or says so twice."""
        said = [name for name in ("at", "trigger", "after") if getattr(self, name) is not None]
        if len(said) != 1:
            told = "says not when it begins" if not said else f"begins by {' and '.join(said)}"
            raise self._wrong(
                told, 'say at="75 %", trigger=Trigger.unacknowledged("15m wall") or after="15m wall"'
            )
        if self.trigger is not None and self.trigger.metric != self.metric:
            raise self._wrong(f"is about {self.metric}, and its trigger is not", "say the metric once")
        if self.at is not None and self.at <= 0:
            raise self._wrong("stands at or before the start", 'say at="75 %"')
        if (self.catch_up == "expire") is not (self.expires_after is not None):
            raise self._wrong("expires in one place alone", 'say catch_up="expire", expires_after="30m"')

    def _wrong(self, reason: str, remedy: str) -> InvalidValue:
        return InvalidValue("escalation step", self.id, reason, remedy)

    @property
    def names(self) -> tuple[str, ...]:
        """All who are asked for when it fires."""
        return (*self.to, *(() if self.assignee is None else (self.assignee,)), *self.fallback)

    @property
    def begins(self) -> Trigger | None:
        """What sets it off; None for a step that follows another."""
        return self.trigger if self.at is None else Trigger.share_of(self.at, self.metric)

    @property
    def wait(self) -> Wait | None:
        """How long it waits, after another step or in what sets it off."""
        return self.after if self.trigger is None else self.trigger.wait

    @property
    def share(self) -> Fraction | None:
        """The share of a target's time at which it begins, if that is what it waits for."""
        return self.at if self.trigger is None else self.trigger.share

    @property
    def grades(self) -> frozenset[str]:
        """What it sets that makes the priority of a record: that itself, impact, urgency."""
        return GRADES & self.sets.keys()

    def unset(self, kinds: Mapping[str, FieldType]) -> list[Reason]:
        """Why what it sets would be refused of a record that holds fields of these kinds."""
        beside = {name: value for name, value in self.sets.items() if name not in GRADES}
        return field_reasons(beside, {name: kind for name, kind in kinds.items() if name not in MANAGED})

    @property
    def percent(self) -> str:
        """The share in words, such as "75 %"; empty where none sets it off."""
        if self.share is None:
            return ""
        share = self.share * 100
        return f"{share.numerator // share.denominator if share.denominator == 1 else float(share):g} %"


_NOT_SET = (MANAGED - GRADES) | OF_THE_STEP | {"reason", "late_reason"}
"""What a step cannot set, since no command of the automation by which it sets fields would."""

_INSTEAD = {
    "group": 'give the work to it: group="network"',
    "assignee": 'give the work to them: assignee="user:ana"',
    "priority_reason": "leave it out: the step is the reason",
}

_DEEDS = {
    "sets": StepKind.CHANGE, "declares_major": StepKind.MAJOR,
    "branches": StepKind.BRANCH, "repeat": StepKind.REPEAT,
}  # fmt: skip
"""What only one kind of step may fill, and must."""
