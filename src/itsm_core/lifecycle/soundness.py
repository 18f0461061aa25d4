"""Whether a lifecycle can work: coded rules that look at the definition alone.

The phase moves are the contract between a lifecycle and everything that counts its time: a
customised lifecycle that keeps them keeps its clocks, reports and evidence.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeVar

import attrs

from itsm_core.errors import Reason, UnsoundLifecycle
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.graph import Graph, Rule, told
from itsm_core.lifecycle.people_rules import PEOPLE
from itsm_core.lifecycle.shape_rules import PHASE_MOVES, SHAPE, SIZE
from itsm_core.values import only

__all__ = ["PHASE_MOVES", "RULES", "Finding", "check", "sound"]

Severity = Literal["error", "warning"]
Kind = TypeVar("Kind", bound=Definition)

RULES: dict[str, Rule] = {rule.code: rule for rule in sorted((SIZE, *SHAPE, *PEOPLE), key=lambda r: r.code)}
"""The rules by code. L025 is one about agreements and L027 one about a given staff: see `dead_ends`."""

_REFERENCES = ("L001", "L002", "L003", "L004")


@attrs.frozen
class Finding:
    """One thing wrong with a definition: its rule, what and where, and whether it refuses the definition."""

    code: str
    message: str
    where: str
    severity: Severity = attrs.field(default="error", kw_only=True)

    def __str__(self) -> str:
        mark = "" if self.severity == "error" else f" ({self.severity})"
        return f"{self.code}{mark} {told(self.where)}: {self.message}"


def check(lifecycle: Definition) -> tuple[Finding, ...]:
    """Everything that is wrong with a definition; empty if nothing is.

    A definition that is too large is not looked at any further. Where a name leads nowhere, the rules
    that follow transitions from state to state have nothing to stand on and wait until it is mended.
    """
    graph = Graph(only(Definition, lifecycle, "lifecycle", "give the lifecycle itself, such as INCIDENT"))
    too_large = _findings(graph, [SIZE])
    if too_large:
        return tuple(too_large)
    dangling = _findings(graph, (RULES[code] for code in _REFERENCES))
    rest = (rule for code, rule in RULES.items() if code > _REFERENCES[-1])
    return (*dangling, *_findings(graph, (rule for rule in rest if not (dangling and rule.whole))))


def sound(lifecycle: Kind) -> Kind:
    """The lifecycle itself, or `UnsoundLifecycle` with every finding; warnings alone refuse nothing."""
    findings = check(lifecycle)
    if any(finding.severity == "error" for finding in findings):
        reasons = [Reason(f.code, str(f)) for f in findings]
        raise UnsoundLifecycle(f"lifecycle {told(lifecycle.id)} {lifecycle.version}", reasons)
    return lifecycle


def _findings(graph: Graph, rules: Iterable[Rule]) -> list[Finding]:
    return [
        Finding(rule.code, message, where, severity="warning" if rule.warning else "error")
        for rule in rules
        for where, message in rule.look(graph)
    ]
