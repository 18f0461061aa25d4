"""Schedules of who is on call, as TOML: `load_schedules(path)`.

Times of rotations are local, such as 2026-01-05T09:00:00; those of overrides say their offset, such as
2026-02-02T08:00:00+08:00. Nothing is evaluated, and what is wrong is refused with file, key and remedy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from itsm_core.config.reading import Place, in_words_of_the_file, read_file, read_toml, spoken
from itsm_core.errors import InvalidValue
from itsm_core.oncall import Schedule, schedule_from_dict

MOST_SCHEDULES = 1000
"""The most schedules of one file."""

_WHOLE, _KEY = "file of schedules", "schedules"

# fmt: off
_SPOKEN = spoken(
    (r"without a zone: dt\.datetime\(.+?\);", "without a zone: 2026-01-05T09:00:00;"),
    (r"make it aware: .*", "write its offset, too: 2026-02-02T08:00:00+08:00"),
    (r'participants=\("ana", "ben"\);', 'participants = ["ana", "ben"];'),
    (r"are a tuple in it", "are a list in it"),
    (r'days="mon-fri", days=\("sat".*', 'days = "mon-fri" or days = ["sat", "sun"]'),
    (r"duration=hours\(12\) or dt\.timedelta\(hours=12\)", 'duration = "12h"'),
    (r"duration=hours\(n\)", 'duration = "12h"'),
    (r"anchor=\(dt\.datetime\(.+?\), 1\)", "anchor = { at = 2026-03-02T09:00:00, index = 1 }"),
    (r"\b(\w+)=(?=[\"1-9])", r"\1 = "),
)
# fmt: on


def load_schedules(path: str | Path) -> dict[str, Schedule]:
    """The schedules of a TOML file by their names; raises `InvalidInput` with file, key and remedy."""
    return _schedules(*read_file(path, _WHOLE))


def schedules_from_toml(text: str | bytes) -> dict[str, Schedule]:
    """The schedules of a TOML text by their names."""
    if not isinstance(text, str | bytes):
        remedy = "give the TOML itself, or load_schedules"
        raise InvalidValue(_KEY, type(text).__name__, "is no text", remedy)
    place = Place("", "", _WHOLE)
    return _schedules(place, read_toml(place, text))


def _schedules(place: Place, held: dict[str, Any]) -> dict[str, Schedule]:
    place.only(held, (_KEY,))
    place.need(held, (_KEY,))
    within = place.at(_KEY)
    tables = within.table(held[_KEY], "write [schedules.network]")
    within.at_most(MOST_SCHEDULES, tables, "files")
    return in_words_of_the_file(
        lambda: {name: _schedule(within.at(name), name, value) for name, value in tables.items()}, _SPOKEN
    )


def _schedule(place: Place, name: str, value: Any) -> Schedule:
    table = {"name": name, **place.table(value)}
    return place.made(lambda: schedule_from_dict(table))
