"""Versions side by side, and the plan that moves stored records from one to another.

A record stays on its version until a plan moves it, by an event of its own: what happened before
keeps the states of the version under which it happened, and clocks count on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from itsm_core.actors import Actor
from itsm_core.business_time.instants import in_utc
from itsm_core.errors import InvalidValue, Reason, TransitionRefused, UnsoundLifecycle
from itsm_core.events import SCHEMA, Event, personal_among
from itsm_core.lifecycle.deriving import Derivation
from itsm_core.lifecycle.lifecycle import Lifecycle
from itsm_core.lifecycle.reasons import lifecycle_reasons
from itsm_core.lifecycle.rewriting import chosen, meaning_differs, near, phase_differs
from itsm_core.lifecycle.soundness import Finding
from itsm_core.records import Record
from itsm_core.values import NO_FIELDS, Fields, as_fields, each, only


def _all(value: Iterable[Lifecycle]) -> tuple[Lifecycle, ...]:
    found: dict[tuple[str, int], Lifecycle] = {}
    for one in each(Lifecycle, value, "lifecycles", "give a list: (INCIDENT, PROBLEM)"):
        other = found.setdefault((one.id, one.version), one)
        if other.fingerprint != one.fingerprint:
            reason = "is given twice with different rules"
            remedy = f"versions are never reused; make the newer one version {one.version + 1}"
            raise InvalidValue("lifecycle", f"{one.id} {one.version}", reason, remedy)
        found[one.id, one.version] = one  # the same rules in other words: the later words
    return tuple(found.values())


@attrs.frozen
class Lifecycles:
    """Lifecycles by id and version, old versions beside new ones.

    Two of one id and version with different rules are refused; of two that differ in words alone the
    later counts.
    """

    all: tuple[Lifecycle, ...] = attrs.field(converter=_all)

    def __iter__(self) -> Iterator[Lifecycle]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    def get(self, id: str, version: int | None = None) -> Lifecycle:
        """The lifecycle of an id at a version, by default its newest."""
        found = [one for one in self.all if one.id == id and version in (None, one.version)]
        if not found:
            name = id if version is None else f"{id} {version}"
            known = [one.id if version is None else f"{one.id} {one.version}" for one in self.all]
            chosen(name, known, "lifecycle", "is not known here")
        return max(found, key=lambda one: one.version)

    def of(self, record: Record) -> Lifecycle:
        """The lifecycle that rules a record, at the record's version."""
        return self.get(record.lifecycle, record.lifecycle_version)


def _mapped(value: Mapping[str, str | None]) -> Fields:
    remedy = 'write {"triaged": "new"}; None where records stay'
    if not isinstance(value, Mapping):
        raise InvalidValue("states", value, "are no mapping", remedy)
    for name in (name for pair in value.items() for name in pair):
        if name is not None:
            only(str, name, "state", remedy)
    return as_fields(value)


