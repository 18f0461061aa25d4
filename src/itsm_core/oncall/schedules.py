"""Schedules: layers of rotations, what overrides them, and who is on call in the end.

Read from below: layers (the highest with anybody on call wins), then overrides in their order, then temporary
schedules, which replace everything while they last, also where they have nobody.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, TypeAlias

import attrs

from itsm_core.business_time.instants import in_utc, micros
from itsm_core.errors import InvalidValue
from itsm_core.oncall.given import Group, group_of
from itsm_core.oncall.rotations import Rotation
from itsm_core.oncall.windows import DutyWindow
from itsm_core.values import each, member, word


class Duty(NamedTuple):
    """One person on call, and what put them there: the name of a layer, "override" or "temporary"."""

    person: str
    source: str


Roster: TypeAlias = tuple[Duty, ...]
OVERRIDE, TEMPORARY = "override", "temporary"


class LayerMode(StrEnum):
    """Whom layers put on call together."""

    HIGHEST = "highest"
    """Those of the highest level with anybody; layers of one level together."""
    UNION = "union"
    """Those of all layers."""
    SINGLE = "single"
    """One person: the first of the last layer of the highest level with anybody."""


def _who(value: Rotation | str | Iterable[str]) -> Rotation | Group:
    return value if isinstance(value, Rotation) else group_of(value)


def _windows(value: DutyWindow | Iterable[DutyWindow]) -> tuple[DutyWindow, ...]:
    if isinstance(value, DutyWindow):
        return (value,)
    return each(DutyWindow, value, "windows", "give DutyWindow(...), or several in a list")


@attrs.frozen
class Layer:
    """A rotation, or people who always are on call, at a level of a schedule; 0 is the lowest usual one.

    With `windows` the layer counts only while one of them is active.
    """

    name: str
    who: Rotation | Group = attrs.field(converter=_who)
    level: int = attrs.field(default=0, kw_only=True)
    windows: tuple[DutyWindow, ...] = attrs.field(default=(), converter=_windows, kw_only=True)

    def __attrs_post_init__(self) -> None:
        word(self.name, "layer", 'name it, such as "nights"')
        if self.name in (OVERRIDE, TEMPORARY):
            raise InvalidValue(
                "layer", self.name, "is what segments call something else", "name it otherwise"
            )
        if type(self.level) is not int:
            raise InvalidValue("level", self.level, "is no whole number", "write level=1; the highest wins")

    def on_call(self, at: dt.datetime) -> Group:
        """Whom this layer puts on call at an instant."""
        if self.windows and not any(window.is_active(at) for window in self.windows):
            return ()
        return self.who.on_call(at) if isinstance(self.who, Rotation) else self.who


def _spanned(what: str, start: dt.datetime, end: dt.datetime) -> None:
    if micros(start, "start") >= micros(end, "end"):
        raise InvalidValue(
            what, start.isoformat(), f"does not end after it, at {end.isoformat()}", "say start < end"
        )


def _starts(value: dt.datetime) -> dt.datetime:
    return in_utc(value, "start")


def _ends(value: dt.datetime) -> dt.datetime:
    return in_utc(value, "end")


@attrs.frozen
class Override:
    """Somebody comes on, goes off, or takes another's place from `start` up to `end`, two instants.

    `add` alone joins those on call; `remove` alone leaves; with both, `add` is on call wherever `remove`
    would have been, and nowhere else.
    """

    start: dt.datetime = attrs.field(converter=_starts)
    end: dt.datetime = attrs.field(converter=_ends)
    add: str | None = attrs.field(default=None, kw_only=True)
    remove: str | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        _spanned("override", self.start, self.end)
        remedy = 'say add="cy", remove="ana", or both: cy in place of ana'
        for name in (self.add, self.remove):
            if name is not None:
                word(name, "override", remedy)
        if self.add == self.remove:
            raise InvalidValue("override", self.add, "changes nobody", remedy)

    def changed(self, roster: Roster) -> Roster:
        """Who is on call with it, where it holds."""
        people = [duty.person for duty in roster]
        new = (Duty(self.add, OVERRIDE),) if self.add is not None and self.add not in people else ()
        if self.remove is None:
            return (*roster, *new)
        if self.remove not in people:
            return roster
        place = people.index(self.remove)
        return (*roster[:place], *new, *roster[place + 1 :])


@attrs.frozen
class Assignment:
    """People who are on call from `start` up to `end`, two instants."""

    who: Group = attrs.field(converter=group_of)
    start: dt.datetime = attrs.field(converter=_starts)
    end: dt.datetime = attrs.field(converter=_ends)

    def __attrs_post_init__(self) -> None:
        _spanned("assignment", self.start, self.end)


def _assignments(value: Iterable[Assignment]) -> tuple[Assignment, ...]:
    return each(Assignment, value, "assignments", 'give [Assignment("cy", start, end)]')


@attrs.frozen
class TemporarySchedule:
    """From `start` up to `end` only these assignments hold; where there is none, nobody is on call."""

    start: dt.datetime = attrs.field(converter=_starts)
    end: dt.datetime = attrs.field(converter=_ends)
    assignments: tuple[Assignment, ...] = attrs.field(default=(), converter=_assignments, kw_only=True)

    def __attrs_post_init__(self) -> None:
        _spanned("temporary schedule", self.start, self.end)
        for one in self.assignments:
            if one.start < self.start or self.end < one.end:
                reason = f"reaches beyond its schedule, {self.start.isoformat()} to {self.end.isoformat()}"
                raise InvalidValue(
                    "assignment", one.start.isoformat(), reason, "cut it, or make the schedule longer"
                )


def _layers(value: Rotation | Iterable[Layer]) -> tuple[Layer, ...]:
    if isinstance(value, Rotation):
        return (Layer("rotation", value),)
    found = each(Layer, value, "layers", 'give [Layer("days", rotation)], or one rotation')
    names = [layer.name for layer in found]
    if doubles := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidValue(
            "layers", doubles, "share a name", "name each once: segments tell them apart by it"
        )
    if not found:
        raise InvalidValue("layers", value, "are none, so nobody would ever be on call", "give one")
    return found


def _overrides(value: Iterable[Override]) -> tuple[Override, ...]:
    return each(Override, value, "overrides", 'give [Override(start, end, add="cy")]')


def _temporaries(value: Iterable[TemporarySchedule]) -> tuple[TemporarySchedule, ...]:
    return each(TemporarySchedule, value, "temporaries", "give [TemporarySchedule(start, end)]")


def _mode(value: LayerMode | str) -> LayerMode:
    return member(LayerMode, value, "mode of layers")


@attrs.frozen
class Schedule:
    """Who is on call for one thing, such as a group or a service: layers, overrides, temporary schedules."""

    name: str
    layers: tuple[Layer, ...] = attrs.field(converter=_layers)
    overrides: tuple[Override, ...] = attrs.field(default=(), converter=_overrides, kw_only=True)
    temporaries: tuple[TemporarySchedule, ...] = attrs.field(default=(), converter=_temporaries, kw_only=True)
    mode: LayerMode = attrs.field(default=LayerMode.HIGHEST, converter=_mode, kw_only=True)

    def __attrs_post_init__(self) -> None:
        word(self.name, "schedule", 'name it, such as "network"')

    def on_call(self, at: dt.datetime) -> Group:
        """Who is on call at an instant; nobody is an empty tuple."""
        return tuple(duty.person for duty in self.roster(at))

    def roster(self, at: dt.datetime) -> Roster:
        """Who is on call at an instant, each with what put them there."""
        moment = in_utc(at)
        holding = [one for one in self.temporaries if one.start <= moment < one.end]
        if holding:
            given = (a for one in holding for a in one.assignments if a.start <= moment < a.end)
            return _once(Duty(person, TEMPORARY) for a in given for person in a.who)
        roster = self._by_layers(moment)
        for override in self.overrides:
            if override.start <= moment < override.end:
                roster = override.changed(roster)
        return roster

    def _by_layers(self, at: dt.datetime) -> Roster:
        if self.mode is LayerMode.UNION:
            return _once(Duty(person, layer.name) for layer in self.layers for person in layer.on_call(at))
        top = 0
        found: list[tuple[str, Group]] = []
        for layer in self.layers:
            if (not found or layer.level >= top) and (people := layer.on_call(at)):
                found = [*(found if layer.level == top else ()), (layer.name, people)]
                top = layer.level
        if self.mode is LayerMode.SINGLE:
            return tuple(Duty(people[0], name) for name, people in found[-1:])
        return _once(Duty(person, name) for name, people in found for person in people)


def _once(duties: Iterable[Duty]) -> Roster:
    """Each person once, with the first that put them there."""
    found: dict[str, Duty] = {}
    for duty in duties:
        found.setdefault(duty.person, duty)
    return tuple(found.values())


def swap(
    one: str, span: tuple[dt.datetime, dt.datetime], other: str, other_span: tuple[dt.datetime, dt.datetime]
) -> tuple[Override, Override]:
    """The overrides by which people swap: `other` is on call for `one` in `span`, and the other way round."""
    mine = Override(*span, add=other, remove=one)
    theirs = Override(*other_span, add=one, remove=other)
    if mine.start < theirs.end and theirs.start < mine.end:
        remedy = "swap times that lie apart, or say Override(start, end, add=..., remove=...)"
        raise InvalidValue("swap", mine.start.isoformat(), "overlaps what it is swapped for", remedy)
    return mine, theirs
