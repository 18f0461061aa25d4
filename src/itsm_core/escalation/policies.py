"""Escalation policies as data: steps at shares of a target, in order."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from fractions import Fraction

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.priority import Priority
from itsm_core.sla.targets import Metric, metric_of, priorities_of, share_of
from itsm_core.values import counted, each, member, named, texts, word


class StepKind(StrEnum):
    """What a step does (ITIL): functional moves the work, hierarchic informs the line."""

    FUNCTIONAL = "functional"
    HIERARCHIC = "hierarchic"


def _kind(value: StepKind | str) -> StepKind:
    return member(StepKind, value, "kind of step")


def _names(value: Iterable[str] | str) -> tuple[str, ...]:
    return texts(value, "to", 'name who is told: to="manager", or to=("lead", "manager")')


def _steps(value: Iterable[EscalationStep]) -> tuple[EscalationStep, ...]:
    return each(EscalationStep, value, "steps", 'give a list: [EscalationStep("lead", "75 %", to="lead")]')


def _key_part(value: str, what: str, remedy: str) -> None:
    """Refuses what could not be told apart in the key of an effect."""
    named(value, what, remedy)
    if "/" in value or "#" in value:
        raise InvalidValue(what, value, "holds a / or #, which part the key of an effect", remedy)


@attrs.frozen
class EscalationStep:
    """What happens when a share of a target is used up.

    `at` is a `Fraction`, a whole number of percent or "75 %". A hierarchic step informs `to`
    (names that the resolver turns into people); a functional one gives the work to `group`.
    """

    id: str
    at: Fraction = attrs.field(converter=share_of)
    metric: Metric | str = attrs.field(default=Metric.RESOLUTION, converter=metric_of, kw_only=True)
    kind: StepKind = attrs.field(default=StepKind.HIERARCHIC, converter=_kind, kw_only=True)
    to: tuple[str, ...] = attrs.field(default=(), converter=_names, kw_only=True)
    group: str | None = attrs.field(default=None, kw_only=True)
    channel: str = attrs.field(default="console", kw_only=True)
    priorities: frozenset[Priority] = attrs.field(default=frozenset(), converter=priorities_of, kw_only=True)

    def __attrs_post_init__(self) -> None:
        _key_part(self.id, "escalation step", 'name it, such as "lead-at-75"')
        word(self.channel, "channel", 'name one, such as "email"')
        if self.group is not None:
            word(self.group, "group", 'name one, such as "network"')
        if self.kind is StepKind.FUNCTIONAL and not self.group:
            raise InvalidValue(
                "escalation step", self.id, "is functional and names no group", 'say group="network"'
            )
        if self.kind is StepKind.HIERARCHIC and not self.to:
            raise InvalidValue(
                "escalation step", self.id, "is hierarchic and names nobody", 'say to="manager"'
            )
        if self.at <= 0:
            raise InvalidValue("escalation step", self.id, "stands at or before the start", 'say at="75 %"')

    @property
    def percent(self) -> str:
        """The share in words, such as "75 %"."""
        share = self.at * 100
        return f"{share.numerator // share.denominator if share.denominator == 1 else float(share):g} %"


@attrs.frozen
class EscalationPolicy:
    """Steps in order, with a version that every effect names.

    `last_resort` is informed where the names of a step resolve to nobody.
    """

    id: str
    version: int
    steps: tuple[EscalationStep, ...] = attrs.field(converter=_steps, kw_only=True)
    last_resort: str | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        _key_part(self.id, "escalation policy", 'name it, such as "standard"')
        counted(self.version, "policy")
        if self.last_resort is not None:
            word(self.last_resort, "last_resort", 'name who is told, such as "duty-manager"')
        ids = [step.id for step in self.steps]
        doubles = sorted({i for i in ids if ids.count(i) > 1})
        if doubles:
            raise InvalidValue(
                "escalation policy", self.id, f"has steps of the same id {doubles}", "name each once"
            )
        if not self.steps:
            raise InvalidValue("escalation policy", self.id, "has no steps", "leave the policy out instead")
