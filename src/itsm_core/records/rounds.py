"""What the fold makes of decisions: rounds of approval, votes and waivers."""

from __future__ import annotations

from typing import Any

import attrs

from itsm_core.business_time.instants import parse_text, utc
from itsm_core.events import Event
from itsm_core.records.record import Round, Vote, Waiver


def edited(draft: dict[str, Any], event: Event, news: dict[str, Any]) -> None:
    """Ends the round whose rule calls one of the changed fields material."""
    material = draft["rounds"][-1].rule.get("material") or ()
    held = draft["values"]
    if any(held.get(name) != news[name] for name in material if name in news):
        end_round(draft, event, "edited")


def end_round(draft: dict[str, Any], event: Event, why: str) -> None:
    """Ends the newest round, unless something did already."""
    *before, last = draft["rounds"]
    if last.ended is None:
        draft["rounds"] = (*before, attrs.evolve(last, ended=why, ended_at=event.occurred_at))


def waived(draft: dict[str, Any], event: Event) -> None:
    """Adds a waiver: who allowed that one person joins two duties, why, and until when."""
    held = event.fields
    waiver = Waiver(
        trigger=held["trigger"],
        separate_from=held["separate_from"],
        by=event.actor.approved_by or event.actor.id,
        at=event.occurred_at,
        until=utc(parse_text(held["until"])),
        review=held["review"],
        event=event.id,
        reason=held.get("reason"),
    )
    draft["waivers"] = (*draft["waivers"], waiver)


def round_opened(draft: dict[str, Any], event: Event) -> None:
    """Begins a round; it takes the place of one that goes on."""
    if draft["rounds"]:
        end_round(draft, event, "replaced")
    opened = Round(id=event.id, opened_at=event.occurred_at, by=event.actor.id, rule=event.fields["rule"])
    draft["rounds"] = (*draft["rounds"], opened)


def voted(draft: dict[str, Any], event: Event) -> None:
    """Adds a voice to its round; which voices count is the rule's to say."""
    vote = Vote(
        event.actor.id,
        event.fields["vote"],
        at=event.occurred_at,
        on_behalf_of=event.on_behalf_of,
        event=event.id,
        approved_by=event.actor.approved_by,
    )
    draft["rounds"] = tuple(
        attrs.evolve(one, votes=(*one.votes, vote)) if one.id == event.fields["round"] else one
        for one in draft["rounds"]
    )