@attrs.frozen
class MigrationPlan:
    """How records of one lifecycle go on under another: a state of the new one for each of the old.

    States of the same id stay what they are. `states` maps the others; None says that records in
    that state stay on their version until they have left it.
    """

    source: Lifecycle
    target: Lifecycle
    states: Mapping[str, str | None] = attrs.field(default=NO_FIELDS, converter=_mapped, kw_only=True)

    def __attrs_post_init__(self) -> None:
        for one in (self.source, self.target):
            only(Lifecycle, one, "migration", "give the two lifecycles")
        if (self.source.id, self.source.version) == (self.target.id, self.target.version):
            name = f"{self.source.id} {self.source.version}"
            raise InvalidValue("migration", name, "leads to itself", "give the target another version")

    @classmethod
    def of(cls, derivation: Derivation[Lifecycle]) -> MigrationPlan:
        """The plan that follows a derivation: its removed states lead where it said."""
        return cls(derivation.parent, derivation.build(), states=derivation.into)

    def place(self, state: str) -> str | None:
        """Where a record in this state of the source goes; None if it stays."""
        return self.states.get(state, state)

    def check(self) -> tuple[Finding, ...]:
        """Everything that is wrong with the plan: codes M001 to M005; empty if it can be carried out."""
        return tuple(Finding(code, said, where) for code, where, said in _findings(self))

    def apply(
        self,
        record: Record,
        *,
        actor: Actor,
        at: dt.datetime,
        id: str | None = None,
        reason: str | None = None,
    ) -> Event:
        """The event that moves a record, of kind "migrated"; its clocks read the same before and after.

        Raises `UnsoundLifecycle` if the plan has findings, `TransitionRefused` if the record runs on
        another lifecycle, stays where it is, or changed after `at`.
        """
        only(Actor, actor, "actor", 'say who migrates: Actor.person("ana")')
        at = in_utc(at, "at")
        findings = self.check()
        if findings:
            raise UnsoundLifecycle(f"migration {self}", [Reason(one.code, str(one)) for one in findings])
        reasons = self._reasons(record, at)
        if reasons:
            raise TransitionRefused(f"migration of {record.id}", reasons)
        seq = record.version + 1
        held = {**_as_it_is(record), "from_lifecycle": self.source.id, "reason": reason}
        held["from_lifecycle_version"] = self.source.version
        fields = {name: value for name, value in held.items() if value is not None}
        return Event(
            id=id or f"{record.id}/{seq}",
            record=record.id,
            seq=seq,
            kind="migrated",
            schema=SCHEMA,
            occurred_at=at,
            recorded_at=at,
            actor=actor,
            lifecycle=self.target.id,
            lifecycle_version=self.target.version,
            from_state=record.state,
            to_state=self.place(record.state),
            fields=fields,
            personal=personal_among(fields),
            tenant=record.tenant,
        )

    def __str__(self) -> str:
        source, target = self.source, self.target
        return f"{source.id} {source.version} to {target.id} {target.version}"

    def _reasons(self, record: Record, at: dt.datetime) -> list[Reason]:
        """Why this record cannot be moved now."""
        found = lifecycle_reasons(record, self.source)
        name = f"{self.source.id} {self.source.version}"
        if record.state not in self.source.by_id:
            found.append(
                Reason("unknown_state", f"{record.state} is no state of {name}; mend the record first")
            )
        elif self.place(record.state) is None:
            said = f"records in {record.state} stay on {name}; move it when it has left that state"
            found.append(Reason("stays", said, facts={"state": record.state}))
        if record.changed_at is not None and at < record.changed_at:
            said = f"{at.isoformat()} lies before the record last changed ({record.changed_at.isoformat()})"
            found.append(Reason("out_of_order", f"{said}; migrate it later"))
        return found


def _as_it_is(record: Record) -> dict[str, Any]:
    """What clocks read of a record, which a migration leaves alone."""
    return {"phase": record.phase, "waits_on": record.waits_on, "outcome": record.outcome}


def _findings(plan: MigrationPlan) -> Iterator[tuple[str, str, str]]:
    old, new, named = plan.source.by_id, plan.target.by_id, plan.states
    if plan.source.process != plan.target.process:
        said = f"is of process {plan.target.process}, not {plan.source.process}; re-type records instead"
        yield "M005", plan.target.id, said
    for name in (name for name in named if name not in old):
        yield "M004", name, _unknown(name, old, plan.source)
    for name, state in old.items():
        place = plan.place(name)
        if place is None:
            continue
        if place not in new:
            code = "M004" if name in named else "M001"
            yield code, name, _unknown(place, new, plan.target) if name in named else _homeless(name, plan)
        elif phase_differs(state, new[place]):
            yield "M002", name, f"goes to {place}, which {phase_differs(state, new[place])}"
        elif meaning_differs(state, new[place]):
            yield "M003", name, f"goes to {place}, which {meaning_differs(state, new[place])}"


def _homeless(name: str, plan: MigrationPlan) -> str:
    target = f"{plan.target.id} {plan.target.version}"
    return f"has no place in {target}: map it, states={{{name!r}: ...}}, or to None if its records stay"


def _unknown(name: str, known: Iterable[str], lifecycle: Lifecycle) -> str:
    return f"{name!r} is no state of {lifecycle.id} {lifecycle.version}; {near(name, list(known))}"
