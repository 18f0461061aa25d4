"""Whether a lifecycle is sound, and given people can run it, as one assertion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.soundness import RULES, Finding, check
from itsm_core.lifecycle.staffing import ABOUT_STAFF, dead_ends


def assert_sound(
    lifecycle: Definition,
    staff: Mapping[str, Iterable[str]] | None = None,
    *,
    waived: Iterable[tuple[str, str]] = (),
    openers: Iterable[str] | None = None,
    strict: bool = False,
) -> None:
    """Fails with every finding if a lifecycle cannot work, or these people cannot run it.

    `staff` maps each person to their roles; `waived` and `openers` are those of `dead_ends`. A warning
    fails only if it is asked for (`strict`).
    """
    found = list(check(lifecycle))
    if staff is not None and not _failing(found, strict=False):
        found += dead_ends(lifecycle, staff, waived=waived, openers=openers)
    failing = _failing(found, strict=strict)
    if failing:
        head = f"{lifecycle.id} {lifecycle.version} is not sound"
        raise AssertionError("\n".join([f"{head}:", *map(_line, failing)]))


def _failing(findings: Iterable[Finding], *, strict: bool) -> list[Finding]:
    return [finding for finding in findings if strict or finding.severity == "error"]


def _line(finding: Finding) -> str:
    return f"  {finding}\n      rule: {_ASKS[finding.code]}"


_ASKS = {**{code: rule.asks for code, rule in RULES.items()}, **ABOUT_STAFF}
