"""The service desk for async hosts: the same road, awaited.

    async with AsyncServiceDesk(await itsm_core.stores.open_async("desk.db"), agreement=...) as desk:
        incident = await desk.open("Mail is down", actor=ana, at=now)

What is asked, decided and stored is what `ServiceDesk` asks, decides and stores.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Self, TypeVar, Unpack

from itsm_core import delivery, road
from itsm_core.actors import Actor
from itsm_core.asking import Asks, Desk, Tick
from itsm_core.commands import Asked
from itsm_core.errors import VersionConflict
from itsm_core.events import Audience, Event
from itsm_core.lifecycle import Option
from itsm_core.lifecycle.migration import MigrationPlan
from itsm_core.majors import Majors
from itsm_core.ports import (
    Ask,
    AsyncDirectory,
    AsyncNotifier,
    AsyncStore,
    Criteria,
    Directory,
    Message,
    Notifier,
    Outcome,
    Rejected,
    Send,
)
from itsm_core.processes import Declined, ProblemProposal, Proposal, Recurring
from itsm_core.records import Record
from itsm_core.running import Losses
from itsm_core.sla import Clock
from itsm_core.values import is_awaited

T = TypeVar("T")
_QUESTIONS = frozenset({"load", "event", "find"})


class AsyncServiceDesk(Desk[AsyncStore, Notifier | AsyncNotifier, Directory | AsyncDirectory]):
    """A `ServiceDesk` on a store that is awaited; any number of tasks may use it at once.

    It takes what `ServiceDesk` takes. A notifier may be an async callable; a plain one runs in a
    thread. A task that is cancelled leaves nothing half done: whether its last command was carried out
    is told by the same `command_id` again.
    """

    _awaits = True
    _queued: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.store.close()

    # --- commands: each goes through the one door ---------------------------------------------

    async def open(
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
        """As `ServiceDesk.open`."""
        asked: Asked = {"actor": actor, "at": at, "command_id": command_id, "channel": channel}
        return await self._run(self._open(title, process, fields, record_id, external_ref, asked))

    async def fire(
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
        """As `ServiceDesk.fire`."""
        asked: Asked = {
            "actor": actor, "at": at, "expected": expected, "command_id": command_id, "channel": channel,
            "on_behalf_of": on_behalf_of,
        }  # fmt: skip
        return await self._run(self._carry(record_id, trigger, fields or {}, asked))

    async def fire_many(
        self,
        record_ids: Iterable[str],
        trigger: str,
        *,
        fields: Mapping[str, Any] | None = None,
        **asked: Unpack[Asked],
    ) -> dict[str, Record | Exception]:
        """As `ServiceDesk.fire_many`."""
        return await self._run(self._carry_each(record_ids, trigger, fields or {}, asked))

    async def communicate(
        self,
        record_id: str,
        text: str,
        *,
        audience: Audience | str = Audience.REQUESTER,
        promise_due: dt.datetime | None = None,
        fields: Mapping[str, Any] | None = None,
        **asked: Unpack[Asked],
    ) -> Record:
        """As `ServiceDesk.communicate`."""
        return await self._run(self._communicate(record_id, text, audience, promise_due, fields, asked))

    async def receive(
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
        """As `ServiceDesk.receive`."""
        asked: Asked = {"actor": actor, "at": at, "channel": channel}
        return await self._run(self._receive(record_id, text, message_id, automatic, fields, asked))

    async def note(self, record_id: str, text: str, **asked: Unpack[Asked]) -> Record:
        """As `ServiceDesk.note`."""
        return await self._run(self._note(record_id, text, asked))

    async def assign(
        self,
        record_id: str,
        *,
        group: str | None = None,
        assignee: str | None = None,
        owner: str | None = None,
        **asked: Unpack[Asked],
    ) -> Record:
        """As `ServiceDesk.assign`."""
        return await self._run(self._assign(record_id, group, assignee, owner, asked))

    async def reprioritise(
        self, record_id: str, *, fields: Mapping[str, Any], **asked: Unpack[Asked]
    ) -> Record:
        """As `ServiceDesk.reprioritise`."""
        return await self._run(self._carry(record_id, "reprioritise", fields, asked))

    async def link(self, record_id: str, relation: str, other: str, **asked: Unpack[Asked]) -> Record:
        """As `ServiceDesk.link`."""
        return await self._run(self._link(record_id, relation, other, asked))

    async def correct(
        self, record_id: str, event_id: str, field: str, now: Any, *, reason: str, **asked: Unpack[Asked]
    ) -> Record:
        """As `ServiceDesk.correct`."""
        return await self._run(self._correct(record_id, event_id, field, now, reason, asked))

    async def declare_major(
        self,
        record_id: str,
        *,
        reason: str,
        services: Iterable[str] | None = None,
        users: int | None = None,
        **asked: Unpack[Asked],
    ) -> Record:
        """As `ServiceDesk.declare_major`."""
        return await self.major.declare(record_id, reason=reason, services=services, users=users, **asked)

    @property
    def major(self) -> Majors[Awaitable[Record]]:
        """As `ServiceDesk.major`; each command is awaited."""
        return Majors(self._carry, self._run, self.terms.majors)

    # --- who is on it ---------------------------------------------------------------------------

    async def acknowledge(
        self, record_id: str, *, reason: str | None = None, **asked: Unpack[Asked]
    ) -> Record:
        """As `ServiceDesk.acknowledge`."""
        return await self._run(self._acknowledge(record_id, reason, asked))

    async def snooze(
        self, record_id: str, *, until: dt.datetime, reason: str | None = None, **asked: Unpack[Asked]
    ) -> Record:
        """As `ServiceDesk.snooze`."""
        return await self._run(self._snooze(record_id, until, reason, asked))

    async def escalate_now(
        self, record_id: str, *, step: str | None = None, reason: str | None = None, **asked: Unpack[Asked]
    ) -> Record:
        """As `ServiceDesk.escalate_now`."""
        return await self._run(self._escalate_now(record_id, step, reason, asked))

    async def migrate_policy(
        self,
        record_id: str,
        *,
        version: int,
        reason: str,
        mode: str = "next_step",
        policy: str | None = None,
        **asked: Unpack[Asked],
    ) -> Record:
        """As `ServiceDesk.migrate_policy`."""
        return await self._run(self._migrate_policy(record_id, version, reason, mode, policy, asked))

    # --- one record after another -------------------------------------------------------------

    async def retype(
        self, record_id: str, process: str, *, fields: Mapping[str, Any] | None = None, **asked: Unpack[Asked]
    ) -> Record:
        """As `ServiceDesk.retype`."""
        return await self._run(self._retype(record_id, process, fields, asked))

    async def split(
        self, record_id: str, title: str, *, fields: Mapping[str, Any] | None = None, **asked: Unpack[Asked]
    ) -> Record:
        """As `ServiceDesk.split`."""
        return await self._run(self._split(record_id, title, fields, asked))

    async def merge(
        self, record_id: str, into: str, *, fields: Mapping[str, Any] | None = None, **asked: Unpack[Asked]
    ) -> Record:
        """As `ServiceDesk.merge`."""
        return await self._run(self._merge(record_id, into, fields, asked))

    async def migrate(
        self, record_id: str, plan: MigrationPlan, *, reason: str, **asked: Unpack[Asked]
    ) -> Record:
        """As `ServiceDesk.migrate`."""
        return await self._run(self._migrate(record_id, plan, reason, asked))

    # --- questions ----------------------------------------------------------------------------

    async def get(self, record_id: str) -> Record:
        """As `ServiceDesk.get`."""
        return await self._run(self._get(record_id))

    async def history(self, record_id: str) -> tuple[Event, ...]:
        """As `ServiceDesk.history`."""
        return await self._run(road.history(record_id))

    async def options(
        self, record_id: str, actor: Actor, *, lang: str | None = None, at: dt.datetime | None = None
    ) -> tuple[Option, ...]:
        """As `ServiceDesk.options`."""
        return await self._run(road.options_of(self.terms, record_id, actor, lang=lang, at=at))

    async def proposals(self, record_id: str) -> tuple[Proposal, ...]:
        """As `ServiceDesk.proposals`."""
        return await self._run(self._proposals(record_id))

    async def recurring(
        self, rule: Recurring | None = None, *, at: dt.datetime, declined: Iterable[Declined] = ()
    ) -> tuple[ProblemProposal, ...]:
        """As `ServiceDesk.recurring`."""
        return await self._run(self._recurring(rule, at, declined))

    async def clocks(self, record_id: str, at: dt.datetime) -> dict[str, Clock]:
        """As `ServiceDesk.clocks`."""
        return await self._run(self._clocks(record_id, at))

    async def find(self, **criteria: Unpack[Criteria]) -> tuple[Record, ...]:
        """As `ServiceDesk.find`."""
        return await self._run(self._find(criteria))

    async def next_due(self) -> dt.datetime | None:
        """As `ServiceDesk.next_due`."""
        return await self._run(self._next_due())

    async def rearm(self, record_id: str, at: dt.datetime) -> None:
        """As `ServiceDesk.rearm`."""
        await self._run(self._rearm(record_id, at))

    # --- time passes --------------------------------------------------------------------------

    async def tick(self, now: dt.datetime, *, clock: Callable[[], dt.datetime] | None = None) -> Tick:
        """As `ServiceDesk.tick`."""
        return await self._run(self._tick(now, clock))

    async def lag(self, now: dt.datetime) -> dt.timedelta:
        """As `ServiceDesk.lag`."""
        return await self._run(self._lag(now))

    async def _run(self, generator: Asks[T]) -> T:
        """Runs a generator of the road on the store and the notifiers."""
        step = generator.send
        answer: Any = None
        place = _Place(self._queue())
        try:
            while True:
                try:
                    wanted = step(answer)
                except StopIteration as done:
                    result: T = done.value
                    return result
                try:
                    answer, step = await self._answer(wanted, place), generator.send
                except Exception as error:
                    answer, step = error, generator.throw
        finally:
            place.leave()

    async def _answer(self, wanted: Ask | Send, place: _Place) -> Any:
        if isinstance(wanted, Send):
            return await self._sent(wanted.message)
        if wanted.method == "look" and self._directory is not None:
            return await _called(self._directory, *wanted.arguments)
        try:
            answer = await getattr(self.store, wanted.method)(*wanted.arguments)
        except VersionConflict as lost:
            await place.take()
            await asyncio.sleep(place.losses.rest(lost))
            raise
        if wanted.method not in _QUESTIONS:
            place.leave()
        return answer

    def _queue(self) -> asyncio.Lock:
        """The queue of the running loop: a lock belongs to the loop it was first waited for in."""
        loop = asyncio.get_running_loop()
        if self._queued is None or self._queued[0] is not loop:
            self._queued = loop, asyncio.Lock()
        return self._queued[1]

    async def _sent(self, message: Message) -> Outcome:
        notifier = delivery.chosen(self._notifiers, message)
        if isinstance(notifier, Rejected):
            return notifier
        try:
            return delivery.answered(await _called(notifier, message))
        except Exception as error:
            return delivery.failed(error)


class _Place:
    """A place in the queue of those who lost a race, from the loss to what is written next.

    All tasks load before the first of them commits: without a queue a hundred on one record would
    lose to one another again and again.
    """

    def __init__(self, queue: asyncio.Lock) -> None:
        self._queue, self._first = queue, False
        self.losses = Losses()

    async def take(self) -> None:
        """Waits until the others are through, unless it is first already."""
        self._first = self._first or await self._queue.acquire()

    def leave(self) -> None:
        """Lets the next one go ahead."""
        if self._first:
            self._queue.release()
        self._first = False


async def _called(plugged: Callable[..., Any], *arguments: Any) -> Any:
    """What a notifier or a directory answers; a plain one may wait, so it runs in a thread."""
    if is_awaited(plugged):
        return await plugged(*arguments)
    answer = await asyncio.to_thread(_raising, plugged, *arguments)
    return await answer if inspect.isawaitable(answer) else answer


def _raising(plugged: Callable[..., Any], *arguments: Any) -> Any:
    """What it answers; a `StopIteration` as another error: a future of Python 3.11 would wait for ever."""
    try:
        return plugged(*arguments)
    except StopIteration as error:
        raise RuntimeError("raised StopIteration") from error
