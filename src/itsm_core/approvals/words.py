"""The words of a tally: instants, names and counts as people read them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

_SHOWN = 3


def moment(at: dt.datetime | None) -> str:
    """An instant in UTC, to the minute or as fine as it is; nothing for none."""
    if at is None:
        return ""
    whole = not (at.second or at.microsecond)
    return at.replace(tzinfo=None).isoformat(" ", "minutes" if whole else "auto") + " UTC"


def some(names: Sequence[str]) -> str:
    """The first names and how many more; what cannot be printed is escaped."""
    shown = [plain(name) for name in names[:_SHOWN]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def plain(name: str) -> str:
    """The name, escaped where it would do more than be read, such as break the line."""
    return name if name.isprintable() else ascii(name)


def votes(approvals: int, needed: int, refusals: int, abstentions: int) -> str:
    """How many said what: "2 of 3 yes, 1 no", of the yes that it takes."""
    parts = [f"{approvals} of {needed} yes"]
    parts += [f"{refusals} no"] if refusals else []
    parts += [f"{abstentions} abstained"] if abstentions else []
    return ", ".join(parts)
