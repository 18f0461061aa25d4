"""What a manager says beside a verdict, checked against what the record's agreement and history hold."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from difflib import get_close_matches
from typing import Any

from itsm_core.commands import Command
from itsm_core.errors import InvalidValue
from itsm_core.events import Direction, Event
from itsm_core.ports import Ask
from itsm_core.records import Record
from itsm_core.road.terms import Standing, Terms, history


def check_claim(terms: Terms, known: Standing, command: Command) -> Generator[Ask, Any, None]:
    """Refuses a claim or a justification that names what is not there, so that it would say nothing.

    Where this desk has no agreement for the record, only a confirmation is looked up.
    """
    if command.trigger not in ("claim_exception", "justify_overrun"):
        return
    given = command.fields
    agreement = terms.agreement_for(known.record, known.timeline, command.at)
    if agreement is not None:
        label = agreement.label
        if command.trigger == "claim_exception":
            claimed = [one.id for one in agreement.exceptions if one.claimed]
            _among(claimed, "exception", given["exception"], f"is none that {label} lets anybody claim")
        if given.get("metric"):
            _among(agreement.metrics, "metric", given["metric"], f"is measured by no target of {label}")
    if given.get("confirmation"):
        _confirms(known.record, given["confirmation"], (yield from history(known.record.id)))


def _among(known: Sequence[str], what: str, value: str, reason: str) -> None:
    if value not in known:
        near = get_close_matches(value, known, 1)
        others = f"use one of {', '.join(known)}" if known else "nothing may be claimed there"
        raise InvalidValue(what, value, reason, f"did you mean {near[0]}?" if near else others)


def _confirms(record: Record, message: str, events: Sequence[Event]) -> None:
    """The words must be the requester's own, by the id of the event or of the message."""
    for event in events:
        if message in (event.id, event.fields.get("message_id")) and _is_from_requester(record, event):
            return
    reason = f"is no message of the requester on {record.id}"
    raise InvalidValue("confirmation", message, reason, "name one that was received, or leave it out")


def _is_from_requester(record: Record, event: Event) -> bool:
    inbound = event.fields.get("direction") == Direction.INBOUND
    return inbound and not event.fields.get("automatic") and event.actor.id == record.requester
