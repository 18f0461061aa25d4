"""Whether an agreement can work, and says what it means: coded rules, before anybody signs it.

lint(agreement, INCIDENT, others=[...]) -> findings, each with a code, a message and a remedy
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Literal

import attrs

from itsm_core.business_time.instants import in_utc
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.graph import told
from itsm_core.sla.agreements.agreement import Agreement
from itsm_core.sla.checking.clock_rules import CLOCK_RULES, PROCESS, SIZE
from itsm_core.sla.checking.situations import Reading, Rule
from itsm_core.sla.checking.term_rules import TERM_RULES
from itsm_core.values import each, only

AGREEMENT_RULES: dict[str, Rule] = {
    rule.code: rule for rule in sorted((SIZE, PROCESS, *CLOCK_RULES, *TERM_RULES), key=lambda rule: rule.code)
}
"""The rules by code."""


@attrs.frozen
class Finding:
    """One thing wrong with an agreement: its rule, what, where (a target, or the agreement), what to do.

    A "warning" may be meant so; an "error" cannot.
    """

    code: str
    message: str
    where: str = attrs.field(kw_only=True)
    remedy: str = attrs.field(kw_only=True)
    severity: Literal["error", "warning"] = attrs.field(default="error", kw_only=True)

    def __str__(self) -> str:
        mark = "" if self.severity == "error" else f" ({self.severity})"
        return f"{self.code}{mark} {told(self.where)}: {self.message}; {self.remedy}"

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return attrs.asdict(self)


def lint(
    agreement: Agreement,
    lifecycle: Definition | None = None,
    *,
    others: Iterable[Agreement] = (),
    at: dt.datetime | None = None,
) -> tuple[Finding, ...]:
    """Everything that is wrong with an agreement, by code; empty if nothing is.

    With a `lifecycle`, its names are looked up and its paths followed. `others` are the agreements in use
    beside it; `at` is the day on which it has to be in force. An agreement that is too large is not looked
    at any further, and the lifecycle of a process it does not cover says nothing about it.
    """
    remedy = "make one: default_agreement(calendar)"
    reading = Reading(
        agreement=only(Agreement, agreement, "agreement", remedy),
        lifecycle=None
        if lifecycle is None
        else only(Definition, lifecycle, "lifecycle", "give the lifecycle itself, such as INCIDENT"),
        others=each(Agreement, others, "others", "give a list of agreements"),
        at=None if at is None else in_utc(at),
    )
    too_large = _findings(SIZE, reading)
    if too_large:
        return tuple(too_large)
    strange = _findings(PROCESS, reading) if lifecycle is not None else []
    if strange:
        reading = attrs.evolve(reading, lifecycle=None)
    rest = [rule for rule in (*CLOCK_RULES, *TERM_RULES) if reading.lifecycle or not rule.lifecycle]
    found = [*strange, *(finding for rule in rest for finding in _findings(rule, reading))]
    return tuple(sorted(found, key=lambda finding: finding.code))


def _findings(rule: Rule, reading: Reading) -> list[Finding]:
    severity: Literal["error", "warning"] = "warning" if rule.warning else "error"
    return [
        Finding(rule.code, message, where=where, remedy=remedy, severity=severity)
        for where, message, remedy in rule.look(reading)
    ]
