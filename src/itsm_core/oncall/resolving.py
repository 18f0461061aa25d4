"""`OnCall`: the answer to "on_call:network" in the step of a policy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import attrs

from itsm_core.business_time.instants import in_utc, later
from itsm_core.errors import InvalidValue
from itsm_core.oncall.final import Segment, gaps, segments
from itsm_core.oncall.rotations import Rotation
from itsm_core.oncall.schedules import Schedule
from itsm_core.records import Record
from itsm_core.responders import ON_CALL, asks
from itsm_core.values import word

Names: TypeAlias = Callable[[str, Record, dt.datetime], tuple[str, ...]]
"""What escalation calls a `Resolver`: it turns the name in a step into people when the step fires."""

AHEAD = dt.timedelta(days=366)
"""How far ahead changes of shift are looked for."""


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

    Any other name is put to `otherwise`; without it a bare word is a person's, and "role:lead" is nobody. A
    schedule that is not there has nobody on call, as one with a gap: the step goes to the last resort, and
    no tick fails. `unknown(name)` tells the two apart beforehand, and a desk refuses a policy that names
    what is unknown.
    """

    schedules: Mapping[str, Schedule | Rotation] = attrs.field(converter=_by_name)
    otherwise: Names | None = attrs.field(default=None, kw_only=True)

    def __call__(self, name: str, record: Record, at: dt.datetime) -> tuple[str, ...]:
        if name.startswith(ON_CALL):
            schedule = self.schedules.get(name.removeprefix(ON_CALL))
            return () if schedule is None else schedule.on_call(at)
        if self.otherwise is not None:
            return self.otherwise(name, record, at)
        return () if asks(name) else (name,)

    @property
    def names(self) -> tuple[str, ...]:
        """The names by which steps may ask for the schedules."""
        return tuple(ON_CALL + name for name in self.schedules)

    def gaps(self, start: dt.datetime, end: dt.datetime) -> dict[str, tuple[Segment, ...]]:
        """The times without anybody, by the name in a step; only of schedules that have some."""
        found = {ON_CALL + name: gaps(one, start, end) for name, one in self.schedules.items()}
        return {name: holes for name, holes in found.items() if holes}

    def shifts(self, name: str, since: dt.datetime) -> Iterator[tuple[dt.datetime, tuple[str, ...]]]:
        """Who answers to a name at `since`, and at each change in the year after it, in UTC.

        Nothing of a name that no schedule here has: who answers to it changes without a word.
        """
        if name.startswith(ON_CALL):
            schedule = self.schedules.get(name.removeprefix(ON_CALL))
            found = () if schedule is None else segments(schedule, in_utc(since), later(since, AHEAD))
            yield from ((one.start, one.on_call) for one in found)
        else:
            further = getattr(self.otherwise, "shifts", None)
            yield from further(name, since) if callable(further) else ()

    def unknown(self, name: str) -> bool:
        """Whether a name asks for a schedule that is not there, or for what nobody here knows."""
        if name.startswith(ON_CALL):
            return name.removeprefix(ON_CALL) not in self.schedules
        if self.otherwise is None:
            return asks(name)
        further = getattr(self.otherwise, "unknown", None)
        return callable(further) and bool(further(name))
