"""What has fallen due: steps fired, work moved, people told, and what did not fire, all in one commit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator
from typing import Any

from itsm_core.business_time.instants import later
from itsm_core.commands import Command
from itsm_core.escalation import Run, next_due
from itsm_core.ports import Ask, Claim, Timer
from itsm_core.records import Record
from itsm_core.road.carrying import commit
from itsm_core.road.changing import Change
from itsm_core.road.consequences import read_of
from itsm_core.road.owing import told_late
from itsm_core.road.passing import Stuck, each_due
from itsm_core.road.terms import AGAIN, MACHINE, Terms, escalation, standing
from itsm_core.road.wanting import owing_id, settle, wanted

ROUNDS = 20
"""How often, in one commit, what fired may set off more; the rest comes a minute later."""


def escalations(terms: Terms, now: dt.datetime, worker: str) -> Generator[Ask, Any, tuple[int, Stuck]]:
    """Fires every step that is due: how many effects, and the records that are stuck, with why.

    So is a record for which it could not be found out who is to be told; what could be done is done.

    Without a policy nothing is claimed, so that a desk that has one finds the timers.
    """

    def fire(claim: Claim) -> Generator[Ask, Any, int]:
        item = claim.item
        is_owed = isinstance(item, Timer) and item.id == owing_id(item.record, item.kind)
        fired, failed = yield from (told_late if is_owed else _escalate)(terms, item.record, now)
        if failed is not None:
            stuck.append((item.record, failed))
        return fired

    fired, stuck = 0, list[tuple[str, Exception]]()
    for policy in dict.fromkeys(one.id for one in terms.policies):
        effects, left = yield from each_due(escalation(policy), now, worker, fire)
        fired, stuck = fired + effects, [*stuck, *left]
    return fired, tuple(stuck)


def rearm(terms: Terms, record_id: str, at: dt.datetime) -> Generator[Ask, Any, Record]:
    """Sets the timer and the due instant of a record anew, after the agreement or policy changed.

    A record that no policy watched goes by the one that covers it from then on.
    """
    change = Change(terms, (yield from standing(record_id)))
    because = _because(change, change.as_of(at))
    yield from settle(change, because)
    return (yield from commit(change, at, rearm=True))


def _escalate(
    terms: Terms, record_id: str, now: dt.datetime
) -> Generator[Ask, Any, tuple[int, Exception | None]]:
    change = Change(terms, (yield from standing(record_id)))
    last = change.record.escalation.last_at
    set_back = last is not None and now < last
    if not set_back:
        now = change.as_of(now)
        yield from settle(change, _because(change, now))
    fired = yield from _fired(change, now)
    change.put_off = (last, last) if last is not None and set_back else (now, later(now, AGAIN))
    yield from commit(change, now, rearm=True)
    return fired, change.failed


def _fired(change: Change, now: dt.datetime) -> Generator[Ask, Any, int]:
    """Fires what is due, and what that sets off at the same instant: how many effects."""
    terms, fired = change.terms, 0
    for _ in range(ROUNDS):
        policy = terms.policy_of(change.record)
        if policy is None:
            break
        read = read_of(terms, (yield from change.standing()), now)
        if fired:
            due = next_due(Run.of(change.record, policy), read)
            if due is None or due > now:
                break
        more = yield from wanted(change, policy, now, read)
        if not more:
            break
        fired += more
        yield from settle(change, _because(change, now))
    return fired


def _because(change: Change, at: dt.datetime) -> Command:
    """What stands behind a pin or a switch that no command led to."""
    record = change.record
    return Command("escalate", MACHINE, at=at, id=f"{record.id}/escalation/{record.version}")
