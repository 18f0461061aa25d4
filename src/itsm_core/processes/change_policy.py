"""The change policy of a desk: who authorises, which templates hold, when nothing is changed (8.5.1.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.lifecycle.definition import Definition
from itsm_core.lifecycle.guards import Guards
from itsm_core.processes.authority import AUTHORITIES, Authorities, Seats, authority_guard
from itsm_core.processes.change_windows import Blackout, blackout_guard
from itsm_core.processes.standard_changes import ChangeTemplate, template_guard
from itsm_core.values import each

K = TypeVar("K", bound=Definition)


def _authorities(value: Mapping[str, Iterable[Seats]]) -> Authorities:
    if not isinstance(value, Mapping):
        raise InvalidValue("authorities", value, "are no mapping", "write {**AUTHORITIES, ...}")
    missing = [level for level in AUTHORITIES if not value.get(level)]
    if missing:
        raise InvalidValue("authorities", sorted(value), f"lack {missing[0]}", "write {**AUTHORITIES, ...}")
    remedy = 'write (Seats("peer", ("peer",)),)'
    return {str(level): each(Seats, seats, f"authority {level}", remedy) for level, seats in value.items()}


def _templates(value: Iterable[ChangeTemplate]) -> tuple[ChangeTemplate, ...]:
    found = each(ChangeTemplate, value, "templates", "give a list of ChangeTemplate")
    names = [(template.id, template.version) for template in found]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise InvalidValue("template", f"{double[0]} {double[1]}", "is there twice", "give each version once")
    return found


def _blackouts(value: Iterable[Blackout]) -> tuple[Blackout, ...]:
    return each(Blackout, value, "blackouts", "give a list of Blackout")


@attrs.frozen(kw_only=True)
class ChangePolicy:
    """What a desk decided about its changes: authorities by level, templates, blackouts."""

    authorities: Authorities = attrs.field(default=AUTHORITIES, converter=_authorities, eq=str)
    templates: tuple[ChangeTemplate, ...] = attrs.field(default=(), converter=_templates)
    blackouts: tuple[Blackout, ...] = attrs.field(default=(), converter=_blackouts)

    def guards(self) -> Guards:
        """The guards that follow from it, by the names that lifecycles of changes use."""
        return {
            "authority_fits": authority_guard(self.authorities),
            "template_is_valid": template_guard(self.templates),
            "not_in_blackout": blackout_guard(self.blackouts),
        }


def governed(lifecycle: K, policy: ChangePolicy) -> K:
    """The same lifecycle under a policy: same states, same version, the policy's guards.

    Make it once per policy, not per command: `governed(CHANGE, ChangePolicy(templates=...))`.
    """
    return attrs.evolve(lifecycle, guards={**lifecycle.guards, **policy.guards()})
