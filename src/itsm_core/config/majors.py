"""How a desk handles major incidents, read and written: what proposes one, and by which procedure it runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from itsm_core.business_time.durations import Budget, parse
from itsm_core.config.reading import (
    COUNT,
    FLAG,
    NAMES,
    TEXT,
    VERSION,
    Form,
    Place,
    Rows,
    bounded,
    in_words_of_the_file,
    one_of,
    read_file,
    read_toml,
    spoken,
)
from itsm_core.errors import InvalidValue
from itsm_core.escalation.triggers import Unit, wait_of
from itsm_core.lifecycle.rewriting import near
from itsm_core.priority import Priority
from itsm_core.processes.major import MajorCriteria, MajorCriterion, MajorRules
from itsm_core.records import MajorRole, Procedure, Track, TrackStep

MOST_CRITERIA, MOST_TRACKS, MOST_TRACK_STEPS, MOST_ROLES = 100, 20, 100, 100
"""The most criteria, tracks, steps of one track, and roles of a file."""

_WHOLE = "file about major incidents"
_CADENCE = 'write cadence = { P1 = "30m wall" }'


def _tables(
    place: Place, value: Any, most: int, kind: Rows, needed: tuple[str, ...], remedy: str
) -> list[Any]:
    """What the tables of a list say, each one at its row and with its id in what is refused."""
    rows = place.items(value, remedy)
    place.at_most(most, rows, "files")
    found = []
    for number, row in enumerate(rows, start=1):
        table = place.row(number).table(row, remedy)
        where = place.row(number, table.get("id"))
        where.only(table, kind.forms)
        where.need(table, needed)
        found.append(kind.read(where, table))
    return found


def _cadence(place: Place, value: Any) -> dict[str, int]:
    """Microseconds of wall time by priority."""
    if not place.table(value, _CADENCE):
        raise place.refusal({}, "names no priority", _CADENCE)
    return {name: _every(place, name, text) for name, text in value.items()}


def _every(place: Place, name: str, value: Any) -> int:
    if name not in list(Priority):
        raise place.refusal(name, "is no priority", near(name, list(Priority)))
    where = place.at(name)
    text = where.text(value)
    wait = where.made(lambda: wait_of(text))
    if wait.unit is not Unit.WALL or not isinstance(wait.duration, Budget):
        reason = "does not count day and night, and a major incident knows no closing hour"
        raise where.refusal(value, reason, 'write "30m wall"')
    return wait.duration.us


def _within(place: Place, value: Any) -> str:
    text = place.text(value)
    return place.made(lambda: str(parse(text)))


def _spoken(held: tuple[tuple[Priority, int], ...]) -> dict[str, str]:
    return {priority.value: f"{Budget(us)} wall" for priority, us in held}


# fmt: off
_WITHIN = Form(_within, str)
_CRITERION = Rows(MajorCriterion, {
    "id": TEXT, "priority": one_of(Priority), "users": COUNT, "children": COUNT, "services": NAMES,
    "security": FLAG,
})
_STEP = Rows(TrackStep, {"id": TEXT, "to": NAMES, "ends": FLAG})
_ROLE = Rows(MajorRole, {"id": TEXT, "single": FLAG})


def _steps(place: Place, value: Any) -> list[TrackStep]:
    return _tables(place, value, MOST_TRACK_STEPS, _STEP, ("id",), 'write [{ id = "open", to = ["done"] }]')


_TRACK = Rows(Track, {"id": TEXT, "steps": Form(_steps, lambda held: [_STEP.write(one) for one in held])})


def _tracks(place: Place, value: Any) -> list[Track]:
    return _tables(place, value, MOST_TRACKS, _TRACK, ("id", "steps"), "write [[procedure.tracks]]")


def _roles(place: Place, value: Any) -> list[MajorRole]:
    return _tables(place, value, MOST_ROLES, _ROLE, ("id",), "write [[procedure.roles]]")


def _criteria(place: Place, value: Any) -> list[MajorCriterion]:
    return _tables(place, value, MOST_CRITERIA, _CRITERION, ("id",), "write [[criteria.any_of]]")


_CRITERIA = Rows(MajorCriteria, {
    "id": TEXT, "version": VERSION,
    "any_of": Form(_criteria, lambda held: [_CRITERION.write(one) for one in held]),
})
_PROCEDURE = Rows(Procedure, {
    "id": TEXT, "version": VERSION,
    "tracks": Form(_tracks, lambda held: [_TRACK.write(one) for one in held]),
    "roles": Form(_roles, lambda held: [_ROLE.write(one) for one in held]),
    "cadence": Form(_cadence, _spoken), "report_within": _WITHIN, "review_within": _WITHIN,
})
_PARTS = {
    "procedure": (_PROCEDURE, ("id", "version", "tracks", "cadence")),
    "criteria": (_CRITERIA, ("id", "version", "any_of")),
}
_SPOKEN = spoken(
    (r"say ends=True", "say ends = true"),
    (r"say it by priority: .*", _CADENCE),
    (r"list them: \(TrackStep.*", 'write steps = [{ id = "restored", ends = true }]'),
    (r"list them: \(Track\(.*", "write [[procedure.tracks]]"),
    (r"list them: \(MajorCriterion.*", "write [[criteria.any_of]]"),
)
# fmt: on


def load_majors(path: str | Path) -> MajorRules:
    """How a TOML file says that major incidents are handled; raises `InvalidInput` with file, key, remedy.

    What it leaves out is as it ships: the customary procedure, and no criteria, so that only people propose.
    """
    return _rules(*read_file(path, _WHOLE))


def majors_from_dict(plain: Mapping[str, Any]) -> MajorRules:
    """The rules of plain values in the shape of the file, such as parsed JSON."""
    place = Place("", whole=_WHOLE)
    return _rules(place, bounded(place, plain))


def majors_from_toml(text: str | bytes) -> MajorRules:
    """The rules of a TOML text."""
    if not isinstance(text, str | bytes):
        raise InvalidValue(
            "majors", type(text).__name__, "is no text", "give the TOML itself, or load_majors"
        )
    place = Place("", whole=_WHOLE)
    return _rules(place, read_toml(place, text))


def majors_to_dict(rules: MajorRules) -> dict[str, Any]:
    """The rules as plain JSON values that `majors_from_dict` reads back to equal ones."""
    plain = {name: kind.write(held) for name, (kind, _) in _PARTS.items() if (held := getattr(rules, name))}
    return bounded(Place("", whole=_WHOLE), plain)


def _rules(place: Place, held: dict[str, Any]) -> MajorRules:
    return in_words_of_the_file(lambda: _made(place, held), _SPOKEN)


def _made(place: Place, held: dict[str, Any]) -> MajorRules:
    place.only(held, _PARTS)
    if not held:
        raise place.refusal([], "says nothing", "write [criteria], [procedure] or both")
    given = {name: _part(place.at(name), name, value) for name, value in held.items()}
    return MajorRules(**given)


def _part(place: Place, name: str, value: Any) -> Any:
    kind, needed = _PARTS[name]
    table = place.table(value)
    place.only(table, kind.forms)
    place.need(table, needed)
    return kind.read(place, table)
