"""What a desk is asked about major incidents: `desk.major`, the same for both desks.

    desk.major.accept("INC-1", manager="mona", actor=mona, at=now)
    await desk.major.move("INC-1", "restoration", "repairing", actor=ana, at=now)

Each is a command and goes through the one door. `ServiceDesk` answers the record, `AsyncServiceDesk`
something that is awaited for it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, Generic, TypeVar, Unpack

from itsm_core.commands import Asked
from itsm_core.processes.major import MajorRules
from itsm_core.records import Procedure, Record
from itsm_core.values import only

R = TypeVar("R")
Answered = Generator[Any, Any, Record]


class Majors(Generic[R]):
    """The commands about the major incident beside a record's state (ISO/IEC 20000-1, 8.6.1)."""

    def __init__(
        self,
        carry: Callable[[str, str, Mapping[str, Any], Asked], Answered],
        run: Callable[[Answered], R],
        rules: MajorRules,
    ) -> None:
        self._carry, self._run, self._rules = carry, run, rules

    def declare(
        self,
        record_id: str,
        *,
        reason: str,
        services: Iterable[str] | None = None,
        users: int | None = None,
        **asked: Unpack[Asked],
    ) -> R:
        """Proposes an open incident as major; `services` and `users` are those affected."""
        return self._asked(record_id, "declare_major", {"reason": reason, **_extent(services, users)}, asked)

    def accept(
        self,
        record_id: str,
        *,
        manager: str,
        procedure: Procedure | None = None,
        services: Iterable[str] | None = None,
        users: int | None = None,
        **asked: Unpack[Asked],
    ) -> R:
        """Accepts it under a procedure (None: the desk's) with the one `manager` who is responsible."""
        remedy = "take PROCEDURE, or make one: Procedure(...)"
        followed = only(Procedure, procedure or self._rules.procedure, "procedure", remedy)
        fields = {"major_manager": manager, "procedure": followed.to_dict(), **_extent(services, users)}
        return self._asked(record_id, "accept_major", fields, asked)

    def reject(self, record_id: str, *, reason: str, **asked: Unpack[Asked]) -> R:
        """Says that what was proposed is no major incident, and why."""
        return self._asked(record_id, "reject_major", {"reason": reason}, asked)

    def cancel(self, record_id: str, *, reason: str, **asked: Unpack[Asked]) -> R:
        """Downgrades it: it goes on as any other incident, for a reason; its state is left alone."""
        return self._asked(record_id, "cancel_major", {"reason": reason}, asked)

    def assess(
        self,
        record_id: str,
        *,
        services: Iterable[str] | None = None,
        users: int | None = None,
        **asked: Unpack[Asked],
    ) -> R:
        """Says which services and how many users are affected from now on."""
        return self._asked(record_id, "assess_major", _extent(services, users), asked)

    def assume(self, record_id: str, role: str, *, held_by: str, **asked: Unpack[Asked]) -> R:
        """Gives a part to somebody; whoever held it alone hands it over by that, the "manager" too."""
        return self._asked(record_id, "assume_role", {"major_role": role, "held_by": held_by}, asked)

    def renounce(self, record_id: str, role: str, *, held_by: str | None = None, **asked: Unpack[Asked]) -> R:
        """Lays a part down; say whose it was where several hold it."""
        return self._asked(record_id, "renounce_role", {"major_role": role, "held_by": held_by}, asked)

    def move(self, record_id: str, track: str, step: str, **asked: Unpack[Asked]) -> R:
        """Takes a track on to a step that follows the one it is in."""
        return self._asked(record_id, "move_track", {"track": track, "track_step": step}, asked)

    def invoke_plan(self, record_id: str, plan: str, version: str, **asked: Unpack[Asked]) -> R:
        """Puts a version of a continuity plan into effect (8.7.2)."""
        fields = {"continuity_plan": plan, "plan_version": version}
        return self._asked(record_id, "invoke_continuity_plan", fields, asked)

    def report(self, record_id: str, document: str, **asked: Unpack[Asked]) -> R:
        """Says where the report of the resolved major incident lies."""
        return self._asked(record_id, "report_major", {"document": document}, asked)

    def review(self, record_id: str, document: str, **asked: Unpack[Asked]) -> R:
        """Says where the review of the resolved major incident lies."""
        return self._asked(record_id, "review_major", {"document": document}, asked)

    def _asked(self, record_id: str, trigger: str, fields: Mapping[str, Any], asked: Asked) -> R:
        known = {name: value for name, value in fields.items() if value is not None}
        return self._run(self._carry(record_id, trigger, known, asked))


def _extent(services: Iterable[str] | None, users: int | None) -> dict[str, Any]:
    named = None if services is None else (services,) if isinstance(services, str) else tuple(services)
    return {"affected_services": named, "affected_users": users}
