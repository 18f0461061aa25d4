"""Top management hears in time: what falls due by the cadence of a major incident is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator
from typing import Any

from itsm_core.ports import Ask, Claim
from itsm_core.processes.major import briefing_due
from itsm_core.road.briefing import BRIEFING, status
from itsm_core.road.carrying import commit
from itsm_core.road.changing import Change
from itsm_core.road.passing import Stuck, each_due
from itsm_core.road.terms import Terms, standing


def briefings(terms: Terms, now: dt.datetime, worker: str) -> Generator[Ask, Any, tuple[int, Stuck]]:
    """Tells top management of each major incident whose next word is due: how many, and what is stuck.

    After an outage they are told once, of how things stand then. Where a directory could not say who they
    are, "management" was told, and what it raised is told, too.
    """

    def fire(claim: Claim) -> Generator[Ask, Any, int]:
        told, failed = yield from _brief(terms, claim.item.record, now)
        stuck.extend([] if failed is None else [(claim.item.record, failed)])
        return told

    stuck = list[tuple[str, Exception]]()
    told, left = yield from each_due(BRIEFING, now, worker, fire)
    return told, (*stuck, *left)


def _brief(
    terms: Terms, record_id: str, now: dt.datetime
) -> Generator[Ask, Any, tuple[int, Exception | None]]:
    change = Change(terms, (yield from standing(record_id)))
    now, due = change.as_of(now), briefing_due(change.record)
    told = due is not None and due <= now
    if due is not None and told:
        change.add([status(terms, change.record, now, due)])
    yield from commit(change, now, rearm=True)
    return int(told), change.failed
