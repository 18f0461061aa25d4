"""What escalation has done to a record: which policy watches it, which steps had their turn, who is on it.

The fold keeps here what `escalation.advance` must remember. A *generation* fences: what was meant for an
earlier one (a timer, a message that was not sent) is void. It begins anew when somebody acknowledges or
snoozes, when that ends, when a snoozed record goes to somebody else, on closing and on reopening, and
when another policy takes over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import attrs

from itsm_core.business_time.instants import parse_text, utc
from itsm_core.events import Event
from itsm_core.responders import CALLBACK
from itsm_core.values import evolver


@attrs.frozen(kw_only=True)
class Past:
    """A step that had its turn: it fired (`why` is None), or was passed over.

    `went` is the step at which a branch or a repetition let the chain go on; `to` whom it told. A `handoff`
    is no turn of its own: a change of shift at which it told others.
    """

    policy: str
    step: str
    generation: int
    loop: int
    at: dt.datetime
    scheduled_at: dt.datetime
    why: str | None = None
    went: str | None = None
    to: tuple[str, ...] = ()
    handoff: bool = False


@attrs.frozen(kw_only=True)
class Escalation:
    """The run of a record's escalation policy, as its events tell it.

    `policy` and `version` are pinned when the run starts (`started_at`; None: as the record was opened).
    `cycle` is the generation of the last reopening, `since` the one in which chains last began anew.
    `acknowledged_at` is set once the acknowledgement is complete: at once, or under a policy of
    `ack_mode="all"` when everybody who was told has acknowledged. `updated_at` is the last word that went
    out or was noted. `reopenings` and `reassignments` keep the first 20 instants.
    """

    policy: str | None = None
    version: int | None = None
    started_at: dt.datetime | None = None
    generation: int = 0
    cycle: int = 0
    since: int = 0
    acknowledged_by: tuple[str, ...] = ()
    acknowledged_at: dt.datetime | None = None
    snoozed_until: dt.datetime | None = None
    resumed_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None
    reopenings: tuple[dt.datetime, ...] = ()
    reassignments: tuple[dt.datetime, ...] = ()
    priority_changed_at: dt.datetime | None = None
    last_at: dt.datetime | None = None
    past: tuple[Past, ...] = ()

    @property
    def is_acknowledged(self) -> bool:
        """Whether somebody is on it, or has put it off; chains of steps wait."""
        return self.acknowledged_at is not None

    def told(self) -> frozenset[str]:
        """Whom the steps of this generation told; a callback is nobody who could acknowledge."""
        told = (who for one in self.past if one.generation == self.generation for who in one.to)
        return frozenset(who for who in told if not who.startswith(CALLBACK))


NO_ESCALATION = Escalation()
"""One for all records that no policy watches and nobody has talked about."""

SEEN = 20
"""How many reopenings and reassignments are kept with their instants."""

_updated, _begun = evolver(Escalation, "updated_at"), evolver(Escalation, "generation", "snoozed_until")


def heard(now: Escalation, event: Event) -> Escalation:
    """A word that went out or was noted: the record is not silent."""
    said = event.fields
    if event.kind == "communicated" and (said.get("automatic") or said.get("direction") != "outbound"):
        return now
    return _updated(now, event.occurred_at)


def reprioritised(now: Escalation, event: Event, before: str | None) -> Escalation:
    """A change of priority; the first one that a record gets is no change."""
    priority = event.fields.get("priority")
    if priority is None or before is None or priority == before:
        return now
    return attrs.evolve(now, priority_changed_at=event.occurred_at)


def reassigned(now: Escalation, event: Event) -> Escalation:
    """The work goes to somebody else, to whom it was never snoozed."""
    if len(now.reassignments) < SEEN:
        now = attrs.evolve(now, reassignments=(*now.reassignments, event.occurred_at))
    return _resumed(now, event.occurred_at) if now.snoozed_until is not None else now


def closed(now: Escalation) -> Escalation:
    """The end: whatever still waits to be sent is void."""
    return _begun(now, now.generation + 1, None)


def reopened(now: Escalation, event: Event) -> Escalation:
    """The record is work again: all steps have their turn anew."""
    at, generation = event.occurred_at, now.generation + 1
    seen = now.reopenings if len(now.reopenings) >= SEEN else (*now.reopenings, at)
    return attrs.evolve(
        _resumed(now, at), generation=generation, cycle=generation, since=generation, reopenings=seen, past=()
    )


def _resumed(now: Escalation, at: dt.datetime) -> Escalation:
    """Nobody is on it any more: the run goes on in a generation of its own."""
    return attrs.evolve(
        now,
        generation=now.generation + 1,
        acknowledged_by=(),
        acknowledged_at=None,
        snoozed_until=None,
        resumed_at=at,
    )


def acknowledged(now: Escalation, event: Event) -> Escalation:
    """Somebody is on it; complete unless `mode` is "all" and others were told who are not.

    Said once more it is noted, and fences nothing; of a snoozed record it ends the snooze.
    """
    by = (
        now.acknowledged_by
        if event.actor.id in now.acknowledged_by
        else (*now.acknowledged_by, event.actor.id)
    )
    if event.fields.get("mode") == "all" and not now.is_acknowledged and not now.told() <= {*by}:
        return attrs.evolve(now, acknowledged_by=by)
    fenced = now.is_acknowledged and now.snoozed_until is None
    return attrs.evolve(
        now,
        generation=now.generation + (not fenced),
        acknowledged_by=by,
        acknowledged_at=event.occurred_at,
        snoozed_until=None,
    )


def snoozed(now: Escalation, event: Event) -> Escalation:
    """Put off: an acknowledgement with an instant at which it ends."""
    return attrs.evolve(
        now,
        generation=now.generation + 1,
        acknowledged_by=(event.actor.id,),
        acknowledged_at=event.occurred_at,
        snoozed_until=utc(parse_text(event.fields["until"], "until")),
    )


def resumed(now: Escalation, event: Event) -> Escalation:
    """An acknowledgement or a snooze has ended; `mode` "restart" lets the chains begin anew."""
    again = attrs.evolve(_resumed(now, event.occurred_at), last_at=_newer(now, event))
    return attrs.evolve(again, since=again.generation) if event.fields.get("mode") == "restart" else again


def stamped(now: Escalation, event: Event) -> Escalation:
    """The version of a policy that an opening pins, such as "standard@3": the run starts with the record."""
    policy, _, version = str(event.fields["watched_by"]).rpartition("@")
    return attrs.evolve(now, policy=policy, version=int(version)) if policy and version.isdecimal() else now


def pinned(now: Escalation, event: Event) -> Escalation:
    """The version of a policy that the run goes by from now on, of a record that was there before."""
    said = event.fields
    return attrs.evolve(
        now, policy=said["policy"], version=said["policy_version"], started_at=event.occurred_at
    )


def migrated(now: Escalation, event: Event) -> Escalation:
    """Another version, or another policy, takes over; "restart" begins anew, "switch" fences."""
    said = event.fields
    then = attrs.evolve(now, policy=said["policy"], version=said["policy_version"])
    if said.get("mode") not in ("restart", "switch"):
        return then
    then = attrs.evolve(then, generation=now.generation + 1)
    if said["mode"] == "switch":
        return then
    return attrs.evolve(then, since=then.generation, started_at=event.occurred_at)


def fired(now: Escalation, event: Event) -> Escalation:
    """A step fired; what it told several people is one turn of it."""
    return _with(now, event, None)


def not_fired(now: Escalation, event: Event) -> Escalation:
    """A step had its turn and told nobody, which is said; where the clock was set back none had."""
    why = str(event.fields.get("why"))
    if why == "clock_regressed":
        return now
    return _with(now, event, why)


def _with(now: Escalation, event: Event, why: str | None) -> Escalation:
    said, last = event.fields, _newer(now, event)
    policy, step, generation, loop = _place(said)
    if step is None:
        return attrs.evolve(now, last_at=last)
    at = said.get("scheduled_at")
    moved = said.get("step_kind") == "functional" and not said.get("no_responder")
    to = None if moved else said.get("to")  # the work went there: nobody was told
    turn = Past(
        policy=policy,
        step=step,
        generation=generation,
        loop=loop,
        at=event.occurred_at,
        scheduled_at=event.occurred_at if at is None else utc(parse_text(at, "scheduled_at")),
        why=why,
        went=said.get("went"),
        to=() if to is None or why is not None else (to,),
        handoff=bool(said.get("handoff")),
    )
    return attrs.evolve(now, last_at=last, past=_merged(now.past, turn))


def _merged(past: tuple[Past, ...], turn: Past) -> tuple[Past, ...]:
    """The turns with one more, or with more of one that is there."""
    which = (turn.policy, turn.step, turn.generation, turn.loop)
    for place, one in enumerate(past):
        if (one.policy, one.step, one.generation, one.loop) == which:
            both = attrs.evolve(
                one,
                why=None if turn.why is None or one.why is None else one.why,
                went=one.went if turn.went is None else turn.went,
                to=tuple(dict.fromkeys((*one.to, *turn.to))),
            )
            return (*past[:place], both, *past[place + 1 :])
    return (*past, turn)


def _newer(now: Escalation, event: Event) -> dt.datetime:
    return event.occurred_at if now.last_at is None else max(now.last_at, event.occurred_at)


def _place(said: Any) -> tuple[str, str | None, int, int]:
    """Policy, step, generation and loop; histories of before say them in the key alone."""
    run, generation, loop, step = _of_key(str(said.get("key") or ""))
    return (
        said.get("policy") or run,
        said.get("step") or step,
        said.get("generation", generation),
        said.get("loop", loop),
    )


def _of_key(key: str) -> tuple[str, int, int, str | None]:
    """What stands in a key: run/generation/loop/step/target/channel, where only the record may hold a /."""
    parts = key.rsplit("/", 5)
    if len(parts) != 6 or not (parts[1].isdecimal() and parts[2].isdecimal()):
        return "", 0, 0, None
    policy = parts[0].rpartition(":")[2].rpartition(".")[0]
    return policy, int(parts[1]), int(parts[2]), parts[3]


# --- the fold ---------------------------------------------------------------------------------

Step = Callable[[dict[str, Any], Event], None]


def _of_the_run(step: Callable[[Escalation, Event], Escalation]) -> Step:
    """What an event means that is about the run of a policy alone."""

    def fold_one(draft: dict[str, Any], event: Event) -> None:
        draft["escalation"] = step(draft["escalation"], event)

    return fold_one


def _escalated(draft: dict[str, Any], event: Event) -> None:
    draft["fired"] = draft["fired"] | {event.fields["key"]}
    draft["escalation"] = fired(draft["escalation"], event)


def _not_escalated(draft: dict[str, Any], event: Event) -> None:
    """A step that told nobody; of a clock set back it is kept that it was told."""
    if event.fields.get("why") == "clock_regressed":
        draft["fired"] = draft["fired"] | {event.fields["key"]}
    draft["escalation"] = not_fired(draft["escalation"], event)


STEPS: dict[str, Step] = {
    "noted": _of_the_run(heard),
    "escalated": _escalated,
    "not_escalated": _not_escalated,
    "acknowledged": _of_the_run(acknowledged),
    "snoozed": _of_the_run(snoozed),
    "escalation_resumed": _of_the_run(resumed),
    "policy_pinned": _of_the_run(pinned),
    "policy_migrated": _of_the_run(migrated),
}
"""What the events of a run change of a draft of the record, by kind."""
