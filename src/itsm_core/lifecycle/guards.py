"""Guards: named conditions of a lifecycle that look at a situation and say what is wrong with it.

A guard is a pure function of a `Situation`. It returns None where nothing is wrong, else a `Reason`
or the text of one. Definitions hold its name, never its code.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import attrs

from itsm_core.actors import Actor
from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.commands import Command
from itsm_core.errors import InvalidValue, Reason
from itsm_core.records import Record
from itsm_core.values import NO_FIELDS, Fields, texts


@attrs.frozen(kw_only=True)
class Situation:
    """What a guard looks at: a record, what is asked of it, by whom, for whom and when.

    `at` is None where nobody says when, as for buttons that are shown; `recorded_at` is when it becomes
    known, if that is later. `related` are the records that the host loaded beside it, such as its tasks.
    `calendar` counts business time.
    """

    record: Record
    actor: Actor
    trigger: str
    at: dt.datetime | None = None
    recorded_at: dt.datetime | None = None
    on_behalf_of: str | None = None
    fields: Fields = NO_FIELDS
    related: tuple[Record, ...] = ()
    calendar: BusinessCalendar | None = None

    @classmethod
    def of(
        cls,
        record: Record,
        command: Command,
        related: tuple[Record, ...] = (),
        calendar: BusinessCalendar | None = None,
    ) -> Situation:
        """The situation in which a command asks something of a record."""
        return cls(
            record=record,
            actor=command.actor,
            trigger=command.trigger,
            at=command.at,
            recorded_at=command.recorded_at,
            on_behalf_of=command.on_behalf_of,
            fields=command.fields,
            related=related,
            calendar=calendar,
        )

    def get(self, name: str) -> Any:
        """A field as the record would know it afterwards: as the command brings it, else as it is known."""
        return self.fields[name] if name in self.fields else self.record.values.get(name)


Guard: TypeAlias = Callable[[Situation], "Reason | str | None"]
Guards: TypeAlias = Mapping[str, Guard]


def _kinds(value: Iterable[str]) -> frozenset[str]:
    return frozenset(texts(value, "way", 'name the kinds that take it: {"normal"}'))


@attrs.frozen
class OfWay:
    """A guard that lets only records of these kinds pass, or (no kind) leads back whence they came.

    It asks the guard that it holds. Guards are no data, so this is how a lifecycle that several kinds
    share says which of them takes which step; `dead_ends` follows each kind by itself.
    """

    guard: Guard
    ways: frozenset[str] = attrs.field(converter=_kinds)

    def __call__(self, situation: Situation) -> Reason | str | None:
        """What the guard has to say."""
        return self.guard(situation)


def guard_reasons(names: Iterable[str], guards: Guards, situation: Situation) -> list[Reason]:
    """What these guards have to say against it."""
    return [reason for name in names if (reason := objection(name, guards, situation)) is not None]


def objection(name: str, guards: Guards, situation: Situation) -> Reason | None:
    """What one guard has to say against it; None if nothing."""
    guard = guards.get(name)
    if guard is None:
        raise InvalidValue(
            "guard", name, "is registered nowhere", f"give it to the lifecycle: guards={{{name!r}: ...}}"
        )
    found = guard(situation)
    if found is None or isinstance(found, Reason):
        return found
    if isinstance(found, str) and found:
        return Reason("guard", found, facts={"guard": name})
    raise InvalidValue(
        "guard", name, f"answered {found!r}", "return None where nothing is wrong, else a text or a Reason"
    )
