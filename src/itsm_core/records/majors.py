"""A major incident beside the state: its standing, roles, tracks and reach, as its events tell them.

A record that is a major incident keeps its state; what follows here stands beside it. Nothing of it is
derived from the clock: each instant is that of an event.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import attrs

from itsm_core.business_time.instants import parse_text, utc
from itsm_core.events import Event
from itsm_core.records.procedures import MANAGER, Procedure
from itsm_core.values import Fields


class MajorStatus(StrEnum):
    """Where a major incident stands: somebody proposes it, a manager accepts or rejects it.

    An accepted one that turns out minor is cancelled: it is downgraded, with a reason.
    """

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


@attrs.frozen(kw_only=True)
class RoleHeld:
    """Who played a part from when on, and until when if somebody took over or it was laid down."""

    role: str
    held_by: str
    assumed_at: dt.datetime
    event: str
    renounced_at: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class TrackStanding:
    """The step that a track is in, since when, and whether the track may end there."""

    track: str
    step: str
    since: dt.datetime
    ended: bool = False


@attrs.frozen(kw_only=True)
class Extent:
    """What was known to be affected from an instant on: which services, and how many users."""

    at: dt.datetime
    by: str
    services: tuple[str, ...] = ()
    users: int | None = None


@attrs.frozen(kw_only=True)
class ContinuityPlanInvoked:
    """That a continuity plan was put into effect: which version of it, by whom and when (8.7.2)."""

    plan: str
    version: str
    by: str
    at: dt.datetime
    event: str


@attrs.frozen(kw_only=True)
class Document:
    """Where the report or the review of a major incident lies, who wrote it and when."""

    reference: str
    by: str
    at: dt.datetime
    event: str


@attrs.frozen(kw_only=True)
class MajorIncident:
    """A major incident beside the state of a record (ISO/IEC 20000-1, 8.6.1).

    `criteria` are all that ever proposed it or were met when it was decided against, `procedure` the one it
    was accepted under. `told_at` is when top management last heard, `spoken_at` when a person last told
    them, and `again_by` when the last word promised the next one. `report` and `review` are of the last
    resolution: a reopening voids them and begins the tracks anew.
    """

    status: MajorStatus
    proposed_at: dt.datetime
    proposed_by: str
    changed_at: dt.datetime
    criteria: tuple[str, ...] = ()
    decided_at: dt.datetime | None = None
    decided_by: str | None = None
    reason: str | None = attrs.field(default=None, repr=False)
    procedure: Procedure | None = attrs.field(default=None, repr=False)
    roles: tuple[RoleHeld, ...] = ()
    tracks: tuple[TrackStanding, ...] = ()
    extents: tuple[Extent, ...] = ()
    plans: tuple[ContinuityPlanInvoked, ...] = ()
    told_at: dt.datetime | None = None
    spoken_at: dt.datetime | None = None
    again_by: dt.datetime | None = None
    report: Document | None = None
    review: Document | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether it is handled as a major incident, or was until its end."""
        return self.status is MajorStatus.ACCEPTED

    @property
    def manager(self) -> str | None:
        """Who is responsible for it."""
        return next(iter(self.holders(MANAGER)), None)

    @property
    def services(self) -> tuple[str, ...]:
        """The services that are affected, as last known."""
        return self.extents[-1].services if self.extents else ()

    @property
    def users(self) -> int | None:
        """How many users are affected, as last known; None if nobody said."""
        return self.extents[-1].users if self.extents else None

    @property
    def joined(self) -> bool:
        """Whether every track is at an end."""
        return all(track.ended for track in self.tracks)

    @property
    def lacking(self) -> tuple[str, ...]:
        """Which of "report" and "review" it lacks; one from before the last move of a track is about less."""
        papers = (("report", self.report), ("review", self.review))
        return tuple(name for name, paper in papers if paper is None or paper.at < self.moved_at)

    @property
    def moved_at(self) -> dt.datetime:
        """When a track last moved; before there are any, when it was proposed."""
        return max((track.since for track in self.tracks), default=self.proposed_at)

    def holders(self, role: str) -> tuple[str, ...]:
        """Who plays a part now, in the order in which they began."""
        return tuple(one.held_by for one in self.roles if one.role == role and one.renounced_at is None)

    def track(self, id: str) -> TrackStanding | None:
        """Where a track stands; None if there is none by this id."""
        return next((one for one in self.tracks if one.track == id), None)


