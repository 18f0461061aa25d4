"""Escalation policies as data: steps at shares of a target, in order."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from fractions import Fraction

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.priority import Priority
from itsm_core.sla import Metric, share_of


class StepKind(StrEnum):
    """What a step does (ITIL): functional moves the work, hierarchic informs the line."""

    FUNCTIONAL = "functional"
    HIERARCHIC = "hierarchic"


def _names(value: Iterable[str] | str) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _priorities(value: Iterable[Priority | str]) -> frozenset[Priority]:
    return frozenset(Priority.of(one) for one in value)


@attrs.frozen
class EscalationStep:
    """What happens when a share of a target is used up.

    `at` is a `Fraction`, a whole number of percent or "75 %". A hierarchic step informs `to`
    (names that the resolver turns into people); a functional one gives the work to `group`.
    """

    id: str
    at: Fraction = attrs.field(converter=share_of)
    metric: Metric = attrs.field(default=Metric.RESOLUTION, converter=Metric, kw_only=True)
    kind: StepKind = attrs.field(default=StepKind.HIERARCHIC, converter=StepKind, kw_only=True)
    to: tuple[str, ...] = attrs.field(default=(), converter=_names, kw_only=True)
    group: str | None = attrs.field(default=None, kw_only=True)
    channel: str = attrs.field(default="console", kw_only=True)
    priorities: frozenset[Priority] = attrs.field(default=frozenset(), converter=_priorities, kw_only=True)

    def __attrs_post_init__(self) -> None:
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
    """Steps in order, with a version that a run is pinned to.

    `last_resort` is informed where the names of a step resolve to nobody.
    """

    id: str
    version: int
    steps: tuple[EscalationStep, ...] = attrs.field(converter=tuple[EscalationStep, ...], kw_only=True)
    last_resort: str | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        ids = [step.id for step in self.steps]
        doubles = sorted({i for i in ids if ids.count(i) > 1})
        if doubles:
            raise InvalidValue(
                "escalation policy", self.id, f"has steps of the same id {doubles}", "name each once"
            )
        if not self.steps:
            raise InvalidValue("escalation policy", self.id, "has no steps", "leave the policy out instead")
