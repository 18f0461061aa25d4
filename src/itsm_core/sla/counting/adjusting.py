"""Exceptions applied: how much of a cycle's time they excuse, and the verdict on what is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, reduce
from itertools import pairwise
from operator import or_
from typing import Any

import attrs

from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.sla.agreements.exceptions import Adjusted, AgreedException
from itsm_core.sla.spans import BREACHES, ClockState, Span, Verdict
from itsm_core.sla.timeline import Claim, Justified


@attrs.frozen
class Excuse:
    """What an exception excuses here: a stretch of time, hours, the hours in a stretch, or everything."""

    exception: str
    times: BusinessCalendar | None = None
    since_us: int | None = attrs.field(default=None, kw_only=True)
    until_us: int | None = attrs.field(default=None, kw_only=True)
    event: str | None = attrs.field(default=None, kw_only=True)

    @property
    def is_whole(self) -> bool:
        """Whether it excuses the whole cycle."""
        return self.times is None and self.since_us is None and self.until_us is None

    def covers(self, start: int, end: int) -> bool:
        """Whether its stretch holds all of this one."""
        begun = self.since_us is None or self.since_us <= start
        return begun and (self.until_us is None or end <= self.until_us)


def excuses_of(
    exceptions: Iterable[AgreedException], metric: str, values: Mapping[str, Any], claims: Iterable[Claim]
) -> tuple[Excuse, ...]:
    """What the exceptions of an agreement excuse of a metric, on a record with these fields and claims."""
    claims = [claim for claim in claims if claim.metric in (None, metric)]
    found: list[Excuse] = []
    for one in exceptions:
        if one.is_about(metric, values):
            found += _claimed(one, claims) if one.claimed else [Excuse(one.id, one.times)]
    return tuple(found)


def _claimed(exception: AgreedException, claims: list[Claim]) -> list[Excuse]:
    return [
        Excuse(
            exception.id, exception.times, since_us=claim.since_us, until_us=claim.until_us, event=claim.event
        )
        for claim in claims
        if claim.exception == exception.id
    ]


def adjusted(
    excuses: Sequence[Excuse], raw: Verdict, spans: Sequence[Span], *, used: int, budget: int, stopped: bool
) -> Adjusted | None:
    """What the excuses make of a cycle that used so much of its budget; None where none of them applies.

    Time that several of them excuse is excused once.
    """
    running = [span for span in spans if span.state is ClockState.RUNNING]
    apply = [one for one in excuses if one.is_whole or any(_in_span((one,), span) for span in running)]
    if not apply:
        return None
    whole = any(one.is_whole for one in apply)
    excused = used if whole else sum(_in_span(apply, span) for span in running)
    return Adjusted(
        _verdict(raw, whole=whole, over=used - excused > budget, stopped=stopped),
        used - excused,
        excused_us=excused,
        by=tuple(dict.fromkeys(one.exception for one in apply)),
        events=tuple(dict.fromkeys(one.event for one in apply if one.event is not None)),
    )


def _verdict(raw: Verdict, *, whole: bool, over: bool, stopped: bool) -> Verdict:
    """The verdict by the rule of the raw one, which it can only take a breach from. Unknown stays unknown."""
    if raw is Verdict.UNKNOWN:
        return raw
    if whole:
        return Verdict.VOID
    if over or raw not in BREACHES:
        return raw
    if raw is Verdict.VOID_AFTER_BREACH:
        return Verdict.VOID
    return Verdict.MET if stopped else Verdict.RUNNING


def _in_span(excuses: Sequence[Excuse], span: Span) -> int:
    """The excused open time of a running span, on the calendar that counted it."""
    start, end = span.start_us, span.end_us
    ends = {us for one in excuses for us in (one.since_us, one.until_us) if us is not None}
    cuts = [start, *sorted(us for us in ends if start < us < end), end]
    return sum(_between(excuses, span.calendar, a, b) for a, b in pairwise(cuts))


def _between(excuses: Sequence[Excuse], calendar: BusinessCalendar, start: int, end: int) -> int:
    """The same between two instants between which no stretch begins or ends."""
    hours: dict[BusinessCalendar, None] = {}
    for one in excuses:
        if one.covers(start, end):
            if one.times is None:
                return calendar.elapsed_us(start, end)
            hours[one.times] = None
    return _both(calendar, *hours).elapsed_us(start, end) if hours else 0


@lru_cache(maxsize=256)
def _both(calendar: BusinessCalendar, *hours: BusinessCalendar) -> BusinessCalendar:
    """What is open in the calendar and in some of the hours."""
    return calendar & reduce(or_, hours)


def justified_of(
    breaches: Sequence[tuple[int, int]], metric: str, said: Iterable[Justified]
) -> dict[int, tuple[Justified, ...]]:
    """Which breached cycles, as (number, start), were justified: each time the newest one begun by then."""
    found: dict[int, tuple[Justified, ...]] = {}
    for one in said:
        begun = [number for number, start in breaches if start <= one.us]
        if one.metric == metric and begun:
            found[begun[-1]] = (*found.get(begun[-1], ()), one)
    return found