# --- the fold -----------------------------------------------------------------------------------
# An event that does not fit what is known (a part of a history, one from elsewhere) says nothing.


def _proposed(held: MajorIncident | None, event: Event) -> MajorIncident | None:
    if held is not None and held.status in (MajorStatus.PROPOSED, MajorStatus.ACCEPTED):
        return held
    before = () if held is None else held.criteria
    news = event.fields.get("major_criteria") or ()
    made = MajorIncident(
        status=MajorStatus.PROPOSED,
        proposed_at=event.occurred_at,
        proposed_by=event.actor.id,
        changed_at=event.occurred_at,
        criteria=tuple(dict.fromkeys((*before, *news))),
        reason=event.fields.get("reason"),
        roles=() if held is None else held.roles,
        extents=() if held is None else held.extents,
        plans=() if held is None else held.plans,
    )
    return _assessed(made, event)


def _accepted(held: MajorIncident | None, event: Event) -> MajorIncident | None:
    if held is None or held.status is not MajorStatus.PROPOSED:
        return held
    procedure, at = Procedure.of(event.fields["procedure"]), event.occurred_at
    first = RoleHeld(role=MANAGER, held_by=event.fields["major_manager"], assumed_at=at, event=event.id)
    made = _decided(held, event, MajorStatus.ACCEPTED)
    return _assessed(
        attrs.evolve(
            made,
            procedure=procedure,
            roles=(*held.roles, first),
            tracks=_begun(procedure, at),
            reason=held.reason,
        ),
        event,
    )


def _begun(procedure: Procedure, at: dt.datetime) -> tuple[TrackStanding, ...]:
    firsts = [(track.id, track.steps[0]) for track in procedure.tracks]
    return tuple(
        TrackStanding(track=name, step=first.id, since=at, ended=first.ends) for name, first in firsts
    )


def _decided(held: MajorIncident, event: Event, status: MajorStatus) -> MajorIncident:
    judged = event.fields.get("major_criteria") or ()
    return attrs.evolve(
        held,
        status=status,
        criteria=tuple(dict.fromkeys((*held.criteria, *judged))),
        decided_at=event.occurred_at,
        decided_by=event.actor.id,
        changed_at=event.occurred_at,
        reason=event.fields.get("reason"),
    )


def _rejected(held: MajorIncident | None, event: Event) -> MajorIncident | None:
    if held is None or held.status is not MajorStatus.PROPOSED:
        return held
    return _decided(held, event, MajorStatus.REJECTED)


def _cancelled(held: MajorIncident, event: Event) -> MajorIncident:
    over = tuple(_laid_down(one, event) for one in held.roles)
    return attrs.evolve(_decided(held, event, MajorStatus.CANCELLED), roles=over)


def _laid_down(one: RoleHeld, event: Event) -> RoleHeld:
    return one if one.renounced_at is not None else attrs.evolve(one, renounced_at=event.occurred_at)


def _assumed(held: MajorIncident, event: Event) -> MajorIncident:
    role, procedure = event.fields["major_role"], held.procedure
    listed = () if procedure is None else procedure.roles
    hands_over = role == MANAGER or any(one.id == role and one.single for one in listed)
    before = tuple(_laid_down(one, event) if hands_over and one.role == role else one for one in held.roles)
    new = RoleHeld(role=role, held_by=event.fields["held_by"], assumed_at=event.occurred_at, event=event.id)
    return attrs.evolve(held, roles=(*before, new), changed_at=event.occurred_at)


def _renounced(held: MajorIncident, event: Event) -> MajorIncident:
    about = (event.fields["major_role"], event.fields["held_by"])
    left = tuple(_laid_down(one, event) if (one.role, one.held_by) == about else one for one in held.roles)
    return attrs.evolve(held, roles=left, changed_at=event.occurred_at)


def _track_moved(held: MajorIncident, event: Event) -> MajorIncident:
    said, at = event.fields, event.occurred_at
    moved = tuple(
        TrackStanding(track=one.track, step=said["track_step"], since=at, ended=said["track_ended"])
        if one.track == said["track"]
        else one
        for one in held.tracks
    )
    return attrs.evolve(held, tracks=moved, changed_at=at)


