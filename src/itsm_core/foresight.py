"""A policy file shown at work: what it would do with an incident that nobody touches."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import attrs

from itsm_core.business_time.instants import micros, utc, zone_of
from itsm_core.business_time.offsets import instant
from itsm_core.config import (
    agreement_from_toml,
    customary_agreement,
    load_agreement,
    load_majors,
    load_policy,
)
from itsm_core.errors import InvalidValue
from itsm_core.escalation import Preview, foresee
from itsm_core.priority import Priority


def foreseen(
    policy: Path,
    *,
    priority: str,
    start: str | None,
    zone: str | None,
    hours: int,
    agreement: Path | None,
    majors: Path | None = None,
    lang: str,
) -> Preview:
    """The preview of a policy file for an incident of this priority, so many hours ahead.

    With a file about `majors` it is a major incident from the start, under the procedure of the file. Without
    an agreement it goes by customary targets; without a zone by that of the policy's calendar, or
    else of the agreement's first.
    """
    known = load_policy(policy)
    promised = load_agreement(agreement) if agreement is not None else None
    calendar = known.calendar or (None if promised is None else promised.targets[0].calendar)
    there = zone or ("UTC" if calendar is None else calendar.zone.key)
    zone_of(there)
    judged = promised or agreement_from_toml(customary_agreement(there))
    told = foresee(
        known,
        judged,
        {"priority": Priority.of(priority).value},
        _instant(start, there),
        dt.timedelta(hours=hours),
        calendar=calendar or judged.targets[0].calendar,
        procedure=None if majors is None else load_majors(majors).procedure,
        lang=lang,
    )
    return attrs.evolve(told, zone=there)


def _instant(text: str | None, zone: str) -> dt.datetime:
    """The instant that a text names, on the clocks of the zone unless it says another; None is now.

    As in a calendar: a skipped local time is the end of the gap, one that comes twice its first occurrence.
    """
    if text is None:
        return dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        raise InvalidValue("--start", text, "is no instant", "write 2026-03-06T16:00") from None
    return at if at.tzinfo is not None else utc(instant(zone_of(zone), micros(at.replace(tzinfo=dt.UTC))))
