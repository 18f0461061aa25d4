"""The agreement that `itsm init-agreement` writes: targets as they are customary, to be edited."""

from __future__ import annotations

from importlib.resources import files

from itsm_core.business_time.instants import zone_like

FILE = "customary.toml"


def customary_agreement(zone: str = "UTC") -> str:
    """The text of an agreement file with customary targets, commented, its calendars in a zone.

    Its figures are conventions of the field: ISO/IEC 20000-1 sets none and asks that yours be agreed.
    """
    text = files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    return text.replace('zone = "UTC"', f'zone = "{zone_like(zone).key}"')
