"""The service desk for synchronous hosts: the road on one page.

    desk = ServiceDesk(itsm_core.stores.open("desk.db"), agreement=..., policy=...)
    incident = desk.open("Mail is down", actor=ana, at=now)

The desk owns no clock and no thread: every call says when (`at`), and the host calls `tick` (or
asks `next_due` when to). `clock` only tells when something was recorded: give it in production.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any, Self, TypeVar, Unpack

import attrs

from itsm_core import delivery, naming, road
from itsm_core.actors import Actor
from itsm_core.business_time.calendar import BusinessCalendar
from itsm_core.business_time.instants import in_utc
from itsm_core.commands import Asked, Command
from itsm_core.errors import InvalidValue
from itsm_core.escalation import EscalationPolicy, Resolver, as_named
from itsm_core.events import Audience, Direction, Event
from itsm_core.lifecycle import CustomField, Lifecycle, Option
from itsm_core.lifecycle.migration import MigrationPlan
from itsm_core.ports import Ask, Criteria, Notifier, Query, Send, Store
from itsm_core.priority import PriorityMatrix, matrix_3x3_p5
from itsm_core.processes import (
    PROPAGATIONS,
    SHIPPED,
    Declined,
    ProblemProposal,
    Propagation,
    Proposal,
    Recurring,
)
from itsm_core.records import Record
from itsm_core.sla import Agreement, Clock
from itsm_core.values import as_fields, digest

T = TypeVar("T")
Asks = Generator[Any, Any, T]


@attrs.frozen(kw_only=True)
class Tick:
    """What one `tick` did: `failures` are (message key, reason), `stuck` are (record id, error).

    `expired` records moved because their time in a state was over. A failed message is not tried
    again. A stuck record is, in a minute.
    """

    expired: int = 0
    escalated: int = 0
    delivered: int = 0
    retried: int = 0
    failures: tuple[tuple[str, str], ...] = ()
    stuck: tuple[tuple[str, Exception], ...] = ()


class ServiceDesk:
    """Opens, moves, talks about and watches records in a store.

    `lifecycles` are the processes it runs, old versions included while records stand on them.
    `calendar` counts the time of timer edges and guards. `notifiers` maps a channel to a
    `Notifier`; "*" takes every other channel. Give all versions of the `agreement` that open records
    were promised by. One command in, the record out; a refusal raises `TransitionRefused` with all
    reasons and changes nothing.
    """

    def __init__(
        self,
        store: Store,
        *,
        agreement: Agreement | Sequence[Agreement] = (),
        policy: EscalationPolicy | None = None,
        lifecycles: Lifecycle | Sequence[Lifecycle] = SHIPPED,
        calendar: BusinessCalendar | None = None,
        matrix: PriorityMatrix = matrix_3x3_p5,
        notifiers: Mapping[str, Notifier] | Notifier | None = None,
        resolver: Resolver = as_named,
        clock: Callable[[], dt.datetime] | None = None,
        custom_fields: Sequence[CustomField] = (),
        number: Callable[[str], str] = naming.number,
        propagations: Iterable[Propagation] = PROPAGATIONS,
        worker: str | None = None,
        lang: str = "en",
    ) -> None:
        if not hasattr(store, "commit"):
            raise InvalidValue("store", store, "is no store", 'open one: stores.open("desk.db")')
        self.store = store
        self.terms = road.Terms(
            lifecycles=lifecycles,
            calendar=calendar,
            agreements=(agreement,) if isinstance(agreement, Agreement) else tuple(agreement),
            policy=policy,
            matrix=matrix,
            resolver=resolver,
            custom=tuple(custom_fields),
            salt=naming.unique,
            lang=lang,
        )
        self._notifiers = delivery.by_channel(notifiers)
        self._clock, self._number, self._propagations = clock, number, tuple(propagations)
        self._worker = worker or f"desk-{naming.unique()[:8]}"

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
        process: str | None = None,
        fields: Mapping[str, Any] | None = None,
        channel: str | None = None,
        record_id: str | None = None,
        external_ref: str | None = None,
        command_id: str | None = None,
    ) -> Record:
        """Opens a record of a process, or by the id of a lifecycle (None: of the first one).

        A service request is opened on the lifecycle of the request model that it names.
        The requester is the person who acts unless `fields` name one. The same `external_ref` or
        `command_id` twice gives the one record. A task is linked to the record it is `part_of`.
        """
        held = {"title": title, **(fields if isinstance(fields, Mapping) else as_fields(fields))}
        lifecycle = self.terms.lifecycle_for(process, held)
        if isinstance(actor, Actor) and actor.is_person:
            held.setdefault("requester", actor.id)
        if external_ref:
            more = held.get("external_refs") or ()
            held["external_refs"] = (external_ref, *((more,) if isinstance(more, str) else more))
            command_id = command_id or f"open/{digest([held.get('tenant'), external_ref])}"
        held["record"] = record_id or self._number(lifecycle.process)
        held.setdefault("number", held["record"])
        asked: Asked = {"actor": actor, "at": at, "command_id": command_id, "channel": channel}
        return self._run(road.open_part(self.terms, self._command("open", held, asked), lifecycle.id))

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
        on_behalf_of: str | None = None,
    ) -> Record:
        """Pulls a trigger: of the lifecycle ("start", "resolve") or of every record ("amend", "vote").

        `channel` is where a `message` among the fields goes out; `on_behalf_of` names for whom the
        actor acts, such as whose vote it is.
        """
        asked: Asked = {
            "actor": actor, "at": at, "expected": expected, "command_id": command_id, "channel": channel,
            "on_behalf_of": on_behalf_of,
        }  # fmt: skip
        return self._carry(record_id, trigger, fields or {}, asked)

    def communicate(
        self,
        record_id: str,
        text: str,
        *,
        audience: Audience | str = Audience.REQUESTER,
        promise_due: dt.datetime | None = None,
        fields: Mapping[str, Any] | None = None,
        **asked: Unpack[Asked],
    ) -> Record:
        """Says something; outside audiences are told through the outbox.

        `promise_due` promises the next word by then; the promise is kept by saying it.
        """
        held = {"text": text, "audience": audience, "promise_due": promise_due, **as_fields(fields)}
        return self._carry(record_id, "communicate", _known(held), asked)

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
            **as_fields(fields),
        }
        received = f"receive/{digest([record_id, message_id])}"
        asked: Asked = {"actor": actor, "at": at, "command_id": received, "channel": channel}
        command = self._command("receive", _known(held), asked)
        return self._run(road.receive(self.terms, record_id, command, reference=self._number))

    def note(self, record_id: str, text: str, **asked: Unpack[Asked]) -> Record:
        """Writes an internal note; notes answer nobody."""
        return self._carry(record_id, "note", {"text": text}, asked)

    def assign(
        self,
        record_id: str,
        *,
        group: str | None = None,
        assignee: str | None = None,
        owner: str | None = None,
        **asked: Unpack[Asked],
    ) -> Record:
        """Gives the work to a group or person, or the accountability to an owner."""
        held = _known({"group": group, "assignee": assignee, "owner": owner})
        return self._carry(record_id, "assign", held, asked)

    def reprioritise(self, record_id: str, *, fields: Mapping[str, Any], **asked: Unpack[Asked]) -> Record:
        """Changes impact, urgency or priority; a priority beside the matrix needs `priority_reason`."""
        return self._carry(record_id, "reprioritise", fields, asked)

    def link(self, record_id: str, relation: str, other: str, **asked: Unpack[Asked]) -> Record:
        """Links to another record of the store ("duplicates", "follows", "child_of", ...)."""
        return self._carry(record_id, "link", {"relation": relation, "other": other}, asked)

    def correct(
        self, record_id: str, event_id: str, field: str, now: Any, *, reason: str, **asked: Unpack[Asked]
    ) -> Record:
        """Mends a field (or "occurred_at") of an earlier event; the event itself stays."""
        held = {"event": event_id, "field": field, "now": now, "reason": reason}
        return self._carry(record_id, "correct", held, asked)

    # --- one record after another -------------------------------------------------------------

    def retype(
        self, record_id: str, process: str, *, fields: Mapping[str, Any] | None = None, **asked: Unpack[Asked]
    ) -> Record:
        """Makes a record one of another process; answers the successor, which keeps the promise's start.

        `fields` are what the other process asks for at opening, and the `reason`.
        """
        command = self._command("retype", fields or {}, asked)
        return self._run(road.retype(self.terms, record_id, process, command, self._number))

    def split(
        self, record_id: str, title: str, *, fields: Mapping[str, Any] | None = None, **asked: Unpack[Asked]
    ) -> Record:
        """Makes a part of a record's matter a record of its own, linked both ways; answers the new one."""
        command = self._command("open", {"title": title, **as_fields(fields)}, asked)
        return self._run(road.split(self.terms, record_id, command, self._number))

    def merge(
        self, record_id: str, into: str, *, fields: Mapping[str, Any] | None = None, **asked: Unpack[Asked]
    ) -> Record:
        """Closes a record that is about the same as another; answers the one that goes on."""
        command = self._command("merge", fields or {}, asked)
        return self._run(road.merge(self.terms, record_id, into, command))

    def migrate(self, record_id: str, plan: MigrationPlan, *, reason: str, **asked: Unpack[Asked]) -> Record:
        """Moves a record to another lifecycle or version, which must be one of this desk's."""
        command = self._command("migrate", {"reason": reason}, asked)
        return self._run(road.migrate(self.terms, record_id, plan, command))

    # --- questions ----------------------------------------------------------------------------

    def get(self, record_id: str) -> Record:
        """The record as it stands; raises `RecordNotFound`."""
        return self._run(road.standing(record_id)).record

    def history(self, record_id: str) -> tuple[Event, ...]:
        """Everything that happened to a record, as recorded."""
        return self._run(road.history(record_id))

    def options(
        self, record_id: str, actor: Actor, *, lang: str | None = None, at: dt.datetime | None = None
    ) -> tuple[Option, ...]:
        """Every button for this actor, disabled ones with their reasons, as of an instant if one is given."""
        return self._run(road.options_of(self.terms, record_id, actor, lang=lang, at=at))

    def proposals(self, record_id: str) -> tuple[Proposal, ...]:
        """What a record's last change suggests for those it names: commands for somebody to take up."""
        return self._run(road.proposals_of(self.terms, record_id, self._propagations))

    def recurring(
        self, rule: Recurring | None = None, *, at: dt.datetime, declined: Iterable[Declined] = ()
    ) -> tuple[ProblemProposal, ...]:
        """The problems that the incidents of a window propose, as `processes.recurring`; reads them all."""
        return self._run(road.recurring_in(rule, at, declined))

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
        kinds += [road.BY_ITSELF] if any(one.timed for one in self.terms.lifecycles) else []
        kinds += ["message"] if self._notifiers else []
        due = [self.store.next_due(kind) for kind in kinds]
        return min((at for at in due if at is not None), default=None)

    def rearm(self, record_id: str, at: dt.datetime) -> None:
        """Sets a record's timer anew: for open records, after the agreement or the policy changed.

        And once a version with `on_policy_change="reassess_open"` has begun.
        """
        self._run(road.rearm(self.terms, record_id, in_utc(at)))

    # --- time passes --------------------------------------------------------------------------

    def tick(self, now: dt.datetime) -> Tick:
        """Fires what has fallen due and delivers what waits; safe from several workers at once.

        Without a policy no escalations are fired, and without notifiers nothing is sent.
        """
        now = in_utc(now, "now")
        expired, left = self._run(road.expiries(self.terms, now, self._worker))
        escalated, stuck = self._run(road.escalations(self.terms, now, self._worker))
        sent = self._run(delivery.relay(now, self._worker)) if self._notifiers else delivery.Relayed()
        return Tick(
            expired=expired,
            escalated=escalated,
            delivered=sent.delivered,
            retried=sent.retried,
            failures=sent.failures,
            stuck=(*left, *stuck),
        )

    def _carry(self, record_id: str, trigger: str, fields: Mapping[str, Any], asked: Asked) -> Record:
        repeatable = asked.get("command_id") is not None
        command = self._command(trigger, fields, asked)
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

    def _command(self, trigger: str, fields: Mapping[str, Any], asked: Asked) -> Command:
        command_id = asked.get("command_id")
        if isinstance(command_id, str) and "#" in command_id:
            raise InvalidValue("command_id", command_id, "holds a #", "# marks the ids of consequences")
        return Command(
            trigger,
            asked["actor"],
            at=asked["at"],
            fields=fields,
            expected=asked.get("expected"),
            channel=asked.get("channel"),
            on_behalf_of=asked.get("on_behalf_of"),
            id=command_id or naming.unique(),
            recorded_at=None if self._clock is None else self._clock(),
        )


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