def _assessed(held: MajorIncident, event: Event) -> MajorIncident:
    """What an event says of the reach; of what it leaves out the last word holds."""
    said = event.fields
    if said.get("affected_services") is None and said.get("affected_users") is None:
        return held
    services, users = said.get("affected_services"), said.get("affected_users")
    extent = Extent(
        at=event.occurred_at,
        by=event.actor.id,
        services=held.services if services is None else services,
        users=held.users if users is None else users,
    )
    return attrs.evolve(held, extents=(*held.extents, extent), changed_at=event.occurred_at)


def _invoked(held: MajorIncident, event: Event) -> MajorIncident:
    plan = ContinuityPlanInvoked(
        plan=event.fields["continuity_plan"],
        version=event.fields["plan_version"],
        by=event.actor.id,
        at=event.occurred_at,
        event=event.id,
    )
    return attrs.evolve(held, plans=(*held.plans, plan), changed_at=event.occurred_at)


def _document(event: Event) -> Document:
    at = event.occurred_at
    return Document(reference=event.fields["document"], by=event.actor.id, at=at, event=event.id)


def _reported(held: MajorIncident, event: Event) -> MajorIncident:
    return attrs.evolve(held, report=_document(event), changed_at=event.occurred_at)


def _reviewed(held: MajorIncident, event: Event) -> MajorIncident:
    return attrs.evolve(held, review=_document(event), changed_at=event.occurred_at)


def told(held: MajorIncident, event: Event) -> MajorIncident:
    """The major incident after words of its record: those to top management are kept count of."""
    said = event.fields
    if (said.get("direction"), said.get("audience")) != ("outbound", "management"):
        return held
    spoken = event.actor.is_person and not said.get("automatic")
    at, due = event.occurred_at, said.get("promise_due")
    again = None if due is None else utc(parse_text(due, "promise_due"))
    return attrs.evolve(held, told_at=at, spoken_at=at if spoken else held.spoken_at, again_by=again)


def reopened(held: MajorIncident, event: Event) -> MajorIncident:
    """The major incident after its record was reopened: its tracks begin anew, and so do its papers."""
    if held.procedure is None or not held.is_accepted:
        return held
    at = event.occurred_at
    tracks = _begun(held.procedure, at)
    return attrs.evolve(held, tracks=tracks, report=None, review=None, changed_at=at)


Held = MajorIncident | None
_TOLD: dict[str, Callable[[Held, Event], Held]] = {
    "major_proposed": _proposed,
    "major_accepted": _accepted,
    "major_rejected": _rejected,
}
_WHILE_ACCEPTED: dict[str, Callable[[MajorIncident, Event], MajorIncident]] = {
    "major_cancelled": _cancelled,
    "role_assumed": _assumed,
    "role_renounced": _renounced,
    "track_moved": _track_moved,
    "continuity_plan_invoked": _invoked,
    "major_reported": _reported,
    "major_reviewed": _reviewed,
}


def _step(draft: dict[str, Any], event: Event) -> None:
    """Changes the draft by an event about its major incident."""
    held: Held = draft["major_incident"]
    if event.kind in _TOLD:
        new = _TOLD[event.kind](held, event)
    elif held is None:
        return
    elif event.kind == "major_assessed":
        live = held.status in (MajorStatus.PROPOSED, MajorStatus.ACCEPTED)
        new = _assessed(held, event) if live else held
    else:
        new = _WHILE_ACCEPTED[event.kind](held, event) if held.is_accepted else held
    draft["major_incident"] = new
    _flagged(draft, held, new)


def _flagged(draft: dict[str, Any], was: Held, now: Held) -> None:
    """Writes the plain flag `major` that lists and older data know, where a decision turns it."""
    if was is None or now is None or was.status is now.status or now.status is MajorStatus.PROPOSED:
        return
    if now.is_accepted or draft["values"].get("major"):
        draft["values"] = Fields({**draft["values"], "major": now.is_accepted})


MAJOR_STEPS = dict.fromkeys((*_TOLD, *_WHILE_ACCEPTED, "major_assessed"), _step)
"""By kind of event, what the fold makes of what is said of a major incident."""
