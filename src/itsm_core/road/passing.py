"""Time passes: timer edges are fired when their records have been in a state for so long."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator
from typing import Any

from itsm_core.business_time.instants import later
from itsm_core.commands import Command
from itsm_core.errors import StoreError, VersionConflict
from itsm_core.lifecycle.timers import next_timer
from itsm_core.ports import Ask, Claim, Settlement
from itsm_core.road.carrying import commit
from itsm_core.road.changing import Change
from itsm_core.road.consequences import BY_ITSELF, related, ruling
from itsm_core.road.deciding import decided_or_noted
from itsm_core.road.terms import AGAIN, ATTEMPTS, MACHINE, Terms, standing

LEASE = dt.timedelta(minutes=1)

Stuck = tuple[tuple[str, Exception], ...]
Fire = Callable[[Claim], Generator[Ask, Any, int]]


def each_due(kind: str, now: dt.datetime, worker: str, fire: Fire) -> Generator[Ask, Any, tuple[int, Stuck]]:
    """Does what is due of one kind of timers: how much it came to, and the records that are stuck, with why.

    One record that cannot be carried does not hold up the others. `fire` commits, which sets the timer
    of what falls due next; whatever goes wrong gives the claim back, to be tried again in a minute. So
    no record is forgotten but one that the lifecycle itself refused, which is noted on it: the next
    change of that record sets its timer anew.
    """
    done, stuck = 0, []
    while claims := (yield Ask("claim", (kind, now, 100, LEASE, worker))):
        for claim in claims:
            try:
                done += yield from _until_won(claim, now, fire)
            except StoreError:
                raise
            except Exception as error:
                yield from _later(claim, now, type(error).__name__)
                stuck.append((claim.item.record, error))
    return done, tuple(stuck)


def _until_won(claim: Claim, now: dt.datetime, fire: Fire) -> Generator[Ask, Any, int]:
    for _ in range(ATTEMPTS):
        try:
            done = yield from fire(claim)
        except VersionConflict as conflict:
            lost = conflict
            continue
        yield Ask("settle", ((Settlement(token=claim.token, outcome="done"),), now))
        return done
    raise lost


def _later(claim: Claim, now: dt.datetime, why: str) -> Generator[Ask, Any, None]:
    """Gives a claim back that could not be carried out, to be tried again in a minute."""
    settlement = Settlement(token=claim.token, outcome="retry", detail=why, retry_at=later(now, AGAIN))
    yield Ask("settle", ((settlement,), now))


def expiries(terms: Terms, now: dt.datetime, worker: str) -> Generator[Ask, Any, tuple[int, Stuck]]:
    """Fires the timer edges that are due: how many records moved, and the records that are stuck."""
    if not any(lifecycle.timed for lifecycle in terms.lifecycles):
        return 0, ()

    def fire(claim: Claim) -> Generator[Ask, Any, int]:
        return (yield from _expire(terms, claim.item.record, now))

    return (yield from each_due(BY_ITSELF, now, worker, fire))


def _expire(terms: Terms, record_id: str, now: dt.datetime) -> Generator[Ask, Any, int]:
    """Fires the timer edge of a record if it is due still; a refusal is noted, and time goes on."""
    change = Change(terms, (yield from standing(record_id)))
    record, now = change.record, change.as_of(now)
    beside = yield from related(record)
    found = next_timer(record, ruling(terms, record), calendar=terms.calendar, related=beside)
    if found is not None and found[0] <= now:
        due, trigger = found
        # By the version, too: what was refused once may be accepted after the record has changed.
        named = f"{record.id}/{trigger}/{due.isoformat()}/{record.version}"
        command = Command(trigger, MACHINE, at=now, id=named, fields={})
        change.add(decided_or_noted(terms, record, command, beside))
    yield from commit(change, now, rearm=True)
    return int(change.record.state != record.state)
