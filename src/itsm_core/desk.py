"""The service desk for synchronous hosts: the road on one page.

    desk = ServiceDesk(itsm_core.stores.open("desk.db"), agreement=..., policy=...)
    incident = desk.open("Mail is down", actor=ana, at=now)

The desk owns no clock and no thread: every call says when (`at`), and the host calls `tick` (or
asks `next_due` when to). `clock` only tells when something was recorded: give it in production.
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Self, TypeVar, Unpack

import attrs

from itsm_core import delivery, road
from itsm_core.actors import Actor
from itsm_core.business_time.instants import in_utc
from itsm_core.commands import Command
from itsm_core.errors import InvalidValue
from itsm_core.escalation import EscalationPolicy, Resolver, as_named
from itsm_core.events import Audience, Direction, Event
from itsm_core.lifecycle import CustomField, Lifecycle, Option, options
from itsm_core.ports import Ask, Criteria, Notifier, Query, Send, Store
from itsm_core.priority import PriorityMatrix, matrix_3x3_p5
from itsm_core.processes import INCIDENT
from itsm_core.records import Record
from itsm_core.sla import Agreement, Clock
from itsm_core.values import digest

T = TypeVar("T")
Asks = Generator[Any, Any, T]


def _number() -> str:
    return f"INC-{uuid.uuid4().hex[:12]}"


def _new_id() -> str:
    return secrets.token_hex(16)


@attrs.frozen(kw_only=True)
class Tick:
    """What one `tick` did: `failures` are (message key, reason), `stuck` are (record id, error).

    A failed message is not tried again. A stuck record is, in a minute.
    """

    escalated: int = 0
    delivered: int = 0
    retried: int = 0
    failures: tuple[tuple[str, str], ...] = ()
    stuck: tuple[tuple[str, Exception], ...] = ()


class ServiceDesk:
    """Opens, moves, talks about and watches records in a store.

    `notifiers` maps a channel to a `Notifier`; "*" takes every other channel. Give all versions of
    the `agreement` that open records were promised by. One command in, the record out; a refusal
    raises `TransitionRefused` with all reasons and changes nothing.
    """

    def __init__(
        self,
        store: Store,
        *,
        agreement: Agreement | Sequence[Agreement] = (),
        policy: EscalationPolicy | None = None,
        lifecycle: Lifecycle = INCIDENT,
        matrix: PriorityMatrix = matrix_3x3_p5,
        notifiers: Mapping[str, Notifier] | Notifier | None = None,
        resolver: Resolver = as_named,
        clock: Callable[[], dt.datetime] | None = None,
        custom_fields: Sequence[CustomField] = (),
        number: Callable[[], str] = _number,
        worker: str | None = None,
        lang: str = "en",
    ) -> None:
        if not hasattr(store, "commit"):
            raise InvalidValue("store", store, "is no store", 'open one: stores.open("desk.db")')
        self.store = store
        self.terms = road.Terms(
            lifecycle=lifecycle,
            agreements=(agreement,) if isinstance(agreement, Agreement) else tuple(agreement),
            policy=policy,
            matrix=matrix,
            resolver=resolver,
            custom=tuple(custom_fields),
            salt=_new_id,
            lang=lang,
        )
        self._notifiers = delivery.by_channel(notifiers)
        self._clock, self._number = clock, number
        self._worker = worker or f"desk-{uuid.uuid4().hex[:8]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    # --- commands: each goes through the one door ---------------------------------------------

    def open(
        self,
        title: str,
        *,
        actor: Actor,
        at: dt.datetime,
        fields: Mapping[str, Any] | None = None,
        channel: str | None = None,
        record_id: str | None = None,
        external_ref: str | None = None,
        command_id: str | None = None,
    ) -> Record:
        """Opens a record; the requester is the person who acts unless `fields` name one.

        The same `external_ref` or `command_id` twice gives the one record.
        """
        held = {"title": title, **(fields or {})}
        if isinstance(actor, Actor) and actor.is_person:
            held.setdefault("requester", actor.id)
        if external_ref:
            more = held.get("external_refs") or ()
            held["external_refs"] = (external_ref, *((more,) if isinstance(more, str) else more))
            command_id = command_id or f"open/{digest([held.get('tenant'), external_ref])}"
        held["record"] = record_id or self._number()
        held.setdefault("number", held["record"])
        command = self._command("open", actor, at, held, None, command_id, channel)
        return self._run(road.open_record(self.terms, command))

    def fire(
        self,
        record_id: str,
        trigger: str,
        *,
        actor: Actor,
        at: dt.datetime,
        fields: Mapping[str, Any] | None = None,
        expected: int | None = None,
        command_id: str | None = None,
        channel: str | None = None,
    ) -> Record:
        """Pulls a trigger of the lifecycle, such as "start", "hold" or "resolve".

        `channel` is where a `message` among the fields goes out.
        """
        command = self._command(trigger, actor, at, fields, expected, command_id, channel)
        return self._carry(record_id, command, command_id)

    def communicate(
        self,
        record_id: str,
        text: str,
        *,
        actor: Actor,
        at: dt.datetime,
        channel: str | None = None,
        audience: Audience | str = Audience.REQUESTER,
        promise_due: dt.datetime | None = None,
        fields: Mapping[str, Any] | None = None,
        expected: int | None = None,
        command_id: str | None = None,
    ) -> Record:
        """Says something; outside audiences are told through the outbox.

        `promise_due` promises the next word by then; the promise is kept by saying it.
        """
        held = {"text": text, "audience": audience, "promise_due": promise_due, **(fields or {})}
        command = self._command("communicate", actor, at, _known(held), expected, command_id, channel)
        return self._carry(record_id, command, command_id)

    def receive(
        self,
        record_id: str,
        text: str,
        *,
        actor: Actor,
        at: dt.datetime,
        message_id: str,
        channel: str | None = None,
        automatic: bool = False,
        fields: Mapping[str, Any] | None = None,
    ) -> Record:
        """Takes in words about a record, once per `message_id`; answers the record they moved.

        A requester's reply ends a hold that waits for the requester, reopens a resolved record,
        and opens a linked follow-up of a closed one. Automatic replies move nothing.
        """
        held = {
            "text": text,
            "message_id": message_id,
            "direction": Direction.INBOUND,
            "audience": Audience.INTERNAL,
            "automatic": automatic or None,
            **(fields or {}),
        }
        command = self._command(
            "receive", actor, at, _known(held), None, f"receive/{digest([record_id, message_id])}", channel
        )
        return self._run(road.receive(self.terms, record_id, command, reference=self._number))

    def note(
        self,
        record_id: str,
        text: str,
        *,
        actor: Actor,
        at: dt.datetime,
        expected: int | None = None,
        command_id: str | None = None,
    ) -> Record:
        """Writes an internal note; notes answer nobody."""
        held = {"text": text}
        return self.fire(
            record_id, "note", actor=actor, at=at, fields=held, expected=expected, command_id=command_id
        )

    def assign(
        self,
        record_id: str,
        *,
        actor: Actor,
        at: dt.datetime,
        group: str | None = None,
        assignee: str | None = None,
        owner: str | None = None,
        expected: int | None = None,
        command_id: str | None = None,
    ) -> Record:
        """Gives the work to a group or person, or the accountability to an owner."""
        held = _known({"group": group, "assignee": assignee, "owner": owner})
        return self.fire(
            record_id, "assign", actor=actor, at=at, fields=held, expected=expected, command_id=command_id
        )

    def reprioritise(
        self,
        record_id: str,
        *,
        actor: Actor,
        at: dt.datetime,
        fields: Mapping[str, Any],
        expected: int | None = None,
        command_id: str | None = None,
    ) -> Record:
        """Changes impact, urgency or priority; a priority beside the matrix needs `priority_reason`."""
        return self.fire(
            record_id,
            "reprioritise",
            actor=actor,
            at=at,
            fields=fields,
            expected=expected,
            command_id=command_id,
        )

    def link(
        self,
        record_id: str,
        relation: str,
        other: str,
        *,
        actor: Actor,
        at: dt.datetime,
        expected: int | None = None,
        command_id: str | None = None,
    ) -> Record:
        """Links to another record of the store ("duplicates", "follows", "child_of", ...)."""
        held = {"relation": relation, "other": other}
        return self.fire(
            record_id, "link", actor=actor, at=at, fields=held, expected=expected, command_id=command_id
        )

    def correct(
        self,
        record_id: str,
        event_id: str,
        field: str,
        now: Any,
        *,
        reason: str,
        actor: Actor,
        at: dt.datetime,
        command_id: str | None = None,
    ) -> Record:
        """Mends a field (or "occurred_at") of an earlier event; the event itself stays."""
        held = {"event": event_id, "field": field, "now": now, "reason": reason}
        return self.fire(record_id, "correct", actor=actor, at=at, fields=held, command_id=command_id)

    # --- questions ----------------------------------------------------------------------------

    def get(self, record_id: str) -> Record:
        """The record as it stands; raises `RecordNotFound`."""
        return self._run(road.standing(record_id)).record

    def history(self, record_id: str) -> tuple[Event, ...]:
        """Everything that happened to a record, as recorded."""
        return self._run(road.history(record_id))

    def options(self, record_id: str, actor: Actor, *, lang: str | None = None) -> tuple[Option, ...]:
        """Every button for this actor, disabled ones with their reasons."""
        return options(self.get(record_id), actor, self.terms.lifecycle, lang=lang or self.terms.lang)

    def clocks(self, record_id: str, at: dt.datetime) -> dict[str, Clock]:
        """The clocks of a record at an instant, by metric: "response", "resolution"."""
        return self._run(road.standing(record_id)).clocks(self.terms, in_utc(at))

    def find(self, **criteria: Unpack[Criteria]) -> tuple[Record, ...]:
        """The records that match (the fields of `ports.Query`), by id; `after` is a page's last id."""
        return self.store.find(Query.of(criteria))

    def next_due(self) -> dt.datetime | None:
        """The earliest instant at which `tick` has something to do."""
        policy = self.terms.policy
        kinds = [road.escalation(policy)] if policy else []
        kinds += ["message"] if self._notifiers else []
        due = [self.store.next_due(kind) for kind in kinds]
        return min((at for at in due if at is not None), default=None)

    def rearm(self, record_id: str, at: dt.datetime) -> None:
        """Sets a record's timer anew: for open records, after the agreement or the policy changed."""
        self._run(road.rearm(self.terms, record_id, in_utc(at)))

    # --- time passes --------------------------------------------------------------------------

    def tick(self, now: dt.datetime) -> Tick:
        """Fires what has fallen due and delivers what waits; safe from several workers at once.

        Without a policy no escalations are fired, and without notifiers nothing is sent.
        """
        now = in_utc(now, "now")
        escalated, stuck = self._run(road.escalations(self.terms, now, self._worker))
        sent = self._run(delivery.relay(now, self._worker)) if self._notifiers else delivery.Relayed()
        return Tick(
            escalated=escalated,
            delivered=sent.delivered,
            retried=sent.retried,
            failures=sent.failures,
            stuck=stuck,
        )

    def _carry(self, record_id: str, command: Command, command_id: str | None) -> Record:
        repeatable = command_id is not None
        return self._run(road.carry(self.terms, record_id, command, repeatable=repeatable))

    def _run(self, generator: Asks[T]) -> T:
        """Runs a generator of the road on the store and the notifiers."""
        step = generator.send
        answer: Any = None
        while True:
            try:
                wanted = step(answer)
            except StopIteration as done:
                result: T = done.value
                return result
            try:
                answer, step = self._answer(wanted), generator.send
            except Exception as error:
                answer, step = error, generator.throw

    def _answer(self, wanted: Ask | Send) -> Any:
        if isinstance(wanted, Send):
            return delivery.send(self._notifiers, wanted.message)
        return getattr(self.store, wanted.method)(*wanted.arguments)

    def _command(
        self,
        trigger: str,
        actor: Actor,
        at: dt.datetime,
        fields: Mapping[str, Any] | None,
        expected: int | None,
        command_id: str | None,
        channel: str | None = None,
    ) -> Command:
        if command_id is not None and "#" in command_id:
            raise InvalidValue("command_id", command_id, "holds a #", "# marks the ids of consequences")
        return Command(
            trigger,
            actor,
            at=at,
            fields=fields or {},
            expected=expected,
            channel=channel,
            id=command_id or _new_id(),
            recorded_at=None if self._clock is None else self._clock(),
        )


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
