"""The procedure of a major incident: its tracks, its roles, and how often top management hears.

It is data with a version, and a record keeps the one it was accepted under (ISO/IEC 20000-1, 8.6.1:
major incidents are handled by a documented procedure).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

import attrs

from itsm_core.business_time.durations import Budget, Duration, parse
from itsm_core.errors import InvalidValue
from itsm_core.priority import Priority
from itsm_core.values import counted, each, from_dict, named, texts, to_dict

T = TypeVar("T")

MANAGER = "manager"
"""The role of who is responsible for a major incident: every procedure has it, one person holds it."""


def _to(value: Iterable[str] | str) -> tuple[str, ...]:
    return texts(value, "to", 'name the steps that may follow: ("verifying", "diagnosing")') if value else ()


@attrs.frozen
class TrackStep:
    """A step of a track: which steps may follow it, and whether the track may end in it."""

    id: str
    to: tuple[str, ...] = attrs.field(default=(), converter=_to)
    ends: bool = attrs.field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        named(self.id, "step", 'name it, such as "diagnosing"')
        if type(self.ends) is not bool:
            raise InvalidValue(
                "ends", self.ends, "is neither True nor False", "say whether the track may end"
            )


_STEPS = 'list them: (TrackStep("diagnosing", "restored"), TrackStep("restored", ends=True))'


def _steps(value: Iterable[TrackStep]) -> tuple[TrackStep, ...]:
    return each(TrackStep, value, "steps", _STEPS)


@attrs.frozen
class Track:
    """One line of work of a major incident; it begins at its first step and runs beside the others."""

    id: str
    steps: tuple[TrackStep, ...] = attrs.field(converter=_steps)

    def __attrs_post_init__(self) -> None:
        named(self.id, "track", 'name it, such as "restoration"')
        if not self.steps:
            raise InvalidValue("track", self.id, "has no steps", _STEPS)
        _once([step.id for step in self.steps], f"step of {self.id}")
        known = {step.id: step for step in self.steps}
        for step in self.steps:
            for other in step.to:
                if other not in known:
                    raise InvalidValue(
                        "step", other, f"is none of {self.id}", f"use one of {', '.join(known)}"
                    )
        stuck = sorted(known.keys() - _ending(self.steps))
        if stuck:
            remedy = "let another step follow, or say ends=True"
            raise InvalidValue("track", self.id, f"never ends from {', '.join(stuck)} on", remedy)

    def step(self, id: str) -> TrackStep:
        """The step with this id; an unknown one is refused with the known ones."""
        return _one_of({step.id: step for step in self.steps}, id, "track_step", f"is no step of {self.id}")


def _ending(steps: Iterable[TrackStep]) -> set[str]:
    """The steps from which the end can be reached."""
    rows = tuple(steps)
    good = {step.id for step in rows if step.ends}
    while more := {step.id for step in rows if good.intersection(step.to)} - good:
        good |= more
    return good


@attrs.frozen
class MajorRole:
    """A part that somebody plays in a major incident; of a `single` one there is one holder at a time."""

    id: str
    single: bool = attrs.field(default=True, kw_only=True)

    def __attrs_post_init__(self) -> None:
        named(self.id, "role", 'name it, such as "communications_lead"')
        if type(self.single) is not bool:
            remedy = "say whether one person holds it at a time"
            raise InvalidValue("single", self.single, "is neither True nor False", remedy)


_ROLES = 'list them: (MajorRole("scribe"), MajorRole("liaison", single=False))'
_TRACKS = 'list them: (Track("restoration", [...]),)'
_CADENCE = 'say it by priority: {"P1": minutes(30), "P2": hours(1)}'


def _roles(value: Iterable[MajorRole]) -> tuple[MajorRole, ...]:
    return each(MajorRole, value, "roles", _ROLES)


def _tracks(value: Iterable[Track]) -> tuple[Track, ...]:
    return each(Track, value, "tracks", _TRACKS)


def _cadence(value: Mapping[Any, Any] | Iterable[tuple[Any, Any]]) -> tuple[tuple[Priority, int], ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidValue("cadence", value, "is no mapping", _CADENCE)
    pairs = tuple(value.items() if isinstance(value, Mapping) else value)
    if not pairs or not all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs):
        raise InvalidValue("cadence", value, "names no priority" if not pairs else "is no mapping", _CADENCE)
    found = {Priority.of(priority): _every(every) for priority, every in pairs}
    return tuple(sorted(found.items()))


def _every(value: Any) -> int:
    """Microseconds of wall time between two words."""
    us = value.us if isinstance(value, Budget) else value
    if type(us) is not int or not 1 <= us < 2**53:  # RFC 8785: larger ones cannot be stored
        raise InvalidValue("cadence", value, "is no time between two words", _CADENCE)
    return us


def _within(value: Duration | str | None) -> str | None:
    """A duration as the text that is stored."""
    return None if value is None else str(parse(str(value)))


@attrs.frozen
class Procedure:
    """How a major incident is handled: by which tracks and roles, and how often top management hears.

    `cadence` is wall time by priority; a priority it does not name has that of the next more urgent one
    it names, and a record without a priority the most frequent. The role `MANAGER` need not be listed.
    `report_within` and `review_within` say how long after the last track has ended each is owed, on the
    desk's calendar: "3 business days", or "4h" of open time. Left out, neither is ever overdue.
    """

    id: str
    version: int
    tracks: tuple[Track, ...] = attrs.field(converter=_tracks, kw_only=True)
    roles: tuple[MajorRole, ...] = attrs.field(default=(), converter=_roles, kw_only=True)
    cadence: tuple[tuple[Priority, int], ...] = attrs.field(converter=_cadence, kw_only=True)
    report_within: str | None = attrs.field(default=None, converter=_within, kw_only=True)
    review_within: str | None = attrs.field(default=None, converter=_within, kw_only=True)

    def __attrs_post_init__(self) -> None:
        named(self.id, "procedure", 'name it, such as "major-incidents"')
        counted(self.version, "procedure")
        if not self.tracks:
            raise InvalidValue("procedure", self.id, "has no tracks", _TRACKS)
        _once([track.id for track in self.tracks], "track")
        roles = [role.id for role in self.roles]
        if MANAGER in roles:
            raise InvalidValue("role", MANAGER, "is there twice", "leave it out: every procedure has it")
        _once(roles, "role")

    @property
    def label(self) -> str:
        """Id and version, as people quote it."""
        return f"{self.id} {self.version}"

    def track(self, id: str) -> Track:
        """The track with this id; an unknown one is refused with the known ones."""
        return _one_of({track.id: track for track in self.tracks}, id, "track", f"is none of {self.label}")

    def role(self, id: str) -> MajorRole:
        """The role with this id; an unknown one is refused with the known ones."""
        known = {role.id: role for role in (MajorRole(MANAGER), *self.roles)}
        return _one_of(known, id, "major_role", f"is none of {self.label}")

    def every(self, priority: Priority | None) -> int:
        """Microseconds of wall time within which top management hears again."""
        fit = [us for other, us in self.cadence if priority is not None and other <= priority]
        return fit[-1] if fit else min(us for _, us in self.cadence)

    def within(self, paper: str) -> Duration | None:
        """How long after the last track has ended the "report" or the "review" is owed; None if never."""
        told = self.report_within if paper == "report" else self.review_within
        return None if told is None else parse(told)

    def to_dict(self) -> dict[str, Any]:
        """The procedure as plain data, as `accept_major` takes it."""
        return to_dict(self)

    @classmethod
    def of(cls, plain: Any) -> Procedure:
        """The procedure of plain data; whatever is none is refused with what is wrong."""
        remedy = "give Procedure(...).to_dict()"
        if not isinstance(plain, Mapping):
            raise InvalidValue("procedure", plain, "is no mapping", remedy)
        try:
            return from_dict(cls, plain)
        except InvalidValue as wrong:
            raise InvalidValue("procedure", plain.get("id"), str(wrong), remedy) from None
        except (AttributeError, TypeError, ValueError):
            raise InvalidValue("procedure", plain.get("id"), "has parts of another shape", remedy) from None


def _once(names: list[str], what: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InvalidValue(what, name, "is there twice", "name each once")


def _one_of(known: Mapping[str, T], id: Any, what: str, reason: str) -> T:
    if isinstance(id, str) and id in known:
        return known[id]
    near = get_close_matches(str(id), known, 1)
    remedy = f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"
    raise InvalidValue(what, id, reason, remedy)
