"""Known errors: what follows from a problem, and is no state of it (ISO/IEC 20000-1, 8.6.3).

A problem is a known error while its cause or a way to reduce its impact is known and it is not
permanently fixed. Accepting the risk fixes nothing, so the known error stays and is found by those who
restore the service; a duplicate is known through the problem that it repeats.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import attrs

from itsm_core.events import Event, effective
from itsm_core.processes.moments import moment
from itsm_core.records import Record


@attrs.frozen
class Workaround:
    """A way to reduce the impact, as it was from an instant on; `text` None: it was withdrawn."""

    version: int
    text: str | None
    at: dt.datetime = attrs.field(kw_only=True)
    by: str = attrs.field(kw_only=True)


@attrs.frozen(kw_only=True)
class KnownError:
    """What others need to know of a problem that is not permanently fixed.

    `published_to` are the audiences that can read it, `reviewed_at` when somebody last looked whether
    it still holds.
    """

    problem: str
    causes: tuple[str, ...] = ()
    workaround: str | None = None
    published_to: tuple[str, ...] = ()
    reviewed_at: dt.datetime | None = None

    @property
    def is_published(self) -> bool:
        """Whether anybody else can read it (PRB-11, PRB-12)."""
        return bool(self.published_to)

    @property
    def lacks_workaround(self) -> bool:
        """Whether the cause is known and nothing reduces the impact yet (PRB-10)."""
        return not self.workaround


def known_error(record: Record) -> KnownError | None:
    """The known error that a problem is, as things stand; None if it is none."""
    held = record.values
    causes, workaround = _listed(held.get("causes")), held.get("workaround") or None
    unfixed = record.phase.is_open or record.outcome == "risk_accepted"
    if not unfixed or not (causes or workaround):
        return None
    return KnownError(
        problem=record.id,
        causes=causes,
        workaround=workaround,
        published_to=_listed(held.get("published_to")),
        reviewed_at=moment(held.get("reviewed_at")),
    )


def _listed(value: Any) -> tuple[str, ...]:
    """The items of a list; a text alone, as a row of a host's own may have it, is one and not its letters."""
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(value) if isinstance(value, (list, tuple)) else ()


def workarounds(history: Iterable[Event]) -> tuple[Workaround, ...]:
    """Every version of a problem's workaround, oldest first, corrections applied.

    The words that come again unchanged are no new version; the empty text withdraws.
    """
    versions: list[Workaround] = []
    said: str | None = None
    for event in effective(history):
        if event.kind not in _KEEPING or "workaround" not in event.fields:
            continue
        text = event.fields["workaround"] or None
        if text != said:
            number = len(versions) + 1
            versions.append(Workaround(number, text, at=event.occurred_at, by=event.actor.id))
            said = text
    return tuple(versions)


_KEEPING = frozenset({"opened", "transitioned", "amended", "assigned", "reprioritised"})
