"""Promises made to a requester: the next word by a certain instant, and whether it came."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

import attrs

from itsm_core.business_time.instants import micros, utc
from itsm_core.sla.timeline import Promised, Timeline
from itsm_core.values import only


class PromiseVerdict(StrEnum):
    """What became of a promise."""

    OPEN = "open"
    KEPT = "kept"
    RENEWED = "renewed"
    BROKEN = "broken"


@attrs.frozen
class Promise:
    """A promise to speak by `due`, and what became of it. Instants are in UTC.

    It is kept by the first public message of a person that comes at or before `due`, renewed if
    that message promises anew, and broken otherwise; `followed_at` may then say how late it was.
    `event` and `followed_by` name the messages; `wording` is the digest of the words.
    """

    made_at: dt.datetime
    due: dt.datetime
    verdict: PromiseVerdict = attrs.field(kw_only=True)
    by: str = attrs.field(kw_only=True, repr=False)
    event: str = attrs.field(kw_only=True)
    channel: str | None = attrs.field(default=None, kw_only=True)
    wording: str | None = attrs.field(default=None, kw_only=True, repr=False)
    followed_at: dt.datetime | None = attrs.field(default=None, kw_only=True)
    followed_by: str | None = attrs.field(default=None, kw_only=True)


def promises(timeline: Timeline, at: dt.datetime) -> tuple[Promise, ...]:
    """The promises made up to an instant, in the order in which they were made, as judged then."""
    only(Timeline, timeline, "timeline", "make it of events: trace(events)")
    at_us = micros(at)
    return tuple(_judged(promised, at_us) for promised in timeline.as_of(at_us).promised)


def _judged(promised: Promised, at_us: int) -> Promise:
    followed = promised.followed_us
    return Promise(
        utc(promised.made_us),
        promised.due,
        verdict=_verdict(promised, at_us),
        by=promised.by,
        event=promised.event,
        channel=promised.channel,
        wording=promised.wording,
        followed_at=None if followed is None else utc(followed),
        followed_by=promised.followed_by,
    )


def _verdict(promised: Promised, at_us: int) -> PromiseVerdict:
    due, followed = micros(promised.due), promised.followed_us
    if followed is not None and followed <= due:
        return PromiseVerdict.RENEWED if promised.renewed else PromiseVerdict.KEPT
    return PromiseVerdict.BROKEN if at_us > due else PromiseVerdict.OPEN
