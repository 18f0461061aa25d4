"""`OnCall`: the answer to "on_call:network" in the step of a policy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TypeAlias

import attrs

from itsm_core.errors import InvalidValue
from itsm_core.oncall.final import Segment, gaps
from itsm_core.oncall.rotations import Rotation
from itsm_core.oncall.schedules import Schedule
from itsm_core.records import Record
from itsm_core.values import word

Names: TypeAlias = Callable[[str, Record, dt.datetime], tuple[str, ...]]
"""What escalation calls a `Resolver`: it turns the name in a step into people when the step fires."""

PREFIX = "on_call:"


def _by_name(value: Mapping[str, Schedule | Rotation]) -> dict[str, Schedule | Rotation]:
    remedy = 'give {"network": Schedule("network", layers)}'
    if not isinstance(value, Mapping):
        raise InvalidValue("schedules", value, "are no mapping of names", remedy)
    for name, schedule in value.items():
        word(name, "schedules", remedy)
        if not isinstance(schedule, Schedule | Rotation):
            raise InvalidValue("schedules", name, "names no schedule and no rotation", remedy)
    return dict(value)


@attrs.frozen
class OnCall:
    """A resolver: "on_call:network" becomes who is on call in that schedule when the step fires.

    Any other name is put to `otherwise`, which by default takes it for that of a person. A schedule that is
    not there has nobody on call, as one with a gap: the step goes to the last resort, and no tick fails.
    `unknown(name)` tells the two apart beforehand.
    """

    schedules: Mapping[str, Schedule | Rotation] = attrs.field(converter=_by_name)
    otherwise: Names | None = attrs.field(default=None, kw_only=True)

    def __call__(self, name: str, record: Record, at: dt.datetime) -> tuple[str, ...]:
        if name.startswith(PREFIX):
            schedule = self.schedules.get(name.removeprefix(PREFIX))
            return () if schedule is None else schedule.on_call(at)
        return (name,) if self.otherwise is None else self.otherwise(name, record, at)

    @property
    def names(self) -> tuple[str, ...]:
        """The names by which steps may ask for the schedules."""
        return tuple(PREFIX + name for name in self.schedules)

    def gaps(self, start: dt.datetime, end: dt.datetime) -> dict[str, tuple[Segment, ...]]:
        """The times without anybody, by the name in a step; only of schedules that have some."""
        found = {PREFIX + name: gaps(one, start, end) for name, one in self.schedules.items()}
        return {name: holes for name, holes in found.items() if holes}

    def unknown(self, name: str) -> bool:
        """Whether a name asks for a schedule that is not there."""
        return name.startswith(PREFIX) and name.removeprefix(PREFIX) not in self.schedules
