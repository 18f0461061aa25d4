"""Justified overruns: care that took longer, listed with who approved and who confirmed it.

No verdict changes by it. The command is `justify_overrun`; its event holds the reason.
"""

from __future__ import annotations

import datetime as dt

import attrs

from itsm_core.business_time.instants import micros, utc
from itsm_core.sla.timeline import Timeline
from itsm_core.values import only


@attrs.frozen
class JustifiedOverrun:
    """That taking longer for a metric was care: when it was said (UTC), by whom, and in which event.

    `confirmation` names the words in which the requester confirmed it; without them it is unconfirmed.
    """

    metric: str
    at: dt.datetime
    by: str = attrs.field(kw_only=True, repr=False)
    event: str = attrs.field(kw_only=True)
    confirmation: str | None = attrs.field(default=None, kw_only=True)

    @property
    def confirmed(self) -> bool:
        """Whether the requester confirmed it."""
        return self.confirmation is not None


def overruns(timeline: Timeline, at: dt.datetime) -> tuple[JustifiedOverrun, ...]:
    """The overruns that were justified up to an instant, in the order in which that was said."""
    only(Timeline, timeline, "timeline", "make it of events: trace(events)")
    return tuple(
        JustifiedOverrun(one.metric, utc(one.us), by=one.by, event=one.event, confirmation=one.confirmation)
        for one in timeline.as_of(micros(at)).justified
    )
