"""The service desk for synchronous hosts: the road on one page.

    desk = ServiceDesk(itsm_core.stores.open("desk.db"), agreement=..., policy=...)
    incident = desk.open("Mail is down", actor=ana, at=now)

The desk owns no clock and no thread: every call says when (`at`), and the host calls `tick` (or
asks `next_due` when to). `clock` only tells when something was recorded: give it in production.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self, TypeVar, Unpack

from itsm_core import delivery, road
from itsm_core.actors import Actor
from itsm_core.asking import Asks, Desk, Tick
from itsm_core.commands import Asked
from itsm_core.events import Audience, Event
from itsm_core.lifecycle import Option
from itsm_core.lifecycle.migration import MigrationPlan
from itsm_core.majors import Majors
from itsm_core.ports import Ask, Criteria, Directory, Notifier, Send, Store
from itsm_core.processes import Declined, ProblemProposal, Proposal, Recurring
from itsm_core.records import Record
from itsm_core.running import run
from itsm_core.sla import Clock

T = TypeVar("T")


class ServiceDesk(Desk[Store, Notifier, Directory]):
    """Opens, moves, talks about and watches records in a store.

    `lifecycles` are the processes it runs, old versions included while records stand on them.
    `calendar` counts the time of timer edges and guards. `notifiers` maps a channel to a
    `Notifier`; "*" takes every other channel. Give all versions of the `agreement` that open records
    were promised by, and of the `policy` that they were opened under. `resolver` and `directory` turn the
    names of its steps into people. `retries` says how often messages are tried, by channel; see
    `delivery.Retries`. One command in, the record out; a refusal raises `TransitionRefused` with all
    reasons and changes nothing.
    """

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
        `command_id` twice gives the one record; of two at the same moment, by the `command_id` if there
        is one, so leave it out where two may open for one `external_ref`. A task is linked to the record
        it is `part_of`.
        """
        asked: Asked = {"actor": actor, "at": at, "command_id": command_id, "channel": channel}
        return self._run(self._open(title, process, fields, record_id, external_ref, asked))

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
        return self._run(self._carry(record_id, trigger, fields or {}, asked))

    def fire_many(
        self,
        record_ids: Iterable[str],
        trigger: str,
        *,
        fields: Mapping[str, Any] | None = None,
        **asked: Unpack[Asked],
    ) -> dict[str, Record | Exception]:
        """Pulls a trigger of many records, each for itself: the record, or the error it was met with, by id.

        The same `command_id` twice gives the first answers and goes on with what was not yet done.
        """
        return self._run(self._carry_each(record_ids, trigger, fields or {}, asked))

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
        return self._run(self._communicate(record_id, text, audience, promise_due, fields, asked))

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
        asked: Asked = {"actor": actor, "at": at, "channel": channel}
        return self._run(self._receive(record_id, text, message_id, automatic, fields, asked))

    def note(self, record_id: str, text: str, **asked: Unpack[Asked]) -> Record:
        """Writes an internal note; notes answer nobody."""
        return self._run(self._note(record_id, text, asked))

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
        return self._run(self._assign(record_id, group, assignee, owner, asked))

    def reprioritise(self, record_id: str, *, fields: Mapping[str, Any], **asked: Unpack[Asked]) -> Record:
        """Changes impact, urgency or priority; a priority beside the matrix needs `priority_reason`."""
        return self._run(self._carry(record_id, "reprioritise", fields, asked))

    def link(self, record_id: str, relation: str, other: str, **asked: Unpack[Asked]) -> Record:
        """Links to another record of the store ("duplicates", "follows", "child_of", ...)."""
        return self._run(self._link(record_id, relation, other, asked))

    def correct(
        self, record_id: str, event_id: str, field: str, now: Any, *, reason: str, **asked: Unpack[Asked]
    ) -> Record:
        """Mends a field (or "occurred_at") of an earlier event; the event itself stays."""
        return self._run(self._correct(record_id, event_id, field, now, reason, asked))

    def declare_major(
        self,
        record_id: str,
        *,
        reason: str,
        services: Iterable[str] | None = None,
        users: int | None = None,
        **asked: Unpack[Asked],
    ) -> Record:
        """Proposes an open incident as a major one; `major` has what follows: accept, assume, move, ..."""
        return self.major.declare(record_id, reason=reason, services=services, users=users, **asked)

    @property
    def major(self) -> Majors[Record]:
        """The commands about major incidents."""
        return Majors(self._carry, self._run, self.terms.majors)

    # --- who is on it ---------------------------------------------------------------------------

    def acknowledge(self, record_id: str, *, reason: str | None = None, **asked: Unpack[Asked]) -> Record:
        """Says that somebody is on it: escalation waits, and what was not yet sent to others is void.

        Under a policy of `ack_mode="all"` once everybody who was told has said so. It lapses after the
        policy's `ack_timeout`.
        """
        return self._run(self._acknowledge(record_id, reason, asked))

    def snooze(
        self, record_id: str, *, until: dt.datetime, reason: str | None = None, **asked: Unpack[Asked]
    ) -> Record:
        """Puts a record off until an instant, at most a week ahead; then escalation goes on.

        It is an acknowledgement with an end. Acknowledging, closing, or giving the record to somebody else
        ends it before.
        """
        return self._run(self._snooze(record_id, until, reason, asked))

    def escalate_now(
        self, record_id: str, *, step: str | None = None, reason: str | None = None, **asked: Unpack[Asked]
    ) -> Record:
        """Fires the next step of the record's policy at once, or the one named."""
        return self._run(self._escalate_now(record_id, step, reason, asked))

    def migrate_policy(
        self,
        record_id: str,
        *,
        version: int,
        reason: str,
        mode: str = "next_step",
        policy: str | None = None,
        **asked: Unpack[Asked],
    ) -> Record:
        """Lets another version take over from the policy that the record goes by, or another `policy`.

        `mode` says what becomes of steps that should have fired by the other version: "next_step" passes
        over them, "retime_current" fires the last of them, "restart" begins with the first step.
        """
        return self._run(self._migrate_policy(record_id, version, reason, mode, policy, asked))

    # --- one record after another -------------------------------------------------------------

    def retype(
        self, record_id: str, process: str, *, fields: Mapping[str, Any] | None = None, **asked: Unpack[Asked]
    ) -> Record:
        """Makes a record one of another process; answers the successor, which keeps the promise's start.

        `fields` are what the other process asks for at opening, and the `reason`.
        """
        return self._run(self._retype(record_id, process, fields, asked))

    def split(
        self, record_id: str, title: str, *, fields: Mapping[str, Any] | None = None, **asked: Unpack[Asked]
    ) -> Record:
        """Makes a part of a record's matter a record of its own, linked both ways; answers the new one."""
        return self._run(self._split(record_id, title, fields, asked))

    def merge(
        self, record_id: str, into: str, *, fields: Mapping[str, Any] | None = None, **asked: Unpack[Asked]
    ) -> Record:
        """Closes a record that is about the same as another; answers the one that goes on."""
        return self._run(self._merge(record_id, into, fields, asked))

    def migrate(self, record_id: str, plan: MigrationPlan, *, reason: str, **asked: Unpack[Asked]) -> Record:
        """Moves a record to another lifecycle or version, which must be one of this desk's."""
        return self._run(self._migrate(record_id, plan, reason, asked))

    # --- questions ----------------------------------------------------------------------------

    def get(self, record_id: str) -> Record:
        """The record as it stands; raises `RecordNotFound`."""
        return self._run(self._get(record_id))

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
        return self._run(self._proposals(record_id))

    def recurring(
        self, rule: Recurring | None = None, *, at: dt.datetime, declined: Iterable[Declined] = ()
    ) -> tuple[ProblemProposal, ...]:
        """The problems that the incidents of a window propose, as `processes.recurring`; reads them all."""
        return self._run(self._recurring(rule, at, declined))

    def clocks(self, record_id: str, at: dt.datetime) -> dict[str, Clock]:
        """The clocks of a record at an instant, by metric: "response", "resolution"."""
        return self._run(self._clocks(record_id, at))

    def find(self, **criteria: Unpack[Criteria]) -> tuple[Record, ...]:
        """The records that match (the fields of `ports.Query`), by id; `after` is a page's last id."""
        return self._run(self._find(criteria))

    def next_due(self) -> dt.datetime | None:
        """The earliest instant at which `tick` has something to do."""
        return self._run(self._next_due())

    def rearm(self, record_id: str, at: dt.datetime) -> None:
        """Sets a record's timer anew: for open records, after the agreement or the policy changed.

        And once a version with `on_policy_change="reassess_open"` has begun.
        """
        self._run(self._rearm(record_id, at))

    # --- time passes --------------------------------------------------------------------------

    def tick(self, now: dt.datetime, *, clock: Callable[[], dt.datetime] | None = None) -> Tick:
        """Fires what has fallen due and delivers what waits; safe from several workers at once.

        Without a policy no escalations are fired, and without notifiers nothing is sent. With a `clock`
        the time that sending takes counts, and what has waited is sent for some seconds at most.
        """
        return self._run(self._tick(now, clock))

    def lag(self, now: dt.datetime) -> dt.timedelta:
        """How long the earliest thing that `tick` has to do has waited for it; zero if nothing has.

        Ask it where a health check looks: it grows when nobody ticks any more.
        """
        return self._run(self._lag(now))

    def _run(self, generator: Asks[T]) -> T:
        """Runs a generator of the road on the store and the notifiers."""
        return run(generator, self._answer)

    def _answer(self, wanted: Ask | Send) -> Any:
        if isinstance(wanted, Send):
            return delivery.send(self._notifiers, wanted.message)
        if wanted.method == "look" and self._directory is not None:
            return self._directory(*wanted.arguments)
        return getattr(self.store, wanted.method)(*wanted.arguments)
